/*-------------------------------------------------------------------------
 *
 * histogram.h
 *	  Sparse histograms: int64 keys with signed int64 counts.
 *
 * One chunk of memory, without pointers, holds up to HISTOGRAM_MAX_PARTS
 * histograms side by side, told apart by their part number, so that a
 * summary has a single area that grows.  It is a hash table with linear
 * probing; it takes the room it is given, and its size follows the number of
 * distinct keys, never their range.
 *
 * Entries are narrow (8 bytes) as long as every key fits 28 bits and every
 * count 32; the first that does not fit makes the table wide (24 bytes).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_HISTOGRAM_H
#define SALES_PERF_HISTOGRAM_H

#include "postgres.h"

#include "common/int.h"

#define HISTOGRAM_MAX_PARTS 15	/* the 16th marks an empty slot */

typedef struct Histogram
{
	uint32		slots;			/* room, in entries */
	uint32		limit;			/* fill no further than this */
	uint32		used;			/* slots taken; a count may be back at 0 */
	uint32		wide;			/* 1 if entries are wide, else 0 */
	/* NarrowEntry or WideEntry [slots] follow */
} Histogram;

typedef struct NarrowEntry
{
	uint32		tag;			/* part in the high 4 bits, key in the low 28 */
	int32		count;
} NarrowEntry;

typedef struct WideEntry
{
	int64		part;
	int64		key;
	int64		count;
} WideEntry;

/* One key of one histogram, as a reader sees it. */
typedef struct HistogramBin
{
	int64		key;
	int64		count;
} HistogramBin;

/* A histogram for reading: its bins by ascending key, none of count 0. */
typedef struct HistogramBins
{
	HistogramBin *bin;
	int			n;
} HistogramBins;

typedef enum HistogramResult
{
	HISTOGRAM_OK,
	HISTOGRAM_FULL,				/* wants more slots */
	HISTOGRAM_TOO_NARROW		/* wants wide entries */
} HistogramResult;

#define NARROW_EMPTY	UINT32_C(0xFFFFFFFF)
#define NARROW_KEY_BITS	28
#define NARROW_KEY_BIAS	(INT64CONST(1) << (NARROW_KEY_BITS - 1))
#define WIDE_EMPTY		INT64CONST(-1)

#define HISTOGRAM_NARROW(h) ((NarrowEntry *) ((char *) (h) + sizeof(Histogram)))
#define HISTOGRAM_WIDE(h) ((WideEntry *) ((char *) (h) + sizeof(Histogram)))

/*
 * Neighbouring keys (days, amounts of like size) share a cache line: blocks
 * of eight keys are hashed, and a key keeps its place in the block.
 */
static inline uint32
narrow_home(const Histogram *h, uint32 tag)
{
	uint32		mixed = (tag >> 3) * UINT32_C(0x9E3779B1);

	return (uint32) (((uint64) mixed * (h->slots >> 3)) >> 32) * 8 + (tag & 7);
}

extern HistogramResult histogram_add_wide(Histogram *h, int part, int64 key,
										  int64 count);

/*
 * Adds count (which may be negative) to the count of a key.  Where it does
 * not answer HISTOGRAM_OK nothing was changed; the caller makes room.
 */
static inline HistogramResult
histogram_add(Histogram *h, int part, int64 key, int64 count)
{
	NarrowEntry *entries = HISTOGRAM_NARROW(h);
	uint64		biased = (uint64) key + (uint64) NARROW_KEY_BIAS;
	uint32		tag = ((uint32) part << NARROW_KEY_BITS) | (uint32) biased;
	uint32		at;
	int64		sum;

	if (unlikely(h->wide))
		return histogram_add_wide(h, part, key, count);
	if (unlikely(biased >> NARROW_KEY_BITS != 0))
		return HISTOGRAM_TOO_NARROW;

	Assert(h->slots >= 8);
	at = narrow_home(h, tag);
	while (entries[at].tag != tag)
	{
		if (entries[at].tag == NARROW_EMPTY)
		{
			if (unlikely(h->used >= h->limit))
				return HISTOGRAM_FULL;
			if (unlikely(count < PG_INT32_MIN || count > PG_INT32_MAX))
				return HISTOGRAM_TOO_NARROW;
			entries[at].tag = tag;
			entries[at].count = (int32) count;
			h->used++;
			return HISTOGRAM_OK;
		}
		if (unlikely(++at == h->slots))
			at = 0;
	}

	/* the count is of 32 bits: only a wild addend can overflow the sum */
	if (unlikely(pg_add_s64_overflow(entries[at].count, count, &sum) ||
				 sum < PG_INT32_MIN || sum > PG_INT32_MAX))
		return HISTOGRAM_TOO_NARROW;
	entries[at].count = (int32) sum;
	return HISTOGRAM_OK;
}

extern size_t histogram_size(uint32 slots, bool wide);
extern void histogram_init(Histogram *h, size_t size, bool wide);
extern uint32 histogram_live(const Histogram *h);
extern bool histogram_next(const Histogram *h, uint32 *cursor, int *part,
						   HistogramBin *bin);
extern void histogram_read(const Histogram *h, HistogramBins *parts,
						   int nparts);

extern double percentile_argument(double share);
extern int64 histogram_total(HistogramBins bins);
extern void histogram_rank(HistogramBins bins, int64 total, double share,
						   int64 *low, int64 *high, double *between);
extern void histogram_overflow(void) pg_attribute_noreturn();

#endif							/* SALES_PERF_HISTOGRAM_H */
