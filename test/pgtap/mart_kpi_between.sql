-- kpi_between: every KPI against plain SQL over the tables, for ranges that are no periods, on a mart with two currencies, one
-- of them without a rate for a while, teams that reps moved between, split deals, overlays, deals of nobody and faults.
SELECT plan(26);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 4000, 7) \gset
-- whatever the demo has of these
DELETE FROM deal_credit;
DELETE FROM team_membership;
DELETE FROM fx_rate;
DELETE FROM mart_setting;
UPDATE deal SET currency = NULL WHERE currency IS NOT NULL;
INSERT INTO rep (rep_id, name, team_id) VALUES ('R999', 'Nobody''s Friend', NULL);
SELECT set_reporting_currency('EUR') \gset
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('USD', '2023-01-01', 0.9), ('USD', '2025-03-01', 0.85), ('GBP', '2025-03-20', 1.2);
UPDATE deal
   SET currency = (ARRAY['USD', 'GBP', 'EUR'])[1 + (hashint8extended(substr(deal_id, 2)::integer, 1) & 1023)::integer % 3]
 WHERE (hashint8extended(substr(deal_id, 2)::integer, 2) & 1023) % 2 = 0;
UPDATE deal SET rep_id = NULL WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY closed_on DESC NULLS LAST, deal_id LIMIT 30);
UPDATE deal SET amount = NULL WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY deal_id DESC LIMIT 5);
UPDATE lead SET rep_id = NULL WHERE (hashint8extended(substr(lead_id, 2)::integer, 3) & 1023) % 40 = 0;
DELETE FROM deal_change WHERE changed_at >= '2025-05-16';
BEGIN;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay)
SELECT deal_id, c.rep_id, c.share, c.is_overlay
  FROM deal
 CROSS JOIN (VALUES ('R003', 0.3, false), ('R005', 0.7, false), ('R006', 0.25, true)) AS c (rep_id, share, is_overlay)
 WHERE (hashint8extended(substr(deal_id, 2)::integer, 4) & 1023) % 10 = 0;
COMMIT;
SELECT move_rep('R001', (SELECT min(team_id) FROM team WHERE team_id <> (SELECT team_id FROM rep WHERE rep_id = 'R001') AND parent_team_id IS NOT NULL), '2025-03-10') \gset
SELECT move_rep('R002', NULL, '2025-02-20') \gset

-- by day in the session's time zone: late on the day before in UTC; of nobody; after as_of()
SET timezone = 'Europe/Berlin';
INSERT INTO activity (activity_id, rep_id, kind, happened_at)
SELECT 'A' || n, (ARRAY['R001', 'R002', 'R003', 'R004', NULL])[1 + n % 5], 'call', timestamptz '2024-06-01 22:30+00' + n * interval '11 hours' FROM generate_series(1, 900) AS n;

-- ---------------------------------------------------------------- the same, said anew

CREATE TEMP TABLE span AS
SELECT * FROM (VALUES (date '2025-02-11', date '2025-04-03', date '2024-12-21'), ('2025-01-01', '2025-03-31', '2024-10-01'),
                      ('2025-05-01', '2025-05-31', '2025-04-01'), ('2024-06-05', '2025-06-04', '2023-06-06'), ('2025-03-10', '2025-03-10', '2025-03-09'))
           AS s (first_day, last_day, prior_first_day);

-- who belongs to which teams, day by day
CREATE TEMP TABLE team_day AS
WITH RECURSIVE up AS (
    SELECT r.rep_id, day::date AS day,
           CASE WHEN EXISTS (SELECT FROM team_membership m WHERE m.rep_id = r.rep_id)
                THEN (SELECT m.team_id FROM team_membership m WHERE m.rep_id = r.rep_id AND m.valid @> day::date)
                ELSE r.team_id END AS team_id
      FROM rep r, generate_series(timestamp '2023-06-01', '2025-06-30', '1 day') AS day
    UNION ALL
    SELECT up.rep_id, up.day, t.parent_team_id FROM up JOIN team t ON t.team_id = up.team_id WHERE t.parent_team_id IS NOT NULL
)
SELECT team_id, rep_id, day FROM up WHERE team_id IS NOT NULL;
CREATE INDEX ON team_day (rep_id, day);

CREATE TEMP TABLE money AS
SELECT d.*,
       amount * CASE
                    WHEN currency IS NULL OR currency = 'EUR' THEN 1
                    ELSE (SELECT rate FROM fx_rate f WHERE f.currency = d.currency
                                                       AND valid_from <= CASE WHEN outcome = 'open' THEN date '2025-05-15' ELSE closed_on END
                           ORDER BY valid_from DESC LIMIT 1)
                END AS eur
  FROM deal d;

-- what a row adds: to which KPI, when, whose
CREATE TEMP TABLE fact AS
SELECT code, closed_on AS day, rep_id, numerator, denominator, n
  FROM money
 CROSS JOIN LATERAL (VALUES
       ('won_count', (outcome = 'won')::integer::numeric, 0::numeric, (outcome = 'won')::integer),
       ('lost_count', (outcome = 'lost')::integer, 0, (outcome = 'lost')::integer),
       ('closed_count', 1, 0, 1),
       ('win_rate', (outcome = 'won')::integer, 1, 1),
       ('win_rate_amount', CASE WHEN outcome = 'won' THEN coalesce(eur, 0) ELSE 0 END, coalesce(eur, 0), 1),
       ('lost_amount', CASE WHEN outcome = 'lost' THEN coalesce(eur, 0) ELSE 0 END, 0, (outcome = 'lost')::integer),
       ('average_deal_amount', CASE WHEN outcome = 'won' THEN eur END, (outcome = 'won' AND eur IS NOT NULL)::integer, (outcome = 'won' AND eur IS NOT NULL)::integer),
       ('cycle_average_days', CASE WHEN outcome = 'won' AND closed_on >= opened_on THEN closed_on - opened_on END,
        coalesce((outcome = 'won' AND closed_on >= opened_on)::integer, 0), coalesce((outcome = 'won' AND closed_on >= opened_on)::integer, 0))
       ) AS v (code, numerator, denominator, n)
 WHERE outcome <> 'open'
UNION ALL
SELECT code, opened_on, rep_id, numerator, denominator, n
  FROM money
 CROSS JOIN LATERAL (VALUES
       ('created_count', 1::numeric, 0::numeric, 1),
       ('created_won_count', (outcome = 'won')::integer, 0, (outcome = 'won')::integer),
       ('created_win_rate', (outcome = 'won')::integer, 1, 1),
       ('pipeline_created_amount', coalesce(eur, 0), 0, 1)) AS v (code, numerator, denominator, n)
UNION ALL
SELECT 'bookings_amount', closed_on, coalesce(c.rep_id, m.rep_id), coalesce(eur * coalesce(c.share, 1), 0), 0, 1
  FROM money m LEFT JOIN deal_credit c ON c.deal_id = m.deal_id AND NOT c.is_overlay
 WHERE outcome = 'won'
UNION ALL
SELECT 'overlay_amount', closed_on, c.rep_id, coalesce(eur * c.share, 0), 0, 1
  FROM money m JOIN deal_credit c ON c.deal_id = m.deal_id AND c.is_overlay
 WHERE outcome = 'won'
UNION ALL
SELECT code, closed_on, rep_id, numerator, 0, 1
  FROM money CROSS JOIN LATERAL (VALUES ('sales_amount', coalesce(eur, 0)), ('sale_count', 1)) AS v (code, numerator)
 WHERE outcome = 'won'
UNION ALL
SELECT code, date '2025-05-15', rep_id, numerator, 0, 1
  FROM money CROSS JOIN LATERAL (VALUES ('open_count', 1::numeric), ('pipeline_amount', coalesce(eur, 0))) AS v (code, numerator)
 WHERE outcome = 'open' AND (opened_on <= '2025-05-15' OR opened_on IS NULL)
UNION ALL
SELECT code, created_on, rep_id, numerator, denominator, n
  FROM lead
 CROSS JOIN LATERAL (VALUES
       ('lead_count', 1::numeric, 0::numeric, 1),
       ('lead_converted_count', (converted_on IS NOT NULL)::integer, 0, (converted_on IS NOT NULL)::integer),
       ('lead_conversion_rate', (converted_on IS NOT NULL)::integer, 1, 1)) AS v (code, numerator, denominator, n)
UNION ALL
SELECT 'activity_count', (happened_at AT TIME ZONE 'Europe/Berlin')::date, rep_id, 1, 0, 1
  FROM activity
 WHERE happened_at < '2025-05-16 00:00+02';

CREATE TEMP TABLE entity_fact AS
SELECT 'company' AS level, NULL::text AS entity_id, fact.* FROM fact
UNION ALL
SELECT 'rep', rep_id, fact.* FROM fact
UNION ALL
SELECT 'team', t.team_id, fact.* FROM fact JOIN team_day t USING (rep_id, day);

CREATE TEMP TABLE expected AS
SELECT s.first_day, s.last_day, f.level, f.entity_id, f.code, coalesce(sum(f.numerator), 0) AS numerator, coalesce(sum(f.denominator), 0) AS denominator, sum(f.n) AS n
  FROM span s JOIN entity_fact f ON f.day BETWEEN s.first_day AND s.last_day
 GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT s.first_day, s.last_day, f.level, f.entity_id, 'sales_growth',
       sum(CASE WHEN day < first_day THEN -numerator ELSE numerator END), coalesce(sum(numerator) FILTER (WHERE day < first_day), 0), count(*) FILTER (WHERE day >= first_day)
  FROM span s JOIN entity_fact f ON f.code = 'bookings_amount' AND f.day BETWEEN s.prior_first_day AND s.last_day
 GROUP BY 1, 2, 3, 4;

CREATE TEMP TABLE got AS
SELECT s.first_day, s.last_day, k.* FROM span s CROSS JOIN LATERAL kpi_between(s.first_day, s.last_day) k;

SELECT cmp_ok(count(*), '>', 1500::bigint, 'there is something to compare') FROM expected;
SELECT is_empty(
    $$SELECT g.first_day, g.level, g.entity_id, g.kpi_code, g.numerator, e.numerator, g.denominator, e.denominator, g.sample_count, e.n
        FROM got g
        JOIN kpi r ON r.code = g.kpi_code AND r.kind IN ('sum', 'ratio')
        LEFT JOIN expected e ON e.first_day = g.first_day AND e.level = g.level AND coalesce(e.entity_id, '-') = coalesce(g.entity_id, '-') AND e.code = g.kpi_code
       WHERE (g.numerator IS DISTINCT FROM coalesce(e.numerator, 0)
              OR r.kind = 'ratio' AND g.denominator IS DISTINCT FROM coalesce(e.denominator, 0)
              OR r.kind = 'sum' AND g.denominator IS NOT NULL
              OR g.sample_count IS DISTINCT FROM coalesce(e.n, 0))
         AND g.kpi_code NOT IN (SELECT code FROM kpi WHERE family = 'customers')$$,
    'numerator, denominator and n of every sum and ratio are those of plain SQL');
SELECT is_empty(
    $$SELECT e.* FROM expected e
       WHERE NOT EXISTS (SELECT FROM got g WHERE g.first_day = e.first_day AND g.level = e.level AND coalesce(g.entity_id, '-') = coalesce(e.entity_id, '-') AND g.kpi_code = e.code)
         AND NOT (e.code IN ('open_count', 'pipeline_amount') AND '2025-05-15' NOT BETWEEN e.first_day AND e.last_day)$$,
    'nothing is missing');
SELECT is_empty(
    $$SELECT g.* FROM got g JOIN kpi r ON r.code = g.kpi_code
       WHERE g.value IS DISTINCT FROM CASE r.kind
                                          WHEN 'sum' THEN g.numerator
                                          WHEN 'ratio' THEN CASE WHEN g.denominator > 0 OR g.denominator < 0 AND g.kpi_code NOT IN ('sales_growth', 'gross_revenue_retention', 'net_revenue_retention')
                                                                 THEN g.numerator / g.denominator END
                                          ELSE g.value
                                      END
         AND NOT (g.kpi_code = 'win_rate_amount' AND g.value IS NULL AND g.numerator = g.denominator)$$,
    'a sum is its numerator, a ratio numerator / denominator, NULL over 0 (growth over 0 or less)');
SELECT isnt_empty(
    $$SELECT FROM got WHERE kpi_code = 'win_rate_amount' AND value IS NULL AND denominator > 0 AND sample_count > (SELECT numerator FROM got w WHERE w.kpi_code = 'won_count' AND w.first_day = got.first_day AND w.level = got.level AND coalesce(w.entity_id, '') = coalesce(got.entity_id, ''))$$,
    'the win rate by amount is NULL where deals were lost whose amounts add up to 0');
SELECT set_eq(
    $$SELECT DISTINCT level, entity_id FROM got WHERE kpi_code = 'won_count' AND first_day = '2025-02-11'$$,
    $$SELECT 'company', NULL::text UNION ALL SELECT 'team', team_id FROM team UNION ALL SELECT 'rep', rep_id FROM rep UNION ALL SELECT 'rep', NULL$$,
    'the company, every team, every rep and nobody have a row');
SELECT is_empty(
    $$SELECT code FROM kpi WHERE is_any_range
      EXCEPT
      SELECT kpi_code FROM got$$,
    'every KPI that the registry says can be had for any days is there');
SELECT is_empty(
    $$SELECT kpi_code FROM got
      EXCEPT
      SELECT code FROM kpi WHERE shown_in = 'kpi_long'$$,
    'and none that the registry does not know');
SELECT set_eq(
    $$SELECT DISTINCT first_day FROM got WHERE kpi_code IN ('open_count', 'pipeline_amount')$$,
    $$SELECT first_day FROM span WHERE '2025-05-15' BETWEEN first_day AND last_day$$,
    'snapshots stand only in days that hold as_of()');
SELECT is_empty(
    $$SELECT first_day, kpi_code FROM got JOIN kpi ON code = kpi_code AND kind = 'sum'
       GROUP BY 1, 2
      HAVING sum(numerator) FILTER (WHERE level = 'rep') <> sum(numerator) FILTER (WHERE level = 'company')$$,
    'what reps and nobody have adds up to the company, of every sum');
SELECT is_empty(
    $$SELECT g.first_day, g.level, g.entity_id, g.kpi_code
        FROM got g JOIN kpi r ON r.code = g.kpi_code AND r.kind = 'statistic'
       WHERE r.family <> 'customers' AND (g.numerator IS NOT NULL OR g.denominator IS NOT NULL OR (g.value IS NULL) <> (g.sample_count = 0) AND g.kpi_code <> 'cycle_km_median_days')$$,
    'statistics have neither numerator nor denominator, and a value where there is a sample');

-- ---------------------------------------------------------------- medians and percentiles

CREATE TEMP TABLE measure AS
SELECT 'median_deal_amount' AS code, closed_on AS day, rep_id, eur AS value, 0.5 AS share FROM money WHERE outcome = 'won' AND eur IS NOT NULL
UNION ALL
SELECT 'p90_deal_amount', closed_on, rep_id, eur, 0.9 FROM money WHERE outcome = 'won' AND eur IS NOT NULL
UNION ALL
SELECT code, closed_on, rep_id, closed_on - opened_on, share
  FROM money, (VALUES ('cycle_median_days', 0.5), ('cycle_p90_days', 0.9)) AS v (code, share) WHERE outcome = 'won' AND closed_on >= opened_on
UNION ALL
SELECT 'lead_conversion_median_days', created_on, rep_id, converted_on - created_on, 0.5 FROM lead WHERE converted_on >= created_on;
CREATE TEMP TABLE expected_statistic AS
SELECT s.first_day, e.level, e.entity_id, e.code, percentile_cont(e.share::double precision) WITHIN GROUP (ORDER BY e.value) AS value, count(*) AS n
  FROM span s
  JOIN (SELECT 'company' AS level, NULL::text AS entity_id, measure.* FROM measure
        UNION ALL
        SELECT 'rep', rep_id, measure.* FROM measure
        UNION ALL
        SELECT 'team', t.team_id, measure.* FROM measure JOIN team_day t USING (rep_id, day)) AS e ON e.day BETWEEN s.first_day AND s.last_day
 GROUP BY 1, 2, 3, 4, e.share;
SELECT is_empty(
    $$SELECT g.first_day, g.level, g.entity_id, g.kpi_code, g.value, e.value, g.sample_count, e.n
        FROM got g
        LEFT JOIN expected_statistic e ON e.first_day = g.first_day AND e.level = g.level AND coalesce(e.entity_id, '-') = coalesce(g.entity_id, '-') AND e.code = g.kpi_code
       WHERE g.kpi_code IN (SELECT code FROM measure)
         AND (g.sample_count IS DISTINCT FROM coalesce(e.n, 0)
              OR (g.value IS NULL) <> (e.value IS NULL)
              OR abs(g.value - e.value::numeric) > CASE WHEN g.kpi_code LIKE '%amount' THEN 0.005 * abs(e.value::numeric) + 1e-6 ELSE 1e-6 END)$$,
    'medians and percentiles are percentile_cont''s, of amounts within 0.5 %');

-- Kaplan-Meier, step by step
CREATE TEMP TABLE life AS
SELECT s.first_day, e.level, e.entity_id, e.days, e.is_event
  FROM span s
  JOIN (SELECT w.level, w.entity_id, m.opened_on AS day,
               CASE WHEN outcome = 'open' THEN date '2025-05-15' ELSE closed_on END - opened_on AS days,
               outcome <> 'open' AS is_event
          FROM money m
          JOIN LATERAL (SELECT 'company' AS level, NULL::text AS entity_id UNION ALL SELECT 'rep', m.rep_id
                        UNION ALL SELECT 'team', t.team_id FROM team_day t WHERE t.rep_id = m.rep_id AND t.day = m.opened_on) AS w ON true
         WHERE opened_on <= '2025-05-15') AS e ON e.day BETWEEN s.first_day AND s.last_day AND e.days >= 0;
CREATE TEMP TABLE expected_km AS
SELECT first_day, level, entity_id, min(days) FILTER (WHERE log_survival <= ln(0.5) + 1e-12) AS km
  FROM (SELECT first_day, level, entity_id, days,
               sum(CASE WHEN closed = at_risk THEN -1000 ELSE ln(1 - closed::double precision / at_risk) END) OVER (PARTITION BY first_day, level, entity_id ORDER BY days) AS log_survival
          FROM (SELECT first_day, level, entity_id, days, count(*) FILTER (WHERE is_event) AS closed,
                       sum(count(*)) OVER (PARTITION BY first_day, level, entity_id ORDER BY days DESC) AS at_risk
                  FROM life GROUP BY 1, 2, 3, 4) AS step) AS curve
 GROUP BY 1, 2, 3;
SELECT is_empty(
    $$SELECT g.first_day, g.level, g.entity_id, g.value, e.km
        FROM got g
        LEFT JOIN expected_km e ON e.first_day = g.first_day AND e.level = g.level AND coalesce(e.entity_id, '-') = coalesce(g.entity_id, '-')
       WHERE g.kpi_code = 'cycle_km_median_days' AND g.value IS DISTINCT FROM e.km::numeric$$,
    'the Kaplan-Meier median is the first day on which half are closed');

-- ---------------------------------------------------------------- customers

CREATE TEMP TABLE bought AS
SELECT s.first_day, w.level, w.entity_id, m.account_id,
       sum(eur) FILTER (WHERE closed_on >= s.first_day) AS now_amount, sum(eur) FILTER (WHERE closed_on < s.first_day) AS before_amount,
       count(*) FILTER (WHERE closed_on >= s.first_day AND eur IS NULL) AS now_unpriced, count(*) FILTER (WHERE closed_on < s.first_day AND eur IS NULL) AS before_unpriced
  FROM span s
  JOIN money m ON m.outcome = 'won' AND m.closed_on BETWEEN s.prior_first_day AND s.last_day
  JOIN LATERAL (SELECT 'company' AS level, NULL::text AS entity_id UNION ALL SELECT 'rep', m.rep_id
                UNION ALL SELECT 'team', t.team_id FROM team_day t WHERE t.rep_id = m.rep_id AND t.day = m.closed_on) AS w ON true
 GROUP BY 1, 2, 3, 4;
CREATE TEMP TABLE expected_customer AS
SELECT first_day, level, entity_id, count(*) FILTER (WHERE is_active) AS active, count(*) FILTER (WHERE was_active) AS starting, count(*) FILTER (WHERE was_active AND is_active) AS retained,
       coalesce(sum(before_amount) FILTER (WHERE was_active), 0) AS starting_amount, coalesce(sum(least(now_amount, before_amount)) FILTER (WHERE was_active), 0) AS kept, coalesce(sum(now_amount) FILTER (WHERE was_active), 0) AS current_amount
  FROM (SELECT first_day, level, entity_id, coalesce(now_amount, 0) AS now_amount, coalesce(before_amount, 0) AS before_amount,
               coalesce(now_amount, 0) > 0 OR coalesce(now_amount, 0) = 0 AND now_unpriced > 0 AS is_active,
               coalesce(before_amount, 0) > 0 OR coalesce(before_amount, 0) = 0 AND before_unpriced > 0 AS was_active
          FROM bought) AS b
 GROUP BY 1, 2, 3;
SELECT is_empty(
    $$SELECT g.first_day, g.level, g.entity_id, g.kpi_code, g.numerator, g.denominator, g.sample_count, e.*
        FROM got g
        LEFT JOIN expected_customer e ON e.first_day = g.first_day AND e.level = g.level AND coalesce(e.entity_id, '-') = coalesce(g.entity_id, '-')
       WHERE g.kpi_code IN ('active_customer_count', 'customer_retention_rate', 'churn_rate', 'gross_revenue_retention', 'net_revenue_retention')
         AND (g.numerator, g.denominator) IS DISTINCT FROM
             (CASE g.kpi_code WHEN 'active_customer_count' THEN coalesce(e.active, 0) WHEN 'customer_retention_rate' THEN coalesce(e.retained, 0) WHEN 'churn_rate' THEN coalesce(e.starting - e.retained, 0)
                              WHEN 'gross_revenue_retention' THEN coalesce(e.kept, 0) ELSE coalesce(e.current_amount, 0) END,
              CASE WHEN g.kpi_code <> 'active_customer_count' THEN CASE WHEN g.kpi_code LIKE '%revenue%' THEN coalesce(e.starting_amount, 0) ELSE coalesce(e.starting, 0) END END)$$,
    'retention compares with the days before: as many, or the calendar period before');
SELECT is_empty(
    $$SELECT g.first_day, g.level, g.entity_id, g.value
        FROM got g
       WHERE g.kpi_code = 'new_customer_count'
         AND g.value <> (SELECT count(*)
                           FROM (SELECT m.account_id
                                   FROM money m
                                  WHERE m.outcome = 'won' AND (m.eur > 0 OR m.eur IS NULL) AND m.closed_on > '-infinity' AND m.account_id IS NOT NULL
                                    AND (g.level = 'company' OR g.level = 'rep' AND m.rep_id IS NOT DISTINCT FROM g.entity_id
                                         OR g.level = 'team' AND EXISTS (SELECT FROM team_day t WHERE t.team_id = g.entity_id AND t.rep_id = m.rep_id AND t.day = greatest(m.closed_on, '2023-06-01')))
                                  GROUP BY m.account_id
                                 HAVING min(m.closed_on) BETWEEN g.first_day AND g.last_day) AS n)$$,
    'new customers are those whose first purchase lies in the days, of each entity its own');

-- ---------------------------------------------------------------- ranges, filters

SELECT is(kpi_prior_first_day('2025-04-01', '2025-06-30'), '2025-01-01', 'before a quarter comes a quarter');
SELECT is(kpi_prior_first_day('2025-03-01', '2025-03-31'), '2025-02-01', 'before a month a month, whatever its days');
SELECT is(kpi_prior_first_day('2025-03-02', '2025-03-31'), '2025-01-31', 'before any other days as many');
SELECT is_empty($$SELECT * FROM kpi_between('2025-03-10', '2025-03-09') WHERE numerator <> 0 OR value <> 0$$, 'no days have nothing');
SELECT results_eq(
    $$SELECT kpi_code, numerator, value FROM kpi_between('-infinity', 'infinity') WHERE level = 'company' AND kpi_code IN ('won_count', 'open_count', 'sales_growth', 'churn_rate') ORDER BY 1$$,
    $$SELECT 'churn_rate', 0::numeric, NULL::numeric
      UNION ALL SELECT 'open_count', count(*), count(*) FROM money WHERE outcome = 'open' AND (opened_on <= '2025-05-15' OR opened_on IS NULL)
      UNION ALL SELECT 'sales_growth', (SELECT sum(eur) FROM money WHERE outcome = 'won' AND closed_on IS NOT NULL), NULL
      UNION ALL SELECT 'won_count', count(*), count(*) FROM money WHERE outcome = 'won' AND closed_on IS NOT NULL$$,
    'days without an end are all days, and have none before them');
SELECT lives_ok($$SELECT * FROM kpi_between(NULL, '2025-01-01')$$, 'nor is no day an error');
SELECT sales_perf.create_mart('small') \gset
INSERT INTO small.rep (rep_id, name) VALUES ('r', 'R');
INSERT INTO small.deal (deal_id, amount, outcome, opened_on, closed_on) VALUES ('d', 100, 'won', '2025-01-01', '2025-02-01');
UPDATE small.deal SET rep_id = 'r';
SELECT results_eq(
    $$SELECT level, entity_id, kpi_code, numerator, denominator FROM small.kpi_between('2025-01-01', '2025-03-31') WHERE kpi_code IN ('sales_growth', 'cycle_average_days') ORDER BY 3, 1, 2$$,
    $$VALUES ('company', NULL::text, 'cycle_average_days', 31::numeric, 1::numeric), ('rep', 'r', 'cycle_average_days', 0, 0), ('rep', NULL, 'cycle_average_days', 31, 1),
             ('company', NULL, 'sales_growth', 100, 0), ('rep', 'r', 'sales_growth', 0, 0), ('rep', NULL, 'sales_growth', 100, 0)$$,
    'numerators and denominators are 0 where there is nothing, also of nobody, who had something then and nothing now');
SELECT is(kpi_prior_first_day('4714-11-26 BC', '4714-11-27 BC'), '4714-11-24 BC', 'before the third and fourth day there is come the first two');
SELECT is(kpi_prior_first_day('4714-11-25 BC', '4714-11-26 BC'), NULL, 'and where there are fewer days there is nothing to compare with');
SELECT results_eq(
    $$SELECT kpi_code, numerator, value FROM kpi_between('0001-01-01', '9999-12-31') WHERE level = 'company' AND kpi_code IN ('sales_growth', 'won_count') ORDER BY 1$$,
    $$SELECT 'sales_growth', sum(eur), NULL::numeric FROM money WHERE outcome = 'won' AND closed_on IS NOT NULL
      UNION ALL SELECT 'won_count', count(*)::numeric, count(*)::numeric FROM money WHERE outcome = 'won' AND closed_on IS NOT NULL$$,
    'all days, as they are often written');
SELECT set_eq(
    $$SELECT k.* FROM kpi_between('2025-01-01', '2025-03-31') k WHERE level = 'rep' AND entity_id = 'R003' AND kpi_code IN ('win_rate', 'bookings_amount', 'churn_rate')$$,
    $$SELECT level, entity_id, kpi_code, numerator, denominator, sample_count, value FROM got WHERE first_day = '2025-01-01' AND level = 'rep' AND entity_id = 'R003' AND kpi_code IN ('win_rate', 'bookings_amount', 'churn_rate')$$,
    'what is filtered is what is asked for');

SELECT * FROM finish();
