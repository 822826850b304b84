/*-------------------------------------------------------------------------
 *
 * forecast.c
 *	  Forecasts of a series: the choice of a method, prediction intervals, and
 *	  how good they would have been.
 *
 * R. J. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice,
 * 3rd ed., chapters 5 and 8; R. J. Hyndman and A. B. Koehler, Another look at
 * measures of forecast accuracy, International Journal of Forecasting 22
 * (2006).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "forecast.h"
#include "proportion.h"

/*
 * Errors smaller than this, with values of about 1, are those of rounding:
 * methods that good are all the same, and the simplest is taken.
 */
#define NO_ERROR_SQUARED 1e-20

static const struct
{
	const char *name;
	TrendKind	trend;
	SeasonKind	season;
}			methods[FORECAST_METHODS] = {
	{"mean", TREND_NONE, SEASON_NONE},
	{"level", TREND_NONE, SEASON_NONE},
	{"trend", TREND_LINEAR, SEASON_NONE},
	{"damped trend", TREND_DAMPED, SEASON_NONE},
	{"additive", TREND_LINEAR, SEASON_ADDITIVE},
	{"damped additive", TREND_DAMPED, SEASON_ADDITIVE},
	{"multiplicative", TREND_LINEAR, SEASON_MULTIPLICATIVE},
	{"damped multiplicative", TREND_DAMPED, SEASON_MULTIPLICATIVE}
};

static SmoothingModel
model_of(ForecastMethod method, int season)
{
	SmoothingModel model = {methods[method].trend, methods[method].season, season};

	return model;
}

static const double all_free[SMOOTHING_PARAMETERS] = {NAN, NAN, NAN, NAN};

const char *
forecast_method_name(ForecastMethod method)
{
	return methods[method].name;
}

bool
forecast_method_named(const char *name, ForecastMethod *method)
{
	for (int i = 0; i < FORECAST_METHODS; i++)
	{
		if (strcmp(name, methods[i].name) == 0)
		{
			*method = (ForecastMethod) i;
			return true;
		}
	}
	return false;
}

/* Whether a method has one of the parameters of smoothing. */
bool
forecast_has_parameter(ForecastMethod method, int parameter)
{
	SmoothingModel model = model_of(method, 0);

	return method != METHOD_MEAN && smoothing_has(&model, parameter);
}

static bool
has_two_seasons(int n, int season)
{
	return season > 1 && n / FORECAST_MIN_SEASONS >= season;
}

/* Whether a method can be fitted at all; the mean needs one point. */
bool
forecast_possible(ForecastMethod method, const double *values, int n, int season)
{
	SmoothingModel model = model_of(method, season);

	for (int t = 0; t < n; t++)
	{
		if (!isfinite(values[t]))
			return false;
	}
	return method == METHOD_MEAN ? n > 0 : smoothing_possible(&model, values, n);
}

/* The power of two just above the largest value: the division by it is exact. */
static double
unit_of(const double *values, int n)
{
	double		largest = 0;
	int			exponent;

	for (int t = 0; t < n; t++)
		largest = Max(largest, fabs(values[t]));
	if (largest == 0)
		return 1;
	frexp(largest, &exponent);

	/* both it and its inverse are to be numbers */
	exponent = Max(-1000, Min(1000, exponent));
	return ldexp(1.0, exponent);
}

static double *
in_units(const double *values, int n, double unit)
{
	double	   *scaled = palloc_extended(n * sizeof(double), MCXT_ALLOC_HUGE);

	for (int t = 0; t < n; t++)
		scaled[t] = values[t] / unit;
	return scaled;
}

/* The mean as if it were smoothing: a level, and the errors around it. */
static SmoothingFit
mean_fit(const double *values, int n)
{
	SmoothingFit fit = {{TREND_NONE, SEASON_NONE, 0}, {NAN, NAN, NAN, NAN}};

	fit.n = n;
	for (int t = 0; t < n; t++)
		fit.level += (values[t] - fit.level) / (t + 1);
	fit.errors = palloc_extended(n * sizeof(double), MCXT_ALLOC_HUGE);
	for (int t = 0; t < n; t++)
	{
		fit.errors[t] = values[t] - fit.level;
		fit.sse += fit.errors[t] * fit.errors[t];
	}
	return fit;
}

/* The numbers that are fitted to all errors; of the mean, the mean. */
static int
parameters_of(ForecastMethod method)
{
	int			parameters = method == METHOD_MEAN ? 1 : 0;

	for (int p = 0; p < SMOOTHING_PARAMETERS; p++)
		parameters += forecast_has_parameter(method, p);
	return parameters;
}

/*
 * A seasonal figure starts from one point of the first two seasons, and those
 * of one half from points of the second, whose errors are looked at: so many
 * more numbers were fitted to them.
 */
static int
fitted_figures(ForecastMethod method, int season)
{
	return methods[method].season == SEASON_NONE ? 0 : season / 2;
}

/*
 * Whether the errors are likelier to be in proportion to the forecasts than
 * to be of one size: which of the two normal likelihoods is larger.  If so, the
 * sum of squares is made that of the relative errors.
 */
static bool
errors_grow(const SmoothingFit *fit, const double *values, double *squares)
{
	int			errors = fit->n - fit->first;
	double		relative = 0;
	double		logs = 0;

	for (int t = fit->first; t < fit->n; t++)
	{
		double		expected = values[t] - fit->errors[t];

		if (!(expected > 0))
			return false;
		relative += fit->errors[t] / expected * (fit->errors[t] / expected);
		logs += log(expected);
	}
	if (!(errors * log(relative) + 2 * logs < errors * log(fit->sse)))
		return false;
	*squares = relative;
	return true;
}

/*
 * Fits a method that is possible.  The errors have the variance SSE /
 * freedom, which is at least 1 where two errors or more are known.
 */
Forecast
forecast_fit(ForecastMethod method, const double *values, int n, int season,
			 const double given[SMOOTHING_PARAMETERS])
{
	SmoothingModel model = model_of(method, season);
	Forecast	forecast;
	double	   *scaled;
	double		squares;
	int			errors;

	forecast.method = method;
	forecast.n = n;
	forecast.short_history = season > 1 && !has_two_seasons(n, season);
	forecast.unit = unit_of(values, n);
	scaled = in_units(values, n, forecast.unit);
	if (method == METHOD_MEAN)
		forecast.fit = mean_fit(scaled, n);
	else
		forecast.fit = smoothing_fit(&model, given, scaled, n);

	errors = n - forecast.fit.first;
	forecast.freedom = errors - parameters_of(method) - fitted_figures(method, season);
	if (errors > 1)
		forecast.freedom = Max(forecast.freedom, 1);
	squares = forecast.fit.sse;
	forecast.relative = model.season == SEASON_MULTIPLICATIVE &&
		errors_grow(&forecast.fit, scaled, &squares);
	forecast.deviation = forecast.freedom < 1 ? NAN : sqrt(squares / forecast.freedom);
	if (!forecast.relative)
		forecast.deviation *= forecast.unit;
	pfree(scaled);

	forecast.level = forecast.fit.level * forecast.unit;
	forecast.trend = forecast.fit.trend * forecast.unit;
	forecast.sse = forecast.fit.sse * forecast.unit * forecast.unit;
	return forecast;
}

void
forecast_free(Forecast *forecast)
{
	pfree(forecast->fit.errors);
	if (forecast->fit.seasonal)
		pfree(forecast->fit.seasonal);
}

/*
 * Whether a fit can be forecast from: with a multiplicative season, level and
 * figures that came to 0 or below have no meaning.
 */
static bool
sound(const SmoothingFit *fit)
{
	if (!isfinite(fit->sse))
		return false;
	if (fit->model.season != SEASON_MULTIPLICATIVE)
		return true;
	for (int i = 0; i < fit->model.period; i++)
	{
		if (!(fit->seasonal[i] > 0))
			return false;
	}
	return fit->level > 0;
}

/*
 * Akaike's information criterion of the errors from a point on, the same for
 * all methods (Hyndman and Athanasopoulos, section 7.5):
 *
 *		n log(SSE / n) + 2 k
 *
 * with k the numbers fitted to these errors: the parameters, the variance, and
 * the seasonal figures as above.  Level and trend start from points before.
 * The correction for short series (AICc) is left out: it would outweigh any
 * season of twelve months until there are three years of them.
 */
static double
criterion(const Forecast *forecast, int first)
{
	int			errors = forecast->n - first;
	int			parameters = parameters_of(forecast->method) + 1;
	int			fitted = parameters + fitted_figures(forecast->method, forecast->fit.model.period);
	double		sse = 0;

	if (errors < parameters || !sound(&forecast->fit))
		return INFINITY;
	for (int t = first; t < forecast->n; t++)
		sse += forecast->fit.errors[t] * forecast->fit.errors[t];
	return errors * log(Max(sse / errors, NO_ERROR_SQUARED)) + 2.0 * fitted;
}

/*
 * The method with the smallest criterion, of those that are possible: with
 * fewer than two seasons there is no seasonal method, with very few points
 * only the mean.  There must be a point, and all must be finite.
 */
Forecast
forecast_choose(const double *values, int n, int season)
{
	Forecast	best = forecast_fit(METHOD_MEAN, values, n, season, all_free);
	int			first = has_two_seasons(n, season) ? season : 2;
	double		best_criterion;

	if (n < FORECAST_MIN_POINTS)
		return best;
	best_criterion = criterion(&best, first);
	for (int method = METHOD_MEAN + 1; method < FORECAST_METHODS; method++)
	{
		Forecast	forecast;
		double		its_criterion;

		if (!forecast_possible(method, values, n, season))
			continue;
		forecast = forecast_fit(method, values, n, season, all_free);
		its_criterion = criterion(&forecast, first);
		if (its_criterion < best_criterion)
		{
			forecast_free(&best);
			best = forecast;
			best_criterion = its_criterion;
		}
		else
			forecast_free(&forecast);
	}
	return best;
}

/* Keeps what is too large for a double at the largest one. */
static double
bounded(double value)
{
	return Max(-DBL_MAX, Min(DBL_MAX, value));
}

/* Student's t makes up for a deviation known from few errors. */
static void
set_interval(ForecastPoint *point, double deviation, int freedom,
			 double confidence)
{
	double		half = isnan(deviation) ? NAN :
		deviation * student_quantile(0.5 + confidence / 2, freedom);

	point->low = isfinite(half) ? bounded(point->expected - half) : NAN;
	point->high = isfinite(half) ? bounded(point->expected + half) : NAN;
}

/* The points after the last, from 1 to the horizon, with their intervals. */
void
forecast_points(const Forecast *forecast, int horizon, double confidence,
				ForecastPoint *points)
{
	double	   *expected;
	double	   *variance;

	if (!isfinite(forecast->fit.sse))
	{
		/* given parameters under which errors have no limit */
		for (int h = 0; h < horizon; h++)
			points[h].expected = points[h].low = points[h].high = NAN;
		return;
	}

	expected = palloc(horizon * sizeof(double));
	variance = palloc(horizon * sizeof(double));
	smoothing_forecast(&forecast->fit, horizon, expected);
	if (forecast->method == METHOD_MEAN)
	{
		/* its own error comes on top */
		for (int h = 0; h < horizon; h++)
			variance[h] = 1 + 1.0 / forecast->n;
	}
	else
		smoothing_variance(&forecast->fit, forecast->relative, horizon, variance);

	for (int h = 0; h < horizon; h++)
	{
		double		deviation = forecast->deviation * sqrt(variance[h]);

		points[h].expected = bounded(expected[h] * forecast->unit);
		if (forecast->relative)
			deviation *= fabs(points[h].expected);
		set_interval(&points[h], deviation, forecast->freedom, confidence);
	}
	pfree(expected);
	pfree(variance);
}

/*
 * The seasonal naive method: the value of a season before.  Its errors over
 * the points known give the deviation, sqrt(mean of squares), and the scale of
 * MASE, the mean of absolutes.
 */
static void
naive_errors(const double *values, int n, int season,
			 double *deviation, double *scale)
{
	double		squares = 0;
	double		absolutes = 0;

	for (int t = season; t < n; t++)
	{
		double		error = values[t] - values[t - season];

		squares += error * error / (n - season);
		absolutes += fabs(error) / (n - season);
	}
	*deviation = sqrt(squares);
	*scale = absolutes;
}

typedef struct AccuracySums
{
	double		errors;			/* absolute */
	double		values;
	double		scaled_errors;
	int64		scaled;			/* those with a scale above 0 */
	int64		covered;
	int64		intervals;
} AccuracySums;

static void
add_forecast(AccuracySums *sums, const ForecastPoint *point, double value,
			 double scale)
{
	double		error = fabs(value - point->expected);

	sums->errors += error;
	sums->values += fabs(value);
	if (scale > 0)
	{
		sums->scaled_errors += error / scale;
		sums->scaled++;
	}
	if (!isnan(point->low))
	{
		sums->intervals++;
		sums->covered += point->low <= value && value <= point->high;
	}
}

static void
set_accuracy(ForecastAccuracy *accuracy, const AccuracySums *sums)
{
	accuracy->wmape = sums->values > 0 ? sums->errors / sums->values : NAN;
	accuracy->mase = sums->scaled > 0 ? sums->scaled_errors / sums->scaled : NAN;
	accuracy->coverage = sums->intervals > 0 ?
		(double) sums->covered / sums->intervals : NAN;
}

/*
 * Forecasts from the last origins of the series, each knowing only the points
 * before it, and compares with what came.  There must be two seasons before the
 * first origin; with fewer than those and a point, the season is not looked
 * at, and the naive method is the last value.  False: too few points.
 */
bool
forecast_backtest(const double *values, int n, int season, int horizon,
				  int max_origins, double confidence,
				  ForecastAccuracy *chosen, ForecastAccuracy *naive,
				  int *naive_season)
{
	AccuracySums sums = {0};
	AccuracySums naive_sums = {0};
	ForecastPoint *points;
	int			known;

	*naive_season = has_two_seasons(n - 1, season) ? season : 1;
	known = Max(FORECAST_MIN_POINTS, FORECAST_MIN_SEASONS * *naive_season);
	known = Max(known, n - max_origins);
	if (known >= n || max_origins < 1)
		return false;

	chosen->origins = naive->origins = n - known;
	chosen->forecasts = naive->forecasts = 0;
	horizon = Min(horizon, n - known);
	points = palloc(horizon * sizeof(ForecastPoint));
	for (; known < n; known++)
	{
		Forecast	forecast = forecast_choose(values, known, season);
		int			steps = Min(horizon, n - known);
		double		deviation;
		double		scale;

		naive_errors(values, known, *naive_season, &deviation, &scale);
		forecast_points(&forecast, steps, confidence, points);
		for (int h = 0; h < steps; h++)
			add_forecast(&sums, &points[h], values[known + h], scale);

		for (int h = 0; h < steps; h++)
		{
			points[h].expected = values[known - *naive_season + h % *naive_season];
			set_interval(&points[h], deviation * sqrt(h / *naive_season + 1),
						 known - *naive_season, confidence);
			add_forecast(&naive_sums, &points[h], values[known + h], scale);
		}
		forecast_free(&forecast);
		chosen->forecasts += steps;
		naive->forecasts += steps;
	}
	set_accuracy(chosen, &sums);
	set_accuracy(naive, &naive_sums);
	pfree(points);
	return true;
}
