-- Coverage: is there enough in the pipeline for what is still missing of the quota?

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW stage_stall WITH (security_invoker = true) AS
SELECT v.stage_id,
       count(*) AS visit_count,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY v.left_on - v.entered_on) AS stage_p90_days
  FROM (SELECT e.stage_id,
               e.entered_on,
               e.is_assumed,
               coalesce(lead(e.entered_on) OVER (PARTITION BY e.deal_id
                                                     ORDER BY e.entered_on, e.entered_at NULLS FIRST, e.stage_event_id), d.closed_on) AS left_on
          -- Twenty thousand deals tell a percentile well enough, and millions would take long.
          FROM (SELECT deal_id, closed_on
                  FROM deal_as_of
                 WHERE NOT is_open
                   AND closed_on > (sales_perf.as_of() - interval '12 months')::date
                 ORDER BY closed_on DESC, deal_id
                 LIMIT 20000) AS d
          JOIN stage_event e ON e.deal_id = d.deal_id AND e.entered_on <= d.closed_on) AS v
  JOIN stage s ON s.stage_id = v.stage_id AND s.is_open
 WHERE NOT v.is_assumed
   AND isfinite(v.entered_on)
 GROUP BY v.stage_id;

COMMENT ON VIEW stage_stall IS 'How long is long in each open stage: the days that nine of ten visits to it took, of the deals closed in the twelve months up to as_of(), the latest 20,000 if they are more. A visit ends with the entry of the next stage, or the closing; visits whose beginning is assumed do not count.';
COMMENT ON COLUMN stage_stall.stage_id IS 'The stage.';
COMMENT ON COLUMN stage_stall.visit_count IS 'Visits that ended. Count; E.';
COMMENT ON COLUMN stage_stall.stage_p90_days IS '90th percentile (percentile_cont) of their days. Days; E.';

CREATE FUNCTION open_pipeline(due_day date)
    RETURNS TABLE (rep_id text, pipeline_amount numeric, due_count numeric, total_pipeline_amount numeric, open_count numeric,
                   weighted_pipeline_amount numeric, unweighted_amount numeric, squares numeric, largest_deal_amount numeric,
                   stalled_count numeric, aged_count numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- worked out once, and not at all where nobody asks for what has stalled
    WITH stall AS MATERIALIZED (
        SELECT stage_id, stage_p90_days
          FROM stage_stall
    )
    SELECT d.rep_id,
           coalesce(sum(d.reporting_amount) FILTER (WHERE d.expected_close_on <= open_pipeline.due_day), 0),
           count(*) FILTER (WHERE d.expected_close_on <= open_pipeline.due_day)::numeric,
           coalesce(sum(d.reporting_amount), 0),
           count(*)::numeric,
           coalesce(sum(d.reporting_amount * s.default_chance::numeric) FILTER (WHERE d.expected_close_on <= open_pipeline.due_day), 0),
           coalesce(sum(d.reporting_amount) FILTER (WHERE d.expected_close_on <= open_pipeline.due_day AND s.default_chance IS NULL), 0),
           coalesce(sum(d.reporting_amount * d.reporting_amount) FILTER (WHERE d.expected_close_on <= open_pipeline.due_day AND d.reporting_amount > 0), 0),
           max(d.reporting_amount) FILTER (WHERE d.expected_close_on <= open_pipeline.due_day AND d.reporting_amount > 0),
           count(*) FILTER (WHERE CASE WHEN isfinite(d.stage_entered_on) THEN sales_perf.as_of() - d.stage_entered_on > s.stage_p90_days END)::numeric,
           count(*) FILTER (WHERE isfinite(d.stage_entered_on) AND s.stage_p90_days IS NOT NULL)::numeric
      FROM deal_as_of d
      -- not to be taken apart: the stage a deal was in is itself a look-up, to be made once
      LEFT JOIN (SELECT this.stage_id,
                        this.default_chance,
                        (SELECT l.stage_p90_days FROM stall l WHERE l.stage_id = this.stage_id) AS stage_p90_days
                   FROM stage this
                 OFFSET 0) AS s ON s.stage_id = d.stage_id
     WHERE d.is_open
     GROUP BY d.rep_id;
END;

COMMENT ON FUNCTION open_pipeline(date) IS 'Internal to coverage: the open deals of each rep as of as_of(), those expected to close by due_day apart.';

CREATE VIEW coverage WITH (security_invoker = true) AS
SELECT e.level,
       e.team_id,
       t.name AS team_name,
       e.rep_id,
       e.rep_name,
       p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       e.quota_amount,
       coalesce(e.credited_amount - e.untargeted_amount, 0) AS won_amount,
       e.quota_amount - (e.credited_amount - e.untargeted_amount) AS remaining_amount,
       CASE WHEN e.quota_amount > 0 THEN e.credited_amount - e.untargeted_amount >= e.quota_amount END AS is_attained,
       coalesce(e.pipeline_amount, 0) AS pipeline_amount,
       CASE
           WHEN e.quota_amount > e.credited_amount - e.untargeted_amount
           THEN (coalesce(e.pipeline_amount, 0) / (e.quota_amount - (e.credited_amount - e.untargeted_amount)))::double precision
       END AS coverage_ratio,
       coalesce(e.weighted_pipeline_amount, 0) AS weighted_pipeline_amount,
       CASE
           WHEN e.quota_amount > e.credited_amount - e.untargeted_amount
           THEN (coalesce(e.weighted_pipeline_amount, 0) / (e.quota_amount - (e.credited_amount - e.untargeted_amount)))::double precision
       END AS weighted_coverage_ratio,
       coalesce(e.unweighted_amount, 0) AS unweighted_amount,
       coalesce(e.due_count, 0)::bigint AS due_count,
       coalesce(e.total_pipeline_amount, 0) AS total_pipeline_amount,
       coalesce(e.open_count, 0)::bigint AS open_count,
       coalesce(e.largest_deal_amount, 0) AS largest_deal_amount,
       CASE WHEN e.pipeline_amount > 0 THEN (e.largest_deal_amount / e.pipeline_amount)::double precision END AS largest_deal_rate,
       CASE WHEN e.pipeline_amount > 0 THEN (e.squares / (e.pipeline_amount * e.pipeline_amount))::double precision END AS concentration,
       coalesce(e.stalled_count, 0)::bigint AS stalled_count,
       coalesce(e.aged_count, 0)::bigint AS aged_count,
       CASE WHEN e.aged_count > 0 THEN e.stalled_count::double precision / e.aged_count::double precision END AS stalled_rate
  FROM period p
 CROSS JOIN LATERAL (
        SELECT a.level,
               NULL::text AS team_id,
               NULL::text AS rep_id,
               NULL::text AS rep_name,
               a.quota_amount,
               a.credited_amount,
               a.untargeted_amount,
               g.pipeline_amount,
               g.due_count,
               g.total_pipeline_amount,
               g.open_count,
               g.weighted_pipeline_amount,
               g.unweighted_amount,
               g.squares,
               g.largest_deal_amount,
               g.stalled_count,
               g.aged_count
          FROM attainment_between(p.period_start, p.period_end) AS a
         CROSS JOIN (SELECT sum(o.pipeline_amount) AS pipeline_amount,
                            sum(o.due_count) AS due_count,
                            sum(o.total_pipeline_amount) AS total_pipeline_amount,
                            sum(o.open_count) AS open_count,
                            sum(o.weighted_pipeline_amount) AS weighted_pipeline_amount,
                            sum(o.unweighted_amount) AS unweighted_amount,
                            sum(o.squares) AS squares,
                            max(o.largest_deal_amount) AS largest_deal_amount,
                            sum(o.stalled_count) AS stalled_count,
                            sum(o.aged_count) AS aged_count
                       FROM open_pipeline(p.period_end) AS o) AS g
         WHERE a.level = 'company'
        UNION ALL
        SELECT a.level,
               a.team_id,
               NULL::text,
               NULL::text,
               a.quota_amount,
               a.credited_amount,
               a.untargeted_amount,
               g.pipeline_amount,
               g.due_count,
               g.total_pipeline_amount,
               g.open_count,
               g.weighted_pipeline_amount,
               g.unweighted_amount,
               g.squares,
               g.largest_deal_amount,
               g.stalled_count,
               g.aged_count
          FROM attainment_between(p.period_start, p.period_end) AS a
          LEFT JOIN (SELECT m.team_id,
                            sum(o.pipeline_amount) AS pipeline_amount,
                            sum(o.due_count) AS due_count,
                            sum(o.total_pipeline_amount) AS total_pipeline_amount,
                            sum(o.open_count) AS open_count,
                            sum(o.weighted_pipeline_amount) AS weighted_pipeline_amount,
                            sum(o.unweighted_amount) AS unweighted_amount,
                            sum(o.squares) AS squares,
                            max(o.largest_deal_amount) AS largest_deal_amount,
                            sum(o.stalled_count) AS stalled_count,
                            sum(o.aged_count) AS aged_count
                       FROM open_pipeline(p.period_end) AS o
                       JOIN team_rep m ON m.rep_id = o.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
                      GROUP BY m.team_id) AS g ON g.team_id = a.team_id
         WHERE a.level = 'team'
        UNION ALL
        SELECT a.level,
               m.team_id,
               a.rep_id,
               r.name,
               a.quota_amount,
               a.credited_amount,
               a.untargeted_amount,
               g.pipeline_amount,
               g.due_count,
               g.total_pipeline_amount,
               g.open_count,
               g.weighted_pipeline_amount,
               g.unweighted_amount,
               g.squares,
               g.largest_deal_amount,
               g.stalled_count,
               g.aged_count
          FROM attainment_between(p.period_start, p.period_end) AS a
          JOIN rep r ON r.rep_id = a.rep_id
          LEFT JOIN rep_team m ON m.rep_id = r.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
          -- joined twice for the planner, as in rep_summary
          LEFT JOIN open_pipeline(p.period_end) AS g ON g.rep_id = a.rep_id AND g.rep_id || '' = a.rep_id || ''
         WHERE a.level = 'rep'
        UNION ALL
        SELECT 'rep'::text,
               NULL::text,
               NULL::text,
               '(no rep)'::text,
               NULL::numeric,
               0::numeric,
               0::numeric,
               g.pipeline_amount,
               g.due_count,
               g.total_pipeline_amount,
               g.open_count,
               g.weighted_pipeline_amount,
               g.unweighted_amount,
               g.squares,
               g.largest_deal_amount,
               g.stalled_count,
               g.aged_count
          FROM open_pipeline(p.period_end) AS g
         WHERE g.rep_id IS NULL) AS e
  LEFT JOIN team t ON t.team_id = e.team_id
 WHERE p.period_end >= sales_perf.as_of();

COMMENT ON VIEW coverage IS 'Whether the pipeline is enough for what is missing of the quota, in the month, quarter and year that hold as_of(), for the company, each team and each rep. Open deals count for their owner and for the teams he belongs to on that day. Filter one level and one grain.';
COMMENT ON COLUMN coverage.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN coverage.team_id IS 'The team, or the team of the rep on the day as_of() gives; NULL for the company.';
COMMENT ON COLUMN coverage.team_name IS 'Its name.';
COMMENT ON COLUMN coverage.rep_id IS 'The rep; NULL for company and teams, and for deals of no rep.';
COMMENT ON COLUMN coverage.rep_name IS 'The name of the rep; (no rep): deals of no rep.';
COMMENT ON COLUMN coverage.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN coverage.period_start IS 'First day of the period.';
COMMENT ON COLUMN coverage.period_end IS 'Last day of the period.';
COMMENT ON COLUMN coverage.period_label IS 'Label of the period.';
COMMENT ON COLUMN coverage.is_complete IS 'True where as_of() is the period''s last day.';
COMMENT ON COLUMN coverage.quota_amount IS 'Quota of the whole period (quota_attainment). Amount; P; NULL where there is none.';
COMMENT ON COLUMN coverage.won_amount IS 'What is credited towards it up to as_of(): credited_amount - untargeted_amount of quota_attainment. Amount; C; 0 where there is nothing.';
COMMENT ON COLUMN coverage.remaining_amount IS 'quota_amount - won_amount: what is still missing, below 0 where there is more than enough. Amount; NULL where there is no quota.';
COMMENT ON COLUMN coverage.is_attained IS 'True where won_amount has reached quota_amount. NULL where there is no quota above 0.';
COMMENT ON COLUMN coverage.pipeline_amount IS 'Open deals expected to close by the period''s last day, overdue ones too. Amount; S; 0 where there are none.';
COMMENT ON COLUMN coverage.coverage_ratio IS 'pipeline_amount / remaining_amount. S; NULL where nothing is missing (is_attained), and where there is no quota.';
COMMENT ON COLUMN coverage.weighted_pipeline_amount IS 'Sum of amount x default_chance of the deal''s stage over the deals of pipeline_amount. Amount; S; deals in stages without a chance are in unweighted_amount instead.';
COMMENT ON COLUMN coverage.weighted_coverage_ratio IS 'weighted_pipeline_amount / remaining_amount: 1 is just enough if the chances are right. S; NULL as coverage_ratio.';
COMMENT ON COLUMN coverage.unweighted_amount IS 'The part of pipeline_amount in stages without a stated chance (or in none). Amount; S.';
COMMENT ON COLUMN coverage.due_count IS 'Deals of pipeline_amount. Count; S.';
COMMENT ON COLUMN coverage.total_pipeline_amount IS 'All open deals, whenever they are expected to close. Amount; S.';
COMMENT ON COLUMN coverage.open_count IS 'All open deals. Count; S.';
COMMENT ON COLUMN coverage.largest_deal_amount IS 'The largest deal of pipeline_amount. Amount; S; 0 where there is none.';
COMMENT ON COLUMN coverage.largest_deal_rate IS 'largest_deal_amount / pipeline_amount. Fraction; S; NULL where pipeline_amount is not above 0.';
COMMENT ON COLUMN coverage.concentration IS 'Sum over the deals of pipeline_amount of (share of it) squared: 1 where all hangs on one deal, 1 / n where n deals are alike. S; deals below 0 are left out; NULL where pipeline_amount is not above 0.';
COMMENT ON COLUMN coverage.stalled_count IS 'Of aged_count, deals that have been in their stage for longer than nine of ten visits to it took (stage_stall). Count; S.';
COMMENT ON COLUMN coverage.aged_count IS 'Open deals of which the day they entered their stage is known, and how long visits to it took. Count; S.';
COMMENT ON COLUMN coverage.stalled_rate IS 'stalled_count / aged_count. Fraction; S; NULL where aged_count is 0.';

SET LOCAL search_path = sales_perf, pg_temp;
