-- amount_summary: totals, averages, spread and quantiles of amounts
SET search_path = public, sales_perf;

SELECT amount_agg(x) FROM unnest('{1.10, 2, NULL, -3.5, 0.000}'::numeric[]) AS x;
SELECT amount_agg(x) FROM unnest('{NaN, Infinity, -Infinity, 1}'::numeric[]) AS x;
SELECT amount_agg(x) FROM unnest('{}'::numeric[]) AS x;
SELECT amount_agg(x) FROM unnest('{1e20, 1e-20}'::numeric[]) AS x;
SELECT amount_agg(x) - amount_agg(x) FROM unnest('{1e20, 1e-20, NaN}'::numeric[]) AS x;

SELECT amount_count(s), amount_total(s), amount_average(s), amount_stddev(s), amount_median(s), amount_percentile(s, 0.25)
FROM (SELECT amount_agg(x) AS s FROM unnest('{1.10, 2, NULL, 3.5, 4.40}'::numeric[]) AS x) AS a;
SELECT amount_count(s), amount_total(s), amount_average(s), amount_stddev(s), amount_median(s), amount_percentile(s, 0.25)
FROM (SELECT amount_agg(x) AS s FROM unnest('{}'::numeric[]) AS x) AS a;
SELECT amount_count(s), amount_total(s), amount_average(s), amount_stddev(s), amount_median(s)
FROM (SELECT amount_agg(5.00) AS s) AS a;
SELECT amount_count(s), amount_total(s), amount_average(s), amount_stddev(s), amount_median(s)
FROM (SELECT NULL::amount_summary) AS v (s);
SELECT x AS amounts, amount_total(s), amount_average(s), amount_stddev(s)
FROM (VALUES ('{NaN, 1}'::numeric[]), ('{Infinity, 1}'), ('{-Infinity, 1}'), ('{Infinity, -Infinity}'), ('{Infinity, NaN}')) AS v (x),
	LATERAL (SELECT amount_agg(e) AS s FROM unnest(x) AS e) AS a;
SELECT amount_percentile(amount_agg(1), 1.01);
SELECT amount_percentile(amount_agg(1), 'NaN');

-- input
SELECT '{"amount": {"sum": 3.1, "squares": 5.21, "scales": {"0": 1, "2": 1}}, "amounts": {"5740011": 1, "5740101": 1}}'::amount_summary;
SELECT is_valid('{"amount": {"sum": 3.1, "squares": 5.21, "scales": {"2": 1}}, "amounts": {"5740011": 2}}'::amount_summary) AS "rows do not agree";
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"squares": 0, "scales": {}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "scales": {}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}, "cubes": 0}, "amounts": {}}'::amount_summary;
SELECT '{"amount": 0, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": "0", "squares": 0, "scales": {}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": {}, "squares": 0, "scales": {}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": []}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": []}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {"0": 0}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {"0": 1.5}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {"0": "1"}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {"-1": 1}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {"16384": 1}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {"nan": 1}}, "amounts": {}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"NaN": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"01": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"+1": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {" 1": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"1.0": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"9223372036854775808": 1}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"1": 0}}'::amount_summary;
SELECT '{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"1": {"2": 3}}}'::amount_summary;
SELECT ('{"amount": {"sum": 0, "squares": 0, "scales": {}}, "amounts": {"' || repeat('1', 1000) || '": 1}}')::amount_summary;
SELECT ('{"amount": ' || repeat('[', 100) || repeat(']', 100) || ', "amounts": {}}')::amount_summary;
