/*-------------------------------------------------------------------------
 *
 * visits.c
 *	  The visits of a deal to the stages of a pipeline.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "summary.h"
#include "visits.h"

/* key_sort(keys, n): ascending */
#define ST_SORT key_sort
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static int64 *
make_keys(int n)
{
	return palloc_extended(Max(n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
}

/* Finds the visits to a stage after the first one. */
static void
mark_returns(Visits visits)
{
	int64	   *keys = make_keys(visits.n);

	for (int i = 0; i < visits.n; i++)
		keys[i] = pair_key(visits.visit[i].stage, i);
	key_sort(keys, visits.n);
	for (int i = 0; i < visits.n; i++)
		visits.visit[pair_second(keys[i])].again =
			i > 0 && pair_first(keys[i]) == pair_first(keys[i - 1]);
	pfree(keys);
}

/*
 * Reads the visits from the events, whose keys are pair_key(day, stage), each
 * with the number of such events; they are in order.
 */
Visits
visits_read(const SeriesPoints *events)
{
	Visits		visits;
	Visit	   *last = NULL;

	visits.visit = palloc_extended(Max(events->n, 1) * sizeof(Visit), MCXT_ALLOC_HUGE);
	visits.n = 0;
	for (int i = 0; i < events->n; i++)
	{
		const SeriesPoint *event = &events->point[i];
		int32		stage = pair_second(event->key);

		if (last == NULL || last->stage != stage)
		{
			last = &visits.visit[visits.n++];
			last->stage = last->highest = stage;
			last->entered_on = pair_first(event->key);
			last->events = 0;
		}
		if (pg_add_s64_overflow(last->events, event->counts[0], &last->events))
			histogram_overflow();
	}
	for (int i = visits.n - 2; i >= 0; i--)
		visits.visit[i].highest = Max(visits.visit[i].stage, visits.visit[i + 1].highest);
	mark_returns(visits);
	return visits;
}

/* The moves from one visit to the next. */
Moves
visits_moves(Visits visits)
{
	Moves		moves;

	moves.n = Max(visits.n - 1, 0);
	moves.move = make_keys(moves.n);
	for (int i = 0; i < moves.n; i++)
		moves.move[i] = pair_key(visits.visit[i].stage, visits.visit[i + 1].stage);
	key_sort(moves.move, moves.n);
	return moves;
}
