/*-------------------------------------------------------------------------
 *
 * summary_view.h
 *	  What summary types are made of, and what a value says.
 *
 * A summary type is declared by a layout: its name and its fields, each a
 * COUNT (int64), a DECIMAL (exact sum of numeric), a HISTOGRAM (sparse
 * int64 -> int64 counts) or a SERIES (sparse int64 -> counts and exact sums).
 * To be read, a value is opened into a SummaryView.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUMMARY_VIEW_H
#define SALES_PERF_SUMMARY_VIEW_H

#include "postgres.h"

#include "decimal.h"
#include "histogram.h"
#include "series.h"

#define SUMMARY_MAX_COUNTS		16
#define SUMMARY_MAX_PARTS		HISTOGRAM_MAX_PARTS

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

extern bool summary_view_empty(const SummaryView *view);
extern bool summary_view_valid(const SummaryView *view);

/* what a decimal field says */
extern int64 decimal_view_rows(const DecimalView *view);
extern Numeric decimal_view_sum(const DecimalView *view);
extern DecimalKind decimal_view_kind(const DecimalView *view);

#endif							/* SALES_PERF_SUMMARY_VIEW_H */
