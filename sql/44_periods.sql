-- The days and periods that reports speak of, and what each period is compared with.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- Infinite days are faults (see data_quality), not days.
CREATE VIEW report_range WITH (security_invoker = true) AS
SELECT least((SELECT min(opened_on) FROM deal WHERE opened_on > '-infinity'),
             (SELECT min(closed_on) FROM deal WHERE closed_on > '-infinity'),
             (SELECT min(sold_on) FROM sale WHERE sold_on > '-infinity'),
             (SELECT min(created_on) FROM lead WHERE created_on > '-infinity'),
             sales_perf.as_of()) AS first_day,
       sales_perf.as_of() AS last_day;

COMMENT ON VIEW report_range IS 'One row: the days reports speak of.';
COMMENT ON COLUMN report_range.first_day IS 'The day the first deal was opened or closed, the first sale made or the first lead created, or as_of() if there is none before it.';
COMMENT ON COLUMN report_range.last_day IS 'The day as_of() gives.';

CREATE VIEW period WITH (security_invoker = true) AS
SELECT 'month'::text AS grain,
       c.fiscal_period_start AS period_start,
       c.fiscal_period_end AS period_end,
       c.fiscal_period_label AS period_label,
       c.fiscal_period_end <= sales_perf.as_of() AS is_complete,
       (SELECT before.fiscal_period_start
          FROM calendar before
         WHERE before.region = ''
           AND before.on_date = c.fiscal_period_start - 1) AS prior_start,
       c.fiscal_period_start - 1 AS prior_end
  FROM calendar c
 WHERE c.on_date = c.fiscal_period_start
   AND c.region = ''
   AND c.fiscal_period_start <= sales_perf.as_of()
   AND c.fiscal_period_end >= (SELECT first_day FROM report_range)
UNION ALL
SELECT 'quarter'::text,
       c.fiscal_quarter_start,
       c.fiscal_quarter_end,
       c.fiscal_quarter_label,
       c.fiscal_quarter_end <= sales_perf.as_of(),
       (SELECT before.fiscal_quarter_start
          FROM calendar before
         WHERE before.region = ''
           AND before.on_date = c.fiscal_quarter_start - 1),
       c.fiscal_quarter_start - 1
  FROM calendar c
 WHERE c.on_date = c.fiscal_quarter_start
   AND c.region = ''
   AND c.fiscal_quarter_start <= sales_perf.as_of()
   AND c.fiscal_quarter_end >= (SELECT first_day FROM report_range)
UNION ALL
SELECT 'year'::text,
       c.fiscal_year_start,
       c.fiscal_year_end,
       c.fiscal_year_label,
       c.fiscal_year_end <= sales_perf.as_of(),
       (SELECT before.fiscal_year_start
          FROM calendar before
         WHERE before.region = ''
           AND before.on_date = c.fiscal_year_start - 1),
       c.fiscal_year_start - 1
  FROM calendar c
 WHERE c.on_date = c.fiscal_year_start
   AND c.region = ''
   AND c.fiscal_year_start <= sales_perf.as_of()
   AND c.fiscal_year_end >= (SELECT first_day FROM report_range);

COMMENT ON VIEW period IS 'The months, quarters and years of calendar that reports speak of: from the one that holds the first day of a deal, sale or lead to the one that holds as_of(). Filter one grain: the same days stand once in each.';
COMMENT ON COLUMN period.grain IS 'month, quarter or year.';
COMMENT ON COLUMN period.period_start IS 'First day of the period.';
COMMENT ON COLUMN period.period_end IS 'Last day of the period.';
COMMENT ON COLUMN period.period_label IS 'Label of the period, for instance 2017-01, 2017-Q1 or 2017.';
COMMENT ON COLUMN period.is_complete IS 'True where the period''s last day is not after as_of(), whose day counts as a whole.';
COMMENT ON COLUMN period.prior_start IS 'First day of the period before; NULL before the calendar''s first day.';
COMMENT ON COLUMN period.prior_end IS 'Last day of the period before.';

-- The same periods for what counts by them itself: the first days of all of them, and the day behind
-- the last one. An array, so that a summary of a million rows finds the period of a day at once.
CREATE VIEW calendar_grain WITH (security_invoker = true) AS
SELECT 'month'::text AS grain,
       (SELECT array_agg(starts.first_day ORDER BY starts.first_day)
          FROM (SELECT c.fiscal_period_start AS first_day
                  FROM calendar c
                 WHERE c.on_date = c.fiscal_period_start
                   AND c.region = ''
                UNION ALL
                SELECT max(c.on_date) + 1
                  FROM calendar c
                 WHERE c.region = ''
                HAVING max(c.on_date) IS NOT NULL) AS starts) AS period_starts
UNION ALL
SELECT 'quarter'::text,
       (SELECT array_agg(starts.first_day ORDER BY starts.first_day)
          FROM (SELECT c.fiscal_quarter_start AS first_day
                  FROM calendar c
                 WHERE c.on_date = c.fiscal_quarter_start
                   AND c.region = ''
                UNION ALL
                SELECT max(c.on_date) + 1
                  FROM calendar c
                 WHERE c.region = ''
                HAVING max(c.on_date) IS NOT NULL) AS starts)
UNION ALL
SELECT 'year'::text,
       (SELECT array_agg(starts.first_day ORDER BY starts.first_day)
          FROM (SELECT c.fiscal_year_start AS first_day
                  FROM calendar c
                 WHERE c.on_date = c.fiscal_year_start
                   AND c.region = ''
                UNION ALL
                SELECT max(c.on_date) + 1
                  FROM calendar c
                 WHERE c.region = ''
                HAVING max(c.on_date) IS NOT NULL) AS starts);

COMMENT ON VIEW calendar_grain IS 'The periods of calendar as period_agg() takes them. For views that count by periods; BI tools should read the view period.';
COMMENT ON COLUMN calendar_grain.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN calendar_grain.period_starts IS 'The first day of each period, ascending, and the day after calendar''s last; NULL of an empty calendar.';

-- What a period is compared with: the one before it, and the same one (by its number in the fiscal
-- year) a year ago. Where the year before was another calendar's, the same number may be another
-- season: then there is none. The period that holds as_of() is not over; so that it can be compared all the
-- same, the others are cut where they had as many business days behind them.
CREATE VIEW period_comparison WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       p.period_end >= sales_perf.as_of() AS holds_as_of,
       p.prior_start,
       p.prior_end,
       year_ago.period_start AS year_ago_start,
       year_ago.period_end AS year_ago_end,
       elapsed.business_days AS elapsed_business_days,
       CASE WHEN elapsed.business_days = 0 THEN p.prior_start - 1 ELSE prior_cut.on_date END AS prior_to_date_end,
       CASE WHEN elapsed.business_days = 0 THEN year_ago.period_start - 1 ELSE year_ago_cut.on_date END AS year_ago_to_date_end
  FROM period p
  LEFT JOIN LATERAL (
        SELECT max(coalesce(same_month.fiscal_period_start, same_quarter.fiscal_quarter_start, CASE WHEN p.grain = 'year' AND p.prior_start BETWEEN p.period_start - 380 AND p.period_start - 350 THEN p.prior_start END)) AS period_start,
               max(coalesce(same_month.fiscal_period_end, same_quarter.fiscal_quarter_end, CASE WHEN p.grain = 'year' AND p.prior_start BETWEEN p.period_start - 380 AND p.period_start - 350 THEN p.prior_end END)) AS period_end
          FROM calendar this
          LEFT JOIN calendar same_month
            ON p.grain = 'month'
           AND same_month.region = ''
           AND same_month.on_date = same_month.fiscal_period_start
           AND same_month.fiscal_period_start BETWEEN p.period_start - 380 AND p.period_start - 350
           AND same_month.fiscal_year = this.fiscal_year - 1
           AND same_month.fiscal_period = this.fiscal_period
          LEFT JOIN calendar same_quarter
            ON p.grain = 'quarter'
           AND same_quarter.region = ''
           AND same_quarter.on_date = same_quarter.fiscal_quarter_start
           AND same_quarter.fiscal_quarter_start BETWEEN p.period_start - 380 AND p.period_start - 350
           AND same_quarter.fiscal_year = this.fiscal_year - 1
           AND same_quarter.fiscal_quarter = this.fiscal_quarter
         WHERE this.region = ''
           AND this.on_date = p.period_start) AS year_ago ON true
  LEFT JOIN LATERAL (
        SELECT CASE WHEN p.period_end >= sales_perf.as_of() THEN count(*) END AS business_days
          FROM calendar c
         WHERE c.region = ''
           AND c.is_business_day
           AND c.on_date BETWEEN p.period_start AND sales_perf.as_of()
           AND p.period_end >= sales_perf.as_of()) AS elapsed ON true
  -- the n-th business day, or the period's end if it has fewer
  LEFT JOIN LATERAL (
        SELECT coalesce(min(nth.on_date), p.prior_end) AS on_date
          FROM (SELECT c.on_date
                  FROM calendar c
                 WHERE c.region = ''
                   AND c.is_business_day
                   AND c.on_date BETWEEN p.prior_start AND p.prior_end
                 ORDER BY c.on_date
                OFFSET greatest(elapsed.business_days - 1, 0)
                 LIMIT 1) AS nth
        HAVING elapsed.business_days IS NOT NULL) AS prior_cut ON true
  LEFT JOIN LATERAL (
        SELECT coalesce(min(nth.on_date), year_ago.period_end) AS on_date
          FROM (SELECT c.on_date
                  FROM calendar c
                 WHERE c.region = ''
                   AND c.is_business_day
                   AND c.on_date BETWEEN year_ago.period_start AND year_ago.period_end
                 ORDER BY c.on_date
                OFFSET greatest(elapsed.business_days - 1, 0)
                 LIMIT 1) AS nth
        HAVING elapsed.business_days IS NOT NULL) AS year_ago_cut ON true;

COMMENT ON VIEW period_comparison IS 'The periods of the view period with those they are compared with: the one before, and the one of the same number in the fiscal year before.';
COMMENT ON COLUMN period_comparison.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN period_comparison.period_start IS 'First day of the period.';
COMMENT ON COLUMN period_comparison.period_end IS 'Last day of the period.';
COMMENT ON COLUMN period_comparison.period_label IS 'Label of the period.';
COMMENT ON COLUMN period_comparison.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN period_comparison.holds_as_of IS 'True for the period in which as_of() lies.';
COMMENT ON COLUMN period_comparison.prior_start IS 'First day of the period before; NULL before the calendar''s first day.';
COMMENT ON COLUMN period_comparison.prior_end IS 'Last day of the period before.';
COMMENT ON COLUMN period_comparison.year_ago_start IS 'First day of the period with the same number (fiscal_quarter, fiscal_period) in the fiscal year before; NULL where calendar has none, or none that began a year before (350 to 380 days).';
COMMENT ON COLUMN period_comparison.year_ago_end IS 'Last day of that period.';
COMMENT ON COLUMN period_comparison.elapsed_business_days IS 'Business days of the period up to as_of(), that day included. Count; NULL except in the period that holds as_of().';
COMMENT ON COLUMN period_comparison.prior_to_date_end IS 'The day on which the period before had as many business days behind it: its n-th business day, its last day if it had fewer, the day before it for n = 0; NULL except in the period that holds as_of().';
COMMENT ON COLUMN period_comparison.year_ago_to_date_end IS 'The same in the period a year ago; NULL except in the period that holds as_of().';

SET LOCAL search_path = sales_perf, pg_temp;
