-- Administration of rollups: maintain_rollup, fold_rollup, verify_rollup, rebuild_rollup, drop_rollup.

CREATE FUNCTION sales_perf.rollup_tables(mart text, cells text[] DEFAULT ARRAY['closed_live_cell', 'opened_live_cell', 'split_live_cell'])
RETURNS TABLE (table_id oid, table_name text, relkind "char", is_of_mart boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- all that the cells read, through views of views
    WITH RECURSIVE source (relation_id) AS
    (
        SELECT c.oid
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = mart
          AND c.relname = ANY (cells)
        UNION
        SELECT d.refobjid
        FROM source AS s
        JOIN pg_rewrite AS r ON r.ev_class = s.relation_id
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE d.refclassid = 'pg_class'::regclass
          AND d.refobjid <> s.relation_id
    )
    SELECT c.oid, c.relname::text, c.relkind, n.nspname = mart
    FROM source AS s
    JOIN pg_class AS c ON c.oid = s.relation_id
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE NOT (c.relkind = 'v' AND n.nspname = mart);
END;

COMMENT ON FUNCTION sales_perf.rollup_tables(text, text[]) IS
'Internal: the relations that views of a mart (its cells of deals) are read from, by the catalogue.';


CREATE FUNCTION sales_perf.drop_rollup(mart text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    put_on record;
BEGIN
    PERFORM sales_perf.stamp_check_mart(mart);

    FOR put_on IN
        SELECT t.tgname, c.relname
        FROM pg_trigger AS t
        JOIN pg_class AS c ON c.oid = t.tgrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = mart
          AND starts_with(t.tgname, 'rollup_')
          AND NOT t.tgisinternal
        ORDER BY c.relname, t.tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %I.%I', put_on.tgname, mart, put_on.relname);
    END LOOP;
    -- a mart that was not upgraded may not have all of them
    EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('%I.%I', mart, c.relname), ', ' ORDER BY c.relname)
             FROM pg_class AS t
             JOIN pg_class AS c ON c.relname = t.relname AND c.relkind = 'r' AND c.relnamespace = to_regnamespace(quote_ident(mart))
             WHERE t.relnamespace = 'sales_perf_template'::regnamespace
               AND t.relkind = 'r'
               AND starts_with(t.relname::text, 'rollup_'));
END
$function$;

COMMENT ON FUNCTION sales_perf.drop_rollup(text) IS
'Ends the maintenance of a mart''s rollups and empties them: reports read the deals again. No error where there is none.';


CREATE FUNCTION sales_perf.rollup_check_tables(mart text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    watched CONSTANT text[] := ARRAY['calendar', 'deal', 'deal_change', 'deal_credit', 'fx_rate', 'mart_setting', 'stage_event', 'team_membership'];
    found   record;
BEGIN
    FOR found IN
        SELECT t.table_id, t.table_name, t.relkind,
               t.is_of_mart AND t.table_name = ANY (watched) AS is_known,
               EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = t.table_id) AS has_children,
               EXISTS (SELECT FROM pg_subscription_rel AS s WHERE s.srrelid = t.table_id) AS is_subscribed
        FROM (SELECT r.table_id, r.table_name, r.relkind, r.is_of_mart
              FROM sales_perf.rollup_tables(mart) AS r
              UNION ALL
              -- these say where the months of reps begin
              SELECT c.oid, c.relname, c.relkind, true
              FROM pg_class AS c
              WHERE c.oid IN (to_regclass(format('%I.calendar', mart)), to_regclass(format('%I.team_membership', mart)))) AS t
        ORDER BY t.table_name
    LOOP
        IF found.relkind <> 'r' OR found.has_children OR NOT found.is_known THEN
            RAISE EXCEPTION USING
                ERRCODE = 'wrong_object_type',
                MESSAGE = format('rollups of mart %I cannot be maintained: %s cannot be watched', mart, found.table_id::regclass),
                DETAIL = 'What its cells are made of must be tables of its own, neither partitioned nor inherited from.',
                HINT = 'Use materialized views of the cells instead, and refresh them.';
        ELSIF found.is_subscribed THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('rollups of mart %I cannot be maintained: %s is filled by logical replication', mart, found.table_id::regclass),
                DETAIL = 'Rows that a subscription applies fire no statement triggers.',
                HINT = 'Maintain rollups where the rows are written, or use materialized views of the cells.';
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION sales_perf.rollup_check_tables(text) IS
'Internal: an error unless all that a mart''s cells are made of can be watched by triggers.';


CREATE FUNCTION sales_perf.rollup_subjects_unwatched(mart text)
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT t.table_id::regclass
    FROM sales_perf.rollup_tables(mart, ARRAY['cohort_live_cell', 'deal_path', 'rep_team', 'team_tree']) AS t
    WHERE t.relkind <> 'r'
       OR NOT t.is_of_mart
       OR t.table_name <> ALL (ARRAY['account', 'calendar', 'deal', 'deal_change', 'fx_rate', 'mart_setting', 'rep', 'sale', 'stage', 'stage_event', 'team', 'team_membership'])
       OR EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = t.table_id)
       OR EXISTS (SELECT FROM pg_subscription_rel AS s WHERE s.srrelid = t.table_id)
       OR row_security_active(t.table_id)
    ORDER BY t.table_name
    LIMIT 1;
END;

COMMENT ON FUNCTION sales_perf.rollup_subjects_unwatched(text) IS
'Internal: the first relation of those that a mart''s cells of customers and of the ways of deals are read from which triggers cannot watch; NULL: they can watch all of them.';


CREATE FUNCTION sales_perf.rollup_watch(mart text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    put_on        record;
    found         record;
    unwatched     regclass;
    watched_count bigint := 0;
BEGIN
    -- WHEN, which is always true: by it a trigger goes with the extension, without which its function could not run.
    -- (ALTER TRIGGER ... DEPENDS ON EXTENSION does the same, but makes readers of the table wait.)
    FOR put_on IN
        SELECT *
        FROM (VALUES
            ('deal', 'rollup_begin', 'BEFORE INSERT OR UPDATE OR DELETE', '', 'rollup_begin'),
            ('deal_credit', 'rollup_begin', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'rollup_begin'),
            ('fx_rate', 'rollup_begin', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'rollup_rates'),
            ('mart_setting', 'rollup_begin', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'rollup_rates'),
            ('deal', 'rollup_deal_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS changed_rows', 'rollup_deal'),
            ('deal', 'rollup_deal_update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows', 'rollup_deal'),
            ('deal', 'rollup_deal_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS changed_rows', 'rollup_deal'),
            ('deal', 'rollup_deal_truncate', 'AFTER TRUNCATE', '', 'rollup_deal'),
            ('deal_credit', 'rollup_credit_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS changed_rows', 'rollup_credit'),
            ('deal_credit', 'rollup_credit_update', 'AFTER UPDATE', 'REFERENCING NEW TABLE AS changed_rows', 'rollup_credit'),
            -- a split given to another deal: the one it is taken from
            ('deal_credit', 'rollup_credit_update_old', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS changed_rows', 'rollup_credit'),
            ('deal_credit', 'rollup_credit_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS changed_rows', 'rollup_credit'),
            ('deal_credit', 'rollup_credit_truncate', 'AFTER TRUNCATE', '', 'rollup_credit'),
            ('fx_rate', 'rollup_rates_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS changed_rows', 'rollup_rates'),
            ('fx_rate', 'rollup_rates_update', 'AFTER UPDATE', 'REFERENCING NEW TABLE AS changed_rows', 'rollup_rates'),
            ('fx_rate', 'rollup_rates_update_old', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS changed_rows', 'rollup_rates'),
            ('fx_rate', 'rollup_rates_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS changed_rows', 'rollup_rates'),
            ('fx_rate', 'rollup_rates_truncate', 'AFTER TRUNCATE', '', 'rollup_rates'),
            ('mart_setting', 'rollup_rates', 'AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'rollup_rates'),
            ('calendar', 'rollup_boundary', 'AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'rollup_boundary'),
            ('team_membership', 'rollup_boundary', 'AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'rollup_boundary')
        ) AS trigger_list (table_name, trigger_name, events, transition, function_name)
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %I.%I %s FOR EACH STATEMENT WHEN (sales_perf.as_of() IS NOT NULL) EXECUTE FUNCTION %I.%I()',
                       put_on.trigger_name, put_on.events, mart, put_on.table_name, put_on.transition, mart, put_on.function_name);
    END LOOP;
    -- Whose stored summaries are to be derived anew. Where the owner has made something else of one of these tables, customers and
    -- the ways of deals are not stored.
    unwatched := sales_perf.rollup_subjects_unwatched(mart);
    IF unwatched IS NULL THEN
        FOR put_on IN
            SELECT *
            FROM (VALUES
                ('deal', 'rollup_customer_insert', 'INSERT', 'ROW', $$NEW.outcome = 'won'$$, 'customer', 'account_id'),
                ('deal', 'rollup_customer_update', 'UPDATE', 'ROW', $$OLD.outcome = 'won' OR NEW.outcome = 'won'$$, 'customer', 'account_id'),
                ('deal', 'rollup_customer_delete', 'DELETE', 'ROW', $$OLD.outcome = 'won'$$, 'customer', 'account_id'),
                ('sale', 'rollup_customer', 'INSERT OR UPDATE OR DELETE', 'ROW', 'true', 'customer', 'account_id'),
                ('sale', 'rollup_customer_truncate', 'TRUNCATE', 'STATEMENT', 'true', 'customer', 'account_id'),
                ('account', 'rollup_customer', 'UPDATE', 'ROW', 'OLD.segment IS DISTINCT FROM NEW.segment', 'customer', 'account_id'),
                ('stage_event', 'rollup_way', 'INSERT OR UPDATE OR DELETE', 'ROW', 'true', 'way', 'deal_id'),
                ('stage_event', 'rollup_way_truncate', 'TRUNCATE', 'STATEMENT', 'true', 'way', 'deal_id'),
                ('stage', 'rollup_way', 'INSERT OR UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', 'true', 'way', 'stage_id')
            ) AS trigger_list (table_name, trigger_name, events, each, condition, kind, key_column)
        LOOP
            EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %I.%I FOR EACH %s WHEN (%s) EXECUTE FUNCTION sales_perf.record_touched(%L, %L)',
                           put_on.trigger_name, put_on.events, mart, put_on.table_name, put_on.each, put_on.condition, put_on.kind, put_on.key_column);
        END LOOP;
        FOR put_on IN
            SELECT *
            FROM (VALUES
                ('rollup_sale_insert', 'INSERT', 'REFERENCING NEW TABLE AS changed_rows', 1),
                ('rollup_sale_update', 'UPDATE', 'REFERENCING NEW TABLE AS changed_rows', 1),
                ('rollup_sale_update_old', 'UPDATE', 'REFERENCING OLD TABLE AS changed_rows', -1),
                ('rollup_sale_delete', 'DELETE', 'REFERENCING OLD TABLE AS changed_rows', -1),
                ('rollup_sale_truncate', 'TRUNCATE', '', -1)
            ) AS trigger_list (trigger_name, events, transition, sign)
        LOOP
            EXECUTE format('CREATE OR REPLACE TRIGGER %1$I AFTER %2$s ON %3$I.sale %4$s FOR EACH STATEMENT WHEN (sales_perf.as_of() IS NOT NULL) EXECUTE FUNCTION %3$I.rollup_sale(%5$L)',
                           put_on.trigger_name, put_on.events, mart, put_on.transition, put_on.sign);
        END LOOP;
        EXECUTE format('CREATE OR REPLACE TRIGGER rollup_boundary AFTER UPDATE OF parent_team_id ON %1$I.team FOR EACH STATEMENT WHEN (sales_perf.as_of() IS NOT NULL) EXECUTE FUNCTION %1$I.rollup_boundary()', mart);
        EXECUTE format('CREATE OR REPLACE TRIGGER rollup_boundary AFTER UPDATE OF team_id ON %1$I.rep FOR EACH STATEMENT WHEN (sales_perf.as_of() IS NOT NULL) EXECUTE FUNCTION %1$I.rollup_boundary()', mart);
    ELSE
        RAISE NOTICE 'customers, ways of deals and sales of mart % are not stored: % cannot be watched', quote_ident(mart), unwatched;
    END IF;
    EXECUTE format('UPDATE %I.rollup_state SET has_subjects = $1, derived_on = NULL', mart) USING unwatched IS NULL;

    -- Reports that are kept read nearly all there is. What the owner has made something else of has no statement triggers
    -- that see everything: then none is kept.
    FOR found IN
        SELECT t.relname, m.relkind
        FROM pg_class AS t
        LEFT JOIN pg_class AS m ON m.relname = t.relname AND m.relnamespace = to_regnamespace(quote_ident(mart))
        WHERE t.relnamespace = 'sales_perf_template'::regnamespace
          AND t.relkind = 'r'
          AND NOT starts_with(t.relname::text, 'rollup_')
          -- these they do not read
          AND t.relname <> ALL (ARRAY['action_item', 'alert_event', 'alert_rule', 'course', 'enrolment', 'feedback', 'feedback_reply', 'metric_limit', 'refresh_source', 'review_cycle', 'skill', 'skill_kpi', 'view_log'])
        ORDER BY t.relname
    LOOP
        IF found.relkind = 'r' THEN
            EXECUTE format('CREATE OR REPLACE TRIGGER rollup_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION sales_perf.record_change()', mart, found.relname);
            watched_count := watched_count + 1;
        ELSE
            watched_count := NULL;
        END IF;
    END LOOP;
    EXECUTE format('UPDATE %I.rollup_state SET watched_count = $1', mart) USING watched_count;
    EXECUTE format('DELETE FROM %I.rollup_report', mart);
END
$function$;

COMMENT ON FUNCTION sales_perf.rollup_watch(text) IS
'Internal: puts on the triggers of a mart whose rollups are maintained: those that append what a change of deals comes to, those that note whose summaries are to be derived anew, and on all tables the one that writes down that something has changed. No report is kept until the next fold.';


CREATE FUNCTION sales_perf.maintain_rollup(mart text)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    cell_count bigint;
BEGIN
    PERFORM sales_perf.stamp_check_mart(mart);

    PERFORM sales_perf.rollup_check_tables(mart);
    -- the rows of others would be missing
    IF (SELECT bool_or(row_security_active(c.oid)) FROM pg_class AS c WHERE c.oid IN (SELECT t.table_id FROM sales_perf.rollup_tables(mart) AS t)) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('rollups of mart %I cannot be maintained: row-level security is forced on its owner', mart),
            HINT = 'ALTER TABLE ... NO FORCE ROW LEVEL SECURITY; it holds for all others then.';
    END IF;

    -- whoever is writing ends first; readers go on, with what was there before
    EXECUTE format('LOCK TABLE %1$I.deal, %1$I.deal_credit, %1$I.fx_rate, %1$I.mart_setting, %1$I.calendar, %1$I.team_membership IN SHARE ROW EXCLUSIVE MODE', mart);
    IF sales_perf.rollup_subjects_unwatched(mart) IS NULL THEN
        EXECUTE format('LOCK TABLE %1$I.account, %1$I.rep, %1$I.sale, %1$I.stage, %1$I.stage_event, %1$I.team IN SHARE ROW EXCLUSIVE MODE', mart);
    END IF;
    EXECUTE format('DELETE FROM %I.rollup_cell', mart);
    EXECUTE format('DELETE FROM %I.rollup_delta', mart);
    EXECUTE format('DELETE FROM %I.rollup_split', mart);
    EXECUTE format('DELETE FROM %I.rollup_touched', mart);
    EXECUTE format('DELETE FROM %I.rollup_boundary_change', mart);
    EXECUTE format('DELETE FROM %I.rollup_state', mart);
    EXECUTE format('DELETE FROM %I.rollup_rate', mart);
    EXECUTE format('DELETE FROM %I.rollup_report', mart);

    EXECUTE format('INSERT INTO %I.rollup_state DEFAULT VALUES', mart);
    EXECUTE format('INSERT INTO %I.rollup_rate DEFAULT VALUES', mart);
    PERFORM sales_perf.rollup_watch(mart);
    EXECUTE format('SELECT %1$I.rollup_rebuild(), %1$I.rollup_subject_fold()', mart);
    EXECUTE format('ANALYZE %I.rollup_cell', mart);
    EXECUTE format('SELECT count(*) FROM %I.rollup_cell', mart) INTO cell_count;
    RETURN format('mart %I: rollups are maintained, %s rows', mart, cell_count);
END
$function$;

COMMENT ON FUNCTION sales_perf.maintain_rollup(text) IS
'From now on keeps the cells of a mart''s deals, of its customers and of the ways of its deals stored, so that reports of today take milliseconds however many deals there are; they show the same figures. Makes them anew where they are maintained already. Writers wait while it runs (about 40 s for a million deals), readers do not. Call fold_rollup() every minute or so, by a scheduler. Data loaded while triggers are off (pg_restore --disable-triggers, session_replication_role) are not seen: rebuild_rollup() then. Refused where a table is no table, or filled by logical replication. Returns what was made, in words.';


CREATE FUNCTION sales_perf.rollup_check(mart text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM sales_perf.stamp_check_mart(mart);
    IF NOT EXISTS (SELECT
                   FROM pg_trigger AS t
                   WHERE t.tgrelid = to_regclass(format('%I.deal', mart))
                     AND t.tgname = 'rollup_deal_insert') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('rollups of mart %I are not maintained', mart),
            HINT = format('SELECT sales_perf.maintain_rollup(%L) makes them.', mart);
    END IF;
END
$function$;

COMMENT ON FUNCTION sales_perf.rollup_check(text) IS
'Internal: an error unless the rollups of a mart of the caller''s are maintained.';


CREATE FUNCTION sales_perf.fold_rollup(mart text, with_reports boolean DEFAULT true)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    folded bigint;
BEGIN
    PERFORM sales_perf.rollup_check(mart);
    -- a subscription may have come since
    PERFORM sales_perf.rollup_check_tables(mart);
    IF sales_perf.rollup_subjects_unwatched(mart) IS NOT NULL THEN
        -- until maintain_rollup() puts the triggers on again
        EXECUTE format('UPDATE %I.rollup_state SET has_subjects = false, derived_on = NULL WHERE has_subjects', mart);
    END IF;
    EXECUTE format('SELECT %I.rollup_fold()', mart) INTO folded;
    EXECUTE format('SELECT $1 + %I.rollup_subject_fold()', mart) INTO folded USING folded;
    IF with_reports THEN
        EXECUTE format('SELECT %I.rollup_keep_reports()', mart);
    END IF;
    RETURN folded;
END
$function$;

COMMENT ON FUNCTION sales_perf.fold_rollup(text, boolean) IS
'Adds up what changes of deals have appended to a mart''s rollups since the last time, so that reading stays quick. with_reports (the default): also makes forecast, goal_progress, account_profile, market_trend, next_best_product and swot anew if anything in the mart has changed, and keeps them, to be shown until the next change; this takes as long as reading them does. Writers do not wait for it, nor it for them; it can be ended at any moment. Returns how many stored rows of cells it wrote; 0 with a notice if another session is folding.';


CREATE FUNCTION sales_perf.verify_rollup(mart text)
RETURNS TABLE (cell text, grain text, cell_count bigint, wrong_count bigint)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    readable_grain text;
BEGIN
    PERFORM sales_perf.rollup_check(mart);
    IF sales_perf.as_of() < current_date THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('rollups are of today, and as_of() is %s', sales_perf.as_of()),
            HINT = 'RESET sales_perf.as_of first.';
    END IF;
    EXECUTE format('SELECT %I.rollup_grain()', mart) INTO readable_grain;
    IF readable_grain IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('rollups of mart %I do not serve now, and reports read the deals', mart),
            DETAIL = 'Changes are dated in the future (deal_change), amounts of open or split deals are NaN or infinite, a trigger is disabled, or row-level security holds for you.',
            HINT = format('Look for deal_amount_not_a_number in data_quality; when it is mended, SELECT sales_perf.fold_rollup(%L).', mart);
    END IF;
    RETURN QUERY EXECUTE format('SELECT * FROM %1$I.rollup_verify() UNION ALL SELECT * FROM %1$I.rollup_subject_verify() ORDER BY 1, 2', mart);
END
$function$;

COMMENT ON FUNCTION sales_perf.verify_rollup(text) IS
'Proves that a mart''s rollups are what its deals say: makes all cells anew and compares each with the stored one by =, in one snapshot. For each kind of cell and grain how many there are and how many are wrong: 0, or rebuild_rollup() is needed. Takes as long as reading all deals does.';


CREATE FUNCTION sales_perf.rebuild_rollup(mart text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    mended bigint;
BEGIN
    PERFORM sales_perf.rollup_check(mart);
    EXECUTE format('SELECT %I.rollup_rebuild()', mart) INTO mended;
    EXECUTE format('SELECT %I.rollup_subject_fold()', mart);
    RETURN mended;
END
$function$;

COMMENT ON FUNCTION sales_perf.rebuild_rollup(text) IS
'Makes a mart''s rollups equal to its deals again, after loads with triggers off for instance. Writers wait while it runs. Returns how many cells of deals were wrong.';
