/*-------------------------------------------------------------------------
 *
 * outlook.c
 *	  outlook_summary: what open deals may come to.
 *
 * A row is an open deal: an amount and a chance.  Deals of the same amount, to
 * six significant digits, and the same chance, in millionths, are counted
 * together.  An amount of up to six digits is exact in this, and so is the sum
 * of all; how the sum is distributed is found by convolution.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/htup_details.h"
#include "convolution.h"
#include "deal_sum.h"
#include "funcapi.h"
#include "summary_type.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

enum
{
	UNPRICED,
	UNRATED,
	NCOUNTS
};

enum
{
	AMOUNT,
	EXPECTED,
	ROUNDING,					/* how far off amounts of more than six digits may be */
	UNRATED_AMOUNT
};

enum
{
	DEALS
};

#define CHANCE_UNITS	1000000

/*
 * The key of an amount: 1000 + the decimal exponent, then six digits, the
 * first of which is not 0, as one whole number; that of a negative amount is
 * negative, and that of 0 is 0.  Amounts of 10^1001 and more count as the
 * largest that there is, those below 10^-1000 as 0.
 */
#define AMOUNT_DIGITS	6
#define AMOUNT_UNITS	1000000
#define EXPONENT_LIMIT	1000

static const char *const count_names[NCOUNTS] = {"unpriced", "unrated"};
static const DecimalField decimal_fields[] = {
	{"amount", false}, {"expected", false}, {"rounding", false}, {"unrated_amount", false}
};
static const char *const histogram_names[] = {"deals"};

static bool
outlook_consistent(const SummaryView *view)
{
	HistogramBins deals = view->histograms[DEALS];
	int64		total = histogram_total(deals);

	for (int i = 0; i < lengthof(decimal_fields); i++)
	{
		if (decimal_view_kind(&view->decimals[i]) != DECIMAL_FINITE)
			return false;
	}
	if (decimal_view_rows(&view->decimals[AMOUNT]) != total ||
		decimal_view_rows(&view->decimals[EXPECTED]) != total ||
		decimal_view_rows(&view->decimals[ROUNDING]) > total ||
		decimal_view_rows(&view->decimals[UNRATED_AMOUNT]) != view->counts[UNRATED])
		return false;
	for (int i = 0; i < deals.n; i++)
	{
		int64		amount = llabs((long long) pair_first(deals.bin[i].key));
		int32		chance = pair_second(deals.bin[i].key);

		if (chance < 0 || chance > CHANCE_UNITS ||
			amount / AMOUNT_UNITS > 2 * EXPONENT_LIMIT ||
			(amount != 0 && amount % AMOUNT_UNITS < AMOUNT_UNITS / 10))
			return false;
	}
	return true;
}

static const SummaryLayout outlook_layout = {
	.type_name = "outlook_summary",
	.type_id = 10,
	.ncounts = NCOUNTS,
	.ndecimals = lengthof(decimal_fields),
	.nhistograms = lengthof(histogram_names),
	.counts = count_names,
	.decimals = decimal_fields,
	.histograms = histogram_names,
	.pair_histograms = 1 << DEALS,
	.consistent = outlook_consistent
};

SUMMARY_TYPE(outlook_layout, outlook_summary);

/* ---------- rows ---------- */

/*
 * The key of an amount, whether it was rounded, and the exponent of its last
 * digit; false where the amount is NaN or infinite.
 */
static bool
amount_key(Datum amount, int32 *key, bool *is_rounded, int *last_digit)
{
	int64		mantissa;
	int			dscale;
	bool		negative;
	uint64		leading;
	int			ndigits = 1;
	int			exponent;		/* of the last digit of leading */
	uint64		unit = 1;

	*is_rounded = false;
	*last_digit = 0;
	if (likely(decimal_mantissa(amount, &mantissa, &dscale)))
	{
		negative = mantissa < 0;
		leading = negative ? -mantissa : mantissa;
		exponent = -4;
	}
	else
	{
		DecimalNumeric number = decimal_numeric(amount);

		if (number.kind != DECIMAL_FINITE)
			return false;
		negative = number.negative;
		leading = 0;
		for (int i = 0; i < 3; i++)
			leading = leading * 10000 + (i < number.ndigits ? decimal_digit(&number, i) : 0);
		exponent = (number.weight - 2) * 4;
		*is_rounded = number.ndigits > 3;
	}

	*key = 0;
	if (leading == 0)
		return true;
	for (uint64 rest = leading; rest >= 10; rest /= 10)
		ndigits++;
	for (; ndigits < AMOUNT_DIGITS; ndigits++, exponent--)
		leading *= 10;
	for (; ndigits > AMOUNT_DIGITS; ndigits--, exponent++)
		unit *= 10;
	*is_rounded = *is_rounded || leading % unit != 0;
	leading = (leading + unit / 2) / unit;
	if (leading == AMOUNT_UNITS)
	{
		leading /= 10;
		exponent++;
	}
	*last_digit = exponent;
	exponent += AMOUNT_DIGITS - 1;
	if (exponent < -EXPONENT_LIMIT || exponent > EXPONENT_LIMIT)
		*is_rounded = true;
	if (exponent < -EXPONENT_LIMIT)
		return true;
	if (exponent > EXPONENT_LIMIT)
	{
		exponent = EXPONENT_LIMIT;
		leading = AMOUNT_UNITS - 1;
	}
	*key = (exponent + EXPONENT_LIMIT) * AMOUNT_UNITS + (int32) leading;
	if (negative)
		*key = -*key;
	return true;
}

/* Reads a chance, in millionths. */
static int32
chance_key(double chance)
{
	if (!(chance >= 0 && chance <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chance %g is not between 0 and 1", chance),
				 errhint("A chance is a share: 25 %% is 0.25.")));
	return (int32) rint(chance * CHANCE_UNITS);
}

static Summary *
add_number(Summary *state, int decimal, Datum number, int64 sign)
{
	int64		mantissa;
	int			dscale;
	bool		is_fast = decimal_mantissa(number, &mantissa, &dscale);

	return summary_add_numeric(&outlook_layout, state, decimal, number, is_fast, mantissa,
							   dscale, sign);
}

/* 0.5 * 10^exponent */
static Datum
half_of_digit(int exponent)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("5e%d", exponent - 1)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static Datum
outlook_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &outlook_layout);
	int32		chance = PG_ARGISNULL(2) ? -1 : chance_key(PG_GETARG_FLOAT8(2));
	int32		key;
	bool		is_rounded;
	int			last_digit;

	if (PG_ARGISNULL(1) || !amount_key(PG_GETARG_DATUM(1), &key, &is_rounded, &last_digit))
		summary_add_count(state, UNPRICED, sign);
	else if (chance < 0)
	{
		summary_add_count(state, UNRATED, sign);
		state = add_number(state, UNRATED_AMOUNT, PG_GETARG_DATUM(1), sign);
	}
	else
	{
		Datum		share = NumericGetDatum(int64_div_fast_to_numeric(chance, 6));

		share = DirectFunctionCall1(numeric_trim_scale, share);
		if (is_rounded)
			state = add_number(state, ROUNDING, half_of_digit(last_digit), sign);
		state = add_number(state, AMOUNT, PG_GETARG_DATUM(1), sign);
		state = add_number(state, EXPECTED,
						   DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(1), share), sign);
		state = summary_add_row_key(&outlook_layout, state,
									SUMMARY_PART(&outlook_layout, DEALS),
									pair_key(key, chance), sign);
	}
	return summary_end(fcinfo, &outlook_layout, state);
}

PG_FUNCTION_INFO_V1(outlook_agg_add);
Datum
outlook_agg_add(PG_FUNCTION_ARGS)
{
	return outlook_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(outlook_agg_remove);
Datum
outlook_agg_remove(PG_FUNCTION_ARGS)
{
	return outlook_row(fcinfo, -1);
}

/* ---------- counts and amounts ---------- */

SUMMARY_COUNT(outlook_unpriced_count, outlook_layout, UNPRICED);
SUMMARY_COUNT(outlook_unrated_count, outlook_layout, UNRATED);

PG_FUNCTION_INFO_V1(outlook_count);
Datum
outlook_count(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &outlook_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_INT64(histogram_total(view.histograms[DEALS]));
}

static Datum
outlook_amount_of(FunctionCallInfo fcinfo, int decimal)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &outlook_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(decimal_view_sum(&view.decimals[decimal]));
}

PG_FUNCTION_INFO_V1(outlook_total);
Datum
outlook_total(PG_FUNCTION_ARGS)
{
	return outlook_amount_of(fcinfo, AMOUNT);
}

PG_FUNCTION_INFO_V1(outlook_expected);
Datum
outlook_expected(PG_FUNCTION_ARGS)
{
	return outlook_amount_of(fcinfo, EXPECTED);
}

PG_FUNCTION_INFO_V1(outlook_unrated_amount);
Datum
outlook_unrated_amount(PG_FUNCTION_ARGS)
{
	return outlook_amount_of(fcinfo, UNRATED_AMOUNT);
}

/* ---------- the distribution ---------- */

/*
 * The deals for convolve(), amounts in units of a power of ten such that they
 * are whole numbers, unless they differ by nine orders of magnitude and more.
 */
typedef struct OpenDeals
{
	ChanceDeal *deals;			/* those that may be won or lost */
	int			n;
	int			exponent;		/* amounts are in units of 10^exponent */
	double		certain;		/* what is sure to come */
	double		total;			/* if all were won */
	double		variance;
	double		rounding;		/* how far off a sum of amounts may be */
} OpenDeals;

/* Multiplies by a power of ten; exact where the result is a whole number. */
static double
times_ten_to(double number, int power)
{
	return number == 0 ? 0 : power >= 0 ? number * pow(10, power) : number / pow(10, -power);
}

/* A finite value in units of 10^exponent. */
static double
in_units(const DecimalValue *value, int exponent)
{
	int			power;
	double		leading = decimal_leading(value, &power);

	return times_ten_to(leading, power * 4 - exponent);
}

/* An amount in units of 10^exponent as a numeric. */
static Datum
from_units(double number, int exponent, int dscale)
{
	char	   *text = psprintf("%.14e", number);
	char	   *e = strchr(text, 'e');

	text = psprintf("%.*se%d", (int) (e - text), text, atoi(e + 1) + exponent);
	return DirectFunctionCall2(numeric_round,
							   DirectFunctionCall3(numeric_in, CStringGetDatum(text),
												   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)),
							   Int32GetDatum(dscale));
}

/* The decimals that amounts are shown with. */
static int
amount_dscale(const SummaryView *view)
{
	HistogramBins scales = view->decimals[AMOUNT].scales;

	return scales.n == 0 ? 0 : (int) scales.bin[scales.n - 1].key;
}

static OpenDeals
open_deals(const SummaryView *view)
{
	HistogramBins bins = view->histograms[DEALS];
	OpenDeals	open = {0};
	double		rounded;
	int			smallest = EXPONENT_LIMIT;
	int			largest = -EXPONENT_LIMIT;

	for (int i = 0; i < bins.n; i++)
	{
		int32		key = abs(pair_first(bins.bin[i].key));

		if (key != 0)
		{
			smallest = Min(smallest, key / AMOUNT_UNITS - EXPONENT_LIMIT);
			largest = Max(largest, key / AMOUNT_UNITS - EXPONENT_LIMIT);
		}
	}
	open.exponent = Max(smallest, largest - 9) - (AMOUNT_DIGITS - 1);
	open.deals = palloc_extended((bins.n + 1) * sizeof(ChanceDeal), MCXT_ALLOC_HUGE);

	for (int i = 0; i < bins.n; i++)
	{
		int32		key = pair_first(bins.bin[i].key);
		int32		size = abs(key);
		double		chance = (double) pair_second(bins.bin[i].key) / CHANCE_UNITS;
		double		count = (double) bins.bin[i].count;
		double		amount = times_ten_to(size % AMOUNT_UNITS, size / AMOUNT_UNITS -
										  EXPONENT_LIMIT - (AMOUNT_DIGITS - 1) - open.exponent);
		ChanceDeal *deal = &open.deals[open.n];

		open.total += key < 0 ? -count * amount : count * amount;
		open.variance += count * amount * amount * chance * (1 - chance);
		if (chance == 0 || amount == 0)
			continue;

		/* to lose is to get back what would have been won */
		if (key < 0)
			open.certain -= count * amount;
		else if (chance == 1)
			open.certain += count * amount;
		if (chance == 1)
			continue;
		deal->amount = amount;
		deal->chance = key < 0 ? 1 - chance : chance;
		deal->count = bins.bin[i].count;
		deal->is_common = key > 0;
		open.n++;
	}

	/*
	 * Where amounts were rounded to six digits, a target that is a sum of
	 * amounts must still be reached by it.  With many deals these errors
	 * partly cancel.
	 */
	open.rounding = 1e-12 * (fabs(open.total) + fabs(open.certain));
	rounded = (double) decimal_view_rows(&view->decimals[ROUNDING]);
	if (rounded > 0)
		open.rounding += in_units(&view->decimals[ROUNDING].sum, open.exponent) *
			Min(1, 4 / sqrt(rounded));
	return open;
}

static double
spread_argument(double spread)
{
	if (!(spread >= 0 && spread <= 10))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("common spread %g is not between 0 and 10", spread),
				 errhint("Periods that turn out 20 %% better or worse have a spread of 0.2.")));
	return spread;
}

/* The standard deviation of the sum. */
PG_FUNCTION_INFO_V1(outlook_stddev);
Datum
outlook_stddev(PG_FUNCTION_ARGS)
{
	SummaryView view;
	OpenDeals	open;

	if (!summary_read(fcinfo, 0, &outlook_layout, &view))
		PG_RETURN_NULL();
	open = open_deals(&view);
	return from_units(sqrt(open.variance), open.exponent, amount_dscale(&view) + 2);
}

PG_FUNCTION_INFO_V1(outlook_quantile);
Datum
outlook_quantile(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		share = percentile_argument(PG_GETARG_FLOAT8(1));
	double		spread = spread_argument(PG_GETARG_FLOAT8(2));
	OpenDeals	open;
	double		quantile;

	if (!summary_read(fcinfo, 0, &outlook_layout, &view))
		PG_RETURN_NULL();
	open = open_deals(&view);
	quantile = open.certain +
		convolution_quantile(convolve(open.deals, open.n, spread), share);
	if (quantile == open.total)
		PG_RETURN_NUMERIC(decimal_view_sum(&view.decimals[AMOUNT]));
	return from_units(quantile, open.exponent, amount_dscale(&view));
}

PG_FUNCTION_INFO_V1(outlook_chance_of_reaching);
Datum
outlook_chance_of_reaching(PG_FUNCTION_ARGS)
{
	SummaryView view;
	DecimalNumeric target = decimal_numeric(PG_GETARG_DATUM(1));
	double		spread = spread_argument(PG_GETARG_FLOAT8(2));
	DecimalValue value;
	OpenDeals	open;
	double		wanted;

	if (target.kind == DECIMAL_NAN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target is NaN, which nothing can reach")));
	if (!summary_read(fcinfo, 0, &outlook_layout, &view))
		PG_RETURN_NULL();
	if (target.kind != DECIMAL_FINITE)
		PG_RETURN_FLOAT8(target.kind == DECIMAL_MINUS_INF ? 1 : 0);
	open = open_deals(&view);
	value = decimal_value(&target);
	wanted = in_units(&value, open.exponent);
	if (wanted == 0 && value.ndigits > 0)
		wanted = value.negative ? -DBL_MIN : DBL_MIN;
	wanted -= Min(open.rounding, 1e-5 * fabs(wanted));
	PG_RETURN_FLOAT8(convolution_at_least(convolve(open.deals, open.n, spread),
										  wanted - open.certain));
}

/*
 * What outlook_quantile and chance_of_reaching say, all at once and hundreds
 * of times faster, to a few hundredths: for reports on hundreds of reps.  A
 * handful of deals is convolved exactly, as there one amount may be all.
 */
#define EXACT_DEALS		10
#define COPIES_MAX		1000	/* more deals alike are as good as Poisson */

PG_FUNCTION_INFO_V1(outlook_range);
Datum
outlook_range(PG_FUNCTION_ARGS)
{
	static const double shares[] = {0.1, 0.5, 0.9};
	double		answers[lengthof(shares) + 1];
	Datum		columns[lengthof(answers)];
	bool		nulls[lengthof(answers)] = {false};
	TupleDesc	row;
	SummaryView view;
	DecimalNumeric target = decimal_numeric(PG_GETARG_DATUM(1));
	double		spread = spread_argument(PG_GETARG_FLOAT8(2));
	OpenDeals	open;
	DecimalValue value;
	double		wanted;
	int64		ndeals = 0;

	if (target.kind != DECIMAL_FINITE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target is not a finite number")));
	if (!summary_read(fcinfo, 0, &outlook_layout, &view))
		PG_RETURN_NULL();
	open = open_deals(&view);
	value = decimal_value(&target);
	wanted = in_units(&value, open.exponent);
	wanted -= Min(open.rounding, 1e-5 * fabs(wanted)) + open.certain;
	for (int i = 0; i < open.n; i++)
		ndeals += Min(open.deals[i].count, EXACT_DEALS + 1);

	if (ndeals <= EXACT_DEALS)
	{
		Convolution *sum = convolve(open.deals, open.n, spread);

		for (int i = 0; i < lengthof(shares); i++)
			answers[i] = convolution_quantile(sum, shares[i]);
		answers[lengthof(shares)] = convolution_at_least(sum, wanted);
	}
	else
	{
		SumDeal    *deals;
		SumRate    *rates = palloc_extended(open.n * sizeof(SumRate), MCXT_ALLOC_HUGE);
		int			nrates = 0;

		ndeals = 0;
		for (int i = 0; i < open.n; i++)
			ndeals += open.deals[i].count <= COPIES_MAX ? open.deals[i].count : 0;
		deals = palloc_extended((ndeals + 1) * sizeof(SumDeal), MCXT_ALLOC_HUGE);
		ndeals = 0;
		for (int i = 0; i < open.n; i++)
		{
			ChanceDeal *deal = &open.deals[i];

			if (deal->count > COPIES_MAX)
				rates[nrates++] = (SumRate) {deal->amount, deal->chance * deal->count};
			else
			{
				for (int k = 0; k < deal->count; k++)
					deals[ndeals++] = (SumDeal) {deal->amount, deal->chance};
			}
		}
		deal_sum_quantiles(deals, ndeals, rates, nrates, spread, shares, lengthof(shares),
						   answers, wanted, &answers[lengthof(shares)]);
	}

	for (int i = 0; i < lengthof(shares); i++)
		answers[i] = times_ten_to(answers[i] + open.certain, open.exponent);
	for (int i = 0; i < lengthof(answers); i++)
		columns[i] = Float8GetDatum(answers[i]);
	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), columns, nulls)));
}
