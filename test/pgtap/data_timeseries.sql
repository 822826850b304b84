-- Public series: forecasts against R 4.2.2, those of AirPassengers as its file of results has them.
SET search_path = public, sales_perf;
\ir fixture/near.sql
SELECT plan(54);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
\set headline `cat timeseries/expected/headline.json`
CREATE TABLE headline AS SELECT :'headline'::jsonb AS h;
CREATE TABLE air (period date, value numeric);
CREATE TABLE johnson (period date, value numeric);
CREATE TABLE gas (period date, value numeric);
\copy air FROM 'timeseries/air_passengers_monthly.csv' WITH (FORMAT csv, HEADER)
\copy johnson FROM 'timeseries/johnson_johnson_quarterly.csv' WITH (FORMAT csv, HEADER)
\copy gas FROM 'timeseries/uk_gas_quarterly.csv' WITH (FORMAT csv, HEADER)
CREATE TABLE series AS
SELECT 'AirPassengers' AS name, period_agg(period, value, 'month') AS s FROM air
UNION ALL
SELECT 'JohnsonJohnson', period_agg(period, value, 'quarter') FROM johnson
UNION ALL
SELECT 'UKgas', period_agg(period, value, 'quarter') FROM gas;
CREATE VIEW air_passengers AS SELECT s, h FROM series, headline WHERE name = 'AirPassengers';

SELECT is(observations, (h ->> 'n')::int, 'all months are there') FROM air_passengers, period_fit(s, 'mean');

-- given parameters, of the file
SELECT near(sse, (h #>> '{ses_alpha0.3,SSE}')::float8, 'level: sum of squared errors') FROM air_passengers, period_fit(s, 'level', NULL, .3);
SELECT near(level, (h #>> '{ses_alpha0.3,level}')::float8, 'level: level') FROM air_passengers, period_fit(s, 'level', NULL, .3);
SELECT near(sse, (h #>> '{holt_a0.5_b0.2,SSE}')::float8, 'trend: sum of squared errors') FROM air_passengers, period_fit(s, 'trend', NULL, .5, .2);
SELECT near(level, (h #>> '{holt_a0.5_b0.2,level}')::float8, 'trend: level') FROM air_passengers, period_fit(s, 'trend', NULL, .5, .2);
SELECT near(trend, (h #>> '{holt_a0.5_b0.2,trend}')::float8, 'trend: trend') FROM air_passengers, period_fit(s, 'trend', NULL, .5, .2);
SELECT near(expected, (h #>> '{holt_a0.5_b0.2,forecast_h3}')::float8, 'trend: the third month ahead') FROM air_passengers, period_forecast_by(s, 'trend', 3, NULL, .5, .2) WHERE period_start = '1961-03-01';
CREATE TABLE fixed AS
SELECT method, s, h -> format('hw_%s_fixed_a0.3_b0.1_g0.2', method) AS h FROM air_passengers, unnest('{additive,multiplicative}'::text[]) AS method;
SELECT near(sse, (h ->> 'SSE')::float8, m.method || ': sum of squared errors') FROM fixed AS m, period_fit(s, m.method, NULL, .3, .1, .2);
SELECT near(level, (h ->> 'level')::float8, m.method || ': level') FROM fixed AS m, period_fit(s, m.method, NULL, .3, .1, .2);
SELECT near(trend, (h ->> 'trend')::float8, m.method || ': trend') FROM fixed AS m, period_fit(s, m.method, NULL, .3, .1, .2);
SELECT near(expected, (h #>> ARRAY['forecast_h1_h3', (i - 1)::text])::float8, format('%s: %s ahead', m.method, i))
FROM fixed AS m, period_forecast_by(s, m.method, 3, NULL, .3, .1, .2) WITH ORDINALITY AS f (period_start, expected, low, high, method, i);

-- HoltWinters(JohnsonJohnson, .3, .1, .2, seasonal = ...), HoltWinters(UKgas, ...): SSE, level, and the fourth of predict(f, 4)
CREATE TABLE quarterly (name text, method text, sse float8, level float8, fourth float8);
INSERT INTO quarterly VALUES
('JohnsonJohnson', 'additive', 45.6798677711254, 14.3473108148582, 14.1840850851516), ('JohnsonJohnson', 'multiplicative', 33.6425405895763, 13.6921447703644, 13.3099703166798),
('UKgas', 'additive', 707707.554456048, 701.615660522719, 839.186607388266), ('UKgas', 'multiplicative', 350521.590437951, 658.749937385842, 891.032858634846);
SELECT near(f.sse, q.sse, format('%s, %s: sum of squared errors', name, q.method)) FROM quarterly AS q JOIN series USING (name), period_fit(s, q.method, NULL, .3, .1, .2) AS f;
SELECT near(f.level, q.level, format('%s, %s: level', name, q.method)) FROM quarterly AS q JOIN series USING (name), period_fit(s, q.method, NULL, .3, .1, .2) AS f;
SELECT near((SELECT expected FROM period_forecast_by(s, q.method, 4, NULL, .3, .1, .2) ORDER BY period_start DESC LIMIT 1), fourth, format('%s, %s: a year ahead', name, q.method)) FROM quarterly AS q JOIN series USING (name);

-- Parameters that are found: at least as good as those of R but for a millionth. HoltWinters(x, seasonal = ...)$SSE;
-- HoltWinters(x, gamma = FALSE)$SSE, the least of 16 starts; HoltWinters(x, beta = FALSE, gamma = FALSE)$SSE
CREATE TABLE optimised (name text, method text, sse float8);
INSERT INTO optimised VALUES
('AirPassengers', 'level', 162510.559961675), ('AirPassengers', 'trend', 163634.051261938), ('AirPassengers', 'additive', 21860.1846218501), ('AirPassengers', 'multiplicative', 16570.7778669999),
('JohnsonJohnson', 'level', 112.901089682974), ('JohnsonJohnson', 'trend', 81.3149912522133), ('JohnsonJohnson', 'additive', 15.4058866049005), ('JohnsonJohnson', 'multiplicative', 14.3531785279278),
('UKgas', 'level', 3450730.78497962), ('UKgas', 'trend', 3362896.8250957), ('UKgas', 'additive', 124947.412688746), ('UKgas', 'multiplicative', 109759.187822217);
SELECT cmp_ok(f.sse, '<', o.sse * (1 + 1e-6), format('%s, %s: no worse than R', name, o.method)) FROM optimised AS o JOIN series USING (name), period_fit(s, o.method) AS f;
SELECT near(f.sse, (h #>> '{hw_multiplicative_optimised,SSE}')::float8, 'AirPassengers: the minimum of the file', 1e-6) FROM air_passengers, period_fit(s, 'multiplicative') AS f;
SELECT near(expected, (h #>> '{hw_multiplicative_optimised,forecast_h1_h3,2}')::float8, 'and its forecast', 1e-3) FROM air_passengers, period_forecast(s, 3) WHERE period_start = '1961-03-01';
SELECT is(string_agg(method, ', ' ORDER BY name), 'multiplicative, multiplicative, multiplicative', 'seasons that grow are seen') FROM series, period_forecast(s, 1);

-- Half the width of intervals 14 months ahead: 'additive' as predict(f, 14, prediction.interval = TRUE, level = .8) but for qt(.9, nu) * sqrt(SSE / nu), nu = 132 - 3 - 6;
-- the errors of 'multiplicative' are in proportion to the forecasts: qt(.9, nu) * sqrt(sum((e / fit)^2) / nu) * forecast * sqrt(1 + c1^2 + ... + c13^2)
SELECT near(high - expected, 79.4423525232725, 'limits of additive forecasts', 1e-8) FROM air_passengers, period_forecast_by(s, 'additive', 14, NULL, .3, .1, .2) WHERE period_start = '1962-02-01';
SELECT near(high - expected, 69.4419959806556, 'limits that grow with the forecasts', 1e-8) FROM air_passengers, period_forecast_by(s, 'multiplicative', 14, NULL, .3, .1, .2) WHERE period_start = '1962-02-01';

-- The last two years, one month at a time and a year at a time.
SELECT cmp_ok(f.wmape, '<', n.wmape * .7, format('%s, %s ahead: %s off, the seasonal naive forecast %s', name, horizon, round(f.wmape::numeric, 3), round(n.wmape::numeric, 3)))
FROM (VALUES ('AirPassengers', 1), ('AirPassengers', 12), ('JohnsonJohnson', 1)) AS v (name, horizon) JOIN series USING (name), period_backtest(s, horizon) AS f, period_backtest(s, horizon) AS n WHERE f.method = 'forecast' AND n.method = 'seasonal naive';
SELECT cmp_ok(f.interval_coverage_rate, '>=', .7::float8, format('%s: %s of the amounts are in their intervals', name, round(f.interval_coverage_rate::numeric, 2))) FROM series, period_backtest(s) AS f WHERE f.method = 'forecast';
\else
SELECT skip('SALES_PERF_DATA is not set', 54);
\endif
SELECT * FROM finish();
