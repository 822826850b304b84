-- Text that is no summary, beyond the messages in test/sql: malformed JSON, hostile sizes, soft errors.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(7 + 6 * count(*)::int) FROM fixture.type WHERE has_fixture;

-- Each type's empty text, with something wrong about it.
CREATE TABLE bad (what text, spoil text);
INSERT INTO bad VALUES
('nothing', $$''$$),
('an open brace', $$rtrim(t, '}')$$),
('a tail', $$t || ' x'$$),
('two values', $$t || t$$),
('a zero byte in a key', $$replace(t, '{"', '{"\u0000')$$),
('a number that is none', $$replace(t, ': 0', ': 0x')$$),
('NaN', $$replace(t, ': 0', ': NaN')$$),
('an array around it', $$'[' || t || ']'$$),
('an object around it', $$'{"a": ' || t || '}'$$),
('a string of it', $$to_json(t)::text$$),
('an unknown key', $$'{"a": 1, ' || substr(t, 2)$$),
('numbers as texts', $$regexp_replace(t, ': (\d+)', ': "\1"', 'g')$$),
('numbers that are not whole or not exact', $$regexp_replace(t, ': (\d+)', ': [1.5]', 'g')$$),
('objects as arrays', $$replace(t, '{}', '[]') || CASE WHEN t LIKE '%{}%' THEN '' ELSE '!' END$$);

SELECT is(
	(SELECT string_agg(what || ': ' || COALESCE(e, 'accepted'), E'\n')
		FROM bad,
			LATERAL (SELECT fixture.error_of(format('SELECT (%s)::%s FROM (SELECT s::text AS t FROM fixture.sample_%s WHERE seed = 1) AS v', spoil, name, name)) AS e) AS r
		WHERE e IS NULL OR e !~ '^22P0[25] '),
	NULL, name || ': malformed texts are refused as such')
FROM fixture.type
WHERE has_fixture;

-- every key is needed
SELECT is_empty(
	format($$SELECT key, e
		FROM (SELECT s::jsonb AS j FROM fixture.sample_%1$s WHERE seed = 4) AS v,
			jsonb_object_keys(j) AS key,
			fixture.error_of(format('SELECT %%L::%1$s', j - key)) AS e
		WHERE e IS DISTINCT FROM format('22P02 invalid input syntax for type %1$s / Key "%%s" is missing.', key)$$, name),
	name || ': each key is needed, and named where it is missing')
FROM fixture.type
WHERE has_fixture;
SELECT is_empty(
	format($$SELECT key, e
		FROM (SELECT s::jsonb AS j FROM fixture.sample_%1$s WHERE seed = 4) AS v,
			jsonb_object_keys(j) AS key,
			jsonb_array_elements('[null, true, "1", [], 1.5, {"a": {}}]') AS wrong,
			fixture.error_of(format('SELECT %%L::%1$s', jsonb_set(j, ARRAY[key], wrong))) AS e
		WHERE (e LIKE '22P02 invalid input syntax for type %1$s / %%') IS NOT TRUE$$, name),
	name || ': values of a wrong kind are refused')
FROM fixture.type
WHERE has_fixture;

-- an order of keys, spaces and ways to write a number do not matter
SELECT is_empty(
	format($$SELECT seed
		FROM fixture.sample_%1$s
		WHERE regexp_replace(s::text, ': (-?\d+)([,}])', E' :\n\\1.00e0 \\2', 'g')::%1$s IS DISTINCT FROM s$$, name),
	name || ': spaces and other ways to write numbers read the same')
FROM fixture.type
WHERE has_fixture;

-- nesting without end
SELECT matches(
	fixture.error_of(format('SELECT (repeat(%L, 1000000))::%s', open, name)), '^(54001|22P02) ',
	format('%s: a million %s are refused', name, open))
FROM fixture.type, unnest('{[, "{\"a\":"}'::text[]) AS open
WHERE has_fixture;

-- many keys: a day each
SELECT is(cycle_count(s), 200000::bigint, 'a summary of 200,000 keys is counted')
FROM (SELECT cycle_agg('won', '2000-01-01', date '2000-01-01' + i * 3) AS s FROM generate_series(1, 200000) AS i) AS d;
CREATE TABLE large AS SELECT cycle_agg('won', '2000-01-01', date '2000-01-01' + i * 1009) AS s FROM generate_series(0, 199999) AS i;
SELECT is(fixture.packed(s::text::cycle_summary), fixture.packed(s), 'and reads back from text') FROM large;
SELECT is(fixture.packed((s + s) - s), fixture.packed(s), 'and is added and taken back') FROM large;
SELECT is(cycle_percentile(s, 0.5), (99999.5 * 1009)::float8, 'and has a median') FROM large;
SELECT cmp_ok(pg_column_size(cycle_summary_final(s)), '<', 1000000, 'in a few bytes a key') FROM large;
-- keys far apart cost no more than keys side by side
SELECT cmp_ok(pg_column_size(s), '<', 2000, 'memory follows the number of keys, not their range')
FROM (SELECT cycle_agg_add(cycle_agg_add(NULL, 'won', '2024-01-01', '2024-01-02'), 'won', '4713-01-01 BC', '5874897-12-31') AS s) AS d;

-- errors that a caller may ask for as values, where the server can
SELECT current_setting('server_version_num')::int >= 160000 AS soft_errors \gset
\if :soft_errors
SELECT is_empty(
	$$SELECT t.name, b.what
	  FROM fixture.type AS t, bad AS b
	  WHERE has_fixture AND b.what IN ('nothing', 'an open brace', 'an array around it', 'an unknown key', 'numbers as texts')
		AND fixture.error_of(format('SELECT 1 / (NOT pg_input_is_valid((SELECT %s FROM (SELECT s::text AS t FROM fixture.sample_%s WHERE seed = 4) AS v), %L))::int', b.spoil, t.name, 'sales_perf.' || t.name)) IS NOT NULL$$,
	'pg_input_is_valid says no instead of failing');
\else
SELECT skip('soft errors came with PostgreSQL 16', 1);
\endif

SELECT * FROM finish();
