-- Reports that are kept with maintained rollups: shown as long as nothing has changed, and never after.
SELECT plan(88);

SELECT sales_perf.create_mart('sales') \gset
SELECT sales_perf.generate_demo('sales', 400) \gset
SET search_path = sales, public;
-- who buys the one buys the other: something for next_best_product
INSERT INTO product (product_id, name) VALUES ('one', 'One'), ('other', 'Other');
INSERT INTO account (account_id, name) SELECT 'pair ' || i, 'Pair ' || i FROM generate_series(1, 40) AS i;
INSERT INTO deal (deal_id, account_id, product_id, amount, opened_on, closed_on, outcome)
SELECT a.account_id || p.product_id, a.account_id, p.product_id, 100, current_date - 90, current_date - 60, 'won'
  FROM account a
  JOIN product p ON p.product_id IN ('one', 'other')
 WHERE a.account_id LIKE 'pair %'
   AND (p.product_id = 'one' OR a.account_id <= 'pair 4');

CREATE VIEW told AS
SELECT 'account_profile' AS report, r::text AS line FROM sales.account_profile r
UNION ALL
SELECT 'forecast', r::text FROM sales.forecast r
UNION ALL
SELECT 'goal_progress', r::text FROM sales.goal_progress r
UNION ALL
SELECT 'market_trend', r::text FROM sales.market_trend r
UNION ALL
SELECT 'next_best_product', r::text FROM sales.next_best_product r
UNION ALL
SELECT 'swot', r::text FROM sales.swot r;
CREATE VIEW truth AS
SELECT 'account_profile' AS report, r::text AS line FROM sales.account_profile_live r
UNION ALL
SELECT 'forecast', r::text FROM sales.forecast_live r
UNION ALL
SELECT 'goal_progress', r::text FROM sales.goal_progress_live r
UNION ALL
SELECT 'market_trend', r::text FROM sales.market_trend_live r
UNION ALL
SELECT 'next_best_product', r::text FROM sales.next_best_product_live r
UNION ALL
SELECT 'swot', r::text FROM sales.swot_live r;
CREATE FUNCTION serves() RETURNS boolean LANGUAGE sql AS $$
SELECT bool_and(sales.rollup_report_serves(report)) FROM unnest(ARRAY['account_profile', 'forecast', 'goal_progress', 'market_trend', 'next_best_product', 'swot']) AS report
$$;

-- ---------------------------------------------------------------- kept, and read

SELECT is(serves(), false, 'without rollups no report is kept');
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT is(serves(), false, 'nor before the first fold');
SELECT bag_eq('TABLE told', 'TABLE truth', 'reports are made from the deals');
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT is(serves(), false, 'nor by a fold without reports');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'a fold keeps them');
SELECT bag_eq('TABLE told', 'TABLE truth', 'as they are');
SELECT cmp_ok(count(*), '>', 5::bigint, 'all rows of ' || report) FROM told GROUP BY report ORDER BY report;

UPDATE rollup_forecast SET expected_amount = -1;
UPDATE rollup_goal_progress SET actual_value = -1;
UPDATE rollup_account_profile SET purchase_count = -1;
UPDATE rollup_market_trend SET sold_count = -1;
UPDATE rollup_next_best_product SET rank = -1;
UPDATE rollup_swot SET sample_count = -1;
SELECT is(serves(), true, 'what is kept is not watched itself');
SELECT is(count(*), 0::bigint, 'forecast shows what is kept') FROM forecast WHERE expected_amount <> -1;
SELECT is(count(*), 0::bigint, 'goal_progress shows what is kept') FROM goal_progress WHERE actual_value <> -1;
SELECT is(count(*), 0::bigint, 'account_profile shows what is kept') FROM account_profile WHERE purchase_count <> -1;
SELECT is(count(*), 0::bigint, 'market_trend shows what is kept') FROM market_trend WHERE sold_count <> -1;
SELECT is(count(*), 0::bigint, 'next_best_product shows what is kept') FROM next_best_product WHERE rank <> -1;
SELECT is(count(*), 0::bigint, 'swot shows what is kept') FROM swot WHERE sample_count <> -1;
SELECT is(sales_perf.fold_rollup('sales'), 0::bigint, 'a fold when nothing has changed');
SELECT is(count(*), 0::bigint, 'does not make them again') FROM forecast WHERE expected_amount <> -1;
UPDATE deal SET amount = amount WHERE false;
SELECT is(serves(), false, 'a statement on deals, even of no rows, ends that');
SELECT bag_eq('TABLE told', 'TABLE truth', 'and reports are right at once');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'until the next fold');
SELECT is(count(*), 0::bigint, 'which has made them anew') FROM forecast WHERE expected_amount = -1;
SELECT is_empty('TABLE rollup_change', 'and taken away what was written down');

-- ---------------------------------------------------------------- whatever changes

SELECT is_empty($$SELECT c.relname
                    FROM pg_class c
                   WHERE c.relnamespace = 'sales'::regnamespace
                     AND c.relkind IN ('r', 'p')
                     AND NOT starts_with(c.relname, 'rollup_')
                     AND c.relname <> ALL (ARRAY['action_item', 'alert_event', 'alert_rule', 'course', 'enrolment', 'feedback', 'feedback_reply', 'metric_limit', 'refresh_source', 'review_cycle', 'skill', 'skill_kpi', 'view_log'])
                     AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'rollup_change' AND t.tgenabled = 'O' AND t.tgtype & 28 = 28 AND t.tgtype & 32 = 32)$$,
                'every table that they read is watched: insert, update, delete, truncate');
SELECT bag_eq($$SELECT t.tgrelid::regclass::text FROM pg_trigger t WHERE t.tgname = 'rollup_change' AND starts_with(t.tgrelid::regclass::text, 'rollup_')$$, 'SELECT NULL::text WHERE false', 'but for what is stored itself');

CREATE FUNCTION notices(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT serves() THEN
        RETURN NULL;
    END IF;
    EXECUTE statement;
    RETURN NOT serves();
END
$$;

SELECT ok(notices($$INSERT INTO sales.rep (rep_id, name) VALUES ('new', 'New')$$), 'a new rep');
SELECT bag_eq('TABLE told', 'TABLE truth', 'who is in the reports at once');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT ok(notices($$UPDATE sales.deal SET forecast_category = 'commit' WHERE deal_id = (SELECT deal_id FROM sales.deal WHERE outcome = 'open' ORDER BY deal_id LIMIT 1)$$), 'a category');
SELECT bag_eq('TABLE told', 'TABLE truth', 'is seen');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT ok(notices($$UPDATE sales.goal SET target = target + 1 WHERE goal_id = (SELECT min(goal_id) FROM sales.goal)$$), 'a target');
SELECT bag_eq('TABLE told', 'TABLE truth', 'is seen');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT ok(notices($$INSERT INTO sales.check_in (goal_id, confidence, note) SELECT min(goal_id), 0.5, 'going well' FROM sales.goal$$), 'a check-in');
SELECT bag_eq('TABLE told', 'TABLE truth', 'is seen');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT ok(notices($$INSERT INTO sales.fx_rate (currency, valid_from, rate) VALUES ('XAU', current_date, 2)$$), 'an exchange rate');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT ok(notices($$DELETE FROM sales.goal WHERE goal_id = (SELECT max(g.goal_id) FROM sales.goal g WHERE NOT EXISTS (SELECT FROM sales.goal c WHERE c.parent_goal_id = g.goal_id))$$), 'a goal that is deleted, with its targets and check-ins');
SELECT bag_eq('TABLE told', 'TABLE truth', 'is seen');
SELECT sales_perf.fold_rollup('sales') \gset
BEGIN;
SELECT ok(notices($$TRUNCATE sales.deal CASCADE$$), 'TRUNCATE');
SELECT bag_eq('TABLE told', 'TABLE truth', 'is seen');
ROLLBACK;
SELECT is(serves(), true, 'rolled back');
\copy sales.rep (rep_id, name) FROM PROGRAM 'printf "copied\\tCopied\\n"'
SELECT is(serves(), false, 'COPY');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'folded');

-- ---------------------------------------------------------------- transactions

BEGIN;
SAVEPOINT one;
UPDATE deal SET amount = amount + 1;
SELECT is(serves(), false, 'a transaction sees that it has changed deals itself');
ROLLBACK TO one;
SELECT is(serves(), true, 'taken back, reports are kept again');
UPDATE deal SET amount = amount + 1;
SELECT is(serves(), false, 'and a second change is noticed, too');
SAVEPOINT two;
UPDATE deal SET amount = amount + 1;
RELEASE two;
SAVEPOINT three;
UPDATE deal SET amount = amount + 1;
ROLLBACK TO three;
SELECT is(serves(), false, 'the first one still counts');
SELECT is(count(*), 2::bigint, 'each subtransaction writes one row, however much it changes') FROM rollup_change;
ROLLBACK;
SELECT is(serves(), true, 'rolled back');
BEGIN;
UPDATE deal SET amount = amount + 1 WHERE deal_id = (SELECT min(deal_id) FROM deal);
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), false, 'a fold in the same transaction does not count its own changes as seen');
COMMIT;
SELECT is(serves(), false, 'nor does anybody later');
SELECT bag_eq('TABLE told', 'TABLE truth', 'reports are right');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'the next fold keeps them');

-- ---------------------------------------------------------------- days and time zones

SELECT set_config('sales_perf.as_of', (current_date - 1)::text, false) \gset
SELECT is(serves(), false, 'as of yesterday they do not serve');
SELECT bag_eq('TABLE told', 'TABLE truth', 'and reports are right');
UPDATE rep SET name = name;
SELECT sales_perf.fold_rollup('sales') \gset
RESET sales_perf.as_of;
SELECT is(serves(), false, 'a fold as of yesterday keeps none');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT set_config('sales_perf.as_of', current_date::text, false) \gset
SELECT is(serves(), true, 'today may be named');
RESET sales_perf.as_of;

SELECT name AS other_zone FROM (VALUES ('Etc/GMT+3'), ('Etc/GMT-3')) AS z (name) WHERE (now() AT TIME ZONE z.name)::date = current_date LIMIT 1 \gset
SELECT current_setting('TimeZone') AS own_zone \gset
-- (the demo's last day is today, to its end)
DELETE FROM deal_change WHERE changed_at > now();
UPDATE deal SET recorded_at = now() WHERE recorded_at > now();
SELECT sales_perf.fold_rollup('sales') \gset
SET timezone = :'other_zone';
SELECT is(serves(), true, 'in other time zones, where it is the same day');
SET timezone = :'own_zone';
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value) SELECT min(deal_id), now() + interval '3 days', 'amount', '1', '2' FROM deal;
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'history dated ahead: kept');
SET timezone = :'other_zone';
SELECT is(serves(), false, 'but for this time zone alone');
SET timezone = :'own_zone';
DELETE FROM deal_change WHERE changed_at > now();
SELECT sales_perf.fold_rollup('sales') \gset
UPDATE rollup_report SET cluster_id = cluster_id + 1;
SELECT is(serves(), false, 'restored in another cluster, where transactions have other numbers');
UPDATE rollup_report SET cluster_id = cluster_id - 1;
SELECT is(serves(), true, '(back again)');

-- ---------------------------------------------------------------- who may see

CREATE ROLE report_reader;
GRANT USAGE ON SCHEMA sales, sales_perf TO report_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO report_reader;
SET ROLE report_reader;
SELECT ok(sales.rollup_report_serves('forecast'), 'others read what is kept');
SELECT cmp_ok(count(*), '>', 0::bigint, 'by the view') FROM forecast;
SELECT throws_ok($$SELECT sales_perf.fold_rollup('sales')$$, '42501', NULL, 'but only the owner makes it');
RESET ROLE;
ALTER TABLE team ENABLE ROW LEVEL SECURITY;
CREATE POLICY nobody ON team TO report_reader USING (false);
SET ROLE report_reader;
SELECT is(sales.rollup_report_serves('forecast'), false, 'row-level security on any table: not for those it holds for');
SELECT is(count(*), 0::bigint, 'who do not see the kept rows either') FROM rollup_forecast;
SELECT is(count(*), 0::bigint, 'of any report') FROM rollup_goal_progress;
SELECT is(count(*), 0::bigint, 'they get what they may see') FROM forecast WHERE level = 'team';
RESET ROLE;
SELECT is(serves(), true, 'the owner sees all of it');
SELECT cmp_ok(count(*), '>', 0::bigint, 'so does who reads the rows') FROM rollup_forecast;
ALTER TABLE team FORCE ROW LEVEL SECURITY;
UPDATE rep SET name = name;
DROP POLICY nobody ON team;
ALTER TABLE team DISABLE ROW LEVEL SECURITY;
ALTER TABLE team NO FORCE ROW LEVEL SECURITY;

-- ---------------------------------------------------------------- what cannot be kept

SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'kept');
ALTER TABLE deal DISABLE TRIGGER rollup_change;
SELECT is(serves(), false, 'a trigger that is disabled: not read');
UPDATE rep SET name = name;
SELECT sales_perf.fold_rollup('sales') \gset
ALTER TABLE deal ENABLE TRIGGER rollup_change;
SELECT is(serves(), false, 'nor kept');
CREATE TABLE more_reps () INHERITS (rep);
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), false, 'a table that is inherited from cannot be watched');
DROP TABLE more_reps;
CREATE TABLE of_my_own (a integer);
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'a table of the user''s own in the schema does no harm');
DROP TABLE of_my_own;

CREATE TABLE public.calls (rep_id text, on_date date, numerator numeric, denominator numeric);
SET client_min_messages = error;
SELECT register_kpi('own_call_count', 'Calls', 'public.calls') \gset
RESET client_min_messages;
INSERT INTO goal (goal_id, name, kpi_code, rep_id, first_day, last_day, baseline, target, reason)
SELECT 'calls', 'Calls', 'own_call_count', min(rep_id), current_date - 10, current_date + 10, 0, 100, 'to be tried' FROM rep;
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(rollup_report_serves('goal_progress'), false, 'goals on KPIs of one''s own, whose rows are not watched, are not kept');
SELECT is(rollup_report_serves('forecast'), true, 'the forecast is');
INSERT INTO public.calls VALUES ((SELECT min(rep_id) FROM rep), current_date, 7, 1);
SELECT is(actual_value, 7::numeric, 'and they are right at once') FROM goal_progress WHERE goal_id = 'calls';
DELETE FROM goal WHERE goal_id = 'calls';
SELECT sales_perf.fold_rollup('sales') \gset
SELECT is(serves(), true, 'without them all is kept');

-- a report that fails does not keep the cells from being folded
UPDATE deal SET amount = amount + 1 WHERE outcome = 'won';
BEGIN;
CREATE OR REPLACE FUNCTION goal_window_start(first_day date, last_day date, place integer) RETURNS date LANGUAGE sql STABLE RETURN ('2020-01-0' || 1 / (place - place))::date;
SET client_min_messages = error;
SELECT sales_perf.fold_rollup('sales') AS folded \gset
RESET client_min_messages;
SELECT cmp_ok(:folded, '>', 0, 'a report that fails: the cells are folded');
SELECT is_empty('TABLE rollup_delta', 'all of them');
SELECT is(serves(), false, 'and no report is kept');
ROLLBACK;

SELECT sales_perf.fold_rollup('sales') \gset
SELECT sales_perf.drop_rollup('sales') \gset
SELECT is(serves(), false, 'without rollups none is kept');
SELECT is_empty('TABLE rollup_forecast', 'nothing is left');
SELECT is_empty($$SELECT FROM pg_trigger WHERE tgname = 'rollup_change'$$, 'nor a trigger');
SELECT throws_ok($$SELECT sales_perf.record_change()$$, '39P01', NULL, 'its function is for triggers');
DROP OWNED BY report_reader;
DROP ROLE report_reader;
