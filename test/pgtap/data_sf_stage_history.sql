-- The stage history of a CRM's demo data, messy as such are: every figure that R counted in it.
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2022-12-31';
\ir fixture/near.sql
SELECT plan(17);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE opportunity (opportunity_id text PRIMARY KEY, account_id text, owner_id text, name text, amount numeric, probability int, created_date date, close_date date,
	stage_name text, is_closed_raw boolean, is_won_raw boolean, forecast_category text);
CREATE TABLE history (opportunity_id text, change_date date, stage_name text, sort_order int);
CREATE TABLE transition (from_stage text, to_stage text, n bigint, total_days bigint);
CREATE TABLE ever_in_stage (stage text, opportunities bigint);
\copy opportunity FROM 'sf_stage_history/opportunity.csv' WITH (FORMAT csv, HEADER)
\copy history FROM 'sf_stage_history/opportunity_history.csv' WITH (FORMAT csv, HEADER)
\copy transition FROM 'sf_stage_history/expected/transitions.csv' WITH (FORMAT csv, HEADER)
\copy ever_in_stage FROM 'sf_stage_history/expected/ever_in_stage.csv' WITH (FORMAT csv, HEADER)
\set headline `cat sf_stage_history/expected/headline.json`
CREATE TABLE headline AS SELECT :'headline'::jsonb AS h;

-- closed stages are stages here, 9 and 10: the way into them is a move like any other
CREATE TABLE stage AS SELECT DISTINCT sort_order AS stage_no, stage_name FROM history;
CREATE TABLE path AS
SELECT opportunity_id, stage_path_agg(sort_order, change_date) AS p
FROM history
GROUP BY opportunity_id;
CREATE TABLE move AS
SELECT opportunity_id, m.*, f.stage_name AS from_name, t.stage_name AS to_name
FROM path
CROSS JOIN LATERAL stage_moves(p) AS m
JOIN stage AS f ON f.stage_no = from_stage
JOIN stage AS t ON t.stage_no = to_stage;
CREATE TABLE funnel AS
SELECT funnel_agg(p, CASE o.stage_name WHEN 'Closed Won' THEN 'won' WHEN 'Closed Lost' THEN 'lost' END, close_date, 'strict') AS s
FROM opportunity AS o
LEFT JOIN path USING (opportunity_id);

SELECT is(sum(event_count(p)), (h ->> 'changes')::numeric, 'changes') FROM path, headline GROUP BY h;
SELECT is(count(*), (h ->> 'transitions')::bigint, 'transitions') FROM move, headline GROUP BY h;
SELECT is(count(*) FILTER (WHERE to_stage < from_stage), (h ->> 'backward')::bigint, 'backward') FROM move, headline GROUP BY h;
SELECT is(count(*) FILTER (WHERE to_stage = from_stage), (h ->> 'repeated_same_stage')::bigint, 'to the same stage') FROM move, headline GROUP BY h;
SELECT is(count(*) FILTER (WHERE to_stage > from_stage), (h ->> 'forward')::bigint, 'forward') FROM move, headline GROUP BY h;
SELECT near(avg(days)::float8, (h ->> 'mean_days_between_changes')::float8, 'mean days between changes') FROM move, headline GROUP BY h;
SELECT is(percentile_cont(0.5) WITHIN GROUP (ORDER BY days), (h ->> 'median_days_between_changes')::float8, 'median days between changes') FROM move, headline GROUP BY h;
SELECT bag_eq(
	'SELECT from_name, to_name, count(*), sum(days) FROM move GROUP BY from_name, to_name',
	'SELECT from_stage, to_stage, n, total_days FROM transition',
	'transitions from stage to stage, and their days');
SELECT bag_eq(
	$$SELECT f.stage_name AS from_stage, t.stage_name AS to_stage, count::bigint
	  FROM funnel
	  CROSS JOIN LATERAL jsonb_each_text(s::jsonb -> 'moves') AS m (move, count)
	  JOIN stage AS f ON f.stage_no = split_part(move, ',', 1)::int
	  JOIN stage AS t ON t.stage_no = split_part(move, ',', 2)::int$$,
	'SELECT from_stage, to_stage, n FROM transition',
	'the funnel keeps the same transitions');

SELECT is(deal_count(s), (h ->> 'opportunities')::bigint, 'opportunities') FROM funnel, headline;
SELECT is(pathless_count(s) + invalid_count(s) + undated_count(s) + unstaged_count(s), 0::bigint, 'all have a history') FROM funnel;
SELECT bag_eq(
	'SELECT stage_name, entered FROM funnel, funnel_values(s) JOIN stage USING (stage_no)',
	'TABLE ever_in_stage',
	'opportunities ever in a stage: those that entered it, by the policy strict');
SELECT is(v.entered, (h ->> 'closed_won')::bigint, 'closed as won') FROM funnel, headline, funnel_values(s) AS v WHERE stage_no = 9;
SELECT is(v.entered, (h ->> 'closed_lost')::bigint, 'closed as lost') FROM funnel, headline, funnel_values(s) AS v WHERE stage_no = 10;
SELECT is(sum(v.regressed), (h ->> 'backward')::numeric, 'moves back') FROM funnel, headline, funnel_values(s) AS v GROUP BY h;
SELECT near(regression_rate(s), 72 / 258.0, 'their share of the moves from one stage to another') FROM funnel;
SELECT is(count(*), 219::bigint, 'the furthest stage is the one with the highest order')
FROM path
WHERE furthest_stage(p) = (SELECT max(sort_order) FROM history WHERE history.opportunity_id = path.opportunity_id);
\else
SELECT skip('SALES_PERF_DATA is not set', 17);
\endif

SELECT * FROM finish();
