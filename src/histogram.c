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

static size_t
entry_size(bool wide)
{
	return wide ? sizeof(WideEntry) : sizeof(NarrowEntry);
}

/* Bytes that a histogram as planned takes at least. */
uint64
histogram_plan_size(const HistogramPlan *plan)
{
	return sizeof(Histogram) + plan->nwindows * sizeof(HistogramWindow) +
		(plan->nwindows > 0 ? HISTOGRAM_NOTES * sizeof(uint32) : 0) +
		plan->slots * entry_size(plan->wide) + plan->window_counts * sizeof(int8);
}

/*
 * Makes a histogram as planned in size bytes, which is at least
 * histogram_plan_size; all room that is left becomes slots.
 */
void
histogram_init(Histogram *h, size_t size, const HistogramPlan *plan)
{
	size_t		slots_size = size -
		(size_t) (histogram_plan_size(plan) - plan->slots * entry_size(plan->wide));
	char	   *counts;

	h->slots = (uint32) (slots_size / entry_size(plan->wide));
	h->limit = h->slots - h->slots / 4;
	h->used = 0;
	h->wide = plan->wide ? 1 : 0;
	h->windows = plan->nwindows;
	h->noted = 0;

	/* all bits set is the mark of an empty slot, narrow or wide */
	memset(HISTOGRAM_NARROW(h), 0xFF, slots_size);

	counts = (char *) HISTOGRAM_NARROW(h) + h->slots * entry_size(plan->wide);
	memset(counts, 0, plan->window_counts * sizeof(int8));
	for (int i = 0; i < plan->nwindows; i++)
	{
		HistogramWindow *window = &HISTOGRAM_WINDOWS(h)[i];

		*window = plan->windows[i];
		window->offset = (uint32) (counts - (char *) h);
		counts += window->span * sizeof(int8);
	}

	for (int i = 0; i < plan->nparts; i++)
	{
		for (int j = 0; j < plan->parts[i].n; j++)
		{
			const HistogramBin *bin = &plan->parts[i].bin[j];

			if (histogram_add(h, i, bin->key, bin->count) != HISTOGRAM_OK)
				elog(ERROR, "planned histogram has no room");
		}
	}
}

/* The general case of histogram_add_sparse: keys and counts of 64 bits. */
static HistogramResult
add_wide(Histogram *h, int part, int64 key, int64 count)
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

static HistogramResult
add_narrow(Histogram *h, int part, int64 key, int64 count)
{
	NarrowEntry *entries = HISTOGRAM_NARROW(h);
	uint32		tag = NARROW_TAG(part, key);
	uint32		at;
	int64		sum;

	if (!NARROW_FITS(key))
		return HISTOGRAM_TOO_NARROW;

	at = narrow_home(h, tag);
	while (entries[at].tag != tag)
	{
		if (entries[at].tag == NARROW_EMPTY)
		{
			if (h->used >= h->limit)
				return HISTOGRAM_FULL;
			if (count < PG_INT32_MIN || count > PG_INT32_MAX)
				return HISTOGRAM_TOO_NARROW;
			entries[at].tag = tag;
			entries[at].count = (int32) count;
			h->used++;
			return HISTOGRAM_OK;
		}
		if (++at == h->slots)
			at = 0;
	}

	if (pg_add_s64_overflow(entries[at].count, count, &sum) ||
		sum < PG_INT32_MIN || sum > PG_INT32_MAX)
		return HISTOGRAM_TOO_NARROW;
	entries[at].count = (int32) sum;
	return HISTOGRAM_OK;
}

/* Adds to the count of a key that has no window, or has outgrown it. */
HistogramResult
histogram_add_sparse(Histogram *h, int part, int64 key, int64 count)
{
	if (h->wide)
		return add_wide(h, part, key, count);
	return add_narrow(h, part, key, count);
}

/*
 * Counts the keys that were noted down.  Where it does not answer
 * HISTOGRAM_OK, those not yet counted stay noted.
 */
HistogramResult
histogram_count_noted(Histogram *h)
{
	uint32	   *noted = HISTOGRAM_NOTED(h);
	int			n = h->noted;
	int			left = 0;
	HistogramResult result = HISTOGRAM_OK;

	/* first what is in the windows, without a wait between one and the next */
	for (int i = 0; i < n; i++)
	{
		uint32		tag = noted[i];
		int8	   *stored = histogram_window_count(h, tag);

		if (likely(stored != NULL && *stored < PG_INT8_MAX))
			(*stored)++;
		else
			noted[left++] = tag;
	}
	n = left;
	left = 0;
	for (int i = 0; i < n; i++)
	{
		uint32		tag = noted[i];

		if (result == HISTOGRAM_OK)
			result = histogram_add(h, NARROW_PART(tag), NARROW_KEY(tag), 1);
		if (result != HISTOGRAM_OK)
			noted[left++] = tag;
	}
	h->noted = left;
	return result;
}

/* Adds to a count in a window, which overflows it: it moves to the table. */
HistogramResult
histogram_carry(Histogram *h, int part, int64 key, int64 count, int8 *stored)
{
	HistogramResult result;
	int64		sum;

	if (pg_add_s64_overflow(*stored, count, &sum))
		return histogram_add_sparse(h, part, key, count);
	result = histogram_add_sparse(h, part, key, sum);
	if (result == HISTOGRAM_OK)
		*stored = 0;
	return result;
}

/* Slots of the table, and behind them the keys that were noted down. */
static inline uint64
slots_to_read(const Histogram *h)
{
	return (uint64) h->slots + h->noted;
}

/* Reads one of them; false if it is empty or its count is 0. */
static inline bool
slot_read(const Histogram *h, uint64 at, int *part, HistogramBin *bin)
{
	if (at >= h->slots)
	{
		uint32		tag = HISTOGRAM_NOTED(h)[at - h->slots];

		*part = NARROW_PART(tag);
		bin->key = NARROW_KEY(tag);
		bin->count = 1;
	}
	else if (h->wide)
	{
		const WideEntry *entry = &HISTOGRAM_WIDE(h)[at];

		if (entry->part == WIDE_EMPTY || entry->count == 0)
			return false;
		*part = (int) entry->part;
		bin->key = entry->key;
		bin->count = entry->count;
	}
	else
	{
		const NarrowEntry *entry = &HISTOGRAM_NARROW(h)[at];

		if (entry->tag == NARROW_EMPTY || entry->count == 0)
			return false;
		*part = NARROW_PART(entry->tag);
		bin->key = NARROW_KEY(entry->tag);
		bin->count = entry->count;
	}
	return true;
}

static inline const int8 *
window_counts(const Histogram *h, int part)
{
	return (const int8 *) ((const char *) h + HISTOGRAM_WINDOWS(h)[part].offset);
}

/*
 * Steps through the counts that are not 0, in no particular order.  A key may
 * come several times, its count being partly in a window, partly in the table
 * and partly only noted.  Start with *cursor = 0.
 */
bool
histogram_next(const Histogram *h, uint64 *cursor, int *part,
			   HistogramBin *bin)
{
	uint64		place;

	while (*cursor < slots_to_read(h))
	{
		if (slot_read(h, (*cursor)++, part, bin))
			return true;
	}

	place = *cursor - slots_to_read(h);
	for (int i = 0; i < h->windows; i++)
	{
		const HistogramWindow *window = &HISTOGRAM_WINDOWS(h)[i];
		const int8 *counts = window_counts(h, i);

		for (; place < window->span; place++)
		{
			(*cursor)++;
			if (counts[place] != 0)
			{
				*part = i;
				bin->key = NARROW_KEY(window->first) + (int64) place;
				bin->count = counts[place];
				return true;
			}
		}
		place -= window->span;
	}
	return false;
}

/* bin_sort(bins, n): by key */
#define ST_SORT bin_sort
#define ST_ELEMENT_TYPE HistogramBin
#define ST_COMPARE(a, b) (((a)->key > (b)->key) - ((a)->key < (b)->key))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* what sort_dense is for */
#define DENSE_MIN_BINS		32
#define DENSE_MAX_BINS		1000000
#define DENSE_MAX_SPAN(n)	((uint64) (n) * 8)

/*
 * Sorts bins whose keys are dense, as days and amounts of like size are, by
 * counting how many there are of each: no comparison for the processor to
 * guess wrong.  False, and nothing done, if they are not.
 */
static bool
sort_dense(HistogramBin *bins, int n)
{
	int64		low = bins[0].key;
	int64		high = low;
	uint64		last;
	uint32	   *place;
	uint32		before = 0;
	HistogramBin *sorted;

	for (int i = 1; i < n; i++)
	{
		low = Min(low, bins[i].key);
		high = Max(high, bins[i].key);
	}
	last = (uint64) high - (uint64) low;
	if (last >= DENSE_MAX_SPAN(n))
		return false;

	place = palloc0((last + 1) * sizeof(uint32));
	sorted = palloc(n * sizeof(HistogramBin));
	for (int i = 0; i < n; i++)
		place[bins[i].key - low]++;
	for (uint64 i = 0; i <= last; i++)
	{
		uint32		here = place[i];

		place[i] = before;
		before += here;
	}
	for (int i = 0; i < n; i++)
		sorted[place[bins[i].key - low]++] = bins[i];
	memcpy(bins, sorted, n * sizeof(HistogramBin));
	pfree(sorted);
	pfree(place);
	return true;
}

/* Sorts bins by key. */
void
histogram_sort(HistogramBin *bins, int n)
{
	if (n >= DENSE_MIN_BINS && n <= DENSE_MAX_BINS && sort_dense(bins, n))
		return;
	if (n > 1)
		bin_sort(bins, n);
}

/*
 * Merges the bins of a part, sorted, with its window, which is in order as it
 * stands, and drops keys whose count is 0.  There is room for the window in
 * front of the bins, so none is overwritten before it was read.
 */
static void
merge_window(const Histogram *h, int part, HistogramBins *bins, const HistogramBin *sparse)
{
	const HistogramBin *sparse_end = bins->bin + bins->n;
	uint32		span = h->windows ? HISTOGRAM_WINDOWS(h)[part].span : 0;
	int64		base = span > 0 ? NARROW_KEY(HISTOGRAM_WINDOWS(h)[part].first) : 0;
	const int8 *counts = span > 0 ? window_counts(h, part) : NULL;
	uint32		place = 0;
	int			n = 0;

	for (;;)
	{
		HistogramBin bin;

		while (place < span && counts[place] == 0)
			place++;
		if (sparse < sparse_end &&
			(place >= span || sparse->key <= base + (int64) place))
		{
			bin = *sparse++;
			while (sparse < sparse_end && sparse->key == bin.key)
			{
				if (pg_add_s64_overflow(bin.count, (sparse++)->count, &bin.count))
					histogram_overflow();
			}
			if (place < span && bin.key == base + (int64) place &&
				pg_add_s64_overflow(bin.count, counts[place++], &bin.count))
				histogram_overflow();
		}
		else if (place < span)
		{
			bin.key = base + (int64) place;
			bin.count = counts[place++];
		}
		else
			break;
		if (bin.count != 0)
			bins->bin[n++] = bin;
	}
	bins->n = n;
}

/* Reads out all parts, each by ascending key. */
void
histogram_read(const Histogram *h, HistogramBins *parts, int nparts)
{
	HistogramBin *sparse[HISTOGRAM_MAX_PARTS];
	int			nsparse[HISTOGRAM_MAX_PARTS] = {0};
	HistogramBin *bins;
	uint64		total = 0;
	int			part;
	HistogramBin bin;

	for (uint64 at = 0; at < slots_to_read(h); at++)
	{
		if (slot_read(h, at, &part, &bin))
			nsparse[part]++;
	}
	for (int i = 0; i < nparts; i++)
	{
		/* at most so many: looking which counts of the window are 0 comes later */
		parts[i].n = nsparse[i] + (h->windows ? (int) HISTOGRAM_WINDOWS(h)[i].span : 0);
		total += parts[i].n;
	}

	bins = palloc_extended((total + 1) * sizeof(HistogramBin), MCXT_ALLOC_HUGE);
	for (int i = 0; i < nparts; i++)
	{
		parts[i].bin = bins;
		bins += parts[i].n;
		sparse[i] = bins - nsparse[i];
		nsparse[i] = 0;
	}
	for (uint64 at = 0; at < slots_to_read(h); at++)
	{
		if (slot_read(h, at, &part, &bin))
			sparse[part][nsparse[part]++] = bin;
	}
	for (int i = 0; i < nparts; i++)
	{
		histogram_sort(sparse[i], nsparse[i]);
		merge_window(h, i, &parts[i], sparse[i]);
	}
}

/* a part with fewer keys is not worth a window */
#define WINDOW_MIN_KEYS		64
#define WINDOW_MAX_SPAN(n)	((uint64) (n) * (sizeof(NarrowEntry) / sizeof(int8)))

/*
 * Finds the window of a part: the range of all its keys, or what is left of
 * it after those far out are left to the table, such that the array is no
 * larger than the entries.  Returns how many keys it holds.
 */
static int
find_window(int part, HistogramBins bins, HistogramWindow *window)
{
	int			first = 0;
	int			last = bins.n - 1;

	window->first = window->span = window->unused = 0;
	while (first <= last && !NARROW_FITS(bins.bin[first].key))
		first++;
	while (first <= last && !NARROW_FITS(bins.bin[last].key))
		last--;
	while (last - first + 1 >= WINDOW_MIN_KEYS)
	{
		const HistogramBin *bin = bins.bin;
		int			n = last - first + 1;
		uint64		span = (uint64) bin[last].key - (uint64) bin[first].key + 1;

		if (span <= WINDOW_MAX_SPAN(n))
		{
			window->first = NARROW_TAG(part, bin[first].key);
			window->span = (uint32) span;
			return n;
		}
		if ((uint64) bin[first + 1].key - (uint64) bin[first].key >
			(uint64) bin[last].key - (uint64) bin[last - 1].key)
			first++;
		else
			last--;
	}
	return 0;
}

/* Would an entry for this bin have to be wide? */
static bool
needs_wide(const HistogramBin *bin)
{
	return bin->count < PG_INT32_MIN || bin->count > PG_INT32_MAX || !NARROW_FITS(bin->key);
}

/*
 * Plans a histogram for all that is in another one, with room for new keys in
 * proportion, so that moving costs little for each key.
 */
void
histogram_plan(HistogramPlan *plan, const Histogram *from, int nparts, bool wide)
{
	uint64		live = 0;
	uint64		sparse = 0;

	plan->wide = wide || from->wide;
	plan->nparts = nparts;
	plan->nwindows = 0;
	plan->window_counts = 0;
	histogram_read(from, plan->parts, nparts);
	for (int i = 0; i < nparts; i++)
	{
		HistogramBins bins = plan->parts[i];
		HistogramWindow *window = &plan->windows[i];

		if (find_window(i, bins, window) > 0)
			plan->nwindows = nparts;
		plan->window_counts += window->span;

		for (int j = 0; j < bins.n; j++)
		{
			const HistogramBin *bin = &bins.bin[j];

			if (NARROW_FITS(bin->key) &&
				NARROW_TAG(i, bin->key) - window->first < window->span &&
				bin->count >= PG_INT8_MIN && bin->count <= PG_INT8_MAX)
				continue;
			sparse++;
			plan->wide = plan->wide || needs_wide(bin);
		}
		live += bins.n;
	}
	plan->slots = Max(sparse * (live < WINDOW_MIN_KEYS ? 2 : 3) + live / 16 + 8,
					  HISTOGRAM_MIN_SLOTS);

	/* whole int64s, so that the entries before them are aligned */
	plan->window_counts = TYPEALIGN(sizeof(int64) / sizeof(int8), plan->window_counts);
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
