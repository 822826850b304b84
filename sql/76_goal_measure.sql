-- What goals are measured by: what was reached, what was to be expected by now, what it will probably come to.
--
-- Goals of the same days are measured together, in the days so far and in windows before them (goal_window). The
-- KPIs most goals are set on are sums of what goal_piece tells of closed deals; they equal kpi_between(), which
-- gives the others, window by window.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- what is measured

CREATE FUNCTION goal_measured(first_day date, last_day date, pieces goal_piece[], goal_ids text[])
    RETURNS TABLE (place integer, is_cut boolean, level text, entity_id text, kpi_code text,
                   numerator numeric, denominator numeric, sample_count bigint, value numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- What was not asked for is taken out when a query is planned, so it is planned with what is asked for.
    SET plan_cache_mode = force_custom_plan
    -- as in goal_pieces(): reps times pieces are few groups, but are taken for many
    SET enable_sort = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    sale_codes   constant text[] := ARRAY['sales_amount', 'sale_count'];
    codes        text[];
    other_codes  text[];
    levels       text[];
    -- the windows
    places       integer[];
    cuts         boolean[];
    first_days   date[];
    last_days    date[];
    sale_starts  date[];
BEGIN
    -- (all their levels, for what is known of anybody tells since when there is anything)
    SELECT array_agg(DISTINCT g.kpi_code) FILTER (WHERE goal_ids IS NULL OR g.goal_id = ANY (goal_ids)), array_agg(DISTINCT g.level)
      INTO codes, levels
      FROM goal g
     WHERE g.first_day = goal_measured.first_day
       AND g.last_day = goal_measured.last_day;

    SELECT array_agg(w.place), array_agg(w.is_cut), array_agg(w.first_day), array_agg(w.last_day)
      INTO places, cuts, first_days, last_days
      FROM goal_window(goal_measured.first_day, goal_measured.last_day, goal_ids) AS w;
    IF places IS NULL THEN
        RETURN;
    END IF;

    IF codes && goal_closed_code() THEN
        RETURN QUERY
        WITH part AS MATERIALIZED (
            SELECT * FROM unnest(pieces)
        ),
        -- few pieces: found once for each, and not for each of its rows
        piece_window AS (
            SELECT p.piece_start, w.place, w.is_cut
              FROM (SELECT DISTINCT piece_start FROM part) AS p
              JOIN unnest(places, cuts, first_days, last_days) AS w (place, is_cut, first_day, last_day)
                ON p.piece_start BETWEEN w.first_day AND w.last_day
        ),
        of_level AS (
            SELECT 'company'::text AS level, NULL::text AS entity_id, p.*
              FROM part p
             WHERE 'company' = ANY (levels)
            UNION ALL
            SELECT 'team'::text, m.team_id, p.*
              FROM part p
              JOIN team_rep m ON m.rep_id = p.rep_id AND p.piece_start BETWEEN m.valid_from AND m.valid_to
             WHERE 'team' = ANY (levels)
            UNION ALL
            SELECT 'rep'::text, p.rep_id, p.*
              FROM part p
             WHERE 'rep' = ANY (levels)
               AND p.rep_id IS NOT NULL
        ),
        total AS (
            SELECT w.place,
                   w.is_cut,
                   o.level,
                   o.entity_id,
                   sum(o.won)::bigint AS won,
                   sum(o.lost)::bigint AS lost,
                   sum(o.priced)::bigint AS priced,
                   sum(o.cycles)::bigint AS cycles,
                   coalesce(sum(o.cycle_days), 0) AS cycle_days,
                   coalesce(sum(o.won_amount), 0) AS won_amount,
                   coalesce(sum(o.lost_amount), 0) AS lost_amount,
                   coalesce(sum(o.credit_amount), 0) AS credit_amount,
                   sum(o.credits)::bigint AS credits
              FROM of_level o
              JOIN piece_window w ON w.piece_start = o.piece_start
             GROUP BY w.place, w.is_cut, o.level, o.entity_id
        )
        SELECT t.place,
               t.is_cut,
               t.level,
               t.entity_id,
               k.kpi_code,
               k.numerator,
               k.denominator,
               k.sample_count,
               CASE WHEN k.is_ratio THEN CASE WHEN k.denominator <> 0 THEN k.numerator / k.denominator END ELSE k.numerator END
          FROM total t
         CROSS JOIN LATERAL (
                VALUES ('bookings_amount'::text, false, t.credit_amount, NULL::numeric, t.credits),
                       ('won_count', false, t.won, NULL, t.won),
                       ('lost_count', false, t.lost, NULL, t.lost),
                       ('closed_count', false, t.won + t.lost, NULL, t.won + t.lost),
                       ('win_rate', true, t.won, t.won + t.lost, t.won + t.lost),
                       ('lost_amount', false, t.lost_amount, NULL, t.lost),
                       ('average_deal_amount', true, t.won_amount, t.priced, t.priced),
                       ('cycle_average_days', true, t.cycle_days, t.cycles, t.cycles)) AS k (kpi_code, is_ratio, numerator, denominator, sample_count)
         WHERE k.kpi_code = ANY (codes);
    END IF;

    IF codes && sale_codes THEN
        sale_starts := goal_piece_starts(first_days || ARRAY(SELECT w.day + 1 FROM unnest(last_days) AS w (day)), 'team' = ANY (levels));
        RETURN QUERY
        WITH part AS MATERIALIZED (
            SELECT p.rep_id,
                   sale_starts[width_bucket(p.sold_on, sale_starts)] AS piece_start,
                   sum(p.amount) AS amount,
                   sum(p.sale_count) AS sales
              FROM purchase_cell p
             WHERE p.sold_on >= sale_starts[1]
               AND p.sold_on < sale_starts[cardinality(sale_starts)]
             GROUP BY 1, 2
        ),
        of_level AS (
            SELECT 'company'::text AS level, NULL::text AS entity_id, p.*
              FROM part p
             WHERE 'company' = ANY (levels)
            UNION ALL
            SELECT 'team'::text, m.team_id, p.*
              FROM part p
              JOIN team_rep m ON m.rep_id = p.rep_id AND p.piece_start BETWEEN m.valid_from AND m.valid_to
             WHERE 'team' = ANY (levels)
            UNION ALL
            SELECT 'rep'::text, p.rep_id, p.*
              FROM part p
             WHERE 'rep' = ANY (levels)
               AND p.rep_id IS NOT NULL
        ),
        total AS (
            SELECT w.place,
                   w.is_cut,
                   o.level,
                   o.entity_id,
                   coalesce(sum(o.amount), 0) AS amount,
                   sum(o.sales)::bigint AS sales
              FROM of_level o
              JOIN unnest(places, cuts, first_days, last_days) AS w (place, is_cut, first_day, last_day)
                ON o.piece_start BETWEEN w.first_day AND w.last_day
             GROUP BY w.place, w.is_cut, o.level, o.entity_id
        )
        SELECT t.place,
               t.is_cut,
               t.level,
               t.entity_id,
               k.kpi_code,
               k.numerator,
               NULL::numeric,
               t.sales,
               k.numerator
          FROM total t
         CROSS JOIN LATERAL (
                VALUES ('sales_amount'::text, t.amount),
                       ('sale_count', t.sales)) AS k (kpi_code, numerator)
         WHERE k.kpi_code = ANY (codes);
    END IF;

    SELECT array_agg(c.code)
      INTO other_codes
      FROM unnest(codes) AS c (code)
     WHERE c.code <> ALL (goal_closed_code() || sale_codes);
    IF other_codes IS NOT NULL THEN
        -- Growth and retention compare with the whole window before, also where a window is cut.
        RETURN QUERY
        SELECT w.place,
               w.is_cut,
               k.level,
               k.entity_id,
               k.kpi_code,
               k.numerator,
               k.denominator,
               k.sample_count,
               k.value
          FROM unnest(places, cuts, first_days, last_days) AS w (place, is_cut, first_day, last_day)
         CROSS JOIN LATERAL (
                SELECT goal_window_start(goal_measured.first_day, goal_measured.last_day, w.place + 1) AS first_day,
                       goal_window_start(goal_measured.first_day, goal_measured.last_day, w.place) - 1 AS last_day
                OFFSET 0) AS prior
         CROSS JOIN LATERAL kpi_between(w.first_day, w.last_day, prior.first_day, prior.last_day) AS k
         WHERE k.kpi_code = ANY (other_codes)
           AND k.level = ANY (levels);
    END IF;
END
$$;

COMMENT ON FUNCTION goal_measured(date, date, goal_piece[], text[]) IS 'Behind goal_measure(): the KPIs of the goals of exactly these days, for all entities of their levels: in these days so far (place 0), in the past windows (place as in goal_past_window) and in these up to the cut (is_cut). An entity of which there is nothing has no row. pieces: the rows of goal_piece. goal_ids: of these goals only, and of goal_pieces(goal_ids).';

CREATE VIEW goal_as_of WITH (security_invoker = true) AS
SELECT g.goal_id,
       g.name AS goal_name,
       g.level,
       g.team_id,
       g.rep_id,
       CASE g.level WHEN 'team' THEN t.name WHEN 'rep' THEN r.name ELSE 'company' END AS owner_name,
       g.kpi_code,
       k.name AS kpi_name,
       k.unit,
       k.kind,
       CASE WHEN f.target > f.baseline THEN 'up' ELSE 'down' END AS direction,
       g.parent_goal_id,
       g.first_day,
       g.last_day,
       f.baseline,
       f.target,
       f.stretch,
       f.valid_from AS target_valid_from,
       g.season_id,
       g.check_in_every_days,
       r.hired_on
  FROM goal g
  JOIN kpi k ON k.code = g.kpi_code
  LEFT JOIN team t ON t.team_id = g.team_id
  LEFT JOIN rep r ON r.rep_id = g.rep_id
 CROSS JOIN LATERAL (
        SELECT e.baseline, e.target, e.stretch, e.valid_from
          FROM (SELECT h.baseline, h.target, h.stretch, h.valid_from, h.goal_target_id
                  FROM goal_target h
                 WHERE h.goal_id = g.goal_id
                UNION ALL
                -- where somebody deleted them all
                SELECT g.baseline, g.target, g.stretch, 'infinity'::date, NULL::bigint) AS e
         ORDER BY e.valid_from > sales_perf.as_of(),
                  CASE WHEN e.valid_from <= sales_perf.as_of() THEN e.valid_from END DESC,
                  e.valid_from,
                  e.goal_target_id DESC
         LIMIT 1) AS f;

COMMENT ON VIEW goal_as_of IS 'The goals, with the target that was in force on the day as_of() gives (goal_target; before the first of them, the first).';
COMMENT ON COLUMN goal_as_of.goal_id IS 'The goal.';
COMMENT ON COLUMN goal_as_of.goal_name IS 'Name of the goal.';
COMMENT ON COLUMN goal_as_of.level IS 'Whose goal it is: company, team or rep.';
COMMENT ON COLUMN goal_as_of.team_id IS 'The team whose goal it is; NULL: not a team''s.';
COMMENT ON COLUMN goal_as_of.rep_id IS 'The rep whose goal it is; NULL: not a rep''s.';
COMMENT ON COLUMN goal_as_of.owner_name IS 'Name of the team or rep; company.';
COMMENT ON COLUMN goal_as_of.kpi_code IS 'The KPI that is measured.';
COMMENT ON COLUMN goal_as_of.kpi_name IS 'Its name.';
COMMENT ON COLUMN goal_as_of.unit IS 'Its unit.';
COMMENT ON COLUMN goal_as_of.kind IS 'sum, ratio or statistic (kpi.kind).';
COMMENT ON COLUMN goal_as_of.direction IS 'up where the target lies above the baseline, down where it lies below.';
COMMENT ON COLUMN goal_as_of.parent_goal_id IS 'The goal it is part of; NULL: none.';
COMMENT ON COLUMN goal_as_of.first_day IS 'The first day that counts.';
COMMENT ON COLUMN goal_as_of.last_day IS 'The last day that counts.';
COMMENT ON COLUMN goal_as_of.baseline IS 'The baseline in force.';
COMMENT ON COLUMN goal_as_of.target IS 'The target in force.';
COMMENT ON COLUMN goal_as_of.stretch IS 'The stretch target in force; NULL: none.';
COMMENT ON COLUMN goal_as_of.target_valid_from IS 'Since when it is in force; -infinity: from the beginning.';
COMMENT ON COLUMN goal_as_of.season_id IS 'The season; NULL: every business day counts the same.';
COMMENT ON COLUMN goal_as_of.check_in_every_days IS 'Days after which a check-in is due; NULL: none is asked for.';
COMMENT ON COLUMN goal_as_of.hired_on IS 'First day of employment of the rep; NULL: not known, or not a rep''s goal.';

-- What is still to come is guessed from replays: what came after the cut in each past window. Its mean and
-- Student's interval for one more such number; where they were all the same that says nothing of how sure it
-- is, and the chance is that of Laplace's rule of succession.
CREATE FUNCTION goal_measure(first_day date, last_day date, pieces goal_piece[], goal_ids text[])
    RETURNS TABLE (goal_id text, numerator numeric, denominator numeric, sample_count bigint, actual_value numeric,
                   business_day_count bigint, gone_business_day_count bigint, expected_share double precision,
                   projected_value numeric, projected_low numeric, projected_high numeric, chance_of_reaching double precision,
                   history_count bigint, history_median numeric, history_low numeric, history_high numeric, history_reached_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 50 COST 10000
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    as_of_day     constant date := sales_perf.as_of();
    is_started    constant boolean := goal_measure.first_day <= as_of_day;
    is_over       constant boolean := goal_measure.last_day <= as_of_day;
    has_outlook   boolean;
BEGIN
    -- forecasts look three years ahead
    has_outlook := is_started AND NOT is_over AND goal_measure.last_day <= as_of_day + 1096
                   AND EXISTS (SELECT
                                 FROM goal g
                                WHERE g.first_day = goal_measure.first_day
                                  AND g.last_day = goal_measure.last_day
                                  AND g.kpi_code = 'bookings_amount'
                                  AND (goal_ids IS NULL OR g.goal_id = ANY (goal_ids)));

    RETURN QUERY
    WITH measured AS MATERIALIZED (
        SELECT *
          FROM goal_measured(goal_measure.first_day, goal_measure.last_day, pieces, goal_ids)
    ),
    of_goal AS MATERIALIZED (
        SELECT g.*,
               CASE g.direction WHEN 'up' THEN 1 ELSE -1 END AS sign,
               coalesce(g.team_id, g.rep_id, '') AS entity_id,
               o.numerator,
               o.denominator,
               coalesce(o.sample_count, 0) AS sample_count,
               CASE WHEN g.kind = 'sum' AND is_started THEN coalesce(o.value, 0) ELSE o.value END AS value
          FROM goal_as_of g
          LEFT JOIN measured o
            ON o.place = 0
           AND o.kpi_code = g.kpi_code
           AND o.level = g.level
           AND (o.level = 'company' OR o.entity_id = coalesce(g.team_id, g.rep_id))
         WHERE g.first_day = goal_measure.first_day
           AND g.last_day = goal_measure.last_day
           AND (goal_ids IS NULL OR g.goal_id = ANY (goal_ids))
    ),
    past_window AS MATERIALIZED (
        SELECT *
          FROM goal_past_window(goal_measure.first_day, goal_measure.last_day)
    ),
    -- Before a KPI was first recorded, of anybody, there is nothing to compare with.
    recorded AS MATERIALIZED (
        SELECT m.kpi_code,
               max(m.place) AS first_place
          FROM measured m
         WHERE m.sample_count > 0
         GROUP BY m.kpi_code
    ),
    past AS MATERIALIZED (
        SELECT v.goal_id,
               count(v.value) AS value_count,
               min(v.value) AS low,
               max(v.value) AS high,
               array_agg(v.value ORDER BY v.value) FILTER (WHERE v.value IS NOT NULL) AS sorted,
               count(*) FILTER (WHERE v.sign * (v.value - v.target) >= 0) AS reached,
               count(v.remainder) AS remainders,
               avg(v.remainder) AS mean,
               stddev_samp(v.remainder) AS deviation,
               min(v.remainder) AS least_remainder,
               count(*) FILTER (WHERE v.sign * (coalesce(v.base, 0) + v.remainder - v.target) >= 0) AS reaching
          FROM (SELECT g.goal_id,
                       g.sign,
                       g.target,
                       e.value,
                       g.value AS base,
                       CASE
                           WHEN NOT is_started THEN e.value
                           WHEN is_over OR has_outlook AND g.kpi_code = 'bookings_amount' THEN NULL
                           ELSE e.value - CASE g.kind WHEN 'sum' THEN coalesce(c.value, 0) ELSE c.value END
                       END AS remainder
                  FROM of_goal g
                  JOIN recorded r ON r.kpi_code = g.kpi_code
                  JOIN past_window p ON p.place <= r.first_place
                  LEFT JOIN measured f
                    ON f.place = p.place
                   AND NOT f.is_cut
                   AND f.kpi_code = g.kpi_code
                   AND f.level = g.level
                   AND coalesce(f.entity_id, '') = g.entity_id
                  LEFT JOIN measured c
                    ON c.place = p.place
                   AND c.is_cut
                   AND c.kpi_code = g.kpi_code
                   AND c.level = g.level
                   AND coalesce(c.entity_id, '') = g.entity_id
                 CROSS JOIN LATERAL (
                        SELECT CASE g.kind WHEN 'sum' THEN coalesce(f.value, 0) ELSE f.value END AS value) AS e
                 -- before a rep came there is nothing to compare with
                 WHERE g.hired_on IS NULL
                    OR g.hired_on <= p.first_day) AS v
         GROUP BY v.goal_id
    ),
    elapsed AS MATERIALIZED (
        SELECT s.season_id,
               e.business_day_count,
               e.gone_business_day_count,
               e.expected_share
          FROM (SELECT DISTINCT coalesce(g.season_id, '') AS season_id FROM of_goal g) AS s
         CROSS JOIN LATERAL goal_elapsed(goal_measure.first_day, goal_measure.last_day, s.season_id) e
    ),
    -- each goal on bookings is a group of its own: its owner, or those who are in the team now
    outlook_goal AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY g.goal_id)::integer AS group_no,
               g.goal_id,
               g.level,
               g.team_id,
               g.rep_id,
               -- What is to stay at most at the target does not come to a cent more. Of an amount that is NaN
               -- or infinite there is no chance to tell.
               CASE
                   WHEN g.value > '-Infinity' AND g.value < 'Infinity'
                   THEN g.target - g.value + CASE g.direction WHEN 'up' THEN 0 ELSE 0.01 END
                   ELSE 'NaN'
               END::double precision AS to_come
          FROM of_goal g
         WHERE has_outlook
           AND g.kpi_code = 'bookings_amount'
    ),
    outlook_member AS MATERIALIZED (
        SELECT o.group_no, r.rep_no
          FROM outlook_goal o
          JOIN clock_rep r ON o.level = 'company' OR r.rep_id = o.rep_id
        UNION
        SELECT o.group_no, r.rep_no
          FROM outlook_goal o
          JOIN team_rep m ON m.team_id = o.team_id AND as_of_day BETWEEN m.valid_from AND m.valid_to
          JOIN clock_rep r ON r.rep_id = m.rep_id
    ),
    outlook AS MATERIALIZED (
        SELECT o.goal_id, f.open_expected + f.unopened_expected AS expected, f.p10, f.p90, f.chance
          FROM forecast_deal_lists() AS d
         CROSS JOIN LATERAL forecast_of(
                    ARRAY[as_of_day + 1],
                    ARRAY[goal_measure.last_day],
                    ARRAY(SELECT m.group_no FROM outlook_member m ORDER BY m.group_no, m.rep_no),
                    ARRAY(SELECT m.rep_no FROM outlook_member m ORDER BY m.group_no, m.rep_no),
                    d.clock_nos, d.ages, d.rep_nos, d.owner_nos, d.segment_nos, d.amounts, d.counted,
                    ARRAY(SELECT g.to_come FROM outlook_goal g ORDER BY g.group_no)) AS f
          JOIN outlook_goal o ON o.group_no = f.group_no
         WHERE has_outlook
    )
    SELECT g.goal_id,
           g.numerator,
           g.denominator,
           g.sample_count,
           g.value,
           t.business_day_count,
           t.gone_business_day_count,
           t.expected_share,
           round(greatest(least(j.expected, j.top), j.bottom), CASE g.unit WHEN 'amount' THEN 2 ELSE 6 END),
           round(greatest(j.low, j.bottom), CASE g.unit WHEN 'amount' THEN 2 ELSE 6 END),
           round(least(j.high, j.top), CASE g.unit WHEN 'amount' THEN 2 ELSE 6 END),
           j.chance,
           coalesce(p.value_count, 0),
           trim_scale((p.sorted[(p.value_count + 1) / 2] + p.sorted[p.value_count / 2 + 1]) / 2),
           p.low,
           p.high,
           coalesce(p.reached, 0)
      FROM of_goal g
      JOIN elapsed t ON t.season_id = coalesce(g.season_id, '')
      LEFT JOIN past p ON p.goal_id = g.goal_id
      LEFT JOIN outlook o ON o.goal_id = g.goal_id
      LEFT JOIN LATERAL (
            SELECT g.value AS expected,
                   g.value AS low,
                   g.value AS high,
                   NULL::numeric AS bottom,
                   NULL::numeric AS top,
                   CASE WHEN g.sign * (g.value - g.target) >= 0 THEN 1 ELSE 0 END::double precision AS chance
             WHERE is_over
            UNION ALL
            SELECT g.value + coalesce(o.expected, 0),
                   g.value + coalesce(o.p10, 0),
                   g.value + coalesce(o.p90, 0),
                   NULL,
                   NULL,
                   CASE
                       WHEN o.chance IS NULL THEN CASE WHEN g.sign * (g.value - g.target) >= 0 THEN 1 ELSE 0 END
                       WHEN g.direction = 'up' THEN o.chance
                       ELSE 1 - o.chance
                   END
             WHERE has_outlook
               AND g.kpi_code = 'bookings_amount'
            UNION ALL
            SELECT r.base + p.mean,
                   r.base + p.mean - r.half,
                   r.base + p.mean + r.half,
                   -- where nothing was ever taken back, and no value was ever below 0 or a share above 1, none will be
                   CASE WHEN g.kind = 'sum' AND p.least_remainder >= 0 THEN r.base WHEN p.low >= 0 AND r.base >= 0 THEN 0 END,
                   CASE WHEN g.unit = 'fraction' AND p.high <= 1 AND r.base <= 1 THEN 1 END,
                   CASE
                       WHEN g.kind = 'sum' AND p.least_remainder >= 0 AND g.direction = 'up' AND r.base >= g.target THEN 1
                       WHEN g.kind = 'sum' AND p.least_remainder >= 0 AND g.direction = 'down' AND r.base > g.target THEN 0
                       WHEN p.deviation > 0
                       THEN sales_perf.student_t_share((g.sign * (r.base + p.mean - g.target) / (p.deviation * sqrt(1 + 1::numeric / p.remainders)))::double precision, (p.remainders - 1)::integer)
                       ELSE (p.reaching + 1)::double precision / (p.remainders + 2)
                   END
              FROM (SELECT CASE WHEN is_started THEN g.value ELSE 0 END AS base,
                           p.deviation * sqrt(1 + 1::numeric / p.remainders) * sales_perf.student_t_quantile(0.9, (p.remainders - 1)::integer)::numeric AS half
                     WHERE p.remainders >= 3) AS r
             WHERE NOT is_over
               AND NOT (has_outlook AND g.kpi_code = 'bookings_amount')
               AND r.base IS NOT NULL) AS j ON true;
END
$$;

COMMENT ON FUNCTION goal_measure(date, date, goal_piece[], text[]) IS 'Behind goal_progress: the figures of all goals of exactly these days. pieces: the rows of goal_piece. goal_ids: of these goals only, pieces being those of goal_pieces(goal_ids); then what is told of the past is not complete.';

SET LOCAL search_path = sales_perf, pg_temp;
