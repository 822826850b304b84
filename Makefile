# make, make install, make installcheck    an ordinary PGXS extension (choose a server with PG_CONFIG=...)
# make test, make demo, make demo-stop     private throw-away clusters, see test/README.md
# WERROR=1                                 warnings are errors

EXTENSION = sales_perf
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" sales_perf.control)
MODULE_big = sales_perf
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c))

SQL_PARTS = $(sort $(wildcard sql/[0-9]*.sql))
SCRIPT = $(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(SCRIPT)

# pg_regress reads test/sql and, from the directory it runs in, expected.
REGRESS = $(sort $(notdir $(basename $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --load-extension=$(EXTENSION)

PG_CFLAGS = -MMD -MP -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
ifneq ($(WERROR),)
PG_CFLAGS += -Werror
endif

EXTRA_CLEAN = $(OBJS:.o=.d) .build-flags

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

all:

# The client's package alone brings the makefile without the headers.
ifneq ($(and $(wildcard $(PGXS)),$(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)),)

include $(PGXS)

# A change of a header, of the server's version or of the flags compiles anew.
-include $(OBJS:.o=.d)

export BUILD_FLAGS = $(VERSION) $(CC) $(CPPFLAGS) $(CFLAGS)
.build-flags: FORCE
	@printf '%s\n' "$$BUILD_FLAGS" | cmp -s - $@ || printf '%s\n' "$$BUILD_FLAGS" > $@

$(OBJS): .build-flags
$(OBJS:.o=.bc): %.bc: %.o

else

all install installdirs uninstall installcheck clean distclean:
	@echo "No server development files of PostgreSQL found: '$(PG_CONFIG)' names none that are there." >&2
	@echo "Install them (Debian, Ubuntu: the package postgresql-server-dev-NN, NN from 15 on)" >&2
	@echo "or say where they are: make PG_CONFIG=/path/to/pg_config" >&2
	@echo "'make test' and 'make demo' install on Debian and Ubuntu what is missing." >&2
	@exit 1

endif

# The install script is its parts in the order of their names; a line "--@summary_type TYPE"
# stands for the objects that every summary type has, sql/summary_type.sql.in.
SUMMARY_TYPE = sql/summary_type.sql.in
$(SCRIPT): $(SQL_PARTS) $(wildcard $(SUMMARY_TYPE)) sales_perf.control Makefile
	awk -v common=$(SUMMARY_TYPE) ' \
		FNR == 1 && NR > 1 { print "" } \
		$$1 != "--@summary_type" { print; next } \
		{ while ((found = getline line < common) > 0) { gsub(/@TYPE@/, $$2, line); print line } } \
		found < 0 { print "cannot read " common > "/dev/stderr"; exit 1 } \
		{ close(common) }' $(SQL_PARTS) > $@

# A PG_CONFIG given by the environment or on make's command line reaches these scripts by the environment.
test:
	@test/run.sh

demo:
	@test/demo.sh start $(if $(DATA),'$(DATA)')

demo-stop:
	@test/demo.sh stop

bench:
	@test/bench/run.sh

FORCE:
.PHONY: FORCE test demo demo-stop bench
.DELETE_ON_ERROR:
