/*-------------------------------------------------------------------------
 *
 * grain.c
 *	  Periods of the calendar: days, ISO weeks, months, quarters, years.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "grain.h"
#include "utils/datetime.h"

/* the days of type date */
#define FIRST_DAY	((DateADT) (DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE))
#define LAST_DAY	((DateADT) (DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1))

const char *const grain_names[GRAINS] = {"day", "week", "month", "quarter", "year"};

/* The number of the period that a (finite) day belongs to. */
int64
grain_period(Grain grain, DateADT day)
{
	int			year;
	int			month;
	int			day_of_month;

	switch (grain)
	{
		case GRAIN_DAY:
			return day;
		case GRAIN_WEEK:
			/* day 0 of Julian days is a Monday */
			return ((int64) day + POSTGRES_EPOCH_JDATE) / 7;
		default:
			break;
	}
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
	return grain == GRAIN_YEAR ? year :
		grain == GRAIN_QUARTER ? (int64) year * 4 + (month - 1) / 3 :
		(int64) year * 12 + month - 1;
}

/*
 * The first day of a period.  Of one that began before there were days, it is
 * the first; of one that begins after, the day behind the last.
 */
DateADT
grain_start(Grain grain, int64 period)
{
	int			months;
	int			year;
	int			month;
	int64		day;

	if (period > grain_period(grain, LAST_DAY))
		return LAST_DAY + 1;
	switch (grain)
	{
		case GRAIN_DAY:
			return (DateADT) period;
		case GRAIN_WEEK:
			return (DateADT) (period * 7 - POSTGRES_EPOCH_JDATE);
		default:
			break;
	}
	months = grain == GRAIN_YEAR ? 12 : grain == GRAIN_QUARTER ? 3 : 1;
	year = (int) (period * months / 12);
	month = (int) (period * months % 12);
	if (month < 0)
	{
		month += 12;
		year--;
	}
	day = (int64) date2j(year, month + 1, 1) - POSTGRES_EPOCH_JDATE;
	return (DateADT) Max(day, FIRST_DAY);
}

/* Do the days of type date have a period of that number? */
bool
grain_has_period(Grain grain, int64 period)
{
	return period >= grain_period(grain, FIRST_DAY) && period <= grain_period(grain, LAST_DAY);
}

/*
 * The same period a year before: of a week the one 52 weeks before, of a day
 * that of the same date, where 29 February follows 28 February.
 */
int64
grain_year_ago(Grain grain, int64 period)
{
	int			year;
	int			month;
	int			day;

	switch (grain)
	{
		case GRAIN_DAY:
			j2date((int) period + POSTGRES_EPOCH_JDATE, &year, &month, &day);
			if (month == 2 && day == 29)
				day = 28;
			return (int64) date2j(year - 1, month, day) - POSTGRES_EPOCH_JDATE;
		case GRAIN_WEEK:
			return period - 52;
		case GRAIN_MONTH:
			return period - 12;
		case GRAIN_QUARTER:
			return period - 4;
		default:
			return period - 1;
	}
}

/* After how many periods the season comes round again. */
int
grain_season(Grain grain)
{
	static const int season[GRAINS] = {7, 52, 12, 4, 1};

	return season[grain];
}
