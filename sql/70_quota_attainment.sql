-- What was reached of quotas: by period for the company, each team and each rep.
--
-- As in the scorecards, a filter on grain or period chooses rows of period first, whose days then
-- bound the scan of deals; a rep reaches it by its equality; what is not asked for is not fetched.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW quota_attainment WITH (security_invoker = true) AS
SELECT a.level,
       coalesce(a.team_id, m.team_id) AS team_id,
       t.name AS team_name,
       a.rep_id,
       CASE WHEN a.level = 'rep' THEN coalesce(r.name, '(no rep)') END AS rep_name,
       p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       a.quota_amount,
       a.credited_amount,
       a.untargeted_amount,
       CASE WHEN a.quota_amount > 0 THEN ((a.credited_amount - a.untargeted_amount) / a.quota_amount)::double precision END AS attainment_rate,
       CASE WHEN a.quota_amount > 0 THEN a.quota_amount - (a.credited_amount - a.untargeted_amount) END AS attainment_gap_amount,
       a.is_full_quota,
       a.overlay_quota_amount,
       a.overlay_credited_amount,
       CASE WHEN a.overlay_quota_amount > 0 THEN (a.overlay_credited_amount / a.overlay_quota_amount)::double precision END AS overlay_attainment_rate,
       a.assigned_amount,
       CASE WHEN a.assigned_amount > 0 THEN ((a.credited_amount) / a.assigned_amount)::double precision END AS assigned_attainment_rate,
       a.targeted_rep_count,
       a.full_rep_count,
       a.attained_rep_count,
       CASE WHEN a.full_rep_count > 0 THEN a.attained_rep_count::double precision / a.full_rep_count END AS attained_rep_rate,
       a.attainment_median,
       a.attainment_gini
  FROM period p
 CROSS JOIN LATERAL attainment_between(p.period_start, p.period_end) AS a
  LEFT JOIN rep r ON r.rep_id = a.rep_id
  LEFT JOIN rep_team m
    ON m.rep_id = a.rep_id
   AND least(p.period_end, sales_perf.as_of()) BETWEEN m.valid_from AND m.valid_to
  LEFT JOIN team t ON t.team_id = coalesce(a.team_id, m.team_id);

COMMENT ON VIEW quota_attainment IS 'Quotas and what was credited towards them, by period. Teams count what reps did while they belonged to them, quotas as credit; reps without a quota count apart (untargeted_amount), overlays too. The reps of a period add up to the company, unless the quota of a team or of the company stands in. In a mart without any deal, sales are what is credited. Filter one level and one grain.';
COMMENT ON COLUMN quota_attainment.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN quota_attainment.team_id IS 'The team, or the team of the rep on the period''s last day (as_of(), where that is earlier); NULL for the company.';
COMMENT ON COLUMN quota_attainment.team_name IS 'Its name.';
COMMENT ON COLUMN quota_attainment.rep_id IS 'The rep; NULL for company and teams, and for what is credited to nobody.';
COMMENT ON COLUMN quota_attainment.rep_name IS 'The name of the rep; (no rep): what is credited to nobody.';
COMMENT ON COLUMN quota_attainment.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN quota_attainment.period_start IS 'First day of the period.';
COMMENT ON COLUMN quota_attainment.period_end IS 'Last day of the period.';
COMMENT ON COLUMN quota_attainment.period_label IS 'Label of the period.';
COMMENT ON COLUMN quota_attainment.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN quota_attainment.quota_amount IS 'Quota of the whole period, also of its days after as_of(): sum over days of quota x season x ramp x active share. Of a team: of its reps on the days on which they belong to it or a team below it, and quotas of teams on days on which nobody below has one. Amount; P; NULL where there is no quota.';
COMMENT ON COLUMN quota_attainment.credited_amount IS 'What is credited in the period to the rep, or to reps while they belong to the team, overlays left out (view credited). Amount; C; 0 where there is nothing.';
COMMENT ON COLUMN quota_attainment.untargeted_amount IS 'The part of credited_amount that belongs to reps without a quota in the period (and to nobody), unless quota_amount has a quota of a team of theirs, or of the company, that stands in. Amount; C; in no attainment_rate.';
COMMENT ON COLUMN quota_attainment.attainment_rate IS '(credited_amount - untargeted_amount) / quota_amount. Fraction; C; of a team sum / sum, never a mean of rates; NULL where quota_amount is NULL or 0.';
COMMENT ON COLUMN quota_attainment.attainment_gap_amount IS 'quota_amount - (credited_amount - untargeted_amount): what is still missing, below 0 where there is more than enough. Amount; C; NULL where quota_amount is NULL or 0.';
COMMENT ON COLUMN quota_attainment.is_full_quota IS 'True where the rep has a quota on every day of the period, which ramp, leave and absence do not lower. NULL for company and teams.';
COMMENT ON COLUMN quota_attainment.overlay_quota_amount IS 'Quotas of overlay reps, which are in no quota_amount; for a team those of its reps. Amount; P; NULL where there is none.';
COMMENT ON COLUMN quota_attainment.overlay_credited_amount IS 'Overlay credit, which is in no credited_amount. Amount; C; 0 where there is none.';
COMMENT ON COLUMN quota_attainment.overlay_attainment_rate IS 'overlay_credited_amount / overlay_quota_amount. Fraction; C; NULL where overlay_quota_amount is NULL or 0.';
COMMENT ON COLUMN quota_attainment.assigned_amount IS 'Quotas of the team or the company itself, whole: below quota_amount where more was handed on to the reps than was assigned. Amount; P; NULL where there is none.';
COMMENT ON COLUMN quota_attainment.assigned_attainment_rate IS 'credited_amount / assigned_amount. Fraction; C; NULL where assigned_amount is NULL or 0.';
COMMENT ON COLUMN quota_attainment.targeted_rep_count IS 'Reps with a quota above 0 in the period. Count; P; NULL for reps.';
COMMENT ON COLUMN quota_attainment.full_rep_count IS 'Of these, reps whose quota is full (is_full_quota), in the team on every day. Count; P; NULL for reps.';
COMMENT ON COLUMN quota_attainment.attained_rep_count IS 'Of full_rep_count, reps with an attainment_rate of 1 or more. Count; P; NULL for reps.';
COMMENT ON COLUMN quota_attainment.attained_rep_rate IS 'attained_rep_count / full_rep_count. Fraction; P; NULL where full_rep_count is 0, and for reps.';
COMMENT ON COLUMN quota_attainment.attainment_median IS 'Median attainment_rate over the reps with a quota, within 0.00005. Fraction; P; NULL where there are none, and for reps.';
COMMENT ON COLUMN quota_attainment.attainment_gini IS 'Gini coefficient of attainment_rate over the reps with a quota: 0 where all reached the same, towards 1 where few reached all. P; NULL where there are none or nobody reached anything, and for reps.';

SET LOCAL search_path = sales_perf, pg_temp;
