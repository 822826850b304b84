-- The series under period_summary and others: many keys, in any order, taken back again, and numbers that exceed
-- what an entry holds.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

SELECT plan(17);

-- keys: 6,000 rows over 1 to 5,000 days, by ascending, descending and random day
CREATE TABLE sold AS
SELECT n, days, date '2010-01-01' + (fixture.random('day', n) * (days - 1))::int AS sold_on, round((fixture.random('amount', n) * 1000)::numeric, 2) AS amount
FROM unnest('{1, 2, 7, 60, 400, 5000}'::int[]) AS days, generate_series(1, 6000) AS n;
SELECT is_empty(
	format($$
		WITH ours AS (
			SELECT days, v.*
			FROM (SELECT days, period_agg(sold_on, amount, 'day') AS s FROM (SELECT * FROM sold ORDER BY %s) AS x GROUP BY days) AS s, period_values(s) AS v
			WHERE v.count > 0
		)
		SELECT *
		FROM ours
		FULL JOIN (SELECT days, sold_on AS period_start, count(*) AS plain_count, sum(amount) AS plain_amount FROM sold GROUP BY 1, 2) AS plain USING (days, period_start)
		WHERE (count, amount) IS DISTINCT FROM (plain_count, plain_amount)$$, ordering),
	'rows by ' || ordering || ': each key has its count and sum')
FROM unnest('{sold_on, sold_on DESC, n}'::text[]) AS ordering;
SELECT is_empty(
	$$SELECT days, n
	  FROM (
		SELECT days, n, period_agg(sold_on, amount, 'day') OVER (PARTITION BY days ORDER BY n ROWS BETWEEN 300 PRECEDING AND CURRENT ROW) AS s
		FROM sold
	  ) AS w
	  WHERE n % 1500 = 0 AND s IS DISTINCT FROM (SELECT period_agg(sold_on, amount, 'day') FROM sold WHERE sold.days = w.days AND sold.n BETWEEN w.n - 300 AND w.n)$$,
	'a moving frame forgets the keys that left it');
SELECT is_empty(
	$$SELECT days
	  FROM (SELECT days, n % 13 AS part, period_agg(sold_on, amount, 'day') AS s FROM sold GROUP BY 1, 2) AS parts
	  GROUP BY days
	  HAVING rollup(s) IS DISTINCT FROM (SELECT period_agg(sold_on, amount, 'day') FROM sold WHERE sold.days = parts.days)$$,
	'parts add up to the whole');

-- numbers beyond an entry's 32 bits (counts) and 64 bits of 10^-4 (sums)
CREATE FUNCTION one_point(rows numeric, amount numeric)
RETURNS period_summary
LANGUAGE sql
IMMUTABLE
RETURN format('{"grain": "day", "undated": 0, "invalid": 0, "periods": {"points": {"8766": {"rows": %s, "unpriced": 0, "covered": 0, "amount": %s}}, "scales": {"4": 1}}}', rows, amount)::period_summary;
CREATE TABLE extreme AS
SELECT rows, amount, one_point(rows, amount) AS s
FROM unnest('{1, 2147483647, 2147483648, 1073741824, 4611686018427387904, 9223372036854775807, -1, -2147483648, -9223372036854775808}'::numeric[]) AS rows,
	unnest('{0.0001, 922337203685477.5807, 922337203685477.5808, -922337203685477.5807, -922337203685477.5808, 922337203685477.58075, 1e25, -1e120, 1e-30}'::numeric[]) AS amount;
SELECT is_empty($$SELECT * FROM extreme WHERE fixture.packed(s::text::period_summary) <> fixture.packed(s)$$, 'extremes are read back as written');
SELECT is_empty(
	$$WITH pair AS MATERIALIZED (
		SELECT a.rows + b.rows AS rows, a.amount + b.amount AS amount, a.s AS a, b.s AS b
		FROM extreme AS a, extreme AS b
		WHERE a.rows + b.rows BETWEEN -9223372036854775808 AND 9223372036854775807 AND b.rows > -9223372036854775808
	  ), added AS MATERIALIZED (
		SELECT *, (a + b)::jsonb #> '{periods,points,8766}' AS point
		FROM pair
	  )
	  SELECT rows, amount, point
	  FROM added
	  WHERE fixture.packed((a + b) - b) IS DISTINCT FROM fixture.packed(a)
		OR (COALESCE(point ->> 'rows', '0')::numeric, COALESCE(point ->> 'amount', '0')::numeric) IS DISTINCT FROM (rows, amount)
		OR (point IS NULL) <> (rows = 0 AND amount = 0)$$,
	'they add up exactly, and can be taken back');
SELECT throws_ok($$SELECT one_point(9223372036854775807, 1) + one_point(1, 1)$$, '22003', 'count out of range', 'a count of more than 64 bits is an error');
SELECT throws_ok($$SELECT one_point(-9223372036854775808, 1) - one_point(1, 1)$$, '22003', 'count out of range', 'below 0 too');
SELECT throws_ok($$SELECT - one_point(-9223372036854775808, 1)$$, '22003', 'count out of range', 'and so is its negative');
SELECT throws_ok(
	$$SELECT period_agg_add(jsonb_set(one_point(1, 1)::jsonb, '{periods,scales}', '{"4": 9223372036854775807}')::text::period_summary, '2024-01-01', 1.0000, 'day')$$,
	'22003', 'count out of range', 'so is one of amounts by display scale');
SELECT is(
	(SELECT ((rollup(s))::jsonb #>> '{periods,points,8766,rows}')::numeric FROM (SELECT one_point(2147483647, 1) AS s FROM generate_series(1, 1000)) AS many),
	2147483647000::numeric, 'counts that fill entry after entry are carried');
SELECT results_eq(
	$$SELECT amount FROM period_values((SELECT period_agg('2024-01-01', 999999999999.9999, 'day') FROM generate_series(1, 30000)))$$,
	$$VALUES (999999999999.9999 * 30000)$$, 'sums too');
SELECT results_eq(
	$$SELECT amount FROM period_values((SELECT period_agg('2024-01-01', CASE WHEN n <= 30000 THEN 999999999999.9999 ELSE -999999999999.9999 END, 'day') FROM generate_series(1, 59999) AS n))$$,
	$$VALUES (999999999999.9999)$$, 'and come back');
SELECT results_eq(
	$$SELECT period_start, amount
	  FROM period_values((SELECT period_agg(date '2024-01-01' + n % 3, (999999999999.9999 + n * 0.0001) * (1 - n % 7), 'day') FROM generate_series(0, 40000) AS n))$$,
	$$SELECT date '2024-01-01' + n % 3, sum((999999999999.9999 + n * 0.0001) * (1 - n % 7)) FROM generate_series(0, 40000) AS n GROUP BY 1 ORDER BY 1$$,
	'for several keys at once, with numbers beyond the quick way');
SELECT is_empty(
	$$SELECT seed FROM fixture.sample_period_summary WHERE fixture.packed((SELECT rollup(x) FROM unnest(array_fill(s, ARRAY[1000])) AS x) - (SELECT rollup(x) FROM unnest(array_fill(s, ARRAY[999])) AS x)) <> fixture.packed(s)$$,
	'a thousand times less 999 times is once');

-- what is empty
SELECT ok(s = one_point(1, 1) - one_point(1, 1) AND s::jsonb #> '{periods,points}' = '{}', 'a point without content is none')
FROM (SELECT period_agg('2024-01-01', 1, 'day') FILTER (WHERE false) AS s) AS x;

SELECT * FROM finish();
