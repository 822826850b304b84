-- generate_demo: the same for the same arguments, believable, and careful.
SELECT plan(55);

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

SELECT * FROM finish();
