-- accountability, metric_load, adoption and report(): against what was planted, and against plain SQL that counts
-- row by row.
SELECT plan(45);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-04-30';
BEGIN;
INSERT INTO team (team_id, name, parent_team_id, manager_rep_id) VALUES ('all', 'All', NULL, 'boss'), ('north', 'North', 'all', 'ann'), ('south', 'South', 'all', NULL);
INSERT INTO rep (rep_id, name, team_id, login, left_on) VALUES ('boss', 'Boss', 'all', 'boss', NULL), ('ann', 'Ann', 'north', 'ann', NULL), ('bob', 'Bob', 'north', 'bob', NULL), ('cid', 'Cid', 'south', 'cid', NULL), ('eve', 'Eve', NULL, NULL, NULL), ('old', 'Left', 'north', 'old', '2025-04-29');
COMMIT;
INSERT INTO action_item (owner_rep_id, title, created_on, due_on, done_on)
VALUES ('bob', 'on time', '2025-03-01', '2025-04-10', '2025-04-10'), ('bob', 'late', '2025-03-01', '2025-04-10', '2025-04-11'), ('bob', 'overdue', '2025-03-01', '2025-04-29', NULL), ('bob', 'due today', '2025-03-01', '2025-04-30', NULL),
       ('bob', 'done tomorrow', '2025-03-01', '2025-04-20', '2025-05-01'), ('bob', 'agreed on tomorrow', '2025-05-01', '2025-05-02', NULL), ('bob', 'long overdue', '2024-01-01', '2024-02-01', NULL),
       ('bob', '91 days ago', '2025-01-01', '2025-01-30', '2025-01-30'), ('bob', '89 days ago', '2025-01-01', '2025-02-01', '2025-01-31'), ('bob', 'before time', '2025-03-01', '2025-06-01', '2025-04-01'),
       ('ann', 'today, done', '2025-03-01', '2025-04-30', '2025-04-30'), ('old', 'nobody waits', '2025-03-01', '2025-03-02', NULL);
INSERT INTO feedback (feedback_id, from_rep_id, to_rep_id, kind, body, shared_at, corrects_feedback_id)
VALUES (1, 'ann', 'bob', 'review', 'x', '2025-04-01 12:00', NULL), (2, 'ann', 'bob', 'review', 'x', '2025-04-02 12:00', 1), (3, 'cid', 'bob', 'review', 'x', '2025-04-03 12:00', NULL), (4, 'bob', 'cid', 'review', 'x', '2025-01-30 12:00', NULL),
       (5, 'boss', 'ann', 'review', 'x', '2025-02-01 00:00', NULL), (6, 'boss', 'cid', 'review', 'x', NULL, NULL), (7, 'old', 'eve', 'review', 'x', '2025-04-03 12:00', NULL);
INSERT INTO feedback_reply (feedback_id, acknowledged_at) VALUES (2, '2025-04-05 12:00'), (5, '2025-05-01 12:00');
SELECT results_eq($$SELECT rep_id, action_open_count, action_overdue_count, action_due_count, action_done_on_time_count, action_done_on_time_rate, action_done_count FROM accountability WHERE level = 'rep' ORDER BY rep_id COLLATE "C"$$,
                  $$VALUES ('ann', 0::bigint, 0::bigint, 1::bigint, 1::bigint, 1::float8, 1::bigint), ('bob', 4, 3, 5, 2, 2 / 5::float8, 4), ('boss', 0, 0, 0, 0, NULL, 0), ('cid', 0, 0, 0, 0, NULL, 0), ('eve', 0, 0, 0, 0, NULL, 0)$$,
                  'action items of reps, by hand');
SELECT results_eq($$SELECT rep_id, feedback_given_count, feedback_received_count, feedback_acknowledged_count, feedback_acknowledged_rate, rep_with_feedback_count, feedback_coverage_rate FROM accountability WHERE level = 'rep' ORDER BY rep_id COLLATE "C"$$,
                  $$VALUES ('ann', 1::bigint, 1::bigint, 0::bigint, 0::float8, 1::bigint, 1::float8), ('bob', 0, 2, 1, 0.5, 1, 1), ('boss', 1, 0, 0, NULL, 0, 0), ('cid', 1, 0, 0, NULL, 0, 0), ('eve', 0, 1, 0, 0, 1, 1)$$,
                  'feedback: a correction is none, but to acknowledge it counts');
SELECT results_eq($$SELECT level, rep_id, rep_count, action_open_count, action_due_count, action_done_on_time_count, feedback_given_count, feedback_received_count, feedback_acknowledged_count, rep_with_feedback_count, feedback_coverage_rate FROM accountability WHERE level <> 'rep' ORDER BY level, rep_id COLLATE "C"$$,
                  $$VALUES ('company', NULL, 5::bigint, 4::bigint, 6::bigint, 3::bigint, 3::bigint, 4::bigint, 1::bigint, 3::bigint, 3 / 5::float8),
                           ('manager', 'ann', 1, 4, 5, 2, 1, 2, 1, 1, 1), ('manager', 'boss', 2, 0, 1, 1, 1, 1, 0, 1, 0.5)$$,
                  'of managers: the reps they manage, and feedback to these; who has left gives none');
SELECT results_eq($$SELECT first_day, last_day, min(team_id), min(manager_rep_id) FROM accountability WHERE rep_id = 'bob' GROUP BY 1, 2$$, $$VALUES (date '2025-01-31', date '2025-04-30', 'north', 'ann')$$, '90 days');
SELECT results_eq($$SELECT action_due_count, action_done_on_time_count, feedback_received_count FROM accountability_between('2025-04-10', '2025-04-10') WHERE level = 'rep' AND rep_id = 'bob'$$, $$VALUES (2::bigint, 1::bigint, 0::bigint)$$, 'other days');
SET sales_perf.as_of = '2025-04-04';
SELECT results_eq($$SELECT action_open_count, feedback_received_count, feedback_acknowledged_count FROM accountability WHERE level = 'rep' AND rep_id = 'bob'$$, $$VALUES (6::bigint, 2::bigint, 0::bigint)$$, 'as of an earlier day');
SELECT is(count(*), 6::bigint, 'who was still there') FROM accountability WHERE level = 'rep';
SET sales_perf.as_of = '2025-04-30';

-- goals: reached at once, and out of reach; one with check-ins kept, one without
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on) VALUES ('d', 'bob', 1000, 'won', '2025-04-01', '2025-04-10');
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason, check_in_every_days)
VALUES ('done', 'Done', 'bob', 'bookings_amount', 500, '2025-04-01', '2025-05-31', 'test', 10), ('far', 'Far', 'bob', 'bookings_amount', 5000000, '2025-04-01', '2025-05-01', 'test', 10), ('not asked', 'Far', 'ann', 'bookings_amount', 5000000, '2025-04-01', '2025-05-01', 'test', NULL),
       ('over', 'Over', 'bob', 'bookings_amount', 500, '2025-04-01', '2025-04-30', 'test', 10), ('later', 'Later', 'bob', 'bookings_amount', 500, '2025-05-01', '2025-05-30', 'test', 10);
INSERT INTO check_in (goal_id, checked_on, author_rep_id, note) VALUES ('done', '2025-04-20', 'bob', 'x'), ('far', '2025-04-19', 'bob', 'x'), ('far', '2025-05-01', 'bob', 'x');
SELECT results_eq($$SELECT level, rep_id, goal_running_count, goal_on_track_count, goals_on_track_rate, check_in_asked_count, check_in_kept_count, check_in_kept_rate FROM accountability WHERE level <> 'rep' OR rep_id IN ('ann', 'bob', 'cid') ORDER BY level, rep_id COLLATE "C"$$,
                  $$VALUES ('company', NULL, 3::bigint, 1::bigint, 1 / 3::float8, 2::bigint, 1::bigint, 0.5::float8), ('manager', 'ann', 2, 1, 0.5, 2, 1, 0.5), ('manager', 'boss', 1, 0, 0, 0, 0, NULL),
                           ('rep', 'ann', 1, 0, 0, 0, 0, NULL), ('rep', 'bob', 2, 1, 0.5, 2, 1, 0.5), ('rep', 'cid', 0, 0, NULL, 0, 0, NULL)$$,
                  'goals on track and check-ins kept');

-- ---------------------------------------------------------------- metric_load

INSERT INTO alert_rule (rule_id, name, kpi_code, level, entity_id, basis, comparison, threshold, is_active)
VALUES ('a1', 'x', 'win_rate', 'rep', NULL, 'threshold', 'below', 0.3, true), ('a2', 'x', 'win_rate', 'rep', 'bob', 'prior', 'below', 0.3, true), ('a3', 'x', 'bookings_amount', 'rep', NULL, 'prior', 'below', 0.3, true),
       ('a4', 'x', 'cycle_average_days', 'rep', 'cid', 'prior', 'above', 0.3, true), ('a5', 'x', 'lead_count', 'rep', NULL, 'prior', 'above', 0.3, false), ('a6', 'x', 'average_deal_amount', 'team', 'north', 'prior', 'above', 0.3, true)
ON CONFLICT DO NOTHING;
INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('bob', '2025-01-01', '2025-04-30', 100), ('bob', '2025-04-01', '2025-06-30', 100), ('cid', '2025-01-01', '2025-04-29', 100);
-- bob: goals done, far and over, which runs on its last day; win_rate; a quota
SELECT results_eq($$SELECT rep_id, goal_count, alert_kpi_count, has_quota, metric_load_count::integer, metric_limit, limit_team_name, is_over_limit FROM metric_load ORDER BY rep_id COLLATE "C"$$,
                  $$VALUES ('ann', 1::bigint, 1::bigint, false, 2, 5, NULL, false), ('bob', 3, 1, true, 5, 5, NULL, false), ('boss', 0, 2, false, 2, 5, NULL, false), ('cid', 0, 3, false, 3, 5, NULL, false), ('eve', 0, 2, false, 2, 5, NULL, false)$$,
                  'goals, KPIs of alerts without a goal on them, and a quota, of 5');
INSERT INTO metric_limit (team_id, metric_count) VALUES (NULL, 4);
SELECT results_eq($$SELECT rep_id, metric_limit, is_over_limit FROM metric_load ORDER BY rep_id COLLATE "C"$$, $$VALUES ('ann', 4, false), ('bob', 4, true), ('boss', 4, false), ('cid', 4, false), ('eve', 4, false)$$, 'a limit for all');
SELECT is(summary_text, 'Bob is held to 5 metrics (3 running goals, 1 more KPI with an alert, a quota): 1 more than the limit of 4 for all teams.', 'in words') FROM metric_load WHERE rep_id = 'bob';
INSERT INTO metric_limit (team_id, metric_count) VALUES ('all', 2);
SELECT results_eq($$SELECT rep_id, metric_limit, limit_team_name FROM metric_load ORDER BY rep_id COLLATE "C"$$, $$VALUES ('ann', 2, 'All'), ('bob', 2, 'All'), ('boss', 2, 'All'), ('cid', 2, 'All'), ('eve', 4, NULL)$$, 'one of a team is for those below it');
INSERT INTO metric_limit (team_id, metric_count) VALUES ('north', 9);
SELECT results_eq($$SELECT rep_id, metric_limit, limit_team_name FROM metric_load ORDER BY rep_id COLLATE "C"$$, $$VALUES ('ann', 9, 'North'), ('bob', 9, 'North'), ('boss', 2, 'All'), ('cid', 2, 'All'), ('eve', 4, NULL)$$, 'unless they have one');
SELECT is(summary_text, 'Ann is held to 2 metrics (1 running goal, 1 more KPI with an alert, no quota): within the limit of 9 of team North.', 'in words') FROM metric_load WHERE rep_id = 'ann';
DELETE FROM metric_limit;
SELECT is(summary_text, 'Cid is held to 3 metrics (0 running goals, 3 more KPIs with alerts, no quota): within the limit of 5 that holds where none is set.', 'in words, by default') FROM metric_load WHERE rep_id = 'cid';

-- ---------------------------------------------------------------- report

CREATE FUNCTION pg_temp.log() RETURNS TABLE (report text, tool text, login text) LANGUAGE sql AS 'SELECT report, tool, login FROM hand.view_log ORDER BY view_log_id';
SELECT is((SELECT count(*) FROM metric_load), 5::bigint, 'a view is read');
SELECT is_empty('SELECT * FROM pg_temp.log()', 'and leaves no trace');
SELECT bag_eq($$SELECT r ->> 'rep_id', (r ->> 'metric_load_count')::bigint FROM report('metric_load') AS r$$, 'SELECT rep_id, metric_load_count FROM metric_load', 'report gives the rows of the view');
SELECT results_eq('SELECT * FROM pg_temp.log()', $$SELECT 'metric_load', NULL::text, session_user::text COLLATE "default"$$, 'and writes it down');
SELECT lives_ok($$SELECT log_view('adoption'), log_view('Board "Q2"', 'dashboard')$$, 'tools do too');
SELECT results_eq('SELECT * FROM pg_temp.log() OFFSET 1', $$SELECT report, tool, session_user::text COLLATE "default" FROM (VALUES ('adoption', NULL), ('Board "Q2"', 'dashboard')) AS v (report, tool)$$, 'in their own words');
CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE TEMP VIEW mine AS SELECT 1 AS one;
SELECT results_eq($$SELECT state, message, hint ~ '^Reports are the views of the mart: ', hint ~ ', metric_load, ', hint ~ ', rep, ' FROM pg_temp.error_of($q$SELECT report('$$ || name || $$')$q$)$$,
                  $$SELECT '42P01', 'there is no report "$$ || name || $$"', true, true, false$$, 'no report: ' || name)
  FROM unnest(ARRAY['rep', 'nothing', 'mine', 'pg_class', 'metric_load; DELETE FROM rep', 'Metric_Load', 'hand.metric_load']) AS name;
SELECT is(state, '42P01', 'nor is nothing') FROM pg_temp.error_of($$SELECT report(NULL)$$);
SELECT is((SELECT count(*) FROM pg_temp.log()), 3::bigint, 'what there is not is not written down');

-- ---------------------------------------------------------------- adoption

DELETE FROM view_log;
INSERT INTO view_log (viewed_at, login, report) VALUES ('2025-04-03 00:00', 'ann', 'x'), ('2025-04-02 23:59', 'bob', 'x'), ('2025-05-01 00:00', 'cid', 'x'), ('2025-04-10 12:00', 'old', 'x');
-- bob: a goal checked in on 04-20; ann has a goal without check-ins; cid below
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason, check_in_every_days) VALUES ('cid', 'Cid', 'cid', 'win_rate', 1, '2025-04-01', '2025-06-30', 'test', 29), ('eve', 'Eve', 'eve', 'win_rate', 1, '2025-04-01', '2025-06-30', 'test', 28);
SELECT results_eq($$SELECT practice, rep_count, asked_count, done_count, adoption_rate, is_not_taken_up FROM adoption WHERE level = 'company' ORDER BY practice$$,
                  $$VALUES ('acknowledge', 5::bigint, 2::bigint, 0::bigint, 0::float8, NULL::boolean), ('action_item', 5, 2, 2, 1, NULL), ('check_in', 5, 2, 1, 0.5, NULL), ('look_in', 5, 4, 1, 0.25, true)$$,
                  'of the company, by hand: a check-in due today is not late yet');
SELECT results_eq($$SELECT team_id, team_name, practice, rep_count, asked_count, done_count, is_not_taken_up FROM adoption WHERE level = 'team' AND practice IN ('look_in', 'check_in') ORDER BY team_id COLLATE "C", practice$$,
                  $$VALUES ('all', 'All', 'check_in', 4::bigint, 1::bigint, 1::bigint, NULL::boolean), ('all', 'All', 'look_in', 4, 4, 1, true), ('north', 'North', 'check_in', 2, 1, 1, NULL), ('north', 'North', 'look_in', 2, 2, 1, NULL), ('south', 'South', 'check_in', 1, 0, 0, NULL), ('south', 'South', 'look_in', 1, 1, 0, NULL)$$,
                  'and of teams, with those below');
SELECT results_eq($$SELECT summary_text FROM adoption WHERE level = 'company' AND practice = 'look_in' OR team_id = 'north' AND practice = 'look_in' OR team_id = 'south' AND practice = 'check_in' ORDER BY level, team_id COLLATE "C"$$,
                  $$VALUES ('In the 28 days up to 2025-04-30 1 of 4 reps of the company who have a login looked at a report (25 %): not taken up, for under half of 3 or more people did.'),
                           ('In the 28 days up to 2025-04-30 1 of 2 reps of team North who have a login looked at a report (50 %): not enough data, with fewer than 3 people, to say whether it is taken up.'),
                           ('In the 28 days up to 2025-04-30 none of 1 reps of team South had a check-in due or made one.')$$, 'in words');
UPDATE view_log SET viewed_at = '2025-04-30 12:00' WHERE login = 'bob';
SELECT results_eq($$SELECT done_count, is_not_taken_up FROM adoption WHERE level = 'company' AND practice = 'look_in'$$, $$VALUES (2::bigint, false)$$, 'half is taken up');
SELECT results_eq($$SELECT first_day, last_day, count(*) FROM adoption GROUP BY 1, 2$$, $$VALUES (date '2025-04-03', date '2025-04-30', 16::bigint)$$, 'four practices of three teams and the company');
-- a check-in by somebody else is not the rep's; a goal that ended long ago asks for none
UPDATE check_in SET author_rep_id = 'ann';
SELECT results_eq($$SELECT asked_count, done_count FROM adoption WHERE level = 'company' AND practice = 'check_in'$$, $$VALUES (2::bigint, 0::bigint)$$, 'who checks in for bob does not make him take part');
SET sales_perf.as_of = '2025-09-30';
SELECT results_eq($$SELECT asked_count, adoption_rate FROM adoption WHERE level = 'company' AND practice = 'check_in'$$, $$VALUES (0::bigint, NULL::float8)$$, 'goals that are long over ask for none');

SET sales_perf.as_of = '2025-04-25';
SELECT results_eq($$SELECT asked_count, done_count FROM adoption WHERE level = 'company' AND practice = 'acknowledge'$$, $$VALUES (2::bigint, 1::bigint)$$, 'who acknowledged one of two has, by its correction');

-- ---------------------------------------------------------------- at random, counted row by row

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 3000, 5) \gset
SELECT setseed(0.5);
INSERT INTO action_item (owner_rep_id, title, created_on, due_on, done_on)
SELECT rep_id, 'x', c, c + (random() * 60)::int, CASE WHEN random() < 0.6 THEN c + (random() * 60)::int END
  FROM rep, generate_series(1, 12) AS n, LATERAL (SELECT date '2025-05-30' - (random() * 200)::int AS c OFFSET 0) AS day WHERE n > 0 AND rep_id > '';
INSERT INTO feedback (from_rep_id, to_rep_id, kind, body, shared_at)
SELECT g.rep_id, t.rep_id, 'review', 'x', CASE WHEN random() < 0.9 THEN timestamptz '2025-05-25 12:00' - random() * interval '200 days' END
  FROM rep g, rep t WHERE g.rep_id <> t.rep_id AND random() < 0.4;
INSERT INTO feedback (from_rep_id, to_rep_id, kind, body, shared_at, corrects_feedback_id)
SELECT from_rep_id, to_rep_id, kind, 'y', shared_at + interval '20 days', feedback_id FROM feedback WHERE body = 'x' AND shared_at IS NOT NULL AND random() < 0.3;
INSERT INTO feedback_reply (feedback_id, acknowledged_at) SELECT feedback_id, shared_at + random() * interval '30 days' FROM feedback WHERE body IN ('x', 'y') AND shared_at IS NOT NULL AND random() < 0.5;
-- no feedback is corrected twice here, so its correction is the one that names it
CREATE TEMP TABLE expected AS
SELECT r.rep_id, m.manager_rep_id,
       (SELECT count(*) FROM action_item a WHERE a.owner_rep_id = r.rep_id AND created_on <= '2025-05-15' AND (done_on > '2025-05-15' OR done_on IS NULL)) AS open_count,
       (SELECT count(*) FROM action_item a WHERE a.owner_rep_id = r.rep_id AND created_on <= '2025-05-15' AND (done_on > '2025-05-15' OR done_on IS NULL) AND due_on < '2025-05-15') AS overdue_count,
       (SELECT count(*) FROM action_item a WHERE a.owner_rep_id = r.rep_id AND created_on <= '2025-05-15' AND due_on >= '2025-02-15' AND (due_on < '2025-05-15' OR done_on <= '2025-05-15' AND due_on = '2025-05-15')) AS due_count,
       (SELECT count(*) FROM action_item a WHERE a.owner_rep_id = r.rep_id AND created_on <= '2025-05-15' AND due_on BETWEEN '2025-02-15' AND '2025-05-15' AND done_on <= due_on) AS on_time_count,
       (SELECT count(*) FROM feedback f WHERE f.to_rep_id = r.rep_id AND corrects_feedback_id IS NULL AND shared_at >= '2025-02-15' AND shared_at < '2025-05-16') AS received_count,
       (SELECT count(*) FROM feedback f WHERE f.to_rep_id = r.rep_id AND corrects_feedback_id IS NULL AND shared_at >= '2025-02-15' AND shared_at < '2025-05-16'
                        AND EXISTS (SELECT FROM feedback x JOIN feedback_reply y USING (feedback_id) WHERE (x.feedback_id = f.feedback_id OR x.corrects_feedback_id = f.feedback_id) AND x.shared_at < '2025-05-16' AND y.acknowledged_at < '2025-05-16')) AS acknowledged_count,
       (SELECT count(*) FROM feedback f WHERE f.from_rep_id = r.rep_id AND corrects_feedback_id IS NULL AND shared_at >= '2025-02-15' AND shared_at < '2025-05-16') AS given_count
  FROM rep r LEFT JOIN rep_manager m USING (rep_id)
 WHERE coalesce(r.left_on, 'infinity') >= '2025-05-15' AND coalesce(r.hired_on, '-infinity') <= '2025-05-15';
SELECT cmp_ok(sum(overdue_count) + sum(acknowledged_count), '>', 50::numeric, 'there is something to count') FROM expected;
SELECT set_eq($$SELECT rep_id, action_open_count, action_overdue_count, action_due_count, action_done_on_time_count, feedback_received_count, feedback_acknowledged_count, feedback_given_count FROM accountability WHERE level = 'rep'$$,
              'SELECT rep_id, open_count, overdue_count, due_count, on_time_count, received_count, acknowledged_count, given_count FROM expected', 'of each rep');
INSERT INTO course (course_id, name) VALUES ('any', 'Any'), ('other', 'Other');
INSERT INTO enrolment (course_id, rep_id, assigned_on, due_on, completed_on)
SELECT c.course_id, r.rep_id, date '2025-01-01' + (abs(hashtext(r.rep_id || c.course_id)) % 60), date '2025-02-01' + (abs(hashtext(c.course_id || r.rep_id)) % 120),
       CASE WHEN hashtext(r.rep_id || c.course_id) % 4 <> 0 THEN date '2025-03-02' + (abs(hashtext(r.rep_id || c.course_id || 2)) % 100) END
  FROM rep r CROSS JOIN course c
 WHERE c.course_id IN ('any', 'other');
CREATE VIEW course_expected AS
SELECT x.rep_id, x.manager_rep_id,
       (SELECT count(*) FROM enrolment e WHERE e.rep_id = x.rep_id AND e.due_on >= '2025-02-15' AND (e.due_on < '2025-05-15' OR e.due_on = '2025-05-15' AND e.completed_on <= '2025-05-15')) AS due_count,
       (SELECT count(*) FROM enrolment e WHERE e.rep_id = x.rep_id AND e.due_on BETWEEN '2025-02-15' AND '2025-05-15' AND e.completed_on <= e.due_on) AS on_time_count
  FROM expected x;
SELECT cmp_ok(min(n), '>', 1::bigint, 'courses: some in time, some late, some not at all') FROM (SELECT count(*) AS n FROM enrolment WHERE due_on BETWEEN '2025-02-15' AND '2025-05-14' GROUP BY completed_on <= due_on) AS e;
SELECT set_eq($$SELECT rep_id, training_due_count, training_on_time_count, training_completed_rate FROM accountability WHERE level = 'rep'$$,
              'SELECT rep_id, due_count, on_time_count, on_time_count::float8 / nullif(due_count, 0) FROM course_expected', 'courses of each rep');
SELECT set_eq($$SELECT level, rep_id, training_due_count, training_on_time_count FROM accountability WHERE level <> 'rep'$$,
              $$SELECT 'manager', manager_rep_id, sum(due_count)::bigint AS a, sum(on_time_count)::bigint AS b FROM course_expected WHERE manager_rep_id IS NOT NULL GROUP BY 2 UNION ALL SELECT 'company', NULL, sum(due_count)::bigint, sum(on_time_count)::bigint FROM course_expected$$, 'of managers and the company');
SELECT set_eq($$SELECT rep_id, rep_count, action_open_count, action_overdue_count, action_due_count, action_done_on_time_count, feedback_received_count, feedback_acknowledged_count, rep_with_feedback_count FROM accountability WHERE level = 'manager'$$,
              'SELECT manager_rep_id, count(*) AS a, sum(open_count)::bigint AS b, sum(overdue_count)::bigint AS c, sum(due_count)::bigint AS d, sum(on_time_count)::bigint AS e, sum(received_count)::bigint AS f, sum(acknowledged_count)::bigint AS g, count(*) FILTER (WHERE received_count > 0) AS h FROM expected WHERE manager_rep_id IS NOT NULL GROUP BY 1', 'of each manager');
SELECT set_eq($$SELECT rep_id, goal_running_count, goal_on_track_count, check_in_asked_count, check_in_kept_count FROM accountability WHERE level = 'rep'$$,
              $$SELECT e.rep_id, count(g.goal_id) AS a, count(*) FILTER (WHERE status IN ('on_track', 'achieved')) AS b, count(*) FILTER (WHERE check_in_due_on IS NOT NULL) AS c, count(*) FILTER (WHERE check_in_due_on >= '2025-05-15') AS d
                  FROM expected e LEFT JOIN goal_progress g ON g.rep_id = e.rep_id AND g.level = 'rep' AND '2025-05-15' >= first_day AND '2025-05-15' < last_day GROUP BY 1$$, 'goals of each rep');

SELECT * FROM finish();
