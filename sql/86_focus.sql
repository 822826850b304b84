-- What to look at: which KPIs tell the same story, and the few that matter to a rep now.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- In a function, for what is read is planned with days that the planner knows.
CREATE FUNCTION rep_month_part(starts date[], end_day date)
    RETURNS TABLE (rep_id text, month_no integer, summary sales_perf.deal_summary, split_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    -- as in goal_pieces(): reps times months are few groups, but are taken for many
    SET enable_sort = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    first_day    constant date := starts[1];
    with_changes boolean;
BEGIN
    IF rollup_grain() IS NULL THEN
        with_changes := is_changed_later();
        RETURN QUERY
        SELECT c.rep_id,
               width_bucket(c.closed_on, starts),
               sales_perf.deal_agg(c.reporting_amount, c.outcome, c.opened_on, c.closed_on),
               NULL::numeric
          FROM closed_deal_of(with_changes) c
         WHERE c.rep_id IS NOT NULL
           AND c.closed_on >= first_day
           AND c.closed_on < end_day
         GROUP BY 1, 2;
    ELSE
        RETURN QUERY
        SELECT c.rep_id,
               width_bucket(c.closed_on, starts),
               sales_perf.rollup(c.summary),
               NULL::numeric
          FROM closed_month_cell c
         WHERE c.rep_id IS NOT NULL
           AND c.closed_on >= first_day
           AND c.closed_on < end_day
         GROUP BY 1, 2;
    END IF;

    RETURN QUERY
    SELECT c.rep_id,
           width_bucket(c.closed_on, starts),
           NULL::sales_perf.deal_summary,
           sum(c.amount)
      FROM split_month_cell c
     WHERE NOT c.is_overlay
       AND c.rep_id IS NOT NULL
       AND c.closed_on >= first_day
       AND c.closed_on < end_day
     GROUP BY 1, 2;
END
$$;

COMMENT ON FUNCTION rep_month_part(date[], date) IS 'Behind kpi_redundancy: the deals that a rep closed in each of the months that begin on starts, the last of which ends before end_day (summary), and, in a row of its own, what splits add to or take from what the rep booked in it (split_amount; amount).';

-- A pair is compared over the rep-months that have both figures.
CREATE VIEW kpi_redundancy WITH (security_invoker = true) AS
WITH month AS MATERIALIZED (
    SELECT array_agg(latest.period_start ORDER BY latest.period_start) AS starts,
           min(latest.period_start) AS first_day,
           max(latest.period_end) AS last_day
      FROM (SELECT p.period_start, p.period_end
              FROM period p
             WHERE p.grain = 'month'
               AND p.is_complete
             ORDER BY p.period_start DESC
             LIMIT 24) AS latest
),
part AS MATERIALIZED (
    SELECT p.rep_id,
           p.month_no,
           p.summary,
           p.split_amount
      FROM month m
     CROSS JOIN LATERAL rep_month_part(m.starts, m.last_day + 1) AS p
),
recorded AS MATERIALIZED (
    SELECT width_bucket(min(a.happened_at)::date, (SELECT m.starts FROM month m)) AS month_no
      FROM activity a
     WHERE a.happened_at > '-infinity'
),
done AS (
    SELECT a.rep_id,
           width_bucket(a.happened_at::date, (SELECT m.starts FROM month m)) AS month_no,
           count(*) AS activity_count
      FROM activity a
     WHERE a.rep_id IS NOT NULL
       AND a.happened_at >= (SELECT m.first_day FROM month m)::timestamptz
       AND a.happened_at < ((SELECT m.last_day FROM month m) + 1)::timestamptz
     GROUP BY 1, 2
),
rep_month AS MATERIALIZED (
    SELECT j.summary,
           coalesce(sales_perf.won_count(j.summary), 0) AS won_count,
           coalesce(sales_perf.lost_count(j.summary), 0) AS lost_count,
           coalesce(sales_perf.bookings_amount(j.summary), 0) AS won_amount,
           coalesce(sales_perf.lost_amount(j.summary), 0) AS lost_amount,
           coalesce(j.split_amount, 0) AS split_amount,
           coalesce(j.activity_count, 0) AS activity_count,
           j.month_no >= (SELECT r.month_no FROM recorded r) AS is_recorded
      FROM (SELECT coalesce(c.month_no, s.month_no, a.month_no) AS month_no,
                   c.summary,
                   s.split_amount,
                   a.activity_count
              FROM (SELECT * FROM part WHERE summary IS NOT NULL) AS c
              FULL JOIN (SELECT * FROM part WHERE summary IS NULL) AS s ON s.rep_id = c.rep_id AND s.month_no = c.month_no
              FULL JOIN done a ON a.rep_id = coalesce(c.rep_id, s.rep_id) AND a.month_no = coalesce(c.month_no, s.month_no)) AS j
),
enough AS MATERIALIZED (
    SELECT max(k.minimum_sample) FILTER (WHERE k.code IN ('win_rate', 'win_rate_amount')) AS closed_count,
           max(k.minimum_sample) FILTER (WHERE k.code IN ('average_deal_amount', 'median_deal_amount', 'p90_deal_amount')) AS priced_count,
           max(k.minimum_sample) FILTER (WHERE k.code IN ('cycle_average_days', 'cycle_median_days', 'cycle_p90_days')) AS cycle_count
      FROM kpi k
),
-- The rep-months of a KPI, NULL where it does not count: what needs enough deals of too few, activities before there were any. No KPI is
-- defined here: these are kpi_between()'s, of the same parts. Gathered in one pass, so that all have the rows in one order.
series AS MATERIALIZED (
    SELECT v.kpi_no,
           v.code,
           v.figures
      FROM (SELECT array_agg((r.won_amount + r.split_amount)::double precision) AS bookings_amount,
                   array_agg(r.won_count::double precision) AS won_count,
                   array_agg(r.lost_count::double precision) AS lost_count,
                   array_agg((r.won_count + r.lost_count)::double precision) AS closed_count,
                   array_agg(r.lost_amount::double precision) AS lost_amount,
                   array_agg(CASE WHEN r.is_enough THEN r.won_count / (r.won_count + r.lost_count)::double precision END) AS win_rate,
                   array_agg(CASE WHEN r.is_enough THEN (r.won_amount / (r.won_amount + r.lost_amount))::double precision END) AS win_rate_amount,
                   array_agg(CASE WHEN r.is_enough THEN sales_perf.average_deal_amount(r.summary)::double precision END) AS average_deal_amount,
                   array_agg(CASE WHEN r.is_enough THEN sales_perf.median_deal_amount(r.summary)::double precision END) AS median_deal_amount,
                   array_agg(CASE WHEN r.is_enough THEN sales_perf.deal_amount_percentile(r.summary, 0.9)::double precision END) AS p90_deal_amount,
                   array_agg(CASE WHEN r.is_enough THEN sales_perf.cycle_average(r.summary)::double precision END) AS cycle_average_days,
                   array_agg(CASE WHEN r.is_enough THEN sales_perf.cycle_median(r.summary) END) AS cycle_median_days,
                   array_agg(CASE WHEN r.is_enough THEN sales_perf.cycle_percentile(r.summary, 0.9) END) AS cycle_p90_days,
                   array_agg(CASE WHEN r.is_recorded THEN r.activity_count::double precision END) AS activity_count
              FROM (SELECT m.*,
                           m.won_count + m.lost_count >= greatest(e.closed_count, 1)
                           AND sales_perf.won_count(m.summary) - sales_perf.unpriced_count(m.summary) >= greatest(e.priced_count, 1)
                           AND sales_perf.cycle_count(m.summary) >= greatest(e.cycle_count, 1)
                           AND m.won_amount + m.lost_amount <> 0
                           AND (m.lost_count = 0 OR m.lost_amount <> 0) AS is_enough
                      FROM rep_month m
                     CROSS JOIN enough e
                    OFFSET 0) AS r) AS f
     CROSS JOIN LATERAL (VALUES
               (1, 'bookings_amount', f.bookings_amount),
               (2, 'won_count', f.won_count),
               (3, 'lost_count', f.lost_count),
               (4, 'closed_count', f.closed_count),
               (5, 'lost_amount', f.lost_amount),
               (6, 'win_rate', f.win_rate),
               (7, 'win_rate_amount', f.win_rate_amount),
               (8, 'average_deal_amount', f.average_deal_amount),
               (9, 'median_deal_amount', f.median_deal_amount),
               (10, 'p90_deal_amount', f.p90_deal_amount),
               (11, 'cycle_average_days', f.cycle_average_days),
               (12, 'cycle_median_days', f.cycle_median_days),
               (13, 'cycle_p90_days', f.cycle_p90_days),
               (14, 'activity_count', f.activity_count)) AS v (kpi_no, code, figures)
),
listed AS (
    SELECT s.kpi_no, s.code, k.name, s.figures
      FROM series s
      JOIN kpi k ON k.code = s.code
)
SELECT a.code AS kpi_code,
       a.name AS kpi_name,
       b.code AS other_kpi_code,
       b.name AS other_kpi_name,
       v.rep_month_count,
       v.rank_correlation,
       v.rank_correlation IS NOT NULL AS is_enough_data,
       coalesce(abs(v.rank_correlation) >= 0.9, false) AS is_redundant,
       CASE
           WHEN v.rep_month_count < 30 THEN concat('Not enough data to tell whether ', a.name, ' and ', b.name, ' tell the same story: ', v.rep_month_count,
                                                   CASE v.rep_month_count WHEN 1 THEN ' month' ELSE ' months' END, ' of reps, and 30 are needed.')
           WHEN v.rank_correlation IS NULL THEN concat('Not enough data to tell whether ', a.name, ' and ', b.name, ' tell the same story: one of them is always the same.')
           ELSE concat(a.name, ' and ', b.name, CASE WHEN abs(v.rank_correlation) < 0.9 THEN ' tell different stories' WHEN v.rank_correlation > 0 THEN ' tell the same story' ELSE ' tell the same story, turned round' END,
                       ': rank correlation ', to_char(v.rank_correlation, 'FM90.00'), ' over ', v.rep_month_count, ' months of reps (the same from 0.9, or -0.9).')
       END AS summary_text
  FROM listed a
  JOIN listed b ON b.kpi_no > a.kpi_no
 CROSS JOIN LATERAL sales_perf.rank_correlation(a.figures, b.figures) AS c
 CROSS JOIN LATERAL (SELECT coalesce(c.pair_count, 0) AS rep_month_count,
                            CASE WHEN c.pair_count >= 30 THEN round(c.correlation::numeric, 9)::double precision END AS rank_correlation) AS v;

COMMENT ON VIEW kpi_redundancy IS 'Pairs of KPIs that tell the same story: Spearman''s rank correlation of the two over the months of reps (rep-months), up to 24 complete months of calendar up to as_of(). Of the deals closed in the month, by owner (bookings_amount by credit, activity_count by the day), as kpi_between() gives them. A month of a rep counts if the rep closed a deal, was credited or had an activity in it; for rates, averages and percentiles only if there are enough deals for all of these (their minimum_sample in kpi: 30 closed, 20 won with an amount, 20 with a cycle, unless changed) and amounts; for activity_count only from the month of the first activity on. Equal values share their mean rank. A pair is redundant from 0.9 on, or -0.9; with fewer than 30 rep-months, or where one of the two is always the same, it is not told.';
COMMENT ON COLUMN kpi_redundancy.kpi_code IS 'A KPI; each pair stands here once.';
COMMENT ON COLUMN kpi_redundancy.kpi_name IS 'Its name.';
COMMENT ON COLUMN kpi_redundancy.other_kpi_code IS 'The other one.';
COMMENT ON COLUMN kpi_redundancy.other_kpi_name IS 'Its name.';
COMMENT ON COLUMN kpi_redundancy.rep_month_count IS 'n: months of reps in which both are there. Count.';
COMMENT ON COLUMN kpi_redundancy.rank_correlation IS 'Spearman''s rank correlation over these, -1 to 1; NULL: not enough data.';
COMMENT ON COLUMN kpi_redundancy.is_enough_data IS 'False with fewer than 30 rep-months, and where one of the two is always the same.';
COMMENT ON COLUMN kpi_redundancy.is_redundant IS 'True where rank_correlation is 0.9 or more, or -0.9 or less.';
COMMENT ON COLUMN kpi_redundancy.summary_text IS 'The same in a sentence.';

-- ---------------------------------------------------------------- the few that matter now

CREATE FUNCTION focus_limit(rep_id text) RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE way AS (
        SELECT m.team_id, 1 AS step
          FROM rep_team m
         WHERE m.rep_id = focus_limit.rep_id
           AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
        UNION ALL
        SELECT t.parent_team_id, w.step + 1
          FROM way w
          JOIN team t ON t.team_id = w.team_id
         WHERE t.parent_team_id IS NOT NULL
           AND w.step < 1000
    )
    SELECT coalesce((SELECT l.metric_count
                       FROM way w
                       JOIN metric_limit l ON l.team_id = w.team_id
                      ORDER BY w.step
                      LIMIT 1),
                    (SELECT l.metric_count FROM metric_limit l WHERE l.team_id IS NULL),
                    5);
END;

COMMENT ON FUNCTION focus_limit(text) IS 'How many KPIs a rep is to carry at most (metric_limit): the number of the rep''s team as of as_of(), of the next team above it that has one, that of all others, or 5.';

-- A function of its own, for PL/pgSQL has parallel workers read for it only what it returns, not what it puts into variables.
CREATE FUNCTION redundant_kpis()
    RETURNS TABLE (kpi_code text, other_kpi_code text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 10
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT v.code, v.other_code
          FROM kpi_redundancy r
         CROSS JOIN LATERAL (VALUES (r.kpi_code, r.other_kpi_code), (r.other_kpi_code, r.kpi_code)) AS v (code, other_code)
         WHERE r.is_redundant;
END
$$;

COMMENT ON FUNCTION redundant_kpis() IS 'Internal to focus_kpis(): the pairs of KPIs that are redundant (kpi_redundancy), both ways round.';

CREATE FUNCTION focus_kpis(rep_id text)
    RETURNS TABLE (rank integer, kpi_code text, kpi_name text, unit text, value numeric, reference numeric, sample_count bigint, why text, summary_text text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- planned for the rep and the KPIs asked for: the others are not computed
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    of_rep      rep%ROWTYPE;
    most        integer := focus_limit(focus_kpis.rep_id);
    from_day    date;
    today       CONSTANT date := sales_perf.as_of();
    own_codes   text[];
    goal_ids    text[];
    twins       text[];
    chosen      text[] := '{}';
    candidate   record;
BEGIN
    SELECT r.* INTO of_rep FROM rep r WHERE r.rep_id = focus_kpis.rep_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no rep "%"', coalesce(focus_kpis.rep_id, 'NULL')
            USING ERRCODE = 'undefined_object',
                  HINT = 'Give a rep_id.';
    END IF;

    -- from the quarter before on: three months at least, so that there are enough deals
    SELECT coalesce(before.fiscal_quarter_start, this.fiscal_quarter_start)
      INTO from_day
      FROM calendar this
      LEFT JOIN calendar before ON before.region = '' AND before.on_date = this.fiscal_quarter_start - 1
     WHERE this.region = ''
       AND this.on_date = today;
    from_day := coalesce(from_day, today - 180);

    SELECT array_agg(k.code)
      INTO own_codes
      FROM kpi k
     WHERE k.relation IS NOT NULL
        OR k.code IN ('bookings_amount', 'won_count', 'closed_count', 'win_rate', 'win_rate_amount', 'average_deal_amount', 'median_deal_amount', 'p90_deal_amount',
                      'cycle_average_days', 'cycle_median_days', 'cycle_p90_days', 'activity_count');
    -- of those that run: goals of other days are not read
    SELECT coalesce(array_agg(g.goal_id), '{}')
      INTO goal_ids
      FROM goal g
     WHERE g.rep_id = focus_kpis.rep_id
       AND g.first_day <= today
       AND g.last_day > today;

    rank := 0;
    FOR candidate IN
        WITH measured AS MATERIALIZED (
            SELECT b.entity_id, b.kpi_code, b.value, b.sample_count
              FROM kpi_between(from_day, today) b
             WHERE b.level = 'rep'
               AND b.kpi_code = ANY (own_codes)
        ),
        -- those who work there, and have been there all the time
        peer AS MATERIALIZED (
            SELECT m.entity_id, m.kpi_code, m.sample_count, m.value::double precision AS value
              FROM measured m
              JOIN rep r ON r.rep_id = m.entity_id
              JOIN kpi k ON k.code = m.kpi_code
             WHERE m.value > '-Infinity'
               AND m.value < 'Infinity'
               AND m.sample_count >= k.minimum_sample
               AND coalesce(r.hired_on, '-infinity') <= from_day
               AND coalesce(r.left_on, 'infinity') >= today
        ),
        middle AS (
            SELECT kpi_code, count(*) AS rep_count, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median
              FROM peer
             GROUP BY kpi_code
        ),
        spread AS (
            SELECT m.kpi_code, m.rep_count, m.median, 1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(p.value - m.median)) AS deviation
              FROM middle m
              JOIN peer p ON p.kpi_code = m.kpi_code
             GROUP BY m.kpi_code, m.rep_count, m.median
        )
        SELECT 1 AS place,
               CASE g.status WHEN 'behind' THEN 0 ELSE 1 END + least(1, coalesce(g.chance_of_reaching, 0.5)) / 2 AS urgency,
               g.goal_id AS tie,
               'goal'::text AS why,
               g.kpi_code, g.kpi_name, g.unit, g.actual_value AS value, g.target AS reference, g.sample_count,
               concat(g.kpi_name, ' of ', of_rep.name, ' is ', in_words(g.actual_value, g.unit), ', where the goal ', g.goal_name, ' asks for ', in_words(g.target, g.unit),
                      ' by ', to_char(g.last_day, 'YYYY-MM-DD'), ': ', CASE g.status WHEN 'behind' THEN 'behind' ELSE 'at risk' END,
                      CASE WHEN g.chance_of_reaching IS NOT NULL THEN ', with a chance of ' || in_words(g.chance_of_reaching::numeric, 'fraction') END,
                      ' (n = ', coalesce(g.sample_count, 0), ').') AS summary_text
          FROM goal_standing(goal_ids) g
         WHERE g.status IN ('behind', 'at_risk')
        UNION ALL
        SELECT 2,
               -- who has taken note knows
               CASE a.state WHEN 'open' THEN 0 ELSE 1 END + 1 / (2.0 + a.open_days),
               a.alert_event_id::text,
               'alert',
               a.kpi_code, a.kpi_name, a.unit, a.last_value, a.reference, a.sample_count,
               a.summary_text
          FROM alert a
         WHERE a.level = 'rep'
           AND a.entity_id = focus_kpis.rep_id
           AND a.state <> 'closed'
        UNION ALL
        SELECT 3,
               - off.deviations,
               k.code,
               'median',
               k.code, k.name, k.unit, p.value::numeric, s.median::numeric, p.sample_count,
               concat(k.name, ' of ', of_rep.name, ' from ', to_char(from_day, 'YYYY-MM-DD'), ' on is ', in_words(p.value::numeric, k.unit), ', and the median of ', s.rep_count, ' reps ', in_words(s.median::numeric, k.unit),
                      ': ', trim_scale(round(off.deviations::numeric, 1)), ' robust standard deviations ', CASE k.direction WHEN 'up' THEN 'below' ELSE 'above' END, ' it (told from 1; n = ', p.sample_count, ').')
          FROM spread s
          JOIN kpi k ON k.code = s.kpi_code
          JOIN peer p ON p.kpi_code = s.kpi_code AND p.entity_id = focus_kpis.rep_id
         CROSS JOIN LATERAL (SELECT CASE WHEN s.deviation > 0 THEN (s.median - p.value) / s.deviation * CASE k.direction WHEN 'up' THEN 1 ELSE -1 END END AS deviations) AS off
         WHERE s.rep_count >= 5
           AND off.deviations >= 1
         ORDER BY 1, 2, 3
    LOOP
        EXIT WHEN rank >= most;
        CONTINUE WHEN candidate.kpi_code = ANY (chosen);
        -- a goal was agreed on; of the others one of two that tell the same is enough
        IF candidate.place > 1 AND chosen <> '{}' THEN
            -- asked for once, and only where there are two: it reads the deals of two years
            IF twins IS NULL THEN
                twins := ARRAY(SELECT t.kpi_code || ' ' || t.other_kpi_code FROM redundant_kpis() t);
            END IF;
            CONTINUE WHEN EXISTS (SELECT FROM unnest(chosen) AS c (code) WHERE c.code || ' ' || candidate.kpi_code = ANY (twins));
        END IF;
        chosen := chosen || candidate.kpi_code::text;
        rank := rank + 1;
        kpi_code := candidate.kpi_code;
        kpi_name := candidate.kpi_name;
        unit := candidate.unit;
        value := candidate.value;
        reference := candidate.reference;
        sample_count := candidate.sample_count;
        why := candidate.why;
        summary_text := candidate.summary_text;
        RETURN NEXT;
    END LOOP;
END
$$;

COMMENT ON FUNCTION focus_kpis(text) IS 'The few KPIs that matter to a rep now, and why: at most as many as metric_limit says (focus_limit()). First (why: goal) those of the rep''s running goals that are not on track, behind before at_risk, the smallest chance first; reference is the target. Then (alert) those with open alerts, those nobody has taken note of first, the longest open first; reference is the limit. Then (median) those furthest from the median of reps on the wrong side, from the first day of the quarter before up to as_of(): 1 robust standard deviation (1.4826 MAD) or more, among at least 5 reps who were there all the time and have enough deals (minimum_sample); reference is the median. Compared so are bookings, wins, rates, deal sizes, cycles, activities and KPIs of your own. Each KPI stands there once, and but for goals none that is redundant (kpi_redundancy) with one before it.';

SET LOCAL search_path = sales_perf, pg_temp;
