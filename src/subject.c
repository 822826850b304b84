/*-------------------------------------------------------------------------
 *
 * subject.c
 *	  Summaries of a single subject, of which others are made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "subject.h"

const OptionField grain_option = {"grain", GRAINS, grain_names};

/* ---------- period_summary ---------- */

static const char *const period_counts[PERIOD_COUNTS] = {"undated", "invalid"};
static const char *const period_point_counts[PERIOD_POINT_COUNTS] = {"rows", "unpriced", "covered"};
static const char *const period_sums[] = {"amount"};

static const SeriesField period_series = {
	.name = "periods",
	.ncounts = PERIOD_POINT_COUNTS,
	.nsums = lengthof(period_sums),
	.counts = period_point_counts,
	.sums = period_sums
};

static bool
period_consistent(const SummaryView *view)
{
	const SeriesPoints *periods = &view->series;

	for (int i = 0; i < periods->n; i++)
	{
		const SeriesPoint *point = &periods->point[i];

		if (point->counts[PERIOD_UNPRICED] > point->counts[PERIOD_ROWS])
			return false;
	}

	/* keys ascend */
	return periods->n == 0 ||
		(grain_has_period(period_grain(view), periods->point[0].key) &&
		 grain_has_period(period_grain(view), periods->point[periods->n - 1].key));
}

const SummaryLayout period_layout = {
	.type_name = "period_summary",
	.type_id = 5,
	.ncounts = PERIOD_COUNTS,
	.counts = period_counts,
	.series = &period_series,
	.option = &grain_option,
	.consistent = period_consistent
};

/* ---------- stage_path ---------- */

static const char *const path_counts[PATH_COUNTS] = {"undated", "unstaged"};
static const char *const path_point_counts[] = {"events"};

/* keys are pair_key(day, stage): by day, those of one day by stage */
static const SeriesField path_series = {
	.name = "path",
	.pair = true,
	.ncounts = lengthof(path_point_counts),
	.counts = path_point_counts
};

static bool
path_consistent(const SummaryView *view)
{
	const SeriesPoints *path = &view->series;

	/* keys ascend */
	return path->n == 0 ||
		(IS_VALID_DATE(pair_first(path->point[0].key)) &&
		 IS_VALID_DATE(pair_first(path->point[path->n - 1].key)));
}

const SummaryLayout stage_path_layout = {
	.type_name = "stage_path",
	.type_id = 7,
	.ncounts = PATH_COUNTS,
	.counts = path_counts,
	.series = &path_series,
	.consistent = path_consistent
};
