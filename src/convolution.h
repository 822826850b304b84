/*-------------------------------------------------------------------------
 *
 * convolution.h
 *	  The distribution of a sum of deals, each of which is won or not.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_CONVOLUTION_H
#define SALES_PERF_CONVOLUTION_H

#include "postgres.h"

/* Some deals alike: each brings its amount with its chance, or else nothing. */
typedef struct ChanceDeal
{
	double		amount;			/* above 0 */
	double		chance;			/* above 0, below 1 */
	int64		count;
	bool		is_common;		/* does the common effect reach it? */
} ChanceDeal;

typedef struct Convolution Convolution;

extern Convolution *convolve(const ChanceDeal *deals, int n, double spread);
extern double convolution_at_least(const Convolution *sum, double x);
extern double convolution_quantile(const Convolution *sum, double share);

#endif							/* SALES_PERF_CONVOLUTION_H */
