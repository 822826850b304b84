/*-------------------------------------------------------------------------
 *
 * summary.c
 *	  Summaries: the group law, and reading either form.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "summary.h"
#include "utils/memutils.h"

/*
 * The general case of summary_begin: no state yet, or one that is not ours
 * to change, or a packed one.
 */
Summary *
summary_begin_slow(FunctionCallInfo fcinfo, const SummaryLayout *layout)
{
	if (PG_ARGISNULL(0))
		return summary_new(layout);
	return summary_copy(layout, PG_GETARG_DATUM(0));
}

/* "The grain is 'day', 'week' or 'month'." */
static char *
option_hint(const OptionField *field)
{
	StringInfoData hint;

	initStringInfo(&hint);
	appendStringInfo(&hint, "The %s is ", field->name);
	for (int i = 0; i < field->n; i++)
		appendStringInfo(&hint, "%s'%s'",
						 i == 0 ? "" : i == field->n - 1 ? " or " : ", ", field->values[i]);
	appendStringInfoChar(&hint, '.');
	return hint.data;
}

/* Reads the name of an option's value from an argument: its number, from 0. */
int
summary_option_argument(FunctionCallInfo fcinfo, int argument, const OptionField *field)
{
	struct varlena *text;
	const char *chars;
	size_t		length;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", field->name),
				 errhint("%s", option_hint(field))));
	text = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(argument));
	chars = VARDATA_ANY(text);
	length = VARSIZE_ANY_EXHDR(text);
	for (int i = 0; i < field->n; i++)
	{
		if (strlen(field->values[i]) == length && memcmp(field->values[i], chars, length) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s: \"%.*s\"", field->name,
					pg_mbcliplen(chars, (int) length, 40), chars),
			 errhint("%s", option_hint(field))));
}

/*
 * A value's rows are to have another option than they had: that is an error,
 * unless none are left that had the old one.
 */
void
summary_mix_options(const SummaryLayout *layout, Summary *s, int option)
{
	SummaryView view;

	if (s->option != 0)
	{
		summary_open(layout, &view, PointerGetDatum(s));
		if (view.option != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cannot mix %s \"%s\" and \"%s\" in one %s", layout->option->name,
							layout->option->values[s->option - 1],
							layout->option->values[option - 1], layout->type_name),
					 errhint("Use one %s for all rows of a group, or group by it.",
							 layout->option->name)));
	}
	s->option = (uint16) option;
}

/* Adds (sign 1) or takes away (sign -1) the points of a series. */
static Summary *
absorb_points(const SummaryLayout *layout, Summary *s, const SeriesPoints *points, int sign)
{
	for (int i = 0; i < points->n; i++)
		s = summary_add_point_sums(layout, s, points->point[i].key, points->point[i].counts,
								   &points->point[i], sign);
	for (int i = 0; i < points->scales.n; i++)
		s = summary_add_point_scale(layout, s, points->scales.bin[i].key,
									signed_count(points->scales.bin[i].count, sign));
	return s;
}

/* Adds (sign 1) or takes away (sign -1) another working value. */
static Summary *
absorb_working(const SummaryLayout *layout, Summary *s, Summary *other, int sign)
{
	uint64		cursor = 0;
	int			part;
	HistogramBin bin;

	for (int i = 0; i < layout->ncounts; i++)
		summary_add_count(s, i, signed_count(SUMMARY_COUNTS(other)[i], sign));
	for (int i = 0; i < layout->ndecimals; i++)
	{
		DecimalSum	theirs = summary_decimals(layout, other)[i];
		DecimalSum *ours = &summary_decimals(layout, s)[i];
		DecimalValue value;

		if (!decimal_accumulate(ours->sum, decimal_int128(theirs.sum) * sign))
		{
			decimal_from_int128(&value, decimal_int128(theirs.sum), DECIMAL_SUM_POWER);
			s = summary_add_value(layout, s, i, &value, sign);
			ours = &summary_decimals(layout, s)[i];
		}
		if (layout->decimals[i].squares &&
			!decimal_accumulate(ours->squares, decimal_int128(theirs.squares) * sign))
		{
			decimal_from_int128(&value, decimal_int128(theirs.squares), DECIMAL_SQUARES_POWER);
			s = summary_add_square(layout, s, i, &value, sign);
		}
		if (theirs.rows != 0)
			s = summary_add_scale(layout, s, i, theirs.scale, signed_count(theirs.rows, sign));
	}
	if (layout->series != NULL)
		return summary_add_series(layout, s, summary_series(layout, other), sign);
	while (histogram_next(summary_histogram(layout, other), &cursor, &part, &bin))
		s = summary_add_key(layout, s, part, bin.key, signed_count(bin.count, sign));
	return s;
}

/* Adds (sign 1) or takes away (sign -1) a value that was opened. */
static Summary *
absorb_view(const SummaryLayout *layout, Summary *s, const SummaryView *view, int sign)
{
	for (int i = 0; i < layout->ncounts; i++)
		summary_add_count(s, i, signed_count(view->counts[i], sign));
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalView *decimal = &view->decimals[i];

		s = summary_add_value(layout, s, i, &decimal->sum, sign);
		if (layout->decimals[i].squares)
			s = summary_add_square(layout, s, i, &decimal->squares, sign);
		for (int j = 0; j < decimal->scales.n; j++)
			s = summary_add_scale(layout, s, i, decimal->scales.bin[j].key,
						  signed_count(decimal->scales.bin[j].count, sign));
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		const HistogramBins *bins = &view->histograms[i];

		for (int j = 0; j < bins->n; j++)
			s = summary_add_key(layout, s, SUMMARY_PART(layout, i), bins->bin[j].key,
								signed_count(bins->bin[j].count, sign));
	}
	if (layout->series != NULL)
		s = absorb_points(layout, s, &view->series, sign);
	return s;
}

/*
 * Detoasts a value.  A packed one is bytes and may stay where it is; a
 * working one must be aligned.
 */
struct varlena *
summary_detoast(Datum value)
{
	struct varlena *p = PG_DETOAST_DATUM_PACKED(value);

	if (VARATT_IS_SHORT(p) && VARSIZE_ANY_EXHDR(p) > 0 &&
		*(uint8 *) VARDATA_ANY(p) == SUMMARY_WORKING)
		p = PG_DETOAST_DATUM(PointerGetDatum(p));
	return p;
}

/* Is this a working value of the type?  Anything else should be a packed one. */
static bool
is_working(const SummaryLayout *layout, struct varlena *p)
{
	Summary    *s = (Summary *) p;

	return VARATT_IS_4B_U(p) &&
		VARSIZE(p) >= summary_state_size(layout) +
		(layout->series != NULL ? sizeof(Series) : sizeof(Histogram)) &&
		s->form == SUMMARY_WORKING && s->type_id == layout->type_id;
}

/* The group law: adds (sign 1) or takes away (sign -1) a value of either form. */
Summary *
summary_absorb(const SummaryLayout *layout, Summary *s, Datum value, int sign)
{
	struct varlena *p = summary_detoast(value);
	SummaryView view;

	if (is_working(layout, p))
	{
		Summary    *other = (Summary *) p;

		if (s->option == 0)
			s->option = other->option;
		if (s->option != other->option && other->option != 0)
		{
			/* even so it may have no rows any more, and then no option */
			summary_open(layout, &view, value);
			if (view.option != 0)
				summary_mix_options(layout, s, view.option);
		}
		return absorb_working(layout, s, other, sign);
	}
	summary_unpack_stored(layout, &view, p);
	if (view.option != 0)
		summary_set_option(layout, s, view.option);
	return absorb_view(layout, s, &view, sign);
}

/* A value of either form as a working one that may be changed. */
Summary *
summary_copy(const SummaryLayout *layout, Datum value)
{
	struct varlena *p = summary_detoast(value);
	Summary    *s;

	if (!is_working(layout, p))
		return summary_absorb(layout, summary_new(layout), value, 1);
	s = palloc(VARSIZE(p));
	memcpy(s, p, VARSIZE(p));
	return s;
}

/* Merges the rows of the fast scale into those of the other scales. */
static HistogramBins
all_scales(const DecimalSum *fast, HistogramBins side)
{
	HistogramBins scales;
	bool		placed = fast->rows == 0;

	scales.bin = palloc((side.n + 1) * sizeof(HistogramBin));
	scales.n = 0;
	for (int i = 0; i < side.n && side.bin[i].key <= DECIMAL_KEY_LAST; i++)
	{
		HistogramBin bin = side.bin[i];

		if (!placed && bin.key >= fast->scale)
		{
			placed = true;
			if (bin.key == fast->scale)
			{
				if (pg_add_s64_overflow(bin.count, fast->rows, &bin.count))
					histogram_overflow();
				if (bin.count == 0)
					continue;
			}
			else
			{
				scales.bin[scales.n].key = fast->scale;
				scales.bin[scales.n++].count = fast->rows;
			}
		}
		scales.bin[scales.n++] = bin;
	}
	if (!placed)
	{
		scales.bin[scales.n].key = fast->scale;
		scales.bin[scales.n++].count = fast->rows;
	}
	return scales;
}

/* Opens a working value. */
static void
open_working(const SummaryLayout *layout, SummaryView *view, Summary *s)
{
	HistogramBins parts[SUMMARY_MAX_PARTS];

	view->layout = layout;
	memcpy(view->counts, SUMMARY_COUNTS(s), layout->ncounts * sizeof(int64));
	if (layout->series != NULL)
	{
		series_read(summary_series(layout, s), &view->series);
		view->option = s->option != 0 && !summary_view_empty(view) ? s->option : 0;
		return;
	}
	histogram_read(summary_histogram(layout, s), parts, SUMMARY_PARTS(layout));
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalSum *fast = &summary_decimals(layout, s)[i];
		DecimalView *decimal = &view->decimals[i];

		decimal->sum = decimal_total(decimal_int128(fast->sum), DECIMAL_SUM_POWER,
									 parts[i], DECIMAL_KEY_DIGIT);
		if (layout->decimals[i].squares)
			decimal->squares = decimal_total(decimal_int128(fast->squares), DECIMAL_SQUARES_POWER,
										 parts[i], DECIMAL_KEY_SQUARE);
		decimal->scales = all_scales(fast, parts[i]);
	}
	for (int i = 0; i < layout->nhistograms; i++)
		view->histograms[i] = parts[SUMMARY_PART(layout, i)];
	view->option = s->option != 0 && !summary_view_empty(view) ? s->option : 0;
}

/* Opens a value of either form for reading. */
void
summary_open(const SummaryLayout *layout, SummaryView *view, Datum value)
{
	struct varlena *p = summary_detoast(value);

	if (is_working(layout, p))
		open_working(layout, view, (Summary *) p);
	else
		summary_unpack_stored(layout, view, p);
}

/*
 * The values that accessors have opened last.  A report reads two dozen
 * figures off the same summary, one after the other, and comparing its bytes
 * takes much less than opening it again.
 */
#define OPENED_VALUES	4		/* more than any accessor opens at a time */
#define OPENED_SIZE		65536	/* larger ones are not kept */

typedef struct OpenedValue
{
	const SummaryLayout *layout;	/* NULL: none */
	size_t		size;
	char	   *data;			/* the bytes that were opened */
	SummaryView view;
	bool		is_valid;
	MemoryContext context;		/* holds what data and view point to */
} OpenedValue;

static OpenedValue opened_values[OPENED_VALUES];

static const OpenedValue *
open_cached(const SummaryLayout *layout, struct varlena *p)
{
	static int	next = 0;
	const char *data = VARDATA_ANY(p);
	size_t		size = VARSIZE_ANY_EXHDR(p);
	OpenedValue *value;
	MemoryContext caller;

	for (int i = 0; i < OPENED_VALUES; i++)
	{
		value = &opened_values[i];
		if (value->layout == layout && value->size == size &&
			memcmp(value->data, data, size) == 0)
			return value;
	}

	/* the others are younger */
	value = &opened_values[next];
	next = (next + 1) % OPENED_VALUES;
	value->layout = NULL;
	if (value->context == NULL)
		value->context = AllocSetContextCreate(TopMemoryContext, "sales_perf opened summary",
											   32 * 1024, 32 * 1024, ALLOCSET_DEFAULT_MAXSIZE);
	MemoryContextReset(value->context);
	caller = MemoryContextSwitchTo(value->context);
	value->data = palloc(Max(size, 1));
	memcpy(value->data, data, size);
	value->size = size;
	summary_unpack_stored(layout, &value->view, p);
	MemoryContextSwitchTo(caller);
	value->is_valid = summary_view_valid(&value->view);
	value->layout = layout;
	return value;
}

/*
 * Opens an argument of an accessor, which may look at the view until it
 * returns, and not change it.  False where it has nothing to say, because the
 * value is not valid: the accessor then returns NULL.
 */
bool
summary_read(FunctionCallInfo fcinfo, int argument, const SummaryLayout *layout,
			 SummaryView *view)
{
	struct varlena *p = summary_detoast(PG_GETARG_DATUM(argument));
	const OpenedValue *value;

	if (is_working(layout, p))
		open_working(layout, view, (Summary *) p);
	else if (layout->series != NULL || VARSIZE_ANY_EXHDR(p) > OPENED_SIZE)
		summary_unpack_stored(layout, view, p);
	else
	{
		value = open_cached(layout, p);
		view->layout = layout;
		view->option = value->view.option;
		memcpy(view->counts, value->view.counts, layout->ncounts * sizeof(int64));
		memcpy(view->decimals, value->view.decimals, layout->ndecimals * sizeof(DecimalView));
		memcpy(view->histograms, value->view.histograms, layout->nhistograms * sizeof(HistogramBins));
		return value->is_valid;
	}
	return summary_view_valid(view);
}

/* The packed form of a value of either form. */
struct varlena *
summary_packed(const SummaryLayout *layout, Datum value)
{
	struct varlena *p = summary_detoast(value);
	SummaryView view;

	if (!is_working(layout, p))
		return p;
	open_working(layout, &view, (Summary *) p);
	return summary_pack(&view);
}

/* Can it be added by summary_merge, but for the size of its sums? */
bool
summary_is_mergeable(const SummaryLayout *layout, struct varlena *p)
{
	return layout->option == NULL && layout->series == NULL && !is_working(layout, p);
}

/* a + b (sign 1) or a - b (sign -1) of packed values; NULL where it takes more, see summary_pack_merge. */
struct varlena *
summary_merge(const SummaryLayout *layout, Datum a, Datum b, int sign)
{
	struct varlena *a_packed = summary_detoast(a);
	struct varlena *b_packed = summary_detoast(b);

	if (!summary_is_mergeable(layout, a_packed) || !summary_is_mergeable(layout, b_packed))
		return NULL;
	return summary_pack_merge(layout, a_packed, b_packed, sign);
}

/* A part of a value of either form as a summary of its own, see summary_pack_part. */
struct varlena *
summary_part(const SummaryLayout *from, Datum value, const SummaryLayout *to,
			 int first_count, int first_decimal, int first_histogram)
{
	return summary_pack_part(from, summary_packed(from, value), to, first_count,
							 first_decimal, first_histogram);
}
