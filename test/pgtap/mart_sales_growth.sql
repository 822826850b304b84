-- sales_growth: every figure against plain SQL written independently, from won deals and from sales, to
-- date by hand, and how much is read for it.
SELECT plan(30);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 4000, 7) \gset
\ir fixture/plain_demo.sql
INSERT INTO rep (rep_id, name, team_id) VALUES ('R999', 'Nobody''s Friend', NULL);
UPDATE deal SET rep_id = NULL WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY deal_id LIMIT 3);
DELETE FROM deal_change WHERE changed_at >= '2025-05-16';

-- ---------------------------------------------------------------- without sales: the won deals

SELECT is(count(*), 0::bigint, 'the demo has no sales') FROM sale;
SELECT bag_eq('SELECT account_id, rep_id, product_id, sold_on, amount, currency FROM purchase',
              $$SELECT account_id, rep_id, product_id, closed_on, amount, currency FROM deal WHERE outcome = 'won' AND closed_on IS NOT NULL$$,
              'without sales the won deals are the purchases');
SELECT set_eq(
    $$SELECT grain, period_start, period_end, period_label, is_complete, sale_count, sales_amount, prior_amount, sales_growth FROM sales_growth WHERE level = 'company'$$,
    $$SELECT grain, period_start, period_end, period_label, is_complete, won_count, bookings_amount, prior_bookings_amount, sales_growth FROM company_scorecard$$,
    'and sales are the company''s bookings');
SELECT set_eq(
    $$SELECT grain, period_start, team_id, team_name, sale_count, sales_amount, prior_amount, sales_growth FROM sales_growth WHERE level = 'team'$$,
    $$SELECT grain, period_start, team_id, team_name, won_count, bookings_amount, prior_bookings_amount, sales_growth FROM team_scorecard$$,
    'each team''s');
SELECT set_eq(
    $$SELECT grain, period_start, rep_id, rep_name, team_id, team_name, sale_count, sales_amount, prior_amount, sales_growth FROM sales_growth WHERE level = 'rep'$$,
    $$SELECT grain, period_start, rep_id, rep_name, team_id, team_name, won_count, bookings_amount, prior_bookings_amount, sales_growth FROM rep_scorecard$$,
    'and each rep''s, nobody''s too');
SET sales_perf.as_of = '2024-02-29';
SELECT set_eq(
    $$SELECT grain, period_start, rep_id, sale_count, sales_amount, sales_growth FROM sales_growth WHERE level = 'rep'$$,
    $$SELECT grain, period_start, rep_id, won_count, bookings_amount, sales_growth FROM rep_scorecard$$,
    'also as of an earlier day');
SET sales_perf.as_of = '2025-05-15';

-- ---------------------------------------------------------------- with sales: nothing but the sales

INSERT INTO sale (sale_id, account_id, rep_id, product_id, sold_on, amount)
SELECT 'S' || n,
       'A' || to_char(1 + n * 7 % 300, 'FM000000'),
       CASE WHEN n % 97 > 0 THEN 'R' || to_char(1 + n * 13 % 16, 'FM000') END,
       'P' || 1 + n % 8,
       CASE WHEN n % 501 > 0 THEN date '2022-11-20' + n * 31 % 950 END,
       CASE WHEN n % 41 = 0 THEN NULL WHEN n % 17 = 0 OR n % 16 = 5 THEN -(n % 800) ELSE 10 + n * 37 % 5000 + (n % 100) / 100.0 END
  FROM generate_series(1, 6000) AS n;
ANALYZE sale;
SELECT cmp_ok(count(*), '>', 20::bigint, 'some are sold after as_of()') FROM sale WHERE sold_on > '2025-05-15';
SELECT cmp_ok(count(*), '>', 20::bigint, 'some by nobody') FROM sale WHERE rep_id IS NULL;
SELECT bag_eq('SELECT account_id, rep_id, product_id, sold_on, amount, currency, covers_from, covers_to FROM purchase',
              $$SELECT account_id, rep_id, product_id, sold_on, amount, currency, covers_from, covers_to FROM sale WHERE sold_on <= '2025-05-15'$$,
              'with sales these are the purchases, and no deal is');

CREATE TEMP TABLE plain AS
WITH step (grain, width) AS (
    VALUES ('month', interval '1 month'), ('quarter', '3 months'), ('year', '1 year')
),
span AS (
    SELECT grain, start::date AS period_start, (start + width)::date AS next_start,
           (start - width)::date AS prior_start, (start - interval '1 year')::date AS year_ago_start, (start - interval '1 year' + width)::date AS year_ago_next
      FROM step, generate_series(date_trunc(grain, timestamp '2022-05-16'), '2025-05-15', width) AS start
)
SELECT grain, period_start, s.rep_id,
       count(*) FILTER (WHERE sold_on >= period_start AND sold_on < next_start) AS sale_count,
       coalesce(sum(amount) FILTER (WHERE sold_on >= period_start AND sold_on < next_start), 0) AS sales_amount,
       coalesce(sum(amount) FILTER (WHERE sold_on >= prior_start AND sold_on < period_start), 0) AS prior_amount,
       coalesce(sum(amount) FILTER (WHERE sold_on >= year_ago_start AND sold_on < year_ago_next), 0) AS year_ago_amount
  FROM span
 CROSS JOIN (SELECT rep_id FROM rep UNION ALL SELECT NULL) AS s
  LEFT JOIN (SELECT * FROM sale WHERE sold_on <= '2025-05-15') AS sold ON sold.rep_id IS NOT DISTINCT FROM s.rep_id
 GROUP BY grain, period_start, next_start, prior_start, year_ago_start, year_ago_next, s.rep_id;

SELECT is(min(period_start), '2022-05-01'::date, 'the deals reach back further than the sales, and so do the periods') FROM sales_growth WHERE level = 'company' AND grain = 'month';
SELECT set_eq(
    $$SELECT grain, period_start, rep_id, sale_count, sales_amount, prior_amount, year_ago_amount FROM sales_growth WHERE level = 'rep'$$,
    'SELECT grain, period_start, rep_id, sale_count, sales_amount, prior_amount, year_ago_amount FROM plain',
    'reps: sales of the period, the one before and a year ago');
SELECT set_eq(
    $$SELECT grain, period_start, sale_count, sales_amount, prior_amount, year_ago_amount FROM sales_growth WHERE level = 'company'$$,
    'SELECT grain, period_start, sum(sale_count)::bigint AS n, sum(sales_amount) AS a, sum(prior_amount) AS b, sum(year_ago_amount) AS c FROM plain GROUP BY 1, 2',
    'the company');
SELECT set_eq(
    $$SELECT grain, period_start, team_id, sale_count, sales_amount, prior_amount, year_ago_amount FROM sales_growth WHERE level = 'team'$$,
    $$SELECT grain, period_start, team_id, sum(sale_count)::bigint AS n, sum(sales_amount) AS a, sum(prior_amount) AS b, sum(year_ago_amount) AS c
      FROM plain JOIN team_rep USING (rep_id) GROUP BY 1, 2, 3$$,
    'teams');
SELECT is_empty(
    $$SELECT g.level, g.grain, g.period_start
      FROM sales_growth g
      WHERE g.sales_growth IS DISTINCT FROM CASE WHEN prior_amount > 0 THEN (sales_amount - prior_amount) / prior_amount END
         OR g.year_growth_rate IS DISTINCT FROM CASE WHEN year_ago_amount > 0 THEN (sales_amount - year_ago_amount) / year_ago_amount END$$,
    'growth is over what was before, NULL where that is nothing or less');
SELECT cmp_ok(count(*), '>', 0::bigint, 'of which there are some') FROM sales_growth WHERE prior_amount < 0;

-- ---------------------------------------------------------------- to date

SELECT set_eq(
    $$SELECT DISTINCT grain, period_label, elapsed_business_days FROM sales_growth WHERE elapsed_business_days IS NOT NULL$$,
    $$VALUES ('month', '2025-05', 11::bigint), ('quarter', '2025-Q2', 33), ('year', '2025', 97)$$,
    'business days up to 15 May 2025: 11 of the month, 22 of April, 64 of the first quarter');
-- April's eleventh is the 15th, that of May 2024 the 15th; the quarter's 33rd the 14th of February 2025
SELECT results_eq(
    $$SELECT prior_to_date_amount, year_ago_to_date_amount FROM sales_growth WHERE level = 'company' AND period_label = '2025-05'$$,
    $$SELECT sum(amount) FILTER (WHERE sold_on BETWEEN '2025-04-01' AND '2025-04-15'), sum(amount) FILTER (WHERE sold_on BETWEEN '2024-05-01' AND '2024-05-15') FROM sale$$,
    'the month before, and May a year ago, up to their eleventh business day');
SELECT results_eq(
    $$SELECT prior_to_date_amount, year_ago_to_date_amount FROM sales_growth WHERE level = 'company' AND period_label = '2025-Q2'$$,
    $$SELECT sum(amount) FILTER (WHERE sold_on BETWEEN '2025-01-01' AND '2025-02-14'), sum(amount) FILTER (WHERE sold_on BETWEEN '2024-04-01' AND '2024-05-15') FROM sale$$,
    'the quarter before, and that a year ago, up to their 33rd');
SELECT results_eq(
    $$SELECT rep_id, prior_to_date_amount FROM sales_growth WHERE level = 'rep' AND period_label = '2025-Q2' ORDER BY 1$$,
    $$SELECT r.rep_id, coalesce(sum(amount), 0) FROM (SELECT rep_id FROM rep UNION ALL SELECT NULL) AS r
      LEFT JOIN sale s ON s.rep_id IS NOT DISTINCT FROM r.rep_id AND sold_on BETWEEN '2025-01-01' AND '2025-02-14' GROUP BY 1 ORDER BY 1$$,
    'of each rep');
SELECT is_empty(
    $$SELECT FROM sales_growth
      WHERE to_date_growth IS DISTINCT FROM CASE WHEN prior_to_date_amount > 0 THEN (sales_amount - prior_to_date_amount) / prior_to_date_amount END
         OR year_to_date_growth IS DISTINCT FROM CASE WHEN year_ago_to_date_amount > 0 THEN (sales_amount - year_ago_to_date_amount) / year_ago_to_date_amount END
         OR (elapsed_business_days IS NULL) <> (prior_to_date_amount IS NULL)
         OR (elapsed_business_days IS NULL) <> (year_ago_to_date_amount IS NULL)$$,
    'growth to date is over these, and NULL in periods that do not hold as_of()');

-- holidays are days on which no business is done
UPDATE calendar SET is_business_day = false WHERE on_date IN ('2025-05-01', '2024-05-01');
SELECT is(elapsed_business_days, 10::bigint, 'a holiday is no business day') FROM sales_growth WHERE level = 'company' AND period_label = '2025-05';
SELECT results_eq(
    $$SELECT prior_to_date_amount, year_ago_to_date_amount FROM sales_growth WHERE level = 'company' AND period_label = '2025-05'$$,
    $$SELECT sum(amount) FILTER (WHERE sold_on BETWEEN '2025-04-01' AND '2025-04-14'), sum(amount) FILTER (WHERE sold_on BETWEEN '2024-05-01' AND '2024-05-15') FROM sale$$,
    'here, or then');
-- a Saturday the first; a month with more business days than the one before
SET sales_perf.as_of = '2025-03-01';
SELECT results_eq(
    $$SELECT elapsed_business_days, prior_to_date_amount, to_date_growth FROM sales_growth WHERE level = 'company' AND period_label = '2025-03'$$,
    $$VALUES (0::bigint, 0::numeric, NULL::numeric)$$,
    'before the first business day there is nothing to compare with');
SET sales_perf.as_of = '2025-03-31';
SELECT results_eq(
    $$SELECT elapsed_business_days, prior_to_date_amount FROM sales_growth WHERE level = 'company' AND period_label = '2025-03'$$,
    $$SELECT 21::bigint, sum(amount) FROM sale WHERE sold_on BETWEEN '2025-02-01' AND '2025-02-28'$$,
    'a longer month is compared with the whole one before');

-- fiscal years from February on: a year ago is told by the number of the period
SET sales_perf.as_of = '2025-05-15';
UPDATE calendar
   SET fiscal_year = extract(year FROM on_date - interval '1 month'),
       fiscal_year_start = date_trunc('year', on_date - interval '1 month') + interval '1 month',
       fiscal_year_end = date_trunc('year', on_date - interval '1 month') + interval '13 months' - interval '1 day',
       fiscal_quarter = extract(quarter FROM on_date - interval '1 month'),
       fiscal_quarter_start = date_trunc('quarter', on_date - interval '1 month') + interval '1 month',
       fiscal_quarter_end = date_trunc('quarter', on_date - interval '1 month') + interval '4 months' - interval '1 day',
       fiscal_quarter_label = to_char(on_date - interval '1 month', 'YYYY-"Q"Q'),
       fiscal_period = extract(month FROM on_date - interval '1 month'),
       fiscal_period_label = to_char(on_date - interval '1 month', 'YYYY-"P"MM');
SELECT results_eq(
    $$SELECT period_label, period_start, sales_amount, prior_amount, year_ago_amount FROM sales_growth WHERE level = 'company' AND period_label IN ('2024-Q4', '2024-P12') ORDER BY 1$$,
    $$SELECT '2024-P12', '2025-01-01'::date,
             sum(amount) FILTER (WHERE sold_on BETWEEN '2025-01-01' AND '2025-01-31'),
             sum(amount) FILTER (WHERE sold_on BETWEEN '2024-12-01' AND '2024-12-31'),
             sum(amount) FILTER (WHERE sold_on BETWEEN '2024-01-01' AND '2024-01-31')
        FROM sale
      UNION ALL
      SELECT '2024-Q4', '2024-11-01'::date,
             sum(amount) FILTER (WHERE sold_on BETWEEN '2024-11-01' AND '2025-01-31'),
             sum(amount) FILTER (WHERE sold_on BETWEEN '2024-08-01' AND '2024-10-31'),
             sum(amount) FILTER (WHERE sold_on BETWEEN '2023-11-01' AND '2024-01-31')
        FROM sale$$,
    'periods and years are those of the calendar');

-- ---------------------------------------------------------------- a filter reaches the scan

\ir fixture/rows_read.sql
SELECT cmp_ok(pg_temp.rows_read('sale', 'SELECT * FROM sale'), '=', 6000::bigint, 'the rows are counted');
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT * FROM sales_growth WHERE level = 'company' AND grain = 'month' AND period_start = '2024-10-01'$$),
              '<=', (SELECT count(*) FROM sale WHERE sold_on BETWEEN '2024-09-01' AND '2024-10-31' OR sold_on BETWEEN '2023-10-01' AND '2023-10-31') + 20, 'company: one period');
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT * FROM sales_growth WHERE level = 'rep' AND grain = 'month' AND period_start = '2024-10-01' AND rep_id = 'R003'$$),
              '<=', (SELECT count(*) FROM sale WHERE rep_id = 'R003' AND (sold_on BETWEEN '2024-09-01' AND '2024-10-31' OR sold_on BETWEEN '2023-10-01' AND '2023-10-31')) + 20, 'reps: one period and one rep');
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT rep_id, sales_amount FROM sales_growth WHERE level = 'rep' AND grain = 'month' AND period_start IN ('2024-10-01', '2024-12-01')$$),
              -- and up to the first sale of nobody, which may be looked for row by row
              '<=', (SELECT count(*) FROM sale WHERE sold_on BETWEEN '2024-10-01' AND '2024-10-31' OR sold_on BETWEEN '2024-12-01' AND '2024-12-31') + 200, 'reps: some periods, and what is not asked for is not read');
SELECT is(pg_temp.rows_read('deal', $$SELECT * FROM sales_growth WHERE level = 'company' AND grain = 'year'$$), 2::bigint, 'deals are looked at for the first day alone');

SELECT * FROM finish();
