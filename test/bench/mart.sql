-- A mart for the benchmark: 200 reps in 20 teams of four regions; deals opened over four years up to today, of
-- accounts of whom a third pay in a second currency with a rate for each month; a tenth of the deals open, 43 % won; one
-- deal in thirty split; the stages they went through (four events a deal); quotas, and 225 goals of the quarter. No
-- changes of the past. Deterministic, as deals.sql, but for the day. The psql variable deals is how many;
-- a fifth as many, 1,000,000 at most, wait in the table incoming to be loaded.
--
-- The rows fit together by construction, so no trigger looks at them, nor at foreign keys; indexes come afterwards.

SET client_min_messages = warning;
SET search_path = public;
CREATE EXTENSION sales_perf;
SELECT sales_perf.create_mart('mart');
SET search_path = mart, public;

CREATE TEMPORARY TABLE load_table AS
SELECT unnest('{team,rep,account,deal,stage_event,deal_credit}'::regclass[]) AS table_id;
CREATE TEMPORARY TABLE load_index AS
SELECT i.indexrelid::regclass::text AS name,
       pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index AS i
  JOIN load_table AS t ON t.table_id = i.indrelid
 WHERE NOT i.indisunique;
SELECT format('ALTER TABLE %s DISABLE TRIGGER ALL', table_id) FROM load_table
UNION ALL
SELECT format('DROP INDEX %s', name) FROM load_index
\gexec

-- ---------------------------------------------------------------- who, to whom, how

SELECT set_reporting_currency('USD');
INSERT INTO fx_rate (currency, valid_from, rate)
SELECT 'EUR', (date_trunc('month', current_date::timestamp) - make_interval(months => n))::date, 1.04 + (n * 7 % 11) * 0.01
  FROM generate_series(0, 50) AS n;

INSERT INTO stage (stage_no, stage_id, name, is_open, default_chance)
VALUES (1, 'prospect', 'Prospect', true, 0.1), (2, 'qualified', 'Qualified', true, 0.25), (3, 'proposal', 'Proposal', true, 0.5),
       (4, 'negotiation', 'Negotiation', true, 0.75), (5, 'won', 'Won', false, 1), (6, 'lost', 'Lost', false, 0);

INSERT INTO team (team_id, name, parent_team_id)
SELECT 'region ' || n, 'Region ' || n, NULL FROM generate_series(1, 4) AS n
UNION ALL
SELECT 'team ' || n, 'Team ' || n, 'region ' || 1 + n % 4 FROM generate_series(1, 20) AS n;

INSERT INTO rep (rep_id, name, team_id, hired_on)
SELECT 'R' || to_char(n, 'FM000'), 'Rep ' || n, 'team ' || 1 + n % 20, current_date - 2000
  FROM generate_series(1, 200) AS n;

INSERT INTO account (account_id, name, segment, owner_rep_id)
SELECT 'A' || to_char(n, 'FM0000000'), 'Account ' || n, (ARRAY['enterprise', 'mid-market', 'small business'])[1 + n * 7 % 3], 'R' || to_char(1 + n % 200, 'FM000')
  FROM generate_series(0, greatest(20, :deals / 12) - 1) AS n;

-- ---------------------------------------------------------------- deals

CREATE UNLOGGED TABLE story AS
WITH drawn AS (
	SELECT i,
	       1461 * i / :deals AS day_no,
	       (hashint8extended(i, 21) & 1048575) / 1048576.0::float8 AS for_life,
	       (hashint8extended(i, 22) & 1048575) / 1048576.0::float8 AS for_outcome,
	       (hashint8extended(i, 23) & 1048575)::integer AS rep_draw,
	       (hashint8extended(i, 24) & 1048575)::integer AS account_draw,
	       (hashint8extended(i, 25) & 1048575)::integer AS stage_draw,
	       (hashint8extended(i, 26) & 1048575)::integer AS split_draw,
	       (hashint8extended(i, 27) & 1048575) / 1048576.0::float8
	       + (hashint8extended(i, 28) & 1048575) / 1048576.0::float8
	       + (hashint8extended(i, 29) & 1048575) / 1048576.0::float8 AS for_amount
	  FROM generate_series(0::bigint, :deals + least(1000000, :deals / 5) - 1) AS i
), course AS (
	SELECT i,
	       -- what is loaded later is spread over the last year
	       current_date - CASE WHEN i < :deals THEN 1460 - day_no ELSE i % 365 END::integer AS opened_on,
	       5 + (for_life * for_life * 240)::integer AS full_days,
	       -- better reps win more
	       for_outcome < 0.35 + 0.2 * (rep_draw % 200) / 200 AS is_won,
	       -- one in twenty is never brought to an end
	       stage_draw % 20 = 0 AS is_forgotten,
	       stage_draw / 20 % 4 + 1 AS furthest,
	       1 + rep_draw % 200 AS rep_no,
	       account_draw % greatest(20, :deals / 12) AS account_no,
	       split_draw % 30 = 0 AS is_split,
	       round(exp(7 + 2 * (for_amount - 1.5))::numeric, 2) AS amount
	  FROM drawn
)
SELECT i,
       'D' || to_char(i, 'FM00000000') AS deal_id,
       opened_on,
       full_days,
       CASE
           WHEN is_forgotten OR opened_on + full_days > current_date THEN 'open'
           WHEN is_won THEN 'won'
           ELSE 'lost'
       END AS outcome,
       -- its last open stage by today
       least(CASE WHEN is_won AND NOT is_forgotten THEN 4 ELSE furthest END,
             1 + width_bucket((current_date - opened_on)::float8 / full_days, ARRAY[0.15, 0.4, 0.75])) AS stage_no,
       rep_no,
       account_no,
       is_split,
       amount
  FROM course;

CREATE VIEW story_deal AS
SELECT s.i,
       s.deal_id,
       'Deal ' || s.i AS name,
       'A' || to_char(s.account_no, 'FM0000000') AS account_id,
       'R' || to_char(s.rep_no, 'FM000') AS rep_id,
       CASE s.outcome
           WHEN 'open' THEN (ARRAY['prospect', 'qualified', 'proposal', 'negotiation'])[s.stage_no]
           ELSE s.outcome
       END AS stage_id,
       s.amount,
       CASE s.account_no % 3 WHEN 0 THEN 'EUR' ELSE 'USD' END AS currency,
       s.opened_on,
       s.opened_on + s.full_days AS expected_close_on,
       CASE WHEN s.outcome <> 'open' THEN s.opened_on + s.full_days END AS closed_on,
       s.outcome,
       CASE WHEN s.outcome = 'lost' THEN 'price' END AS lost_reason,
       CASE WHEN s.outcome = 'open' THEN (ARRAY['pipeline', 'pipeline', 'best case', 'commit'])[s.stage_no] END AS forecast_category,
       CASE
           WHEN s.outcome = 'open'
           THEN s.opened_on + (s.full_days * (ARRAY[0, 0.15, 0.4, 0.75])[s.stage_no])::integer
       END AS stage_entered_on,
       (s.opened_on + time '09:00')::timestamptz AS recorded_at
  FROM story AS s;

INSERT INTO deal (deal_id, name, account_id, rep_id, stage_id, amount, currency, opened_on, expected_close_on,
                  closed_on, outcome, lost_reason, forecast_category, stage_entered_on, recorded_at)
SELECT deal_id, name, account_id, rep_id, stage_id, amount, currency, opened_on, expected_close_on,
       closed_on, outcome, lost_reason, forecast_category, stage_entered_on, recorded_at
  FROM story_deal
 WHERE i < :deals
 ORDER BY i;

CREATE TABLE public.incoming AS
SELECT *
  FROM story_deal
 WHERE i >= :deals
 ORDER BY i;

INSERT INTO stage_event (deal_id, stage_id, entered_on, entered_at)
SELECT s.deal_id,
       (ARRAY['prospect', 'qualified', 'proposal', 'negotiation', 'won', 'lost'])[e.stage_no],
       e.entered_on,
       (e.entered_on + time '09:00' + e.stage_no * interval '1 hour')::timestamptz
  FROM story AS s
 CROSS JOIN LATERAL (SELECT n AS stage_no,
                            s.opened_on + (s.full_days * (ARRAY[0, 0.15, 0.4, 0.75])[n])::integer AS entered_on
                       FROM generate_series(1, s.stage_no) AS n
                     UNION ALL
                     SELECT CASE s.outcome WHEN 'won' THEN 5 ELSE 6 END, s.opened_on + s.full_days
                      WHERE s.outcome <> 'open') AS e
 WHERE s.i < :deals
 ORDER BY s.i;

INSERT INTO deal_credit (deal_id, rep_id, share)
SELECT s.deal_id, 'R' || to_char(c.rep_no, 'FM000'), c.share
  FROM story AS s
 CROSS JOIN LATERAL (VALUES (s.rep_no, 0.6), (1 + s.rep_no % 200, 0.4)) AS c (rep_no, share)
 WHERE s.i < :deals
   AND s.is_split;

DROP TABLE story CASCADE;
SELECT format('ALTER TABLE %s ENABLE TRIGGER ALL', table_id) FROM load_table
UNION ALL
SELECT definition FROM load_index
\gexec

-- ---------------------------------------------------------------- quotas and goals

CREATE TEMPORARY TABLE this_quarter AS
SELECT fiscal_quarter_start AS first_day, fiscal_quarter_end AS last_day
  FROM calendar
 WHERE region = ''
   AND on_date = current_date;

INSERT INTO quota (level, rep_id, first_day, last_day, amount)
SELECT 'rep', r.rep_id, y.fiscal_year_start, y.fiscal_year_end, greatest(1000, round(:deals / 200 * 150, -2))
  FROM rep AS r
 CROSS JOIN (SELECT DISTINCT fiscal_year_start, fiscal_year_end
               FROM calendar
              WHERE region = ''
                AND on_date BETWEEN current_date - 1460 AND current_date) AS y;

INSERT INTO goal (goal_id, name, level, team_id, rep_id, kpi_code, baseline, target, first_day, last_day, reason)
SELECT owner.kind || coalesce(owner.team_id, owner.rep_id, ''), 'Bookings of the quarter', owner.kind, owner.team_id, owner.rep_id, 'bookings_amount', 0,
       round(greatest(1000, :deals / 200 * 40) * owner.reps), q.first_day, q.last_day, 'The plan for the year'
  FROM (SELECT 'company' AS kind, NULL AS team_id, NULL AS rep_id, 200 AS reps
        UNION ALL
        SELECT 'team', team_id, NULL, CASE WHEN parent_team_id IS NULL THEN 50 ELSE 10 END FROM team
        UNION ALL
        SELECT 'rep', NULL, rep_id, 1 FROM rep) AS owner
 CROSS JOIN this_quarter AS q;

VACUUM (ANALYZE);
