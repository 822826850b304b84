/*-------------------------------------------------------------------------
 *
 * internal_state.h
 *	  What aggregates have in common whose state is of type internal, that is
 *	  no summary: it lives in the aggregate's memory, and goes from a worker to
 *	  its leader as bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_INTERNAL_STATE_H
#define SALES_PERF_INTERNAL_STATE_H

#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

/* Where the state lives. */
static inline MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "function called outside of an aggregate");
	return context;
}

/* A state that is an argument; NULL before the first row. */
static inline void *
state_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_POINTER(argument);
}

/* What a worker sent, only to be read from, where it stands. */
static inline StringInfoData
sent_state(bytea *sent)
{
	StringInfoData buf;

	buf.data = VARDATA_ANY(sent);
	buf.len = buf.maxlen = VARSIZE_ANY_EXHDR(sent);
	buf.cursor = 0;
	return buf;
}

#endif							/* SALES_PERF_INTERNAL_STATE_H */
