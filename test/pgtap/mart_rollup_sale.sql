-- Rollups of sales: what each rep sold by day is stored, and changes with each statement. The oracles are the same reports read from
-- the sales, and plain SQL.
SELECT plan(111);

SELECT sales_perf.create_mart('sales', 'USD') \gset
SELECT sales_perf.generate_demo('sales', 300, 3) \gset
SET search_path = sales, public;
INSERT INTO goal (goal_id, name, level, rep_id, kpi_code, target, first_day, last_day, reason)
VALUES ('sold', 'Sold', 'company', NULL, 'sales_amount', 1e6, current_date - 30, current_date + 30, 'a test'),
       ('sold by R002', 'Sold by R002', 'rep', 'R002', 'sales_amount', 1e5, current_date - 45, current_date + 45, 'a test');

CREATE FUNCTION pg_temp.answers() RETURNS TABLE (report text, answer jsonb) LANGUAGE sql AS $$
SELECT 'sales_growth', to_jsonb(x) FROM sales_growth AS x
UNION ALL SELECT 'revenue_forecast', to_jsonb(x) FROM revenue_forecast AS x
UNION ALL SELECT 'kpi_between', to_jsonb(x) FROM kpi_between((sales_perf.as_of() - 200)::date, sales_perf.as_of() - 11) AS x WHERE kpi_code IN ('sales_amount', 'sale_count', 'sales_growth')
UNION ALL SELECT 'goal_measure', to_jsonb(x) FROM goal_progress AS x WHERE kpi_code = 'sales_amount'
$$;

-- with rollups and without: what differs; -1: those of sales were not read
\ir fixture/rollup_differences.sql
CREATE FUNCTION pg_temp.sale_differences() RETURNS bigint LANGUAGE sql AS $$
SELECT CASE WHEN rollup_sale_serves() THEN pg_temp.differences() ELSE -1 END
$$;

CREATE FUNCTION pg_temp.wrong_cells() RETURNS bigint LANGUAGE sql AS $$
SELECT sum(wrong_count)::bigint FROM sales_perf.verify_rollup('sales') WHERE cell = 'sale'
$$;

-- ---------------------------------------------------------------- stored and read

SELECT sales_perf.maintain_rollup('sales') \gset
SELECT ok(rollup_sale_serves(), 'a mart without any sale');
SELECT is(pg_temp.wrong_cells(), NULL, 'has nothing to verify');
SELECT is(pg_temp.sale_differences(), 0::bigint, 'reports show won deals');
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, currency)
SELECT 's' || i, (SELECT min(account_id) FROM account), CASE WHEN i % 7 > 0 THEN 'R00' || 1 + i % 6 END, current_date - i % 500, 10 + i % 90 + i / 100.0, CASE WHEN i % 5 = 0 THEN 'EUR' WHEN i % 11 = 0 THEN 'USD' END
FROM generate_series(1, 2000) AS i;
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'sales are counted');
SELECT is(pg_temp.sale_differences(), 0::bigint, 'before they are folded');
SELECT cmp_ok(sales_perf.fold_rollup('sales', false), '>', 0::bigint, 'which adds them up');
SELECT is((SELECT count(*) FROM rollup_sale_delta), 0::bigint, 'nothing is left');
SELECT results_eq('SELECT sold_on, rep_id, currency, sum(sale_count)::bigint, sum(amount) FROM rollup_sale WHERE grain = ''day'' GROUP BY sold_on, rep_id, currency ORDER BY sold_on, rep_id, currency',
    'SELECT sold_on, rep_id, currency, count(*), sum(amount) FROM sale GROUP BY sold_on, rep_id, currency ORDER BY sold_on, rep_id, currency', 'by day, rep and currency');
SELECT is(pg_temp.sale_differences(), 0::bigint, 'reports say the same');
\ir fixture/rows_read.sql
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT * FROM sales_growth WHERE level = 'rep' AND grain = 'month'$$), '<=', 20::bigint, 'and read hardly any sales: the first day, and whether there are any of nobody');
SELECT is((SELECT sum(sales_amount) FROM sales_growth WHERE level = 'company' AND grain = 'year'),
          (SELECT sum(amount * CASE WHEN currency = 'EUR' THEN (SELECT f.rate FROM fx_rate f WHERE f.currency = 'EUR' AND f.valid_from <= sold_on ORDER BY f.valid_from DESC LIMIT 1) ELSE 1 END) FROM sale), 'converted at the rate of the day, exactly');
SET sales_perf.as_of TO '2000-01-01';
SELECT throws_ok($$SELECT * FROM sales_perf.verify_rollup('sales')$$, '55000', NULL, 'they are of today');
RESET sales_perf.as_of;

-- ---------------------------------------------------------------- what writers do

CREATE TEMP TABLE doing (no serial, what text, sql text);
INSERT INTO doing (what, sql)
VALUES ('an insert', $$INSERT INTO sale (sale_id, rep_id, sold_on, amount) VALUES ('n1', 'R001', current_date, 5), ('n2', NULL, current_date - 3, 6.125), ('n3', 'R002', current_date - 700, 1)$$),
       ('an update of no row', $$UPDATE sale SET amount = 1 WHERE sale_id = 'nobody'$$),
       ('amounts', $$UPDATE sale SET amount = amount * 2 + 0.001 WHERE hashtext(sale_id) % 7 = 0$$),
       ('days', $$UPDATE sale SET sold_on = sold_on - 35 WHERE hashtext(sale_id) % 9 = 0$$),
       ('reps', $$UPDATE sale SET rep_id = (ARRAY['R001', 'R002', NULL])[1 + abs(hashtext(sale_id || 'r')) % 3] WHERE hashtext(sale_id) % 11 = 0$$),
       ('currencies', $$UPDATE sale SET currency = (ARRAY['GBP', NULL, 'EUR', 'XXX'])[1 + abs(hashtext(sale_id || 'c')) % 4] WHERE hashtext(sale_id) % 5 = 0$$),
       ('no amounts', $$UPDATE sale SET amount = NULL WHERE hashtext(sale_id) % 13 = 0$$),
       ('no day has an amount', $$UPDATE sale SET amount = NULL WHERE sold_on < current_date - 480$$),
       ('refunds', $$UPDATE sale SET amount = - amount WHERE hashtext(sale_id) % 3 = 0$$),
       ('days to come', $$UPDATE sale SET sold_on = current_date + 5 WHERE hashtext(sale_id) % 17 = 0$$),
       ('days that are none', $$UPDATE sale SET sold_on = (ARRAY['infinity', '-infinity', NULL]::date[])[1 + abs(hashtext(sale_id || 'd')) % 3] WHERE hashtext(sale_id) % 31 = 0$$),
       ('ON CONFLICT DO UPDATE', $$INSERT INTO sale (sale_id, rep_id, sold_on, amount) SELECT 's' || i, 'R003', current_date - i, i FROM generate_series(1990, 2010) AS i ON CONFLICT (sale_id) DO UPDATE SET amount = excluded.amount, rep_id = excluded.rep_id$$),
       ('MERGE', $$MERGE INTO sale AS s USING (SELECT 's' || i AS sale_id, i FROM generate_series(2000, 2030) AS i) AS n ON n.sale_id = s.sale_id WHEN MATCHED AND i % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET amount = n.i WHEN NOT MATCHED THEN INSERT (sale_id, rep_id, sold_on, amount) VALUES (n.sale_id, 'R002', current_date, n.i)$$),
       ('what is written and taken away', $$INSERT INTO sale (sale_id, sold_on, amount) VALUES ('gone', current_date - 2000, 7); DELETE FROM sale WHERE sale_id = 'gone'$$),
       ('a rep is renamed', $$UPDATE rep SET rep_id = 'R001 renamed' WHERE rep_id = 'R001'; SELECT sales_perf.fold_rollup('sales', false)$$),
       ('a rep moves', $$SELECT move_rep('R002', (SELECT max(team_id) FROM team), current_date - 40); SELECT sales_perf.fold_rollup('sales', false)$$),
       ('a rate', $$UPDATE fx_rate SET rate = rate * 1.1; SELECT sales_perf.fold_rollup('sales', false)$$),
       ('a rate for what had none', $$INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('XXX', current_date - 300, 3.5); SELECT sales_perf.fold_rollup('sales', false)$$),
       ('the reporting currency', $$SELECT set_reporting_currency('EUR'); SELECT sales_perf.fold_rollup('sales', false)$$),
       ('a delete', $$DELETE FROM sale WHERE hashtext(sale_id) % 6 = 0$$),
       ('savepoints', $x$DO $b$ BEGIN INSERT INTO sale (sale_id, sold_on, amount) VALUES ('kept', current_date, 1); BEGIN DELETE FROM sale; RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END; END $b$$x$);

CREATE FUNCTION pg_temp.try(what text, sql text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    RETURN NEXT is(pg_temp.wrong_cells(), 0::bigint, what || ': the rollups are right');
    RETURN NEXT is(pg_temp.sale_differences(), 0::bigint, what || ': and reports say the same');
    IF random() < 0.5 THEN
        PERFORM sales_perf.fold_rollup('sales', false);
        RETURN NEXT is(pg_temp.wrong_cells(), 0::bigint, what || ': folded, too');
        RETURN NEXT is(pg_temp.sale_differences(), 0::bigint, what || ': and read');
    END IF;
END
$$;
SELECT setseed(0.3) \gset
SELECT format('SELECT pg_temp.try(%L, %L);', what, sql) FROM doing ORDER BY no \gexec

-- ---------------------------------------------------------------- what makes months wrong

UPDATE fx_rate SET rate = rate * 1.1;
SELECT ok(NOT rollup_sale_serves(), 'other rates: the sales are read');
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT ok(rollup_sale_serves(), 'until the next fold');
INSERT INTO sale (sale_id, rep_id, sold_on, amount) VALUES ('ahead', 'R002', current_date + 3, 50), ('ahead, too', 'R002', current_date + 3, 60);
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT cmp_ok((SELECT count(*) FROM rollup_sale WHERE counts_from IS NOT NULL), '>', 0::bigint, 'what is sold in days to come stands apart');
SELECT is(pg_temp.sale_differences(), 0::bigint, 'and does not count yet');
SELECT set_config('sales_perf.as_of', (current_date + 4)::text, false) \gset
SELECT is((SELECT sum(sale_count) FROM purchase_month_cell WHERE rep_id = 'R002' AND sold_on >= date_trunc('month', current_date + 3)), (SELECT count(*) FROM sale_as_of WHERE rep_id = 'R002' AND sold_on >= date_trunc('month', current_date + 3))::numeric, 'from their day on they do');
RESET sales_perf.as_of;
UPDATE rollup_sale SET counts_from = current_date - 2 WHERE counts_from IS NOT NULL;
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT is((SELECT count(*) FROM rollup_sale WHERE counts_from IS NOT NULL), 0::bigint, 'and the fold after it makes them one with the rest');
DELETE FROM sale WHERE sale_id LIKE 'ahead%';
SELECT sales_perf.rebuild_rollup('sales') \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'all right');
SELECT is(pg_temp.sale_differences(), 0::bigint, 'and read');

-- ---------------------------------------------------------------- what cannot be taken back from a sum

INSERT INTO sale (sale_id, rep_id, sold_on, amount) VALUES ('nan', 'R002', current_date - 1, 'NaN'), ('inf', 'R003', current_date - 1, 'Infinity');
SELECT ok(NOT rollup_sale_serves(), 'an amount that is none: the sales are read');
SELECT is((SELECT sales_amount FROM sales_growth WHERE level = 'company' AND grain = 'year' AND NOT is_complete), 'NaN'::numeric, 'and it is shown');
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT ok(NOT rollup_sale_serves(), 'folded as well');
DELETE FROM sale WHERE sale_id IN ('nan', 'inf');
SELECT ok(NOT rollup_sale_serves(), 'until the next fold');
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT ok(rollup_sale_serves(), 'they serve again');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and are right');
SELECT is(pg_temp.sale_differences(), 0::bigint, 'and reports are, too');

-- ---------------------------------------------------------------- to prove, to repair

DELETE FROM rollup_sale WHERE ctid = (SELECT max(ctid) FROM rollup_sale WHERE grain = 'day');
UPDATE rollup_sale SET amount = amount + 1 WHERE ctid = (SELECT min(ctid) FROM rollup_sale WHERE grain = 'day');
UPDATE rollup_sale SET sale_count = sale_count + 1 WHERE ctid = (SELECT min(ctid) FROM rollup_sale WHERE grain = 'month');
SELECT is(pg_temp.wrong_cells(), 3::bigint, 'verify_rollup finds days that somebody changed');
SELECT sales_perf.rebuild_rollup('sales') \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'rebuild_rollup mends them');
ALTER TABLE sale DISABLE TRIGGER rollup_sale_insert;
SELECT ok(NOT rollup_sale_serves(), 'a trigger that is off: the sales are read');
ALTER TABLE sale ENABLE TRIGGER rollup_sale_insert;
ALTER TABLE deal DISABLE TRIGGER rollup_deal_insert;
SELECT ok(NOT rollup_sale_serves(), 'and where rollups of deals do not serve');
ALTER TABLE deal ENABLE TRIGGER rollup_deal_insert;
ALTER TABLE sale DISABLE TRIGGER USER;
UPDATE sale SET amount = coalesce(amount, 0) + 1 WHERE sale_id = 's1';
ALTER TABLE sale ENABLE TRIGGER USER;
SELECT is(pg_temp.wrong_cells(), 2::bigint, 'what no trigger saw is found, in its day and its month');
SELECT sales_perf.maintain_rollup('sales') \gset
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'maintain_rollup makes all anew');
TRUNCATE sale;
SELECT is((SELECT count(*) FROM rollup_sale) + (SELECT count(*) FROM rollup_sale_delta), 0::bigint, 'TRUNCATE empties them');
SELECT sales_perf.fold_rollup('sales', false) \gset
SELECT is(pg_temp.sale_differences(), 0::bigint, 'won deals stand in again');

-- ---------------------------------------------------------------- who may see and write

INSERT INTO sale (sale_id, rep_id, sold_on, amount) VALUES ('mine', 'R002', current_date - 1, 10), ('theirs', 'R003', current_date - 1, 100);
SELECT sales_perf.fold_rollup('sales', false) \gset
CREATE ROLE mart_rollup_sale_reader;
GRANT USAGE ON SCHEMA sales TO mart_rollup_sale_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO mart_rollup_sale_reader;
GRANT INSERT ON sale TO mart_rollup_sale_reader;
SET ROLE mart_rollup_sale_reader;
SELECT lives_ok($$INSERT INTO sale (sale_id, rep_id, sold_on, amount) VALUES ('more', 'R002', current_date - 1, 1)$$, 'who may write sales needs no other right');
SELECT is((SELECT sales_amount FROM sales_growth WHERE level = 'company' AND grain = 'year' AND NOT is_complete), 111::numeric, 'who reads sees all');
RESET ROLE;
ALTER TABLE sale ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sale USING (rep_id = 'R002');
SET ROLE mart_rollup_sale_reader;
SELECT is((SELECT count(*) FROM rollup_sale) + (SELECT count(*) FROM rollup_sale_delta), 0::bigint, 'with row-level security the stored sums are hidden');
SELECT is((SELECT sales_amount FROM sales_growth WHERE level = 'company' AND grain = 'year' AND NOT is_complete), 11::numeric, 'and reports show what one may see');
RESET ROLE;
DROP OWNED BY mart_rollup_sale_reader;
DROP ROLE mart_rollup_sale_reader;

SELECT sales_perf.drop_rollup('sales') \gset
SELECT is((SELECT count(*) FROM rollup_sale) + (SELECT count(*) FROM rollup_sale_delta), 0::bigint, 'drop_rollup empties them');
INSERT INTO sale (sale_id, sold_on, amount) VALUES ('after', current_date, 1);
SELECT is((SELECT count(*) FROM rollup_sale_delta), 0::bigint, 'and nothing is appended any more');

SELECT * FROM finish();
