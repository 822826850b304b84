-- Quotas: each rule by hand, each figure against a walk over single days, and no cent lost however
-- days, reps and teams are cut.
SELECT plan(78);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-12-31';

INSERT INTO team (team_id, name, parent_team_id) VALUES ('world', 'World', NULL), ('north', 'North', 'world'), ('south', 'South', 'world'), ('far', 'Far North', 'north');
INSERT INTO rep (rep_id, name, team_id, hired_on, left_on)
VALUES ('ann', 'Ann', 'north', '2020-01-01', NULL), ('bob', 'Bob', 'south', '2025-02-10', NULL), ('cid', 'Cid', NULL, '2020-01-01', NULL),
       ('dan', 'Dan', 'far', '2020-01-01', '2025-09-15'), ('eve', 'Eve', 'south', NULL, NULL), ('fay', 'Fay', 'south', '2024-08-31', NULL),
       ('gus', 'Gus', 'north', '2020-01-01', NULL), ('hal', 'Hal', 'far', '2020-01-01', NULL), ('new', 'New', 'south', '2024-11-01', NULL);

-- ---------------------------------------------------------------- what is refused

SELECT throws_ok($$INSERT INTO quota (level, first_day, last_day, amount) VALUES ('rep', '2025-01-01', '2025-12-31', 1)$$, '23514', NULL, 'a rep''s quota without the rep');
SELECT throws_ok($$INSERT INTO quota (level, rep_id, team_id, first_day, last_day, amount) VALUES ('team', 'ann', 'north', '2025-01-01', '2025-12-31', 1)$$, '23514', NULL, 'a quota of two owners');
SELECT throws_ok($$INSERT INTO quota (level, rep_id, first_day, last_day, amount) VALUES ('company', 'ann', '2025-01-01', '2025-12-31', 1)$$, '23514', NULL, 'the company''s with a rep');
SELECT throws_ok($$INSERT INTO quota (level, first_day, last_day, amount) VALUES ('region', '2025-01-01', '2025-12-31', 1)$$, '23514', NULL, 'an unknown level');
SELECT throws_ok($$INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-01-02', '2025-01-01', 1)$$, '23514', NULL, 'days backwards');
SELECT throws_ok($$INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-01-02', 'infinity', 1)$$, '23514', NULL, 'days without end');
SELECT throws_ok($$INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-01-01', '2205-01-01', 1)$$, '23514', NULL, 'a year that is a slip of the pen');
SELECT throws_ok($$INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-01-01', '2025-12-31', -1)$$, '23514', NULL, 'a quota below 0');
SELECT throws_ok($$INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-01-01', '2025-12-31', 'NaN')$$, '23514', NULL, 'a quota that is no number');
SELECT throws_ok($$INSERT INTO quota (level, team_id, first_day, last_day, amount, is_overlay) VALUES ('team', 'north', '2025-01-01', '2025-12-31', 1, true)$$, '23514', NULL, 'an overlay quota of a team');
SELECT throws_ok($$INSERT INTO ramp_step VALUES ('bad', -1, 0.5)$$, '23514', NULL, 'a step before hiring');
SELECT throws_ok($$INSERT INTO ramp_step VALUES ('bad', 0, 'NaN')$$, '23514', NULL, 'a share that is no number');
SELECT throws_ok($$INSERT INTO season_shape VALUES ('bad', 13, 1)$$, '23514', NULL, 'a thirteenth period');
SELECT throws_ok($$INSERT INTO season_shape VALUES ('bad', 1, 0)$$, '23514', NULL, 'a weight of nothing');
SELECT throws_ok($$INSERT INTO rep_leave (rep_id, valid, share) VALUES ('ann', '[2025-01-01,2025-02-01)', 1.5)$$, '23514', NULL, 'more leave than work');
SELECT throws_ok($$INSERT INTO rep_leave (rep_id, valid) VALUES ('ann', 'empty')$$, '23514', NULL, 'leave of no day');
INSERT INTO rep_leave (rep_id, valid, share, reason) VALUES ('gus', '[2025-03-01,2025-05-31]', 1, 'parental'), ('gus', '[2025-06-01,2025-06-30]', 0.5, 'part time');
SELECT throws_ok($$INSERT INTO rep_leave (rep_id, valid) VALUES ('gus', '[2025-06-30,2025-07-10]')$$, '23P01', NULL, 'leaves of a rep that overlap');
SELECT lives_ok($$INSERT INTO rep_leave (rep_id, valid) VALUES ('hal', '[2025-05-01,2025-05-10]')$$, 'of two reps they may');
CREATE FUNCTION pg_temp.at_commit(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    SET CONSTRAINTS ALL IMMEDIATE;
END
$$;
SELECT throws_like($$SELECT pg_temp.at_commit('INSERT INTO quota (rep_id, first_day, last_day, amount, ramp_id) VALUES (''ann'', ''2025-01-01'', ''2025-12-31'', 1, ''no such'')')$$,
                   '%ramp "no such" has no steps%', 'a ramp without steps, at commit');
SELECT throws_like($$SELECT pg_temp.at_commit('INSERT INTO quota (rep_id, first_day, last_day, amount, season_id) VALUES (''ann'', ''2025-01-01'', ''2025-12-31'', 1, ''no such'')')$$,
                   '%season "no such" has no weights%', 'a season without weights, at commit');

INSERT INTO ramp_step VALUES ('standard', 0, 0.25), ('standard', 3, 0.5), ('standard', 6, 1), ('late', 2, 1);
INSERT INTO season_shape SELECT 'growing', n, n FROM generate_series(1, 12) AS n;

-- ---------------------------------------------------------------- by hand

INSERT INTO quota (quota_id, level, rep_id, first_day, last_day, amount, season_id, ramp_id, is_overlay)
VALUES (1, 'rep', 'ann', '2025-01-01', '2025-12-31', 365000, NULL, NULL, false),
       (2, 'rep', 'bob', '2025-01-01', '2025-12-31', 365000, NULL, NULL, false),
       (3, 'rep', 'cid', '2025-01-01', '2025-12-31', 780000, 'growing', NULL, false),
       (4, 'rep', 'dan', '2025-01-01', '2025-12-31', 1000.01, NULL, NULL, false),
       (5, 'rep', 'eve', '2025-01-01', '2025-12-31', 365000, NULL, 'standard', false),
       (6, 'rep', 'fay', '2025-01-01', '2025-12-31', 365000, NULL, 'standard', false),
       (7, 'rep', 'gus', '2025-01-01', '2025-12-31', 365000, NULL, NULL, false),
       (8, 'rep', 'ann', '2025-04-01', '2025-06-30', 9100, NULL, NULL, false),
       (9, 'rep', 'ann', '2025-01-01', '2025-12-31', 730, NULL, NULL, true),
       (10, 'rep', 'new', '2025-01-01', '2025-12-31', 365000, NULL, 'late', false);

SELECT is(quota_for('bob', '2025-03-01', '2025-03-31'), 31000.00, 'each calendar day has the same share: 31 of 365 days');
SELECT is(quota_for('bob', '2025-02-01', '2025-02-28'), 19000.00, 'before the day of hiring there is none: 19 of 28 days');
SELECT is(quota_for('bob', '2025-02-10', '2025-02-10'), 1000.00, 'the day of hiring counts');
SELECT is(quota_for('bob', '2025-02-09', '2025-02-09'), 0.00, 'the day before does not, though there is a quota: 0');
SELECT is(quota_for('bob', '2024-01-01', '2024-12-31'), NULL::numeric, 'without a quota on any of the days: NULL');
SELECT is(quota_for('dan', '2025-09-15', '2025-09-16'), quota_for('dan', '2025-09-15', '2025-09-15'), 'the last day of employment counts, the next one does not');
SELECT is(quota_for('cid', '2025-01-01', '2025-12-31'), 780000.00, 'a quota asked in full gives its amount');
SELECT is(quota_for('cid', '2025-03-01', '2025-03-31'), 30000.00, 'a season: 3 of 78 parts of the year');
SELECT is(quota_for('cid', '2025-02-01', '2025-02-14'), 10000.00, 'within a period each day is alike: 14 of 28 days of 2 parts');
SELECT is(quota_for('ann', '2025-04-01', '2025-04-30'), 30000.00 + 3000.00 + 60.00, 'several quotas of a rep add up, overlay ones too');
SELECT is(quota_for('ann', '-infinity', 'infinity'), 365000 + 9100 + 730.00, 'for all time');
SELECT is(quota_for('gus', '2025-03-01', '2025-05-31'), 0.00, 'on leave: none');
SELECT is(quota_for('gus', '2025-06-01', '2025-06-30'), 15000.00, 'half away: half of it');
SELECT is(quota_for('gus', '2025-01-01', '2025-12-31'), 365000.00 - 92000 - 15000, 'and the year is short of it');
SELECT is(quota_for('eve', '2025-01-01', '2025-01-31'), 31000.00, 'a ramp without a day of hiring: the last step');
-- Fay was hired on 31 August 2024: month 3 begins on 30 November, month 6 on 28 February
SELECT is(quota_for('fay', '2025-02-27', '2025-02-27'), 500.00, 'a ramp: the second step until the end of the sixth month');
SELECT is(quota_for('fay', '2025-02-28', '2025-02-28'), 1000.00, 'which is the last day of February, as there is no 31st');
SELECT is(quota_for('fay', '2025-01-01', '2025-03-31'), 58 * 500.00 + 32 * 1000.00, 'a ramp within a quarter');
SELECT is(quota_for('new', '2025-01-01', '2025-01-31'), 31000.00, 'a ramp that begins after two months: 1 November to 1 January');
INSERT INTO rep (rep_id, name, team_id, hired_on) VALUES ('ivy', 'Ivy', 'south', '2025-10-01');
INSERT INTO quota (quota_id, rep_id, first_day, last_day, amount, ramp_id) VALUES (11, 'ivy', '2025-07-01', '2026-06-30', 365000, 'standard'), (12, 'new', '2024-11-01', '2024-12-31', 6100, 'late');
SELECT is(quota_for('ivy', '2025-10-01', '2025-12-31'), 92 * 250.00, 'a ramp that crosses a fiscal boundary: the first step to the end of the year');
SELECT is(quota_for('ivy', '2026-01-01', '2026-03-31'), 90 * 500.00, 'the second from the new year on');
SELECT is(quota_for('ivy', '2025-12-31', '2026-01-01'), 250.00 + 500.00, 'and both across it');
SELECT is(quota_for('new', '2024-11-01', '2024-12-31'), 0.00, 'before the first step of a ramp there is nothing');
SELECT is(quota_for('rep:ann', '2025-01-01', '2025-01-31'), quota_for('ann', '2025-01-01', '2025-01-31'), 'rep:ID');
SELECT is(quota_for('team:far', '2025-01-01', '2025-01-31'), quota_for('dan', '2025-01-01', '2025-01-31'), 'a team has its reps''');
SELECT is(quota_for('world', '2025-01-01', '2025-01-31'), quota_for('north', '2025-01-01', '2025-01-31') + quota_for('south', '2025-01-01', '2025-01-31'), 'and those of teams below');
SELECT is(quota_for('north', '2025-01-01', '2025-01-31'), 31000.00 + 31000 + quota_for('far', '2025-01-01', '2025-01-31'), 'no overlay among them');
SELECT is(quota_for('company', '2025-01-01', '2025-01-31'), quota_for('world', '2025-01-01', '2025-01-31') + quota_for('cid', '2025-01-01', '2025-01-31'), 'the company has those of no team too');
SELECT throws_ok($$SELECT quota_for('ann', '2025-02-01', '2025-01-31')$$, '22023', 'there are no days from 2025-02-01 to 2025-01-31', 'days backwards are an error');
SELECT throws_ok($$SELECT quota_for('ann', NULL, '2025-01-31')$$, '22023', NULL, 'and no day');
SELECT throws_ok($$SELECT quota_for('nobody', '2025-01-01', '2025-01-31')$$, '42704', NULL, 'and whom nobody knows');

-- ---------------------------------------------------------------- quotas of teams and the company

INSERT INTO ramp_step VALUES ('steep', 0, 1.5), ('steep', 2, 0.5);
INSERT INTO quota (quota_id, rep_id, first_day, last_day, amount, ramp_id) VALUES (13, 'ivy', '2030-01-01', '2030-12-31', 365000, 'standard'), (14, 'bob', '2030-01-01', '2030-12-31', 365000, 'steep');
UPDATE rep SET hired_on = '2029-12-01' WHERE rep_id = 'bob';
SELECT results_eq($$SELECT to_char(m, 'FMMM')::integer AS month, rep_id, quota_amount, is_full_quota FROM unnest('{2030-01-01,2030-02-01}'::date[]) AS m, quota_between(m, (m + interval '1 month')::date - 1) WHERE level = 'rep' ORDER BY 1, 2$$,
                  $$VALUES (1, 'bob', 46500.00, true), (1, 'ivy', 31000.00, true), (2, 'bob', 14000.00, false), (2, 'ivy', 28000.00, true)$$, 'a quota is full where a ramp asks for more than the full one, and not where for less');
UPDATE rep SET hired_on = '2025-02-10' WHERE rep_id = 'bob';
DELETE FROM quota WHERE quota_id IN (13, 14);

INSERT INTO quota (quota_id, level, team_id, first_day, last_day, amount)
VALUES (20, 'team', 'south', '2024-01-01', '2024-12-31', 366000), (21, 'team', 'north', '2025-01-01', '2025-12-31', 500000), (22, 'team', 'world', '2024-12-01', '2024-12-31', 31000),
       (23, 'company', NULL, '2023-12-01', '2024-12-31', 397000);
SELECT is(quota_for('south', '2024-01-01', '2024-10-31'), 305000.00, 'where no rep has one, a team''s own stands in');
SELECT is(quota_for('south', '2024-10-01', '2024-12-31'), 31000.00, 'day by day: from November on a rep has one (though of 0, as the ramp has it)');
SELECT is(quota_for('north', '2025-01-01', '2025-01-31'), (SELECT sum(quota_for(r, '2025-01-01', '2025-01-31')) FROM unnest(ARRAY['gus', 'dan']) AS r) + 31000, 'where reps have them it does not count');
SELECT results_eq($$SELECT quota_amount, assigned_amount FROM quota_between('2025-01-01', '2025-12-31') WHERE team_id = 'north'$$,
                  $$SELECT quota_for('north', '2025-01-01', '2025-12-31'), 500000.00$$, 'but stands beside, whole');
SELECT is(quota_for('world', '2024-01-01', '2024-12-31'), 305000.00, 'it counts for the teams above, and theirs stands back for it');
SELECT is(quota_for('company', '2024-01-01', '2024-12-31'), 305000.00, 'and for the company');
SELECT is(quota_for('company', '2023-12-01', '2023-12-31'), 31000.00, 'whose own stands in where nobody has one');
DELETE FROM quota WHERE quota_id BETWEEN 20 AND 23;

-- ---------------------------------------------------------------- shapes that are used stay

INSERT INTO quota (quota_id, rep_id, first_day, last_day, amount, season_id) VALUES (30, 'cid', '2060-01-01', '2060-01-10', 100, 'growing');
SELECT is(quota_for('cid', '2060-01-01', '2060-01-05'), 50.00, 'outside the calendar a season is left out: days are alike');
SELECT throws_like($$SELECT pg_temp.at_commit('DELETE FROM season_shape')$$, '%the last row of season "growing" cannot go: quota %', 'a season that is used');
SELECT throws_like($$SELECT pg_temp.at_commit('UPDATE ramp_step SET ramp_id = ramp_id || ''2''')$$, '%the last row of ramp "%" cannot go: quota %', 'a ramp that is used');
SELECT lives_ok($$SELECT pg_temp.at_commit('DELETE FROM ramp_step WHERE from_month = 3')$$, 'a step of it may go');
INSERT INTO ramp_step VALUES ('standard', 3, 0.5);

-- ---------------------------------------------------------------- a 4-4-5 season

CREATE TABLE kept_calendar AS SELECT * FROM calendar;
-- 2025 as a 4-4-5 year of 52 weeks from 29 December 2024 on: periods of 28, 28 and 35 days
UPDATE calendar c
   SET fiscal_period = p.period, fiscal_period_start = p.first_day, fiscal_period_end = p.last_day
  FROM (SELECT n AS period,
               date '2024-12-29' + 91 * ((n - 1) / 3) + 28 * ((n - 1) % 3) AS first_day,
               date '2024-12-29' + 91 * ((n - 1) / 3) + 28 * ((n - 1) % 3) + CASE WHEN n % 3 = 0 THEN 34 ELSE 27 END AS last_day
          FROM generate_series(1, 12) AS n) AS p
 WHERE c.on_date BETWEEN p.first_day AND p.last_day;
INSERT INTO quota (quota_id, rep_id, first_day, last_day, amount, season_id) VALUES (31, 'hal', '2024-12-29', '2025-12-27', 780000, 'growing');
DELETE FROM rep_leave WHERE rep_id = 'hal';
SELECT is(quota_for('hal', '2025-02-23', '2025-03-29'), 30000.00, 'a 4-4-5 year: the third period has five weeks and its own part of the year');
SELECT is(quota_for('hal', '2025-03-23', '2025-03-29'), 6000.00, 'a week of it a fifth');
SELECT is(quota_for('hal', '2025-01-05', '2025-01-11'), 2500.00, 'a week of the first period a quarter');
SELECT is(quota_for('hal', '2024-12-29', '2025-12-27'), 780000.00, 'all of them the year');
UPDATE calendar c
   SET fiscal_period = k.fiscal_period, fiscal_period_start = k.fiscal_period_start, fiscal_period_end = k.fiscal_period_end
  FROM kept_calendar k
 WHERE k.region = c.region AND k.on_date = c.on_date;

-- ---------------------------------------------------------------- a year of 53 weeks

-- the National Retail Federation's 2017: 29 January 2017 to 3 February 2018; its last period has the 53rd week
SELECT build_calendar('2016-06-01', '2018-12-31', 2, '4-5-4', year_name => 'start') \gset
INSERT INTO rep (rep_id, name, team_id, hired_on) VALUES ('kim', 'Kim', 'far', NULL), ('lou', 'Lou', 'far', NULL), ('joe', 'Joe', 'far', '2017-11-20');
INSERT INTO quota (quota_id, rep_id, first_day, last_day, amount, season_id)
VALUES (32, 'kim', '2017-01-29', '2018-02-03', 780000, 'growing'), (33, 'lou', '2017-01-29', '2018-02-03', 371000, NULL);
INSERT INTO quota (quota_id, rep_id, first_day, last_day, amount, ramp_id) VALUES (34, 'joe', '2017-01-29', '2018-02-03', 371000, 'standard'), (35, 'joe', '2018-02-04', '2019-02-02', 364000, 'standard');
SELECT is(quota_for('kim', '2017-12-31', '2018-02-03'), 120000.00, 'the twelfth period has its 12 parts of 78 in five weeks');
SELECT is(quota_for('kim', '2018-01-28', '2018-02-03'), 24000.00, 'the 53rd week a fifth of them');
SELECT is(quota_for('kim', '2017-01-29', '2018-02-03'), 780000.00, 'all 53 weeks the year');
SELECT is(quota_for('lou', '2018-01-28', '2018-02-03'), 7000.00, 'without a season a week is 7 days of 371');
SELECT is(quota_for('joe', '2018-02-01', '2018-02-20'), 3 * 250.00 + 16 * 250.00 + 500.00, 'a ramp goes on across the boundary of two such years');
DELETE FROM calendar WHERE on_date BETWEEN '2016-01-01' AND '2019-12-31';
INSERT INTO calendar SELECT * FROM kept_calendar WHERE on_date BETWEEN '2016-01-01' AND '2019-12-31';

-- ---------------------------------------------------------------- days, reps and teams, at random

CREATE FUNCTION pg_temp.draw(n bigint, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$SELECT ((hashint8extended(n, 4711) & 2147483647) % below)::integer$$;

DELETE FROM quota;
INSERT INTO team (team_id, name, parent_team_id) SELECT 't' || n, 't' || n, CASE WHEN n > 3 THEN 't' || 1 + pg_temp.draw(n, 3) END FROM generate_series(1, 9) AS n;
INSERT INTO rep (rep_id, name, hired_on, left_on)
SELECT 'r' || n, 'r' || n, CASE WHEN n % 7 > 0 THEN date '2023-06-01' + pg_temp.draw(100 + n, 700) END, CASE WHEN n % 5 = 0 THEN date '2025-06-01' + pg_temp.draw(200 + n, 300) END
  FROM generate_series(1, 40) AS n;
-- up to three teams one after the other, with days without any
INSERT INTO team_membership (rep_id, team_id, valid)
SELECT 'r' || n, 't' || 1 + pg_temp.draw(300 + 10 * n + k, 9),
       daterange(CASE WHEN k > 1 THEN date '2025-01-01' + (k - 1) * 90 + pg_temp.draw(800 + 10 * n + k, 60) END,
                 CASE WHEN k < 3 THEN date '2025-01-01' + k * 90 + pg_temp.draw(1300 + 10 * n + k, 3) - 1 END)
  FROM generate_series(1, 40) AS n, generate_series(1, 3) AS k
 WHERE n % 8 > 0;
INSERT INTO season_shape SELECT 'odd', n, 0.01 + pg_temp.draw(5000 + n, 1000) / 7.0 FROM generate_series(1, 12) AS n WHERE n <> 5;
INSERT INTO rep_leave (rep_id, valid, share)
SELECT 'r' || n, daterange(date '2025-01-15' + pg_temp.draw(6000 + n, 200), date '2025-08-15' + pg_temp.draw(6100 + n, 90)), (1 + pg_temp.draw(6200 + n, 10)) / 10.0
  FROM generate_series(1, 40, 3) AS n;
INSERT INTO quota (rep_id, first_day, last_day, amount, season_id, ramp_id, is_overlay)
SELECT 'r' || 1 + n % 40, first_day, first_day + 30 + pg_temp.draw(8000 + n, 340), (100 + pg_temp.draw(9000 + n, 100000000)) / 100.0,
       (ARRAY['growing', 'odd', NULL])[1 + n % 3], CASE WHEN n % 2 = 0 THEN 'standard' END, n % 13 = 0
  FROM (SELECT n, date '2024-10-01' + pg_temp.draw(7000 + n, 365) AS first_day FROM generate_series(1, 60) AS n) AS q;

-- Day by day, with no thought of spans: exactly in fractions of a cent, as far as numeric goes.
CREATE TABLE quota_day AS
SELECT q.quota_id, q.rep_id, q.is_overlay, d.on_date,
       q.amount * s.weight / sum(s.weight) OVER (PARTITION BY q.quota_id)
       * (on_date >= coalesce(r.hired_on, '-infinity') AND on_date <= coalesce(r.left_on, 'infinity'))::integer
       * CASE
             WHEN q.ramp_id IS NULL OR r.hired_on IS NULL THEN 1
             WHEN on_date >= (r.hired_on + interval '6 months')::date THEN 1
             WHEN on_date >= (r.hired_on + interval '3 months')::date THEN 0.5
             ELSE 0.25
         END
       * (1 - coalesce((SELECT l.share FROM rep_leave l WHERE l.rep_id = q.rep_id AND l.valid @> on_date), 0)) AS amount
  FROM quota q
  JOIN rep r ON r.rep_id = q.rep_id
 CROSS JOIN LATERAL (SELECT day::date AS on_date FROM generate_series(q.first_day::timestamp, q.last_day::timestamp, interval '1 day') AS day) AS d
 CROSS JOIN LATERAL (SELECT CASE WHEN q.season_id IS NULL THEN 1
                                 ELSE coalesce((SELECT w.weight / (c.fiscal_period_end - c.fiscal_period_start + 1)
                                                  FROM calendar c
                                                  JOIN season_shape w ON w.season_id = q.season_id AND w.fiscal_period = c.fiscal_period
                                                 WHERE c.region = '' AND c.on_date = d.on_date), 0)
                            END AS weight) AS s;

SELECT is_empty(
    $$SELECT w.first_day, p.quota_id, p.amount, e.amount
        FROM (SELECT date '2024-10-01' + pg_temp.draw(20000 + n, 400) AS first_day, 1 + pg_temp.draw(21000 + n, 200) AS days FROM generate_series(1, 40) AS n) AS w
       CROSS JOIN LATERAL quota_portion(w.first_day, w.first_day + w.days - 1, false) AS p
       LEFT JOIN LATERAL (SELECT sum(d.amount) AS amount FROM quota_day d WHERE d.quota_id = p.quota_id AND d.on_date BETWEEN w.first_day AND w.first_day + w.days - 1) AS e ON true
       WHERE (abs(p.amount - e.amount) <= 0.0100001) IS NOT TRUE$$,
    'any quota of any range of days is the sum over its days, to the rounding of two sums');
SELECT is_empty(
    $$SELECT quota_id, p.amount, e.amount
        FROM quota_portion('2020-01-01', '2030-12-31', false) AS p
        LEFT JOIN (SELECT quota_id, round(sum(amount), 2) AS amount FROM quota_day GROUP BY quota_id) AS e USING (quota_id)
       WHERE (abs(p.amount - e.amount) < 0.01) IS NOT TRUE$$,
    'in full it is that sum, rounded once');
CREATE TABLE cut AS
SELECT first_day, lead(first_day) OVER (ORDER BY first_day) - 1 AS last_day
  FROM (SELECT DISTINCT date '2024-09-01' + pg_temp.draw(30000 + n, 600) AS first_day FROM generate_series(1, 60) AS n UNION SELECT '2024-08-15' UNION SELECT '2026-11-01') AS c;
SELECT results_eq(
    $$SELECT level, team_id, rep_id, sum(quota_amount), sum(overlay_quota_amount) FROM cut, quota_between(first_day, last_day) WHERE last_day IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3$$,
    $$SELECT level, team_id, rep_id, quota_amount, overlay_quota_amount FROM quota_between('2024-08-15', '2026-10-31') ORDER BY 1, 2, 3$$,
    'cut anywhere, the parts add up to the cent: for each rep, each team and the company');
SELECT is_empty(
    $$SELECT first_day
        FROM cut
       WHERE last_day IS NOT NULL
         AND (SELECT sum(quota_amount) FROM quota_between(first_day, last_day) WHERE level = 'rep')
             <> (SELECT quota_amount FROM quota_between(first_day, last_day) WHERE level = 'company')$$,
    'the reps add up to the company, to the cent');
SELECT is_empty(
    $$SELECT first_day, t.team_id
        FROM cut
       CROSS JOIN team t
        LEFT JOIN LATERAL (SELECT quota_amount FROM quota_between(first_day, last_day) q WHERE q.level = 'team' AND q.team_id = t.team_id) AS q ON true
        LEFT JOIN LATERAL (SELECT sum(x.amount) AS amount
                             FROM quota_portion(first_day, last_day, false) AS p
                            CROSS JOIN LATERAL (SELECT sum(one.amount) AS amount
                                                  FROM generate_series(p.from_day::timestamp, p.to_day::timestamp, interval '1 day') AS day
                                                 CROSS JOIN LATERAL quota_portion(day::date, day::date, false) AS one
                                                 WHERE one.quota_id = p.quota_id
                                                   AND EXISTS (SELECT
                                                                 FROM team_membership m
                                                                 JOIN team_tree tree ON tree.member_team_id = m.team_id
                                                                WHERE m.rep_id = p.rep_id AND m.valid @> day::date AND tree.team_id = t.team_id)) AS x
                            WHERE NOT p.is_overlay) AS e ON true
       WHERE first_day BETWEEN '2025-03-25' AND '2025-04-15'
         AND last_day IS NOT NULL
         AND coalesce(q.quota_amount, 0) <> coalesce(e.amount, 0)$$,
    'a team has what its reps have on the days on which they belong to it: the sum over single days, to the cent');
SELECT results_eq(
    $$SELECT coalesce(sum(p.amount), 0) FROM quota_portion('2025-02-01', '2025-10-31', true) AS p WHERE NOT p.is_overlay$$,
    $$SELECT coalesce(sum(q.quota_amount), 0) FROM quota_between('2025-02-01', '2025-10-31') q JOIN team t ON t.team_id = q.team_id WHERE t.parent_team_id IS NULL$$,
    'teams at the top have all that is in teams');

SELECT * FROM finish();
