#!/usr/bin/env bash
# make demo [DATA=DIR]   demo.sh start [DIR]: a private cluster with a mart of generated deals, or of a folder of CSV files
# make demo-stop         demo.sh stop: ends it and removes all of it
# The cluster's directory is $SALES_PERF_DEMO, else sales_perf_demo_<user id> in the directory for temporary files.
# Where $SALES_PERF_ROOT is set the extension is built already and installed into that DESTDIR.
# DEALS and SEED choose how many deals are generated (20000) and which (1).
set -euo pipefail
command=${1:?start or stop}
data=${2:-}
[ -z "$data" ] || data=$(cd "$data" && pwd) || exit 1
cd "$(dirname "$0")/.."
# DATA means something else to PGXS.
unset MAKEFLAGS MFLAGS MAKELEVEL DATA
export LC_ALL=C.UTF-8
dir=${SALES_PERF_DEMO:-${TMPDIR:-/tmp}/sales_perf_demo_$(id -u)}
database=sales_demo
deals=${DEALS:-20000} seed=${SEED:-1}

# Messages of psql's come without the script's name and line in front.
psql_script() {
	{
		psql -X -q -d "$database" -v ON_ERROR_STOP=1 -v SHOW_CONTEXT=never "$@" 2>&1 >&3 |
			sed -E 's/^psql:[^ ]*:[0-9]+: //' >&2
	} 3>&1
}

if [ "$command" = stop ]; then
	if [ -e "$dir" ]; then
		PG_CONFIG=$(test/prepare.sh demo) test/cluster.sh stop "$dir"
		echo "The demo is stopped and removed."
	else
		echo "No demo is running."
	fi
	exit
fi

if [ -n "$data" ]; then
	missing=()
	for file in accounts.csv products.csv sales_teams.csv sales_pipeline.csv; do
		[ -r "$data/$file" ] || missing+=("$file")
	done
	if [ ${#missing[@]} -gt 0 ]; then
		echo "$data lacks ${missing[*]}: the folder is to hold accounts.csv, products.csv, sales_teams.csv and sales_pipeline.csv." >&2
		exit 1
	fi
fi

PG_CONFIG=$(test/prepare.sh demo)
export PG_CONFIG
bin=$("$PG_CONFIG" --bindir)
psql=$(command -v psql >/dev/null && echo psql || echo "$bin/psql")
PATH=$bin:$PATH

test/cluster.sh stop "$dir"
test/cluster.sh make "$dir"
trap 'test/cluster.sh stop "$dir"' EXIT
if [ -z "${SALES_PERF_ROOT:-}" ]; then
	echo "Building"
	make -s -j"$(nproc)" all
	export SALES_PERF_ROOT=$dir/root
	make -s install DESTDIR="$SALES_PERF_ROOT" >"$dir/install.log" 2>&1 || {
		cat "$dir/install.log" >&2
		exit 1
	}
fi

echo "Starting a private PostgreSQL in $dir"
test/cluster.sh start "$dir"
eval "$(test/cluster.sh env "$dir")"
createdb "$database"
psql_script -c 'CREATE EXTENSION sales_perf' -c "SELECT sales_perf.create_mart('sales')" >/dev/null

if [ -n "$data" ]; then
	psql_script -v mart=sales -v data="$data" -f test/demo/load.sql || {
		echo "Nothing was loaded, and the demo was not started." >&2
		exit 1
	}
else
	echo "Generating $deals deals"
	psql_script -v mart=sales -v deals="$deals" -v seed="$seed" -f test/demo/generate.sql
fi

psql_script -v mart=sales -f test/demo/report.sql
trap - EXIT
cat <<END
The demo keeps running until you stop it. A new "make demo" starts afresh.
  look around:  $psql -h $dir -U postgres $database
                for example: SELECT * FROM sales.rep_scorecard WHERE grain = 'year';
  stop:         make demo-stop
END
