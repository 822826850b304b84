-- Spearman's rank correlation against brute force and closed forms.
SET search_path = public, sales_perf;
SELECT plan(9);

-- A rank is one more than those below, and half of the others that are equal.
CREATE TEMP TABLE figure AS
SELECT n,
       CASE WHEN n % 7 <> 0 THEN (n * 37 % 101) / 5::float8 END AS x,
       CASE WHEN n % 11 <> 0 THEN (n * 53 % 97 % 13)::float8 - n END AS y
  FROM generate_series(1, 300) AS n;
CREATE TEMP TABLE pair AS SELECT * FROM figure WHERE x IS NOT NULL AND y IS NOT NULL;
CREATE TEMP TABLE truth AS
SELECT count(*) AS n, corr(rank_x, rank_y) AS rho
  FROM (SELECT 1 + count(*) FILTER (WHERE q.x < p.x) + (count(*) FILTER (WHERE q.x = p.x) - 1) / 2.0::float8 AS rank_x,
               1 + count(*) FILTER (WHERE q.y < p.y) + (count(*) FILTER (WHERE q.y = p.y) - 1) / 2.0::float8 AS rank_y
          FROM pair p CROSS JOIN pair q
         GROUP BY p.n) AS r;
SELECT ok(r.pair_count = t.n AND abs(r.correlation - t.rho) < 1e-12, 'as by brute force, ties, NULLs and all')
  FROM truth t, (SELECT array_agg(x ORDER BY n) AS x, array_agg(y ORDER BY n) AS y FROM figure) AS f, rank_correlation(f.x, f.y) AS r;
SELECT is(r.correlation, s.correlation, 'to the last bit in any order of the rows, and with the two exchanged')
  FROM (SELECT array_agg(x ORDER BY n) AS x, array_agg(y ORDER BY n) AS y FROM figure) AS f, rank_correlation(f.x, f.y) AS r,
       (SELECT array_agg(x ORDER BY n % 17, n) AS x, array_agg(y ORDER BY n % 17, n) AS y FROM figure) AS g, rank_correlation(g.y, g.x) AS s;
-- 1 - 6 sum of d squared / n (n squared - 1)
SELECT is((rank_correlation('{106,86,100,101,99,103,97,113,112,110}', '{7,0,27,50,28,29,20,12,6,17}')).correlation::numeric, round(-29 / 165.0, 15), 'without ties by the textbook''s formula');
SELECT results_eq($$SELECT r.* FROM (VALUES ('{1,5,5,9}'::float8[]), ('{9,5,5,1}')) AS v (y), rank_correlation('{1,10,10,1e9}', v.y) AS r$$,
                  $$VALUES (4::bigint, 1::float8), (4, -1::float8)$$, 'exactly 1 or -1 where the ranks are the same, or turned round');
SELECT results_eq($$SELECT r.* FROM (VALUES ('{}'::float8[], '{}'::float8[]), ('{3}', '{4}'), ('{1,2,3}', '{7,7,7}'), ('{NULL,1}', '{1,NULL}')) AS v (x, y), rank_correlation(v.x, v.y) AS r$$,
                  $$VALUES (0::bigint, NULL::float8), (1, NULL), (3, NULL), (0, NULL)$$, 'none where there is nothing to rank');
SELECT is((rank_correlation('{NaN,Infinity,-Infinity,0,-0,NaN}', '{9,8,1,4,4,9}')).correlation, 1::float8, 'NaN is the largest, and equal to itself');
SELECT is(rank_correlation(NULL, '{1}') IS NULL, true, 'NULL of NULL');
SELECT throws_ok($$SELECT rank_correlation('{1,2}', '{1}')$$, '2202E', 'the columns have 2 and 1 rows', 'both have the same rows');
SELECT throws_ok($$SELECT rank_correlation('{{1,2}}', '{1,2}')$$, '2202E', NULL, 'in one dimension');

SELECT * FROM finish();
