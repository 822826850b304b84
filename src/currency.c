/*-------------------------------------------------------------------------
 *
 * currency.c
 *	  Amounts in the reporting currency.
 *
 * A mart's exchange rates come as one array of texts: the reporting currency
 * (or an empty text), then three for each rate: currency, first day as a
 * number of days since 2000-01-01, rate; in the order of currency (bytewise)
 * and day.  It is the same for all rows of a query, so it is read once and
 * kept, together with what it was read from.  That a call gives the same list
 * is not taken on trust, but only what its answer depends on is compared: the
 * reporting currency and the rates on either side of the day.  The list being
 * in order, no other rate can matter; and there may be thousands of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

typedef struct Rate
{
	char	   *currency;
	int32		valid_from;
	Datum		rate;
	size_t		offset;			/* of its bytes in the array */
} Rate;

typedef struct RateList
{
	MemoryContext context;
	ArrayType  *source;
	char	   *reporting_currency;
	int			n;
	Rate		rate[FLEXIBLE_ARRAY_MEMBER];
} RateList;

static int
compare_rate(const Rate *rate, const char *currency, int32 day)
{
	int			order = strcmp(rate->currency, currency);

	if (order != 0)
		return order;
	return (rate->valid_from > day) - (rate->valid_from < day);
}

static RateList *
read_rates(MemoryContext parent, const ArrayType *source)
{
	MemoryContext context = AllocSetContextCreate(parent, "exchange rates",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RateList   *list;
	Datum	   *element;
	bool	   *is_null;
	int			n;

	list = palloc(sizeof(RateList));
	list->source = palloc(VARSIZE(source));
	memcpy(list->source, source, VARSIZE(source));
	deconstruct_array(list->source, TEXTOID, -1, false, TYPALIGN_INT,
					  &element, &is_null, &n);
	if (n % 3 != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("list of exchange rates has %d elements", n),
				 errdetail("It is the reporting currency, and a currency, a day and a rate each.")));
	list = repalloc(list, offsetof(RateList, rate) + n / 3 * sizeof(Rate));
	list->context = context;
	list->n = n / 3;
	for (int i = 0; i < n; i++)
	{
		char	   *item;

		if (is_null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("list of exchange rates must not contain nulls")));
		item = TextDatumGetCString(element[i]);
		if (i == 0)
			list->reporting_currency = item;
		else if (i % 3 == 1)
		{
			list->rate[i / 3].currency = item;
			list->rate[i / 3].offset = DatumGetPointer(element[i]) - (char *) list->source;
		}
		else if (i % 3 == 2)
			list->rate[i / 3].valid_from = DatumGetInt32(DirectFunctionCall1(int4in, CStringGetDatum(item)));
		else
			list->rate[i / 3 - 1].rate = DirectFunctionCall3(numeric_in, CStringGetDatum(item),
															 ObjectIdGetDatum(InvalidOid),
															 Int32GetDatum(-1));
	}
	for (int i = 1; i < list->n; i++)
	{
		if (compare_rate(&list->rate[i - 1], list->rate[i].currency, list->rate[i].valid_from) >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("list of exchange rates is not in the order of currency and day"),
					 errdetail("\"%s\" from day %d stands before \"%s\" from day %d.",
							   list->rate[i - 1].currency, list->rate[i - 1].valid_from,
							   list->rate[i].currency, list->rate[i].valid_from)));
	}
	MemoryContextSwitchTo(old);
	return list;
}

/* Reads the list in place of the one that was kept. */
static RateList *
keep_rates(FunctionCallInfo fcinfo, const ArrayType *source)
{
	RateList   *list = fcinfo->flinfo->fn_extra;

	fcinfo->flinfo->fn_extra = NULL;
	if (list != NULL)
		MemoryContextDelete(list->context);
	list = read_rates(fcinfo->flinfo->fn_mcxt, source);
	fcinfo->flinfo->fn_extra = list;
	return list;
}

/* Where a rate begins in the array; of the one behind the last, where that ends. */
static size_t
rate_offset(const RateList *list, int i)
{
	return i < list->n ? list->rate[i].offset : VARSIZE(list->source);
}

/* Are these bytes of the array, which is as long as the one that was kept, the same? */
static bool
is_same(const RateList *list, const ArrayType *source, size_t from, size_t to)
{
	return memcmp((const char *) list->source + from, (const char *) source + from, to - from) == 0;
}

/* How many rates stand up to a currency and day. */
static int
rates_up_to(const RateList *list, const char *currency, int32 day)
{
	int			low = 0;
	int			high = list->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (compare_rate(&list->rate[middle], currency, day) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* reporting_amount(amount, currency, on_day, rates) */
PG_FUNCTION_INFO_V1(sales_perf_reporting_amount);
Datum
sales_perf_reporting_amount(PG_FUNCTION_ARGS)
{
	ArrayType  *source;
	RateList   *list;
	char		currency[64];
	text	   *given;
	size_t		length;
	int			upto;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(3))
		PG_RETURN_NULL();

	given = PG_GETARG_TEXT_PP(1);
	length = VARSIZE_ANY_EXHDR(given);
	if (length >= sizeof(currency))
		PG_RETURN_NULL();
	memcpy(currency, VARDATA_ANY(given), length);
	currency[length] = '\0';

	source = PG_GETARG_ARRAYTYPE_P(3);
	list = fcinfo->flinfo->fn_extra;
	if (list == NULL || VARSIZE(list->source) != VARSIZE(source) ||
		!is_same(list, source, 0, rate_offset(list, 0)))
		list = keep_rates(fcinfo, source);
	if (strcmp(currency, list->reporting_currency) == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();

	upto = rates_up_to(list, currency, PG_GETARG_DATEADT(2));
	if (!is_same(list, source, rate_offset(list, Max(upto - 1, 0)), rate_offset(list, upto + 1)))
	{
		list = keep_rates(fcinfo, source);
		upto = rates_up_to(list, currency, PG_GETARG_DATEADT(2));
	}
	if (upto == 0 || strcmp(list->rate[upto - 1].currency, currency) != 0)
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(0), list->rate[upto - 1].rate);
}
