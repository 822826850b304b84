-- What goals are measured by: what was reached, what was to be expected by now, what it will probably come to.
--
-- Everything that takes reading deals is done once for all goals of the same days, by goal_measure(). The
-- past is read together with the present: goals are compared with up to eight windows of days before them,
-- and of the KPIs most goals are set on, all windows are summed up in one pass over deals. Such sums equal
-- kpi_between(), which gives the others, window by window.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- time

-- A season's weight of a period of the year falls on its business days alike.
CREATE FUNCTION goal_elapsed(first_day date, last_day date, season_id text DEFAULT NULL)
    RETURNS TABLE (business_day_count bigint, gone_business_day_count bigint, expected_share double precision)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN d.is_known THEN d.business_days END,
           CASE WHEN d.is_known THEN d.gone_days END,
           CASE
               WHEN sales_perf.as_of() < first_day THEN 0
               WHEN sales_perf.as_of() >= last_day THEN 1
               WHEN d.is_known AND d.weight > 0 THEN d.gone_weight / d.weight
               WHEN d.is_known AND d.business_days > 0 THEN d.gone_days::numeric / d.business_days
               ELSE (sales_perf.as_of() - first_day + 1)::numeric / (last_day - first_day + 1)
           END::double precision
      FROM (SELECT sum(p.days) = last_day - first_day + 1 AS is_known,
                   sum(p.business_days)::bigint AS business_days,
                   sum(p.gone_days)::bigint AS gone_days,
                   sum(s.weight * p.business_days / p.period_business_days) AS weight,
                   sum(s.weight * p.gone_days / p.period_business_days) AS gone_weight
              FROM (SELECT c.fiscal_period,
                           count(*) AS days,
                           count(*) FILTER (WHERE c.is_business_day) AS business_days,
                           count(*) FILTER (WHERE c.is_business_day AND c.on_date <= sales_perf.as_of()) AS gone_days,
                           (SELECT greatest(count(*), 1)
                              FROM calendar whole
                             WHERE whole.region = ''
                               AND whole.on_date BETWEEN c.fiscal_period_start AND c.fiscal_period_end
                               AND whole.is_business_day) AS period_business_days
                      FROM calendar c
                     WHERE c.region = ''
                       AND c.on_date BETWEEN first_day AND last_day
                     GROUP BY c.fiscal_period, c.fiscal_period_start, c.fiscal_period_end) AS p
              LEFT JOIN season_shape s ON s.season_id = goal_elapsed.season_id AND s.fiscal_period = p.fiscal_period) AS d;
END;

COMMENT ON FUNCTION goal_elapsed(date, date, text) IS 'How much of a range of days is over as of as_of(), whose day counts as over: its business days (calendar), those gone, and the share of what is wanted that may be expected by now: business days gone / all; with a season (season_shape), its weights of these days, a period''s weight falling on its business days alike. Where calendar does not have all the days, the counts are NULL and the share is that of all days.';

-- Whole periods of the calendar are compared with whole periods: a quarter with the quarters before it, not
-- with the 92 days before it.
CREATE FUNCTION goal_window_start(first_day date, last_day date, place integer)
    RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
               WHEN place = 0 THEN first_day
               WHEN a.period_count IS NULL THEN first_day - place * (last_day - first_day + 1)
               ELSE (SELECT c.fiscal_period_start
                       FROM calendar c
                      WHERE c.region = ''
                        AND c.on_date = c.fiscal_period_start
                        AND c.fiscal_period_start < first_day
                      ORDER BY c.fiscal_period_start DESC
                     OFFSET place * a.period_count - 1
                      LIMIT 1)
           END
      FROM (SELECT (SELECT count(*)
                      FROM calendar c
                     WHERE c.region = ''
                       AND c.on_date = c.fiscal_period_start
                       AND c.fiscal_period_start BETWEEN first_day AND last_day
                    HAVING min(c.fiscal_period_start) = first_day
                       AND max(c.fiscal_period_end) = last_day) AS period_count) AS a;
END;

COMMENT ON FUNCTION goal_window_start(date, date, integer) IS 'The first day of a window before the days from first_day to last_day: 1 is the one that ends right before them, 2 the one before that, 0 themselves. As many days each; where these days are whole periods (months) of calendar, as many whole periods. NULL where calendar does not reach back so far.';

CREATE FUNCTION goal_past_window(first_day date, last_day date)
    RETURNS TABLE (place integer, first_day date, last_day date, cut_day date)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT w.place,
           w.first_day,
           w.last_day,
           CASE
               WHEN sales_perf.as_of() < goal_past_window.first_day OR sales_perf.as_of() >= goal_past_window.last_day
               THEN NULL
               WHEN then_gone.business_days IS NULL
               THEN w.first_day - 1 + round((w.last_day - w.first_day + 1) * now_gone.expected_share::numeric)::integer
               WHEN then_gone.business_days = 0
               THEN w.first_day - 1
               ELSE (SELECT c.on_date
                       FROM calendar c
                      WHERE c.region = ''
                        AND c.is_business_day
                        AND c.on_date BETWEEN w.first_day AND w.last_day
                      ORDER BY c.on_date
                     OFFSET then_gone.business_days - 1
                      LIMIT 1)
           END
      FROM (SELECT s.place,
                   goal_window_start(goal_past_window.first_day, goal_past_window.last_day, s.place) AS first_day,
                   goal_window_start(goal_past_window.first_day, goal_past_window.last_day, s.place - 1) - 1 AS last_day
              -- before a goal of days to come, without the windows that are not over yet
              -- (periods are not all as long: of a 4-4-5 calendar by a quarter)
              FROM (SELECT greatest(0, (goal_past_window.first_day - 1 - sales_perf.as_of()) / (goal_past_window.last_day - goal_past_window.first_day + 1)) AS gap) AS ahead
             CROSS JOIN LATERAL generate_series(1 + ahead.gap * 3 / 4, 10 + ahead.gap * 4 / 3) AS s (place)
            OFFSET 0) AS w
     CROSS JOIN LATERAL (
            SELECT e.business_day_count, e.gone_business_day_count, e.expected_share
              FROM goal_elapsed(goal_past_window.first_day, goal_past_window.last_day) e) AS now_gone
     CROSS JOIN LATERAL (
            -- as large a share of its own business days
            SELECT round(count(*) * now_gone.gone_business_day_count::numeric / CASE WHEN now_gone.business_day_count > 0 THEN now_gone.business_day_count END)::integer AS business_days
              FROM calendar c
             WHERE c.region = ''
               AND c.is_business_day
               AND c.on_date BETWEEN w.first_day AND w.last_day) AS then_gone
     WHERE w.first_day >= (SELECT r.first_day FROM report_range r)
       AND w.last_day <= sales_perf.as_of()
     ORDER BY w.place
     LIMIT 8;
END;

COMMENT ON FUNCTION goal_past_window(date, date) IS 'The windows (goal_window_start) that a goal from first_day to last_day is compared with, the latest first: up to eight that are over and that the mart''s data cover. cut_day: the day on which as large a share of the window''s business days was gone as is now; NULL unless as_of() lies within the goal''s days and before the last.';

-- ---------------------------------------------------------------- what is measured

-- One pass over the deals closed in all windows. They are cut into pieces where a window begins or its cut
-- lies, and where a rep changed teams, so that within a piece each rep is of one team; a window is the sum
-- of its pieces. width_bucket() finds a deal's piece by halving.
CREATE FUNCTION goal_closed_piece(piece_starts date[], last_day date, with_lost boolean, split_deal_ids text[])
    RETURNS TABLE (rep_id text, piece_start date, split_deal_id text, won bigint, lost bigint, priced bigint, cycles bigint, cycle_days numeric,
                   won_amount numeric, lost_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT d.rep_id,
           piece_starts[d.piece],
           d.split_deal_id,
           d.won,
           d.lost,
           d.priced,
           d.cycles,
           d.cycle_days,
           d.won_amount,
           d.lost_amount
      FROM (SELECT a.rep_id,
                   width_bucket(a.closed_on, piece_starts) AS piece,
                   -- a long list that the planner knows is looked up by hash
                   CASE WHEN a.deal_id = ANY (split_deal_ids) THEN a.deal_id END AS split_deal_id,
                   count(*) FILTER (WHERE a.outcome = 'won') AS won,
                   count(*) FILTER (WHERE a.outcome = 'lost') AS lost,
                   count(a.reporting_amount) FILTER (WHERE a.outcome = 'won') AS priced,
                   count(*) FILTER (WHERE with_lost AND a.outcome = 'won' AND a.opened_on > '-infinity' AND a.closed_on >= a.opened_on) AS cycles,
                   sum(a.closed_on - a.opened_on) FILTER (WHERE with_lost AND a.outcome = 'won' AND a.opened_on > '-infinity' AND a.closed_on >= a.opened_on) AS cycle_days,
                   sum(a.reporting_amount) FILTER (WHERE a.outcome = 'won') AS won_amount,
                   sum(a.reporting_amount) FILTER (WHERE with_lost AND a.outcome = 'lost') AS lost_amount
              FROM deal_as_of a
             WHERE NOT a.is_open
               AND (with_lost OR a.outcome = 'won')
               AND a.closed_on BETWEEN piece_starts[1] AND goal_closed_piece.last_day
             GROUP BY 1, 2, 3) AS d;
END;

COMMENT ON FUNCTION goal_closed_piece(date[], date, boolean, text[]) IS 'Behind goal_measured(): sums over the deals closed, by owner and piece of time; the last piece ends with last_day. Lost deals and cycles only if asked for; each of split_deal_ids in a row of its own.';

-- The same from cells where rollups are maintained: of whole months, and of days in months that a window cuts.
CREATE FUNCTION goal_cell_piece(from_day date, last_day date, with_lost boolean, cut_months date[])
    RETURNS TABLE (rep_id text, piece_start date, won bigint, lost bigint, priced bigint, cycles bigint, cycle_days numeric,
                   won_amount numeric, lost_amount numeric, credit_amount numeric, credits bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH cut_month AS (
        SELECT greatest(min(k.on_date), from_day) AS first_day,
               least(max(k.on_date), goal_cell_piece.last_day) AS last_day
          FROM calendar k
         WHERE k.region = ''
           AND k.fiscal_period_start = ANY (cut_months)
         GROUP BY k.fiscal_period_start
    ),
    cell AS (
        SELECT c.rep_id, c.closed_on, c.summary
          FROM closed_month_cell c
          JOIN calendar k ON k.region = '' AND k.on_date = c.closed_on
         WHERE c.closed_on BETWEEN from_day AND goal_cell_piece.last_day
           AND k.fiscal_period_start <> ALL (cut_months)
        UNION ALL
        SELECT c.rep_id, c.closed_on, c.summary
          FROM cut_month m
         CROSS JOIN LATERAL (
                SELECT e.rep_id, e.closed_on, e.summary
                  FROM closed_cell e
                 WHERE e.closed_on BETWEEN m.first_day AND m.last_day
                -- month by month, by the index
                OFFSET 0) AS c
    ),
    split AS (
        SELECT c.rep_id, c.closed_on, c.deal_count, c.amount
          FROM split_month_cell c
          JOIN calendar k ON k.region = '' AND k.on_date = c.closed_on
         WHERE c.closed_on BETWEEN from_day AND goal_cell_piece.last_day
           AND NOT c.is_overlay
           AND k.fiscal_period_start <> ALL (cut_months)
        UNION ALL
        SELECT c.rep_id, c.closed_on, c.deal_count, c.amount
          FROM cut_month m
         CROSS JOIN LATERAL (
                SELECT e.rep_id, e.closed_on, e.deal_count, e.amount
                  FROM split_cell e
                 WHERE e.closed_on BETWEEN m.first_day AND m.last_day
                   AND NOT e.is_overlay
                OFFSET 0) AS c
    ),
    summed AS (
        SELECT rep_id, closed_on, sales_perf.rollup(summary) AS summary
          FROM cell
         GROUP BY rep_id, closed_on
    )
    SELECT s.rep_id,
           s.closed_on,
           sales_perf.won_count(s.summary),
           sales_perf.lost_count(s.summary),
           sales_perf.won_count(s.summary) - sales_perf.unpriced_count(s.summary),
           sales_perf.cycle_count(s.summary),
           round(sales_perf.cycle_average(s.summary)::numeric * sales_perf.cycle_count(s.summary)),
           sales_perf.bookings_amount(s.summary),
           sales_perf.lost_amount(s.summary),
           sales_perf.bookings_amount(s.summary),
           sales_perf.won_count(s.summary)
      FROM summed s
     WHERE with_lost
        OR sales_perf.won_count(s.summary) > 0
    UNION ALL
    SELECT rep_id, closed_on, 0, 0, 0, 0, NULL, 0, 0, sum(amount), sum(deal_count)::bigint
      FROM split
     GROUP BY rep_id, closed_on;
END;

COMMENT ON FUNCTION goal_cell_piece(date, date, boolean, date[]) IS 'Behind goal_measured(): what goal_closed_piece() and the splits come to, by rep and a day from which on a whole month (or only that day, in cut_months) lies within each window and one team of the rep.';

CREATE FUNCTION goal_measured(first_day date, last_day date)
    RETURNS TABLE (place integer, is_cut boolean, level text, entity_id text, kpi_code text,
                   numerator numeric, denominator numeric, sample_count bigint, value numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    -- What was not asked for is taken out when a query is planned, so it is planned with what is asked for.
    -- Reps times pieces are few groups, but are taken for many: hundreds of thousands of deals would be sorted.
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    closed_codes constant text[] := ARRAY['won_count', 'lost_count', 'closed_count', 'win_rate', 'lost_amount', 'average_deal_amount', 'cycle_average_days'];
    sale_codes   constant text[] := ARRAY['sales_amount', 'sale_count'];
    codes        text[];
    other_codes  text[];
    split_ids    text[];
    levels       text[];
    -- the windows: the goals' own days so far (place 0), past windows, and these up to the cut
    places       integer[];
    cuts         boolean[];
    first_days   date[];
    last_days    date[];
    piece_starts date[];
    piece_end    date;
    -- where rollups can be read: the months that a window begins or ends in the midst of; else NULL
    cut_months   date[];
BEGIN
    SELECT array_agg(DISTINCT g.kpi_code), array_agg(DISTINCT g.level)
      INTO codes, levels
      FROM goal g
     WHERE g.first_day = goal_measured.first_day
       AND g.last_day = goal_measured.last_day;

    SELECT array_agg(w.place), array_agg(w.is_cut), array_agg(w.first_day), array_agg(w.last_day), max(w.last_day)
      INTO places, cuts, first_days, last_days, piece_end
      FROM (SELECT 0 AS place, false AS is_cut, goal_measured.first_day AS first_day, least(goal_measured.last_day, sales_perf.as_of()) AS last_day
             WHERE goal_measured.first_day <= sales_perf.as_of()
            UNION ALL
            SELECT p.place, c.is_cut, p.first_day, CASE WHEN c.is_cut THEN p.cut_day ELSE p.last_day END
              FROM goal_past_window(goal_measured.first_day, goal_measured.last_day) p
             CROSS JOIN (VALUES (false), (true)) AS c (is_cut)
             WHERE NOT c.is_cut
                -- bookings have a forecast (see goal_measure), which needs no cut
                OR p.cut_day IS NOT NULL AND (codes <> ARRAY['bookings_amount'] OR goal_measured.last_day > sales_perf.as_of() + 1096)) AS w;
    IF places IS NULL THEN
        RETURN;
    END IF;

    -- where pieces begin
    SELECT array_agg(DISTINCT b.on_date ORDER BY b.on_date)
      INTO piece_starts
      FROM (SELECT w.first_day AS on_date
              FROM unnest(first_days) AS w (first_day)
            UNION ALL
            SELECT w.last_day + 1
              FROM unnest(last_days) AS w (last_day)
            UNION ALL
            SELECT t.valid_from
              FROM rep_team t
            UNION ALL
            SELECT t.valid_to + 1
              FROM rep_team t
             WHERE t.valid_to < 'infinity') AS b
     WHERE b.on_date BETWEEN (SELECT min(w.first_day) FROM unnest(first_days) AS w (first_day)) AND piece_end;

    IF codes && (closed_codes || 'bookings_amount'::text) THEN
        IF rollup_grain() = 'month' THEN
            SELECT coalesce(array_agg(DISTINCT k.fiscal_period_start) FILTER (WHERE k.fiscal_period_start <> b.on_date), '{}')
              INTO cut_months
              FROM (SELECT w.day AS on_date
                      FROM unnest(first_days) AS w (day)
                    UNION
                    SELECT w.day + 1
                      FROM unnest(last_days) AS w (day)) AS b
              LEFT JOIN calendar k ON k.region = '' AND k.on_date = b.on_date
            -- all of them within calendar
            HAVING count(*) = count(k.on_date);
        END IF;
        split_ids := ARRAY(SELECT c.deal_id FROM deal_credit c WHERE cut_months IS NULL AND 'bookings_amount' = ANY (codes) AND NOT c.is_overlay GROUP BY c.deal_id);
        RETURN QUERY
        WITH piece AS MATERIALIZED (
            SELECT *
              FROM goal_closed_piece(piece_starts, piece_end, codes && closed_codes, split_ids)
             WHERE cut_months IS NULL
        ),
        -- A split deal is given away by its owner, and credited to others with their shares.
        part AS MATERIALIZED (
            SELECT e.rep_id,
                   e.piece_start,
                   sum(e.won) AS won,
                   sum(e.lost) AS lost,
                   sum(e.priced) AS priced,
                   sum(e.cycles) AS cycles,
                   sum(e.cycle_days) AS cycle_days,
                   sum(e.won_amount) AS won_amount,
                   sum(e.lost_amount) AS lost_amount,
                   sum(e.credit_amount) AS credit_amount,
                   sum(e.credits) AS credits
              FROM (SELECT p.rep_id, p.piece_start, p.won, p.lost, p.priced, p.cycles, p.cycle_days, p.won_amount, p.lost_amount,
                           CASE WHEN p.split_deal_id IS NULL THEN p.won_amount END AS credit_amount,
                           CASE WHEN p.split_deal_id IS NULL THEN p.won ELSE 0 END AS credits
                      FROM piece p
                    UNION ALL
                    SELECT c.rep_id, p.piece_start, 0, 0, 0, 0, NULL, 0, 0, p.won_amount * c.share, 1
                      FROM piece p
                      JOIN deal_credit c ON c.deal_id = p.split_deal_id AND NOT c.is_overlay
                     WHERE p.won > 0
                    UNION ALL
                    SELECT c.*
                      FROM goal_cell_piece(piece_starts[1], piece_end, codes && closed_codes, cut_months) c
                     WHERE cut_months IS NOT NULL) AS e
             GROUP BY e.rep_id, e.piece_start
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
        RETURN QUERY
        WITH part AS MATERIALIZED (
            SELECT p.rep_id,
                   piece_starts[width_bucket(p.sold_on, piece_starts)] AS piece_start,
                   sum(p.reporting_amount) AS amount,
                   count(*) AS sales
              FROM purchase p
             WHERE p.sold_on BETWEEN piece_starts[1] AND piece_end
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
     WHERE c.code <> ALL (closed_codes || sale_codes || 'bookings_amount'::text);
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

COMMENT ON FUNCTION goal_measured(date, date) IS 'Behind goal_measure(): the KPIs of the goals of exactly these days, for all entities of their levels: in these days so far (place 0), in the past windows (place as in goal_past_window) and in these up to the cut (is_cut). An entity of which there is nothing has no row.';

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
CREATE FUNCTION goal_measure(first_day date, last_day date)
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
                                  AND g.kpi_code = 'bookings_amount');

    RETURN QUERY
    WITH measured AS MATERIALIZED (
        SELECT *
          FROM goal_measured(goal_measure.first_day, goal_measure.last_day)
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
          FROM (SELECT coalesce(array_agg(d.clock_item_no), '{}') AS clock_nos,
                       coalesce(array_agg(coalesce(d.age_days, -1)), '{}') AS ages,
                       coalesce(array_agg(d.rep_no), '{}') AS rep_nos,
                       coalesce(array_agg(d.owner_no), '{}') AS owner_nos,
                       coalesce(array_agg(d.segment_item_no), '{}') AS segment_nos,
                       coalesce(array_agg(coalesce(d.amount, 'NaN')::double precision), '{}') AS amounts,
                       coalesce(array_agg(d.is_counted::integer), '{}') AS counted
                  FROM forecast_deal() AS d
                 WHERE has_outlook) AS d
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

COMMENT ON FUNCTION goal_measure(date, date) IS 'Behind goal_progress: the figures of all goals of exactly these days, read in one go.';

SET LOCAL search_path = sales_perf, pg_temp;
