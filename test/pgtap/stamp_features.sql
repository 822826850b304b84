-- What create_mart can copy, whether the template has it already or not: a table with everything is
-- put into the template first.
BEGIN;
SELECT plan(13);

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TYPE mood AS ENUM ('glad', 'it''s fine');
CREATE DOMAIN share AS numeric(5,4) DEFAULT 0.5 NOT NULL CONSTRAINT share_range CHECK (VALUE BETWEEN 0 AND 1);
COMMENT ON DOMAIN share IS 'a fraction';

CREATE FUNCTION norm(a text) RETURNS text LANGUAGE sql IMMUTABLE RETURN lower(btrim(a));

CREATE TABLE parent (parent_id text PRIMARY KEY, favourite bigint);
CREATE UNLOGGED TABLE scratch (note text);
CREATE TABLE everything (
    id            bigint GENERATED ALWAYS AS IDENTITY (START WITH 7 INCREMENT BY 2 CYCLE) PRIMARY KEY,
    "Odd ""name"  text COLLATE "C",
    parent_id     text REFERENCES parent ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    norm_name     text GENERATED ALWAYS AS (norm("Odd ""name")) STORED,
    day           date DEFAULT '2020-12-31',
    amount        numeric(18,2) DEFAULT 0.10,
    ratio         double precision DEFAULT 0.1,
    amounts       integer[] NOT NULL DEFAULT '{1,2}',
    mood          mood DEFAULT 'it''s fine',
    moods         mood[],
    share         share,
    last_day      date,
    CONSTRAINT days_in_order CHECK (last_day >= day) NOT VALID,
    CONSTRAINT no_overlap EXCLUDE USING gist (daterange(day, last_day) WITH &&) WHERE (norm(norm_name) = 'unique'),
    UNIQUE NULLS NOT DISTINCT (day, amount) DEFERRABLE
) WITH (fillfactor = 70, autovacuum_enabled = false);
ALTER TABLE parent ADD CONSTRAINT parent_favourite_fkey FOREIGN KEY (favourite) REFERENCES everything;
ALTER TABLE everything ALTER COLUMN "Odd ""name" SET STORAGE EXTERNAL;
ALTER TABLE everything ALTER COLUMN parent_id SET STATISTICS 500;
CREATE INDEX everything_expression ON everything (norm("Odd ""name") text_pattern_ops, day DESC NULLS LAST) INCLUDE (amount) WHERE amount > 0;
CREATE STATISTICS everything_days (dependencies) ON day, last_day FROM everything;
COMMENT ON TABLE everything IS 'in sales_perf_template this text stays as it is';
COMMENT ON COLUMN everything."Odd ""name" IS 'odd';
COMMENT ON CONSTRAINT no_overlap ON everything IS 'a constraint';
COMMENT ON INDEX everything_expression IS 'an index';
COMMENT ON INDEX everything_pkey IS 'the index of a key';
COMMENT ON STATISTICS everything_days IS 'statistics';

ALTER TABLE everything ENABLE ROW LEVEL SECURITY;
ALTER TABLE everything FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON everything FOR SELECT USING (norm(norm_name) <> 'secret' AND EXISTS (SELECT FROM parent AS p WHERE p.parent_id = everything.parent_id));
CREATE POLICY writers ON everything AS RESTRICTIVE FOR INSERT WITH CHECK (amount > 0);
COMMENT ON POLICY everybody ON everything IS 'a policy';

-- a view on a function on a view, made in an order that neither names nor numbers tell
CREATE VIEW z_base WITH (security_invoker = true, security_barrier = true) AS
SELECT e.*, 'sales_perf_template.everything'::text AS literal FROM everything AS e;
CREATE FUNCTION b_rows(wanted text) RETURNS SETOF z_base LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM z_base AS z WHERE z.parent_id = wanted;
END;
CREATE VIEW a_top WITH (security_invoker = true, check_option = local) AS
SELECT p.parent_id, p.favourite FROM parent AS p WHERE EXISTS (SELECT FROM b_rows(p.parent_id));
CREATE VIEW by_key AS SELECT e.*, count(*) AS rows FROM everything AS e GROUP BY e.id;
COMMENT ON COLUMN a_top.favourite IS 'a view''s column';

CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET work_mem = '8MB'
AS $$
BEGIN
    UPDATE parent SET favourite = n.id FROM new_rows AS n WHERE parent.parent_id = n.parent_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_new AFTER INSERT ON everything REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note();
ALTER TABLE everything ENABLE ALWAYS TRIGGER note_new;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'refused: %', TG_ARGV[0];
END
$$;
CREATE CONSTRAINT TRIGGER refuse_big AFTER INSERT ON everything DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.amount > 1000) EXECUTE FUNCTION refuse('it''s too big');
CREATE TRIGGER refuse_update INSTEAD OF UPDATE ON z_base FOR EACH ROW EXECUTE FUNCTION refuse('view');
CREATE TRIGGER sleeping BEFORE UPDATE OF amount ON everything FOR EACH ROW EXECUTE FUNCTION refuse('asleep');
ALTER TABLE everything DISABLE TRIGGER sleeping;
COMMENT ON TRIGGER note_new ON everything IS 'a trigger';
CREATE PROCEDURE bump(INOUT x integer DEFAULT 1) LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$ BEGIN x := x + (SELECT count(*) FROM parent); END $$;
COMMENT ON PROCEDURE bump(integer) IS 'a procedure';

RESET search_path;

-- what a session may have set
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL extra_float_digits = 0;
SET LOCAL standard_conforming_strings = off;
SET LOCAL quote_all_identifiers = on;

SELECT lives_ok($$SELECT sales_perf.create_mart('sales')$$, 'a mart of all kinds of objects is made');

RESET datestyle;
RESET extra_float_digits;
RESET standard_conforming_strings;
RESET quote_all_identifiers;

SELECT bag_eq(
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales')$$,
    $$SELECT kind, name, definition FROM sales_perf.stamp_pieces('sales_perf_template')$$,
    'it is the template, piece by piece');
SELECT is(sales_perf.stamp_leftover('sales'), NULL, 'nothing in it depends on the template');

INSERT INTO sales.parent VALUES ('p');
INSERT INTO sales.everything ("Odd ""name", parent_id) VALUES ('  Name ', 'p');
SELECT results_eq(
    $$SELECT id, norm_name, day, amount, ratio, amounts, mood::text, share::numeric, literal FROM sales.b_rows('p')$$,
    $$VALUES (7::bigint, 'name', date '2020-12-31', 0.10, 0.1::double precision, '{1,2}'::integer[], 'it''s fine', 0.5, 'sales_perf_template.everything')$$,
    'defaults, generated columns, views and functions work in it');
SELECT is((SELECT favourite FROM sales.parent), 7::bigint, 'triggers do');
SELECT is((SELECT count(*) FROM sales.a_top), 1::bigint, 'views on functions on views do');
SELECT is((SELECT rows FROM sales.by_key), 1::bigint, 'views that lean on a key do');
SELECT throws_ok($$INSERT INTO sales.everything (amount) VALUES (1001); SET CONSTRAINTS ALL IMMEDIATE$$, 'P0001', 'refused: it''s too big', 'constraint triggers do');
SELECT lives_ok($$UPDATE sales.everything SET amount = 2$$, 'disabled triggers sleep');
SELECT is(
    (SELECT proconfig FROM pg_proc WHERE oid = 'sales.note()'::regprocedure),
    ARRAY['search_path=sales, pg_catalog, pg_temp', 'work_mem=8MB'],
    'functions keep their settings, and look into their mart');
SELECT is(col_description('sales.a_top'::regclass, 2), 'a view''s column', 'comments on columns of views are there');
SELECT is(obj_description('sales.everything'::regclass), 'in sales_perf_template this text stays as it is', 'texts are never rewritten');

SET CONSTRAINTS ALL IMMEDIATE;
SELECT isnt_empty($$SELECT * FROM sales_perf.drop_mart('sales', 'sales')$$, 'and all of it can be dropped');

SELECT * FROM finish();
ROLLBACK;
