-- feedback_due: who is due, by whom and since when, against days counted by hand; the facts, against planted
-- ones; deviations against plain SQL.
SELECT plan(29);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-04-30';
BEGIN;
INSERT INTO team (team_id, name, parent_team_id, manager_rep_id) VALUES ('all', 'All', NULL, 'boss'), ('mid', 'Middle', 'all', NULL), ('north', 'North', 'mid', 'ann'), ('south', 'South', 'all', 'dan');
INSERT INTO rep (rep_id, name, team_id, hired_on, left_on)
VALUES ('boss', 'Boss', 'all', NULL, NULL), ('ann', 'Ann', 'north', NULL, NULL), ('bob', 'Bob', 'north', NULL, NULL), ('cid', 'Cid', 'south', NULL, NULL), ('dan', 'Left', 'south', NULL, '2025-04-29'),
       ('eve', 'Has no team', NULL, NULL, NULL), ('fay', 'New', 'north', '2025-04-20', NULL), ('gus', 'Comes', 'north', '2025-05-01', NULL), ('hal', 'Moved', 'south', NULL, NULL);
COMMIT;
SELECT move_rep('hal', 'north', '2025-04-01') \gset

SELECT results_eq($$SELECT rep_id, team_id, manager_rep_id, managed_team_id FROM rep_manager ORDER BY rep_id COLLATE "C"$$,
                  $$VALUES ('ann', 'north', 'boss', 'all'), ('bob', 'north', 'ann', 'north'), ('cid', 'south', 'boss', 'all'), ('dan', 'south', 'boss', 'all'),
                           ('fay', 'north', 'ann', 'north'), ('gus', 'north', 'ann', 'north'), ('hal', 'north', 'ann', 'north')$$,
                  'the manager of the team, or the nearest above who is another and still there');

SELECT is_empty('SELECT FROM feedback_due', 'without a cycle nobody is due');
INSERT INTO review_cycle (team_id, every_days, starts_on) VALUES ('south', 30, '2025-01-01');
SELECT results_eq('SELECT rep_id, due_on FROM feedback_due', $$VALUES ('cid', date '2025-01-31')$$, 'of one team');
INSERT INTO review_cycle (team_id, every_days, starts_on) VALUES (NULL, 14, '2025-01-01'), ('mid', 1, '2025-01-01');
INSERT INTO feedback (feedback_id, from_rep_id, to_rep_id, kind, body, shared_at, corrects_feedback_id)
VALUES (1, 'ann', 'bob', 'review', 'x', '2025-03-01 12:00', NULL), (2, 'cid', 'bob', 'review', 'x', '2025-04-16 23:59', NULL), (3, 'boss', 'cid', 'review', 'x', '2025-03-01 12:00', NULL),
       (4, 'boss', 'cid', 'review', 'x', '2025-04-20 12:00', 3), (5, 'boss', 'ann', 'review', 'x', NULL, NULL), (6, 'boss', 'ann', 'review', 'x', '2025-05-01 00:00', NULL),
       (7, 'boss', 'hal', 'review', 'x', '2025-04-17 00:00', NULL);
SELECT results_eq($$SELECT rep_id, team_id, manager_rep_id, every_days, last_feedback_on, due_on, days_overdue, is_overdue FROM feedback_due ORDER BY rep_id COLLATE "C"$$,
                  $$VALUES ('ann', 'north', 'boss', 14, NULL::date, date '2025-01-15', 105, true), ('bob', 'north', 'ann', 14, '2025-04-16', '2025-04-30', 0, false),
                           ('boss', 'all', NULL, 14, NULL, '2025-01-15', 105, true), ('cid', 'south', 'boss', 30, '2025-03-01', '2025-03-31', 30, true)$$,
                  'drafts, corrections and what is shared later do not count; a cycle is not that of the teams below; who is new has time');
SELECT results_eq($$SELECT rep_id, fact_count, compared_kpi_count, fact_1, summary_text FROM feedback_due WHERE rep_id IN ('bob', 'boss', 'cid') ORDER BY rep_id COLLATE "C"$$,
                  $$VALUES ('bob', 0::bigint, 0::bigint, NULL, 'Ann is to give Bob feedback today (every 14 days; the last was on 2025-04-16). Nothing stands out. Looked at: running goals that are behind (chance below 10 %, or pace below 0.8 and chance below 30 % or not known), at risk or achieved; open alerts; KPIs off by 2 robust standard deviations or more. There is not enough data to compare KPIs.'),
                           ('boss', 0, 0, NULL, 'Feedback is due to Boss, who has no manager: it was due on 2025-01-15 and is 105 days overdue (every 14 days; there was none before). Nothing stands out. Looked at: running goals that are behind (chance below 10 %, or pace below 0.8 and chance below 30 % or not known), at risk or achieved; open alerts; KPIs off by 2 robust standard deviations or more. There is not enough data to compare KPIs.'),
                           ('cid', 0, 0, NULL, 'Boss is to give Cid feedback: it was due on 2025-03-31 and is 30 days overdue (every 30 days; the last was on 2025-03-01). Nothing stands out. Looked at: running goals that are behind (chance below 10 %, or pace below 0.8 and chance below 30 % or not known), at risk or achieved; open alerts; KPIs off by 2 robust standard deviations or more. There is not enough data to compare KPIs.')$$,
                  'in plain words');
INSERT INTO feedback_reply (feedback_id, acknowledged_at) VALUES (4, '2025-04-22 12:00'), (6, '2025-05-01 12:00');
SELECT results_eq($$SELECT feedback_id, to_rep_id, shared_on, correction_count, latest_feedback_id, acknowledged_on FROM feedback_thread ORDER BY 1$$,
                  $$VALUES (1::bigint, 'bob', date '2025-03-01', 0::bigint, 1::bigint, NULL::date), (2, 'bob', '2025-04-16', 0, 2, NULL), (3, 'cid', '2025-03-01', 1, 4, '2025-04-22'), (7, 'hal', '2025-04-17', 0, 7, NULL)$$,
                  'a correction belongs to what it corrects');
SET sales_perf.as_of = '2025-04-21';
SELECT results_eq($$SELECT correction_count, acknowledged_on FROM feedback_thread WHERE feedback_id = 3$$, $$VALUES (1::bigint, NULL::date)$$, 'as of a day before it was acknowledged');
SET sales_perf.as_of = '2025-04-19';
SELECT results_eq($$SELECT correction_count, latest_feedback_id FROM feedback_thread WHERE feedback_id = 3$$, $$VALUES (0::bigint, 3::bigint)$$, 'and before it was corrected');
SELECT is((SELECT manager_rep_id FROM rep_manager WHERE rep_id = 'cid'), 'dan', 'while he was there it was his team');

-- ---------------------------------------------------------------- the facts

SELECT sales_perf.create_mart('fact') \gset
SET search_path = fact, public;
SET sales_perf.as_of = '2025-05-15';
BEGIN;
INSERT INTO team (team_id, name, manager_rep_id) VALUES ('t', 'Team', 'm');
INSERT INTO rep (rep_id, name, team_id) VALUES ('m', 'Max', NULL);
COMMIT;
INSERT INTO rep (rep_id, name, team_id, hired_on) SELECT 'r' || n, 'Rep ' || n, 't', CASE n WHEN 11 THEN date '2025-01-15' WHEN 12 THEN '2024-11-01' END FROM generate_series(1, 13) AS n;
-- 50 deals a quarter each but for r13, who has 10: won ones, their amounts and cycles by rep and quarter
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT concat_ws(' ', rep_id, q, k), rep_id, 1000 + 37 * n + 10 * k + 5 * ((n * k) % 7), CASE WHEN k <= won THEN 'won' ELSE 'lost' END,
       closed_on - (30 + (n * 5) % 11 + k % 3 + CASE WHEN n = 4 THEN 40 * q ELSE 0 END), closed_on
  FROM (SELECT 'r' || n AS rep_id, n, q,
               CASE WHEN n = 1 AND q = 1 THEN 4 WHEN n = 2 AND q = 1 THEN 48 ELSE 20 + (n * 3 + q) % 5 END AS won
          FROM generate_series(1, 13) AS n, generate_series(0, 1) AS q) AS r
 CROSS JOIN generate_series(1, 50) AS k
 CROSS JOIN LATERAL (SELECT (CASE q WHEN 0 THEN date '2024-10-01' ELSE '2025-01-01' END + k) AS closed_on) AS day
 WHERE n < 13 OR k > won - 5 AND k <= won + 5;
-- of the running quarter: not compared
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on) VALUES ('later', 'r3', 1000000, 'won', '2025-04-01', '2025-04-10');
ANALYZE;

-- by plain SQL
CREATE TEMP TABLE oracle AS
WITH figure AS (
    SELECT d.rep_id, q, kpi_code, CASE kpi_code
               WHEN 'win_rate' THEN count(*) FILTER (WHERE outcome = 'won')::numeric / count(*)
               WHEN 'bookings_amount' THEN sum(amount) FILTER (WHERE outcome = 'won')
               WHEN 'average_deal_amount' THEN avg(amount) FILTER (WHERE outcome = 'won')
               ELSE avg(closed_on - opened_on) FILTER (WHERE outcome = 'won') END AS value,
           CASE kpi_code WHEN 'win_rate' THEN count(*) >= 30 WHEN 'bookings_amount' THEN true ELSE count(*) FILTER (WHERE outcome = 'won') >= 20 END AS is_enough
      FROM deal d
     CROSS JOIN LATERAL (SELECT CASE WHEN closed_on BETWEEN '2024-10-01' AND '2024-12-31' THEN 0 WHEN closed_on BETWEEN '2025-01-01' AND '2025-03-31' THEN 1 END AS q) AS quarter
     CROSS JOIN unnest('{win_rate,bookings_amount,average_deal_amount,cycle_average_days}'::text[]) AS kpi_code
     WHERE q IS NOT NULL
     GROUP BY 1, 2, 3
),
now AS (
    SELECT n.rep_id, n.kpi_code, n.value,
           CASE WHEN p.is_enough AND n.rep_id NOT IN ('r11', 'r12') THEN n.value - p.value END AS change
      FROM figure n
      JOIN figure p ON p.rep_id = n.rep_id AND p.kpi_code = n.kpi_code AND p.q = 0
     WHERE n.q = 1 AND n.is_enough AND n.rep_id <> 'r11'
),
middle AS (SELECT kpi_code, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS v, percentile_cont(0.5) WITHIN GROUP (ORDER BY change) AS c FROM now GROUP BY 1),
spread AS (SELECT kpi_code, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(value - v)) AS v, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(change - c)) AS c FROM now JOIN middle USING (kpi_code) GROUP BY 1)
SELECT rep_id, kpi_code, CASE kpi_code WHEN 'cycle_average_days' THEN -1 ELSE 1 END * (value - m.v) / (1.4826 * CASE WHEN s.v > 1e-9 THEN s.v END) AS peer_deviation,
       CASE kpi_code WHEN 'cycle_average_days' THEN -1 ELSE 1 END * (change - m.c) / (1.4826 * CASE WHEN s.c > 1e-9 THEN s.c END) AS change_deviation
  FROM now JOIN middle m USING (kpi_code) JOIN spread s USING (kpi_code);
SELECT is((SELECT count(*) FROM oracle), 43::bigint, 'ten reps have enough for four KPIs, one for two, one for one');
SELECT is_empty($$SELECT d.rep_id, d.kpi_code, d.peer_deviation, o.peer_deviation, d.change_deviation, o.change_deviation
                    FROM rep_deviation d FULL JOIN oracle o ON o.rep_id = d.rep_id AND o.kpi_code = d.kpi_code
                   WHERE d.rep_id <> 'm' AND ((d.peer_deviation IS NULL) <> (o.peer_deviation IS NULL) OR (d.change_deviation IS NULL) <> (o.change_deviation IS NULL)
                          OR abs(d.peer_deviation - o.peer_deviation) > 1e-9 OR abs(d.change_deviation - o.change_deviation) > 1e-9)$$, 'deviations are those of plain SQL');
SELECT isnt_empty('SELECT FROM rep_deviation WHERE abs(peer_deviation) > 2', 'there are some');
SELECT results_eq($$SELECT rep_id, kpi_code, note FROM rep_deviation WHERE rep_id IN ('r11', 'r13', 'm') AND kpi_code IN ('win_rate', 'bookings_amount') ORDER BY rep_id COLLATE "C", kpi_code$$,
                  $$VALUES ('m', 'bookings_amount', 'not enough data: n = 0, needed: 1 or more'), ('m', 'win_rate', 'not enough data: n = 0, needed: 30 or more'),
                           ('r11', 'bookings_amount', 'not enough data: not employed for the whole quarter'), ('r11', 'win_rate', 'not enough data: not employed for the whole quarter'),
                           ('r13', 'bookings_amount', 'compared'), ('r13', 'win_rate', 'not enough data: n = 10, needed: 30 or more')$$, 'not enough data, in words');

INSERT INTO review_cycle (every_days, starts_on) VALUES (30, '2025-01-01');
CREATE TEMP TABLE due AS SELECT * FROM feedback_due;
SELECT ok(fact_1 ~ '^win rate 8 % \(n = 50\) in 2025-Q1, (worse|after)', 'the planted fall of a win rate to 4 of 50 is worth talking about, or its bookings: ' || fact_1) FROM due WHERE rep_id = 'r1' AND fact_1 LIKE 'win%'
UNION ALL SELECT ok(fact_2 ~ '^bookings|^win rate' OR fact_1 ~ '^bookings', 'the planted fall shows in the bookings first: ' || fact_1) FROM due WHERE rep_id = 'r1' AND fact_1 NOT LIKE 'win%';
SELECT ok(fact_1 ~ ' better ' OR fact_1 ~ 'a change better', 'and so is the planted rise: ' || fact_1) FROM due WHERE rep_id = 'r2';
SELECT ok(concat(fact_1, fact_2, fact_3) ~ 'average cycle [0-9.]+ days \(n = 2[0-9]\) in 2025-Q1', 'and the planted longer cycles: ' || fact_1) FROM due WHERE rep_id = 'r4';
SELECT results_eq($$SELECT rep_id, (least(peer, change) <= -2)::boolean, (greatest(peer, change) >= 2)::boolean FROM (SELECT rep_id, min(peer_deviation) AS peer, min(change_deviation) AS change FROM oracle WHERE rep_id IN ('r1', 'r4') GROUP BY 1) AS o ORDER BY 1$$,
                  $$VALUES ('r1', true, false), ('r4', true, false)$$, 'as the deviations say');
SELECT is_empty($$SELECT rep_id FROM due d WHERE fact_count <> (SELECT count(*) FROM oracle o WHERE o.rep_id = d.rep_id AND greatest(abs(o.peer_deviation), abs(o.change_deviation)) >= 2)$$, 'as many facts as KPIs that are off by 2 or more, without goals and alerts');

-- goals and alerts: behind, alert, worse KPI; of one kind the more urgent first
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason)
VALUES ('g1', 'Far off', 'r1', 'bookings_amount', 100000000, '2025-04-01', '2025-05-16', 'test'), ('g2', 'Done', 'r3', 'bookings_amount', 1000, '2025-04-01', '2025-06-30', 'test'),
       ('over', 'Over', 'r5', 'bookings_amount', 100000000, '2025-04-01', '2025-05-15', 'test'), ('next', 'Next', 'r5', 'bookings_amount', 100000000, '2025-05-16', '2025-06-15', 'test');
INSERT INTO alert_rule (rule_id, name, kpi_code, level, basis, comparison, threshold) VALUES ('a', 'Few wins', 'win_rate', 'rep', 'threshold', 'below', 0.3);
INSERT INTO alert_event (rule_id, level, entity_id, opened_at, opened_on, period_start, value, reference, sample_count, last_value, closed_at)
VALUES ('a', 'rep', 'r1', '2025-05-10', '2025-05-10', '2025-05-01', 0.1, 0.3, 30, 0.08, NULL), ('a', 'rep', 'r5', '2025-05-10', '2025-05-10', '2025-05-01', 0.1, 0.3, 30, 0.08, '2025-05-14 12:00'),
       ('a', 'rep', 'r6', '2025-05-20', '2025-05-20', '2025-05-01', 0.1, 0.3, 30, 0.08, NULL), ('a', 'rep', 'r7', '2025-05-10', '2025-05-10', '2025-05-01', 0.1, 0.3, 30, 0.08, '2025-05-16 00:00');
CREATE TEMP TABLE due2 AS SELECT * FROM feedback_due;
SELECT ok(fact_1 ~ '^goal "Far off" is behind: bookings 0 against a target of 100,000,000 by 2025-05-16, pace 0', 'a goal that is behind comes first: ' || fact_1) FROM due2 WHERE rep_id = 'r1';
SELECT is(fact_2, 'alert "Few wins", open since 2025-05-10: win rate 8 %, limit 30 % (n = 30)', 'then an open alert') FROM due2 WHERE rep_id = 'r1';
SELECT is(d2.fact_3, d.fact_1, 'then the KPI that is worse by most') FROM due2 d2 JOIN due d USING (rep_id) WHERE rep_id = 'r1';
SELECT is(d2.fact_count, d.fact_count + 2, 'two facts more') FROM due2 d2 JOIN due d USING (rep_id) WHERE rep_id = 'r1';
SELECT ok(concat_ws('; ', fact_1, fact_2, fact_3) ~ 'goal "Done" is achieved: bookings 1,000,000 against a target of 1,000 by 2025-06-30', 'a goal achieved is one too') FROM due2 WHERE rep_id = 'r3';
SELECT is(d2.fact_count, d.fact_count, 'goals that are over or to come, and alerts that have closed, are none') FROM due2 d2 JOIN due d USING (rep_id) WHERE rep_id = 'r5';
SELECT is(d2.fact_count, d.fact_count, 'nor is an alert of a later day') FROM due2 d2 JOIN due d USING (rep_id) WHERE rep_id = 'r6';
SELECT is(d2.fact_count, d.fact_count + 1, 'one that closed later was open') FROM due2 d2 JOIN due d USING (rep_id) WHERE rep_id = 'r7';
SELECT is(summary_text, 'Max is to give Rep 1 feedback: it was due on 2025-01-31 and is 104 days overdue (every 30 days; there was none before). To talk about: ' || concat_ws('; ', fact_1, fact_2, fact_3) || '. Looked at: running goals that are behind (chance below 10 %, or pace below 0.8 and chance below 30 % or not known), at risk or achieved; open alerts; KPIs off by 2 robust standard deviations or more.', 'the sentence has all three') FROM due2 WHERE rep_id = 'r1';

-- what rep_deviation reads in one pass is what kpi_between says, also of splits and of other currencies
SELECT sales_perf.create_mart('demo') \gset
SELECT sales_perf.generate_demo('demo', 2000) \gset
SET search_path = demo, public;
RESET sales_perf.as_of;
CREATE TEMP TABLE figure AS
SELECT f.*, q.period_start, q.period_end, q.prior_start, q.prior_end
  FROM (SELECT * FROM period WHERE grain = 'quarter' AND is_complete ORDER BY period_start DESC LIMIT 3) AS q
 CROSS JOIN LATERAL rep_deviation_figure(q.period_start, q.period_end, q.prior_start, q.prior_end) AS f;
SELECT is_empty($$SELECT f.rep_id, f.kpi_code, f.period_start, f.value, b.value, f.prior_value, p.value
                    FROM figure f
                    LEFT JOIN LATERAL (SELECT * FROM kpi_between(f.period_start, f.period_end) k WHERE k.level = 'rep' AND k.kpi_code = f.kpi_code AND k.entity_id = f.rep_id) AS b ON true
                    LEFT JOIN LATERAL (SELECT * FROM kpi_between(f.prior_start, f.prior_end) k WHERE k.level = 'rep' AND k.kpi_code = f.kpi_code AND k.entity_id = f.rep_id) AS p ON true
                   WHERE (f.value, f.sample_count, f.prior_value, f.prior_sample_count) IS DISTINCT FROM (b.value, coalesce(b.sample_count, 0), p.value, coalesce(p.sample_count, 0))$$, 'the figures of rep_deviation are those of kpi_between');
SELECT cmp_ok(count(*), '>', 20::bigint, 'and there are many') FROM figure;

SELECT * FROM finish();
