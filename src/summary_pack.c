/*-------------------------------------------------------------------------
 *
 * summary_pack.c
 *	  The packed form of summaries, in which equal values are equal bytes.
 *
 * After the form and the type comes the option, if the type has one, then the
 * counts; then for each decimal its sum (and squares), a sum being twice its
 * number of digits plus one if it is negative, its weight, its digits; then
 * for each part the number of its bins and the bins, a key being given as the
 * difference to the one before; and the points of the series in the same way,
 * each with its counts and sums, and its display scales.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary_pack.h"
#include "utils/memutils.h"
#include "wire.h"

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

/* Says what does not fit 64 bits of 10^-4: digits, NaNs and infinities. */
static void
pack_large(StringInfo buf, const SeriesSum *sum)
{
	pack_decimal(buf, &sum->finite);
	for (int i = 0; i < SERIES_SPECIALS; i++)
		wire_write_signed(buf, sum->special[i]);
}

static void
pack_points(StringInfo buf, const SeriesField *field, const SeriesPoints *points)
{
	wire_write_unsigned(buf, points->n);
	for (int i = 0; i < points->n; i++)
	{
		const SeriesPoint *point = &points->point[i];

		if (i == 0)
			wire_write_signed(buf, point->key);
		else
			wire_write_unsigned(buf, (uint64) point->key - (uint64) point[-1].key);
		for (int j = 0; j < field->ncounts; j++)
			wire_write_signed(buf, point->counts[j]);
		if (field->nsums == 0)
			continue;
		appendStringInfoChar(buf, point->large != NULL ? 1 : 0);
		for (int j = 0; j < field->nsums; j++)
		{
			if (point->large != NULL)
				pack_large(buf, &point->large[j]);
			else
				wire_write_signed(buf, point->sums[j]);
		}
	}
	if (field->nsums > 0)
		pack_bins(buf, points->scales);
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
	if (layout->option != NULL)
		appendStringInfoChar(&buf, (char) view->option);
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
	if (layout->series != NULL)
		pack_points(&buf, layout->series, &view->series);
	SET_VARSIZE(buf.data, buf.len);
	return (struct varlena *) buf.data;
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

static bool
unpack_scales(WireReader *reader, HistogramBins *scales)
{
	return unpack_bins(reader, scales) &&
		(scales->n == 0 ||
		 (scales->bin[0].key >= 0 && scales->bin[scales->n - 1].key <= DECIMAL_KEY_LAST));
}

/* Reads the sums of a point, of which one or another is large. */
static bool
unpack_large(WireReader *reader, const SeriesField *field, SeriesPoint *point)
{
	point->large = palloc(field->nsums * sizeof(SeriesSum));
	for (int i = 0; i < field->nsums; i++)
	{
		if (!unpack_decimal(reader, &point->large[i].finite))
			return false;
		for (int j = 0; j < SERIES_SPECIALS; j++)
			point->large[i].special[j] = wire_read_signed(reader);
	}
	return !series_point_plain(point, field->nsums);
}

static bool
unpack_points(WireReader *reader, const SeriesField *field, SeriesPoints *points)
{
	uint64		n = wire_read_unsigned(reader);

	/* each has a byte at least for its key and every number */
	if (n > wire_left(reader) / (1 + field->ncounts + field->nsums))
		return false;
	points->n = (int) n;
	points->point = palloc_extended(Max(n, 1) * sizeof(SeriesPoint), MCXT_ALLOC_HUGE);
	for (int i = 0; i < points->n; i++)
	{
		SeriesPoint *point = &points->point[i];

		if (i == 0)
			point->key = wire_read_signed(reader);
		else
			point->key = (int64) ((uint64) point[-1].key + wire_read_unsigned(reader));

		/* keys ascend, and do not wrap around */
		if (i > 0 && point->key <= point[-1].key)
			return false;
		for (int j = 0; j < field->ncounts; j++)
			point->counts[j] = wire_read_signed(reader);
		point->large = NULL;
		if (field->nsums > 0)
		{
			uint8		large = wire_read_byte(reader);

			if (large > 1 || (large == 1 && !unpack_large(reader, field, point)))
				return false;
			for (int j = 0; large == 0 && j < field->nsums; j++)
			{
				point->sums[j] = wire_read_signed(reader);
				if (point->sums[j] == PG_INT64_MIN)
					return false;
			}
		}
		if (reader->failed || series_point_empty(point, field->ncounts, field->nsums))
			return false;
	}
	points->scales.n = 0;
	points->scales.bin = NULL;
	if (field->nsums > 0 && !unpack_scales(reader, &points->scales))
		return false;
	return points->scales.n == 0 ||
		points->scales.bin[points->scales.n - 1].key < DECIMAL_KEY_NAN;
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
	view->option = layout->option != NULL ? wire_read_byte(&reader) : 0;
	if (layout->option != NULL && view->option > layout->option->n)
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
		if (!unpack_scales(&reader, &view->decimals[i].scales))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (!unpack_bins(&reader, &view->histograms[i]))
			return false;
	}
	if (layout->series != NULL && !unpack_points(&reader, layout->series, &view->series))
		return false;
	if (reader.failed || reader.at != reader.end)
		return false;

	/* rows have an option, no rows have none */
	return layout->option == NULL || (view->option == 0) == summary_view_empty(view);
}

/* The same for a value that was stored. */
void
summary_unpack_stored(const SummaryLayout *layout, SummaryView *view, struct varlena *p)
{
	if (!summary_unpack(layout, view, VARDATA_ANY(p), VARSIZE_ANY_EXHDR(p)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid stored value of type %s", layout->type_name)));
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
 * four ranges of bytes to copy.  Neither has an option or a series.
 */
struct varlena *
summary_pack_part(const SummaryLayout *from, struct varlena *packed, const SummaryLayout *to,
				  int first_count, int first_decimal, int first_histogram)
{
	struct varlena *part = palloc(VARSIZE_ANY(packed) + VARHDRSZ);
	char	   *at = VARDATA(part);
	WireReader	reader;
	const uint8 *start;

	reader.at = (const uint8 *) VARDATA_ANY(packed);
	reader.end = reader.at + VARSIZE_ANY_EXHDR(packed);
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

/* ---------- the group law, from packed bytes to packed bytes ---------- */

/* Writes one unsigned number where there is room. */
static inline uint8 *
put_unsigned(uint8 *at, uint64 value)
{
	while (unlikely(value >= 0x80))
	{
		*at++ = (uint8) (0x80 | (value & 0x7F));
		value >>= 7;
	}
	*at++ = (uint8) value;
	return at;
}

static inline uint8 *
put_signed(uint8 *at, int64 value)
{
	return put_unsigned(at, ((uint64) value << 1) ^ (uint64) (value >> 63));
}

/*
 * The bins of a part, one after the other.  It stands in variables of its
 * reader, whose address nobody is given, so that it stays in registers.
 */
typedef struct BinCursor
{
	const uint8 *at;
	const uint8 *end;
	uint64		left;			/* bins behind this one */
	bool		any;			/* is there one? */
	int64		key;
	int64		count;
} BinCursor;

typedef struct BinNumbers
{
	const uint8 *at;			/* behind them; NULL: cannot be read */
	uint64		step;
	uint64		count;
} BinNumbers;

/* Reads the two numbers of a bin, of any length. */
static pg_noinline BinNumbers
bin_numbers(const uint8 *at, const uint8 *end)
{
	WireReader	reader = {at, end, false};
	BinNumbers	numbers;

	numbers.step = wire_read_unsigned(&reader);
	numbers.count = wire_read_unsigned(&reader);
	numbers.at = reader.failed ? NULL : reader.at;
	return numbers;
}

/* Goes on to the next bin; false if it cannot be read. */
static pg_attribute_always_inline bool
bin_next(BinCursor *bins, bool first, int sign)
{
	BinNumbers	numbers;

	bins->any = bins->left > 0;
	if (!bins->any)
		return true;
	bins->left--;

	/* mostly a small step and a small count, of a byte each */
	if (likely(bins->end - bins->at >= 2 && (bins->at[0] | bins->at[1]) < 0x80))
	{
		numbers.step = bins->at[0];
		numbers.count = bins->at[1];
		bins->at += 2;
	}
	else
	{
		numbers = bin_numbers(bins->at, bins->end);
		if (numbers.at == NULL)
			return false;
		bins->at = numbers.at;
	}
	if (first)
		bins->key = (int64) (numbers.step >> 1) ^ -(int64) (numbers.step & 1);
	else
	{
		int64		before = bins->key;

		/* keys ascend, and do not wrap around */
		bins->key = (int64) ((uint64) before + numbers.step);
		if (unlikely(bins->key <= before))
			return false;
	}
	bins->count = (int64) (numbers.count >> 1) ^ -(int64) (numbers.count & 1);
	if (sign < 0 && unlikely(pg_sub_s64_overflow(0, bins->count, &bins->count)))
		histogram_overflow();
	return bins->count != 0;
}

/* Writes a bin: the first of a part with its key, others with the step from the one before. */
static pg_attribute_always_inline uint8 *
put_bin(uint8 *at, bool first, int64 key, int64 before, int64 count)
{
	uint64		step = (uint64) key - (uint64) before;
	uint64		folded = ((uint64) count << 1) ^ (uint64) (count >> 63);

	if (likely(!first && (step | folded) < 0x80))
	{
		at[0] = (uint8) step;
		at[1] = (uint8) folded;
		return at + 2;
	}
	at = first ? put_signed(at, key) : put_unsigned(at, step);
	return put_unsigned(at, folded);
}

/* The size of so many bins; -1 if they cannot be read. */
static ptrdiff_t
bins_size(const uint8 *at, const uint8 *end, uint64 bins)
{
	WireReader	reader = {at, end, false};

	wire_skip(&reader, bins * 2);
	return reader.failed ? -1 : reader.at - at;
}

/* Can small steps be added to its key, and small counts to its count, without an overflow? */
static pg_attribute_always_inline bool
is_small_bin(const BinCursor *bins)
{
	return bins->key < PG_INT64_MAX / 2 && bins->left < PG_INT64_MAX / 2 / 0x80 &&
		bins->count > PG_INT32_MIN && bins->count < PG_INT32_MAX;
}

/*
 * Is there a next bin of both, of two bytes that are neither 0, as no step and
 * no count is, nor part of a longer number?
 */
static pg_attribute_always_inline bool
both_are_bytes(const BinCursor *a, const BinCursor *b)
{
	uint16		of_a;
	uint16		of_b;

	if (a->left == 0 || b->left == 0 || a->end - a->at < 2 || b->end - b->at < 2)
		return false;
	memcpy(&of_a, a->at, sizeof(of_a));
	memcpy(&of_b, b->at, sizeof(of_b));
	return ((of_a | of_b | (of_a - 0x0101) | (of_b - 0x0101)) & 0x8080) == 0;
}

/* A part of the sum: NULL if it cannot be read. */
static pg_attribute_always_inline uint8 *
merge_bins_signed(WireReader *a_reader, WireReader *b_reader, int sign, uint8 *at)
{
	BinCursor	a;
	BinCursor	b;
	uint64		n = 0;
	int64		before = 0;
	uint8	   *start = at;
	uint8	   *bins;
	int			head;

	a.left = wire_read_unsigned(a_reader);
	b.left = wire_read_unsigned(b_reader);
	if (a.left > wire_left(a_reader) / 2 || b.left > wire_left(b_reader) / 2)
		return NULL;

	/* how many there will be is only known at the end: room for the most */
	bins = at = put_unsigned(at, a.left + b.left);
	a.at = a_reader->at;
	a.end = a_reader->end;
	b.at = b_reader->at;
	b.end = b_reader->end;
	a.key = b.key = a.count = b.count = 0;
	if (!bin_next(&a, true, 1) || !bin_next(&b, true, sign))
		return NULL;
	while (b.any && (a.any || sign < 0))
	{
		bool		of_a;
		bool		of_b;
		int64		key;
		int64		count;

		/*
		 * Whose bin is the next is anybody's guess, also the processor's. So
		 * as long as steps and counts are a byte each, both are read, and
		 * what is not due is masked out.
		 */
		if (n > 0 && is_small_bin(&a) && is_small_bin(&b))
		{
			while (both_are_bytes(&a, &b))
			{
				int64		a_mask = -(int64) (a.key <= b.key);
				int64		b_mask = -(int64) (b.key <= a.key);
				int64		a_count = (a.at[1] >> 1) ^ -(int64) (a.at[1] & 1);
				int64		b_count = ((b.at[1] >> 1) ^ -(int64) (b.at[1] & 1)) * sign;

				key = Min(a.key, b.key);
				count = (a.count & a_mask) + (b.count & b_mask);
				if (likely(count != 0))
				{
					at = put_bin(at, false, key, before, count);
					n++;
					before = key;
				}
				a.key += a.at[0] & a_mask;
				a.count = (a_count & a_mask) | (a.count & ~a_mask);
				a.at += 2 & a_mask;
				a.left += a_mask;
				b.key += b.at[0] & b_mask;
				b.count = (b_count & b_mask) | (b.count & ~b_mask);
				b.at += 2 & b_mask;
				b.left += b_mask;
			}
		}

		of_a = a.any && a.key <= b.key;
		of_b = !of_a || b.key == a.key;
		key = of_a ? a.key : b.key;
		count = of_a ? a.count : b.count;
		if (of_a && of_b && unlikely(pg_add_s64_overflow(count, b.count, &count)))
			histogram_overflow();
		if ((of_a && !bin_next(&a, false, 1)) || (of_b && !bin_next(&b, false, sign)))
			return NULL;
		if (unlikely(count == 0))
			continue;
		at = put_bin(at, n++ == 0, key, before, count);
		before = key;
	}

	/*
	 * Behind the last bin of the other, bins are written as they stand there,
	 * steps being from one to the next: of a large value to which a small one
	 * is added, that is most.
	 */
	if (a.any || b.any)
	{
		const uint8 *rest = a.any ? a.at : b.at;
		uint64		left = a.any ? a.left : b.left;
		ptrdiff_t	size = bins_size(rest, a.any ? a.end : b.end, left);

		if (size < 0)
			return NULL;
		at = put_bin(at, n == 0, a.any ? a.key : b.key, before, a.any ? a.count : b.count);
		memcpy(at, rest, size);
		at += size;
		n += 1 + left;
		if (a.any)
			a.at += size;
		else
			b.at += size;
	}
	a_reader->at = a.at;
	b_reader->at = b.at;
	head = (int) (put_unsigned(start, n) - start);
	if (start + head < bins)
	{
		memmove(start + head, bins, at - bins);
		at -= bins - (start + head);
	}
	return at;
}

static uint8 *
merge_bins(WireReader *a_reader, WireReader *b_reader, int sign, uint8 *at)
{
	return sign > 0 ? merge_bins_signed(a_reader, b_reader, 1, at) :
		merge_bins_signed(a_reader, b_reader, -1, at);
}

/* What a decimal takes at most that an int128 holds. */
#define PACKED_INT128_SIZE 40

/*
 * A sum of the sum.  False if it cannot be read, or is larger than this can
 * add: then *large is true.
 */
static bool
merge_decimal(WireReader *a_reader, WireReader *b_reader, int power, int sign, uint8 **at,
			  bool *large)
{
	DecimalValue a;
	DecimalValue b;
	int128		a_number;
	int128		b_number;

	if (!unpack_decimal(a_reader, &a) || !unpack_decimal(b_reader, &b))
		return false;

	/* nine digits of 10^4 each at most: the sum of two is no overflow */
	if (!decimal_to_int128(&a, power, &a_number) || !decimal_to_int128(&b, power, &b_number))
	{
		*large = true;
		return false;
	}
	decimal_from_int128(&a, a_number + b_number * sign, power);
	*at = put_unsigned(*at, (uint64) a.ndigits * 2 + (a.negative ? 1 : 0));
	if (a.ndigits > 0)
		*at = put_signed(*at, a.weight);
	for (int i = 0; i < a.ndigits; i++)
		*at = put_unsigned(*at, a.digits[i]);
	return true;
}

/*
 * a + b (sign 1) or a - b (sign -1), read and written number by number: for
 * values of like size that is much quicker than a hash table.  NULL where it
 * takes more than that: options, series, and very large or very small sums.
 */
struct varlena *
summary_pack_merge(const SummaryLayout *layout, struct varlena *a, struct varlena *b, int sign)
{
	size_t		a_size = VARSIZE_ANY_EXHDR(a);
	size_t		b_size = VARSIZE_ANY_EXHDR(b);
	size_t		room = VARHDRSZ + a_size + b_size +
		layout->ndecimals * 2 * PACKED_INT128_SIZE + SUMMARY_PARTS(layout) * 10;
	WireReader	a_reader = {(const uint8 *) VARDATA_ANY(a), (const uint8 *) VARDATA_ANY(a) + a_size, false};
	WireReader	b_reader = {(const uint8 *) VARDATA_ANY(b), (const uint8 *) VARDATA_ANY(b) + b_size, false};
	struct varlena *sum;
	uint8	   *at;
	bool		large = false;

	if (layout->option != NULL || layout->series != NULL || !AllocSizeIsValid(room))
		return NULL;
	if (wire_read_byte(&a_reader) != SUMMARY_PACKED || wire_read_byte(&a_reader) != layout->type_id ||
		wire_read_byte(&b_reader) != SUMMARY_PACKED || wire_read_byte(&b_reader) != layout->type_id)
		goto fault;

	/*
	 * A sum is no longer than what was added, but for sums of decimals and
	 * the first key of a part, which may be further from the one before it
	 * than from 0.
	 */
	sum = palloc(room);
	at = (uint8 *) VARDATA(sum);
	*at++ = SUMMARY_PACKED;
	*at++ = layout->type_id;
	for (int i = 0; i < layout->ncounts; i++)
	{
		int64		count = wire_read_signed(&a_reader);
		int64		other = wire_read_signed(&b_reader);

		if (unlikely(sign > 0 ? pg_add_s64_overflow(count, other, &count) :
					 pg_sub_s64_overflow(count, other, &count)))
			histogram_overflow();
		at = put_signed(at, count);
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		if (!merge_decimal(&a_reader, &b_reader, DECIMAL_SUM_POWER, sign, &at, &large) ||
			(layout->decimals[i].squares &&
			 !merge_decimal(&a_reader, &b_reader, DECIMAL_SQUARES_POWER, sign, &at, &large)))
		{
			if (!large)
				goto fault;
			pfree(sum);
			return NULL;
		}
	}
	for (int i = 0; i < SUMMARY_PARTS(layout); i++)
	{
		at = merge_bins(&a_reader, &b_reader, sign, at);
		if (at == NULL)
			goto fault;
	}
	if (a_reader.failed || a_reader.at != a_reader.end ||
		b_reader.failed || b_reader.at != b_reader.end)
		goto fault;
	SET_VARSIZE(sum, (char *) at - (char *) sum);
	return sum;

fault:
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid stored value of type %s", layout->type_name)));
}
