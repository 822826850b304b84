-- period_summary: its periods against plain SQL's date_trunc, sum and generate_series, terms against days counted
-- one by one.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

SELECT plan(40);

CREATE TABLE bought AS
SELECT seed, p.*
FROM generate_series(1, 12) AS seed, fixture.purchases(seed, 250) AS p;
INSERT INTO bought VALUES
(20, 1, 1, '2024-01-15', 100.00), (20, 2, 1, '2024-01-31', 50), (20, 3, 1, '2024-04-01', 75.5), (20, 4, 1, '2025-01-01', 300);
CREATE TABLE grain (grain text PRIMARY KEY, step interval, year_ago interval);
INSERT INTO grain VALUES
('day', '1 day', '1 year'), ('week', '1 week', '52 weeks'), ('month', '1 month', '1 year'), ('quarter', '3 months', '1 year'), ('year', '1 year', '1 year');

-- Quotients have as many digits as the display scales of their arguments ask for: equal as far as both go.
CREATE FUNCTION same_rate(a numeric, b numeric)
RETURNS boolean
LANGUAGE sql
IMMUTABLE
RETURN a IS NOT DISTINCT FROM b OR abs(a - b) <= greatest(abs(a), 1) * 1e-15;

-- What period_values is to give, from nothing but plain SQL. Only ordinary days: the series is made by generate_series.
CREATE VIEW plain AS
WITH by_period AS (
	SELECT b.seed, g.grain, date_trunc(g.grain, b.sold_on::timestamp)::date AS period_start, count(*) AS count, COALESCE(sum(amount), 0) AS amount
	FROM bought AS b
	CROSS JOIN grain AS g
	WHERE sold_on BETWEEN '1900-01-01' AND '2100-01-01'
	GROUP BY 1, 2, 3
), every_period AS (
	SELECT r.seed, r.grain, day::date AS period_start, g.step, g.year_ago, r.first
	FROM (SELECT seed, grain, min(period_start) AS first, max(period_start) AS last FROM by_period GROUP BY 1, 2) AS r
	JOIN grain AS g USING (grain)
	CROSS JOIN generate_series(r.first::timestamp, r.last::timestamp, g.step) AS day
), filled AS (
	SELECT e.*, COALESCE(b.count, 0) AS count, COALESCE(b.amount, 0) AS amount
	FROM every_period AS e
	LEFT JOIN by_period AS b USING (seed, grain, period_start)
)
SELECT now.seed, now.grain, now.period_start, now.count, now.amount, prior.amount AS prior_amount,
	CASE WHEN prior.amount > 0 AND prior.amount <> 'NaN' THEN (now.amount - prior.amount) / prior.amount END AS growth_rate,
	ago.amount AS year_ago_amount,
	CASE WHEN ago.amount > 0 AND ago.amount <> 'NaN' THEN (now.amount - ago.amount) / ago.amount END AS year_growth_rate
FROM filled AS now
LEFT JOIN filled AS prior ON prior.seed = now.seed AND prior.grain = now.grain AND prior.period_start = (now.period_start - now.step)::date
LEFT JOIN filled AS ago ON ago.seed = now.seed AND ago.grain = now.grain AND ago.period_start = (now.period_start - now.year_ago)::date;

SELECT cmp_ok(count(*)::int, '>', 3000, 'there is much to compare: ' || min(grain)) FROM plain WHERE grain = 'day';
SELECT is_empty(
	format($$
		WITH ours AS (
			SELECT seed, v.*
			FROM (SELECT seed, period_agg(sold_on, amount, %1$L) AS s FROM bought WHERE sold_on BETWEEN '1900-01-01' AND '2100-01-01' GROUP BY seed) AS x,
				period_values(s) AS v
		)
		SELECT ours, p
		FROM ours
		FULL JOIN (SELECT * FROM plain WHERE grain = %1$L) AS p USING (seed, period_start)
		WHERE (ours.count, ours.amount, ours.prior_amount, ours.year_ago_amount) IS DISTINCT FROM (p.count, p.amount, p.prior_amount, p.year_ago_amount)
			OR same_rate(ours.growth_rate, p.growth_rate) IS NOT TRUE
			OR same_rate(ours.year_growth_rate, p.year_growth_rate) IS NOT TRUE$$, grain),
	grain || ': rows, amounts, growth and growth over a year equal plain SQL, row by row')
FROM grain;
SELECT is_empty(
	format($$
		SELECT p.*
		FROM plain AS p
		JOIN (SELECT seed, period_agg(sold_on, amount, %1$L) AS s FROM bought WHERE sold_on BETWEEN '1900-01-01' AND '2100-01-01' GROUP BY seed) AS x USING (seed)
		WHERE grain = %1$L AND same_rate(period_growth_rate(s, period_start), growth_rate) IS NOT TRUE$$, grain),
	grain || ': so does the growth of one period')
FROM grain;
SELECT is_empty(
	$$SELECT *
	  FROM (
		SELECT v.amount::text AS ours, (SELECT sum(amount)::text FROM bought AS b WHERE b.seed = x.seed AND date_trunc('month', b.sold_on) = v.period_start) AS theirs
		FROM (SELECT seed, period_agg(sold_on, amount, 'month') AS s FROM bought WHERE seed % 3 = 1 AND amount IS NOT NULL AND isfinite(sold_on) GROUP BY seed) AS x,
			period_values(s) AS v
		WHERE v.count > 0
	  ) AS shown
	  WHERE ours IS DISTINCT FROM theirs$$,
	'amounts are shown as sum(amount) shows them');

-- days of all kinds
SELECT results_eq(
	$$SELECT grain, v.period_start
	  FROM grain, unnest('{4713-01-01 BC, 0001-12-31 BC, 0001-01-01, 1999-12-31, 2000-02-29, 2023-01-01, 2024-12-30, 5874897-12-31}'::date[]) AS day,
		LATERAL (SELECT period_agg_add(NULL, day, 1, grain) AS s) AS x, period_values(s) AS v
	  ORDER BY grain, day$$,
	$$SELECT grain, greatest(date_trunc(grain, day::timestamp)::date, '4714-11-24 BC')
	  FROM grain, unnest('{4713-01-01 BC, 0001-12-31 BC, 0001-01-01, 1999-12-31, 2000-02-29, 2023-01-01, 2024-12-30}'::date[]) AS day
	  UNION ALL
	  SELECT * FROM (VALUES ('day', date '5874897-12-31'), ('week', '5874897-12-30'), ('month', '5874897-12-01'), ('quarter', '5874897-10-01'), ('year', '5874897-01-01')) AS last_days
	  ORDER BY 1, 2$$,
	'periods begin where date_trunc says, from the first day to the last');
SELECT results_eq(
	$$SELECT undated_count(s), unpriced_count(s), invalid_count(s), (SELECT array_agg(count) FROM period_values(s))
	  FROM (SELECT period_agg(day, amount, 'year') AS s FROM (VALUES (NULL::date, 1::numeric), ('infinity', 2), ('-infinity', NULL), ('2024-03-01', NULL), ('2024-05-01', 3)) AS v (day, amount)) AS x$$,
	$$VALUES (3::bigint, 1::bigint, 0::bigint, '{2}'::bigint[])$$,
	'rows without a day or an amount are counted');
SELECT is((SELECT array_agg(amount::text) FROM period_values((SELECT period_agg('2024-01-01', a, 'day') FROM unnest('{1, NaN}'::numeric[]) AS a))), '{NaN}', 'NaN adds up to NaN');
SELECT is((SELECT array_agg(amount::text) FROM period_values((SELECT period_agg('2024-01-01', a, 'day') FROM unnest('{1, Infinity}'::numeric[]) AS a))), '{Infinity}', 'infinity to infinity');
SELECT is((SELECT array_agg(amount::text) FROM period_values((SELECT period_agg('2024-01-01', a, 'day') FROM unnest('{-Infinity, Infinity}'::numeric[]) AS a))), '{NaN}', 'both infinities to NaN, as with sum');
SELECT is_empty($$SELECT * FROM period_values((SELECT period_agg(NULL, 1, 'day')))$$, 'no periods: no rows');
SELECT is_empty($$SELECT * FROM period_values((SELECT period_agg('2024-01-01', 1, 'day') FROM generate_series(1, 0)))$$, 'nor of the summary of nothing');
SELECT is(period_growth_rate(period_agg(d, 10, 'month'), '2024-02-10'), 1.0, 'growth is asked for by any day of the period')
FROM unnest('{2024-01-05, 2024-02-01, 2024-02-02, 2024-03-01}'::date[]) AS d;
SELECT is(ARRAY[period_growth_rate(s, '2024-01-01'), period_growth_rate(s, '2024-04-01'), period_growth_rate(s, 'infinity')], '{NULL, NULL, NULL}', 'before and after the periods there is none')
FROM (SELECT period_agg(d, 10, 'month') AS s FROM unnest('{2024-01-05, 2024-02-01, 2024-02-02, 2024-03-01}'::date[]) AS d) AS x;

-- mixing grains
SELECT throws_ok($$SELECT period_agg('2024-01-01', 1, g) FROM unnest('{month, week}'::text[]) AS g$$, '22023', 'cannot mix grain "month" and "week" in one period_summary', 'grains are not mixed in a group');
SELECT throws_ok($$SELECT period_agg('2024-01-01', 1, 'month') + period_agg('2024-01-01', 1, 'day')$$, '22023', 'cannot mix grain "month" and "day" in one period_summary', 'nor by adding');
SELECT throws_ok($$SELECT rollup(s) FROM (SELECT period_agg('2024-01-01', 1, g) AS s FROM unnest('{month, week}'::text[]) AS g GROUP BY g) AS x$$, '22023', NULL, 'nor by rollup');
SELECT throws_ok($$SELECT cohort_agg(s) FROM (SELECT period_agg('2024-01-01', 1, g) AS s FROM unnest('{month, week}'::text[]) AS g GROUP BY g) AS x$$, '22023', NULL, 'nor among customers');
SELECT ok((SELECT period_agg('2024-01-01', 1, 'month') - period_agg('2024-01-01', 1, 'month')) + (SELECT period_agg('2024-01-01', 1, 'day')) = (SELECT period_agg('2024-01-01', 1, 'day')),
	'what has no rows left has no grain');
SELECT is((SELECT count(*) FROM (
		SELECT s::text
		FROM (SELECT n, period_agg(date '2024-01-01' + n, n, CASE WHEN n < 50 THEN 'month' ELSE 'day' END) OVER (ORDER BY n ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS s FROM generate_series(1, 100) AS n) AS w
	) AS t), 100::bigint, 'in a moving frame either, when all rows of the old grain have left');
SELECT throws_ok($$SELECT period_agg('2024-01-01', 1, 'fortnight')$$, '22023', 'unknown grain: "fortnight"', 'an unknown grain is named');
SELECT throws_ok($$SELECT period_agg('2024-01-01', 1, NULL)$$, '22004', 'grain must not be null', 'there must be one');
SELECT throws_ok($$SELECT count(*) FROM period_values((SELECT period_agg(d, 1, 'day') FROM unnest('{4713-01-01 BC, 5874897-12-31}'::date[]) AS d))$$, '54000', NULL, 'a typo of millennia does not fill the disk');

-- terms: the amount of each day, in the smallest unit, is within one unit of an even share
CREATE TABLE term AS
SELECT n, date '2023-11-05' + (n * 37 % 400) AS covers_from, date '2023-11-05' + (n * 37 % 400) + (n * n * 13 % 800) AS covers_to,
	round((n * 977 % 100000)::numeric / 7, n % 4) * CASE WHEN n % 11 = 0 THEN -1 ELSE 1 END AS amount
FROM generate_series(1, 300) AS n;
SELECT is_empty(
	format($$
		WITH ours AS (
			SELECT n, v.*
			FROM (SELECT n, period_agg(NULL, amount, covers_from, covers_to, %1$L) AS s FROM term GROUP BY n) AS x, period_values(s) AS v
		), days AS (
			SELECT n, date_trunc(%1$L, day)::date AS period_start, count(*) AS days
			FROM term, generate_series(covers_from::timestamp, covers_to::timestamp, '1 day') AS day
			GROUP BY 1, 2
		)
		SELECT *
		FROM ours
		FULL JOIN days USING (n, period_start)
		JOIN term USING (n)
		WHERE (abs(ours.amount - term.amount * days.days / (covers_to - covers_from + 1)) <= 10.0 ^ (- greatest(2, scale(term.amount)))) IS NOT TRUE
			OR scale(ours.amount) > greatest(2, scale(term.amount))$$, grain),
	grain || ': a term is spread over its periods by days, to the cent')
FROM grain;
SELECT is_empty(
	$$SELECT n, g.grain
	  FROM term CROSS JOIN grain AS g
	  WHERE amount IS DISTINCT FROM (SELECT sum(v.amount) FROM period_values(period_agg_add(NULL, NULL, amount, covers_from, covers_to, g.grain)) AS v)$$,
	'and the parts add up to the amount exactly');
SELECT is((SELECT array_agg(count) FROM period_values(period_agg_add(NULL, '2020-01-01', 90, '2024-01-15', '2024-03-15', 'month'))), '{1,0,0}', 'a row with a term counts once, in its first period');
SELECT results_eq(
	$$SELECT invalid_count(s), undated_count(s), (SELECT array_agg(period_start) FROM period_values(s))
	  FROM (SELECT period_agg('2024-05-05', 1, f, t, 'month') AS s
		FROM (VALUES (date '2024-01-01', NULL::date), (NULL, '2024-01-01'), ('2024-02-01', '2024-01-31'), ('2024-01-01', 'infinity'), ('-infinity', '2024-01-01'), ('1000-01-01', '3000-01-01'), (NULL, NULL)) AS v (f, t)) AS x$$,
	$$VALUES (6::bigint, 0::bigint, '{2024-05-01}'::date[])$$,
	'a term of no use is counted, and the row falls on its day');
SELECT is((SELECT array_agg(amount::text) FROM period_values(period_agg_add(NULL, NULL, 'NaN', '2024-01-15', '2024-02-15', 'month'))), '{NaN,NaN}', 'NaN is spread as NaN');
SELECT is((SELECT array_agg(amount) FROM period_values(period_agg_add(NULL, NULL, 1e40, '2024-01-01', '2024-02-29', 'month'))), ARRAY[round(31e40 / 60, 2), 1e40 - round(31e40 / 60, 2)], 'and a large amount exactly');

SELECT * FROM finish();
