/*-------------------------------------------------------------------------
 *
 * histogram.c
 *	  Sparse histograms: int64 keys with signed int64 counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "histogram.h"

/* A count that no longer fits 64 bits is an error, never a wrong number. */
void
histogram_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("count out of range"),
			 errdetail("A count of a summary must stay between %lld and %lld.",
					   (long long) PG_INT64_MIN, (long long) PG_INT64_MAX)));
	pg_unreachable();
}

/* Bytes that a histogram of that many entries takes. */
size_t
histogram_size(uint32 slots, bool wide)
{
	return sizeof(Histogram) +
		(size_t) slots * (wide ? sizeof(WideEntry) : sizeof(NarrowEntry));
}

/* Makes an empty histogram of as many entries as fit into size bytes. */
void
histogram_init(Histogram *h, size_t size, bool wide)
{
	size_t		entry = wide ? sizeof(WideEntry) : sizeof(NarrowEntry);

	/* whole blocks of eight, so that every slot is some key's home */
	h->slots = (uint32) ((size - sizeof(Histogram)) / entry) & ~(uint32) 7;
	h->limit = h->slots - h->slots / 4;
	h->used = 0;
	h->wide = wide ? 1 : 0;

	/* all bits set is the mark of an empty slot, narrow or wide */
	memset((char *) h + sizeof(Histogram), 0xFF, size - sizeof(Histogram));
}

/* The general case of histogram_add: keys and counts of 64 bits. */
HistogramResult
histogram_add_wide(Histogram *h, int part, int64 key, int64 count)
{
	WideEntry  *entries = HISTOGRAM_WIDE(h);
	uint64		mixed;
	uint32		at;

	if (h->slots == 0)
		return HISTOGRAM_FULL;
	mixed = ((uint64) key ^ ((uint64) part << 56)) * UINT64CONST(0x9E3779B97F4A7C15);
	mixed ^= mixed >> 32;
	mixed *= UINT64CONST(0xD6E8FEB86659FD93);
	at = (uint32) (((mixed >> 32) * h->slots) >> 32);

	while (entries[at].part != part || entries[at].key != key)
	{
		if (entries[at].part == WIDE_EMPTY)
		{
			if (h->used >= h->limit)
				return HISTOGRAM_FULL;
			entries[at].part = part;
			entries[at].key = key;
			entries[at].count = count;
			h->used++;
			return HISTOGRAM_OK;
		}
		if (++at == h->slots)
			at = 0;
	}
	if (pg_add_s64_overflow(entries[at].count, count, &entries[at].count))
		histogram_overflow();
	return HISTOGRAM_OK;
}

/*
 * Steps through the entries whose count is not 0, in no particular order.
 * Start with *cursor = 0.
 */
bool
histogram_next(const Histogram *h, uint32 *cursor, int *part,
			   HistogramBin *bin)
{
	while (*cursor < h->slots)
	{
		uint32		at = (*cursor)++;

		if (h->wide)
		{
			const WideEntry *entry = &HISTOGRAM_WIDE(h)[at];

			if (entry->part == WIDE_EMPTY || entry->count == 0)
				continue;
			*part = (int) entry->part;
			bin->key = entry->key;
			bin->count = entry->count;
		}
		else
		{
			const NarrowEntry *entry = &HISTOGRAM_NARROW(h)[at];

			if (entry->tag == NARROW_EMPTY || entry->count == 0)
				continue;
			*part = (int) (entry->tag >> NARROW_KEY_BITS);
			bin->key = (int64) (entry->tag & ((UINT32_C(1) << NARROW_KEY_BITS) - 1)) -
				NARROW_KEY_BIAS;
			bin->count = entry->count;
		}
		return true;
	}
	return false;
}

/* How many entries have a count other than 0. */
uint32
histogram_live(const Histogram *h)
{
	uint32		cursor = 0;
	uint32		live = 0;
	int			part;
	HistogramBin bin;

	while (histogram_next(h, &cursor, &part, &bin))
		live++;
	return live;
}

static int
bin_cmp(const void *a, const void *b)
{
	int64		x = ((const HistogramBin *) a)->key;
	int64		y = ((const HistogramBin *) b)->key;

	return (x > y) - (x < y);
}

/* Reads out all parts, each by ascending key. */
void
histogram_read(const Histogram *h, HistogramBins *parts, int nparts)
{
	uint32		cursor = 0;
	uint32		live = 0;
	int			part;
	HistogramBin bin;
	HistogramBin *bins;

	for (int i = 0; i < nparts; i++)
		parts[i].n = 0;
	while (histogram_next(h, &cursor, &part, &bin))
	{
		parts[part].n++;
		live++;
	}

	bins = palloc_extended((live + 1) * sizeof(HistogramBin), MCXT_ALLOC_HUGE);
	for (int i = 0; i < nparts; i++)
	{
		parts[i].bin = bins;
		bins += parts[i].n;
		parts[i].n = 0;
	}

	cursor = 0;
	while (histogram_next(h, &cursor, &part, &bin))
		parts[part].bin[parts[part].n++] = bin;

	for (int i = 0; i < nparts; i++)
	{
		if (parts[i].n > 1)
			qsort(parts[i].bin, parts[i].n, sizeof(HistogramBin), bin_cmp);
	}
}

/* A percentile is given as a share, as percentile_cont has it. */
double
percentile_argument(double share)
{
	if (!(share >= 0 && share <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("percentile value %g is not between 0 and 1", share)));
	return share;
}

/* The sum of all counts. */
int64
histogram_total(HistogramBins bins)
{
	int64		total = 0;

	for (int i = 0; i < bins.n; i++)
	{
		if (pg_add_s64_overflow(total, bins.bin[i].count, &total))
			histogram_overflow();
	}
	return total;
}

/* The key that stands at a place (0-based) when all values are sorted. */
static int64
histogram_at(HistogramBins bins, int64 place, int *start, int64 *before)
{
	int			i = *start;

	while (i < bins.n - 1 && *before + bins.bin[i].count <= place)
		*before += bins.bin[i++].count;
	*start = i;
	return bins.bin[i].key;
}

/*
 * Finds the quantile of a share (0 to 1) as percentile_cont defines it: the
 * keys below and above it, and how far between them it lies (0 to 1).  The
 * places are computed as in core, so that the results are the same floats.
 * total is histogram_total(bins) and above 0.
 */
void
histogram_rank(HistogramBins bins, int64 total, double share,
			   int64 *low, int64 *high, double *between)
{
	int64		first = (int64) floor(share * (double) (total - 1));
	int64		second = (int64) ceil(share * (double) (total - 1));
	int			at = 0;
	int64		before = 0;

	*between = share * (double) (total - 1) - (double) first;
	*low = histogram_at(bins, first, &at, &before);
	*high = histogram_at(bins, second, &at, &before);
}
