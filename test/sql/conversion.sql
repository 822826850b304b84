-- conversion_summary: how many of those that entered were converted
SET search_path = public, sales_perf;

SELECT conversion_agg(x) FROM unnest('{t,f,NULL,t}'::boolean[]) AS x;
SELECT conversion_agg(x) FROM unnest('{}'::boolean[]) AS x;
SELECT conversion_summary(3, 2);
SELECT conversion_summary(0, 0);
SELECT conversion_summary(9223372036854775807, 9223372036854775807);
SELECT conversion_summary(NULL, 2);
SELECT conversion_summary(2, 3);
SELECT conversion_summary(2, -1);
SELECT conversion_summary(-2, -3);

SELECT entered_count(s), converted_count(s), conversion_rate(s),
	round(conversion_rate_low(s)::numeric, 6) AS low, round(conversion_rate_high(s)::numeric, 6) AS high
FROM conversion_summary(10, 4) AS s;
SELECT entered_count(s), converted_count(s), conversion_rate(s), conversion_rate_low(s), conversion_rate_high(s)
FROM conversion_summary(0, 0) AS s;
SELECT round(conversion_p_value(conversion_summary(100, 40), conversion_summary(100, 55))::numeric, 6);

SELECT conversion_summary(3, 2) + conversion_summary(10, 4);
SELECT conversion_summary(3, 2) - conversion_summary(10, 4) AS s, is_valid(conversion_summary(3, 2) - conversion_summary(10, 4));
SELECT - conversion_summary(3, 2);
SELECT is_valid(s), entered_count(s), converted_count(s), conversion_rate(s)
FROM (VALUES (conversion_summary(5, 2) - conversion_summary(3, 2)), (conversion_summary(5, 2) - conversion_summary(5, 1))) AS v (s);
SELECT '{"converted": 2, "entered": 3}'::conversion_summary = conversion_summary(3, 2);
SELECT conversion_summary(3, 2)::jsonb -> 'entered';
SELECT s FROM (VALUES (conversion_summary(3, 2)), (conversion_summary(3, 1)), (conversion_summary(3, 2))) AS v (s) GROUP BY s ORDER BY s;

-- input
SELECT '{"entered": 3.0, "converted": 2e0}'::conversion_summary;
SELECT '{"entered": -3, "converted": 2}'::conversion_summary;
SELECT '{"entered": 3}'::conversion_summary;
SELECT '{}'::conversion_summary;
SELECT '{"entered": 3, "converted": 2, "lost": 1}'::conversion_summary;
SELECT '{"entered": 3, "Converted": 2}'::conversion_summary;
SELECT '{"entered": "3", "converted": 2}'::conversion_summary;
SELECT '{"entered": null, "converted": 2}'::conversion_summary;
SELECT '{"entered": true, "converted": 2}'::conversion_summary;
SELECT '{"entered": [3], "converted": 2}'::conversion_summary;
SELECT '{"entered": {}, "converted": 2}'::conversion_summary;
SELECT '{"entered": 1.5, "converted": 1}'::conversion_summary;
SELECT '{"entered": 9223372036854775808, "converted": 1}'::conversion_summary;
SELECT '{"entered": -9223372036854775809, "converted": 1}'::conversion_summary;
SELECT '{"entered": 1e300, "converted": 1}'::conversion_summary;
SELECT '[]'::conversion_summary;
SELECT '3'::conversion_summary;
SELECT 'null'::conversion_summary;
SELECT '"won"'::conversion_summary;
-- the last of a key that comes twice counts, as in jsonb
SELECT '{"entered": 3, "entered": 4, "converted": 2}'::conversion_summary;
-- a long key is not repeated in full
SELECT ('{"entered": 3, "converted": 2, "' || repeat('ä', 100) || '": 1}')::conversion_summary;
