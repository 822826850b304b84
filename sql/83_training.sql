-- What reps lack and what training did: gaps by skill, and the effect of courses as a difference in differences.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- deals by rep and window of days

-- Read as a query of its own, in which days are constants: its plan fits them, and may be parallel.
CREATE FUNCTION deal_window_figure(first_days date[], end_days date[], codes text[])
    RETURNS TABLE (rep_id text, window_no integer, won_count bigint, lost_count bigint, priced_count bigint, won_amount numeric, lost_amount numeric, cycle_count bigint, cycle_days bigint)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    -- between two days on which a window begins, or has ended, deals need not be told apart
    days       date[] := ARRAY(SELECT DISTINCT d.on_date FROM unnest(first_days || end_days) AS d (on_date) ORDER BY d.on_date);
    first_day  date := days[1];
    end_day    date := days[cardinality(days)];
    -- constants in the plan too: what is not asked for is not worked out
    is_of_amounts  boolean := codes && ARRAY['average_deal_amount', 'lost_amount', 'win_rate_amount'];
    is_of_cycles   boolean := 'cycle_average_days' = ANY (codes);
    with_changes   boolean := is_changed_later();
BEGIN
    IF first_day IS NULL OR NOT codes && (deal_kpi_codes() || 'win_rate_amount'::text) THEN
        RETURN;
    END IF;
    RETURN QUERY
    -- a group of deals holds all its stretches of days, so that there are few groups
    WITH closed AS MATERIALIZED (
        SELECT d.rep_id,
               sales_perf.closing_agg(d.closed_on, d.outcome, CASE WHEN is_of_amounts THEN d.reporting_amount END, CASE WHEN is_of_cycles THEN d.opened_on END, 'day', days) AS closings
          FROM closed_deal_of(with_changes) d
         WHERE d.closed_on >= first_day
           AND d.closed_on < end_day
           AND d.rep_id IS NOT NULL
         GROUP BY d.rep_id
    )
    SELECT r.rep_id,
           w.window_no,
           w.won_count,
           w.lost_count,
           w.won_count - w.unpriced_count,
           w.bookings_amount,
           w.lost_amount,
           w.cycle_count,
           w.cycle_days
      FROM rep r
      LEFT JOIN closed c ON c.rep_id = r.rep_id
     CROSS JOIN LATERAL sales_perf.closing_window_values(c.closings, first_days, end_days, days) AS w;
END
$$;

COMMENT ON FUNCTION deal_window_figure(date[], date[], text[]) IS 'Behind deal_kpi_window() and training_effect: the closed deals of each rep in each window of days, from first_days[window_no] up to the day before end_days[window_no]. Amounts and cycles are 0 where none of these KPIs asks for them.';

CREATE FUNCTION deal_kpi_window(first_day date, end_day date, codes text[])
    RETURNS TABLE (rep_id text, kpi_code text, numerator numeric, denominator numeric, sample_count numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.rep_id,
           v.kpi_code,
           v.numerator,
           v.denominator,
           v.sample_count
      FROM deal_window_figure(ARRAY[first_day], ARRAY[end_day], codes) AS f
     CROSS JOIN LATERAL (VALUES
               ('win_rate', f.won_count::numeric, (f.won_count + f.lost_count)::numeric, (f.won_count + f.lost_count)::numeric),
               ('average_deal_amount', f.won_amount, f.priced_count::numeric, f.priced_count::numeric),
               ('win_rate_amount', f.won_amount, CASE WHEN f.lost_count = 0 OR f.lost_amount <> 0 THEN f.won_amount + f.lost_amount END, (f.won_count + f.lost_count)::numeric),
               ('cycle_average_days', f.cycle_days::numeric, f.cycle_count::numeric, f.cycle_count::numeric),
               ('won_count', f.won_count::numeric, NULL, f.won_count::numeric),
               ('lost_count', f.lost_count::numeric, NULL, f.lost_count::numeric),
               ('closed_count', (f.won_count + f.lost_count)::numeric, NULL, (f.won_count + f.lost_count)::numeric),
               ('lost_amount', f.lost_amount, NULL, f.lost_count::numeric)) AS v (kpi_code, numerator, denominator, sample_count)
     WHERE v.kpi_code = ANY (codes)
       AND f.won_count + f.lost_count > 0;
END;

COMMENT ON FUNCTION deal_kpi_window(date, date, text[]) IS 'A part of skill_gap: those of these KPIs (of closed deals, that add up over days), from first_day up to the day before end_day, of each rep who closed any.';

CREATE FUNCTION deal_kpi_codes() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['win_rate', 'average_deal_amount', 'cycle_average_days', 'won_count', 'lost_count', 'closed_count', 'lost_amount'];

COMMENT ON FUNCTION deal_kpi_codes() IS 'The KPIs of deal_kpi_window() and training_effect whose parts may be added up. (win_rate_amount is given too, and is none of them: that lost amounts are not recorded shows in the sum alone.)';

-- ---------------------------------------------------------------- who lacks what

-- The KPIs most skills are tied to come from one pass over deals, the others from kpi_between(): in a plan of
-- its own, in which their list is a constant and the families that are not in it are not read.
CREATE FUNCTION skill_kpi_year()
    RETURNS TABLE (kpi_code text, rep_id text, numerator numeric, denominator numeric, sample_count bigint, value numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    last_day   date := sales_perf.as_of();
    first_day  date := (last_day - interval '12 months')::date + 1;
    codes      text[] := ARRAY(SELECT DISTINCT s.kpi_code FROM skill_kpi s WHERE s.kpi_code <> ALL (deal_kpi_codes() || 'win_rate_amount'::text) ORDER BY 1);
BEGIN
    RETURN QUERY
    SELECT p.kpi_code,
           p.rep_id,
           p.numerator,
           p.denominator,
           p.sample_count::bigint,
           CASE k.kind WHEN 'ratio' THEN p.numerator / nullif(p.denominator, 0) ELSE p.numerator END
      FROM deal_kpi_window(first_day, last_day + 1, ARRAY(SELECT s.kpi_code FROM skill_kpi s)) AS p
      JOIN kpi k ON k.code = p.kpi_code;

    IF cardinality(codes) > 0 THEN
        RETURN QUERY
        SELECT k.kpi_code,
               k.entity_id,
               k.numerator,
               k.denominator,
               k.sample_count,
               k.value
          FROM kpi_between(first_day, last_day) AS k
         WHERE k.level = 'rep'
           AND k.entity_id IS NOT NULL
           AND k.kpi_code = ANY (codes);
    END IF;
END
$$;

COMMENT ON FUNCTION skill_kpi_year() IS 'A part of skill_gap: the KPIs that tell of skills, of every rep who has any such deals or rows, for the 12 months up to as_of().';

CREATE VIEW skill_gap WITH (security_invoker = true) AS
WITH measured AS MATERIALIZED (
    SELECT r.rep_id,
           r.name AS rep_name,
           k.code AS kpi_code,
           k.unit,
           CASE k.direction WHEN 'down' THEN -1 ELSE 1 END AS sign,
           y.numerator,
           y.denominator,
           coalesce(y.sample_count, 0) AS sample_count,
           greatest(k.minimum_sample, 1) AS minimum_sample,
           y.value,
           coalesce(y.sample_count >= greatest(k.minimum_sample, 1) AND y.value > '-Infinity' AND y.value < 'Infinity', false) AS is_enough
      FROM rep r
     CROSS JOIN kpi k
      LEFT JOIN skill_kpi_year() AS y
        ON y.rep_id = r.rep_id
       AND y.kpi_code = k.code
     WHERE coalesce(r.hired_on, '-infinity') <= sales_perf.as_of()
       AND coalesce(r.left_on, 'infinity') >= sales_perf.as_of()
       AND EXISTS (SELECT FROM skill_kpi s WHERE s.kpi_code = k.code)
),
-- Medians by position, in numeric: percentile_cont() would go through floating point.
middle AS (
    SELECT kpi_code,
           count(*) AS peer_count,
           avg(value) AS median
      FROM (SELECT kpi_code,
                   value,
                   row_number() OVER (PARTITION BY kpi_code ORDER BY value) AS place,
                   count(*) OVER (PARTITION BY kpi_code) AS places
              FROM measured
             WHERE is_enough) AS sorted
     WHERE place IN ((places + 1) / 2, places / 2 + 1)
     GROUP BY kpi_code
),
peers AS (
    SELECT sorted.kpi_code,
           max(sorted.places) AS peer_count,
           max(sorted.median) AS median,
           avg(sorted.deviation) AS deviation
      FROM (SELECT m.kpi_code,
                   mid.median,
                   abs(m.value - mid.median) AS deviation,
                   row_number() OVER (PARTITION BY m.kpi_code ORDER BY abs(m.value - mid.median)) AS place,
                   count(*) OVER (PARTITION BY m.kpi_code) AS places
              FROM measured m
              JOIN middle mid ON mid.kpi_code = m.kpi_code
             WHERE m.is_enough) AS sorted
     WHERE sorted.place IN ((sorted.places + 1) / 2, sorted.places / 2 + 1)
     GROUP BY sorted.kpi_code
    HAVING max(sorted.places) >= 5
),
enrolled AS (
    SELECT e.rep_id,
           c.skill_id,
           bool_or(e.completed_on IS NULL OR e.completed_on > sales_perf.as_of()) AS is_open
      FROM enrolment e
      JOIN course c ON c.course_id = e.course_id
     WHERE e.assigned_on <= sales_perf.as_of()
       AND c.skill_id IS NOT NULL
     GROUP BY e.rep_id, c.skill_id
)
SELECT m.rep_id,
       m.rep_name,
       s.skill_id,
       s.name AS skill_name,
       m.kpi_code,
       m.unit,
       m.numerator,
       m.denominator,
       m.sample_count,
       m.value,
       p.peer_count,
       p.median AS peer_median,
       CASE WHEN m.is_enough THEN m.sign * (m.value - p.median) END AS gap,
       CASE WHEN m.is_enough AND p.deviation > 0 THEN round(m.sign * (m.value - p.median) / (1.4826 * p.deviation), 4) END AS gap_robust_z,
       m.is_enough AND p.kpi_code IS NOT NULL AS is_enough,
       CASE WHEN e.rep_id IS NULL THEN 'none' WHEN e.is_open THEN 'open' ELSE 'completed' END AS enrolment_state,
       CASE
           WHEN NOT m.is_enough THEN format('not enough data: %s of the %s that are needed', m.sample_count, m.minimum_sample)
           WHEN p.kpi_code IS NULL THEN 'not enough data: fewer than 5 reps to compare with'
       END AS note
  FROM measured m
  JOIN skill_kpi k ON k.kpi_code = m.kpi_code
  JOIN skill s ON s.skill_id = k.skill_id
  LEFT JOIN peers p ON p.kpi_code = m.kpi_code
  LEFT JOIN enrolled e ON e.rep_id = m.rep_id AND e.skill_id = s.skill_id;

COMMENT ON VIEW skill_gap IS 'Each rep who is here on the day as_of() gives, each skill, each KPI that the skill is tied to (skill_kpi): the KPI of the 12 months up to as_of() against the median of the reps who have enough of a sample for it (kpi.minimum_sample, at least 1), and at least 5 such reps. A KPI that kpi_between() does not give for a range of days is never enough.';
COMMENT ON COLUMN skill_gap.rep_id IS 'The rep.';
COMMENT ON COLUMN skill_gap.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN skill_gap.skill_id IS 'The skill.';
COMMENT ON COLUMN skill_gap.skill_name IS 'Its name.';
COMMENT ON COLUMN skill_gap.kpi_code IS 'A KPI that tells of it.';
COMMENT ON COLUMN skill_gap.unit IS 'Unit of value, peer_median and gap.';
COMMENT ON COLUMN skill_gap.numerator IS 'Numerator of value, as kpi_between() has it.';
COMMENT ON COLUMN skill_gap.denominator IS 'Denominator of value; NULL where it has none.';
COMMENT ON COLUMN skill_gap.sample_count IS 'Deals or rows behind it. Count.';
COMMENT ON COLUMN skill_gap.value IS 'The KPI of the rep for the 12 months up to as_of(); NULL where it has none.';
COMMENT ON COLUMN skill_gap.peer_count IS 'Reps with enough of a sample, this one included. Count; NULL where they are fewer than 5.';
COMMENT ON COLUMN skill_gap.peer_median IS 'Median of their values; NULL where they are fewer than 5.';
COMMENT ON COLUMN skill_gap.gap IS 'How far the rep is on the good side of the median: value - peer_median, or the opposite where less is better; below 0: worse than the median. NULL where there is not enough data.';
COMMENT ON COLUMN skill_gap.gap_robust_z IS 'gap / (1.4826 x the median of the reps'' absolute distances from the median): in robust standard deviations of reps. NULL where there is not enough data, or half of the reps are at the median.';
COMMENT ON COLUMN skill_gap.is_enough IS 'True where the rep''s sample is enough, and there are 5 reps to compare with.';
COMMENT ON COLUMN skill_gap.enrolment_state IS 'Courses of the skill, as of as_of(): open (one is assigned and not completed), completed (all that were assigned are), none.';
COMMENT ON COLUMN skill_gap.note IS 'not enough data, and of what; else NULL.';

-- ---------------------------------------------------------------- what training did

CREATE VIEW training_effect WITH (security_invoker = true) AS
WITH asked AS MATERIALIZED (
    SELECT c.course_id,
           c.name AS course_name,
           k.code AS kpi_code,
           k.name AS kpi_name,
           k.unit,
           k.kind,
           CASE k.kind WHEN 'ratio' THEN 5 ELSE 0 END AS minimum_sample
      FROM course c
      JOIN kpi k
        ON CASE
               WHEN EXISTS (SELECT FROM skill_kpi s WHERE s.skill_id = c.skill_id)
               THEN EXISTS (SELECT FROM skill_kpi s WHERE s.skill_id = c.skill_id AND s.kpi_code = k.code)
               ELSE k.code IN ('win_rate', 'average_deal_amount')
           END
),
-- Whoever takes a course again was trained before.
completion AS MATERIALIZED (
    SELECT course_id,
           rep_id,
           min(completed_on) AS completed_on
      FROM enrolment
     WHERE completed_on <= sales_perf.as_of()
     GROUP BY course_id, rep_id
),
span AS MATERIALIZED (
    SELECT DISTINCT completed_on
      FROM completion
     WHERE completed_on + 90 <= sales_perf.as_of()
),
-- Of each KPI only the windows of courses that are judged by it.
span_kpi AS MATERIALIZED (
    SELECT DISTINCT
           a.kpi_code,
           c.completed_on
      FROM asked a
      JOIN completion c ON c.course_id = a.course_id
     WHERE c.completed_on + 90 <= sales_perf.as_of()
),
-- The windows before, and after them those after, each in the order of days.
deal_window AS MATERIALIZED (
    SELECT f.*
      FROM (SELECT array_agg(d.completed_on - 90 ORDER BY d.completed_on) || array_agg(d.completed_on + 1 ORDER BY d.completed_on) AS first_days,
                   array_agg(d.completed_on ORDER BY d.completed_on) || array_agg(d.completed_on + 91 ORDER BY d.completed_on) AS end_days
              FROM span d) AS w
     CROSS JOIN LATERAL deal_window_figure(w.first_days, w.end_days, ARRAY(SELECT DISTINCT a.kpi_code FROM asked a WHERE a.kpi_code = ANY (deal_kpi_codes()))) AS f
),
deal_span AS MATERIALIZED (
    SELECT s.completed_on,
           b.rep_id,
           b.won_count AS won_before,
           b.lost_count AS lost_before,
           b.priced_count AS priced_before,
           b.won_amount AS won_amount_before,
           b.lost_amount AS lost_amount_before,
           b.cycle_count AS cycles_before,
           b.cycle_days AS cycle_days_before,
           a.won_count AS won_after,
           a.lost_count AS lost_after,
           a.priced_count AS priced_after,
           a.won_amount AS won_amount_after,
           a.lost_amount AS lost_amount_after,
           a.cycle_count AS cycles_after,
           a.cycle_days AS cycle_days_after
      FROM (SELECT completed_on,
                   row_number() OVER (ORDER BY completed_on) AS window_no,
                   count(*) OVER () AS window_count
              FROM span) AS s
      JOIN deal_window b ON b.window_no = s.window_no
      JOIN deal_window a
        ON a.rep_id = b.rep_id
       AND a.window_no = s.window_no + s.window_count
),
-- A user's own KPIs. The days on which a window begins, or has ended: between two of them rows need not be told apart.
-- One pass sums them up, and what a window holds is a difference of two running sums.
bound AS MATERIALIZED (
    SELECT array_agg(d.on_date ORDER BY d.on_date) AS days,
           count(*)::integer AS day_count,
           min(d.on_date) AS first_day,
           max(d.on_date) AS end_day
      FROM (SELECT completed_on - 90 AS on_date FROM span
            UNION SELECT completed_on FROM span
            UNION SELECT completed_on + 1 FROM span
            UNION SELECT completed_on + 91 FROM span) AS d
),
-- Up to which part the days before the two windows and those up to their ends go.
span_part AS MATERIALIZED (
    SELECT s.completed_on,
           width_bucket(s.completed_on - 90, b.days) - 1 AS before_from,
           width_bucket(s.completed_on, b.days) - 1 AS before_to,
           width_bucket(s.completed_on + 1, b.days) - 1 AS after_from,
           width_bucket(s.completed_on + 91, b.days) - 1 AS after_to
      FROM span s
     CROSS JOIN bound b
),
custom_moved AS MATERIALIZED (
    SELECT c.rep_id,
           width_bucket(c.on_date, (SELECT b.days FROM bound b)) AS part,
           c.kpi_code,
           sum(c.numerator) AS numerator,
           sum(c.denominator) AS denominator,
           count(*) AS sample_count
      FROM custom_kpi_row c
     WHERE c.on_date >= (SELECT b.first_day FROM bound b)
       AND c.on_date < (SELECT b.end_day FROM bound b)
       AND c.rep_id IS NOT NULL
       AND c.kpi_code IN (SELECT a.kpi_code FROM asked a)
     GROUP BY 1, 2, 3
),
custom_running AS MATERIALIZED (
    SELECT r.rep_id,
           k.kpi_code,
           n.part,
           sum(m.numerator) OVER so_far AS numerator,
           sum(m.denominator) OVER so_far AS denominator,
           sum(m.sample_count) OVER so_far AS sample_count
      FROM bound b
     CROSS JOIN LATERAL generate_series(1, b.day_count - 1) AS n (part)
     CROSS JOIN rep r
     CROSS JOIN (SELECT DISTINCT kpi_code FROM custom_moved) AS k
      LEFT JOIN custom_moved m
        ON m.rep_id = r.rep_id
       AND m.kpi_code = k.kpi_code
       AND m.part = n.part
    WINDOW so_far AS (PARTITION BY r.rep_id, k.kpi_code ORDER BY n.part)
),
custom_span AS MATERIALIZED (
    SELECT u.kpi_code,
           s.completed_on,
           u.rep_id,
           sum(p.of_before * u.numerator) AS numerator_before,
           sum(p.of_before * u.denominator) AS denominator_before,
           sum(p.of_before * u.sample_count) AS sample_before,
           sum(p.of_after * u.numerator) AS numerator_after,
           sum(p.of_after * u.denominator) AS denominator_after,
           sum(p.of_after * u.sample_count) AS sample_after
      FROM span_part s
     CROSS JOIN LATERAL (VALUES (s.before_from, -1, 0), (s.before_to, 1, 0), (s.after_from, 0, -1), (s.after_to, 0, 1)) AS p (part, of_before, of_after)
      JOIN custom_running u ON u.part = p.part
     GROUP BY u.kpi_code, s.completed_on, u.rep_id
),
in_span AS MATERIALIZED (
    SELECT k.kpi_code,
           d.completed_on,
           d.rep_id,
           CASE k.kpi_code WHEN 'win_rate' THEN d.won_before WHEN 'average_deal_amount' THEN d.won_amount_before WHEN 'cycle_average_days' THEN d.cycle_days_before WHEN 'won_count' THEN d.won_before
                           WHEN 'lost_count' THEN d.lost_before WHEN 'closed_count' THEN d.won_before + d.lost_before ELSE d.lost_amount_before END AS numerator_before,
           CASE k.kpi_code WHEN 'win_rate' THEN d.won_before + d.lost_before WHEN 'average_deal_amount' THEN d.priced_before WHEN 'cycle_average_days' THEN d.cycles_before END AS denominator_before,
           CASE k.kpi_code WHEN 'average_deal_amount' THEN d.priced_before WHEN 'cycle_average_days' THEN d.cycles_before WHEN 'won_count' THEN d.won_before
                           WHEN 'lost_count' THEN d.lost_before WHEN 'lost_amount' THEN d.lost_before ELSE d.won_before + d.lost_before END AS sample_before,
           CASE k.kpi_code WHEN 'win_rate' THEN d.won_after WHEN 'average_deal_amount' THEN d.won_amount_after WHEN 'cycle_average_days' THEN d.cycle_days_after WHEN 'won_count' THEN d.won_after
                           WHEN 'lost_count' THEN d.lost_after WHEN 'closed_count' THEN d.won_after + d.lost_after ELSE d.lost_amount_after END AS numerator_after,
           CASE k.kpi_code WHEN 'win_rate' THEN d.won_after + d.lost_after WHEN 'average_deal_amount' THEN d.priced_after WHEN 'cycle_average_days' THEN d.cycles_after END AS denominator_after,
           CASE k.kpi_code WHEN 'average_deal_amount' THEN d.priced_after WHEN 'cycle_average_days' THEN d.cycles_after WHEN 'won_count' THEN d.won_after
                           WHEN 'lost_count' THEN d.lost_after WHEN 'lost_amount' THEN d.lost_after ELSE d.won_after + d.lost_after END AS sample_after
      FROM span_kpi k
      JOIN deal_span d ON d.completed_on = k.completed_on
     WHERE k.kpi_code = ANY (deal_kpi_codes())
    UNION ALL
    -- a KPI that nobody has rows of comes to nothing
    SELECT k.kpi_code,
           k.completed_on,
           r.rep_id,
           coalesce(c.numerator_before, 0),
           c.denominator_before,
           coalesce(c.sample_before, 0),
           coalesce(c.numerator_after, 0),
           c.denominator_after,
           coalesce(c.sample_after, 0)
      FROM span_kpi k
     CROSS JOIN rep r
      LEFT JOIN custom_span c
        ON c.kpi_code = k.kpi_code
       AND c.completed_on = k.completed_on
       AND c.rep_id = r.rep_id
     WHERE k.kpi_code <> ALL (deal_kpi_codes())
),
-- Each rep in each window of a course. (What follows goes by window functions where it could go by joins: nothing
-- tells the planner how many rows these are.)
seat AS MATERIALIZED (
    SELECT w.course_id,
           w.completed_on,
           r.rep_id,
           own.completed_on IS NOT NULL AND own.completed_on = w.completed_on AS is_trained
      FROM (SELECT DISTINCT course_id, completed_on FROM completion WHERE completed_on + 90 <= sales_perf.as_of()) AS w
     CROSS JOIN rep r
      LEFT JOIN completion own
        ON own.course_id = w.course_id
       AND own.rep_id = r.rep_id
     WHERE coalesce(r.hired_on, '-infinity') <= w.completed_on - 90
       AND coalesce(r.left_on, 'infinity') >= w.completed_on + 90
       AND (own.rep_id IS NULL OR own.completed_on = w.completed_on OR own.completed_on > w.completed_on + 90)
),
-- Who can be compared: employed throughout both windows, with enough in either. A ratio weighs as much as it
-- is sure: the variance of a difference of two means goes with 1 / before + 1 / after.
compared AS (
    SELECT v.course_id,
           v.kpi_code,
           v.completed_on,
           v.rep_id,
           v.is_trained,
           v.sample_before,
           v.sample_after,
           v.value_before,
           v.value_after,
           v.value_after - v.value_before AS difference,
           v.weight
      FROM (SELECT a.course_id,
                   a.kpi_code,
                   i.completed_on,
                   i.rep_id,
                   t.is_trained,
                   i.sample_before,
                   i.sample_after,
                   CASE a.kind WHEN 'ratio' THEN i.numerator_before / nullif(i.denominator_before, 0) ELSE i.numerator_before END AS value_before,
                   CASE a.kind WHEN 'ratio' THEN i.numerator_after / nullif(i.denominator_after, 0) ELSE i.numerator_after END AS value_after,
                   CASE a.kind WHEN 'ratio' THEN i.sample_before * i.sample_after / nullif(i.sample_before + i.sample_after, 0) ELSE 1 END AS weight
              FROM in_span i
              JOIN seat t
                ON t.completed_on = i.completed_on
               AND t.rep_id = i.rep_id
              JOIN asked a
                ON a.course_id = t.course_id
               AND a.kpi_code = i.kpi_code
             WHERE i.sample_before >= a.minimum_sample
               AND i.sample_after >= a.minimum_sample) AS v
     WHERE v.value_before > '-Infinity'
       AND v.value_before < 'Infinity'
       AND v.value_after > '-Infinity'
       AND v.value_after < 'Infinity'
),
based AS (
    SELECT c.*,
           count(*) FILTER (WHERE NOT c.is_trained) OVER of_window AS base_count,
           sum(c.weight) FILTER (WHERE NOT c.is_trained) OVER of_window AS base_weight,
           sum(c.weight * c.value_before) FILTER (WHERE NOT c.is_trained) OVER of_window AS base_before,
           sum(c.weight * c.difference) FILTER (WHERE NOT c.is_trained) OVER of_window AS base_difference
      FROM compared c
    WINDOW of_window AS (PARTITION BY c.course_id, c.kpi_code, c.completed_on)
),
gained AS (
    SELECT b.course_id,
           b.kpi_code,
           b.completed_on,
           b.rep_id,
           b.is_trained,
           b.sample_before,
           b.sample_after,
           b.value_before,
           b.value_after,
           b.difference - b.base_difference / b.base_weight AS gain,
           b.value_before - b.base_before / b.base_weight AS lead_before,
           -- of the trained among all trained, of the others among those of the window
           CASE
               WHEN b.is_trained THEN b.weight / sum(b.weight) FILTER (WHERE b.is_trained) OVER (PARTITION BY b.course_id, b.kpi_code)
               ELSE b.weight / b.base_weight
           END AS share
      FROM based b
     WHERE b.base_count >= 5
),
placed AS (
    SELECT g.*,
           sum(g.share) FILTER (WHERE g.is_trained) OVER (PARTITION BY g.course_id, g.kpi_code, g.completed_on) AS window_share,
           sum(g.share * g.gain) FILTER (WHERE g.is_trained) OVER of_course AS effect,
           sum(g.share * g.lead_before) FILTER (WHERE g.is_trained) OVER of_course AS mean_lead_before,
           -- worked out once: a root of a numeric takes long
           g.share / sqrt(nullif(1 - g.share, 0)) AS weight_of_error
      FROM gained g
    WINDOW of_course AS (PARTITION BY g.course_id, g.kpi_code)
),
-- What each rep contributes to the error of the effect, as trained and as one to compare with, in all windows
-- together: a rep's errors there hang together, those of two reps do not. (Divided by the square root of
-- 1 - share, the squares of such residuals add up to s^2 / n where all weigh alike.)
of_rep AS (
    SELECT p.course_id,
           p.kpi_code,
           p.rep_id,
           min(p.effect) AS effect,
           min(p.mean_lead_before) AS mean_lead_before,
           bool_or(p.is_trained) AS is_trained,
           bool_or(NOT p.is_trained) AS is_control,
           coalesce(sum(p.weight_of_error * (p.gain - p.effect)) FILTER (WHERE p.is_trained), 0) AS trained_error,
           coalesce(sum(p.weight_of_error * (p.lead_before - p.mean_lead_before)) FILTER (WHERE p.is_trained), 0) AS trained_lead_error,
           coalesce(sum(p.share) FILTER (WHERE p.is_trained), 0) AS trained_share,
           sum(p.share * p.value_before) FILTER (WHERE p.is_trained) AS trained_before,
           sum(p.share * p.value_after) FILTER (WHERE p.is_trained) AS trained_after,
           sum(p.sample_before) FILTER (WHERE p.is_trained) AS sample_before,
           sum(p.sample_after) FILTER (WHERE p.is_trained) AS sample_after,
           coalesce(sum(p.window_share * p.weight_of_error * p.gain) FILTER (WHERE NOT p.is_trained), 0) AS control_error,
           coalesce(sum(p.window_share * p.weight_of_error * p.lead_before) FILTER (WHERE NOT p.is_trained), 0) AS control_lead_error,
           coalesce(sum(p.window_share * p.share) FILTER (WHERE NOT p.is_trained), 0) AS control_share,
           sum(p.window_share * p.share * p.value_before) FILTER (WHERE NOT p.is_trained) AS control_before,
           sum(p.window_share * p.share * p.value_after) FILTER (WHERE NOT p.is_trained) AS control_after
      FROM placed p
     WHERE p.window_share IS NOT NULL
     GROUP BY p.course_id, p.kpi_code, p.rep_id
),
estimate AS (
    SELECT course_id,
           kpi_code,
           min(effect) AS effect,
           min(mean_lead_before) AS lead_before,
           count(*) FILTER (WHERE is_trained) AS trained_count,
           count(*) FILTER (WHERE is_control) AS control_count,
           sum(sample_before) AS sample_before,
           sum(sample_after) AS sample_after,
           sum(trained_before) AS trained_before,
           sum(trained_after) AS trained_after,
           sum(control_before) AS control_before,
           sum(control_after) AS control_after,
           sum((trained_error - control_error) ^ 2) AS variance,
           sum((trained_lead_error - control_lead_error) ^ 2) AS lead_variance,
           sum(trained_error ^ 2) AS trained_variance,
           sum(control_error ^ 2) AS control_variance,
           sum(trained_share ^ 2) AS trained_shares_squared,
           sum(control_share ^ 2) AS control_shares_squared
      FROM of_rep
     GROUP BY course_id, kpi_code
),
-- Welch's degrees of freedom, with 1 / sum of squared shares for the number in a group.
judged AS MATERIALIZED (
    SELECT e.*,
           sqrt(e.variance) AS deviation,
           sqrt(e.lead_variance) AS lead_deviation,
           e.trained_count >= 5 AND e.control_count >= 5 AS is_enough,
           CASE
               WHEN e.trained_count >= 5 AND e.control_count >= 5
               THEN least(10000, greatest(1, coalesce(floor(
                        (e.trained_variance + e.control_variance) ^ 2
                        / nullif(e.trained_variance ^ 2 / nullif(1 / e.trained_shares_squared - 1, 0) + e.control_variance ^ 2 / nullif(1 / e.control_shares_squared - 1, 0), 0)), 1)))::integer
           END AS degrees
      FROM estimate e
),
done AS (
    SELECT course_id,
           count(*) AS completed_count,
           count(*) FILTER (WHERE completed_on + 90 > sales_perf.as_of()) AS pending_count
      FROM completion
     GROUP BY course_id
),
shown AS (
    SELECT a.course_id,
           a.course_name,
           a.kpi_code,
           a.kpi_name,
           a.unit,
           coalesce(d.completed_count, 0) AS completed_count,
           coalesce(d.pending_count, 0) AS pending_count,
           coalesce(j.trained_count, 0) AS trained_count,
           coalesce(j.control_count, 0) AS control_count,
           coalesce(j.is_enough, false) AS is_enough,
           CASE WHEN j.is_enough THEN j.sample_before::bigint END AS trained_before_sample_count,
           CASE WHEN j.is_enough THEN j.sample_after::bigint END AS trained_after_sample_count,
           CASE WHEN j.is_enough THEN round(j.trained_before, 6) END AS trained_before,
           CASE WHEN j.is_enough THEN round(j.trained_after, 6) END AS trained_after,
           CASE WHEN j.is_enough THEN round(j.control_before, 6) END AS control_before,
           CASE WHEN j.is_enough THEN round(j.control_after, 6) END AS control_after,
           CASE WHEN j.is_enough THEN round(j.effect, 6) END AS effect,
           CASE WHEN j.is_enough THEN round(j.effect - j.deviation * sales_perf.student_t_quantile(0.975, j.degrees)::numeric, 6) END AS effect_low,
           CASE WHEN j.is_enough THEN round(j.effect + j.deviation * sales_perf.student_t_quantile(0.975, j.degrees)::numeric, 6) END AS effect_high,
           j.is_enough AND abs(j.lead_before) > 2 * j.lead_deviation AS is_unlike_before,
           m.kpi_code IS NOT NULL AS is_measured
      FROM asked a
      LEFT JOIN done d ON d.course_id = a.course_id
      LEFT JOIN judged j
        ON j.course_id = a.course_id
       AND j.kpi_code = a.kpi_code
      LEFT JOIN (SELECT code AS kpi_code
                   FROM kpi
                  WHERE NOT is_builtin
                     OR code = ANY (deal_kpi_codes())) AS m
        ON m.kpi_code = a.kpi_code
)
SELECT s.course_id,
       s.course_name,
       s.kpi_code,
       s.unit,
       s.completed_count,
       s.pending_count,
       s.trained_count,
       s.control_count,
       s.trained_before_sample_count,
       s.trained_after_sample_count,
       s.trained_before,
       s.trained_after,
       s.control_before,
       s.control_after,
       s.effect,
       s.effect_low,
       s.effect_high,
       s.is_enough,
       CASE
           WHEN NOT s.is_measured THEN 'not measured: this KPI is none of those that are added up here'
           WHEN NOT s.is_enough THEN format('not enough data: %s trained reps and %s to compare with, of the 5 and 5 that are needed', s.trained_count, s.control_count)
           WHEN s.is_unlike_before THEN 'the trained reps began at another level: some of the effect may be a return to the usual'
       END AS note,
       CASE
           WHEN NOT s.is_measured THEN format('What %s did to %s is not measured.', s.course_name, s.kpi_name)
           WHEN NOT s.is_enough THEN format('Not enough data to say what %s did to %s: %s trained reps and %s to compare with, of the 5 and 5 that are needed.', s.course_name, s.kpi_name, s.trained_count, s.control_count)
           ELSE format('Against %s reps without it, %s of %s reps went %s by %s in the 90 days after %s (95 %% interval %s to %s): %s.',
                       s.control_count, s.kpi_name, s.trained_count, CASE WHEN s.effect < 0 THEN 'down' ELSE 'up' END, w.effect, s.course_name, w.effect_low, w.effect_high,
                       CASE WHEN s.effect_low > 0 OR s.effect_high < 0 THEN 'more than chance gives 95 times of 100' ELSE 'that may be chance' END)
       END AS summary_text
  FROM shown s
 CROSS JOIN LATERAL (SELECT CASE WHEN s.unit = 'fraction' THEN trim_scale(round(100 * abs(s.effect), 1))::text || ' points' ELSE in_words(abs(s.effect), s.unit) END AS effect,
                            CASE WHEN s.unit = 'fraction' THEN trim_scale(round(100 * s.effect_low, 1))::text ELSE in_words(s.effect_low, s.unit) END AS effect_low,
                            CASE WHEN s.unit = 'fraction' THEN trim_scale(round(100 * s.effect_high, 1))::text || ' points' ELSE in_words(s.effect_high, s.unit) END AS effect_high) AS w;

COMMENT ON VIEW training_effect IS 'What each course did to each KPI of its skill (win_rate and average_deal_amount where none is stated): difference in differences. Trained: reps who completed the course for the first time, at least 90 days before as_of(). Before: the 90 days up to the day before completion; after: the 90 days from the day after it; by the day of closing (or, of KPIs of your own, on_date). Compared with: all reps who had not completed it by the end of the same after window. Either must have been employed throughout both windows and, for ratios, have 5 deals or rows in each; at least 5 reps to compare with in the windows of a trained one. Ratios weigh by before x after / (before + after) of their counts, sums alike. The effect is the weighted mean, over trained reps, of their change less the weighted mean change of those they are compared with. Its variance is taken between reps (all windows of a rep together), so that chance in few deals, real differences between reps, and reps who stand in for several are in it; the interval is Student''s, with Welch''s degrees of freedom. Shown where at least 5 are trained and 5 to compare with. Deals opened before completion and closed after it count after, though the course came late for them: an effect on new deals shows weaker.';
COMMENT ON COLUMN training_effect.course_id IS 'The course.';
COMMENT ON COLUMN training_effect.course_name IS 'Its name.';
COMMENT ON COLUMN training_effect.kpi_code IS 'The KPI: of closed deals (win_rate, average_deal_amount, cycle_average_days, won_count, lost_count, closed_count, lost_amount), or one of your own; others are listed, and not measured.';
COMMENT ON COLUMN training_effect.unit IS 'Unit of the levels and the effect.';
COMMENT ON COLUMN training_effect.completed_count IS 'Reps who have completed the course. Count.';
COMMENT ON COLUMN training_effect.pending_count IS 'Those of them whose 90 days after are not over. Count.';
COMMENT ON COLUMN training_effect.trained_count IS 'Trained reps who could be compared. Count.';
COMMENT ON COLUMN training_effect.control_count IS 'Reps they were compared with. Count.';
COMMENT ON COLUMN training_effect.trained_before_sample_count IS 'Deals or rows of the trained reps before. Count; NULL where there is not enough data.';
COMMENT ON COLUMN training_effect.trained_after_sample_count IS 'Deals or rows of the trained reps after. Count; NULL where there is not enough data.';
COMMENT ON COLUMN training_effect.trained_before IS 'Level of the trained reps before, weighted as the effect. In unit, to 6 digits; NULL where there is not enough data.';
COMMENT ON COLUMN training_effect.trained_after IS 'Their level after.';
COMMENT ON COLUMN training_effect.control_before IS 'Level of those they are compared with, before. In unit; NULL where there is not enough data.';
COMMENT ON COLUMN training_effect.control_after IS 'Their level after.';
COMMENT ON COLUMN training_effect.effect IS '(trained_after - trained_before) - (control_after - control_before). In unit (a fraction: 0.1 is 10 points); NULL where there is not enough data.';
COMMENT ON COLUMN training_effect.effect_low IS 'Lower bound of its 95 % interval.';
COMMENT ON COLUMN training_effect.effect_high IS 'Upper bound of its 95 % interval.';
COMMENT ON COLUMN training_effect.is_enough IS 'True where at least 5 trained reps and 5 others could be compared.';
COMMENT ON COLUMN training_effect.note IS 'not enough data, not measured, or that the levels before differ by more than 2 standard errors, so that some of the effect may be regression to the mean (who is sent on a course after a bad quarter has a better one next); else NULL.';
COMMENT ON COLUMN training_effect.summary_text IS 'The same in a sentence.';

SET LOCAL search_path = sales_perf, pg_temp;
