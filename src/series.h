/*-------------------------------------------------------------------------
 *
 * series.h
 *	  Series: int64 keys (periods, say), each with counts and exact sums.
 *
 * One chunk of memory, without pointers: a run of entries in order of their
 * keys, and behind it those that came since, as they came.  A key that is in
 * the run is found and added to in place (at once where keys follow each other
 * as periods do, else by binary search); another one is appended.  When there is no room left, all are put in order (settled), and
 * entries of one key become one.  So a small series, as that of a customer's
 * purchases, costs little more than a list of its rows, and a large one, as
 * that of a company, no more than its distinct keys.
 *
 * A sum is kept in 10^-4.  What an entry cannot hold stands in further entries
 * of the key, told apart by their place: what exceeds the entry's integers is
 * carried to the next level, numbers that are no multiple of 10^-4 or too
 * large are added digit by digit (as decimal does), and NaN and the
 * infinities are counted.  The value is all of them together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SERIES_H
#define SALES_PERF_SERIES_H

#include "postgres.h"

#include "compat.h"
#include "decimal.h"
#include "histogram.h"

#define SERIES_MAX_COUNTS	4
#define SERIES_MAX_SUMS		4

/* every series has room for this many entries */
#define SERIES_MIN_ROOM		8

typedef struct Series
{
	uint32		room;			/* in entries */
	uint32		used;
	uint32		sorted;			/* so many of them are in order */
	uint16		entry_size;
	uint8		ncounts;
	uint8		nsums;
	uint32		found;			/* entry that was found last */
	int32		scale;			/* display scale of the rows counted here; */
	int64		scale_rows;		/* those of other scales stand in entries */
	/* entries follow */
} Series;

typedef struct SeriesEntry
{
	int64		key;
	int32		place;
	int32		counts[FLEXIBLE_ARRAY_MEMBER];
	/* int64 sums[] follow, aligned */
} SeriesEntry;

/*
 * Places.  At level n a count stands for 2^(30 n), a sum for 2^(62 n) / 10^4;
 * three levels hold counts of 64 bits and sums of 125.  The digits of a sum
 * have places of their own, by power of 10000.  In an entry of any other
 * place than a level the sums are counts of what the place says.
 */
#define SERIES_LEVELS			3
#define SERIES_COUNT_BITS		30
#define SERIES_SUM_BITS			62
#define SERIES_PLACE_DIGIT		1000000 /* + power of 10000 */
#define SERIES_PLACE_NAN		(-1)
#define SERIES_PLACE_PLUS_INF	(-2)
#define SERIES_PLACE_MINUS_INF	(-3)
#define SERIES_PLACE_SCALE		(-4)	/* the key is a display scale */

#define SERIES_SPECIALS			3	/* NaN, infinity, minus infinity */

/* What a sum of a point is where it does not fit 64 bits of 10^-4. */
typedef struct SeriesSum
{
	DecimalValue finite;
	int64		special[SERIES_SPECIALS];
} SeriesSum;

/* A key of a series that was opened for reading. */
typedef struct SeriesPoint
{
	int64		key;
	int64		counts[SERIES_MAX_COUNTS];
	int64		sums[SERIES_MAX_SUMS];	/* in 10^-4 */
	SeriesSum  *large;			/* stands for sums unless NULL */
} SeriesPoint;

/* A series for reading: its points by ascending key, none without content. */
typedef struct SeriesPoints
{
	SeriesPoint *point;
	int			n;
	HistogramBins scales;		/* numbers summed up, by display scale */
} SeriesPoints;

#define SERIES_ENTRY(series, i) \
	((SeriesEntry *) ((char *) (series) + sizeof(Series) + (size_t) (i) * (series)->entry_size))
#define SERIES_SUMS(series, entry) \
	((int64 *) ((char *) (entry) + series_sums_offset((series)->ncounts)))

static inline size_t
series_sums_offset(int ncounts)
{
	return MAXALIGN(offsetof(SeriesEntry, counts) + ncounts * sizeof(int32));
}

static inline size_t
series_entry_size(int ncounts, int nsums)
{
	return series_sums_offset(ncounts) + nsums * sizeof(int64);
}

/* A new entry, or NULL where there is no room. */
static inline SeriesEntry *
series_append(Series *series, int64 key, int32 place)
{
	SeriesEntry *entry;

	if (series->used == series->room)
		return NULL;
	entry = SERIES_ENTRY(series, series->used++);
	memset(entry, 0, series->entry_size);
	entry->key = key;
	entry->place = place;
	return entry;
}

/*
 * An entry to add to, new if need be, or NULL where there is no room.  (The
 * last one appended is looked at, as rows of one key often follow each other;
 * the others before it would not be worth the search.)
 */
static inline SeriesEntry *
series_entry(Series *series, int64 key, int32 place)
{
	SeriesEntry *entry;

	if (series->sorted > 0)
	{
		uint32		first = 0;
		uint64		guess;

		/* where it is if there is an entry for every key from the last one on */
		entry = SERIES_ENTRY(series, series->found);
		guess = series->found + ((uint64) key - (uint64) entry->key);
		if (guess < series->sorted)
		{
			entry = SERIES_ENTRY(series, guess);
			if (entry->key == key && entry->place == place)
			{
				series->found = (uint32) guess;
				return entry;
			}
		}
		for (uint32 n = series->sorted; n > 1;)
		{
			uint32		half = n / 2;

			entry = SERIES_ENTRY(series, first + half);
			if (entry->key < key || (entry->key == key && entry->place <= place))
				first += half;
			n -= half;
		}
		entry = SERIES_ENTRY(series, first);
		if (entry->key == key && entry->place == place)
		{
			series->found = first;
			return entry;
		}
	}
	if (series->used > series->sorted)
	{
		entry = SERIES_ENTRY(series, series->used - 1);
		if (entry->key == key && entry->place == place)
			return entry;
	}
	return series_append(series, key, place);
}

/*
 * Adds to a number of an entry, one of count's or of sum's type.  False, and
 * nothing added, where it would not fit; the least number is left out, so that
 * any can be negated.
 */
static inline bool
series_add_count(int32 *stored, int64 addend)
{
	int64		total;

	if (unlikely(pg_add_s64_overflow(*stored, addend, &total) ||
				 total < -PG_INT32_MAX || total > PG_INT32_MAX))
		return false;
	*stored = (int32) total;
	return true;
}

static inline bool
series_add_sum(int64 *stored, int64 addend)
{
	int64		total;

	if (unlikely(pg_add_s64_overflow(*stored, addend, &total) || total == PG_INT64_MIN))
		return false;
	*stored = total;
	return true;
}

/*
 * Adds (sign 1) or takes back (sign -1) a row that counts in one of the counts
 * of a key and adds an amount, in 10^-4, to one of its sums: one search, two
 * additions.  False, and nothing changed, where an entry cannot hold it.
 */
static pg_attribute_always_inline bool
series_add_row(Series *series, int64 key, int count, int sum, int64 amount, int64 sign)
{
	SeriesEntry *entry = series_entry(series, key, 0);

	if (unlikely(entry == NULL || !series_add_count(&entry->counts[count], sign)))
		return false;
	if (likely(series_add_sum(&SERIES_SUMS(series, entry)[sum], amount * sign)))
		return true;
	(void) series_add_count(&entry->counts[count], -sign);
	return false;
}

/*
 * The same where the amount is a numeric's, shown with so many decimals as
 * those before it: these are counted in the series itself.
 */
static pg_attribute_always_inline bool
series_add_number(Series *series, int64 key, int count, int sum, int64 amount, int scale,
				  int64 sign)
{
	int64		scale_rows;

	if (unlikely(series->scale != scale ||
				 pg_add_s64_overflow(series->scale_rows, sign, &scale_rows) ||
				 !series_add_row(series, key, count, sum, amount, sign)))
		return false;
	series->scale_rows = scale_rows;
	return true;
}

extern void series_init(Series *series, size_t size, int ncounts, int nsums);
extern void series_settle(Series *series);
extern void series_move(Series *to, const Series *from);
extern void series_read(const Series *series, SeriesPoints *points);
extern bool series_point_plain(const SeriesPoint *point, int nsums);
extern void series_point_simplify(SeriesPoint *point, int nsums);
extern void series_sort(SeriesPoints *points);
extern bool series_point_empty(const SeriesPoint *point, int ncounts, int nsums);

/* What a sum is, special or not. */
extern DecimalKind series_sum_kind(const SeriesPoint *point, int sum);
extern DecimalValue series_sum_value(const SeriesPoint *point, int sum);
extern Numeric series_sum_numeric(const SeriesPoints *points, const SeriesPoint *point,
								  int sum);
extern int	series_scale(const SeriesPoints *points);

#endif							/* SALES_PERF_SERIES_H */
