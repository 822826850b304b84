/*-------------------------------------------------------------------------
 *
 * forecast.h
 *	  Forecasts of a series: the choice of a method, prediction intervals, and
 *	  how good they would have been.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_FORECAST_H
#define SALES_PERF_FORECAST_H

#include "postgres.h"

#include "holt_winters.h"

/* From the simplest on: of two that are as good, the first is taken. */
typedef enum ForecastMethod
{
	METHOD_MEAN,
	METHOD_LEVEL,
	METHOD_TREND,
	METHOD_DAMPED_TREND,
	METHOD_ADDITIVE,
	METHOD_DAMPED_ADDITIVE,
	METHOD_MULTIPLICATIVE,
	METHOD_DAMPED_MULTIPLICATIVE,
	FORECAST_METHODS
} ForecastMethod;

/* With fewer points than this the mean is forecast. */
#define FORECAST_MIN_POINTS 5

/* How much of the past a season needs: two seasons. */
#define FORECAST_MIN_SEASONS 2

typedef struct Forecast
{
	ForecastMethod method;
	bool		short_history;	/* a season was asked for, and there are not two */
	int			n;				/* points */
	double		unit;			/* a power of two; the fit is of values / unit */
	SmoothingFit fit;			/* of the mean: level, errors, sse */
	double		level;			/* after the last point */
	double		trend;
	double		sse;			/* of the errors of one step; of the mean, around it */
	int			freedom;		/* errors less the numbers fitted to them */
	bool		relative;		/* errors are in proportion to the forecasts */
	double		deviation;		/* of the errors, or their shares; NaN: not known */
} Forecast;

typedef struct ForecastPoint
{
	double		expected;		/* NaN: given parameters that lead nowhere */
	double		low;			/* NaN, like high: not known */
	double		high;
} ForecastPoint;

/* How good forecasts would have been; NaN where there is nothing to say. */
typedef struct ForecastAccuracy
{
	int			origins;		/* points in time from which was forecast */
	int64		forecasts;
	double		wmape;			/* sum of absolute errors / sum of absolute values */
	double		mase;			/* mean of absolute errors / those of the naive method */
	double		coverage;		/* share of values within their interval */
} ForecastAccuracy;

extern const char *forecast_method_name(ForecastMethod method);
extern bool forecast_method_named(const char *name, ForecastMethod *method);
extern bool forecast_has_parameter(ForecastMethod method, int parameter);
extern bool forecast_possible(ForecastMethod method, const double *values, int n,
							  int season);
extern Forecast forecast_fit(ForecastMethod method, const double *values, int n,
							 int season, const double given[SMOOTHING_PARAMETERS]);
extern void forecast_free(Forecast *forecast);
extern Forecast forecast_choose(const double *values, int n, int season);
extern void forecast_points(const Forecast *forecast, int horizon,
							double confidence, ForecastPoint *points);
extern bool forecast_backtest(const double *values, int n, int season,
							  int horizon, int max_origins, double confidence,
							  ForecastAccuracy *chosen, ForecastAccuracy *naive,
							  int *naive_season);

#endif							/* SALES_PERF_FORECAST_H */
