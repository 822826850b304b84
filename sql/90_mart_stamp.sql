-- How a mart is stamped: reading the definitions of a schema's objects from the catalogues and
-- running them in another schema.
--
-- The unit is the piece: a table, a column, a view, a function, a constraint, a comment ... with the
-- statement that makes it. A piece is read with its own schema first on the search path and made
-- with the new one first, so no statement names a schema and no text is ever searched and replaced
-- for one. From this everything follows: create_mart makes all pieces of the template, upgrade_mart
-- those that are missing or read differently, drop_mart removes them in the opposite order, and two
-- marts are alike when their pieces are.
--
-- Everything named stamp_... is internal. It runs with the caller's rights and only reads the
-- catalogues, except for stamp_run and stamp_mart. The readers have BEGIN ATOMIC bodies, bound to
-- pg_catalog when the extension is made: a search path changes what pg_get_viewdef and its like
-- print, never which functions and operators run here.

GRANT USAGE ON SCHEMA sales_perf TO PUBLIC;
-- Stamping reads the template as the caller: without USAGE its names would come out qualified, and
-- a mart would silently read the empty template.
GRANT USAGE ON SCHEMA sales_perf_template TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA sales_perf_template TO PUBLIC;

CREATE FUNCTION sales_perf_template.mart_version()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '1.0';

COMMENT ON FUNCTION sales_perf_template.mart_version() IS
'The version of sales_perf that this mart was made by or last upgraded to. A schema that has this function is a mart. It needs nothing of the extension, so it outlives DROP EXTENSION ... CASCADE.';


CREATE TYPE sales_perf.stamp_piece AS
(
    kind        text,
    name        text,
    definition  text,
    removal     text,
    class_id    oid,
    object_id   oid,
    step        integer
);

COMMENT ON TYPE sales_perf.stamp_piece IS
'Internal to create_mart: one piece of a mart''s schema.';
COMMENT ON COLUMN sales_perf.stamp_piece.kind IS
'In words of SQL: table, column, view, function, constraint, trigger, comment ...';
COMMENT ON COLUMN sales_perf.stamp_piece.name IS
'Unique within its kind; quoted, without the schema; such as SQL wants after DROP or COMMENT ON';
COMMENT ON COLUMN sales_perf.stamp_piece.definition IS
'The statements that make it, to be run with its schema first on the search path';
COMMENT ON COLUMN sales_perf.stamp_piece.removal IS
'The statement that drops it; NULL where it goes with the object it belongs to';
COMMENT ON COLUMN sales_perf.stamp_piece.class_id IS
'The catalogue of the object that it is or belongs to';
COMMENT ON COLUMN sales_perf.stamp_piece.object_id IS
'The object that it is or belongs to';
COMMENT ON COLUMN sales_perf.stamp_piece.step IS
'Its place among the pieces of one object: 0 is the object itself';


CREATE FUNCTION sales_perf.stamp_path(schema_name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN format('%I, pg_catalog, pg_temp', schema_name);

COMMENT ON FUNCTION sales_perf.stamp_path(text) IS
'Internal: the search path under which a mart''s definitions are read, made and run. pg_temp stands last, or a temporary table named deal would come first.';


CREATE FUNCTION sales_perf.stamp_options(options text[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(' WITH (' || string_agg(format('%I=%L', o.option_name, o.option_value), ', ') || ')', '')
    FROM pg_options_to_table(options) AS o;
END;

COMMENT ON FUNCTION sales_perf.stamp_options(text[]) IS
'Internal: storage parameters as a WITH clause.';


CREATE FUNCTION sales_perf.stamp_types(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'type',
           quote_ident(t.typname),
           format('CREATE TYPE %I AS ENUM (%s)', t.typname,
                  (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                   FROM pg_enum AS e
                   WHERE e.enumtypid = t.oid)),
           format('DROP TYPE %I', t.typname),
           'pg_type'::regclass::oid,
           t.oid,
           0
    FROM pg_type AS t
    WHERE t.typnamespace = schema_id
      AND t.typtype = 'e'
    UNION ALL
    SELECT 'domain',
           quote_ident(t.typname),
           concat(format('CREATE DOMAIN %I AS %s', t.typname, format_type(t.typbasetype, t.typtypmod)),
                  CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation END,
                  ' DEFAULT ' || t.typdefault,
                  CASE WHEN t.typnotnull THEN ' NOT NULL' END,
                  (SELECT string_agg(format(' CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid)), '' ORDER BY c.conname)
                   FROM pg_constraint AS c
                   WHERE c.contypid = t.oid
                     AND c.contype = 'c')),
           format('DROP DOMAIN %I', t.typname),
           'pg_type'::regclass::oid,
           t.oid,
           0
    FROM pg_type AS t
    JOIN pg_type AS b ON b.oid = t.typbasetype
    WHERE t.typnamespace = schema_id
      AND t.typtype = 'd';
END;

COMMENT ON FUNCTION sales_perf.stamp_types(oid) IS
'Internal: the enums and domains of a schema.';


CREATE FUNCTION sales_perf.stamp_tables(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- Without columns: each of them is a piece of its own, so that a table of an older version and
    -- one that is not there yet are brought up to date in the same way.
    SELECT 'table',
           quote_ident(t.relname),
           concat('CREATE ',
                  CASE t.relpersistence WHEN 'u' THEN 'UNLOGGED ' END,
                  format('TABLE %I ()', t.relname),
                  sales_perf.stamp_options(t.reloptions)),
           format('DROP TABLE %I', t.relname),
           'pg_class'::regclass::oid,
           t.oid,
           0
    FROM pg_class AS t
    WHERE t.relnamespace = schema_id
      AND t.relkind IN ('r', 'p')
    UNION ALL
    SELECT 'row security',
           format('%s ON %I', s.setting, t.relname),
           format('ALTER TABLE %I %s ROW LEVEL SECURITY', t.relname, s.setting),
           NULL,
           'pg_class'::regclass::oid,
           t.oid,
           3
    FROM pg_class AS t
    CROSS JOIN LATERAL (VALUES ('ENABLE', t.relrowsecurity),
                               ('FORCE', t.relforcerowsecurity)) AS s (setting, is_set)
    WHERE t.relnamespace = schema_id
      AND t.relkind IN ('r', 'p')
      AND s.is_set;
END;

COMMENT ON FUNCTION sales_perf.stamp_tables(oid) IS
'Internal: the tables of a schema.';


CREATE FUNCTION sales_perf.stamp_identity(table_id oid, column_no smallint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT concat(format('(START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s',
                         s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache),
                  CASE WHEN s.seqcycle THEN ' CYCLE' END,
                  ')')
    FROM pg_depend AS d
    JOIN pg_sequence AS s ON s.seqrelid = d.objid
    WHERE d.classid = 'pg_class'::regclass
      AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = table_id
      AND d.refobjsubid = column_no
      AND d.deptype = 'i';
END;

COMMENT ON FUNCTION sales_perf.stamp_identity(oid, smallint) IS
'Internal: the options of an identity column''s sequence.';


CREATE FUNCTION sales_perf.stamp_columns(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH table_column AS
    (
        SELECT t.oid AS table_id,
               t.relname,
               a.attname,
               a.attnum,
               a.attnotnull,
               format_type(a.atttypid, a.atttypmod) AS type_name,
               CASE WHEN a.attcollation <> y.typcollation THEN a.attcollation::regcollation END AS collation_name,
               CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity,
               CASE a.attgenerated WHEN 's' THEN 'STORED' WHEN 'v' THEN 'VIRTUAL' END AS generated,
               pg_get_expr(d.adbin, d.adrelid) AS expression,
               CASE WHEN a.attstorage <> y.typstorage
                    THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' WHEN 'x' THEN 'EXTENDED' END
               END AS storage,
               CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
               nullif(coalesce(a.attstattarget, -1), -1) AS statistics_target
        FROM pg_class AS t
        JOIN pg_attribute AS a ON a.attrelid = t.oid
        JOIN pg_type AS y ON y.oid = a.atttypid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE t.relnamespace = schema_id
          AND t.relkind IN ('r', 'p')
          AND a.attnum > 0
          AND NOT a.attisdropped
    )
    -- The column comes with its default and NOT NULL at once: it may be added to a table with rows.
    SELECT 'column',
           format('%I.%I', c.relname, c.attname),
           concat(format('ALTER TABLE %I ADD COLUMN %I %s', c.relname, c.attname, c.type_name),
                  ' COLLATE ' || c.collation_name,
                  CASE WHEN c.identity IS NOT NULL
                       THEN format(' GENERATED %s AS IDENTITY %s', c.identity, sales_perf.stamp_identity(c.table_id, c.attnum))
                       WHEN c.generated IS NOT NULL
                       THEN format(' GENERATED ALWAYS AS (%s) %s', c.expression, c.generated)
                       WHEN c.expression IS NOT NULL
                       THEN format(' DEFAULT %s', c.expression)
                  END,
                  CASE WHEN c.attnotnull THEN ' NOT NULL' END),
           NULL,
           'pg_class'::regclass::oid,
           c.table_id,
           c.attnum
    FROM table_column AS c
    UNION ALL
    SELECT 'column setting',
           format('%s OF %I.%I', s.setting, c.relname, c.attname),
           format('ALTER TABLE %I ALTER COLUMN %I SET %s', c.relname, c.attname, concat_ws(' ', s.setting, s.value)),
           NULL,
           'pg_class'::regclass::oid,
           c.table_id,
           2000
    FROM table_column AS c
    CROSS JOIN LATERAL (VALUES ('DEFAULT', CASE WHEN c.generated IS NULL THEN c.expression END, true),
                               ('NOT NULL', NULL, c.attnotnull),
                               ('STORAGE', c.storage, true),
                               ('COMPRESSION', c.compression, true),
                               ('STATISTICS', c.statistics_target::text, true)) AS s (setting, value, is_set)
    WHERE s.is_set
      AND (s.value IS NOT NULL OR s.setting = 'NOT NULL');
END;

COMMENT ON FUNCTION sales_perf.stamp_columns(oid) IS
'Internal: the columns of a schema''s tables, and what is set on them; the latter also apart from the column, to restore it on one that is there.';


CREATE FUNCTION sales_perf.stamp_functions(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- pg_get_functiondef always writes the function's own name with its schema, at a known place:
    -- there it is cut off. Where the function's search path is that of its schema it becomes
    -- FROM CURRENT, which is that of the schema it is stamped into.
    WITH routine AS
    (
        SELECT p.oid,
               p.proname,
               k.kind,
               format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) AS name,
               substr(pg_get_functiondef(p.oid),
                      length(format('CREATE OR REPLACE %s %I.%I', upper(k.kind), n.nspname, p.proname)) + 1) AS rest,
               coalesce('search_path=' || sales_perf.stamp_path(n.nspname) = ANY (p.proconfig), false) AS has_own_path
        FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace
        CROSS JOIN LATERAL (SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind) AS k
        WHERE p.pronamespace = schema_id
          AND p.prokind IN ('f', 'w', 'p')
    )
    SELECT r.kind,
           r.name,
           concat(format('CREATE OR REPLACE %s %I', upper(r.kind), r.proname),
                  CASE WHEN r.has_own_path
                       THEN regexp_replace(r.rest, E'\n SET search_path TO [^\n]*\n', E'\n SET search_path FROM CURRENT\n')
                       ELSE r.rest
                  END),
           format('DROP %s %s', upper(r.kind), r.name),
           'pg_proc'::regclass::oid,
           r.oid,
           0
    FROM routine AS r;
END;

COMMENT ON FUNCTION sales_perf.stamp_functions(oid) IS
'Internal: the functions and procedures of a schema.';


CREATE FUNCTION sales_perf.stamp_views(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'view',
           quote_ident(v.relname),
           concat(format('CREATE OR REPLACE VIEW %I', v.relname),
                  sales_perf.stamp_options(v.reloptions),
                  ' AS ',
                  pg_get_viewdef(v.oid)),
           format('DROP VIEW %I', v.relname),
           'pg_class'::regclass::oid,
           v.oid,
           0
    FROM pg_class AS v
    WHERE v.relnamespace = schema_id
      AND v.relkind = 'v';
END;

COMMENT ON FUNCTION sales_perf.stamp_views(oid) IS
'Internal: the views of a schema.';


CREATE FUNCTION sales_perf.stamp_constraints(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- NOT NULL, a constraint too from PostgreSQL 18 on, goes with the columns, and constraint
    -- triggers with the triggers.
    SELECT 'constraint',
           format('%I ON %I', c.conname, t.relname),
           format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid)),
           format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, c.conname),
           'pg_constraint'::regclass::oid,
           c.oid,
           0
    FROM pg_constraint AS c
    JOIN pg_class AS t ON t.oid = c.conrelid
    WHERE t.relnamespace = schema_id
      AND t.relkind IN ('r', 'p')
      AND c.contype IN ('c', 'f', 'p', 'u', 'x')
      AND c.conparentid = 0;
END;

COMMENT ON FUNCTION sales_perf.stamp_constraints(oid) IS
'Internal: the constraints of a schema''s tables, foreign keys among them.';


CREATE FUNCTION sales_perf.stamp_indexes(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'index',
           quote_ident(x.relname),
           pg_get_indexdef(x.oid, 0, true),
           format('DROP INDEX %I', x.relname),
           'pg_class'::regclass::oid,
           x.oid,
           0
    FROM pg_class AS x
    JOIN pg_index AS i ON i.indexrelid = x.oid
    JOIN pg_class AS t ON t.oid = i.indrelid
    WHERE x.relnamespace = schema_id
      AND t.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT
                      FROM pg_constraint AS c
                      WHERE c.conindid = x.oid
                        AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'statistics',
           quote_ident(s.stxname),
           concat(format('CREATE STATISTICS %I', s.stxname),
                  substr(pg_get_statisticsobjdef(s.oid),
                         length(format('CREATE STATISTICS %I.%I', n.nspname, s.stxname)) + 1)),
           format('DROP STATISTICS %I', s.stxname),
           'pg_statistic_ext'::regclass::oid,
           s.oid,
           0
    FROM pg_statistic_ext AS s
    JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    WHERE s.stxnamespace = schema_id;
END;

COMMENT ON FUNCTION sales_perf.stamp_indexes(oid) IS
'Internal: the indexes of a schema that no constraint brings along, and its extended statistics.';


CREATE FUNCTION sales_perf.stamp_triggers(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'trigger',
           format('%I ON %I', g.tgname, t.relname),
           concat(pg_get_triggerdef(g.oid, true),
                  format(CASE g.tgenabled WHEN 'D' THEN '; ALTER TABLE %I DISABLE TRIGGER %I'
                                          WHEN 'R' THEN '; ALTER TABLE %I ENABLE REPLICA TRIGGER %I'
                                          WHEN 'A' THEN '; ALTER TABLE %I ENABLE ALWAYS TRIGGER %I'
                         END,
                         t.relname, g.tgname)),
           format('DROP TRIGGER %I ON %I', g.tgname, t.relname),
           'pg_trigger'::regclass::oid,
           g.oid,
           0
    FROM pg_trigger AS g
    JOIN pg_class AS t ON t.oid = g.tgrelid
    WHERE t.relnamespace = schema_id
      AND NOT g.tgisinternal
      AND g.tgparentid = 0;
END;

COMMENT ON FUNCTION sales_perf.stamp_triggers(oid) IS
'Internal: the triggers of a schema''s tables and views.';


CREATE FUNCTION sales_perf.stamp_policies(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'policy',
           format('%I ON %I', p.polname, t.relname),
           concat(format('CREATE POLICY %I ON %I AS %s FOR %s TO %s', p.polname, t.relname,
                         CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                         CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                         (SELECT string_agg(CASE WHEN r.role_id = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.role_id)) END, ', ' ORDER BY r.role_id)
                          FROM unnest(p.polroles) AS r (role_id))),
                  ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                  ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
           format('DROP POLICY %I ON %I', p.polname, t.relname),
           'pg_policy'::regclass::oid,
           p.oid,
           0
    FROM pg_policy AS p
    JOIN pg_class AS t ON t.oid = p.polrelid
    WHERE t.relnamespace = schema_id;
END;

COMMENT ON FUNCTION sales_perf.stamp_policies(oid) IS
'Internal: the row security policies of a schema''s tables.';


CREATE FUNCTION sales_perf.stamp_objects(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM sales_perf.stamp_types(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_tables(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_columns(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_functions(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_views(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_constraints(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_indexes(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_triggers(schema_id)
    UNION ALL
    SELECT * FROM sales_perf.stamp_policies(schema_id);
END;

COMMENT ON FUNCTION sales_perf.stamp_objects(oid) IS
'Internal: all pieces of a schema but the comments.';


CREATE FUNCTION sales_perf.stamp_comments(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH target AS
    (
        SELECT upper(p.kind) || ' ' || p.name AS name,
               p.class_id,
               p.object_id,
               0 AS column_no
        FROM sales_perf.stamp_objects(schema_id) AS p
        WHERE p.step = 0
        UNION ALL
        SELECT format('COLUMN %I.%I', t.relname, a.attname),
               'pg_class'::regclass,
               t.oid,
               a.attnum
        FROM pg_class AS t
        JOIN pg_attribute AS a ON a.attrelid = t.oid
        WHERE t.relnamespace = schema_id
          AND t.relkind IN ('r', 'p', 'v')
          AND a.attnum > 0
          AND NOT a.attisdropped
        UNION ALL
        SELECT format('INDEX %I', x.relname),
               'pg_class'::regclass,
               x.oid,
               0
        FROM pg_constraint AS c
        JOIN pg_class AS x ON x.oid = c.conindid
        WHERE x.relnamespace = schema_id
          AND c.contype IN ('p', 'u', 'x')
    )
    SELECT 'comment',
           t.name,
           format('COMMENT ON %s IS %L', t.name, d.description),
           NULL,
           t.class_id,
           t.object_id,
           t.column_no
    FROM target AS t
    JOIN pg_description AS d ON d.classoid = t.class_id
                            AND d.objoid = t.object_id
                            AND d.objsubid = t.column_no;
END;

COMMENT ON FUNCTION sales_perf.stamp_comments(oid) IS
'Internal: the comments on a schema''s objects and columns.';


CREATE FUNCTION sales_perf.stamp_dependencies()
RETURNS TABLE (class_id oid, object_id oid, on_class_id oid, on_object_id oid)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH belongs AS
    (
        SELECT 'pg_rewrite'::regclass::oid AS class_id,
               r.oid AS object_id,
               'pg_class'::regclass::oid AS to_class_id,
               r.ev_class AS to_object_id
        FROM pg_rewrite AS r
        UNION ALL
        SELECT 'pg_attrdef'::regclass, d.oid, 'pg_class'::regclass, d.adrelid
        FROM pg_attrdef AS d
        UNION ALL
        SELECT 'pg_type'::regclass, t.oid, 'pg_class'::regclass, t.typrelid
        FROM pg_type AS t
        WHERE t.typrelid <> 0
        UNION ALL
        SELECT 'pg_type'::regclass, t.typarray, 'pg_class'::regclass, t.typrelid
        FROM pg_type AS t
        WHERE t.typarray <> 0
          AND t.typrelid <> 0
        UNION ALL
        SELECT 'pg_type'::regclass, t.typarray, 'pg_type'::regclass, t.oid
        FROM pg_type AS t
        WHERE t.typarray <> 0
          AND t.typrelid = 0
        UNION ALL
        SELECT 'pg_class'::regclass, c.conindid, 'pg_constraint'::regclass, c.oid
        FROM pg_constraint AS c
        WHERE c.contype IN ('p', 'u', 'x')
    ),
    dependency AS
    (
        SELECT coalesce(b.to_class_id, d.classid) AS class_id,
               coalesce(b.to_object_id, d.objid) AS object_id,
               coalesce(o.to_class_id, d.refclassid) AS on_class_id,
               coalesce(o.to_object_id, d.refobjid) AS on_object_id
        FROM pg_depend AS d
        LEFT JOIN belongs AS b ON b.class_id = d.classid AND b.object_id = d.objid
        LEFT JOIN belongs AS o ON o.class_id = d.refclassid AND o.object_id = d.refobjid
    )
    SELECT DISTINCT d.class_id, d.object_id, d.on_class_id, d.on_object_id
    FROM dependency AS d
    WHERE (d.class_id, d.object_id) <> (d.on_class_id, d.on_object_id);
END;

COMMENT ON FUNCTION sales_perf.stamp_dependencies() IS
'Internal: which object needs which. Rules and defaults count as their relation, row types and arrays as what they are made of, the index of a key as the key.';


CREATE FUNCTION sales_perf.stamp_in_order(schema_id oid)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE piece AS MATERIALIZED
    (
        SELECT *
        FROM sales_perf.stamp_objects(schema_id)
    ),
    object AS MATERIALIZED
    (
        SELECT DISTINCT p.class_id, p.object_id
        FROM piece AS p
    ),
    need AS MATERIALIZED
    (
        SELECT d.*
        FROM sales_perf.stamp_dependencies() AS d
        JOIN object AS o ON (o.class_id, o.object_id) = (d.class_id, d.object_id)
        JOIN object AS n ON (n.class_id, n.object_id) = (d.on_class_id, d.on_object_id)
    ),
    -- The length of every way down to an object; no mart is a hundred objects deep, a circle is.
    way AS
    (
        SELECT o.class_id, o.object_id, 0 AS length
        FROM object AS o
        UNION
        SELECT n.class_id, n.object_id, w.length + 1
        FROM way AS w
        JOIN need AS n ON (n.on_class_id, n.on_object_id) = (w.class_id, w.object_id)
        WHERE w.length < 100
    ),
    depth AS
    (
        SELECT w.class_id, w.object_id, max(w.length) AS depth
        FROM way AS w
        GROUP BY w.class_id, w.object_id
    ),
    ordered AS
    (
        SELECT p.*, d.depth
        FROM piece AS p
        JOIN depth AS d ON (d.class_id, d.object_id) = (p.class_id, p.object_id)
        UNION ALL
        SELECT c.*, 1000
        FROM sales_perf.stamp_comments(schema_id) AS c
    )
    SELECT o.kind, o.name, o.definition, o.removal, o.class_id, o.object_id, o.step
    FROM ordered AS o
    ORDER BY o.depth, o.class_id, o.object_id, o.step, o.name;
END;

COMMENT ON FUNCTION sales_perf.stamp_in_order(oid) IS
'Internal: all pieces of a schema, each after those it needs; comments last.';


CREATE FUNCTION sales_perf.stamp_pieces(schema_name text)
RETURNS SETOF sales_perf.stamp_piece
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
SET intervalstyle = 'postgres'
SET extra_float_digits = 3
SET quote_all_identifiers = off
AS $function$
DECLARE
    schema_id CONSTANT oid := (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema_name);
BEGIN
    PERFORM set_config('search_path', sales_perf.stamp_path(schema_name), true);

    RETURN QUERY
    SELECT p.*
    FROM sales_perf.stamp_in_order(schema_id) AS p;
END
$function$;

COMMENT ON FUNCTION sales_perf.stamp_pieces(text) IS
'Internal: all pieces of a schema in the order they can be made in, read under the schema''s own path.';
