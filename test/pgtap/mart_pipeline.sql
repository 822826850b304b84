-- pipeline_by_stage and data_quality, on deals made for it.
SELECT plan(20);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2024-06-30';

INSERT INTO team (team_id, name) VALUES ('t', 'Team'), ('idle', 'Idle');
INSERT INTO rep (rep_id, name, team_id, left_on) VALUES ('ann', 'Ann', 't', NULL), ('gone', 'Gone', 't', '2024-05-31'), ('free', 'Free', NULL, NULL);
INSERT INTO account (account_id, name) VALUES ('a', 'A');
INSERT INTO stage (pipeline_id, stage_no, stage_id, name, is_open, default_chance)
VALUES ('default', 1, 'new', 'New', true, 0.1), ('default', 2, 'offer', 'Offer', true, 0.5), ('default', 3, 'talk', 'Talk', true, NULL),
       ('default', 4, 'won', 'Won', false, 1), ('partner', 1, 'partner new', 'New', true, 0.2);
INSERT INTO deal (deal_id, rep_id, account_id, pipeline_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, outcome, recorded_at)
VALUES ('o1', 'ann', 'a', 'default', 'new', 100, 'EUR', '2024-06-20', '2024-08-01', NULL, 'open', '2024-06-20'),
       ('o2', 'ann', 'a', 'default', 'new', 300, 'EUR', '2024-05-31', '2024-06-29', NULL, 'open', '2024-05-31'),
       ('o3', 'ann', 'a', 'default', 'new', NULL, 'EUR', '2024-06-26', NULL, NULL, 'open', '2024-07-15'),
       ('o4', 'gone', 'a', 'default', 'talk', 50, 'EUR', '2024-06-10', '2024-06-30', NULL, 'open', '2024-06-10'),
       ('o5', 'ann', 'a', 'default', NULL, 70, 'EUR', '2024-06-10', NULL, NULL, 'open', '2024-06-10'),
       ('o6', 'ann', 'a', 'default', 'won', 70, 'EUR', '2024-06-10', NULL, NULL, 'open', '2024-06-10'),
       ('w1', 'ann', 'a', 'default', 'won', 500, 'EUR', '2024-06-10', NULL, '2024-06-20', 'won', '2024-06-10'),
       ('later', 'ann', 'a', 'default', 'new', 500, 'EUR', '2024-07-01', NULL, NULL, 'open', '2024-07-01');
-- o2 has come to its stage on 2024-06-15
INSERT INTO stage_event (deal_id, stage_id, entered_on) VALUES ('o2', 'offer', '2024-05-31'), ('o2', 'new', '2024-06-15');

SELECT results_eq(
    $$SELECT pipeline_id, stage_no, stage_name, open_count, pipeline_amount, weighted_pipeline_amount
      FROM pipeline_by_stage ORDER BY pipeline_id, stage_no$$,
    $$VALUES ('default', 1, 'New', 3::bigint, 400::numeric, 40::numeric),
             ('default', 2, 'Offer', 0, 0, 0),
             ('default', 3, 'Talk', 1, 50, NULL),
             ('default', 4, 'Won', 1, 70, 70),
             ('default', NULL, '(no stage)', 1, 70, NULL),
             ('partner', 1, 'New', 0, 0, 0)$$,
    'open stages in their order, also empty ones, a closed one with an open deal, and what has none');
SELECT results_eq(
    $$SELECT deal_age_average_days, deal_age_median_days, stage_age_average_days, stage_age_median_days, overdue_count, unrecorded_count
      FROM pipeline_by_stage WHERE stage_id = 'new'$$,
    $$VALUES (44 / 3::double precision, 10::double precision, 29 / 3::double precision, 10::double precision, 1::bigint, 1::bigint)$$,
    'ages are of deals: mean and median; a deal expected yesterday is overdue; one loaded later is not recorded');
SELECT is(sum(open_count), 6::numeric, 'every open deal stands in one stage') FROM pipeline_by_stage;
INSERT INTO deal (deal_id, stage_id, opened_on, outcome)
SELECT 'many ' || n, 'offer', '2024-06-01', 'open' FROM generate_series(1, 7) AS n;
INSERT INTO deal (deal_id, stage_id, opened_on, outcome) VALUES ('one', 'offer', '2024-06-11', 'open');
SELECT is(deal_age_average_days, (7 * 29 + 19) / 8.0::double precision, 'deals of one cell count each') FROM pipeline_by_stage WHERE stage_id = 'offer';
SELECT is(deal_age_median_days, 29::double precision, 'in the median, too') FROM pipeline_by_stage WHERE stage_id = 'offer';
DELETE FROM deal WHERE deal_id LIKE 'many%' OR deal_id = 'one';

-- ---------------------------------------------------------------- data quality

SELECT results_eq(
    $$SELECT check_code, entity_id FROM data_quality WHERE severity = 'error' ORDER BY 1, 2$$,
    $$VALUES ('deal_open_in_closed_stage', 'o6')$$,
    'one error in these deals');

INSERT INTO deal (deal_id, rep_id, account_id, pipeline_id, stage_id, amount, currency, opened_on, closed_on, outcome)
VALUES ('backwards', 'ann', 'a', 'default', 'won', 1, 'EUR', '2024-03-01', '2024-02-01', 'won'),
       ('some day', 'ann', 'a', 'default', 'won', 1, 'EUR', '2024-03-01', NULL, 'lost'),
       ('tomorrow', 'ann', 'a', 'default', 'won', 1, 'EUR', '2024-03-01', current_date + 1, 'won'),
       ('not yet', 'ann', 'a', 'default', 'new', 1, 'EUR', current_date + 1, NULL, 'open'),
       ('endless', 'ann', 'a', 'default', 'won', 1, 'EUR', '2024-03-01', 'infinity', 'won'),
       ('ancient', 'ann', 'a', 'default', 'won', 1, 'EUR', '1999-12-31', '2000-01-01', 'won'),
       ('priceless', 'ann', 'a', 'default', 'won', NULL, 'EUR', '2024-03-01', '2024-04-01', 'won'),
       ('NaN', 'ann', 'a', 'default', 'new', 'NaN', 'EUR', '2024-03-01', NULL, 'open'),
       ('nobody', NULL, 'a', 'default', 'new', 1, 'EUR', '2024-03-01', NULL, 'open'),
       ('undated', 'ann', 'a', 'default', 'new', 1, 'EUR', NULL, NULL, 'open'),
       ('homeless', 'ann', NULL, 'default', 'new', 1, 'EUR', '2024-03-01', NULL, 'open'),
       ('astray', 'ann', 'a', 'default', 'partner new', 1, 'EUR', '2024-03-01', NULL, 'open'),
       ('forgotten', 'ann', 'a', 'default', 'new', 1, 'EUR', '2024-03-01', '2024-04-01', 'lost'),
       ('negative', 'ann', 'a', 'default', 'new', -1, 'EUR', '2024-03-01', NULL, 'open'),
       ('foreign', 'ann', 'a', 'default', 'new', 1, 'USD', '2024-03-01', NULL, 'open'),
       ('ahead', 'ann', 'a', 'default', 'new', 1, 'EUR', '2024-03-01', NULL, 'open');
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, currency, covers_from, covers_to)
VALUES ('good', 'a', 'ann', '2024-03-01', 1, 'EUR', NULL, NULL), ('good term', 'a', 'ann', '2024-03-01', 1, 'EUR', '2024-03-01', '2025-02-28'),
       ('refund', 'a', 'ann', '2024-03-01', -1, 'EUR', NULL, NULL), ('one day', 'a', 'ann', '2024-03-01', 1, 'EUR', '2024-03-01', '2024-03-01'),
       ('some day', 'a', 'ann', NULL, 1, 'EUR', NULL, NULL), ('tomorrow', 'a', 'ann', current_date + 1, 1, 'EUR', NULL, NULL),
       ('never', 'a', 'ann', 'infinity', 1, 'EUR', NULL, NULL), ('ever', 'a', 'ann', '2024-03-01', 1, 'EUR', '2024-03-01', 'infinity'),
       ('ancient', 'a', 'ann', '1999-12-31', 1, 'EUR', NULL, NULL), ('priceless', 'a', 'ann', '2024-03-01', NULL, 'EUR', NULL, NULL),
       ('NaN', 'a', 'ann', '2024-03-01', 'NaN', 'EUR', NULL, NULL), ('from then', 'a', 'ann', '2024-03-01', 1, 'EUR', '2024-03-01', NULL),
       ('backwards', 'a', 'ann', '2024-03-01', 1, 'EUR', '2024-03-01', '2024-02-01'), ('centuries', 'a', 'ann', '2024-03-01', 1, 'EUR', '2024-03-01', '2224-09-01'),
       ('nobody''s', NULL, 'ann', '2024-03-01', 1, 'EUR', NULL, NULL), ('by nobody', 'a', NULL, '2024-03-01', 1, 'EUR', NULL, NULL),
       ('foreign', 'a', 'ann', '2024-03-01', 1, 'USD', NULL, NULL);
INSERT INTO lead (lead_id, rep_id, source, created_on, converted_on, converted_deal_id, lost_on)
VALUES ('good', 'ann', 'web', '2024-03-01', NULL, NULL, NULL), ('same day', 'ann', 'web', '2024-03-01', '2024-03-01', 'o1', NULL),
       ('some day', 'ann', 'web', NULL, NULL, NULL, NULL), ('tomorrow', 'ann', 'web', '2024-03-01', current_date + 1, 'o1', NULL),
       ('never', 'ann', 'web', '2024-03-01', NULL, NULL, 'infinity'), ('ancient', 'ann', 'web', '1999-12-31', NULL, NULL, NULL),
       ('backwards', 'ann', 'web', '2024-03-01', '2024-02-29', 'o1', NULL), ('lost before', 'ann', 'web', '2024-03-01', NULL, NULL, '2024-02-29'),
       ('both', 'ann', 'web', '2024-03-01', '2024-03-02', 'o1', '2024-03-03'), ('undated', 'ann', 'web', '2024-03-01', NULL, 'o1', NULL),
       ('nobody''s', NULL, 'web', '2024-03-01', NULL, NULL, NULL), ('from nowhere', 'ann', NULL, '2024-03-01', NULL, NULL, NULL);
INSERT INTO team_membership (rep_id, team_id, valid) VALUES ('gone', 't', '(,2024-06-01)');
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('CHF', '2024-01-01', 1.05);
INSERT INTO stage_event (stage_event_id, deal_id, stage_id, entered_on) VALUES (-1, 'ahead', 'offer', '2024-02-29'), (-2, 'ahead', 'talk', current_date + 1);

SELECT set_eq(
    $$SELECT check_code, entity_id FROM data_quality$$,
    $$VALUES ('deal_closed_before_opened', 'backwards'), ('deal_closed_without_day', 'some day'), ('deal_closed_in_future', 'tomorrow'),
             ('deal_opened_in_future', 'not yet'), ('deal_infinite_day', 'endless'), ('deal_day_outside_calendar', 'ancient'),
             ('deal_won_without_amount', 'priceless'), ('deal_amount_not_a_number', 'NaN'), ('deal_open_in_closed_stage', 'o6'),
             ('deal_without_rep', 'nobody'), ('deal_without_opened_on', 'undated'), ('deal_without_account', 'homeless'),
             ('deal_without_stage', 'o5'), ('deal_stage_of_other_pipeline', 'astray'), ('deal_closed_in_open_stage', 'forgotten'),
             ('deal_negative_amount', 'negative'), ('deal_without_rate', 'foreign'), ('deal_overdue', 'o2'),
             ('deal_of_rep_who_left', 'o4'), ('stage_event_before_opening', '-1'), ('stage_event_in_future', '-2'),
             ('stage_event_in_future', (SELECT stage_event_id::text FROM stage_event WHERE deal_id = 'tomorrow')),
             ('stage_event_in_future', (SELECT stage_event_id::text FROM stage_event WHERE deal_id = 'endless')),
             ('stage_event_in_future', (SELECT stage_event_id::text FROM stage_event WHERE deal_id = 'not yet')),
             ('stage_event_before_opening', (SELECT stage_event_id::text FROM stage_event WHERE deal_id = 'backwards')),
             ('sale_without_day', 'some day'), ('sale_in_future', 'tomorrow'), ('sale_infinite_day', 'never'), ('sale_infinite_day', 'ever'),
             ('sale_day_outside_calendar', 'ancient'), ('sale_without_amount', 'priceless'), ('sale_amount_not_a_number', 'NaN'),
             ('sale_term_with_one_end', 'from then'), ('sale_term_backwards', 'backwards'), ('sale_term_too_long', 'centuries'),
             ('sale_without_account', 'nobody''s'), ('sale_without_rep', 'by nobody'), ('sale_without_rate', 'foreign'),
             ('lead_without_day', 'some day'), ('lead_in_future', 'tomorrow'), ('lead_infinite_day', 'never'),
             ('lead_day_outside_calendar', 'ancient'), ('lead_ended_before_created', 'backwards'), ('lead_ended_before_created', 'lost before'),
             ('lead_converted_and_lost', 'both'), ('lead_converted_without_day', 'undated'), ('lead_without_rep', 'nobody''s'),
             ('lead_without_source', 'from nowhere'),
             ('rep_without_team', 'free'), ('rep_without_team', 'gone'), ('rep_in_other_team', 'gone'), ('team_empty', 'idle'),
             ('currency_assumed', 'EUR')$$,
    'each fault is found in its row, and nowhere else');
SELECT set_eq('SELECT DISTINCT check_code FROM data_quality', 'SELECT check_code FROM data_quality_check', 'every check has found something');
SELECT is(detail, 'opened on 2024-03-01, closed on 2024-02-01', 'and says what') FROM data_quality WHERE check_code = 'deal_closed_before_opened';
SELECT is(count(*), 0::bigint, 'and whose it is') FROM data_quality WHERE entity IN ('deal', 'sale', 'lead') AND rep_id IS NULL AND entity_id NOT IN ('nobody', 'by nobody', 'nobody''s');
SELECT results_eq(
    $$SELECT checked_count, violation_count, data_quality_rate FROM data_quality_summary WHERE check_code = 'deal_won_without_amount'$$,
    $$SELECT count(*), 1::bigint, 1 - 1::double precision / count(*) FROM deal$$,
    'the summary counts: rate = 1 - violations / rows checked');
SELECT is(count(*), (SELECT count(*) FROM data_quality_check), 'with a row for each check') FROM data_quality_summary;
SELECT is(sum(violation_count)::bigint, (SELECT count(*) FROM data_quality), 'and adds up') FROM data_quality_summary;

-- reports take them as far as they go
SELECT is(closed_count, 5::bigint, 'closed deals with a day of the calendar up to as_of() count') FROM (SELECT sum(closed_count)::bigint AS closed_count FROM company_scorecard WHERE grain = 'year') AS c;
SELECT is(invalid_count, 1::bigint, 'the one closed before it was opened is invalid') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(unpriced_count, 1::bigint, 'the one won without an amount is not priced') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q2';
SELECT is(bookings_amount, 500::numeric, 'and adds nothing to bookings') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q2';
SELECT is(sum(open_count)::bigint, (SELECT count(*) FROM deal_as_of WHERE is_open), 'the pipeline has every open deal') FROM pipeline_by_stage;
SELECT is(count(*), 2::bigint, 'what closes later is open until then') FROM deal_as_of WHERE deal_id IN ('tomorrow', 'endless') AND is_open;

SELECT sales_perf.create_mart('empty') \gset
SELECT is(count(data_quality_rate), 0::bigint, 'where there is nothing to check there is no rate') FROM empty.data_quality_summary;

SELECT * FROM finish();
