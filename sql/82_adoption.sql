-- Whether people take part: check in, acknowledge, act and look in; and the trace that looking in leaves.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION log_view(report text, tool text DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE
BEGIN ATOMIC
    INSERT INTO view_log (report, tool)
    VALUES (log_view.report, log_view.tool);
END;

COMMENT ON FUNCTION log_view(text, text) IS 'Writes down that whoever is logged in looks at a report: for tools, which call it when they show one. report is a view''s name, or what the tool calls it.';

CREATE FUNCTION report(report text) RETURNS SETOF jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT
                     FROM pg_class c
                    WHERE c.relname = report.report COLLATE "C"
                      AND c.relkind = 'v'
                      AND c.relnamespace = (SELECT l.relnamespace FROM pg_class l WHERE l.oid = 'view_log'::regclass)) THEN
        RAISE EXCEPTION 'there is no report "%"', report.report
            USING ERRCODE = 'undefined_table',
                  HINT = 'Reports are the views of the mart: '
                         || (SELECT string_agg(c.relname, ', ' ORDER BY c.relname COLLATE "C")
                               FROM pg_class c
                              WHERE c.relkind = 'v'
                                AND c.relnamespace = (SELECT l.relnamespace FROM pg_class l WHERE l.oid = 'view_log'::regclass)) || '.';
    END IF;

    INSERT INTO view_log (report)
    VALUES (report.report);
    RETURN QUERY EXECUTE format('SELECT to_jsonb(report_row) FROM %I AS report_row', report.report);
END
$$;

COMMENT ON FUNCTION report(text) IS 'The rows of a view of the mart, as JSON, and a row in view_log that it was looked at. With the rights of whoever asks, who needs INSERT on view_log.';

CREATE VIEW adoption WITH (security_invoker = true) AS
WITH member AS MATERIALIZED (
    SELECT r.rep_id,
           r.login
      FROM rep r
     WHERE coalesce(r.hired_on, '-infinity') <= sales_perf.as_of()
       AND coalesce(r.left_on, 'infinity') >= sales_perf.as_of()
),
-- one row for each rep who was asked to do something, and whether it was done
asked AS MATERIALIZED (
    SELECT 'check_in'::text AS practice,
           g.rep_id,
           bool_or(said.in_days) AS is_done
      FROM goal g
     CROSS JOIN LATERAL (
            SELECT coalesce(bool_or(c.checked_on > sales_perf.as_of() - 28 AND (c.author_rep_id = g.rep_id OR c.author_rep_id IS NULL)), false) AS in_days,
                   max(c.checked_on) FILTER (WHERE c.checked_on <= sales_perf.as_of() - 28) AS before_on
              FROM check_in c
             WHERE c.goal_id = g.goal_id
               AND c.checked_on <= sales_perf.as_of()) AS said
     WHERE g.level = 'rep'
       AND g.first_day <= sales_perf.as_of()
       AND g.last_day > sales_perf.as_of() - 28
       AND (said.in_days
            OR greatest(said.before_on, g.first_day) + g.check_in_every_days < least(sales_perf.as_of(), g.last_day + 1))
     GROUP BY g.rep_id
    UNION ALL
    SELECT 'acknowledge'::text,
           f.to_rep_id,
           bool_or(f.acknowledged_on IS NOT NULL)
      FROM feedback_thread f
     WHERE f.shared_on > sales_perf.as_of() - 28
     GROUP BY f.to_rep_id
    UNION ALL
    SELECT 'action_item'::text,
           a.owner_rep_id,
           bool_or(a.done_on IS NOT NULL)
      FROM (SELECT i.owner_rep_id,
                   i.due_on,
                   CASE WHEN i.done_on <= sales_perf.as_of() THEN i.done_on END AS done_on
              FROM action_item i
             WHERE i.created_on <= sales_perf.as_of()) AS a
     WHERE a.done_on > sales_perf.as_of() - 28
        OR a.done_on IS NULL AND a.due_on < sales_perf.as_of()
     GROUP BY a.owner_rep_id
    UNION ALL
    SELECT 'look_in'::text,
           m.rep_id,
           EXISTS (SELECT
                     FROM view_log v
                    WHERE v.login = m.login
                      AND v.viewed_at >= sales_perf.as_of() - 27
                      AND v.viewed_at < sales_perf.as_of() + 1)
      FROM member m
     WHERE m.login IS NOT NULL
),
entity AS MATERIALIZED (
    SELECT 'company'::text AS level,
           NULL::text AS team_id,
           'company'::text AS entity_name,
           m.rep_id
      FROM member m
    UNION ALL
    SELECT 'team'::text,
           t.team_id,
           t.name,
           m.rep_id
      FROM team t
      JOIN team_rep belongs ON belongs.team_id = t.team_id AND sales_perf.as_of() BETWEEN belongs.valid_from AND belongs.valid_to
      JOIN member m ON m.rep_id = belongs.rep_id
)
SELECT n.level,
       n.team_id,
       CASE WHEN n.level = 'team' THEN n.entity_name END AS team_name,
       n.practice,
       sales_perf.as_of() - 27 AS first_day,
       sales_perf.as_of() AS last_day,
       n.rep_count,
       n.asked_count,
       n.done_count,
       CASE WHEN n.asked_count > 0 THEN n.done_count::double precision / n.asked_count END AS adoption_rate,
       CASE WHEN n.asked_count >= 3 THEN 2 * n.done_count < n.asked_count END AS is_not_taken_up,
       concat('In the 28 days up to ', sales_perf.as_of(), ' ',
              CASE WHEN n.asked_count = 0 THEN 'none' ELSE n.done_count::text END, ' of ', CASE WHEN n.asked_count = 0 THEN n.rep_count ELSE n.asked_count END,
              CASE WHEN n.level = 'company' THEN ' reps of the company ' ELSE ' reps of team ' || n.entity_name || ' ' END,
              CASE WHEN n.asked_count > 0 THEN 'who ' END, n.asked_text,
              CASE WHEN n.asked_count > 0 THEN concat(' ', n.done_text, ' (', in_words(n.done_count::numeric / n.asked_count, 'fraction'), ')') END,
              CASE
                  WHEN n.asked_count = 0 THEN '.'
                  WHEN n.asked_count < 3 THEN ': not enough data, with fewer than 3 people, to say whether it is taken up.'
                  WHEN 2 * n.done_count < n.asked_count THEN ': not taken up, for under half of 3 or more people did.'
                  ELSE ': taken up, for half or more did.'
              END) AS summary_text
  FROM (SELECT e.level,
               e.team_id,
               e.entity_name,
               practice.code AS practice,
               practice.asked_text,
               practice.done_text,
               count(*) AS rep_count,
               count(a.rep_id) AS asked_count,
               count(*) FILTER (WHERE a.is_done) AS done_count
          FROM entity e
         CROSS JOIN (VALUES ('check_in'::text, 'had a check-in due or made one'::text, 'checked in'::text),
                            ('acknowledge', 'were given feedback', 'acknowledged some of it'),
                            ('action_item', 'had an action item due or did one', 'did one'),
                            ('look_in', 'have a login', 'looked at a report')) AS practice (code, asked_text, done_text)
          LEFT JOIN asked a ON a.practice = practice.code AND a.rep_id = e.rep_id
         GROUP BY e.level, e.team_id, e.entity_name, practice.code, practice.asked_text, practice.done_text) AS n;

COMMENT ON VIEW adoption IS 'Who of the reps takes part, in the 28 days up to as_of(), for the company and each team (with the teams below it), one row for each practice. check_in: reps who made a check-in on a goal of theirs, of those who did or had one due before as_of(), while the goal ran, and not made by then. acknowledge: who acknowledged feedback, of those given any in the days. action_item: who did one in the days, of those who did or have one overdue. look_in: who looked at a report (view_log), of those with a login. Only reps who are employed. Not taken up: asked of 3 or more, and under half did. Filter one level.';
COMMENT ON COLUMN adoption.level IS 'company or team (with the teams below it): filter one.';
COMMENT ON COLUMN adoption.team_id IS 'The team; NULL for the company.';
COMMENT ON COLUMN adoption.team_name IS 'Its name; NULL for the company.';
COMMENT ON COLUMN adoption.practice IS 'check_in, acknowledge, action_item or look_in.';
COMMENT ON COLUMN adoption.first_day IS 'First of the 28 days.';
COMMENT ON COLUMN adoption.last_day IS 'Last of them: as_of().';
COMMENT ON COLUMN adoption.rep_count IS 'Reps who are employed, in the team, on the day as_of() gives. Count; S.';
COMMENT ON COLUMN adoption.asked_count IS 'Of these, those who were asked to do it. Count; E.';
COMMENT ON COLUMN adoption.done_count IS 'Of these, those who did. Count; E.';
COMMENT ON COLUMN adoption.adoption_rate IS 'done_count / asked_count. Fraction; E; NULL where nobody was asked.';
COMMENT ON COLUMN adoption.is_not_taken_up IS 'True where 3 or more were asked and under half did; NULL: fewer than 3 were asked.';
COMMENT ON COLUMN adoption.summary_text IS 'All of this in plain words.';

SET LOCAL search_path = sales_perf, pg_temp;
