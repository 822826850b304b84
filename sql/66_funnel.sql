-- How far deals get, stage by stage, and where they stay: of the deals opened in a period (cohort
-- attribution), of the company, each team and each rep, in each pipeline.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

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
  -- the same of either; in one group the deals are read in less time than their cells are made
  LEFT JOIN (SELECT CASE
                        WHEN rollup_is_expected() THEN (SELECT sales_perf.closing_percentile(sales_perf.rollup(summary), 0.9) FROM trailing_cell)
                        ELSE (SELECT sales_perf.closing_percentile(sales_perf.cycle_agg(outcome, opened_on, closed_on), 0.9)
                                FROM deal_as_of
                               WHERE NOT is_open
                                 AND closed_on > (sales_perf.as_of() - interval '12 months')::date)
                    END AS closing_p90_days) AS usual ON true;

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
