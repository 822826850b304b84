/*-------------------------------------------------------------------------
 *
 * total.c
 *	  Exact sums of numeric within the state of an aggregate.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "total.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

static Numeric
add_numerics(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

/* A number given in units of 10000^power, with at least so many decimals. */
Numeric
int128_numeric(int128 number, int power, int scale)
{
	DecimalValue value;

	decimal_from_int128(&value, number, power);
	return decimal_to_numeric(&value, scale);
}

void
total_add_rest(Total *total, MemoryContext context, Numeric amount)
{
	Numeric		before = total->rest;
	MemoryContext caller;

	if (before != NULL)
		amount = add_numerics(before, amount);
	caller = MemoryContextSwitchTo(context);
	total->rest = DatumGetNumeric(datumCopy(NumericGetDatum(amount), false, -1));
	MemoryContextSwitchTo(caller);
	if (before != NULL)
		pfree(before);
}

/* For total_add: an amount for which the sum has no room. */
void
total_add_beyond(Total *total, MemoryContext context, int128 amount, int power)
{
	total_add_rest(total, context, int128_numeric(amount, power, 0));
}

Numeric
total_numeric(const Total *total, int power)
{
	Numeric		number = int128_numeric(decimal_int128(total->sum), power, (int) total->scale);

	return total->rest == NULL ? number : add_numerics(number, total->rest);
}

/* From a worker to its leader: the same machine, so numbers are sent as they stand. */
void
total_send(StringInfo buf, const Total *total)
{
	int			rest_size = total->rest == NULL ? 0 : VARSIZE_ANY(total->rest);

	appendBinaryStringInfo(buf, (const char *) total, offsetof(Total, rest));
	appendBinaryStringInfo(buf, (char *) &rest_size, sizeof(rest_size));
	if (rest_size > 0)
		appendBinaryStringInfo(buf, (char *) total->rest, rest_size);
}

void
total_receive(StringInfo buf, Total *total)
{
	int			rest_size;

	pq_copymsgbytes(buf, (char *) total, offsetof(Total, rest));
	pq_copymsgbytes(buf, (char *) &rest_size, sizeof(rest_size));
	total->rest = NULL;
	if (rest_size > 0)
	{
		total->rest = palloc(rest_size);
		pq_copymsgbytes(buf, (char *) total->rest, rest_size);
	}
}
