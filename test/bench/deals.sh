# Sourced by run.sh: deals by rep, at each size.

deal_agg="sales_perf.deal_agg(amount, outcome, opened_on, closed_on)"

# the nine figures, of a summary, in plain SQL and in DuckDB's, of deals that meet another condition
nine() {
	echo "sales_perf.won_count($1), sales_perf.lost_count($1), sales_perf.win_rate($1), sales_perf.bookings_amount($1),
		sales_perf.average_deal_amount($1), sales_perf.median_deal_amount($1), sales_perf.cycle_average($1),
		sales_perf.cycle_median($1), sales_perf.cycle_percentile($1, 0.9)"
}
plain_nine="count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'),
	count(*) FILTER (WHERE outcome = 'won')::float8 / NULLIF(count(*) FILTER (WHERE outcome IN ('won', 'lost')), 0),
	sum(amount) FILTER (WHERE outcome = 'won'), avg(amount) FILTER (WHERE outcome = 'won'),
	percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FILTER (WHERE outcome = 'won'),
	avg(closed_on - opened_on) FILTER (WHERE outcome = 'won'),
	percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won'),
	percentile_cont(0.9) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won')"
duckdb_nine() {
	echo "count(*) FILTER (WHERE outcome = 'won'$1), count(*) FILTER (WHERE outcome = 'lost'$1),
		count(*) FILTER (WHERE outcome = 'won'$1)::double / NULLIF(count(*) FILTER (WHERE outcome IN ('won', 'lost')$1), 0),
		sum(amount) FILTER (WHERE outcome = 'won'$1), avg(amount) FILTER (WHERE outcome = 'won'$1),
		quantile_cont(amount, 0.5) FILTER (WHERE outcome = 'won'$1),
		avg(closed_on - opened_on) FILTER (WHERE outcome = 'won'$1),
		quantile_cont(closed_on - opened_on, 0.5) FILTER (WHERE outcome = 'won'$1),
		quantile_cont(closed_on - opened_on, 0.9) FILTER (WHERE outcome = 'won'$1)"
}
by_rep="SELECT rep_id, $(nine s) FROM (SELECT rep_id, $deal_agg AS s FROM deals GROUP BY rep_id) AS of_rep"
duckdb_by_rep="SELECT rep_id, $(duckdb_nine '') FROM deals GROUP BY rep_id"

# The scorecard of one quarter from raw rows: the nine figures of the deals closed in it, what was booked in the quarter before,
# what was opened in it and what is open now.
quarter="BETWEEN '2023-07-01' AND '2023-09-30'" quarter_before="BETWEEN '2023-04-01' AND '2023-06-30'"
scorecard="SELECT rep_id, $(nine closed), sales_perf.bookings_amount(before), opened_count,
	sales_perf.open_count(open), sales_perf.pipeline_amount(open)
	FROM (SELECT rep_id,
		$deal_agg FILTER (WHERE outcome <> 'open' AND closed_on $quarter) AS closed,
		$deal_agg FILTER (WHERE outcome <> 'open' AND closed_on $quarter_before) AS before,
		count(*) FILTER (WHERE opened_on $quarter) AS opened_count,
		$deal_agg FILTER (WHERE outcome = 'open') AS open
		FROM deals GROUP BY rep_id) AS of_rep"
duckdb_scorecard="SELECT rep_id, $(duckdb_nine " AND closed_on $quarter"),
	sum(amount) FILTER (WHERE outcome = 'won' AND closed_on $quarter_before), count(*) FILTER (WHERE opened_on $quarter),
	count(*) FILTER (WHERE outcome = 'open'), sum(amount) FILTER (WHERE outcome = 'open')
	FROM deals GROUP BY rep_id"

# How far DuckDB's nine figures are from ours: counts, sums and days not at all, the median amount by its bucket.
check_duckdb() {
	local answer
	answer=$(ask_duckdb "rows:$duckdb_by_rep")
	ask "WITH theirs AS (
			SELECT f ->> 0 AS rep_id, f
			FROM json_array_elements(\$\$$answer\$\$) AS f
		), ours AS ($by_rep)
		SELECT format('not the same figures as DuckDB''s: %s', rep_id)
		FROM ours FULL JOIN theirs USING (rep_id)
		WHERE (won_count = (f ->> 1)::bigint AND lost_count = (f ->> 2)::bigint
			AND abs(win_rate - (f ->> 3)::float8) < 1e-12
			AND bookings_amount = (f ->> 4)::numeric
			AND abs(average_deal_amount - (f ->> 5)::numeric) < 1e-6 * average_deal_amount
			AND abs(median_deal_amount - (f ->> 6)::numeric) <= 0.006 * median_deal_amount
			AND abs(cycle_average - (f ->> 7)::numeric) < 1e-6
			AND cycle_median = (f ->> 8)::float8
			AND abs(cycle_percentile - (f ->> 9)::float8) < 1e-9) IS NOT TRUE
		LIMIT 3"
}

bench_deals() {
	local size=$1
	run_sql -v rows="$size" -f test/bench/deals.sql
	if [ -z "${skipped[duckdb]:-}" ]; then
		psql -XAtq -v ON_ERROR_STOP=1 -c '\copy deals TO STDOUT (FORMAT csv)' bench >"$work/deals.csv"
		ask_duckdb "CREATE OR REPLACE TABLE deals AS SELECT * FROM read_csv('$work/deals.csv', header = false, columns = {
			deal_id: 'BIGINT', opened_on: 'DATE', closed_on: 'DATE', rep_id: 'VARCHAR', outcome: 'VARCHAR',
			amount: 'DECIMAL(18,2)'})" >/dev/null
		rm "$work/deals.csv"
		check_duckdb
	fi

	heading "$size deals of 200 reps"
	compare "deal_agg by rep" "count(*), sum(amount) by rep" "<= 0.95" \
		"SELECT rep_id, sales_perf.won_count($deal_agg) FROM deals GROUP BY rep_id" \
		"SELECT rep_id, count(*), sum(amount) FROM deals GROUP BY rep_id"
	compare "nine figures by rep" "plain SQL" ">= 6 x faster" \
		"$by_rep" \
		"SELECT rep_id, $plain_nine FROM deals GROUP BY rep_id"
	compare_with duckdb "nine figures by rep" "DuckDB, one thread" "<= 1.3, better 1" \
		"$by_rep" "duckdb:$duckdb_by_rep"
	compare_with duckdb "the same, jit = on" "DuckDB, one thread" "" \
		"SET jit = on; $by_rep" "duckdb:$duckdb_by_rep"
	compare_with duckdb "scorecard of a quarter from raw rows" "DuckDB, one thread" "" \
		"$scorecard" "duckdb:$duckdb_scorecard"
	compare "median and 90 % of won amounts by rep" "percentile_cont" "" \
		"SELECT rep_id, sales_perf.amount_median(s), sales_perf.amount_percentile(s, 0.9)
			FROM (SELECT rep_id, sales_perf.amount_agg(amount) AS s FROM deals WHERE outcome = 'won' GROUP BY rep_id) AS of_rep" \
		"SELECT rep_id, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY amount)
			FROM deals WHERE outcome = 'won' GROUP BY rep_id"
	compare_with tdigest "median and 90 % of won amounts by rep" "tdigest, compression 100" "" \
		"SELECT rep_id, sales_perf.amount_median(s), sales_perf.amount_percentile(s, 0.9)
			FROM (SELECT rep_id, sales_perf.amount_agg(amount) AS s FROM deals WHERE outcome = 'won' GROUP BY rep_id) AS of_rep" \
		"SELECT rep_id, tdigest_percentile(amount::float8, 100, ARRAY[0.5, 0.9])
			FROM deals WHERE outcome = 'won' GROUP BY rep_id"
	compare_with tdigest "days: all cycle_agg knows" "tdigest of days won, compression 100" "" \
		"SELECT rep_id, sales_perf.cycle_median(s), sales_perf.cycle_percentile(s, 0.9)
			FROM (SELECT rep_id, sales_perf.cycle_agg(outcome, opened_on, closed_on) AS s FROM deals GROUP BY rep_id) AS of_rep" \
		"SELECT rep_id, tdigest_percentile((closed_on - opened_on)::float8, 100, ARRAY[0.5, 0.9]) FILTER (WHERE outcome = 'won')
			FROM deals GROUP BY rep_id"
}

# What does not depend on the size so much, at the largest.
bench_shapes() {
	heading "$1 deals: what it depends on"
	compare "deal_agg by rep, columns in no good order" "count(*), sum(amount) by rep" "" \
		"SELECT rep_id, sales_perf.won_count($deal_agg) FROM deals_unordered GROUP BY rep_id" \
		"SELECT rep_id, count(*), sum(amount) FROM deals_unordered GROUP BY rep_id"
	measure=elapsed
	compare "nine figures by rep, two processes, by the clock" "one process" ">= 1.7 x faster" \
		"SET max_parallel_workers_per_gather = 1; $by_rep" "$by_rep"
	measure=processor
	compare "deal_agg of all deals" "count(*), sum(amount)" "" \
		"SELECT sales_perf.won_count($deal_agg) FROM deals" "SELECT count(*), sum(amount) FROM deals"
	compare "deal_agg by rep" "counting its four columns by rep" "" \
		"SELECT rep_id, sales_perf.won_count($deal_agg) FROM deals GROUP BY rep_id" \
		"SELECT rep_id, count(amount), count(outcome), count(opened_on), count(closed_on) FROM deals GROUP BY rep_id"
	compare "deal_agg by rep" "count(amount) by rep" "" \
		"SELECT rep_id, sales_perf.won_count($deal_agg) FROM deals GROUP BY rep_id" \
		"SELECT rep_id, count(amount) FROM deals GROUP BY rep_id"
}

bench_memory() {
	local groups=$(($1 / 15 < 100000 ? $1 / 15 : 100000)) memory batches
	local many="SELECT deal_id % 1000000 AS part, $deal_agg FROM deals GROUP BY 1"
	figures_heading memory
	memory=$(explained 1GB "Peak Memory Usage" \
		"SELECT deal_id / 15 AS part, $deal_agg FROM deals WHERE deal_id < $groups * 15 GROUP BY 1")
	figure "$groups groups of 15 deals, a group" "$(awk -v kb="$memory" -v n="$groups" 'BEGIN { printf "%.2f kB", kb / n }')" "<= 1.5 kB"
	memory=$(explained 1GB "Peak Memory Usage" "SELECT rep_id, $deal_agg FROM deals GROUP BY rep_id")
	figure "200 groups of $(($1 / 200)) deals, a group" "$(awk -v kb="$memory" 'BEGIN { printf "%.2f kB", kb / 200 }')" ""
	memory=$(explained 64MB "Peak Memory Usage" "SELECT /* hash */ * FROM ($many) AS groups")
	batches=$(explained 64MB "HashAgg Batches" "SELECT /* hash */ * FROM ($many) AS groups")
	figure "1,000,000 groups, work_mem = 64MB, $batches batches" "$memory kB" "within work_mem x hash_mem_multiplier: 131072 kB"
}
