/*-------------------------------------------------------------------------
 *
 * summary.h
 *	  Summaries: small values that add up, from which KPIs are read.
 *
 * A summary type is declared by a layout: its name and its fields, each a
 * COUNT (int64), a DECIMAL (exact sum of numeric), a HISTOGRAM (sparse
 * int64 -> int64 counts) or a SERIES (sparse int64 -> counts and exact sums).
 * Everything here is driven by the layout, and so are the packed form
 * (summary_pack.c), input and output (summary_io.c) and the operators
 * (summary_ops.c).
 *
 * A value has two forms:
 *
 *	packed	the canonical one, a string of bytes: equal summaries are equal
 *			bytes.  It is what is stored, sent and compared.
 *	working	what an aggregate adds to in place: counts, fast sums, and a hash
 *			table (or a series), all in one chunk with room to grow.
 *
 * Both are varlenas of the same SQL type and any function takes either.  To
 * be read, a value is opened into a SummaryView.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUMMARY_H
#define SALES_PERF_SUMMARY_H

#include "postgres.h"

#include "compat.h"
#include "decimal.h"
#include "histogram.h"
#include "lib/stringinfo.h"
#include "nodes/nodes.h"
#include "series.h"

#define SUMMARY_MAX_COUNTS		16
#define SUMMARY_MAX_PARTS		HISTOGRAM_MAX_PARTS

/* the first byte of a value: its form, and in it the version of the format */
#define SUMMARY_PACKED		0x01
#define SUMMARY_WORKING		0x81

struct SummaryView;

typedef struct DecimalField
{
	const char *name;
	bool		squares;		/* keep the sum of squares too */
} DecimalField;

/* A sparse map of keys to counts and exact sums. */
typedef struct SeriesField
{
	const char *name;
	bool		pair;			/* keys are pairs, see pair_key() */
	int			ncounts;
	int			nsums;
	const char *const *counts;
	const char *const *sums;
} SeriesField;

/*
 * Something that all rows of a value share, as the grain of its periods: one
 * of some names.  Values that differ in it cannot be added.
 */
typedef struct OptionField
{
	const char *name;
	int			n;
	const char *const *values;
} OptionField;

/*
 * The layout of a type.  Counts are numbered from 0, and so are decimals and
 * histograms; the parts of the value's one Histogram are the decimals' side
 * histograms, then the histograms.  A type has either those or a series: one
 * area that grows.
 */
typedef struct SummaryLayout
{
	const char *type_name;
	uint8		type_id;		/* the second byte of a value */
	int			ncounts;
	int			ndecimals;
	int			nhistograms;
	const char *const *counts;
	const DecimalField *decimals;
	const char *const *histograms;
	uint32		pair_histograms;	/* bit i: the keys of histogram i are pairs */
	const SeriesField *series;	/* NULL: none */
	const OptionField *option;	/* NULL: none */

	/* do the fields of a value without negative counts agree? may be NULL */
	bool		(*consistent) (const struct SummaryView *view);
} SummaryLayout;

#define SUMMARY_PARTS(layout) ((layout)->ndecimals + (layout)->nhistograms)
#define SUMMARY_PART(layout, histogram) ((layout)->ndecimals + (histogram))

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

/* A decimal of a value that was opened for reading. */
typedef struct DecimalView
{
	DecimalValue sum;
	DecimalValue squares;
	HistogramBins scales;		/* rows by display scale, NaN and infinities */
} DecimalView;

/* A value opened for reading. */
typedef struct SummaryView
{
	const SummaryLayout *layout;
	int64		counts[SUMMARY_MAX_COUNTS];
	DecimalView decimals[SUMMARY_MAX_PARTS];
	HistogramBins histograms[SUMMARY_MAX_PARTS];
	SeriesPoints series;
	int			option;			/* number of its value, from 1; 0: no rows */
} SummaryView;

/*
 * Keys that are pairs of int32, in the order of the first, then the second.
 */
static inline int64
pair_key(int32 first, int32 second)
{
	return (int64) (((uint64) (uint32) first << 32) | ((uint32) second ^ UINT32_C(0x80000000)));
}

static inline int32
pair_first(int64 key)
{
	return (int32) (key >> 32);
}

static inline int32
pair_second(int64 key)
{
	return (int32) ((uint32) key ^ UINT32_C(0x80000000));
}

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

/* building */
extern Summary *summary_new(const SummaryLayout *layout);
extern Summary *summary_copy(const SummaryLayout *layout, Datum value);
extern Summary *summary_begin_slow(FunctionCallInfo fcinfo, const SummaryLayout *layout);
extern Summary *summary_enlarge(const SummaryLayout *layout, Summary *s,
								HistogramResult reason);
extern Summary *summary_add_numeric_slow(const SummaryLayout *layout, Summary *s,
										 int decimal, Datum number, int sign);
extern void summary_mix_options(const SummaryLayout *layout, Summary *s, int option);
extern Summary *summary_absorb(const SummaryLayout *layout, Summary *s, Datum value, int sign);

/* building one with a series: summary_series.c */
extern Summary *summary_add_point(const SummaryLayout *layout, Summary *s, int64 key,
								  const int64 *counts, const int64 *sums, int sign);
extern Summary *summary_add_point_value(const SummaryLayout *layout, Summary *s, int64 key,
										int sum, const DecimalValue *value, int sign);
extern Summary *summary_add_point_special(const SummaryLayout *layout, Summary *s, int64 key,
										  int sum, DecimalKind kind, int64 rows);
extern Summary *summary_add_point_scale(const SummaryLayout *layout, Summary *s, int64 scale,
										int64 rows);

/* what summary.c and summary_series.c share */
extern Summary *summary_alloc(const SummaryLayout *layout, uint64 area, size_t *left);
extern void summary_copy_fixed(const SummaryLayout *layout, Summary *to, const Summary *from);
extern Summary *summary_new_series(const SummaryLayout *layout, uint64 room);
extern Summary *summary_absorb_series(const SummaryLayout *layout, Summary *s,
									  const Series *other, int sign);
extern Summary *summary_absorb_points(const SummaryLayout *layout, Summary *s,
									  const SeriesPoints *points, int sign);

/* A count to add, or to take away. */
static inline int64
signed_count(int64 count, int sign)
{
	if (sign < 0 && pg_sub_s64_overflow(0, count, &count))
		histogram_overflow();
	return count;
}

/* reading, packing */
extern struct varlena *summary_detoast(Datum value);
extern void summary_open(const SummaryLayout *layout, SummaryView *view, Datum value);
extern bool summary_read(FunctionCallInfo fcinfo, int argument,
						 const SummaryLayout *layout, SummaryView *view);
extern bool summary_view_empty(const SummaryView *view);
extern bool summary_view_valid(const SummaryView *view);
extern bool summary_unpack(const SummaryLayout *layout, SummaryView *view,
						   const char *data, size_t size);
extern void summary_unpack_stored(const SummaryLayout *layout, SummaryView *view,
								  struct varlena *p);
extern struct varlena *summary_pack(const SummaryView *view);
extern struct varlena *summary_packed(const SummaryLayout *layout, Datum value);
extern struct varlena *summary_part(const SummaryLayout *from, Datum value,
									const SummaryLayout *to, int first_count,
									int first_decimal, int first_histogram);

/* what a decimal field says */
extern int64 decimal_view_rows(const DecimalView *view);
extern Numeric decimal_view_sum(const DecimalView *view);
extern DecimalKind decimal_view_kind(const DecimalView *view);

/*
 * Are we called by an aggregate, whose state may be changed in place?  This is
 * AggCheckCallContext(), without the call.
 */
static inline bool
called_by_aggregate(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL &&
		(IsA(fcinfo->context, AggState) || IsA(fcinfo->context, WindowAggState));
}

/*
 * The state that a transition function may change in place: the aggregate's
 * own, or else a copy.
 */
static inline Summary *
summary_begin(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	if (likely(!PG_ARGISNULL(0) && called_by_aggregate(fcinfo)))
	{
		Summary    *s = (Summary *) PG_GETARG_POINTER(0);

		if (likely(VARATT_IS_4B_U(s) && s->form == SUMMARY_WORKING &&
				   s->type_id == layout->type_id))
			return s;
	}
	return summary_begin_slow(fcinfo, layout);
}

/* Hands a state back: as it is to an aggregate, packed to anybody else. */
static inline Datum
summary_end(FunctionCallInfo fcinfo, const SummaryLayout *layout, Summary *s)
{
	if (likely(called_by_aggregate(fcinfo)))
		return PointerGetDatum(s);
	return PointerGetDatum(summary_packed(layout, PointerGetDatum(s)));
}

/* Says what a row to be added has for the option of the type. */
static inline void
summary_set_option(const SummaryLayout *layout, Summary *s, int option)
{
	if (unlikely(s->option != option))
		summary_mix_options(layout, s, option);
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
 * and display scale if decimal_mantissa found them.
 */
static pg_attribute_always_inline Summary *
summary_add_numeric(const SummaryLayout *layout, Summary *s, int decimal, Datum number,
					bool is_fast, int64 mantissa, int dscale, int64 sign)
{
	DecimalSum *fast = &summary_decimals(layout, s)[decimal];

	/* squares are summed up whether the layout has them or not: no branch */
	if (likely(is_fast && fast->scale == dscale && fast->rows != 0 &&
			   decimal_accumulate(fast->sum, mantissa * sign)))
	{
		if (likely(decimal_accumulate(fast->squares, (int128) mantissa * (mantissa * sign))))
		{
			if (unlikely(pg_add_s64_overflow(fast->rows, sign, &fast->rows)))
				histogram_overflow();
			return s;
		}
		decimal_accumulate(fast->sum, -mantissa * sign);
	}
	return summary_add_numeric_slow(layout, s, decimal, number, (int) sign);
}

#endif							/* SALES_PERF_SUMMARY_H */
