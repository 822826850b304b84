/*-------------------------------------------------------------------------
 *
 * series.c
 *	  Series: int64 keys (periods, say), each with counts and exact sums.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "series.h"

/* Where an entry stands, for sorting. */
typedef struct EntryPlace
{
	int64		key;
	int32		place;
	uint32		index;
} EntryPlace;

/* place_sort(places, n): by key and place */
#define ST_SORT place_sort
#define ST_ELEMENT_TYPE EntryPlace
#define ST_COMPARE(a, b) \
	((a)->key != (b)->key ? ((a)->key > (b)->key) - ((a)->key < (b)->key) : \
	 ((a)->place > (b)->place) - ((a)->place < (b)->place))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The numbers of a key, whatever their size, while entries are put together. */
typedef struct Total
{
	int128		counts[SERIES_MAX_COUNTS];
	int128		sums[SERIES_MAX_SUMS];
} Total;

/* Makes an empty series of size bytes. */
void
series_init(Series *series, size_t size, int ncounts, int nsums)
{
	memset(series, 0, sizeof(Series));
	series->entry_size = (uint16) series_entry_size(ncounts, nsums);
	series->room = (uint32) ((size - sizeof(Series)) / series->entry_size);
	series->ncounts = (uint8) ncounts;
	series->nsums = (uint8) nsums;
}

/* The entries in order. */
static EntryPlace *
entries_in_order(const Series *series)
{
	EntryPlace *places = palloc_extended(Max(series->used, 1) * sizeof(EntryPlace),
										 MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < series->used; i++)
	{
		const SeriesEntry *entry = SERIES_ENTRY(series, i);

		places[i].key = entry->key;
		places[i].place = entry->place;
		places[i].index = i;
	}
	if (series->used > 1 && series->sorted < series->used)
		place_sort(places, series->used);
	return places;
}

static bool
entry_empty(const Series *series, const SeriesEntry *entry)
{
	for (int i = 0; i < series->ncounts; i++)
	{
		if (entry->counts[i] != 0)
			return false;
	}
	for (int i = 0; i < series->nsums; i++)
	{
		if (SERIES_SUMS(series, entry)[i] != 0)
			return false;
	}
	return true;
}

static inline bool
is_level(int32 place)
{
	return place >= 0 && place < SERIES_LEVELS;
}

/* Adds an entry to a total, at the entry's level. */
static void
total_add(const Series *series, Total *total, const SeriesEntry *entry, int level)
{
	for (int i = 0; i < series->ncounts; i++)
		total->counts[i] += (int128) entry->counts[i] *
			((int128) 1 << (SERIES_COUNT_BITS * level));

	/* the highest level is for counts alone */
	for (int i = 0; level < SERIES_LEVELS - 1 && i < series->nsums; i++)
		total->sums[i] += (int128) SERIES_SUMS(series, entry)[i] *
			((int128) 1 << (SERIES_SUM_BITS * level));
}

/* Splits off what the entry of a level can hold, unless all of it fits. */
static int64
split(int128 *total, int bits, int64 most)
{
	int128		unit = (int128) 1 << bits;
	int64		low;

	if (*total >= -most && *total <= most)
	{
		low = (int64) *total;
		*total = 0;
		return low;
	}
	low = (int64) (*total % unit);
	*total /= unit;
	return low;
}

/* Writes a total as entries of its key, from *out on: one if all of it fits. */
static void
total_write(Series *series, Total *total, int64 key, char **out)
{
	for (int level = 0; level < SERIES_LEVELS; level++)
	{
		SeriesEntry *entry = (SeriesEntry *) *out;

		memset(entry, 0, series->entry_size);
		entry->key = key;
		entry->place = level;
		for (int i = 0; i < series->ncounts; i++)
			entry->counts[i] = (int32) split(&total->counts[i], SERIES_COUNT_BITS,
											 PG_INT32_MAX);
		for (int i = 0; i < series->nsums; i++)
			SERIES_SUMS(series, entry)[i] = split(&total->sums[i], SERIES_SUM_BITS,
												  PG_INT64_MAX);
		if (!entry_empty(series, entry))
			*out += series->entry_size;
	}
	for (int i = 0; i < series->ncounts; i++)
	{
		if (total->counts[i] != 0)
			histogram_overflow();
	}
}

/*
 * Puts all entries in order, those of one key together; those that have
 * become empty go.
 */
void
series_settle(Series *series)
{
	EntryPlace *places = entries_in_order(series);
	char	   *settled = palloc_extended((series->used + SERIES_LEVELS) * (size_t) series->entry_size,
										  MCXT_ALLOC_HUGE);
	char	   *out = settled;
	uint32		i = 0;

	while (i < series->used)
	{
		const SeriesEntry *entry = SERIES_ENTRY(series, places[i].index);
		int64		key = entry->key;

		if (is_level(entry->place))
		{
			Total		total = {0};
			char	   *first = out;
			uint32		from = i;

			for (; i < series->used && places[i].key == key && is_level(places[i].place); i++)
				total_add(series, &total, SERIES_ENTRY(series, places[i].index),
						  places[i].place);
			total_write(series, &total, key, &out);

			/* levels that were full unevenly may come out as more entries */
			if (out > first + (size_t) (i - from) * series->entry_size)
			{
				out = first;
				for (uint32 j = from; j < i; j++, out += series->entry_size)
					memcpy(out, SERIES_ENTRY(series, places[j].index), series->entry_size);
			}
		}
		else
		{
			SeriesEntry *to = (SeriesEntry *) out;
			int32		place = entry->place;

			memcpy(to, entry, series->entry_size);
			for (i++; i < series->used && places[i].key == key && places[i].place == place; i++)
			{
				entry = SERIES_ENTRY(series, places[i].index);
				for (int j = 0; j < series->nsums; j++)
				{
					if (!series_add_sum(&SERIES_SUMS(series, to)[j],
										SERIES_SUMS(series, entry)[j]))
						histogram_overflow();
				}
			}
			if (!entry_empty(series, to))
				out += series->entry_size;
		}
	}

	Assert((out - settled) / series->entry_size <= series->used);
	series->used = series->sorted = (uint32) ((out - settled) / series->entry_size);
	series->found = 0;
	memcpy(SERIES_ENTRY(series, 0), settled, out - settled);
	pfree(settled);
	pfree(places);
}

/* Takes over the contents of another series; there is room for them. */
void
series_move(Series *to, const Series *from)
{
	Assert(to->room >= from->used);
	to->used = from->used;
	to->sorted = from->sorted;
	to->scale_rows = from->scale_rows;
	to->scale = from->scale;
	memcpy(SERIES_ENTRY(to, 0), SERIES_ENTRY(from, 0),
		   (size_t) from->used * from->entry_size);
}

/* Does every sum fit 64 bits of 10^-4, so that points need say no more? */
bool
series_point_plain(const SeriesPoint *point, int nsums)
{
	for (int i = 0; point->large != NULL && i < nsums; i++)
	{
		int128		number;

		for (int j = 0; j < SERIES_SPECIALS; j++)
		{
			if (point->large[i].special[j] != 0)
				return false;
		}
		if (!decimal_to_int128(&point->large[i].finite, DECIMAL_SUM_POWER, &number) ||
			number < -PG_INT64_MAX || number > PG_INT64_MAX)
			return false;
	}
	return true;
}

/* Has a point neither counts nor sums? */
bool
series_point_empty(const SeriesPoint *point, int ncounts, int nsums)
{
	for (int i = 0; i < ncounts; i++)
	{
		if (point->counts[i] != 0)
			return false;
	}
	for (int i = 0; i < nsums; i++)
	{
		if (point->large == NULL)
		{
			if (point->sums[i] != 0)
				return false;
			continue;
		}
		if (point->large[i].finite.ndigits != 0)
			return false;
		for (int j = 0; j < SERIES_SPECIALS; j++)
		{
			if (point->large[i].special[j] != 0)
				return false;
		}
	}
	return true;
}

/* Makes plain what is so: there is one way to say a point. */
void
series_point_simplify(SeriesPoint *point, int nsums)
{
	if (point->large == NULL || !series_point_plain(point, nsums))
		return;
	for (int i = 0; i < nsums; i++)
	{
		int128		number = 0;

		(void) decimal_to_int128(&point->large[i].finite, DECIMAL_SUM_POWER, &number);
		point->sums[i] = (int64) number;
	}
	point->large = NULL;
}

/* Reads the sums of a key that has more than levels: entries from..until. */
static SeriesSum *
read_large(const Series *series, const Total *total, const EntryPlace *places,
		   uint32 from, uint32 until)
{
	SeriesSum  *large = palloc0(series->nsums * sizeof(SeriesSum));

	for (int i = 0; i < series->nsums; i++)
	{
		HistogramBins digits;

		digits.bin = palloc((until - from + 1) * sizeof(HistogramBin));
		digits.n = 0;
		for (uint32 j = from; j < until; j++)
		{
			int64		number = SERIES_SUMS(series, SERIES_ENTRY(series, places[j].index))[i];
			HistogramBin *bin = &digits.bin[digits.n];

			switch (places[j].place)
			{
				case SERIES_PLACE_NAN:
				case SERIES_PLACE_PLUS_INF:
				case SERIES_PLACE_MINUS_INF:
					if (pg_add_s64_overflow(large[i].special[-1 - places[j].place], number,
											&large[i].special[-1 - places[j].place]))
						histogram_overflow();
					break;
				case SERIES_PLACE_SCALE:
					break;
				default:
					if (is_level(places[j].place))
						break;

					/* entries are in order, but one place may come again */
					if (digits.n > 0 && bin[-1].key == places[j].place)
					{
						if (pg_add_s64_overflow(bin[-1].count, number, &bin[-1].count))
							histogram_overflow();
						break;
					}
					bin->key = places[j].place;
					bin->count = number;
					digits.n++;
			}
		}
		large[i].finite = decimal_total(total->sums[i], DECIMAL_SUM_POWER, digits,
										SERIES_PLACE_DIGIT);
	}
	return large;
}

/* Reads what an entry says of a display scale. */
static void
read_scale(const Series *series, const SeriesEntry *entry, HistogramBins *scales)
{
	HistogramBin *bin = &scales->bin[scales->n];
	int64		rows = SERIES_SUMS(series, entry)[0];

	if (scales->n > 0 && bin[-1].key == entry->key)
	{
		if (pg_add_s64_overflow(bin[-1].count, rows, &bin[-1].count))
			histogram_overflow();
		return;
	}
	bin->key = entry->key;
	bin->count = rows;
	scales->n++;
}

/* The scales with those rows that are counted in the series itself. */
static void
finish_scales(const Series *series, HistogramBins *scales)
{
	int			n = 0;

	if (series->scale_rows != 0)
	{
		int			i = 0;

		while (i < scales->n && scales->bin[i].key != series->scale)
			i++;
		if (i == scales->n)
		{
			scales->bin[i].key = series->scale;
			scales->bin[i].count = 0;
			scales->n++;
		}
		if (pg_add_s64_overflow(scales->bin[i].count, series->scale_rows, &scales->bin[i].count))
			histogram_overflow();
		histogram_sort(scales->bin, scales->n);
	}
	for (int i = 0; i < scales->n; i++)
	{
		if (scales->bin[i].count != 0)
			scales->bin[n++] = scales->bin[i];
	}
	scales->n = n;
}

/* Opens a series for reading. */
void
series_read(const Series *series, SeriesPoints *points)
{
	EntryPlace *places = entries_in_order(series);
	uint32		i = 0;

	points->point = palloc_extended(Max(series->used, 1) * sizeof(SeriesPoint), MCXT_ALLOC_HUGE);
	points->n = 0;
	points->scales.bin = palloc_extended((series->used + 1) * sizeof(HistogramBin),
										 MCXT_ALLOC_HUGE);
	points->scales.n = 0;

	while (i < series->used)
	{
		SeriesPoint *point = &points->point[points->n];
		const SeriesEntry *entry = SERIES_ENTRY(series, places[i].index);
		uint32		from = i;

		point->key = places[i].key;
		point->large = NULL;

		/* mostly a key has one entry */
		if (entry->place == 0 && (++i == series->used || places[i].key != point->key))
		{
			for (int j = 0; j < series->ncounts; j++)
				point->counts[j] = entry->counts[j];
			for (int j = 0; j < series->nsums; j++)
				point->sums[j] = SERIES_SUMS(series, entry)[j];
		}
		else
		{
			Total		total = {0};

			for (i = from; i < series->used && places[i].key == point->key; i++)
			{
				entry = SERIES_ENTRY(series, places[i].index);
				if (is_level(entry->place))
					total_add(series, &total, entry, entry->place);
				else if (entry->place == SERIES_PLACE_SCALE)
					read_scale(series, entry, &points->scales);
			}
			for (int j = 0; j < series->ncounts; j++)
			{
				if (total.counts[j] < PG_INT64_MIN || total.counts[j] > PG_INT64_MAX)
					histogram_overflow();
				point->counts[j] = (int64) total.counts[j];
			}
			point->large = read_large(series, &total, places, from, i);
			series_point_simplify(point, series->nsums);
		}
		if (!series_point_empty(point, series->ncounts, series->nsums))
			points->n++;
	}
	finish_scales(series, &points->scales);
	pfree(places);
}

/* point_sort(points, n): by key */
#define ST_SORT point_sort
#define ST_ELEMENT_TYPE SeriesPoint
#define ST_COMPARE(a, b) (((a)->key > (b)->key) - ((a)->key < (b)->key))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Sorts points by key. */
void
series_sort(SeriesPoints *points)
{
	if (points->n > 1)
		point_sort(points->point, points->n);
}

/* What a sum is: a number, or NaN or an infinity as sum(numeric) has it. */
DecimalKind
series_sum_kind(const SeriesPoint *point, int sum)
{
	const int64 *special;

	if (point->large == NULL)
		return DECIMAL_FINITE;
	special = point->large[sum].special;
	if (special[0] != 0 || (special[1] != 0 && special[2] != 0))
		return DECIMAL_NAN;
	return special[1] != 0 ? DECIMAL_PLUS_INF :
		special[2] != 0 ? DECIMAL_MINUS_INF : DECIMAL_FINITE;
}

/* A finite sum. */
DecimalValue
series_sum_value(const SeriesPoint *point, int sum)
{
	DecimalValue value;

	if (point->large != NULL)
		return point->large[sum].finite;
	decimal_from_int128(&value, point->sums[sum], DECIMAL_SUM_POWER);
	return value;
}

/* The display scale of the sums: as sum(numeric) over all rows would have it. */
int
series_scale(const SeriesPoints *points)
{
	return points->scales.n == 0 ? 0 : (int) points->scales.bin[points->scales.n - 1].key;
}

Numeric
series_sum_numeric(const SeriesPoints *points, const SeriesPoint *point, int sum)
{
	DecimalKind kind = series_sum_kind(point, sum);
	DecimalValue value;

	if (kind != DECIMAL_FINITE)
		return decimal_special_numeric(kind);
	value = series_sum_value(point, sum);
	return decimal_to_numeric(&value, series_scale(points));
}
