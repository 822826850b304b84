/*-------------------------------------------------------------------------
 *
 * closing.c
 *	  closing_summary: what was won and lost in each period, and how long it
 *	  took.
 *
 * It is to deals what period_summary is to sales.  There are no quantiles in
 * it: a deal_summary of each period has them, for several times the time and
 * room.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "outcome.h"
#include "subject.h"
#include "summary_type.h"
#include "total.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

enum
{
	OPEN,						/* rows of open deals, which closed in no period */
	UNDATED,					/* others without a finite day of closing */
	NCOUNTS
};

enum
{
	WON,
	LOST,
	UNPRICED,					/* of those won, deals without an amount */
	CYCLES,						/* of those won, deals with usable days */
	NPOINT_COUNTS
};

enum
{
	WON_AMOUNT,
	LOST_AMOUNT,
	CYCLE_DAYS,
	NSUMS
};

/* Counts and amounts stand in the order of the outcomes. */
StaticAssertDecl((int) WON == OUTCOME_WON && (int) LOST == OUTCOME_LOST, "counts follow outcomes");
StaticAssertDecl((int) WON_AMOUNT == OUTCOME_WON && (int) LOST_AMOUNT == OUTCOME_LOST,
				 "amounts follow outcomes");

static const char *const count_names[NCOUNTS] = {"open", "undated"};
static const char *const point_count_names[NPOINT_COUNTS] = {"won", "lost", "unpriced", "cycles"};
static const char *const sum_names[NSUMS] = {"won_amount", "lost_amount", "cycle_days"};

static const SeriesField period_series = {
	.name = "periods",
	.ncounts = NPOINT_COUNTS,
	.nsums = NSUMS,
	.counts = point_count_names,
	.sums = sum_names
};

/* a day, in the units of a sum */
#define DAY		INT64CONST(10000)

/* no cycle takes longer than from the first day of type date to its last */
#define MAX_CYCLE_DAYS	((int64) DATE_END_JULIAN - 1 - DATETIME_MIN_JULIAN)

/*
 * The days of a period's cycles.  False where so many cycles cannot have taken
 * them, as may be in a difference or in a text, or where no int64 holds them.
 */
static bool
cycle_days(const SeriesPoint *point, int64 *days)
{
	DecimalValue value = series_sum_value(point, CYCLE_DAYS);
	int128		number;

	if (series_sum_kind(point, CYCLE_DAYS) != DECIMAL_FINITE ||
		!decimal_to_int128(&value, 0, &number) ||
		number < 0 || number > (int128) point->counts[CYCLES] * MAX_CYCLE_DAYS ||
		number > PG_INT64_MAX)
		return false;
	*days = (int64) number;
	return true;
}

static bool
closing_consistent(const SummaryView *view)
{
	const SeriesPoints *periods = &view->series;

	for (int i = 0; i < periods->n; i++)
	{
		const SeriesPoint *point = &periods->point[i];
		int64		days;

		if (point->counts[UNPRICED] > point->counts[WON] ||
			point->counts[CYCLES] > point->counts[WON] || !cycle_days(point, &days))
			return false;
	}
	return series_periods_exist(view);
}

static const SummaryLayout closing_layout = {
	.type_name = "closing_summary",
	.type_id = 11,
	.ncounts = NCOUNTS,
	.counts = count_names,
	.series = &period_series,
	.option = &grain_option,
	.consistent = closing_consistent
};

SUMMARY_TYPE(closing_layout, closing_summary);

/* Counts a closed deal in a period, with its amount. */
static pg_attribute_always_inline Summary *
add_outcome(Summary *s, int64 period, Outcome outcome, NullableDatum amount, int64 sign)
{
	static const int64 no_sums[NSUMS];
	int64		counts[NPOINT_COUNTS] = {0};
	DecimalNumeric number;
	int64		mantissa;
	int			dscale;

	/* money of everyday size */
	if (likely(!amount.isnull && decimal_mantissa(amount.value, &mantissa, &dscale) &&
			   series_add_number(summary_series(&closing_layout, s), period, outcome, outcome,
								 mantissa, dscale, sign)))
		return s;

	counts[outcome] = sign;
	counts[UNPRICED] = amount.isnull && outcome == OUTCOME_WON ? sign : 0;
	s = summary_add_point(&closing_layout, s, period, counts, no_sums, 1);
	if (amount.isnull)
		return s;
	number = decimal_numeric(amount.value);
	s = summary_add_point_numeric(&closing_layout, s, period, outcome, &number, (int) sign);
	if (number.kind == DECIMAL_FINITE)
		s = summary_add_point_scale(&closing_layout, s, number.dscale, sign);
	return s;
}

/* Counts a cycle in a period, with its days. */
static pg_attribute_always_inline Summary *
add_cycle(Summary *s, int64 period, int64 days, int64 sign)
{
	int64		counts[NPOINT_COUNTS] = {[CYCLES] = sign};
	int64		sums[NSUMS] = {[CYCLE_DAYS] = days * DAY * sign};

	if (likely(series_add_row(summary_series(&closing_layout, s), period, CYCLES, CYCLE_DAYS,
							  days * DAY, sign)))
		return s;
	return summary_add_point(&closing_layout, s, period, counts, sums, 1);
}

/*
 * The arguments: the day of closing, the outcome, an amount, the day of
 * opening, the grain, and perhaps its periods' first days.
 */
static pg_attribute_always_inline Datum
closing_row(FunctionCallInfo fcinfo, bool has_starts, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &closing_layout);
	NullableDatum closed = fcinfo->args[1];
	Outcome		outcome = PG_ARGISNULL(2) ? OUTCOME_OPEN : outcome_read(PG_GETARG_DATUM(2));
	Grain		grain = (Grain) summary_option_argument(fcinfo, 5, &grain_option);
	Periods		periods = has_starts ? period_starts_argument(fcinfo, 6, grain) : periods_of_grain(grain);
	int64		days;

	summary_set_option(&closing_layout, state, grain + 1);
	if (outcome == OUTCOME_OPEN)
		summary_add_count(state, OPEN, sign);
	else if (unlikely(closed.isnull || DATE_NOT_FINITE(DatumGetDateADT(closed.value))))
		summary_add_count(state, UNDATED, sign);
	else
	{
		int64		period = period_of_day(&periods, DatumGetDateADT(closed.value));

		state = add_outcome(state, period, outcome, fcinfo->args[3], sign);
		if (outcome == OUTCOME_WON &&
			deal_dates(outcome, fcinfo->args[4], closed, &days) == DATES_USABLE)
			state = add_cycle(state, period, days, sign);
	}
	return summary_end(fcinfo, &closing_layout, state);
}

#define CLOSING_AGG(name, has_starts) \
	PG_FUNCTION_INFO_V1(name##_add); \
	Datum \
	name##_add(PG_FUNCTION_ARGS) \
	{ \
		return closing_row(fcinfo, has_starts, 1); \
	} \
	PG_FUNCTION_INFO_V1(name##_remove); \
	Datum \
	name##_remove(PG_FUNCTION_ARGS) \
	{ \
		return closing_row(fcinfo, has_starts, -1); \
	} \
	extern int	no_such_variable

CLOSING_AGG(closing_agg, false);
CLOSING_AGG(closing_agg_starts, true);

SUMMARY_COUNT(closing_open_count, closing_layout, OPEN);
SUMMARY_COUNT(closing_undated_count, closing_layout, UNDATED);

/* The periods in which deals closed. */
PG_FUNCTION_INFO_V1(closing_values);
Datum
closing_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	const SeriesPoints *series = &view.series;
	Periods		periods;
	MemoryContext of_row;
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || !summary_read(fcinfo, 0, &closing_layout, &view) || series->n == 0)
		return (Datum) 0;
	periods = period_starts_argument(fcinfo, 1, period_grain(&view));

	of_row = AllocSetContextCreate(CurrentMemoryContext, "closing_values row",
								   ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(of_row);
	for (int i = 0; i < series->n; i++)
	{
		const SeriesPoint *point = &series->point[i];
		Datum		values[1 + NPOINT_COUNTS + NSUMS];
		bool		nulls[lengthof(values)] = {false};
		int64		days = 0;
		int			n = 0;

		CHECK_FOR_INTERRUPTS();
		(void) cycle_days(point, &days);	/* the summary is valid */
		values[n++] = DateADTGetDatum(period_start(&periods, point->key));
		for (int count = 0; count < NPOINT_COUNTS; count++)
			values[n++] = Int64GetDatum(point->counts[count]);
		values[n++] = Int64GetDatum(days);
		values[n++] = NumericGetDatum(series_sum_numeric(series, point, WON_AMOUNT));
		values[n++] = NumericGetDatum(series_sum_numeric(series, point, LOST_AMOUNT));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextReset(of_row);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* ---------- windows of days, which may overlap ---------- */

/* A period, read once for all windows it is in. */
typedef struct WindowPeriod
{
	DateADT		start;
	const SeriesPoint *point;
	int64		days;
	Numeric		amount[2];		/* won and lost */
} WindowPeriod;

static WindowPeriod *
read_periods(const SummaryView *view, const Periods *periods)
{
	const SeriesPoints *series = &view->series;
	WindowPeriod *period = palloc_extended(series->n * sizeof(WindowPeriod), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < series->n; i++)
	{
		const SeriesPoint *point = &series->point[i];

		period[i].start = period_start(periods, point->key);
		period[i].point = point;
		(void) cycle_days(point, &period[i].days);	/* the summary is valid */
		for (int j = WON_AMOUNT; j <= LOST_AMOUNT; j++)
			period[i].amount[j] = series_sum_numeric(series, point, j);
	}
	return period;
}

static void
window_add_amount(Total *total, Numeric amount)
{
	int64		mantissa;
	int			scale;

	if (likely(decimal_mantissa(NumericGetDatum(amount), &mantissa, &scale)))
		total_add(total, CurrentMemoryContext, mantissa, DECIMAL_SUM_POWER, scale);
	else
		total_add_rest(total, CurrentMemoryContext, amount);
}

/* How many periods start before a day. */
static int
periods_before(const WindowPeriod *period, int n, DateADT day)
{
	int			low = 0;

	while (low < n)
	{
		int			middle = low + (n - low) / 2;

		if (period[middle].start < day)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/* What closed in the periods that start from one day on and before another, for each pair of days. */
PG_FUNCTION_INFO_V1(closing_window_values);
Datum
closing_window_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	WindowPeriod *period = NULL;
	int			nperiods = 0;
	const DateADT *first_days;
	const DateADT *end_days;
	int			nwindows = days_argument(fcinfo, 1, "first_days", &first_days);
	int			nends = days_argument(fcinfo, 2, "end_days", &end_days);
	MemoryContext of_row;
	MemoryContext caller;

	if (nwindows != nends)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there are %d first_days and %d end_days", nwindows, nends)));
	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(0) && summary_read(fcinfo, 0, &closing_layout, &view) && view.series.n > 0)
	{
		Periods		periods = period_starts_argument(fcinfo, 3, period_grain(&view));

		period = read_periods(&view, &periods);
		nperiods = view.series.n;
	}

	of_row = AllocSetContextCreate(CurrentMemoryContext, "closing_window_values row",
								   ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(of_row);
	for (int i = 0; i < nwindows; i++)
	{
		Datum		values[1 + NPOINT_COUNTS + NSUMS];
		bool		nulls[lengthof(values)] = {false};
		int64		counts[NPOINT_COUNTS] = {0};
		int64		days = 0;
		Total		total[2] = {0};
		int			n = 0;

		CHECK_FOR_INTERRUPTS();
		for (int j = periods_before(period, nperiods, first_days[i]); j < nperiods && period[j].start < end_days[i]; j++)
		{
			for (int count = 0; count < NPOINT_COUNTS; count++)
				counts[count] += period[j].point->counts[count];
			if (pg_add_s64_overflow(days, period[j].days, &days))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("bigint out of range")));
			for (int sum = WON_AMOUNT; sum <= LOST_AMOUNT; sum++)
				window_add_amount(&total[sum], period[j].amount[sum]);
		}
		values[n++] = Int32GetDatum(i + 1);
		for (int count = 0; count < NPOINT_COUNTS; count++)
			values[n++] = Int64GetDatum(counts[count]);
		values[n++] = Int64GetDatum(days);
		for (int sum = WON_AMOUNT; sum <= LOST_AMOUNT; sum++)
			values[n++] = NumericGetDatum(total_numeric(&total[sum], DECIMAL_SUM_POWER));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextReset(of_row);
	}
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}
