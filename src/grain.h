/*-------------------------------------------------------------------------
 *
 * grain.h
 *	  Periods of the calendar: days, ISO weeks, months, quarters, years.
 *
 * Periods of a grain are numbered without gaps, so that the period before is
 * the number before.
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

#endif							/* SALES_PERF_GRAIN_H */
