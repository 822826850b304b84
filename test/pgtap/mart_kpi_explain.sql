-- explain_kpi: what it lists adds up to what kpi_between says, for every KPI; resolve_entity and resolve_period.
SELECT plan(42);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 1500, 11) \gset
-- whatever the demo has of these
DELETE FROM deal_credit;
DELETE FROM team_membership;
DELETE FROM fx_rate;
DELETE FROM mart_setting;
UPDATE deal SET currency = NULL WHERE currency IS NOT NULL;
SELECT set_reporting_currency('EUR') \gset
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('USD', '2023-01-01', 0.9), ('USD', '2025-03-01', 0.85);
UPDATE deal SET currency = (ARRAY['USD', 'GBP'])[1 + (hashint8extended(substr(deal_id, 2)::integer, 1) & 1023)::integer % 2]
 WHERE (hashint8extended(substr(deal_id, 2)::integer, 2) & 1023) % 3 = 0;
UPDATE deal SET rep_id = NULL WHERE (hashint8extended(substr(deal_id, 2)::integer, 3) & 1023) % 20 = 0;
UPDATE lead SET rep_id = NULL WHERE (hashint8extended(substr(lead_id, 2)::integer, 3) & 1023) % 20 = 0;
DELETE FROM deal_change WHERE changed_at >= '2025-05-16';
BEGIN;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay)
SELECT deal_id, c.rep_id, c.share, c.is_overlay
  FROM deal
 CROSS JOIN (VALUES ('R003', 0.3, false), ('R001', 0.7, false), ('R002', 0.25, true), ('R001', 0.1, true)) AS c (rep_id, share, is_overlay)
 WHERE (hashint8extended(substr(deal_id, 2)::integer, 4) & 1023) % 6 = 0;
COMMIT;
SELECT team_id AS old_team FROM rep WHERE rep_id = 'R001' \gset
SELECT parent_team_id AS region FROM team WHERE team_id = :'old_team' \gset
SELECT move_rep('R001', (SELECT min(team_id) FROM team WHERE team_id <> :'old_team' AND parent_team_id IS NOT NULL AND parent_team_id IS DISTINCT FROM :'region'), '2025-03-10') \gset
CREATE TABLE public.call_made AS
SELECT (ARRAY['R001', 'R002', 'R003', 'gone', NULL])[1 + n % 5] AS rep_id, date '2025-01-01' + n % 160 AS on_date, n % 7 AS numerator, NULLIF(n % 11, 3) AS denominator
  FROM generate_series(1, 400) AS n;
CREATE VIEW public.call_count AS SELECT rep_id, on_date, numerator FROM public.call_made;
SELECT register_kpi('calls', 'Calls', 'public.call_count') \gset
SELECT register_kpi('reach_rate', 'Reach', 'public.call_made', 'fraction') \gset

INSERT INTO activity (activity_id, rep_id, kind, happened_at)
SELECT 'A' || n, (ARRAY['R001', 'R002', 'R003', 'R004', NULL])[1 + n % 5], 'call', timestamptz '2024-12-30 23:30+00' + n * interval '7 hours' FROM generate_series(1, 600) AS n;

-- ---------------------------------------------------------------- it adds up

CREATE TEMP TABLE explained AS
SELECT k.kind, k.code, a.entity, a.period, e.*
  FROM kpi k
 CROSS JOIN (VALUES ('company', '2025-02-11..2025-05-20'), ('team:' || :'region', '2025-Q2'), (:'old_team', '2025-Q1'), ('R001', '2025-Q2'), ('rep:R003', '2025'), ('(no rep)', '2025-Q2')) AS a (entity, period)
 CROSS JOIN LATERAL explain_kpi(k.code, a.entity, a.period) WITH ORDINALITY AS e
 WHERE k.shown_in = 'kpi_long'
   AND NOT (k.attribution = 'S' AND a.period = '2025-Q1');
SELECT is(count(DISTINCT code), (SELECT count(*) FROM kpi WHERE shown_in = 'kpi_long'), 'every KPI of kpi_long is explained') FROM explained;
SELECT results_eq(
    $$SELECT sum(numerator) FILTER (WHERE part = 'kpi'), sum(numerator) FILTER (WHERE part <> 'kpi') FROM explain_kpi('sales_growth', 'company', '0001-01-01..9999-12-31')$$,
    $$SELECT sum(amount), sum(amount) FROM credit WHERE NOT is_overlay AND closed_on IS NOT NULL$$,
    'growth too of days that have none before them');
SELECT is_empty($$SELECT * FROM explained WHERE (part = 'kpi') <> (ordinality = 1)$$, 'the first row is the KPI, and no other');
SELECT is_empty(
    $$SELECT code, entity, period,
             max(numerator) FILTER (WHERE part = 'kpi') AS numerator, sum(numerator) FILTER (WHERE part <> 'kpi') AS of_items,
             max(denominator) FILTER (WHERE part = 'kpi') AS denominator, sum(denominator) FILTER (WHERE part <> 'kpi') AS d_of_items
        FROM explained
       WHERE kind IN ('sum', 'ratio') OR code IN ('active_customer_count', 'new_customer_count')
       GROUP BY 1, 2, 3
      HAVING max(numerator) FILTER (WHERE part = 'kpi') IS DISTINCT FROM coalesce(sum(numerator) FILTER (WHERE part <> 'kpi'), 0)
          OR coalesce(max(denominator) FILTER (WHERE part = 'kpi'), 0) <> coalesce(sum(denominator) FILTER (WHERE part <> 'kpi'), 0)
          OR bool_or(part <> 'kpi' AND (numerator IS NULL OR (denominator IS NULL) <> (kind <> 'ratio')))$$,
    'numerators and denominators of the items add up to those of the KPI, exactly');
SELECT is_empty(
    $$SELECT code, entity, period, max(sample_count) FILTER (WHERE part = 'kpi') AS n, sum(sample_count) FILTER (WHERE part <> 'kpi') AS of_items
        FROM explained
       GROUP BY 1, 2, 3
      HAVING max(sample_count) FILTER (WHERE part = 'kpi') <> coalesce(sum(sample_count) FILTER (WHERE part <> 'kpi'), 0)$$,
    'and so does n');
SELECT is_empty(
    $$SELECT code, entity, period, max(value) FILTER (WHERE part = 'kpi') AS value, percentile_cont(CASE WHEN code LIKE '%p90%' THEN 0.9 ELSE 0.5 END) WITHIN GROUP (ORDER BY value) FILTER (WHERE part <> 'kpi')
        FROM explained
       WHERE kind = 'statistic' AND code NOT IN ('cycle_km_median_days', 'active_customer_count', 'new_customer_count')
       GROUP BY 1, 2, 3
      HAVING abs(max(value) FILTER (WHERE part = 'kpi')
                 - (percentile_cont(CASE WHEN code LIKE '%p90%' THEN 0.9 ELSE 0.5 END) WITHIN GROUP (ORDER BY value) FILTER (WHERE part <> 'kpi'))::numeric) > 0.005 * abs(max(value)) + 1e-9$$,
    'medians and percentiles are those of the items'' values');
SELECT is_empty(
    $$SELECT DISTINCT e.code FROM explained e WHERE NOT EXISTS (SELECT FROM explained i WHERE i.code = e.code AND i.part <> 'kpi')$$,
    'every KPI has items');
SELECT is_empty(
    $$SELECT * FROM explained WHERE entity = '(no rep)' AND part <> 'kpi' AND rep_id IS NOT NULL AND rep_id <> 'gone'$$,
    'what is nobody''s has no rep, or one that is not known');
SELECT is_empty($$SELECT * FROM explained WHERE entity IN ('R001', 'rep:R003') AND rep_id <> right(entity, 4)$$, 'what is a rep''s is his');
SELECT isnt_empty($$SELECT FROM explained WHERE part = 'split deal'$$, 'splits are told');
SELECT set_eq(
    format($$SELECT DISTINCT item_id FROM explained WHERE code = 'won_count' AND entity = %L AND rep_id = 'R001' AND part <> 'kpi'$$, :'old_team'),
    $$SELECT deal_id FROM deal WHERE rep_id = 'R001' AND outcome = 'won' AND closed_on BETWEEN '2025-01-01' AND '2025-03-09'$$,
    'a team has of a rep what he won while he was in it');
SELECT results_eq(
    $$SELECT item_id, item_name, on_date, rep_id, numerator, denominator, value FROM explain_kpi('win_rate', 'company', '2025-05-06..2025-05-08') WHERE part <> 'kpi'$$,
    $$SELECT deal_id, name, closed_on, rep_id, (outcome = 'won')::integer::numeric, 1::numeric, (outcome = 'won')::integer::numeric
        FROM deal WHERE outcome <> 'open' AND closed_on BETWEEN '2025-05-06' AND '2025-05-08' ORDER BY closed_on, deal_id$$,
    'items are listed by day');

-- ---------------------------------------------------------------- sales with terms

INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, covers_from, covers_to)
VALUES ('s1', 'A000001', 'R001', '2025-01-10', 1200, '2025-01-10', '2026-01-09'), ('s2', 'A000001', 'R002', '2024-12-01', 300, NULL, NULL),
       ('s3', 'A000002', 'R001', '2024-11-05', 365, '2024-11-05', '2025-03-31'), ('s4', 'A000003', 'R001', '2025-02-05', -50, NULL, NULL), ('s5', NULL, 'R001', '2025-02-06', 70, NULL, NULL);
CREATE TEMP TABLE explained_sale AS
SELECT k.code, e.*
  FROM kpi k CROSS JOIN LATERAL explain_kpi(k.code, 'company', '2025-Q1') AS e
 WHERE k.family = 'customers' AND k.shown_in = 'kpi_long' OR k.code IN ('sales_amount', 'sale_count');
SELECT is_empty(
    $$SELECT code FROM explained_sale GROUP BY code
      HAVING max(numerator) FILTER (WHERE part = 'kpi') <> coalesce(sum(numerator) FILTER (WHERE part <> 'kpi'), 0)
          OR coalesce(max(denominator) FILTER (WHERE part = 'kpi'), 0) <> coalesce(sum(denominator) FILTER (WHERE part <> 'kpi'), 0)$$,
    'of sales too the items add up');
SELECT set_eq(
    $$SELECT part, item_id, numerator, denominator FROM explained_sale WHERE code = 'net_revenue_retention'$$,
    -- A000002: 57 of 147 days in 2024-Q4, 90 in 2025-Q1; A000001: 300 before, 81 of 365 days now
    $$VALUES ('kpi', 'net_revenue_retention', 266.30 + 223.47, 300 + 141.53),
             ('customer kept', 'A000001', 266.30, 300), ('customer kept', 'A000002', 223.47, 141.53)$$,
    'terms are spread over their days');
SELECT set_eq(
    $$SELECT item_id, value FROM explained_sale WHERE code = 'sales_amount' AND part <> 'kpi'$$,
    $$VALUES ('s1', 1200::numeric), ('s4', -50), ('s5', 70)$$,
    'sales are listed where there are any');
TRUNCATE sale;

-- ---------------------------------------------------------------- what is asked wrongly

CREATE FUNCTION pg_temp.hint_of(statement text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END
$$;
SELECT is(state || ' ' || message, '42704 there is no KPI "winrate"', 'an unknown KPI') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('winrate', 'company', '2025')$$);
SELECT matches(hint, '^There are: .*win_rate, win_rate_amount', 'and which there are') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('winrate', 'company', '2025')$$);
SELECT is(state || ' ' || message, '42704 there is no KPI "NULL"', 'no KPI at all') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi(NULL, 'company', '2025')$$);
SELECT is(state || ' ' || hint, '0A000 See funnel.stage_conversion_rate, and the view''s comments for what it is made of.', 'a KPI of another view')
  FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('stage_conversion_rate', 'company', '2025')$$);
SELECT is(state || ' ' || message, '42704 there is no team or rep "Nobody Knows"', 'an unknown entity') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', 'Nobody Knows', '2025')$$);
SELECT is(hint, format('Give the id: %L is the name of rep ''R001''.', name), 'who gives a name is told the id')
  FROM rep, pg_temp.hint_of(format('SELECT * FROM explain_kpi(''win_rate'', %L, ''2025'')', rep.name)) WHERE rep_id = 'R001';
SELECT is(state || ' ' || message, '42704 there is no period "2025-Q5"', 'an unknown period') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', 'company', '2025-Q5')$$);
SELECT is(hint, 'Give a label of calendar, such as 2025, 2025-Q2, 2025-05, 2025-W20, or days as 2025-04-01..2025-06-30.', 'and what one looks like')
  FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', 'company', '2025-Q5')$$);
SELECT is(state, '22023', 'days in the wrong order') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', 'company', '2025-05-31..2025-05-01')$$);
SELECT is(state || ' ' || message, '22008 period "2025-02-30" has a day that no calendar has', 'a day that is none') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', 'company', '2025-02-30')$$);
SELECT is(state || ' ' || message, '22023 KPI "open_count" is a snapshot of 2025-05-15, which is not in period 2025-Q1', 'a snapshot of another day') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('open_count', 'company', '2025-Q1')$$);
SELECT sales_perf.create_mart('bare') \gset
SELECT is(state || ' ' || message, '42704 nothing belongs to "(no rep)"', 'a snapshot of its day, of which nobody has anything')
  FROM pg_temp.hint_of($$SELECT * FROM bare.explain_kpi('open_count', '(no rep)', '2025-Q2')$$);
SELECT is(hint, 'Give a label of calendar, such as 2025, 2025-Q2, 2025-05, 2025-W20, or days as 2025-04-01..2025-06-30.', 'as it is understood, however days are shown')
  FROM pg_temp.hint_of($$SET LOCAL DateStyle = 'SQL, DMY'; SELECT * FROM explain_kpi('win_rate', 'company', '2025-Q5')$$);
SELECT is(hint, 'Give a label of calendar, such as 2025, 2025-Q1, 2025-01, or days as 2025-01-01..2025-03-31.', 'what a period looks like, where today is not in calendar')
  FROM pg_temp.hint_of($$SET LOCAL sales_perf.as_of = '2525-01-01'; SELECT * FROM explain_kpi('win_rate', 'company', '2025-Q5')$$);
SELECT is(state, '22004', 'no entity') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', NULL, '2025')$$);
SELECT is(state, '22004', 'no period') FROM pg_temp.hint_of($$SELECT * FROM explain_kpi('win_rate', 'company', NULL)$$);

-- ---------------------------------------------------------------- resolve_entity, resolve_period

INSERT INTO team (team_id, name) VALUES ('R001', 'Team of the same id'), ('company', 'A team called so'), ('rep:R002', 'Odd one');
SELECT results_eq($$SELECT * FROM resolve_entity('company')$$, $$VALUES ('company', NULL::text)$$, 'company is the company');
SELECT results_eq($$SELECT * FROM resolve_entity('team:company')$$, $$VALUES ('team', 'company')$$, 'a team of that name is reached by team:');
SELECT results_eq($$SELECT * FROM resolve_entity('R003')$$, $$VALUES ('rep', 'R003')$$, 'a rep by his id');
SELECT results_eq($$SELECT * FROM resolve_entity('rep:R001') UNION ALL SELECT * FROM resolve_entity('team:R001')$$, $$VALUES ('rep', 'R001'), ('team', 'R001')$$, 'where a team has it too, by rep: and team:');
SELECT is(state || ' ' || message || ' ' || hint, '42P08 "R001" is the id of a team and of a rep Write ''team:R001'' or ''rep:R001''.', 'and not without') FROM pg_temp.hint_of($$SELECT * FROM resolve_entity('R001')$$);
SELECT is(state, '42P08', 'an id that looks like a prefix is doubtful') FROM pg_temp.hint_of($$SELECT * FROM resolve_entity('rep:R002')$$);
SELECT results_eq($$SELECT * FROM resolve_entity('(no rep)')$$, $$VALUES ('rep', NULL::text)$$, 'nobody is (no rep)');
SELECT results_eq(
    $$SELECT r.first_day, r.last_day FROM unnest(ARRAY['2025', '2025-Q1', '2025-q1', '2025-01', '2025-W02', '2025-01-31', '2025-01-05..2025-02-03', ' 2025-01-05 .. 2025-02-03 ']) WITH ORDINALITY AS p (period, n), resolve_period(period) AS r ORDER BY n$$,
    $$VALUES (date '2025-01-01', date '2025-12-31'), ('2025-01-01', '2025-03-31'), ('2025-01-01', '2025-03-31'), ('2025-01-01', '2025-01-31'), ('2025-01-06', '2025-01-12'),
             ('2025-01-31', '2025-01-31'), ('2025-01-05', '2025-02-03'), ('2025-01-05', '2025-02-03')$$,
    'periods by their labels, days and ranges of days');

-- ---------------------------------------------------------------- as others ask

CREATE ROLE kpi_reader;
GRANT USAGE ON SCHEMA sales TO kpi_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO kpi_reader;
SET ROLE kpi_reader;
SELECT throws_ok($$SELECT * FROM explain_kpi('calls', 'company', '2025')$$, '42501', NULL, 'a relation that one may not read is not read for one');
SELECT isnt_empty($$SELECT FROM explain_kpi('win_rate', 'company', '2025')$$, 'the others are');
RESET ROLE;
GRANT SELECT ON public.call_count, public.call_made TO kpi_reader;
SET ROLE kpi_reader;
SELECT lives_ok($$SELECT * FROM explain_kpi('calls', 'company', '2025')$$, 'with the right to read it, it is');
RESET ROLE;
DROP OWNED BY kpi_reader;
DROP ROLE kpi_reader;

SELECT * FROM finish();
