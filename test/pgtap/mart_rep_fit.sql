-- rep_fit: the formula worked out step by step from the deals, planted differences found, and chance left alone.
SELECT plan(18);

SELECT sales_perf.create_mart('fit') \gset
SET search_path = fit, public;
SET sales_perf.as_of = '2025-06-30';
INSERT INTO rep (rep_id, name, left_on) SELECT 'r' || n, 'Rep ' || n, CASE n WHEN 12 THEN date '2025-03-31' END FROM generate_series(1, 12) AS n;
INSERT INTO account (account_id, name, segment) SELECT 's' || n, 'S' || n, CASE n WHEN 4 THEN NULL ELSE 'segment ' || n END FROM generate_series(1, 4) AS n;
-- Reps differ by up to 22 points, segments by 15; rep 5 is at his best in segment 2, rep 12, the best of all, has left.
CREATE TABLE plan AS
SELECT r, s, 0.35 + 0.02 * r + 0.05 * s - 0.05 + CASE WHEN r = 5 AND s = 2 THEN 0.3 ELSE 0 END AS rate, CASE WHEN r = 3 AND s = 3 THEN 3 ELSE 150 + 20 * s END AS deals
  FROM generate_series(1, 12) AS r CROSS JOIN generate_series(1, 4) AS s;
INSERT INTO deal (deal_id, rep_id, account_id, amount, outcome, opened_on, closed_on)
SELECT format('%s-%s-%s', r, s, k), 'r' || r, 's' || s, 100,
       CASE WHEN deals = 3 OR sales_perf.demo_random(17, r * 100000 + s * 10000 + k, 0) < rate THEN 'won' ELSE 'lost' END, '2023-01-01', date '2025-06-30' - k
  FROM plan CROSS JOIN LATERAL generate_series(1, deals) AS k;
-- what does not count
INSERT INTO deal (deal_id, rep_id, account_id, amount, outcome, opened_on, closed_on)
VALUES ('old', 'r1', 's1', 1, 'won', '2023-01-01', '2023-06-30'), ('open', 'r1', 's1', 1, 'open', '2023-01-01', NULL), ('later', 'r1', 's1', 1, 'won', '2023-01-01', '2025-07-01'), ('nobody', NULL, 's1', 1, 'won', '2023-01-01', '2025-01-01');
CREATE TABLE shown AS SELECT * FROM rep_fit;

SELECT set_eq('SELECT rep_id, segment, closed_count FROM shown', $$SELECT 'r' || r AS rep, CASE s WHEN 4 THEN '(no segment)' ELSE 'segment ' || s END AS segment, deals::bigint AS n FROM plan$$, 'who closed how many');
SELECT set_eq('SELECT rep_id, segment, won_count FROM shown',
              $$SELECT d.rep_id, coalesce(a.segment, '(no segment)') AS segment, count(*) FROM deal d JOIN account a USING (account_id) WHERE outcome = 'won' AND d.rep_id IS NOT NULL AND closed_on BETWEEN '2023-07-01' AND '2025-06-30' GROUP BY 1, 2$$, 'and won');

-- the formula, a step at a time
CREATE TABLE fact AS
SELECT d.rep_id AS r, a.account_id AS s, (outcome = 'won')::integer AS won FROM deal d JOIN account a USING (account_id) WHERE d.rep_id IS NOT NULL AND outcome <> 'open' AND closed_on > '2023-06-30' AND closed_on <= '2025-06-30';
CREATE TABLE oracle AS
WITH seg AS (SELECT s, avg(won)::float8 AS p, (sum(won) + 1)::float8 * (count(*) - sum(won) + 1) / (count(*) + 2) ^ 2 AS u FROM fact GROUP BY s),
     -- deal by deal: what was won beyond the segment's rate
     rep AS (SELECT f.r, avg(f.won - seg.p) AS d, sum(seg.u) / count(*) ^ 2 AS v FROM fact f JOIN seg USING (s) GROUP BY f.r),
     t AS (SELECT greatest(0, (sum(d * d / v) - (count(*) - 1)) / sum(1 / v)) AS t FROM rep),
     w AS (SELECT r, d, v, t / (t + v) AS w FROM rep CROSS JOIN t),
     cell AS (SELECT f.r, f.s, seg.p, w.d, w.v, w.w, count(*) AS n, avg(f.won) - seg.p - w.w * w.d AS e, seg.u / count(*) AS x FROM fact f JOIN seg USING (s) JOIN w USING (r) GROUP BY f.r, f.s, seg.p, seg.u, w.d, w.v, w.w),
     y AS (SELECT greatest(0, (sum(e * e / x) - (count(*) - (SELECT count(*) FROM seg) - (SELECT sum(w) * (count(*) - 1) / count(*) FROM w))) / sum(1 / x)) AS y FROM cell)
SELECT r, s, p, p + w * d AS expected, p + w * d + y / (y + x) * e AS shrunk, sqrt((1 - y / (y + x)) ^ 2 * w * v + y / (y + x) * x) AS se, (SELECT y FROM y) AS y, (SELECT t FROM t) AS t
  FROM cell CROSS JOIN y;
SELECT cmp_ok(count(*), '=', 48::bigint, '48 cells') FROM oracle;
SELECT ok(y > 0 AND t > 0, 'reps differ, and so do cells beyond reps and segments') FROM oracle LIMIT 1;
SELECT is_empty(
    $$SELECT r, s, shrunk, shrunk_rate
        FROM oracle o
        FULL JOIN shown h ON h.rep_id = o.r AND h.segment = (SELECT coalesce(segment, '(no segment)') FROM account WHERE account_id = o.s)
       WHERE (abs(o.shrunk - h.shrunk_rate) < 1e-9 AND abs(o.expected - h.expected_rate) < 1e-9 AND abs(o.p - h.segment_win_rate) < 1e-9
              AND abs(o.shrunk - 1.959963984540054 * o.se - h.shrunk_low_rate) < 1e-9 AND abs(o.shrunk + 1.959963984540054 * o.se - h.shrunk_high_rate) < 1e-9) IS NOT TRUE$$,
    'the estimates, by the formula');
SELECT is_empty('SELECT 1 FROM shown WHERE win_rate <> won_count::float8 / closed_count OR lift_rate <> shrunk_rate - segment_win_rate OR rep_win_rate <> rep_won_count::float8 / rep_closed_count
                 OR segment_closed_count <> (SELECT sum(closed_count) FROM shown s WHERE s.segment = shown.segment) OR rep_won_count <> (SELECT sum(won_count) FROM shown s WHERE s.rep_id = shown.rep_id)', 'rates are those of the counts, counts add up');
CREATE VIEW compared AS
SELECT h.*, p.rate AS planted FROM shown h JOIN plan p ON h.rep_id = 'r' || r AND h.segment = CASE s WHEN 4 THEN '(no segment)' ELSE 'segment ' || s END;
SELECT cmp_ok(corr(x, y), '>', 0.9::float8, 'the order of reps in segments is the planted one') FROM (SELECT rank() OVER (ORDER BY shrunk_rate) AS x, rank() OVER (ORDER BY planted) AS y FROM compared WHERE closed_count > 3) AS ranks;
SELECT cmp_ok(sum((shrunk_rate - planted) ^ 2), '<', sum((win_rate - planted) ^ 2), 'the estimates are nearer to the truth than the plain win rates') FROM compared;
SELECT cmp_ok(count(*) FILTER (WHERE planted BETWEEN shrunk_low_rate AND shrunk_high_rate), '>=', 41::bigint, 'the intervals hold the truth in at least 41 of 48 cells') FROM compared;
SELECT set_eq($$SELECT segment, rep_id FROM shown WHERE is_best AND segment = 'segment 2'$$, $$VALUES ('segment 2', 'r5')$$, 'the best of segment 2 is the one that was planted');
SELECT is_empty($$SELECT rep_id FROM shown WHERE is_best AND rep_id = 'r12'$$, 'who has left is not recommended');
SELECT results_eq($$SELECT won_count, win_rate, fit_note, abs(shrunk_rate - expected_rate) < 0.1, is_best FROM shown WHERE rep_id = 'r3' AND segment = 'segment 3'$$,
                  $$VALUES (3::bigint, 1::float8, 'not enough data: 3 of 10 closed deals', true, false)$$, 'three of three won: near what rep and segment let expect');
SELECT matches(summary_text, '^Rep 5 wins an estimated [\d.]+ % of deals in segment 2, where all win [\d.]+ %: \d+ of 190 closed in the last 24 months were won, and rep and segment alone let expect [\d.]+ %; the best fit for the segment, and more than chance: the 95 % interval, [\d.]+ to [\d.]+ %, lies above it\.$', 'a sentence')
  FROM shown WHERE rep_id = 'r5' AND segment = 'segment 2';

-- one rep, one segment, one deal; all won; nothing
SELECT sales_perf.create_mart('small') \gset
SET search_path = small, public;
INSERT INTO rep (rep_id, name) VALUES ('a', 'A'), ('b', 'B');
INSERT INTO deal (deal_id, rep_id, outcome, opened_on, closed_on) VALUES ('1', 'a', 'won', '2025-01-01', '2025-02-01');
SELECT results_eq('SELECT rep_id, segment, win_rate, shrunk_rate, expected_rate, is_best FROM rep_fit', $$VALUES ('a', '(no segment)', 1::float8, 1::float8, 1::float8, false)$$, 'a single deal');
INSERT INTO deal (deal_id, rep_id, outcome, opened_on, closed_on) SELECT rep || n, rep, 'won', '2025-01-01', '2025-02-01' FROM unnest('{a,b}'::text[]) AS rep, generate_series(2, 30) AS n;
SELECT results_eq('SELECT rep_id, shrunk_rate, fit_note, is_best FROM rep_fit ORDER BY 1', $$VALUES ('a', 1::float8, 'as the segment', false), ('b', 1, 'as the segment', false)$$, 'all won: nobody is better');
DELETE FROM deal;
SELECT is_empty('SELECT * FROM rep_fit', 'nothing without deals');

-- chance alone: 20 reps, 3 segments, 20 deals each, 20 times
SELECT sales_perf.create_mart('noise') \gset
SET search_path = noise, public;
INSERT INTO rep (rep_id, name) SELECT n::text, n::text FROM generate_series(1, 20) AS n;
INSERT INTO account (account_id, name, segment) SELECT n::text, n::text, n::text FROM generate_series(1, 3) AS n;
CREATE TABLE outcome (seed integer, above bigint, judged bigint, best bigint, furthest float8);
DO $$
BEGIN
    FOR seed IN 1..20 LOOP
        DELETE FROM deal;
        INSERT INTO deal (deal_id, rep_id, account_id, outcome, opened_on, closed_on)
        SELECT format('%s-%s-%s-%s', seed, r, s, k), r::text, s::text, CASE WHEN sales_perf.demo_random(seed, r * 10000 + s * 1000 + k, 1) < 0.4 THEN 'won' ELSE 'lost' END, '2025-01-01', '2025-02-01'
          FROM generate_series(1, 20) AS r CROSS JOIN generate_series(1, 3) AS s CROSS JOIN generate_series(1, 20) AS k;
        INSERT INTO outcome SELECT seed, count(*) FILTER (WHERE fit_note IN ('above the segment', 'below the segment')), count(*), count(*) FILTER (WHERE is_best), max(abs(shrunk_rate - segment_win_rate)) FROM rep_fit;
    END LOOP;
END
$$;
SELECT diag(format('by chance alone: %s of %s cells judged above or below, %s of 60 segments with a best rep', sum(above), sum(judged), sum(best))) FROM outcome;
SELECT cmp_ok(sum(above) / sum(judged), '<', 0.05, 'chance makes fewer than 5 in 100 reps better or worse') FROM outcome;
SELECT cmp_ok(sum(best), '<=', 9::numeric, 'and hardly ever a best one') FROM outcome;
SELECT * FROM finish();
