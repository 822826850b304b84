-- Maintained rollups: days and what lies ahead, who may see and write what, what is refused, what is left when they are dropped.
SELECT plan(129);

CREATE FUNCTION pg_temp.wrong_cells(mart text DEFAULT 'sales') RETURNS bigint LANGUAGE sql AS $$
SELECT sum(wrong_count)::bigint FROM sales_perf.verify_rollup(mart)
$$;

-- ---------------------------------------------------------------- an empty mart

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SELECT is(sales_perf.maintain_rollup('sales'), 'mart sales: rollups are maintained, 0 rows', 'an empty mart can be maintained');
SELECT is(rollup_grain(), 'month', 'and is read');
SELECT is_empty($$SELECT * FROM sales_perf.verify_rollup('sales')$$, 'there is nothing to verify');
SELECT is(sales_perf.fold_rollup('sales'), 0::bigint, 'nor to fold');
SELECT is(sales_perf.rebuild_rollup('sales'), 0::bigint, 'nor to rebuild');

-- The first deals, all in one currency, make it the reporting currency: a change of rates within their statement.
INSERT INTO rep (rep_id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob');
INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome)
VALUES ('a', 'ann', 100, 'USD', current_date - 20, current_date - 10, 'won'), ('b', 'bob', 30, 'USD', current_date - 20, NULL, 'open');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'deals whose trigger sets the reporting currency are counted once');
SELECT results_eq($$SELECT won_count, bookings_amount FROM company_scorecard WHERE grain = 'year' AND bookings_amount > 0$$, $$VALUES (1::bigint, 100::numeric)$$, 'and in it');
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) VALUES ('c', 'ann', 5, current_date - 20, current_date - 10, 'won');
SELECT is(reporting_currency, NULL, 'one without a currency gainsays it') FROM mart_setting;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'which is seen, too');
SELECT results_eq($$SELECT won_count, bookings_amount FROM company_scorecard WHERE grain = 'year' AND won_count > 0$$, $$VALUES (2::bigint, 5::numeric)$$, 'amounts without a rate are no amounts');

-- A trigger of the owner's own that looks a rate up for each deal.
CREATE FUNCTION own_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales.fx_rate (currency, valid_from, rate) VALUES (NEW.currency, NEW.opened_on, 2) ON CONFLICT DO NOTHING;
    RETURN NEW;
END
$$;
CREATE TRIGGER own_rate BEFORE INSERT ON deal FOR EACH ROW WHEN (NEW.currency IS NOT NULL) EXECUTE FUNCTION own_rate();
INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome)
SELECT 'own' || i, 'ann', 1, (ARRAY['EUR', 'GBP', 'USD'])[1 + i % 3], current_date - 20 - i, current_date - 10, 'won' FROM generate_series(1, 9) AS i;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'a trigger that brings the rates, row by row');
DROP TRIGGER own_rate ON deal;
CREATE TRIGGER own_rate AFTER INSERT ON deal FOR EACH ROW WHEN (NEW.currency IS NOT NULL) EXECUTE FUNCTION own_rate();
INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome)
SELECT 'after' || i, 'ann', 1, (ARRAY['EUR', 'GBP', 'USD'])[1 + i % 3], current_date - 40 - i, current_date - 10, 'won' FROM generate_series(1, 9) AS i
    ON CONFLICT (deal_id) DO UPDATE SET amount = 2;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'or afterwards');
DROP TRIGGER own_rate ON deal;
INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome) VALUES ('last', 'ann', 1, 'EUR', current_date - 5, current_date - 5, 'won');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'statements after that are counted as usual');
BEGIN;
UPDATE fx_rate SET rate = 3 WHERE currency = 'EUR';
UPDATE deal SET amount = amount + 1;
UPDATE fx_rate SET rate = 4 WHERE currency = 'EUR';
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'rates and deals, in turn, in one transaction');
ROLLBACK;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and rolled back');

-- ---------------------------------------------------------------- transactions

BEGIN;
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) VALUES ('d', 'ann', 7, current_date - 20, current_date - 1, 'won');
SAVEPOINT one;
UPDATE deal SET amount = 70, rep_id = 'bob' WHERE deal_id = 'd';
SAVEPOINT two;
DELETE FROM deal WHERE deal_id = 'a';
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('EUR', current_date - 12, 9);
ROLLBACK TO two;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'rolled back to a savepoint');
ROLLBACK TO one;
UPDATE deal SET amount = 8 WHERE deal_id = 'd';
SELECT throws_ok($$UPDATE deal SET outcome = 'maybe'$$, '23514', NULL, 'a statement that fails');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'leaves them right');
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d', 'ann', 0.5), ('d', 'bob', 0.5);
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'a transaction sees its own changes');
COMMIT;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'committed');
BEGIN;
TRUNCATE deal CASCADE;
SELECT is((SELECT count(*) FROM rollup_row), 0::bigint, 'TRUNCATE empties them');
ROLLBACK;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'unless it is rolled back');
BEGIN;
SELECT cmp_ok(sales_perf.fold_rollup('sales'), '>', 0::bigint, 'fold_rollup() says how many rows it wrote');
SELECT is((SELECT count(*) FROM rollup_delta), 0::bigint, 'nothing is left to fold');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'folded');
CREATE TEMP TABLE folded AS SELECT * FROM rollup_cell;
SELECT is(sales_perf.fold_rollup('sales'), 0::bigint, 'folding again does nothing');
SELECT is_empty($$SELECT grain, cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at, deal_count, unconverted_count, amount, summary::text FROM rollup_cell
                  EXCEPT ALL SELECT grain, cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at, deal_count, unconverted_count, amount, summary::text FROM folded$$, 'to no row');
DROP TABLE folded;
ROLLBACK;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'a fold that does not end well');
SELECT cmp_ok((SELECT count(*) FROM rollup_delta), '>', 0::bigint, 'leaves what is to be folded');
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE deal SET amount = 1 WHERE deal_id = 'd';
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'REPEATABLE READ');
SAVEPOINT here;
SELECT throws_ok($$INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('EUR', current_date - 12, 9)$$, '25001',
                 'exchange rates cannot be changed in a transaction of isolation level repeatable read', 'where rates cannot be changed');
SELECT throws_ok($$SELECT set_reporting_currency('EUR')$$, '25001', 'exchange rates cannot be changed in a transaction of isolation level repeatable read', 'nor the reporting currency');
SELECT throws_ok($$SELECT sales_perf.rebuild_rollup('sales')$$, '25001', 'rollups cannot be rebuilt in a transaction of isolation level repeatable read', 'nor rollups rebuilt');
SELECT lives_ok($$SELECT sales_perf.fold_rollup('sales')$$, 'but folded');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO deal (deal_id, rep_id, amount, opened_on) VALUES ('serial', 'ann', 7, current_date - 20);
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('serial', 'ann', 0.5), ('serial', 'bob', 0.5);
UPDATE deal SET outcome = 'won', closed_on = current_date WHERE deal_id = 'serial';
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'SERIALIZABLE');
COMMIT;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and committed');
\copy deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) FROM PROGRAM 'for i in 1 2 3 4 5 6 7 8 9; do echo "copied$i,ann,$i.5,2024-01-0$i,2024-02-0$i,won"; done' WITH (FORMAT csv)
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'COPY');
SELECT is((SELECT sum(bookings_amount) FROM rep_scorecard WHERE grain = 'month' AND period_start = '2024-02-01'), 49.5, 'and what it brought');

-- ---------------------------------------------------------------- days

CREATE VIEW truth AS
SELECT count(*) FILTER (WHERE outcome = 'won' AND closed_on <= sales_perf.as_of() AND opened_on <= sales_perf.as_of()) AS won_count,
       count(*) FILTER (WHERE opened_on <= sales_perf.as_of() AND (coalesce(outcome, 'open') = 'open' OR closed_on > sales_perf.as_of())) AS open_count
  FROM deal;
CREATE VIEW told AS
SELECT (SELECT sales_perf.won_count(sales_perf.rollup(summary)) FROM closed_cell) AS won_count,
       (SELECT sales_perf.open_count(sales_perf.rollup(summary)) FROM opened_cell) AS open_count;
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT 'ahead' || i, 'ann', i, current_date - 5 + i % 9, current_date - 2 + i, 'won' FROM generate_series(1, 40) AS i;
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) VALUES ('never', 'ann', 1, current_date, 'infinity', 'lost'), ('backwards', 'bob', 1, current_date + 9, current_date + 3, 'won');
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('ahead30', 'bob', 1);
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'deals that will be opened and closed');
SELECT set_eq('TABLE told', 'TABLE truth', 'today');
SELECT set_config('sales_perf.as_of', (current_date + 10)::text, false) \gset
SELECT is(rollup_grain(), 'month', 'rollups are read as of a day that is to come');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and right');
SELECT set_eq('TABLE told', 'TABLE truth', 'in plain SQL');
SELECT set_config('sales_perf.as_of', (current_date + 28)::text, false) \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'later');
SELECT set_eq('TABLE told', 'TABLE truth', 'too');
SELECT set_config('sales_perf.as_of', (current_date - 1)::text, false) \gset
SELECT is(rollup_grain(), NULL, 'as of yesterday reports read the deals');
SELECT set_eq('TABLE told', 'TABLE truth', 'and say what they said without rollups');
SELECT throws_ok($$SELECT * FROM sales_perf.verify_rollup('sales')$$, '55000', format('rollups are of today, and as_of() is %s', current_date - 1), 'verify_rollup compares today');
SELECT lives_ok($$SELECT sales_perf.fold_rollup('sales')$$, 'folding does not look at as_of()');
RESET sales_perf.as_of;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'folded with much ahead');
SELECT cmp_ok(count(*), '>', 50::bigint, 'which is kept apart') FROM rollup_cell WHERE counts_from IS NOT NULL OR counts_until IS NOT NULL;

-- Days that pass, without waiting: all is written as if it were 15 days ago.
BEGIN;
CREATE OR REPLACE FUNCTION rollup_settled_day() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE RETURN current_date - 15;
SELECT sales_perf.rebuild_rollup('sales') \gset
UPDATE deal SET amount = amount + 1 WHERE deal_id IN ('d', 'ahead1', 'ahead2');
CREATE OR REPLACE FUNCTION rollup_settled_day() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE RETURN current_date - 1;
SELECT cmp_ok((SELECT count(*) FROM rollup_cell WHERE least(counts_from, counts_until) < current_date), '>', 10::bigint, 'what lay ahead');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'counts when its day has come');
UPDATE deal SET amount = amount + 1 WHERE deal_id IN ('d', 'ahead1');
DELETE FROM deal WHERE deal_id = 'ahead2';
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and can be changed then');
SELECT cmp_ok(sales_perf.fold_rollup('sales'), '>', 0::bigint, 'the next fold makes it one with the rest');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'which stays right');
SELECT is((SELECT count(*) FROM rollup_cell WHERE least(counts_from, counts_until) <= rollup_settled_day()), 0::bigint, 'nothing that is over is kept apart');
UPDATE deal SET amount = amount + 1, rep_id = 'bob';
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'then all is changed');
ROLLBACK;

-- changes dated in the future
BEGIN;
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value) VALUES ('a', now() + interval '3 days', 'amount', '1', '100');
SELECT is(rollup_grain(), NULL, 'where history is dated in the future reports read the deals');
SELECT throws_ok($$SELECT * FROM sales_perf.verify_rollup('sales')$$, '55000', 'rollups of mart sales do not serve now, and reports read the deals', 'and there is nothing to prove');
ROLLBACK;
-- far west of here it is yesterday, and a transaction may have begun long ago
SET timezone = 'FAR+160';
SELECT is(rollup_grain(), NULL, 'a clock that no place on earth has');
RESET timezone;

-- ---------------------------------------------------------------- amounts that are no numbers

INSERT INTO deal (deal_id, rep_id, amount, opened_on) VALUES ('NaN', 'ann', 'NaN', current_date - 3), ('endless', 'ann', 'Infinity', current_date - 3);
SELECT is(rollup_grain(), NULL, 'a sum with NaN cannot be taken back: reports read the deals');
SELECT is((SELECT pipeline_amount FROM company_scorecard WHERE grain = 'year' ORDER BY period_start DESC LIMIT 1), 'NaN', 'and show it');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(rollup_grain(), NULL, 'as long as it is there');
UPDATE deal SET amount = 3 WHERE deal_id IN ('NaN', 'endless');
SELECT lives_ok($$SELECT sales_perf.fold_rollup('sales')$$, 'when it is mended, the next fold');
SELECT is(rollup_grain(), 'month', 'makes the rollups serve again');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and they are right');
UPDATE deal SET amount = 'NaN' WHERE deal_id IN ('d', 'serial');
SELECT is(rollup_grain(), NULL, 'the same for splits');
SELECT sales_perf.fold_rollup('sales') \gset
DELETE FROM deal WHERE deal_id = 'serial';
UPDATE deal SET amount = 12 WHERE deal_id = 'd';
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'which are right afterwards');

-- ---------------------------------------------------------------- calendar and teams

INSERT INTO team (team_id, name) VALUES ('north', 'North'), ('south', 'South');
SELECT move_rep('ann', 'north', current_date - 15) \gset
SELECT is(rollup_grain(), 'day', 'after a move days are read');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'which are right');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(rollup_grain(), 'month', 'months again from the next fold on');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and these are right');
BEGIN;
SELECT fill_calendar((current_date + interval '30 years')::date, (current_date + interval '31 years')::date) \gset
SELECT is(rollup_grain(), 'day', 'the same for the calendar');
ROLLBACK;
SELECT is(rollup_grain(), 'month', 'unless it is rolled back');

-- ---------------------------------------------------------------- who may do what

CREATE ROLE rollup_reader;
CREATE ROLE rollup_writer;
GRANT USAGE ON SCHEMA sales TO rollup_reader, rollup_writer;
GRANT USAGE ON SCHEMA public TO rollup_reader, rollup_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON deal, deal_credit TO rollup_writer;
GRANT INSERT ON deal_change TO rollup_writer;
GRANT SELECT, INSERT, DELETE ON stage_event TO rollup_writer;
GRANT SELECT ON rep, stage TO rollup_writer;
SET ROLE rollup_writer;
SELECT lives_ok($$INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) VALUES ('by writer', 'ann', 5, current_date - 9, current_date - 2, 'won')$$, 'who may write deals needs no right to rollups');
SELECT lives_ok($$INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('by writer', 'bob', 1)$$, 'nor who splits them');
SELECT lives_ok($$UPDATE deal SET amount = 6 WHERE deal_id = 'by writer'$$, 'nor who changes them');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT lives_ok($$DELETE FROM deal WHERE deal_id = 'copied1'$$, 'at any isolation level');
COMMIT;
SELECT throws_ok('TABLE rollup_cell', '42501', 'permission denied for table rollup_cell', 'and gets no right to see them');
SELECT throws_ok($$SELECT sales_perf.fold_rollup('sales')$$, '42501', 'must be owner of schema sales', 'nor to fold them');
RESET ROLE;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'all of that is in them');

GRANT SELECT ON ALL TABLES IN SCHEMA sales TO rollup_reader;
CREATE TEMP TABLE seen AS SELECT grain, period_start, rep_id, won_count, bookings_amount, pipeline_amount FROM rep_scorecard;
GRANT SELECT ON seen TO rollup_reader;
SET ROLE rollup_reader;
SELECT is(rollup_grain(), 'month', 'a reader with SELECT on all tables reads rollups');
SELECT set_eq('SELECT grain, period_start, rep_id, won_count, bookings_amount, pipeline_amount FROM rep_scorecard', 'TABLE seen', 'and sees what the owner sees');
RESET ROLE;
ALTER TABLE deal ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_bob ON deal USING (rep_id = 'bob');
SET ROLE rollup_reader;
SELECT is(rollup_grain(), NULL, 'who may not see all deals reads what he may see');
SELECT is((SELECT sum(won_count) FROM company_scorecard WHERE grain = 'month'), (SELECT count(*) FROM deal WHERE outcome = 'won' AND closed_on <= current_date AND opened_on <= current_date)::numeric, 'and no more');
SELECT is((SELECT count(*) FROM rollup_cell) + (SELECT count(*) FROM rollup_delta) + (SELECT count(*) FROM rollup_split) + (SELECT count(*) FROM rollup_row), 0::bigint, 'nor do the tables of rollups show him any');
RESET ROLE;
SELECT is(rollup_grain(), 'month', 'the owner reads them');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and they are right');
ALTER TABLE deal DISABLE ROW LEVEL SECURITY;
ALTER TABLE deal_credit ENABLE ROW LEVEL SECURITY;
SET ROLE rollup_reader;
SELECT is(rollup_grain(), NULL, 'the same for splits');
RESET ROLE;
ALTER TABLE deal_credit DISABLE ROW LEVEL SECURITY;
DROP POLICY only_bob ON deal;

-- ---------------------------------------------------------------- made twice, upgraded, dropped

CREATE TEMP TABLE pieces AS SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales');
SELECT matches(sales_perf.maintain_rollup('sales'), '^mart sales: rollups are maintained', 'maintain_rollup again makes them anew');
SELECT bag_eq($$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales')$$, 'TABLE pieces', 'with the same triggers');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and right');
SELECT is_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'upgrade_mart finds nothing to do');
ALTER SCHEMA sales RENAME TO sold;
SELECT isnt_empty($$SELECT * FROM sales_perf.upgrade_mart('sold')$$, 'a mart that is renamed is put right');
UPDATE sold.deal SET amount = amount + 1;
SELECT is(pg_temp.wrong_cells('sold'), 0::bigint, 'with its rollups');
ALTER SCHEMA sold RENAME TO sales;
SELECT count(*) FROM sales_perf.upgrade_mart('sales') \gset
ALTER TABLE deal DISABLE TRIGGER rollup_deal_insert;
SELECT is(rollup_grain(), NULL, 'with its trigger disabled nothing is read');
ALTER TABLE deal ENABLE TRIGGER rollup_deal_insert;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE deal SET amount = amount + 100 WHERE deal_id IN ('a', 'b', 'd');
SET LOCAL session_replication_role = origin;
SELECT cmp_ok(pg_temp.wrong_cells(), '>', 0::bigint, 'what no trigger saw, verify_rollup finds');
SELECT cmp_ok(sales_perf.rebuild_rollup('sales'), '>', 0::bigint, 'and rebuild_rollup');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'mends');
ROLLBACK;
SELECT lives_ok($$SELECT sales_perf.drop_rollup('sales')$$, 'drop_rollup');
SELECT is((SELECT count(*) FROM rollup_cell) + (SELECT count(*) FROM rollup_delta) + (SELECT count(*) FROM rollup_state) + (SELECT count(*) FROM rollup_split) + (SELECT count(*) FROM rollup_rate), 0::bigint, 'leaves nothing');
SELECT is_empty($$SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'sales'::regnamespace AND tgname LIKE 'rollup%'$$, 'and no trigger');
SELECT lives_ok($$UPDATE deal SET amount = amount + 1$$, 'deals are written as before');
SELECT is(rollup_grain(), NULL, 'and read');

-- ---------------------------------------------------------------- refused

-- a subscription of nothing: its table is in the catalogue, as those of others are
SET client_min_messages = error;
CREATE SUBSCRIPTION rollup_feed CONNECTION 'dbname=nowhere' PUBLICATION nothing WITH (connect = false, slot_name = NONE, create_slot = false, enabled = false);
SET client_min_messages = warning;
INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'sales.deal'::regclass, 'r' FROM pg_subscription WHERE subname = 'rollup_feed';
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('sales')$$, '55000', 'rollups of mart sales cannot be maintained: sales.deal is filled by logical replication', 'a subscribed table');
UPDATE pg_subscription_rel SET srrelid = 'sales.team_membership'::regclass;
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('sales')$$, '55000', 'rollups of mart sales cannot be maintained: sales.team_membership is filled by logical replication', 'the teams'' too');
DELETE FROM pg_subscription_rel;
SELECT matches(sales_perf.maintain_rollup('sales'), '^mart sales', 'and not when it is gone');
INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'sales.deal'::regclass, 'r' FROM pg_subscription WHERE subname = 'rollup_feed';
SELECT is(rollup_grain(), NULL, 'one that is made later: reports read the deals');
SELECT throws_ok($$SELECT sales_perf.fold_rollup('sales')$$, '55000', 'rollups of mart sales cannot be maintained: sales.deal is filled by logical replication', 'and who folds is told');
DELETE FROM pg_subscription_rel;
DROP SUBSCRIPTION rollup_feed;
SELECT sales_perf.drop_rollup('sales') \gset

CREATE TABLE deal_2024 () INHERITS (deal);
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('sales')$$, '42809', 'rollups of mart sales cannot be maintained: sales.deal cannot be watched', 'tables with children, whose rows come without a trigger');
DROP TABLE deal_2024;

CREATE SCHEMA crm;
CREATE TABLE crm.deal (LIKE deal);
BEGIN;
ALTER TABLE deal RENAME TO old_deal;
CREATE VIEW deal AS TABLE crm.deal;
DO $$
DECLARE
    v record;
BEGIN
    FOR v IN SELECT viewname, definition FROM pg_views WHERE schemaname = 'sales' AND viewname IN ('closed_deal') LOOP
        EXECUTE format('CREATE OR REPLACE VIEW %I AS %s', v.viewname, replace(v.definition, 'old_deal', 'deal'));
    END LOOP;
END
$$;
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('sales')$$, '42809', NULL, 'a mart that reads the tables of another schema');
SELECT is(array_agg(table_id::regclass::text ORDER BY table_id::regclass::text), ARRAY['crm.deal', 'deal_change', 'deal_credit', 'fx_rate', 'mart_setting', 'old_deal'], 'which the catalogue tells') FROM sales_perf.rollup_tables('sales');
ROLLBACK;
DROP SCHEMA crm CASCADE;

BEGIN;
CREATE ROLE rollup_owner;
GRANT CREATE ON DATABASE :"DBNAME" TO rollup_owner;
SET LOCAL ROLE rollup_owner;
SELECT sales_perf.create_mart('owned') \gset
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('sales')$$, '42501', 'must be owner of schema sales', 'a mart of others');
ALTER TABLE owned.deal ENABLE ROW LEVEL SECURITY;
ALTER TABLE owned.deal FORCE ROW LEVEL SECURITY;
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('owned')$$, '55000', 'rollups of mart owned cannot be maintained: row-level security is forced on its owner', 'deals that the owner himself may not see');
ALTER TABLE owned.deal NO FORCE ROW LEVEL SECURITY;
SELECT matches(sales_perf.maintain_rollup('owned'), '^mart owned', 'an owner who is no superuser');
INSERT INTO owned.deal (deal_id, amount, currency, opened_on, closed_on, outcome) VALUES ('a', 1, 'EUR', '2024-01-01', '2024-02-01', 'won');
SELECT is(pg_temp.wrong_cells('owned'), 0::bigint, 'whose triggers run');
SELECT lives_ok($$SELECT sales_perf.fold_rollup('owned')$$, 'and who folds');
SELECT results_eq($$SELECT table_name FROM sales_perf.drop_mart('owned', 'owned') WHERE row_count > 0 AND table_name NOT IN ('calendar', 'kpi')$$, $$VALUES ('deal'), ('mart_setting'), ('rollup_cell'), ('rollup_change'), ('rollup_forecast'), ('rollup_rate'), ('rollup_report'), ('rollup_state'), ('rollup_way')$$, 'drop_mart drops rollups and triggers with the rest');
ROLLBACK;

-- ---------------------------------------------------------------- without the extension

SELECT sales_perf.maintain_rollup('sales') \gset
SELECT throws_ok('DROP EXTENSION sales_perf', '2BP01', NULL, 'the extension is not dropped by itself');
SET client_min_messages = error;
DROP EXTENSION sales_perf CASCADE;
SET client_min_messages = warning;
SELECT lives_ok($$UPDATE deal SET amount = amount + 1, rep_id = 'bob'$$, 'without the extension deals are written');
SELECT lives_ok($$INSERT INTO deal (deal_id, amount, currency) VALUES ('without', 1, 'EUR')$$, 'and added');
SELECT lives_ok($$DELETE FROM deal_credit$$, 'and splits');
SELECT lives_ok($$INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('CHF', '2024-01-01', 1)$$, 'and rates');
CREATE EXTENSION sales_perf;
SELECT isnt_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'upgrade_mart brings back the reports');
SELECT is(rollup_grain(), NULL, 'which read the deals');
SELECT throws_ok($$SELECT * FROM sales_perf.verify_rollup('sales')$$, '55000', 'rollups of mart sales are not maintained', 'until');
SELECT matches(sales_perf.maintain_rollup('sales'), '^mart sales', 'rollups are maintained again');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and right');

DROP OWNED BY rollup_reader, rollup_writer;
DROP ROLE rollup_reader, rollup_writer;
SELECT * FROM finish();
