-- AdventureWorks' quotas and sales through a mart: the attainments that R gave for them.
\ir fixture/near.sql
SELECT plan(13);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE public.sales_order (sales_order_id int PRIMARY KEY, order_date date, due_date date, ship_date date, online_order_flag boolean, customer_id int,
	sales_person_id int, territory_id int, sub_total numeric, tax_amt numeric, freight numeric, total_due numeric);
CREATE TABLE public.sales_quota (sales_person_id int, quota_date date, sales_quota numeric, PRIMARY KEY (sales_person_id, quota_date));
\copy sales_order FROM PROGRAM 'gzip -dc adventureworks/sales_order_header.csv.gz' WITH (FORMAT csv, HEADER)
\copy sales_quota FROM 'adventureworks/sales_person_quota_history.csv' WITH (FORMAT csv, HEADER)
CREATE TABLE public.person_expected (sales_person_id int, quota_date date, sales_quota numeric, sales numeric, attainment float8);
CREATE TABLE public.period_expected (quota_date date, sales_quota numeric, sales numeric, attainment float8);
\copy person_expected FROM 'adventureworks/expected/attainment_3_people.csv' WITH (FORMAT csv, HEADER)
\copy period_expected FROM 'adventureworks/expected/attainment_by_period_team.csv' WITH (FORMAT csv, HEADER)

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2014-12-31';
INSERT INTO rep (rep_id, name) SELECT DISTINCT sales_person_id, 'sales person ' || sales_person_id FROM sales_quota;
-- orders of resellers: no quota is for those made online, which have no sales person
INSERT INTO sale (sale_id, rep_id, sold_on, amount) SELECT sales_order_id, sales_person_id, order_date, sub_total FROM sales_order WHERE NOT online_order_flag;
-- a quota runs until the next day on which anybody gets one, the last to the end of the data
CREATE TABLE quota_period AS
SELECT quota_date AS first_day, lead(quota_date, 1, date '2014-07-01') OVER (ORDER BY quota_date) - 1 AS last_day
  FROM (SELECT DISTINCT quota_date FROM sales_quota) AS q;
INSERT INTO quota (level, rep_id, first_day, last_day, amount)
SELECT 'rep', sales_person_id, first_day, last_day, sales_quota
  FROM sales_quota
  JOIN quota_period ON first_day = quota_date;
ANALYZE sale; ANALYZE quota;

SELECT results_eq(
    $$SELECT sales_person_id, quota_date, quota_for(sales_person_id::text, first_day, last_day),
             (SELECT sum(amount) FROM sale WHERE rep_id = sales_person_id::text AND sold_on BETWEEN first_day AND last_day)
        FROM person_expected JOIN quota_period ON first_day = quota_date ORDER BY 1, 2$$,
    $$SELECT sales_person_id, quota_date, round(sales_quota, 2), sales FROM person_expected ORDER BY 1, 2$$,
    'quota_for and the sales of three people in twelve periods');
SELECT is_empty(
    $$SELECT * FROM person_expected JOIN quota_period ON first_day = quota_date
        JOIN LATERAL attainment_between(first_day, last_day) AS a ON a.level = 'rep' AND a.rep_id = sales_person_id::text
       WHERE (a.quota_amount = sales_quota AND a.credited_amount = sales AND a.untargeted_amount = 0 AND a.is_full_quota
              AND abs(a.credited_amount / a.quota_amount / attainment::numeric - 1) < 1e-12) IS NOT TRUE$$,
    'their attainments');
SELECT is(count(*), 36::bigint, 'of three people in twelve periods') FROM person_expected;
SELECT is_empty(
    $$SELECT * FROM period_expected JOIN quota_period ON first_day = quota_date
        LEFT JOIN LATERAL attainment_between(first_day, last_day) AS a ON a.level = 'company'
       WHERE (a.quota_amount = sales_quota AND a.credited_amount = sales AND a.untargeted_amount = 0
              AND abs(a.credited_amount / a.quota_amount / attainment::numeric - 1) < 1e-12) IS NOT TRUE$$,
    'and those of all in twelve periods');
SELECT is_empty(
    $$SELECT first_day FROM quota_period WHERE quota_for('company', first_day, last_day) <> (SELECT sum(quota_for(rep_id, first_day, last_day)) FROM rep)$$,
    'the quotas of all are those of each');
SELECT near((credited_amount / quota_amount)::float8, .840918822567232, 'the attainment of the company over three years') FROM attainment_between('2011-05-31', '2014-06-30') WHERE level = 'company';
SELECT is(quota_for('company', '2011-05-31', '2014-06-30'), 95714000.00, 'all quotas');
SELECT is(credited_amount, 80487704.1832, 'all sales') FROM attainment_between('2011-05-31', '2014-06-30') WHERE level = 'company';
SELECT is(sum(targeted_rep_count)::bigint, 163::bigint, '163 quotas') FROM quota_period, attainment_between(first_day, last_day) WHERE level = 'company';
SELECT is(sum(attained_rep_count)::bigint, 8::bigint, '8 of them attained') FROM quota_period, attainment_between(first_day, last_day) WHERE level = 'company';
SELECT is(sum(quota_amount), 95714000.00, 'months have them day by day, and add up') FROM quota_attainment WHERE grain = 'month' AND level = 'company';
SELECT is(sum(credited_amount), 80487704.1832, 'sales as well') FROM quota_attainment WHERE grain = 'quarter' AND level = 'rep';
SELECT is(quota_amount, round(sum(of_rep), 2), 'a calendar quarter has its days of three quotas')
  FROM quota_attainment
 CROSS JOIN LATERAL (SELECT round(q.amount * (least(q.last_day, period_end) - q.first_day + 1) / (q.last_day - q.first_day + 1), 2)
                            - round(q.amount * (greatest(q.first_day, period_start) - q.first_day) / (q.last_day - q.first_day + 1), 2) AS of_rep
                       FROM quota q
                      WHERE q.first_day <= period_end AND q.last_day >= period_start) AS o
 WHERE grain = 'quarter' AND level = 'company' AND period_label = '2012-Q1'
 GROUP BY quota_amount;
\else
SELECT skip('SALES_PERF_DATA is not set', 13);
\endif
SELECT * FROM finish();
