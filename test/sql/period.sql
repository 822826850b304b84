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

-- periods whose first days are given: 4-4-5 weeks, closed by the day behind the last
CREATE TABLE weeks AS SELECT '{2017-01-01,2017-01-29,2017-02-26,2017-04-02}'::date[] AS starts;
SELECT v.*
FROM weeks, LATERAL (SELECT period_agg(d, amount, 'month', starts) AS s
	FROM (VALUES ('2017-01-28'::date, 1), ('2017-01-29', 2), ('2017-02-25', 3), ('2017-04-01', 4), ('2017-04-02', 5), ('2016-12-31', 6)) AS x (d, amount)) AS p,
	LATERAL period_values(s, starts) AS v;
SELECT v.period_start, v.amount
FROM weeks, LATERAL period_agg_add(NULL, NULL, 91, '2017-01-01', '2017-04-01', 'month', starts) AS s, LATERAL period_values(s, starts) AS v;
SELECT period_growth_rate(s, '2017-02-25', starts) AS rate, period_growth_rate(s, '2017-01-28', starts) AS before
FROM weeks, LATERAL (SELECT period_agg(d, amount, 'month', starts) AS s FROM (VALUES ('2017-01-02'::date, 10), ('2017-01-30', 15)) AS x (d, amount)) AS p;
SELECT f.period_start, f.expected
FROM weeks, LATERAL (SELECT period_agg(d, 10, 'month', starts) AS s FROM unnest('{2017-01-02,2017-01-30}'::date[]) AS d) AS p, LATERAL period_forecast(s, 3, period_starts => starts) AS f;
-- none: everyday's calendar
SELECT period_agg('2017-01-28', 1, 'month', NULL) = period_agg('2017-01-28', 1, 'month') AS same, period_agg('2017-01-28', 1, 'month', '{}') = period_agg('2017-01-28', 1, 'month') AS same;
-- a calendar of months as they come, given: the same bytes, also of days outside it
SELECT count(*), bool_and(period_agg_add(NULL, d, 1, d, d + 100, g, starts) = period_agg_add(NULL, d, 1, d, d + 100, g)) AS same
FROM (VALUES ('month', '1 month'::interval), ('quarter', '3 months'), ('year', '1 year'), ('week', '1 week'), ('day', '1 day')) AS grain (g, width)
CROSS JOIN LATERAL (SELECT array_agg(day::date ORDER BY day) AS starts FROM generate_series(date_trunc(g, timestamp '2000-01-03'), '2009-12-31', width) AS day) AS c
CROSS JOIN unnest('{4714-11-24 BC,4714-12-01 BC,0001-12-31 BC,1999-12-31,2000-01-01,2000-02-29,2004-12-31,2009-11-30,2010-03-31,2012-02-29,5874897-06-30}'::date[]) AS d;
SELECT period_agg('2017-01-28', 1, 'month', '{2017-01-01,NULL}');
SELECT period_agg('2017-01-28', 1, 'month', '{{2017-01-01},{2017-02-01}}');
SELECT period_agg('2017-01-28', 1, 'month', '{2017-01-01,2017-03-01,2017-02-01}');
SELECT period_agg('2017-01-28', 1, 'month', '{2017-01-01,2017-01-01}');
SELECT period_agg('2017-01-28', 1, 'month', '{2017-01-01,infinity}');
DROP TABLE weeks;
