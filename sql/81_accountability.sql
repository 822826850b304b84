-- Who does what was agreed on: action items, goals, check-ins, courses and feedback; and how much each rep is held to.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION accountability_between(first_day date, last_day date)
    RETURNS TABLE (level text, rep_id text, rep_count bigint,
                   action_open_count bigint, action_overdue_count bigint, action_due_count bigint, action_done_on_time_count bigint, action_done_count bigint,
                   feedback_given_count bigint, feedback_received_count bigint, feedback_acknowledged_count bigint, rep_with_feedback_count bigint,
                   training_due_count bigint, training_on_time_count bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH member AS (
        SELECT r.rep_id,
               m.manager_rep_id
          FROM rep r
          LEFT JOIN rep_manager m ON m.rep_id = r.rep_id
         WHERE coalesce(r.hired_on, '-infinity') <= least(accountability_between.last_day, sales_perf.as_of())
           AND coalesce(r.left_on, 'infinity') >= least(accountability_between.last_day, sales_perf.as_of())
    ),
    entity AS (
        SELECT 'rep'::text AS level, member.rep_id AS entity_id, member.rep_id AS member_rep_id FROM member
        UNION ALL
        SELECT 'manager'::text, member.manager_rep_id, member.rep_id FROM member WHERE member.manager_rep_id IS NOT NULL
        UNION ALL
        SELECT 'company'::text, NULL::text, member.rep_id FROM member
    ),
    action AS (
        SELECT a.owner_rep_id,
               count(*) FILTER (WHERE NOT a.is_done) AS open_count,
               count(*) FILTER (WHERE NOT a.is_done AND a.due_on < sales_perf.as_of()) AS overdue_count,
               count(*) FILTER (WHERE a.due_on BETWEEN accountability_between.first_day AND accountability_between.last_day
                                  AND (a.is_done OR a.due_on < sales_perf.as_of())) AS due_count,
               count(*) FILTER (WHERE a.due_on BETWEEN accountability_between.first_day AND accountability_between.last_day
                                  AND a.is_done AND a.done_on <= a.due_on) AS on_time_count,
               count(*) FILTER (WHERE a.is_done AND a.done_on BETWEEN accountability_between.first_day AND accountability_between.last_day) AS done_count
          FROM (SELECT i.owner_rep_id,
                       i.due_on,
                       i.done_on,
                       coalesce(i.done_on <= sales_perf.as_of(), false) AS is_done
                  FROM action_item i
                 WHERE i.created_on <= sales_perf.as_of()) AS a
         GROUP BY a.owner_rep_id
    ),
    training AS (
        SELECT e.rep_id,
               count(*) AS due_count,
               count(*) FILTER (WHERE e.completed_on <= e.due_on) AS on_time_count
          FROM enrolment e
         WHERE e.due_on BETWEEN accountability_between.first_day AND accountability_between.last_day
           AND (e.completed_on <= sales_perf.as_of() OR e.due_on < sales_perf.as_of())
         GROUP BY e.rep_id
    ),
    said AS MATERIALIZED (
        SELECT t.from_rep_id,
               t.to_rep_id,
               t.acknowledged_on
          FROM feedback_thread t
         WHERE t.shared_on BETWEEN accountability_between.first_day AND accountability_between.last_day
    ),
    received AS (
        SELECT s.to_rep_id,
               count(*) AS received_count,
               count(s.acknowledged_on) AS acknowledged_count
          FROM said s
         GROUP BY s.to_rep_id
    ),
    -- a manager's are those to the reps he manages
    given AS (
        SELECT 'rep'::text AS level, s.from_rep_id AS entity_id, count(*) AS given_count
          FROM said s
         GROUP BY s.from_rep_id
        UNION ALL
        SELECT 'manager'::text, s.from_rep_id, count(*)
          FROM said s
          JOIN member ON member.rep_id = s.to_rep_id AND member.manager_rep_id = s.from_rep_id
         GROUP BY s.from_rep_id
        UNION ALL
        SELECT 'company'::text, NULL::text, count(*)
          FROM said s
          JOIN member ON member.rep_id = s.from_rep_id
    )
    SELECT e.level,
           e.entity_id,
           e.rep_count,
           e.open_count,
           e.overdue_count,
           e.due_count,
           e.on_time_count,
           e.done_count,
           coalesce(g.given_count, 0),
           e.received_count,
           e.acknowledged_count,
           e.with_feedback_count,
           e.training_due_count,
           e.training_on_time_count
      FROM (SELECT entity.level,
                   entity.entity_id,
                   count(*) AS rep_count,
                   coalesce(sum(a.open_count), 0)::bigint AS open_count,
                   coalesce(sum(a.overdue_count), 0)::bigint AS overdue_count,
                   coalesce(sum(a.due_count), 0)::bigint AS due_count,
                   coalesce(sum(a.on_time_count), 0)::bigint AS on_time_count,
                   coalesce(sum(a.done_count), 0)::bigint AS done_count,
                   coalesce(sum(r.received_count), 0)::bigint AS received_count,
                   coalesce(sum(r.acknowledged_count), 0)::bigint AS acknowledged_count,
                   count(r.received_count) AS with_feedback_count,
                   coalesce(sum(l.due_count), 0)::bigint AS training_due_count,
                   coalesce(sum(l.on_time_count), 0)::bigint AS training_on_time_count
              FROM entity
              LEFT JOIN action a ON a.owner_rep_id = entity.member_rep_id
              LEFT JOIN received r ON r.to_rep_id = entity.member_rep_id
              LEFT JOIN training l ON l.rep_id = entity.member_rep_id
             GROUP BY entity.level, entity.entity_id) AS e
      LEFT JOIN given g ON g.level = e.level AND (g.entity_id = e.entity_id OR e.level = 'company');
END;

COMMENT ON FUNCTION accountability_between(date, date) IS 'Behind accountability, for any days: action items, courses and feedback of each rep employed on the last of them (or on as_of(), where that is earlier), of each manager''s reps (rep_manager) and of all (company, rep_id NULL). As of as_of(). Open and overdue items are those of as_of(), whenever they are due.';

CREATE VIEW accountability WITH (security_invoker = true) AS
SELECT a.level,
       a.rep_id,
       CASE WHEN a.level = 'company' THEN 'company' ELSE r.name END AS rep_name,
       m.team_id,
       t.name AS team_name,
       boss.manager_rep_id,
       sales_perf.as_of() - 89 AS first_day,
       sales_perf.as_of() AS last_day,
       a.rep_count,
       a.action_open_count,
       a.action_overdue_count,
       a.action_due_count,
       a.action_done_on_time_count,
       CASE WHEN a.action_due_count > 0 THEN a.action_done_on_time_count::double precision / a.action_due_count END AS action_done_on_time_rate,
       a.action_done_count,
       coalesce(g.goal_running_count, 0) AS goal_running_count,
       coalesce(g.goal_on_track_count, 0) AS goal_on_track_count,
       CASE WHEN g.goal_running_count > 0 THEN g.goal_on_track_count::double precision / g.goal_running_count END AS goals_on_track_rate,
       coalesce(g.check_in_asked_count, 0) AS check_in_asked_count,
       coalesce(g.check_in_kept_count, 0) AS check_in_kept_count,
       CASE WHEN g.check_in_asked_count > 0 THEN g.check_in_kept_count::double precision / g.check_in_asked_count END AS check_in_kept_rate,
       a.feedback_given_count,
       a.feedback_received_count,
       a.feedback_acknowledged_count,
       CASE WHEN a.feedback_received_count > 0 THEN a.feedback_acknowledged_count::double precision / a.feedback_received_count END AS feedback_acknowledged_rate,
       a.rep_with_feedback_count,
       a.rep_with_feedback_count::double precision / a.rep_count AS feedback_coverage_rate,
       a.training_due_count,
       a.training_on_time_count,
       CASE WHEN a.training_due_count > 0 THEN a.training_on_time_count::double precision / a.training_due_count END AS training_completed_rate
  FROM accountability_between(sales_perf.as_of() - 89, sales_perf.as_of()) AS a
  LEFT JOIN rep r ON r.rep_id = a.rep_id
  LEFT JOIN rep_team m ON m.rep_id = a.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
  LEFT JOIN team t ON t.team_id = m.team_id
  LEFT JOIN rep_manager boss ON boss.rep_id = a.rep_id
  LEFT JOIN (
        WITH running AS MATERIALIZED (
            SELECT p.rep_id,
                   count(*) AS running_count,
                   count(*) FILTER (WHERE p.status IN ('on_track', 'achieved')) AS on_track_count,
                   count(p.check_in_due_on) AS asked_count,
                   count(*) FILTER (WHERE NOT p.is_check_in_overdue) AS kept_count
              FROM goal_standing(ARRAY(SELECT g.goal_id
                                         FROM goal g
                                        WHERE g.level = 'rep'
                                          AND g.first_day <= sales_perf.as_of()
                                          AND g.last_day > sales_perf.as_of())) AS p
             GROUP BY p.rep_id
        )
        SELECT turn.level,
               CASE turn.level WHEN 'rep' THEN n.rep_id WHEN 'manager' THEN mine.manager_rep_id END AS entity_id,
               sum(n.running_count)::bigint AS goal_running_count,
               sum(n.on_track_count)::bigint AS goal_on_track_count,
               sum(n.asked_count)::bigint AS check_in_asked_count,
               sum(n.kept_count)::bigint AS check_in_kept_count
          FROM running n
          JOIN rep this
            ON this.rep_id = n.rep_id
           AND coalesce(this.hired_on, '-infinity') <= sales_perf.as_of()
           AND coalesce(this.left_on, 'infinity') >= sales_perf.as_of()
         CROSS JOIN (VALUES ('rep'::text), ('manager'::text), ('company'::text)) AS turn (level)
          LEFT JOIN rep_manager mine ON mine.rep_id = n.rep_id
         WHERE turn.level <> 'manager'
            OR mine.manager_rep_id IS NOT NULL
         GROUP BY 1, 2) AS g ON g.level = a.level AND (g.entity_id = a.rep_id OR a.level = 'company');

COMMENT ON VIEW accountability IS 'What came of what was agreed on, as of as_of(), for each rep who is employed, for each manager (the reps managed, by rep_manager, added up) and for the company. What is counted over days is of the 90 days up to as_of() (accountability_between() gives other days); what is open, overdue or running is of as_of(). There is no score on purpose: each part has its own rate. Filter one level.';
COMMENT ON COLUMN accountability.level IS 'company, manager or rep: filter one.';
COMMENT ON COLUMN accountability.rep_id IS 'The rep or manager; NULL for the company.';
COMMENT ON COLUMN accountability.rep_name IS 'Name of the rep or manager; company.';
COMMENT ON COLUMN accountability.team_id IS 'The team the rep or manager belongs to on the day as_of() gives; NULL: none.';
COMMENT ON COLUMN accountability.team_name IS 'Its name.';
COMMENT ON COLUMN accountability.manager_rep_id IS 'Whose manager is who (rep_manager); NULL: none.';
COMMENT ON COLUMN accountability.first_day IS 'First of the days that are counted.';
COMMENT ON COLUMN accountability.last_day IS 'Last of them.';
COMMENT ON COLUMN accountability.rep_count IS 'Reps that are counted: 1 for a rep; those managed; all who are employed. Count; S.';
COMMENT ON COLUMN accountability.action_open_count IS 'Action items that are not done. Count; S.';
COMMENT ON COLUMN accountability.action_overdue_count IS 'Of these, those due before as_of(). Count; S.';
COMMENT ON COLUMN accountability.action_due_count IS 'Action items due in the days; those due on as_of() only if done, for there is still time. Count; E.';
COMMENT ON COLUMN accountability.action_done_on_time_count IS 'Of these, those done by the day they were due. Count; E.';
COMMENT ON COLUMN accountability.action_done_on_time_rate IS 'action_done_on_time_count / action_due_count. Fraction; E; NULL where none were due.';
COMMENT ON COLUMN accountability.action_done_count IS 'Action items done in the days, whenever they were due. Count; E.';
COMMENT ON COLUMN accountability.goal_running_count IS 'Goals of the rep (of reps) that have begun and are not over. Count; S.';
COMMENT ON COLUMN accountability.goal_on_track_count IS 'Of these, those on_track or achieved (goal_progress). Count; S.';
COMMENT ON COLUMN accountability.goals_on_track_rate IS 'goal_on_track_count / goal_running_count. Fraction; S; NULL where none run.';
COMMENT ON COLUMN accountability.check_in_asked_count IS 'Running goals for which check-ins are asked for. Count; S.';
COMMENT ON COLUMN accountability.check_in_kept_count IS 'Of these, those whose check-in is not overdue. Count; S.';
COMMENT ON COLUMN accountability.check_in_kept_rate IS 'check_in_kept_count / check_in_asked_count. Fraction; S; NULL where none are asked for.';
COMMENT ON COLUMN accountability.feedback_given_count IS 'Feedback shared in the days, corrections left out: by the rep; by the manager to reps managed; by all who are employed. Count; E.';
COMMENT ON COLUMN accountability.feedback_received_count IS 'Feedback shared with the rep (with reps) in the days, by anybody, corrections left out. Count; E.';
COMMENT ON COLUMN accountability.feedback_acknowledged_count IS 'Of this, what was acknowledged by as_of(), itself or a correction of it. Count; E.';
COMMENT ON COLUMN accountability.feedback_acknowledged_rate IS 'feedback_acknowledged_count / feedback_received_count. Fraction; E; NULL where none was received.';
COMMENT ON COLUMN accountability.rep_with_feedback_count IS 'Reps with whom feedback was shared in the days. Count; E.';
COMMENT ON COLUMN accountability.feedback_coverage_rate IS 'rep_with_feedback_count / rep_count. Fraction; E.';
COMMENT ON COLUMN accountability.training_due_count IS 'Courses assigned (enrolment) that were due in the days; those due on as_of() only if completed. Count; E.';
COMMENT ON COLUMN accountability.training_on_time_count IS 'Of these, those completed by the day they were due. Count; E.';
COMMENT ON COLUMN accountability.training_completed_rate IS 'training_on_time_count / training_due_count. Fraction; E; NULL where none were due.';

CREATE VIEW metric_load WITH (security_invoker = true) AS
SELECT n.rep_id,
       n.rep_name,
       n.team_id,
       t.name AS team_name,
       n.goal_count,
       n.alert_kpi_count,
       n.has_quota,
       n.goal_count + n.alert_kpi_count + n.has_quota::integer AS metric_load_count,
       n.metric_limit,
       limited.name AS limit_team_name,
       n.goal_count + n.alert_kpi_count + n.has_quota::integer > n.metric_limit AS is_over_limit,
       concat(n.rep_name, ' is held to ', n.goal_count + n.alert_kpi_count + n.has_quota::integer,
              CASE WHEN n.goal_count + n.alert_kpi_count + n.has_quota::integer = 1 THEN ' metric (' ELSE ' metrics (' END,
              n.goal_count, CASE WHEN n.goal_count = 1 THEN ' running goal, ' ELSE ' running goals, ' END,
              n.alert_kpi_count, CASE WHEN n.alert_kpi_count = 1 THEN ' more KPI with an alert, ' ELSE ' more KPIs with alerts, ' END,
              CASE WHEN n.has_quota THEN 'a quota' ELSE 'no quota' END, '): ',
              CASE
                  WHEN n.goal_count + n.alert_kpi_count + n.has_quota::integer > n.metric_limit
                  THEN (n.goal_count + n.alert_kpi_count + n.has_quota::integer - n.metric_limit) || ' more than the limit of '
                  ELSE 'within the limit of '
              END,
              n.metric_limit, CASE WHEN limited.name IS NOT NULL THEN ' of team ' || limited.name WHEN n.is_set THEN ' for all teams' ELSE ' that holds where none is set' END, '.') AS summary_text
  FROM (SELECT r.rep_id,
               r.name AS rep_name,
               m.team_id,
               (SELECT count(*)
                  FROM goal g
                 WHERE g.rep_id = r.rep_id
                   AND sales_perf.as_of() BETWEEN g.first_day AND g.last_day) AS goal_count,
               (SELECT count(DISTINCT rule.kpi_code)
                  FROM alert_rule rule
                 WHERE rule.is_active
                   AND rule.level = 'rep'
                   AND (rule.entity_id IS NULL OR rule.entity_id = r.rep_id)
                   AND NOT EXISTS (SELECT
                                     FROM goal g
                                    WHERE g.rep_id = r.rep_id
                                      AND g.kpi_code = rule.kpi_code
                                      AND sales_perf.as_of() BETWEEN g.first_day AND g.last_day)) AS alert_kpi_count,
               EXISTS (SELECT
                         FROM quota q
                        WHERE q.rep_id = r.rep_id
                          AND sales_perf.as_of() BETWEEN q.first_day AND q.last_day) AS has_quota,
               coalesce(nearest.metric_count, 5) AS metric_limit,
               nearest.team_id AS limit_team_id,
               nearest.metric_count IS NOT NULL AS is_set
          FROM rep r
          LEFT JOIN rep_team m ON m.rep_id = r.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
          -- by team, not by rep: the tree is made once
          LEFT JOIN (SELECT DISTINCT ON (this.team_id)
                            this.team_id AS member_team_id,
                            l.team_id,
                            l.metric_count
                       FROM (SELECT team_id FROM team UNION ALL SELECT NULL) AS this
                       JOIN (SELECT x.member_team_id, x.team_id, count(*) AS depth
                               FROM team_tree x
                               JOIN team_tree above ON above.member_team_id = x.team_id
                              GROUP BY x.member_team_id, x.team_id
                             UNION ALL
                             SELECT team_id, NULL, 0 FROM team
                             UNION ALL
                             SELECT NULL, NULL, 0) AS place ON coalesce('t' || place.member_team_id, '') = coalesce('t' || this.team_id, '')
                       JOIN metric_limit l ON coalesce('t' || l.team_id, '') = coalesce('t' || place.team_id, '')
                      ORDER BY this.team_id, place.depth DESC) AS nearest ON coalesce('t' || nearest.member_team_id, '') = coalesce('t' || m.team_id, '')
         WHERE coalesce(r.hired_on, '-infinity') <= sales_perf.as_of()
           AND coalesce(r.left_on, 'infinity') >= sales_perf.as_of()) AS n
  LEFT JOIN team t ON t.team_id = n.team_id
  LEFT JOIN team limited ON limited.team_id = n.limit_team_id;

COMMENT ON VIEW metric_load IS 'How many KPIs and goals each rep who is employed is held to as of as_of(), against a limit. Each running goal of the rep is one; each KPI of an active alert rule for the rep or for all reps is one, unless a running goal of the rep is on it; having a quota is one. Limit: that of the rep''s team in metric_limit, or of the nearest team above it that has one; else the one for all teams; else 5.';
COMMENT ON COLUMN metric_load.rep_id IS 'The rep.';
COMMENT ON COLUMN metric_load.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN metric_load.team_id IS 'The rep''s team on the day as_of() gives; NULL: none.';
COMMENT ON COLUMN metric_load.team_name IS 'Its name.';
COMMENT ON COLUMN metric_load.goal_count IS 'Goals of the rep that run on the day as_of() gives. Count; S.';
COMMENT ON COLUMN metric_load.alert_kpi_count IS 'KPIs of active alert rules for the rep or for all reps, on which the rep has no running goal. Count; S.';
COMMENT ON COLUMN metric_load.has_quota IS 'True where the rep has a quota on that day.';
COMMENT ON COLUMN metric_load.metric_load_count IS 'goal_count + alert_kpi_count + 1 if has_quota. Count; S.';
COMMENT ON COLUMN metric_load.metric_limit IS 'How many are to be the most. Count.';
COMMENT ON COLUMN metric_load.limit_team_name IS 'The team the limit was set for; NULL: for all, or none is set.';
COMMENT ON COLUMN metric_load.is_over_limit IS 'True where metric_load_count is above metric_limit.';
COMMENT ON COLUMN metric_load.summary_text IS 'All of this in plain words.';

SET LOCAL search_path = sales_perf, pg_temp;
