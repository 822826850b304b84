-- How far deals get, stage by stage, and where they stay: of the deals opened in a period (cohort
-- attribution), of the company, each team and each rep, in each pipeline.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

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
CREATE VIEW rep_funnel_cell WITH (security_invoker = true) AS
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

COMMENT ON VIEW rep_funnel_cell IS 'Deals with their ways through the stages by the period they were opened in, pipeline, rep and the rep''s team on that day; and, of grain all, every deal. Attribution R.';
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

CREATE VIEW funnel WITH (security_invoker = true) AS
SELECT c.level,
       c.team_id,
       c.team_name,
       c.rep_id,
       c.rep_name,
       c.pipeline_id,
       y.policy,
       c.grain,
       c.period_start,
       c.period_end,
       c.period_label,
       c.is_complete,
       CASE WHEN c.grain <> 'all' THEN coalesce(c.is_complete AND sales_perf.as_of() - c.period_end >= usual.closing_p90_days, false) END AS is_mature,
       f.stage_no,
       f.stage_id,
       f.stage_name,
       sales_perf.deal_count(c.summary) AS deal_count,
       sales_perf.pathless_count(c.summary) AS pathless_count,
       sales_perf.regression_rate(c.summary) AS regression_rate,
       f.entered AS entered_count,
       f.advanced AS advanced_count,
       f.ended AS ended_count,
       f.won AS won_count,
       f.lost AS lost_count,
       f.open AS open_count,
       f.skipped AS skipped_count,
       f.regressed AS regressed_count,
       f.reentered AS reentered_count,
       f.conversion_rate AS stage_conversion_rate,
       sales_perf.conversion_rate_low(sales_perf.conversion_summary(f.ended, f.advanced)) AS stage_conversion_rate_low,
       sales_perf.conversion_rate_high(sales_perf.conversion_summary(f.ended, f.advanced)) AS stage_conversion_rate_high,
       f.won_rate AS win_rate,
       f.conversion_incidence_rate,
       f.median_days AS stage_median_days,
       f.km_median_days AS stage_km_median_days,
       f.expected_days,
       f.expected_days_rate,
       f.is_bottleneck
  FROM funnel_cell c
 CROSS JOIN (VALUES ('reached'::text), ('strict'), ('direct')) AS y (policy)
 CROSS JOIN LATERAL (
        -- materialized: read once, not once a stage
        WITH v AS MATERIALIZED (
            SELECT *
              FROM sales_perf.funnel_values(c.summary, sales_perf.as_of(), y.policy)
        )
        SELECT s.stage_id,
               s.name AS stage_name,
               v.*
          FROM v
          JOIN stage s ON s.stage_no = v.stage_no
         WHERE s.pipeline_id = c.pipeline_id
           AND s.is_open) AS f
  LEFT JOIN (SELECT sales_perf.cycle_percentile(sales_perf.cycle_agg('won'::text, opened_on, closed_on), 0.9) AS closing_p90_days
               FROM deal_as_of
              WHERE NOT is_open
                AND closed_on > (sales_perf.as_of() - interval '12 months')::date) AS usual ON true;

COMMENT ON VIEW funnel IS 'How far the deals opened in a period have got up to as_of(), by open stage in the order of each pipeline, of the company, each team and each rep that has such deals. Attribution R (by opened_on). A stage counts as the policy says. A stage that no deal of the cohort was in has no row; deals whose stages are not known (pathless_count) stand in none. Filter one level, one policy and one grain.';
COMMENT ON COLUMN funnel.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN funnel.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN funnel.team_name IS 'Its name.';
COMMENT ON COLUMN funnel.rep_id IS 'The rep who owned the deals; NULL for company and teams, and for deals of no rep.';
COMMENT ON COLUMN funnel.rep_name IS 'The name of the rep; (no rep): deals of no rep.';
COMMENT ON COLUMN funnel.pipeline_id IS 'The pipeline: stages of two are never mixed.';
COMMENT ON COLUMN funnel.policy IS 'What counts: reached (a later stage counts for the earlier ones), strict (only stages entered) or direct (only moves to the next stage): filter one.';
COMMENT ON COLUMN funnel.grain IS 'month, quarter, year or all (every deal, also those without opened_on): filter one.';
COMMENT ON COLUMN funnel.period_start IS 'First day of the period in which the deals were opened.';
COMMENT ON COLUMN funnel.period_end IS 'Last day of the period; of all: as_of().';
COMMENT ON COLUMN funnel.period_label IS 'Label of the period.';
COMMENT ON COLUMN funnel.is_complete IS 'True where the period is over as of as_of(): no deal will be added to the cohort.';
COMMENT ON COLUMN funnel.is_mature IS 'True where the cohort''s last day lies at least as far back as 90 % of the deals closed in the twelve months up to as_of() took from opening to closing; in younger ones rates are still changing. NULL for grain all.';
COMMENT ON COLUMN funnel.stage_no IS 'Place of the stage in the pipeline''s order.';
COMMENT ON COLUMN funnel.stage_id IS 'The stage.';
COMMENT ON COLUMN funnel.stage_name IS 'Name of the stage.';
COMMENT ON COLUMN funnel.deal_count IS 'Deals of the cohort in this pipeline, the same at each stage. Count; R.';
COMMENT ON COLUMN funnel.pathless_count IS 'Of these, deals whose stages are not known, the same at each stage. Count; R.';
COMMENT ON COLUMN funnel.regression_rate IS 'Moves back to an earlier stage / all moves from one stage to another, the same at each stage. Fraction; R; NULL without moves.';
COMMENT ON COLUMN funnel.entered_count IS 'Deals that came to the stage. reached: that were in it or a later one, or won; strict and direct: that were in it. Count; R; 0 where there are none.';
COMMENT ON COLUMN funnel.advanced_count IS 'Of these, deals that got on. reached: were in a later stage, or won; strict: were in a later one afterwards, or won; direct: moved straight to the next. Count; R.';
COMMENT ON COLUMN funnel.ended_count IS 'entered_count without open deals that may still advance from it. Count; R.';
COMMENT ON COLUMN funnel.won_count IS 'Of those entered, won up to as_of(). Count; R.';
COMMENT ON COLUMN funnel.lost_count IS 'Of those entered, lost up to as_of(). Count; R.';
COMMENT ON COLUMN funnel.open_count IS 'Of those entered, open as of as_of(), in whatever stage. Count; R.';
COMMENT ON COLUMN funnel.skipped_count IS 'Deals that were never in the stage, but in a later one, or won. Count; R.';
COMMENT ON COLUMN funnel.regressed_count IS 'Moves from the stage back to an earlier one. Count; R.';
COMMENT ON COLUMN funnel.reentered_count IS 'Visits to the stage after a deal''s first one. Count; R.';
COMMENT ON COLUMN funnel.stage_conversion_rate IS 'advanced_count / ended_count. Fraction; R; NULL where ended_count is 0.';
COMMENT ON COLUMN funnel.stage_conversion_rate_low IS 'Lower bound of the 95 % Wilson interval of stage_conversion_rate. Fraction; NULL where ended_count is 0.';
COMMENT ON COLUMN funnel.stage_conversion_rate_high IS 'Upper bound of the 95 % Wilson interval of stage_conversion_rate. Fraction; NULL where ended_count is 0.';
COMMENT ON COLUMN funnel.win_rate IS 'won_count / (won_count + lost_count). Fraction; R; NULL where none of those entered is closed.';
COMMENT ON COLUMN funnel.conversion_incidence_rate IS 'Share of visits to the stage that end with a move forward or a win (Aalen-Johansen: other ends compete, visits that go on are censored at as_of()): the rate of a young cohort, its open deals allowed for. Fraction; R; NULL where the days of no visit are known.';
COMMENT ON COLUMN funnel.stage_median_days IS 'Median (percentile_cont) of the days of visits to the stage that ended. Days; R; NULL where there are none.';
COMMENT ON COLUMN funnel.stage_km_median_days IS 'Kaplan-Meier median of the days of all visits to the stage, those that go on censored at as_of(). Days; R; NULL where more than half of them go on by the curve.';
COMMENT ON COLUMN funnel.expected_days IS 'What a won deal spends in the stage: mean days of a visit (area under the Kaplan-Meier curve) x visits to it a won deal. Days; R; NULL without won deals, or where the days of no visit are known.';
COMMENT ON COLUMN funnel.expected_days_rate IS 'expected_days / their sum over the stages: share of the expected time to win. Fraction; NULL where that is not known of every stage entered.';
COMMENT ON COLUMN funnel.is_bottleneck IS 'True at the stage with the largest share of the expected time to win.';

CREATE VIEW stage_bottleneck WITH (security_invoker = true) AS
SELECT level,
       team_id,
       team_name,
       rep_id,
       rep_name,
       pipeline_id,
       stage_no,
       stage_id,
       stage_name,
       deal_count,
       entered_count,
       open_count,
       stage_median_days,
       stage_km_median_days,
       expected_days,
       expected_days_rate,
       is_bottleneck
  FROM funnel
 WHERE grain = 'all'
   AND policy = 'strict';

COMMENT ON VIEW stage_bottleneck IS 'Where deals stay: of all deals opened up to as_of(), the days they spend in each open stage of their pipeline, and its share of the expected time to win. Of the company, each team and each rep. Filter one level.';
DO $$
DECLARE
    copied record;
BEGIN
    FOR copied IN
        SELECT target.attname AS column_name,
               col_description(source.attrelid, source.attnum) AS comment
          FROM pg_attribute source
          JOIN pg_attribute target ON target.attname = source.attname
         WHERE source.attrelid = 'funnel'::regclass
           AND source.attnum > 0
           AND target.attrelid = 'stage_bottleneck'::regclass
    LOOP
        EXECUTE format('COMMENT ON COLUMN stage_bottleneck.%I IS %L', copied.column_name, copied.comment);
    END LOOP;
END
$$;
COMMENT ON COLUMN stage_bottleneck.deal_count IS 'Deals opened up to as_of() in this pipeline, the same at each stage. Count; R.';
COMMENT ON COLUMN stage_bottleneck.entered_count IS 'Of these, deals that were in the stage. Count; R; 0 where there are none.';
COMMENT ON COLUMN stage_bottleneck.open_count IS 'Of those entered, open as of as_of(), in whatever stage. Count; R.';

SET LOCAL search_path = sales_perf, pg_temp;
