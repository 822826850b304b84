-- What grows and what shrinks: segments, regions, product families and products.
--
-- Each month is compared with the same month of the year before, so that a season is no trend. That two years of months
-- differ in counts is judged by how much pairs of months differ among themselves: a month with a large batch, or a
-- market that is restless, makes the test slower to speak, not faster.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION score_interval_low(share double precision, size double precision, z double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT greatest(0, (share + z * z / (2 * size) - z * sqrt(share * (1 - share) / size + z * z / (4 * size * size))) / (1 + z * z / size));
END;

COMMENT ON FUNCTION score_interval_low(double precision, double precision, double precision) IS 'Internal to market_trend, swot and next_best_product: lower bound of Wilson''s interval of a share seen in so many, who need not be a whole number. It lies above a share q exactly where share - q > z sqrt(q (1 - q) / size).';

CREATE FUNCTION score_interval_high(share double precision, size double precision, z double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT least(1, (share + z * z / (2 * size) + z * sqrt(share * (1 - share) / size + z * z / (4 * size * size))) / (1 + z * z / size));
END;

COMMENT ON FUNCTION score_interval_high(double precision, double precision, double precision) IS 'Internal to market_trend and swot: upper bound of it.';

-- A function of what was closed and sold, and not of the tables: who has read them already for something else need not read them again.
CREATE FUNCTION market_trend_of(closed sales_perf.closing_tally[], sold sales_perf.closing_tally[])
    RETURNS TABLE (dimension text, value_id text, value_name text, first_day date, last_day date, sold_count bigint, sold_amount numeric,
                   unpriced_count bigint, total_sold_amount numeric, share_rate double precision, compared_months integer, compared_count bigint,
                   prior_count bigint, count_growth_rate double precision, count_growth_low double precision, count_growth_high double precision,
                   compared_amount numeric, prior_amount numeric, amount_growth_rate double precision, total_compared_amount numeric,
                   total_prior_amount numeric, compared_share_rate double precision, prior_share_rate double precision, share_shift double precision,
                   won_count bigint, lost_count bigint, win_rate double precision, win_rate_low double precision, win_rate_high double precision,
                   dispersion double precision, test_statistic double precision, p_value double precision, test_count bigint,
                   adjusted_p_value double precision, trend text, summary_text text)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
-- As in the view purchase, won deals stand in for sales where there are none.
WITH span AS MATERIALIZED (
    SELECT date_trunc('month', (sales_perf.as_of() + 1)::timestamp) AS end_month
),
cell AS MATERIALIZED (
    SELECT c.first_key AS segment,
           c.second_key AS region,
           c.third_key AS product_id,
           c.period_start::timestamp AS month,
           CASE WHEN e.is_alone THEN c.won_count ELSE 0 END AS sold_count,
           CASE WHEN e.is_alone THEN c.bookings_amount END AS sold_amount,
           CASE WHEN e.is_alone THEN c.won_count - c.priced_count ELSE 0 END AS unpriced_count,
           c.won_count,
           c.lost_count
      FROM unnest(closed) AS c
     CROSS JOIN (SELECT NOT EXISTS (SELECT FROM sale) AS is_alone) AS e
     WHERE c.period_start < (SELECT s.end_month FROM span s)
     UNION ALL
    SELECT s.first_key,
           s.second_key,
           s.third_key,
           s.period_start::timestamp,
           s.won_count,
           s.bookings_amount,
           s.won_count - s.priced_count,
           0,
           0
      FROM unnest(sold) AS s
     WHERE s.period_start < (SELECT p.end_month FROM span p)
),
-- The first month with sales may be half of one: what begins with it cannot be compared.
history AS MATERIALIZED (
    SELECT s.end_month,
           (SELECT min(month) FROM cell WHERE sold_count > 0) AS first_month
      FROM span s
),
value_month AS MATERIALIZED (
    SELECT v.dimension,
           v.value_id,
           c.month >= h.end_month - interval '12 months' AS is_current,
           extract(month FROM c.month)::integer AS season,
           -- the month a year ago, or this one, is in the history
           CASE
               WHEN c.month >= h.end_month - interval '12 months' THEN c.month - interval '12 months' > h.first_month
               ELSE c.month >= h.end_month - interval '24 months' AND c.month > h.first_month
           END AS is_compared,
           sum(c.sold_count) AS sold_count,
           coalesce(sum(c.sold_amount), 0) AS sold_amount,
           sum(c.unpriced_count) AS unpriced_count,
           sum(c.won_count) AS won_count,
           sum(c.lost_count) AS lost_count
      FROM cell c
     CROSS JOIN history h
      LEFT JOIN product p ON p.product_id = c.product_id
     CROSS JOIN LATERAL (VALUES ('company', NULL),
                                ('segment', c.segment),
                                ('region', c.region),
                                ('family', p.family),
                                ('product', c.product_id)) AS v (dimension, value_id)
     GROUP BY v.dimension, v.value_id, c.month, h.end_month, h.first_month
),
pair AS (
    SELECT dimension,
           value_id,
           season,
           coalesce(sum(sold_count) FILTER (WHERE is_current), 0) AS sold_count,
           coalesce(sum(sold_amount) FILTER (WHERE is_current), 0) AS sold_amount,
           coalesce(sum(unpriced_count) FILTER (WHERE is_current), 0) AS unpriced_count,
           coalesce(sum(won_count) FILTER (WHERE is_current), 0) AS won_count,
           coalesce(sum(lost_count) FILTER (WHERE is_current), 0) AS lost_count,
           coalesce(sum(sold_count) FILTER (WHERE is_current AND is_compared), 0) AS compared_count,
           coalesce(sum(sold_amount) FILTER (WHERE is_current AND is_compared), 0) AS compared_amount,
           coalesce(sum(sold_count) FILTER (WHERE NOT is_current AND is_compared), 0) AS prior_count,
           coalesce(sum(sold_amount) FILTER (WHERE NOT is_current AND is_compared), 0) AS prior_amount
      FROM value_month
     GROUP BY dimension, value_id, season
),
-- Of n sales of a pair of months x fall into the later one; of all pairs X of N. If nothing has changed X is N / 2, give or
-- take sqrt(N / 4), times the dispersion: Pearson's chi-square of the x about n X / N by its degrees of freedom, never below 1.
total AS MATERIALIZED (
    SELECT dimension,
           value_id,
           sum(sold_count) AS sold_count,
           sum(sold_amount) AS sold_amount,
           sum(unpriced_count) AS unpriced_count,
           sum(won_count) AS won_count,
           sum(lost_count) AS lost_count,
           sum(compared_count) AS compared_count,
           sum(compared_amount) AS compared_amount,
           sum(prior_count) AS prior_count,
           sum(prior_amount) AS prior_amount,
           sum(compared_count + prior_count) AS both_count,
           count(*) FILTER (WHERE compared_count + prior_count > 0) AS pair_count,
           sum(compared_count * compared_count / (compared_count + prior_count)) FILTER (WHERE compared_count + prior_count > 0) AS scatter
      FROM pair
     GROUP BY dimension, value_id
),
tested AS MATERIALIZED (
    SELECT t.*,
           (SELECT least(12, greatest(0, 12 * extract(year FROM age(h.end_month, h.first_month)) + extract(month FROM age(h.end_month, h.first_month)) - 13))
              FROM history h)::integer AS compared_months,
           d.dispersion,
           CASE
               WHEN t.pair_count >= 6 AND t.both_count >= 30
               THEN ((t.compared_count - t.prior_count)::double precision / sqrt(d.dispersion * t.both_count::double precision))
           END AS test_statistic
      FROM total t
     CROSS JOIN LATERAL (
            SELECT CASE
                       WHEN t.pair_count >= 6 AND t.both_count >= 30
                       THEN greatest(1, CASE
                                            WHEN t.compared_count > 0 AND t.prior_count > 0
                                            THEN (t.scatter - t.compared_count * t.compared_count / t.both_count)
                                                 / (t.compared_count * t.prior_count / (t.both_count * t.both_count)) / (t.pair_count - 1)
                                        END)::double precision
                   END AS dispersion) AS d
),
-- Benjamini and Hochberg: the i-th smallest of k chances counts k / i times, and none counts more than one after it.
judged AS (
    SELECT c.*,
           min(c.p_value * c.test_count / c.place) OVER (PARTITION BY c.dimension ORDER BY c.place DESC) AS adjusted_p_value
      FROM (SELECT t.*,
                   p.p_value,
                   count(p.p_value) OVER (PARTITION BY t.dimension) AS test_count,
                   row_number() OVER (PARTITION BY t.dimension ORDER BY p.p_value NULLS LAST, t.value_id COLLATE "C") AS place,
                   bool_or(t.value_id IS NOT NULL) OVER (PARTITION BY t.dimension) AS has_values
              FROM tested t
             CROSS JOIN LATERAL (
                    SELECT 2 * sales_perf.student_t_share(-abs(t.test_statistic), (t.pair_count - 1)::integer) AS p_value) AS p) AS c
     WHERE c.has_values
        OR c.dimension = 'company'
),
figure AS (
    SELECT j.dimension,
           j.value_id,
           CASE
               WHEN j.dimension = 'company' THEN 'All sales'
               WHEN j.value_id IS NULL THEN '(not known)'
               WHEN j.dimension = 'product' THEN (SELECT p.name FROM product p WHERE p.product_id = j.value_id)
               ELSE j.value_id
           END AS value_name,
           (h.end_month - interval '12 months')::date AS first_day,
           h.end_month::date - 1 AS last_day,
           j.sold_count::bigint AS sold_count,
           j.sold_amount,
           j.unpriced_count::bigint AS unpriced_count,
           c.sold_amount AS total_sold_amount,
           CASE WHEN c.sold_amount > 0 THEN (j.sold_amount / c.sold_amount)::double precision END AS share_rate,
           j.compared_months,
           j.compared_count::bigint AS compared_count,
           j.prior_count::bigint AS prior_count,
           sales_perf.growth_rate(j.compared_count, j.prior_count)::double precision AS count_growth_rate,
           b.low / nullif(1 - b.low, 0) - 1 AS count_growth_low,
           b.high / nullif(1 - b.high, 0) - 1 AS count_growth_high,
           j.compared_amount,
           j.prior_amount,
           sales_perf.growth_rate(j.compared_amount, j.prior_amount)::double precision AS amount_growth_rate,
           c.compared_amount AS total_compared_amount,
           c.prior_amount AS total_prior_amount,
           CASE WHEN c.compared_amount > 0 THEN (j.compared_amount / c.compared_amount)::double precision END AS compared_share_rate,
           CASE WHEN c.prior_amount > 0 THEN (j.prior_amount / c.prior_amount)::double precision END AS prior_share_rate,
           j.won_count::bigint AS won_count,
           j.lost_count::bigint AS lost_count,
           w.rate AS win_rate,
           score_interval_low(w.rate, w.closed_count, 1.959963984540054) AS win_rate_low,
           score_interval_high(w.rate, w.closed_count, 1.959963984540054) AS win_rate_high,
           j.dispersion,
           j.test_statistic,
           j.p_value,
           j.test_count,
           j.adjusted_p_value,
           CASE
               WHEN j.p_value IS NULL THEN 'not enough data'
               WHEN j.adjusted_p_value >= 0.05 THEN 'steady'
               WHEN j.test_statistic > 0 THEN 'growing'
               ELSE 'shrinking'
           END AS trend
      FROM judged j
     CROSS JOIN history h
      JOIN tested c ON c.dimension = 'company'
     CROSS JOIN LATERAL (
            SELECT nullif(j.won_count + j.lost_count, 0)::double precision AS closed_count,
                   (j.won_count / nullif(j.won_count + j.lost_count, 0))::double precision AS rate) AS w
      -- the share of the later months, as of so many sales as the dispersion leaves
     CROSS JOIN LATERAL (
            SELECT CASE WHEN j.dispersion IS NOT NULL
                        THEN score_interval_low((j.compared_count / j.both_count)::double precision, j.both_count::double precision / j.dispersion,
                                                sales_perf.student_t_quantile(0.975, (j.pair_count - 1)::integer)) END AS low,
                   CASE WHEN j.dispersion IS NOT NULL
                        THEN score_interval_high((j.compared_count / j.both_count)::double precision, j.both_count::double precision / j.dispersion,
                                                 sales_perf.student_t_quantile(0.975, (j.pair_count - 1)::integer)) END AS high) AS b
)
SELECT f.dimension,
       f.value_id,
       f.value_name,
       f.first_day,
       f.last_day,
       f.sold_count,
       f.sold_amount,
       f.unpriced_count,
       f.total_sold_amount,
       f.share_rate,
       f.compared_months,
       f.compared_count,
       f.prior_count,
       f.count_growth_rate,
       f.count_growth_low,
       f.count_growth_high,
       f.compared_amount,
       f.prior_amount,
       f.amount_growth_rate,
       f.total_compared_amount,
       f.total_prior_amount,
       f.compared_share_rate,
       f.prior_share_rate,
       f.compared_share_rate - f.prior_share_rate AS share_shift,
       f.won_count,
       f.lost_count,
       f.win_rate,
       f.win_rate_low,
       f.win_rate_high,
       f.dispersion,
       f.test_statistic,
       f.p_value,
       f.test_count,
       f.adjusted_p_value,
       f.trend,
       CASE
           WHEN f.trend = 'not enough data'
           THEN n.subject || ': not enough data to tell a trend, with ' || in_words(f.compared_count + f.prior_count, 'count') || ' sales in '
                || in_words(f.compared_months, 'count') || ' months and the same months a year before (at least 30 sales in 6 months are needed).'
           ELSE n.subject
                || CASE f.trend WHEN 'steady' THEN CASE f.dimension WHEN 'company' THEN ' show' ELSE ' shows' END || ' no trend beyond chance'
                                ELSE CASE f.dimension WHEN 'company' THEN ' are ' ELSE ' is ' END || f.trend END
                || ': ' || in_words(f.compared_count, 'count') || ' sales in the ' || in_words(f.compared_months, 'count') || ' months up to ' || to_char(f.last_day, 'YYYY-MM-DD')
                || ', ' || in_words(f.prior_count, 'count') || ' in the same months a year before; amounts ' || in_words(f.compared_amount, 'amount') || ' and ' || in_words(f.prior_amount, 'amount')
                || CASE WHEN f.dimension <> 'company' THEN coalesce(', a share of ' || in_words(f.compared_share_rate::numeric, 'fraction') || ' and ' || in_words(f.prior_share_rate::numeric, 'fraction'), '') ELSE '' END
                || '. By chance alone so much is seen in ' || CASE WHEN f.adjusted_p_value < 0.001 THEN 'less than 0.1 %' ELSE in_words(f.adjusted_p_value::numeric, 'fraction') END
                || ' of cases' || CASE WHEN f.test_count > 1 THEN ', adjusted for ' || f.test_count || ' comparisons' ELSE '' END || ' (limit 5 %).'
       END AS summary_text
  FROM figure f
 CROSS JOIN LATERAL (
        SELECT CASE f.dimension WHEN 'company' THEN '' WHEN 'family' THEN 'Product family ' ELSE initcap(f.dimension) || ' ' END || f.value_name AS subject) AS n;
END;

COMMENT ON FUNCTION market_trend_of(sales_perf.closing_tally[], sales_perf.closing_tally[]) IS 'Behind market_trend and swot: its rows, from the deals closed and the sales of 25 months or more by segment, region, product and month, as closing_tally_agg counts them (sales as won deals).';

-- 24 complete months, and one more, which tells whether there was anything before.
CREATE VIEW market_trend_live WITH (security_invoker = true) AS
-- Worked out once, not for each deal. (Where deals are compared with both ends the planner would expect so few between them that it
-- looks them up, so the months are cut off at the end afterwards.)
WITH span AS MATERIALIZED (
    SELECT (date_trunc('month', (sales_perf.as_of() + 1)::timestamp) - interval '25 months')::date AS first_day
)
SELECT t.*
  FROM (SELECT sales_perf.closing_tally_agg(a.segment, a.region, d.product_id, d.closed_on, d.outcome, d.reporting_amount, NULL, NULL, 'month') AS tallies
          FROM deal_core_as_of d
          LEFT JOIN account a ON a.account_id = d.account_id
         WHERE NOT d.is_open
           AND d.closed_on >= (SELECT s.first_day FROM span s)) AS closed
 CROSS JOIN (
        SELECT sales_perf.closing_tally_agg(a.segment, a.region, s.product_id, s.sold_on, 'won', s.reporting_amount, NULL, NULL, 'month') AS tallies
          FROM sale_as_of s
          LEFT JOIN account a ON a.account_id = s.account_id
         WHERE s.sold_on >= (SELECT p.first_day FROM span p)) AS sold
 CROSS JOIN LATERAL market_trend_of(closed.tallies, sold.tallies) AS t;

COMMENT ON VIEW market_trend_live IS 'What market_trend shows, made from the deals.';

CREATE TABLE rollup_market_trend (
    LIKE market_trend_live
);

COMMENT ON TABLE rollup_market_trend IS 'The rows of market_trend, as fold_rollup() has kept them.';
ALTER TABLE rollup_market_trend ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_market_trend_visible ON rollup_market_trend USING ((SELECT NOT rollup_report_is_hidden()));

CREATE VIEW market_trend WITH (security_invoker = true) AS
SELECT *
  FROM rollup_market_trend
 WHERE rollup_report_serves('market_trend')
UNION ALL
SELECT *
  FROM market_trend_live
 WHERE NOT rollup_report_serves('market_trend');

COMMENT ON VIEW market_trend IS 'Growth of sales by segment, region, product family and product, and of the company, over the last 12 complete months as of as_of(), with a test that tells a trend from chance. Each month is compared with the same month of the year before, as far as the history goes (its first month, which may be half of one, left out): with the counts of n sales of a pair of months, x of them in the later one, and X of N in all, test_statistic = (2 X - N) / sqrt(dispersion N), judged by Student''s distribution with (pairs with sales - 1) degrees of freedom: a quasi-Poisson regression with a level for each calendar month. It takes pairs of months to be independent of each other. trend: growing or shrinking where adjusted_p_value < 0.05, so that where nothing changes, any value of a dimension is called so in at most 5 of 100 marts, and where some do, at most 5 of 100 of those called so are not, in the long run; steady: not told from chance; not enough data: less than 6 pairs of months with sales, or less than 30 sales in them. A dimension of which nothing is recorded has no rows. Sales are those of the view purchase. Attribution E.';
COMMENT ON COLUMN market_trend.dimension IS 'company, segment, region, family or product.';
COMMENT ON COLUMN market_trend.value_id IS 'The segment, region, family or product_id; NULL: not known, and for the company.';
COMMENT ON COLUMN market_trend.value_name IS 'Its name.';
COMMENT ON COLUMN market_trend.first_day IS 'First day of the last 12 complete months.';
COMMENT ON COLUMN market_trend.last_day IS 'Their last day.';
COMMENT ON COLUMN market_trend.sold_count IS 'Sales in the 12 months: purchases, or won deals in a mart without any sale. Count; E.';
COMMENT ON COLUMN market_trend.sold_amount IS 'Their amount in the reporting currency. Amount; E; 0 where there are none.';
COMMENT ON COLUMN market_trend.unpriced_count IS 'Sales in the 12 months without an amount, or without a rate: they count as sales, and add nothing to amounts. Count; E.';
COMMENT ON COLUMN market_trend.total_sold_amount IS 'sold_amount of the company. Amount; E.';
COMMENT ON COLUMN market_trend.share_rate IS 'sold_amount / total_sold_amount. Fraction; E; NULL where nothing was sold.';
COMMENT ON COLUMN market_trend.compared_months IS 'Of the 12 months, those whose like a year before is in the history. Count.';
COMMENT ON COLUMN market_trend.compared_count IS 'Sales in these months. Count; E; sold_count where there are 12 of them.';
COMMENT ON COLUMN market_trend.prior_count IS 'Sales in the same months a year before. Count; E.';
COMMENT ON COLUMN market_trend.count_growth_rate IS '(compared_count - prior_count) / prior_count. Fraction; E; NULL where prior_count is 0.';
COMMENT ON COLUMN market_trend.count_growth_low IS 'Lower bound of the 95 % interval of it, of this row alone: it excludes 0 exactly where p_value < 0.05. Fraction; NULL where there is not enough data.';
COMMENT ON COLUMN market_trend.count_growth_high IS 'Upper bound of it. Fraction; NULL where there is not enough data, or no bound.';
COMMENT ON COLUMN market_trend.compared_amount IS 'Amount of the sales that compared_count counts. Amount; E; 0 where there are none.';
COMMENT ON COLUMN market_trend.prior_amount IS 'Amount of the sales that prior_count counts. Amount; E; 0 where there are none.';
COMMENT ON COLUMN market_trend.amount_growth_rate IS '(compared_amount - prior_amount) / prior_amount. Fraction; E; NULL where prior_amount is 0 or less. Amounts are not tested: few large deals move them.';
COMMENT ON COLUMN market_trend.total_compared_amount IS 'compared_amount of the company. Amount; E.';
COMMENT ON COLUMN market_trend.total_prior_amount IS 'prior_amount of the company. Amount; E.';
COMMENT ON COLUMN market_trend.compared_share_rate IS 'compared_amount / total_compared_amount. Fraction; E; NULL where that is 0 or less.';
COMMENT ON COLUMN market_trend.prior_share_rate IS 'prior_amount / total_prior_amount. Fraction; E; NULL where that is 0 or less.';
COMMENT ON COLUMN market_trend.share_shift IS 'compared_share_rate - prior_share_rate. Fraction; E.';
COMMENT ON COLUMN market_trend.won_count IS 'Deals won in the 12 months. Count; C.';
COMMENT ON COLUMN market_trend.lost_count IS 'Deals lost in the 12 months. Count; C.';
COMMENT ON COLUMN market_trend.win_rate IS 'won_count / (won_count + lost_count). Fraction; C; NULL where nothing closed.';
COMMENT ON COLUMN market_trend.win_rate_low IS 'Lower bound of the 95 % Wilson interval of win_rate. Fraction; NULL where nothing closed.';
COMMENT ON COLUMN market_trend.win_rate_high IS 'Upper bound of the 95 % Wilson interval of win_rate. Fraction; NULL where nothing closed.';
COMMENT ON COLUMN market_trend.dispersion IS 'How much more than by chance pairs of months differ among themselves: Pearson''s chi-square of the later months'' counts by its degrees of freedom, 1 at least. NULL where there is not enough data.';
COMMENT ON COLUMN market_trend.test_statistic IS '(compared_count - prior_count) / sqrt(dispersion x (compared_count + prior_count)). NULL where there is not enough data.';
COMMENT ON COLUMN market_trend.p_value IS 'The chance of a test_statistic as far from 0 or farther where nothing changes. Fraction; two-sided; NULL where there is not enough data.';
COMMENT ON COLUMN market_trend.test_count IS 'Values of the dimension that were tested. Count.';
COMMENT ON COLUMN market_trend.adjusted_p_value IS 'p_value adjusted for testing all of them (Benjamini and Hochberg''s false discovery rate). Fraction; NULL where there is not enough data.';
COMMENT ON COLUMN market_trend.trend IS 'growing, shrinking, steady or not enough data.';
COMMENT ON COLUMN market_trend.summary_text IS 'The same in a sentence.';

SET LOCAL search_path = sales_perf, pg_temp;
