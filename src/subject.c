/*-------------------------------------------------------------------------
 *
 * subject.c
 *	  Summaries of a single subject, of which others are made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "subject.h"
#include "utils/array.h"

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
	return series_periods_exist(view);
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

/* What is known of the first days that were given before. */
typedef struct CheckedStarts
{
	const DateADT *starts;
	int			n;
	DateADT		first;
	DateADT		last;
	Periods		periods;
} CheckedStarts;

/* The array's days, or an error if they are none that periods could begin with. */
static void
check_starts(const DateADT *starts, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (DATE_NOT_FINITE(starts[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("period_starts must be finite dates")));
		if (i > 0 && starts[i - 1] >= starts[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("period_starts must ascend"),
					 errdetail("Element %d is not after the one before.", i + 1),
					 errhint("Give each period's first day once, the earliest first.")));
	}
}

/* How many days an argument's array holds, and which; NULL, or no argument at all, is none. */
int
days_argument(FunctionCallInfo fcinfo, int argument, const char *name, const DateADT **days)
{
	ArrayType  *array;

	if (PG_NARGS() <= argument || PG_ARGISNULL(argument))
		return 0;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) == 0)
		return 0;
	if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be one-dimensional and hold no nulls", name)));
	*days = (const DateADT *) ARR_DATA_PTR(array);
	return ARR_DIMS(array)[0];
}

/*
 * The periods of a grain, by the first days that an argument gives; where it is
 * NULL, empty or not there at all, those of everyday's calendar.  It is the
 * same array for all rows of a query, so it is checked once, unless the caller
 * has nowhere to remember that.
 */
Periods
period_starts_argument(FunctionCallInfo fcinfo, int argument, Grain grain)
{
	CheckedStarts *checked = fcinfo->flinfo->fn_extra;
	const DateADT *starts;
	int			n = days_argument(fcinfo, argument, "period_starts", &starts);

	if (n == 0)
		return periods_of_grain(grain);
	if (checked == NULL || checked->starts != starts || checked->n != n ||
		checked->first != starts[0] || checked->last != starts[n - 1] ||
		checked->periods.grain != grain)
	{
		check_starts(starts, n);
		if (checked == NULL)
			checked = fcinfo->flinfo->fn_extra =
				MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CheckedStarts));
		checked->starts = starts;
		checked->n = n;
		checked->first = starts[0];
		checked->last = starts[n - 1];
		checked->periods = periods_given(grain, starts, n);
	}
	return checked->periods;
}

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
