-- amount_agg against sum, avg, stddev and percentiles of PostgreSQL's own, on random amounts with all that is odd.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(28);

-- amounts of every kind in groups of all sizes; "odd" groups are finite, "any" ones have NaN and infinities too
CREATE TABLE sale AS
SELECT seed, deal_no, amount, (fixture.random('group', deal_no) ^ 3 * 30)::int AS group_no
FROM generate_series(1, 9) AS seed, fixture.deals(seed, 500);
ANALYZE sale;

SELECT cmp_ok(count(DISTINCT scale(amount))::int, '>', 15, 'the amounts have many display scales') FROM sale;
SELECT cmp_ok(max(length(amount::text)), '>', 1000, 'and up to 1,000 digits') FROM sale;
SELECT set_has(
	$$SELECT amount FROM sale$$,
	$$VALUES ('NaN'::numeric), ('Infinity'), ('-Infinity'), (NULL), (0)$$,
	'there are zeros, NULLs, NaN and infinities among them');

CREATE VIEW grouped AS
SELECT seed, group_no,
	amount_agg(amount) AS s,
	count(amount), sum(amount), avg(amount), stddev_samp(amount)
FROM sale
GROUP BY GROUPING SETS ((seed, group_no), (seed), ((seed + group_no) % 5), ());

SELECT is_empty(
	$$SELECT * FROM grouped WHERE amount_count(s) IS DISTINCT FROM count$$,
	'amount_count = count, in groups of all sizes and over all');
SELECT is_empty(
	$$SELECT seed, group_no, amount_total(s), sum FROM grouped WHERE amount_total(s)::text IS DISTINCT FROM COALESCE(sum, 0)::text$$,
	'amount_total = sum, in display scale too');
SELECT is_empty(
	$$SELECT seed, group_no, amount_average(s), avg FROM grouped WHERE amount_average(s)::text IS DISTINCT FROM avg::text$$,
	'amount_average = avg, in display scale too');
SELECT is_empty(
	$$SELECT seed, group_no, amount_stddev(s), stddev_samp FROM grouped WHERE amount_stddev(s)::text IS DISTINCT FROM stddev_samp::text$$,
	'amount_stddev = stddev_samp, in display scale too');
SELECT cmp_ok(count(*) FILTER (WHERE stddev_samp < 'Infinity')::int, '>', 100, 'of which there are many that are numbers') FROM grouped;

-- The rule on display: as many decimals as the row with most of them, of the rows that are there.
SELECT results_eq(
	$$SELECT amount_total(amount_agg(x))::text, amount_average(amount_agg(x))::text FROM unnest('{1.10, 2}'::numeric[]) AS x$$,
	$$VALUES ('3.10', '1.5500000000000000')$$,
	'1.10 + 2 is 3.10');
SELECT is(
	amount_total(amount_agg(1.10::numeric) + amount_agg(2.000) - amount_agg(2.000))::text, '1.10',
	'decimals go when their row is taken back');
SELECT is(amount_total(amount_agg(0.00))::text, '0.00', 'zeros have decimals as well');
SELECT is(amount_total(amount_agg(1.5) - amount_agg('NaN'::numeric) + amount_agg('NaN'::numeric))::text, '1.5', 'NaN can be taken back');
SELECT results_eq(
	$$SELECT amount_total(amount_agg(x)), amount_average(amount_agg(x)), amount_stddev(amount_agg(x)), amount_count(amount_agg(x))
	  FROM unnest('{}'::numeric[]) AS x$$,
	$$VALUES (0::numeric, NULL::numeric, NULL::numeric, 0::bigint)$$,
	'of no amounts the count and the total are 0, the rest is NULL');

SELECT results_eq(
	$$SELECT amount_total(amount_agg(x))::text, amount_average(amount_agg(x))::text, amount_count(amount_agg(x)), amount_total(amount_agg(x) - amount_agg(x) + amount_agg(1.0))
	  FROM unnest('{1e100000, -1e100000, 1e-9000, 7}'::numeric[]) AS x$$,
	$$SELECT sum(x)::text, avg(x)::text, 4::bigint, 4.0 FROM unnest('{1e100000, -1e100000, 1e-9000, 7}'::numeric[]) AS x$$,
	'amounts of 100,000 digits and of 9,000 decimals are exact');
SELECT results_eq(
	$$SELECT amount_count(amount_agg(DISTINCT x)), amount_total(amount_agg(DISTINCT x)) FROM unnest('{3, 1, 3, 3, NULL, 2, 1}'::numeric[]) AS x$$,
	$$VALUES (3::bigint, 6::numeric)$$,
	'DISTINCT amounts');

-- The same sum in any order and grouping.
SELECT is_empty(
	$$SELECT seed, run
	  FROM generate_series(1, 5) AS run,
		LATERAL (SELECT seed, amount_agg(amount) AS s FROM sale GROUP BY seed) AS whole
	  WHERE fixture.packed(s) IS DISTINCT FROM (
		SELECT fixture.packed(rollup(part))
		FROM (
			SELECT amount_agg(amount ORDER BY fixture.random('order', deal_no + run)) AS part
			FROM sale
			WHERE sale.seed = whole.seed
			GROUP BY (fixture.random('part', deal_no + run) * 7 * run)::int
		) AS p)$$,
	'any order and any grouping give the same bytes');

-- Sums beyond 128 bits: a summary doubled 62 times over, and back again.
CREATE TABLE doubled AS
WITH RECURSIVE doubling AS (
	SELECT 0 AS power, amount, amount_agg(amount) AS s
	FROM unnest('{999999999999.9999, -999999999999.99, 1000000000000, 0.0001, 0.00001, -1e-20, 99999999, 123456789012345678901234567890.12}'::numeric[]) AS amount
	GROUP BY amount
	UNION ALL
	SELECT power + 1, amount, s + s
	FROM doubling
	WHERE power < 62
)
SELECT * FROM doubling;

SELECT is_empty(
	$$SELECT power, amount, amount_total(s)
	  FROM doubled
	  WHERE (amount_total(s) = amount * (2::numeric ^ power)
		AND scale(amount_total(s)) = scale(amount)
		AND amount_count(s) = 2::numeric ^ power
		AND amount_average(s) = amount
		AND s::jsonb #>> '{amount,squares}' = trim_scale(amount * amount * (2::numeric ^ power))::text
		AND (power = 0 OR amount_stddev(s) = 0)) IS NOT TRUE$$,
	'2^62 rows of an amount: count, total, average and squares are exact');
SELECT is_empty(
	$$SELECT a.power, a.amount
	  FROM doubled AS a
	  JOIN doubled AS b ON b.amount = a.amount AND b.power = a.power - 1
	  WHERE fixture.packed(a.s - b.s) IS DISTINCT FROM fixture.packed(b.s)$$,
	'taking half of them back leaves the other half');
CREATE TABLE doubled_working AS
WITH RECURSIVE doubling AS (
	SELECT 0 AS power, amount, amount_agg(amount) AS s, deal_agg(amount, 'lost', NULL, NULL) AS deals
	FROM (SELECT DISTINCT amount FROM doubled) AS a
	GROUP BY amount
	UNION ALL
	SELECT power + 1, amount,
		(SELECT fixture.unfinished(- x) FROM (VALUES (s), (s)) AS v (x)),
		(SELECT fixture.unfinished(- x) FROM (VALUES (deals), (deals)) AS v (x))
	FROM doubling
	WHERE power < 49
)
SELECT * FROM doubling;
SELECT is_empty(
	$$SELECT power, amount
	  FROM doubled AS p
	  JOIN doubled_working AS w USING (power, amount)
	  WHERE (fixture.packed(w.s) = fixture.packed(p.s)
		AND lost_count(deals) = 2::numeric ^ power AND lost_amount(deals)::text = amount_total(p.s)::text) IS NOT TRUE$$,
	'so are 2^49 in the working form, and as lost deals');
SELECT throws_ok(
	$$SELECT s + s FROM doubled WHERE power = 62 LIMIT 1$$,
	'22003', 'count out of range', '2^63 rows are too many');
SELECT throws_ok(
	$$SELECT rollup(s) FROM doubled, generate_series(1, 2) WHERE power = 62$$,
	'22003', 'count out of range', 'in a rollup too');

-- Percentiles. The exact one lies between two amounts, each of which may be off by 0.5 %.
CREATE VIEW percentile AS
SELECT seed, group_no, p,
	amount_percentile(s, p) AS estimate,
	low + (high - low) * (place - floor(place))::numeric AS exact,
	0.005 * (abs(low) + (abs(high) - abs(low)) * (place - floor(place))::numeric) AS allowed,
	sign(low) * sign(high) AS same_sign
FROM (
	SELECT seed, group_no, amount_agg(amount) AS s, array_agg(amount ORDER BY amount) AS amounts
	FROM sale
	WHERE abs(amount) < 'Infinity'
	GROUP BY GROUPING SETS ((seed, group_no), (seed), ())
) AS g
CROSS JOIN unnest('{0, 0.001, 0.1, 0.25, 0.3333, 0.5, 0.51, 0.75, 0.9, 0.99, 1}'::float8[]) AS p
CROSS JOIN LATERAL (SELECT p * (cardinality(amounts) - 1) AS place) AS a
CROSS JOIN LATERAL (SELECT amounts[floor(place)::int + 1] AS low, amounts[ceil(place)::int + 1] AS high) AS b;

SELECT is_empty(
	$$SELECT * FROM percentile WHERE (abs(estimate - exact) <= 0.005 * abs(exact) * 1.0000000001) IS NOT TRUE AND same_sign >= 0$$,
	'amount_percentile is within 0.5 % between amounts of one sign, and 0 where they are 0');
SELECT is_empty(
	$$SELECT * FROM percentile WHERE (abs(estimate - exact) <= allowed * 1.0000000001) IS NOT TRUE$$,
	'between any two it is off by no more than 0.5 % of each');
SELECT is_empty(
	$$SELECT *
	  FROM (SELECT *, lag(estimate) OVER (PARTITION BY seed, group_no ORDER BY p) AS before FROM percentile) AS q
	  WHERE before > estimate$$,
	'a larger share gives no smaller amount');
SELECT results_eq(
	$$SELECT amount_percentile(amount_agg(x), p)
	  FROM unnest('{-Infinity, -1, 0, 0, 1, Infinity, NaN}'::numeric[]) AS x,
		(VALUES (0::float8), (2.0 / 6), (3.0 / 6), (5.0 / 6), (1)) AS v (p)
	  GROUP BY p
	  ORDER BY p$$,
	$$VALUES ('-Infinity'::numeric), (0), (0), ('Infinity'), ('NaN')$$,
	'amounts are sorted as numeric is: infinities at the ends, NaN above all');

-- Buckets by brute force: all leading digits, many exponents, just at and just below a boundary.
CREATE TABLE bucket AS
SELECT amount, exponent, digits,
	(SELECT key::bigint FROM jsonb_object_keys(amount_agg(amount)::jsonb -> 'amounts') AS key) AS key,
	(SELECT key::bigint FROM jsonb_object_keys(amount_agg(- amount)::jsonb -> 'amounts') AS key) AS negative_key,
	amount_median(amount_agg(amount)) AS middle
FROM unnest('{-1000, -26, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 30, 500}'::int[]) AS exponent,
	generate_series(100, 999) AS digits,
	unnest('{0, 00001, 99999, 9999999}'::text[]) AS tail,
	LATERAL (SELECT (digits || tail || 'e' || exponent - 2 - length(tail))::numeric AS amount) AS a
GROUP BY amount, exponent, digits;

SELECT is_empty(
	$$SELECT amount, key
	  FROM bucket
	  WHERE key IS DISTINCT FROM (exponent + 16400) * 350 + 1 + CASE
			WHEN digits < 200 THEN digits - 100
			WHEN digits < 500 THEN 100 + (digits - 200) / 2
			ELSE 250 + (digits - 500) / 5
		END
		OR negative_key IS DISTINCT FROM - key$$,
	'buckets are steps of 1 to 200, of 2 to 500, of 5 to 1000 of the three leading digits; those of negative amounts mirror them');
SELECT is_empty(
	$$SELECT * FROM bucket WHERE (abs(middle - amount) <= 0.005 * amount) IS NOT TRUE$$,
	'the middle of a bucket is within 0.5 % of any amount in it');
SELECT is_empty(
	$$SELECT *
	  FROM (SELECT amount, key, lag(key) OVER (ORDER BY amount) AS before FROM bucket) AS b
	  WHERE key < before$$,
	'larger amounts have no smaller keys');

SELECT * FROM finish();
