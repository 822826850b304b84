-- funnel_summary: how far deals get, and how long they stay, stage by stage.

--@summary_type funnel_summary

COMMENT ON TYPE sales_perf.funnel_summary IS
'How far deals get in their pipeline, how they move between its stages and how long they stay in each, open visits included.';

CREATE FUNCTION sales_perf.funnel_agg_add(sales_perf.funnel_summary, path sales_perf.stage_path, outcome text, closed_on date)
RETURNS sales_perf.funnel_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_agg_add';
COMMENT ON FUNCTION sales_perf.funnel_agg_add(sales_perf.funnel_summary, sales_perf.stage_path, text, date) IS 'internal: transition of funnel_agg';

CREATE FUNCTION sales_perf.funnel_agg_remove(sales_perf.funnel_summary, path sales_perf.stage_path, outcome text, closed_on date)
RETURNS sales_perf.funnel_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_agg_remove';
COMMENT ON FUNCTION sales_perf.funnel_agg_remove(sales_perf.funnel_summary, sales_perf.stage_path, text, date) IS 'internal: inverse transition of funnel_agg';

CREATE AGGREGATE sales_perf.funnel_agg(path sales_perf.stage_path, outcome text, closed_on date) (
	SFUNC = sales_perf.funnel_agg_add,
	STYPE = sales_perf.funnel_summary,
	SSPACE = 4096,
	FINALFUNC = sales_perf.funnel_summary_final,
	COMBINEFUNC = sales_perf.funnel_summary_rollup,
	MSFUNC = sales_perf.funnel_agg_add,
	MINVFUNC = sales_perf.funnel_agg_remove,
	MSTYPE = sales_perf.funnel_summary,
	MFINALFUNC = sales_perf.funnel_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.funnel_agg(sales_perf.stage_path, text, date) IS
'Collects deals with their paths, one row a deal, to be read by the policy reached. outcome is won, lost or open (NULL is open), anything else an error; closed_on ends the last visit of a closed deal and is ignored of an open one. Deals without any event are counted in pathless_count, those whose path is not valid in invalid_count.';

CREATE FUNCTION sales_perf.funnel_agg_add(sales_perf.funnel_summary, path sales_perf.stage_path, outcome text, closed_on date, policy text)
RETURNS sales_perf.funnel_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_agg_add';
COMMENT ON FUNCTION sales_perf.funnel_agg_add(sales_perf.funnel_summary, sales_perf.stage_path, text, date, text) IS 'internal: transition of funnel_agg';

CREATE FUNCTION sales_perf.funnel_agg_remove(sales_perf.funnel_summary, path sales_perf.stage_path, outcome text, closed_on date, policy text)
RETURNS sales_perf.funnel_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_agg_remove';
COMMENT ON FUNCTION sales_perf.funnel_agg_remove(sales_perf.funnel_summary, sales_perf.stage_path, text, date, text) IS 'internal: inverse transition of funnel_agg';

CREATE AGGREGATE sales_perf.funnel_agg(path sales_perf.stage_path, outcome text, closed_on date, policy text) (
	SFUNC = sales_perf.funnel_agg_add,
	STYPE = sales_perf.funnel_summary,
	SSPACE = 4096,
	FINALFUNC = sales_perf.funnel_summary_final,
	COMBINEFUNC = sales_perf.funnel_summary_rollup,
	MSFUNC = sales_perf.funnel_agg_add,
	MINVFUNC = sales_perf.funnel_agg_remove,
	MSTYPE = sales_perf.funnel_summary,
	MFINALFUNC = sales_perf.funnel_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.funnel_agg(sales_perf.stage_path, text, date, text) IS
'The same, to be read by a policy: reached (a deal that was in a later stage, or was won, has come through the earlier ones), strict (only the stages that it was in count) or direct (only moves from a stage straight to the next one get it on). All rows of a group have the same policy.';

CREATE FUNCTION sales_perf.deal_count(s sales_perf.funnel_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_deal_count';
COMMENT ON FUNCTION sales_perf.deal_count(sales_perf.funnel_summary) IS
'All deals, those of pathless_count and invalid_count included.';

CREATE FUNCTION sales_perf.pathless_count(s sales_perf.funnel_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_pathless_count';
COMMENT ON FUNCTION sales_perf.pathless_count(sales_perf.funnel_summary) IS
'Deals of which no stage is known. They are in no row of funnel_values.';

CREATE FUNCTION sales_perf.invalid_count(s sales_perf.funnel_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_invalid_count';
COMMENT ON FUNCTION sales_perf.invalid_count(sales_perf.funnel_summary) IS
'Deals whose path is not valid: a difference from which more was taken than was in it. They are in no row of funnel_values.';

CREATE FUNCTION sales_perf.undated_visit_count(s sales_perf.funnel_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_undated_visit_count';
COMMENT ON FUNCTION sales_perf.undated_visit_count(sales_perf.funnel_summary) IS
'Last visits of closed deals whose end is not known: there is no finite closed_on, or it lies before the last event. Their days are left out.';

CREATE FUNCTION sales_perf.undated_count(s sales_perf.funnel_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_undated_count';
COMMENT ON FUNCTION sales_perf.undated_count(sales_perf.funnel_summary) IS
'Rows of the paths without a finite day; they are no events.';

CREATE FUNCTION sales_perf.unstaged_count(s sales_perf.funnel_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_unstaged_count';
COMMENT ON FUNCTION sales_perf.unstaged_count(sales_perf.funnel_summary) IS
'Rows of the paths with a day, but without a stage; they are no events.';

CREATE FUNCTION sales_perf.regression_rate(s sales_perf.funnel_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'funnel_regression_rate';
COMMENT ON FUNCTION sales_perf.regression_rate(sales_perf.funnel_summary) IS
'Moves back to an earlier stage / all moves from one stage to another, as a share. NULL without moves.';

CREATE FUNCTION sales_perf.funnel_values(s sales_perf.funnel_summary, as_of date DEFAULT sales_perf.as_of(), policy text DEFAULT NULL,
	OUT stage_no integer, OUT entered bigint, OUT advanced bigint, OUT won bigint, OUT lost bigint, OUT open bigint,
	OUT skipped bigint, OUT regressed bigint, OUT conversion_rate float8, OUT won_rate float8,
	OUT median_days float8, OUT km_median_days float8, OUT is_bottleneck boolean,
	OUT ended bigint, OUT reentered bigint, OUT conversion_incidence_rate float8,
	OUT expected_days float8, OUT expected_days_rate float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 7
AS 'MODULE_PATHNAME', 'funnel_values';
COMMENT ON FUNCTION sales_perf.funnel_values(sales_perf.funnel_summary, date, text) IS
'One row for each stage that some deal was in, in order of stage number, read by a policy (NULL: the summary''s own).
entered: by reached, deals that were in the stage or a later one, and all won deals; by strict and direct, deals that were in it. won, lost, open: these by outcome.
advanced: by reached, deals that were in a later stage or were won; by strict, of those that were in it, deals that were in a later stage afterwards or were won; by direct, deals that moved from it straight to the next stage that has a row (from the last one: deals won from it).
ended: entered without open deals that are in it and have not advanced. conversion_rate: advanced / ended. won_rate: won / (won + lost). Rates are shares, and NULL where nothing is to be divided by.
skipped: deals that were never in it, but in a later stage, or won. regressed: moves from it back to an earlier stage. reentered: visits to it after the first one of the same deal.
median_days: percentile_cont(0.5) of the days of visits that ended. km_median_days: the Kaplan-Meier median of all visits, those of open deals that go on being censored at as_of (one entered later is left out); NULL while more than half of them go on. conversion_incidence_rate: the share of visits that ended with a move forward or a win (Aalen-Johansen, other ends competing) by the last day observed.
expected_days: what a won deal spends in the stage: the mean of a visit''s days (the area under the Kaplan-Meier curve up to the last day observed) x visits of won deals / won deals. NULL without won deals, or where the days of no visit are known (0 if no won deal was in it). expected_days_rate: its share of the sum over all stages, NULL if that is 0 or not known of every stage. is_bottleneck: the stage with the largest expected_days, the earliest of equals; none where expected_days_rate is NULL.';
