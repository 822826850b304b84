-- What lives in a CRM's tables: refresh_rollup() brings in what has changed there since the last time.

CREATE FUNCTION sales_perf.refresh_check_source(mart text, entity text, source regclass, watermark_column text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    entity_table CONSTANT regclass := (SELECT c.oid
                                       FROM pg_class AS t
                                       JOIN pg_class AS c ON c.relname = t.relname
                                       WHERE t.relnamespace = 'sales_perf_template'::regnamespace
                                         AND t.relname = entity
                                         AND t.relkind = 'r'
                                         AND NOT starts_with(t.relname::text, 'rollup_')
                                         AND t.relname <> 'refresh_source'
                                         AND c.relnamespace = to_regnamespace(quote_ident(mart))
                                         AND c.relkind IN ('r', 'p'));
    watermark_type regtype;
    missing text;
BEGIN
    IF entity_table IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_table',
            MESSAGE = format('"%s" is no table of mart %I', entity, mart),
            DETAIL = 'In refresh_source, entity is the table of the mart that is to be filled.',
            HINT = 'For instance account, deal, rep, sale, stage or team.';
    ELSIF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = source) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_table',
            MESSAGE = format('the source of %I in mart %I does not exist any more', entity, mart),
            DETAIL = format('It was the relation with OID %s.', source::oid),
            HINT = 'UPDATE refresh_source SET source = ... names another one.';
    END IF;

    IF NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = entity_table AND i.indisprimary)
       OR EXISTS (SELECT
                  FROM pg_index AS i
                  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                  WHERE i.indrelid = entity_table
                    AND i.indisprimary
                    AND a.attidentity <> '') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'wrong_object_type',
            MESSAGE = format('%I cannot be refreshed from %s', entity, source),
            DETAIL = 'Its rows have no key that a source could know them by: the mart numbers them, or they have none.',
            HINT = CASE WHEN entity IN ('deal_change', 'stage_event')
                        THEN 'The mart records it as deals change. Load what is older once, by hand.'
                        ELSE 'Load it by hand.'
                   END;
    END IF;

    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    INTO missing
    FROM pg_index AS i
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = entity_table
      AND i.indisprimary
      AND NOT EXISTS (SELECT FROM pg_attribute AS s WHERE s.attrelid = source AND s.attname = a.attname AND s.attnum > 0 AND NOT s.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_column',
            MESSAGE = format('source %s of %I has no %s', source, entity, missing),
            DETAIL = 'The rows of a source are known by the primary key of the table that they fill.',
            HINT = format('Make a view with the column names of %I.', entity);
    END IF;

    SELECT a.atttypid
    INTO watermark_type
    FROM pg_attribute AS a
    WHERE a.attrelid = source
      AND a.attname = watermark_column
      AND a.attnum > 0
      AND NOT a.attisdropped;
    IF watermark_type IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_column',
            MESSAGE = format('source %s of %I has no watermark column "%s"', source, entity, watermark_column);
    ELSIF watermark_type <> ALL (ARRAY['timestamptz', 'timestamp', 'date', 'bigint', 'integer', 'smallint']::regtype[]) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'datatype_mismatch',
            MESSAGE = format('watermark column %I of source %s is of type %s', watermark_column, source, watermark_type),
            HINT = 'It must be a timestamp, a date or an integer that grows with each change.';
    END IF;

    -- else a misspelt column would be left out and nobody told
    SELECT string_agg(quote_ident(s.attname), ', ' ORDER BY s.attnum)
    INTO missing
    FROM pg_attribute AS s
    WHERE s.attrelid = source
      AND s.attnum > 0
      AND NOT s.attisdropped
      AND s.attname <> watermark_column
      AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = entity_table AND a.attname = s.attname AND a.attnum > 0 AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_column',
            MESSAGE = format('%I has no column %s, which source %s has', entity, missing, source),
            HINT = format('Make a view of what is to be brought in, with the column names of %I.', entity);
    END IF;
END
$function$;

COMMENT ON FUNCTION sales_perf.refresh_check_source(text, text, regclass, text) IS
'Internal: an error unless a table of a mart can be filled from a relation, whose watermark is that column.';


CREATE FUNCTION sales_perf.refresh_rollup(mart text, complete boolean DEFAULT false)
RETURNS TABLE (entity text, read_count bigint, written_count bigint, deleted_count bigint, skipped_count bigint, watermark text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET DateStyle = 'ISO, YMD'
AS $function$
DECLARE
    feed         record;
    piece        record;
    entity_table regclass;
    since        text;
    source_rows  text;
    gone         text;
    changed_count bigint;
BEGIN
    PERFORM sales_perf.stamp_check_mart(mart);
    -- rows that refer to each other come in whatever order: checked at commit
    SET CONSTRAINTS ALL DEFERRED;

    -- who refreshes at the same time waits here, and goes on from where this ends
    FOR feed IN EXECUTE format('SELECT * FROM %I.refresh_source ORDER BY entity COLLATE "C" FOR UPDATE', mart) LOOP
        PERFORM sales_perf.refresh_check_source(mart, feed.entity, feed.source, feed.watermark_column);
        entity := feed.entity;
        entity_table := format('%I.%I', mart, feed.entity);

        SELECT string_agg(format('s.%1$I::%2$s AS %1$I', c.attname, format_type(c.atttypid, c.atttypmod)), ', ' ORDER BY c.attnum) AS taken,
               string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum) AS columns,
               string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum) FILTER (WHERE c.is_key) AS keys,
               string_agg(format('r.%I IS NOT NULL', c.attname), ' AND ' ORDER BY c.attnum) FILTER (WHERE c.is_key) AS has_keys,
               string_agg(format('t.%1$I = l.%1$I', c.attname), ' AND ' ORDER BY c.attnum) FILTER (WHERE c.is_key) AS has_same_keys,
               string_agg(format('s.%1$I::%2$s = t.%1$I', c.attname, format_type(c.atttypid, c.atttypmod)), ' AND ' ORDER BY c.attnum) FILTER (WHERE c.is_key) AS is_in_source,
               string_agg(format(' AND t.%1$I IS NOT DISTINCT FROM l.%1$I', c.attname), '' ORDER BY c.attnum) FILTER (WHERE NOT c.is_key) AS is_same,
               coalesce('UPDATE SET ' || string_agg(format('%1$I = excluded.%1$I', c.attname), ', ' ORDER BY c.attnum) FILTER (WHERE NOT c.is_key), 'NOTHING') AS action
        INTO STRICT piece
        FROM (SELECT a.attnum, a.attname, a.atttypid, a.atttypmod,
                     EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS is_key
              FROM pg_attribute AS a
              JOIN pg_attribute AS s ON s.attrelid = feed.source AND s.attname = a.attname AND s.attnum > 0 AND NOT s.attisdropped
              WHERE a.attrelid = entity_table
                AND a.attnum > 0
                AND NOT a.attisdropped) AS c;

        SELECT CASE
                   WHEN complete OR feed.watermark IS NULL THEN ''
                   WHEN w.is_time THEN format(' WHERE s.%1$I >= %2$L::%3$s - %4$L::interval OR s.%1$I IS NULL', w.attname, feed.watermark, w.type_name, feed.overlap)
                   ELSE format(' WHERE s.%1$I >= %2$L::%3$s OR s.%1$I IS NULL', w.attname, feed.watermark, w.type_name)
               END,
               -- Of rows with one key the one that was changed last. What is here already is left alone: a statement that
               -- writes nothing would still tell the triggers that something has changed.
               format('WITH read_row AS MATERIALIZED (SELECT %s, %s AS refresh_watermark FROM %s AS s', piece.taken,
                      -- one of days to come (or infinity) would hide all that changes until then
                      CASE WHEN w.is_time THEN format('CASE WHEN s.%1$I > now()::%2$s THEN now()::%2$s ELSE s.%1$I END', w.attname, w.type_name) ELSE format('s.%I', w.attname) END, feed.source)
        INTO STRICT since, source_rows
        FROM (SELECT a.attname, format_type(a.atttypid, -1) AS type_name, a.atttypid = ANY (ARRAY['timestamptz', 'timestamp', 'date']::regtype[]) AS is_time
              FROM pg_attribute AS a
              WHERE a.attrelid = feed.source
                AND a.attname = feed.watermark_column) AS w;
        source_rows := source_rows || since
            || format('), latest AS MATERIALIZED (SELECT DISTINCT ON (%1$s) r.* FROM read_row AS r WHERE %2$s ORDER BY %1$s, refresh_watermark DESC NULLS LAST, r::text COLLATE "C")',
                      piece.keys, piece.has_keys)
            || format(', changed AS (SELECT l.* FROM latest AS l WHERE NOT EXISTS (SELECT FROM %s AS t WHERE %s%s)) ', entity_table, piece.has_same_keys, piece.is_same);

        EXECUTE source_rows || 'SELECT (SELECT count(*) FROM read_row), (SELECT count(*) FROM read_row) - (SELECT count(*) FROM latest), (SELECT count(*) FROM changed), (SELECT max(refresh_watermark)::text FROM read_row)'
        INTO read_count, skipped_count, changed_count, watermark;
        watermark := coalesce(watermark, feed.watermark);

        written_count := 0;
        IF changed_count > 0 THEN
            EXECUTE source_rows || format('INSERT INTO %s (%s) SELECT %2$s FROM changed ON CONFLICT (%s) DO %s', entity_table, piece.columns, piece.keys, piece.action);
            GET DIAGNOSTICS written_count = ROW_COUNT;
        END IF;

        deleted_count := 0;
        IF complete THEN
            gone := format('FROM %s AS t WHERE NOT EXISTS (SELECT FROM %s AS s WHERE %s)', entity_table, feed.source, piece.is_in_source);
            EXECUTE 'SELECT count(*) ' || gone INTO changed_count;
            IF changed_count > 0 AND read_count = 0 THEN
                RAISE EXCEPTION USING
                    ERRCODE = 'object_not_in_prerequisite_state',
                    MESSAGE = format('source %s of %I has no rows', feed.source, feed.entity),
                    DETAIL = format('All %s rows of %s would be deleted.', changed_count, entity_table),
                    HINT = 'If that is meant, delete them by hand.';
            ELSIF changed_count > 0 THEN
                EXECUTE 'DELETE ' || gone;
                GET DIAGNOSTICS deleted_count = ROW_COUNT;
            END IF;
        END IF;

        EXECUTE format('UPDATE %I.refresh_source SET watermark = $1, refreshed_at = clock_timestamp() WHERE entity = $2', mart) USING watermark, feed.entity;
        RETURN NEXT;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION sales_perf.refresh_rollup(text, boolean) IS
'Brings into a mart what has changed, since the last time, in the relations that its table refresh_source names (a CRM''s tables, or views of them with the column names of the mart): rows whose watermark is no older than the latest one read, less overlap, and those that have none. They are written as if by hand, so rollups, history and reports follow; rows that are the same already are not written. A watermark does not tell what was deleted: complete => true reads all rows, and deletes those that the source does not have. For each table: how many rows were read, written (inserted or updated), deleted and skipped (without a key, or a second one of the same key: the one changed last is taken), and the watermark now; rollup_freshness tells it later. Call it by a scheduler, and fold_rollup() after it. An error (a key that is missing, a text that is no date) undoes all of it.';
