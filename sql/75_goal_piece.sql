-- What goals are measured from: the days they look at, and what closed there.
--
-- A goal is measured in its own days so far and compared with up to eight windows of days before them, whole
-- and up to where it stands now. All windows of all goals together are cut into pieces where one of them begins
-- or ends, and where a rep changed teams, so that within a piece each rep is of one team and a window is the
-- sum of its pieces. So whatever goals there are, closed deals are read in one pass.
--
-- Who wants to know no more than how some goals stand gives their ids (goal_ids): then no more is read than that takes.

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

-- Bookings have a forecast (see goal_measure): that needs no cut, and how a goal on them stands no past at all.
CREATE FUNCTION goal_window(first_day date, last_day date, goal_ids text[])
    RETURNS TABLE (place integer, is_cut boolean, first_day date, last_day date)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 0,
           false,
           goal_window.first_day,
           least(goal_window.last_day, sales_perf.as_of())
     WHERE goal_window.first_day <= sales_perf.as_of()
    UNION ALL
    SELECT p.place,
           c.is_cut,
           p.first_day,
           CASE WHEN c.is_cut THEN p.cut_day ELSE p.last_day END
      FROM (SELECT goal_window.first_day > sales_perf.as_of()
                   OR goal_window.last_day > sales_perf.as_of() + 1096
                   OR EXISTS (SELECT
                                FROM goal g
                               WHERE g.first_day = goal_window.first_day
                                 AND g.last_day = goal_window.last_day
                                 AND g.kpi_code <> 'bookings_amount'
                                 AND (goal_ids IS NULL OR g.goal_id = ANY (goal_ids))) AS yes
            OFFSET 0) AS is_replayed
     CROSS JOIN LATERAL goal_past_window(goal_window.first_day, goal_window.last_day) p
     CROSS JOIN (VALUES (false), (true)) AS c (is_cut)
     WHERE CASE WHEN c.is_cut THEN p.cut_day IS NOT NULL AND is_replayed.yes ELSE is_replayed.yes OR goal_ids IS NULL END;
END;

COMMENT ON FUNCTION goal_window(date, date, text[]) IS 'The days that goals from first_day to last_day are measured in: their own so far (place 0), the past windows (place as in goal_past_window) and these up to the cut (is_cut). The same windows serve all goals of these days. goal_ids: only what these goals take to tell how they stand.';

-- ---------------------------------------------------------------- what closed

CREATE FUNCTION goal_closed_code() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['won_count', 'lost_count', 'closed_count', 'win_rate', 'lost_amount', 'average_deal_amount', 'cycle_average_days', 'bookings_amount'];

COMMENT ON FUNCTION goal_closed_code() IS 'The KPIs that goal_piece is enough for.';

CREATE FUNCTION goal_piece_starts(cuts date[], with_teams boolean)
    RETURNS date[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(DISTINCT c.on_date ORDER BY c.on_date)
      FROM (SELECT d.on_date
              FROM unnest(cuts) AS d (on_date)
            UNION ALL
            SELECT d.on_date
              FROM rep_team t
             CROSS JOIN LATERAL (VALUES (t.valid_from), (t.valid_to + 1)) AS d (on_date)
             WHERE with_teams) AS c
     WHERE c.on_date BETWEEN (SELECT min(d.on_date) FROM unnest(cuts) AS d (on_date)) AND (SELECT max(d.on_date) FROM unnest(cuts) AS d (on_date));
END;

COMMENT ON FUNCTION goal_piece_starts(date[], boolean) IS 'The first days of pieces of time: days on which windows begin, or have ended the day before (cuts), and between them, if asked for, those on which reps changed teams. The last one is the day after the last piece.';

-- Split deals are few, so they are listed: their owners are credited with what the others bring, and others with
-- their shares. A long list of names that the planner knows is looked up by hash.
CREATE FUNCTION goal_closed_piece(piece_starts date[], with_lost boolean, split_deal_ids text[], with_changes boolean)
    RETURNS TABLE (rep_id text, piece_start date, won bigint, lost bigint, priced bigint, cycles bigint, cycle_days numeric,
                   won_amount numeric, lost_amount numeric, credit_amount numeric, credits bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH of_rep AS MATERIALIZED (
        SELECT c.rep_id,
               sales_perf.closing_agg(c.closed_on, c.outcome, c.reporting_amount, c.opened_on, 'month', piece_starts) AS closings,
               sales_perf.won_deal_list(ROW(c.deal_id, c.opened_on, c.closed_on, c.reporting_amount)::sales_perf.won_deal)
                   FILTER (WHERE c.outcome = 'won' AND c.deal_id = ANY (split_deal_ids)) AS splits
          FROM closed_deal_of(with_changes) c
         WHERE (with_lost OR c.outcome = 'won')
           AND c.closed_on >= piece_starts[1]
           AND c.closed_on < piece_starts[cardinality(piece_starts)]
         GROUP BY c.rep_id
    )
    SELECT o.rep_id,
           v.period_start,
           v.won_count,
           v.lost_count,
           v.won_count - v.unpriced_count,
           v.cycle_count,
           v.cycle_days,
           v.bookings_amount,
           v.lost_amount,
           0,
           0
      FROM of_rep o
     CROSS JOIN LATERAL sales_perf.closing_values(o.closings, piece_starts) v
    UNION ALL
    SELECT o.rep_id,
           v.period_start,
           0, 0, 0, 0, 0, 0, 0,
           v.bookings_amount,
           v.won_count
      FROM of_rep o
     CROSS JOIN LATERAL (
            SELECT sales_perf.closing_agg(s.closed_on, 'won', s.amount, s.opened_on, 'month', piece_starts) AS closings
              FROM unnest(o.splits) s) AS split
     CROSS JOIN LATERAL sales_perf.closing_values(o.closings OPERATOR(sales_perf.-) split.closings, piece_starts) v
    UNION ALL
    SELECT c.rep_id,
           piece_starts[width_bucket(s.closed_on, piece_starts)],
           0, 0, 0, 0, 0, 0, 0,
           s.amount * c.share,
           1
      FROM of_rep o
     CROSS JOIN LATERAL unnest(o.splits) s
      -- OFFSET: put into a hash table, not looked up one by one
      JOIN (SELECT c.deal_id, c.rep_id, c.share FROM deal_credit c WHERE NOT c.is_overlay OFFSET 0) AS c ON c.deal_id = s.deal_id;
END;

COMMENT ON FUNCTION goal_closed_piece(date[], boolean, text[], boolean) IS 'Behind goal_piece: what the deals closed come to, by rep and piece of time, in several rows. piece_starts: of goal_piece_starts(). Lost deals only if asked for. split_deal_ids: those of which others than the owner have credit. with_changes: is_changed_later().';

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
    SELECT rep_id, closed_on, 0, 0, 0, 0, 0, 0, 0, sum(amount), sum(deal_count)::bigint
      FROM split
     GROUP BY rep_id, closed_on;
END;

COMMENT ON FUNCTION goal_cell_piece(date, date, boolean, date[]) IS 'Behind goal_piece: what goal_closed_piece() comes to, by rep and a day from which on a whole month (or only that day, in cut_months) lies within each window and one team of the rep.';

CREATE FUNCTION goal_pieces(goal_ids text[])
    RETURNS TABLE (rep_id text, piece_start date, won bigint, lost bigint, priced bigint, cycles bigint, cycle_days numeric,
                   won_amount numeric, lost_amount numeric, credit_amount numeric, credits bigint)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    -- What was not asked for is taken out when a query is planned, so it is planned with what is asked for.
    -- Reps are few groups, but may be taken for many: hundreds of thousands of deals would be sorted.
    -- (What is sorted all the same looks so dear then that it would be compiled.)
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_sort = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    with_lost    boolean;
    with_credit  boolean;
    with_teams   boolean;
    first_day    date;
    last_day     date;
    window_cuts  date[];
    -- where rollups can be read: the months that a window begins or ends in the midst of; else NULL
    cut_months   date[];
    piece_starts date[];
    split_ids    text[];
    with_changes boolean;
BEGIN
    SELECT bool_or(g.kpi_code <> 'bookings_amount'),
           bool_or(g.kpi_code = 'bookings_amount'),
           bool_or(g.level = 'team')
      INTO with_lost, with_credit, with_teams
      FROM goal g
     WHERE g.kpi_code = ANY (goal_closed_code())
       AND (goal_ids IS NULL OR g.goal_id = ANY (goal_ids));

    SELECT min(w.first_day), max(w.last_day), array_agg(DISTINCT c.on_date ORDER BY c.on_date)
      INTO first_day, last_day, window_cuts
      FROM (SELECT DISTINCT g.first_day, g.last_day
              FROM goal g
             WHERE g.kpi_code = ANY (goal_closed_code())
               AND (goal_ids IS NULL OR g.goal_id = ANY (goal_ids))) AS g
     CROSS JOIN LATERAL goal_window(g.first_day, g.last_day, goal_ids) AS w
     CROSS JOIN LATERAL (VALUES (w.first_day), (w.last_day + 1)) AS c (on_date);
    IF first_day IS NULL THEN
        RETURN;
    END IF;

    IF rollup_grain() = 'month' THEN
        SELECT coalesce(array_agg(DISTINCT k.fiscal_period_start) FILTER (WHERE k.fiscal_period_start <> c.on_date), '{}')
          INTO cut_months
          FROM unnest(window_cuts) AS c (on_date)
          LEFT JOIN calendar k ON k.region = '' AND k.on_date = c.on_date
        -- all of them within calendar
        HAVING count(*) = count(k.on_date);
    END IF;
    IF cut_months IS NOT NULL THEN
        RETURN QUERY
        SELECT * FROM goal_cell_piece(first_day, last_day, with_lost, cut_months);
        RETURN;
    END IF;

    -- in variables, for the planner is to know them
    piece_starts := goal_piece_starts(window_cuts, with_teams);
    split_ids := ARRAY(SELECT DISTINCT c.deal_id FROM deal_credit c WHERE with_credit AND NOT c.is_overlay);
    with_changes := is_changed_later();
    RETURN QUERY
    SELECT p.rep_id,
           p.piece_start,
           sum(p.won)::bigint,
           sum(p.lost)::bigint,
           sum(p.priced)::bigint,
           sum(p.cycles)::bigint,
           sum(p.cycle_days),
           sum(p.won_amount),
           sum(p.lost_amount),
           sum(p.credit_amount),
           sum(p.credits)::bigint
      FROM goal_closed_piece(piece_starts, with_lost, split_ids, with_changes) AS p
     GROUP BY p.rep_id, p.piece_start;
END
$$;

COMMENT ON FUNCTION goal_pieces(text[]) IS 'The rows of goal_piece; with goal_ids only what these goals take to tell how they stand.';

CREATE VIEW goal_piece WITH (security_invoker = true) AS
SELECT rep_id,
       piece_start,
       won,
       lost,
       priced,
       cycles,
       cycle_days,
       won_amount,
       lost_amount,
       credit_amount,
       credits
  FROM goal_pieces(NULL);

COMMENT ON VIEW goal_piece IS 'Behind goal_progress: deals closed in the days that goals look at (goal_window), by rep and piece of time; only what there is a goal for.';
COMMENT ON COLUMN goal_piece.rep_id IS 'The owner of the deals, and who is credited with credit_amount; NULL: nobody.';
COMMENT ON COLUMN goal_piece.piece_start IS 'A day of the piece. It belongs to a window if this day does.';
COMMENT ON COLUMN goal_piece.won IS 'Deals won. Count; C.';
COMMENT ON COLUMN goal_piece.lost IS 'Deals lost. Count; C.';
COMMENT ON COLUMN goal_piece.priced IS 'Deals won with an amount. Count; C.';
COMMENT ON COLUMN goal_piece.cycles IS 'Deals won whose days from opening to closing are known. Count; C.';
COMMENT ON COLUMN goal_piece.cycle_days IS 'Those days. Days; C.';
COMMENT ON COLUMN goal_piece.won_amount IS 'What the deals won bring. Amount; C.';
COMMENT ON COLUMN goal_piece.lost_amount IS 'What the deals lost would have brought. Amount; C.';
COMMENT ON COLUMN goal_piece.credit_amount IS 'What of deals won is credited to the rep, his own or others''. Amount; C.';
COMMENT ON COLUMN goal_piece.credits IS 'Of so many deals. Count; C.';

SET LOCAL search_path = sales_perf, pg_temp;
