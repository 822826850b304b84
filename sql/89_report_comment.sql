-- The columns of reports that are kept mean the same where a report is made, and where it is kept; so do those of cells of subjects,
-- read from the deals or from rollups. (When all of them are there.)

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

DO $$
DECLARE
    copied record;
BEGIN
    FOR copied IN
        SELECT place.name AS relation_name,
               a.attname AS column_name,
               col_description(a.attrelid, a.attnum) AS comment
          FROM (SELECT regexp_replace(c.relname, '_live$', '') AS report,
                       ARRAY[c.relname, 'rollup_' || regexp_replace(c.relname, '_live$', '')] AS names
                  FROM pg_class c
                 WHERE c.relnamespace = 'sales_perf_template'::regnamespace
                   AND c.relkind = 'v'
                   AND c.relname LIKE '%\_live'
                UNION ALL
                SELECT replace(c.relname, '_rollup_cell', '_cell'),
                       ARRAY[c.relname, replace(c.relname, '_rollup_cell', '_live_cell')]
                  FROM pg_class c
                 WHERE c.relnamespace = 'sales_perf_template'::regnamespace
                   AND c.relkind = 'v'
                   AND c.relname LIKE '%\_rollup\_cell') AS copy
         CROSS JOIN unnest(copy.names) AS place (name)
          JOIN pg_attribute a ON a.attrelid = copy.report::regclass AND a.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', copied.relation_name, copied.column_name, copied.comment);
    END LOOP;
END
$$;

SET LOCAL search_path = sales_perf, pg_temp;
