#!/usr/bin/env bash
# make bench: a table of ratios, each of two statements that were run alternately, on generated deals on a plain heap.
# ROWS (5000000) and RUNS (5, of which the fastest counts) can be set. The cluster is private and ends with this script.
set -euo pipefail
cd "$(dirname "$0")/../.."
unset MAKEFLAGS MFLAGS MAKELEVEL
PG_CONFIG=$(test/prepare.sh demo)
export PG_CONFIG LC_ALL=C.UTF-8
rows=${ROWS:-5000000} runs=${RUNS:-5}
bin=$("$PG_CONFIG" --bindir)
PATH=$bin:$PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/sales_perf_bench.XXXXXX")
chmod 755 "$work"
cluster=$work/cluster
trap 'test/cluster.sh stop "$cluster"; rm -rf "$work"' EXIT
make -s -j"$(nproc)" all
make -s install DESTDIR="$work/root" >/dev/null
export SALES_PERF_ROOT=$work/root
export SALES_PERF_CONF="shared_buffers = 2GB
max_wal_size = 8GB
max_worker_processes = 8
autovacuum = off"
test/cluster.sh start "$cluster" $$
eval "$(test/cluster.sh env "$cluster")"

# the collation that a cluster on Debian gets by itself: sorting text by it is what plain SQL has to do
createdb -T template0 -E UTF8 --locale=C.UTF-8 bench

echo "$(psql -XAtc "SELECT 'PostgreSQL ' || current_setting('server_version')" postgres), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors, $(date -u +%F)"
echo "generating $rows deals"
psql -Xq -v ON_ERROR_STOP=1 -v rows="$rows" -f test/bench/deals.sql bench
echo "generating 1,000,000 purchases of 100,000 customers, and 1,000,000 stage events of 200,000 deals"
psql -Xq -o /dev/null -v ON_ERROR_STOP=1 -f test/bench/sales.sql bench

# The time of a statement in ms.
time_of() {
	psql -XAtq -v ON_ERROR_STOP=1 -c '\timing on' -f test/bench/settings.sql -c "$1" bench |
		sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -1
}

fastest() { sort -n "$1" | head -1; }

# compare NAME BAR STATEMENT BASE: one line, the fastest time of each and STATEMENT / BASE (or its inverse, for "x faster").
compare() {
	: >"$work/statement"
	: >"$work/base"
	for _ in $(seq "$runs"); do
		time_of "$4" >>"$work/base"
		time_of "$3" >>"$work/statement"
	done
	awk -v name="$1" -v bar="$2" -v s="$(fastest "$work/statement")" -v b="$(fastest "$work/base")" 'BEGIN {
		ratio = bar ~ /faster/ ? b / s : s / b
		printf "%-58s %9.0f ms %9.0f ms %7.2f   %s\n", name, s, b, ratio, bar }'
}

# Reads a figure of an EXPLAIN of a statement.
explained() {
	psql -XAtq -v ON_ERROR_STOP=1 -f test/bench/settings.sql -c "SET work_mem = '$1'" \
		-c "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) $3" bench | sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" | head -1
}

deal_agg="sales_perf.deal_agg(amount, outcome, opened_on, closed_on)"
nine="sales_perf.won_count(s), sales_perf.lost_count(s), sales_perf.win_rate(s), sales_perf.bookings_amount(s),
	sales_perf.average_deal_amount(s), sales_perf.median_deal_amount(s), sales_perf.cycle_average(s),
	sales_perf.cycle_median(s), sales_perf.cycle_percentile(s, 0.9)"
plain_nine="count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'),
	count(*) FILTER (WHERE outcome = 'won')::float8 / NULLIF(count(*) FILTER (WHERE outcome IN ('won', 'lost')), 0),
	sum(amount) FILTER (WHERE outcome = 'won'), avg(amount) FILTER (WHERE outcome = 'won'),
	percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FILTER (WHERE outcome = 'won'),
	avg(closed_on - opened_on) FILTER (WHERE outcome = 'won'),
	percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won'),
	percentile_cont(0.9) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won')"
by_rep="SELECT rep_id, $nine FROM (SELECT rep_id, $deal_agg AS s FROM deals GROUP BY rep_id) AS of_rep"

printf '%-58s %12s %12s %7s   %s\n' "" "this" "that" "ratio" "bar"
compare "deal_agg by rep / count(*), sum(amount) by rep" "<= 0.95" \
	"SELECT rep_id, sales_perf.won_count($deal_agg) FROM deals GROUP BY rep_id" \
	"SELECT rep_id, count(*), sum(amount) FROM deals GROUP BY rep_id"
compare "  the same, columns in no good order" "" \
	"SELECT rep_id, sales_perf.won_count($deal_agg) FROM deals_unordered GROUP BY rep_id" \
	"SELECT rep_id, count(*), sum(amount) FROM deals_unordered GROUP BY rep_id"
compare "nine figures by rep: deal_agg, plain SQL" ">= 6 x faster" \
	"$by_rep" \
	"SELECT rep_id, $plain_nine FROM deals GROUP BY rep_id"
compare "nine figures by rep: two processes, one" ">= 1.7 x faster" \
	"SET max_parallel_workers_per_gather = 1; $by_rep" \
	"$by_rep"

small="SELECT deal_id / 15 AS part, $deal_agg FROM deals WHERE deal_id < 1500000 GROUP BY 1"
memory=$(explained 1GB "Peak Memory Usage" "$small")
awk -v kb="$memory" 'BEGIN { printf "%-58s %9.0f kB %22.2f   <= 1.5 kB a group\n", "100,000 groups of 15 deals", kb, kb / 100000 }'
many="SELECT deal_id % 1000000 AS part, $deal_agg FROM deals GROUP BY 1"
memory=$(explained 64MB "Peak Memory Usage" "SELECT /* hash */ * FROM ($many) AS groups")
batches=$(explained 64MB "HashAgg Batches" "SELECT /* hash */ * FROM ($many) AS groups")
printf '%-58s %9s kB %19s batches   spill, within work_mem * hash_mem_multiplier (131072 kB)\n' "1,000,000 groups, work_mem 64 MB" "$memory" "$batches"

# hashing a hundred thousand groups wants memory, whatever is summed up
retention="SET work_mem = '64MB'; SET sales_perf.as_of = '2024-12-31'; SELECT period_start, starting_count, retained_count, churned_count,
	new_count, reactivated_count, customer_retention_rate, starting_amount, kept_amount, current_amount FROM sales"
compare "retention by month / count(*), sum(amount) by customer" "<= 1.5" \
	"$retention.retention WHERE level = 'company' AND grain = 'month'" \
	"SET work_mem = '64MB'; SELECT account_id, count(*), sum(amount) FROM sales.sale GROUP BY account_id OFFSET 90000"
compare "retention by month: the view, plain self-join" ">= 4 x faster" \
	"$retention.retention WHERE level = 'company' AND grain = 'month'" \
	"$retention.plain_retention"
compare "funnel of 200,000 deals / their stages by array_agg" "<= 2" \
	"SET work_mem = '64MB'; SELECT v.* FROM (SELECT sales_perf.funnel_agg(path, outcome, closed_on) AS s
		FROM (SELECT deal_id, sales_perf.stage_path_agg(stage_no, entered_on) AS path FROM stage_events GROUP BY deal_id) AS p
		JOIN staged_deals USING (deal_id)) AS f, sales_perf.funnel_values(s, '2024-12-31') AS v" \
	"SET work_mem = '64MB'; SELECT deal_id, array_agg(stage_no ORDER BY entered_on) FROM stage_events GROUP BY deal_id OFFSET 190000"
