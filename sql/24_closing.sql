-- closing_summary: what was won and lost in each period, and how long it took.

--@summary_type closing_summary

COMMENT ON TYPE sales_perf.closing_summary IS
'Deals closed in each period (day, week, month, quarter or year): won, lost, exact amounts, days of cycles.';

CREATE FUNCTION sales_perf.closing_agg_add(sales_perf.closing_summary, closed_on date, outcome text, amount numeric, opened_on date, grain text)
RETURNS sales_perf.closing_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_agg_add';
COMMENT ON FUNCTION sales_perf.closing_agg_add(sales_perf.closing_summary, date, text, numeric, date, text) IS 'internal: transition of closing_agg';

CREATE FUNCTION sales_perf.closing_agg_remove(sales_perf.closing_summary, closed_on date, outcome text, amount numeric, opened_on date, grain text)
RETURNS sales_perf.closing_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_agg_remove';
COMMENT ON FUNCTION sales_perf.closing_agg_remove(sales_perf.closing_summary, date, text, numeric, date, text) IS 'internal: inverse transition of closing_agg';

CREATE AGGREGATE sales_perf.closing_agg(closed_on date, outcome text, amount numeric, opened_on date, grain text) (
	SFUNC = sales_perf.closing_agg_add,
	STYPE = sales_perf.closing_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.closing_summary_final,
	COMBINEFUNC = sales_perf.closing_summary_rollup,
	MSFUNC = sales_perf.closing_agg_add,
	MINVFUNC = sales_perf.closing_agg_remove,
	MSTYPE = sales_perf.closing_summary,
	MFINALFUNC = sales_perf.closing_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.closing_agg(date, text, numeric, date, text) IS
'Counts deals won and lost by the period they closed in, and sums up their amounts and the days that won ones took. outcome is won, lost or open (NULL is open), anything else an error. The grain is day, week (ISO, from Monday), month, quarter or year, the same for all rows of a group. Open deals count in open_count, others without a finite day of closing in undated_count.';

CREATE FUNCTION sales_perf.closing_agg_add(sales_perf.closing_summary, closed_on date, outcome text, amount numeric, opened_on date, grain text, period_starts date[])
RETURNS sales_perf.closing_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_agg_starts_add';
COMMENT ON FUNCTION sales_perf.closing_agg_add(sales_perf.closing_summary, date, text, numeric, date, text, date[]) IS 'internal: transition of closing_agg';

CREATE FUNCTION sales_perf.closing_agg_remove(sales_perf.closing_summary, closed_on date, outcome text, amount numeric, opened_on date, grain text, period_starts date[])
RETURNS sales_perf.closing_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_agg_starts_remove';
COMMENT ON FUNCTION sales_perf.closing_agg_remove(sales_perf.closing_summary, date, text, numeric, date, text, date[]) IS 'internal: inverse transition of closing_agg';

CREATE AGGREGATE sales_perf.closing_agg(closed_on date, outcome text, amount numeric, opened_on date, grain text, period_starts date[]) (
	SFUNC = sales_perf.closing_agg_add,
	STYPE = sales_perf.closing_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.closing_summary_final,
	COMBINEFUNC = sales_perf.closing_summary_rollup,
	MSFUNC = sales_perf.closing_agg_add,
	MINVFUNC = sales_perf.closing_agg_remove,
	MSTYPE = sales_perf.closing_summary,
	MFINALFUNC = sales_perf.closing_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.closing_agg(date, text, numeric, date, text, date[]) IS
'The same by periods of your own: period_starts is as for period_agg, and is given to closing_values too.';

CREATE FUNCTION sales_perf.open_count(s sales_perf.closing_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_open_count';
COMMENT ON FUNCTION sales_perf.open_count(sales_perf.closing_summary) IS
'Deals open, which are in no period.';

CREATE FUNCTION sales_perf.undated_count(s sales_perf.closing_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_undated_count';
COMMENT ON FUNCTION sales_perf.undated_count(sales_perf.closing_summary) IS
'Closed deals without a finite day of closing, which are in no period.';

CREATE FUNCTION sales_perf.closing_values(s sales_perf.closing_summary, period_starts date[] DEFAULT NULL)
RETURNS TABLE (period_start date, won_count bigint, lost_count bigint, unpriced_count bigint, cycle_count bigint,
	cycle_days bigint, bookings_amount numeric, lost_amount numeric)
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'closing_values';
COMMENT ON FUNCTION sales_perf.closing_values(sales_perf.closing_summary, date[]) IS
'One row for each period in which deals closed: deals won and lost; won ones without an amount (unpriced_count); exact amounts of those won (bookings_amount) and lost; won ones whose days from opening to closing are known and not below 0 (cycle_count), and the sum of those days (cycle_days), so that cycle_days / cycle_count is the average cycle. period_starts: the first days of the periods, where they were given to closing_agg.';

CREATE FUNCTION sales_perf.closing_window_values(s sales_perf.closing_summary, first_days date[], end_days date[], period_starts date[] DEFAULT NULL)
RETURNS TABLE (window_no integer, won_count bigint, lost_count bigint, unpriced_count bigint, cycle_count bigint,
	cycle_days bigint, bookings_amount numeric, lost_amount numeric)
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'closing_window_values';
COMMENT ON FUNCTION sales_perf.closing_window_values(sales_perf.closing_summary, date[], date[], date[]) IS
'What closing_values gives, summed up over windows of days, which may overlap: one row for each, from 1 on, of the periods that start on first_days[window_no] or later, and before end_days[window_no]; zeros where there are none, or no summary. period_starts is as for closing_values.';
