-- outlook_summary: what open deals may come to
SET search_path = public, sales_perf;

SELECT outlook_agg(a, p) FROM (VALUES (50000.00, 0.5), (50000, 0.5), (1234567.89, 0.25), (-300, 0.1), (0, 1)) AS v (a, p);
SELECT outlook_agg(a, p) FROM (VALUES (NULL, 0.5), (10.5, NULL), (NULL, NULL), ('NaN'::numeric, 0.1), ('Infinity', 0.1)) AS v (a, p);
SELECT outlook_agg(NULL, NULL) FROM generate_series(1, 0);
SELECT outlook_agg(1e20, 0.1) - outlook_agg(1e20, 0.1);

SELECT outlook_count(s), outlook_total(s), outlook_expected(s), outlook_stddev(s), unpriced_count(s), unrated_count(s), unrated_amount(s)
FROM (SELECT outlook_agg(a, p) AS s FROM (VALUES (50000.00, 0.5), (30000, 0.25), (NULL, 0.5), (700, NULL)) AS v (a, p)) AS a;
SELECT p, outlook_quantile(s, p)
FROM (SELECT outlook_agg(a, p) AS s FROM (VALUES (50000.00, 0.5), (30000, 0.25)) AS v (a, p)) AS a, unnest('{0, 0.375, 0.376, 0.5, 0.501, 0.875, 0.876, 1}'::float8[]) AS p;
SELECT x, chance_of_reaching(s, x), round(chance_of_reaching(s, x, 0.25)::numeric, 4) AS with_spread
FROM (SELECT outlook_agg(a, p) AS s FROM (VALUES (50000.00, 0.5), (30000, 0.25)) AS v (a, p)) AS a, unnest('{0, 0.01, 30000, 30000.01, 50000, 80000, 80000.01}'::numeric[]) AS x;
SELECT outlook_quantile(s, 0.5), chance_of_reaching(s, 1) FROM (SELECT NULL::outlook_summary) AS v (s);

SELECT outlook_agg(1, 50);
SELECT outlook_agg(1, -0.5);
SELECT outlook_agg(NULL, 'NaN');
SELECT outlook_quantile(outlook_agg(1, 0.5), -0.1);
SELECT outlook_quantile(outlook_agg(1, 0.5), 0.5, 'NaN');
SELECT chance_of_reaching(outlook_agg(1, 0.5), 1, 20);
SELECT chance_of_reaching(outlook_agg(1, 0.5), 'NaN');

-- input
SELECT '{"deals": {"1002100000,500000": 2}, "amount": {"sum": 200, "scales": {"0": 2}}, "unrated": 0, "expected": {"sum": 100, "scales": {"1": 2}}, "rounding": {"sum": 0, "scales": {}}, "unpriced": 0, "unrated_amount": {"sum": 0, "scales": {}}}'::outlook_summary
	= outlook_agg(100, 0.5) + outlook_agg(100, 0.5) AS "reads back";
SELECT is_valid('{"deals": {"1002100000,1500000": 1}, "amount": {"sum": 100, "scales": {"0": 1}}, "unrated": 0, "expected": {"sum": 150, "scales": {"1": 1}}, "rounding": {"sum": 0, "scales": {}}, "unpriced": 0, "unrated_amount": {"sum": 0, "scales": {}}}'::outlook_summary) AS "a chance of 1.5";
SELECT '{"deals": {"1002100000": 1}, "amount": {"sum": 100, "scales": {"0": 1}}, "unrated": 0, "expected": {"sum": 50, "scales": {"1": 1}}, "rounding": {"sum": 0, "scales": {}}, "unpriced": 0, "unrated_amount": {"sum": 0, "scales": {}}}'::outlook_summary;
