/*-------------------------------------------------------------------------
 *
 * stage_clock.h
 *	  How deals leave a stage: won, lost or moved on, by the days they have been
 *	  in it; and what that means for those that are in it now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_STAGE_CLOCK_H
#define SALES_PERF_STAGE_CLOCK_H

#include "postgres.h"

/* How a visit to a stage ended: 0 and above is the stage moved to. */
#define VISIT_GOES_ON	(-1)
#define VISIT_WON		(-2)
#define VISIT_LOST		(-3)

/* No such day: of a deal that has not been won. */
#define NEVER			PG_INT32_MAX

/* A deal's stay in a stage.  Days are numbers of days. */
typedef struct Visit
{
	int32		stage;
	int32		entered;
	int32		left;			/* the day it ended; of one that goes on the last day known */
	int32		end;
	int32		rep;
	int32		segment;
	int32		won;			/* the day the deal was won, or NEVER */
} Visit;

/* What there is to learn from. */
typedef struct ClockData
{
	const Visit *visits;
	int			nvisits;
	int			nstages;
	int			nreps;
	int			nsegments;
	int			history_from;	/* what ended before this day is not known */
	int			as_of;			/* the last day known */

	/* consecutive months: where they begin, the last one's end, their places in the quarter */
	const int32 *month_starts;	/* nmonths + 1 */
	const int32 *month_places;	/* nmonths, each 0 to MONTH_PLACES - 1 */
	int			nmonths;
} ClockData;

#define MONTH_PLACES	3

enum
{
	END_WON,
	END_LOST,
	END_MOVED,
	NENDS
};

/* Is there an effect of the month in the quarter, and which? */
typedef struct MonthEffect
{
	bool		is_kept;
	double		factors[MONTH_PLACES];
	bool		is_kept_by_age;
} MonthEffect;

typedef struct StageClock
{
	int			nstages;
	double	   *hazards;		/* [end][stage][band][place], a day */
	double	   *moves;			/* [stage][stage]: where those who move go */
	int32	   *last_ages;		/* [stage] nobody was seen on a day after this age; -1: nobody at all */
	double	   *events;			/* [end][stage] */
	double	   *days;			/* [stage]: at risk */
	MonthEffect months[NENDS];

	/* how often reps and segments win, as a factor of the odds; and what it is made of */
	double	   *rep_won;
	double	   *rep_expected;
	double	   *rep_factors;
	double	   *segment_won;
	double	   *segment_expected;
	double	   *segment_factors;
} StageClock;

/* How far whole months have come out above or below what was expected of them. */
typedef struct ClockSpread
{
	double		common;
	double		of_rep;
	int			nmonths;
	double	   *stage_factors;	/* what has come / what was expected, shrunk */
	double	   *segment_factors;	/* the same, given that of all */
} ClockSpread;

extern StageClock *stage_clock_fit(const ClockData *data, int last_day);
extern void stage_clock_chances(const StageClock *clock, const ClockData *data, int from,
								int until, double *chances, int nages);
extern ClockSpread stage_clock_replay(const ClockData *data);
extern int	stage_clock_ages(const ClockData *data);

static inline double
change_chance(double chance, double factor)
{
	return chance * factor / (1 - chance + chance * factor);
}

#endif							/* SALES_PERF_STAGE_CLOCK_H */
