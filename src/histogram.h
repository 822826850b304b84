/*-------------------------------------------------------------------------
 *
 * histogram.h
 *	  Sparse histograms: int64 keys with signed int64 counts.
 *
 * One chunk of memory, without pointers, holds up to HISTOGRAM_MAX_PARTS
 * histograms side by side, told apart by their part number, so that a
 * summary has a single area that grows.  Its size follows the number of
 * distinct keys, never their range.
 *
 * Keys live in a hash table with linear probing.  Its entries are narrow
 * (8 bytes) as long as every key fits 28 bits and every count 32; the first
 * that does not fit makes the table wide (24 bytes).  Once a part has many
 * keys, and at least an eighth of a range of keys is taken, that range is
 * counted in a window, an array of 8-bit counts, which is no larger than the
 * entries were; a count that outgrows it is carried into the table.  A large
 * histogram does not fit the processor's cache together with those of other
 * groups, so its keys are first noted down and then counted some at a time:
 * the processor waits for their places in memory all at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_HISTOGRAM_H
#define SALES_PERF_HISTOGRAM_H

#include "postgres.h"

#include "compat.h"

#define HISTOGRAM_MAX_PARTS 15	/* the 16th marks an empty slot */

typedef struct Histogram
{
	uint32		slots;			/* room, in entries */
	uint32		limit;			/* fill no further than this */
	uint32		used;			/* slots taken; a count may be back at 0 */
	uint8		wide;			/* 1 if entries are wide, else 0 */
	uint8		windows;		/* number of windows: all parts or 0 */
	uint16		noted;			/* keys noted down; only where there are windows */
	/*
	 * HistogramWindow [windows], noted tags where there are windows,
	 * NarrowEntry or WideEntry [slots], the windows' counts follow
	 */
} Histogram;

/* A range of keys of a part that is counted in an array. */
typedef struct HistogramWindow
{
	uint32		first;			/* tag of its first key: windows hold narrow keys */
	uint32		span;			/* number of keys; 0 if the part has no window */
	uint32		offset;			/* of its int8 counts, in bytes from the histogram */
	uint32		unused;
} HistogramWindow;

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

/* every histogram has room for this many entries */
#define HISTOGRAM_MIN_SLOTS 16

#define NARROW_EMPTY	UINT32_C(0xFFFFFFFF)
#define NARROW_KEY_BITS	28
#define NARROW_KEY_BIAS	(INT64CONST(1) << (NARROW_KEY_BITS - 1))
#define WIDE_EMPTY		INT64CONST(-1)

/*
 * So many keys are noted down before they are counted.  (More, and the notes
 * of many groups no longer stay in the cache.)
 */
#define HISTOGRAM_NOTES 64

#define HISTOGRAM_WINDOWS(h) ((HistogramWindow *) ((char *) (h) + sizeof(Histogram)))
#define HISTOGRAM_NOTED(h) ((uint32 *) (HISTOGRAM_WINDOWS(h) + (h)->windows))
#define HISTOGRAM_ENTRIES(h) \
	((char *) HISTOGRAM_NOTED(h) + ((h)->windows ? HISTOGRAM_NOTES * sizeof(uint32) : 0))
#define HISTOGRAM_NARROW(h) ((NarrowEntry *) HISTOGRAM_ENTRIES(h))
#define HISTOGRAM_WIDE(h) ((WideEntry *) HISTOGRAM_ENTRIES(h))

/* Tags: the part in the high 4 bits, the key in the low 28. */
#define NARROW_FITS(key) \
	(((uint64) (key) + (uint64) NARROW_KEY_BIAS) >> NARROW_KEY_BITS == 0)
#define NARROW_TAG(part, key) \
	(((uint32) (part) << NARROW_KEY_BITS) | (uint32) ((uint64) (key) + (uint64) NARROW_KEY_BIAS))
#define NARROW_PART(tag) ((int) ((tag) >> NARROW_KEY_BITS))
#define NARROW_KEY(tag) \
	((int64) ((tag) & ((UINT32_C(1) << NARROW_KEY_BITS) - 1)) - NARROW_KEY_BIAS)

/* The count of a tag in its part's window, or NULL if it has none. */
static inline int8 *
histogram_window_count(const Histogram *h, uint32 tag)
{
	const HistogramWindow *window = &HISTOGRAM_WINDOWS(h)[NARROW_PART(tag)];
	uint32		place = tag - window->first;

	if (place >= window->span)
		return NULL;
	return (int8 *) ((char *) h + window->offset) + place;
}

/*
 * Where to look for a key first.  Multiplying by 2^32 / golden ratio spreads
 * neighbouring keys (days, amounts of like size) evenly over the table.
 */
static inline uint32
narrow_home(const Histogram *h, uint32 tag)
{
	return (uint32) (((uint64) (tag * UINT32_C(0x9E3779B1)) * h->slots) >> 32);
}

extern HistogramResult histogram_add_sparse(Histogram *h, int part, int64 key,
											int64 count);
extern HistogramResult histogram_count_noted(Histogram *h);
extern HistogramResult histogram_carry(Histogram *h, int part, int64 key,
									   int64 count, int8 *stored);

/*
 * Adds count (which may be negative) to the count of a key.  Where it does
 * not answer HISTOGRAM_OK nothing was changed; the caller makes room.
 */
static inline HistogramResult
histogram_add(Histogram *h, int part, int64 key, int64 count)
{
	if (h->windows && NARROW_FITS(key))
	{
		int8	   *stored = histogram_window_count(h, NARROW_TAG(part, key));

		if (likely(stored != NULL))
		{
			int64		sum;

			if (likely(!pg_add_s64_overflow(*stored, count, &sum) &&
					   sum >= PG_INT8_MIN && sum <= PG_INT8_MAX))
			{
				*stored = (int8) sum;
				return HISTOGRAM_OK;
			}
			return histogram_carry(h, part, key, count, stored);
		}
	}
	return histogram_add_sparse(h, part, key, count);
}

/*
 * The same for a row: count is 1 or -1, and time matters.
 */
static inline HistogramResult
histogram_add_row(Histogram *h, int part, int64 key, int64 count)
{
	if (h->windows && likely(count == 1 && NARROW_FITS(key)))
	{
		if (unlikely(h->noted == HISTOGRAM_NOTES))
		{
			HistogramResult result = histogram_count_noted(h);

			if (result != HISTOGRAM_OK)
				return result;
		}
		HISTOGRAM_NOTED(h)[h->noted++] = NARROW_TAG(part, key);
		return HISTOGRAM_OK;
	}
	return histogram_add(h, part, key, count);
}

/*
 * Notes down a key to count once and, if also is true, a second one, without
 * a branch on that.  False, and nothing noted, where that cannot be done; the
 * keys are for histogram_add_row then.  nparts is the number of windows, if
 * there are any; the second key is one that fits a narrow entry.
 */
static inline bool
histogram_note_two(Histogram *h, int nparts, int part, int64 key, bool also,
				   int also_part, int64 also_key)
{
	uint32	   *noted;

	Assert(NARROW_FITS(also_key));
	if (unlikely(h->windows == 0 || !NARROW_FITS(key)))
		return false;
	Assert(h->windows == nparts);
	if (unlikely(h->noted > HISTOGRAM_NOTES - 2 && histogram_count_noted(h) != HISTOGRAM_OK))
		return false;
	noted = (uint32 *) (HISTOGRAM_WINDOWS(h) + nparts) + h->noted;
	noted[0] = NARROW_TAG(part, key);
	noted[1] = NARROW_TAG(also_part, also_key);
	h->noted += 1 + also;
	return true;
}

/* What a histogram is to be made for. */
typedef struct HistogramPlan
{
	bool		wide;
	uint64		slots;
	int			nparts;
	HistogramBins parts[HISTOGRAM_MAX_PARTS];	/* what to put in */
	int			nwindows;
	HistogramWindow windows[HISTOGRAM_MAX_PARTS];
	uint64		window_counts;	/* counts in all windows */
} HistogramPlan;

extern void histogram_plan(HistogramPlan *plan, const Histogram *from, int nparts,
						   bool wide);
extern uint64 histogram_plan_size(const HistogramPlan *plan);
extern void histogram_init(Histogram *h, size_t size, const HistogramPlan *plan);
extern bool histogram_next(const Histogram *h, uint64 *cursor, int *part,
						   HistogramBin *bin);
extern void histogram_sort(HistogramBin *bins, int n);
extern void histogram_read(const Histogram *h, HistogramBins *parts,
						   int nparts);

extern double percentile_argument(double share);
extern int64 histogram_total(HistogramBins bins);
extern void histogram_rank(HistogramBins bins, int64 total, double share,
						   int64 *low, int64 *high, double *between);
pg_noreturn extern void histogram_overflow(void);

#endif							/* SALES_PERF_HISTOGRAM_H */
