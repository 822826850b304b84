/*-------------------------------------------------------------------------
 *
 * grain.h
 *	  Periods of the calendar: days, ISO weeks, months, quarters, years.
 *
 * Periods of a grain are numbered without gaps, so that the period before is
 * the number before.  They are those of everyday's calendar, or those whose
 * first days are given, as of a fiscal year of 4-4-5 weeks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_GRAIN_H
#define SALES_PERF_GRAIN_H

#include "postgres.h"

#include "utils/date.h"

typedef enum Grain
{
	GRAIN_DAY,
	GRAIN_WEEK,					/* from Monday to Sunday */
	GRAIN_MONTH,
	GRAIN_QUARTER,
	GRAIN_YEAR,
	GRAINS
} Grain;

extern const char *const grain_names[GRAINS];

extern int64 grain_period(Grain grain, DateADT day);
extern DateADT grain_start(Grain grain, int64 period);
extern bool grain_has_period(Grain grain, int64 period);
extern int64 grain_year_ago(Grain grain, int64 period);
extern int	grain_season(Grain grain);

/* What a day's period is told by: the grain alone, or the periods' first days. */
typedef struct Periods
{
	Grain		grain;
	int			nstarts;		/* 0: the periods of everyday's calendar */
	const DateADT *starts;		/* ascending */
	int64		first;			/* the number of the first of them */
} Periods;

extern Periods periods_of_grain(Grain grain);
extern Periods periods_given(Grain grain, const DateADT *starts, int nstarts);
extern int64 given_period(const Periods *periods, DateADT day);
extern DateADT period_start(const Periods *periods, int64 period);

/* The number of the period that a (finite) day belongs to. */
static inline int64
period_of_day(const Periods *periods, DateADT day)
{
	return periods->nstarts == 0 ? grain_period(periods->grain, day) :
		given_period(periods, day);
}

#endif							/* SALES_PERF_GRAIN_H */
