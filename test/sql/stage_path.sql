-- stage_path: the way of a deal through the stages
SET search_path = public, sales_perf;

CREATE TABLE path_event (stage_no int, entered_on date);
INSERT INTO path_event VALUES
(3, '2024-01-10'), (1, '2024-01-01'), (2, '2024-01-10'), (2, '2024-01-20'), (2, '2024-01-25'), (2, '2024-01-25'), (1, '2024-02-01'),
(NULL, '2024-01-01'), (1, NULL), (4, 'infinity'), (4, '-infinity'), (NULL, NULL);

SELECT stage_path_agg(stage_no, entered_on) FROM path_event;
SELECT stage_path_agg(stage_no, entered_on) FROM path_event WHERE false;
SELECT event_count(p), undated_count(p), unstaged_count(p), furthest_stage(p)
FROM (SELECT stage_path_agg(stage_no, entered_on) AS p FROM path_event) AS d;
SELECT stage_no, stage_days(p, stage_no) FROM (SELECT stage_path_agg(stage_no, entered_on) AS p FROM path_event) AS d, generate_series(0, 4) AS stage_no;
SELECT m.* FROM (SELECT stage_path_agg(stage_no, entered_on) AS p FROM path_event) AS d, stage_moves(p) AS m;

-- of no events
SELECT event_count(p), furthest_stage(p), stage_days(p, 1), (SELECT count(*) FROM stage_moves(p)) AS moves
FROM (SELECT stage_path_agg(NULL, '2024-01-01') AS p) AS d;
SELECT furthest_stage(NULL), stage_days(NULL, 1), stage_days(stage_path_agg(1, '2024-01-01'), NULL), (SELECT count(*) FROM stage_moves(NULL)) AS moves;

-- operators
SELECT a + b = b + a AS commutes, (a + b) - b = a AS inverts, a + b AS both, is_valid(a - b) AS "taken from what never had it"
FROM (SELECT stage_path_agg(1, '2024-01-01') AS a, stage_path_agg(2, '2024-01-05') AS b) AS d;
SELECT furthest_stage(- p), event_count(- p), undated_count(- p), unstaged_count(- p), stage_days(- p, 1), (SELECT count(*) FROM stage_moves(- p)) AS moves
FROM (SELECT stage_path_agg(stage_no, entered_on) AS p FROM path_event) AS d;

-- input
SELECT '{"undated": 0, "unstaged": 0, "path": {"points": {"8766,1": {"events": 1}}}}'::stage_path = stage_path_agg(1, '2024-01-01') AS same;
SELECT is_valid('{"undated": 0, "unstaged": 0, "path": {"points": {"-2147483648,1": {"events": 1}}}}'::stage_path) AS "before all days";
SELECT is_valid('{"undated": 0, "unstaged": 0, "path": {"points": {"2147483647,1": {"events": 1}}}}'::stage_path) AS "after all days";
SELECT is_valid('{"undated": 0, "unstaged": 0, "path": {"points": {"0,1": {"events": -1}}}}'::stage_path) AS "less than none";
SELECT '{"undated": 0, "unstaged": 0, "path": {"points": {"8766": {"events": 1}}}}'::stage_path;
SELECT '{"undated": 0, "unstaged": 0, "path": {"points": {"8766,x": {"events": 1}}}}'::stage_path;
SELECT '{"undated": 0, "unstaged": 0, "path": {"points": {"8766,4294967296": {"events": 1}}}}'::stage_path;
SELECT '{"undated": 0, "unstaged": 0, "path": {}}'::stage_path;
SELECT '{"undated": 0, "unstaged": 0}'::stage_path;
DROP TABLE path_event;
