/*-------------------------------------------------------------------------
 *
 * outcome.c
 *	  What a row says of a deal: its outcome and how long it took.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "outcome.h"

/* Reports an outcome that is none, quoting no more of it than is useful. */
void
outcome_error(Datum datum)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(datum);
	int			length = (int) VARSIZE_ANY_EXHDR(text);
	int			shown = pg_mbcliplen(VARDATA_ANY(text), length, 40);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown deal outcome: \"%.*s%s\"", shown, VARDATA_ANY(text),
					shown < length ? "..." : ""),
			 errhint("An outcome is 'won', 'lost' or 'open' (NULL is open).")));
	pg_unreachable();
}

/* The general case of outcome_read: a text as an expression gives it, or a toasted one. */
Outcome
outcome_read_slow(Datum datum)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(datum);
	const char *chars = VARDATA_ANY(text);
	size_t		length = VARSIZE_ANY_EXHDR(text);

	if (length == 3 && memcmp(chars, "won", 3) == 0)
		return OUTCOME_WON;
	if (length == 4 && memcmp(chars, "lost", 4) == 0)
		return OUTCOME_LOST;
	if (length == 4 && memcmp(chars, "open", 4) == 0)
		return OUTCOME_OPEN;
	outcome_error(PointerGetDatum(text));
}
