#!/usr/bin/env bash
# make bench: tables of ratios, each of two statements that were run alternately, on generated deals on a plain heap.
#   SIZES  numbers of deals ("100000 1000000 5000000"); how cost grows shows from one to the next
#   MART_SIZES  numbers of deals of the marts whose rollups are maintained ("500000 5000000")
#   RUNS   how often each is run (3), of which the fastest counts; each session runs a statement once before that
#   PARTS  what is measured ("deals subjects maintained")
#   OTHERS what to compare with besides plain SQL ("tdigest duckdb"); what is not here and cannot be fetched is skipped, and
#          said to be
# The cluster is private. All of it, with what was fetched, is in one temporary directory and ends with this script.
set -euo pipefail
cd "$(dirname "$0")/../.."
unset MAKEFLAGS MFLAGS MAKELEVEL
PG_CONFIG=$(test/prepare.sh demo)
export PG_CONFIG LC_ALL=C.UTF-8
read -r -a sizes <<<"$(tr ' ' '\n' <<<"${SIZES:-100000 1000000 5000000}" | sort -n | tr '\n' ' ')"
largest=${sizes[-1]}
read -r -a mart_sizes <<<"$(tr ' ' '\n' <<<"${MART_SIZES:-500000 5000000}" | sort -n | tr '\n' ' ')"
parts=" ${PARTS:-deals subjects maintained} "
runs=${RUNS:-3} others=${OTHERS-tdigest duckdb}
bin=$("$PG_CONFIG" --bindir)
PATH=$bin:$PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/sales_perf_bench.XXXXXX")
chmod 755 "$work"
cluster=$work/cluster
trap 'test/cluster.sh stop "$cluster"; rm -rf "$work"' EXIT
versions=()
. test/bench/measure.sh
. test/bench/others.sh

make -s -j"$(nproc)" all
make -s install DESTDIR="$work/root" >/dev/null
fetch_others
export SALES_PERF_ROOT=$work/root
export SALES_PERF_CONF="shared_buffers = 2GB
max_wal_size = 8GB
max_worker_processes = 8
autovacuum = off"
test/cluster.sh start "$cluster" $$
eval "$(test/cluster.sh env "$cluster")"

# the collation that a cluster on Debian gets by itself: sorting text by it is what plain SQL has to do
createdb -T template0 -E UTF8 --locale=C.UTF-8 bench
run_sql -c 'CREATE EXTENSION sales_perf'
start_others

echo "PostgreSQL $(psql -XAtc "SELECT current_setting('server_version')" postgres)${versions[*]/#/, }, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors, $(date -u +%F); ms of the processor, the fastest of $runs runs"
for other in "${!skipped[@]}"; do echo "skipped: all that is measured against $other: ${skipped[$other]}"; done

. test/bench/deals.sh
if [[ $parts == *" deals "* ]]; then
	for size in "${sizes[@]}"; do
		bench_deals "$size"
	done
	bench_shapes "$largest"
	bench_memory "$largest"
fi
if [[ $parts == *" subjects "* ]]; then . test/bench/subjects.sh; fi
if [[ $parts == *" maintained "* ]]; then . test/bench/maintained.sh; fi
