-- Every KPI that has a meaning for any range of days, of the company, every team and every rep; and the
-- same by period, one tall view for any chart.
--
-- The list of KPIs stands in kpi_between(), and nowhere else: each is read off the summary of its family.
-- A filter goes where it saves work: on level and entity_id below the GROUP BYs, to the rows of deals; on
-- kpi_code, a constant in each branch of a list, it takes out what was not asked for when the query is
-- planned, and with the last KPI of a family its scan. (A VALUES list would be compared row by row.)

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- the sums of each family

-- One function a family, all of one shape: company, teams (what a rep did counts for the team of that day),
-- reps and nobody. The rows of kpi_entity add nothing, but so every entity has a row; who has none there (nobody, or a
-- rep whose key was another) and whose cells, which are differences, come to no deal, has none.

CREATE FUNCTION kpi_closed_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, summary sales_perf.deal_summary, won_count bigint, lost_count bigint,
                   priced_count bigint, cycle_count bigint, won_amount numeric, lost_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- Read here what is used more than once: above the GROUP BY it would be read for each use.
    SELECT e.level,
           e.entity_id,
           sales_perf.rollup(e.summary),
           coalesce(sales_perf.won_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.lost_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.won_count(sales_perf.rollup(e.summary)) - sales_perf.unpriced_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.cycle_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.bookings_amount(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.lost_amount(sales_perf.rollup(e.summary)), 0)
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   c.summary
              FROM closed_cell c
             WHERE c.closed_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'team'::text,
                   tree.team_id,
                   of_team.summary
              FROM (SELECT member.team_id,
                           sales_perf.rollup(c.summary) AS summary
                      FROM closed_cell c
                      JOIN rep_team member ON member.rep_id = c.rep_id AND c.closed_on BETWEEN member.valid_from AND member.valid_to
                     WHERE c.closed_on BETWEEN first_day AND last_day
                     GROUP BY member.team_id) AS of_team
              JOIN team_tree tree ON tree.member_team_id = of_team.team_id
            UNION ALL
            SELECT 'rep'::text,
                   c.rep_id,
                   c.summary
              FROM closed_cell c
             WHERE c.closed_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::sales_perf.deal_summary
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id
    HAVING bool_or(e.summary IS NULL)
        OR sales_perf.won_count(sales_perf.rollup(e.summary)) + sales_perf.lost_count(sales_perf.rollup(e.summary)) > 0;
END;

COMMENT ON FUNCTION kpi_closed_between(date, date) IS 'Behind kpi_between(): the deals closed in these days, by their owners.';

CREATE FUNCTION kpi_credit_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, amount numeric, overlay_amount numeric, credit_count bigint, overlay_credit_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.level,
           e.entity_id,
           coalesce(sum(e.amount) FILTER (WHERE NOT e.is_overlay), 0),
           coalesce(sum(e.amount) FILTER (WHERE e.is_overlay), 0),
           count(*) FILTER (WHERE NOT e.is_overlay),
           count(*) FILTER (WHERE e.is_overlay)
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   c.is_overlay,
                   c.amount
              FROM credit c
             WHERE c.closed_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'team'::text,
                   member.team_id,
                   c.is_overlay,
                   c.amount
              FROM credit c
              JOIN team_rep member ON member.rep_id = c.rep_id AND c.closed_on BETWEEN member.valid_from AND member.valid_to
             WHERE c.closed_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'rep'::text,
                   c.rep_id,
                   c.is_overlay,
                   c.amount
              FROM credit c
             WHERE c.closed_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::boolean,
                   NULL::numeric
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id;
END;

COMMENT ON FUNCTION kpi_credit_between(date, date) IS 'Behind kpi_between(): what was credited for deals won in these days.';

CREATE FUNCTION kpi_created_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, summary sales_perf.deal_summary, created_count bigint, won_count bigint, created_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.level,
           e.entity_id,
           sales_perf.rollup(e.summary),
           coalesce(sales_perf.won_count(sales_perf.rollup(e.summary)) + sales_perf.lost_count(sales_perf.rollup(e.summary)) + sales_perf.open_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.won_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.bookings_amount(sales_perf.rollup(e.summary)) + sales_perf.lost_amount(sales_perf.rollup(e.summary)), 0) + coalesce(sum(sales_perf.converted_amount(e.open_amount, e.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)), 0)
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   c.currency,
                   c.summary,
                   c.open_amount
              FROM opened_cell c
             WHERE c.opened_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'team'::text,
                   tree.team_id,
                   of_team.currency,
                   of_team.summary,
                   of_team.open_amount
              FROM (SELECT member.team_id,
                           c.currency,
                           sales_perf.rollup(c.summary) AS summary,
                           sum(c.open_amount) AS open_amount
                      FROM opened_cell c
                      JOIN rep_team member ON member.rep_id = c.rep_id AND c.opened_on BETWEEN member.valid_from AND member.valid_to
                     WHERE c.opened_on BETWEEN first_day AND last_day
                     GROUP BY member.team_id, c.currency) AS of_team
              JOIN team_tree tree ON tree.member_team_id = of_team.team_id
            UNION ALL
            SELECT 'rep'::text,
                   c.rep_id,
                   c.currency,
                   c.summary,
                   c.open_amount
              FROM opened_cell c
             WHERE c.opened_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::text,
                   NULL::sales_perf.deal_summary,
                   NULL::numeric
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id
    HAVING bool_or(e.summary IS NULL)
        OR sales_perf.won_count(sales_perf.rollup(e.summary)) + sales_perf.lost_count(sales_perf.rollup(e.summary)) + sales_perf.open_count(sales_perf.rollup(e.summary)) > 0;
END;

COMMENT ON FUNCTION kpi_created_between(date, date) IS 'Behind kpi_between(): the deals opened in these days, by their owners; created_amount holds what is still open of them at the rates of as_of().';

CREATE FUNCTION kpi_open_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, open_count bigint, open_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.level,
           e.entity_id,
           coalesce(sales_perf.open_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sum(sales_perf.converted_amount(e.open_amount, e.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)), 0)
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   c.currency,
                   c.summary,
                   c.open_amount
              FROM opened_cell c
             WHERE c.is_open
            UNION ALL
            SELECT 'team'::text,
                   member.team_id,
                   c.currency,
                   c.summary,
                   c.open_amount
              FROM opened_cell c
              JOIN team_rep member ON member.rep_id = c.rep_id AND sales_perf.as_of() BETWEEN member.valid_from AND member.valid_to
             WHERE c.is_open
            UNION ALL
            SELECT 'rep'::text,
                   c.rep_id,
                   c.currency,
                   c.summary,
                   c.open_amount
              FROM opened_cell c
             WHERE c.is_open
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::text,
                   NULL::sales_perf.deal_summary,
                   NULL::numeric
              FROM kpi_entity n) AS e
     WHERE sales_perf.as_of() BETWEEN first_day AND last_day
     GROUP BY e.level, e.entity_id
    HAVING bool_or(e.summary IS NULL)
        OR sales_perf.open_count(sales_perf.rollup(e.summary)) > 0;
END;

COMMENT ON FUNCTION kpi_open_between(date, date) IS 'Behind kpi_between(): the deals open as of as_of(), by their owners; no row unless that day is one of these.';

CREATE FUNCTION kpi_lead_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, summary sales_perf.deal_summary, lead_count bigint, converted_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.level,
           e.entity_id,
           sales_perf.rollup(e.summary),
           coalesce(sales_perf.won_count(sales_perf.rollup(e.summary)) + sales_perf.lost_count(sales_perf.rollup(e.summary)) + sales_perf.open_count(sales_perf.rollup(e.summary)), 0),
           coalesce(sales_perf.won_count(sales_perf.rollup(e.summary)), 0)
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   c.summary
              FROM lead_cell c
             WHERE c.created_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'team'::text,
                   tree.team_id,
                   of_team.summary
              FROM (SELECT member.team_id,
                           sales_perf.rollup(c.summary) AS summary
                      FROM lead_cell c
                      JOIN rep_team member ON member.rep_id = c.rep_id AND c.created_on BETWEEN member.valid_from AND member.valid_to
                     WHERE c.created_on BETWEEN first_day AND last_day
                     GROUP BY member.team_id) AS of_team
              JOIN team_tree tree ON tree.member_team_id = of_team.team_id
            UNION ALL
            SELECT 'rep'::text,
                   c.rep_id,
                   c.summary
              FROM lead_cell c
             WHERE c.created_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::sales_perf.deal_summary
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id;
END;

COMMENT ON FUNCTION kpi_lead_between(date, date) IS 'Behind kpi_between(): the leads created in these days; won is converted.';

CREATE FUNCTION kpi_sale_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, amount numeric, sale_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.level,
           e.entity_id,
           coalesce(sum(e.amount), 0),
           coalesce(sum(e.sale_count), 0)::bigint
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   p.amount,
                   p.sale_count
              FROM purchase_cell p
             WHERE p.sold_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'team'::text,
                   member.team_id,
                   p.amount,
                   p.sale_count
              FROM purchase_cell p
              JOIN team_rep member ON member.rep_id = p.rep_id AND p.sold_on BETWEEN member.valid_from AND member.valid_to
             WHERE p.sold_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT 'rep'::text,
                   p.rep_id,
                   p.amount,
                   p.sale_count
              FROM purchase_cell p
             WHERE p.sold_on BETWEEN first_day AND last_day
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::numeric,
                   0
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id;
END;

COMMENT ON FUNCTION kpi_sale_between(date, date) IS 'Behind kpi_between(): what was sold in these days (sales; won deals in a mart without any).';

-- What lies after as_of() does not count. (Days that no timestamp has are cut off, not an error.)
CREATE FUNCTION kpi_activity_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, activity_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.level,
           e.entity_id,
           coalesce(sum(e.activity_count), 0)::bigint
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   1 AS activity_count
              FROM activity a
             WHERE a.happened_at >= least(greatest(first_day, '0001-01-01'::date), sales_perf.as_of() + 1)::timestamptz
               AND a.happened_at < (least(greatest(last_day, '0001-01-01'::date), sales_perf.as_of()) + 1)::timestamptz
            UNION ALL
            SELECT 'team'::text,
                   member.team_id,
                   1
              FROM activity a
              JOIN team_rep member ON member.rep_id = a.rep_id AND a.happened_at::date BETWEEN member.valid_from AND member.valid_to
             WHERE a.happened_at >= least(greatest(first_day, '0001-01-01'::date), sales_perf.as_of() + 1)::timestamptz
               AND a.happened_at < (least(greatest(last_day, '0001-01-01'::date), sales_perf.as_of()) + 1)::timestamptz
            UNION ALL
            SELECT 'rep'::text,
                   a.rep_id,
                   1
              FROM activity a
             WHERE a.happened_at >= least(greatest(first_day, '0001-01-01'::date), sales_perf.as_of() + 1)::timestamptz
               AND a.happened_at < (least(greatest(last_day, '0001-01-01'::date), sales_perf.as_of()) + 1)::timestamptz
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   0
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id;
END;

COMMENT ON FUNCTION kpi_activity_between(date, date) IS 'Behind kpi_between(): the activities of these days, up to as_of(); a day is that of the session''s time zone.';

-- ---------------------------------------------------------------- customers

-- What each customer bought in the days, and in those before them. A sale with a term is spread over the
-- term's days, cut so that the parts of any cut add up to the amount (as period_agg does).
CREATE FUNCTION kpi_purchase_between(first_day date, last_day date, prior_first_day date, prior_last_day date)
    RETURNS TABLE (account_id text, rep_id text, on_date date, amount numeric, is_now boolean, is_covered boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.account_id,
           p.rep_id,
           p.sold_on,
           p.reporting_amount,
           p.sold_on >= first_day,
           false
      FROM purchase p
     WHERE p.account_id IS NOT NULL
       AND (p.sold_on BETWEEN first_day AND last_day OR p.sold_on BETWEEN prior_first_day AND prior_last_day)
       AND CASE WHEN isfinite(p.covers_from) AND isfinite(p.covers_to) THEN p.covers_to - p.covers_from BETWEEN 0 AND 73199 END IS NOT TRUE
    UNION ALL
    SELECT s.account_id,
           s.rep_id,
           s.sold_on,
           round(s.reporting_amount * (least(s.covers_to, r.to_day) - s.covers_from + 1) / (s.covers_to - s.covers_from + 1), greatest(2, scale(s.reporting_amount)))
           - round(s.reporting_amount * (greatest(r.from_day, s.covers_from) - s.covers_from) / (s.covers_to - s.covers_from + 1), greatest(2, scale(s.reporting_amount))),
           r.is_now,
           true
      FROM sale_as_of s
     CROSS JOIN (VALUES (true, first_day, last_day), (false, prior_first_day, prior_last_day)) AS r (is_now, from_day, to_day)
     WHERE s.account_id IS NOT NULL
       AND CASE WHEN isfinite(s.covers_from) AND isfinite(s.covers_to) THEN s.covers_to - s.covers_from BETWEEN 0 AND 73199 END
       AND s.covers_from <= r.to_day
       AND s.covers_to >= r.from_day;
END;

COMMENT ON FUNCTION kpi_purchase_between(date, date, date, date) IS 'What customers bought in a range of days and in the one before it, terms spread over their days: the rows behind the retention KPIs of kpi_between().';

CREATE FUNCTION kpi_account_between(first_day date, last_day date, prior_first_day date, prior_last_day date)
    RETURNS TABLE (level text, entity_id text, account_id text, amount numeric, prior_amount numeric, is_active boolean, was_active boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT b.level,
           b.entity_id,
           b.account_id,
           b.amount,
           b.prior_amount,
           -- what nobody recorded the amount of was a purchase all the same
           b.is_covered OR b.amount > 0 OR b.amount = 0 AND b.is_unpriced,
           b.was_covered OR b.prior_amount > 0 OR b.prior_amount = 0 AND b.was_unpriced
      FROM (SELECT e.level,
                   e.entity_id,
                   e.account_id,
                   coalesce(sum(e.amount) FILTER (WHERE e.is_now), 0) AS amount,
                   coalesce(sum(e.amount) FILTER (WHERE NOT e.is_now), 0) AS prior_amount,
                   coalesce(bool_or(e.is_covered) FILTER (WHERE e.is_now), false) AS is_covered,
                   coalesce(bool_or(e.is_covered) FILTER (WHERE NOT e.is_now), false) AS was_covered,
                   count(*) FILTER (WHERE e.is_now AND e.amount IS NULL) > 0 AS is_unpriced,
                   count(*) FILTER (WHERE NOT e.is_now AND e.amount IS NULL) > 0 AS was_unpriced
              FROM (SELECT 'company'::text AS level,
                           NULL::text AS entity_id,
                           p.account_id,
                           p.amount,
                           p.is_now,
                           p.is_covered
                      FROM kpi_purchase_between(first_day, last_day, prior_first_day, prior_last_day) p
                    UNION ALL
                    SELECT 'team'::text,
                           member.team_id,
                           p.account_id,
                           p.amount,
                           p.is_now,
                           p.is_covered
                      FROM kpi_purchase_between(first_day, last_day, prior_first_day, prior_last_day) p
                      JOIN team_rep member ON member.rep_id = p.rep_id AND p.on_date BETWEEN member.valid_from AND member.valid_to
                    UNION ALL
                    SELECT 'rep'::text,
                           p.rep_id,
                           p.account_id,
                           p.amount,
                           p.is_now,
                           p.is_covered
                      FROM kpi_purchase_between(first_day, last_day, prior_first_day, prior_last_day) p
                    UNION ALL
                    SELECT n.level,
                           n.entity_id,
                           NULL::text,
                           NULL::numeric,
                           NULL::boolean,
                           NULL::boolean
                      FROM kpi_entity n) AS e
             GROUP BY e.level, e.entity_id, e.account_id) AS b;
END;

COMMENT ON FUNCTION kpi_account_between(date, date, date, date) IS 'Behind kpi_between(): each customer of the company, a team or a rep in a range of days and in the one before it; and a row without a customer for each of these.';

CREATE FUNCTION kpi_customer_between(first_day date, last_day date, prior_first_day date, prior_last_day date)
    RETURNS TABLE (level text, entity_id text, active_count bigint, starting_count bigint, retained_count bigint,
                   starting_amount numeric, kept_amount numeric, current_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.level,
           c.entity_id,
           count(*) FILTER (WHERE c.is_active),
           count(*) FILTER (WHERE c.was_active),
           count(*) FILTER (WHERE c.was_active AND c.is_active),
           coalesce(sum(c.prior_amount) FILTER (WHERE c.was_active), 0),
           coalesce(sum(least(c.amount, c.prior_amount)) FILTER (WHERE c.was_active), 0),
           coalesce(sum(c.amount) FILTER (WHERE c.was_active), 0)
      FROM kpi_account_between(first_day, last_day, prior_first_day, prior_last_day) AS c
     GROUP BY c.level, c.entity_id;
END;

COMMENT ON FUNCTION kpi_customer_between(date, date, date, date) IS 'Behind kpi_between(): retention, of the company, each team and each rep from its own customers.';

-- Each level is grouped by itself: these are all purchases ever made.
CREATE FUNCTION kpi_first_purchase_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, account_id text, first_on date)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'company'::text,
           NULL::text,
           p.account_id,
           min(p.sold_on)
      FROM first_purchase p
     WHERE p.sold_on <= last_day
     GROUP BY p.account_id
    HAVING min(p.sold_on) >= first_day
    UNION ALL
    SELECT 'team'::text,
           tree.team_id,
           of_team.account_id,
           min(of_team.first_on)
      FROM (SELECT member.team_id,
                   p.account_id,
                   min(p.sold_on) AS first_on
              FROM first_purchase p
              JOIN rep_team member ON member.rep_id = p.rep_id AND p.sold_on BETWEEN member.valid_from AND member.valid_to
             WHERE p.sold_on <= last_day
             GROUP BY member.team_id, p.account_id) AS of_team
      JOIN team_tree tree ON tree.member_team_id = of_team.team_id
     GROUP BY tree.team_id, of_team.account_id
    HAVING min(of_team.first_on) >= first_day
    UNION ALL
    SELECT 'rep'::text,
           p.rep_id,
           p.account_id,
           min(p.sold_on)
      FROM first_purchase p
     WHERE p.sold_on <= last_day
     GROUP BY p.rep_id, p.account_id
    HAVING min(p.sold_on) >= first_day
    UNION ALL
    SELECT n.level,
           n.entity_id,
           NULL::text,
           NULL::date
      FROM kpi_entity n;
END;

COMMENT ON FUNCTION kpi_first_purchase_between(date, date) IS 'Behind kpi_between(): the accounts that bought of the company, of a team or of a rep for the first time in these days, refunds and what cost nothing left out; and a row without an account for each of these.';

-- ---------------------------------------------------------------- KPIs of your own

-- Not inlined as the others are. So no view of a user's can make kpi_between() contain itself, which the
-- planner would unfold until memory ends; and so dropping a relation with CASCADE takes custom_kpi_row along, not all
-- that shows KPIs. A row of a rep that the mart does not know is nobody's: shown, not dropped.
CREATE FUNCTION kpi_custom_between(of_code text, first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, numerator numeric, denominator numeric, row_count bigint)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 200
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    callers text;
BEGIN
    -- A mart may read another, which may read another: the names do not tell them apart. A circle has no end.
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF regexp_count(callers, 'kpi_custom_between[(]') > 5 THEN
        RAISE EXCEPTION 'the relation of a KPI reads what would read it'
            USING ERRCODE = 'invalid_object_definition',
                  HINT = format('Build the relation of KPI %L on tables, or on views below kpi_between(): not on kpi_long or goals.', of_code);
    ELSIF to_regclass('custom_kpi_row') IS NULL THEN
        RAISE EXCEPTION 'view custom_kpi_row is not there, dropped with the relation of a KPI perhaps'
            USING ERRCODE = 'undefined_table',
                  HINT = 'sales_perf.upgrade_mart() makes it again; unregister_kpi() takes out a KPI whose relation is gone.';
    END IF;

    RETURN QUERY
    SELECT e.level,
           e.entity_id,
           coalesce(sum(e.numerator), 0),
           sum(e.denominator),
           count(e.numerator)
      FROM (SELECT 'company'::text AS level,
                   NULL::text AS entity_id,
                   c.numerator,
                   c.denominator
              FROM custom_kpi_row c
             WHERE c.kpi_code = of_code
               AND c.on_date BETWEEN first_day AND last_day
               AND c.on_date <= sales_perf.as_of()
            UNION ALL
            SELECT 'team'::text,
                   m.team_id,
                   c.numerator,
                   c.denominator
              FROM custom_kpi_row c
              JOIN team_rep m ON m.rep_id = c.rep_id AND c.on_date BETWEEN m.valid_from AND m.valid_to
             WHERE c.kpi_code = of_code
               AND c.on_date BETWEEN first_day AND last_day
               AND c.on_date <= sales_perf.as_of()
            UNION ALL
            SELECT 'rep'::text,
                   r.rep_id,
                   c.numerator,
                   c.denominator
              FROM custom_kpi_row c
              LEFT JOIN rep r ON r.rep_id = c.rep_id
             WHERE c.kpi_code = of_code
               AND c.on_date BETWEEN first_day AND last_day
               AND c.on_date <= sales_perf.as_of()
            UNION ALL
            SELECT n.level,
                   n.entity_id,
                   NULL::numeric,
                   NULL::numeric
              FROM kpi_entity n) AS e
     GROUP BY e.level, e.entity_id;
END
$$;

COMMENT ON FUNCTION kpi_custom_between(text, date, date) IS 'Behind kpi_between(): the sums of a KPI of your own in these days.';

-- ---------------------------------------------------------------- the list

CREATE FUNCTION kpi_between(first_day date, last_day date, prior_first_day date, prior_last_day date)
    RETURNS TABLE (level text, entity_id text, kpi_code text, numerator numeric, denominator numeric, sample_count bigint, value numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- One rule for all: a sum is its numerator, a ratio numerator / denominator and NULL over 0, or where its
    -- own rule says so (is_void); a statistic comes as it is.
    SELECT k.level,
           k.entity_id,
           k.kpi_code,
           k.numerator,
           k.denominator,
           k.sample_count,
           CASE k.kind
               WHEN 'sum' THEN k.numerator
               WHEN 'ratio' THEN CASE WHEN k.denominator <> 0 AND NOT k.is_void THEN k.numerator / k.denominator END
               ELSE k.statistic
           END
      FROM (SELECT e.level, e.entity_id, l.*
              FROM kpi_closed_between(first_day, last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'won_count'::text AS kpi_code, 'sum'::text AS kind, e.won_count::numeric AS numerator, NULL::numeric AS denominator, e.won_count AS sample_count, NULL::numeric AS statistic, false AS is_void
                    UNION ALL
                    SELECT 'lost_count'::text, 'sum'::text, e.lost_count::numeric, NULL::numeric, e.lost_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'closed_count'::text, 'sum'::text, (e.won_count + e.lost_count)::numeric, NULL::numeric, e.won_count + e.lost_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'win_rate'::text, 'ratio'::text, e.won_count::numeric, (e.won_count + e.lost_count)::numeric, e.won_count + e.lost_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'win_rate_amount'::text, 'ratio'::text, e.won_amount, e.won_amount + e.lost_amount, e.won_count + e.lost_count, NULL::numeric, e.lost_count > 0 AND e.lost_amount = 0
                    UNION ALL
                    SELECT 'lost_amount'::text, 'sum'::text, e.lost_amount, NULL::numeric, e.lost_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'average_deal_amount'::text, 'ratio'::text, e.won_amount, e.priced_count::numeric, e.priced_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'median_deal_amount'::text, 'statistic'::text, NULL::numeric, NULL::numeric, e.priced_count, sales_perf.median_deal_amount(e.summary), false
                    UNION ALL
                    SELECT 'p90_deal_amount'::text, 'statistic'::text, NULL::numeric, NULL::numeric, e.priced_count, sales_perf.deal_amount_percentile(e.summary, 0.9), false
                    UNION ALL
                    SELECT 'cycle_average_days'::text, 'ratio'::text, coalesce(round(sales_perf.cycle_average(e.summary)::numeric * e.cycle_count), 0), e.cycle_count::numeric, e.cycle_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'cycle_median_days'::text, 'statistic'::text, NULL::numeric, NULL::numeric, e.cycle_count, sales_perf.cycle_median(e.summary)::numeric, false
                    UNION ALL
                    SELECT 'cycle_p90_days'::text, 'statistic'::text, NULL::numeric, NULL::numeric, e.cycle_count, sales_perf.cycle_percentile(e.summary, 0.9)::numeric, false) AS l
            UNION ALL
            SELECT e.level, e.entity_id, l.*
              FROM kpi_credit_between(first_day, last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'bookings_amount'::text, 'sum'::text, e.amount, NULL::numeric, e.credit_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'overlay_amount'::text, 'sum'::text, e.overlay_amount, NULL::numeric, e.overlay_credit_count, NULL::numeric, false) AS l
            UNION ALL
            SELECT e.level, e.entity_id,
                   'sales_growth'::text, 'ratio'::text, e.amount - e.prior_amount, e.prior_amount, e.credit_count, NULL::numeric, e.prior_amount <= 0
              FROM (SELECT s.level,
                           s.entity_id,
                           coalesce(sum(s.amount) FILTER (WHERE turn.is_now), 0) AS amount,
                           coalesce(sum(s.amount) FILTER (WHERE NOT turn.is_now), 0) AS prior_amount,
                           coalesce(sum(s.credit_count) FILTER (WHERE turn.is_now), 0)::bigint AS credit_count
                      FROM (VALUES (true, first_day, last_day), (false, prior_first_day, prior_last_day)) AS turn (is_now, from_day, to_day)
                     CROSS JOIN LATERAL kpi_credit_between(turn.from_day, turn.to_day) s
                     GROUP BY s.level, s.entity_id) AS e
            UNION ALL
            SELECT e.level, e.entity_id, l.*
              FROM kpi_created_between(first_day, last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'created_count'::text, 'sum'::text, e.created_count::numeric, NULL::numeric, e.created_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'created_won_count'::text, 'sum'::text, e.won_count::numeric, NULL::numeric, e.won_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'created_win_rate'::text, 'ratio'::text, e.won_count::numeric, e.created_count::numeric, e.created_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'pipeline_created_amount'::text, 'sum'::text, e.created_amount, NULL::numeric, e.created_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'cycle_km_median_days'::text, 'statistic'::text, NULL::numeric, NULL::numeric, e.created_count, sales_perf.cycle_km_median(e.summary, sales_perf.as_of())::numeric, false) AS l
            UNION ALL
            SELECT e.level, e.entity_id, l.*
              FROM kpi_open_between(first_day, last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'open_count'::text, 'sum'::text, e.open_count::numeric, NULL::numeric, e.open_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'pipeline_amount'::text, 'sum'::text, e.open_amount, NULL::numeric, e.open_count, NULL::numeric, false) AS l
            UNION ALL
            SELECT e.level, e.entity_id, l.*
              FROM kpi_lead_between(first_day, last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'lead_count'::text, 'sum'::text, e.lead_count::numeric, NULL::numeric, e.lead_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'lead_converted_count'::text, 'sum'::text, e.converted_count::numeric, NULL::numeric, e.converted_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'lead_conversion_rate'::text, 'ratio'::text, e.converted_count::numeric, e.lead_count::numeric, e.lead_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'lead_conversion_median_days'::text, 'statistic'::text, NULL::numeric, NULL::numeric, coalesce(sales_perf.cycle_count(e.summary), 0), sales_perf.cycle_median(e.summary)::numeric, false) AS l
            UNION ALL
            SELECT e.level, e.entity_id, l.*
              FROM kpi_sale_between(first_day, last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'sales_amount'::text, 'sum'::text, e.amount, NULL::numeric, e.sale_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'sale_count'::text, 'sum'::text, e.sale_count::numeric, NULL::numeric, e.sale_count, NULL::numeric, false) AS l
            UNION ALL
            SELECT e.level, e.entity_id,
                   'activity_count'::text, 'sum'::text, e.activity_count::numeric, NULL::numeric, e.activity_count, NULL::numeric, false
              FROM kpi_activity_between(first_day, last_day) e
            UNION ALL
            SELECT e.level, e.entity_id, l.*
              FROM kpi_customer_between(first_day, last_day, prior_first_day, prior_last_day) e
             CROSS JOIN LATERAL (
                    SELECT 'active_customer_count'::text, 'statistic'::text, e.active_count::numeric, NULL::numeric, e.active_count, e.active_count::numeric, false
                    UNION ALL
                    SELECT 'customer_retention_rate'::text, 'ratio'::text, e.retained_count::numeric, e.starting_count::numeric, e.starting_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'churn_rate'::text, 'ratio'::text, (e.starting_count - e.retained_count)::numeric, e.starting_count::numeric, e.starting_count, NULL::numeric, false
                    UNION ALL
                    SELECT 'gross_revenue_retention'::text, 'ratio'::text, e.kept_amount, e.starting_amount, e.starting_count, NULL::numeric, e.starting_amount <= 0
                    UNION ALL
                    SELECT 'net_revenue_retention'::text, 'ratio'::text, e.current_amount, e.starting_amount, e.starting_count, NULL::numeric, e.starting_amount <= 0) AS l
            UNION ALL
            SELECT e.level, e.entity_id,
                   'new_customer_count'::text, 'statistic'::text, e.new_count::numeric, NULL::numeric, e.new_count, e.new_count::numeric, false
              FROM (SELECT f.level,
                           f.entity_id,
                           count(f.account_id) AS new_count
                      FROM kpi_first_purchase_between(first_day, last_day) f
                     GROUP BY f.level, f.entity_id) AS e
            UNION ALL
            SELECT e.level, e.entity_id,
                   r.code, r.kind, e.numerator, CASE r.kind WHEN 'ratio' THEN coalesce(e.denominator, 0) END, e.row_count, NULL::numeric, false
              FROM kpi r
             CROSS JOIN LATERAL kpi_custom_between(r.code, first_day, last_day) e
             WHERE r.relation IS NOT NULL) AS k;
END;

COMMENT ON FUNCTION kpi_between(date, date, date, date) IS 'The same with another range as the one before: what growth and retention compare these days with.';

CREATE FUNCTION kpi_prior_first_day(first_day date, last_day date) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((SELECT CASE
                                WHEN this.fiscal_year_start = first_day AND this.fiscal_year_end = last_day THEN before.fiscal_year_start
                                WHEN this.fiscal_quarter_start = first_day AND this.fiscal_quarter_end = last_day THEN before.fiscal_quarter_start
                                WHEN this.fiscal_period_start = first_day AND this.fiscal_period_end = last_day THEN before.fiscal_period_start
                            END
                       FROM calendar this
                       JOIN calendar before ON before.region = '' AND before.on_date = this.on_date - 1
                      WHERE this.region = ''
                        AND this.on_date = first_day),
                    -- none where they would begin before the first day there is
                    CASE
                        WHEN isfinite(first_day) AND isfinite(last_day) AND first_day - '4714-11-24 BC'::date > last_day - first_day
                        THEN first_day - (last_day - first_day + 1)
                    END);
END;

COMMENT ON FUNCTION kpi_prior_first_day(date, date) IS 'The first of the days that a range of days is compared with, which end the day before it: of the calendar period before, if the range is exactly a month, quarter or year of calendar, else of as many days; NULL where there is no end to them, or too few days before them (0001-01-01 to 9999-12-31).';

-- OFFSET 0: the function is called once.
CREATE FUNCTION kpi_between(first_day date, last_day date)
    RETURNS TABLE (level text, entity_id text, kpi_code text, numerator numeric, denominator numeric, sample_count bigint, value numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT k.level,
           k.entity_id,
           k.kpi_code,
           k.numerator,
           k.denominator,
           k.sample_count,
           k.value
      FROM (SELECT kpi_prior_first_day(first_day, last_day) AS prior_first_day OFFSET 0) AS r
     CROSS JOIN LATERAL kpi_between(first_day, last_day, r.prior_first_day, first_day - 1) k;
END;

COMMENT ON FUNCTION kpi_between(date, date) IS 'Every KPI that has a meaning for any range of days, of the company (entity_id NULL), every team and every rep; what belongs to no rep stands in rows of level rep with entity_id NULL. numerator, denominator (NULL for sums), sample_count (n) and value: numerator / denominator, NULL where that is 0; for sums the numerator, 0 where there is nothing; medians, percentiles and Kaplan-Meier medians have neither. As of as_of(); open_count and pipeline_amount only for days that hold it. Growth and retention compare with the days before: the calendar period before, if these days are exactly a month, quarter or year of calendar, else as many days. Filters on level, entity_id and kpi_code reach the scans.';

-- ---------------------------------------------------------------- by period

-- The period and the one before it are two turns of the same query, so that it is planned once.
CREATE VIEW kpi_long WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       e.level,
       e.entity_id,
       CASE WHEN e.level = 'company' THEN 'company' ELSE coalesce(t.name, r.name, '(no rep)') END AS entity_name,
       e.kpi_code,
       coalesce(k.name, e.kpi_code) AS kpi_name,
       k.unit,
       k.direction,
       e.numerator,
       e.denominator,
       e.sample_count,
       e.sample_count < k.minimum_sample AS is_small_sample,
       e.value,
       e.prior_value,
       sales_perf.growth_rate(e.value, e.prior_value) AS growth_rate
  FROM period p
 CROSS JOIN LATERAL (
        SELECT b.level,
               b.entity_id,
               b.kpi_code,
               max(b.numerator) FILTER (WHERE turn.is_now) AS numerator,
               max(b.denominator) FILTER (WHERE turn.is_now) AS denominator,
               max(b.sample_count) FILTER (WHERE turn.is_now) AS sample_count,
               max(b.value) FILTER (WHERE turn.is_now) AS value,
               max(b.value) FILTER (WHERE NOT turn.is_now) AS prior_value
          FROM (VALUES (true, p.period_start, p.period_end, p.prior_start, p.prior_end),
                       (false, p.prior_start, p.prior_end,
                        (SELECT CASE p.grain
                                    WHEN 'month' THEN c.fiscal_period_start
                                    WHEN 'quarter' THEN c.fiscal_quarter_start
                                    ELSE c.fiscal_year_start
                                END
                           FROM calendar c
                          WHERE c.region = ''
                            AND c.on_date = p.prior_start - 1),
                        p.prior_start - 1)) AS turn (is_now, first_day, last_day, prior_first_day, prior_last_day)
         CROSS JOIN LATERAL kpi_between(turn.first_day, turn.last_day, turn.prior_first_day, turn.prior_last_day) b
         GROUP BY b.level, b.entity_id, b.kpi_code
        HAVING bool_or(turn.is_now)) AS e
  LEFT JOIN kpi k ON k.code = e.kpi_code
  LEFT JOIN team t ON t.team_id = e.entity_id AND e.level = 'team'
  LEFT JOIN rep r ON r.rep_id = e.entity_id AND e.level = 'rep';

COMMENT ON VIEW kpi_long IS 'Every KPI that can be given for a period, one row each, for the company, every team and every rep: built-in ones and those of your own. The one view for any chart. Filter one grain, one level and the KPIs that are wanted: what is not asked for is not computed.';
COMMENT ON COLUMN kpi_long.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN kpi_long.period_start IS 'First day of the period.';
COMMENT ON COLUMN kpi_long.period_end IS 'Last day of the period.';
COMMENT ON COLUMN kpi_long.period_label IS 'Label of the period.';
COMMENT ON COLUMN kpi_long.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN kpi_long.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN kpi_long.entity_id IS 'team_id or rep_id; NULL for the company, and at level rep for what belongs to no rep.';
COMMENT ON COLUMN kpi_long.entity_name IS 'Name of the team or rep; company; (no rep).';
COMMENT ON COLUMN kpi_long.kpi_code IS 'The KPI, as in the registry kpi, which says what it is.';
COMMENT ON COLUMN kpi_long.kpi_name IS 'Its name.';
COMMENT ON COLUMN kpi_long.unit IS 'Unit of value: amount, fraction, days, count, or that of a KPI of your own.';
COMMENT ON COLUMN kpi_long.direction IS 'up: more is better; down: less is better.';
COMMENT ON COLUMN kpi_long.numerator IS 'Numerator of a ratio, the sum itself of a sum; NULL for medians, percentiles and Kaplan-Meier medians. In the unit of what is counted.';
COMMENT ON COLUMN kpi_long.denominator IS 'Denominator of a ratio; NULL for the others.';
COMMENT ON COLUMN kpi_long.sample_count IS 'n: the deals, leads, sales, customers or rows behind the value. Count.';
COMMENT ON COLUMN kpi_long.is_small_sample IS 'True where sample_count is below the KPI''s minimum_sample: the value is shown, and chance weighs heavily in it.';
COMMENT ON COLUMN kpi_long.value IS 'The KPI: numerator / denominator, the sum, or the statistic. In unit; attributed and NULL as the registry says.';
COMMENT ON COLUMN kpi_long.prior_value IS 'The same of the period before. A period that is not complete is compared with the whole one before.';
COMMENT ON COLUMN kpi_long.growth_rate IS '(value - prior_value) / prior_value. Fraction; NULL where prior_value is 0 or less, or NULL.';

SET LOCAL search_path = sales_perf, pg_temp;
