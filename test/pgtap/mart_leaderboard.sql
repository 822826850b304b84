-- leaderboard: ranks and the ranges of ranks against a count over pairs, intervals against their formula
-- and against chance itself.
SELECT plan(24);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-03-31';
INSERT INTO team (team_id, name) VALUES ('north', 'North'), ('south', 'South');
INSERT INTO rep (rep_id, name, team_id, hired_on, left_on)
VALUES ('ann', 'Ann', 'north', NULL, NULL), ('bob', 'Bob', 'north', NULL, NULL), ('cid', 'Cid', 'south', NULL, NULL), ('dan', 'Dan', 'south', NULL, NULL),
       ('old', 'Left in December', 'south', NULL, '2024-12-31'), ('gone', 'Left in January', 'south', NULL, '2025-01-01'), ('next', 'Comes in April', 'south', '2025-04-01', NULL), ('late', 'Left, and booked', 'south', NULL, '2024-12-01');
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT rep_id || n, rep_id, amount, outcome, '2024-10-01', closed_on
  FROM (VALUES ('ann', 20, 1000, 'won', date '2025-02-01'), ('bob', 2, 10000, 'won', '2025-02-01'), ('cid', 1, 100, 'won', '2025-02-01'), ('late', 1, 100, 'won', '2025-02-01'),
               ('ann', 5, 1, 'lost', '2025-03-01'), ('dan', 4, 1, 'lost', '2025-03-01'), ('ann', 1, 10000, 'won', '2024-12-31'), ('cid', 1, 300, 'won', '2024-11-01')) AS d (rep_id, deals, amount, outcome, closed_on)
 CROSS JOIN LATERAL (SELECT outcome || closed_on || k AS n FROM generate_series(1, deals) AS k) AS g;
INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-01-01', '2025-03-31', 40000), ('cid', '2025-01-01', '2025-03-31', 100);
INSERT INTO quota (rep_id, first_day, last_day, amount, is_overlay) VALUES ('bob', '2025-01-01', '2025-03-31', 40000, true);
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) VALUES ('cidwon2025-02-011', 'dan', 1, true);

CREATE TEMP VIEW b AS SELECT * FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1';
SELECT results_eq(
    $$SELECT rep_id, rank, bookings_amount, prior_bookings_amount, sales_growth, quota_amount, attainment_rate, attainment_rank, won_count, lost_count, win_rate_rank, team_name FROM b ORDER BY rank, rep_id COLLATE "C"$$,
    $$VALUES ('ann', 1::bigint, 20000.0, 10000.0, 1.0, 40000.00, 0.5::float8, 2::bigint, 20::bigint, 5::bigint, 4::bigint, 'North'), ('bob', 1, 20000, 0, NULL, NULL, NULL, NULL, 2, 0, 1, 'North'),
             ('cid', 3, 100, 300, -200 / 300.0, 100.00, 1, 1, 1, 0, 1, 'South'), ('late', 3, 100, 0, NULL, NULL, NULL, NULL, 1, 0, 1, 'South'),
             ('dan', 5, 0, 0, NULL, NULL, NULL, NULL, 0, 4, 5, 'South'), ('gone', 5, 0, 0, NULL, NULL, NULL, NULL, 0, 0, NULL, 'South')$$,
    'who worked in the quarter or booked in it; equal amounts share a rank, overlays count for nothing');
SELECT is(rep_count, 6::bigint, 'six of them') FROM b LIMIT 1;
-- the usual deal: 24 of them come to 40,200, their squares to 220,020,000
CREATE FUNCTION pg_temp.bound(deals numeric, size numeric, z numeric) RETURNS numeric LANGUAGE sql AS $$
SELECT round(deals * size + a * z * z / 2 + z * sqrt(deals * size * size + a * a * z * z / 4), 2)
  FROM (SELECT (deals * size * size + 2 * 220020000.0 / 24) / (deals * size + 2 * 40200.0 / 24) AS a) AS s
$$;
SELECT results_eq($$SELECT rep_id, bookings_low_amount, bookings_high_amount FROM b WHERE rep_id IN ('ann', 'bob', 'cid') ORDER BY 1$$,
                  $$SELECT rep_id, pg_temp.bound(deals, size, -1.959963984540054), pg_temp.bound(deals, size, 1.959963984540054) FROM (VALUES ('ann', 20, 1000), ('bob', 2, 10000), ('cid', 1, 100)) AS v (rep_id, deals, size)$$,
                  'the interval, by its formula');
SELECT ok(abs(pg_temp.bound(20, 1000, 1.959963984540054) - 32100) < 700, 'Ann''s twenty deals of 1,000: near the score interval of a count of 20, 12.9 to 30.9, in thousands');
SELECT results_eq($$SELECT bookings_low_amount, bookings_high_amount FROM b WHERE rep_id = 'dan'$$,
                  $$SELECT 0.00, round(220020000 / 40200.0 * 3.8414588206, 2)$$, 'who booked nothing might have, at the usual size');
SELECT results_eq($$SELECT rep_id, rank_low, rank_high FROM b WHERE rep_id IN ('ann', 'bob', 'cid') ORDER BY 1$$,
                  $$VALUES ('ann', 1::bigint, 6::bigint), ('bob', 1, 6), ('cid', 1, 6)$$, 'what ranks that allows: with two deals nobody is told from the others');
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on) VALUES ('refund', 'gone', -500, 'won', '2025-01-01', '2025-02-01'), ('unpriced', 'dan', NULL, 'won', '2025-01-01', '2025-02-01');
SELECT results_eq($$SELECT bookings_amount, bookings_low_amount < -500 AND bookings_high_amount > 0, rank FROM b WHERE rep_id = 'gone'$$, $$VALUES (-500.0, true, 6::bigint)$$, 'bookings below 0 have an interval too');
SELECT results_eq($$SELECT bookings_amount, won_count FROM b WHERE rep_id = 'dan'$$, $$VALUES (0.0, 1::bigint)$$, 'a deal without an amount adds nothing');
DELETE FROM deal;
SELECT results_eq($$SELECT rank, rank_low, rank_high, bookings_high_amount, win_rate_rank_low FROM b ORDER BY rep_id LIMIT 1$$, $$VALUES (1::bigint, 1::bigint, 5::bigint, 0.00, NULL::bigint)$$, 'where nothing was booked nobody is first');

-- 100, 78 and 60 deals, all alike
SELECT sales_perf.create_mart('three') \gset
SET search_path = three, public;
INSERT INTO rep (rep_id, name) VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT rep_id || n, rep_id, 1000, 'won', '2025-01-01', '2025-02-01' FROM (VALUES ('a', 100), ('b', 78), ('c', 60)) AS d (rep_id, deals), generate_series(1, deals) AS n;
SELECT results_eq($$SELECT rep_id, rank, rank_low, rank_high FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1' ORDER BY 1$$,
                  $$VALUES ('a', 1::bigint, 1::bigint, 2::bigint), ('b', 2, 1, 3), ('c', 3, 2, 3)$$,
                  'overlap is not transitive: A may be behind B and B behind C, but A is before C');
SELECT results_eq($$SELECT bookings_low_amount, bookings_high_amount FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1' AND rep_id = 'a'$$,
                  $$VALUES (82227.20, 121614.26)$$, 'the score interval of a count of 100: 101.9207 - and + 19.6935, in thousands');

UPDATE deal SET amount = 0.001;
DELETE FROM deal_change;
SELECT results_eq($$SELECT rep_id, rank_low, rank_high, bookings_low_amount, bookings_high_amount FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1' ORDER BY 1$$,
                  $$VALUES ('a', 1::bigint, 2::bigint, 0.08223, 0.12161), ('b', 1, 3, 0.06250, 0.09734), ('c', 2, 3, 0.04662, 0.07722)$$,
                  'the same in millions');

-- ---------------------------------------------------------------- generated deals

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 12000, 11) \gset
DELETE FROM quota;
INSERT INTO quota (rep_id, first_day, last_day, amount) SELECT rep_id, '2023-01-01', '2025-12-31', 3000000 FROM rep WHERE hashtext(rep_id) % 5 <> 0;

CREATE TABLE board AS SELECT * FROM leaderboard;
SELECT is_empty(
    $$SELECT x.grain, x.period_start, x.rep_id
        FROM board x
        JOIN board y ON y.grain = x.grain AND y.period_start = x.period_start
       GROUP BY x.grain, x.period_start, x.rep_id, x.rank, x.rank_low, x.rank_high, x.rep_count
      HAVING x.rank <> 1 + count(*) FILTER (WHERE y.bookings_amount > x.bookings_amount)
          OR x.rank_low <> 1 + count(*) FILTER (WHERE y.bookings_low_amount > x.bookings_high_amount)
          OR x.rank_high <> count(*) - count(*) FILTER (WHERE y.bookings_high_amount < x.bookings_low_amount)
          OR x.rep_count <> count(*)$$,
    'ranks and their ranges, counted over pairs of reps');
SELECT is_empty(
    $$SELECT x.grain, x.period_start, x.rep_id
        FROM board x
        JOIN board y ON y.grain = x.grain AND y.period_start = x.period_start AND y.win_rate IS NOT NULL
       WHERE x.win_rate IS NOT NULL
       GROUP BY x.grain, x.period_start, x.rep_id, x.win_rate_rank, x.win_rate_rank_low, x.win_rate_rank_high
      HAVING x.win_rate_rank <> 1 + count(*) FILTER (WHERE y.win_rate > x.win_rate)
          OR x.win_rate_rank_low <> 1 + count(*) FILTER (WHERE y.win_rate_low > x.win_rate_high)
          OR x.win_rate_rank_high <> count(*) - count(*) FILTER (WHERE y.win_rate_high < x.win_rate_low)$$,
    'those of win rates too');
SELECT is_empty($$SELECT * FROM board WHERE rank NOT BETWEEN rank_low AND rank_high OR win_rate_rank NOT BETWEEN win_rate_rank_low AND win_rate_rank_high OR bookings_amount NOT BETWEEN bookings_low_amount AND bookings_high_amount$$,
                'a rank lies in its range, an amount in its interval');
SELECT cmp_ok(count(*) FILTER (WHERE rank_low > 1 AND rank_high < rep_count), '>=', 5::bigint, 'and the ranges tell something') FROM board WHERE grain = 'year';
SELECT set_eq($$SELECT grain, period_start, rep_id, bookings_amount, quota_amount, attainment_rate FROM board$$,
              $$SELECT grain, period_start, rep_id, credited_amount, quota_amount, attainment_rate FROM quota_attainment q JOIN rep r USING (rep_id)
                 WHERE level = 'rep' AND (credited_amount <> 0 OR (coalesce(hired_on, '-infinity') <= least(period_end, '2025-05-15') AND coalesce(left_on, 'infinity') >= period_start)
                                          OR EXISTS (SELECT FROM credited c WHERE c.rep_id = q.rep_id AND NOT c.is_overlay AND credited_on BETWEEN period_start AND period_end))$$,
              'bookings, quotas and attainments are those of quota_attainment');
SELECT set_eq($$SELECT grain, period_start, rep_id, bookings_amount, prior_bookings_amount, sales_growth, won_count, lost_count, win_rate, win_rate_low, win_rate_high FROM board$$,
              $$SELECT grain, period_start, rep_id, s.bookings_amount, s.prior_bookings_amount, s.sales_growth, s.won_count, s.lost_count, s.win_rate, s.win_rate_low, s.win_rate_high
                  FROM rep_scorecard s JOIN board USING (grain, period_start, rep_id)$$, 'bookings, growth and win rates those of the scorecard');
SELECT set_eq($$SELECT grain, period_start, sum(bookings_amount) AS amount FROM board GROUP BY 1, 2$$,
              $$SELECT grain, period_start, sum(credited_amount) FROM quota_attainment WHERE level = 'rep' AND rep_id IS NOT NULL GROUP BY 1, 2$$, 'nobody who booked is left out');

-- ---------------------------------------------------------------- the interval and chance

-- 400 sellers whose deals come at random, 5 to be expected in a period, of sizes 1, 2, 4, 8 and 16: the
-- interval holds what was to be expected 95 times of 100.
SELECT sales_perf.create_mart('chance') \gset
SET search_path = chance, public;
INSERT INTO rep (rep_id, name) SELECT 'r' || n, 'r' || n FROM generate_series(1, 400) AS n;
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT 'd' || rep || '-' || slot, 'r' || rep, 2 ^ ((hashint8extended(rep * 1000 + slot, 1) & 2147483647) % 5), 'won', '2025-01-01', '2025-02-01'
  FROM generate_series(1, 400) AS rep, generate_series(1, 100) AS slot
 WHERE (hashint8extended(rep * 1000 + slot, 2) & 2147483647) % 20 = 0;
SELECT cmp_ok(avg((5 * 31 / 5.0 BETWEEN bookings_low_amount AND bookings_high_amount)::integer), '>=', 0.92, 'the interval holds what was to be expected') FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1';
SELECT cmp_ok(avg((5 * 31 / 5.0 BETWEEN bookings_low_amount AND bookings_high_amount)::integer), '<=', 0.985, 'and is not wider than it should be') FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1';
SELECT cmp_ok(avg((rank_high - rank_low + 1)::numeric / rep_count), '>', 0.6, 'of 400 who sell alike most might be anywhere') FROM leaderboard WHERE grain = 'quarter' AND period_label = '2025-Q1';

-- ---------------------------------------------------------------- how much is read

\ir fixture/rows_read.sql
SET search_path = sales, public;
SET max_parallel_workers_per_gather = 0;
SET random_page_cost = 1.1;
DELETE FROM deal_credit;
ANALYZE calendar; ANALYZE mart_setting; ANALYZE fx_rate; ANALYZE quota; ANALYZE deal_credit; ANALYZE team_membership;
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM leaderboard WHERE grain = 'quarter' AND period_start = '2024-01-01'$$),
              '<=', (SELECT (2 * count(*) FILTER (WHERE closed_on >= '2024-01-01') + count(*) FILTER (WHERE closed_on < '2024-01-01')) * 12 / 10 + 50 FROM deal WHERE closed_on BETWEEN '2023-10-01' AND '2024-03-31'),
              'one period reads its deals, for bookings and win rates, and those of the one before');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM leaderboard WHERE grain = 'quarter' AND period_label IN ('2024-Q1', '2024-Q3')$$),
              '<=', (SELECT 2 * count(*) FROM deal WHERE closed_on BETWEEN '2023-10-01' AND '2024-09-30'), 'two periods, two of them');

SELECT * FROM finish();
