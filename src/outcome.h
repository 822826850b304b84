/*-------------------------------------------------------------------------
 *
 * outcome.h
 *	  What a row says of a deal: its outcome and how long it took.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_OUTCOME_H
#define SALES_PERF_OUTCOME_H

#include "postgres.h"

#include "compat.h"
#include "utils/date.h"

typedef enum Outcome
{
	OUTCOME_WON,
	OUTCOME_LOST,
	OUTCOME_OPEN
} Outcome;

/* What the dates of a deal allow to be said. */
typedef enum DealDates
{
	DATES_USABLE,
	DATES_UNDATED,				/* no opened_on */
	DATES_INVALID				/* closed before opened or without a date, or
								 * an infinite date */
} DealDates;

extern void outcome_unknown(const char *text, size_t length) pg_attribute_noreturn();

/*
 * Reads an outcome from a text datum, which may have a short header.  It is
 * 'won', 'lost' or 'open'; anything else is an error.
 */
static inline Outcome
outcome_read(Datum datum)
{
	struct varlena *text = (struct varlena *) DatumGetPointer(datum);
	const char *chars;
	size_t		length;

	if (unlikely(VARATT_IS_EXTENDED(text) && !VARATT_IS_SHORT(text)))
		text = PG_DETOAST_DATUM_PACKED(datum);
	chars = VARDATA_ANY(text);
	length = VARSIZE_ANY_EXHDR(text);

	if (length == 3 && memcmp(chars, "won", 3) == 0)
		return OUTCOME_WON;
	if (length == 4 && memcmp(chars, "lost", 4) == 0)
		return OUTCOME_LOST;
	if (length == 4 && memcmp(chars, "open", 4) == 0)
		return OUTCOME_OPEN;
	outcome_unknown(chars, length);
}

/*
 * Judges the dates of a deal.  *value becomes the days from opening to closing
 * of a closed deal, and the day of opening of an open one.  The closing date
 * of an open deal is ignored: CRMs keep the expected one there.
 */
static inline DealDates
deal_dates(Outcome outcome, NullableDatum opened, NullableDatum closed,
		   int64 *value)
{
	DateADT		opened_on = DatumGetDateADT(opened.value);
	DateADT		closed_on = DatumGetDateADT(closed.value);

	if (opened.isnull)
		return DATES_UNDATED;
	if (outcome != OUTCOME_OPEN && (closed.isnull || DATE_NOT_FINITE(closed_on)))
		return DATES_INVALID;
	if (DATE_NOT_FINITE(opened_on))
		return DATES_INVALID;
	if (outcome == OUTCOME_OPEN)
	{
		*value = opened_on;
		return DATES_USABLE;
	}
	*value = (int64) closed_on - (int64) opened_on;
	return *value < 0 ? DATES_INVALID : DATES_USABLE;
}

#endif							/* SALES_PERF_OUTCOME_H */
