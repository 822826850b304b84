-- cycle_summary: how long deals take
SET search_path = public, sales_perf;

CREATE TABLE cycle_deal (outcome text, opened_on date, closed_on date);
INSERT INTO cycle_deal VALUES
('won', '2024-01-01', '2024-01-11'), ('won', '2024-01-01', '2024-01-01'), ('lost', '2024-01-05', '2024-01-10'), ('open', '2024-01-20', '2024-03-01'),
(NULL, '2024-01-25', NULL), ('won', NULL, '2024-01-03'), ('open', NULL, NULL), ('won', '2024-01-05', '2024-01-04'), ('lost', '2024-01-05', NULL);

SELECT cycle_agg(outcome, opened_on, closed_on) FROM cycle_deal;
SELECT cycle_agg(outcome, opened_on, closed_on) FROM cycle_deal WHERE false;
SELECT cycle_count(s), cycle_average(s), cycle_median(s), cycle_percentile(s, 0.9), invalid_count(s), undated_count(s)
FROM (SELECT cycle_agg(outcome, opened_on, closed_on) AS s FROM cycle_deal) AS c;
SELECT day, at_risk, won, lost, round(survival::numeric, 6) AS survival, round(survival_se::numeric, 6) AS survival_se,
	round(win_incidence::numeric, 6) AS win_incidence, round(loss_incidence::numeric, 6) AS loss_incidence
FROM cycle_curve((SELECT cycle_agg(outcome, opened_on, closed_on) FROM cycle_deal), '2024-01-31');
SELECT cycle_km_median(s, '2024-01-31') AS median, cycle_km_median_low(s, '2024-01-31') AS low, cycle_km_median_high(s, '2024-01-31') AS high,
	win_incidence(s, 5, '2024-01-31') AS won_within_5, round(win_chance(s, 5, 10, '2024-01-31')::numeric, 6) AS chance
FROM (SELECT cycle_agg(outcome, opened_on, closed_on) AS s FROM cycle_deal) AS c;

-- outcomes
SELECT outcome, cycle_agg(outcome, '2024-01-01', '2024-01-02') FROM unnest('{won, lost, open, NULL}'::text[]) AS outcome GROUP BY outcome ORDER BY outcome;
SELECT cycle_agg('', NULL, NULL);
SELECT cycle_agg('w', NULL, NULL);
SELECT cycle_agg('wo', NULL, NULL);
SELECT cycle_agg('Won', NULL, NULL);
SELECT cycle_agg('won ', NULL, NULL);
SELECT cycle_agg('woan', NULL, NULL);
SELECT cycle_agg('lose', NULL, NULL);
SELECT cycle_agg('opon', NULL, NULL);
SELECT cycle_agg('opened', NULL, NULL);
SELECT cycle_agg('losst', NULL, NULL);
SELECT cycle_agg('verloren', NULL, NULL);
SELECT cycle_agg('выиграна', NULL, NULL);
SELECT cycle_agg(repeat('ü', 100), NULL, NULL);
SELECT cycle_agg(repeat('0123456789', 100000), NULL, NULL);

-- dates at the ends: infinite ones count as invalid
SELECT name, cycle_agg(outcome, opened_on, closed_on)
FROM (VALUES
	('opened -infinity', 'won', date '-infinity', date '2024-01-01'), ('opened infinity', 'open', 'infinity', NULL), ('closed infinity', 'lost', '2024-01-01', 'infinity'),
	('closed -infinity', 'lost', '2024-01-01', '-infinity'), ('both infinity', 'won', 'infinity', 'infinity'), ('open until infinity', 'open', '2024-01-01', 'infinity'),
	('all of time', 'won', '4713-01-01 BC', '5874897-12-31'), ('backwards', 'won', '5874897-12-31', '4713-01-01 BC'),
	('opened first', 'open', '4713-01-01 BC', NULL), ('opened last', 'open', '5874897-12-31', NULL)) AS v (name, outcome, opened_on, closed_on)
GROUP BY name
ORDER BY name COLLATE "C";
SELECT cycle_average(s), cycle_median(s), cycle_km_median(s, '2024-01-01') FROM (SELECT cycle_agg('won', '4713-01-01 BC', '5874897-12-31') AS s) AS c;
SELECT day, at_risk FROM cycle_curve((SELECT cycle_agg('open', d, NULL) FROM unnest('{4713-01-01 BC, 5874897-12-31}'::date[]) AS d), '5874897-12-31');
SELECT cycle_curve(cycle_agg('open', '2024-01-01', NULL), 'infinity');
SELECT cycle_curve(cycle_agg('open', '2024-01-01', NULL), '-infinity');
SELECT count(*) FROM cycle_curve(NULL::cycle_summary, '2024-01-01');

-- arguments
SELECT cycle_percentile(cycle_agg('won', '2024-01-01', '2024-01-02'), -0.01);
SELECT win_incidence(cycle_agg('won', '2024-01-01', '2024-01-02'), -1, '2024-02-01');
SELECT win_chance(cycle_agg('won', '2024-01-01', '2024-01-02'), -1, 5, '2024-02-01');
SELECT win_chance(cycle_agg('won', '2024-01-01', '2024-01-02'), 5, -1, '2024-02-01');
SELECT cycle_p_value(s, s, '2024-02-01', 'Won') FROM (SELECT cycle_agg('won', '2024-01-01', '2024-01-02') AS s) AS c;
SELECT cycle_p_value(s, s, '2024-02-01', NULL) FROM (SELECT cycle_agg('won', '2024-01-01', '2024-01-02') AS s) AS c;

-- input
SELECT is_valid('{"undated": 0, "invalid": 0, "won_days": {"-1": 1}, "lost_days": {}, "open_on": {}}'::cycle_summary) AS "closed before opened";
SELECT is_valid('{"undated": 0, "invalid": 0, "won_days": {}, "lost_days": {}, "open_on": {"-1": 1}}'::cycle_summary) AS "opened before 2000";
SELECT '{"undated": 0, "invalid": 0, "won_days": {}, "lost_days": {}}'::cycle_summary;
SELECT '{"undated": 0, "invalid": 0, "won_days": {}, "lost_days": {}, "open_on": null}'::cycle_summary;
SELECT '{"undated": 0, "invalid": 0, "won_days": {"x": 1}, "lost_days": {}, "open_on": {}}'::cycle_summary;
DROP TABLE cycle_deal;
