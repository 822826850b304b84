-- generate_demo: the same for the same arguments, believable, and careful.
SELECT plan(92);

SELECT sales_perf.create_mart('a') \gset
SELECT sales_perf.create_mart('b') \gset
SELECT sales_perf.create_mart('c') \gset
SELECT sales_perf.create_mart('d') \gset
SET sales_perf.as_of = '2025-06-30';

SELECT is(sales_perf.generate_demo('a', 3000, 5), 3000::bigint, 'as many deals as asked for');
SELECT is(sales_perf.generate_demo('b', 3000, 5), 3000::bigint, 'once more');
SELECT is(sales_perf.generate_demo('c', 3000, 6), 3000::bigint, 'and with another seed');

SELECT is_empty('TABLE a.deal EXCEPT ALL TABLE b.deal', 'the same arguments give the same deals');
SELECT is_empty('TABLE a.rep EXCEPT ALL TABLE b.rep', 'and reps');
SELECT is_empty('TABLE a.account EXCEPT ALL TABLE b.account', 'and accounts');
SELECT is_empty('SELECT deal_id, stage_id, entered_at FROM a.stage_event EXCEPT ALL SELECT deal_id, stage_id, entered_at FROM b.stage_event', 'and stages');
SELECT is_empty('SELECT deal_id, changed_at, field, old_value FROM a.deal_change EXCEPT ALL SELECT deal_id, changed_at, field, old_value FROM b.deal_change', 'and changes');
SELECT is_empty('TABLE a.lead EXCEPT ALL TABLE b.lead', 'and leads');
SELECT cmp_ok(count(*), '>', 2000::bigint, 'another seed gives others')
  FROM (SELECT amount, opened_on, closed_on FROM a.deal EXCEPT ALL SELECT amount, opened_on, closed_on FROM c.deal) AS differing;
-- Fixed for all times: a change of these is a change of the generator.
SELECT is(md5(string_agg(deal_id || ',' || coalesce(amount::text, '') || ',' || coalesce(to_char(opened_on, 'YYYYMMDD'), '') || ',' || coalesce(to_char(closed_on, 'YYYYMMDD'), '') || ',' || outcome || ',' || coalesce(rep_id, ''), ';' ORDER BY deal_id COLLATE "C")),
          '91d80c65df59e6480c3971682bf7ccdd', 'on every machine and version')
  FROM a.deal;

-- ---------------------------------------------------------------- believable

SET search_path = a, public;
SELECT cmp_ok(min(opened_on), '>', '2022-06-28'::date, 'three years of deals') FROM deal;
SELECT cmp_ok(max(opened_on), '>', '2025-06-20'::date, 'up to as_of()') FROM deal;
SELECT is(count(*), 0::bigint, 'and nothing after it') FROM deal WHERE opened_on > '2025-06-30' OR closed_on > '2025-06-30';
SELECT cmp_ok(count(*) FILTER (WHERE outcome = 'won')::numeric / count(*) FILTER (WHERE outcome <> 'open'), '>', 0.3, 'a third or more are won') FROM deal;
SELECT cmp_ok(count(*) FILTER (WHERE outcome = 'won')::numeric / count(*) FILTER (WHERE outcome <> 'open'), '<', 0.5, 'but not half') FROM deal;
SELECT cmp_ok(max(win_rate) - min(win_rate), '>', 0.1::double precision, 'reps differ') FROM rep_scorecard WHERE grain = 'year' AND period_label = '2024' AND closed_count > 50;
SELECT cmp_ok(slow.days, '>', 2 * fast.days, 'so do products')
  FROM (SELECT avg(closed_on - opened_on) AS days FROM deal WHERE product_id = 'P8') AS slow,
       (SELECT avg(closed_on - opened_on) AS days FROM deal WHERE product_id = 'P1') AS fast;
SELECT cmp_ok(now_.deals, '>', before.deals, 'the business grows')
  FROM (SELECT created_count AS deals FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2025-Q1') AS now_,
       (SELECT created_count AS deals FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2023-Q1') AS before;
SELECT cmp_ok(autumn.deals::numeric, '>', 1.2 * summer.deals, 'and has seasons')
  FROM (SELECT created_count AS deals FROM company_scorecard WHERE grain = 'month' AND period_label = '2024-10') AS autumn,
       (SELECT created_count AS deals FROM company_scorecard WHERE grain = 'month' AND period_label = '2024-08') AS summer;
SELECT cmp_ok(count(DISTINCT (current_date - opened_on) / 90), '>', 6::bigint, 'open deals are of all ages') FROM deal WHERE outcome = 'open';
SELECT is(count(*), 4::bigint, 'in all open stages') FROM pipeline_by_stage WHERE open_count > 0 AND is_open;
SELECT is_empty(
    $$SELECT d.deal_id FROM deal d JOIN stage s USING (stage_id)
      WHERE (d.outcome = 'won') <> (s.stage_id = 'won') OR (d.outcome = 'lost') <> (s.stage_id = 'lost')
      EXCEPT SELECT entity_id FROM data_quality WHERE check_code = 'deal_open_in_closed_stage'$$,
    'stages go with outcomes');
SELECT is_empty(
    $$SELECT deal_id, stage_id FROM deal WHERE deal_id NOT IN (SELECT entity_id FROM data_quality WHERE check_code = 'deal_open_in_closed_stage')
      EXCEPT
      (SELECT DISTINCT ON (deal_id) deal_id, stage_id FROM stage_event ORDER BY deal_id, entered_on DESC, entered_at DESC)$$,
    'the latest stage event is the stage');
SELECT is_empty($$SELECT FROM stage_event WHERE is_assumed$$, 'no stage is assumed');

-- the ways of deals: each move from a stage to the next it entered
CREATE TEMP VIEW move AS
SELECT deal_id, from_no, to_no, (to_no <= 4 AND EXISTS (SELECT FROM stage_event e2 JOIN stage USING (stage_id) WHERE e2.deal_id = m.deal_id AND stage_no = to_no AND e2.entered_at < m.entered_at)) AS is_reentry
  FROM (SELECT deal_id, entered_at, stage_no AS to_no, lag(stage_no) OVER (PARTITION BY deal_id ORDER BY entered_on, entered_at) AS from_no
          FROM stage_event JOIN stage USING (stage_id)) AS m
 WHERE from_no IS NOT NULL;
SELECT is_empty($$SELECT FROM move WHERE from_no = to_no$$, 'a move is to another stage');
SELECT cmp_ok(count(*), '>', 50::bigint, 'some deals skip a stage') FROM move WHERE to_no BETWEEN from_no + 2 AND 4;
SELECT cmp_ok(count(*), '>', 50::bigint, 'some are set back') FROM move WHERE to_no < from_no;
SELECT cmp_ok(count(*), '>', 50::bigint, 'some enter a stage again') FROM move WHERE is_reentry;
SELECT cmp_ok(count(*) FILTER (WHERE to_no = from_no + 1 OR to_no > 4)::numeric / count(*), '>', 0.9, 'most go their way') FROM move;

-- leads
SELECT is(count(*), 1500::bigint, 'half as many leads as deals') FROM lead;
SELECT results_eq(
    $$SELECT source FROM lead WHERE source IS NOT NULL GROUP BY 1 ORDER BY avg((converted_on IS NOT NULL)::integer)$$,
    $$VALUES ('advertising'), ('website'), ('trade fair'), ('partner'), ('referral')$$,
    'sources differ in what their leads are worth');
SELECT cmp_ok(count(*) FILTER (WHERE converted_on IS NOT NULL)::numeric / count(*), '>', 0.1, 'a tenth or more are converted') FROM lead WHERE created_on < '2025-04-01';
SELECT is_empty($$SELECT FROM lead WHERE converted_on IS NOT NULL AND lost_on IS NOT NULL$$, 'none is converted and lost');
SELECT is_empty($$SELECT FROM lead WHERE (converted_on IS NULL) <> (converted_deal_id IS NULL)$$, 'what is converted has become a deal');
SELECT is_empty(
    $$SELECT FROM lead l JOIN deal d ON d.deal_id = l.converted_deal_id
      WHERE l.converted_on <> d.opened_on OR l.account_id IS DISTINCT FROM d.account_id$$,
    'opened on that day, with that account');
SELECT cmp_ok(count(DISTINCT converted_deal_id), '>', count(converted_deal_id) * 8 / 10, 'mostly one of its own') FROM lead;
SELECT is(count(*), 0::bigint, 'nothing of a lead is after as_of()') FROM lead WHERE greatest(created_on, converted_on, lost_on) > '2025-06-30';
SELECT cmp_ok(min(created_on), '>', '2022-06-28'::date, 'nor before the first deals') FROM lead;
SELECT cmp_ok(count(*), '>', 20::bigint, 'some are open') FROM lead WHERE converted_on IS NULL AND lost_on IS NULL AND created_on > '2025-06-01';

-- customers come, come again and go
SELECT cmp_ok(count(*) FILTER (WHERE wins > 1)::numeric / count(*), '>', 0.5, 'more than half of the customers buy again') FROM (SELECT count(*) AS wins FROM deal WHERE outcome = 'won' GROUP BY account_id) AS w;
SELECT cmp_ok(count(*), '>', 20::bigint, 'customers of the first year leave')
  FROM (SELECT account_id FROM deal WHERE outcome = 'won' GROUP BY account_id HAVING min(closed_on) < '2023-07-01' AND max(closed_on) < '2024-07-01') AS w;
SELECT is_empty(
    $$SELECT c.deal_id, c.field, c.new_value
      FROM (SELECT DISTINCT ON (deal_id, field) deal_id, field, new_value FROM deal_change ORDER BY deal_id, field, changed_at DESC, deal_change_id DESC) AS c
      JOIN deal d USING (deal_id)
      WHERE c.new_value IS DISTINCT FROM to_jsonb(d) ->> c.field
        AND NOT (c.field IN ('outcome', 'closed_on') AND d.outcome <> 'open')
        AND d.deal_id NOT IN (SELECT entity_id FROM data_quality WHERE severity = 'error')$$,
    'the latest change of a field is its value');
SELECT cmp_ok(count(DISTINCT check_code), '>=', 4::bigint, 'there are some faults') FROM data_quality;
SELECT cmp_ok(count(*), '<', 60::bigint, 'but not many') FROM data_quality WHERE check_code <> 'deal_overdue' AND entity <> 'lead';
SELECT is_empty($$SELECT entity_id FROM data_quality WHERE check_code = 'team_empty'$$, 'no team is without reps, few as they are');
SELECT is(count(*), (SELECT count(*) FROM a.team) - 1, 'teams are a tree') FROM team_tree WHERE team_id = 'T-WW' AND member_team_id <> 'T-WW';

-- ---------------------------------------------------------------- people

SELECT is_empty(format('TABLE a.%I EXCEPT ALL TABLE b.%I', t, t), 'the same arguments give the same rows of ' || t)
  FROM unnest(ARRAY['skill', 'skill_kpi', 'course', 'enrolment', 'feedback', 'feedback_reply', 'review_cycle', 'action_item', 'activity', 'view_log', 'alert_rule', 'alert_event']) AS t;
SELECT cmp_ok(count(*), '>', 1500::bigint, 'another seed gives others') FROM (TABLE a.activity EXCEPT ALL TABLE c.activity) AS differing;
SELECT is(md5(string_agg(concat_ws(',', activity_id, rep_id, deal_id, account_id, kind, to_char(happened_at, 'YYYYMMDD HH24MI')), ';' ORDER BY activity_id COLLATE "C")),
          'f40a07f9f2f1a7bd74ae1544ac4840ee', 'on every machine and version')
  FROM activity;
SELECT is(md5(string_agg(concat_ws(',', feedback_id, from_rep_id, to_rep_id, kind, kpi_code, goal_id, deal_id, skill_id, body, to_char(shared_at, 'YYYYMMDD HH24MI')), ';' ORDER BY feedback_id)),
          '36cc41d500a6e3894d8aaeabd96daf81', 'and what is said')
  FROM feedback;
SELECT is_empty(
    $$SELECT 'enrolment' FROM enrolment WHERE greatest(assigned_on, completed_on) >= '2025-06-30'
      UNION ALL SELECT 'feedback' FROM feedback WHERE shared_at >= '2025-06-30'
      UNION ALL SELECT 'feedback_reply' FROM feedback_reply WHERE acknowledged_at >= '2025-06-30'
      UNION ALL SELECT 'review_cycle' FROM review_cycle WHERE starts_on >= '2025-06-30'
      UNION ALL SELECT 'action_item' FROM action_item WHERE greatest(created_on, done_on) >= '2025-06-30'
      UNION ALL SELECT 'activity' FROM activity WHERE happened_at >= '2025-06-30'
      UNION ALL SELECT 'view_log' FROM view_log WHERE viewed_at >= '2025-06-30'
      UNION ALL SELECT 'alert_event' FROM alert_event
                 WHERE greatest(opened_on, closed_on) > '2025-06-30' OR greatest(opened_at, evaluated_at, acknowledged_at, closed_at) > '2025-06-30'$$,
    'all of it is over before as_of()');
SELECT is_empty(
    $$SELECT rep_id, day
        FROM (SELECT rep_id, happened_at::date FROM activity
              UNION ALL SELECT from_rep_id, shared_at::date FROM feedback
              UNION ALL SELECT to_rep_id, shared_at::date FROM feedback
              UNION ALL SELECT owner_rep_id, created_on FROM action_item
              UNION ALL SELECT rep_id, assigned_on FROM enrolment
              UNION ALL SELECT rep_id, completed_on FROM enrolment
              UNION ALL SELECT r.rep_id, v.viewed_at::date FROM view_log v JOIN rep r USING (login)) AS did (rep_id, day)
        JOIN rep USING (rep_id)
       WHERE day NOT BETWEEN hired_on AND coalesce(left_on, 'infinity')$$,
    'by and with people who were there');
SELECT is_empty($$SELECT activity_id FROM activity WHERE extract(isodow FROM happened_at) > 5$$, 'on weekdays');
SELECT is_empty($$SELECT activity_id FROM activity a JOIN deal d USING (deal_id)
                   WHERE a.rep_id IS DISTINCT FROM d.rep_id OR a.account_id IS DISTINCT FROM d.account_id OR a.happened_at::date NOT BETWEEN d.opened_on AND coalesce(d.closed_on, 'infinity')$$,
                'calls about a deal are the owner''s, while it is open');
SELECT cmp_ok(count(*) FILTER (WHERE deal_id IS NOT NULL), '>', count(*) / 3, 'many calls are about a deal') FROM activity;
SELECT cmp_ok(count(*), '<=', (SELECT 5 * 52 * count(*) FROM rep), 'five a week at most') FROM activity;
SELECT is_empty($$SELECT entity, check_code FROM data_quality WHERE entity NOT IN ('deal', 'lead')$$, 'nothing is wrong with the data of people');

-- ---------------------------------------------------------------- careful

SELECT throws_ok($$SELECT sales_perf.generate_demo('a', 10)$$, '55000', 'mart "a" already holds data', 'it does not run over data');
INSERT INTO d.product (product_id, name) VALUES ('mine', 'Mine');
SELECT throws_ok($$SELECT sales_perf.generate_demo('d', 10)$$, '55000', 'mart "d" already holds data', 'not over any');
SELECT throws_ok($$SELECT sales_perf.generate_demo('nowhere')$$, '3F000', 'schema "nowhere" does not exist', 'nor nowhere');
SELECT throws_ok($$SELECT sales_perf.generate_demo('public')$$, '42809', 'schema "public" is not a mart', 'nor in a schema that is no mart');
SELECT throws_ok($$SELECT sales_perf.generate_demo('sales_perf_template')$$, '42809', NULL, 'nor in the template');
SELECT throws_ok($$SELECT sales_perf.generate_demo('b', 0)$$, '22023', NULL, 'nor for nothing');

-- A name that wants quoting, temporary tables in the way, a single deal; keys are there afterwards.
SELECT sales_perf.create_mart('Sales & "Co"') \gset
CREATE TEMP TABLE deal (wrong integer);
SET search_path = pg_temp, public;
SELECT is(sales_perf.generate_demo('Sales & "Co"', 12000), 12000::bigint, 'any name, any search path');
SELECT bag_eq(
    $$SELECT conname, contype, condeferrable, condeferred, convalidated, confupdtype, confdeltype FROM pg_constraint WHERE connamespace = '"Sales & ""Co"""'::regnamespace$$,
    $$SELECT conname, contype, condeferrable, condeferred, convalidated, confupdtype, confdeltype FROM pg_constraint WHERE connamespace = 'd'::regnamespace$$,
    'and every constraint is as it was');

DROP TABLE pg_temp.deal;
SET search_path = "Sales & ""Co""", public;
SELECT results_eq(
    $$SELECT kind, bool_or(r.feedback_id IS NOT NULL), bool_or(r.feedback_id IS NULL), bool_or(r.reply IS NOT NULL) FROM feedback f LEFT JOIN feedback_reply r USING (feedback_id) WHERE shared_at IS NOT NULL GROUP BY 1 ORDER BY 1$$,
    $$VALUES ('coaching', true, true, true), ('praise', true, true, true), ('review', true, true, true)$$,
    'feedback of all kinds, acknowledged, not acknowledged and answered');
SELECT ok(count(kpi_code) > 0 AND count(goal_id) > 0 AND count(deal_id) > 0 AND count(skill_id) > 0, 'about KPIs, goals, deals and skills') FROM feedback;
SELECT is_empty($$SELECT feedback_id FROM feedback f JOIN deal d USING (deal_id)
                   WHERE f.kind <> CASE d.outcome WHEN 'won' THEN 'praise' WHEN 'lost' THEN 'coaching' END OR d.closed_on >= f.shared_at::date OR d.rep_id <> f.to_rep_id$$,
                'praise is for deals won, coaching for deals lost, afterwards');
SELECT ok(bool_or(done_on <= due_on) AND bool_or(done_on > due_on) AND bool_or(done_on IS NULL AND due_on < '2025-06-30') AND bool_or(done_on IS NULL AND due_on >= '2025-06-30'),
          'items are done in time, late, not in time and not yet') FROM action_item;
SELECT ok(bool_or(completed_on <= due_on) AND bool_or(completed_on IS NULL AND due_on < '2025-06-30') AND bool_or(completed_on IS NULL AND due_on >= '2025-06-30') AND bool_or(score IS NULL AND completed_on IS NOT NULL),
          'courses are completed, overdue and open') FROM enrolment;
SELECT ok(count(*) > 0 AND count(*) < (SELECT count(*) FROM rep) / 2, 'feedback is overdue for some') FROM feedback_due WHERE is_overdue;
SELECT ok(action_open_count > 0 AND action_done_on_time_rate BETWEEN 0.3 AND 0.9 AND feedback_acknowledged_rate BETWEEN 0.4 AND 0.95, 'there is something to account for') FROM accountability WHERE level = 'company';
SELECT results_eq($$SELECT practice FROM adoption WHERE level = 'company' AND asked_count > done_count AND done_count > 0 ORDER BY 1$$,
                  $$VALUES ('acknowledge'), ('action_item'), ('check_in'), ('look_in')$$, 'some take part, and some do not');
SELECT results_eq($$SELECT DISTINCT skill_id FROM skill_gap WHERE is_enough ORDER BY 1$$, $$SELECT skill_id FROM skill ORDER BY 1$$, 'skills have gaps');
SELECT is(count(*) FILTER (WHERE completed_count > 0), 4::bigint, 'courses have an effect to look for') FROM training_effect;
SELECT isnt_empty('SELECT FROM coaching_plan WHERE course_id IS NOT NULL', 'courses are in the coaching plan');
SELECT isnt_empty('SELECT FROM metric_load WHERE alert_kpi_count > 0', 'alerts count as metrics');
SELECT isnt_empty($$SELECT FROM alert WHERE state = 'open'$$, 'there are alerts');
SELECT isnt_empty($$SELECT FROM alert WHERE state = 'acknowledged'$$, 'of some somebody has taken note');
SELECT is(sales_perf.as_of(), '2025-06-30'::date, 'the setting is as it was');

SELECT * FROM finish();
