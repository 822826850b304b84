/*-------------------------------------------------------------------------
 *
 * summary_type.h
 *	  The SQL face of a summary type: what every type has, declared by one
 *	  macro.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUMMARY_TYPE_H
#define SALES_PERF_SUMMARY_TYPE_H

#include "summary.h"

/* summary_io.c */
extern Datum summary_in(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_out(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_recv(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_send(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_to_jsonb(FunctionCallInfo fcinfo, const SummaryLayout *layout);

/* summary_ops.c */
extern Datum summary_plus(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_minus(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_negate(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_eq(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_ne(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_lt(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_le(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_gt(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_ge(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_cmp(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_hash(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_hash_extended(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_valid(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_rollup(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_unroll(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Datum summary_final(FunctionCallInfo fcinfo, const SummaryLayout *layout);

/* summary_ops.c, for accessors */
extern Datum summary_count(FunctionCallInfo fcinfo, const SummaryLayout *layout, int count);

/* Defines an accessor that gives one of the counts. */
#define SUMMARY_COUNT(function, layout, count) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		return summary_count(fcinfo, &layout, count); \
	} \
	extern int	no_such_variable

#define SUMMARY_FUNCTION(layout, type, function) \
	PG_FUNCTION_INFO_V1(type##_##function); \
	Datum \
	type##_##function(PG_FUNCTION_ARGS) \
	{ \
		return summary_##function(fcinfo, &layout); \
	} \
	extern int	no_such_variable

/* Defines the C functions of sql/summary_type.sql.in for a type, given its layout. */
#define SUMMARY_TYPE(layout, type) \
	SUMMARY_FUNCTION(layout, type, in); \
	SUMMARY_FUNCTION(layout, type, out); \
	SUMMARY_FUNCTION(layout, type, recv); \
	SUMMARY_FUNCTION(layout, type, send); \
	SUMMARY_FUNCTION(layout, type, to_jsonb); \
	SUMMARY_FUNCTION(layout, type, plus); \
	SUMMARY_FUNCTION(layout, type, minus); \
	SUMMARY_FUNCTION(layout, type, negate); \
	SUMMARY_FUNCTION(layout, type, eq); \
	SUMMARY_FUNCTION(layout, type, ne); \
	SUMMARY_FUNCTION(layout, type, lt); \
	SUMMARY_FUNCTION(layout, type, le); \
	SUMMARY_FUNCTION(layout, type, gt); \
	SUMMARY_FUNCTION(layout, type, ge); \
	SUMMARY_FUNCTION(layout, type, cmp); \
	SUMMARY_FUNCTION(layout, type, hash); \
	SUMMARY_FUNCTION(layout, type, hash_extended); \
	SUMMARY_FUNCTION(layout, type, valid); \
	SUMMARY_FUNCTION(layout, type, rollup); \
	SUMMARY_FUNCTION(layout, type, unroll); \
	SUMMARY_FUNCTION(layout, type, final)

#endif							/* SALES_PERF_SUMMARY_TYPE_H */
