-- What is behind a KPI: its numerator and denominator, and the deals, leads, sales, customers, activities or rows that
-- they are made of. The items are said here row by row; that they add up to what kpi_between() says, from
-- its summaries, is what a test asserts for every KPI.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION resolve_period(period text)
    RETURNS TABLE (first_day date, last_day date, period_label text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    days   text[];
    today  calendar%ROWTYPE;
BEGIN
    IF period IS NULL THEN
        RAISE EXCEPTION 'period must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Give a label such as 2025-Q1, or days as 2025-01-01..2025-03-31.';
    END IF;

    days := regexp_match(period, '^[[:space:]]*([0-9]{4,}-[0-9]{2}-[0-9]{2})(?:[[:space:]]*[.][.][[:space:]]*([0-9]{4,}-[0-9]{2}-[0-9]{2}))?[[:space:]]*$');
    IF days IS NOT NULL THEN
        BEGIN
            first_day := days[1]::date;
            last_day := coalesce(days[2], days[1])::date;
        EXCEPTION
            WHEN datetime_field_overflow THEN
                RAISE EXCEPTION 'period "%" has a day that no calendar has', period
                    USING ERRCODE = 'datetime_field_overflow',
                          HINT = 'Days are written as 2025-03-31: year, month, day.';
        END;
        period_label := period;
        IF first_day > last_day THEN
            RAISE EXCEPTION 'period "%" ends before it begins', period
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'Give the first day and then the last, as 2025-01-01..2025-03-31.';
        END IF;
        RETURN NEXT;
        RETURN;
    END IF;

    -- a label means the same days in every row that has it; the longest period first
    RETURN QUERY
    SELECT l.first_day, l.last_day, l.label
      FROM (SELECT 1 AS place, c.fiscal_year_start AS first_day, c.fiscal_year_end AS last_day, c.fiscal_year_label AS label
              FROM calendar c
             WHERE c.region = '' AND upper(c.fiscal_year_label) = upper(trim(period))
            UNION
            SELECT 2, c.fiscal_quarter_start, c.fiscal_quarter_end, c.fiscal_quarter_label
              FROM calendar c
             WHERE c.region = '' AND upper(c.fiscal_quarter_label) = upper(trim(period))
            UNION
            SELECT 3, c.fiscal_period_start, c.fiscal_period_end, c.fiscal_period_label
              FROM calendar c
             WHERE c.region = '' AND upper(c.fiscal_period_label) = upper(trim(period))
            UNION
            SELECT 4, c.fiscal_week_start, c.fiscal_week_end, c.fiscal_week_label
              FROM calendar c
             WHERE c.region = '' AND upper(c.fiscal_week_label) = upper(trim(period))) AS l
     ORDER BY l.place, l.first_day
     LIMIT 1;
    IF NOT FOUND THEN
        SELECT c.* INTO today FROM calendar c WHERE c.region = '' AND c.on_date = sales_perf.as_of();
        RAISE EXCEPTION 'there is no period "%"', period
            USING ERRCODE = 'undefined_object',
                  HINT = format('Give a label of calendar, such as %s, or days as %s..%s.',
                                coalesce(nullif(concat_ws(', ', today.fiscal_year_label, today.fiscal_quarter_label, today.fiscal_period_label, today.fiscal_week_label), ''), '2025, 2025-Q1, 2025-01'),
                                coalesce(to_char(today.fiscal_quarter_start, 'YYYY-MM-DD'), '2025-01-01'),
                                coalesce(to_char(today.fiscal_quarter_end, 'YYYY-MM-DD'), '2025-03-31'));
    END IF;
END
$$;

COMMENT ON FUNCTION resolve_period(text) IS 'Which days a text means: the label of a year, quarter, month or week of calendar (2025, 2025-Q1, 2025-01, 2025-W05), a day (2025-01-31), or a range of days (2025-01-01..2025-03-31). One row; an error if there is no such period.';

CREATE FUNCTION explain_kpi(code text, entity text, period text)
    RETURNS TABLE (part text, item_id text, item_name text, on_date date, rep_id text,
                   numerator numeric, denominator numeric, sample_count bigint, value numeric)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- planned for the KPI and the entity asked for: the others are not computed
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    of_kpi     kpi%ROWTYPE;
    of_level   text;
    of_entity  text;
    from_day   date;
    to_day     date;
    prior_from date;
    prior_to   date;
BEGIN
    SELECT k.* INTO of_kpi FROM kpi k WHERE k.code = explain_kpi.code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no KPI "%"', coalesce(code, 'NULL')
            USING ERRCODE = 'undefined_object',
                  HINT = (SELECT 'There are: ' || string_agg(k.code, ', ' ORDER BY k.code) || '.' FROM kpi k WHERE k.shown_in = 'kpi_long');
    ELSIF of_kpi.shown_in <> 'kpi_long' THEN
        RAISE EXCEPTION 'KPI "%" is not made of rows of a range of days', code
            USING ERRCODE = 'feature_not_supported',
                  HINT = format('See %s, and the view''s comments for what it is made of.', of_kpi.shown_in);
    END IF;
    SELECT e.level, e.entity_id INTO of_level, of_entity FROM resolve_entity(entity) e;
    SELECT p.first_day, p.last_day INTO from_day, to_day FROM resolve_period(period) p;
    prior_from := kpi_prior_first_day(from_day, to_day);
    prior_to := from_day - 1;

    RETURN QUERY
    SELECT 'kpi'::text, of_kpi.code, of_kpi.name, NULL::date, CASE WHEN of_level = 'rep' THEN of_entity END,
           b.numerator, b.denominator, b.sample_count, b.value
      FROM kpi_between(from_day, to_day, prior_from, prior_to) b
     WHERE b.level = of_level
       AND (b.entity_id = of_entity OR of_entity IS NULL AND b.entity_id IS NULL)
       AND b.kpi_code = of_kpi.code;
    IF NOT FOUND AND of_kpi.attribution = 'S' AND sales_perf.as_of() NOT BETWEEN from_day AND to_day THEN
        RAISE EXCEPTION 'KPI "%" is a snapshot of %, which is not in period %', code, sales_perf.as_of(), period
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Ask for a period that holds that day, or SET sales_perf.as_of to a day of the period.';
    ELSIF NOT FOUND THEN
        RAISE EXCEPTION 'nothing belongs to "%"', entity
            USING ERRCODE = 'undefined_object';
    END IF;

    IF of_kpi.relation IS NOT NULL THEN
        RETURN QUERY
        SELECT 'row'::text, NULL::text, of_kpi.relation, c.on_date, c.rep_id,
               c.numerator, c.denominator, 1::bigint,
               CASE of_kpi.kind WHEN 'sum' THEN c.numerator ELSE CASE WHEN c.denominator <> 0 THEN c.numerator / c.denominator END END
          FROM custom_kpi_row c
          LEFT JOIN rep r ON r.rep_id = c.rep_id
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = c.rep_id AND c.on_date BETWEEN member.valid_from AND member.valid_to
         WHERE c.kpi_code = of_kpi.code
           AND c.on_date BETWEEN from_day AND to_day
           AND c.on_date <= sales_perf.as_of()
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (r.rep_id = of_entity OR of_entity IS NULL AND r.rep_id IS NULL))
         ORDER BY c.on_date, c.rep_id, c.numerator, c.denominator;

    ELSIF of_kpi.code IN ('won_count', 'lost_count', 'closed_count', 'win_rate', 'win_rate_amount', 'lost_amount', 'average_deal_amount',
                          'median_deal_amount', 'p90_deal_amount', 'cycle_average_days', 'cycle_median_days', 'cycle_p90_days') THEN
        RETURN QUERY
        SELECT d.outcome || ' deal', d.deal_id, d.name, d.closed_on, d.rep_id,
               i.numerator, i.denominator, 1::bigint, i.value
          FROM (SELECT of_day.deal_id, of_day.name, of_day.closed_on, of_day.rep_id, of_day.outcome,
                       of_day.outcome = 'won' AS is_won,
                       of_day.reporting_amount AS amount,
                       CASE WHEN isfinite(of_day.opened_on) AND of_day.opened_on <= of_day.closed_on THEN of_day.closed_on - of_day.opened_on END AS days
                  FROM deal_as_of of_day
                 WHERE NOT of_day.is_open
                   AND of_day.closed_on BETWEEN from_day AND to_day) AS d
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = d.rep_id AND d.closed_on BETWEEN member.valid_from AND member.valid_to
         CROSS JOIN LATERAL (VALUES
                   ('won_count', d.is_won, 1::numeric, NULL::numeric, 1::numeric),
                   ('lost_count', NOT d.is_won, 1, NULL, 1),
                   ('closed_count', true, 1, NULL, 1),
                   ('win_rate', true, d.is_won::integer, 1, d.is_won::integer),
                   ('win_rate_amount', true, CASE WHEN d.is_won THEN coalesce(d.amount, 0) ELSE 0 END, coalesce(d.amount, 0), d.is_won::integer),
                   ('lost_amount', NOT d.is_won, coalesce(d.amount, 0), NULL, d.amount),
                   ('average_deal_amount', d.is_won AND d.amount IS NOT NULL, d.amount, 1, d.amount),
                   ('median_deal_amount', d.is_won AND d.amount IS NOT NULL, NULL, NULL, d.amount),
                   ('p90_deal_amount', d.is_won AND d.amount IS NOT NULL, NULL, NULL, d.amount),
                   ('cycle_average_days', d.is_won AND d.days IS NOT NULL, d.days, 1, d.days),
                   ('cycle_median_days', d.is_won AND d.days IS NOT NULL, NULL, NULL, d.days),
                   ('cycle_p90_days', d.is_won AND d.days IS NOT NULL, NULL, NULL, d.days)
               ) AS i (code, is_counted, numerator, denominator, value)
         WHERE i.code = of_kpi.code
           AND i.is_counted
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (d.rep_id = of_entity OR of_entity IS NULL AND d.rep_id IS NULL))
         ORDER BY d.closed_on, d.deal_id;

    ELSIF of_kpi.code IN ('bookings_amount', 'overlay_amount', 'sales_growth') THEN
        RETURN QUERY
        SELECT CASE WHEN c.is_overlay THEN 'overlay' WHEN c.share < 1 THEN 'split deal' ELSE 'won deal' END
               || CASE WHEN c.closed_on < from_day THEN ' before' ELSE '' END,
               c.deal_id, d.name, c.closed_on, c.rep_id,
               CASE WHEN c.closed_on < from_day THEN - coalesce(c.amount, 0) ELSE coalesce(c.amount, 0) END,
               CASE WHEN of_kpi.code <> 'sales_growth' THEN NULL WHEN c.closed_on < from_day THEN coalesce(c.amount, 0) ELSE 0 END,
               (c.closed_on >= from_day)::integer::bigint,
               c.amount
          FROM credit c
          JOIN deal d ON d.deal_id = c.deal_id
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = c.rep_id AND c.closed_on BETWEEN member.valid_from AND member.valid_to
         WHERE c.closed_on BETWEEN CASE WHEN of_kpi.code = 'sales_growth' AND prior_from IS NOT NULL THEN prior_from ELSE from_day END AND to_day
           AND c.is_overlay = (of_kpi.code = 'overlay_amount')
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (c.rep_id = of_entity OR of_entity IS NULL AND c.rep_id IS NULL))
         ORDER BY c.closed_on, c.deal_id, c.rep_id;

    ELSIF of_kpi.code IN ('created_count', 'created_won_count', 'created_win_rate', 'pipeline_created_amount', 'cycle_km_median_days') THEN
        RETURN QUERY
        SELECT d.outcome || ' deal', d.deal_id, d.name, d.opened_on, d.rep_id,
               i.numerator, i.denominator, 1::bigint, i.value
          FROM (SELECT of_day.deal_id, of_day.name, of_day.opened_on, of_day.rep_id, of_day.outcome,
                       of_day.outcome = 'won' AS is_won,
                       of_day.reporting_amount AS amount,
                       CASE
                           WHEN of_day.is_open THEN sales_perf.as_of() - of_day.opened_on
                           WHEN of_day.closed_on >= of_day.opened_on THEN of_day.closed_on - of_day.opened_on
                       END AS days
                  FROM deal_as_of of_day
                 WHERE of_day.opened_on BETWEEN from_day AND to_day) AS d
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = d.rep_id AND d.opened_on BETWEEN member.valid_from AND member.valid_to
         CROSS JOIN LATERAL (VALUES
                   ('created_count', true, 1::numeric, NULL::numeric, 1::numeric),
                   ('created_won_count', d.is_won, 1, NULL, 1),
                   ('created_win_rate', true, d.is_won::integer, 1, d.is_won::integer),
                   ('pipeline_created_amount', true, coalesce(d.amount, 0), NULL, d.amount),
                   ('cycle_km_median_days', true, NULL, NULL, d.days)
               ) AS i (code, is_counted, numerator, denominator, value)
         WHERE i.code = of_kpi.code
           AND i.is_counted
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (d.rep_id = of_entity OR of_entity IS NULL AND d.rep_id IS NULL))
         ORDER BY d.opened_on, d.deal_id;

    ELSIF of_kpi.code IN ('open_count', 'pipeline_amount') THEN
        RETURN QUERY
        SELECT 'open deal'::text, d.deal_id, d.name, d.opened_on, d.rep_id,
               CASE of_kpi.code WHEN 'open_count' THEN 1::numeric ELSE coalesce(d.reporting_amount, 0) END,
               NULL::numeric, 1::bigint,
               CASE of_kpi.code WHEN 'open_count' THEN 1::numeric ELSE d.reporting_amount END
          FROM deal_as_of d
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = d.rep_id AND sales_perf.as_of() BETWEEN member.valid_from AND member.valid_to
         WHERE d.is_open
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (d.rep_id = of_entity OR of_entity IS NULL AND d.rep_id IS NULL))
         ORDER BY d.opened_on, d.deal_id;

    ELSIF of_kpi.code IN ('lead_count', 'lead_converted_count', 'lead_conversion_rate', 'lead_conversion_median_days') THEN
        RETURN QUERY
        SELECT l.outcome || ' lead', l.lead_id, l.source, l.created_on, l.rep_id,
               i.numerator, i.denominator, 1::bigint, i.value
          FROM (SELECT of_day.lead_id, of_day.source, of_day.created_on, of_day.rep_id, of_day.outcome,
                       of_day.outcome = 'converted' AS is_converted,
                       CASE WHEN of_day.ended_on >= of_day.created_on THEN of_day.ended_on - of_day.created_on END AS days
                  FROM lead_as_of of_day
                 WHERE of_day.created_on BETWEEN from_day AND to_day) AS l
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = l.rep_id AND l.created_on BETWEEN member.valid_from AND member.valid_to
         CROSS JOIN LATERAL (VALUES
                   ('lead_count', true, 1::numeric, NULL::numeric, 1::numeric),
                   ('lead_converted_count', l.is_converted, 1, NULL, 1),
                   ('lead_conversion_rate', true, l.is_converted::integer, 1, l.is_converted::integer),
                   ('lead_conversion_median_days', l.is_converted AND l.days IS NOT NULL, NULL, NULL, l.days)
               ) AS i (code, is_counted, numerator, denominator, value)
         WHERE i.code = of_kpi.code
           AND i.is_counted
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (l.rep_id = of_entity OR of_entity IS NULL AND l.rep_id IS NULL))
         ORDER BY l.created_on, l.lead_id;

    ELSIF of_kpi.code IN ('sales_amount', 'sale_count') THEN
        RETURN QUERY
        SELECT s.part, s.item_id, a.name, s.sold_on, s.rep_id,
               CASE of_kpi.code WHEN 'sale_count' THEN 1::numeric ELSE coalesce(s.amount, 0) END,
               NULL::numeric, 1::bigint,
               CASE of_kpi.code WHEN 'sale_count' THEN 1::numeric ELSE s.amount END
          FROM (SELECT 'sale'::text AS part, of_day.sale_id AS item_id, of_day.account_id, of_day.sold_on, of_day.rep_id, of_day.reporting_amount AS amount
                  FROM sale_as_of of_day
                 WHERE of_day.sold_on BETWEEN from_day AND to_day
                UNION ALL
                SELECT 'won deal'::text, of_day.deal_id, of_day.account_id, of_day.closed_on, of_day.rep_id, of_day.reporting_amount
                  FROM deal_as_of of_day
                 WHERE NOT of_day.is_open
                   AND of_day.outcome = 'won'
                   AND of_day.closed_on BETWEEN from_day AND to_day
                   AND NOT EXISTS (SELECT FROM sale)) AS s
          LEFT JOIN account a ON a.account_id = s.account_id
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
         WHERE of_level = 'company'
            OR of_level = 'team' AND member.team_id IS NOT NULL
            OR of_level = 'rep' AND (s.rep_id = of_entity OR of_entity IS NULL AND s.rep_id IS NULL)
         ORDER BY s.sold_on, s.item_id;

    ELSIF of_kpi.code = 'activity_count' THEN
        RETURN QUERY
        SELECT 'activity'::text, a.activity_id, a.kind, a.happened_at::date, a.rep_id,
               1::numeric, NULL::numeric, 1::bigint, 1::numeric
          FROM activity a
          LEFT JOIN team_rep member ON member.team_id = of_entity AND member.rep_id = a.rep_id AND a.happened_at::date BETWEEN member.valid_from AND member.valid_to
         WHERE isfinite(a.happened_at)
           AND a.happened_at::date BETWEEN from_day AND least(to_day, sales_perf.as_of())
           AND (of_level = 'company'
                OR of_level = 'team' AND member.team_id IS NOT NULL
                OR of_level = 'rep' AND (a.rep_id = of_entity OR of_entity IS NULL AND a.rep_id IS NULL))
         ORDER BY a.happened_at, a.activity_id;

    ELSIF of_kpi.code IN ('active_customer_count', 'customer_retention_rate', 'churn_rate', 'gross_revenue_retention', 'net_revenue_retention') THEN
        RETURN QUERY
        SELECT CASE WHEN c.was_active AND c.is_active THEN 'customer kept' WHEN c.was_active THEN 'customer lost' ELSE 'customer' END,
               c.account_id, a.name, NULL::date, NULL::text,
               i.numerator, i.denominator, 1::bigint, i.value
          FROM kpi_account_between(from_day, to_day, prior_from, prior_to) c
          JOIN account a ON a.account_id = c.account_id
         CROSS JOIN LATERAL (VALUES
                   ('active_customer_count', c.is_active, 1::numeric, NULL::numeric, 1::numeric),
                   ('customer_retention_rate', c.was_active, c.is_active::integer, 1, c.is_active::integer),
                   ('churn_rate', c.was_active, (NOT c.is_active)::integer, 1, (NOT c.is_active)::integer),
                   ('gross_revenue_retention', c.was_active, least(c.amount, c.prior_amount), c.prior_amount, least(c.amount, c.prior_amount)),
                   ('net_revenue_retention', c.was_active, c.amount, c.prior_amount, c.amount)
               ) AS i (code, is_counted, numerator, denominator, value)
         WHERE i.code = of_kpi.code
           AND i.is_counted
           AND c.level = of_level
           AND (c.entity_id = of_entity OR of_entity IS NULL AND c.entity_id IS NULL)
         ORDER BY c.account_id;

    ELSIF of_kpi.code = 'new_customer_count' THEN
        RETURN QUERY
        SELECT 'new customer'::text, f.account_id, a.name, f.first_on, NULL::text,
               1::numeric, NULL::numeric, 1::bigint, 1::numeric
          FROM kpi_first_purchase_between(from_day, to_day) f
          JOIN account a ON a.account_id = f.account_id
         WHERE f.level = of_level
           AND (f.entity_id = of_entity OR of_entity IS NULL AND f.entity_id IS NULL)
         ORDER BY f.first_on, f.account_id;
    END IF;
END
$$;

COMMENT ON FUNCTION explain_kpi(text, text, text) IS 'What is behind a KPI of kpi_long: in the first row (part kpi) its numerator, denominator, sample_count and value; then a row for each deal, lead, sale, customer, activity or row of a relation that counts in it, whose numerators, denominators and sample_counts add up to those of the first row (medians, percentiles and Kaplan-Meier medians have none: value shows what they are taken of). entity: company, the id of a team or a rep, team:ID or rep:ID where they are the same, (no rep); period: a label of calendar such as 2025-Q1, or days as 2025-01-01..2025-03-31.';

SET LOCAL search_path = sales_perf, pg_temp;
