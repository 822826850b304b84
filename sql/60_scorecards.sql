-- The scorecards: one row for each period and company, team or rep.
--
-- For each level one view fetches the summaries, in a shape that lets filters through: a grain or a
-- period chooses rows of period first, whose days then bound the scans of deal; a rep reaches them
-- by its equality; what nobody asked for is not fetched. A second view reads the KPIs off them.
-- (Amounts of splits lose the zeros at their end: stored sums have kept more of them, and a quotient has digits by that.)
-- The list of KPIs is the same in all three, which a test asserts. (One view over the union of the
-- levels would say it once, but PostgreSQL would spend 40 ms on planning the levels not asked for.)

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- the company: every deal, also those of no rep

CREATE VIEW company_summary WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       p.holds_as_of,
       e.closed_summary,
       e.prior_summary,
       e.created_summary,
       e.open_summary,
       e.trailing_summary,
       e.unrecorded_count,
       e.created_open_amount,
       e.open_amount,
       e.unconverted_count,
       e.credit_amount,
       e.prior_credit_amount,
       e.overlay_amount
  FROM (SELECT grain, period_start, period_end, period_label, is_complete, prior_start, prior_end,
               period_end >= sales_perf.as_of() AS holds_as_of
          FROM period) AS p
 CROSS JOIN LATERAL (
        SELECT closed_part.summary AS closed_summary,
               prior_part.summary AS prior_summary,
               created_part.summary AS created_summary,
               open_part.summary AS open_summary,
               coalesce(trailing_part.summary OPERATOR(sales_perf.+) open_part.summary, trailing_part.summary, open_part.summary) AS trailing_summary,
               open_part.unrecorded_count,
               created_part.open_amount AS created_open_amount,
               open_part.open_amount,
               closed_part.unconverted_count,
               -- splits move amounts among reps: for the company they add up to nothing
               NULL::numeric AS credit_amount,
               NULL::numeric AS prior_credit_amount,
               credit_part.overlay_amount
          FROM (SELECT sales_perf.rollup(summary) AS summary,
                       sum(unconverted_count)::bigint AS unconverted_count
                  FROM closed_month_cell
                 WHERE closed_on BETWEEN p.period_start AND p.period_end) AS closed_part
          LEFT JOIN (SELECT sales_perf.rollup(summary) AS summary
                       FROM closed_month_cell
                      WHERE closed_on BETWEEN p.prior_start AND p.prior_end) AS prior_part ON true
          LEFT JOIN (SELECT sales_perf.rollup(c.summary) AS summary,
                            sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                       FROM opened_month_cell c
                      WHERE c.opened_on BETWEEN p.period_start AND p.period_end) AS created_part ON true
          LEFT JOIN (SELECT sales_perf.rollup(c.summary) AS summary,
                            sum(c.unrecorded_count)::bigint AS unrecorded_count,
                            sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                       FROM opened_month_cell c
                      WHERE c.is_open
                        AND p.holds_as_of) AS open_part ON true
          LEFT JOIN (SELECT sales_perf.rollup(summary) AS summary
                       FROM trailing_cell
                      WHERE p.holds_as_of) AS trailing_part ON true
          LEFT JOIN (SELECT trim_scale(sum(amount)) AS overlay_amount
                       FROM split_month_cell
                      WHERE closed_on BETWEEN p.period_start AND p.period_end
                        AND is_overlay) AS credit_part ON true) AS e;

COMMENT ON VIEW company_summary IS 'The summaries behind company_scorecard, which BI tools should read instead.';
COMMENT ON COLUMN company_summary.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN company_summary.period_start IS 'First day of the period.';
COMMENT ON COLUMN company_summary.period_end IS 'Last day of the period.';
COMMENT ON COLUMN company_summary.period_label IS 'Label of the period.';
COMMENT ON COLUMN company_summary.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN company_summary.holds_as_of IS 'True for the period in which as_of() lies.';
COMMENT ON COLUMN company_summary.closed_summary IS 'Deals closed in the period; NULL: none.';
COMMENT ON COLUMN company_summary.prior_summary IS 'Deals closed in the period before; NULL: none.';
COMMENT ON COLUMN company_summary.created_summary IS 'Deals opened in the period; NULL: none.';
COMMENT ON COLUMN company_summary.open_summary IS 'Open deals, in the period that holds as_of().';
COMMENT ON COLUMN company_summary.trailing_summary IS 'Open deals and those closed in the twelve months up to as_of(), in the period that holds it.';
COMMENT ON COLUMN company_summary.unrecorded_count IS 'Open deals whose history was not recorded by then.';
COMMENT ON COLUMN company_summary.created_open_amount IS 'Amount of the deals opened in the period that are still open, at the rates of as_of().';
COMMENT ON COLUMN company_summary.open_amount IS 'Amount of the open deals, at the rates of as_of().';
COMMENT ON COLUMN company_summary.unconverted_count IS 'Deals closed in the period whose amount has no rate into the reporting currency.';
COMMENT ON COLUMN company_summary.credit_amount IS 'What splits add to what the owners booked: nothing for the company; NULL.';
COMMENT ON COLUMN company_summary.prior_credit_amount IS 'The same in the period before; NULL.';
COMMENT ON COLUMN company_summary.overlay_amount IS 'Overlay credit for deals won in the period.';

CREATE VIEW company_scorecard WITH (security_invoker = true) AS
SELECT grain,
       period_start,
       period_end,
       period_label,
       is_complete,
       coalesce(sales_perf.won_count(closed_summary), 0) AS won_count,
       coalesce(sales_perf.lost_count(closed_summary), 0) AS lost_count,
       coalesce(sales_perf.won_count(closed_summary) + sales_perf.lost_count(closed_summary), 0) AS closed_count,
       sales_perf.win_rate(closed_summary) AS win_rate,
       sales_perf.win_rate_low(closed_summary) AS win_rate_low,
       sales_perf.win_rate_high(closed_summary) AS win_rate_high,
       sales_perf.win_rate_amount(closed_summary) AS win_rate_amount,
       coalesce(sales_perf.bookings_amount(closed_summary), 0) + coalesce(credit_amount, 0) AS bookings_amount,
       coalesce(sales_perf.bookings_amount(prior_summary), 0) + coalesce(prior_credit_amount, 0) AS prior_bookings_amount,
       sales_perf.growth_rate(coalesce(sales_perf.bookings_amount(closed_summary), 0) + coalesce(credit_amount, 0), coalesce(sales_perf.bookings_amount(prior_summary), 0) + coalesce(prior_credit_amount, 0)) AS sales_growth,
       coalesce(sales_perf.lost_amount(closed_summary), 0) AS lost_amount,
       sales_perf.average_deal_amount(closed_summary) AS average_deal_amount,
       sales_perf.median_deal_amount(closed_summary) AS median_deal_amount,
       sales_perf.deal_amount_percentile(closed_summary, 0.9) AS p90_deal_amount,
       coalesce(sales_perf.unpriced_count(closed_summary), 0) AS unpriced_count,
       coalesce(sales_perf.cycle_count(closed_summary), 0) AS cycle_count,
       sales_perf.cycle_average(closed_summary) AS cycle_average_days,
       sales_perf.cycle_median(closed_summary) AS cycle_median_days,
       sales_perf.cycle_percentile(closed_summary, 0.9) AS cycle_p90_days,
       coalesce(sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary), 0) AS created_count,
       coalesce(sales_perf.won_count(created_summary), 0) AS created_won_count,
       CASE WHEN sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary) > 0 THEN sales_perf.won_count(created_summary)::double precision / (sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary)) END AS created_win_rate,
       coalesce(sales_perf.bookings_amount(created_summary) + sales_perf.lost_amount(created_summary), 0) + coalesce(created_open_amount, 0) AS pipeline_created_amount,
       sales_perf.cycle_km_median(created_summary, sales_perf.as_of()) AS cycle_km_median_days,
       sales_perf.cycle_km_median_low(created_summary, sales_perf.as_of()) AS cycle_km_median_low_days,
       sales_perf.cycle_km_median_high(created_summary, sales_perf.as_of()) AS cycle_km_median_high_days,
       coalesce(sales_perf.invalid_count(closed_summary), 0) AS invalid_count,
       coalesce(sales_perf.undated_count(closed_summary), 0) AS undated_count,
       CASE WHEN holds_as_of THEN coalesce(sales_perf.open_count(open_summary), 0) END AS open_count,
       CASE WHEN holds_as_of THEN coalesce(open_amount, 0) END AS pipeline_amount,
       sales_perf.sales_velocity(trailing_summary) AS sales_velocity_amount,
       CASE WHEN holds_as_of THEN coalesce(unrecorded_count, 0) END AS unrecorded_count,
       coalesce(unconverted_count, 0) AS unconverted_count,
       coalesce(overlay_amount, 0) AS overlay_amount
  FROM company_summary;

COMMENT ON VIEW company_scorecard IS 'The company''s KPIs by period, all deals together. Filter one grain: the same days stand once in each. Rates are fractions; a ratio is NULL where its denominator is 0.';
COMMENT ON COLUMN company_scorecard.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN company_scorecard.period_start IS 'First day of the period.';
COMMENT ON COLUMN company_scorecard.period_end IS 'Last day of the period.';
COMMENT ON COLUMN company_scorecard.period_label IS 'Label of the period.';
COMMENT ON COLUMN company_scorecard.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN company_scorecard.won_count IS 'Deals won in the period. Count; C (by actual close date); 0 where there are none.';
COMMENT ON COLUMN company_scorecard.lost_count IS 'Deals lost in the period. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.closed_count IS 'won_count + lost_count. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.win_rate IS 'won_count / closed_count. Fraction; C; NULL where nothing closed.';
COMMENT ON COLUMN company_scorecard.win_rate_low IS 'Lower bound of the 95 % Wilson interval of win_rate. Fraction; NULL where nothing closed.';
COMMENT ON COLUMN company_scorecard.win_rate_high IS 'Upper bound of the 95 % Wilson interval of win_rate. Fraction; NULL where nothing closed.';
COMMENT ON COLUMN company_scorecard.win_rate_amount IS 'Amount won / (amount won + lost_amount), by owner, whatever the splits. Fraction; C; NULL where that is 0, and where deals were lost whose amounts add up to 0 (amounts of lost deals not recorded).';
COMMENT ON COLUMN company_scorecard.bookings_amount IS 'Sum of the amounts won, of a rep or a team x the share credited (deal_credit). Amount; C; 0 where nothing was won; deals without an amount are in unpriced_count.';
COMMENT ON COLUMN company_scorecard.prior_bookings_amount IS 'bookings_amount of the period before. Amount; C; 0 where nothing was won.';
COMMENT ON COLUMN company_scorecard.sales_growth IS '(bookings_amount - prior_bookings_amount) / prior_bookings_amount. Fraction; C; NULL where prior_bookings_amount is 0 or less. A period that is not complete is compared with the whole one before.';
COMMENT ON COLUMN company_scorecard.lost_amount IS 'Sum of the amounts lost. Amount; C; 0 where nothing was lost.';
COMMENT ON COLUMN company_scorecard.average_deal_amount IS 'Mean amount of the deals won that have one (won_count - unpriced_count), by owner, whatever the splits. Amount; C; NULL where no deal with an amount was won.';
COMMENT ON COLUMN company_scorecard.median_deal_amount IS 'Median amount of the deals won, within 0.5 %. Amount; C; NULL where no deal with an amount was won.';
COMMENT ON COLUMN company_scorecard.p90_deal_amount IS '90th percentile of the amounts won, within 0.5 %. Amount; C; NULL where no deal with an amount was won.';
COMMENT ON COLUMN company_scorecard.unpriced_count IS 'Deals won without an amount, or without a rate for it. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.cycle_count IS 'Deals won whose cycle (opened_on to closed_on) is known: the n of the cycle_... columns. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.cycle_average_days IS 'Mean of closed_on - opened_on of the deals won. Days; C; NULL where cycle_count is 0.';
COMMENT ON COLUMN company_scorecard.cycle_median_days IS 'Median (percentile_cont) of closed_on - opened_on of the deals won. Days; C; NULL where cycle_count is 0.';
COMMENT ON COLUMN company_scorecard.cycle_p90_days IS '90th percentile (percentile_cont) of closed_on - opened_on of the deals won. Days; C; NULL where cycle_count is 0.';
COMMENT ON COLUMN company_scorecard.created_count IS 'Deals opened in the period. Count; R (by opened_on); 0 where there are none.';
COMMENT ON COLUMN company_scorecard.created_won_count IS 'Of the deals opened in the period, those won up to as_of(). Count; R; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.created_win_rate IS 'created_won_count / created_count. Fraction; R; NULL where none was opened. Young cohorts still have open deals: see cycle_curve for the rate that allows for them.';
COMMENT ON COLUMN company_scorecard.pipeline_created_amount IS 'Sum of the amounts of the deals opened in the period, whatever became of them. Amount; R; 0 where none was opened.';
COMMENT ON COLUMN company_scorecard.cycle_km_median_days IS 'Kaplan-Meier median of the days from opening to closing (won or lost) of the deals opened in the period, open deals censored at as_of(). Days; R; NULL where more than half are still open by the curve.';
COMMENT ON COLUMN company_scorecard.cycle_km_median_low_days IS 'Lower 95 % limit of cycle_km_median_days (log scale). Days; R; NULL where not reached.';
COMMENT ON COLUMN company_scorecard.cycle_km_median_high_days IS 'Upper 95 % limit of cycle_km_median_days (log scale). Days; R; NULL where not reached.';
COMMENT ON COLUMN company_scorecard.invalid_count IS 'Deals closed in the period before they were opened: counted in outcomes and amounts, not in cycles. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.undated_count IS 'Deals closed in the period that have no opened_on: counted in outcomes and amounts, not in cycles. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.open_count IS 'Open deals as of as_of(). Count; S; 0 where there are none; NULL except in the period that holds as_of().';
COMMENT ON COLUMN company_scorecard.pipeline_amount IS 'Sum of the amounts of open deals as of as_of(). Amount; S; 0 where there are none; NULL except in the period that holds as_of().';
COMMENT ON COLUMN company_scorecard.sales_velocity_amount IS 'Open deals x win rate x average deal / average cycle. Amount a day; S; win rate, average deal and average cycle are those of the deals closed in the twelve months up to as_of(). NULL except in the period that holds as_of(), and where one of them is NULL.';
COMMENT ON COLUMN company_scorecard.unrecorded_count IS 'Open deals as of as_of() whose history was not recorded by then: they are counted as reconstructed (see deal_as_of). Count; S; 0 where there are none; NULL except in the period that holds as_of().';
COMMENT ON COLUMN company_scorecard.unconverted_count IS 'Deals closed in the period whose amount has no rate into the reporting currency: they count as deals, and add nothing to amounts. Count; C; 0 where there are none.';
COMMENT ON COLUMN company_scorecard.overlay_amount IS 'Overlay credit (deal_credit.is_overlay) of reps for deals won in the period, which comes on top and is never part of bookings_amount. Amount; C; 0 where there is none.';

-- ---------------------------------------------------------------- teams, each with the teams below it

CREATE VIEW team_summary WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       p.holds_as_of,
       e.team_id,
       e.team_name,
       e.parent_team_id,
       e.manager_rep_id,
       e.manager_name,
       e.closed_summary,
       e.prior_summary,
       e.created_summary,
       e.open_summary,
       e.trailing_summary,
       e.unrecorded_count,
       e.created_open_amount,
       e.open_amount,
       e.unconverted_count,
       e.credit_amount,
       e.prior_credit_amount,
       e.overlay_amount
  FROM (SELECT grain, period_start, period_end, period_label, is_complete, prior_start, prior_end,
               period_end >= sales_perf.as_of() AS holds_as_of
          FROM period) AS p
 CROSS JOIN LATERAL (
        SELECT t.team_id,
               t.name AS team_name,
               t.parent_team_id,
               t.manager_rep_id,
               manager.name AS manager_name,
               closed_part.summary AS closed_summary,
               prior_part.summary AS prior_summary,
               created_part.summary AS created_summary,
               open_part.summary AS open_summary,
               coalesce(trailing_part.summary OPERATOR(sales_perf.+) open_part.summary, trailing_part.summary, open_part.summary) AS trailing_summary,
               open_part.unrecorded_count,
               created_part.open_amount AS created_open_amount,
               open_part.open_amount,
               closed_part.unconverted_count,
               credit_part.amount AS credit_amount,
               credit_part.prior_amount AS prior_credit_amount,
               credit_part.overlay_amount
          FROM team t
          LEFT JOIN rep manager ON manager.rep_id = t.manager_rep_id
          LEFT JOIN (SELECT tree.team_id,
                            sales_perf.rollup(of_team.summary) AS summary,
                            sum(of_team.unconverted_count)::bigint AS unconverted_count
                       FROM (SELECT member.team_id,
                                    sales_perf.rollup(c.summary) AS summary,
                                    sum(c.unconverted_count) AS unconverted_count
                               FROM closed_month_cell c
                               JOIN rep_team member ON member.rep_id = c.rep_id AND c.closed_on BETWEEN member.valid_from AND member.valid_to
                              WHERE c.closed_on BETWEEN p.period_start AND p.period_end
                              GROUP BY member.team_id) AS of_team
                       JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                      GROUP BY tree.team_id) AS closed_part ON closed_part.team_id = t.team_id
          LEFT JOIN (SELECT tree.team_id,
                            sales_perf.rollup(of_team.summary) AS summary
                       FROM (SELECT member.team_id,
                                    sales_perf.rollup(c.summary) AS summary
                               FROM closed_month_cell c
                               JOIN rep_team member ON member.rep_id = c.rep_id AND c.closed_on BETWEEN member.valid_from AND member.valid_to
                              WHERE c.closed_on BETWEEN p.prior_start AND p.prior_end
                              GROUP BY member.team_id) AS of_team
                       JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                      GROUP BY tree.team_id) AS prior_part ON prior_part.team_id = t.team_id
          LEFT JOIN (SELECT tree.team_id,
                            sales_perf.rollup(of_team.summary) AS summary,
                            sum(of_team.open_amount) AS open_amount
                       FROM (SELECT member.team_id,
                                    sales_perf.rollup(c.summary) AS summary,
                                    sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                               FROM opened_month_cell c
                               JOIN rep_team member ON member.rep_id = c.rep_id AND c.opened_on BETWEEN member.valid_from AND member.valid_to
                              WHERE c.opened_on BETWEEN p.period_start AND p.period_end
                              GROUP BY member.team_id) AS of_team
                       JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                      GROUP BY tree.team_id) AS created_part ON created_part.team_id = t.team_id
          LEFT JOIN (SELECT tree.team_id,
                            sales_perf.rollup(of_team.summary) AS summary,
                            sum(of_team.unrecorded_count)::bigint AS unrecorded_count,
                            sum(of_team.open_amount) AS open_amount
                       FROM (SELECT member.team_id,
                                    sales_perf.rollup(c.summary) AS summary,
                                    sum(c.unrecorded_count) AS unrecorded_count,
                                    sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                               FROM opened_month_cell c
                               JOIN rep_team member ON member.rep_id = c.rep_id AND sales_perf.as_of() BETWEEN member.valid_from AND member.valid_to
                              WHERE c.is_open
                                AND p.holds_as_of
                              GROUP BY member.team_id) AS of_team
                       JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                      GROUP BY tree.team_id) AS open_part ON open_part.team_id = t.team_id
          LEFT JOIN (SELECT tree.team_id,
                            sales_perf.rollup(of_team.summary) AS summary
                       FROM (SELECT member.team_id,
                                    sales_perf.rollup(cell.summary) AS summary
                               FROM trailing_cell cell
                               JOIN rep_team member ON member.rep_id = cell.rep_id AND cell.on_date BETWEEN member.valid_from AND member.valid_to
                              WHERE p.holds_as_of
                              GROUP BY member.team_id) AS of_team
                       JOIN team_tree tree ON tree.member_team_id = of_team.team_id
                      GROUP BY tree.team_id) AS trailing_part ON trailing_part.team_id = t.team_id
          LEFT JOIN (SELECT member.team_id,
                            trim_scale(sum(c.amount) FILTER (WHERE NOT c.is_overlay AND c.closed_on >= p.period_start)) AS amount,
                            trim_scale(sum(c.amount) FILTER (WHERE NOT c.is_overlay AND c.closed_on BETWEEN p.prior_start AND p.prior_end)) AS prior_amount,
                            trim_scale(sum(c.amount) FILTER (WHERE c.is_overlay AND c.closed_on >= p.period_start)) AS overlay_amount
                       FROM split_month_cell c
                       JOIN team_rep member ON member.rep_id = c.rep_id AND c.closed_on BETWEEN member.valid_from AND member.valid_to
                      WHERE c.closed_on BETWEEN least(p.prior_start, p.period_start) AND p.period_end
                      GROUP BY member.team_id) AS credit_part ON credit_part.team_id = t.team_id) AS e;

COMMENT ON VIEW team_summary IS 'The summaries behind team_scorecard, which BI tools should read instead.';
COMMENT ON COLUMN team_summary.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN team_summary.period_start IS 'First day of the period.';
COMMENT ON COLUMN team_summary.period_end IS 'Last day of the period.';
COMMENT ON COLUMN team_summary.period_label IS 'Label of the period.';
COMMENT ON COLUMN team_summary.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN team_summary.holds_as_of IS 'True for the period in which as_of() lies.';
COMMENT ON COLUMN team_summary.team_id IS 'The team.';
COMMENT ON COLUMN team_summary.team_name IS 'Name of the team.';
COMMENT ON COLUMN team_summary.parent_team_id IS 'The team above it; NULL at the top.';
COMMENT ON COLUMN team_summary.manager_rep_id IS 'The rep who leads the team.';
COMMENT ON COLUMN team_summary.manager_name IS 'Name of that rep.';
COMMENT ON COLUMN team_summary.closed_summary IS 'Deals closed in the period; NULL: none.';
COMMENT ON COLUMN team_summary.prior_summary IS 'Deals closed in the period before; NULL: none.';
COMMENT ON COLUMN team_summary.created_summary IS 'Deals opened in the period; NULL: none.';
COMMENT ON COLUMN team_summary.open_summary IS 'Open deals, in the period that holds as_of().';
COMMENT ON COLUMN team_summary.trailing_summary IS 'Open deals and those closed in the twelve months up to as_of(), in the period that holds it.';
COMMENT ON COLUMN team_summary.unrecorded_count IS 'Open deals whose history was not recorded by then.';
COMMENT ON COLUMN team_summary.created_open_amount IS 'Amount of the deals opened in the period that are still open, at the rates of as_of().';
COMMENT ON COLUMN team_summary.open_amount IS 'Amount of the open deals, at the rates of as_of().';
COMMENT ON COLUMN team_summary.unconverted_count IS 'Deals closed in the period whose amount has no rate into the reporting currency.';
COMMENT ON COLUMN team_summary.credit_amount IS 'What splits of deals won in the period add to (or take from) what the owners booked.';
COMMENT ON COLUMN team_summary.prior_credit_amount IS 'The same in the period before.';
COMMENT ON COLUMN team_summary.overlay_amount IS 'Overlay credit for deals won in the period.';

CREATE VIEW team_scorecard WITH (security_invoker = true) AS
SELECT grain,
       period_start,
       period_end,
       period_label,
       is_complete,
       team_id,
       team_name,
       parent_team_id,
       manager_rep_id,
       manager_name,
       coalesce(sales_perf.won_count(closed_summary), 0) AS won_count,
       coalesce(sales_perf.lost_count(closed_summary), 0) AS lost_count,
       coalesce(sales_perf.won_count(closed_summary) + sales_perf.lost_count(closed_summary), 0) AS closed_count,
       sales_perf.win_rate(closed_summary) AS win_rate,
       sales_perf.win_rate_low(closed_summary) AS win_rate_low,
       sales_perf.win_rate_high(closed_summary) AS win_rate_high,
       sales_perf.win_rate_amount(closed_summary) AS win_rate_amount,
       coalesce(sales_perf.bookings_amount(closed_summary), 0) + coalesce(credit_amount, 0) AS bookings_amount,
       coalesce(sales_perf.bookings_amount(prior_summary), 0) + coalesce(prior_credit_amount, 0) AS prior_bookings_amount,
       sales_perf.growth_rate(coalesce(sales_perf.bookings_amount(closed_summary), 0) + coalesce(credit_amount, 0), coalesce(sales_perf.bookings_amount(prior_summary), 0) + coalesce(prior_credit_amount, 0)) AS sales_growth,
       coalesce(sales_perf.lost_amount(closed_summary), 0) AS lost_amount,
       sales_perf.average_deal_amount(closed_summary) AS average_deal_amount,
       sales_perf.median_deal_amount(closed_summary) AS median_deal_amount,
       sales_perf.deal_amount_percentile(closed_summary, 0.9) AS p90_deal_amount,
       coalesce(sales_perf.unpriced_count(closed_summary), 0) AS unpriced_count,
       coalesce(sales_perf.cycle_count(closed_summary), 0) AS cycle_count,
       sales_perf.cycle_average(closed_summary) AS cycle_average_days,
       sales_perf.cycle_median(closed_summary) AS cycle_median_days,
       sales_perf.cycle_percentile(closed_summary, 0.9) AS cycle_p90_days,
       coalesce(sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary), 0) AS created_count,
       coalesce(sales_perf.won_count(created_summary), 0) AS created_won_count,
       CASE WHEN sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary) > 0 THEN sales_perf.won_count(created_summary)::double precision / (sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary)) END AS created_win_rate,
       coalesce(sales_perf.bookings_amount(created_summary) + sales_perf.lost_amount(created_summary), 0) + coalesce(created_open_amount, 0) AS pipeline_created_amount,
       sales_perf.cycle_km_median(created_summary, sales_perf.as_of()) AS cycle_km_median_days,
       sales_perf.cycle_km_median_low(created_summary, sales_perf.as_of()) AS cycle_km_median_low_days,
       sales_perf.cycle_km_median_high(created_summary, sales_perf.as_of()) AS cycle_km_median_high_days,
       coalesce(sales_perf.invalid_count(closed_summary), 0) AS invalid_count,
       coalesce(sales_perf.undated_count(closed_summary), 0) AS undated_count,
       CASE WHEN holds_as_of THEN coalesce(sales_perf.open_count(open_summary), 0) END AS open_count,
       CASE WHEN holds_as_of THEN coalesce(open_amount, 0) END AS pipeline_amount,
       sales_perf.sales_velocity(trailing_summary) AS sales_velocity_amount,
       CASE WHEN holds_as_of THEN coalesce(unrecorded_count, 0) END AS unrecorded_count,
       coalesce(unconverted_count, 0) AS unconverted_count,
       coalesce(overlay_amount, 0) AS overlay_amount
  FROM team_summary;

COMMENT ON VIEW team_scorecard IS 'The KPIs of each team by period. A team includes the teams below it, so rows of a team and its parent overlap; reps count where they belonged on the day (closing, opening; open deals: as_of()). Filter one grain: the same days stand once in each. Rates are fractions; a ratio is NULL where its denominator is 0.';
COMMENT ON COLUMN team_scorecard.team_id IS 'The team.';
COMMENT ON COLUMN team_scorecard.team_name IS 'Name of the team.';
COMMENT ON COLUMN team_scorecard.parent_team_id IS 'The team above it; NULL at the top.';
COMMENT ON COLUMN team_scorecard.manager_rep_id IS 'The rep who leads the team.';
COMMENT ON COLUMN team_scorecard.manager_name IS 'Name of that rep.';

-- ---------------------------------------------------------------- reps, and what belongs to none of them

-- What belongs to no rep, in a function whose plan a session keeps: it is all of the above once more for one row, and the
-- planner would take as long for it as for all reps. A mart with hardly any such deals pays nothing else for it.
CREATE FUNCTION nobody_summary(period_start date, period_end date, prior_start date, prior_end date, holds_as_of boolean)
    RETURNS TABLE (closed_summary sales_perf.deal_summary, prior_summary sales_perf.deal_summary, created_summary sales_perf.deal_summary,
                   open_summary sales_perf.deal_summary, trailing_summary sales_perf.deal_summary, unrecorded_count bigint,
                   created_open_amount numeric, open_amount numeric, unconverted_count bigint, credit_amount numeric, prior_credit_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT closed_part.summary,
               prior_part.summary,
               created_part.summary,
               open_part.summary,
               coalesce(trailing_part.summary OPERATOR(sales_perf.+) open_part.summary, trailing_part.summary, open_part.summary),
               open_part.unrecorded_count,
               created_part.open_amount,
               open_part.open_amount,
               closed_part.unconverted_count,
               credit_part.amount,
               credit_part.prior_amount
          FROM (SELECT sales_perf.rollup(summary) AS summary,
                     sum(unconverted_count)::bigint AS unconverted_count
                FROM closed_month_cell
               WHERE rep_id IS NULL
                 AND closed_on BETWEEN nobody_summary.period_start AND nobody_summary.period_end) AS closed_part
        LEFT JOIN (SELECT sales_perf.rollup(summary) AS summary
                     FROM closed_month_cell
                    WHERE rep_id IS NULL
                      AND closed_on BETWEEN nobody_summary.prior_start AND nobody_summary.prior_end) AS prior_part ON true
        LEFT JOIN (SELECT sales_perf.rollup(c.summary) AS summary,
                          sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                     FROM opened_month_cell c
                    WHERE c.rep_id IS NULL
                      AND c.opened_on BETWEEN nobody_summary.period_start AND nobody_summary.period_end) AS created_part ON true
        LEFT JOIN (SELECT sales_perf.rollup(c.summary) AS summary,
                          sum(c.unrecorded_count)::bigint AS unrecorded_count,
                          sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                     FROM opened_month_cell c
                    WHERE c.rep_id IS NULL
                      AND c.is_open
                      AND nobody_summary.holds_as_of) AS open_part ON true
        LEFT JOIN (SELECT sales_perf.rollup(summary) AS summary
                     FROM trailing_cell
                    WHERE rep_id IS NULL
                      AND nobody_summary.holds_as_of) AS trailing_part ON true
        LEFT JOIN (SELECT trim_scale(sum(amount) FILTER (WHERE closed_on >= nobody_summary.period_start)) AS amount,
                          trim_scale(sum(amount) FILTER (WHERE closed_on BETWEEN nobody_summary.prior_start AND nobody_summary.prior_end)) AS prior_amount
                     FROM split_month_cell
                    WHERE rep_id IS NULL
                      AND (rollup_is_expected() OR (SELECT has_split_of_nobody()))
                      AND closed_on BETWEEN least(nobody_summary.prior_start, nobody_summary.period_start) AND nobody_summary.period_end) AS credit_part ON true
       WHERE EXISTS (SELECT FROM deal WHERE rep_id IS NULL)
          -- or was nobody's then
          OR EXISTS (SELECT
                       FROM deal_change
                      WHERE changed_at >= (sales_perf.as_of() + 1)::timestamptz
                        AND field = 'rep_id'
                        AND old_value IS NULL);
END
$$;

COMMENT ON FUNCTION nobody_summary(date, date, date, date, boolean) IS 'A part of rep_summary: one row for the deals of no rep in a period, if there are, or were, any such deals; none else.';

-- Parts are joined on rep_id, and once more on rep_id || '': with a constant rep the first says nothing
-- of how many rows match, and up to PostgreSQL 15 hundreds were taken to, multiplied by each part.
CREATE VIEW rep_summary WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       p.holds_as_of,
       e.rep_id,
       e.rep_name,
       e.team_id,
       e.team_name,
       e.manager_rep_id,
       e.manager_name,
       e.closed_summary,
       e.prior_summary,
       e.created_summary,
       e.open_summary,
       e.trailing_summary,
       e.unrecorded_count,
       e.created_open_amount,
       e.open_amount,
       e.unconverted_count,
       e.credit_amount,
       e.prior_credit_amount,
       e.overlay_amount
  FROM (SELECT grain, period_start, period_end, period_label, is_complete, prior_start, prior_end,
               period_end >= sales_perf.as_of() AS holds_as_of
          FROM period) AS p
 CROSS JOIN LATERAL (
        SELECT r.rep_id,
               r.rep_name,
               r.team_id,
               r.team_name,
               r.manager_rep_id,
               r.manager_name,
               closed_part.summary AS closed_summary,
               prior_part.summary AS prior_summary,
               created_part.summary AS created_summary,
               open_part.summary AS open_summary,
               coalesce(trailing_part.summary OPERATOR(sales_perf.+) open_part.summary, trailing_part.summary, open_part.summary) AS trailing_summary,
               open_part.unrecorded_count,
               created_part.open_amount AS created_open_amount,
               open_part.open_amount,
               closed_part.unconverted_count,
               credit_part.amount AS credit_amount,
               credit_part.prior_amount AS prior_credit_amount,
               credit_part.overlay_amount
          -- OFFSET: with two tables less to put into an order with the parts the planner takes a millisecond less
          FROM (SELECT rep.rep_id,
                       rep.name AS rep_name,
                       rep.team_id,
                       t.name AS team_name,
                       t.manager_rep_id,
                       manager.name AS manager_name
                  FROM rep
                  LEFT JOIN team t ON t.team_id = rep.team_id
                  LEFT JOIN rep manager ON manager.rep_id = t.manager_rep_id
                OFFSET 0) AS r
          LEFT JOIN (SELECT rep_id,
                            sales_perf.rollup(summary) AS summary,
                            sum(unconverted_count)::bigint AS unconverted_count
                       FROM closed_month_cell
                      WHERE closed_on BETWEEN p.period_start AND p.period_end
                      GROUP BY rep_id) AS closed_part ON closed_part.rep_id = r.rep_id AND closed_part.rep_id || '' = r.rep_id || ''
          LEFT JOIN (SELECT rep_id,
                            sales_perf.rollup(summary) AS summary
                       FROM closed_month_cell
                      WHERE closed_on BETWEEN p.prior_start AND p.prior_end
                      GROUP BY rep_id) AS prior_part ON prior_part.rep_id = r.rep_id AND prior_part.rep_id || '' = r.rep_id || ''
          LEFT JOIN (SELECT c.rep_id,
                            sales_perf.rollup(c.summary) AS summary,
                            sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                       FROM opened_month_cell c
                      WHERE c.opened_on BETWEEN p.period_start AND p.period_end
                      GROUP BY c.rep_id) AS created_part ON created_part.rep_id = r.rep_id AND created_part.rep_id || '' = r.rep_id || ''
          LEFT JOIN (SELECT c.rep_id,
                            sales_perf.rollup(c.summary) AS summary,
                            sum(c.unrecorded_count)::bigint AS unrecorded_count,
                            sum(sales_perf.converted_amount(c.open_amount, c.currency, sales_perf.as_of(), 'fx_rate_list'::regclass)) AS open_amount
                       FROM opened_month_cell c
                      WHERE c.is_open
                        AND p.holds_as_of
                      GROUP BY c.rep_id) AS open_part ON open_part.rep_id = r.rep_id AND open_part.rep_id || '' = r.rep_id || ''
          LEFT JOIN (SELECT rep_id,
                            sales_perf.rollup(summary) AS summary
                       FROM trailing_cell
                      WHERE p.holds_as_of
                      GROUP BY rep_id) AS trailing_part ON trailing_part.rep_id = r.rep_id AND trailing_part.rep_id || '' = r.rep_id || ''
          LEFT JOIN (SELECT rep_id,
                            trim_scale(sum(amount) FILTER (WHERE NOT is_overlay AND closed_on >= p.period_start)) AS amount,
                            trim_scale(sum(amount) FILTER (WHERE NOT is_overlay AND closed_on BETWEEN p.prior_start AND p.prior_end)) AS prior_amount,
                            trim_scale(sum(amount) FILTER (WHERE is_overlay AND closed_on >= p.period_start)) AS overlay_amount
                       FROM split_month_cell
                      WHERE closed_on BETWEEN least(p.prior_start, p.period_start) AND p.period_end
                      GROUP BY rep_id) AS credit_part ON credit_part.rep_id = r.rep_id AND credit_part.rep_id || '' = r.rep_id || ''
        UNION ALL
        SELECT NULL::text,
               '(no rep)'::text,
               NULL::text,
               NULL::text,
               NULL::text,
               NULL::text,
               n.closed_summary,
               n.prior_summary,
               n.created_summary,
               n.open_summary,
               n.trailing_summary,
               n.unrecorded_count,
               n.created_open_amount,
               n.open_amount,
               n.unconverted_count,
               n.credit_amount,
               n.prior_credit_amount,
               NULL::numeric
          FROM nobody_summary(p.period_start, p.period_end, p.prior_start, p.prior_end, p.holds_as_of) AS n) AS e;

COMMENT ON VIEW rep_summary IS 'The summaries behind rep_scorecard, which BI tools should read instead.';
COMMENT ON COLUMN rep_summary.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN rep_summary.period_start IS 'First day of the period.';
COMMENT ON COLUMN rep_summary.period_end IS 'Last day of the period.';
COMMENT ON COLUMN rep_summary.period_label IS 'Label of the period.';
COMMENT ON COLUMN rep_summary.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN rep_summary.holds_as_of IS 'True for the period in which as_of() lies.';
COMMENT ON COLUMN rep_summary.rep_id IS 'The rep; NULL: deals of no rep.';
COMMENT ON COLUMN rep_summary.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN rep_summary.team_id IS 'The team the rep belongs to now; NULL: none.';
COMMENT ON COLUMN rep_summary.team_name IS 'Name of the team.';
COMMENT ON COLUMN rep_summary.manager_rep_id IS 'The rep who leads the team.';
COMMENT ON COLUMN rep_summary.manager_name IS 'Name of that rep.';
COMMENT ON COLUMN rep_summary.closed_summary IS 'Deals closed in the period; NULL: none.';
COMMENT ON COLUMN rep_summary.prior_summary IS 'Deals closed in the period before; NULL: none.';
COMMENT ON COLUMN rep_summary.created_summary IS 'Deals opened in the period; NULL: none.';
COMMENT ON COLUMN rep_summary.open_summary IS 'Open deals, in the period that holds as_of().';
COMMENT ON COLUMN rep_summary.trailing_summary IS 'Open deals and those closed in the twelve months up to as_of(), in the period that holds it.';
COMMENT ON COLUMN rep_summary.unrecorded_count IS 'Open deals whose history was not recorded by then.';
COMMENT ON COLUMN rep_summary.created_open_amount IS 'Amount of the deals opened in the period that are still open, at the rates of as_of().';
COMMENT ON COLUMN rep_summary.open_amount IS 'Amount of the open deals, at the rates of as_of().';
COMMENT ON COLUMN rep_summary.unconverted_count IS 'Deals closed in the period whose amount has no rate into the reporting currency.';
COMMENT ON COLUMN rep_summary.credit_amount IS 'What splits of deals won in the period add to (or take from) what the owners booked.';
COMMENT ON COLUMN rep_summary.prior_credit_amount IS 'The same in the period before.';
COMMENT ON COLUMN rep_summary.overlay_amount IS 'Overlay credit for deals won in the period.';

CREATE VIEW rep_scorecard WITH (security_invoker = true) AS
SELECT grain,
       period_start,
       period_end,
       period_label,
       is_complete,
       rep_id,
       rep_name,
       team_id,
       team_name,
       manager_rep_id,
       manager_name,
       coalesce(sales_perf.won_count(closed_summary), 0) AS won_count,
       coalesce(sales_perf.lost_count(closed_summary), 0) AS lost_count,
       coalesce(sales_perf.won_count(closed_summary) + sales_perf.lost_count(closed_summary), 0) AS closed_count,
       sales_perf.win_rate(closed_summary) AS win_rate,
       sales_perf.win_rate_low(closed_summary) AS win_rate_low,
       sales_perf.win_rate_high(closed_summary) AS win_rate_high,
       sales_perf.win_rate_amount(closed_summary) AS win_rate_amount,
       coalesce(sales_perf.bookings_amount(closed_summary), 0) + coalesce(credit_amount, 0) AS bookings_amount,
       coalesce(sales_perf.bookings_amount(prior_summary), 0) + coalesce(prior_credit_amount, 0) AS prior_bookings_amount,
       sales_perf.growth_rate(coalesce(sales_perf.bookings_amount(closed_summary), 0) + coalesce(credit_amount, 0), coalesce(sales_perf.bookings_amount(prior_summary), 0) + coalesce(prior_credit_amount, 0)) AS sales_growth,
       coalesce(sales_perf.lost_amount(closed_summary), 0) AS lost_amount,
       sales_perf.average_deal_amount(closed_summary) AS average_deal_amount,
       sales_perf.median_deal_amount(closed_summary) AS median_deal_amount,
       sales_perf.deal_amount_percentile(closed_summary, 0.9) AS p90_deal_amount,
       coalesce(sales_perf.unpriced_count(closed_summary), 0) AS unpriced_count,
       coalesce(sales_perf.cycle_count(closed_summary), 0) AS cycle_count,
       sales_perf.cycle_average(closed_summary) AS cycle_average_days,
       sales_perf.cycle_median(closed_summary) AS cycle_median_days,
       sales_perf.cycle_percentile(closed_summary, 0.9) AS cycle_p90_days,
       coalesce(sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary), 0) AS created_count,
       coalesce(sales_perf.won_count(created_summary), 0) AS created_won_count,
       CASE WHEN sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary) > 0 THEN sales_perf.won_count(created_summary)::double precision / (sales_perf.won_count(created_summary) + sales_perf.lost_count(created_summary) + sales_perf.open_count(created_summary)) END AS created_win_rate,
       coalesce(sales_perf.bookings_amount(created_summary) + sales_perf.lost_amount(created_summary), 0) + coalesce(created_open_amount, 0) AS pipeline_created_amount,
       sales_perf.cycle_km_median(created_summary, sales_perf.as_of()) AS cycle_km_median_days,
       sales_perf.cycle_km_median_low(created_summary, sales_perf.as_of()) AS cycle_km_median_low_days,
       sales_perf.cycle_km_median_high(created_summary, sales_perf.as_of()) AS cycle_km_median_high_days,
       coalesce(sales_perf.invalid_count(closed_summary), 0) AS invalid_count,
       coalesce(sales_perf.undated_count(closed_summary), 0) AS undated_count,
       CASE WHEN holds_as_of THEN coalesce(sales_perf.open_count(open_summary), 0) END AS open_count,
       CASE WHEN holds_as_of THEN coalesce(open_amount, 0) END AS pipeline_amount,
       sales_perf.sales_velocity(trailing_summary) AS sales_velocity_amount,
       CASE WHEN holds_as_of THEN coalesce(unrecorded_count, 0) END AS unrecorded_count,
       coalesce(unconverted_count, 0) AS unconverted_count,
       coalesce(overlay_amount, 0) AS overlay_amount
  FROM rep_summary;

COMMENT ON VIEW rep_scorecard IS 'The KPIs of each rep by period; deals of no rep stand in a row of their own, (no rep), so that the rows of a period add up to the company''s. Filter one grain: the same days stand once in each. Rates are fractions; a ratio is NULL where its denominator is 0.';
COMMENT ON COLUMN rep_scorecard.rep_id IS 'The rep; NULL: deals of no rep.';
COMMENT ON COLUMN rep_scorecard.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN rep_scorecard.team_id IS 'The team the rep belongs to now; NULL: none.';
COMMENT ON COLUMN rep_scorecard.team_name IS 'Name of the team.';
COMMENT ON COLUMN rep_scorecard.manager_rep_id IS 'The rep who leads the team.';
COMMENT ON COLUMN rep_scorecard.manager_name IS 'Name of that rep.';

-- The same column means the same in all three: the comments are written once.
DO $$
DECLARE
    copied record;
BEGIN
    FOR copied IN
        SELECT target.attrelid::regclass AS view_name,
               target.attname AS column_name,
               col_description(source.attrelid, source.attnum) AS comment
          FROM pg_attribute source
          JOIN pg_attribute target ON target.attname = source.attname
         WHERE source.attrelid = 'company_scorecard'::regclass
           AND source.attnum > 0
           AND target.attrelid IN ('team_scorecard'::regclass, 'rep_scorecard'::regclass)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', copied.view_name, copied.column_name, copied.comment);
    END LOOP;
END
$$;

SET LOCAL search_path = sales_perf, pg_temp;
