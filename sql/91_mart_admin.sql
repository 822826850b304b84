-- Administration of marts: create_mart, upgrade_mart, drop_mart.
--
-- All three run with the caller's rights, and only for the schema's owner himself: a mart and its
-- schema have one owner, and nobody else (a superuser least of all) runs what that owner may have
-- put into it.
--
-- What DROP EXTENSION does to marts. Their views and some of their functions need the library, so
-- DROP EXTENSION sales_perf is refused while a mart is there. With CASCADE these go, but no table,
-- column, key or row does: a mart's tables use no type and no function of the extension (a test
-- holds the template to that). CREATE EXTENSION and upgrade_mart then bring the rest back.

CREATE FUNCTION sales_perf.stamp_check_name(mart text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF mart IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'null_value_not_allowed',
            MESSAGE = 'name of the mart must not be null';
    ELSIF mart = '' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_name',
            MESSAGE = 'name of the mart must not be empty';
    ELSIF octet_length(mart) > 63 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'name_too_long',
            MESSAGE = format('name of mart %I is too long', mart),
            DETAIL = format('It has %s bytes; a schema name has 63 at most.', octet_length(mart));
    ELSIF starts_with(mart, 'pg_')
       OR mart IN ('information_schema', 'sales_perf', 'sales_perf_template', '$user') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'reserved_name',
            MESSAGE = format('schema name %I is reserved', mart),
            HINT = 'Choose another name for the mart, such as sales.';
    END IF;
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_check_name(text) IS
'Internal: an error if a mart cannot have this name.';


CREATE FUNCTION sales_perf.stamp_check_owner(mart text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    owner CONSTANT name := (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.nspname = mart);
BEGIN
    IF owner <> current_user THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = format('must be owner of schema %I', mart),
            DETAIL = format('It belongs to role %I; a mart and its schema have one owner.', owner),
            HINT = format('A member of that role, or a superuser, can SET ROLE %I first.', owner);
    END IF;
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_check_owner(text) IS
'Internal: an error if a schema is there and not the caller''s.';


CREATE FUNCTION sales_perf.stamp_is_mart(schema_name text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT
                   FROM pg_proc AS p
                   JOIN pg_namespace AS n ON n.oid = p.pronamespace
                   WHERE n.nspname = schema_name
                     AND p.proname = 'mart_version'
                     AND p.pronargs = 0
                     AND p.prorettype = 'text'::regtype);
END;

COMMENT ON FUNCTION sales_perf.stamp_is_mart(text) IS
'Internal: whether a schema is a mart (the template is one too).';


CREATE FUNCTION sales_perf.stamp_check_mart(mart text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM sales_perf.stamp_check_name(mart);

    IF NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = mart) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_schema_name',
            MESSAGE = format('mart %I does not exist', mart),
            HINT = format('SELECT sales_perf.create_mart(%L) makes it.', mart);
    ELSIF NOT sales_perf.stamp_is_mart(mart) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'wrong_object_type',
            MESSAGE = format('schema %I is not a mart', mart),
            DETAIL = 'A mart has a function mart_version().';
    END IF;

    PERFORM sales_perf.stamp_check_owner(mart);
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_check_mart(text) IS
'Internal: an error unless this is a mart of the caller''s.';


CREATE FUNCTION sales_perf.stamp_names(schema_name text)
RETURNS TABLE (kind text, name text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'relation', c.relname::text
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema_name)
    UNION
    SELECT 'type', t.typname
    FROM pg_type AS t
    WHERE t.typnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema_name)
      AND t.typcategory <> 'A'
    UNION
    SELECT 'function', p.proname
    FROM pg_proc AS p
    WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema_name)
    UNION
    SELECT 'operator', o.oprname
    FROM pg_operator AS o
    WHERE o.oprnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema_name);
END;

COMMENT ON FUNCTION sales_perf.stamp_names(text) IS
'Internal: the names taken in a schema.';


CREATE FUNCTION sales_perf.stamp_check_names(mart text, other_schema text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    names CONSTANT text := (SELECT string_agg(format('%s %s', m.kind, quote_ident(m.name)), ', ' ORDER BY m.kind, m.name)
                            FROM sales_perf.stamp_names(mart) AS m
                            JOIN sales_perf.stamp_names(other_schema) AS o ON o.kind = m.kind AND o.name = m.name);
BEGIN
    IF names IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_object',
            MESSAGE = format('schema %I holds names that %I has too', mart, other_schema),
            DETAIL = format('They are: %s.', names),
            HINT = 'Rename these, or choose another schema for the mart.';
    END IF;
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_check_names(text, text) IS
'Internal: an error if two schemas have a name in common. A mart must have none of pg_catalog''s, as its own come first: what the template means by lower(...) is the built-in one.';


CREATE FUNCTION sales_perf.stamp_run(schema_name text, statements text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET check_function_bodies = off
SET quote_all_identifiers = off
AS $function$
BEGIN
    PERFORM set_config('search_path', sales_perf.stamp_path(schema_name), true);
    EXECUTE statements;
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_run(text, text) IS
'Internal: runs statements, with the caller''s rights, with this schema first on the path.';


-- A view that PostgreSQL wrote out and read in again may be written out a little differently the
-- next time (UNION gives its unnamed columns names). The template goes through that once, here; so
-- a stamped view reads the same as the template's, and one that does not was changed.
DO $block$
BEGIN
    PERFORM sales_perf.stamp_run('sales_perf_template', p.definition)
    FROM sales_perf.stamp_pieces('sales_perf_template') AS p
    WHERE p.kind IN ('view', 'function', 'procedure');
END
$block$;


CREATE FUNCTION sales_perf.stamp_dependents(class_id oid, object_id oid)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(pg_describe_object(d.class_id, d.object_id, 0), ', ' ORDER BY d.class_id, d.object_id)
    FROM sales_perf.stamp_dependencies() AS d
    WHERE d.on_class_id = stamp_dependents.class_id
      AND d.on_object_id = stamp_dependents.object_id;
END;

COMMENT ON FUNCTION sales_perf.stamp_dependents(oid, oid) IS
'Internal: what stands directly on an object, in words.';


CREATE FUNCTION sales_perf.stamp_leftover(mart text)
RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH piece AS MATERIALIZED
    (
        SELECT *
        FROM sales_perf.stamp_pieces(mart)
        WHERE step = 0
          AND kind <> 'comment'
    ),
    leftover AS
    (
        SELECT m.kind, m.name
        FROM sales_perf.stamp_dependencies() AS d
        JOIN piece AS m ON (m.class_id, m.object_id) = (d.class_id, d.object_id)
        JOIN sales_perf.stamp_pieces('sales_perf_template') AS t ON (t.class_id, t.object_id) = (d.on_class_id, d.on_object_id)
        UNION
        SELECT m.kind, m.name
        FROM pg_proc AS p
        JOIN piece AS m ON (m.class_id, m.object_id) = ('pg_proc'::regclass, p.oid)
        WHERE strpos(p.proconfig::text, 'sales_perf_template') > 0
    )
    SELECT string_agg(l.kind || ' ' || l.name, ', ' ORDER BY l.kind, l.name)
    FROM leftover AS l;
END;

COMMENT ON FUNCTION sales_perf.stamp_leftover(text) IS
'Internal: what in a mart depends on the template or has it on its search path, in words; NULL, as it must be, if nothing does.';


CREATE FUNCTION sales_perf.stamp_mart(mart text)
RETURNS TABLE (action text, kind text, name text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    change         record;
    turn           text;
    needs_calendar boolean := false;
    leftover       text;
    error_state    text;
    error_message  text;
    error_detail   text;
BEGIN
    PERFORM sales_perf.stamp_check_name(mart);
    PERFORM sales_perf.stamp_check_owner(mart);

    IF NOT has_schema_privilege('sales_perf_template', 'USAGE') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'permission denied for schema sales_perf_template',
            HINT = 'The extension grants USAGE on it to PUBLIC; somebody took that back.';
    END IF;

    PERFORM sales_perf.stamp_check_names(mart, 'pg_catalog');

    -- What the owner changed in a table or its columns stays: of these only what is missing is made.
    -- Everything else follows the template. Column settings and comments have turns of their own,
    -- when it is known which came with a column, or went with a constraint that was replaced.
    FOREACH turn IN ARRAY ARRAY['object', 'column setting', 'comment']
    LOOP
        FOR change IN
            SELECT t.kind,
                   t.name,
                   t.definition,
                   m.name IS NOT NULL AS is_present,
                   CASE WHEN t.kind IN ('constraint', 'index', 'statistics', 'trigger', 'policy') THEN m.removal END AS removal,
                   m.class_id,
                   m.object_id
            FROM sales_perf.stamp_pieces('sales_perf_template') WITH ORDINALITY
                 AS t (kind, name, definition, removal, class_id, object_id, step, place)
            LEFT JOIN sales_perf.stamp_pieces(mart) AS m ON m.kind = t.kind AND m.name = t.name
            WHERE turn = CASE WHEN t.kind IN ('column setting', 'comment') THEN t.kind ELSE 'object' END
              AND (m.name IS NULL
                   OR t.kind NOT IN ('type', 'domain', 'table', 'column', 'column setting')
                      -- the mart's own: register_kpi() makes it, from what is registered there
                      AND NOT (t.kind = 'view' AND t.name = 'custom_kpi_row')
                      AND t.definition <> m.definition)
            ORDER BY t.place
        LOOP
            BEGIN
                PERFORM sales_perf.stamp_run(mart, concat_ws('; ', change.removal, change.definition));
            EXCEPTION
                WHEN OTHERS THEN
                    GET STACKED DIAGNOSTICS
                        error_state = RETURNED_SQLSTATE,
                        error_message = MESSAGE_TEXT,
                        error_detail = PG_EXCEPTION_DETAIL;
                    RAISE EXCEPTION USING
                        ERRCODE = error_state,
                        MESSAGE = format('could not make %s %s of mart %I: %s', change.kind, change.name, mart, error_message),
                        DETAIL = concat_ws(E'\n',
                                           nullif(error_detail, ''),
                                           'On it stand: ' || sales_perf.stamp_dependents(change.class_id, change.object_id),
                                           'The statement was: ' || change.definition),
                        HINT = CASE WHEN change.is_present
                                    THEN format('Drop or rename %s %s, which differs from what sales_perf makes, and what stands on it; then upgrade the mart.', change.kind, change.name)
                                    ELSE 'Nothing in the mart was changed.'
                               END;
            END;
            action := CASE WHEN change.is_present THEN 'replaced' ELSE 'added' END;
            kind := change.kind;
            name := change.name;
            RETURN NEXT;

            needs_calendar := needs_calendar OR (kind = 'table' AND name = 'calendar');
        END LOOP;
    END LOOP;

    leftover := sales_perf.stamp_leftover(mart);
    IF leftover IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'internal_error',
            MESSAGE = format('mart %I would depend on schema sales_perf_template', mart),
            DETAIL = format('These do: %s.', leftover);
    END IF;

    IF needs_calendar THEN
        PERFORM sales_perf.stamp_run(mart, 'SELECT fill_calendar()');
    END IF;
    -- what is in order there is not written again
    PERFORM sales_perf.stamp_run(mart, 'SELECT fill_kpi()');
    -- tables that are new are to be watched, too
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(format('%I.deal', mart)) AND t.tgname = 'rollup_deal_insert') THEN
        PERFORM sales_perf.rollup_watch(mart);
    END IF;
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_mart(text) IS
'Internal: makes in a schema of the caller''s every piece of the template that is missing or different there, and says which. All of create_mart and upgrade_mart but their checks.';


CREATE FUNCTION sales_perf.create_mart(mart text, reporting_currency text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    made text;
BEGIN
    PERFORM sales_perf.stamp_check_name(mart);

    IF NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = mart) THEN
        EXECUTE format('CREATE SCHEMA %I', mart);
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', mart,
                       'A mart of sales_perf: its tables hold deals, its views are the reports on them.');
    ELSIF sales_perf.stamp_is_mart(mart) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_schema',
            MESSAGE = format('mart %I already exists', mart),
            HINT = 'sales_perf.upgrade_mart brings it up to date; sales_perf.drop_mart drops it.';
    ELSE
        PERFORM sales_perf.stamp_check_names(mart, 'sales_perf_template');
    END IF;

    SELECT format('mart %I: %s tables, %s views, %s functions', mart,
                  count(*) FILTER (WHERE s.kind = 'table'),
                  count(*) FILTER (WHERE s.kind = 'view'),
                  count(*) FILTER (WHERE s.kind IN ('function', 'procedure')))
    INTO made
    FROM sales_perf.stamp_mart(mart) AS s;

    IF reporting_currency IS NOT NULL THEN
        PERFORM sales_perf.stamp_run(mart, format('SELECT set_reporting_currency(%L)', reporting_currency));
    END IF;

    RETURN made;
END
$function$;

COMMENT ON FUNCTION sales_perf.create_mart(text, text) IS
'Makes a mart: the tables, views and functions of sales_perf_template in a schema of this name, which is created if it is not there, and which must belong to the caller and hold none of their names if it is. They belong to the caller, and nobody else can read them until he grants it. The name is taken as it stands, capitals and all. The reporting currency (ISO 4217 code) is that of all amounts in reports; set_reporting_currency() in the mart sets it later. Returns what was made, in words.';


CREATE FUNCTION sales_perf.upgrade_mart(mart text)
RETURNS TABLE (action text, kind text, name text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    mart_version text;
BEGIN
    PERFORM sales_perf.stamp_check_mart(mart);

    EXECUTE format('SELECT %I.mart_version()', mart) INTO mart_version;
    IF string_to_array(mart_version, '.')::integer[] > string_to_array(sales_perf_template.mart_version(), '.')::integer[] THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('mart %I is of version %s, newer than the extension, which is of version %s',
                             mart, mart_version, sales_perf_template.mart_version()),
            HINT = 'ALTER EXTENSION sales_perf UPDATE first.';
    END IF;

    RETURN QUERY
    SELECT s.action, s.kind, s.name
    FROM sales_perf.stamp_mart(mart) AS s;
END
$function$;

COMMENT ON FUNCTION sales_perf.upgrade_mart(text) IS
'Brings a mart of the caller''s up to the installed version of sales_perf and returns what it added or replaced: no row, if nothing was to be done. Missing tables, columns, constraints, indexes and triggers are added; functions, views, constraints, indexes, triggers and comments that differ are replaced. Rows, columns that are there and whatever the mart did not make stay as they are; nothing that others stand on is dropped: where one is in the way, an error names it. A mart whose schema was renamed is put right in the same way.';


CREATE FUNCTION sales_perf.drop_mart(mart text, confirm text, with_others boolean DEFAULT false)
RETURNS TABLE (table_name text, row_count bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    piece         record;
    error_message text;
    error_detail  text;
BEGIN
    PERFORM sales_perf.stamp_check_mart(mart);

    IF confirm IS DISTINCT FROM mart THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('mart %I is not dropped: its name was not confirmed', mart),
            HINT = format('Its rows go with it. To drop it give its name twice: drop_mart(%L, %L).', mart, mart);
    END IF;

    FOR piece IN
        SELECT c.relname
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = mart
          AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition
        ORDER BY c.relname
    LOOP
        table_name := piece.relname;
        EXECUTE format('SELECT count(*) FROM %I.%I', mart, piece.relname) INTO row_count;
        RETURN NEXT;
    END LOOP;

    IF with_others THEN
        EXECUTE format('DROP SCHEMA %I CASCADE', mart);
        RETURN;
    END IF;

    -- Without CASCADE anywhere: so nothing goes but what the mart is made of, here or elsewhere.
    BEGIN
        FOR piece IN
            SELECT m.removal
            FROM sales_perf.stamp_pieces(mart) WITH ORDINALITY
                 AS m (kind, name, definition, removal, class_id, object_id, step, place)
            JOIN sales_perf.stamp_pieces('sales_perf_template') AS t ON t.kind = m.kind AND t.name = m.name
            WHERE m.removal IS NOT NULL
            ORDER BY m.place DESC
        LOOP
            PERFORM sales_perf.stamp_run(mart, piece.removal);
        END LOOP;
        EXECUTE format('DROP SCHEMA %I', mart);
    EXCEPTION
        WHEN dependent_objects_still_exist THEN
            GET STACKED DIAGNOSTICS
                error_message = MESSAGE_TEXT,
                error_detail = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION USING
                ERRCODE = 'dependent_objects_still_exist',
                MESSAGE = format('mart %I is not dropped: there are objects in it or standing on it that it did not make', mart),
                DETAIL = error_message || E'\n' || error_detail,
                HINT = format('Drop or move them first, or drop them too: drop_mart(%L, %L, with_others => true).', mart, mart);
    END;
END
$function$;

COMMENT ON FUNCTION sales_perf.drop_mart(text, text, boolean) IS
'Drops a mart of the caller''s with all its rows, and its schema. Wants the mart''s name twice. Returns its tables and how many rows they had. Refuses when there are objects in the schema, or elsewhere and depending on it, that the mart did not make, unless with_others is true: then they go too.';
