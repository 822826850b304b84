-- kpi_redundancy: Spearman's correlation against brute force; focus_kpis: goals first, then alerts, then what is below the median.
SELECT plan(19);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET timezone = 'Europe/Berlin';
SET sales_perf.as_of = '2025-07-10';
INSERT INTO team (team_id, name, parent_team_id) VALUES ('world', 'World', NULL), ('north', 'North', 'world'), ('south', 'South', NULL);
INSERT INTO rep (rep_id, name, team_id) SELECT 'r' || n, 'Rep ' || n, CASE WHEN n <= 5 THEN 'north' ELSE 'south' END FROM generate_series(1, 10) AS n;
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT concat_ws('-', rep, month, n), 'r' || rep,
       CASE WHEN n % 2 = 0 THEN 100 + (rep * 7 + month * 13 + n) % 5 ELSE 200 END,
       CASE WHEN (rep * 31 + month * 17 + n * 7) % 10 < 4 THEN 'won' ELSE 'lost' END,
       day - (rep * 3 + month * 5 + n * 11) % 40, day
  FROM generate_series(1, 10) AS rep
 CROSS JOIN generate_series(0, 8) AS month
 CROSS JOIN LATERAL generate_series(1, 3 + (rep * rep + month * 3) % 7) AS n
 CROSS JOIN LATERAL (SELECT (date '2024-11-01' + month * interval '1 month')::date + n) AS d (day);
-- calls follow the deals won, and begin in February
INSERT INTO activity (activity_id, rep_id, kind, happened_at)
SELECT 'a' || deal_id, rep_id, 'call', (closed_on + time '00:30')::timestamptz FROM deal WHERE outcome = 'won' AND closed_on BETWEEN '2025-02-01' AND '2025-06-30';
UPDATE kpi SET minimum_sample = 1 WHERE minimum_sample > 1;

-- what the months of reps come to, of the complete ones (July is not)
CREATE TEMP TABLE figure AS
SELECT k.code, d.rep_id, d.month, k.value, k.is_rate, bool_and(d.won > 0 AND d.cycles > 0) OVER (PARTITION BY d.rep_id, d.month) AS is_enough
  FROM (SELECT rep_id, date_trunc('month', closed_on) AS month,
               count(*) FILTER (WHERE outcome = 'won') AS won, count(*) FILTER (WHERE outcome = 'lost') AS lost,
               coalesce(sum(amount) FILTER (WHERE outcome = 'won'), 0) AS won_amount, coalesce(sum(amount) FILTER (WHERE outcome = 'lost'), 0) AS lost_amount,
               count(*) FILTER (WHERE outcome = 'won' AND opened_on <= closed_on) AS cycles,
               avg(closed_on - opened_on) FILTER (WHERE outcome = 'won') AS cycle,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won') AS middle
          FROM deal
         WHERE closed_on < '2025-07-01'
         GROUP BY 1, 2) AS d
 CROSS JOIN LATERAL (VALUES ('won_count', d.won::numeric, false), ('lost_count', d.lost, false), ('closed_count', d.won + d.lost, false), ('bookings_amount', d.won_amount, false), ('lost_amount', d.lost_amount, false),
                            ('win_rate', d.won / (d.won + d.lost)::numeric, true), ('win_rate_amount', d.won_amount / (d.won_amount + d.lost_amount), true),
                            ('average_deal_amount', d.won_amount / nullif(d.won, 0), true), ('cycle_average_days', d.cycle, true), ('cycle_median_days', d.middle::numeric, true),
                            ('activity_count', CASE WHEN d.month >= '2025-02-01' THEN (SELECT count(*) FROM activity a WHERE a.rep_id = d.rep_id AND date_trunc('month', a.happened_at AT TIME ZONE 'Europe/Berlin') = d.month) END, false)) AS k (code, value, is_rate);
CREATE TEMP TABLE pair AS
SELECT a.code, b.code AS other, a.rep_id, a.month, a.value AS x, b.value AS y
  FROM figure a
  JOIN figure b ON b.rep_id = a.rep_id AND b.month = a.month AND b.code > a.code
 WHERE a.value IS NOT NULL AND b.value IS NOT NULL AND (a.is_enough OR NOT (a.is_rate OR b.is_rate));
-- a rank is one more than those below, and half of the others that are equal
CREATE TEMP TABLE truth AS
SELECT code, other, count(*) AS n, corr(rank_x, rank_y) AS rho
  FROM (SELECT p.code, p.other,
               1 + count(*) FILTER (WHERE q.x < p.x) + (count(*) FILTER (WHERE q.x = p.x) - 1) / 2.0::float8 AS rank_x,
               1 + count(*) FILTER (WHERE q.y < p.y) + (count(*) FILTER (WHERE q.y = p.y) - 1) / 2.0::float8 AS rank_y
          FROM pair p JOIN pair q ON q.code = p.code AND q.other = p.other
         GROUP BY p.code, p.other, p.rep_id, p.month) AS r
 GROUP BY 1, 2;
CREATE TEMP TABLE got AS TABLE kpi_redundancy;
SELECT is(count(*), 91::bigint, 'fourteen KPIs make 91 pairs') FROM got;
SELECT is_empty(
    $$SELECT t.*, g.rep_month_count, g.rank_correlation
        FROM truth t
        LEFT JOIN got g ON t.code IN (g.kpi_code, g.other_kpi_code) AND t.other IN (g.kpi_code, g.other_kpi_code)
       WHERE g.rep_month_count IS DISTINCT FROM t.n OR abs(g.rank_correlation - t.rho) < 1e-8 IS NOT TRUE$$,
    'Spearman''s correlation, ties and all, is that of brute force, and so is n');
SELECT is(count(*), 55::bigint, 'of eleven KPIs') FROM truth;
SELECT is_empty($$SELECT * FROM got WHERE is_redundant IS DISTINCT FROM (abs(rank_correlation) >= 0.9)$$, 'redundant from 0.9 on');
SELECT results_eq($$SELECT rank_correlation, is_redundant, rep_month_count, summary_text FROM got WHERE kpi_code = 'won_count' AND other_kpi_code = 'activity_count'$$,
    $$VALUES (1::float8, true, 50::bigint, 'Deals won and Activities tell the same story: rank correlation 1.00 over 50 months of reps (the same from 0.9, or -0.9).')$$, 'what follows the deals won says the same; before it was recorded it is not 0');
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT bag_eq('TABLE kpi_redundancy', 'TABLE got', 'the same from rollups');
SELECT sales_perf.fold_rollup('sales') \gset
SELECT bag_eq('TABLE kpi_redundancy', 'TABLE got', 'folded or not');
SELECT sales_perf.create_mart('empty') \gset
SELECT is(bool_and(rep_month_count = 0 AND rank_correlation IS NULL AND NOT is_redundant AND summary_text ~ '^Not enough data'), true, 'of an empty mart there is not enough to tell') FROM empty.kpi_redundancy;

-- ---------------------------------------------------------------- focus

-- R1 to R10 win 40 of 100; R1 but 10: far below the others, who differ by a little
DELETE FROM activity;
DELETE FROM deal;
UPDATE kpi SET minimum_sample = 30 WHERE code = 'win_rate';
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT concat_ws('-', rep, n), 'r' || rep, 100, CASE WHEN n <= CASE rep WHEN 1 THEN 10 ELSE 35 + rep END THEN 'won' ELSE 'lost' END, '2025-05-01', '2025-06-01'
  FROM generate_series(1, 10) AS rep, generate_series(1, 100) AS n;
SELECT results_eq($$SELECT kpi_code, value, reference, sample_count, why, summary_text FROM focus_kpis('r1') WHERE kpi_code = 'win_rate'$$,
    $$VALUES ('win_rate', 0.1, 0.405, 100::bigint, 'median', 'Win rate of Rep 1 from 2025-04-01 on is 10 %, and the median of 10 reps 40.5 %: 8.2 robust standard deviations below it (told from 1; n = 100).')$$,
    'far below the median: 0.305 / (1.4826 x 0.025)');
SELECT is_empty($$SELECT * FROM focus_kpis('r6')$$, 'who is near the median need not look at anything');
SELECT is(count(*) FILTER (WHERE kpi_code IN ('bookings_amount', 'won_count')), 2::bigint, 'with one month of ten reps nobody knows that bookings and wins tell the same') FROM focus_kpis('r1');
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT concat_ws('-', 'before', rep, month, n), 'r' || rep, 100, 'won', '2024-01-01', date '2024-01-15' + month * 31
  FROM generate_series(1, 10) AS rep, generate_series(0, 7) AS month, LATERAL generate_series(1, (rep * 3 + month * 7) % 11 + 1) AS n;
SELECT is(count(*) FILTER (WHERE kpi_code IN ('bookings_amount', 'won_count')), 1::bigint, 'when that is known, one of them is enough') FROM focus_kpis('r1');

INSERT INTO alert_rule (rule_id, name, kpi_code, level, entity_id, grain, basis, comparison, threshold) VALUES ('few', 'Few leads', 'lead_count', 'rep', 'r1', 'quarter', 'threshold', 'below', 3);
SELECT change FROM evaluate_alerts() \gset
SELECT results_eq($$SELECT rank, kpi_code, value, reference, why, summary_text FROM focus_kpis('r1') WHERE rank = 1$$,
    $$VALUES (1, 'lead_count', 0::numeric, 3::numeric, 'alert', 'Leads of Rep 1 in 2025-Q3 is 0, below 3 (rule Few leads; n = 0).')$$, 'an open alert comes before');
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason)
VALUES ('g', 'Ten wins', 'r1', 'won_count', 10, '2025-07-01', '2025-07-11', 'x'), ('done', 'No loss', 'r1', 'created_count', 1, '2025-05-01', '2025-07-31', 'x');
SELECT results_eq($$SELECT rank, kpi_code, value, reference, why FROM focus_kpis('r1') WHERE why <> 'median'$$,
    $$VALUES (1, 'won_count', 0::numeric, 10::numeric, 'goal'), (2, 'lead_count', 0, 3, 'alert')$$, 'and a goal that is not on track before that; one that is reached is not there');
SELECT cmp_ok(count(*), '<=', 5::bigint, 'five at most') FROM focus_kpis('r1');
INSERT INTO metric_limit (team_id, metric_count) VALUES (NULL, 2), ('world', 1);
SELECT is((SELECT count(*) FROM focus_kpis('r1')), 1::bigint, 'as many as the team''s limit, or that of a team above it, says');
SELECT results_eq($$SELECT focus_limit('r1'), focus_limit('r10')$$, 'VALUES (1, 2)', 'or that of all others');
SELECT throws_ok($$SELECT * FROM focus_kpis('nobody')$$, '42704', 'there is no rep "nobody"', 'of nobody it is not known');
SELECT throws_ok($$SELECT * FROM focus_kpis(NULL)$$, '42704', 'there is no rep "NULL"', 'nor of NULL');

SELECT * FROM finish();
