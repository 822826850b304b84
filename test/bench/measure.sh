# Sourced by run.sh: running statements, and comparing them.

# why what was meant to be compared with is not here: name -> reason
declare -A skipped=()

# the database of what says nothing else
database=bench

run_sql() {
	psql -Xq -o /dev/null -v ON_ERROR_STOP=1 "$@" "$database"
}

# Rows of one query, which can be too long for the command line.
ask() {
	psql -XAtq -v ON_ERROR_STOP=1 -f test/bench/settings.sql -f - "$database" <<<"$1"
}

# Processor time, which other work on the machine hardly changes, or elapsed time.
measure=processor

# how often a session has run a statement before it is measured: by then it has seen the table's pages and has its memory
before=1

# The time of a statement in ms. "duckdb: ..." runs in DuckDB, whose session stays; "in NAME: ..." in another database.
time_of() {
	local times in=$database statement=$1 i
	local run_before=()
	if [[ $1 == duckdb:* ]]; then
		times=$(ask_duckdb "${1#duckdb:}")
	else
		if [[ $1 == in\ * ]]; then
			in=${1%%: *} in=${in#in } statement=${1#*: }
		fi
		for ((i = 0; i < before; i++)); do run_before+=(-c "$statement"); done
		times=$({ psql -XAtq -v ON_ERROR_STOP=1 -o /dev/null -f test/bench/settings.sql "${run_before[@]}" \
			-c 'SET client_min_messages = log; SET log_statement_stats = on' -c "$statement" "$in" 2>&1 || echo failed >&2; } |
			tee "$work/statement.log" |
			sed -nE 's/^!\t([0-9.]+) s user, ([0-9.]+) s system, ([0-9.]+) s elapsed$/\1 \2 \3/p' | tail -1 |
			awk '{ print 1000 * ($1 + $2), 1000 * $3 }')
		if [ -z "$times" ]; then
			{ echo "no time of: $statement"; grep -v '^!' "$work/statement.log"; } >&2
			return 1
		fi
	fi
	if [ "$measure" = processor ]; then echo "${times% *}"; else echo "${times#* }"; fi
}

# heading TEXT: begins a table.
heading() {
	printf '\n%s\n\n' "$1"
	printf '| %-60s | %-36s | %9s | %9s | %7s | %-19s |\n' this that this that ratio aim
	printf '|%s|%s|%s|%s|%s|%s|\n' "$(dashes 62)" "$(dashes 38)" "$(dashes 11)" "$(dashes 11)" "$(dashes 9)" "$(dashes 21)"
}

dashes() { printf '%*s' "$1" '' | tr ' ' -; }

# a table of what is compared with nothing
figures_heading() { printf '\n%s\n\n| %-60s | %12s | %-44s |\n|%s|%s|%s|\n' "$1" what measured aim "$(dashes 62)" "$(dashes 14)" "$(dashes 46)"; }
figure() { printf '| %-60s | %12s | %-44s |\n' "$@"; }

# a row of the table whose figures are no times
row() { printf '| %-60s | %-36s | %9s | %9s | %7s | %-19s |\n' "$@"; }

# times_row THIS THAT MS MS AIM [DIGITS]: a row with two times, which stay in this_time and that_time, and their ratio.
times_row() {
	local this that ratio
	this_time=$3 that_time=$4
	read -r this that ratio < <(awk -v a="$3" -v b="$4" -v aim="$5" -v format="%.${6:-1}f %.${6:-1}f %.2f\n" \
		'BEGIN { printf format, a, b, aim ~ /faster/ ? b / a : a / b }')
	row "$1" "$2" "$this" "$that" "$ratio" "$5"
}

fastest() { printf '%s\n' "$@" | sort -g | sed -n 1p; }

# compare THIS THAT AIM STATEMENT BASE: a row, the fastest time of each and STATEMENT / BASE, or the inverse where the aim says
# "x faster". They are run alternately.
compare() {
	local this=() that=() i
	[[ $5 != duckdb:* ]] || time_of "$5" >/dev/null
	for ((i = 0; i < runs; i++)); do
		that+=("$(time_of "$5")")
		this+=("$(time_of "$4")")
	done
	times_row "$1" "$2" "$(fastest "${this[@]}")" "$(fastest "${that[@]}")" "$3"
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
