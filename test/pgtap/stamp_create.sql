-- create_mart, by an ordinary role that has everything in the way: temporary tables of the mart's
-- names, and a search path that finds them first.
CREATE ROLE stamp_owner;
SELECT format('GRANT CREATE, TEMPORARY ON DATABASE %I TO stamp_owner', current_database()) \gexec
BEGIN;
GRANT USAGE ON SCHEMA public TO stamp_owner;
SET LOCAL ROLE stamp_owner;
SELECT plan(47);

CREATE TEMPORARY TABLE deal (wrong integer);
CREATE TEMPORARY TABLE rep (wrong integer);
CREATE TEMPORARY VIEW deal_as_of AS SELECT 1 AS wrong;
SET LOCAL search_path = pg_temp, public;

SELECT lives_ok(
    $$SELECT sales_perf.create_mart('sales')$$,
    'an ordinary role makes a mart');

SELECT is(sales.mart_version(), '1.0', 'it knows its version');

SELECT bag_eq(
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales')$$,
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales_perf_template')$$,
    'it is the template, piece by piece');

SELECT is(sales_perf.stamp_leftover('sales'), NULL, 'nothing in it depends on the template');

SELECT is_empty(
    $$SELECT p.oid::regprocedure
      FROM pg_proc AS p
      WHERE p.pronamespace = 'sales'::regnamespace
        AND p.proconfig::text LIKE '%sales_perf_template%'$$,
    'no function of it looks into the template');

SELECT is_empty(
    $$SELECT conname
      FROM pg_constraint
      WHERE connamespace = 'sales'::regnamespace
        AND contype = 'f'
        AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = confrelid AND c.relnamespace = connamespace)$$,
    'its foreign keys point inside');

SELECT is_empty(
    $$SELECT c.relname
      FROM pg_class AS c
      WHERE c.relnamespace = 'sales'::regnamespace
        AND pg_get_userbyid(c.relowner) <> 'stamp_owner'$$,
    'it belongs to the role');

SELECT is((SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'sales'), 'stamp_owner', 'and so does its schema');

SELECT ok(NOT has_schema_privilege('public', 'sales', 'USAGE'), 'others cannot look into it');

SELECT ok((SELECT count(*) > 3650 FROM sales.calendar), 'its calendar is filled');

SELECT is((SELECT count(*) FROM sales_perf_template.calendar), 0::bigint, 'and the template''s is not');

SELECT results_eq(
    $$SELECT a.attname
      FROM pg_attribute AS a
      WHERE a.attrelid = 'sales.deal'::regclass AND a.attnum > 0
      ORDER BY a.attnum$$,
    $$SELECT a.attname
      FROM pg_attribute AS a
      WHERE a.attrelid = 'sales_perf_template.deal'::regclass AND a.attnum > 0
      ORDER BY a.attnum$$,
    'columns stand in the template''s order');

SELECT is(
    obj_description('sales.deal'::regclass),
    obj_description('sales_perf_template.deal'::regclass),
    'tables have their comments');

SELECT isnt(current_setting('search_path'), 'sales, pg_catalog, pg_temp', 'the caller''s search path is as it was');

-- rows go where they should
INSERT INTO sales.rep (rep_id, name) VALUES ('r1', 'Ann');
INSERT INTO sales.deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
VALUES ('d1', 'r1', 100, 'won', current_date - 40, current_date - 10),
       ('d2', 'r1', 50, 'open', current_date - 30, NULL);

SELECT is(
    (SELECT count(*) FROM sales.deal_as_of),
    2::bigint,
    'views read the mart''s tables, not temporary ones');

UPDATE sales.deal SET amount = 70 WHERE deal_id = 'd2';

SELECT results_eq(
    $$SELECT deal_id, field, old_value, new_value FROM sales.deal_change$$,
    $$VALUES ('d2', 'amount', '50', '70')$$,
    'triggers write to the mart''s tables');

SELECT throws_ok(
    $$INSERT INTO sales.deal (deal_id, rep_id) VALUES ('d3', 'nobody')$$ || '; SET CONSTRAINTS ALL IMMEDIATE',
    '23503',
    NULL,
    'foreign keys hold');

SELECT throws_ok(
    $$INSERT INTO sales.deal (deal_id, outcome) VALUES ('d3', 'maybe')$$,
    '23514',
    NULL,
    'checks hold');

-- side by side
SELECT lives_ok(
    $$SELECT sales_perf.create_mart('services')$$,
    'there can be two marts');

SELECT is((SELECT count(*) FROM services.deal), 0::bigint, 'the second starts empty');

INSERT INTO services.deal (deal_id) VALUES ('d1');

SELECT is((SELECT count(*) FROM sales.deal), 2::bigint, 'what is written to one is not in the other');

SELECT is_empty(
    $$SELECT m.kind, m.name
      FROM sales_perf.stamp_dependencies() AS d
      JOIN sales_perf.stamp_pieces('services') AS m ON m.class_id = d.class_id AND m.object_id = d.object_id
      JOIN sales_perf.stamp_pieces('sales') AS o ON o.class_id = d.on_class_id AND o.object_id = d.on_object_id$$,
    'and neither depends on the other');

-- names
SELECT lives_ok(format('SELECT sales_perf.create_mart(%L)', n.name), format('a mart can be named %s', n.name))
FROM (VALUES ('My Mart'), ('with "quotes" and ''apostrophes'''), ('Ünïcödé'), ('SALES'), ('select'), ('back\slash'),
             ('a; DROP SCHEMA sales'), ('a, b'), (repeat('x', 63))) AS n (name);

SELECT is_empty(
    $$SELECT n.nspname, u.*
      FROM pg_namespace AS n
      CROSS JOIN LATERAL sales_perf.upgrade_mart(n.nspname) AS u
      WHERE sales_perf.stamp_is_mart(n.nspname)
        AND n.nspname <> 'sales_perf_template'$$,
    'and is the same mart under each of these names');

SELECT throws_ok(format('SELECT sales_perf.create_mart(%L)', n.name), '42939', NULL, format('%s is refused: reserved', n.name))
FROM (VALUES ('pg_sales'), ('pg_catalog'), ('information_schema'), ('sales_perf'), ('sales_perf_template'), ('$user')) AS n (name);

SELECT throws_ok($$SELECT sales_perf.create_mart('')$$, '42602', NULL, 'the empty name is refused');
SELECT throws_ok($$SELECT sales_perf.create_mart(NULL)$$, '22004', NULL, 'NULL is refused');
SELECT throws_ok($$SELECT sales_perf.create_mart(repeat('ü', 32))$$, '42622', NULL, 'a name that would be cut off is refused');
SELECT throws_ok($$SELECT sales_perf.create_mart('sales')$$, '42P06', 'mart sales already exists', 'a mart that exists is refused');

-- schemas that are there
CREATE SCHEMA ready;
CREATE TABLE ready.notes (note text);
SELECT lives_ok($$SELECT sales_perf.create_mart('ready')$$, 'a schema of the role''s own can become a mart');

CREATE SCHEMA taken;
CREATE TABLE taken.deal (deal_id text);
SELECT throws_ok(
    $$SELECT sales_perf.create_mart('taken')$$,
    '42710',
    'schema taken holds names that sales_perf_template has too',
    'not if it has a table of the mart''s name');

CREATE SCHEMA shadowed;
CREATE FUNCTION shadowed.max(text) RETURNS text LANGUAGE sql RETURN $1;
SELECT throws_ok(
    $$SELECT sales_perf.create_mart('shadowed')$$,
    '42710',
    'schema shadowed holds names that pg_catalog has too',
    'nor if it would put its own in the place of what is built in');

SELECT throws_ok(
    $$SELECT sales_perf.create_mart('public')$$,
    '42501',
    'must be owner of schema public',
    'nor if it is somebody else''s');

RESET ROLE;
SELECT throws_ok(
    $$SELECT * FROM sales_perf.upgrade_mart('sales')$$,
    '42501',
    'must be owner of schema sales',
    'not even a superuser upgrades a mart of somebody else''s');

SELECT * FROM finish();
ROLLBACK;
SELECT format('REVOKE ALL ON DATABASE %I FROM stamp_owner', current_database()) \gexec
DROP ROLE stamp_owner;
