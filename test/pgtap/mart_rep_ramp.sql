-- rep_ramp: Kaplan-Meier by hand, in plain SQL.
SELECT plan(14);

SELECT sales_perf.create_mart('m') \gset
SET search_path = m, public;
SET sales_perf.as_of = '2024-12-31';
INSERT INTO team (team_id, name, parent_team_id) VALUES ('all', 'All', NULL), ('a', 'A', 'all'), ('b', 'B', 'all');
INSERT INTO rep (rep_id, name, team_id, hired_on, left_on)
VALUES ('old', 'Old hand', 'a', '2020-01-01', NULL),      -- before the data begin
       ('unknown', 'Unknown', 'a', NULL, NULL),
       ('late', 'Entered late', 'a', '2024-06-01', NULL),  -- won before being hired
       ('next', 'Next year', 'a', '2025-02-01', NULL);     -- not hired yet
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
VALUES ('first', 'old', 1, '2023-01-01', '2023-01-10', 'won'),
       ('early', 'late', 1, '2024-01-01', '2024-05-01', 'won');
-- 60 newcomers: days to the first win by hash, or none; some leave before that, some came lately
CREATE TABLE newcomer AS
SELECT 'n' || i AS rep_id,
       CASE WHEN i % 3 = 0 THEN 'b' ELSE 'a' END AS team_id,
       date '2023-02-01' + i * 11 AS hired_on,
       CASE WHEN i % 7 = 0 THEN date '2023-02-01' + i * 11 + 20 + i % 5 END AS left_on,
       CASE WHEN i % 11 <> 0 THEN date '2023-02-01' + i * 11 + 5 + (hashint4(i) & 63) END AS won_on
  FROM generate_series(1, 60) AS i;
INSERT INTO rep (rep_id, name, team_id, hired_on, left_on) SELECT rep_id, rep_id, team_id, hired_on, left_on FROM newcomer;
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT rep_id || ' ' || more, rep_id, 10, hired_on, won_on + more, 'won'
  FROM newcomer CROSS JOIN (VALUES (0), (30)) AS v (more)
 WHERE won_on + more < coalesce(left_on, 'infinity');
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) SELECT rep_id || ' lost', rep_id, 10, hired_on, hired_on + 1, 'lost' FROM newcomer;

CREATE FUNCTION pg_temp.km_median(of_team text, as_of date) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    survival numeric := 1;
    step record;
BEGIN
    FOR step IN
        WITH seen AS (
            SELECT n.hired_on,
                   (SELECT min(d.closed_on) FROM m.deal d WHERE d.rep_id = n.rep_id AND d.outcome = 'won' AND d.closed_on <= as_of) AS won_on,
                   least(n.left_on, as_of) AS last_day
              FROM newcomer n
             WHERE n.hired_on <= as_of
               AND (of_team = 'all' OR n.team_id = of_team)
        ),
        days AS (SELECT coalesce(won_on, last_day) - hired_on AS d, won_on IS NOT NULL AS is_win FROM seen)
        SELECT e.d, count(*) FILTER (WHERE x.d = e.d AND x.is_win) AS wins, count(*) AS at_risk
          FROM (SELECT DISTINCT d FROM days WHERE is_win) AS e
          JOIN days x ON x.d >= e.d
         GROUP BY e.d
         ORDER BY e.d
    LOOP
        survival := survival * (1 - step.wins::numeric / step.at_risk);
        IF survival < 0.5 THEN
            RETURN step.d;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

SELECT results_eq($$SELECT rep_count, won_count, left_count, uncounted_count FROM rep_ramp WHERE level = 'company'$$,
                  $$SELECT count(*), count(*) FILTER (WHERE won_on < coalesce(left_on, 'infinity') AND won_on <= '2024-12-31'), count(*) FILTER (WHERE left_on <= '2024-12-31' AND coalesce(won_on, 'infinity') >= left_on), 3::bigint
                      FROM newcomer WHERE hired_on <= '2024-12-31'$$, 'who is counted, and who is not');
SELECT cmp_ok(left_count, '>', 2::bigint, 'some left without a win') FROM rep_ramp WHERE level = 'company';
SELECT cmp_ok(rep_count - won_count - left_count, '>', 2::bigint, 'some are here and have not won yet') FROM rep_ramp WHERE level = 'company';
SELECT is(ramp_median_days::numeric, pg_temp.km_median('all', '2024-12-31'), 'the median of the company') FROM rep_ramp WHERE level = 'company';
SELECT isnt(ramp_median_days::numeric, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY won_on - hired_on)::numeric FROM newcomer WHERE won_on < coalesce(left_on, 'infinity')), 'is not that of those who won') FROM rep_ramp WHERE level = 'company';
SELECT ok(ramp_low_days <= ramp_median_days AND ramp_median_days <= ramp_high_days AND ramp_low_days < ramp_high_days, 'within its limits') FROM rep_ramp WHERE level = 'company';
SELECT is(ramp_median_days::numeric, pg_temp.km_median(team_id, '2024-12-31'), 'of team ' || team_id) FROM rep_ramp WHERE level = 'team' ORDER BY team_id;
SELECT matches(summary_text, '^Company: \d+ of \d+ reps hired since the first deal was won had a first win of their own, half of them within \d+ days of coming\.$', 'in words') FROM rep_ramp WHERE level = 'company';
SET sales_perf.as_of = '2023-08-31';
SELECT is(ramp_median_days::numeric, pg_temp.km_median('all', '2023-08-31'), 'as of a past day') FROM rep_ramp WHERE level = 'company';
SET sales_perf.as_of = '2023-02-14';
SELECT results_eq($$SELECT rep_count, won_count, ramp_median_days, summary_text FROM rep_ramp WHERE level = 'company'$$,
                  $$VALUES (1::bigint, 0::bigint, NULL::float8, 'Company: 0 of 1 rep hired since the first deal was won had a first win of their own; too few to tell after how many days half of them have.')$$, 'when nobody has won yet');
RESET sales_perf.as_of;
SELECT results_eq($$SELECT code FROM kpi WHERE family = 'people' ORDER BY code COLLATE "C"$$,
                  $$VALUES ('action_done_on_time_rate'), ('feedback_acknowledged_rate'), ('feedback_coverage_rate'), ('goals_on_track_rate'), ('metric_load_count'), ('ramp_days'), ('training_completed_rate'), ('training_lift')$$,
                  'it is in the registry, as the other KPIs of people are');
SELECT is_empty($$SELECT k.code FROM kpi k WHERE k.family = 'people' AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('m.' || split_part(k.shown_in, '.', 1)) AND a.attname = split_part(k.shown_in, '.', 2))$$, 'each where it says');

SELECT * FROM finish();
