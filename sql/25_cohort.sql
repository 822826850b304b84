-- cohort_summary: which customers came back, and what they were worth.

--@summary_type cohort_summary

COMMENT ON TYPE sales_perf.cohort_summary IS
'Customers by the period of their first purchase and the periods since: who was active, and for how much.';

CREATE FUNCTION sales_perf.cohort_agg_add(sales_perf.cohort_summary, customer sales_perf.period_summary)
RETURNS sales_perf.cohort_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_agg_add';
COMMENT ON FUNCTION sales_perf.cohort_agg_add(sales_perf.cohort_summary, sales_perf.period_summary) IS 'internal: transition of cohort_agg';

CREATE FUNCTION sales_perf.cohort_agg_remove(sales_perf.cohort_summary, customer sales_perf.period_summary)
RETURNS sales_perf.cohort_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_agg_remove';
COMMENT ON FUNCTION sales_perf.cohort_agg_remove(sales_perf.cohort_summary, sales_perf.period_summary) IS 'internal: inverse transition of cohort_agg';

CREATE AGGREGATE sales_perf.cohort_agg(customer sales_perf.period_summary) (
	SFUNC = sales_perf.cohort_agg_add,
	STYPE = sales_perf.cohort_summary,
	SSPACE = 4096,
	FINALFUNC = sales_perf.cohort_summary_final,
	COMBINEFUNC = sales_perf.cohort_summary_rollup,
	MSFUNC = sales_perf.cohort_agg_add,
	MINVFUNC = sales_perf.cohort_agg_remove,
	MSTYPE = sales_perf.cohort_summary,
	MFINALFUNC = sales_perf.cohort_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.cohort_agg(sales_perf.period_summary) IS
'Takes one row a customer, the period_agg of all that the customer bought (where that is spread over several rows, roll it up by customer first); NULL is left out. A customer is active in a period that a term covers, or with purchases whose net amount is above 0 (or not recorded); the first active period is that of the cohort. Customers without an active period count in inactive_count, those whose summary is not valid in invalid_count.';

CREATE FUNCTION sales_perf.customer_count(s sales_perf.cohort_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_customer_count';
COMMENT ON FUNCTION sales_perf.customer_count(sales_perf.cohort_summary) IS
'Customers who were active in any period.';

CREATE FUNCTION sales_perf.inactive_count(s sales_perf.cohort_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_inactive_count';
COMMENT ON FUNCTION sales_perf.inactive_count(sales_perf.cohort_summary) IS
'Customers who were never active: nothing bought on a known day, or nothing above 0 net.';

CREATE FUNCTION sales_perf.invalid_count(s sales_perf.cohort_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_invalid_count';
COMMENT ON FUNCTION sales_perf.invalid_count(sales_perf.cohort_summary) IS
'Customers left out because their period_summary is not valid (see is_valid).';

CREATE FUNCTION sales_perf.retention_values(s sales_perf.cohort_summary)
RETURNS TABLE (period_start date, starting bigint, retained bigint, churned bigint, new bigint, reactivated bigint,
	retention_rate float8, gross_revenue_retention float8, net_revenue_retention float8,
	starting_amount numeric, kept_amount numeric, current_amount numeric)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'cohort_retention_values';
COMMENT ON FUNCTION sales_perf.retention_values(sales_perf.cohort_summary) IS
'One row for each period from the first with an active customer to the last: starting = customers active in the period before; of them retained = active again, churned = not; new = active for the first time; reactivated = active again, but not in the period before. retention_rate = retained / starting. Of the starting customers: starting_amount = what they bought in the period before, current_amount = what they bought in this one, kept_amount = of each at most as much as before; gross_revenue_retention = kept_amount / starting_amount, net_revenue_retention = current_amount / starting_amount. NULL where the denominator is not above 0.';

CREATE FUNCTION sales_perf.retention_values(s sales_perf.cohort_summary, last_day date)
RETURNS TABLE (period_start date, starting bigint, retained bigint, churned bigint, new bigint, reactivated bigint,
	retention_rate float8, gross_revenue_retention float8, net_revenue_retention float8,
	starting_amount numeric, kept_amount numeric, current_amount numeric)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'cohort_retention_values';
COMMENT ON FUNCTION sales_perf.retention_values(sales_perf.cohort_summary, date) IS
'The same up to the period that holds last_day, the day up to which sales are known: what comes later (terms reach ahead) is left out, and where nothing was bought any more the rows go on. The last period is not over unless last_day is its last.';

CREATE FUNCTION sales_perf.retention_values(s sales_perf.cohort_summary, last_day date, period_starts date[])
RETURNS TABLE (period_start date, starting bigint, retained bigint, churned bigint, new bigint, reactivated bigint,
	retention_rate float8, gross_revenue_retention float8, net_revenue_retention float8,
	starting_amount numeric, kept_amount numeric, current_amount numeric)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'cohort_retention_values';
COMMENT ON FUNCTION sales_perf.retention_values(sales_perf.cohort_summary, date, date[]) IS
'The same of customers whose periods'' first days were given to period_agg: give them here too.';

CREATE FUNCTION sales_perf.cohort_values(s sales_perf.cohort_summary)
RETURNS TABLE (cohort_start date, periods_since integer, customers bigint, active bigint, retention_rate float8,
	amount numeric, is_complete boolean)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 400
AS 'MODULE_PATHNAME', 'cohort_values';
COMMENT ON FUNCTION sales_perf.cohort_values(sales_perf.cohort_summary) IS
'The cohort matrix, one row for each cohort (customers by the period of their first purchase) and number of periods since: the cohort''s customers, how many of them were active then, retention_rate = active / customers, and the net amount of all of them. Cells after the last period with data are not complete: active, retention_rate and amount are NULL.';

CREATE FUNCTION sales_perf.cohort_values(s sales_perf.cohort_summary, last_day date)
RETURNS TABLE (cohort_start date, periods_since integer, customers bigint, active bigint, retention_rate float8,
	amount numeric, is_complete boolean)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 400
AS 'MODULE_PATHNAME', 'cohort_values';
COMMENT ON FUNCTION sales_perf.cohort_values(sales_perf.cohort_summary, date) IS
'The same where sales are known up to last_day: cells of periods that are not over by then are not complete.';

CREATE FUNCTION sales_perf.cohort_values(s sales_perf.cohort_summary, last_day date, period_starts date[])
RETURNS TABLE (cohort_start date, periods_since integer, customers bigint, active bigint, retention_rate float8,
	amount numeric, is_complete boolean)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 400
AS 'MODULE_PATHNAME', 'cohort_values';
COMMENT ON FUNCTION sales_perf.cohort_values(sales_perf.cohort_summary, date, date[]) IS
'The same of customers whose periods'' first days were given to period_agg: give them here too.';

CREATE FUNCTION sales_perf.period_retention_rate(s sales_perf.cohort_summary, period_start date)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_period_retention_rate';
COMMENT ON FUNCTION sales_perf.period_retention_rate(sales_perf.cohort_summary, date) IS
'Retention from the period before to the one that holds the day: customers active in both / customers active in the period before. NULL where there were none.';

CREATE FUNCTION sales_perf.period_retention_rate(s sales_perf.cohort_summary, period_start date, period_starts date[])
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cohort_period_retention_rate';
COMMENT ON FUNCTION sales_perf.period_retention_rate(sales_perf.cohort_summary, date, date[]) IS
'The same of customers whose periods'' first days were given to period_agg: give them here too.';
