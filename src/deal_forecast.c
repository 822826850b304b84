/*-------------------------------------------------------------------------
 *
 * deal_forecast.c
 *	  What a mart's forecast asks of C: the clocks of the stages, how often deals
 *	  come that are not open yet, and what all that comes to for reps and teams.
 *
 * Arguments are arrays of one length for the columns of one table.  Stages,
 * reps, segments, periods and groups are numbered from 1 on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "deal_sum.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stage_clock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/tuplestore.h"

typedef struct IntArray
{
	const int32 *values;
	int			n;
} IntArray;

typedef struct FloatArray
{
	const double *values;
	int			n;
} FloatArray;

static int
check_array(ArrayType *array, int argument)
{
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument %d must be a one-dimensional array without nulls", argument + 1)));
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

/* An argument of integers or dates. */
static IntArray
int_array(FunctionCallInfo fcinfo, int argument)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	IntArray	result;

	Assert(ARR_ELEMTYPE(array) == INT4OID || ARR_ELEMTYPE(array) == DATEOID);
	result.n = check_array(array, argument);
	result.values = (const int32 *) ARR_DATA_PTR(array);
	return result;
}

static FloatArray
float_array(FunctionCallInfo fcinfo, int argument)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	FloatArray	result;

	Assert(ARR_ELEMTYPE(array) == FLOAT8OID);
	result.n = check_array(array, argument);
	result.values = (const double *) ARR_DATA_PTR(array);
	return result;
}

static void
check_length(int n, int wanted, int argument)
{
	if (n != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument %d has %d elements, not %d", argument + 1, n, wanted)));
}

static void
check_numbers(IntArray array, int low, int high, int argument)
{
	for (int i = 0; i < array.n; i++)
	{
		if (array.values[i] < low || array.values[i] > high)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("element %d of argument %d is %d, not between %d and %d",
							i + 1, argument + 1, array.values[i], low, high)));
	}
}

static int32
count_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		count = PG_GETARG_INT32(argument);

	if (count < 0 || count > 10000000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument %d is %d, not between 0 and 10000000", argument + 1, count)));
	return count;
}

/* ---------- the clocks ---------- */

/* up to so many days ahead chances are corrected by what replays have shown */
#define CORRECTED_DAYS	92.0

/* The last digits depend on the order in which rows came. */
static double
rounded(double value)
{
	return rint(value * 1e9) / 1e9;
}

static void
put_item(ReturnSetInfo *result, const char *item, int no, const double *values, int n)
{
	Datum	   *elements = palloc_extended(Max(n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	Datum		row[3];
	bool		nulls[3] = {false};

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(rounded(values[i]));
	row[0] = CStringGetTextDatum(item);
	row[1] = Int32GetDatum(no);
	row[2] = PointerGetDatum(construct_array(elements, n, FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	pfree(elements);
}

/* Visits and months from the arguments, of which the first few are everything's. */
enum
{
	FIT_AS_OF,
	FIT_HISTORY_FROM,
	FIT_STAGES,
	FIT_REPS,
	FIT_SEGMENTS,
	FIT_MONTH_STARTS,
	FIT_MONTH_PLACES,
	FIT_STAGE,
	FIT_ENTERED,
	FIT_LEFT,
	FIT_END,
	FIT_REP,
	FIT_SEGMENT,
	FIT_WON,
	FIT_UNTIL,
	FIT_REPLAY
};

static ClockData
clock_data(FunctionCallInfo fcinfo)
{
	ClockData	data;
	IntArray	starts = int_array(fcinfo, FIT_MONTH_STARTS);
	IntArray	places = int_array(fcinfo, FIT_MONTH_PLACES);
	IntArray	columns[FIT_WON - FIT_STAGE + 1];
	Visit	   *visits;
	int			n;

	data.as_of = PG_GETARG_DATEADT(FIT_AS_OF);
	data.history_from = PG_GETARG_DATEADT(FIT_HISTORY_FROM);
	data.nstages = count_argument(fcinfo, FIT_STAGES);
	data.nreps = count_argument(fcinfo, FIT_REPS);
	data.nsegments = count_argument(fcinfo, FIT_SEGMENTS);
	if (data.nstages > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than 1000 stages")));

	if (starts.n < 2)
		check_length(starts.n, 2, FIT_MONTH_STARTS);
	check_length(places.n, starts.n - 1, FIT_MONTH_PLACES);
	check_numbers(places, 1, MONTH_PLACES, FIT_MONTH_PLACES);
	for (int i = 1; i < starts.n; i++)
	{
		if (starts.values[i] <= starts.values[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("months do not follow each other")));
	}
	data.month_starts = starts.values;
	data.nmonths = places.n;
	data.month_places = palloc(places.n * sizeof(int32));
	for (int i = 0; i < places.n; i++)
		((int32 *) data.month_places)[i] = places.values[i] - 1;

	for (int i = FIT_STAGE; i <= FIT_WON; i++)
	{
		columns[i - FIT_STAGE] = int_array(fcinfo, i);
		check_length(columns[i - FIT_STAGE].n, columns[0].n, i);
	}
	n = columns[0].n;
	check_numbers(columns[0], 1, data.nstages, FIT_STAGE);
	check_numbers(columns[FIT_END - FIT_STAGE], VISIT_LOST + 1, data.nstages, FIT_END);
	check_numbers(columns[FIT_REP - FIT_STAGE], 1, data.nreps, FIT_REP);
	check_numbers(columns[FIT_SEGMENT - FIT_STAGE], 1, data.nsegments, FIT_SEGMENT);

	visits = palloc_extended(Max(n, 1) * sizeof(Visit), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		Visit	   *visit = &visits[i];

		visit->stage = columns[0].values[i] - 1;
		visit->entered = columns[FIT_ENTERED - FIT_STAGE].values[i];
		visit->left = columns[FIT_LEFT - FIT_STAGE].values[i];
		/* 0 goes on, -1 won, -2 lost */
		visit->end = columns[FIT_END - FIT_STAGE].values[i] - 1;
		visit->rep = columns[FIT_REP - FIT_STAGE].values[i] - 1;
		visit->segment = columns[FIT_SEGMENT - FIT_STAGE].values[i] - 1;
		visit->won = columns[FIT_WON - FIT_STAGE].values[i];
		if (visit->entered > visit->left || visit->left > data.as_of ||
			visit->left - visit->entered > 100000 || DATE_NOT_FINITE(visit->entered))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("visit %d does not begin before it ends, or ends after the last day known", i + 1)));
	}
	data.visits = visits;
	data.nvisits = n;
	return data;
}

/*
 * The clocks of the stages and what follows from them, an item a row:
 * chance (of a stage: by horizon and age), stage, rep, segment, month, spread.
 */
PG_FUNCTION_INFO_V1(stage_clock);
Datum
stage_clock(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ClockData	data;
	IntArray	until;
	StageClock *clock;
	ClockSpread spread = {0};
	double	   *chances;
	double	   *of_stage;
	int			nages;

	InitMaterializedSRF(fcinfo, 0);
	data = clock_data(fcinfo);
	until = int_array(fcinfo, FIT_UNTIL);
	check_numbers(until, data.as_of, data.as_of + 100000, FIT_UNTIL);
	clock = stage_clock_fit(&data, data.as_of);
	nages = stage_clock_ages(&data);

	chances = palloc_extended((size_t) data.nstages * nages * Max(until.n, 1) * sizeof(double),
							  MCXT_ALLOC_HUGE);
	for (int h = 0; h < until.n; h++)
		stage_clock_chances(clock, &data, data.as_of + 1, until.values[h],
							chances + (size_t) h * data.nstages * nages, nages);
	if (PG_GETARG_BOOL(FIT_REPLAY))
	{
		/* replays are of months: what lasts longer is corrected by less */
		spread = stage_clock_replay(&data);
		for (int h = 0; h < until.n; h++)
		{
			double		power = Min(1, CORRECTED_DAYS / Max(until.values[h] - data.as_of, 1));

			for (int stage = 0; stage < data.nstages; stage++)
			{
				double		factor = pow(spread.stage_factors[stage], power);
				double	   *chance = chances + ((size_t) h * data.nstages + stage) * nages;

				for (int age = 0; age < nages; age++)
					chance[age] = change_chance(chance[age], factor);
			}
		}
	}
	of_stage = palloc_extended((size_t) nages * Max(until.n, 1) * sizeof(double),
							   MCXT_ALLOC_HUGE);
	for (int stage = 0; stage < data.nstages; stage++)
	{
		double		numbers[6];

		for (int h = 0; h < until.n; h++)
			memcpy(of_stage + (size_t) h * nages,
				   chances + ((size_t) h * data.nstages + stage) * nages,
				   nages * sizeof(double));
		put_item(result, "chance", stage + 1, of_stage, nages * until.n);
		numbers[0] = clock->last_ages[stage];
		numbers[1] = clock->days[stage];
		for (int end = 0; end < NENDS; end++)
			numbers[2 + end] = clock->events[end * data.nstages + stage];
		numbers[5] = spread.stage_factors ? spread.stage_factors[stage] : 1;
		put_item(result, "stage", stage + 1, numbers, lengthof(numbers));
	}
	for (int i = 0; i < data.nreps; i++)
	{
		double		numbers[] = {clock->rep_factors[i], clock->rep_won[i], clock->rep_expected[i]};

		put_item(result, "rep", i + 1, numbers, lengthof(numbers));
	}
	for (int i = 0; i < data.nsegments; i++)
	{
		double		numbers[] = {
			clock->segment_factors[i] * (spread.segment_factors ? spread.segment_factors[i] : 1),
			clock->segment_won[i], clock->segment_expected[i]
		};

		put_item(result, "segment", i + 1, numbers, lengthof(numbers));
	}
	for (int end = 0; end < NENDS; end++)
	{
		double		numbers[MONTH_PLACES + 2];

		numbers[0] = clock->months[end].is_kept;
		memcpy(numbers + 1, clock->months[end].factors, MONTH_PLACES * sizeof(double));
		numbers[MONTH_PLACES + 1] = clock->months[end].is_kept_by_age;
		put_item(result, "month", end + 1, numbers, lengthof(numbers));
	}
	if (PG_GETARG_BOOL(FIT_REPLAY))
	{
		double		numbers[] = {spread.common, spread.of_rep, spread.nmonths};

		put_item(result, "spread", 1, numbers, lengthof(numbers));
	}
	return (Datum) 0;
}

/* ---------- deals that are not open yet ---------- */

/* amounts of a rep, and of all, are taken together in so many */
#define AMOUNT_GROUPS	10

/* won deals of others that a rep's own amounts are shrunk by */
#define AMOUNT_EVENTS	5.0

/* events that the rate of all weighs as much as, at least: for a place of the month, a rep */
#define WINDOW_EVENTS	1.0
#define REP_EVENTS		2.0

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
shrunk(double observed, double expected, double squares, double all, double expected_squares,
	   double least)
{
	double		excess = squares - all;
	double		prior;

	if (!(excess > 0) || !(expected_squares > 0))
		return 1;
	prior = Max(expected_squares / excess, least);
	return (observed + prior) / (expected + prior);
}

/* Puts out amounts in groups of equal numbers, each its mean, that come so often in all. */
static void
put_rates(ReturnSetInfo *result, int period, int rep, double *amounts, int n, double rate)
{
	int			groups = Min(n, AMOUNT_GROUPS);

	if (!(rate > 0))
		return;
	qsort(amounts, n, sizeof(double), compare_doubles);
	for (int group = 0; group < groups; group++)
	{
		int			from = (int) ((int64) n * group / groups);
		int			to = (int) ((int64) n * (group + 1) / groups);
		double		sum = 0;
		Datum		row[4];
		bool		nulls[4] = {false};

		for (int i = from; i < to; i++)
			sum += amounts[i];
		row[0] = Int32GetDatum(period);
		row[1] = Int32GetDatum(rep);
		row[2] = Float8GetDatum(sum / (to - from));
		row[3] = Float8GetDatum(rate * (to - from) / n);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
}

/*
 * How often deals are opened and won within a period, and for how much, by
 * rep: from windows of the past at the same point of the months before.
 *
 * What all have won in windows is multiplied by the effect of windows in the
 * same place of the quarter as the period, and divided among reps by what each
 * has won, all shrunk.
 */
PG_FUNCTION_INFO_V1(unopened_rates);
Datum
unopened_rates(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			nperiods = count_argument(fcinfo, 0);
	int			nreps = count_argument(fcinfo, 1);
	double		weight = PG_GETARG_FLOAT8(2);	/* deals that each one read stands for */
	IntArray	active = int_array(fcinfo, 3);
	IntArray	period = int_array(fcinfo, 4);
	IntArray	origin = int_array(fcinfo, 5);
	IntArray	from = int_array(fcinfo, 6);
	IntArray	until = int_array(fcinfo, 7);
	IntArray	place = int_array(fcinfo, 8);
	FloatArray	scale = float_array(fcinfo, 9);
	IntArray	rep = int_array(fcinfo, 10);
	IntArray	opened = int_array(fcinfo, 11);
	IntArray	closed = int_array(fcinfo, 12);
	FloatArray	amount = float_array(fcinfo, 13);
	double	   *of_rep = palloc(Max(nreps, 1) * sizeof(double));
	double	   *amounts = palloc_extended(Max(amount.n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	double	   *own = palloc_extended(Max(amount.n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	int		   *used = palloc_extended(Max(amount.n, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	int		   *rep_used = palloc((nreps + 2) * sizeof(int));
	int		   *by_rep = palloc_extended(Max(amount.n, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	int			nactive = 0;

	InitMaterializedSRF(fcinfo, 0);
	check_length(active.n, nreps, 3);
	for (int argument = 4; argument <= 8; argument++)
		check_length(int_array(fcinfo, argument).n, period.n, argument);
	check_length(scale.n, period.n, 9);
	for (int argument = 10; argument <= 12; argument++)
		check_length(int_array(fcinfo, argument).n, rep.n, argument);
	check_length(amount.n, rep.n, 13);
	check_numbers(period, 1, nperiods, 4);
	check_numbers(place, 0, MONTH_PLACES - 1, 8);
	check_numbers(rep, 1, nreps, 10);
	for (int i = 0; i < nreps; i++)
		nactive += active.values[i] != 0;

	for (int p = 1; p <= nperiods; p++)
	{
		double		won[MONTH_PLACES] = {0};
		double		windows[MONTH_PLACES] = {0};
		double		all = 0;
		double		all_windows = 0;
		double		factor = 1;
		double		squares = 0;
		double		expected_squares = 0;
		double		rate;
		double		active_won = 0;
		double		share_sum = 0;
		double		mean = 0;		/* of all amounts */
		double		all_amount = 0; /* of all windows */
		double		share_mean = 0; /* of those that reps are given, by share */
		int			n = 0;

		memset(of_rep, 0, nreps * sizeof(double));
		memset(used, 0, amount.n * sizeof(int));
		for (int w = 0; w < period.n; w++)
		{
			if (period.values[w] != p)
				continue;
			windows[place.values[w]] += 1;
			for (int i = 0; i < rep.n; i++)
			{
				if (closed.values[i] < from.values[w] || closed.values[i] > until.values[w] ||
					opened.values[i] <= origin.values[w])
					continue;
				won[place.values[w]] += scale.values[w];
				all_amount += scale.values[w] * amount.values[i];
				of_rep[rep.values[i] - 1] += scale.values[w];
				used[i]++;
			}
			CHECK_FOR_INTERRUPTS();
		}
		for (int c = 0; c < MONTH_PLACES; c++)
		{
			all += won[c];
			all_windows += windows[c];
		}
		if (!(all > 0))
			continue;

		/* tested as the effects of the clock, at 1 % */
		{
			double		chi = 0;
			int			places = 0;

			for (int c = 0; c < MONTH_PLACES; c++)
			{
				double		expected = windows[c] * all / all_windows;
				double		d = won[c] - expected;

				if (expected > 0)
				{
					chi += d * d / expected;
					places++;
				}
				squares += d * d;
				expected_squares += expected * expected;
			}
			if (places > 1 && chi > (places == 2 ? 6.6349 : 9.2103))
				factor = shrunk(won[0], windows[0] * all / all_windows, squares, all,
								expected_squares, WINDOW_EVENTS);
		}
		rate = weight * factor * all / all_windows;

		/* the amounts, in the order of reps */
		memset(rep_used, 0, (nreps + 2) * sizeof(int));
		for (int i = 0; i < rep.n; i++)
		{
			if (used[i])
			{
				amounts[n++] = amount.values[i];
				rep_used[rep.values[i] + 1]++;
			}
		}
		for (int r = 1; r <= nreps + 1; r++)
			rep_used[r] += rep_used[r - 1];
		for (int i = 0; i < rep.n; i++)
		{
			if (used[i])
				by_rep[rep_used[rep.values[i]]++] = i;
		}
		/* now rep_used[r] is where those of rep r end */

		squares = expected_squares = 0;
		for (int r = 0; r < nreps; r++)
		{
			if (active.values[r])
				active_won += of_rep[r];
		}
		for (int r = 0; r < nreps; r++)
		{
			double		expected = nactive > 0 ? active_won / nactive : 0;

			if (active.values[r])
			{
				squares += (of_rep[r] - expected) * (of_rep[r] - expected);
				expected_squares += expected * expected;
			}
		}
		for (int i = 0; i < n; i++)
			mean += amounts[i] / n;
		for (int round = 0; round < 2; round++)
		{
			/* what is shrunk must still add up to the amount of all */
			if (round == 1 && share_sum > 0 && all_amount > 0 && share_mean > 0)
				rate *= all_amount / all * share_sum / share_mean;
			for (int r = 0; r < nreps; r++)
			{
				double		expected = nactive > 0 ? active_won / nactive : 0;
				double		share;
				int			nown = 0;
				double		weight_own;

				if (!active.values[r])
					continue;
				share = expected > 0 ?
					shrunk(of_rep[r], expected, squares, active_won, expected_squares,
						   REP_EVENTS) : 1;
				for (int k = rep_used[r]; k < rep_used[r + 1]; k++)
					own[nown++] = amount.values[by_rep[k]];
				weight_own = nown / (nown + AMOUNT_EVENTS);
				if (round == 0)
				{
					double		own_mean = 0;

					for (int k = 0; k < nown; k++)
						own_mean += own[k] / nown;
					share_sum += share;
					share_mean += share * (weight_own * own_mean + (1 - weight_own) * mean);
					continue;
				}
				put_rates(result, p, r + 1, own, nown, rate * share / share_sum * weight_own);
				put_rates(result, p, r + 1, amounts, n,
						  rate * share / share_sum * (1 - weight_own));
			}
		}
	}
	return (Datum) 0;
}

/* ---------- what it comes to ---------- */

/* The chance whose odds are a factor times those of a chance. */
PG_FUNCTION_INFO_V1(odds_changed);
Datum
odds_changed(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(change_chance(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)));
}

/*
 * For each group of reps and each period what their open deals, and those not
 * open yet, are expected to bring, and quantiles of both together.
 */
PG_FUNCTION_INFO_V1(deal_forecast);
Datum
deal_forecast(PG_FUNCTION_ARGS)
{
	static const double shares[] = {0.1, 0.5, 0.9};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			nhorizons = count_argument(fcinfo, 0);
	IntArray	last_ages = int_array(fcinfo, 1);
	FloatArray	chances = float_array(fcinfo, 2);	/* [stage][horizon][age] */
	FloatArray	rep_factors = float_array(fcinfo, 3);
	FloatArray	segment_factors = float_array(fcinfo, 4);
	double		common_spread = PG_GETARG_FLOAT8(5);
	double		rep_spread = PG_GETARG_FLOAT8(6);
	IntArray	period_from = int_array(fcinfo, 7);
	IntArray	period_until = int_array(fcinfo, 8);
	IntArray	stage = int_array(fcinfo, 9);
	IntArray	age = int_array(fcinfo, 10);
	IntArray	rep = int_array(fcinfo, 11);
	IntArray	segment = int_array(fcinfo, 12);
	FloatArray	amount = float_array(fcinfo, 13);
	IntArray	rate_period = int_array(fcinfo, 14);
	IntArray	rate_rep = int_array(fcinfo, 15);
	FloatArray	rate_amount = float_array(fcinfo, 16);
	FloatArray	rate = float_array(fcinfo, 17);
	IntArray	group = int_array(fcinfo, 18);
	IntArray	group_rep = int_array(fcinfo, 19);
	IntArray	owner = int_array(fcinfo, 20);
	IntArray	counted = int_array(fcinfo, 21);
	FloatArray	target = float_array(fcinfo, 22);
	int			nreps = rep_factors.n;
	int			nages;
	int		   *deals_begin = palloc0((nreps + 2) * sizeof(int));
	int		   *rates_begin = palloc((nreps + 2) * sizeof(int));
	int		   *deal_order;
	int		   *rate_order;
	double	   *chance;			/* of each deal; -1 where it has none */
	SumDeal    *deals;
	SumRate    *rates;

	InitMaterializedSRF(fcinfo, 0);
	if (nhorizons < 1 || last_ages.n < 1)
		return (Datum) 0;
	nages = chances.n / (nhorizons * last_ages.n);
	check_length(chances.n, nages * nhorizons * last_ages.n, 2);
	check_length(period_until.n, period_from.n, 8);
	check_numbers(period_from, 0, nhorizons, 7);
	check_numbers(period_until, 1, nhorizons, 8);
	for (int argument = 10; argument <= 12; argument++)
		check_length(int_array(fcinfo, argument).n, stage.n, argument);
	check_length(amount.n, stage.n, 13);
	check_length(owner.n, stage.n, 20);
	check_numbers(owner, 1, nreps, 20);
	check_length(counted.n, stage.n, 21);
	if (target.n > 0)
		check_numbers(group, 1, target.n, 18);
	check_numbers(stage, 0, last_ages.n, 9);
	check_numbers(rep, 1, nreps, 11);
	check_numbers(segment, 1, segment_factors.n, 12);
	check_length(rate_rep.n, rate_period.n, 15);
	check_length(rate_amount.n, rate_period.n, 16);
	check_length(rate.n, rate_period.n, 17);
	check_numbers(rate_rep, 1, nreps, 15);
	check_length(group_rep.n, group.n, 19);
	check_numbers(group_rep, 1, nreps, 19);
	if (!(common_spread >= 0 && common_spread <= 10 && rep_spread >= 0 && rep_spread <= 10))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("spreads %g and %g are not between 0 and 10", common_spread, rep_spread)));

	/* by rep, in the order they are given */
	deal_order = palloc_extended(Max(stage.n, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	rate_order = palloc_extended(Max(rate.n, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	chance = palloc_extended(Max(stage.n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	deals = palloc_extended(Max(stage.n, 1) * sizeof(SumDeal), MCXT_ALLOC_HUGE);
	rates = palloc_extended(Max(rate.n, 1) * sizeof(SumRate), MCXT_ALLOC_HUGE);
	for (int i = 0; i < stage.n; i++)
		deals_begin[rep.values[i]]++;
	for (int r = 1; r <= nreps; r++)
		deals_begin[r] += deals_begin[r - 1];
	for (int i = stage.n - 1; i >= 0; i--)
		deal_order[--deals_begin[rep.values[i]]] = i;
	/* now deals_begin[r] is where those of rep r begin */
	deals_begin[nreps + 1] = stage.n;

	for (int p = 0; p < period_from.n; p++)
	{
		int			h_from = period_from.values[p] - 1;
		int			h_until = period_until.values[p] - 1;

		for (int i = 0; i < stage.n; i++)
		{
			int			s = stage.values[i] - 1;
			double		factor;

			chance[i] = -1;
			if (s < 0 || age.values[i] < 0 || age.values[i] > last_ages.values[s] ||
				age.values[i] >= nages || isnan(amount.values[i]))
				continue;
			factor = rep_factors.values[owner.values[i] - 1] *
				segment_factors.values[segment.values[i] - 1];
			chance[i] = change_chance(chances.values[((size_t) s * nhorizons + h_until) * nages +
													 age.values[i]], factor);
			if (h_from >= 0)
				chance[i] -= change_chance(chances.values[((size_t) s * nhorizons + h_from) * nages +
														  age.values[i]], factor);
			chance[i] = Max(chance[i], 0);
		}

		memset(rates_begin, 0, (nreps + 2) * sizeof(int));
		for (int i = 0; i < rate.n; i++)
		{
			if (rate_period.values[i] == p + 1)
				rates_begin[rate_rep.values[i]]++;
		}
		for (int r = 1; r <= nreps; r++)
			rates_begin[r] += rates_begin[r - 1];
		rates_begin[nreps + 1] = rates_begin[nreps];
		for (int i = rate.n - 1; i >= 0; i--)
		{
			if (rate_period.values[i] == p + 1)
				rate_order[--rates_begin[rate_rep.values[i]]] = i;
		}

		for (int first = 0, next; first < group.n; first = next)
		{
			int			ndeals = 0;
			int			nrates = 0;
			double		open_expected = 0;
			double		unopened_expected = 0;
			double		squares = 0;
			double		spread = common_spread;
			double		quantiles[lengthof(shares)];
			double		reaching;
			int64		unrated = 0;
			Datum		row[9];
			bool		nulls[9] = {false};

			for (next = first; next < group.n && group.values[next] == group.values[first]; next++)
			{
				int			r = group_rep.values[next];
				double		of_rep = 0;

				if (next > first && r <= group_rep.values[next - 1])
					ereport(ERROR,
							(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							 errmsg("reps of group %d are not in order", group.values[next])));
				for (int k = deals_begin[r]; k < deals_begin[r + 1]; k++)
				{
					int			i = deal_order[k];

					if (chance[i] < 0)
					{
						unrated += counted.values[i];
						continue;
					}
					deals[ndeals].amount = amount.values[i];
					deals[ndeals].chance = chance[i];
					ndeals += chance[i] > 0 && amount.values[i] != 0;
					of_rep += amount.values[i] * chance[i];
				}
				open_expected += of_rep;
				for (int k = rates_begin[r]; k < rates_begin[r + 1]; k++)
				{
					int			i = rate_order[k];

					rates[nrates].amount = rate_amount.values[i];
					rates[nrates].rate = rate.values[i];
					nrates++;
					of_rep += rate_amount.values[i] * rate.values[i];
					unopened_expected += rate_amount.values[i] * rate.values[i];
				}
				squares += of_rep * of_rep;
			}
			if (open_expected + unopened_expected > 0)
				spread = sqrt(common_spread * common_spread +
							  rep_spread * rep_spread * Min(squares / pow(open_expected + unopened_expected, 2), 1));
			nulls[8] = target.n == 0 || isnan(target.values[group.values[first] - 1]);
			deal_sum_quantiles(deals, ndeals, rates, nrates, spread, shares, lengthof(shares),
							   quantiles, nulls[8] ? 0 : target.values[group.values[first] - 1],
							   nulls[8] ? NULL : &reaching);
			row[0] = Int32GetDatum(group.values[first]);
			row[1] = Int32GetDatum(p + 1);
			row[2] = Int64GetDatum(unrated);
			row[3] = Float8GetDatum(open_expected);
			row[4] = Float8GetDatum(unopened_expected);
			for (int q = 0; q < lengthof(shares); q++)
				row[5 + q] = Float8GetDatum(quantiles[q]);
			row[8] = nulls[8] ? (Datum) 0 : Float8GetDatum(rounded(reaching));
			tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
			CHECK_FOR_INTERRUPTS();
		}
	}
	return (Datum) 0;
}
