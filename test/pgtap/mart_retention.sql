-- retention and cohort_retention: row by row against plain SQL (customers, periods and self-joins) on sales with gaps,
-- refunds, terms, faults and several reps to a customer; and on won deals.
SELECT plan(25);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2024-08-10';
INSERT INTO team (team_id, name, parent_team_id) VALUES ('all', 'All', NULL), ('north', 'North', 'all'), ('south', 'South', 'all'), ('idle', 'Idle', 'all');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'north'), ('cid', 'Cid', 'south'), ('dot', 'Dot', 'all'), ('eve', 'Eve', NULL), ('fay', 'Fay', 'south');
INSERT INTO account (account_id, name, segment)
SELECT 'a' || n, 'Account ' || n, (ARRAY['large', 'small', NULL])[1 + n % 3] FROM generate_series(1, 90) AS n;

-- chance by an integer hash, the same everywhere
CREATE FUNCTION pg_temp.draw(n integer, k integer) RETURNS integer
    LANGUAGE sql RETURN (hashint8extended(n, k) & 1048575)::integer;
INSERT INTO sale (sale_id, account_id, rep_id, sold_on, amount, covers_from, covers_to)
SELECT 's' || n,
       CASE WHEN pg_temp.draw(n, 1) % 30 > 0 THEN 'a' || 1 + pg_temp.draw(n, 2) % 90 END,
       (ARRAY['ann', 'bob', 'cid', 'dot', 'eve', NULL])[1 + pg_temp.draw(n, 3) % 6],
       CASE WHEN pg_temp.draw(n, 4) % 60 > 0 THEN sold_on END,
       CASE
           WHEN pg_temp.draw(n, 5) % 25 = 0 THEN NULL
           WHEN pg_temp.draw(n, 5) % 6 = 0 THEN -(pg_temp.draw(n, 6) % 90000) / 100.0
           WHEN pg_temp.draw(n, 5) % 23 = 0 THEN 0
           WHEN pg_temp.draw(n, 5) % 29 = 0 THEN (pg_temp.draw(n, 6) % 90000) / 10000.0
           ELSE (pg_temp.draw(n, 6) % 90000) / 100.0
       END,
       CASE term WHEN 0 THEN sold_on WHEN 1 THEN sold_on + 10 WHEN 2 THEN date_trunc('month', sold_on)::date WHEN 3 THEN sold_on WHEN 4 THEN NULL WHEN 5 THEN sold_on WHEN 6 THEN sold_on END,
       CASE term WHEN 0 THEN sold_on + 364 WHEN 1 THEN sold_on + 40 WHEN 2 THEN (date_trunc('month', sold_on) + interval '3 months')::date - 1
                 WHEN 3 THEN sold_on - 5 WHEN 4 THEN sold_on + 100 WHEN 5 THEN 'infinity' WHEN 6 THEN sold_on + 90000 END
  FROM (SELECT n, pg_temp.draw(n, 7) % 60 AS term,
               date '2022-02-15' + pg_temp.draw(n, 8) % 960 AS sold_on
          FROM generate_series(1, 900) AS n) AS drawn;

-- ---------------------------------------------------------------- what a customer bought in a period, said anew

CREATE TEMP TABLE part AS
WITH bought AS (
    SELECT *, coalesce(covers_to >= covers_from AND isfinite(covers_from) AND isfinite(covers_to) AND covers_to - covers_from < 73000, false) AS has_term
      FROM sale
     WHERE sold_on <= '2024-08-10' AND account_id IS NOT NULL
)
SELECT grain, rep_id, account_id, date_trunc(grain, sold_on)::date AS period_start, amount, amount IS NULL AS is_unpriced, false AS is_covered
  FROM bought, unnest(ARRAY['month', 'quarter', 'year']) AS grain
 WHERE NOT has_term
UNION ALL
SELECT grain, rep_id, account_id, first_day::date,
       round(amount * (least(covers_to, (first_day + width)::date - 1) - covers_from + 1) / (covers_to - covers_from + 1), greatest(2, scale(amount)))
       - round(amount * greatest(0, first_day::date - covers_from) / (covers_to - covers_from + 1), greatest(2, scale(amount))),
       false, true
  FROM bought
 CROSS JOIN (VALUES ('month', interval '1 month'), ('quarter', '3 months'), ('year', '1 year')) AS g (grain, width)
 CROSS JOIN LATERAL generate_series(date_trunc(grain, covers_from::timestamp), covers_to, width) AS first_day
 WHERE has_term;
SELECT cmp_ok(count(*), '>', 100::bigint, 'there are terms') FROM part WHERE is_covered;
SELECT results_eq(
    $$SELECT grain, sum(amount) FROM part GROUP BY 1 ORDER BY 1$$,
    $$SELECT grain, (SELECT sum(amount) FROM sale WHERE sold_on <= '2024-08-10' AND account_id IS NOT NULL) FROM (VALUES ('month'), ('quarter'), ('year')) AS g (grain)$$,
    'spread amounts add up');

CREATE TEMP TABLE activity AS
WITH keyed AS (
    SELECT 'company' AS level, '-' AS key, part.* FROM part
    UNION ALL
    SELECT 'team', team_id, part.* FROM part JOIN team_rep USING (rep_id)
    UNION ALL
    SELECT 'rep', coalesce(rep_id, '(no rep)'), part.* FROM part
    UNION ALL
    SELECT 'segment', coalesce(segment, '(no segment)'), part.* FROM part JOIN account USING (account_id)
)
SELECT level, key, grain, account_id, period_start, coalesce(sum(amount), 0) AS amount,
       bool_or(is_covered) OR coalesce(sum(amount), 0) > 0 OR coalesce(sum(amount), 0) = 0 AND bool_or(is_unpriced) AS is_active
  FROM keyed
 GROUP BY 1, 2, 3, 4, 5;
CREATE TEMP TABLE customer AS
SELECT level, key, grain, account_id, min(period_start) AS cohort_start FROM activity WHERE is_active GROUP BY 1, 2, 3, 4;
CREATE TEMP TABLE span AS
SELECT level, key, grain, day::date AS period_start, (day - width)::date AS prior_start
  FROM (SELECT level, key, grain, min(cohort_start) AS first_start FROM customer GROUP BY 1, 2, 3) AS k
  JOIN (VALUES ('month', interval '1 month'), ('quarter', '3 months'), ('year', '1 year')) AS g (grain, width) USING (grain)
 CROSS JOIN LATERAL generate_series(first_start::timestamp, '2024-08-10', width) AS day;

CREATE TEMP TABLE plain AS
SELECT s.level, s.key, s.grain, s.period_start,
       count(before.account_id) AS starting_count,
       count(*) FILTER (WHERE before.account_id IS NOT NULL AND now_.is_active) AS retained_count,
       count(before.account_id) - count(*) FILTER (WHERE before.account_id IS NOT NULL AND now_.is_active) AS churned_count,
       count(*) FILTER (WHERE c.cohort_start = s.period_start) AS new_count,
       count(*) FILTER (WHERE now_.is_active AND before.account_id IS NULL AND c.cohort_start < s.period_start) AS reactivated_count,
       count(*) FILTER (WHERE now_.is_active) AS active_count,
       coalesce(sum(before.amount), 0) AS starting_amount,
       coalesce(sum(least(before.amount, coalesce(now_.amount, 0))) FILTER (WHERE before.account_id IS NOT NULL), 0) AS kept_amount,
       coalesce(sum(now_.amount) FILTER (WHERE before.account_id IS NOT NULL), 0) AS current_amount
  FROM span s
  JOIN customer c USING (level, key, grain)
  LEFT JOIN activity before ON (before.level, before.key, before.grain, before.account_id, before.period_start) = (s.level, s.key, s.grain, c.account_id, s.prior_start) AND before.is_active
  LEFT JOIN activity now_ ON (now_.level, now_.key, now_.grain, now_.account_id, now_.period_start) = (s.level, s.key, s.grain, c.account_id, s.period_start)
 GROUP BY 1, 2, 3, 4;

CREATE TEMP VIEW shown AS
SELECT CASE r.level WHEN 'company' THEN '-' WHEN 'team' THEN team_id WHEN 'rep' THEN coalesce(rep_id, rep_name) ELSE segment END AS key, r.*
  FROM retention r;

SELECT set_eq(
    'SELECT level, key, grain, period_start, starting_count, retained_count, churned_count, new_count, reactivated_count, active_count FROM shown',
    'SELECT level, key, grain, period_start, starting_count, retained_count, churned_count, new_count, reactivated_count, active_count FROM plain',
    'customers of each level, grain and period: starting, retained, churned, new, reactivated');
SELECT set_eq(
    'SELECT level, key, grain, period_start, starting_amount, kept_amount, current_amount FROM shown',
    'SELECT level, key, grain, period_start, starting_amount, kept_amount, current_amount FROM plain',
    'and their amounts');
SELECT cmp_ok(count(*), '>', 400::bigint, 'which are many') FROM shown;
SELECT cmp_ok(min(n), '>', 30::bigint, 'with customers of every kind')
  FROM (SELECT unnest(ARRAY[sum(retained_count), sum(churned_count), sum(new_count), sum(reactivated_count)])::bigint AS n FROM plain WHERE level = 'company' AND grain = 'month') AS k;
SELECT is_empty(
    $$SELECT FROM retention
      WHERE customer_retention_rate IS DISTINCT FROM CASE WHEN starting_count > 0 THEN retained_count::double precision / starting_count END
         OR churn_rate IS DISTINCT FROM 1 - customer_retention_rate
         OR (abs(gross_revenue_retention - kept_amount / nullif(starting_amount, 0)::double precision) > 1e-12)
         OR (abs(net_revenue_retention - current_amount / nullif(starting_amount, 0)::double precision) > 1e-12)
         OR (gross_revenue_retention IS NULL) <> (starting_amount <= 0)
         OR (net_revenue_retention IS NULL) <> (starting_amount <= 0)
         OR gross_revenue_retention > 1 + 1e-12 OR gross_revenue_retention > net_revenue_retention + 1e-12$$,
    'rates are over what was there before');
SELECT is_empty(
    $$SELECT FROM shown r JOIN shown before ON (before.level, before.key, before.grain) = (r.level, r.key, r.grain) AND before.period_end = r.period_start - 1
      WHERE r.starting_count <> before.active_count$$,
    'who is active starts the next period');
SELECT set_eq($$SELECT grain, period_start, period_end, period_label, is_complete FROM retention WHERE level = 'company'$$,
              $$SELECT grain, period_start, period_end, period_label, is_complete FROM period WHERE period_start >= (SELECT min(c.cohort_start) FROM customer c WHERE c.level = 'company' AND c.grain = period.grain)$$,
              'periods are those of the other views');
SELECT cmp_ok(sum(new_count), '>', (SELECT sum(new_count) FROM retention WHERE level = 'company' AND grain = 'month'), 'a customer of several reps is one of the company') FROM retention WHERE level = 'rep' AND grain = 'month';
SELECT is(sum(new_count), (SELECT count(*) FROM customer WHERE level = 'company' AND grain = 'month')::numeric, 'who is new once') FROM retention WHERE level = 'company' AND grain = 'month';
SELECT is(count(*), 0::bigint, 'a team without sales has no row') FROM retention WHERE team_id = 'idle' AND level = 'team';
SELECT is(max(team_name), 'North', 'a rep stands with the team') FROM retention WHERE level = 'rep' AND rep_id = 'ann';

-- ---------------------------------------------------------------- cohorts

CREATE TEMP TABLE plain_cell AS
SELECT c.level, c.key, c.grain, c.cohort_start, s.period_start,
       count(*) AS customer_count,
       count(*) FILTER (WHERE a.is_active) AS active_count,
       coalesce(sum(a.amount), 0) AS amount
  FROM customer c
  JOIN span s ON (s.level, s.key, s.grain) = (c.level, c.key, c.grain) AND s.period_start >= c.cohort_start
  LEFT JOIN activity a ON (a.level, a.key, a.grain, a.account_id, a.period_start) = (c.level, c.key, c.grain, c.account_id, s.period_start)
 GROUP BY 1, 2, 3, 4, 5;
CREATE TEMP VIEW shown_cell AS
SELECT CASE r.level WHEN 'company' THEN '-' WHEN 'team' THEN team_id WHEN 'rep' THEN coalesce(rep_id, rep_name) ELSE segment END AS key,
       (r.cohort_start + r.periods_since * CASE grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END)::date AS period_start,
       r.*
  FROM cohort_retention r;
SELECT set_eq(
    'SELECT level, key, grain, cohort_start, period_start, customer_count, active_count, amount FROM shown_cell WHERE is_complete',
    $$SELECT c.level, c.key, c.grain, c.cohort_start, c.period_start, c.customer_count, c.active_count, c.amount
        FROM plain_cell c
       WHERE period_start + CASE grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END <= '2024-08-11'$$,
    'the cohort matrix: customers, active ones and amounts of every complete cell');
SELECT cmp_ok(count(*), '>', 3000::bigint, 'which are many') FROM shown_cell WHERE is_complete;
SELECT is_empty(
    $$SELECT FROM cohort_retention
      WHERE (active_count IS NULL) <> NOT is_complete OR (amount IS NULL) <> NOT is_complete
         OR cohort_retention_rate IS DISTINCT FROM active_count::double precision / customer_count
         OR periods_since = 0 AND is_complete AND cohort_retention_rate <> 1$$,
    'cells that are not over are NULL; all are active in their first period');
SELECT is_empty($$SELECT FROM shown_cell WHERE is_complete <> (period_start + CASE grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END <= '2024-08-11')$$, 'which are those of periods that are not');
SELECT is_empty($$SELECT FROM cohort_retention WHERE cohort_label <> to_char(cohort_start, CASE grain WHEN 'month' THEN 'YYYY-MM' WHEN 'quarter' THEN 'YYYY-"Q"Q' ELSE 'YYYY' END)$$, 'cohorts have the labels of periods');

-- ---------------------------------------------------------------- as of an earlier day, a filter, and deals

SET sales_perf.as_of = '2023-06-30';
SELECT results_eq(
    $$SELECT starting_count, retained_count, new_count, is_complete FROM retention WHERE level = 'company' AND grain = 'quarter' AND period_label = '2023-Q2'$$,
    $$WITH early AS (
          SELECT account_id, date_trunc('quarter', d)::date AS q
            FROM (SELECT account_id, sold_on AS d, amount, false AS term FROM sale
                   WHERE sold_on <= '2023-06-30' AND account_id IS NOT NULL AND (covers_from IS NULL OR covers_to IS NULL OR NOT isfinite(covers_to) OR covers_to < covers_from OR covers_to - covers_from > 80000)
                  UNION ALL
                  SELECT account_id, greatest(covers_from, day::date), NULL, true FROM sale, generate_series(date_trunc('quarter', covers_from::timestamp), covers_to, '3 months') AS day
                   WHERE sold_on <= '2023-06-30' AND account_id IS NOT NULL AND isfinite(covers_to) AND covers_to >= covers_from AND covers_to - covers_from < 73000) AS x
           GROUP BY 1, 2
          HAVING bool_or(term) OR coalesce(sum(amount), 0) > 0 OR coalesce(sum(amount), 0) = 0 AND bool_or(amount IS NULL))
      SELECT (SELECT count(*) FROM early WHERE q = '2023-01-01'),
             (SELECT count(*) FROM early AS a JOIN early AS b USING (account_id) WHERE a.q = '2023-01-01' AND b.q = '2023-04-01'),
             (SELECT count(*) FROM (SELECT account_id FROM early GROUP BY 1 HAVING min(q) = '2023-04-01') AS n),
             true$$,
    'as of an earlier day nothing sold later counts, and a period ends with its last day');
SET sales_perf.as_of = '2024-08-10';

\ir fixture/rows_read.sql
ANALYZE;
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT * FROM retention WHERE level = 'company' AND grain = 'month'$$), '<=', 902::bigint, 'one grain of one level reads the sales once');
SELECT cmp_ok(pg_temp.rows_read('sale', $$SELECT * FROM cohort_retention WHERE level = 'rep' AND grain = 'year' AND rep_id = 'cid'$$), '<=', (SELECT count(*) + 5 FROM sale WHERE rep_id = 'cid'), 'and a rep''s, the rep''s');

DELETE FROM sale;
SET search_path = sales, public;
SELECT is_empty('TABLE retention', 'without sales and deals there is nothing');
INSERT INTO deal (deal_id, account_id, rep_id, amount, opened_on, closed_on, outcome)
VALUES ('d1', 'a1', 'ann', 100, '2024-01-01', '2024-01-20', 'won'), ('d2', 'a1', 'ann', 150, '2024-01-01', '2024-02-20', 'won'),
       ('d3', 'a2', 'ann', 50, '2024-01-01', '2024-01-31', 'won'), ('d4', 'a2', 'bob', 20, '2024-01-01', '2024-02-01', 'lost'),
       ('d5', 'a2', 'ann', 70, '2024-01-01', '2024-03-01', 'won'), ('d6', 'a3', 'bob', 10, '2024-01-01', NULL, 'open'),
       ('d7', NULL, 'bob', 10, '2024-01-01', '2024-03-01', 'won');
SELECT results_eq(
    $$SELECT period_label, starting_count, retained_count, churned_count, new_count, reactivated_count, starting_amount, kept_amount, current_amount, net_revenue_retention
      FROM retention WHERE level = 'company' AND grain = 'month' AND period_start < '2024-05-01' ORDER BY 1$$,
    $$VALUES ('2024-01', 0::bigint, 0::bigint, 0::bigint, 2::bigint, 0::bigint, 0::numeric, 0::numeric, 0::numeric, NULL::double precision),
             ('2024-02', 2, 1, 1, 0, 0, 150, 100, 150, 1),
             ('2024-03', 1, 0, 1, 0, 1, 150, 0, 0, 0),
             ('2024-04', 1, 0, 1, 0, 0, 70, 0, 0, 0)$$,
    'without sales the won deals are what customers bought');
SELECT is(count(DISTINCT rep_id), 1::bigint, 'of the reps who won them, for somebody') FROM retention WHERE level = 'rep';
SELECT results_eq(
    $$SELECT cohort_label, periods_since, customer_count, active_count, amount FROM cohort_retention WHERE level = 'segment' AND segment = 'small' AND grain = 'quarter' ORDER BY 1, 2$$,
    $$VALUES ('2024-Q1', 0, 1::bigint, 1::bigint, 250::numeric), ('2024-Q1', 1, 1, 0, 0), ('2024-Q1', 2, 1, NULL, NULL)$$,
    'and of their segment');

SELECT * FROM finish();
