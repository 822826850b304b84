-- Filters reach the scan: rows of deal that the scorecards read, counted from EXPLAIN ANALYZE.
SELECT plan(35);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-06-30';
SELECT sales_perf.generate_demo('sales', 20000, 3) \gset
SET max_parallel_workers_per_gather = 0;
SET random_page_cost = 1.1;   -- the tables are in memory

\ir fixture/rows_read.sql
-- What the planner overrates gets a bad plan sooner or later.
\ir fixture/plan.sql

-- The deals of a quarter: closed in it, closed in the one before, and opened in it.
CREATE FUNCTION pg_temp.deals_of(first_day date, last_day date, of_rep text DEFAULT NULL) RETURNS bigint
    LANGUAGE sql
AS $$
    SELECT count(*) FILTER (WHERE closed_on BETWEEN first_day AND last_day)
           + count(*) FILTER (WHERE closed_on BETWEEN (first_day - interval '3 months')::date AND first_day - 1)
           + count(*) FILTER (WHERE opened_on BETWEEN first_day AND last_day)
      FROM sales.deal
     WHERE of_rep IS NULL OR rep_id = of_rep;
$$;

-- Where deals are split, those won in the period (and in the one before, for growth) are looked through once more for the credit that
-- comes from deals of others.
CREATE FUNCTION pg_temp.credit_of(first_day date, last_day date, with_prior boolean DEFAULT true) RETURNS bigint
    LANGUAGE sql
AS $$
    SELECT count(*)
      FROM sales.deal
     WHERE closed_on BETWEEN CASE WHEN with_prior THEN (first_day - interval '3 months')::date ELSE first_day END AND last_day;
$$;

SELECT cmp_ok(pg_temp.rows_read('deal', 'SELECT * FROM deal'), '=', 20000::bigint, 'the rows are counted');
SELECT cmp_ok(pg_temp.deals_of('2024-01-01', '2024-03-31'), '>', 3000::bigint, 'there is something to read in a quarter');

-- ---------------------------------------------------------------- deal_as_of and the cells

SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM deal_as_of WHERE deal_id = 'D00000777'$$), '<=', 4::bigint, 'deal_as_of: one deal');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM deal_as_of WHERE rep_id = 'R007'$$), '<=', (SELECT count(*) * 12 / 10 FROM deal WHERE rep_id = 'R007'), 'deal_as_of: one rep');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM deal_as_of WHERE NOT is_open AND closed_on BETWEEN '2024-01-01' AND '2024-01-31'$$),
              '<=', (SELECT count(*) + 20 FROM deal WHERE closed_on BETWEEN '2024-01-01' AND '2024-01-31'), 'deal_as_of: deals closed in a month');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM deal_as_of WHERE is_open$$), '<=', (SELECT count(*) + 20 FROM deal WHERE outcome = 'open'), 'deal_as_of: open deals');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM closed_cell WHERE rep_id = 'R007' AND closed_on >= '2024-01-01' AND closed_on <= '2024-01-31'$$),
              '<=', (SELECT count(*) + 20 FROM deal WHERE rep_id = 'R007' AND closed_on BETWEEN '2024-01-01' AND '2024-01-31'), 'closed_cell: a rep and a month');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM opened_cell WHERE opened_on = '2024-03-13'$$),
              '<=', (SELECT 3 * count(*) + 20 FROM deal WHERE opened_on = '2024-03-13'), 'opened_cell: a day');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM open_cell WHERE rep_id = 'R007'$$),
              '<=', (SELECT count(*) + 50 FROM deal WHERE rep_id = 'R007' AND outcome = 'open'), 'open_cell: a rep');

-- ---------------------------------------------------------------- scorecards

SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM company_scorecard WHERE grain = 'quarter' AND period_start = '2024-01-01'$$),
              '<=', pg_temp.deals_of('2024-01-01', '2024-03-31') * 11 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31', false), 'company: one period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM company_scorecard WHERE grain = 'quarter' AND period_start IN ('2024-01-01', '2024-07-01')$$),
              '<=', (pg_temp.deals_of('2024-01-01', '2024-03-31') + pg_temp.deals_of('2024-07-01', '2024-09-30')) * 11 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31', false) + pg_temp.credit_of('2024-07-01', '2024-09-30', false), 'company: some periods');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM company_scorecard WHERE grain = 'quarter' AND period_start >= '2024-01-01' AND period_start < '2024-07-01'$$),
              '<=', (pg_temp.deals_of('2024-01-01', '2024-03-31') + pg_temp.deals_of('2024-04-01', '2024-06-30')) * 11 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31', false) + pg_temp.credit_of('2024-04-01', '2024-06-30', false), 'company: a range of periods');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1'$$),
              '<=', pg_temp.deals_of('2024-01-01', '2024-03-31') * 11 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31', false), 'company: a period by its label');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM company_scorecard WHERE grain = 'year'$$), '<=', 95000::bigint,
              'company: a grain (every deal is closed in a year, before one and opened in one, and twelve months count again for the velocity)');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM team_scorecard WHERE grain = 'quarter' AND period_start = '2024-01-01'$$),
              '<=', pg_temp.deals_of('2024-01-01', '2024-03-31') * 11 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31'), 'teams: one period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM rep_scorecard WHERE grain = 'quarter' AND period_start = '2024-01-01'$$),
              '<=', pg_temp.deals_of('2024-01-01', '2024-03-31') * 12 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31'), 'reps: one period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM rep_scorecard WHERE grain = 'quarter' AND period_start IN ('2024-01-01', '2024-07-01')$$),
              '<=', (pg_temp.deals_of('2024-01-01', '2024-03-31') + pg_temp.deals_of('2024-07-01', '2024-09-30')) * 12 / 10 + 50 + pg_temp.credit_of('2024-01-01', '2024-03-31') + pg_temp.credit_of('2024-07-01', '2024-09-30'), 'reps: some periods');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM rep_scorecard WHERE grain = 'quarter' AND period_start = '2024-01-01' AND rep_id = 'R007'$$),
              '<=', pg_temp.deals_of('2024-01-01', '2024-03-31', 'R007') * 12 / 10 + 30 + pg_temp.credit_of('2024-01-01', '2024-03-31'), 'reps: one period and one rep');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM rep_scorecard WHERE grain = 'month' AND rep_id = 'R007'$$),
              '<=', (SELECT 5 * count(*) + 100 FROM deal WHERE rep_id = 'R007') + (SELECT 2 * count(*) FROM deal WHERE closed_on IS NOT NULL), 'reps: one rep, all months');

-- ---------------------------------------------------------------- what is not asked for is not fetched

SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT rep_id, win_rate FROM rep_scorecard WHERE grain = 'quarter' AND period_start = '2024-01-01'$$),
              '<=', (SELECT count(*) * 11 / 10 + 50 FROM deal WHERE closed_on BETWEEN '2024-01-01' AND '2024-03-31'), 'the win rate reads the deals closed in the period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT rep_id, open_count FROM rep_scorecard WHERE grain = 'quarter' AND period_start = '2025-04-01'$$),
              '<=', (SELECT count(*) * 2 FROM deal WHERE outcome = 'open' OR closed_on BETWEEN '2025-04-01' AND '2025-06-30'), 'open deals alone do not cost a year of closed ones');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM data_quality WHERE check_code = 'deal_closed_before_opened'$$), '<=', 20000::bigint, 'one check of data_quality reads the deals once');

-- ---------------------------------------------------------------- estimates are in reason

SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM company_scorecard'), '<', 100000::numeric, 'company: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM team_scorecard'), '<', 50000::numeric, 'teams: estimated cost');
-- all reps, all grains and all periods, with splits and currencies
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM rep_scorecard'), '<', 200000::numeric, 'reps: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost($$SELECT * FROM rep_scorecard WHERE grain = 'quarter' AND rep_id = 'R007'$$), '<', 50000::numeric, 'one rep: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost($$SELECT * FROM rep_scorecard WHERE grain = 'quarter' AND period_start = '2024-01-01' AND rep_id = 'R007'$$), '<', 50000::numeric, 'one rep and one period: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM pipeline_by_stage'), '<', 50000::numeric, 'pipeline: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM sales_growth'), '<', 100000::numeric, 'growth: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM retention'), '<', 50000::numeric, 'retention: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM cohort_retention'), '<', 50000::numeric, 'cohorts: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost($$SELECT * FROM funnel WHERE level = 'company' AND grain = 'quarter'$$), '<', 100000::numeric, 'funnel: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM stage_bottleneck'), '<', 60000::numeric, 'bottlenecks: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM revenue_forecast'), '<', 50000::numeric, 'forecast: estimated cost');
SELECT cmp_ok(pg_temp.estimated_cost('SELECT * FROM lead_conversion'), '<', 50000::numeric, 'leads: estimated cost');

SELECT * FROM finish();
