/*-------------------------------------------------------------------------
 *
 * holt_winters.h
 *	  Exponential smoothing: level, trend, damped trend, additive and
 *	  multiplicative seasons.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_HOLT_WINTERS_H
#define SALES_PERF_HOLT_WINTERS_H

#include "postgres.h"

typedef enum TrendKind
{
	TREND_NONE,
	TREND_LINEAR,
	TREND_DAMPED				/* each step is phi times the one before */
} TrendKind;

typedef enum SeasonKind
{
	SEASON_NONE,
	SEASON_ADDITIVE,
	SEASON_MULTIPLICATIVE
} SeasonKind;

/* A season has a trend, too. */
typedef struct SmoothingModel
{
	TrendKind	trend;
	SeasonKind	season;
	int			period;			/* points in a season, at least 2 if there is one */
} SmoothingModel;

enum
{
	ALPHA,						/* weight of the newest point in the level */
	BETA,						/* of the newest step of the level in the trend */
	GAMMA,						/* of the newest point in its seasonal figure */
	PHI,						/* damping of the trend */
	SMOOTHING_PARAMETERS
};

typedef struct SmoothingFit
{
	SmoothingModel model;
	double		parameter[SMOOTHING_PARAMETERS];	/* NaN: the model has none */
	int			first;			/* the first point forecast, counted from 0 */
	int			n;
	double		sse;			/* of the errors; infinite where they have no limit */
	double	   *errors;			/* by point; those before first are 0 */
	double		level;			/* after the last point */
	double		trend;			/* 0 if there is none */
	double	   *seasonal;		/* figures of the next period points */
} SmoothingFit;

extern bool smoothing_possible(const SmoothingModel *model, const double *values, int n);
extern bool smoothing_has(const SmoothingModel *model, int parameter);
extern SmoothingFit smoothing_fit(const SmoothingModel *model,
								  const double given[SMOOTHING_PARAMETERS],
								  const double *values, int n);
extern void smoothing_forecast(const SmoothingFit *fit, int horizon, double *expected);
extern void smoothing_variance(const SmoothingFit *fit, bool relative, int horizon,
							   double *variance);

#endif							/* SALES_PERF_HOLT_WINTERS_H */
