-- conversion_summary: how many of those that entered were converted.

--@summary_type conversion_summary

COMMENT ON TYPE sales_perf.conversion_summary IS
'How many of those that entered were converted.';

CREATE FUNCTION sales_perf.conversion_agg_add(sales_perf.conversion_summary, converted boolean)
RETURNS sales_perf.conversion_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_agg_add';
COMMENT ON FUNCTION sales_perf.conversion_agg_add(sales_perf.conversion_summary, boolean) IS 'internal: transition of conversion_agg';

CREATE FUNCTION sales_perf.conversion_agg_remove(sales_perf.conversion_summary, converted boolean)
RETURNS sales_perf.conversion_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_agg_remove';
COMMENT ON FUNCTION sales_perf.conversion_agg_remove(sales_perf.conversion_summary, boolean) IS 'internal: inverse transition of conversion_agg';

CREATE AGGREGATE sales_perf.conversion_agg(converted boolean) (
	SFUNC = sales_perf.conversion_agg_add,
	STYPE = sales_perf.conversion_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.conversion_summary_final,
	COMBINEFUNC = sales_perf.conversion_summary_rollup,
	MSFUNC = sales_perf.conversion_agg_add,
	MINVFUNC = sales_perf.conversion_agg_remove,
	MSTYPE = sales_perf.conversion_summary,
	MFINALFUNC = sales_perf.conversion_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.conversion_agg(boolean) IS
'Counts rows (entered) and true ones (converted); NULL is left out.';

CREATE FUNCTION sales_perf.conversion_summary(entered bigint, converted bigint)
RETURNS sales_perf.conversion_summary
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_summary_make';
COMMENT ON FUNCTION sales_perf.conversion_summary(bigint, bigint) IS
'A conversion_summary of given counts. Error unless 0 <= converted <= entered.';

CREATE FUNCTION sales_perf.entered_count(s sales_perf.conversion_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_entered_count';
COMMENT ON FUNCTION sales_perf.entered_count(sales_perf.conversion_summary) IS
'How many entered.';

CREATE FUNCTION sales_perf.converted_count(s sales_perf.conversion_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_converted_count';
COMMENT ON FUNCTION sales_perf.converted_count(sales_perf.conversion_summary) IS
'How many of them were converted.';

CREATE FUNCTION sales_perf.conversion_rate(s sales_perf.conversion_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_rate';
COMMENT ON FUNCTION sales_perf.conversion_rate(sales_perf.conversion_summary) IS
'converted / entered, a fraction. NULL if none entered.';

CREATE FUNCTION sales_perf.conversion_rate_low(s sales_perf.conversion_summary, confidence float8 DEFAULT 0.95)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_rate_low';
COMMENT ON FUNCTION sales_perf.conversion_rate_low(sales_perf.conversion_summary, float8) IS
'Lower limit of the Wilson score interval (without continuity correction) of the conversion rate; confidence lies between 0 and 1. NULL if none entered.';

CREATE FUNCTION sales_perf.conversion_rate_high(s sales_perf.conversion_summary, confidence float8 DEFAULT 0.95)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_rate_high';
COMMENT ON FUNCTION sales_perf.conversion_rate_high(sales_perf.conversion_summary, float8) IS
'Upper limit of the Wilson score interval (without continuity correction) of the conversion rate; confidence lies between 0 and 1. NULL if none entered.';

CREATE FUNCTION sales_perf.conversion_p_value(a sales_perf.conversion_summary, b sales_perf.conversion_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'conversion_p_value';
COMMENT ON FUNCTION sales_perf.conversion_p_value(sales_perf.conversion_summary, sales_perf.conversion_summary) IS
'Two-sided p-value of the two-proportion z-test (pooled, no continuity correction) that both rates are the same. NULL if either is empty, or none or all of both were converted.';
