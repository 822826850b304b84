-- Loads a folder of CSV files in the layout of Maven Analytics' "CRM Sales Opportunities" into a mart, all or nothing.
-- psql variables: mart, the mart's schema; data, the folder.
--   sales_teams.csv     sales_agent, manager, regional_office             => team (company > office > manager's team), rep
--   products.csv        product, series, sales_price                      => product
--   accounts.csv        account, sector, office_location, subsidiary_of   => account
--   sales_pipeline.csv  opportunity_id, sales_agent, product, account, deal_stage, engage_date, close_date, close_value => stage, deal
-- and, where the folder has them:
--   stage_history.csv   opportunity_id, deal_stage, entered_date          => stage_event
--   sales.csv           sale_id, account, sales_agent, product, sale_date, amount, covers_from, covers_to   => sale
--   leads.csv           lead_id, account, sales_agent, source, created_date, converted_date, opportunity_id, lost_date   => lead
-- Columns may stand in any order, others are ignored. Money is in US dollars. The reports are as of the last date in the data.
\set ON_ERROR_STOP on
\set QUIET on
\set SHOW_CONTEXT never
BEGIN;
\ir csv.sql

INSERT INTO csv_column (file, column_name, kind, is_required)
VALUES
	('accounts.csv', 'account', 'text', true),
	('accounts.csv', 'sector', 'text', false),
	('accounts.csv', 'office_location', 'text', false),
	('accounts.csv', 'subsidiary_of', 'text', false),
	('products.csv', 'product', 'text', true),
	('products.csv', 'series', 'text', false),
	('products.csv', 'sales_price', 'number', true),
	('sales_teams.csv', 'sales_agent', 'text', true),
	('sales_teams.csv', 'manager', 'text', true),
	('sales_teams.csv', 'regional_office', 'text', true),
	('sales_pipeline.csv', 'opportunity_id', 'text', true),
	('sales_pipeline.csv', 'sales_agent', 'text', true),
	('sales_pipeline.csv', 'product', 'text', true),
	('sales_pipeline.csv', 'account', 'text', false),
	('sales_pipeline.csv', 'deal_stage', 'text', true),
	('sales_pipeline.csv', 'engage_date', 'date', false),
	('sales_pipeline.csv', 'close_date', 'date', false),
	('sales_pipeline.csv', 'close_value', 'number', false);

-- One table a file and of its name: what COPY itself finds (mixed line ends) then names file and line, too.
-- Delimiter and quote are bytes that no text has, so that a line stays one value, and LATIN1 takes every byte.
CREATE TEMP TABLE "accounts.csv" (line_no integer GENERATED ALWAYS AS IDENTITY, line text);
CREATE TEMP TABLE "products.csv" (LIKE "accounts.csv" INCLUDING IDENTITY);
CREATE TEMP TABLE "sales_teams.csv" (LIKE "accounts.csv" INCLUDING IDENTITY);
CREATE TEMP TABLE "sales_pipeline.csv" (LIKE "accounts.csv" INCLUDING IDENTITY);
CREATE TEMP TABLE "stage_history.csv" (LIKE "accounts.csv" INCLUDING IDENTITY);
CREATE TEMP TABLE "sales.csv" (LIKE "accounts.csv" INCLUDING IDENTITY);
CREATE TEMP TABLE "leads.csv" (LIKE "accounts.csv" INCLUDING IDENTITY);
\set SHOW_CONTEXT errors
\cd :data
\set have_stage_history `test -e stage_history.csv && echo true || echo false`
\set have_sales `test -e sales.csv && echo true || echo false`
\set have_leads `test -e leads.csv && echo true || echo false`
\echo Reading accounts.csv, products.csv, sales_teams.csv, sales_pipeline.csv
\copy "accounts.csv" (line) FROM 'accounts.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
\copy "products.csv" (line) FROM 'products.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
\copy "sales_teams.csv" (line) FROM 'sales_teams.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
\copy "sales_pipeline.csv" (line) FROM 'sales_pipeline.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
\if :have_stage_history
\echo Reading stage_history.csv
\copy "stage_history.csv" (line) FROM 'stage_history.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
INSERT INTO csv_column (file, column_name, kind, is_required)
VALUES
	('stage_history.csv', 'opportunity_id', 'text', true),
	('stage_history.csv', 'deal_stage', 'text', true),
	('stage_history.csv', 'entered_date', 'date', true);
\endif
\if :have_sales
\echo Reading sales.csv
\copy "sales.csv" (line) FROM 'sales.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
INSERT INTO csv_column (file, column_name, kind, is_required)
VALUES
	('sales.csv', 'sale_id', 'text', true),
	('sales.csv', 'account', 'text', false),
	('sales.csv', 'sales_agent', 'text', false),
	('sales.csv', 'product', 'text', false),
	('sales.csv', 'sale_date', 'date', true),
	('sales.csv', 'amount', 'number', false),
	('sales.csv', 'covers_from', 'date', false),
	('sales.csv', 'covers_to', 'date', false);
\endif
\if :have_leads
\echo Reading leads.csv
\copy "leads.csv" (line) FROM 'leads.csv' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', ENCODING 'LATIN1')
INSERT INTO csv_column (file, column_name, kind, is_required)
VALUES
	('leads.csv', 'lead_id', 'text', true),
	('leads.csv', 'account', 'text', false),
	('leads.csv', 'sales_agent', 'text', false),
	('leads.csv', 'source', 'text', false),
	('leads.csv', 'created_date', 'date', true),
	('leads.csv', 'converted_date', 'date', false),
	('leads.csv', 'opportunity_id', 'text', false),
	('leads.csv', 'lost_date', 'date', false);
\endif
\set SHOW_CONTEXT never

INSERT INTO csv_line (file, line_no, line)
SELECT file, line_no, CASE line_no WHEN 1 THEN ltrim(coalesce(line, ''), U&'\00EF\00BB\00BF') ELSE coalesce(line, '') END
FROM (
	SELECT 'accounts.csv' AS file, * FROM "accounts.csv"
	UNION ALL
	SELECT 'products.csv', * FROM "products.csv"
	UNION ALL
	SELECT 'sales_teams.csv', * FROM "sales_teams.csv"
	UNION ALL
	SELECT 'sales_pipeline.csv', * FROM "sales_pipeline.csv"
	UNION ALL
	SELECT 'stage_history.csv', * FROM "stage_history.csv"
	UNION ALL
	SELECT 'sales.csv', * FROM "sales.csv"
	UNION ALL
	SELECT 'leads.csv', * FROM "leads.csv") lines;
ANALYZE csv_line;

\o /dev/null
SELECT pg_temp.parse_csv();
SELECT pg_temp.raise_problems();
\o
ANALYZE csv_row;

SELECT to_char(count(*), 'FM999,999,999') AS lines
FROM csv_row \gset
\echo Checking :lines lines

-- Known misspellings of the public data set.
UPDATE csv_row
SET cells = cells || '{"product": "GTX Pro"}'
WHERE file IN ('sales_pipeline.csv', 'sales.csv')
	AND cells ->> 'product' = 'GTXPro';

UPDATE csv_row
SET cells = cells || '{"sector": "technology"}'
WHERE file = 'accounts.csv'
	AND cells ->> 'sector' = 'technolgy';

\o /dev/null
SELECT pg_temp.check_values();
SELECT pg_temp.check_unique('accounts.csv', 'account');
SELECT pg_temp.check_unique('products.csv', 'product');
SELECT pg_temp.check_unique('sales_teams.csv', 'sales_agent');
SELECT pg_temp.check_unique('sales_pipeline.csv', 'opportunity_id');
SELECT pg_temp.check_reference('accounts.csv', 'subsidiary_of', 'accounts.csv', 'account');
SELECT pg_temp.check_reference('sales_pipeline.csv', 'sales_agent', 'sales_teams.csv', 'sales_agent');
SELECT pg_temp.check_reference('sales_pipeline.csv', 'product', 'products.csv', 'product');
SELECT pg_temp.check_reference('sales_pipeline.csv', 'account', 'accounts.csv', 'account');
SELECT pg_temp.check_reference('stage_history.csv', 'opportunity_id', 'sales_pipeline.csv', 'opportunity_id');
SELECT pg_temp.check_unique('sales.csv', 'sale_id');
SELECT pg_temp.check_reference('sales.csv', 'account', 'accounts.csv', 'account');
SELECT pg_temp.check_reference('sales.csv', 'sales_agent', 'sales_teams.csv', 'sales_agent');
SELECT pg_temp.check_reference('sales.csv', 'product', 'products.csv', 'product');
SELECT pg_temp.check_unique('leads.csv', 'lead_id');
SELECT pg_temp.check_reference('leads.csv', 'account', 'accounts.csv', 'account');
SELECT pg_temp.check_reference('leads.csv', 'sales_agent', 'sales_teams.csv', 'sales_agent');
SELECT pg_temp.check_reference('leads.csv', 'opportunity_id', 'sales_pipeline.csv', 'opportunity_id');
\o

INSERT INTO csv_problem
SELECT file, line_no, 'deal_stage', format('"%s" is none of Prospecting, Engaging, Won, Lost', cells ->> 'deal_stage')
FROM csv_row
WHERE file IN ('sales_pipeline.csv', 'stage_history.csv')
	AND cells ->> 'deal_stage' NOT IN ('Prospecting', 'Engaging', 'Won', 'Lost')
UNION ALL
SELECT file, line_no, 'manager', format('"%s" belongs to the office %s in line %s', manager, first_office, first_line_no)
FROM (
	SELECT file, line_no, cells ->> 'manager' AS manager, cells ->> 'regional_office' AS office,
		first_value(cells ->> 'regional_office') OVER by_manager AS first_office,
		first_value(line_no) OVER by_manager AS first_line_no
	FROM csv_row
	WHERE file = 'sales_teams.csv'
	WINDOW by_manager AS (PARTITION BY cells ->> 'manager' ORDER BY line_no)) seen
WHERE office <> first_office
UNION ALL
SELECT file, line_no, 'subsidiary_of', format('"%s" would be above itself', cells ->> 'account')
FROM csv_row
WHERE file = 'accounts.csv'
	AND cells ->> 'subsidiary_of' = cells ->> 'account'
UNION ALL
SELECT file, line_no, 'manager', format('"%s" is the name of an office, too', cells ->> 'manager')
FROM csv_row
WHERE file = 'sales_teams.csv'
	AND cells ->> 'manager' IN (SELECT cells ->> 'regional_office' FROM csv_row WHERE file = 'sales_teams.csv');

\o /dev/null
SELECT pg_temp.raise_problems();
\o

-- The values are right: into the mart.
SET LOCAL search_path = :"mart", pg_catalog, pg_temp;

INSERT INTO team (team_id, name, parent_team_id)
VALUES ('company', 'Company', NULL);

INSERT INTO team (team_id, name, parent_team_id)
SELECT DISTINCT cells ->> 'regional_office', cells ->> 'regional_office', 'company'
FROM csv_row
WHERE file = 'sales_teams.csv';

INSERT INTO team (team_id, name, parent_team_id)
SELECT DISTINCT cells ->> 'manager', (cells ->> 'manager') || '''s team', cells ->> 'regional_office'
FROM csv_row
WHERE file = 'sales_teams.csv';

INSERT INTO rep (rep_id, name, team_id)
SELECT cells ->> 'sales_agent', cells ->> 'sales_agent', cells ->> 'manager'
FROM csv_row
WHERE file = 'sales_teams.csv'
ORDER BY line_no;

INSERT INTO product (product_id, name, family, list_price, currency)
SELECT cells ->> 'product', cells ->> 'product', cells ->> 'series', (cells ->> 'sales_price')::numeric, 'USD'
FROM csv_row
WHERE file = 'products.csv'
ORDER BY line_no;

INSERT INTO account (account_id, name, industry, region, parent_account_id)
SELECT cells ->> 'account', cells ->> 'account', cells ->> 'sector', cells ->> 'office_location', cells ->> 'subsidiary_of'
FROM csv_row
WHERE file = 'accounts.csv'
ORDER BY line_no;

INSERT INTO stage (pipeline_id, stage_no, stage_id, name, is_open)
VALUES
	('sales', 1, 'Prospecting', 'Prospecting', true),
	('sales', 2, 'Engaging', 'Engaging', true),
	('sales', 3, 'Won', 'Won', false),
	('sales', 4, 'Lost', 'Lost', false);

SELECT to_char(count(*) FILTER (WHERE file = 'sales_pipeline.csv'), 'FM999,999,999') AS deals,
	greatest(max(cells ->> 'engage_date'), max(cells ->> 'close_date'), max(cells ->> 'entered_date'), max(cells ->> 'sale_date'),
		max(cells ->> 'created_date'), max(cells ->> 'converted_date'), max(cells ->> 'lost_date')) AS last_date
FROM csv_row \gset
\echo Loading :deals deals

-- The files tell how the deals stood on their last date: recorded_at. An open deal is worth its product's list price;
-- nobody knows when a deal in Prospecting was opened.
INSERT INTO deal (deal_id, name, account_id, product_id, rep_id, pipeline_id, stage_id, amount, currency,
	opened_on, closed_on, outcome, recorded_at)
SELECT cells ->> 'opportunity_id',
	concat_ws(' for ', product_id, cells ->> 'account'),
	cells ->> 'account',
	product_id,
	cells ->> 'sales_agent',
	'sales',
	cells ->> 'deal_stage',
	CASE WHEN outcome = 'open' THEN list_price ELSE (cells ->> 'close_value')::numeric END,
	'USD',
	(cells ->> 'engage_date')::date,
	(cells ->> 'close_date')::date,
	outcome,
	coalesce(nullif(:'last_date', '')::timestamptz, now())
FROM (
	SELECT line_no, cells,
		CASE cells ->> 'deal_stage' WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open' END AS outcome
	FROM csv_row
	WHERE file = 'sales_pipeline.csv') p
JOIN product ON product_id = cells ->> 'product'
ORDER BY line_no;

-- The known days take the place of those that were assumed. Where there is no history of a deal, it was in Engaging from
-- the day it was opened until it was closed; when it entered Prospecting is not known.
DELETE FROM stage_event;

INSERT INTO stage_event (deal_id, stage_id, entered_on)
SELECT cells ->> 'opportunity_id', cells ->> 'deal_stage', (cells ->> 'entered_date')::date
FROM csv_row
WHERE file = 'stage_history.csv'
ORDER BY line_no;

INSERT INTO stage_event (deal_id, stage_id, entered_on)
SELECT deal_id, stage.stage_id, entered_on
FROM deal
CROSS JOIN LATERAL (VALUES
	('Engaging', opened_on),
	(CASE WHEN outcome <> 'open' THEN stage_id END, closed_on)) AS stage(stage_id, entered_on)
WHERE stage.stage_id IS NOT NULL
	AND entered_on IS NOT NULL
	AND deal_id NOT IN (SELECT deal_id FROM stage_event);

INSERT INTO sale (sale_id, account_id, rep_id, product_id, sold_on, amount, currency, covers_from, covers_to)
SELECT cells ->> 'sale_id', cells ->> 'account', cells ->> 'sales_agent', cells ->> 'product', (cells ->> 'sale_date')::date,
	(cells ->> 'amount')::numeric, 'USD', (cells ->> 'covers_from')::date, (cells ->> 'covers_to')::date
FROM csv_row
WHERE file = 'sales.csv'
ORDER BY line_no;

INSERT INTO lead (lead_id, account_id, rep_id, source, created_on, converted_on, converted_deal_id, lost_on)
SELECT cells ->> 'lead_id', cells ->> 'account', cells ->> 'sales_agent', cells ->> 'source', (cells ->> 'created_date')::date,
	(cells ->> 'converted_date')::date, cells ->> 'opportunity_id', (cells ->> 'lost_date')::date
FROM csv_row
WHERE file = 'leads.csv'
ORDER BY line_no;

SELECT format('ALTER DATABASE %I SET sales_perf.as_of = %L', current_database(), :'last_date')
WHERE :'last_date' <> '' \gexec
COMMIT;

SELECT format('ANALYZE %I.%I', :'mart', relname)
FROM pg_class
WHERE relnamespace = quote_ident(:'mart')::regnamespace
	AND relkind = 'r' \gexec
\echo Reports are as of :last_date, the last date in the files
