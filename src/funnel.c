/*-------------------------------------------------------------------------
 *
 * funnel.c
 *	  funnel_summary: how far deals get, and how long they stay, stage by
 *	  stage.
 *
 * A deal is its stage_path and its outcome.  What is kept of it are facts that
 * do not depend on the policy, which only decides how they are read, nor on
 * the day, nor on which other stages there are.  A fact that follows from
 * others is not kept: won deals have advanced from every stage that they were
 * in, for instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "outcome.h"
#include "subject.h"
#include "summary_type.h"
#include "survival.h"
#include "utils/date.h"
#include "utils/tuplestore.h"
#include "visits.h"

#define OUTCOMES (OUTCOME_OPEN + 1)

/* What it means that a deal came to a stage, and got on from it. */
typedef enum Policy
{
	POLICY_REACHED,				/* was in it or a later one; got further */
	POLICY_STRICT,				/* was in it; was in a later one afterwards */
	POLICY_DIRECT,				/* was in it; moved from it to the next one */
	POLICIES
} Policy;

enum
{
	PATHLESS,					/* deals without events, by outcome */
	INVALID = PATHLESS + OUTCOMES,	/* deals whose path is not valid */
	UNDATED_VISITS,				/* visits that ended on no known day */
	UNDATED,					/* rows of the paths that are no events */
	UNSTAGED,
	NCOUNTS
};

/* Histograms: those of pairs by stage and what is in parentheses, others by stage. */
enum
{
	FURTHEST,					/* (outcome) deals, by their highest stage */
	ENTERED,					/* (outcome) deals that were ever in the stage */
	REENTERED,					/* (outcome) visits after a deal's first one */
	MOVES,						/* (to) moves, from a stage to itself included */
	REPEATED,					/* (to) moves to another stage that the deal had made before */
	ADVANCED,					/* deals not won that were in it, then in a later one */
	WON_FROM,					/* won deals, by their last stage */
	WAITING,					/* open deals that are in their furthest stage */
	RETURNED,					/* open deals that are in it again, having advanced from it */
	RETURNED_AFTER,				/* (to) open deals that are in it again, having moved from it */
	FORWARD_DAYS,				/* (days) visits that ended by a move forward, or a win */
	BACK_DAYS,					/* (days) visits that ended by a move back, or a loss */
	OPEN_ON,					/* (day entered) visits of open deals that go on */
	NHISTOGRAMS
};

#define PAIR(histogram) (UINT32_C(1) << (histogram))
#define PAIRS \
	(PAIR(FURTHEST) | PAIR(ENTERED) | PAIR(REENTERED) | PAIR(MOVES) | PAIR(REPEATED) | \
	 PAIR(RETURNED_AFTER) | PAIR(FORWARD_DAYS) | PAIR(BACK_DAYS) | PAIR(OPEN_ON))

static const char *const count_names[NCOUNTS] = {
	"pathless_won", "pathless_lost", "pathless_open", "invalid",
	"undated_visits", "undated", "unstaged"
};
static const char *const histogram_names[NHISTOGRAMS] = {
	"furthest", "entered", "reentered", "moves", "repeated", "advanced", "won_from",
	"waiting", "returned", "returned_after", "forward_days", "back_days", "open_on"
};
static const char *const policy_names[POLICIES] = {"reached", "strict", "direct"};
static const OptionField policy_option = {"policy", POLICIES, policy_names};

static bool funnel_consistent(const SummaryView *view);

static const SummaryLayout funnel_layout = {
	.type_name = "funnel_summary",
	.type_id = 8,
	.ncounts = NCOUNTS,
	.nhistograms = NHISTOGRAMS,
	.counts = count_names,
	.histograms = histogram_names,
	.pair_histograms = PAIRS,
	.option = &policy_option,
	.consistent = funnel_consistent
};

SUMMARY_TYPE(funnel_layout, funnel_summary);

/* ---------- adding deals ---------- */

static Summary *
add_fact(Summary *s, int histogram, int64 key, int64 sign)
{
	return summary_add_row_key(&funnel_layout, s, SUMMARY_PART(&funnel_layout, histogram), key,
							   sign);
}

/* Adds what is to be said of the last visit of a deal. */
static Summary *
add_last_visit(Summary *s, const Visit *last, Outcome outcome, NullableDatum closed, int64 sign)
{
	DateADT		closed_on = DatumGetDateADT(closed.value);

	if (outcome == OUTCOME_WON)
		s = add_fact(s, WON_FROM, last->stage, sign);
	if (outcome == OUTCOME_OPEN)
		s = add_fact(s, OPEN_ON, pair_key(last->stage, last->entered_on), sign);
	else if (closed.isnull || DATE_NOT_FINITE(closed_on) || closed_on < last->entered_on)
		summary_add_count(s, UNDATED_VISITS, sign);
	else
		s = add_fact(s, outcome == OUTCOME_WON ? FORWARD_DAYS : BACK_DAYS,
					 pair_key(last->stage, closed_on - last->entered_on), sign);
	return s;
}

/* Adds the moves of a deal; it is open in stage last if is_open. */
static Summary *
add_moves(Summary *s, Visits visits, bool is_open, int64 sign)
{
	Moves		moves = visits_moves(visits);
	int32		last = visits.visit[visits.n - 1].stage;

	for (int i = 0; i < moves.n; i++)
	{
		int64		move = moves.move[i];

		s = add_fact(s, MOVES, move, sign);
		if (i > 0 && moves.move[i - 1] == move)
			s = add_fact(s, REPEATED, move, sign);
		else if (is_open && pair_first(move) == last)
			s = add_fact(s, RETURNED_AFTER, move, sign);
	}
	return s;
}

/* Adds (sign 1) or takes back (sign -1) a deal that was in some stage. */
static Summary *
add_deal(Summary *s, Visits visits, Outcome outcome, NullableDatum closed, int64 sign)
{
	const Visit *last = &visits.visit[visits.n - 1];
	int32		furthest = visits.visit[0].highest;

	s = add_fact(s, FURTHEST, pair_key(furthest, outcome), sign);
	for (const Visit *visit = visits.visit; visit <= last; visit++)
	{
		CHECK_FOR_INTERRUPTS();
		s = add_fact(s, visit->again ? REENTERED : ENTERED, pair_key(visit->stage, outcome), sign);
		if (visit->events > 1)
			s = summary_add_key(&funnel_layout, s, SUMMARY_PART(&funnel_layout, MOVES),
								pair_key(visit->stage, visit->stage),
								(visit->events - 1) * sign);
		if (!visit->again && visit->highest > visit->stage && outcome != OUTCOME_WON)
		{
			s = add_fact(s, ADVANCED, visit->stage, sign);
			if (outcome == OUTCOME_OPEN && visit->stage == last->stage)
				s = add_fact(s, RETURNED, visit->stage, sign);
		}
		if (visit < last)
			s = add_fact(s, visit[1].stage > visit->stage ? FORWARD_DAYS : BACK_DAYS,
						 pair_key(visit->stage, visit[1].entered_on - visit->entered_on), sign);
	}
	if (outcome == OUTCOME_OPEN && last->stage == furthest)
		s = add_fact(s, WAITING, furthest, sign);
	s = add_last_visit(s, last, outcome, closed, sign);
	return add_moves(s, visits, outcome == OUTCOME_OPEN, sign);
}

static Datum
funnel_row(FunctionCallInfo fcinfo, int64 sign)
{
	Summary    *state = summary_begin(fcinfo, &funnel_layout);
	Outcome		outcome = PG_ARGISNULL(2) ? OUTCOME_OPEN : outcome_read(PG_GETARG_DATUM(2));
	Policy		policy = PG_NARGS() > 4 ?
		(Policy) summary_option_argument(fcinfo, 4, &policy_option) : POLICY_REACHED;
	SummaryView path;

	summary_set_option(&funnel_layout, state, policy + 1);
	path.series.n = 0;
	if (!PG_ARGISNULL(1))
	{
		if (!summary_read(fcinfo, 1, &stage_path_layout, &path))
		{
			summary_add_count(state, INVALID, sign);
			return summary_end(fcinfo, &funnel_layout, state);
		}
		summary_add_count(state, UNDATED, path.counts[PATH_UNDATED] * sign);
		summary_add_count(state, UNSTAGED, path.counts[PATH_UNSTAGED] * sign);
	}
	if (path.series.n == 0)
		summary_add_count(state, PATHLESS + outcome, sign);
	else
		state = add_deal(state, visits_read(&path.series), outcome, fcinfo->args[3], sign);
	return summary_end(fcinfo, &funnel_layout, state);
}

PG_FUNCTION_INFO_V1(funnel_agg_add);
Datum
funnel_agg_add(PG_FUNCTION_ARGS)
{
	return funnel_row(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(funnel_agg_remove);
Datum
funnel_agg_remove(PG_FUNCTION_ARGS)
{
	return funnel_row(fcinfo, -1);
}

/* ---------- reading ---------- */

/* All that is known of a stage. */
typedef struct FunnelStage
{
	int32		stage;
	int64		furthest[OUTCOMES];
	int64		entered[OUTCOMES];
	int64		reentered[OUTCOMES];
	int64		reached[OUTCOMES];	/* deals that were in it or a later one, or won */
	int64		moves;			/* to another stage */
	int64		moves_back;
	int64		direct;			/* deals with a move to the next stage */
	int64		advanced;
	int64		won_from;
	int64		open;			/* open deals that are in it */
	int64		waiting;
	int64		returned;
	int64		returned_directly;	/* after a move to the next stage */
	HistogramBins forward_days;
	HistogramBins back_days;
	HistogramBins open_on;
} FunnelStage;

/* The stages that some deal was in, by number. */
typedef struct Funnel
{
	FunnelStage *stage;
	int			n;
	int64		deals[OUTCOMES];	/* with a path */
} Funnel;

/* What a policy makes of a stage. */
typedef struct StageDeals
{
	int64		entered[OUTCOMES];
	int64		all_entered;
	int64		advanced;
	int64		ended;			/* entered, and not waiting in it any more */
} StageDeals;

static int64
add(int64 a, int64 b)
{
	if (pg_add_s64_overflow(a, b, &a))
		histogram_overflow();
	return a;
}

static int64
add_all(const int64 *by_outcome)
{
	return add(add(by_outcome[OUTCOME_WON], by_outcome[OUTCOME_LOST]), by_outcome[OUTCOME_OPEN]);
}

static FunnelStage *
find_stage(const Funnel *funnel, int64 stage)
{
	int			low = 0;
	int			high = funnel->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (funnel->stage[middle].stage < stage)
			low = middle + 1;
		else
			high = middle;
	}
	return low < funnel->n && funnel->stage[low].stage == stage ? &funnel->stage[low] : NULL;
}

/* Appends a day with its number of visits to those of a stage. */
static bool
read_day(HistogramBins *days, HistogramBin *place, int32 day, int64 visits)
{
	place->key = day;
	place->count = visits;
	if (days->n++ == 0)
		days->bin = place;
	return true;
}

/*
 * Reads a bin of a histogram; false if it cannot be.  place is where its day
 * is kept, if it has one: those of a stage follow each other.
 */
static bool
read_fact(const Funnel *funnel, int histogram, HistogramBin bin, HistogramBin *place)
{
	bool		pair = (PAIRS & PAIR(histogram)) != 0;
	FunnelStage *stage = find_stage(funnel, pair ? pair_first(bin.key) : bin.key);
	int32		second = pair_second(bin.key);
	int64		n = bin.count;
	bool		is_outcome = second >= 0 && second < OUTCOMES;
	bool		is_next;

	if (stage == NULL)
		return false;
	is_next = stage + 1 < funnel->stage + funnel->n && stage[1].stage == second;
	switch (histogram)
	{
		case FURTHEST:
			if (is_outcome)
				stage->furthest[second] = n;
			return is_outcome;
		case ENTERED:
			if (is_outcome)
				stage->entered[second] = n;
			return is_outcome;
		case REENTERED:
			if (is_outcome)
				stage->reentered[second] = n;
			return is_outcome;
		case MOVES:
			if (second != stage->stage)
				stage->moves = add(stage->moves, n);
			if (second < stage->stage)
				stage->moves_back = add(stage->moves_back, n);
			stage->direct += is_next ? n : 0;
			return true;
		case REPEATED:
			stage->direct -= is_next ? n : 0;
			return true;
		case ADVANCED:
			stage->advanced = n;
			return true;
		case WON_FROM:
			stage->won_from = n;
			return true;
		case WAITING:
			stage->waiting = n;
			return true;
		case RETURNED:
			stage->returned = n;
			return true;
		case RETURNED_AFTER:
			stage->returned_directly += is_next ? n : 0;
			return true;
		case FORWARD_DAYS:
			return second >= 0 && read_day(&stage->forward_days, place, second, n);
		case BACK_DAYS:
			return second >= 0 && read_day(&stage->back_days, place, second, n);
		case OPEN_ON:
			stage->open = add(stage->open, n);
			return IS_VALID_DATE(second) && read_day(&stage->open_on, place, second, n);
	}
	return false;
}

/* Puts together what is known of each stage; false if it makes no sense. */
static bool
read_funnel(const SummaryView *view, Funnel *funnel)
{
	HistogramBins entered = view->histograms[ENTERED];
	int64		reached[OUTCOMES] = {0};

	funnel->stage = palloc_extended(Max(entered.n, 1) * sizeof(FunnelStage),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	funnel->n = 0;
	for (int i = 0; i < entered.n; i++)
	{
		int32		stage = pair_first(entered.bin[i].key);

		if (funnel->n == 0 || funnel->stage[funnel->n - 1].stage != stage)
			funnel->stage[funnel->n++].stage = stage;
	}
	for (int i = 0; i < NHISTOGRAMS; i++)
	{
		HistogramBins bins = view->histograms[i];
		HistogramBin *days = palloc_extended(Max(bins.n, 1) * sizeof(HistogramBin),
											 MCXT_ALLOC_HUGE);

		for (int j = 0; j < bins.n; j++)
		{
			if (!read_fact(funnel, i, bins.bin[j], &days[j]))
				return false;
		}
	}
	for (int i = funnel->n - 1; i >= 0; i--)
	{
		for (int j = 0; j < OUTCOMES; j++)
			reached[j] = funnel->stage[i].reached[j] = add(reached[j], funnel->stage[i].furthest[j]);
	}
	memcpy(funnel->deals, reached, sizeof(reached));

	/* won deals have got through all stages */
	for (int i = 0; i < funnel->n; i++)
		funnel->stage[i].reached[OUTCOME_WON] = funnel->deals[OUTCOME_WON];
	return true;
}

/* Deals that got further than a stage. */
static int64
got_further(const FunnelStage *stage)
{
	return add(stage->reached[OUTCOME_WON],
			   add(stage->reached[OUTCOME_LOST] - stage->furthest[OUTCOME_LOST],
				   stage->reached[OUTCOME_OPEN] - stage->furthest[OUTCOME_OPEN]));
}

/* Reads a stage by a policy. */
static StageDeals
stage_deals(const Funnel *funnel, const FunnelStage *stage, Policy policy)
{
	StageDeals	deals;
	int64		waiting;

	memcpy(deals.entered, policy == POLICY_REACHED ? stage->reached : stage->entered,
		   sizeof(deals.entered));
	deals.all_entered = add_all(deals.entered);
	if (policy == POLICY_REACHED)
	{
		deals.advanced = got_further(stage);
		waiting = stage->waiting;
	}
	else if (policy == POLICY_STRICT)
	{
		deals.advanced = add(stage->entered[OUTCOME_WON], stage->advanced);
		waiting = stage->open - stage->returned;
	}
	else if (stage + 1 < funnel->stage + funnel->n)
	{
		deals.advanced = stage->direct;
		waiting = stage->open - stage->returned_directly;
	}
	else
	{
		deals.advanced = stage->won_from;
		waiting = stage->open;
	}
	deals.ended = deals.all_entered - waiting;
	return deals;
}

/* Can this be the sum of some deals?  It is asked when no count is negative. */
static bool
funnel_consistent(const SummaryView *view)
{
	Funnel		funnel;
	int64		won = 0;
	int64		open = 0;

	if (!read_funnel(view, &funnel))
		return false;
	for (int i = 0; i < funnel.n; i++)
	{
		const FunnelStage *stage = &funnel.stage[i];

		for (int j = 0; j < OUTCOMES; j++)
		{
			if (stage->furthest[j] > stage->entered[j] || stage->entered[j] > stage->reached[j])
				return false;
		}
		if (stage->won_from > stage->entered[OUTCOME_WON] ||
			stage->open > stage->entered[OUTCOME_OPEN] ||
			stage->waiting > stage->furthest[OUTCOME_OPEN] ||
			stage->returned > stage->open - stage->waiting ||
			stage->returned_directly > stage->open)
			return false;
		for (Policy policy = 0; policy < POLICIES; policy++)
		{
			StageDeals	deals = stage_deals(&funnel, stage, policy);

			if (deals.advanced < 0 || deals.advanced > deals.ended)
				return false;
		}
		won = add(won, stage->won_from);
		open = add(open, stage->open);
	}
	return won == funnel.deals[OUTCOME_WON] && open == funnel.deals[OUTCOME_OPEN];
}

/* All deals, whether anything is known of their stages or not. */
PG_FUNCTION_INFO_V1(funnel_deal_count);
Datum
funnel_deal_count(PG_FUNCTION_ARGS)
{
	SummaryView view;
	int64		deals;

	if (!summary_read(fcinfo, 0, &funnel_layout, &view))
		PG_RETURN_NULL();
	deals = histogram_total(view.histograms[FURTHEST]);
	for (int i = PATHLESS; i <= INVALID; i++)
		deals = add(deals, view.counts[i]);
	PG_RETURN_INT64(deals);
}

PG_FUNCTION_INFO_V1(funnel_pathless_count);
Datum
funnel_pathless_count(PG_FUNCTION_ARGS)
{
	SummaryView view;

	if (!summary_read(fcinfo, 0, &funnel_layout, &view))
		PG_RETURN_NULL();
	PG_RETURN_INT64(add_all(&view.counts[PATHLESS]));
}

SUMMARY_COUNT(funnel_invalid_count, funnel_layout, INVALID);
SUMMARY_COUNT(funnel_undated_visit_count, funnel_layout, UNDATED_VISITS);
SUMMARY_COUNT(funnel_undated_count, funnel_layout, UNDATED);
SUMMARY_COUNT(funnel_unstaged_count, funnel_layout, UNSTAGED);

/* Moves back to an earlier stage, of all moves from one stage to another. */
PG_FUNCTION_INFO_V1(funnel_regression_rate);
Datum
funnel_regression_rate(PG_FUNCTION_ARGS)
{
	SummaryView view;
	Funnel		funnel;
	int64		moves = 0;
	int64		back = 0;

	if (!summary_read(fcinfo, 0, &funnel_layout, &view) || !read_funnel(&view, &funnel))
		PG_RETURN_NULL();
	for (int i = 0; i < funnel.n; i++)
	{
		moves = add(moves, funnel.stage[i].moves);
		back = add(back, funnel.stage[i].moves_back);
	}
	if (moves == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) back / (double) moves);
}

/* How long visits to a stage last; what there is no answer to is absent. */
typedef struct StageTimes
{
	bool		has_median;
	double		median;
	bool		has_km_median;
	int64		km_median;
	bool		has_curve;
	double		incidence;		/* of ending forward, by the last day observed */
	bool		has_expected;
	double		expected;		/* days in the stage for a deal that is won */
} StageTimes;

/* percentile_cont(0.5) of the days of visits that ended. */
static bool
median_days(const FunnelStage *stage, double *median)
{
	HistogramBins days;
	int64		low;
	int64		high;
	double		between;

	days.n = stage->forward_days.n + stage->back_days.n;
	if (days.n == 0)
		return false;
	days.bin = palloc_extended(days.n * sizeof(HistogramBin), MCXT_ALLOC_HUGE);
	if (stage->forward_days.n > 0)
		memcpy(days.bin, stage->forward_days.bin, stage->forward_days.n * sizeof(HistogramBin));
	if (stage->back_days.n > 0)
		memcpy(days.bin + stage->forward_days.n, stage->back_days.bin,
			   stage->back_days.n * sizeof(HistogramBin));
	histogram_sort(days.bin, days.n);
	histogram_rank(days, histogram_total(days), 0.5, &low, &high, &between);
	*median = (double) low + between * ((double) high - (double) low);
	pfree(days.bin);
	return true;
}

static StageTimes
stage_times(const FunnelStage *stage, int64 won_deals, DateADT as_of)
{
	StageTimes	times = {0};
	Lifetimes	visits = {stage->forward_days, stage->back_days, stage->open_on};
	LifeTable	table = life_table(&visits, as_of);
	int64		won_visits = add(stage->entered[OUTCOME_WON], stage->reentered[OUTCOME_WON]);

	times.has_median = median_days(stage, &times.median);
	times.has_km_median = table.has_median;
	times.km_median = table.median;
	times.has_curve = table.n > 0;
	if (times.has_curve)
		times.incidence = Min(table.days[table.n - 1].win_incidence, 1.0);

	/* a stage that no won deal was in takes none of their time */
	times.has_expected = won_deals > 0 && (times.has_curve || won_visits == 0);
	if (times.has_expected && won_visits > 0)
		times.expected = life_restricted_mean(&table) *
			((double) won_visits / (double) won_deals);
	pfree(table.days);
	return times;
}

/*
 * The stage that holds the largest share of the days that a won deal takes,
 * the earliest of equals; -1 if that is not known of every stage, or they take
 * no time.  *total becomes the days of all of them.
 */
static int
find_bottleneck(const StageTimes *times, int n, double *total)
{
	int			longest = 0;

	*total = 0;
	for (int i = 0; i < n; i++)
	{
		if (!times[i].has_expected)
			return -1;
		if (times[i].expected > times[longest].expected)
			longest = i;
		*total += times[i].expected;
	}
	return *total > 0 ? longest : -1;
}

static Datum
rate(int64 part, int64 whole, bool *isnull)
{
	*isnull = whole == 0;
	return Float8GetDatum(*isnull ? 0 : (double) part / (double) whole);
}

static Datum
float_or_null(bool known, double value, bool *isnull)
{
	*isnull = !known;
	return Float8GetDatum(value);
}

/* One row for each stage that some deal was in. */
PG_FUNCTION_INFO_V1(funnel_values);
Datum
funnel_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SummaryView view;
	Funnel		funnel;
	Policy		policy;
	DateADT		as_of;
	StageTimes *times;
	double		total;
	int			bottleneck;

	/* not strict: the policy may be left open */
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	as_of = PG_GETARG_DATEADT(1);
	if (DATE_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be a finite date")));
	policy = PG_ARGISNULL(2) ? POLICY_REACHED :
		(Policy) summary_option_argument(fcinfo, 2, &policy_option);
	if (!summary_read(fcinfo, 0, &funnel_layout, &view) || !read_funnel(&view, &funnel))
		return (Datum) 0;
	if (PG_ARGISNULL(2) && view.option > 0)
		policy = (Policy) (view.option - 1);

	times = palloc_extended(Max(funnel.n, 1) * sizeof(StageTimes), MCXT_ALLOC_HUGE);
	for (int i = 0; i < funnel.n; i++)
		times[i] = stage_times(&funnel.stage[i], funnel.deals[OUTCOME_WON], as_of);
	bottleneck = find_bottleneck(times, funnel.n, &total);

	for (int i = 0; i < funnel.n; i++)
	{
		const FunnelStage *stage = &funnel.stage[i];
		StageDeals	deals = stage_deals(&funnel, stage, policy);
		int64		won = deals.entered[OUTCOME_WON];
		int64		lost = deals.entered[OUTCOME_LOST];
		int64		been_and_further = add_all(stage->entered) - stage->furthest[OUTCOME_LOST] -
			stage->furthest[OUTCOME_OPEN];
		Datum		values[18];
		bool		nulls[18] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(stage->stage);
		values[1] = Int64GetDatum(deals.all_entered);
		values[2] = Int64GetDatum(deals.advanced);
		values[3] = Int64GetDatum(won);
		values[4] = Int64GetDatum(lost);
		values[5] = Int64GetDatum(deals.entered[OUTCOME_OPEN]);
		values[6] = Int64GetDatum(got_further(stage) - been_and_further);
		values[7] = Int64GetDatum(stage->moves_back);
		values[8] = rate(deals.advanced, deals.ended, &nulls[8]);
		values[9] = rate(won, add(won, lost), &nulls[9]);
		values[10] = float_or_null(times[i].has_median, times[i].median, &nulls[10]);
		values[11] = float_or_null(times[i].has_km_median, (double) times[i].km_median, &nulls[11]);
		values[12] = BoolGetDatum(i == bottleneck);
		values[13] = Int64GetDatum(deals.ended);
		values[14] = Int64GetDatum(add_all(stage->reentered));
		values[15] = float_or_null(times[i].has_curve, times[i].incidence, &nulls[15]);
		values[16] = float_or_null(times[i].has_expected, times[i].expected, &nulls[16]);
		values[17] = float_or_null(bottleneck >= 0,
								   bottleneck >= 0 ? times[i].expected / total : 0, &nulls[17]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
