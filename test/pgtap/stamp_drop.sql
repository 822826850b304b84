-- drop_mart drops what the mart is made of and nothing else; DROP EXTENSION drops no data.
BEGIN;
SELECT plan(27);

SELECT sales_perf.create_mart('sales') \g /dev/null
SELECT sales_perf.create_mart('services') \g /dev/null
INSERT INTO sales.rep (rep_id, name) VALUES ('r1', 'Ann'), ('r2', 'Bob');
INSERT INTO sales.deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
VALUES ('d1', 'r1', 100, 'won', '2024-01-10', '2024-02-10'),
       ('d2', 'r2', 50, 'lost', '2024-01-20', '2024-02-20'),
       ('d3', 'r2', 70, 'open', '2024-01-30', NULL);

SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('sales', 'sale')$$, '22023', 'mart sales is not dropped: its name was not confirmed', 'it wants the name twice');
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('sales', NULL)$$, '22023', NULL, 'NULL confirms nothing');
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart(NULL, NULL)$$, '22004', NULL, 'NULL is no mart');
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('nowhere', 'nowhere')$$, '3F000', 'mart nowhere does not exist', 'a schema that is not there is refused');
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('public', 'public')$$, '42809', 'schema public is not a mart', 'a schema that is no mart is refused');
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('sales_perf_template', 'sales_perf_template')$$, '42939', NULL, 'the template is refused');

-- of others
CREATE ROLE stamp_stranger;
SET LOCAL ROLE stamp_stranger;
CREATE FUNCTION pg_temp.sqlstate_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'none';
EXCEPTION
    WHEN OTHERS THEN
        RETURN SQLSTATE;
END
$$;
SELECT pg_temp.sqlstate_of($$SELECT * FROM sales_perf.drop_mart('sales', 'sales')$$) AS by_stranger \gset
RESET ROLE;
SELECT is(:'by_stranger'::text, '42501', 'only its owner drops a mart');

-- what the mart did not make
CREATE TABLE sales.notes (note text);
SELECT throws_ok(
    $$SELECT * FROM sales_perf.drop_mart('sales', 'sales')$$,
    '2BP01',
    'mart sales is not dropped: there are objects in it or standing on it that it did not make',
    'a table of the owner''s in the schema is not dropped');
DROP TABLE sales.notes;

CREATE SCHEMA elsewhere;
CREATE VIEW elsewhere.best AS SELECT rep_id FROM sales.rep_scorecard;
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('sales', 'sales')$$, '2BP01', NULL, 'nor a view elsewhere that reads the mart');
DROP VIEW elsewhere.best;

CREATE TABLE elsewhere.bonus (rep_id text REFERENCES sales.rep);
SELECT throws_ok($$SELECT * FROM sales_perf.drop_mart('sales', 'sales')$$, '2BP01', NULL, 'nor a foreign key that points into it');

SELECT is((SELECT count(*) FROM sales.deal), 3::bigint, 'a mart that is not dropped is whole');
SELECT bag_eq(
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales')$$,
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales_perf_template')$$,
    'in every piece');
DROP TABLE elsewhere.bonus;

SELECT set_has(
    $$SELECT * FROM sales_perf.drop_mart('sales', 'sales')$$,
    $$VALUES ('deal', 3::bigint), ('rep', 2), ('team', 0)$$,
    'it is dropped, and it is said what went');
SELECT hasnt_schema('sales', 'the schema is gone');
SELECT bag_eq(
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('services')$$,
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales_perf_template')$$,
    'the other mart is not touched');

SELECT lives_ok($$SELECT sales_perf.create_mart('sales')$$, 'it can be made again');
SELECT is((SELECT count(*) FROM sales.deal), 0::bigint, 'and is empty');

CREATE TABLE sales.notes (note text);
CREATE VIEW elsewhere.best AS SELECT rep_id FROM sales.rep_scorecard;
SELECT lives_ok($$SELECT * FROM sales_perf.drop_mart('sales', 'sales', with_others => true)$$, 'with others if so told');
SELECT hasnt_view('elsewhere', 'best', 'these are gone then');

-- DROP EXTENSION
INSERT INTO services.deal (deal_id, amount) VALUES ('d1', 10);
SELECT throws_ok($$DROP EXTENSION sales_perf$$, '2BP01', NULL, 'DROP EXTENSION is refused while there is a mart');

CREATE TEMPORARY TABLE tables_before AS
SELECT p.kind, p.name, p.definition
FROM sales_perf.stamp_pieces('services') AS p
WHERE p.kind IN ('table', 'column', 'column setting', 'constraint', 'index', 'trigger');
CREATE TEMPORARY TABLE before AS
SELECT p.kind, p.name, p.definition
FROM sales_perf.stamp_pieces('services') AS p;

SET LOCAL client_min_messages = error;
SELECT lives_ok($$DROP EXTENSION sales_perf CASCADE$$, 'with CASCADE it is not');
SELECT is((SELECT amount FROM services.deal), 10::numeric, 'but the data stay');
SELECT hasnt_view('services', 'company_scorecard', 'reports go');
SELECT lives_ok($$CREATE EXTENSION sales_perf$$, 'the extension can be made again');
SELECT bag_eq(
    $$SELECT kind, name, definition
      FROM sales_perf.stamp_pieces('services')
      WHERE kind IN ('table', 'column', 'column setting', 'constraint', 'index', 'trigger')$$,
    $$SELECT * FROM tables_before WHERE name !~ '^rollup_.*summary$'$$,
    'every table is as it was, with its columns, keys, indexes and triggers, but the summaries of rollups');
SELECT lives_ok($$SELECT * FROM sales_perf.upgrade_mart('services')$$, 'upgrade_mart brings back the rest');
SELECT bag_eq(
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('services')$$,
    'TABLE before',
    'and the mart is whole again');

SELECT * FROM finish();
ROLLBACK;
