/*-------------------------------------------------------------------------
 *
 * grain.c
 *	  Periods of the calendar: days, ISO weeks, months, quarters, years; and
 *	  those whose first days are given.
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

/* ---------- periods whose first days are given ---------- */

Periods
periods_of_grain(Grain grain)
{
	return (Periods) {.grain = grain};
}

/*
 * Periods by their first days, at least one, ascending.  The first has the
 * number of the period of its grain that its sixteenth day lies in (of days and
 * weeks, of its first and fourth): so months that begin with months are numbered
 * as ever, and those that begin some days before or after have the number of
 * the month that they stand for, however far back the days given reach.
 */
Periods
periods_given(Grain grain, const DateADT *starts, int nstarts)
{
	int			into = grain == GRAIN_DAY ? 0 : grain == GRAIN_WEEK ? 3 : 15;

	return (Periods) {
		.grain = grain,
		.nstarts = nstarts,
		.starts = starts,
		.first = grain_period(grain, (DateADT) Min((int64) starts[0] + into, LAST_DAY))
	};
}

/*
 * The day some periods of a grain after (or before) another, the same one of a
 * month or the month's last.
 */
static DateADT
days_on(Grain grain, DateADT from, int64 periods)
{
	int			year;
	int			month;
	int			day_of_month;
	int64		months;
	int64		day;

	if (grain == GRAIN_DAY || grain == GRAIN_WEEK)
		day = from + periods * (grain == GRAIN_WEEK ? 7 : 1);
	else
	{
		j2date(from + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
		months = (int64) year * 12 + month - 1 +
			periods * (grain == GRAIN_YEAR ? 12 : grain == GRAIN_QUARTER ? 3 : 1);
		if (months < grain_period(GRAIN_MONTH, FIRST_DAY))
			return FIRST_DAY;
		if (months > grain_period(GRAIN_MONTH, LAST_DAY))
			return LAST_DAY + 1;
		year = (int) (months / 12);
		month = (int) (months % 12);
		if (month < 0)
		{
			month += 12;
			year--;
		}
		day_of_month = Min(day_of_month, day_tab[isleap(year)][month]);
		day = (int64) date2j(year, month + 1, day_of_month) - POSTGRES_EPOCH_JDATE;
	}
	return (DateADT) Min(Max(day, FIRST_DAY), LAST_DAY + 1);
}

/*
 * The number of the period that a day belongs to, where first days are given.
 * Before the first and from the last on periods go on by the grain.
 */
int64
given_period(const Periods *periods, DateADT day)
{
	const DateADT *starts = periods->starts;
	int			low = 0;
	int			high = periods->nstarts - 1;
	int			guess;

	if (unlikely(day < starts[low] || day >= starts[high]))
	{
		int			known = day < starts[low] ? low : high;
		int64		on = grain_period(periods->grain, day) -
			grain_period(periods->grain, starts[known]);

		while (days_on(periods->grain, starts[known], on) > day)
			on--;
		while (days_on(periods->grain, starts[known], on + 1) <= day)
			on++;
		return periods->first + known + on;
	}

	/* they are about as long as each other: it is the one guessed, or one beside it */
	guess = (int) (((int64) day - starts[low]) * high / ((int64) starts[high] - starts[low]));
	if (guess > 0 && starts[guess - 1] <= day)
		low = guess - 1;
	if (guess + 2 < high && starts[guess + 2] > day)
		high = guess + 2;
	while (high - low > 1)
	{
		int			middle = low + (high - low) / 2;

		if (starts[middle] <= day)
			low = middle;
		else
			high = middle;
	}
	return periods->first + low;
}

/* The first day of a period, with the limits of grain_start. */
DateADT
period_start(const Periods *periods, int64 period)
{
	int64		place = period - periods->first;
	int			known = place < 0 ? 0 : (int) Min(place, (int64) periods->nstarts - 1);

	if (periods->nstarts == 0)
		return grain_start(periods->grain, period);
	if (place == known)
		return periods->starts[known];
	return days_on(periods->grain, periods->starts[known], place - known);
}
