-- goal_measured() against kpi_between() on a demo with splits, moves and history; and projections against what came:
-- 80 % intervals cover about 80 %, chances are as good as they say.
SELECT plan(24);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-20';
SELECT sales_perf.generate_demo('sales', 4000, 5) \gset
TRUNCATE feedback, feedback_reply, action_item;
DELETE FROM goal;
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, currency)
SELECT deal_id, account_id, rep_id, closed_on + 3, amount, currency FROM deal WHERE outcome = 'won' AND closed_on IS NOT NULL AND closed_on < '2025-05-15';

-- Reps who moved, within windows and between them, and deals split within teams, among teams and to nobody's loss.
SELECT count(move_rep(rep_id, (SELECT max(team_id) FROM team), '2024-11-14')) FROM (SELECT rep_id FROM rep ORDER BY rep_id LIMIT 3) AS r \gset
SELECT count(move_rep(rep_id, (SELECT min(team_id) FROM team), '2025-04-17')) FROM (SELECT rep_id FROM rep ORDER BY rep_id LIMIT 2) AS r \gset
DELETE FROM deal_credit;
INSERT INTO deal_credit (deal_id, rep_id, share)
SELECT d.deal_id, r.rep_id, s.share
  FROM (SELECT deal_id, row_number() OVER (ORDER BY deal_id) AS no FROM deal WHERE outcome = 'won') AS d
 CROSS JOIN (VALUES (0, 0.5), (3, 0.3), (4, 0.2)) AS s (step, share)
  JOIN (SELECT rep_id, row_number() OVER (ORDER BY rep_id) AS no, count(*) OVER () AS n FROM rep) AS r ON r.no = 1 + (d.no + s.step) % r.n
 WHERE d.no % 7 = 0;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay)
SELECT deal_id, (SELECT min(rep_id) FROM rep), 0.1, true FROM deal_credit GROUP BY deal_id LIMIT 20;

-- A goal for every KPI that is summed up in one pass, and some others, of everybody: of a quarter and of odd days.
INSERT INTO goal (goal_id, name, level, team_id, rep_id, kpi_code, baseline, target, first_day, last_day, reason)
SELECT concat_ws(' ', e.level, e.entity_id, k.code, w.first_day), k.name, e.level,
       CASE e.level WHEN 'team' THEN e.entity_id END, CASE e.level WHEN 'rep' THEN e.entity_id END, k.code, 0, 7, w.first_day, w.last_day, 'x'
  FROM kpi_entity e
 CROSS JOIN (SELECT *
               FROM kpi
              WHERE code IN ('bookings_amount', 'won_count', 'lost_count', 'closed_count', 'win_rate', 'lost_amount', 'average_deal_amount', 'cycle_average_days',
                             'sales_amount', 'sale_count', 'created_count', 'cycle_median_days', 'sales_growth', 'churn_rate')) AS k
 CROSS JOIN (VALUES ('2025-04-01'::date, '2025-06-30'::date), ('2025-04-11', '2025-05-25')) AS w (first_day, last_day)
 WHERE e.level = 'company' OR e.entity_id IS NOT NULL;
SELECT cmp_ok(count(*), '>', 500::bigint, 'goals of everybody') FROM goal;

CREATE TABLE measured AS
SELECT w.first_day AS goal_first_day, w.last_day AS goal_last_day, m.*
  FROM (SELECT DISTINCT first_day, last_day FROM goal) AS w
 CROSS JOIN LATERAL goal_measured(w.first_day, w.last_day, (SELECT array_agg(p) FROM goal_piece p), NULL) m;
-- The windows, and for each the one before it, in which growth and churn began.
CREATE TABLE measure_window AS
SELECT w.first_day AS goal_first_day, w.last_day AS goal_last_day, p.place, false AS is_cut, p.first_day, p.last_day
  FROM (SELECT DISTINCT first_day, last_day FROM goal) AS w
 CROSS JOIN LATERAL goal_past_window(w.first_day, w.last_day) p
UNION ALL
SELECT w.first_day, w.last_day, p.place, true, p.first_day, p.cut_day
  FROM (SELECT DISTINCT first_day, last_day FROM goal) AS w
 CROSS JOIN LATERAL goal_past_window(w.first_day, w.last_day) p
UNION ALL
SELECT DISTINCT first_day, last_day, 0, false, first_day, '2025-05-20'::date FROM goal;
CREATE TABLE expected AS
SELECT w.goal_first_day, w.goal_last_day, w.place, w.is_cut, k.*
  FROM measure_window w
 CROSS JOIN LATERAL kpi_between(w.first_day, w.last_day) k
 WHERE k.entity_id IS NOT NULL OR k.level = 'company';

SELECT is(count(DISTINCT (goal_first_day, place, is_cut)), 34::bigint, 'two times a present and eight pasts, whole and cut') FROM measured;
SELECT is(count(DISTINCT kpi_code), 14::bigint, 'all KPIs') FROM measured;
SELECT is_empty(
    $$SELECT *
        FROM measured m
        JOIN expected e USING (goal_first_day, goal_last_day, place, is_cut, level, kpi_code)
       WHERE coalesce(e.entity_id, '') = coalesce(m.entity_id, '')
         AND kpi_code NOT IN ('sales_growth', 'churn_rate')
         AND (m.numerator IS DISTINCT FROM e.numerator OR m.denominator IS DISTINCT FROM e.denominator OR m.sample_count <> e.sample_count OR m.value IS DISTINCT FROM e.value)$$,
    'what is summed up in one pass is what kpi_between() says: numerator, denominator, sample and value');
SELECT is_empty(
    $$SELECT *
        FROM expected e
        LEFT JOIN measured m ON (m.goal_first_day, m.goal_last_day, m.place, m.is_cut, m.level, m.kpi_code) = (e.goal_first_day, e.goal_last_day, e.place, e.is_cut, e.level, e.kpi_code)
                            AND coalesce(e.entity_id, '') = coalesce(m.entity_id, '')
       WHERE e.kpi_code IN (SELECT kpi_code FROM measured)
         AND m.level IS NULL
         AND (e.numerator <> 0 OR e.denominator <> 0 OR e.sample_count <> 0)$$,
    'and where it has no row there is nothing');
-- A team's figure is the sum over its reps of what they did while they were there; nothing is lost by moves and splits.
SELECT is(c.value, r.value + coalesce(n.value, 0), 'bookings of the company are those of its reps and of nobody')
  FROM expected c,
       (SELECT sum(value) AS value FROM measured WHERE goal_first_day = '2025-04-01' AND place = 2 AND NOT is_cut AND level = 'rep' AND kpi_code = 'bookings_amount') AS r,
       (SELECT sum(k.value) AS value FROM measure_window w CROSS JOIN LATERAL kpi_between(w.first_day, w.last_day) k
         WHERE goal_first_day = '2025-04-01' AND place = 2 AND NOT is_cut AND k.level = 'rep' AND k.entity_id IS NULL AND k.kpi_code = 'bookings_amount') AS n
 WHERE c.goal_first_day = '2025-04-01' AND c.place = 2 AND NOT c.is_cut AND c.level = 'company' AND c.kpi_code = 'bookings_amount';
SELECT is(m.value, k.value, 'growth and churn of a window that is cut compare with the whole one before')
  FROM measured m
 CROSS JOIN LATERAL kpi_between('2025-01-01', '2025-02-18', '2024-10-01', '2024-12-31') k
 WHERE m.goal_first_day = '2025-04-01' AND m.place = 1 AND m.is_cut AND m.level = 'company' AND m.kpi_code = 'churn_rate'
   AND k.level = 'company' AND k.kpi_code = 'churn_rate'
   AND EXISTS (SELECT FROM measure_window w WHERE w.goal_first_day = '2025-04-01' AND w.place = 1 AND w.is_cut AND w.last_day = '2025-02-18');
SELECT is_empty(
    $$SELECT g.goal_id
        FROM goal_progress g
        JOIN expected e ON e.goal_first_day = g.first_day AND e.goal_last_day = g.last_day AND e.place = 0 AND e.level = g.level
                       AND coalesce(e.entity_id, '') = coalesce(g.team_id, g.rep_id, '') AND e.kpi_code = g.kpi_code
       WHERE g.kpi_code NOT IN ('sales_growth', 'churn_rate')
         AND (g.actual_value IS DISTINCT FROM e.value OR g.sample_count <> e.sample_count)$$,
    'goal_progress shows the same');

-- Some of the goals, by KPI and by level, before they begin, while they run and when they are over.
PREPARE standing AS
WITH asked AS MATERIALIZED (
    SELECT array_agg(g.goal_id) AS goal_ids FROM goal g GROUP BY g.kpi_code
    UNION ALL
    SELECT array_agg(g.goal_id) FROM goal g GROUP BY g.level
),
told AS MATERIALIZED (
    SELECT s.* FROM asked CROSS JOIN LATERAL goal_standing(asked.goal_ids) s
)
SELECT t.* FROM told t
EXCEPT
SELECT g.goal_id, g.goal_name, g.rep_id, g.kpi_code, g.kpi_name, g.unit, g.first_day, g.last_day, g.target, g.sample_count, g.actual_value,
       g.pace_ratio, g.chance_of_reaching, g.status, g.check_in_due_on, g.is_check_in_overdue
  FROM goal_progress g
UNION ALL
SELECT g.goal_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM goal g
 WHERE (SELECT count(*) FROM told t WHERE t.goal_id = g.goal_id) <> 2;
SET sales_perf.as_of = '2025-04-05';
SELECT is_empty('standing', 'goal_standing() of some goals tells what goal_progress does: some have begun');
SET sales_perf.as_of = '2025-06-10';
SELECT is_empty('standing', 'some are over');
SET sales_perf.as_of = '2025-05-20';
SELECT is_empty('standing', 'all run');
SELECT is_empty($$SELECT * FROM goal_standing('{}')$$, 'of no goals nothing');
SELECT results_eq(
    $$SELECT place, is_cut FROM goal_window('2025-04-01', '2025-06-30', ARRAY(SELECT goal_id FROM goal WHERE level = 'rep' AND kpi_code = 'bookings_amount'))$$,
    $$VALUES (0, false)$$, 'how goals on bookings stand is told without the past');

-- Goals of the same days are measured once, however many they are, and not at all where a filter leaves them out. Closed
-- deals are read once for all of them.
SET track_functions = 'pl';
CREATE FUNCTION pg_temp.readings(function text DEFAULT 'goal_measured') RETURNS bigint
    LANGUAGE sql
    RETURN coalesce((SELECT sum(calls)::bigint FROM pg_stat_xact_user_functions WHERE schemaname = 'sales' AND funcname = function), 0);
BEGIN;
SELECT pg_temp.readings() AS before \gset
SELECT count(*) FROM goal_progress WHERE first_day = '2025-04-01' AND level = 'rep' \gset
SELECT is(pg_temp.readings() - :before, 1::bigint, 'a filter on the first day: one reading');
COMMIT;
BEGIN;
SELECT pg_temp.readings() AS before, pg_temp.readings('goal_pieces') AS before_pieces \gset
SELECT count(*) FROM goal_progress WHERE NOT is_complete \gset
SELECT is(pg_temp.readings() - :before, 2::bigint, 'goals of two ranges of days: two');
SELECT is(pg_temp.readings('goal_pieces') - :before_pieces, 1::bigint, 'but one of the deals closed');
COMMIT;
BEGIN;
SELECT pg_temp.readings() AS before, pg_temp.readings('goal_pieces') AS before_pieces \gset
SELECT count(*) FROM goal_progress WHERE is_complete \gset
SELECT is(pg_temp.readings() - :before, 0::bigint, 'a filter on is_complete that leaves nothing: none');
SELECT is(pg_temp.readings('goal_pieces') - :before_pieces, 0::bigint, 'nor of the deals');
COMMIT;
RESET track_functions;

-- ---------------------------------------------------------------- projections against what came

-- 120 reps who sell in a random walk of days: each day a sale or not, of an amount with a long tail, by hash. Some sell often, some rarely.
SELECT sales_perf.create_mart('sim') \gset
SET search_path = sim, public;
INSERT INTO rep (rep_id, name) SELECT 'r' || i, 'Rep ' || i FROM generate_series(1, 120) AS i;
INSERT INTO sale (sale_id, rep_id, sold_on, amount)
SELECT rep_id || ' ' || day::date, rep_id, day::date, round((100 * power(u.amount, -0.4))::numeric, 2)
  FROM rep
 CROSS JOIN generate_series('2024-01-01'::date, '2024-12-31', '1 day') AS day
 CROSS JOIN LATERAL (SELECT ((hashtextextended(rep_id || day::date, 1) & 4294967295) + 1)::float8 / 4294967297 AS sells,
                            ((hashtextextended(rep_id || day::date, 2) & 4294967295) + 1)::float8 / 4294967297 AS amount) AS u
 WHERE u.sells < 0.1 + 0.6 * substr(rep_id, 2)::int / 120;
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason)
SELECT rep_id || ' ' || first_day, 'x', rep_id, 'sales_amount', 500 + 20 * substr(rep_id, 2)::int, first_day, (first_day + interval '1 month')::date - 1, 'x'
  FROM rep CROSS JOIN (VALUES ('2024-10-01'::date), ('2024-11-01'), ('2024-12-01')) AS m (first_day);
SET sales_perf.as_of = '2024-10-08';
CREATE TABLE replay AS SELECT goal_id, projected_value, projected_low, projected_high, chance_of_reaching FROM goal_progress WHERE first_day = '2024-10-01';
SET sales_perf.as_of = '2024-11-15';
INSERT INTO replay SELECT goal_id, projected_value, projected_low, projected_high, chance_of_reaching FROM goal_progress WHERE first_day = '2024-11-01';
SET sales_perf.as_of = '2024-12-23';
INSERT INTO replay SELECT goal_id, projected_value, projected_low, projected_high, chance_of_reaching FROM goal_progress WHERE first_day = '2024-12-01';
SET sales_perf.as_of = '2024-12-31';
CREATE TABLE outcome AS SELECT goal_id, actual_value, target FROM goal_progress;
SELECT is(count(projected_low), 360::bigint, '360 projections') FROM replay;
SELECT ok(avg((actual_value BETWEEN projected_low AND projected_high)::int) BETWEEN 0.74 AND 0.86, 'of 360 intervals of 80 % about 80 % hold what came')
  FROM replay JOIN outcome USING (goal_id);
SELECT cmp_ok(abs(avg(actual_value - projected_value) / avg(actual_value)), '<', 0.02, 'projections are right on average')
  FROM replay JOIN outcome USING (goal_id);
SELECT cmp_ok(abs(avg((actual_value >= target)::int) - avg(chance_of_reaching)), '<', 0.05::float8, 'and so are the chances')
  FROM replay JOIN outcome USING (goal_id);
SELECT diag(format('intervals cover %s, chances %s against %s', round(avg((actual_value BETWEEN projected_low AND projected_high)::int), 3), round(avg(chance_of_reaching)::numeric, 3), round(avg((actual_value >= target)::int), 3)))
  FROM replay JOIN outcome USING (goal_id);

-- ---------------------------------------------------------------- from maintained rollups

RESET sales_perf.as_of;
SET search_path = sales, public;
CREATE VIEW measured_now AS
SELECT g.first_day, g.last_day, m.place, m.is_cut, m.level, m.entity_id, m.kpi_code, m.numerator, m.denominator, m.sample_count
  FROM (SELECT DISTINCT first_day, last_day FROM goal UNION SELECT current_date - 20, current_date + 20) AS g
 CROSS JOIN LATERAL goal_measured(g.first_day, g.last_day, (SELECT array_agg(p) FROM goal_piece p), NULL) AS m;
CREATE TEMP TABLE from_deals AS TABLE measured_now;
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT is(rollup_grain(), 'month', 'rollups are read from here on');
SELECT bag_eq('TABLE measured_now', 'TABLE from_deals', 'what goals are measured by is the same from rollups, of whole months and of odd days');

SELECT * FROM finish();
