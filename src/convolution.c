/*-------------------------------------------------------------------------
 *
 * convolution.c
 *	  The distribution of a sum of deals, each of which is won or not.
 *
 * S is the sum of independent deals, each a with probability p, else 0.  Deals
 * are taken in two lots, by amount.
 *
 * The large ones are convolved one by one: the distribution is a sorted list
 * of atoms (value, probability), and a deal makes of it the list merged with
 * itself shifted by a.  Equal sums become one atom.  The list is exact up to
 * so many atoms; from then on neighbours are put together where that costs the
 * least variance, p q / (p + q) * distance^2, each pair at its mean, so that
 * the mean stays exact and lone atoms stay where they are.
 *
 * Once a deal is small against the standard deviation of those that are left,
 * the sum of these is all but normal, and its tails are those of Edgeworth's
 * series with the third and fourth cumulant (J. E. Kolassa, Series
 * Approximation Methods in Statistics, 3rd ed., sections 3.4 to 3.6).  With
 * deals below 1/10 of the standard deviation what is left out is below 0.0001.
 * Where amounts are multiples of a unit, the series is taken halfway between
 * two multiples and its cumulants get Sheppard's corrections (J. E. Kolassa
 * and P. McCullagh, Edgeworth series for lattice distributions, Annals of
 * Statistics 18, 1990).  The variance that the list of atoms has lost is given
 * to this lot.
 *
 * There are no more large deals than LARGE_MAX.  Where deals are so rare that
 * the others are still large against their standard deviation, each of these
 * is less than 1/LARGE_MAX of the total, and the normal distribution is off by
 * no more than the largest of them, on average over all values (L. Goldstein,
 * Bounds on the constant in the mean central limit theorem, Annals of
 * Probability 38, 2010).
 *
 * With a common effect the sum is a mixture of such sums, see mix_effects().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "convolution.h"
#include "miscadmin.h"

/* a deal is small if it is so many times smaller than the standard deviation */
#define SMALL_DEAL		10
#define LARGE_MAX		3000
#define LARGE_MAX_MIXED	1000

/* atoms that are kept exactly; once there were more; in all sums of a mixture */
#define ATOMS_EXACT		65536
#define ATOMS_ROUGH		8192
#define ATOMS_MIXED		65536

/* atoms less probable are left out */
#define NEGLIGIBLE		1e-18

/* so many standard deviations from the mean there is nothing */
#define TAIL			9

/* a common effect: how far its normal deviate goes, the largest steps of that and of itself */
#define EFFECT_LIMIT	6.0
#define EFFECT_STEP		0.2
#define EFFECT_FACTOR	1.04
#define EFFECTS_MAX		400

/* In a mixture small deals are taken together whose chances agree so far. */
#define MIXED_CHANCES	1000

/* Small deals of one chance: the sums of their amounts' powers, 1 to 4. */
typedef struct SmallDeals
{
	double		chance;
	double		sums[4];
	bool		is_common;
} SmallDeals;

/* The deals in two lots. */
typedef struct DealLots
{
	ChanceDeal *large;
	int			nlarge;
	int64		large_count;
	SmallDeals *small;
	int			nsmall;
	double		small_total;
	double		small_unit;		/* small amounts are multiples of it; 0: of none */
	double		total;			/* of all amounts */
	double		unit;			/* as small_unit, of all */
	double		variance;		/* of the sum of all */
	double		common_total;	/* of those that the common effect reaches */
	double		common_expected;
} DealLots;

typedef struct Atom
{
	double		value;
	double		probability;
} Atom;

/* The distribution of the sum of large and small deals. */
typedef struct Component
{
	double		weight;			/* in a mixture */

	/* large: atoms by ascending value, and the probability from each one on */
	Atom	   *atoms;
	double	   *from_here;
	int			natoms;

	/* small */
	double		mean;
	double		sd;				/* 0: there are none */
	double		skewness;
	double		kurtosis;
	double		unit;			/* all values are multiples of it; 0: of none */
	double		low;			/* below and above is nothing */
	double		high;
} Component;

struct Convolution
{
	double		total;			/* the largest possible value */
	double		unit;			/* all values are multiples of it; 0: of none */
	int			n;
	Component  *components;
};

/* ---------- two lots ---------- */

static int
compare_amounts(const void *a, const void *b)
{
	double		x = ((const ChanceDeal *) a)->amount;
	double		y = ((const ChanceDeal *) b)->amount;

	return (x < y) - (x > y);
}

/*
 * The unit of amounts that have one, and of one more: their greatest common
 * divisor.  Below 1 it is of no interest any more.
 */
static double
unit_of_both(double a, double b)
{
	if (a > 0 && a <= 1)
		return a;
	while (b != 0)
	{
		double		rest = fmod(a, b);

		a = b;
		b = rest;
	}
	return a;
}

/*
 * Divides the deals.  The small ones are kept each by itself, or together with
 * those of about the same chance, whose mean they then have.
 */
static void
divide_deals(DealLots *lots, const ChanceDeal *deals, int n, int64 large_max, bool together)
{
	ChanceDeal *sorted = palloc_extended((n + 1) * sizeof(ChanceDeal), MCXT_ALLOC_HUGE);
	double	   *variances = palloc_extended((n + 1) * sizeof(double), MCXT_ALLOC_HUGE);
	int			groups = together ? 2 * (MIXED_CHANCES + 1) : n;
	int			i;

	memcpy(sorted, deals, n * sizeof(ChanceDeal));
	qsort(sorted, n, sizeof(ChanceDeal), compare_amounts);

	/* the variance from each deal on, summed up from the smallest */
	lots->total = lots->common_total = lots->common_expected = 0;
	variances[n] = 0;
	for (i = n - 1; i >= 0; i--)
	{
		double		amount = (double) sorted[i].count * sorted[i].amount;

		lots->total += amount;
		if (sorted[i].is_common)
		{
			lots->common_total += amount;
			lots->common_expected += amount * sorted[i].chance;
		}
		variances[i] = variances[i + 1] +
			amount * sorted[i].amount * sorted[i].chance * (1 - sorted[i].chance);
	}
	lots->variance = variances[0];

	lots->large = sorted;
	lots->large_count = 0;
	for (i = 0; i < n && sorted[i].count <= large_max - lots->large_count; i++)
	{
		if (SMALL_DEAL * SMALL_DEAL * sorted[i].amount * sorted[i].amount < variances[i])
			break;
		lots->large_count += sorted[i].count;
	}
	lots->nlarge = i;

	lots->small = palloc_extended((groups + 1) * sizeof(SmallDeals),
								  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	lots->small_total = lots->small_unit = 0;
	for (i = n - 1; i >= lots->nlarge; i--)
	{
		double		amount = sorted[i].amount;
		double		power = (double) sorted[i].count;
		SmallDeals *group = &lots->small[together ?
										 (int) (sorted[i].chance * MIXED_CHANCES) * 2 +
										 sorted[i].is_common : i - lots->nlarge];

		for (int k = 0; k < 4; k++)
			group->sums[k] += power *= amount;
		group->chance += (double) sorted[i].count * amount / group->sums[0] *
			(sorted[i].chance - group->chance);
		group->is_common = sorted[i].is_common;
		lots->small_total += (double) sorted[i].count * amount;
		lots->small_unit = unit_of_both(lots->small_unit, amount);
	}
	for (i = 0, lots->unit = lots->small_unit; i < lots->nlarge; i++)
		lots->unit = unit_of_both(lots->unit, sorted[i].amount);

	/* a unit that is not a whole number is rounding only */
	if (lots->unit != floor(lots->unit))
		lots->unit = 0;
	if (lots->small_unit != floor(lots->small_unit))
		lots->small_unit = 0;

	/* no empty groups */
	lots->nsmall = 0;
	for (i = 0; i < groups; i++)
	{
		if (lots->small[i].sums[0] > 0)
			lots->small[lots->nsmall++] = lots->small[i];
	}
	pfree(variances);
}

/* A chance when the odds are multiplied by some factor. */
static inline double
change_odds(double chance, bool is_common, double factor)
{
	return is_common ? chance * factor / (1 - chance + chance * factor) : chance;
}

/* ---------- large deals ---------- */

/*
 * Writes what comes of some atoms by one more deal.  Sums that are the same
 * but for rounding are one atom.
 */
static int
add_deal(Atom *to, const Atom *from, int n, double amount, double chance, double rounding)
{
	int			lost = 0;
	int			won = 0;
	int			written = 0;

	while (won < n)
	{
		Atom		atom;
		double		value = from[won].value + amount;

		if (lost < n && from[lost].value < value - rounding)
		{
			atom.value = from[lost].value;
			atom.probability = from[lost++].probability * (1 - chance);
		}
		else
		{
			atom.value = value;
			atom.probability = from[won++].probability * chance;
			if (lost < n && from[lost].value <= value + rounding)
			{
				atom.value = from[lost].value;
				atom.probability += from[lost++].probability * (1 - chance);
			}
		}
		to[written] = atom;
		written += atom.probability > NEGLIGIBLE;
	}
	return written;
}

/*
 * Puts neighbours together, where that costs least, until no more than wanted
 * are left.  Returns how many there are, and adds what was lost: p and q at a
 * distance lose p q / (p + q) * distance^2.
 */
static int
put_together(Atom *atoms, int n, int wanted, double *lost_variance)
{
	int			of_exponent[DBL_MAX_EXP - DBL_MIN_EXP + 1] = {0};
	int			seen = 0;
	int			cheap = 0;
	int			exponent;
	double		limit;

	/* below the limit are as many pairs as are to go, by a sample of them */
	for (int i = 1; i < n; i += 7, seen++)
	{
		double		distance = atoms[i].value - atoms[i - 1].value;

		frexp(Min(atoms[i].probability, atoms[i - 1].probability) * distance * distance,
			  &exponent);
		of_exponent[Max(exponent, DBL_MIN_EXP) - DBL_MIN_EXP]++;
	}
	for (exponent = DBL_MIN_EXP; (double) cheap * n < (double) seen * (n - wanted); exponent++)
		cheap += of_exponent[exponent - DBL_MIN_EXP];
	limit = ldexp(1, exponent - 1);

	/* a pair that has become one costs more to be put together with the next */
	for (;;)
	{
		int			last = 0;

		for (int i = 1; i < n; i++)
		{
			double		distance = atoms[i].value - atoms[last].value;
			double		probability = atoms[last].probability + atoms[i].probability;
			double		cost = atoms[last].probability * atoms[i].probability * distance * distance;

			if (cost <= limit * probability)
			{
				atoms[last].value += atoms[i].probability / probability * distance;
				atoms[last].probability = probability;
				*lost_variance += cost / probability;
			}
			else
				atoms[++last] = atoms[i];
		}
		n = last + 1;
		if (n <= wanted)
			return n;
		limit *= 2;
	}
}

/* ---------- the sum of both ---------- */

/* Cumulants of the sum of the small deals, see the head of this file. */
static void
sum_small(Component *sum, const DealLots *lots, double odds, double more_variance)
{
	double		variance = 0;
	double		third = 0;
	double		fourth = 0;
	double		unit = lots->small_unit;

	sum->mean = sum->sd = sum->skewness = sum->kurtosis = sum->unit = 0;
	sum->low = sum->high = 0;
	if (lots->nsmall == 0)
		return;
	for (int i = 0; i < lots->nsmall; i++)
	{
		const SmallDeals *deals = &lots->small[i];
		double		p = change_odds(deals->chance, deals->is_common, odds);
		double		pq = p * (1 - p);

		sum->mean += deals->sums[0] * p;
		variance += deals->sums[1] * pq;
		third += deals->sums[2] * pq * (1 - 2 * p);
		fourth += deals->sums[3] * pq * (1 - 6 * pq);
	}
	variance += more_variance;

	if (unit > 0 && unit * unit < variance)
	{
		sum->unit = unit;
		variance -= unit * unit / 12;
		fourth += unit * unit * unit * unit / 120;
	}
	sum->sd = sqrt(variance);
	if (!(sum->sd > 0))
		return;
	sum->skewness = third / (variance * sum->sd);
	sum->kurtosis = fourth / (variance * variance);
	if (fabs(sum->skewness) > 0.3 || fabs(sum->kurtosis) > 0.3)
		sum->skewness = sum->kurtosis = 0;
	sum->low = Max(0, sum->mean - TAIL * sum->sd);
	sum->high = Min(lots->small_total, sum->mean + TAIL * sum->sd);
}

/*
 * Sums up the deals, their odds multiplied by a factor, into so many atoms, and
 * adds to the variance.
 */
static void
sum_deals(Component *sum, const DealLots *lots, double odds, int atoms_exact,
		  int atoms_rough, double more_variance)
{
	size_t		room = 2 * (lots->large_count < 16 ?
							Min(atoms_exact, 1 << lots->large_count) : atoms_exact);
	Atom	   *atoms = palloc(room * sizeof(Atom));
	Atom	   *next = palloc(room * sizeof(Atom));
	int			natoms = 1;
	int			natoms_max = atoms_exact;

	atoms[0].value = 0;
	atoms[0].probability = 1;
	for (int i = 0; i < lots->nlarge; i++)
	{
		const ChanceDeal *deal = &lots->large[i];
		double		chance = change_odds(deal->chance, deal->is_common, odds);

		for (int64 k = 0; k < deal->count; k++)
		{
			Atom	   *swap = atoms;

			natoms = add_deal(next, atoms, natoms, deal->amount, chance, 1e-14 * lots->total);
			atoms = next;
			next = swap;
			if (natoms > natoms_max)
			{
				natoms_max = atoms_rough;
				natoms = put_together(atoms, natoms, natoms_max / 2, &more_variance);
			}
			CHECK_FOR_INTERRUPTS();
		}
	}
	sum_small(sum, lots, odds, more_variance);

	sum->natoms = natoms;
	sum->atoms = palloc(natoms * sizeof(Atom));
	memcpy(sum->atoms, atoms, natoms * sizeof(Atom));
	sum->from_here = palloc((natoms + 1) * sizeof(double));
	sum->from_here[natoms] = 0;
	for (int i = natoms - 1; i >= 0; i--)
		sum->from_here[i] = sum->from_here[i + 1] + atoms[i].probability;
	pfree(atoms);
	pfree(next);
}

/*
 * Sums are multiples of the unit: they are at least x, or above x, where they
 * are above this place halfway between two multiples.
 */
static inline double
between_units(double x, double unit, bool above)
{
	if (unit == 0)
		return x;
	return above ? (floor(x / unit + 1e-9) + 0.5) * unit : (ceil(x / unit - 1e-9) - 0.5) * unit;
}

/* The probability that the sum of the small deals is at least x, or above x. */
static double
small_at_least(const Component *sum, double x, bool above)
{
	double		z;
	double		z2;
	double		density;
	double		tail;

	if (sum->sd == 0)
		return (above ? x < 0 : x <= 0) ? 1 : 0;
	x = between_units(x, sum->unit, above);
	z = (x - sum->mean) / sum->sd;
	z2 = z * z;
	density = exp(-z2 / 2) / sqrt(2 * M_PI);
	tail = erfc(z * M_SQRT1_2) / 2 +
		density * (sum->skewness / 6 * (z2 - 1) +
				   sum->kurtosis / 24 * z * (z2 - 3) +
				   sum->skewness * sum->skewness / 72 * z * (z2 * (z2 - 10) + 15));
	return Min(Max(tail, 0), 1);
}

/* The probability that all deals together bring at least x, or more than x. */
static double
component_at_least(const Component *sum, double x, bool above)
{
	int			low = 0;
	int			high = sum->natoms;
	double		probability;

	/* from this atom on the small deals bring what is missing */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		double		missing = x - sum->atoms[middle].value - sum->low;

		if (above ? missing < 0 : missing <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	probability = sum->from_here[low];
	for (int i = low - 1; i >= 0 && x - sum->atoms[i].value <= sum->high; i--)
		probability += sum->atoms[i].probability *
			small_at_least(sum, x - sum->atoms[i].value, above);
	return probability;
}

/* ---------- a common effect ---------- */

/*
 * The logarithm of the factor of the odds that makes the expected total of the
 * deals that the effect reaches what is wanted: by Newton's method, from the
 * one given.
 */
static double
find_log_odds(const DealLots *lots, double wanted, double log_odds)
{
	double		low = -60;
	double		high = 60;

	for (int round = 0; round < 100; round++)
	{
		double		odds = exp(log_odds);
		double		missing = wanted;
		double		slope = 0;

		for (int i = 0; i < lots->nlarge; i++)
		{
			const ChanceDeal *deal = &lots->large[i];

			if (deal->is_common)
			{
				double		amount = (double) deal->count * deal->amount;
				double		p = change_odds(deal->chance, true, odds);

				missing -= amount * p;
				slope += amount * p * (1 - p);
			}
		}
		for (int i = 0; i < lots->nsmall; i++)
		{
			const SmallDeals *deals = &lots->small[i];

			if (deals->is_common)
			{
				double		p = change_odds(deals->chance, true, odds);

				missing -= deals->sums[0] * p;
				slope += deals->sums[0] * p * (1 - p);
			}
		}
		if (fabs(missing) <= 1e-9 * lots->common_total)
			break;
		if (missing > 0)
			low = log_odds;
		else
			high = log_odds;
		log_odds += missing / slope;
		if (!(log_odds > low && log_odds < high))
			log_odds = (low + high) / 2;
	}
	return log_odds;
}

/*
 * The common effect M is lognormal with mean 1 and coefficient of variation
 * spread.  Given M the deals are independent, and the odds of each are
 * multiplied by the same factor, so that the expected total is M times what
 * it is without; but the part of the total that is expected not to come never
 * becomes less than a thousandth of what it is.
 *
 * The mixture over M is the trapezoidal rule in z, M = exp(s z - s^2/2).  It
 * is all but exact once a step moves the mean by no more than the standard
 * deviation given M.  Where that takes too many steps, the normal z is split
 * into a coarse one, which is stepped through, and a fine one, which goes to
 * the variance of each sum.
 */
static void
mix_effects(Convolution *sum, const DealLots *lots, double spread)
{
	double		s = sqrt(log1p(spread * spread));
	double		coarse = 1;		/* share of the coarse part in the variance of z */
	double		weights = 0;
	double		log_odds = 0;
	double		step;
	int			steps;
	int			atoms;

	step = Min(EFFECT_STEP, log(EFFECT_FACTOR) / s);
	step = Min(step, sqrt(lots->variance) / (lots->common_expected * s));
	if (step < 2 * EFFECT_LIMIT / EFFECTS_MAX)
	{
		step = 2 * EFFECT_LIMIT / EFFECTS_MAX;
		coarse = 1 - 0.5 * step * step;
	}
	steps = (int) ceil(EFFECT_LIMIT / step);
	sum->n = 2 * steps + 1;
	sum->components = palloc(sum->n * sizeof(Component));
	atoms = ATOMS_MIXED / sum->n;

	for (int i = 0; i < sum->n; i++)
	{
		Component  *component = &sum->components[i];
		double		z = (i - steps) * step;
		double		wanted = lots->common_expected * exp(s * sqrt(coarse) * z - s * s * coarse / 2);

		wanted = Min(wanted, lots->common_total -
					 (lots->common_total - lots->common_expected) / 1000);
		log_odds = find_log_odds(lots, wanted, log_odds);
		sum_deals(component, lots, exp(log_odds), atoms, atoms,
				  wanted * wanted * s * s * (1 - coarse));
		component->weight = exp(-z * z / 2);
		weights += component->weight;
	}
	for (int i = 0; i < sum->n; i++)
		sum->components[i].weight /= weights;
}

/* ---------- what others see ---------- */

/*
 * The distribution of the sum of deals, with a common effect whose coefficient
 * of variation is spread, or without where that is 0.
 */
Convolution *
convolve(const ChanceDeal *deals, int n, double spread)
{
	Convolution *sum = palloc(sizeof(Convolution));
	DealLots	lots;
	bool		is_mixed = false;

	for (int i = 0; i < n && spread > 0; i++)
		is_mixed = is_mixed || deals[i].is_common;
	divide_deals(&lots, deals, n, is_mixed ? LARGE_MAX_MIXED : LARGE_MAX, is_mixed);
	sum->total = lots.total;
	sum->unit = lots.unit;
	if (is_mixed)
		mix_effects(sum, &lots, spread);
	else
	{
		sum->n = 1;
		sum->components = palloc(sizeof(Component));
		sum->components[0].weight = 1;
		sum_deals(&sum->components[0], &lots, 1, ATOMS_EXACT, ATOMS_ROUGH, 0);
	}
	pfree(lots.large);
	pfree(lots.small);
	return sum;
}

static double
at_least(const Convolution *sum, double x, bool above)
{
	double		probability = 0;

	if (above ? x < 0 : x <= 0)
		return 1;
	if (above ? x >= sum->total : x > sum->total)
		return 0;
	if (!above)
		x = Max(x, sum->unit);	/* less than one unit, but more than nothing */
	x = between_units(x, sum->unit, above);
	for (int i = 0; i < sum->n; i++)
		probability += sum->components[i].weight *
			component_at_least(&sum->components[i], x, above);
	return Min(Max(probability, 0), 1);
}

/* The probability that the deals bring at least x. */
double
convolution_at_least(const Convolution *sum, double x)
{
	return at_least(sum, x, false);
}

/* The smallest x that the deals do not exceed with this probability. */
double
convolution_quantile(const Convolution *sum, double share)
{
	double		low = 0;
	double		high = sum->total;
	double		exceeded = 1 - share + 1e-12;

	if (share >= 1)
		return sum->total;
	if (at_least(sum, 0, true) <= exceeded)
		return 0;
	for (int round = 0; round < 100; round++)
	{
		double		middle = low + (high - low) / 2;

		if (!(middle > low && middle < high))
			break;
		if (at_least(sum, middle, true) <= exceeded)
			high = middle;
		else
			low = middle;
		CHECK_FOR_INTERRUPTS();
	}
	return sum->unit > 0 ? rint(high / sum->unit) * sum->unit : high;
}
