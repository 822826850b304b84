-- What is strong and what is weak, where there is more to win and what is in danger, each with its evidence.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION is_beyond_chance(share double precision, other_share double precision, size double precision, other_size double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT abs(share - other_share) > 2.5758293035489
           * sqrt((share * size + other_share * other_size) / (size + other_size) * (1 - (share * size + other_share * other_size) / (size + other_size)) * (1 / size + 1 / other_size));
END;

COMMENT ON FUNCTION is_beyond_chance(double precision, double precision, double precision, double precision) IS 'Internal to swot: whether two shares differ at 1 %, by the variance of the share they have together.';

-- One reading of the deals, which is what takes time: those closed in the 12 months up to as_of(), by who closed them and in which
-- team; those of the 12 months before, of the company alone; those of each market and month; and who bought. In a function, for it
-- is planned with days that the planner knows.
CREATE FUNCTION closed_tallies()
    RETURNS TABLE (people sales_perf.closing_tally[], year_before sales_perf.closing_tally[], markets sales_perf.closing_tally[], accounts sales_perf.closing_tally[])
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    with_changes   boolean := is_changed_later();
    year_ago       date := (sales_perf.as_of() - interval '12 months')::date;
    two_years_ago  date := (sales_perf.as_of() - interval '24 months')::date;
    -- of the months that market_trend is about, and one more
    first_day      date := (date_trunc('month', (sales_perf.as_of() + 1)::timestamp) - interval '25 months')::date;
BEGIN
    RETURN QUERY
    SELECT sales_perf.closing_tally_agg(d.rep_id, t.team_id, a.segment, d.closed_on, d.outcome, d.reporting_amount, d.opened_on, d.expected_close_on, NULL)
               FILTER (WHERE d.closed_on > year_ago),
           sales_perf.closing_tally_agg(NULL, NULL, a.segment, d.closed_on, d.outcome, d.reporting_amount, d.opened_on, d.expected_close_on, NULL)
               FILTER (WHERE d.closed_on <= year_ago AND d.closed_on > two_years_ago),
           sales_perf.closing_tally_agg(a.segment, a.region, d.product_id, d.closed_on, d.outcome, d.reporting_amount, NULL, NULL, 'month'),
           sales_perf.closing_tally_agg(d.account_id, NULL, NULL, d.closed_on, d.outcome, d.reporting_amount, NULL, NULL, NULL)
               FILTER (WHERE d.outcome = 'won' AND d.closed_on > year_ago)
      FROM closed_deal_of(with_changes) d
      LEFT JOIN account a ON a.account_id = d.account_id
      -- for most reps one team holds for all time: they are few to look up, and the others' team is added afterwards
      LEFT JOIN (SELECT s.rep_id, s.team_id, s.valid_from, s.valid_to FROM rep_team s WHERE s.valid_from > '-infinity' OR s.valid_to < 'infinity') AS t
        ON t.rep_id = d.rep_id
       AND d.closed_on BETWEEN t.valid_from AND t.valid_to
       AND d.closed_on > year_ago
     WHERE d.closed_on >= first_day;
END
$$;

COMMENT ON FUNCTION closed_tallies() IS 'Behind swot: the closed deals of the last 25 months or more, counted by closing_tally_agg: people, those of the last 12 months by rep, dated team (NULL: that of all time, or none) and segment; year_before, those of the 12 months before by segment (third_key); markets, all by segment, region, product and month; accounts, those won in the last 12 months by account.';

CREATE VIEW swot_live WITH (security_invoker = true) AS
WITH closed AS MATERIALIZED (
    SELECT people,
           year_before,
           markets,
           accounts
      FROM closed_tallies()
),
-- Worked out once, not for each sale.
span AS MATERIALIZED (
    SELECT (sales_perf.as_of() - interval '12 months')::date AS year_ago,
           (date_trunc('month', (sales_perf.as_of() + 1)::timestamp) - interval '25 months')::date AS first_day
),
sold AS MATERIALIZED (
    SELECT sales_perf.closing_tally_agg(a.segment, a.region, d.product_id, d.sold_on, 'won', d.reporting_amount, NULL, NULL, 'month') AS markets,
           sales_perf.closing_tally_agg(d.account_id, NULL, NULL, d.sold_on, 'won', d.reporting_amount, NULL, NULL, NULL)
               FILTER (WHERE d.sold_on > (SELECT s.year_ago FROM span s)) AS accounts
      FROM sale_as_of d
      LEFT JOIN account a ON a.account_id = d.account_id
     WHERE d.sold_on >= (SELECT s.first_day FROM span s)
),
-- For each figure the count, the sum and the sum of squares of what it is the mean of: a share is a mean of zeros and ones.
-- Amounts that are no numbers (NaN, infinite) take those they were added to with them.
part AS MATERIALIZED (
    SELECT t.first_key AS rep_id,
           coalesce(t.second_key, always.team_id) AS team_id,
           coalesce(t.third_key, '') AS segment,
           y.is_prior,
           f.topic,
           f.n,
           f.total,
           f.squares
      FROM closed c
     CROSS JOIN LATERAL (VALUES (false, c.people), (true, c.year_before)) AS y (is_prior, tallies)
     CROSS JOIN LATERAL unnest(y.tallies) AS t
      LEFT JOIN rep_team always
        ON always.rep_id = t.first_key
       AND always.valid_from = '-infinity'
       AND always.valid_to = 'infinity'
     CROSS JOIN LATERAL (VALUES ('win_rate', (t.won_count + t.lost_count)::numeric, t.won_count::numeric, t.won_count::numeric),
                                ('average_deal_amount', CASE WHEN t.amount_squares < 'Infinity' THEN t.priced_count END, t.bookings_amount, t.amount_squares),
                                ('cycle_average_days', t.cycle_count, t.cycle_days, t.cycle_squares),
                                ('late_closing', t.expected_count, t.late_count, t.late_count)) AS f (topic, n, total, squares)
     WHERE f.n > 0
),
whole AS MATERIALIZED (
    SELECT segment, is_prior, topic, sum(n) AS n, sum(total) AS total, sum(squares) AS squares
      FROM part
     GROUP BY segment, is_prior, topic
),
own AS (
    SELECT 'company' AS level, NULL::text AS entity_id, segment, topic, n, total, squares
      FROM whole
     WHERE NOT is_prior
     UNION ALL
    SELECT 'team', t.team_id, p.segment, p.topic, sum(p.n), sum(p.total), sum(p.squares)
      FROM part p
      JOIN team_tree t ON t.member_team_id = p.team_id
     WHERE NOT p.is_prior
       AND p.topic <> 'late_closing'
     GROUP BY t.team_id, p.segment, p.topic
     UNION ALL
    SELECT 'rep', rep_id, segment, topic, sum(n), sum(total), sum(squares)
      FROM part
     WHERE NOT is_prior
       AND topic <> 'late_closing'
       AND rep_id IS NOT NULL
     GROUP BY rep_id, segment, topic
),
-- Peers: all who are not the entity; for the company, itself a year ago.
beside AS (
    SELECT o.level, o.entity_id, o.topic, o.n, o.total, o.squares,
           w.n - CASE WHEN o.level = 'company' THEN 0 ELSE o.n END AS peer_n,
           w.total - CASE WHEN o.level = 'company' THEN 0 ELSE o.total END AS peer_total,
           w.squares - CASE WHEN o.level = 'company' THEN 0 ELSE o.squares END AS peer_squares
      FROM own o
      JOIN whole w ON w.segment = o.segment AND w.topic = o.topic AND w.is_prior = (o.level = 'company')
),
-- What the peers' figures would give with the entity's mix. A segment in which peers have closed less than ten tells nothing.
compared AS MATERIALIZED (
    SELECT b.level,
           b.entity_id,
           b.topic,
           sum(b.n) AS n,
           sum(b.peer_n) AS peer_n,
           count(*) AS segment_count,
           sum(b.total) AS total,
           sum(b.n * b.peer_total / b.peer_n) AS expected,
           sum(b.squares - b.total * b.total / b.n) AS own_squares,
           sum(b.n * v.variance) AS variance,
           sum(b.n * b.n * v.variance / b.peer_n) AS peer_variance
      FROM beside b
     CROSS JOIN LATERAL (
            SELECT greatest(0, b.peer_squares - b.peer_total * b.peer_total / b.peer_n)
                   / CASE WHEN b.topic IN ('win_rate', 'late_closing') THEN b.peer_n ELSE b.peer_n - 1 END AS variance) AS v
     WHERE b.peer_n >= 10
     GROUP BY b.level, b.entity_id, b.topic
),
-- 99 % intervals: of a share Wilson's, of as many deals as make up for the mix and for that the peers' share is not known for
-- sure; of a mean Student's, by the larger of the entity's own spread and the peers', for a few large deals make both uncertain.
-- (Materialized, for what the intervals are made of stands in them many times.)
spread AS MATERIALIZED (
    SELECT c.level,
           c.entity_id,
           c.topic,
           c.topic IN ('win_rate', 'late_closing') AS is_share,
           c.n,
           c.peer_n,
           (c.total / c.n)::double precision AS value,
           (c.expected / c.n)::double precision AS peer_value,
           c.variance = 0 AS is_certain,
           CASE WHEN c.topic IN ('win_rate', 'late_closing')
                THEN CASE WHEN c.variance > 0
                          THEN c.expected * (c.n - c.expected) / (c.variance + c.peer_variance)
                          ELSE c.n * c.peer_n / (c.n + c.peer_n)
                     END::double precision END AS size,
           CASE WHEN c.topic NOT IN ('win_rate', 'late_closing') AND c.n > c.segment_count AND c.peer_n > c.segment_count
                THEN sqrt((greatest(c.variance, c.own_squares * c.n / (c.n - c.segment_count)) + c.peer_variance)::double precision) / c.n::double precision
                     * sales_perf.student_t_quantile(0.995, least(c.n - c.segment_count, c.peer_n - c.segment_count, 10000)::integer) END AS reach
      FROM compared c
     WHERE c.n >= 30
       AND c.peer_n >= 30
),
bounded AS (
    SELECT s.*,
           CASE WHEN s.is_share THEN score_interval_low(s.value, s.size, 2.5758293035489) ELSE s.value - s.reach END AS value_low,
           CASE WHEN s.is_share THEN score_interval_high(s.value, s.size, 2.5758293035489) ELSE s.value + s.reach END AS value_high
      FROM spread s
),
average AS MATERIALIZED (
    SELECT level, entity_id, sum(total) / nullif(sum(n), 0) AS deal_amount
      FROM own
     WHERE topic = 'average_deal_amount'
     GROUP BY level, entity_id
),
different AS (
    SELECT b.*,
           CASE b.topic
               WHEN 'win_rate' THEN round(((b.value - b.peer_value) * b.n::double precision)::numeric * a.deal_amount, 2)
               WHEN 'average_deal_amount' THEN round(((b.value - b.peer_value) * b.n::double precision)::numeric, 2)
           END AS amount
      FROM bounded b
      LEFT JOIN average a ON a.level = b.level AND coalesce(a.entity_id, '') = coalesce(b.entity_id, '')
     WHERE (b.value_low > b.peer_value OR b.value_high < b.peer_value)
       AND abs(b.value - b.peer_value) >= 0.05 * abs(b.peer_value)
       -- Peers who have none, or all, seem more certain than they are: then both sides are judged by the share they have together.
       AND (NOT b.is_certain
            OR NOT b.is_share
            OR is_beyond_chance(b.value, b.peer_value, b.n::double precision, b.peer_n::double precision))
),
market AS MATERIALIZED (
    SELECT t.dimension, t.value_id, t.value_name, t.first_day, t.last_day, t.sold_count, t.sold_amount, t.share_rate, t.compared_count, t.prior_count, t.count_growth_rate, t.count_growth_low,
           t.count_growth_high, t.compared_amount, t.prior_amount, t.won_count, t.lost_count, t.win_rate, t.win_rate_low, t.win_rate_high, t.trend
      FROM closed c
     CROSS JOIN sold s
     CROSS JOIN LATERAL market_trend_of(c.markets, s.markets) AS t
     WHERE t.dimension IN ('company', 'segment', 'region', 'product')
),
-- (Of d's own columns the planner has no statistics: by these it would expect as many groups as there are deals.)
open_deal AS MATERIALIZED (
    SELECT s.stage_id,
           a.segment,
           a.region,
           p.product_id,
           count(*) FILTER (WHERE isfinite(d.expected_close_on)) AS expected_count,
           count(*) FILTER (WHERE isfinite(d.expected_close_on) AND d.expected_close_on < sales_perf.as_of()) AS overdue_count,
           coalesce(sum(d.reporting_amount) FILTER (WHERE isfinite(d.expected_close_on) AND d.expected_close_on < sales_perf.as_of()), 0) AS overdue_amount,
           coalesce(sum(d.reporting_amount), 0) AS amount
      FROM deal_as_of d
      LEFT JOIN account a ON a.account_id = d.account_id
      LEFT JOIN stage s ON s.stage_id = d.stage_id
      LEFT JOIN product p ON p.product_id = d.product_id
     WHERE d.is_open
     GROUP BY s.stage_id, a.segment, a.region, p.product_id
),
effort AS (
    SELECT v.dimension,
           v.value_id,
           sum(o.amount) AS amount,
           (SELECT nullif(greatest(sum(t.amount), 0), 0) FROM open_deal t) AS total_amount
      FROM open_deal o
     CROSS JOIN LATERAL (VALUES ('segment', o.segment), ('region', o.region), ('product', o.product_id)) AS v (dimension, value_id)
     GROUP BY v.dimension, v.value_id
),
opportunity AS (
    SELECT m.*,
           c.win_rate AS company_win_rate,
           c.won_count + c.lost_count AS company_closed_count,
           e.effort_rate
      FROM market m
      JOIN market c ON c.dimension = 'company'
     CROSS JOIN LATERAL (
            SELECT (coalesce((SELECT e.amount FROM effort e WHERE e.dimension = m.dimension AND e.value_id = m.value_id), 0)
                    / (SELECT max(t.total_amount) FROM effort t))::double precision AS effort_rate) AS e
     WHERE m.dimension <> 'company'
       AND m.value_id IS NOT NULL
       AND m.trend = 'growing'
       AND m.won_count + m.lost_count >= 30
       AND m.win_rate_low > c.win_rate
       AND e.effort_rate < m.share_rate
),
slipping AS (
    SELECT s.stage_id,
           s.name,
           x.expected_count,
           x.peer_count,
           x.overdue_amount,
           x.value,
           x.peer_value,
           score_interval_low(x.value, 1 / (1 / x.expected_count + 1 / x.peer_count)::double precision, 2.5758293035489) AS value_low,
           score_interval_high(x.value, 1 / (1 / x.expected_count + 1 / x.peer_count)::double precision, 2.5758293035489) AS value_high
      FROM stage s
      JOIN (SELECT i.stage_id,
                   i.expected_count,
                   i.overdue_amount,
                   i.overdue_count::double precision / i.expected_count::double precision AS value,
                   i.pipeline_expected_count - i.expected_count AS peer_count,
                   (i.pipeline_overdue_count - i.overdue_count)::double precision / (i.pipeline_expected_count - i.expected_count)::double precision AS peer_value
              FROM (SELECT o.stage_id,
                           sum(o.expected_count) AS expected_count,
                           sum(o.overdue_count) AS overdue_count,
                           sum(o.overdue_amount) AS overdue_amount,
                           sum(sum(o.expected_count)) OVER (PARTITION BY p.pipeline_id) AS pipeline_expected_count,
                           sum(sum(o.overdue_count)) OVER (PARTITION BY p.pipeline_id) AS pipeline_overdue_count
                      FROM open_deal o
                      JOIN stage p ON p.stage_id = o.stage_id AND p.is_open
                     GROUP BY o.stage_id, p.pipeline_id) AS i
             WHERE i.expected_count >= 30
               AND i.pipeline_expected_count - i.expected_count >= 30) AS x ON x.stage_id = s.stage_id
),
-- As in the view purchase, won deals stand in for sales where there are none.
bought AS MATERIALIZED (
    SELECT b.first_key AS account_id,
           b.won_count AS sold_count,
           b.bookings_amount AS amount
      FROM sold s
     CROSS JOIN LATERAL unnest(s.accounts) AS b
     UNION ALL
    SELECT b.first_key,
           b.won_count,
           b.bookings_amount
      FROM closed c
     CROSS JOIN LATERAL unnest(c.accounts) AS b
     WHERE NOT EXISTS (SELECT FROM sale)
),
bought_in_all AS MATERIALIZED (
    SELECT sum(amount) AS amount
      FROM bought
),
-- Purchases of a day are one. The history of an account is looked up: of the accounts that matter, not of all.
at_risk AS (
    SELECT b.account_id,
           h.day_count,
           h.last_day,
           b.amount,
           (sales_perf.as_of() - h.last_day)::double precision AS silent_days,
           (h.last_day - h.first_day)::double precision / (h.day_count - 1)::double precision AS usual_gap_days
      FROM (SELECT account_id, amount
              FROM bought
             WHERE account_id IS NOT NULL
               AND amount > 0
             ORDER BY amount DESC, account_id COLLATE "C"
             LIMIT 500) AS b
     CROSS JOIN LATERAL (
            SELECT count(*) AS day_count,
                   min(sold_on) AS first_day,
                   max(sold_on) AS last_day
              FROM (SELECT DISTINCT p.sold_on
                      FROM purchase p
                     WHERE p.account_id = b.account_id) AS day) AS h
     WHERE h.day_count >= 3
       AND (sales_perf.as_of() - h.last_day) * (h.day_count - 1) > 2 * (h.last_day - h.first_day)
     ORDER BY b.amount DESC, b.account_id COLLATE "C"
     LIMIT 10
),
largest AS (
    SELECT account_id,
           sold_count,
           amount
      FROM bought
     WHERE account_id IS NOT NULL
       AND amount > 0
     ORDER BY amount DESC, account_id COLLATE "C"
     LIMIT 10
),
five AS (
    SELECT sum(sold_count) AS sold_count,
           sum(amount) AS amount
      FROM (SELECT sold_count, amount FROM largest ORDER BY amount DESC, account_id COLLATE "C" LIMIT 5) AS l
)
SELECT d.level,
       d.entity_id,
       e.name AS entity_name,
       CASE WHEN (d.value > d.peer_value) = (d.topic <> 'cycle_average_days') THEN 'strength' ELSE 'weakness' END AS kind,
       d.topic,
       d.topic AS subject_id,
       k.name AS subject,
       k.unit,
       d.value,
       d.peer_value,
       d.value_low,
       d.value_high,
       d.n::bigint AS sample_count,
       d.peer_n::bigint AS peer_sample_count,
       d.amount,
       NULL::double precision AS growth_rate,
       NULL::double precision AS share_rate,
       NULL::double precision AS effort_rate,
       (sales_perf.as_of() - interval '12 months')::date + 1 AS first_day,
       sales_perf.as_of() AS last_day,
       e.name || ': ' || k.name || ' ' || in_words(d.value::numeric, k.unit) || ' over ' || in_words(d.n, 'count')
       || CASE d.topic WHEN 'win_rate' THEN ' closed deals' ELSE ' won deals' END || ' of the 12 months up to ' || to_char(sales_perf.as_of(), 'YYYY-MM-DD')
       || ', where ' || CASE d.level WHEN 'company' THEN 'the year before' ELSE 'the others' END || ' with the same mix of segments had ' || in_words(d.peer_value::numeric, k.unit)
       || ' (99 % interval ' || in_words(d.value_low::numeric, k.unit) || ' to ' || in_words(d.value_high::numeric, k.unit) || '; rows are shown from 30 deals and a difference of 5 % on)'
       || coalesce(', ' || CASE WHEN d.amount < 0 THEN 'which cost ' ELSE 'which is worth ' END || in_words(abs(d.amount), 'amount'), '') || '.' AS summary_text
  FROM different d
  JOIN kpi k ON k.code = d.topic
 CROSS JOIN LATERAL (
        SELECT CASE d.level
                   WHEN 'company' THEN 'The company'
                   WHEN 'team' THEN (SELECT t.name FROM team t WHERE t.team_id = d.entity_id)
                   ELSE (SELECT r.name FROM rep r WHERE r.rep_id = d.entity_id)
               END AS name) AS e
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'opportunity',
       'growing_' || o.dimension,
       o.value_id,
       o.value_name,
       'fraction',
       o.win_rate,
       o.company_win_rate,
       o.win_rate_low,
       o.win_rate_high,
       o.won_count + o.lost_count,
       o.company_closed_count,
       o.sold_amount,
       o.count_growth_rate,
       o.share_rate,
       o.effort_rate,
       o.first_day,
       o.last_day,
       initcap(o.dimension) || ' ' || o.value_name || ' is growing, from ' || in_words(o.prior_count, 'count') || ' to ' || in_words(o.compared_count, 'count')
       || ' sales (12 months up to ' || to_char(o.last_day, 'YYYY-MM-DD') || ' and the same months a year before, beyond chance at 5 %), and ' || in_words(o.win_rate::numeric, 'fraction') || ' of '
       || in_words(o.won_count + o.lost_count, 'count') || ' closed deals were won (95 % interval from ' || in_words(o.win_rate_low::numeric, 'fraction') || ') against '
       || in_words(o.company_win_rate::numeric, 'fraction') || ' in the company; it brings ' || in_words(o.share_rate::numeric, 'fraction') || ' of the amount sold and has '
       || in_words(o.effort_rate::numeric, 'fraction') || ' of the open pipeline, less than its share.'
  FROM opportunity o
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'threat',
       'shrinking_' || m.dimension,
       m.value_id,
       m.value_name,
       'fraction',
       m.count_growth_rate,
       0,
       m.count_growth_low,
       m.count_growth_high,
       m.compared_count,
       m.prior_count,
       m.compared_amount - m.prior_amount,
       m.count_growth_rate,
       m.share_rate,
       NULL,
       m.first_day,
       m.last_day,
       initcap(m.dimension) || ' ' || m.value_name || ' is shrinking: ' || in_words(m.compared_count, 'count') || ' sales in the 12 months up to ' || to_char(m.last_day, 'YYYY-MM-DD')
       || ' and ' || in_words(m.prior_count, 'count') || ' in the same months a year before (95 % interval of the change ' || in_words(m.count_growth_low::numeric, 'fraction') || ' to '
       || in_words(m.count_growth_high::numeric, 'fraction') || '); amounts ' || in_words(m.compared_amount, 'amount') || ' and ' || in_words(m.prior_amount, 'amount') || '.'
  FROM market m
 WHERE m.dimension <> 'company'
   AND m.value_id IS NOT NULL
   AND m.trend = 'shrinking'
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'threat',
       'account_at_risk',
       r.account_id,
       a.name,
       'days',
       r.silent_days,
       r.usual_gap_days,
       NULL,
       NULL,
       r.day_count,
       NULL,
       r.amount,
       NULL,
       CASE WHEN t.amount > 0 THEN (r.amount / t.amount)::double precision END,
       NULL,
       (sales_perf.as_of() - interval '12 months')::date + 1,
       sales_perf.as_of(),
       a.name || ' has bought nothing for ' || in_words(r.silent_days::numeric, 'days') || ' (since ' || to_char(r.last_day, 'YYYY-MM-DD') || '), more than twice its usual gap of '
       || in_words(r.usual_gap_days::numeric, 'days') || ' between ' || in_words(r.day_count, 'count') || ' purchases; it brought ' || in_words(r.amount, 'amount') || ' in the last 12 months.'
  FROM at_risk r
  JOIN account a ON a.account_id = r.account_id
 CROSS JOIN bought_in_all t
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'threat',
       'concentration',
       l.account_id,
       a.name,
       'fraction',
       (l.amount / t.amount)::double precision,
       0.1,
       NULL,
       NULL,
       l.sold_count::bigint,
       NULL,
       l.amount,
       NULL,
       (l.amount / t.amount)::double precision,
       NULL,
       (sales_perf.as_of() - interval '12 months')::date + 1,
       sales_perf.as_of(),
       a.name || ' alone brought ' || in_words(l.amount / t.amount, 'fraction') || ' of the amount sold in the 12 months up to ' || to_char(sales_perf.as_of(), 'YYYY-MM-DD')
       || ', ' || in_words(l.amount, 'amount') || ' in ' || in_words(l.sold_count, 'count') || ' sales (limit 10 %).'
  FROM largest l
  JOIN account a ON a.account_id = l.account_id
  JOIN bought_in_all t ON l.amount > t.amount / 10 AND t.amount > 0
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'threat',
       'concentration',
       NULL,
       'The five largest accounts',
       'fraction',
       (f.amount / t.amount)::double precision,
       0.5,
       NULL,
       NULL,
       f.sold_count::bigint,
       NULL,
       f.amount,
       NULL,
       (f.amount / t.amount)::double precision,
       NULL,
       (sales_perf.as_of() - interval '12 months')::date + 1,
       sales_perf.as_of(),
       'The five largest accounts brought ' || in_words(f.amount / t.amount, 'fraction') || ' of the amount sold in the 12 months up to ' || to_char(sales_perf.as_of(), 'YYYY-MM-DD')
       || ', ' || in_words(f.amount, 'amount') || ' (limit 50 %).'
  FROM five f
  JOIN bought_in_all t ON f.amount > t.amount / 2 AND t.amount > 0
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'threat',
       d.topic,
       d.topic,
       'Closing later than expected',
       'fraction',
       d.value,
       d.peer_value,
       d.value_low,
       d.value_high,
       d.n::bigint,
       d.peer_n::bigint,
       NULL,
       NULL,
       NULL,
       NULL,
       (sales_perf.as_of() - interval '12 months')::date + 1,
       sales_perf.as_of(),
       in_words(d.value::numeric, 'fraction') || ' of ' || in_words(d.n, 'count') || ' deals closed later than the day they were last expected to in the 12 months up to '
       || to_char(sales_perf.as_of(), 'YYYY-MM-DD') || ', where the year before with the same mix of segments had ' || in_words(d.peer_value::numeric, 'fraction')
       || ' (99 % interval ' || in_words(d.value_low::numeric, 'fraction') || ' to ' || in_words(d.value_high::numeric, 'fraction') || ').'
  FROM different d
 WHERE d.topic = 'late_closing'
   AND d.value > d.peer_value
UNION ALL
SELECT 'company',
       NULL,
       'The company',
       'threat',
       'slipping_stage',
       s.stage_id,
       s.name,
       'fraction',
       s.value,
       s.peer_value,
       s.value_low,
       s.value_high,
       s.expected_count::bigint,
       s.peer_count::bigint,
       s.overdue_amount,
       NULL,
       NULL,
       NULL,
       sales_perf.as_of(),
       sales_perf.as_of(),
       'In stage ' || s.name || ' ' || in_words(s.value::numeric, 'fraction') || ' of ' || in_words(s.expected_count, 'count') || ' open deals are past the day they were expected to close, '
       || in_words(s.overdue_amount, 'amount') || '; in the other stages ' || in_words(s.peer_value::numeric, 'fraction') || ' (99 % interval ' || in_words(s.value_low::numeric, 'fraction')
       || ' to ' || in_words(s.value_high::numeric, 'fraction') || ').'
  FROM slipping s
 WHERE s.value_low > s.peer_value
   AND s.value >= 1.05 * s.peer_value
   AND is_beyond_chance(s.value, s.peer_value, s.expected_count::double precision, s.peer_count::double precision);

COMMENT ON VIEW swot_live IS 'What swot shows, made from the deals.';

CREATE TABLE rollup_swot (
    LIKE swot_live
);

COMMENT ON TABLE rollup_swot IS 'The rows of swot, as fold_rollup() has kept them.';
ALTER TABLE rollup_swot ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_swot_visible ON rollup_swot USING ((SELECT NOT rollup_report_is_hidden()));

CREATE VIEW swot WITH (security_invoker = true) AS
SELECT *
  FROM rollup_swot
 WHERE rollup_report_serves('swot')
UNION ALL
SELECT *
  FROM swot_live
 WHERE NOT rollup_report_serves('swot');

COMMENT ON VIEW swot IS 'Strengths, weaknesses, opportunities and threats, each with its numbers. Strengths and weaknesses (company, teams, reps): win_rate, average_deal_amount and cycle_average_days of the 12 months up to as_of(), by the owner of the deal and the team on the day of closing, against what peers (all others; for the company itself the 12 months before) had in the same segments: sum over segments of the entity''s share of deals x the peers'' figure there, segments with less than 10 deals of peers left out on both sides. Listed only where the 99 % interval excludes the peer value, the two differ by 5 % of the peer value or more, and each side has 30 deals: where nobody differs, one figure of 100 is listed by chance. Opportunities (company): segments, regions and products that market_trend calls growing, of whose deals (30 or more) the lower bound of the win rate''s 95 % interval is above the company''s win rate, and whose share of the open pipeline is below their share of the amount sold. Threats (company): shrinking ones; account_at_risk (3 or more days of purchases, silent for more than twice the mean gap between them, among the 500 accounts that bought most in the last 12 months: the 10 with the largest amount); concentration (an account with more than 10 %, or the largest five with more than 50 %, of the amount of the last 12 months); late_closing (more of the deals closed after their last expected day than in the year before, judged like a weakness); slipping_stage (more of a stage''s open deals past their expected day than in the other open stages of the pipeline, judged alike). No rows of a kind: nothing that differs, or not enough data.';
COMMENT ON COLUMN swot.level IS 'company, team or rep.';
COMMENT ON COLUMN swot.entity_id IS 'team_id or rep_id; NULL for the company.';
COMMENT ON COLUMN swot.entity_name IS 'Its name.';
COMMENT ON COLUMN swot.kind IS 'strength, weakness, opportunity or threat.';
COMMENT ON COLUMN swot.topic IS 'Which rule: win_rate, average_deal_amount, cycle_average_days; growing_ or shrinking_ and segment, region or product; account_at_risk, concentration, late_closing, slipping_stage.';
COMMENT ON COLUMN swot.subject_id IS 'What it is about: code of the KPI, the segment or region, product_id, account_id, stage_id; NULL for the five largest accounts.';
COMMENT ON COLUMN swot.subject IS 'Its name.';
COMMENT ON COLUMN swot.unit IS 'Unit of value, peer_value and the bounds: fraction, amount or days.';
COMMENT ON COLUMN swot.value IS 'The figure: the KPI (over the segments that can be compared); the win rate of an opportunity; the growth of what shrinks; the days an account has been silent; the share of the amount; the share of deals that are late.';
COMMENT ON COLUMN swot.peer_value IS 'What it is compared with: the peers'' figure with the entity''s mix of segments; the company''s win rate; 0; the usual gap; the limit; the year before; the other stages.';
COMMENT ON COLUMN swot.value_low IS 'Lower bound of the interval of value, 99 % for KPIs, late_closing and slipping_stage (it allows for the uncertainty of peer_value too), 95 % for what grows and shrinks; NULL where there is no chance in it.';
COMMENT ON COLUMN swot.value_high IS 'Upper bound of it.';
COMMENT ON COLUMN swot.sample_count IS 'Deals behind value; sales of what shrinks and of concentration; days of purchases of an account at risk. Count.';
COMMENT ON COLUMN swot.peer_sample_count IS 'Deals or sales behind peer_value. Count; NULL where it is a limit.';
COMMENT ON COLUMN swot.amount IS 'What it is about in money. win_rate: (value - peer_value) x sample_count x the entity''s average deal; average_deal_amount: (value - peer_value) x sample_count; opportunities: amount sold in the 12 months; what shrinks: change of the amount; accounts: amount of the last 12 months; slipping_stage: overdue amount. Amount; NULL for days and late_closing.';
COMMENT ON COLUMN swot.growth_rate IS 'Growth of the number of sales (market_trend.count_growth_rate). Fraction; NULL but for what grows or shrinks.';
COMMENT ON COLUMN swot.share_rate IS 'Share of the amount sold in the 12 months. Fraction; NULL where it says nothing.';
COMMENT ON COLUMN swot.effort_rate IS 'Share of the amount of the open pipeline. Fraction; opportunities only.';
COMMENT ON COLUMN swot.first_day IS 'First of the days value is about.';
COMMENT ON COLUMN swot.last_day IS 'Last of them.';
COMMENT ON COLUMN swot.summary_text IS 'The same in a sentence.';

SET LOCAL search_path = sales_perf, pg_temp;
