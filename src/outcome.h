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
	OUTCOME_WON = 0,
	OUTCOME_LOST = 1,
	OUTCOME_OPEN = 2
} Outcome;

/* What the dates of a deal allow to be said. */
typedef enum DealDates
{
	DATES_USABLE,
	DATES_UNDATED,				/* no opened_on */
	DATES_INVALID				/* closed before opened or without a date, or
								 * an infinite date */
} DealDates;

pg_noreturn extern void outcome_unknown(const char *text, size_t length);

#define OUTCOME_WORD(a, b, c, d) \
	((uint32) (a) | (uint32) (b) << 8 | (uint32) (c) << 16 | (uint32) (d) << 24)

/*
 * Reads an outcome from a text datum, which may have a short header.  It is
 * 'won', 'lost' or 'open'; anything else is an error.  Outcomes come in no
 * order that a processor could predict, so this does not branch on them.
 */
static inline Outcome
outcome_read(Datum datum)
{
	struct varlena *text = (struct varlena *) DatumGetPointer(datum);
	const char *chars;
	size_t		length;
	uint32		word;
	bool		won;
	bool		lost;
	bool		open;

	if (unlikely(VARATT_IS_COMPRESSED(text) || VARATT_IS_EXTERNAL(text)))
		text = PG_DETOAST_DATUM_PACKED(datum);
	chars = VARDATA_ANY(text);
	length = VARSIZE_ANY_EXHDR(text);
	if (unlikely(length < 3))
		outcome_unknown(chars, length);

	/* the first three characters and the last */
	word = OUTCOME_WORD((uint8) chars[0], (uint8) chars[1], (uint8) chars[2],
						(uint8) chars[length - 1]);
	won = (length == 3) & (word == OUTCOME_WORD('w', 'o', 'n', 'n'));
	lost = (length == 4) & (word == OUTCOME_WORD('l', 'o', 's', 't'));
	open = (length == 4) & (word == OUTCOME_WORD('o', 'p', 'e', 'n'));
	if (unlikely(!(won | lost | open)))
		outcome_unknown(chars, length);
	return (Outcome) (lost * OUTCOME_LOST + open * OUTCOME_OPEN);
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
	bool		is_open = outcome == OUTCOME_OPEN;
	bool		closing_wrong;

	/* without a branch on the outcome, see above */
	*value = (int64) (is_open ? 0 : closed_on) + (is_open ? 1 : -1) * (int64) opened_on;

	if (unlikely(opened.isnull))
		return DATES_UNDATED;
	if (unlikely(DATE_NOT_FINITE(opened_on)))
		return DATES_INVALID;
	closing_wrong = closed.isnull | (DATE_NOT_FINITE(closed_on)) | (*value < 0);
	if (unlikely(closing_wrong & (!is_open)))
		return DATES_INVALID;
	return DATES_USABLE;
}

#endif							/* SALES_PERF_OUTCOME_H */
