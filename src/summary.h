/*-------------------------------------------------------------------------
 *
 * summary.h
 *	  Summaries: small values that add up, from which KPIs are read.
 *
 * A value has two forms:
 *
 *	packed	the canonical one, a string of bytes: equal summaries are equal
 *			bytes.  It is what is stored, sent and compared.
 *	working	what an aggregate adds to in place.
 *
 * Both are varlenas of the same SQL type and any function takes either.  What
 * the types have in common is driven by their layouts: here the group law, in
 * summary_io.c input and output, in summary_ops.c the operators.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUMMARY_H
#define SALES_PERF_SUMMARY_H

#include "postgres.h"

#include "compat.h"
#include "nodes/nodes.h"
#include "summary_pack.h"
#include "summary_state.h"

/* building */
extern Summary *summary_copy(const SummaryLayout *layout, Datum value);
extern Summary *summary_begin_slow(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern int	summary_option_argument(FunctionCallInfo fcinfo, int argument,
									const OptionField *field);
extern void summary_mix_options(const SummaryLayout *layout, Summary *s, int option);
extern Summary *summary_absorb(const SummaryLayout *layout, Summary *s, Datum value, int sign);

/* reading */
extern struct varlena *summary_detoast(Datum value);
extern void summary_open(const SummaryLayout *layout, SummaryView *view, Datum value);
extern bool summary_read(FunctionCallInfo fcinfo, int argument,
						 const SummaryLayout *layout, SummaryView *view);
extern struct varlena *summary_packed(const SummaryLayout *layout, Datum value);
extern bool summary_is_mergeable(const SummaryLayout *layout, struct varlena *p);
extern struct varlena *summary_merge(const SummaryLayout *layout, Datum a, Datum b, int sign);
extern struct varlena *summary_part(const SummaryLayout *from, Datum value,
									const SummaryLayout *to, int first_count,
									int first_decimal, int first_histogram);

/*
 * Are we called by an aggregate, whose state may be changed in place?  This is
 * AggCheckCallContext(), without the call.
 */
static inline bool
called_by_aggregate(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL &&
		(IsA(fcinfo->context, AggState) || IsA(fcinfo->context, WindowAggState));
}

/* Is it a working value of the type, and not toasted? */
static inline bool
summary_is_working(const Summary *s, const SummaryLayout *layout)
{
	return VARATT_IS_4B_U(s) && s->form == SUMMARY_WORKING && s->type_id == layout->type_id;
}

/*
 * The state that a transition function may change in place: the aggregate's
 * own, or else a copy.
 */
static inline Summary *
summary_begin(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	if (likely(!PG_ARGISNULL(0) && called_by_aggregate(fcinfo)))
	{
		Summary    *s = (Summary *) PG_GETARG_POINTER(0);

		if (likely(summary_is_working(s, layout)))
			return s;
	}
	return summary_begin_slow(fcinfo, layout);
}

/* Hands a state back: as it is to an aggregate, packed to anybody else. */
static inline Datum
summary_end(FunctionCallInfo fcinfo, const SummaryLayout *layout, Summary *s)
{
	if (likely(called_by_aggregate(fcinfo)))
		return PointerGetDatum(s);
	return PointerGetDatum(summary_packed(layout, PointerGetDatum(s)));
}

/* Says what a row to be added has for the option of the type. */
static inline void
summary_set_option(const SummaryLayout *layout, Summary *s, int option)
{
	if (unlikely(s->option != option))
		summary_mix_options(layout, s, option);
}

#endif							/* SALES_PERF_SUMMARY_H */
