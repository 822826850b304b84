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

/* Reads a sum; its digits are allocated.  False if it cannot be read. */
bool
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
