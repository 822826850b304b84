#!/bin/sh
# Prints what evaluate_alerts() tells, one JSON object a line, as it comes: the smallest bridge to chat or mail there is.
#   PGDATABASE=mydb test/alert_listener.sh | while read -r alert; do ... ; done
# psql shows notifications after each statement; so it is given one a second. SALES_PERF_LISTEN_SECONDS ends it after so many.
n=0
{
	echo 'LISTEN sales_perf;'
	printf '%s\n' '\! echo listening'
	while [ -z "$SALES_PERF_LISTEN_SECONDS" ] || [ "$n" -lt "$SALES_PERF_LISTEN_SECONDS" ]; do
		echo 'SELECT;'
		sleep 1
		n=$((n + 1))
	done
	echo 'SELECT;'
} | psql -XAtq | sed -un -e 's/^listening$/&/p' -e 's/^Asynchronous notification "sales_perf" with payload "\(.*\)" received from server process.*$/\1/p'
