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

StaticAssertDecl(OUTCOME_WON >> 1 == 0 && OUTCOME_LOST >> 1 == 0 && OUTCOME_OPEN >> 1 == 1,
				 "deal_dates reads this bit");

pg_noreturn extern void outcome_error(Datum datum);
extern Outcome outcome_read_slow(Datum datum);

/* A text with a short header, as bytes: the first four, and the last, which stands at last_at. */
typedef struct OutcomeText
{
	uint8		first[4];
	uint8		last_at;
	uint8		last;
} OutcomeText;

/* the byte that is the header of a short text, see postgres.h */
#ifdef WORDS_BIGENDIAN
#define OUTCOME_HEADER(length) (0x80 | (VARHDRSZ_SHORT + (length)))
#else
#define OUTCOME_HEADER(length) ((VARHDRSZ_SHORT + (length)) << 1 | 0x01)
#endif

/*
 * Reads an outcome from a text datum.  It is 'won', 'lost' or 'open'; anything
 * else is an error.  Outcomes come in no order that a processor could predict,
 * so this does not branch on them: two bits of the first character tell which
 * of the three it can be.  (Comparing with all three and combining the answers
 * is no good, for the compiler makes branches of that.)
 */
static inline Outcome
outcome_read(Datum datum)
{
	static const OutcomeText texts[] = {
		[OUTCOME_WON] = {{OUTCOME_HEADER(3), 'w', 'o', 'n'}, 3, 'n'},
		[OUTCOME_LOST] = {{OUTCOME_HEADER(4), 'l', 'o', 's'}, 4, 't'},
		[OUTCOME_OPEN] = {{OUTCOME_HEADER(4), 'o', 'p', 'e'}, 4, 'n'}
	};
	const uint8 *text = (const uint8 *) DatumGetPointer(datum);
	uint32		outcome;

	/* as it stands in a row: with a short header, and 3 or 4 characters */
	if (unlikely(text[0] != OUTCOME_HEADER(3) && text[0] != OUTCOME_HEADER(4)))
		return outcome_read_slow(datum);

	/* in ASCII w is 0x77, l 0x6C and o 0x6F: 0, 1 and 2; 0 to 2 whatever it is */
	outcome = text[1] >> 3 & 1;
	outcome += outcome & text[1];
	if (unlikely(memcmp(text, texts[outcome].first, 4) != 0 ||
				 text[texts[outcome].last_at] != texts[outcome].last))
		outcome_error(datum);
	return (Outcome) outcome;
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
	int64		closed_mask = (int64) (outcome >> 1) - 1;	/* 0 if open, else all ones */
	bool		closing_wrong;

	/* without a branch on the outcome, see above: closed_on - opened_on, or opened_on */
	*value = (closed_on & closed_mask) + (opened_on ^ closed_mask) - closed_mask;

	if (unlikely(opened.isnull))
		return DATES_UNDATED;
	if (unlikely(DATE_NOT_FINITE(opened_on)))
		return DATES_INVALID;
	closing_wrong = closed.isnull | (DATE_NOT_FINITE(closed_on)) | (*value < 0);
	if (unlikely(closing_wrong & closed_mask))
		return DATES_INVALID;
	return DATES_USABLE;
}

#endif							/* SALES_PERF_OUTCOME_H */
