-- History written by trigger: what is recorded, and what loaded history replaces.
SELECT plan(37);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET datestyle = 'German';   -- recorded days do not depend on it

INSERT INTO rep (rep_id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob');
INSERT INTO stage (stage_no, stage_id, name, is_open)
VALUES (1, 'new', 'New', true), (2, 'offer', 'Offer', true), (3, 'won', 'Won', false);

-- ---------------------------------------------------------------- insertion

INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, expected_close_on, closed_on, outcome)
VALUES ('today', 'ann', 'new', 100, current_date, current_date + 30, NULL, 'open'),
       ('old', 'ann', 'offer', 200, '2024-02-01', '2024-05-01', NULL, 'open'),
       ('done', 'ann', 'won', 300, '2024-02-01', '2024-03-01', '2024-03-05', 'won'),
       ('undated', 'ann', 'new', NULL, NULL, NULL, NULL, 'open'),
       ('stageless', 'ann', NULL, 1, '2024-02-01', NULL, NULL, 'open');

SELECT set_eq(
    $$SELECT deal_id, stage_id, entered_on, is_assumed FROM stage_event$$,
    $$VALUES ('today', 'new', current_date, false),
             ('old', 'offer', '2024-02-01'::date, true),
             ('done', 'won', '2024-03-05', true),
             ('undated', 'new', current_date, false)$$,
    'a deal enters its stage when it is opened, a closed one when it closed; a guess is marked as one');
SELECT is_empty('TABLE deal_change', 'coming in is no change');

-- ---------------------------------------------------------------- update

UPDATE deal SET amount = amount + 0.50 WHERE deal_id IN ('today', 'old');
SELECT results_eq(
    $$SELECT deal_id, field, old_value, new_value FROM deal_change ORDER BY deal_id$$,
    $$VALUES ('old', 'amount', '200', '200.50'), ('today', 'amount', '100', '100.50')$$,
    'one statement records the change of each row');
SELECT is(count(DISTINCT changed_at), 1::bigint, 'at one moment') FROM deal_change;
SELECT ok(bool_and(changed_at BETWEEN now() - interval '1 minute' AND clock_timestamp()), 'which is now') FROM deal_change;

UPDATE deal SET name = 'Old deal', lost_reason = 'none' WHERE deal_id = 'old';
UPDATE deal SET amount = 200.50 WHERE deal_id = 'old';
SELECT is(count(*), 2::bigint, 'other fields, and the same value again, are no change') FROM deal_change;

TRUNCATE deal_change;
UPDATE deal
   SET stage_id = 'won', outcome = 'won', closed_on = '2024-06-30', expected_close_on = NULL, rep_id = 'bob', currency = 'EUR'
 WHERE deal_id = 'old';
SELECT set_eq(
    $$SELECT field, old_value, new_value FROM deal_change$$,
    $$VALUES ('stage_id', 'offer', 'won'), ('outcome', 'open', 'won'), ('closed_on', NULL, '2024-06-30'),
             ('expected_close_on', '2024-05-01', NULL), ('rep_id', 'ann', 'bob'), ('currency', NULL, 'EUR')$$,
    'each field that changed is recorded, days as YYYY-MM-DD, NULL as NULL');
SELECT results_eq(
    $$SELECT stage_id, entered_on, entered_at IS NOT NULL, is_assumed FROM stage_event WHERE deal_id = 'old' ORDER BY stage_event_id$$,
    $$VALUES ('offer', '2024-02-01'::date, false, true), ('won', current_date, true, false)$$,
    'a new stage is an event, and leaves the first one alone');

UPDATE deal SET stage_id = 'offer', outcome = 'open', closed_on = NULL WHERE deal_id = 'old';
SELECT is(count(*), 3::bigint, 'a stage entered again is an event again, and replaces nothing') FROM stage_event WHERE deal_id = 'old';
SELECT is(count(*), 2::bigint, 'both changes of the outcome are there') FROM deal_change WHERE field = 'outcome';
SELECT ok(max(changed_at) FILTER (WHERE old_value = 'won') > max(changed_at) FILTER (WHERE old_value = 'open'), 'in their order')
  FROM deal_change
 WHERE field = 'outcome';

UPDATE deal SET closed_on = 'infinity' WHERE deal_id = 'today';
SELECT is(new_value, 'infinity', 'an infinite day is recorded as such') FROM deal_change WHERE deal_id = 'today' AND field = 'closed_on';

-- ---------------------------------------------------------------- other ways of writing

TRUNCATE deal_change;
INSERT INTO deal (deal_id, stage_id, amount, opened_on)
VALUES ('today', 'offer', 77, current_date), ('fresh', 'new', 88, current_date)
    ON CONFLICT (deal_id) DO UPDATE SET stage_id = excluded.stage_id, amount = excluded.amount;
SELECT set_eq(
    $$SELECT deal_id, field, new_value FROM deal_change$$,
    $$VALUES ('today', 'stage_id', 'offer'), ('today', 'amount', '77')$$,
    'ON CONFLICT DO UPDATE records what it updates');
SELECT is(stage_id, 'new', 'and what it inserts') FROM stage_event WHERE deal_id = 'fresh';

TRUNCATE deal_change;
MERGE INTO deal
USING (VALUES ('today', 78), ('merged', 1)) AS s (deal_id, amount) ON s.deal_id = deal.deal_id
 WHEN MATCHED THEN UPDATE SET amount = s.amount
 WHEN NOT MATCHED THEN INSERT (deal_id, amount, stage_id) VALUES (s.deal_id, s.amount, 'new');
SELECT set_eq(
    $$SELECT deal_id, field, old_value, new_value FROM deal_change$$,
    $$VALUES ('today', 'amount', '77', '78')$$,
    'and so does MERGE');

UPDATE deal SET deal_id = 'renamed' WHERE deal_id = 'today';
SELECT is(count(*), 1::bigint, 'a new id takes its history along') FROM deal_change WHERE deal_id = 'renamed';
DELETE FROM deal WHERE deal_id = 'renamed';
SELECT is_empty($$SELECT FROM deal_change WHERE deal_id = 'renamed' UNION ALL SELECT FROM stage_event WHERE deal_id = 'renamed'$$,
    'and a deleted deal, too');

-- ---------------------------------------------------------------- loaded history

INSERT INTO deal (deal_id, stage_id, opened_on) VALUES ('crm 1', 'offer', '2024-01-10'), ('crm 2', 'offer', '2024-01-10');
INSERT INTO stage_event (deal_id, stage_id, entered_on)
VALUES ('crm 1', 'new', '2024-01-10'), ('crm 1', 'offer', '2024-02-20'),
       ('crm 2', 'offer', '2024-01-20');
SELECT results_eq(
    $$SELECT deal_id, stage_id, entered_on FROM stage_event WHERE deal_id LIKE 'crm%' ORDER BY deal_id, entered_on$$,
    $$VALUES ('crm 1', 'new', '2024-01-10'::date), ('crm 1', 'offer', '2024-02-20'), ('crm 2', 'offer', '2024-01-20')$$,
    'history loaded after its deals takes the place of what was assumed');

BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO stage_event (deal_id, stage_id, entered_on) VALUES ('crm 3', 'new', '2024-01-10');
INSERT INTO deal (deal_id, stage_id, opened_on) VALUES ('crm 3', 'new', '2024-01-01');
COMMIT;
SELECT results_eq(
    $$SELECT entered_on FROM stage_event WHERE deal_id = 'crm 3'$$,
    $$VALUES ('2024-01-10'::date)$$,
    'history loaded before its deals, keys deferred, is left as it is');

-- ---------------------------------------------------------------- the day an open deal entered its stage

-- The rule, by brute force: that of the latest event; closed deals have none.
CREATE TEMP VIEW wrong AS
SELECT d.deal_id, d.stage_entered_on
  FROM deal d
 WHERE d.stage_entered_on IS DISTINCT FROM CASE WHEN d.outcome IS NULL OR d.outcome = 'open'
                                                THEN (SELECT max(e.entered_on) FROM stage_event e WHERE e.deal_id = d.deal_id) END;
SELECT is_empty('TABLE wrong', 'it stands with the deal: after all that was inserted, updated and loaded above');
SELECT is(count(stage_entered_on), 5::bigint, 'of the open ones') FROM deal WHERE deal_id IN ('crm 1', 'crm 2', 'crm 3', 'old', 'undated');

INSERT INTO deal (deal_id, stage_id, opened_on, stage_entered_on) VALUES ('given', 'offer', '2024-01-01', '2024-01-15');
SELECT results_eq($$SELECT entered_on, is_assumed FROM stage_event WHERE deal_id = 'given'$$, $$VALUES ('2024-01-15'::date, true)$$, 'a day that comes with the deal is that of its event');
UPDATE deal SET stage_entered_on = '2020-01-01' WHERE deal_id = 'given';
SELECT is(stage_entered_on, '2024-01-15', 'what an update says of it is passed over') FROM deal WHERE deal_id = 'given';

INSERT INTO stage_event (deal_id, stage_id, entered_on) VALUES ('given', 'new', '2024-01-02'), ('given', 'offer', '2024-03-03'), ('crm 2', 'new', '2024-01-01');
UPDATE stage_event SET deal_id = 'crm 3' WHERE deal_id = 'crm 1' AND stage_id = 'offer';
UPDATE stage_event SET entered_on = '2024-05-05' WHERE deal_id = 'crm 2' AND stage_id = 'offer';
SELECT is_empty('TABLE wrong', 'events that are inserted, given to another deal or moved to another day');
DELETE FROM stage_event WHERE deal_id = 'given' AND entered_on = '2024-03-03';
DELETE FROM stage_event WHERE deal_id = 'old';
SELECT is_empty('TABLE wrong', 'or deleted');

UPDATE deal SET outcome = 'lost', closed_on = current_date WHERE deal_id IN ('given', 'crm 2');
UPDATE deal SET outcome = 'open', closed_on = NULL WHERE deal_id = 'crm 2';
UPDATE deal SET outcome = NULL, closed_on = NULL, stage_id = 'new' WHERE deal_id = 'given';
UPDATE deal SET deal_id = 'renamed' WHERE deal_id = 'crm 3';
SELECT is_empty('TABLE wrong', 'deals that are closed, reopened and renamed');
INSERT INTO deal (deal_id, stage_id, opened_on) VALUES ('given', 'offer', '2024-01-01')
    ON CONFLICT (deal_id) DO UPDATE SET stage_id = excluded.stage_id, stage_entered_on = excluded.stage_entered_on;
SELECT results_eq($$SELECT stage_id, stage_entered_on FROM deal WHERE deal_id = 'given'$$, $$VALUES ('offer', current_date)$$, 'ON CONFLICT DO UPDATE into another stage is an entry of today');

BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO stage_event (deal_id, stage_id, entered_on) VALUES ('renamed', 'new', '2023-01-01');
SELECT is((SELECT xmin FROM deal WHERE deal_id = 'renamed')::text, pg_current_xact_id()::xid::text,
    'under REPEATABLE READ the deal is written even so, that two who write its events at once do not pass each other by');
COMMIT;

CREATE TEMP TABLE change_before AS SELECT deal_change_id, deal_id, changed_at, field, replace(old_value, 'ann', 'anna') AS old_value, replace(new_value, 'ann', 'anna') AS new_value FROM deal_change;
CREATE TEMP TABLE event_before AS SELECT stage_event_id, deal_id, replace(stage_id, 'offer', 'bid') AS stage_id, entered_on FROM stage_event;
UPDATE rep SET rep_id = 'anna' WHERE rep_id = 'ann';
UPDATE stage SET stage_id = 'bid' WHERE stage_id = 'offer';
SELECT results_eq(
    'SELECT deal_change_id, deal_id, changed_at, field, old_value, new_value FROM deal_change ORDER BY 1',
    $$SELECT deal_change_id, deal_id, changed_at, field, CASE WHEN field = 'stage_id' AND old_value = 'offer' THEN 'bid' ELSE old_value END,
             CASE WHEN field = 'stage_id' AND new_value = 'offer' THEN 'bid' ELSE new_value END FROM change_before ORDER BY 1$$,
    'a rep or stage that gets another key is the same in the history, too, and nothing has changed');
SELECT results_eq('SELECT stage_event_id, deal_id, stage_id, entered_on FROM stage_event ORDER BY 1', 'TABLE event_before ORDER BY 1', 'nor did any deal enter a stage');
SELECT is_empty('TABLE wrong', 'so it entered its stage when it did');
TRUNCATE stage_event;
SELECT is_empty('TABLE wrong', 'and after TRUNCATE');

SELECT throws_ok(
    $$INSERT INTO deal_change (deal_id, changed_at, field, old_value) VALUES ('crm 1', now(), 'amount', 'a lot')$$,
    '22P02', NULL, 'an old amount that is no number is refused');
SELECT throws_ok(
    $$INSERT INTO deal_change (deal_id, changed_at, field, old_value) VALUES ('crm 1', now(), 'closed_on', '31.12.2024')$$,
    '23514', NULL, 'so is a day that could be read in two ways');
SELECT throws_ok(
    $$INSERT INTO deal_change (deal_id, changed_at, field, old_value) VALUES ('crm 1', now(), 'closed_on', '2024-02-31')$$,
    '22008', NULL, 'or that is none');
SELECT throws_ok(
    $$INSERT INTO deal_change (deal_id, changed_at, field, old_value) VALUES ('crm 1', now(), 'outcome', 'Closed Won')$$,
    '23514', NULL, 'or an outcome of another kind');
SELECT lives_ok(
    $$INSERT INTO deal_change (deal_id, changed_at, field, old_value) VALUES ('crm 1', now(), 'next step', 'call back')$$,
    'fields that reports do not read may be kept there');

SELECT * FROM finish();
