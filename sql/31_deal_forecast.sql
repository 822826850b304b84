-- What a mart's forecast of deals asks of C. Columns of tables are given as arrays; stages, reps,
-- segments, periods and groups are numbered from 1 on.

CREATE FUNCTION sales_perf.odds_changed(chance float8, factor float8)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'odds_changed';
COMMENT ON FUNCTION sales_perf.odds_changed(float8, float8) IS
'The chance whose odds are a factor times those of a chance.';

CREATE FUNCTION sales_perf.stage_clock(
	as_of date, history_from date, stage_count integer, rep_count integer, segment_count integer,
	month_starts date[], month_places integer[],
	stage_nos integer[], entered_on date[], left_on date[], ends integer[], rep_nos integer[], segment_nos integer[], won_on date[],
	horizons date[], with_spread boolean,
	OUT item text, OUT no integer, OUT numbers float8[])
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 500
AS 'MODULE_PATHNAME', 'stage_clock';
COMMENT ON FUNCTION sales_perf.stage_clock(date, date, integer, integer, integer, date[], integer[], integer[], date[], date[], integer[], integer[], integer[], date[], date[], boolean) IS
'internal, for a mart''s stage_clock_item(): the clocks of stages from visits (stage, days, end: 0 goes on, -1 won, -2 lost, else the stage moved to; rep, segment, day the deal was won). Items: chance (by stage: of being won up to each horizon, by age), stage (last age, days at risk, won, lost, moved), rep and segment (factor of the odds, won, expected), month (of won, lost and moved: 1 if there is an effect of the place in the quarter, its factors, 1 if by stage and age), spread (common, of a rep, months replayed).';

CREATE FUNCTION sales_perf.unopened_rates(
	period_count integer, rep_count integer, weight float8, rep_is_active integer[],
	window_periods integer[], origins date[], first_days date[], last_days date[], places integer[], scales float8[],
	rep_nos integer[], opened_on date[], closed_on date[], amounts float8[],
	OUT period_no integer, OUT rep_no integer, OUT amount float8, OUT rate float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000 ROWS 1000
AS 'MODULE_PATHNAME', 'unopened_rates';
COMMENT ON FUNCTION sales_perf.unopened_rates(integer, integer, float8, integer[], integer[], date[], date[], date[], integer[], float8[], integer[], date[], date[], float8[]) IS
'internal, for a mart''s unopened_rate(): how many deals of which amount each rep is expected to open and win within each period, from deals won within windows of the past by deals opened after their origins.';

CREATE FUNCTION sales_perf.deal_forecast(
	horizon_count integer, last_ages integer[], chances float8[], rep_factors float8[], segment_factors float8[],
	common_spread float8, rep_spread float8, period_from integer[], period_until integer[],
	stage_nos integer[], ages integer[], rep_nos integer[], segment_nos integer[], amounts float8[],
	rate_periods integer[], rate_reps integer[], rate_amounts float8[], rates float8[],
	group_nos integer[], group_reps integer[], owner_nos integer[], counted integer[], targets float8[],
	OUT group_no integer, OUT period_no integer, OUT unrated_count bigint, OUT open_expected float8, OUT unopened_expected float8,
	OUT p10 float8, OUT p50 float8, OUT p90 float8, OUT chance float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000 ROWS 1000
AS 'MODULE_PATHNAME', 'deal_forecast';
COMMENT ON FUNCTION sales_perf.deal_forecast(integer, integer[], float8[], float8[], float8[], float8, float8, integer[], integer[], integer[], integer[], integer[], integer[], float8[], integer[], integer[], float8[], float8[], integer[], integer[], integer[], integer[], float8[]) IS
'internal, for a mart''s forecast_of(): what the open deals of groups of reps, and those not open yet, are expected to bring in each period, quantiles of both together, and the chance that they come to the group''s target. unrated_count: counted deals without a chance or an amount (NaN).';
