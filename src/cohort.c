/*-------------------------------------------------------------------------
 *
 * cohort.c
 *	  cohort_summary: which customers came back, and what they were worth.
 *
 * A customer is the period_summary of what he bought.  He is active in the
 * periods that a term of his covers, and in those in which he bought, unless
 * the net amount is 0 or less.  His cohort is that of his first active period.
 *
 * The summary is a series of cells: of each cohort, for each number of periods
 * since, how many customers were active, how many of those had been so in the
 * period before, and the amounts that revenue retention is made of.
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

enum
{
	INACTIVE,					/* customers without an active period */
	INVALID,					/* customers whose summary is not valid */
	NCOUNTS
};

enum
{
	ACTIVE,						/* customers active in the period */
	RETAINED,					/* of these, active in the one before too */
	NPOINT_COUNTS
};

enum
{
	AMOUNT,						/* of the cohort's customers, active or not */
	ACTIVE_AMOUNT,				/* of those active */
	CURRENT_AMOUNT,				/* of those active in the period before */
	KEPT_AMOUNT,				/* of those, at most what it was then */
	NSUMS
};

static const char *const count_names[NCOUNTS] = {"inactive", "invalid"};
static const char *const point_count_names[NPOINT_COUNTS] = {"active", "retained"};
static const char *const sum_names[NSUMS] = {"amount", "active_amount", "current_amount", "kept_amount"};

static const SeriesField cell_series = {
	.name = "cells",
	.pair = true,				/* cohort, periods since */
	.ncounts = NPOINT_COUNTS,
	.nsums = NSUMS,
	.counts = point_count_names,
	.sums = sum_names
};

static bool
cohort_consistent(const SummaryView *view)
{
	for (int i = 0; i < view->series.n; i++)
	{
		const SeriesPoint *cell = &view->series.point[i];
		int64		cohort = pair_first(cell->key);
		int64		since = pair_second(cell->key);

		if (since < 0 || !grain_has_period(period_grain(view), cohort) ||
			!grain_has_period(period_grain(view), cohort + since) ||
			cell->counts[RETAINED] > cell->counts[ACTIVE])
			return false;
	}
	return true;
}

static const SummaryLayout cohort_layout = {
	.type_name = "cohort_summary",
	.type_id = 6,
	.ncounts = NCOUNTS,
	.counts = count_names,
	.series = &cell_series,
	.option = &grain_option,
	.consistent = cohort_consistent
};

SUMMARY_TYPE(cohort_layout, cohort_summary);

/* more rows than this are not listed: nobody meant that */
#define MAX_ROWS	10000000

/* Adds a number to a sum of a cell, whatever its size. */
static Summary *
add_number(Summary *s, int64 cell, int sum, Numeric amount, int sign)
{
	DecimalNumeric number = decimal_numeric(NumericGetDatum(amount));

	return summary_add_point_numeric(&cohort_layout, s, cell, sum, &number, sign);
}

/* Is the amount of a period (-1) below, (0) equal to or (1) above 0?  NaN is above all. */
static int
amount_sign(const SeriesPoint *period)
{
	if (period->large == NULL)
		return (period->sums[0] > 0) - (period->sums[0] < 0);
	switch (series_sum_kind(period, 0))
	{
		case DECIMAL_MINUS_INF:
			return -1;
		case DECIMAL_FINITE:
			return period->large[0].finite.ndigits == 0 ? 0 :
				period->large[0].finite.negative ? -1 : 1;
		default:
			return 1;
	}
}

/*
 * Is a customer active in a period?  A purchase whose amount nobody recorded
 * was one all the same.
 */
static bool
is_active(const SeriesPoint *period)
{
	int			sign = amount_sign(period);

	return period->counts[PERIOD_COVERED] > 0 || sign > 0 ||
		(sign == 0 && period->counts[PERIOD_UNPRICED] > 0);
}

/* Adds the amounts of a period where some number is large. */
static Summary *
add_large(Summary *s, int64 cell, const SeriesPoints *periods, const SeriesPoint *before,
		  const SeriesPoint *period, bool active, int sign)
{
	Numeric		amount = period != NULL ? series_sum_numeric(periods, period, 0) :
		int64_to_numeric(0);

	s = add_number(s, cell, AMOUNT, amount, sign);
	if (active)
		s = add_number(s, cell, ACTIVE_AMOUNT, amount, sign);
	if (before != NULL)
	{
		Numeric		prior = series_sum_numeric(periods, before, 0);
		bool		less = DatumGetInt32(DirectFunctionCall2(numeric_cmp,
															 NumericGetDatum(amount),
															 NumericGetDatum(prior))) < 0;

		s = add_number(s, cell, CURRENT_AMOUNT, amount, sign);
		s = add_number(s, cell, KEPT_AMOUNT, less ? amount : prior, sign);
	}
	return s;
}

/*
 * Adds what a customer did in a period (NULL: nothing at all), given the
 * period before if he was active then.
 */
static Summary *
add_cell(Summary *s, int64 cell, const SeriesPoints *periods, const SeriesPoint *before,
		 const SeriesPoint *period, bool active, int sign)
{
	int64		counts[NPOINT_COUNTS] = {active, active && before != NULL};
	int64		sums[NSUMS] = {0};

	if (likely((period == NULL || period->large == NULL) &&
			   (before == NULL || before->large == NULL)))
	{
		sums[AMOUNT] = period != NULL ? period->sums[0] : 0;
		if (active)
			sums[ACTIVE_AMOUNT] = sums[AMOUNT];
		if (before != NULL)
		{
			sums[CURRENT_AMOUNT] = sums[AMOUNT];
			sums[KEPT_AMOUNT] = Min(sums[AMOUNT], before->sums[0]);
		}
		return summary_add_point(&cohort_layout, s, cell, counts, sums, sign);
	}
	s = summary_add_point(&cohort_layout, s, cell, counts, sums, sign);
	return add_large(s, cell, periods, before, period, active, sign);
}

/* Adds (sign 1) or takes away (sign -1) a customer. */
static Summary *
add_customer(Summary *s, const SummaryView *customer, int sign)
{
	const SeriesPoints *periods = &customer->series;
	const SeriesPoint *before = NULL;	/* the last period, if active */
	int64		cohort = -1;
	bool		begun = false;

	for (int i = 0; i < periods->n; i++)
	{
		const SeriesPoint *period = &periods->point[i];
		bool		active = is_active(period);

		if (!begun && !active)
			continue;
		if (!begun)
			cohort = period->key;
		begun = true;

		/* a period without purchases follows an active one */
		if (before != NULL && before->key + 1 != period->key)
		{
			if (amount_sign(before) < 0)
				s = add_cell(s, pair_key((int32) cohort, (int32) (before->key + 1 - cohort)),
							 periods, before, NULL, false, sign);
			before = NULL;
		}
		s = add_cell(s, pair_key((int32) cohort, (int32) (period->key - cohort)), periods,
					 before, period, active, sign);
		before = active ? period : NULL;
	}
	if (!begun)
	{
		summary_add_count(s, INACTIVE, sign);
		return s;
	}
	if (before != NULL && amount_sign(before) < 0)
		s = add_cell(s, pair_key((int32) cohort, (int32) (before->key + 1 - cohort)), periods,
					 before, NULL, false, sign);
	for (int i = 0; i < periods->scales.n; i++)
		s = summary_add_point_scale(&cohort_layout, s, periods->scales.bin[i].key, sign);
	return s;
}

static Datum
cohort_row(FunctionCallInfo fcinfo, int sign)
{
	Summary    *state = summary_begin(fcinfo, &cohort_layout);
	SummaryView customer;

	if (PG_ARGISNULL(1))
		return summary_end(fcinfo, &cohort_layout, state);
	if (!summary_read(fcinfo, 1, &period_layout, &customer))
		summary_add_count(state, INVALID, sign);
	else if (customer.option == 0)
		summary_add_count(state, INACTIVE, sign);
	else
	{
		summary_set_option(&cohort_layout, state, customer.option);
		state = add_customer(state, &customer, sign);
	}
	return summary_end(fcinfo, &cohort_layout, state);
}

PG_FUNCTION_INFO_V1(cohort_agg_add);
Datum
cohort_agg_add(PG_FUNCTION_ARGS)
{
	return cohort_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(cohort_agg_remove);
Datum
cohort_agg_remove(PG_FUNCTION_ARGS)
{
	return cohort_row(fcinfo, -1);
}

/* ---------- accessors ---------- */

SUMMARY_COUNT(cohort_invalid_count, cohort_layout, INVALID);
SUMMARY_COUNT(cohort_inactive_count, cohort_layout, INACTIVE);

/* Customers who have ever been active: those of all cohorts' first periods. */
PG_FUNCTION_INFO_V1(cohort_customer_count);
Datum
cohort_customer_count(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int64		customers = 0;

	if (!summary_read(fcinfo, 0, &cohort_layout, &view))
		PG_RETURN_NULL();
	for (int i = 0; i < view.series.n; i++)
	{
		const SeriesPoint *cell = &view.series.point[i];

		if (pair_second(cell->key) == 0 &&
			pg_add_s64_overflow(customers, cell->counts[ACTIVE], &customers))
			histogram_overflow();
	}
	PG_RETURN_INT64(customers);
}

/*
 * The cells of all cohorts added up by period.  It is a summary like others,
 * but of no SQL type.
 */
enum
{
	BY_PERIOD_ACTIVE,
	BY_PERIOD_RETAINED,
	BY_PERIOD_NEW,
	BY_PERIOD_COUNTS
};

static const SeriesField by_period_series = {
	.ncounts = BY_PERIOD_COUNTS,
	.nsums = NSUMS
};

static const SummaryLayout by_period_layout = {
	.type_name = "cohort_summary",
	.series = &by_period_series
};

static SeriesPoints
cells_by_period(const SummaryView *view)
{
	Summary    *s = summary_new(&by_period_layout);
	SeriesPoints periods;

	for (int i = 0; i < view->series.n; i++)
	{
		const SeriesPoint *cell = &view->series.point[i];
		int64		since = pair_second(cell->key);
		int64		period = pair_first(cell->key) + since;
		int64		counts[BY_PERIOD_COUNTS] = {
			cell->counts[ACTIVE],
			cell->counts[RETAINED],
			since == 0 ? cell->counts[ACTIVE] : 0
		};

		s = summary_add_point_sums(&by_period_layout, s, period, counts, cell, 1);
	}
	for (int i = 0; i < view->series.scales.n; i++)
		s = summary_add_point_scale(&by_period_layout, s, view->series.scales.bin[i].key,
									view->series.scales.bin[i].count);
	series_read(summary_series(&by_period_layout, s), &periods);
	return periods;
}

/*
 * The last period that is spoken of: that of last_day where it is given, else
 * the last that has data.
 */
static int64
last_period(FunctionCallInfo fcinfo, const Periods *periods, int64 last_with_data)
{
	DateADT		last_day;

	if (PG_NARGS() < 2)
		return last_with_data;
	last_day = PG_GETARG_DATEADT(1);
	if (DATE_NOT_FINITE(last_day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("last_day must be a finite date")));
	return period_of_day(periods, last_day);
}

static void
check_row_count(double rows)
{
	if (rows > MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many periods from the first to the last: %.0f rows", rows),
				 errhint("Leave out rows with impossible days, or take a longer grain.")));
}

/* part / whole as float8; false where there is no whole. */
static bool
count_ratio(int64 part, int64 whole, Datum *ratio)
{
	if (whole <= 0)
		return false;
	*ratio = Float8GetDatum((double) part / (double) whole);
	return true;
}

static bool
amount_ratio(Datum part, Datum whole, Datum *ratio)
{
	DecimalNumeric number = decimal_numeric(whole);

	if (!decimal_above_zero(&number))
		return false;
	*ratio = DirectFunctionCall1(numeric_float8_no_overflow,
								 DirectFunctionCall2(numeric_div, part, whole));
	return true;
}

/* One row of retention_values. */
static void
retention_row(DateADT start, const SeriesPoints *periods, const SeriesPoint *before,
			  const SeriesPoint *now, Datum *values, bool *nulls)
{
	DecimalValue none = {0};
	Datum		nothing = NumericGetDatum(decimal_to_numeric(&none, series_scale(periods)));
	int64		starting = before != NULL ? before->counts[BY_PERIOD_ACTIVE] : 0;
	int64		active = now != NULL ? now->counts[BY_PERIOD_ACTIVE] : 0;
	int64		retained = now != NULL ? now->counts[BY_PERIOD_RETAINED] : 0;
	int64		new = now != NULL ? now->counts[BY_PERIOD_NEW] : 0;

	memset(nulls, 0, 12 * sizeof(bool));
	values[0] = DateADTGetDatum(start);
	values[1] = Int64GetDatum(starting);
	values[2] = Int64GetDatum(retained);
	values[3] = Int64GetDatum(starting - retained);
	values[4] = Int64GetDatum(new);
	values[5] = Int64GetDatum(active - retained - new);
	nulls[6] = !count_ratio(retained, starting, &values[6]);
	values[9] = before == NULL ? nothing :
		NumericGetDatum(series_sum_numeric(periods, before, ACTIVE_AMOUNT));
	values[10] = now == NULL ? nothing :
		NumericGetDatum(series_sum_numeric(periods, now, KEPT_AMOUNT));
	values[11] = now == NULL ? nothing :
		NumericGetDatum(series_sum_numeric(periods, now, CURRENT_AMOUNT));
	nulls[7] = !amount_ratio(values[10], values[9], &values[7]);
	nulls[8] = !amount_ratio(values[11], values[9], &values[8]);
}

/* Retention from each period to the next. */
PG_FUNCTION_INFO_V1(cohort_retention_values);
Datum
cohort_retention_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	Periods		days;
	SeriesPoints periods;
	const SeriesPoint *before = NULL;
	int64		first;
	int64		last;
	int			next = 0;
	MemoryContext of_row;
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	if (!summary_read(fcinfo, 0, &cohort_layout, &view))
		return (Datum) 0;
	periods = cells_by_period(&view);
	if (periods.n == 0)
		return (Datum) 0;
	days = period_starts_argument(fcinfo, 2, period_grain(&view));
	first = periods.point[0].key;
	last = last_period(fcinfo, &days, periods.point[periods.n - 1].key);
	check_row_count((double) last - first + 1);

	of_row = AllocSetContextCreate(CurrentMemoryContext, "retention_values row",
								   ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(of_row);
	for (int64 period = first; period <= last; period++)
	{
		const SeriesPoint *now = NULL;
		Datum		values[12];
		bool		nulls[12];

		CHECK_FOR_INTERRUPTS();
		if (next < periods.n && periods.point[next].key == period)
			now = &periods.point[next++];
		retention_row(period_start(&days, period), &periods, before, now, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		before = now;
		MemoryContextReset(of_row);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* Customers of the period before who are active again, as a share of them. */
PG_FUNCTION_INFO_V1(cohort_period_retention_rate);
Datum
cohort_period_retention_rate(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(1);
	SummaryView view;
	Periods		days;
	int64		period;
	int64		starting = 0;
	int64		retained = 0;
	Datum		rate;

	if (DATE_NOT_FINITE(day) || !summary_read(fcinfo, 0, &cohort_layout, &view) ||
		view.option == 0)
		PG_RETURN_NULL();
	days = period_starts_argument(fcinfo, 2, period_grain(&view));
	period = period_of_day(&days, day);
	for (int i = 0; i < view.series.n; i++)
	{
		const SeriesPoint *cell = &view.series.point[i];
		int64		of_period = (int64) pair_first(cell->key) + pair_second(cell->key);

		if ((of_period == period - 1 &&
			 pg_add_s64_overflow(starting, cell->counts[ACTIVE], &starting)) ||
			(of_period == period &&
			 pg_add_s64_overflow(retained, cell->counts[RETAINED], &retained)))
			histogram_overflow();
	}
	if (!count_ratio(retained, starting, &rate))
		PG_RETURN_NULL();
	return rate;
}

/*
 * The cohort matrix: each cohort, for each number of periods since; cells that
 * lie after the last period, or in one that is not over by last_day, are NULL.
 */
PG_FUNCTION_INFO_V1(cohort_values);
Datum
cohort_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	const SeriesPoints *cells = &view.series;
	Periods		days;
	int64		first;
	int64		last = PG_INT64_MIN;
	int64		over;			/* the last period that is over */
	int64		ncohorts = 0;
	MemoryContext of_row;
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	if (!summary_read(fcinfo, 0, &cohort_layout, &view) || cells->n == 0)
		return (Datum) 0;
	days = period_starts_argument(fcinfo, 2, period_grain(&view));
	first = pair_first(cells->point[0].key);
	for (int i = 0; i < cells->n; i++)
	{
		ncohorts += pair_second(cells->point[i].key) == 0;
		last = Max(last, (int64) pair_first(cells->point[i].key) +
				   pair_second(cells->point[i].key));
	}
	over = last = last_period(fcinfo, &days, last);
	if (PG_NARGS() > 1 && period_start(&days, last + 1) - 1 > PG_GETARG_DATEADT(1))
		over--;
	check_row_count((double) ncohorts * Max((double) last - first + 1, 0));

	of_row = AllocSetContextCreate(CurrentMemoryContext, "cohort_values row",
								   ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(of_row);
	for (int i = 0; i < cells->n;)
	{
		int64		cohort = pair_first(cells->point[i].key);
		int64		customers = pair_second(cells->point[i].key) == 0 ?
			cells->point[i].counts[ACTIVE] : 0;

		for (int64 since = 0; since <= last - first && cohort <= last; since++)
		{
			const SeriesPoint *cell = NULL;
			DecimalValue none = {0};
			int64		active = 0;
			Datum		values[7];
			bool		nulls[7] = {false};
			bool		is_complete = cohort + since <= over;

			CHECK_FOR_INTERRUPTS();
			if (i < cells->n && cells->point[i].key == pair_key((int32) cohort, (int32) since))
				cell = &cells->point[i++];
			if (cell != NULL)
				active = cell->counts[ACTIVE];
			values[0] = DateADTGetDatum(period_start(&days, cohort));
			values[1] = Int32GetDatum((int32) since);
			values[2] = Int64GetDatum(customers);
			values[3] = Int64GetDatum(active);
			nulls[4] = !count_ratio(active, customers, &values[4]);
			values[5] = NumericGetDatum(cell != NULL ? series_sum_numeric(cells, cell, AMOUNT) :
										decimal_to_numeric(&none, series_scale(cells)));
			values[6] = BoolGetDatum(is_complete);
			if (!is_complete)
				nulls[3] = nulls[4] = nulls[5] = true;
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			MemoryContextReset(of_row);
		}

		/* cells after the last period spoken of */
		while (i < cells->n && pair_first(cells->point[i].key) == cohort)
			i++;
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}
