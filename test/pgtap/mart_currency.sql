-- Currencies: every amount in the reporting currency at the rate of its day, and what has no rate nowhere.
SELECT plan(59);

SELECT sales_perf.create_mart('sales', reporting_currency => 'USD') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2024-03-31';

INSERT INTO team (team_id, name) VALUES ('t', 'Team');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 't'), ('bob', 'Bob', 't');
INSERT INTO account (account_id, name) VALUES ('a', 'A');
INSERT INTO stage (stage_no, stage_id, name, default_chance) VALUES (1, 'new', 'New', 0.5);
INSERT INTO fx_rate (currency, valid_from, rate)
VALUES ('EUR', '2024-01-01', 1.10), ('EUR', '2024-02-01', 1.20), ('EUR', '2024-04-01', 9), ('USD', '2024-01-01', 7);

INSERT INTO deal (deal_id, rep_id, account_id, stage_id, amount, currency, opened_on, closed_on, outcome)
VALUES ('january', 'ann', 'a', NULL, 100, 'EUR', '2023-12-01', '2024-01-31', 'won'),      -- 110
       ('february', 'ann', 'a', NULL, 100.50, 'EUR', '2023-12-01', '2024-02-01', 'won'),   -- 120.60
       ('home', 'bob', 'a', NULL, 50, 'USD', '2023-12-01', '2024-02-01', 'won'),           -- 50, whatever fx_rate says of USD
       ('plain', 'bob', 'a', NULL, 30, NULL, '2023-12-01', '2024-02-29', 'won'),           -- 30
       ('yen', 'bob', 'a', NULL, 100000, 'JPY', '2023-12-01', '2024-02-29', 'won'),        -- no rate
       ('early', 'ann', 'a', NULL, 100, 'EUR', '2023-11-01', '2023-12-31', 'won'),         -- no rate yet
       ('lost', 'ann', 'a', NULL, 200, 'EUR', '2023-12-01', '2024-02-15', 'lost'),         -- 240
       ('open', 'ann', 'a', 'new', 10, 'EUR', '2024-01-10', NULL, 'open'),                 -- 11 in January, 12 from February on
       ('open yen', 'ann', 'a', 'new', 10, 'JPY', '2024-01-10', NULL, 'open'),
       ('open home', 'ann', 'a', 'new', 1, NULL, '2024-01-10', NULL, 'open');

SELECT results_eq(
    $$SELECT deal_id, reporting_amount FROM deal_as_of ORDER BY deal_id COLLATE "C"$$,
    $$VALUES ('early', NULL::numeric), ('february', 120.60), ('home', 50), ('january', 110), ('lost', 240),
             ('open', 12), ('open home', 1), ('open yen', NULL), ('plain', 30), ('yen', NULL)$$,
    'each deal at the rate of its day');
SELECT results_eq(
    $$SELECT period_label, won_count, bookings_amount, unpriced_count, unconverted_count, lost_amount FROM company_scorecard WHERE grain = 'quarter' ORDER BY 1$$,
    $$VALUES ('2023-Q4', 1::bigint, 0::numeric, 1::bigint, 1::bigint, 0::numeric), ('2024-Q1', 5, 310.60, 1, 1, 240)$$,
    'the company: a deal without a rate counts, and adds nothing');
SELECT results_eq(
    $$SELECT rep_id, bookings_amount, average_deal_amount, unconverted_count FROM rep_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1' ORDER BY 1$$,
    $$VALUES ('ann', 230.60, 115.30, 0::bigint), ('bob', 80, 40, 1)$$,
    'reps');
SELECT is(bookings_amount, 310.60, 'teams') FROM team_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(median_deal_amount::numeric BETWEEN 79.5 AND 80.5, true, 'the median is of converted amounts: of 30, 50, 110 and 120.60') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(round(win_rate_amount::numeric, 9), round(310.60 / 550.60, 9), 'rates of amounts, too') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(pipeline_amount, 13::numeric, 'the pipeline at the rate of as_of()') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(pipeline_amount, 13::numeric, 'of a rep') FROM rep_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1' AND rep_id = 'ann';
SELECT is(pipeline_amount, 13::numeric, 'of a team') FROM team_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(pipeline_created_amount, 13::numeric, 'what was opened and is still open is at the rate of as_of()') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(pipeline_created_amount, 110 + 120.60 + 50 + 30 + 240, 'what was closed at the rate of its closing') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2023-Q4';
SELECT results_eq(
    $$SELECT open_count, pipeline_amount, weighted_pipeline_amount, unconverted_count FROM pipeline_by_stage$$,
    $$VALUES (3::bigint, 13::numeric, 6.5, 1::bigint)$$,
    'pipeline_by_stage');
SELECT results_eq(
    $$SELECT entity_id, detail FROM data_quality WHERE check_code = 'deal_without_rate' ORDER BY entity_id COLLATE "C"$$,
    $$VALUES ('early', 'amount 100 EUR, won on 2023-12-31'), ('open yen', 'amount 10 JPY, open'), ('yen', 'amount 100000 JPY, won on 2024-02-29')$$,
    'data_quality lists what has no rate');
SET sales_perf.as_of = '2024-01-31';
SELECT is(pipeline_amount, 11 + 1 + 110.55 + 50 + 30 + 220, 'as of an earlier day at the rate of that day, and what was closed since is open') FROM company_scorecard WHERE grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(reporting_amount, 110::numeric, 'a deal closed by then keeps the rate of its closing') FROM deal_as_of WHERE deal_id = 'january';
SET sales_perf.as_of = '2024-03-31';

-- ---------------------------------------------------------------- sales

INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, currency)
VALUES ('1', 'a', 'ann', '2024-01-05', 10, 'EUR'), ('2', 'a', 'ann', '2024-02-05', 10, 'EUR'), ('3', 'a', 'bob', '2024-02-05', 1, NULL), ('4', 'a', 'bob', '2024-02-05', 1000, 'CHF');
SELECT results_eq(
    $$SELECT sold_on, reporting_amount FROM purchase ORDER BY 1, 2$$,
    $$VALUES ('2024-01-05'::date, 11.0), ('2024-02-05', 1), ('2024-02-05', 12), ('2024-02-05', NULL)$$,
    'sales at the rate of their day');
SELECT is(sales_amount, 13::numeric, 'sales_growth') FROM sales_growth WHERE level = 'company' AND grain = 'month' AND period_label = '2024-02';
SELECT is(round(sales_growth, 6), round(2 / 11.0, 6), 'and its growth') FROM sales_growth WHERE level = 'company' AND grain = 'month' AND period_label = '2024-02';
SELECT is(sales_amount, 24::numeric, 'of a team') FROM sales_growth WHERE level = 'team' AND grain = 'quarter' AND period_label = '2024-Q1';
SELECT is(sales_amount, 12::numeric, 'of a rep') FROM sales_growth WHERE level = 'rep' AND grain = 'month' AND period_label = '2024-02' AND rep_id = 'ann';
SELECT results_eq($$SELECT entity_id FROM data_quality WHERE check_code = 'sale_without_rate'$$, $$VALUES ('4')$$, 'a sale without a rate is listed');

-- ---------------------------------------------------------------- which currency is the reporting currency

SELECT is((SELECT reporting_currency FROM mart_setting), 'USD', 'create_mart sets it');
SELECT set_reporting_currency('EUR') \gset
SELECT is(reporting_amount, 100.50, 'it can be set anew: then its own rates count for nothing') FROM deal_as_of WHERE deal_id = 'february';
SELECT throws_ok($$SELECT set_reporting_currency('euro')$$, '22023', 'not a currency code: ''euro''', 'a code, not a name');
SELECT throws_ok($$SELECT sales_perf.create_mart('small', 'usd')$$, '22023', 'not a currency code: ''usd''', 'in capital letters');
SELECT throws_ok($$INSERT INTO fx_rate VALUES ('CHF', '2024-01-01', 0)$$, '23514', NULL, 'a rate is above 0');
SELECT throws_ok($$INSERT INTO fx_rate VALUES ('CHF', '2024-01-01', 'NaN')$$, '23514', NULL, 'and a number');

-- without any setting: one currency is the reporting currency, until something gainsays it
SELECT sales_perf.create_mart('plain') \gset
INSERT INTO plain.deal (deal_id, amount, currency, opened_on, closed_on, outcome) VALUES ('1', 5, 'GBP', '2024-01-01', '2024-02-01', 'won'), ('2', 6, 'GBP', '2024-01-01', '2024-02-01', 'won');
SELECT is(bookings_amount, 11::numeric, 'all in one currency: that one') FROM plain.company_scorecard WHERE grain = 'year';
SELECT is((reporting_currency, is_assumed)::text, '(GBP,t)', 'which is an assumption') FROM plain.mart_setting;
INSERT INTO plain.deal (deal_id, amount, currency, opened_on, closed_on, outcome) VALUES ('3', 100, 'EUR', '2024-01-01', '2024-02-01', 'won');
SELECT is(bookings_amount, 11::numeric, 'another one has no rate, and is not added to it') FROM plain.company_scorecard WHERE grain = 'year';
INSERT INTO plain.deal (deal_id, amount, opened_on, closed_on, outcome) VALUES ('4', 7, '2024-01-01', '2024-02-01', 'won');
SELECT is(bookings_amount, 7::numeric, 'amounts without a currency end the assumption') FROM plain.company_scorecard WHERE grain = 'year';
SELECT plain.set_reporting_currency(NULL) \gset
SELECT is((reporting_currency, is_assumed)::text, '(,f)', 'no name is one that can be said') FROM plain.mart_setting;
SELECT sales_perf.create_mart('rated') \gset
INSERT INTO rated.deal (deal_id, amount, currency, opened_on, closed_on, outcome) VALUES ('1', 5, 'GBP', '2024-01-01', '2024-02-01', 'won');
INSERT INTO rated.fx_rate VALUES ('GBP', '2024-01-01', 2);
SELECT is(bookings_amount, 10::numeric, 'so does a rate for it') FROM rated.company_scorecard WHERE grain = 'year';

-- who loads deals or rates, and may not write mart_setting
SELECT sales_perf.create_mart('loaded') \gset
CREATE ROLE currency_loader;
GRANT USAGE ON SCHEMA loaded TO currency_loader;
GRANT SELECT, INSERT ON loaded.deal, loaded.stage_event, loaded.fx_rate TO currency_loader;
SET ROLE currency_loader;
SELECT lives_ok($$INSERT INTO loaded.deal (deal_id, amount, currency, opened_on) VALUES ('1', 5, 'GBP', '2024-01-01')$$, 'deals come in without a right to mart_setting: nothing is assumed');
RESET ROLE;
GRANT SELECT ON loaded.mart_setting TO currency_loader;
SET ROLE currency_loader;
SELECT lives_ok($$INSERT INTO loaded.fx_rate VALUES ('GBP', '2024-01-01', 2)$$, 'rates come in with the right to read it');
RESET ROLE;
INSERT INTO loaded.deal (deal_id, amount, currency, opened_on) VALUES ('2', 5, 'EUR', '2024-01-01');
UPDATE loaded.mart_setting SET reporting_currency = 'EUR', is_assumed = true;
INSERT INTO loaded.mart_setting VALUES (true, 'EUR', true) ON CONFLICT DO NOTHING;
SET ROLE currency_loader;
SELECT throws_ok($$INSERT INTO loaded.fx_rate VALUES ('EUR', '2024-01-01', 2)$$, '42501', NULL, 'but one that ends an assumption does not, unless the assumption may be ended');
RESET ROLE;
DROP OWNED BY currency_loader;
DROP ROLE currency_loader;

-- ---------------------------------------------------------------- reporting_amount(), by itself

SELECT is(sales_perf.reporting_amount(10, c, d, '{USD,EUR,8766,1.10,EUR,8797,1.2,GBP,8766,2}'), a, format('%s on %s', c, d))
  FROM (VALUES ('EUR', date '2023-12-31', NULL), ('EUR', '2024-01-31', 11.00), ('GBP', 'infinity', 20)) AS t (c, d, a);
SELECT throws_ok(format('SELECT sales_perf.reporting_amount(1, ''EUR'', ''2024-01-01'', %L)', rates), state, message, message)
  FROM (VALUES ('{USD,EUR,8766}', '22023', 'list of exchange rates has 3 elements'), ('{USD,EUR,8766,NULL}', '22004', 'list of exchange rates must not contain nulls'),
               ('{USD,EUR,8797,1.2,EUR,8766,1.1}', '22023', 'list of exchange rates is not in the order of currency and day')) AS t (rates, state, message);
-- What is kept from the call before is not taken for what is given now. All lists are of the same length, most rates
-- of each are those of the one before, and days and currencies are drawn anew in every row.
CREATE FUNCTION pg_temp.draw(n integer, k integer, below integer) RETURNS integer
    LANGUAGE sql RETURN ((hashint8extended(n, k) & 1048575) % below)::integer;
SELECT is_empty(
    $$SELECT n, r.given, e.expected
        FROM (SELECT n, (ARRAY['AAA', 'BBB', 'CCC', 'DDD', 'EEE'])[1 + pg_temp.draw(n, 1, 5)] AS currency, date '2000-01-01' + 990 + pg_temp.draw(n, 2, 220) AS day,
                     ARRAY[(ARRAY['AAA', 'EEE'])[1 + pg_temp.draw(n / 9, 3, 2)]] || rates AS rates
                FROM generate_series(1, 5000) AS n
               CROSS JOIN LATERAL (SELECT array_agg(item ORDER BY currency, k, place) AS rates
                                     FROM unnest(ARRAY['BBB', 'CCC', 'DDD']) AS currency
                                    CROSS JOIN generate_series(1, 4) AS k
                                    CROSS JOIN LATERAL (VALUES (1, currency), (2, (1000 + 40 * k + pg_temp.draw(n / (3 + k), ascii(currency), 2))::text), (3, (1 + pg_temp.draw(n / (2 + k), ascii(currency) + 1, 3))::text)) AS i (place, item)) AS l
             ) AS t
       CROSS JOIN LATERAL (SELECT sales_perf.reporting_amount(10, t.currency, t.day, t.rates) AS given) AS r
       CROSS JOIN LATERAL (SELECT CASE WHEN t.currency = t.rates[1] THEN 10
                                       ELSE (SELECT 10 * t.rates[3 * i + 1]::numeric FROM generate_series(1, 12) AS i
                                              WHERE t.rates[3 * i - 1] = t.currency AND t.rates[3 * i]::integer <= t.day - date '2000-01-01' ORDER BY i DESC LIMIT 1) END AS expected) AS e
       WHERE r.given IS DISTINCT FROM e.expected$$,
    'lists that change from row to row');

-- ---------------------------------------------------------------- many deals, by brute force

SELECT sales_perf.create_mart('many', 'USD') \gset
INSERT INTO many.fx_rate
SELECT c, '2023-01-01'::date + 10 * n, round((1 + (hashint4(n * 7 + length(c)) & 1023) / 1000.0)::numeric, 4)
  FROM unnest(ARRAY['EUR', 'GBP', 'ZLOTY']) AS c, generate_series(1, 30) AS n;
INSERT INTO many.deal (deal_id, amount, currency, opened_on, closed_on, outcome)
SELECT n::text, round(((hashint4(n) & 65535) / 7.0)::numeric, 2), (ARRAY['EUR', 'GBP', 'ZLOTY', 'USD', NULL, 'JPY'])[1 + n % 6],
       '2022-12-01', '2023-01-01'::date + (hashint4(n + 1) & 255), CASE WHEN n % 3 = 0 THEN 'lost' ELSE 'won' END
  FROM generate_series(1, 3000) AS n;
SELECT results_eq(
    $$SELECT period_label, bookings_amount, lost_amount FROM many.company_scorecard WHERE grain = 'month' AND won_count > 0 ORDER BY 1$$,
    $$SELECT to_char(d.closed_on, 'YYYY-MM') AS month,
             coalesce(sum(d.amount * x.rate) FILTER (WHERE outcome = 'won'), 0),
             coalesce(sum(d.amount * x.rate) FILTER (WHERE outcome = 'lost'), 0)
        FROM many.deal d
       CROSS JOIN LATERAL (
             SELECT CASE WHEN coalesce(d.currency, 'USD') = 'USD' THEN 1
                         ELSE (SELECT f.rate FROM many.fx_rate f
                                WHERE f.currency = d.currency
                                  AND f.valid_from = (SELECT max(g.valid_from) FROM many.fx_rate g WHERE g.currency = d.currency AND g.valid_from <= d.closed_on))
                    END AS rate) AS x
       GROUP BY 1 ORDER BY 1$$,
    'sums of 3,000 deals in six currencies, to the last digit');
SELECT is(sum(unconverted_count)::bigint, (SELECT count(*) FROM many.deal WHERE currency = 'JPY' OR (currency IN ('EUR', 'GBP', 'ZLOTY') AND closed_on < '2023-01-11')), 'and what has no rate is counted')
  FROM many.company_scorecard WHERE grain = 'month';

-- ---------------------------------------------------------------- the rates of a mart, read once in a query

SELECT is_empty($$SELECT d.deal_id
                    FROM many.deal d
                   WHERE sales_perf.converted_amount(d.amount, d.currency, d.closed_on, 'many.fx_rate_list') IS DISTINCT FROM
                         sales_perf.reporting_amount(d.amount, d.currency, d.closed_on, (SELECT rates FROM many.fx_rate_list))$$,
                'by the view''s name: the same as by the list');
CREATE FUNCTION pg_temp.euro() RETURNS numeric LANGUAGE sql VOLATILE AS $$
SELECT sales_perf.converted_amount(100, 'EUR', '2030-01-01', 'many.fx_rate_list')
$$;
SELECT pg_temp.euro() AS euro_before \gset
BEGIN;
INSERT INTO many.fx_rate VALUES ('EUR', '2029-12-31', 7);
SELECT is(pg_temp.euro(), 700::numeric, 'a rate that this transaction has written counts from the next statement on');
SAVEPOINT one;
UPDATE many.fx_rate SET rate = 8 WHERE valid_from = '2029-12-31';
SELECT is(pg_temp.euro(), 800::numeric, 'one in a subtransaction, too');
ROLLBACK TO one;
SELECT is(pg_temp.euro(), 700::numeric, 'until that is rolled back');
SAVEPOINT two;
UPDATE many.fx_rate SET rate = 9 WHERE valid_from = '2029-12-31';
RELEASE two;
SELECT is(pg_temp.euro(), 900::numeric, 'and released');
ROLLBACK;
SELECT is(pg_temp.euro(), :euro_before::numeric, 'or all of it');
SELECT is(array_agg(sales_perf.converted_amount(100, c, '2023-02-01', 'many.fx_rate_list') ORDER BY n), array_agg(sales_perf.reporting_amount(100, c, '2023-02-01', l.rates) ORDER BY n), 'in a VALUES for each row')
  FROM (SELECT rates FROM many.fx_rate_list) AS l, generate_series(1, 50) AS n, LATERAL (VALUES ('EUR'), ('GBP')) AS v (c);
SELECT is(sum(v.amount), sum(w.amount), 'where it is in the VALUES themselves')
  FROM (SELECT rates FROM many.fx_rate_list) AS l, generate_series(1, 50) AS n, LATERAL (VALUES (sales_perf.converted_amount(n, 'EUR', '2023-02-01', 'many.fx_rate_list'))) AS v (amount), LATERAL (SELECT sales_perf.reporting_amount(n, 'EUR', '2023-02-01', l.rates) AS amount) AS w;
SELECT isnt(sales_perf.converted_amount(1, 'EUR', '2023-06-01', 'many.fx_rate_list'), sales_perf.converted_amount(1, 'EUR', '2023-06-01', 'sales.fx_rate_list'), 'two marts in one query have rates of their own');
SELECT is(sales_perf.converted_amount(5, NULL, NULL, NULL::regclass), 5::numeric, 'no currency needs no rate');
SELECT is(sales_perf.converted_amount(5, 'EUR', '2024-01-01', NULL::regclass), NULL, 'no list has none');
SELECT throws_ok($$SELECT sales_perf.converted_amount(1, 'EUR', '2024-01-01', 'sales.rep')$$, '42703', NULL, 'another relation is refused');
CREATE ROLE rate_reader;
GRANT USAGE ON SCHEMA many, sales_perf TO rate_reader;
GRANT SELECT ON many.fx_rate_list TO rate_reader;
SET ROLE rate_reader;
SELECT throws_ok($$SELECT sales_perf.converted_amount(1, 'EUR', '2024-01-01', 'many.fx_rate_list')$$, '42501', NULL, 'who may not read rates does not');
RESET ROLE;
DROP OWNED BY rate_reader;
DROP ROLE rate_reader;

-- parallel workers read the rates, too
CREATE TEMP TABLE by_one AS SELECT rep_id, outcome, sum(reporting_amount) AS amount, count(*) AS deals FROM many.deal_as_of GROUP BY 1, 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT set_eq($$SELECT rep_id, outcome, sum(reporting_amount) AS amount, count(*) AS deals FROM many.deal_as_of GROUP BY 1, 2$$, 'SELECT * FROM by_one', 'by parallel workers');

SELECT * FROM finish();
