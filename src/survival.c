/*-------------------------------------------------------------------------
 *
 * survival.c
 *	  Time until deals close, with those still open censored: Kaplan-Meier,
 *	  Aalen-Johansen, log-rank.
 *
 * Formulas: J. D. Kalbfleisch and R. L. Prentice, The Statistical Analysis of
 * Failure Time Data, 2nd ed., sections 1.4, 1.5 and 8.2.  On a day with both,
 * closings come before censorings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "proportion.h"
#include "survival.h"

/*
 * A survival of exactly one half may come out an ulp above it where
 * censorings lie between the closings; a real difference is far larger.
 */
#define HALF (0.5 + 1e-12)

static int64
next_day(int64 day, bool *any, int64 candidate)
{
	if (!*any || candidate < day)
		day = candidate;
	*any = true;
	return day;
}

static int64
add_counts(int64 a, int64 b)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum))
		histogram_overflow();
	return sum;
}

/*
 * Goes over the days of a life table as of a day, a date number like those of
 * open.  Deals opened later are not yet at risk.
 */
typedef struct LifeWalk
{
	const Lifetimes *times;
	int64		as_of;
	int			won;
	int			lost;
	int			open;			/* the last opened is the youngest */
	int64		at_risk;
	double		survival;
	double		run_survival;
	double		run_at_risk;
	bool		in_run;
	double		hazard_variance;
} LifeWalk;

static void
life_begin(LifeWalk *walk, const Lifetimes *times, int64 as_of)
{
	int			open = times->open.n;

	memset(walk, 0, sizeof(LifeWalk));
	walk->times = times;
	walk->as_of = as_of;
	walk->survival = walk->run_survival = 1;

	while (open > 0 && times->open.bin[open - 1].key > as_of)
		open--;
	walk->open = open;
	for (int i = 0; i < open; i++)
		walk->at_risk = add_counts(walk->at_risk, times->open.bin[i].count);
	walk->at_risk = add_counts(walk->at_risk, histogram_total(times->won));
	walk->at_risk = add_counts(walk->at_risk, histogram_total(times->lost));
}

/* The next day, with everything but the incidences; false: there is none. */
static bool
life_next(LifeWalk *walk, LifeDay *row)
{
	const Lifetimes *times = walk->times;
	bool		any = false;
	int64		closed;

	row->day = 0;
	if (walk->won < times->won.n)
		row->day = next_day(row->day, &any, times->won.bin[walk->won].key);
	if (walk->lost < times->lost.n)
		row->day = next_day(row->day, &any, times->lost.bin[walk->lost].key);
	if (walk->open > 0)
		row->day = next_day(row->day, &any, walk->as_of - times->open.bin[walk->open - 1].key);
	if (!any)
		return false;

	row->at_risk = walk->at_risk;
	row->won = row->lost = row->censored = 0;
	if (walk->won < times->won.n && times->won.bin[walk->won].key == row->day)
		row->won = times->won.bin[walk->won++].count;
	if (walk->lost < times->lost.n && times->lost.bin[walk->lost].key == row->day)
		row->lost = times->lost.bin[walk->lost++].count;
	if (walk->open > 0 && walk->as_of - times->open.bin[walk->open - 1].key == row->day)
		row->censored = times->open.bin[--walk->open].count;
	closed = row->won + row->lost;

	if (closed > 0)
	{
		/*
		 * Between censorings the factors of the product cancel: what is left
		 * of those at risk at the start of the run.  This is both quicker to
		 * round and exact at shares such as one half.
		 */
		if (!walk->in_run)
		{
			walk->in_run = true;
			walk->run_survival = walk->survival;
			walk->run_at_risk = (double) walk->at_risk;
		}
		walk->survival = walk->run_survival * ((double) (walk->at_risk - closed) / walk->run_at_risk);
		if (walk->at_risk > closed)
			walk->hazard_variance += (double) closed /
				((double) walk->at_risk * (double) (walk->at_risk - closed));
	}
	if (row->censored > 0)
		walk->in_run = false;
	walk->at_risk -= closed + row->censored;

	row->survival = walk->survival;
	row->survival_se = walk->survival * sqrt(walk->hazard_variance);
	return true;
}

LifeTable
life_table(const Lifetimes *times, int64 as_of)
{
	LifeTable	table;
	LifeWalk	walk;
	double		survival = 1;
	double		win_incidence = 0;
	double		loss_incidence = 0;
	size_t		room = (size_t) times->won.n + times->lost.n + times->open.n + 1;

	life_begin(&walk, times, as_of);
	table.days = palloc_extended(room * sizeof(LifeDay), MCXT_ALLOC_HUGE);
	table.n = 0;
	table.has_median = false;
	table.median = 0;
	while (life_next(&walk, &table.days[table.n]))
	{
		LifeDay    *row = &table.days[table.n++];

		win_incidence += survival * ((double) row->won / (double) row->at_risk);
		loss_incidence += survival * ((double) row->lost / (double) row->at_risk);
		row->win_incidence = win_incidence;
		row->loss_incidence = loss_incidence;
		survival = row->survival;
		if (survival <= HALF && !table.has_median)
		{
			table.has_median = true;
			table.median = row->day;
		}
	}
	return table;
}

/* The first day on which survival is at most one half. */
bool
life_median(const Lifetimes *times, int64 as_of, int64 *day)
{
	LifeWalk	walk;
	LifeDay		row;

	life_begin(&walk, times, as_of);
	while (life_next(&walk, &row))
	{
		if (row.survival <= HALF)
		{
			*day = row.day;
			return true;
		}
	}
	return false;
}

/*
 * A confidence limit of the median: the first day on which the lower (or
 * upper) limit of the survival, taken on the log scale, is at most one half.
 */
bool
life_median_limit(const Lifetimes *times, int64 as_of, double confidence,
				  bool upper, int64 *day)
{
	double		z = normal_quantile(0.5 + confidence / 2);
	LifeWalk	walk;
	LifeDay		row;

	life_begin(&walk, times, as_of);
	while (life_next(&walk, &row))
	{
		double		limit = 0;

		/* no limits are defined once survival is 0 */
		if (row.survival <= 0 && upper)
			return false;
		/* the upper limit is above survival */
		if (upper && row.survival > HALF)
			continue;
		if (row.survival > 0)
			limit = row.survival *
				exp((upper ? z : -z) * row.survival_se / row.survival);
		if (limit <= HALF)
		{
			*day = row.day;
			return true;
		}
	}
	return false;
}

/*
 * The mean of the days until closing, restricted to those that were observed:
 * the area under survival up to the last day, of a closing or a censoring.
 */
double
life_restricted_mean(const LifeTable *table)
{
	double		mean = 0;
	double		survival = 1;
	double		from = 0;

	for (int i = 0; i < table->n; i++)
	{
		double		day = (double) table->days[i].day;

		mean += survival * (day - from);
		survival = table->days[i].survival;
		from = day;
	}
	return mean;
}

/* The last row up to and including a day, or NULL. */
const LifeDay *
life_day(const LifeTable *table, int64 day)
{
	int			low = 0;
	int			high = table->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (table->days[middle].day <= day)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &table->days[low - 1];
}

static int64
events_of(const LifeDay *row, CloseEvent event)
{
	return event == EVENT_WON ? row->won : row->won + row->lost;
}

/* Those at risk on a day, given the place of the first row not before it. */
static int64
at_risk_at(const LifeTable *table, int place)
{
	return place < table->n ? table->days[place].at_risk : 0;
}

/*
 * Two-sided p-value of the log-rank test (one degree of freedom) of the
 * difference between two groups; NaN where nothing tells them apart.
 */
double
log_rank_p(const LifeTable *a, const LifeTable *b, CloseEvent event)
{
	int			i = 0;
	int			j = 0;
	double		difference = 0;
	double		variance = 0;

	while (i < a->n || j < b->n)
	{
		int64		day;
		double		risk_a = (double) at_risk_at(a, i);
		double		risk_b = (double) at_risk_at(b, j);
		double		risk = risk_a + risk_b;
		double		events_a = 0;
		double		events = 0;

		if (j >= b->n || (i < a->n && a->days[i].day <= b->days[j].day))
			day = a->days[i].day;
		else
			day = b->days[j].day;

		if (i < a->n && a->days[i].day == day)
			events_a = (double) events_of(&a->days[i++], event);
		if (j < b->n && b->days[j].day == day)
			events = (double) events_of(&b->days[j++], event);
		events += events_a;

		if (events > 0)
		{
			difference += events_a - events * risk_a / risk;
			if (risk > 1)
				variance += events * (risk_a / risk) * (risk_b / risk) *
					(risk - events) / (risk - 1);
		}
	}
	if (!(variance > 0))
		return nan("");
	return normal_two_sided_p(difference / sqrt(variance));
}
