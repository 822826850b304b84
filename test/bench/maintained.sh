# Sourced by run.sh: rollups that are maintained while rows change, in marts of each size. A mart is in two databases, byte by
# byte the same at the beginning: in one without rollups, and in one where they are maintained. (mart.sql)

# the last quarter that is over, and the one before
IFS='|' read -r quarter_start quarter_end before_start before_end < <(ask "
	SELECT start, (start + interval '3 months')::date - 1, (start - interval '3 months')::date, start - 1
	FROM (SELECT (date_trunc('quarter', current_date::timestamp) - interval '3 months')::date AS start) AS q")
quarter="BETWEEN '$quarter_start' AND '$quarter_end'" quarter_before="BETWEEN '$before_start' AND '$before_end'"

rep_scorecard="SELECT * FROM mart.rep_scorecard WHERE grain = 'quarter' AND period_start = '$quarter_start'"
forecast="SELECT * FROM mart.forecast" goal_progress="SELECT * FROM mart.goal_progress"
retention_by_month="SELECT * FROM mart.retention WHERE level = 'company' AND grain = 'month'"
sales_growth_of_reps="SELECT * FROM mart.sales_growth WHERE level = 'rep' AND grain = 'month'"
quarter_funnel="SELECT * FROM mart.funnel WHERE level = 'rep' AND policy = 'reached' AND grain = 'quarter' AND period_start = '$quarter_start'"
# of its figures those that DuckDB can give; it reads only the rows it needs
duckdb_rep_scorecard="SELECT rep_id, $(duckdb_nine " AND closed_on $quarter"),
	sum(amount) FILTER (WHERE outcome = 'won' AND closed_on $quarter_before), count(*) FILTER (WHERE opened_on $quarter),
	count(*) FILTER (WHERE outcome = 'won' AND opened_on $quarter), sum(amount) FILTER (WHERE opened_on $quarter)
	FROM mart_deals WHERE closed_on BETWEEN '$before_start' AND '$quarter_end' OR opened_on $quarter GROUP BY rep_id"

declare -A changed_row_cost=()

# same_figures DATABASE QUERY: the query finds what differs
same_figures() {
	local differs
	differs=$(database=$1 ask "$2")
	if [ -n "$differs" ]; then
		echo "not the same figures: $differs" >&2
		return 1
	fi
}

make_mart() {
	createdb -T template0 -E UTF8 --locale=C.UTF-8 "$without"
	database=$without run_sql -v deals="$size" -f test/bench/mart.sql
	createdb -T "$without" "$with"
}

# DuckDB gets the deals with their amounts in the reporting currency, so it has no rates to look up.
load_mart_into_duckdb() {
	database=$without ask "COPY (SELECT rep_id, opened_on, closed_on, outcome, round(reporting_amount, 2) FROM mart.deal_as_of ORDER BY deal_id)
		TO STDOUT (FORMAT csv)" >"$work/deals.csv"
	ask_duckdb "CREATE OR REPLACE TABLE mart_deals AS SELECT * FROM read_csv('$work/deals.csv', header = false, columns = {
		rep_id: 'VARCHAR', opened_on: 'DATE', closed_on: 'DATE', outcome: 'VARCHAR', amount: 'DECIMAL(18,2)'})" >/dev/null
	rm "$work/deals.csv"
}

# What is read from rollups is what is read from the deals, and what DuckDB says.
check_scorecards() {
	local figures="SELECT jsonb_agg(to_jsonb(s) - 'sales_growth' ORDER BY rep_id) FROM ($rep_scorecard) AS s" theirs
	theirs=$(database=$without ask "$figures")
	same_figures "$with" "SELECT 'scorecards from rollups' WHERE ($figures) IS DISTINCT FROM \$\$$theirs\$\$::jsonb"
	[ -z "${skipped[duckdb]:-}" ] || return 0
	theirs=$(ask_duckdb "rows:$duckdb_rep_scorecard")
	same_figures "$with" "
		WITH theirs AS (
			SELECT f ->> 0 AS rep_id, f
			FROM json_array_elements(\$\$$theirs\$\$) AS f
		)
		SELECT format('DuckDB''s scorecard of %s', rep_id)
		FROM ($rep_scorecard) AS ours FULL JOIN theirs USING (rep_id)
		WHERE (won_count = coalesce((f ->> 1)::bigint, 0) AND lost_count = coalesce((f ->> 2)::bigint, 0)
			AND (average_deal_amount IS NULL OR abs(average_deal_amount - (f ->> 5)::numeric) < 0.01)
			AND (median_deal_amount IS NULL OR abs(median_deal_amount - (f ->> 6)::numeric) <= 0.006 * median_deal_amount)
			AND cycle_median_days IS NOT DISTINCT FROM (f ->> 8)::float8
			AND created_count = coalesce((f ->> 11)::bigint, 0) AND created_won_count = coalesce((f ->> 12)::bigint, 0)) IS NOT TRUE
		LIMIT 1"
}

seconds_of() { awk -v ms="$(database=$with before=0 time_of "$1")" 'BEGIN { printf "%.2f s", ms / 1000 }'; }

# ---------------------------------------------------------------- reading

bench_reports() {
	heading "$size deals: reports"
	# a dashboard's session has shown the report before, as that of DuckDB has, which stays; run four times it takes a sixth less than after once
	measure=elapsed before=4 compare "rep_scorecard of a past quarter, rollups, by the clock" "the same, from the deals" "<= 30 ms, x faster" \
		"in $with: $rep_scorecard" "in $without: $rep_scorecard"
	before=4 compare "rep_scorecard of a past quarter, rollups" "the same, from the deals" "x faster" \
		"in $with: $rep_scorecard" "in $without: $rep_scorecard"
	before=4 compare_with duckdb "rep_scorecard of a past quarter, rollups" "DuckDB, one thread, from its rows" ">= 5 x faster" \
		"in $with: $rep_scorecard" "duckdb:$duckdb_rep_scorecard"
	# which take long of many deals
	local runs=$((size > 1000000 ? 1 : runs)) aim=""
	[ "$size" -gt 1000000 ] || aim="<= 1000 ms"
	compare "forecast, kept by fold_rollup" "the same, from the deals" "<= 100 ms, x faster" \
		"in $with: $forecast" "in $without: $forecast"
	compare "goal_progress, kept by fold_rollup" "the same, from the deals" "<= 100 ms, x faster" \
		"in $with: $goal_progress" "in $without: $goal_progress"
	compare "retention of the company by months, rollups" "the same, from the deals" "x faster" \
		"in $with: $retention_by_month" "in $without: $retention_by_month"
	compare "sales_growth of all reps by months, rollups" "the same, from the deals" "x faster" \
		"in $with: $sales_growth_of_reps" "in $without: $sales_growth_of_reps"
	compare "funnel of a past quarter, all reps, rollups" "the same, from the deals" "x faster" \
		"in $with: $quarter_funnel" "in $without: $quarter_funnel"
	# any change, also one that is none of deals, ends what was kept
	database=$with run_sql -c "UPDATE mart.rep SET name = name WHERE rep_id = 'R001'"
	compare "forecast, rollups, when something has changed" "without rollups" "$aim" \
		"in $with: $forecast" "in $without: $forecast"
	compare "goal_progress, rollups, when something has changed" "without rollups" "$aim" \
		"in $with: $goal_progress" "in $without: $goal_progress"
	[ "$size" -le 1000000 ] || return 0
	# with PostgreSQL's own estimates of what processes cost
	local two_processes="RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; SET max_parallel_workers_per_gather = 1;"
	local measure=elapsed
	compare "forecast, no rollups, two processes, by the clock" "one process" "" \
		"in $without: $two_processes $forecast" "in $without: $forecast"
	compare "goal_progress, no rollups, two processes, by the clock" "one process" "" \
		"in $without: $two_processes $goal_progress" "in $without: $goal_progress"
}

# ---------------------------------------------------------------- writing

# update_of ROWS: statement that changes that many deals, spread over the years
update_of() {
	echo "UPDATE mart.deal SET amount = amount + 1
		WHERE deal_id IN (SELECT 'D' || to_char(i * $((size / $1)), 'FM00000000') FROM generate_series(0, $1 - 1) AS i)"
}

# pgbench_of DATABASE OPTIONS...: transactions of one row each; what pgbench says is in pgbench.log
pgbench_of() {
	local in=$1
	shift
	pgbench -n -M prepared -D deals="$size" -f test/bench/update.pgbench "$@" "$in" >"$work/pgbench.log" 2>&1 || {
		cat "$work/pgbench.log" >&2
		return 1
	}
}

# pgbench_figure WHAT: a figure off the log
pgbench_figure() { sed -nE "s/^$1[^0-9]*([0-9.]+).*/\\1/p" "$work/pgbench.log"; }

bench_updates() {
	local seconds=$((size < 100000 ? 3 : 10)) this=() that=() i rows in paced=()
	heading "$size deals: changing them with rollups maintained and without; history is recorded in both"

	# the first of each is for warming up
	for ((i = 0; i <= runs; i++)); do
		pgbench_of "$without" -T "$seconds"
		that+=("$(pgbench_figure "latency average")")
		pgbench_of "$with" -T "$seconds"
		this+=("$(pgbench_figure "latency average")")
	done
	times_row "UPDATE of one deal, a transaction each, by the clock" "without rollups" \
		"$(fastest "${this[@]:1}")" "$(fastest "${that[@]:1}")" "<= 2.5" 3

	for rows in 1 100 10000; do
		[ "$rows" -le "$size" ] || continue
		# one deal: until PL/pgSQL has settled on its plans
		before=$((rows == 1 ? 12 : 2)) compare "deals changed by one UPDATE: $rows" "without rollups" "" \
			"in $with: $(update_of "$rows")" "in $without: $(update_of "$rows")"
		changed_row_cost[$size]=$(awk -v a="$this_time" -v b="$that_time" -v n="$rows" 'BEGIN { print 1000 * (a - b) / n }')
	done

	for in in "$with" "$without"; do
		pgbench_of "$in" -c 8 -j 2 -R 1000 -T $((2 * seconds))
		paced+=("$(pgbench_figure "tps")" "$(pgbench_figure "latency average")" "$(pgbench_figure "rate limit schedule lag")")
	done
	times_row "8 clients are to update 1000 deals a second: they do" "without rollups" "${paced[0]}" "${paced[3]}" "1000"
	times_row "  ms for one, from when it was due, by the clock" "without rollups" "${paced[1]}" "${paced[4]}" "" 2
	times_row "  of these ms until it began" "without rollups" "${paced[2]}" "${paced[5]}" "" 2

	local columns="deal_id, name, account_id, rep_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, outcome,
		lost_reason, forecast_category, recorded_at"
	local load="INSERT INTO mart.deal ($columns) SELECT $columns FROM public.incoming"
	# once: they stay
	runs=1 before=0 compare "deals loaded by one INSERT: $((size / 5 < 1000000 ? size / 5 : 1000000))" "without rollups" "<= 1.5" \
		"in $with: $load" "in $without: $load"
}

# ---------------------------------------------------------------- folding, verifying

bench_mart() {
	local size=$1 with=mart_$1 without=mart_$1_without maintained folded changed again unfolded verified wrong
	make_mart
	[ -n "${skipped[duckdb]:-}" ] || load_mart_into_duckdb
	maintained=$(seconds_of "SELECT sales_perf.maintain_rollup('mart')")
	folded=$(seconds_of "SELECT sales_perf.fold_rollup('mart')")
	# as autovacuum would, which is off
	database=$with run_sql -c 'VACUUM (ANALYZE) mart.rollup_cell, mart.rollup_delta, mart.rollup_split'
	check_scorecards
	bench_reports
	bench_updates

	changed=$(database=$with ask "SELECT count(*) FROM mart.rollup_delta")
	unfolded=$(database=$with time_of "$rep_scorecard")
	again=$(seconds_of "SELECT sales_perf.fold_rollup('mart', false)")
	database=$with run_sql -c 'VACUUM (ANALYZE)'
	verified=$(seconds_of "CREATE TABLE public.verified AS SELECT * FROM sales_perf.verify_rollup('mart')")
	wrong=$(database=$with ask "SELECT sum(wrong_count) FROM public.verified")

	figures_heading "$size deals: maintaining, folding, verifying"
	figure "maintain_rollup" "$maintained" ""
	figure "fold_rollup after that, which makes all reports that are kept" "$folded" ""
	figure "rep_scorecard before these changes are folded" "$(printf '%.1f ms' "$unfolded")" ""
	figure "fold_rollup of $changed rows, without reports" "$again" ""
	figure "verify_rollup of $(database=$with ask "SELECT sum(cell_count) FROM public.verified") cells" "$verified" ""
	figure "cells that are wrong" "$wrong" "0"
	figure "rollup_cell: $(database=$with ask "SELECT count(*) FROM mart.rollup_cell") rows, with indexes" \
		"$(database=$with ask "SELECT pg_total_relation_size('mart.rollup_cell') / 1048576") MB" ""
	figure "deal, with indexes" "$(database=$with ask "SELECT pg_total_relation_size('mart.deal') / 1048576") MB" ""
	dropdb "$without"
	if [ "$wrong" != 0 ]; then
		echo "verify_rollup: $wrong cells are wrong" >&2
		exit 1
	fi
}

# from one size to the next
bench_growth() {
	local i small large
	[ "${#mart_sizes[@]}" -gt 1 ] || return 0
	heading "how it grows with the deals"
	for ((i = 1; i < ${#mart_sizes[@]}; i++)); do
		small=${mart_sizes[i - 1]} large=${mart_sizes[i]}
		compare "rep_scorecard of a past quarter, rollups, $large deals" "$small deals" "<= 1.5" \
			"in mart_$large: $rep_scorecard" "in mart_$small: $rep_scorecard"
		times_row "us that rollups add to a deal that is changed, $large deals" "$small deals" \
			"${changed_row_cost[$large]}" "${changed_row_cost[$small]}" "not with them"
	done
}

for size in "${mart_sizes[@]}"; do
	bench_mart "$size"
done
bench_growth
