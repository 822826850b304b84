-- The CRM sales opportunities through the aggregates alone: the results that R gave for them.
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2017-12-31';
\ir fixture/near.sql
SELECT plan(39);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE pipeline (opportunity_id text PRIMARY KEY, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TABLE sales_team (sales_agent text PRIMARY KEY, manager text, regional_office text);
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy sales_team FROM 'crm_opportunities/sales_teams.csv' WITH (FORMAT csv, HEADER)
\set headline `cat crm_opportunities/expected/headline.json`
CREATE TABLE headline AS SELECT :'headline'::jsonb AS h;

CREATE VIEW deal AS
SELECT *, CASE deal_stage WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' END AS outcome
FROM pipeline
JOIN sales_team USING (sales_agent);
CREATE TABLE company AS
SELECT deal_agg(close_value, outcome, engage_date, close_date) AS s
FROM deal;

SELECT is(count(*), 8800::bigint, 'all rows are there') FROM deal;
SELECT is(won_count(s), 4238::bigint, 'deals won') FROM company;
SELECT is(lost_count(s), 2473::bigint, 'deals lost') FROM company;
SELECT is(open_count(s), (h ->> 'open_deals')::bigint, 'deals open') FROM company, headline;
SELECT near(win_rate(s), .631500521531813, 'win rate') FROM company;
SELECT near(win_rate(s), (h ->> 'win_rate')::float8, 'win rate as in the file') FROM company, headline;
SELECT is(bookings_amount(s), 10005534::numeric, 'bookings') FROM company;
SELECT near(average_deal_amount(s)::float8, 2360.90939122227, 'average deal') FROM company;
SELECT near(median_deal_amount(s)::float8, (h ->> 'median_deal_size')::float8, 'median deal, to 0.5 %', 0.005) FROM company, headline;
SELECT is(unpriced_count(s), 0::bigint, 'every won deal has a value') FROM company;
SELECT is(undated_count(s), 500::bigint, 'the deals in prospecting have no date') FROM company;
SELECT is(invalid_count(s), 0::bigint, 'no dates are faulty') FROM company;
SELECT is(win_rate_amount(s), NULL, 'lost deals have no value here, so there is no win rate by value') FROM company;
SELECT is(pipeline_amount(s), 0::numeric, 'nor have open ones') FROM company;

SELECT is(cycle_median(s), 57::float8, 'median cycle') FROM company;
SELECT near(cycle_average(s), 51.7819726285984, 'mean cycle') FROM company;
SELECT is(cycle_percentile(s, 0.9), 106::float8, '90 % of the cycles are no longer') FROM company;

SELECT is(cycle_km_median(s), 69::float8, 'Kaplan-Meier median') FROM company;
SELECT is(cycle_km_median_low(s), 67::float8, 'its lower limit') FROM company;
SELECT is(cycle_km_median_high(s), 70::float8, 'its upper limit') FROM company;
SELECT is((SELECT c.at_risk FROM cycle_curve(s) AS c ORDER BY day LIMIT 1), 8300::bigint, 'at risk are the deals with a date') FROM company;
SELECT is((SELECT sum(won + lost) FROM cycle_curve(s)), 6711::numeric, 'of which these closed') FROM company;
CREATE VIEW day_90 AS
SELECT c.*
FROM company, cycle_curve(s) AS c
WHERE c.day <= 90
ORDER BY c.day DESC
LIMIT 1;
SELECT near(survival, .350860638552319, 'S(90)') FROM day_90;
SELECT is(round(survival_se::numeric, 6), .005269, 'its standard error') FROM day_90;
SELECT near(survival + win_incidence + loss_incidence, 1, 'on day 90 each deal is open, won or lost') FROM day_90;

-- "won, lost censored at close": a lost deal as an open one of that age
CREATE TABLE won_only AS
SELECT cycle_agg(NULLIF(outcome, 'lost'), CASE WHEN outcome = 'lost' THEN date '2017-12-31' - (close_date - engage_date) ELSE engage_date END, close_date) AS s
FROM deal;
SELECT is(ARRAY[cycle_km_median(s), cycle_km_median_low(s), cycle_km_median_high(s)], '{93, 92, 94}', 'median and limits with lost deals censored') FROM won_only;
SELECT near((SELECT survival FROM cycle_curve(s) WHERE day <= 90 ORDER BY day DESC LIMIT 1), .520085268296774, 'and S(90)') FROM won_only;

-- as it stood on 30 June: what closed later is open then, what opened later is not at risk
CREATE TABLE in_june AS
SELECT deal_agg(close_value, CASE WHEN close_date <= '2017-06-30' THEN outcome END, engage_date, close_date) AS s
FROM deal;
SELECT is(cycle_km_median(s, '2017-06-30'), 78::float8, 'Kaplan-Meier median as of 30 June') FROM in_june;
SELECT is(round(win_rate(s)::numeric, 3), .666, 'win rate as of 30 June') FROM in_june;

-- by manager, office and agent
CREATE TABLE published (manager text, regional_office text, sales_agent text,
	won bigint, lost bigint, closed bigint, win_rate float8, revenue numeric, avg_deal_size float8, median_deal_size float8);
\copy published (manager, won, lost, closed, win_rate, revenue, avg_deal_size, median_deal_size) FROM 'crm_opportunities/expected/win_rate_by_manager.csv' WITH (FORMAT csv, HEADER)
\copy published (regional_office, won, lost, closed, win_rate, revenue, avg_deal_size, median_deal_size) FROM 'crm_opportunities/expected/win_rate_by_office.csv' WITH (FORMAT csv, HEADER)
\copy published (sales_agent, won, lost, closed, win_rate, revenue, avg_deal_size, median_deal_size) FROM 'crm_opportunities/expected/win_rate_by_agent.csv' WITH (FORMAT csv, HEADER)
CREATE VIEW by_group AS
SELECT manager, regional_office, sales_agent, deal_agg(close_value, outcome, engage_date, close_date) AS s
FROM deal
GROUP BY GROUPING SETS ((manager), (regional_office), (sales_agent));

SELECT is(count(*), 6 + 3 + 30::bigint, 'managers, offices, agents') FROM published;
SELECT set_eq(
	$$SELECT manager, regional_office, sales_agent, won_count(s), lost_count(s), entered_count(outcomes(s)), bookings_amount(s) FROM by_group$$,
	$$SELECT manager, regional_office, sales_agent, won, lost, closed, revenue FROM published$$,
	'won, lost and bookings of each');
CREATE VIEW by_both AS
SELECT p.*, g.s
FROM published AS p
JOIN by_group AS g ON (g.manager, g.regional_office, g.sales_agent) IS NOT DISTINCT FROM (p.manager, p.regional_office, p.sales_agent);
SELECT is_empty(
	$$SELECT manager, regional_office, sales_agent, sales_perf.win_rate(s), by_both.win_rate, average_deal_amount(s), avg_deal_size
	  FROM by_both
	  WHERE (abs(sales_perf.win_rate(s) / by_both.win_rate - 1) < 1e-12 AND abs(average_deal_amount(s)::float8 / avg_deal_size - 1) < 1e-12) IS NOT TRUE$$,
	'win rate and average deal of each');
SELECT is_empty(
	$$SELECT manager, regional_office, sales_agent, median_deal_amount(s), median_deal_size
	  FROM by_both
	  WHERE (abs(median_deal_amount(s)::float8 / median_deal_size - 1) <= 0.005) IS NOT TRUE$$,
	'median deal of each, to 0.5 %');
SELECT is(
	(SELECT rollup(s) FROM by_group WHERE sales_agent IS NOT NULL), s,
	'the agents'' summaries rolled up are the company''s') FROM company;
SELECT is(
	(SELECT rollup(s)::text FROM by_group WHERE manager IS NOT NULL), (SELECT rollup(s)::text FROM by_group WHERE regional_office IS NOT NULL),
	'so are those of the managers and of the offices');

CREATE TABLE cycle_days (outcome text, n bigint, mean float8, sd float8, median_t7 float8, p90_t7 float8, median_t1 float8, p90_t1 float8, min int, max int);
\copy cycle_days FROM 'crm_opportunities/expected/cycle_days.csv' WITH (FORMAT csv, HEADER)
SELECT is_empty(
	$$SELECT e.outcome, s::text
	  FROM cycle_days AS e,
		LATERAL (SELECT cycle_agg('won', engage_date, close_date) AS s FROM deal WHERE deal_stage = e.outcome OR e.outcome = 'Closed' AND outcome IS NOT NULL) AS c
	  WHERE (cycle_count(s) = n AND abs(cycle_average(s) / mean - 1) < 1e-12 AND cycle_median(s) = median_t7 AND cycle_percentile(s, 0.9) = p90_t7
		AND cycle_percentile(s, 0) = min AND cycle_percentile(s, 1) = max) IS NOT TRUE$$,
	'days to close, of the won, the lost and all');
SELECT is(count(*), 3::bigint, 'which are three lines') FROM cycle_days;

CREATE TABLE revenue (quarter text, won_deals bigint, revenue numeric, avg_deal_size float8, growth_qoq float8);
\copy revenue FROM 'crm_opportunities/expected/revenue_by_quarter.csv' WITH (FORMAT csv, HEADER)
CREATE VIEW by_quarter AS
SELECT to_char(close_date, 'YYYY-"Q"Q') AS quarter, deal_agg(close_value, outcome, engage_date, close_date) AS s
FROM deal
WHERE close_date IS NOT NULL
GROUP BY 1;
SELECT set_eq(
	$$SELECT quarter, won_count(s), bookings_amount(s) FROM by_quarter$$,
	$$SELECT quarter, won_deals, revenue FROM revenue$$,
	'bookings by quarter');
SELECT is_empty(
	$$SELECT quarter
	  FROM (SELECT *, growth_rate(bookings_amount(s), lag(bookings_amount(s)) OVER (ORDER BY quarter)) AS growth FROM by_quarter JOIN revenue USING (quarter)) AS q
	  WHERE (abs(growth::float8 / growth_qoq - 1) < 1e-12) IS NOT TRUE AND NOT (growth IS NULL AND growth_qoq IS NULL)
		OR (abs(average_deal_amount(s)::float8 / avg_deal_size - 1) < 1e-12) IS NOT TRUE$$,
	'their growth and averages');
\else
SELECT skip('SALES_PERF_DATA is not set', 39);
\endif
SELECT * FROM finish();
