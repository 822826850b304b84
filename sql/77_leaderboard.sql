-- The leaderboard: who sold most, and how far that is more than luck.
--
-- Ranks need all reps of a period, so a filter on rep does not reach the scan of deals; one on grain
-- or period does.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW leaderboard WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       e.rep_id,
       e.rep_name,
       e.team_id,
       e.team_name,
       e.rep_count,
       e.bookings_rank AS rank,
       e.rank_low,
       e.rank_high,
       e.bookings_amount,
       e.bookings_low_amount,
       e.bookings_high_amount,
       e.prior_bookings_amount,
       sales_perf.growth_rate(e.bookings_amount, e.prior_bookings_amount) AS sales_growth,
       e.quota_amount,
       e.attainment_rate,
       e.attainment_rank,
       e.won_count,
       e.lost_count,
       e.win_rate,
       e.win_rate_low,
       e.win_rate_high,
       e.win_rate_rank,
       e.win_rate_rank_low,
       e.win_rate_rank_high
  FROM period p
 CROSS JOIN LATERAL (
        WITH sold AS MATERIALIZED (
            SELECT b.rep_id,
                   coalesce(sum(b.amount), 0) AS amount,
                   coalesce(sum(b.amount * b.amount), 0) AS squares,
                   max(abs(b.amount)) AS largest,
                   count(b.amount) AS deal_count
              FROM credited b
             WHERE NOT b.is_overlay
               AND b.rep_id IS NOT NULL
               AND b.credited_on BETWEEN p.period_start AND p.period_end
             GROUP BY b.rep_id
        ),
        -- A sum of deals that come at random, large ones and small ones, is compound Poisson: its variance is the
        -- sum of their squares. It is as sure as a number of equal deals of size a = squares / amount, and has the
        -- score interval of that number, which serves few deals too. As few deals tell little of their size, two usual
        -- ones are added to each rep's when a is worked out; for who has none, they are all there is.
        -- Bounds have two decimals; more where a usual deal is below 1, as in millions.
        usual AS MATERIALIZED (
            SELECT coalesce(2 * sum(squares) / sum(deal_count), 0) AS squares,
                   coalesce(2 * sum(amount) / sum(deal_count), 0) AS amount,
                   least(20, greatest(2, 2 - floor(log(sum(amount) / sum(deal_count)))))::integer AS digits
              FROM sold
             WHERE amount > 0
        ),
        entry AS MATERIALIZED (
            SELECT r.rep_id,
                   r.name AS rep_name,
                   m.team_id,
                   coalesce(s.amount, 0) AS bookings_amount,
                   coalesce(s.squares, 0) AS squares,
                   u.digits,
                   CASE
                       WHEN u.amount = 0 THEN coalesce(s.largest, 0)
                       WHEN s.amount > 0 THEN least((s.squares + u.squares) / (s.amount + u.amount), greatest(s.largest, u.squares / u.amount))
                       ELSE u.squares / u.amount
                   END AS deal_size
              FROM rep r
             CROSS JOIN usual u
              LEFT JOIN sold s ON s.rep_id = r.rep_id
              LEFT JOIN rep_team m
                ON m.rep_id = r.rep_id
               AND least(p.period_end, sales_perf.as_of()) BETWEEN m.valid_from AND m.valid_to
             WHERE s.rep_id IS NOT NULL
                OR (coalesce(r.hired_on, '-infinity') <= least(p.period_end, sales_perf.as_of())
                    AND coalesce(r.left_on, 'infinity') >= p.period_start)
        ),
        figure AS MATERIALIZED (
            SELECT n.rep_id,
                   n.rep_name,
                   n.team_id,
                   n.bookings_amount,
                   round(n.bookings_amount + n.deal_size * 1.920729410347062
                         - 1.959963984540054 * sqrt(n.squares + n.deal_size * n.deal_size * 0.960364705173531), n.digits) AS bookings_low_amount,
                   round(n.bookings_amount + n.deal_size * 1.920729410347062
                         + 1.959963984540054 * sqrt(n.squares + n.deal_size * n.deal_size * 0.960364705173531), n.digits) AS bookings_high_amount,
                   q.quota_amount,
                   CASE WHEN q.quota_amount > 0 THEN (n.bookings_amount / q.quota_amount)::double precision END AS attainment_rate,
                   sales_perf.won_count(c.summary) AS won_count,
                   sales_perf.lost_count(c.summary) AS lost_count,
                   sales_perf.win_rate(c.summary) AS win_rate,
                   sales_perf.win_rate_low(c.summary) AS win_rate_low,
                   sales_perf.win_rate_high(c.summary) AS win_rate_high
              FROM entry n
              LEFT JOIN (SELECT o.rep_id,
                                sum(o.amount) AS quota_amount
                           FROM quota_portion(p.period_start, p.period_end, false) AS o
                          WHERE o.part = 'rep'
                            AND NOT o.is_overlay
                          GROUP BY o.rep_id) AS q ON q.rep_id = n.rep_id
              LEFT JOIN (SELECT rep_id,
                                sales_perf.rollup(summary) AS summary
                           FROM closed_cell
                          WHERE closed_on BETWEEN p.period_start AND p.period_end
                          GROUP BY rep_id) AS c ON c.rep_id = n.rep_id
        ),
        -- Sorted bounds: how many lie above or below one is looked up, not counted for each pair of reps.
        bound AS MATERIALIZED (
            SELECT count(*) AS rep_count,
                   array_agg(bookings_low_amount ORDER BY bookings_low_amount) AS lows,
                   array_agg(-bookings_high_amount ORDER BY -bookings_high_amount) AS highs,
                   count(win_rate) AS win_rate_count,
                   array_agg(win_rate_low ORDER BY win_rate_low) FILTER (WHERE win_rate IS NOT NULL) AS win_rate_lows,
                   array_agg(-win_rate_high ORDER BY -win_rate_high) FILTER (WHERE win_rate IS NOT NULL) AS win_rate_highs
              FROM figure
        )
        SELECT f.rep_id,
               f.rep_name,
               f.team_id,
               t.name AS team_name,
               b.rep_count,
               f.bookings_amount,
               f.bookings_low_amount,
               f.bookings_high_amount,
               rank() OVER (ORDER BY f.bookings_amount DESC) AS bookings_rank,
               1 + b.rep_count - width_bucket(f.bookings_high_amount, b.lows) AS rank_low,
               width_bucket(-f.bookings_low_amount, b.highs)::bigint AS rank_high,
               coalesce(prior_part.amount, 0) AS prior_bookings_amount,
               f.quota_amount,
               f.attainment_rate,
               CASE WHEN f.attainment_rate IS NOT NULL THEN rank() OVER (ORDER BY f.attainment_rate DESC NULLS LAST) END AS attainment_rank,
               coalesce(f.won_count, 0) AS won_count,
               coalesce(f.lost_count, 0) AS lost_count,
               f.win_rate,
               f.win_rate_low,
               f.win_rate_high,
               CASE WHEN f.win_rate IS NOT NULL THEN rank() OVER (ORDER BY f.win_rate DESC NULLS LAST) END AS win_rate_rank,
               CASE WHEN f.win_rate IS NOT NULL THEN 1 + b.win_rate_count - width_bucket(f.win_rate_high, b.win_rate_lows) END AS win_rate_rank_low,
               CASE WHEN f.win_rate IS NOT NULL THEN width_bucket(-f.win_rate_low, b.win_rate_highs)::bigint END AS win_rate_rank_high
          FROM figure f
         CROSS JOIN bound b
          LEFT JOIN team t ON t.team_id = f.team_id
          LEFT JOIN (SELECT rep_id,
                            sum(amount) AS amount
                       FROM credited
                      WHERE NOT is_overlay
                        AND credited_on BETWEEN p.prior_start AND p.prior_end
                      GROUP BY rep_id) AS prior_part ON prior_part.rep_id = f.rep_id) AS e;

COMMENT ON VIEW leaderboard IS 'The reps of each period by bookings, with the range of ranks that chance allows: intervals of neighbours mostly overlap, and that A and B cannot be told apart, nor B and C, says nothing of A and C, so there are no ties but of equal amounts. Reps who were employed in the period, or booked something. Filter one grain; a filter on rep_id does not make it faster, for ranks need all.';
COMMENT ON COLUMN leaderboard.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN leaderboard.period_start IS 'First day of the period.';
COMMENT ON COLUMN leaderboard.period_end IS 'Last day of the period.';
COMMENT ON COLUMN leaderboard.period_label IS 'Label of the period.';
COMMENT ON COLUMN leaderboard.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN leaderboard.rep_id IS 'The rep.';
COMMENT ON COLUMN leaderboard.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN leaderboard.team_id IS 'The team of the rep on the period''s last day (as_of(), where that is earlier).';
COMMENT ON COLUMN leaderboard.team_name IS 'Its name.';
COMMENT ON COLUMN leaderboard.rep_count IS 'Reps on the leaderboard of the period. Count.';
COMMENT ON COLUMN leaderboard.rank IS 'Rank by bookings_amount; equal amounts have the same rank.';
COMMENT ON COLUMN leaderboard.rank_low IS 'Best rank that the intervals allow: 1 + reps whose bookings_low_amount is above this rep''s bookings_high_amount.';
COMMENT ON COLUMN leaderboard.rank_high IS 'Worst rank that the intervals allow: rep_count - reps whose bookings_high_amount is below this rep''s bookings_low_amount.';
COMMENT ON COLUMN leaderboard.bookings_amount IS 'Sum of what is credited to the rep, overlays left out (view credited). Amount; C; 0 where there is nothing.';
COMMENT ON COLUMN leaderboard.bookings_low_amount IS 'Lower bound of the 95 % interval of what the rep''s business brings in such a period: a compound Poisson sum, whose variance is the sum of the squared amounts. With z = 1.96 and a = sum of squared amounts / sum of amounts of the rep''s deals and two usual ones of the period (refunds make it no larger than the largest of the deals, or than that of the usual ones): bookings_amount + a z^2 / 2 - z sqrt(sum of squared amounts + a^2 z^2 / 4), the score interval of a Poisson count if all deals are alike. Amount; C.';
COMMENT ON COLUMN leaderboard.bookings_high_amount IS 'Upper bound of it, with + z sqrt(...); a z^2 for a rep without bookings: what is compatible with none. Amount; C.';
COMMENT ON COLUMN leaderboard.prior_bookings_amount IS 'bookings_amount of the period before. Amount; C; 0 where there was nothing.';
COMMENT ON COLUMN leaderboard.sales_growth IS '(bookings_amount - prior_bookings_amount) / prior_bookings_amount. Fraction; C; NULL where prior_bookings_amount is 0 or less. A period that is not complete is compared with the whole one before.';
COMMENT ON COLUMN leaderboard.quota_amount IS 'Quota of the rep for the whole period (quota_attainment). Amount; P; NULL where there is none.';
COMMENT ON COLUMN leaderboard.attainment_rate IS 'bookings_amount / quota_amount. Fraction; C; NULL where quota_amount is NULL or 0.';
COMMENT ON COLUMN leaderboard.attainment_rank IS 'Rank by attainment_rate among the reps who have one; NULL for the others.';
COMMENT ON COLUMN leaderboard.won_count IS 'Deals the rep won. Count; C; by owner.';
COMMENT ON COLUMN leaderboard.lost_count IS 'Deals the rep lost. Count; C; by owner.';
COMMENT ON COLUMN leaderboard.win_rate IS 'won_count / (won_count + lost_count). Fraction; C; NULL where nothing closed.';
COMMENT ON COLUMN leaderboard.win_rate_low IS 'Lower bound of the 95 % Wilson interval of win_rate. Fraction; NULL where nothing closed.';
COMMENT ON COLUMN leaderboard.win_rate_high IS 'Upper bound of the 95 % Wilson interval of win_rate. Fraction; NULL where nothing closed.';
COMMENT ON COLUMN leaderboard.win_rate_rank IS 'Rank by win_rate among the reps with closed deals; NULL for the others.';
COMMENT ON COLUMN leaderboard.win_rate_rank_low IS 'Best rank by win rate that the intervals allow, as rank_low; NULL where nothing closed.';
COMMENT ON COLUMN leaderboard.win_rate_rank_high IS 'Worst rank by win rate that the intervals allow, as rank_high; NULL where nothing closed.';

SET LOCAL search_path = sales_perf, pg_temp;
