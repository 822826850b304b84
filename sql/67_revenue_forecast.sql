-- What sales are to be expected: the periods so far and those to come, of the company, each team and
-- each rep; and how good such forecasts would have been.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- Whole periods only: from the first one that the mart's data cover from its first day on, up to the
-- last one that is over.
CREATE VIEW forecast_span WITH (security_invoker = true) AS
SELECT g.grain,
       (SELECT min(p.period_start)
          FROM period p
         WHERE p.grain = g.grain
           AND p.period_start >= (SELECT first_day FROM report_range)) AS first_day,
       (SELECT max(p.period_end)
          FROM period p
         WHERE p.grain = g.grain
           AND p.is_complete) AS last_day,
       g.width_months,
       g.horizon,
       k.period_starts
  FROM (VALUES ('month'::text, 1, 12),
               ('quarter', 3, 4),
               ('year', 12, 2)) AS g (grain, width_months, horizon)
  JOIN calendar_grain k ON k.grain = g.grain;

COMMENT ON VIEW forecast_span IS 'The days that forecasts are made from: whole months, quarters and years.';
COMMENT ON COLUMN forecast_span.grain IS 'month, quarter or year.';
COMMENT ON COLUMN forecast_span.first_day IS 'First day of the first period of calendar that the mart''s data cover from its first day on; NULL: there is none.';
COMMENT ON COLUMN forecast_span.last_day IS 'Last day of the last period that is over as of as_of(); NULL: there is none.';
COMMENT ON COLUMN forecast_span.width_months IS 'Months (fiscal periods) in a period. Count.';
COMMENT ON COLUMN forecast_span.horizon IS 'Periods that are forecast. Count.';
COMMENT ON COLUMN forecast_span.period_starts IS 'The first day of each period of calendar, and the day after its last (see calendar_grain).';

CREATE VIEW rep_sales_cell WITH (security_invoker = true) AS
SELECT g.grain,
       e.rep_id,
       e.summary
  FROM forecast_span g
 CROSS JOIN LATERAL (
        SELECT rep_id,
               sales_perf.period_agg(sold_on, amount, g.grain, g.period_starts) AS summary
          FROM purchase_month_cell
         WHERE sold_on BETWEEN g.first_day AND g.last_day
         GROUP BY rep_id) AS e;

COMMENT ON VIEW rep_sales_cell IS 'The sales of each rep by the periods of a grain.';
COMMENT ON COLUMN rep_sales_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN rep_sales_cell.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN rep_sales_cell.summary IS 'period_summary of the sales of whole periods.';

CREATE VIEW team_sales_cell WITH (security_invoker = true) AS
SELECT g.grain,
       e.team_id,
       e.summary
  FROM forecast_span g
 CROSS JOIN LATERAL (
        SELECT member.team_id,
               sales_perf.period_agg(s.sold_on, s.amount, g.grain, g.period_starts) AS summary
          FROM purchase_month_cell s
          JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
         WHERE s.sold_on BETWEEN g.first_day AND g.last_day
         GROUP BY member.team_id) AS e;

COMMENT ON VIEW team_sales_cell IS 'The sales of the reps of each team while they belonged to it, by the periods of a grain.';
COMMENT ON COLUMN team_sales_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN team_sales_cell.team_id IS 'The team the rep belonged to directly on the day of the sale.';
COMMENT ON COLUMN team_sales_cell.summary IS 'period_summary of the sales of whole periods.';

CREATE VIEW sales_cell WITH (security_invoker = true) AS
SELECT of_level.level,
       of_level.team_id,
       of_level.team_name,
       of_level.rep_id,
       of_level.rep_name,
       of_level.grain,
       g.width_months,
       g.horizon,
       -- a 0 in the last period: who sold nothing lately has sold nothing, and not stopped before
       of_level.summary OPERATOR(sales_perf.+) nothing.summary AS summary,
       g.period_starts
  FROM (SELECT 'company'::text AS level,
               NULL::text AS team_id,
               NULL::text AS team_name,
               NULL::text AS rep_id,
               NULL::text AS rep_name,
               grain,
               sales_perf.rollup(summary) AS summary
          FROM rep_sales_cell
         GROUP BY grain
        UNION ALL
        SELECT 'team'::text,
               t.team_id,
               t.name,
               NULL::text,
               NULL::text,
               e.grain,
               e.summary
          FROM (SELECT tree.team_id,
                       cell.grain,
                       sales_perf.rollup(cell.summary) AS summary
                  FROM team_sales_cell cell
                  JOIN team_tree tree ON tree.member_team_id = cell.team_id
                 GROUP BY tree.team_id, cell.grain) AS e
          JOIN team t ON t.team_id = e.team_id
        UNION ALL
        SELECT 'rep'::text,
               r.team_id,
               t.name,
               e.rep_id,
               coalesce(r.name, '(no rep)'),
               e.grain,
               e.summary
          FROM rep_sales_cell e
          LEFT JOIN rep r ON r.rep_id = e.rep_id
          LEFT JOIN team t ON t.team_id = r.team_id) AS of_level
  JOIN forecast_span g ON g.grain = of_level.grain
 CROSS JOIN LATERAL (
        SELECT sales_perf.period_agg(d.last_day, 0::numeric, d.grain, d.period_starts) AS summary
          FROM (VALUES (g.last_day, g.grain, g.period_starts)) AS d (last_day, grain, period_starts)) AS nothing;

COMMENT ON VIEW sales_cell IS 'The summaries behind revenue_forecast and forecast_backtest, which BI tools should read instead: the sales of the company, each team and each rep up to the last period that is over.';
COMMENT ON COLUMN sales_cell.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN sales_cell.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN sales_cell.team_name IS 'Its name.';
COMMENT ON COLUMN sales_cell.rep_id IS 'The rep; NULL for company and teams, and for sales of no rep.';
COMMENT ON COLUMN sales_cell.rep_name IS 'The name of the rep; (no rep): sales of no rep.';
COMMENT ON COLUMN sales_cell.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN sales_cell.width_months IS 'Months in a period. Count.';
COMMENT ON COLUMN sales_cell.horizon IS 'Periods that are forecast. Count.';
COMMENT ON COLUMN sales_cell.summary IS 'period_summary of the sales; its last period is the last that is over.';
COMMENT ON COLUMN sales_cell.period_starts IS 'The first day of each period of calendar, and the day after its last (see calendar_grain).';

CREATE VIEW revenue_forecast WITH (security_invoker = true) AS
SELECT c.level,
       c.team_id,
       c.team_name,
       c.rep_id,
       c.rep_name,
       c.grain,
       v.period_start,
       k.period_end,
       k.period_label,
       v.kind,
       v.sales_amount,
       v.expected_amount,
       v.low_amount,
       v.high_amount,
       v.method
  FROM sales_cell c
 CROSS JOIN LATERAL (
        SELECT 'actual'::text AS kind,
               period_start,
               amount AS sales_amount,
               NULL::numeric AS expected_amount,
               NULL::numeric AS low_amount,
               NULL::numeric AS high_amount,
               NULL::text AS method
          FROM sales_perf.period_values(c.summary, c.period_starts)
        UNION ALL
        SELECT 'forecast'::text,
               period_start,
               NULL::numeric,
               round(expected::numeric, 2),
               round(low::numeric, 2),
               round(high::numeric, 2),
               method
          FROM sales_perf.period_forecast(c.summary, c.horizon, period_starts => c.period_starts)) AS v
 CROSS JOIN LATERAL (
        SELECT CASE c.grain WHEN 'month' THEN day.fiscal_period_end WHEN 'quarter' THEN day.fiscal_quarter_end ELSE day.fiscal_year_end END AS period_end,
               CASE c.grain WHEN 'month' THEN day.fiscal_period_label WHEN 'quarter' THEN day.fiscal_quarter_label ELSE day.fiscal_year_label END AS period_label
          FROM calendar day
         WHERE day.region = ''
           AND day.on_date = v.period_start
        OFFSET 0) AS k;

COMMENT ON VIEW revenue_forecast IS 'Sales by month, quarter and year: the periods that are over, and a forecast of 12 months, 4 quarters and 2 years from the one that holds as_of() on, of the company, each team and each rep that has sold. From whole periods only, by the method that fits best (see period_forecast). Periods are those of calendar, and end with it; reps count for the team they belonged to on the day of the sale. Filter one level and one grain.';
COMMENT ON COLUMN revenue_forecast.level IS 'company, team (with the teams below it) or rep: filter one. Forecasts of reps do not add up to the company''s.';
COMMENT ON COLUMN revenue_forecast.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN revenue_forecast.team_name IS 'Its name.';
COMMENT ON COLUMN revenue_forecast.rep_id IS 'The rep; NULL for company and teams, and for sales of no rep.';
COMMENT ON COLUMN revenue_forecast.rep_name IS 'The name of the rep; (no rep): sales of no rep.';
COMMENT ON COLUMN revenue_forecast.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN revenue_forecast.period_start IS 'First day of the period.';
COMMENT ON COLUMN revenue_forecast.period_end IS 'Last day of the period.';
COMMENT ON COLUMN revenue_forecast.period_label IS 'Label of the period.';
COMMENT ON COLUMN revenue_forecast.kind IS 'actual (the period is over as of as_of()) or forecast.';
COMMENT ON COLUMN revenue_forecast.sales_amount IS 'Sum of the amounts sold. Amount in the reporting currency; E (by sold_on); NULL of a forecast.';
COMMENT ON COLUMN revenue_forecast.expected_amount IS 'Sales to be expected in the whole period. Amount; NULL of an actual period.';
COMMENT ON COLUMN revenue_forecast.low_amount IS 'Lower limit of the 80 % prediction interval. Amount; NULL of an actual period, and where no errors are known.';
COMMENT ON COLUMN revenue_forecast.high_amount IS 'Upper limit of the 80 % prediction interval. Amount; NULL of an actual period, and where no errors are known.';
COMMENT ON COLUMN revenue_forecast.method IS 'How it was forecast: mean, level, trend, damped trend, or with a season (from two years of periods on). NULL of an actual period.';

CREATE VIEW forecast_backtest WITH (security_invoker = true) AS
SELECT c.level,
       c.team_id,
       c.team_name,
       c.rep_id,
       c.rep_name,
       c.grain,
       h.periods_ahead,
       b.method,
       b.origins::bigint AS origin_count,
       b.forecasts AS forecast_count,
       b.wmape AS wmape,
       b.mase AS mase,
       b.interval_coverage_rate
  FROM sales_cell c
  JOIN (VALUES ('month'::text, 1), ('month', 3), ('month', 12), ('quarter', 1), ('quarter', 4), ('year', 1)) AS h (grain, periods_ahead) ON h.grain = c.grain
 CROSS JOIN LATERAL sales_perf.period_backtest(c.summary, h.periods_ahead) AS b;

COMMENT ON VIEW forecast_backtest IS 'How good the forecasts of revenue_forecast would have been: made from the sales known at each of the last 24 periods'' ends (or as many as leave enough to learn from), and compared with what came; beside them the seasonal naive forecast, the amount of a year before, which a forecast should beat. Filter one level, one grain and periods_ahead.';
COMMENT ON COLUMN forecast_backtest.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN forecast_backtest.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN forecast_backtest.team_name IS 'Its name.';
COMMENT ON COLUMN forecast_backtest.rep_id IS 'The rep; NULL for company and teams, and for sales of no rep.';
COMMENT ON COLUMN forecast_backtest.rep_name IS 'The name of the rep; (no rep): sales of no rep.';
COMMENT ON COLUMN forecast_backtest.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN forecast_backtest.periods_ahead IS 'How many periods ahead were forecast, and are judged together: 1, 3 and 12 months, 1 and 4 quarters, 1 year. Count.';
COMMENT ON COLUMN forecast_backtest.method IS 'forecast, or what it is compared with: seasonal naive (the same period a year before) or naive (the last period).';
COMMENT ON COLUMN forecast_backtest.origin_count IS 'Times at which forecasts were made. Count.';
COMMENT ON COLUMN forecast_backtest.forecast_count IS 'Forecasts compared with what came. Count.';
COMMENT ON COLUMN forecast_backtest.wmape IS 'Sum of absolute errors / sum of absolute amounts. Fraction; NULL where these are 0.';
COMMENT ON COLUMN forecast_backtest.mase IS 'Mean absolute error in units of that of the naive forecast of one period on the periods known: below 1 it is better. NULL where those are all 0.';
COMMENT ON COLUMN forecast_backtest.interval_coverage_rate IS 'Share of amounts inside the 80 % interval. Fraction; 0.8 is aimed at.';

SET LOCAL search_path = sales_perf, pg_temp;
