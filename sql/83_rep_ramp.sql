-- How long it takes those who are new until they win their first deal.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW rep_ramp WITH (security_invoker = true) AS
WITH first_win AS (
    SELECT rep_id,
           min(closed_on) AS won_on
      FROM deal_core_as_of
     WHERE NOT is_open
       AND outcome = 'won'
       AND rep_id IS NOT NULL
       AND closed_on > '-infinity'
     GROUP BY rep_id
),
-- Of who came before the data begin nobody knows the first win.
known AS MATERIALIZED (
    SELECT min(won_on) AS from_day
      FROM first_win
),
newcomer AS MATERIALIZED (
    SELECT r.rep_id,
           coalesce(r.hired_on <= w.won_on, true) AND r.hired_on >= k.from_day AS is_counted,
           w.won_on IS NULL AND r.left_on <= sales_perf.as_of() AS has_left,
           r.hired_on,
           w.won_on,
           least(r.left_on, sales_perf.as_of()) - r.hired_on AS seen_days
      FROM rep r
     CROSS JOIN known k
      LEFT JOIN first_win w ON w.rep_id = r.rep_id
     WHERE r.hired_on IS NULL
        OR r.hired_on <= sales_perf.as_of()
),
of_level AS (
    SELECT 'company'::text AS level,
           NULL::text AS team_id,
           n.*
      FROM newcomer n
    UNION ALL
    -- where they began
    SELECT 'team'::text,
           m.team_id,
           n.*
      FROM newcomer n
      JOIN team_rep m ON m.rep_id = n.rep_id AND coalesce(n.hired_on, sales_perf.as_of()) BETWEEN m.valid_from AND m.valid_to
),
-- As deals: opened when hired, won with the first win, or open still. Who left without one was seen for fewer days than since
-- he came; to the curve these are days up to as_of().
summed AS (
    SELECT level,
           team_id,
           count(*) FILTER (WHERE is_counted) AS rep_count,
           count(*) FILTER (WHERE is_counted AND won_on IS NOT NULL) AS won_count,
           count(*) FILTER (WHERE is_counted AND has_left) AS left_count,
           count(*) FILTER (WHERE is_counted IS NOT TRUE) AS uncounted_count,
           sales_perf.deal_agg(NULL::numeric,
                               CASE WHEN won_on IS NULL THEN 'open' ELSE 'won' END,
                               CASE WHEN won_on IS NULL THEN sales_perf.as_of() - greatest(seen_days, 0) ELSE hired_on END,
                               won_on) FILTER (WHERE is_counted) AS summary
      FROM of_level
     GROUP BY level, team_id
)
SELECT s.level,
       s.team_id,
       t.name AS team_name,
       s.rep_count,
       s.won_count,
       s.left_count,
       s.uncounted_count,
       m.days AS ramp_median_days,
       sales_perf.cycle_km_median_low(s.summary, sales_perf.as_of()) AS ramp_low_days,
       sales_perf.cycle_km_median_high(s.summary, sales_perf.as_of()) AS ramp_high_days,
       coalesce(t.name, 'Company') || ': '
       || CASE
              WHEN s.rep_count = 0 THEN 'nobody was hired since the first deal was won.'
              ELSE s.won_count || ' of ' || s.rep_count || CASE s.rep_count WHEN 1 THEN ' rep' ELSE ' reps' END || ' hired since the first deal was won had a first win of their own'
                   || CASE
                          WHEN m.days IS NULL THEN '; too few to tell after how many days half of them have.'
                          ELSE ', half of them within ' || round(m.days)::bigint || CASE round(m.days) WHEN 1 THEN ' day' ELSE ' days' END || ' of coming.'
                      END
          END AS summary_text
  FROM summed s
  LEFT JOIN team t ON t.team_id = s.team_id
 CROSS JOIN LATERAL (SELECT sales_perf.cycle_km_median(s.summary, sales_perf.as_of()) AS days) AS m;

COMMENT ON VIEW rep_ramp IS 'How long it takes from being hired (rep.hired_on) to the first deal won, as its owner, as of as_of(): the Kaplan-Meier median, in which those who have not won yet count for the days they have been here, and those who left without a win for the days they were. Only of reps hired since the first deal of the mart was won: of others the first win is not known. Of the company, and of each team with the teams below it, by the team in which they began.';
COMMENT ON COLUMN rep_ramp.level IS 'company or team: filter one.';
COMMENT ON COLUMN rep_ramp.team_id IS 'The team; NULL for the company.';
COMMENT ON COLUMN rep_ramp.team_name IS 'Its name; NULL for the company.';
COMMENT ON COLUMN rep_ramp.rep_count IS 'Reps that are counted. Count; R.';
COMMENT ON COLUMN rep_ramp.won_count IS 'Of these, those who have won a deal. Count; R.';
COMMENT ON COLUMN rep_ramp.left_count IS 'Of these, those who left without having won one. Count; R.';
COMMENT ON COLUMN rep_ramp.uncounted_count IS 'Reps that are not: hired_on is not known, or before the first deal of the mart was won, or after the rep''s own first win. Count.';
COMMENT ON COLUMN rep_ramp.ramp_median_days IS 'Days after which half of them have won a deal. Days; R; NULL where the curve does not come down to a half.';
COMMENT ON COLUMN rep_ramp.ramp_low_days IS 'Lower 95 % limit of ramp_median_days (log scale). Days; R; NULL where not reached.';
COMMENT ON COLUMN rep_ramp.ramp_high_days IS 'Upper 95 % limit of ramp_median_days (log scale). Days; R; NULL where not reached.';
COMMENT ON COLUMN rep_ramp.summary_text IS 'All of this in plain words.';

SET LOCAL search_path = sales_perf, pg_temp;
