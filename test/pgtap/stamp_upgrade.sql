-- upgrade_mart brings back whatever is missing or different, keeps the data, and touches nothing that
-- the mart did not make.
BEGIN;
SELECT plan(29);

SELECT sales_perf.create_mart('sales') \g /dev/null

SELECT is_empty(
    $$SELECT * FROM sales_perf.upgrade_mart('sales')$$,
    'a mart that is up to date is left alone');

INSERT INTO sales.team (team_id, name) VALUES ('t1', 'North');
INSERT INTO sales.rep (rep_id, name, team_id) VALUES ('r1', 'Ann', 't1');
INSERT INTO sales.deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
VALUES ('d1', 'r1', 100, 'won', '2024-01-10', '2024-02-10'),
       ('d2', 'r1', 50, 'open', '2024-01-20', NULL);

-- what an owner may do to his mart
CREATE VIEW sales.my_reps AS SELECT rep_id, name FROM sales.rep;
CREATE INDEX my_index ON sales.deal (amount);
ALTER TABLE sales.deal ADD COLUMN my_column text DEFAULT 'mine';
ALTER TABLE sales.deal ALTER COLUMN currency SET DEFAULT 'EUR';
GRANT USAGE ON SCHEMA sales TO PUBLIC;
GRANT SELECT ON sales.rep_scorecard TO PUBLIC;

-- and to the detriment of it: one of each kind
ALTER TABLE sales.deal DROP COLUMN lost_reason CASCADE;
DROP VIEW IF EXISTS sales.company_scorecard, sales.rep_scorecard CASCADE;
DROP INDEX sales.deal_closed_on_idx;
DROP TRIGGER deal_record_update ON sales.deal;
DROP FUNCTION sales.deal_record_insert() CASCADE;
DROP TABLE sales.calendar CASCADE;
ALTER TABLE sales.deal DROP CONSTRAINT deal_rep_id_fkey;
ALTER TABLE sales.deal ALTER COLUMN outcome DROP DEFAULT;
ALTER TABLE sales.rep ALTER COLUMN name DROP NOT NULL;
COMMENT ON TABLE sales.deal IS NULL;
COMMENT ON COLUMN sales.deal.amount IS 'something else';
COMMENT ON CONSTRAINT deal_outcome_check ON sales.deal IS NULL;

-- different rather than missing
ALTER TABLE sales.deal DROP CONSTRAINT deal_outcome_check;
ALTER TABLE sales.deal ADD CONSTRAINT deal_outcome_check CHECK (outcome IN ('won', 'lost', 'open', 'paused'));
DROP INDEX sales.deal_opened_on_idx;
CREATE INDEX deal_opened_on_idx ON sales.deal (opened_on DESC);
ALTER TABLE sales.deal DISABLE TRIGGER ALL;
CREATE OR REPLACE FUNCTION sales.mart_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN '0.9';

SELECT isnt_empty(
    $$SELECT kind, name FROM sales_perf.stamp_pieces('sales_perf_template')
      EXCEPT
      SELECT kind, name FROM sales_perf.stamp_pieces('sales')$$,
    'now pieces are missing');

CREATE TEMPORARY TABLE done AS SELECT * FROM sales_perf.upgrade_mart('sales');

SELECT set_eq(
    $$SELECT t.kind, t.name, t.definition FROM sales_perf.stamp_pieces('sales_perf_template') AS t
      EXCEPT
      SELECT m.kind, m.name, m.definition FROM sales_perf.stamp_pieces('sales') AS m$$,
    $$VALUES ('column', 'deal.currency', 'ALTER TABLE deal ADD COLUMN currency text')$$,
    'all is as in a new mart again, but what the owner chose');

SELECT set_has(
    'TABLE done',
    $$VALUES ('added', 'column', 'deal.lost_reason'),
             ('added', 'view', 'rep_scorecard'),
             ('added', 'index', 'deal_closed_on_idx'),
             ('added', 'trigger', 'deal_record_update ON deal'),
             ('added', 'function', 'deal_record_insert()'),
             ('added', 'table', 'calendar'),
             ('added', 'constraint', 'deal_rep_id_fkey ON deal'),
             ('added', 'column setting', 'DEFAULT OF deal.outcome'),
             ('added', 'column setting', 'NOT NULL OF rep.name'),
             ('added', 'comment', 'TABLE deal'),
             ('replaced', 'comment', 'COLUMN deal.amount'),
             ('replaced', 'constraint', 'deal_outcome_check ON deal'),
             ('replaced', 'index', 'deal_opened_on_idx'),
             ('replaced', 'function', 'mart_version()')$$,
    'and it says what it did');

SELECT is_empty(
    $$SELECT * FROM sales_perf.upgrade_mart('sales')$$,
    'a second time there is nothing to do');

SELECT results_eq(
    $$SELECT deal_id, amount, my_column FROM sales.deal ORDER BY deal_id$$,
    $$VALUES ('d1', 100::numeric, 'mine'), ('d2', 50, 'mine')$$,
    'rows are kept');
SELECT has_column('sales', 'deal', 'my_column', 'the owner''s column is kept');
SELECT has_index('sales', 'deal', 'my_index', 'the owner''s index is kept');
SELECT has_view('sales', 'my_reps', 'the owner''s view is kept');
SELECT col_default_is('sales', 'deal', 'currency', 'EUR'::text, 'the owner''s default is kept');
SELECT ok((SELECT count(*) > 3650 FROM sales.calendar), 'a new calendar is filled');
SELECT is(sales.mart_version(), sales_perf_template.mart_version(), 'the version is the installed one');

SELECT throws_ok(
    $$INSERT INTO sales.deal (deal_id, outcome) VALUES ('d3', 'paused')$$,
    '23514', NULL, 'the check is the template''s again');

-- grants outlive a replacement
CREATE OR REPLACE VIEW sales.rep_scorecard WITH (security_invoker = true) AS
SELECT * FROM sales_perf_template.rep_scorecard;
GRANT SELECT ON sales.rep_scorecard TO PUBLIC;
SELECT isnt(sales_perf.stamp_leftover('sales'), NULL, 'a view that reads the template is noticed');
SELECT set_eq(
    $$SELECT action, kind, name FROM sales_perf.upgrade_mart('sales')$$,
    $$VALUES ('replaced', 'view', 'rep_scorecard')$$,
    'a view that was changed is replaced');
SELECT is(sales_perf.stamp_leftover('sales'), NULL, 'and reads the mart again');
SELECT ok(has_table_privilege('public', 'sales.rep_scorecard', 'SELECT'), 'with its grants');

-- what stands in the way is named, and nothing is done
DROP VIEW sales.data_quality_summary;
CREATE VIEW sales.data_quality_summary AS SELECT 1 AS something_else;
CREATE VIEW sales.built_on_it AS SELECT * FROM sales.data_quality_summary;
DROP INDEX sales.deal_closed_on_idx;
CREATE FUNCTION pg_temp.error_of(statement text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$;
CREATE TEMPORARY TABLE refusal AS
SELECT * FROM pg_temp.error_of($$SELECT * FROM sales_perf.upgrade_mart('sales')$$);
SELECT matches(message, '^could not make view data_quality_summary of mart sales: cannot ', 'a view in the way is named') FROM refusal;
SELECT matches(detail, 'On it stand: view sales.built_on_it', 'and what stands on it') FROM refusal;
SELECT has_view('sales', 'built_on_it', 'it is not dropped');
SELECT hasnt_index('sales', 'deal', 'deal_closed_on_idx', 'and nothing else was done');
DROP VIEW sales.data_quality_summary CASCADE;
SELECT lives_ok($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'out of the way it works');

-- rows that the template does not allow
ALTER TABLE sales.rep ALTER COLUMN name DROP NOT NULL;
INSERT INTO sales.rep (rep_id) VALUES ('r2');
SELECT throws_like(
    $$SELECT * FROM sales_perf.upgrade_mart('sales')$$,
    'could not make column setting NOT NULL OF rep.name of mart sales: %',
    'a row in the way gives an error');
DELETE FROM sales.rep WHERE rep_id = 'r2';

-- renamed
ALTER SCHEMA sales RENAME TO "Vertrieb";
SELECT set_eq(
    $$SELECT DISTINCT action, kind FROM sales_perf.upgrade_mart('Vertrieb')$$,
    $$VALUES ('replaced', 'function'), ('added', 'column setting')$$,
    'a mart whose schema was renamed has its functions put right');
UPDATE "Vertrieb".deal SET amount = 60 WHERE deal_id = 'd2';
SELECT isnt_empty($$SELECT FROM "Vertrieb".deal_change$$, 'its triggers write into it');

-- not a mart of ours
CREATE SCHEMA other;
SELECT throws_ok($$SELECT * FROM sales_perf.upgrade_mart('other')$$, '42809', 'schema other is not a mart', 'a schema that is no mart is refused');
SELECT throws_ok($$SELECT * FROM sales_perf.upgrade_mart('nowhere')$$, '3F000', 'mart nowhere does not exist', 'a schema that is not there is refused');
SELECT throws_ok($$SELECT * FROM sales_perf.upgrade_mart('sales_perf_template')$$, '42939', NULL, 'the template is refused');
CREATE OR REPLACE FUNCTION "Vertrieb".mart_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN '10.2';
SELECT throws_ok($$SELECT * FROM sales_perf.upgrade_mart('Vertrieb')$$, '55000', NULL, 'a mart newer than the extension is refused');

SELECT * FROM finish();
ROLLBACK;
