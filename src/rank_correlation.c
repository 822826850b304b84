/*-------------------------------------------------------------------------
 *
 * rank_correlation.c
 *	  Spearman's rank correlation of two columns of figures.
 *
 * Ranks are counted from 0 and doubled, so that the mean rank of equal values
 * is a whole number: all sums are exact, and the order of the rows is of no
 * account.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/float.h"

typedef struct Ranked
{
	double		value;
	int32		row;
} Ranked;

/* ranked_sort(ranked, n): by value, NaN last, as everywhere in PostgreSQL */
#define ST_SORT ranked_sort
#define ST_ELEMENT_TYPE Ranked
#define ST_COMPARE(a, b) float8_cmp_internal((a)->value, (b)->value)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The doubled ranks of n values, each in its row. */
static void
double_ranks(Ranked *ranked, int n, int64 *ranks)
{
	ranked_sort(ranked, n);
	for (int first = 0, last; first < n; first = last + 1)
	{
		for (last = first; last + 1 < n; last++)
			if (!float8_eq(ranked[last + 1].value, ranked[first].value))
				break;
		for (int i = first; i <= last; i++)
			ranks[ranked[i].row] = (int64) first + last;
	}
}

/* NULL where one of the two is always the same. */
static bool
correlate(const int64 *x, const int64 *y, int n, double *correlation)
{
	int128		sum = (int128) n * (n - 1);	/* of the ranks of either */
	int128		xx = 0;
	int128		yy = 0;
	int128		xy = 0;
	double		product;

	for (int i = 0; i < n; i++)
	{
		xx += (int128) x[i] * x[i];
		yy += (int128) y[i] * y[i];
		xy += (int128) x[i] * y[i];
	}
	product = (double) (n * xx - sum * sum) * (double) (n * yy - sum * sum);
	if (product <= 0)
		return false;
	/* exactly 1 of equal ranks, for the root of a square is exact */
	*correlation = Min(Max((double) (n * xy - sum * sum) / sqrt(product), -1.0), 1.0);
	return true;
}

static const double *
column(const ArrayType *array, int *n)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a column of figures has one dimension")));
	*n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	return (const double *) ARR_DATA_PTR(array);
}

/* The next value of a column; false if it is NULL. */
static bool
next_value(const bits8 *nulls, int row, const double **next, double *value)
{
	if (nulls != NULL && (nulls[row / 8] & (1 << (row % 8))) == 0)
		return false;
	*value = *(*next)++;
	return true;
}

/* rank_correlation(x, y) */
PG_FUNCTION_INFO_V1(rank_correlation);
Datum
rank_correlation(PG_FUNCTION_ARGS)
{
	ArrayType  *x_array = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *y_array = PG_GETARG_ARRAYTYPE_P(1);
	int			nrows;
	int			ny;
	const double *next_x = column(x_array, &nrows);
	const double *next_y = column(y_array, &ny);
	Ranked	   *x;
	Ranked	   *y;
	int64	   *x_ranks;
	int64	   *y_ranks;
	int			n = 0;
	double		correlation = 0;
	TupleDesc	row_type;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (nrows != ny)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the columns have %d and %d rows", nrows, ny),
				 errhint("Give both the same rows, with NULL where there is no value.")));

	x = palloc_extended(Max(nrows, 1) * sizeof(Ranked), MCXT_ALLOC_HUGE);
	y = palloc_extended(Max(nrows, 1) * sizeof(Ranked), MCXT_ALLOC_HUGE);
	x_ranks = palloc_extended(Max(nrows, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	y_ranks = palloc_extended(Max(nrows, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	for (int row = 0; row < nrows; row++)
	{
		bool		has_x = next_value(ARR_NULLBITMAP(x_array), row, &next_x, &x[n].value);
		bool		has_y = next_value(ARR_NULLBITMAP(y_array), row, &next_y, &y[n].value);

		if (has_x && has_y)
		{
			x[n].row = y[n].row = n;
			n++;
		}
	}
	double_ranks(x, n, x_ranks);
	double_ranks(y, n, y_ranks);

	values[0] = Int64GetDatum(n);
	nulls[1] = !correlate(x_ranks, y_ranks, n, &correlation);
	values[1] = Float8GetDatum(correlation);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}
