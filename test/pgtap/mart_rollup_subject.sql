-- Stored summaries of customers and of the ways of deals: who is touched is derived anew, and nobody else. The oracles are the
-- same reports read from purchases and deals.
SELECT plan(88);

SELECT sales_perf.create_mart('sales', 'USD') \gset
SELECT sales_perf.generate_demo('sales', 400, 3) \gset
SET search_path = sales, public;

CREATE FUNCTION pg_temp.answers() RETURNS TABLE (report text, answer jsonb) LANGUAGE sql AS $$
SELECT 'retention', to_jsonb(x) FROM retention AS x
UNION ALL SELECT 'cohort_retention', to_jsonb(x) FROM cohort_retention AS x
UNION ALL SELECT 'funnel', to_jsonb(x) FROM funnel AS x WHERE grain IN ('quarter', 'all')
UNION ALL SELECT 'first_purchase', to_jsonb(x) FROM kpi_first_purchase_between('2000-01-01', sales_perf.as_of()) AS x
UNION ALL SELECT 'kpi_long', to_jsonb(x) FROM kpi_long AS x WHERE grain = 'year' AND kpi_code = 'new_customer_count'
$$;

-- with rollups and without: what differs
\ir fixture/rollup_differences.sql

CREATE FUNCTION pg_temp.wrong_cells(of_cell text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
SELECT sum(wrong_count)::bigint FROM sales_perf.verify_rollup('sales') WHERE of_cell IS NULL OR cell = of_cell
$$;

-- who is to be derived anew
CREATE FUNCTION pg_temp.touched() RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(DISTINCT concat_ws(' ', kind, coalesce(subject_id, currency), on_date), ', ' ORDER BY concat_ws(' ', kind, coalesce(subject_id, currency), on_date)), '') FROM rollup_touched
$$;

-- what a statement touches; then it is as if it had not been
CREATE FUNCTION pg_temp.touches(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE EXCEPTION USING ERRCODE = 'ZZ002', MESSAGE = pg_temp.touched();
EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
    RETURN sqlerrm;
END
$$;

CREATE TEMP TABLE before AS SELECT * FROM pg_temp.answers();
SELECT cmp_ok(count(*), '>', 500::bigint, 'there is something to compare') FROM before;
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT bag_eq('SELECT * FROM pg_temp.answers()', 'TABLE before', 'the reports are what they were');
SELECT is(pg_temp.differences(), 0::bigint, 'with rollups and without');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'verify_rollup finds nothing wrong');
SELECT ok(rollup_subject_serves('customer') AND rollup_subject_serves('way'), 'they are read');
SELECT is(derived_on, current_date, 'as of today') FROM rollup_state;
SELECT is(pg_temp.touched(), '', 'nobody is to be derived anew');

-- ---------------------------------------------------------------- who is touched

INSERT INTO account (account_id, name, segment) VALUES ('a1', 'One', 'small'), ('a2', 'Two', 'large');
INSERT INTO deal (deal_id, rep_id, account_id, amount, opened_on, closed_on, outcome)
VALUES ('w1', 'R001', 'a1', 100, current_date - 60, current_date - 10, 'won'), ('w2', 'R002', 'a2', 200, current_date - 60, current_date - 10, 'won'),
       ('o1', 'R001', 'a1', 300, current_date - 60, NULL, 'open');
UPDATE deal SET stage_id = (SELECT s.stage_id FROM stage s WHERE s.is_open AND s.pipeline_id = deal.pipeline_id ORDER BY s.stage_no LIMIT 1) WHERE deal_id IN ('w1', 'w2', 'o1');
SELECT is(pg_temp.differences(), 0::bigint, 'before a fold');
SELECT is(pg_temp.touched(), 'customer a1, customer a2, way o1, way w1, way w2', 'customers who bought, deals that came to a stage');
SELECT cmp_ok(sales_perf.fold_rollup('sales', false), '>', 5::bigint, 'a fold stores them');
SELECT is(pg_temp.touched(), '', 'then nobody is left');
SELECT is(pg_temp.differences(), 0::bigint, 'after a fold');
SELECT is(count(*), 1::bigint, 'the customer is kept once') FROM rollup_customer WHERE account_id = 'a1' AND NOT is_pending;

SELECT is(pg_temp.touches($$UPDATE deal SET amount = 7, expected_close_on = current_date WHERE deal_id = 'o1'$$), '', 'an open deal is nobody''s purchase');
SELECT is(pg_temp.touches($$UPDATE deal SET outcome = 'lost', closed_on = current_date WHERE deal_id = 'o1'$$), '', 'nor is one that was lost');
SELECT is(pg_temp.touches($$UPDATE deal SET outcome = 'won', closed_on = current_date WHERE deal_id = 'o1'$$), 'customer a1', 'one that is won is');
SELECT is(pg_temp.touches($$UPDATE deal SET outcome = 'lost' WHERE deal_id = 'w1'$$), 'customer a1', 'one that no longer is was');
SELECT is(pg_temp.touches($$UPDATE deal SET account_id = 'a2' WHERE deal_id = 'w1'$$), 'customer a1, customer a2', 'given to another customer: both');
SELECT is(pg_temp.touches($$DELETE FROM deal WHERE deal_id = 'w2'$$), 'customer a2, way w2', 'deleted, its stages with it');
SELECT is(pg_temp.touches($$UPDATE account SET segment = 'large' WHERE account_id = 'a1'$$), 'customer a1', 'a segment');
SELECT is(pg_temp.touches($$UPDATE account SET segment = 'small', name = 'Uno' WHERE account_id = 'a1'$$), '', 'the same segment, another name');
SELECT is(pg_temp.touches($$UPDATE account SET account_id = 'a3' WHERE account_id = 'a1'$$), 'customer a1, customer a3', 'a key, by its cascade');
SELECT is(pg_temp.touches($$UPDATE stage_event SET entered_on = entered_on - 1 WHERE deal_id = 'w1'$$), 'way w1', 'a day of a stage');
SELECT is(pg_temp.touches($$UPDATE stage SET name = 'Other' WHERE is_open$$), 'way', 'stages themselves: the ways of all deals');
SELECT is(pg_temp.touches($$INSERT INTO sale (sale_id, account_id) VALUES ('s', 'a1'), ('t', NULL)$$), 'customer a1', 'a sale; and what nobody bought is nobody''s');
SELECT is(pg_temp.touches($$TRUNCATE sale$$), 'customer', 'all sales: all customers');
SELECT is(pg_temp.touches($$TRUNCATE stage_event$$), 'way', 'all stage events: all ways');
SELECT is(pg_temp.touches($$INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('CHF', '2026-01-05', 1.1), ('CHF', '2026-02-05', 1.2)$$), 'rate CHF 2026-01-05, sale', 'a rate: purchases in that currency, from the first day on, and sales by month');
SELECT is(pg_temp.touches($$TRUNCATE fx_rate$$), 'customer, sale', 'all rates: all customers');
SELECT is(pg_temp.touches($$INSERT INTO rep (rep_id, name) VALUES ('x', 'X')$$), '', 'a rep who has not sold yet');

-- ---------------------------------------------------------------- and what that comes to

CREATE FUNCTION pg_temp.step(statement text, told text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN NEXT is(pg_temp.differences(), 0::bigint, told);
    RETURN NEXT is(pg_temp.wrong_cells(), 0::bigint, told || ': verified');
    PERFORM sales_perf.fold_rollup('sales', false);
    RETURN NEXT is(pg_temp.differences() + pg_temp.wrong_cells(), 0::bigint, told || ': folded');
END
$$;

-- One takes the other's place: no cell of deals changes, but their ways do.
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT d, 'R003', 5, current_date - 50, current_date - 5, o FROM (VALUES ('x1', 'won'), ('x2', 'lost')) AS v (d, o);
INSERT INTO stage_event (deal_id, stage_id, entered_on)
SELECT 'x1', stage_id, current_date - 50 + stage_no FROM stage WHERE is_open AND pipeline_id = (SELECT pipeline_id FROM deal WHERE deal_id = 'x1');
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT * FROM pg_temp.step($$UPDATE deal SET outcome = CASE outcome WHEN 'won' THEN 'lost' ELSE 'won' END WHERE deal_id IN ('x1', 'x2')$$, 'two deals that change places');
SELECT * FROM pg_temp.step($$UPDATE deal SET rep_id = NULL WHERE deal_id IN ('x1', 'w1')$$, 'deals of nobody');
SELECT * FROM pg_temp.step($$UPDATE deal SET opened_on = NULL WHERE deal_id IN ('x1', 'w2', 'o1')$$, 'opened on a day that is not known');
SELECT * FROM pg_temp.step($$DELETE FROM deal WHERE rep_id IS NULL OR account_id = 'a2'$$, 'the last of a customer');
SELECT * FROM pg_temp.step($$UPDATE team SET parent_team_id = NULL; SELECT move_rep('R001', (SELECT max(team_id) FROM team), current_date - 100)$$, 'teams');
SELECT * FROM pg_temp.step($$UPDATE deal SET amount = 'NaN' WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY deal_id LIMIT 3)$$, 'amounts that are no numbers');
SELECT * FROM pg_temp.step($$UPDATE deal SET amount = 12 WHERE amount = 'NaN'$$, 'and are again');

-- what is dated in days to come
SELECT * FROM pg_temp.step($$UPDATE deal SET outcome = 'won', closed_on = current_date + 3 WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'open' ORDER BY deal_id LIMIT 4)$$, 'closed in days to come');
INSERT INTO stage_event (deal_id, stage_id, entered_on)
SELECT d.deal_id, s.stage_id, current_date + 2 FROM deal d JOIN stage s ON s.pipeline_id = d.pipeline_id AND s.is_open WHERE d.deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'open' ORDER BY deal_id DESC LIMIT 3);
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT is(array_agg(DISTINCT on_date - current_date ORDER BY on_date - current_date), ARRAY[2, 3], 'stays on the list') FROM rollup_touched;
SELECT count(*) AS before_fold FROM rollup_touched \gset
UPDATE deal SET amount = amount + 1 WHERE deal_id IN (SELECT subject_id FROM rollup_touched);
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT is(count(*), :before_fold::bigint, 'once, however often it is folded') FROM rollup_touched;
SELECT set_config('sales_perf.as_of', (current_date + 2)::text, false) \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'in two days it will be right');
SELECT set_config('sales_perf.as_of', (current_date + 40)::text, false) \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and in forty');
SELECT set_config('sales_perf.as_of', (current_date - 1)::text, false) \gset
SELECT ok(NOT rollup_subject_serves('customer'), 'yesterday''s reports read purchases and deals');
RESET sales_perf.as_of;

-- sales take the place of deals
SELECT * FROM pg_temp.step($$INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, currency, covers_from, covers_to) SELECT deal_id, account_id, rep_id, closed_on + 5, amount, currency, closed_on, closed_on + 40 FROM deal WHERE outcome = 'won'$$, 'the first sales');
SELECT * FROM pg_temp.step($$UPDATE fx_rate SET rate = rate * 2$$, 'rates');
SELECT ok(NOT (pg_temp.touches('DELETE FROM sale') = ''), 'the last sales touch who bought');
BEGIN;
DELETE FROM sale;
SELECT ok(NOT rollup_subject_serves('customer'), 'and what is stored does not serve until the next fold');
ROLLBACK;

-- ---------------------------------------------------------------- proved and repaired

BEGIN;
UPDATE rollup_cohort SET summary = summary OPERATOR(sales_perf.+) summary WHERE level = 'company' AND grain = 'year';
SELECT is(pg_temp.wrong_cells('cohort'), 1::bigint, 'verify_rollup sees a cohort that is wrong');
DELETE FROM rollup_customer WHERE account_id = (SELECT min(account_id) FROM rollup_customer);
SELECT cmp_ok(pg_temp.wrong_cells('customer'), '>', 0::bigint, 'a customer who is missing');
DELETE FROM rollup_way WHERE on_date = (SELECT max(on_date) FROM rollup_way);
SELECT cmp_ok(pg_temp.wrong_cells('funnel'), '>', 1::bigint, 'ways that are missing');
SELECT sales_perf.rebuild_rollup('sales') \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'rebuild_rollup mends them');
ROLLBACK;

-- ---------------------------------------------------------------- what cannot be watched, what may not be seen

CREATE ROLE subject_reader;
GRANT USAGE ON SCHEMA sales TO subject_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO subject_reader;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
SET ROLE subject_reader;
SELECT is((SELECT count(*) FROM rollup_customer) + (SELECT count(*) FROM rollup_cohort) + (SELECT count(*) FROM rollup_way), 0::bigint, 'who may not see all accounts sees nothing of what is stored');
SELECT is(count(*), 0::bigint, 'nor of the customers of a segment') FROM retention WHERE level = 'segment';
RESET ROLE;
ALTER TABLE account DISABLE ROW LEVEL SECURITY;
SET ROLE subject_reader;
SELECT isnt_empty($$SELECT FROM retention WHERE level = 'segment'$$, 'else he does');
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA sales FROM subject_reader;
REVOKE ALL ON SCHEMA sales FROM subject_reader;
DROP ROLE subject_reader;

BEGIN;
CREATE TABLE more_sale () INHERITS (sale);
SELECT lives_ok($$SELECT sales_perf.fold_rollup('sales', false)$$, 'a fold, sales have come that no trigger tells of');
SELECT ok(NOT rollup_subject_serves('customer'), 'ends what is stored of customers');
INSERT INTO more_sale (sale_id, account_id, sold_on, amount) VALUES ('more', 'a1', current_date, 5);
SELECT is(pg_temp.differences(), 0::bigint, 'which are read from the sales');
SET LOCAL client_min_messages = error;
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT ok(NOT has_subjects, 'maintain_rollup leaves them so') FROM rollup_state;
DROP TABLE more_sale;
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT ok(NOT rollup_subject_serves('customer'), 'until it is called again');
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT ok(rollup_subject_serves('customer'), 'when there is nothing more that it cannot watch');
ROLLBACK;

-- a mart of before: what triggers there are does not tell of customers
BEGIN;
DROP TRIGGER rollup_customer ON sale;
UPDATE rollup_state SET has_subjects = false, derived_on = NULL;
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT ok(NOT rollup_subject_serves('customer'), 'without triggers nothing is stored');
SELECT count(*) FROM sales_perf.upgrade_mart('sales') \gset
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT ok(rollup_subject_serves('customer'), 'after upgrade_mart, and a fold, it is');
SELECT has_trigger('sales', 'sale', 'rollup_customer', 'with its triggers');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and right');
ROLLBACK;

SELECT throws_ok($$SELECT sales_perf.record_touched()$$, '39P01', NULL, 'a trigger function is for triggers');
CREATE TEMP TABLE elsewhere (account_id text, n integer);
CREATE TRIGGER touched AFTER INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION sales_perf.record_touched('customer', 'account_id');
SELECT throws_ok($$INSERT INTO elsewhere VALUES ('a', 1)$$, '42P01', NULL, 'of tables of a mart');
CREATE TRIGGER wrong_column AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION sales_perf.record_touched('customer', 'no_column');
SELECT throws_ok($$INSERT INTO account (account_id, name) VALUES ('z', 'Z')$$, '42703', 'table "account" has no column "no_column" of type text', 'with a column that is there');
DROP TRIGGER wrong_column ON account;
CREATE TRIGGER wrong_count AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION sales_perf.record_touched('customer');
SELECT throws_ok($$INSERT INTO account (account_id, name) VALUES ('z', 'Z')$$, '39P01', NULL, 'and two arguments');
DROP TRIGGER wrong_count ON account;

SELECT * FROM finish();
