-- Cells: dimensions x summary, one view for each way of counting. Reports fold them with rollup()
-- and read KPIs off the sum, so that a figure is defined once and holds at every level. They hold
-- what deal_as_of shows and never look at the clock themselves: ages and rates are applied on
-- reading; so are the exchange rates of open deals, while those of closed ones are of their day of
-- closing and never change.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW closed_cell WITH (security_invoker = true) AS
SELECT closed_on,
       currency,
       pipeline_id,
       rep_id,
       sales_perf.deal_agg(reporting_amount, outcome, opened_on, closed_on) AS summary,
       count(*) FILTER (WHERE currency IS NOT NULL AND amount IS NOT NULL AND reporting_amount IS NULL) AS unconverted_count,
       -- asked once whether there are splits at all
       sum(reporting_amount) FILTER (WHERE outcome = 'won'
                                       AND EXISTS (SELECT FROM deal_credit)
                                       AND EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = deal_as_of.deal_id AND NOT c.is_overlay)) AS split_amount
  FROM deal_as_of
 WHERE NOT is_open
 GROUP BY closed_on, currency, pipeline_id, rep_id;

COMMENT ON VIEW closed_cell IS 'Won and lost deals by the day they closed, in the mart''s reporting currency. Attribution C.';
COMMENT ON COLUMN closed_cell.closed_on IS 'Day of closing; NULL: closed without a day.';
COMMENT ON COLUMN closed_cell.currency IS 'Currency in which the deals were made; NULL: the mart''s reporting currency. The summary is in the reporting currency.';
COMMENT ON COLUMN closed_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN closed_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN closed_cell.summary IS 'deal_summary of the cell''s deals: amounts in the reporting currency at the rate of closed_on; deals without a rate have no amount.';
COMMENT ON COLUMN closed_cell.unconverted_count IS 'Deals of the cell whose amount has no rate into the reporting currency. Count.';
COMMENT ON COLUMN closed_cell.split_amount IS 'Amount of the cell''s won deals that are split (deal_credit): of what the owner booked, this is credited by split_credit instead. Amount; NULL where there are none.';

CREATE VIEW opened_cell WITH (security_invoker = true) AS
SELECT opened_on,
       is_open,
       currency,
       pipeline_id,
       rep_id,
       sales_perf.deal_agg(CASE WHEN is_open THEN amount ELSE reporting_amount END, outcome, opened_on, closed_on) AS summary,
       count(*) FILTER (WHERE NOT is_as_recorded) AS unrecorded_count,
       sum(amount) FILTER (WHERE is_open) AS open_amount
  FROM deal_as_of
 GROUP BY opened_on, is_open, currency, pipeline_id, rep_id;

COMMENT ON VIEW opened_cell IS 'All deals, whatever became of them, by the day they were opened: cohorts, Kaplan-Meier. Attribution R.';
COMMENT ON COLUMN opened_cell.opened_on IS 'Day of opening; NULL: not known.';
COMMENT ON COLUMN opened_cell.is_open IS 'True for cells of open deals: the whole pipeline, where its stages do not matter.';
COMMENT ON COLUMN opened_cell.currency IS 'Currency in which the deals were made; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN opened_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN opened_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN opened_cell.summary IS 'deal_summary of the cell''s deals: amounts of closed ones in the reporting currency at the rate of their day of closing, those of open ones in currency.';
COMMENT ON COLUMN opened_cell.unrecorded_count IS 'Deals of the cell whose history was not recorded by then (see deal_as_of). Count.';
COMMENT ON COLUMN opened_cell.open_amount IS 'Sum of the amounts of the cell''s open deals, in currency: converted on reading, at the rate of as_of(). Amount; NULL where there are none.';

CREATE VIEW open_cell WITH (security_invoker = true) AS
SELECT pipeline_id,
       stage_id,
       stage_entered_on,
       opened_on,
       expected_close_on,
       currency,
       rep_id,
       is_as_recorded,
       sales_perf.deal_agg(amount, outcome, opened_on, closed_on) AS summary
  FROM deal_as_of
 WHERE is_open
 GROUP BY pipeline_id, stage_id, stage_entered_on, opened_on, expected_close_on, currency, rep_id, is_as_recorded;

COMMENT ON VIEW open_cell IS 'Open deals (the pipeline) by stage and the day they entered it. Attribution S.';
COMMENT ON COLUMN open_cell.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN open_cell.stage_id IS 'The stage; NULL: not known.';
COMMENT ON COLUMN open_cell.stage_entered_on IS 'Day the deals entered the stage; NULL: not known.';
COMMENT ON COLUMN open_cell.opened_on IS 'Day of opening; NULL: not known.';
COMMENT ON COLUMN open_cell.expected_close_on IS 'Day on which they are expected to close.';
COMMENT ON COLUMN open_cell.currency IS 'Currency of the summary''s amounts, which are converted on reading, at the rate of as_of(); NULL: the mart''s reporting currency.';
COMMENT ON COLUMN open_cell.rep_id IS 'The rep who owned the deals; NULL: nobody.';
COMMENT ON COLUMN open_cell.is_as_recorded IS 'False where the deals'' history was not recorded by then (see deal_as_of).';
COMMENT ON COLUMN open_cell.summary IS 'deal_summary of the cell''s deals.';

SET LOCAL search_path = sales_perf, pg_temp;
