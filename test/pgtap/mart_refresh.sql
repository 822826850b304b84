-- A mart that is filled from a CRM's tables: what has changed since the watermark, and nothing else, is brought in, and the
-- rollups are right. The oracle is a mart that is filled by hand with what the CRM holds, all at once.
SELECT plan(60);

CREATE FUNCTION pg_temp.wrong_cells() RETURNS bigint LANGUAGE sql AS $$
SELECT coalesce(sum(wrong_count), 0)::bigint FROM sales_perf.verify_rollup('sales')
$$;

-- ---------------------------------------------------------------- a CRM, with names and types of its own

CREATE SCHEMA crm;
CREATE TABLE crm.users (id integer PRIMARY KEY, full_name text NOT NULL, team integer, write_date timestamptz NOT NULL DEFAULT now());
CREATE TABLE crm.teams (id integer PRIMARY KEY, label text NOT NULL, leader integer, revision bigint NOT NULL);
CREATE TABLE crm.opportunities (
    id          integer PRIMARY KEY,
    owner       integer,
    revenue     numeric(12,2),
    created     timestamptz,
    state       varchar(10),
    ended       timestamptz,
    write_date  timestamptz);
CREATE INDEX ON crm.opportunities (write_date);
INSERT INTO crm.teams VALUES (1, 'North', 11, 1), (2, 'South', 12, 2);
INSERT INTO crm.users SELECT i, 'User ' || i, 1 + i % 2, now() - interval '1 day' FROM generate_series(11, 14) AS i;
INSERT INTO crm.opportunities
SELECT i, 11 + i % 4, 100 * i, current_date - 200 + i % 50, (ARRAY['won', 'lost', 'new'])[1 + i % 3], CASE WHEN i % 3 < 2 THEN current_date - 100 + i % 90 END, now() - interval '1 hour' - i * interval '1 second'
FROM generate_series(1, 400) AS i;

CREATE VIEW crm.rep AS SELECT id AS rep_id, full_name AS name, team AS team_id, write_date FROM crm.users;
CREATE VIEW crm.team AS SELECT id AS team_id, label AS name, leader AS manager_rep_id, revision FROM crm.teams;
CREATE VIEW crm.deal AS
SELECT id AS deal_id, owner AS rep_id, revenue AS amount, created::date AS opened_on, ended::date AS closed_on, CASE state WHEN 'won' THEN 'won' WHEN 'lost' THEN 'lost' ELSE 'open' END AS outcome, write_date
FROM crm.opportunities;

SELECT sales_perf.create_mart('sales') \gset
SELECT sales_perf.create_mart('by_hand') \gset
SET search_path = sales, public;
SELECT sales_perf.maintain_rollup('sales') \gset

CREATE FUNCTION pg_temp.fill_by_hand() RETURNS void LANGUAGE sql AS $$
    DELETE FROM by_hand.deal;
    SET CONSTRAINTS ALL DEFERRED;
    DELETE FROM by_hand.rep;
    DELETE FROM by_hand.team;
    INSERT INTO by_hand.team (team_id, name, manager_rep_id) SELECT id::text, label, leader::text FROM crm.teams;
    INSERT INTO by_hand.rep (rep_id, name, team_id) SELECT id::text, full_name, team::text FROM crm.users;
    INSERT INTO by_hand.deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
    SELECT deal_id::text, rep_id::text, amount, opened_on, closed_on, outcome FROM crm.deal;
$$;
CREATE FUNCTION pg_temp.same_reports(about text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.fill_by_hand();
    RETURN NEXT is(pg_temp.wrong_cells(), 0::bigint, about || ': no cell is wrong');
    RETURN NEXT results_eq('SELECT * FROM sales.rep_scorecard WHERE grain = ''month'' ORDER BY rep_id, period_start', 'SELECT * FROM by_hand.rep_scorecard WHERE grain = ''month'' ORDER BY rep_id, period_start', about || ': the scorecards of a mart filled by hand');
    RETURN NEXT results_eq('SELECT * FROM sales.team_scorecard WHERE grain = ''year'' ORDER BY team_id, period_start', 'SELECT * FROM by_hand.team_scorecard WHERE grain = ''year'' ORDER BY team_id, period_start', about || ': and of its teams');
END
$$;

-- ---------------------------------------------------------------- all, then what has changed

SELECT is_empty($$SELECT * FROM sales_perf.refresh_rollup('sales')$$, 'nothing is named, nothing is refreshed');
INSERT INTO refresh_source (entity, source, watermark_column) VALUES ('deal', 'crm.deal', 'write_date'), ('rep', 'crm.rep', 'write_date'), ('team', 'crm.team', 'revision');
SELECT results_eq('SELECT entity, source_name, watermark, refreshed_at, age_minutes FROM rollup_freshness ORDER BY entity',
    $$VALUES ('deal', 'crm.deal', NULL, NULL::timestamptz, NULL::numeric), ('rep', 'crm.rep', NULL, NULL, NULL), ('team', 'crm.team', NULL, NULL, NULL)$$, 'nothing has been read yet');
SELECT results_eq($$SELECT entity, read_count, written_count, deleted_count, skipped_count FROM sales_perf.refresh_rollup('sales')$$,
    $$VALUES ('deal', 400::bigint, 400::bigint, 0::bigint, 0::bigint), ('rep', 4, 4, 0, 0), ('team', 2, 2, 0, 0)$$, 'the first time all is read, deals before their reps');
SELECT pg_temp.same_reports('the first refresh');
SELECT results_eq('SELECT entity, watermark::timestamptz, age_minutes FROM rollup_freshness WHERE entity <> ''team'' ORDER BY entity',
    $$SELECT 'deal', max(write_date), 0.0 FROM crm.opportunities UNION ALL SELECT 'rep', max(write_date), 0.0 FROM crm.users$$, 'how fresh that is');
SELECT is(watermark, '2', 'a watermark that is a number') FROM refresh_source WHERE entity = 'team';

SELECT sales_perf.fold_rollup('sales') \gset
SELECT ok(rollup_report_serves('forecast'), 'a report is kept');
SELECT results_eq($$SELECT entity, read_count, written_count FROM sales_perf.refresh_rollup('sales')$$,
    $$SELECT 'deal', count(*), 0::bigint FROM crm.opportunities WHERE write_date >= (SELECT max(write_date) - interval '5 minutes' FROM crm.opportunities) UNION ALL VALUES ('rep', 4, 0), ('team', 1, 0)$$, 'what has not changed is read as far back as the overlap, and not written');
SELECT ok(rollup_report_serves('forecast'), 'and the report still is');

UPDATE crm.opportunities SET revenue = revenue + 0.5, write_date = now() WHERE id IN (7, 8);
UPDATE crm.opportunities SET state = 'won', ended = current_date - 3, write_date = now() WHERE id = 2;
INSERT INTO crm.opportunities VALUES (1001, 14, 77, current_date - 30, 'new', NULL, now());
INSERT INTO crm.users VALUES (15, 'User 15', 2, now());
UPDATE crm.teams SET label = 'South and West', revision = 3 WHERE id = 2;
SELECT results_eq($$SELECT entity, written_count FROM sales_perf.refresh_rollup('sales')$$, $$VALUES ('deal', 4::bigint), ('rep', 1), ('team', 1)$$, 'what has changed is written');
SELECT pg_temp.same_reports('changed rows');
SELECT ok(NOT rollup_report_serves('forecast'), 'no report is kept that does not know of it');
SELECT results_eq($$SELECT field, old_value, new_value FROM deal_change WHERE deal_id = '2' ORDER BY field$$,
    $$SELECT * FROM (VALUES ('closed_on', NULL, to_char(current_date - 3, 'YYYY-MM-DD')), ('outcome', 'open', 'won')) AS c (field, old_value, new_value)$$, 'the mart records how deals change');
SELECT results_eq($$SELECT entity, read_count, written_count FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal'$$, $$VALUES ('deal', 4::bigint, 0::bigint)$$, 'the next refresh reads only these once more');

-- ---------------------------------------------------------------- late commits, and what a watermark does not tell

UPDATE crm.opportunities SET revenue = 1, write_date = now() - interval '4 minutes' WHERE id = 11;
UPDATE crm.opportunities SET revenue = 2, write_date = now() - interval '6 minutes' WHERE id = 12;
SELECT is(written_count, 1::bigint, 'a transaction that committed late is found within the overlap') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal';
SELECT is(amount, 1200::numeric, 'not before it') FROM deal WHERE deal_id = '12';
UPDATE refresh_source SET overlap = '10 minutes' WHERE entity = 'deal';
SELECT is(written_count, 1::bigint, 'a longer one finds it') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal';

DELETE FROM crm.opportunities WHERE id IN (20, 21);
UPDATE crm.opportunities SET revenue = 3 WHERE id = 13;
SELECT results_eq($$SELECT written_count, deleted_count FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal'$$, $$VALUES (0::bigint, 0::bigint)$$, 'a row that is gone has no watermark');
SELECT results_eq($$SELECT entity, read_count, written_count, deleted_count FROM sales_perf.refresh_rollup('sales', complete => true)$$,
    $$VALUES ('deal', 399::bigint, 1::bigint, 2::bigint), ('rep', 5, 0, 0), ('team', 2, 0, 0)$$, 'a complete refresh finds what is gone, and what was written without a watermark');
SELECT pg_temp.same_reports('a complete refresh');

-- ---------------------------------------------------------------- faulty rows

ALTER TABLE crm.opportunities DROP CONSTRAINT opportunities_pkey;
ALTER TABLE crm.opportunities ALTER COLUMN id DROP NOT NULL;
INSERT INTO crm.opportunities VALUES (NULL, 11, 5, current_date - 9, 'new', NULL, now()),
                                     (2001, 11, 6, current_date - 9, 'new', NULL, now() - interval '1 second'),
                                     (2001, 11, 7, current_date - 9, 'new', NULL, now()),
                                     (2001, 11, 8, current_date - 9, 'new', NULL, NULL),
                                     (2002, 11, 9, current_date - 9, 'new', NULL, NULL);
SELECT results_eq($$SELECT written_count, skipped_count FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal'$$, $$VALUES (2::bigint, 3::bigint)$$, 'rows without a key, and all but one of each key, are skipped and counted');
SELECT results_eq($$SELECT deal_id, amount FROM deal WHERE deal_id LIKE '200_' ORDER BY deal_id$$, $$VALUES ('2001', 7::numeric), ('2002', 9)$$, 'the one changed last is taken');
UPDATE crm.opportunities SET revenue = 10 WHERE id = 2002;
SELECT is(written_count, 1::bigint, 'what has no watermark is read each time') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal';
DELETE FROM crm.opportunities WHERE id IS NULL OR id = 2001;
INSERT INTO crm.opportunities VALUES (3001, 11, 6, current_date - 9, 'new', NULL, 'infinity'), (3002, 11, 6, current_date - 9, 'new', NULL, now() + interval '1 year');
SELECT is(written_count, 2::bigint, 'watermarks of days to come') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal';
INSERT INTO crm.opportunities VALUES (3003, 11, 6, current_date - 9, 'new', NULL, now());
SELECT is(written_count, 1::bigint, 'hide nothing that changes until then') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'deal';
SELECT is(deleted_count, 1::bigint, 'a row that went between') FROM sales_perf.refresh_rollup('sales', true) WHERE entity = 'deal';
SELECT pg_temp.same_reports('faulty rows');

INSERT INTO crm.opportunities VALUES (4001, 99, 6, current_date - 9, 'new', NULL, now());
SELECT throws_ok($$SELECT * FROM sales_perf.refresh_rollup('sales'); SET CONSTRAINTS ALL IMMEDIATE$$, '23503', NULL, 'a rep who is nowhere is an error');
SELECT is((SELECT count(*) FROM deal WHERE deal_id = '4001'), 0::bigint, 'which undoes the refresh');
INSERT INTO crm.users VALUES (99, 'User 99', 1, now());
SELECT lives_ok($$SELECT * FROM sales_perf.refresh_rollup('sales'); SET CONSTRAINTS ALL IMMEDIATE$$, 'until he is there');

-- ---------------------------------------------------------------- other watermarks, other tables

CREATE TABLE crm.clients (account_id text PRIMARY KEY, name text NOT NULL, changed_on date);
INSERT INTO crm.clients VALUES ('a', 'Acme', current_date - 1), ('b', 'Bolt', current_date);
CREATE MATERIALIZED VIEW crm.split AS SELECT '2'::text AS deal_id, v.rep_id, v.share, false AS is_overlay, 1::smallint AS version FROM (VALUES (11, 0.25), (12, 0.75)) AS v (rep_id, share);
INSERT INTO refresh_source (entity, source, watermark_column) VALUES ('account', 'crm.clients', 'changed_on'), ('deal_credit', 'crm.split', 'version');
SELECT results_eq($$SELECT entity, written_count, watermark FROM sales_perf.refresh_rollup('sales') WHERE entity IN ('account', 'deal_credit')$$,
    $$VALUES ('account', 2::bigint, to_char(current_date, 'YYYY-MM-DD')), ('deal_credit', 2, '1')$$, 'dates and small numbers as watermarks, a materialized view as a source');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'splits are in the rollups');
INSERT INTO crm.clients VALUES ('c', 'Cape', current_date);
SELECT is(written_count, 1::bigint, 'a day is read until it is over') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'account';
UPDATE crm.clients SET name = name;
SET DateStyle = 'German';
SELECT is(watermark, to_char(current_date, 'YYYY-MM-DD'), 'whatever DateStyle says') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'account';
RESET DateStyle;
CREATE TABLE crm.other_clients (account_id text, name text, no integer);
INSERT INTO crm.other_clients VALUES ('d', 'Dome', 1), ('a', 'Other', 2);
UPDATE refresh_source SET source = 'crm.other_clients', watermark_column = 'no', watermark = NULL WHERE entity = 'account';
SELECT is(written_count, 2::bigint, 'another source in the place of the first') FROM sales_perf.refresh_rollup('sales') WHERE entity = 'account';
SELECT is(string_agg(name, ', ' ORDER BY account_id), 'Other, Bolt, Cape, Dome', 'what it does not know stays') FROM account;
CREATE VIEW crm.only_key AS SELECT id AS team_id, revision FROM crm.teams;
UPDATE refresh_source SET source = 'crm.only_key', watermark = NULL WHERE entity = 'team';
SELECT results_eq($$SELECT read_count, written_count FROM sales_perf.refresh_rollup('sales') WHERE entity = 'team'$$, $$VALUES (2::bigint, 0::bigint)$$, 'a source of keys alone changes nothing of what is there');
UPDATE refresh_source SET source = 'crm.team' WHERE entity = 'team';

-- ---------------------------------------------------------------- what is refused

CREATE FUNCTION pg_temp.refuses(code text, message text, about text) RETURNS text LANGUAGE sql AS $$
SELECT throws_ok($q$SELECT * FROM sales_perf.refresh_rollup('sales')$q$, code, message, about)
$$;
DELETE FROM crm.clients;
UPDATE refresh_source SET source = 'crm.clients', watermark_column = 'changed_on', watermark = NULL WHERE entity = 'account';
SELECT throws_ok($$SELECT * FROM sales_perf.refresh_rollup('sales', true)$$, '55000', 'source crm.clients of account has no rows', 'an empty source does not empty the mart');
UPDATE refresh_source SET watermark_column = 'name' WHERE entity = 'account';
SELECT pg_temp.refuses('42804', 'watermark column name of source crm.clients is of type text', 'a watermark that is no time and no number');
UPDATE refresh_source SET watermark_column = 'Changed' WHERE entity = 'account';
SELECT pg_temp.refuses('42703', 'source crm.clients of account has no watermark column "Changed"', 'a watermark that is not there');
ALTER TABLE crm.clients ADD COLUMN phone text;
UPDATE refresh_source SET watermark_column = 'changed_on' WHERE entity = 'account';
SELECT pg_temp.refuses('42703', 'account has no column phone, which source crm.clients has', 'a column that the mart does not have');
UPDATE refresh_source SET source = 'crm.rep', watermark_column = 'write_date' WHERE entity = 'account';
SELECT pg_temp.refuses('42703', 'source crm.rep of account has no account_id', 'a source without the key');
ALTER TABLE crm.clients DROP COLUMN phone;
UPDATE refresh_source SET source = 'crm.clients', watermark_column = 'changed_on' WHERE entity = 'account';
INSERT INTO refresh_source (entity, source, watermark_column) VALUES ('stage_event', 'crm.rep', 'write_date');
SELECT pg_temp.refuses('42809', 'stage_event cannot be refreshed from crm.rep', 'what the mart numbers itself');
UPDATE refresh_source SET entity = 'team_membership' WHERE entity = 'stage_event';
SELECT pg_temp.refuses('42809', 'team_membership cannot be refreshed from crm.rep', 'a table without a key');
UPDATE refresh_source SET entity = 'deals' WHERE entity = 'team_membership';
SELECT pg_temp.refuses('42P01', '"deals" is no table of mart sales', 'a table that is not there');
UPDATE refresh_source SET entity = 'rollup_state' WHERE entity = 'deals';
SELECT pg_temp.refuses('42P01', '"rollup_state" is no table of mart sales', 'or of rollups');
DELETE FROM refresh_source WHERE entity IN ('rollup_state', 'account');
DROP MATERIALIZED VIEW crm.split;
SELECT pg_temp.refuses('42P01', 'the source of deal_credit in mart sales does not exist any more', 'a source that is dropped');
DELETE FROM refresh_source WHERE entity = 'deal_credit';
SELECT throws_ok($$INSERT INTO refresh_source (entity, source, watermark_column, overlap) VALUES ('sale', 'crm.rep', 'x', '-1 s')$$, '23514', NULL, 'no overlap is below 0');
SELECT throws_ok($$SELECT * FROM sales_perf.refresh_rollup('nowhere')$$, '3F000', NULL, 'a mart that is not there');
CREATE ROLE mart_refresh_other;
GRANT USAGE ON SCHEMA sales TO mart_refresh_other;
SET ROLE mart_refresh_other;
SELECT throws_ok($$SELECT * FROM sales_perf.refresh_rollup('sales')$$, '42501', NULL, 'or not one''s own');
RESET ROLE;
REVOKE USAGE ON SCHEMA sales FROM mart_refresh_other;
DROP ROLE mart_refresh_other;

-- without rollups, too
SELECT sales_perf.drop_rollup('sales') \gset
UPDATE crm.opportunities SET revenue = 123, write_date = now() WHERE id = 30;
SELECT is((SELECT sum(written_count) FROM sales_perf.refresh_rollup('sales')), 1::numeric, 'a mart without rollups is refreshed as well');
SELECT is((SELECT count(*) FROM refresh_source), 3::bigint, 'drop_rollup leaves the sources alone');

SELECT * FROM finish();
