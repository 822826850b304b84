-- Whether customers come back: retention from period to period, and by the period of their first
-- purchase. A customer is an account; what nobody bought (no account) is nobody's.
--
-- Two levels: first each customer's purchases by period, then all customers. Retention of a rep, a
-- team or a segment is that of its own customers and never added up: who left one rep for another
-- stays with the company, and a team's customers are those its reps sold to while they belonged to it.
-- A filter on grain leaves one of three turns; one on a rep reaches the scan.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

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

CREATE VIEW cohort_cell WITH (security_invoker = true) AS
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

COMMENT ON VIEW cohort_cell IS 'The summaries behind retention and cohort_retention, which BI tools should read instead: the customers of the company, of each team, rep and segment, by the periods of a grain.';
COMMENT ON COLUMN cohort_cell.level IS 'company, team (with the teams below it), rep or segment: filter one.';
COMMENT ON COLUMN cohort_cell.team_id IS 'The team, or the team of the rep; NULL at the levels company and segment.';
COMMENT ON COLUMN cohort_cell.team_name IS 'Its name.';
COMMENT ON COLUMN cohort_cell.rep_id IS 'The rep who sold; NULL at the other levels, and for what no rep sold.';
COMMENT ON COLUMN cohort_cell.rep_name IS 'The name of the rep; (no rep): what no rep sold.';
COMMENT ON COLUMN cohort_cell.segment IS 'The accounts'' segment; (no segment): not known; NULL at the other levels.';
COMMENT ON COLUMN cohort_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN cohort_cell.summary IS 'cohort_summary of the customers.';

CREATE VIEW retention WITH (security_invoker = true) AS
SELECT c.level,
       c.team_id,
       c.team_name,
       c.rep_id,
       c.rep_name,
       c.segment,
       c.grain,
       r.period_start,
       k.period_end,
       k.period_label,
       k.period_end <= sales_perf.as_of() AS is_complete,
       r.starting AS starting_count,
       r.retained AS retained_count,
       r.churned AS churned_count,
       r.new AS new_count,
       r.reactivated AS reactivated_count,
       r.retained + r.new + r.reactivated AS active_count,
       r.retention_rate AS customer_retention_rate,
       1 - r.retention_rate AS churn_rate,
       r.starting_amount,
       r.kept_amount,
       r.current_amount,
       r.gross_revenue_retention,
       r.net_revenue_retention
  FROM cohort_cell c
  JOIN calendar_grain g ON g.grain = c.grain
 CROSS JOIN LATERAL sales_perf.retention_values(c.summary, sales_perf.as_of(), g.period_starts) AS r
 CROSS JOIN LATERAL (
        SELECT CASE c.grain WHEN 'month' THEN day.fiscal_period_end WHEN 'quarter' THEN day.fiscal_quarter_end ELSE day.fiscal_year_end END AS period_end,
               CASE c.grain WHEN 'month' THEN day.fiscal_period_label WHEN 'quarter' THEN day.fiscal_quarter_label ELSE day.fiscal_year_label END AS period_label
          FROM calendar day
         WHERE day.region = ''
           AND day.on_date = r.period_start
        -- looked up for each period: before calendar is analyzed, the planner would go the other way round
        OFFSET 0) AS k;

COMMENT ON VIEW retention IS 'Who of the customers of the period before came back, and with how much: by month, quarter and year, of the company, each team, rep and segment from its own customers. A customer is an account; active: covered by a sale''s term, or with purchases above 0 net in the period. A team''s are those its reps sold to while they belonged to it. Periods are those of calendar, from the first with an active customer to the one that holds as_of(). Filter one level and one grain.';
COMMENT ON COLUMN retention.level IS 'company, team (with the teams below it), rep or segment: filter one. Levels are not to be added up.';
COMMENT ON COLUMN retention.team_id IS 'The team, or the team of the rep; NULL at the levels company and segment.';
COMMENT ON COLUMN retention.team_name IS 'Its name.';
COMMENT ON COLUMN retention.rep_id IS 'The rep who sold; NULL at the other levels, and for what no rep sold.';
COMMENT ON COLUMN retention.rep_name IS 'The name of the rep; (no rep): what no rep sold.';
COMMENT ON COLUMN retention.segment IS 'The accounts'' segment; (no segment): not known; NULL at the other levels.';
COMMENT ON COLUMN retention.grain IS 'month, quarter or year: filter one. Monthly retention gives no quarterly one.';
COMMENT ON COLUMN retention.period_start IS 'First day of the period.';
COMMENT ON COLUMN retention.period_end IS 'Last day of the period.';
COMMENT ON COLUMN retention.period_label IS 'Label of the period.';
COMMENT ON COLUMN retention.is_complete IS 'True where the period is over as of as_of(). In one that is not, customers may still come back.';
COMMENT ON COLUMN retention.starting_count IS 'Customers active in the period before. Count; P; 0 where there were none.';
COMMENT ON COLUMN retention.retained_count IS 'Of these, active in the period too. Count; P.';
COMMENT ON COLUMN retention.churned_count IS 'Of these, not active in the period. Count; P.';
COMMENT ON COLUMN retention.new_count IS 'Customers active for the first time. Count; P.';
COMMENT ON COLUMN retention.reactivated_count IS 'Customers active in the period and some time before, but not in the period before. Count; P.';
COMMENT ON COLUMN retention.active_count IS 'retained_count + new_count + reactivated_count: the starting_count of the next period. Count; P.';
COMMENT ON COLUMN retention.customer_retention_rate IS 'retained_count / starting_count: new customers never count. Fraction; P; NULL where starting_count is 0.';
COMMENT ON COLUMN retention.churn_rate IS '1 - customer_retention_rate. Fraction; P; NULL where starting_count is 0.';
COMMENT ON COLUMN retention.starting_amount IS 'What the starting customers bought in the period before. Amount in the reporting currency, at the rate of the day of each sale; P.';
COMMENT ON COLUMN retention.kept_amount IS 'What they bought in the period, of each at most as much as before. Amount; P.';
COMMENT ON COLUMN retention.current_amount IS 'What they bought in the period. Amount; P. Terms are spread over their days.';
COMMENT ON COLUMN retention.gross_revenue_retention IS 'kept_amount / starting_amount. Fraction; P; NULL where starting_amount is 0 or less.';
COMMENT ON COLUMN retention.net_revenue_retention IS 'current_amount / starting_amount. Fraction, above 1 where they bought more; P; NULL where starting_amount is 0 or less.';

CREATE VIEW cohort_retention WITH (security_invoker = true) AS
SELECT c.level,
       c.team_id,
       c.team_name,
       c.rep_id,
       c.rep_name,
       c.segment,
       c.grain,
       r.cohort_start,
       k.cohort_label,
       r.periods_since,
       r.customers AS customer_count,
       r.active AS active_count,
       r.retention_rate AS cohort_retention_rate,
       r.amount,
       r.is_complete
  FROM cohort_cell c
  JOIN calendar_grain g ON g.grain = c.grain
 CROSS JOIN LATERAL sales_perf.cohort_values(c.summary, sales_perf.as_of(), g.period_starts) AS r
 CROSS JOIN LATERAL (
        SELECT CASE c.grain WHEN 'month' THEN day.fiscal_period_label WHEN 'quarter' THEN day.fiscal_quarter_label ELSE day.fiscal_year_label END AS cohort_label
          FROM calendar day
         WHERE day.region = ''
           AND day.on_date = r.cohort_start
        OFFSET 0) AS k;

COMMENT ON VIEW cohort_retention IS 'The cohort matrix: of the customers whose first active period was this one, how many were active so many periods later; of the company, each team, rep and segment from its own customers. A customer is an account; active: covered by a sale''s term, or with purchases above 0 net in the period. A team''s are those its reps sold to while they belonged to it. Periods are those of calendar. Filter one level and one grain.';
COMMENT ON COLUMN cohort_retention.level IS 'company, team (with the teams below it), rep or segment: filter one.';
COMMENT ON COLUMN cohort_retention.team_id IS 'The team, or the team of the rep; NULL at the levels company and segment.';
COMMENT ON COLUMN cohort_retention.team_name IS 'Its name.';
COMMENT ON COLUMN cohort_retention.rep_id IS 'The rep who sold; NULL at the other levels, and for what no rep sold.';
COMMENT ON COLUMN cohort_retention.rep_name IS 'The name of the rep; (no rep): what no rep sold.';
COMMENT ON COLUMN cohort_retention.segment IS 'The accounts'' segment; (no segment): not known; NULL at the other levels.';
COMMENT ON COLUMN cohort_retention.grain IS 'month, quarter or year, of the cohort and of the periods since: filter one.';
COMMENT ON COLUMN cohort_retention.cohort_start IS 'First day of the period in which the customers were active for the first time.';
COMMENT ON COLUMN cohort_retention.cohort_label IS 'Label of that period.';
COMMENT ON COLUMN cohort_retention.periods_since IS 'Periods from that one to the one looked at; 0 is the cohort''s own.';
COMMENT ON COLUMN cohort_retention.customer_count IS 'Customers of the cohort. Count; R (by first active period).';
COMMENT ON COLUMN cohort_retention.active_count IS 'Of these, active so many periods later. Count; R; NULL where is_complete is false.';
COMMENT ON COLUMN cohort_retention.cohort_retention_rate IS 'active_count / customer_count. Fraction; R; NULL where is_complete is false.';
COMMENT ON COLUMN cohort_retention.amount IS 'What the cohort''s customers bought in that period, net of refunds. Amount; R; NULL where is_complete is false.';
COMMENT ON COLUMN cohort_retention.is_complete IS 'True where the period looked at is over as of as_of().';

SET LOCAL search_path = sales_perf, pg_temp;
