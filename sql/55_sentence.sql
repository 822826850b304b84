-- Figures as people read them out: for the sentences (summary_text) of reports.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION in_words(value numeric, unit text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
               WHEN value IS NULL THEN 'not known'
               WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN value::text
               WHEN unit = 'fraction' THEN trim_scale(round(100 * value, 1))::text || ' %'
               WHEN unit LIKE 'amount%'
               THEN to_char(value, CASE WHEN abs(value) < 100 AND value <> round(value) THEN 'FM99,999,999,999,999,999,990.00' ELSE 'FM99,999,999,999,999,999,990' END)
                    || coalesce(' ' || (SELECT s.reporting_currency FROM mart_setting s), '')
                    || substr(unit, 7)
               WHEN unit = 'days' THEN trim_scale(round(value, 1))::text || CASE WHEN round(value, 1) = 1 THEN ' day' ELSE ' days' END
               WHEN unit IN ('count', 'ratio') THEN trim_scale(round(value, 2))::text
               ELSE trim_scale(round(value, 2))::text || ' ' || unit
           END;
END;

COMMENT ON FUNCTION in_words(numeric, text) IS 'A figure with its unit (kpi.unit), rounded as people read it: 31.5 %, 12,400 EUR, 3.2 days. The same in all locales; "not known" where it is NULL.';

SET LOCAL search_path = sales_perf, pg_temp;
