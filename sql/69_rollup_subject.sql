-- How the stored summaries of customers and of the ways of deals are kept: what sales_perf.fold_rollup() and the like do with
-- them (the rest is sql/52_rollup_maintain.sql). Who was touched is taken off the list first, and derived after that: what is
-- committed in between may be in it already, and stays on the list, to be derived once more.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION rollup_customer_fold(to_day date) RETURNS bigint
    LANGUAGE plpgsql
    -- grouped in memory: sorting summaries takes longer than adding them up (what is sorted all the same looks so dear then that it would be compiled)
    SET work_mem = '256MB'
    SET enable_sort = off
    SET jit = off
    SET plan_cache_mode = force_custom_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    is_of_sales boolean;
    is_all boolean;
    touched text[];
    folded bigint;
BEGIN
    WITH taken AS (
        DELETE FROM rollup_touched t
         WHERE t.kind = 'rate'
            OR t.kind = 'customer' AND (t.subject_id IS NULL OR t.on_date IS NULL OR t.on_date <= to_day)
        RETURNING t.kind, t.subject_id
    )
    SELECT s.is_there,
           r.derived_on IS NULL
           OR r.has_sales IS DISTINCT FROM s.is_there
           OR EXISTS (SELECT FROM taken t WHERE t.kind = 'customer' AND t.subject_id IS NULL),
           rollup_touched_accounts(to_day)
      INTO is_of_sales, is_all, touched
      FROM rollup_state r
     CROSS JOIN (SELECT EXISTS (SELECT FROM sale) AS is_there) AS s;

    IF is_all THEN
        touched := NULL;
        DELETE FROM rollup_customer;
        DELETE FROM rollup_cohort;
    ELSIF touched = '{}' THEN
        RETURN 0;
    END IF;

    INSERT INTO rollup_customer (account_id, rep_id, team_id, segment, first_sold_on, is_pending, month_summary, quarter_summary, year_summary)
    SELECT w.account_id, w.rep_id, w.team_id, w.segment, w.first_sold_on, NOT is_all, w.month_summary, w.quarter_summary, w.year_summary
      FROM rollup_customer_wanted(touched, to_day) w;

    INSERT INTO rollup_cohort AS r
    SELECT * FROM rollup_cohort_difference(touched, NULL)
        ON CONFLICT (level, grain, team_id, rep_id, segment)
        DO UPDATE SET summary = r.summary OPERATOR(sales_perf.+) excluded.summary;
    GET DIAGNOSTICS folded = ROW_COUNT;

    DELETE FROM rollup_customer r
     WHERE NOT r.is_pending
       AND r.account_id = ANY (touched);
    UPDATE rollup_customer r
       SET is_pending = false
     WHERE r.is_pending
       AND r.account_id = ANY (touched);
    DELETE FROM rollup_cohort r
     WHERE sales_perf.customer_count(r.summary) + sales_perf.inactive_count(r.summary) + sales_perf.invalid_count(r.summary) = 0;

    -- what they buy in days to come counts from its day on
    INSERT INTO rollup_touched (kind, subject_id, on_date)
    SELECT 'customer', e.account_id, e.on_date
      FROM (SELECT p.account_id, min(p.on_date) AS on_date
              FROM (SELECT s.account_id, s.sold_on AS on_date
                      FROM sale s
                     WHERE s.sold_on > to_day
                    UNION ALL
                    SELECT d.account_id, greatest(d.opened_on, d.closed_on)
                      FROM deal d
                     WHERE d.outcome = 'won'
                       AND (d.closed_on > to_day OR d.opened_on > to_day)) AS p
             WHERE p.account_id IS NOT NULL
               AND p.on_date < 'infinity'
             GROUP BY p.account_id) AS e
     WHERE NOT EXISTS (SELECT
                         FROM rollup_touched t
                        WHERE t.kind = 'customer'
                          AND t.subject_id = e.account_id
                          AND t.on_date = e.on_date);

    -- the first sale, or the last one gone, in between: once more
    IF EXISTS (SELECT FROM sale) <> is_of_sales THEN
        INSERT INTO rollup_touched (kind) VALUES ('customer');
    END IF;
    UPDATE rollup_state r SET has_sales = is_of_sales;
    RETURN folded;
END
$$;

COMMENT ON FUNCTION rollup_customer_fold(date) IS 'Derives the customers who were touched anew and stores them, with purchases up to a day. Returns how many rows of rollup_cohort it wrote.';

CREATE FUNCTION rollup_way_fold(to_day date) RETURNS bigint
    LANGUAGE plpgsql
    -- grouped in memory: sorting summaries takes longer than adding them up (what is sorted all the same looks so dear then that it would be compiled)
    SET work_mem = '256MB'
    SET enable_sort = off
    SET jit = off
    SET plan_cache_mode = force_custom_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    is_all boolean;
    deal_ids text[];
    rep_ids text[];
    pipeline_ids text[];
    days date[];
    folded bigint;
BEGIN
    -- rollup_delta too is read by the view: what stays there is derived now and again
    WITH taken AS (
        DELETE FROM rollup_touched t
         WHERE t.kind = 'opened'
            OR t.kind = 'way' AND (t.subject_id IS NULL OR t.on_date IS NULL OR t.on_date <= to_day)
        RETURNING t.kind, t.subject_id
    )
    SELECT r.derived_on IS NULL OR EXISTS (SELECT FROM taken t WHERE t.kind = 'way' AND t.subject_id IS NULL),
           ARRAY(SELECT DISTINCT t.subject_id FROM taken t WHERE t.kind = 'way' AND t.subject_id IS NOT NULL),
           w.rep_ids,
           w.pipeline_ids,
           w.days
      INTO is_all, deal_ids, rep_ids, pipeline_ids, days
      FROM rollup_state r
     CROSS JOIN rollup_touched_ways(to_day) w;

    IF is_all THEN
        rep_ids := NULL;
        deal_ids := NULL;
        DELETE FROM rollup_way;
    ELSIF rep_ids IS NULL THEN
        RETURN 0;
    END IF;

    INSERT INTO rollup_way AS r
    SELECT * FROM rollup_way_difference(rep_ids, pipeline_ids, days, to_day)
        ON CONFLICT (rep_id, on_date, pipeline_id)
        DO UPDATE SET summary = r.summary OPERATOR(sales_perf.+) excluded.summary;
    GET DIAGNOSTICS folded = ROW_COUNT;
    DELETE FROM rollup_way r WHERE sales_perf.deal_count(r.summary) = 0;

    -- what is dated in days to come counts from its day on
    INSERT INTO rollup_touched (kind, subject_id, on_date)
    SELECT DISTINCT 'way', e.deal_id, e.on_date
      FROM (SELECT d.deal_id, d.opened_on AS on_date
              FROM deal d
             WHERE d.opened_on > to_day
            UNION ALL
            SELECT d.deal_id, d.closed_on
              FROM deal d
             WHERE d.closed_on > to_day
            UNION ALL
            SELECT s.deal_id, s.entered_on
              FROM stage_event s
             WHERE s.entered_on > to_day
               AND (deal_ids IS NULL OR s.deal_id = ANY (deal_ids))) AS e
     WHERE e.on_date < 'infinity'
       AND NOT EXISTS (SELECT
                         FROM rollup_touched t
                        WHERE t.kind = 'way'
                          AND t.subject_id = e.deal_id
                          AND t.on_date = e.on_date);
    RETURN folded;
END
$$;

COMMENT ON FUNCTION rollup_way_fold(date) IS 'Derives the ways of deals that were touched anew and stores them, as they were on a day. Returns how many rows of rollup_way it wrote.';

CREATE FUNCTION rollup_subject_fold() RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    to_day date;
    folded bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(rollup_lock('fold')) OR NOT EXISTS (SELECT FROM rollup_state s WHERE s.has_subjects) THEN
        RETURN 0;
    END IF;
    -- a session east of here may have folded tomorrow's already
    to_day := (SELECT greatest(current_date, s.derived_on) FROM rollup_state s);
    folded := rollup_customer_fold(to_day) + rollup_way_fold(to_day) + rollup_sale_fold();
    UPDATE rollup_state SET derived_on = to_day WHERE derived_on IS DISTINCT FROM to_day;
    RETURN folded;
END
$$;

COMMENT ON FUNCTION rollup_subject_fold() IS 'Behind sales_perf.fold_rollup(), after rollup_fold(): derives customers and ways of deals that were touched, and adds up sales. Returns how many rows of cells it wrote.';

-- The oracle is the views that read purchases and deals.
CREATE FUNCTION rollup_subject_verify() RETURNS TABLE (cell text, grain text, cell_count bigint, wrong_count bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH cohort AS (
        SELECT coalesce(l.grain, r.grain) AS grain,
               coalesce(l.summary OPERATOR(sales_perf.=) r.summary, false) AS is_right
          FROM cohort_live_cell l
          FULL JOIN cohort_rollup_cell r ON r.grain = l.grain
                                        AND r.level = l.level
                                        AND coalesce(r.team_id, '') = coalesce(l.team_id, '')
                                        AND coalesce(r.rep_id, '') = coalesce(l.rep_id, '')
                                        AND coalesce(r.segment, '') = coalesce(l.segment, '')
    ),
    -- what cohorts will be told when one of these customers is touched
    customer AS (
        SELECT count(*) = 2 AS is_right
          FROM (SELECT w.account_id, w.rep_id, w.team_id, w.segment, w.first_sold_on, w.month_summary, w.quarter_summary, w.year_summary
                  FROM rollup_customer_wanted(NULL, sales_perf.as_of()) w
                UNION ALL
                SELECT r.account_id, r.rep_id, r.team_id, r.segment, r.first_sold_on, r.month_summary, r.quarter_summary, r.year_summary
                  FROM rollup_customer r) AS e
         WHERE e.account_id NOT IN (SELECT t.account_id FROM unnest(rollup_touched_accounts(sales_perf.as_of())) AS t (account_id))
         GROUP BY e.account_id, e.rep_id, e.team_id, e.segment, e.first_sold_on, e.month_summary, e.quarter_summary, e.year_summary
    ),
    way AS (
        SELECT coalesce(l.grain, r.grain) AS grain,
               coalesce(l.summary OPERATOR(sales_perf.=) r.summary, false) AS is_right
          FROM (SELECT * FROM rep_funnel_live_cell WHERE grain IN ('month', 'all')) AS l
          FULL JOIN (SELECT * FROM rep_funnel_rollup_cell WHERE grain IN ('month', 'all')) AS r ON r.grain = l.grain
                                                                                              AND r.period_start = l.period_start
                                                                                              AND coalesce(r.rep_id, '') = coalesce(l.rep_id, '')
                                                                                              AND coalesce(r.pipeline_id, '') = coalesce(l.pipeline_id, '')
                                                                                              AND coalesce(r.team_id, '') = coalesce(l.team_id, '')
    ),
    sale_sum AS (
        SELECT e.grain, sum(e.sale_count) = 0 AND sum(e.not_finite_count) = 0 AND sum(e.amount) = 0 AS is_right
          FROM (SELECT 'day'::text AS grain, l.sold_on, l.rep_id, l.currency, l.digits, l.sale_count, l.not_finite_count, l.amount
                  FROM sale_day_cell l
                UNION ALL
                SELECT 'day', d.sold_on, d.rep_id, d.currency, d.digits, - d.sale_count, - d.not_finite_count, - d.amount
                  FROM rollup_sale_delta d
                UNION ALL
                SELECT 'month', m.sold_on, l.rep_id, NULL, m.digits, l.sale_count, l.not_finite_count, m.amount
                  FROM sale_day_cell l
                 CROSS JOIN LATERAL rollup_sale_month(l.sold_on, l.rep_id, l.currency, l.digits, l.amount) AS m
                UNION ALL
                SELECT 'month', m.sold_on, d.rep_id, NULL, m.digits, - d.sale_count, - d.not_finite_count, - m.amount
                  FROM rollup_sale_delta d
                 CROSS JOIN LATERAL rollup_sale_month(d.sold_on, d.rep_id, d.currency, d.digits, d.amount) AS m
                UNION ALL
                SELECT r.grain, r.sold_on, r.rep_id, r.currency, r.digits, - r.sale_count, - r.not_finite_count, - r.amount
                  FROM rollup_sale r) AS e
         GROUP BY e.grain, e.sold_on, e.rep_id, e.currency, e.digits
    )
    SELECT 'cohort'::text, c.grain, count(*), count(*) FILTER (WHERE NOT c.is_right)
      FROM cohort c
     WHERE (SELECT rollup_subject_serves('customer'))
     GROUP BY c.grain
    UNION ALL
    SELECT 'customer'::text, NULL::text, count(*), count(*) FILTER (WHERE NOT c.is_right)
      FROM customer c
     WHERE (SELECT rollup_subject_serves('customer'))
    HAVING count(*) > 0
    UNION ALL
    SELECT 'funnel'::text, w.grain, count(*), count(*) FILTER (WHERE NOT w.is_right)
      FROM way w
     WHERE (SELECT rollup_subject_serves('way'))
     GROUP BY w.grain
    UNION ALL
    SELECT 'sale'::text, s.grain, count(*), count(*) FILTER (WHERE NOT s.is_right)
      FROM sale_sum s
     WHERE (SELECT rollup_sale_serves())
     GROUP BY s.grain;
END;

COMMENT ON FUNCTION rollup_subject_verify() IS 'Behind sales_perf.verify_rollup(): compares the stored cells of customers, of the ways of deals and of sales with those read from purchases and deals, by =. No rows where these rollups do not serve.';

SET LOCAL search_path = sales_perf, pg_temp;
