-- stage_path: the way of a deal through the stages of its pipeline.

--@summary_type stage_path

COMMENT ON TYPE sales_perf.stage_path IS
'The way of a deal through the stages of its pipeline: on which days it was put into which stage.';

CREATE FUNCTION sales_perf.stage_path_agg_add(sales_perf.stage_path, stage_no integer, entered_on date)
RETURNS sales_perf.stage_path
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_agg_add';
COMMENT ON FUNCTION sales_perf.stage_path_agg_add(sales_perf.stage_path, integer, date) IS 'internal: transition of stage_path_agg';

CREATE FUNCTION sales_perf.stage_path_agg_remove(sales_perf.stage_path, stage_no integer, entered_on date)
RETURNS sales_perf.stage_path
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_agg_remove';
COMMENT ON FUNCTION sales_perf.stage_path_agg_remove(sales_perf.stage_path, integer, date) IS 'internal: inverse transition of stage_path_agg';

CREATE AGGREGATE sales_perf.stage_path_agg(stage_no integer, entered_on date) (
	SFUNC = sales_perf.stage_path_agg_add,
	STYPE = sales_perf.stage_path,
	SSPACE = 256,
	FINALFUNC = sales_perf.stage_path_final,
	COMBINEFUNC = sales_perf.stage_path_rollup,
	MSFUNC = sales_perf.stage_path_agg_add,
	MINVFUNC = sales_perf.stage_path_agg_remove,
	MSTYPE = sales_perf.stage_path,
	MFINALFUNC = sales_perf.stage_path_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.stage_path_agg(integer, date) IS
'Collects the events of one deal, one row for each time that it was put into a stage. The order of the rows does not matter: events are in order of day, those of one day in order of stage number. A row without a finite day counts in undated_count, another one without a stage in unstaged_count.';

CREATE FUNCTION sales_perf.event_count(p sales_perf.stage_path)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_event_count';
COMMENT ON FUNCTION sales_perf.event_count(sales_perf.stage_path) IS
'Events: how often the deal was put into a stage.';

CREATE FUNCTION sales_perf.undated_count(p sales_perf.stage_path)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_undated_count';
COMMENT ON FUNCTION sales_perf.undated_count(sales_perf.stage_path) IS
'Rows without a finite day; they are no events.';

CREATE FUNCTION sales_perf.unstaged_count(p sales_perf.stage_path)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_unstaged_count';
COMMENT ON FUNCTION sales_perf.unstaged_count(sales_perf.stage_path) IS
'Rows with a day, but without a stage; they are no events.';

CREATE FUNCTION sales_perf.furthest_stage(p sales_perf.stage_path)
RETURNS integer
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_furthest';
COMMENT ON FUNCTION sales_perf.furthest_stage(sales_perf.stage_path) IS
'The highest stage number that the deal was ever in, also if it fell back from it. NULL without events.';

CREATE FUNCTION sales_perf.stage_days(p sales_perf.stage_path, stage_no integer)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'stage_path_days';
COMMENT ON FUNCTION sales_perf.stage_days(sales_perf.stage_path, integer) IS
'Days that the deal was in a stage, over all its visits to it that ended with a move to another stage. Events of one stage that follow each other are one visit; the last visit of a path has not ended. NULL where there is none that did.';

CREATE FUNCTION sales_perf.stage_moves(p sales_perf.stage_path,
	OUT move_no integer, OUT from_stage integer, OUT to_stage integer, OUT moved_on date, OUT days integer)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 5
AS 'MODULE_PATHNAME', 'stage_path_moves';
COMMENT ON FUNCTION sales_perf.stage_moves(sales_perf.stage_path) IS
'One row for each event but the first, in order: from which stage to which the deal moved, on what day, and how many days after the event before. Being put into the stage in which it is already is a move from that stage to itself.';
