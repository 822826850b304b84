-- revenue_forecast and forecast_backtest: which periods they are made from, and that they say what the functions say.
SELECT plan(21);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2024-08-10';
INSERT INTO team (team_id, name) VALUES ('t', 'Team');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 't'), ('bob', 'Bob', 't'), ('cid', 'Cid', NULL), ('dot', 'Dot', NULL);
SELECT is_empty('TABLE revenue_forecast', 'without sales there is nothing to say');
SELECT is_empty('TABLE forecast_backtest', 'nor to judge');

-- Ann sells with the seasons since the middle of March 2019, Bob sold until January 2024, Cid has begun this month.
INSERT INTO sale (sale_id, rep_id, sold_on, amount)
SELECT 'ann ' || day, 'ann', day::date, 100 + 0.1 * (day::date - date '2019-03-14') + 40 * sin(2 * pi() * extract(doy FROM day) / 365.25)::numeric(10, 4)
  FROM generate_series(timestamp '2019-03-14', '2024-09-30', '1 day') AS day
UNION ALL
SELECT 'bob ' || day, 'bob', day::date, 50 + extract(month FROM day) FROM generate_series(timestamp '2023-01-15', '2024-01-20', '5 days') AS day
UNION ALL
SELECT 'cid', 'cid', '2024-08-02', 10
UNION ALL
SELECT 'nobody ' || day, NULL, day::date, 5 FROM generate_series(timestamp '2024-05-01', '2024-08-09', '1 day') AS day;
ANALYZE sale;

CREATE TEMP TABLE plain AS
SELECT grain, rep_id, date_trunc(grain, sold_on)::date AS period_start, sum(amount) AS amount
  FROM sale, unnest(ARRAY['month', 'quarter', 'year']) AS grain
 GROUP BY 1, 2, 3;

SELECT results_eq(
    $$SELECT period_start, sales_amount FROM revenue_forecast WHERE level = 'company' AND grain = 'month' AND kind = 'actual' ORDER BY 1$$,
    $$SELECT period_start, sum(amount) FROM plain WHERE grain = 'month' AND period_start BETWEEN '2019-04-01' AND '2024-07-01' GROUP BY 1 ORDER BY 1$$,
    'months: from the first whole one to the last that is over');
SELECT results_eq(
    $$SELECT period_start, sales_amount FROM revenue_forecast WHERE level = 'company' AND grain = 'quarter' AND kind = 'actual' ORDER BY 1$$,
    $$SELECT period_start, sum(amount) FROM plain WHERE grain = 'quarter' AND period_start BETWEEN '2019-04-01' AND '2024-04-01' GROUP BY 1 ORDER BY 1$$,
    'quarters');
SELECT results_eq(
    $$SELECT period_label, sales_amount FROM revenue_forecast WHERE level = 'company' AND grain = 'year' AND kind = 'actual' ORDER BY 1$$,
    $$SELECT to_char(period_start, 'YYYY'), sum(amount) FROM plain WHERE grain = 'year' AND period_start BETWEEN '2020-01-01' AND '2023-01-01' GROUP BY period_start ORDER BY 1$$,
    'years');
SELECT set_eq(
    $$SELECT grain, count(*), min(period_start), max(period_end) FROM revenue_forecast WHERE level = 'company' AND kind = 'forecast' GROUP BY 1$$,
    $$VALUES ('month', 12::bigint, '2024-08-01'::date, '2025-07-31'::date), ('quarter', 4, '2024-07-01', '2025-06-30'), ('year', 2, '2024-01-01', '2025-12-31')$$,
    'twelve months, four quarters, two years, from the one that is not over on');
SELECT results_eq(
    $$SELECT period_start, expected_amount, low_amount, high_amount, method FROM revenue_forecast WHERE level = 'company' AND grain = 'month' AND kind = 'forecast' ORDER BY 1$$,
    $$SELECT f.period_start, round(f.expected::numeric, 2), round(f.low::numeric, 2), round(f.high::numeric, 2), f.method
        FROM (SELECT sales_perf.period_agg(period_start, amount, 'month') AS s
                FROM (SELECT period_start, sum(amount) AS amount FROM plain WHERE grain = 'month' AND period_start BETWEEN '2019-04-01' AND '2024-07-01' GROUP BY 1) AS p) AS x,
             sales_perf.period_forecast(s, 12) AS f ORDER BY 1$$,
    'by period_forecast from these months alone');
SELECT ok(bool_and(low_amount < expected_amount AND expected_amount < high_amount), 'within their intervals') FROM revenue_forecast WHERE level = 'company' AND kind = 'forecast';
SELECT ok(bool_and((kind = 'actual') = (sales_amount IS NOT NULL) AND (kind = 'forecast') = (expected_amount IS NOT NULL) AND (kind = 'forecast') = (method IS NOT NULL)), 'actual periods have sales, others what is expected') FROM revenue_forecast;
SELECT cmp_ok(max(expected_amount), '>', 1.2 * min(expected_amount), 'the seasons come again') FROM revenue_forecast WHERE level = 'rep' AND rep_id = 'ann' AND grain = 'month' AND kind = 'forecast';
SELECT is(max(period_label), '2024-07', 'who has sold nothing lately sold nothing up to the last month') FROM revenue_forecast WHERE rep_id = 'bob' AND grain = 'month' AND kind = 'actual';
SELECT is(sum(sales_amount), 0::numeric, 'nothing at all') FROM revenue_forecast WHERE rep_id = 'bob' AND grain = 'month' AND kind = 'actual' AND period_start >= '2024-02-01';
SELECT is(min(period_start), '2024-08-01'::date, 'so the forecast begins with this month, too') FROM revenue_forecast WHERE rep_id = 'bob' AND grain = 'month' AND kind = 'forecast';
SELECT is_empty($$SELECT FROM revenue_forecast WHERE rep_id IN ('cid', 'dot')$$, 'who has sold in no whole period has no forecast');
SELECT is(sum(sales_amount), (SELECT sum(amount) FROM plain WHERE rep_id IN ('ann', 'bob') AND grain = 'month' AND period_start BETWEEN '2019-04-01' AND '2024-07-01'), 'a team is its reps') FROM revenue_forecast WHERE level = 'team' AND grain = 'month';
SELECT is(max(rep_name), '(no rep)', 'sales of nobody have a row') FROM revenue_forecast WHERE level = 'rep' AND rep_id IS NULL;

SELECT set_eq(
    $$SELECT periods_ahead, method, origin_count, forecast_count, wmape, mase, interval_coverage_rate FROM forecast_backtest WHERE level = 'company' AND grain = 'month'$$,
    $$SELECT ahead, b.method, b.origins::bigint, b.forecasts, b.wmape, b.mase, b.interval_coverage_rate
        FROM (SELECT sales_perf.period_agg(period_start, amount, 'month') AS s
                FROM (SELECT period_start, sum(amount) AS amount FROM plain WHERE grain = 'month' AND period_start BETWEEN '2019-04-01' AND '2024-07-01' GROUP BY 1) AS p) AS x,
             unnest(ARRAY[1, 3, 12]) AS ahead,
             sales_perf.period_backtest(s, ahead) AS b$$,
    'the backtest is period_backtest''s');
SELECT cmp_ok(f.wmape, '<', n.wmape, 'and says that the forecast beats the year before')
  FROM forecast_backtest f JOIN forecast_backtest n ON (n.level, n.grain, n.periods_ahead) = (f.level, f.grain, f.periods_ahead) AND n.method <> 'forecast'
 WHERE f.level = 'company' AND f.grain = 'month' AND f.periods_ahead = 1 AND f.method = 'forecast';

-- the last day of a month is part of it; the first day of the data
SET sales_perf.as_of = '2024-08-31';
SELECT is(max(period_label), '2024-08', 'a month is over with its last day') FROM revenue_forecast WHERE level = 'company' AND grain = 'month' AND kind = 'actual';
DELETE FROM sale WHERE sold_on < '2019-04-01';
SELECT is(min(period_label), '2019-Q2', 'a period on whose first day the data begin is whole') FROM revenue_forecast WHERE level = 'company' AND grain = 'quarter' AND kind = 'actual';
\ir fixture/rows_read.sql
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT * FROM revenue_forecast WHERE level = 'rep' AND rep_id = 'bob' AND grain = 'month'$$), '<=', (SELECT count(*) + 20 FROM sale WHERE rep_id = 'bob'), 'a rep''s forecast reads the rep''s sales');

SELECT * FROM finish();
