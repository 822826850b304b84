-- The deals as they stood: each case by hand, then all of a generated mart against another way of
-- putting them together.
SELECT plan(34);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET timezone = 'Europe/Berlin';

INSERT INTO rep (rep_id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob');
INSERT INTO stage (stage_no, stage_id, name, is_open)
VALUES (1, 'new', 'New', true), (2, 'offer', 'Offer', true), (3, 'won', 'Won', false), (4, 'lost', 'Lost', false);

-- Recorded from the day they were opened on; the history of the changes is loaded.
INSERT INTO deal (deal_id, rep_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, outcome, recorded_at)
VALUES ('later', 'ann', 'new', 1, NULL, '2024-07-01', NULL, NULL, 'open', '2024-07-01'),
       ('won before', 'ann', 'won', 2, NULL, '2024-01-01', NULL, '2024-06-30', 'won', '2024-01-01'),
       ('won after', 'ann', 'won', 3, NULL, '2024-01-01', NULL, '2024-07-01', 'won', '2024-01-01'),
       ('changed', 'bob', 'offer', 40, 'EUR', '2024-01-01', '2024-12-01', NULL, 'open', '2024-01-01'),
       ('reopened', 'ann', 'new', 5, NULL, '2024-01-01', NULL, NULL, 'open', '2024-01-01'),
       ('entered late', 'ann', 'won', 6, NULL, '2024-01-01', NULL, '2024-06-15', 'won', '2024-01-01'),
       ('loaded late', 'ann', 'won', 7, NULL, '2024-01-01', NULL, '2024-06-15', 'won', '2024-09-01'),
       ('some day', 'ann', 'won', 8, NULL, '2024-01-01', NULL, NULL, 'won', '2024-01-01'),
       ('undated', 'ann', 'new', 9, NULL, NULL, NULL, NULL, 'open', '2024-01-01'),
       ('no outcome', 'ann', 'new', 10, NULL, '2024-01-01', NULL, NULL, NULL, '2024-01-01');
DELETE FROM stage_event;
INSERT INTO stage_event (deal_id, stage_id, entered_on)
VALUES ('won after', 'new', '2024-01-01'), ('won after', 'offer', '2024-03-01'), ('won after', 'won', '2024-07-01'),
       ('changed', 'new', '2024-01-05'), ('changed', 'offer', '2024-08-01'),
       ('no outcome', 'new', '2024-02-02');
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
VALUES ('changed', '2024-05-01 12:00', 'amount', '10', '20'),
       ('changed', '2024-07-15 12:00', 'amount', '20', '30'),
       ('changed', '2024-08-15 12:00', 'amount', '30', '40'),
       ('changed', '2024-07-01 00:00', 'rep_id', 'ann', 'bob'),
       ('changed', '2024-08-01 00:00', 'currency', NULL, 'EUR'),
       ('changed', '2024-08-01 00:00', 'expected_close_on', '2024-06-01', '2024-12-01'),
       ('changed', '2024-08-01 00:00', 'stage_id', 'new', 'offer'),
       ('reopened', '2024-06-01 10:00', 'outcome', 'open', 'lost'),
       ('reopened', '2024-06-01 10:00', 'closed_on', NULL, '2024-05-31'),
       ('reopened', '2024-08-01 10:00', 'outcome', 'lost', 'open'),
       ('reopened', '2024-08-01 10:00', 'closed_on', '2024-05-31', NULL),
       ('entered late', '2024-07-02 10:00', 'outcome', 'open', 'won'),
       ('entered late', '2024-07-02 10:00', 'closed_on', NULL, '2024-06-15'),
       ('loaded late', '2024-09-02 10:00', 'outcome', 'open', 'won'),
       ('loaded late', '2024-09-02 10:00', 'closed_on', NULL, '2024-06-15');

SET sales_perf.as_of = '2024-06-30';
CREATE TEMP VIEW stood AS SELECT * FROM deal_as_of;

SELECT is_empty($$SELECT FROM stood WHERE deal_id = 'later'$$, 'a deal opened later is not there');
SELECT results_eq(
    $$SELECT outcome, closed_on, stage_id FROM stood WHERE deal_id = 'won before'$$,
    $$VALUES ('won', '2024-06-30'::date, 'won')$$, 'a deal closed on the day is closed');
SELECT results_eq(
    $$SELECT outcome, closed_on, stage_id, stage_entered_on FROM stood WHERE deal_id = 'won after'$$,
    $$VALUES ('open', NULL::date, 'offer', '2024-03-01'::date)$$, 'one closed the day after is open, in the stage it had come to');
SELECT results_eq(
    $$SELECT rep_id, stage_id, amount, currency, expected_close_on, stage_entered_on FROM stood WHERE deal_id = 'changed'$$,
    $$VALUES ('ann', 'new', 20::numeric, NULL, '2024-06-01'::date, '2024-01-05'::date)$$,
    'fields stand as before the first later change; midnight is the next day''s');
SELECT results_eq(
    $$SELECT outcome, closed_on FROM stood WHERE deal_id = 'reopened'$$,
    $$VALUES ('lost', '2024-05-31'::date)$$, 'a deal reopened later is closed');
SELECT results_eq(
    $$SELECT outcome, closed_on, is_as_recorded FROM stood WHERE deal_id = 'entered late'$$,
    $$VALUES ('open', NULL::date, true)$$, 'a closing that was only recorded later was not known');
SELECT results_eq(
    $$SELECT outcome, closed_on, is_as_recorded FROM stood WHERE deal_id = 'loaded late'$$,
    $$VALUES ('won', '2024-06-15'::date, false)$$, 'but where nothing was recorded by then, its day decides, and the row says so');
SELECT results_eq(
    $$SELECT outcome, closed_on FROM stood WHERE deal_id = 'some day'$$,
    $$VALUES ('won', NULL::date)$$, 'a deal closed without a day is closed');
SELECT is(outcome, 'open', 'a deal without a day of opening is there') FROM stood WHERE deal_id = 'undated';
SELECT is(outcome, 'open', 'no outcome is open') FROM stood WHERE deal_id = 'no outcome';

SET sales_perf.as_of = '2024-05-30';
SELECT results_eq(
    $$SELECT outcome, closed_on FROM stood WHERE deal_id = 'reopened'$$,
    $$VALUES ('open', NULL::date)$$, 'before its first closing it is open');
SET sales_perf.as_of = '2024-07-31';
SELECT results_eq(
    $$SELECT rep_id, stage_id, amount, currency FROM stood WHERE deal_id = 'changed'$$,
    $$VALUES ('bob', 'new', 30::numeric, NULL)$$, 'a month later some changes have come');
SELECT is(outcome, 'won', 'and what was entered late is known') FROM stood WHERE deal_id = 'entered late';
SET sales_perf.as_of = '2024-06-30';
SET timezone = 'America/New_York';
SELECT is(rep_id, 'bob', 'the day ends at the session''s midnight: the change of 00:00 in Berlin is before it')
FROM stood WHERE deal_id = 'changed';
SET timezone = 'Europe/Berlin';

SET sales_perf.as_of = '2023-12-31';
SELECT set_eq($$SELECT deal_id FROM stood$$, $$VALUES ('undated')$$, 'before everything there is only what has no day');

RESET sales_perf.as_of;
SELECT results_eq(
    $$SELECT deal_id, rep_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, coalesce(outcome, 'open') FROM deal ORDER BY deal_id$$,
    $$SELECT deal_id, rep_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, outcome FROM stood ORDER BY deal_id$$,
    'today they stand as they are');

-- A deal changed just now, as of yesterday and as of today.
UPDATE deal SET amount = 99, rep_id = 'bob' WHERE deal_id = 'won before';
SELECT is(amount, 99::numeric, 'a change of today counts today') FROM stood WHERE deal_id = 'won before';
SELECT set_config('sales_perf.as_of', (current_date - 1)::text, false) \gset
SELECT results_eq(
    $$SELECT amount, rep_id FROM stood WHERE deal_id = 'won before'$$,
    $$VALUES (2::numeric, 'ann')$$, 'and did not yesterday');
SELECT is(count(*), 1::bigint, 'the cells of that day read it so')
FROM closed_cell
WHERE closed_on = '2024-06-30' AND rep_id = 'ann' AND sales_perf.bookings_amount(summary) = 2;

-- A deal that was nobody's, and is somebody's now.
RESET sales_perf.as_of;
UPDATE deal SET rep_id = NULL;
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value) VALUES ('undated', '2024-08-01', 'rep_id', NULL, 'ann');
UPDATE deal SET rep_id = 'ann';
DELETE FROM deal_change WHERE field = 'rep_id' AND changed_at > '2024-09-01';
SET sales_perf.as_of = '2024-06-30';
SELECT results_eq(
    $$SELECT rep_id, open_count FROM rep_scorecard WHERE grain = 'month' AND period_start = '2024-06-01' AND (rep_id IS NULL OR open_count > 0) ORDER BY 1$$,
    $$SELECT rep_id, count(*) FROM stood WHERE is_open GROUP BY 1 ORDER BY 1$$,
    'a deal that was nobody''s then has its row in the scorecard');

-- ---------------------------------------------------------------- generated deals

SELECT sales_perf.create_mart('demo') \gset
SET search_path = demo, sales_perf, public;
SET sales_perf.as_of = '2025-06-30';
SELECT sales_perf.generate_demo('demo', 3000) \gset
\ir fixture/plain_demo.sql

-- Field by field: the old value of the earliest later change, or what is there.
CREATE FUNCTION public.field_then(which text, field_name text, now_value text) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE
        WHEN EXISTS (SELECT FROM demo.deal_change c WHERE c.deal_id = which AND c.field = field_name AND c.changed_at::date > sales_perf.as_of())
        THEN (SELECT c.old_value
                FROM demo.deal_change c
               WHERE c.deal_id = which AND c.field = field_name AND c.changed_at::date > sales_perf.as_of()
               ORDER BY c.changed_at, c.deal_change_id
               LIMIT 1)
        ELSE now_value
    END;

CREATE TEMP VIEW expected AS
SELECT deal_id, rep_id, amount, opened_on, expected_close_on,
       CASE WHEN is_closed THEN closed_on END AS closed_on,
       CASE WHEN is_closed THEN outcome ELSE 'open' END AS outcome
  FROM (SELECT *, outcome <> 'open' AND coalesce(closed_on, '-infinity') <= sales_perf.as_of() AS is_closed
          FROM (SELECT deal_id, opened_on,
                       field_then(deal_id, 'rep_id', rep_id) AS rep_id,
                       field_then(deal_id, 'amount', amount::text)::numeric AS amount,
                       field_then(deal_id, 'expected_close_on', expected_close_on::text)::date AS expected_close_on,
                       field_then(deal_id, 'closed_on', closed_on::text)::date AS closed_on,
                       field_then(deal_id, 'outcome', outcome) AS outcome
                  FROM deal
                 WHERE coalesce(opened_on, '-infinity') <= sales_perf.as_of()) AS fields) AS closings;

CREATE TEMP VIEW differences AS
(SELECT deal_id, rep_id, amount, opened_on, expected_close_on, closed_on, outcome FROM deal_as_of
 EXCEPT ALL
 TABLE expected)
UNION ALL
(TABLE expected
 EXCEPT ALL
 SELECT deal_id, rep_id, amount, opened_on, expected_close_on, closed_on, outcome FROM deal_as_of);

SELECT is_empty('TABLE differences', 'generated deals, on the last day');
SET sales_perf.as_of = '2025-05-31';
SELECT is_empty('TABLE differences', 'a month before');
SET sales_perf.as_of = '2024-10-15';
SELECT is_empty('TABLE differences', 'in October before');
SET sales_perf.as_of = '2023-01-01';
SELECT is_empty('TABLE differences', 'two years before');

SET sales_perf.as_of = '2024-10-15';
SELECT results_eq(
    $$SELECT stage_id, count(*) FROM deal_as_of WHERE outcome = 'open' AND opened_on IS NOT NULL GROUP BY 1 ORDER BY 1$$,
    $$SELECT stage_id, count(*)
        FROM (SELECT DISTINCT ON (deal_id) deal_id, stage_id
                FROM stage_event
               WHERE entered_on <= '2024-10-15'
               ORDER BY deal_id, entered_on DESC, entered_at DESC) AS latest
        JOIN expected USING (deal_id)
       WHERE outcome = 'open'
         AND opened_on IS NOT NULL
       GROUP BY 1 ORDER BY 1$$,
    'open deals stood in the stages their events tell');
SELECT is(sum(sales_perf.open_count(summary)), (SELECT count(*) FROM expected WHERE outcome = 'open')::numeric, 'open_cell holds the open deals') FROM open_cell;
SELECT is(sum(sales_perf.won_count(summary) + sales_perf.lost_count(summary)), (SELECT count(*) FROM expected WHERE outcome <> 'open')::numeric, 'closed_cell the closed ones') FROM closed_cell;
SELECT is(sales_perf.rollup(summary), (SELECT sales_perf.deal_agg(amount, outcome, opened_on, closed_on) FROM expected), 'and opened_cell all, exactly') FROM opened_cell;

SELECT throws_ok($$SET sales_perf.as_of = 'yesterday-ish'$$, NULL, NULL, 'no date is no as_of');
SELECT is(count(*), 0::bigint, 'every later change of a closed deal leaves it in one cell')
FROM (SELECT deal_id FROM deal_as_of GROUP BY deal_id HAVING count(*) > 1) AS doubled;
SET sales_perf.as_of = '2030-01-01';
SELECT is(count(*), 3000::bigint, 'as of a later day all are there') FROM deal_as_of;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SET sales_perf.as_of = '2024-10-15';
SELECT is_empty('TABLE differences', 'whatever the plan');
RESET enable_hashjoin;
RESET enable_nestloop;

-- Open deals may be read by parallel workers, stages and all.
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE by_one AS SELECT deal_id, stage_id, stage_entered_on, reporting_amount FROM deal_as_of WHERE is_open;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
\ir fixture/plan.sql
SELECT matches(pg_temp.plan_of('SELECT deal_id, stage_id, stage_entered_on, reporting_amount FROM deal_as_of WHERE is_open')::text, '"Workers Planned"', 'workers read open deals');
SELECT set_eq('SELECT deal_id, stage_id, stage_entered_on, reporting_amount FROM deal_as_of WHERE is_open', 'TABLE by_one', 'and come to the same');

SELECT * FROM finish();
