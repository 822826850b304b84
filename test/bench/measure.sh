# Sourced by run.sh: running statements, and comparing them.

# why what was meant to be compared with is not here: name -> reason
declare -A skipped=()

run_sql() {
	psql -Xq -o /dev/null -v ON_ERROR_STOP=1 "$@" bench
}

# Rows of one query.
ask() {
	psql -XAtq -v ON_ERROR_STOP=1 -f test/bench/settings.sql -c "$1" bench
}

# Processor time, which other work on the machine hardly changes, or elapsed time.
measure=processor

# The time of a statement in ms, the second time that a session runs it: by then it has seen the table's pages and has its
# memory. "duckdb: ..." runs in DuckDB, whose session stays.
time_of() {
	local times
	if [[ $1 == duckdb:* ]]; then
		times=$(ask_duckdb "${1#duckdb:}")
	else
		times=$({ psql -XAtq -v ON_ERROR_STOP=1 -o /dev/null -f test/bench/settings.sql \
			-c "$1" -c 'SET client_min_messages = log; SET log_statement_stats = on' -c "$1" bench 2>&1 || echo failed >&2; } |
			sed -nE 's/^!\t([0-9.]+) s user, ([0-9.]+) s system, ([0-9.]+) s elapsed$/\1 \2 \3/p' | tail -1 |
			awk '{ print 1000 * ($1 + $2), 1000 * $3 }')
	fi
	if [ "$measure" = processor ]; then echo "${times% *}"; else echo "${times#* }"; fi
}

# heading TEXT: begins a table.
heading() {
	printf '\n%s\n\n' "$1"
	printf '| %-60s | %-36s | %9s | %9s | %7s | %-16s |\n' this that this that ratio aim
	printf '|%s|%s|%s|%s|%s|%s|\n' "$(dashes 62)" "$(dashes 38)" "$(dashes 11)" "$(dashes 11)" "$(dashes 9)" "$(dashes 18)"
}

dashes() { printf '%*s' "$1" '' | tr ' ' -; }

# a row of the table whose figures are no times
row() { printf '| %-60s | %-36s | %9s | %9s | %7s | %-16s |\n' "$@"; }

# compare THIS THAT AIM STATEMENT BASE: a row, the fastest time of each and STATEMENT / BASE, or the inverse where the aim says
# "x faster". They are run alternately.
compare() {
	local this=() that=() i
	[[ $5 != duckdb:* ]] || time_of "$5" >/dev/null
	for ((i = 0; i < runs; i++)); do
		that+=("$(time_of "$5")")
		this+=("$(time_of "$4")")
	done
	row "$1" "$2" $(awk -v aim="$3" -v this="${this[*]}" -v that="${that[*]}" '
		function fastest(times, n, i, time, best) {
			n = split(times, time, " ")
			best = time[1]
			for (i = 2; i <= n; i++)
				best = time[i] + 0 < best + 0 ? time[i] : best
			return best
		}
		BEGIN {
			a = fastest(this)
			b = fastest(that)
			printf "%.1f %.1f %.2f", a, b, aim ~ /faster/ ? b / a : a / b
		}') "$3"
}

# compare_with OTHER ...: the same with something that may not be here.
compare_with() {
	local other=$1
	shift
	if [ -n "${skipped[$other]:-}" ]; then
		row "$1" "$2" "" "" "skipped" "$3"
	else
		compare "$@"
	fi
}

# explained WORK_MEM FIGURE STATEMENT: reads a figure off an EXPLAIN.
explained() {
	psql -XAtq -v ON_ERROR_STOP=1 -f test/bench/settings.sql -c "SET work_mem = '$1'" \
		-c "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) $3" bench | sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" | head -1
}
