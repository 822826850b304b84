-- Histograms of every shape against GROUP BY: dense, sparse, with peaks, with keys far out, growing either way;
-- filled in any order, and emptied again.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

-- A key is the days of a closed deal, or the day of opening of an open one, from 2000-01-01 on.
CREATE TABLE shape (name text PRIMARY KEY, key_of text, deals int);
INSERT INTO shape VALUES
('one key', '5', 40000),
('two keys', 'i % 2 * 100000', 15000),
('dense', '(r * 300)::int', 15000),
('dense, with a peak beyond 16 bits', 'CASE WHEN i % 10 = 0 THEN (r * 200)::int ELSE 17 END', 90000),
('dense, the peak first', 'CASE WHEN i < 58000 THEN 1 ELSE (r * 200)::int END', 60000),
('just enough for a window', 'i % 64', 5000),
('one too few for it', 'i % 63', 5000),
('a window with holes', '(i % 200) * 4', 15000),
('a window with wider holes', '(i % 200) * 5', 15000),
('clusters', '(i % 3) * 1000000 + (r * 100)::int', 15000),
('sparse', '(r * 2000000)::int', 15000),
('far and wide', '(r * 2000000000)::int', 5000),
('dense, with a few far out', 'CASE WHEN i % 1000 = 999 THEN 2000000000 - i ELSE (r * 150)::int END', 15000),
('about 28 bits', '(2 ^ (26 + i % 3))::int + i % 5 - 2', 5000),
('growing', 'i', 15000),
('shrinking', '15000 - i', 15000),
('growing both ways', '1000000 + CASE WHEN i % 2 = 0 THEN i ELSE - i END', 15000);

CREATE TABLE deal (shape text, i int, outcome text, key int,
	opened_on date GENERATED ALWAYS AS (CASE WHEN outcome = 'open' THEN date '2000-01-01' + key ELSE date '4713-01-01 BC' END) STORED,
	closed_on date GENERATED ALWAYS AS (date '4713-01-01 BC' + key) STORED);
SELECT format('INSERT INTO deal (shape, i, outcome, key)
	SELECT %L, i, CASE WHEN r2 < 0.6 THEN ''won'' WHEN r2 < 0.8 THEN ''lost'' ELSE ''open'' END, %s
	FROM generate_series(1, %s) AS i, LATERAL (SELECT fixture.random(''key'', i) AS r, fixture.random(''outcome'', i) AS r2) AS d',
	name, key_of, deals)
FROM shape
\gexec
CREATE INDEX ON deal (shape, i);
ANALYZE deal;

-- what cycle_agg should give, as text: the keys and counts in the order of jsonb
CREATE FUNCTION expected(shape_name text, from_deal int, to_deal int)
RETURNS cycle_summary
LANGUAGE sql
AS $$
	WITH bin AS (
		SELECT outcome, key::text, count(*)
		FROM deal
		WHERE shape = shape_name AND i BETWEEN from_deal AND to_deal
		GROUP BY outcome, key
	)
	SELECT jsonb_build_object(
		'undated', 0, 'invalid', 0,
		'won_days', COALESCE(jsonb_object_agg(key, count) FILTER (WHERE outcome = 'won'), '{}'),
		'lost_days', COALESCE(jsonb_object_agg(key, count) FILTER (WHERE outcome = 'lost'), '{}'),
		'open_on', COALESCE(jsonb_object_agg(key, count) FILTER (WHERE outcome = 'open'), '{}'))::text::cycle_summary
	FROM bin
$$;
CREATE TABLE whole AS SELECT name, expected(name, 1, deals) AS s FROM shape;

CREATE AGGREGATE take_back(text, date, date) (SFUNC = cycle_agg_remove, STYPE = cycle_summary);
CREATE AGGREGATE unfinished(text, date, date) (SFUNC = cycle_agg_add, STYPE = cycle_summary);

SELECT plan(8);
SELECT is_empty(
	$$SELECT name
	  FROM whole
	  JOIN (SELECT shape, cycle_agg(outcome, opened_on, closed_on) AS s FROM deal AS d GROUP BY shape) AS a ON shape = name
	  WHERE fixture.packed(a.s) IS DISTINCT FROM fixture.packed(whole.s)$$,
	'cycle_agg counts what GROUP BY counts, whatever the shape');
SELECT is_empty(
	$$SELECT name, direction
	  FROM whole
	  JOIN (
		SELECT shape, cycle_agg(outcome, opened_on, closed_on ORDER BY key) AS ascending, cycle_agg(outcome, opened_on, closed_on ORDER BY key DESC) AS descending,
			cycle_agg(outcome, opened_on, closed_on ORDER BY hashint4(i)) AS shuffled
		FROM deal AS d
		GROUP BY shape
	  ) AS a ON shape = name,
		LATERAL (VALUES ('ascending', ascending), ('descending', descending), ('shuffled', shuffled)) AS v (direction, t)
	  WHERE fixture.packed(t) IS DISTINCT FROM fixture.packed(whole.s)$$,
	'in whatever order');
SELECT is_empty(
	$$SELECT name
	  FROM whole
	  JOIN (SELECT shape, take_back(outcome, opened_on, closed_on) AS s FROM deal AS d GROUP BY shape) AS a ON shape = name
	  WHERE fixture.packed(a.s) IS DISTINCT FROM fixture.packed(- whole.s)$$,
	'taking back row by row gives the negative');
SELECT is_empty(
	$$SELECT name
	  FROM whole
	  JOIN (SELECT shape, i % 7 AS part, unfinished(outcome, opened_on, closed_on) AS s FROM deal AS d GROUP BY shape, i % 7) AS a ON shape = name
	  GROUP BY name, whole.s
	  HAVING fixture.packed(rollup(a.s)) IS DISTINCT FROM fixture.packed(whole.s)$$,
	'working forms merge');

-- a moving window: keys come and go, the table and its windows grow and empty
CREATE TABLE moved AS
SELECT shape, i, s
FROM (
	SELECT shape, i, cycle_agg(outcome, opened_on, closed_on) OVER (PARTITION BY shape ORDER BY i ROWS BETWEEN 1199 PRECEDING AND CURRENT ROW) AS s
	FROM deal AS d
	WHERE i <= 4000
) AS w
WHERE i IN (1, 1200, 1201, 2048, 4000);
SELECT is_empty(
	$$SELECT shape, i FROM moved WHERE fixture.packed(s) IS DISTINCT FROM fixture.packed(expected(shape, i - 1199, i))$$,
	'a window that moves over them counts what is in it');
SELECT is(count(*), 17 * 5::bigint, 'in all shapes') FROM moved;

-- the keys of one part do not touch those of another
SELECT is_empty(
	$$SELECT name, o
	  FROM whole, unnest('{won, lost, open}'::text[]) AS o
	  WHERE (SELECT fixture.packed(cycle_agg(outcome, opened_on, closed_on)) FROM deal AS d WHERE shape = name AND outcome = o)
		IS DISTINCT FROM (SELECT fixture.packed(cycle_agg(outcome, opened_on, closed_on) FILTER (WHERE outcome = o)) FROM deal AS d WHERE shape = name)
		OR (SELECT sum(value::bigint) FROM jsonb_each_text(s::jsonb -> (CASE o WHEN 'open' THEN 'open_on' ELSE o || '_days' END)))
			<> (SELECT count(*) FROM deal AS d WHERE shape = name AND outcome = o)$$,
	'outcomes are counted each for itself');

-- counts beyond 16, 31 and 32 bits, by doubling the working form
CREATE TABLE doubled AS
WITH RECURSIVE doubling AS (
	SELECT name, 0 AS power, unfinished(outcome, opened_on, closed_on) AS s
	FROM shape
	JOIN deal AS d ON d.shape = name
	WHERE i <= 3000
	GROUP BY name
	UNION ALL
	SELECT name, power + 1, (SELECT fixture.unfinished(- x) FROM (VALUES (s), (s)) AS v (x))
	FROM doubling
	WHERE power < 40
)
SELECT name, power, s FROM doubling WHERE power IN (0, 5, 15, 16, 20, 21, 22, 31, 40);
SELECT is_empty(
	$$SELECT name, power
	  FROM doubled
	  JOIN (SELECT name, s AS once FROM doubled WHERE power = 0) AS o USING (name)
	  WHERE (SELECT string_agg(format('%s %s %s', part, key, value::numeric), ',' ORDER BY part, key) FROM jsonb_each(s::jsonb) AS p (part, bins), jsonb_each_text(bins) WHERE jsonb_typeof(bins) = 'object')
		IS DISTINCT FROM (SELECT string_agg(format('%s %s %s', part, key, trunc(value::numeric * 2::numeric ^ power)), ',' ORDER BY part, key)
			FROM jsonb_each(once::jsonb) AS p (part, bins), jsonb_each_text(bins) WHERE jsonb_typeof(bins) = 'object')$$,
	'counts of any size are exact');

SELECT * FROM finish();
