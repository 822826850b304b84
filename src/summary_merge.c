/*-------------------------------------------------------------------------
 *
 * summary_merge.c
 *	  The group law of summaries, from packed bytes to packed bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "summary_pack.h"
#include "utils/memutils.h"

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
