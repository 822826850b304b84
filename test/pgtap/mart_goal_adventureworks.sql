-- AdventureWorks' quotas as goals, its reseller orders as sales: goal_progress gives the attainments that R gave.
SELECT plan(13);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE sales_order (sales_order_id int PRIMARY KEY, order_date date, due_date date, ship_date date, online_order_flag boolean, customer_id int,
	sales_person_id int, territory_id int, sub_total numeric, tax_amt numeric, freight numeric, total_due numeric);
CREATE TABLE quota_history (sales_person_id int, quota_date date, sales_quota numeric, PRIMARY KEY (sales_person_id, quota_date));
CREATE TABLE person_expected (sales_person_id int, quota_date date, sales_quota numeric, sales numeric, attainment float8);
CREATE TABLE period_expected (quota_date date, sales_quota numeric, sales numeric, attainment float8);
\copy sales_order FROM PROGRAM 'gzip -dc adventureworks/sales_order_header.csv.gz' WITH (FORMAT csv, HEADER)
\copy quota_history FROM 'adventureworks/sales_person_quota_history.csv' WITH (FORMAT csv, HEADER)
\copy person_expected FROM 'adventureworks/expected/attainment_3_people.csv' WITH (FORMAT csv, HEADER)
\copy period_expected FROM 'adventureworks/expected/attainment_by_period_team.csv' WITH (FORMAT csv, HEADER)

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2014-06-30';   -- the last day of the orders

INSERT INTO team (team_id, name) VALUES ('resellers', 'Resellers');
INSERT INTO rep (rep_id, name, team_id)
SELECT sales_person_id::text, 'Sales person ' || sales_person_id, 'resellers'
  FROM (SELECT sales_person_id FROM quota_history UNION SELECT sales_person_id FROM sales_order WHERE NOT online_order_flag) AS person;
INSERT INTO account (account_id, name) SELECT DISTINCT customer_id::text, 'Customer ' || customer_id FROM sales_order WHERE NOT online_order_flag;
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount)
SELECT sales_order_id::text, customer_id::text, sales_person_id::text, order_date, sub_total
  FROM sales_order
 WHERE NOT online_order_flag;

-- A quota runs to the day before the next date on which anybody has one, the last to the end of the data.
CREATE VIEW quota_period AS
SELECT quota_date AS first_day, coalesce(lead(quota_date) OVER (ORDER BY quota_date) - 1, '2014-06-30') AS last_day
  FROM (SELECT DISTINCT quota_date FROM quota_history) AS q;
INSERT INTO goal (goal_id, name, level, kpi_code, target, first_day, last_day, reason)
SELECT 'company ' || first_day, 'Sales from ' || first_day, 'company', 'sales_amount', sum(sales_quota), first_day, last_day, 'the year''s plan'
  FROM quota_history JOIN quota_period ON first_day = quota_date
 GROUP BY first_day, last_day;
INSERT INTO goal (goal_id, name, team_id, kpi_code, target, first_day, last_day, parent_goal_id)
SELECT 'team ' || first_day, name, 'resellers', kpi_code, target, first_day, last_day, goal_id
  FROM goal;
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, parent_goal_id)
SELECT sales_person_id || ' ' || quota_date, 'Quota', sales_person_id::text, 'sales_amount', sales_quota, first_day, last_day, 'team ' || first_day
  FROM quota_history JOIN quota_period ON first_day = quota_date;
-- and one over all of it
INSERT INTO goal (goal_id, name, level, kpi_code, target, first_day, last_day, reason)
SELECT 'all', 'All of it', 'company', 'sales_amount', sum(sales_quota), min(quota_date), '2014-06-30', 'x' FROM quota_history;

CREATE TABLE progress AS SELECT * FROM goal_progress;

SELECT is(count(*), 163::bigint, 'a goal for every quota') FROM progress WHERE level = 'rep';
SELECT results_eq(
    $$SELECT rep_id::int, first_day, target, actual_value FROM progress WHERE rep_id IN ('274', '275', '276') ORDER BY 1, 2$$,
    $$SELECT sales_person_id, quota_date, sales_quota, sales FROM person_expected ORDER BY 1, 2$$,
    'quota and sales of three people in twelve periods');
SELECT is_empty(
    $$SELECT *
        FROM person_expected e
        LEFT JOIN progress p ON p.rep_id = e.sales_person_id::text AND p.first_day = e.quota_date
       WHERE (abs(p.attainment_rate / e.attainment - 1) < 1e-12 AND p.progress_rate = p.attainment_rate) IS NOT TRUE$$,
    'their attainments');
SELECT results_eq(
    $$SELECT first_day, target, actual_value FROM progress WHERE level = 'team' ORDER BY 1$$,
    $$SELECT quota_date, sales_quota, sales FROM period_expected ORDER BY 1$$,
    'quota and sales of the team in twelve periods');
SELECT is_empty(
    $$SELECT *
        FROM period_expected e
        LEFT JOIN progress p ON p.level IN ('team', 'company') AND p.first_day = e.quota_date AND p.goal_id <> 'all'
       WHERE (abs(p.attainment_rate / e.attainment - 1) < 1e-12) IS NOT TRUE$$,
    'attainments of the team and of the company');
SELECT cmp_ok(abs(attainment_rate - 0.840918822567232), '<', 1e-12::float8, 'attainment in all') FROM progress WHERE goal_id = 'all';
SELECT is(actual_value, 80487704.1832, 'all reseller sales') FROM progress WHERE goal_id = 'all';
SELECT is(count(*) FILTER (WHERE status = 'achieved'), 8::bigint, '8 quotas attained') FROM progress WHERE level = 'rep';
SELECT is(count(*) FILTER (WHERE status = 'missed'), 155::bigint, '155 missed') FROM progress WHERE level = 'rep';
SELECT is(bool_and(children_tie), true, 'all quotas of a period are the team''s, and the company''s') FROM progress WHERE child_count > 0;
SELECT is(max(abs(actual_gap)), 0::numeric, 'and so are the sales') FROM goal_rollup WHERE goal_id <> 'all';

-- As of an earlier day: half of the business days of the last quarter of 2013.
SET sales_perf.as_of = '2014-01-14';
SELECT results_eq(
    $$SELECT p.is_complete, p.expected_share, p.actual_value
        FROM goal_progress p
       WHERE p.goal_id = 'company 2013-11-30'$$,
    $$SELECT false,
             (SELECT count(*) FROM generate_series('2013-11-30'::date, '2014-01-14', '1 day') AS day WHERE extract(isodow FROM day) < 6)::float8
             / (SELECT count(*) FROM generate_series('2013-11-30'::date, '2014-02-28', '1 day') AS day WHERE extract(isodow FROM day) < 6),
             (SELECT sum(sub_total) FROM sales_order WHERE NOT online_order_flag AND order_date BETWEEN '2013-11-30' AND '2014-01-14')$$,
    'half way through a period');
SELECT is(count(DISTINCT history_count) FILTER (WHERE history_count BETWEEN 5 AND 8), 1::bigint, 'there are periods to compare with') FROM goal_progress WHERE goal_id = 'company 2013-11-30';
\else
SELECT skip('SALES_PERF_DATA is not set', 13);
\endif
SELECT * FROM finish();
