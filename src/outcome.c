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
outcome_unknown(const char *text, size_t length)
{
	int			shown = pg_mbcliplen(text, (int) length, 40);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown deal outcome: \"%.*s%s\"", shown, text,
					(size_t) shown < length ? "..." : ""),
			 errhint("An outcome is 'won', 'lost' or 'open' (NULL is open).")));
	pg_unreachable();
}
