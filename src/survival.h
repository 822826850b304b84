/*-------------------------------------------------------------------------
 *
 * survival.h
 *	  Time until deals close, with those still open censored: Kaplan-Meier,
 *	  Aalen-Johansen, log-rank.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SURVIVAL_H
#define SALES_PERF_SURVIVAL_H

#include "postgres.h"

#include "histogram.h"

/* What a life table is made of; days are whole days. */
typedef struct Lifetimes
{
	HistogramBins won;			/* days from opening to a win */
	HistogramBins lost;			/* days from opening to a loss */
	HistogramBins open;			/* days on which deals still open were opened */
} Lifetimes;

/* One day after opening on which a deal closed or was censored. */
typedef struct LifeDay
{
	int64		day;
	int64		at_risk;		/* deals that got this old */
	int64		won;
	int64		lost;
	int64		censored;
	double		survival;		/* share still open after this day */
	double		survival_se;	/* Greenwood */
	double		win_incidence;	/* Aalen-Johansen: share won by this day */
	double		loss_incidence;
} LifeDay;

typedef struct LifeTable
{
	LifeDay    *days;			/* by ascending day */
	int			n;
	bool		has_median;
	int64		median;			/* as life_median() finds it without a table */
} LifeTable;

typedef enum CloseEvent
{
	EVENT_CLOSED,				/* won or lost */
	EVENT_WON					/* won; a loss is a censoring */
} CloseEvent;

extern LifeTable life_table(const Lifetimes *times, int64 as_of);
extern bool life_median(const Lifetimes *times, int64 as_of, int64 *day);
extern bool life_median_limit(const Lifetimes *times, int64 as_of,
							  double confidence, bool upper, int64 *day);
extern double life_restricted_mean(const LifeTable *table);
extern const LifeDay *life_day(const LifeTable *table, int64 day);
extern double log_rank_p(const LifeTable *a, const LifeTable *b, CloseEvent event);

#endif							/* SALES_PERF_SURVIVAL_H */
