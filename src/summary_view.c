/*-------------------------------------------------------------------------
 *
 * summary_view.c
 *	  What an opened summary says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary_view.h"

/* Is this the summary of no rows? */
bool
summary_view_empty(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;

	for (int i = 0; i < layout->ncounts; i++)
	{
		if (view->counts[i] != 0)
			return false;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		const DecimalView *decimal = &view->decimals[i];

		if (decimal->sum.ndigits > 0 || decimal->scales.n > 0 ||
			(layout->decimals[i].squares && decimal->squares.ndigits > 0))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (view->histograms[i].n > 0)
			return false;
	}
	return layout->series == NULL || (view->series.n == 0 && view->series.scales.n == 0);
}

static bool
bins_negative(HistogramBins bins)
{
	for (int i = 0; i < bins.n; i++)
	{
		if (bins.bin[i].count < 0)
			return true;
	}
	return false;
}

/* A sum may be negative, but not the number of its NaNs and infinities. */
static bool
points_negative(const SeriesField *field, const SeriesPoints *points)
{
	for (int i = 0; i < points->n; i++)
	{
		const SeriesPoint *point = &points->point[i];

		for (int j = 0; j < field->ncounts; j++)
		{
			if (point->counts[j] < 0)
				return true;
		}
		for (int j = 0; point->large != NULL && j < field->nsums; j++)
		{
			for (int k = 0; k < SERIES_SPECIALS; k++)
			{
				if (point->large[j].special[k] < 0)
					return true;
			}
		}
	}
	return bins_negative(points->scales);
}

/*
 * Is this the summary of some rows?  One with a negative count is a
 * difference that was never meant to be read.
 */
bool
summary_view_valid(const SummaryView *view)
{
	const SummaryLayout *layout = view->layout;

	for (int i = 0; i < layout->ncounts; i++)
	{
		if (view->counts[i] < 0)
			return false;
	}
	for (int i = 0; i < layout->ndecimals; i++)
	{
		if (bins_negative(view->decimals[i].scales))
			return false;
	}
	for (int i = 0; i < layout->nhistograms; i++)
	{
		if (bins_negative(view->histograms[i]))
			return false;
	}
	if (layout->series != NULL && points_negative(layout->series, &view->series))
		return false;
	return layout->consistent == NULL || layout->consistent(view);
}

/* How many rows a decimal has seen: NaN and the infinities count too. */
int64
decimal_view_rows(const DecimalView *view)
{
	return histogram_total(view->scales);
}

/* What the sum is: a number, or NaN or an infinity as sum(numeric) has it. */
DecimalKind
decimal_view_kind(const DecimalView *view)
{
	bool		plus = false;
	bool		minus = false;

	for (int i = 0; i < view->scales.n; i++)
	{
		if (view->scales.bin[i].key == DECIMAL_KEY_NAN)
			return DECIMAL_NAN;
		plus = plus || view->scales.bin[i].key == DECIMAL_KEY_PLUS_INF;
		minus = minus || view->scales.bin[i].key == DECIMAL_KEY_MINUS_INF;
	}
	return plus && minus ? DECIMAL_NAN :
		plus ? DECIMAL_PLUS_INF :
		minus ? DECIMAL_MINUS_INF : DECIMAL_FINITE;
}

/* The sum, with the display scale of sum(numeric); 0 if there were no rows. */
Numeric
decimal_view_sum(const DecimalView *view)
{
	DecimalKind kind = decimal_view_kind(view);
	int			dscale = 0;

	if (kind != DECIMAL_FINITE)
		return decimal_special_numeric(kind);
	for (int i = 0; i < view->scales.n; i++)
		dscale = (int) view->scales.bin[i].key;
	return decimal_to_numeric(&view->sum, dscale);
}
