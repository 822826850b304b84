# Sourced by run.sh: what we compare with besides plain SQL. Whatever has to be fetched goes into the temporary directory.

# Where it is not wanted or not to be had, skipped[NAME] says why.
fetch_others() {
	local other
	for other in tdigest duckdb; do
		if [[ " $others " != *" $other "* ]]; then
			skipped[$other]="OTHERS leaves it out"
		elif ! "fetch_$other" >"$work/$other.log" 2>&1; then
			skipped[$other]=$(tail -n 1 "$work/$other.log")
		fi
	done
}

# The extension tdigest: the one that is installed, or else Debian's package, unpacked beside our own extension.
fetch_tdigest() {
	local share major
	share=$("$PG_CONFIG" --sharedir)
	major=$("$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
	[ ! -e "$share/extension/tdigest.control" ] || return 0
	if [ "$share" != "/usr/share/postgresql/$major" ] || ! { command -v apt-get && command -v dpkg-deb; } >/dev/null; then
		echo "it is not installed in this PostgreSQL"
		return 1
	fi
	mkdir "$work/packages"
	(cd "$work/packages" && apt-get -q download "postgresql-$major-tdigest") || {
		echo "the package postgresql-$major-tdigest could not be fetched"
		return 1
	}
	dpkg-deb -x "$work/packages/"*.deb "$work/root"
}

# DuckDB as a package for node, with the program in it.
fetch_duckdb() {
	if ! { command -v node && command -v npm; } >/dev/null; then
		echo "node and npm are not installed"
		return 1
	fi
	mkdir "$work/node"
	npm --prefix "$work/node" --cache "$work/npm" install --silent --no-audit --no-fund --ignore-scripts '@duckdb/node-api@1.5.6-r.1' || {
		echo "the package @duckdb/node-api could not be fetched"
		return 1
	}
	NODE_PATH=$work/node/node_modules node -e "require('@duckdb/node-api')" || {
		echo "@duckdb/node-api does not run here"
		return 1
	}
}

start_others() {
	if [ -z "${skipped[tdigest]:-}" ] && ! run_sql -c 'CREATE EXTENSION tdigest' 2>"$work/tdigest.log"; then
		skipped[tdigest]=$(head -n 1 "$work/tdigest.log")
	fi
	if [ -z "${skipped[duckdb]:-}" ]; then
		coproc DUCKDB { NODE_PATH=$work/node/node_modules exec node test/bench/duckdb.js "$work/bench.duckdb"; }
		# the program ends when nobody writes to it any more
		exec {duckdb_in}>&"${DUCKDB[1]}"
		exec {duckdb_out}<&"${DUCKDB[0]}"
		local version
		read -r version <&"$duckdb_out"
		versions+=("DuckDB $version")
	fi
}

# ask_duckdb STATEMENT: what duckdb.js answers.
ask_duckdb() {
	local answer
	printf '%s\n' "${1//[$'\n\t']/ }" >&"$duckdb_in"
	read -r answer <&"$duckdb_out"
	if [[ $answer == ERROR* ]]; then
		echo "DuckDB: $answer" >&2
		return 1
	fi
	echo "$answer"
}
