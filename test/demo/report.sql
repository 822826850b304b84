-- Prints a mart's reports for a person to read. psql variables: mart, the mart's schema.
-- The views hold plain numbers; here they are rounded and given units.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null '-'
\pset pager off
SET search_path = :"mart", pg_catalog, pg_temp;

-- Texts at the right of a column of that width, or of their own where they are longer.
CREATE FUNCTION pg_temp.at_right(value text, width integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN lpad(coalesce(value, '-'), greatest(width, length(value)));

CREATE FUNCTION pg_temp.whole(value numeric, width integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN pg_temp.at_right(to_char(round(value), 'FM999,999,999,999,990'), width);

CREATE FUNCTION pg_temp.percent(rate double precision, width integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN pg_temp.at_right(to_char(100 * rate::numeric, 'FM999,990.0') || ' %', width);

CREATE FUNCTION pg_temp.percent_range(low double precision, high double precision) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN pg_temp.at_right(to_char(100 * low::numeric, 'FM990.0') || ' - ' || to_char(100 * high::numeric, 'FM990.0') || ' %', 14);

-- A goal's figure in the unit of its KPI.
CREATE FUNCTION pg_temp.goal_figure(value numeric, unit text, width integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN CASE
		WHEN unit = 'fraction' THEN pg_temp.percent(value::double precision, width)
		WHEN unit = 'days' THEN pg_temp.at_right(to_char(value, 'FM999,990.0') || ' days', width)
		ELSE pg_temp.whole(value, width)
	END;

-- How far a figure is from another, in the unit of its KPI.
CREATE FUNCTION pg_temp.difference(value numeric, unit text, width integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN CASE
		WHEN unit = 'fraction' THEN pg_temp.at_right(to_char(100 * value, 'FM990.0') || ' points', width)
		ELSE pg_temp.goal_figure(value, unit, width)
	END;

CREATE FUNCTION pg_temp.beginning(value text, width integer) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN length(value) > width THEN rtrim(left(value, width - 3), ' ,;:(') || '...' ELSE value END;

SELECT sales_perf.as_of() AS as_of,
	(SELECT period_start FROM period WHERE grain = 'quarter' AND is_complete ORDER BY period_start DESC LIMIT 1) AS quarter_start,
	(SELECT period_label FROM period WHERE grain = 'quarter' AND is_complete ORDER BY period_start DESC LIMIT 1) AS quarter,
	(SELECT to_char(count(*), 'FM999,999,999') FROM deal_as_of) AS deals
\gset

\echo
\echo 'SALES PERFORMANCE' of :deals deals, as of :as_of
\echo 'Amounts in the reporting currency; cycles in days from opening to closing; (ranges) are 95 % intervals.'
\echo
\echo 'THE COMPANY by year, and the latest quarters (* not over yet)'
SELECT period_label || CASE WHEN is_complete THEN '' ELSE ' *' END AS "Period",
	pg_temp.whole(won_count, 5) AS "Won",
	pg_temp.whole(lost_count, 5) AS "Lost",
	pg_temp.percent(win_rate, 8) AS "Win rate",
	pg_temp.percent_range(win_rate_low, win_rate_high) AS "(range)",
	pg_temp.whole(bookings_amount, 10) AS "Bookings",
	pg_temp.percent(CASE WHEN is_complete AND prior_is_whole THEN sales_growth END, 7) AS "Growth",
	pg_temp.whole(average_deal_amount, 12) AS "Average deal",
	pg_temp.whole(cycle_median_days::numeric, 12) AS "Median cycle"
FROM company_scorecard
-- the data may begin in the middle of the period before
CROSS JOIN LATERAL (
	SELECT first_day <= period_start - CASE grain WHEN 'year' THEN interval '1 year' ELSE interval '3 months' END AS prior_is_whole
	FROM report_range) AS compared
WHERE grain = 'year'
	OR grain = 'quarter' AND period_start > sales_perf.as_of() - interval '18 months'
ORDER BY grain DESC, period_start;

\echo 'SALES SO FAR in the periods that are not over, against the same number of business days'
SELECT period_label AS "Period",
	pg_temp.whole(elapsed_business_days, 4) AS "Days",
	pg_temp.whole(sales_amount, 10) AS "Sales",
	pg_temp.whole(prior_to_date_amount, 10) AS "Before",
	pg_temp.percent(to_date_growth::double precision, 7) AS "Growth",
	pg_temp.whole(year_ago_to_date_amount, 10) AS "Year ago",
	pg_temp.percent(year_to_date_growth::double precision, 7) AS "Growth "
FROM sales_growth
WHERE level = 'company'
	AND elapsed_business_days IS NOT NULL
ORDER BY period_start DESC;

\echo 'TEAMS in' :quarter '(a team includes the teams under it)'
WITH RECURSIVE tree AS (
	SELECT team_id, 0 AS depth, ARRAY[name] AS path
	FROM team
	WHERE parent_team_id IS NULL
	UNION ALL
	SELECT t.team_id, tree.depth + 1, tree.path || t.name
	FROM team t
	JOIN tree ON t.parent_team_id = tree.team_id
)
SELECT repeat('  ', depth) || team_name AS "Team",
	pg_temp.whole(won_count, 5) AS "Won",
	pg_temp.whole(lost_count, 5) AS "Lost",
	pg_temp.percent(win_rate, 8) AS "Win rate",
	pg_temp.percent_range(win_rate_low, win_rate_high) AS "(range)",
	pg_temp.whole(bookings_amount, 10) AS "Bookings",
	pg_temp.percent(sales_growth, 7) AS "Growth",
	pg_temp.whole(average_deal_amount, 12) AS "Average deal",
	pg_temp.whole(cycle_median_days::numeric, 12) AS "Median cycle"
FROM team_scorecard
JOIN tree USING (team_id)
WHERE grain = 'quarter'
	AND period_start = :'quarter_start'
ORDER BY path;

\echo 'REPS in' :quarter '(the ten with the highest bookings)'
SELECT rep_name AS "Rep",
	team_name AS "Team",
	pg_temp.whole(won_count, 5) AS "Won",
	pg_temp.whole(lost_count, 5) AS "Lost",
	pg_temp.percent(win_rate, 8) AS "Win rate",
	pg_temp.percent_range(win_rate_low, win_rate_high) AS "(range)",
	pg_temp.whole(bookings_amount, 10) AS "Bookings",
	pg_temp.whole(average_deal_amount, 12) AS "Average deal",
	pg_temp.whole(cycle_median_days::numeric, 12) AS "Median cycle"
FROM rep_scorecard
WHERE grain = 'quarter'
	AND period_start = :'quarter_start'
ORDER BY bookings_amount DESC, rep_name
LIMIT 10;

SELECT coalesce(sales_perf.cycle_km_median(summary)::text, 'an unknown number of') AS median,
	coalesce(sales_perf.cycle_km_median_low(summary)::text, '?') AS low,
	coalesce(sales_perf.cycle_km_median_high(summary)::text, '?') AS high
FROM (
	SELECT sales_perf.rollup(summary) AS summary
	FROM opened_cell) AS all_deals
\gset

\echo 'HOW LONG DEALS TAKE: half of them are closed after' :median 'days' (:low - :high)
\echo '(Kaplan-Meier: open deals count for as long as they have been open)'
WITH curve AS MATERIALIZED (
	SELECT *
	FROM cycle_curve
	WHERE level = 'company'
)
SELECT pg_temp.whole(age, 5) AS "Days",
	pg_temp.whole(at_risk_count, 10) AS "Got so old",
	pg_temp.percent(win_incidence_rate, 11) AS "Won by then",
	pg_temp.percent(loss_incidence_rate, 12) AS "Lost by then",
	pg_temp.percent(survival_rate, 10) AS "Still open",
	pg_temp.percent_range(survival_low_rate, survival_high_rate) AS "(range)"
FROM unnest(ARRAY[7, 14, 30, 60, 90, 120, 180, 270, 365]) AS age
CROSS JOIN LATERAL (
	SELECT *
	FROM curve
	WHERE cycle_days <= age
	ORDER BY cycle_days DESC
	LIMIT 1) AS at_age
WHERE age <= (SELECT max(cycle_days) FROM curve)
ORDER BY age;

\echo 'THE PIPELINE by stage'
SELECT stage_name AS "Stage",
	pg_temp.whole(open_count, 10) AS "Open deals",
	pg_temp.whole(pipeline_amount, 10) AS "Amount",
	pg_temp.whole(deal_age_median_days::numeric, 10) AS "Median age",
	pg_temp.whole(stage_age_median_days::numeric, 13) AS "In this stage"
FROM pipeline_by_stage
ORDER BY pipeline_id, stage_no;

\echo 'THE FUNNEL: how far deals get (a later stage counts for the earlier ones), and the days a won deal spends in each stage'
SELECT stage_name || CASE WHEN is_bottleneck THEN ' (bottleneck)' ELSE '' END AS "Stage",
	pg_temp.whole(entered_count, 10) AS "Deals",
	pg_temp.percent(stage_conversion_rate, 8) AS "Got on",
	pg_temp.percent_range(stage_conversion_rate_low, stage_conversion_rate_high) AS "(range)",
	pg_temp.percent(win_rate, 8) AS "Win rate",
	pg_temp.whole(skipped_count, 7) AS "Skipped",
	pg_temp.whole(regressed_count, 8) AS "Set back",
	pg_temp.whole(stage_km_median_days::numeric, 11) AS "Median days",
	pg_temp.whole(expected_days::numeric, 13) AS "Expected days",
	pg_temp.percent(expected_days_rate, 7) AS "Share"
FROM funnel
WHERE level = 'company'
	AND grain = 'all'
	AND policy = 'reached'
ORDER BY pipeline_id, stage_no;

SELECT count(*) FILTER (WHERE lead_count > 0) > 0 AS have_leads
FROM lead_conversion
WHERE level = 'company'
	AND grain = 'year'
\gset
\if :have_leads
\echo 'LEADS by source and year (* still young: the rate is rising)'
SELECT source AS "Source",
	period_label || CASE WHEN is_mature THEN '' ELSE ' *' END AS "Year",
	pg_temp.whole(lead_count, 6) AS "Leads",
	pg_temp.whole(converted_count, 9) AS "Converted",
	pg_temp.percent(lead_conversion_rate, 8) AS "Rate",
	pg_temp.percent_range(lead_conversion_rate_low, lead_conversion_rate_high) AS "(range)",
	pg_temp.whole(conversion_median_days::numeric, 11) AS "Median days",
	pg_temp.percent(converted_in_30_days_rate, 10) AS "In 30 days"
FROM lead_conversion
WHERE level = 'source'
	AND grain = 'year'
	AND period_start >= sales_perf.as_of() - interval '2 years'
ORDER BY source, period_start;

\endif
\echo 'CUSTOMERS: who came back, by quarter (* not over yet; NRR: what they bought / what they had bought)'
SELECT period_label || CASE WHEN is_complete THEN '' ELSE ' *' END AS "Quarter",
	pg_temp.whole(starting_count, 6) AS "Before",
	pg_temp.whole(retained_count, 9) AS "Came back",
	pg_temp.percent(customer_retention_rate, 9) AS "Retention",
	pg_temp.whole(new_count, 5) AS "New",
	pg_temp.whole(reactivated_count, 5) AS "Again",
	pg_temp.percent(gross_revenue_retention, 8) AS "GRR",
	pg_temp.percent(net_revenue_retention, 8) AS "NRR"
FROM retention
WHERE level = 'company'
	AND grain = 'quarter'
	AND period_start > sales_perf.as_of() - interval '21 months'
ORDER BY period_start;

\echo 'COHORTS: customers by the quarter of their first purchase, and the share who bought so many quarters later'
SELECT cohort_label AS "First bought",
	pg_temp.whole(max(customer_count), 9) AS "Customers",
	pg_temp.percent(max(cohort_retention_rate) FILTER (WHERE periods_since = 1), 7) AS "1",
	pg_temp.percent(max(cohort_retention_rate) FILTER (WHERE periods_since = 2), 7) AS "2",
	pg_temp.percent(max(cohort_retention_rate) FILTER (WHERE periods_since = 3), 7) AS "3",
	pg_temp.percent(max(cohort_retention_rate) FILTER (WHERE periods_since = 4), 7) AS "4",
	pg_temp.percent(max(cohort_retention_rate) FILTER (WHERE periods_since = 6), 7) AS "6",
	pg_temp.percent(max(cohort_retention_rate) FILTER (WHERE periods_since = 8), 7) AS "8"
FROM cohort_retention
WHERE level = 'company'
	AND grain = 'quarter'
GROUP BY cohort_start, cohort_label
ORDER BY cohort_start;

SELECT coalesce(round(100 * max(wmape) FILTER (WHERE method = 'forecast')::numeric)::text, '?') AS error,
	coalesce(round(100 * max(wmape) FILTER (WHERE method <> 'forecast')::numeric)::text, '?') AS naive_error,
	coalesce(max(method) FILTER (WHERE method <> 'forecast'), 'naive') AS naive_method
FROM forecast_backtest
WHERE level = 'company'
	AND grain = 'month'
	AND periods_ahead = 3
\gset
\echo 'SALES TO BE EXPECTED by month (range: 80 %)'
\echo '(forecasts of three months made before were wrong by' :error '% on average,' :naive_method 'ones by' :naive_error '%)'
SELECT period_label AS "Month",
	pg_temp.whole(coalesce(sales_amount, expected_amount), 12) AS "Sales",
	CASE WHEN low_amount IS NULL THEN '' ELSE pg_temp.whole(low_amount, 12) || ' - ' || pg_temp.whole(high_amount, 12) END AS "Range",
	coalesce('forecast: ' || method, '') AS "Method"
FROM revenue_forecast
WHERE level = 'company'
	AND grain = 'month'
	AND period_start BETWEEN sales_perf.as_of() - interval '4 months' AND sales_perf.as_of() + interval '6 months'
ORDER BY period_start;

SELECT EXISTS (SELECT FROM goal) AS has_goals,
	EXISTS (SELECT FROM quota) AS has_quotas
\gset

\if :has_goals
\echo 'GOALS of the company and its regions (pace: what was done / what was to be done by now; projected: 80 % range)'
SELECT goal_name AS "Goal",
	pg_temp.goal_figure(target, unit, 12) AS "Target",
	pg_temp.goal_figure(actual_value, unit, 12) AS "So far",
	pg_temp.at_right(to_char(pace_ratio, 'FM990.00'), 5) AS "Pace",
	pg_temp.goal_figure(projected_low, unit, 11) || ' -' || pg_temp.goal_figure(projected_high, unit, 11) AS "Projected",
	pg_temp.percent(chance_of_reaching, 8) AS "Chance",
	replace(status, '_', ' ') AS "Status",
	CASE WHEN is_beyond_history THEN 'never seen before' WHEN NOT children_tie THEN 'parts differ by ' || pg_temp.whole(abs(child_gap), 1) ELSE '' END AS "Note"
FROM goal_progress
WHERE level = 'company'
	OR level = 'team' AND team_id ~ '^T-[0-9]$'
ORDER BY level, unit, goal_id;

\echo 'REPS AND THEIR GOALS: the five who most need a talk, and the last thing they said'
SELECT owner_name AS "Rep",
	pg_temp.percent(attainment_rate::double precision, 8) AS "Attained",
	pg_temp.at_right(to_char(pace_ratio, 'FM990.00'), 5) AS "Pace",
	pg_temp.percent(chance_of_reaching, 7) AS "Chance",
	pg_temp.whole(needed_per_business_day, 9) AS "Needed a day",
	check_in_note AS "Last check-in"
FROM goal_progress
WHERE level = 'rep'
	AND NOT is_complete
	AND status IN ('behind', 'at_risk')
ORDER BY chance_of_reaching, owner_name
LIMIT 5;
\endif

\if :has_quotas
\echo 'LEADERBOARD of' :quarter '(range: the ranks that chance allows)'
SELECT pg_temp.at_right(rank::text, 4) AS "Rank",
	pg_temp.at_right(rank_low || ' - ' || rank_high, 8) AS "(range)",
	rep_name AS "Rep",
	team_name AS "Team",
	pg_temp.whole(bookings_amount, 10) AS "Bookings",
	pg_temp.whole(quota_amount, 10) AS "Quota",
	pg_temp.percent(attainment_rate::double precision, 10) AS "Attainment",
	pg_temp.percent(sales_growth::double precision, 9) AS "Growth"
FROM leaderboard
WHERE grain = 'quarter'
	AND period_start = :'quarter_start'
ORDER BY rank, rep_name
LIMIT 8;

\echo 'COVERAGE of the running quarter: is the pipeline that is due enough for what is missing of the quota?'
SELECT coalesce(team_name, 'company') AS "Who",
	pg_temp.whole(quota_amount, 12) AS "Quota",
	pg_temp.whole(won_amount, 12) AS "Won",
	pg_temp.whole(remaining_amount, 12) AS "Missing",
	pg_temp.whole(pipeline_amount, 12) AS "Pipeline due",
	pg_temp.at_right(CASE WHEN is_attained THEN 'attained' ELSE to_char(coverage_ratio, 'FM990.0') || ' x' END, 9) AS "Coverage"
FROM coverage
WHERE grain = 'quarter'
	AND (level = 'company' OR level = 'team' AND team_id ~ '^T-[0-9]$')
ORDER BY level, team_id;
\endif

\echo 'FORECAST of deals (won so far, open deals by their chances, deals still to be opened; range: 80 %)'
SELECT period_label || CASE WHEN period_start <= sales_perf.as_of() THEN ' *' ELSE '' END AS "Period",
	pg_temp.whole(won_amount, 12) AS "Won",
	pg_temp.whole(open_expected_amount, 12) AS "Open deals",
	pg_temp.whole(unopened_expected_amount, 12) AS "To be opened",
	pg_temp.whole(expected_amount, 12) AS "Expected",
	pg_temp.whole(p10_amount, 12) || ' -' || pg_temp.whole(p90_amount, 12) AS "(range)"
FROM forecast
WHERE level = 'company'
	AND grain <> 'year'
ORDER BY grain, period_start;

\echo 'WHERE THE PIPELINE WENT, by quarter: what was due by its end, and what became of it'
SELECT period_label || CASE WHEN is_complete THEN '' ELSE ' *' END AS "Period",
	pg_temp.whole(start_amount, 11) AS "Start",
	pg_temp.whole(new_amount, 11) AS "New",
	pg_temp.whole(pulled_in_amount, 11) AS "Pulled in",
	pg_temp.whole(increased_amount - decreased_amount + fx_amount, 9) AS "Repriced",
	pg_temp.whole(pushed_out_amount, 11) AS "Pushed out",
	pg_temp.whole(won_amount, 11) AS "Won",
	pg_temp.whole(lost_amount, 11) AS "Lost",
	pg_temp.whole(end_amount, 11) AS "End"
FROM pipeline_waterfall
WHERE level = 'company'
	AND grain = 'quarter'
	AND period_start > sales_perf.as_of() - interval '12 months'
ORDER BY period_start;

SELECT EXISTS (SELECT FROM feedback) AS has_feedback,
	EXISTS (SELECT FROM enrolment) AS has_courses,
	EXISTS (SELECT FROM alert_rule) AS has_alerts
\gset

\if :has_feedback
\echo 'FEEDBACK that is due: who has waited longest, and what to talk about'
SELECT rep_name AS "Rep",
	coalesce(manager_name, '-') AS "From",
	coalesce(last_feedback_on::text, 'never') AS "Last",
	pg_temp.at_right('every ' || every_days || ' days', 13) AS "Due",
	pg_temp.whole(days_overdue, 12) AS "Days overdue",
	coalesce(pg_temp.beginning(replace(fact_1, '"' || rep_name || ': ', '"'), 64), '-') AS "What stands out"
FROM feedback_due
ORDER BY days_overdue DESC, rep_id
LIMIT 5;

\echo 'WHAT CAME OF IT: action items and feedback of 90 days, by manager'
SELECT rep_name AS "Manager",
	pg_temp.whole(rep_count, 4) AS "Reps",
	pg_temp.whole(action_open_count, 5) AS "Open",
	pg_temp.whole(action_overdue_count, 7) AS "Overdue",
	pg_temp.percent(action_done_on_time_rate, 12) AS "Done on time",
	pg_temp.whole(feedback_received_count, 8) AS "Feedback",
	pg_temp.percent(feedback_acknowledged_rate, 12) AS "Acknowledged",
	pg_temp.percent(feedback_coverage_rate, 12) AS "Reps reached"
FROM accountability
WHERE level IN ('company', 'manager')
ORDER BY level, action_overdue_count DESC, rep_id
LIMIT 8;
\endif

\if :has_courses
\echo 'COURSES: what changed for those who took them, less what changed for the others (range: 95 %; -: too few to tell)'
SELECT course_name AS "Course",
	kpi_name AS "KPI",
	pg_temp.whole(completed_count, 9) AS "Completed",
	pg_temp.at_right(trained_count || ' with ' || control_count, 9) AS "Compared",
	pg_temp.difference(effect, unit, 12) AS "Effect",
	CASE WHEN effect IS NOT NULL THEN pg_temp.difference(effect_low, unit, 12) || ' to' || pg_temp.difference(effect_high, unit, 12) ELSE '' END AS "(range)",
	CASE WHEN effect_low <= 0 AND effect_high >= 0 THEN 'may be chance' ELSE '' END AS "Note"
FROM (
	SELECT t.*, k.name AS kpi_name
	FROM training_effect t
	JOIN kpi k ON k.code = t.kpi_code) AS measured
WHERE note IS DISTINCT FROM 'not measured: this KPI is none of those that are added up here'
ORDER BY course_id, kpi_code;

\echo 'COACHING: where it would be worth most, by what the mix of customers would predict (* beyond chance)'
SELECT rep_name AS "Rep",
	k.name AS "KPI",
	pg_temp.goal_figure(value, p.unit, 10) || CASE WHEN is_beyond_chance THEN ' *' ELSE '' END AS "Value",
	pg_temp.goal_figure(expected, p.unit, 10) AS "Expected",
	pg_temp.whole(worth_amount, 12) AS "Worth a year",
	coalesce(course_name, '-') AS "Course",
	coalesce(peer_rep_name, '-') AS "Who could show how"
FROM coaching_plan p
JOIN kpi k ON k.code = p.kpi_code
ORDER BY is_beyond_chance DESC, worth_amount DESC NULLS LAST, rep_id
LIMIT 5;
\endif

\if :has_alerts
\echo 'ALERTS that are open, the latest first'
SELECT entity_name AS "Who",
	kpi_name AS "KPI",
	period_label AS "Period",
	opened_on AS "Since",
	pg_temp.goal_figure(value, unit, 10) AS "Value",
	comparison || pg_temp.goal_figure(reference, unit, 10) AS "Limit",
	pg_temp.goal_figure(last_value, unit, 10) AS "By now",
	state AS "State"
FROM alert
WHERE state <> 'closed'
ORDER BY opened_on DESC, rule_id, entity_id
LIMIT 6;
\endif

\if :has_goals
SELECT coalesce(
		(SELECT g.rep_id FROM goal_progress g WHERE g.level = 'rep' AND NOT g.is_complete AND g.status IN ('behind', 'at_risk') ORDER BY g.chance_of_reaching, g.owner_name LIMIT 1),
		(SELECT min(rep_id) FROM rep)) AS focus_rep
\gset
SELECT name AS focus_name
FROM rep
WHERE rep_id = :'focus_rep'
\gset
\echo 'FOCUS of' :focus_name': the few KPIs that matter now'
SELECT pg_temp.at_right(f.rank::text, 4) AS "Rank",
	f.kpi_name AS "KPI",
	pg_temp.goal_figure(f.value, f.unit, 10) AS "Value",
	CASE f.why WHEN 'goal' THEN 'goal  ' WHEN 'alert' THEN 'limit ' ELSE 'median' END || pg_temp.goal_figure(f.reference, f.unit, 10) AS "Against",
	pg_temp.whole(f.sample_count, 5) AS "n"
FROM focus_kpis(:'focus_rep') AS f
ORDER BY f.rank;
\endif

\echo 'STRENGTHS, WEAKNESSES, OPPORTUNITIES, THREATS: the two of each that weigh most'
SELECT kind AS "Kind",
	entity_name AS "Who",
	replace(topic, '_', ' ') AS "What",
	coalesce(pg_temp.beginning(CASE WHEN subject_id IS DISTINCT FROM topic THEN subject END, 28), '') AS "Of",
	pg_temp.goal_figure(value::numeric, unit, 10) AS "Value",
	pg_temp.goal_figure(peer_value::numeric, unit, 10) AS "Against",
	pg_temp.whole(amount, 10) AS "Amount"
FROM (
	SELECT s.*, row_number() OVER (PARTITION BY kind ORDER BY abs(amount) DESC NULLS LAST, level, entity_id, subject_id) AS place
	FROM swot s) AS placed
WHERE place <= 2
ORDER BY array_position(ARRAY['strength', 'weakness', 'opportunity', 'threat'], kind), place;

\echo 'WHAT TO CHECK IN THE DATA (the rows: SELECT * FROM data_quality)'
SELECT check_code AS "Check",
	severity AS "Severity",
	pg_temp.whole(violation_count, 5) AS "Rows",
	description AS "What it means"
FROM data_quality_summary
WHERE violation_count > 0
ORDER BY severity, violation_count DESC, check_code;
