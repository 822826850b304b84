/*-------------------------------------------------------------------------
 *
 * stage_path.c
 *	  stage_path: the way of a deal through the stages of its pipeline.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "subject.h"
#include "summary_type.h"
#include "utils/date.h"
#include "utils/tuplestore.h"
#include "visits.h"

SUMMARY_TYPE(stage_path_layout, stage_path);

static pg_attribute_always_inline Datum
path_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &stage_path_layout);
	DateADT		entered_on = PG_GETARG_DATEADT(2);

	if (unlikely(PG_ARGISNULL(2) || DATE_NOT_FINITE(entered_on)))
		summary_add_count(state, PATH_UNDATED, sign);
	else if (unlikely(PG_ARGISNULL(1)))
		summary_add_count(state, PATH_UNSTAGED, sign);
	else
	{
		int64		key = pair_key(entered_on, PG_GETARG_INT32(1));
		SeriesEntry *entry = series_entry(summary_series(&stage_path_layout, state), key, 0);

		if (unlikely(entry == NULL || !series_add_count(&entry->counts[0], sign)))
			state = summary_add_point(&stage_path_layout, state, key, &sign, NULL, 1);
	}
	return summary_end(fcinfo, &stage_path_layout, state);
}

PG_FUNCTION_INFO_V1(stage_path_agg_add);
Datum
stage_path_agg_add(PG_FUNCTION_ARGS)
{
	return path_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(stage_path_agg_remove);
Datum
stage_path_agg_remove(PG_FUNCTION_ARGS)
{
	return path_row(fcinfo, -1);
}

SUMMARY_COUNT(stage_path_undated_count, stage_path_layout, PATH_UNDATED);
SUMMARY_COUNT(stage_path_unstaged_count, stage_path_layout, PATH_UNSTAGED);

/* Events, each of which put the deal into a stage on a day. */
PG_FUNCTION_INFO_V1(stage_path_event_count);
Datum
stage_path_event_count(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int64		events = 0;

	if (!summary_read(fcinfo, 0, &stage_path_layout, &view))
		PG_RETURN_NULL();
	for (int i = 0; i < view.series.n; i++)
	{
		if (pg_add_s64_overflow(events, view.series.point[i].counts[0], &events))
			histogram_overflow();
	}
	PG_RETURN_INT64(events);
}

/* The highest stage that the deal was ever in. */
PG_FUNCTION_INFO_V1(stage_path_furthest);
Datum
stage_path_furthest(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int32		furthest = PG_INT32_MIN;

	if (!summary_read(fcinfo, 0, &stage_path_layout, &view) || view.series.n == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < view.series.n; i++)
		furthest = Max(furthest, pair_second(view.series.point[i].key));
	PG_RETURN_INT32(furthest);
}

/* Days of the visits to a stage that ended: the last one has not, as far as a path can tell. */
PG_FUNCTION_INFO_V1(stage_path_days);
Datum
stage_path_days(PG_FUNCTION_ARGS)
{
	int32		stage = PG_GETARG_INT32(1);
	SummaryView view;
	Visits		visits;
	int64		days = 0;
	bool		any = false;

	if (!summary_read(fcinfo, 0, &stage_path_layout, &view))
		PG_RETURN_NULL();
	visits = visits_read(&view.series);
	for (int i = 0; i < visits.n - 1; i++)
	{
		if (visits.visit[i].stage != stage)
			continue;
		days += (int64) visits.visit[i + 1].entered_on - visits.visit[i].entered_on;
		any = true;
	}
	if (!any)
		PG_RETURN_NULL();
	PG_RETURN_INT64(days);
}

/* The moves from each event to the next, in order. */
PG_FUNCTION_INFO_V1(stage_path_moves);
Datum
stage_path_moves(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	int64		move_no = 0;
	int64		before = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (!summary_read(fcinfo, 0, &stage_path_layout, &view))
		return (Datum) 0;
	for (int i = 0; i < view.series.n; i++)
	{
		const SeriesPoint *event = &view.series.point[i];

		for (int64 times = 0; times < event->counts[0]; times++, move_no++)
		{
			Datum		values[5];
			bool		nulls[5] = {false};

			CHECK_FOR_INTERRUPTS();
			if (move_no > 0)
			{
				if (move_no > PG_INT32_MAX)
					histogram_overflow();
				values[0] = Int32GetDatum((int32) move_no);
				values[1] = Int32GetDatum(pair_second(before));
				values[2] = Int32GetDatum(pair_second(event->key));
				values[3] = DateADTGetDatum(pair_first(event->key));
				values[4] = Int32GetDatum(pair_first(event->key) - pair_first(before));
				tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			}
			before = event->key;
		}
	}
	return (Datum) 0;
}
