-- The Olist marketing funnel: conversion by origin, days to win, and what becomes of a win before the first contact.
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2018-11-14';
\ir fixture/near.sql
SELECT plan(17);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE qualified_lead (mql_id text PRIMARY KEY, first_contact_date date, landing_page_id text, origin text);
CREATE TABLE closed_deal (mql_id text PRIMARY KEY, seller_id text, sdr_id text, sr_id text, won_date timestamp, business_segment text, lead_type text,
	lead_behaviour_profile text, has_company text, has_gtin text, average_stock text, business_type text, declared_product_catalog_size numeric, declared_monthly_revenue numeric);
\copy qualified_lead FROM 'olist_funnel/olist_marketing_qualified_leads_dataset.csv' WITH (FORMAT csv, HEADER)
\copy closed_deal FROM 'olist_funnel/olist_closed_deals_dataset.csv' WITH (FORMAT csv, HEADER)
\set headline `cat olist_funnel/expected/headline.json`
CREATE TABLE headline AS SELECT :'headline'::jsonb AS h;
CREATE TABLE published (origin text, leads bigint, won bigint, conversion float8);
\copy published FROM 'olist_funnel/expected/conversion_by_origin.csv' WITH (FORMAT csv, HEADER)

CREATE VIEW lead AS
SELECT COALESCE(origin, '(null)') AS origin, first_contact_date, won_date::date AS won_on, CASE WHEN won_date IS NOT NULL THEN 'won' END AS outcome
FROM qualified_lead
LEFT JOIN closed_deal USING (mql_id);

CREATE VIEW by_origin AS
SELECT origin, conversion_agg(outcome IS NOT NULL) AS s
FROM lead
GROUP BY origin;
SELECT set_eq(
	$$SELECT origin, entered_count(s), converted_count(s) FROM by_origin$$,
	$$SELECT origin, leads, won FROM published$$,
	'leads and wins by origin');
SELECT is_empty(
	$$SELECT origin, conversion_rate(s), conversion
	  FROM by_origin
	  JOIN published USING (origin)
	  WHERE (abs(conversion_rate(s) / conversion - 1) < 1e-12) IS NOT TRUE$$,
	'conversion by origin');
SELECT is_empty(
	$$SELECT origin FROM by_origin WHERE NOT (conversion_rate_low(s) < conversion_rate(s) AND conversion_rate(s) < conversion_rate_high(s))$$,
	'each within its limits');
CREATE TABLE overall AS SELECT rollup(s) AS s FROM by_origin;
SELECT is(entered_count(s), (h ->> 'leads')::bigint, 'leads') FROM overall, headline;
SELECT is(converted_count(s), (h ->> 'won')::bigint, 'wins') FROM overall, headline;
SELECT is(conversion_rate(s), (h ->> 'conversion')::float8, 'conversion') FROM overall, headline;

-- as it is: the one win before its first contact is counted as invalid, and has no days
CREATE TABLE flagged AS SELECT deal_agg(NULL, outcome, first_contact_date, won_on) AS s FROM lead;
SELECT is(invalid_count(s), (h ->> 'negative_durations')::bigint, 'a win before its first contact is invalid') FROM flagged, headline;
SELECT is(won_count(s), 842::bigint, 'but won') FROM flagged;
SELECT is(cycle_count(s), 841::bigint, 'and has no cycle') FROM flagged;
SELECT is((SELECT won FROM cycle_curve(s) WHERE day = 0), (h ->> 'zero_durations')::bigint, 'wins on the day of the first contact are valid') FROM flagged, headline;

-- clamped, as the published estimate has it
CREATE TABLE clamped AS SELECT cycle_agg(outcome, first_contact_date, GREATEST(won_on, first_contact_date)) AS s FROM lead;
SELECT is(invalid_count(s), 0::bigint, 'clamped to 0 days it is valid') FROM clamped;
SELECT near((SELECT survival FROM cycle_curve(s) WHERE day <= 30 ORDER BY day DESC LIMIT 1), (h ->> 'km_surv_30')::float8, 'S(30)') FROM clamped, headline;
SELECT near((SELECT survival FROM cycle_curve(s) WHERE day <= 90 ORDER BY day DESC LIMIT 1), (h ->> 'km_surv_90')::float8, 'S(90)') FROM clamped, headline;
SELECT is(cycle_km_median(s), (h ->> 'km_median')::float8, 'no median: most leads are never won') FROM clamped, headline;

-- the published mean counts it with its -2 days
SELECT near((cycle_average(s) * cycle_count(s) - 2) / (cycle_count(s) + 1), (h ->> 'days_to_won_mean')::float8, 'mean days to win') FROM flagged, headline;
SELECT is(cycle_median(s), (h ->> 'days_to_won_median')::float8, 'median days to win') FROM clamped, headline;
SELECT near(cycle_percentile(s, 0.9), (h ->> 'days_to_won_p90_t7')::float8, '90 % of the wins took no longer') FROM clamped, headline;
\else
SELECT skip('SALES_PERF_DATA is not set', 17);
\endif
SELECT * FROM finish();
