/*-------------------------------------------------------------------------
 *
 * summary_state.c
 *	  The working form of summaries, to which rows are added in place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary_state.h"
#include "utils/memutils.h"

/* up to here the allocator rounds chunks to powers of two (aset.c) */
#define ALLOC_CHUNK_MAX 8192

/* Bytes of a working value before its histogram or series. */
size_t
summary_state_size(const SummaryLayout *layout)
{
	return sizeof(Summary) + layout->ncounts * sizeof(int64) +
		layout->ndecimals * sizeof(DecimalSum);
}

/*
 * Makes a working value with so many bytes for its histogram or series, and
 * says how many there are.  Sizes are powers of two as long as that is what
 * the memory allocator hands out anyway.
 */
static Summary *
state_alloc(const SummaryLayout *layout, uint64 area, size_t *left)
{
	size_t		fixed = summary_state_size(layout);
	uint64		wanted = fixed + area;
	size_t		size = 64;
	Summary    *s;

	if (wanted > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("summary has too many distinct values"),
				 errdetail("A value of type %s would take " UINT64_FORMAT " bytes.",
						   layout->type_name, wanted)));
	if (wanted > ALLOC_CHUNK_MAX)
		size = MAXALIGN((size_t) wanted);
	while (size < wanted)
		size *= 2;

	s = palloc(size);
	memset(s, 0, fixed);
	SET_VARSIZE(s, size);
	s->form = SUMMARY_WORKING;
	s->type_id = layout->type_id;
	*left = size - fixed;
	return s;
}

static Summary *
new_with_histogram(const SummaryLayout *layout, const HistogramPlan *plan)
{
	size_t		size;
	Summary    *s = state_alloc(layout, histogram_plan_size(plan), &size);

	histogram_init(summary_histogram(layout, s), size, plan);
	return s;
}

static Summary *
new_with_series(const SummaryLayout *layout, uint64 room)
{
	const SeriesField *field = layout->series;
	size_t		size;
	Summary    *s = state_alloc(layout, sizeof(Series) +
								  room * series_entry_size(field->ncounts, field->nsums),
								  &size);

	series_init(summary_series(layout, s), size, field->ncounts, field->nsums);
	return s;
}

/* An empty value in working form. */
Summary *
summary_new(const SummaryLayout *layout)
{
	HistogramPlan plan;

	if (layout->series != NULL)
		return new_with_series(layout, SERIES_MIN_ROOM);
	plan.wide = false;
	plan.slots = SUMMARY_PARTS(layout) > 0 ? HISTOGRAM_MIN_SLOTS : 0;
	plan.nparts = plan.nwindows = 0;
	plan.window_counts = 0;
	return new_with_histogram(layout, &plan);
}

/* Copies what stands before the histogram or series. */
static void
copy_fixed(const SummaryLayout *layout, Summary *to, const Summary *from)
{
	to->option = from->option;
	memcpy(SUMMARY_COUNTS(to), SUMMARY_COUNTS(from),
		   summary_state_size(layout) - sizeof(Summary));
}

/*
 * Moves a value into a chunk with more room, or with wide entries.  The old
 * chunk belongs to whoever called the transition function and is left alone.
 */
Summary *
summary_enlarge(const SummaryLayout *layout, Summary *s, HistogramResult reason)
{
	HistogramPlan plan;
	Summary    *larger;

	histogram_plan(&plan, summary_histogram(layout, s), SUMMARY_PARTS(layout),
				   reason == HISTOGRAM_TOO_NARROW);
	larger = new_with_histogram(layout, &plan);
	copy_fixed(layout, larger, s);
	return larger;
}

/* Adds the digits of a decimal to the side histogram. */
static Summary *
add_digits(const SummaryLayout *layout, Summary *s, int decimal, int64 first_key,
		   const DecimalValue *value, int sign)
{
	if (value->negative)
		sign = -sign;
	for (int i = 0; i < value->ndigits; i++)
	{
		if (value->digits[i] != 0)
			s = summary_add_key(layout, s, decimal, first_key + value->weight - i,
							sign * value->digits[i]);
	}
	return s;
}

/* Adds a value to a sum: to the fast part where it fits, else by digits. */
Summary *
summary_add_value(const SummaryLayout *layout, Summary *s, int decimal,
		   const DecimalValue *value, int sign)
{
	int128		number;

	if (!(decimal_to_int128(value, DECIMAL_SUM_POWER, &number) &&
		  decimal_accumulate(summary_decimals(layout, s)[decimal].sum, number * sign)))
		s = add_digits(layout, s, decimal, DECIMAL_KEY_DIGIT, value, sign);
	return s;
}

/* The same for the square of a number. */
Summary *
summary_add_square(const SummaryLayout *layout, Summary *s, int decimal,
			   const DecimalValue *value, int sign)
{
	int128		number;

	if (!(decimal_to_int128(value, DECIMAL_SQUARES_POWER, &number) &&
		  decimal_accumulate(summary_decimals(layout, s)[decimal].squares, number * sign)))
		s = add_digits(layout, s, decimal, DECIMAL_KEY_SQUARE, value, sign);
	return s;
}

/* Counts rows of a display scale (or of NaN or an infinity). */
Summary *
summary_add_scale(const SummaryLayout *layout, Summary *s, int decimal, int64 scale,
		  int64 rows)
{
	DecimalSum *fast = &summary_decimals(layout, s)[decimal];

	if (scale >= DECIMAL_KEY_NAN)
		return summary_add_key(layout, s, decimal, scale, rows);
	if (fast->rows == 0)
		fast->scale = scale;
	if (fast->scale != scale)
		s = summary_add_key(layout, s, decimal, scale, rows);
	else if (pg_add_s64_overflow(fast->rows, rows, &fast->rows))
		histogram_overflow();
	return s;
}

/* The general case of summary_add_numeric. */
Summary *
summary_add_numeric_slow(const SummaryLayout *layout, Summary *s, int decimal,
						 Datum datum, int sign)
{
	DecimalNumeric number = decimal_numeric(datum);
	DecimalValue value;

	switch (number.kind)
	{
		case DECIMAL_FINITE:
			s = summary_add_scale(layout, s, decimal, number.dscale, sign);
			value = decimal_value(&number);
			s = summary_add_value(layout, s, decimal, &value, sign);
			if (layout->decimals[decimal].squares)
			{
				value = decimal_square(&number);
				s = summary_add_square(layout, s, decimal, &value, sign);
			}
			break;
		case DECIMAL_NAN:
			s = summary_add_scale(layout, s, decimal, DECIMAL_KEY_NAN, sign);
			break;
		case DECIMAL_PLUS_INF:
			s = summary_add_scale(layout, s, decimal, DECIMAL_KEY_PLUS_INF, sign);
			break;
		case DECIMAL_MINUS_INF:
			s = summary_add_scale(layout, s, decimal, DECIMAL_KEY_MINUS_INF, sign);
			break;
	}
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
	larger = new_with_series(layout, (uint64) series->room * 2);
	copy_fixed(layout, larger, s);
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

/* Adds a numeric to a sum of a key; its display scale is for the caller to count. */
Summary *
summary_add_point_numeric(const SummaryLayout *layout, Summary *s, int64 key, int sum,
						  const DecimalNumeric *number, int sign)
{
	DecimalValue value;

	if (number->kind != DECIMAL_FINITE)
		return summary_add_point_special(layout, s, key, sum, number->kind, sign);
	value = decimal_value(number);
	return summary_add_point_value(layout, s, key, sum, &value, sign);
}

/* Counts numbers of a display scale. */
Summary *
summary_add_point_scale(const SummaryLayout *layout, Summary *s, int64 scale, int64 rows)
{
	Series	   *series = summary_series(layout, s);

	if (rows == 0)
		return s;
	if (series->scale_rows == 0)
		series->scale = (int32) scale;
	if (series->scale != scale)
		return add_point_sum(layout, s, scale, SERIES_PLACE_SCALE, 0, rows);
	if (pg_add_s64_overflow(series->scale_rows, rows, &series->scale_rows))
		histogram_overflow();
	return s;
}

/*
 * Adds (sign 1) or takes away (sign -1) counts of a key and the sums of a
 * point, whatever their size.
 */
Summary *
summary_add_point_sums(const SummaryLayout *layout, Summary *s, int64 key, const int64 *counts,
					   const SeriesPoint *point, int sign)
{
	static const int64 no_sums[SERIES_MAX_SUMS];

	if (point->large == NULL)
		return summary_add_point(layout, s, key, counts, point->sums, sign);
	s = summary_add_point(layout, s, key, counts, no_sums, sign);
	for (int i = 0; i < layout->series->nsums; i++)
	{
		const SeriesSum *sum = &point->large[i];

		s = summary_add_point_value(layout, s, key, i, &sum->finite, sign);
		for (int j = 0; j < SERIES_SPECIALS; j++)
			s = summary_add_point_special(layout, s, key, i, DECIMAL_NAN + j,
										  signed_count(sum->special[j], sign));
	}
	return s;
}

/* Adds (sign 1) or takes away (sign -1) the entries of another series. */
Summary *
summary_add_series(const SummaryLayout *layout, Summary *s, const Series *other, int sign)
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
