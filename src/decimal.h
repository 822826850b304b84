/*-------------------------------------------------------------------------
 *
 * decimal.h
 *	  Exact sums of numeric, in which taking back is as exact as adding.
 *
 * A DecimalSum is the fast part: the sum in 10^-4 as an int128, and the sum of
 * squares in 10^-8.  Money fits it.  Whatever does not goes, digit by digit,
 * into the side histogram that belongs to the sum: there a key stands for a
 * power of 10000 and its signed count for the sum of that digit over all
 * rows.  The value is the two parts together.  The same side histogram counts
 * the rows by display scale, and the rows that are NaN or infinite, because
 * sum(numeric) shows the largest scale that it has seen, and that must still
 * hold after rows were taken back.
 *
 * Knows the digits of numeric (its format on disk, the same since 9.1) and
 * palloc; nothing of fmgr or SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_DECIMAL_H
#define SALES_PERF_DECIMAL_H

#include "postgres.h"

#include "compat.h"
#include "histogram.h"
#include "utils/numeric.h"

/* The fast part.  The int128s stand in two int64s each: their alignment. */
typedef struct DecimalSum
{
	int64		sum[2];			/* int128, in 10^-4 */
	int64		squares[2];		/* int128, in 10^-8 */
	int64		rows;			/* rows of the display scale below; the rows
								 * of other scales stand in the histogram */
	int64		scale;
} DecimalSum;

/* Keys of the side histogram. */
#define DECIMAL_KEY_NAN			INT64CONST(16384)	/* below: display scales */
#define DECIMAL_KEY_PLUS_INF	INT64CONST(16385)
#define DECIMAL_KEY_MINUS_INF	INT64CONST(16386)
#define DECIMAL_KEY_LAST		DECIMAL_KEY_MINUS_INF
#define DECIMAL_KEY_DIGIT		(INT64CONST(1) << 22)	/* + power of 10000 */
#define DECIMAL_KEY_SQUARE		(INT64CONST(1) << 24)	/* + power of 10000 */

/*
 * Powers of 10000 of any numeric or square of one lie between these, with
 * room to spare for the carries of a sum.
 */
#define DECIMAL_MAX_POWER		80000

/* A decimal number for reading: value = sign * sum(digit[i] * 10000^(weight - i)). */
typedef struct DecimalValue
{
	bool		negative;
	int			weight;
	int			ndigits;		/* no zero at either end; 0 digits is 0 */
	int16	   *digits;			/* each 0 to 9999 */
} DecimalValue;

/* What kind of number a numeric is. */
typedef enum DecimalKind
{
	DECIMAL_FINITE,
	DECIMAL_NAN,
	DECIMAL_PLUS_INF,
	DECIMAL_MINUS_INF
} DecimalKind;

/* A numeric, opened: its digits still where they were, perhaps unaligned. */
typedef struct DecimalNumeric
{
	DecimalKind kind;
	bool		negative;
	int			dscale;
	int			weight;
	int			ndigits;
	const char *digits;			/* int16 [ndigits] */
} DecimalNumeric;

/* numeric's header on disk: numeric.c has the full story */
#define NUMERIC_HEADER_SHORT		0x8000
#define NUMERIC_HEADER_SPECIAL		0xC000
#define NUMERIC_HEADER_SIGN_MASK	0xC000
#define NUMERIC_HEADER_NEGATIVE		0x4000
#define NUMERIC_HEADER_PLUS_INF		0xD000
#define NUMERIC_HEADER_MINUS_INF	0xF000
#define NUMERIC_HEADER_EXT_MASK		0xF000
#define NUMERIC_LONG_DSCALE_MASK	0x3FFF
#define NUMERIC_SHORT_NEGATIVE		0x2000
#define NUMERIC_SHORT_DSCALE_MASK	0x1F80
#define NUMERIC_SHORT_DSCALE_SHIFT	7
#define NUMERIC_SHORT_WEIGHT_SIGN	0x0040
#define NUMERIC_SHORT_WEIGHT_MASK	0x003F

/* Opens a numeric given the bytes behind its varlena header. */
static inline void
decimal_open(DecimalNumeric *number, const char *data, size_t size)
{
	uint16		header;

	memcpy(&header, data, sizeof(header));
	if (likely((header & NUMERIC_HEADER_SPECIAL) == NUMERIC_HEADER_SHORT))
	{
		number->kind = DECIMAL_FINITE;
		number->negative = (header & NUMERIC_SHORT_NEGATIVE) != 0;
		number->dscale = (header & NUMERIC_SHORT_DSCALE_MASK) >> NUMERIC_SHORT_DSCALE_SHIFT;
		number->weight = (header & NUMERIC_SHORT_WEIGHT_MASK) -
			((header & NUMERIC_SHORT_WEIGHT_SIGN) ? NUMERIC_SHORT_WEIGHT_SIGN : 0);
		number->digits = data + sizeof(uint16);
		number->ndigits = (int) ((size - sizeof(uint16)) / sizeof(int16));
	}
	else if ((header & NUMERIC_HEADER_SPECIAL) == NUMERIC_HEADER_SPECIAL)
	{
		header &= NUMERIC_HEADER_EXT_MASK;
		number->kind = header == NUMERIC_HEADER_PLUS_INF ? DECIMAL_PLUS_INF :
			header == NUMERIC_HEADER_MINUS_INF ? DECIMAL_MINUS_INF : DECIMAL_NAN;
		number->negative = false;
		number->dscale = number->weight = number->ndigits = 0;
		number->digits = NULL;
	}
	else
	{
		int16		weight;

		memcpy(&weight, data + sizeof(uint16), sizeof(weight));
		number->kind = DECIMAL_FINITE;
		number->negative = (header & NUMERIC_HEADER_SIGN_MASK) == NUMERIC_HEADER_NEGATIVE;
		number->dscale = header & NUMERIC_LONG_DSCALE_MASK;
		number->weight = weight;
		number->digits = data + 2 * sizeof(uint16);
		number->ndigits = (int) ((size - 2 * sizeof(uint16)) / sizeof(int16));
	}
}

/* Opens a numeric datum, which may be toasted. */
static inline DecimalNumeric
decimal_numeric(Datum datum)
{
	struct varlena *p = PG_DETOAST_DATUM_PACKED(datum);
	DecimalNumeric number;

	decimal_open(&number, VARDATA_ANY(p), VARSIZE_ANY_EXHDR(p));
	return number;
}

/* Is it above 0, and not NaN? */
static inline bool
decimal_above_zero(const DecimalNumeric *number)
{
	return number->kind == DECIMAL_PLUS_INF ||
		(number->kind == DECIMAL_FINITE && !number->negative && number->ndigits > 0);
}

/* One digit (0 to 9999) of those of a numeric. */
static inline int
decimal_digit_at(const char *digits, int i)
{
	int16		digit;

	memcpy(&digit, digits + (size_t) i * sizeof(int16), sizeof(digit));
	return digit;
}

static inline int
decimal_digit(const DecimalNumeric *number, int i)
{
	return decimal_digit_at(number->digits, i);
}

/*
 * Reads a numeric of everyday size straight off its bytes: *mantissa is it in
 * units of 10^-4.  False where it is not finite, has digits beyond those four
 * decimals, is 10^12 or more, or is toasted; what it is then is for
 * decimal_open to say.
 */
static pg_attribute_always_inline bool
decimal_mantissa(Datum datum, int64 *mantissa, int *dscale)
{
	const struct varlena *p = (const struct varlena *) DatumGetPointer(datum);
	const char *data;
	int			bytes;
	uint16		header;
	int			weight;
	int			ndigits;
	int64		value = 0;
	static const int64 power[] = {1, 10000, 100000000, INT64CONST(1000000000000), INT64CONST(10000000000000000)};

	if (likely(VARATT_IS_SHORT(p)))
	{
		data = VARDATA_SHORT(p);
		bytes = VARSIZE_SHORT(p) - VARHDRSZ_SHORT - (int) sizeof(uint16);
	}
	else if (VARATT_IS_4B_U(p))
	{
		data = VARDATA(p);
		bytes = (int) VARSIZE(p) - VARHDRSZ - (int) sizeof(uint16);
	}
	else
		return false;
	memcpy(&header, data, sizeof(header));
	if (unlikely((header & NUMERIC_HEADER_SPECIAL) != NUMERIC_HEADER_SHORT))
		return false;

	/* the weight is a signed number of 7 bits */
	weight = (int) ((header & (NUMERIC_SHORT_WEIGHT_SIGN | NUMERIC_SHORT_WEIGHT_MASK)) ^
					NUMERIC_SHORT_WEIGHT_SIGN) - NUMERIC_SHORT_WEIGHT_SIGN;
	ndigits = (int) ((unsigned) bytes / sizeof(int16));
	if (unlikely((unsigned) (weight + 1) > 3 || ndigits > weight + 2))
	{
		if (ndigits != 0)
			return false;
		weight = -1;
	}

	/* four digits at most; two, as of most amounts with cents, without a loop */
	data += sizeof(uint16);
	if (likely(ndigits >= 2))
	{
		int16		two[2];

		memcpy(two, data, sizeof(two));
		value = two[0] * 10000 + two[1];
		for (int i = 2; unlikely(i < ndigits); i++)
			value = value * 10000 + decimal_digit_at(data, i);
	}
	else if (ndigits == 1)
		value = decimal_digit_at(data, 0);
	value *= power[weight + 2 - ndigits];
	*mantissa = (header & NUMERIC_SHORT_NEGATIVE) ? -value : value;
	*dscale = (header & NUMERIC_SHORT_DSCALE_MASK) >> NUMERIC_SHORT_DSCALE_SHIFT;
	return true;
}

/* The powers of 10000 that stand for 10^-4 and 10^-8. */
#define DECIMAL_SUM_POWER		(-1)
#define DECIMAL_SQUARES_POWER	(-2)

static inline int128
decimal_int128(const int64 *stored)
{
	int128		value;

	memcpy(&value, stored, sizeof(value));
	return value;
}

/* Adds to a stored int128; false, and nothing changed, if it overflows. */
static inline bool
decimal_accumulate(int64 *stored, int128 addend)
{
	int128		value = decimal_int128(stored);

	if (unlikely(__builtin_add_overflow(value, addend, &value)))
		return false;
	memcpy(stored, &value, sizeof(value));
	return true;
}

/*
 * Bucket keys of a quantile histogram of amounts: the decimal exponent and
 * three leading digits, in steps of 1 below 200, 2 below 500 and 5 above,
 * which is 350 buckets a decade.  Negative amounts have the negative keys.
 */
#define AMOUNT_BUCKETS_PER_DECADE	350
#define AMOUNT_KEY_EXPONENT_BIAS	16400	/* numeric has 16383 decimals */
#define AMOUNT_KEY_PLUS_INF			INT64CONST(100000000)
#define AMOUNT_KEY_NAN				INT64CONST(100000001)
#define AMOUNT_KEY_MINUS_INF		(-AMOUNT_KEY_PLUS_INF)

/*
 * The bucket of three leading digits, 100 to 999: leading - 100 below 200,
 * leading / 2 below 500, and leading / 5 + 150 from there on.  The steps grow,
 * so it is the least of the three, found without a branch: amounts come in no
 * order.
 */
static inline int
amount_bucket(uint32 leading)
{
	uint32		below_200 = leading - 100;
	uint32		below_500 = leading / 2;
	uint32		above = leading / 5 + 150;

	return (int) Min(Min(below_200, below_500), above);
}

/*
 * The bucket of a number above 0 whose three leading digits are these, and
 * whose first digit is worth 10^exponent.
 */
static inline int64
bucket_key(uint32 leading, int exponent)
{
	return (int64) (exponent + AMOUNT_KEY_EXPONENT_BIAS) * AMOUNT_BUCKETS_PER_DECADE +
		amount_bucket(leading) + 1;
}

extern int64 decimal_bucket(Datum number);
extern int64 mantissa_bucket_small(int64 mantissa);

/* The quantile bucket of a number given in units of 10^-4, below 10^16. */
static inline int64
mantissa_bucket(int64 mantissa)
{
	/* powers of ten, by the digits of the number before them */
	static const uint64 power_of_ten[] = {
		0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		UINT64CONST(1000000000), UINT64CONST(10000000000), UINT64CONST(100000000000),
		UINT64CONST(1000000000000), UINT64CONST(10000000000000),
		UINT64CONST(100000000000000), UINT64CONST(1000000000000000),
		UINT64CONST(10000000000000000)
	};

	/*
	 * By the number of digits: what takes all but three away, and the key of
	 * the bucket before the first.  10^-i is times / 2^(64 + shift), rounded
	 * up, where shift is the whole part of log2(10^i): dividing by 10^i this
	 * way is exact for numbers of i + 3 digits, as 10^(i+3) * (times * 10^i -
	 * 2^(64+shift)) is below 2^(64+shift).
	 */
#define DIGITS(n, times, shift) \
	{UINT64CONST(times), shift, \
	 (n - 1 - 4 + AMOUNT_KEY_EXPONENT_BIAS) * AMOUNT_BUCKETS_PER_DECADE + 1}
	static const struct
	{
		uint64		times;
		int32		shift;
		int32		key;
	}			digits[] = {
		{0}, {0}, {0}, {0},
		DIGITS(4, 14757395258967641293, 3),
		DIGITS(5, 11805916207174113035, 6),
		DIGITS(6, 9444732965739290428, 9),
		DIGITS(7, 15111572745182864684, 13),
		DIGITS(8, 12089258196146291748, 16),
		DIGITS(9, 9671406556917033398, 19),
		DIGITS(10, 15474250491067253437, 23),
		DIGITS(11, 12379400392853802749, 26),
		DIGITS(12, 9903520314283042200, 29),
		DIGITS(13, 15845632502852867519, 33),
		DIGITS(14, 12676506002282294015, 36),
		DIGITS(15, 10141204801825835212, 39),
		DIGITS(16, 16225927682921336340, 43)
	};
#undef DIGITS
	uint64		size = mantissa < 0 ? -mantissa : mantissa;
	int			ndigits;
	uint32		leading;
	int64		key;

	if (unlikely(size < 1000))
		return mantissa_bucket_small(mantissa);

	/* how many digits: from the number of bits, as log10(2) is about 1233 / 4096 */
	ndigits = (64 - __builtin_clzll(size)) * 1233 >> 12;
	ndigits += size >= power_of_ten[ndigits];
	leading = (uint32) ((uint64) (((unsigned __int128) size * digits[ndigits].times) >> 64) >>
						digits[ndigits].shift);
	key = digits[ndigits].key + amount_bucket(leading);
	return mantissa < 0 ? -key : key;
}

extern DecimalValue decimal_bucket_middle(int64 key);

extern DecimalValue decimal_value(const DecimalNumeric *number);
extern void decimal_from_int128(DecimalValue *value, int128 number, int power);
extern bool decimal_to_int128(const DecimalValue *value, int power, int128 *number);
extern DecimalValue decimal_total(int128 number, int power,
								  HistogramBins side, int64 first_key);
extern DecimalValue decimal_square(const DecimalNumeric *number);
extern double decimal_leading(const DecimalValue *value, int *power);
extern Numeric decimal_to_numeric(const DecimalValue *value, int dscale);
extern Numeric decimal_special_numeric(DecimalKind kind);

#endif							/* SALES_PERF_DECIMAL_H */
