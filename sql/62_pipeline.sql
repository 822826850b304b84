-- What is open now, stage by stage.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW pipeline_by_stage WITH (security_invoker = true) AS
WITH cell AS MATERIALIZED (
    SELECT stage_id,
           -- Deals in no known stage are told apart by their own pipeline.
           CASE WHEN stage_id IS NULL THEN pipeline_id END AS pipeline_id,
           sales_perf.as_of() - opened_on AS deal_age_days,
           sales_perf.as_of() - stage_entered_on AS stage_age_days,
           expected_close_on < sales_perf.as_of() AS is_overdue,
           is_as_recorded,
           sales_perf.open_count(summary) AS open_count,
           sales_perf.converted_amount(sales_perf.pipeline_amount(summary), currency, sales_perf.as_of(), 'fx_rate_list'::regclass) AS amount
      FROM open_cell
),
in_stage AS (
    SELECT stage_id,
           pipeline_id,
           sum(open_count)::bigint AS open_count,
           sum(amount) AS amount,
           sum(open_count) FILTER (WHERE is_overdue)::bigint AS overdue_count,
           sum(open_count) FILTER (WHERE NOT is_as_recorded)::bigint AS unrecorded_count,
           sum(open_count) FILTER (WHERE amount IS NULL)::bigint AS unconverted_count
      FROM cell
     GROUP BY stage_id, pipeline_id
),
deal_ages AS (
    SELECT stage_id,
           pipeline_id,
           avg(deal_age_days)::double precision AS deal_age_average_days,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY deal_age_days) AS deal_age_median_days,
           avg(stage_age_days)::double precision AS stage_age_average_days,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY stage_age_days) AS stage_age_median_days
      FROM cell
     -- one row a deal again: ages are of deals, not of cells. (unnest is estimated at ten rows a
     -- cell, generate_series would be at a thousand.)
     CROSS JOIN LATERAL unnest(array_fill(true, ARRAY[open_count::integer])) AS deal
     GROUP BY stage_id, pipeline_id
)
SELECT s.pipeline_id,
       s.stage_no,
       s.stage_id,
       s.name AS stage_name,
       s.is_open,
       s.default_chance AS default_chance_rate,
       coalesce(i.open_count, 0) AS open_count,
       coalesce(i.amount, 0) AS pipeline_amount,
       coalesce(i.amount, 0) * s.default_chance::numeric AS weighted_pipeline_amount,
       a.deal_age_average_days,
       a.deal_age_median_days,
       a.stage_age_average_days,
       a.stage_age_median_days,
       coalesce(i.overdue_count, 0) AS overdue_count,
       coalesce(i.unrecorded_count, 0) AS unrecorded_count,
       coalesce(i.unconverted_count, 0) AS unconverted_count
  FROM stage s
  LEFT JOIN in_stage i ON i.stage_id = s.stage_id
  LEFT JOIN deal_ages a ON a.stage_id = s.stage_id
 WHERE s.is_open
    OR i.open_count > 0
UNION ALL
SELECT i.pipeline_id,
       NULL::integer,
       NULL::text,
       '(no stage)'::text,
       NULL::boolean,
       NULL::double precision,
       i.open_count,
       coalesce(i.amount, 0),
       NULL::numeric,
       a.deal_age_average_days,
       a.deal_age_median_days,
       a.stage_age_average_days,
       a.stage_age_median_days,
       coalesce(i.overdue_count, 0),
       coalesce(i.unrecorded_count, 0),
       coalesce(i.unconverted_count, 0)
  FROM in_stage i
  LEFT JOIN deal_ages a ON a.stage_id IS NULL
                       AND coalesce(a.pipeline_id = i.pipeline_id, a.pipeline_id IS NULL AND i.pipeline_id IS NULL)
 WHERE i.stage_id IS NULL;

COMMENT ON VIEW pipeline_by_stage IS 'Open deals as of as_of(), by stage in the order of each pipeline: every open stage, closed stages that hold open deals (a fault, see data_quality), and a row (no stage) for deals whose stage is not known. Attribution S.';
COMMENT ON COLUMN pipeline_by_stage.pipeline_id IS 'The pipeline of the stage; for (no stage), that of the deals.';
COMMENT ON COLUMN pipeline_by_stage.stage_no IS 'Place of the stage in the pipeline''s order.';
COMMENT ON COLUMN pipeline_by_stage.stage_id IS 'The stage; NULL: not known.';
COMMENT ON COLUMN pipeline_by_stage.stage_name IS 'Name of the stage.';
COMMENT ON COLUMN pipeline_by_stage.is_open IS 'True for stages of open deals.';
COMMENT ON COLUMN pipeline_by_stage.default_chance_rate IS 'Chance of winning as the CRM states it for the stage. Fraction; NULL: not stated.';
COMMENT ON COLUMN pipeline_by_stage.open_count IS 'Open deals in the stage. Count; S.';
COMMENT ON COLUMN pipeline_by_stage.pipeline_amount IS 'Sum of the amounts of open deals, in the reporting currency at the rates of as_of(). Amount; S; 0 where there are none.';
COMMENT ON COLUMN pipeline_by_stage.weighted_pipeline_amount IS 'pipeline_amount x default_chance_rate. Amount; S; NULL where the chance is not stated.';
COMMENT ON COLUMN pipeline_by_stage.deal_age_average_days IS 'Mean of as_of() - opened_on over open deals with a known opened_on. Days; S; NULL where there are none.';
COMMENT ON COLUMN pipeline_by_stage.deal_age_median_days IS 'Median of as_of() - opened_on. Days; S; NULL where there are none.';
COMMENT ON COLUMN pipeline_by_stage.stage_age_average_days IS 'Mean of as_of() - the day the deal entered the stage. Days; S; NULL where that is known of none.';
COMMENT ON COLUMN pipeline_by_stage.stage_age_median_days IS 'Median of as_of() - the day the deal entered the stage. Days; S; NULL where that is known of none.';
COMMENT ON COLUMN pipeline_by_stage.overdue_count IS 'Open deals whose expected close lies before as_of(). Count; S.';
COMMENT ON COLUMN pipeline_by_stage.unrecorded_count IS 'Open deals whose history was not recorded by then: their stage is a reconstruction (see deal_as_of). Count; S.';
COMMENT ON COLUMN pipeline_by_stage.unconverted_count IS 'Open deals in a currency that has no rate on the day of as_of(): they count as deals, and add nothing to amounts. Count; S.';

SET LOCAL search_path = sales_perf, pg_temp;
