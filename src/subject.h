/*-------------------------------------------------------------------------
 *
 * subject.h
 *	  Summaries of a single subject, of which others are made: a customer's
 *	  purchases by period (period_summary, counted by cohort_summary), a deal's
 *	  way through the stages (stage_path, counted by funnel_summary).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUBJECT_H
#define SALES_PERF_SUBJECT_H

#include "grain.h"
#include "summary.h"

/* The fields of period_summary. */
enum
{
	PERIOD_UNDATED,				/* rows without a finite day */
	PERIOD_INVALID,				/* rows whose term was of no use */
	PERIOD_COUNTS
};

enum
{
	PERIOD_ROWS,				/* rows, each in one period */
	PERIOD_UNPRICED,			/* of these, rows without an amount */
	PERIOD_COVERED,				/* rows whose term covers a day of the period */
	PERIOD_POINT_COUNTS
};

extern const SummaryLayout period_layout;
extern const OptionField grain_option;

/* The grain of a summary that has rows. */
static inline Grain
period_grain(const SummaryView *view)
{
	return (Grain) (view->option - 1);
}

/* Are there days in all periods of a series that has periods for keys?  Keys ascend. */
static inline bool
series_periods_exist(const SummaryView *view)
{
	const SeriesPoints *periods = &view->series;

	return periods->n == 0 ||
		(grain_has_period(period_grain(view), periods->point[0].key) &&
		 grain_has_period(period_grain(view), periods->point[periods->n - 1].key));
}

extern int	days_argument(FunctionCallInfo fcinfo, int argument, const char *name, const DateADT **days);
extern Periods period_starts_argument(FunctionCallInfo fcinfo, int argument, Grain grain);

/* The fields of stage_path. */
enum
{
	PATH_UNDATED,				/* rows without a finite day */
	PATH_UNSTAGED,				/* others without a stage */
	PATH_COUNTS
};

extern const SummaryLayout stage_path_layout;

#endif							/* SALES_PERF_SUBJECT_H */
