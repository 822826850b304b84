-- What kind of customer an account is: how lately, how often and for how much it buys, when the next purchase is due, and what it likes.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION account_quarter_day(first_day date)
    RETURNS TABLE (on_date date, quarter integer)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT d.on_date::date,
           coalesce(c.fiscal_quarter, extract(quarter FROM d.on_date)::integer)
      FROM generate_series(first_day::timestamp, sales_perf.as_of()::timestamp, interval '1 day') AS d (on_date)
      LEFT JOIN calendar c ON c.on_date = d.on_date::date AND c.region = '';
END;

COMMENT ON FUNCTION account_quarter_day(date) IS 'The fiscal quarter (1 to 4) of each day from one on up to as_of(): that of calendar, or where it does not have the day that of the year.';

-- Sales, or the won deals that stand in for them, and open deals, each grouped once, by parallel workers. What is read is planned
-- with what the planner knows: which of the ways to read won deals is not to be taken, and the days.
CREATE FUNCTION account_history()
    RETURNS TABLE (account_id text, covered_to date, history sales_perf.purchase_history, open_deal_count bigint, open_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 20000
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    today         constant date := sales_perf.as_of();
    year_ago      constant date := today - interval '12 months';
    two_years_ago constant date := today - interval '24 months';
    ten_years_ago constant date := today - interval '10 years';
    -- by the day's place among the days since: a subscript is cheaper than a join
    quarters      constant integer[] := ARRAY(SELECT q.quarter FROM account_quarter_day(ten_years_ago) AS q ORDER BY q.on_date);
    has_sales     constant boolean := EXISTS (SELECT FROM sale);
    with_changes  constant boolean := is_changed_later();
BEGIN
    RETURN QUERY
    SELECT (p.account_id COLLATE "C") COLLATE "default",
           max(p.covers_to),
           sales_perf.purchase_history_agg(
               p.sold_on,
               p.amount,
               p.product_id,
               quarters[p.sold_on - ten_years_ago + 1],
               CASE WHEN p.sold_on > year_ago THEN 0 WHEN p.sold_on > two_years_ago THEN 1 ELSE 2 END) FILTER (WHERE NOT p.is_open),
           count(*) FILTER (WHERE p.is_open),
           coalesce(sum(p.amount) FILTER (WHERE p.is_open), 0)
      FROM (SELECT s.account_id, s.product_id, s.sold_on, s.covers_to, s.reporting_amount AS amount, false AS is_open
              FROM sale_as_of s
             WHERE has_sales
            UNION ALL
            SELECT d.account_id, d.product_id, d.closed_on, NULL::date, d.reporting_amount, false
              FROM closed_deal d
             WHERE NOT has_sales
               AND NOT with_changes
               AND d.outcome = 'won'
               AND d.closed_on > '-infinity'
            UNION ALL
            SELECT w.account_id, w.product_id, w.sold_on, NULL::date, w.reporting_amount, false
              FROM won_deal_as_of w
             WHERE with_changes
            UNION ALL
            SELECT o.account_id, NULL::text, NULL::date, NULL::date, o.reporting_amount, true
              FROM deal_core_as_of o
             WHERE o.is_open) AS p
     WHERE p.account_id IS NOT NULL
     GROUP BY p.account_id COLLATE "C";
END
$$;

COMMENT ON FUNCTION account_history() IS 'Behind account_profile: what each account bought (view purchase) and the last day of a term it bought, its open deals and their amount. Accounts that have neither have no row.';

CREATE VIEW account_profile_live WITH (security_invoker = true) AS
WITH setting AS MATERIALIZED (
    SELECT sales_perf.as_of() AS today,
           (sales_perf.as_of() - interval '10 years')::date AS ten_years_ago,
           coalesce(' ' || (SELECT s.reporting_currency FROM mart_setting s), '') AS currency
),
-- How many days of each quarter there were since: a quarter that an account has seen twice is to hold more of its purchases
-- than one that it has seen once.
quarter_days AS (
    SELECT on_date,
           count(*) FILTER (WHERE quarter = 1) OVER since AS days_1,
           count(*) FILTER (WHERE quarter = 2) OVER since AS days_2,
           count(*) FILTER (WHERE quarter = 3) OVER since AS days_3,
           count(*) FILTER (WHERE quarter = 4) OVER since AS days_4,
           (count(*) OVER since)::double precision AS days
      FROM setting s
     CROSS JOIN LATERAL account_quarter_day(s.ten_years_ago) AS q
    WINDOW since AS (ORDER BY on_date DESC)
),
in_all AS MATERIALIZED (
    SELECT b.account_id,
           b.covered_to,
           (b.history).first_on,
           (b.history).last_on,
           (b.history).purchase_count,
           (b.history).recent_count,
           (b.history).unpriced_count,
           (b.history).total_amount,
           (b.history).recent_amount,
           (b.history).year_amount,
           greatest((b.history).day_count - 1, 0) AS gap_count,
           (b.history).gap_median AS gap_days,
           (b.history).quarter_1_count AS count_1,
           (b.history).quarter_2_count AS count_2,
           (b.history).quarter_3_count AS count_3,
           (b.history).quarter_4_count AS count_4,
           (b.history).liked_product_id,
           (b.history).liked_amount,
           b.open_deal_count,
           b.open_amount
      FROM account_history() AS b
),
buyers AS MATERIALIZED (
    SELECT count(*) AS account_count
      FROM in_all
     WHERE purchase_count > 0
),
-- Ties have the same score, that of their mean rank: (first + last rank of the tied) / 2. Twice that:
day_rank AS (
    SELECT last_on,
           (sum(count(*)) OVER (ORDER BY last_on) * 2 - count(*) + 1)::bigint AS twice_rank
      FROM in_all
     WHERE purchase_count > 0
     GROUP BY last_on
),
count_rank AS (
    SELECT recent_count,
           (sum(count(*)) OVER (ORDER BY recent_count) * 2 - count(*) + 1)::bigint AS twice_rank
      FROM in_all
     WHERE purchase_count > 0
     GROUP BY recent_count
),
amount_rank AS (
    SELECT recent_amount,
           (sum(count(*)) OVER (ORDER BY recent_amount) * 2 - count(*) + 1)::bigint AS twice_rank
      FROM in_all
     WHERE purchase_count > 0
     GROUP BY recent_amount
),
scored AS (
    SELECT i.*,
           b.account_count AS scored_count,
           CASE WHEN b.account_count >= 5 THEN (5 * d.twice_rank + 2 * b.account_count - 1) / (2 * b.account_count) END AS r_score,
           CASE WHEN b.account_count >= 5 THEN (5 * c.twice_rank + 2 * b.account_count - 1) / (2 * b.account_count) END AS f_score,
           CASE WHEN b.account_count >= 5 THEN (5 * m.twice_rank + 2 * b.account_count - 1) / (2 * b.account_count) END AS m_score
      FROM in_all i
     CROSS JOIN buyers b
      LEFT JOIN day_rank d ON d.last_on = i.last_on
      LEFT JOIN count_rank c ON c.recent_count = i.recent_count AND i.purchase_count > 0
      LEFT JOIN amount_rank m ON m.recent_amount = i.recent_amount AND i.purchase_count > 0
),
-- How far each quarter is beyond its part of the days, in standard errors, with the correction for whole numbers.
excess AS (
    SELECT i.account_id,
           i.count_1, i.count_2, i.count_3, i.count_4,
           i.count_1 + i.count_2 + i.count_3 + i.count_4 AS n,
           d.days_1, d.days_2, d.days_3, d.days_4, d.days
      FROM in_all i
     CROSS JOIN setting s
      JOIN quarter_days d ON d.on_date = greatest(i.first_on, s.ten_years_ago)
     WHERE i.count_1 + i.count_2 + i.count_3 + i.count_4 >= 4
       AND d.days > greatest(d.days_1, d.days_2, d.days_3, d.days_4)
),
likeliest AS (
    SELECT e.*,
           CASE WHEN days_1 > 0 THEN (count_1 - 0.5 - n * days_1 / days) / sqrt(n * days_1 * (days - days_1)) * days ELSE 0 END AS z_1,
           CASE WHEN days_2 > 0 THEN (count_2 - 0.5 - n * days_2 / days) / sqrt(n * days_2 * (days - days_2)) * days ELSE 0 END AS z_2,
           CASE WHEN days_3 > 0 THEN (count_3 - 0.5 - n * days_3 / days) / sqrt(n * days_3 * (days - days_3)) * days ELSE 0 END AS z_3,
           CASE WHEN days_4 > 0 THEN (count_4 - 0.5 - n * days_4 / days) / sqrt(n * days_4 * (days - days_4)) * days ELSE 0 END AS z_4
      FROM excess e
    OFFSET 0
),
season AS (
    SELECT l.account_id,
           x.quarter,
           x.day_count,
           x.quarter_days / l.days AS even_share
      FROM likeliest l
     CROSS JOIN LATERAL (VALUES (1, l.count_1, l.days_1, l.z_1), (2, l.count_2, l.days_2, l.z_2), (3, l.count_3, l.days_3, l.z_3), (4, l.count_4, l.days_4, l.z_4)) AS x (quarter, day_count, quarter_days, z)
     WHERE greatest(l.z_1, l.z_2, l.z_3, l.z_4) > 2.807
       AND x.z = greatest(l.z_1, l.z_2, l.z_3, l.z_4)
),
-- OFFSET 0: what is worked out here is worked out once, not for each use below.
figure AS (
    SELECT a.account_id,
           a.name AS account_name,
           a.segment,
           a.owner_rep_id,
           r.name AS owner_rep_name,
           i.first_on,
           i.last_on,
           s.today - i.last_on AS recency_days,
           coalesce(i.purchase_count, 0) AS purchase_count,
           coalesce(i.recent_count, 0) AS recent_count,
           CASE WHEN i.purchase_count > 0 THEN i.gap_count + 1 ELSE 0 END AS purchase_day_count,
           coalesce(i.unpriced_count, 0) AS unpriced_count,
           coalesce(i.total_amount, 0) AS total_amount,
           coalesce(i.recent_amount, 0) AS recent_amount,
           coalesce(i.year_amount, 0) AS year_amount,
           i.r_score::integer AS r_score,
           i.f_score::integer AS f_score,
           i.m_score::integer AS m_score,
           CASE WHEN i.purchase_count > 0 THEN i.scored_count END AS scored_count,
           CASE WHEN i.gap_count >= 2 THEN i.gap_days END AS usual_gap_days,
           coalesce(i.gap_count, 0) AS gap_count,
           i.covered_to,
           i.covered_to >= s.today AS is_covered,
           -- (a term without an end has no distance)
           CASE
               WHEN coalesce(i.gap_count, 0) < 2 THEN NULL
               WHEN i.covered_to >= s.today THEN 0
               WHEN i.covered_to > i.last_on THEN greatest(0, least(s.today - i.last_on - i.gap_days, s.today - i.covered_to))
               ELSE greatest(0, s.today - i.last_on - i.gap_days)
           END AS overdue_days,
           p.product_id AS preferred_product_id,
           p.name AS preferred_product_name,
           p.family AS preferred_family,
           i.liked_amount AS preferred_product_amount,
           e.quarter AS preferred_quarter,
           i.count_1 + i.count_2 + i.count_3 + i.count_4 AS season_day_count,
           e.day_count AS quarter_day_count,
           e.even_share AS quarter_even_share,
           i.open_deal_count,
           i.open_amount,
           s.currency
      FROM account a
     CROSS JOIN setting s
      JOIN scored i ON i.account_id = a.account_id
      LEFT JOIN season e ON e.account_id = a.account_id
      LEFT JOIN product p ON p.product_id = i.liked_product_id
      LEFT JOIN rep r ON r.rep_id = a.owner_rep_id
     WHERE i.purchase_count > 0
        OR i.open_deal_count > 0
    OFFSET 0
),
named AS (
    SELECT f.*,
           CASE
               WHEN f.purchase_count = 0 THEN 'prospect'
               WHEN f.r_score IS NULL THEN 'not enough data'
               WHEN f.r_score >= 4 AND f.f_score + f.m_score >= 8 THEN 'champions'
               WHEN f.r_score >= 3 AND f.f_score + f.m_score >= 6 THEN 'loyal'
               WHEN f.r_score >= 4 THEN 'promising'
               WHEN f.r_score = 3 THEN 'needs attention'
               WHEN f.f_score + f.m_score >= 7 THEN 'at risk'
               WHEN f.r_score = 2 THEN 'hibernating'
               ELSE 'lost'
           END AS rfm_segment,
           CASE
               WHEN f.overdue_days > f.usual_gap_days THEN greatest(f.year_amount, 0)
               WHEN f.overdue_days IS NOT NULL THEN 0
           END AS value_at_risk_amount
      FROM figure f
    OFFSET 0
)
SELECT account_id,
       account_name,
       segment,
       owner_rep_id,
       owner_rep_name,
       first_on AS first_purchase_on,
       last_on AS last_purchase_on,
       recency_days,
       purchase_count,
       recent_count AS recent_purchase_count,
       purchase_day_count,
       recent_amount AS monetary_amount,
       total_amount,
       year_amount,
       unpriced_count,
       r_score,
       f_score,
       m_score,
       scored_count,
       rfm_segment,
       usual_gap_days,
       gap_count,
       covered_to,
       overdue_days,
       overdue_days / usual_gap_days AS overdue_ratio,
       CASE
           WHEN purchase_count = 0 THEN 'no purchase yet'
           WHEN usual_gap_days IS NULL THEN 'not enough data: ' || purchase_day_count || ' of 3 purchase days'
           WHEN is_covered THEN 'covered by a term'
           WHEN overdue_days > usual_gap_days THEN 'overdue by more than a usual gap'
           WHEN overdue_days > 0 THEN 'due'
           ELSE 'not due yet'
       END AS overdue_note,
       preferred_product_id,
       preferred_product_name,
       preferred_product_amount,
       CASE WHEN total_amount > 0 THEN (preferred_product_amount / total_amount)::double precision END AS preferred_product_share,
       preferred_family,
       preferred_quarter,
       quarter_day_count AS preferred_quarter_day_count,
       coalesce(season_day_count, 0) AS season_day_count,
       quarter_day_count::double precision / season_day_count AS preferred_quarter_share,
       quarter_even_share AS preferred_quarter_even_share,
       CASE
           WHEN preferred_quarter IS NOT NULL THEN 'quarter ' || preferred_quarter
           WHEN coalesce(season_day_count, 0) < 4 THEN 'not enough data: ' || coalesce(season_day_count, 0) || ' of 4 purchase days'
           ELSE 'no clear season'
       END AS season_note,
       value_at_risk_amount,
       open_deal_count,
       open_amount AS open_pipeline_amount,
       CASE
           WHEN purchase_count = 0
           THEN account_name || ' has bought nothing yet'
           ELSE account_name || CASE WHEN rfm_segment = 'not enough data' THEN '' ELSE ' (' || rfm_segment || ')' END
                || CASE
                       WHEN recent_count = 0 THEN ' has bought nothing in the last 24 months, the last time '
                       ELSE ' bought ' || CASE recent_count WHEN 1 THEN 'once' ELSE recent_count || ' times' END || ' for '
                            || to_char(recent_amount, 'FM99,999,999,999,999,999,990') || currency || ' in the last 24 months, last '
                   END
                || CASE recency_days WHEN 0 THEN 'today' WHEN 1 THEN 'yesterday' ELSE recency_days || ' days ago' END
                || CASE
                       WHEN usual_gap_days IS NULL THEN '; too few purchase days to know its usual gap (' || purchase_day_count || ' of 3)'
                       ELSE '; it usually buys every ' || round(usual_gap_days)::bigint || CASE round(usual_gap_days) WHEN 1 THEN ' day' ELSE ' days' END
                            || CASE
                                   WHEN is_covered THEN ', and is covered by a term'
                                   WHEN overdue_days > usual_gap_days
                                   THEN ', and is ' || round(overdue_days)::bigint || CASE round(overdue_days) WHEN 1 THEN ' day' ELSE ' days' END || ' overdue, more than its usual gap: '
                                        || to_char(value_at_risk_amount, 'FM99,999,999,999,999,999,990') || currency || ' of the last 12 months at risk'
                                   WHEN overdue_days > 0 THEN ', and is ' || round(overdue_days)::bigint || CASE round(overdue_days) WHEN 1 THEN ' day' ELSE ' days' END || ' past it'
                                   ELSE ', and is not due yet'
                               END
                   END
                || coalesce('; most of it ' || preferred_product_name || CASE
                                                                            WHEN total_amount > 0 AND preferred_product_amount <= total_amount
                                                                            THEN ' (' || round(100 * preferred_product_amount / total_amount) || ' %)'
                                                                            ELSE ''
                                                                        END, '')
                || coalesce('; above all in quarter ' || preferred_quarter || ' (' || quarter_day_count || ' of ' || season_day_count || ' purchase days)', '')
       END
       || CASE open_deal_count
              WHEN 0 THEN ''
              ELSE '; ' || open_deal_count || CASE open_deal_count WHEN 1 THEN ' open deal' ELSE ' open deals' END || ' of ' || to_char(open_amount, 'FM99,999,999,999,999,999,990') || currency
          END
       || '.' AS summary_text
  FROM named;

COMMENT ON VIEW account_profile_live IS 'What account_profile shows, made from the deals.';

CREATE TABLE rollup_account_profile (
    LIKE account_profile_live
);

COMMENT ON TABLE rollup_account_profile IS 'The rows of account_profile, as fold_rollup() has kept them.';
ALTER TABLE rollup_account_profile ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_account_profile_visible ON rollup_account_profile USING ((SELECT NOT rollup_report_is_hidden()));

CREATE VIEW account_profile WITH (security_invoker = true) AS
SELECT *
  FROM rollup_account_profile
 WHERE rollup_report_serves('account_profile')
UNION ALL
SELECT *
  FROM account_profile_live
 WHERE NOT rollup_report_serves('account_profile');

COMMENT ON VIEW account_profile IS 'One row for each account that ever bought something (view purchase: sales, or won deals in a mart without sales) or has an open deal. A purchase is a row of purchase with an amount above 0 or not known; what is 0 or less (a refund) only takes from amounts. RFM: r_score by last_purchase_on (the later the better), f_score by recent_purchase_count, m_score by monetary_amount, the latter two of the last 24 months: score = ceil(5 x mean rank / accounts that ever bought), 1 lowest to 5 highest, so equal figures have equal scores; NULL where fewer than 5 accounts ever bought. rfm_segment, the first that fits, v = f_score + m_score: champions: r_score >= 4 and v >= 8; loyal: r_score >= 3 and v >= 6; promising: r_score >= 4; needs attention: r_score = 3; at risk: v >= 7; hibernating: r_score = 2; lost: the rest; prospect: never bought. Scores compare with the mart''s other accounts: some are always lowest. usual_gap_days: median of the days between neighbouring purchase days, with at least 3 such days. An account is overdue when its last purchase is longer ago than that and no term (covers_to) runs, and its value is at risk when it is overdue by more than one more usual gap. preferred_quarter: the fiscal quarter (calendar) with more purchase days than its part of the days since the first purchase (of the last 10 years) lets expect, of at least 4 purchase days, where (days - 0.5 - expected) is more than 2.807 standard errors: by chance alone in about one of 100 accounts. A filter on an account does not make it faster, for scores need all.';
COMMENT ON COLUMN account_profile.account_id IS 'The account.';
COMMENT ON COLUMN account_profile.account_name IS 'Its name.';
COMMENT ON COLUMN account_profile.segment IS 'Its segment.';
COMMENT ON COLUMN account_profile.owner_rep_id IS 'The rep who owns it; NULL: nobody.';
COMMENT ON COLUMN account_profile.owner_rep_name IS 'Name of the rep.';
COMMENT ON COLUMN account_profile.first_purchase_on IS 'Day of the first purchase; NULL: none yet.';
COMMENT ON COLUMN account_profile.last_purchase_on IS 'Day of the last purchase up to as_of(); NULL: none yet.';
COMMENT ON COLUMN account_profile.recency_days IS 'as_of() - last_purchase_on. Days; S; NULL: none yet.';
COMMENT ON COLUMN account_profile.purchase_count IS 'Purchases ever. Count; S.';
COMMENT ON COLUMN account_profile.recent_purchase_count IS 'Purchases in the 24 months up to as_of(): the frequency. Count; S.';
COMMENT ON COLUMN account_profile.purchase_day_count IS 'Days with a purchase, ever. Count; S.';
COMMENT ON COLUMN account_profile.monetary_amount IS 'Sum of what was bought in the 24 months up to as_of(), less refunds. Amount; S.';
COMMENT ON COLUMN account_profile.total_amount IS 'The same, ever. Amount; S.';
COMMENT ON COLUMN account_profile.year_amount IS 'The same, in the 12 months up to as_of(). Amount; S.';
COMMENT ON COLUMN account_profile.unpriced_count IS 'Purchases without an amount, or in a currency without a rate: they add nothing to amounts. Count; S.';
COMMENT ON COLUMN account_profile.r_score IS 'Recency, 1 (longest ago) to 5; NULL: no purchase, or fewer than 5 accounts with one.';
COMMENT ON COLUMN account_profile.f_score IS 'Frequency, 1 (fewest) to 5; NULL likewise.';
COMMENT ON COLUMN account_profile.m_score IS 'Amount, 1 (least) to 5; NULL likewise.';
COMMENT ON COLUMN account_profile.scored_count IS 'Accounts that the scores compare with: all that ever bought. Count; S; NULL: no purchase yet.';
COMMENT ON COLUMN account_profile.rfm_segment IS 'champions, loyal, promising, needs attention, at risk, hibernating, lost; prospect: no purchase yet; not enough data: fewer than 5 accounts with one.';
COMMENT ON COLUMN account_profile.usual_gap_days IS 'Median of the gaps between purchase days. Days; S; NULL with fewer than 3 purchase days.';
COMMENT ON COLUMN account_profile.gap_count IS 'Gaps there are. Count; S.';
COMMENT ON COLUMN account_profile.covered_to IS 'Last day of the latest term bought; NULL: none.';
COMMENT ON COLUMN account_profile.overdue_days IS 'as_of() - last_purchase_on - usual_gap_days, at most as_of() - covered_to; 0 where that is below 0 or a term runs. Days; S; NULL where the usual gap is not known.';
COMMENT ON COLUMN account_profile.overdue_ratio IS 'overdue_days / usual_gap_days. Ratio; S; NULL where the usual gap is not known.';
COMMENT ON COLUMN account_profile.overdue_note IS 'not due yet, due, overdue by more than a usual gap, covered by a term, no purchase yet, or not enough data: fewer than 3 purchase days.';
COMMENT ON COLUMN account_profile.preferred_product_id IS 'The product with the largest amount, refunds taken off; ties by product_id; NULL: none above 0.';
COMMENT ON COLUMN account_profile.preferred_product_name IS 'Its name.';
COMMENT ON COLUMN account_profile.preferred_product_amount IS 'Its amount, ever. Amount; S.';
COMMENT ON COLUMN account_profile.preferred_product_share IS 'preferred_product_amount / total_amount. Fraction; above 1 where refunds are without a product; NULL where total_amount is 0 or less.';
COMMENT ON COLUMN account_profile.preferred_family IS 'The family of the preferred product.';
COMMENT ON COLUMN account_profile.preferred_quarter IS 'Fiscal quarter in which the account buys above all, 1 to 4; NULL: none, or too few purchase days to say.';
COMMENT ON COLUMN account_profile.preferred_quarter_day_count IS 'Purchase days in it. Count; S.';
COMMENT ON COLUMN account_profile.season_day_count IS 'Purchase days of the last 10 years. Count; S.';
COMMENT ON COLUMN account_profile.preferred_quarter_share IS 'preferred_quarter_day_count / season_day_count. Fraction; S.';
COMMENT ON COLUMN account_profile.preferred_quarter_even_share IS 'Share that days in this quarter have of all since the first purchase: what even buying would give. Fraction; S.';
COMMENT ON COLUMN account_profile.season_note IS 'The quarter, no clear season, or not enough data: fewer than 4 purchase days.';
COMMENT ON COLUMN account_profile.value_at_risk_amount IS 'year_amount of an account that is overdue by more than its usual gap (overdue_ratio above 1), 0 for others. Amount; S; NULL where the usual gap is not known.';
COMMENT ON COLUMN account_profile.open_deal_count IS 'Open deals. Count; S.';
COMMENT ON COLUMN account_profile.open_pipeline_amount IS 'Sum of their amounts, at the rates of as_of(). Amount; S.';
COMMENT ON COLUMN account_profile.summary_text IS 'That in a sentence.';

SET LOCAL search_path = sales_perf, pg_temp;
