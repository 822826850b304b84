-- purchase_history_agg against plain SQL: in one process, in parts put together by workers, and with all that is odd.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

SELECT plan(18);

-- Purchases with all that is odd: days that are NULL or infinite, amounts that are NULL, NaN, infinite, below 0 or of many digits.
-- Customer 0 has more products than are looked through one by one, most of them several times. The names that customer 1 buys are
-- about as long as those that lie within a group, and longer.
CREATE TABLE bought AS
SELECT seed,
	customer_no,
	day_on,
	amount,
	CASE WHEN customer_no = 0 THEN 'product ' || deal_no * 7 % 61 WHEN customer_no = 1 THEN repeat('long name ', 2) || repeat('x', (deal_no % 17)::int) || deal_no % 5 WHEN deal_no % 11 > 0 THEN (ARRAY['b', 'B', 'ab', 'ä', '', 'a'])[1 + deal_no % 6] END AS product_id,
	CASE WHEN isfinite(day_on) AND extract(month FROM day_on) <> 7 THEN extract(quarter FROM day_on)::int END AS quarter,
	CASE WHEN day_on > '2024-01-01' THEN 0 WHEN day_on > '2023-01-01' THEN 1 WHEN day_on > '2022-01-01' THEN 2 END AS years_ago
FROM (SELECT seed, deal_no, deal_no % 13 AS customer_no, amount, CASE WHEN deal_no % 3 = 0 THEN opened_on ELSE closed_on END AS day_on
	FROM generate_series(1, 12) AS seed, fixture.deals(seed, 400)) AS d;
ANALYZE bought;

-- What it is to give, from nothing but plain SQL.
CREATE FUNCTION plain(of_amount numeric DEFAULT 1)
RETURNS TABLE (seed int, customer_no bigint, history text)
LANGUAGE sql
STABLE
AS $$
	WITH used AS (
		SELECT b.seed, b.customer_no::bigint, b.day_on, b.amount * of_amount AS amount, b.product_id, b.quarter, coalesce(b.years_ago, 2) AS years_ago, coalesce(b.amount * of_amount > 0, true) AS is_purchase
		FROM bought AS b
		WHERE b.day_on > '-infinity' AND b.day_on < 'infinity'
	),
	days AS (
		SELECT seed, customer_no, day_on, max(quarter) AS quarter, day_on - lag(day_on) OVER (PARTITION BY seed, customer_no ORDER BY day_on) AS gap
		FROM used
		WHERE is_purchase
		GROUP BY seed, customer_no, day_on
	),
	rhythm AS (
		SELECT seed, customer_no, min(day_on) AS first_on, max(day_on) AS last_on, count(*) AS day_count, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS gap_median,
			count(*) FILTER (WHERE quarter = 1) AS q1, count(*) FILTER (WHERE quarter = 2) AS q2, count(*) FILTER (WHERE quarter = 3) AS q3, count(*) FILTER (WHERE quarter = 4) AS q4
		FROM days
		GROUP BY seed, customer_no
	),
	liked AS (
		SELECT DISTINCT ON (seed, customer_no) seed, customer_no, product_id, amount
		FROM (SELECT seed, customer_no, product_id, sum(amount) AS amount FROM used WHERE product_id IS NOT NULL GROUP BY 1, 2, 3) AS s
		WHERE amount > 0
		ORDER BY seed, customer_no, amount DESC, product_id COLLATE "C"
	)
	SELECT u.seed, u.customer_no,
		ROW(r.first_on, r.last_on, u.purchases, u.recent, u.unpriced, coalesce(r.day_count, 0), r.gap_median, coalesce(r.q1, 0), coalesce(r.q2, 0), coalesce(r.q3, 0), coalesce(r.q4, 0),
			trim_scale(u.total), trim_scale(u.recent_amount), trim_scale(u.year_amount), l.product_id, trim_scale(l.amount))::text
	FROM (SELECT seed, customer_no, count(*) FILTER (WHERE is_purchase) AS purchases, count(*) FILTER (WHERE is_purchase AND years_ago < 2) AS recent, count(*) FILTER (WHERE amount IS NULL) AS unpriced,
			coalesce(sum(amount), 0) AS total, coalesce(sum(amount) FILTER (WHERE years_ago < 2), 0) AS recent_amount, coalesce(sum(amount) FILTER (WHERE years_ago = 0), 0) AS year_amount
		FROM used GROUP BY 1, 2) AS u
	LEFT JOIN rhythm AS r USING (seed, customer_no)
	LEFT JOIN liked AS l USING (seed, customer_no);
$$;

CREATE FUNCTION shown(h purchase_history) RETURNS text
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN ROW((h).first_on, (h).last_on, (h).purchase_count, (h).recent_count, (h).unpriced_count, (h).day_count, (h).gap_median, (h).quarter_1_count, (h).quarter_2_count, (h).quarter_3_count, (h).quarter_4_count,
	trim_scale((h).total_amount), trim_scale((h).recent_amount), trim_scale((h).year_amount), (h).liked_product_id, trim_scale((h).liked_amount))::text;

SELECT ok(
	(SELECT count(*) FILTER (WHERE amount = 'NaN') > 0 AND count(*) FILTER (WHERE abs(amount) = 'Infinity') > 0 AND count(*) FILTER (WHERE scale(amount) > 4) > 0
		AND count(*) FILTER (WHERE amount IS NULL) > 0 AND count(*) FILTER (WHERE amount < 0) > 0 AND count(*) FILTER (WHERE NOT isfinite(day_on)) > 0 AND count(*) FILTER (WHERE day_on IS NULL) > 0
	 FROM bought),
	'there is something odd of each kind');
SET max_parallel_workers_per_gather = 0;
SELECT results_eq(
	'SELECT seed, customer_no::bigint, shown(purchase_history_agg(day_on, amount, product_id, quarter, years_ago)) FROM bought WHERE isfinite(day_on) GROUP BY 1, 2 ORDER BY 1, 2',
	'SELECT * FROM plain() ORDER BY 1, 2',
	'as plain SQL has it');
SELECT results_eq(
	'SELECT seed, customer_no::bigint, shown(purchase_history_agg(day_on, -amount, product_id, quarter, years_ago)) FROM bought WHERE isfinite(day_on) GROUP BY 1, 2 ORDER BY 1, 2',
	'SELECT * FROM plain(-1) ORDER BY 1, 2',
	'also with refunds for purchases');
SELECT results_eq(
	'SELECT seed, customer_no::bigint, shown(purchase_history_agg(day_on, amount / 3, product_id, quarter, years_ago)) FROM bought WHERE isfinite(day_on) GROUP BY 1, 2 ORDER BY 1, 2',
	$$SELECT b.seed, b.customer_no::bigint, shown(purchase_history_agg(day_on, amount / 3, product_id, quarter, years_ago ORDER BY amount DESC, day_on)) FROM bought AS b WHERE isfinite(day_on) GROUP BY 1, 2 ORDER BY 1, 2$$,
	'the order of rows does not matter');
SELECT results_eq(
	'SELECT seed, customer_no, shown(purchase_history_agg(day_on, amount, product_id, quarter, years_ago)) FROM bought GROUP BY 1, 2 ORDER BY 1, 2',
	'SELECT seed, customer_no, shown(purchase_history_agg(day_on, amount, product_id, quarter, years_ago)) FROM bought WHERE isfinite(day_on) GROUP BY 1, 2 ORDER BY 1, 2',
	'what has no finite day is left out');
RESET max_parallel_workers_per_gather;

-- in parts
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT ok(p ~ '"Partial Mode": "Partial"' AND p ~ '"Node Type": "Gather', 'workers make parts of it')
FROM CAST(fixture.plan_of($$SELECT seed, customer_no, purchase_history_agg(day_on, amount, product_id, quarter, years_ago) FROM bought GROUP BY 1, 2$$) AS text) AS p;
SELECT results_eq(
	'SELECT seed, customer_no::bigint, shown(purchase_history_agg(day_on, amount, product_id, quarter, years_ago)) FROM bought WHERE isfinite(day_on) GROUP BY 1, 2 ORDER BY 1, 2',
	'SELECT * FROM plain() ORDER BY 1, 2',
	'which come to the same');
SELECT results_eq(
	'SELECT purchase_history_agg(day_on, amount, product_id, quarter, years_ago) FILTER (WHERE seed = 0) IS NULL FROM bought',
	'SELECT true',
	'in parts, of no row');
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET max_parallel_workers_per_gather;

-- one by one
SELECT is((SELECT purchase_history_agg(day_on, amount, product_id, quarter, years_ago) FROM bought WHERE false), NULL, 'of no row NULL');
SELECT is(
	(SELECT shown(purchase_history_agg(d, 5, 'p', 1, 0)) FROM (VALUES (NULL::date), ('infinity'), ('-infinity')) AS v (d)),
	'(,,0,0,0,0,,0,0,0,0,0,0,0,,)', 'of days that are none, no purchase');
SELECT is(
	(SELECT shown(purchase_history_agg('2024-02-29', 5.10, NULL, NULL, NULL))),
	'(2024-02-29,2024-02-29,1,0,0,1,,0,0,0,0,5.1,0,0,,)', 'one without a product, a quarter or an age');
SELECT is(
	(SELECT shown(purchase_history_agg(d, a, p, 2, y)) FROM (VALUES ('2024-04-01'::date, 10, 'x', 1), ('2024-04-11', -10, 'x', 0), ('2024-04-21', 0, 'y', 0)) AS v (d, a, p, y)),
	'(2024-04-01,2024-04-01,1,1,0,1,,0,1,0,0,0,0,-10,,)', 'refunds are no purchases; nothing is liked that comes to nothing');
SELECT is(
	(SELECT shown(purchase_history_agg(d, NULL, 'x', q, 0)) FROM (VALUES ('2024-04-01'::date, 1), ('2024-04-01', 3), ('2024-04-05', NULL), ('2024-04-07', 4)) AS v (d, q)),
	'(2024-04-01,2024-04-07,4,4,4,3,3,0,0,1,1,0,0,0,,)', 'days and quarters of unpriced purchases, and the median of an even number of gaps');
SELECT is(
	(SELECT (purchase_history_agg('2024-04-01', a, p, 2, 0)).liked_product_id FROM (VALUES (10, 'b'), (4, 'a'), (6.0000, 'a'), (10, 'B')) AS v (a, p)),
	'B', 'of equal sums the first in the order of bytes');
SELECT is(
	(SELECT (purchase_history_agg(d, 1, 'p', 1, 0)).gap_median FROM (VALUES ('4714-11-24 BC'::date), ('5874897-12-31')) AS v (d)),
	('5874897-12-31'::date - '4714-11-24 BC'::date)::float8, 'from the first day of all to the last');
SELECT throws_ok($$SELECT purchase_history_agg('2024-01-01', 1, 'p', 5, 0)$$, '22023', 'quarter 5 is not between 1 and 4', 'a year has four quarters');
SELECT throws_ok($$SELECT purchase_history_agg('2024-01-01', 1, 'p', 1, 3)$$, '22023', 'years_ago 3 is not between 0 and 2', 'older is not told apart');
SELECT results_eq(
	$$SELECT n, (purchase_history_agg(DATE '2024-01-01' + n, n, 'p' || n % 40, 1, 0) OVER (ORDER BY n)).total_amount FROM generate_series(1, 100) AS n$$,
	$$SELECT n, sum(n::numeric) OVER (ORDER BY n) FROM generate_series(1, 100) AS n$$,
	'over a window');

SELECT * FROM finish();
