/*-------------------------------------------------------------------------
 *
 * purchases.c
 *	  purchase_history_agg: what is asked of the purchases of each of many
 *	  customers, namely how lately, how often and for how much one buys, and
 *	  what one likes.
 *
 * In SQL that takes the rows in order, so that one process sorts them all, and
 * a dozen aggregates.  Here a group keeps what it needs, in no order, and
 * groups of parallel workers can be put together.  A group is small as a rule;
 * of a large one no more is kept than twice its distinct days and products.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "decimal.h"
#include "fmgr.h"
#include "funcapi.h"
#include "internal_state.h"
#include "libpq/pqformat.h"
#include "total.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

/* ---------------------------------------------------------------- days */

#define QUARTERS 4

typedef struct PurchaseDay
{
	int32		day;
	int32		quarter;		/* 0: none */
} PurchaseDay;

/* Most customers are small: what these need lies in the group itself, where it is near. */
#define DAYS_WITHIN 8
#define KEYS_WITHIN 4

typedef struct PurchaseDays
{
	int			n;
	int			room;
	PurchaseDay *day;
	PurchaseDay within[DAYS_WITHIN];
} PurchaseDays;

/* Makes room for so many items of what is in a list now. */
static void *
more_room(MemoryContext context, void *list, const void *within, size_t used, size_t wanted)
{
	void	   *larger;

	if (list != within)
		return repalloc_huge(list, wanted);
	larger = MemoryContextAllocHuge(context, wanted);
	memcpy(larger, list, used);
	return larger;
}

/* day_sort(days, n): ascending, the last quarter of a day first */
#define ST_SORT day_sort
#define ST_ELEMENT_TYPE PurchaseDay
#define ST_COMPARE(a, b) \
	((a)->day != (b)->day ? ((a)->day > (b)->day) - ((a)->day < (b)->day) : (b)->quarter - (a)->quarter)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Puts days in order, each once. */
static void
days_sort(PurchaseDays *days)
{
	int			n = 0;

	day_sort(days->day, days->n);
	for (int i = 0; i < days->n; i++)
		if (n == 0 || days->day[n - 1].day != days->day[i].day)
			days->day[n++] = days->day[i];
	days->n = n;
}

static void
days_begin(PurchaseDays *days, MemoryContext context, int room)
{
	days->n = 0;
	days->room = Max(room, DAYS_WITHIN);
	days->day = room <= DAYS_WITHIN ? days->within : MemoryContextAllocHuge(context, room * sizeof(PurchaseDay));
}

static inline void
days_add(PurchaseDays *days, MemoryContext context, PurchaseDay day)
{
	if (days->n == days->room)
	{
		days_sort(days);
		if (days->n > days->room / 2)
		{
			days->room *= 2;
			days->day = more_room(context, days->day, days->within, days->n * sizeof(PurchaseDay), days->room * sizeof(PurchaseDay));
		}
	}
	days->day[days->n++] = day;
}

/* gap_sort(gaps, n): ascending */
#define ST_SORT gap_sort
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The median of the days between two neighbours of at least two days in order. */
static double
median_gap(const PurchaseDays *days)
{
	int			n = days->n - 1;
	int64	   *gap = palloc_extended(n * sizeof(int64), MCXT_ALLOC_HUGE);
	double		median;

	for (int i = 0; i < n; i++)
		gap[i] = (int64) days->day[i + 1].day - days->day[i].day;
	gap_sort(gap, n);
	median = (gap[(n - 1) / 2] + gap[n / 2]) / 2.0;
	pfree(gap);
	return median;
}

/* ---------------------------------------------------------------- amounts */

/* So many keys are looked through one by one. */
#define FEW_KEYS 16

static const Total no_total;

#define KEY_WITHIN 24

typedef struct KeySum
{
	union
	{
		char	   *elsewhere;
		char		within[KEY_WITHIN];
	}			key;
	int64		length;
	Total		total;
} KeySum;

static inline const char *
sum_key(const KeySum *sum)
{
	return sum->length <= KEY_WITHIN ? sum->key.within : sum->key.elsewhere;
}

static inline void
sum_begin(KeySum *sum, MemoryContext context, const char *key, int64 length)
{
	char	   *at = length <= KEY_WITHIN ? sum->key.within : (sum->key.elsewhere = MemoryContextAlloc(context, length));

	memcpy(at, key, length);
	sum->length = length;
	sum->total = no_total;
}

typedef struct KeySums
{
	MemoryContext context;
	int			n;
	int			sorted;			/* so many are in order, each key once */
	int			room;
	KeySum	   *of;
	KeySum		within[KEYS_WITHIN];
} KeySums;

/* as COLLATE "C" */
static inline int
key_compare(const char *key, int64 length, const char *other, int64 other_length)
{
	int			order = memcmp(key, other, Min(length, other_length));

	return order != 0 ? order : (length > other_length) - (length < other_length);
}

/* sum_sort(sums, n): ascending by key */
#define ST_SORT sum_sort
#define ST_ELEMENT_TYPE KeySum
#define ST_COMPARE(a, b) key_compare(sum_key(a), (a)->length, sum_key(b), (b)->length)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Puts keys in order, each once. */
static void
sums_sort(KeySums *sums)
{
	int			n = 0;

	if (sums->sorted == sums->n)
		return;
	sum_sort(sums->of, sums->n);
	for (int i = 0; i < sums->n; i++)
	{
		KeySum	   *sum = &sums->of[i];
		KeySum	   *last = n > 0 ? &sums->of[n - 1] : NULL;

		if (last == NULL || key_compare(sum_key(last), last->length, sum_key(sum), sum->length) != 0)
		{
			sums->of[n++] = *sum;
			continue;
		}
		total_merge(&last->total, sums->context, &sum->total, DECIMAL_SUM_POWER);
		if (sum->total.rest != NULL)
			pfree(sum->total.rest);
		if (sum->length > KEY_WITHIN)
			pfree(sum->key.elsewhere);
	}
	sums->n = sums->sorted = n;
}

static void
sums_begin(KeySums *sums, MemoryContext context, int room)
{
	sums->context = context;
	sums->n = sums->sorted = 0;
	sums->room = Max(room, KEYS_WITHIN);
	sums->of = room <= KEYS_WITHIN ? sums->within : MemoryContextAllocHuge(context, room * sizeof(KeySum));
}

/* The sum of a key, or a part of it. */
static KeySum *
sums_find(KeySums *sums, const char *key, int64 length)
{
	KeySum	   *sum;

	if (sums->n <= FEW_KEYS)
	{
		for (int i = 0; i < sums->n; i++)
			if (sums->of[i].length == length && memcmp(sum_key(&sums->of[i]), key, length) == 0)
				return &sums->of[i];
	}
	else
	{
		int			low = 0;
		int			high = sums->sorted;

		while (low < high)
		{
			int			middle = low + (high - low) / 2;
			int			order = key_compare(sum_key(&sums->of[middle]), sums->of[middle].length, key, length);

			if (order == 0)
				return &sums->of[middle];
			if (order < 0)
				low = middle + 1;
			else
				high = middle;
		}
	}

	if (sums->n == sums->room)
	{
		sums_sort(sums);
		if (sums->n > sums->room / 2)
		{
			sums->room *= 2;
			sums->of = more_room(sums->context, sums->of, sums->within, sums->n * sizeof(KeySum), sums->room * sizeof(KeySum));
		}
	}
	sum = &sums->of[sums->n++];
	sum_begin(sum, sums->context, key, length);
	return sum;
}

static int
total_compare(const Total *total, const Total *other)
{
	if (total->rest == NULL && other->rest == NULL)
	{
		int128		sum = decimal_int128(total->sum);
		int128		other_sum = decimal_int128(other->sum);

		return (sum > other_sum) - (sum < other_sum);
	}
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(total_numeric(total, DECIMAL_SUM_POWER)),
											 NumericGetDatum(total_numeric(other, DECIMAL_SUM_POWER))));
}

/* ---------------------------------------------------------------- a customer */

/* The row that a final function makes, found out at its first call. */
static TupleDesc
result_row(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		TupleDesc	row;

		if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = BlessTupleDesc(row);
		MemoryContextSwitchTo(caller);
	}
	return fcinfo->flinfo->fn_extra;
}

/* How long ago: in the last year, in the year before, before that. */
#define AGES 3

typedef struct History
{
	MemoryContext context;
	int64		purchases[AGES];
	int64		unpriced;
	Total		total[AGES];
	PurchaseDays days;
	KeySums		products;
} History;

static History *
history_begin(MemoryContext context, int days, int products)
{
	History    *history = MemoryContextAllocZero(context, sizeof(History));

	history->context = context;
	days_begin(&history->days, context, days);
	sums_begin(&history->products, context, products);
	return history;
}

static int
whole_argument(FunctionCallInfo fcinfo, int argument, const char *what, int first, int last)
{
	int			value = PG_GETARG_INT32(argument);

	if (value < first || value > last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s %d is not between %d and %d", what, value, first, last)));
	return value;
}

/* purchase_history_add(state, bought_on, amount, product_id, quarter, years_ago) */
PG_FUNCTION_INFO_V1(purchase_history_add);
Datum
purchase_history_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	History    *history = state_argument(fcinfo, 0);
	int			quarter = PG_ARGISNULL(4) ? 0 : whole_argument(fcinfo, 4, "quarter", 1, QUARTERS);
	int			age = PG_ARGISNULL(5) ? AGES - 1 : whole_argument(fcinfo, 5, "years_ago", 0, AGES - 1);
	bool		is_purchase = true;

	if (history == NULL)
		history = history_begin(context, 0, 0);
	if (PG_ARGISNULL(1) || DATE_NOT_FINITE(PG_GETARG_DATEADT(1)))
		PG_RETURN_POINTER(history);

	if (PG_ARGISNULL(2))
		history->unpriced++;
	else
	{
		KeySum	   *product = NULL;
		int64		mantissa;
		int			scale;

		if (!PG_ARGISNULL(3))
		{
			text	   *key = PG_GETARG_TEXT_PP(3);

			product = sums_find(&history->products, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
		}
		if (likely(decimal_mantissa(PG_GETARG_DATUM(2), &mantissa, &scale)))
		{
			is_purchase = mantissa > 0;
			total_add(&history->total[age], context, mantissa, DECIMAL_SUM_POWER, scale);
			if (product != NULL)
				total_add(&product->total, context, mantissa, DECIMAL_SUM_POWER, scale);
		}
		else
		{
			Numeric		amount = PG_GETARG_NUMERIC(2);
			DecimalNumeric number = decimal_numeric(NumericGetDatum(amount));

			/* to SQL, NaN is above every number */
			is_purchase = number.kind == DECIMAL_NAN || decimal_above_zero(&number);
			total_add_rest(&history->total[age], context, amount);
			if (product != NULL)
				total_add_rest(&product->total, context, amount);
		}
	}
	if (is_purchase)
	{
		PurchaseDay day = {PG_GETARG_DATEADT(1), quarter};

		history->purchases[age]++;
		days_add(&history->days, context, day);
	}
	PG_RETURN_POINTER(history);
}

PG_FUNCTION_INFO_V1(purchase_history_combine);
Datum
purchase_history_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	History    *history = state_argument(fcinfo, 0);
	History    *other = state_argument(fcinfo, 1);

	if (other == NULL)
	{
		if (history == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(history);
	}
	if (history == NULL)
		history = history_begin(context, other->days.n, other->products.n);
	for (int age = 0; age < AGES; age++)
	{
		history->purchases[age] += other->purchases[age];
		total_merge(&history->total[age], context, &other->total[age], DECIMAL_SUM_POWER);
	}
	history->unpriced += other->unpriced;
	for (int i = 0; i < other->days.n; i++)
		days_add(&history->days, context, other->days.day[i]);
	for (int i = 0; i < other->products.n; i++)
	{
		const KeySum *sum = &other->products.of[i];

		total_merge(&sums_find(&history->products, sum_key(sum), sum->length)->total, context, &sum->total, DECIMAL_SUM_POWER);
	}
	PG_RETURN_POINTER(history);
}

/* From a worker to its leader: the same machine, so numbers are sent as they stand. */
PG_FUNCTION_INFO_V1(purchase_history_send);
Datum
purchase_history_send(PG_FUNCTION_ARGS)
{
	History    *history = state_argument(fcinfo, 0);
	StringInfoData buf;

	(void) aggregate_context(fcinfo);
	days_sort(&history->days);
	sums_sort(&history->products);
	pq_begintypsend(&buf);
	appendBinaryStringInfo(&buf, (char *) history->purchases, sizeof(history->purchases));
	appendBinaryStringInfo(&buf, (char *) &history->unpriced, sizeof(history->unpriced));
	appendBinaryStringInfo(&buf, (char *) &history->days.n, sizeof(history->days.n));
	appendBinaryStringInfo(&buf, (char *) &history->products.n, sizeof(history->products.n));
	for (int age = 0; age < AGES; age++)
		total_send(&buf, &history->total[age]);
	for (int i = 0; i < history->days.n; i++)
		appendBinaryStringInfo(&buf, (char *) &history->days.day[i], sizeof(PurchaseDay));
	for (int i = 0; i < history->products.n; i++)
	{
		KeySum	   *sum = &history->products.of[i];

		appendBinaryStringInfo(&buf, (char *) &sum->length, sizeof(sum->length));
		appendBinaryStringInfo(&buf, sum_key(sum), (int) sum->length);
		total_send(&buf, &sum->total);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(purchase_history_receive);
Datum
purchase_history_receive(PG_FUNCTION_ARGS)
{
	StringInfoData buf = sent_state(PG_GETARG_BYTEA_PP(0));
	History    *history;
	History		head;

	(void) aggregate_context(fcinfo);
	pq_copymsgbytes(&buf, (char *) head.purchases, sizeof(head.purchases));
	pq_copymsgbytes(&buf, (char *) &head.unpriced, sizeof(head.unpriced));
	pq_copymsgbytes(&buf, (char *) &head.days.n, sizeof(head.days.n));
	pq_copymsgbytes(&buf, (char *) &head.products.n, sizeof(head.products.n));
	history = history_begin(CurrentMemoryContext, head.days.n, head.products.n);
	memcpy(history->purchases, head.purchases, sizeof(head.purchases));
	history->unpriced = head.unpriced;
	for (int age = 0; age < AGES; age++)
		total_receive(&buf, &history->total[age]);
	history->days.n = head.days.n;
	for (int i = 0; i < head.days.n; i++)
		pq_copymsgbytes(&buf, (char *) &history->days.day[i], sizeof(PurchaseDay));
	history->products.n = history->products.sorted = head.products.n;
	for (int i = 0; i < head.products.n; i++)
	{
		KeySum	   *sum = &history->products.of[i];
		int64		length;

		pq_copymsgbytes(&buf, (char *) &length, sizeof(length));
		sum_begin(sum, history->context, pq_getmsgbytes(&buf, (int) length), length);
		total_receive(&buf, &sum->total);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(history);
}

enum
{
	FIRST_ON,
	LAST_ON,
	PURCHASE_COUNT,
	RECENT_COUNT,
	UNPRICED_COUNT,
	DAY_COUNT,
	GAP_MEDIAN,
	QUARTER_1_COUNT,
	TOTAL_AMOUNT = QUARTER_1_COUNT + QUARTERS,
	RECENT_AMOUNT,
	YEAR_AMOUNT,
	LIKED_PRODUCT_ID,
	LIKED_AMOUNT,
	NCOLUMNS
};

PG_FUNCTION_INFO_V1(purchase_history_final);
Datum
purchase_history_final(PG_FUNCTION_ARGS)
{
	History    *history = state_argument(fcinfo, 0);
	PurchaseDays *days;
	const KeySum *liked = NULL;
	Total		total;
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS] = {false};
	int64		quarters[1 + QUARTERS] = {0};

	(void) aggregate_context(fcinfo);
	if (history == NULL)
		PG_RETURN_NULL();

	days = &history->days;
	days_sort(days);
	nulls[FIRST_ON] = nulls[LAST_ON] = days->n == 0;
	nulls[GAP_MEDIAN] = days->n < 2;
	if (days->n > 0)
	{
		values[FIRST_ON] = DateADTGetDatum(days->day[0].day);
		values[LAST_ON] = DateADTGetDatum(days->day[days->n - 1].day);
	}
	if (days->n > 1)
		values[GAP_MEDIAN] = Float8GetDatum(median_gap(days));
	values[DAY_COUNT] = Int64GetDatum(days->n);
	for (int i = 0; i < days->n; i++)
		quarters[days->day[i].quarter]++;
	for (int i = 0; i < QUARTERS; i++)
		values[QUARTER_1_COUNT + i] = Int64GetDatum(quarters[1 + i]);

	values[PURCHASE_COUNT] = Int64GetDatum(history->purchases[0] + history->purchases[1] + history->purchases[2]);
	values[RECENT_COUNT] = Int64GetDatum(history->purchases[0] + history->purchases[1]);
	values[UNPRICED_COUNT] = Int64GetDatum(history->unpriced);

	total = no_total;
	for (int age = 0; age < AGES; age++)
	{
		total_merge(&total, CurrentMemoryContext, &history->total[age], DECIMAL_SUM_POWER);
		values[age == 0 ? YEAR_AMOUNT : age == 1 ? RECENT_AMOUNT : TOTAL_AMOUNT] = NumericGetDatum(total_numeric(&total, DECIMAL_SUM_POWER));
	}

	/* in order of products, so that the first of equal ones stays */
	sums_sort(&history->products);
	for (int i = 0; i < history->products.n; i++)
	{
		const KeySum *sum = &history->products.of[i];

		if (total_compare(&sum->total, liked == NULL ? &no_total : &liked->total) > 0)
			liked = sum;
	}
	nulls[LIKED_PRODUCT_ID] = nulls[LIKED_AMOUNT] = liked == NULL;
	if (liked != NULL)
	{
		values[LIKED_PRODUCT_ID] = PointerGetDatum(cstring_to_text_with_len(sum_key(liked), (int) liked->length));
		values[LIKED_AMOUNT] = NumericGetDatum(total_numeric(&liked->total, DECIMAL_SUM_POWER));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(result_row(fcinfo), values, nulls)));
}
