-- forecast on the public data set crm_opportunities, replayed from each month's start from 2017-05 on: 80 % intervals
-- cover 70 to 90 % of the outcomes over agents x months, and the deals' chances beat the share of open deals won
-- within such a month in the past. Nothing closes there before 2017-03-01.
SELECT plan(9);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
SELECT sales_perf.create_mart('sales') \gset
CREATE TEMP TABLE pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TEMP TABLE teams (sales_agent text, manager text, regional_office text);
CREATE TEMP TABLE products (product text, series text, sales_price numeric);
\cd :data
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy teams FROM 'crm_opportunities/sales_teams.csv' WITH (FORMAT csv, HEADER)
\copy products FROM 'crm_opportunities/products.csv' WITH (FORMAT csv, HEADER)

SET search_path = sales, public;
SET sales_perf.as_of = '2017-12-31';
INSERT INTO team (team_id, name) SELECT DISTINCT manager, manager FROM teams;
INSERT INTO rep (rep_id, name, team_id) SELECT sales_agent, sales_agent, manager FROM teams;
INSERT INTO product (product_id, name, family, list_price) SELECT product, product, series, sales_price FROM products;
INSERT INTO stage (stage_no, stage_id, name, is_open)
VALUES (1, 'Prospecting', 'Prospecting', true), (2, 'Engaging', 'Engaging', true), (3, 'Won', 'Won', false), (4, 'Lost', 'Lost', false);
INSERT INTO deal (deal_id, product_id, rep_id, stage_id, amount, opened_on, closed_on, outcome)
SELECT s.opportunity_id, p.product, s.sales_agent, s.deal_stage, coalesce(nullif(s.close_value, 0), p.sales_price), s.engage_date, s.close_date,
       CASE s.deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END
  FROM pipeline s
  JOIN products p ON p.product = CASE s.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE s.product END;
-- The value of an open deal is its list price: what it was won for is only known on that day.
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
SELECT d.deal_id, d.closed_on, change.field, change.old_value, change.new_value
  FROM deal d
  JOIN product p ON p.product_id = d.product_id
 CROSS JOIN LATERAL (VALUES ('amount', p.list_price::text, d.amount::text)) AS change (field, old_value, new_value)
 WHERE d.outcome = 'won'
   AND p.list_price <> d.amount;
ANALYZE;

CREATE TEMP TABLE replay AS SELECT * FROM forecast_replay WHERE grain = 'month' AND period_start >= '2017-05-01';
-- agents that have deals at all, plainly from the file
CREATE TEMP TABLE actual AS
SELECT m.period_start, a.sales_agent, coalesce(sum(p.close_value) FILTER (WHERE p.deal_stage = 'Won' AND date_trunc('month', p.close_date) = m.period_start), 0) AS amount
  FROM (SELECT DISTINCT period_start FROM replay) AS m
 CROSS JOIN (SELECT DISTINCT sales_agent FROM pipeline) AS a
  JOIN pipeline p ON p.sales_agent = a.sales_agent
 GROUP BY m.period_start, a.sales_agent;

SELECT results_eq(
    $$SELECT count(*), count(DISTINCT period_start) FROM actual$$,
    $$VALUES (240::bigint, 8::bigint)$$,
    '30 agents in 8 months');
SELECT is_empty(
    $$SELECT FROM actual a LEFT JOIN replay r ON r.level = 'rep' AND r.rep_id = a.sales_agent AND r.period_start = a.period_start WHERE r.actual_amount IS DISTINCT FROM a.amount$$,
    'what came is what the file says');
SELECT cmp_ok(avg((a.amount BETWEEN r.p10_amount AND r.p90_amount)::integer), '>=', 0.70, '80 % intervals cover at least 70 % of agents x months')
  FROM actual a JOIN replay r ON r.level = 'rep' AND r.rep_id = a.sales_agent AND r.period_start = a.period_start;
SELECT cmp_ok(avg((a.amount BETWEEN r.p10_amount AND r.p90_amount)::integer), '<=', 0.90, 'and at most 90 %')
  FROM actual a JOIN replay r ON r.level = 'rep' AND r.rep_id = a.sales_agent AND r.period_start = a.period_start;

-- the rival, plainly from the file: of all deals open at the start of a month from March on, what share was won in it
CREATE TEMP TABLE open_then AS
SELECT m::date AS period_start, p.opportunity_id, coalesce(p.deal_stage = 'Won' AND date_trunc('month', p.close_date) = m, false)::integer AS is_won
  FROM generate_series(timestamp '2017-03-01', '2017-12-01', '1 month') AS m
  JOIN pipeline p ON p.engage_date < m AND coalesce(p.close_date >= m, true);
CREATE TEMP TABLE rival AS
SELECT period_start, count(*) AS deals, avg(power(is_won - (SELECT avg(o.is_won) FROM open_then o WHERE o.period_start < t.period_start), 2)) AS brier
  FROM open_then t WHERE period_start >= '2017-05-01' GROUP BY 1;
SELECT cmp_ok(sum(r.brier_score * r.deal_count) / sum(r.deal_count), '<', (SELECT sum(brier * deals) / sum(deals) FROM rival)::double precision, 'Brier score of the chances below that of the share known')
  FROM replay r WHERE level = 'company';
SELECT cmp_ok(count(*), '>=', 6::bigint, 'in six of the eight months at least')
  FROM replay r JOIN rival v USING (period_start) WHERE r.level = 'company' AND r.brier_score < v.brier;
SELECT is_empty(
    $$SELECT FROM replay r JOIN (SELECT period_start, count(*) AS n FROM open_then GROUP BY 1) AS o USING (period_start) WHERE r.level = 'company' AND o.n - r.deal_count NOT BETWEEN 0 AND 10$$,
    'all open deals have a chance, but the oldest few');
SELECT cmp_ok(sum(abs(error_amount)), '<', 0.8 * sum(abs(prior_actual_amount - actual_amount)), 'errors for agents are below 80 % of those of the month before as the forecast')
  FROM replay WHERE level = 'rep';
SELECT is_empty(
    $$SELECT period_start FROM replay GROUP BY 1 HAVING sum(expected_amount) FILTER (WHERE level = 'rep') <> sum(expected_amount) FILTER (WHERE level = 'company')$$,
    'agents add up to the company');
\else
SELECT skip('SALES_PERF_DATA is not set', 9);
\endif
SELECT * FROM finish();
