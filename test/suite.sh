#!/usr/bin/env bash
# Second half of run.sh, as an ordinary user in a copy of the tests: pg_regress, then pgTAP and TAP, then one line of totals.
set -euo pipefail
shopt -s nullglob
cluster=$SALES_PERF_WORK/cluster
trap 'test/cluster.sh stop "$cluster"; cd /; rm -rf "$SALES_PERF_WORK"' EXIT

# the same everywhere: messages, and the time zone that initdb writes into the clusters' configuration
export LC_ALL=C.UTF-8 TZ=UTC
test/cluster.sh start "$cluster" $$
eval "$(test/cluster.sh env "$cluster")"
bin=$("$PG_CONFIG" --bindir)
export PATH=$bin:$PATH
passed=0 failed=0 skipped=0

echo "== pg_regress"
regress=(test/sql/*.sql)
regress=("${regress[@]##*/}")
if [ ${#regress[@]} -gt 0 ]; then
	"$(dirname "$("$PG_CONFIG" --pgxs)")/../test/regress/pg_regress" --bindir="$bin" --inputdir=test \
		--load-extension=sales_perf --dbname=contrib_regression "${regress[@]%.sql}" >regress.log 2>&1 || true
	grep -E '^(test|ok|not ok|# (All|[0-9])| All| [0-9]+ of)' regress.log || cat regress.log
	# "test name ... ok" up to 15, "ok 1 - name" from 16 on
	passed=$(grep -cE '^(ok [0-9]+|test .* \.\.\. ok) ' regress.log || true)
	failed=$((${#regress[@]} - passed))
	[ ! -s regression.diffs ] || cat regression.diffs
fi

echo "== pgTAP and TAP"
createdb sales_perf_template_db
psql -Xq -d sales_perf_template_db -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION sales_perf'
perl test/harness.pl tap.totals test/pgtap/*.sql test/t/*.pl || true
read -r tap_passed tap_failed tap_skipped <tap.totals
passed=$((passed + tap_passed)) failed=$((failed + tap_failed)) skipped=$((skipped + tap_skipped))

[ -n "$SALES_PERF_DATA" ] || echo "SALES_PERF_DATA is not set: the tests on public data sets were skipped."
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
