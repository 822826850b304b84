-- Reports are not compiled just in time, from the first query of a session on; everything else is as it was.
SELECT plan(6);

SELECT sales_perf.create_mart('sales') \gset
SELECT sales_perf.generate_demo('sales', 100, 3) \gset

-- whether a session that has done nothing before compiles a query, where compiling costs nothing
\setenv PGDATABASE :DBNAME
\setenv PGOPTIONS '-c jit=on -c jit_above_cost=0 -c jit_inline_above_cost=-1 -c jit_optimize_above_cost=-1'
\set views 'deal_as_of rep_scorecard company_scorecard forecast leaderboard data_quality'
\setenv VIEWS :views
\set found `for v in $VIEWS; do psql -XAtqc "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT * FROM sales.$v" | grep -oE '"Execution Time"|"JIT"' | sed "s/^/$v /"; done`
SELECT is(:'found'::text, string_agg(v || ' "Execution Time"', E'\n' ORDER BY no), 'reports are run, and not compiled')
  FROM string_to_table(:'views', ' ') WITH ORDINALITY AS v (v, no);

\set prepared `psql -XAtqc "PREPARE q AS SELECT * FROM sales.rep_scorecard" -c "SET plan_cache_mode = force_generic_plan" -c "EXPLAIN (ANALYZE, TIMING OFF) EXECUTE q" -c "EXPLAIN (ANALYZE, TIMING OFF) EXECUTE q" | grep -c '^JIT'`
SELECT is(:'prepared'::text, '0', 'nor is a prepared one');

-- What a function is not to do costs it 10^10 where it must: an expression that sorts four days was compiled for 0.15 s.
SELECT is_empty(
	$$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'sales_perf_template'::regnamespace AND array_to_string(proconfig, ',') ~ 'enable_[a-z]+=off' AND NOT 'jit=off' = ANY (proconfig)$$,
	'nor is what is run by functions that keep the planner from sorting');

SET jit = on;   -- or it is said not to be there
SELECT pg_jit_available() AS jit_available \gset
\if :jit_available
    \set compiled `psql -XAtqc "SELECT sales_perf.as_of()" -c "EXPLAIN (ANALYZE, TIMING OFF) SELECT count(*) FROM sales.deal WHERE amount > 5" | grep -c '^JIT'`
    SELECT is(:'compiled'::text, '1', 'a query of the deals themselves is compiled as ever');
    \set compiled `psql -XAtqc "SET sales_perf.jit = on" -c "EXPLAIN (ANALYZE, TIMING OFF) SELECT count(*) FROM sales.deal_as_of" | grep -c '^JIT'`
    SELECT is(:'compiled'::text, '1', 'and a report where that is asked for');
    \set compiled `psql -XAtqc "PREPARE q AS SELECT count(*) FROM sales.deal_as_of" -c "SET plan_cache_mode = force_generic_plan" -c "EXPLAIN (ANALYZE, TIMING OFF) EXECUTE q" -c "SET sales_perf.jit = on" -c "EXPLAIN (ANALYZE, TIMING OFF) EXECUTE q" | grep -c '^JIT'`
    SELECT is(:'compiled'::text, '1', 'also if it was prepared before, and not compiled');
\else
    SELECT skip('no LLVM', 3);
\endif

SELECT * FROM finish();
