-- funnel_agg against plain SQL over the rows: a few deals worked out by hand, then random histories with moves on
-- one day, skipped stages, regressions, returns, deals without a path and faulty dates.
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2024-06-30';
\ir fixture/samples.sql
SELECT plan(52);

-- equal but for rounding, or both NULL
CREATE FUNCTION same(a float8, b float8)
RETURNS boolean
LANGUAGE sql
RETURN COALESCE(abs(a - b) <= 1e-13 * greatest(1, abs(b)), a IS NULL AND b IS NULL);

-- ---------- by hand ----------
-- Stages 1 to 4; each step took ten days. "1 2 1" is a deal that went from 1 to 2 and back.
--   A won 1 2 3 4   B won 1 3     C lost 1 2 1   D lost 1 2 4
--   E open 2 1      F open 1 2    G open 1 2 3 2 H lost 3
CREATE TABLE small AS
SELECT deal, outcome, stage_path_agg(stage_no, date '2024-01-01' + 10 * (nth::int - 1)) AS path, date '2024-01-01' + 10 * max(nth)::int AS closed_on
FROM (VALUES ('A', 'won', '{1, 2, 3, 4}'::int[]), ('B', 'won', '{1, 3}'), ('C', 'lost', '{1, 2, 1}'), ('D', 'lost', '{1, 2, 4}'),
	('E', 'open', '{2, 1}'), ('F', NULL, '{1, 2}'), ('G', 'open', '{1, 2, 3, 2}'), ('H', 'lost', '{3}')) AS v (deal, outcome, stages),
	unnest(stages) WITH ORDINALITY AS u (stage_no, nth)
GROUP BY deal, outcome;

-- reached, stage 1: all 8; further are A, B (won) and C, D, E, F, G, H (in 2 to 4): 8; nobody waits in 1 for the first time.
--   2: all 8 (B, H were in 3); further A, B, D, G, H; F waits. 3: A, B, D, G, H; further A, B, D; G is not in 3 any more.
--   4: A, D, and B, which was won; A and B were. Skipped: 1 by H; 2 by B, H; 3 by D; 4 by B.
--   Moves back: 2 to 1 of C and E, 3 to 2 of G. Returns: C to 1, G to 2.
SELECT results_eq(
	$$SELECT stage_no, entered, advanced, won, lost, open, ended, skipped, regressed, reentered FROM funnel_values((SELECT funnel_agg(path, outcome, closed_on) FROM small))$$,
	$$VALUES (1, 8::bigint, 8::bigint, 2::bigint, 3::bigint, 3::bigint, 8::bigint, 1::bigint, 0::bigint, 1::bigint),
		(2, 8, 5, 2, 3, 3, 7, 2, 2, 1), (3, 5, 3, 2, 2, 1, 5, 1, 1, 0), (4, 3, 2, 2, 1, 0, 3, 1, 0, 0)$$,
	'by hand: policy reached');
-- strict, 1: all but H; later in a higher stage or won are A, B, C, D, F, G, not E, which waits in 1.
--   2: A, C, D, E, F, G; A, D, G went on; F waits, G does not: it had gone on before. 3: A, B, G, H; A, B. 4: A, D; A.
SELECT results_eq(
	$$SELECT stage_no, entered, advanced, won, lost, open, ended, skipped, regressed, reentered FROM funnel_values((SELECT funnel_agg(path, outcome, closed_on, 'strict') FROM small))$$,
	$$VALUES (1, 7::bigint, 6::bigint, 2::bigint, 2::bigint, 3::bigint, 6::bigint, 1::bigint, 0::bigint, 1::bigint),
		(2, 6, 3, 1, 2, 3, 5, 2, 2, 1), (3, 4, 2, 2, 1, 1, 4, 1, 1, 0), (4, 2, 1, 1, 1, 0, 2, 1, 0, 0)$$,
	'by hand: policy strict');
-- direct, 1 to 2: A, C, D, F, G; E waits. 2 to 3: A, G; F waits. 3 to 4: A. From 4, the last: A is won.
SELECT results_eq(
	$$SELECT stage_no, entered, advanced, won, lost, open, ended, skipped, regressed, reentered FROM funnel_values((SELECT funnel_agg(path, outcome, closed_on, 'direct') FROM small))$$,
	$$VALUES (1, 7::bigint, 5::bigint, 2::bigint, 2::bigint, 3::bigint, 6::bigint, 1::bigint, 0::bigint, 1::bigint),
		(2, 6, 2, 1, 2, 3, 5, 2, 2, 1), (3, 4, 1, 2, 1, 1, 4, 1, 1, 0), (4, 2, 1, 1, 1, 0, 2, 1, 0, 0)$$,
	'by hand: policy direct');
SELECT results_eq(
	$$SELECT conversion_rate, won_rate FROM funnel_values((SELECT funnel_agg(path, outcome, closed_on, 'direct') FROM small))$$,
	$$VALUES (5/6.0::float8, 2/4.0::float8), (2/5.0::float8, 1/3.0::float8), (1/4.0::float8, 2/3.0::float8), (1/2.0::float8, 1/2.0::float8)$$,
	'and its rates');
SELECT is(regression_rate(funnel_agg(path, outcome, closed_on)), 3 / 13.0::float8, '3 of 13 moves were back') FROM small;
-- Every visit that ended took 10 days. A won deal was in 1 once, in 2 half a time, in 3 once and in 4 half a time.
SELECT results_eq(
	$$SELECT stage_no, median_days, expected_days, is_bottleneck FROM funnel_values((SELECT funnel_agg(path, outcome, closed_on) FROM small WHERE outcome <> 'open'))$$,
	$$VALUES (1, 10::float8, 10::float8, true), (2, 10, 5, false), (3, 10, 10, false), (4, 10, 5, false)$$,
	'expected days of a won deal; of equals the earliest stage is the bottleneck');
SELECT results_eq(
	$$SELECT stage_no, expected_days_rate FROM funnel_values((SELECT funnel_agg(path, outcome, closed_on) FROM small WHERE outcome <> 'open'))$$,
	$$VALUES (1, 10/30.0::float8), (2, 5/30.0::float8), (3, 10/30.0::float8), (4, 5/30.0::float8)$$,
	'and their shares');
-- One deal: 1 on 1 January, 2 on the 11th, again 1 on the 16th, won on 10 February (25 days): visits of 10, 5 and 25 days.
-- Stage 1: half of its visits end after 10 days, the other after 25: 17.5 days, twice. Forward at 10 days, and at the win.
SELECT results_eq(
	$$SELECT v.* FROM (SELECT funnel_agg(stage_path_agg, 'won', '2024-02-10') AS s FROM (SELECT stage_path_agg(k, d) FROM (VALUES (1, date '2024-01-01'), (2, '2024-01-11'), (1, '2024-01-16')) AS v (k, d)) AS p) AS f, funnel_values(s) AS v$$,
	$$VALUES (1, 1::bigint, 1::bigint, 1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 1::float8, 1::float8, 17.5::float8, 10::float8, true, 1::bigint, 1::bigint, 1::float8, 35::float8, 35/40.0::float8),
		(2, 1, 1, 1, 0, 0, 0, 1, 1, 1, 5, 5, false, 1, 0, 0, 5, 5/40.0::float8)$$,
	'all columns of a single deal');

-- A published restricted mean: survival of patients with acute myelogenous leukaemia, with and without maintenance
-- (aml of the R package survival, survfit's rmean to the last day of each group: 52.64545..., 22.70833...).
CREATE TABLE aml (stage_no int, days int, died boolean);
INSERT INTO aml VALUES (1, 9, true), (1, 13, true), (1, 13, false), (1, 18, true), (1, 23, true), (1, 28, false), (1, 31, true), (1, 34, true), (1, 45, false), (1, 48, true), (1, 161, false),
	(2, 5, true), (2, 5, true), (2, 8, true), (2, 8, true), (2, 12, true), (2, 16, false), (2, 23, true), (2, 27, true), (2, 30, true), (2, 33, true), (2, 43, true), (2, 45, true);
CREATE TABLE leukaemia AS
SELECT stage_no, expected_days, km_median_days
FROM (
	SELECT funnel_agg(stage_path_agg_add(NULL, stage_no, as_of() - days), CASE WHEN died THEN 'won' END, as_of()) AS s
	FROM aml
) AS f, funnel_values(s);
-- each stage has its share of the visits of the 18 who died
SELECT ok(bool_and(same(l.expected_days, e.mean * e.died / 18)), 'expected_days is the restricted mean of survfit')
FROM leukaemia AS l
JOIN (VALUES (1, 52.6454545454545::float8, 7), (2, 22.7083333333333, 11)) AS e (stage_no, mean, died) USING (stage_no);
SELECT bag_eq('SELECT stage_no, km_median_days FROM leukaemia', 'VALUES (1, 31::float8), (2, 23)', 'and km_median_days its median');

-- ---------- at random ----------
CREATE TABLE event AS
SELECT g AS group_no, e.*
FROM generate_series(1, 8) AS g, fixture.stage_events(g, (ARRAY[0, 1, 2, 5, 20, 80, 300, 300])[g]) AS e;
-- group 8 has stages with gaps between their numbers
UPDATE event SET stage_no = (ARRAY[-7, 10, 11, 40, 1000, 2147483647])[stage_no] WHERE group_no = 8;
-- events of deals that no deal is known of are left out
CREATE TABLE deal AS
SELECT g AS group_no, deal_no, outcome, closed_on
FROM generate_series(1, 8) AS g, fixture.deals(g, (ARRAY[0, 1, 2, 5, 20, 80, 300, 300])[g]) AS d;
CREATE VIEW with_path AS
SELECT *
FROM deal
LEFT JOIN (SELECT group_no, deal_no, stage_path_agg(stage_no, entered_on) AS path FROM event GROUP BY group_no, deal_no) AS p USING (group_no, deal_no);
CREATE TABLE summary AS
SELECT g AS group_no, policy, funnel_agg(path, outcome, closed_on, policy) FILTER (WHERE deal_no IS NOT NULL) AS s
FROM generate_series(1, 8) AS g
CROSS JOIN unnest('{reached, strict, direct}'::text[]) AS policy
LEFT JOIN with_path ON group_no = g
GROUP BY g, policy;

CREATE TABLE visit AS
WITH ordered AS (
	SELECT group_no, deal_no, stage_no, entered_on, row_number() OVER way AS event_no, lag(stage_no) OVER way AS stage_before
	FROM event
	WHERE isfinite(entered_on) AND stage_no IS NOT NULL
	WINDOW way AS (PARTITION BY group_no, deal_no ORDER BY entered_on, stage_no)
), numbered AS (
	SELECT *, count(*) FILTER (WHERE stage_before IS DISTINCT FROM stage_no) OVER (PARTITION BY group_no, deal_no ORDER BY event_no) AS visit_no
	FROM ordered
), visited AS (
	SELECT group_no, deal_no, visit_no, stage_no, min(entered_on) AS entered_on
	FROM numbered
	GROUP BY group_no, deal_no, visit_no, stage_no
), followed AS (
	SELECT *, lead(stage_no) OVER way AS next_stage, lead(entered_on) OVER way AS next_on
	FROM visited
	WINDOW way AS (PARTITION BY group_no, deal_no ORDER BY visit_no)
)
SELECT f.*, COALESCE(outcome, 'open') AS outcome,
	CASE
		WHEN next_on IS NOT NULL THEN next_on
		WHEN outcome IN ('won', 'lost') AND isfinite(closed_on) AND closed_on >= entered_on THEN closed_on
	END AS left_on,
	CASE
		WHEN next_stage > stage_no OR next_stage IS NULL AND outcome = 'won' THEN 'forward'
		WHEN next_stage < stage_no OR next_stage IS NULL AND outcome = 'lost' THEN 'back'
		ELSE 'open'
	END AS ending
FROM followed AS f
JOIN deal USING (group_no, deal_no);

-- one row for each deal with a path and each stage of its group, with what is said of it in words
CREATE TABLE deal_stage AS
WITH stage AS (
	SELECT group_no, stage_no, lead(stage_no) OVER (PARTITION BY group_no ORDER BY stage_no) AS following
	FROM (SELECT DISTINCT group_no, stage_no FROM visit) AS v
), deal_path AS (
	SELECT group_no, deal_no, outcome, max(stage_no) AS furthest, (array_agg(stage_no ORDER BY visit_no DESC))[1] AS last_stage
	FROM visit
	GROUP BY group_no, deal_no, outcome
)
SELECT d.*, stage.stage_no, stage.following,
	EXISTS (SELECT FROM visit AS v WHERE (v.group_no, v.deal_no, v.stage_no) = (d.group_no, d.deal_no, stage.stage_no)) AS was_in,
	outcome = 'won' OR furthest > stage.stage_no AS got_further,
	EXISTS (
		SELECT FROM visit AS v JOIN visit AS later USING (group_no, deal_no)
		WHERE (v.group_no, v.deal_no, v.stage_no) = (d.group_no, d.deal_no, stage.stage_no)
			AND later.visit_no > v.visit_no AND later.stage_no > v.stage_no) AS was_higher_later,
	EXISTS (
		SELECT FROM visit AS v
		WHERE (v.group_no, v.deal_no, v.stage_no, v.next_stage) = (d.group_no, d.deal_no, stage.stage_no, stage.following)) AS moved_on
FROM deal_path AS d
JOIN stage USING (group_no);

CREATE TABLE judged AS
SELECT *,
	CASE policy WHEN 'reached' THEN outcome = 'won' OR furthest >= stage_no ELSE was_in END AS is_entered,
	CASE policy
		WHEN 'reached' THEN got_further
		WHEN 'strict' THEN was_in AND (was_higher_later OR outcome = 'won')
		WHEN 'direct' THEN CASE WHEN following IS NULL THEN outcome = 'won' AND last_stage = stage_no ELSE moved_on END
	END AS is_advanced
FROM deal_stage
CROSS JOIN unnest('{reached, strict, direct}'::text[]) AS policy;

CREATE TABLE expected AS
SELECT group_no, policy, stage_no,
	count(*) FILTER (WHERE is_entered) AS entered,
	count(*) FILTER (WHERE is_advanced) AS advanced,
	count(*) FILTER (WHERE is_entered AND outcome = 'won') AS won,
	count(*) FILTER (WHERE is_entered AND outcome = 'lost') AS lost,
	count(*) FILTER (WHERE is_entered AND outcome = 'open') AS open,
	count(*) FILTER (WHERE is_entered AND NOT (outcome = 'open' AND last_stage = stage_no AND NOT is_advanced)) AS ended,
	count(*) FILTER (WHERE got_further AND NOT was_in) AS skipped
FROM judged
GROUP BY group_no, policy, stage_no;

SELECT results_eq(
	$$SELECT count(DISTINCT outcome), bool_or(was_in AND NOT got_further), bool_or(got_further AND NOT was_in), bool_or(was_in AND outcome = 'open' AND last_stage = stage_no AND was_higher_later) FROM deal_stage$$,
	'VALUES (3::bigint, true, true, true)', 'there are deals of all kinds');
SELECT bag_eq(
	$$SELECT group_no, policy, stage_no, entered, advanced, won, lost, open, ended, skipped FROM summary, funnel_values(s)$$,
	$$SELECT * FROM expected$$,
	'entered, advanced, won, lost, open, ended and skipped, by every policy');
SELECT cmp_ok(count(DISTINCT (entered, advanced, ended))::int, '=', 3, 'the policies differ')
FROM expected
WHERE group_no = 7 AND stage_no = 3;
SELECT results_ne(
	$$SELECT stage_no, advanced FROM expected WHERE group_no = 8 AND policy = 'direct' ORDER BY 1$$,
	$$SELECT stage_no, advanced FROM expected WHERE group_no = 8 AND policy = 'strict' ORDER BY 1$$,
	'also where stage numbers have gaps');
SELECT bag_eq(
	$$SELECT group_no, stage_no, regressed, reentered FROM summary, funnel_values(s) WHERE policy = 'direct'$$,
	$$SELECT group_no, stage_no, count(*) FILTER (WHERE next_stage < stage_no), count(*) - count(DISTINCT deal_no) FROM visit GROUP BY group_no, stage_no$$,
	'regressed are moves back, reentered visits after the first');
SELECT bag_eq(
	$$SELECT group_no, move, count::bigint FROM summary, jsonb_each_text(s::jsonb -> 'moves') AS m (move, count) WHERE policy = 'strict'$$,
	$$SELECT group_no, from_stage || ',' || to_stage, count(*) FROM with_path, stage_moves(path) GROUP BY group_no, from_stage, to_stage$$,
	'it keeps the moves of all paths, also those from a stage to itself');
SELECT bag_eq(
	$$SELECT group_no, regression_rate(s) FROM summary WHERE policy = 'direct'$$,
	$$SELECT g, (SELECT count(*) FILTER (WHERE next_stage < stage_no)::float8 / NULLIF(count(next_stage), 0) FROM visit WHERE group_no = g) FROM generate_series(1, 8) AS g$$,
	'regression_rate is their share of the moves between stages');
SELECT is_empty(
	$$SELECT group_no, policy, stage_no
	  FROM summary, funnel_values(s)
	  WHERE conversion_rate IS DISTINCT FROM advanced::float8 / NULLIF(ended, 0) OR won_rate IS DISTINCT FROM won::float8 / NULLIF(won + lost, 0)
		OR NOT (advanced <= ended AND ended <= entered AND won + lost + open = entered)$$,
	'rates are quotients of the counts, and the counts fit');
SELECT ok(count(*) FILTER (WHERE conversion_rate IS NULL) > 0 AND count(*) FILTER (WHERE won_rate IS NULL) > 0, 'NULL where nothing is to be divided by')
FROM (
	SELECT v.* FROM summary, funnel_values(s) AS v
	UNION ALL
	SELECT v.* FROM funnel_values((SELECT funnel_agg(stage_path_agg_add(NULL, 1, '2024-01-01'), 'open', NULL))) AS v
) AS v;

-- days
SELECT bag_eq(
	$$SELECT group_no, policy, stage_no, median_days FROM summary, funnel_values(s)$$,
	$$SELECT group_no, policy, stage_no, percentile_cont(0.5) WITHIN GROUP (ORDER BY left_on - entered_on)
	  FROM visit, unnest('{reached, strict, direct}'::text[]) AS policy
	  GROUP BY group_no, policy, stage_no$$,
	'median_days is percentile_cont of the visits that ended, NULL without any');
-- a visit is a "deal": opened when the stage was entered, won if it ended forward; cycle_agg has its own tests
CREATE TABLE as_visits AS
SELECT group_no, stage_no, as_of, km_median, mean, incidence
FROM (
	SELECT group_no, stage_no, cycle_agg(CASE ending WHEN 'forward' THEN 'won' WHEN 'back' THEN 'lost' ELSE 'open' END, entered_on, left_on) AS c
	FROM visit
	GROUP BY group_no, stage_no
) AS v
CROSS JOIN unnest('{2023-06-30, 2024-06-30, 2031-01-01}'::date[]) AS as_of
CROSS JOIN LATERAL (
	SELECT cycle_km_median(c, as_of) AS km_median,
		sum(survival_before * (day - day_before)) AS mean,
		(array_agg(win_incidence ORDER BY day DESC))[1] AS incidence
	FROM (SELECT *, lag(survival, 1, 1) OVER (ORDER BY day) AS survival_before, lag(day, 1, 0) OVER (ORDER BY day) AS day_before FROM cycle_curve(c, as_of)) AS curve
) AS k;
CREATE TABLE actual AS
SELECT group_no, as_of, v.*
FROM summary, unnest('{2023-06-30, 2024-06-30, 2031-01-01}'::date[]) AS as_of, funnel_values(s, as_of) AS v
WHERE policy = 'reached';
SELECT bag_eq(
	'SELECT group_no, as_of, stage_no, km_median_days FROM actual', 'SELECT group_no, as_of, stage_no, km_median FROM as_visits',
	'km_median_days is the Kaplan-Meier median of visits, open ones censored at as_of, later ones left out');
SELECT is_empty(
	$$SELECT * FROM actual JOIN as_visits USING (group_no, as_of, stage_no)
	  WHERE NOT same(conversion_incidence_rate, incidence)$$,
	'conversion_incidence_rate is the incidence of a move forward by the last day observed');
SELECT cmp_ok(count(*)::int, '>', 10, 'as_of makes a difference')
FROM actual AS a
JOIN actual AS b USING (group_no, stage_no)
WHERE a.as_of = '2023-06-30' AND b.as_of = '2024-06-30' AND a.conversion_incidence_rate <> b.conversion_incidence_rate;
CREATE TABLE expected_time AS
SELECT *, sum(expected) OVER (PARTITION BY group_no, as_of) AS total, count(expected) OVER (PARTITION BY group_no, as_of) = count(*) OVER (PARTITION BY group_no, as_of) AS all_known
FROM (
	SELECT *, CASE WHEN won_visits = 0 AND won_deals > 0 THEN 0 ELSE mean * won_visits / NULLIF(won_deals, 0) END AS expected
	FROM as_visits
	JOIN (SELECT group_no, stage_no, count(*) FILTER (WHERE outcome = 'won') AS won_visits FROM visit GROUP BY group_no, stage_no) AS v USING (group_no, stage_no)
	JOIN (SELECT group_no, count(DISTINCT deal_no) FILTER (WHERE outcome = 'won') AS won_deals FROM visit GROUP BY group_no) AS d USING (group_no)
) AS e;
SELECT is_empty(
	$$SELECT * FROM actual JOIN expected_time USING (group_no, as_of, stage_no)
	  WHERE NOT same(expected_days, expected) OR NOT same(expected_days_rate, CASE WHEN all_known THEN expected / NULLIF(total, 0) END)$$,
	'expected_days is the mean of a visit x visits of a won deal, expected_days_rate its share');
SELECT is_empty(
	$$SELECT group_no, as_of
	  FROM actual
	  GROUP BY group_no, as_of
	  HAVING array_agg(stage_no) FILTER (WHERE is_bottleneck) IS DISTINCT FROM CASE
		WHEN count(expected_days_rate) > 0 THEN (array_agg(stage_no ORDER BY expected_days_rate DESC, stage_no))[1:1]
	  END$$,
	'is_bottleneck: the stage with the largest share, none where it is not known');
SELECT ok(count(*) FILTER (WHERE is_bottleneck) > 5 AND count(*) FILTER (WHERE expected_days_rate IS NULL) > 1, 'of which there are both') FROM actual;
SELECT is_empty(
	$$SELECT group_no, as_of FROM actual GROUP BY group_no, as_of HAVING abs(sum(expected_days_rate) - 1) > 1e-12$$,
	'the shares add up to 1');
-- what is not known of the days, or takes none
SELECT results_eq(
	$$SELECT stage_no, entered, advanced, expected_days, expected_days_rate, is_bottleneck FROM funnel_values((SELECT funnel_agg(stage_path_agg_add(stage_path_agg_add(NULL, 1, '2024-01-01'), 2, '2024-01-11'), 'won', NULL)))$$,
	$$VALUES (1, 1::bigint, 1::bigint, 10::float8, NULL::float8, false), (2, 1, 1, NULL, NULL, false)$$,
	'a stage whose days are not known leaves shares and bottleneck unknown');
SELECT results_eq(
	$$SELECT stage_no, expected_days, expected_days_rate, is_bottleneck FROM funnel_values((SELECT funnel_agg(stage_path_agg_add(stage_path_agg_add(NULL, 1, '2024-01-01'), 2, '2024-01-01'), 'won', '2024-01-01')))$$,
	$$VALUES (1, 0::float8, NULL::float8, false), (2, 0, NULL, false)$$,
	'stages that take no time have no bottleneck');
SELECT results_eq(
	$$SELECT stage_no, expected_days, expected_days_rate, is_bottleneck
	  FROM funnel_values((SELECT funnel_agg(stage_path_agg_add(NULL, n, '2024-06-20'), CASE n WHEN 1 THEN 'won' END, '2024-06-25') FROM generate_series(1, 2) AS n), '2024-06-19')$$,
	$$VALUES (1, 5::float8, 1::float8, true), (2, 0, 0, false)$$,
	'a stage that no won deal was in takes none of their time, though none of its visits is at risk yet');

-- counts
SELECT bag_eq(
	$$SELECT group_no, policy, deal_count(s), pathless_count(s), invalid_count(s), undated_visit_count(s), undated_count(s), unstaged_count(s) FROM summary$$,
	$$SELECT g, policy, count(deal_no) AS deals,
		count(deal_no) FILTER (WHERE NOT EXISTS (SELECT FROM visit AS v WHERE (v.group_no, v.deal_no) = (g, d.deal_no))) AS pathless,
		0::bigint AS invalid,
		(SELECT count(*) FROM visit AS v WHERE v.group_no = g AND v.outcome <> 'open' AND next_stage IS NULL AND left_on IS NULL) AS undated_visits,
		(SELECT count(*) FROM event AS e WHERE e.group_no = g AND isfinite(entered_on) IS NOT TRUE) AS undated,
		(SELECT count(*) FROM event AS e WHERE e.group_no = g AND isfinite(entered_on) AND stage_no IS NULL) AS unstaged
	  FROM generate_series(1, 8) AS g CROSS JOIN unnest('{reached, strict, direct}'::text[]) AS policy LEFT JOIN deal AS d ON d.group_no = g
	  GROUP BY g, policy$$,
	'deals, those without a path, visits without an end, and rows that are no events are counted');
SELECT results_eq(
	$$SELECT (j ->> 'pathless_won')::bigint, (j ->> 'pathless_lost')::bigint, (j ->> 'pathless_open')::bigint
	  FROM (SELECT s::jsonb AS j FROM summary WHERE group_no = 7 AND policy = 'strict') AS f$$,
	$$SELECT count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'), count(*) FILTER (WHERE outcome = 'open' OR outcome IS NULL)
	  FROM deal AS d WHERE group_no = 7 AND NOT EXISTS (SELECT FROM visit AS v WHERE (v.group_no, v.deal_no) = (d.group_no, d.deal_no))$$,
	'those without a path by outcome');
SELECT ok(undated_visit_count(s) > 5 AND pathless_count(s) > 5 AND undated_count(s) > 5 AND unstaged_count(s) > 5, 'of each there are some') FROM summary WHERE group_no = 7 AND policy = 'direct';
SELECT results_eq(
	$$SELECT deal_count(s), pathless_count(s), invalid_count(s), (SELECT count(*) FROM funnel_values(s))
	  FROM (
		SELECT funnel_agg(path, 'won', '2024-01-01') AS s
		FROM (VALUES (NULL::stage_path), (stage_path_agg_add(NULL, 1, NULL)), (- stage_path_agg_add(NULL, 1, '2024-01-01')), (stage_path_agg_add(NULL, 1, '2024-01-01') - stage_path_agg_add(NULL, 2, '2024-01-01'))) AS v (path)
	  ) AS f$$,
	$$VALUES (4::bigint, 2::bigint, 2::bigint, 0::bigint)$$,
	'deals without a path, and those whose path has events taken back that it never had, are in no stage');

-- the policy only decides how a summary is read
SELECT bag_eq(
	$$SELECT group_no, p.policy, v.* FROM summary AS a, unnest('{reached, strict, direct}'::text[]) AS p (policy), funnel_values(s, policy => p.policy) AS v WHERE a.policy = 'direct'$$,
	$$SELECT group_no, policy, v.* FROM summary, funnel_values(s) AS v$$,
	'a summary can be read by another policy');
SELECT is_empty(
	$$SELECT group_no FROM summary AS a JOIN summary AS b USING (group_no) WHERE a.s::jsonb - 'policy' <> b.s::jsonb - 'policy'$$,
	'nothing else in it depends on that');
SELECT is(
	(SELECT fixture.packed(funnel_agg(path, outcome, closed_on)) FROM with_path WHERE group_no = 6),
	(SELECT fixture.packed(s) FROM summary WHERE group_no = 6 AND policy = 'reached'), 'without a policy it is reached');
SELECT is(s::jsonb ->> 'policy', policy, policy || ' is written down') FROM summary WHERE group_no = 5 ORDER BY policy;
SELECT is(s::jsonb -> 'policy', 'null', 'of no deals there is no policy') FROM summary WHERE group_no = 1 AND policy = 'direct';
SELECT throws_ok(
	$$SELECT funnel_agg(path, outcome, closed_on, CASE WHEN deal_no > 10 THEN 'strict' ELSE 'direct' END ORDER BY deal_no) FROM with_path WHERE group_no = 6$$,
	'22023', 'cannot mix policy "direct" and "strict" in one funnel_summary', 'deals of several policies do not mix');
SELECT throws_ok(
	$$SELECT rollup(s) FROM summary WHERE group_no = 6$$,
	'22023', NULL, 'nor do summaries');
SELECT throws_ok($$SELECT funnel_agg(NULL, 'won', NULL, 'Strict')$$, '22023', 'unknown policy: "Strict"', 'a policy that is none');
SELECT throws_ok($$SELECT funnel_agg(NULL, 'won', NULL, NULL)$$, '22004', 'policy must not be null', 'or NULL');
SELECT throws_ok($$SELECT count(*) FROM funnel_values((SELECT funnel_agg(NULL, 'won', NULL)), 'infinity')$$, '22008', 'as_of must be a finite date', 'as_of is a day');

-- the order of rows does not matter, of deals nor of their events; deals may be taken back
SELECT is_empty(
	$$SELECT seed, group_no
	  FROM summary
	  JOIN (
		SELECT seed, group_no, funnel_agg(path, outcome, closed_on, 'strict' ORDER BY fixture.random('order', seed * 1000 + deal_no)) AS shuffled
		FROM deal
		CROSS JOIN generate_series(1, 4) AS seed
		LEFT JOIN LATERAL (
			SELECT stage_path_agg(stage_no, entered_on ORDER BY fixture.random('event', seed + extract(doy FROM NULLIF(NULLIF(entered_on, 'infinity'), '-infinity'))::int * 7 + stage_no::bigint)) AS path
			FROM event AS e
			WHERE (e.group_no, e.deal_no) = (deal.group_no, deal.deal_no)
		) AS p ON true
		GROUP BY seed, group_no
	  ) AS o USING (group_no)
	  WHERE policy = 'strict' AND fixture.packed(s) <> fixture.packed(shuffled)$$,
	'neither the order of deals nor that of their events matters');
SELECT is_empty(
	$$SELECT m.deal_no
	  FROM (
		SELECT deal_no, row_number() OVER w AS n, funnel_agg(path, outcome, closed_on, 'direct') OVER (w ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS s
		FROM with_path
		WHERE group_no = 7
		WINDOW w AS (ORDER BY deal_no)
	  ) AS m
	  WHERE fixture.packed(s) <> (
		SELECT fixture.packed(funnel_agg(path, outcome, closed_on, 'direct'))
		FROM (SELECT *, row_number() OVER (ORDER BY deal_no) AS n FROM with_path WHERE group_no = 7) AS w
		WHERE w.n BETWEEN m.n - 9 AND m.n)$$,
	'a moving funnel of ten deals is the funnel of these ten');

-- what was never the funnel of any deals is seen to be none
CREATE TABLE tampered AS
SELECT key, fact, delta, jsonb_set(j, ARRAY[key, fact], to_jsonb((j #>> ARRAY[key, fact])::bigint + delta))::text::funnel_summary AS s
FROM (SELECT s::jsonb AS j FROM summary WHERE group_no = 7 AND policy = 'strict') AS f
CROSS JOIN unnest('{furthest, entered, won_from, open_on}'::text[]) AS key
CROSS JOIN LATERAL jsonb_object_keys(j -> key) AS fact
CROSS JOIN unnest('{1000, -1000}'::int[]) AS delta;
SELECT cmp_ok(count(*)::int, '>', 50, 'there are facts to tamper with') FROM tampered;
SELECT is_empty(
	$$SELECT key, fact, delta FROM tampered
	  WHERE (is_valid(s) OR EXISTS (SELECT FROM funnel_values(s)) OR regression_rate(s) IS NOT NULL OR deal_count(s) IS NOT NULL)$$,
	'deals that disagree with each other are not valid, and nothing is said of them');
SELECT is_empty(
	$$SELECT what
	  FROM (VALUES ('an outcome that is none', '{entered,"1,3"}', '1'), ('a stage nobody was in', '{moves,"99,1"}', '1'), ('days below 0', '{back_days,"1,-1"}', '1'),
		('more repeated than moved', '{repeated,"1,2"}', '100000'), ('more returned than open', '{returned,"1"}', '100000'),
		('more waiting than open', '{waiting,"1"}', '100000'), ('more advanced than entered', '{advanced,"1"}', '100000'),
		('fewer last stages than deals won', '{won_from}', '{}'), ('fewer open visits than open deals', '{open_on}', '{}'),
		('a stage beyond all numbers', '{advanced,"4294967297"}', '1'), ('a day beyond all', '{open_on,"1,2147483647"}', '1')) AS v (what, place, value),
		summary
	  WHERE group_no = 7 AND policy = 'direct' AND is_valid(jsonb_set(s::jsonb, place::text[], value::jsonb)::text::funnel_summary)$$,
	'nor is what cannot be');
-- open are two deals that fell back to 1 and one that fell back to 2; two are lost, one of them after falling back to 1
SELECT results_eq(
	$$SELECT change, is_valid((s::jsonb || change::jsonb)::text::funnel_summary)
	  FROM (
		SELECT funnel_agg(stage_path_agg_add(CASE WHEN falls THEN stage_path_agg_add(NULL, stage_no + 1, '2024-01-01') END, stage_no, '2024-01-06'), outcome, '2024-01-31') AS s
		FROM (VALUES (1, 'open', true), (1, 'open', true), (2, 'open', true), (1, 'lost', true), (1, 'lost', false)) AS v (stage_no, outcome, falls)
	  ) AS f,
		unnest('{"{}", "{\"open_on\": {\"1,8771\": 3}}", "{\"open_on\": {\"1,8771\": 2}}", "{\"waiting\": {\"1\": 1}}"}'::text[]) AS change$$,
	$$VALUES ('{}', true), ('{"open_on": {"1,8771": 3}}', false), ('{"open_on": {"1,8771": 2}}', false), ('{"waiting": {"1": 1}}', false)$$,
	'nor are more open visits to a stage than open deals, fewer of all, or a deal that waits where it was not furthest');

SELECT * FROM finish();
