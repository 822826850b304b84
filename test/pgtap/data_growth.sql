-- Growth of real companies through period_summary: the figures that R gave for them.
SET search_path = public, sales_perf;
\ir fixture/near.sql
SELECT plan(11);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE pipeline (opportunity_id text PRIMARY KEY, sales_agent text, product text, account text, deal_stage text, engage_date date, close_date date, close_value numeric);
CREATE TABLE sales_order (sales_order_id int PRIMARY KEY, order_date date, due_date date, ship_date date, online_order_flag boolean, customer_id int,
	sales_person_id int, territory_id int, sub_total numeric, tax_amt numeric, freight numeric, total_due numeric);
CREATE TABLE quarter_expected (quarter text, won_deals bigint, revenue numeric, avg_deal_size float8, growth_qoq float8);
CREATE TABLE year_expected (year int, total_due numeric, growth float8);
\copy pipeline FROM 'crm_opportunities/sales_pipeline.csv' WITH (FORMAT csv, HEADER)
\copy sales_order FROM PROGRAM 'gzip -dc adventureworks/sales_order_header.csv.gz' WITH (FORMAT csv, HEADER)
\copy quarter_expected FROM 'crm_opportunities/expected/revenue_by_quarter.csv' WITH (FORMAT csv, HEADER)
\copy year_expected FROM 'adventureworks/expected/total_due_by_year.csv' WITH (FORMAT csv, HEADER)

-- quarterly bookings of the CRM
CREATE TABLE bookings AS
SELECT v.*
FROM period_values((SELECT period_agg(close_date, close_value, 'quarter') FROM pipeline WHERE deal_stage = 'Won')) AS v;
SELECT results_eq(
	$$SELECT to_char(period_start, 'YYYY-"Q"Q'), count, amount FROM bookings ORDER BY 1$$,
	$$SELECT quarter, won_deals, revenue FROM quarter_expected ORDER BY 1$$,
	'won deals and bookings of four quarters');
SELECT near(growth_rate::float8, growth_qoq, 'growth in ' || quarter)
FROM bookings
JOIN quarter_expected ON quarter = to_char(period_start, 'YYYY-"Q"Q')
WHERE growth_qoq IS NOT NULL
ORDER BY quarter;
SELECT is(growth_rate, NULL, 'the first quarter has none') FROM bookings WHERE period_start = '2017-01-01';
SELECT near(period_growth_rate(s, '2017-04-01')::float8, 1.71982649254454, 'one quarter''s growth, asked for by its day', 1e-7)
FROM (SELECT period_agg(close_date, close_value, 'quarter') AS s FROM pipeline WHERE deal_stage = 'Won') AS b;

-- yearly sales of AdventureWorks
CREATE TABLE yearly AS
SELECT v.*
FROM period_values((SELECT period_agg(order_date, total_due, 'year') FROM sales_order)) AS v;
SELECT results_eq(
	$$SELECT EXTRACT(year FROM period_start)::int, amount FROM yearly ORDER BY 1$$,
	$$SELECT year, total_due FROM year_expected ORDER BY 1$$,
	'sales of four years, exactly');
SELECT near(growth_rate::float8, growth, 'growth in ' || year)
FROM yearly
JOIN year_expected ON year = EXTRACT(year FROM period_start)
WHERE growth IS NOT NULL
ORDER BY year;
SELECT is_empty($$SELECT * FROM yearly WHERE growth_rate IS DISTINCT FROM year_growth_rate$$, 'of years, growth is growth over a year');
\else
SELECT skip('SALES_PERF_DATA is not set', 11);
\endif
SELECT * FROM finish();
