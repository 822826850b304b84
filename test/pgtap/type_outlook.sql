-- outlook_agg against plain SQL, all subsets of deals, the exact convolution, the binomial distribution, and R.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(54);

-- open deals with all that is odd
CREATE TABLE open_deal AS
SELECT seed, deal_no, amount,
	CASE deal_no % 7 WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN 1 WHEN 3 THEN 0.25 ELSE fixture.random('chance', seed * 1009 + deal_no) END AS chance,
	(fixture.random('group', deal_no) ^ 3 * 30)::int AS group_no
FROM generate_series(1, 9) AS seed, fixture.deals(seed, 500);
CREATE VIEW grouped AS
SELECT seed, group_no,
	outlook_agg(amount, chance) AS s,
	count(*) FILTER (WHERE priced AND chance IS NOT NULL) AS deals,
	COALESCE(sum(amount) FILTER (WHERE priced AND chance IS NOT NULL), 0) AS total,
	COALESCE(sum(amount * trim_scale(round((chance * 1000000)::numeric) / 1000000)) FILTER (WHERE priced), 0) AS expected,
	count(*) FILTER (WHERE priced IS NOT TRUE) AS unpriced,
	count(*) FILTER (WHERE priced AND chance IS NULL) AS unrated,
	COALESCE(sum(amount) FILTER (WHERE priced AND chance IS NULL), 0) AS unrated_amount
FROM (SELECT *, abs(amount) < 'Infinity' AS priced FROM open_deal) AS d
GROUP BY GROUPING SETS ((seed, group_no), (seed), ((seed + group_no) % 5), ());
SELECT is_empty($$SELECT * FROM grouped WHERE is_valid(s) IS NOT TRUE$$, 'every summary of rows is valid');
SELECT is_empty($$SELECT * FROM grouped WHERE outlook_count(s) IS DISTINCT FROM deals$$, 'outlook_count');
SELECT is_empty($$SELECT * FROM grouped WHERE outlook_total(s)::text IS DISTINCT FROM total::text$$, 'outlook_total = sum, in display scale too');
SELECT is_empty($$SELECT * FROM grouped WHERE outlook_expected(s)::text IS DISTINCT FROM expected::text$$, 'outlook_expected = sum of amount * chance, in display scale too');
SELECT is_empty($$SELECT * FROM grouped WHERE unpriced_count(s) IS DISTINCT FROM unpriced$$, 'unpriced_count');
SELECT is_empty($$SELECT * FROM grouped WHERE unrated_count(s) IS DISTINCT FROM unrated$$, 'unrated_count');
SELECT is_empty($$SELECT * FROM grouped WHERE unrated_amount(s)::text IS DISTINCT FROM unrated_amount::text$$, 'unrated_amount = sum, in display scale too');
SELECT is_empty(
	$$SELECT seed, group_no
	  FROM grouped
	  WHERE (outlook_quantile(s, 0) <= outlook_quantile(s, 0.5) AND outlook_quantile(s, 0.5) <= outlook_quantile(s, 1)
		AND outlook_quantile(s, 0.5, 0.3) BETWEEN outlook_quantile(s, 0) AND outlook_quantile(s, 1) AND outlook_stddev(s) >= 0
		AND chance_of_reaching(s, outlook_total(s)) BETWEEN 0 AND 1 AND chance_of_reaching(s, 1e-20, 0.3) BETWEEN 0 AND 1) IS NOT TRUE$$,
	'the odd ones too have a distribution');

-- keys: six digits rounded half up, by numeric's own rounding
SELECT is_empty(
	$$SELECT amount, key, expected_key
	  FROM (
		SELECT amount,
			(SELECT split_part(k, ',', 1)::bigint FROM jsonb_object_keys(outlook_agg(amount, 0.5)::jsonb -> 'deals') AS k) AS key,
			CASE WHEN round(rounded, 1000) = 0 THEN 0 ELSE
				sign(amount) * (LEAST(1000 + floor(log(abs(rounded)) + 1e-12), 2000) * 1000000 + LEAST(999999, abs(rounded) / (10::numeric ^ (floor(log(abs(rounded)) + 1e-12) - 5))))
			END::numeric(30, 6) AS expected_key
		FROM open_deal,
			LATERAL (SELECT CASE WHEN amount = 0 THEN 0 ELSE round(amount, 5 - floor(log(abs(amount)))::int) END AS rounded) AS r
		WHERE abs(amount) BETWEEN 1e-6 AND 1e30 OR amount = 0
		GROUP BY seed, deal_no, amount, rounded
	  ) AS d
	  WHERE key IS DISTINCT FROM expected_key$$,
	'an amount is kept to six digits');
SELECT results_eq(
	$$SELECT k
	  FROM (VALUES (1, 1), (2, 999999.49), (3, 999999.5), (4, 0.00001234565), (5, -2500), (6, 0), (7, 1234564.9999999999999999), (8, 1e1000), (9, 1e1001), (10, 1e-1000), (11, 1e-1001), (12, 99999999999999995)) AS v (n, amount),
		LATERAL (SELECT outlook_agg_add(NULL, amount, 0.25)::jsonb -> 'deals' AS deals) AS s,
		jsonb_object_keys(deals) AS k
	  ORDER BY n$$,
	$$VALUES ('1000100000,250000'), ('1005999999,250000'), ('1006100000,250000'), ('995123457,250000'), ('-1003250000,250000'), ('0,250000'), ('1006123456,250000'),
		('2000100000,250000'), ('2000999999,250000'), ('100000,250000'), ('0,250000'), ('1017100000,250000')$$,
	'from 10^-1000 up to 10^1001');

-- all subsets of 1 to 12 deals, some negative, some certain, some alike
CREATE TABLE few AS
SELECT run, n, (ARRAY[100, 7, 1, 250, 100, 33.5, -20, 12345.64])[1 + (fixture.random('amount', run * 100 + n) * 8)::int % 8]::numeric * CASE WHEN run % 3 = 0 AND n % 4 = 1 THEN -1 ELSE 1 END AS amount,
	round((CASE (fixture.random('kind', run * 100 + n) * 9)::int WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 0.5 ELSE fixture.random('chance', run * 100 + n) END)::numeric, 6)::float8 AS chance
FROM generate_series(1, 12) AS run, generate_series(1, run) AS n;
CREATE FUNCTION pg_temp.product_step(float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 * $2';
CREATE AGGREGATE pg_temp.product(float8) (SFUNC = pg_temp.product_step, STYPE = float8, INITCOND = '1');
CREATE TABLE outcome AS
SELECT run, total, sum(probability) AS probability
FROM (
	SELECT run, subset, COALESCE(sum(amount) FILTER (WHERE (subset >> (n - 1)) & 1 = 1), 0) AS total,
		pg_temp.product(CASE WHEN (subset >> (n - 1)) & 1 = 1 THEN chance ELSE 1 - chance END) AS probability
	FROM few
	JOIN generate_series(0, 4095) AS subset ON subset < 1 << run
	GROUP BY run, subset
) AS s
WHERE probability > 0
GROUP BY run, total;
CREATE TABLE few_s AS SELECT run, outlook_agg(amount, chance) AS s FROM few GROUP BY run;
SELECT cmp_ok(count(*)::int, '>', 500, 'there are many sums') FROM outcome;
CREATE VIEW exact AS
SELECT run, total, s,
	sum(probability) OVER (PARTITION BY run ORDER BY total DESC) AS reached,
	sum(probability) OVER (PARTITION BY run ORDER BY total) AS not_exceeded
FROM outcome
JOIN few_s USING (run);
SELECT is_empty($$SELECT run, total, chance_of_reaching(s, total), reached FROM exact WHERE (abs(chance_of_reaching(s, total) - reached) < 1e-12) IS NOT TRUE$$, 'the chance of each possible sum, over all subsets');
SELECT is_empty(
	$$SELECT run, total FROM exact WHERE (abs(chance_of_reaching(s, total + 0.4) - (reached - (SELECT probability FROM outcome AS o WHERE o.run = exact.run AND o.total = exact.total))) < 1e-12) IS NOT TRUE$$,
	'and of a little more');
SELECT is_empty(
	$$SELECT run, total, outlook_quantile(s, not_exceeded - 1e-9)
	  FROM exact
	  WHERE not_exceeded - reached < 1e9 AND (SELECT probability FROM outcome AS o WHERE o.run = exact.run AND o.total = exact.total) > 1e-8
		AND (abs(outlook_quantile(s, not_exceeded - 1e-9) - total) <= 0.00001 * abs(total) + 0.05) IS NOT TRUE$$,
	'the quantiles');
SELECT is_empty(
	$$SELECT run, outlook_stddev(s), sd
	  FROM few_s
	  JOIN (SELECT run, sqrt(sum(amount * amount * (chance * (1 - chance))::numeric)) AS sd FROM few GROUP BY run) AS f USING (run)
	  WHERE (abs(outlook_stddev(s) - sd) <= 0.00001 * sd + 0.005) IS NOT TRUE$$,
	'outlook_stddev');
SELECT is_empty($$SELECT run FROM few_s WHERE run % 3 <> 0 AND (chance_of_reaching(s, outlook_total(s) + 100) = 0) IS NOT TRUE$$, 'nothing is beyond the total');

-- the exact convolution, for whole amounts
CREATE FUNCTION pg_temp.convolution(amounts int[], chances float8[])
RETURNS float8[]
LANGUAGE plpgsql
AS $$
DECLARE
	p float8[] := array_fill(0::float8, ARRAY[(SELECT sum(a)::int + 1 FROM unnest(amounts) AS a)], ARRAY[0]);
	top int := 0;
BEGIN
	p[0] := 1;
	FOR i IN 1 .. cardinality(amounts) LOOP
		FOR j IN REVERSE top + amounts[i] .. 0 LOOP
			p[j] := p[j] * (1 - chances[i]) + CASE WHEN j >= amounts[i] THEN p[j - amounts[i]] * chances[i] ELSE 0 END;
			IF p[j] < 1e-200 THEN -- float8 would underflow
				p[j] := 0;
			END IF;
		END LOOP;
		top := top + amounts[i];
	END LOOP;
	RETURN p;
END
$$;
CREATE TABLE pipeline AS
SELECT name, i, amount, chance::float8
FROM (
	SELECT 'mixed', i, 1 + (i * i * 7919) % 97, round(((i * 104729) % 9973 + 1)::numeric / 9975, 6) FROM generate_series(1, 150) AS i
	UNION ALL
	SELECT 'heavy', i, 1 + (3000.0 / i)::int, round(((i * 7919) % 997 + 1)::numeric / 999, 6) FROM generate_series(1, 120) AS i
	UNION ALL
	SELECT 'rare', i, 1 + (i * 37) % 61, 0.001 FROM generate_series(1, 200) AS i
) AS v (name, i, amount, chance);
CREATE TABLE tail AS
SELECT name, x, sum(p) OVER (PARTITION BY name ORDER BY x DESC) AS reached, sum(p) OVER (PARTITION BY name ORDER BY x) AS not_exceeded
FROM (SELECT name, pg_temp.convolution(array_agg(amount::int ORDER BY i), array_agg(chance ORDER BY i)) AS pmf FROM pipeline GROUP BY name) AS c,
	unnest(pmf) WITH ORDINALITY AS u (p, place), LATERAL (SELECT place - 1 AS x) AS v;
CREATE TABLE pipeline_s AS SELECT name, outlook_agg(amount, chance) AS s FROM pipeline GROUP BY name;
SELECT is_empty(
	$$SELECT name, x, chance_of_reaching(s, x), reached FROM tail JOIN pipeline_s USING (name) WHERE x % 41 = 0 AND (abs(chance_of_reaching(s, x) - reached) < 1e-9) IS NOT TRUE$$,
	'150 deals of many sizes, 120 with a heavy tail, 200 rare ones: the chances are those of the exact convolution');
SELECT is_empty(
	$$SELECT name, p, outlook_quantile(s, p)
	  FROM pipeline_s, unnest('{0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999}'::float8[]) AS p
	  WHERE outlook_quantile(s, p) IS DISTINCT FROM (SELECT min(x) FROM tail WHERE tail.name = pipeline_s.name AND not_exceeded >= p - 1e-12)$$,
	'and so are the quantiles');

-- amounts that share no unit, so that there are more sums than atoms: the same deals, each amount changed by up to 0.004 %
CREATE TABLE uneven AS
SELECT name, outlook_agg(amount * 100000 + (i * i * 31) % 4, chance) AS s FROM pipeline GROUP BY name;
SELECT is_empty(
	$$SELECT name, x
	  FROM uneven
	  JOIN tail USING (name)
	  WHERE x % 41 = 0
		AND NOT (chance_of_reaching(s, x * 100000 - 50000) BETWEEN reached - 0.0005 AND reached + 0.0005)$$,
	'more sums than are kept apart: the chances are right to 0.0005');
SELECT is_empty(
	$$SELECT name, p
	  FROM uneven, unnest('{0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99}'::float8[]) AS p
	  WHERE (abs(outlook_quantile(s, p) / 100000 - (SELECT min(x) FROM tail WHERE tail.name = uneven.name AND not_exceeded >= p - 1e-12)) <= 0.001 * outlook_total(s) / 100000) IS NOT TRUE$$,
	'the quantiles to 0.1 % of the total');

-- one huge deal: what the small ones do is seen on either side of it
CREATE TABLE huge AS
SELECT 'huge ' || power AS name, 10::numeric ^ power * 3 AS amount, s AS others, s + outlook_agg_add(NULL, 10::numeric ^ power * 3, 0.4) AS s
FROM uneven, unnest('{11, 13, 14}'::int[]) AS power
WHERE name = 'mixed';
SELECT is_empty(
	$$SELECT h.name, x
	  FROM huge AS h
	  JOIN tail AS t ON t.name = 'mixed' AND x % 97 = 0 AND x > 0
	  WHERE NOT (abs(chance_of_reaching(s, x * 100000 - 50000) - (0.4 + 0.6 * reached)) < 0.001)
		OR NOT (abs(chance_of_reaching(s, amount + x * 100000 - 50000) - 0.4 * reached) < 0.001)$$,
	'with a deal of 10^3 to 10^6 times all others the small ones are still seen');

-- many equal deals: binomial
CREATE TABLE binomial AS
WITH RECURSIVE pmf AS (
	SELECT 0 AS k, exp(1000 * ln(0.7::float8)) AS q
	UNION ALL
	SELECT k + 1, q * (1000 - k) / (k + 1) * 0.3 / 0.7 FROM pmf WHERE k < 500
)
SELECT k, sum(q) OVER (ORDER BY k DESC) AS reached FROM pmf;
CREATE TABLE equal AS SELECT outlook_agg(1500, 0.3) AS s FROM generate_series(1, 1000);
SELECT is_empty($$SELECT k FROM binomial, equal WHERE k BETWEEN 200 AND 400 AND NOT (abs(chance_of_reaching(s, k * 1500) - reached) < 1e-6)$$, '1,000 equal deals are binomial');
SELECT is_empty($$SELECT k FROM binomial, equal WHERE k BETWEEN 200 AND 400 AND NOT (abs(chance_of_reaching(s, k * 1500 - 1499) - reached) < 1e-6)$$, 'in whole deals');
SELECT is(outlook_quantile(s, 0.5), 450000::numeric, 'their median') FROM equal;
SELECT is_empty($$SELECT k FROM binomial, equal WHERE k BETWEEN 200 AND 400 AND NOT (abs(chance_of_reaching(s + outlook_agg_add(NULL, 7e9, 0.5), 7e9 + k * 1500) - reached / 2) < 1e-6)$$, 'beside a huge deal too');
-- 100,000 deals: normal to within 1/1000 of the standard deviation
CREATE TABLE many AS SELECT outlook_agg(1 + i % 100, (i % 997 + 1) / 999.0) AS s FROM generate_series(1, 100000) AS i;
SELECT is_empty(
	$$SELECT z, (outlook_quantile(s, p) - outlook_expected(s)) / outlook_stddev(s)
	  FROM many, (VALUES (-2.326347874, 0.01), (-1.281551566, 0.1), (0, 0.5), (1.281551566, 0.9), (2.326347874, 0.99)) AS v (z, p)
	  WHERE NOT abs((outlook_quantile(s, p) - outlook_expected(s)) / outlook_stddev(s) - z) < 0.001$$,
	'100,000 deals are normal');

-- a common effect: the same model integrated in R (8 deals: 4,001 nodes; 150 deals: 1,001 nodes, exact convolution at each)
CREATE TABLE from_r (name text, spread float8, x numeric, reached float8);
INSERT INTO from_r VALUES
('eight', 0.1, 1, 0.997559535901), ('eight', 0.1, 20, 0.939057497976), ('eight', 0.1, 40, 0.733053224127), ('eight', 0.1, 55, 0.599864586954), ('eight', 0.1, 80, 0.270148520395), ('eight', 0.1, 120, 0.0480119015514), ('eight', 0.1, 183, 0.000440966058453),
('eight', 0.3, 1, 0.991959240304), ('eight', 0.3, 20, 0.908602296281), ('eight', 0.3, 40, 0.696030836237), ('eight', 0.3, 55, 0.571306975447), ('eight', 0.3, 80, 0.285756888464), ('eight', 0.3, 120, 0.0739674632233), ('eight', 0.3, 183, 0.00403010135666),
('eight', 1, 1, 0.913455396043), ('eight', 1, 20, 0.744124348816), ('eight', 1, 40, 0.528159074504), ('eight', 1, 55, 0.433152471688), ('eight', 1, 80, 0.272970361943), ('eight', 1, 120, 0.14780012862), ('eight', 1, 183, 0.0713577964528),
('mixed', 0.1, 1246, 0.999826930787), ('mixed', 0.1, 1994, 0.90994999003), ('mixed', 0.1, 2493, 0.492058793761), ('mixed', 0.1, 2992, 0.0950568125704), ('mixed', 0.1, 3740, 0.000854621884125),
('mixed', 0.3, 1246, 0.970446517151), ('mixed', 0.3, 1994, 0.716129562697), ('mixed', 0.3, 2493, 0.451153851823), ('mixed', 0.3, 2992, 0.236762662211), ('mixed', 0.3, 3740, 0.0711557571188),
('mixed', 1, 1246, 0.660345872505), ('mixed', 1, 1994, 0.444670800041), ('mixed', 1, 2493, 0.342238678488), ('mixed', 1, 2992, 0.265615988378), ('mixed', 1, 3740, 0.185163201598);
INSERT INTO pipeline_s SELECT 'eight', outlook_agg(a, chance) FROM (VALUES (50, 0.1), (30, 0.5), (20, 0.25), (20, 0.75), (10, 0.9), (8, 0.6), (5, 0.3), (40, 0.2)) AS v (a, chance);
SELECT is_empty(
	$$SELECT name, spread, x, chance_of_reaching(s, x, spread), reached FROM from_r JOIN pipeline_s USING (name) WHERE NOT abs(chance_of_reaching(s, x, spread) - reached) < 0.0003$$,
	'with a common effect the chances are those of R');
SELECT is_empty(
	$$SELECT name, spread, p, outlook_quantile(s, p, spread), x
	  FROM (VALUES ('eight', 0.1::float8, 0.05::float8, 18), ('eight', 0.1, 0.5, 60), ('eight', 0.1, 0.95, 118), ('eight', 0.3, 0.05, 10), ('eight', 0.3, 0.9, 113), ('eight', 1, 0.05, 0), ('eight', 1, 0.9, 143), ('eight', 1, 0.95, 183),
		('mixed', 0.1, 0.05, 1886), ('mixed', 0.1, 0.5, 2485), ('mixed', 0.1, 0.95, 3125), ('mixed', 0.3, 0.05, 1366), ('mixed', 0.3, 0.5, 2398), ('mixed', 0.3, 0.95, 3939), ('mixed', 1, 0.05, 395), ('mixed', 1, 0.5, 1773), ('mixed', 1, 0.95, 6959)) AS v (name, spread, p, x)
	  JOIN pipeline_s USING (name)
	  WHERE NOT abs(outlook_quantile(s, p, spread) - x) <= 0.001 * outlook_total(s)$$,
	'and so are the quantiles, to 0.1 % of the total');
SELECT is_empty(
	$$SELECT spread, mean FROM (SELECT spread, sum(chance_of_reaching(s, x, spread)) AS mean FROM pipeline_s, generate_series(1, 183) AS x, unnest('{0, 0.1, 0.2}'::float8[]) AS spread WHERE name = 'eight' GROUP BY spread) AS m
	  WHERE NOT abs(mean - 63.3) < 0.001$$,
	'a common effect leaves the expected total as it is');
SELECT is_empty(
	$$SELECT *
	  FROM (
		SELECT name, spread, low, lag(low) OVER w AS low_before, high, lag(high) OVER w AS high_before
		FROM (SELECT name, spread, outlook_quantile(s, 0.05, spread) AS low, outlook_quantile(s, 0.95, spread) AS high FROM pipeline_s, unnest('{0, 0.001, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8}'::float8[]) AS spread WHERE name IN ('eight', 'mixed')) AS q
		WINDOW w AS (PARTITION BY name ORDER BY spread)
	  ) AS q
	  WHERE low > low_before + 2 OR high < high_before - 2$$,
	'the more it spreads the farther apart are the quantiles');
SELECT is_empty(
	$$SELECT name, x FROM pipeline_s JOIN from_r USING (name) WHERE NOT abs(chance_of_reaching(s, x, 0.0001) - chance_of_reaching(s, x, 0)) < 0.001$$,
	'a very small one is as none');
-- 100,000 deals, where the common effect is nearly all: the quantile is that of its lognormal
SELECT is_empty(
	$$SELECT z, spread, outlook_quantile(s, p, spread) / outlook_expected(s)
	  FROM many, (VALUES (-1.281551566, 0.1), (0, 0.5), (1.281551566, 0.9)) AS v (z, p), unnest('{0.1, 0.3}'::float8[]) AS spread
	  WHERE NOT abs(outlook_quantile(s, p, spread) / outlook_expected(s) - exp(z * sqrt(ln(1 + spread ^ 2)) - ln(1 + spread ^ 2) / 2)) < 0.002$$,
	'of very many deals only the common effect is left');

-- edges
SELECT is(chance_of_reaching(outlook_agg(100, 0.5), 0), 1::float8, '0 is always reached') ;
SELECT is(chance_of_reaching(outlook_agg(100, 0.5), -1, 0.5), 1::float8, 'and less');
SELECT is(chance_of_reaching(outlook_agg(12345.64, 0.5), 12345.64), 0.5::float8, 'the only deal reaches its amount');
SELECT is(chance_of_reaching(outlook_agg(12345.64, 0.5), 12345.65), 0.5::float8, 'to six digits');
SELECT is(chance_of_reaching(outlook_agg(12345.64, 0.5), 12346), 0::float8, 'not more');
SELECT results_eq(
	$$SELECT chance_of_reaching(s, 'Infinity'), chance_of_reaching(s, '-Infinity'), chance_of_reaching(s, 1e100000), chance_of_reaching(s, 1e-16000) FROM (SELECT outlook_agg(100, 0.5) AS s) AS a$$,
	$$VALUES (0::float8, 1::float8, 0::float8, 0.5::float8)$$, 'targets of any size');
SELECT results_eq(
	$$SELECT outlook_quantile(s, 0.5), outlook_quantile(s, 0.5, 0.3), outlook_total(s), outlook_expected(s), outlook_stddev(s), chance_of_reaching(s, 1), chance_of_reaching(s, 0) FROM (SELECT outlook_agg(NULL, NULL) AS s) AS a$$,
	$$VALUES (0::numeric, 0::numeric, 0::numeric, 0::numeric, 0.00, 0::float8, 1::float8)$$, 'of no deals it is 0 for sure');
SELECT results_eq(
	$$SELECT outlook_quantile(s, 0), outlook_quantile(s, 1), chance_of_reaching(s, 100), chance_of_reaching(s, 100, 0.5), chance_of_reaching(s, 101) FROM (SELECT outlook_agg(a, p) AS s FROM (VALUES (100, 1), (50, 0)) AS v (a, p)) AS a$$,
	$$VALUES (100::numeric, 100::numeric, 1::float8, 1::float8, 0::float8)$$, 'what is certain comes, what is impossible does not');
SELECT results_eq(
	$$SELECT outlook_quantile(s, 0), outlook_quantile(s, 0.5), outlook_quantile(s, 0.95), outlook_quantile(s, 1), chance_of_reaching(s, 0), chance_of_reaching(s, -30) FROM (SELECT outlook_agg(a, p) AS s FROM (VALUES (100, 0.5), (-30, 0.2)) AS v (a, p)) AS a$$,
	$$VALUES (-30::numeric, 0::numeric, 100::numeric, 100::numeric, 0.9::float8, 1::float8)$$, 'a negative amount takes away');
SELECT is_empty(
	$$SELECT big FROM unnest('{1e15, 1e100, 1e900, 1e-900}'::numeric[]) AS big, LATERAL (SELECT outlook_agg_add(outlook_agg_add(NULL, big, 0.5), big * 2, 0.25) AS s) AS a
	  WHERE (chance_of_reaching(s, big * 3) = 0.125 AND outlook_quantile(s, 0.5) = big AND outlook_quantile(s, 0.5, 0.00001) = big AND outlook_expected(s) = big) IS NOT TRUE$$,
	'amounts beyond float8');
SELECT throws_ok($$SELECT outlook_agg(1, 25)$$, '22023', 'chance 25 is not between 0 and 1', 'a chance is a share');
SELECT throws_ok($$SELECT outlook_agg(NULL, -0.1)$$, '22023', 'chance -0.1 is not between 0 and 1', 'also where there is no amount');
SELECT throws_ok($$SELECT outlook_agg(1, 'NaN')$$, '22023', 'chance NaN is not between 0 and 1', 'and a number');
SELECT throws_ok($$SELECT outlook_quantile(outlook_agg(1, 0.5), 2)$$, '22003', 'percentile value 2 is not between 0 and 1', 'so is p');
SELECT throws_ok($$SELECT chance_of_reaching(outlook_agg(1, 0.5), 1, -1)$$, '22023', 'common spread -1 is not between 0 and 10', 'a spread is not negative');

-- what does not agree is not valid
SELECT is_empty(
	$$SELECT s
	  FROM (
		SELECT replace(outlook_agg(a, p)::text, old, new) AS s
		FROM (VALUES (100, 0.5), (250, 0.25), (7, NULL), (NULL, 0.5)) AS v (a, p),
			(VALUES ('1002100000,500000": 1', '1002100000,500000": 2'), ('1002100000,500000', '1002100000,1000001'), ('1002100000,500000', '1002099999,500000'), ('1002100000,500000', '1002100000,-1'), ('1002100000,500000', '2001100000,500000'),
				('"unrated": 1', '"unrated": 2'), ('"rounding": {"sum": 0, "scales": {}}', '"rounding": {"sum": 0, "scales": {"0": 3}}'), ('{"0": 2}', '{"0": 2, "Infinity": 1}')) AS change (old, new)
		GROUP BY old, new
	  ) AS t
	  WHERE is_valid(s::outlook_summary) OR COALESCE(outlook_total(s::outlook_summary), outlook_quantile(s::outlook_summary, 0.5), outlook_stddev(s::outlook_summary)) IS NOT NULL
		OR chance_of_reaching(s::outlook_summary, 1) IS NOT NULL$$,
	'counts, sums and deals must agree');
SELECT is(outlook_quantile(- outlook_agg(1, 0.5), 0.5), NULL, 'the negative of a summary has no distribution');

-- ---------- quickly
SELECT is(ARRAY[r.p10, r.p50, r.p90, r.chance], ARRAY[outlook_quantile(s, 0.1), outlook_quantile(s, 0.5), outlook_quantile(s, 0.9), chance_of_reaching(s, 140000)]::float8[],
	'outlook_range: of few deals as exact')
FROM (SELECT outlook_agg(1000 * i, 1::float8 / (1 + abs(i) % 7)) AS s FROM generate_series(-1, 8) AS i) AS o, LATERAL outlook_range(s, 140000) AS r;
SELECT is_empty(
	$$SELECT n, spread, r
	  FROM (VALUES (12), (40), (300)) AS v (n), unnest('{0,0.2}'::float8[]) AS spread,
		LATERAL (SELECT outlook_agg(10000 + (i * 7919 * n) % 90000, 0.05 + (i % 10) * 0.05) AS s FROM generate_series(1, n) AS i) AS o,
		LATERAL outlook_range(s, outlook_expected(s) * 1.1, spread) AS r
	  WHERE abs(r.chance - chance_of_reaching(s, outlook_expected(s) * 1.1, spread)) > 0.04
		OR abs(r.p10 - outlook_quantile(s, 0.1, spread)::float8) > 0.03 * outlook_total(s)
		OR abs(r.p50 - outlook_quantile(s, 0.5, spread)::float8) > 0.03 * outlook_total(s)
		OR abs(r.p90 - outlook_quantile(s, 0.9, spread)::float8) > 0.03 * outlook_total(s)$$,
	'outlook_range: of more within 0.04, and 3 % of the total');
SELECT is(outlook_range(s, 0)::text, '(0,0,0,1)', 'outlook_range: of none') FROM (SELECT outlook_agg(NULL, NULL) AS s) AS o;
SELECT is(ARRAY[(outlook_range(s, 0)).chance, (outlook_range(s, 1e9)).chance, round((outlook_range(s, outlook_total(s) + 1, 0.3)).chance)], '{1,0,0}', 'outlook_range: what is there already, and what cannot be')
FROM (SELECT outlook_agg(1000 + i, 0.3) AS s FROM generate_series(1, 50) AS i) AS o;
SELECT throws_ok($$SELECT outlook_range(outlook_agg(1, 0.5), 'NaN')$$, '22023', 'target is not a finite number', 'outlook_range: a target is a number');

SELECT * FROM finish();
