-- The history of deals, recorded from their updates by statement triggers over the changed rows,
-- so that a bulk load or a nightly sync costs one INSERT ... SELECT and not a call per row.
--
-- The triggers run with the rights of whoever writes deals: grant INSERT on deal_change and
-- INSERT and DELETE on stage_event, and SELECT on rep and stage, together with the right to write
-- deal. Changes that arrive by
-- logical replication fire no statement triggers: replicate the history tables too.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- A key that is renamed (ON UPDATE CASCADE) is no change of hands, nor an entry into another stage: when its
-- deals are updated, by the constraint's trigger, the old key is gone already.

-- What is recorded of a key is renamed with it.
CREATE FUNCTION deal_change_rename() RETURNS trigger
    LANGUAGE plpgsql
    -- for whoever writes the history, with or without the right to write what was recorded
    SECURITY DEFINER
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    key_field constant text := TG_ARGV[0];
    old_key constant text := to_jsonb(OLD) ->> key_field;
    new_key constant text := to_jsonb(NEW) ->> key_field;
BEGIN
    UPDATE deal_change
       SET old_value = CASE WHEN old_value = old_key THEN new_key ELSE old_value END,
           new_value = CASE WHEN new_value = old_key THEN new_key ELSE new_value END
     WHERE field = key_field
       AND old_key IN (old_value, new_value);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION deal_change_rename() IS 'Trigger function: renames a key in deal_change.';

CREATE TRIGGER deal_change_rename
    AFTER UPDATE OF rep_id ON rep
    FOR EACH ROW
    WHEN (NEW.rep_id <> OLD.rep_id)
    EXECUTE FUNCTION deal_change_rename('rep_id');

CREATE TRIGGER deal_change_rename
    AFTER UPDATE OF stage_id ON stage
    FOR EACH ROW
    WHEN (NEW.stage_id <> OLD.stage_id)
    EXECUTE FUNCTION deal_change_rename('stage_id');

-- Most reports of open deals ask for the day they entered their stage, so it stands with the deal. It is
-- written together with the row where it can be foreseen; else stage_event_tell_deal() writes it afterwards.
CREATE FUNCTION deal_stage_entered() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.outcome IN ('won', 'lost') THEN
        NEW.stage_entered_on := NULL;
    ELSIF TG_OP = 'INSERT' THEN
        NEW.stage_entered_on := CASE WHEN NEW.stage_id IS NOT NULL THEN coalesce(NEW.stage_entered_on, NEW.opened_on, NEW.recorded_at::date) END;
    ELSIF NEW.stage_id IS DISTINCT FROM OLD.stage_id AND NEW.stage_id IS NOT NULL
          AND (OLD.stage_id IS NULL OR EXISTS (SELECT FROM stage s WHERE s.stage_id = OLD.stage_id)) THEN
        NEW.stage_entered_on := greatest(OLD.stage_entered_on, clock_timestamp()::date);
    ELSE
        -- reopened, or an update says a day of its own
        NEW.stage_entered_on := (SELECT max(e.entered_on) FROM stage_event e WHERE e.deal_id = OLD.deal_id);
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION deal_stage_entered() IS 'Trigger function: sets the day on which a deal entered its stage.';

CREATE TRIGGER deal_stage_entered_insert
    BEFORE INSERT ON deal
    FOR EACH ROW
    WHEN (CASE WHEN NEW.outcome IN ('won', 'lost') THEN NEW.stage_entered_on IS NOT NULL ELSE NEW.stage_id IS NOT NULL END)
    EXECUTE FUNCTION deal_stage_entered();

CREATE TRIGGER deal_stage_entered_update
    BEFORE UPDATE ON deal
    FOR EACH ROW
    WHEN (NEW.stage_entered_on IS DISTINCT FROM OLD.stage_entered_on
          OR NEW.stage_id IS DISTINCT FROM OLD.stage_id
          OR NEW.outcome IS DISTINCT FROM OLD.outcome)
    EXECUTE FUNCTION deal_stage_entered();

-- A deal that comes with a stage has entered it. When, is known only where it is recorded on the
-- day it was opened; otherwise that day (or the day it was closed) is the best guess, and marked.
-- History that was loaded first, with the foreign keys deferred, is left as it is.
CREATE FUNCTION deal_record_insert() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    written bigint;
BEGIN
    INSERT INTO stage_event (deal_id, stage_id, entered_on, is_assumed)
    SELECT first_stage.deal_id, first_stage.stage_id, first_stage.entered_on,
           first_stage.entered_on < first_stage.recorded_on
      FROM (SELECT n.deal_id,
                   n.stage_id,
                   coalesce(CASE WHEN n.outcome IN ('won', 'lost') THEN n.closed_on END,
                            n.stage_entered_on,
                            n.opened_on,
                            n.recorded_at::date) AS entered_on,
                   n.recorded_at::date AS recorded_on
              FROM new_rows n
             WHERE n.stage_id IS NOT NULL) AS first_stage
     WHERE NOT EXISTS (SELECT FROM stage_event e WHERE e.deal_id = first_stage.deal_id);
    GET DIAGNOSTICS written = ROW_COUNT;

    IF written < (SELECT count(n.stage_id) FROM new_rows n) THEN
        UPDATE deal d
           SET stage_entered_on = latest.entered_on
          FROM (SELECT n.deal_id,
                       (SELECT max(e.entered_on) FROM stage_event e WHERE e.deal_id = n.deal_id) AS entered_on
                  FROM new_rows n
                 WHERE n.outcome IS NULL
                    OR n.outcome = 'open') AS latest
         WHERE d.deal_id = latest.deal_id
           AND d.stage_entered_on <> latest.entered_on;
    END IF;
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
     WHERE change.old_value IS DISTINCT FROM change.new_value
       AND (change.old_value IS NULL
            OR CASE change.field
                   WHEN 'rep_id' THEN EXISTS (SELECT FROM rep r WHERE r.rep_id = change.old_value)
                   WHEN 'stage_id' THEN EXISTS (SELECT FROM stage s WHERE s.stage_id = change.old_value)
                   ELSE true
               END);

    IF FOUND THEN
        INSERT INTO stage_event (deal_id, stage_id, entered_on, entered_at)
        SELECT n.deal_id, n.stage_id, changed_now::date, changed_now
          FROM new_rows n
          JOIN old_rows o ON o.deal_id = n.deal_id
         WHERE n.stage_id IS NOT NULL
           AND n.stage_id IS DISTINCT FROM o.stage_id
           AND (o.stage_id IS NULL OR EXISTS (SELECT FROM stage s WHERE s.stage_id = o.stage_id));
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

-- The deals are locked first and the events read after that, so that who writes events of the same deal at
-- the same time waits, and sees them. With one snapshot for the whole transaction the second would not see
-- them: there every deal is written, and the second fails, as it has to.
CREATE FUNCTION stage_event_tell_deal() RETURNS trigger
    LANGUAGE plpgsql
    -- for whoever writes the history, with or without the right to write deals
    SECURITY DEFINER
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE deal SET stage_entered_on = NULL WHERE stage_entered_on IS NOT NULL;
        RETURN NULL;
    END IF;

    PERFORM
       FROM deal d
      WHERE d.deal_id IN (SELECT c.deal_id FROM changed_rows c)
        AND (d.outcome IS NULL OR d.outcome = 'open')
        FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    UPDATE deal d
       SET stage_entered_on = latest.entered_on
      FROM (SELECT c.deal_id,
                   (SELECT max(e.entered_on) FROM stage_event e WHERE e.deal_id = c.deal_id) AS entered_on
              FROM (SELECT DISTINCT deal_id FROM changed_rows) AS c) AS latest
     WHERE d.deal_id = latest.deal_id
       AND (d.outcome IS NULL OR d.outcome = 'open')
       AND (d.stage_entered_on IS DISTINCT FROM latest.entered_on
            OR current_setting('transaction_isolation') <> 'read committed');
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION stage_event_tell_deal() IS 'Trigger function: writes the day of their latest event to the open deals whose events were written.';

CREATE TRIGGER stage_event_tell_deal_insert
    AFTER INSERT ON stage_event
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION stage_event_tell_deal();

CREATE TRIGGER stage_event_tell_deal_delete
    AFTER DELETE ON stage_event
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION stage_event_tell_deal();

CREATE TRIGGER stage_event_tell_deal_update
    AFTER UPDATE ON stage_event
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION stage_event_tell_deal();

-- an event given to another deal: the one it is taken from
CREATE TRIGGER stage_event_tell_deal_update_old
    AFTER UPDATE ON stage_event
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION stage_event_tell_deal();

CREATE TRIGGER stage_event_tell_deal_truncate
    AFTER TRUNCATE ON stage_event
    FOR EACH STATEMENT EXECUTE FUNCTION stage_event_tell_deal();

SET LOCAL search_path = sales_perf, pg_temp;
