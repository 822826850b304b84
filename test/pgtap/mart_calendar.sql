-- Fiscal calendars: published ones (National Retail Federation, Apple), what every scheme promises, holidays by region,
-- what becomes of the calendar that was there; and reports by fiscal periods, against plain SQL over the days of calendar.
SELECT plan(107);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2018-08-16';

-- ---------------------------------------------------------------- business_days()

-- chance by an integer hash, the same everywhere
CREATE FUNCTION pg_temp.draw(n integer, k integer) RETURNS integer
    LANGUAGE sql RETURN (hashint8extended(n, k) & 1048575)::integer;
SELECT is_empty(
    $$SELECT first_day, last_day
        FROM (SELECT first_day, first_day + pg_temp.draw(n, 2) % 900 AS last_day
                FROM (SELECT n, (ARRAY[date '1999-12-20', '0044-03-15 BC', '4714-11-24 BC', '5874890-01-01', '2024-02-26'])[1 + n % 5] + pg_temp.draw(n, 1) % 400 AS first_day
                        FROM generate_series(1, 1000) AS n) AS f) AS range
       WHERE sales_perf.business_days(first_day, last_day)
             IS DISTINCT FROM (SELECT count(*) FILTER (WHERE extract(isodow FROM first_day + i) <= 5)
                                 FROM generate_series(0, last_day - first_day - 1) AS i)
          OR sales_perf.business_days(last_day, first_day) <> - sales_perf.business_days(first_day, last_day)$$,
    'business_days() counts Monday to Friday, one by one the same, and backwards their negative');
SELECT is(sales_perf.business_days('4714-11-24 BC', '5874897-12-31'),
          (SELECT 5 * (n / 7)::integer + count(i)::integer
             FROM (SELECT (date '5874897-12-31' - date '2000-01-03')::bigint + (date '2000-01-03' - date '4714-11-24 BC') AS n) AS days
             LEFT JOIN LATERAL generate_series(1, (n % 7)::integer) AS i ON i <= 5
            GROUP BY n),
          'from the first day there is to the last');
SELECT is(sales_perf.business_days('4714-11-24 BC', '2000-01-03') + sales_perf.business_days('2000-01-03', '5874897-12-31'), sales_perf.business_days('4714-11-24 BC', '5874897-12-31'), 'parts add up');
SELECT is(sales_perf.business_days('2024-01-06', '2024-01-08'), 0, 'a weekend has none');
SELECT is(sales_perf.business_days('2024-01-01', 'infinity'), NULL, 'and for ever is no number');

-- ---------------------------------------------------------------- the calendar as it was

CREATE TEMP TABLE plain_calendar AS SELECT * FROM calendar;
SELECT is(build_calendar('2000-01-01', '2049-12-31'), 18263, 'calendar years, built anew');
SELECT set_eq('TABLE calendar', 'TABLE plain_calendar', 'are those that fill_calendar() made');
SELECT is(build_calendar('2017-05-05', '2018-05-05'), 730, 'what is asked for is widened to whole years');
SELECT set_eq('TABLE calendar', 'TABLE plain_calendar', 'and a part fits between the others');

-- ---------------------------------------------------------------- the National Retail Federation's 4-5-4 calendar

SELECT is(build_calendar('2005-02-01', '2027-01-01', 2, '4-5-4', year_name => 'start'), '2027-01-30'::date - '2005-01-30'::date + 1, 'build_calendar() tells its days');
SELECT results_eq(
    $$SELECT DISTINCT fiscal_year, fiscal_year_start FROM calendar WHERE fiscal_year_label LIKE 'FY%' ORDER BY 1$$,
    $$VALUES (2005, '2005-01-30'::date), (2006, '2006-01-29'), (2007, '2007-02-04'), (2008, '2008-02-03'), (2009, '2009-02-01'), (2010, '2010-01-31'),
             (2011, '2011-01-30'), (2012, '2012-01-29'), (2013, '2013-02-03'), (2014, '2014-02-02'), (2015, '2015-02-01'), (2016, '2016-01-31'),
             (2017, '2017-01-29'), (2018, '2018-02-04'), (2019, '2019-02-03'), (2020, '2020-02-02'), (2021, '2021-01-31'), (2022, '2022-01-30'),
             (2023, '2023-01-29'), (2024, '2024-02-04'), (2025, '2025-02-02'), (2026, '2026-02-01')$$,
    'the published first days of its years');
SELECT results_eq(
    $$SELECT fiscal_year FROM calendar WHERE fiscal_year_label LIKE 'FY%' GROUP BY 1 HAVING max(fiscal_week) = 53 ORDER BY 1$$,
    $$VALUES (2006), (2012), (2017), (2023)$$,
    'its years of 53 weeks');
SELECT results_eq(
    $$SELECT DISTINCT fiscal_period, fiscal_period_start, fiscal_period_end FROM calendar WHERE fiscal_year_label = 'FY2017' ORDER BY 1$$,
    $$VALUES (1, '2017-01-29'::date, '2017-02-25'::date), (2, '2017-02-26', '2017-04-01'), (3, '2017-04-02', '2017-04-29'), (4, '2017-04-30', '2017-05-27'),
             (5, '2017-05-28', '2017-07-01'), (6, '2017-07-02', '2017-07-29'), (7, '2017-07-30', '2017-08-26'), (8, '2017-08-27', '2017-09-30'),
             (9, '2017-10-01', '2017-10-28'), (10, '2017-10-29', '2017-11-25'), (11, '2017-11-26', '2017-12-30'), (12, '2017-12-31', '2018-02-03')$$,
    'its months of 2017, the 53rd week in the last');
SELECT results_eq(
    $$SELECT fiscal_year_label, fiscal_quarter_label, fiscal_period_label, fiscal_week_label, fiscal_week, fiscal_week_start, fiscal_week_end
        FROM calendar WHERE on_date IN ('2017-01-29', '2018-02-03') ORDER BY on_date$$,
    $$VALUES ('FY2017', 'FY2017-Q1', 'FY2017-P01', 'FY2017-W01', 1, '2017-01-29'::date, '2017-02-04'::date), ('FY2017', 'FY2017-Q4', 'FY2017-P12', 'FY2017-W53', 53, '2018-01-28', '2018-02-03')$$,
    'labels of its first and last days');

-- ---------------------------------------------------------------- years that end on the last Saturday of September: Apple's

SELECT lives_ok($$SELECT build_calendar('2009-10-01', '2024-09-01', 10, '4-4-5', year_end => 'last')$$, 'a year that ends on the last Saturday of a month');
SELECT results_eq(
    $$SELECT DISTINCT fiscal_year, fiscal_year_end FROM calendar WHERE fiscal_year_label LIKE 'FY%' AND fiscal_year BETWEEN 2010 AND 2023 AND extract(month FROM fiscal_year_end) = 9 ORDER BY 1$$,
    $$VALUES (2010, '2010-09-25'::date), (2011, '2011-09-24'), (2012, '2012-09-29'), (2013, '2013-09-28'), (2014, '2014-09-27'), (2015, '2015-09-26'), (2016, '2016-09-24'),
             (2017, '2017-09-30'), (2018, '2018-09-29'), (2019, '2019-09-28'), (2020, '2020-09-26'), (2021, '2021-09-25'), (2022, '2022-09-24'), (2023, '2023-09-30')$$,
    'the published last days, each year named by its end');
SELECT is(max(fiscal_week), 53, 'fiscal 2023 had 53 weeks') FROM calendar WHERE on_date BETWEEN '2022-09-25' AND '2023-09-30';

-- ---------------------------------------------------------------- what every scheme promises

CREATE TEMP TABLE tried AS
SELECT n, first_month, scheme, year_end, week_end, year_name, d.*
  FROM (SELECT n, 1 + n % 12 AS first_month, (ARRAY['4-4-5', '4-5-4', '5-4-4', 'month'])[1 + n % 4] AS scheme,
               (ARRAY['nearest', 'last'])[1 + n / 4 % 2] AS year_end, 1 + n % 7 AS week_end, (ARRAY['end', 'start'])[1 + n % 2] AS year_name
          FROM generate_series(1, 84) AS n) AS t
 CROSS JOIN LATERAL fiscal_day('1999-07-01', '2031-07-01', first_month, scheme, year_end, week_end, year_name) AS d;
CREATE TEMP TABLE tried_year AS
SELECT n, first_month, scheme, year_end, week_end, year_name, fiscal_year, fiscal_year_start, fiscal_year_end,
       count(*) AS days, count(DISTINCT fiscal_quarter) AS quarters, count(DISTINCT fiscal_period) AS periods, count(DISTINCT fiscal_week) AS weeks
  FROM tried
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
SELECT is_empty($$SELECT n FROM tried GROUP BY n HAVING count(*) <> count(DISTINCT on_date) OR count(*) <> max(on_date) - min(on_date) + 1 OR min(on_date) > '1999-07-01' OR max(on_date) < '2031-07-01'$$, 'every day once, from before the first to after the last');
SELECT is_empty($$SELECT * FROM tried_year WHERE days <> fiscal_year_end - fiscal_year_start + 1 OR quarters <> 4 OR periods <> 12$$, 'whole years of 4 quarters and 12 periods');
SELECT is_empty(
    $$SELECT n, fiscal_period_label FROM tried GROUP BY n, fiscal_period_label, fiscal_period_start, fiscal_period_end, fiscal_quarter_start, fiscal_quarter_end, fiscal_year_start, fiscal_year_end
      HAVING min(on_date) <> fiscal_period_start OR max(on_date) <> fiscal_period_end OR fiscal_period_start < fiscal_quarter_start OR fiscal_period_end > fiscal_quarter_end
          OR fiscal_quarter_start < fiscal_year_start OR fiscal_quarter_end > fiscal_year_end OR min(fiscal_quarter) <> (min(fiscal_period) + 2) / 3$$,
    'periods lie within quarters, quarters within years');
SELECT is_empty(
    $$SELECT n, fiscal_week_label FROM tried WHERE scheme <> 'month' GROUP BY n, fiscal_week_label, fiscal_week_start, fiscal_week_end, fiscal_period_start, fiscal_period_end, week_end
      HAVING count(*) <> 7 OR min(on_date) <> fiscal_week_start OR max(on_date) <> fiscal_week_end OR extract(isodow FROM fiscal_week_end) <> week_end
          OR fiscal_week_start < fiscal_period_start OR fiscal_week_end > fiscal_period_end$$,
    'weeks of seven days end on the day told, and cross no period');
SELECT is_empty(
    $$SELECT n, fiscal_year, weeks
        FROM (SELECT n, scheme, fiscal_year, fiscal_quarter, string_agg(weeks::text, '-' ORDER BY fiscal_period) AS weeks
                FROM (SELECT n, scheme, fiscal_year, fiscal_quarter, fiscal_period, count(DISTINCT fiscal_week) AS weeks FROM tried WHERE scheme <> 'month' GROUP BY 1, 2, 3, 4, 5) AS p
               GROUP BY 1, 2, 3, 4) AS q
       WHERE weeks <> scheme AND NOT (fiscal_quarter = 4 AND weeks = CASE scheme WHEN '4-4-5' THEN '4-4-6' WHEN '4-5-4' THEN '4-5-5' ELSE '5-4-5' END)$$,
    'quarters have the weeks of their scheme, but for the last of a long year');
SELECT is_empty($$SELECT * FROM tried_year WHERE scheme <> 'month' AND days NOT IN (364, 371)$$, 'of 52 or 53 weeks');
SELECT set_eq($$SELECT scheme, year_end FROM tried_year WHERE days = 371$$, $$SELECT DISTINCT scheme, year_end FROM tried_year WHERE scheme <> 'month'$$, 'long years among them, of every scheme');
SELECT is_empty(
    $$SELECT n, fiscal_year_end
        FROM (SELECT *, make_date((fiscal_year + CASE WHEN year_name = 'start' AND first_month > 1 THEN 1 ELSE 0 END), 1, 1) + make_interval(months => first_month - 1) - CASE WHEN first_month > 1 THEN interval '0' ELSE interval '-1 year' END AS after FROM tried_year) AS y
       CROSS JOIN LATERAL (SELECT (after - interval '1 day')::date AS twelve_months_end) AS e
       WHERE CASE
                 WHEN scheme = 'month' THEN fiscal_year_end <> twelve_months_end
                 WHEN year_end = 'nearest' THEN abs(fiscal_year_end - twelve_months_end) > 3
                 ELSE fiscal_year_end - twelve_months_end NOT BETWEEN -6 AND 0
             END$$,
    'a year ends with the month before first_month: on its last day, at most three days from it, or on its last such weekday; and is named by that year or the one before');
SELECT is_empty($$SELECT * FROM tried WHERE scheme = 'month' AND (fiscal_period_start <> date_trunc('month', on_date)::date OR fiscal_period_label <> to_char(on_date, 'YYYY-MM') OR fiscal_week_label <> to_char(on_date, 'IYYY-"W"IW'))$$, 'months are calendar months, and weeks ISO weeks, whenever the year begins');

-- ---------------------------------------------------------------- months from another month on

TRUNCATE calendar;
SELECT is(build_calendar('2017-12-31', '2018-10-01', 10), 730, 'a fiscal year from October');
SELECT results_eq(
    $$SELECT DISTINCT fiscal_year, fiscal_year_label, fiscal_year_start, fiscal_year_end FROM calendar ORDER BY 1$$,
    $$VALUES (2018, 'FY2018', '2017-10-01'::date, '2018-09-30'::date), (2019, 'FY2019', '2018-10-01', '2019-09-30')$$,
    'has the number of the year in which it ends');
SELECT results_eq($$SELECT fiscal_quarter_label, fiscal_period, fiscal_period_label FROM calendar WHERE on_date = '2018-02-14'$$, $$VALUES ('FY2018-Q2', 5, '2018-02')$$, 'February is its fifth period, by its own name');
SELECT is(build_calendar('2018-04-01', '2018-04-01', 4, year_name => 'start'), 365, 'a year from April, named by its beginning');
SELECT is(max(fiscal_year_label), 'FY2018', 'is that of 2018') FROM calendar WHERE on_date = '2019-03-31';

-- ---------------------------------------------------------------- calendars side by side

SELECT is(string_agg(DISTINCT fiscal_year_label || ' ' || fiscal_year_start || ' ' || fiscal_year_end, ', '), 'FY2018 (short) 2017-10-01 2018-03-31, FY2018 2018-04-01 2019-03-31, FY2019 (short) 2019-04-01 2019-09-30',
          'years that lose days to another go on as what is left of them') FROM calendar;
SELECT is(fiscal_quarter_label || ' ' || fiscal_period_label, 'FY2018-Q2 2018-03', 'their whole quarters and periods stay') FROM calendar WHERE on_date = '2018-03-31';
SELECT is(fill_calendar('2015-05-05', '2015-05-05'), '2017-09-30'::date - '2015-01-01'::date + 1, 'days between are filled, too');
SELECT is(count(*), max(on_date) - min(on_date) + 1::bigint, 'so there is no gap') FROM calendar;
SELECT is(fiscal_year_label || ' ' || fiscal_year_end, '2017 (short) 2017-09-30', 'the filled year ends where the next begins') FROM calendar WHERE on_date = '2017-02-01';
SELECT is_empty($$SELECT FROM calendar GROUP BY fiscal_period_start, fiscal_period_end HAVING min(on_date) <> fiscal_period_start OR max(on_date) <> fiscal_period_end$$, 'every period has its days');
SET standard_conforming_strings = off;
SELECT is(build_calendar('2017-03-05', '2017-03-05', 3, '5-4-4', year_end => 'last'), 364, 'cut once more, by a year from 26 February');
RESET standard_conforming_strings;
SELECT is(string_agg(DISTINCT fiscal_year_label, ', '), '2015, 2016, 2017 (short), FY2018, FY2018 (short), FY2019 (short)', 'a year that was cut already is short once') FROM calendar;
SELECT is(build_calendar('2014-01-01', '2020-12-31', 1, '4-4-5'), '2021-01-02'::date - '2013-12-29'::date + 1, 'all of it anew');
SELECT set_eq('SELECT fiscal_year_label FROM calendar', $$SELECT 'FY' || y FROM generate_series(2014, 2020) AS y$$, 'and nothing is left');
SELECT is(fill_calendar('2013-01-01', '2013-12-31'), '2013-12-28'::date - '2013-01-01'::date + 1, 'fill_calendar() keeps what is there');
SELECT is(fiscal_week_label || ' ' || fiscal_week_start || ' ' || fiscal_week_end, '2013-W52 (short) 2013-12-23 2013-12-28', 'a week is cut where another calendar begins') FROM calendar WHERE on_date = '2013-12-27';
SELECT is(fiscal_week_start, '2012-12-31'::date, 'and not at the calendar''s own ends') FROM calendar WHERE on_date = '2013-01-01';

-- ---------------------------------------------------------------- what it refuses

SELECT throws_ok(call, '22023', message, message)
  FROM (VALUES ($$SELECT build_calendar('2018-01-01', '2018-12-31', 13)$$, 'first_month out of range: 13'),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', 0)$$, 'first_month out of range: 0'),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', NULL)$$, 'first_month out of range: NULL'),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', 1, '4-4-4')$$, 'unknown scheme: ''4-4-4'''),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', 1, NULL)$$, 'unknown scheme: NULL'),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', 1, '4-4-5', year_end => 'first')$$, 'unknown year_end: ''first'''),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', 1, '4-4-5', week_end => 8)$$, 'week_end out of range: 8'),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', year_name => 'both')$$, 'unknown year_name: ''both'''),
               ($$SELECT build_calendar('2018-01-01', '2018-12-31', holidays => '{2018-12-25,NULL}')$$, 'holidays must be finite days and not null'),
               ($$SELECT build_calendar('2018-12-31', '2018-01-01')$$, 'cannot fill the calendar from 2018-12-31 to 2018-01-01'),
               ($$SELECT build_calendar(NULL, '2018-01-01')$$, 'cannot fill the calendar from NULL to 2018-01-01'),
               ($$SELECT build_calendar('2018-01-01', 'infinity')$$, 'cannot fill the calendar from 2018-01-01 to infinity'),
               ($$SELECT build_calendar('2018-01-01', '2600-01-01')$$, 'cannot fill the calendar from 2018-01-01 to 2600-01-01'),
               ($$SELECT build_calendar('2900-01-01', '2900-12-31')$$, 'cannot fill the calendar from 2021-01-03 to 2900-12-31')) AS t (call, message);
SELECT throws_ok($$SELECT build_calendar('2018-01-01', '2018-12-31', region => NULL)$$, '22004', NULL, 'nor no region');
SELECT is(count(*), '2021-01-02'::date - '2013-01-01'::date + 1::bigint, 'and all is as before') FROM calendar;

-- ---------------------------------------------------------------- holidays

SELECT lives_ok($$SELECT build_calendar('2018-01-01', '2018-12-31', holidays => '{2018-01-01,2018-12-25,2018-12-25,2018-12-29}')$$, 'holidays, one twice and one on a Saturday');
SELECT results_eq($$SELECT on_date FROM holiday WHERE region = '' ORDER BY 1$$, $$VALUES ('2018-01-01'::date), ('2018-12-25'), ('2018-12-29')$$, 'are kept in holiday');
SELECT is(count(*) FILTER (WHERE is_business_day), 261 - 2::bigint, 'and are no business days') FROM calendar WHERE fiscal_year_label = '2018';
SELECT lives_ok($$SELECT build_calendar('2018-01-01', '2018-12-31', holidays => '{2018-10-03}', region => 'DE')$$, 'a region''s holidays');
SELECT is(string_agg(region || ':' || n, ' ' ORDER BY region), ':259 DE:258', 'give it business days of its own, and everywhere''s are its too')
  FROM (SELECT region, count(*) FILTER (WHERE is_business_day) AS n FROM calendar WHERE fiscal_year_label = '2018' GROUP BY 1) AS r;
SELECT set_eq($$SELECT on_date, fiscal_year_label, fiscal_quarter_label, fiscal_period_label, fiscal_week_label, fiscal_week_start FROM calendar WHERE region = 'DE'$$,
              $$SELECT on_date, fiscal_year_label, fiscal_quarter_label, fiscal_period_label, fiscal_week_label, fiscal_week_start FROM calendar WHERE region = ''$$, 'on the same days and periods');
INSERT INTO holiday VALUES ('DE', '2018-12-25', 'open all the same', true), ('DE', '2018-12-08', 'Saturday before Christmas', true), ('CN', '2018-10-01', 'National Day', false), ('', '2018-07-04', 'of all', false);
SELECT cmp_ok(apply_holidays(), '>', 2000, 'apply_holidays() brings in what was entered since');
SELECT is(string_agg(region || ':' || n, ' ' ORDER BY region), ':258 CN:257 DE:259', 'a region may do business where others do not, and on a Saturday')
  FROM (SELECT region, count(*) FILTER (WHERE is_business_day) AS n FROM calendar WHERE fiscal_year_label = '2018' GROUP BY 1) AS r;
SELECT is(apply_holidays(), 0, 'done once, there is no more to do');
UPDATE calendar SET is_business_day = false WHERE on_date = '2018-05-02' AND region = '';
SELECT is(apply_holidays('2018-05-02', '2018-05-02'), 1, 'what was set by hand goes');
SELECT lives_ok($$SELECT build_calendar('2018-01-01', '2018-12-31', 4, '5-4-4')$$, 'without holidays');
SELECT is(string_agg(region || ':' || n, ' ' ORDER BY region), ':258 CN:257 DE:259', 'those of the table count')
  FROM (SELECT region, count(*) FILTER (WHERE is_business_day) AS n FROM calendar WHERE on_date BETWEEN '2018-01-01' AND '2018-12-31' GROUP BY 1) AS r;
SELECT is_empty($$SELECT FROM calendar r JOIN calendar e ON e.region = '' AND e.on_date = r.on_date WHERE r.fiscal_period_label <> e.fiscal_period_label OR r.fiscal_year_end <> e.fiscal_year_end OR r.fiscal_week_start <> e.fiscal_week_start$$, 'and regions have the new periods');
SELECT lives_ok($$SELECT build_calendar('2018-01-01', '2018-12-31', holidays => '{2018-01-01}')$$, 'other holidays');
SELECT results_eq($$SELECT region, on_date FROM holiday WHERE NOT is_business_day ORDER BY 1, 2$$, $$VALUES ('', '2018-01-01'::date), ('CN', '2018-10-01'), ('DE', '2018-10-03')$$, 'take the place of everywhere''s');
SELECT is(fill_calendar('2022-01-01', '2022-12-31') > 364, true, 'new years');
SELECT is(count(*), 3::bigint, 'come with a row for each region') FROM calendar WHERE on_date = '2022-06-06';
SELECT build_calendar('2022-07-01', '2022-07-01', 7) \gset
SELECT build_calendar('2022-04-01', '2022-04-01', 4) \gset
SELECT is(string_agg(DISTINCT region || ':' || fiscal_year_label || ' ' || fiscal_year_end, ', '), ':2022 (short) 2022-03-31, CN:2022 (short) 2022-03-31, DE:2022 (short) 2022-03-31', 'what is cut twice, is so in each region')
  FROM calendar WHERE on_date = '2022-01-01';
SELECT is_empty($$SELECT fiscal_year_start, fiscal_year_end, fiscal_quarter_start, fiscal_quarter_end, fiscal_period_start, fiscal_period_end FROM calendar WHERE region = 'DE'
                  EXCEPT SELECT fiscal_year_start, fiscal_year_end, fiscal_quarter_start, fiscal_quarter_end, fiscal_period_start, fiscal_period_end FROM calendar WHERE region = ''$$, 'no period is another one there');
SELECT build_calendar('2018-01-01', '2018-12-31', holidays => '{2018-01-01,2019-05-01}') \gset
SELECT is(string_agg(region || ':' || is_business_day, ' ' ORDER BY region), ':false CN:false DE:false', 'a holiday of another year that is there is applied, too') FROM calendar WHERE on_date = '2019-05-01';
SELECT is(apply_holidays(), 0, 'calendar is what holiday says');

SELECT is_empty(
    $$SELECT first_day, last_day, region
        FROM (SELECT date '2018-01-01' + pg_temp.draw(n, 3) % 400 AS first_day, date '2018-01-01' + pg_temp.draw(n, 4) % 400 AS last_day, (ARRAY['', 'DE', 'CN', 'XX'])[1 + n % 4] AS region FROM generate_series(1, 100) AS n) AS r
       WHERE calendar_business_days(first_day, last_day, region)
             IS DISTINCT FROM sign(last_day - first_day)
                 * (SELECT count(*) FROM generate_series(least(first_day, last_day)::timestamp, greatest(first_day, last_day) - interval '1 day', '1 day') AS day
                     WHERE coalesce((SELECT h.is_business_day FROM holiday h WHERE h.region = r.region AND h.on_date = day::date),
                                    (SELECT h.is_business_day FROM holiday h WHERE h.region = '' AND h.on_date = day::date), extract(isodow FROM day) <= 5))$$,
    'calendar_business_days() counts what calendar and holiday say');
SELECT is(calendar_business_days('2018-03-01', '2018-04-01'), sales_perf.business_days('2018-03-01', '2018-04-01'), 'as business_days() where there are no holidays');
SELECT is(calendar_business_days('1990-01-01', '2018-04-01'), NULL, 'outside calendar there is no answer');
SELECT is(calendar_business_days('2018-01-01', NULL), NULL, 'nor to NULL');

-- ---------------------------------------------------------------- reports by fiscal periods

TRUNCATE holiday;
TRUNCATE calendar;
SELECT build_calendar('2010-01-01', '2030-01-01', 2, '4-5-4', year_name => 'start') \gset
SELECT results_eq(
    $$SELECT grain, period_label, period_start, elapsed_business_days, prior_to_date_end, year_ago_start, year_ago_to_date_end FROM period_comparison WHERE holds_as_of ORDER BY 1$$,
    -- 9 business days from 5 August on, 139 (27 weeks and 4 days) from 4 February on
    $$VALUES ('month', 'FY2018-P07', date '2018-08-05', 9::bigint, date '2018-07-19', date '2017-07-30', date '2017-08-10'),
             ('quarter', 'FY2018-Q3', '2018-08-05', 9, '2018-05-17', '2017-07-30', '2017-08-10'),
             ('year', 'FY2018', '2018-02-04', 139, '2017-08-10', '2017-01-29', '2017-08-10')$$,
    'to date, at as many business days');

INSERT INTO team (team_id, name, parent_team_id) VALUES ('all', 'All', NULL), ('north', 'North', 'all'), ('south', 'South', 'all');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'north'), ('cid', 'Cid', 'south');
SELECT move_rep('bob', 'south', '2017-05-20') \gset
INSERT INTO account (account_id, name, segment) SELECT 'a' || n, 'Account ' || n, (ARRAY['large', 'small', NULL])[1 + n % 3] FROM generate_series(1, 60) AS n;
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, covers_from, covers_to)
SELECT 's' || n, 'a' || 1 + pg_temp.draw(n, 5) % 60, (ARRAY['ann', 'bob', 'cid', NULL])[1 + pg_temp.draw(n, 6) % 4], sold_on,
       round(CASE WHEN pg_temp.draw(n, 7) % 9 = 0 THEN -1 ELSE 1 END * (pg_temp.draw(n, 8) % 90000) / 100.0, 2),
       CASE WHEN pg_temp.draw(n, 9) % 10 = 0 THEN sold_on + 3 END, CASE WHEN pg_temp.draw(n, 9) % 10 = 0 THEN sold_on + 3 + pg_temp.draw(n, 10) % 400 END
  FROM (SELECT n, date '2015-11-20' + pg_temp.draw(n, 11) % 1000 AS sold_on FROM generate_series(1, 1200) AS n) AS drawn;

SELECT results_eq(
    $$SELECT period_start, year_ago_start, year_ago_end FROM period_comparison WHERE grain = 'month' AND period_label IN ('FY2018-P01', 'FY2018-P02', 'FY2017-P12') ORDER BY 1$$,
    $$VALUES (date '2017-12-31', date '2017-01-01', date '2017-01-28'), ('2018-02-04', '2017-01-29', '2017-02-25'), ('2018-03-04', '2017-02-26', '2017-04-01')$$,
    'a year ago is the period of the same number, whatever its weeks');

-- what was bought by customer, level and day, spread over the days of terms with exact fractions
CREATE TEMP TABLE bought AS
SELECT l.level, l.key, s.sale_id, s.account_id, s.sold_on, s.amount, s.covers_from, s.covers_to
  FROM sale s
 CROSS JOIN LATERAL (
        SELECT 'company' AS level, '-' AS key
        UNION ALL SELECT 'rep', coalesce(s.rep_id, '(no rep)')
        UNION ALL SELECT 'segment', coalesce((SELECT segment FROM account a WHERE a.account_id = s.account_id), '(no segment)')
        UNION ALL SELECT 'team', 'all' WHERE s.rep_id IS NOT NULL
        UNION ALL SELECT 'team', CASE WHEN s.rep_id = 'ann' OR s.rep_id = 'bob' AND s.sold_on < '2017-05-20' THEN 'north' ELSE 'south' END WHERE s.rep_id IS NOT NULL) AS l
 WHERE s.sold_on <= '2018-08-16';
CREATE TEMP TABLE fiscal AS
SELECT grain, period_start, period_end, period_label, row_number() OVER (PARTITION BY grain ORDER BY period_start) AS no
  FROM (SELECT DISTINCT 'month' AS grain, fiscal_period_start AS period_start, fiscal_period_end AS period_end, fiscal_period_label AS period_label FROM calendar
        UNION SELECT 'quarter', fiscal_quarter_start, fiscal_quarter_end, fiscal_quarter_label FROM calendar
        UNION SELECT 'year', fiscal_year_start, fiscal_year_end, fiscal_year_label FROM calendar) AS p;
CREATE TEMP TABLE activity AS
SELECT b.level, b.key, f.grain, f.no, b.account_id,
       sum(CASE
               WHEN covers_from IS NULL THEN amount
               ELSE round(amount * (least(covers_to, period_end) - covers_from + 1) / (covers_to - covers_from + 1), 2)
                    - round(amount * greatest(period_start - covers_from, 0) / (covers_to - covers_from + 1), 2)
           END) AS amount,
       bool_or(covers_from IS NOT NULL) AS is_covered
  FROM bought b
  JOIN fiscal f ON f.period_start <= coalesce(covers_to, sold_on) AND f.period_end >= coalesce(covers_from, sold_on)
 GROUP BY 1, 2, 3, 4, 5;
CREATE TEMP VIEW active AS SELECT * FROM activity WHERE is_covered OR amount > 0;
CREATE TEMP TABLE first_active AS SELECT level, key, grain, account_id, min(no) AS no FROM active GROUP BY 1, 2, 3, 4;
SELECT set_eq(
    $$SELECT level, coalesce(CASE level WHEN 'company' THEN '-' WHEN 'team' THEN team_id WHEN 'rep' THEN coalesce(rep_id, rep_name) ELSE segment END), grain, period_start, period_end, period_label, is_complete,
             starting_count, retained_count, new_count, reactivated_count, active_count, starting_amount, current_amount FROM retention$$,
    $$SELECT k.level, k.key, f.grain, f.period_start, f.period_end, f.period_label, f.period_end <= '2018-08-16' AS c,
             (SELECT count(*) FROM active a WHERE (a.level, a.key, a.grain, a.no) = (k.level, k.key, f.grain, f.no - 1)) AS n1,
             (SELECT count(*) FROM active a JOIN active b USING (level, key, grain, account_id) WHERE (a.level, a.key, a.grain, a.no, b.no) = (k.level, k.key, f.grain, f.no - 1, f.no)) AS n2,
             (SELECT count(*) FROM first_active a WHERE (a.level, a.key, a.grain, a.no) = (k.level, k.key, f.grain, f.no)) AS n3,
             (SELECT count(*) FROM active a JOIN first_active c USING (level, key, grain, account_id) WHERE (a.level, a.key, a.grain, a.no) = (k.level, k.key, f.grain, f.no) AND c.no < f.no
                 AND NOT EXISTS (SELECT FROM active b WHERE (b.level, b.key, b.grain, b.account_id, b.no) = (a.level, a.key, a.grain, a.account_id, f.no - 1))) AS n4,
             (SELECT count(*) FROM active a WHERE (a.level, a.key, a.grain, a.no) = (k.level, k.key, f.grain, f.no)) AS n5,
             (SELECT coalesce(sum(amount), 0) FROM active a WHERE (a.level, a.key, a.grain, a.no) = (k.level, k.key, f.grain, f.no - 1)) AS n6,
             (SELECT coalesce(sum(b.amount), 0) FROM active a JOIN activity b USING (level, key, grain, account_id) WHERE (a.level, a.key, a.grain, a.no, b.no) = (k.level, k.key, f.grain, f.no - 1, f.no)) AS n7
        FROM (SELECT level, key, grain, min(no) AS no FROM first_active GROUP BY 1, 2, 3) AS k
        JOIN fiscal f ON f.grain = k.grain AND f.no >= k.no AND f.period_start <= '2018-08-16'$$,
    'retention by fiscal months, quarters and years, terms among them: of the company, reps, segments, and of teams by who sold when');
SELECT set_eq(
    $$SELECT grain, cohort_start, cohort_label, periods_since, customer_count, active_count, amount FROM cohort_retention WHERE level = 'team' AND team_id = 'north' AND is_complete$$,
    $$SELECT f.grain, f.period_start, f.period_label, (p.no - f.no)::integer,
             (SELECT count(*) FROM first_active c WHERE (c.level, c.key, c.grain, c.no) = ('team', 'north', f.grain, f.no)) AS customers,
             (SELECT count(*) FROM first_active c JOIN active a USING (level, key, grain, account_id) WHERE (c.level, c.key, c.grain, c.no, a.no) = ('team', 'north', f.grain, f.no, p.no)) AS active,
             (SELECT coalesce(sum(a.amount), 0) FROM first_active c JOIN activity a USING (level, key, grain, account_id) WHERE (c.level, c.key, c.grain, c.no, a.no) = ('team', 'north', f.grain, f.no, p.no))
        FROM fiscal f JOIN fiscal p ON p.grain = f.grain AND p.no >= f.no AND p.period_end <= '2018-08-16'
       WHERE EXISTS (SELECT FROM first_active c WHERE (c.level, c.key, c.grain, c.no) = ('team', 'north', f.grain, f.no))$$,
    'the cohort matrix');
SELECT cmp_ok(count(*), '>', 100::bigint, 'which is large') FROM cohort_retention WHERE level = 'team' AND team_id = 'north' AND is_complete;
SELECT set_eq(
    $$SELECT level, coalesce(team_id, '-') AS key, coalesce(rep_id, rep_name, '-') AS rep, grain, period_start, period_end, period_label, sales_amount FROM revenue_forecast WHERE kind = 'actual' AND level <> 'rep'$$,
    $$SELECT k.level, k.key, '-' AS rep, f.grain, f.period_start, f.period_end, f.period_label, coalesce(sum(b.amount), 0)
        FROM fiscal f
       CROSS JOIN (VALUES ('company', '-'), ('team', 'all'), ('team', 'north'), ('team', 'south')) AS k (level, key)
        LEFT JOIN bought b ON (b.level, b.key) = (k.level, k.key) AND b.sold_on BETWEEN f.period_start AND f.period_end
       WHERE f.period_start >= (SELECT min(sold_on) FROM sale) AND f.period_end <= '2018-08-16'
       GROUP BY 1, 2, 3, 4, 5, 6, 7$$,
    'actual sales of whole fiscal periods');
SELECT set_eq(
    $$SELECT grain, period_start, period_end, period_label FROM revenue_forecast WHERE level = 'company' AND kind = 'forecast'$$,
    $$SELECT grain, period_start, period_end, period_label FROM (SELECT *, row_number() OVER (PARTITION BY grain ORDER BY no) AS ahead FROM fiscal WHERE period_end >= '2018-08-16') AS f
       WHERE ahead <= CASE grain WHEN 'month' THEN 12 WHEN 'quarter' THEN 4 ELSE 2 END$$,
    'forecasts are of the fiscal periods to come');
SELECT is(sum(sales_amount), (SELECT sum(amount) FROM sale WHERE sold_on BETWEEN '2015-11-29' AND '2018-08-04'), 'money is neither made nor lost')
  FROM revenue_forecast WHERE level = 'company' AND grain = 'month' AND kind = 'actual';
SELECT is(count(*), 6::bigint, 'and forecasts are judged') FROM forecast_backtest WHERE level = 'company' AND grain = 'month';

-- amounts in other currencies: at the rate of the day of the sale; what has no rate is a purchase without an amount
SELECT set_reporting_currency('EUR') \gset
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('USD', '2018-01-01', 0.8), ('USD', '2018-03-01', 0.5);
INSERT INTO account (account_id, name) VALUES ('x1', 'X 1'), ('x2', 'X 2');
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, currency)
VALUES ('u1', 'x1', 'ann', '2018-02-28', 100, 'USD'), ('u2', 'x1', 'ann', '2018-03-05', 100, 'USD'), ('u3', 'x2', 'ann', '2018-02-28', 40, 'GBP');
CREATE TEMP TABLE before AS SELECT level, period_start, starting_count, starting_amount, current_amount FROM retention WHERE level = 'company' AND grain = 'month' AND period_label = 'FY2018-P02';
DELETE FROM sale WHERE sale_id LIKE 'u%';
SELECT results_eq(
    $$SELECT b.starting_count - r.starting_count, b.starting_amount - r.starting_amount, b.current_amount - r.current_amount FROM before b JOIN retention r USING (level, period_start) WHERE r.grain = 'month'$$,
    'VALUES (2::bigint, 80.0, 50.0)', 'amounts are in the reporting currency, and a customer without a rate is one all the same');

-- ---------------------------------------------------------------- periods given to summaries

SELECT is_empty(
    $$SELECT FROM (SELECT grain, period_starts FROM calendar_grain) AS g
       CROSS JOIN LATERAL unnest(period_starts) WITH ORDINALITY AS s (first_day, no)
       WHERE first_day IS DISTINCT FROM (SELECT f.period_start FROM fiscal f WHERE f.grain = g.grain AND f.no = s.no)
         AND no < cardinality(period_starts)$$,
    'calendar_grain holds the first days');
CREATE TEMP TABLE summary AS SELECT grain, period_starts, sales_perf.period_agg(on_date, 1, grain, period_starts) AS s FROM calendar_grain, calendar GROUP BY 1, 2;
SELECT set_eq($$SELECT grain, v.period_start, v.count AS days FROM summary, sales_perf.period_values(s, period_starts) AS v$$, $$SELECT grain, period_start, period_end - period_start + 1::bigint FROM fiscal$$, 'every day is counted in its period');
SELECT set_eq($$SELECT v.period_start, v.year_ago_amount FROM summary, sales_perf.period_values(s, period_starts) AS v WHERE grain = 'month' AND v.year_ago_amount IS NOT NULL$$,
              $$SELECT f.period_start, (b.period_end - b.period_start + 1)::numeric FROM fiscal f JOIN fiscal b ON b.grain = f.grain AND b.no = f.no - 12 WHERE f.grain = 'month'$$, 'a year ago is twelve periods before');
SELECT is(sales_perf.period_growth_rate(s, '2018-01-15', period_starts), 35 / 35.0 - 1, 'growth by a day of the period') FROM summary WHERE grain = 'month';
SELECT ok(
    (SELECT sales_perf.period_agg(d, 1, 'month', '{2017-01-29,2017-02-26,2017-04-02}') FROM unnest('{2017-02-10,2017-03-01}'::date[]) AS d)
    OPERATOR(sales_perf.=)
    (SELECT sales_perf.period_agg(d, 1, 'month', '{2016-01-31,2016-02-28,2016-04-03,2016-05-01,2016-05-29,2016-07-03,2016-07-31,2016-08-28,2016-10-02,2016-10-30,2016-11-27,2017-01-01,2017-01-29,2017-02-26,2017-04-02}') FROM unnest('{2017-02-10,2017-03-01}'::date[]) AS d),
    'a period has the same number however far back the days given reach');

-- a mart that goes over to fiscal years in the midst of its sales
TRUNCATE calendar;
SELECT fill_calendar() \gset
SELECT build_calendar('2017-06-01', '2019-01-01', 2, '4-5-4', year_name => 'start') \gset
SELECT results_eq(
    $$SELECT period_label, prior_start, prior_end, year_ago_start FROM period_comparison WHERE grain = 'month' AND period_start BETWEEN '2017-01-01' AND '2017-02-20' ORDER BY period_start$$,
    $$VALUES ('2017-01 (short)', date '2016-12-01', date '2016-12-31', date '2016-01-01'), ('FY2017-P01', '2017-01-01', '2017-01-28', NULL)$$,
    'the month cut short is the one before, and never a year ago');
SELECT results_eq(
    $$SELECT period_label, year_ago_start FROM period_comparison WHERE grain = 'year' AND period_start >= '2016-01-01' ORDER BY period_start$$,
    $$VALUES ('2016', date '2015-01-01'), ('2017 (short)', '2016-01-01'), ('FY2017', NULL), ('FY2018', '2017-01-29')$$,
    'nor is a year cut short');
SELECT set_eq($$SELECT period_label FROM retention WHERE level = 'company' AND grain = 'year' UNION SELECT period_label FROM revenue_forecast WHERE level = 'company' AND grain = 'year' AND kind = 'forecast'$$,
              $$VALUES ('2015'), ('2016'), ('2017 (short)'), ('FY2017'), ('FY2018'), ('2019 (short)')$$, 'reports go through both calendars');
SELECT is(sum(sales_amount), (SELECT sum(amount) FROM sale WHERE sold_on BETWEEN '2016-01-01' AND '2018-02-03'), 'and lose nothing on the way') FROM revenue_forecast WHERE level = 'company' AND grain = 'year' AND kind = 'actual';
TRUNCATE calendar;
SELECT build_calendar('2010-01-01', '2030-01-01', 2, '4-5-4', year_name => 'start') \gset

SET sales_perf.as_of = '2018-02-03';
SELECT is(bool_and(is_complete), true, 'a fiscal year is over with its last day') FROM retention WHERE level = 'company' AND period_end = '2018-02-03';
SET sales_perf.as_of = '2018-02-02';
SELECT is(bool_or(is_complete), false, 'and not before') FROM retention WHERE level = 'company' AND period_end = '2018-02-03';
TRUNCATE calendar;
SELECT is_empty($$SELECT period_start FROM retention UNION ALL SELECT period_start FROM revenue_forecast$$, 'without a calendar there is no period, and no error');

SELECT * FROM finish();
