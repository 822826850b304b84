/*-------------------------------------------------------------------------
 *
 * wire.h
 *	  Bytes: checked reads and writes, variable-length integers.
 *
 * An integer is written seven bits a byte, the lowest first, the high bit
 * saying that more follow; a signed one is folded (0, -1, 1, -2 ...) first.
 * There is one way to write each value, and reading refuses any other, so
 * that equal values are equal bytes, on every machine.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_WIRE_H
#define SALES_PERF_WIRE_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Where reading stands.  After a fault, every read gives 0. */
typedef struct WireReader
{
	const uint8 *at;
	const uint8 *end;
	bool		failed;
} WireReader;

extern uint64 wire_read_long(WireReader *reader);

/* Reads one unsigned number. */
static inline uint64
wire_read_unsigned(WireReader *reader)
{
	if (likely(reader->at < reader->end && *reader->at < 0x80))
		return *reader->at++;
	return wire_read_long(reader);
}

/* Reads one signed number. */
static inline int64
wire_read_signed(WireReader *reader)
{
	uint64		folded = wire_read_unsigned(reader);

	return (int64) (folded >> 1) ^ -(int64) (folded & 1);
}

/* How many bytes are left to read. */
static inline size_t
wire_left(const WireReader *reader)
{
	return reader->failed ? 0 : (size_t) (reader->end - reader->at);
}

extern void wire_skip(WireReader *reader, uint64 numbers);
extern uint8 wire_read_byte(WireReader *reader);
extern void wire_write_long(StringInfo buf, uint64 value);

/* Writes one unsigned number. */
static inline void
wire_write_unsigned(StringInfo buf, uint64 value)
{
	if (likely(value < 0x80))
		appendStringInfoCharMacro(buf, (char) value);
	else
		wire_write_long(buf, value);
}

/* Writes one signed number. */
static inline void
wire_write_signed(StringInfo buf, int64 value)
{
	wire_write_unsigned(buf, ((uint64) value << 1) ^ (uint64) (value >> 63));
}

#endif							/* SALES_PERF_WIRE_H */
