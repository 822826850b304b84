-- How long deals take: the Kaplan-Meier curve and the chances of having won and lost by then, of
-- the company, each team and each rep. Open deals are censored at their age, not left out.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW cycle_curve WITH (security_invoker = true) AS
WITH cohort AS NOT MATERIALIZED (
    SELECT 'company'::text AS level,
           NULL::text AS team_id,
           NULL::text AS team_name,
           NULL::text AS rep_id,
           NULL::text AS rep_name,
           (SELECT sales_perf.rollup(summary) FROM opened_cell) AS summary
    UNION ALL
    SELECT 'team'::text,
           t.team_id,
           t.name,
           NULL::text,
           NULL::text,
           opened.summary
      FROM team t
      JOIN (SELECT tree.team_id,
                   sales_perf.rollup(of_team.summary) AS summary
              FROM (SELECT member.team_id,
                           sales_perf.rollup(c.summary) AS summary
                      FROM opened_cell c
                      JOIN rep_team member ON member.rep_id = c.rep_id AND c.opened_on BETWEEN member.valid_from AND member.valid_to
                     GROUP BY member.team_id) AS of_team
              JOIN team_tree tree ON tree.member_team_id = of_team.team_id
             GROUP BY tree.team_id) AS opened ON opened.team_id = t.team_id
    UNION ALL
    SELECT 'rep'::text,
           r.team_id,
           t.name,
           r.rep_id,
           r.name,
           opened.summary
      FROM rep r
      LEFT JOIN team t ON t.team_id = r.team_id
      JOIN (SELECT rep_id,
                   sales_perf.rollup(summary) AS summary
              FROM opened_cell
             GROUP BY rep_id) AS opened ON opened.rep_id = r.rep_id
)
SELECT cohort.level,
       cohort.team_id,
       cohort.team_name,
       cohort.rep_id,
       cohort.rep_name,
       curve.day AS cycle_days,
       curve.at_risk AS at_risk_count,
       curve.won AS won_count,
       curve.lost AS lost_count,
       curve.survival AS survival_rate,
       curve.survival_se,
       CASE WHEN curve.survival > 0 THEN curve.survival * exp(-1.959963984540054 * curve.survival_se / curve.survival) END AS survival_low_rate,
       CASE WHEN curve.survival > 0 THEN least(1, curve.survival * exp(1.959963984540054 * curve.survival_se / curve.survival)) END AS survival_high_rate,
       curve.win_incidence AS win_incidence_rate,
       curve.loss_incidence AS loss_incidence_rate
  FROM cohort
 CROSS JOIN LATERAL sales_perf.cycle_curve(cohort.summary, sales_perf.as_of()) AS curve;

COMMENT ON VIEW cycle_curve IS 'Kaplan-Meier curve of the days from opening to closing, and Aalen-Johansen incidences of winning and losing (competing ends), of all deals opened up to as_of(): one row for each day of age on which a deal closed or was censored. Open deals are censored at their age as of as_of(); deals without opened_on, and those closed before it, are left out. Deals count for the team their rep belonged to on the day they were opened. Filter one level.';
COMMENT ON COLUMN cycle_curve.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN cycle_curve.team_id IS 'The team, or the team of the rep; NULL for the company.';
COMMENT ON COLUMN cycle_curve.team_name IS 'Its name.';
COMMENT ON COLUMN cycle_curve.rep_id IS 'The rep; NULL for company and teams.';
COMMENT ON COLUMN cycle_curve.rep_name IS 'The name of the rep.';
COMMENT ON COLUMN cycle_curve.cycle_days IS 'Age of a deal: days since it was opened.';
COMMENT ON COLUMN cycle_curve.at_risk_count IS 'Deals still open on reaching that age. Count.';
COMMENT ON COLUMN cycle_curve.won_count IS 'Deals won at that age. Count.';
COMMENT ON COLUMN cycle_curve.lost_count IS 'Deals lost at that age. Count.';
COMMENT ON COLUMN cycle_curve.survival_rate IS 'Share of deals still open after that age (Kaplan-Meier; closed is the event). Fraction.';
COMMENT ON COLUMN cycle_curve.survival_se IS 'Its standard error (Greenwood, on the survival scale). Fraction.';
COMMENT ON COLUMN cycle_curve.survival_low_rate IS 'Lower 95 % limit of survival_rate (log scale). Fraction; NULL where survival_rate is 0.';
COMMENT ON COLUMN cycle_curve.survival_high_rate IS 'Upper 95 % limit of survival_rate (log scale), at most 1. Fraction; NULL where survival_rate is 0.';
COMMENT ON COLUMN cycle_curve.win_incidence_rate IS 'Chance of having been won by that age (Aalen-Johansen). Fraction.';
COMMENT ON COLUMN cycle_curve.loss_incidence_rate IS 'Chance of having been lost by that age (Aalen-Johansen). Fraction.';

SET LOCAL search_path = sales_perf, pg_temp;
