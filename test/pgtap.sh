#!/usr/bin/env bash
# pgtap.sh FILE: runs one pgTAP file in a new database that has pgtap and sales_perf; see test/README.md for its variables.
set -euo pipefail
name=$(basename "$1" .sql)
database=pgtap_$name
createdb -T sales_perf_template_db "$database"
PGOPTIONS="-c client_min_messages=warning" psql -XAtq -P pager=off -d "$database" \
	-v ON_ERROR_STOP=1 -v VERBOSITY=terse -v data="${SALES_PERF_DATA:-}" -f "$1"
dropdb "$database"
