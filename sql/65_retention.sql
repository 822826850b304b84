-- Whether customers come back: retention from period to period, and by the period of their first
-- purchase. A customer is an account; what nobody bought (no account) is nobody's. Retention of a rep, a
-- team or a segment is that of its own customers (sql/65_cohort_cell.sql) and never added up.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

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
