-- market_trend: planted trends are found, seasons and noise are not called trends more often than is said, and all figures are
-- those of plain SQL over deal.
SELECT plan(26);
\ir fixture/near.sql
SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';

-- A draw in [0, 1) that is the same everywhere.
CREATE FUNCTION public.draw(subject bigint, seed bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(subject, seed) & 4294967295)::double precision / 4294967296;
-- Deals won in 25 months before May 2025, 100 chances a month and product: nearly Poisson, with a season from 0.5 to 1.5.
CREATE PROCEDURE public.plant(first_product integer, last_product integer, mean double precision, monthly_growth double precision, restless double precision)
    LANGUAGE sql AS $$
INSERT INTO sales.product (product_id, name) SELECT 'p' || p, 'Product ' || p FROM generate_series(first_product, last_product) AS p;
INSERT INTO sales.deal (deal_id, product_id, amount, outcome, opened_on, closed_on, recorded_at)
SELECT 'p' || p || '-' || m || '-' || slot, 'p' || p, 100, 'won', month, month + slot % 28, '2020-01-01'
  FROM generate_series(first_product, last_product) AS p,
       generate_series(0, 24) AS m,
       generate_series(1, 100) AS slot,
       LATERAL (SELECT (date '2023-04-01' + make_interval(months => m))::date AS month) AS d
 WHERE public.draw((p * 100 + m) * 1000 + slot, 1)
       < mean / 100 * (1 + 0.5 * sin(m * pi() / 6)) * (1 + monthly_growth) ^ (m - 12) * (1 + restless * (2 * public.draw(p * 100 + m, 2) - 1));
$$;

-- ---------------------------------------------------------------- noise: 300 products that do not change, seasonal

CALL public.plant(1, 300, 8, 0, 0);
CREATE TABLE noise AS SELECT * FROM market_trend WHERE dimension = 'product';
SELECT is(count(*) FILTER (WHERE trend <> 'not enough data'), 300::bigint, 'three hundred products that do not change are tested') FROM noise;
SELECT cmp_ok(avg((p_value < 0.05)::integer), '<=', 0.06, 'one row speaks in at most 5 % of cases') FROM noise;
SELECT cmp_ok(avg((p_value < 0.05)::integer), '>=', 0.01, 'and the test is not asleep') FROM noise;
SELECT cmp_ok(avg((p_value < 0.5)::integer), '<=', 0.55, 'half of the chances are above a half') FROM noise;
SELECT is(count(*) FILTER (WHERE trend IN ('growing', 'shrinking')), 0::bigint, 'of all together none is called growing or shrinking') FROM noise;
-- families of ten tested by themselves: at least one alarm in at most 5 of 100
SELECT cmp_ok(avg((alarm < 0.05)::integer), '<=', 0.1, 'of thirty families of ten at most three speak')
  FROM (SELECT family, min(p_value * 10 / place) AS alarm
          FROM (SELECT substr(value_id, 2)::integer % 30 AS family, p_value, rank() OVER (PARTITION BY substr(value_id, 2)::integer % 30 ORDER BY p_value) AS place FROM noise) AS r
         GROUP BY family) AS f;
SELECT is(trend, 'steady', 'nor does the company') FROM market_trend WHERE dimension = 'company';
SELECT cmp_ok(avg((count_growth_low < 0 AND count_growth_high > 0)::integer), '>=', 0.94, 'intervals of the growth hold what is true') FROM noise;
SELECT is_empty($$SELECT * FROM noise WHERE (count_growth_low > 0 OR count_growth_high < 0) <> (p_value < 0.05)$$, 'and exclude 0 exactly where the test speaks');
DELETE FROM deal;
DELETE FROM product;

-- ---------------------------------------------------------------- restless markets: months that are 40 % up or down for no reason

CALL public.plant(1, 200, 12, 0, 0.8);
SELECT cmp_ok(avg((p_value < 0.05)::integer), '<=', 0.085, 'restless months are not trends') FROM market_trend WHERE dimension = 'product';
SELECT is(count(*) FILTER (WHERE trend IN ('growing', 'shrinking')), 0::bigint, 'none is called one') FROM market_trend WHERE dimension = 'product';
SELECT cmp_ok(avg(dispersion), '>', 2.0::float8, 'what Poisson''s law alone would have it is wide of the mark') FROM market_trend WHERE dimension = 'product';
DELETE FROM deal;
DELETE FROM product;

-- ---------------------------------------------------------------- planted trends

CALL public.plant(1, 20, 20, 0.03, 0);
CALL public.plant(21, 40, 20, -0.03, 0);
CALL public.plant(41, 60, 20, 0, 0);
CREATE TABLE planted AS SELECT *, (substr(value_id, 2)::integer - 1) / 20 AS kind FROM market_trend WHERE dimension = 'product';
SELECT cmp_ok(count(*) FILTER (WHERE kind = 0 AND trend = 'growing'), '>=', 17::bigint, '3 % more each month are found, in a family of 60') FROM planted;
SELECT cmp_ok(count(*) FILTER (WHERE kind = 1 AND trend = 'shrinking'), '>=', 17::bigint, 'and 3 % less') FROM planted;
SELECT is(count(*) FILTER (WHERE kind = 2 AND trend <> 'steady' OR kind = 0 AND trend = 'shrinking' OR kind = 1 AND trend = 'growing'), 0::bigint, 'nothing else is') FROM planted;
SELECT cmp_ok(avg((1.03 ^ 12 - 1 BETWEEN count_growth_low AND count_growth_high)::integer), '>=', 0.85, 'the growth planted lies in the intervals') FROM planted WHERE kind = 0;

-- ---------------------------------------------------------------- the figures, from plain SQL

DELETE FROM deal;
DELETE FROM product;
SELECT sales_perf.generate_demo('sales', 8000) \gset
CREATE TABLE trend AS SELECT * FROM market_trend;
-- 12 months to April 2025, and the 12 before
CREATE VIEW fact AS
SELECT v.dimension, v.value_id, d.outcome, d.closed_on, d.reporting_amount AS amount, d.closed_on >= '2024-05-01' AS is_current
  FROM deal_as_of d
  LEFT JOIN account a USING (account_id)
  LEFT JOIN product p USING (product_id)
 CROSS JOIN LATERAL (VALUES ('company', NULL), ('segment', a.segment), ('region', a.region), ('family', p.family), ('product', p.product_id)) AS v (dimension, value_id)
 WHERE d.closed_on BETWEEN '2023-05-01' AND '2025-04-30' AND d.outcome IN ('won', 'lost');
SELECT set_eq(
    $$SELECT dimension, value_id, first_day, last_day, compared_months, sold_count, sold_amount, unpriced_count, compared_count, compared_amount, prior_count, prior_amount, won_count, lost_count FROM trend$$,
    $$SELECT dimension, value_id, date '2024-05-01' AS d1, date '2025-04-30' AS d2, 12, w, coalesce(s, 0) AS a1, u, w AS w2, coalesce(s, 0) AS a2, pw, coalesce(ps, 0) AS a3, w AS w3, l
        FROM (SELECT dimension, value_id,
                     count(*) FILTER (WHERE outcome = 'won' AND is_current) AS w, sum(amount) FILTER (WHERE outcome = 'won' AND is_current) AS s,
                     count(*) FILTER (WHERE outcome = 'won' AND is_current AND amount IS NULL) AS u,
                     count(*) FILTER (WHERE outcome = 'won' AND NOT is_current) AS pw, sum(amount) FILTER (WHERE outcome = 'won' AND NOT is_current) AS ps,
                     count(*) FILTER (WHERE outcome = 'lost' AND is_current) AS l
                FROM fact GROUP BY dimension, value_id) AS x$$,
    'counts and amounts of two years');
SELECT is_empty(
    $$SELECT t.dimension, t.value_id
        FROM trend t
        JOIN trend c ON c.dimension = 'company'
       WHERE (abs(t.share_rate - t.sold_amount / c.sold_amount) < 1e-12 AND abs(t.share_shift - (t.compared_amount / c.compared_amount - t.prior_amount / c.prior_amount)) < 1e-12
              AND t.total_sold_amount = c.sold_amount AND t.total_compared_amount = c.compared_amount AND t.total_prior_amount = c.prior_amount
              AND abs(t.win_rate - t.won_count::float8 / (t.won_count + t.lost_count)) < 1e-12 AND abs(t.count_growth_rate - (t.compared_count::float8 / t.prior_count - 1)) < 1e-12
              AND abs(t.amount_growth_rate - (t.compared_amount / t.prior_amount - 1)) < 1e-12) IS NOT TRUE$$,
    'shares, their shift, growth and win rates');
SELECT is_empty(
    $$SELECT t.dimension, t.value_id
        FROM trend t
        JOIN (SELECT dimension, value_id, sales_perf.deal_agg(amount, outcome, closed_on, closed_on) AS s FROM fact WHERE is_current GROUP BY 1, 2) AS f
          ON (f.dimension, f.value_id) IS NOT DISTINCT FROM (t.dimension, t.value_id)
       WHERE (abs(t.win_rate_low - sales_perf.win_rate_low(f.s)) < 1e-12 AND abs(t.win_rate_high - sales_perf.win_rate_high(f.s)) < 1e-12) IS NOT TRUE$$,
    'the intervals of win rates are those of the conversion summary');
-- the test by another way: residuals of a fit with a level for each month
SELECT is_empty(
    $$WITH pair AS (
          SELECT dimension, value_id, extract(month FROM closed_on) AS season,
                 count(*) FILTER (WHERE is_current)::float8 AS x, count(*)::float8 AS n
            FROM fact WHERE outcome = 'won' GROUP BY 1, 2, 3),
      share AS (SELECT dimension, value_id, sum(x) / sum(n) AS q, sum(x) AS x, sum(n) AS n, count(*) AS pairs FROM pair GROUP BY 1, 2),
      fit AS (
          -- both years' counts against what the month's level and the year's share make of them
          SELECT s.dimension, s.value_id, s.x, s.n, s.pairs,
                 sum((p.x - p.n * q) ^ 2 / (p.n * q) + (p.n - p.x - p.n * (1 - q)) ^ 2 / (p.n * (1 - q))) / (s.pairs - 1) AS dispersion
            FROM share s JOIN pair p ON (p.dimension, p.value_id) IS NOT DISTINCT FROM (s.dimension, s.value_id)
           GROUP BY s.dimension, s.value_id, s.x, s.n, s.pairs, s.q),
      statistic AS (SELECT *, (2 * x - n) / sqrt(greatest(1, dispersion) * n) AS t FROM fit)
      SELECT t.dimension, t.value_id, t.p_value, s.*
        FROM trend t
        LEFT JOIN statistic s ON (s.dimension, s.value_id) IS NOT DISTINCT FROM (t.dimension, t.value_id)
       WHERE (abs(t.dispersion - greatest(1, s.dispersion)) < 1e-9 AND abs(t.test_statistic - s.t) < 1e-9
              AND abs(t.p_value - 2 * (1 - sales_perf.student_t_share(abs(s.t), s.pairs::integer - 1))) < 1e-9) IS NOT TRUE$$,
    'dispersion, statistic and chance');
SELECT is_empty(
    $$SELECT t.dimension, t.value_id, t.adjusted_p_value
        FROM trend t
       WHERE abs(t.adjusted_p_value
                 - (SELECT min(x.p_value * (SELECT count(*) FROM trend y WHERE y.dimension = x.dimension)
                                           / (SELECT count(*) FROM trend y WHERE y.dimension = x.dimension AND y.p_value <= x.p_value))
                      FROM trend x WHERE x.dimension = t.dimension AND x.p_value >= t.p_value)) > 1e-12
          OR t.trend <> CASE WHEN t.adjusted_p_value >= 0.05 THEN 'steady' WHEN t.compared_count > t.prior_count THEN 'growing' ELSE 'shrinking' END$$,
    'Benjamini and Hochberg''s adjustment, counted row by row, and what is made of it');
SELECT is(summary_text, 'Segment enterprise' || substr(summary_text, 19), 'the sentence begins with what it is about') FROM trend WHERE value_id = 'enterprise' AND dimension = 'segment';
SELECT is_empty($$SELECT summary_text FROM trend WHERE summary_text IS NULL OR position(compared_count || ' sales' IN summary_text) = 0 OR position('5 %' IN summary_text) = 0$$, 'and names its numbers and the limit');

-- ---------------------------------------------------------------- short history, sales, what is not known

SELECT sales_perf.create_mart('short') \gset
SET search_path = short, public;
INSERT INTO account (account_id, name, region) VALUES ('a', 'A', 'North'), ('b', 'B', NULL);
-- from the middle of September 2023: October to April can be compared with the year before
INSERT INTO sale (sale_id, account_id, sold_on, amount)
SELECT 's' || n, CASE WHEN n % 3 = 0 THEN 'b' ELSE 'a' END, date '2023-09-15' + n, 10 FROM generate_series(0, 607) AS n;
INSERT INTO deal (deal_id, account_id, amount, outcome, opened_on, closed_on) VALUES ('w', 'a', 5, 'won', '2025-01-01', '2025-02-01'), ('l', 'a', 5, 'lost', '2025-01-01', '2025-02-01');
SELECT results_eq(
    $$SELECT dimension, value_name, compared_months, sold_count, compared_count, prior_count, won_count, lost_count, trend FROM market_trend ORDER BY dimension, value_id NULLS FIRST$$,
    $$SELECT dimension, name, 7, a, b, c, w, w, 'steady'
        FROM (VALUES ('company', 'All sales', NULL, 1::bigint), ('region', '(not known)', 'b', 0), ('region', 'North', 'a', 1)) AS v (dimension, name, account_id, w),
             LATERAL (SELECT count(*) FILTER (WHERE sold_on BETWEEN '2024-05-01' AND '2025-04-30') AS a, count(*) FILTER (WHERE sold_on BETWEEN '2024-10-01' AND '2025-04-30') AS b,
                             count(*) FILTER (WHERE sold_on BETWEEN '2023-10-01' AND '2024-04-30') AS c FROM sale s WHERE s.account_id = v.account_id OR v.account_id IS NULL) AS s
       ORDER BY v.dimension, name <> '(not known)'$$,
    'sales, where there are any, and only of months that have their like in the history; dimensions without a value are left out');
DELETE FROM sale WHERE sold_on < '2024-01-01';
SELECT results_eq($$SELECT trend, compared_months, compared_count, prior_count, p_value, summary_text FROM market_trend WHERE dimension = 'company'$$,
                  $$VALUES ('not enough data', 3, 89::bigint, 90::bigint, NULL::float8, 'All sales: not enough data to tell a trend, with 179 sales in 3 months and the same months a year before (at least 30 sales in 6 months are needed).')$$,
                  'fewer than six pairs of months are not enough, and it is said');
DELETE FROM sale;
DELETE FROM deal;
SELECT is_empty($$SELECT * FROM market_trend$$, 'an empty mart has no rows');

SELECT * FROM finish();
