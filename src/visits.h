/*-------------------------------------------------------------------------
 *
 * visits.h
 *	  The visits of a deal to the stages of a pipeline.
 *
 * A deal's history is a list of events: on a day it was put into a stage.
 * Events of one stage that follow each other are one visit, which lasts until
 * the deal is put into another stage.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_VISITS_H
#define SALES_PERF_VISITS_H

#include "postgres.h"

#include "series.h"

typedef struct Visit
{
	int64		events;			/* of which the visit is made: 1 or more */
	int32		stage;
	int32		entered_on;		/* a date */
	int32		highest;		/* the highest stage from this visit on */
	bool		again;			/* had the deal been in the stage before? */
} Visit;

typedef struct Visits
{
	Visit	   *visit;			/* in order */
	int			n;
} Visits;

/* Moves from one stage to another, as pair_key(from, to), in order. */
typedef struct Moves
{
	int64	   *move;
	int			n;
} Moves;

extern Visits visits_read(const SeriesPoints *events);
extern Moves visits_moves(Visits visits);

#endif							/* SALES_PERF_VISITS_H */
