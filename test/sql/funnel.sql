-- funnel_summary: how far deals get, and how long they stay
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2024-03-31';

CREATE TABLE funnel_event (deal text, stage_no int, entered_on date);
INSERT INTO funnel_event VALUES
('won', 1, '2024-01-01'), ('won', 2, '2024-01-11'), ('won', 3, '2024-01-16'), ('won', 2, '2024-01-20'),
('lost', 1, '2024-01-05'), ('lost', 3, '2024-02-05'),
('open', 1, '2024-02-01'), ('open', 2, '2024-02-15'),
('late', 1, '2024-04-15'), ('backwards', 1, '2024-01-01'), ('without an end', 1, '2024-01-01'), ('never', NULL, '2024-01-01'), ('once', 1, NULL);
CREATE TABLE funnel_deal (deal text, outcome text, closed_on date);
INSERT INTO funnel_deal VALUES
('won', 'won', '2024-02-19'), ('lost', 'lost', '2024-02-25'), ('open', 'open', '2024-05-01'), ('late', NULL, NULL),
('backwards', 'lost', '2023-12-31'), ('without an end', 'lost', NULL), ('never', 'won', '2024-02-01'), ('once', 'open', NULL), ('pathless', 'lost', '2024-02-01');
CREATE TABLE funnel AS
SELECT policy, funnel_agg(path, outcome, closed_on, policy) AS s
FROM unnest('{reached, strict, direct}'::text[]) AS policy
CROSS JOIN funnel_deal
LEFT JOIN (SELECT deal, stage_path_agg(stage_no, entered_on) AS path FROM funnel_event GROUP BY deal) AS p USING (deal)
GROUP BY policy;

SELECT jsonb_pretty(s::jsonb) FROM funnel WHERE policy = 'direct';
SELECT funnel_agg(NULL, outcome, closed_on) FROM funnel_deal WHERE false;
SELECT deal_count(s), pathless_count(s), invalid_count(s), undated_visit_count(s), undated_count(s), unstaged_count(s), regression_rate(s) FROM funnel WHERE policy = 'strict';
SELECT policy, stage_no, entered, advanced, won, lost, open, skipped, regressed, ended, reentered, conversion_rate, won_rate
FROM funnel, funnel_values(s)
ORDER BY array_position('{reached, strict, direct}', policy), stage_no;
SELECT stage_no, median_days, km_median_days, is_bottleneck, round(conversion_incidence_rate::numeric, 9) AS incidence,
	round(expected_days::numeric, 9) AS expected, round(expected_days_rate::numeric, 9) AS share
FROM funnel, funnel_values(s)
WHERE policy = 'reached';

-- as of another day, by another policy
SELECT stage_no, km_median_days, round(conversion_incidence_rate::numeric, 9) AS incidence FROM funnel, funnel_values(s, '2024-04-30') WHERE policy = 'reached';
SELECT stage_no, entered, advanced, ended FROM funnel, funnel_values(s, policy => 'direct') WHERE policy = 'reached';
SELECT count(*) FROM funnel_values(NULL);
SELECT count(*) FROM funnel, funnel_values(s, NULL);
SELECT count(*) FROM funnel, funnel_values(- s);

-- arguments
SELECT funnel_agg(NULL, 'verloren', NULL);
SELECT funnel_agg(NULL, 'won', NULL, 'loose');
SELECT funnel_agg(NULL, 'won', NULL, NULL);
SELECT funnel_agg(NULL, 'won', NULL, repeat('strict', 100));
SELECT funnel_agg(NULL, 'won', NULL, policy) FROM unnest('{reached, strict}'::text[]) AS policy;
SELECT rollup(s ORDER BY policy) FROM funnel;
SELECT funnel_values(s, 'infinity') FROM funnel;
SELECT funnel_values(s, '2024-01-01', 'STRICT') FROM funnel;

-- operators and input
SELECT s = s::text::funnel_summary AS same, (s + s) - s = s AS inverts, is_valid(s), is_valid(- s) AS negative FROM funnel;
SELECT is_valid(jsonb_set(s::jsonb, '{back_days,"1,-1"}', '1')::text::funnel_summary) AS "left before it was entered",
	is_valid(jsonb_set(s::jsonb, '{moves,"9,1"}', '1')::text::funnel_summary) AS "from a stage that nobody was in",
	is_valid(jsonb_set(s::jsonb, '{entered,"1,3"}', '1')::text::funnel_summary) AS "with an outcome that is none"
FROM funnel WHERE policy = 'strict';
SELECT jsonb_set(s::jsonb, '{policy}', '"loose"')::text::funnel_summary FROM funnel WHERE policy = 'strict';
SELECT jsonb_set(s::jsonb, '{moves}', '{"1": 1}')::text::funnel_summary FROM funnel WHERE policy = 'strict';
SELECT jsonb_set(s::jsonb, '{advanced}', '{"1,2": 1}')::text::funnel_summary FROM funnel WHERE policy = 'strict';
SELECT (s::jsonb - 'waiting')::text::funnel_summary FROM funnel WHERE policy = 'strict';
DROP TABLE funnel_event, funnel_deal, funnel;
