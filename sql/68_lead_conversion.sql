-- How many leads become deals: by source and rep, of the leads created in a period, whenever they
-- did (cohort attribution). A young cohort's rate is still rising, and is flagged.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW lead_cell WITH (security_invoker = true) AS
SELECT created_on,
       source,
       rep_id,
       sales_perf.deal_agg(NULL::numeric,
                           CASE outcome WHEN 'converted' THEN 'won' ELSE outcome END,
                           created_on,
                           ended_on) AS summary
  FROM lead_as_of
 GROUP BY created_on, source, rep_id;

COMMENT ON VIEW lead_cell IS 'Leads, whatever became of them, by the day they were created. Attribution R.';
COMMENT ON COLUMN lead_cell.created_on IS 'The day they came in; NULL: not known.';
COMMENT ON COLUMN lead_cell.source IS 'Where they came from; (no source): not known.';
COMMENT ON COLUMN lead_cell.rep_id IS 'The rep who works on them; NULL: nobody.';
COMMENT ON COLUMN lead_cell.summary IS 'deal_summary of the cell''s leads: won is converted, the cycle is the time to conversion, there are no amounts.';

CREATE VIEW lead_conversion WITH (security_invoker = true) AS
WITH cohort AS NOT MATERIALIZED (
    SELECT 'company'::text AS level,
           NULL::text AS source,
           NULL::text AS rep_id,
           NULL::text AS rep_name,
           NULL::text AS team_id,
           NULL::text AS team_name,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           e.summary
      FROM period p
     CROSS JOIN LATERAL (
            SELECT sales_perf.rollup(summary) AS summary
              FROM lead_cell
             WHERE created_on BETWEEN p.period_start AND p.period_end) AS e
    UNION ALL
    SELECT 'source'::text,
           e.source,
           NULL::text,
           NULL::text,
           NULL::text,
           NULL::text,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           e.summary
      FROM period p
     CROSS JOIN LATERAL (
            SELECT source,
                   sales_perf.rollup(summary) AS summary
              FROM lead_cell
             WHERE created_on BETWEEN p.period_start AND p.period_end
             GROUP BY source) AS e
    UNION ALL
    SELECT 'rep'::text,
           NULL::text,
           e.rep_id,
           e.rep_name,
           e.team_id,
           e.team_name,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           e.summary
      FROM period p
     CROSS JOIN LATERAL (
            SELECT r.rep_id,
                   r.name AS rep_name,
                   r.team_id,
                   t.name AS team_name,
                   of_rep.summary
              FROM rep r
              LEFT JOIN team t ON t.team_id = r.team_id
              LEFT JOIN (SELECT rep_id,
                                sales_perf.rollup(summary) AS summary
                           FROM lead_cell
                          WHERE created_on BETWEEN p.period_start AND p.period_end
                          GROUP BY rep_id) AS of_rep ON of_rep.rep_id = r.rep_id AND of_rep.rep_id || '' = r.rep_id || ''
            UNION ALL
            SELECT NULL::text,
                   '(no rep)'::text,
                   NULL::text,
                   NULL::text,
                   sales_perf.rollup(summary)
              FROM lead_cell
             WHERE rep_id IS NULL
               AND created_on BETWEEN p.period_start AND p.period_end
            HAVING EXISTS (SELECT FROM lead WHERE rep_id IS NULL)) AS e
    UNION ALL
    SELECT 'source and rep'::text,
           e.source,
           e.rep_id,
           coalesce(r.name, '(no rep)'),
           r.team_id,
           t.name,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           e.summary
      FROM period p
     CROSS JOIN LATERAL (
            SELECT source,
                   rep_id,
                   sales_perf.rollup(summary) AS summary
              FROM lead_cell
             WHERE created_on BETWEEN p.period_start AND p.period_end
             GROUP BY source, rep_id) AS e
      LEFT JOIN rep r ON r.rep_id = e.rep_id
      LEFT JOIN team t ON t.team_id = r.team_id
)
SELECT c.level,
       c.source,
       c.rep_id,
       c.rep_name,
       c.team_id,
       c.team_name,
       c.grain,
       c.period_start,
       c.period_end,
       c.period_label,
       c.is_complete,
       coalesce(sales_perf.won_count(c.summary) + sales_perf.lost_count(c.summary) + sales_perf.open_count(c.summary), 0) AS lead_count,
       coalesce(sales_perf.won_count(c.summary), 0) AS converted_count,
       coalesce(sales_perf.lost_count(c.summary), 0) AS lost_count,
       coalesce(sales_perf.open_count(c.summary), 0) AS open_count,
       sales_perf.conversion_rate(counted.conversion) AS lead_conversion_rate,
       sales_perf.conversion_rate_low(counted.conversion) AS lead_conversion_rate_low,
       sales_perf.conversion_rate_high(counted.conversion) AS lead_conversion_rate_high,
       sales_perf.cycle_median(c.summary) AS conversion_median_days,
       CASE WHEN c.period_start + (c.period_end - c.period_start) / 2 + 30 <= sales_perf.as_of() THEN sales_perf.win_incidence(c.summary, 30, sales_perf.as_of()) END AS converted_in_30_days_rate,
       CASE WHEN c.period_start + (c.period_end - c.period_start) / 2 + 90 <= sales_perf.as_of() THEN sales_perf.win_incidence(c.summary, 90, sales_perf.as_of()) END AS converted_in_90_days_rate,
       usual.conversion_p90_days,
       coalesce(c.is_complete AND sales_perf.as_of() - c.period_end >= usual.conversion_p90_days, false) AS is_mature
  FROM cohort c
 CROSS JOIN LATERAL (
        SELECT sales_perf.conversion_summary(
                   sales_perf.won_count(c.summary) + sales_perf.lost_count(c.summary) + sales_perf.open_count(c.summary),
                   sales_perf.won_count(c.summary)) AS conversion) AS counted
  LEFT JOIN (SELECT sales_perf.cycle_percentile(sales_perf.cycle_agg('won'::text, created_on, ended_on), 0.9) AS conversion_p90_days
               FROM lead_as_of
              WHERE outcome = 'converted') AS usual ON true;

COMMENT ON VIEW lead_conversion IS 'Leads by the period they were created in, and what has become of them up to as_of(): of the company, of each source, of each rep, and of each source and rep. Attribution R (cohort). The company and every rep have a row in every period, sources one where they brought leads. Filter one level and one grain; young cohorts are not mature: their rate is still rising.';
COMMENT ON COLUMN lead_conversion.level IS 'company, source, rep, or source and rep: filter one.';
COMMENT ON COLUMN lead_conversion.source IS 'Where the leads came from; (no source): not known; NULL at the levels company and rep.';
COMMENT ON COLUMN lead_conversion.rep_id IS 'The rep; NULL at the levels company and source, and for leads of no rep.';
COMMENT ON COLUMN lead_conversion.rep_name IS 'The name of the rep; (no rep): leads of no rep.';
COMMENT ON COLUMN lead_conversion.team_id IS 'The team the rep belongs to now; NULL: none.';
COMMENT ON COLUMN lead_conversion.team_name IS 'Name of the team.';
COMMENT ON COLUMN lead_conversion.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN lead_conversion.period_start IS 'First day of the period in which the leads were created.';
COMMENT ON COLUMN lead_conversion.period_end IS 'Last day of the period.';
COMMENT ON COLUMN lead_conversion.period_label IS 'Label of the period.';
COMMENT ON COLUMN lead_conversion.is_complete IS 'True where the period is over as of as_of(): no lead will be added to the cohort.';
COMMENT ON COLUMN lead_conversion.lead_count IS 'Leads created in the period. Count; R (by created_on); 0 where there are none.';
COMMENT ON COLUMN lead_conversion.converted_count IS 'Of these, converted up to as_of(). Count; R; 0 where there are none.';
COMMENT ON COLUMN lead_conversion.lost_count IS 'Of these, lost up to as_of(). Count; R; 0 where there are none.';
COMMENT ON COLUMN lead_conversion.open_count IS 'Of these, neither converted nor lost as of as_of(). Count; R; 0 where there are none.';
COMMENT ON COLUMN lead_conversion.lead_conversion_rate IS 'converted_count / lead_count. Fraction; R; NULL where there are no leads. Of a cohort that is not mature it is too low.';
COMMENT ON COLUMN lead_conversion.lead_conversion_rate_low IS 'Lower bound of the 95 % Wilson interval of lead_conversion_rate. Fraction; NULL where there are no leads.';
COMMENT ON COLUMN lead_conversion.lead_conversion_rate_high IS 'Upper bound of the 95 % Wilson interval of lead_conversion_rate. Fraction; NULL where there are no leads.';
COMMENT ON COLUMN lead_conversion.conversion_median_days IS 'Median (percentile_cont) of converted_on - created_on of the leads converted. Days; R; NULL where none was.';
COMMENT ON COLUMN lead_conversion.converted_in_30_days_rate IS 'Share of leads converted within 30 days (Aalen-Johansen: losses compete, open leads are censored at as_of()), which compares young cohorts with old ones. Fraction; R; NULL where there are no leads, and where the middle of the period lies less than 30 days before as_of(): too few of them can be as old.';
COMMENT ON COLUMN lead_conversion.converted_in_90_days_rate IS 'Share of leads converted within 90 days (Aalen-Johansen). Fraction; R; NULL where there are no leads, and where the middle of the period lies less than 90 days before as_of().';
COMMENT ON COLUMN lead_conversion.conversion_p90_days IS '90th percentile of converted_on - created_on of all leads converted up to as_of(), the same in every row. Days; NULL where none was.';
COMMENT ON COLUMN lead_conversion.is_mature IS 'True where the youngest lead the cohort can have, of its last day, is at least conversion_p90_days old as of as_of(); false before that, and where no lead was ever converted.';

SET LOCAL search_path = sales_perf, pg_temp;
