-- attainment_summary: what was reached of what was to be reached
SET search_path = public, sales_perf;

SELECT attainment_agg(a, t) FROM (VALUES (80.50, 100), (100, 100.0), (120, 100), (-5, 100), (NULL, 100)) AS v (a, t);
SELECT attainment_agg(a, t) FROM (VALUES (1.5, NULL), (2, 0), (3, -1), (4, 'NaN'::numeric), (5, 'Infinity'), (NULL, NULL), ('NaN'::numeric, 0)) AS v (a, t);
SELECT attainment_agg(a, t) FROM (VALUES ('NaN'::numeric, 10), ('Infinity', 10), ('-Infinity', 10)) AS v (a, t);
SELECT attainment_agg(NULL, NULL) FROM generate_series(1, 0);
SELECT attainment_agg(1e20, 3e-20) - attainment_agg(1e20, 3e-20);

SELECT attainment_rate(s), attainment_gap(s), targeted_count(s), attained_count(s), attained_rate(s), unreported_count(s), untargeted_count(s)
FROM (SELECT attainment_agg(a, t) AS s FROM (VALUES (80.50, 100), (100, 100.0), (120, 100), (-5, 100), (NULL, 100), (60, NULL)) AS v (a, t)) AS a;
SELECT actual_amount(s), target_amount(s), untargeted_amount(s), attainment_median(s), attainment_percentile(s, 0.9), attainment_gini(s), pace(s, 0.25)
FROM (SELECT attainment_agg(a, t) AS s FROM (VALUES (80.50, 100), (100, 100.0), (120, 100), (5, 100), (NULL, 100), (60, NULL)) AS v (a, t)) AS a;
SELECT attainment_rate(s), attainment_gap(s), targeted_count(s), attained_count(s), attained_rate(s), unreported_count(s), untargeted_count(s),
	actual_amount(s), target_amount(s), untargeted_amount(s), attainment_median(s), attainment_gini(s), pace(s, 1)
FROM (SELECT attainment_agg(1, NULL) - attainment_agg(1, NULL) AS s) AS a;
SELECT attainment_rate(s), attainment_gap(s), attained_count(s) FROM (SELECT NULL::attainment_summary) AS v (s);
SELECT pace(attainment_agg(1, 2), -0.01);
SELECT pace(attainment_agg(1, 2), 50);
SELECT attainment_percentile(attainment_agg(1, 2), 1.01);

-- input
SELECT '{"actual": {"sum": 90, "scales": {"0": 1}}, "ratios": {"9000": 1}, "target": {"sum": 100, "scales": {"0": 1}}, "attained": 0, "unreported": 0, "untargeted": 0, "untargeted_actual": {"sum": 0, "scales": {}}}'::attainment_summary
	= attainment_agg(90, 100) AS "reads back";
SELECT is_valid('{"actual": {"sum": 90, "scales": {"0": 1}}, "ratios": {"9000": 1}, "target": {"sum": 100, "scales": {"0": 1}}, "attained": 1, "unreported": 0, "untargeted": 0, "untargeted_actual": {"sum": 0, "scales": {}}}'::attainment_summary) AS "0.9 is not attained";
SELECT '{"actual": {"sum": 90, "scales": {"0": 1}}}'::attainment_summary;
SELECT attainment_agg(1::bigint, '5');
