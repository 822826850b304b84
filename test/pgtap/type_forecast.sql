-- Forecasts of a period_summary: figures of R 4.2.2 where R has them, brute force in plain SQL elsewhere.
SET search_path = public, sales_perf;
\ir fixture/near.sql

SELECT plan(139);

-- Whole arrays, each number to within a tolerance.
CREATE FUNCTION near_all(actual float8[], expected float8[], description text, tolerance float8 DEFAULT 1e-9)
RETURNS text
LANGUAGE sql
AS $$
	SELECT CASE WHEN good THEN ok(true, description) ELSE ok(false, description) || E'\n' || diag(format('        have: %s%s        want: %s', actual, E'\n', expected)) END
	FROM (
		SELECT cardinality(actual) = cardinality(expected) AND bool_and(COALESCE(abs(a - e) <= tolerance * abs(e), false)) AS good
		FROM unnest(actual, expected) AS u (a, e)) AS v
$$;

-- An array as a series of periods from 2020 on.
CREATE FUNCTION series(amounts numeric[], grain text)
RETURNS period_summary
LANGUAGE sql
AS $$
	SELECT period_agg((date_trunc(grain, timestamp '2020-01-01') + (i - 1) * CASE grain WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || grain)::interval END)::date, amount, grain)
	FROM unnest(amounts) WITH ORDINALITY AS u (amount, i)
$$;
CREATE FUNCTION expected_of(s period_summary, horizon int, season int DEFAULT NULL)
RETURNS float8[]
LANGUAGE sql
AS $$
	SELECT array_agg(expected ORDER BY period_start) FROM period_forecast(s, horizon, season)
$$;
CREATE FUNCTION method_of(s period_summary, season int DEFAULT NULL)
RETURNS text
LANGUAGE sql
AS $$
	SELECT method FROM period_forecast(s, 1, season)
$$;

-- A single day.
CREATE FUNCTION period_agg_one(grain text)
RETURNS period_summary
LANGUAGE sql
AS $$
	SELECT period_agg('2024-02-28', 1, grain)
$$;

CREATE TABLE quarters AS
SELECT series('{112,131,159,120,118,140,171,127,125,149,178,134,131,158,190,146,139,163,204,150,151,172,215,159}', 'quarter') AS s;
CREATE TABLE days AS
SELECT series('{110,125,100,87,134,66,90,110,128,106,90,135,71,96,112,129,112,96,135,73,103,116,130,116,102,138,74,108,122,130,118,109,142,74,112}', 'day') AS s;

-- ---------- given parameters ----------

-- x <- ts(c(112, ..., 159), frequency = 4); f <- HoltWinters(x, alpha, beta, gamma, seasonal); f$SSE; f$coefficients; predict(f, 6)
-- Those with phi: the same start values, and the recursion written out in R, with phi * trend in the place of trend.
CREATE TABLE fixed (period text, method text, alpha float8, beta float8, gamma float8, phi float8, sse float8, level float8, trend float8, forecast float8[]);
INSERT INTO fixed VALUES
('quarter', 'level', .3, NULL, NULL, NULL, 15936.1376630071, 172.901750095039, NULL, '{172.901750095039,172.901750095039,172.901750095039}'),
('quarter', 'trend', .5, .2, NULL, NULL, 22150.599944437, 178.12027033746, 2.11261331391672, '{180.232883651377,182.345496965294,184.45811027921}'),
('quarter', 'damped trend', .5, .2, NULL, .9, 20385.5978722012, 177.267478546664, 1.28026607801587, '{178.419718016878,179.456733540071,180.390047510945}'),
('quarter', 'additive', .3, .1, .2, NULL, 458.056819718296, 177.729327074911, 2.34813988948818, '{161.346725314292,184.473211001971,217.083167241782,171.603589787428,170.739284872244,193.865770559923}'),
('quarter', 'damped additive', .3, .1, .2, .9, 614.292743515192, 173.281185813758, 1.15337412625354, '{157.444402070232,179.295690318995,210.530798398289,163.594621097921,160.657229502582}'),
('quarter', 'multiplicative', .3, .1, .2, NULL, 142.566624108672, 177.284627246062, 2.31748259951592, '{156.56491868954,184.100517150693,224.43708898898,167.875447698387,164.645814288586,193.481579175387}'),
('quarter', 'damped multiplicative', .3, .1, .2, .9, 315.414344072498, 172.655878140234, 1.12231530439193, '{153.187885351598,178.906087086168,216.555253597791,160.7453698911,155.945552178244}'),
-- an odd season: the moving average has a point more
('day', 'additive', .3, .1, .2, NULL, 625.018647676851, 117.362835521498, 0.559050309915448, '{124.102063117713,140.383477062357,121.881981270084,106.750258494626,149.224108630725,83.5488729487297,111.60187344063}'),
('day', 'multiplicative', .3, .1, .2, NULL, 1007.0880192737, 119.064249775013, 0.644690520990229, '{126.075517029002,144.73424857426,123.890008345365,106.621127849665,155.359185360612,79.8880480261156,111.499679876371}');

CREATE VIEW fitted AS
SELECT x.*, f.sse AS our_sse, f.level AS our_level, f.trend AS our_trend, f.observations, f.method AS our_method, f.phi AS our_phi,
	(SELECT array_agg(p.expected ORDER BY p.period_start) FROM period_forecast_by(s, x.method, cardinality(forecast), NULL, x.alpha, x.beta, x.gamma, x.phi) AS p) AS our_forecast
FROM fixed AS x
JOIN (SELECT 'quarter' AS period, s FROM quarters UNION ALL SELECT 'day', s FROM days) AS d USING (period)
CROSS JOIN LATERAL period_fit(s, x.method, NULL, x.alpha, x.beta, x.gamma, x.phi) AS f;

SELECT near(our_sse, sse, format('%s of %ss: sum of squared errors', method, period)) FROM fitted;
SELECT near(our_level, level, format('%s of %ss: level', method, period)) FROM fitted;
SELECT near(our_trend, trend, format('%s of %ss: trend', method, period)) FROM fitted WHERE trend IS NOT NULL;
SELECT near_all(our_forecast, forecast, format('%s of %ss: forecasts', method, period)) FROM fitted;
SELECT is_empty($$SELECT * FROM fitted WHERE (our_method, our_phi, observations) IS DISTINCT FROM (method, phi, CASE period WHEN 'day' THEN 35 ELSE 24 END)$$, 'method, damping and number of periods are said');
SELECT is_empty($$SELECT * FROM fitted WHERE trend IS NULL AND our_trend IS NOT NULL$$, 'a level has no trend');

-- mean(y); sum((y - mean(y))^2)
SELECT near_all(ARRAY[sse, level], '{16510.5,151.75}', 'mean: sum of squares and mean') FROM quarters, period_fit(s, 'mean');
SELECT is((alpha, beta, gamma, phi, trend)::text, '(,,,,)', 'a mean has no parameters') FROM quarters, period_fit(s, 'mean');

-- ---------- intervals ----------

-- Half the width is qt((1 + confidence) / 2, nu) * sqrt(SSE / nu) * sqrt(v), nu the errors less parameters and half a season.
-- v of 'additive' is that of predict(f, 6, prediction.interval = TRUE), divided by qnorm and var(residuals(f)); of level and trend the sum of the squares of
-- 1, alpha, alpha ... and 1, alpha (1 + beta), alpha (1 + 2 beta) ...; of 'multiplicative' that of Chatfield and Yar (1991);
-- of those with phi by what one more period, once as forecast and once 1 above, changes in the forecasts of the recursion in R.
CREATE TABLE half (method text, alpha float8, beta float8, gamma float8, phi float8, confidence float8, half float8[]);
INSERT INTO half VALUES
('mean', NULL, NULL, NULL, NULL, .8, '{36.0808604608509,36.0808604608509,36.0808604608509,36.0808604608509,36.0808604608509,36.0808604608509}'),
('level', .3, NULL, NULL, NULL, .8, '{35.559925154702,37.1256518049007,38.6279661239036,40.0740004466757,41.4696425922733,42.8198201965119}'),
('trend', .5, .2, NULL, NULL, .8, '{44.106773169577,51.4368945177313,59.9916974501485,69.5993141071588,80.1239324429804,91.4617515115461}'),
('additive', .3, .1, .2, NULL, .8, '{7.4082406053597,7.80119746003814,8.24447649955145,8.73607173404109,9.6710885424016,10.2295437063693}'),
('additive', .3, .1, .2, NULL, .95, '{11.7784760702365,12.403244238014,13.1080204240854,13.8896152742161,15.3762129279931,16.2641094118538}'),
('multiplicative', .3, .1, .2, NULL, .8, '{4.13298981616894,4.42589326101544,4.90920443486644,4.75559062835314,5.21972392243964,5.8480512735197}'),
('damped trend', .5, .2, NULL, .9, .8, '{43.4904707366876,50.4957890385715,58.3216941909629,66.6941393847762,75.4159705893836,84.3471795656479}'),
('damped additive', .3, .1, .2, .9, .8, '{8.90954994492414,9.37379927345681,9.88253725879541,10.4268251701281,11.456755798931,12.0265549116545}');
CREATE VIEW width AS
SELECT h.method, h.confidence, h.half, array_agg(p.high - p.expected ORDER BY p.period_start) AS up, array_agg(p.expected - p.low ORDER BY p.period_start) AS down
FROM half AS h, quarters, LATERAL period_forecast_by(s, h.method, 6, NULL, h.alpha, h.beta, h.gamma, h.phi, h.confidence) AS p
GROUP BY 1, 2, 3;
SELECT near_all(up, half, format('%s: upper limit at %s', method, confidence), 1e-6) FROM width;
SELECT near_all(down, half, format('%s: lower limit at %s', method, confidence), 1e-6) FROM width;

-- 400 series of 36 months: of the values that follow, four in five are to be in their intervals, by whatever method was chosen. The numbers are fixed, so is the result.
SELECT setseed(.25);
CREATE TABLE simulated AS
SELECT i, array_agg(CASE i % 4 WHEN 0 THEN 1000 + e WHEN 1 THEN 1000 + walk WHEN 2 THEN 1000 + 20 * t + e ELSE 1000 + 300 * sin(t * pi() / 6) + e END::numeric ORDER BY t) AS amounts
FROM (
	SELECT i, t, e, sum(e) OVER (PARTITION BY i ORDER BY t) AS walk
	FROM (SELECT i, t, 50 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS e FROM generate_series(1, 400) AS i, generate_series(1, 37) AS t) AS noise) AS walks
GROUP BY i;
CREATE TABLE covered AS
SELECT i % 4 AS kind, f.method, low <= amounts[37] AND amounts[37] <= high AS inside
FROM simulated, period_forecast(series(amounts[1:36], 'month'), 1) AS f;
SELECT cmp_ok(avg(inside::int), '>', .74, 'intervals hold 80 %: at least ' || round(avg(inside::int), 3)) FROM covered;
SELECT cmp_ok(avg(inside::int), '<', .86, 'and at most') FROM covered;
SELECT cmp_ok(min(share), '>', .68, 'also of each kind of series') FROM (SELECT avg(inside::int) AS share FROM covered GROUP BY kind) AS x;

-- ---------- parameters that are found ----------

-- Nothing on a grid of tenths (of damping: .80, .89, .98) is better.
CREATE TABLE found AS
SELECT d.period, d.s, f.*
FROM (SELECT 'quarter' AS period, s FROM quarters UNION ALL SELECT 'day', s FROM days UNION ALL SELECT 'walk', series((SELECT amounts FROM simulated WHERE i = 1), 'month')) AS d,
	unnest('{level,trend,damped trend,additive,damped additive,multiplicative,damped multiplicative}'::text[]) AS m (name),
	period_fit(s, m.name) AS f;
SELECT is(count(*), 21::bigint, 'all are fitted') FROM found;
SELECT is_empty($$
	SELECT period, method, sse, best
	FROM found, LATERAL (
		SELECT min(g.sse) AS best
		FROM generate_series(0, 10) AS a, generate_series(0, CASE WHEN beta IS NULL THEN 0 ELSE 10 END) AS b,
			generate_series(0, CASE WHEN gamma IS NULL THEN 0 ELSE 10 END) AS c, generate_series(0, CASE WHEN phi IS NULL THEN 0 ELSE 2 END) AS d,
			period_fit(s, method, NULL, a / 10.0, CASE WHEN beta IS NOT NULL THEN b / 10.0 END, CASE WHEN gamma IS NOT NULL THEN c / 10.0 END, CASE WHEN phi IS NOT NULL THEN .8 + .09 * d END) AS g) AS grid
	WHERE sse > best * (1 + 1e-6)$$, 'no point of a grid has a smaller sum of squares');
SELECT is_empty($$
	SELECT found.period, found.method
	FROM found, LATERAL period_fit(s, found.method, NULL, found.alpha, found.beta, found.gamma, found.phi) AS g
	WHERE (abs(g.sse / found.sse - 1) < 1e-9) IS NOT TRUE$$, 'the parameters said are those used');
SELECT is_empty($$SELECT * FROM found WHERE alpha NOT BETWEEN 0 AND 1 OR beta NOT BETWEEN 0 AND 1 OR gamma NOT BETWEEN 0 AND 1 OR phi NOT BETWEEN .8 AND .98$$, 'they are within their limits');

SELECT is((f.alpha, f.beta)::text, '(0.3,0.1)', 'parameters given are kept where others are found') FROM quarters, period_fit(s, 'multiplicative', NULL, .3, .1) AS f;
SELECT near(f.sse, g.sse, 'damping by 1, outside of where it is looked for, is none', 1e-6) FROM quarters, period_fit(s, 'damped trend', NULL, NULL, NULL, NULL, 1) AS f, period_fit(s, 'trend') AS g;
SELECT is(f.phi, .5::float8, 'nor is .5 changed') FROM quarters, period_fit(s, 'damped multiplicative', NULL, NULL, NULL, NULL, .5) AS f;
SELECT cmp_ok(f.sse, '<', 142.566624108672::float8, 'and those found are better than others') FROM quarters, period_fit(s, 'multiplicative', NULL, .3, .1) AS f;

-- ---------- the choice ----------

SELECT is(method_of(s), 'multiplicative', 'seasons that grow') FROM quarters;
SELECT is(method_of(s), 'additive', 'seasons that do not') FROM days;
SELECT is(method_of(s, 1), 'mean', 'without a season a mean') FROM days;
SELECT is(method_of(series(array_agg((100 + 7 * i)::numeric), 'month')), 'trend', 'a straight line') FROM generate_series(1, 40) AS i;
SELECT near_all(expected_of(series(array_agg((100 + 7 * i)::numeric), 'month'), 3), '{387,394,401}', 'goes on') FROM generate_series(1, 40) AS i;
SELECT is(method_of(series((SELECT amounts FROM simulated WHERE i = 4), 'month')), 'mean', 'noise');
SELECT is(method_of(series((SELECT amounts FROM simulated WHERE i = 1), 'month')), 'level', 'a random walk');
SELECT is(method_of(series((SELECT amounts FROM simulated WHERE i = 3), 'month')), 'additive', 'noise around a season of three years');
SELECT is(method_of(series('{10,20,30,40,11,21,31,41}', 'quarter')) ~ 'additive|multiplicative', true, 'two seasons, no more');
SELECT ok(method NOT LIKE '%(%' AND method !~ 'plicative', 'no multiplicative method with a 0: ' || method)
FROM period_forecast(series('{0,20,30,40,0,22,33,44,0,24,36,48}', 'quarter'), 1);
SELECT ok(method !~ 'plicative', 'nor with an amount below: ' || method) FROM period_forecast(series('{-10,20,30,40,-9,22,33,44,-11,24,36,48}', 'quarter'), 1);
SELECT cmp_ok(min(expected), '>', 0::float8, 'nor one whose figures came to fall below 0: ' || min(method)) FROM period_forecast(series('{30,6,34,214,3,155,13,107,1,1,1,6,2,3,2}', 'quarter'), 8);
SELECT is(array_agg(method_of(series(('{0,10,19,27.1,34.39,40.951,46.8559}'::numeric[])[1:n], 'year')) ORDER BY n), '{trend,damped trend}', 'a damped trend needs more errors than it has parameters')
FROM unnest('{5,7}'::int[]) AS n;
-- Akaike's criterion by brute force: the errors from the same period on for all methods, each forecast by the parameters of the
-- whole series from the periods before; of seasonal methods, which need two seasons before, they are all of sse. The numbers
-- fitted are the parameters (of the mean 1), the variance, and half a season of figures. Weak seasons, so that it is close.
CREATE TABLE rival AS
SELECT i AS series, n, (amounts[1:n])::numeric[] AS amounts, CASE WHEN i <= 30 AND n >= 8 THEN 4 ELSE 2 END AS first, CASE WHEN i <= 30 THEN 4 ELSE 1 END AS season
FROM (
	SELECT i, array_agg(round((100 + i + 8 * (i % 4) * sin(t * pi() / 2) + (i % 3) * t + 10 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))::numeric) ORDER BY t) AS amounts
	FROM generate_series(1, 40) AS i, generate_series(1, 16) AS t
	GROUP BY i) AS x,
	unnest('{5,6,7,8,9,12,16}'::int[]) AS n;
CREATE TABLE criterion AS
SELECT r.series, r.n, m.method, ln(e.sse / errors) * errors + 2 * (parameters + 1 + CASE WHEN f.gamma IS NULL THEN 0 ELSE 2 END) AS aic, method_of(series(r.amounts, 'quarter'), r.season) AS chosen
FROM rival AS r
CROSS JOIN unnest('{mean,level,trend,damped trend,additive,damped additive,multiplicative,damped multiplicative}'::text[]) AS m (method)
CROSS JOIN LATERAL period_fit(series(r.amounts, 'quarter'), m.method, greatest(r.season, 2)) AS f
CROSS JOIN LATERAL (SELECT r.n - r.first AS errors, greatest(1, num_nonnulls(f.alpha, f.beta, f.gamma, f.phi)) AS parameters) AS k
CROSS JOIN LATERAL (
	SELECT CASE WHEN f.gamma IS NOT NULL THEN f.sse ELSE 
			-- a trend starts from two periods, the third is needed to fit it
			sum((r.amounts[t] - COALESCE(p.expected, r.amounts[2] + COALESCE(f.phi, 1) * (r.amounts[2] - r.amounts[1]))) ^ 2) END AS sse
	FROM generate_series(r.first + 1, r.n) AS t
	LEFT JOIN LATERAL period_forecast_by(series(CASE WHEN m.method = 'mean' THEN r.amounts ELSE r.amounts[1:t - 1] END, 'quarter'), m.method, 1, 1 + (f.gamma IS NOT NULL)::int, f.alpha, f.beta, NULL, f.phi) AS p ON true
	WHERE f.gamma IS NULL) AS e
WHERE errors > parameters AND (f.gamma IS NULL OR r.season > 1);
SELECT cmp_ok(count(DISTINCT split_part(chosen, ' (', 1)), '>=', 6::bigint, 'many methods are chosen: ' || string_agg(DISTINCT split_part(chosen, ' (', 1), ', ')) FROM criterion;
SELECT is_empty($$
	SELECT DISTINCT ON (series, n) series, n, method, chosen
	FROM criterion
	WHERE aic < (SELECT min(aic) - 1e-6 FROM criterion AS c WHERE (c.series, c.n, c.method) = (criterion.series, criterion.n, split_part(criterion.chosen, ' (', 1)))
	ORDER BY series, n, aic$$, 'always the one with the smallest criterion');
SELECT is_empty($$SELECT * FROM criterion WHERE (chosen LIKE '%(fewer than 2 seasons)') IS DISTINCT FROM (n < 8 AND series <= 30)$$, 'too short a history is said, and only this');
SELECT is((f.method, f.sse)::text, (g.method, g.sse)::text, 'period_fit says what is chosen') FROM quarters, period_fit(s) AS f, period_fit(s, method_of(s)) AS g;
SELECT is(array_agg(f ORDER BY period_start)::text, (SELECT array_agg(g ORDER BY period_start)::text FROM period_forecast_by(s, NULL, 6) AS g), 'period_forecast_by too') FROM quarters, period_forecast(s, 6) AS f GROUP BY s;

-- ---------- few periods, and strange ones ----------

SELECT is(method_of(series('{5,6,5,7,6,5,8,6,5,7,6,5,8,9}', 'month')), 'mean (fewer than 2 seasons)', '14 months: it is said that the season is not known');
SELECT is(method_of(series('{5,6,7,8,9,10,11,12,13,14,15,16,17,18}', 'month')), 'trend (fewer than 2 seasons)', 'also with a trend');
SELECT is(method_of(series('{5,6,7,8,9,10,11,12,13,14,15,16,17,18}', 'month'), 1), 'trend', 'but not where no season was asked for');
SELECT is(method_of(series('{5,6,7,8,9,10,11,12,13,14,15,16,17,18}', 'year')), 'trend', 'years have none');
SELECT results_eq($$SELECT n, method, expected, low IS NULL, high IS NULL FROM generate_series(1, 4) AS n, period_forecast(series(('{2,4,6,8}'::numeric[])[1:n], 'year'), 1)$$,
	$$VALUES (1, 'mean', 2::float8, true, true), (2, 'mean', 3, false, false), (3, 'mean', 4, false, false), (4, 'mean', 5, false, false)$$,
	'fewer than five periods: the mean; an interval from two on');
SELECT is(string_agg(concat_ws(' ', expected, low, high, method), ', '), '7 7 7 mean, 7 7 7 mean, 7 7 7 mean', 'a constant goes on')
FROM period_forecast(series(array_fill(7::numeric, ARRAY[30]), 'month'), 3);
SELECT is(string_agg(concat_ws(' ', expected, low, high, method), ', '), '0 0 0 mean, 0 0 0 mean, 0 0 0 mean', 'so does nothing at all')
FROM period_forecast(series(array_fill(0::numeric, ARRAY[30]), 'month'), 3);
SELECT near_all(expected_of(series(array_agg(n * 1e15), 'quarter'), 6), (SELECT array_agg(e * 1e15) FROM unnest(expected_of(s, 6)) AS e), 'amounts of 10^17: the same forecast, in another unit', 1e-4)
FROM quarters, period_values(s) AS v, LATERAL (SELECT v.amount AS n) AS x GROUP BY s;
SELECT is_empty($$
	SELECT k, f
	FROM generate_series(-300, 300, 50) AS k, period_forecast(series(ARRAY[1, 3, 2, 5, 4, 6, 1, 7, 8]::numeric[] || ARRAY[10::numeric ^ k], 'year'), 50) AS f
	WHERE (expected BETWEEN -1.7e308 AND 1.7e308 AND low <= expected AND expected <= high) IS NOT TRUE$$, 'one amount from 10^-300 to 10^300 among others: forecasts are numbers');
SELECT is_empty($$SELECT * FROM period_forecast(series('{1,2,NaN,4,5,6,7}', 'month'), 1)$$, 'no forecast where an amount is no number');
SELECT is_empty($$SELECT * FROM period_forecast(series('{1,2,Infinity,4,5,6,7}', 'month'), 1)$$, 'or infinite');
SELECT is_empty($$SELECT * FROM period_forecast(series(ARRAY[1, 2, 10::numeric ^ 400, 3], 'month'), 1)$$, 'or too large for a float8');
SELECT is_empty($$SELECT * FROM period_forecast(series('{}', 'month'), 1)$$, 'nor of no periods');
SELECT is_empty($$SELECT * FROM period_fit(series('{}', 'month'))$$, 'nothing is fitted');
SELECT is_empty($$SELECT * FROM period_forecast(NULL, 1)$$, 'nor of NULL');
SELECT is_empty($$SELECT * FROM quarters, period_forecast(s, NULL)$$, 'no horizon, no rows');
SELECT is_empty($$SELECT * FROM quarters, period_forecast(-s, 1)$$, 'nor of a summary that is not valid');
SELECT is_empty($$SELECT * FROM period_fit(series('{1,2,3,4,5,6,7}', 'quarter'), 'additive')$$, 'a method with a season needs two');
SELECT is_empty($$SELECT * FROM period_fit(series('{1,2,3,4,5,6,7,0}', 'quarter'), 'multiplicative')$$, 'a multiplicative one amounts above 0');
SELECT is_empty($$SELECT * FROM period_forecast_by(series('{1,2}', 'quarter'), 'trend', 1)$$, 'a trend three periods');
SELECT results_eq($$SELECT expected, low IS NULL FROM period_forecast_by(series('{1,2}', 'quarter'), 'level', 1, NULL, .5)$$, $$VALUES (1.5::float8, true)$$, 'a level two, of which one error says too little');

-- Periods without rows count as 0, and periods are the calendar's.
SELECT near(expected, 4, 'gaps are 0: the mean of 6, 0, 0, 10') FROM period_forecast((SELECT period_agg(d, a, 'month') FROM (VALUES (date '2024-01-31', 6), ('2024-04-01', 10)) AS v (d, a)), 1);
SELECT results_eq(
	$$SELECT grain, array_agg(period_start ORDER BY period_start) FROM unnest('{day,week,month,quarter,year}'::text[]) AS grain, period_forecast(period_agg_one(grain), 3) GROUP BY grain ORDER BY grain$$,
	$$VALUES ('day', '{2024-02-29,2024-03-01,2024-03-02}'::date[]), ('month', '{2024-03-01,2024-04-01,2024-05-01}'), ('quarter', '{2024-04-01,2024-07-01,2024-10-01}'),
		('week', '{2024-03-04,2024-03-11,2024-03-18}'), ('year', '{2025-01-01,2026-01-01,2027-01-01}')$$,
	'the first days of the periods to come');
SELECT is(count(*), 2::bigint, 'there are no periods after the last day of type date') FROM period_forecast((SELECT period_agg('5874897-10-05', 1, 'month')), 12);
SELECT is(count(*), 1000::bigint, 'a thousand periods') FROM quarters, period_forecast(s, 1000);
SELECT is_empty($$SELECT * FROM quarters, period_forecast(s, 1000) WHERE (low < expected AND expected < high) IS NOT TRUE$$, 'all with their limits');

-- ---------- errors ----------

SELECT throws_ok($$SELECT period_forecast(s, 0) FROM quarters$$, '22023', 'horizon out of range: 0', 'a horizon of 0');
SELECT throws_ok($$SELECT period_forecast(s, 1001) FROM quarters$$, '22023', 'horizon out of range: 1001', 'one too far');
SELECT throws_ok($$SELECT period_forecast(s, 1, 0) FROM quarters$$, '22023', 'season out of range: 0', 'a season of 0');
SELECT throws_ok($$SELECT period_forecast(s, 1, NULL, 1) FROM quarters$$, '22023', 'confidence out of range: 1', 'certainty');
SELECT throws_ok($$SELECT period_forecast(s, 1, NULL, 'NaN') FROM quarters$$, '22023', 'confidence out of range: NaN', 'no confidence');
SELECT throws_ok($$SELECT period_forecast_by(s, 'Mean', 1) FROM quarters$$, '22023', 'unknown method: "Mean"', 'a method that is not there');
SELECT throws_ok($$SELECT period_fit(s, 'level', NULL, 1.5) FROM quarters$$, '22023', 'alpha out of range: 1.5', 'a weight above 1');
SELECT throws_ok($$SELECT period_fit(s, 'level', NULL, .5, .5) FROM quarters$$, '22023', 'method "level" has no beta', 'a parameter the method has not');
SELECT throws_ok($$SELECT period_fit(s, NULL, NULL, .5) FROM quarters$$, '22023', 'alpha given without a method', 'or no method');
SELECT throws_ok($$SELECT period_fit(s, 'additive', 1) FROM quarters$$, '22023', 'method "additive" needs a season of 2 periods or more', 'a seasonal method without a season');
SELECT throws_ok($$SELECT period_backtest(s, 1, NULL, 0) FROM quarters$$, '22023', 'origins out of range: 0', 'no origins');
SELECT throws_ok($$SELECT period_forecast(period_agg(d::date, 1, 'day'), 1) FROM unnest('{1700-01-01,2024-01-01}'::date[]) AS d$$, '54000', 'too many periods to forecast from: 118339', 'days of three centuries');

-- ---------- how good they would have been ----------

-- The same in plain SQL: from each origin forecast with the periods before only, and compare.
CREATE TABLE value AS
SELECT row_number() OVER (ORDER BY period_start)::int AS i, period_start, amount::float8 AS amount FROM quarters, period_values(s);
CREATE TABLE origin AS
SELECT n, horizon, (SELECT period_agg(period_start, amount::numeric, 'quarter') FROM value WHERE i <= n) AS s,
	(SELECT avg(abs(now.amount - ago.amount)) FROM value AS now JOIN value AS ago ON ago.i = now.i - 4 WHERE now.i <= n) AS scale,
	(SELECT sqrt(avg((now.amount - ago.amount) ^ 2)) FROM value AS now JOIN value AS ago ON ago.i = now.i - 4 WHERE now.i <= n) AS deviation
FROM generate_series(1, 23) AS n, unnest('{1,6}'::int[]) AS horizon;
CREATE TABLE judged AS
SELECT o.horizon, o.n, o.scale, v.amount, f.expected, f.low <= v.amount AND v.amount <= f.high AS inside, naive.amount AS naive,
	-- qt(.9, n - 4)
	abs(v.amount - naive.amount) <= o.deviation * sqrt((v.i - o.n - 1) / 4 + 1) * ('{1.5332063,1.475884,1.4397557,1.4149239,1.3968153,1.3830287,1.3721836,1.3634303,1.3562173,1.3501713,1.3450304,1.3406056,1.3367572,1.3333794,1.3303909,1.3277282}'::float8[])[o.n - 7] AS naive_inside
FROM origin AS o
CROSS JOIN LATERAL period_forecast(o.s, o.horizon) AS f
JOIN value AS v USING (period_start)
JOIN value AS naive ON naive.i = o.n - 4 + (v.i - o.n - 1) % 4 + 1;
CREATE VIEW brute AS
SELECT horizon, origins,
	count(DISTINCT n)::int AS used, count(*) AS forecasts,
	sum(abs(amount - expected)) / sum(abs(amount)) AS wmape, avg(abs(amount - expected) / scale) AS mase, avg(inside::int)::float8 AS coverage,
	sum(abs(amount - naive)) / sum(abs(amount)) AS naive_wmape, avg(abs(amount - naive) / scale) AS naive_mase, avg(naive_inside::int)::float8 AS naive_coverage
FROM judged, unnest('{5,24}'::int[]) AS origins
WHERE n >= greatest(8, 24 - origins)
GROUP BY 1, 2;
SELECT is(b.origins, used, format('horizon %s, %s origins: origins', horizon, brute.origins)) FROM brute, quarters, period_backtest(s, horizon, NULL, brute.origins) AS b WHERE b.method = 'forecast';
SELECT near_all(ARRAY[b.forecasts, b.wmape, b.mase, b.interval_coverage_rate], ARRAY[brute.forecasts, brute.wmape, brute.mase, brute.coverage], format('horizon %s, %s origins: forecasts', horizon, brute.origins))
FROM brute, quarters, period_backtest(s, horizon, NULL, brute.origins) AS b WHERE b.method = 'forecast';
SELECT near_all(ARRAY[b.forecasts, b.wmape, b.mase, b.interval_coverage_rate], ARRAY[brute.forecasts, brute.naive_wmape, brute.naive_mase, brute.naive_coverage], format('horizon %s, %s origins: seasonal naive', horizon, brute.origins))
FROM brute, quarters, period_backtest(s, horizon, NULL, brute.origins) AS b WHERE b.method = 'seasonal naive';
SELECT is(string_agg(method, ', ' ORDER BY method), 'forecast, naive', 'without two seasons the last amount is the comparison') FROM period_backtest(series('{1,2,3,4,5,6,7,9}', 'quarter'));
-- 7 -> 9 by hand, after 1, 2 ... 7 with a trend of exactly 1, and from 6 to 7, from 5 to 6: a mean of 1, 1 and 2 / 1
SELECT near_all(ARRAY[origins, forecasts, wmape, mase], ARRAY[3, 3, 4.0 / 22, 4.0 / 3], 'naive, by hand') FROM period_backtest(series('{1,2,3,4,5,6,7,9}', 'quarter')) WHERE method = 'naive';
SELECT near_all(ARRAY[origins, forecasts, wmape, mase], ARRAY[3, 3, 1.0 / 22, 1.0 / 3], 'a trend is ahead of it') FROM period_backtest(series('{1,2,3,4,5,6,7,9}', 'quarter')) WHERE method = 'forecast';
SELECT is_empty($$SELECT * FROM period_backtest(series('{1,2,3,4,5}', 'year'))$$, 'five periods are too few');
SELECT is((wmape, mase)::text, '(,)', 'nothing to divide by, where all is 0') FROM period_backtest(series(array_fill(0::numeric, ARRAY[12]), 'year')) WHERE method = 'forecast';

SELECT * FROM finish();
