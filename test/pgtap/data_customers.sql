-- account_profile, next_best_product and rep_fit of the public data sets: their counts are those of the files.
SELECT plan(14);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TEMP TABLE pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TEMP TABLE agents (sales_agent text, manager text, regional_office text);
CREATE TEMP TABLE products (product text, series text, sales_price numeric);
CREATE TEMP TABLE accounts (account text, sector text, year_established integer, revenue numeric, employees integer, office_location text, subsidiary_of text);
CREATE TEMP TABLE sales_order (sales_order_id int, order_date date, due_date date, ship_date date, online_order_flag boolean, customer_id int,
	sales_person_id int, territory_id int, sub_total numeric, tax_amt numeric, freight numeric, total_due numeric);
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy agents FROM 'crm_opportunities/sales_teams.csv' WITH (FORMAT csv, HEADER)
\copy products FROM 'crm_opportunities/products.csv' WITH (FORMAT csv, HEADER)
\copy accounts FROM 'crm_opportunities/accounts.csv' WITH (FORMAT csv, HEADER)
\copy sales_order FROM PROGRAM 'gzip -dc adventureworks/sales_order_header.csv.gz' WITH (FORMAT csv, HEADER)

-- crm_opportunities: the sector of an account is its segment; won deals are the purchases
SELECT sales_perf.create_mart('crm') \gset
SET search_path = crm, public;
SET sales_perf.as_of = '2017-12-31';
INSERT INTO rep (rep_id, name) SELECT sales_agent, sales_agent FROM agents;
INSERT INTO product (product_id, name, family, list_price) SELECT product, product, series, sales_price FROM products;
INSERT INTO account (account_id, name, segment) SELECT account, account, sector FROM accounts;
INSERT INTO deal (deal_id, account_id, product_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT s.opportunity_id, s.account, p.product, s.sales_agent, coalesce(s.close_value, p.sales_price), s.engage_date, s.close_date,
       CASE s.deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END
  FROM pipeline s
  JOIN products p ON p.product = CASE s.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE s.product END;
CREATE TEMP TABLE crm_profile AS SELECT * FROM account_profile;
CREATE TEMP TABLE crm_fit AS SELECT * FROM rep_fit;

SELECT set_eq('SELECT account_id, purchase_count, purchase_day_count, recency_days, total_amount FROM crm_profile',
              $$SELECT account, count(*) AS purchases, count(DISTINCT close_date) AS days, date '2017-12-31' - max(close_date) AS recency, sum(close_value) AS amount FROM pipeline WHERE deal_stage = 'Won' GROUP BY account$$,
              'crm_opportunities: purchases of each account, as the file has them');
SELECT is(sum(total_amount), 10005534::numeric, 'all bookings') FROM crm_profile;
SELECT set_eq($$SELECT account_id, open_deal_count FROM crm_profile$$,
              $$SELECT w.account, count(*) FILTER (WHERE deal_stage IN ('Engaging', 'Prospecting')) FROM pipeline w WHERE account IS NOT NULL GROUP BY w.account$$, 'and what is open');
SELECT ok(min(usual_gap_days) >= 1 AND max(usual_gap_days) < 30, 'all buy more often than once a month') FROM crm_profile;
SELECT cmp_ok(count(preferred_quarter), '<=', 4::bigint, 'hardly an account has a season in ten months') FROM crm_profile;
SELECT is(count(DISTINCT rfm_segment), 7::bigint, 'there are accounts of every kind') FROM crm_profile;
SELECT set_eq('SELECT rep_id, segment, closed_count, won_count FROM crm_fit',
              $$SELECT sales_agent, sector, count(*) AS closed, count(*) FILTER (WHERE deal_stage = 'Won') AS won FROM pipeline JOIN accounts USING (account) WHERE deal_stage IN ('Won', 'Lost') GROUP BY 1, 2$$,
              'closed and won by agent and sector');
SELECT is(sum(won_count)::bigint, 4238::bigint, 'all that were won') FROM crm_fit;
SELECT cmp_ok(max(abs(lift_rate)), '<', 0.1::float8, 'agents and sectors differ by less than 10 points when chance is taken out') FROM crm_fit;
SELECT is_empty($$SELECT account_id, product_id FROM next_best_product INTERSECT SELECT account_id, product_id FROM purchase$$, 'nothing is offered that an account has');

-- AdventureWorks: orders of resellers, without products
SELECT sales_perf.create_mart('aw') \gset
SET search_path = aw, public;
SET sales_perf.as_of = '2014-06-30';
INSERT INTO rep (rep_id, name) SELECT DISTINCT sales_person_id::text, 'Sales person ' || sales_person_id FROM sales_order WHERE sales_person_id IS NOT NULL;
INSERT INTO account (account_id, name) SELECT DISTINCT customer_id::text, 'Customer ' || customer_id FROM sales_order WHERE NOT online_order_flag;
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount)
SELECT sales_order_id::text, customer_id::text, sales_person_id::text, order_date, sub_total FROM sales_order WHERE NOT online_order_flag;
CREATE TEMP TABLE aw_profile AS SELECT * FROM account_profile;
SELECT set_eq('SELECT account_id, purchase_count, last_purchase_on, monetary_amount, total_amount FROM aw_profile',
              $$SELECT customer_id::text, count(*) AS orders, max(order_date) AS last_on, coalesce(sum(sub_total) FILTER (WHERE order_date > '2012-06-30'), 0) AS recent, sum(sub_total) AS total FROM sales_order WHERE NOT online_order_flag GROUP BY customer_id$$,
              'adventureworks: the orders of each reseller');
SELECT is(percentile_disc(0.5) WITHIN GROUP (ORDER BY usual_gap_days) BETWEEN 85 AND 95, true, 'resellers order once a quarter') FROM aw_profile;
SELECT is(sum(value_at_risk_amount), (SELECT sum(amount) FROM sale JOIN aw_profile USING (account_id) WHERE sold_on > '2013-06-30' AND overdue_days > usual_gap_days), 'what is at risk is what those who are late bought in a year') FROM aw_profile;
SELECT is_empty('SELECT * FROM next_best_product UNION ALL SELECT NULL, rep_id, NULL, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL FROM rep_fit', 'without products there is nothing to offer, without deals nobody to compare');
\else
SELECT skip('SALES_PERF_DATA is not set', 14);
\endif
SELECT * FROM finish();
