-- attainment_summary: what was reached of what was to be reached.

--@summary_type attainment_summary

COMMENT ON TYPE sales_perf.attainment_summary IS
'Actuals against targets: exact sums of both, how many were attained, and a histogram of actual / target in steps of 0.0001.';

CREATE FUNCTION sales_perf.attainment_agg_add(sales_perf.attainment_summary, actual numeric, target numeric)
RETURNS sales_perf.attainment_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_agg_add';
COMMENT ON FUNCTION sales_perf.attainment_agg_add(sales_perf.attainment_summary, numeric, numeric) IS 'internal: transition of attainment_agg';

CREATE FUNCTION sales_perf.attainment_agg_remove(sales_perf.attainment_summary, actual numeric, target numeric)
RETURNS sales_perf.attainment_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_agg_remove';
COMMENT ON FUNCTION sales_perf.attainment_agg_remove(sales_perf.attainment_summary, numeric, numeric) IS 'internal: inverse transition of attainment_agg';

CREATE AGGREGATE sales_perf.attainment_agg(actual numeric, target numeric) (
	SFUNC = sales_perf.attainment_agg_add,
	STYPE = sales_perf.attainment_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.attainment_summary_final,
	COMBINEFUNC = sales_perf.attainment_summary_rollup,
	MSFUNC = sales_perf.attainment_agg_add,
	MINVFUNC = sales_perf.attainment_agg_remove,
	MSTYPE = sales_perf.attainment_summary,
	MFINALFUNC = sales_perf.attainment_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.attainment_agg(numeric, numeric) IS
'Sums up actuals against targets, one row for each subject that has a target, as a person in a period. A target that is NULL, not above 0, NaN or infinite is none: the row is untargeted and in no rate. An actual that is NULL, NaN or infinite counts as 0.';

CREATE FUNCTION sales_perf.attainment_rate(s sales_perf.attainment_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_rate';
COMMENT ON FUNCTION sales_perf.attainment_rate(sales_perf.attainment_summary) IS
'Sum of actuals / sum of targets, over the rows with a target. NULL where there is none.';

CREATE FUNCTION sales_perf.attainment_gap(s sales_perf.attainment_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_gap';
COMMENT ON FUNCTION sales_perf.attainment_gap(sales_perf.attainment_summary) IS
'Sum of targets - sum of actuals, over the rows with a target, exactly: the amount still missing; below 0 where there is more than enough.';

CREATE FUNCTION sales_perf.pace(s sales_perf.attainment_summary, elapsed_share float8)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_pace';
COMMENT ON FUNCTION sales_perf.pace(sales_perf.attainment_summary, float8) IS
'attainment_rate / the share of the period that has passed: 1 is just on course, below 1 is behind. NULL for a share of 0 and where there is no target; a share below 0 or above 1 is an error.';

CREATE FUNCTION sales_perf.targeted_count(s sales_perf.attainment_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_targeted_count';
COMMENT ON FUNCTION sales_perf.targeted_count(sales_perf.attainment_summary) IS
'Rows with a target.';

CREATE FUNCTION sales_perf.attained_count(s sales_perf.attainment_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_attained_count';
COMMENT ON FUNCTION sales_perf.attained_count(sales_perf.attainment_summary) IS
'Rows whose actual is at least their target, compared exactly.';

CREATE FUNCTION sales_perf.attained_rate(s sales_perf.attainment_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_attained_rate';
COMMENT ON FUNCTION sales_perf.attained_rate(sales_perf.attainment_summary) IS
'attained_count / targeted_count. NULL where there is no target.';

CREATE FUNCTION sales_perf.unreported_count(s sales_perf.attainment_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_unreported_count';
COMMENT ON FUNCTION sales_perf.unreported_count(sales_perf.attainment_summary) IS
'Rows with a target whose actual is NULL, NaN or infinite; they count as 0.';

CREATE FUNCTION sales_perf.untargeted_count(s sales_perf.attainment_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_untargeted_count';
COMMENT ON FUNCTION sales_perf.untargeted_count(sales_perf.attainment_summary) IS
'Rows without a target: it is NULL, not above 0, NaN or infinite.';

CREATE FUNCTION sales_perf.actual_amount(s sales_perf.attainment_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_actual_amount';
COMMENT ON FUNCTION sales_perf.actual_amount(sales_perf.attainment_summary) IS
'Sum of actuals of rows with a target, as sum(actual), with its display scale; 0 of none.';

CREATE FUNCTION sales_perf.target_amount(s sales_perf.attainment_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_target_amount';
COMMENT ON FUNCTION sales_perf.target_amount(sales_perf.attainment_summary) IS
'Sum of targets, as sum(target), with its display scale; 0 of none.';

CREATE FUNCTION sales_perf.untargeted_amount(s sales_perf.attainment_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_untargeted_amount';
COMMENT ON FUNCTION sales_perf.untargeted_amount(sales_perf.attainment_summary) IS
'Sum of actuals of rows without a target, as sum(actual), with its display scale; 0 of none.';

CREATE FUNCTION sales_perf.attainment_percentile(s sales_perf.attainment_summary, percentile float8)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_percentile';
COMMENT ON FUNCTION sales_perf.attainment_percentile(sales_perf.attainment_summary, float8) IS
'actual / target at a percentile (a share, 0 to 1) of the rows with a target, as percentile_cont has it, from ratios rounded half up to 0.0001: off by no more than 0.00005. Ratios beyond 1,000,000 count as that. NULL where there is no target.';

CREATE FUNCTION sales_perf.attainment_median(s sales_perf.attainment_summary)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.attainment_percentile(s, 0.5);
COMMENT ON FUNCTION sales_perf.attainment_median(sales_perf.attainment_summary) IS
'The median of actual / target: attainment_percentile(s, 0.5).';

CREATE FUNCTION sales_perf.attainment_gini(s sales_perf.attainment_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'attainment_gini';
COMMENT ON FUNCTION sales_perf.attainment_gini(sales_perf.attainment_summary) IS
'How unequally targets were attained: the Gini coefficient of actual / target, each row alike however large its target; 0 where all attained the same share, towards 1 where few attained all. From ratios rounded to 0.0001. NULL where there is no target, a ratio is below 0 or all are 0.';
