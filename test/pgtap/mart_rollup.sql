-- Maintained rollups: what reports read from them is what they read from the deals, whatever is done to those.
-- The oracles are the reports themselves, read with the rollups switched off, and plain SQL.
SELECT plan(230);

SELECT sales_perf.create_mart('sales') \gset
SELECT sales_perf.generate_demo('sales', 500, 5) \gset
SET search_path = sales, public;

-- rows of what reads rollups; jsonb compares numbers by value
CREATE FUNCTION pg_temp.answers() RETURNS TABLE (report text, answer jsonb) LANGUAGE sql AS $$
SELECT 'company', to_jsonb(x) FROM company_scorecard AS x
UNION ALL SELECT 'team', to_jsonb(x) FROM team_scorecard AS x
UNION ALL SELECT 'rep', to_jsonb(x) FROM rep_scorecard AS x
UNION ALL SELECT 'leaderboard', to_jsonb(x) FROM leaderboard AS x
UNION ALL SELECT 'curve', to_jsonb(x) FROM cycle_curve AS x
UNION ALL SELECT 'retention', to_jsonb(x) FROM retention AS x
UNION ALL SELECT 'cohort_retention', to_jsonb(x) FROM cohort_retention AS x
UNION ALL SELECT 'funnel', to_jsonb(x) FROM funnel AS x WHERE grain IN ('year', 'all')
UNION ALL SELECT 'sales_growth', to_jsonb(x) FROM sales_growth AS x
UNION ALL SELECT 'revenue_forecast', to_jsonb(x) FROM revenue_forecast AS x
UNION ALL SELECT 'kpi_between', to_jsonb(x) FROM kpi_between((sales_perf.as_of() - 200)::date, sales_perf.as_of()) AS x
UNION ALL SELECT 'trailing', to_jsonb(x) FROM (SELECT rep_id, sales_perf.won_count(sales_perf.rollup(summary)), sales_perf.lost_count(sales_perf.rollup(summary)) FROM trailing_cell GROUP BY rep_id HAVING sales_perf.won_count(sales_perf.rollup(summary)) + sales_perf.lost_count(sales_perf.rollup(summary)) > 0) AS x
$$;

-- with rollups and without: what differs
\ir fixture/rollup_differences.sql

CREATE FUNCTION pg_temp.wrong_cells(mart text DEFAULT 'sales') RETURNS bigint LANGUAGE sql AS $$
SELECT sum(wrong_count)::bigint FROM sales_perf.verify_rollup(mart)
$$;

-- ---------------------------------------------------------------- what they are for: the same figures

CREATE TEMP TABLE before AS SELECT * FROM pg_temp.answers() UNION ALL SELECT 'kpi_long', to_jsonb(x) FROM kpi_long AS x WHERE grain = 'year';
SELECT is(rollup_grain(), NULL, 'without maintain_rollup there are none');
SELECT throws_ok($$SELECT sales_perf.fold_rollup('sales')$$, '55000', 'rollups of mart sales are not maintained', 'nothing to fold');
SELECT throws_ok($$SELECT * FROM sales_perf.verify_rollup('sales')$$, '55000', 'rollups of mart sales are not maintained', 'to verify');
SELECT throws_ok($$SELECT sales_perf.rebuild_rollup('sales')$$, '55000', 'rollups of mart sales are not maintained', 'or to rebuild');
SELECT lives_ok($$SELECT sales_perf.drop_rollup('sales')$$, 'but dropping what is not there is no error');
SELECT throws_ok($$SELECT sales_perf.maintain_rollup('nowhere')$$, '3F000', 'mart nowhere does not exist', 'there has to be a mart');

SELECT matches(sales_perf.maintain_rollup('sales'), '^mart sales: rollups are maintained, [0-9]+ rows$', 'maintain_rollup says what it made');
SELECT is(rollup_grain(), 'month', 'reports read them by month');
CREATE TEMP TABLE after AS SELECT * FROM pg_temp.answers() UNION ALL SELECT 'kpi_long', to_jsonb(x) FROM kpi_long AS x WHERE grain = 'year';
SELECT is(count(d.report), 0::bigint, format('%s: every row is as before', r.report))
  FROM (SELECT DISTINCT report FROM before) AS r
  LEFT JOIN (SELECT b.report FROM (SELECT * FROM before EXCEPT ALL TABLE after) AS b UNION ALL SELECT a.report FROM (SELECT * FROM after EXCEPT ALL TABLE before) AS a) AS d ON d.report = r.report
 GROUP BY r.report, d.report ORDER BY r.report;
SELECT cmp_ok(count(*), '>', 500::bigint, 'and there were many') FROM before;
SELECT is(pg_temp.differences(), 0::bigint, 'the other way to compare agrees');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'verify_rollup finds nothing wrong');
SELECT set_eq($$SELECT cell, grain FROM sales_perf.verify_rollup('sales')$$, $$SELECT c, g FROM unnest(ARRAY['closed', 'opened', 'split']) AS c, unnest(ARRAY['day', 'month']) AS g UNION ALL SELECT 'cohort', unnest(ARRAY['month', 'quarter', 'year']) UNION ALL VALUES ('customer', NULL), ('funnel', 'month'), ('funnel', 'all')$$, 'and looks at all there is');
SELECT is((SELECT sum(cell_count) FROM sales_perf.verify_rollup('sales') WHERE grain = 'day' AND cell = 'closed'),
          (SELECT count(DISTINCT (closed_on, currency, pipeline_id, rep_id)) FROM deal WHERE outcome IN ('won', 'lost'))::numeric, 'each cell, counted in plain SQL');

-- plain SQL over deals
CREATE VIEW plain AS
SELECT d.rep_id, d.closed_on, d.opened_on, d.outcome,
       CASE WHEN d.amount IS NULL THEN NULL
            WHEN d.currency IS NULL OR d.currency = (SELECT reporting_currency FROM mart_setting) THEN d.amount
            ELSE d.amount * (SELECT f.rate FROM fx_rate f WHERE f.currency = d.currency AND f.valid_from <= d.closed_on ORDER BY f.valid_from DESC LIMIT 1)
       END AS amount
  FROM deal d
 WHERE outcome IN ('won', 'lost') AND closed_on <= current_date AND opened_on <= current_date;
CREATE FUNCTION pg_temp.plain_differences() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*)
  FROM (SELECT rep_id, period_start, won_count, lost_count, closed_amount
          FROM (SELECT r.rep_id, s.period_start, s.won_count, s.lost_count, s.won_count + s.lost_count AS n, s.win_rate AS closed_amount FROM rep r JOIN rep_scorecard s ON s.rep_id = r.rep_id AND s.grain = 'month') AS x WHERE n > 0
        EXCEPT ALL
        SELECT rep_id, date_trunc('month', closed_on)::date, count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'), avg((outcome = 'won')::integer)::float8 FROM plain GROUP BY 1, 2) AS d
$$;
SELECT is(pg_temp.plain_differences(), 0::bigint, 'reps by month, counted in plain SQL');
SELECT is((SELECT sum(bookings_amount) FROM company_scorecard WHERE grain = 'year'), (SELECT sum(amount) FROM plain WHERE outcome = 'won'), 'bookings, added up in plain SQL');
SELECT is((SELECT sum(sales_perf.won_count(summary)) FROM rollup_row WHERE cell = 'closed' AND grain = g), (SELECT count(*) FROM plain WHERE outcome = 'won')::numeric, g || ': every deal is there once')
  FROM unnest(ARRAY['day', 'month']) AS g;

-- ---------------------------------------------------------------- reports do read them

UPDATE rollup_cell SET summary = summary OPERATOR(sales_perf.+) summary WHERE cell = 'closed' AND grain = 'month' AND on_date = (SELECT max(on_date) FROM rollup_cell WHERE cell = 'closed' AND grain = 'month');
SELECT cmp_ok(pg_temp.wrong_cells(), '>', 0::bigint, 'verify_rollup finds months that somebody changed');
SELECT is(wrong_count, 0::bigint, 'and says which kind it is') FROM sales_perf.verify_rollup('sales') WHERE cell = 'closed' AND grain = 'day';
SELECT isnt((SELECT sum(won_count) FROM company_scorecard WHERE grain = 'month'), (SELECT count(*) FROM plain WHERE outcome = 'won')::numeric, 'reports show what is stored');
SELECT is(sales_perf.rebuild_rollup('sales'), 0::bigint, 'rebuild_rollup makes months anew; no day was wrong');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and mends it');
UPDATE rollup_cell SET amount = amount + 1 WHERE ctid = (SELECT min(ctid) FROM rollup_cell WHERE cell = 'opened' AND grain = 'day' AND is_open);
DELETE FROM rollup_cell WHERE ctid = (SELECT min(ctid) FROM rollup_cell WHERE cell = 'closed' AND grain = 'day');
UPDATE rollup_cell SET unconverted_count = 1 WHERE ctid = (SELECT max(ctid) FROM rollup_cell WHERE cell = 'closed' AND grain = 'day');
SELECT results_eq($$SELECT cell, wrong_count FROM sales_perf.verify_rollup('sales') WHERE wrong_count > 0 ORDER BY 1$$, $$VALUES ('closed', 2::bigint), ('opened', 1)$$, 'it finds days, each kind of fault');
SELECT is(sales_perf.rebuild_rollup('sales'), 3::bigint, 'rebuild_rollup counts them');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and mends them');
DELETE FROM rollup_split WHERE deal_id = (SELECT min(deal_id) FROM rollup_split);
UPDATE rollup_cell SET amount = amount + 1 WHERE ctid = (SELECT min(ctid) FROM rollup_cell WHERE cell = 'split' AND grain = 'day');
SELECT is(wrong_count, 1::bigint, 'it finds splits') FROM sales_perf.verify_rollup('sales') WHERE cell = 'split' AND grain = 'day';
SELECT is(sales_perf.rebuild_rollup('sales'), 0::bigint, 'which are always made anew');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'and are mended');
SELECT is((SELECT count(*) FROM (SELECT deal_id, rep_id, is_overlay, sum(amount) FROM rollup_split GROUP BY 1, 2, 3 EXCEPT SELECT deal_id, m.rep_id, m.o, sum(m.amount) FROM split_credit c CROSS JOIN LATERAL (VALUES (c.rep_id, c.is_overlay, c.amount), (c.owner_rep_id, false, CASE WHEN NOT c.is_overlay THEN - c.amount END)) AS m (rep_id, o, amount) WHERE m.amount IS NOT NULL GROUP BY 1, 2, 3) AS x), 0::bigint, 'with what each deal adds to them');

-- ---------------------------------------------------------------- plans for rollups, and what they do where rollups do not serve

\ir fixture/rows_read.sql
SELECT ok(rollup_is_expected(), 'the planner is told to expect rollups');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM rep_scorecard WHERE grain = 'quarter'$$), '<=', 2::bigint, 'reps: no deals are read, but for the first day of all');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM team_scorecard WHERE grain = 'quarter'$$), '<=', 2::bigint, 'nor for teams');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM company_scorecard WHERE grain = 'quarter'$$), '<=', 2::bigint, 'nor for the company');
SELECT cmp_ok(pg_temp.rows_read('rollup_cell', $$SELECT * FROM rep_scorecard WHERE grain = 'quarter' AND period_start = (date_trunc('quarter', current_date) - interval '6 months')::date AND rep_id = 'R001'$$),
              '<=', (SELECT count(*) FROM rollup_cell WHERE grain = 'month' AND rep_id = 'R001'), 'a filter on rep and period reaches the rollups');

-- a change dated in the future: nothing is different yet, but rollups do not serve, which no planner is told
PREPARE company AS SELECT to_jsonb(x) FROM company_scorecard AS x WHERE grain = 'quarter';
EXECUTE company \g /dev/null
BEGIN;
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
SELECT deal_id, now() + interval '3 days', 'amount', amount::text, '7' FROM deal WHERE outcome = 'won' AND closed_on <= current_date ORDER BY deal_id LIMIT 1;
SELECT ok(rollup_is_expected() AND rollup_grain() IS NULL, 'rollups are expected, and do not serve');
CREATE TEMP TABLE unexpected ON COMMIT DROP AS SELECT * FROM pg_temp.answers();
SELECT is((SELECT count(*) FROM (SELECT * FROM unexpected EXCEPT ALL SELECT * FROM after WHERE report <> 'kpi_long') AS x) + (SELECT count(*) FROM (SELECT * FROM after WHERE report <> 'kpi_long' EXCEPT ALL SELECT * FROM unexpected) AS x), 0::bigint, 'reports say the same');
ROLLBACK;

-- plans that are kept: right for any day, whichever they were made for
SET plan_cache_mode = force_generic_plan;
SELECT set_eq('EXECUTE company', $$SELECT to_jsonb(x) FROM company_scorecard AS x WHERE grain = 'quarter'$$, 'a prepared report reads rollups');
SELECT (current_date - 100)::text AS long_ago \gset
SET sales_perf.as_of = :'long_ago';
SELECT set_eq('EXECUTE company', $$SELECT to_jsonb(x) FROM company_scorecard AS x WHERE grain = 'quarter'$$, 'as of a day in the past the deals');
SELECT cmp_ok(pg_temp.rows_read('deal', 'EXECUTE company'), '>', 100::bigint, 'planned anew for them, so that filters reach them');
RESET sales_perf.as_of;
SELECT set_eq('EXECUTE company', $$SELECT to_jsonb(x) FROM company_scorecard AS x WHERE grain = 'quarter'$$, 'and rollups again');
RESET plan_cache_mode;

-- ---------------------------------------------------------------- what writers do

-- Each of these, then verified and compared, at first not folded, then folded.
CREATE TEMP TABLE doing (no serial, what text, sql text, is_compared boolean DEFAULT false);
INSERT INTO doing (what, sql, is_compared)
VALUES ('an insert', $$INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome, stage_id) SELECT 'i' || i, CASE WHEN i % 5 > 0 THEN 'R00' || i % 5 END, i * 10.25, current_date - i, CASE WHEN i % 3 > 0 THEN current_date - i / 2 END, (ARRAY['won', 'lost', 'open'])[1 + (i - 1) % 3], (SELECT min(stage_id) FROM stage WHERE is_open) FROM generate_series(1, 60) AS i$$, false),
       ('an update of no row', $$UPDATE deal SET amount = 1 WHERE deal_id = 'nobody'$$, false),
       ('amount', $$UPDATE deal SET amount = amount * 2 + 0.01 WHERE hashtext(deal_id) % 7 = 0$$, false),
       ('amount of open deals alone', $$UPDATE deal SET amount = amount + 7 WHERE outcome = 'open' AND hashtext(deal_id) % 3 = 0$$, true),
       ('currency', $$UPDATE deal SET currency = (ARRAY['GBP', NULL, 'USD', 'XXX'])[1 + abs(hashtext(deal_id || 'c')) % 4] WHERE hashtext(deal_id) % 5 = 0$$, true),
       ('rep_id', $$UPDATE deal SET rep_id = (ARRAY['R001', 'R002', NULL])[1 + abs(hashtext(deal_id || 'r')) % 3] WHERE hashtext(deal_id) % 11 = 0$$, false),
       ('pipeline_id', $$INSERT INTO stage (pipeline_id, stage_no, stage_id, name) VALUES ('second', 1, 'second-1', 'One'); UPDATE deal SET pipeline_id = 'second', stage_id = 'second-1' WHERE hashtext(deal_id) % 13 = 0$$, false),
       ('stage_id', $$UPDATE deal SET stage_id = (SELECT max(stage_id) FROM stage WHERE is_open AND pipeline_id = deal.pipeline_id) WHERE outcome = 'open'$$, false),
       ('opened_on', $$UPDATE deal SET opened_on = opened_on - 40 WHERE hashtext(deal_id) % 9 = 0$$, false),
       ('opened_on in the future', $$UPDATE deal SET opened_on = current_date + 3 WHERE hashtext(deal_id) % 23 = 0$$, true),
       ('opened_on is not known', $$UPDATE deal SET opened_on = NULL WHERE hashtext(deal_id) % 29 = 0$$, false),
       ('closed_on', $$UPDATE deal SET closed_on = closed_on - 35 WHERE hashtext(deal_id) % 9 = 1$$, false),
       ('closed_on in the future', $$UPDATE deal SET closed_on = current_date + 1 + abs(hashtext(deal_id)) % 60 WHERE hashtext(deal_id) % 19 = 0$$, false),
       ('closed_on is not known', $$UPDATE deal SET closed_on = NULL WHERE hashtext(deal_id) % 31 = 0$$, true),
       ('days without end', $$UPDATE deal SET closed_on = 'infinity' WHERE hashtext(deal_id) % 37 = 0; UPDATE deal SET closed_on = '-infinity' WHERE hashtext(deal_id) % 37 = 1; UPDATE deal SET opened_on = 'infinity' WHERE hashtext(deal_id) % 37 = 2; UPDATE deal SET opened_on = '-infinity' WHERE hashtext(deal_id) % 37 = 3$$, false),
       ('days far away', $$UPDATE deal SET closed_on = '4713-01-01 BC' WHERE deal_id = 'i1'; UPDATE deal SET closed_on = '294000-01-01', opened_on = '0001-01-01' WHERE deal_id = 'i2'$$, false),
       ('outcome', $$UPDATE deal SET outcome = (ARRAY['won', 'lost', 'open', NULL])[1 + abs(hashtext(deal_id || 'o')) % 4] WHERE hashtext(deal_id) % 8 = 0$$, true),
       ('no amount', $$UPDATE deal SET amount = NULL WHERE hashtext(deal_id) % 17 = 0$$, false),
       ('negative, tiny and huge amounts', $$UPDATE deal SET amount = (ARRAY[-5, 0, 0.00001, 1e9])[1 + abs(hashtext(deal_id)) % 4] WHERE hashtext(deal_id || 'h') % 15 = 0$$, true),
       ('amounts of closed deals that are not finite', $$UPDATE deal SET amount = (ARRAY['NaN', 'Infinity', '-Infinity']::numeric[])[1 + abs(hashtext(deal_id)) % 3] WHERE outcome = 'lost' AND closed_on <= current_date AND opened_on <= current_date AND hashtext(deal_id || 'n') % 40 = 0 AND NOT EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = deal.deal_id)$$, true),
       ('and finite again', $$UPDATE deal SET amount = 12 WHERE amount IN ('NaN', 'Infinity', '-Infinity')$$, false),
       ('recorded_at in the future', $$UPDATE deal SET recorded_at = now() + interval '10 days' WHERE hashtext(deal_id) % 41 = 0$$, true),
       ('what no rollup reads', $$UPDATE deal SET name = 'x', lost_reason = 'y', account_id = NULL, product_id = NULL, forecast_category = 'commit', expected_close_on = current_date WHERE hashtext(deal_id) % 2 = 0$$, false),
       ('deal_id', $$UPDATE deal SET deal_id = 'renamed ' || deal_id WHERE deal_id IN (SELECT deal_id FROM deal_credit) OR hashtext(deal_id) % 43 = 0$$, false),
       ('ON CONFLICT DO UPDATE', $$INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) SELECT CASE WHEN i % 2 = 0 THEN 'i' || i ELSE 'k' || i END, 'R003', i, current_date - 50, current_date - i, 'won' FROM generate_series(1, 40) AS i ON CONFLICT (deal_id) DO UPDATE SET amount = excluded.amount, rep_id = excluded.rep_id, outcome = 'lost'$$, true),
       ('ON CONFLICT DO NOTHING', $$INSERT INTO deal (deal_id, amount) SELECT 'k' || i, i FROM generate_series(1, 50) AS i ON CONFLICT DO NOTHING$$, false),
       ('MERGE', $$MERGE INTO deal AS d USING (SELECT 'i' || i AS deal_id, i FROM generate_series(30, 90) AS i) AS s ON s.deal_id = d.deal_id WHEN MATCHED AND i % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET amount = s.i, closed_on = current_date - 3, outcome = 'won' WHEN NOT MATCHED THEN INSERT (deal_id, rep_id, amount, opened_on) VALUES (s.deal_id, 'R002', s.i, current_date - 9)$$, true),
       ('one row twice in a statement', $$WITH first AS (INSERT INTO deal (deal_id, amount, opened_on) VALUES ('w1', 1, current_date) RETURNING deal_id), second AS (UPDATE deal SET amount = 99 WHERE deal_id = 'i2'), third AS (UPDATE deal SET outcome = 'open' WHERE deal_id = 'k1') DELETE FROM deal WHERE deal_id = 'k3'$$, false),
       ('a rep is renamed', $$UPDATE rep SET rep_id = 'R001 renamed' WHERE rep_id = 'R001'$$, true),
       ('a delete', $$DELETE FROM deal WHERE hashtext(deal_id) % 6 = 0 AND deal_id NOT IN (SELECT deal_id FROM deal_credit)$$, false),
       ('deals with splits are deleted', $$DELETE FROM deal WHERE deal_id IN (SELECT deal_id FROM deal_credit ORDER BY md5(deal_id) LIMIT 20)$$, false),
       ('nobody''s deals are deleted', $$DELETE FROM deal WHERE rep_id IS NULL$$, true),
       ('splits', $$INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) SELECT d.deal_id, r.rep_id, r.share, r.o FROM (SELECT deal_id FROM deal d WHERE NOT EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = d.deal_id) ORDER BY md5(deal_id) LIMIT 200) AS d CROSS JOIN (VALUES ('R002', 0.3, false), ('R003', 0.7, false), ('R004', 0.5, true)) AS r (rep_id, share, o)$$, true),
       ('shares', $$UPDATE deal_credit SET share = CASE rep_id WHEN 'R002' THEN 0.6 ELSE 0.4 END WHERE NOT is_overlay AND deal_id IN (SELECT deal_id FROM deal_credit WHERE rep_id = 'R002' AND share = 0.3 ORDER BY deal_id LIMIT 50)$$, false),
       ('a split is given to another deal', $$UPDATE deal_credit SET deal_id = (SELECT min(deal_id) FROM deal d WHERE outcome = 'won' AND NOT EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = d.deal_id)) WHERE deal_id = (SELECT min(deal_id) FROM deal_credit)$$, false),
       ('amount and outcome of split deals', $$UPDATE deal SET amount = amount + 1, outcome = (ARRAY['won', 'open', 'lost'])[1 + abs(hashtext(deal_id)) % 3] WHERE deal_id IN (SELECT deal_id FROM deal_credit)$$, true),
       ('one of the split deals: its amount', $$UPDATE deal SET amount = coalesce(amount, 0) + 3 WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('its owner', $$UPDATE deal SET rep_id = CASE rep_id WHEN 'R005' THEN 'R004' ELSE 'R005' END WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('its currency', $$UPDATE deal SET currency = CASE WHEN currency = 'GBP' THEN 'EUR' ELSE 'GBP' END WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('its day of closing', $$UPDATE deal SET closed_on = coalesce(closed_on, current_date) - 33 WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('the day on which it begins to count', $$UPDATE deal SET opened_on = current_date + 8 WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('its key, and no more', $$UPDATE deal SET deal_id = '0 ' || deal_id WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('it is lost', $$UPDATE deal SET outcome = 'lost' WHERE deal_id = (SELECT min(c.deal_id) FROM deal_credit c JOIN deal USING (deal_id) WHERE outcome = 'won')$$, false),
       ('two who trade amounts: their cells stay, what is split does not',
        $$INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) VALUES ('trade 1', 'R002', 100, current_date - 9, current_date - 5, 'won'), ('trade 2', 'R002', 900, current_date - 9, current_date - 5, 'won');
          INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('trade 1', 'R003', 0.4), ('trade 1', 'R004', 0.6);
          UPDATE deal SET amount = 1000 - amount WHERE deal_id IN ('trade 1', 'trade 2')$$, true),
       ('digits that are no amount', $$UPDATE deal SET amount = amount + 0.000 WHERE hashtext(deal_id) % 2 = 0 OR deal_id LIKE 'trade%'$$, false),
       ('traded keys', $$UPDATE deal SET deal_id = 'trade 3' WHERE deal_id = 'trade 2'; UPDATE deal SET deal_id = CASE deal_id WHEN 'trade 1' THEN 'trade 4' ELSE 'trade 5' END, amount = 1000 - amount WHERE deal_id IN ('trade 1', 'trade 3')$$, false),
       ('one row of many that stay', $$UPDATE deal SET amount = CASE WHEN deal_id = 'trade 4' THEN 77 ELSE amount END, rep_id = CASE WHEN deal_id = 'trade 5' THEN 'R003' ELSE rep_id END$$, true),
       ('what stays is written', $$UPDATE deal SET deal_id = deal_id, amount = amount, rep_id = rep_id$$, false),
       ('a cascade that writes rows twice', $$UPDATE deal SET account_id = (SELECT min(account_id) FROM account) WHERE rep_id = 'R003'; WITH a AS (UPDATE account SET account_id = account_id || ' renamed' WHERE account_id = (SELECT min(account_id) FROM account)) UPDATE rep SET rep_id = 'R003 renamed' WHERE rep_id = 'R003'$$, true),
       ('cascades in one statement that write other rows', $$WITH a AS (UPDATE rep SET rep_id = 'R004 renamed' WHERE rep_id = 'R004') UPDATE rep SET rep_id = 'R003' WHERE rep_id = 'R003 renamed'; UPDATE rep SET rep_id = 'R004' WHERE rep_id = 'R004 renamed'$$, false),
       ('rates in the statement that changes deals', $$WITH r AS (UPDATE fx_rate SET rate = rate * 1.01) UPDATE deal SET amount = amount + 1, rep_id = CASE deal_id WHEN 'trade 4' THEN 'R002' ELSE rep_id END WHERE currency = 'GBP' OR deal_id LIKE 'trade%'$$, true),
       ('deals in the statement that changes rates', $$WITH d AS (UPDATE deal SET currency = 'GBP', deal_id = deal_id || ' again' WHERE deal_id LIKE 'trade%') UPDATE fx_rate SET rate = rate * 1.02$$, false),
       ('splits are taken away', $$DELETE FROM deal_credit WHERE deal_id IN (SELECT deal_id FROM deal_credit ORDER BY md5(deal_id) LIMIT 60)$$, true),
       ('a rate', $$UPDATE fx_rate SET rate = rate * 1.1 WHERE valid_from = (SELECT max(valid_from) FROM fx_rate)$$, false),
       ('a rate for what had none', $$INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('XXX', current_date - 700, 3.5), ('XXX', current_date - 90, 4)$$, true),
       ('a rate of another currency', $$UPDATE fx_rate SET currency = 'ZZZ' WHERE currency = 'XXX' AND rate = 4$$, false),
       ('a rate less', $$DELETE FROM fx_rate WHERE currency = 'XXX'$$, true),
       ('the reporting currency', $$SELECT set_reporting_currency('GBP')$$, false),
       ('and no name of it', $$SELECT set_reporting_currency(NULL)$$, true),
       ('no rates', $$TRUNCATE fx_rate$$, false),
       ('rates in the statement that brings the deals', $$WITH rate AS (INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('GBP', current_date - 1000, 1.3)) INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome) VALUES ('with rate', 'R002', 100, 'GBP', current_date - 5, current_date - 4, 'won')$$, true),
       ('deals in the statement that brings rates', $$WITH d AS (INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome) VALUES ('with rate 2', 'R002', 100, 'XXX', current_date - 5, current_date - 4, 'won'), ('with rate 3', 'R002', 100, 'XXX', current_date - 5, NULL, 'open')) INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('XXX', current_date - 1000, 2)$$, false),
       ('a move', $$SELECT move_rep('R002', (SELECT max(team_id) FROM team), current_date - 40)$$, true),
       ('a team', $$UPDATE rep SET team_id = (SELECT min(team_id) FROM team) WHERE rep_id = 'R005'$$, false),
       ('calendar', $$SELECT build_calendar('2023-02-06', '2027-01-31', 2, '4-4-5')$$, true),
       ('no splits', $$TRUNCATE deal_credit$$, true),
       ('no deals', $$TRUNCATE deal CASCADE$$, false),
       ('deals again', $$INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome) SELECT 'n' || i, 'R00' || 2 + i % 3, i, current_date - i, current_date - i / 2, 'won' FROM generate_series(1, 50) AS i$$, true);

CREATE FUNCTION pg_temp.try(what text, sql text, is_compared boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN NEXT is(pg_temp.wrong_cells(), CASE WHEN EXISTS (SELECT FROM deal) THEN 0::bigint END, what || ': the rollups are right');
    IF is_compared THEN
        RETURN NEXT is(pg_temp.differences(), 0::bigint, what || ': and reports say the same');
    END IF;
    IF random() < 0.5 THEN
        PERFORM sales_perf.fold_rollup('sales');
        RETURN NEXT is(pg_temp.wrong_cells(), CASE WHEN EXISTS (SELECT FROM deal) THEN 0::bigint END, what || ': folded, too');
    ELSE
        RETURN NEXT pass(what || ': not folded this time');
    END IF;
END
$$;
SELECT setseed(0.5) \gset
SELECT format('SELECT pg_temp.try(%L, %L, %L);', what, sql, is_compared) FROM doing ORDER BY no \gexec

-- ---------------------------------------------------------------- what writers are spared

SELECT sales_perf.fold_rollup('sales') \gset
INSERT INTO fx_rate (currency, valid_from, rate)
SELECT currency, current_date - 7 * i, 1 + i / 100.0 FROM unnest(ARRAY['EUR', 'GBP', 'JPY']) AS currency CROSS JOIN generate_series(1, 20) AS i;
SELECT set_reporting_currency('USD') \gset
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('n1', 'R002', 1);
CREATE FUNCTION pg_temp.appended(sql text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT count(*) FROM rollup_delta);
BEGIN
    EXECUTE sql;
    RETURN (SELECT count(*) FROM rollup_delta) - before;
END
$$;
CREATE TEMP TABLE split_before AS SELECT ctid AS place, xmin::text AS writer FROM rollup_split;
SELECT isnt_empty('SELECT FROM split_before', 'a deal is split');
SELECT is(pg_temp.appended(sql), 0::bigint, 'nothing is appended: ' || sql)
  FROM unnest(ARRAY[$$UPDATE deal SET stage_id = (SELECT min(stage_id) FROM stage WHERE is_open), expected_close_on = current_date, name = 'n', forecast_category = 'f'$$,
                    $$UPDATE deal SET expected_close_on = current_date + 1 WHERE deal_id = 'n1'$$,
                    $$UPDATE deal SET deal_id = deal_id, amount = amount, currency = currency$$]) AS sql;
SELECT set_eq('SELECT ctid AS place, xmin::text AS writer FROM rollup_split', 'SELECT * FROM split_before', 'nor are splits derived anew');
SELECT is(pg_temp.appended($$UPDATE deal SET amount = amount + CASE WHEN deal_id = 'n2' THEN 1 ELSE 0 END$$), 2::bigint, 'one deal of many: its closed and its opened cell');
SELECT set_eq('SELECT ctid AS place, xmin::text AS writer FROM rollup_split', 'SELECT * FROM split_before', 'and no split of another');
SELECT is(pg_temp.appended($$UPDATE deal SET rep_id = 'R005' WHERE deal_id = 'n2'$$), 4::bigint, 'an owner: two cells of each');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'all the same the rollups are right');

-- the few rates that deals need do what all do
SELECT is_empty($$
    SELECT c.currency, d.on_day
      FROM unnest(ARRAY['EUR', 'GBP', 'JPY', 'USD', 'XXX', 'AAA']) AS c (currency)
     CROSS JOIN (SELECT current_date - i AS on_day FROM generate_series(-2, 150) AS i UNION ALL VALUES ('infinity'::date), ('-infinity'), (NULL)) AS d
     CROSS JOIN LATERAL (VALUES (c.currency, c.currency, d.on_day, d.on_day),
                                (c.currency, c.currency, d.on_day - CASE WHEN isfinite(d.on_day) THEN 30 ELSE 0 END, d.on_day),
                                ('EUR', greatest(c.currency, 'GBP'), least(d.on_day, current_date - 60), greatest(d.on_day, current_date))) AS r (first_currency, last_currency, first_day, last_day)
     WHERE c.currency BETWEEN r.first_currency AND r.last_currency
       AND sales_perf.reporting_amount(10, c.currency, d.on_day, rollup_rate_list(r.first_currency, r.last_currency, r.first_day, r.last_day))
           IS DISTINCT FROM sales_perf.reporting_amount(10, c.currency, d.on_day, (SELECT rates FROM fx_rate_list))
$$, 'a list of the rates that some deals need converts as that of all rates does');
SELECT is(array_length(rollup_rate_list('GBP', 'GBP', current_date - 10, current_date - 10), 1), 4, 'and is short');
SELECT is(rollup_rate_list(NULL, NULL, NULL, NULL), NULL, 'none, where no deal has a currency');
SELECT is(pg_temp.appended($$UPDATE deal SET currency = 'GBP', amount = 50 WHERE deal_id = 'n3'$$) > 0, true, 'a deal in another currency');
SELECT is(pg_temp.wrong_cells(), 0::bigint, 'is converted');

SELECT * FROM finish();
