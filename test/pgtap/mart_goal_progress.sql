-- goal_progress against numbers worked out by hand: pace on a calendar with holidays, replays, every status, goals
-- that aim down, targets that change, parts and wholes, check-ins.
SELECT plan(71);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;

-- April 2025 has 20 business days: 22 weekdays less Good Friday and Easter Monday; January 22 less New Year's day.
UPDATE calendar SET is_business_day = false WHERE on_date IN ('2025-01-01', '2025-04-18', '2025-04-21') AND region = '';

INSERT INTO team (team_id, name) VALUES ('north', 'North'), ('south', 'South');
INSERT INTO rep (rep_id, name, team_id, hired_on) VALUES ('ann', 'Ann', 'north', NULL), ('bob', 'Bob', 'north', '2025-02-01'), ('cid', 'Cid', 'south', '2025-04-01');
INSERT INTO account (account_id, name) SELECT 'c' || i, 'Customer ' || i FROM generate_series(1, 5) AS i;

-- Ann's sales of a month before and after half of its business days: to 16 January (11 of 22), 14 February (10 of 20),
-- 17 March (11 of 21, as 10.5 is rounded up).
INSERT INTO sale (sale_id, rep_id, account_id, sold_on, amount)
VALUES ('1', 'ann', 'c1', '2025-01-01', 100), ('2', 'ann', 'c1', '2025-01-16', 300), ('3', 'ann', 'c1', '2025-01-17', 500),
       ('4', 'ann', 'c1', '2025-02-14', 300), ('5', 'ann', 'c1', '2025-02-15', 600),
       ('6', 'ann', 'c1', '2025-03-17', 300), ('7', 'ann', 'c2', '2025-03-10', 200), ('8', 'ann', 'c3', '2025-03-18', 700),
       ('9', 'ann', 'c1', '2025-04-02', 200), ('10', 'ann', 'c2', '2025-04-14', 300), ('11', 'ann', 'c3', '2025-04-15', 250), ('12', 'ann', 'c5', '2025-04-30', 350),
       ('13', 'bob', 'c4', '2025-03-20', 80), ('14', 'bob', 'c5', '2025-04-03', 120);

PREPARE ann (text, numeric, date, date) AS
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason) VALUES ($1, $1, 'ann', 'sales_amount', $2, $3, $4, 'a test');
EXECUTE ann ('500', 500, '2025-04-01', '2025-04-30');
EXECUTE ann ('1000', 1000, '2025-04-01', '2025-04-30');
EXECUTE ann ('1100', 1100, '2025-04-01', '2025-04-30');
EXECUTE ann ('1300', 1300, '2025-04-01', '2025-04-30');
EXECUTE ann ('march 1200', 1200, '2025-03-01', '2025-03-31');
EXECUTE ann ('march 1201', 1201, '2025-03-01', '2025-03-31');
EXECUTE ann ('may', 1000, '2025-05-01', '2025-05-31');
EXECUTE ann ('days', 800, '2025-03-18', '2025-04-16');

SET sales_perf.as_of = '2025-04-14';

-- ---------------------------------------------------------------- time

SELECT results_eq(
    $$SELECT business_day_count, gone_business_day_count, expected_share FROM goal_elapsed('2025-04-01', '2025-04-30')$$,
    $$VALUES (20::bigint, 10::bigint, 0.5::float8)$$,
    'half of the business days are gone, holidays left out and today gone');
SELECT results_eq(
    $$SELECT expected_share FROM goal_elapsed('2025-04-15', '2025-04-30') UNION ALL SELECT expected_share FROM goal_elapsed('2025-04-01', '2025-04-14')$$,
    $$VALUES (0::float8), (1)$$,
    'nothing is before the first day, all is on the last');
SELECT is((SELECT expected_share FROM goal_elapsed('2025-04-12', '2025-04-13')), 1::float8, 'days without a business day');
SET sales_perf.as_of = '2025-04-12';
SELECT is((SELECT expected_share FROM goal_elapsed('2025-04-12', '2025-04-13')), 0.5::float8, 'count as days');
SET sales_perf.as_of = '2060-01-15';
SELECT results_eq(
    $$SELECT business_day_count, expected_share FROM goal_elapsed('2060-01-01', '2060-01-30')$$,
    $$VALUES (NULL::bigint, 0.5::float8)$$,
    'so do days outside the calendar');
SET sales_perf.as_of = '2025-04-14';
INSERT INTO season_shape (season_id, fiscal_period, weight) VALUES ('spring', 4, 3), ('spring', 5, 1);
SELECT is((SELECT expected_share FROM goal_elapsed('2025-04-01', '2025-05-31', 'spring')), 0.375::float8, 'a season: half of April''s 3 of 3 + 1');
SELECT is((SELECT round(expected_share::numeric, 6) FROM goal_elapsed('2025-04-01', '2025-05-31')), round(10::numeric / 42, 6), 'without, 10 of 42 business days');
SELECT is((SELECT round(expected_share::numeric, 6) FROM goal_elapsed('2025-04-07', '2025-05-31', 'spring')), round((3 * 6::numeric / 20) / (3 * 16::numeric / 20 + 1), 6),
    'part of a period has the part of its weight that its business days are');
SELECT is((SELECT expected_share FROM goal_elapsed('2025-04-01', '2025-04-30', 'none such')), 0.5::float8, 'a season without weights is none');

SELECT results_eq(
    $$SELECT * FROM goal_past_window('2025-04-01', '2025-04-30')$$,
    $$VALUES (1, '2025-03-01'::date, '2025-03-31'::date, '2025-03-17'::date), (2, '2025-02-01', '2025-02-28', '2025-02-14'), (3, '2025-01-01', '2025-01-31', '2025-01-16')$$,
    'a month is compared with the months before, back to the first of the data, cut where as large a share of their business days was gone');
SELECT results_eq(
    $$SELECT place, first_day, last_day FROM goal_past_window('2025-03-18', '2025-04-16')$$,
    $$VALUES (1, '2025-02-16'::date, '2025-03-17'::date), (2, '2025-01-17', '2025-02-15')$$,
    '30 days with the 30 days before them');
SELECT results_eq(
    $$SELECT place, first_day, cut_day FROM goal_past_window('2025-06-01', '2025-06-30')$$,
    $$VALUES (3, '2025-03-01'::date, NULL::date), (4, '2025-02-01', NULL), (5, '2025-01-01', NULL)$$,
    'a month to come with those that are over, uncut');

-- ---------------------------------------------------------------- Ann's April: 500 at half time

SELECT results_eq(
    $$SELECT owner_name, level, kpi_name, unit, direction, is_complete, baseline, numerator, denominator, sample_count, actual_value,
             progress_rate, attainment_rate, expected_share, expected_value, pace_ratio
      FROM goal_progress WHERE goal_id = '1000'$$,
    $$SELECT 'Ann', 'rep', k.name, 'amount', 'up', false, 0::numeric, 500::numeric, NULL::numeric, 2::bigint, 500::numeric,
             0.5::float8, 0.5::float8, 0.5::float8, 500.00, 1::float8
      FROM kpi k WHERE code = 'sales_amount'$$,
    'on pace');
-- What came after half time was 500, 600, 700: mean 600, deviation 100. Student's quantile for 2 degrees is 1.885618.
SELECT results_eq(
    $$SELECT projected_value, projected_low, projected_high FROM goal_progress WHERE goal_id = '1000'$$,
    $$SELECT 1100.00, round(1100 - 1.885618 * 100 * sqrt(4::numeric / 3), 2), round(1100 + 1.885618 * 100 * sqrt(4::numeric / 3), 2)$$,
    'projected by what came after half time in the months before');
SELECT results_eq(
    $$SELECT goal_id, round(chance_of_reaching::numeric, 6) FROM goal_progress WHERE first_day = '2025-04-01' AND goal_id <> '500' ORDER BY target$$,
    -- the share of 2 degrees is 1/2 + t / (2 sqrt(2 + t^2)), t = (1100 - target) / (100 sqrt(4/3))
    $$SELECT target::text, round(0.5 + t / (2 * sqrt(2 + t * t)), 6)
      FROM unnest('{1000,1100,1300}'::int[]) AS target, LATERAL (SELECT (1100 - target) / (100 * sqrt(4::numeric / 3)) AS t) AS s ORDER BY target$$,
    'the chance is Student''s');
SELECT results_eq(
    $$SELECT remaining_value, remaining_business_days, needed_per_business_day, history_count, history_median, history_best, history_reached_count, is_beyond_history
      FROM goal_progress WHERE goal_id = '1000'$$,
    $$VALUES (500::numeric, 10::bigint, 50.00, 3::bigint, 900::numeric, 1200::numeric, 1::bigint, false)$$,
    'what is left, a day, and what was reached before');
SELECT is(is_beyond_history, true, 'a target beyond anything seen is flagged') FROM goal_progress WHERE goal_id = '1300';

SELECT results_eq(
    $$SELECT goal_id, status FROM goal_progress WHERE first_day >= '2025-04-01' OR goal_id LIKE 'march%' ORDER BY 1$$,
    $$VALUES ('1000', 'on_track'), ('1100', 'at_risk'), ('1300', 'behind'), ('500', 'achieved'), ('march 1200', 'achieved'), ('march 1201', 'missed'), ('may', 'not_started')$$,
    'every status: 1000 has a chance of 0.76, 1100 of 0.5 at a pace of 0.91, 1300 of 0.11 at 0.77; 500 is reached');
INSERT INTO goal (goal_id, name, rep_id, kpi_code, baseline, target, first_day, last_day, reason)
VALUES ('hopeless', 'x', 'ann', 'sales_amount', -2000, 1450, '2025-04-01', '2025-04-30', 'x');
SELECT results_eq(
    $$SELECT round(pace_ratio::numeric, 6), chance_of_reaching < 0.1, status FROM goal_progress WHERE goal_id = 'hopeless'$$,
    $$VALUES (round(3000 / 3450::numeric, 6), true, 'behind')$$,
    'a chance below 0.1 is behind whatever the pace');
DELETE FROM goal WHERE goal_id = 'hopeless';
SELECT results_eq(
    $$SELECT goal_id, projected_value, projected_low, projected_high, chance_of_reaching, expected_share, remaining_value, needed_per_business_day FROM goal_progress WHERE goal_id LIKE 'march%' ORDER BY 1$$,
    $$VALUES ('march 1200', 1200.00, 1200.00, 1200.00, 1::float8, 1::float8, 0::numeric, NULL::numeric), ('march 1201', 1200.00, 1200.00, 1200.00, 0, 1, 1, NULL)$$,
    'what is over is known');
SELECT is(chance_of_reaching, 1::float8, 'what was reached and is never taken back is sure') FROM goal_progress WHERE goal_id = '500';
-- 900, 900, 1200: mean 1000, deviation sqrt(30000)
SELECT results_eq(
    $$SELECT actual_value, progress_rate, expected_value, pace_ratio, projected_value, chance_of_reaching, remaining_value, remaining_business_days FROM goal_progress WHERE goal_id = 'may'$$,
    $$VALUES (NULL::numeric, NULL::float8, NULL::numeric, NULL::float8, 1000.00, 0.5::float8, 1000::numeric, 22::bigint)$$,
    'before the first day the past alone says what it may come to');
SELECT results_eq(
    $$SELECT actual_value, history_count, projected_value, chance_of_reaching FROM goal_progress WHERE goal_id = 'days'$$,
    $$VALUES (1200::numeric, 2::bigint, NULL::numeric, NULL::float8)$$,
    'two windows are too few to project from');

-- As of other days
SET sales_perf.as_of = '2025-04-01';
SELECT results_eq(
    $$SELECT actual_value, pace_ratio, status FROM goal_progress WHERE goal_id = '1000'$$,
    $$VALUES (0::numeric, 0::float8, 'at_risk')$$,
    'a sum of nothing is 0; the first day is not yet behind, as the months before say');
SET sales_perf.as_of = '2025-04-30';
SELECT results_eq(
    $$SELECT goal_id, actual_value, attainment_rate, status FROM goal_progress WHERE first_day = '2025-04-01' ORDER BY target$$,
    $$VALUES ('500', 1100::numeric, 2.2::float8, 'achieved'), ('1000', 1100, 1.1, 'achieved'), ('1100', 1100, 1, 'achieved'), ('1300', 1100, 1100 / 1300::float8, 'missed')$$,
    'on the last day it is over');
SET sales_perf.as_of = '2025-04-14';

-- ---------------------------------------------------------------- who came later

INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason)
VALUES ('bob', 'bob', 'bob', 'sales_amount', 100, '2025-04-01', '2025-04-30', 'x'), ('cid', 'cid', 'cid', 'sales_amount', 100, '2025-04-01', '2025-04-30', 'x');
SELECT results_eq(
    $$SELECT rep_id, actual_value, sample_count, history_count, history_best, is_beyond_history, chance_of_reaching, status FROM goal_progress WHERE rep_id IN ('bob', 'cid') ORDER BY 1$$,
    $$VALUES ('bob', 120::numeric, 1::bigint, 2::bigint, 80::numeric, true, NULL::float8, 'achieved'), ('cid', 0, 0, 0, NULL, NULL, NULL, 'behind')$$,
    'windows before a rep came are not counted; who has sold nothing has reached 0');
DELETE FROM goal WHERE rep_id IN ('bob', 'cid');

-- ---------------------------------------------------------------- sums that start from somewhere, and that are to fall

INSERT INTO goal (goal_id, name, rep_id, kpi_code, baseline, target, first_day, last_day, reason)
VALUES ('from 900', 'x', 'ann', 'sales_amount', 900, 1100, '2025-04-01', '2025-04-30', 'x'),
       ('to 900', 'x', 'ann', 'sales_amount', 1100, 900, '2025-04-01', '2025-04-30', 'x'),
       ('to 490', 'x', 'ann', 'sales_amount', 1100, 490, '2025-04-01', '2025-04-30', 'x');
SELECT results_eq(
    $$SELECT goal_id, direction, progress_rate, attainment_rate, expected_value, round(pace_ratio::numeric, 6), remaining_value, needed_per_business_day, status
      FROM goal_progress WHERE goal_id LIKE '% _00' OR goal_id = 'to 490' ORDER BY 1$$,
    -- the pace leads to 1000
    $$VALUES ('from 900', 'up', -2::float8, (500 / 1100::numeric)::float8, 550.00, 0.500000, 600::numeric, 60.00, 'at_risk'),
             ('to 490', 'down', (600 / 610::numeric)::float8, NULL, 245.00, round(100 / 610::numeric, 6), 10, NULL, 'behind'),
             ('to 900', 'down', 3, NULL, 450.00, 0.500000, 0, NULL, 'behind')$$,
    'the pace of a sum is where it leads to, between baseline and target; a sum that is to fall is not reached before it is over');
SELECT is(chance_of_reaching, 0::float8, 'and one that is above the target stays above') FROM goal_progress WHERE goal_id = 'to 490';
SELECT is(history_best, 900::numeric, 'the best of a goal that aims down is the lowest') FROM goal_progress WHERE goal_id = 'to 900';
DELETE FROM goal WHERE baseline > 0;

-- ---------------------------------------------------------------- ratios, up and down

INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT 'd' || row_number() OVER (), 'bob', 10, closed_on - days, closed_on, outcome
  FROM (VALUES ('2025-01-10'::date, 60, 'won'), ('2025-01-20', 62, 'won'), ('2025-02-10', 58, 'won'), ('2025-02-20', 60, 'won'),
               ('2025-03-10', 55, 'won'), ('2025-03-20', 61, 'won'), ('2025-04-03', 50, 'won'), ('2025-04-04', 46, 'won'), ('2025-04-05', 10, 'lost')) AS d (closed_on, days, outcome);
INSERT INTO goal (goal_id, name, level, kpi_code, baseline, target, stretch, first_day, last_day, reason)
VALUES ('faster', 'Faster', 'company', 'cycle_average_days', 60, 50, 48, '2025-04-01', '2025-04-30', 'x'),
       ('fastest', 'Fastest', 'company', 'cycle_average_days', 60, 40, NULL, '2025-04-01', '2025-04-30', 'x'),
       ('win rate', 'Win rate', 'company', 'win_rate', 0.5, 0.75, NULL, '2025-04-01', '2025-04-30', 'x'),
       ('june', 'June', 'company', 'win_rate', 0.5, 0.75, NULL, '2025-04-14', '2025-06-30', 'x'),
       ('churn', 'Churn', 'company', 'churn_rate', 0.5, 0.2, NULL, '2025-04-01', '2025-04-30', 'x');
SELECT results_eq(
    $$SELECT goal_id, direction, numerator, denominator, actual_value, progress_rate, attainment_rate, expected_value, pace_ratio, remaining_value, is_stretch_reached, needed_per_business_day
      FROM goal_progress WHERE goal_id IN ('faster', 'fastest') ORDER BY 1$$,
    $$VALUES ('faster', 'down', 96::numeric, 2::numeric, 48::numeric, 1.2::float8, NULL::float8, 50::numeric, 1.2::float8, 0::numeric, true, NULL::numeric),
             ('fastest', 'down', 96, 2, 48, 0.6, NULL, 40, 0.6, 8, NULL, NULL)$$,
    'a shorter cycle: progress from 60 days downwards; the target is to be met all the time');
-- mean at half time and in all: 60 and 61, 58 and 59, 55 and 58: +1, +1, +3
SELECT results_eq(
    $$SELECT history_count, history_median, history_best, history_reached_count, is_beyond_history, round(projected_value, 4), status FROM goal_progress WHERE goal_id = 'fastest'$$,
    $$VALUES (3::bigint, 59::numeric, 58::numeric, 0::bigint, true, round(48 + 5::numeric / 3, 4), 'behind')$$,
    'replays of a ratio');
SELECT is(status, 'on_track', 'a ratio that is met now is not achieved before it is over') FROM goal_progress WHERE goal_id = 'faster';
SELECT results_eq(
    $$SELECT numerator, denominator, round(actual_value, 6), round(progress_rate::numeric, 6), round(attainment_rate::numeric, 6), projected_high FROM goal_progress WHERE goal_id = 'win rate'$$,
    $$VALUES (2::numeric, 3::numeric, 0.666667, 0.666667, 0.888889, 0.666667)$$,
    'win rate; it never fell or rose after half time');
-- three replays, none reaches 0.75: (0 + 1) / (3 + 2)
SELECT is(chance_of_reaching, 0.2::float8, 'which does not make a chance of 0') FROM goal_progress WHERE goal_id = 'win rate';
SELECT results_eq(
    $$SELECT actual_value, progress_rate, pace_ratio, projected_value, remaining_value, sample_count, status FROM goal_progress WHERE goal_id = 'june'$$,
    $$VALUES (NULL::numeric, NULL::float8, NULL::float8, NULL::numeric, NULL::numeric, 0::bigint, 'at_risk')$$,
    'a ratio over nothing is NULL, and so is what follows from it');
-- c1, c2, c3, c4 bought in March; c1 and c2 again, c5 is new
SELECT results_eq(
    $$SELECT direction, numerator, denominator, actual_value, progress_rate FROM goal_progress WHERE goal_id = 'churn'$$,
    $$VALUES ('down', 2::numeric, 4::numeric, 0.5::numeric, 0::float8)$$,
    'lower churn');
SET sales_perf.as_of = '2025-04-30';
SELECT results_eq(
    $$SELECT goal_id, status FROM goal_progress WHERE level = 'company' AND last_day = '2025-04-30' ORDER BY 1$$,
    $$VALUES ('churn', 'missed'), ('faster', 'achieved'), ('fastest', 'missed'), ('win rate', 'missed')$$,
    'and when it is over');
SET sales_perf.as_of = '2025-04-14';
DELETE FROM goal WHERE level = 'company';

-- ---------------------------------------------------------------- what is no number reaches nothing

INSERT INTO sale (sale_id, rep_id, account_id, sold_on, amount) VALUES ('no number', 'ann', 'c1', '2025-04-03', 'NaN');
SELECT results_eq(
    $$SELECT goal_id, actual_value, pace_ratio, chance_of_reaching, status FROM goal_progress WHERE goal_id IN ('500', '1300') ORDER BY target$$,
    $$VALUES ('500', 'NaN'::numeric, NULL::float8, NULL::float8, 'at_risk'), ('1300', 'NaN', NULL, NULL, 'at_risk')$$,
    'NaN is above every target, and reaches none');
SET sales_perf.as_of = '2025-04-30';
SELECT is(status, 'missed', 'nor when it is over') FROM goal_progress WHERE goal_id = '500';
SET sales_perf.as_of = '2025-04-14';
DELETE FROM sale WHERE sale_id = 'no number';

-- ---------------------------------------------------------------- a KPI of one's own, and a season

CREATE TABLE public.complaint AS
SELECT 'ann'::text AS rep_id, day::date AS on_date, 1 AS numerator FROM generate_series('2024-11-01'::timestamp, '2025-04-30', '1 day') AS day;
SELECT register_kpi('complaints', 'Complaints', 'public.complaint', direction => 'down') \gset
INSERT INTO goal (goal_id, name, level, team_id, kpi_code, baseline, target, first_day, last_day, reason, season_id)
VALUES ('fewer', 'Fewer complaints', 'team', 'north', 'complaints', 42, 21, '2025-04-01', '2025-04-30', 'x', NULL),
       ('fewer by season', 'Fewer complaints', 'team', 'north', 'complaints', 80, 40, '2025-04-01', '2025-05-31', 'x', 'spring');
SELECT results_eq(
    $$SELECT goal_id, direction, actual_value, round(expected_share::numeric, 3), expected_value, round(pace_ratio::numeric, 3), history_count, history_best, status FROM goal_progress WHERE kpi_code = 'complaints' ORDER BY 1$$,
    -- 14 in 14 days: 28 in April; 14 / 0.375 in April and May
    $$VALUES ('fewer', 'down', 14::numeric, 0.500, 10.500000, round(14 / 21::numeric, 3), 4::bigint, 28::numeric, 'behind'),
             ('fewer by season', 'down', 14, 0.375, 15.000000, round((80 - 14 / 0.375) / 40, 3), 2, 59, 'on_track')$$,
    'a KPI of one''s own is measured like the others; a goal with a season goes by it');
DELETE FROM goal WHERE kpi_code = 'complaints';
-- c1 to c3 came before April
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason)
VALUES ('new 1', 'x', 'ann', 'new_customer_count', 1, '2025-04-01', '2025-04-30', 'x'), ('new 2', 'x', 'ann', 'new_customer_count', 2, '2025-04-01', '2025-04-30', 'x');
INSERT INTO sale (sale_id, rep_id, account_id, sold_on, amount) VALUES ('new', 'ann', 'c4', '2025-04-14', 10);
SELECT results_eq(
    $$SELECT goal_id, actual_value, expected_value, pace_ratio, remaining_value, needed_per_business_day, status FROM goal_progress WHERE goal_id LIKE 'new%' ORDER BY 1$$,
    $$VALUES ('new 1', 1::numeric, 0.500000, 2::float8, 0::numeric, 0.000000, 'achieved'), ('new 2', 1, 1.000000, 1, 1, 0.100000, 'at_risk')$$,
    'new customers come with the days, as a sum grows; in three of four months none came after half time');
DELETE FROM goal WHERE goal_id LIKE 'new%';
DELETE FROM sale WHERE sale_id = 'new';
-- 10 of 22 business days
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason) VALUES ('on pace', 'x', 'ann', 'sales_amount', 220, '2025-01-01', '2025-01-31', 'x');
SET sales_perf.as_of = '2025-01-15';
SELECT results_eq($$SELECT actual_value, pace_ratio, chance_of_reaching, status FROM goal_progress WHERE goal_id = 'on pace'$$, $$VALUES (100::numeric, 1::float8, NULL::float8, 'on_track')$$, 'just on pace is on pace, also where the share of days is no round number');
SET sales_perf.as_of = '2025-04-14';
DELETE FROM goal WHERE goal_id = 'on pace';

-- ---------------------------------------------------------------- bookings have a forecast

INSERT INTO goal (goal_id, name, level, team_id, rep_id, kpi_code, target, first_day, last_day, reason)
VALUES ('b company', 'x', 'company', NULL, NULL, 'bookings_amount', 25, '2025-04-01', '2025-04-30', 'x'),
       ('b team', 'x', 'team', 'north', NULL, 'bookings_amount', 25, '2025-04-01', '2025-04-30', 'x'),
       ('b rep', 'x', 'rep', NULL, 'bob', 'bookings_amount', 25, '2025-04-01', '2025-04-30', 'x'),
       ('b nothing', 'x', 'rep', NULL, 'cid', 'bookings_amount', 25, '2025-04-01', '2025-04-30', 'x');
SELECT results_eq(
    $$SELECT goal_id, actual_value, sample_count, history_count, history_median FROM goal_progress WHERE goal_id LIKE 'b %' ORDER BY 1$$,
    $$VALUES ('b company', 20::numeric, 2::bigint, 3::bigint, 20::numeric), ('b nothing', 0, 0, 0, NULL), ('b rep', 20, 2, 2, 20), ('b team', 20, 2, 3, 20)$$,
    'bookings so far, and before; they begin with the first deal that was won');
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) VALUES ('nan', 'bob', 'NaN', '2025-04-01', '2025-04-02', 'won');
SELECT results_eq(
    $$SELECT goal_id, actual_value, chance_of_reaching FROM goal_progress WHERE goal_id IN ('b rep', 'b nothing') ORDER BY 1$$,
    $$VALUES ('b nothing', 0::numeric, 0::double precision), ('b rep', 'NaN', NULL)$$,
    'an amount that is NaN spoils the goals it enters, and no others');
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('nan', 'cid', 1);
SELECT results_eq(
    $$SELECT goal_id, actual_value, sample_count FROM goal_progress WHERE goal_id IN ('b rep', 'b nothing') ORDER BY 1$$,
    $$VALUES ('b nothing', 'NaN'::numeric, 1::bigint), ('b rep', 20, 2)$$,
    'where another has the credit for it, his');
DELETE FROM deal WHERE deal_id = 'nan';
SELECT is_empty(
    $$SELECT g.goal_id
      FROM goal_progress g
      LEFT JOIN forecast_outlook('2025-04-30') f
        ON f.level = g.level AND coalesce(f.team_id, '') = coalesce(g.team_id, '') AND coalesce(f.rep_id, '') = coalesce(g.rep_id, '')
      WHERE g.kpi_code = 'bookings_amount'
        AND (g.projected_value <> round(g.actual_value + coalesce(sales_perf.outlook_expected(f.outlook), 0), 2)
             OR g.projected_value IS NULL OR g.projected_low IS NULL OR g.projected_high IS NULL OR g.chance_of_reaching IS NULL)$$,
    'what is to come is the forecast''s');
DELETE FROM goal WHERE goal_id LIKE 'b %';

-- ---------------------------------------------------------------- targets in force

SET sales_perf.as_of = '2025-04-10';
UPDATE goal SET target = 1250, baseline = 50 WHERE goal_id = '1000';
INSERT INTO goal_target (goal_id, valid_from, baseline, target) VALUES ('1000', '2025-04-20', 0, 800);
SELECT results_eq(
    $$SELECT target, baseline, target_valid_from FROM goal_progress WHERE goal_id = '1000'$$, $$VALUES (1250::numeric, 50::numeric, '2025-04-10'::date)$$, 'a new target is in force from the day on');
SET sales_perf.as_of = '2025-04-09';
SELECT results_eq(
    $$SELECT target, baseline, target_valid_from, progress_rate FROM goal_progress WHERE goal_id = '1000'$$, $$VALUES (1000::numeric, 0::numeric, '-infinity'::date, 0.2::float8)$$, 'the day before the old one is');
SET sales_perf.as_of = '2025-04-30';
SELECT results_eq(
    $$SELECT target, status FROM goal_progress WHERE goal_id = '1000'$$, $$VALUES (800::numeric, 'achieved')$$, 'one entered by hand is in force later');
SET sales_perf.as_of = '2025-04-10';
UPDATE goal SET target = 1260 WHERE goal_id = '1000';
SELECT is(target, 1260::numeric, 'of two changes on a day the later counts') FROM goal_progress WHERE goal_id = '1000';
DELETE FROM goal_target WHERE goal_id = '1000' AND valid_from < '2025-04-20';
SELECT is(target, 800::numeric, 'before the first there is the first') FROM goal_progress WHERE goal_id = '1000';
DELETE FROM goal_target WHERE goal_id = '1000';
SELECT is(target, 1260::numeric, 'without any, the goal''s') FROM goal_progress WHERE goal_id = '1000';
SET sales_perf.as_of = '2025-04-14';

-- ---------------------------------------------------------------- parts and wholes

INSERT INTO goal (goal_id, name, level, team_id, kpi_code, target, first_day, last_day, reason)
VALUES ('whole', 'Whole', 'company', NULL, 'sales_amount', 2000, '2025-04-01', '2025-04-30', 'x');
SELECT results_eq(
    $$SELECT child_count, child_target_sum, child_gap, children_tie FROM goal_progress WHERE goal_id = 'whole'$$,
    $$VALUES (0::bigint, NULL::numeric, NULL::numeric, NULL::boolean)$$, 'a goal without parts');
INSERT INTO goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, parent_goal_id)
VALUES ('p1', 'p1', 'ann', 'sales_amount', 1100, '2025-04-01', '2025-04-30', 'whole'),
       ('p2', 'p2', 'bob', 'sales_amount', 800, '2025-04-01', '2025-04-30', 'whole'),
       ('p3', 'p3', 'cid', 'won_count', 3, '2025-04-01', '2025-04-30', 'whole');
SELECT results_eq(
    $$SELECT child_count, child_target_sum, child_gap, children_tie FROM goal_progress WHERE goal_id = 'whole'$$,
    $$VALUES (3::bigint, 1900::numeric, 100::numeric, false)$$, 'parts that do not add up are flagged; those of another KPI are not added');
UPDATE goal SET target = 900 WHERE goal_id = 'p2';
SELECT results_eq($$SELECT child_gap, children_tie FROM goal_progress WHERE goal_id = 'whole'$$, $$VALUES (0::numeric, true)$$, 'these do');
SET sales_perf.as_of = '2025-04-13';
SELECT results_eq($$SELECT child_gap, children_tie FROM goal_progress WHERE goal_id = 'whole'$$, $$VALUES (100::numeric, false)$$, 'and did not the day before');
SET sales_perf.as_of = '2025-04-14';
SELECT results_eq(
    $$SELECT status, actual_value, child_actual_sum, actual_gap, child_count, not_started_count, on_track_count, at_risk_count, behind_count, achieved_count, missed_count, goals_on_track_rate
      FROM goal_rollup WHERE goal_id = 'whole'$$,
    $$VALUES ('behind', 620::numeric, 620::numeric, 0::numeric, 3::bigint, 0::bigint, 0::bigint, 1::bigint, 2::bigint, 0::bigint, 0::bigint, 0::float8)$$,
    'goal_rollup: how the parts stand');
SELECT is(count(*), 1::bigint, 'goals without parts have no row there') FROM goal_rollup;
SELECT is(child_projected_sum, NULL, 'what is not known of one part is not known of all: Bob came in February') FROM goal_rollup WHERE goal_id = 'whole';
UPDATE rep SET hired_on = NULL WHERE rep_id = 'bob';
SELECT is(r.child_projected_sum, p.projected_value, 'with his history it is the sum')
  FROM goal_rollup r, (SELECT sum(projected_value) AS projected_value FROM goal_progress WHERE goal_id IN ('p1', 'p2')) AS p WHERE r.goal_id = 'whole';
UPDATE rep SET hired_on = '2025-02-01' WHERE rep_id = 'bob';
SET sales_perf.as_of = '2025-03-31';
SELECT results_eq(
    $$SELECT actual_value, child_actual_sum, actual_gap, child_target_sum, not_started_count, goals_on_track_rate FROM goal_rollup WHERE goal_id = 'whole'$$,
    $$VALUES (NULL::numeric, NULL::numeric, NULL::numeric, 1900::numeric, 3::bigint, NULL::float8)$$,
    'before it begins there are targets alone');
SET sales_perf.as_of = '2025-04-14';

-- ---------------------------------------------------------------- check-ins

UPDATE goal SET check_in_every_days = 7 WHERE goal_id IN ('p1', 'may', 'march 1200');
SELECT results_eq(
    $$SELECT goal_id, check_in_count, checked_on, check_in_due_on, is_check_in_overdue FROM goal_progress WHERE goal_id IN ('p1', 'p2', 'may', 'march 1200') ORDER BY 1$$,
    $$VALUES ('march 1200', 0::bigint, NULL::date, NULL::date, NULL::boolean), ('may', 0, NULL, NULL, NULL), ('p1', 0, NULL, '2025-04-08', true), ('p2', 0, NULL, NULL, NULL)$$,
    'a check-in is due a week after the first day, where one is asked for and the goal runs');
INSERT INTO check_in (goal_id, checked_on, note) VALUES ('p1', '2025-03-01', 'before it began');
SELECT results_eq(
    $$SELECT checked_on, check_in_due_on FROM goal_progress WHERE goal_id = 'p1'$$,
    $$VALUES ('2025-03-01'::date, '2025-04-08'::date)$$,
    'also where it was spoken of before');
DELETE FROM check_in;
INSERT INTO check_in (goal_id, checked_on, author_rep_id, confidence, note)
VALUES ('p1', '2025-04-07', 'ann', 0.9, 'first'), ('p1', '2025-04-08', 'bob', 0.5, 'second'), ('p1', '2025-04-08', NULL, NULL, 'third'), ('p1', '2025-04-15', 'ann', 1, 'tomorrow');
SELECT results_eq(
    $$SELECT check_in_count, checked_on, check_in_author, check_in_confidence, check_in_note, check_in_due_on, is_check_in_overdue FROM goal_progress WHERE goal_id = 'p1'$$,
    $$VALUES (3::bigint, '2025-04-08'::date, NULL::text, NULL::float8, 'third', '2025-04-15'::date, false)$$,
    'the last one up to that day is shown');

-- ---------------------------------------------------------------- columns

SELECT is_empty(
    $$SELECT c.relname, a.attname
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.oid IN ('goal'::regclass, 'goal_target'::regclass, 'check_in'::regclass, 'goal_as_of'::regclass, 'goal_progress'::regclass, 'goal_rollup'::regclass)
        AND col_description(c.oid, a.attnum) IS NULL$$,
    'every column says what it is');

-- ---------------------------------------------------------------- an ordinary role

CREATE ROLE goal_test_reader;
CREATE ROLE goal_test_writer;
GRANT USAGE ON SCHEMA sales TO goal_test_reader, goal_test_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO goal_test_reader, goal_test_writer;
GRANT INSERT, UPDATE ON goal TO goal_test_writer;
GRANT INSERT ON goal_target, check_in TO goal_test_writer;
CREATE TEMPORARY TABLE goal_seen AS SELECT * FROM goal_progress;
GRANT ALL ON goal_seen TO goal_test_reader;
SET ROLE goal_test_reader;
SET search_path = public;
CREATE TEMPORARY TABLE goal (goal_id text);
SELECT set_eq('SELECT * FROM sales.goal_progress', 'SELECT * FROM goal_seen', 'who may read the tables sees what the owner sees, whatever is on his path');
SELECT throws_ok($$INSERT INTO sales.goal (name, rep_id, kpi_code, target, first_day, last_day, reason) VALUES ('x', 'ann', 'sales_amount', 1, '2025-04-01', '2025-04-30', 'x')$$,
    '42501', NULL, 'and may not write');
SET ROLE goal_test_writer;
SELECT lives_ok($$INSERT INTO sales.goal (goal_id, name, rep_id, kpi_code, target, first_day, last_day, reason) VALUES ('w', 'x', 'ann', 'sales_amount', 1, '2025-04-01', '2025-04-30', 'x')$$,
    'who may write goal and goal_target can');
SELECT lives_ok($$UPDATE sales.goal SET target = 2 WHERE goal_id = 'w'$$, 'and change a target');
SELECT lives_ok($$INSERT INTO sales.check_in (goal_id, note) VALUES ('w', 'x')$$, 'and check in');
RESET ROLE;
SELECT is(array_agg(target ORDER BY goal_target_id), '{1,2}', 'the change is kept') FROM sales.goal_target WHERE goal_id = 'w';
DROP OWNED BY goal_test_reader, goal_test_writer;
DROP ROLE goal_test_reader, goal_test_writer;

SELECT * FROM finish();
