-- What the catalogue says of the library: every type has all that a summary type is to have, everything public is
-- commented, and every function says what it is.
SET search_path = public;
SELECT plan(25);

CREATE VIEW summary_type AS
SELECT t.*
FROM pg_type AS t
WHERE t.typnamespace = 'sales_perf'::regnamespace
	AND t.typtype = 'b'
	AND t.typelem = 0;
CREATE VIEW library_function AS
SELECT p.*, p.oid::regprocedure AS signature
FROM pg_proc AS p
WHERE p.pronamespace = 'sales_perf'::regnamespace;

SELECT set_has(
	$$SELECT typname::text FROM summary_type$$,
	$$VALUES ('conversion_summary'), ('amount_summary'), ('cycle_summary'), ('deal_summary'), ('period_summary'), ('cohort_summary'),
		('stage_path'), ('funnel_summary'), ('attainment_summary'), ('outlook_summary'), ('closing_summary')$$,
	'the summary types are there');
SELECT is_empty(
	$$SELECT oid::regclass FROM pg_class WHERE relnamespace = 'sales_perf'::regnamespace AND relkind <> 'c'$$,
	'the schema holds types, functions and aggregates only: it can stand on a search path');

-- each type
SELECT is_empty(
	$$SELECT typname FROM summary_type WHERE typreceive = 0 OR typsend = 0 OR typlen <> -1 OR typalign <> 'd' OR typstorage <> 'x'$$,
	'types have binary input and output, any length, aligned, and may be toasted');
SELECT is_empty(
	$$SELECT t.typname, o.name
	  FROM summary_type AS t
	  CROSS JOIN unnest('{+,-,=,<>,<,<=,>,>=}'::text[]) AS o (name)
	  WHERE NOT EXISTS (SELECT FROM pg_operator WHERE oprname = o.name AND oprleft = t.oid AND oprright = t.oid)
	  UNION ALL
	  SELECT t.typname, 'unary -'
	  FROM summary_type AS t
	  WHERE NOT EXISTS (SELECT FROM pg_operator WHERE oprname = '-' AND oprleft = 0 AND oprright = t.oid)$$,
	'types have the operators of a group and of an order');
SELECT is_empty(
	$$SELECT oprcode
	  FROM pg_operator
	  WHERE oprnamespace = 'sales_perf'::regnamespace
		AND (oprname IN ('=', '<>', '<', '<=', '>', '>=') AND (oprnegate = 0 OR oprcom = 0 OR oprrest = 0 OR oprjoin = 0)
			OR oprname = '+' AND oprcom = 0
			OR oprname = '=' AND NOT (oprcanhash AND oprcanmerge))$$,
	'the planner is told of commutators, negators and selectivity');
SELECT is_empty(
	$$SELECT t.typname, am.amname
	  FROM summary_type AS t
	  CROSS JOIN pg_am AS am
	  WHERE am.amname IN ('btree', 'hash')
		AND NOT EXISTS (SELECT FROM pg_opclass AS c WHERE c.opcmethod = am.oid AND c.opcintype = t.oid AND c.opcdefault)$$,
	'types have default operator classes for btree and hash');
SELECT is_empty(
	$$SELECT o.opcname FROM pg_opclass AS o WHERE o.opcnamespace = 'sales_perf'::regnamespace AND NOT amvalidate(o.oid)$$,
	'which are complete');
SELECT is_empty(
	$$SELECT t.typname
	  FROM summary_type AS t
	  WHERE NOT EXISTS (SELECT FROM pg_cast WHERE castsource = t.oid AND casttarget = 'jsonb'::regtype AND castcontext = 'e')$$,
	'types have an explicit cast to jsonb');
SELECT is_empty(
	$$SELECT t.typname, f.name
	  FROM summary_type AS t
	  CROSS JOIN unnest('{rollup,is_valid}'::text[]) AS f (name)
	  WHERE to_regprocedure(format('sales_perf.%I(sales_perf.%I)', f.name, t.typname)) IS NULL$$,
	'types have rollup and is_valid');

-- aggregates
CREATE VIEW aggregate AS
SELECT a.*
FROM pg_aggregate AS a
JOIN library_function AS f ON f.oid = a.aggfnoid
WHERE f.prorettype IN (SELECT oid FROM summary_type);
SELECT set_eq(
	$$SELECT f.signature::text FROM library_function AS f WHERE f.prokind = 'a' AND f.oid NOT IN (SELECT aggfnoid FROM aggregate)$$,
	$$VALUES ('sales_perf.won_deal_list(sales_perf.won_deal)'), ('sales_perf.purchase_history_agg(date,numeric,text,integer,integer)'),
		('sales_perf.closing_tally_agg(text,text,text,date,text,numeric,date,date,text)')$$,
	'aggregates make summaries, but for three, which have tests of their own');
SELECT is_empty(
	$$SELECT t.typname FROM summary_type AS t WHERE NOT EXISTS (SELECT FROM aggregate AS a WHERE a.aggtranstype = t.oid AND a.aggfnoid::text NOT LIKE '%rollup%')$$,
	'every type has an aggregate of rows');
SELECT is_empty(
	$$SELECT aggfnoid::regprocedure
	  FROM aggregate
	  WHERE aggtranstype NOT IN (SELECT oid FROM summary_type) OR aggmtranstype <> aggtranstype OR agginitval IS NOT NULL$$,
	'their state is the summary type itself');
SELECT is_empty(
	$$SELECT aggfnoid::regprocedure
	  FROM aggregate
	  WHERE aggcombinefn::oid = 0 OR aggminvtransfn::oid = 0 OR aggfinalfn::oid = 0 OR aggmfinalfn::oid = 0 OR aggtransspace = 0
		OR aggfinalmodify <> 'r' OR aggmfinalmodify <> 'r'$$,
	'they combine, move, finish without changing their state, and say how large it is');
SELECT is_empty(
	$$SELECT a.aggfnoid::regprocedure, p.oid::regprocedure
	  FROM aggregate AS a
	  JOIN pg_proc AS p ON p.oid IN (a.aggtransfn, a.aggcombinefn, a.aggminvtransfn, a.aggfinalfn)
	  WHERE p.proisstrict$$,
	'their support functions are not strict: a strict one would be handed its first input as a state');
SELECT is_empty(
	$$SELECT a.aggfnoid::regprocedure FROM aggregate AS a JOIN library_function AS f ON f.oid = a.aggfnoid WHERE f.prokind <> 'a' OR f.pronargdefaults > 0$$,
	'and they have no defaults');
SELECT is_empty(
	$$SELECT f.proname FROM library_function AS f GROUP BY f.proname HAVING count(DISTINCT f.prokind = 'a') > 1$$,
	'an aggregate and an accessor never share a name');

-- functions
SELECT is_empty(
	$$SELECT f.signature
	  FROM library_function AS f
	  JOIN pg_language AS l ON l.oid = f.prolang
	  WHERE (l.lanname = 'c' AND f.prosrc NOT IN ('sales_perf_as_of', 'sales_perf_converted_amount', 'sales_perf_record_change', 'sales_perf_record_touched') AND f.provolatile <> 'i')
		OR (f.prokind = 'f' AND f.proargtypes[0] IN (SELECT oid FROM summary_type) AND (f.provolatile <> 'i' OR f.proparallel <> 's'))$$,
	'functions of summaries are immutable and parallel safe');
SELECT is_empty(
	$$SELECT f.signature
	  FROM library_function AS f
	  WHERE f.prokind = 'f' AND f.proargtypes[0] IN (SELECT oid FROM summary_type) AND NOT f.proisstrict
		AND pg_get_function_arguments(f.oid) !~ 'DEFAULT NULL'
		AND f.oid NOT IN (SELECT unnest(ARRAY[aggtransfn, aggcombinefn, aggminvtransfn, aggfinalfn]::oid[]) FROM aggregate)$$,
	'of NULL they say NULL: only support functions of aggregates are not strict, and those with an argument that may be left out');
SELECT volatility_is('sales_perf', 'as_of', '{}'::name[], 'stable', 'as_of() is stable');
SELECT is_empty(
	$$SELECT f.signature
	  FROM library_function AS f
	  JOIN pg_language AS l ON l.oid = f.prolang
	  WHERE l.lanname = 'sql' AND f.prosqlbody IS NULL AND NOT COALESCE(array_to_string(f.proconfig, ',') LIKE '%search_path=%', false)
		OR l.lanname = 'plpgsql' AND NOT COALESCE(array_to_string(f.proconfig, ',') LIKE '%search_path=%', false)$$,
	'nothing depends on the caller''s search path');
SELECT is_empty($$SELECT signature FROM library_function WHERE prosecdef$$, 'nothing runs with its owner''s rights');
SELECT is_empty(
	$$SELECT f.signature
	  FROM library_function AS f
	  WHERE f.prokind = 'f' AND f.proargtypes[0] IN (SELECT oid FROM summary_type)
		AND f.prorettype NOT IN ('bigint'::regtype, 'numeric'::regtype, 'float8'::regtype, 'boolean'::regtype, 'jsonb'::regtype, 'record'::regtype)
		AND f.prorettype NOT IN (SELECT oid FROM summary_type)
		AND NOT starts_with(f.proname, (SELECT typname || '_' FROM summary_type WHERE oid = f.proargtypes[0]))
		AND NOT (f.prorettype = 'integer'::regtype AND f.proname ~ '_stage$')$$,
	'accessors give bigint, numeric, float8, boolean, rows or summaries, and of stages integer');
SELECT is_empty(
	$$SELECT f.signature, l.name
	  FROM library_function AS f
	  CROSS JOIN LATERAL (SELECT unnest(f.proargnames) AS name) AS l
	  WHERE l.name = 'as_of' AND f.proargtypes[0] IN (SELECT oid FROM summary_type)
		AND pg_get_function_arguments(f.oid) !~ 'as_of date DEFAULT (sales_perf\.)?as_of\(\)'$$,
	'as_of defaults to as_of()');

-- comments
SELECT is_empty(
	$$SELECT f.signature
	  FROM library_function AS f
	  WHERE obj_description(f.oid, 'pg_proc') IS NULL
		AND NOT (f.prokind = 'f' AND EXISTS (SELECT FROM summary_type AS t WHERE starts_with(f.proname, t.typname || '_')))$$,
	'every function and aggregate is commented, but for those that only operators and aggregates call');
SELECT is_empty(
	$$SELECT t.typname FROM summary_type AS t WHERE obj_description(t.oid, 'pg_type') IS NULL
	  UNION ALL
	  SELECT o.oprcode::text FROM pg_operator AS o
	  WHERE o.oprnamespace = 'sales_perf'::regnamespace AND o.oprname IN ('+', '-') AND obj_description(o.oid, 'pg_operator') IS NULL$$,
	'so is every type, and every operator that is not a comparison');
SELECT * FROM finish();
