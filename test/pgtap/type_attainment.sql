-- attainment_agg against plain SQL on random actuals and targets with all that is odd.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(38);

-- a person in a period; what there is of an actual and a target by the rules
CREATE TABLE result AS
SELECT seed, deal_no, amount AS actual, target, (fixture.random('group', deal_no) ^ 3 * 30)::int AS group_no,
	CASE WHEN target > 0 AND target < 'Infinity' THEN target END AS used_target,
	CASE WHEN abs(amount) < 'Infinity' THEN amount END AS used_actual
FROM generate_series(1, 9) AS seed,
	fixture.deals(seed, 500),
	LATERAL (
		SELECT CASE deal_no % 4
			WHEN 0 THEN amount
			WHEN 1 THEN abs(fixture.any_amount(seed * 77 + deal_no))
			WHEN 2 THEN round((fixture.random('target', seed * 1003 + deal_no) * 9000)::numeric, 2)
			ELSE fixture.any_amount(seed * 991 + deal_no)
		END AS target
	) AS t;
ANALYZE result;
SELECT set_has(
	$$SELECT target FROM result$$,
	$$VALUES ('NaN'::numeric), ('Infinity'), ('-Infinity'), (NULL), (0)$$,
	'among the targets there are zeros, NULLs, NaN and infinities');
SELECT cmp_ok((SELECT count(*)::int FROM result WHERE used_target IS NOT NULL AND used_actual IS NULL), '>', 30, 'targets without an actual');
SELECT cmp_ok((SELECT count(*)::int FROM result WHERE used_target = used_actual), '>', 30, 'targets met to the last digit');

CREATE VIEW grouped AS
SELECT seed, group_no,
	attainment_agg(actual, target) AS s,
	count(used_target) AS targeted,
	count(*) FILTER (WHERE used_actual >= used_target) AS attained,
	count(*) FILTER (WHERE used_actual IS NULL AND used_target IS NOT NULL) AS unreported,
	count(*) FILTER (WHERE used_target IS NULL) AS untargeted,
	COALESCE(sum(used_actual) FILTER (WHERE used_target IS NOT NULL), 0) AS actual_amount,
	COALESCE(sum(used_target), 0) AS target_amount,
	COALESCE(sum(used_actual) FILTER (WHERE used_target IS NULL), 0) AS untargeted_amount,
	array_agg(COALESCE(used_actual, 0) / used_target ORDER BY COALESCE(used_actual, 0) / used_target) FILTER (WHERE used_target IS NOT NULL) AS ratios
FROM result
GROUP BY GROUPING SETS ((seed, group_no), (seed), ((seed + group_no) % 5), ());

SELECT is_empty($$SELECT * FROM grouped WHERE is_valid(s) IS NOT TRUE$$, 'every summary of rows is valid');
SELECT is_empty($$SELECT * FROM grouped WHERE targeted_count(s) IS DISTINCT FROM targeted$$, 'targeted_count');
SELECT is_empty($$SELECT * FROM grouped WHERE attained_count(s) IS DISTINCT FROM attained$$, 'attained_count');
SELECT is_empty($$SELECT * FROM grouped WHERE unreported_count(s) IS DISTINCT FROM unreported$$, 'unreported_count');
SELECT is_empty($$SELECT * FROM grouped WHERE untargeted_count(s) IS DISTINCT FROM untargeted$$, 'untargeted_count');
SELECT is_empty($$SELECT * FROM grouped WHERE actual_amount(s)::text IS DISTINCT FROM actual_amount::text$$, 'actual_amount = sum, in display scale too');
SELECT is_empty($$SELECT * FROM grouped WHERE target_amount(s)::text IS DISTINCT FROM target_amount::text$$, 'target_amount = sum, in display scale too');
SELECT is_empty($$SELECT * FROM grouped WHERE untargeted_amount(s)::text IS DISTINCT FROM untargeted_amount::text$$, 'untargeted_amount = sum, in display scale too');
SELECT is_empty($$SELECT * FROM grouped WHERE attainment_gap(s)::text IS DISTINCT FROM (target_amount - actual_amount)::text$$, 'attainment_gap = targets - actuals');
-- the quotient as a number of at least 20 digits, whatever its size
CREATE VIEW rate AS
SELECT s, round(actual_amount / NULLIF(target_amount, 0), 1000) AS exact, attainment_rate(s) AS rate
FROM grouped
WHERE abs(actual_amount) < 1e30 * target_amount AND abs(actual_amount) * 1e30 > target_amount;
SELECT is_empty($$SELECT * FROM rate WHERE (abs(rate::text::numeric - exact) <= 1e-15 * abs(exact)) IS NOT TRUE$$, 'attainment_rate is actuals / targets');
SELECT cmp_ok(count(*)::int, '>', 50, 'in many groups') FROM rate;
SELECT is_empty($$SELECT * FROM grouped WHERE targeted > 0 AND attained_rate(s) IS DISTINCT FROM attained::float8 / targeted$$, 'attained_rate');
SELECT is_empty(
	$$SELECT s FROM grouped WHERE targeted = 0 AND COALESCE(attainment_rate(s), attained_rate(s), attainment_median(s), attainment_gini(s), pace(s, 0.5)) IS NOT NULL$$,
	'rates without a target are NULL');
SELECT cmp_ok((SELECT count(*)::int FROM grouped WHERE targeted = 0) + (attainment_agg(7, NULL) = attainment_agg(7, 0))::int, '>', 0, 'which there is');

-- ratios: one row, the exact integer division as the oracle
SELECT is_empty(
	$$SELECT actual, target, key, exact_key
	  FROM (
		SELECT actual, target,
			(SELECT k::bigint FROM jsonb_object_keys(attainment_agg(actual, target)::jsonb -> 'ratios') AS k) AS key,
			GREATEST(-1e10, LEAST(1e10, div(above, below) - (mod(above, below) < 0)::int)) AS exact_key
		FROM result,
			LATERAL (SELECT COALESCE(used_actual, 0) * 20000 + used_target AS above, 2 * used_target AS below) AS a
		WHERE used_target IS NOT NULL
		GROUP BY seed, deal_no, actual, target, above, below
	  ) AS r
	  WHERE key IS DISTINCT FROM exact_key$$,
	'the ratio is rounded half up to 0.0001 and ends at 1,000,000, exactly');
SELECT results_eq(
	$$SELECT k::bigint
	  FROM (
		SELECT n, attainment_agg(actual, 1) AS s
		FROM (VALUES (1, 0.49995), (2, 0.499949999), (3, -0.49995), (4, -0.499950001), (5, -0.00005), (6, 0.00005),
		(7, 0.000049999999999999999999999), (8, 0.00005000000000000000000000), (9, -0.000050000000000000000001),
		(10, 999999.99995), (11, 999999.99994), (12, 1e100), (13, -1e100), (14, 1e-100), (15, 1e131000), (16, -1e131000), (17, 1e-16000)) AS v (n, actual)
		GROUP BY n
	  ) AS a,
		jsonb_object_keys(s::jsonb -> 'ratios') AS k
	  ORDER BY n$$,
	$$VALUES (5000::bigint), (4999), (-4999), (-5000), (0), (1), (0), (1), (-1), (10000000000), (9999999999), (10000000000), (-10000000000), (0), (10000000000), (-10000000000), (0)$$,
	'halves go up, on either side of 0, and so do hairs beside them');
SELECT is_empty(
	$$SELECT e
	  FROM generate_series(-16000, 131000, 500) AS e, LATERAL (SELECT ('1e' || e)::numeric AS one) AS v
	  GROUP BY e
	  HAVING (attained_count(attainment_agg(one, one)) = 1 AND attainment_median(attainment_agg(one, one)) = 1
		AND attainment_rate(attainment_agg(one, one * 4)) = 0.25
		AND attained_count(attainment_agg(one - ('1e' || e - 300)::numeric, one)) = (e - 300 < -16383)::int) IS NOT TRUE$$,
	'targets of any size, to 131,000 digits and 16,000 decimals');
SELECT results_eq(
	$$SELECT attainment_rate(attainment_agg(actual, target))
	  FROM (VALUES (1, 1e131000, 1e-16000), (2, -1e131000, 1e-16000), (3, 1e-16000, 1e131000), (4, 0, 1e-16000), (5, 84, 100), (6, -3, 4)) AS v (n, actual, target)
	  GROUP BY n, actual, target
	  ORDER BY n$$,
	$$VALUES ('Infinity'::float8), ('-Infinity'), (0), (0), (0.84), (-0.75)$$,
	'a rate that float8 cannot hold is infinite or 0, not an error');

-- percentiles
SELECT is_empty(
	$$SELECT seed, group_no, p, attainment_percentile(s, p), low, high
	  FROM grouped
	  CROSS JOIN unnest('{0, 0.001, 0.1, 0.25, 0.3333, 0.5, 0.51, 0.75, 0.9, 0.99, 1}'::float8[]) AS p
	  CROSS JOIN LATERAL (SELECT p * (cardinality(ratios) - 1) AS place) AS a
	  CROSS JOIN LATERAL (
		SELECT GREATEST(LEAST(ratios[floor(place)::int + 1], 1e6), -1e6) AS low, GREATEST(LEAST(ratios[ceil(place)::int + 1], 1e6), -1e6) AS high
	  ) AS b
	  WHERE targeted > 0
		AND (abs(attainment_percentile(s, p)::numeric - (low + (high - low) * (place - floor(place))::numeric)) <= 0.00005 + 1e-11 * (abs(low) + abs(high))) IS NOT TRUE$$,
	'attainment_percentile is percentile_cont, within 0.00005');
SELECT is_empty($$SELECT s FROM grouped WHERE attainment_median(s) IS DISTINCT FROM attainment_percentile(s, 0.5)$$, 'attainment_median');
SELECT throws_ok($$SELECT attainment_percentile(attainment_agg(1, 1), 1.5)$$, '22003', 'percentile value 1.5 is not between 0 and 1', 'a percentile is a share');

-- Gini's coefficient by its definition: mean difference of all pairs / (2 * mean)
CREATE TABLE reached AS
SELECT run, n, round((fixture.random('reached', run * 1000 + n) * 2)::numeric, 4) AS ratio, (ARRAY[1, 10, 7.5, 250])[1 + n % 4] AS target
FROM generate_series(1, 20) AS run, generate_series(1, run * 3) AS n;
SELECT is_empty(
	$$SELECT run, gini, by_pairs
	  FROM (SELECT run, attainment_gini(attainment_agg(ratio * target, target)) AS gini FROM reached GROUP BY run) AS g
	  JOIN (
		SELECT run, sum(abs(a.ratio - b.ratio)) / count(*) / (2 * avg(a.ratio)) AS by_pairs
		FROM reached AS a
		JOIN reached AS b USING (run)
		GROUP BY run
	  ) AS p USING (run)
	  WHERE (abs(gini - by_pairs) < 1e-12) IS NOT TRUE$$,
	'attainment_gini is half the mean difference of all pairs of ratios, by their mean');
SELECT results_eq(
	$$SELECT attainment_gini(attainment_agg(a, 10)) FROM (VALUES (1, 3), (1, 3), (2, 0), (2, 0), (3, -1), (3, 5), (4, 0), (4, 0), (4, 0), (4, 8)) AS v (g, a) GROUP BY g ORDER BY g$$,
	$$VALUES (0::float8), (NULL), (NULL), (0.75)$$,
	'all alike is 0, all 0 or one below is NULL, one of four having all is 3/4');

-- pace
SELECT is(pace(attainment_agg(30, 100), 0.5), 0.6::float8, 'pace = rate / elapsed share');
SELECT is(pace(attainment_agg(30, 100), 0), NULL, 'NULL before anything has elapsed');
SELECT is(pace(attainment_agg(30, 100), 1), attainment_rate(attainment_agg(30, 100)), 'at the end the pace is the rate');
SELECT throws_ok($$SELECT pace(attainment_agg(30, 100), 1.1)$$, '22023', 'elapsed share 1.1 is not between 0 and 1', 'no share above 1');
SELECT throws_ok($$SELECT pace(attainment_agg(30, 100), -0.1)$$, '22023', 'elapsed share -0.1 is not between 0 and 1', 'no share below 0');
SELECT throws_ok($$SELECT pace(attainment_agg(30, 100), 'NaN')$$, '22023', 'elapsed share NaN is not between 0 and 1', 'nor one that is no number');

-- a team's attainment is not the mean of its people's
SELECT results_eq(
	$$SELECT attainment_rate(rollup(s)), avg(attainment_rate(s)) FROM (SELECT attainment_agg(a, t) AS s FROM (VALUES (1, 90, 100), (2, 10, 1000)) AS v (n, a, t) GROUP BY n) AS p$$,
	$$VALUES (100.0::float8 / 1100, 0.455::float8)$$,
	'of a team it is sum / sum');
SELECT is(attainment_rate(attainment_agg(50, 100) + attainment_agg(1000, NULL) + attainment_agg(1000, 0) + attainment_agg(1000, -5)), 0.5::float8, 'what has no target raises no rate');
SELECT is(untargeted_amount(attainment_agg(50, 100) + attainment_agg(1000, NULL) + attainment_agg(NULL, 0) + attainment_agg(0.50, 'NaN')), 1000.50, 'and stands apart');

-- what does not agree is not valid, and accessors say NULL
CREATE TABLE tampered AS
SELECT replace(attainment_agg(a, t)::text, old, new) AS s
FROM (VALUES (95, 100), (100, 100), (NULL, 100), (120, 100), (7, NULL)) AS v (a, t),
	(VALUES ('"attained": 2', '"attained": 3'), ('"attained": 2', '"attained": 0'), ('"unreported": 1', '"unreported": 0'), ('"untargeted": 1', '"untargeted": 0'),
		('"12000": 1', '"9000": 1'), ('"12000": 1', '"10000000001": 1'), ('"10000": 1', '"9999": 1'), ('"sum": 400', '"sum": -400'), ('"sum": 400', '"sum": 0'),
		('{"0": 4}', '{"0": 4, "NaN": 1}'), ('{"0": 4}', '{"0": 5}')) AS change (old, new)
GROUP BY old, new;
SELECT is_empty(
	$$SELECT s FROM tampered WHERE is_valid(s::attainment_summary)
		OR COALESCE(attainment_rate(s::attainment_summary), attainment_gap(s::attainment_summary), attained_count(s::attainment_summary), attainment_median(s::attainment_summary),
			attainment_gini(s::attainment_summary), pace(s::attainment_summary, 1), untargeted_amount(s::attainment_summary)) IS NOT NULL$$,
	'counts, sums and ratios must agree');
SELECT is((SELECT count(DISTINCT s) FROM tampered), 11::bigint, 'each change has changed something');
SELECT is(attainment_rate(- attainment_agg(1, 2)), NULL, 'the negative of a summary has no rate');

SELECT * FROM finish();
