-- Who wins which kind of account: win rates by rep and segment, with chance taken out of them.
--
-- A rep who won 3 of 3 is not one who always wins. Each rate is drawn towards what rep and segment alone let expect, the more the fewer deals there are,
-- and how much reps differ at all is found from the data (empirical Bayes). Sums of floating-point numbers are made in the order of ids,
-- for their last digits depend on it.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW rep_fit WITH (security_invoker = true) AS
WITH cell AS MATERIALIZED (
    SELECT d.rep_id,
           coalesce(a.segment, '(no segment)') AS segment,
           count(*) AS closed_count,
           count(*) FILTER (WHERE d.outcome = 'won') AS won_count
      FROM deal_core_as_of d
      LEFT JOIN account a ON a.account_id = d.account_id
     WHERE NOT d.is_open
       AND d.rep_id IS NOT NULL
       AND d.closed_on > (sales_perf.as_of() - interval '24 months')::date
     GROUP BY d.rep_id, coalesce(a.segment, '(no segment)')
),
-- The variance of one deal, with one win and one loss added, so that there is some where all were won.
segment_mean AS MATERIALIZED (
    SELECT segment,
           sum(closed_count)::bigint AS closed_count,
           sum(won_count)::bigint AS won_count,
           (sum(won_count) / sum(closed_count))::double precision AS rate,
           ((sum(won_count) + 1) * (sum(closed_count) - sum(won_count) + 1) / (sum(closed_count) + 2) ^ 2)::double precision AS variance
      FROM cell
     GROUP BY segment
),
rep_mean AS MATERIALIZED (
    SELECT c.rep_id,
           sum(c.closed_count)::bigint AS closed_count,
           sum(c.won_count)::bigint AS won_count,
           sum(c.won_count - c.closed_count * s.rate ORDER BY c.segment COLLATE "C") / sum(c.closed_count)::double precision AS difference,
           sum(c.closed_count * s.variance ORDER BY c.segment COLLATE "C") / (sum(c.closed_count) ^ 2)::double precision AS variance
      FROM cell c
      JOIN segment_mean s ON s.segment = c.segment
     GROUP BY c.rep_id
),
between_reps AS MATERIALIZED (
    SELECT count(*) AS rep_count,
           coalesce(greatest(0, (sum(difference ^ 2 / variance ORDER BY rep_id COLLATE "C") - (count(*) - 1)) / sum(1 / variance ORDER BY rep_id COLLATE "C")), 0) AS variance
      FROM rep_mean
),
rep_part AS MATERIALIZED (
    SELECT r.*,
           b.variance / (b.variance + r.variance) AS weight
      FROM rep_mean r
     CROSS JOIN between_reps b
),
residual AS MATERIALIZED (
    SELECT c.rep_id,
           c.segment,
           c.closed_count,
           c.won_count,
           c.won_count::double precision / c.closed_count AS rate,
           s.closed_count AS segment_closed_count,
           s.won_count AS segment_won_count,
           s.rate AS segment_rate,
           r.closed_count AS rep_closed_count,
           r.won_count AS rep_won_count,
           r.weight * r.difference AS rep_effect,
           r.weight * r.variance AS rep_variance,
           c.won_count::double precision / c.closed_count - s.rate - r.weight * r.difference AS difference,
           s.variance / c.closed_count AS variance
      FROM cell c
      JOIN segment_mean s ON s.segment = c.segment
      JOIN rep_part r ON r.rep_id = c.rep_id
),
freedom AS (
    SELECT (SELECT count(*) FROM residual) - (SELECT count(*) FROM segment_mean)
           - sum(r.weight ORDER BY r.rep_id COLLATE "C") * (count(*) - 1) / count(*) AS degrees
      FROM rep_part r
),
between_cells AS MATERIALIZED (
    SELECT greatest(0, (sum(r.difference ^ 2 / r.variance ORDER BY r.rep_id COLLATE "C", r.segment COLLATE "C") - greatest(0, (SELECT f.degrees FROM freedom f)))
                       / sum(1 / r.variance ORDER BY r.rep_id COLLATE "C", r.segment COLLATE "C"))
           -- without a degree of freedom nothing tells
           * ((SELECT f.degrees FROM freedom f) > 0)::integer AS variance
      FROM residual r
),
weighed AS (
    SELECT r.*,
           b.variance / (b.variance + r.variance) AS weight
      FROM residual r
     CROSS JOIN between_cells b
),
estimate AS (
    SELECT w.*,
           greatest(0, least(1, w.segment_rate + w.rep_effect)) AS expected_rate,
           greatest(0, least(1, w.segment_rate + w.rep_effect + w.weight * w.difference)) AS shrunk_rate,
           sqrt((1 - w.weight) ^ 2 * w.rep_variance + w.weight * w.variance) AS shrunk_se
      FROM weighed w
    OFFSET 0
),
judged AS (
    SELECT e.*,
           greatest(0, e.shrunk_rate - 1.959963984540054 * e.shrunk_se) AS shrunk_low_rate,
           least(1, e.shrunk_rate + 1.959963984540054 * e.shrunk_se) AS shrunk_high_rate,
           n.name AS rep_name,
           n.rep_id IS NOT NULL AND coalesce(n.left_on > sales_perf.as_of(), true) AS is_employed,
           max(CASE WHEN n.rep_id IS NOT NULL AND coalesce(n.left_on > sales_perf.as_of(), true) AND e.closed_count >= 10 THEN e.shrunk_rate END) OVER (PARTITION BY e.segment) AS best_rate
      FROM estimate e
      LEFT JOIN rep n ON n.rep_id = e.rep_id
    OFFSET 0
),
flagged AS (
    SELECT j.*,
           coalesce(j.is_employed AND j.closed_count >= 10 AND j.shrunk_rate = j.best_rate AND j.shrunk_low_rate > j.segment_rate, false) AS is_best
      FROM judged j
    OFFSET 0
)
SELECT rep_id,
       coalesce(rep_name, rep_id) AS rep_name,
       segment,
       is_employed,
       closed_count,
       won_count,
       rate AS win_rate,
       shrunk_rate,
       shrunk_low_rate,
       shrunk_high_rate,
       expected_rate,
       rep_closed_count,
       rep_won_count,
       rep_won_count::double precision / rep_closed_count AS rep_win_rate,
       segment_closed_count,
       segment_won_count,
       segment_rate AS segment_win_rate,
       shrunk_rate - segment_rate AS lift_rate,
       is_best,
       CASE
           WHEN closed_count < 10 THEN 'not enough data: ' || closed_count || ' of 10 closed deals'
           WHEN shrunk_low_rate > segment_rate THEN 'above the segment'
           WHEN shrunk_high_rate < segment_rate THEN 'below the segment'
           ELSE 'as the segment'
       END AS fit_note,
       coalesce(rep_name, rep_id) || ' wins an estimated ' || to_char(100 * shrunk_rate, 'FM990.0') || ' % of deals in ' || segment || ', where all win ' || to_char(100 * segment_rate, 'FM990.0')
       || ' %: ' || won_count || ' of ' || closed_count || ' closed in the last 24 months were won, and rep and segment alone let expect ' || to_char(100 * expected_rate, 'FM990.0') || ' %; '
       || CASE
              WHEN closed_count < 10 THEN 'fewer than 10 closed deals are too few to judge'
              WHEN is_best THEN 'the best fit for the segment, and more than chance: the 95 % interval, ' || to_char(100 * shrunk_low_rate, 'FM990.0') || ' to ' || to_char(100 * shrunk_high_rate, 'FM990.0') || ' %, lies above it'
              WHEN shrunk_low_rate > segment_rate THEN 'more than chance: the 95 % interval begins at ' || to_char(100 * shrunk_low_rate, 'FM990.0') || ' %'
              WHEN shrunk_high_rate < segment_rate THEN 'less than chance would do: the 95 % interval ends at ' || to_char(100 * shrunk_high_rate, 'FM990.0') || ' %'
              ELSE 'no more than chance may do'
          END
       || '.' AS summary_text
  FROM flagged;

COMMENT ON VIEW rep_fit IS 'Win rates by rep and segment of the account, of deals closed in the 24 months up to as_of(), with chance taken out (empirical Bayes on the additive scale). With p the segment''s win rate and u = (won + 1)(lost + 1) / (closed + 2)^2 of the segment: (1) a rep''s difference is d = sum(won - closed p) / sum(closed) over his segments, of variance v = sum(closed u) / sum(closed)^2; reps differ by the variance t = max(0, (sum(d^2 / v) - (reps - 1)) / sum(1 / v)) (moments); expected_rate = p + w d, with w = t / (t + v). (2) A cell''s difference is e = won / closed - p - w d, of variance x = u / closed; cells differ by y = max(0, (sum(e^2 / x) - (cells - segments - sum(w) (reps - 1) / reps)) / sum(1 / x)), 0 where that leaves no degree of freedom; shrunk_rate = p + w d + z e, with z = y / (y + x). Its interval is shrunk_rate -+ 1.96 sqrt((1 - z)^2 w v + z x). All within 0 and 1. is_best: the highest shrunk_rate of the segment among reps who are employed and closed at least 10 deals in it, where the interval lies above the segment''s win rate. Rep and segment with no closed deal have no row.';
COMMENT ON COLUMN rep_fit.rep_id IS 'The rep, owner of the deals.';
COMMENT ON COLUMN rep_fit.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN rep_fit.segment IS 'Segment of the account, as it is now; (no segment): none, or no account.';
COMMENT ON COLUMN rep_fit.is_employed IS 'True where the rep is in table rep and has not left by as_of().';
COMMENT ON COLUMN rep_fit.closed_count IS 'Deals of the rep in the segment that were won or lost in the last 24 months. Count; C.';
COMMENT ON COLUMN rep_fit.won_count IS 'Of these, won. Count; C.';
COMMENT ON COLUMN rep_fit.win_rate IS 'won_count / closed_count. Fraction; C.';
COMMENT ON COLUMN rep_fit.shrunk_rate IS 'The win rate to be expected of the rep in the segment: win_rate drawn towards expected_rate. Fraction.';
COMMENT ON COLUMN rep_fit.shrunk_low_rate IS 'Lower bound of its 95 % interval. Fraction; the same as shrunk_rate where reps do not differ more than by chance.';
COMMENT ON COLUMN rep_fit.shrunk_high_rate IS 'Upper bound of its 95 % interval. Fraction.';
COMMENT ON COLUMN rep_fit.expected_rate IS 'What the rep and the segment alone let expect: the segment''s win rate and the rep''s difference, shrunk. Fraction.';
COMMENT ON COLUMN rep_fit.rep_closed_count IS 'Closed deals of the rep in all segments. Count; C.';
COMMENT ON COLUMN rep_fit.rep_won_count IS 'Of these, won. Count; C.';
COMMENT ON COLUMN rep_fit.rep_win_rate IS 'rep_won_count / rep_closed_count. Fraction; C.';
COMMENT ON COLUMN rep_fit.segment_closed_count IS 'Closed deals of all reps in the segment. Count; C.';
COMMENT ON COLUMN rep_fit.segment_won_count IS 'Of these, won. Count; C.';
COMMENT ON COLUMN rep_fit.segment_win_rate IS 'segment_won_count / segment_closed_count. Fraction; C.';
COMMENT ON COLUMN rep_fit.lift_rate IS 'shrunk_rate - segment_win_rate. Fraction, in points when times 100.';
COMMENT ON COLUMN rep_fit.is_best IS 'True for the rep with the highest shrunk_rate of the segment, employed and with 10 closed deals in it, where shrunk_low_rate is above segment_win_rate.';
COMMENT ON COLUMN rep_fit.fit_note IS 'above the segment, below the segment, as the segment (the interval holds segment_win_rate), or not enough data: fewer than 10 closed deals.';
COMMENT ON COLUMN rep_fit.summary_text IS 'That in a sentence.';

SET LOCAL search_path = sales_perf, pg_temp;
