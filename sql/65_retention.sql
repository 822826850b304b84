-- Whether customers come back: retention from period to period, and by the period of their first
-- purchase. A customer is an account; what nobody bought (no account) is nobody's.
--
-- Two levels: first each customer's purchases by period, then all customers. Retention of a rep, a
-- team or a segment is that of its own customers and never added up: who left one rep for another
-- stays with the company. A filter on grain leaves one of three turns; one on a rep reaches the scan.
-- Periods are calendar months, quarters and years, whatever calendar says.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW customer_cell WITH (security_invoker = true) AS
SELECT g.grain,
       e.account_id,
       e.summary
  FROM (VALUES ('month'::text), ('quarter'), ('year')) AS g (grain)
 CROSS JOIN LATERAL (
        SELECT account_id,
               sales_perf.period_agg(sold_on, amount, covers_from, covers_to, g.grain) AS summary
          FROM sale_as_of
         WHERE account_id IS NOT NULL
         GROUP BY account_id
        UNION ALL
        SELECT account_id,
               sales_perf.period_agg(sold_on, amount, g.grain)
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
  FROM (VALUES ('month'::text), ('quarter'), ('year')) AS g (grain)
 CROSS JOIN LATERAL (
        SELECT rep_id,
               account_id,
               sales_perf.period_agg(sold_on, amount, covers_from, covers_to, g.grain) AS summary
          FROM sale_as_of
         WHERE account_id IS NOT NULL
         GROUP BY rep_id, account_id
        UNION ALL
        SELECT rep_id,
               account_id,
               sales_perf.period_agg(sold_on, amount, g.grain)
          FROM won_deal_as_of
         WHERE account_id IS NOT NULL
         GROUP BY rep_id, account_id) AS e;

COMMENT ON VIEW rep_customer_cell IS 'What each customer bought of each rep, by the periods of a grain.';
COMMENT ON COLUMN rep_customer_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN rep_customer_cell.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN rep_customer_cell.account_id IS 'The customer.';
COMMENT ON COLUMN rep_customer_cell.summary IS 'period_summary of the customer''s purchases of that rep.';

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
                       member.team_id,
                       cell.account_id,
                       sales_perf.rollup(cell.summary) AS summary
                  FROM rep_customer_cell cell
                  JOIN team_rep member ON member.rep_id = cell.rep_id
                 GROUP BY cell.grain, member.team_id, cell.account_id) AS of_customer
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
       (r.period_start + CASE c.grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END)::date - 1 AS period_end,
       to_char(r.period_start, CASE c.grain WHEN 'month' THEN 'YYYY-MM' WHEN 'quarter' THEN 'YYYY-"Q"Q' ELSE 'YYYY' END) AS period_label,
       (r.period_start + CASE c.grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END)::date - 1 <= sales_perf.as_of() AS is_complete,
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
 CROSS JOIN LATERAL sales_perf.retention_values(c.summary, sales_perf.as_of()) AS r;

COMMENT ON VIEW retention IS 'Who of the customers of the period before came back, and with how much: by month, quarter and year, of the company, each team, rep and segment from its own customers. A customer is an account; active: covered by a sale''s term, or with purchases above 0 net in the period. From the first period with an active customer to the one that holds as_of(); calendar months, quarters and years. Filter one level and one grain.';
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
COMMENT ON COLUMN retention.starting_amount IS 'What the starting customers bought in the period before. Amount; P.';
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
       to_char(r.cohort_start, CASE c.grain WHEN 'month' THEN 'YYYY-MM' WHEN 'quarter' THEN 'YYYY-"Q"Q' ELSE 'YYYY' END) AS cohort_label,
       r.periods_since,
       r.customers AS customer_count,
       r.active AS active_count,
       r.retention_rate AS cohort_retention_rate,
       r.amount,
       r.is_complete
  FROM cohort_cell c
 CROSS JOIN LATERAL sales_perf.cohort_values(c.summary, sales_perf.as_of()) AS r;

COMMENT ON VIEW cohort_retention IS 'The cohort matrix: of the customers whose first active period was this one, how many were active so many periods later; of the company, each team, rep and segment from its own customers. A customer is an account; active: covered by a sale''s term, or with purchases above 0 net in the period. Calendar months, quarters and years. Filter one level and one grain.';
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
