#!/usr/bin/env bash
# A private throw-away cluster, reached by a unix socket only.
#   cluster.sh make DIR          makes its directory, which is not to exist yet, for who wants to put something there first
#   cluster.sh start DIR [PID]   makes and starts it; with PID it ends, and DIR with it, when that process does
#   cluster.sh stop DIR          stops it and removes DIR
#   cluster.sh env DIR           prints the shell variables a client needs (PGHOST, PGPORT, PGUSER)
# Environment: PG_CONFIG; SALES_PERF_ROOT, what `make install DESTDIR=` filled (none: the extension that is installed);
# SALES_PERF_CONF, more lines for postgresql.conf. As root everything runs as the user postgres, or nobody.
set -euo pipefail
command=${1:?make, start, stop or env} dir=${2:?directory}
pg_config=${PG_CONFIG:-pg_config}
bin=$("$pg_config" --bindir)
self=$(realpath "$0")

as_owner=()
if [ "$(id -u)" -eq 0 ]; then
	owner=$(id -un postgres 2>/dev/null || echo nobody)
	as_owner=(setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups)
fi

# Where the server finds an extension that is not installed: Debian's patch up to 17, core's own setting from 18.
extension_settings() {
	local root=$1 major share lib
	share=$("$pg_config" --sharedir) lib=$("$pg_config" --pkglibdir)
	major=$("$pg_config" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
	echo "dynamic_library_path = '$root$lib:\$libdir'"
	if [ "$major" -ge 18 ]; then
		echo "extension_control_path = '$root$share:\$system'"
	elif "$bin/postgres" --describe-config | grep '^extension_destdir' >/dev/null; then
		echo "extension_destdir = '$root'"
	else
		echo "This PostgreSQL $major takes extensions from its own directories only (extension_destdir is a patch of Debian's):" >&2
		echo "run make install and make installcheck instead." >&2
		return 1
	fi
}

# Only a directory made here is ever used and removed: the marker tells, and who owns it.
is_ours() {
	[ ! -L "$dir" ] && [ -e "$dir/sales_perf.private" ] && { [ -O "$dir" ] || [ "$(stat -c %U "$dir")" = "${owner:-}" ]; }
}

make_directory() {
	mkdir -m 700 "$dir"
	touch "$dir/sales_perf.private"
}

stop() {
	[ -e "$dir" ] || return 0
	is_ours || {
		echo "$dir is no private cluster of yours; it stays as it is." >&2
		return 1
	}
	if [ -e "$dir/data/postmaster.pid" ]; then
		"${as_owner[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
	fi
	rm -rf "$dir"
}

start() {
	local pid=${1:-}
	is_ours || make_directory
	dir=$(cd "$dir" && pwd -P)
	if [ ${#dir} -gt 90 ]; then
		echo "$dir is too long a path for a unix socket; set TMPDIR to a shorter one." >&2
		return 1
	fi
	[ ${#as_owner[@]} -eq 0 ] || chown -R "$owner" "$dir"
	cd "$dir"
	"${as_owner[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log" >&2
		return 1
	}
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir'"
		echo "port = 5432"
		echo "fsync = off"
		[ -z "${SALES_PERF_ROOT:-}" ] || extension_settings "$SALES_PERF_ROOT"
		printf '%s\n' "${SALES_PERF_CONF:-}"
		# tests make and drop several marts, and the extension with them, in one transaction
		echo "max_locks_per_transaction = 128"
	} >>"$dir/data/postgresql.conf"
	"${as_owner[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start >/dev/null || {
		tail -n 20 "$dir/log" >&2
		return 1
	}
	if [ -n "$pid" ]; then
		setsid "$self" watch "$dir" "$pid" >/dev/null 2>&1 </dev/null &
	fi
}

# Ends the cluster when process $1 has ended without doing so.
watch() {
	while [ -e "/proc/$1" ] && [ -e "$dir/data/postmaster.pid" ]; do sleep 1; done
	stop
}

case $command in
make) make_directory ;;
start) start "${3:-}" ;;
stop) stop ;;
watch) watch "$3" ;;
env)
	echo 'unset PGHOSTADDR PGDATABASE PGSERVICE PGOPTIONS PGCLIENTENCODING PGSSLMODE PGDATESTYLE PGTZ'
	printf 'export PGHOST=%q PGPORT=5432 PGUSER=postgres\n' "$dir"
	;;
*) sed -n '2,8p' "$0" >&2 && exit 2 ;;
esac
