/*-------------------------------------------------------------------------
 *
 * period.c
 *	  period_summary: what was sold in each period, growth from one to the
 *	  next.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "subject.h"
#include "summary_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

SUMMARY_TYPE(period_layout, period_summary);

/* no term is longer than 200 years */
#define MAX_TERM_DAYS	(200 * 366)

/* decimals of a share of an amount, if the amount has no more: cents */
#define SHARE_SCALE		2

/* more periods than this are not listed: nobody meant that */
#define MAX_PERIODS		10000000

/* Adds a number to the amount of a period. */
static Summary *
add_amount(Summary *s, int64 period, Datum amount, int64 sign)
{
	DecimalNumeric number = decimal_numeric(amount);

	s = summary_add_point_numeric(&period_layout, s, period, 0, &number, (int) sign);
	if (number.kind == DECIMAL_FINITE)
		s = summary_add_point_scale(&period_layout, s, number.dscale, sign);
	return s;
}

/* Counts a row in a period, with its amount. */
static pg_attribute_always_inline Summary *
add_row(Summary *s, int64 period, NullableDatum amount, int64 sign)
{
	static const int64 no_amount[1];
	int64		counts[PERIOD_POINT_COUNTS] = {sign, amount.isnull ? sign : 0, 0};
	int64		mantissa;
	int			dscale;

	/* money of everyday size */
	if (likely(!amount.isnull && decimal_mantissa(amount.value, &mantissa, &dscale) &&
			   series_add_number(summary_series(&period_layout, s), period, PERIOD_ROWS, 0,
								 mantissa, dscale, sign)))
		return s;
	s = summary_add_point(&period_layout, s, period, counts, no_amount, 1);
	return amount.isnull ? s : add_amount(s, period, amount.value, sign);
}

/*
 * The part of an amount that falls to the first days of a term, rounded to
 * scale decimals; of all days it is the amount itself.
 */
static Datum
share_until(Datum amount, int64 days, int64 of_days, int scale)
{
	if (days == of_days)
		return amount;
	return DirectFunctionCall2(numeric_round,
							   DirectFunctionCall2(numeric_div,
												   DirectFunctionCall2(numeric_mul, amount,
																	   NumericGetDatum(int64_to_numeric(days))),
												   NumericGetDatum(int64_to_numeric(of_days))),
							   Int32GetDatum(scale));
}

/*
 * Adds a row with a term: it counts in the first period that it covers, and
 * its amount is spread over the days of the term, so that the parts add up to
 * it exactly.
 */
static Summary *
add_term(Summary *s, const Periods *periods, DateADT from, DateADT until, NullableDatum amount, int64 sign)
{
	static const int64 no_amount[1];
	int64		of_days = (int64) until - from + 1;
	int64		first = period_of_day(periods, from);
	int64		last = period_of_day(periods, until);
	Datum		before = Int64GetDatum(0);
	int			scale = 0;
	bool		finite = false;

	if (!amount.isnull)
	{
		DecimalNumeric number = decimal_numeric(amount.value);

		finite = number.kind == DECIMAL_FINITE;
		scale = Max(number.dscale, SHARE_SCALE);
		before = NumericGetDatum(int64_to_numeric(0));
	}
	for (int64 period = first; period <= last; period++)
	{
		int64		counts[PERIOD_POINT_COUNTS] = {
			period == first ? sign : 0,
			period == first && amount.isnull ? sign : 0,
			sign
		};

		CHECK_FOR_INTERRUPTS();
		s = summary_add_point(&period_layout, s, period, counts, no_amount, 1);
		if (finite)
		{
			int64		end = period == last ? until : (int64) period_start(periods, period + 1) - 1;
			Datum		so_far = share_until(amount.value, end - from + 1, of_days, scale);

			s = add_amount(s, period, DirectFunctionCall2(numeric_sub, so_far, before), sign);
			before = so_far;
		}
		else if (!amount.isnull)
			s = add_amount(s, period, amount.value, sign);
	}
	return s;
}

/*
 * The arguments: a day, an amount, perhaps the ends of a term, the grain, and
 * perhaps its periods' first days.
 */
static pg_attribute_always_inline Datum
period_row(FunctionCallInfo fcinfo, bool has_term, bool has_starts, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &period_layout);
	NullableDatum day = fcinfo->args[1];
	int			grain_argument = has_term ? 5 : 3;
	Grain		grain = (Grain) summary_option_argument(fcinfo, grain_argument, &grain_option);
	Periods		periods = has_starts ?
		period_starts_argument(fcinfo, grain_argument + 1, grain) : periods_of_grain(grain);

	summary_set_option(&period_layout, state, grain + 1);
	if (has_term && !(PG_ARGISNULL(3) && PG_ARGISNULL(4)))
	{
		DateADT		from = PG_GETARG_DATEADT(3);
		DateADT		until = PG_GETARG_DATEADT(4);

		if (!PG_ARGISNULL(3) && !PG_ARGISNULL(4) &&
			!DATE_NOT_FINITE(from) && !DATE_NOT_FINITE(until) &&
			until >= from && (int64) until - from < MAX_TERM_DAYS)
			return summary_end(fcinfo, &period_layout,
							   add_term(state, &periods, from, until, fcinfo->args[2], sign));
		summary_add_count(state, PERIOD_INVALID, sign);
	}
	if (unlikely(day.isnull || DATE_NOT_FINITE(DatumGetDateADT(day.value))))
		summary_add_count(state, PERIOD_UNDATED, sign);
	else
		state = add_row(state, period_of_day(&periods, DatumGetDateADT(day.value)),
						fcinfo->args[2], sign);
	return summary_end(fcinfo, &period_layout, state);
}

#define PERIOD_AGG(name, has_term, has_starts) \
	PG_FUNCTION_INFO_V1(name##_add); \
	Datum \
	name##_add(PG_FUNCTION_ARGS) \
	{ \
		return period_row(fcinfo, has_term, has_starts, 1); \
	} \
	PG_FUNCTION_INFO_V1(name##_remove); \
	Datum \
	name##_remove(PG_FUNCTION_ARGS) \
	{ \
		return period_row(fcinfo, has_term, has_starts, -1); \
	} \
	extern int	no_such_variable

PERIOD_AGG(period_agg, false, false);
PERIOD_AGG(period_agg_term, true, false);
PERIOD_AGG(period_agg_starts, false, true);
PERIOD_AGG(period_agg_term_starts, true, true);

SUMMARY_COUNT(period_undated_count, period_layout, PERIOD_UNDATED);
SUMMARY_COUNT(period_invalid_count, period_layout, PERIOD_INVALID);

PG_FUNCTION_INFO_V1(period_unpriced_count);
Datum
period_unpriced_count(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int64		unpriced = 0;

	if (!summary_read(fcinfo, 0, &period_layout, &view))
		PG_RETURN_NULL();
	for (int i = 0; i < view.series.n; i++)
	{
		if (pg_add_s64_overflow(unpriced, view.series.point[i].counts[PERIOD_UNPRICED], &unpriced))
			histogram_overflow();
	}
	PG_RETURN_INT64(unpriced);
}

/* The point of a period, or NULL if nothing was sold in it. */
static const SeriesPoint *
find_period(const SeriesPoints *periods, int64 period)
{
	int			low = 0;
	int			high = periods->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (periods->point[middle].key < period)
			low = middle + 1;
		else
			high = middle;
	}
	return low < periods->n && periods->point[low].key == period ? &periods->point[low] : NULL;
}

/* What was sold in a period; 0 in one without sales. */
static Datum
period_amount(const SeriesPoints *periods, int64 period)
{
	const SeriesPoint *point = find_period(periods, period);
	DecimalValue zero = {0};

	return NumericGetDatum(point != NULL ? series_sum_numeric(periods, point, 0) :
						   decimal_to_numeric(&zero, series_scale(periods)));
}

/* (current - prior) / prior, as the function growth_rate has it. */
static Datum
growth(Datum current, Datum prior, bool *isnull)
{
	DecimalNumeric from = decimal_numeric(prior);

	*isnull = !decimal_above_zero(&from);
	if (*isnull)
		return (Datum) 0;
	return DirectFunctionCall2(numeric_div,
							   DirectFunctionCall2(numeric_sub, current, prior), prior);
}

/* All periods from the first to the last, those without sales included. */
PG_FUNCTION_INFO_V1(period_values);
Datum
period_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	const SeriesPoints *periods = &view.series;
	Grain		grain;
	Periods		days;
	int64		first;
	int64		last;
	MemoryContext of_row;
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	if (!summary_read(fcinfo, 0, &period_layout, &view) || periods->n == 0)
		return (Datum) 0;
	grain = period_grain(&view);
	days = period_starts_argument(fcinfo, 1, grain);
	first = periods->point[0].key;
	last = periods->point[periods->n - 1].key;
	if (last - first >= MAX_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many periods from the first to the last: " INT64_FORMAT,
						last - first + 1),
				 errhint("Leave out rows with impossible days, or take a longer grain than \"%s\".",
						 grain_names[grain])));

	of_row = AllocSetContextCreate(CurrentMemoryContext, "period_values row",
								   ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(of_row);
	for (int64 period = first, i = 0; period <= last; period++)
	{
		int64		year_ago = grain_year_ago(grain, period);
		bool		sold = periods->point[i].key == period;
		Datum		values[7];
		bool		nulls[7] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = DateADTGetDatum(period_start(&days, period));
		values[1] = Int64GetDatum(sold ? periods->point[i].counts[PERIOD_ROWS] : 0);
		values[2] = period_amount(periods, period);
		nulls[3] = nulls[4] = period == first;
		if (period > first)
		{
			values[3] = period_amount(periods, period - 1);
			values[4] = growth(values[2], values[3], &nulls[4]);
		}
		nulls[5] = nulls[6] = year_ago < first;
		if (year_ago >= first)
		{
			values[5] = period_amount(periods, year_ago);
			values[6] = growth(values[2], values[5], &nulls[6]);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (sold)
			i++;
		MemoryContextReset(of_row);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* Growth of the period that holds a day over the one before. */
PG_FUNCTION_INFO_V1(period_growth_rate);
Datum
period_growth_rate(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(1);
	SummaryView view;
	const SeriesPoints *periods = &view.series;
	Periods		days;
	int64		period;
	Datum		rate;
	bool		isnull;

	if (DATE_NOT_FINITE(day) || !summary_read(fcinfo, 0, &period_layout, &view) ||
		periods->n == 0)
		PG_RETURN_NULL();
	days = period_starts_argument(fcinfo, 2, period_grain(&view));
	period = period_of_day(&days, day);

	/* of periods that the summary does not reach nothing is known */
	if (period - 1 < periods->point[0].key || period > periods->point[periods->n - 1].key)
		PG_RETURN_NULL();
	rate = growth(period_amount(periods, period), period_amount(periods, period - 1), &isnull);
	if (isnull)
		PG_RETURN_NULL();
	return rate;
}
