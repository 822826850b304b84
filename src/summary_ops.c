/*-------------------------------------------------------------------------
 *
 * summary_ops.c
 *	  The group law, comparison and aggregation of summaries in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "summary_type.h"

/* a + b, a - b, or - b where a is NULL */
static Datum
combined(const SummaryLayout *layout, Datum *a, Datum b, int sign)
{
	Summary    *s;

	if (a != NULL)
	{
		struct varlena *sum = summary_merge(layout, *a, b, sign);

		if (sum != NULL)
			return PointerGetDatum(sum);
	}
	s = summary_new(layout);
	if (a != NULL)
		s = summary_absorb(layout, s, *a, 1);
	s = summary_absorb(layout, s, b, sign);
	return PointerGetDatum(summary_packed(layout, PointerGetDatum(s)));
}

Datum
summary_plus(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	return combined(layout, &PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 1);
}

Datum
summary_minus(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	return combined(layout, &PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), -1);
}

Datum
summary_negate(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	return combined(layout, NULL, PG_GETARG_DATUM(0), -1);
}

/* Compares the packed bytes: a total order without a meaning of its own. */
static int
compare(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	struct varlena *a = summary_packed(layout, PG_GETARG_DATUM(0));
	struct varlena *b = summary_packed(layout, PG_GETARG_DATUM(1));
	size_t		a_size = VARSIZE_ANY_EXHDR(a);
	size_t		b_size = VARSIZE_ANY_EXHDR(b);
	int			result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_size, b_size));

	if (result == 0)
		result = (a_size > b_size) - (a_size < b_size);

	/* a btree may have handed us toasted keys */
	if ((Pointer) a != PG_GETARG_POINTER(0))
		pfree(a);
	if ((Pointer) b != PG_GETARG_POINTER(1))
		pfree(b);
	return result;
}

Datum
summary_eq(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_BOOL(compare(fcinfo, layout) == 0);
}

Datum
summary_ne(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_BOOL(compare(fcinfo, layout) != 0);
}

Datum
summary_lt(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_BOOL(compare(fcinfo, layout) < 0);
}

Datum
summary_le(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_BOOL(compare(fcinfo, layout) <= 0);
}

Datum
summary_gt(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_BOOL(compare(fcinfo, layout) > 0);
}

Datum
summary_ge(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_BOOL(compare(fcinfo, layout) >= 0);
}

Datum
summary_cmp(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	PG_RETURN_INT32(compare(fcinfo, layout));
}

Datum
summary_hash(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	struct varlena *p = summary_packed(layout, PG_GETARG_DATUM(0));

	return hash_any((unsigned char *) VARDATA_ANY(p), (int) VARSIZE_ANY_EXHDR(p));
}

Datum
summary_hash_extended(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	struct varlena *p = summary_packed(layout, PG_GETARG_DATUM(0));

	return hash_any_extended((unsigned char *) VARDATA_ANY(p), (int) VARSIZE_ANY_EXHDR(p),
							 PG_GETARG_INT64(1));
}

/* Is this the summary of some rows, not a difference below zero? */
Datum
summary_valid(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	SummaryView view;

	PG_RETURN_BOOL(summary_read(fcinfo, 0, layout, &view));
}

static Datum
absorb_state(FunctionCallInfo fcinfo, const SummaryLayout *layout, int sign)
{
	Summary    *state;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}

	/*
	 * A few values of like size, as the months of a quarter: the state stays
	 * packed.  A working one, which takes long to make and to pack, is for
	 * what adds little to it each time.
	 */
	if (sign > 0 && called_by_aggregate(fcinfo))
	{
		struct varlena *value = summary_detoast(PG_GETARG_DATUM(1));

		if (PG_ARGISNULL(0) && summary_is_mergeable(layout, value))
			return PointerGetDatum(value);
		if (!PG_ARGISNULL(0))
		{
			struct varlena *packed = (struct varlena *) PG_GETARG_POINTER(0);

			if (!summary_is_working((Summary *) packed, layout) &&
				VARSIZE_ANY_EXHDR(packed) / 64 <= VARSIZE_ANY_EXHDR(value))
			{
				packed = summary_merge(layout, PointerGetDatum(packed), PointerGetDatum(value), sign);
				if (packed != NULL)
					return PointerGetDatum(packed);
			}
		}
	}
	if (PG_ARGISNULL(0) && sign > 0)
		state = summary_copy(layout, PG_GETARG_DATUM(1));
	else
		state = summary_absorb(layout, summary_begin(fcinfo, layout), PG_GETARG_DATUM(1), sign);
	return summary_end(fcinfo, layout, state);
}

/* Transition of rollup(), and the combine function of every aggregate. */
Datum
summary_rollup(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	return absorb_state(fcinfo, layout, 1);
}

/* Inverse transition of rollup(). */
Datum
summary_unroll(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	return absorb_state(fcinfo, layout, -1);
}

/* Final function: the packed form; of no rows at all, the empty summary. */
Datum
summary_final(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	Datum		state;
	struct varlena *packed;

	if (PG_ARGISNULL(0))
		state = PointerGetDatum(summary_new(layout));
	else
		state = PG_GETARG_DATUM(0);
	packed = summary_packed(layout, state);

	/* a state that is packed already goes on without us */
	if (packed == (struct varlena *) DatumGetPointer(state))
	{
		size_t		size = VARSIZE_ANY(packed);

		packed = palloc(size);
		memcpy(packed, DatumGetPointer(state), size);
	}
	return PointerGetDatum(packed);
}

/* One of the counts of a value: what accessors of counts do. */
Datum
summary_count(FunctionCallInfo fcinfo, const SummaryLayout *layout, int count)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_INT64(view.counts[count]);
}
