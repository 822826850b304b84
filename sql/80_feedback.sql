-- Feedback: who is to be given some, by whom, and what is most worth talking about.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW rep_manager WITH (security_invoker = true) AS
SELECT DISTINCT ON (m.rep_id)
       m.rep_id,
       m.team_id,
       t.manager_rep_id,
       t.team_id AS managed_team_id
  FROM rep_team m
  JOIN team_tree tree ON tree.member_team_id = m.team_id
  JOIN team t ON t.team_id = tree.team_id
  JOIN rep manager
    ON manager.rep_id = t.manager_rep_id
   AND coalesce(manager.hired_on, '-infinity') <= sales_perf.as_of()
   AND coalesce(manager.left_on, 'infinity') >= sales_perf.as_of()
  -- of the teams above a team the nearest one has the most above itself
  JOIN (SELECT member_team_id AS team_id,
               count(*) AS depth
          FROM team_tree
         GROUP BY member_team_id) AS place ON place.team_id = t.team_id
 WHERE sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
   AND t.manager_rep_id <> m.rep_id
 ORDER BY m.rep_id, place.depth DESC;

COMMENT ON VIEW rep_manager IS 'Who manages a rep on the day as_of() gives: the manager of the rep''s team, or of the nearest team above it that is managed by somebody else who is employed then. A rep without one has no row.';
COMMENT ON COLUMN rep_manager.rep_id IS 'The rep.';
COMMENT ON COLUMN rep_manager.team_id IS 'The rep''s team.';
COMMENT ON COLUMN rep_manager.manager_rep_id IS 'The manager.';
COMMENT ON COLUMN rep_manager.managed_team_id IS 'The team whose manager that is: the rep''s own or one above it.';

CREATE VIEW feedback_thread WITH (security_invoker = true) AS
WITH RECURSIVE thread (feedback_id, part_id) AS (
    SELECT f.feedback_id,
           f.feedback_id
      FROM feedback f
     WHERE f.corrects_feedback_id IS NULL
       AND f.shared_at < sales_perf.as_of() + 1
    UNION ALL
    SELECT t.feedback_id,
           c.feedback_id
      FROM thread t
      JOIN feedback c ON c.corrects_feedback_id = t.part_id
     WHERE c.shared_at < sales_perf.as_of() + 1
)
SELECT f.feedback_id,
       f.from_rep_id,
       f.to_rep_id,
       f.kind,
       f.shared_at::date AS shared_on,
       part.correction_count,
       part.latest_feedback_id,
       part.acknowledged_on
  FROM feedback f
  -- what is corrected was there before, so the last number is the latest
  JOIN (SELECT t.feedback_id,
               count(*) - 1 AS correction_count,
               max(t.part_id) AS latest_feedback_id,
               min(r.acknowledged_at)::date AS acknowledged_on
          FROM thread t
          LEFT JOIN feedback_reply r ON r.feedback_id = t.part_id AND r.acknowledged_at < sales_perf.as_of() + 1
         GROUP BY t.feedback_id) AS part ON part.feedback_id = f.feedback_id;

COMMENT ON VIEW feedback_thread IS 'Feedback as of as_of(), one row each with its corrections: these are not given anew, and who acknowledges one of them has acknowledged the feedback.';
COMMENT ON COLUMN feedback_thread.feedback_id IS 'The feedback, as first shared.';
COMMENT ON COLUMN feedback_thread.from_rep_id IS 'Who gave it.';
COMMENT ON COLUMN feedback_thread.to_rep_id IS 'Who was given it.';
COMMENT ON COLUMN feedback_thread.kind IS 'praise, coaching or review.';
COMMENT ON COLUMN feedback_thread.shared_on IS 'The day it was first shared.';
COMMENT ON COLUMN feedback_thread.correction_count IS 'How often it was corrected. Count.';
COMMENT ON COLUMN feedback_thread.latest_feedback_id IS 'What it says now: the last correction, or itself.';
COMMENT ON COLUMN feedback_thread.acknowledged_on IS 'The day it, or a correction of it, was first acknowledged; NULL: not yet.';

-- From the deals in one pass over both quarters, by the rows behind goal_piece; where rollups are maintained, quarter by quarter
-- from their cells. What is read is planned with days that the planner knows.
CREATE FUNCTION rep_deviation_figure(first_day date, last_day date, prior_first_day date, prior_last_day date)
    RETURNS TABLE (rep_id text, kpi_code text, value numeric, sample_count bigint, prior_value numeric, prior_sample_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    -- as in goal_pieces(): reps times two quarters are few groups, but may be taken for many
    SET enable_sort = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    codes        constant text[] := ARRAY['win_rate', 'bookings_amount', 'average_deal_amount', 'cycle_average_days'];
    cuts         date[] := ARRAY(SELECT DISTINCT c.on_date FROM (VALUES (first_day), (last_day + 1), (prior_first_day), (prior_last_day + 1)) AS c (on_date) WHERE c.on_date IS NOT NULL ORDER BY 1);
    split_ids    text[];
    with_changes boolean;
BEGIN
    IF first_day IS NULL OR last_day IS NULL THEN
        RETURN;
    END IF;

    IF rollup_grain() IS NOT NULL THEN
        RETURN QUERY
        SELECT b.entity_id,
               b.kpi_code,
               max(b.value) FILTER (WHERE turn.is_now),
               coalesce(max(b.sample_count) FILTER (WHERE turn.is_now), 0),
               max(b.value) FILTER (WHERE NOT turn.is_now),
               coalesce(max(b.sample_count) FILTER (WHERE NOT turn.is_now), 0)
          FROM (VALUES (true, first_day, last_day), (false, prior_first_day, prior_last_day)) AS turn (is_now, from_day, to_day)
         CROSS JOIN LATERAL kpi_between(turn.from_day, turn.to_day) AS b
         WHERE b.level = 'rep'
           AND b.entity_id IS NOT NULL
           AND b.kpi_code = ANY (codes)
         GROUP BY b.entity_id, b.kpi_code;
        RETURN;
    END IF;

    split_ids := ARRAY(SELECT DISTINCT c.deal_id FROM deal_credit c WHERE NOT c.is_overlay);
    with_changes := is_changed_later();
    RETURN QUERY
    WITH part AS MATERIALIZED (
        SELECT p.rep_id,
               p.piece_start,
               sum(p.won) AS won,
               sum(p.lost) AS lost,
               sum(p.priced) AS priced,
               sum(p.cycles) AS cycles,
               sum(p.cycle_days) AS cycle_days,
               sum(p.won_amount) AS won_amount,
               sum(p.credit_amount) AS credit_amount,
               sum(p.credits) AS credits
          FROM goal_closed_piece(cuts, true, split_ids, with_changes) AS p
         GROUP BY p.rep_id, p.piece_start
    ),
    -- who has no deal has figures too: a sum of nothing
    figure AS MATERIALIZED (
        SELECT r.rep_id,
               turn.is_now,
               k.kpi_code,
               CASE WHEN k.is_ratio THEN k.numerator / nullif(k.denominator, 0) ELSE k.numerator END AS value,
               k.sample_count::bigint AS sample_count
          FROM rep r
         CROSS JOIN (VALUES (true, first_day), (false, prior_first_day)) AS turn (is_now, piece_start)
          LEFT JOIN part p ON p.rep_id = r.rep_id AND p.piece_start = turn.piece_start
         CROSS JOIN LATERAL (
                VALUES ('win_rate'::text, true, p.won, p.won + p.lost, coalesce(p.won + p.lost, 0)),
                       ('bookings_amount', false, coalesce(p.credit_amount, 0), NULL, coalesce(p.credits, 0)),
                       ('average_deal_amount', true, p.won_amount, p.priced, coalesce(p.priced, 0)),
                       ('cycle_average_days', true, p.cycle_days, p.cycles, coalesce(p.cycles, 0))) AS k (kpi_code, is_ratio, numerator, denominator, sample_count)
    )
    SELECT f.rep_id,
           f.kpi_code,
           max(f.value) FILTER (WHERE f.is_now),
           max(f.sample_count) FILTER (WHERE f.is_now),
           max(f.value) FILTER (WHERE NOT f.is_now),
           max(f.sample_count) FILTER (WHERE NOT f.is_now)
      FROM figure f
     GROUP BY f.rep_id, f.kpi_code;
END
$$;

COMMENT ON FUNCTION rep_deviation_figure(date, date, date, date) IS 'Behind rep_deviation: the four KPIs of each rep in a range of days and in one before, as kpi_between() gives them.';

-- The medians are of all reps, so a filter on rep does not reach the scan of deals.
CREATE VIEW rep_deviation WITH (security_invoker = true) AS
WITH quarter AS MATERIALIZED (
    SELECT p.period_start,
           p.period_end,
           p.period_label,
           p.prior_start,
           p.prior_end
      FROM period p
     WHERE p.grain = 'quarter'
       AND p.is_complete
     ORDER BY p.period_start DESC
     LIMIT 1
),
figure AS MATERIALIZED (
    SELECT f.rep_id,
           f.kpi_code,
           f.value,
           f.sample_count,
           f.prior_value,
           f.prior_sample_count
      FROM quarter q
     CROSS JOIN LATERAL rep_deviation_figure(q.period_start, q.period_end, q.prior_start, q.prior_end) AS f
),
-- A rate is worth comparing from its minimum sample on; nothing booked after a quarter with deals is a figure too.
-- Who was not there for a whole quarter has no figure for it.
enough AS MATERIALIZED (
    SELECT f.rep_id,
           r.name AS rep_name,
           q.period_start,
           q.period_label,
           f.kpi_code,
           k.name AS kpi_name,
           k.unit,
           k.direction,
           greatest(k.minimum_sample, 1) AS minimum_sample,
           f.value,
           f.sample_count,
           f.prior_value,
           f.prior_sample_count,
           coalesce(r.hired_on, '-infinity') <= q.period_start AND coalesce(r.left_on, 'infinity') >= q.period_end AS was_there,
           CASE
               WHEN f.value > '-Infinity' AND f.value < 'Infinity'
                AND coalesce(r.hired_on, '-infinity') <= q.period_start
                AND coalesce(r.left_on, 'infinity') >= q.period_end
                AND f.sample_count + CASE k.kind WHEN 'sum' THEN f.prior_sample_count ELSE 0 END >= greatest(k.minimum_sample, 1)
               THEN f.value
           END::double precision AS compared_value,
           CASE
               WHEN f.prior_value > '-Infinity' AND f.prior_value < 'Infinity'
                AND coalesce(r.hired_on, '-infinity') <= q.prior_start
                AND f.prior_sample_count + CASE k.kind WHEN 'sum' THEN f.sample_count ELSE 0 END >= greatest(k.minimum_sample, 1)
               THEN f.prior_value
           END::double precision AS compared_prior
      FROM figure f
     CROSS JOIN quarter q
      JOIN rep r ON r.rep_id = f.rep_id
      JOIN kpi k ON k.code = f.kpi_code
),
middle AS MATERIALIZED (
    SELECT e.kpi_code,
           count(e.compared_value) AS peer_count,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY e.compared_value) AS peer_median,
           count(e.compared_value - e.compared_prior) AS change_count,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY e.compared_value - e.compared_prior) AS change_median
      FROM enough e
     GROUP BY e.kpi_code
),
-- 1.4826: so that the median of absolute deviations of a normal distribution is its standard deviation
spread AS MATERIALIZED (
    SELECT e.kpi_code,
           1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(e.compared_value - m.peer_median)) AS peer_spread,
           1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(e.compared_value - e.compared_prior - m.change_median)) AS change_spread,
           -- what is left of rates that are alike, but for their last binary digits, is no spread
           1e-9 * max(greatest(abs(e.compared_value), abs(e.compared_prior))) AS no_spread
      FROM enough e
      JOIN middle m ON m.kpi_code = e.kpi_code
     GROUP BY e.kpi_code
)
SELECT e.rep_id,
       e.rep_name,
       e.kpi_code,
       e.kpi_name,
       e.unit,
       e.direction,
       e.period_start,
       e.period_label,
       e.value,
       e.sample_count,
       e.prior_value,
       e.prior_sample_count,
       m.peer_count,
       m.peer_median,
       s.peer_spread,
       d.peer_deviation,
       m.change_count,
       m.change_median,
       s.change_spread,
       d.change_deviation,
       CASE
           WHEN NOT e.was_there THEN 'not enough data: not employed for the whole quarter'
           WHEN e.compared_value IS NULL THEN format('not enough data: n = %s, needed: %s or more', e.sample_count, e.minimum_sample)
           WHEN d.peer_deviation IS NULL AND d.change_deviation IS NULL
           THEN CASE
                    WHEN m.peer_count < 5 THEN format('not enough data: reps to compare with: %s, needed: 5 or more', m.peer_count)
                    ELSE 'most reps are alike: nothing to compare with'
                END
           ELSE 'compared'
       END AS note
  FROM enough e
  JOIN middle m ON m.kpi_code = e.kpi_code
  JOIN spread s ON s.kpi_code = e.kpi_code
 CROSS JOIN LATERAL (
        SELECT CASE
                   WHEN m.peer_count >= 5 AND s.peer_spread > s.no_spread
                   THEN CASE e.direction WHEN 'up' THEN 1 ELSE -1 END * (e.compared_value - m.peer_median) / s.peer_spread
               END AS peer_deviation,
               CASE
                   WHEN m.change_count >= 5 AND s.change_spread > s.no_spread
                   THEN CASE e.direction WHEN 'up' THEN 1 ELSE -1 END * (e.compared_value - e.compared_prior - m.change_median) / s.change_spread
               END AS change_deviation) AS d;

COMMENT ON VIEW rep_deviation IS 'Four KPIs (win_rate, bookings_amount, average_deal_amount, cycle_average_days) of each rep in the last complete quarter, against the median of reps and against the rep''s own quarter before. Deviations are robust: (value - median) / (1.4826 x median of absolute deviations), above 0 where the rep is better. The change since the quarter before is compared with the median change, so what the season does to all is no deviation. Compared are figures with kpi.minimum_sample or more behind them, and at least one (of a sum: in the two quarters together), of reps employed for the whole quarter, where 5 reps or more have one. Filters on rep do not save work.';
COMMENT ON COLUMN rep_deviation.rep_id IS 'The rep.';
COMMENT ON COLUMN rep_deviation.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN rep_deviation.kpi_code IS 'The KPI, see table kpi.';
COMMENT ON COLUMN rep_deviation.kpi_name IS 'Its name.';
COMMENT ON COLUMN rep_deviation.unit IS 'Its unit: that of values, medians and spreads.';
COMMENT ON COLUMN rep_deviation.direction IS 'up: more is better; down: less is better.';
COMMENT ON COLUMN rep_deviation.period_start IS 'First day of the quarter.';
COMMENT ON COLUMN rep_deviation.period_label IS 'Label of the quarter.';
COMMENT ON COLUMN rep_deviation.value IS 'The KPI in the quarter. C; NULL for a ratio over nothing.';
COMMENT ON COLUMN rep_deviation.sample_count IS 'Deals or credits behind it. Count.';
COMMENT ON COLUMN rep_deviation.prior_value IS 'The KPI in the quarter before.';
COMMENT ON COLUMN rep_deviation.prior_sample_count IS 'Deals or credits behind that. Count.';
COMMENT ON COLUMN rep_deviation.peer_count IS 'Reps whose value is compared. Count.';
COMMENT ON COLUMN rep_deviation.peer_median IS 'Median of their values.';
COMMENT ON COLUMN rep_deviation.peer_spread IS '1.4826 x the median of the absolute deviations from it.';
COMMENT ON COLUMN rep_deviation.peer_deviation IS '(value - peer_median) / peer_spread, above 0 where the rep is better. Robust standard deviations; NULL where there is not enough data, and where the spread is 0 (below a billionth of the greatest value).';
COMMENT ON COLUMN rep_deviation.change_count IS 'Reps whose value - prior_value is compared. Count.';
COMMENT ON COLUMN rep_deviation.change_median IS 'Median of their changes.';
COMMENT ON COLUMN rep_deviation.change_spread IS '1.4826 x the median of the absolute deviations from it.';
COMMENT ON COLUMN rep_deviation.change_deviation IS '(value - prior_value - change_median) / change_spread, above 0 where the rep is better. Robust standard deviations; NULL as peer_deviation.';
COMMENT ON COLUMN rep_deviation.note IS 'compared, or why not.';

CREATE VIEW feedback_due WITH (security_invoker = true) AS
WITH due AS MATERIALIZED (
    SELECT r.rep_id,
           r.name AS rep_name,
           m.team_id,
           cycle.every_days,
           said.last_on,
           greatest(said.last_on, cycle.starts_on, r.hired_on) + cycle.every_days AS due_on
      FROM rep r
      JOIN rep_team m ON m.rep_id = r.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
     CROSS JOIN LATERAL (
            SELECT c.every_days,
                   c.starts_on
              FROM review_cycle c
             WHERE c.team_id = m.team_id
                OR c.team_id IS NULL
             ORDER BY c.team_id NULLS LAST
             LIMIT 1) AS cycle
      LEFT JOIN (SELECT t.to_rep_id,
                        max(t.shared_on) AS last_on
                   FROM feedback_thread t
                  GROUP BY t.to_rep_id) AS said ON said.to_rep_id = r.rep_id
     WHERE coalesce(r.hired_on, '-infinity') <= sales_perf.as_of()
       AND coalesce(r.left_on, 'infinity') >= sales_perf.as_of()
       AND greatest(said.last_on, cycle.starts_on, r.hired_on) + cycle.every_days <= sales_perf.as_of()
),
deviation AS MATERIALIZED (
    SELECT d.rep_id,
           d.kpi_code,
           d.kpi_name,
           d.unit,
           d.period_label,
           d.value,
           d.sample_count,
           d.prior_value,
           d.prior_sample_count,
           d.peer_count,
           d.peer_median,
           d.change_count,
           d.note,
           -- the greater of the two; where they are the same, that from the median
           abs(coalesce(d.peer_deviation, 0)) >= abs(coalesce(d.change_deviation, 0)) AS is_from_median,
           CASE
               WHEN abs(coalesce(d.peer_deviation, 0)) >= abs(coalesce(d.change_deviation, 0)) THEN d.peer_deviation
               ELSE d.change_deviation
           END AS deviation
      FROM rep_deviation d
     WHERE EXISTS (SELECT FROM due)
),
-- importance: the first of each kind in this order, then the second ones, and so on
fact AS (
    SELECT g.rep_id,
           CASE g.status WHEN 'behind' THEN 1 WHEN 'at_risk' THEN 4 ELSE 6 END AS kind_no,
           -- the least likely first
           coalesce(g.chance_of_reaching, 2) AS urgency,
           coalesce(g.pace_ratio, 0) AS urgency_next,
           g.goal_id AS key,
           format('goal "%s" is %s: %s %s against a target of %s by %s%s%s', g.goal_name, replace(g.status, '_', ' '), lower(g.kpi_name),
                  in_words(g.actual_value, g.unit), in_words(g.target, g.unit), g.last_day,
                  ', pace ' || in_words(g.pace_ratio::numeric, 'ratio'), ', chance ' || in_words(g.chance_of_reaching::numeric, 'fraction')) AS fact_text
      FROM goal_standing(ARRAY(SELECT own.goal_id
                                 FROM due d
                                 JOIN goal own ON own.rep_id = d.rep_id
                                WHERE own.first_day <= sales_perf.as_of()
                                  AND own.last_day > sales_perf.as_of())) AS g
     WHERE g.status IN ('behind', 'at_risk', 'achieved')
    UNION ALL
    SELECT e.entity_id,
           2,
           e.opened_on - '2000-01-01'::date,
           0,
           e.alert_event_id::text,
           format('alert "%s", open since %s: %s %s, limit %s (n = %s)', rule.name, e.opened_on, lower(k.name),
                  in_words(e.last_value, k.unit), in_words(e.reference, k.unit), e.sample_count)
      FROM alert_event e
      JOIN alert_rule rule ON rule.rule_id = e.rule_id
      JOIN kpi k ON k.code = rule.kpi_code
     WHERE e.level = 'rep'
       AND e.opened_on <= sales_perf.as_of()
       AND (e.closed_at IS NULL OR e.closed_at >= sales_perf.as_of() + 1)
    UNION ALL
    SELECT d.rep_id,
           CASE WHEN d.deviation < 0 THEN 3 ELSE 5 END,
           -abs(d.deviation),
           0,
           d.kpi_code,
           format('%s %s (n = %s) in %s, ', lower(d.kpi_name), in_words(d.value, d.unit), d.sample_count, d.period_label)
           || CASE
                  WHEN d.is_from_median
                  THEN format('%s than the median of %s reps, %s, by %s robust standard deviations', CASE WHEN d.deviation < 0 THEN 'worse' ELSE 'better' END,
                              d.peer_count, in_words(d.peer_median::numeric, d.unit), in_words(abs(d.deviation)::numeric, 'ratio'))
                  ELSE format('after %s (n = %s) in the quarter before: a change %s than the usual one of %s reps by %s robust standard deviations', in_words(d.prior_value, d.unit),
                              d.prior_sample_count, CASE WHEN d.deviation < 0 THEN 'worse' ELSE 'better' END, d.change_count, in_words(abs(d.deviation)::numeric, 'ratio'))
              END
      FROM deviation d
     WHERE abs(d.deviation) >= 2
),
ranked AS (
    SELECT f.rep_id,
           f.fact_text,
           row_number() OVER (PARTITION BY f.rep_id ORDER BY f.place, f.kind_no) AS fact_no
      FROM (SELECT rep_id,
                   kind_no,
                   fact_text,
                   row_number() OVER (PARTITION BY rep_id, kind_no ORDER BY urgency, urgency_next, key COLLATE "C") AS place
              FROM fact) AS f
),
fact_of_rep AS (
    SELECT rep_id,
           max(fact_text) FILTER (WHERE fact_no = 1) AS fact_1,
           max(fact_text) FILTER (WHERE fact_no = 2) AS fact_2,
           max(fact_text) FILTER (WHERE fact_no = 3) AS fact_3,
           count(*) AS fact_count
      FROM ranked
     GROUP BY rep_id
),
compared AS (
    SELECT rep_id,
           count(*) FILTER (WHERE note = 'compared') AS compared_kpi_count
      FROM deviation
     GROUP BY rep_id
)
SELECT d.rep_id,
       d.rep_name,
       d.team_id,
       t.name AS team_name,
       manager.rep_id AS manager_rep_id,
       manager.name AS manager_name,
       d.every_days,
       d.last_on AS last_feedback_on,
       d.due_on,
       sales_perf.as_of() - d.due_on AS days_overdue,
       d.due_on < sales_perf.as_of() AS is_overdue,
       coalesce(f.fact_count, 0) AS fact_count,
       coalesce(c.compared_kpi_count, 0) AS compared_kpi_count,
       f.fact_1,
       f.fact_2,
       f.fact_3,
       concat(coalesce(manager.name || ' is to give ' || d.rep_name || ' feedback', 'Feedback is due to ' || d.rep_name || ', who has no manager'),
              CASE sales_perf.as_of() - d.due_on
                  WHEN 0 THEN ' today'
                  ELSE format(': it was due on %s and is %s overdue', d.due_on, in_words((sales_perf.as_of() - d.due_on)::numeric, 'days'))
              END,
              ' (every ', in_words(d.every_days::numeric, 'days'), '; ', coalesce('the last was on ' || d.last_on, 'there was none before'), '). ',
              CASE WHEN f.fact_1 IS NULL THEN 'Nothing stands out' ELSE 'To talk about: ' || concat_ws('; ', f.fact_1, f.fact_2, f.fact_3) END, '. ',
              'Looked at: running goals that are behind (chance below 10 %, or pace below 0.8 and chance below 30 % or not known), at risk or achieved; open alerts; KPIs off by 2 robust standard deviations or more.',
              CASE WHEN coalesce(c.compared_kpi_count, 0) = 0 THEN ' There is not enough data to compare KPIs.' END) AS summary_text
  FROM due d
  JOIN team t ON t.team_id = d.team_id
  LEFT JOIN rep_manager boss ON boss.rep_id = d.rep_id
  LEFT JOIN rep manager ON manager.rep_id = boss.manager_rep_id
  LEFT JOIN fact_of_rep f ON f.rep_id = d.rep_id
  LEFT JOIN compared c ON c.rep_id = d.rep_id;

COMMENT ON VIEW feedback_due IS 'Reps to whom feedback is due or overdue as of as_of(), one row each. Due: every_days of the cycle of the rep''s team (else of the cycle for all teams; without one there are no rows) after the last feedback that anybody shared with the rep, the first day of the cycle or hired_on, whichever is latest; a correction is no new feedback. Only reps who are employed and in a team. The facts are, in this order: goals that are behind (the least likely first), open alerts (the longest open first), KPIs that are worse by 2 robust standard deviations or more (rep_deviation: against the median of reps or the usual change, whichever is greater), goals at risk, KPIs better by as much, goals achieved while they run; the first of each of these kinds, then the second ones. Goals are judged by goal_progress: behind where the chance is below 10 %, or the pace below 0.8 and the chance below 30 % or not known.';
COMMENT ON COLUMN feedback_due.rep_id IS 'The rep.';
COMMENT ON COLUMN feedback_due.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN feedback_due.team_id IS 'The rep''s team on the day as_of() gives.';
COMMENT ON COLUMN feedback_due.team_name IS 'Its name.';
COMMENT ON COLUMN feedback_due.manager_rep_id IS 'Who is to give it: the manager of the team, or the nearest above who is another (rep_manager); NULL: there is none.';
COMMENT ON COLUMN feedback_due.manager_name IS 'Name of the manager.';
COMMENT ON COLUMN feedback_due.every_days IS 'How often feedback is due. Days.';
COMMENT ON COLUMN feedback_due.last_feedback_on IS 'The day on which feedback was last shared with the rep, corrections left out; NULL: never.';
COMMENT ON COLUMN feedback_due.due_on IS 'The day on which it is due.';
COMMENT ON COLUMN feedback_due.days_overdue IS 'as_of() - due_on: 0 where it is due today. Days.';
COMMENT ON COLUMN feedback_due.is_overdue IS 'True where due_on is before as_of().';
COMMENT ON COLUMN feedback_due.fact_count IS 'Facts that were found; three at most are shown. Count.';
COMMENT ON COLUMN feedback_due.compared_kpi_count IS 'KPIs of rep_deviation, four at most, for which there is enough data. Count.';
COMMENT ON COLUMN feedback_due.fact_1 IS 'What is most worth talking about, in words; NULL: nothing stands out.';
COMMENT ON COLUMN feedback_due.fact_2 IS 'What comes next; NULL: nothing.';
COMMENT ON COLUMN feedback_due.fact_3 IS 'What comes after that; NULL: nothing.';
COMMENT ON COLUMN feedback_due.summary_text IS 'All of this in plain words.';

SET LOCAL search_path = sales_perf, pg_temp;
