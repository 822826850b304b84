-- kpi_long: the same figures as in the scorecards, sales_growth, retention and lead_conversion, wherever both have them; filters that
-- reach the scan; what is not asked for is not fetched.
SELECT plan(35);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-06-20';
SELECT sales_perf.generate_demo('sales', 3000, 5) \gset
SET max_parallel_workers_per_gather = 0;
SET random_page_cost = 1.1;   -- the tables are in memory
-- whatever the demo has of these
DELETE FROM deal_credit;
DELETE FROM team_membership;
DELETE FROM fx_rate;
DELETE FROM mart_setting;
UPDATE deal SET currency = NULL WHERE currency IS NOT NULL;
DELETE FROM deal_change WHERE changed_at >= '2025-06-21';
ANALYZE;

-- ---------------------------------------------------------------- customers

CREATE TEMP TABLE long AS SELECT * FROM kpi_long WHERE grain <> 'month' OR period_start >= '2025-01-01';
CREATE TEMP VIEW retention_difference AS
SELECT l.level, l.entity_id, l.grain, l.period_label, l.kpi_code, l.value, l.numerator, l.denominator, r.*
  FROM (SELECT level AS of_level, CASE level WHEN 'team' THEN team_id WHEN 'rep' THEN rep_id END AS of_entity, grain AS of_grain, period_start AS of_start,
               starting_count, retained_count, churned_count, active_count, customer_retention_rate, churn_rate,
               starting_amount, kept_amount, current_amount, gross_revenue_retention, net_revenue_retention
          FROM retention WHERE level <> 'segment') AS r
  JOIN long l ON l.level = r.of_level AND coalesce(l.entity_id, '-') = coalesce(r.of_entity, '-') AND l.grain = r.of_grain AND l.period_start = r.of_start
 WHERE l.kpi_code = 'active_customer_count' AND l.value <> r.active_count
    OR l.kpi_code = 'customer_retention_rate' AND ((l.numerator, l.denominator) IS DISTINCT FROM (retained_count::numeric, starting_count::numeric) OR abs(l.value - r.customer_retention_rate::numeric) > 1e-12)
    OR l.kpi_code = 'churn_rate' AND ((l.numerator, l.denominator) IS DISTINCT FROM (churned_count::numeric, starting_count::numeric) OR abs(l.value - r.churn_rate::numeric) > 1e-12)
    OR l.kpi_code = 'gross_revenue_retention' AND ((l.numerator, l.denominator) IS DISTINCT FROM (kept_amount, starting_amount) OR abs(l.value - r.gross_revenue_retention::numeric) > 1e-12 OR (l.value IS NULL) <> (r.gross_revenue_retention IS NULL))
    OR l.kpi_code = 'net_revenue_retention' AND ((l.numerator, l.denominator) IS DISTINCT FROM (current_amount, starting_amount) OR abs(l.value - r.net_revenue_retention::numeric) > 1e-12 OR (l.value IS NULL) <> (r.net_revenue_retention IS NULL));
SELECT isnt_empty('SELECT FROM long JOIN retention USING (level, grain, period_start)', 'there is retention');
SELECT is_empty('TABLE retention_difference', 'customers are those of retention, from won deals');

-- sales with terms, refunds, gaps and faults
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, covers_from, covers_to)
SELECT 's' || n,
       CASE WHEN draw[1] % 30 > 0 THEN 'A' || to_char(1 + draw[2] % 60, 'FM000000') END,
       CASE WHEN draw[3] % 9 > 0 THEN 'R' || to_char(1 + draw[3] % 8, 'FM000') END,
       sold_on,
       CASE WHEN draw[5] % 25 = 0 THEN NULL WHEN draw[5] % 6 = 0 THEN -(draw[6] % 90000) / 100.0 ELSE (draw[6] % 90000) / 100.0 END,
       CASE draw[7] % 12 WHEN 0 THEN sold_on WHEN 1 THEN sold_on + 10 WHEN 2 THEN sold_on WHEN 3 THEN NULL WHEN 4 THEN sold_on WHEN 5 THEN sold_on WHEN 6 THEN 'infinity' WHEN 7 THEN sold_on END,
       CASE draw[7] % 12 WHEN 0 THEN sold_on + 364 WHEN 1 THEN sold_on + 40 WHEN 2 THEN sold_on - 5 WHEN 3 THEN sold_on + 100 WHEN 4 THEN 'infinity' WHEN 5 THEN sold_on + 90000 WHEN 6 THEN sold_on + 30 WHEN 7 THEN '-infinity' END
  FROM (SELECT n, draw, date '2023-02-15' + draw[4] % 960 AS sold_on
          FROM generate_series(1, 900) AS n
         CROSS JOIN LATERAL (SELECT array_agg((hashint8extended(n, k) & 1048575)::integer ORDER BY k) AS draw FROM generate_series(1, 7) AS k) AS drawn) AS s;
ANALYZE sale;
TRUNCATE long;
INSERT INTO long
SELECT * FROM kpi_long
 WHERE (grain <> 'month' OR period_start >= '2024-07-01')
   AND kpi_code IN ('active_customer_count', 'customer_retention_rate', 'churn_rate', 'gross_revenue_retention', 'net_revenue_retention', 'sales_amount', 'sale_count');
SELECT isnt_empty($$SELECT FROM long WHERE kpi_code = 'gross_revenue_retention' AND value > 0 AND value < 1$$, 'there is retention of sales');
SELECT is_empty('TABLE retention_difference', 'customers are those of retention, from sales with terms, refunds and faults');
SELECT is_empty(
    $$SELECT l.level, l.entity_id, l.period_label, l.value, s.sales_amount
        FROM sales_growth s
        JOIN long l ON l.level = s.level AND l.grain = s.grain AND l.period_start = s.period_start
                   AND coalesce(l.entity_id, '-') = coalesce(CASE s.level WHEN 'team' THEN s.team_id WHEN 'rep' THEN s.rep_id END, '-')
       WHERE l.kpi_code = 'sales_amount' AND l.value <> s.sales_amount$$,
    'sales are those of sales_growth, from sales');
TRUNCATE sale;

-- ---------------------------------------------------------------- two currencies, splits, a move

SELECT set_reporting_currency('EUR') \gset
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('USD', '2023-01-01', 0.9), ('USD', '2025-03-01', 0.85);
UPDATE deal SET currency = 'USD' WHERE (hashint8extended(substr(deal_id, 2)::integer, 2) & 1023) % 3 = 0;
UPDATE deal SET currency = 'GBP' WHERE (hashint8extended(substr(deal_id, 2)::integer, 2) & 1023) % 30 = 1;
DELETE FROM deal_change WHERE changed_at >= '2025-06-21';
BEGIN;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay)
SELECT deal_id, c.rep_id, c.share, c.is_overlay
  FROM deal
 CROSS JOIN (VALUES ('R003', 0.3, false), ('R005', 0.7, false), ('R006', 0.25, true)) AS c (rep_id, share, is_overlay)
 WHERE (hashint8extended(substr(deal_id, 2)::integer, 4) & 1023) % 10 = 0;
COMMIT;
SELECT move_rep('R001', (SELECT min(team_id) FROM team WHERE team_id <> (SELECT team_id FROM rep WHERE rep_id = 'R001') AND parent_team_id IS NOT NULL), '2025-03-10') \gset
ANALYZE;

-- ---------------------------------------------------------------- the scorecards

TRUNCATE long;
INSERT INTO long SELECT * FROM kpi_long WHERE grain <> 'month' OR period_start >= '2025-01-01';
CREATE TEMP TABLE card AS
SELECT 'company' AS level, NULL::text AS entity_id, grain, period_start, to_jsonb(c) AS figures FROM company_scorecard c
UNION ALL
SELECT 'team', team_id, grain, period_start, to_jsonb(c) FROM team_scorecard c
UNION ALL
SELECT 'rep', rep_id, grain, period_start, to_jsonb(c) FROM rep_scorecard c;

SELECT set_eq(
    $$SELECT DISTINCT attname FROM pg_attribute JOIN kpi ON code = attname WHERE attrelid = 'company_scorecard'::regclass AND shown_in = 'kpi_long'$$,
    $$VALUES ('won_count'::name), ('lost_count'), ('closed_count'), ('win_rate'), ('win_rate_amount'), ('bookings_amount'), ('overlay_amount'), ('sales_growth'), ('lost_amount'),
             ('average_deal_amount'), ('median_deal_amount'), ('p90_deal_amount'), ('cycle_average_days'), ('cycle_median_days'), ('cycle_p90_days'),
             ('created_count'), ('created_won_count'), ('created_win_rate'), ('pipeline_created_amount'), ('cycle_km_median_days'), ('open_count'), ('pipeline_amount')$$,
    'twenty-two KPIs stand in the scorecards too');
SELECT is_empty(
    $$SELECT l.level, l.entity_id, l.grain, l.period_start, l.kpi_code, l.value, c.figures ->> l.kpi_code
        FROM long l
        JOIN card c ON c.level = l.level AND coalesce(c.entity_id, '-') = coalesce(l.entity_id, '-') AND c.grain = l.grain AND c.period_start = l.period_start
       WHERE c.figures ? l.kpi_code
         AND ((l.value IS NULL) <> (c.figures ->> l.kpi_code IS NULL)
              OR abs(l.value - (c.figures ->> l.kpi_code)::numeric) > 1e-12 * abs(l.value) + 1e-12)$$,
    'and are the same there, for everybody in every period');
SELECT is(
    (SELECT count(*) FROM long l WHERE kpi_code = ANY (ARRAY['win_rate', 'bookings_amount', 'created_count'])),
    (SELECT 3 * count(*) FROM card WHERE grain <> 'month' OR period_start >= '2025-01-01'),
    'both have a row for everybody in every period');
SELECT is_empty(
    $$SELECT l.level, l.entity_id, l.grain, l.period_start, l.kpi_code, l.numerator, l.denominator, c.figures
        FROM long l
        JOIN card c ON c.level = l.level AND coalesce(c.entity_id, '-') = coalesce(l.entity_id, '-') AND c.grain = l.grain AND c.period_start = l.period_start
       WHERE l.kpi_code = 'win_rate' AND (l.numerator, l.denominator, l.sample_count) IS DISTINCT FROM ((c.figures ->> 'won_count')::numeric, (c.figures ->> 'closed_count')::numeric, (c.figures ->> 'closed_count')::bigint)
          OR l.kpi_code = 'created_win_rate' AND (l.numerator, l.denominator) IS DISTINCT FROM ((c.figures ->> 'created_won_count')::numeric, (c.figures ->> 'created_count')::numeric)
          OR l.kpi_code = 'cycle_average_days' AND l.sample_count <> (c.figures ->> 'cycle_count')::bigint
          OR l.kpi_code = 'sales_growth' AND (l.numerator, l.denominator) IS DISTINCT FROM ((c.figures ->> 'bookings_amount')::numeric - (c.figures ->> 'prior_bookings_amount')::numeric, (c.figures ->> 'prior_bookings_amount')::numeric)
          OR l.kpi_code = 'bookings_amount' AND (l.prior_value, l.growth_rate) IS DISTINCT FROM ((c.figures ->> 'prior_bookings_amount')::numeric, (c.figures ->> 'sales_growth')::numeric)$$,
    'so are numerators, denominators, n, the value before and growth');
SELECT is_empty(
    $$SELECT l.level, l.entity_id, l.grain, l.period_start, l.kpi_code, l.prior_value, b.value
        FROM long l
        JOIN period p ON p.grain = l.grain AND p.period_start = l.period_start
        JOIN long b ON b.level = l.level AND coalesce(b.entity_id, '-') = coalesce(l.entity_id, '-') AND b.grain = l.grain AND b.kpi_code = l.kpi_code AND b.period_start = p.prior_start
       WHERE l.prior_value IS DISTINCT FROM b.value$$,
    'the value before is that of the period before, of every KPI');
SELECT is_empty(
    $$SELECT * FROM long WHERE growth_rate IS DISTINCT FROM CASE WHEN prior_value > 0 THEN (value - prior_value) / prior_value END$$,
    'growth is over the value before, NULL where that is not above 0');
SELECT is_empty(
    $$SELECT l.* FROM long l JOIN kpi k ON k.code = l.kpi_code
       WHERE is_small_sample <> (sample_count < minimum_sample) OR l.kpi_name <> k.name OR l.unit <> k.unit OR l.direction <> k.direction$$,
    'name, unit, direction and minimum sample are the registry''s');
SELECT isnt_empty($$SELECT FROM long WHERE is_small_sample AND value IS NOT NULL$$, 'small samples are shown and flagged');
SELECT is_empty(
    $$SELECT l.* FROM long l LEFT JOIN team t ON t.team_id = l.entity_id LEFT JOIN rep r ON r.rep_id = l.entity_id
       WHERE l.entity_name IS DISTINCT FROM CASE l.level WHEN 'company' THEN 'company' WHEN 'team' THEN t.name ELSE coalesce(r.name, '(no rep)') END$$,
    'everybody has his name');
SELECT is_empty(
    $$SELECT grain, period_start, level, entity_id, kpi_code FROM long GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1$$,
    'a figure stands once');

-- as of an earlier day, with what was changed since
SET sales_perf.as_of = '2024-08-20';
CREATE TEMP TABLE difference_then AS
SELECT l.level, l.entity_id, l.kpi_code, l.value, c.figures ->> l.kpi_code AS of_card
  FROM kpi_long l
  JOIN (SELECT 'company' AS level, NULL::text AS entity_id, to_jsonb(c) AS figures FROM company_scorecard c WHERE grain = 'quarter' AND period_label = '2024-Q3'
        UNION ALL
        SELECT 'team', team_id, to_jsonb(c) FROM team_scorecard c WHERE grain = 'quarter' AND period_label = '2024-Q3'
        UNION ALL
        SELECT 'rep', rep_id, to_jsonb(c) FROM rep_scorecard c WHERE grain = 'quarter' AND period_label = '2024-Q3') AS c ON c.level = l.level AND coalesce(c.entity_id, '-') = coalesce(l.entity_id, '-')
 WHERE l.grain = 'quarter' AND l.period_label = '2024-Q3' AND c.figures ? l.kpi_code;
SELECT cmp_ok(count(*), '>', 200::bigint, 'there are figures of an earlier day') FROM difference_then;
SELECT is_empty(
    $$SELECT * FROM difference_then WHERE (value IS NULL) <> (of_card IS NULL) OR abs(value - of_card::numeric) > 1e-12 * abs(value) + 1e-12$$,
    'and they are the scorecards'' of that day');
SET sales_perf.as_of = '2025-06-20';

-- ---------------------------------------------------------------- other views that have them

SELECT is_empty(
    $$SELECT l.level, l.entity_id, l.period_label, l.value, s.sales_amount
        FROM sales_growth s
        JOIN long l ON l.level = s.level AND l.grain = s.grain AND l.period_start = s.period_start
                   AND coalesce(l.entity_id, '-') = coalesce(CASE s.level WHEN 'team' THEN s.team_id WHEN 'rep' THEN s.rep_id END, '-')
       WHERE l.kpi_code = 'sales_amount' AND (l.value <> s.sales_amount OR l.prior_value <> s.prior_amount OR l.growth_rate IS DISTINCT FROM s.sales_growth)
          OR l.kpi_code = 'sale_count' AND l.value <> s.sale_count$$,
    'sales are those of sales_growth');
SELECT is_empty(
    $$SELECT l.level, l.entity_id, l.period_label, l.kpi_code, l.value, c.lead_count, c.converted_count
        FROM lead_conversion c
        JOIN long l ON l.level = c.level AND l.grain = c.grain AND l.period_start = c.period_start AND coalesce(l.entity_id, '-') = coalesce(c.rep_id, '-')
       WHERE c.level IN ('company', 'rep')
         AND (l.kpi_code = 'lead_count' AND l.value <> c.lead_count
              OR l.kpi_code = 'lead_converted_count' AND l.value <> c.converted_count
              OR l.kpi_code = 'lead_conversion_rate' AND abs(l.value - c.lead_conversion_rate::numeric) > 1e-12
              OR l.kpi_code = 'lead_conversion_median_days' AND l.value IS DISTINCT FROM c.conversion_median_days::numeric)$$,
    'leads are those of lead_conversion');

-- ---------------------------------------------------------------- filters reach the scan

\ir fixture/rows_read.sql
\ir fixture/plan.sql
CREATE FUNCTION pg_temp.closed_in(first_day date, last_day date, of_rep text DEFAULT NULL) RETURNS bigint
    LANGUAGE sql
    RETURN (SELECT count(*) FROM sales.deal WHERE closed_on BETWEEN first_day AND last_day AND (of_rep IS NULL OR rep_id = of_rep));

-- A quarter and the one before it, as the value before is read too.
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'company' AND kpi_code = 'win_rate'$$),
              '<=', pg_temp.closed_in('2023-10-01', '2024-03-31') * 11 / 10 + 50, 'company: one period and one KPI');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_label = '2024-Q1' AND level = 'company' AND kpi_code = 'win_rate'$$),
              '<=', pg_temp.closed_in('2023-10-01', '2024-03-31') * 11 / 10 + 50, 'company: a period by its label');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start IN ('2024-01-01', '2024-07-01') AND level = 'rep' AND kpi_code IN ('win_rate', 'won_count', 'cycle_median_days')$$),
              '<=', (pg_temp.closed_in('2023-10-01', '2024-03-31') + pg_temp.closed_in('2024-04-01', '2024-09-30')) * 12 / 10 + 50, 'reps: some periods and some KPIs of one family');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start >= '2024-01-01' AND period_start < '2024-07-01' AND level = 'team' AND kpi_code = 'win_rate'$$),
              '<=', (pg_temp.closed_in('2023-10-01', '2024-03-31') + pg_temp.closed_in('2024-01-01', '2024-06-30')) * 12 / 10 + 50, 'teams: a range of periods');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'rep' AND entity_id = 'R004' AND kpi_code = 'win_rate'$$),
              '<=', pg_temp.closed_in('2023-10-01', '2024-03-31', 'R004') * 12 / 10 + 20, 'reps: one period, one rep, one KPI');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'month' AND level = 'rep' AND entity_id = 'R004' AND kpi_code IN ('win_rate', 'created_count')$$),
              '<=', (SELECT 5 * count(*) + 200 FROM deal WHERE rep_id = 'R004'), 'reps: one rep, all months');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'rep' AND entity_id = 'R004' AND kpi_code <> 'new_customer_count'$$),
              '<=', (SELECT 2 * count(*) + 100 FROM deal WHERE rep_id = 'R004'), 'reps: one period, one rep, all KPIs');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'company' AND kpi_code = 'lead_count'$$),
              '<=', 20::bigint, 'leads do not cost deals');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'company' AND kpi_code = 'pipeline_amount'$$),
              '<=', (SELECT count(*) + 20 FROM deal WHERE outcome = 'open'), 'a snapshot costs the open deals at most');
SELECT cmp_ok(pg_temp.rows_read('lead', $$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'company' AND kpi_code = 'win_rate'$$),
              '<=', 20::bigint, 'deals do not cost leads');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_between('2024-01-01', '2024-03-31') WHERE level = 'rep' AND entity_id = 'R004' AND kpi_code = 'win_rate'$$),
              '<=', pg_temp.closed_in('2024-01-01', '2024-03-31', 'R004') * 12 / 10 + 20, 'kpi_between: one rep, one KPI');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_between('2024-01-01', '2024-03-31') WHERE kpi_code = 'win_rate' AND level = 'team'$$),
              '<=', pg_temp.closed_in('2024-01-01', '2024-03-31') * 12 / 10 + 20, 'kpi_between: teams, one KPI');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM kpi_between('2024-01-01', '2024-03-31') WHERE kpi_code = 'bookings_amount' AND level = 'rep' AND entity_id = 'R004'$$),
              '<=', pg_temp.closed_in('2024-01-01', '2024-03-31', 'R004') * 12 / 10 + 20 + (SELECT 3 * count(*) FROM deal_credit WHERE rep_id = 'R004'), 'kpi_between: bookings of one rep');

-- ---------------------------------------------------------------- estimates are no reason to compile

SELECT cmp_ok(pg_temp.estimated_cost($$SELECT * FROM kpi_long WHERE grain = 'quarter' AND level = 'rep' AND kpi_code = 'win_rate'$$), '<', 100000::numeric, 'kpi_long: estimated cost of one KPI');
SELECT cmp_ok(pg_temp.estimated_cost($$SELECT * FROM kpi_between('2024-01-01', '2024-03-31')$$), '<', 100000::numeric, 'kpi_between: estimated cost of everything');
SELECT cmp_ok(pg_temp.estimated_cost($$SELECT * FROM kpi_long WHERE grain = 'quarter' AND period_start = '2024-01-01' AND level = 'rep'$$), '<', 100000::numeric, 'kpi_long: estimated cost of a quarter');

SELECT * FROM finish();
