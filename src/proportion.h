/*-------------------------------------------------------------------------
 *
 * proportion.h
 *	  Statistics of shares: the normal distribution and Student's, Wilson's
 *	  interval, the two-proportion test.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_PROPORTION_H
#define SALES_PERF_PROPORTION_H

#include "postgres.h"

extern double normal_quantile(double share);
extern double normal_two_sided_p(double z);
extern double student_share(double t, int degrees);
extern double student_quantile(double share, int degrees);
extern void wilson_interval(int64 successes, int64 trials, double confidence,
							double *low, double *high);
extern double two_proportion_p(int64 successes_a, int64 trials_a,
							   int64 successes_b, int64 trials_b);

#endif							/* SALES_PERF_PROPORTION_H */
