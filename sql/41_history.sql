-- The history of deals, recorded from their updates by statement triggers over the changed rows,
-- so that a bulk load or a nightly sync costs one INSERT ... SELECT and not a call per row.
--
-- The triggers run with the rights of whoever writes deals: grant INSERT on deal_change and
-- INSERT and DELETE on stage_event together with the right to write deal. Changes that arrive by
-- logical replication fire no statement triggers: replicate the history tables too.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- A deal that comes with a stage has entered it. When, is known only where it is recorded on the
-- day it was opened; otherwise that day (or the day it was closed) is the best guess, and marked.
-- History that was loaded first, with the foreign keys deferred, is left as it is.
CREATE FUNCTION deal_record_insert() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO stage_event (deal_id, stage_id, entered_on, is_assumed)
    SELECT first_stage.deal_id, first_stage.stage_id, first_stage.entered_on,
           first_stage.entered_on < first_stage.recorded_on
      FROM (SELECT n.deal_id,
                   n.stage_id,
                   coalesce(CASE WHEN n.outcome IN ('won', 'lost') THEN n.closed_on END,
                            n.opened_on,
                            n.recorded_at::date) AS entered_on,
                   n.recorded_at::date AS recorded_on
              FROM new_rows n
             WHERE n.stage_id IS NOT NULL) AS first_stage
     WHERE NOT EXISTS (SELECT FROM stage_event e WHERE e.deal_id = first_stage.deal_id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION deal_record_insert() IS 'Trigger function: writes a new deal''s stage to stage_event.';

CREATE TRIGGER deal_record_insert
    AFTER INSERT ON deal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION deal_record_insert();

-- Values are written by to_jsonb(): its text of a day is YYYY-MM-DD whatever DateStyle says.
-- A change of deal_id itself is no change of the deal: its history follows by ON UPDATE CASCADE.
CREATE FUNCTION deal_record_update() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    -- One moment for the whole statement, later than that of a statement before it.
    changed_now timestamptz := clock_timestamp();
BEGIN
    INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
    SELECT n.deal_id, changed_now, change.field, change.old_value, change.new_value
      FROM new_rows n
      JOIN old_rows o ON o.deal_id = n.deal_id
     CROSS JOIN LATERAL (VALUES
               ('stage_id', o.stage_id, n.stage_id),
               ('amount', o.amount::text, n.amount::text),
               ('currency', o.currency, n.currency),
               ('expected_close_on', to_jsonb(o.expected_close_on) #>> '{}', to_jsonb(n.expected_close_on) #>> '{}'),
               ('rep_id', o.rep_id, n.rep_id),
               ('outcome', o.outcome, n.outcome),
               ('closed_on', to_jsonb(o.closed_on) #>> '{}', to_jsonb(n.closed_on) #>> '{}')
           ) AS change (field, old_value, new_value)
     WHERE change.old_value IS DISTINCT FROM change.new_value;

    IF FOUND THEN
        INSERT INTO stage_event (deal_id, stage_id, entered_on, entered_at)
        SELECT n.deal_id, n.stage_id, changed_now::date, changed_now
          FROM new_rows n
          JOIN old_rows o ON o.deal_id = n.deal_id
         WHERE n.stage_id IS NOT NULL
           AND n.stage_id IS DISTINCT FROM o.stage_id;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION deal_record_update() IS 'Trigger function: writes what an update changed to deal_change, and a new stage to stage_event (its day in the session''s time zone).';

CREATE TRIGGER deal_record_update
    AFTER UPDATE ON deal
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION deal_record_update();

-- History loaded after its deals takes the place of what was only assumed when they came in.
CREATE FUNCTION stage_event_replace_assumed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM stage_event e
     WHERE e.is_assumed
       AND EXISTS (SELECT
                     FROM new_rows n
                    WHERE n.deal_id = e.deal_id
                      AND NOT n.is_assumed
                      AND (n.entered_on <= e.entered_on OR n.stage_id = e.stage_id));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION stage_event_replace_assumed() IS 'Trigger function: drops the assumed stage of deals whose stage history is being loaded.';

-- Only rows that are loaded as such, not those the triggers of deal write.
CREATE TRIGGER stage_event_replace_assumed
    AFTER INSERT ON stage_event
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT
    WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION stage_event_replace_assumed();

SET LOCAL search_path = sales_perf, pg_temp;
