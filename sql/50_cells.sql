-- Cells: dimensions x summary, one view for each way of counting. Reports fold them with rollup()
-- and read KPIs off the sum, so that a figure is defined once and holds at every level. They hold
-- what deal_as_of shows and never look at the clock themselves: ages and rates are applied on
-- reading; so are the exchange rates of open deals, while those of closed ones are of their day of
-- closing and never change.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- read from the deals

CREATE VIEW closed_live_cell WITH (security_invoker = true) AS
SELECT closed_on,
       currency,
       pipeline_id,
       rep_id,
       sales_perf.deal_agg(reporting_amount, outcome, opened_on, closed_on) AS summary,
       count(*) FILTER (WHERE currency IS NOT NULL AND amount IS NOT NULL AND reporting_amount IS NULL) AS unconverted_count
  FROM deal_core_as_of
 WHERE NOT is_open
 GROUP BY closed_on, currency, pipeline_id, rep_id;

COMMENT ON VIEW closed_live_cell IS 'Read from the deals: won and lost deals by the day they closed, in the mart''s reporting currency. Attribution C.';
COMMENT ON COLUMN closed_live_cell.closed_on IS 'Day of closing; NULL: closed without a day.';
COMMENT ON COLUMN closed_live_cell.currency IS 'Currency in which the deals were made; NULL: the mart''s reporting currency. The summary is in the reporting currency.';
COMMENT ON COLUMN closed_live_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN closed_live_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN closed_live_cell.summary IS 'deal_summary of the cell''s deals: amounts in the reporting currency at the rate of closed_on; deals without a rate have no amount.';
COMMENT ON COLUMN closed_live_cell.unconverted_count IS 'Deals of the cell whose amount has no rate into the reporting currency. Count.';

CREATE VIEW opened_live_cell WITH (security_invoker = true) AS
SELECT opened_on,
       is_open,
       currency,
       pipeline_id,
       rep_id,
       sales_perf.deal_agg(CASE WHEN is_open THEN amount ELSE reporting_amount END, outcome, opened_on, closed_on) AS summary,
       count(*) FILTER (WHERE NOT is_as_recorded) AS unrecorded_count,
       sum(amount) FILTER (WHERE is_open) AS open_amount
  FROM deal_core_as_of
 GROUP BY opened_on, is_open, currency, pipeline_id, rep_id;

COMMENT ON VIEW opened_live_cell IS 'Read from the deals: all deals, whatever became of them, by the day they were opened: cohorts, Kaplan-Meier. Attribution R.';
COMMENT ON COLUMN opened_live_cell.opened_on IS 'Day of opening; NULL: not known.';
COMMENT ON COLUMN opened_live_cell.is_open IS 'True for cells of open deals: the whole pipeline, where its stages do not matter.';
COMMENT ON COLUMN opened_live_cell.currency IS 'Currency in which the deals were made; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN opened_live_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN opened_live_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN opened_live_cell.summary IS 'deal_summary of the cell''s deals: amounts of closed ones in the reporting currency at the rate of their day of closing, those of open ones in currency.';
COMMENT ON COLUMN opened_live_cell.unrecorded_count IS 'Deals of the cell whose history was not recorded by then (see deal_as_of). Count.';
COMMENT ON COLUMN opened_live_cell.open_amount IS 'Sum of the amounts of the cell''s open deals, in currency: converted on reading, at the rate of as_of(). Amount; NULL where there are none.';

-- ---------------------------------------------------------------- read from rollups, where they are maintained

-- Rows of a cell are differences, and to be added up, as all reports do. No condition on days is needed but
-- from when and until when they count: what lies ahead counts from its day on.
CREATE VIEW rollup_row WITH (security_invoker = true) AS
SELECT grain, cell, on_date, is_open, currency, pipeline_id, rep_id, recorded_at, deal_count, unconverted_count, amount, summary
  FROM rollup_cell
 WHERE (counts_from IS NULL OR counts_from <= sales_perf.as_of())
   AND (counts_until IS NULL OR counts_until > sales_perf.as_of())
UNION ALL
SELECT g.grain, d.cell, d.on_date, d.is_open, d.currency, d.pipeline_id, d.rep_id, d.recorded_at, d.deal_count, d.unconverted_count, d.amount, d.summary
  FROM rollup_delta d
 CROSS JOIN (VALUES ('day'::text), ('month')) AS g (grain)
 WHERE (d.counts_from IS NULL OR d.counts_from <= sales_perf.as_of())
   AND (d.counts_until IS NULL OR d.counts_until > sales_perf.as_of());

COMMENT ON VIEW rollup_row IS 'What rollups hold as of as_of(), folded or not; where they do not serve (rollup_grain()) it is not to be read.';
COMMENT ON COLUMN rollup_row.grain IS 'day or month: filter one.';
COMMENT ON COLUMN rollup_row.cell IS 'closed, opened or split.';
COMMENT ON COLUMN rollup_row.on_date IS 'Day of the cell, or for grain month a day from which on all its deals lie within one month and one team of the rep.';
COMMENT ON COLUMN rollup_row.is_open IS 'True for open deals (opened), and for overlays (split).';
COMMENT ON COLUMN rollup_row.currency IS 'Currency of the deals.';
COMMENT ON COLUMN rollup_row.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN rollup_row.rep_id IS 'The rep; NULL: nobody.';
COMMENT ON COLUMN rollup_row.recorded_at IS 'Since when their history is recorded, where that was in the future; else NULL.';
COMMENT ON COLUMN rollup_row.deal_count IS 'Deals, or the difference. Count.';
COMMENT ON COLUMN rollup_row.unconverted_count IS 'Closed deals without an exchange rate, or the difference. Count.';
COMMENT ON COLUMN rollup_row.amount IS 'See rollup_cell.';
COMMENT ON COLUMN rollup_row.summary IS 'See rollup_cell.';

-- ---------------------------------------------------------------- what reports read

-- From the deals where rollups are not expected to serve, else from rollups: rollup_is_expected() is known when a query is
-- planned, and the planner drops what it says no to. Most of the time of a report from rollups is that of planning, so whatever such a
-- report does not need is kept from the planner. The cells of deals stand in functions, which are written into the query by the
-- planner alone, and each in a union with nothing, for what is in a union is not looked into where the union as a whole is dropped.
-- What is not folded yet, and the deals where rollups were expected and do not serve after all, come from functions that know of no
-- filter: of either there is hardly ever any.

CREATE FUNCTION closed_live()
    RETURNS TABLE (closed_on date, currency text, pipeline_id text, rep_id text, summary sales_perf.deal_summary, unconverted_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.closed_on,
           c.currency,
           c.pipeline_id,
           c.rep_id,
           c.summary,
           c.unconverted_count
      FROM closed_live_cell c;
END;

COMMENT ON FUNCTION closed_live() IS 'The rows of closed_live_cell, written into the query that asks for them.';

CREATE FUNCTION closed_unfolded_cell()
    RETURNS TABLE (closed_on date, currency text, pipeline_id text, rep_id text, summary sales_perf.deal_summary, unconverted_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF rollup_grain() IS NULL THEN
        RETURN QUERY TABLE closed_live_cell;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT d.on_date,
               d.currency,
               d.pipeline_id,
               d.rep_id,
               d.summary,
               d.unconverted_count
          FROM rollup_delta d
         WHERE d.cell = 'closed'
           AND (d.counts_from IS NULL OR d.counts_from <= sales_perf.as_of())
           AND (d.counts_until IS NULL OR d.counts_until > sales_perf.as_of());
END
$$;

COMMENT ON FUNCTION closed_unfolded_cell() IS 'Of closed_live_cell what the rows of rollup_cell that serve do not hold: what is not folded yet, or all, where none do.';

CREATE FUNCTION opened_live()
    RETURNS TABLE (opened_on date, is_open boolean, currency text, pipeline_id text, rep_id text, summary sales_perf.deal_summary, unrecorded_count bigint, open_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.opened_on,
           c.is_open,
           c.currency,
           c.pipeline_id,
           c.rep_id,
           c.summary,
           c.unrecorded_count,
           c.open_amount
      FROM opened_live_cell c;
END;

COMMENT ON FUNCTION opened_live() IS 'The rows of opened_live_cell, written into the query that asks for them.';

CREATE FUNCTION opened_unfolded_cell()
    RETURNS TABLE (opened_on date, is_open boolean, currency text, pipeline_id text, rep_id text, summary sales_perf.deal_summary, unrecorded_count bigint, open_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF rollup_grain() IS NULL THEN
        RETURN QUERY TABLE opened_live_cell;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT d.on_date,
               d.is_open,
               d.currency,
               d.pipeline_id,
               d.rep_id,
               d.summary,
               CASE WHEN d.recorded_at >= (sales_perf.as_of() + 1)::timestamptz THEN d.deal_count ELSE 0 END,
               CASE WHEN d.is_open THEN d.amount END
          FROM rollup_delta d
         WHERE d.cell = 'opened'
           AND (d.counts_from IS NULL OR d.counts_from <= sales_perf.as_of())
           AND (d.counts_until IS NULL OR d.counts_until > sales_perf.as_of());
END
$$;

COMMENT ON FUNCTION opened_unfolded_cell() IS 'Of opened_live_cell what the rows of rollup_cell that serve do not hold: what is not folded yet, or all, where none do.';

CREATE VIEW closed_cell WITH (security_invoker = true) AS
SELECT closed_on,
       currency,
       pipeline_id,
       rep_id,
       summary,
       unconverted_count
  FROM (SELECT false AS is_of_rollup,
               closed_on,
               currency,
               pipeline_id,
               rep_id,
               summary,
               unconverted_count
          FROM (SELECT * FROM closed_live() WHERE true
                UNION ALL
                SELECT * FROM closed_unfolded_cell() WHERE false) AS live
        UNION ALL
        SELECT true,
               closed_on,
               currency,
               pipeline_id,
               rep_id,
               summary,
               unconverted_count
          FROM closed_unfolded_cell()
        UNION ALL
        SELECT true,
               on_date,
               currency,
               pipeline_id,
               rep_id,
               summary,
               unconverted_count
          FROM rollup_cell
         WHERE cell = 'closed'
           AND grain = 'day'
           AND (SELECT rollup_grain()) IS NOT NULL
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW closed_cell IS 'Won and lost deals by the day they closed, in the mart''s reporting currency. Attribution C.';
COMMENT ON COLUMN closed_cell.closed_on IS 'Day of closing; NULL: closed without a day.';
COMMENT ON COLUMN closed_cell.currency IS 'Currency in which the deals were made; NULL: the mart''s reporting currency. The summary is in the reporting currency.';
COMMENT ON COLUMN closed_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN closed_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN closed_cell.summary IS 'deal_summary of the cell''s deals: amounts in the reporting currency at the rate of closed_on; deals without a rate have no amount.';
COMMENT ON COLUMN closed_cell.unconverted_count IS 'Deals of the cell whose amount has no rate into the reporting currency. Count.';

-- The same for reports by whole months, quarters and years, from cells as coarse as there are.
CREATE VIEW closed_month_cell WITH (security_invoker = true) AS
SELECT closed_on,
       rep_id,
       summary,
       unconverted_count
  FROM (SELECT false AS is_of_rollup,
               closed_on,
               rep_id,
               summary,
               unconverted_count
          FROM (SELECT * FROM closed_live() WHERE true
                UNION ALL
                SELECT * FROM closed_unfolded_cell() WHERE false) AS live
        UNION ALL
        SELECT true,
               closed_on,
               rep_id,
               summary,
               unconverted_count
          FROM closed_unfolded_cell()
        UNION ALL
        SELECT true,
               on_date,
               rep_id,
               summary,
               unconverted_count
          FROM rollup_cell
         WHERE cell = 'closed'
           AND grain = (SELECT rollup_grain())
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW closed_month_cell IS 'Won and lost deals, as closed_cell has them, by a day such that ranges of whole months (of calendar) hold the right ones, and the rep is in one team from that day to the last: in the mart''s reporting currency. Attribution C.';
COMMENT ON COLUMN closed_month_cell.closed_on IS 'Day of closing, or the first of the month or of the rep''s days in a team; NULL: closed without a day.';
COMMENT ON COLUMN closed_month_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN closed_month_cell.summary IS 'deal_summary of the cell''s deals: amounts in the reporting currency at the rate of closed_on; deals without a rate have no amount.';
COMMENT ON COLUMN closed_month_cell.unconverted_count IS 'Deals of the cell whose amount has no rate into the reporting currency. Count.';

CREATE VIEW opened_cell WITH (security_invoker = true) AS
SELECT opened_on,
       is_open,
       currency,
       pipeline_id,
       rep_id,
       summary,
       unrecorded_count,
       open_amount
  FROM (SELECT false AS is_of_rollup,
               opened_on,
               is_open,
               currency,
               pipeline_id,
               rep_id,
               summary,
               unrecorded_count,
               open_amount
          FROM (SELECT * FROM opened_live() WHERE true
                UNION ALL
                SELECT * FROM opened_unfolded_cell() WHERE false) AS live
        UNION ALL
        SELECT true,
               opened_on,
               is_open,
               currency,
               pipeline_id,
               rep_id,
               summary,
               unrecorded_count,
               open_amount
          FROM opened_unfolded_cell()
        UNION ALL
        SELECT true,
               on_date,
               is_open,
               currency,
               pipeline_id,
               rep_id,
               summary,
               CASE WHEN recorded_at >= (sales_perf.as_of() + 1)::timestamptz THEN deal_count ELSE 0 END,
               CASE WHEN is_open THEN amount END
          FROM rollup_cell
         WHERE cell = 'opened'
           AND grain = 'day'
           AND (SELECT rollup_grain()) IS NOT NULL
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW opened_cell IS 'All deals, whatever became of them, by the day they were opened: cohorts, Kaplan-Meier. Attribution R.';
COMMENT ON COLUMN opened_cell.opened_on IS 'Day of opening; NULL: not known.';
COMMENT ON COLUMN opened_cell.is_open IS 'True for cells of open deals: the whole pipeline, where its stages do not matter.';
COMMENT ON COLUMN opened_cell.currency IS 'Currency in which the deals were made; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN opened_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN opened_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN opened_cell.summary IS 'deal_summary of the cell''s deals: amounts of closed ones in the reporting currency at the rate of their day of closing, those of open ones in currency.';
COMMENT ON COLUMN opened_cell.unrecorded_count IS 'Deals of the cell whose history was not recorded by then (see deal_as_of). Count.';
COMMENT ON COLUMN opened_cell.open_amount IS 'Sum of the amounts of the cell''s open deals, in currency: converted on reading, at the rate of as_of(). Amount; NULL where there are none.';

CREATE VIEW opened_month_cell WITH (security_invoker = true) AS
SELECT opened_on,
       is_open,
       currency,
       rep_id,
       summary,
       unrecorded_count,
       open_amount
  FROM (SELECT false AS is_of_rollup,
               opened_on,
               is_open,
               currency,
               rep_id,
               summary,
               unrecorded_count,
               open_amount
          FROM (SELECT * FROM opened_live() WHERE true
                UNION ALL
                SELECT * FROM opened_unfolded_cell() WHERE false) AS live
        UNION ALL
        SELECT true,
               opened_on,
               is_open,
               currency,
               rep_id,
               summary,
               unrecorded_count,
               open_amount
          FROM opened_unfolded_cell()
        UNION ALL
        SELECT true,
               on_date,
               is_open,
               currency,
               rep_id,
               summary,
               CASE WHEN recorded_at >= (sales_perf.as_of() + 1)::timestamptz THEN deal_count ELSE 0 END,
               CASE WHEN is_open THEN amount END
          FROM rollup_cell
         WHERE cell = 'opened'
           AND grain = (SELECT rollup_grain())
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW opened_month_cell IS 'All deals, as opened_cell has them, by a day such that ranges of whole months (of calendar) hold the right ones: cohorts, Kaplan-Meier. Attribution R.';
COMMENT ON COLUMN opened_month_cell.opened_on IS 'Day of opening, or the first of the month or of the rep''s days in a team; NULL: not known.';
COMMENT ON COLUMN opened_month_cell.is_open IS 'True for cells of open deals: the whole pipeline, where its stages do not matter.';
COMMENT ON COLUMN opened_month_cell.currency IS 'Currency of open deals (open_amount); NULL: the mart''s reporting currency.';
COMMENT ON COLUMN opened_month_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN opened_month_cell.summary IS 'deal_summary of the cell''s deals: amounts of closed ones in the reporting currency at the rate of their day of closing, those of open ones in currency.';
COMMENT ON COLUMN opened_month_cell.unrecorded_count IS 'Deals of the cell whose history was not recorded by then (see deal_as_of). Count.';
COMMENT ON COLUMN opened_month_cell.open_amount IS 'Sum of the amounts of the cell''s open deals, in currency: converted on reading, at the rate of as_of(). Amount; NULL where there are none.';

-- Splits move deals from the owner to those who are credited; overlays come on top. A deal is taken from its
-- owner as a whole in one of the rows.
CREATE FUNCTION split_moves(credit_rep_id text, owner_rep_id text, is_overlay boolean, amount numeric)
    RETURNS TABLE (rep_id text, is_overlay boolean, given_count bigint, taken_count bigint, amount numeric)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.rep_id, v.is_overlay, v.given_count, v.taken_count, v.amount
      FROM (VALUES (credit_rep_id, split_moves.is_overlay, 1::bigint, 0::bigint, split_moves.amount, true),
                   (owner_rep_id, false, 0, 1, - split_moves.amount, NOT split_moves.is_overlay)) AS v (rep_id, is_overlay, given_count, taken_count, amount, is_so)
     WHERE v.is_so;
END;

COMMENT ON FUNCTION split_moves(text, text, boolean, numeric) IS 'What a row of deal_credit adds to the one who is credited, and takes from the owner: the amount, and the deal (given_count, taken_count), which is taken in the first of its rows only.';

CREATE VIEW split_live_cell WITH (security_invoker = true) AS
SELECT c.closed_on,
       moved.rep_id,
       moved.is_overlay,
       -- here, not in an argument of split_moves(): who does not ask for deals does not look them up
       sum(moved.given_count - CASE WHEN c.is_first THEN moved.taken_count ELSE 0 END)::bigint AS deal_count,
       coalesce(sum(moved.amount), 0) AS amount
  FROM (SELECT s.closed_on, s.rep_id, s.owner_rep_id, s.is_overlay, s.amount,
               s.rep_id = (SELECT min(f.rep_id) FROM deal_credit f WHERE f.deal_id = s.deal_id AND NOT f.is_overlay) AS is_first
          FROM split_credit s) AS c
 CROSS JOIN LATERAL split_moves(c.rep_id, c.owner_rep_id, c.is_overlay, c.amount) AS moved
 GROUP BY c.closed_on, moved.rep_id, moved.is_overlay;

COMMENT ON VIEW split_live_cell IS 'Read from the deals: what splits add to what each rep booked as owner of deals (or take from it), by the day they were won, and overlays. Attribution C.';
COMMENT ON COLUMN split_live_cell.closed_on IS 'Day of closing; NULL: closed without a day.';
COMMENT ON COLUMN split_live_cell.rep_id IS 'The rep who is credited, or the owner; NULL: nobody owns the deal.';
COMMENT ON COLUMN split_live_cell.is_overlay IS 'True for credit on top of splits, which counts for no team and not for the company.';
COMMENT ON COLUMN split_live_cell.deal_count IS 'Deals the rep is credited with, less those taken. Count.';
COMMENT ON COLUMN split_live_cell.amount IS 'What is credited less what is taken, in the reporting currency. Amount.';

CREATE FUNCTION split_live()
    RETURNS TABLE (closed_on date, rep_id text, is_overlay boolean, deal_count bigint, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.closed_on,
           c.rep_id,
           c.is_overlay,
           c.deal_count,
           c.amount
      FROM split_live_cell c;
END;

COMMENT ON FUNCTION split_live() IS 'The rows of split_live_cell, written into the query that asks for them.';

CREATE FUNCTION split_unfolded_cell()
    RETURNS TABLE (closed_on date, rep_id text, is_overlay boolean, deal_count bigint, amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF rollup_grain() IS NULL THEN
        RETURN QUERY TABLE split_live_cell;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT d.on_date,
               d.rep_id,
               d.is_open,
               d.deal_count,
               d.amount
          FROM rollup_delta d
         WHERE d.cell = 'split'
           AND (d.counts_from IS NULL OR d.counts_from <= sales_perf.as_of())
           AND (d.counts_until IS NULL OR d.counts_until > sales_perf.as_of());
END
$$;

COMMENT ON FUNCTION split_unfolded_cell() IS 'Of split_live_cell what the rows of rollup_cell that serve do not hold: what is not folded yet, or all, where none do.';

CREATE VIEW split_cell WITH (security_invoker = true) AS
SELECT closed_on,
       rep_id,
       is_overlay,
       deal_count,
       amount
  FROM (SELECT false AS is_of_rollup,
               closed_on,
               rep_id,
               is_overlay,
               deal_count,
               amount
          FROM (SELECT * FROM split_live() WHERE true
                UNION ALL
                SELECT * FROM split_unfolded_cell() WHERE false) AS live
        UNION ALL
        SELECT true,
               closed_on,
               rep_id,
               is_overlay,
               deal_count,
               amount
          FROM split_unfolded_cell()
        UNION ALL
        SELECT true,
               on_date,
               rep_id,
               is_open,
               deal_count,
               amount
          FROM rollup_cell
         WHERE cell = 'split'
           AND grain = 'day'
           AND (SELECT rollup_grain()) IS NOT NULL
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW split_cell IS 'What splits add to what each rep booked as owner of deals, or take from it (see split_live_cell), by the day of closing. Attribution C.';
COMMENT ON COLUMN split_cell.closed_on IS 'Day of closing; NULL: closed without a day.';
COMMENT ON COLUMN split_cell.rep_id IS 'The rep who is credited, or the owner; NULL: nobody owns the deal.';
COMMENT ON COLUMN split_cell.is_overlay IS 'True for credit on top of splits, which counts for no team and not for the company.';
COMMENT ON COLUMN split_cell.deal_count IS 'Deals the rep is credited with, less those taken. Count.';
COMMENT ON COLUMN split_cell.amount IS 'What is credited less what is taken, in the reporting currency. Amount.';

CREATE VIEW split_month_cell WITH (security_invoker = true) AS
SELECT closed_on,
       rep_id,
       is_overlay,
       deal_count,
       amount
  FROM (SELECT false AS is_of_rollup,
               closed_on,
               rep_id,
               is_overlay,
               deal_count,
               amount
          FROM (SELECT * FROM split_live() WHERE true
                UNION ALL
                SELECT * FROM split_unfolded_cell() WHERE false) AS live
        UNION ALL
        SELECT true,
               closed_on,
               rep_id,
               is_overlay,
               deal_count,
               amount
          FROM split_unfolded_cell()
        UNION ALL
        SELECT true,
               on_date,
               rep_id,
               is_open,
               deal_count,
               amount
          FROM rollup_cell
         WHERE cell = 'split'
           AND grain = (SELECT rollup_grain())
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW split_month_cell IS 'What splits add to what each rep booked as owner of deals, or take from it; by a day as that of closed_month_cell. Attribution C.';
COMMENT ON COLUMN split_month_cell.closed_on IS 'Day of closing, or the first of the month or of the rep''s days in a team; NULL: closed without a day.';
COMMENT ON COLUMN split_month_cell.rep_id IS 'The rep who is credited, or the owner; NULL: nobody owns the deal.';
COMMENT ON COLUMN split_month_cell.is_overlay IS 'True for credit on top of splits, which counts for no team and not for the company.';
COMMENT ON COLUMN split_month_cell.deal_count IS 'Deals the rep is credited with, less those taken. Count.';
COMMENT ON COLUMN split_month_cell.amount IS 'What is credited less what is taken, in the reporting currency. Amount.';

-- Twelve months seldom begin with a month: days up to the first whole one, then months.
CREATE FUNCTION trailing_month_start() RETURNS date
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT c.on_date
                       FROM calendar c
                      WHERE c.region = ''
                        AND c.on_date = c.fiscal_period_start
                        AND c.on_date > (sales_perf.as_of() - interval '12 months')::date
                      ORDER BY c.on_date
                      LIMIT 1), 'infinity');
END
$$;

COMMENT ON FUNCTION trailing_month_start() IS 'The first month of calendar that lies in the twelve months up to as_of() from its first day on; infinity if there is none.';

CREATE VIEW trailing_cell WITH (security_invoker = true) AS
SELECT rep_id,
       on_date,
       summary
  FROM (SELECT false AS is_of_rollup,
               rep_id,
               closed_on AS on_date,
               summary
          FROM (SELECT * FROM closed_live() WHERE true
                UNION ALL
                SELECT * FROM closed_unfolded_cell() WHERE false) AS live
         WHERE closed_on > (sales_perf.as_of() - interval '12 months')::date
        UNION ALL
        SELECT true,
               rep_id,
               closed_on,
               summary
          FROM closed_unfolded_cell()
         WHERE closed_on > (sales_perf.as_of() - interval '12 months')::date
        UNION ALL
        SELECT true,
               rep_id,
               on_date,
               summary
          FROM rollup_cell
         WHERE cell = 'closed'
           AND grain = (SELECT rollup_grain())
           AND on_date >= (SELECT trailing_month_start())
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())
        UNION ALL
        SELECT true,
               rep_id,
               on_date,
               summary
          FROM rollup_cell
         WHERE cell = 'closed'
           AND grain = 'day'
           AND on_date > (sales_perf.as_of() - interval '12 months')::date
           AND on_date < (SELECT trailing_month_start())
           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
           AND (counts_until IS NULL OR counts_until > sales_perf.as_of())
           AND (SELECT rollup_grain()) IS NOT NULL) AS closed
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW trailing_cell IS 'The deals closed in the twelve months up to as_of().';
COMMENT ON COLUMN trailing_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN trailing_cell.on_date IS 'Day of closing, see closed_month_cell.';
COMMENT ON COLUMN trailing_cell.summary IS 'deal_summary of the deals, in the reporting currency.';

CREATE VIEW open_cell WITH (security_invoker = true) AS
SELECT pipeline_id,
       stage_id,
       stage_entered_on,
       opened_on,
       expected_close_on,
       currency,
       rep_id,
       is_as_recorded,
       sales_perf.deal_agg(amount, outcome, opened_on, closed_on) AS summary
  FROM deal_as_of
 WHERE is_open
 GROUP BY pipeline_id, stage_id, stage_entered_on, opened_on, expected_close_on, currency, rep_id, is_as_recorded;

COMMENT ON VIEW open_cell IS 'Open deals (the pipeline) by stage and the day they entered it. Attribution S.';
COMMENT ON COLUMN open_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN open_cell.stage_id IS 'The stage; NULL: not known.';
COMMENT ON COLUMN open_cell.stage_entered_on IS 'Day the deals entered the stage; NULL: not known.';
COMMENT ON COLUMN open_cell.opened_on IS 'Day of opening; NULL: not known.';
COMMENT ON COLUMN open_cell.expected_close_on IS 'Day on which they are expected to close.';
COMMENT ON COLUMN open_cell.currency IS 'Currency of the summary''s amounts, which are converted on reading, at the rate of as_of(); NULL: the mart''s reporting currency.';
COMMENT ON COLUMN open_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN open_cell.is_as_recorded IS 'False where the deals'' history was not recorded by then (see deal_as_of).';
COMMENT ON COLUMN open_cell.summary IS 'deal_summary of the cell''s deals.';

SET LOCAL search_path = sales_perf, pg_temp;
