/*-------------------------------------------------------------------------
 *
 * summary.c
 *	  Summaries: building, reading, packing, and the group law.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary.h"
#include "utils/memutils.h"

/* up to here the allocator rounds chunks to powers of two (aset.c) */
#define ALLOC_CHUNK_MAX 8192

/* Bytes of a working value before the entries of its histogram. */
static size_t
fixed_size(const SummaryLayout *layout)
{
	return sizeof(Summary) + layout->ncounts * sizeof(int64) +
		layout->ndecimals * sizeof(DecimalSum);
}

/*
 * Makes a working value with so many bytes for its histogram or series, and
 * says how many there are.  Sizes are powers of two as long as that is what
 * the memory allocator hands out anyway.
 */
Summary *
summary_alloc(const SummaryLayout *layout, uint64 area, size_t *left)
{
	size_t		fixed = fixed_size(layout);
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
	Summary    *s = summary_alloc(layout, histogram_plan_size(plan), &size);

	histogram_init(summary_histogram(layout, s), size, plan);
	return s;
}

/* An empty value in working form. */
Summary *
summary_new(const SummaryLayout *layout)
{
	HistogramPlan plan;

	if (layout->series != NULL)
		return summary_new_series(layout, SERIES_MIN_ROOM);
	plan.wide = false;
	plan.slots = SUMMARY_PARTS(layout) > 0 ? HISTOGRAM_MIN_SLOTS : 0;
	plan.nparts = plan.nwindows = 0;
	plan.window_counts = 0;
	return new_with_histogram(layout, &plan);
}

/* Copies what stands before the histogram or series. */
void
summary_copy_fixed(const SummaryLayout *layout, Summary *to, const Summary *from)
{
	to->option = from->option;
	memcpy(SUMMARY_COUNTS(to), SUMMARY_COUNTS(from),
		   fixed_size(layout) - sizeof(Summary));
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
	summary_copy_fixed(layout, larger, s);
	return larger;
}

/*
 * The general case of summary_begin: no state yet, or one that is not ours
 * to change, or a packed one.
 */
Summary *
summary_begin_slow(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	if (PG_ARGISNULL(0))
		return summary_new(layout);
	return summary_copy(layout, PG_GETARG_DATUM(0));
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
static Summary *
add_to_sum(const SummaryLayout *layout, Summary *s, int decimal,
		   const DecimalValue *value, int sign)
{
	int128		number;

	if (!(decimal_to_int128(value, DECIMAL_SUM_POWER, &number) &&
		  decimal_accumulate(summary_decimals(layout, s)[decimal].sum, number * sign)))
		s = add_digits(layout, s, decimal, DECIMAL_KEY_DIGIT, value, sign);
	return s;
}

static Summary *
add_to_squares(const SummaryLayout *layout, Summary *s, int decimal,
			   const DecimalValue *value, int sign)
{
	int128		number;

	if (!(decimal_to_int128(value, DECIMAL_SQUARES_POWER, &number) &&
		  decimal_accumulate(summary_decimals(layout, s)[decimal].squares, number * sign)))
		s = add_digits(layout, s, decimal, DECIMAL_KEY_SQUARE, value, sign);
	return s;
}

/* Counts rows of a display scale (or of NaN or an infinity). */
static Summary *
add_scale(const SummaryLayout *layout, Summary *s, int decimal, int64 scale,
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
	struct varlena *p = PG_DETOAST_DATUM_PACKED(datum);
	DecimalNumeric number;
	DecimalValue value;

	decimal_open(&number, VARDATA_ANY(p), VARSIZE_ANY_EXHDR(p));
	switch (number.kind)
	{
		case DECIMAL_FINITE:
			s = add_scale(layout, s, decimal, number.dscale, sign);
			value = decimal_value(&number);
			s = add_to_sum(layout, s, decimal, &value, sign);
			if (layout->decimals[decimal].squares)
			{
				value = decimal_square(&number);
				s = add_to_squares(layout, s, decimal, &value, sign);
			}
			break;
		case DECIMAL_NAN:
			s = add_scale(layout, s, decimal, DECIMAL_KEY_NAN, sign);
			break;
		case DECIMAL_PLUS_INF:
			s = add_scale(layout, s, decimal, DECIMAL_KEY_PLUS_INF, sign);
			break;
		case DECIMAL_MINUS_INF:
			s = add_scale(layout, s, decimal, DECIMAL_KEY_MINUS_INF, sign);
			break;
	}
	return s;
}

/*
 * A value's rows are to have another option than they had: that is an error,
 * unless none are left that had the old one.
 */
void
summary_mix_options(const SummaryLayout *layout, Summary *s, int option)
{
	SummaryView view;

	if (s->option != 0)
	{
		summary_open(layout, &view, PointerGetDatum(s));
		if (view.option != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cannot mix %s \"%s\" and \"%s\" in one %s", layout->option->name,
							layout->option->values[s->option - 1],
							layout->option->values[option - 1], layout->type_name),
					 errhint("Use one %s for all rows of a group, or group by it.",
							 layout->option->name)));
	}
	s->option = (uint16) option;
}

/* Adds (sign 1) or takes away (sign -1) another working value. */
static Summary *
absorb_working(const SummaryLayout *layout, Summary *s, Summary *other, int sign)
{
	uint64		cursor = 0;
	int			part;
	HistogramBin bin;

	for (int i = 0; i < layout->ncounts; i++)
		summary_add_count(s, i, signed_count(SUMMARY_COUNTS(other)[i], sign));
	for (int i = 0; i < layout->ndecimals; i++)
	{
		DecimalSum	theirs = summary_decimals(layout, other)[i];
		DecimalSum *ours = &summary_decimals(layout, s)[i];
		DecimalValue value;

		if (!decimal_accumulate(ours->sum, decimal_int128(theirs.sum) * sign))
		{
			decimal_from_int128(&value, decimal_int128(theirs.sum), DECIMAL_SUM_POWER);
			s = add_digits(layout, s, i, DECIMAL_KEY_DIGIT, &value, sign);
			ours = &summary_decimals(layout, s)[i];
		}
		if (layout->decimals[i].squares &&
			!decimal_accumulate(ours->squares, decimal_int128(theirs.squares) * sign))
		{
			decimal_from_int128(&value, decimal_int128(theirs.squares), DECIMAL_SQUARES_POWER);
			s = add_digits(layout, s, i, DECIMAL_KEY_SQUARE, &value, sign);
		}
		if (theirs.rows != 0)
			s = add_scale(layout, s, i, theirs.scale, signed_count(theirs.rows, sign));
	}
	if (layout->series != NULL)
		return summary_absorb_series(layout, s, summary_series(layout, other), sign);
	while (histogram_next(summary_histogram(layout, other), &cursor, &part, &bin))
		s = summary_add_key(layout, s, part, bin.key, signed_count(bin.count, sign));
	return s;
}

/* Adds (sign 1) or takes away (sign -1) a value that was opened. */
static Summary *
absorb_view(const SummaryLayout *layout, Summary *s, const SummaryView *view, int sign)
{
	for (int i = 0; i < layout->ncounts; i++)
		summary_add_count(s, i, signed_count(view->counts[i], sign));
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalView *decimal = &view->decimals[i];

		s = add_to_sum(layout, s, i, &decimal->sum, sign);
		if (layout->decimals[i].squares)
			s = add_to_squares(layout, s, i, &decimal->squares, sign);
		for (int j = 0; j < decimal->scales.n; j++)
			s = add_scale(layout, s, i, decimal->scales.bin[j].key,
						  signed_count(decimal->scales.bin[j].count, sign));
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		const HistogramBins *bins = &view->histograms[i];

		for (int j = 0; j < bins->n; j++)
			s = summary_add_key(layout, s, SUMMARY_PART(layout, i), bins->bin[j].key,
								signed_count(bins->bin[j].count, sign));
	}
	if (layout->series != NULL)
		s = summary_absorb_points(layout, s, &view->series, sign);
	return s;
}

/*
 * Detoasts a value.  A packed one is bytes and may stay where it is; a
 * working one must be aligned.
 */
struct varlena *
summary_detoast(Datum value)
{
	struct varlena *p = PG_DETOAST_DATUM_PACKED(value);

	if (VARATT_IS_SHORT(p) && VARSIZE_ANY_EXHDR(p) > 0 &&
		*(uint8 *) VARDATA_ANY(p) == SUMMARY_WORKING)
		p = PG_DETOAST_DATUM(PointerGetDatum(p));
	return p;
}

/* Is this a working value of the type?  Anything else should be a packed one. */
static bool
is_working(const SummaryLayout *layout, struct varlena *p)
{
	Summary    *s = (Summary *) p;

	return VARATT_IS_4B_U(p) &&
		VARSIZE(p) >= fixed_size(layout) +
		(layout->series != NULL ? sizeof(Series) : sizeof(Histogram)) &&
		s->form == SUMMARY_WORKING && s->type_id == layout->type_id;
}

/* The group law: adds (sign 1) or takes away (sign -1) a value of either form. */
Summary *
summary_absorb(const SummaryLayout *layout, Summary *s, Datum value, int sign)
{
	struct varlena *p = summary_detoast(value);
	SummaryView view;

	if (is_working(layout, p))
	{
		Summary    *other = (Summary *) p;

		if (s->option == 0)
			s->option = other->option;
		if (s->option != other->option && other->option != 0)
		{
			/* even so it may have no rows any more, and then no option */
			summary_open(layout, &view, value);
			if (view.option != 0)
				summary_mix_options(layout, s, view.option);
		}
		return absorb_working(layout, s, other, sign);
	}
	summary_unpack_stored(layout, &view, p);
	if (view.option != 0)
		summary_set_option(layout, s, view.option);
	return absorb_view(layout, s, &view, sign);
}

/* A value of either form as a working one that may be changed. */
Summary *
summary_copy(const SummaryLayout *layout, Datum value)
{
	struct varlena *p = summary_detoast(value);
	Summary    *s;

	if (!is_working(layout, p))
		return summary_absorb(layout, summary_new(layout), value, 1);
	s = palloc(VARSIZE(p));
	memcpy(s, p, VARSIZE(p));
	return s;
}

/* Merges the rows of the fast scale into those of the other scales. */
static HistogramBins
all_scales(const DecimalSum *fast, HistogramBins side)
{
	HistogramBins scales;
	bool		placed = fast->rows == 0;

	scales.bin = palloc((side.n + 1) * sizeof(HistogramBin));
	scales.n = 0;
	for (int i = 0; i < side.n && side.bin[i].key <= DECIMAL_KEY_LAST; i++)
	{
		HistogramBin bin = side.bin[i];

		if (!placed && bin.key >= fast->scale)
		{
			placed = true;
			if (bin.key == fast->scale)
			{
				if (pg_add_s64_overflow(bin.count, fast->rows, &bin.count))
					histogram_overflow();
				if (bin.count == 0)
					continue;
			}
			else
			{
				scales.bin[scales.n].key = fast->scale;
				scales.bin[scales.n++].count = fast->rows;
			}
		}
		scales.bin[scales.n++] = bin;
	}
	if (!placed)
	{
		scales.bin[scales.n].key = fast->scale;
		scales.bin[scales.n++].count = fast->rows;
	}
	return scales;
}

/* Opens a working value. */
static void
open_working(const SummaryLayout *layout, SummaryView *view, Summary *s)
{
	HistogramBins parts[SUMMARY_MAX_PARTS];

	view->layout = layout;
	memcpy(view->counts, SUMMARY_COUNTS(s), layout->ncounts * sizeof(int64));
	if (layout->series != NULL)
	{
		series_read(summary_series(layout, s), &view->series);
		view->option = s->option != 0 && !summary_view_empty(view) ? s->option : 0;
		return;
	}
	histogram_read(summary_histogram(layout, s), parts, SUMMARY_PARTS(layout));
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalSum *fast = &summary_decimals(layout, s)[i];
		DecimalView *decimal = &view->decimals[i];

		decimal->sum = decimal_total(decimal_int128(fast->sum), DECIMAL_SUM_POWER,
									 parts[i], DECIMAL_KEY_DIGIT);
		if (layout->decimals[i].squares)
			decimal->squares = decimal_total(decimal_int128(fast->squares), DECIMAL_SQUARES_POWER,
										 parts[i], DECIMAL_KEY_SQUARE);
		decimal->scales = all_scales(fast, parts[i]);
	}
	for (int i = 0; i < layout->nhistograms; i++)
		view->histograms[i] = parts[SUMMARY_PART(layout, i)];
	view->option = s->option != 0 && !summary_view_empty(view) ? s->option : 0;
}

/* Opens a value of either form for reading. */
void
summary_open(const SummaryLayout *layout, SummaryView *view, Datum value)
{
	struct varlena *p = summary_detoast(value);

	if (is_working(layout, p))
		open_working(layout, view, (Summary *) p);
	else
		summary_unpack_stored(layout, view, p);
}

/* Is this the summary of no rows? */
bool
summary_view_empty(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;

	for (int i = 0; i < layout->ncounts; i++)
	{
		if (view->counts[i] != 0)
			return false;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalView *decimal = &view->decimals[i];

		if (decimal->sum.ndigits > 0 || decimal->scales.n > 0 ||
			(layout->decimals[i].squares && decimal->squares.ndigits > 0))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (view->histograms[i].n > 0)
			return false;
	}
	return layout->series == NULL || (view->series.n == 0 && view->series.scales.n == 0);
}

static bool
bins_negative(HistogramBins bins)
{
	for (int i = 0; i < bins.n; i++)
	{
		if (bins.bin[i].count < 0)
			return true;
	}
	return false;
}

/* A sum may be negative, but not the number of its NaNs and infinities. */
static bool
points_negative(const SeriesField *field, const SeriesPoints *points)
{
	for (int i = 0; i < points->n; i++)
	{
		const SeriesPoint *point = &points->point[i];

		for (int j = 0; j < field->ncounts; j++)
		{
			if (point->counts[j] < 0)
				return true;
		}
		for (int j = 0; point->large != NULL && j < field->nsums; j++)
		{
			for (int k = 0; k < SERIES_SPECIALS; k++)
			{
				if (point->large[j].special[k] < 0)
					return true;
			}
		}
	}
	return bins_negative(points->scales);
}

/*
 * Is this the summary of some rows?  One with a negative count is a
 * difference that was never meant to be read.
 */
bool
summary_view_valid(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;

	for (int i = 0; i < layout->ncounts; i++)
	{
		if (view->counts[i] < 0)
			return false;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		if (bins_negative(view->decimals[i].scales))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (bins_negative(view->histograms[i]))
			return false;
	}
	if (layout->series != NULL && points_negative(layout->series, &view->series))
		return false;
	return layout->consistent == NULL || layout->consistent(view);
}

/*
 * Opens an argument of an accessor.  False where it has nothing to say,
 * because the value is not valid: the accessor then returns NULL.
 */
bool
summary_read(FunctionCallInfo fcinfo, int argument, const SummaryLayout *layout,
			 SummaryView *view)
{
	summary_open(layout, view, PG_GETARG_DATUM(argument));
	return summary_view_valid(view);
}

/* The packed form of a value of either form. */
struct varlena *
summary_packed(const SummaryLayout *layout, Datum value)
{
	struct varlena *p = summary_detoast(value);
	SummaryView view;

	if (!is_working(layout, p))
		return p;
	open_working(layout, &view, (Summary *) p);
	return summary_pack(&view);
}

/* How many rows a decimal has seen: NaN and the infinities count too. */
int64
decimal_view_rows(const DecimalView *view)
{
	return histogram_total(view->scales);
}

/* What the sum is: a number, or NaN or an infinity as sum(numeric) has it. */
DecimalKind
decimal_view_kind(const DecimalView *view)
{
	bool		plus = false;
	bool		minus = false;

	for (int i = 0; i < view->scales.n; i++)
	{
		if (view->scales.bin[i].key == DECIMAL_KEY_NAN)
			return DECIMAL_NAN;
		plus = plus || view->scales.bin[i].key == DECIMAL_KEY_PLUS_INF;
		minus = minus || view->scales.bin[i].key == DECIMAL_KEY_MINUS_INF;
	}
	return plus && minus ? DECIMAL_NAN :
		plus ? DECIMAL_PLUS_INF :
		minus ? DECIMAL_MINUS_INF : DECIMAL_FINITE;
}

/* The sum, with the display scale of sum(numeric); 0 if there were no rows. */
Numeric
decimal_view_sum(const DecimalView *view)
{
	DecimalKind kind = decimal_view_kind(view);
	int			dscale = 0;

	if (kind != DECIMAL_FINITE)
		return decimal_special_numeric(kind);
	for (int i = 0; i < view->scales.n; i++)
		dscale = (int) view->scales.bin[i].key;
	return decimal_to_numeric(&view->sum, dscale);
}
