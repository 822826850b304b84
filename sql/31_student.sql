-- Student's distribution: for intervals and chances from a handful of observations.

CREATE FUNCTION sales_perf.student_t_share(t float8, degrees integer)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'student_t_share';
COMMENT ON FUNCTION sales_perf.student_t_share(float8, integer) IS
'The chance (0 to 1) that a variable of Student''s distribution with this many degrees of freedom (1 to 10000) is at most t. NULL of NaN.';

CREATE FUNCTION sales_perf.student_t_quantile(share float8, degrees integer)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'student_t_quantile';
COMMENT ON FUNCTION sales_perf.student_t_quantile(float8, integer) IS
'What a variable of Student''s distribution with this many degrees of freedom (1 to 10000) does not exceed with the chance share, above 0 and below 1.';
