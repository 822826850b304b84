/*-------------------------------------------------------------------------
 *
 * period_forecast.c
 *	  Forecasts of what a period_summary counted: the SQL face of forecast.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "forecast.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "subject.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

/* Further ahead, and of longer series, nobody forecasts. */
#define MAX_HORIZON		1000
#define MAX_POINTS		100000

/* All periods of a summary from the first to the last. */
typedef struct AmountSeries
{
	Grain		grain;
	Periods		days;
	int64		first;
	int			n;
	double	   *amounts;
	int			season;			/* in periods; 1 is none */
} AmountSeries;

/* ---------- arguments ---------- */

/* A whole number between 1 and a limit. */
static int
whole_argument(FunctionCallInfo fcinfo, int argument, const char *name, int limit)
{
	int32		value = PG_GETARG_INT32(argument);

	if (value < 1 || value > limit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s out of range: %d", name, value),
				 errhint("It is a number of periods from 1 to %d.", limit)));
	return value;
}

static double
confidence_argument(FunctionCallInfo fcinfo, int argument)
{
	double		confidence = PG_GETARG_FLOAT8(argument);

	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence out of range: %g", confidence),
				 errhint("It is the share of values that an interval is to hold, between 0 and 1, such as 0.8.")));
	return confidence;
}

/* The method; NULL stands for the one that is chosen: false. */
static bool
method_argument(FunctionCallInfo fcinfo, int argument, ForecastMethod *method)
{
	char	   *name;

	if (PG_ARGISNULL(argument))
		return false;
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	if (!forecast_method_named(name, method))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown method: \"%.*s\"",
						pg_mbcliplen(name, (int) strlen(name), 40), name),
				 errhint("Methods are 'mean', 'level', 'trend', 'damped trend', 'additive', 'damped additive', "
						 "'multiplicative' and 'damped multiplicative'; NULL is the one that fits best.")));
	return true;
}

/* Parameters, from an argument on; NaN stands for those that are to be found. */
static void
parameter_arguments(FunctionCallInfo fcinfo, int argument,
					bool has_method, ForecastMethod method,
					double given[SMOOTHING_PARAMETERS])
{
	static const char *const names[SMOOTHING_PARAMETERS] = {"alpha", "beta", "gamma", "phi"};

	for (int p = 0; p < SMOOTHING_PARAMETERS; p++)
	{
		given[p] = NAN;
		if (PG_ARGISNULL(argument + p))
			continue;
		given[p] = PG_GETARG_FLOAT8(argument + p);
		if (!(given[p] >= 0 && given[p] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s out of range: %g", names[p], given[p]),
					 errhint("It is a weight from 0 to 1; NULL lets it be found.")));
		if (!has_method)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s given without a method", names[p]),
					 errhint("Name the method that has this parameter, or give NULL.")));
		if (!forecast_has_parameter(method, p))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("method \"%s\" has no %s", forecast_method_name(method), names[p]),
					 errhint("All but 'mean' have alpha, those with a trend or season beta, with a season gamma, and damped ones phi.")));
	}
}

/* ---------- the series ---------- */

/* The amount of a point; infinite if it is too large for a float. */
static double
point_amount(const SeriesPoints *periods, const SeriesPoint *point)
{
	/* four decimals are exact */
	if (point->large == NULL)
		return (double) point->sums[0] / 10000;
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(series_sum_numeric(periods, point, 0))));
}

/*
 * Reads the amounts, 0 in periods without rows, the season, by grain if the
 * argument of that number is NULL, and the periods' first days (no argument: -1).  False, and no forecast, of a summary
 * without periods, one that is not valid, or an amount that is no finite
 * number.
 */
static bool
read_series(FunctionCallInfo fcinfo, int season, int starts, AmountSeries *series)
{
	SummaryView view;
	const SeriesPoints *periods = &view.series;
	int64		n;

	series->season = PG_ARGISNULL(season) ? 0 :
		whole_argument(fcinfo, season, "season", MAX_POINTS);
	if (PG_ARGISNULL(0) || !summary_read(fcinfo, 0, &period_layout, &view) ||
		periods->n == 0)
		return false;
	series->grain = period_grain(&view);
	series->days = starts < 0 ? periods_of_grain(series->grain) :
		period_starts_argument(fcinfo, starts, series->grain);
	if (series->season == 0)
		series->season = grain_season(series->grain);
	series->first = periods->point[0].key;
	n = periods->point[periods->n - 1].key - series->first + 1;
	if (n > MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many periods to forecast from: " INT64_FORMAT, n),
				 errhint("Leave out rows with impossible days, or take a longer grain than \"%s\".",
						 grain_names[series->grain])));

	series->n = (int) n;
	series->amounts = palloc0(n * sizeof(double));
	for (int i = 0; i < periods->n; i++)
	{
		double		amount = point_amount(periods, &periods->point[i]);

		if (!isfinite(amount))
			return false;
		series->amounts[periods->point[i].key - series->first] = amount;
	}
	return true;
}

/* ---------- answers ---------- */

/* A number, or NULL for one that is not known. */
static Datum
known(double value, bool *isnull)
{
	*isnull = !isfinite(value);
	return Float8GetDatum(value);
}

static Datum
method_datum(const Forecast *forecast, bool chosen)
{
	const char *name = forecast_method_name(forecast->method);

	if (chosen && forecast->short_history)
		return CStringGetTextDatum(psprintf("%s (fewer than %d seasons)", name,
											FORECAST_MIN_SEASONS));
	return CStringGetTextDatum(name);
}

static void
put_points(ReturnSetInfo *result, const AmountSeries *series,
		   const Forecast *forecast, bool chosen, int horizon, double confidence)
{
	ForecastPoint *points = palloc(horizon * sizeof(ForecastPoint));
	Datum		values[5];
	bool		nulls[5] = {false};

	forecast_points(forecast, horizon, confidence, points);
	values[4] = method_datum(forecast, chosen);
	for (int h = 0; h < horizon; h++)
	{
		int64		period = series->first + series->n + h;

		if (!grain_has_period(series->grain, period))
			break;
		values[0] = DateADTGetDatum(period_start(&series->days, period));
		values[1] = known(points[h].expected, &nulls[1]);
		values[2] = known(points[h].low, &nulls[2]);
		values[3] = known(points[h].high, &nulls[3]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Fits the method given, or the best one; false if it cannot be fitted to so
 * few amounts, or to amounts that are not above 0.
 */
static bool
fit(Forecast *forecast, const AmountSeries *series, bool has_method,
	ForecastMethod method, const double given[SMOOTHING_PARAMETERS])
{
	if (!has_method)
	{
		*forecast = forecast_choose(series->amounts, series->n, series->season);
		return true;
	}
	if (forecast_has_parameter(method, GAMMA) && series->season < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" needs a season of 2 periods or more",
						forecast_method_name(method)),
				 errhint("Give the season, such as 12 for months, or take a method without one.")));
	if (!forecast_possible(method, series->amounts, series->n, series->season))
		return false;
	*forecast = forecast_fit(method, series->amounts, series->n, series->season, given);
	return true;
}

/* period_forecast(s, horizon, season, confidence) */
PG_FUNCTION_INFO_V1(period_forecast);
Datum
period_forecast(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmountSeries series;
	Forecast	forecast;
	int			horizon;
	double		confidence;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		return (Datum) 0;
	horizon = whole_argument(fcinfo, 1, "horizon", MAX_HORIZON);
	confidence = confidence_argument(fcinfo, 3);
	if (!read_series(fcinfo, 2, 4, &series))
		return (Datum) 0;

	forecast = forecast_choose(series.amounts, series.n, series.season);
	put_points(result, &series, &forecast, true, horizon, confidence);
	return (Datum) 0;
}

/* period_forecast_by(s, method, horizon, season, alpha, beta, gamma, phi, confidence) */
PG_FUNCTION_INFO_V1(period_forecast_by);
Datum
period_forecast_by(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmountSeries series;
	Forecast	forecast;
	ForecastMethod method = METHOD_MEAN;
	bool		has_method = method_argument(fcinfo, 1, &method);
	double		given[SMOOTHING_PARAMETERS];
	int			horizon;
	double		confidence;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(2) || PG_ARGISNULL(8))
		return (Datum) 0;
	horizon = whole_argument(fcinfo, 2, "horizon", MAX_HORIZON);
	parameter_arguments(fcinfo, 4, has_method, method, given);
	confidence = confidence_argument(fcinfo, 8);
	if (!read_series(fcinfo, 3, 9, &series) ||
		!fit(&forecast, &series, has_method, method, given))
		return (Datum) 0;

	put_points(result, &series, &forecast, !has_method, horizon, confidence);
	return (Datum) 0;
}

/* period_fit(s, method, season, alpha, beta, gamma, phi) */
PG_FUNCTION_INFO_V1(period_fit);
Datum
period_fit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmountSeries series;
	Forecast	forecast;
	ForecastMethod method = METHOD_MEAN;
	bool		has_method = method_argument(fcinfo, 1, &method);
	double		given[SMOOTHING_PARAMETERS];
	Datum		values[9];
	bool		nulls[9] = {false};

	InitMaterializedSRF(fcinfo, 0);
	parameter_arguments(fcinfo, 3, has_method, method, given);
	if (!read_series(fcinfo, 2, -1, &series) ||
		!fit(&forecast, &series, has_method, method, given))
		return (Datum) 0;

	values[0] = method_datum(&forecast, !has_method);
	for (int p = 0; p < SMOOTHING_PARAMETERS; p++)
		values[1 + p] = known(forecast.fit.parameter[p], &nulls[1 + p]);
	values[5] = known(forecast.sse, &nulls[5]);
	values[6] = known(forecast.level, &nulls[6]);
	values[7] = known(forecast.trend, &nulls[7]);
	if (!isfinite(forecast.fit.sse))
		nulls[6] = nulls[7] = true;
	if (!forecast_has_parameter(forecast.method, BETA))
		nulls[7] = true;
	values[8] = Int32GetDatum(series.n);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

static void
put_accuracy(ReturnSetInfo *result, const char *method, const ForecastAccuracy *accuracy)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = CStringGetTextDatum(method);
	values[1] = Int32GetDatum(accuracy->origins);
	values[2] = Int64GetDatum(accuracy->forecasts);
	values[3] = known(accuracy->wmape, &nulls[3]);
	values[4] = known(accuracy->mase, &nulls[4]);
	values[5] = known(accuracy->coverage, &nulls[5]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* period_backtest(s, horizon, season, origins, confidence) */
PG_FUNCTION_INFO_V1(period_backtest);
Datum
period_backtest(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmountSeries series;
	ForecastAccuracy chosen;
	ForecastAccuracy naive;
	int			horizon;
	int			origins;
	int			naive_season;
	double		confidence;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		return (Datum) 0;
	horizon = whole_argument(fcinfo, 1, "horizon", MAX_HORIZON);
	origins = whole_argument(fcinfo, 3, "origins", MAX_POINTS);
	confidence = confidence_argument(fcinfo, 4);
	if (!read_series(fcinfo, 2, -1, &series) ||
		!forecast_backtest(series.amounts, series.n, series.season, horizon,
						   origins, confidence, &chosen, &naive, &naive_season))
		return (Datum) 0;

	put_accuracy(result, "forecast", &chosen);
	put_accuracy(result, naive_season > 1 ? "seasonal naive" : "naive", &naive);
	return (Datum) 0;
}
