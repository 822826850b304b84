# Sourced by run.sh: rollups that are maintained while rows change. To be measured here, each beside what it is compared with:
#   - rep_scorecard of one quarter from maintained rollups, at 500,000 and at 5,000,000 deals ("<= 30 ms"), and against
#     DuckDB's time for the same from its raw rows: compare_with duckdb ... "duckdb:$duckdb_scorecard"
#   - what maintenance costs a changed row
#   - pgbench, 8 clients, 1,000 single-row transactions a second, with and without
#   - a bulk load with and without

if [ "$(ask "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'maintain_rollup' AND pronamespace = 'sales_perf'::regnamespace)")" = f ]; then
	printf '\nskipped: maintained rollups: this version of the extension has none\n'
fi
