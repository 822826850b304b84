/*-------------------------------------------------------------------------
 *
 * deal.c
 *	  deal_summary: everything about deals in one pass.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "outcome.h"
#include "summary_type.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

enum
{
	WON,
	LOST,
	OPEN,
	UNPRICED,
	UNDATED,
	INVALID,
	NCOUNTS
};

enum
{
	WON_AMOUNT,
	LOST_AMOUNT,
	OPEN_AMOUNT
};

enum
{
	WON_AMOUNTS,
	WON_DAYS,
	LOST_DAYS,
	OPEN_ON
};

static const char *const count_names[NCOUNTS] = {
	"won", "lost", "open", "unpriced", "undated", "invalid"
};
static const DecimalField decimal_fields[] = {
	{"won_amount", true}, {"lost_amount", false}, {"open_amount", false}
};
static const char *const histogram_names[] = {
	"won_amounts", "won_days", "lost_days", "open_on"
};

/* Every deal has a date or is counted as having none, and so for amounts. */
static bool
deal_consistent(const SummaryView *view)
{
	const int64 *counts = view->counts;
	int64		priced = decimal_view_rows(&view->decimals[WON_AMOUNT]);

	if (histogram_total(view->histograms[WON_AMOUNTS]) != priced ||
		(int128) priced + counts[UNPRICED] != counts[WON])
		return false;
	for (int i = WON_DAYS; i <= LOST_DAYS; i++)
	{
		if (view->histograms[i].n > 0 && view->histograms[i].bin[0].key < 0)
			return false;
	}
	return (int128) histogram_total(view->histograms[WON_DAYS]) +
		histogram_total(view->histograms[LOST_DAYS]) +
		histogram_total(view->histograms[OPEN_ON]) +
		counts[UNDATED] + counts[INVALID] ==
		(int128) counts[WON] + counts[LOST] + counts[OPEN];
}

static const SummaryLayout deal_layout = {
	.type_name = "deal_summary",
	.type_id = 4,
	.ncounts = NCOUNTS,
	.ndecimals = lengthof(decimal_fields),
	.nhistograms = lengthof(histogram_names),
	.counts = count_names,
	.decimals = decimal_fields,
	.histograms = histogram_names,
	.consistent = deal_consistent
};

SUMMARY_TYPE(deal_layout, deal_summary);

/* Counts, amounts and days stand in the order of the outcomes. */
StaticAssertDecl((int) WON == OUTCOME_WON && (int) LOST == OUTCOME_LOST &&
				 (int) OPEN == OUTCOME_OPEN, "counts follow outcomes");
StaticAssertDecl((int) LOST_AMOUNT == OUTCOME_LOST && (int) OPEN_AMOUNT == OUTCOME_OPEN,
				 "amounts follow outcomes");
StaticAssertDecl(LOST_DAYS == WON_DAYS + OUTCOME_LOST &&
				 OPEN_ON == WON_DAYS + OUTCOME_OPEN, "days follow outcomes");

/* Any row. */
static pg_noinline Datum
deal_row(FunctionCallInfo fcinfo, int sign)
{
	Summary    *state = summary_begin(fcinfo, &deal_layout);
	Outcome		outcome = PG_ARGISNULL(2) ? OUTCOME_OPEN : outcome_read(PG_GETARG_DATUM(2));
	int64		days;
	DealDates	dates = deal_dates(outcome, fcinfo->args[3], fcinfo->args[4], &days);
	Datum		amount = PG_GETARG_DATUM(1);
	int64		mantissa;
	int			dscale;

	summary_add_count(state, outcome, sign);

	if (!PG_ARGISNULL(1))
	{
		bool		is_fast = decimal_mantissa(amount, &mantissa, &dscale);

		state = summary_add_numeric(&deal_layout, state, outcome, amount, is_fast, mantissa,
									dscale, sign);
		if (outcome == OUTCOME_WON)
			state = summary_add_row_key(&deal_layout, state,
										SUMMARY_PART(&deal_layout, WON_AMOUNTS),
										is_fast ? mantissa_bucket(mantissa) : decimal_bucket(amount),
										sign);
	}
	else if (outcome == OUTCOME_WON)
		summary_add_count(state, UNPRICED, sign);

	if (likely(dates == DATES_USABLE))
		state = summary_add_row_key(&deal_layout, state,
									SUMMARY_PART(&deal_layout, WON_DAYS) + outcome, days, sign);
	else
		summary_add_count(state, dates == DATES_UNDATED ? UNDATED : INVALID, sign);
	return summary_end(fcinfo, &deal_layout, state);
}

/* The keys of a row whose state does not note them down. */
static pg_noinline Summary *
add_keys(Summary *state, int days_part, int64 days, bool is_won, int64 bucket)
{
	if (is_won)
		state = summary_add_row_key(&deal_layout, state, SUMMARY_PART(&deal_layout, WON_AMOUNTS),
									bucket, 1);
	return summary_add_row_key(&deal_layout, state, days_part, days, 1);
}

PG_FUNCTION_INFO_V1(deal_agg_add);
Datum
deal_agg_add(PG_FUNCTION_ARGS)
{
	const NullableDatum *args = fcinfo->args;
	NullableDatum opened = args[3];

	/*
	 * The everyday row: nothing missing, an amount of everyday size, and a
	 * state to add to.  It takes one way through, without a branch on its
	 * outcome (see outcome.h); deal_row would do the same.
	 */
	if (likely(called_by_aggregate(fcinfo) &&
			   !(args[0].isnull | args[1].isnull | args[2].isnull | opened.isnull)))
	{
		Summary    *state = (Summary *) DatumGetPointer(args[0].value);
		Outcome		outcome;
		int64		days;
		int64		mantissa;
		int			dscale;

		if (likely(summary_is_working(state, &deal_layout) &&
				   decimal_mantissa(args[1].value, &mantissa, &dscale) &&
				   deal_dates(outcome = outcome_read(args[2].value), opened, args[4],
							  &days) == DATES_USABLE &&
				   summary_add_mantissa(&deal_layout, state, outcome, mantissa, dscale, 1)))
		{
			int			days_part = SUMMARY_PART(&deal_layout, WON_DAYS) + outcome;
			bool		is_won = outcome == OUTCOME_WON;
			int64		bucket = mantissa_bucket(mantissa);

			summary_add_count(state, outcome, 1);
			if (unlikely(!histogram_note_two(summary_histogram(&deal_layout, state),
											 SUMMARY_PARTS(&deal_layout), days_part, days,
											 is_won, SUMMARY_PART(&deal_layout, WON_AMOUNTS),
											 bucket)))
				state = add_keys(state, days_part, days, is_won, bucket);
			return PointerGetDatum(state);
		}
	}
	return deal_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(deal_agg_remove);
Datum
deal_agg_remove(PG_FUNCTION_ARGS)
{
	return deal_row(fcinfo, -1);
}

/* ---------- counts ---------- */

SUMMARY_COUNT(deal_won_count, deal_layout, WON);
SUMMARY_COUNT(deal_lost_count, deal_layout, LOST);
SUMMARY_COUNT(deal_open_count, deal_layout, OPEN);
SUMMARY_COUNT(deal_unpriced_count, deal_layout, UNPRICED);

/* ---------- amounts ---------- */

static Datum
deal_amount(FunctionCallInfo fcinfo, int decimal)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &deal_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(decimal_view_sum(&view.decimals[decimal]));
}

#define DEAL_AMOUNT(function, decimal) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		return deal_amount(fcinfo, decimal); \
	} \
	extern int	no_such_variable

DEAL_AMOUNT(deal_bookings_amount, WON_AMOUNT);
DEAL_AMOUNT(deal_lost_amount, LOST_AMOUNT);
DEAL_AMOUNT(deal_pipeline_amount, OPEN_AMOUNT);

/* ---------- rates ---------- */

/* Beyond what float8 holds it is 0 or infinite, not an error. */
static double
to_float8(Datum numeric)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, numeric));
}

/* won / (won + lost) */
PG_FUNCTION_INFO_V1(deal_win_rate);
Datum
deal_win_rate(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		closed;

	if (!summary_read(fcinfo, 0, &deal_layout, &view))
		PG_RETURN_NULL();
	closed = (double) view.counts[WON] + (double) view.counts[LOST];
	if (closed == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) view.counts[WON] / closed);
}

/*
 * Won amount / (won amount + lost amount).  NULL where deals were lost and
 * their amounts add up to 0: lost amounts are not recorded then.
 */
PG_FUNCTION_INFO_V1(deal_win_rate_amount);
Datum
deal_win_rate_amount(PG_FUNCTION_ARGS)
{
	SummaryView view;
	Datum		won;
	Datum		closed;

	if (!summary_read(fcinfo, 0, &deal_layout, &view))
		PG_RETURN_NULL();
	if (view.counts[LOST] > 0 && view.decimals[LOST_AMOUNT].sum.ndigits == 0 &&
		decimal_view_kind(&view.decimals[LOST_AMOUNT]) == DECIMAL_FINITE)
		PG_RETURN_NULL();
	won = NumericGetDatum(decimal_view_sum(&view.decimals[WON_AMOUNT]));
	closed = DirectFunctionCall2(numeric_add, won,
								 NumericGetDatum(decimal_view_sum(&view.decimals[LOST_AMOUNT])));
	if (DatumGetBool(DirectFunctionCall2(numeric_eq, closed,
										 NumericGetDatum(int64_to_numeric(0)))))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(to_float8(DirectFunctionCall2(numeric_div, won, closed)));
}

/*
 * What the open deals are worth a day: open deals * win rate * average deal
 * amount / average cycle in days.
 */
PG_FUNCTION_INFO_V1(deal_sales_velocity);
Datum
deal_sales_velocity(PG_FUNCTION_ARGS)
{
	SummaryView view;
	const HistogramBins *cycles = &view.histograms[WON_DAYS];
	double		closed;
	double		priced;
	double		days = 0;

	if (!summary_read(fcinfo, 0, &deal_layout, &view))
		PG_RETURN_NULL();
	closed = (double) view.counts[WON] + (double) view.counts[LOST];
	priced = (double) decimal_view_rows(&view.decimals[WON_AMOUNT]);
	for (int i = 0; i < cycles->n; i++)
		days += (double) cycles->bin[i].key * (double) cycles->bin[i].count;
	if (closed == 0 || priced == 0 || days == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) view.counts[OPEN] *
					 ((double) view.counts[WON] / closed) *
					 (to_float8(NumericGetDatum(decimal_view_sum(&view.decimals[WON_AMOUNT]))) /
					  priced) /
					 (days / (double) histogram_total(*cycles)));
}

/* ---------- parts ---------- */

/*
 * The parts are summaries of other types, whose fields stand side by side in
 * ours.  Their type files are not known here; their layouts' shapes are.
 */
static const SummaryLayout outcomes_part = {
	.type_name = "conversion_summary", .type_id = 1, .ncounts = 2
};
static const SummaryLayout amounts_part = {
	.type_name = "amount_summary", .type_id = 2, .ndecimals = 1, .nhistograms = 1,
	.decimals = &decimal_fields[WON_AMOUNT]
};
static const SummaryLayout cycle_part = {
	.type_name = "cycle_summary", .type_id = 3, .ncounts = 2, .nhistograms = 3
};

/* won of won + lost, as a conversion_summary */
PG_FUNCTION_INFO_V1(deal_outcomes);
Datum
deal_outcomes(PG_FUNCTION_ARGS)
{
	SummaryView view;
	SummaryView part;

	summary_open(&deal_layout, &view, PG_GETARG_DATUM(0));
	part.layout = &outcomes_part;
	if (pg_add_s64_overflow(view.counts[WON], view.counts[LOST], &part.counts[0]))
		histogram_overflow();
	part.counts[1] = view.counts[WON];
	return PointerGetDatum(summary_pack(&part));
}

/* the amounts of won deals, as an amount_summary */
PG_FUNCTION_INFO_V1(deal_won_amounts);
Datum
deal_won_amounts(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(summary_part(&deal_layout, PG_GETARG_DATUM(0), &amounts_part,
										NCOUNTS, WON_AMOUNT, WON_AMOUNTS));
}

/* how long they took, as a cycle_summary */
PG_FUNCTION_INFO_V1(deal_cycle);
Datum
deal_cycle(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(summary_part(&deal_layout, PG_GETARG_DATUM(0), &cycle_part,
										UNDATED, lengthof(decimal_fields), WON_DAYS));
}
