-- swot and market_trend on public data sets: the CRM sales opportunities (ten months of deals), and AdventureWorks' reseller orders (three years of sales).
SELECT plan(13);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
SELECT sales_perf.create_mart('sales') \gset
CREATE TEMP TABLE pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TEMP TABLE teams (sales_agent text, manager text, regional_office text);
CREATE TEMP TABLE products (product text, series text, sales_price numeric);
CREATE TEMP TABLE accounts (account text, sector text, year_established integer, revenue numeric, employees integer, office_location text, subsidiary_of text);
CREATE TEMP TABLE sales_order (sales_order_id int, order_date date, due_date date, ship_date date, online_order_flag boolean, customer_id int,
    sales_person_id int, territory_id int, sub_total numeric, tax_amt numeric, freight numeric, total_due numeric);
\cd :data
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy teams FROM 'crm_opportunities/sales_teams.csv' WITH (FORMAT csv, HEADER)
\copy products FROM 'crm_opportunities/products.csv' WITH (FORMAT csv, HEADER)
\copy accounts FROM 'crm_opportunities/accounts.csv' WITH (FORMAT csv, HEADER)
\copy sales_order FROM PROGRAM 'gzip -dc adventureworks/sales_order_header.csv.gz' WITH (FORMAT csv, HEADER)

SET search_path = sales, public;
SET sales_perf.as_of = '2017-12-31';
INSERT INTO team (team_id, name) SELECT DISTINCT manager, manager FROM teams;
INSERT INTO rep (rep_id, name, team_id) SELECT sales_agent, sales_agent, manager FROM teams;
INSERT INTO product (product_id, name, family, list_price) SELECT product, product, series, sales_price FROM products;
INSERT INTO account (account_id, name, segment) SELECT account, account, sector FROM accounts;
INSERT INTO deal (deal_id, account_id, product_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT s.opportunity_id, s.account, p.product, s.sales_agent, coalesce(s.close_value, p.sales_price), s.engage_date, s.close_date, CASE s.deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END
  FROM pipeline s
  JOIN products p ON p.product = CASE s.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE s.product END;
CREATE TABLE crm AS SELECT * FROM swot;
SELECT is(count(*) FILTER (WHERE trend <> 'not enough data'), 0::bigint, 'ten months tell no trend') FROM market_trend;
SELECT results_eq($$SELECT sold_count, sold_amount, won_count, lost_count FROM market_trend WHERE dimension = 'company'$$, $$VALUES (4238::bigint, 10005534::numeric, 4238::bigint, 2473::bigint)$$, 'with the counts and amounts of the data set');
SELECT is_empty($$SELECT * FROM crm WHERE peer_value BETWEEN value_low AND value_high OR summary_text IS NULL OR sample_count < 30 AND kind IN ('strength', 'weakness')$$, 'no row whose interval holds the peer value');
SELECT cmp_ok(count(*), '>', 0::bigint, 'some agents differ') FROM crm WHERE kind IN ('strength', 'weakness');
SELECT is_empty($$SELECT c.entity_id, c.sample_count
                    FROM crm c
                    JOIN (SELECT sales_agent, count(close_date) AS closed, count(*) FILTER (WHERE deal_stage = 'Won') AS won FROM pipeline GROUP BY 1) AS p ON p.sales_agent = c.entity_id
                   WHERE c.level = 'rep' AND (c.sample_count <> CASE c.topic WHEN 'win_rate' THEN p.closed ELSE p.won END OR c.topic = 'win_rate' AND abs(c.value - p.won::float8 / p.closed) > 1e-12)$$, 'their counts and rates are those of plain SQL');
SELECT is_empty($$SELECT c.entity_id FROM crm c JOIN (SELECT sales_agent, avg(close_value) AS a, avg(close_date - engage_date) AS d FROM pipeline WHERE deal_stage = 'Won' GROUP BY 1) AS p ON p.sales_agent = c.entity_id
                   WHERE c.level = 'rep' AND (c.topic = 'average_deal_amount' AND abs(c.value - p.a) > 1e-6 OR c.topic = 'cycle_average_days' AND abs(c.value - p.d) > 1e-6)$$, 'and so are their averages');
SELECT is_empty($$SELECT * FROM crm WHERE topic = 'concentration'$$, 'no account is a tenth of the sales, nor five the half');

SELECT sales_perf.create_mart('reseller') \gset
SET search_path = reseller, public;
SET sales_perf.as_of = '2014-04-30';
INSERT INTO rep (rep_id, name) SELECT DISTINCT sales_person_id::text, 'Sales person ' || sales_person_id FROM sales_order WHERE NOT online_order_flag;
INSERT INTO account (account_id, name, region) SELECT customer_id::text, 'Customer ' || customer_id, 'Territory ' || min(territory_id) FROM sales_order WHERE NOT online_order_flag GROUP BY customer_id;
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount) SELECT sales_order_id::text, customer_id::text, sales_person_id::text, order_date, sub_total FROM sales_order WHERE NOT online_order_flag;
CREATE TABLE trend AS SELECT * FROM market_trend;
CREATE TABLE aw AS SELECT * FROM swot;
SELECT results_eq($$SELECT sold_count, sold_amount, prior_count, prior_amount, compared_months FROM trend WHERE dimension = 'company'$$,
                  $$SELECT count(*) FILTER (WHERE order_date >= '2013-05-01'), sum(sub_total) FILTER (WHERE order_date >= '2013-05-01'), count(*) FILTER (WHERE order_date < '2013-05-01'), sum(sub_total) FILTER (WHERE order_date < '2013-05-01'), 12
                      FROM sales_order WHERE NOT online_order_flag AND order_date BETWEEN '2012-05-01' AND '2014-04-30'$$, 'two years of orders');
SELECT cmp_ok(count(*) FILTER (WHERE trend <> 'not enough data'), '>=', 5::bigint, 'most territories are tested') FROM trend WHERE dimension = 'region';
SELECT is_empty($$SELECT * FROM trend WHERE trend = 'growing' AND compared_count <= prior_count OR trend = 'shrinking' AND compared_count >= prior_count$$, 'growing is more, shrinking is less');
SELECT is_empty($$SELECT * FROM aw WHERE kind <> 'threat'$$, 'without deals there are neither strengths nor opportunities');
SELECT is_empty($$SELECT * FROM aw WHERE peer_value BETWEEN value_low AND value_high OR summary_text IS NULL$$, 'and no row whose interval holds the peer value');
SELECT set_eq($$SELECT subject_id, value::integer, sample_count, amount FROM aw WHERE topic = 'account_at_risk'$$,
              $$SELECT customer_id::text, date '2014-04-30' - max(order_date), count(DISTINCT order_date), sum(sub_total) FILTER (WHERE order_date > '2013-04-30')
                  FROM sales_order
                 WHERE NOT online_order_flag AND order_date <= '2014-04-30'
                   AND customer_id IN (SELECT customer_id FROM sales_order WHERE NOT online_order_flag AND order_date BETWEEN '2013-05-01' AND '2014-04-30' GROUP BY 1 ORDER BY sum(sub_total) DESC LIMIT 500)
                 GROUP BY customer_id
                HAVING count(DISTINCT order_date) >= 3 AND date '2014-04-30' - max(order_date) > 2.0 * (max(order_date) - min(order_date)) / (count(DISTINCT order_date) - 1)
                 ORDER BY 4 DESC LIMIT 10$$, 'accounts at risk, from the orders');
\else
SELECT skip('SALES_PERF_DATA is not set', 13);
\endif
SELECT * FROM finish();
