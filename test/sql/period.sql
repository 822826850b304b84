-- period_summary: input, output, operators and errors
SET search_path = sales_perf;

SELECT period_agg(d, a, 'month')
FROM (VALUES (date '2024-01-05', 10.50), ('2024-03-07', 2), ('2024-01-09', 1e30), ('2024-03-08', 'NaN'), (NULL, 1), ('2023-12-31', NULL)) AS v (d, a);
SELECT period_agg(d, a, f, t, 'quarter')
FROM (VALUES (NULL::date, 100, date '2024-01-15', date '2024-04-14'), ('2024-01-01', 1, NULL, '2024-02-01')) AS v (d, a, f, t);
SELECT period_agg(d, 1, 'day') FROM (VALUES (date '2024-01-05')) AS v (d) WHERE false;
SELECT period_agg_add(NULL, '2024-01-05', 5, 'week') - period_agg_add(NULL, '2024-01-05', 2.5, 'week');
SELECT is_valid(- period_agg_add(NULL, '2024-01-05', 5, 'week')), is_valid(period_agg_add(NULL, '2024-01-05', -5, 'week'));
SELECT * FROM period_values(- period_agg_add(NULL, '2024-01-05', 5, 'week'));

SELECT '{"grain": "month", "undated": 0, "invalid": 0, "periods": {"points": {"24288": {"rows": 2, "unpriced": 0, "covered": 0, "amount": 12.50}}, "scales": {"2": 2}}}'::period_summary;
SELECT '{"grain": "month", "undated": 0, "invalid": 0, "periods": {"points": {"24288": {"rows": 2, "unpriced": 0, "covered": 0, "amount": {"sum": 1, "-Infinity": 1}}}, "scales": {"2": 2}}}'::period_summary;
SELECT '{"grain": null, "undated": 0, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::period_summary;

-- what is no period_summary
SELECT '[]'::period_summary;
SELECT '{"undated": 0, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::period_summary;
SELECT '{"grain": "month", "undated": 0, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::period_summary;
SELECT '{"grain": null, "undated": 1, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::period_summary;
SELECT '{"grain": "lustrum", "undated": 1, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::period_summary;
SELECT '{"grain": 3, "undated": 1, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": [], "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1": 5}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1,2": {"rows": 1, "unpriced": 0, "covered": 0, "amount": 1}}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1": {"rows": 1, "unpriced": 0, "amount": 1}}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1": {"rows": 0, "unpriced": 0, "covered": 0, "amount": 0}}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1": {"rows": 1, "unpriced": 0, "covered": 0, "amount": "1"}}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1": {"rows": 1, "unpriced": 0, "covered": 0, "amount": {"sum": 1, "nan": 1}}}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"1": {"rows": 1, "unpriced": 0, "covered": 0, "amount": 1, "more": 1}}, "scales": {}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {}, "scales": {"NaN": 1}}}'::period_summary;
SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {}, "scales": {}, "more": 1}}'::period_summary;

-- accessors heed what cannot be
SELECT is_valid(s), undated_count(s), period_growth_rate(s, '2024-01-01')
FROM (SELECT '{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"9999999999": {"rows": 1, "unpriced": 0, "covered": 0, "amount": 1}}, "scales": {"0": 1}}}'::period_summary AS s) AS x;
SELECT is_valid('{"grain": "day", "undated": 1, "invalid": 0, "periods": {"points": {"9": {"rows": 1, "unpriced": 2, "covered": 0, "amount": 1}}, "scales": {"0": 1}}}'::period_summary);

SELECT period_agg('2024-01-01', 1, g) FROM unnest('{month, week}'::text[]) AS g;
SELECT period_agg('2024-01-01', 1, 'Month');
SELECT period_agg('2024-01-01', 1, NULL);
