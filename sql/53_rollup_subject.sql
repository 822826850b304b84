-- Rollups of what is no sum of rows, but of subjects: customers (sql/65_cohort_cell.sql) and the ways of deals
-- through stages (sql/65_funnel_cell.sql). Triggers only note who was touched (rollup_touched). Who reads takes what is
-- stored, and of those touched the difference between what they come to now and what is stored of them; fold_rollup()
-- stores it (sql/69_rollup_subject.sql). The same function gives the difference to both, and to rebuild_rollup() that of all.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION rollup_subject_serves(kind text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    -- months, as what is stored belongs to the teams that reps were in, and to the periods of calendar
    RETURN rollup_grain() IS NOT DISTINCT FROM 'month'
       AND NOT rollup_report_is_hidden()
       -- who is touched from a day on is derived anew from then on, but not as it was before
       AND EXISTS (SELECT
                     FROM rollup_state s
                    WHERE s.derived_on <= sales_perf.as_of()
                      AND (rollup_subject_serves.kind <> 'customer' OR s.has_sales = EXISTS (SELECT FROM sale)))
       AND NOT EXISTS (SELECT
                         FROM rollup_touched t
                        WHERE t.kind = rollup_subject_serves.kind
                          AND t.subject_id IS NULL)
       AND NOT EXISTS (SELECT
                         FROM pg_subscription_rel r
                        WHERE r.srrelid IN ('sale'::regclass, 'account'::regclass, 'stage'::regclass, 'stage_event'::regclass, 'team'::regclass, 'rep'::regclass));
END
$$;

COMMENT ON FUNCTION rollup_subject_serves(text) IS 'Whether the stored summaries of customers (kind customer), of the ways of deals (way) or of sales (sale) can be read: where rollups serve by the month (rollup_grain()), not all of them are to be derived anew, no earlier day is asked about than that of the last fold, and no table of the mart has row-level security that holds for whoever asks.';

SET LOCAL search_path = sales_perf, pg_temp;
