/*-------------------------------------------------------------------------
 *
 * deal_sum.h
 *	  Quantiles of what deals bring, quickly and for many groups of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_DEAL_SUM_H
#define SALES_PERF_DEAL_SUM_H

#include "postgres.h"

/* A deal that brings its amount with its chance, or else nothing. */
typedef struct SumDeal
{
	double		amount;
	double		chance;
} SumDeal;

/* Deals of an amount of which so many come on average, as a Poisson process. */
typedef struct SumRate
{
	double		amount;
	double		rate;
} SumRate;

extern void deal_sum_quantiles(const SumDeal *deals, int ndeals, const SumRate *rates,
							   int nrates, double spread, const double *shares, int nshares,
							   double *quantiles, double target, double *reaching);

#endif							/* SALES_PERF_DEAL_SUM_H */
