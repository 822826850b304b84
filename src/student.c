/*-------------------------------------------------------------------------
 *
 * student.c
 *	  Student's distribution for SQL: what is left of a period is guessed from
 *	  a handful of past ones, too few for the normal distribution.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "proportion.h"

/* The sum has half as many terms; nobody has more past periods. */
#define MAX_DEGREES 10000

static int
check_degrees(int degrees)
{
	if (degrees < 1 || degrees > MAX_DEGREES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d degrees of freedom are not between 1 and %d", degrees, MAX_DEGREES)));
	return degrees;
}

/* student_t_share(t, degrees) */
PG_FUNCTION_INFO_V1(student_t_share);
Datum
student_t_share(PG_FUNCTION_ARGS)
{
	double		t = PG_GETARG_FLOAT8(0);
	int			degrees = check_degrees(PG_GETARG_INT32(1));

	if (isnan(t))
		PG_RETURN_NULL();
	/* a sum of many terms, which may miss the ends by the last bit */
	PG_RETURN_FLOAT8(Min(Max(student_share(t, degrees), 0.0), 1.0));
}

/* student_t_quantile(share, degrees) */
PG_FUNCTION_INFO_V1(student_t_quantile);
Datum
student_t_quantile(PG_FUNCTION_ARGS)
{
	double		share = PG_GETARG_FLOAT8(0);
	int			degrees = check_degrees(PG_GETARG_INT32(1));

	if (!(share > 0 && share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share %g is not between 0 and 1", share)));
	PG_RETURN_FLOAT8(student_quantile(share, degrees));
}
