/*-------------------------------------------------------------------------
 *
 * summary_io.c
 *	  Summaries as text, JSON and binary messages.
 *
 * Text is a JSON object with one key for each field of the layout: a count is
 * a number; a decimal is {"sum", "squares" if it keeps them, "scales": rows by
 * display scale}; a histogram is an object of counts by key; a series is
 * {"scales" if it has sums, "points": by key its counts and sums}, a sum with
 * NaN or infinities in it being {"sum", "NaN", ...}; an option is a name, or
 * null if there are no rows.  A key that is a pair is written "first,second".
 * Reading and writing go through jsonb.  A binary message is the packed form.
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

typedef enum KeyKind
{
	KEY_NUMBER,
	KEY_PAIR,
	KEY_SCALE					/* a display scale or one of special_names */
} KeyKind;

/* long enough for any key, and to tell that something longer is none */
#define KEY_TEXT_SIZE 32

static void
key_text(char *text, int64 key, KeyKind kind)
{
	if (kind == KEY_PAIR)
		snprintf(text, KEY_TEXT_SIZE, "%d,%d", pair_first(key), pair_second(key));
	else if (kind == KEY_SCALE && key >= DECIMAL_KEY_NAN)
		strlcpy(text, special_names[key - DECIMAL_KEY_NAN], KEY_TEXT_SIZE);
	else
		pg_lltoa(key, text);
}

static void
push_bins(JsonbInState *state, const char *name, HistogramBins bins, KeyKind kind)
{
	push_key(state, name);
	push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < bins.n; i++)
	{
		char		key[KEY_TEXT_SIZE];

		key_text(key, bins.bin[i].key, kind);
		push_key(state, key);
		push_count(state, bins.bin[i].count);
	}
	push_jsonb(state, WJB_END_OBJECT, NULL);
}

static void
push_sum(JsonbInState *state, const SeriesPoint *point, int sum)
{
	DecimalValue value = series_sum_value(point, sum);
	bool		plain = true;

	for (int i = 0; point->large != NULL && i < SERIES_SPECIALS; i++)
		plain = plain && point->large[sum].special[i] == 0;
	if (plain)
	{
		push_numeric(state, decimal_to_numeric(&value, 0));
		return;
	}
	push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
	push_key(state, "sum");
	push_numeric(state, decimal_to_numeric(&value, 0));
	for (int i = 0; i < SERIES_SPECIALS; i++)
	{
		if (point->large[sum].special[i] != 0)
		{
			push_key(state, special_names[i]);
			push_count(state, point->large[sum].special[i]);
		}
	}
	push_jsonb(state, WJB_END_OBJECT, NULL);
}

static void
push_series(JsonbInState *state, const SeriesField *field, const SeriesPoints *points)
{
	push_key(state, field->name);
	push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
	push_key(state, "points");
	push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < points->n; i++)
	{
		const SeriesPoint *point = &points->point[i];
		char		key[KEY_TEXT_SIZE];

		key_text(key, point->key, field->pair ? KEY_PAIR : KEY_NUMBER);
		push_key(state, key);
		push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
		for (int j = 0; j < field->ncounts; j++)
		{
			push_key(state, field->counts[j]);
			push_count(state, point->counts[j]);
		}
		for (int j = 0; j < field->nsums; j++)
		{
			push_key(state, field->sums[j]);
			push_sum(state, point, j);
		}
		push_jsonb(state, WJB_END_OBJECT, NULL);
	}
	push_jsonb(state, WJB_END_OBJECT, NULL);
	if (field->nsums > 0)
		push_bins(state, "scales", points->scales, KEY_SCALE);
	push_jsonb(state, WJB_END_OBJECT, NULL);
}

static void
push_option(JsonbInState *state, const OptionField *field, int option)
{
	JsonbValue	value;

	push_key(state, field->name);
	value.type = jbvNull;
	if (option != 0)
	{
		value.type = jbvString;
		value.val.string.val = pstrdup(field->values[option - 1]);
		value.val.string.len = (int) strlen(field->values[option - 1]);
	}
	push_jsonb(state, WJB_VALUE, &value);
}

static inline KeyKind
histogram_keys(const SummaryLayout *layout, int histogram)
{
	return (layout->pair_histograms >> histogram) & 1 ? KEY_PAIR : KEY_NUMBER;
}

static Jsonb *
view_to_jsonb(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;
	JsonbInState state = {0};

	push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	if (layout->option != NULL)
		push_option(&state, layout->option, view->option);
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
		push_bins(&state, "scales", decimal->scales, KEY_SCALE);
		push_jsonb(&state, WJB_END_OBJECT, NULL);
	}
	for (int i = 0; i < layout->nhistograms; i++)
		push_bins(&state, layout->histograms[i], view->histograms[i],
				  histogram_keys(layout, i));
	if (layout->series != NULL)
		push_series(&state, layout->series, &view->series);
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

/* Takes a value as an object. */
static bool
read_object(JsonReader *reader, const JsonbValue *value, const char *key, int key_length,
			JsonbContainer **container)
{
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%.*s\" must be an object.", key_length, key)));
	*container = value->val.binary.data;
	return true;
}

static bool
get_object(JsonReader *reader, JsonbContainer *object, const char *key,
		   JsonbContainer **container)
{
	JsonbValue	value;

	return get_key(reader, object, key, &value) &&
		read_object(reader, &value, key, (int) strlen(key), container);
}

static bool
read_number(JsonReader *reader, const char *key, const JsonbValue *value, DecimalValue *decimal)
{
	DecimalNumeric number;

	if (value->type != jbvNumeric)
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%s\" must be a number.", key)));
	decimal_open(&number, VARDATA_ANY(value->val.numeric),
				 VARSIZE_ANY_EXHDR(value->val.numeric));
	*decimal = decimal_value(&number);
	return true;
}

static bool
get_decimal(JsonReader *reader, JsonbContainer *object, const char *key,
			DecimalValue *decimal)
{
	JsonbValue	value;

	return get_key(reader, object, key, &value) && read_number(reader, key, &value, decimal);
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

/* Reads a key; it must be written as summary_out writes it. */
static bool
read_map_key(JsonReader *reader, const JsonbValue *key, KeyKind kind, int64 *number)
{
	static const char *const expected[] = {
		"whole number", "pair of whole numbers of at most 32 bits, as \"1,2\"",
		"display scale (0 to 16383)"
	};
	char		text[KEY_TEXT_SIZE];
	char		again[KEY_TEXT_SIZE];
	char	   *end;

	if (kind == KEY_SCALE)
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
		if (kind == KEY_PAIR && *end == ',')
			*number = pair_key((int32) *number, (int32) strtoll(end + 1, &end, 10));
		key_text(again, *number, kind == KEY_SCALE ? KEY_NUMBER : kind);
		if (errno == 0 && strcmp(text, again) == 0 &&
			(kind != KEY_SCALE || (*number >= 0 && *number < DECIMAL_KEY_NAN)))
			return true;
	}
	ereturn(reader->escontext, false,
			(SYNTAX_ERROR(reader->layout),
			 errdetail("\"%.*s\" is not a %s.",
					   pg_mbcliplen(key->val.string.val, key->val.string.len, 40),
					   key->val.string.val,
					   expected[kind])));
}

static bool
get_bins(JsonReader *reader, JsonbContainer *object, const char *name, KeyKind kind,
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
		if (!read_map_key(reader, &key, kind, &bin->key) ||
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

static inline bool
key_is(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

static bool
key_among(const JsonbValue *key, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (key_is(key, names[i]))
			return true;
	}
	return false;
}

/* What a level of the object knows, besides what is found in the layout. */
typedef enum JsonLevel
{
	LEVEL_SUMMARY,
	LEVEL_DECIMAL,
	LEVEL_DECIMAL_WITH_SQUARES,
	LEVEL_SERIES,
	LEVEL_SERIES_WITH_SUMS,
	LEVEL_POINT,
	LEVEL_SUM
} JsonLevel;

static bool
known_key(const SummaryLayout *layout, JsonLevel level, const JsonbValue *key)
{
	switch (level)
	{
		case LEVEL_DECIMAL:
		case LEVEL_DECIMAL_WITH_SQUARES:
			return key_is(key, "sum") || key_is(key, "scales") ||
				(level == LEVEL_DECIMAL_WITH_SQUARES && key_is(key, "squares"));
		case LEVEL_SERIES:
		case LEVEL_SERIES_WITH_SUMS:
			return key_is(key, "points") ||
				(level == LEVEL_SERIES_WITH_SUMS && key_is(key, "scales"));
		case LEVEL_POINT:
			return key_among(key, layout->series->counts, layout->series->ncounts) ||
				key_among(key, layout->series->sums, layout->series->nsums);
		case LEVEL_SUM:
			return key_is(key, "sum") || key_among(key, special_names, SERIES_SPECIALS);
		case LEVEL_SUMMARY:
			break;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		if (key_is(key, layout->decimals[i].name))
			return true;
	}
	return key_among(key, layout->counts, layout->ncounts) ||
		key_among(key, layout->histograms, layout->nhistograms) ||
		(layout->series != NULL && key_is(key, layout->series->name)) ||
		(layout->option != NULL && key_is(key, layout->option->name));
}

/* Refuses keys that are not known; all that are known have been read. */
static bool
refuse_unknown(JsonReader *reader, JsonbContainer *object, JsonLevel level)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue	value;

	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
	{
		if (!known_key(reader->layout, level, &value))
			ereturn(reader->escontext, false,
					(SYNTAX_ERROR(reader->layout),
					 errdetail("Unknown key \"%.*s\".",
							   pg_mbcliplen(value.val.string.val, value.val.string.len, 40),
							   value.val.string.val)));
		(void) JsonbIteratorNext(&iterator, &value, true);
	}
	return true;
}

/* Reads a sum of a point: a number, or an object with NaN or infinities. */
static bool
get_sum(JsonReader *reader, JsonbContainer *object, const char *name, SeriesSum *sum)
{
	JsonbValue	value;
	JsonbContainer *parts;

	memset(sum, 0, sizeof(SeriesSum));
	if (!get_key(reader, object, name, &value))
		return false;
	if (value.type != jbvBinary)
		return read_number(reader, name, &value, &sum->finite);
	if (!read_object(reader, &value, name, (int) strlen(name), &parts) ||
		!get_decimal(reader, parts, "sum", &sum->finite))
		return false;
	for (int i = 0; i < SERIES_SPECIALS; i++)
	{
		JsonbValue	count;

		if (getKeyJsonValueFromContainer(parts, special_names[i],
										 (int) strlen(special_names[i]), &count) != NULL &&
			!read_count(reader, special_names[i], (int) strlen(special_names[i]), &count,
						&sum->special[i]))
			return false;
	}
	return refuse_unknown(reader, parts, LEVEL_SUM);
}

static bool
get_point(JsonReader *reader, JsonbContainer *object, const SeriesField *field,
		  SeriesPoint *point)
{
	for (int i = 0; i < field->ncounts; i++)
	{
		const char *name = field->counts[i];
		JsonbValue	value;

		if (!get_key(reader, object, name, &value) ||
			!read_count(reader, name, (int) strlen(name), &value, &point->counts[i]))
			return false;
	}
	point->large = palloc0(Max(field->nsums, 1) * sizeof(SeriesSum));
	for (int i = 0; i < field->nsums; i++)
	{
		if (!get_sum(reader, object, field->sums[i], &point->large[i]))
			return false;
	}
	series_point_simplify(point, field->nsums);
	return refuse_unknown(reader, object, LEVEL_POINT);
}

static bool
get_series(JsonReader *reader, JsonbContainer *root, const SeriesField *field,
		   SeriesPoints *series)
{
	JsonbContainer *object;
	JsonbContainer *container;
	JsonbIterator *iterator;
	JsonbValue	value;

	series->scales.n = 0;
	if (!get_object(reader, root, field->name, &object) ||
		!get_object(reader, object, "points", &container) ||
		(field->nsums > 0 && !get_bins(reader, object, "scales", KEY_SCALE, &series->scales)))
		return false;
	for (int i = 0; i < series->scales.n; i++)
	{
		if (series->scales.bin[i].key >= DECIMAL_KEY_NAN)
			ereturn(reader->escontext, false,
					(SYNTAX_ERROR(reader->layout),
					 errdetail("\"scales\" of a series are of finite numbers alone.")));
	}
	series->n = 0;
	series->point = palloc_extended((JsonContainerSize(container) + 1) * sizeof(SeriesPoint),
									MCXT_ALLOC_HUGE);
	iterator = JsonbIteratorInit(container);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
	{
		SeriesPoint *point = &series->point[series->n];
		JsonbValue	key = value;
		JsonbContainer *content;

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (!read_map_key(reader, &key, field->pair ? KEY_PAIR : KEY_NUMBER, &point->key) ||
			!read_object(reader, &value, key.val.string.val, key.val.string.len, &content) ||
			!get_point(reader, content, field, point))
			return false;
		if (series_point_empty(point, field->ncounts, field->nsums))
			ereturn(reader->escontext, false,
					(SYNTAX_ERROR(reader->layout),
					 errdetail("Key \"%.*s\" in \"%s\" must not be without content.",
							   key.val.string.len, key.val.string.val, field->name)));
		series->n++;
	}
	series_sort(series);
	return refuse_unknown(reader, object,
						  field->nsums > 0 ? LEVEL_SERIES_WITH_SUMS : LEVEL_SERIES);
}

/* Reads the option, when all else has been: only rows have one. */
static bool
get_option(JsonReader *reader, JsonbContainer *root, SummaryView *view)
{
	const OptionField *field = reader->layout->option;
	bool		empty = summary_view_empty(view);
	JsonbValue	value;

	view->option = 0;
	if (!get_key(reader, root, field->name, &value))
		return false;
	for (int i = 0; value.type == jbvString && i < field->n; i++)
	{
		if (key_is(&value, field->values[i]))
			view->option = i + 1;
	}
	if (value.type != jbvNull && view->option == 0)
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%s\" is not known.", field->name)));
	if (empty != (view->option == 0))
		ereturn(reader->escontext, false,
				(SYNTAX_ERROR(reader->layout),
				 errdetail("The value of key \"%s\" must be null without rows, and only then.",
						   field->name)));
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
			!get_bins(reader, object, "scales", KEY_SCALE, &decimal->scales) ||
			!refuse_unknown(reader, object, field->squares ? LEVEL_DECIMAL_WITH_SQUARES :
							LEVEL_DECIMAL))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (!get_bins(reader, root, layout->histograms[i], histogram_keys(layout, i),
					  &view->histograms[i]))
			return false;
	}
	if (layout->series != NULL && !get_series(reader, root, layout->series, &view->series))
		return false;
	if (layout->option != NULL && !get_option(reader, root, view))
		return false;
	return refuse_unknown(reader, root, LEVEL_SUMMARY);
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
