-- coaching_plan on the public data set crm_opportunities: the sector of an account is its segment.
SELECT plan(7);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
SELECT sales_perf.create_mart('sales') \gset
CREATE TEMP TABLE pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TEMP TABLE teams (sales_agent text, manager text, regional_office text);
CREATE TEMP TABLE accounts (account text, sector text, year_established integer, revenue numeric, employees integer, office_location text, subsidiary_of text);
CREATE TEMP TABLE by_agent (name text, won bigint, lost bigint, closed bigint, win_rate double precision, revenue numeric, avg_deal_size double precision, median_deal_size double precision);
\cd :data
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy teams FROM 'crm_opportunities/sales_teams.csv' WITH (FORMAT csv, HEADER)
\copy accounts FROM 'crm_opportunities/accounts.csv' WITH (FORMAT csv, HEADER)
\copy by_agent FROM 'crm_opportunities/expected/win_rate_by_agent.csv' WITH (FORMAT csv, HEADER)
SET search_path = sales, public;
SET sales_perf.as_of = '2017-12-31';
INSERT INTO team (team_id, name) SELECT DISTINCT manager, manager FROM teams;
INSERT INTO rep (rep_id, name, team_id) SELECT sales_agent, sales_agent, manager FROM teams;
INSERT INTO account (account_id, name, segment) SELECT account, account, sector FROM accounts;
INSERT INTO deal (deal_id, account_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT opportunity_id, account, sales_agent, close_value, engage_date, close_date, CASE deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END FROM pipeline;
CREATE TEMP TABLE plan AS SELECT * FROM coaching_plan;

SELECT is(count(DISTINCT rep_id), 35::bigint, 'each agent has a row') FROM plan;
SELECT results_eq($$SELECT count(*), min(note) FROM plan WHERE note LIKE 'not enough%'$$, $$VALUES (5::bigint, 'not enough data: 0 of the 30 closed deals that are needed')$$, 'of the five who closed nothing there is nothing to say');
SELECT is_empty($$SELECT name FROM by_agent a JOIN coaching_measure m ON m.rep_id = a.name AND m.kpi_code = 'win_rate' WHERE NOT coalesce(abs(m.value::double precision - a.win_rate) < 1e-9 AND m.sample_count = a.closed, false)$$, 'win rates are the published ones');
SELECT is_empty($$SELECT name FROM by_agent a JOIN coaching_measure m ON m.rep_id = a.name AND m.kpi_code = 'average_deal_amount' WHERE NOT coalesce(abs(m.value::double precision - a.avg_deal_size) < 1e-6 AND m.sample_count = a.won, false)$$, 'so are the deal sizes');
SELECT ok(abs(sum(m.sample_count * m.expected) / sum(m.sample_count) - 0.631500521531813) < 1e-12, 'what the mixes predict adds up to what the company has') FROM coaching_measure m WHERE kpi_code = 'win_rate';
SELECT is_empty($$SELECT rep_id FROM plan WHERE kpi_code = 'win_rate' AND NOT (expected BETWEEN 0.6 AND 0.66)$$, 'sectors are much alike, so all are expected to win some 63 %');
SELECT cmp_ok(count(*) FILTER (WHERE is_beyond_chance), '>=', 3::bigint, 'some are below beyond chance') FROM plan;
\else
SELECT skip('SALES_PERF_DATA is not set', 7);
\endif
SELECT * FROM finish();
