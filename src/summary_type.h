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

#define SUMMARY_FUNCTION(type, function) \
	PG_FUNCTION_INFO_V1(type##_summary_##function); \
	Datum \
	type##_summary_##function(PG_FUNCTION_ARGS) \
	{ \
		return summary_##function(fcinfo, &type##_layout); \
	} \
	extern int	no_such_variable

/* Defines the C functions of sql/summary_type.sql.in for type_layout. */
#define SUMMARY_TYPE(type) \
	SUMMARY_FUNCTION(type, in); \
	SUMMARY_FUNCTION(type, out); \
	SUMMARY_FUNCTION(type, recv); \
	SUMMARY_FUNCTION(type, send); \
	SUMMARY_FUNCTION(type, to_jsonb); \
	SUMMARY_FUNCTION(type, plus); \
	SUMMARY_FUNCTION(type, minus); \
	SUMMARY_FUNCTION(type, negate); \
	SUMMARY_FUNCTION(type, eq); \
	SUMMARY_FUNCTION(type, ne); \
	SUMMARY_FUNCTION(type, lt); \
	SUMMARY_FUNCTION(type, le); \
	SUMMARY_FUNCTION(type, gt); \
	SUMMARY_FUNCTION(type, ge); \
	SUMMARY_FUNCTION(type, cmp); \
	SUMMARY_FUNCTION(type, hash); \
	SUMMARY_FUNCTION(type, hash_extended); \
	SUMMARY_FUNCTION(type, valid); \
	SUMMARY_FUNCTION(type, rollup); \
	SUMMARY_FUNCTION(type, unroll); \
	SUMMARY_FUNCTION(type, final)

#endif							/* SALES_PERF_SUMMARY_TYPE_H */
