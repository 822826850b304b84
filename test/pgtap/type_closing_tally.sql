-- closing_tally_agg against plain SQL: in one process, in parts put together by workers, and with all that is odd.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

SELECT plan(19);

-- Deals with all that is odd: days that are NULL or infinite, cycles that end before they begin, amounts that are NULL, NaN, infinite, below 0, of
-- many digits. Keys that are NULL, empty, or longer than is set aside for them,
-- and two that are the same where they are put together.
CREATE TABLE closed AS
SELECT deal_no,
	amount,
	outcome,
	opened_on,
	-- no later than date_trunc() can take
	CASE WHEN isfinite(closed_on) THEN least(closed_on, '9999-12-31') ELSE closed_on END AS closed_on,
	CASE WHEN fixture.random('expected', deal_no + seed) < 0.8 THEN (ARRAY[opened_on, closed_on, '2023-09-01'])[1 + deal_no % 3] END AS expected_close_on,
	(ARRAY['ab', 'a', '', NULL, 'ä', 'B', repeat('long ', 90)])[1 + deal_no % 7] AS first_key,
	(ARRAY['c', 'bc', NULL])[1 + deal_no / 7 % 3] AS second_key,
	CASE WHEN seed % 2 = 0 THEN repeat('x', (deal_no % 4)::int) END AS third_key
FROM generate_series(1, 12) AS seed, fixture.deals(seed, 500);
ANALYZE closed;

-- What it is to give, from nothing but plain SQL.
CREATE FUNCTION plain(grain text)
RETURNS TABLE (first_key text, second_key text, third_key text, period_start date, won_count bigint, lost_count bigint, priced_count bigint, bookings_amount numeric, amount_squares numeric,
	cycle_count bigint, cycle_days bigint, cycle_squares numeric, expected_count bigint, late_count bigint)
LANGUAGE sql
STABLE
AS $$
	SELECT c.first_key, c.second_key, c.third_key, date_trunc(grain, c.closed_on::timestamp)::date,
		count(*) FILTER (WHERE c.outcome = 'won'),
		count(*) FILTER (WHERE c.outcome = 'lost'),
		count(c.amount) FILTER (WHERE c.outcome = 'won'),
		coalesce(sum(c.amount) FILTER (WHERE c.outcome = 'won'), 0),
		coalesce(sum(c.amount * c.amount) FILTER (WHERE c.outcome = 'won'), 0),
		count(*) FILTER (WHERE c.outcome = 'won' AND c.days >= 0),
		coalesce(sum(c.days) FILTER (WHERE c.outcome = 'won' AND c.days >= 0), 0),
		coalesce(sum(c.days::numeric * c.days) FILTER (WHERE c.outcome = 'won' AND c.days >= 0), 0),
		count(*) FILTER (WHERE isfinite(c.expected_close_on)),
		count(*) FILTER (WHERE isfinite(c.expected_close_on) AND c.closed_on > c.expected_close_on)
	FROM (SELECT d.*, CASE WHEN isfinite(d.opened_on) THEN d.closed_on - d.opened_on END AS days
		FROM closed AS d
		WHERE isfinite(d.closed_on) AND d.outcome IN ('won', 'lost')) AS c
	GROUP BY 1, 2, 3, 4
$$;

CREATE FUNCTION tally(grain text) RETURNS SETOF closing_tally
LANGUAGE sql
STABLE
BEGIN ATOMIC
	SELECT t.*
	FROM (SELECT closing_tally_agg(first_key, second_key, third_key, closed_on, outcome, amount, opened_on, expected_close_on, tally.grain) AS tallies FROM closed) AS c
	CROSS JOIN LATERAL unnest(c.tallies) AS t;
END;

SELECT ok(
	(SELECT count(*) FILTER (WHERE amount = 'NaN') > 0 AND count(*) FILTER (WHERE abs(amount) = 'Infinity') > 0 AND count(*) FILTER (WHERE scale(amount) > 4) > 0
		AND count(*) FILTER (WHERE amount IS NULL) > 0 AND count(*) FILTER (WHERE amount < 0) > 0 AND count(*) FILTER (WHERE NOT isfinite(closed_on)) > 0 AND count(*) FILTER (WHERE closed_on IS NULL) > 0
		AND count(*) FILTER (WHERE opened_on > closed_on) > 0 AND count(*) FILTER (WHERE opened_on IS NULL) > 0 AND count(*) FILTER (WHERE NOT isfinite(expected_close_on)) > 0
	 FROM closed),
	'there is something odd of each kind');
SET max_parallel_workers_per_gather = 0;
SELECT set_eq('SELECT * FROM tally(NULL)', 'SELECT * FROM plain(NULL)', 'as plain SQL has it, at any time');
SELECT set_eq(format('SELECT * FROM tally(%L)', grain), format('SELECT * FROM plain(%L)', grain), 'by ' || grain)
FROM unnest('{day,week,month,quarter,year}'::text[]) AS grain;
SELECT results_eq(
	'SELECT first_key, second_key, third_key, period_start FROM tally($$month$$)',
	'SELECT first_key, second_key, third_key, period_start FROM plain($$month$$) ORDER BY first_key COLLATE "C", second_key COLLATE "C", third_key COLLATE "C", period_start',
	'in the order of the keys, as bytes, and of the periods');
SELECT is(
	(SELECT closing_tally_agg(first_key, second_key, third_key, closed_on, outcome, amount, opened_on, expected_close_on, 'quarter' ORDER BY amount, deal_no % 11, closed_on) FROM closed),
	(SELECT closing_tally_agg(first_key, second_key, third_key, closed_on, outcome, amount, opened_on, expected_close_on, 'quarter' ORDER BY opened_on, deal_no) FROM closed),
	'the order of rows does not matter');

-- in parts
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT ok(p ~ '"Partial Mode": "Partial"' AND p ~ '"Node Type": "Gather', 'workers make parts of it')
FROM CAST(fixture.plan_of($$SELECT closing_tally_agg(first_key, second_key, third_key, closed_on, outcome, amount, opened_on, expected_close_on, 'month') FROM closed$$) AS text) AS p;
SELECT set_eq('SELECT * FROM tally($$month$$)', 'SELECT * FROM plain($$month$$)', 'which come to the same');
SELECT results_eq(
	$$SELECT closing_tally_agg(first_key, NULL, NULL, closed_on, outcome, amount, NULL, NULL, NULL) FILTER (WHERE deal_no < 0) IS NULL,
		closing_tally_agg(first_key, NULL, NULL, closed_on, outcome, amount, NULL, NULL, NULL) FILTER (WHERE outcome = 'open') = '{}' FROM closed$$,
	'VALUES (true, true)',
	'in parts, of no row NULL, and of open deals no tally');
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET max_parallel_workers_per_gather;

-- one by one
SELECT is((SELECT closing_tally_agg('a', 'b', 'c', closed_on, outcome, amount, opened_on, expected_close_on, 'day') FROM closed WHERE false), NULL, 'of no row NULL');
SELECT results_eq(
	$$SELECT t.* FROM (SELECT closing_tally_agg('a', NULL, '', '2024-02-29', o, 12.50, '2024-02-19', e, 'quarter') AS tallies FROM (VALUES ('won', '2024-02-29'::date), ('won', '2024-02-28'), ('lost', 'infinity'), (NULL, '2024-01-01')) AS v (o, e)) AS x, unnest(x.tallies) AS t$$,
	$$VALUES ('a', NULL, '', '2024-01-01'::date, 2::bigint, 1::bigint, 2::bigint, 25.00, 312.5000, 2::bigint, 20::bigint, 200::numeric, 2::bigint, 1::bigint)$$,
	'a lost deal has neither an amount nor a cycle here, and no deal closes late on the day');
SELECT is(
	(SELECT (closing_tally_agg('a', NULL, NULL, '5874897-12-31', 'won', 1, '4714-11-24 BC', NULL, NULL))[1].cycle_squares),
	('5874897-12-31'::date - '4714-11-24 BC'::date)::numeric * ('5874897-12-31'::date - '4714-11-24 BC'::date), 'from the first day of all to the last');
SELECT is(
	(SELECT (closing_tally_agg('a', NULL, NULL, '2024-01-01', 'won', 999999999999.9999, NULL, NULL, NULL))[1].amount_squares FROM generate_series(1, 1800000)),
	1800000 * 999999999999.9999 * 999999999999.9999, 'the sum of squares is exact also where 128 bits do not hold it');
SELECT results_eq(
	$$SELECT n, (closing_tally_agg('a', NULL, NULL, DATE '2024-01-01' + n, 'won', n, NULL, NULL, NULL) OVER (ORDER BY n))[1].bookings_amount FROM generate_series(1, 100) AS n$$,
	$$SELECT n, sum(n::numeric) OVER (ORDER BY n) FROM generate_series(1, 100) AS n$$,
	'over a window');
SELECT throws_ok($$SELECT closing_tally_agg('a', NULL, NULL, '2024-01-01', 'wonn', 1, NULL, NULL, NULL)$$, '22023', 'unknown deal outcome: "wonn"', 'outcomes are three');
SELECT throws_ok($$SELECT closing_tally_agg('a', NULL, NULL, '2024-01-01', 'won', 1, NULL, NULL, 'Month')$$, '22023', 'unknown grain: "Month"', 'grains are five');

SELECT * FROM finish();
