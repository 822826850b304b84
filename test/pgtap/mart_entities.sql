-- The entities: keys and trees are kept, bad data comes in, nonsense does not.
SELECT plan(35);

SELECT lives_ok($$SELECT sales_perf.create_mart('sales')$$, 'a mart');
SET search_path = sales, public;

-- ---------------------------------------------------------------- documentation and security

SELECT is_empty(
    $$SELECT c.relname
      FROM pg_class c
      WHERE c.relnamespace = 'sales'::regnamespace
        AND c.relkind IN ('r', 'v')
        AND obj_description(c.oid, 'pg_class') IS NULL$$,
    'every table and view has a comment');

SELECT is_empty(
    $$SELECT c.relname, a.attname
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'sales'::regnamespace
        AND c.relkind IN ('r', 'v')
        AND col_description(c.oid, a.attnum) IS NULL$$,
    'and so has every column');

SELECT is_empty(
    $$SELECT relname
      FROM pg_class
      WHERE relnamespace = 'sales'::regnamespace
        AND relkind = 'v'
        AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)$$,
    'every view reads with the rights of whoever asks');

SELECT is_empty(
    $$SELECT c.relname, a.attname, a.atttypid::regtype
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.relnamespace = 'sales'::regnamespace
        AND c.relkind = 'v'
        AND c.relname NOT LIKE '%\_cell'
        AND c.relname NOT IN ('company_summary', 'team_summary', 'rep_summary', 'deal_path', 'calendar_grain', 'forecast_span', 'fx_rate_list', 'clock_list', 'rollup_row')
        AND a.atttypid NOT IN ('text'::regtype, 'timestamptz'::regtype, 'bigint'::regtype, 'integer'::regtype, 'numeric'::regtype,
                               'double precision'::regtype, 'date'::regtype, 'boolean'::regtype)$$,
    'views for BI tools have columns of base types only');

-- ---------------------------------------------------------------- teams and reps

BEGIN;
SELECT lives_ok(
    $$INSERT INTO team (team_id, name, parent_team_id, manager_rep_id)
      VALUES ('south', 'South', 'all', 'ann'),
             ('all', 'All', NULL, 'eve'),
             ('north', 'North', 'all', NULL),
             ('far north', 'Far North', 'north', NULL)$$,
    'teams come in any order, before the reps who lead them');
SELECT lives_ok(
    $$INSERT INTO rep (rep_id, name, team_id)
      VALUES ('ann', 'Ann', 'south'), ('bob', 'Bob', 'far north'), ('eve', 'Eve', 'all')$$,
    'their reps follow');
COMMIT;

SELECT set_eq(
    'SELECT team_id, member_team_id FROM team_tree',
    $$VALUES ('all', 'all'), ('all', 'south'), ('all', 'north'), ('all', 'far north'),
             ('south', 'south'), ('north', 'north'), ('north', 'far north'), ('far north', 'far north')$$,
    'team_tree has each team with all below it');
SELECT set_eq(
    'SELECT team_id, rep_id FROM team_rep',
    $$VALUES ('all', 'ann'), ('all', 'bob'), ('all', 'eve'), ('south', 'ann'), ('north', 'bob'), ('far north', 'bob')$$,
    'team_rep has the reps of a team and of the teams below it');

SELECT throws_ok(
    $$UPDATE team SET parent_team_id = 'far north' WHERE team_id = 'all'$$,
    '23514', NULL, 'a circle of three teams is refused');
SELECT throws_ok(
    $$UPDATE team SET parent_team_id = 'north' WHERE team_id = 'north'$$,
    '23514', NULL, 'a team above itself is refused');
SELECT throws_ok(
    $$INSERT INTO team (team_id, name, parent_team_id) VALUES ('x', 'X', 'y'), ('y', 'Y', 'x')$$,
    '23514', 'team "x" would be above itself', 'a circle within one INSERT is refused, and named');
SELECT lives_ok(
    $$UPDATE team SET parent_team_id = 'south' WHERE team_id = 'far north'$$,
    'moving a team is not');
SELECT throws_ok(
    $$DELETE FROM team WHERE team_id = 'south'$$,
    '23503', NULL, 'a team with reps stays');
SELECT throws_ok(
    $$INSERT INTO rep (rep_id, name, hired_on, left_on) VALUES ('x', 'X', '2024-01-02', '2024-01-01')$$,
    '23514', NULL, 'nobody leaves before being hired');

-- ---------------------------------------------------------------- accounts

SELECT lives_ok(
    $$INSERT INTO account (account_id, name, parent_account_id)
      VALUES ('mother', 'Mother', NULL), ('daughter', 'Daughter', 'mother'), ('grandchild', 'Grandchild', 'daughter')$$,
    'accounts form a tree');
SELECT throws_ok(
    $$UPDATE account SET parent_account_id = 'grandchild' WHERE account_id = 'mother'$$,
    '23514', 'account "mother" would be above itself', 'and no circle');

-- ---------------------------------------------------------------- stages and deals

SELECT throws_ok(
    $$INSERT INTO stage (stage_no, stage_id, name, default_chance) VALUES (1, 'x', 'X', 40)$$,
    '23514', NULL, 'a chance is a fraction, not a percentage');
INSERT INTO stage (stage_no, stage_id, name, is_open, default_chance)
VALUES (1, 'new', 'New', true, 0.2), (2, 'won', 'Won', false, 1);
SELECT throws_ok(
    $$INSERT INTO stage (stage_no, stage_id, name) VALUES (1, 'other', 'Other')$$,
    '23505', NULL, 'two stages of a pipeline have two places');
SELECT lives_ok(
    $$INSERT INTO stage (pipeline_id, stage_no, stage_id, name) VALUES ('partners', 1, 'partner new', 'New')$$,
    'another pipeline counts anew');

SELECT lives_ok(
    $$INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, closed_on, outcome)
      VALUES ('backwards', 'ann', 'won', 10, '2024-03-01', '2024-02-01', 'won'),
             ('priceless', 'ann', 'won', NULL, '2024-01-01', '2024-02-01', 'won'),
             ('some day', 'ann', 'won', 10, '2024-01-01', NULL, 'won'),
             ('endless', 'ann', 'new', 10, '2024-01-01', 'infinity', 'lost'),
             ('not a number', 'ann', 'new', 'NaN', '2024-01-01', NULL, 'open'),
             ('nobody''s', NULL, NULL, -10, NULL, NULL, NULL)$$,
    'faulty deals can be loaded');
SELECT throws_ok(
    $$INSERT INTO deal (deal_id, outcome) VALUES ('x', 'Won')$$,
    '23514', NULL, 'an outcome is won, lost or open');
SELECT throws_ok(
    $$INSERT INTO deal (deal_id, currency) VALUES ('x', 'euro')$$,
    '23514', NULL, 'a currency is a code');
SELECT throws_ok(
    $$INSERT INTO deal (deal_id, rep_id) VALUES ('x', 'zoe')$$,
    '23503', NULL, 'a deal belongs to a rep there is');
INSERT INTO deal (deal_id) VALUES ('plain');
SELECT is(outcome, 'open', 'a deal is open unless it says otherwise') FROM deal WHERE deal_id = 'plain';
SELECT is(pipeline_id, 'default', 'and in the default pipeline') FROM deal WHERE deal_id = 'plain';

UPDATE rep SET rep_id = 'anna' WHERE rep_id = 'ann';
SELECT is(count(*), 5::bigint, 'a new id of a rep reaches the deals') FROM deal WHERE rep_id = 'anna';
SELECT is(manager_rep_id, 'anna', 'and the team led') FROM team WHERE team_id = 'south';

-- ---------------------------------------------------------------- calendar and periods

SELECT is(min(on_date), '2000-01-01'::date, 'the calendar begins in 2000') FROM calendar;
SELECT is(count(*), count(DISTINCT on_date), 'one row a day') FROM calendar;
SELECT is(fill_calendar('2050-03-03', '2051-01-01'), 730, 'fill_calendar() adds whole years, and no day twice');
SELECT throws_ok($$SELECT fill_calendar('2051-01-01', '2050-01-01')$$, '22023', NULL, 'but none backwards');
SELECT results_eq(
    $$SELECT is_business_day, fiscal_year, fiscal_quarter_label, fiscal_quarter_end, fiscal_period_label, fiscal_period_end, fiscal_week_label, fiscal_week_start
      FROM calendar WHERE on_date = '2024-12-31'$$,
    $$VALUES (true, 2024, '2024-Q4', '2024-12-31'::date, '2024-12', '2024-12-31'::date, '2025-W01', '2024-12-30'::date)$$,
    'a day knows its periods');

SET sales_perf.as_of = '2024-03-31';
SELECT results_eq(
    $$SELECT period_label, period_start, period_end, is_complete, prior_start, prior_end
      FROM period WHERE grain IN ('quarter', 'year') ORDER BY grain$$,
    $$VALUES ('2024-Q1', '2024-01-01'::date, '2024-03-31'::date, true, '2023-10-01'::date, '2023-12-31'::date),
             ('2024', '2024-01-01', '2024-12-31', false, '2023-01-01', '2023-12-31')$$,
    'periods run from the first deal to as_of(), and know the ones before them');
SET sales_perf.as_of = '2020-05-05';
SELECT set_eq(
    $$SELECT period_label FROM period$$,
    $$VALUES ('2020-05'), ('2020-Q2'), ('2020')$$,
    'before the first deal there is the period of as_of() alone');

SELECT * FROM finish();
