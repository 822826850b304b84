-- Rollups that other engines keep: materialized views, partitions, windows, continuous aggregates. Whatever is stored and
-- rolled up there equals, by =, what is made of the rows themselves.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

-- every aggregate that makes summaries of rows, and how it is called over a row of deal; cohort_agg takes customers, here one a deal
CREATE TABLE call (aggregate regprocedure PRIMARY KEY, type_name text, arguments text);
INSERT INTO call VALUES
('conversion_agg(boolean)', 'conversion_summary', $$outcome = 'won'$$),
('amount_agg(numeric)', 'amount_summary', 'amount'),
('cycle_agg(text, date, date)', 'cycle_summary', 'outcome, opened_on, closed_on'),
('deal_agg(numeric, text, date, date)', 'deal_summary', 'amount, outcome, opened_on, closed_on'),
('attainment_agg(numeric, numeric)', 'attainment_summary', 'amount, amount * (0.5 + deal_no % 4 * 0.25)'),
('outlook_agg(numeric, double precision)', 'outlook_summary', 'amount, deal_no % 11 * 0.1::float8'),
('closing_agg(date, text, numeric, date, text)', 'closing_summary', $$closed_on, outcome, amount, opened_on, 'week'$$),
('closing_agg(date, text, numeric, date, text, date[])', 'closing_summary', $$closed_on, outcome, amount, opened_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'$$),
('period_agg(date, numeric, text)', 'period_summary', $$opened_on, amount, 'week'$$),
('period_agg(date, numeric, date, date, text)', 'period_summary', $$opened_on, amount, opened_on, closed_on, 'month'$$),
('period_agg(date, numeric, text, date[])', 'period_summary', $$opened_on, amount, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'$$),
('period_agg(date, numeric, date, date, text, date[])', 'period_summary', $$opened_on, amount, opened_on, closed_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'$$),
('cohort_agg(period_summary)', 'cohort_summary', $$period_agg_add(NULL, opened_on, amount, opened_on, closed_on, 'month')$$),
('stage_path_agg(integer, date)', 'stage_path', '(deal_no % 5)::int, opened_on'),
('funnel_agg(stage_path, text, date)', 'funnel_summary', 'fixture.path(opened_on, deal_no), outcome, closed_on'),
('funnel_agg(stage_path, text, date, text)', 'funnel_summary', $$fixture.path(opened_on, deal_no), outcome, closed_on, 'direct'$$);
ALTER TABLE call ADD COLUMN name text, ADD COLUMN n int GENERATED ALWAYS AS IDENTITY;
UPDATE call SET name = split_part(aggregate::text, '(', 1);

-- the fact table: partitioned by the month in which a deal was noted, one of the years further by team
CREATE TABLE deal (
	seed int,
	deal_no bigint,
	noted_on date NOT NULL,
	team_no int NOT NULL,
	rep_no int NOT NULL,
	amount numeric,
	outcome text,
	opened_on date,
	closed_on date
) PARTITION BY RANGE (noted_on);
CREATE TABLE deal_2021 PARTITION OF deal FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE deal_2022 PARTITION OF deal FOR VALUES FROM ('2022-01-01') TO ('2023-01-01') PARTITION BY LIST (team_no);
CREATE TABLE deal_2022_0 PARTITION OF deal_2022 FOR VALUES IN (0);
CREATE TABLE deal_2022_1 PARTITION OF deal_2022 FOR VALUES IN (1, 2);
CREATE TABLE deal_2023 PARTITION OF deal FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE deal_none PARTITION OF deal FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO deal
SELECT seed, deal_no, date '2021-01-01' + (fixture.random('noted', seed * 1009 + deal_no) * 1094)::int, deal_no % 3, deal_no % 7, amount, outcome, opened_on, closed_on
FROM unnest('{1, 2, 3}'::int[]) AS seed, fixture.deals(seed, 500);
ANALYZE deal;

SELECT plan(6 + 11 * count(*)::int + 10) FROM call;

SELECT set_eq(
	$$SELECT signature::text FROM fixture.summary_aggregate$$,
	$$SELECT aggregate::text FROM call$$,
	'every aggregate that makes summaries is tried here: name it in the table call');

-- ---------------------------------------------------------------- what engines ask of an aggregate

-- Of every aggregate that belongs to the extension, in whatever schema. TimescaleDB lets an aggregate into a continuous one
-- if it is no ordered-set nor hypothetical one, has a combine function, and either a state type of its own or, with an
-- internal one, functions that serialise it; and everything in the view must be immutable. PostgreSQL wants the same, and
-- parallel safety, for partial aggregation; Citus a state type that is not internal.
CREATE VIEW extension_aggregate AS
SELECT a.*, p.*, p.oid::regprocedure AS signature
FROM pg_depend AS d
JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'sales_perf'
JOIN pg_aggregate AS a ON a.aggfnoid = d.objid
JOIN pg_proc AS p ON p.oid = a.aggfnoid
WHERE d.classid = 'pg_proc'::regclass
	AND d.refclassid = 'pg_extension'::regclass
	AND d.deptype = 'e';
SELECT is(
	(SELECT count(*) FROM extension_aggregate WHERE prorettype IN (SELECT type_oid FROM fixture.type)),
	(SELECT count(*) FROM call) + (SELECT count(*) FROM fixture.type),
	'these aggregates and one rollup a type are all that make summaries');
SELECT is_empty(
	$$SELECT signature
	  FROM extension_aggregate
	  WHERE aggkind <> 'n' OR aggnumdirectargs <> 0$$,
	'no aggregate is an ordered-set or hypothetical one');
SELECT is_empty(
	$$SELECT signature
	  FROM extension_aggregate
	  WHERE aggcombinefn::oid = 0
		OR aggtranstype = 'internal'::regtype AND (aggserialfn::oid = 0 OR aggdeserialfn::oid = 0)
		OR aggtranstype <> 'internal'::regtype AND (SELECT typsend::oid = 0 OR typreceive::oid = 0 FROM pg_type WHERE oid = aggtranstype)$$,
	'they combine, and their states can be sent');
SELECT is_empty(
	$$SELECT a.signature, p.oid::regprocedure
	  FROM extension_aggregate AS a
	  JOIN pg_proc AS p ON p.oid IN (a.aggfnoid, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
	  WHERE p.proparallel <> 's' OR p.prokind <> 'a' AND p.provolatile <> 'i'$$,
	'they and the functions they are made of are parallel safe, and these are immutable');
SELECT is_empty(
	$$SELECT a.signature, t.oid::regtype
	  FROM extension_aggregate AS a
	  JOIN pg_type AS t ON t.oid = a.aggtranstype
	  WHERE (t.typtype = 'p' OR a.prorettype <> a.aggtranstype OR a.aggfinalextra)
		AND a.proname NOT IN ('purchase_history_agg', 'closing_tally_agg')$$,
	'the state has a type that can be stored, and it is that of the result, but for the two that serve reports of the mart alone');

-- ---------------------------------------------------------------- materialized views

SELECT format('CREATE MATERIALIZED VIEW cells_%s AS SELECT noted_on, team_no, rep_no, %s(%s) AS s FROM deal GROUP BY noted_on, team_no, rep_no', n, name, arguments),
	format('CREATE UNIQUE INDEX ON cells_%s (noted_on, team_no, rep_no)', n)
FROM call
ORDER BY n
\gexec

-- the keys of which two queries give summaries that are not equal, or that only one of them has
CREATE FUNCTION differences(stored text, direct text)
RETURNS SETOF text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT coalesce(a.key, b.key) FROM (%s) AS a FULL JOIN (%s) AS b USING (key) WHERE (a.s = b.s) IS NOT TRUE', stored, direct);
END
$$;

SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT rep_no::text AS key, rollup(s) AS s FROM cells_%s GROUP BY rep_no', n),
		format('SELECT rep_no::text AS key, %s(%s) AS s FROM deal GROUP BY rep_no', name, arguments)),
	aggregate || ': a materialized view rolled up by rep')
FROM call ORDER BY n;

SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT concat_ws(%L, extract(year FROM noted_on), extract(quarter FROM noted_on), team_no, grouping(extract(year FROM noted_on), extract(quarter FROM noted_on), team_no)) AS key, rollup(s) AS s
			FROM cells_%s GROUP BY CUBE (extract(year FROM noted_on), extract(quarter FROM noted_on), team_no)', '/', n),
		format('SELECT concat_ws(%L, extract(year FROM noted_on), extract(quarter FROM noted_on), team_no, grouping(extract(year FROM noted_on), extract(quarter FROM noted_on), team_no)) AS key, %s(%s) AS s
			FROM deal GROUP BY CUBE (extract(year FROM noted_on), extract(quarter FROM noted_on), team_no)', '/', name, arguments)),
	aggregate || ': by every combination of year, quarter and team')
FROM call ORDER BY n;

SELECT is_empty(
	format('SELECT rollup(s) FROM cells_%1$s WHERE rep_no > 3 HAVING (rollup(s) = (SELECT %2$s(%3$s) FROM deal WHERE rep_no > 3)) IS NOT TRUE', n, name, arguments),
	aggregate || ': and as a whole, filtered by what cells are keyed by')
FROM call ORDER BY n;

-- the facts change; refreshed in both ways
UPDATE deal SET amount = amount + 0.01, outcome = 'lost' WHERE deal_no % 10 = 1;
DELETE FROM deal WHERE deal_no % 10 = 2;
UPDATE deal SET noted_on = noted_on + 200 WHERE deal_no % 10 = 3 AND noted_on < '2023-06-01';

SELECT isnt_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT concat_ws(%L, noted_on, team_no, rep_no) AS key, s FROM cells_%s', '/', n),
		format('SELECT concat_ws(%L, noted_on, team_no, rep_no) AS key, %s(%s) AS s FROM deal GROUP BY noted_on, team_no, rep_no', '/', name, arguments)),
	aggregate || ': a materialized view that is out of date is seen to be')
FROM call ORDER BY n;
SELECT format('REFRESH MATERIALIZED VIEW %s cells_%s', CASE WHEN n % 2 = 0 THEN 'CONCURRENTLY' END, n)
FROM call
\gexec
SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT concat_ws(%L, noted_on, team_no, rep_no) AS key, s FROM cells_%s', '/', n),
		format('SELECT concat_ws(%L, noted_on, team_no, rep_no) AS key, %s(%s) AS s FROM deal GROUP BY noted_on, team_no, rep_no', '/', name, arguments)),
	aggregate || ': refreshed, ' || CASE WHEN n % 2 = 0 THEN 'concurrently, ' ELSE '' END || 'it holds what the rows give, cell by cell')
FROM call ORDER BY n;
-- a second refresh has nothing to do, which it finds out by comparing bytes
SELECT format('REFRESH MATERIALIZED VIEW CONCURRENTLY cells_%s', n)
FROM call
\gexec
SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT rep_no::text AS key, rollup(s) AS s FROM cells_%s GROUP BY rep_no', n),
		format('SELECT rep_no::text AS key, %s(%s) AS s FROM deal GROUP BY rep_no', name, arguments)),
	aggregate || ': refreshed, it rolls up as before')
FROM call ORDER BY n;

-- ---------------------------------------------------------------- partitions, several processes

-- the same rows in one heap, aggregated by one process without any parts: what all plans must equal
CREATE TABLE plain WITH (parallel_workers = 0) AS TABLE deal;
CREATE FUNCTION parts_of(query text)
RETURNS TABLE (partial bigint, whole bigint, workers int)
LANGUAGE sql
AS $$
	WITH node AS (
		SELECT jsonb_path_query(fixture.plan_of(query), 'strict $.**.Plan') AS node
		UNION ALL
		SELECT jsonb_path_query(fixture.plan_of(query), 'strict $.**.Plans[*]')
	)
	SELECT count(*) FILTER (WHERE node ->> 'Partial Mode' = 'Partial'),
		count(*) FILTER (WHERE node ->> 'Partial Mode' = 'Simple'),
		max((node ->> 'Workers Planned')::int)
	FROM node
$$;

SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT cmp_ok(
	(SELECT partial FROM parts_of(format('SELECT rep_no, %s(%s) FROM deal GROUP BY rep_no', name, arguments))), '>=', 5::bigint,
	aggregate || ': every partition is aggregated for itself, then combined')
FROM call ORDER BY n;
SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT rep_no::text AS key, %s(%s) AS s FROM deal GROUP BY rep_no', name, arguments),
		format('SELECT rep_no::text AS key, %s(%s) AS s FROM plain GROUP BY rep_no', name, arguments)),
	aggregate || ': the same by rep, whose deals lie in all partitions')
FROM call ORDER BY n;
SELECT cmp_ok(
	(SELECT whole FROM parts_of('SELECT noted_on, deal_agg(amount, outcome, opened_on, closed_on) FROM deal GROUP BY noted_on')), '>=', 3::bigint,
	'grouped by the key of the partitions, each is done with in one go');

SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT cmp_ok(
	(SELECT workers FROM parts_of('SELECT rep_no, deal_agg(amount, outcome, opened_on, closed_on) FROM deal GROUP BY rep_no')), '>=', 1,
	'the plans that follow are for several processes');
SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT rep_no::text AS key, %s(%s) AS s FROM deal GROUP BY rep_no', name, arguments),
		format('SELECT rep_no::text AS key, %s(%s) AS s FROM plain GROUP BY rep_no', name, arguments)),
	aggregate || ': the same by several processes')
FROM call ORDER BY n;
SELECT is_empty(
	format('SELECT differences(%L, %L)',
		format('SELECT concat_ws(%L, noted_on, team_no) AS key, %s(%s) AS s FROM deal GROUP BY noted_on, team_no', '/', name, arguments),
		format('SELECT concat_ws(%L, noted_on, team_no) AS key, %s(%s) AS s FROM plain GROUP BY noted_on, team_no', '/', name, arguments)),
	aggregate || ': and by the key of the partitions')
FROM call ORDER BY n;

-- cells that are partitioned themselves, one partition a year, rolled up by several processes
CREATE TABLE cells (noted_on date, rep_no int, s deal_summary) PARTITION BY RANGE (noted_on);
SELECT format('CREATE TABLE cells_of_%1$s PARTITION OF cells FOR VALUES FROM (%2$L) TO (%3$L)', y, make_date(y, 1, 1), make_date(y + 1, 1, 1))
FROM generate_series(2021, 2023) AS y
\gexec
INSERT INTO cells
SELECT noted_on, rep_no, deal_agg(amount, outcome, opened_on, closed_on)
FROM deal
GROUP BY noted_on, rep_no;
ANALYZE cells;
SELECT cmp_ok(partial, '>=', 3::bigint, 'cells in partitions are rolled up for themselves, then combined')
FROM parts_of('SELECT rep_no, rollup(s) FROM cells GROUP BY rep_no');
SELECT is_empty(
	$$SELECT differences(
		'SELECT rep_no::text AS key, rollup(s) AS s FROM cells GROUP BY rep_no',
		'SELECT rep_no::text AS key, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM plain GROUP BY rep_no')$$,
	'and give what the rows give');
RESET ALL;
SET search_path = public, sales_perf;
SET client_min_messages = warning;

-- ---------------------------------------------------------------- windows over stored summaries

-- twelve moving months of a rep, out of cells by day: months are rolled up, and the window takes back what leaves it
SELECT is_empty(
	format($$
		WITH month AS (
			SELECT rep_no, date_trunc('month', noted_on::timestamp) AS month, rollup(s) AS s
			FROM cells_%1$s
			GROUP BY 1, 2
		), moving AS (
			SELECT rep_no, month, rollup(s) OVER (PARTITION BY rep_no ORDER BY month RANGE BETWEEN interval '11 months' PRECEDING AND CURRENT ROW) AS s
			FROM month
		)
		SELECT moving.rep_no, moving.month
		FROM moving
		WHERE (s = (
			SELECT %2$s(%3$s)
			FROM plain
			WHERE plain.rep_no = moving.rep_no AND noted_on < month + interval '1 month' AND noted_on >= month - interval '11 months')) IS NOT TRUE$$,
		n, name, arguments),
	aggregate || ': twelve moving months of cells')
FROM call ORDER BY n;

-- other frames, of months of deals: running, to come, neighbours, and all but one
CREATE TABLE month AS
SELECT date_trunc('month', noted_on::timestamp) AS month, rollup(s) AS s
FROM cells
GROUP BY 1;
CREATE VIEW moving AS
SELECT month,
	rollup(s) OVER (ORDER BY month) AS so_far,
	rollup(s) OVER (ORDER BY month ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS to_come,
	rollup(s) OVER (ORDER BY month GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS neighbours,
	rollup(s) OVER (ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS others,
	rollup(s) FILTER (WHERE extract(month FROM month) IN (1, 4, 7, 10)) OVER (ORDER BY month ROWS 5 PRECEDING) AS first_months
FROM month;
SELECT cmp_ok(count(*), '>=', 36::bigint, 'months to move over') FROM moving;
SELECT is_empty(
	format($$
		SELECT moving.month
		FROM moving
		WHERE (%s = (
			SELECT deal_agg(amount, outcome, opened_on, closed_on)
			FROM (SELECT *, date_trunc('month', noted_on::timestamp) AS month FROM plain) AS d
			WHERE %s)) IS NOT TRUE$$,
		frame, rows_of_it),
	'moving over cells: ' || frame)
FROM (VALUES
	('so_far', 'd.month <= moving.month'),
	('to_come', 'd.month >= moving.month'),
	('neighbours', $$d.month BETWEEN moving.month - interval '1 month' AND moving.month + interval '1 month'$$),
	('others', 'd.month <> moving.month'),
	('first_months', $$d.month <= moving.month AND d.month >= moving.month - interval '5 months' AND extract(month FROM d.month) IN (1, 4, 7, 10)$$)) AS f (frame, rows_of_it);
SELECT * FROM finish();
