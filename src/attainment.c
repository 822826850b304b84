/*-------------------------------------------------------------------------
 *
 * attainment.c
 *	  attainment_summary: what was reached of what was to be reached.
 *
 * A row is a subject with a target, as a person in a period.  A target is a
 * finite number above 0; anything else is none, and the actual then stands
 * apart: it must not raise the rate of those who have targets.  An actual is a
 * finite number; where there is none it is 0, and that is counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "summary_type.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

enum
{
	ATTAINED,
	UNREPORTED,
	UNTARGETED,
	NCOUNTS
};

enum
{
	ACTUAL,
	TARGET,
	UNTARGETED_ACTUAL
};

enum
{
	RATIOS
};

/* actual / target in units of 0.0001, rounded half up */
#define RATIO_UNITS		10000
#define RATIO_KEY_LIMIT	INT64CONST(10000000000)

static const char *const count_names[NCOUNTS] = {"attained", "unreported", "untargeted"};
static const DecimalField decimal_fields[] = {
	{"actual", false}, {"target", false}, {"untargeted_actual", false}
};
static const char *const histogram_names[] = {"ratios"};

/*
 * Every target has a ratio, and an actual or is counted as having none; a
 * ratio above 1 is attained, one below is not, and at 1 it may have been
 * rounded.
 */
static bool
attainment_consistent(const SummaryView *view)
{
	const int64 *counts = view->counts;
	HistogramBins ratios = view->histograms[RATIOS];
	int64		targeted = decimal_view_rows(&view->decimals[TARGET]);
	int64		at_one = 0;
	int64		above = 0;

	for (int i = 0; i < lengthof(decimal_fields); i++)
	{
		if (decimal_view_kind(&view->decimals[i]) != DECIMAL_FINITE)
			return false;
	}
	if (histogram_total(ratios) != targeted ||
		(int128) decimal_view_rows(&view->decimals[ACTUAL]) + counts[UNREPORTED] != targeted ||
		decimal_view_rows(&view->decimals[UNTARGETED_ACTUAL]) > counts[UNTARGETED] ||
		view->decimals[TARGET].sum.negative ||
		(view->decimals[TARGET].sum.ndigits == 0) != (targeted == 0))
		return false;
	for (int i = 0; i < ratios.n; i++)
	{
		if (ratios.bin[i].key < -RATIO_KEY_LIMIT || ratios.bin[i].key > RATIO_KEY_LIMIT)
			return false;
		if (ratios.bin[i].key == RATIO_UNITS)
			at_one = ratios.bin[i].count;
		else if (ratios.bin[i].key > RATIO_UNITS)
			above += ratios.bin[i].count;
	}
	return above <= counts[ATTAINED] && counts[ATTAINED] <= above + at_one;
}

static const SummaryLayout attainment_layout = {
	.type_name = "attainment_summary",
	.type_id = 9,
	.ncounts = NCOUNTS,
	.ndecimals = lengthof(decimal_fields),
	.nhistograms = lengthof(histogram_names),
	.counts = count_names,
	.decimals = decimal_fields,
	.histograms = histogram_names,
	.consistent = attainment_consistent
};

SUMMARY_TYPE(attainment_layout, attainment_summary);

/* ---------- rows ---------- */

/* A finite number of a row. */
typedef struct RowNumber
{
	Datum		datum;
	bool		is_fast;		/* decimal_mantissa has read it */
	int64		mantissa;
	int			dscale;
} RowNumber;

/* Reads an argument; false where it is NULL, NaN or infinite. */
static bool
row_number(FunctionCallInfo fcinfo, int argument, RowNumber *number)
{
	DecimalNumeric opened;

	if (PG_ARGISNULL(argument))
		return false;
	number->datum = PG_GETARG_DATUM(argument);
	number->is_fast = decimal_mantissa(number->datum, &number->mantissa, &number->dscale);
	if (likely(number->is_fast))
		return true;
	opened = decimal_numeric(number->datum);
	return opened.kind == DECIMAL_FINITE;
}

static bool
is_above_zero(const RowNumber *number)
{
	DecimalNumeric opened;

	if (likely(number->is_fast))
		return number->mantissa > 0;
	opened = decimal_numeric(number->datum);
	return opened.ndigits > 0 && !opened.negative;
}

static Summary *
add_number(Summary *state, int decimal, const RowNumber *number, int64 sign)
{
	return summary_add_numeric(&attainment_layout, state, decimal, number->datum,
							   number->is_fast, number->mantissa, number->dscale, sign);
}

static inline int64
digit_at(const DecimalValue *value, int weight)
{
	int			i = value->weight - weight;

	return i >= 0 && i < value->ndigits ? value->digits[i] : 0;
}

/*
 * The sign of |a| * times_a - |b| * times_b, where times are above 0 and up to
 * 10^11: from the highest digit downwards, until what is left of the digits,
 * which is below 1 in the current place, cannot turn it any more.
 */
static int
compare_multiples(const DecimalValue *a, int64 times_a, const DecimalValue *b, int64 times_b)
{
	int			last = Min(a->weight - a->ndigits, b->weight - b->ndigits);
	int64		difference = 0;

	for (int weight = Max(a->weight, b->weight); weight > last; weight--)
	{
		difference = difference * 10000 +
			times_a * digit_at(a, weight) - times_b * digit_at(b, weight);
		if (difference >= times_b || difference <= -times_a)
			break;
	}
	return (difference > 0) - (difference < 0);
}

/*
 * Compares an actual with its target, which is above 0: is it attained, and
 * what is the key of the ratio?
 */
static bool
compare_with_target(const RowNumber *actual, const RowNumber *target, int64 *key)
{
	DecimalNumeric opened;
	DecimalValue a;
	DecimalValue t;
	int64		low = 0;
	int64		high = RATIO_KEY_LIMIT;

	if (likely(actual->is_fast && target->is_fast))
	{
		/* floor(actual / target * units + 1/2) */
		int128		above = (int128) actual->mantissa * (2 * RATIO_UNITS) + target->mantissa;
		int128		below = (int128) target->mantissa * 2;
		int128		ratio = above / below;

		if (above % below < 0)
			ratio--;
		*key = (int64) Max(Min(ratio, RATIO_KEY_LIMIT), -RATIO_KEY_LIMIT);
		return actual->mantissa >= target->mantissa;
	}

	/*
	 * Numbers of any size.  Of the halves between keys, 1/2, 3/2 and so on, so
	 * many lie below the ratio: a half itself goes up.
	 */
	opened = decimal_numeric(actual->datum);
	a = decimal_value(&opened);
	opened = decimal_numeric(target->datum);
	t = decimal_value(&opened);
	while (low < high)
	{
		int64		middle = low + (high - low + 1) / 2;
		int			sign = compare_multiples(&a, 2 * RATIO_UNITS, &t, 2 * middle - 1);

		if (sign > 0 || (sign == 0 && !a.negative))
			low = middle;
		else
			high = middle - 1;
	}
	*key = a.negative ? -low : low;
	return !a.negative && compare_multiples(&a, 1, &t, 1) >= 0;
}

static Datum
attainment_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &attainment_layout);
	RowNumber	actual;
	RowNumber	target;
	bool		has_actual = row_number(fcinfo, 1, &actual);
	int64		key = 0;

	if (!row_number(fcinfo, 2, &target) || !is_above_zero(&target))
	{
		summary_add_count(state, UNTARGETED, sign);
		if (has_actual)
			state = add_number(state, UNTARGETED_ACTUAL, &actual, sign);
		return summary_end(fcinfo, &attainment_layout, state);
	}

	if (!has_actual)
		summary_add_count(state, UNREPORTED, sign);
	else
	{
		if (compare_with_target(&actual, &target, &key))
			summary_add_count(state, ATTAINED, sign);
		state = add_number(state, ACTUAL, &actual, sign);
	}
	state = add_number(state, TARGET, &target, sign);
	state = summary_add_row_key(&attainment_layout, state,
								SUMMARY_PART(&attainment_layout, RATIOS), key, sign);
	return summary_end(fcinfo, &attainment_layout, state);
}

PG_FUNCTION_INFO_V1(attainment_agg_add);
Datum
attainment_agg_add(PG_FUNCTION_ARGS)
{
	return attainment_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(attainment_agg_remove);
Datum
attainment_agg_remove(PG_FUNCTION_ARGS)
{
	return attainment_row(fcinfo, -1);
}

/* ---------- counts and amounts ---------- */

SUMMARY_COUNT(attainment_attained_count, attainment_layout, ATTAINED);
SUMMARY_COUNT(attainment_unreported_count, attainment_layout, UNREPORTED);
SUMMARY_COUNT(attainment_untargeted_count, attainment_layout, UNTARGETED);

PG_FUNCTION_INFO_V1(attainment_targeted_count);
Datum
attainment_targeted_count(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_INT64(decimal_view_rows(&view.decimals[TARGET]));
}

static Datum
attainment_amount(FunctionCallInfo fcinfo, int decimal)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(decimal_view_sum(&view.decimals[decimal]));
}

#define ATTAINMENT_AMOUNT(function, decimal) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		return attainment_amount(fcinfo, decimal); \
	} \
	extern int	no_such_variable

ATTAINMENT_AMOUNT(attainment_actual_amount, ACTUAL);
ATTAINMENT_AMOUNT(attainment_target_amount, TARGET);
ATTAINMENT_AMOUNT(attainment_untargeted_amount, UNTARGETED_ACTUAL);

/* target - actual: what is missing, below 0 where there is more than enough */
PG_FUNCTION_INFO_V1(attainment_gap);
Datum
attainment_gap(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view))
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_sub,
							   NumericGetDatum(decimal_view_sum(&view.decimals[TARGET])),
							   NumericGetDatum(decimal_view_sum(&view.decimals[ACTUAL])));
}

/* ---------- rates ---------- */

/* Actual / target; false where there are no targets. */
static bool
overall_rate(const SummaryView *view, double *rate)
{
	int			actual_power;
	int			target_power;
	double		actual = decimal_leading(&view->decimals[ACTUAL].sum, &actual_power);
	double		target = decimal_leading(&view->decimals[TARGET].sum, &target_power);

	if (target == 0)
		return false;
	*rate = actual / target;
	if (actual == 0)
		return true;
	if (actual_power > target_power)
		*rate *= pow(10000, actual_power - target_power);
	else if (actual_power < target_power)
		*rate /= pow(10000, target_power - actual_power);
	return true;
}

PG_FUNCTION_INFO_V1(attainment_rate);
Datum
attainment_rate(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		rate;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view) || !overall_rate(&view, &rate))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(rate);
}

/* The rate against the share of the time that has passed: 1 is just in time. */
PG_FUNCTION_INFO_V1(attainment_pace);
Datum
attainment_pace(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		elapsed = PG_GETARG_FLOAT8(1);
	double		rate;

	if (!(elapsed >= 0 && elapsed <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("elapsed share %g is not between 0 and 1", elapsed),
				 errhint("Half of the period is 0.5.")));
	if (elapsed == 0 || !summary_read(fcinfo, 0, &attainment_layout, &view) ||
		!overall_rate(&view, &rate))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(rate / elapsed);
}

/* attained / targeted */
PG_FUNCTION_INFO_V1(attainment_attained_rate);
Datum
attainment_attained_rate(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int64		targeted;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view) ||
		(targeted = decimal_view_rows(&view.decimals[TARGET])) == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) view.counts[ATTAINED] / (double) targeted);
}

/* ---------- ratios ---------- */

/* As percentile_cont over actual / target, from ratios rounded to 0.0001. */
PG_FUNCTION_INFO_V1(attainment_percentile);
Datum
attainment_percentile(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		share = percentile_argument(PG_GETARG_FLOAT8(1));
	int64		targeted;
	int64		low;
	int64		high;
	double		between;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view) ||
		(targeted = histogram_total(view.histograms[RATIOS])) == 0)
		PG_RETURN_NULL();
	histogram_rank(view.histograms[RATIOS], targeted, share, &low, &high, &between);
	PG_RETURN_FLOAT8(((double) low + between * (double) (high - low)) / RATIO_UNITS);
}

/*
 * Gini's coefficient of the ratios x by ascending size: the sum of
 * (2 i - n - 1) x(i) / (n * the sum of x), i = 1 .. n.  Undefined where one is
 * below 0 or all are 0.
 */
PG_FUNCTION_INFO_V1(attainment_gini);
Datum
attainment_gini(PG_FUNCTION_ARGS)
{
	SummaryView view;
	HistogramBins ratios;
	double		n;
	double		before = 0;
	double		sum = 0;
	double		ranked = 0;

	if (!summary_read(fcinfo, 0, &attainment_layout, &view))
		PG_RETURN_NULL();
	ratios = view.histograms[RATIOS];
	n = (double) histogram_total(ratios);
	for (int i = 0; i < ratios.n; i++)
	{
		double		ratio = (double) ratios.bin[i].key;
		double		count = (double) ratios.bin[i].count;

		if (ratio < 0)
			PG_RETURN_NULL();

		/* of those in a bin, i goes from before + 1 to before + count */
		ranked += ratio * count * (2 * before + count - n);
		sum += ratio * count;
		before += count;
	}
	if (sum == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ranked / (n * sum));
}
