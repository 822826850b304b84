#!/usr/bin/env bash
# prepare.sh demo|test: installs what is missing for `make demo` or `make test` (Debian 12 and later,
# Ubuntu 24.04 and later) and prints the path of the pg_config to build with. Where all is there it changes nothing.
set -euo pipefail
purpose=${1:?demo or test}
default_major='' packages=()

die() {
	printf '%s\n' "$@" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

major_of() {
	"$1" --version 2>/dev/null | sed -E 's/^[^0-9]*([0-9]+).*/\1/'
}

# Can the extension be built with this pg_config? Debian's client package brings the makefile, but not the headers.
builds() {
	local makefile headers
	makefile=$("$1" --pgxs 2>/dev/null) && [ -n "$makefile" ] && [ -e "$makefile" ] &&
		headers=$("$1" --includedir-server) && [ -e "$headers/postgres.h" ] && [ "$(major_of "$1")" -ge 15 ]
}

# The major version that is installed already, or else the one that this release has.
choose_major() {
	local server
	if builds "$pg_config"; then
		major_of "$pg_config"
		return
	fi
	server=$(find /usr/lib/postgresql/*/bin -name postgres 2>/dev/null | cut -d/ -f5 | sort -n | tail -n 1)
	if [ "${server:-0}" -ge 15 ]; then
		echo "$server"
	else
		{ apt-cache depends postgresql 2>/dev/null || true; } | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1
	fi
}

# Fills packages with what is missing for the major version $1.
list_missing() {
	local bin=/usr/lib/postgresql/$1/bin share=/usr/share/postgresql/$1
	packages=()
	if builds "$pg_config"; then
		bin=$("$pg_config" --bindir) share=$("$pg_config" --sharedir)
	else
		packages+=("postgresql-server-dev-$1")
	fi
	[ -x "$bin/postgres" ] || packages+=("postgresql-$1")
	command -v cc >/dev/null || command -v gcc >/dev/null || packages+=(gcc)
	[ -e /usr/include/stdio.h ] || packages+=(libc6-dev)
	if [ "$purpose" = test ]; then
		[ -e "$share/extension/pgtap.control" ] || packages+=("postgresql-$1-pgtap")
		perl -MTAP::Harness -MTest::More -e 1 2>/dev/null || packages+=(perl)
	fi
}

# Installing a server package makes a system cluster, which nobody asked for here: while the packages
# are set up they find a pg_createcluster that does nothing. So none is ever made, and none has to be dropped.
install_missing() {
	local scratch
	scratch=$(mktemp -d)
	# shellcheck disable=SC2064
	trap "rm -rf '$scratch'" EXIT
	mkdir "$scratch/bin"
	chmod 755 "$scratch" "$scratch/bin"
	printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/pg_createcluster"
	chmod 755 "$scratch/bin/pg_createcluster"
	echo "Installing ${packages[*]} (a minute or two) ..." >&2
	if ! as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -y -q \
		-o DPkg::Lock::Timeout=300 -o DPkg::Path="$scratch/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		install --no-install-recommends "${packages[@]}" >"$scratch/log" 2>&1 </dev/null; then
		tail -n 30 "$scratch/log" >&2
		die "The packages could not be installed."
	fi
}

chosen=${PG_CONFIG:-}
pg_config=${chosen:-pg_config}
if [ -n "$chosen" ] && ! builds "$chosen"; then
	die "PG_CONFIG=$chosen names no server development files of PostgreSQL 15 or later ($chosen --pgxs, --version)."
fi

default_major=$(choose_major)
if [ -n "$default_major" ]; then list_missing "$default_major"; fi
if [ -z "$default_major" ] || [ ${#packages[@]} -gt 0 ]; then
	if ! command -v apt-get >/dev/null; then
		die "Missing here: ${packages[*]:-PostgreSQL 15 or later with its server development files}." \
			"They are installed by themselves on Debian 12 and later and Ubuntu 24.04 and later;" \
			"elsewhere install them and say where: make $purpose PG_CONFIG=/path/to/pg_config"
	fi
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		[ ${#packages[@]} -gt 0 ] || packages=(postgresql-NN postgresql-server-dev-NN postgresql-NN-pgtap gcc libc6-dev perl '(NN: 15 or later)')
		die "Missing here: ${packages[*]}." "Installing it takes root, or a user with sudo:" \
			"  apt-get install --no-install-recommends ${packages[*]}"
	fi
	echo "Reading the list of packages ..." >&2
	as_root apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null </dev/null ||
		echo "apt-get update failed; going on with the lists that are there." >&2
	default_major=$(choose_major)
	[ -n "$default_major" ] || die "This release has no package postgresql."
	if [ "$default_major" -lt 15 ]; then
		die "sales_perf needs PostgreSQL 15 or later, here it would be $default_major." \
			"Supported: Debian 12 and later, Ubuntu 24.04 and later; or say which server: make $purpose PG_CONFIG=/path/to/pg_config"
	fi
	list_missing "$default_major"
	install_missing
	hash -r
	builds "$pg_config" || pg_config=/usr/lib/postgresql/$default_major/bin/pg_config
fi

command -v "$pg_config"
