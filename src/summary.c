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
#include "wire.h"

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
 * Makes a working value with a histogram as planned.  Sizes are powers of two
 * as long as that is what the memory allocator hands out anyway.
 */
static Summary *
summary_alloc(const SummaryLayout *layout, const HistogramPlan *plan)
{
	size_t		fixed = fixed_size(layout);
	uint64		wanted = fixed + histogram_plan_size(plan);
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
	histogram_init(summary_histogram(layout, s), size - fixed, plan);
	return s;
}

/* An empty value in working form. */
Summary *
summary_new(const SummaryLayout *layout)
{
	HistogramPlan plan;

	plan.wide = false;
	plan.slots = SUMMARY_PARTS(layout) > 0 ? HISTOGRAM_MIN_SLOTS : 0;
	plan.nparts = plan.nwindows = 0;
	plan.window_counts = 0;
	return summary_alloc(layout, &plan);
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
	larger = summary_alloc(layout, &plan);
	memcpy(SUMMARY_COUNTS(larger), SUMMARY_COUNTS(s),
		   fixed_size(layout) - sizeof(Summary));
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

/* A count to add, or to take away. */
static inline int64
signed_count(int64 count, int sign)
{
	if (sign < 0 && pg_sub_s64_overflow(0, count, &count))
		histogram_overflow();
	return count;
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

	return VARATT_IS_4B_U(p) && VARSIZE(p) >= fixed_size(layout) + sizeof(Histogram) &&
		s->form == SUMMARY_WORKING && s->type_id == layout->type_id;
}

static void
unpack_stored(const SummaryLayout *layout, SummaryView *view, struct varlena *p)
{
	if (!summary_unpack(layout, view, VARDATA_ANY(p), VARSIZE_ANY_EXHDR(p)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid stored value of type %s", layout->type_name)));
}

/* The group law: adds (sign 1) or takes away (sign -1) a value of either form. */
Summary *
summary_absorb(const SummaryLayout *layout, Summary *s, Datum value, int sign)
{
	struct varlena *p = summary_detoast(value);
	SummaryView view;

	if (is_working(layout, p))
		return absorb_working(layout, s, (Summary *) p, sign);
	unpack_stored(layout, &view, p);
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
}

/* Opens a value of either form for reading. */
void
summary_open(const SummaryLayout *layout, SummaryView *view, Datum value)
{
	struct varlena *p = summary_detoast(value);

	if (is_working(layout, p))
		open_working(layout, view, (Summary *) p);
	else
		unpack_stored(layout, view, p);
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

/*
 * Packing.  After the form and the type come the counts; then for each
 * decimal its sum (and squares), a sum being twice its number of digits plus
 * one if it is negative, its weight, its digits; then for each part the
 * number of its bins and the bins, a key being given as the difference to the
 * one before.
 */

static void
pack_decimal(StringInfo buf, const DecimalValue *value)
{
	wire_write_unsigned(buf, (uint64) value->ndigits * 2 + (value->negative ? 1 : 0));
	if (value->ndigits == 0)
		return;
	wire_write_signed(buf, value->weight);
	for (int i = 0; i < value->ndigits; i++)
		wire_write_unsigned(buf, value->digits[i]);
}

static void
pack_bins(StringInfo buf, HistogramBins bins)
{
	wire_write_unsigned(buf, bins.n);
	for (int i = 0; i < bins.n; i++)
	{
		if (i == 0)
			wire_write_signed(buf, bins.bin[i].key);
		else
			wire_write_unsigned(buf, (uint64) bins.bin[i].key - (uint64) bins.bin[i - 1].key);
		wire_write_signed(buf, bins.bin[i].count);
	}
}

/* Writes an opened value in its packed form. */
struct varlena *
summary_pack(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoSpaces(&buf, VARHDRSZ);
	appendStringInfoChar(&buf, SUMMARY_PACKED);
	appendStringInfoChar(&buf, (char) layout->type_id);
	for (int i = 0; i < layout->ncounts; i++)
		wire_write_signed(&buf, view->counts[i]);
	for (int i = 0; i < layout->ndecimals; i++)
	{
		pack_decimal(&buf, &view->decimals[i].sum);
		if (layout->decimals[i].squares)
			pack_decimal(&buf, &view->decimals[i].squares);
	}
	for (int i = 0; i < layout->ndecimals; i++)
		pack_bins(&buf, view->decimals[i].scales);
	for (int i = 0; i < layout->nhistograms; i++)
		pack_bins(&buf, view->histograms[i]);
	SET_VARSIZE(buf.data, buf.len);
	return (struct varlena *) buf.data;
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

static bool
unpack_decimal(WireReader *reader, DecimalValue *value)
{
	uint64		head = wire_read_unsigned(reader);
	int64		weight;

	value->negative = (head & 1) != 0;
	value->ndigits = value->weight = 0;
	value->digits = NULL;
	if (head < 2)
		return head == 0;
	if (head / 2 > wire_left(reader))
		return false;

	value->ndigits = (int) (head / 2);
	weight = wire_read_signed(reader);
	if (weight > DECIMAL_MAX_POWER - 10 || weight < value->ndigits - DECIMAL_MAX_POWER)
		return false;
	value->weight = (int) weight;
	value->digits = palloc(value->ndigits * sizeof(int16));
	for (int i = 0; i < value->ndigits; i++)
	{
		uint64		digit = wire_read_unsigned(reader);

		if (digit > 9999)
			return false;
		value->digits[i] = (int16) digit;
	}
	return value->digits[0] != 0 && value->digits[value->ndigits - 1] != 0;
}

static bool
unpack_bins(WireReader *reader, HistogramBins *bins)
{
	uint64		n = wire_read_unsigned(reader);

	/* a bin takes two bytes at least: no small message allocates much */
	if (n > wire_left(reader) / 2)
		return false;
	bins->n = (int) n;
	bins->bin = palloc_extended(Max(n, 1) * sizeof(HistogramBin), MCXT_ALLOC_HUGE);
	if (n == 0)
		return true;

	bins->bin[0].key = wire_read_signed(reader);
	bins->bin[0].count = wire_read_signed(reader);
	if (bins->bin[0].count == 0)
		return false;
	for (int i = 1; i < bins->n; i++)
	{
		HistogramBin *bin = &bins->bin[i];
		const uint8 *at = reader->at;

		/* mostly a small step and a small count, of a byte each */
		if (likely(reader->end - at >= 2 && (at[0] | at[1]) < 0x80))
		{
			bin->key = (int64) ((uint64) bin[-1].key + at[0]);
			bin->count = (int64) (at[1] >> 1) ^ -(int64) (at[1] & 1);
			reader->at = at + 2;
		}
		else
		{
			bin->key = (int64) ((uint64) bin[-1].key + wire_read_unsigned(reader));
			bin->count = wire_read_signed(reader);
		}

		/* keys ascend, and do not wrap around */
		if (bin->key <= bin[-1].key || bin->count == 0)
			return false;
	}
	return true;
}

/*
 * Opens packed bytes, wherever they come from: false unless they are exactly
 * what summary_pack would have written.
 */
bool
summary_unpack(const SummaryLayout *layout, SummaryView *view,
			   const char *data, size_t size)
{
	WireReader	reader;

	reader.at = (const uint8 *) data;
	reader.end = reader.at + size;
	reader.failed = false;

	view->layout = layout;
	if (wire_read_byte(&reader) != SUMMARY_PACKED ||
		wire_read_byte(&reader) != layout->type_id)
		return false;
	for (int i = 0; i < layout->ncounts; i++)
		view->counts[i] = wire_read_signed(&reader);
	for (int i = 0; i < layout->ndecimals; i++)
	{
		DecimalView *decimal = &view->decimals[i];

		if (!unpack_decimal(&reader, &decimal->sum))
			return false;
		if (layout->decimals[i].squares && !unpack_decimal(&reader, &decimal->squares))
			return false;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		HistogramBins *scales = &view->decimals[i].scales;

		if (!unpack_bins(&reader, scales))
			return false;
		if (scales->n > 0 &&
			(scales->bin[0].key < 0 || scales->bin[scales->n - 1].key > DECIMAL_KEY_LAST))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (!unpack_bins(&reader, &view->histograms[i]))
			return false;
	}
	return !reader.failed && reader.at == reader.end;
}

/* Passes over some of the decimals of packed bytes. */
static void
skip_decimals(WireReader *reader, const DecimalField *fields, int n)
{
	for (int i = 0; i < n; i++)
	{
		for (int j = fields[i].squares ? 2 : 1; j > 0; j--)
		{
			uint64		ndigits = wire_read_unsigned(reader) / 2;

			wire_skip(reader, ndigits > 0 ? ndigits + 1 : 0);
		}
	}
}

/* Passes over some of the parts of packed bytes. */
static void
skip_parts(WireReader *reader, int n)
{
	for (; n > 0; n--)
	{
		uint64		bins = wire_read_unsigned(reader);

		wire_skip(reader, Min(bins, PG_UINT64_MAX / 2) * 2);
	}
}

/*
 * A part of a value as a summary of its own: the fields from the given ones
 * on, as many as the part's layout has.  Packed bytes have all counts, then
 * all decimals, then their side histograms, then the histograms, so these are
 * four ranges of bytes to copy.
 */
struct varlena *
summary_part(const SummaryLayout *from, Datum value, const SummaryLayout *to,
			 int first_count, int first_decimal, int first_histogram)
{
	struct varlena *p = summary_packed(from, value);
	struct varlena *part = palloc(VARSIZE_ANY(p) + VARHDRSZ);
	char	   *at = VARDATA(part);
	WireReader	reader;
	const uint8 *start;

	reader.at = (const uint8 *) VARDATA_ANY(p);
	reader.end = reader.at + VARSIZE_ANY_EXHDR(p);
	reader.failed = false;
	(void) wire_read_byte(&reader);
	(void) wire_read_byte(&reader);
	*at++ = SUMMARY_PACKED;
	*at++ = (char) to->type_id;

#define COPY_RANGE(skip_before, skip_range, skip_after) \
	do { \
		skip_before; \
		start = reader.at; \
		skip_range; \
		memcpy(at, start, reader.at - start); \
		at += reader.at - start; \
		skip_after; \
	} while (0)

	COPY_RANGE(wire_skip(&reader, first_count),
			   wire_skip(&reader, to->ncounts),
			   wire_skip(&reader, from->ncounts - first_count - to->ncounts));
	COPY_RANGE(skip_decimals(&reader, from->decimals, first_decimal),
			   skip_decimals(&reader, from->decimals + first_decimal, to->ndecimals),
			   skip_decimals(&reader, from->decimals + first_decimal + to->ndecimals,
							 from->ndecimals - first_decimal - to->ndecimals));
	COPY_RANGE(skip_parts(&reader, first_decimal),
			   skip_parts(&reader, to->ndecimals),
			   skip_parts(&reader, from->ndecimals - first_decimal - to->ndecimals));
	COPY_RANGE(skip_parts(&reader, first_histogram),
			   skip_parts(&reader, to->nhistograms),
			   /* the rest is not wanted */ );
#undef COPY_RANGE

	if (reader.failed)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid stored value of type %s", from->type_name)));
	SET_VARSIZE(part, at - (char *) part);
	return part;
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
