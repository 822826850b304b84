-- What was said stays said: feedback, corrections, replies; days that are filled in; renames.
SELECT plan(38);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-03-31';
INSERT INTO team (team_id, name) VALUES ('north', 'North');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'north'), ('cid', 'Cid', 'north');
INSERT INTO skill (skill_id, name) VALUES ('talk', 'Talking');
INSERT INTO course (course_id, name, skill_id) VALUES ('c1', 'To talk', 'talk');
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on) VALUES ('d1', 'bob', 10, 'open', '2025-01-01');
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason) VALUES ('g1', 'Win', 'bob', 'win_rate', 0.5, '2025-01-01', '2025-06-30', 'test');

-- ---------------------------------------------------------------- what feedback is about

SELECT lives_ok($$INSERT INTO feedback (feedback_id, from_rep_id, to_rep_id, kind, kpi_code, body) VALUES (1, 'ann', 'bob', 'coaching', 'win_rate', 'Ask more.')$$, 'coaching about a KPI, a draft');
SELECT lives_ok($$INSERT INTO feedback (feedback_id, from_rep_id, to_rep_id, kind, body, shared_at) VALUES (2, 'ann', 'bob', 'review', 'All in all well.', '2025-03-01 12:00')$$, 'a review need not be about one thing');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body) VALUES ('ann', 'bob', 'praise', 'Good.')$$, '23514', NULL, 'praise is about something');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, kpi_code, skill_id, body) VALUES ('ann', 'bob', 'praise', 'win_rate', 'talk', 'Good.')$$, '23514', NULL, 'and about one thing');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, kpi_code, skill_id, body) VALUES ('ann', 'bob', 'review', 'win_rate', 'talk', 'Good.')$$, '23514', NULL, 'a review too');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body) VALUES ('ann', 'ann', 'review', 'Good.')$$, '23514', NULL, 'nobody reviews himself');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body) VALUES ('ann', 'bob', 'review', E' \n')$$, '23514', NULL, 'something is said');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body) VALUES ('ann', 'bob', 'blame', 'Bad.')$$, '23514', NULL, 'of a kind there is');

-- ---------------------------------------------------------------- drafts, and what was shared

SELECT lives_ok($$UPDATE feedback SET body = 'Ask more, and listen.', skill_id = 'talk', kpi_code = NULL WHERE feedback_id = 1$$, 'a draft may be changed');
SELECT throws_ok($$INSERT INTO feedback_reply (feedback_id) VALUES (1)$$, '23514', 'feedback 1 is a draft and cannot be acknowledged', 'but not be acknowledged');
INSERT INTO feedback (feedback_id, from_rep_id, to_rep_id, kind, body) VALUES (3, 'ann', 'bob', 'review', 'Never mind.');
SELECT lives_ok($$DELETE FROM feedback WHERE feedback_id = 3$$, 'and be thrown away');
SELECT lives_ok($$UPDATE feedback SET shared_at = '2025-03-10 12:00' WHERE feedback_id = 1$$, 'it is shared');
SELECT throws_ok(statement, '55000', 'feedback 1 was shared and stays as it is', 'then it stays: ' || statement)
  FROM unnest(ARRAY[$$UPDATE feedback SET body = 'Other.' WHERE feedback_id = 1$$,
                    $$UPDATE feedback SET shared_at = NULL WHERE feedback_id = 1$$,
                    $$UPDATE feedback SET kind = 'praise' WHERE feedback_id = 1$$,
                    $$UPDATE feedback SET to_rep_id = 'cid' WHERE feedback_id = 1$$,
                    $$UPDATE feedback SET skill_id = NULL, kpi_code = 'win_rate' WHERE feedback_id = 1$$,
                    $$DELETE FROM feedback WHERE feedback_id = 1$$]) AS statement;
SELECT lives_ok($$UPDATE feedback SET body = body WHERE feedback_id = 1$$, 'to change nothing is no change');

-- ---------------------------------------------------------------- corrections

SELECT lives_ok($$INSERT INTO feedback (feedback_id, from_rep_id, to_rep_id, kind, skill_id, body, corrects_feedback_id) VALUES (4, 'ann', 'bob', 'coaching', 'talk', 'Listen.', 1)$$, 'a correction is new feedback');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body, corrects_feedback_id) VALUES ('ann', 'bob', 'review', 'Again.', 1)$$, '23505', NULL, 'one for each');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body, corrects_feedback_id) VALUES ('ann', 'bob', 'review', 'Again.', 4)$$, '23514', 'feedback 4 cannot be corrected so', 'not of a draft');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body, corrects_feedback_id) VALUES ('cid', 'bob', 'review', 'No.', 2)$$, '23514', 'feedback 2 cannot be corrected so', 'not by somebody else');
SELECT throws_ok($$INSERT INTO feedback (from_rep_id, to_rep_id, kind, body, corrects_feedback_id) VALUES ('ann', 'cid', 'review', 'No.', 2)$$, '23514', 'feedback 2 cannot be corrected so', 'not for somebody else');
SELECT throws_ok($$UPDATE feedback SET to_rep_id = 'cid' WHERE feedback_id = 4$$, '23514', 'feedback 1 cannot be corrected so', 'nor afterwards');
UPDATE feedback SET shared_at = '2025-03-20 12:00' WHERE feedback_id = 4;

-- ---------------------------------------------------------------- replies

SELECT lives_ok($$INSERT INTO feedback_reply (feedback_id, acknowledged_at, reply) VALUES (4, '2025-03-21 12:00', 'I will.')$$, 'shared feedback is acknowledged');
SELECT throws_ok($$INSERT INTO feedback_reply (feedback_id) VALUES (4)$$, '23505', NULL, 'once');
SELECT throws_ok($$UPDATE feedback_reply SET reply = 'I will not.' WHERE feedback_id = 4$$, '55000', 'the reply to feedback 4 stays as it is', 'the reply stays');
SELECT throws_ok($$DELETE FROM feedback_reply WHERE feedback_id = 4$$, '55000', 'the reply to feedback 4 stays as it is', 'and is not taken back');

-- ---------------------------------------------------------------- the rest

INSERT INTO action_item (action_item_id, owner_rep_id, title, due_on, feedback_id, goal_id) VALUES (1, 'bob', 'Ask five questions', '2025-04-10', 1, 'g1'), (2, 'bob', 'Agreed on before', '2025-02-10', NULL, NULL);
INSERT INTO enrolment (enrolment_id, course_id, rep_id, due_on, completed_on, score) VALUES (1, 'c1', 'bob', '2025-05-01', '2025-02-01', 0.5);
SELECT results_eq($$SELECT action_item_id, created_on FROM action_item ORDER BY 1$$, $$VALUES (1::bigint, date '2025-03-31'), (2, '2025-02-10')$$, 'the day of an item is that of as_of(), or its first other day');
SELECT is(assigned_on, '2025-02-01', 'of an enrolment too') FROM enrolment;
SELECT throws_ok($$INSERT INTO enrolment (course_id, rep_id, score) VALUES ('c1', 'ann', 0.5)$$, '23514', NULL, 'no score before the end');
INSERT INTO review_cycle (every_days, starts_on) VALUES (30, '2025-01-01');
SELECT throws_ok($$INSERT INTO review_cycle (every_days, starts_on) VALUES (60, '2025-01-01')$$, '23505', NULL, 'one cycle for all teams');
INSERT INTO metric_limit (metric_count) VALUES (3);
SELECT throws_ok($$INSERT INTO metric_limit (metric_count) VALUES (4)$$, '23505', NULL, 'and one limit');

-- ---------------------------------------------------------------- renames

CREATE TEMP TABLE before AS SELECT feedback_id, kind, body, shared_at, corrects_feedback_id FROM feedback;
SELECT lives_ok($$UPDATE rep SET rep_id = 'new ' || rep_id$$, 'reps get other keys');
UPDATE skill SET skill_id = 'new talk';
UPDATE goal SET goal_id = 'new g1';
UPDATE deal SET deal_id = 'new d1';
SELECT results_eq($$SELECT feedback_id, from_rep_id, to_rep_id, skill_id FROM feedback ORDER BY 1$$,
                  $$VALUES (1::bigint, 'new ann', 'new bob', 'new talk'), (2, 'new ann', 'new bob', NULL), (4, 'new ann', 'new bob', 'new talk')$$, 'shared feedback follows');
SELECT bag_eq('SELECT feedback_id, kind, body, shared_at, corrects_feedback_id FROM feedback', 'TABLE before', 'and says what it said');
SELECT results_eq($$SELECT owner_rep_id, goal_id, e.rep_id FROM action_item, enrolment e WHERE action_item_id = 1$$, $$VALUES ('new bob', 'new g1', 'new bob')$$, 'items and enrolments follow');

SELECT * FROM finish();
