/*-------------------------------------------------------------------------
 *
 * deal_sum.c
 *	  Quantiles of what deals bring, quickly and for many groups of them.
 *
 * convolution.c finds the distribution of a sum to a thousandth of its total.
 * A forecast of hundreds of reps wants less, in a hundredth of the time: the
 * distribution is a mixture over a few values of the common effect.  Given
 * that, the few deals that are large against the standard deviation of all are
 * convolved on a lattice, each shared between two neighbouring points so that
 * means stay exact, and the rest is normal.
 *
 * The common effect is lognormal with mean 1.  It multiplies the rates, and
 * the odds of each deal, these to a power that makes the expected total vary
 * as much.  Its logarithm is split in a coarse part, which is stepped through,
 * and a fine one, whose variance goes to the normal rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "deal_sum.h"

#define NODES			9		/* of the coarse part, STEP apart */
#define STEP			0.75
#define FINE			0.5		/* the standard deviation of the fine part */
#define POWER_MAX		2.5

#define LARGE_SHARE		0.35	/* of the standard deviation: from there on a deal is large */
#define LARGE_MAX		64
#define FEW_DEALS		40		/* so few are all large */
#define RATE_CHANCE		0.1		/* the chance of each of the deals that stand for a rate */
#define CHANCE_BINS		100		/* of small deals */
#define LATTICE			65
#define HALVINGS		20		/* a millionth */
#define ROUNDS			60		/* of false position; some ten are enough */
#define PRECISION		1e-12	/* so fine that rounding does not show the order deals came in */

#define TAIL			5.0
#define TABLE			4096

typedef struct LargeDeal
{
	double		amount;
	double		chance;
	bool		is_rate;
} LargeDeal;

typedef struct SmallBin
{
	double		amount;			/* sums over its deals */
	double		squares;
	double		expected;
} SmallBin;

typedef struct Mixture
{
	double		weight[NODES];
	double		mean[NODES];	/* of the normal rest */
	double		sd[NODES];
	double		lattice[NODES][LATTICE];
	double		up_to[NODES][LATTICE + 1];	/* probability of the points before */
	double		step;			/* of the lattice */
} Mixture;

static double normal_table[TABLE + 2];
static bool have_table = false;

static inline double
normal_below(double z)
{
	double		place;
	int			i;

	if (z <= -TAIL)
		return 0;
	if (z >= TAIL)
		return 1;
	place = (z + TAIL) * (TABLE / (2 * TAIL));
	i = (int) place;
	return normal_table[i] + (place - i) * (normal_table[i + 1] - normal_table[i]);
}

/* The largest first; in full, so that nothing depends on the order deals come in. */
static int
compare_large(const void *a, const void *b)
{
	const LargeDeal *x = a;
	const LargeDeal *y = b;

	if (x->amount != y->amount)
		return x->amount < y->amount ? 1 : -1;
	if (x->chance != y->chance)
		return x->chance < y->chance ? 1 : -1;
	return (int) x->is_rate - (int) y->is_rate;
}

static inline double
change_odds(double chance, double factor)
{
	return chance * factor / (1 - chance + chance * factor);
}

/* One more deal on the lattice; what goes beyond its end stays there. */
static void
add_large(double *lattice, double step, double amount, double chance)
{
	double		shift = Min(amount / step, LATTICE - 1);
	int			whole = (int) shift;
	double		part = shift - whole;
	double		beyond = 0;

	for (int from = LATTICE - 1 - whole; from < LATTICE; from++)
		beyond += lattice[from];
	if (whole < LATTICE - 1)
		beyond += part * lattice[LATTICE - 2 - whole];
	lattice[LATTICE - 1] = (1 - chance) * lattice[LATTICE - 1] + chance * beyond;
	for (int to = LATTICE - 2; to >= 0; to--)
	{
		double		came = to < whole ? 0 : (1 - part) * lattice[to - whole];

		if (to > whole)
			came += part * lattice[to - whole - 1];
		lattice[to] = (1 - chance) * lattice[to] + chance * came;
	}
}

static double
below(const Mixture *mixture, double x)
{
	double		probability = 0;

	for (int i = 0; i < NODES; i++)
	{
		double		rest = x - mixture->mean[i];
		double		sd = mixture->sd[i];
		double		node = 0;
		int			low;
		int			high;

		if (mixture->weight[i] == 0)
			continue;
		if (!(sd > 0))
		{
			int			points = mixture->step > 0 ?
				(int) Min(floor(rest / mixture->step + 1e-9) + 1, LATTICE) : rest >= -1e-9;

			node = points <= 0 ? 0 : mixture->up_to[i][points];
		}
		else if (!(mixture->step > 0))
			node = normal_below(rest / sd);
		else
		{
			/* points far below count whole, those far above not at all */
			low = (int) Max(Min(floor((rest - TAIL * sd) / mixture->step), LATTICE), 0);
			high = (int) Max(Min(ceil((rest + TAIL * sd) / mixture->step), LATTICE), 0);
			node = mixture->up_to[i][low];
			for (int k = low; k < high; k++)
			{
				if (mixture->lattice[i][k] > 1e-9)
					node += mixture->lattice[i][k] *
						normal_below((rest - k * mixture->step) / sd);
			}
		}
		probability += mixture->weight[i] * node;
	}
	return probability;
}

/*
 * The smallest sum between two that is not exceeded with a probability: by
 * halving; where the distribution is smooth, by false position, in which an
 * end that stays counts half as much from then on (Dowell and Jarratt 1971).
 */
static double
find_quantile(const Mixture *mixture, double share, double low, double high, bool is_smooth)
{
	double		precision = (high - low) * PRECISION;
	int			rounds = is_smooth ? ROUNDS : HALVINGS;
	double		miss_low = below(mixture, low) - share;
	double		miss_high = 1 - share;
	int			moved = 0;

	if (miss_low >= 0)
		return low;
	for (int round = 0; round < rounds && high - low > precision; round++)
	{
		double		between = is_smooth ? -miss_low / (miss_high - miss_low) : 0.5;
		double		middle = low + (high - low) * between;
		double		miss = below(mixture, middle) - share;

		if (miss >= 0)
		{
			high = middle;
			miss_high = miss;
			if (moved > 0)
				miss_low /= 2;
			moved = 1;
		}
		else
		{
			low = middle;
			miss_low = miss;
			if (moved < 0)
				miss_high /= 2;
			moved = -1;
		}
	}
	return high;
}

/*
 * The smallest sums that are not exceeded with the given probabilities; and,
 * unless reaching is NULL, the probability that the sum is at least the target.
 * Amounts may be negative, chances are at least 0 and below 1.
 */
void
deal_sum_quantiles(const SumDeal *deals, int ndeals, const SumRate *rates, int nrates,
				   double spread, const double *shares, int nshares, double *quantiles,
				   double target, double *reaching)
{
	Mixture    *mixture = palloc(sizeof(Mixture));
	SmallBin	bins[CHANCE_BINS] = {{0}};
	LargeDeal  *large;
	int			nlarge = 0;
	int			copies = 0;
	double		variance = 0;
	double		weighted = 0;	/* of deals: amount * chance^2 */
	double		deal_mean = 0;
	double		large_mean = 0;
	double		large_variance = 0;
	double		large_total = 0;
	double		rate_mean = 0;	/* of small rates */
	double		rate_variance = 0;
	double		limit;
	double		power;
	double		coarse = 1;
	double		fine = 0;
	double		weights = 0;
	double		lowest = 0;
	double		highest = 0;
	bool		has_negative = false;
	bool		has_small = false;

	if (!have_table)
	{
		for (int i = 0; i < TABLE + 2; i++)
			normal_table[i] = erfc(-(i * (2 * TAIL / TABLE) - TAIL) * M_SQRT1_2) / 2;
		have_table = true;
	}

	for (int i = 0; i < ndeals; i++)
	{
		double		expected = deals[i].amount * deals[i].chance;

		variance += expected * deals[i].amount * (1 - deals[i].chance);
		has_negative = has_negative || expected < 0;
		if (expected > 0)
		{
			deal_mean += expected;
			weighted += expected * deals[i].chance;
		}
		copies += expected != 0;
	}
	for (int i = 0; i < nrates; i++)
	{
		variance += rates[i].amount * rates[i].amount * rates[i].rate;
		has_negative = has_negative || rates[i].amount < 0;
		copies += (int) ceil(Min(rates[i].rate / RATE_CHANCE, FEW_DEALS + 1));
	}

	/* the large ones */
	limit = copies <= FEW_DEALS ? 0 : LARGE_SHARE * sqrt(variance);
	large = palloc_extended((ndeals + (size_t) nrates * (LARGE_MAX + 1) + 1) * sizeof(LargeDeal),
							MCXT_ALLOC_HUGE);
	for (int i = 0; i < ndeals; i++)
	{
		if (deals[i].amount > limit && deals[i].chance > 0)
		{
			large[nlarge].amount = deals[i].amount;
			large[nlarge].chance = deals[i].chance;
			large[nlarge++].is_rate = false;
		}
	}
	for (int i = 0; i < nrates; i++)
	{
		double		n = ceil(rates[i].rate / RATE_CHANCE);

		if (rates[i].amount > limit && n > 0 && n <= LARGE_MAX)
		{
			for (int k = 0; k < (int) n; k++)
			{
				large[nlarge].amount = rates[i].amount;
				large[nlarge].chance = rates[i].rate / n;
				large[nlarge++].is_rate = true;
			}
		}
	}
	limit = Max(limit, 0);
	qsort(large, nlarge, sizeof(LargeDeal), compare_large);
	if (nlarge > LARGE_MAX)
	{
		limit = large[LARGE_MAX].amount;
		/* those of one amount stay together */
		for (nlarge = LARGE_MAX; nlarge > 0 && large[nlarge - 1].amount <= limit;)
			nlarge--;
	}

	/* and the rest */
	for (int i = 0; i < ndeals; i++)
	{
		if ((deals[i].amount <= limit || deals[i].amount <= 0) &&
			deals[i].amount != 0 && deals[i].chance > 0)
		{
			SmallBin   *bin = &bins[Min((int) (deals[i].chance * CHANCE_BINS), CHANCE_BINS - 1)];

			bin->amount += deals[i].amount;
			bin->squares += deals[i].amount * deals[i].amount;
			bin->expected += deals[i].amount * deals[i].chance;
			has_small = true;
		}
	}
	for (int i = 0; i < nrates; i++)
	{
		double		n = ceil(rates[i].rate / RATE_CHANCE);

		if (rates[i].amount <= limit || n > LARGE_MAX)
		{
			rate_mean += rates[i].amount * rates[i].rate;
			rate_variance += rates[i].amount * rates[i].amount * rates[i].rate;
			has_small = has_small || rates[i].rate > 0;
		}
	}
	for (int i = 0; i < nlarge; i++)
	{
		double		expected = large[i].amount * large[i].chance;

		large_total += large[i].amount;
		large_mean += expected;
		large_variance += expected * large[i].amount * (1 - large[i].chance);
	}

	power = deal_mean > 0 && weighted < deal_mean ?
		Min(spread / (1 - weighted / deal_mean), Max(POWER_MAX, spread)) : spread;
	if (has_small && spread > 0)
	{
		fine = FINE;
		coarse = sqrt(1 - fine * fine);
	}
	mixture->step = nlarge == 0 ? 0 :
		Min(large_total, (large_mean + 6 * sqrt(large_variance) + large[0].amount) *
			(1 + 3 * spread)) / (LATTICE - 1);

	for (int i = 0; i < NODES; i++)
	{
		double		y = (i - NODES / 2) * STEP;
		double		z = coarse * y;
		double		factor = exp(spread * z - spread * spread * coarse * coarse / 2);
		double		odds = exp(power * z - power * power * coarse * coarse / 2);
		double		node_mean = rate_mean * factor;
		double		node_variance = rate_variance * factor;
		double		node_large = 0;

		mixture->weight[i] = exp(-y * y / 2);
		if (!(spread > 0))
			mixture->weight[i] = i == NODES / 2 ? 1 : 0;
		weights += mixture->weight[i];
		if (mixture->weight[i] == 0)
			continue;

		for (int b = 0; b < CHANCE_BINS; b++)
		{
			double		chance;

			if (bins[b].squares == 0)
				continue;
			/* where amounts of both signs cancel, the middle of the bin */
			chance = bins[b].amount != 0 ? bins[b].expected / bins[b].amount : -1;
			if (!(chance >= 0 && chance < 1))
				chance = (b + 0.5) / CHANCE_BINS;
			chance = change_odds(chance, odds);
			node_mean += bins[b].amount * chance;
			node_variance += bins[b].squares * chance * (1 - chance);
		}

		memset(mixture->lattice[i], 0, sizeof(mixture->lattice[i]));
		mixture->lattice[i][0] = 1;
		for (int k = 0; k < nlarge; k++)
		{
			double		chance = large[k].is_rate ?
				Min(large[k].chance * factor, 0.9) : change_odds(large[k].chance, odds);

			node_large += large[k].amount * chance;
			if (mixture->step > 0)
				add_large(mixture->lattice[i], mixture->step, large[k].amount, chance);
		}
		mixture->up_to[i][0] = 0;
		for (int k = 0; k < LATTICE; k++)
			mixture->up_to[i][k + 1] = mixture->up_to[i][k] + mixture->lattice[i][k];

		node_variance += pow((node_mean + node_large) * spread * fine, 2);
		mixture->mean[i] = node_mean;
		mixture->sd[i] = sqrt(node_variance);
		lowest = Min(lowest, node_mean - TAIL * mixture->sd[i]);
		highest = Max(highest, node_mean + TAIL * mixture->sd[i] +
					  (LATTICE - 1) * mixture->step);
	}
	for (int i = 0; i < NODES; i++)
		mixture->weight[i] /= weights;
	if (!has_negative)
		lowest = 0;

	for (int q = 0; q < nshares; q++)
		quantiles[q] = find_quantile(mixture, shares[q], lowest, highest, has_small);
	/* a sum that is the target reaches it, also where the lattice misses it by a little */
	if (reaching)
	{
		double		missing = target <= lowest ? 0 :
			below(mixture, target - 1e-3 * mixture->step - 1e-9 * fabs(target));

		*reaching = missing > 1 - PRECISION ? 0 : 1 - missing;
	}
	pfree(large);
	pfree(mixture);
}
