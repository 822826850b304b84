/*-------------------------------------------------------------------------
 *
 * jit.c
 *	  Reports of a mart are run as they are, not compiled first.
 *
 * PostgreSQL compiles (jit) what it expects to take long.  The reports are made
 * of thousands of expressions: to compile those of rep_scorecard takes half a
 * minute, and to run them over a million deals takes less than a second.  So
 * what reads a mart is not compiled, unless sales_perf.jit is on; all else is
 * left as it is.
 *
 * What reads a mart calls sales_perf.as_of().  When it is planned as_of() is
 * called too, to estimate how many rows there will be: so this library is
 * loaded, and knows which function that is, before the first query of a session
 * is run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "jit.h"
#include "jit/jit.h"
#include "nodes/plannodes.h"
#include "utils/guc.h"
#include "utils/syscache.h"

static bool jit_setting = false;
static Oid	as_of_id = InvalidOid;
static ExecutorStart_hook_type previous_ExecutorStart = NULL;

void
jit_note_as_of(Oid function_id)
{
	as_of_id = function_id;
}

/* The functions that a plan calls are noted in it by the hash values of their OIDs. */
static bool
calls_as_of(const PlannedStmt *plan)
{
	uint32		hash;
	ListCell   *cell;

	if (!OidIsValid(as_of_id))
		return false;
	hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(as_of_id));
	foreach(cell, plan->invalItems)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, cell);

		if (item->cacheId == PROCOID && item->hashValue == hash)
			return true;
	}
	return false;
}

static void
start_uncompiled(QueryDesc *query, int eflags)
{
	PlannedStmt *plan = query->plannedstmt;
	int			jit_flags = plan->jitFlags;

	/* the executor takes over what it finds when it starts; the plan may be kept for other times */
	if (jit_flags != PGJIT_NONE && !jit_setting && calls_as_of(plan))
		plan->jitFlags = PGJIT_NONE;
	if (previous_ExecutorStart)
		previous_ExecutorStart(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	plan->jitFlags = jit_flags;
}

void
jit_init(void)
{
	DefineCustomBoolVariable("sales_perf.jit",
							 "Allows just-in-time compilation of queries that read a mart.",
							 "Other queries are compiled as \"jit\" says.",
							 &jit_setting,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);
	previous_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = start_uncompiled;
}
