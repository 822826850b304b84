-- The public data set crm_opportunities through the mart: the figures of its expected/ folder.
SELECT plan(24);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
SELECT sales_perf.create_mart('sales') \gset
CREATE TEMP TABLE pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TEMP TABLE teams (sales_agent text, manager text, regional_office text);
CREATE TEMP TABLE products (product text, series text, sales_price numeric);
CREATE TEMP TABLE accounts (account text, sector text, year_established integer, revenue numeric, employees integer, office_location text, subsidiary_of text);
CREATE TEMP TABLE by_agent (name text, won bigint, lost bigint, closed bigint, win_rate double precision, revenue numeric, avg_deal_size double precision, median_deal_size double precision);
CREATE TEMP TABLE by_manager (LIKE by_agent);
CREATE TEMP TABLE by_office (LIKE by_agent);
CREATE TEMP TABLE by_quarter (label text, won bigint, revenue numeric, avg_deal_size double precision, growth double precision);
\cd :data
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy teams FROM 'crm_opportunities/sales_teams.csv' WITH (FORMAT csv, HEADER)
\copy products FROM 'crm_opportunities/products.csv' WITH (FORMAT csv, HEADER)
\copy accounts FROM 'crm_opportunities/accounts.csv' WITH (FORMAT csv, HEADER)
\copy by_agent FROM 'crm_opportunities/expected/win_rate_by_agent.csv' WITH (FORMAT csv, HEADER)
\copy by_manager FROM 'crm_opportunities/expected/win_rate_by_manager.csv' WITH (FORMAT csv, HEADER)
\copy by_office FROM 'crm_opportunities/expected/win_rate_by_office.csv' WITH (FORMAT csv, HEADER)
\copy by_quarter FROM 'crm_opportunities/expected/revenue_by_quarter.csv' WITH (FORMAT csv, HEADER, NULL '')

SET search_path = sales, public;
SET sales_perf.as_of = '2017-12-31';
INSERT INTO team (team_id, name) SELECT DISTINCT 'office ' || regional_office, regional_office FROM teams;
INSERT INTO team (team_id, name, parent_team_id) SELECT DISTINCT 'manager ' || manager, manager, 'office ' || regional_office FROM teams;
INSERT INTO rep (rep_id, name, team_id) SELECT sales_agent, sales_agent, 'manager ' || manager FROM teams;
INSERT INTO product (product_id, name, family, list_price) SELECT product, product, series, sales_price FROM products;
INSERT INTO account (account_id, name, industry, parent_account_id) SELECT account, account, sector, subsidiary_of FROM accounts;
INSERT INTO stage (stage_no, stage_id, name, is_open)
VALUES (1, 'Prospecting', 'Prospecting', true), (2, 'Engaging', 'Engaging', true), (3, 'Won', 'Won', false), (4, 'Lost', 'Lost', false);
-- The value of an open deal is its list price.
INSERT INTO deal (deal_id, account_id, product_id, rep_id, stage_id, amount, opened_on, closed_on, outcome)
SELECT s.opportunity_id, s.account, p.product, s.sales_agent, s.deal_stage, coalesce(s.close_value, p.sales_price), s.engage_date, s.close_date,
       CASE s.deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END
  FROM pipeline s
  JOIN products p ON p.product = CASE s.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE s.product END;

SELECT results_eq(
    $$SELECT won_count, lost_count, round(win_rate::numeric, 15), bookings_amount, round(average_deal_amount, 3), win_rate_amount
      FROM company_scorecard WHERE grain = 'year' AND period_label = '2017'$$,
    $$VALUES (4238::bigint, 2473::bigint, .631500521531813, 10005534::numeric, 2360.909, NULL::double precision)$$,
    'won, lost, win rate, bookings, average deal; no win rate by amount, for lost deals have none');
SELECT results_eq(
    $$SELECT cycle_count, round(cycle_average_days::numeric, 10), cycle_median_days, cycle_p90_days
      FROM company_scorecard WHERE grain = 'year' AND period_label = '2017'$$,
    $$VALUES (4238::bigint, 51.7819726286, 57::double precision, 106::double precision)$$,
    'cycles of won deals: mean, median, p90');
SELECT cmp_ok(abs(median_deal_amount / 1117 - 1), '<=', 0.005, 'median deal within 0.5 %') FROM company_scorecard WHERE grain = 'year' AND period_label = '2017';
SELECT results_eq(
    $$SELECT open_count, pipeline_amount, unrecorded_count FROM company_scorecard WHERE grain = 'year' AND period_label = '2017'$$,
    $$VALUES (2089::bigint, 4966215::numeric, 2089::bigint)$$,
    'the open pipeline at list prices; none of its history was recorded');
SELECT results_eq(
    $$SELECT sales_perf.cycle_km_median(s), sales_perf.cycle_km_median_low(s), sales_perf.cycle_km_median_high(s)
      FROM (SELECT sales_perf.rollup(summary) AS s FROM opened_cell) AS c$$,
    $$VALUES (69::double precision, 67::double precision, 70::double precision)$$,
    'Kaplan-Meier median and limits');
SELECT results_eq(
    $$SELECT round(survival_rate::numeric, 12), round(survival_se::numeric, 6) FROM cycle_curve WHERE level = 'company' AND cycle_days = 90$$,
    $$VALUES (.350860638552, .005269)$$,
    'survival at 90 days, and its error');
SELECT results_eq(
    $$SELECT stage_name, open_count FROM pipeline_by_stage WHERE open_count > 0 ORDER BY stage_no$$,
    $$VALUES ('Prospecting', 500::bigint), ('Engaging', 1589)$$,
    'open deals by stage');
SELECT results_eq(
    $$SELECT check_code, violation_count FROM data_quality_summary WHERE violation_count > 0 AND entity = 'deal' ORDER BY 1$$,
    $$VALUES ('deal_without_account', 1425::bigint), ('deal_without_opened_on', 500)$$,
    'what is missing');
SELECT is(count(*), 5::bigint, 'agents without a deal stand there all the same')
  FROM rep_scorecard WHERE grain = 'year' AND period_label = '2017' AND created_count = 0 AND open_count = 0 AND win_rate IS NULL;

SELECT results_eq(
    $$SELECT rep_id, won_count, lost_count, closed_count, bookings_amount FROM rep_scorecard WHERE grain = 'year' AND period_label = '2017' AND closed_count > 0 ORDER BY 1$$,
    $$SELECT name, won, lost, closed, revenue FROM by_agent ORDER BY 1$$,
    'each agent');
SELECT is_empty(
    $$SELECT name FROM by_agent e LEFT JOIN rep_scorecard r ON r.rep_id = e.name AND r.grain = 'year' AND r.period_label = '2017'
      WHERE NOT coalesce(abs(r.win_rate - e.win_rate) < 1e-12 AND abs(r.average_deal_amount - e.avg_deal_size) < 1e-6, false)$$,
    'with win rate and average deal');
SELECT is_empty(
    $$SELECT name FROM by_agent e LEFT JOIN rep_scorecard r ON r.rep_id = e.name AND r.grain = 'year' AND r.period_label = '2017'
      WHERE NOT coalesce(r.median_deal_amount BETWEEN e.median_deal_size * 0.99 AND e.median_deal_size * 1.01, false)$$,
    'and the median deal');
SELECT results_eq(
    $$SELECT team_name, won_count, lost_count, closed_count, bookings_amount FROM team_scorecard WHERE grain = 'year' AND period_label = '2017' AND team_id LIKE 'manager %' AND closed_count > 0 ORDER BY 1$$,
    $$SELECT name, won, lost, closed, revenue FROM by_manager ORDER BY 1$$,
    'each manager');
SELECT is_empty(
    $$SELECT name FROM by_manager e LEFT JOIN team_scorecard t ON t.team_id = 'manager ' || e.name AND t.grain = 'year' AND t.period_label = '2017'
      WHERE NOT coalesce(abs(t.win_rate - e.win_rate) < 1e-12 AND abs(t.average_deal_amount - e.avg_deal_size) < 1e-6, false)$$,
    'with win rate and average deal');
SELECT results_eq(
    $$SELECT team_name, won_count, lost_count, closed_count, bookings_amount FROM team_scorecard WHERE grain = 'year' AND period_label = '2017' AND team_id LIKE 'office %' ORDER BY 1$$,
    $$SELECT name, won, lost, closed, revenue FROM by_office ORDER BY 1$$,
    'each office is its managers'' teams');
SELECT is_empty(
    $$SELECT name FROM by_office e LEFT JOIN team_scorecard t ON t.team_id = 'office ' || e.name AND t.grain = 'year' AND t.period_label = '2017'
      WHERE NOT coalesce(abs(t.win_rate - e.win_rate) < 1e-12 AND abs(t.average_deal_amount - e.avg_deal_size) < 1e-6, false)$$,
    'with win rate and average deal');
SELECT results_eq(
    $$SELECT period_label, won_count, bookings_amount, round(sales_growth, 10) FROM company_scorecard WHERE grain = 'quarter' AND won_count > 0 ORDER BY 1$$,
    $$SELECT label, won, revenue, round(growth::numeric, 10) FROM by_quarter ORDER BY 1$$,
    'bookings and growth by quarter');

-- ---------------------------------------------------------------- half a year earlier

SET sales_perf.as_of = '2017-06-30';
SELECT results_eq(
    $$SELECT sales_perf.cycle_km_median(s), round(sales_perf.win_rate(s)::numeric, 3) FROM (SELECT sales_perf.rollup(summary) AS s FROM opened_cell) AS c$$,
    $$VALUES (78::double precision, .666)$$,
    'as of 2017-06-30: Kaplan-Meier median 78, win rate .666');
SELECT is(round(win_rate::numeric, 3), .666, 'in the scorecard, too') FROM company_scorecard WHERE grain = 'year' AND period_label = '2017';
SELECT is(open_count, (SELECT count(*) FROM pipeline WHERE coalesce(engage_date, '-infinity') <= '2017-06-30' AND coalesce(close_date, 'infinity') > '2017-06-30'),
          'deals that closed later are open then')
  FROM company_scorecard WHERE grain = 'year' AND period_label = '2017';
SELECT is(max(period_end), '2017-12-31'::date, 'the last period is the one that holds the day') FROM company_scorecard;
SELECT is(count(*), 0::bigint, 'nothing after it is told') FROM company_scorecard WHERE period_start > '2017-06-30';
SELECT is(is_complete, false, 'the year is not over') FROM company_scorecard WHERE grain = 'year' AND period_label = '2017';
SELECT is(sum(open_count)::bigint, (SELECT count(*) FROM deal_as_of WHERE is_open), 'whatever their stage was, all open deals are there') FROM pipeline_by_stage;
\else
SELECT skip('SALES_PERF_DATA is not set', 24);
\endif
SELECT * FROM finish();
