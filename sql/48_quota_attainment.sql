-- What was reached of quotas, for any range of days: the company, each team and each rep.
--
-- The functions are inlined: a rep, a level or the days asked for reach the scan of deals, and what is
-- not asked for is not fetched.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- Where the quota of a team stands in, what is credited without a quota of the rep's is credited
-- towards that one.
CREATE FUNCTION attainment_of_rep(first_day date, last_day date, by_team boolean)
    RETURNS TABLE (part text, team_id text, rep_id text, quota_amount numeric, overlay_quota_amount numeric, is_full_quota boolean,
                   credited_amount numeric, overlay_credited_amount numeric, untargeted_amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH portion AS MATERIALIZED (
        SELECT p.part, p.team_id, p.rep_id, p.is_overlay, p.from_day, p.to_day, p.amount, p.is_full
          FROM quota_portion(attainment_of_rep.first_day, attainment_of_rep.last_day, attainment_of_rep.by_team) AS p
    ), stood_in AS MATERIALIZED (
        -- A quota that stands in is one of its team and of those above, not of the teams below, whose
        -- reps' credit it is met with.
        SELECT DISTINCT
               CASE WHEN attainment_of_rep.by_team THEN above.team_id END AS team_id,
               below.member_team_id
          FROM portion p
          JOIN team_tree above ON above.member_team_id = p.team_id
          JOIN team_tree below ON below.team_id = p.team_id
         WHERE p.part = 'stand_in'
           AND p.amount > 0
    )
    SELECT x.part,
           CASE WHEN x.part = 'assigned' OR NOT attainment_of_rep.by_team THEN x.leaf_team_id ELSE tree.team_id END,
           x.rep_id,
           sum(x.quota_amount),
           sum(x.overlay_quota_amount),
           coalesce(bool_and(x.is_full) AND range_agg(x.days) @> daterange(attainment_of_rep.first_day, attainment_of_rep.last_day, '[]'), false),
           sum(x.credited_amount),
           sum(x.overlay_credited_amount),
           CASE
               WHEN sum(x.quota_amount) > 0 THEN 0::numeric
               ELSE sum(x.credited_amount)
                    FILTER (WHERE stood_in.member_team_id IS NULL
                              AND (attainment_of_rep.by_team
                                   OR NOT EXISTS (SELECT FROM portion p WHERE p.part = 'stand_in' AND p.team_id IS NULL AND p.amount > 0)))
           END
      FROM (SELECT p.part,
                   CASE WHEN attainment_of_rep.by_team OR p.part = 'assigned' THEN p.team_id END AS leaf_team_id,
                   p.rep_id,
                   CASE WHEN NOT p.is_overlay THEN p.amount END AS quota_amount,
                   CASE WHEN p.is_overlay THEN p.amount END AS overlay_quota_amount,
                   CASE WHEN NOT p.is_overlay THEN p.is_full END AS is_full,
                   CASE WHEN NOT p.is_overlay THEN daterange(p.from_day, p.to_day, '[]') END AS days,
                   NULL::numeric AS credited_amount,
                   NULL::numeric AS overlay_credited_amount,
                   NULL::text AS credited_team_id
              FROM portion p
            UNION ALL
            SELECT 'rep'::text,
                   CASE WHEN attainment_of_rep.by_team THEN c.team_id END,
                   c.rep_id,
                   NULL::numeric,
                   NULL::numeric,
                   NULL::boolean,
                   NULL::daterange,
                   c.amount,
                   c.overlay_amount,
                   c.team_id
              FROM (SELECT m.team_id,
                           b.rep_id,
                           sum(b.amount) FILTER (WHERE NOT b.is_overlay) AS amount,
                           sum(b.amount) FILTER (WHERE b.is_overlay) AS overlay_amount
                      FROM credited b
                      LEFT JOIN rep_team m ON m.rep_id = b.rep_id AND b.credited_on BETWEEN m.valid_from AND m.valid_to
                     WHERE b.credited_on BETWEEN attainment_of_rep.first_day AND attainment_of_rep.last_day
                     GROUP BY m.team_id, b.rep_id) AS c) AS x
      LEFT JOIN team_tree tree
        ON attainment_of_rep.by_team
       AND tree.member_team_id = x.leaf_team_id
       AND x.part <> 'assigned'
      LEFT JOIN stood_in
        ON stood_in.member_team_id = x.credited_team_id
       AND (stood_in.team_id = tree.team_id OR NOT attainment_of_rep.by_team)
     WHERE tree.team_id IS NOT NULL
        OR x.part = 'assigned'
        OR NOT attainment_of_rep.by_team
     GROUP BY x.part, CASE WHEN x.part = 'assigned' OR NOT attainment_of_rep.by_team THEN x.leaf_team_id ELSE tree.team_id END, x.rep_id;
END;

COMMENT ON FUNCTION attainment_of_rep(date, date, boolean) IS 'Internal to attainment_between: quotas and credit of each rep in a range of days, or, by_team, of each rep in each team on the days on which the rep belonged to it or a team below it; and the quotas of teams and the company (part stand_in and assigned). untargeted_amount: credited to a rep who has no quota there, where no quota that is part of the team''s (or the company''s) stands in.';

CREATE FUNCTION attainment_between(first_day date, last_day date)
    RETURNS TABLE (level text, team_id text, rep_id text,
                   quota_amount numeric, credited_amount numeric, untargeted_amount numeric, is_full_quota boolean,
                   overlay_quota_amount numeric, overlay_credited_amount numeric, assigned_amount numeric,
                   targeted_rep_count bigint, full_rep_count bigint, attained_rep_count bigint,
                   attainment_median double precision, attainment_gini double precision)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'rep'::text,
           NULL::text,
           r.rep_id,
           q.quota_amount,
           coalesce(c.amount, 0),
           CASE WHEN q.quota_amount > 0 THEN 0 ELSE coalesce(c.amount, 0) END,
           coalesce(q.is_full_quota, false),
           q.overlay_quota_amount,
           coalesce(c.overlay_amount, 0),
           NULL::numeric,
           NULL::bigint,
           NULL::bigint,
           NULL::bigint,
           NULL::double precision,
           NULL::double precision
      FROM rep r
      LEFT JOIN (SELECT p.rep_id,
                        sum(p.amount) FILTER (WHERE NOT p.is_overlay) AS quota_amount,
                        sum(p.amount) FILTER (WHERE p.is_overlay) AS overlay_quota_amount,
                        bool_and(p.is_full) FILTER (WHERE NOT p.is_overlay)
                        AND range_agg(daterange(p.from_day, p.to_day, '[]')) FILTER (WHERE NOT p.is_overlay)
                            @> daterange(attainment_between.first_day, attainment_between.last_day, '[]') AS is_full_quota
                   FROM quota_portion(attainment_between.first_day, attainment_between.last_day, false) AS p
                  WHERE p.part = 'rep'
                  GROUP BY p.rep_id) AS q ON q.rep_id = r.rep_id AND q.rep_id || '' = r.rep_id || ''
      LEFT JOIN (SELECT b.rep_id,
                        sum(b.amount) FILTER (WHERE NOT b.is_overlay) AS amount,
                        sum(b.amount) FILTER (WHERE b.is_overlay) AS overlay_amount
                   FROM credited b
                  WHERE b.credited_on BETWEEN attainment_between.first_day AND attainment_between.last_day
                  GROUP BY b.rep_id) AS c ON c.rep_id = r.rep_id AND c.rep_id || '' = r.rep_id || ''
    UNION ALL
    SELECT 'rep'::text,
           NULL::text,
           NULL::text,
           NULL::numeric,
           coalesce(sum(b.amount), 0),
           coalesce(sum(b.amount), 0),
           false,
           NULL::numeric,
           0::numeric,
           NULL::numeric,
           NULL::bigint,
           NULL::bigint,
           NULL::bigint,
           NULL::double precision,
           NULL::double precision
      FROM credited b
     WHERE b.rep_id IS NULL
       AND b.credited_on BETWEEN attainment_between.first_day AND attainment_between.last_day
    HAVING count(*) > 0
    UNION ALL
    SELECT 'team'::text,
           t.team_id,
           NULL::text,
           o.quota_amount,
           coalesce(o.credited_amount, 0),
           coalesce(o.untargeted_amount, 0),
           NULL::boolean,
           o.overlay_quota_amount,
           coalesce(o.overlay_credited_amount, 0),
           o.assigned_amount,
           coalesce(o.targeted_rep_count, 0::bigint),
           coalesce(o.full_rep_count, 0::bigint),
           coalesce(o.attained_rep_count, 0::bigint),
           sales_perf.attainment_median(o.attainment),
           sales_perf.attainment_gini(o.attainment)
      FROM team t
      LEFT JOIN (SELECT a.team_id,
                        sum(a.quota_amount) FILTER (WHERE a.part <> 'assigned') AS quota_amount,
                        sum(a.quota_amount) FILTER (WHERE a.part = 'assigned') AS assigned_amount,
                        sum(a.credited_amount) AS credited_amount,
                        sum(a.untargeted_amount) AS untargeted_amount,
                        sum(a.overlay_quota_amount) AS overlay_quota_amount,
                        sum(a.overlay_credited_amount) AS overlay_credited_amount,
                        count(*) FILTER (WHERE a.part = 'rep' AND a.quota_amount > 0) AS targeted_rep_count,
                        count(*) FILTER (WHERE a.part = 'rep' AND a.quota_amount > 0 AND a.is_full_quota) AS full_rep_count,
                        count(*) FILTER (WHERE a.part = 'rep' AND a.quota_amount > 0 AND a.is_full_quota AND a.credited_amount >= a.quota_amount) AS attained_rep_count,
                        sales_perf.attainment_agg(a.credited_amount, a.quota_amount) FILTER (WHERE a.part = 'rep') AS attainment
                   FROM attainment_of_rep(attainment_between.first_day, attainment_between.last_day, true) AS a
                  GROUP BY a.team_id) AS o ON o.team_id = t.team_id
    UNION ALL
    SELECT 'company'::text,
           NULL::text,
           NULL::text,
           o.quota_amount,
           coalesce(o.credited_amount, 0),
           coalesce(o.untargeted_amount, 0),
           NULL::boolean,
           o.overlay_quota_amount,
           coalesce(o.overlay_credited_amount, 0),
           o.assigned_amount,
           o.targeted_rep_count,
           o.full_rep_count,
           o.attained_rep_count,
           sales_perf.attainment_median(o.attainment),
           sales_perf.attainment_gini(o.attainment)
      FROM (SELECT sum(a.quota_amount) FILTER (WHERE a.part <> 'assigned') AS quota_amount,
                   sum(a.quota_amount) FILTER (WHERE a.part = 'assigned' AND a.team_id IS NULL) AS assigned_amount,
                   sum(a.credited_amount) AS credited_amount,
                   sum(a.untargeted_amount) AS untargeted_amount,
                   sum(a.overlay_quota_amount) AS overlay_quota_amount,
                   sum(a.overlay_credited_amount) AS overlay_credited_amount,
                   count(*) FILTER (WHERE a.part = 'rep' AND a.quota_amount > 0) AS targeted_rep_count,
                   count(*) FILTER (WHERE a.part = 'rep' AND a.quota_amount > 0 AND a.is_full_quota) AS full_rep_count,
                   count(*) FILTER (WHERE a.part = 'rep' AND a.quota_amount > 0 AND a.is_full_quota AND a.credited_amount >= a.quota_amount) AS attained_rep_count,
                   sales_perf.attainment_agg(a.credited_amount, a.quota_amount) FILTER (WHERE a.part = 'rep') AS attainment
              FROM attainment_of_rep(attainment_between.first_day, attainment_between.last_day, false) AS a) AS o;
END;

COMMENT ON FUNCTION attainment_between(date, date) IS 'Quotas and what was credited towards them in a range of days, both included, for every rep (and a row without rep_id for what is credited to nobody), every team and the company: the figures of quota_attainment for days that are no calendar period.';

SET LOCAL search_path = sales_perf, pg_temp;
