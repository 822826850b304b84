-- cohort_summary: retention and the cohort matrix against plain SQL with self-joins.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

SELECT plan(25);

-- Purchases with refunds, gaps and amounts that nobody recorded: 40 customers over 30 months, twelve companies.
CREATE TABLE bought AS
SELECT company, (fixture.random('customer', n) * 40)::int AS customer,
	date '2022-01-01' + (fixture.random('day', n) ^ 1.3 * 900)::int AS sold_on,
	CASE WHEN n % 17 = 0 THEN NULL
		WHEN n % 7 = 0 THEN - round((fixture.random('refund', n) * 900)::numeric, 2)
		WHEN n % 23 = 0 THEN 0
		ELSE round((fixture.random('amount', n) * 500)::numeric, 2) END AS amount
FROM generate_series(1, 12) AS company, LATERAL (SELECT company * 100000 + i AS n FROM generate_series(1, 30 * company) AS i) AS rows;
CREATE TABLE grain (grain text PRIMARY KEY, step interval);
INSERT INTO grain VALUES ('month', '1 month'), ('quarter', '3 months'), ('year', '1 year'), ('week', '7 days');

-- plain SQL: a customer's periods, who is active in them, and a self-join with the period before
CREATE VIEW customer_period AS
SELECT company, grain, step, customer, date_trunc(grain, sold_on::timestamp)::date AS period_start,
	COALESCE(sum(amount), 0) AS amount,
	COALESCE(sum(amount), 0) > 0 OR (COALESCE(sum(amount), 0) = 0 AND bool_or(amount IS NULL)) AS active
FROM bought
CROSS JOIN grain
GROUP BY 1, 2, 3, 4, 5;
CREATE VIEW first_period AS
SELECT company, grain, customer, min(period_start) AS cohort_start
FROM customer_period
WHERE active
GROUP BY 1, 2, 3;
CREATE VIEW plain_retention AS
WITH range AS (
	SELECT company, grain, min(period_start) AS first, max(period_start) AS last
	FROM customer_period
	JOIN first_period USING (company, grain, customer)
	WHERE period_start >= cohort_start
	GROUP BY 1, 2
), every_period AS (
	SELECT company, grain, day::date AS period_start, (day - step)::date AS prior_start
	FROM range
	JOIN grain USING (grain)
	CROSS JOIN generate_series(first::timestamp, last::timestamp, step) AS day
)
SELECT e.company, e.grain, e.period_start,
	count(before.customer) AS starting,
	count(before.customer) FILTER (WHERE again.active) AS retained,
	count(before.customer) FILTER (WHERE again.active IS NOT TRUE) AS churned,
	(SELECT count(*) FROM first_period AS f WHERE f.company = e.company AND f.grain = e.grain AND f.cohort_start = e.period_start) AS new,
	(SELECT count(*)
		FROM customer_period AS c
		JOIN first_period AS f USING (company, grain, customer)
		WHERE c.company = e.company AND c.grain = e.grain AND c.period_start = e.period_start AND c.active AND f.cohort_start < e.period_start
			AND NOT EXISTS (SELECT FROM customer_period AS p WHERE p.company = c.company AND p.grain = c.grain AND p.customer = c.customer AND p.period_start = e.prior_start AND p.active)) AS reactivated,
	COALESCE(sum(before.amount), 0) AS starting_amount,
	COALESCE(sum(least(COALESCE(again.amount, 0), before.amount)), 0) AS kept_amount,
	COALESCE(sum(again.amount), 0) AS current_amount
FROM every_period AS e
LEFT JOIN customer_period AS before ON before.company = e.company AND before.grain = e.grain AND before.period_start = e.prior_start AND before.active
LEFT JOIN customer_period AS again ON again.company = e.company AND again.grain = e.grain AND again.customer = before.customer AND again.period_start = e.period_start
GROUP BY e.company, e.grain, e.period_start, e.prior_start;

CREATE TABLE summary AS
SELECT company, grain, cohort_agg(s) AS s
FROM (SELECT company, customer, grain, period_agg(sold_on, amount, grain) AS s FROM bought CROSS JOIN grain GROUP BY 1, 2, 3) AS c
GROUP BY 1, 2;

SELECT cmp_ok(count(*)::int, '>', 300, 'there is much to compare') FROM plain_retention WHERE grain = 'month';
SELECT cmp_ok(sum(reactivated)::int, '>', 100, 'customers left and came back') FROM plain_retention WHERE grain = 'month';
SELECT is_empty(
	format($$
		SELECT ours, p
		FROM (SELECT company, v.* FROM summary, retention_values(s) AS v WHERE grain = %1$L) AS ours
		FULL JOIN (SELECT * FROM plain_retention WHERE grain = %1$L) AS p USING (company, period_start)
		WHERE (ours.starting, ours.retained, ours.churned, ours.new, ours.reactivated, ours.starting_amount, ours.kept_amount, ours.current_amount)
			IS DISTINCT FROM (p.starting, p.retained, p.churned, p.new, p.reactivated, p.starting_amount, p.kept_amount, p.current_amount)$$, grain),
	grain || ': retention equals the plain self-join, row by row')
FROM grain;
SELECT is_empty(
	$$SELECT company, grain, v.*
	  FROM summary, retention_values(s) AS v
	  WHERE retention_rate IS DISTINCT FROM CASE WHEN starting > 0 THEN retained::float8 / starting END
		OR gross_revenue_retention IS DISTINCT FROM CASE WHEN starting_amount > 0 THEN (kept_amount / starting_amount)::float8 END
		OR net_revenue_retention IS DISTINCT FROM CASE WHEN starting_amount > 0 THEN (current_amount / starting_amount)::float8 END
		OR period_retention_rate(s, period_start) IS DISTINCT FROM retention_rate$$,
	'rates are ratios of the columns beside them');
SELECT is_empty(
	$$WITH last AS (
		SELECT company, grain, min(cohort_start) AS first, max(period_start) AS last
		FROM customer_period
		JOIN first_period USING (company, grain, customer)
		WHERE period_start >= cohort_start
		GROUP BY 1, 2
	  ), plain AS (
		SELECT l.company, l.grain, c.cohort_start, (cell.n - 1)::int AS periods_since, c.customers,
			count(*) FILTER (WHERE p.active) AS active, COALESCE(sum(p.amount), 0) AS amount, cell.at <= l.last AS is_complete
		FROM last AS l
		JOIN grain AS g USING (grain)
		JOIN (SELECT company, grain, cohort_start, count(*) AS customers FROM first_period GROUP BY 1, 2, 3) AS c USING (company, grain)
		CROSS JOIN LATERAL (
			SELECT row_number() OVER (ORDER BY day) AS n, (c.cohort_start + (day - l.first::timestamp))::date AS at0,
				(c.cohort_start + (row_number() OVER (ORDER BY day) - 1) * g.step)::date AS at
			FROM generate_series(l.first::timestamp, l.last::timestamp, g.step) AS day
		) AS cell
		LEFT JOIN first_period AS f ON f.company = l.company AND f.grain = l.grain AND f.cohort_start = c.cohort_start
		LEFT JOIN customer_period AS p ON p.company = l.company AND p.grain = l.grain AND p.customer = f.customer AND p.period_start = cell.at
		GROUP BY l.company, l.grain, c.cohort_start, cell.n, c.customers, cell.at, l.last
	  )
	  SELECT ours, p
	  FROM (SELECT company, grain, v.* FROM summary, cohort_values(s) AS v) AS ours
	  FULL JOIN plain AS p USING (company, grain, cohort_start, periods_since)
	  WHERE (ours.customers, ours.is_complete) IS DISTINCT FROM (p.customers, p.is_complete)
		OR (p.is_complete AND (ours.active, ours.amount, ours.retention_rate) IS DISTINCT FROM (p.active, p.amount, p.active::float8 / p.customers))
		OR (NOT p.is_complete AND (ours.active, ours.amount, ours.retention_rate) IS DISTINCT FROM (NULL::bigint, NULL::numeric, NULL::float8))$$,
	'the cohort matrix equals plain SQL, cell by cell, and cells that lie ahead are NULL');
SELECT is_empty(
	$$SELECT company, grain, r.period_start
	  FROM summary, retention_values(s) AS r
	  WHERE starting + new + reactivated - churned IS DISTINCT FROM
		(SELECT sum(v.active) FROM cohort_values(s) AS v JOIN grain AS g ON g.grain = summary.grain WHERE (v.cohort_start + v.periods_since * g.step)::date = r.period_start)$$,
	'starting + new + reactivated - churned are the active ones of the matrix');

-- two levels: a customer's rows in several pieces, rolled up first
SELECT is_empty(
	$$WITH pieces AS (
		SELECT company, customer, EXTRACT(isodow FROM sold_on) AS partition, period_agg(sold_on, amount, 'month') AS s
		FROM bought
		GROUP BY 1, 2, 3
	  ), customer AS (
		SELECT company, customer, rollup(s) AS s
		FROM pieces
		GROUP BY 1, 2
	  )
	  SELECT company
	  FROM (SELECT company, cohort_agg(s) AS s FROM customer GROUP BY 1) AS two_level
	  JOIN summary USING (company)
	  WHERE grain = 'month' AND two_level.s <> summary.s$$,
	'customers rolled up from partitions give the same');
SELECT is((SELECT rollup(s)::text FROM summary WHERE grain = 'month'),
	(SELECT cohort_agg(s)::text FROM (SELECT period_agg(sold_on, amount, 'month') AS s FROM bought GROUP BY company, customer) AS c),
	'cohorts of separate customers add up');

-- by hand: Ann buys in January, February and April; Bob in January, with a refund of more in February; Cid never pays
CREATE TABLE hand (customer text, sold_on date, amount numeric);
INSERT INTO hand VALUES
('Ann', '2024-01-10', 100), ('Ann', '2024-02-10', 40), ('Ann', '2024-02-11', 40), ('Ann', '2024-04-30', 200),
('Bob', '2024-01-20', 50), ('Bob', '2024-02-01', -70), ('Cid', '2024-03-03', -5), ('Dee', '2024-02-29', 10), ('Dee', '2024-03-01', 30);
CREATE TABLE hand_summary AS
SELECT cohort_agg(s) AS s FROM (SELECT period_agg(sold_on, amount, 'month') AS s FROM hand GROUP BY customer) AS c;
SELECT results_eq(
	$$SELECT period_start, starting, retained, churned, new, reactivated, starting_amount, kept_amount, current_amount FROM hand_summary, retention_values(s)$$,
	$$VALUES (date '2024-01-01', 0::bigint, 0::bigint, 0::bigint, 2::bigint, 0::bigint, 0::numeric, 0::numeric, 0::numeric),
		('2024-02-01', 2, 1, 1, 1, 0, 150, 10, 10),
		('2024-03-01', 2, 1, 1, 0, 0, 90, 10, 30),
		('2024-04-01', 1, 0, 1, 0, 1, 30, 0, 0)$$,
	'worked out by hand');
SELECT results_eq(
	$$SELECT cohort_start, periods_since, customers, active, amount FROM hand_summary, cohort_values(s) WHERE is_complete$$,
	$$VALUES (date '2024-01-01', 0, 2::bigint, 2::bigint, 150::numeric), ('2024-01-01', 1, 2, 1, 10), ('2024-01-01', 2, 2, 0, 0), ('2024-01-01', 3, 2, 1, 200),
		('2024-02-01', 0, 1, 1, 10), ('2024-02-01', 1, 1, 1, 30), ('2024-02-01', 2, 1, 0, 0)$$,
	'and so the matrix');
SELECT results_eq('SELECT customer_count(s), inactive_count(s), invalid_count(s) FROM hand_summary', 'VALUES (3::bigint, 1::bigint, 0::bigint)', 'who never paid is no customer, but counted');

-- the last day that is known
SELECT results_eq(
	$$SELECT period_start, starting, churned FROM hand_summary, retention_values(s, '2024-06-15') WHERE period_start > '2024-04-01'$$,
	$$VALUES (date '2024-05-01', 1::bigint, 1::bigint), ('2024-06-01', 0, 0)$$,
	'where nothing is bought any more, customers churn');
SELECT results_eq($$SELECT max(period_start) FROM hand_summary, retention_values(s, '2024-02-15')$$, $$VALUES (date '2024-02-01')$$, 'what comes later is left out');
SELECT results_eq(
	$$SELECT cohort_start, periods_since, active, is_complete FROM hand_summary, cohort_values(s, '2024-03-30') ORDER BY 1, 2$$,
	$$VALUES (date '2024-01-01', 0, 2::bigint, true), ('2024-01-01', 1, 1, true), ('2024-01-01', 2, NULL, false), ('2024-02-01', 0, 1, true), ('2024-02-01', 1, NULL, false), ('2024-02-01', 2, NULL, false)$$,
	'a month that is not over is no cell to compare');
SELECT results_eq(
	$$SELECT count(*) FILTER (WHERE is_complete), count(*) FROM hand_summary, cohort_values(s, '2024-03-31')$$, 'VALUES (5::bigint, 6::bigint)', 'on its last day it is over');
SELECT is_empty($$SELECT * FROM hand_summary, cohort_values(s, '2023-12-31')$$, 'before the first there is nothing');
SELECT throws_ok($$SELECT * FROM hand_summary, retention_values(s, 'infinity')$$, '22008', 'last_day must be a finite date', 'a day is a day');

-- terms
SELECT results_eq(
	$$SELECT period_start, retained, churned, starting_amount, current_amount
	  FROM retention_values((
		SELECT cohort_agg(s)
		FROM (SELECT period_agg(f, amount, f, t, 'month') AS s
			FROM (VALUES ('yearly', 365, date '2023-01-01', date '2023-12-31'), ('free', 0, '2023-01-01', '2023-02-28'), ('refunded', 31, '2023-01-01', '2023-01-31'), ('refunded', -10, '2023-02-01', '2023-02-28')) AS v (customer, amount, f, t)
			GROUP BY customer) AS c), date '2023-03-31')$$,
	$$VALUES (date '2023-01-01', 0::bigint, 0::bigint, 0::numeric, 0::numeric), ('2023-02-01', 3, 0, 62, 18), ('2023-03-01', 1, 2, 18, 31)$$,
	'a customer is active in every period that a term covers, whatever the amount');
SELECT results_eq(
	$$SELECT kept_amount FROM retention_values((SELECT cohort_agg(s) FROM (SELECT period_agg(f, amount, f, f, 'month') AS s FROM (VALUES (-10, date '2023-01-01')) AS v (amount, f)) AS c), '2023-02-28')$$,
	$$VALUES (0::numeric), (-10)$$,
	'what a covered customer was paid out stays in min(now, before)');

-- what is no number, or a very large one
SELECT results_eq(
	$$SELECT starting_amount::text, kept_amount::text, current_amount::text, net_revenue_retention
	  FROM retention_values((SELECT cohort_agg(s) FROM (SELECT period_agg(d, amount, 'month') AS s
		FROM (VALUES (1, date '2024-01-01', 'NaN'::numeric), (1, '2024-02-01', 5), (2, '2024-01-01', 7), (2, '2024-02-01', 5)) AS v (c, d, amount) GROUP BY c) AS x))$$,
	$$VALUES ('0', '0', '0', NULL::float8), ('NaN', '10', '10', NULL)$$,
	'NaN stays visible');
SELECT results_eq(
	$$SELECT starting_amount, kept_amount, current_amount
	  FROM retention_values((SELECT cohort_agg(s) FROM (SELECT period_agg(d, amount, 'month') AS s
		FROM (VALUES (1, date '2024-01-01', 1e50), (1, '2024-02-01', 2e50 + 1.000005), (2, '2024-01-01', 7.5), (2, '2024-02-01', 5)) AS v (c, d, amount) GROUP BY c) AS x)) OFFSET 1$$,
	$$VALUES (1e50 + 7.5, 1e50 + 5, 2e50 + 6.000005)$$,
	'large amounts are exact');
SELECT results_eq(
	$$SELECT customer_count(s), invalid_count(s) FROM (SELECT cohort_agg(s) AS s FROM (VALUES (period_agg_add(NULL, '2024-01-01', 1, 'month')), (- period_agg_add(NULL, '2024-01-01', 1, 'month')), (NULL)) AS v (s)) AS c$$,
	'VALUES (1::bigint, 1::bigint)', 'a customer whose summary is a difference is counted, not believed');

SELECT * FROM finish();
