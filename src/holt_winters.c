/*-------------------------------------------------------------------------
 *
 * holt_winters.c
 *	  Exponential smoothing: level, trend, damped trend, additive and
 *	  multiplicative seasons.
 *
 * Recursions: P. R. Winters, Forecasting sales by exponentially weighted
 * moving averages, Management Science 6 (1960); damping: E. S. Gardner and
 * E. McKenzie, Management Science 31 (1985).  Start values are those of
 * HoltWinters() in R, so that its figures come out with given parameters.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "holt_winters.h"
#include "miscadmin.h"

/* What the recursion starts from. */
typedef struct SmoothingStart
{
	int			first;			/* the first point forecast */
	double		level;
	double		trend;
	double	   *seasonal;
} SmoothingStart;

/* A series with a model for it, room for the seasonal figures of a run. */
typedef struct SmoothingTask
{
	SmoothingModel model;
	SmoothingStart start;
	const double *values;
	int			n;
	double	   *seasonal;
	int			free_parameter[SMOOTHING_PARAMETERS];	/* those to be found */
	int			nfree;
} SmoothingTask;

/* How the parameters are looked for. */
#define GRID 5					/* points in each direction */
#define STARTS 3				/* searches from the best of them */
#define RESTARTS 5
#define MAX_TURNS 300			/* of a simplex */
#define ENOUGH 1e-7				/* a smaller gain, as a share of the sum, is none */

static const double lowest[SMOOTHING_PARAMETERS] = {0, 0, 0, 0.8};
static const double highest[SMOOTHING_PARAMETERS] = {1, 1, 1, 0.98};

bool
smoothing_has(const SmoothingModel *model, int parameter)
{
	switch (parameter)
	{
		case ALPHA:
			return true;
		case BETA:
			return model->trend != TREND_NONE;
		case GAMMA:
			return model->season != SEASON_NONE;
		default:
			return model->trend == TREND_DAMPED;
	}
}

/* Whether there are points enough, and all above 0 where they are divided. */
bool
smoothing_possible(const SmoothingModel *model, const double *values, int n)
{
	if (model->season == SEASON_NONE)
		return n >= (model->trend == TREND_NONE ? 2 : 3);
	if (model->period < 2 || n / 2 < model->period)
		return false;
	if (model->season == SEASON_MULTIPLICATIVE)
	{
		for (int t = 0; t < n; t++)
		{
			if (!(values[t] > 0))
				return false;
		}
	}
	return true;
}

/*
 * Start values of a season, from the first two: each point is compared with
 * the moving average of a season around it, the seasonal figure; level and
 * trend are the line through the averages, which are numbered from 1.  With
 * an even period the average takes half of either end; with an odd one there
 * is an average more, and the figure it belongs to is a mean of two.
 */
static void
seasonal_start(SmoothingStart *start, const SmoothingModel *model,
			   const double *values)
{
	int			period = model->period;
	int			half = period / 2;
	bool		even = period % 2 == 0;
	int			points = even ? period : period + 1;
	bool		multiplicative = model->season == SEASON_MULTIPLICATIVE;
	double		middle = (points + 1) / 2.0;
	double		sum = 0;
	double		slope_above = 0;
	double		slope_below = 0;
	double		figures = 0;

	for (int i = 0; i < points; i++)
	{
		int			t = half + i;
		double		average = 0;
		double		figure;

		for (int j = t - half; j <= t + half; j++)
			average += values[j];
		if (even)
			average -= (values[t - half] + values[t + half]) / 2;
		average /= period;

		sum += average;
		slope_above += (i + 1 - middle) * average;
		slope_below += (i + 1 - middle) * (i + 1 - middle);

		figure = multiplicative ? values[t] / average : values[t] - average;
		if (i < period)
			start->seasonal[t % period] = figure;
		else
			start->seasonal[t % period] = (start->seasonal[t % period] + figure) / 2;
	}
	start->first = period;
	start->trend = slope_above / slope_below;
	start->level = sum / points - start->trend * middle;

	for (int i = 0; i < period; i++)
		figures += start->seasonal[i] / period;
	for (int i = 0; i < period; i++)
	{
		if (multiplicative)
			start->seasonal[i] /= figures;
		else
			start->seasonal[i] -= figures;
	}
}

static SmoothingTask
begin(const SmoothingModel *model, const double *values, int n)
{
	SmoothingTask task;

	Assert(smoothing_possible(model, values, n));
	task.model = *model;
	task.values = values;
	task.n = n;
	task.nfree = 0;
	task.start.seasonal = task.seasonal = NULL;
	if (model->season != SEASON_NONE)
	{
		task.start.seasonal = palloc(model->period * sizeof(double));
		task.seasonal = palloc(model->period * sizeof(double));
		seasonal_start(&task.start, model, values);
	}
	else if (model->trend == TREND_NONE)
	{
		task.start.first = 1;
		task.start.level = values[0];
		task.start.trend = 0;
	}
	else
	{
		task.start.first = 2;
		task.start.level = values[1];
		task.start.trend = values[1] - values[0];
	}
	return task;
}

/*
 * Goes through the series and gives the sum of squared errors of one step.
 * It stops and says infinity once that is above the limit, or not a number.
 * The fit, if one is wanted, gets the errors and what is known at the end.
 */
static double
run(SmoothingTask *task, const double *parameter, double limit,
	SmoothingFit *fit)
{
	SeasonKind	season = task->model.season;
	int			period = task->model.period;
	double		alpha = parameter[ALPHA];
	double		beta = task->model.trend == TREND_NONE ? 0 : parameter[BETA];
	double		gamma = season == SEASON_NONE ? 0 : parameter[GAMMA];
	double		phi = task->model.trend == TREND_DAMPED ? parameter[PHI] : 1;
	double		level = task->start.level;
	double		trend = task->start.trend;
	double	   *seasonal = task->seasonal;
	double		sse = 0;
	int			place = 0;		/* of the point in its season */

	CHECK_FOR_INTERRUPTS();
	if (season != SEASON_NONE)
		memcpy(seasonal, task->start.seasonal, period * sizeof(double));

	for (int t = task->start.first; t < task->n; t++)
	{
		double		value = task->values[t];
		double		step = phi * trend;
		double		before = level;
		double		figure;
		double		error;

		switch (season)
		{
			case SEASON_NONE:
				error = value - (level + step);
				level = alpha * value + (1 - alpha) * (level + step);
				break;
			case SEASON_ADDITIVE:
				figure = seasonal[place];
				error = value - (level + step + figure);
				level = alpha * (value - figure) + (1 - alpha) * (level + step);
				seasonal[place] = gamma * (value - level) + (1 - gamma) * figure;
				break;
			default:
				figure = seasonal[place];
				error = value - (level + step) * figure;
				level = alpha * (value / figure) + (1 - alpha) * (level + step);
				seasonal[place] = gamma * (value / level) + (1 - gamma) * figure;
				break;
		}
		trend = beta * (level - before) + (1 - beta) * step;
		if (++place == period)
			place = 0;

		sse += error * error;
		if (!(sse <= limit))
			return INFINITY;
		if (fit)
			fit->errors[t] = error;
	}
	if (fit)
	{
		fit->level = level;
		fit->trend = trend;
		for (int i = 0; season != SEASON_NONE && i < period; i++)
			fit->seasonal[i] = seasonal[(place + i) % period];
	}
	return sse;
}

/* A corner of the simplex. */
typedef struct Corner
{
	double		parameter[SMOOTHING_PARAMETERS];
	double		sse;
} Corner;

/* The point that far from the worst corner through the middle of the others. */
static Corner
beyond(SmoothingTask *task, const Corner *worst, const double *middle,
	   double far, double limit)
{
	Corner		corner = *worst;

	for (int i = 0; i < task->nfree; i++)
	{
		int			p = task->free_parameter[i];
		double		moved = middle[p] + far * (middle[p] - worst->parameter[p]);

		corner.parameter[p] = Max(lowest[p], Min(highest[p], moved));
	}
	corner.sse = run(task, corner.parameter, limit, NULL);
	return corner;
}

static void
sort_corners(Corner *corner, int n)
{
	for (int i = 1; i < n; i++)
	{
		Corner		moved = corner[i];
		int			j = i;

		for (; j > 0 && moved.sse < corner[j - 1].sse; j--)
			corner[j] = corner[j - 1];
		corner[j] = moved;
	}
}

/*
 * The simplex method of J. A. Nelder and R. Mead, Computer Journal 7 (1965),
 * from a point with its sum; points outside are put on the border.
 */
static Corner
nelder_mead(SmoothingTask *task, Corner from, double size)
{
	Corner		corner[SMOOTHING_PARAMETERS + 1];
	const int  *free_parameter = task->free_parameter;
	int			nfree = task->nfree;
	Corner	   *worst = &corner[nfree];

	corner[0] = from;
	for (int i = 0; i < nfree; i++)
	{
		int			p = free_parameter[i];
		double		step = size * (highest[p] - lowest[p]);

		corner[i + 1] = from;
		corner[i + 1].parameter[p] += from.parameter[p] + step > highest[p] ? -step : step;
		corner[i + 1].sse = run(task, corner[i + 1].parameter, DBL_MAX, NULL);
	}

	for (int turn = 0; turn < MAX_TURNS; turn++)
	{
		double		middle[SMOOTHING_PARAMETERS];
		Corner		next;

		sort_corners(corner, nfree + 1);
		if (!(worst->sse - corner[0].sse > ENOUGH * corner[0].sse))
			break;

		for (int i = 0; i < nfree; i++)
		{
			int			p = free_parameter[i];

			middle[p] = 0;
			for (int j = 0; j < nfree; j++)
				middle[p] += corner[j].parameter[p] / nfree;
		}

		next = beyond(task, worst, middle, 1, worst->sse);
		if (next.sse < corner[0].sse)
		{
			Corner		further = beyond(task, worst, middle, 2, next.sse);

			*worst = further.sse < next.sse ? further : next;
		}
		else if (next.sse < corner[nfree - 1].sse)
			*worst = next;
		else
		{
			double		limit = Min(next.sse, worst->sse);
			Corner		nearer = beyond(task, worst, middle,
										next.sse < worst->sse ? 0.5 : -0.5, limit);

			if (nearer.sse < limit)
				*worst = nearer;
			else
			{
				for (int i = 1; i <= nfree; i++)
				{
					for (int j = 0; j < nfree; j++)
					{
						int			p = free_parameter[j];

						corner[i].parameter[p] = (corner[i].parameter[p] + corner[0].parameter[p]) / 2;
					}
					corner[i].sse = run(task, corner[i].parameter, DBL_MAX, NULL);
				}
			}
		}
	}
	sort_corners(corner, nfree + 1);
	return corner[0];
}

/*
 * Finds the free parameters that make the sum of squared errors smallest: a
 * coarse grid, then the simplex method from its best points, and again
 * from the best of all, since a simplex may have become flat.  The sum can have
 * several minima, so one start is not enough; no chance is involved.
 */
static void
optimise(SmoothingTask *task, double *parameter)
{
	static const double grid[GRID] = {0.02, 0.1, 0.3, 0.6, 0.9};
	Corner		start[STARTS];
	Corner		best;
	int			points = 1;

	for (int p = 0; p < SMOOTHING_PARAMETERS; p++)
	{
		if (smoothing_has(&task->model, p) && isnan(parameter[p]))
		{
			task->free_parameter[task->nfree++] = p;
			points *= GRID;
		}
	}
	if (task->nfree == 0)
		return;

	for (int i = 0; i < STARTS; i++)
		start[i].sse = INFINITY;
	for (int point = 0; point < points; point++)
	{
		Corner		here;
		int			rest = point;
		int			place = STARTS - 1;

		memcpy(here.parameter, parameter, sizeof(here.parameter));
		for (int i = 0; i < task->nfree; i++)
		{
			int			p = task->free_parameter[i];

			here.parameter[p] = lowest[p] + grid[rest % GRID] * (highest[p] - lowest[p]);
			rest /= GRID;
		}
		here.sse = run(task, here.parameter, Min(start[place].sse, DBL_MAX), NULL);
		if (point == 0)
			best = here;
		if (!(here.sse < start[place].sse))
			continue;
		for (; place > 0 && here.sse < start[place - 1].sse; place--)
			start[place] = start[place - 1];
		start[place] = here;
	}

	for (int i = 0; i < STARTS && start[i].sse < INFINITY; i++)
	{
		Corner		found = nelder_mead(task, start[i], 0.1);

		if (found.sse < best.sse)
			best = found;
	}
	for (int i = 0; i < RESTARTS && best.sse < INFINITY; i++)
	{
		double		before = best.sse;

		best = nelder_mead(task, best, 0.05);
		if (!(before - best.sse > ENOUGH * best.sse))
			break;
	}
	memcpy(parameter, best.parameter, sizeof(best.parameter));
}

/*
 * Fits a model that is possible; given parameters are kept, those that are
 * NaN are found.
 */
SmoothingFit
smoothing_fit(const SmoothingModel *model,
			  const double given[SMOOTHING_PARAMETERS],
			  const double *values, int n)
{
	SmoothingTask task = begin(model, values, n);
	SmoothingFit fit;

	fit.model = *model;
	fit.first = task.start.first;
	fit.n = n;
	for (int p = 0; p < SMOOTHING_PARAMETERS; p++)
		fit.parameter[p] = smoothing_has(model, p) ? given[p] : NAN;
	optimise(&task, fit.parameter);

	fit.level = fit.trend = 0;
	fit.errors = palloc_extended(n * sizeof(double), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	fit.seasonal = model->season == SEASON_NONE ? NULL :
		palloc0(model->period * sizeof(double));
	fit.sse = run(&task, fit.parameter, DBL_MAX, &fit);
	if (model->season != SEASON_NONE)
	{
		pfree(task.start.seasonal);
		pfree(task.seasonal);
	}
	return fit;
}

/* The points after the last, from 1 to the horizon. */
void
smoothing_forecast(const SmoothingFit *fit, int horizon, double *expected)
{
	double		phi = fit->model.trend == TREND_DAMPED ? fit->parameter[PHI] : 1;
	double		damping = 1;
	double		steps = 0;

	for (int h = 0; h < horizon; h++)
	{
		damping *= phi;
		steps += damping;		/* phi + phi^2 + ...; without damping, h + 1 */
		expected[h] = fit->level + steps * fit->trend;
		if (fit->model.season == SEASON_ADDITIVE)
			expected[h] += fit->seasonal[h % fit->model.period];
		else if (fit->model.season == SEASON_MULTIPLICATIVE)
			expected[h] *= fit->seasonal[h % fit->model.period];
	}
}

/*
 * The variances of the errors of these forecasts, in units of that of one
 * step, or, if errors are relative, of their share of the forecast.  An error moves the forecasts of j points later by c(j) times itself:
 *
 *		c(j) = alpha (1 + beta (phi + ... + phi^j)) + gamma (1 - alpha) [j is whole seasons]
 *
 * and the variance is 1 + c(1)^2 + ... + c(h - 1)^2 (R. J. Hyndman et al.,
 * Forecasting with Exponential Smoothing, 2008, section 6.3, class 1).  With a
 * multiplicative season each c(j) is times the seasonal figure of the point
 * forecast over that of the point the error came from (C. Chatfield and
 * M. Yar, International Journal of Forecasting 7, 1991); with relative errors
 * both figures are in the forecasts already.
 *
 * predict() of R has the same for an additive season.  For a multiplicative
 * one it differs from that paper: it takes c(0) for the 1, and from the
 * period on the trend where it should take the last seasonal figure.
 */
void
smoothing_variance(const SmoothingFit *fit, bool relative, int horizon,
				   double *variance)
{
	double		alpha = fit->parameter[ALPHA];
	double		beta = smoothing_has(&fit->model, BETA) ? fit->parameter[BETA] : 0;
	double		phi = fit->model.trend == TREND_DAMPED ? fit->parameter[PHI] : 1;
	int			period = fit->model.period;
	double		damping = 1;
	double		steps = 0;
	double	   *moved = palloc(horizon * sizeof(double));

	for (int j = 0; j < horizon; j++)
	{
		if (j == 0)
			moved[j] = 1;
		else
		{
			damping *= phi;
			steps += damping;
			moved[j] = alpha * (1 + beta * steps);
			if (fit->model.season != SEASON_NONE && j % period == 0)
				moved[j] += fit->parameter[GAMMA] * (1 - alpha);
		}
	}

	for (int h = 0; h < horizon; h++)
	{
		if (fit->model.season != SEASON_MULTIPLICATIVE || relative)
			variance[h] = (h == 0 ? 0 : variance[h - 1]) + moved[h] * moved[h];
		else
		{
			variance[h] = 0;
			for (int j = 0; j <= h; j++)
			{
				double		term = moved[j] * fit->seasonal[h % period] /
					fit->seasonal[(h - j) % period];

				variance[h] += term * term;
			}
		}
	}
	pfree(moved);
}
