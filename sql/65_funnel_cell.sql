-- Cells of the ways that deals took through the stages of their pipeline: by the period they were opened in (cohort
-- attribution), of each rep, of the company and each team.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- read from the deals

-- The stages of a deal's own pipeline that it was in. What is only assumed of a deal that came
-- without its history (stage_event.is_assumed) is not known, and left out.
CREATE VIEW deal_path WITH (security_invoker = true) AS
SELECT d.deal_id,
       d.pipeline_id,
       d.rep_id,
       d.opened_on,
       d.outcome,
       d.closed_on,
       p.path
  FROM deal_as_of d
  LEFT JOIN (SELECT e.deal_id,
                    s.pipeline_id,
                    sales_perf.stage_path_agg(s.stage_no, e.entered_on) AS path
               FROM stage_event e
               JOIN stage s ON s.stage_id = e.stage_id
              WHERE e.entered_on <= sales_perf.as_of()
                AND NOT e.is_assumed
                AND s.is_open
              GROUP BY e.deal_id, s.pipeline_id) AS p ON p.deal_id = d.deal_id AND p.pipeline_id = d.pipeline_id;

COMMENT ON VIEW deal_path IS 'The deals of deal_as_of with their way through the open stages of their pipeline up to as_of().';
COMMENT ON COLUMN deal_path.deal_id IS 'Key of the deal.';
COMMENT ON COLUMN deal_path.pipeline_id IS 'The pipeline the deal goes through.';
COMMENT ON COLUMN deal_path.rep_id IS 'The rep who owned the deal; NULL: nobody.';
COMMENT ON COLUMN deal_path.opened_on IS 'The day it was opened; NULL: not known.';
COMMENT ON COLUMN deal_path.outcome IS 'won, lost or open.';
COMMENT ON COLUMN deal_path.closed_on IS 'The day it had been won or lost; NULL for a deal that was open.';
COMMENT ON COLUMN deal_path.path IS 'stage_path of its stage events; NULL: none is known.';

-- Of the deals of a period each looks up its own events; of all deals the events are read in one go.
CREATE VIEW rep_funnel_live_cell WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       e.rep_id,
       e.pipeline_id,
       e.summary,
       e.team_id
  FROM period p
 CROSS JOIN LATERAL (
        SELECT d.rep_id,
               d.pipeline_id,
               member.team_id,
               sales_perf.funnel_agg(way.path, d.outcome, d.closed_on) AS summary
          FROM deal_as_of d
          LEFT JOIN rep_team member ON member.rep_id = d.rep_id AND d.opened_on BETWEEN member.valid_from AND member.valid_to
         CROSS JOIN LATERAL (
                -- FILTER: the open stages are put into one hash table for all deals, not into one for each
                SELECT sales_perf.stage_path_agg(s.stage_no, e.entered_on) FILTER (WHERE s.pipeline_id = d.pipeline_id) AS path
                  FROM stage_event e
                  JOIN stage s ON s.stage_id = e.stage_id
                 WHERE e.deal_id = d.deal_id
                   AND e.entered_on <= sales_perf.as_of()
                   AND NOT e.is_assumed
                   AND s.is_open) AS way
         WHERE d.opened_on BETWEEN p.period_start AND p.period_end
         GROUP BY d.rep_id, d.pipeline_id, member.team_id) AS e
UNION ALL
SELECT 'all'::text,
       r.first_day,
       r.last_day,
       'all'::text,
       true,
       e.rep_id,
       e.pipeline_id,
       e.summary,
       e.team_id
  FROM report_range r
 CROSS JOIN (SELECT d.rep_id,
                    d.pipeline_id,
                    member.team_id,
                    sales_perf.funnel_agg(d.path, d.outcome, d.closed_on) AS summary
               FROM deal_path d
               -- a deal whose day of opening is not known: by the team of as_of()
               LEFT JOIN rep_team member ON member.rep_id = d.rep_id AND coalesce(d.opened_on, sales_perf.as_of()) BETWEEN member.valid_from AND member.valid_to
              GROUP BY d.rep_id, d.pipeline_id, member.team_id) AS e;

COMMENT ON VIEW rep_funnel_live_cell IS 'Read from the deals: with their ways through the stages by the period they were opened in, pipeline, rep and the rep''s team on that day; and, of grain all, every deal. Attribution R.';

-- ---------------------------------------------------------------- stored, where rollups are maintained

CREATE TABLE rollup_way (
    rep_id       text,
    pipeline_id  text,
    on_date      date,
    summary      sales_perf.funnel_summary
);

CREATE UNIQUE INDEX rollup_way_key ON rollup_way (rep_id, on_date, pipeline_id) NULLS NOT DISTINCT;
CREATE INDEX rollup_way_on_date_idx ON rollup_way (on_date);

COMMENT ON TABLE rollup_way IS 'The ways of deals through stages, stored: of the deals of a rep in a pipeline that were opened in eight days of a month (the first, second, third eight, and the rest), or in the part of these in which the rep was in one team. Written by fold_rollup().';
COMMENT ON COLUMN rollup_way.rep_id IS 'The rep; NULL: nobody.';
COMMENT ON COLUMN rollup_way.pipeline_id IS 'The pipeline; NULL: none.';
COMMENT ON COLUMN rollup_way.on_date IS 'First of the days, or of the rep''s days in a team; NULL: opened on a day that is not known.';
COMMENT ON COLUMN rollup_way.summary IS 'funnel_summary of the deals.';

ALTER TABLE rollup_way ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_way_visible ON rollup_way USING ((SELECT NOT rollup_report_is_hidden()));

-- What a rep opened in a pipeline in so many days is derived as a whole, so that nothing needs to be kept of single deals:
-- fewer days are more cells to store and to add up, more days are more deals to derive when one of them is touched.
CREATE VIEW rollup_way_days WITH (security_invoker = true) AS
SELECT on_date,
       fiscal_period_start + (on_date - fiscal_period_start) / 8 * 8 AS first_day,
       least(fiscal_period_start + (on_date - fiscal_period_start) / 8 * 8 + 7, fiscal_period_end) AS last_day
  FROM calendar
 WHERE region = '';

COMMENT ON VIEW rollup_way_days IS 'The days whose deals are in one cell of rollup_way, for each day of calendar. Other days are by themselves.';
COMMENT ON COLUMN rollup_way_days.on_date IS 'The day.';
COMMENT ON COLUMN rollup_way_days.first_day IS 'The first of the days it is among.';
COMMENT ON COLUMN rollup_way_days.last_day IS 'The last of them.';

-- Of rows as they are now, up to a day: not as of it, as a row that is corrected today was wrong all along.
CREATE FUNCTION rollup_way_difference(rep_ids text[], pipeline_ids text[], days date[], to_day date)
    RETURNS TABLE (rep_id text, pipeline_id text, on_date date, summary sales_perf.funnel_summary)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH touched AS MATERIALIZED (
        SELECT DISTINCT
               e.rep_id,
               e.pipeline_id,
               coalesce(k.first_day, e.on_date) AS from_day,
               coalesce(k.last_day, e.on_date) AS until_day
          FROM (SELECT t.rep_id, t.pipeline_id, t.on_date
                  FROM unnest(rep_ids, pipeline_ids, days) AS t (rep_id, pipeline_id, on_date)
                UNION ALL
                SELECT DISTINCT d.rep_id, d.pipeline_id, d.opened_on
                  FROM deal d
                 WHERE rep_ids IS NULL) AS e
          LEFT JOIN rollup_way_days k ON k.on_date = e.on_date
    ),
    -- in three parts, each of which an index serves
    touched_deal AS (
        SELECT t.rep_id, t.pipeline_id, d.deal_id, d.opened_on, d.closed_on, d.outcome
          FROM touched t
          JOIN deal d ON d.rep_id = t.rep_id AND d.opened_on BETWEEN t.from_day AND t.until_day
         WHERE d.pipeline_id IS NOT DISTINCT FROM t.pipeline_id
        UNION ALL
        SELECT t.rep_id, t.pipeline_id, d.deal_id, d.opened_on, d.closed_on, d.outcome
          FROM touched t
          JOIN deal d ON d.rep_id IS NULL AND d.opened_on BETWEEN t.from_day AND t.until_day
         WHERE t.rep_id IS NULL
           AND d.pipeline_id IS NOT DISTINCT FROM t.pipeline_id
        UNION ALL
        SELECT t.rep_id, t.pipeline_id, d.deal_id, d.opened_on, d.closed_on, d.outcome
          FROM touched t
          JOIN deal d ON d.opened_on IS NULL
         WHERE t.from_day IS NULL
           AND d.rep_id IS NOT DISTINCT FROM t.rep_id
           AND d.pipeline_id IS NOT DISTINCT FROM t.pipeline_id
    ),
    wanted AS (
        SELECT d.rep_id,
               d.pipeline_id,
               greatest(coalesce(k.first_day, d.opened_on), b.first_day) AS on_date,
               sales_perf.funnel_agg(way.path,
                                     CASE WHEN is_closed THEN d.outcome ELSE 'open' END,
                                     CASE WHEN is_closed THEN d.closed_on END) AS summary
          FROM touched_deal d
          LEFT JOIN rollup_way_days k ON k.on_date = d.opened_on
          LEFT JOIN rollup_boundary b ON b.rep_id = d.rep_id AND d.opened_on BETWEEN b.first_day AND b.last_day
         CROSS JOIN LATERAL (SELECT coalesce(d.outcome IN ('won', 'lost'), false) AND (d.closed_on <= to_day OR d.closed_on IS NULL) AS is_closed) AS state
         CROSS JOIN LATERAL (
                SELECT sales_perf.stage_path_agg(s.stage_no, e.entered_on) FILTER (WHERE s.pipeline_id = d.pipeline_id) AS path
                  FROM stage_event e
                  JOIN stage s ON s.stage_id = e.stage_id
                 WHERE e.deal_id = d.deal_id
                   AND e.entered_on <= to_day
                   AND NOT e.is_assumed
                   AND s.is_open) AS way
         WHERE d.opened_on <= to_day
            OR d.opened_on IS NULL
         GROUP BY d.rep_id, d.pipeline_id, 3
    ),
    compared AS (
        SELECT e.rep_id, e.pipeline_id, e.on_date,
               coalesce(sales_perf.rollup(e.wanted_summary), sales_perf.funnel_agg(NULL, 'open', NULL) FILTER (WHERE false)) AS wanted_summary,
               coalesce(sales_perf.rollup(e.stored_summary), sales_perf.funnel_agg(NULL, 'open', NULL) FILTER (WHERE false)) AS stored_summary
          FROM (SELECT w.rep_id, w.pipeline_id, w.on_date, w.summary AS wanted_summary, NULL::sales_perf.funnel_summary AS stored_summary
                  FROM wanted w
                UNION ALL
                SELECT r.rep_id, r.pipeline_id, r.on_date, NULL, r.summary
                  FROM touched t
                  -- by what can be hashed first
                  JOIN rollup_way r ON coalesce(r.rep_id, '') = coalesce(t.rep_id, '')
                                   AND r.rep_id IS NOT DISTINCT FROM t.rep_id
                                   AND r.pipeline_id IS NOT DISTINCT FROM t.pipeline_id
                                   AND (r.on_date BETWEEN t.from_day AND t.until_day OR r.on_date IS NULL AND t.from_day IS NULL)) AS e
         GROUP BY e.rep_id, e.pipeline_id, e.on_date
    )
    SELECT c.rep_id, c.pipeline_id, c.on_date, c.wanted_summary OPERATOR(sales_perf.-) c.stored_summary
      FROM compared c
     WHERE c.wanted_summary OPERATOR(sales_perf.<>) c.stored_summary;
END;

COMMENT ON FUNCTION rollup_way_difference(text[], text[], date[], date) IS 'What the deals of some reps, in some pipelines, opened on some days (side by side; NULL: all) or others of the same cell come to up to a day, less what is stored of them.';

CREATE VIEW rollup_touched_way WITH (security_invoker = true) AS
SELECT rep_id,
       pipeline_id,
       on_date AS opened_on,
       NULL::date AS from_day
  FROM rollup_touched
 WHERE kind = 'opened'
UNION ALL
SELECT rep_id,
       pipeline_id,
       on_date,
       NULL::date
  FROM rollup_delta
 WHERE cell = 'opened'
UNION ALL
SELECT d.rep_id,
       d.pipeline_id,
       d.opened_on,
       t.on_date
  FROM rollup_touched t
  JOIN deal d ON d.deal_id = t.subject_id
 WHERE t.kind = 'way';

COMMENT ON VIEW rollup_touched_way IS 'The deals, by rep, pipeline and day of opening, whose ways are to be derived anew: by rollup_touched, and by what changes of deals have appended to rollup_delta.';
COMMENT ON COLUMN rollup_touched_way.rep_id IS 'The rep; NULL: nobody.';
COMMENT ON COLUMN rollup_touched_way.pipeline_id IS 'The pipeline; NULL: none.';
COMMENT ON COLUMN rollup_touched_way.opened_on IS 'The day of opening; NULL: not known.';
COMMENT ON COLUMN rollup_touched_way.from_day IS 'The day from which on; NULL: at once.';

CREATE FUNCTION rollup_touched_ways(to_day date)
    RETURNS TABLE (rep_ids text[], pipeline_ids text[], days date[])
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg(t.rep_id), array_agg(t.pipeline_id), array_agg(t.opened_on)
      FROM (SELECT DISTINCT w.rep_id, w.pipeline_id, w.opened_on
              FROM rollup_touched_way w
             WHERE w.from_day IS NULL
                OR w.from_day <= to_day) AS t;
END;

COMMENT ON FUNCTION rollup_touched_ways(date) IS 'The reps, pipelines and days of opening, side by side, whose deals'' ways are to be derived anew on a day; NULL: none.';

CREATE FUNCTION way_unfolded_cell()
    RETURNS TABLE (rep_id text, pipeline_id text, on_date date, summary sales_perf.funnel_summary)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET plan_cache_mode = force_custom_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    rep_ids text[];
    pipeline_ids text[];
    days date[];
BEGIN
    IF NOT rollup_subject_serves('way') THEN
        RETURN QUERY
            SELECT d.rep_id,
                   d.pipeline_id,
                   d.opened_on,
                   sales_perf.funnel_agg(d.path, d.outcome, d.closed_on)
              FROM deal_path d
             GROUP BY d.rep_id, d.pipeline_id, d.opened_on;
        RETURN;
    END IF;
    SELECT t.rep_ids, t.pipeline_ids, t.days
      INTO rep_ids, pipeline_ids, days
      FROM rollup_touched_ways(sales_perf.as_of()) t;
    IF rep_ids IS NOT NULL THEN
        RETURN QUERY SELECT * FROM rollup_way_difference(rep_ids, pipeline_ids, days, sales_perf.as_of());
    END IF;
END
$$;

COMMENT ON FUNCTION way_unfolded_cell() IS 'Of the ways of deals what rollup_way does not hold: what is to be added for deals that were touched since; all, where it does not serve.';

CREATE VIEW way_cell WITH (security_invoker = true) AS
SELECT rep_id,
       pipeline_id,
       on_date,
       summary
  FROM rollup_way
 WHERE (SELECT rollup_subject_serves('way'))
UNION ALL
SELECT rep_id,
       pipeline_id,
       on_date,
       summary
  FROM way_unfolded_cell();

COMMENT ON VIEW way_cell IS 'The rows of rollup_way, and what is to be added for deals that were touched since they were stored.';
COMMENT ON COLUMN way_cell.rep_id IS 'The rep; NULL: nobody.';
COMMENT ON COLUMN way_cell.pipeline_id IS 'The pipeline; NULL: none.';
COMMENT ON COLUMN way_cell.on_date IS 'A day from which on all its deals lie within one month and one team of the rep; NULL: not known.';
COMMENT ON COLUMN way_cell.summary IS 'funnel_summary of the deals, or what it is to be added to.';

-- Each period chooses its rows by their index.
CREATE VIEW rep_funnel_rollup_cell WITH (security_invoker = true) AS
SELECT e.grain,
       e.period_start,
       e.period_end,
       e.period_label,
       e.is_complete,
       e.rep_id,
       e.pipeline_id,
       e.summary,
       e.team_id
  FROM (SELECT p.grain,
               p.period_start,
               p.period_end,
               p.period_label,
               p.is_complete,
               of_period.rep_id,
               of_period.pipeline_id,
               of_period.summary,
               of_period.team_id
          FROM period p
         CROSS JOIN LATERAL (
                SELECT w.rep_id,
                       w.pipeline_id,
                       member.team_id,
                       sales_perf.rollup(w.summary) AS summary
                  FROM way_cell w
                  LEFT JOIN rep_team member ON member.rep_id = w.rep_id AND w.on_date BETWEEN member.valid_from AND member.valid_to
                 WHERE w.on_date BETWEEN p.period_start AND p.period_end
                 GROUP BY w.rep_id, w.pipeline_id, member.team_id) AS of_period
        UNION ALL
        SELECT 'all'::text,
               r.first_day,
               r.last_day,
               'all'::text,
               true,
               of_all.rep_id,
               of_all.pipeline_id,
               of_all.summary,
               of_all.team_id
          FROM report_range r
         CROSS JOIN (SELECT w.rep_id,
                            w.pipeline_id,
                            member.team_id,
                            sales_perf.rollup(w.summary) AS summary
                       FROM way_cell w
                       LEFT JOIN rep_team member ON member.rep_id = w.rep_id AND coalesce(w.on_date, sales_perf.as_of()) BETWEEN member.valid_from AND member.valid_to
                      GROUP BY w.rep_id, w.pipeline_id, member.team_id) AS of_all) AS e
 -- whose deals are gone
 WHERE sales_perf.deal_count(e.summary) > 0;

COMMENT ON VIEW rep_funnel_rollup_cell IS 'From rollups: deals with their ways through the stages by the period they were opened in, pipeline, rep and the rep''s team on that day; and, of grain all, every deal. Attribution R.';

-- ---------------------------------------------------------------- what reports read

CREATE VIEW rep_funnel_cell WITH (security_invoker = true) AS
SELECT grain,
       period_start,
       period_end,
       period_label,
       is_complete,
       rep_id,
       pipeline_id,
       summary,
       team_id
  FROM (SELECT false AS is_of_rollup,
               c.*
          FROM rep_funnel_live_cell c
        UNION ALL
        SELECT true,
               c.*
          FROM rep_funnel_rollup_cell c) AS cell
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW rep_funnel_cell IS 'Deals with their ways through the stages by the period they were opened in, pipeline, rep and the rep''s team on that day; and, of grain all, every deal. From rollups where they are maintained. Attribution R.';
COMMENT ON COLUMN rep_funnel_cell.grain IS 'month, quarter, year or all: filter one.';
COMMENT ON COLUMN rep_funnel_cell.period_start IS 'First day of the period in which the deals were opened.';
COMMENT ON COLUMN rep_funnel_cell.period_end IS 'Last day of the period; of all: as_of().';
COMMENT ON COLUMN rep_funnel_cell.period_label IS 'Label of the period.';
COMMENT ON COLUMN rep_funnel_cell.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN rep_funnel_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN rep_funnel_cell.pipeline_id IS 'The pipeline; NULL: deals of no pipeline.';
COMMENT ON COLUMN rep_funnel_cell.summary IS 'funnel_summary of the deals.';
COMMENT ON COLUMN rep_funnel_cell.team_id IS 'The team the rep belonged to on the day the deals were opened; NULL: none.';

-- The company and the teams from one pass over the deals; a filter on a rep reaches the other.
CREATE VIEW funnel_cell WITH (security_invoker = true) AS
SELECT e.level,
       e.team_id,
       t.name AS team_name,
       NULL::text AS rep_id,
       NULL::text AS rep_name,
       e.pipeline_id,
       e.grain,
       e.period_start,
       e.period_end,
       e.period_label,
       e.is_complete,
       e.summary
  FROM (SELECT owner.level,
               owner.team_id,
               cell.pipeline_id,
               cell.grain,
               cell.period_start,
               cell.period_end,
               cell.period_label,
               cell.is_complete,
               sales_perf.rollup(cell.summary) AS summary
          FROM rep_funnel_cell cell
          -- what is of no team is the company's alone
          JOIN (SELECT 'company'::text AS level, NULL::text AS team_id, member.team_id AS member_team_id
                  FROM (SELECT team_id FROM team UNION SELECT '') AS member
                UNION ALL
                SELECT 'team'::text, tree.team_id, tree.member_team_id
                  FROM team_tree tree) AS owner ON owner.member_team_id = coalesce(cell.team_id, '') AND (cell.team_id IS NOT NULL OR owner.level = 'company')
         GROUP BY owner.level, owner.team_id, cell.pipeline_id, cell.grain, cell.period_start, cell.period_end, cell.period_label, cell.is_complete) AS e
  LEFT JOIN team t ON t.team_id = e.team_id
UNION ALL
SELECT 'rep'::text,
       r.team_id,
       t.name,
       e.rep_id,
       coalesce(r.name, '(no rep)'),
       e.pipeline_id,
       e.grain,
       e.period_start,
       e.period_end,
       e.period_label,
       e.is_complete,
       e.summary
  FROM (SELECT rep_id,
               pipeline_id,
               grain,
               period_start,
               period_end,
               period_label,
               is_complete,
               sales_perf.rollup(summary) AS summary
          FROM rep_funnel_cell
         GROUP BY rep_id, pipeline_id, grain, period_start, period_end, period_label, is_complete) AS e
  LEFT JOIN rep r ON r.rep_id = e.rep_id
  LEFT JOIN team t ON t.team_id = r.team_id;

COMMENT ON VIEW funnel_cell IS 'The summaries behind funnel, which BI tools should read instead. Attribution R.';
COMMENT ON COLUMN funnel_cell.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN funnel_cell.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN funnel_cell.team_name IS 'Its name.';
COMMENT ON COLUMN funnel_cell.rep_id IS 'The rep; NULL for company and teams, and for deals of no rep.';
COMMENT ON COLUMN funnel_cell.rep_name IS 'The name of the rep; (no rep): deals of no rep.';
COMMENT ON COLUMN funnel_cell.pipeline_id IS 'The pipeline; NULL: deals of no pipeline.';
COMMENT ON COLUMN funnel_cell.grain IS 'month, quarter, year or all: filter one.';
COMMENT ON COLUMN funnel_cell.period_start IS 'First day of the period in which the deals were opened.';
COMMENT ON COLUMN funnel_cell.period_end IS 'Last day of the period; of all: as_of().';
COMMENT ON COLUMN funnel_cell.period_label IS 'Label of the period.';
COMMENT ON COLUMN funnel_cell.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN funnel_cell.summary IS 'funnel_summary of the deals.';

SET LOCAL search_path = sales_perf, pg_temp;
