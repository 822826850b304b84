-- period_summary: forecasts of its amounts.

CREATE FUNCTION sales_perf.period_forecast(s sales_perf.period_summary, horizon integer, season integer DEFAULT NULL, confidence float8 DEFAULT 0.8, period_starts date[] DEFAULT NULL)
RETURNS TABLE (period_start date, expected float8, low float8, high float8, method text)
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 12
AS 'MODULE_PATHNAME', 'period_forecast';
COMMENT ON FUNCTION sales_perf.period_forecast(sales_perf.period_summary, integer, integer, float8, date[]) IS
'Forecasts the amounts of the periods after the last, as many as the horizon says (1 to 1000), by the method that fits best: mean, level, trend, damped trend, and with two seasons of periods or more additive and multiplicative ones (the latter if all amounts are above 0), by Akaike''s criterion. low and high are to hold a share of confidence of the amounts to come; NULL where no errors are known. The season is a number of periods, by default 7 for days, 52 for weeks, 12 for months, 4 for quarters and 1, none, for years. No rows of a summary without periods, or with an amount that is no finite number. period_starts: the first days of its periods, where they were given to period_agg.';

CREATE FUNCTION sales_perf.period_forecast_by(s sales_perf.period_summary, method text, horizon integer, season integer DEFAULT NULL,
	alpha float8 DEFAULT NULL, beta float8 DEFAULT NULL, gamma float8 DEFAULT NULL, phi float8 DEFAULT NULL, confidence float8 DEFAULT 0.8, period_starts date[] DEFAULT NULL)
RETURNS TABLE (period_start date, expected float8, low float8, high float8, method text)
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 12
AS 'MODULE_PATHNAME', 'period_forecast_by';
COMMENT ON FUNCTION sales_perf.period_forecast_by(sales_perf.period_summary, text, integer, integer, float8, float8, float8, float8, float8, date[]) IS
'Forecasts by a given method (NULL: the one period_forecast takes) and parameters: alpha, beta and gamma are the weights of the newest period in level, trend and season, phi damps the trend; each from 0 to 1, or NULL: found so that the squared errors of one step are smallest, phi between 0.8 and 0.98. No rows where the method cannot be fitted: with a season it needs two seasons of periods, with a trend 3 periods, with a level 2, and a multiplicative one amounts above 0.';

CREATE FUNCTION sales_perf.period_fit(s sales_perf.period_summary, method text DEFAULT NULL, season integer DEFAULT NULL,
	alpha float8 DEFAULT NULL, beta float8 DEFAULT NULL, gamma float8 DEFAULT NULL, phi float8 DEFAULT NULL,
	OUT method text, OUT alpha float8, OUT beta float8, OUT gamma float8, OUT phi float8,
	OUT sse float8, OUT level float8, OUT trend float8, OUT observations integer)
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1
AS 'MODULE_PATHNAME', 'period_fit';
COMMENT ON FUNCTION sales_perf.period_fit(sales_perf.period_summary, text, integer, float8, float8, float8, float8) IS
'What period_forecast_by forecasts from: the method and its parameters, the sum of squared errors of one step (of the mean, around it), level and trend after the last period, and the number of periods. NULL is what the method does not have. No row where it cannot be fitted.';

CREATE FUNCTION sales_perf.period_backtest(s sales_perf.period_summary, horizon integer DEFAULT 1, season integer DEFAULT NULL,
	origins integer DEFAULT 24, confidence float8 DEFAULT 0.8,
	OUT method text, OUT origins integer, OUT forecasts bigint, OUT wmape float8, OUT mase float8, OUT interval_coverage_rate float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2
AS 'MODULE_PATHNAME', 'period_backtest';
COMMENT ON FUNCTION sales_perf.period_backtest(sales_perf.period_summary, integer, integer, integer, float8) IS
'How good forecasts would have been: from each of the last origins (up to as many as given) the next periods, as many as the horizon says, are forecast knowing only the periods before, and compared with what came; in a second row, for comparison, by the seasonal naive method (the amount of a season before; without two seasons before the first origin the amount of the last period: naive). wmape: sum of absolute errors / sum of absolute amounts, NULL if these are 0. mase: mean of absolute errors, each divided by the mean absolute error of one step of the naive method over the periods known, NULL if all those are 0. interval_coverage_rate: share of amounts within low and high. No rows with fewer than 6 periods.';
