-- stage_path_agg against window functions over the rows: random histories with moves on one day, skipped stages,
-- regressions, returns, repeated events and faulty rows.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(19);

CREATE TABLE event AS
SELECT g AS group_no, e.*
FROM generate_series(1, 4) AS g, fixture.stage_events(g, 150) AS e;
-- some the same row again, up to four times
INSERT INTO event
SELECT e.*
FROM event AS e, generate_series(1, 3) AS i
WHERE fixture.random('again', group_no * 100000 + deal_no * 10 + COALESCE(stage_no, 0)) * 12 < 4 - i;

CREATE TABLE path AS
SELECT group_no, deal_no, stage_path_agg(stage_no, entered_on) AS p
FROM event
GROUP BY group_no, deal_no;

-- What each row says, by the rules in words.
CREATE VIEW good_event AS
SELECT *, row_number() OVER way AS event_no, lag(stage_no) OVER way AS from_stage, lag(entered_on) OVER way AS from_on
FROM event
WHERE isfinite(entered_on) AND stage_no IS NOT NULL
WINDOW way AS (PARTITION BY group_no, deal_no ORDER BY entered_on, stage_no);
CREATE VIEW visit AS
SELECT group_no, deal_no, stage_no, min(entered_on) AS entered_on,
	lead(min(entered_on)) OVER (PARTITION BY group_no, deal_no ORDER BY visit_no) AS left_on
FROM (
	SELECT *, count(*) FILTER (WHERE from_stage IS DISTINCT FROM stage_no) OVER (PARTITION BY group_no, deal_no ORDER BY event_no) AS visit_no
	FROM good_event
) AS e
GROUP BY group_no, deal_no, visit_no, stage_no;

SELECT cmp_ok(count(*)::int, '>', 1500, 'there are events') FROM event;
SELECT ok(count(*) FILTER (WHERE from_stage > stage_no) > 100
		AND count(*) FILTER (WHERE from_stage = stage_no) > 100
		AND count(*) FILTER (WHERE from_stage < stage_no - 1) > 100
		AND count(*) FILTER (WHERE from_stage < stage_no AND from_on = entered_on) > 100
		AND count(*) FILTER (WHERE from_stage = stage_no AND from_on = entered_on) > 100,
	'moves back, to the same stage, over a stage, several on a day, and the same event again') FROM good_event;
SELECT cmp_ok(count(*) FILTER (WHERE furthest_stage(p) IS NULL)::int, '>', 3, 'and paths without any event') FROM path;

SELECT is_empty(
	$$SELECT group_no, deal_no, p::text
	  FROM path
	  WHERE (event_count(p), undated_count(p), unstaged_count(p)) IS DISTINCT FROM (
		SELECT (count(*) FILTER (WHERE isfinite(entered_on) AND stage_no IS NOT NULL),
			count(*) FILTER (WHERE isfinite(entered_on) IS NOT TRUE),
			count(*) FILTER (WHERE isfinite(entered_on) AND stage_no IS NULL))
		FROM event AS e
		WHERE (e.group_no, e.deal_no) = (path.group_no, path.deal_no))$$,
	'events, rows without a finite day and others without a stage are counted');
SELECT cmp_ok(sum(undated_count(p))::int, '>', 50, 'of the former there are some') FROM path;
SELECT cmp_ok(sum(unstaged_count(p))::int, '>', 20, 'and of the latter') FROM path;
SELECT is(undated_count(stage_path_agg(NULL, NULL)), 1::bigint, 'a row with neither counts once');

SELECT is_empty(
	$$SELECT group_no, deal_no, p::text
	  FROM path
	  WHERE furthest_stage(p) IS DISTINCT FROM (
		SELECT max(stage_no)
		FROM event AS e
		WHERE (e.group_no, e.deal_no) = (path.group_no, path.deal_no) AND isfinite(entered_on))$$,
	'furthest_stage is the maximum');
SELECT bag_eq(
	$$SELECT group_no, deal_no, m.* FROM path, stage_moves(p) AS m$$,
	$$SELECT group_no, deal_no, (event_no - 1)::int, from_stage, stage_no, entered_on, entered_on - from_on FROM good_event WHERE event_no > 1$$,
	'stage_moves: one row for each event but the first, what lag has before it');
SELECT is_empty(
	$$SELECT group_no, deal_no
	  FROM path, LATERAL (SELECT array_agg(move_no) AS moves FROM stage_moves(p)) AS m
	  WHERE moves <> (SELECT array_agg(i) FROM generate_series(1, cardinality(moves)) AS i)$$,
	'in order');
SELECT is_empty(
	$$SELECT group_no, deal_no, stage_no, p::text
	  FROM path, generate_series(0, 7) AS stage_no
	  WHERE stage_days(p, stage_no) IS DISTINCT FROM (
		SELECT sum(left_on - entered_on)
		FROM visit AS v
		WHERE (v.group_no, v.deal_no, v.stage_no) = (path.group_no, path.deal_no, stage_no.stage_no))$$,
	'stage_days: the days of visits that another stage ended, NULL where there are none');
SELECT is_empty(
	$$SELECT group_no, deal_no
	  FROM path
	  WHERE (SELECT sum(stage_days(p, s)) FROM generate_series(1, 6) AS s) IS DISTINCT FROM (
		SELECT sum(days) FILTER (WHERE move_no <= (SELECT max(move_no) FROM stage_moves(p) WHERE from_stage <> to_stage))
		FROM stage_moves(p))$$,
	'all together they are the days until the last move to another stage');

-- a multiset: order and parts do not matter
SELECT is_empty(
	$$SELECT group_no, deal_no
	  FROM path
	  JOIN (
		SELECT group_no, deal_no, stage_path_agg(stage_no, entered_on ORDER BY fixture.random('order', seed * 1000 + COALESCE(stage_no, 0) + COALESCE(extract(day FROM NULLIF(NULLIF(entered_on, 'infinity'), '-infinity')), 0)::int)) AS shuffled
		FROM event, generate_series(1, 5) AS seed
		GROUP BY seed, group_no, deal_no
	  ) AS s USING (group_no, deal_no)
	  WHERE fixture.packed(p) <> fixture.packed(shuffled)$$,
	'the order of the rows does not matter');
SELECT is_empty(
	$$SELECT group_no, deal_no
	  FROM path
	  JOIN (
		SELECT group_no, deal_no, rollup(part) AS rolled
		FROM (
			SELECT group_no, deal_no, stage_path_agg(stage_no, entered_on) AS part
			FROM event
			GROUP BY group_no, deal_no, stage_no % 2, entered_on < '2024-01-01'
		) AS e
		GROUP BY group_no, deal_no
	  ) AS r USING (group_no, deal_no)
	  WHERE fixture.packed(p) <> fixture.packed(rolled)$$,
	'the path of a deal is the rollup of its parts, wherever they are stored');
SELECT is_empty(
	$$SELECT group_no
	  FROM (SELECT group_no, stage_path_agg(stage_no, entered_on) AS s FROM event GROUP BY group_no) AS whole
	  JOIN (SELECT group_no, rollup(p) AS r FROM path GROUP BY group_no) AS parts USING (group_no)
	  WHERE fixture.packed(s) <> fixture.packed(r)$$,
	'also when it is long');

-- the ends of what there is
SELECT results_eq(
	$$SELECT m.* FROM stage_moves((SELECT stage_path_agg(s, d) FROM (VALUES (-2147483648, date '4713-01-01 BC'), (2147483647, date '5874897-12-31'), (0, '2000-01-01'), (-1, '2000-01-01')) AS v (s, d))) AS m$$,
	$$VALUES (1, -2147483648, -1, date '2000-01-01', 2451507), (2, -1, 0, '2000-01-01', 0), (3, 0, 2147483647, '5874897-12-31', 2145031948)$$,
	'any stage number and any day');
SELECT is(furthest_stage(stage_path_agg(-5, '2024-01-01')), -5, 'a negative furthest stage');
SELECT is(
	(SELECT (event_count(p), furthest_stage(p), stage_days(p, 1)) FROM (SELECT stage_path_agg(1 + i % 3, date '2000-01-01' + i) AS p FROM generate_series(0, 99999) AS i) AS v),
	(100000::bigint, 3, 33333::bigint), 'a path of 100,000 events: 33,334 visits to stage 1, of a day each; the last has not ended');
SELECT throws_ok(
	$$SELECT count(*) FROM stage_moves('{"undated": 0, "unstaged": 0, "path": {"points": {"0,1": {"events": 9223372036854775807}, "1,1": {"events": 1}}}}'::stage_path)
	  WHERE event_count('{"undated": 0, "unstaged": 0, "path": {"points": {"0,1": {"events": 9223372036854775807}, "1,1": {"events": 1}}}}'::stage_path) > 0$$,
	'22003', 'count out of range', 'more events than can be counted are an error');

SELECT * FROM finish();
