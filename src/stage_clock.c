/*-------------------------------------------------------------------------
 *
 * stage_clock.c
 *	  How deals leave a stage: won, lost or moved on, by the days they have been
 *	  in it; and what that means for those that are in it now.
 *
 * A visit to a stage is at risk on each day from the one it began on until it
 * ends, on which day it is won, lost or moved on.  The hazard of an end is the
 * share of those at risk to whom it happens on a day; ages are taken together
 * in bands.  What ended before history_from is not known, so nobody is at risk
 * before that day (delayed entry; J. P. Klein and M. L. Moeschberger, Survival
 * Analysis, 2nd ed., section 4.6).
 *
 * Every rate is shrunk to that of the larger whole, by the posterior mean of a
 * gamma prior with the whole's rate as its mean: a stage's to that of all
 * stages and a band's to its stage's, with the weight of one event.  So no
 * hazard of winning or losing is 0, and no chance 0 or 1.
 *
 * Hazards may differ by the month's place in the quarter, in all and by stage
 * and age.  Either is kept only if a chi-squared test of observed against
 * expected numbers finds it at 1 %, and shrunk: the variance of the gamma prior
 * is estimated from the numbers by moments.
 *
 * Segments and reps win more or less often than the clock says.  The factors
 * are shrunk in the same way, and multiply a chance's odds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "stage_clock.h"

/* Where bands of ages begin; the last one has no end. */
static const int32 band_starts[] = {
	0, 1, 3, 7, 14, 21, 28, 42, 56, 70, 84, 98, 112, 126, 140, 168, 196, 252, 336, 504
};

#define NBANDS	((int) lengthof(band_starts))

/* events that a larger whole's rate weighs as much as */
#define WHOLE_EVENTS	1.0

/* the chances of a day's ends are at most this in all */
#define ENDS_MAX		0.98

/* least prior events behind a factor of all, of a stage and age, of a segment or rep */
#define PLACE_EVENTS	1.0
#define CELL_EVENTS		2.0
#define GROUP_EVENTS	5.0

/* the 1 % point of chi-squared with two degrees of freedom, and of the normal distribution */
#define CHI_SQUARED_2	9.2103
#define NORMAL_99		2.3263

/* rounds in which chances of those who enter two stages on one day are found */
#define SAME_DAY_ROUNDS	8

/* replays: no more months than this; what is believed before any, and its weight in months */
#define REPLAYS_MAX		12
#define REPLAY_HISTORY	56		/* days that must be known before one: with fewer forecasts are worse */
#define SPREAD_BEFORE	0.2
#define REP_SPREAD_BEFORE	0.2
#define SPREAD_WEIGHT	3.0
#define SPREAD_LEAST	0.05
#define LEVEL_WEIGHT	2.0		/* months that forecasts being right on average weighs as */
#define REPLAY_WINS		20.0	/* months with fewer expected wins weigh less */

#define CELL(stage, band, place) (((stage) * NBANDS + (band)) * MONTH_PLACES + (place))
#define CELLS(nstages) ((nstages) * NBANDS * MONTH_PLACES)

static int
band_of(int age)
{
	int			band = NBANDS - 1;

	while (band_starts[band] > age)
		band--;
	return band;
}

static int
month_of(const ClockData *data, int day)
{
	int			low = 0;
	int			high = data->nmonths - 1;

	while (low < high)
	{
		int			middle = low + (high - low + 1) / 2;

		if (data->month_starts[middle] <= day)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* ---------- a visit's days at risk ---------- */

/* Some days of a visit that are of one band of ages and one month. */
typedef struct Spell
{
	int			band;
	int			month;
	int			days;
	int			last_day;
} Spell;

typedef struct VisitDays
{
	const ClockData *data;
	int			entered;
	int			next;			/* the first day of the next spell */
	int			last;			/* the last day at risk */
	int			band;
	int			month;
} VisitDays;

/* Begins with the days at risk up to a day; false if there are none. */
static bool
visit_days_begin(VisitDays *at, const ClockData *data, const Visit *visit, int last_day)
{
	at->data = data;
	at->entered = visit->entered;
	at->next = Max(visit->entered, data->history_from);
	at->last = Min(visit->left, last_day);
	if (at->next > at->last)
		return false;
	at->band = band_of(at->next - visit->entered);
	at->month = month_of(data, at->next);
	return true;
}

static bool
visit_days_next(VisitDays *at, Spell *spell)
{
	int			end = at->last;

	if (at->next > at->last)
		return false;
	while (at->band + 1 < NBANDS && band_starts[at->band + 1] <= at->next - at->entered)
		at->band++;
	while (at->month + 1 < at->data->nmonths &&
		   at->data->month_starts[at->month + 1] <= at->next)
		at->month++;
	if (at->band + 1 < NBANDS)
		end = Min(end, at->entered + band_starts[at->band + 1] - 1);
	if (at->month + 1 < at->data->nmonths)
		end = Min(end, at->data->month_starts[at->month + 1] - 1);
	spell->band = at->band;
	spell->month = at->month;
	spell->days = end - at->next + 1;
	spell->last_day = end;
	at->next = end + 1;
	return true;
}

/* The end that is known on a day, as NENDS where there is none. */
static int
end_by(const Visit *visit, const ClockData *data, int last_day)
{
	if (visit->end == VISIT_GOES_ON || visit->left > last_day ||
		visit->left < data->history_from)
		return NENDS;
	if (visit->end == VISIT_WON)
		return END_WON;
	if (visit->end == VISIT_LOST)
		return END_LOST;
	return END_MOVED;
}

/* ---------- shrinking ---------- */

/*
 * Events that the prior of a factor counts as, by moments: observed numbers
 * have the variance expected + expected^2 / prior.
 */
static double
prior_events(double squares, double expected, double expected_squares, double least)
{
	double		excess = squares - expected;

	if (!(excess > 0) || !(expected_squares > 0))
		return INFINITY;
	return Max(expected_squares / excess, least);
}

static double
shrunk_factor(double observed, double expected, double prior)
{
	return isinf(prior) ? 1 : (observed + prior) / (expected + prior);
}

/* The 1 % point of chi-squared (E. B. Wilson and M. M. Hilferty, 1931). */
static double
chi_squared_limit(double freedom)
{
	double		v = 2 / (9 * freedom);
	double		root = 1 - v + NORMAL_99 * sqrt(v);

	return freedom * root * root * root;
}

/* ---------- the clock ---------- */

/* Multiplies the hazards of an end by the effect of the month in the quarter. */
static void
fit_months(StageClock *clock, int end, const double *at_risk, const double *ended)
{
	int			cells = CELLS(clock->nstages);
	double	   *hazards = clock->hazards + end * cells;
	MonthEffect *effect = &clock->months[end];
	double		observed[MONTH_PLACES] = {0};
	double		expected[MONTH_PLACES] = {0};
	double		all_observed = 0;
	double		all_expected = 0;
	double		chi = 0;
	double		squares = 0;
	double		sum = 0;
	double		expected_squares = 0;
	int			places = 0;
	int			counted = 0;
	double		prior;

	for (int cell = 0; cell < cells; cell++)
	{
		observed[cell % MONTH_PLACES] += ended[cell];
		expected[cell % MONTH_PLACES] += hazards[cell] * at_risk[cell];
	}
	for (int place = 0; place < MONTH_PLACES; place++)
	{
		effect->factors[place] = 1;
		all_observed += observed[place];
		all_expected += expected[place];
		places += expected[place] > 0;
	}
	effect->is_kept = effect->is_kept_by_age = false;
	if (!(all_expected > 0) || all_observed == 0)
		return;

	for (int place = 0; place < MONTH_PLACES; place++)
	{
		double		e = expected[place] * all_observed / all_expected;
		double		d = observed[place] - e;

		if (e > 0)
			chi += d * d / e;
		squares += d * d;
		expected_squares += e * e;
	}
	if (places > 1 && chi > CHI_SQUARED_2)
	{
		effect->is_kept = true;
		prior = prior_events(squares, all_observed, expected_squares, PLACE_EVENTS);
		for (int place = 0; place < MONTH_PLACES; place++)
			effect->factors[place] = shrunk_factor(observed[place], expected[place], prior);
	}
	for (int cell = 0; cell < cells; cell++)
		hazards[cell] *= effect->factors[cell % MONTH_PLACES];

	/* by stage and age: only what is seen often enough says anything */
	chi = squares = expected_squares = 0;
	for (int cell = 0; cell < cells; cell++)
	{
		double		e = hazards[cell] * at_risk[cell];
		double		d = ended[cell] - e;

		squares += d * d;
		sum += e;
		expected_squares += e * e;
		if (e >= 1)
		{
			chi += d * d / e;
			counted++;
		}
	}
	if (places > 1 && counted > 1 &&
		chi > chi_squared_limit(counted * (1 - 1.0 / places)))
	{
		effect->is_kept_by_age = true;
		prior = prior_events(squares, sum, expected_squares, CELL_EVENTS);
		for (int cell = 0; cell < cells; cell++)
			hazards[cell] *= shrunk_factor(ended[cell], hazards[cell] * at_risk[cell], prior);
	}
}

/* Factors of the odds of segments and, given these, of reps. */
static void
fit_groups(StageClock *clock, const ClockData *data, int last_day)
{
	int			cells = CELLS(clock->nstages);
	double	   *expected = palloc(Max(data->nvisits, 1) * sizeof(double));
	double		squares = 0;
	double		sum = 0;
	double		expected_squares = 0;
	double		prior;

	for (int i = 0; i < data->nvisits; i++)
	{
		const Visit *visit = &data->visits[i];
		VisitDays	at;
		Spell		spell;

		expected[i] = 0;
		if (visit->entered <= last_day && visit_days_begin(&at, data, visit, last_day))
		{
			while (visit_days_next(&at, &spell))
				expected[i] += spell.days *
					clock->hazards[END_WON * cells + CELL(visit->stage, spell.band,
														  data->month_places[spell.month])];
		}
		clock->segment_expected[visit->segment] += expected[i];
		clock->segment_won[visit->segment] += end_by(visit, data, last_day) == END_WON;
	}
	for (int i = 0; i < data->nsegments; i++)
	{
		double		d = clock->segment_won[i] - clock->segment_expected[i];

		squares += d * d;
		sum += clock->segment_expected[i];
		expected_squares += clock->segment_expected[i] * clock->segment_expected[i];
	}
	prior = data->nsegments < 2 ? INFINITY :
		prior_events(squares, sum, expected_squares, GROUP_EVENTS);
	for (int i = 0; i < data->nsegments; i++)
		clock->segment_factors[i] = shrunk_factor(clock->segment_won[i],
												  clock->segment_expected[i], prior);

	for (int i = 0; i < data->nvisits; i++)
	{
		const Visit *visit = &data->visits[i];

		clock->rep_expected[visit->rep] += expected[i] *
			clock->segment_factors[visit->segment];
		clock->rep_won[visit->rep] += end_by(visit, data, last_day) == END_WON;
	}
	squares = sum = expected_squares = 0;
	for (int i = 0; i < data->nreps; i++)
	{
		double		d = clock->rep_won[i] - clock->rep_expected[i];

		squares += d * d;
		sum += clock->rep_expected[i];
		expected_squares += clock->rep_expected[i] * clock->rep_expected[i];
	}
	prior = data->nreps < 2 ? INFINITY :
		prior_events(squares, sum, expected_squares, GROUP_EVENTS);
	for (int i = 0; i < data->nreps; i++)
		clock->rep_factors[i] = shrunk_factor(clock->rep_won[i], clock->rep_expected[i], prior);
	pfree(expected);
}

static double *
zeros(int n)
{
	return palloc_extended(Max(n, 1) * sizeof(double), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* The clock of all stages from what was known at the end of a day. */
StageClock *
stage_clock_fit(const ClockData *data, int last_day)
{
	StageClock *clock = palloc0(sizeof(StageClock));
	int			nstages = data->nstages;
	int			cells = CELLS(nstages);
	double	   *at_risk = zeros(cells);
	double	   *ended = zeros(NENDS * cells);
	double		all_days = 0;
	double		all_ended[NENDS] = {0};

	clock->nstages = nstages;
	clock->hazards = zeros(NENDS * cells);
	clock->moves = zeros(nstages * nstages);
	clock->last_ages = palloc(nstages * sizeof(int32));
	clock->events = zeros(NENDS * nstages);
	clock->days = zeros(nstages);
	clock->rep_won = zeros(data->nreps);
	clock->rep_expected = zeros(data->nreps);
	clock->rep_factors = zeros(data->nreps);
	clock->segment_won = zeros(data->nsegments);
	clock->segment_expected = zeros(data->nsegments);
	clock->segment_factors = zeros(data->nsegments);
	for (int stage = 0; stage < nstages; stage++)
		clock->last_ages[stage] = -1;

	for (int i = 0; i < data->nvisits; i++)
	{
		const Visit *visit = &data->visits[i];
		int			end;
		VisitDays	at;
		Spell		spell;

		if (visit->entered > last_day || !visit_days_begin(&at, data, visit, last_day))
			continue;

		/* who was seen on the day of an age was seen after the age before it */
		clock->last_ages[visit->stage] = Max(clock->last_ages[visit->stage],
											 at.last - visit->entered - 1);
		end = end_by(visit, data, last_day);
		while (visit_days_next(&at, &spell))
		{
			int			cell = CELL(visit->stage, spell.band, data->month_places[spell.month]);

			at_risk[cell] += spell.days;
			if (end != NENDS && spell.last_day == at.last)
				ended[end * cells + cell]++;
		}
		if (end == END_MOVED)
			clock->moves[visit->stage * nstages + visit->end]++;
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}

	for (int cell = 0; cell < cells; cell++)
	{
		int			stage = cell / (NBANDS * MONTH_PLACES);

		clock->days[stage] += at_risk[cell];
		all_days += at_risk[cell];
		for (int end = 0; end < NENDS; end++)
		{
			clock->events[end * nstages + stage] += ended[end * cells + cell];
			all_ended[end] += ended[end * cells + cell];
		}
	}

	for (int stage = 0; stage < nstages; stage++)
	{
		double		moved = clock->events[END_MOVED * nstages + stage];

		for (int to = 0; to < nstages && moved > 0; to++)
			clock->moves[stage * nstages + to] /= moved;
	}

	for (int end = 0; end < NENDS; end++)
	{
		/* half an event more, so that what has not happened yet may */
		double		all_rate = (all_ended[end] + 0.5) / (all_days + 1);

		for (int stage = 0; stage < nstages; stage++)
		{
			double		events = clock->events[end * nstages + stage];
			double		rate;

			/* a stage that nobody has moved on from is a last one */
			if (end != END_MOVED)
				rate = (events + WHOLE_EVENTS) / (clock->days[stage] + WHOLE_EVENTS / all_rate);
			else
				rate = events > 0 ? events / clock->days[stage] : 0;
			for (int band = 0; band < NBANDS; band++)
			{
				double		band_days = 0;
				double		band_ended = 0;
				double		hazard = 0;

				for (int place = 0; place < MONTH_PLACES; place++)
				{
					band_days += at_risk[CELL(stage, band, place)];
					band_ended += ended[end * cells + CELL(stage, band, place)];
				}
				if (rate > 0)
					hazard = (band_ended + WHOLE_EVENTS) / (band_days + WHOLE_EVENTS / rate);
				for (int place = 0; place < MONTH_PLACES; place++)
					clock->hazards[end * cells + CELL(stage, band, place)] = hazard;
			}
		}
		fit_months(clock, end, at_risk, ended + end * cells);
	}

	for (int cell = 0; cell < cells; cell++)
	{
		double		all = 0;

		for (int end = 0; end < NENDS; end++)
			all += clock->hazards[end * cells + cell];
		for (int end = 0; end < NENDS && all > ENDS_MAX; end++)
			clock->hazards[end * cells + cell] *= ENDS_MAX / all;
	}
	fit_groups(clock, data, last_day);
	pfree(at_risk);
	pfree(ended);
	return clock;
}

/* How many ages there are, from 0 on: more than anybody has. */
int
stage_clock_ages(const ClockData *data)
{
	int			nages = 1;

	for (int i = 0; i < data->nvisits; i++)
		nages = Max(nages, data->visits[i].left - data->visits[i].entered + 2);
	return nages;
}

/*
 * The chances of those in each stage at each age at the end of the day before
 * from to be won up to a day, [stage][age]; backwards, day by day.  Who is
 * older than the oldest is as that.
 */
void
stage_clock_chances(const StageClock *clock, const ClockData *data, int from, int until,
					double *chances, int nages)
{
	int			nstages = clock->nstages;
	int			cells = CELLS(nstages);
	int			month = month_of(data, until);
	double	   *entering = palloc(nstages * sizeof(double));
	double	   *moving = palloc(nstages * sizeof(double));

	memset(chances, 0, (size_t) nstages * nages * sizeof(double));
	for (int day = until; day >= from; day--)
	{
		int			place;

		while (month > 0 && data->month_starts[month] > day)
			month--;
		place = data->month_places[month];

		/* who enters on this day may leave again on the same */
		for (int stage = 0; stage < nstages; stage++)
			entering[stage] = chances[(size_t) stage * nages];
		for (int round = 0; round < SAME_DAY_ROUNDS; round++)
		{
			for (int stage = 0; stage < nstages; stage++)
			{
				const double *hazard = &clock->hazards[CELL(stage, 0, place)];
				double		moved = 0;

				for (int to = 0; to < nstages; to++)
					moved += clock->moves[stage * nstages + to] * entering[to];
				moving[stage] = moved;
				entering[stage] = hazard[END_WON * cells] + hazard[END_MOVED * cells] * moved +
					(1 - hazard[END_WON * cells] - hazard[END_LOST * cells] -
					 hazard[END_MOVED * cells]) * chances[(size_t) stage * nages];
			}
		}
		for (int stage = 0; stage < nstages; stage++)
		{
			double	   *chance = chances + (size_t) stage * nages;

			moving[stage] = 0;
			for (int to = 0; to < nstages; to++)
				moving[stage] += clock->moves[stage * nstages + to] * entering[to];
			for (int band = 0; band < NBANDS; band++)
			{
				const double *hazard = &clock->hazards[CELL(stage, band, place)];
				double		won = hazard[END_WON * cells] +
					hazard[END_MOVED * cells] * moving[stage];
				double		stays = 1 - hazard[END_WON * cells] - hazard[END_LOST * cells] -
					hazard[END_MOVED * cells];
				int			age = Max(band_starts[band] - 1, 0);
				int			end = band + 1 < NBANDS ? band_starts[band + 1] - 1 : nages;

				/* at this age yesterday, a day older today */
				for (; age < Min(end, nages - 1); age++)
					chance[age] = won + stays * chance[age + 1];
				if (age == nages - 1 && age < end)
					chance[age] = won + stays * chance[age];
			}
		}
		CHECK_FOR_INTERRUPTS();
	}
	pfree(entering);
	pfree(moving);
}

/* ---------- replays ---------- */

/*
 * Forecasts of the last whole months from what was known before each, and how
 * far they were off beyond what independent deals explain: in all, as a share
 * of the expected number, and of each rep given that.
 */
ClockSpread
stage_clock_replay(const ClockData *data)
{
	ClockSpread spread;
	int			nages = stage_clock_ages(data);
	double	   *chances = zeros(data->nstages * nages);
	double	   *rep_expected = zeros(data->nreps);
	double	   *rep_variance = zeros(data->nreps);
	double	   *rep_won = zeros(data->nreps);
	double	   *stage_won = zeros(data->nstages);
	double	   *stage_expected = zeros(data->nstages);
	double	   *segment_won = zeros(data->nsegments);
	double	   *segment_expected = zeros(data->nsegments);
	double		month_won[REPLAYS_MAX];
	double		month_expected[REPLAYS_MAX];
	double		month_variance[REPLAYS_MAX];
	double		all_won = 0;
	double		all_expected = 0;
	double		level = 1;
	double		group_squares = 0;
	double		expected_squares = 0;
	double		prior;
	double		squares = SPREAD_WEIGHT * SPREAD_BEFORE * SPREAD_BEFORE;
	double		weights = SPREAD_WEIGHT;
	double		rep_excess = 0;
	double		rep_squares = 0;
	double		rep_weights = 0;
	int			last = month_of(data, data->as_of + 1);

	spread.nmonths = 0;
	for (int month = last - 1; month >= 0 && month >= last - REPLAYS_MAX; month--)
	{
		int			from = data->month_starts[month];
		int			until = data->month_starts[month + 1] - 1;
		StageClock *clock;
		double		expected = 0;
		double		variance = 0;
		double		won = 0;
		double		weight;

		/* something must have been known before it */
		if (until > data->as_of || from - REPLAY_HISTORY < data->history_from)
			continue;
		clock = stage_clock_fit(data, from - 1);
		stage_clock_chances(clock, data, from, until, chances, nages);
		memset(rep_expected, 0, data->nreps * sizeof(double));
		memset(rep_variance, 0, data->nreps * sizeof(double));
		memset(rep_won, 0, data->nreps * sizeof(double));
		for (int i = 0; i < data->nvisits; i++)
		{
			const Visit *visit = &data->visits[i];
			int			age = from - 1 - visit->entered;
			double		chance;
			double		is_won = visit->won >= from && visit->won <= until;

			if (age < 0 || (visit->left < from && visit->end != VISIT_GOES_ON) ||
				age > clock->last_ages[visit->stage])
				continue;
			chance = change_chance(chances[(size_t) visit->stage * nages + age],
								   clock->rep_factors[visit->rep] *
								   clock->segment_factors[visit->segment]);
			expected += chance;
			variance += chance * (1 - chance);
			won += is_won;
			stage_won[visit->stage] += is_won;
			stage_expected[visit->stage] += chance;
			segment_won[visit->segment] += is_won;
			segment_expected[visit->segment] += chance;
			rep_expected[visit->rep] += chance;
			rep_variance[visit->rep] += chance * (1 - chance);
			rep_won[visit->rep] += is_won;
		}
		if (!(expected > 0))
			continue;
		weight = Min(1, expected / REPLAY_WINS);
		rep_weights += weight;
		month_won[spread.nmonths] = won;
		month_expected[spread.nmonths] = expected;
		month_variance[spread.nmonths] = variance;
		spread.nmonths++;
		all_won += won;
		all_expected += expected;
		for (int rep = 0; rep < data->nreps; rep++)
		{
			double		of_month = won / expected;
			double		d = rep_won[rep] - of_month * rep_expected[rep];

			rep_excess += d * d - of_month * rep_variance[rep];
			rep_squares += of_month * of_month * rep_expected[rep] * rep_expected[rep];
		}
	}

	/*
	 * Deals that are slow in one stage are slow in the next, which clocks of
	 * single stages do not know; so forecasts may be off in one direction.
	 */
	spread.stage_factors = zeros(data->nstages);
	if (spread.nmonths > 0)
	{
		prior = LEVEL_WEIGHT * all_expected / spread.nmonths;
		level = (all_won + prior) / (all_expected + prior);
	}
	for (int stage = 0; stage < data->nstages; stage++)
	{
		double		d = stage_won[stage] - level * stage_expected[stage];

		group_squares += d * d;
		expected_squares += pow(level * stage_expected[stage], 2);
	}
	prior = prior_events(group_squares, level * all_expected, expected_squares, GROUP_EVENTS);
	for (int stage = 0; stage < data->nstages; stage++)
		spread.stage_factors[stage] = level *
			shrunk_factor(stage_won[stage], level * stage_expected[stage], prior);

	spread.segment_factors = zeros(data->nsegments);
	group_squares = expected_squares = 0;
	for (int segment = 0; segment < data->nsegments; segment++)
	{
		double		d = segment_won[segment] - level * segment_expected[segment];

		group_squares += d * d;
		expected_squares += pow(level * segment_expected[segment], 2);
	}
	prior = prior_events(group_squares, level * all_expected, expected_squares, GROUP_EVENTS);
	for (int segment = 0; segment < data->nsegments; segment++)
		spread.segment_factors[segment] =
			shrunk_factor(segment_won[segment], level * segment_expected[segment], prior);

	for (int month = 0; month < spread.nmonths; month++)
	{
		double		expected = level * month_expected[month];
		double		weight = Min(1, month_expected[month] / REPLAY_WINS);

		squares += weight * (pow(month_won[month] - expected, 2) - level * month_variance[month]) /
			(expected * expected);
		weights += weight;
	}
	spread.common = sqrt(Max(squares / weights, SPREAD_LEAST * SPREAD_LEAST));
	spread.common = Min(spread.common, 1);
	squares = SPREAD_WEIGHT * REP_SPREAD_BEFORE * REP_SPREAD_BEFORE;
	if (rep_squares > 0)
	{
		squares += rep_weights * Min(Max(rep_excess / rep_squares, 0), 1);
		spread.of_rep = sqrt(squares / (SPREAD_WEIGHT + rep_weights));
	}
	else
		spread.of_rep = REP_SPREAD_BEFORE;
	pfree(chances);
	pfree(rep_expected);
	pfree(rep_variance);
	pfree(rep_won);
	pfree(stage_won);
	pfree(stage_expected);
	pfree(segment_won);
	pfree(segment_expected);
	return spread;
}
