-- Rules that whatever is put into the template must keep, or it could not be stamped.
SELECT plan(12);

CREATE TEMPORARY VIEW template_object AS
SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend AS d
WHERE d.refclassid = 'pg_namespace'::regclass
  AND d.refobjid = 'sales_perf_template'::regnamespace
  AND d.deptype = 'n';

SELECT isnt_empty(
    'TABLE template_object',
    'there is a template');

-- identity sequences come with their column
SELECT is_empty(
    $$SELECT o.object
      FROM template_object AS o
      WHERE NOT EXISTS (SELECT
                        FROM sales_perf.stamp_pieces('sales_perf_template') AS p
                        WHERE p.class_id = o.classid AND p.object_id = o.objid)
        AND NOT EXISTS (SELECT
                        FROM pg_depend AS d
                        WHERE d.classid = o.classid AND d.objid = o.objid
                          AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i')$$,
    'create_mart knows every kind of object in it');

SELECT is_empty(
    $$SELECT r.rulename, r.ev_class::regclass
      FROM pg_rewrite AS r
      JOIN pg_class AS c ON c.oid = r.ev_class
      WHERE c.relnamespace = 'sales_perf_template'::regnamespace
        AND r.rulename <> '_RETURN'$$,
    'it has no rules');

SELECT is_empty(
    $$SELECT kind, name
      FROM sales_perf.stamp_pieces('sales_perf_template')
      GROUP BY kind, name
      HAVING count(*) > 1$$,
    'kind and name tell its pieces apart');

SELECT is_empty(
    $$SELECT p.oid::regprocedure
      FROM pg_proc AS p
      WHERE p.pronamespace = 'sales_perf_template'::regnamespace
        AND p.prosqlbody IS NULL
        AND NOT coalesce('search_path=sales_perf_template, pg_catalog, pg_temp' = ANY (p.proconfig), false)$$,
    'functions whose body is text set their search path');

SELECT is_empty(
    $$SELECT kind, name
      FROM sales_perf.stamp_pieces('sales_perf_template')
      WHERE kind <> 'comment'
        AND strpos(definition, 'sales_perf_template') > 0$$,
    'nothing in it names it');

SELECT lives_ok(
    $$SELECT sales_perf.stamp_check_names('sales_perf_template', 'pg_catalog')$$,
    'no name in it is one of pg_catalog''s');

SELECT is_empty(
    $$SELECT c.oid::regclass
      FROM pg_class AS c
      WHERE c.relnamespace = 'sales_perf_template'::regnamespace
        AND c.relkind IN ('r', 'v')
        AND NOT has_table_privilege('public', c.oid, 'SELECT')$$,
    'everybody can read it');

SELECT is_empty(
    $$SELECT c.oid::regclass
      FROM pg_class AS c
      WHERE c.relnamespace = 'sales_perf_template'::regnamespace
        AND c.relkind = 'r'
        AND (has_table_privilege('public', c.oid, 'INSERT')
             OR has_table_privilege('public', c.oid, 'UPDATE')
             OR has_table_privilege('public', c.oid, 'DELETE'))$$,
    'and nobody can write to it');

-- What DROP EXTENSION ... CASCADE would take out of a table: a column, a default, a constraint or an
-- index that needs the library.
SELECT is_empty(
    $$SELECT DISTINCT p.kind, p.name
      FROM sales_perf.stamp_pieces('sales_perf_template') AS p
      JOIN sales_perf.stamp_dependencies() AS d ON d.class_id = p.class_id AND d.object_id = p.object_id
      JOIN pg_depend AS library ON library.classid = d.on_class_id
                               AND library.objid = d.on_object_id
                               AND library.refclassid = 'pg_namespace'::regclass
                               AND library.refobjid = 'sales_perf'::regnamespace
                               AND library.classid <> 'pg_extension'::regclass
      WHERE p.kind IN ('table', 'constraint', 'index', 'trigger')
        -- made of the other tables, and made again
        AND p.name NOT IN ('rollup_cell', 'rollup_cohort', 'rollup_customer', 'rollup_delta', 'rollup_way')$$,
    'its tables need nothing of the library, but those of rollups');

SELECT is_empty(
    $$SELECT kind, name
      FROM sales_perf.stamp_pieces('sales_perf_template') AS p
      WHERE p.kind = 'view'
        AND strpos(p.definition, 'security_invoker=''true''') = 0$$,
    'its views read with the rights of whoever asks');

SELECT is(
    sales_perf_template.mart_version(),
    (SELECT extversion FROM pg_extension WHERE extname = 'sales_perf'),
    'its version is the extension''s');

SELECT * FROM finish();
