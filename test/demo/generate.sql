-- Fills a mart with generated deals. psql variables: mart, deals (how many), seed (which).
\set ON_ERROR_STOP on
\o /dev/null
SELECT sales_perf.generate_demo(:'mart', :deals, :seed);
\o
SELECT format('ANALYZE %I.%I', :'mart', relname)
FROM pg_class
WHERE relnamespace = quote_ident(:'mart')::regnamespace
	AND relkind = 'r' \gexec
