/*-------------------------------------------------------------------------
 *
 * wire.c
 *	  Bytes: checked reads and writes, variable-length integers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "wire.h"

/* A number that ends early or is not written in its one way is a fault. */
static uint64
wire_fail(WireReader *reader)
{
	reader->failed = true;
	reader->at = reader->end;
	return 0;
}

/* Reads one byte. */
uint8
wire_read_byte(WireReader *reader)
{
	if (reader->at >= reader->end)
		return (uint8) wire_fail(reader);
	return *reader->at++;
}

/* Reads a number of any length: the general case of wire_read_unsigned. */
uint64
wire_read_long(WireReader *reader)
{
	uint64		value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint8		byte;

		if (reader->at >= reader->end)
			return wire_fail(reader);
		byte = *reader->at++;

		/* the tenth byte has room for the 64th bit alone */
		if (shift == 63 && byte > 1)
			return wire_fail(reader);
		value |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
		{
			/* a last byte of 0 could have been left out */
			if (byte == 0 && shift > 0)
				return wire_fail(reader);
			return value;
		}
	}
	return wire_fail(reader);
}

/* Passes over so many numbers, signed or not. */
void
wire_skip(WireReader *reader, uint64 numbers)
{
	/* a number ends with a byte below 0x80: eight bytes at a time */
	while (numbers >= sizeof(uint64) && reader->end - reader->at >= (ptrdiff_t) sizeof(uint64))
	{
		uint64		bytes;

		memcpy(&bytes, reader->at, sizeof(bytes));
		bytes = (~bytes & UINT64CONST(0x8080808080808080)) >> 7;
		numbers -= (bytes * UINT64CONST(0x0101010101010101)) >> 56;
		reader->at += sizeof(bytes);
	}
	while (numbers > 0 && reader->at < reader->end)
		numbers -= *reader->at++ < 0x80;
	if (numbers > 0)
		(void) wire_fail(reader);
}

/* Writes a number of any length: the general case of wire_write_unsigned. */
void
wire_write_long(StringInfo buf, uint64 value)
{
	while (value >= 0x80)
	{
		appendStringInfoCharMacro(buf, (char) (0x80 | (value & 0x7F)));
		value >>= 7;
	}
	appendStringInfoCharMacro(buf, (char) value);
}
