/*-------------------------------------------------------------------------
 *
 * tally.c
 *	  closing_tally_agg: deals closed, counted and summed up by up to three
 *	  keys and by period.
 *
 * That is a GROUP BY within an aggregate.  Several of them in one query answer
 * for several groupings in one reading of the deals, which parallel workers
 * share; GROUPING SETS would do it in one process.  Nor is there anything for
 * the planner to guess, as how many groups there will be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "grain.h"
#include "internal_state.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "outcome.h"
#include "port/pg_bswap.h"
#include "subject.h"
#include "total.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#define KEYS 3

enum
{
	WON,						/* as OUTCOME_WON */
	LOST,						/* as OUTCOME_LOST */
	PRICED,						/* won, with an amount */
	CYCLES,						/* won, in days that are known */
	CYCLE_DAYS,
	EXPECTED,					/* closed, and expected to on a known day */
	LATE,						/* of these, closed after it */
	NCOUNTS
};

StaticAssertDecl(WON == (int) OUTCOME_WON && LOST == (int) OUTCOME_LOST, "a deal is counted by its outcome");

/*
 * A row's keys and the first day of its period, written such that bytes compare
 * as they do: for each key KEY_TEXT, its bytes and a zero, or KEY_NULL alone;
 * then the day, with the most significant byte first.
 */
#define KEY_TEXT 1
#define KEY_NULL 2
#define DAY_SIZE ((int) sizeof(uint32))
#define DAY_SIGN ((uint32) 1 << 31)
#define NO_PERIOD DATEVAL_NOBEGIN

typedef struct TallyRow
{
	int64		counts[NCOUNTS];
	int64		cycle_squares[2];	/* int128 */
	Total		amount;			/* of those won */
	Total		squares;		/* of these amounts */
	uint32		hash;
	int32		key_length;
	char		key[FLEXIBLE_ARRAY_MEMBER];
} TallyRow;

typedef struct TallyKey
{
	const char *bytes;
	int32		length;
	uint32		hash;
} TallyKey;

typedef struct TallySlot
{
	TallyKey	key;			/* its bytes are those of the row */
	TallyRow   *row;
	char		status;
} TallySlot;

#define SH_PREFIX tally_slots
#define SH_ELEMENT_TYPE TallySlot
#define SH_KEY_TYPE TallyKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) (key).hash
#define SH_EQUAL(tb, a, b) ((a).length == (b).length && memcmp((a).bytes, (b).bytes, (a).length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, slot) (slot)->key.hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Tally
{
	MemoryContext context;
	tally_slots_hash *slots;	/* NULL: as a worker sent it, for reading */
	int			n;
	int			room;
	TallyRow  **rows;
	char	   *key;			/* of the row that is looked for */
	int			key_room;
} Tally;

/* No key is the beginning of another. */
static inline int
row_compare(const TallyRow *row, const TallyRow *other)
{
	return memcmp(row->key, other->key, Min(row->key_length, other->key_length));
}

typedef TallyRow *TallyRowPointer;

/* row_sort(rows, n): by key */
#define ST_SORT row_sort
#define ST_ELEMENT_TYPE TallyRowPointer
#define ST_COMPARE(a, b) row_compare(*(a), *(b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static Tally *
tally_begin(MemoryContext context, int room)
{
	Tally	   *tally = MemoryContextAllocZero(context, sizeof(Tally));

	tally->context = context;
	tally->room = Max(room, 16);
	tally->rows = MemoryContextAllocHuge(context, tally->room * sizeof(TallyRow *));
	tally->key_room = 256;
	tally->key = MemoryContextAlloc(context, tally->key_room);
	return tally;
}

static void
tally_append(Tally *tally, TallyRow *row)
{
	if (tally->n == tally->room)
	{
		tally->room *= 2;
		tally->rows = repalloc_huge(tally->rows, tally->room * sizeof(TallyRow *));
	}
	tally->rows[tally->n++] = row;
}

/* The row of a key, which is new if there was none. */
static TallyRow *
tally_row(Tally *tally, TallyKey key)
{
	bool		found;
	TallySlot  *slot;

	if (tally->slots == NULL)
		tally->slots = tally_slots_create(tally->context, 64, NULL);
	slot = tally_slots_insert(tally->slots, key, &found);
	if (!found)
	{
		TallyRow   *row = MemoryContextAllocZero(tally->context, offsetof(TallyRow, key) + key.length);

		row->hash = key.hash;
		row->key_length = key.length;
		memcpy(row->key, key.bytes, key.length);
		slot->key.bytes = row->key;
		slot->row = row;
		tally_append(tally, row);
	}
	return slot->row;
}

/* Writes the key of a row: the keys from the first argument on, and the first day of the period. */
static TallyKey
write_key(Tally *tally, FunctionCallInfo fcinfo, int first, DateADT period_start)
{
	uint32		day = pg_hton32((uint32) period_start ^ DAY_SIGN);
	TallyKey	key;
	int			length = 0;

	for (int i = 0; i < KEYS; i++)
	{
		text	   *value = PG_ARGISNULL(first + i) ? NULL : PG_GETARG_TEXT_PP(first + i);
		Size		size = value == NULL ? 0 : VARSIZE_ANY_EXHDR(value);
		Size		wanted = length + size + 2 + (KEYS + DAY_SIZE);

		if (unlikely(wanted > tally->key_room))
		{
			/* more than a piece of memory holds is an error */
			tally->key_room = (int) Min(2 * wanted, MaxAllocSize);
			tally->key = repalloc(tally->key, Max(tally->key_room, wanted));
		}
		tally->key[length++] = value == NULL ? KEY_NULL : KEY_TEXT;
		if (value != NULL)
		{
			memcpy(tally->key + length, VARDATA_ANY(value), size);
			length += (int) size;
			tally->key[length++] = '\0';
		}
	}
	memcpy(tally->key + length, &day, DAY_SIZE);
	key.bytes = tally->key;
	key.length = length + DAY_SIZE;
	key.hash = hash_bytes((const unsigned char *) tally->key, key.length);
	return key;
}

static void
add_amount(TallyRow *row, MemoryContext context, Datum amount)
{
	int64		mantissa;
	int			scale;

	row->counts[PRICED]++;
	if (likely(decimal_mantissa(amount, &mantissa, &scale)))
	{
		total_add(&row->amount, context, mantissa, DECIMAL_SUM_POWER, scale);
		total_add(&row->squares, context, (int128) mantissa * mantissa, DECIMAL_SQUARES_POWER, 2 * scale);
		return;
	}
	total_add_rest(&row->amount, context, DatumGetNumeric(amount));
	total_add_rest(&row->squares, context, DatumGetNumeric(DirectFunctionCall2(numeric_mul, amount, amount)));
}

enum
{
	ARG_FIRST_KEY = 1,
	ARG_CLOSED_ON = ARG_FIRST_KEY + KEYS,
	ARG_OUTCOME,
	ARG_AMOUNT,
	ARG_OPENED_ON,
	ARG_EXPECTED_CLOSE_ON,
	ARG_GRAIN
};

PG_FUNCTION_INFO_V1(closing_tally_add);
Datum
closing_tally_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Tally	   *tally = state_argument(fcinfo, 0);
	Outcome		outcome = PG_ARGISNULL(ARG_OUTCOME) ? OUTCOME_OPEN : outcome_read(PG_GETARG_DATUM(ARG_OUTCOME));
	DateADT		period_start = NO_PERIOD;
	DateADT		closed_on;
	TallyRow   *row;
	int64		days;

	if (tally == NULL)
		tally = tally_begin(context, 0);
	if (outcome == OUTCOME_OPEN || PG_ARGISNULL(ARG_CLOSED_ON) || DATE_NOT_FINITE(PG_GETARG_DATEADT(ARG_CLOSED_ON)))
		PG_RETURN_POINTER(tally);

	closed_on = PG_GETARG_DATEADT(ARG_CLOSED_ON);
	if (!PG_ARGISNULL(ARG_GRAIN))
	{
		Grain		grain = (Grain) summary_option_argument(fcinfo, ARG_GRAIN, &grain_option);

		period_start = grain_start(grain, grain_period(grain, closed_on));
	}

	row = tally_row(tally, write_key(tally, fcinfo, ARG_FIRST_KEY, period_start));
	row->counts[outcome]++;
	if (outcome == OUTCOME_WON)
	{
		if (!PG_ARGISNULL(ARG_AMOUNT))
			add_amount(row, context, PG_GETARG_DATUM(ARG_AMOUNT));
		if (deal_dates(outcome, fcinfo->args[ARG_OPENED_ON], fcinfo->args[ARG_CLOSED_ON], &days) == DATES_USABLE)
		{
			row->counts[CYCLES]++;
			row->counts[CYCLE_DAYS] += days;
			/* below 2^46 each, and fewer than 2^63 rows */
			(void) decimal_accumulate(row->cycle_squares, (int128) days * days);
		}
	}
	if (!PG_ARGISNULL(ARG_EXPECTED_CLOSE_ON) && !DATE_NOT_FINITE(PG_GETARG_DATEADT(ARG_EXPECTED_CLOSE_ON)))
	{
		row->counts[EXPECTED]++;
		row->counts[LATE] += closed_on > PG_GETARG_DATEADT(ARG_EXPECTED_CLOSE_ON);
	}
	PG_RETURN_POINTER(tally);
}

PG_FUNCTION_INFO_V1(closing_tally_combine);
Datum
closing_tally_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	Tally	   *tally = state_argument(fcinfo, 0);
	Tally	   *other = state_argument(fcinfo, 1);

	if (other == NULL)
	{
		if (tally == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(tally);
	}
	if (tally == NULL)
		tally = tally_begin(context, other->n);
	for (int i = 0; i < other->n; i++)
	{
		const TallyRow *from = other->rows[i];
		TallyKey	key = {from->key, from->key_length, from->hash};
		TallyRow   *row = tally_row(tally, key);

		for (int j = 0; j < NCOUNTS; j++)
			row->counts[j] += from->counts[j];
		(void) decimal_accumulate(row->cycle_squares, decimal_int128(from->cycle_squares));
		total_merge(&row->amount, context, &from->amount, DECIMAL_SUM_POWER);
		total_merge(&row->squares, context, &from->squares, DECIMAL_SQUARES_POWER);
	}
	PG_RETURN_POINTER(tally);
}

/* From a worker to its leader: the same machine, so rows are sent as they stand. */
PG_FUNCTION_INFO_V1(closing_tally_send);
Datum
closing_tally_send(PG_FUNCTION_ARGS)
{
	Tally	   *tally = state_argument(fcinfo, 0);
	StringInfoData buf;

	(void) aggregate_context(fcinfo);
	pq_begintypsend(&buf);
	appendBinaryStringInfo(&buf, (char *) &tally->n, sizeof(tally->n));
	for (int i = 0; i < tally->n; i++)
	{
		const TallyRow *row = tally->rows[i];

		appendBinaryStringInfo(&buf, (char *) &row->key_length, sizeof(row->key_length));
		appendBinaryStringInfo(&buf, (char *) row, (int) offsetof(TallyRow, key) + row->key_length);
		total_send(&buf, &row->amount);
		total_send(&buf, &row->squares);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(closing_tally_receive);
Datum
closing_tally_receive(PG_FUNCTION_ARGS)
{
	StringInfoData buf = sent_state(PG_GETARG_BYTEA_PP(0));
	Tally	   *tally;
	int			n;

	(void) aggregate_context(fcinfo);
	pq_copymsgbytes(&buf, (char *) &n, sizeof(n));
	tally = tally_begin(CurrentMemoryContext, n);
	for (int i = 0; i < n; i++)
	{
		int32		key_length;
		int			size;
		TallyRow   *row;

		pq_copymsgbytes(&buf, (char *) &key_length, sizeof(key_length));
		size = (int) offsetof(TallyRow, key) + key_length;
		row = palloc(size);
		pq_copymsgbytes(&buf, (char *) row, size);
		total_receive(&buf, &row->amount);
		total_receive(&buf, &row->squares);
		tally_append(tally, row);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(tally);
}

enum
{
	COLUMN_FIRST_KEY,
	COLUMN_PERIOD_START = COLUMN_FIRST_KEY + KEYS,
	COLUMN_WON_COUNT,
	COLUMN_LOST_COUNT,
	COLUMN_PRICED_COUNT,
	COLUMN_BOOKINGS_AMOUNT,
	COLUMN_AMOUNT_SQUARES,
	COLUMN_CYCLE_COUNT,
	COLUMN_CYCLE_DAYS,
	COLUMN_CYCLE_SQUARES,
	COLUMN_EXPECTED_COUNT,
	COLUMN_LATE_COUNT,
	NCOLUMNS
};

static Datum
row_tuple(TupleDesc columns, const TallyRow *row)
{
	const char *at = row->key;
	uint32		day;
	DateADT		period_start;
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS] = {false};

	for (int i = 0; i < KEYS; i++)
	{
		nulls[COLUMN_FIRST_KEY + i] = *at++ == KEY_NULL;
		if (nulls[COLUMN_FIRST_KEY + i])
			continue;
		values[COLUMN_FIRST_KEY + i] = CStringGetTextDatum(at);
		at += strlen(at) + 1;
	}
	memcpy(&day, at, DAY_SIZE);
	period_start = (DateADT) (pg_ntoh32(day) ^ DAY_SIGN);
	values[COLUMN_PERIOD_START] = DateADTGetDatum(period_start);
	nulls[COLUMN_PERIOD_START] = period_start == NO_PERIOD;

	values[COLUMN_WON_COUNT] = Int64GetDatum(row->counts[WON]);
	values[COLUMN_LOST_COUNT] = Int64GetDatum(row->counts[LOST]);
	values[COLUMN_PRICED_COUNT] = Int64GetDatum(row->counts[PRICED]);
	values[COLUMN_BOOKINGS_AMOUNT] = NumericGetDatum(total_numeric(&row->amount, DECIMAL_SUM_POWER));
	values[COLUMN_AMOUNT_SQUARES] = NumericGetDatum(total_numeric(&row->squares, DECIMAL_SQUARES_POWER));
	values[COLUMN_CYCLE_COUNT] = Int64GetDatum(row->counts[CYCLES]);
	values[COLUMN_CYCLE_DAYS] = Int64GetDatum(row->counts[CYCLE_DAYS]);
	values[COLUMN_CYCLE_SQUARES] = NumericGetDatum(int128_numeric(decimal_int128(row->cycle_squares), 0, 0));
	values[COLUMN_EXPECTED_COUNT] = Int64GetDatum(row->counts[EXPECTED]);
	values[COLUMN_LATE_COUNT] = Int64GetDatum(row->counts[LATE]);
	return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

PG_FUNCTION_INFO_V1(closing_tally_final);
Datum
closing_tally_final(PG_FUNCTION_ARGS)
{
	Tally	   *tally = state_argument(fcinfo, 0);
	Oid			array_type = get_fn_expr_rettype(fcinfo->flinfo);
	Oid			row_type = get_element_type(array_type);
	TupleDesc	columns;
	TallyRow  **rows;
	Datum	   *tuples;
	ArrayType  *array;

	(void) aggregate_context(fcinfo);
	if (tally == NULL)
		PG_RETURN_NULL();

	/* the state stays as it is */
	rows = palloc_extended(tally->n * sizeof(TallyRow *), MCXT_ALLOC_HUGE);
	memcpy(rows, tally->rows, tally->n * sizeof(TallyRow *));
	row_sort(rows, tally->n);

	columns = lookup_rowtype_tupdesc(row_type, -1);
	tuples = palloc_extended(tally->n * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int i = 0; i < tally->n; i++)
		tuples[i] = row_tuple(columns, rows[i]);
	ReleaseTupleDesc(columns);
	array = construct_array(tuples, tally->n, row_type, -1, false, TYPALIGN_DOUBLE);
	PG_RETURN_ARRAYTYPE_P(array);
}
