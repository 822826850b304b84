-- lead_conversion: against plain SQL written independently, as of earlier days, maturity, faults, and the Olist
-- marketing funnel as leads.
SELECT plan(30);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 4000, 7) \gset
-- some of nobody, a rep without leads, some lost and converted
INSERT INTO rep (rep_id, name, team_id) VALUES ('R999', 'Nobody''s Friend', NULL);
UPDATE lead SET rep_id = NULL WHERE lead_id IN (SELECT lead_id FROM lead ORDER BY lead_id LIMIT 40);
UPDATE lead SET converted_on = lost_on WHERE lead_id IN (SELECT lead_id FROM lead WHERE lost_on IS NOT NULL ORDER BY lead_id DESC LIMIT 5);

-- Each lead once in each grain and level; then plain counts.
CREATE FUNCTION pg_temp.plain(as_of date)
    RETURNS TABLE (level text, grain text, period_start date, source text, rep_id text, lead_count bigint, converted_count bigint,
                   lost_count bigint, open_count bigint, conversion_median_days double precision)
    LANGUAGE sql
AS $$
    SELECT k.level, g.grain, date_trunc(g.grain, l.created_on)::date, k.source, k.rep_id, count(*),
           count(*) FILTER (WHERE l.converted_on <= as_of),
           count(*) FILTER (WHERE l.lost_on <= as_of AND (l.converted_on <= as_of) IS NOT TRUE),
           count(*) FILTER (WHERE (l.lost_on <= as_of) IS NOT TRUE AND (l.converted_on <= as_of) IS NOT TRUE),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY l.converted_on - l.created_on) FILTER (WHERE l.converted_on <= as_of AND l.converted_on >= l.created_on)
      FROM sales.lead l
     CROSS JOIN (VALUES ('month'), ('quarter'), ('year')) AS g (grain)
     CROSS JOIN LATERAL (VALUES ('company', NULL, NULL),
                                ('source', coalesce(l.source, '(no source)'), NULL),
                                ('rep', NULL, coalesce(l.rep_id, '-')),
                                ('source and rep', coalesce(l.source, '(no source)'), coalesce(l.rep_id, '-'))) AS k (level, source, rep_id)
     WHERE l.created_on <= as_of
     GROUP BY 1, 2, 3, 4, 5
$$;
CREATE TEMP VIEW shown AS
SELECT level, grain, period_start, source, CASE WHEN level IN ('rep', 'source and rep') THEN coalesce(rep_id, '-') END AS rep_id,
       lead_count, converted_count, lost_count, open_count, conversion_median_days
  FROM lead_conversion
 WHERE lead_count > 0;

SELECT set_eq('TABLE shown', $$SELECT * FROM pg_temp.plain('2025-05-15')$$, 'counts and medians at each level, grain and period are those of plain SQL');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'which are many') FROM shown;
SELECT is_empty(
    $$SELECT FROM lead_conversion
      WHERE lead_conversion_rate IS DISTINCT FROM CASE WHEN lead_count > 0 THEN converted_count / lead_count::double precision END
         OR NOT (lead_conversion_rate_low <= lead_conversion_rate AND lead_conversion_rate <= lead_conversion_rate_high)
         OR (lead_count = 0) <> (lead_conversion_rate_low IS NULL)
         OR lead_count <> converted_count + lost_count + open_count$$,
    'the rate is converted / created, within its limits');
-- Wilson's interval, by its formula
SELECT is_empty(
    $$SELECT lead_conversion_rate_low, formula.low
        FROM lead_conversion
       CROSS JOIN LATERAL (SELECT 1.959963984540054 AS z, lead_count::double precision AS n, lead_conversion_rate AS p) AS x
       CROSS JOIN LATERAL (SELECT (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS low) AS formula
       WHERE level = 'source' AND lead_count > 0
         AND abs(lead_conversion_rate_low - greatest(0, formula.low)) > 1e-9$$,
    'which are Wilson''s');
SELECT set_eq($$SELECT DISTINCT grain, period_start FROM lead_conversion WHERE level = 'company'$$, 'SELECT grain, period_start FROM period', 'the company stands in every period');
SELECT is(count(*), (SELECT count(*) FROM period) * ((SELECT count(*) FROM rep) + 1), 'and so does every rep, and nobody') FROM lead_conversion WHERE level = 'rep';
SELECT results_eq(
    $$SELECT lead_count, converted_count, lost_count, open_count, lead_conversion_rate, conversion_median_days, converted_in_30_days_rate FROM lead_conversion WHERE rep_id = 'R999' AND grain = 'year' AND period_label = '2024'$$,
    $$VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::double precision, NULL::double precision, NULL::double precision)$$,
    'a rep without leads: counts are 0, rates NULL');
SELECT is(rep_name, '(no rep)', 'leads of nobody have a row') FROM lead_conversion WHERE level = 'rep' AND rep_id IS NULL AND grain = 'year' AND period_label = '2022';
SELECT set_eq(
    $$SELECT c.level, period_start, sum(lead_count) AS n, sum(converted_count) AS k FROM lead_conversion c WHERE level <> 'company' AND grain = 'quarter' GROUP BY 1, 2$$,
    $$SELECT l.level, period_start, lead_count::numeric AS n, converted_count::numeric AS k FROM lead_conversion c CROSS JOIN (VALUES ('source'), ('rep'), ('source and rep')) AS l (level) WHERE c.level = 'company' AND grain = 'quarter'$$,
    'sources add up to the company, and so do reps');
SELECT is(min(team_name), (SELECT t.name FROM rep r JOIN team t USING (team_id) WHERE rep_id = 'R003'), 'a rep''s team stands beside') FROM lead_conversion WHERE rep_id = 'R003';

-- ---------------------------------------------------------------- maturity

SELECT is(min(conversion_p90_days), (SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY converted_on - created_on) FROM lead WHERE converted_on >= created_on), 'the p90 is that of all converted leads') FROM lead_conversion;
SELECT is(count(DISTINCT conversion_p90_days), 1::bigint, 'the same everywhere') FROM lead_conversion;
SELECT is_empty(
    $$SELECT FROM lead_conversion WHERE is_mature IS DISTINCT FROM (period_end + ceil(conversion_p90_days)::integer <= '2025-05-15')$$,
    'a cohort is mature when its last day is as old');
SELECT is_empty($$SELECT FROM lead_conversion WHERE is_mature AND NOT is_complete$$, 'and its period over');
SELECT cmp_ok(count(*), '>', 1::bigint, 'there are complete periods which are not mature') FROM lead_conversion WHERE level = 'company' AND is_complete AND NOT is_mature;

-- ---------------------------------------------------------------- by age

SELECT is_empty(
    $$SELECT period_start, converted_in_30_days_rate, plain.rate
        FROM lead_conversion c
        LEFT JOIN (SELECT date_trunc('quarter', created_on)::date AS period_start,
                          count(*) FILTER (WHERE converted_on - created_on BETWEEN 0 AND 30)::double precision / count(*) FILTER (WHERE (coalesce(converted_on, lost_on) < created_on) IS NOT TRUE) AS rate
                     FROM lead WHERE created_on <= '2025-04-15' GROUP BY 1) AS plain USING (period_start)
       WHERE level = 'company' AND grain = 'quarter' AND period_end <= '2025-04-15'
         AND (abs(converted_in_30_days_rate - plain.rate) < 1e-9) IS NOT TRUE$$,
    'where every lead is as old, converted within 30 days is a plain share');
SELECT is_empty(
    $$SELECT FROM lead_conversion WHERE level = 'company' AND (converted_in_90_days_rate IS NULL) <> (period_start + (period_end - period_start) / 2 + 90 > '2025-05-15' OR lead_count = 0)$$,
    'it is NULL of cohorts that few leads can be as old in');
SELECT is_empty($$SELECT FROM lead_conversion WHERE converted_in_30_days_rate > converted_in_90_days_rate$$, 'and grows with age');

-- ---------------------------------------------------------------- as of

SET sales_perf.as_of = '2024-03-31';
SELECT set_eq('TABLE shown', $$SELECT * FROM pg_temp.plain('2024-03-31')$$, 'as of an earlier day: what ended later is open, what came later is not there');
SELECT is(min(conversion_p90_days), (SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY converted_on - created_on) FROM lead WHERE converted_on >= created_on AND converted_on <= '2024-03-31'), 'the p90, too, is that of what was known') FROM lead_conversion;

-- ---------------------------------------------------------------- a filter reaches the scan

SET sales_perf.as_of = '2025-05-15';
\ir fixture/rows_read.sql
SELECT cmp_ok(pg_temp.rows_read('lead', $$SELECT lead_count, lead_conversion_rate FROM lead_conversion WHERE level = 'company' AND grain = 'month' AND period_start = '2024-10-01'$$),
              '<=', (SELECT count(*) + 10 FROM lead WHERE created_on BETWEEN '2024-10-01' AND '2024-10-31'), 'one period');
SELECT cmp_ok(pg_temp.rows_read('lead', $$SELECT source, lead_count FROM lead_conversion WHERE level = 'source and rep' AND grain = 'month' AND period_label = '2024-10' AND rep_id = 'R003'$$),
              '<=', (SELECT count(*) + 10 FROM lead WHERE created_on BETWEEN '2024-10-01' AND '2024-10-31' AND rep_id = 'R003'), 'one period and one rep');

-- ---------------------------------------------------------------- nothing at all

SELECT sales_perf.create_mart('empty') \gset
SELECT results_eq(
    $$SELECT level, lead_count, lead_conversion_rate, conversion_p90_days, is_mature FROM empty.lead_conversion WHERE grain = 'year'$$,
    $$VALUES ('company', 0::bigint, NULL::double precision, NULL::double precision, false)$$,
    'without leads there is the company with none');

-- ---------------------------------------------------------------- Olist's marketing qualified leads

SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TEMP TABLE qualified_lead (mql_id text PRIMARY KEY, first_contact_date date, landing_page_id text, origin text);
CREATE TEMP TABLE closed_deal (mql_id text PRIMARY KEY, seller_id text, sdr_id text, sr_id text, won_date timestamp, business_segment text, lead_type text,
    lead_behaviour_profile text, has_company text, has_gtin text, average_stock text, business_type text, declared_product_catalog_size numeric, declared_monthly_revenue numeric);
CREATE TEMP TABLE published (origin text, leads bigint, won bigint, conversion float8);
\copy qualified_lead FROM 'olist_funnel/olist_marketing_qualified_leads_dataset.csv' WITH (FORMAT csv, HEADER)
\copy closed_deal FROM 'olist_funnel/olist_closed_deals_dataset.csv' WITH (FORMAT csv, HEADER)
\copy published FROM 'olist_funnel/expected/conversion_by_origin.csv' WITH (FORMAT csv, HEADER)
SELECT sales_perf.create_mart('olist') \gset
SET search_path = olist, public;
SET sales_perf.as_of = '2018-11-14';
INSERT INTO rep (rep_id, name) SELECT DISTINCT sr_id, 'Rep ' || sr_id FROM closed_deal;
INSERT INTO lead (lead_id, rep_id, source, created_on, converted_on)
SELECT mql_id, sr_id, origin, first_contact_date, won_date::date FROM qualified_lead LEFT JOIN closed_deal USING (mql_id);
SELECT results_eq($$SELECT sum(lead_count), sum(converted_count) FROM lead_conversion WHERE level = 'company' AND grain = 'year'$$, 'VALUES (8000::numeric, 842::numeric)', 'Olist: 8000 leads, 842 converted');
SELECT set_eq(
    $$SELECT source, sum(lead_count) AS n, sum(converted_count) AS k FROM lead_conversion WHERE level = 'source' AND grain = 'month' GROUP BY 1$$,
    $$SELECT CASE origin WHEN '(null)' THEN '(no source)' ELSE origin END, leads::numeric, won::numeric FROM published$$,
    'by origin');
SELECT is_empty(
    $$SELECT origin, conversion, rate
        FROM published
        JOIN (SELECT source, sum(converted_count)::double precision / sum(lead_count)::double precision AS rate
                FROM lead_conversion WHERE level = 'source' AND grain = 'year' GROUP BY 1) AS of_source ON source = CASE origin WHEN '(null)' THEN '(no source)' ELSE origin END
       WHERE (abs(rate / conversion - 1) < 1e-12) IS NOT TRUE$$,
    'with the published rates');
SELECT is(count(DISTINCT rep_id), (SELECT count(DISTINCT sr_id) FROM closed_deal), 'by the reps who won them') FROM lead_conversion WHERE level = 'rep' AND converted_count > 0;
SELECT is(max(conversion_p90_days), (SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY won_date::date - first_contact_date) FROM qualified_lead JOIN closed_deal USING (mql_id) WHERE won_date::date >= first_contact_date), 'p90 of the days to win') FROM lead_conversion;
SELECT results_eq($$SELECT period_label, is_mature FROM lead_conversion WHERE level = 'company' AND grain = 'month' AND period_start >= '2018-04-01' ORDER BY period_start$$,
                  $$SELECT label, (last_day::date + (SELECT conversion_p90_days FROM lead_conversion LIMIT 1)::integer) <= '2018-11-14'
                      FROM (VALUES ('2018-04', '2018-04-30'), ('2018-05', '2018-05-31'), ('2018-06', '2018-06-30'), ('2018-07', '2018-07-31'), ('2018-08', '2018-08-31'),
                                   ('2018-09', '2018-09-30'), ('2018-10', '2018-10-31'), ('2018-11', '2018-11-30')) AS m (label, last_day)$$,
                  'and the cohorts that are old enough');
SELECT results_eq($$SELECT entity_id FROM data_quality WHERE check_code = 'lead_ended_before_created'$$, $$SELECT mql_id FROM qualified_lead JOIN closed_deal USING (mql_id) WHERE won_date::date < first_contact_date$$, 'the one win before its first contact is listed');
\else
SELECT skip('SALES_PERF_DATA is not set', 7);
\endif

SELECT * FROM finish();
