-- The columns of reports that are kept mean the same where a report is made, and where it is kept. (When all of them are there.)

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

DO $$
DECLARE
    copied record;
BEGIN
    FOR copied IN
        SELECT place.name AS relation_name,
               a.attname AS column_name,
               col_description(a.attrelid, a.attnum) AS comment
          FROM pg_class live
         CROSS JOIN LATERAL (SELECT substr(live.relname, 1, length(live.relname) - length('_live')) AS name) AS report
         CROSS JOIN LATERAL (VALUES (report.name || '_live'), ('rollup_' || report.name)) AS place (name)
          JOIN pg_attribute a ON a.attrelid = report.name::regclass AND a.attnum > 0
         WHERE live.relnamespace = 'sales_perf_template'::regnamespace
           AND live.relkind = 'v'
           AND live.relname LIKE '%\_live'
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', copied.relation_name, copied.column_name, copied.comment);
    END LOOP;
END
$$;

SET LOCAL search_path = sales_perf, pg_temp;
