-- Whether two figures put the same rows first.

CREATE FUNCTION sales_perf.rank_correlation(x float8[], y float8[], OUT pair_count bigint, OUT correlation float8)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'rank_correlation';
COMMENT ON FUNCTION sales_perf.rank_correlation(float8[], float8[]) IS
'Spearman''s rank correlation, -1 to 1, of two figures of the same rows: of those that have both (pair_count). Equal values share their mean rank. NULL where one of the two is always the same. The order of the rows does not matter.';
