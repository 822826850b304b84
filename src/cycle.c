/*-------------------------------------------------------------------------
 *
 * cycle.c
 *	  cycle_summary: how long deals take, those still open included.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "outcome.h"
#include "summary_type.h"
#include "survival.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/tuplestore.h"

enum
{
	UNDATED,
	INVALID,
	NCOUNTS
};

enum
{
	WON_DAYS,
	LOST_DAYS,
	OPEN_ON
};

static const char *const count_names[NCOUNTS] = {"undated", "invalid"};
static const char *const histogram_names[] = {"won_days", "lost_days", "open_on"};

static bool
cycle_consistent(const SummaryView *view)
{
	/* nobody closes before having opened */
	for (int i = WON_DAYS; i <= LOST_DAYS; i++)
	{
		if (view->histograms[i].n > 0 && view->histograms[i].bin[0].key < 0)
			return false;
	}
	return true;
}

static const SummaryLayout cycle_layout = {
	.type_name = "cycle_summary",
	.type_id = 3,
	.ncounts = NCOUNTS,
	.nhistograms = lengthof(histogram_names),
	.counts = count_names,
	.histograms = histogram_names,
	.consistent = cycle_consistent
};

SUMMARY_TYPE(cycle_layout, cycle_summary);

static pg_attribute_always_inline Datum
cycle_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &cycle_layout);
	Outcome		outcome = PG_ARGISNULL(1) ? OUTCOME_OPEN : outcome_read(PG_GETARG_DATUM(1));
	int64		key;

	switch (deal_dates(outcome, fcinfo->args[2], fcinfo->args[3], &key))
	{
		case DATES_USABLE:
			state = summary_add_row_key(&cycle_layout, state,
										SUMMARY_PART(&cycle_layout, WON_DAYS) + outcome,
										key, sign);
			break;
		case DATES_UNDATED:
			summary_add_count(state, UNDATED, sign);
			break;
		case DATES_INVALID:
			summary_add_count(state, INVALID, sign);
			break;
	}
	return summary_end(fcinfo, &cycle_layout, state);
}

PG_FUNCTION_INFO_V1(cycle_agg_add);
Datum
cycle_agg_add(PG_FUNCTION_ARGS)
{
	return cycle_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(cycle_agg_remove);
Datum
cycle_agg_remove(PG_FUNCTION_ARGS)
{
	return cycle_row(fcinfo, -1);
}

SUMMARY_COUNT(cycle_undated_count, cycle_layout, UNDATED);
SUMMARY_COUNT(cycle_invalid_count, cycle_layout, INVALID);

/* Won deals whose cycle is known. */
PG_FUNCTION_INFO_V1(cycle_count);
Datum
cycle_count(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &cycle_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_INT64(histogram_total(view.histograms[WON_DAYS]));
}

/* Mean days from opening to winning. */
PG_FUNCTION_INFO_V1(cycle_average);
Datum
cycle_average(PG_FUNCTION_ARGS)
{
	SummaryView view;
	const HistogramBins *won = &view.histograms[WON_DAYS];
	int64		n;
	int128		days = 0;

	if (!summary_read(fcinfo, 0, &cycle_layout, &view) || (n = histogram_total(*won)) == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < won->n; i++)
		days += (int128) won->bin[i].key * won->bin[i].count;
	PG_RETURN_FLOAT8((double) days / (double) n);
}

/* NULL where there is nothing. */
static Datum
percentile_of(FunctionCallInfo fcinfo, HistogramBins days, double share)
{
	int64		n = histogram_total(days);
	int64		low;
	int64		high;
	double		between;

	if (n == 0)
		PG_RETURN_NULL();
	histogram_rank(days, n, share, &low, &high, &between);
	PG_RETURN_FLOAT8((double) low + between * ((double) high - (double) low));
}

/* Exactly percentile_cont over the days from opening to winning. */
PG_FUNCTION_INFO_V1(cycle_percentile);
Datum
cycle_percentile(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		share = percentile_argument(PG_GETARG_FLOAT8(1));

	if (!summary_read(fcinfo, 0, &cycle_layout, &view))
		PG_RETURN_NULL();
	return percentile_of(fcinfo, view.histograms[WON_DAYS], share);
}

/* The same over the days from opening to winning or losing. */
PG_FUNCTION_INFO_V1(closing_percentile);
Datum
closing_percentile(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		share = percentile_argument(PG_GETARG_FLOAT8(1));
	HistogramBins won;
	HistogramBins lost;
	HistogramBins closed;

	if (!summary_read(fcinfo, 0, &cycle_layout, &view))
		PG_RETURN_NULL();
	won = view.histograms[WON_DAYS];
	lost = view.histograms[LOST_DAYS];
	closed.n = 0;
	closed.bin = palloc_extended(((size_t) won.n + lost.n + 1) * sizeof(HistogramBin), MCXT_ALLOC_HUGE);
	for (int i = 0, j = 0; i < won.n || j < lost.n;)
	{
		HistogramBin *bin = &closed.bin[closed.n++];

		bin->key = j >= lost.n || (i < won.n && won.bin[i].key < lost.bin[j].key) ?
			won.bin[i].key : lost.bin[j].key;
		bin->count = 0;
		if (i < won.n && won.bin[i].key == bin->key)
			bin->count = won.bin[i++].count;
		if (j < lost.n && lost.bin[j].key == bin->key &&
			pg_add_s64_overflow(bin->count, lost.bin[j++].count, &bin->count))
			histogram_overflow();
	}
	return percentile_of(fcinfo, closed, share);
}

/*
 * What life tables as of a day are made of; false if the summary is not valid.
 */
static bool
read_lifetimes(FunctionCallInfo fcinfo, int argument, int as_of_argument,
			   Lifetimes *times, DateADT *as_of)
{
	SummaryView view;

	*as_of = PG_GETARG_DATEADT(as_of_argument);
	if (DATE_NOT_FINITE(*as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be a finite date")));
	if (!summary_read(fcinfo, argument, &cycle_layout, &view))
		return false;
	times->won = view.histograms[WON_DAYS];
	times->lost = view.histograms[LOST_DAYS];
	times->open = view.histograms[OPEN_ON];
	return true;
}

static bool
read_life_table(FunctionCallInfo fcinfo, int argument, int as_of_argument, LifeTable *table)
{
	Lifetimes	times;
	DateADT		as_of;

	if (!read_lifetimes(fcinfo, argument, as_of_argument, &times, &as_of))
		return false;
	*table = life_table(&times, as_of);
	return true;
}

/* Kaplan-Meier median of the days until a deal is won or lost. */
PG_FUNCTION_INFO_V1(cycle_km_median);
Datum
cycle_km_median(PG_FUNCTION_ARGS)
{
	Lifetimes	times;
	DateADT		as_of;
	int64		day;

	if (!read_lifetimes(fcinfo, 0, 1, &times, &as_of) ||
		!life_median(&times, as_of, &day))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) day);
}

static Datum
km_median_limit(FunctionCallInfo fcinfo, bool upper)
{
	Lifetimes	times;
	DateADT		as_of;
	int64		day;

	if (!read_lifetimes(fcinfo, 0, 1, &times, &as_of) ||
		!life_median_limit(&times, as_of, 0.95, upper, &day))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) day);
}

PG_FUNCTION_INFO_V1(cycle_km_median_low);
Datum
cycle_km_median_low(PG_FUNCTION_ARGS)
{
	return km_median_limit(fcinfo, false);
}

PG_FUNCTION_INFO_V1(cycle_km_median_high);
Datum
cycle_km_median_high(PG_FUNCTION_ARGS)
{
	return km_median_limit(fcinfo, true);
}

/* Log-rank test: do deals of the two groups close (or are they won) alike? */
PG_FUNCTION_INFO_V1(cycle_p_value);
Datum
cycle_p_value(PG_FUNCTION_ARGS)
{
	char	   *event_name = text_to_cstring(PG_GETARG_TEXT_PP(3));
	CloseEvent	event = EVENT_CLOSED;
	LifeTable	a;
	LifeTable	b;
	double		p;

	if (strcmp(event_name, "won") == 0)
		event = EVENT_WON;
	else if (strcmp(event_name, "closed") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown event: \"%s\"", event_name),
				 errhint("The event is 'closed' or 'won'.")));
	if (!read_life_table(fcinfo, 0, 2, &a) || !read_life_table(fcinfo, 1, 2, &b))
		PG_RETURN_NULL();
	p = log_rank_p(&a, &b, event);
	if (isnan(p))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(p);
}

/* The life table as rows. */
PG_FUNCTION_INFO_V1(cycle_curve);
Datum
cycle_curve(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	LifeTable	table;

	InitMaterializedSRF(fcinfo, 0);
	if (!read_life_table(fcinfo, 0, 1, &table))
		return (Datum) 0;
	for (int i = 0; i < table.n; i++)
	{
		const LifeDay *row = &table.days[i];
		Datum		values[8];
		bool		nulls[8] = {false};

		values[0] = Int64GetDatum(row->day);
		values[1] = Int64GetDatum(row->at_risk);
		values[2] = Int64GetDatum(row->won);
		values[3] = Int64GetDatum(row->lost);
		values[4] = Float8GetDatum(row->survival);
		values[5] = Float8GetDatum(row->survival_se);
		values[6] = Float8GetDatum(row->win_incidence);
		values[7] = Float8GetDatum(row->loss_incidence);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* A number of days that an accessor was asked about. */
static int64
days_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	int32		days = PG_GETARG_INT32(argument);

	if (days < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative: %d", name, days)));
	return days;
}

static double
incidence_until(const LifeTable *table, int64 day)
{
	const LifeDay *row = life_day(table, day);

	return row == NULL ? 0 : row->win_incidence;
}

/* Share of deals won within so many days of opening, losses competing. */
PG_FUNCTION_INFO_V1(cycle_win_incidence);
Datum
cycle_win_incidence(PG_FUNCTION_ARGS)
{
	int64		day = days_argument(fcinfo, 1, "day");
	LifeTable	table;

	if (!read_life_table(fcinfo, 0, 2, &table) || table.n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(incidence_until(&table, day));
}

/*
 * The chance that a deal still open at an age is won within so many days more:
 * (incidence(age + within) - incidence(age)) / survival(age).
 */
PG_FUNCTION_INFO_V1(cycle_win_chance);
Datum
cycle_win_chance(PG_FUNCTION_ARGS)
{
	int64		age = days_argument(fcinfo, 1, "age_days");
	int64		within = days_argument(fcinfo, 2, "within_days");
	LifeTable	table;
	const LifeDay *row;
	double		survival;

	if (!read_life_table(fcinfo, 0, 3, &table))
		PG_RETURN_NULL();

	/* nothing was ever observed at that age */
	if (table.n == 0 || table.days[table.n - 1].day < age)
		PG_RETURN_NULL();
	row = life_day(&table, age);
	survival = row == NULL ? 1 : row->survival;
	if (survival <= 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((incidence_until(&table, age + within) - incidence_until(&table, age)) /
					 survival);
}
