-- What was sold, by rep: the rows of purchase; or, where rollups are maintained, the stored sums of sales, or of closed deals, where
-- won ones stand in for sales. Some rows of these are differences, so summaries are added up, and figures read off the sums.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- written into the query that asks for them, as the cells of deals are (sql/50_cells.sql)
CREATE FUNCTION purchase_live()
    RETURNS TABLE (sold_on date, rep_id text, sale_count bigint, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT p.sold_on,
           p.rep_id,
           1::bigint,
           p.reporting_amount
      FROM purchase p;
END;

COMMENT ON FUNCTION purchase_live() IS 'The rows of purchase, as purchase_cell has them.';

CREATE VIEW purchase_cell WITH (security_invoker = true) AS
SELECT sold_on,
       rep_id,
       sale_count,
       amount
  FROM (SELECT false AS is_of_rollup,
               sold_on,
               rep_id,
               sale_count,
               amount
          FROM (SELECT * FROM purchase_live() WHERE true
                UNION ALL
                SELECT * FROM purchase_live() WHERE false) AS live
        UNION ALL
        SELECT true,
               sold_on,
               rep_id,
               sale_count,
               amount
          FROM sale_stored_cell('day')
        UNION ALL
        SELECT true,
               closed_on,
               rep_id,
               sales_perf.won_count(summary),
               sales_perf.bookings_amount(summary)
          FROM (SELECT closed_on,
                       rep_id,
                       sales_perf.rollup(summary) AS summary
                  FROM closed_cell
                 WHERE closed_on > '-infinity'
                   AND NOT EXISTS (SELECT FROM sale)
                 GROUP BY closed_on, rep_id) AS d
         WHERE sales_perf.won_count(summary) > 0) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW purchase_cell IS 'What was sold, by the day and the rep: the view purchase, added up as far as it is stored. Attribution E.';
COMMENT ON COLUMN purchase_cell.sold_on IS 'The day of the sale, or on which the deal was won.';
COMMENT ON COLUMN purchase_cell.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN purchase_cell.sale_count IS 'Purchases. Count.';
COMMENT ON COLUMN purchase_cell.amount IS 'Their amount in the reporting currency. Amount; NULL where it is not known.';

CREATE VIEW purchase_month_cell WITH (security_invoker = true) AS
SELECT sold_on,
       rep_id,
       sale_count,
       amount
  FROM (SELECT false AS is_of_rollup,
               sold_on,
               rep_id,
               sale_count,
               amount
          FROM (SELECT * FROM purchase_live() WHERE true
                UNION ALL
                SELECT * FROM purchase_live() WHERE false) AS live
        UNION ALL
        SELECT true,
               sold_on,
               rep_id,
               sale_count,
               amount
          FROM sale_stored_cell('month')
        UNION ALL
        SELECT true,
               closed_on,
               rep_id,
               sales_perf.won_count(summary),
               sales_perf.bookings_amount(summary)
          FROM (SELECT closed_on,
                       rep_id,
                       sales_perf.rollup(summary) AS summary
                  FROM (SELECT on_date AS closed_on,
                               rep_id,
                               summary
                          FROM rollup_cell
                         WHERE cell = 'closed'
                           AND grain = (SELECT rollup_grain())
                           AND (counts_from IS NULL OR counts_from <= sales_perf.as_of())
                        UNION ALL
                        -- with the stored row that it is a difference to
                        SELECT CASE WHEN (SELECT rollup_grain()) = 'day' THEN u.closed_on ELSE greatest(coalesce(k.fiscal_period_start, u.closed_on), b.first_day) END,
                               u.rep_id,
                               u.summary
                          FROM closed_unfolded_cell() u
                          LEFT JOIN calendar k ON k.region = '' AND k.on_date = u.closed_on
                          LEFT JOIN rollup_boundary b ON b.rep_id = u.rep_id AND u.closed_on BETWEEN b.first_day AND b.last_day) AS part
                 WHERE closed_on > '-infinity'
                   AND NOT EXISTS (SELECT FROM sale)
                 GROUP BY closed_on, rep_id) AS d
         WHERE sales_perf.won_count(summary) > 0) AS c
 WHERE is_of_rollup = rollup_is_expected();

COMMENT ON VIEW purchase_month_cell IS 'What was sold, as purchase_cell has it, by a day such that ranges of whole months (of calendar) hold the right ones, and the rep is in one team from that day to the last. Attribution E.';
COMMENT ON COLUMN purchase_month_cell.sold_on IS 'The day of the sale, or the first of the month or of the rep''s days in a team.';
COMMENT ON COLUMN purchase_month_cell.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN purchase_month_cell.sale_count IS 'Purchases. Count.';
COMMENT ON COLUMN purchase_month_cell.amount IS 'Their amount in the reporting currency. Amount; NULL where it is not known.';

SET LOCAL search_path = sales_perf, pg_temp;
