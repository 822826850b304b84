-- outlook_summary: what open deals may come to.

--@summary_type outlook_summary

COMMENT ON TYPE sales_perf.outlook_summary IS
'Open deals by amount, to six digits, and chance, in millionths; with the exact total and expected total.';

CREATE FUNCTION sales_perf.outlook_agg_add(sales_perf.outlook_summary, amount numeric, chance float8)
RETURNS sales_perf.outlook_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_agg_add';
COMMENT ON FUNCTION sales_perf.outlook_agg_add(sales_perf.outlook_summary, numeric, float8) IS 'internal: transition of outlook_agg';

CREATE FUNCTION sales_perf.outlook_agg_remove(sales_perf.outlook_summary, amount numeric, chance float8)
RETURNS sales_perf.outlook_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_agg_remove';
COMMENT ON FUNCTION sales_perf.outlook_agg_remove(sales_perf.outlook_summary, numeric, float8) IS 'internal: inverse transition of outlook_agg';

CREATE AGGREGATE sales_perf.outlook_agg(amount numeric, chance float8) (
	SFUNC = sales_perf.outlook_agg_add,
	STYPE = sales_perf.outlook_summary,
	SSPACE = 4096,
	FINALFUNC = sales_perf.outlook_summary_final,
	COMBINEFUNC = sales_perf.outlook_summary_rollup,
	MSFUNC = sales_perf.outlook_agg_add,
	MINVFUNC = sales_perf.outlook_agg_remove,
	MSTYPE = sales_perf.outlook_summary,
	MFINALFUNC = sales_perf.outlook_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.outlook_agg(numeric, float8) IS
'Takes in open deals, one row each: its amount and the chance (0 to 1) that it is won. A deal whose amount is NULL, NaN or infinite is unpriced, one with an amount whose chance is NULL is unrated; both are only counted. A chance below 0 or above 1 is an error.';

CREATE FUNCTION sales_perf.outlook_count(s sales_perf.outlook_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_count';
COMMENT ON FUNCTION sales_perf.outlook_count(sales_perf.outlook_summary) IS
'Open deals with an amount and a chance: those that the outlook is made of.';

CREATE FUNCTION sales_perf.outlook_total(s sales_perf.outlook_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_total';
COMMENT ON FUNCTION sales_perf.outlook_total(sales_perf.outlook_summary) IS
'The total if all of them are won, as sum(amount), with its display scale; 0 of none.';

CREATE FUNCTION sales_perf.outlook_expected(s sales_perf.outlook_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_expected';
COMMENT ON FUNCTION sales_perf.outlook_expected(sales_perf.outlook_summary) IS
'The expected total: sum of amount * chance, exactly, each chance rounded to millionths; 0 of none.';

CREATE FUNCTION sales_perf.outlook_stddev(s sales_perf.outlook_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_stddev';
COMMENT ON FUNCTION sales_perf.outlook_stddev(sales_perf.outlook_summary) IS
'The standard deviation of the total, deals being independent: sqrt of the sum of amount^2 * chance * (1 - chance); 0 of none.';

CREATE FUNCTION sales_perf.outlook_quantile(s sales_perf.outlook_summary, p float8, common_spread float8 DEFAULT 0)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'outlook_quantile';
COMMENT ON FUNCTION sales_perf.outlook_quantile(sales_perf.outlook_summary, float8, float8) IS
'The smallest total that is not exceeded with probability p (0 to 1): with 0.1 it comes to more in nine of ten cases. Deals are independent, but for an effect common to all of a period, whose relative standard deviation is common_spread. Off by less than 0.1 % of the total. 0 of no deals.';

CREATE FUNCTION sales_perf.chance_of_reaching(s sales_perf.outlook_summary, target numeric, common_spread float8 DEFAULT 0)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'outlook_chance_of_reaching';
COMMENT ON FUNCTION sales_perf.chance_of_reaching(sales_perf.outlook_summary, numeric, float8) IS
'The probability that the total is at least the target (0 to 1). Deals are independent, but for an effect common to all of a period, whose relative standard deviation is common_spread. Right for a target that differs by less than 0.1 % of the total.';

CREATE FUNCTION sales_perf.outlook_range(s sales_perf.outlook_summary, target numeric, common_spread float8 DEFAULT 0,
	OUT p10 float8, OUT p50 float8, OUT p90 float8, OUT chance float8)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'outlook_range';
COMMENT ON FUNCTION sales_perf.outlook_range(sales_perf.outlook_summary, numeric, float8) IS
'One row: the totals that are not exceeded with probability 0.1, 0.5 and 0.9, and the probability that the total is at least the target. As outlook_quantile() and chance_of_reaching(), hundreds of times faster and less exact: with a common effect the probability is right to about 0.04; of up to ten deals it is as exact. For reports on hundreds of reps.';

CREATE FUNCTION sales_perf.unpriced_count(s sales_perf.outlook_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_unpriced_count';
COMMENT ON FUNCTION sales_perf.unpriced_count(sales_perf.outlook_summary) IS
'Open deals whose amount is NULL, NaN or infinite; not in the outlook.';

CREATE FUNCTION sales_perf.unrated_count(s sales_perf.outlook_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_unrated_count';
COMMENT ON FUNCTION sales_perf.unrated_count(sales_perf.outlook_summary) IS
'Open deals with an amount whose chance is NULL; not in the outlook.';

CREATE FUNCTION sales_perf.unrated_amount(s sales_perf.outlook_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'outlook_unrated_amount';
COMMENT ON FUNCTION sales_perf.unrated_amount(sales_perf.outlook_summary) IS
'Total amount of those, as sum(amount), with its display scale; 0 of none.';
