/*-------------------------------------------------------------------------
 *
 * business_days.c
 *	  Days from Monday to Friday between two days.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "utils/date.h"

/* Weekdays before a day, from the first of Julian days on, which is a Monday. */
static int32
weekdays_before(DateADT day)
{
	int64		days = (int64) day + POSTGRES_EPOCH_JDATE;

	return (int32) (days / 7 * 5 + Min(days % 7, 5));
}

/* business_days(first_day, last_day): the last day is not counted */
PG_FUNCTION_INFO_V1(sales_perf_business_days);
Datum
sales_perf_business_days(PG_FUNCTION_ARGS)
{
	DateADT		first_day = PG_GETARG_DATEADT(0);
	DateADT		last_day = PG_GETARG_DATEADT(1);

	if (DATE_NOT_FINITE(first_day) || DATE_NOT_FINITE(last_day))
		PG_RETURN_NULL();
	PG_RETURN_INT32(weekdays_before(last_day) - weekdays_before(first_day));
}
