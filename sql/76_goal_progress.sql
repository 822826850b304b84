-- How goals stand: goal_progress, goal_standing() for some of them, and goal_rollup for goals and their parts. Closed deals are read once for all goals
-- (goal_piece); all else that takes reading deals once for those of the same days, by goal_measure().

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- Written into the query that asks for it, so that a filter on days reaches the goals.
CREATE FUNCTION goal_progress_of(goal_ids text[])
    RETURNS TABLE (goal_id text, goal_name text, level text, team_id text, rep_id text, owner_name text, kpi_code text, kpi_name text, unit text, direction text,
                   parent_goal_id text, first_day date, last_day date, is_complete boolean, baseline numeric, target numeric, stretch numeric, target_valid_from date,
                   numerator numeric, denominator numeric, sample_count bigint, actual_value numeric, progress_rate double precision, attainment_rate double precision,
                   expected_share double precision, expected_value numeric, pace_ratio double precision, projected_value numeric, projected_low numeric, projected_high numeric,
                   chance_of_reaching double precision, status text, is_stretch_reached boolean, remaining_value numeric, remaining_business_days bigint,
                   needed_per_business_day numeric, history_count bigint, history_median numeric, history_best numeric, history_reached_count bigint, is_beyond_history boolean,
                   child_count bigint, child_target_sum numeric, child_gap numeric, children_tie boolean, check_in_count bigint, checked_on date, check_in_author text,
                   check_in_confidence double precision, check_in_note text, check_in_due_on date, is_check_in_overdue boolean)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT s.goal_id,
           s.goal_name,
           s.level,
           s.team_id,
           s.rep_id,
           s.owner_name,
           s.kpi_code,
           s.kpi_name,
           s.unit,
           s.direction,
           s.parent_goal_id,
           s.first_day,
           s.last_day,
           s.is_complete,
           s.baseline,
           s.target,
           s.stretch,
           s.target_valid_from,
           s.numerator,
           s.denominator,
           s.sample_count,
           s.actual_value,
           s.progress_rate,
           s.attainment_rate,
           s.expected_share,
           s.expected_value,
           s.pace_ratio,
           s.projected_value,
           s.projected_low,
           s.projected_high,
           s.chance_of_reaching,
           CASE
               WHEN s.first_day > sales_perf.as_of() THEN 'not_started'
               WHEN s.is_complete THEN CASE WHEN s.is_reached THEN 'achieved' ELSE 'missed' END
               WHEN s.is_reached AND s.is_cumulative AND s.direction = 'up' THEN 'achieved'
               WHEN s.chance_of_reaching >= 0.7 OR s.pace_ratio >= 1 AND coalesce(s.chance_of_reaching, 1) >= 0.3 THEN 'on_track'
               WHEN s.chance_of_reaching < 0.1 OR s.pace_ratio < 0.8 AND coalesce(s.chance_of_reaching, 0) < 0.3 THEN 'behind'
               ELSE 'at_risk'
           END AS status,
           s.is_stretch_reached,
           s.remaining_value,
           s.remaining_business_days,
           CASE WHEN s.is_cumulative AND s.direction = 'up' AND NOT s.is_complete AND s.remaining_business_days > 0 THEN round(s.remaining_value / s.remaining_business_days, CASE s.unit WHEN 'amount' THEN 2 ELSE 6 END) END AS needed_per_business_day,
           s.history_count,
           s.history_median,
           s.history_best,
           s.history_reached_count,
           CASE s.direction WHEN 'up' THEN s.target > s.history_best ELSE s.target < s.history_best END AS is_beyond_history,
           s.child_count,
           s.child_target_sum,
           s.target - s.child_target_sum AS child_gap,
           s.target = s.child_target_sum AS children_tie,
           s.check_in_count,
           s.checked_on,
           s.check_in_author,
           s.check_in_confidence,
           s.check_in_note,
           s.check_in_due_on,
           s.check_in_due_on < sales_perf.as_of() AS is_check_in_overdue
      FROM (SELECT g.goal_id,
                   g.goal_name,
                   g.level,
                   g.team_id,
                   g.rep_id,
                   g.owner_name,
                   g.kpi_code,
                   g.kpi_name,
                   g.unit,
                   reading.is_cumulative,
                   g.direction,
                   g.parent_goal_id,
                   w.first_day,
                   w.last_day,
                   w.last_day <= sales_perf.as_of() AS is_complete,
                   g.baseline,
                   g.target,
                   g.stretch,
                   g.target_valid_from,
                   m.numerator,
                   m.denominator,
                   m.sample_count,
                   m.actual_value,
                   ((m.actual_value - g.baseline) / (g.target - g.baseline))::double precision AS progress_rate,
                   CASE WHEN g.direction = 'up' AND g.target > 0 THEN m.actual_value / g.target END::double precision AS attainment_rate,
                   m.expected_share,
                   CASE
                       WHEN w.first_day > sales_perf.as_of() THEN NULL
                       WHEN reading.is_cumulative THEN round(g.target * m.expected_share::numeric, CASE g.unit WHEN 'amount' THEN 2 ELSE 6 END)
                       ELSE g.target
                   END AS expected_value,
                   -- rounded, for what is just on pace is to be 1 also where expected_share is no round number
                   round(CASE
                             WHEN NOT reading.is_cumulative THEN (reading.value - g.baseline) / (g.target - g.baseline)
                             WHEN m.expected_share > 0 THEN (reading.value / m.expected_share::numeric - g.baseline) / (g.target - g.baseline)
                         END, 9)::double precision AS pace_ratio,
                   m.projected_value,
                   m.projected_low,
                   m.projected_high,
                   CASE WHEN m.projected_value > '-Infinity' AND m.projected_value < 'Infinity' THEN m.chance_of_reaching END AS chance_of_reaching,
                   coalesce(CASE g.direction WHEN 'up' THEN reading.value >= g.target ELSE reading.value <= g.target END, false) AS is_reached,
                   CASE g.direction WHEN 'up' THEN reading.value >= g.stretch ELSE reading.value <= g.stretch END AS is_stretch_reached,
                   CASE
                       WHEN g.direction = 'up' AND reading.is_cumulative THEN greatest(0, g.target - coalesce(m.actual_value, 0))
                       WHEN m.actual_value IS NULL THEN NULL
                       WHEN g.direction = 'up' THEN greatest(0, g.target - m.actual_value)
                       ELSE greatest(0, m.actual_value - g.target)
                   END AS remaining_value,
                   m.business_day_count - m.gone_business_day_count AS remaining_business_days,
                   m.history_count,
                   m.history_median,
                   CASE g.direction WHEN 'up' THEN m.history_high ELSE m.history_low END AS history_best,
                   m.history_reached_count,
                   coalesce(child.child_count, 0) AS child_count,
                   child.child_target_sum,
                   coalesce(said.check_in_count, 0) AS check_in_count,
                   last_said.checked_on,
                   last_said.author_name AS check_in_author,
                   last_said.confidence AS check_in_confidence,
                   last_said.note AS check_in_note,
                   CASE
                       WHEN w.first_day <= sales_perf.as_of() AND w.last_day > sales_perf.as_of()
                       THEN greatest(last_said.checked_on, w.first_day) + g.check_in_every_days
                   END AS check_in_due_on
              FROM (SELECT DISTINCT first_day, last_day FROM goal g WHERE goal_ids IS NULL OR g.goal_id = ANY (goal_ids)) AS w
             CROSS JOIN LATERAL goal_measure(w.first_day, w.last_day, (SELECT array_agg(p::goal_piece) FROM goal_pieces(goal_ids) p), goal_ids) m
              JOIN goal_as_of g ON g.goal_id = m.goal_id
             CROSS JOIN LATERAL (
                    -- NaN is above every target, and has reached none
                    SELECT CASE WHEN m.actual_value > '-Infinity' AND m.actual_value < 'Infinity' THEN m.actual_value END AS value,
                           -- what grows with the days; a first purchase comes once
                           g.kind = 'sum' OR g.kpi_code = 'new_customer_count' AS is_cumulative) AS reading
              LEFT JOIN (SELECT c.parent_goal_id,
                                count(*) AS child_count,
                                sum(c.target) FILTER (WHERE c.kpi_code = p.kpi_code AND c.kind = 'sum') AS child_target_sum
                           FROM goal_as_of c
                           JOIN goal p ON p.goal_id = c.parent_goal_id
                          GROUP BY c.parent_goal_id) AS child ON child.parent_goal_id = g.goal_id
              LEFT JOIN (SELECT c.goal_id,
                                count(*) AS check_in_count
                           FROM check_in c
                          WHERE c.checked_on <= sales_perf.as_of()
                          GROUP BY c.goal_id) AS said ON said.goal_id = g.goal_id
              LEFT JOIN (SELECT DISTINCT ON (c.goal_id)
                                c.goal_id,
                                c.checked_on,
                                r.name AS author_name,
                                c.confidence,
                                c.note
                           FROM check_in c
                           LEFT JOIN rep r ON r.rep_id = c.author_rep_id
                          WHERE c.checked_on <= sales_perf.as_of()
                          ORDER BY c.goal_id, c.checked_on DESC, c.check_in_id DESC) AS last_said ON last_said.goal_id = g.goal_id) AS s;
END;

COMMENT ON FUNCTION goal_progress_of(text[]) IS 'The rows of goal_progress, made from the deals, of these goals; of all, if goal_ids is NULL. Of some it tells how they stand, and what is told of the past (history_count and the like) is not complete.';

CREATE VIEW goal_progress_live WITH (security_invoker = true) AS
SELECT *
  FROM goal_progress_of(NULL);

COMMENT ON VIEW goal_progress_live IS 'What goal_progress shows, made from the deals.';

CREATE TABLE rollup_goal_progress (
    LIKE goal_progress_live
);

COMMENT ON TABLE rollup_goal_progress IS 'The rows of goal_progress, as fold_rollup() has kept them.';
ALTER TABLE rollup_goal_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_goal_progress_visible ON rollup_goal_progress USING ((SELECT NOT rollup_report_is_hidden()));

CREATE VIEW goal_progress WITH (security_invoker = true) AS
SELECT *
  FROM rollup_goal_progress
 WHERE rollup_report_serves('goal_progress')
UNION ALL
SELECT *
  FROM goal_progress_live
 WHERE NOT rollup_report_serves('goal_progress');

COMMENT ON VIEW goal_progress IS 'How each goal stands as of as_of(), against the target in force then. The KPI is measured over the goal''s days up to as_of(). What is still to come is, for bookings_amount, the forecast of deals (forecast_outlook); for other KPIs, and before the first day, a replay: what came after the same share of business days in up to eight past windows of the same length, its mean and Student''s interval, if there are three or more. Status: not_started before first_day; over (last_day has come): achieved where the target is reached, else missed; before: achieved where a sum that is to grow has reached it; on_track where chance_of_reaching >= 0.7, or pace_ratio >= 1 unless the chance is below 0.3; behind where the chance is below 0.1, or pace_ratio < 0.8 and the chance below 0.3 or not known; else at_risk. A value that is NaN or infinite, for an amount is (see data_quality), has reached nothing. The number of new customers grows with the days as a sum does, and goes by the rules for sums. A filter on first_day, last_day or is_complete leaves out the reading for other goals.';
COMMENT ON COLUMN goal_progress.goal_id IS 'The goal.';
COMMENT ON COLUMN goal_progress.goal_name IS 'Name of the goal.';
COMMENT ON COLUMN goal_progress.level IS 'Whose goal it is: company, team (with the teams below it) or rep.';
COMMENT ON COLUMN goal_progress.team_id IS 'The team whose goal it is; NULL: not a team''s.';
COMMENT ON COLUMN goal_progress.rep_id IS 'The rep whose goal it is; NULL: not a rep''s.';
COMMENT ON COLUMN goal_progress.owner_name IS 'Name of the team or rep; company.';
COMMENT ON COLUMN goal_progress.kpi_code IS 'The KPI that is measured, see table kpi.';
COMMENT ON COLUMN goal_progress.kpi_name IS 'Its name.';
COMMENT ON COLUMN goal_progress.unit IS 'Its unit: that of baseline, target, actual, expected, projected, remaining and history values.';
COMMENT ON COLUMN goal_progress.direction IS 'up where the target lies above the baseline, down where it lies below.';
COMMENT ON COLUMN goal_progress.parent_goal_id IS 'The goal it is part of; NULL: none.';
COMMENT ON COLUMN goal_progress.first_day IS 'The first day that counts.';
COMMENT ON COLUMN goal_progress.last_day IS 'The last day that counts.';
COMMENT ON COLUMN goal_progress.is_complete IS 'True where last_day is not after as_of(), whose day counts as a whole.';
COMMENT ON COLUMN goal_progress.baseline IS 'The baseline in force on the day as_of() gives.';
COMMENT ON COLUMN goal_progress.target IS 'The target in force on that day.';
COMMENT ON COLUMN goal_progress.stretch IS 'The stretch target in force; NULL: none.';
COMMENT ON COLUMN goal_progress.target_valid_from IS 'Since when this target is in force; -infinity: from the beginning.';
COMMENT ON COLUMN goal_progress.numerator IS 'The KPI''s numerator in the goal''s days up to as_of(); NULL before the first day, for a statistic, and where there is nothing.';
COMMENT ON COLUMN goal_progress.denominator IS 'The KPI''s denominator; NULL for a sum or a statistic.';
COMMENT ON COLUMN goal_progress.sample_count IS 'Deals, sales or rows that the value is of. Count.';
COMMENT ON COLUMN goal_progress.actual_value IS 'The KPI in the goal''s days up to as_of(), in its unit, by its own attribution. 0 for a sum of nothing; NULL before the first day, and for a ratio over nothing.';
COMMENT ON COLUMN goal_progress.progress_rate IS '(actual_value - baseline) / (target - baseline): the way behind, also of goals that aim down. Fraction; S; NULL where actual_value is.';
COMMENT ON COLUMN goal_progress.attainment_rate IS 'actual_value / target. Fraction; NULL where actual_value is, for a goal that aims down, and for a target of 0 or less.';
COMMENT ON COLUMN goal_progress.expected_share IS 'Share of the goal''s business days that are gone, the day of as_of() included; by the season''s weights where the goal has a season; of all days where calendar does not have them. Fraction; S.';
COMMENT ON COLUMN goal_progress.expected_value IS 'What would be on pace now: expected_share x target for a sum, the target for a ratio or statistic, which is to be met all the time. NULL before the first day.';
COMMENT ON COLUMN goal_progress.pace_ratio IS 'Where the pace so far leads to, on the way from baseline to target: (p - baseline) / (target - baseline) with p = actual_value / expected_share for a sum and actual_value for a ratio or statistic, to 9 digits after the point. 1: just the target. For a sum from baseline 0 that is attainment_rate / expected_share. Ratio; S; NULL before the first day and the first business day, and where actual_value is NaN or infinite.';
COMMENT ON COLUMN goal_progress.projected_value IS 'What it is expected to come to on last_day: actual_value + what is expected to come; the actual_value when over. NULL with fewer than three past windows.';
COMMENT ON COLUMN goal_progress.projected_low IS 'Lower limit of its 80 % interval; NULL where projected_value is.';
COMMENT ON COLUMN goal_progress.projected_high IS 'Upper limit of its 80 % interval; NULL where projected_value is.';
COMMENT ON COLUMN goal_progress.chance_of_reaching IS 'Chance that the target is reached on last_day, 0 to 1. S; NULL where projected_value is, and where that is NaN or infinite.';
COMMENT ON COLUMN goal_progress.status IS 'not_started, on_track, at_risk, behind, achieved or missed, by the rules of this view.';
COMMENT ON COLUMN goal_progress.is_stretch_reached IS 'True where actual_value is at or beyond the stretch target; NULL: no stretch, or no value.';
COMMENT ON COLUMN goal_progress.remaining_value IS 'What is missing of the target (of a goal that aims down: by how much the value is above it), 0 where it is reached. NULL where actual_value is, but for a sum that is to grow and has not started.';
COMMENT ON COLUMN goal_progress.remaining_business_days IS 'Business days of the goal after as_of(). Count; NULL where calendar does not have its days.';
COMMENT ON COLUMN goal_progress.needed_per_business_day IS 'remaining_value / remaining_business_days. Unit a day; NULL but for sums that are to grow, when over, and with no business day left.';
COMMENT ON COLUMN goal_progress.history_count IS 'Past windows of the same length in which the KPI has a value, at most eight: as many days each, right before first_day; months before months and quarters before quarters where the goal''s days are whole periods of calendar. Only those that are over and that the data cover; of a rep, only since hired_on. Count.';
COMMENT ON COLUMN goal_progress.history_median IS 'Median of the KPI in these windows; NULL: there are none.';
COMMENT ON COLUMN goal_progress.history_best IS 'The best of them: the highest, or the lowest for a goal that aims down; NULL: there are none.';
COMMENT ON COLUMN goal_progress.history_reached_count IS 'In how many of them the target would have been reached. Count.';
COMMENT ON COLUMN goal_progress.is_beyond_history IS 'True where the target is better than history_best: never seen before. NULL: there is no history.';
COMMENT ON COLUMN goal_progress.child_count IS 'Goals that are part of this one. Count.';
COMMENT ON COLUMN goal_progress.child_target_sum IS 'Sum of the targets (in force) of those with the same KPI, which is a sum; NULL: there are none.';
COMMENT ON COLUMN goal_progress.child_gap IS 'target - child_target_sum: above 0 where nobody has taken on a part. NULL where child_target_sum is.';
COMMENT ON COLUMN goal_progress.children_tie IS 'False where child_gap is not 0: the parts do not add up to the whole. NULL where child_target_sum is.';
COMMENT ON COLUMN goal_progress.check_in_count IS 'Check-ins up to as_of(). Count.';
COMMENT ON COLUMN goal_progress.checked_on IS 'Day of the last one.';
COMMENT ON COLUMN goal_progress.check_in_author IS 'Name of the rep who wrote it.';
COMMENT ON COLUMN goal_progress.check_in_confidence IS 'How sure the author is that the goal will be reached. Fraction; NULL: not stated.';
COMMENT ON COLUMN goal_progress.check_in_note IS 'What it says.';
COMMENT ON COLUMN goal_progress.check_in_due_on IS 'The day the next one is due: check_in_every_days after the last, or after first_day, whichever is later. NULL where none is asked for, before the first and from the last day on.';
COMMENT ON COLUMN goal_progress.is_check_in_overdue IS 'True where that day is before as_of(); NULL where no check-in is due.';

-- ---------------------------------------------------------------- some of them

-- Reports on people ask how the running goals of reps stand, and for nothing else.
CREATE FUNCTION goal_standing(goal_ids text[])
    RETURNS TABLE (goal_id text, goal_name text, rep_id text, kpi_code text, kpi_name text, unit text, first_day date, last_day date, target numeric, sample_count bigint, actual_value numeric,
                   pace_ratio double precision, chance_of_reaching double precision, status text, check_in_due_on date, is_check_in_overdue boolean)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT g.goal_id, g.goal_name, g.rep_id, g.kpi_code, g.kpi_name, g.unit, g.first_day, g.last_day, g.target, g.sample_count, g.actual_value,
           g.pace_ratio, g.chance_of_reaching, g.status, g.check_in_due_on, g.is_check_in_overdue
      FROM rollup_goal_progress g
     WHERE rollup_report_serves('goal_progress')
       AND g.goal_id = ANY (goal_ids)
    UNION ALL
    SELECT g.goal_id, g.goal_name, g.rep_id, g.kpi_code, g.kpi_name, g.unit, g.first_day, g.last_day, g.target, g.sample_count, g.actual_value,
           g.pace_ratio, g.chance_of_reaching, g.status, g.check_in_due_on, g.is_check_in_overdue
      FROM goal_progress_of(goal_ids) g
     WHERE NOT rollup_report_serves('goal_progress');
END;

COMMENT ON FUNCTION goal_standing(text[]) IS 'How some goals stand: of the columns of goal_progress those that can be told without all of the past, so that no more deals are read than that takes.';

-- ---------------------------------------------------------------- parents and their parts

CREATE VIEW goal_rollup WITH (security_invoker = true) AS
WITH progress AS MATERIALIZED (
    SELECT *
      FROM goal_progress
)
SELECT p.goal_id,
       p.goal_name,
       p.level,
       p.owner_name,
       p.kpi_code,
       p.unit,
       p.first_day,
       p.last_day,
       p.status,
       p.target,
       p.child_target_sum,
       p.child_gap,
       p.children_tie,
       p.actual_value,
       c.child_actual_sum,
       p.actual_value - c.child_actual_sum AS actual_gap,
       p.projected_value,
       c.child_projected_sum,
       c.child_count,
       c.not_started_count,
       c.on_track_count,
       c.at_risk_count,
       c.behind_count,
       c.achieved_count,
       c.missed_count,
       CASE WHEN c.on_track_count + c.at_risk_count + c.behind_count + c.achieved_count + c.missed_count > 0
            THEN (c.on_track_count + c.achieved_count)::double precision / (c.on_track_count + c.at_risk_count + c.behind_count + c.achieved_count + c.missed_count)
       END AS goals_on_track_rate
  FROM progress p
  JOIN (SELECT c.parent_goal_id,
               count(*) AS child_count,
               sum(c.actual_value) FILTER (WHERE c.kpi_code = parent.kpi_code AND k.kind = 'sum') AS child_actual_sum,
               -- one that is not known would pass for 0
               CASE WHEN bool_and(c.projected_value IS NOT NULL) FILTER (WHERE c.kpi_code = parent.kpi_code AND k.kind = 'sum')
                    THEN sum(c.projected_value) FILTER (WHERE c.kpi_code = parent.kpi_code AND k.kind = 'sum')
               END AS child_projected_sum,
               count(*) FILTER (WHERE c.status = 'not_started') AS not_started_count,
               count(*) FILTER (WHERE c.status = 'on_track') AS on_track_count,
               count(*) FILTER (WHERE c.status = 'at_risk') AS at_risk_count,
               count(*) FILTER (WHERE c.status = 'behind') AS behind_count,
               count(*) FILTER (WHERE c.status = 'achieved') AS achieved_count,
               count(*) FILTER (WHERE c.status = 'missed') AS missed_count
          FROM progress c
          JOIN goal parent ON parent.goal_id = c.parent_goal_id
          JOIN kpi k ON k.code = c.kpi_code
         GROUP BY c.parent_goal_id) AS c ON c.parent_goal_id = p.goal_id;

COMMENT ON VIEW goal_rollup IS 'Each goal that has parts, with what its parts come to: their targets, what they reached, and how they stand. The columns of goals of another KPI, or of a KPI that is no sum, do not add up and are left out of the sums.';
COMMENT ON COLUMN goal_rollup.goal_id IS 'The goal.';
COMMENT ON COLUMN goal_rollup.goal_name IS 'Name of the goal.';
COMMENT ON COLUMN goal_rollup.level IS 'Whose goal it is: company, team or rep.';
COMMENT ON COLUMN goal_rollup.owner_name IS 'Name of the team or rep; company.';
COMMENT ON COLUMN goal_rollup.kpi_code IS 'The KPI that is measured.';
COMMENT ON COLUMN goal_rollup.unit IS 'Its unit.';
COMMENT ON COLUMN goal_rollup.first_day IS 'The first day that counts.';
COMMENT ON COLUMN goal_rollup.last_day IS 'The last day that counts.';
COMMENT ON COLUMN goal_rollup.status IS 'How the goal itself stands, see goal_progress.';
COMMENT ON COLUMN goal_rollup.target IS 'Its target in force.';
COMMENT ON COLUMN goal_rollup.child_target_sum IS 'Sum of the targets of its parts with the same KPI, which is a sum; NULL: there are none.';
COMMENT ON COLUMN goal_rollup.child_gap IS 'target - child_target_sum; NULL where child_target_sum is.';
COMMENT ON COLUMN goal_rollup.children_tie IS 'False where child_gap is not 0; NULL where child_target_sum is.';
COMMENT ON COLUMN goal_rollup.actual_value IS 'The KPI so far, of the goal itself.';
COMMENT ON COLUMN goal_rollup.child_actual_sum IS 'Sum of the same over its parts with the same KPI, which is a sum; NULL: there are none, or none has started.';
COMMENT ON COLUMN goal_rollup.actual_gap IS 'actual_value - child_actual_sum: what was reached by those who have no part in it. NULL where child_actual_sum is.';
COMMENT ON COLUMN goal_rollup.projected_value IS 'What the goal is expected to come to.';
COMMENT ON COLUMN goal_rollup.child_projected_sum IS 'Sum of the same over its parts with the same KPI, which is a sum; NULL: there are none, or of one of them it is not known.';
COMMENT ON COLUMN goal_rollup.child_count IS 'Its parts. Count.';
COMMENT ON COLUMN goal_rollup.not_started_count IS 'Parts that have not started. Count.';
COMMENT ON COLUMN goal_rollup.on_track_count IS 'Parts that are on track. Count.';
COMMENT ON COLUMN goal_rollup.at_risk_count IS 'Parts that are at risk. Count.';
COMMENT ON COLUMN goal_rollup.behind_count IS 'Parts that are behind. Count.';
COMMENT ON COLUMN goal_rollup.achieved_count IS 'Parts that are achieved. Count.';
COMMENT ON COLUMN goal_rollup.missed_count IS 'Parts that are missed. Count.';
COMMENT ON COLUMN goal_rollup.goals_on_track_rate IS '(on_track_count + achieved_count) / parts that have started. Fraction; S; NULL where none has.';

SET LOCAL search_path = sales_perf, pg_temp;
