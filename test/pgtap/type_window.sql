-- Every aggregate that makes summaries as a moving one: a window of 12 months equals what it is computed anew, byte for byte.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

-- each that takes rows, and how it is called over a deal d
CREATE TABLE call (aggregate regprocedure PRIMARY KEY, arguments text);
INSERT INTO call VALUES
('conversion_agg(boolean)', $$d.outcome = 'won'$$),
('amount_agg(numeric)', $$d.amount$$),
('cycle_agg(text, date, date)', $$d.outcome, d.opened_on, d.closed_on$$),
('deal_agg(numeric, text, date, date)', $$d.amount, d.outcome, d.opened_on, d.closed_on$$),
('attainment_agg(numeric, numeric)', $$d.amount, d.amount * (0.5 + d.deal_no % 4 * 0.25)$$),
('outlook_agg(numeric, double precision)', $$d.amount, d.deal_no % 11 * 0.1::float8$$),
('closing_agg(date, text, numeric, date, text)', $$d.closed_on, d.outcome, d.amount, d.opened_on, 'week'$$),
('closing_agg(date, text, numeric, date, text, date[])', $$d.closed_on, d.outcome, d.amount, d.opened_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'$$),
('period_agg(date, numeric, text)', $$d.opened_on, d.amount, 'week'$$),
('period_agg(date, numeric, date, date, text)', $$d.opened_on, d.amount, d.opened_on, d.closed_on, 'month'$$),
('period_agg(date, numeric, text, date[])', $$d.opened_on, d.amount, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'$$),
('period_agg(date, numeric, date, date, text, date[])', $$d.opened_on, d.amount, d.opened_on, d.closed_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'$$),
('cohort_agg(period_summary)', $$period_agg_add(NULL, d.opened_on, d.amount, d.opened_on, d.closed_on, 'month')$$),
('stage_path_agg(integer, date)', $$(d.deal_no % 5)::int, d.opened_on$$),
('funnel_agg(stage_path, text, date)', $$fixture.path(d.opened_on, d.deal_no), d.outcome, d.closed_on$$),
('funnel_agg(stage_path, text, date, text)', $$fixture.path(d.opened_on, d.deal_no), d.outcome, d.closed_on, 'direct'$$);

SELECT plan(2 + 4 * count(*)::int + (SELECT count(*)::int FROM fixture.type) + 4) FROM call;

SELECT set_eq(
	$$SELECT signature::text FROM fixture.summary_aggregate$$,
	$$SELECT aggregate::text FROM call$$,
	'every aggregate that makes summaries is tried here: name it in the table call');
SELECT is_empty(
	$$SELECT a.aggfnoid::regprocedure
	  FROM pg_aggregate AS a
	  JOIN pg_proc AS p ON p.oid = a.aggfnoid
	  WHERE p.pronamespace = 'sales_perf'::regnamespace
		AND p.prorettype IN (SELECT type_oid FROM fixture.type)
		AND (aggmtransfn <> aggtransfn OR aggminvtransfn = 0 OR aggmtranstype <> aggtranstype OR aggcombinefn = 0
			OR aggtranstype = 'internal'::regtype OR p.proparallel <> 's')$$,
	'each, and rollup, can move, combine and run in parallel, with a state that is no internal one');

-- 40 months, some without a deal, with every kind of amount
CREATE TABLE deal AS
SELECT seed, deal_no, date '2021-01-01' + ((fixture.random('month', deal_no) * 40)::int || ' months')::interval AS month,
	amount, outcome, opened_on, closed_on
FROM unnest('{1, 2, 3}'::int[]) AS seed, fixture.deals(seed, 300)
WHERE (fixture.random('month', deal_no) * 40)::int NOT IN (3, 17, 18, 19);
CREATE TABLE month AS
SELECT (date '2021-01-01' + (i || ' months')::interval) AS month
FROM generate_series(0, 40) AS i;

SELECT is_empty(
	format($$
		WITH moving AS (
			SELECT m.month,
				%1$s(%2$s) FILTER (WHERE d.month IS NOT NULL) OVER last_12 AS s,
				count(*) FILTER (WHERE d.month IS NOT NULL) OVER last_12 AS deals
			FROM month AS m
			LEFT JOIN deal AS d USING (month)
			WINDOW last_12 AS (ORDER BY m.month RANGE BETWEEN interval '11 months' PRECEDING AND CURRENT ROW)
		)
		SELECT moving.month, moving.s::text
		FROM moving
		WHERE fixture.packed(s) IS DISTINCT FROM (
			SELECT fixture.packed(%1$s(%2$s))
			FROM deal AS d
			WHERE d.month <= moving.month AND d.month > moving.month - interval '12 months')$$,
		split_part(aggregate::text, '(', 1), arguments),
	aggregate || ': twelve moving months')
FROM call;

SELECT is_empty(
	format($$
		WITH moving AS (
			SELECT d.month, d.seed, d.deal_no,
				%1$s(%2$s) OVER (PARTITION BY seed ORDER BY deal_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS s
			FROM deal AS d
		)
		SELECT moving.seed, moving.deal_no, moving.s::text
		FROM moving
		WHERE fixture.packed(s) IS DISTINCT FROM (
			SELECT fixture.packed(%1$s(%2$s))
			FROM (
				SELECT *
				FROM deal AS d
				WHERE d.seed = moving.seed AND d.deal_no <= moving.deal_no
				ORDER BY d.deal_no DESC
				LIMIT 12
			) AS d)$$,
		split_part(aggregate::text, '(', 1), arguments),
	aggregate || ': twelve moving rows')
FROM call;

SELECT is_empty(
	format($$
		SELECT m.month
		FROM month AS m
		CROSS JOIN LATERAL (
			SELECT %1$s(%2$s) OVER (ROWS BETWEEN 5 FOLLOWING AND 9 FOLLOWING) AS s, row_number() OVER () AS n, count(*) OVER () AS of_n
			FROM deal AS d
			WHERE d.month = m.month
		) AS w
		WHERE n > of_n - 5 AND fixture.packed(s) IS DISTINCT FROM (SELECT fixture.packed(%1$s(%2$s)) FROM deal AS d WHERE false)$$,
		split_part(aggregate::text, '(', 1), arguments),
	aggregate || ': an empty frame gives the empty summary')
FROM call;

-- The inverse must be the inverse: taking all rows back leaves the empty summary.
SELECT is_empty(
	format($$
		SELECT n
		FROM (
			SELECT %1$s(%2$s) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS s, n, d.seed
			FROM (SELECT *, row_number() OVER (ORDER BY seed, deal_no) AS n FROM deal) AS d
		) AS w
		WHERE n %% 50 = 0 AND fixture.packed(s) IS DISTINCT FROM (
			SELECT fixture.packed(%1$s(%2$s))
			FROM (SELECT *, row_number() OVER (ORDER BY seed, deal_no) AS n FROM deal) AS d
			WHERE d.n >= w.n)$$,
		split_part(aggregate::text, '(', 1), arguments),
	aggregate || ': a window that shrinks')
FROM call;

-- rollup as a moving aggregate, of every type that the catalogue knows
SELECT is_empty(
	format($$
		SELECT w.seed, w.s::text
		FROM (SELECT seed, rollup(s) OVER (ORDER BY seed ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS s FROM fixture.sample_%1$s) AS w
		WHERE fixture.packed(s) IS DISTINCT FROM (
			SELECT fixture.packed(rollup(v.s)) FROM fixture.sample_%1$s AS v WHERE v.seed BETWEEN w.seed - 3 AND w.seed - 1)$$,
		name),
	name || ': a moving rollup')
FROM fixture.type;

-- And against PostgreSQL's own moving aggregates.
SELECT is_empty(
	$$SELECT *
	  FROM (
		SELECT amount_total(amount_agg(amount) OVER last_12) AS total, sum(amount) OVER last_12,
			amount_average(amount_agg(amount) OVER last_12) AS average, avg(amount) OVER last_12,
			amount_stddev(amount_agg(amount) OVER last_12) AS spread, stddev(amount) OVER last_12,
			amount_count(amount_agg(amount) OVER last_12) AS priced, count(amount) OVER last_12
		FROM deal
		WINDOW last_12 AS (PARTITION BY seed ORDER BY deal_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW)
	  ) AS w
	  WHERE total::text IS DISTINCT FROM COALESCE(sum, 0)::text
		OR average::text IS DISTINCT FROM avg::text
		OR spread::text IS DISTINCT FROM stddev::text
		OR priced IS DISTINCT FROM count$$,
	'moving totals, averages and deviations are those of sum, avg and stddev, in display scale too');
SELECT cmp_ok(count(*)::int, '>', 3, 'though NaN or an infinity went in and out of the frame again and again')
FROM (
	SELECT sum(amount) OVER last_12, lag(amount, 12) OVER (PARTITION BY seed ORDER BY deal_no) AS left_frame
	FROM deal
	WINDOW last_12 AS (PARTITION BY seed ORDER BY deal_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW)
) AS w
WHERE left_frame IN ('NaN', 'Infinity', '-Infinity') AND abs(sum) < 'Infinity';
SELECT is_empty(
	$$SELECT *
	  FROM (
		SELECT entered_count(conversion_agg(outcome = 'won') OVER w) AS entered, count(outcome) OVER w AS known,
			converted_count(conversion_agg(outcome = 'won') OVER w) AS converted, count(*) FILTER (WHERE outcome = 'won') OVER w AS won
		FROM deal
		WINDOW w AS (ORDER BY seed, deal_no ROWS BETWEEN 11 PRECEDING AND 2 PRECEDING)
	  ) AS c
	  WHERE entered <> known OR converted <> won$$,
	'moving conversions are counts');
SELECT is_empty(
	$$SELECT deal_no
	  FROM (
		SELECT deal_no, seed, rollup(s) OVER (PARTITION BY seed ORDER BY deal_no ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS s
		FROM (SELECT seed, deal_no, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM deal GROUP BY seed, deal_no) AS d
	  ) AS r
	  WHERE fixture.packed(s) IS DISTINCT FROM (
		SELECT fixture.packed(deal_agg(amount, outcome, opened_on, closed_on))
		FROM (SELECT * FROM deal WHERE deal.seed = r.seed AND deal.deal_no <= r.deal_no ORDER BY deal_no DESC LIMIT 21) AS d)$$,
	'a moving rollup of one-row summaries is a moving aggregate of the rows');

SELECT * FROM finish();
