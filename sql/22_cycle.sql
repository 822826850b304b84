-- cycle_summary: how long deals take, those still open included.

--@summary_type cycle_summary

COMMENT ON TYPE sales_perf.cycle_summary IS
'Days from opening to winning or losing, and the days on which open deals were opened.';

CREATE FUNCTION sales_perf.cycle_agg_add(sales_perf.cycle_summary, outcome text, opened_on date, closed_on date)
RETURNS sales_perf.cycle_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_agg_add';
COMMENT ON FUNCTION sales_perf.cycle_agg_add(sales_perf.cycle_summary, text, date, date) IS 'internal: transition of cycle_agg';

CREATE FUNCTION sales_perf.cycle_agg_remove(sales_perf.cycle_summary, outcome text, opened_on date, closed_on date)
RETURNS sales_perf.cycle_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_agg_remove';
COMMENT ON FUNCTION sales_perf.cycle_agg_remove(sales_perf.cycle_summary, text, date, date) IS 'internal: inverse transition of cycle_agg';

CREATE AGGREGATE sales_perf.cycle_agg(outcome text, opened_on date, closed_on date) (
	SFUNC = sales_perf.cycle_agg_add,
	STYPE = sales_perf.cycle_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.cycle_summary_final,
	COMBINEFUNC = sales_perf.cycle_summary_rollup,
	MSFUNC = sales_perf.cycle_agg_add,
	MINVFUNC = sales_perf.cycle_agg_remove,
	MSTYPE = sales_perf.cycle_summary,
	MFINALFUNC = sales_perf.cycle_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.cycle_agg(text, date, date) IS
'Collects how long deals take. outcome is won, lost or open (NULL is open), anything else an error; closed_on of an open deal is ignored. Deals without usable dates are counted (undated_count, invalid_count).';

CREATE FUNCTION sales_perf.undated_count(s sales_perf.cycle_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_undated_count';
COMMENT ON FUNCTION sales_perf.undated_count(sales_perf.cycle_summary) IS
'Deals without opened_on: they have no cycle.';

CREATE FUNCTION sales_perf.invalid_count(s sales_perf.cycle_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_invalid_count';
COMMENT ON FUNCTION sales_perf.invalid_count(sales_perf.cycle_summary) IS
'Deals whose dates cannot be: closed before opened, closed without closed_on, or an infinite date.';

CREATE FUNCTION sales_perf.cycle_count(s sales_perf.cycle_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_count';
COMMENT ON FUNCTION sales_perf.cycle_count(sales_perf.cycle_summary) IS
'Won deals whose cycle is known.';

CREATE FUNCTION sales_perf.cycle_average(s sales_perf.cycle_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_average';
COMMENT ON FUNCTION sales_perf.cycle_average(sales_perf.cycle_summary) IS
'Mean days from opened_on to closed_on of won deals. NULL without any.';

CREATE FUNCTION sales_perf.cycle_percentile(s sales_perf.cycle_summary, percentile float8)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_percentile';
COMMENT ON FUNCTION sales_perf.cycle_percentile(sales_perf.cycle_summary, float8) IS
'Days from opened_on to closed_on of won deals at a percentile (a share, 0 to 1), exactly percentile_cont. NULL without any.';

CREATE FUNCTION sales_perf.closing_percentile(s sales_perf.cycle_summary, percentile float8)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_percentile';
COMMENT ON FUNCTION sales_perf.closing_percentile(sales_perf.cycle_summary, float8) IS
'Days from opened_on to closed_on of won and lost deals at a percentile (a share, 0 to 1), exactly percentile_cont. NULL without any.';

CREATE FUNCTION sales_perf.cycle_median(s sales_perf.cycle_summary)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_percentile(s, 0.5);
COMMENT ON FUNCTION sales_perf.cycle_median(sales_perf.cycle_summary) IS
'Median days from opened_on to closed_on of won deals: cycle_percentile(s, 0.5).';

CREATE FUNCTION sales_perf.cycle_km_median(s sales_perf.cycle_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_km_median';
COMMENT ON FUNCTION sales_perf.cycle_km_median(sales_perf.cycle_summary, date) IS
'Kaplan-Meier median days until a deal is closed, won or lost, those still open being censored at as_of: the first day on which at most half are still open. NULL while more than half are.';

CREATE FUNCTION sales_perf.cycle_km_median_low(s sales_perf.cycle_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_km_median_low';
COMMENT ON FUNCTION sales_perf.cycle_km_median_low(sales_perf.cycle_summary, date) IS
'Lower 95 % limit of cycle_km_median, on the log scale of survival. NULL where it is not reached.';

CREATE FUNCTION sales_perf.cycle_km_median_high(s sales_perf.cycle_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_km_median_high';
COMMENT ON FUNCTION sales_perf.cycle_km_median_high(sales_perf.cycle_summary, date) IS
'Upper 95 % limit of cycle_km_median, on the log scale of survival. NULL where it is not reached.';

CREATE FUNCTION sales_perf.win_incidence(s sales_perf.cycle_summary, day integer, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_win_incidence';
COMMENT ON FUNCTION sales_perf.win_incidence(sales_perf.cycle_summary, integer, date) IS
'Share of deals won within so many days of opening (Aalen-Johansen): losses compete, open deals are censored at as_of. NULL of no deals.';

CREATE FUNCTION sales_perf.win_chance(s sales_perf.cycle_summary, age_days integer, within_days integer, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_win_chance';
COMMENT ON FUNCTION sales_perf.win_chance(sales_perf.cycle_summary, integer, integer, date) IS
'Chance that a deal still open at age_days is won within within_days more: (incidence(age + within) - incidence(age)) / survival(age). NULL where no deal was ever observed at that age.';

CREATE FUNCTION sales_perf.cycle_p_value(a sales_perf.cycle_summary, b sales_perf.cycle_summary, as_of date DEFAULT sales_perf.as_of(), event text DEFAULT 'closed')
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'cycle_p_value';
COMMENT ON FUNCTION sales_perf.cycle_p_value(sales_perf.cycle_summary, sales_perf.cycle_summary, date, text) IS
'Two-sided p-value of the log-rank test that deals of a and b close alike (event closed), or are won alike (event won; a loss is a censoring). NULL where nothing tells.';

CREATE FUNCTION sales_perf.cycle_curve(s sales_perf.cycle_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS TABLE (
	day bigint,
	at_risk bigint,
	won bigint,
	lost bigint,
	survival float8,
	survival_se float8,
	win_incidence float8,
	loss_incidence float8
)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 200
AS 'MODULE_PATHNAME', 'cycle_curve';
COMMENT ON FUNCTION sales_perf.cycle_curve(sales_perf.cycle_summary, date) IS
'The life table: one row a day after opening on which a deal was closed or censored, with the deals that got this old, those won and lost on it, the share still open after it (Kaplan-Meier) with its Greenwood standard error, and the shares won and lost by then (Aalen-Johansen).';
