/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Every difference between the PostgreSQL major versions we support.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_COMPAT_H
#define SALES_PERF_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "sales_perf needs PostgreSQL 15 or later"
#endif

#include "common/int.h"
#include "fmgr.h"
#include "utils/jsonb.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif

#ifndef HAVE_INT128
#error "sales_perf needs a compiler with 128-bit integers"
#endif

/*
 * Soft errors came with PostgreSQL 16.  Before, an error of an input function
 * is always thrown, and the context is never looked at.
 */
#if PG_VERSION_NUM < 160000
#define ereturn(escontext, dummy_value, ...) \
	do { \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#define SOFT_ERROR_OCCURRED(escontext) false
#define soft_error_context(fcinfo) NULL
#else
#define soft_error_context(fcinfo) ((fcinfo)->context)
#endif

/* pg_noreturn came with PostgreSQL 18, pg_attribute_noreturn() went. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* From 19 on, JSON is built in a state that holds its result too. */
#if PG_VERSION_NUM < 190000
typedef struct JsonbInState
{
	JsonbValue *result;
	JsonbParseState *parseState;
} JsonbInState;
#define push_jsonb(state, token, value) \
	((state)->result = pushJsonbValue(&(state)->parseState, token, value))
#else
#define push_jsonb(state, token, value) pushJsonbValue(state, token, value)
#endif

/* The module's name and version can be asked for from 18 on. */
#if PG_VERSION_NUM >= 180000
#define SALES_PERF_MODULE_MAGIC(ver) \
	PG_MODULE_MAGIC_EXT(.name = "sales_perf", .version = ver)
#else
#define SALES_PERF_MODULE_MAGIC(ver) PG_MODULE_MAGIC
#endif

#endif							/* SALES_PERF_COMPAT_H */
