/*-------------------------------------------------------------------------
 *
 * summary_io.c
 *	  Summaries as text, JSON and binary messages.
 *
 * Text is a JSON object with one key for each field of the layout: a count is
 * a number; a decimal is {"sum", "squares" if it keeps them, "scales": rows by
 * display scale}; a histogram is an object of counts by key.  Reading and
 * writing go through jsonb.  A binary message is the packed form.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "summary_type.h"
#include "utils/builtins.h"

#define SYNTAX_ERROR(layout) \
	errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), \
	errmsg("invalid input syntax for type %s", (layout)->type_name)

/* ---------- writing ---------- */

static void
push_key(JsonbInState *state, const char *key)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = pstrdup(key);
	value.val.string.len = (int) strlen(key);
	push_jsonb(state, WJB_KEY, &value);
}

static void
push_numeric(JsonbInState *state, Numeric number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = number;
	push_jsonb(state, WJB_VALUE, &value);
}

static void
push_count(JsonbInState *state, int64 count)
{
	push_numeric(state, int64_to_numeric(count));
}

/* names of the keys of "scales" that are no display scale */
static const char *const special_names[] = {"NaN", "Infinity", "-Infinity"};

static void
push_bins(JsonbInState *state, const char *name, HistogramBins bins, bool scales)
{
	push_key(state, name);
	push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < bins.n; i++)
	{
		char		key[32];

		if (scales && bins.bin[i].key >= DECIMAL_KEY_NAN)
			strlcpy(key, special_names[bins.bin[i].key - DECIMAL_KEY_NAN], sizeof(key));
		else
			pg_lltoa(bins.bin[i].key, key);
		push_key(state, key);
		push_count(state, bins.bin[i].count);
	}
	push_jsonb(state, WJB_END_OBJECT, NULL);
}

static Jsonb *
view_to_jsonb(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;
	JsonbInState state = {0};

	push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < layout->ncounts; i++)
	{
		push_key(&state, layout->counts[i]);
		push_count(&state, view->counts[i]);
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalView *decimal = &view->decimals[i];

		push_key(&state, layout->decimals[i].name);
		push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
		push_key(&state, "sum");
		push_numeric(&state, decimal_to_numeric(&decimal->sum, 0));
		if (layout->decimals[i].squares)
		{
			push_key(&state, "squares");
			push_numeric(&state, decimal_to_numeric(&decimal->squares, 0));
		}
		push_bins(&state, "scales", decimal->scales, true);
		push_jsonb(&state, WJB_END_OBJECT, NULL);
	}
	for (int i = 0; i < layout->nhistograms; i++)
		push_bins(&state, layout->histograms[i], view->histograms[i], false);
	push_jsonb(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(state.result);
}

Datum
summary_to_jsonb(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	SummaryView view;

	summary_open(layout, &view, PG_GETARG_DATUM(0));
	PG_RETURN_JSONB_P(view_to_jsonb(&view));
}

Datum
summary_out(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	SummaryView view;
	Jsonb	   *json;

	summary_open(layout, &view, PG_GETARG_DATUM(0));
	json = view_to_jsonb(&view);
	PG_RETURN_CSTRING(JsonbToCString(NULL, &json->root, (int) VARSIZE(json)));
}

/* ---------- reading ---------- */

/* A reading under way: errors are soft where the caller wants that. */
typedef struct JsonReader
{
	const SummaryLayout *layout;
	Node	   *escontext;
} JsonReader;

/* Finds the value of a key; a key that is not there is an error. */
static bool
get_key(JsonReader *reader, JsonbContainer *object, const char *key, JsonbValue *value)
{
	if (getKeyJsonValueFromContainer(object, key, (int) strlen(key), value) == NULL)
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("Key \"%s\" is missing.", key)));
	return true;
}

static bool
get_object(JsonReader *reader, JsonbContainer *object, const char *key,
		   JsonbContainer **container)
{
	JsonbValue	value;

	if (!get_key(reader, object, key, &value))
		return false;
	if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%s\" must be an object.", key)));
	*container = value.val.binary.data;
	return true;
}

static bool
get_decimal(JsonReader *reader, JsonbContainer *object, const char *key,
			DecimalValue *decimal)
{
	JsonbValue	value;
	DecimalNumeric number;

	if (!get_key(reader, object, key, &value))
		return false;
	if (value.type != jbvNumeric)
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%s\" must be a number.", key)));
	decimal_open(&number, VARDATA_ANY(value.val.numeric),
				 VARSIZE_ANY_EXHDR(value.val.numeric));
	*decimal = decimal_value(&number);
	return true;
}

/* Turns a JSON value into a count: a whole number of 64 bits. */
static bool
read_count(JsonReader *reader, const char *key, int key_length,
		   const JsonbValue *value, int64 *count)
{
	DecimalNumeric number;
	DecimalValue decimal;
	int128		whole = 0;
	bool		fits = false;

	if (value->type == jbvNumeric)
	{
		decimal_open(&number, VARDATA_ANY(value->val.numeric),
					 VARSIZE_ANY_EXHDR(value->val.numeric));
		decimal = decimal_value(&number);
		fits = decimal_to_int128(&decimal, 0, &whole) &&
			whole >= PG_INT64_MIN && whole <= PG_INT64_MAX;
	}
	if (!fits)
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%.*s\" must be a whole number of at most 64 bits.",
						   key_length, key)));
	*count = (int64) whole;
	return true;
}

/* Reads the key of a bin; it must be written as summary_out writes it. */
static bool
read_bin_key(JsonReader *reader, const JsonbValue *key, bool scales, int64 *number)
{
	char		text[32];
	char		again[32];
	char	   *end;

	if (scales)
	{
		for (int i = 0; i < lengthof(special_names); i++)
		{
			if (key->val.string.len == (int) strlen(special_names[i]) &&
				memcmp(key->val.string.val, special_names[i], key->val.string.len) == 0)
			{
				*number = DECIMAL_KEY_NAN + i;
				return true;
			}
		}
	}
	if (key->val.string.len < (int) sizeof(text))
	{
		memcpy(text, key->val.string.val, key->val.string.len);
		text[key->val.string.len] = '\0';
		errno = 0;
		*number = strtoll(text, &end, 10);
		pg_lltoa(*number, again);
		if (errno == 0 && strcmp(text, again) == 0 &&
			(!scales || (*number >= 0 && *number < DECIMAL_KEY_NAN)))
			return true;
	}
	ereturn(reader->escontext, false,
			(SYNTAX_ERROR(reader->layout),
			 errdetail("\"%.*s\" is not a %s.",
					   pg_mbcliplen(key->val.string.val, key->val.string.len, 40),
					   key->val.string.val,
					   scales ? "display scale (0 to 16383)" : "whole number")));
}

static bool
get_bins(JsonReader *reader, JsonbContainer *object, const char *name, bool scales,
		 HistogramBins *bins)
{
	JsonbContainer *container;
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;

	if (!get_object(reader, object, name, &container))
		return false;
	bins->n = 0;
	bins->bin = palloc_extended((JsonContainerSize(container) + 1) * sizeof(HistogramBin),
								MCXT_ALLOC_HUGE);
	iterator = JsonbIteratorInit(container);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_KEY)
	{
		HistogramBin *bin = &bins->bin[bins->n];
		JsonbValue	key = value;

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (!read_bin_key(reader, &key, scales, &bin->key) ||
			!read_count(reader, key.val.string.val, key.val.string.len, &value, &bin->count))
			return false;
		if (bin->count == 0)
			ereturn(reader->escontext, false,
					(SYNTAX_ERROR(reader->layout),
					 errdetail("The count of key \"%.*s\" in \"%s\" must not be 0.",
							   key.val.string.len, key.val.string.val, name)));
		bins->n++;
	}
	histogram_sort(bins->bin, bins->n);
	return true;
}

/* Is the key one of the layout's? */
static bool
known_key(const SummaryLayout *layout, const JsonbValue *key)
{
	int			n = layout->ncounts + layout->ndecimals + layout->nhistograms;

	for (int i = 0; i < n; i++)
	{
		const char *name = i < layout->ncounts ? layout->counts[i] :
			i < layout->ncounts + layout->ndecimals ?
			layout->decimals[i - layout->ncounts].name :
			layout->histograms[i - layout->ncounts - layout->ndecimals];

		if (key->val.string.len == (int) strlen(name) &&
			memcmp(key->val.string.val, name, key->val.string.len) == 0)
			return true;
	}
	return false;
}

/* Refuses keys that are not known; all that are known have been read. */
static bool
refuse_unknown(JsonReader *reader, JsonbContainer *object, const DecimalField *decimal)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue	value;

	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
	{
		bool		known;

		if (decimal == NULL)
			known = known_key(reader->layout, &value);
		else
			known = (value.val.string.len == 3 && memcmp(value.val.string.val, "sum", 3) == 0) ||
				(value.val.string.len == 6 && memcmp(value.val.string.val, "scales", 6) == 0) ||
				(decimal->squares && value.val.string.len == 7 &&
				 memcmp(value.val.string.val, "squares", 7) == 0);
		if (!known)
			ereturn(reader->escontext, false,
					(SYNTAX_ERROR(reader->layout),
					 errdetail("Unknown key \"%.*s\".",
							   pg_mbcliplen(value.val.string.val, value.val.string.len, 40),
							   value.val.string.val)));
		(void) JsonbIteratorNext(&iterator, &value, true);
	}
	return true;
}

static bool
view_from_jsonb(JsonReader *reader, Jsonb *json, SummaryView *view)
{
	const SummaryLayout *layout = reader->layout;
	JsonbContainer *root = &json->root;

	if (!JB_ROOT_IS_OBJECT(json))
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(layout),
				 errdetail("A summary is written as a JSON object.")));
	view->layout = layout;
	for (int i = 0; i < layout->ncounts; i++)
	{
		const char *name = layout->counts[i];
		JsonbValue	value;

		if (!get_key(reader, root, name, &value) ||
			!read_count(reader, name, (int) strlen(name), &value, &view->counts[i]))
			return false;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalField *field = &layout->decimals[i];
		DecimalView *decimal = &view->decimals[i];
		JsonbContainer *object;

		if (!get_object(reader, root, field->name, &object) ||
			!get_decimal(reader, object, "sum", &decimal->sum) ||
			(field->squares && !get_decimal(reader, object, "squares", &decimal->squares)) ||
			!get_bins(reader, object, "scales", true, &decimal->scales) ||
			!refuse_unknown(reader, object, field))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (!get_bins(reader, root, layout->histograms[i], false, &view->histograms[i]))
			return false;
	}
	return refuse_unknown(reader, root, NULL);
}

Datum
summary_in(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	char	   *text = PG_GETARG_CSTRING(0);
	JsonReader	reader;
	SummaryView view;
	Datum		json;

	reader.layout = layout;
	reader.escontext = soft_error_context(fcinfo);
#if PG_VERSION_NUM >= 160000
	if (!DirectInputFunctionCallSafe(jsonb_in, text, InvalidOid, -1, reader.escontext, &json))
		PG_RETURN_NULL();
#else
	json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
#endif
	if (!view_from_jsonb(&reader, DatumGetJsonbP(json), &view))
		PG_RETURN_NULL();
	return PointerGetDatum(summary_pack(&view));
}

/* ---------- binary ---------- */

Datum
summary_send(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	struct varlena *p = summary_packed(layout, PG_GETARG_DATUM(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(p), (int) VARSIZE_ANY_EXHDR(p));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
summary_recv(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buf->len - buf->cursor;
	const char *bytes = pq_getmsgbytes(buf, size);
	SummaryView view;

	if (size >= 1 && (uint8) bytes[0] != SUMMARY_PACKED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version %d of binary format of type %s",
						(uint8) bytes[0], layout->type_name)));
	if (!summary_unpack(layout, &view, bytes, size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value of type %s", layout->type_name),
				 errdetail("It is truncated, not in canonical form, or of another type.")));
	return PointerGetDatum(summary_pack(&view));
}
