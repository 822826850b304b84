/*-------------------------------------------------------------------------
 *
 * sales_perf.c
 *	  The module, and the day of which reports speak.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "jit.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/plancache.h"

SALES_PERF_MODULE_MAGIC("1.0");

#define AS_OF_SETTING "sales_perf.as_of"

/*
 * sales_perf.as_of: an ISO date, or empty for today.  It is read once, when it
 * is set, for as_of() is called for every row of a scan.
 */
static char *as_of_setting = NULL;
static bool as_of_is_set = false;
static DateADT as_of_date;

void		_PG_init(void);

/* Reads YYYY-MM-DD, whatever DateStyle says. */
static bool
parse_iso_date(const char *text, DateADT *date)
{
	int			year;
	int			month;
	int			day;
	int			length = 0;

	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
		sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3 ||
		length != 10 || year < 1 || month < 1 || month > 12 ||
		day < 1 || day > day_tab[isleap(year)][month - 1])
		return false;
	*date = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Reads the setting; false if it is neither a date nor empty. */
static bool
parse_as_of(const char *value, bool *is_set, DateADT *date)
{
	*is_set = value != NULL && value[0] != '\0';
	return !*is_set || parse_iso_date(value, date);
}

static bool
check_as_of(char **newval, void **extra, GucSource source)
{
	bool		is_set;
	DateADT		date;

	if (parse_as_of(*newval, &is_set, &date))
		return true;
	GUC_check_errdetail("A date is written YYYY-MM-DD; an empty value means today.");
	return false;
}

/* Rollups serve from today on. */
static bool
is_past(void)
{
	return as_of_is_set && as_of_date < GetSQLCurrentDate();
}

/*
 * Plans that functions and prepared statements keep were made for reports that
 * read rollups, or for reports that read the deals: see rollup_is_expected().
 * They give the same, but the wrong one takes long.
 */
static void
assign_as_of(const char *newval, void *extra)
{
	bool		was_past = is_past();

	(void) parse_as_of(newval, &as_of_is_set, &as_of_date);
	if (was_past != is_past())
		ResetPlanCache();
}

/*
 * Refuses a wrong value that was set before the library was loaded: defining
 * the variable would only warn, and go on with today.
 */
static void
refuse_wrong_as_of(const char *value)
{
	bool		is_set;
	DateADT		date;

	if (!parse_as_of(value, &is_set, &date))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"%s\": \"%s\"", AS_OF_SETTING, value),
				 errdetail("A date is written YYYY-MM-DD; an empty value means today."),
				 errhint("Correct it with SET, or where the session got it from, "
						 "such as ALTER ROLE or ALTER DATABASE.")));
}

void
_PG_init(void)
{
	const char *early = GetConfigOption(AS_OF_SETTING, true, false);

	if (early != NULL)
	{
		refuse_wrong_as_of(early);
		refuse_wrong_as_of(GetConfigOptionResetString(AS_OF_SETTING));
	}
	DefineCustomStringVariable(AS_OF_SETTING,
							   "The date as of which everything is computed.",
							   "A date written YYYY-MM-DD; empty means today.",
							   &as_of_setting,
							   "",
							   PGC_USERSET,
							   0,
							   check_as_of, assign_as_of, NULL);
	jit_init();
	MarkGUCPrefixReserved("sales_perf");
}

/* The date as of which everything is computed. */
PG_FUNCTION_INFO_V1(sales_perf_as_of);
Datum
sales_perf_as_of(PG_FUNCTION_ARGS)
{
	if (fcinfo->flinfo != NULL)
		jit_note_as_of(fcinfo->flinfo->fn_oid);
	PG_RETURN_DATEADT(as_of_is_set ? as_of_date : GetSQLCurrentDate());
}
