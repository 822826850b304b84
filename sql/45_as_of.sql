-- The deals as they stood at as_of(), which every report reads.
--
-- The cut is the end of that day in the session's time zone: what was recorded before the
-- following midnight counts. Days (opened_on, closed_on, entered_on) are compared as days.
--
-- Nearly all deals have not changed since, so they are read as they are: each kind of them is one
-- branch of a UNION ALL whose columns are deal's own, and a filter on a rep or a day reaches the
-- scan of deal and its indexes. (as_of() stands in no sub-select: the planner could not estimate
-- what it lets through, and would search an index for nearly all rows.) Only deals with recorded later changes are put together anew.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- The earliest change after as_of() tells the value that stood until then.
CREATE VIEW deal_later_change WITH (security_invoker = true) AS
SELECT deal_id,
       bool_or(field = 'stage_id') AS stage_id_changed,
       max(old_value) FILTER (WHERE field = 'stage_id') AS stage_id,
       bool_or(field = 'amount') AS amount_changed,
       max(old_value) FILTER (WHERE field = 'amount') AS amount,
       bool_or(field = 'currency') AS currency_changed,
       max(old_value) FILTER (WHERE field = 'currency') AS currency,
       bool_or(field = 'expected_close_on') AS expected_close_on_changed,
       max(old_value) FILTER (WHERE field = 'expected_close_on') AS expected_close_on,
       bool_or(field = 'rep_id') AS rep_id_changed,
       max(old_value) FILTER (WHERE field = 'rep_id') AS rep_id,
       bool_or(field = 'outcome') AS outcome_changed,
       max(old_value) FILTER (WHERE field = 'outcome') AS outcome,
       bool_or(field = 'closed_on') AS closed_on_changed,
       max(old_value) FILTER (WHERE field = 'closed_on') AS closed_on
  FROM (SELECT DISTINCT ON (deal_id, field)
               deal_id, field, old_value
          FROM deal_change
         WHERE changed_at >= (sales_perf.as_of() + 1)::timestamptz
         ORDER BY deal_id, field, changed_at, deal_change_id) AS earliest
 GROUP BY deal_id;

COMMENT ON VIEW deal_later_change IS 'The deals with changes recorded after the day as_of() gives, and what the changed fields held at the end of that day, as text.';
COMMENT ON COLUMN deal_later_change.deal_id IS 'The deal.';
COMMENT ON COLUMN deal_later_change.stage_id_changed IS 'True if the stage was changed later.';
COMMENT ON COLUMN deal_later_change.stage_id IS 'The stage it was in, if changed later.';
COMMENT ON COLUMN deal_later_change.amount_changed IS 'True if the amount was changed later.';
COMMENT ON COLUMN deal_later_change.amount IS 'The amount it had, if changed later.';
COMMENT ON COLUMN deal_later_change.currency_changed IS 'True if the currency was changed later.';
COMMENT ON COLUMN deal_later_change.currency IS 'The currency it had, if changed later.';
COMMENT ON COLUMN deal_later_change.expected_close_on_changed IS 'True if the expected day of closing was changed later.';
COMMENT ON COLUMN deal_later_change.expected_close_on IS 'The day it was expected to close, if changed later.';
COMMENT ON COLUMN deal_later_change.rep_id_changed IS 'True if the rep was changed later.';
COMMENT ON COLUMN deal_later_change.rep_id IS 'The rep who owned it, if changed later.';
COMMENT ON COLUMN deal_later_change.outcome_changed IS 'True if the outcome was changed later.';
COMMENT ON COLUMN deal_later_change.outcome IS 'The outcome it had, if changed later.';
COMMENT ON COLUMN deal_later_change.closed_on_changed IS 'True if the day of closing was changed later.';
COMMENT ON COLUMN deal_later_change.closed_on IS 'The day of closing it had, if changed later.';

CREATE FUNCTION is_changed_later() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM deal_change WHERE changed_at >= (sales_perf.as_of() + 1)::timestamptz);
END;

COMMENT ON FUNCTION is_changed_later() IS 'Whether any deal has changes recorded after the day that as_of() gives. If none has, deals stood then as they are now.';

-- Stages apart, for which most reports do not ask. One of the four kinds is a view of its own, for what looks
-- deals up one by one; and what it starts from, for what reads all of them and knows that nothing has changed since.
CREATE VIEW closed_deal WITH (security_invoker = true) AS
SELECT d.deal_id,
       d.name,
       d.account_id,
       d.product_id,
       d.rep_id,
       d.pipeline_id,
       d.stage_id,
       d.amount,
       d.currency,
       d.opened_on,
       d.expected_close_on,
       d.closed_on,
       d.outcome,
       d.lost_reason,
       d.forecast_category,
       d.recorded_at < (sales_perf.as_of() + 1)::timestamptz AS is_as_recorded,
       sales_perf.converted_amount(d.amount, d.currency, d.closed_on, 'fx_rate_list'::regclass) AS reporting_amount
  FROM deal d
 WHERE d.outcome <> 'open'
   AND (d.closed_on <= sales_perf.as_of() OR d.closed_on IS NULL)
   AND (d.opened_on <= sales_perf.as_of() OR d.opened_on IS NULL);

COMMENT ON VIEW closed_deal IS 'The deals closed by the end of the day as_of() gives, as they are now: what deal_as_of shows of closed ones where is_changed_later() is false.';

CREATE VIEW closed_deal_as_of WITH (security_invoker = true) AS
SELECT d.*
  FROM closed_deal d
 WHERE NOT EXISTS (SELECT
                     FROM deal_change c
                    WHERE c.deal_id = d.deal_id
                      AND c.changed_at >= (sales_perf.as_of() + 1)::timestamptz);

COMMENT ON VIEW closed_deal_as_of IS 'A part of deal_as_of: the deals closed by the end of the day as_of() gives that have not changed since. stage_id is that of now.';

-- changed since: put together from what stood until the first later change. A function, so that what most
-- reports never need is not planned for each of them, and a report of many periods does it once.
CREATE FUNCTION changed_deal_as_of()
    RETURNS TABLE (deal_id text, name text, account_id text, product_id text, rep_id text, pipeline_id text, stage_id text, is_stage_known boolean,
                   is_stage_of_events boolean, amount numeric, currency text, opened_on date, expected_close_on date, closed_on date, outcome text,
                   is_open boolean, lost_reason text, forecast_category text, is_as_recorded boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- Mostly so, and then the query below need not be planned, which each parallel worker does anew.
    IF NOT is_changed_later() THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH fields AS (
        SELECT d.deal_id,
               d.name,
               d.account_id,
               d.product_id,
               CASE WHEN c.rep_id_changed THEN c.rep_id ELSE d.rep_id END AS rep_id,
               d.pipeline_id,
               CASE WHEN c.stage_id_changed THEN c.stage_id ELSE d.stage_id END AS stage_id,
               c.stage_id_changed,
               CASE WHEN c.amount_changed THEN c.amount::numeric ELSE d.amount END AS amount,
               CASE WHEN c.currency_changed THEN c.currency ELSE d.currency END AS currency,
               d.opened_on,
               CASE WHEN c.expected_close_on_changed THEN c.expected_close_on::date ELSE d.expected_close_on END AS expected_close_on,
               CASE WHEN c.closed_on_changed THEN c.closed_on::date ELSE d.closed_on END AS closed_on,
               d.closed_on AS closed_on_now,
               coalesce(CASE WHEN c.outcome_changed THEN c.outcome ELSE d.outcome END, 'open') AS outcome,
               d.outcome AS outcome_now,
               d.lost_reason,
               d.forecast_category,
               d.recorded_at < (sales_perf.as_of() + 1)::timestamptz AS is_as_recorded
          FROM deal_later_change c
          JOIN deal d ON d.deal_id = c.deal_id
         WHERE d.opened_on <= sales_perf.as_of()
            OR d.opened_on IS NULL
    ),
    closing AS (
        SELECT f.*,
               CASE
                   WHEN f.outcome <> 'open'
                        AND (f.closed_on <= sales_perf.as_of() OR f.closed_on IS NULL)
                   THEN 'history'
                   -- Entered late: where the history begins after that day, it cannot gainsay
                   -- a day of closing that was entered since.
                   WHEN NOT f.is_as_recorded
                        AND f.outcome_now IN ('won', 'lost')
                        AND f.closed_on_now <= sales_perf.as_of()
                   THEN 'deal'
                   ELSE 'none'
               END AS told_by
          FROM fields f
    )
    SELECT c.deal_id,
           c.name,
           c.account_id,
           c.product_id,
           c.rep_id,
           c.pipeline_id,
           c.stage_id,
           c.stage_id_changed,
           c.told_by = 'none' AND coalesce(c.outcome_now, 'open') <> 'open',
           c.amount,
           c.currency,
           c.opened_on,
           c.expected_close_on,
           CASE c.told_by WHEN 'history' THEN c.closed_on WHEN 'deal' THEN c.closed_on_now END,
           CASE c.told_by WHEN 'history' THEN c.outcome WHEN 'deal' THEN c.outcome_now ELSE 'open' END,
           c.told_by = 'none',
           CASE WHEN c.told_by <> 'none' THEN c.lost_reason END,
           c.forecast_category,
           c.is_as_recorded
      FROM closing c;
END
$$;

COMMENT ON FUNCTION changed_deal_as_of() IS 'A part of deal_as_of: the deals changed after the day as_of() gives, as they stood then. stage_id is that of then where is_stage_known (it was changed later), else that of now; is_stage_of_events: only stage_event can tell it.';

-- Amounts are converted in each branch: above the union they would be, once for every use.
CREATE VIEW deal_core_as_of WITH (security_invoker = true) AS
-- closed by then, and not changed since
SELECT deal_id,
       name,
       account_id,
       product_id,
       rep_id,
       pipeline_id,
       stage_id,
       true AS is_stage_known,
       false AS is_stage_of_events,
       NULL::date AS last_entered_on,
       amount,
       currency,
       opened_on,
       expected_close_on,
       closed_on,
       outcome,
       false AS is_open,
       lost_reason,
       forecast_category,
       is_as_recorded,
       reporting_amount
  FROM closed_deal_as_of
UNION ALL
-- open, and not changed since
SELECT d.deal_id,
       d.name,
       d.account_id,
       d.product_id,
       d.rep_id,
       d.pipeline_id,
       d.stage_id,
       sales_perf.as_of() >= current_date,
       false,
       d.stage_entered_on,
       d.amount,
       d.currency,
       d.opened_on,
       d.expected_close_on,
       NULL::date,
       'open'::text,
       true,
       NULL::text,
       d.forecast_category,
       d.recorded_at < (sales_perf.as_of() + 1)::timestamptz,
       sales_perf.converted_amount(d.amount, d.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)
  FROM deal d
 WHERE (d.outcome IS NULL OR d.outcome = 'open')
   AND (d.opened_on <= sales_perf.as_of() OR d.opened_on IS NULL)
   AND NOT EXISTS (SELECT
                     FROM deal_change c
                    WHERE c.deal_id = d.deal_id
                      AND c.changed_at >= (sales_perf.as_of() + 1)::timestamptz)
UNION ALL
-- closed after that day, without a change recorded since: open then, in the stage that its events
-- tell and in none where they tell nothing, for the one it is in now is that of its closing
SELECT d.deal_id,
       d.name,
       d.account_id,
       d.product_id,
       d.rep_id,
       d.pipeline_id,
       NULL::text,
       false,
       true,
       NULL::date,
       d.amount,
       d.currency,
       d.opened_on,
       d.expected_close_on,
       NULL::date,
       'open'::text,
       true,
       NULL::text,
       d.forecast_category,
       d.recorded_at < (sales_perf.as_of() + 1)::timestamptz,
       sales_perf.converted_amount(d.amount, d.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)
  FROM deal d
 WHERE d.outcome <> 'open'
   AND d.closed_on > sales_perf.as_of()
   AND (d.opened_on <= sales_perf.as_of() OR d.opened_on IS NULL)
   AND NOT EXISTS (SELECT
                     FROM deal_change c
                    WHERE c.deal_id = d.deal_id
                      AND c.changed_at >= (sales_perf.as_of() + 1)::timestamptz)
UNION ALL
SELECT deal_id,
       name,
       account_id,
       product_id,
       rep_id,
       pipeline_id,
       stage_id,
       is_stage_known,
       is_stage_of_events,
       NULL::date,
       amount,
       currency,
       opened_on,
       expected_close_on,
       closed_on,
       outcome,
       is_open,
       lost_reason,
       forecast_category,
       is_as_recorded,
       sales_perf.converted_amount(amount, currency, CASE WHEN is_open THEN sales_perf.as_of() ELSE closed_on END, 'fx_rate_list'::regclass)
  FROM changed_deal_as_of();

COMMENT ON VIEW deal_core_as_of IS 'What deal_as_of shows but for the stages, and what these are found by: reports that do not ask for stages are planned faster so.';

-- Written into the query that asks for it; where the planner knows which of the two ways is not to be taken, nothing is left of it.
CREATE FUNCTION closed_deal_of(with_changes boolean)
    RETURNS TABLE (deal_id text, account_id text, product_id text, rep_id text, opened_on date, expected_close_on date, closed_on date, outcome text, reporting_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.deal_id, c.account_id, c.product_id, c.rep_id, c.opened_on, c.expected_close_on, c.closed_on, c.outcome, c.reporting_amount
      FROM closed_deal c
     WHERE NOT with_changes
    UNION ALL
    SELECT a.deal_id, a.account_id, a.product_id, a.rep_id, a.opened_on, a.expected_close_on, a.closed_on, a.outcome, a.reporting_amount
      FROM deal_core_as_of a
     WHERE NOT a.is_open
       AND with_changes;
END;

COMMENT ON FUNCTION closed_deal_of(boolean) IS 'The closed deals of deal_as_of, for what reads many of them: with_changes is to be is_changed_later(), in a variable; where it is false deals are not looked up among the changes.';

-- Functions, for a sub-select that looks at the deal would keep deals from being read by parallel workers.
CREATE FUNCTION deal_stage_of_events(deal_id text, is_stage_of_events boolean, stage_id text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
           (SELECT e.stage_id
              FROM stage_event e
             WHERE e.deal_id = deal_stage_of_events.deal_id
               AND e.entered_on <= sales_perf.as_of()
             ORDER BY e.entered_on DESC, e.entered_at DESC NULLS LAST, e.stage_event_id DESC
             LIMIT 1),
           -- opened before its first event: the first stage known of it
           CASE
               WHEN NOT is_stage_of_events
               THEN coalesce((SELECT e.stage_id
                                FROM stage_event e
                               WHERE e.deal_id = deal_stage_of_events.deal_id
                               ORDER BY e.entered_on, e.entered_at NULLS FIRST, e.stage_event_id
                               LIMIT 1), deal_stage_of_events.stage_id)
           END)
      -- with a FROM it is not written into the query
      FROM (VALUES (true)) AS one (row);
END;

COMMENT ON FUNCTION deal_stage_of_events(text, boolean, text) IS 'The stage that a deal''s events say it was in as of as_of(); of one without events by then, unless only these can tell (is_stage_of_events), its first stage or, without any, stage_id.';

CREATE FUNCTION deal_stage_entered_on(deal_id text) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.entered_on
      FROM stage_event e
     WHERE e.deal_id = deal_stage_entered_on.deal_id
       AND e.entered_on <= sales_perf.as_of()
     ORDER BY e.entered_on DESC, e.entered_at DESC NULLS LAST, e.stage_event_id DESC
     LIMIT 1;
END;

COMMENT ON FUNCTION deal_stage_entered_on(text) IS 'The day of a deal''s latest stage event up to the day that as_of() gives; NULL where there is none.';

CREATE VIEW deal_as_of WITH (security_invoker = true) AS
SELECT d.deal_id,
       d.name,
       d.account_id,
       d.product_id,
       d.rep_id,
       d.pipeline_id,
       CASE
           WHEN d.is_stage_known
           THEN d.stage_id
           ELSE deal_stage_of_events(d.deal_id, d.is_stage_of_events, d.stage_id)
       END AS stage_id,
       -- the latest entry of all, if it lies before that day, is the latest before that day
       CASE
           WHEN d.last_entered_on <= sales_perf.as_of()
           THEN d.last_entered_on
           ELSE deal_stage_entered_on(d.deal_id)
       END AS stage_entered_on,
       d.amount,
       d.currency,
       d.opened_on,
       d.expected_close_on,
       d.closed_on,
       d.outcome,
       d.is_open,
       d.lost_reason,
       d.forecast_category,
       d.is_as_recorded,
       d.reporting_amount
  FROM deal_core_as_of d;

COMMENT ON VIEW deal_as_of IS 'The deals as they stood at the end of the day as_of() gives (session time zone): deals opened later are absent, those closed later are open, and stage, amount, currency, rep, expected close and outcome are what they were before the first change recorded later. A deal reopened later is closed as it was. Deals deleted since are gone. Where the history of a deal begins after that day, is_as_recorded is false, and its other fields are as first recorded.';
COMMENT ON COLUMN deal_as_of.deal_id IS 'Key of the deal.';
COMMENT ON COLUMN deal_as_of.name IS 'Name of the deal, as it is now.';
COMMENT ON COLUMN deal_as_of.account_id IS 'The account that buys, as it is now.';
COMMENT ON COLUMN deal_as_of.product_id IS 'The (main) product, as it is now.';
COMMENT ON COLUMN deal_as_of.rep_id IS 'The rep who owned the deal.';
COMMENT ON COLUMN deal_as_of.pipeline_id IS 'The pipeline the deal goes through, as it is now.';
COMMENT ON COLUMN deal_as_of.stage_id IS 'The stage it was in; NULL where that is not known, as for a deal closed since whose stages were not recorded.';
COMMENT ON COLUMN deal_as_of.stage_entered_on IS 'The day of its latest stage event up to then; NULL if there is none.';
COMMENT ON COLUMN deal_as_of.amount IS 'Its amount, in currency.';
COMMENT ON COLUMN deal_as_of.currency IS 'Currency of the amount; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN deal_as_of.opened_on IS 'The day it was opened; NULL: not known.';
COMMENT ON COLUMN deal_as_of.expected_close_on IS 'The day it was expected to close.';
COMMENT ON COLUMN deal_as_of.closed_on IS 'The day it had been won or lost; NULL for a deal that was open.';
COMMENT ON COLUMN deal_as_of.outcome IS 'won, lost or open.';
COMMENT ON COLUMN deal_as_of.is_open IS 'True for a deal that was open: the filter that leaves out the scans of closed ones.';
COMMENT ON COLUMN deal_as_of.lost_reason IS 'Why it was lost; NULL for a deal that was open.';
COMMENT ON COLUMN deal_as_of.forecast_category IS 'The CRM''s forecast category, as it is now.';
COMMENT ON COLUMN deal_as_of.reporting_amount IS 'Its amount in the mart''s reporting currency, at the rate of closed_on, or of as_of() for a deal that was open. Amount; NULL where the amount is not known or there is no rate.';
COMMENT ON COLUMN deal_as_of.is_as_recorded IS 'True where the deal''s history was being recorded by then, so that this is what the mart would have shown on that day; false where it was entered later (deal.recorded_at) and this is a reconstruction.';

COMMENT ON COLUMN deal_core_as_of.is_stage_known IS 'True where stage_id is that of then; else it is that of now, for where stage_event tells nothing.';
COMMENT ON COLUMN deal_core_as_of.is_stage_of_events IS 'True where only stage_event can tell the stage.';
COMMENT ON COLUMN deal_core_as_of.last_entered_on IS 'Day of its latest stage event of all, as deal has it; NULL: not known here.';

-- The same columns mean the same in its parts.
DO $$
DECLARE
    copied record;
BEGIN
    FOR copied IN
        SELECT part.name AS view_name,
               a.attname AS column_name,
               col_description(a.attrelid, a.attnum) AS comment
          FROM pg_attribute a
          JOIN (VALUES ('closed_deal'), ('closed_deal_as_of'), ('deal_core_as_of')) AS part (name)
            ON EXISTS (SELECT FROM pg_attribute p WHERE p.attrelid = part.name::regclass AND p.attname = a.attname)
         WHERE a.attrelid = 'deal_as_of'::regclass
           AND a.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', copied.view_name, copied.column_name, copied.comment);
    END LOOP;
END
$$;

SET LOCAL search_path = sales_perf, pg_temp;
