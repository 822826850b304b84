-- closing_summary against plain SQL's count, sum and date_trunc, and against the deal_agg of each period.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

SELECT plan(53);

-- Calendars: everyday's, months of 4, 4 and 5 weeks, and pieces of time of any length. What is given ends with the day
-- behind the last period.
CREATE TABLE calendar (name text PRIMARY KEY, grain text, starts date[]);
INSERT INTO calendar
SELECT grain, grain, NULL
FROM unnest('{day, week, month, quarter, year}'::text[]) AS grain;
INSERT INTO calendar
SELECT '4-4-5', 'month', array_agg(date '2022-01-02' + 7 * (week + 13 * quarter) ORDER BY quarter, week)
FROM generate_series(0, 15) AS quarter, unnest('{0, 4, 8}'::int[]) AS week;
INSERT INTO calendar VALUES
('pieces', 'month', '{2023-03-15, 2023-03-16, 2023-04-01, 2023-11-30, 2023-12-01, 2024-02-29, 2024-03-01, 2024-06-30}');

-- Deals with all that is odd; and those that closed on an ordinary day, in each calendar that has the day.
CREATE TABLE deal AS
SELECT seed, deal_no, deal_no % 7 AS rep_no, amount, outcome, opened_on, closed_on
FROM generate_series(1, 12) AS seed, fixture.deals(seed, 250);
CREATE TABLE closed AS
SELECT c.*, d.*,
	CASE
		WHEN c.starts IS NULL THEN date_trunc(c.grain, d.closed_on::timestamp)::date
		ELSE (SELECT max(start) FROM unnest(c.starts) AS start WHERE start <= d.closed_on)
	END AS period_start
FROM deal AS d
JOIN calendar AS c ON c.starts IS NULL OR d.closed_on >= c.starts[1] AND d.closed_on < c.starts[cardinality(c.starts)]
WHERE d.closed_on BETWEEN '1900-01-01' AND '2100-01-01';
ANALYZE closed;

-- What closing_values is to give, from nothing but plain SQL: of some deals of a seed, by number.
CREATE FUNCTION plain(of_name text, of_seed int, from_no bigint, to_no bigint)
RETURNS TABLE (period_start date, won_count bigint, lost_count bigint, unpriced_count bigint, cycle_count bigint, cycle_days bigint, bookings_amount numeric, lost_amount numeric)
LANGUAGE sql
STABLE
AS $$
	SELECT period_start,
		count(*) FILTER (WHERE outcome = 'won'),
		count(*) FILTER (WHERE outcome = 'lost'),
		count(*) FILTER (WHERE outcome = 'won' AND amount IS NULL),
		count(*) FILTER (WHERE outcome = 'won' AND isfinite(opened_on) AND opened_on <= closed_on),
		COALESCE(sum(closed_on - opened_on) FILTER (WHERE outcome = 'won' AND isfinite(opened_on) AND opened_on <= closed_on), 0),
		COALESCE(sum(amount) FILTER (WHERE outcome = 'won'), 0),
		COALESCE(sum(amount) FILTER (WHERE outcome = 'lost'), 0)
	FROM closed
	WHERE name = of_name
		AND seed = of_seed
		AND deal_no BETWEEN from_no AND to_no
		AND outcome IN ('won', 'lost')
	GROUP BY period_start
$$;
-- the periods in which it says something else
CREATE FUNCTION differences(s closing_summary, of_name text, of_seed int, from_no bigint DEFAULT 1, to_no bigint DEFAULT 250)
RETURNS TABLE (period_start date, ours text)
LANGUAGE sql
STABLE
AS $$
	WITH ours AS MATERIALIZED (
		SELECT v.* FROM calendar, closing_values(s, starts) AS v WHERE name = of_name
	), theirs AS MATERIALIZED (
		SELECT * FROM plain(of_name, of_seed, from_no, to_no)
	)
	SELECT d.period_start, (SELECT o::text FROM ours AS o WHERE o.period_start = d.period_start)
	FROM ((TABLE ours EXCEPT TABLE theirs) UNION (TABLE theirs EXCEPT TABLE ours)) AS d
$$;

SELECT is_empty(
	$$SELECT c.name
	  FROM calendar AS c, generate_series(1, 12) AS seed, plain(c.name, seed, 1, 250) AS p
	  GROUP BY c.name
	  HAVING LEAST(sum(won_count), sum(lost_count), sum(unpriced_count), sum(cycle_count), sum(won_count - cycle_count), sum(cycle_days)) < 10
		OR count(*) FILTER (WHERE bookings_amount = 'NaN') = 0
		OR count(*) FILTER (WHERE scale(lost_amount) > 20) = 0
		OR count(*) < 30$$,
	'there is something of every kind to compare');

SELECT is_empty(
	format($$
		SELECT seed, d.*
		FROM (
			SELECT seed, closing_agg(closed_on, outcome, amount, opened_on, %2$L%3$s) AS s
			FROM closed
			WHERE name = %1$L
			GROUP BY seed
		) AS x
		CROSS JOIN LATERAL differences(s, %1$L, seed) AS d$$,
		name, grain, ', ' || quote_literal(starts) || '::date[]'),
	name || ': deals, cycles, their days and amounts equal plain SQL, period by period')
FROM calendar;
SELECT is_empty(
	format($$
		SELECT v, p
		FROM (
			SELECT closing_agg(closed_on, outcome, amount, opened_on, %2$L, %3$L) AS s
			FROM closed
			WHERE name = %1$L
		) AS x
		CROSS JOIN LATERAL closing_values(s, %3$L) AS v
		FULL JOIN (
			SELECT period_start, deal_agg(amount, outcome, opened_on, closed_on) AS deals
			FROM closed
			WHERE name = %1$L AND outcome IN ('won', 'lost')
			GROUP BY period_start
		) AS p USING (period_start)
		WHERE (v.won_count, v.lost_count, v.unpriced_count, v.cycle_count, v.bookings_amount, v.lost_amount)
			IS DISTINCT FROM (won_count(deals), lost_count(deals), unpriced_count(deals), cycle_count(deals), bookings_amount(deals), lost_amount(deals))
			OR v.cycle_days::float8 / NULLIF(v.cycle_count, 0) IS DISTINCT FROM cycle_average(deals)$$,
		name, grain, starts),
	name || ': and the deal_agg of each period')
FROM calendar;
SELECT is_empty(
	$$SELECT ours, theirs
	  FROM (
		SELECT v.bookings_amount::text AS ours, sum(d.amount)::text AS theirs
		FROM (SELECT closing_agg(closed_on, outcome, amount, opened_on, grain) AS s FROM closed WHERE seed % 3 = 1 AND name = 'month') AS x
		CROSS JOIN LATERAL closing_values(s) AS v
		JOIN closed AS d ON d.seed % 3 = 1 AND d.name = 'month' AND d.outcome = 'won' AND d.period_start = v.period_start
		GROUP BY v.period_start, v.bookings_amount
	  ) AS shown
	  WHERE ours IS DISTINCT FROM theirs$$,
	'amounts are shown as sum(amount) shows them');

-- what adds up
SELECT is_empty(
	format($$
		SELECT w.seed, w.deal_no, d.*
		FROM (
			SELECT seed, deal_no, closing_agg(closed_on, outcome, amount, opened_on, grain, starts) OVER (PARTITION BY seed ORDER BY deal_no RANGE BETWEEN 70 PRECEDING AND 10 PRECEDING) AS s
			FROM closed
			WHERE name = %1$L
		) AS w
		CROSS JOIN LATERAL differences(s, %1$L, seed, deal_no - 70, deal_no - 10) AS d
		WHERE deal_no %% 10 = 0$$,
		name),
	name || ': a moving frame equals plain SQL over it, NaN and digits after the point forgotten when they have left')
FROM calendar
WHERE name IN ('month', 'pieces');
SELECT is_empty(
	format($$
		SELECT seed, d.*
		FROM (
			SELECT seed, closing_agg(closed_on, outcome, amount, opened_on, grain, starts) - closing_agg(closed_on, outcome, amount, opened_on, grain, starts) FILTER (WHERE deal_no <= 90) AS s
			FROM closed
			WHERE name = %1$L
			GROUP BY seed
		) AS x
		CROSS JOIN LATERAL differences(s, %1$L, seed, 91) AS d$$,
		name),
	name || ': minus takes deals back')
FROM calendar
WHERE name IN ('month', 'pieces');
SELECT is_empty(
	$$SELECT seed
	  FROM (SELECT seed, rep_no, closing_agg(closed_on, outcome, amount, opened_on, 'week') AS s FROM deal GROUP BY seed, rep_no) AS of_rep
	  GROUP BY GROUPING SETS ((seed), ())
	  HAVING (rollup(s) = (SELECT closing_agg(closed_on, outcome, amount, opened_on, 'week') FROM deal WHERE of_rep.seed IS NULL OR deal.seed = of_rep.seed)) IS NOT TRUE$$,
	'reps add up to the whole');
SELECT is_empty(
	$$SELECT seed, deal_no
	  FROM deal
	  WHERE closing_agg_remove(closing_agg_add(NULL, closed_on, outcome, amount, opened_on, 'day'), closed_on, outcome, amount, opened_on, 'day') <> fixture.closing_summary(1)$$,
	'a deal added and taken back leaves nothing');

-- in no period
SELECT is_empty(
	$$SELECT seed
	  FROM (
		SELECT seed, closing_agg(closed_on, outcome, amount, opened_on, 'year') AS s, count(*) AS deals,
			count(*) FILTER (WHERE outcome = 'open' OR outcome IS NULL) AS open,
			count(*) FILTER (WHERE outcome IN ('won', 'lost') AND isfinite(closed_on) IS NOT TRUE) AS undated
		FROM deal
		GROUP BY seed
	  ) AS d
	  WHERE LEAST(open, undated) = 0
		OR (open_count(s), undated_count(s)) IS DISTINCT FROM (open, undated)
		OR (SELECT sum(won_count + lost_count) FROM closing_values(s)) IS DISTINCT FROM deals - open - undated$$,
	'deals are open, without a day, or in a period');
SELECT results_eq(
	$$SELECT open_count(s), undated_count(s), (SELECT array_agg(v::text) FROM closing_values(s) AS v)
	  FROM (SELECT closing_agg(closed_on, outcome, amount, '2024-01-01', 'year') AS s
		FROM (VALUES ('open', date '2024-03-01', 1::numeric), (NULL, '2024-03-01', 2), ('open', 'infinity', 3), ('open', NULL, NULL),
			('won', NULL, 4), ('lost', 'infinity', 5), ('won', '-infinity', NULL), ('lost', '2024-03-01', NULL)) AS d (outcome, closed_on, amount)) AS x$$,
	$$VALUES (4::bigint, 3::bigint, '{"(2024-01-01,0,1,0,0,0,0,0)"}'::text[])$$,
	'the day on which an open deal is expected to close is no matter; a lost one without an amount does not count as unpriced');
SELECT is_empty($$SELECT * FROM closing_values(NULL)$$, 'of NULL there are no rows');
SELECT is_empty($$SELECT * FROM closing_values((SELECT closing_agg(closed_on, outcome, amount, opened_on, 'day') FROM deal WHERE false))$$, 'nor of the summary of nothing');
SELECT is_empty($$SELECT * FROM closing_values((SELECT closing_agg(NULL, outcome, amount, opened_on, 'day') FROM deal))$$, 'nor where no deal has a day');
SELECT is(ARRAY[open_count(s), undated_count(s)], '{0,0}', 'and of nothing none is open or undated')
FROM (SELECT closing_agg(closed_on, outcome, amount, opened_on, 'day') AS s FROM deal WHERE false) AS x;
SELECT is(
	(SELECT array_agg(ROW(is_valid(- s), open_count(- s), undated_count(- s), (SELECT count(*) FROM closing_values(- s)))::text)
		FROM (SELECT closing_agg(closed_on, outcome, amount, opened_on, 'month') AS s FROM deal) AS x),
	'{"(f,,,0)"}', 'a summary below the empty one says nothing');

-- cycles: from opening to closing, of won deals
SELECT results_eq(
	$$SELECT v.won_count, v.lost_count, v.cycle_count, v.cycle_days
	  FROM (SELECT closing_agg('2024-01-10', outcome, 1, opened_on, 'day') AS s
		FROM (VALUES ('won', date '2024-01-10'), ('won', '2024-01-07'), ('won', '2023-12-31'), ('won', '2024-01-11'), ('won', NULL), ('won', 'infinity'),
			('won', '-infinity'), ('lost', '2024-01-01')) AS d (outcome, opened_on)) AS x,
		closing_values(s) AS v$$,
	$$VALUES (7::bigint, 1::bigint, 3::bigint, 13::bigint)$$,
	'a deal may be won on the day it was opened, not before; without a day of opening it has no cycle; lost ones have none');
SELECT results_eq(
	$$SELECT grain, v.period_start, v.cycle_days
	  FROM calendar, unnest('{4713-01-01 BC, 0001-12-31 BC, 0001-01-01, 1999-12-31, 2000-02-29, 2024-12-30}'::date[]) AS day,
		LATERAL closing_values(closing_agg_add(NULL, day, 'won', 1, '4714-11-24 BC', grain)) AS v
	  WHERE starts IS NULL
	  ORDER BY grain, day$$,
	$$SELECT grain, greatest(date_trunc(grain, day::timestamp)::date, '4714-11-24 BC'), (day - date '4714-11-24 BC')::bigint
	  FROM calendar, unnest('{4713-01-01 BC, 0001-12-31 BC, 0001-01-01, 1999-12-31, 2000-02-29, 2024-12-30}'::date[]) AS day
	  WHERE starts IS NULL
	  ORDER BY grain, day$$,
	'days of all kinds');
SELECT results_eq(
	$$SELECT v.period_start, v.cycle_count, v.cycle_days
	  FROM calendar, closing_values(closing_agg_add(NULL, '5874897-12-31', 'won', 1, '4714-11-24 BC', grain)) AS v
	  WHERE starts IS NULL
	  ORDER BY 1$$,
	$$SELECT start, 1::bigint, (date '5874897-12-31' - date '4714-11-24 BC')::bigint
	  FROM unnest('{5874897-01-01, 5874897-10-01, 5874897-12-01, 5874897-12-30, 5874897-12-31}'::date[]) AS start$$,
	'up to the longest cycle that there can be');

-- amounts of all kinds and sizes
CREATE FUNCTION amounts(outcomes text[], amounts numeric[])
RETURNS text
LANGUAGE sql
AS $$
	SELECT string_agg(concat_ws(', ', bookings_amount, lost_amount), '; ')
	FROM closing_values((SELECT closing_agg('2024-01-01', outcome, amount, NULL, 'day') FROM unnest(outcomes, amounts) AS d (outcome, amount)))
$$;
SELECT is(amounts('{won, won, lost}', '{1.5, NaN, 2}'), 'NaN, 2.0', 'NaN adds up to NaN, and leaves other amounts alone');
SELECT is(amounts('{lost, lost, won}', '{1, Infinity, -Infinity}'), '-Infinity, Infinity', 'infinity to infinity');
SELECT is(amounts('{lost, lost, won}', '{-Infinity, Infinity, -3}'), '-3, NaN', 'both infinities to NaN, as with sum');
SELECT is(amounts('{won, won, won, lost, lost}', ARRAY[1e40, 0.5, -1e40, 1e-30, 1]), '0.500000000000000000000000000000, 1.000000000000000000000000000001', 'small and large ones exactly');
SELECT results_eq(
	$$SELECT v.*
	  FROM closing_values((
		SELECT closing_agg(date '2024-01-01' + n % 3, CASE WHEN n % 2 = 0 THEN 'won' ELSE 'lost' END, (999999999999.9999 + n * 0.0001) * (1 - n % 7), '4714-11-24 BC', 'day')
		FROM generate_series(0, 40000) AS n)) AS v$$,
	$$SELECT date '2024-01-01' + n % 3, count(*) FILTER (WHERE n % 2 = 0), count(*) FILTER (WHERE n % 2 = 1), bigint '0', count(*) FILTER (WHERE n % 2 = 0),
		sum(date '2024-01-01' + n % 3 - date '4714-11-24 BC') FILTER (WHERE n % 2 = 0),
		sum((999999999999.9999 + n * 0.0001) * (1 - n % 7)) FILTER (WHERE n % 2 = 0), sum((999999999999.9999 + n * 0.0001) * (1 - n % 7)) FILTER (WHERE n % 2 = 1)
	  FROM generate_series(0, 40000) AS n
	  GROUP BY n % 3
	  ORDER BY n % 3$$,
	'sums of more than 64 bits too');

-- as many of the longest cycles as a bigint can say the days of, and twice as many
CREATE FUNCTION times(s closing_summary, n int)
RETURNS closing_summary
LANGUAGE sql
RETURN (SELECT rollup(x) FROM unnest(array_fill(s, ARRAY[n])) AS x);
CREATE TABLE many AS
SELECT times(times(times(closing_agg_add(NULL, '5874897-12-31', 'won', 999999999999.9999, '4714-11-24 BC', 'year'), 2000), 2000), 1000) AS s;
SELECT results_eq(
	$$SELECT won_count, cycle_count, cycle_days, bookings_amount FROM many, closing_values(s)$$,
	$$VALUES (4000000000, 4000000000, (date '5874897-12-31' - date '4714-11-24 BC') * 4000000000, 999999999999.9999 * 4000000000)$$,
	'counts and days of more than 32 bits are carried');
SELECT is(ARRAY[is_valid(s), is_valid(s + s), s + s - s = s, EXISTS (SELECT FROM closing_values(s + s))], '{t,f,t,f}',
	'more days than 64 bits hold are not valid, and can be taken back')
FROM many;

-- windows of days: some that overlap, the same day twice, one that ends before it begins, and all days
CREATE TABLE some_windows AS
SELECT '{2023-01-01,2023-03-15,2023-03-15,2023-06-01,2024-01-01,-infinity,1900-01-01}'::date[] AS first_days,
	'{2023-07-01,2023-03-16,2023-12-01,2023-06-01,2023-01-01,infinity,1950-01-01}'::date[] AS end_days;
CREATE TABLE of_calendar AS
SELECT name, seed, starts, closing_agg(closed_on, outcome, amount, opened_on, grain, starts) AS s
FROM closed
GROUP BY name, seed, starts;
SELECT set_eq(
	$$SELECT c.name, c.seed, w.* FROM of_calendar AS c CROSS JOIN some_windows AS d CROSS JOIN LATERAL closing_window_values(c.s, d.first_days, d.end_days, c.starts) AS w$$,
	$$SELECT c.name, c.seed, no::integer AS window_no, coalesce(sum(v.won_count), 0)::bigint AS won, coalesce(sum(v.lost_count), 0)::bigint AS lost, coalesce(sum(v.unpriced_count), 0)::bigint AS unpriced,
		coalesce(sum(v.cycle_count), 0)::bigint AS cycles, coalesce(sum(v.cycle_days), 0)::bigint AS days, coalesce(sum(v.bookings_amount), 0) AS bookings, coalesce(sum(v.lost_amount), 0) AS lost_amount
	  FROM of_calendar AS c
	  CROSS JOIN some_windows AS d
	  CROSS JOIN LATERAL ROWS FROM (unnest(d.first_days), unnest(d.end_days)) WITH ORDINALITY AS w (first_day, end_day, no)
	  LEFT JOIN LATERAL closing_values(c.s, c.starts) AS v ON v.period_start >= w.first_day AND v.period_start < w.end_day
	  GROUP BY 1, 2, 3$$,
	'windows hold the periods that start in them');
SELECT results_eq(
	$$SELECT w.* FROM closing_window_values(NULL, '{2024-01-01,2024-02-01}', '{2024-03-01,2024-03-01}') AS w$$,
	$$VALUES (1, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::numeric, 0::numeric), (2, 0, 0, 0, 0, 0, 0, 0)$$,
	'of no summary they hold nothing');
SELECT is_empty($$SELECT * FROM many, closing_window_values(s, '{}', NULL)$$, 'no window, no row');
SELECT throws_ok($$SELECT closing_window_values(NULL, '{2024-01-01}', '{2024-01-01,2024-02-01}')$$, '2202E', 'there are 1 first_days and 2 end_days', 'a window has two ends');
SELECT throws_ok($$SELECT closing_window_values(NULL, '{2024-01-01,NULL}', '{2024-01-01,2024-02-01}')$$, '2202E', 'first_days must be one-dimensional and hold no nulls', 'and they are known');
SELECT throws_ok(
	$$SELECT closing_window_values(s + (SELECT times(times(times(closing_agg_add(NULL, '5874896-12-31', 'won', 1, '4714-11-24 BC', 'year'), 2000), 2000), 1000)), '{-infinity}', '{infinity}') FROM many$$,
	'22003', 'bigint out of range', 'more days than 64 bits hold are said');

-- what is refused
SELECT throws_ok($$SELECT closing_agg('2024-01-01', 'lots', 1, NULL, 'month')$$, '22023', 'unknown deal outcome: "lots"', 'an unknown outcome is named');
SELECT throws_ok($$SELECT closing_agg(NULL, 'open', NULL, NULL, 'fortnight')$$, '22023', 'unknown grain: "fortnight"', 'and an unknown grain, of open deals too');
SELECT throws_ok($$SELECT closing_agg('2024-01-01', 'won', 1, NULL, NULL)$$, '22004', 'grain must not be null', 'there must be one');
SELECT throws_ok($$SELECT closing_agg('2024-01-01', 'won', 1, NULL, g) FROM unnest('{month, week}'::text[]) AS g$$, '22023', 'cannot mix grain "month" and "week" in one closing_summary', 'grains are not mixed in a group');
SELECT throws_ok($$SELECT rollup(s) FROM (SELECT closing_agg('2024-01-01', 'won', 1, NULL, g) AS s FROM unnest('{month, week}'::text[]) AS g GROUP BY g) AS x$$, '22023', NULL, 'nor by rollup');
SELECT throws_ok($$SELECT closing_agg('2024-01-01', 'won', 1, NULL, 'month', '{2024-02-01, 2024-01-01}')$$, '22023', 'period_starts must ascend', 'first days that do not ascend are refused');
SELECT throws_ok($$SELECT closing_values(s, '{2024-02-01, 2024-01-01}') FROM closing_agg_add(NULL, '2024-01-01', 'won', 1, NULL, 'month') AS s$$, '22023', 'period_starts must ascend', 'where they are given to read it, too');
SELECT throws_ok(
	$$SELECT closing_agg_add('{"open": 0, "undated": 0, "grain": "day", "periods": {"points": {"8766": {"won": 1, "lost": 0, "unpriced": 0, "cycles": 0, "won_amount": 1, "lost_amount": 0, "cycle_days": 0}},
		"scales": {"0": 9223372036854775807}}}', '2024-01-01', 'won', 1, NULL, 'day')$$,
	'22003', 'count out of range', 'a full count takes no more');

SELECT * FROM finish();
