-- Statistics against published figures and formulas in plain SQL: Wilson's interval, the two-proportion test, and the
-- edges of Kaplan-Meier that random deals seldom meet.
SET search_path = public, sales_perf;
\ir fixture/near.sql
SELECT plan(41);

-- Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I, method 3
SELECT results_eq(
	$$SELECT converted, entered, round(conversion_rate_low(s)::numeric, 4), round(conversion_rate_high(s)::numeric, 4)
	  FROM (VALUES (81, 263), (15, 148), (0, 20), (1, 29)) AS v (converted, entered), conversion_summary(entered, converted) AS s$$,
	$$VALUES (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)$$,
	'Wilson''s interval: Newcombe''s published examples');

-- (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
CREATE FUNCTION wilson(n float8, k float8, z float8, upper boolean)
RETURNS float8
LANGUAGE sql
RETURN (k / n + z * z / (2 * n) + CASE WHEN upper THEN 1 ELSE -1 END * z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))) / (1 + z * z / n);
CREATE VIEW interval AS
SELECT n, k, confidence, z, conversion_rate_low(s, confidence) AS low, conversion_rate(s) AS rate, conversion_rate_high(s, confidence) AS high
FROM unnest('{1, 2, 5, 17, 100, 12345, 1000000000000}'::bigint[]) AS n,
	LATERAL (SELECT DISTINCT k FROM unnest(ARRAY[0, 1, n / 3, n / 2, n - 1, n]) AS k WHERE k <= n) AS c,
	-- quantiles of the normal distribution for the upper end, from tables
	(VALUES (0.5::float8, 0.674489750196082::float8), (0.8, 1.281551565544600), (0.9, 1.644853626951473), (0.95, 1.959963984540054),
		(0.99, 2.575829303548901), (0.999, 3.290526731491926), (0.999999, 4.891638475699414)) AS c2 (confidence, z),
	LATERAL conversion_summary(n, k) AS s;
SELECT is_empty(
	$$SELECT * FROM interval
	  WHERE (abs(low - wilson(n, k, z, false)) <= 1e-10 * GREATEST(low, 1e-5) AND abs(high - wilson(n, k, z, true)) <= 1e-10) IS NOT TRUE AND k > 0$$,
	'Wilson''s interval: its formula, for any confidence');
SELECT is_empty($$SELECT * FROM interval WHERE (low <= rate AND rate <= high AND low >= 0 AND high <= 1) IS NOT TRUE$$, 'the rate lies within it, and it within 0 to 1');
SELECT is_empty($$SELECT * FROM interval WHERE k = 0 AND low <> 0 OR k = n AND high <> 1$$, 'where none or all were converted its end is exact');
SELECT is_empty(
	$$SELECT * FROM (SELECT *, lag(high - low) OVER (PARTITION BY n, k ORDER BY confidence) AS narrower FROM interval) AS i WHERE narrower >= high - low$$,
	'more confidence is a wider interval');
SELECT is(conversion_rate_low(conversion_summary(10, 3)), conversion_rate_low(conversion_summary(10, 3), 0.95), 'the default confidence is 0.95');
SELECT is(ARRAY[conversion_rate(s), conversion_rate_low(s), conversion_rate_high(s)], '{NULL, NULL, NULL}', 'of none there is no rate and no interval')
FROM conversion_summary(0, 0) AS s;

SELECT throws_ok(
	format('SELECT %s(%s, %L::float8)', f, s, confidence), '22023', format('confidence level %s is not between 0 and 1', confidence),
	format('%s refuses a confidence of %s, whatever the summary', f, confidence))
FROM (VALUES ('0', 'conversion_rate_low', 'conversion_summary(10, 3)'), ('1', 'conversion_rate_high', 'conversion_summary(0, 0)'),
	('1.5', 'win_rate_low', $$deal_agg(1, 'won', NULL, NULL)$$), ('-0.5', 'win_rate_high', $$deal_agg(1, 'open', NULL, NULL)$$),
	('NaN', 'conversion_rate_low', 'conversion_summary(10, 3)')) AS v (confidence, f, s);
SELECT throws_ok(
	format('SELECT %s(%s, %L::float8)', f, s, p), '22003', format('percentile value %s is not between 0 and 1', p),
	format('%s refuses a percentile of %s, whatever the summary', f, p))
FROM (VALUES ('-0.1', 'amount_percentile', 'amount_agg(1)'), ('1.1', 'cycle_percentile', $$cycle_agg('open', NULL, NULL)$$),
	('NaN', 'deal_amount_percentile', $$deal_agg(1, 'open', NULL, NULL)$$), ('2', 'cycle_percentile', $$deal_agg(1, 'won', '2024-01-01', '2024-01-02')$$)) AS v (p, f, s);

-- two proportions: z = (p1 - p2) / sqrt(p (1 - p) (1/n1 + 1/n2)), p-value 2 (1 - Phi(|z|))
SELECT near(conversion_p_value(conversion_summary(100, k), conversion_summary(200, 80)), p, 'two proportions, erfc(|z| / sqrt(2)): ' || k || ' of 100 and 80 of 200')
FROM (VALUES (40, 1.0::float8), (30, 0.09019927243804522), (55, 0.013823023820376638), (0, 1.5189357119517768e-13)) AS v (k, p);
SELECT near(
	conversion_p_value(conversion_summary(1000, 500 + k), conversion_summary(1000, 500 - k)), 0.07363827012030244,
	'the groups may be swapped')
FROM unnest('{20, -20}'::int[]) AS k;
SELECT is(conversion_p_value(conversion_summary(10, a), conversion_summary(n, b)), NULL, format('no p-value: %s of 10 and %s of %s', a, b, n))
FROM (VALUES (0, 0, 7), (10, 7, 7), (3, 0, 0)) AS v (a, b, n);

-- Kaplan-Meier with two deals, by hand. Days 10 and 20; as_of is 2024-02-01.
CREATE VIEW two AS
SELECT name, cycle_agg(outcome, opened_on, opened_on + days) AS s
FROM (VALUES
	('both won', 'won', 10), ('both won', 'won', 20),
	('one won, one lost', 'won', 10), ('one won, one lost', 'lost', 20),
	('closed, then censored', 'won', 10), ('closed, then censored', 'open', 20),
	('censored, then closed', 'open', 10), ('censored, then closed', 'won', 20),
	('closed and censored on one day', 'won', 10), ('closed and censored on one day', 'open', 10),
	('both censored', 'open', 10), ('both censored', 'open', 20),
	('both lost on one day', 'lost', 10), ('both lost on one day', 'lost', 10)) AS v (name, outcome, days),
	LATERAL (SELECT CASE WHEN outcome = 'open' THEN date '2024-02-01' - days ELSE date '2024-01-01' END AS opened_on) AS o
GROUP BY name;
SELECT results_eq(
	format($$SELECT c.day::int, at_risk::int, (won + lost)::int, survival, round(survival_se::numeric, 6), win_incidence, loss_incidence
		FROM two, cycle_curve(s, '2024-02-01') AS c WHERE name = %L$$, name),
	rows, name || ': its curve')
FROM (VALUES
	('both won', 'VALUES (10, 2, 1, 0.5::float8, 0.353553, 0.5::float8, 0::float8), (20, 1, 1, 0, 0, 1, 0)'),
	('one won, one lost', 'VALUES (10, 2, 1, 0.5::float8, 0.353553, 0.5::float8, 0::float8), (20, 1, 1, 0, 0, 0.5, 0.5)'),
	('closed, then censored', 'VALUES (10, 2, 1, 0.5::float8, 0.353553, 0.5::float8, 0::float8), (20, 1, 0, 0.5, 0.353553, 0.5, 0)'),
	('censored, then closed', 'VALUES (10, 2, 0, 1::float8, 0::numeric, 0::float8, 0::float8), (20, 1, 1, 0, 0, 1, 0)'),
	('closed and censored on one day', 'VALUES (10, 2, 1, 0.5::float8, 0.353553, 0.5::float8, 0::float8)'),
	('both censored', 'VALUES (10, 2, 0, 1::float8, 0::numeric, 0::float8, 0::float8), (20, 1, 0, 1, 0, 0, 0)'),
	('both lost on one day', 'VALUES (10, 2, 2, 0::float8, 0::numeric, 0::float8, 1::float8)')) AS v (name, rows);
SELECT set_eq(
	$$SELECT name, cycle_km_median(s, '2024-02-01')::int, win_chance(s, 0, 10, '2024-02-01') AS new, win_chance(s, 10, 10, '2024-02-01') AS at_10, win_chance(s, 21, 10, '2024-02-01') AS at_21 FROM two$$,
	$$VALUES ('both won', 10, 0.5::float8, 1::float8, NULL::float8), ('one won, one lost', 10, 0.5, 0, NULL), ('closed, then censored', 10, 0.5, 0, NULL),
		('censored, then closed', 20, 0, 1, NULL), ('closed and censored on one day', 10, 0.5, 0, NULL), ('both censored', NULL, 0, 0, NULL),
		('both lost on one day', 10, 0, NULL, NULL)$$,
	'two deals: medians, and chances at ages that were observed');

-- survival of exactly one half, at which rounding must not decide
SELECT is_empty(
	$$SELECT n, cycle_km_median(s, '2024-02-01')
	  FROM (
		SELECT n, cycle_agg('won', date '2024-01-01', date '2024-01-01' + i) AS s
		FROM unnest('{2, 6, 14, 30, 98, 200, 998}'::int[]) AS n, LATERAL generate_series(1, n) AS i
		GROUP BY n
	  ) AS d
	  WHERE cycle_km_median(s, '2024-02-01') <> n / 2$$,
	'of n deals that close one a day, the median is the day n / 2');
SELECT is(
	(SELECT cycle_km_median(cycle_agg(outcome, opened_on, opened_on + days), '2025-01-01')
	 FROM (SELECT 'won' AS outcome, date '2024-01-01' AS opened_on, i AS days FROM generate_series(1, 3) AS i
		UNION ALL SELECT 'open', date '2025-01-01' - 3, NULL
		UNION ALL SELECT 'won', date '2024-01-01', i FROM generate_series(4, 9) AS i) AS d),
	5::float8, 'with a censoring between: 7/10 * 5/6 > 1/2, 7/10 * 4/6 < 1/2');
-- who is at risk
SELECT is(
	(SELECT array_agg(at_risk ORDER BY day) FROM cycle_curve((SELECT cycle_agg('open', opened_on, NULL)
		FROM (VALUES (date '2024-01-30'), ('2024-01-31'), ('2024-02-01'), ('2024-02-02'), ('2030-01-01')) AS v (opened_on)), '2024-02-01')),
	'{3, 2, 1}', 'a deal opened on as_of is at risk on day 0, one opened later not yet');
SELECT throws_ok(format('SELECT %s', call), '22023', message, 'refused: ' || call)
FROM (VALUES
	($$win_incidence(cycle_agg('won', '2024-01-01', '2024-01-02'), -1, '2024-02-01')$$, 'day must not be negative: -1'),
	($$win_chance(cycle_agg('won', '2024-01-01', '2024-01-02'), -5, 1, '2024-02-01')$$, 'age_days must not be negative: -5'),
	($$win_chance(deal_agg(1, 'won', '2024-01-01', '2024-01-02'), 5, -1, '2024-02-01')$$, 'within_days must not be negative: -1'),
	($$cycle_p_value(cycle_agg('won', '2024-01-01', '2024-01-02'), cycle_agg('won', '2024-01-01', '2024-01-02'), '2024-02-01', 'lost')$$, 'unknown event: "lost"')) AS v (call, message);
SELECT throws_ok(
	$$SELECT cycle_km_median(cycle_agg('won', '2024-01-01', '2024-01-02'), 'infinity')$$, '22008', 'as_of must be a finite date',
	'refused: an infinite as_of');

SELECT * FROM finish();
