/*-------------------------------------------------------------------------
 *
 * total.h
 *	  Exact sums of numeric within the state of an aggregate.
 *
 * Money of everyday size is summed up as an int128, and whatever does not fit
 * as a numeric beside it.  The value is the two together.  Unlike a
 * DecimalSum nothing can be taken back from it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_TOTAL_H
#define SALES_PERF_TOTAL_H

#include "postgres.h"

#include "decimal.h"
#include "lib/stringinfo.h"

typedef struct Total
{
	int64		sum[2];			/* int128, in units of a power of 10000 */
	int64		scale;			/* the largest display scale in it */
	Numeric		rest;			/* of what does not fit; NULL: none */
} Total;

extern void total_add_rest(Total *total, MemoryContext context, Numeric amount);
extern void total_add_beyond(Total *total, MemoryContext context, int128 amount, int power);
extern Numeric int128_numeric(int128 number, int power, int scale);
extern Numeric total_numeric(const Total *total, int power);
extern void total_send(StringInfo buf, const Total *total);
extern void total_receive(StringInfo buf, Total *total);

static inline void
total_add(Total *total, MemoryContext context, int128 amount, int power, int64 scale)
{
	if (unlikely(!decimal_accumulate(total->sum, amount)))
		total_add_beyond(total, context, amount, power);
	total->scale = Max(total->scale, scale);
}

static inline void
total_merge(Total *total, MemoryContext context, const Total *other, int power)
{
	total_add(total, context, decimal_int128(other->sum), power, other->scale);
	if (unlikely(other->rest != NULL))
		total_add_rest(total, context, other->rest);
}

#endif							/* SALES_PERF_TOTAL_H */
