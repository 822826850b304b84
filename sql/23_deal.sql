-- deal_summary: everything about deals in one pass.

--@summary_type deal_summary

COMMENT ON TYPE sales_perf.deal_summary IS
'Deals: outcomes, amounts and cycles, from one pass.';

CREATE FUNCTION sales_perf.deal_agg_add(sales_perf.deal_summary, amount numeric, outcome text, opened_on date, closed_on date)
RETURNS sales_perf.deal_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_agg_add';
COMMENT ON FUNCTION sales_perf.deal_agg_add(sales_perf.deal_summary, numeric, text, date, date) IS 'internal: transition of deal_agg';

CREATE FUNCTION sales_perf.deal_agg_remove(sales_perf.deal_summary, amount numeric, outcome text, opened_on date, closed_on date)
RETURNS sales_perf.deal_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_agg_remove';
COMMENT ON FUNCTION sales_perf.deal_agg_remove(sales_perf.deal_summary, numeric, text, date, date) IS 'internal: inverse transition of deal_agg';

CREATE AGGREGATE sales_perf.deal_agg(amount numeric, outcome text, opened_on date, closed_on date) (
	SFUNC = sales_perf.deal_agg_add,
	STYPE = sales_perf.deal_summary,
	SSPACE = 1024,
	FINALFUNC = sales_perf.deal_summary_final,
	COMBINEFUNC = sales_perf.deal_summary_rollup,
	MSFUNC = sales_perf.deal_agg_add,
	MINVFUNC = sales_perf.deal_agg_remove,
	MSTYPE = sales_perf.deal_summary,
	MFINALFUNC = sales_perf.deal_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.deal_agg(numeric, text, date, date) IS
'Sums up deals. outcome is won, lost or open (NULL is open), anything else an error; closed_on of an open deal is ignored. What is missing is counted (unpriced_count, undated_count, invalid_count), and the rest of the row is used.';

CREATE FUNCTION sales_perf.won_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_won_count';
COMMENT ON FUNCTION sales_perf.won_count(sales_perf.deal_summary) IS
'Deals won.';

CREATE FUNCTION sales_perf.lost_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_lost_count';
COMMENT ON FUNCTION sales_perf.lost_count(sales_perf.deal_summary) IS
'Deals lost.';

CREATE FUNCTION sales_perf.open_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_open_count';
COMMENT ON FUNCTION sales_perf.open_count(sales_perf.deal_summary) IS
'Deals open.';

CREATE FUNCTION sales_perf.unpriced_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_unpriced_count';
COMMENT ON FUNCTION sales_perf.unpriced_count(sales_perf.deal_summary) IS
'Won deals without an amount.';

CREATE FUNCTION sales_perf.bookings_amount(s sales_perf.deal_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_bookings_amount';
COMMENT ON FUNCTION sales_perf.bookings_amount(sales_perf.deal_summary) IS
'Exact total amount of won deals.';

CREATE FUNCTION sales_perf.lost_amount(s sales_perf.deal_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_lost_amount';
COMMENT ON FUNCTION sales_perf.lost_amount(sales_perf.deal_summary) IS
'Exact total amount of lost deals.';

CREATE FUNCTION sales_perf.pipeline_amount(s sales_perf.deal_summary)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_pipeline_amount';
COMMENT ON FUNCTION sales_perf.pipeline_amount(sales_perf.deal_summary) IS
'Exact total amount of open deals.';

CREATE FUNCTION sales_perf.win_rate(s sales_perf.deal_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_win_rate';
COMMENT ON FUNCTION sales_perf.win_rate(sales_perf.deal_summary) IS
'won / (won + lost), a fraction. NULL if none closed.';

CREATE FUNCTION sales_perf.win_rate_amount(s sales_perf.deal_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_win_rate_amount';
COMMENT ON FUNCTION sales_perf.win_rate_amount(sales_perf.deal_summary) IS
'Won amount / (won + lost amount), a fraction. NULL where that is 0, or where deals were lost and their amounts add up to 0 (lost amounts not recorded).';

CREATE FUNCTION sales_perf.sales_velocity(s sales_perf.deal_summary)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_sales_velocity';
COMMENT ON FUNCTION sales_perf.sales_velocity(sales_perf.deal_summary) IS
'Amount per day: open deals x win rate x average won amount / average won cycle in days. NULL where one of them is.';

-- its parts, as summaries of their own, and what is read off them

CREATE FUNCTION sales_perf.outcomes(s sales_perf.deal_summary)
RETURNS sales_perf.conversion_summary
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_outcomes';
COMMENT ON FUNCTION sales_perf.outcomes(sales_perf.deal_summary) IS
'Won of won and lost, as a conversion_summary.';

CREATE FUNCTION sales_perf.won_amounts(s sales_perf.deal_summary)
RETURNS sales_perf.amount_summary
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_won_amounts';
COMMENT ON FUNCTION sales_perf.won_amounts(sales_perf.deal_summary) IS
'The amounts of won deals, as an amount_summary.';

CREATE FUNCTION sales_perf.cycle(s sales_perf.deal_summary)
RETURNS sales_perf.cycle_summary
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'deal_cycle';
COMMENT ON FUNCTION sales_perf.cycle(sales_perf.deal_summary) IS
'How long the deals took, as a cycle_summary.';

CREATE FUNCTION sales_perf.win_rate_low(s sales_perf.deal_summary, confidence float8 DEFAULT 0.95)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.conversion_rate_low(sales_perf.outcomes(s), confidence);
COMMENT ON FUNCTION sales_perf.win_rate_low(sales_perf.deal_summary, float8) IS
'Lower limit of the Wilson score interval of the win rate; confidence lies between 0 and 1. NULL if none closed.';

CREATE FUNCTION sales_perf.win_rate_high(s sales_perf.deal_summary, confidence float8 DEFAULT 0.95)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.conversion_rate_high(sales_perf.outcomes(s), confidence);
COMMENT ON FUNCTION sales_perf.win_rate_high(sales_perf.deal_summary, float8) IS
'Upper limit of the Wilson score interval of the win rate; confidence lies between 0 and 1. NULL if none closed.';

CREATE FUNCTION sales_perf.average_deal_amount(s sales_perf.deal_summary)
RETURNS numeric
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.amount_average(sales_perf.won_amounts(s));
COMMENT ON FUNCTION sales_perf.average_deal_amount(sales_perf.deal_summary) IS
'Average amount of won deals that have one, as avg(amount). NULL without any.';

CREATE FUNCTION sales_perf.deal_amount_percentile(s sales_perf.deal_summary, percentile float8)
RETURNS numeric
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.amount_percentile(sales_perf.won_amounts(s), percentile);
COMMENT ON FUNCTION sales_perf.deal_amount_percentile(sales_perf.deal_summary, float8) IS
'The amount of won deals at a percentile (a share, 0 to 1): see amount_percentile.';

CREATE FUNCTION sales_perf.median_deal_amount(s sales_perf.deal_summary)
RETURNS numeric
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.amount_percentile(sales_perf.won_amounts(s), 0.5);
COMMENT ON FUNCTION sales_perf.median_deal_amount(sales_perf.deal_summary) IS
'Median amount of won deals: deal_amount_percentile(s, 0.5).';

CREATE FUNCTION sales_perf.undated_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.undated_count(sales_perf.cycle(s));
COMMENT ON FUNCTION sales_perf.undated_count(sales_perf.deal_summary) IS
'Deals without opened_on: they have no cycle.';

CREATE FUNCTION sales_perf.invalid_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.invalid_count(sales_perf.cycle(s));
COMMENT ON FUNCTION sales_perf.invalid_count(sales_perf.deal_summary) IS
'Deals whose dates cannot be: closed before opened, closed without closed_on, or an infinite date.';

CREATE FUNCTION sales_perf.cycle_count(s sales_perf.deal_summary)
RETURNS bigint
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_count(sales_perf.cycle(s));
COMMENT ON FUNCTION sales_perf.cycle_count(sales_perf.deal_summary) IS
'Won deals whose cycle is known.';

CREATE FUNCTION sales_perf.cycle_average(s sales_perf.deal_summary)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_average(sales_perf.cycle(s));
COMMENT ON FUNCTION sales_perf.cycle_average(sales_perf.deal_summary) IS
'Mean days from opened_on to closed_on of won deals. NULL without any.';

CREATE FUNCTION sales_perf.cycle_percentile(s sales_perf.deal_summary, percentile float8)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_percentile(sales_perf.cycle(s), percentile);
COMMENT ON FUNCTION sales_perf.cycle_percentile(sales_perf.deal_summary, float8) IS
'Days from opened_on to closed_on of won deals at a percentile (a share, 0 to 1), exactly percentile_cont. NULL without any.';

CREATE FUNCTION sales_perf.closing_percentile(s sales_perf.deal_summary, percentile float8)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.closing_percentile(sales_perf.cycle(s), percentile);
COMMENT ON FUNCTION sales_perf.closing_percentile(sales_perf.deal_summary, float8) IS
'Days from opened_on to closed_on of won and lost deals at a percentile (a share, 0 to 1), exactly percentile_cont. NULL without any.';

CREATE FUNCTION sales_perf.cycle_median(s sales_perf.deal_summary)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_median(sales_perf.cycle(s));
COMMENT ON FUNCTION sales_perf.cycle_median(sales_perf.deal_summary) IS
'Median days from opened_on to closed_on of won deals: cycle_percentile(s, 0.5).';

CREATE FUNCTION sales_perf.cycle_km_median(s sales_perf.deal_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_km_median(sales_perf.cycle(s), as_of);
COMMENT ON FUNCTION sales_perf.cycle_km_median(sales_perf.deal_summary, date) IS
'Kaplan-Meier median days until a deal is closed, won or lost, those still open being censored at as_of: the first day on which at most half are still open. NULL while more than half are.';

CREATE FUNCTION sales_perf.cycle_km_median_low(s sales_perf.deal_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_km_median_low(sales_perf.cycle(s), as_of);
COMMENT ON FUNCTION sales_perf.cycle_km_median_low(sales_perf.deal_summary, date) IS
'Lower 95 % limit of cycle_km_median, on the log scale of survival. NULL where it is not reached.';

CREATE FUNCTION sales_perf.cycle_km_median_high(s sales_perf.deal_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_km_median_high(sales_perf.cycle(s), as_of);
COMMENT ON FUNCTION sales_perf.cycle_km_median_high(sales_perf.deal_summary, date) IS
'Upper 95 % limit of cycle_km_median, on the log scale of survival. NULL where it is not reached.';

CREATE FUNCTION sales_perf.win_incidence(s sales_perf.deal_summary, day integer, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.win_incidence(sales_perf.cycle(s), day, as_of);
COMMENT ON FUNCTION sales_perf.win_incidence(sales_perf.deal_summary, integer, date) IS
'Share of deals won within so many days of opening (Aalen-Johansen): losses compete, open deals are censored at as_of. NULL of no deals.';

CREATE FUNCTION sales_perf.win_chance(s sales_perf.deal_summary, age_days integer, within_days integer, as_of date DEFAULT sales_perf.as_of())
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.win_chance(sales_perf.cycle(s), age_days, within_days, as_of);
COMMENT ON FUNCTION sales_perf.win_chance(sales_perf.deal_summary, integer, integer, date) IS
'Chance that a deal still open at age_days is won within within_days more: (incidence(age + within) - incidence(age)) / survival(age). NULL where no deal was ever observed at that age.';

CREATE FUNCTION sales_perf.cycle_p_value(a sales_perf.deal_summary, b sales_perf.deal_summary, as_of date DEFAULT sales_perf.as_of(), event text DEFAULT 'closed')
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN sales_perf.cycle_p_value(sales_perf.cycle(a), sales_perf.cycle(b), as_of, event);
COMMENT ON FUNCTION sales_perf.cycle_p_value(sales_perf.deal_summary, sales_perf.deal_summary, date, text) IS
'Two-sided p-value of the log-rank test that deals of a and b close alike (event closed), or are won alike (event won; a loss is a censoring). NULL where nothing tells.';

CREATE FUNCTION sales_perf.cycle_curve(s sales_perf.deal_summary, as_of date DEFAULT sales_perf.as_of())
RETURNS TABLE (
	day bigint,
	at_risk bigint,
	won bigint,
	lost bigint,
	survival float8,
	survival_se float8,
	win_incidence float8,
	loss_incidence float8
)
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
ROWS 200
BEGIN ATOMIC
	SELECT curve.*
	FROM sales_perf.cycle_curve(sales_perf.cycle(s), as_of) AS curve;
END;
COMMENT ON FUNCTION sales_perf.cycle_curve(sales_perf.deal_summary, date) IS
'The life table: one row a day after opening on which a deal was closed or censored, with the deals that got this old, those won and lost on it, the share still open after it (Kaplan-Meier) with its Greenwood standard error, and the shares won and lost by then (Aalen-Johansen).';
