/*-------------------------------------------------------------------------
 *
 * conversion.c
 *	  conversion_summary: how many of those that entered were converted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "proportion.h"
#include "summary_type.h"

enum
{
	ENTERED,
	CONVERTED,
	NCOUNTS
};

static const char *const count_names[NCOUNTS] = {"entered", "converted"};

static bool
conversion_consistent(const SummaryView *view)
{
	return view->counts[CONVERTED] <= view->counts[ENTERED];
}

static const SummaryLayout conversion_layout = {
	.type_name = "conversion_summary",
	.type_id = 1,
	.ncounts = NCOUNTS,
	.counts = count_names,
	.consistent = conversion_consistent
};

SUMMARY_TYPE(conversion_layout, conversion_summary);

static Datum
conversion_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &conversion_layout);

	if (!PG_ARGISNULL(1))
	{
		summary_add_count(state, ENTERED, sign);
		if (PG_GETARG_BOOL(1))
			summary_add_count(state, CONVERTED, sign);
	}
	return summary_end(fcinfo, &conversion_layout, state);
}

PG_FUNCTION_INFO_V1(conversion_agg_add);
Datum
conversion_agg_add(PG_FUNCTION_ARGS)
{
	return conversion_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(conversion_agg_remove);
Datum
conversion_agg_remove(PG_FUNCTION_ARGS)
{
	return conversion_row(fcinfo, -1);
}

/* conversion_summary(entered, converted) */
PG_FUNCTION_INFO_V1(conversion_summary_make);
Datum
conversion_summary_make(PG_FUNCTION_ARGS)
{
	SummaryView view;

	view.layout = &conversion_layout;
	view.counts[ENTERED] = PG_GETARG_INT64(0);
	view.counts[CONVERTED] = PG_GETARG_INT64(1);
	if (view.counts[CONVERTED] < 0 || !conversion_consistent(&view))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%lld converted of %lld entered is not possible",
						(long long) view.counts[CONVERTED], (long long) view.counts[ENTERED]),
				 errhint("Converted must lie between 0 and entered.")));
	return PointerGetDatum(summary_pack(&view));
}

SUMMARY_COUNT(conversion_entered_count, conversion_layout, ENTERED);
SUMMARY_COUNT(conversion_converted_count, conversion_layout, CONVERTED);

/* converted / entered */
PG_FUNCTION_INFO_V1(conversion_rate);
Datum
conversion_rate(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &conversion_layout, &view) || view.counts[ENTERED] == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) view.counts[CONVERTED] / (double) view.counts[ENTERED]);
}

static Datum
conversion_limit(FunctionCallInfo fcinfo, bool upper)
{
	SummaryView view;
	double		confidence = PG_GETARG_FLOAT8(1);
	double		low;
	double		high;

	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence level %g is not between 0 and 1", confidence)));
	if (!summary_read(fcinfo, 0, &conversion_layout, &view) || view.counts[ENTERED] == 0)
		PG_RETURN_NULL();
	wilson_interval(view.counts[CONVERTED], view.counts[ENTERED], confidence, &low, &high);
	PG_RETURN_FLOAT8(upper ? high : low);
}

PG_FUNCTION_INFO_V1(conversion_rate_low);
Datum
conversion_rate_low(PG_FUNCTION_ARGS)
{
	return conversion_limit(fcinfo, false);
}

PG_FUNCTION_INFO_V1(conversion_rate_high);
Datum
conversion_rate_high(PG_FUNCTION_ARGS)
{
	return conversion_limit(fcinfo, true);
}

/* Could the two rates be the same?  Two-sided, pooled, uncorrected. */
PG_FUNCTION_INFO_V1(conversion_p_value);
Datum
conversion_p_value(PG_FUNCTION_ARGS)
{
	SummaryView a;
	SummaryView b;
	double		p;

	if (!summary_read(fcinfo, 0, &conversion_layout, &a) ||
		!summary_read(fcinfo, 1, &conversion_layout, &b))
		PG_RETURN_NULL();
	p = two_proportion_p(a.counts[CONVERTED], a.counts[ENTERED],
						 b.counts[CONVERTED], b.counts[ENTERED]);
	if (isnan(p))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(p);
}
