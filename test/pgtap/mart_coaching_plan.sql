-- coaching_plan: by hand, and against plain SQL over single deals.
SET search_path = public, sales_perf;
SELECT plan(19);
SELECT sales_perf.create_mart('m') \gset
SET search_path = m, public;
SET sales_perf.as_of = '2024-12-31';
SELECT is_empty('SELECT * FROM coaching_plan', 'nobody is coached in an empty mart');

-- ---------------------------------------------------------------- by hand

-- Forty deals of 1,000 each, all closed after 30 days: n1 to n5 win 20, low 8, mate 34, star 36. ent sells to another
-- segment, where he alone sells, and wins 4; new has closed 5 deals, left has left.
INSERT INTO team (team_id, name) VALUES ('A', 'A'), ('B', 'B');
INSERT INTO rep (rep_id, name, team_id, left_on)
VALUES ('low', 'Low', 'A', NULL), ('mate', 'Mate', 'A', NULL), ('n1', 'N1', 'A', NULL), ('n2', 'N2', 'A', NULL), ('n3', 'N3', 'B', NULL), ('n4', 'N4', 'B', NULL), ('n5', 'N5', 'B', NULL),
       ('star', 'Star', 'B', NULL), ('ent', 'Ent', 'B', NULL), ('new', 'New', 'B', NULL), ('left', 'Left', 'B', '2024-10-01');
INSERT INTO account (account_id, name, segment) VALUES ('s', 'S', 'small'), ('e', 'E', 'enterprise'), ('x', 'X', 'new'), ('y', 'Y', 'left');
INSERT INTO deal (deal_id, rep_id, account_id, amount, opened_on, closed_on, outcome)
SELECT rep || slot, rep, account, 1000, '2024-05-02', '2024-06-01', CASE WHEN slot <= won THEN 'won' ELSE 'lost' END
  FROM (VALUES ('low', 's', 8, 40), ('mate', 's', 34, 40), ('n1', 's', 20, 40), ('n2', 's', 20, 40), ('n3', 's', 20, 40), ('n4', 's', 20, 40), ('n5', 's', 20, 40),
               ('star', 's', 36, 40), ('ent', 'e', 4, 40), ('new', 'x', 1, 5), ('left', 'y', 1, 40)) AS d (rep, account, won, deals), generate_series(1, deals) AS slot;
-- what closed before the twelve months does not count
INSERT INTO deal (deal_id, rep_id, account_id, amount, opened_on, closed_on, outcome) SELECT 'old' || n, 'low', 's', 1000, '2023-01-01', '2023-12-31', 'won' FROM generate_series(1, 100) AS n;
INSERT INTO skill (skill_id, name) VALUES ('close', 'Closing');
INSERT INTO skill_kpi VALUES ('close', 'win_rate');
INSERT INTO course (course_id, name, skill_id, hours) VALUES ('long', 'Long course', 'close', 10), ('short', 'Short course', 'close', 2), ('other', 'Other', NULL, 1);
INSERT INTO enrolment (course_id, rep_id, assigned_on, completed_on) VALUES ('short', 'low', '2024-03-01', '2024-04-01'), ('long', 'n2', '2024-03-01', NULL), ('short', 'n3', '2024-03-01', '2025-01-15');

SELECT results_eq($$SELECT kpi_code, sample_count, numerator, value, expected, z, is_beyond_chance, median_value, worth_amount, course_id, peer_rep_id, peer_value FROM coaching_plan WHERE rep_id = 'low'$$,
                  $$VALUES ('win_rate', 40::bigint, 8::numeric, 0.2, 0.55625, round((0.2 - 0.55625) / sqrt(0.55625 * 0.44375 / 40), 4), true, 0.5, 12000.00, 'long', 'mate', 0.85)$$,
                  'low: far below, the course not taken yet, the peer of the same team though another is better, 12 more wins of 1,000');
SELECT results_eq($$SELECT rep_id, kpi_code, is_beyond_chance, worth_amount, course_id, enrolment_state, peer_rep_id FROM coaching_plan WHERE rep_id LIKE 'n_' ORDER BY rep_id$$,
                  $$VALUES ('n1', 'win_rate', false, 0.00, 'short', 'none', 'mate'), ('n2', 'win_rate', false, 0.00, 'long', 'open', 'mate'), ('n3', 'win_rate', false, 0.00, 'short', 'open', 'star'),
                           ('n4', 'win_rate', false, 0.00, 'short', 'none', 'star'), ('n5', 'win_rate', false, 0.00, 'short', 'none', 'star')$$,
                  'those at the median gain nothing by reaching it; what is completed after as_of() is open');
SELECT results_eq($$SELECT rep_id, priority, kpi_code, note FROM coaching_plan WHERE rep_id IN ('ent', 'new', 'star', 'mate', 'left') ORDER BY rep_id$$,
                  $$VALUES ('ent', 1::bigint, NULL::text, 'nothing below what the mix of segments would predict'), ('mate', 1, NULL, 'nothing below what the mix of segments would predict'),
                           ('new', 1, NULL, 'not enough data: 5 of the 30 closed deals that are needed'), ('star', 1, NULL, 'nothing below what the mix of segments would predict')$$,
                  'a low win rate in a hard segment is none; few deals tell nothing; who has left is not there');
SELECT is(summary_text, 'Win rate of Low is 20 % over 40 deals in the last 12 months, where the mix of segments would predict 55.6 %. That is more than chance gives 95 times of 100 (40.2 % to 71 %). Course: Long course. Mate could show how: 85 %, where 55.6 % would be expected. To be like the median rep (50 % with this mix) would be worth about 12,000 a year.', 'in sentences')
  FROM coaching_plan WHERE rep_id = 'low';
SELECT is(summary_text, 'Not enough data on New: 5 deals closed in the last 12 months, of the 30 that are needed.', 'also of whom there is not enough') FROM coaching_plan WHERE rep_id = 'new';

-- smaller deals, and slower: n1's are of 500, n2's take 60 days
UPDATE deal SET amount = 500 WHERE rep_id = 'n1';
DELETE FROM deal_change;    -- or it would be so as of today only
UPDATE deal SET opened_on = '2024-04-02' WHERE rep_id = 'n2' AND closed_on > '2024-01-01';
SELECT results_eq($$SELECT rep_id, priority, kpi_code, value, expected, worth_amount, is_beyond_chance FROM coaching_plan WHERE rep_id IN ('n1', 'n2') AND kpi_code <> 'win_rate' ORDER BY rep_id$$,
                  $$WITH won AS (SELECT rep_id, amount, closed_on - opened_on AS days FROM deal WHERE outcome = 'won' AND closed_on > '2024-01-01' AND account_id = 's'),
                         company AS (SELECT avg(amount) AS amount, avg(days) AS days FROM won)
                    SELECT 'n1', 1::bigint, 'average_deal_amount', 500.000000, round(amount, 6), 10000.00, true FROM company
                    UNION ALL SELECT 'n2', 1, 'cycle_average_days', 60.000000, round(days, 6), 20000.00, true FROM company$$,
                  'at the median, 1,000: 20 deals x 500; in 30 days instead of 60: twice as many of 20 deals');

-- a deal without a usable amount, without a day of opening, opened after it closed, without an account
INSERT INTO deal (deal_id, rep_id, account_id, amount, opened_on, closed_on, outcome)
VALUES ('f1', 'n5', 's', NULL, '2024-05-02', '2024-06-01', 'won'), ('f2', 'n5', 's', 'NaN', '2024-05-02', '2024-06-01', 'won'), ('f3', 'n5', 's', 1000, NULL, '2024-06-01', 'won'),
       ('f4', 'n5', 's', 1000, '-infinity', '2024-06-01', 'won'), ('f5', 'n5', NULL, 1000, '2024-06-02', '2024-06-01', 'won'), ('f6', NULL, 's', 1000, '2024-05-02', '2024-06-01', 'won');
SELECT results_eq($$SELECT kpi_code, sample_count, numerator FROM coaching_measure WHERE rep_id = 'n5' ORDER BY 1$$,
                  $$VALUES ('average_deal_amount', 23::bigint, 23000::numeric), ('cycle_average_days', 22, 660), ('win_rate', 45, 25)$$, 'faulty deals count as far as they go');

-- ---------------------------------------------------------------- generated deals

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SELECT sales_perf.generate_demo('sales', 12000, 4) \gset
INSERT INTO skill (skill_id, name) VALUES ('s', 'Closing'), ('v', 'Value');
INSERT INTO skill_kpi VALUES ('s', 'win_rate'), ('s', 'cycle_average_days'), ('v', 'average_deal_amount');
INSERT INTO course (course_id, name, skill_id) SELECT skill_id || n, skill_id || n, skill_id FROM skill, generate_series(1, 2) AS n;
INSERT INTO enrolment (course_id, rep_id, assigned_on, completed_on)
SELECT course_id, rep_id, '2024-01-01', CASE WHEN hashtext(rep_id) % 2 = 0 THEN date '2024-02-01' END FROM rep, course WHERE (hashtext(rep_id || course_id) & 3) = 0;
CREATE TEMP TABLE plan AS SELECT * FROM coaching_plan;
CREATE TEMP TABLE measure AS SELECT * FROM coaching_measure;

SELECT is_empty($$SELECT m.rep_id, m.kpi_code, m.value, k.value, m.sample_count, k.sample_count FROM measure m JOIN kpi_between('2024-01-01', '2024-12-31') AS k ON k.level = 'rep' AND k.entity_id = m.rep_id AND k.kpi_code = m.kpi_code
                   WHERE (m.sample_count, round(m.value, 9)) IS DISTINCT FROM (coalesce(k.sample_count, 0), round(k.value, 9))$$, 'values are those of kpi_between');
-- One row a deal: what the company makes of the deal's segment, and how it varies there.
CREATE TEMP TABLE single AS
SELECT rep_id, 'win_rate' AS kpi_code, segment, CASE outcome WHEN 'won' THEN 1 ELSE 0 END::numeric AS x
  FROM deal_as_of LEFT JOIN account USING (account_id) WHERE outcome IN ('won', 'lost') AND closed_on BETWEEN '2024-01-01' AND '2024-12-31'
UNION ALL
SELECT rep_id, 'average_deal_amount', segment, reporting_amount
  FROM deal_as_of LEFT JOIN account USING (account_id) WHERE outcome = 'won' AND reporting_amount IS NOT NULL AND closed_on BETWEEN '2024-01-01' AND '2024-12-31'
UNION ALL
SELECT rep_id, 'cycle_average_days', segment, closed_on - opened_on
  FROM deal_as_of LEFT JOIN account USING (account_id) WHERE outcome = 'won' AND opened_on <= closed_on AND closed_on BETWEEN '2024-01-01' AND '2024-12-31';
CREATE TEMP TABLE predicted AS
SELECT rep_id, kpi_code, count(*) AS n, avg(x) AS value, avg(mean) AS expected, sqrt(sum(variance)) / count(*) AS se
  FROM (SELECT *, avg(x) OVER same AS mean, var_pop(x) OVER same AS variance FROM single WINDOW same AS (PARTITION BY kpi_code, segment)) AS s
 GROUP BY rep_id, kpi_code;
SELECT is_empty($$SELECT m.rep_id, m.kpi_code FROM measure m LEFT JOIN predicted p ON p.rep_id = m.rep_id AND p.kpi_code = m.kpi_code
                   WHERE (m.sample_count, round(m.expected, 6), round(m.expected_low, 4)) IS DISTINCT FROM (coalesce(p.n, 0), round(p.expected, 6), round(p.expected - 1.96 * p.se, 4))$$,
                'so is what the mix predicts, and what chance gives, worked out deal by deal');
SELECT cmp_ok(count(*), '>', 60::bigint, 'of many') FROM measure WHERE is_enough;
SELECT set_eq($$SELECT DISTINCT rep_id FROM plan$$, $$SELECT rep_id FROM rep WHERE left_on IS NULL OR left_on >= '2024-12-31'$$, 'each rep who is here has a row');
SELECT is_empty($$SELECT rep_id FROM plan GROUP BY rep_id HAVING count(*) > 2 OR count(DISTINCT priority) <> count(*) OR min(priority) <> 1$$, 'at most two, the first and the second');
SELECT set_eq($$SELECT rep_id, kpi_code, priority FROM plan WHERE kpi_code IS NOT NULL$$,
              $$SELECT rep_id, kpi_code, place FROM (SELECT *, row_number() OVER (PARTITION BY rep_id ORDER BY z) AS place FROM measure WHERE is_enough AND z < 0) AS m WHERE place <= 2$$, 'the furthest below');
SELECT is_empty($$SELECT rep_id FROM plan p WHERE kpi_code IS NOT NULL AND is_beyond_chance IS DISTINCT FROM (value NOT BETWEEN expected_low AND expected_high)$$, 'beyond chance is out of its range');
SELECT is_empty($$SELECT p.rep_id FROM plan p WHERE kpi_code IS NOT NULL
                     AND peer_rep_id IS DISTINCT FROM (SELECT m.rep_id FROM measure m WHERE m.kpi_code = p.kpi_code AND m.is_enough AND m.z > 1.96 ORDER BY m.team_id IS NOT DISTINCT FROM p.team_id AND p.team_id IS NOT NULL DESC, m.z DESC LIMIT 1)$$,
                'peers are the best there are, of the team first');
SELECT is_empty($$SELECT p.rep_id FROM plan p JOIN enrolment e USING (rep_id, course_id) WHERE e.completed_on IS NOT NULL$$, 'no course that was completed');
SELECT is_empty($$SELECT p.rep_id FROM plan p LEFT JOIN course c USING (course_id) LEFT JOIN skill_kpi k ON k.skill_id = c.skill_id AND k.kpi_code = p.kpi_code
                   WHERE p.kpi_code IS NOT NULL AND (k.kpi_code IS NULL) <> (SELECT count(*) = 0 FROM course o JOIN skill_kpi s ON s.skill_id = o.skill_id AND s.kpi_code = p.kpi_code
                                                                              WHERE NOT EXISTS (SELECT FROM enrolment e WHERE e.course_id = o.course_id AND e.rep_id = p.rep_id AND e.completed_on IS NOT NULL))$$,
                'a course of a skill tied to the KPI, where there is one');
SELECT is_empty($$SELECT rep_id FROM plan WHERE summary_text IS NULL OR summary_text ~ 'not known|NaN|  '$$, 'all in words');
SELECT * FROM finish();
