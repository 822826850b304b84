-- closing_summary: input, output, operators and errors
SET search_path = sales_perf;

SELECT closing_agg(closed_on, outcome, amount, opened_on, 'month')
FROM (VALUES (date '2024-01-05', 'won', 10.50, date '2023-12-31'), ('2024-03-07', 'lost', 2, '2024-03-01'), ('2024-01-09', 'won', 1e30, '2024-01-09'), ('2024-03-08', 'won', 'NaN', NULL),
	(NULL, 'won', 1, '2024-01-01'), ('2024-03-31', 'open', 7, '2024-01-01'), ('2023-12-31', 'won', NULL, '2024-01-01'), ('2023-12-30', 'lost', NULL, NULL), ('2024-02-02', NULL, 3, NULL)) AS v (closed_on, outcome, amount, opened_on);
SELECT closing_agg(d, 'won', 1, d, 'day') FROM (VALUES (date '2024-01-05')) AS v (d) WHERE false;
SELECT closing_agg_add(NULL, '2024-01-05', 'won', 5, '2024-01-01', 'week') - closing_agg_add(NULL, '2024-01-05', 'won', 2.5, '2024-01-02', 'week');
SELECT is_valid(- closing_agg_add(NULL, '2024-01-05', 'won', 5, NULL, 'week')), is_valid(closing_agg_add(NULL, '2024-01-05', 'won', -5, NULL, 'week'));
SELECT v.*, open_count(s), undated_count(s)
FROM (SELECT closing_agg(closed_on, outcome, 12.50, '2024-01-01', 'quarter') AS s
	FROM (VALUES (date '2024-03-31', 'won'), ('2024-04-01', 'won'), ('2024-04-02', 'lost'), ('2023-12-31', 'won'), ('2024-04-03', 'open'), ('infinity', 'won')) AS v (closed_on, outcome)) AS x, closing_values(s) AS v;
SELECT * FROM closing_values(- closing_agg_add(NULL, '2024-01-05', 'won', 5, NULL, 'week'));
SELECT * FROM closing_values(NULL, '{2024-01-05}');

SELECT '{"grain": "month", "open": 1, "undated": 0, "periods": {"points": {"24288": {"won": 2, "lost": 1, "unpriced": 1, "cycles": 1, "won_amount": 12.50, "lost_amount": 1, "cycle_days": 31}}, "scales": {"0": 1, "2": 1}}}'::closing_summary;
SELECT '{"grain": "month", "open": 0, "undated": 0, "periods": {"points": {"24288": {"won": 2, "lost": 0, "unpriced": 0, "cycles": 0, "won_amount": {"sum": 1, "-Infinity": 1}, "lost_amount": 0, "cycle_days": 0}}, "scales": {"0": 1}}}'::closing_summary;
SELECT '{"grain": null, "open": 0, "undated": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;

-- what is no closing_summary
SELECT '[]'::closing_summary;
SELECT '{"open": 0, "undated": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "month", "open": 0, "undated": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;
SELECT '{"grain": null, "open": 1, "undated": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "lustrum", "open": 1, "undated": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "day", "open": 1.5, "undated": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "day", "open": 1, "invalid": 0, "periods": {"points": {}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "day", "open": 1, "undated": 0, "periods": {"points": {"1": {"won": 1, "lost": 0, "unpriced": 0, "cycles": 0, "won_amount": 1, "lost_amount": 0}}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "day", "open": 1, "undated": 0, "periods": {"points": {"1": {"won": 0, "lost": 0, "unpriced": 0, "cycles": 0, "won_amount": 0, "lost_amount": 0, "cycle_days": 0}}, "scales": {}}}'::closing_summary;
SELECT '{"grain": "day", "open": 1, "undated": 0, "periods": {"points": {"1": {"won": 1, "lost": 0, "unpriced": 0, "cycles": 0, "won_amount": "1", "lost_amount": 0, "cycle_days": 0}}, "scales": {}}}'::closing_summary;
SELECT '{"undated": 0, "grain": "day", "invalid": 0, "periods": {"points": {"1": {"rows": 1, "amount": 1, "covered": 0, "unpriced": 0}}, "scales": {"0": 1}}}'::closing_summary;

-- accessors heed what cannot be: more won deals unpriced, or with a cycle, than won; a period without days; days that the cycles cannot have taken, or that are none
SELECT what, is_valid(s), open_count(s), (SELECT count(*) FROM closing_values(s)) AS periods
FROM (VALUES ('as it may be', '9', 1, 1, 3::numeric), ('the longest cycle', '9', 0, 1, 2147483493), ('unpriced', '9', 2, 1, 3), ('cycles', '9', 0, 2, 3), ('period', '9999999999', 0, 1, 3), ('no cycle', '9', 0, 0, 3),
	('too long', '9', 0, 1, 2147483494), ('below 0', '9', 0, 1, -1), ('half a day', '9', 0, 1, 0.5), ('NaN', '9', 0, 1, 'NaN'), ('Infinity', '9', 0, 1, 'Infinity'), ('beyond any number', '9', 0, 1, 1e40)) AS v (what, period, unpriced, cycles, days),
	LATERAL CAST(format('{"grain": "day", "open": 1, "undated": 0, "periods": {"points": {"%s": {"won": 1, "lost": 0, "unpriced": %s, "cycles": %s, "won_amount": 1, "lost_amount": 0, "cycle_days": %s}}, "scales": {"0": 1}}}',
		period, unpriced, cycles, CASE WHEN days IN ('NaN', 'Infinity') THEN format('{"sum": 3, "%s": 1}', days) ELSE days::text END) AS closing_summary) AS s;

SELECT closing_agg('2024-01-01', 'won', 1, NULL, g) FROM unnest('{month, week}'::text[]) AS g;
SELECT closing_agg('2024-01-01', 'won', 1, NULL, 'Month');
SELECT closing_agg('2024-01-01', 'won', 1, NULL, NULL);
SELECT closing_agg('2024-01-01', 'Won', 1, NULL, 'month');

-- periods whose first days are given: 4-4-5 weeks, closed by the day behind the last; days outside go on by the grain
CREATE TABLE weeks AS SELECT '{2017-01-01,2017-01-29,2017-02-26,2017-04-02}'::date[] AS starts;
SELECT v.*
FROM weeks, LATERAL (SELECT closing_agg(d, 'won', amount, d - 1, 'month', starts) AS s
	FROM (VALUES ('2017-01-28'::date, 1), ('2017-01-29', 2), ('2017-02-25', 3), ('2017-04-01', 4), ('2017-04-02', 5), ('2016-12-31', 6)) AS x (d, amount)) AS p,
	LATERAL closing_values(s, starts) AS v;
-- none: everyday's calendar
SELECT closing_agg('2017-01-28', 'won', 1, NULL, 'month', NULL) = closing_agg('2017-01-28', 'won', 1, NULL, 'month') AS same, closing_agg('2017-01-28', 'won', 1, NULL, 'month', '{}') = closing_agg('2017-01-28', 'won', 1, NULL, 'month') AS same;
SELECT v.period_start FROM closing_values(closing_agg_add(NULL, '2017-01-28', 'won', 1, NULL, 'month'), '{}') AS v;
SELECT closing_agg('2017-01-28', 'won', 1, NULL, 'month', '{2017-01-01,NULL}');
SELECT closing_agg('2017-01-28', 'won', 1, NULL, 'month', '{2017-01-01,2017-01-01}');
SELECT * FROM closing_values(closing_agg_add(NULL, '2017-01-28', 'won', 1, NULL, 'month'), '{2017-01-01,infinity}');
DROP TABLE weeks;
