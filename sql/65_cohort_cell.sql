-- Cells of customers: who bought what in which period, and the cohorts of them. A customer is an account; what nobody
-- bought (no account) is nobody's.
--
-- Two levels: first each customer's purchases by period, then all customers. Those of a rep, a team or a segment
-- are its own, and never added up: who left one rep for another stays with the company, and a
-- team's customers are those its reps sold to while they belonged to it.
-- A filter on grain leaves one of three turns; one on a rep reaches the scan.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- read from the purchases

CREATE VIEW customer_cell WITH (security_invoker = true) AS
SELECT g.grain,
       e.account_id,
       e.summary
  FROM calendar_grain g
 CROSS JOIN LATERAL (
        SELECT account_id,
               sales_perf.period_agg(sold_on, reporting_amount, covers_from, covers_to, g.grain, g.period_starts) AS summary
          FROM sale_as_of
         WHERE account_id IS NOT NULL
         GROUP BY account_id
        UNION ALL
        SELECT account_id,
               sales_perf.period_agg(sold_on, reporting_amount, g.grain, g.period_starts)
          FROM won_deal_as_of
         WHERE account_id IS NOT NULL
         GROUP BY account_id) AS e;

COMMENT ON VIEW customer_cell IS 'What each customer bought, by the periods of a grain.';
COMMENT ON COLUMN customer_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN customer_cell.account_id IS 'The customer.';
COMMENT ON COLUMN customer_cell.summary IS 'period_summary of the customer''s purchases.';

CREATE VIEW rep_customer_cell WITH (security_invoker = true) AS
SELECT g.grain,
       e.rep_id,
       e.account_id,
       e.summary
  FROM calendar_grain g
 CROSS JOIN LATERAL (
        SELECT rep_id,
               account_id,
               sales_perf.period_agg(sold_on, reporting_amount, covers_from, covers_to, g.grain, g.period_starts) AS summary
          FROM sale_as_of
         WHERE account_id IS NOT NULL
         GROUP BY rep_id, account_id
        UNION ALL
        SELECT rep_id,
               account_id,
               sales_perf.period_agg(sold_on, reporting_amount, g.grain, g.period_starts)
          FROM won_deal_as_of
         WHERE account_id IS NOT NULL
         GROUP BY rep_id, account_id) AS e;

COMMENT ON VIEW rep_customer_cell IS 'What each customer bought of each rep, by the periods of a grain.';
COMMENT ON COLUMN rep_customer_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN rep_customer_cell.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN rep_customer_cell.account_id IS 'The customer.';
COMMENT ON COLUMN rep_customer_cell.summary IS 'period_summary of the customer''s purchases of that rep.';

CREATE VIEW team_customer_cell WITH (security_invoker = true) AS
SELECT g.grain,
       e.team_id,
       e.account_id,
       e.summary
  FROM calendar_grain g
 CROSS JOIN LATERAL (
        SELECT member.team_id,
               s.account_id,
               sales_perf.period_agg(s.sold_on, s.reporting_amount, s.covers_from, s.covers_to, g.grain, g.period_starts) AS summary
          FROM sale_as_of s
          JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
         WHERE s.account_id IS NOT NULL
         GROUP BY member.team_id, s.account_id
        UNION ALL
        SELECT member.team_id,
               d.account_id,
               sales_perf.period_agg(d.sold_on, d.reporting_amount, g.grain, g.period_starts)
          FROM won_deal_as_of d
          JOIN rep_team member ON member.rep_id = d.rep_id AND d.sold_on BETWEEN member.valid_from AND member.valid_to
         WHERE d.account_id IS NOT NULL
         GROUP BY member.team_id, d.account_id) AS e;

COMMENT ON VIEW team_customer_cell IS 'What each customer bought of the reps of each team while they belonged to it, by the periods of a grain.';
COMMENT ON COLUMN team_customer_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN team_customer_cell.team_id IS 'The team the rep belonged to directly on the day of the sale.';
COMMENT ON COLUMN team_customer_cell.account_id IS 'The customer.';
COMMENT ON COLUMN team_customer_cell.summary IS 'period_summary of the customer''s purchases of that team.';

CREATE VIEW cohort_live_cell WITH (security_invoker = true) AS
SELECT 'company'::text AS level,
       NULL::text AS team_id,
       NULL::text AS team_name,
       NULL::text AS rep_id,
       NULL::text AS rep_name,
       NULL::text AS segment,
       grain,
       sales_perf.cohort_agg(summary) AS summary
  FROM customer_cell
 GROUP BY grain
UNION ALL
SELECT 'team'::text,
       t.team_id,
       t.name,
       NULL::text,
       NULL::text,
       NULL::text,
       e.grain,
       e.summary
  FROM (SELECT grain,
               team_id,
               sales_perf.cohort_agg(summary) AS summary
          FROM (SELECT cell.grain,
                       tree.team_id,
                       cell.account_id,
                       sales_perf.rollup(cell.summary) AS summary
                  FROM team_customer_cell cell
                  JOIN team_tree tree ON tree.member_team_id = cell.team_id
                 GROUP BY cell.grain, tree.team_id, cell.account_id) AS of_customer
         GROUP BY grain, team_id) AS e
  JOIN team t ON t.team_id = e.team_id
UNION ALL
SELECT 'rep'::text,
       r.team_id,
       t.name,
       e.rep_id,
       coalesce(r.name, '(no rep)'),
       NULL::text,
       e.grain,
       e.summary
  FROM (SELECT grain,
               rep_id,
               sales_perf.cohort_agg(summary) AS summary
          FROM rep_customer_cell
         GROUP BY grain, rep_id) AS e
  LEFT JOIN rep r ON r.rep_id = e.rep_id
  LEFT JOIN team t ON t.team_id = r.team_id
UNION ALL
SELECT 'segment'::text,
       NULL::text,
       NULL::text,
       NULL::text,
       NULL::text,
       e.segment,
       e.grain,
       e.summary
  FROM (SELECT cell.grain,
               coalesce(a.segment, '(no segment)') AS segment,
               sales_perf.cohort_agg(cell.summary) AS summary
          FROM customer_cell cell
          JOIN account a ON a.account_id = cell.account_id
         GROUP BY cell.grain, coalesce(a.segment, '(no segment)')) AS e;

COMMENT ON VIEW cohort_live_cell IS 'Read from the purchases: the customers of the company, of each team, rep and segment, by the periods of a grain.';

-- ---------------------------------------------------------------- stored, where rollups are maintained

CREATE TABLE rollup_customer (
    account_id       text NOT NULL,
    rep_id           text,
    team_id          text,
    segment          text NOT NULL,
    first_sold_on    date,
    is_pending       boolean NOT NULL,
    month_summary    sales_perf.period_summary,
    quarter_summary  sales_perf.period_summary,
    year_summary     sales_perf.period_summary
);

CREATE INDEX rollup_customer_account_id_idx ON rollup_customer (account_id);

COMMENT ON TABLE rollup_customer IS 'What each customer bought of each rep, stored: so that it can be taken back from rollup_cohort when something of the customer changes. Written by fold_rollup().';
COMMENT ON COLUMN rollup_customer.account_id IS 'The customer.';
COMMENT ON COLUMN rollup_customer.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN rollup_customer.team_id IS 'The team the rep belonged to directly on the days of the sales; NULL: none.';
COMMENT ON COLUMN rollup_customer.segment IS 'The customer''s segment; (no segment): not known.';
COMMENT ON COLUMN rollup_customer.first_sold_on IS 'The day of the first of these purchases, refunds and what cost nothing left out; NULL: there are only such.';
COMMENT ON COLUMN rollup_customer.is_pending IS 'True while fold_rollup() puts the row in the place of what was stored: nobody else sees that.';
COMMENT ON COLUMN rollup_customer.month_summary IS 'period_summary of the purchases by months.';
COMMENT ON COLUMN rollup_customer.quarter_summary IS 'period_summary of the purchases by quarters.';
COMMENT ON COLUMN rollup_customer.year_summary IS 'period_summary of the purchases by years.';

CREATE TABLE rollup_cohort (
    level    text NOT NULL,
    team_id  text,
    rep_id   text,
    segment  text,
    grain    text NOT NULL,
    summary  sales_perf.cohort_summary
);

CREATE UNIQUE INDEX rollup_cohort_key ON rollup_cohort (level, grain, team_id, rep_id, segment) NULLS NOT DISTINCT;

COMMENT ON TABLE rollup_cohort IS 'The cells of cohort_cell, stored. Written by fold_rollup().';
COMMENT ON COLUMN rollup_cohort.level IS 'company, team (with the teams below it), rep or segment.';
COMMENT ON COLUMN rollup_cohort.team_id IS 'The team; NULL at the other levels.';
COMMENT ON COLUMN rollup_cohort.rep_id IS 'The rep; NULL at the other levels, and for what no rep sold.';
COMMENT ON COLUMN rollup_cohort.segment IS 'The segment; NULL at the other levels.';
COMMENT ON COLUMN rollup_cohort.grain IS 'month, quarter or year.';
COMMENT ON COLUMN rollup_cohort.summary IS 'cohort_summary of the customers.';

ALTER TABLE rollup_customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_customer_visible ON rollup_customer USING ((SELECT NOT rollup_report_is_hidden()));
ALTER TABLE rollup_cohort ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_cohort_visible ON rollup_cohort USING ((SELECT NOT rollup_report_is_hidden()));

-- Of rows as they are now, up to a day: not as of it, as a row that is corrected today was wrong all along.
CREATE FUNCTION rollup_customer_wanted(account_ids text[], to_day date) RETURNS SETOF rollup_customer
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.account_id, e.rep_id, e.team_id, coalesce(a.segment, '(no segment)'), e.first_sold_on, true, e.month_summary, e.quarter_summary, e.year_summary
      FROM (SELECT s.account_id,
                   s.rep_id,
                   member.team_id,
                   min(s.sold_on) FILTER (WHERE s.reporting_amount > 0 OR s.reporting_amount IS NULL) AS first_sold_on,
                   sales_perf.period_agg(s.sold_on, s.reporting_amount, s.covers_from, s.covers_to, 'month', (SELECT g.period_starts FROM calendar_grain g WHERE g.grain = 'month')) AS month_summary,
                   sales_perf.period_agg(s.sold_on, s.reporting_amount, s.covers_from, s.covers_to, 'quarter', (SELECT g.period_starts FROM calendar_grain g WHERE g.grain = 'quarter')) AS quarter_summary,
                   sales_perf.period_agg(s.sold_on, s.reporting_amount, s.covers_from, s.covers_to, 'year', (SELECT g.period_starts FROM calendar_grain g WHERE g.grain = 'year')) AS year_summary
              FROM (SELECT account_id,
                           rep_id,
                           sold_on,
                           covers_from,
                           covers_to,
                           sales_perf.converted_amount(amount, currency, sold_on, 'fx_rate_list'::regclass) AS reporting_amount
                      FROM sale
                     WHERE sold_on > '-infinity'
                       AND sold_on <= to_day
                       AND (account_ids IS NULL OR account_id = ANY (account_ids))) AS s
              LEFT JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
             WHERE s.account_id IS NOT NULL
             GROUP BY s.account_id, s.rep_id, member.team_id
            UNION ALL
            SELECT d.account_id,
                   d.rep_id,
                   member.team_id,
                   min(d.closed_on) FILTER (WHERE d.reporting_amount > 0 OR d.reporting_amount IS NULL),
                   sales_perf.period_agg(d.closed_on, d.reporting_amount, 'month', (SELECT g.period_starts FROM calendar_grain g WHERE g.grain = 'month')),
                   sales_perf.period_agg(d.closed_on, d.reporting_amount, 'quarter', (SELECT g.period_starts FROM calendar_grain g WHERE g.grain = 'quarter')),
                   sales_perf.period_agg(d.closed_on, d.reporting_amount, 'year', (SELECT g.period_starts FROM calendar_grain g WHERE g.grain = 'year'))
              FROM (SELECT account_id,
                           rep_id,
                           closed_on,
                           sales_perf.converted_amount(amount, currency, closed_on, 'fx_rate_list'::regclass) AS reporting_amount
                      FROM deal
                     WHERE outcome = 'won'
                       AND closed_on > '-infinity'
                       AND closed_on <= to_day
                       AND (opened_on <= to_day OR opened_on IS NULL)
                       AND (account_ids IS NULL OR account_id = ANY (account_ids))
                       AND NOT EXISTS (SELECT FROM sale)) AS d
              LEFT JOIN rep_team member ON member.rep_id = d.rep_id AND d.closed_on BETWEEN member.valid_from AND member.valid_to
             WHERE d.account_id IS NOT NULL
             GROUP BY d.account_id, d.rep_id, member.team_id) AS e
      LEFT JOIN account a ON a.account_id = e.account_id;
END;

COMMENT ON FUNCTION rollup_customer_wanted(text[], date) IS 'What some customers (NULL: all) bought up to a day, as rollup_customer is to have it. No rows where to_day is NULL.';

CREATE FUNCTION rollup_cohort_difference(account_ids text[], to_day date)
    RETURNS TABLE (level text, team_id text, rep_id text, segment text, grain text, summary sales_perf.cohort_summary)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH customer AS (
        SELECT true AS is_wanted, w.account_id, w.rep_id, w.team_id, w.segment, w.month_summary, w.quarter_summary, w.year_summary
          FROM rollup_customer_wanted(account_ids, to_day) w
        UNION ALL
        SELECT r.is_pending OR account_ids IS NULL AND to_day IS NULL, r.account_id, r.rep_id, r.team_id, r.segment, r.month_summary, r.quarter_summary, r.year_summary
          FROM rollup_customer r
         WHERE account_ids IS NULL
            OR r.account_id = ANY (account_ids)
    ),
    whole_customer AS (
        SELECT is_wanted, account_id, segment, sales_perf.rollup(month_summary) AS month_summary, sales_perf.rollup(quarter_summary) AS quarter_summary, sales_perf.rollup(year_summary) AS year_summary
          FROM customer
         GROUP BY is_wanted, account_id, segment
    ),
    of_level AS (
        SELECT 'company'::text AS level, NULL::text AS team_id, NULL::text AS rep_id, NULL::text AS segment, is_wanted, month_summary, quarter_summary, year_summary
          FROM whole_customer
        UNION ALL
        SELECT 'segment'::text, NULL::text, NULL::text, segment, is_wanted, month_summary, quarter_summary, year_summary
          FROM whole_customer
        UNION ALL
        SELECT 'rep'::text, NULL::text, rep_id, NULL::text, is_wanted, sales_perf.rollup(month_summary), sales_perf.rollup(quarter_summary), sales_perf.rollup(year_summary)
          FROM customer
         GROUP BY is_wanted, rep_id, account_id
        UNION ALL
        SELECT 'team'::text, tree.team_id, NULL::text, NULL::text, c.is_wanted, sales_perf.rollup(c.month_summary), sales_perf.rollup(c.quarter_summary), sales_perf.rollup(c.year_summary)
          FROM customer c
          JOIN team_tree tree ON tree.member_team_id = c.team_id
         GROUP BY c.is_wanted, tree.team_id, c.account_id
    ),
    summed AS (
        SELECT e.level, e.team_id, e.rep_id, e.segment,
               sales_perf.cohort_agg(e.month_summary) FILTER (WHERE e.is_wanted) AS wanted_month,
               sales_perf.cohort_agg(e.month_summary) FILTER (WHERE NOT e.is_wanted) AS stored_month,
               sales_perf.cohort_agg(e.quarter_summary) FILTER (WHERE e.is_wanted) AS wanted_quarter,
               sales_perf.cohort_agg(e.quarter_summary) FILTER (WHERE NOT e.is_wanted) AS stored_quarter,
               sales_perf.cohort_agg(e.year_summary) FILTER (WHERE e.is_wanted) AS wanted_year,
               sales_perf.cohort_agg(e.year_summary) FILTER (WHERE NOT e.is_wanted) AS stored_year
          FROM of_level e
         GROUP BY e.level, e.team_id, e.rep_id, e.segment
    )
    SELECT s.level, s.team_id, s.rep_id, s.segment, g.grain, g.wanted_summary OPERATOR(sales_perf.-) g.stored_summary
      FROM summed s
     CROSS JOIN LATERAL (VALUES ('month'::text, s.wanted_month, s.stored_month),
                                ('quarter', s.wanted_quarter, s.stored_quarter),
                                ('year', s.wanted_year, s.stored_year)) AS g (grain, wanted_summary, stored_summary)
     WHERE g.wanted_summary OPERATOR(sales_perf.<>) g.stored_summary;
END;

COMMENT ON FUNCTION rollup_cohort_difference(text[], date) IS 'What some customers (NULL: all) come to in cohort_cell up to a day, less what rollup_customer says they were stored with. to_day NULL: of what fold_rollup() is about to store (is_pending), less what was stored; of all customers, of what it has just stored in an empty table.';

CREATE VIEW rollup_touched_customer WITH (security_invoker = true) AS
SELECT subject_id AS account_id,
       on_date
  FROM rollup_touched
 WHERE kind = 'customer'
   AND subject_id IS NOT NULL
UNION ALL
SELECT s.account_id,
       NULL::date
  FROM rollup_touched t
  JOIN sale s ON s.currency = t.currency AND s.sold_on >= t.on_date
 WHERE t.kind = 'rate'
UNION ALL
SELECT d.account_id,
       NULL::date
  FROM rollup_touched t
  JOIN deal d ON d.currency = t.currency AND d.closed_on >= t.on_date AND d.outcome = 'won'
 WHERE t.kind = 'rate';

COMMENT ON VIEW rollup_touched_customer IS 'The customers that are to be derived anew, by rollup_touched.';
COMMENT ON COLUMN rollup_touched_customer.account_id IS 'The customer; NULL: purchases of nobody, which count nowhere here.';
COMMENT ON COLUMN rollup_touched_customer.on_date IS 'The day from which on; NULL: at once.';

CREATE FUNCTION rollup_touched_accounts(to_day date) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ARRAY(SELECT DISTINCT t.account_id
                   FROM rollup_touched_customer t
                  WHERE t.account_id IS NOT NULL
                    AND (t.on_date IS NULL OR t.on_date <= to_day));

COMMENT ON FUNCTION rollup_touched_accounts(date) IS 'The customers that are to be derived anew on a day.';

CREATE FUNCTION cohort_unfolded_cell()
    RETURNS TABLE (level text, team_id text, rep_id text, segment text, grain text, summary sales_perf.cohort_summary)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET plan_cache_mode = force_custom_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    touched text[];
BEGIN
    IF NOT rollup_subject_serves('customer') THEN
        RETURN QUERY
            SELECT c.level,
                   CASE WHEN c.level = 'team' THEN c.team_id END,
                   c.rep_id,
                   c.segment,
                   c.grain,
                   c.summary
              FROM cohort_live_cell c;
        RETURN;
    END IF;
    touched := rollup_touched_accounts(sales_perf.as_of());
    IF touched <> '{}' THEN
        RETURN QUERY SELECT * FROM rollup_cohort_difference(touched, sales_perf.as_of());
    END IF;
END
$$;

COMMENT ON FUNCTION cohort_unfolded_cell() IS 'Of cohort_cell what rollup_cohort does not hold: what is to be added for customers who were touched since; all, where it does not serve.';

CREATE VIEW cohort_rollup_cell WITH (security_invoker = true) AS
SELECT e.level,
       coalesce(e.team_id, r.team_id) AS team_id,
       t.name AS team_name,
       e.rep_id,
       CASE WHEN e.level = 'rep' THEN coalesce(r.name, '(no rep)') END AS rep_name,
       e.segment,
       e.grain,
       e.summary
  FROM (SELECT level,
               team_id,
               rep_id,
               segment,
               grain,
               sales_perf.rollup(summary) AS summary
          FROM (SELECT level,
                       team_id,
                       rep_id,
                       segment,
                       grain,
                       summary
                  FROM rollup_cohort
                 WHERE (SELECT rollup_subject_serves('customer'))
                UNION ALL
                SELECT level,
                       team_id,
                       rep_id,
                       segment,
                       grain,
                       summary
                  FROM cohort_unfolded_cell()) AS part
         GROUP BY level, team_id, rep_id, segment, grain) AS e
  LEFT JOIN rep r ON r.rep_id = e.rep_id
  LEFT JOIN team t ON t.team_id = coalesce(e.team_id, r.team_id)
 -- who has no customer any more
 WHERE sales_perf.customer_count(e.summary) + sales_perf.inactive_count(e.summary) + sales_perf.invalid_count(e.summary) > 0;

COMMENT ON VIEW cohort_rollup_cell IS 'From rollups: the customers of the company, of each team, rep and segment, by the periods of a grain.';

-- ---------------------------------------------------------------- what reports read

CREATE VIEW cohort_cell WITH (security_invoker = true) AS
SELECT level,
       team_id,
       team_name,
       rep_id,
       rep_name,
       segment,
       grain,
       summary
  FROM (SELECT false AS is_of_rollup,
               c.*
          FROM cohort_live_cell c
        UNION ALL
        SELECT true,
               c.*
          FROM cohort_rollup_cell c) AS cell
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW cohort_cell IS 'The summaries behind retention and cohort_retention, which BI tools should read instead: the customers of the company, of each team, rep and segment, by the periods of a grain. From rollups where they are maintained.';
COMMENT ON COLUMN cohort_cell.level IS 'company, team (with the teams below it), rep or segment: filter one.';
COMMENT ON COLUMN cohort_cell.team_id IS 'The team, or the team of the rep; NULL at the levels company and segment.';
COMMENT ON COLUMN cohort_cell.team_name IS 'Its name.';
COMMENT ON COLUMN cohort_cell.rep_id IS 'The rep who sold; NULL at the other levels, and for what no rep sold.';
COMMENT ON COLUMN cohort_cell.rep_name IS 'The name of the rep; (no rep): what no rep sold.';
COMMENT ON COLUMN cohort_cell.segment IS 'The accounts'' segment; (no segment): not known; NULL at the other levels.';
COMMENT ON COLUMN cohort_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN cohort_cell.summary IS 'cohort_summary of the customers.';

CREATE FUNCTION first_purchase_unfolded()
    RETURNS TABLE (account_id text, rep_id text, sold_on date)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET plan_cache_mode = force_custom_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    touched text[];
BEGIN
    IF NOT rollup_subject_serves('customer') THEN
        RETURN QUERY
            SELECT p.account_id,
                   p.rep_id,
                   p.sold_on
              FROM purchase p
             WHERE p.account_id IS NOT NULL
               AND (p.reporting_amount > 0 OR p.reporting_amount IS NULL);
        RETURN;
    END IF;
    touched := rollup_touched_accounts(sales_perf.as_of());
    IF touched <> '{}' THEN
        RETURN QUERY
            SELECT w.account_id,
                   w.rep_id,
                   w.first_sold_on
              FROM rollup_customer_wanted(touched, sales_perf.as_of()) w
             WHERE w.first_sold_on IS NOT NULL;
    END IF;
END
$$;

COMMENT ON FUNCTION first_purchase_unfolded() IS 'Of first_purchase what rollup_customer does not hold: the purchases of customers who were touched since; all, where it does not serve.';

CREATE VIEW first_purchase WITH (security_invoker = true) AS
SELECT account_id,
       rep_id,
       sold_on
  FROM (SELECT false AS is_of_rollup,
               account_id,
               rep_id,
               sold_on
          FROM purchase
         WHERE account_id IS NOT NULL
           AND (reporting_amount > 0 OR reporting_amount IS NULL)
        UNION ALL
        SELECT true,
               r.account_id,
               r.rep_id,
               r.first_sold_on
          FROM rollup_customer r
         WHERE (SELECT rollup_subject_serves('customer'))
           AND r.first_sold_on IS NOT NULL
           AND NOT EXISTS (SELECT
                             FROM rollup_touched_customer t
                            WHERE t.account_id = r.account_id
                              AND (t.on_date IS NULL OR t.on_date <= sales_perf.as_of()))
        UNION ALL
        SELECT true,
               account_id,
               rep_id,
               sold_on
          FROM first_purchase_unfolded()) AS p
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW first_purchase IS 'Purchases (but refunds and what cost nothing) among which is the first of each customer, of each rep in each team: all of them, or where rollups are maintained only those.';
COMMENT ON COLUMN first_purchase.account_id IS 'The customer.';
COMMENT ON COLUMN first_purchase.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN first_purchase.sold_on IS 'The day.';

SET LOCAL search_path = sales_perf, pg_temp;
