/*-------------------------------------------------------------------------
 *
 * summary_state.h
 *	  The working form of summaries, to which rows are added in place.
 *
 * It is one chunk: counts, fast sums, and a histogram or a series with room to
 * grow.  Where that is used up, the value moves to a larger chunk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUMMARY_STATE_H
#define SALES_PERF_SUMMARY_STATE_H

#include "postgres.h"

#include "summary_view.h"

/* the first byte of a working value */
#define SUMMARY_WORKING		0x81

/* A value in working form. */
typedef struct Summary
{
	int32		vl_len_;
	uint8		form;
	uint8		type_id;
	uint16		option;			/* number of its value, from 1; 0: none yet */
	/* int64 counts[], DecimalSum decimals[], Histogram or Series follow */
} Summary;

#define SUMMARY_COUNTS(s) ((int64 *) ((char *) (s) + sizeof(Summary)))

static inline DecimalSum *
summary_decimals(const SummaryLayout *layout, Summary *s)
{
	return (DecimalSum *) (SUMMARY_COUNTS(s) + layout->ncounts);
}

static inline Histogram *
summary_histogram(const SummaryLayout *layout, Summary *s)
{
	return (Histogram *) (summary_decimals(layout, s) + layout->ndecimals);
}

static inline Series *
summary_series(const SummaryLayout *layout, Summary *s)
{
	return (Series *) (summary_decimals(layout, s) + layout->ndecimals);
}

extern size_t summary_state_size(const SummaryLayout *layout);
extern Summary *summary_new(const SummaryLayout *layout);
extern Summary *summary_enlarge(const SummaryLayout *layout, Summary *s,
								HistogramResult reason);
extern Summary *summary_add_numeric_slow(const SummaryLayout *layout, Summary *s,
										 int decimal, Datum number, int sign);
extern Summary *summary_add_value(const SummaryLayout *layout, Summary *s, int decimal,
								  const DecimalValue *value, int sign);
extern Summary *summary_add_square(const SummaryLayout *layout, Summary *s, int decimal,
								   const DecimalValue *value, int sign);
extern Summary *summary_add_scale(const SummaryLayout *layout, Summary *s, int decimal,
								  int64 scale, int64 rows);

/* A count to add, or to take away. */
static inline int64
signed_count(int64 count, int sign)
{
	if (sign < 0 && pg_sub_s64_overflow(0, count, &count))
		histogram_overflow();
	return count;
}

/* Adds to a count. */
static inline void
summary_add_count(Summary *s, int count, int64 addend)
{
	int64	   *stored = &SUMMARY_COUNTS(s)[count];

	if (unlikely(pg_add_s64_overflow(*stored, addend, stored)))
		histogram_overflow();
}

/*
 * What follows may have to move a state to a larger chunk: each function
 * returns where it is then.
 */

/* Adds to the count of a key in a part of the histogram. */
static inline Summary *
summary_add_key(const SummaryLayout *layout, Summary *s, int part, int64 key,
				int64 count)
{
	HistogramResult result;

	while (unlikely((result = histogram_add(summary_histogram(layout, s), part, key,
											count)) != HISTOGRAM_OK))
		s = summary_enlarge(layout, s, result);
	return s;
}

/* The same for a row, whose sign is 1 or -1. */
static pg_attribute_always_inline Summary *
summary_add_row_key(const SummaryLayout *layout, Summary *s, int part, int64 key,
					int64 sign)
{
	HistogramResult result;

	while (unlikely((result = histogram_add_row(summary_histogram(layout, s), part, key,
												sign)) != HISTOGRAM_OK))
		s = summary_enlarge(layout, s, result);
	return s;
}

/*
 * Adds (sign 1) or takes back (sign -1) a row's numeric, given its mantissa
 * and display scale, to the fast part of a sum.  False, and nothing changed,
 * where that cannot hold it.
 */
static pg_attribute_always_inline bool
summary_add_mantissa(const SummaryLayout *layout, Summary *s, int decimal, int64 mantissa,
					 int dscale, int64 sign)
{
	DecimalSum *fast = &summary_decimals(layout, s)[decimal];

	/* of no rows the scale is any; squares are summed up whether the layout has them or not */
	if (unlikely(fast->scale != dscale || !decimal_accumulate(fast->sum, mantissa * sign)))
		return false;
	if (unlikely(!decimal_accumulate(fast->squares, (int128) mantissa * (mantissa * sign))))
	{
		decimal_accumulate(fast->sum, -mantissa * sign);
		return false;
	}
	if (unlikely(pg_add_s64_overflow(fast->rows, sign, &fast->rows)))
		histogram_overflow();
	return true;
}

/* The same for any numeric, given its mantissa and display scale if decimal_mantissa found them. */
static pg_attribute_always_inline Summary *
summary_add_numeric(const SummaryLayout *layout, Summary *s, int decimal, Datum number,
					bool is_fast, int64 mantissa, int dscale, int64 sign)
{
	if (likely(is_fast && summary_add_mantissa(layout, s, decimal, mantissa, dscale, sign)))
		return s;
	return summary_add_numeric_slow(layout, s, decimal, number, (int) sign);
}

/* adding to a series */
extern Summary *summary_add_point(const SummaryLayout *layout, Summary *s, int64 key,
								  const int64 *counts, const int64 *sums, int sign);
extern Summary *summary_add_point_value(const SummaryLayout *layout, Summary *s, int64 key,
										int sum, const DecimalValue *value, int sign);
extern Summary *summary_add_point_numeric(const SummaryLayout *layout, Summary *s, int64 key,
										  int sum, const DecimalNumeric *number, int sign);
extern Summary *summary_add_point_sums(const SummaryLayout *layout, Summary *s, int64 key,
									   const int64 *counts, const SeriesPoint *point,
									   int sign);
extern Summary *summary_add_point_special(const SummaryLayout *layout, Summary *s, int64 key,
										  int sum, DecimalKind kind, int64 rows);
extern Summary *summary_add_point_scale(const SummaryLayout *layout, Summary *s, int64 scale,
										int64 rows);
extern Summary *summary_add_series(const SummaryLayout *layout, Summary *s,
								   const Series *other, int sign);

#endif							/* SALES_PERF_SUMMARY_STATE_H */
