/*-------------------------------------------------------------------------
 *
 * amount.c
 *	  amount_summary: totals, averages, spread and quantiles of amounts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary_type.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

enum
{
	AMOUNT
};

enum
{
	AMOUNTS
};

static const DecimalField decimal_fields[] = {{"amount", true}};
static const char *const histogram_names[] = {"amounts"};

static bool
amount_consistent(const SummaryView *view)
{
	return histogram_total(view->histograms[AMOUNTS]) ==
		decimal_view_rows(&view->decimals[AMOUNT]);
}

static const SummaryLayout amount_layout = {
	.type_name = "amount_summary",
	.type_id = 2,
	.ndecimals = lengthof(decimal_fields),
	.nhistograms = lengthof(histogram_names),
	.decimals = decimal_fields,
	.histograms = histogram_names,
	.consistent = amount_consistent
};

SUMMARY_TYPE(amount_layout, amount_summary);

static pg_attribute_always_inline Datum
amount_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &amount_layout);

	if (!PG_ARGISNULL(1))
	{
		Datum		amount = PG_GETARG_DATUM(1);
		int64		mantissa;
		int			dscale;
		bool		is_fast = decimal_mantissa(amount, &mantissa, &dscale);

		state = summary_add_numeric(&amount_layout, state, AMOUNT, amount, is_fast, mantissa,
									dscale, sign);
		state = summary_add_row_key(&amount_layout, state, SUMMARY_PART(&amount_layout, AMOUNTS),
									is_fast ? mantissa_bucket(mantissa) : decimal_bucket(amount),
									sign);
	}
	return summary_end(fcinfo, &amount_layout, state);
}

PG_FUNCTION_INFO_V1(amount_agg_add);
Datum
amount_agg_add(PG_FUNCTION_ARGS)
{
	return amount_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(amount_agg_remove);
Datum
amount_agg_remove(PG_FUNCTION_ARGS)
{
	return amount_row(fcinfo, -1);
}

PG_FUNCTION_INFO_V1(amount_count);
Datum
amount_count(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &amount_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_INT64(decimal_view_rows(&view.decimals[AMOUNT]));
}

/* As sum(numeric), but 0 where there are no rows. */
PG_FUNCTION_INFO_V1(amount_total);
Datum
amount_total(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &amount_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(decimal_view_sum(&view.decimals[AMOUNT]));
}

/* As avg(numeric). */
PG_FUNCTION_INFO_V1(amount_average);
Datum
amount_average(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int64		rows;

	if (!summary_read(fcinfo, 0, &amount_layout, &view) ||
		(rows = decimal_view_rows(&view.decimals[AMOUNT])) == 0)
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_div,
							   NumericGetDatum(decimal_view_sum(&view.decimals[AMOUNT])),
							   NumericGetDatum(int64_to_numeric(rows)));
}

/* As stddev_samp(numeric): sqrt((n * sum(x^2) - sum(x)^2) / (n * (n - 1))). */
PG_FUNCTION_INFO_V1(amount_stddev);
Datum
amount_stddev(PG_FUNCTION_ARGS)
{
	SummaryView view;
	const DecimalView *amount = &view.decimals[AMOUNT];
	int64		rows;
	Datum		n;
	Datum		sum;
	Datum		squares;
	Datum		above;
	Datum		below;
	Datum		variance;
	int			dscale = 0;

	if (!summary_read(fcinfo, 0, &amount_layout, &view) ||
		(rows = decimal_view_rows(amount)) <= 1)
		PG_RETURN_NULL();
	if (decimal_view_kind(amount) != DECIMAL_FINITE)
		PG_RETURN_NUMERIC(decimal_special_numeric(DECIMAL_NAN));

	for (int i = 0; i < amount->scales.n; i++)
		dscale = (int) amount->scales.bin[i].key;
	n = NumericGetDatum(int64_to_numeric(rows));
	sum = NumericGetDatum(decimal_view_sum(amount));
	squares = NumericGetDatum(decimal_to_numeric(&amount->squares,
												 Min(2 * dscale, NUMERIC_LONG_DSCALE_MASK)));
	above = DirectFunctionCall2(numeric_sub,
								DirectFunctionCall2(numeric_mul, n, squares),
								DirectFunctionCall2(numeric_mul, sum, sum));
	below = DirectFunctionCall2(numeric_mul, n,
								NumericGetDatum(int64_to_numeric(rows - 1)));

	/* exact arithmetic: 0 if all amounts are alike, never below */
	if (DatumGetBool(DirectFunctionCall2(numeric_le, above,
										 NumericGetDatum(int64_to_numeric(0)))))
		PG_RETURN_NUMERIC(int64_to_numeric(0));

	/*
	 * stddev_samp() takes the root to as many decimals as the quotient has,
	 * numeric_sqrt() to more of its own choice: root with ten more, so that
	 * it is as good as rounded once.
	 */
	variance = DirectFunctionCall2(numeric_div, above, below);
	dscale = DatumGetInt32(DirectFunctionCall1(numeric_scale, variance));
	variance = DirectFunctionCall2(numeric_round, variance, Int32GetDatum(dscale + 10));
	return DirectFunctionCall2(numeric_round,
							   DirectFunctionCall1(numeric_sqrt, variance),
							   Int32GetDatum(dscale));
}

/* The amount that stands for a bucket. */
static Datum
bucket_amount(int64 key)
{
	DecimalValue middle;

	if (key == AMOUNT_KEY_NAN)
		return NumericGetDatum(decimal_special_numeric(DECIMAL_NAN));
	if (key == AMOUNT_KEY_PLUS_INF)
		return NumericGetDatum(decimal_special_numeric(DECIMAL_PLUS_INF));
	if (key == AMOUNT_KEY_MINUS_INF)
		return NumericGetDatum(decimal_special_numeric(DECIMAL_MINUS_INF));
	middle = decimal_bucket_middle(key);
	return NumericGetDatum(decimal_to_numeric(&middle, 0));
}

/*
 * As percentile_cont over the amounts, each to within 0.5 %.  So is the
 * result where the two amounts it lies between have the same sign.
 */
PG_FUNCTION_INFO_V1(amount_percentile);
Datum
amount_percentile(PG_FUNCTION_ARGS)
{
	SummaryView view;
	double		share = percentile_argument(PG_GETARG_FLOAT8(1));
	int64		rows;
	int64		low;
	int64		high;
	double		between;
	Datum		from;
	Datum		until;
	Datum		amount;

	if (!summary_read(fcinfo, 0, &amount_layout, &view) ||
		(rows = histogram_total(view.histograms[AMOUNTS])) == 0)
		PG_RETURN_NULL();
	histogram_rank(view.histograms[AMOUNTS], rows, share, &low, &high, &between);
	from = bucket_amount(low);
	if (low == high)
		return from;
	until = bucket_amount(high);
	amount = DirectFunctionCall2(numeric_add, from,
								 DirectFunctionCall2(numeric_mul,
													 DirectFunctionCall2(numeric_sub, until, from),
													 DirectFunctionCall1(float8_numeric,
																		 Float8GetDatum(between))));
	return DirectFunctionCall1(numeric_trim_scale, amount);
}
