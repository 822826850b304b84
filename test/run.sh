#!/usr/bin/env bash
# make test: installs what is missing, builds, and runs every test against private throw-away clusters.
# SALES_PERF_DATA names the folder of public data sets; without it the tests on them are skipped. See test/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL
PG_CONFIG=$(test/prepare.sh test)
export PG_CONFIG

work=$(mktemp -d "${TMPDIR:-/tmp}/sales_perf_test.XXXXXX")
trap 'rm -rf "$work"' EXIT

make -s -j"$(nproc)" all
make -s install DESTDIR="$work/root" >"$work/install.log" 2>&1 || {
	cat "$work/install.log"
	exit 1
}
mkdir "$work/run"
for part in test expected sql doc README.md CHANGELOG.md LICENSE META.json sales_perf.control; do
	[ ! -e "$part" ] || cp -r "$part" "$work/run/"
done
data=
if [ -n "${SALES_PERF_DATA:-}" ]; then
	mkdir "$work/data"
	cp -r "$SALES_PERF_DATA/." "$work/data/"
	chmod -R u+w "$work/data"
	data=$work/data
fi
export SALES_PERF_ROOT=$work/root SALES_PERF_DATA=$data SALES_PERF_WORK=$work HOME=$work TMPDIR=$work

# PostgreSQL does not run as root. From here on all runs in the copy, which suite.sh removes at its end.
trap - EXIT
cd "$work/run"
if [ "$(id -u)" -eq 0 ]; then
	user=$(id -un postgres 2>/dev/null || echo nobody)
	chown -R "$user" "$work"
	exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups test/suite.sh
fi
exec test/suite.sh
