-- What the people of the demo company learn, tell each other, promise, do and look at. A part of generate_demo().
--
-- All of it follows the reps and the weeks of the last year, not the deals, of which there may be millions.
-- What somebody did lies on the day before as_of() at the latest: of today nobody knows how much is over.

CREATE FUNCTION sales_perf.demo_people(mart text, seed integer, as_of_day date)
    RETURNS void
    LANGUAGE plpgsql
    -- Path and day are set below, to the mart and to the days as of which alerts are looked for; leaving the function takes that back.
    SET search_path = pg_catalog, pg_temp
    SET sales_perf.as_of = ''
    SET jit = off
AS $$
DECLARE
    year_start constant date := as_of_day - 365;
    -- Subjects of demo_random() that no deal, lead or rep is.
    of_course constant bigint := 10000000000;
    of_talk constant bigint := 20000000000;
    of_activity constant bigint := 30000000000;
    of_view constant bigint := 40000000000;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', mart), true);
    PERFORM set_config('sales_perf.as_of', to_char(as_of_day, 'YYYY-MM-DD'), true);

    -- ------------------------------------------------------------ skills and courses

    INSERT INTO skill (skill_id, name, description)
    VALUES ('qualification', 'Qualification', 'To find out early who decides, why, and by when'),
           ('next steps', 'Next steps', 'To end each talk with a date for the next'),
           ('value', 'Selling value', 'To talk about what it is worth before what it costs'),
           ('prospecting', 'Prospecting', 'To keep calling, also in a full quarter');
    INSERT INTO skill_kpi (skill_id, kpi_code)
    SELECT s.skill_id, k.code
      FROM (VALUES ('qualification', 'win_rate'),
                   ('next steps', 'cycle_average_days'),
                   ('value', 'average_deal_amount'),
                   ('prospecting', 'activity_count')) AS s (skill_id, kpi_code)
      JOIN kpi k ON k.code = s.kpi_code;

    INSERT INTO course (course_id, name, skill_id, hours)
    VALUES ('C1', 'Who decides, and why', 'qualification', 8),
           ('C2', 'Deals that move', 'next steps', 6),
           ('C3', 'Value before price', 'value', 16),
           ('C4', 'An hour of calls a day', 'prospecting', 2);

    INSERT INTO enrolment (course_id, rep_id, assigned_on, due_on, completed_on, score)
    SELECT taken.course_id,
           taken.rep_id,
           taken.assigned_on,
           taken.assigned_on + 45,
           taken.completed_on,
           CASE WHEN taken.u_score >= 0.1 THEN (0.5 + 0.5 * taken.u_score::numeric(3, 2))::double precision END
      FROM (SELECT drawn.*,
                   CASE
                       WHEN drawn.u_completed < 0.85 AND drawn.assigned_on + drawn.days < as_of_day
                       THEN drawn.assigned_on + drawn.days
                   END AS completed_on,
                   CASE
                       WHEN drawn.u_completed < 0.85 AND drawn.assigned_on + drawn.days < as_of_day
                       THEN sales_perf.demo_random(seed, drawn.subject, 5)
                   END AS u_score
              FROM (SELECT c.course_id,
                           r.rep_id,
                           r.hired_on,
                           r.left_on,
                           r.subject,
                           as_of_day - 20 - floor(sales_perf.demo_random(seed, r.subject, 1) * 300)::integer AS assigned_on,
                           7 + floor(sales_perf.demo_random(seed, r.subject, 2) * 50)::integer AS days,
                           sales_perf.demo_random(seed, r.subject, 3) AS u_completed,
                           sales_perf.demo_random(seed, r.subject, 4) AS u_taken,
                           c.share
                      FROM (VALUES ('C1', 1, 0.5), ('C2', 2, 0.4), ('C3', 3, 0.3), ('C4', 4, 0.25)) AS c (course_id, course_no, share)
                     CROSS JOIN LATERAL (
                           SELECT rep.*,
                                  of_course + substr(rep.rep_id, 2)::bigint * 10 + c.course_no AS subject
                             FROM rep) AS r) AS drawn
             WHERE drawn.u_taken < drawn.share
               AND drawn.assigned_on >= drawn.hired_on
               AND drawn.assigned_on + drawn.days <= coalesce(drawn.left_on, 'infinity')) AS taken
     ORDER BY taken.assigned_on, taken.rep_id, taken.course_id;

    -- ------------------------------------------------------------ feedback

    INSERT INTO review_cycle (team_id, every_days, starts_on)
    SELECT t.team_id,
           (ARRAY[30, 45, 60, 90])[1 + floor(sales_perf.demo_random(seed, hashtextextended(t.team_id, 1) & 4294967295, 1) * 4)::integer],
           year_start
      FROM team t
     WHERE EXISTS (SELECT FROM rep r WHERE r.team_id = t.team_id)
     ORDER BY t.team_id;

    -- From the manager of the team; to managers from the head of sales, who is told by one of them. About as often as
    -- the cycle asks for: some leave out more talks than others. What is said fits the figures and the deals of the rep.
    WITH pair AS MATERIALIZED (
        SELECT r.rep_id,
               manager.rep_id AS manager_rep_id,
               greatest(r.hired_on + 14, year_start) AS first_day,
               least(coalesce(r.left_on, 'infinity'), as_of_day - 1) AS last_day,
               c.every_days,
               0.05 + 0.3 * sales_perf.demo_random(seed, of_talk + substr(manager.rep_id, 2)::bigint, 1) AS left_out
          FROM rep r
          JOIN team t ON t.team_id = r.team_id
          JOIN review_cycle c ON c.team_id = t.team_id
          JOIN team top ON top.team_id = 'T-WW'
          JOIN rep manager
            ON manager.rep_id = CASE
                   WHEN r.rep_id = top.manager_rep_id THEN 'R002'
                   WHEN r.rep_id = t.manager_rep_id THEN top.manager_rep_id
                   ELSE t.manager_rep_id
               END
    ),
    talk AS MATERIALIZED (
        SELECT p.rep_id,
               p.manager_rep_id,
               weekday.on_day,
               -- a week that was over by then
               (as_of_day - 1 - weekday.on_day) / 7 + 1 AS week_before,
               s.subject,
               sales_perf.demo_random(seed, s.subject, 3) AS u_topic,
               CASE WHEN sales_perf.demo_random(seed, s.subject, 4) < 0.5 THEN 'win_rate' ELSE 'cycle_average_days' END AS kpi_code
          FROM pair p
         CROSS JOIN LATERAL generate_series(1, 365 / p.every_days) AS turn
         CROSS JOIN LATERAL (SELECT of_talk + substr(p.rep_id, 2)::bigint * 1000 + turn AS subject) AS s
         CROSS JOIN LATERAL (SELECT year_start + turn * p.every_days - 8 + floor(sales_perf.demo_random(seed, s.subject, 1) * 15)::integer AS on_day) AS planned
         CROSS JOIN LATERAL (SELECT planned.on_day - greatest(0, extract(isodow FROM planned.on_day)::integer - 5) AS on_day) AS weekday
         WHERE sales_perf.demo_random(seed, s.subject, 2) >= p.left_out
           AND weekday.on_day BETWEEN p.first_day AND p.last_day
    ),
    closed AS MATERIALIZED (
        SELECT d.rep_id,
               d.deal_id,
               d.outcome,
               d.lost_reason,
               d.amount,
               (as_of_day - 1 - d.closed_on) / 7 AS week,
               d.closed_on - d.opened_on AS days
          FROM deal d
         WHERE d.closed_on >= year_start - 14
           AND d.closed_on < as_of_day
           AND d.opened_on <= d.closed_on
           AND d.outcome <> 'open'
    ),
    -- the largest of a week
    closed_of_week AS MATERIALIZED (
        SELECT DISTINCT ON (c.rep_id, c.outcome, c.week)
               c.rep_id, c.outcome, c.week, c.deal_id, c.lost_reason
          FROM closed c
         WHERE c.amount > 0
           AND (c.rep_id, c.week) IN (SELECT t.rep_id, t.week_before FROM talk t)
         ORDER BY c.rep_id, c.outcome, c.week, c.amount DESC, c.deal_id COLLATE "C"
    ),
    figure AS MATERIALIZED (
        SELECT c.rep_id,
               count(*) FILTER (WHERE c.outcome = 'won') / count(*)::numeric AS win_rate,
               avg(c.days) FILTER (WHERE c.outcome = 'won') AS cycle_days
          FROM closed c
         GROUP BY c.rep_id
        HAVING count(*) >= 10
    ),
    middle AS (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY win_rate) AS win_rate,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY cycle_days) AS cycle_days
          FROM figure
    ),
    topic AS (
        SELECT t.*,
               CASE
                   WHEN f.rep_id IS NULL OR t.u_topic < 0.3 THEN 'review'
                   WHEN t.u_topic < 0.5 AND won.deal_id IS NOT NULL THEN 'won'
                   WHEN t.u_topic < 0.65 AND lost.deal_id IS NOT NULL THEN 'lost'
                   WHEN t.u_topic < 0.8 AND g.goal_id IS NOT NULL THEN 'goal'
                   WHEN t.u_topic < 0.9 THEN 'skill'
                   ELSE 'kpi'
               END AS about,
               CASE t.kpi_code WHEN 'win_rate' THEN f.win_rate >= m.win_rate ELSE f.cycle_days <= m.cycle_days END AS is_good,
               won.deal_id AS won_deal_id,
               lost.deal_id AS lost_deal_id,
               lost.lost_reason,
               g.goal_id,
               CASE WHEN sales_perf.demo_random(seed, t.subject, 5) < 0.5 THEN 1 ELSE 2 END AS wording
          FROM talk t
         CROSS JOIN middle m
          LEFT JOIN figure f ON f.rep_id = t.rep_id
          LEFT JOIN closed_of_week won ON won.rep_id = t.rep_id AND won.week = t.week_before AND won.outcome = 'won'
          LEFT JOIN closed_of_week lost ON lost.rep_id = t.rep_id AND lost.week = t.week_before AND lost.outcome = 'lost'
          LEFT JOIN goal g ON g.goal_id = t.rep_id || ' bookings' AND g.first_day + 14 <= t.on_day
    )
    INSERT INTO feedback (from_rep_id, to_rep_id, kind, kpi_code, goal_id, deal_id, skill_id, body, shared_at)
    SELECT manager_rep_id,
           rep_id,
           CASE
               WHEN about = 'review' THEN 'review'
               WHEN about = 'won' OR about IN ('skill', 'kpi') AND is_good THEN 'praise'
               ELSE 'coaching'
           END,
           CASE WHEN about = 'kpi' THEN kpi_code END,
           CASE WHEN about = 'goal' THEN goal_id END,
           CASE about WHEN 'won' THEN won_deal_id WHEN 'lost' THEN lost_deal_id END,
           CASE WHEN about = 'skill' THEN CASE kpi_code WHEN 'win_rate' THEN 'qualification' ELSE 'next steps' END END,
           CASE
               WHEN about = 'review'
               THEN (ARRAY['We went through your deals of the last weeks, what helped, and what you would like to learn next.',
                           'A look back and ahead: what to keep doing, what to stop, and where I can help.'])[wording]
               WHEN about = 'won'
               THEN (ARRAY['Well prepared, and it shows: they knew what it was worth to them before the price came up.',
                           'Well led from the first call to the signature. Please show the team how you did it.'])[wording]
               WHEN about = 'lost'
               THEN CASE lost_reason
                        WHEN 'price' THEN 'We talked about the price before we talked about the value. Next time, ask what the problem costs them.'
                        WHEN 'competitor' THEN 'Ask early whom else they are looking at, and what will decide it.'
                        WHEN 'no decision' THEN 'Nobody there had a reason to decide now. Find one before you send a proposal.'
                        WHEN 'missing feature' THEN 'Find out in the first meeting what they cannot do without.'
                        ELSE 'Ask who holds the budget, and until when it is theirs to spend.'
                    END
               WHEN about = 'goal'
               THEN (ARRAY['Take the deals that are due this quarter one by one: which can still close, and what does each of them need?',
                           'Plan two mornings a week for new business: the quarter should not hang on two large deals.'])[wording]
               WHEN kpi_code = 'win_rate' AND is_good
               THEN (ARRAY['You win more of what you close than most of us do. You ask the right questions early: keep at it.',
                           'You let go of what will not close, and win the rest. Good judgement.'])[wording]
               WHEN kpi_code = 'win_rate'
               THEN (ARRAY['Too many deals go far and are lost late. Ask who decides before you write a proposal.',
                           'You work on deals that were never going to close. Let us go through your list together.'])[wording]
               WHEN is_good
               THEN (ARRAY['Your deals move: a date for the next step in every call pays off.',
                           'Quick and without pressing anybody. Customers say they know where they stand.'])[wording]
               ELSE (ARRAY['Deals wait too long between two steps. End each call with a date for the next one.',
                           'Proposals lie with the customer for weeks. Agree on the day you will talk about them.'])[wording]
           END,
           (on_day + time '10:00' + floor(sales_perf.demo_random(seed, subject, 6) * 28) * interval '15 minutes')::timestamptz
      FROM topic
     ORDER BY on_day, rep_id;

    -- some praise among colleagues
    INSERT INTO feedback (from_rep_id, to_rep_id, kind, skill_id, body, shared_at)
    SELECT next_to.colleague_id,
           next_to.rep_id,
           'praise',
           'prospecting',
           'Thank you for the introduction: it has become a deal.',
           (weekday.on_day + time '16:30')::timestamptz
      FROM (SELECT r.rep_id,
                   lag(r.rep_id) OVER of_team AS colleague_id,
                   greatest(r.hired_on, lag(r.hired_on) OVER of_team) AS first_day,
                   least(r.left_on, lag(r.left_on) OVER of_team, as_of_day - 1) AS last_day,
                   of_talk + substr(r.rep_id, 2)::bigint * 1000 AS subject
              FROM rep r
            WINDOW of_team AS (PARTITION BY r.team_id ORDER BY r.rep_id)) AS next_to
     CROSS JOIN LATERAL (SELECT as_of_day - 1 - floor(sales_perf.demo_random(seed, next_to.subject, 2) * 180)::integer AS on_day) AS drawn
     CROSS JOIN LATERAL (SELECT drawn.on_day - greatest(0, extract(isodow FROM drawn.on_day)::integer - 5) AS on_day) AS weekday
     WHERE sales_perf.demo_random(seed, next_to.subject, 3) < 0.2
       AND next_to.colleague_id IS NOT NULL
       AND weekday.on_day BETWEEN next_to.first_day AND next_to.last_day
     ORDER BY weekday.on_day, next_to.rep_id;

    -- One in twenty said something wrong, and said so the day after.
    INSERT INTO feedback (from_rep_id, to_rep_id, kind, deal_id, body, shared_at, corrects_feedback_id)
    SELECT f.from_rep_id,
           f.to_rep_id,
           f.kind,
           f.deal_id,
           'I forgot to say who helped: thank the engineers for the proposal, too. ' || f.body,
           f.shared_at + interval '20 hours',
           f.feedback_id
      FROM feedback f
     WHERE f.kind = 'praise'
       AND f.deal_id IS NOT NULL
       AND f.shared_at < as_of_day - 2
       AND sales_perf.demo_random(seed, of_talk + f.feedback_id, 7) < 0.05
     ORDER BY f.feedback_id;

    -- and some is not shared yet
    INSERT INTO feedback (from_rep_id, to_rep_id, kind, body)
    SELECT m.manager_rep_id, m.rep_id, 'review', 'To talk about: the plan for the next quarter.'
      FROM rep_manager m
     WHERE sales_perf.demo_random(seed, of_talk + substr(m.rep_id, 2)::bigint * 1000, 8) < 0.06
     ORDER BY m.rep_id;

    INSERT INTO feedback_reply (feedback_id, acknowledged_at, reply)
    SELECT said.feedback_id,
           said.acknowledged_at,
           CASE
               WHEN said.u_reply >= 0.45 THEN NULL
               WHEN said.kind = 'praise' THEN (ARRAY['Thank you.', 'Thank you, it was work of the whole team.'])[1 + floor(said.u_reply / 0.45 * 2)::integer]
               ELSE (ARRAY['I will try that with the next two proposals.', 'Agreed. Can we look at one together next week?', 'I see that differently, let us talk.', 'Thank you, that helps.'])
                        [1 + floor(said.u_reply / 0.45 * 4)::integer]
           END
      FROM (SELECT f.feedback_id,
                   f.kind,
                   f.shared_at + (1 + floor(sales_perf.demo_random(seed, of_talk + f.feedback_id, 9) * 120)) * interval '1 hour' AS acknowledged_at,
                   sales_perf.demo_random(seed, of_talk + f.feedback_id, 10) AS u_reply
              FROM feedback f
             WHERE sales_perf.demo_random(seed, of_talk + f.feedback_id, 11) < 0.82) AS said
     WHERE said.acknowledged_at < as_of_day
     ORDER BY said.feedback_id;

    -- ------------------------------------------------------------ what was promised

    -- Of what is more than four months old nothing is left open.
    INSERT INTO action_item (owner_rep_id, title, feedback_id, goal_id, created_on, due_on, done_on)
    SELECT agreed.to_rep_id,
           agreed.title,
           agreed.feedback_id,
           agreed.goal_id,
           agreed.created_on,
           agreed.due_on,
           CASE WHEN agreed.done_on < as_of_day THEN agreed.done_on END
      FROM (SELECT f.feedback_id,
                   f.to_rep_id,
                   f.goal_id,
                   day.created_on,
                   day.due_on,
                   CASE
                       WHEN f.goal_id IS NOT NULL THEN 'Go through the deals due this quarter and write down what each needs'
                       WHEN f.deal_id IS NOT NULL THEN 'Call a customer we lost and ask what decided it'
                       WHEN f.kind = 'review' THEN 'Choose one thing to try out until the next talk'
                       WHEN f.kpi_code = 'win_rate' OR f.skill_id = 'qualification' THEN 'Name who decides in every deal with a proposal'
                       ELSE 'Set a date for the next step in every open deal'
                   END AS title,
                   CASE
                       WHEN u.done < 0.65 THEN day.created_on + floor(u.done / 0.65 * (day.due_on - day.created_on))::integer
                       WHEN u.done < 0.8 OR day.created_on < as_of_day - 120 THEN day.due_on + 1 + floor(20 * (u.done - 0.65) / 0.35)::integer
                   END AS done_on
              FROM feedback f
             CROSS JOIN LATERAL (SELECT f.shared_at::date AS created_on,
                                        f.shared_at::date + (ARRAY[7, 14, 21, 28])[1 + floor(sales_perf.demo_random(seed, of_talk + f.feedback_id, 12) * 4)::integer] AS due_on) AS day
             CROSS JOIN LATERAL (SELECT sales_perf.demo_random(seed, of_talk + f.feedback_id, 13) AS done,
                                        sales_perf.demo_random(seed, of_talk + f.feedback_id, 14) AS agreed) AS u
             WHERE f.shared_at IS NOT NULL
               AND (f.kind = 'coaching' AND u.agreed < 0.75 OR f.kind = 'review' AND u.agreed < 0.35)) AS agreed
     ORDER BY agreed.feedback_id;

    -- ------------------------------------------------------------ what was done

    -- Up to five a week, of who was there, about one deal opened in each of the weeks before if it still ran,
    -- else with an account of the rep, or to find a new one.
    WITH diary AS MATERIALIZED (
        SELECT r.rep_id,
               slot,
               s.subject,
               weekday.on_day,
               (as_of_day - 1 - weekday.on_day) / 7 + slot % 3 AS opened_week
          FROM rep r
         CROSS JOIN generate_series(0, 51) AS week
         CROSS JOIN generate_series(1, 5) AS slot
         CROSS JOIN LATERAL (SELECT of_activity + (substr(r.rep_id, 2)::bigint * 52 + week) * 5 + slot AS subject) AS s
         CROSS JOIN LATERAL (SELECT as_of_day - 1 - 7 * week - floor(sales_perf.demo_random(seed, s.subject, 1) * 7)::integer AS on_day) AS drawn
         CROSS JOIN LATERAL (SELECT drawn.on_day - greatest(0, extract(isodow FROM drawn.on_day)::integer - 5) AS on_day) AS weekday
         WHERE sales_perf.demo_random(seed, s.subject, 2) < 0.35 + 0.5 * sales_perf.demo_random(seed, of_activity + substr(r.rep_id, 2)::bigint, 3)
           AND weekday.on_day BETWEEN r.hired_on AND coalesce(r.left_on, 'infinity')
           AND NOT EXISTS (SELECT
                             FROM rep_leave l
                            WHERE l.rep_id = r.rep_id
                              AND l.share = 1
                              AND l.valid @> weekday.on_day)
    ),
    deal_of_week AS MATERIALIZED (
        SELECT d.rep_id,
               (as_of_day - 1 - d.opened_on) / 7 AS week,
               min(d.deal_id COLLATE "C") AS deal_id
          FROM deal d
         WHERE d.opened_on BETWEEN year_start - 21 AND as_of_day - 1
           AND (d.outcome = 'open' OR d.closed_on > d.opened_on)
         GROUP BY d.rep_id, week
    ),
    account_of_rep AS MATERIALIZED (
        SELECT a.owner_rep_id AS rep_id,
               (array_agg(a.account_id ORDER BY a.account_id COLLATE "C"))[1:10] AS account_ids
          FROM account a
         GROUP BY a.owner_rep_id
    ),
    noted AS (
        SELECT y.rep_id,
               y.slot,
               y.on_day,
               y.subject,
               d.deal_id,
               coalesce(d.account_id,
                        CASE
                            WHEN d.deal_id IS NULL AND y.slot <> 1
                            THEN o.account_ids[1 + floor(sales_perf.demo_random(seed, y.subject, 4) * cardinality(o.account_ids))::integer]
                        END) AS account_id
          FROM diary y
          LEFT JOIN deal_of_week w ON w.rep_id = y.rep_id AND w.week = y.opened_week
          LEFT JOIN deal d ON d.deal_id = w.deal_id AND y.on_day BETWEEN d.opened_on AND coalesce(d.closed_on, 'infinity')
          LEFT JOIN account_of_rep o ON o.rep_id = y.rep_id
    )
    INSERT INTO activity (activity_id, rep_id, deal_id, account_id, kind, happened_at)
    SELECT 'ACT-' || to_char(row_number() OVER (ORDER BY on_day, rep_id, subject), 'FM000000'),
           rep_id,
           deal_id,
           account_id,
           CASE WHEN deal_id IS NULL THEN (ARRAY['call', 'call', 'mail', 'call', 'meeting'])[slot]
                ELSE (ARRAY['call', 'mail', 'call', 'meeting', 'demo'])[slot] END,
           (on_day + time '08:30' + floor(sales_perf.demo_random(seed, subject, 5) * 36) * interval '15 minutes')::timestamptz
      FROM noted
     ORDER BY on_day, rep_id, subject;

    -- ------------------------------------------------------------ what was looked at

    -- One in four never does.
    INSERT INTO view_log (viewed_at, login, report, tool)
    SELECT (weekday.on_day + time '08:00' + floor(sales_perf.demo_random(seed, s.subject, 3) * 600) * interval '1 minute')::timestamptz,
           r.login,
           (ARRAY['rep_scorecard', 'goal_progress', 'leaderboard', 'stage_clock', 'coaching_plan'])[1 + floor(sales_perf.demo_random(seed, s.subject, 4) * 5)::integer],
           CASE WHEN sales_perf.demo_random(seed, s.subject, 5) < 0.7 THEN 'dashboard' END
      FROM rep r
     CROSS JOIN LATERAL (SELECT sales_perf.demo_random(seed, of_view + substr(r.rep_id, 2)::bigint, 1) AS u) AS habit
     CROSS JOIN generate_series(0, 25) AS week
     CROSS JOIN generate_series(1, 2) AS slot
     CROSS JOIN LATERAL (SELECT of_view + (substr(r.rep_id, 2)::bigint * 26 + week) * 2 + slot AS subject) AS s
     CROSS JOIN LATERAL (SELECT as_of_day - 1 - 7 * week - floor(sales_perf.demo_random(seed, s.subject, 1) * 7)::integer AS on_day) AS drawn
     CROSS JOIN LATERAL (SELECT drawn.on_day - greatest(0, extract(isodow FROM drawn.on_day)::integer - 5) AS on_day) AS weekday
     WHERE habit.u >= 0.25
       AND sales_perf.demo_random(seed, s.subject, 2) < habit.u - 0.15
       AND weekday.on_day BETWEEN r.hired_on AND coalesce(r.left_on, 'infinity')
     ORDER BY 1, r.rep_id;

    -- ------------------------------------------------------------ alerts

    INSERT INTO alert_rule (rule_id, name, kpi_code, level, grain, basis, comparison, threshold, minimum_sample, is_active)
    SELECT a.rule_id, a.name, a.kpi_code, a.level, a.grain, a.basis, a.comparison, a.threshold, a.minimum_sample, a.is_active
      FROM (VALUES ('win rate', 'few deals won', 'win_rate', 'rep', 'quarter', 'threshold', 'below', 0.25, 10, true),
                   ('cycle', 'deals take longer', 'cycle_average_days', 'rep', 'quarter', 'prior', 'above', 0.5, 10, true),
                   ('bookings', 'bookings fall', 'bookings_amount', 'team', 'quarter', 'prior', 'below', 0.25, 0, true),
                   ('calls', 'hardly any activity', 'activity_count', 'rep', 'month', 'threshold', 'below', 3, 0, false)
           ) AS a (rule_id, name, kpi_code, level, grain, basis, comparison, threshold, minimum_sample, is_active)
      JOIN kpi k ON k.code = a.kpi_code;

    -- As if looked for a month ago and today, each at the start of the day.
    PERFORM set_config('sales_perf.as_of', to_char(as_of_day - 30, 'YYYY-MM-DD'), true);
    PERFORM evaluate_alerts();
    PERFORM set_config('sales_perf.as_of', to_char(as_of_day, 'YYYY-MM-DD'), true);
    PERFORM evaluate_alerts();
    UPDATE alert_event e
       SET opened_at = e.opened_on,
           evaluated_at = coalesce(e.closed_on, as_of_day),
           closed_at = e.closed_on,
           acknowledged_at = CASE WHEN u.is_known THEN e.opened_on + interval '33 hours' END,
           acknowledged_by = CASE WHEN u.is_known THEN head.login END
      FROM (SELECT v.alert_event_id,
                   v.opened_on < as_of_day - 2
                   AND sales_perf.demo_random(seed, hashtextextended(v.rule_id || v.entity_id, 1) & 4294967295, 1) < 0.5 AS is_known
              FROM alert_event v) AS u
     CROSS JOIN rep head
     WHERE u.alert_event_id = e.alert_event_id
       AND head.rep_id = 'R001';

    ANALYZE skill, course, enrolment, feedback, feedback_reply, action_item, activity, view_log, alert_event;
END
$$;

COMMENT ON FUNCTION sales_perf.demo_people(text, integer, date) IS 'For generate_demo(): skills and courses, feedback, action items, activities, who looked at what, and alerts.';
