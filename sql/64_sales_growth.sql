-- How sales grow: by period for the company, each team and each rep, against the period before and
-- the same period a year ago; the period that is not over against the part of them that is as long.
--
-- As in the scorecards, a filter on grain or period chooses rows of period_comparison first, whose
-- days then bound the scans of sale; a rep reaches them by its equality. Whole periods are read by the month, where rollups are
-- maintained, and only a part of a period by the day. Each range of days is a join of its own, which is not made where its figures
-- are not asked for.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW sales_growth WITH (security_invoker = true) AS
WITH sold AS NOT MATERIALIZED (
    SELECT 'company'::text AS level,
           NULL::text AS team_id,
           NULL::text AS team_name,
           NULL::text AS rep_id,
           NULL::text AS rep_name,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           p.holds_as_of,
           p.elapsed_business_days,
           e.sale_count,
           e.sales_amount,
           e.prior_amount,
           e.prior_to_date_amount,
           e.year_ago_amount,
           e.year_ago_to_date_amount
      FROM period_comparison p
     CROSS JOIN LATERAL (
            SELECT current_part.sale_count,
                   current_part.amount AS sales_amount,
                   prior_part.amount AS prior_amount,
                   prior_to_date_part.amount AS prior_to_date_amount,
                   year_ago_part.amount AS year_ago_amount,
                   year_ago_to_date_part.amount AS year_ago_to_date_amount
              FROM (SELECT sum(sale_count)::bigint AS sale_count,
                           sum(amount) AS amount
                      FROM purchase_month_cell
                     WHERE sold_on BETWEEN p.period_start AND p.period_end) AS current_part
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE sold_on BETWEEN p.prior_start AND p.prior_end) AS prior_part ON true
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_cell
                          WHERE sold_on BETWEEN p.prior_start AND p.prior_to_date_end) AS prior_to_date_part ON true
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE sold_on BETWEEN p.year_ago_start AND p.year_ago_end) AS year_ago_part ON true
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_cell
                          WHERE sold_on BETWEEN p.year_ago_start AND p.year_ago_to_date_end) AS year_ago_to_date_part ON true) AS e
    UNION ALL
    SELECT 'team'::text,
           e.team_id,
           e.team_name,
           NULL::text,
           NULL::text,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           p.holds_as_of,
           p.elapsed_business_days,
           e.sale_count,
           e.sales_amount,
           e.prior_amount,
           e.prior_to_date_amount,
           e.year_ago_amount,
           e.year_ago_to_date_amount
      FROM period_comparison p
     CROSS JOIN LATERAL (
            SELECT t.team_id,
                   t.name AS team_name,
                   current_part.sale_count,
                   current_part.amount AS sales_amount,
                   prior_part.amount AS prior_amount,
                   prior_to_date_part.amount AS prior_to_date_amount,
                   year_ago_part.amount AS year_ago_amount,
                   year_ago_to_date_part.amount AS year_ago_to_date_amount
              FROM team t
              LEFT JOIN (SELECT tree.team_id,
                                sum(of_team.sale_count)::bigint AS sale_count,
                                sum(of_team.amount) AS amount
                           FROM (SELECT member.team_id,
                                        sum(s.sale_count) AS sale_count,
                                        sum(s.amount) AS amount
                                   FROM purchase_month_cell s
                                   JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
                                  WHERE s.sold_on BETWEEN p.period_start AND p.period_end
                                  GROUP BY member.team_id) AS of_team
                           JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                          GROUP BY tree.team_id) AS current_part ON current_part.team_id = t.team_id
              LEFT JOIN (SELECT tree.team_id,
                                sum(of_team.amount) AS amount
                           FROM (SELECT member.team_id,
                                        sum(s.amount) AS amount
                                   FROM purchase_month_cell s
                                   JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
                                  WHERE s.sold_on BETWEEN p.prior_start AND p.prior_end
                                  GROUP BY member.team_id) AS of_team
                           JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                          GROUP BY tree.team_id) AS prior_part ON prior_part.team_id = t.team_id
              LEFT JOIN (SELECT tree.team_id,
                                sum(of_team.amount) AS amount
                           FROM (SELECT member.team_id,
                                        sum(s.amount) AS amount
                                   FROM purchase_cell s
                                   JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
                                  WHERE s.sold_on BETWEEN p.prior_start AND p.prior_to_date_end
                                  GROUP BY member.team_id) AS of_team
                           JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                          GROUP BY tree.team_id) AS prior_to_date_part ON prior_to_date_part.team_id = t.team_id
              LEFT JOIN (SELECT tree.team_id,
                                sum(of_team.amount) AS amount
                           FROM (SELECT member.team_id,
                                        sum(s.amount) AS amount
                                   FROM purchase_month_cell s
                                   JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
                                  WHERE s.sold_on BETWEEN p.year_ago_start AND p.year_ago_end
                                  GROUP BY member.team_id) AS of_team
                           JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                          GROUP BY tree.team_id) AS year_ago_part ON year_ago_part.team_id = t.team_id
              LEFT JOIN (SELECT tree.team_id,
                                sum(of_team.amount) AS amount
                           FROM (SELECT member.team_id,
                                        sum(s.amount) AS amount
                                   FROM purchase_cell s
                                   JOIN rep_team member ON member.rep_id = s.rep_id AND s.sold_on BETWEEN member.valid_from AND member.valid_to
                                  WHERE s.sold_on BETWEEN p.year_ago_start AND p.year_ago_to_date_end
                                  GROUP BY member.team_id) AS of_team
                           JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                          GROUP BY tree.team_id) AS year_ago_to_date_part ON year_ago_to_date_part.team_id = t.team_id) AS e
    UNION ALL
    SELECT 'rep'::text,
           e.team_id,
           e.team_name,
           e.rep_id,
           e.rep_name,
           p.grain,
           p.period_start,
           p.period_end,
           p.period_label,
           p.is_complete,
           p.holds_as_of,
           p.elapsed_business_days,
           e.sale_count,
           e.sales_amount,
           e.prior_amount,
           e.prior_to_date_amount,
           e.year_ago_amount,
           e.year_ago_to_date_amount
      FROM period_comparison p
     CROSS JOIN LATERAL (
            SELECT r.team_id,
                   t.name AS team_name,
                   r.rep_id,
                   r.name AS rep_name,
                   current_part.sale_count,
                   current_part.amount AS sales_amount,
                   prior_part.amount AS prior_amount,
                   prior_to_date_part.amount AS prior_to_date_amount,
                   year_ago_part.amount AS year_ago_amount,
                   year_ago_to_date_part.amount AS year_ago_to_date_amount
              FROM rep r
              LEFT JOIN team t ON t.team_id = r.team_id
              LEFT JOIN (SELECT rep_id,
                                sum(sale_count)::bigint AS sale_count,
                                sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE sold_on BETWEEN p.period_start AND p.period_end
                          GROUP BY rep_id) AS current_part ON current_part.rep_id = r.rep_id AND current_part.rep_id || '' = r.rep_id || ''
              LEFT JOIN (SELECT rep_id,
                                sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE sold_on BETWEEN p.prior_start AND p.prior_end
                          GROUP BY rep_id) AS prior_part ON prior_part.rep_id = r.rep_id AND prior_part.rep_id || '' = r.rep_id || ''
              LEFT JOIN (SELECT rep_id,
                                sum(amount) AS amount
                           FROM purchase_cell
                          WHERE sold_on BETWEEN p.prior_start AND p.prior_to_date_end
                          GROUP BY rep_id) AS prior_to_date_part ON prior_to_date_part.rep_id = r.rep_id AND prior_to_date_part.rep_id || '' = r.rep_id || ''
              LEFT JOIN (SELECT rep_id,
                                sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE sold_on BETWEEN p.year_ago_start AND p.year_ago_end
                          GROUP BY rep_id) AS year_ago_part ON year_ago_part.rep_id = r.rep_id AND year_ago_part.rep_id || '' = r.rep_id || ''
              LEFT JOIN (SELECT rep_id,
                                sum(amount) AS amount
                           FROM purchase_cell
                          WHERE sold_on BETWEEN p.year_ago_start AND p.year_ago_to_date_end
                          GROUP BY rep_id) AS year_ago_to_date_part ON year_ago_to_date_part.rep_id = r.rep_id AND year_ago_to_date_part.rep_id || '' = r.rep_id || ''
            UNION ALL
            SELECT NULL::text,
                   NULL::text,
                   NULL::text,
                   '(no rep)'::text,
                   current_part.sale_count,
                   current_part.amount,
                   prior_part.amount,
                   prior_to_date_part.amount,
                   year_ago_part.amount,
                   year_ago_to_date_part.amount
              FROM (SELECT sum(sale_count)::bigint AS sale_count,
                           sum(amount) AS amount
                      FROM purchase_month_cell
                     WHERE rep_id IS NULL
                       AND sold_on BETWEEN p.period_start AND p.period_end) AS current_part
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE rep_id IS NULL
                            AND sold_on BETWEEN p.prior_start AND p.prior_end) AS prior_part ON true
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_cell
                          WHERE rep_id IS NULL
                            AND sold_on BETWEEN p.prior_start AND p.prior_to_date_end) AS prior_to_date_part ON true
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_month_cell
                          WHERE rep_id IS NULL
                            AND sold_on BETWEEN p.year_ago_start AND p.year_ago_end) AS year_ago_part ON true
              LEFT JOIN (SELECT sum(amount) AS amount
                           FROM purchase_cell
                          WHERE rep_id IS NULL
                            AND sold_on BETWEEN p.year_ago_start AND p.year_ago_to_date_end) AS year_ago_to_date_part ON true
             WHERE EXISTS (SELECT FROM purchase WHERE rep_id IS NULL)) AS e
)
SELECT level,
       team_id,
       team_name,
       rep_id,
       rep_name,
       grain,
       period_start,
       period_end,
       period_label,
       is_complete,
       coalesce(sale_count, 0) AS sale_count,
       coalesce(sales_amount, 0) AS sales_amount,
       coalesce(prior_amount, 0) AS prior_amount,
       sales_perf.growth_rate(coalesce(sales_amount, 0), prior_amount) AS sales_growth,
       coalesce(year_ago_amount, 0) AS year_ago_amount,
       sales_perf.growth_rate(coalesce(sales_amount, 0), year_ago_amount) AS year_growth_rate,
       elapsed_business_days,
       CASE WHEN holds_as_of THEN coalesce(prior_to_date_amount, 0) END AS prior_to_date_amount,
       CASE WHEN holds_as_of THEN sales_perf.growth_rate(coalesce(sales_amount, 0), prior_to_date_amount) END AS to_date_growth,
       CASE WHEN holds_as_of THEN coalesce(year_ago_to_date_amount, 0) END AS year_ago_to_date_amount,
       CASE WHEN holds_as_of THEN sales_perf.growth_rate(coalesce(sales_amount, 0), year_ago_to_date_amount) END AS year_to_date_growth
  FROM sold;

COMMENT ON VIEW sales_growth IS 'Sales by period (view purchase: sales, or won deals where a mart has no sale) and their growth. A team includes the teams below it; reps count for the team they belonged to on the day of the sale; sales of no rep stand in a row (no rep), so that the reps of a period add up to the company. Filter one level and one grain.';
COMMENT ON COLUMN sales_growth.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN sales_growth.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN sales_growth.team_name IS 'Its name.';
COMMENT ON COLUMN sales_growth.rep_id IS 'The rep; NULL for company and teams, and for sales of no rep.';
COMMENT ON COLUMN sales_growth.rep_name IS 'The name of the rep.';
COMMENT ON COLUMN sales_growth.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN sales_growth.period_start IS 'First day of the period.';
COMMENT ON COLUMN sales_growth.period_end IS 'Last day of the period.';
COMMENT ON COLUMN sales_growth.period_label IS 'Label of the period.';
COMMENT ON COLUMN sales_growth.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN sales_growth.sale_count IS 'Sales in the period, refunds included. Count; E (by sold_on); 0 where there are none.';
COMMENT ON COLUMN sales_growth.sales_amount IS 'Sum of their amounts. Amount; E; 0 where there are none.';
COMMENT ON COLUMN sales_growth.prior_amount IS 'sales_amount of the period before. Amount; E; 0 where there were none.';
COMMENT ON COLUMN sales_growth.sales_growth IS '(sales_amount - prior_amount) / prior_amount. Fraction; E; NULL where prior_amount is 0 or less. A period that is not complete is compared with the whole one before: see to_date_growth.';
COMMENT ON COLUMN sales_growth.year_ago_amount IS 'sales_amount of the same period (by its number in the fiscal year) a year ago. Amount; E; 0 where there were none.';
COMMENT ON COLUMN sales_growth.year_growth_rate IS '(sales_amount - year_ago_amount) / year_ago_amount. Fraction; E; NULL where year_ago_amount is 0 or less. A period that is not complete is compared with a whole one: see year_to_date_growth.';
COMMENT ON COLUMN sales_growth.elapsed_business_days IS 'Business days (calendar) of the period up to as_of(), that day included. Count; NULL except in the period that holds as_of().';
COMMENT ON COLUMN sales_growth.prior_to_date_amount IS 'Sales of the period before up to its n-th business day, n = elapsed_business_days (all of it, if it had fewer; nothing for n = 0). Amount; E; NULL except in the period that holds as_of().';
COMMENT ON COLUMN sales_growth.to_date_growth IS '(sales_amount - prior_to_date_amount) / prior_to_date_amount: both periods cut at equal elapsed business days. Fraction; E; NULL except in the period that holds as_of(), and where prior_to_date_amount is 0 or less.';
COMMENT ON COLUMN sales_growth.year_ago_to_date_amount IS 'Sales of the same period a year ago up to its n-th business day. Amount; E; NULL except in the period that holds as_of().';
COMMENT ON COLUMN sales_growth.year_to_date_growth IS '(sales_amount - year_ago_to_date_amount) / year_ago_to_date_amount. Fraction; E; NULL except in the period that holds as_of(), and where year_ago_to_date_amount is 0 or less.';

SET LOCAL search_path = sales_perf, pg_temp;
