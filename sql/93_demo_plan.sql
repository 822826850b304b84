-- What the demo company has planned: quotas for each year, and the goals of the quarter and the year that
-- hold as_of(); and who moved, or was away. A part of generate_demo().

CREATE FUNCTION sales_perf.demo_plan(mart text, seed integer, as_of_day date, rep_count integer, team_count integer)
    RETURNS void
    LANGUAGE plpgsql
    -- The path is set to the mart below; leaving the function takes that back.
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- How the year's business falls on its months, as a planner would put it.
    month_weight constant numeric[] := ARRAY[7, 7, 9, 8, 8, 9, 8, 7, 9, 10, 9, 9];
    quarter_start date;
    quarter_end date;
    year_start date;
    year_end date;
    booked_a_year numeric;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', mart), true);

    SELECT c.fiscal_quarter_start, c.fiscal_quarter_end, c.fiscal_year_start, c.fiscal_year_end
      INTO quarter_start, quarter_end, year_start, year_end
      FROM calendar c
     WHERE c.region = ''
       AND c.on_date = as_of_day;
    IF NOT FOUND THEN
        RETURN;
    END IF;

    -- One rep in eight came from another team.
    INSERT INTO team_membership (rep_id, team_id, valid)
    SELECT moved.rep_id, m.team_id, m.valid
      FROM (SELECT r.rep_id,
                   r.team_id AS new_team_id,
                   lead(r.team_id, 1, 'T-1-01') OVER (ORDER BY r.rep_id) AS old_team_id,
                   as_of_day - 30 - floor(sales_perf.demo_random(seed, substr(r.rep_id, 2)::bigint, 58) * 700)::integer AS moved_on,
                   sales_perf.demo_random(seed, substr(r.rep_id, 2)::bigint, 57) AS u
              FROM rep r) AS moved
     CROSS JOIN LATERAL (VALUES (old_team_id, daterange(NULL, moved_on)), (new_team_id, daterange(moved_on, NULL))) AS m (team_id, valid)
     WHERE moved.u < 0.125
       AND moved.old_team_id <> moved.new_team_id
       AND substr(moved.rep_id, 2)::integer > team_count
     ORDER BY moved.rep_id, m.valid;

    INSERT INTO rep_leave (rep_id, valid, share, reason)
    SELECT r.rep_id,
           daterange(as_of_day - 150, as_of_day - 150 + 30 * (1 + substr(r.rep_id, 2)::integer % 3)),
           CASE WHEN substr(r.rep_id, 2)::integer % 2 = 0 THEN 1 ELSE 0.5 END,
           CASE WHEN substr(r.rep_id, 2)::integer % 2 = 0 THEN 'parental leave' ELSE 'part time' END
      FROM rep r
     WHERE sales_perf.demo_random(seed, substr(r.rep_id, 2)::bigint, 59) < 0.06
     ORDER BY r.rep_id;

    INSERT INTO season_shape (season_id, fiscal_period, weight)
    SELECT 'year', p, month_weight[p]
      FROM generate_series(1, 12) AS p;

    INSERT INTO ramp_step (ramp_id, from_month, share)
    VALUES ('new hire', 0, 0), ('new hire', 1, 0.25), ('new hire', 3, 0.5), ('new hire', 6, 1);

    -- ------------------------------------------------------------ quotas: a tenth above what a rep books, more each year

    SELECT coalesce(sum(d.reporting_amount), 0) / 3
      INTO booked_a_year
      FROM deal_as_of d
     WHERE NOT d.is_open
       AND d.outcome = 'won';
    INSERT INTO quota (level, rep_id, first_day, last_day, amount, season_id, ramp_id)
    SELECT 'rep', r.rep_id, y.first_day, y.last_day,
           round(1.1 * booked_a_year / rep_count
                 * (0.75 + 0.2 * y.place + 0.25 * sales_perf.demo_random(seed, substr(r.rep_id, 2)::bigint, 56))::numeric, -2),
           'year', 'new hire'
      FROM (SELECT c.fiscal_year_start AS first_day,
                   c.fiscal_year_end AS last_day,
                   row_number() OVER (ORDER BY c.fiscal_year_start) - 2 AS place
              FROM calendar c
             WHERE c.region = ''
               AND c.on_date = c.fiscal_year_start
               AND c.fiscal_year_end > as_of_day - 1096
               AND c.fiscal_year_start <= as_of_day) AS y
      JOIN rep r
        ON r.hired_on <= y.last_day
       AND coalesce(r.left_on, 'infinity') >= y.first_day
     -- one in fifteen has none
     WHERE substr(r.rep_id, 2)::integer % 15 <> 14
     ORDER BY y.first_day, r.rep_id;
    INSERT INTO quota (level, rep_id, first_day, last_day, amount, is_overlay, note)
    SELECT 'rep', 'R' || to_char(rep_count, 'FM000'), year_start, year_end, round(0.005 * booked_a_year, -2), true, 'specialist: overlay credit';

    -- ------------------------------------------------------------ goals

    -- Of the quarter: every rep's quota in round numbers; a team's is the sum of its reps', the regions' that of
    -- their teams, the company's that of the regions; one region has promised more than its teams.
    INSERT INTO goal (goal_id, name, level, kpi_code, baseline, target, first_day, last_day, reason, season_id)
    VALUES ('company bookings', 'Bookings of the quarter', 'company', 'bookings_amount', 0, 1, quarter_start, quarter_end, 'The plan for the year', 'year');
    INSERT INTO goal (goal_id, name, level, team_id, kpi_code, baseline, target, first_day, last_day, parent_goal_id, season_id, check_in_every_days)
    SELECT t.team_id || ' bookings', t.name || ': bookings of the quarter', 'team', t.team_id, 'bookings_amount', 0, 1, quarter_start, quarter_end,
           CASE WHEN t.parent_team_id = 'T-WW' THEN 'company bookings' ELSE t.parent_team_id || ' bookings' END, 'year', 14
      FROM team t
     WHERE t.team_id <> 'T-WW'
     ORDER BY length(t.team_id), t.team_id;
    INSERT INTO goal (goal_id, name, level, rep_id, kpi_code, baseline, target, stretch, first_day, last_day, parent_goal_id, season_id, check_in_every_days)
    SELECT r.rep_id || ' bookings', r.name || ': bookings of the quarter', 'rep', r.rep_id, 'bookings_amount', 0,
           round(q.amount, -2), round(1.2 * q.amount, -2) + 100, quarter_start, quarter_end, r.team_id || ' bookings', 'year', 30
      FROM rep r
     CROSS JOIN LATERAL (SELECT quota_for('rep:' || r.rep_id, quarter_start, quarter_end) AS amount) AS q
     WHERE round(q.amount, -2) > 0
       AND r.team_id IS NOT NULL
       AND coalesce(r.left_on, 'infinity') >= as_of_day
     ORDER BY r.rep_id;
    -- from the teams upwards
    UPDATE goal g
       SET target = greatest(1, (SELECT sum(c.target) FROM goal c WHERE c.parent_goal_id = g.goal_id))
     WHERE g.level = 'team'
       AND g.team_id LIKE 'T-_-%';
    UPDATE goal g
       SET target = greatest(1, round((SELECT sum(c.target) FROM goal c WHERE c.parent_goal_id = g.goal_id)
                                * CASE WHEN g.team_id = 'T-2' THEN 1.05 ELSE 1 END))
     WHERE g.level = 'team'
       AND g.team_id LIKE 'T-_';
    UPDATE goal g
       SET target = greatest(1, (SELECT sum(c.target) FROM goal c WHERE c.parent_goal_id = g.goal_id))
     WHERE g.goal_id = 'company bookings';
    -- These were no changes of mind.
    DELETE FROM goal_target t
     WHERE t.valid_from > '-infinity';
    UPDATE goal_target t
       SET target = g.target
      FROM goal g
     WHERE g.goal_id = t.goal_id;

    -- Of the year: a better rate, a shorter cycle, larger deals; each starts from the year before.
    INSERT INTO goal (goal_id, name, level, kpi_code, baseline, target, first_day, last_day, reason, check_in_every_days)
    SELECT planned.goal_id, planned.name, 'company', planned.kpi_code, round(k.value, planned.digits), round(planned.factor * k.value, planned.digits), year_start, year_end, planned.reason, 90
      FROM (VALUES ('win rate', 'Win more of the deals we close', 'win_rate', 3, 1.08, 'Qualification was weak last year'),
                   ('cycle', 'Close deals sooner', 'cycle_average_days', 1, 0.9, 'Proposals wait too long'),
                   ('deal size', 'Sell larger deals', 'average_deal_amount', 0, 1.05, 'Discounts grew last year')) AS planned (goal_id, name, kpi_code, digits, factor, reason)
      JOIN kpi_between((year_start - interval '1 year')::date, year_start - 1) k
        ON k.kpi_code = planned.kpi_code
       AND k.level = 'company'
     WHERE round(planned.factor * k.value, planned.digits) <> round(k.value, planned.digits)
       -- whoever plans on so little does not know
       AND k.sample_count >= 10;

    -- What people say of them.
    INSERT INTO check_in (goal_id, checked_on, author_rep_id, confidence, note)
    SELECT g.goal_id, g.first_day + days, coalesce(g.rep_id, t.manager_rep_id),
           round((0.4 + 0.5 * sales_perf.demo_random(seed, hashtextextended(g.goal_id, days) & 4294967295, 1))::numeric, 1),
           (ARRAY['Two large proposals are out.', 'Pipeline is thin, prospecting on Tuesdays and Thursdays.', 'On plan.', 'One deal slipped into next quarter.'])
               [1 + floor(sales_perf.demo_random(seed, hashtextextended(g.goal_id, days) & 4294967295, 2) * 4)::integer]
      FROM goal g
      LEFT JOIN team t ON t.team_id = g.team_id
     CROSS JOIN generate_series(10, 360, 21) AS days
     WHERE g.first_day + days <= least(as_of_day, g.last_day)
       AND (g.level <> 'rep' OR substr(g.rep_id, 2)::integer % 2 = 0)
     ORDER BY g.goal_id, days;
END
$$;

COMMENT ON FUNCTION sales_perf.demo_plan(text, integer, date, integer, integer) IS 'For generate_demo(): moves, leave, quotas, goals and check-ins.';
