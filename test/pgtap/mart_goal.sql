-- Goals are SMART by constraint, keep the targets they had, and take check-ins.
SELECT plan(53);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-03-31';

INSERT INTO team (team_id, name, parent_team_id) VALUES ('all', 'All', NULL), ('north', 'North', 'all');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'north');

-- ---------------------------------------------------------------- what a goal must have

SELECT lives_ok(
    $$INSERT INTO goal (goal_id, name, level, kpi_code, target, first_day, last_day, reason)
      VALUES ('year', 'A million', 'company', 'bookings_amount', 1000000, '2025-01-01', '2025-12-31', 'to break even')$$,
    'a goal of the company');
SELECT is(baseline, 0::numeric, 'starts from 0, unless it says otherwise') FROM goal WHERE goal_id = 'year';
SELECT lives_ok(
    $$INSERT INTO goal (goal_id, name, rep_id, kpi_code, baseline, target, stretch, first_day, last_day, parent_goal_id)
      VALUES ('ann', 'Ann''s half', 'ann', 'bookings_amount', 100, 500000, 600000, '2025-01-01', '2025-12-31', 'year')$$,
    'a goal of a rep, a part of it');
SELECT is(level, 'rep', 'whose goal it is says the owner') FROM goal WHERE goal_id = 'ann';
INSERT INTO goal (name, team_id, kpi_code, target, first_day, last_day, reason)
VALUES ('North', 'north', 'won_count', 10, '2025-02-03', '2025-02-03', 'a day is a range too');
SELECT is(level, 'team', 'the team''s likewise') FROM goal WHERE name = 'North';
SELECT isnt(goal_id, NULL, 'a key is made up') FROM goal WHERE name = 'North';

-- Each row lacks one thing.
PREPARE new_goal (text, text, text, text, text, numeric, numeric, numeric, date, date, text, text) AS
INSERT INTO goal (name, level, team_id, rep_id, kpi_code, baseline, target, stretch, first_day, last_day, parent_goal_id, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

SELECT throws_ok(
    format('EXECUTE new_goal (%s)', given),
    '23514',
    format('new row for relation "goal" violates check constraint "%s"', violated),
    why)
  FROM (VALUES
    ($$NULL, 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_name', 'specific: a name'),
    ($$E' \t', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_name', 'and no blank one'),
    ($$'x', NULL, NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_owner', 'specific: an owner'),
    ($$'x', 'rep', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_owner', 'a rep''s goal has a rep'),
    ($$'x', 'team', NULL, 'ann', 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_owner', 'a team''s goal has a team'),
    ($$'x', 'company', 'north', NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_owner', 'the company''s goal is nobody else''s'),
    ($$'x', NULL, 'north', 'ann', 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_owner', 'two owners are none'),
    ($$'x', 'region', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_specific_owner', 'there are three levels'),
    ($$'x', 'company', NULL, NULL, NULL, 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'measurable: a KPI'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, NULL, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'measurable: a target'),
    ($$'x', 'company', NULL, NULL, 'won_count', 10, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'that is not where it starts from'),
    ($$'x', 'company', NULL, NULL, 'won_count', NULL, 0, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'also if that is 0 by default'),
    ($$'x', 'company', NULL, NULL, 'cycle_average_days', NULL, 40, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'of a KPI of which less is better the baseline must be given'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 'NaN', NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'a target is a number'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 'Infinity', NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'and a finite one'),
    ($$'x', 'company', NULL, NULL, 'won_count', '-Infinity', 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable', 'so is the baseline'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, 9, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable_stretch', 'stretch lies beyond the target'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, 10, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable_stretch', 'not on it'),
    ($$'x', 'company', NULL, NULL, 'cycle_average_days', 60, 40, 50, '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable_stretch', 'and below it where the goal aims down'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, 'NaN', '2025-01-01', '2025-12-31', NULL, 'why'$$, 'goal_is_measurable_stretch', 'it is a number too'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, NULL$$, 'goal_is_relevant', 'relevant: a parent or a reason'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, E'\n'$$, 'goal_is_relevant', 'and no blank one'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, NULL, '2025-12-31', NULL, 'why'$$, 'goal_is_time_bound', 'time-bound: a first day'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', NULL, NULL, 'why'$$, 'goal_is_time_bound', 'a last day'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', 'infinity', NULL, 'why'$$, 'goal_is_time_bound', 'some day'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-02', '2025-01-01', NULL, 'why'$$, 'goal_is_time_bound', 'not before the first'),
    ($$'x', 'company', NULL, NULL, 'won_count', 0, 10, NULL, '2025-01-01', '9999-12-31', NULL, 'why'$$, 'goal_length_check', 'and not the end of days under another name')
  ) AS g (given, violated, why);

SELECT throws_ok(
    $$EXECUTE new_goal ('x', 'company', NULL, NULL, 'luck', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why')$$,
    '23503', NULL, 'a KPI that is not registered is none');
SELECT throws_ok(
    $$EXECUTE new_goal ('x', 'company', NULL, NULL, 'pipeline_amount', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why')$$,
    '23514', 'KPI "pipeline_amount" is not measured over the days of a goal', 'nor is one of a moment');
SELECT throws_ok(
    $$INSERT INTO goal (goal_id, name, level, kpi_code, target, first_day, last_day, reason, season_id)
      VALUES ('s', 'x', 'company', 'won_count', 1, '2025-01-01', '2025-12-31', 'why', 'retail'); SET CONSTRAINTS ALL IMMEDIATE$$,
    '23503', 'season "retail" of goal "s" has no rows in season_shape', 'a season has weights');
SELECT throws_ok(
    $$EXECUTE new_goal ('x', NULL, NULL, 'zoe', 'won_count', 0, 10, NULL, '2025-01-01', '2025-12-31', NULL, 'why')$$,
    '23503', NULL, 'an owner is there');
SELECT lives_ok(
    $$EXECUTE new_goal ('Faster', 'company', NULL, NULL, 'cycle_average_days', 60, 40, 30, '2025-01-01', '2025-12-31', NULL, 'why')$$,
    'a goal may aim down');

-- ---------------------------------------------------------------- a tree

SELECT throws_ok($$UPDATE goal SET parent_goal_id = 'year' WHERE goal_id = 'year'$$, '23514', NULL, 'no goal is part of itself');
SELECT throws_ok($$UPDATE goal SET parent_goal_id = 'ann' WHERE goal_id = 'year'$$, '23514', 'goal "year" would be above itself', 'nor by way of another');
SELECT throws_ok(
    $$INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, parent_goal_id)
      VALUES ('x', 'x', 'ann', 'won_count', 1, '2025-01-01', '2025-12-31', 'y'), ('y', 'y', 'ann', 'won_count', 1, '2025-01-01', '2025-12-31', 'x')$$,
    '23514', 'goal "x" would be above itself', 'a circle in one INSERT is refused');
SELECT throws_ok($$DELETE FROM goal WHERE goal_id = 'year'$$, '23503', NULL, 'a goal with parts stays');

-- ---------------------------------------------------------------- targets

SELECT results_eq(
    $$SELECT valid_from, baseline, target, stretch FROM goal_target WHERE goal_id = 'ann'$$,
    $$VALUES ('-infinity'::date, 100::numeric, 500000::numeric, 600000::numeric)$$,
    'the first target is in force from the beginning');
UPDATE goal SET target = 550000 WHERE goal_id = 'ann';
SET sales_perf.as_of = '2025-02-10';
UPDATE goal SET goal_id = 'ann 2025', target = 520000, stretch = NULL WHERE goal_id = 'ann';
UPDATE goal SET notes = 'nothing new', name = 'Ann''s part' WHERE goal_id = 'ann 2025';
SELECT results_eq(
    $$SELECT valid_from, baseline, target, stretch FROM goal_target WHERE goal_id = 'ann 2025' ORDER BY valid_from$$,
    $$VALUES ('-infinity'::date, 100::numeric, 500000::numeric, 600000::numeric),
             ('2025-02-10', 100, 520000, NULL),
             ('2025-03-31', 100, 550000, 600000)$$,
    'a change is in force from the day as_of() gives, and keeps what was before; other changes are none');
SELECT is(bool_and(changed_by = session_user), true, 'who changed it is kept') FROM goal_target WHERE goal_id = 'ann 2025';
SELECT throws_ok($$INSERT INTO goal_target (goal_id, valid_from, baseline, target) VALUES ('year', '2025-07-01', 10, 10)$$, '23514', NULL, 'a target by hand is measurable too');
SELECT throws_ok($$INSERT INTO goal_target (goal_id, valid_from, baseline, target) VALUES ('year', 'infinity', 0, 10)$$, '23514', NULL, 'and in force some day');
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO goal_target (goal_id, valid_from, baseline, target) VALUES ('loaded', '-infinity', 0, 5), ('loaded', '2025-02-01', 0, 7);
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, parent_goal_id)
VALUES ('loaded', 'x', 'ann', 'won_count', 7, '2025-01-01', '2025-12-31', 'year');
COMMIT;
SELECT is(count(*), 2::bigint, 'history that was loaded first stays as it is') FROM goal_target WHERE goal_id = 'loaded';
DELETE FROM goal WHERE goal_id = 'loaded';
SELECT is(count(*), 0::bigint, 'and goes with the goal') FROM goal_target WHERE goal_id = 'loaded';

-- ---------------------------------------------------------------- check-ins

INSERT INTO check_in (goal_id, author_rep_id, confidence, note) VALUES ('year', 'ann', 0.4, 'two large deals moved');
SELECT is(checked_on, '2025-02-10'::date, 'a check-in is of the day as_of() gives') FROM check_in;
SELECT throws_ok($$INSERT INTO check_in (goal_id, confidence) VALUES ('year', 40)$$, '23514', NULL, 'confidence is a fraction');
SELECT throws_ok($$INSERT INTO check_in (goal_id, note) VALUES ('year', ' ')$$, '23514', NULL, 'a check-in says something');
SELECT throws_ok($$INSERT INTO check_in (goal_id, note) VALUES ('none', 'x')$$, '23503', NULL, 'of a goal');

SELECT * FROM finish();
