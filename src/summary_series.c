/*-------------------------------------------------------------------------
 *
 * summary_series.c
 *	  Summaries with a series: building them, and their part of the group law.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary.h"

/* An empty value with room for so many entries of its series. */
Summary *
summary_new_series(const SummaryLayout *layout, uint64 room)
{
	const SeriesField *field = layout->series;
	size_t		size;
	Summary    *s = summary_alloc(layout, sizeof(Series) +
								  room * series_entry_size(field->ncounts, field->nsums),
								  &size);

	series_init(summary_series(layout, s), size, field->ncounts, field->nsums);
	return s;
}

/* a series up to this size is made larger without looking for equal keys */
#define SMALL_SERIES_ROOM	16

/*
 * Makes room in a series: by putting it in order, and, unless a quarter is
 * free then, in a chunk of twice the size.
 */
static Summary *
make_room(const SummaryLayout *layout, Summary *s)
{
	Series	   *series = summary_series(layout, s);
	Summary    *larger;

	if (series->room > SMALL_SERIES_ROOM)
	{
		series_settle(series);
		if (series->used < series->room - series->room / 4)
			return s;
	}
	larger = summary_new_series(layout, (uint64) series->room * 2);
	summary_copy_fixed(layout, larger, s);
	series_move(summary_series(layout, larger), series);
	return larger;
}

/* An entry of a series to add to, where need be in a larger chunk. */
static SeriesEntry *
entry_of(const SummaryLayout *layout, Summary **s, int64 key, int32 place)
{
	SeriesEntry *entry;

	while ((entry = series_entry(summary_series(layout, *s), key, place)) == NULL)
		*s = make_room(layout, *s);
	return entry;
}

/*
 * A new one, because that which was found is full: the excess is carried when
 * the two are put together.
 */
static SeriesEntry *
another_entry_of(const SummaryLayout *layout, Summary **s, int64 key, int32 place)
{
	SeriesEntry *entry;

	while ((entry = series_append(summary_series(layout, *s), key, place)) == NULL)
		*s = make_room(layout, *s);
	return entry;
}

/* Adds a count of any size: what an entry cannot hold goes to higher levels. */
static Summary *
add_point_count(const SummaryLayout *layout, Summary *s, int64 key, int count, int64 addend)
{
	if (series_add_count(&entry_of(layout, &s, key, 0)->counts[count], addend))
		return s;
	for (int level = 0; addend != 0; level++)
	{
		int64		unit = INT64CONST(1) << SERIES_COUNT_BITS;
		int64		part = level == SERIES_LEVELS - 1 ? addend : addend % unit;
		SeriesEntry *entry = entry_of(layout, &s, key, level);

		while (!series_add_count(&entry->counts[count], part))
			entry = another_entry_of(layout, &s, key, level);
		addend = level == SERIES_LEVELS - 1 ? 0 : addend / unit;
	}
	return s;
}

/* Adds to a sum of an entry, whatever its place. */
static Summary *
add_point_sum(const SummaryLayout *layout, Summary *s, int64 key, int32 place, int sum,
			  int64 addend)
{
	SeriesEntry *entry = entry_of(layout, &s, key, place);

	while (!series_add_sum(&SERIES_SUMS(summary_series(layout, s), entry)[sum], addend))
	{
		if (place != 0 || addend == PG_INT64_MIN)
			histogram_overflow();
		entry = another_entry_of(layout, &s, key, place);
	}
	return s;
}

/*
 * Adds (sign 1) or takes away (sign -1) counts and sums (in 10^-4) of a key of
 * a series.
 */
Summary *
summary_add_point(const SummaryLayout *layout, Summary *s, int64 key, const int64 *counts,
				  const int64 *sums, int sign)
{
	SeriesEntry *entry = entry_of(layout, &s, key, 0);

	for (int i = 0; i < layout->series->ncounts; i++)
	{
		int64		addend = signed_count(counts[i], sign);

		if (unlikely(!series_add_count(&entry->counts[i], addend)))
		{
			s = add_point_count(layout, s, key, i, addend);
			entry = entry_of(layout, &s, key, 0);
		}
	}
	for (int i = 0; i < layout->series->nsums; i++)
	{
		int64		addend = signed_count(sums[i], sign);

		if (unlikely(!series_add_sum(&SERIES_SUMS(summary_series(layout, s), entry)[i], addend)))
		{
			s = add_point_sum(layout, s, key, 0, i, addend);
			entry = entry_of(layout, &s, key, 0);
		}
	}
	return s;
}

/* Adds a finite number of any size to a sum of a key. */
Summary *
summary_add_point_value(const SummaryLayout *layout, Summary *s, int64 key, int sum,
						const DecimalValue *value, int sign)
{
	int128		number;

	if (decimal_to_int128(value, DECIMAL_SUM_POWER, &number) &&
		number >= -PG_INT64_MAX && number <= PG_INT64_MAX)
		return add_point_sum(layout, s, key, 0, sum, sign * (int64) number);
	if (value->negative)
		sign = -sign;
	for (int i = 0; i < value->ndigits; i++)
	{
		if (value->digits[i] != 0)
			s = add_point_sum(layout, s, key, SERIES_PLACE_DIGIT + value->weight - i, sum,
							  sign * value->digits[i]);
	}
	return s;
}

/* Counts NaN or infinities among the numbers of a sum. */
Summary *
summary_add_point_special(const SummaryLayout *layout, Summary *s, int64 key, int sum,
						  DecimalKind kind, int64 rows)
{
	int32		place = kind == DECIMAL_NAN ? SERIES_PLACE_NAN :
		kind == DECIMAL_PLUS_INF ? SERIES_PLACE_PLUS_INF : SERIES_PLACE_MINUS_INF;

	return rows == 0 ? s : add_point_sum(layout, s, key, place, sum, rows);
}

/* Counts numbers of a display scale. */
Summary *
summary_add_point_scale(const SummaryLayout *layout, Summary *s, int64 scale, int64 rows)
{
	Series	   *series = summary_series(layout, s);

	if (rows == 0)
		return s;
	if (series->scale_rows == 0)
		series->scale = scale;
	if (series->scale != scale)
		return add_point_sum(layout, s, scale, SERIES_PLACE_SCALE, 0, rows);
	if (pg_add_s64_overflow(series->scale_rows, rows, &series->scale_rows))
		histogram_overflow();
	return s;
}

/* Adds (sign 1) or takes away (sign -1) the entries of another series. */
Summary *
summary_absorb_series(const SummaryLayout *layout, Summary *s, const Series *other, int sign)
{
	for (uint32 i = 0; i < other->used; i++)
	{
		const SeriesEntry *theirs = SERIES_ENTRY(other, i);
		SeriesEntry *ours = entry_of(layout, &s, theirs->key, theirs->place);

		for (int j = 0; j < other->ncounts; j++)
		{
			while (!series_add_count(&ours->counts[j], sign * (int64) theirs->counts[j]))
				ours = another_entry_of(layout, &s, theirs->key, theirs->place);
		}
		for (int j = 0; j < other->nsums; j++)
			s = add_point_sum(layout, s, theirs->key, theirs->place, j,
							  sign * SERIES_SUMS(other, theirs)[j]);
	}
	return summary_add_point_scale(layout, s, other->scale, sign * other->scale_rows);
}

/* The same with a series that was opened. */
Summary *
summary_absorb_points(const SummaryLayout *layout, Summary *s, const SeriesPoints *points, int sign)
{
	static const int64 no_sums[SERIES_MAX_SUMS];

	for (int i = 0; i < points->n; i++)
	{
		const SeriesPoint *point = &points->point[i];

		s = summary_add_point(layout, s, point->key, point->counts,
							  point->large == NULL ? point->sums : no_sums, sign);
		for (int j = 0; point->large != NULL && j < layout->series->nsums; j++)
		{
			const SeriesSum *sum = &point->large[j];

			s = summary_add_point_value(layout, s, point->key, j, &sum->finite, sign);
			for (int k = 0; k < SERIES_SPECIALS; k++)
				s = summary_add_point_special(layout, s, point->key, j, DECIMAL_NAN + k,
											  signed_count(sum->special[k], sign));
		}
	}
	for (int i = 0; i < points->scales.n; i++)
		s = summary_add_point_scale(layout, s, points->scales.bin[i].key,
									signed_count(points->scales.bin[i].count, sign));
	return s;
}
