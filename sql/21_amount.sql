-- amount_summary: totals, averages, spread and quantiles of amounts.

--@summary_type amount_summary

COMMENT ON TYPE sales_perf.amount_summary IS
'Amounts: exact sum and sum of squares, and a histogram of 350 buckets a decade.';

CREATE FUNCTION sales_perf.amount_agg_add(sales_perf.amount_summary, amount numeric)
RETURNS sales_perf.amount_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_agg_add';
COMMENT ON FUNCTION sales_perf.amount_agg_add(sales_perf.amount_summary, numeric) IS 'internal: transition of amount_agg';

CREATE FUNCTION sales_perf.amount_agg_remove(sales_perf.amount_summary, amount numeric)
RETURNS sales_perf.amount_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_agg_remove';
COMMENT ON FUNCTION sales_perf.amount_agg_remove(sales_perf.amount_summary, numeric) IS 'internal: inverse transition of amount_agg';

CREATE AGGREGATE sales_perf.amount_agg(amount numeric) (
	SFUNC = sales_perf.amount_agg_add,
	STYPE = sales_perf.amount_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.amount_summary_final,
	COMBINEFUNC = sales_perf.amount_summary_rollup,
	MSFUNC = sales_perf.amount_agg_add,
	MINVFUNC = sales_perf.amount_agg_remove,
	MSTYPE = sales_perf.amount_summary,
	MFINALFUNC = sales_perf.amount_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.amount_agg(numeric) IS
'Sums up amounts exactly; NULL is left out.';

CREATE FUNCTION sales_perf.amount_count(s sales_perf.amount_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_count';
COMMENT ON FUNCTION sales_perf.amount_count(sales_perf.amount_summary) IS
'How many amounts, NaN and infinities included; as count(amount).';

CREATE FUNCTION sales_perf.amount_total(s sales_perf.amount_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_total';
COMMENT ON FUNCTION sales_perf.amount_total(sales_perf.amount_summary) IS
'The exact total, as sum(amount), with its display scale; 0 of no amounts.';

CREATE FUNCTION sales_perf.amount_average(s sales_perf.amount_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_average';
COMMENT ON FUNCTION sales_perf.amount_average(sales_perf.amount_summary) IS
'The average, as avg(amount). NULL of no amounts.';

CREATE FUNCTION sales_perf.amount_stddev(s sales_perf.amount_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_stddev';
COMMENT ON FUNCTION sales_perf.amount_stddev(sales_perf.amount_summary) IS
'The sample standard deviation, as stddev_samp(amount), from exact sums. NULL of fewer than two amounts, NaN where one is NaN or infinite.';

CREATE FUNCTION sales_perf.amount_percentile(s sales_perf.amount_summary, percentile float8)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'amount_percentile';
COMMENT ON FUNCTION sales_perf.amount_percentile(sales_perf.amount_summary, float8) IS
'The amount at a percentile (a share, 0 to 1), interpolated as percentile_cont does, from buckets: within 0.5 % where the amounts it lies between have one sign. NULL of no amounts.';

CREATE FUNCTION sales_perf.amount_median(s sales_perf.amount_summary)
RETURNS numeric
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.amount_percentile(s, 0.5);
COMMENT ON FUNCTION sales_perf.amount_median(sales_perf.amount_summary) IS
'The median amount: amount_percentile(s, 0.5).';
