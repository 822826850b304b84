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

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"

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
	int			users;			/* of a list of fetch_rates(), which several share */
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
	list->users = 0;
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

/* No currency has a longer name; one that has has no rate. */
#define CURRENCY_SIZE 64

/*
 * What needs no rates: true if the answer is the amount as it is, or NULL.
 * Else currency holds the name of the currency.
 */
static bool
needs_no_rate(FunctionCallInfo fcinfo, char *currency)
{
	text	   *given;
	size_t		length;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3))
	{
		fcinfo->isnull = PG_ARGISNULL(0) || !PG_ARGISNULL(1);
		return true;
	}
	if (PG_ARGISNULL(1))
		return true;

	given = PG_GETARG_TEXT_PP(1);
	length = VARSIZE_ANY_EXHDR(given);
	if (length >= CURRENCY_SIZE)
	{
		fcinfo->isnull = true;
		return true;
	}
	memcpy(currency, VARDATA_ANY(given), length);
	currency[length] = '\0';
	return false;
}

/* The amount times the rate that is number upto of the list, counted from 1. */
static Datum
converted(FunctionCallInfo fcinfo, const RateList *list, int upto, const char *currency)
{
	if (upto == 0 || strcmp(list->rate[upto - 1].currency, currency) != 0)
		PG_RETURN_NULL();
	return DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(0), list->rate[upto - 1].rate);
}

/* reporting_amount(amount, currency, on_day, rates) */
PG_FUNCTION_INFO_V1(sales_perf_reporting_amount);
Datum
sales_perf_reporting_amount(PG_FUNCTION_ARGS)
{
	ArrayType  *source;
	RateList   *list;
	char		currency[CURRENCY_SIZE];
	int			upto;

	if (needs_no_rate(fcinfo, currency))
		return PG_GETARG_DATUM(0);

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
	return converted(fcinfo, list, upto, currency);
}

/*
 * The rates that were last fetched from a view, and what they were seen by:
 * nothing has been committed, nor written by this transaction, since.  They
 * are kept for what is called anew for every row (a lateral VALUES is).
 */
static struct
{
	RateList   *list;
	Oid			view_id;
	Oid			user_id;
	CommandId	command;
	TransactionId xmin;
	TransactionId xmax;
	uint32		running_count;
	TransactionId *running;		/* of these, and of subtransactions */
}			fetched;

static bool
is_seen_alike(Snapshot snapshot)
{
	if (fetched.command != snapshot->curcid ||
		fetched.xmin != snapshot->xmin || fetched.xmax != snapshot->xmax ||
		fetched.running_count != snapshot->xcnt + snapshot->subxcnt)
		return false;
	for (uint32 i = 0; i < fetched.running_count; i++)
	{
		if (fetched.running[i] != (i < snapshot->xcnt ? snapshot->xip[i] : snapshot->subxip[i - snapshot->xcnt]))
			return false;
	}
	return true;
}

/* Keeps the list of a view, with what it was seen by. */
static void
keep_fetched(RateList *list, Oid view_id, Snapshot snapshot)
{
	list->users = 1;
	fetched.running_count = snapshot->xcnt + snapshot->subxcnt;
	fetched.running = MemoryContextAlloc(list->context, fetched.running_count * sizeof(TransactionId));
	for (uint32 i = 0; i < fetched.running_count; i++)
		fetched.running[i] = i < snapshot->xcnt ? snapshot->xip[i] : snapshot->subxip[i - snapshot->xcnt];
	fetched.xmin = snapshot->xmin;
	fetched.xmax = snapshot->xmax;
	fetched.command = snapshot->curcid;
	fetched.view_id = view_id;
	fetched.user_id = GetUserId();
	fetched.list = list;
}

static void
release_rates(void *list)
{
	if (--((RateList *) list)->users == 0)
		MemoryContextDelete(((RateList *) list)->context);
}

static void
forget_fetched(void)
{
	if (fetched.list != NULL)
		release_rates(fetched.list);
	fetched.list = NULL;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	forget_fetched();
}

static void
forget_at_subend(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_fetched();
}

/*
 * The rates of a view like a mart's fx_rate_list: those of the snapshot of the
 * query that calls, with the rights of whoever asks.
 */
static RateList *
fetch_rates(Oid view_id)
{
	static bool is_registered = false;
	Snapshot	snapshot = GetActiveSnapshot();
	char	   *view_name;
	StringInfoData command;
	bool		is_null;
	Datum		rates;

	if (fetched.list != NULL && fetched.view_id == view_id &&
		fetched.user_id == GetUserId() && is_seen_alike(snapshot))
		return fetched.list;

	if (!is_registered)
	{
		RegisterXactCallback(forget_at_end, NULL);
		RegisterSubXactCallback(forget_at_subend, NULL);
		is_registered = true;
	}
	forget_fetched();

	view_name = get_rel_name(view_id);
	if (view_name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", view_id)));
	initStringInfo(&command);
	appendStringInfo(&command, "SELECT rates FROM %s",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(view_id)), view_name));

	SPI_connect();
	if (SPI_execute(command.data, true, 2) != SPI_OK_SELECT || SPI_processed != 1 ||
		SPI_gettypeid(SPI_tuptable->tupdesc, 1) != TEXTARRAYOID)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is no list of exchange rates", view_name),
				 errhint("It has one row, with a column rates of type text[], as view fx_rate_list of a mart.")));
	rates = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("list of exchange rates must not contain nulls")));
	keep_fetched(read_rates(TopMemoryContext, DatumGetArrayTypeP(rates)), view_id, snapshot);
	SPI_finish();
	return fetched.list;
}

/*
 * converted_amount(amount, currency, on_day, rate_list)
 *
 * Not a sub-select that gives the rates: that would be planned with each
 * report, once for each kind of deals it reads, and before PostgreSQL 17 it
 * keeps a branch of a UNION ALL from being read by parallel workers.
 */
PG_FUNCTION_INFO_V1(sales_perf_converted_amount);
Datum
sales_perf_converted_amount(PG_FUNCTION_ARGS)
{
	RateList   *list;
	char		currency[CURRENCY_SIZE];

	if (needs_no_rate(fcinfo, currency))
		return PG_GETARG_DATUM(0);

	list = fcinfo->flinfo->fn_extra;
	if (list == NULL)
	{
		MemoryContextCallback *callback = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(*callback));

		list = fetch_rates(PG_GETARG_OID(3));
		list->users++;
		callback->func = release_rates;
		callback->arg = list;
		MemoryContextRegisterResetCallback(fcinfo->flinfo->fn_mcxt, callback);
		fcinfo->flinfo->fn_extra = list;
	}
	if (strcmp(currency, list->reporting_currency) == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	return converted(fcinfo, list, rates_up_to(list, currency, PG_GETARG_DATEADT(2)), currency);
}
