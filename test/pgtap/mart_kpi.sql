-- The registry: what is in it, KPIs of one's own, and what an upgrade makes of them.
SELECT plan(84);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 800, 3) \gset

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := 'none';
EXCEPTION
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END
$$;

-- ---------------------------------------------------------------- built-in ones

SELECT cmp_ok(count(*), '>=', 45::bigint, 'create_mart fills the registry') FROM kpi WHERE is_builtin;
SELECT is_empty('SELECT FROM sales_perf_template.kpi', 'the template stays empty');
SELECT is_empty(
    $$SELECT code FROM kpi k
       WHERE shown_in <> 'kpi_long'
         AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = split_part(k.shown_in, '.', 1)::regclass AND a.attname = split_part(k.shown_in, '.', 2))$$,
    'the views that the registry names have the columns it names');
SELECT is_empty(
    $$SELECT kpi_code FROM (SELECT DISTINCT kpi_code, kind, (numerator IS NOT NULL) AS has_numerator, (denominator IS NOT NULL) AS has_denominator
                              FROM kpi_between('2025-01-01', '2025-06-30') JOIN kpi ON code = kpi_code WHERE level = 'company') AS k
       WHERE (kind = 'sum') <> (has_numerator AND NOT has_denominator) AND kpi_code NOT IN ('active_customer_count', 'new_customer_count')
          OR (kind = 'ratio') <> has_denominator$$,
    'sums have a numerator, ratios a denominator too');
SELECT is_empty($$SELECT code FROM kpi WHERE is_any_range AND shown_in <> 'kpi_long'$$, 'what can be had for any days stands in kpi_long');
SELECT is_empty(
    $$SELECT code FROM kpi WHERE kind = 'ratio' AND shown_in = 'kpi_long' AND null_rule !~ 'NULL where'$$,
    'of every ratio it is said when it is NULL');
SELECT is_empty(
    $$SELECT unnest(ARRAY['bookings_amount', 'sales_growth', 'to_date_growth', 'average_deal_amount', 'median_deal_amount', 'p90_deal_amount', 'new_customer_count', 'lead_conversion_rate', 'win_rate', 'win_rate_amount',
                          'created_win_rate', 'win_incidence', 'stage_conversion_rate', 'regression_rate', 'cycle_average_days', 'cycle_median_days', 'cycle_p90_days', 'cycle_km_median_days', 'stage_days', 'deal_age_days',
                          'stage_age_days', 'sales_velocity_amount', 'pipeline_amount', 'weighted_pipeline_amount', 'pipeline_created_amount', 'customer_retention_rate', 'churn_rate', 'gross_revenue_retention',
                          'net_revenue_retention', 'cohort_retention_rate', 'data_quality_rate'])
      EXCEPT
      SELECT code FROM kpi$$,
    'the KPIs that views compute are in it');
SELECT is(fill_kpi(), 0, 'filling again changes nothing');
SELECT is_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'nor does an upgrade');

UPDATE kpi SET name = 'Hit rate', minimum_sample = 5, formula = 'whatever' WHERE code = 'win_rate';
DELETE FROM kpi WHERE code = 'churn_rate';
SELECT is(fill_kpi(), 2, 'what is missing or wrong is set right');
SELECT results_eq($$SELECT name, minimum_sample, formula FROM kpi WHERE code = 'win_rate'$$, $$VALUES ('Hit rate', 5, 'won / (won + lost)')$$, 'but a name and a minimum sample stay as they were set');

-- ---------------------------------------------------------------- one's own

CREATE SCHEMA other;
CREATE TABLE other.call_made (rep_id text, on_date date, numerator integer, denominator integer);
INSERT INTO other.call_made
SELECT 'R' || to_char(1 + n % 4, 'FM000'), date '2025-01-01' + n % 120, n % 7, 1 + n % 3 FROM generate_series(1, 600) AS n;
INSERT INTO other.call_made
VALUES ('gone', '2025-02-01', 5, 1), (NULL, '2025-02-02', 3, 1), ('R001', NULL, 2, 1), ('R001', '2025-02-03', NULL, 1), ('R001', '2025-02-04', 1, NULL), ('R001', '2025-05-16', 1000, 1);
CREATE VIEW other.call_count AS SELECT rep_id, on_date, numerator FROM other.call_made;

SELECT is(
    register_kpi('calls_made', 'Calls made', 'other.call_count'),
    'KPI calls_made: a sum, 606 rows of 5 reps, 2025-01-01 to 2025-05-16; 1 rows of reps that the mart does not know, such as ''gone'', stand in (no rep); 1 rows of no rep; 1 rows without a day are not counted; 1 rows without a numerator are not counted',
    'a sum is registered, and what is in its rows is told');
SELECT is(
    register_kpi('reach_rate', 'Reach', 'other.call_made', unit => 'fraction', direction => 'down', formula => 'reached / called', minimum_sample => 30, family => 'activity'),
    'KPI reach_rate: a ratio, 606 rows of 5 reps, 2025-01-01 to 2025-05-16; 1 rows of reps that the mart does not know, such as ''gone'', stand in (no rep); 1 rows of no rep; 1 rows without a day are not counted; 1 rows without a numerator are not counted; 1 rows without a denominator are not counted',
    'a ratio is told by its denominators');
SELECT results_eq(
    $$SELECT code, name, family, formula, unit, direction, kind, minimum_sample, shown_in, is_any_range, is_builtin, relation FROM kpi WHERE NOT is_builtin ORDER BY code$$,
    $$VALUES ('calls_made', 'Calls made', 'own', 'sum of numerator of other.call_count', 'count', 'up', 'sum', 0, 'kpi_long', true, false, 'other.call_count'),
             ('reach_rate', 'Reach', 'activity', 'reached / called', 'fraction', 'down', 'ratio', 30, 'kpi_long', true, false, 'other.call_made')$$,
    'both are in the registry');

CREATE TEMP TABLE plain AS
SELECT 'company' AS level, NULL::text AS entity_id, c.* FROM other.call_made c
UNION ALL
SELECT 'rep', r.rep_id, c.* FROM other.call_made c LEFT JOIN rep r USING (rep_id)
UNION ALL
SELECT 'team', t.team_id, c.* FROM other.call_made c JOIN team_rep t ON t.rep_id = c.rep_id AND c.on_date BETWEEN t.valid_from AND t.valid_to;
CREATE TEMP TABLE expected AS
SELECT q.period_label, e.level, e.entity_id, k.kpi_code,
       coalesce(sum(numerator) FILTER (WHERE kpi_code = 'calls_made' OR denominator IS NOT NULL), 0)::numeric AS numerator,
       CASE kpi_code WHEN 'reach_rate' THEN coalesce(sum(denominator) FILTER (WHERE numerator IS NOT NULL), 0) END::numeric AS denominator,
       count(numerator) FILTER (WHERE kpi_code = 'calls_made' OR denominator IS NOT NULL) AS n
  FROM (VALUES ('2025-Q1', date '2025-01-01', date '2025-03-31'), ('2025-Q2', '2025-04-01', '2025-06-30')) AS q (period_label, first_day, last_day)
 CROSS JOIN (SELECT level, entity_id FROM kpi_entity UNION SELECT 'rep', NULL) AS e
 CROSS JOIN (VALUES ('calls_made'), ('reach_rate')) AS k (kpi_code)
  LEFT JOIN plain p ON p.level = e.level AND coalesce(p.entity_id, '-') = coalesce(e.entity_id, '-') AND p.on_date BETWEEN q.first_day AND least(q.last_day, '2025-05-15')
 GROUP BY 1, 2, 3, 4
-- nobody stands there where there is something of nobody
HAVING e.level <> 'rep' OR e.entity_id IS NOT NULL OR EXISTS (SELECT FROM kpi_entity WHERE level = 'rep' AND entity_id IS NULL) OR count(numerator) > 0;
SELECT set_eq(
    $$SELECT period_label, level, entity_id, kpi_code, numerator, denominator, sample_count FROM kpi_long WHERE grain = 'quarter' AND period_start >= '2025-01-01' AND kpi_code IN ('calls_made', 'reach_rate')$$,
    'TABLE expected',
    'they stand in kpi_long for everybody, with what rows add up to');
SELECT is_empty(
    $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND kpi_code IN ('calls_made', 'reach_rate')
         AND (value IS DISTINCT FROM CASE kpi_code WHEN 'calls_made' THEN numerator ELSE numerator / nullif(denominator, 0) END
              OR kpi_name <> CASE kpi_code WHEN 'calls_made' THEN 'Calls made' ELSE 'Reach' END
              OR is_small_sample <> (kpi_code = 'reach_rate' AND sample_count < 30))$$,
    'a sum is 0 and a ratio NULL where there is nothing');
SELECT results_eq(
    $$SELECT numerator, prior_value FROM kpi_long WHERE grain = 'quarter' AND period_label = '2025-Q2' AND level = 'rep' AND entity_id = 'R002' AND kpi_code = 'calls_made'$$,
    $$SELECT a.numerator, b.numerator FROM expected a, expected b WHERE a.period_label = '2025-Q2' AND b.period_label = '2025-Q1' AND a.level = 'rep' AND a.entity_id = 'R002' AND b.level = 'rep' AND b.entity_id = 'R002' AND a.kpi_code = 'calls_made' AND b.kpi_code = 'calls_made'$$,
    'with the period before');
INSERT INTO other.call_made VALUES ('R001', '2025-04-01', 17, 20);
SELECT is((SELECT value FROM kpi_between('2025-04-01', '2025-04-01') WHERE level = 'rep' AND entity_id = 'R001' AND kpi_code = 'calls_made'),
          (SELECT sum(numerator)::numeric FROM other.call_made WHERE rep_id = 'R001' AND on_date = '2025-04-01'), 'new rows count at once');

-- an upgrade
SELECT is_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'an upgrade has nothing to do, and undoes nothing');
SELECT is((SELECT count(DISTINCT kpi_code) FROM custom_kpi_row), 2::bigint, 'their rows are there');
SET client_min_messages = error;
DROP VIEW custom_kpi_row CASCADE;
RESET client_min_messages;
SELECT is(state || ' ' || hint, '42P01 sales_perf.upgrade_mart() makes it again; unregister_kpi() takes out a KPI whose relation is gone.', 'without the view of their rows it is told what to do')
  FROM pg_temp.error_of($$SELECT * FROM kpi_between('2025-01-01', '2025-03-31')$$);
SELECT lives_ok($$SELECT * FROM kpi_between('2025-01-01', '2025-03-31') WHERE kpi_code = 'win_rate'$$, 'built-in KPIs that are asked for by name do without');
SELECT set_has($$SELECT action, kind, name FROM sales_perf.upgrade_mart('sales')$$, $$VALUES ('added', 'view', 'custom_kpi_row')$$, 'an upgrade makes it again');
SELECT is((SELECT count(DISTINCT kpi_code) FROM custom_kpi_row), 2::bigint, 'with the rows of all that are registered');
SELECT is_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'and the next has nothing to do');
SELECT is(state, '2BP01', 'a relation in use cannot be dropped') FROM pg_temp.error_of('DROP TABLE other.call_made');
ALTER SCHEMA sales RENAME TO "Verkauf";
SET search_path = "Verkauf", public;
SELECT set_eq($$SELECT DISTINCT action, kind FROM sales_perf.upgrade_mart('Verkauf')$$, $$VALUES ('replaced', 'function')$$, 'a mart that was renamed is upgraded');
SELECT is((SELECT count(DISTINCT kpi_code) FROM kpi_between('2025-01-01', '2025-03-31') WHERE kpi_code IN ('calls_made', 'reach_rate')), 2::bigint, 'and has its own KPIs');
ALTER SCHEMA "Verkauf" RENAME TO sales;
SET search_path = sales, public;
SELECT count(*) FROM sales_perf.upgrade_mart('sales') \g /dev/null

-- ---------------------------------------------------------------- what is registered wrongly

SELECT is(state || ' ' || message, '42602 code ''Calls'' of a KPI is not valid', 'a code that is none') FROM pg_temp.error_of($$SELECT register_kpi('Calls', 'Calls', 'other.call_count')$$);
SELECT is(state, '42602', 'no code') FROM pg_temp.error_of($$SELECT register_kpi(NULL, 'Calls', 'other.call_count')$$);
SELECT is(state || ' ' || message, '22023 KPI "calls" has no name', 'no name') FROM pg_temp.error_of($$SELECT register_kpi('calls', ' ', 'other.call_count')$$);
SELECT is(state || ' ' || message, '22023 KPI "calls" has no unit', 'no unit') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.call_count', '')$$);
SELECT is(state || ' ' || hint, '22023 up: more is better; down: less is better.', 'a direction that is none') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.call_count', 'count', 'higher')$$);
SELECT is(state || ' ' || message, '22023 kind ''mean'' of KPI "calls" is not valid', 'a kind that is none') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.call_count', kind => 'mean')$$);
SELECT is(state, '22023', 'a minimum sample below 0') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.call_count', minimum_sample => -1)$$);
SELECT is(state || ' ' || message, '42710 KPI "win_rate" comes with sales_perf', 'a code that is built in') FROM pg_temp.error_of($$SELECT register_kpi('win_rate', 'Calls', 'other.call_count', replace => true)$$);
SELECT is(state || ' ' || message, '42710 KPI "calls_made" is registered already', 'a code that is taken') FROM pg_temp.error_of($$SELECT register_kpi('calls_made', 'Calls', 'other.call_count')$$);
SELECT is(state || ' ' || message, '22004 KPI "calls" has no relation', 'no relation') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', NULL)$$);
SELECT is(state, '42P01', 'one that is not there') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.nothing')$$);
CREATE TEMP TABLE passing (rep_id text, on_date date, numerator numeric);
SELECT is(state, '42809', 'one that does not stay') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'pg_temp.passing')$$);
SELECT is(state, '42809', 'one that has no rows at all') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'deal_pkey')$$);
SELECT is(state || ' ' || message, '42703 relation deal of KPI "calls" has no column on_date, numerator', 'one without the columns') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'deal')$$);
CREATE VIEW other.wrong_type AS SELECT 1.5::money AS numerator, now() AS on_date, 'R001'::text AS rep_id;
SELECT is(state || ' ' || message, '42804 relation other.wrong_type of KPI "calls" has columns of other types: on_date is timestamp with time zone, not date; numerator is money, not numeric', 'one with other types')
  FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.wrong_type')$$);
SELECT is(state || ' ' || message, '42703 relation other.call_count of KPI "calls" has no column denominator', 'a ratio without denominators') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.call_count', kind => 'ratio')$$);
CREATE VIEW other.selfish AS SELECT entity_id AS rep_id, period_start AS on_date, value AS numerator FROM kpi_long WHERE level = 'rep' AND grain = 'month';
CREATE VIEW other.more_selfish AS SELECT rep_id, on_date, numerator FROM other.selfish;
SELECT is(state || ' ' || message, '42P17 relation other.more_selfish of KPI "calls" reads what would read it', 'one that would read itself') FROM pg_temp.error_of($$SELECT register_kpi('calls', 'Calls', 'other.more_selfish')$$);
SELECT is((SELECT count(*) FROM kpi WHERE code = 'calls'), 0::bigint, 'none of these was registered');
CREATE OR REPLACE VIEW other.call_count AS
SELECT c.rep_id, c.on_date, c.numerator FROM other.call_made c WHERE c.numerator <= (SELECT max(value) FROM kpi_between('2025-01-01', '2025-01-01') WHERE kpi_code = 'calls_made');
SELECT is(state || ' ' || message, '42P17 the relation of a KPI reads what would read it', 'one that was made to read itself later is an error, not the end of memory')
  FROM pg_temp.error_of($$SELECT * FROM kpi_between('2025-01-01', '2025-03-31') WHERE kpi_code = 'calls_made'$$);
CREATE OR REPLACE VIEW other.call_count AS SELECT rep_id, on_date, numerator FROM other.call_made;

-- a mart of marts
SELECT sales_perf.create_mart('whole') \gset
CREATE VIEW other.calls_of_sales AS
SELECT k.entity_id AS rep_id, date '2025-02-01' AS on_date, k.value AS numerator FROM kpi_between('2025-01-01', '2025-03-31') AS k WHERE k.level = 'rep' AND k.kpi_code = 'calls_made';
SELECT whole.register_kpi('calls', 'Calls', 'other.calls_of_sales') \gset
SELECT results_eq($$SELECT value FROM whole.kpi_between('2025-01-01', '2025-03-31') WHERE level = 'company' AND kpi_code = 'calls'$$,
                  $$SELECT value FROM kpi_between('2025-01-01', '2025-03-31') WHERE level = 'company' AND kpi_code = 'calls_made'$$, 'what another mart computes is no circle');
DROP SCHEMA whole CASCADE;

-- other types that will do
CREATE TABLE other.visit (rep_id integer, on_date date, numerator double precision, denominator bigint);
INSERT INTO other.visit VALUES (7, '2025-02-01', 0.1, NULL), (7, '2025-02-01', 0.2, NULL), (7, '2025-02-02', 'NaN', NULL);
SELECT is(register_kpi('visits', 'Visits', 'other.visit'),
          'KPI visits: a sum, 3 rows of 1 reps, 2025-02-01 to 2025-02-02; 3 rows of reps that the mart does not know, such as ''7'', stand in (no rep); 1 numerators are not numbers (NaN or infinite): so is every sum with them',
          'numbers of other types are cast; denominators that are all NULL make a sum');
SELECT is((SELECT value FROM kpi_between('2025-02-01', '2025-02-01') WHERE level = 'company' AND kpi_code = 'visits'), 0.3, 'and added up exactly');
CREATE TABLE other.stay (rep_id varchar(10) COLLATE "C", on_date date, numerator numeric(10, 2));
INSERT INTO other.stay VALUES ('R001', '2025-02-01', 2.25), ('R00', '2025-02-01', 1.75);
SELECT is(register_kpi('stays', 'Stays', 'other.stay'), 'KPI stays: a sum, 2 rows of 2 reps, 2025-02-01 to 2025-02-01; 1 rows of reps that the mart does not know, such as ''R00'', stand in (no rep)', 'whatever their length, scale and collation');
SELECT results_eq($$SELECT entity_id, value FROM kpi_between('2025-02-01', '2025-02-01') WHERE level = 'rep' AND kpi_code = 'stays' AND value > 0 ORDER BY 1$$, $$VALUES ('R001', 2.25), (NULL, 1.75)$$, 'and they count');
SELECT unregister_kpi('stays') \gset
SELECT matches(register_kpi('visits', 'Visits a day', 'other.visit', kind => 'ratio', replace => true), '^KPI visits: a ratio, .*3 rows without a denominator are not counted', 'it can be registered anew');
SELECT results_eq($$SELECT name, kind FROM kpi WHERE code = 'visits'$$, $$VALUES ('Visits a day', 'ratio')$$, 'and is as said last');

-- ---------------------------------------------------------------- taken out

CREATE TABLE wish (kpi_code text REFERENCES kpi (code));
INSERT INTO wish VALUES ('visits');
SELECT is(state || ' ' || message || ' ' || hint, '23503 KPI "visits" is in use Delete what refers to it first, such as goals.', 'what is in use stays') FROM pg_temp.error_of($$SELECT unregister_kpi('visits')$$);
DROP TABLE wish;
SELECT is(state || ' ' || message, '42809 KPI "win_rate" comes with sales_perf', 'what is built in stays') FROM pg_temp.error_of($$SELECT unregister_kpi('win_rate')$$);
SELECT is(state || ' ' || hint, '42704 KPIs of your own: calls_made, reach_rate, visits.', 'what is not there cannot go') FROM pg_temp.error_of($$SELECT unregister_kpi('call_made')$$);
SELECT unregister_kpi('visits') \gset
SELECT is((SELECT count(*) FROM kpi_long WHERE kpi_code = 'visits'), 0::bigint, 'what was unregistered is gone');
SELECT lives_ok('DROP TABLE other.visit', 'and its relation can be dropped');
SET client_min_messages = error;
DROP TABLE other.call_made CASCADE;
SELECT lives_ok($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'a relation that went by force leaves a mart that can be upgraded');
SELECT results_eq($$SELECT kpi_code, numerator, value FROM kpi_between('2025-01-01', '2025-03-31') WHERE level = 'company' AND kpi_code IN ('calls_made', 'reach_rate') ORDER BY 1$$,
                  $$VALUES ('calls_made', 0::numeric, 0::numeric), ('reach_rate', 0, NULL)$$, 'whose KPIs have no rows');
SELECT unregister_kpi('calls_made'), unregister_kpi('reach_rate') \gset
RESET client_min_messages;
SELECT is_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'until they are unregistered');

-- ---------------------------------------------------------------- what becomes of relations

CREATE FUNCTION pg_temp.calls() RETURNS numeric LANGUAGE sql AS $$
SELECT value FROM sales.kpi_between('2025-01-01', '2025-03-31') WHERE level = 'company' AND kpi_code = 'calls'
$$;
CREATE ROLE kpi_friend;
GRANT USAGE ON SCHEMA sales TO kpi_friend;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO kpi_friend;
CREATE TABLE other.call AS SELECT 'R001' AS rep_id, date '2025-02-01' AS on_date, 5 AS numerator;
CREATE TABLE other.mail AS SELECT 'R001' AS rep_id, date '2025-02-01' AS on_date, 3 AS numerator;
GRANT SELECT ON other.call, other.mail TO kpi_friend;
SELECT register_kpi('calls', 'Calls', 'other.call') \gset
ALTER TABLE other.call RENAME TO "Call's 1";
SELECT register_kpi('mails', 'Mails', 'other.mail') \gset
SELECT is(pg_temp.calls(), 5::numeric, 'a relation that was renamed has its rows, also when others are registered');
SELECT is(relation, 'other."Call''s 1"', 'and its new name in the registry') FROM kpi WHERE code = 'calls';
ALTER SCHEMA other RENAME TO "Other";
SELECT is_empty($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'an upgrade finds it too where its schema was renamed');
SELECT results_eq($$SELECT relation FROM kpi WHERE NOT is_builtin ORDER BY code$$, $$VALUES ('"Other"."Call''s 1"'), ('"Other".mail')$$, 'and each by its name');
ALTER SCHEMA "Other" RENAME TO other;
ALTER TABLE other."Call's 1" RENAME TO call;
SELECT unregister_kpi('mails') \gset
SELECT is(pg_temp.calls(), 5::numeric, 'and so where others are taken out');

SET client_min_messages = error;
ALTER TABLE other.call DROP COLUMN numerator CASCADE;
SELECT matches(register_kpi('mails', 'Mails', 'other.mail'), '^KPI mails: a sum, 1 rows', 'where a relation lost a column, and its rows went, others can be registered');
SELECT lives_ok($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'and the mart upgraded');
SELECT results_eq($$SELECT kpi_code, value FROM kpi_between('2025-01-01', '2025-03-31') WHERE level = 'company' AND kpi_code IN ('calls', 'mails') ORDER BY kpi_code$$,
                  $$VALUES ('calls', 0::numeric), ('mails', 3)$$, 'it has no rows, the others have theirs');
SET ROLE kpi_friend;
SELECT lives_ok('SELECT * FROM sales.kpi_long', 'and who could read them still can');
RESET ROLE;
ALTER TABLE other.call ADD COLUMN numerator integer DEFAULT 7;
SELECT is(fill_kpi(), 0, 'the column is there again');
SELECT is(pg_temp.calls(), 7::numeric, 'and so are the rows');
DROP TABLE other.call CASCADE;
CREATE TABLE other.call AS SELECT 'R001' AS rep_id, timestamp '2025-02-01 10:00' AS on_date, 5 AS numerator;
SELECT lives_ok($$SELECT * FROM sales_perf.upgrade_mart('sales')$$, 'one made anew with other types is no end to upgrades');
SELECT is(pg_temp.calls(), 0::numeric, 'and has no rows');
\setenv PGDATABASE :DBNAME
\set told `psql -XAtq -v VERBOSITY=terse -c 'SELECT sales.fill_kpi()' 2>&1`
SELECT is(:'told'::text, E'WARNING:  KPI "calls" has no rows of relation other.call: cannot change data type of view column "on_date" from date to timestamp without time zone\n0', 'it is told why');
\set told `psql -XAtq -v VERBOSITY=terse -c 'GRANT SELECT ON sales.kpi_long TO PUBLIC; REVOKE SELECT ON other.mail FROM kpi_friend' -c "SELECT sales.register_kpi('mails', 'Mails', 'other.mail', replace => true)" 2>&1 | grep roles`
SELECT matches(:'told'::text, '^WARNING: .* kpi_long, as they cannot read other.mail: kpi_friend, public$', 'so is who can no longer read kpi_long, all if it is all');
DROP TABLE other.call;
CREATE TABLE other.call AS SELECT 'R001' AS rep_id, date '2025-02-01' AS on_date, 9 AS numerator;
SET client_min_messages = error;
DROP VIEW custom_kpi_row CASCADE;
RESET client_min_messages;
SELECT is(register_kpi('calls', 'Calls', 'other.call', replace => true), 'KPI calls: a sum, 1 rows of 1 reps, 2025-02-01 to 2025-02-01', 'it can be registered again');
SELECT is(pg_temp.calls(), 9::numeric, 'and then has');
SELECT unregister_kpi('calls'), unregister_kpi('mails') \gset
DROP TABLE other.call, other.mail;
REVOKE SELECT ON kpi_long FROM PUBLIC;
DROP OWNED BY kpi_friend;
DROP ROLE kpi_friend;
RESET client_min_messages;

-- ---------------------------------------------------------------- as others

CREATE ROLE kpi_owner;
CREATE ROLE kpi_guest;
GRANT CREATE ON DATABASE :"DBNAME" TO kpi_owner;
CREATE TABLE other.mail (rep_id text, on_date date, numerator numeric);
SET ROLE kpi_owner;
SELECT sales_perf.create_mart('mine') \gset
GRANT USAGE ON SCHEMA mine TO kpi_guest;
GRANT SELECT ON ALL TABLES IN SCHEMA mine TO kpi_guest;
RESET ROLE;
GRANT USAGE ON SCHEMA other TO kpi_owner, kpi_guest;
SET ROLE kpi_owner;
SELECT is(state || ' ' || message, '42501 permission denied for relation other.mail of KPI "mails"', 'a relation that one may not read') FROM pg_temp.error_of($$SELECT mine.register_kpi('mails', 'Mails', 'other.mail')$$);
RESET ROLE;
GRANT SELECT ON other.mail TO kpi_owner;
SET ROLE kpi_guest;
SELECT is(state || ' ' || message || ' ' || hint, '42501 must be owner of the mart to register a KPI It belongs to role kpi_owner.', 'who does not own the mart registers nothing') FROM pg_temp.error_of($$SELECT mine.register_kpi('mails', 'Mails', 'other.mail')$$);
SET ROLE kpi_owner;
SET client_min_messages = error;
SELECT is(mine.register_kpi('mails', 'Mails', 'other.mail'), 'KPI mails: a sum, 0 rows of 0 reps', 'its owner does, also of an empty table');
RESET ROLE;
SET ROLE kpi_guest;
SELECT is(state, '42501', 'readers need the right to read the relation') FROM pg_temp.error_of('SELECT * FROM mine.kpi_long');
RESET ROLE;
GRANT SELECT ON other.mail TO kpi_guest;
SET ROLE kpi_guest;
SELECT lives_ok('SELECT * FROM mine.kpi_long', 'and then read it all');
RESET ROLE;

SELECT * FROM finish();
DROP OWNED BY kpi_owner, kpi_guest CASCADE;
DROP ROLE kpi_owner, kpi_guest;
