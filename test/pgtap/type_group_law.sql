-- What every summary type promises: the group law, equality, order, text and jsonb, rollup.
-- The types come from the catalogue; each rule is a query for counterexamples.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

-- a rule, and a query of what breaks it, in which {type} stands for the type
CREATE TABLE rule (rule_no int GENERATED ALWAYS AS IDENTITY, name text, counterexamples text);

INSERT INTO rule (name, counterexamples) VALUES
('a + b = b + a', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE fixture.packed(a.s + b.s) IS DISTINCT FROM fixture.packed(b.s + a.s) $$),
('(a + b) + c = a + (b + c)', $$
	SELECT a.seed, b.seed, c.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b, fixture.sample_{type} AS c
	WHERE a.seed <= 8 AND b.seed <= 8 AND c.seed <= 8
		AND fixture.packed((a.s + b.s) + c.s) IS DISTINCT FROM fixture.packed(a.s + (b.s + c.s)) $$),
('(a + b) - b = a, byte for byte', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE fixture.packed((a.s + b.s) - b.s) IS DISTINCT FROM fixture.packed(a.s) $$),
('(a - b) + b = a, byte for byte', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE fixture.packed((a.s - b.s) + b.s) IS DISTINCT FROM fixture.packed(a.s) $$),
('a - a = the rollup of nothing', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a
	WHERE fixture.packed(a.s - a.s) IS DISTINCT FROM (SELECT fixture.packed(rollup(s)) FROM fixture.sample_{type} WHERE false) $$),
('a + the rollup of nothing = a', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a, (SELECT rollup(s) AS zero FROM fixture.sample_{type} WHERE false) AS nothing
	WHERE fixture.packed(a.s + zero) IS DISTINCT FROM fixture.packed(a.s) $$),
('- (- a) = a, and a - b = a + (- b)', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE fixture.packed(- (- a.s)) IS DISTINCT FROM fixture.packed(a.s)
		OR fixture.packed(a.s - b.s) IS DISTINCT FROM fixture.packed(a.s + (- b.s)) $$),

('text reads back to the same bytes, of differences too', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE a.seed <= 8 AND (
		fixture.packed(a.s::text::{type}) IS DISTINCT FROM fixture.packed(a.s)
		OR fixture.packed((a.s - b.s)::text::{type}) IS DISTINCT FROM fixture.packed(a.s - b.s)) $$),
('the cast to jsonb is the text, and an object', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a
	WHERE a.s::jsonb::text IS DISTINCT FROM a.s::text
		OR (- a.s)::jsonb::text IS DISTINCT FROM (- a.s)::text
		OR jsonb_typeof(a.s::jsonb) IS DISTINCT FROM 'object' $$),
('arrays and rows of values are read and compared like the values', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a
	WHERE (fixture.packed((ARRAY[a.s, NULL, a.w]::text::{type}[])[3]) = fixture.packed(a.s)
		AND ARRAY[a.s, a.w] = ARRAY[a.w, a.s]
		AND ROW(1, a.s, a.w) = ROW(1, a.w, a.s)
		AND array_position(ARRAY[a.s + a.s, a.w], a.s + a.s) = 1) IS NOT TRUE $$),
('the working form is the packed one to whoever reads it', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a
	WHERE (a.w = a.s AND NOT a.w <> a.s AND a.w::text = a.s::text AND a.w::jsonb = a.s::jsonb
		AND fixture.packed(a.w) = fixture.packed(a.s)
		AND {type}_cmp(a.w, a.s) = 0 AND {type}_hash(a.w) = {type}_hash(a.s)
		AND fixture.packed(- a.w) = fixture.packed(- a.s)
		AND fixture.packed(a.w + a.w) = fixture.packed(a.s + a.s)
		AND fixture.packed(a.w - a.s) = fixture.packed(a.s - a.s)
		AND is_valid(a.w) = is_valid(a.s)) IS NOT TRUE $$),

('a = b where the bytes are the same, and a <> b where not', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE (a.s = b.s) IS DISTINCT FROM (fixture.packed(a.s) = fixture.packed(b.s))
		OR (a.s <> b.s) IS DISTINCT FROM (fixture.packed(a.s) <> fixture.packed(b.s)) $$),
('equal values have equal hashes; the extended one agrees with it for a salt of 0', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE {type}_hash(a.s + b.s) IS DISTINCT FROM {type}_hash(b.s + a.s)
		OR {type}_hash_extended(a.s + b.s, 42) IS DISTINCT FROM {type}_hash_extended(b.s + a.s, 42)
		OR {type}_hash_extended(a.s, 0)::bit(32) IS DISTINCT FROM {type}_hash(a.s)::bit(32) $$),
('one of a < b, a = b, a > b holds, and <=, >= and the comparison agree', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE (a.s < b.s)::int + (a.s = b.s)::int + (a.s > b.s)::int IS DISTINCT FROM 1
		OR (a.s < b.s) IS DISTINCT FROM (b.s > a.s)
		OR (a.s <= b.s) IS DISTINCT FROM (a.s < b.s OR a.s = b.s)
		OR (a.s >= b.s) IS DISTINCT FROM (a.s > b.s OR a.s = b.s)
		OR sign({type}_cmp(a.s, b.s)) IS DISTINCT FROM (a.s > b.s)::int - (a.s < b.s)::int $$),
('a <= b and b <= c give a <= c', $$
	SELECT a.seed, b.seed, c.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b, fixture.sample_{type} AS c
	WHERE a.seed <= 9 AND b.seed <= 9 AND c.seed <= 9
		AND a.s <= b.s AND b.s <= c.s AND NOT a.s <= c.s $$),
('grouping by value, sorted or hashed, finds as many values as there are', $$
	SELECT *
	FROM (
		SELECT count(DISTINCT s) AS sorted,
			(SELECT count(*) FROM (SELECT s FROM fixture.sample_{type} GROUP BY s) AS g) AS grouped,
			count(DISTINCT fixture.packed(s)) AS expected
		FROM fixture.sample_{type}
	) AS n
	WHERE sorted <> expected OR grouped <> expected $$),

('a rollup of differences that cancel out leaves the rest, byte for byte, in whatever order', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE fixture.packed((SELECT rollup(x ORDER BY place) FROM (VALUES (1, a.s), (2, - b.s), (3, b.s)) AS v (place, x))) IS DISTINCT FROM fixture.packed(a.s)
		OR fixture.packed((SELECT rollup(x ORDER BY place) FROM (VALUES (1, - b.s), (2, a.s), (3, b.s)) AS v (place, x))) IS DISTINCT FROM fixture.packed(a.s)
		OR fixture.packed((SELECT rollup(x ORDER BY place) FROM (VALUES (1, b.w), (2, - b.s), (3, a.s)) AS v (place, x))) IS DISTINCT FROM fixture.packed(a.s) $$),
('the rollup of any partition is the rollup of the whole', $$
	SELECT parts
	FROM generate_series(1, 9) AS parts,
		LATERAL (
			SELECT rollup(part) AS s
			FROM (
				SELECT rollup(s ORDER BY fixture.random('order', seed + parts)) AS part
				FROM fixture.sample_{type}
				GROUP BY (fixture.random('part', seed + parts) * parts)::int
			) AS p
		) AS partitioned,
		LATERAL (SELECT rollup(s) AS s FROM fixture.sample_{type}) AS whole
	WHERE fixture.packed(partitioned.s) IS DISTINCT FROM fixture.packed(whole.s) $$),
('a rollup of two is their sum, in either form', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE b.seed <= 8
		AND ((SELECT fixture.packed(rollup(x)) FROM (VALUES (a.s), (b.s)) AS v (x)) = fixture.packed(a.s + b.s)
			AND (SELECT fixture.packed(rollup(x)) FROM (VALUES (a.w), (b.s)) AS v (x)) = fixture.packed(a.s + b.s)
			AND (SELECT fixture.packed(rollup(x)) FROM (VALUES (a.s), (b.w)) AS v (x)) = fixture.packed(a.s + b.s)) IS NOT TRUE $$),
('a rollup leaves out NULLs', $$
	SELECT *
	FROM (
		SELECT fixture.packed(rollup(s)) AS plain,
			(SELECT fixture.packed(rollup(CASE WHEN i = 2 THEN s END)) FROM fixture.sample_{type}, generate_series(1, 3) AS i) AS among_nulls
		FROM fixture.sample_{type}
	) AS r
	WHERE plain IS DISTINCT FROM among_nulls $$),
('a rollup of nothing, of NULLs, and of what a FILTER leaves are the empty summary, and not NULL', $$
	SELECT *
	FROM (
		SELECT fixture.packed(rollup(s)) AS filtered,
			(SELECT fixture.packed(rollup(NULL::{type})) FROM generate_series(1, 3)) AS of_nulls,
			(SELECT fixture.packed(rollup(s) FILTER (WHERE false)) FROM fixture.sample_{type}) AS filter,
			(SELECT fixture.packed(s) FROM fixture.sample_{type} WHERE seed = 1) AS empty
		FROM fixture.sample_{type}
		WHERE false
	) AS r
	WHERE (filtered = empty AND of_nulls = empty AND filter = empty) IS NOT TRUE $$),
('the four cases of NULL in the combine function, and in its inverse', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE b.seed <= 8
		AND ({type}_rollup(NULL, NULL) IS NULL
			AND fixture.packed({type}_rollup(a.s, NULL)) = fixture.packed(a.s)
			AND fixture.packed({type}_rollup(NULL, a.s)) = fixture.packed(a.s)
			AND fixture.packed({type}_rollup(a.s, b.s)) = fixture.packed(a.s + b.s)
			AND fixture.packed({type}_rollup(a.w, b.w)) = fixture.packed(a.s + b.s)
			AND {type}_unroll(NULL, NULL) IS NULL
			AND fixture.packed({type}_unroll(a.s, NULL)) = fixture.packed(a.s)
			AND fixture.packed({type}_unroll(NULL, a.s)) = fixture.packed(- a.s)
			AND fixture.packed({type}_unroll(a.w, b.w)) = fixture.packed(a.s - b.s)) IS NOT TRUE $$),
('the final function gives the packed form of either, leaves its argument alone, and makes the empty summary of NULL', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS empty
	WHERE empty.seed = 1
		AND (fixture.packed({type}_final(a.w)) = fixture.packed(a.s)
			AND pg_column_size({type}_final(a.w)) <= length(fixture.packed(a.s)) + 4
			AND fixture.packed({type}_final(a.s)) = fixture.packed(a.s)
			AND fixture.packed({type}_final(NULL)) = fixture.packed(empty.s)
			AND a.w = a.s) IS NOT TRUE $$),
('a moving rollup is what it would be computed anew', $$
	SELECT moving.seed
	FROM (
		SELECT seed, rollup(s) OVER (ORDER BY seed ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING) AS s
		FROM fixture.sample_{type}
	) AS moving
	WHERE fixture.packed(moving.s) IS DISTINCT FROM (
		SELECT fixture.packed(rollup(s))
		FROM fixture.sample_{type} AS anew
		WHERE anew.seed BETWEEN moving.seed - 3 AND moving.seed + 1) $$),

('summaries of rows are valid, and so are their sums and what is left after taking back', $$
	SELECT a.seed, b.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS b
	WHERE (is_valid(a.s) AND is_valid(a.s + b.s) AND is_valid((a.s + b.s) - b.s)) IS NOT TRUE $$),
('a summary below the empty one is not valid', $$
	SELECT a.seed
	FROM fixture.sample_{type} AS a, fixture.sample_{type} AS empty
	WHERE empty.seed = 1 AND a.s <> empty.s AND is_valid(- a.s) IS NOT FALSE $$);

SELECT plan((
	3 + (SELECT count(*) FROM rule) * (SELECT count(*) FROM fixture.type WHERE has_fixture)
	+ 5 * (SELECT count(*) FROM fixture.type WHERE has_fixture))::int);

SELECT cmp_ok(count(*)::int, '>=', 4, 'the catalogue has the summary types') FROM fixture.type;
SELECT is_empty(
	$$SELECT name FROM fixture.type WHERE NOT has_fixture$$,
	'every summary type has sample values: a function fixture.<type>(seed) in test/pgtap/fixture/samples.sql');
SELECT is_empty(
	(SELECT string_agg(replace(
			$$SELECT '{type}'
			  FROM fixture.sample_{type}
			  HAVING count(DISTINCT fixture.packed(s)) < 10
				OR count(*) FILTER (WHERE fixture.packed(s) = fixture.packed(w) AND pg_column_size(w) > pg_column_size(s)) < 10
				OR count(s) < 16$$, '{type}', name), ' UNION ALL ')
		FROM fixture.type
		WHERE has_fixture),
	'the samples differ, and the working forms are no packed ones');

SELECT is_empty(replace(rule.counterexamples, '{type}', type.name), type.name || ': ' || rule.name)
FROM fixture.type AS type
CROSS JOIN rule
WHERE has_fixture
ORDER BY type.name, rule.rule_no;

-- Equality as hash and merge joins and a hash index use it: each sample meets those equal to it, in either form.
CREATE TABLE pairs (type_name text, expected bigint);
SELECT format('INSERT INTO pairs SELECT %1$L, count(*) FROM fixture.sample_%1$s AS a JOIN fixture.sample_%1$s AS b ON fixture.packed(a.s) = fixture.packed(b.s)', name),
	-- anew: where rows were updated, an index is not used while an older transaction runs anywhere in the cluster
	format('ALTER TABLE fixture.sample_%1$s RENAME TO sample_%1$s_before', name),
	format('CREATE TABLE fixture.sample_%1$s AS TABLE fixture.sample_%1$s_before', name),
	format('CREATE INDEX ON fixture.sample_%1$s USING hash (s)', name),
	format('ANALYZE fixture.sample_%1$s', name)
FROM fixture.type
WHERE has_fixture
\gexec
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT is(
	fixture.plan_of(q)::text ~ '"Hash Join"' AND fixture.answer_to(q) = expected::text, true, type_name || ': a hash join finds equal values')
FROM pairs,
	LATERAL (SELECT format('SELECT count(*) FROM fixture.sample_%1$s AS a JOIN fixture.sample_%1$s AS b ON a.s = b.w', type_name) AS q) AS v;
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT is(
	fixture.plan_of(q)::text ~ '"Merge Join"' AND fixture.answer_to(q) = expected::text, true, type_name || ': a merge join finds equal values')
FROM pairs,
	LATERAL (SELECT format('SELECT count(*) FROM fixture.sample_%1$s AS a JOIN fixture.sample_%1$s AS b ON a.s = b.w', type_name) AS q) AS v;
RESET enable_hashjoin;
RESET enable_nestloop;
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT is(
	fixture.plan_of(q)::text ~ '"Index Scan"' AND fixture.answer_to(q) = expected::text, true, type_name || ': a hash index finds equal values')
FROM pairs,
	LATERAL (SELECT format('SELECT count(*) FROM fixture.sample_%1$s AS a JOIN fixture.sample_%1$s AS b ON a.s = b.w', type_name) AS q) AS v;
RESET enable_seqscan;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- Accessors: functions of a summary, other arguments having defaults, that are no part of the framework.
CREATE VIEW accessor AS
SELECT p.oid, p.proname, p.proretset, t.name AS type_name
FROM fixture.type AS t
JOIN pg_proc AS p
	ON p.pronamespace = 'sales_perf'::regnamespace
	AND p.prokind = 'f'
	AND p.pronargs - p.pronargdefaults = 1
	AND p.proargtypes[0] = t.type_oid
WHERE has_fixture
	AND NOT starts_with(p.proname, t.name || '_')
	AND p.proname <> 'is_valid'
	AND p.prorettype NOT IN (SELECT type_oid FROM fixture.type);

-- what each says of a summary, rows of a set as an array
CREATE FUNCTION says(a accessor, summary text)
RETURNS text
LANGUAGE sql
RETURN CASE
	WHEN (a).proretset THEN format('(SELECT array_agg(c::text) FROM sales_perf.%I(%s) AS c)', (a).proname, summary)
	ELSE format('sales_perf.%I(%s)::text', (a).proname, summary)
END;

SELECT set_eq(
	(SELECT string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM fixture.sample_%s WHERE %s IS NOT NULL)',
			proname, type_name, says(a, 's')), ' UNION ALL ')
		FROM accessor AS a
		WHERE a.type_name = t.name),
	format('SELECT proname::text FROM accessor WHERE type_name = %L', t.name),
	t.name || ': every accessor has something to say of some sample')
FROM fixture.type AS t
WHERE has_fixture
ORDER BY t.name;

SELECT is_empty(
	(SELECT string_agg(format(
			'SELECT seed, %L FROM fixture.sample_%s WHERE NOT is_valid(- s) AND (%s IS NOT NULL OR %s IS NOT NULL)',
			proname, type_name, says(a, '- s'), says(a, '- w')), ' UNION ALL ')
		FROM accessor AS a
		WHERE a.type_name = t.name),
	t.name || ': every accessor is NULL (or no rows) for a summary below the empty one')
FROM fixture.type AS t
WHERE has_fixture
ORDER BY t.name;

SELECT * FROM finish();
