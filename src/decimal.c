/*-------------------------------------------------------------------------
 *
 * decimal.c
 *	  Exact sums of numeric, in which taking back is as exact as adding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "decimal.h"
#include "miscadmin.h"

#define NUMERIC_SHORT_DSCALE_MAX	63
#define NUMERIC_SHORT_WEIGHT_MAX	63
#define NUMERIC_SHORT_WEIGHT_MIN	(-64)
#define NUMERIC_WEIGHT_MAX			PG_INT16_MAX
#define NUMERIC_LONG_DSCALE_MAX		NUMERIC_LONG_DSCALE_MASK

/* an int128 has up to 39 decimal digits: ten digits of base 10000 */
#define INT128_DIGITS 10

/* Takes the zeros off both ends. */
static void
decimal_strip(DecimalValue *value)
{
	while (value->ndigits > 0 && value->digits[0] == 0)
	{
		value->digits++;
		value->ndigits--;
		value->weight--;
	}
	while (value->ndigits > 0 && value->digits[value->ndigits - 1] == 0)
		value->ndigits--;
	if (value->ndigits == 0)
	{
		value->weight = 0;
		value->negative = false;
	}
}

/* A finite numeric as a decimal value. */
DecimalValue
decimal_value(const DecimalNumeric *number)
{
	DecimalValue value;

	value.negative = number->negative;
	value.weight = number->weight;
	value.ndigits = number->ndigits;
	value.digits = palloc((number->ndigits + 1) * sizeof(int16));
	for (int i = 0; i < number->ndigits; i++)
		value.digits[i] = (int16) decimal_digit(number, i);
	decimal_strip(&value);
	return value;
}

/* number * 10000^power as a decimal value. */
void
decimal_from_int128(DecimalValue *value, int128 number, int power)
{
	bool		negative = number < 0;
	unsigned __int128 rest = negative ? -(unsigned __int128) number : (unsigned __int128) number;

	value->negative = negative;
	value->weight = power + INT128_DIGITS - 1;
	value->ndigits = INT128_DIGITS;
	value->digits = palloc0(INT128_DIGITS * sizeof(int16));
	for (int i = INT128_DIGITS - 1; rest != 0; i--)
	{
		/* dividing 64 bits is much quicker, and mostly they are enough */
		if (rest <= PG_UINT64_MAX)
		{
			value->digits[i] = (int16) ((uint64) rest % 10000);
			rest = (uint64) rest / 10000;
		}
		else
		{
			value->digits[i] = (int16) (rest % 10000);
			rest /= 10000;
		}
	}
	decimal_strip(value);
}

/*
 * The value in units of 10000^power; false where it has smaller digits or is
 * too large for nine digits, which an int128 surely holds.
 */
bool
decimal_to_int128(const DecimalValue *value, int power, int128 *number)
{
	int128		result = 0;

	if (value->ndigits == 0)
	{
		*number = 0;
		return true;
	}
	if (value->weight - value->ndigits + 1 < power || value->weight - power >= 9)
		return false;
	for (int i = 0; i < value->ndigits; i++)
		result = result * 10000 + value->digits[i];
	for (int i = value->weight - value->ndigits; i >= power; i--)
		result *= 10000;
	*number = value->negative ? -result : result;
	return true;
}

/*
 * The one decimal value of number * 10000^power plus the digit sums that the
 * side histogram holds from first_key - DECIMAL_MAX_POWER on.
 */
DecimalValue
decimal_total(int128 number, int power, HistogramBins side, int64 first_key)
{
	DecimalValue fast;
	DecimalValue value;
	int			lowest;
	int			highest;
	int			from = 0;
	int			until;
	int			n;
	int128	   *digits;
	int128		carry = 0;

	decimal_from_int128(&fast, number, power);

	while (from < side.n && side.bin[from].key < first_key - DECIMAL_MAX_POWER)
		from++;
	until = from;
	while (until < side.n && side.bin[until].key <= first_key + DECIMAL_MAX_POWER)
		until++;
	if (from == until)
		return fast;

	/* a sum of 64-bit digit sums carries at most five digits upwards */
	lowest = (int) (side.bin[from].key - first_key);
	highest = (int) (side.bin[until - 1].key - first_key);
	if (fast.ndigits > 0)
	{
		lowest = Min(lowest, fast.weight - fast.ndigits + 1);
		highest = Max(highest, fast.weight);
	}
	n = highest - lowest + 1 + 6;
	digits = palloc0(n * sizeof(int128) + MAXIMUM_ALIGNOF);
	digits = (int128 *) TYPEALIGN(sizeof(int128), digits);

	/* lowest digit first */
	for (int i = from; i < until; i++)
		digits[side.bin[i].key - first_key - lowest] += side.bin[i].count;
	for (int i = 0; i < fast.ndigits; i++)
		digits[fast.weight - i - lowest] += fast.negative ? -fast.digits[i] : fast.digits[i];

	for (int i = 0; i < n; i++)
	{
		int128		digit = digits[i] + carry;

		carry = digit / 10000;
		digit -= carry * 10000;
		if (digit < 0)
		{
			digit += 10000;
			carry--;
		}
		digits[i] = digit;
	}

	/* what is left to carry is 0, or -1 if the sum is below zero */
	value.negative = carry < 0;
	if (value.negative)
	{
		int			borrow = 0;

		for (int i = 0; i < n; i++)
		{
			int			digit = -(int) digits[i] - borrow;

			borrow = digit < 0 ? 1 : 0;
			digits[i] = digit + borrow * 10000;
		}
	}
	value.weight = lowest + n - 1;
	value.ndigits = n;
	value.digits = palloc(n * sizeof(int16));
	for (int i = 0; i < n; i++)
		value.digits[i] = (int16) digits[n - 1 - i];
	decimal_strip(&value);
	return value;
}

/* The square of a finite number, digit by digit. */
DecimalValue
decimal_square(const DecimalNumeric *number)
{
	DecimalValue value;
	int			n = number->ndigits;
	uint64	   *product = palloc0((2 * n + 1) * sizeof(uint64));
	uint64		carry = 0;

	/* n * 9999^2 stays far below 2^64 */
	for (int i = 0; i < n; i++)
	{
		uint64		digit = decimal_digit(number, i);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
			product[i + j + 1] += digit * decimal_digit(number, j);
	}

	value.negative = false;
	value.weight = 2 * number->weight + 1;
	value.ndigits = 2 * n;
	value.digits = palloc((2 * n + 1) * sizeof(int16));
	for (int i = 2 * n - 1; i >= 0; i--)
	{
		uint64		digit = product[i] + carry;

		value.digits[i] = (int16) (digit % 10000);
		carry = digit / 10000;
	}
	decimal_strip(&value);
	return value;
}

/*
 * The first 29 to 32 decimal digits of a value as a whole number, in units of
 * 10000^*power: more than a double holds, also of what a double does not.
 */
double
decimal_leading(const DecimalValue *value, int *power)
{
	unsigned __int128 number = 0;
	int			n = Min(value->ndigits, 8);

	for (int i = 0; i < n; i++)
		number = number * 10000 + value->digits[i];
	*power = value->weight - n + 1;
	return value->negative ? -(double) number : (double) number;
}

/*
 * Writes a value as a numeric, with at least the display scale given, and as
 * many decimals as it has.  Sizes that numeric cannot have are an error.
 */
Numeric
decimal_to_numeric(const DecimalValue *value, int dscale)
{
	int			n = value->ndigits;
	int			weight = value->weight;
	bool		is_short;
	size_t		header_size;
	size_t		size;
	char	   *result;
	uint16		header;

	if (n > 0)
	{
		/* decimals of the last digit, without its trailing zeros */
		int			decimals = (n - 1 - weight) * 4;
		int			last = value->digits[n - 1];

		for (; last % 10 == 0; last /= 10)
			decimals--;
		dscale = Max(dscale, decimals);
	}
	if (weight > NUMERIC_WEIGHT_MAX || dscale > NUMERIC_LONG_DSCALE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value overflows numeric format")));

	is_short = dscale <= NUMERIC_SHORT_DSCALE_MAX &&
		weight <= NUMERIC_SHORT_WEIGHT_MAX && weight >= NUMERIC_SHORT_WEIGHT_MIN;
	header_size = VARHDRSZ + (is_short ? 1 : 2) * sizeof(uint16);
	size = header_size + n * sizeof(int16);
	result = palloc(size);
	SET_VARSIZE(result, size);
	if (is_short)
	{
		header = NUMERIC_HEADER_SHORT |
			(value->negative ? NUMERIC_SHORT_NEGATIVE : 0) |
			(dscale << NUMERIC_SHORT_DSCALE_SHIFT) |
			(weight < 0 ? NUMERIC_SHORT_WEIGHT_SIGN : 0) |
			(weight & NUMERIC_SHORT_WEIGHT_MASK);
	}
	else
	{
		int16		long_weight = (int16) weight;

		header = (value->negative ? NUMERIC_HEADER_NEGATIVE : 0) | dscale;
		memcpy(result + VARHDRSZ + sizeof(uint16), &long_weight, sizeof(long_weight));
	}
	memcpy(result + VARHDRSZ, &header, sizeof(header));
	if (n > 0)
		memcpy(result + header_size, value->digits, n * sizeof(int16));
	return (Numeric) result;
}

/* NaN or an infinity as a numeric. */
Numeric
decimal_special_numeric(DecimalKind kind)
{
	char	   *result = palloc(VARHDRSZ + sizeof(uint16));
	uint16		header = kind == DECIMAL_PLUS_INF ? NUMERIC_HEADER_PLUS_INF :
		kind == DECIMAL_MINUS_INF ? NUMERIC_HEADER_MINUS_INF : NUMERIC_HEADER_SPECIAL;

	Assert(kind != DECIMAL_FINITE);
	SET_VARSIZE(result, VARHDRSZ + sizeof(uint16));
	memcpy(result + VARHDRSZ, &header, sizeof(header));
	return (Numeric) result;
}

/* The quantile bucket of any numeric. */
int64
decimal_bucket(Datum datum)
{
	DecimalNumeric number = decimal_numeric(datum);
	uint32		leading;
	int			exponent = (number.weight - 1) * 4 + 2;
	int64		key;

	if (number.kind == DECIMAL_NAN)
		return AMOUNT_KEY_NAN;
	if (number.kind == DECIMAL_PLUS_INF)
		return AMOUNT_KEY_PLUS_INF;
	if (number.kind == DECIMAL_MINUS_INF)
		return AMOUNT_KEY_MINUS_INF;
	if (number.ndigits == 0)
		return 0;

	/* the first digit is not 0, so two of them hold 5 to 8 decimal digits */
	leading = decimal_digit(&number, 0) * 10000 +
		(number.ndigits > 1 ? decimal_digit(&number, 1) : 0);
	for (; leading >= 1000; leading /= 10)
		exponent++;
	key = bucket_key(leading, exponent);
	return number.negative ? -key : key;
}

/* The quantile bucket of a number below 1000 in units of 10^-4. */
int64
mantissa_bucket_small(int64 mantissa)
{
	uint32		leading = (uint32) (mantissa < 0 ? -mantissa : mantissa);
	int			exponent = 2 - 4;
	int64		key;

	Assert(leading < 1000);
	if (leading == 0)
		return 0;
	for (; leading < 100; leading *= 10)
		exponent--;
	key = bucket_key(leading, exponent);
	return mantissa < 0 ? -key : key;
}

/* The amount in the middle of a bucket (not one of NaN or an infinity). */
DecimalValue
decimal_bucket_middle(int64 key)
{
	DecimalValue value;
	int64		place = (key < 0 ? -key : key) - 1;
	int			exponent;
	int			bucket;
	int64		middle;			/* in tenths of the third leading digit */
	int			power;

	value.negative = false;
	value.weight = value.ndigits = 0;
	value.digits = NULL;
	if (key == 0)
		return value;

	exponent = (int) (place / AMOUNT_BUCKETS_PER_DECADE) - AMOUNT_KEY_EXPONENT_BIAS;
	bucket = (int) (place % AMOUNT_BUCKETS_PER_DECADE);
	if (bucket < 100)
		middle = (100 + bucket) * 10 + 5;
	else if (bucket < 250)
		middle = (200 + (bucket - 100) * 2) * 10 + 10;
	else
		middle = (500 + (bucket - 250) * 5) * 10 + 25;

	/* middle * 10^(exponent - 3), brought to a power of 10000 */
	exponent -= 3;
	power = exponent >= 0 ? exponent / 4 : -((3 - exponent) / 4);
	for (int i = exponent - power * 4; i > 0; i--)
		middle *= 10;
	decimal_from_int128(&value, middle, power);
	value.negative = key < 0;
	return value;
}
