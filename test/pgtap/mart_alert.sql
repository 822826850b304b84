-- Alerts: each rule by figures worked out by hand, opened once, acknowledged, closed; what is told when; what cannot be evaluated.
SELECT plan(46);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-07-20';
INSERT INTO team (team_id, name) VALUES ('north', 'North'), ('south', 'South');
INSERT INTO rep (rep_id, name, team_id, hired_on, left_on)
VALUES ('ann', 'Ann', 'north', NULL, NULL), ('bob', 'Bob', 'north', NULL, NULL), ('cid', 'Cid', 'south', '2025-03-01', NULL), ('old', 'Old', 'south', NULL, '2025-06-30');

-- so many deals of a rep on a day
CREATE FUNCTION close(who text, on_day date, won integer, lost integer, price numeric DEFAULT 100) RETURNS void LANGUAGE sql AS $$
INSERT INTO sales.deal (deal_id, rep_id, amount, outcome, opened_on, closed_on)
SELECT concat_ws(' ', who, on_day, k, clock_timestamp()), who, price, CASE WHEN k <= won THEN 'won' ELSE 'lost' END, on_day - 10, on_day FROM generate_series(1, won + lost) AS k
$$;
-- Ann wins 6 of 40 in the third quarter, Bob 20 of 40, Cid 0 of 5
SELECT close('ann', '2025-07-10', 6, 34), close('bob', '2025-07-11', 20, 20), close('cid', '2025-07-12', 0, 5) \gset

INSERT INTO alert_rule (rule_id, name, kpi_code, level, grain, basis, comparison, threshold)
VALUES ('low', 'Low win rate', 'win_rate', 'rep', 'quarter', 'threshold', 'below', 0.2);
SELECT results_eq(
    $$SELECT change, rule_id, level, entity_id, value, reference, sample_count, summary_text FROM evaluate_alerts()$$,
    $$VALUES ('opened', 'low', 'rep', 'ann', 0.15, 0.2, 40::bigint, 'Win rate of Ann in 2025-Q3 is 15 %, below 20 % (rule Low win rate; n = 40).')$$,
    'a rate below the threshold alerts; a rate of five deals does not, below the KPI''s minimum sample');
SELECT is_empty('SELECT * FROM evaluate_alerts()', 'it opens once');
SELECT results_eq(
    $$SELECT state, kpi_name, unit, entity_name, period_start, period_label, value, last_value, opened_on, open_days, acknowledged_by, closed_on FROM alert$$,
    $$VALUES ('open', 'Win rate', 'fraction', 'Ann', date '2025-07-01', '2025-Q3', 0.15, 0.15, date '2025-07-20', 0, NULL::text, NULL::date)$$, 'as the view shows it');
SELECT alert_event_id AS number FROM alert \gset
SELECT is(acknowledge_alert(:number), true, 'somebody takes note');
SELECT is(acknowledge_alert(:number), false, 'the first one');
SELECT results_eq('SELECT state, acknowledged_by FROM alert', $$VALUES ('acknowledged', session_user::text COLLATE "default")$$, 'who is written down');
SELECT throws_ok('SELECT acknowledge_alert(4711)', '42704', 'there is no alert 4711', 'of an alert that is none');
SELECT throws_ok('SELECT acknowledge_alert(NULL)', '42704', 'there is no alert NULL', 'or not said');

UPDATE alert_rule SET minimum_sample = 5;
SELECT results_eq('SELECT change, entity_id, value, sample_count FROM evaluate_alerts()', $$VALUES ('opened', 'cid', 0::numeric, 5::bigint)$$, 'a rule may be content with fewer deals');
UPDATE alert_rule SET minimum_sample = 6;
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('closed', 'cid')$$, 'or not; what is too little then is over');
SELECT close('ann', '2025-07-15', 1, 1) \gset
SET sales_perf.as_of = '2025-07-22';
SELECT is_empty('SELECT * FROM evaluate_alerts()', 'while it goes on nothing is told');
SELECT results_eq('SELECT value, round(last_value, 4), open_days, summary_text FROM alert WHERE entity_id = ''ann''',
    $$VALUES (0.15, round(7 / 42.0, 4), 2, 'Win rate of Ann in 2025-Q3 is 15 %, below 20 % (rule Low win rate; n = 40); when last looked at, it was 16.7 %.')$$, 'how it goes is written down');
SELECT close('ann', '2025-07-21', 10, 0) \gset
SELECT results_eq('SELECT change, entity_id, round(value, 4) FROM evaluate_alerts()', $$VALUES ('closed', 'ann', round(17 / 52.0, 4))$$, 'it closes when the condition has ended');
SELECT results_eq('SELECT state, closed_on, open_days, summary_text FROM alert WHERE entity_id = ''ann''',
    $$VALUES ('closed', date '2025-07-22', 2, 'Win rate of Ann in 2025-Q3 is 15 %, below 20 % (rule Low win rate; n = 40); closed on 2025-07-22.')$$, 'and says so');
SET sales_perf.as_of = '2025-07-21';
SELECT is(state, 'acknowledged', 'the day before it was not closed') FROM alert WHERE entity_id = 'ann';
SET sales_perf.as_of = '2025-07-19';
SELECT is_empty('TABLE alert', 'and before that not there');
SET sales_perf.as_of = '2025-07-22';
DELETE FROM deal WHERE rep_id = 'ann' AND closed_on = '2025-07-21';
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('opened', 'ann')$$, 'it may open again');
SELECT is(count(*), 2::bigint, 'as another one') FROM alert WHERE entity_id = 'ann';
SET sales_perf.as_of = '2025-10-01';
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('closed', 'ann')$$, 'in a new period in which nothing closed yet it is over');
SET sales_perf.as_of = '2025-07-22';
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('opened', 'ann')$$, 'open again');
UPDATE alert_rule SET is_active = false;
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('closed', 'ann')$$, 'of a rule that is switched off everything closes');
UPDATE alert_rule SET is_active = true;
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('opened', 'ann')$$, 'open once more');
UPDATE rep SET left_on = '2025-07-21' WHERE rep_id = 'ann';
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts()', $$VALUES ('closed', 'ann')$$, 'of who has left it closes');
UPDATE rep SET left_on = NULL WHERE rep_id = 'ann';
UPDATE alert_rule SET level = 'team';
SELECT results_eq('SELECT change, level, entity_id, value, summary_text FROM evaluate_alerts() WHERE change = ''opened''', $$SELECT NULL::text, NULL::text, NULL::text, NULL::numeric, NULL::text WHERE false$$, 'the north as a team is above it');
UPDATE alert_rule SET threshold = 0.4;
SELECT results_eq('SELECT change, level, entity_id, round(value, 3), summary_text FROM evaluate_alerts()',
    $$VALUES ('opened', 'team', 'north', round(27 / 82.0, 3), 'Win rate of team North in 2025-Q3 is 32.9 %, below 40 % (rule Low win rate; n = 82).')$$, 'teams: 7 and 20 of 42 and 40; of five deals none');
UPDATE alert_rule SET level = 'company', minimum_sample = 0;
SELECT bag_eq('SELECT change, level, entity_id, summary_text FROM evaluate_alerts()',
    $$VALUES ('closed', 'team', 'north', 'Win rate of team North in 2025-Q3 is 32.9 %, below 40 % (rule Low win rate; n = 82); closed on 2025-07-22.'),
             ('opened', 'company', NULL, 'Win rate of the company in 2025-Q3 is 31 %, below 40 % (rule Low win rate; n = 87).')$$, 'the company, whose alert has no entity, and takes the place of the team''s');
SELECT is_empty('SELECT * FROM evaluate_alerts()', 'that opens once, too');
DELETE FROM alert_rule;
SELECT is_empty('TABLE alert_event', 'with a rule go its alerts');

-- ---------------------------------------------------------------- the period before

-- up to the 20th of the month; what Ann did from the 21st to the end of June does not count
DELETE FROM deal;
SET sales_perf.as_of = '2025-07-20';
SELECT close('ann', '2025-06-20', 10, 0), close('ann', '2025-06-21', 50, 0), close('bob', '2025-06-05', 10, 0), close('cid', '2025-06-30', 4, 0), close('ann', '2025-07-01', 8, 0), close('bob', '2025-07-01', 7, 0), close('cid', '2025-07-02', 5, 0) \gset
INSERT INTO alert_rule (rule_id, name, kpi_code, level, grain, basis, comparison, threshold) VALUES ('less', 'Fewer wins', 'won_count', 'rep', 'month', 'prior', 'below', 0.2);
SELECT results_eq('SELECT change, entity_id, value, reference, summary_text FROM evaluate_alerts()',
    $$VALUES ('opened', 'bob', 7::numeric, 8.0, 'Deals won of Bob in 2025-07 is 7, below 8, which is 20 % less than in the same days of the month before (rule Fewer wins; n = 7).'),
             ('not evaluated', NULL, NULL, NULL, 'Rule Fewer wins was not evaluated for 1 rep: the period before has 0, of which there is no share.')$$,
    'a fifth less than in the same days of June: seven instead of ten are, eight are not; of nothing there is no fifth');
UPDATE alert_rule SET comparison = 'above', threshold = 0.5;
SET sales_perf.as_of = '2025-07-31';
SELECT results_eq('SELECT change, entity_id, reference FROM evaluate_alerts()', $$VALUES ('closed', 'bob', 8.0)$$, 'at its end a month is compared with a whole one: Cid has 5 after 4, Ann 8 after 60');
UPDATE alert_rule SET threshold = 0.2;
SELECT results_eq('SELECT change, entity_id, value, reference FROM evaluate_alerts()', $$VALUES ('opened', 'cid', 5::numeric, 4.8)$$, 'a fifth more');
DELETE FROM alert_rule;

-- ---------------------------------------------------------------- what is to be expected

-- Ann: 10, 12, 11, 9, 14, 10, 12 in the months up to the 20th: median 11, deviations 1, 1, 0, 2, 3, 1, 1: MAD 1
DELETE FROM deal;
SET sales_perf.as_of = '2025-08-20';
SELECT count(close('ann', m::date + 4, won, 0)) FROM unnest(ARRAY[10, 12, 11, 9, 14, 10, 12, 7]) WITH ORDINALITY AS v (won, n), LATERAL (SELECT '2025-01-01'::date + (n - 1) * interval '1 month') AS k (m) \gset
SELECT close('ann', '2025-03-25', 90, 0) \gset
-- Bob always two: no spread; Cid came in March and has five months
SELECT count(close('bob', ('2025-01-03'::date + n * interval '1 month')::date, 2, 0)), count(close('cid', ('2025-01-03'::date + n * interval '1 month')::date, n + 1, 0)) AS more FROM generate_series(0, 7) AS n \gset
INSERT INTO alert_rule (rule_id, name, kpi_code, level, grain, basis, comparison, threshold) VALUES ('odd', 'Fewer than ever', 'won_count', 'rep', 'month', 'expected', 'below', 2.5);
SELECT bag_eq('SELECT change, entity_id, value, reference::numeric(12, 6), summary_text FROM evaluate_alerts()',
    $$VALUES ('opened', 'ann', 7::numeric, 7.2935, 'Deals won of Ann in 2025-08 is 7, below 7.29, which is 2.5 robust standard deviations below the median of the months before, up to the same day (rule Fewer than ever; n = 7).'),
             ('not evaluated', NULL, NULL, NULL, 'Rule Fewer than ever was not evaluated for 1 rep: fewer than 6 of the 12 periods before have a value of enough deals or rows.')$$,
    'the limit is 11 - 2.5 x 1.4826 x 1; there are no more months than the data go back, and Cid''s begin when he came');
UPDATE alert_rule SET threshold = 2.7;
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts() WHERE change <> ''not evaluated''', $$VALUES ('closed', 'ann')$$, '11 - 2.7 x 1.4826 = 6.997 is below seven');
SELECT close('bob', '2025-08-20', 1, 0) \gset
UPDATE alert_rule SET comparison = 'above';
SELECT results_eq('SELECT change, entity_id, value, reference FROM evaluate_alerts() WHERE change <> ''not evaluated''', $$VALUES ('opened', 'bob', 3::numeric, 2::numeric)$$, 'where all months are the same, any difference is one');
-- two of seven months differ, by 7 together: MAD 0, mean deviation 1: the limit is 2 + 1.2533 x 2.7
SELECT close('bob', '2025-03-05', 4, 0), close('bob', '2025-04-05', 3, 0) \gset
SELECT results_eq('SELECT change, entity_id FROM evaluate_alerts() WHERE change <> ''not evaluated''', $$VALUES ('closed', 'bob')$$, 'where only half are, the mean deviation tells');
SELECT close('bob', '2025-08-20', 3, 0) \gset
SELECT results_eq('SELECT change, entity_id, value, reference::numeric(12, 5) FROM evaluate_alerts() WHERE change <> ''not evaluated''', $$VALUES ('opened', 'bob', 6::numeric, 5.38391)$$, 'six are more than 5.38');

-- ---------------------------------------------------------------- what cannot be evaluated, and KPIs of one's own

CREATE TABLE visit (rep_id text, on_date date, numerator numeric, denominator numeric);
INSERT INTO visit VALUES ('ann', '2025-08-01', 3, 10), ('bob', '2025-08-01', 9, 10);
SELECT register_kpi('reach', 'Reach', 'visit', 'fraction') \gset
SELECT register_kpi('broken', 'Broken', 'visit', kind => 'sum') \gset
INSERT INTO activity (activity_id, rep_id, kind, happened_at) VALUES ('a1', 'ann', 'call', '2025-08-02 12:00'), ('a2', 'ann', 'call', '2025-08-02 12:00');
DELETE FROM alert_rule;
INSERT INTO alert_rule (rule_id, name, kpi_code, level, entity_id, grain, basis, comparison, threshold)
VALUES ('1', 'Little reach', 'reach', 'rep', NULL, 'month', 'threshold', 'below', 0.5),
       ('2', 'Late', 'attainment_rate', 'rep', NULL, 'month', 'threshold', 'below', 0.5),
       ('3', 'Gone', 'win_rate', 'rep', 'nobody', 'month', 'threshold', 'below', 0.5),
       ('4', 'Calls', 'activity_count', 'rep', 'ann', 'year', 'threshold', 'above', 1),
       ('5', 'Broken', 'broken', 'company', NULL, 'month', 'threshold', 'above', 1);
SELECT results_eq('SELECT change, rule_id, entity_id, value, summary_text FROM evaluate_alerts()',
    $$VALUES ('opened', '1', 'ann', 0.3, 'Reach of Ann in 2025-08 is 30 %, below 50 % (rule Little reach; n = 1).'),
             ('opened', '4', 'ann', 2, 'Activities of Ann in 2025 is 2, above 1 (rule Calls; n = 2).'),
             ('opened', '5', NULL, 12, 'Broken of the company in 2025-08 is 12, above 1 (rule Broken; n = 2).'),
             ('not evaluated', '2', NULL, NULL, 'Rule Late was not evaluated: KPI attainment_rate is not given for a range of days, see quota_attainment.attainment_rate.'),
             ('not evaluated', '3', 'nobody', NULL, 'Rule Gone was not evaluated: there is no rep nobody as of 2025-08-20.')$$,
    'registered KPIs alert as built-in ones do; a KPI or an entity that there is not is told, and stops no other');
CREATE OR REPLACE FUNCTION fails() RETURNS numeric LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'the source is away'; END$$;
CREATE VIEW away AS SELECT rep_id, on_date, CASE WHEN numerator > 5 THEN sales.fails() ELSE numerator END AS numerator FROM visit;
UPDATE visit SET numerator = 1;
SELECT register_kpi('broken', 'Broken', 'away', replace => true) \gset
UPDATE visit SET numerator = 9;
SELECT results_eq('SELECT change, rule_id, entity_id, summary_text FROM evaluate_alerts() WHERE rule_id NOT IN (''2'', ''3'')',
    $$VALUES ('closed', '1', 'ann', 'Reach of Ann in 2025-08 is 30 %, below 50 % (rule Little reach; n = 1); closed on 2025-08-20.'),
             ('not evaluated', '5', NULL, 'Rule Broken was not evaluated: the source is away.')$$, 'an error of a relation of one''s own neither');
SELECT is(state, 'open', 'and what is open of it stays') FROM alert WHERE rule_id = '5';
UPDATE visit SET numerator = 'NaN' WHERE rep_id = 'ann';
SELECT is_empty($$SELECT * FROM evaluate_alerts() WHERE rule_id = '1'$$, 'what is not a number is no alert');
DELETE FROM calendar WHERE on_date >= '2025-08-01';
SELECT results_eq($$SELECT rule_id, summary_text FROM evaluate_alerts() WHERE rule_id NOT IN ('2', '3')$$,
    $$VALUES ('1', 'Rule Little reach was not evaluated: calendar has no month that holds 2025-08-20.'), ('5', 'Rule Broken was not evaluated: calendar has no month that holds 2025-08-20.')$$,
    'without the calendar of a period its rules are not evaluated, and told; others are');
SELECT is(count(*), 2::bigint, 'and nothing closes') FROM alert WHERE state <> 'closed';

-- ---------------------------------------------------------------- as somebody else, elsewhere

SET search_path = public;
SELECT lives_ok('SELECT * FROM sales.evaluate_alerts()', 'no result depends on the search path');
SELECT ok((SELECT count(*) FROM sales.alert) > 0, 'nor does the view');
SET search_path = sales, public;
CREATE ROLE looker;
GRANT USAGE ON SCHEMA sales TO looker;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO looker;
SET ROLE looker;
SELECT throws_ok('SELECT * FROM evaluate_alerts()', '42501', NULL, 'who may only read does not evaluate');
SELECT lives_ok('SELECT summary_text FROM alert', 'but sees the alerts');
RESET ROLE;

SELECT * FROM finish();
