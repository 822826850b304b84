-- The scorecards: every KPI against plain SQL written independently, levels that add up, and the
-- rules for empty entities, growth and snapshots.
SELECT plan(31);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 4000, 7) \gset
\ir fixture/plain_demo.sql
-- Loaded the day after: what the scorecards say of an earlier day is what the rows say.
INSERT INTO rep (rep_id, name, team_id) VALUES ('R999', 'Nobody''s Friend', NULL);
UPDATE deal SET rep_id = NULL WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY deal_id LIMIT 3);
UPDATE deal SET amount = NULL WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY deal_id DESC LIMIT 5);
DELETE FROM deal_change WHERE changed_at >= '2025-05-16';

-- ---------------------------------------------------------------- reps, by quarter

CREATE TEMP TABLE plain AS
WITH quarter AS (
    SELECT day::date AS period_start, (day + interval '3 months')::date AS next_start
      FROM generate_series('2022-04-01'::timestamp, '2025-04-01', '3 months') AS day
),
seller AS (
    SELECT rep_id FROM rep
    UNION ALL
    SELECT NULL
),
closed AS (
    SELECT q.period_start, d.rep_id,
           count(*) FILTER (WHERE outcome = 'won') AS won_count,
           count(*) FILTER (WHERE outcome = 'lost') AS lost_count,
           coalesce(sum(amount) FILTER (WHERE outcome = 'won'), 0) AS bookings_amount,
           coalesce(sum(amount) FILTER (WHERE outcome = 'lost'), 0) AS lost_amount,
           avg(amount) FILTER (WHERE outcome = 'won') AS average_deal_amount,
           count(*) FILTER (WHERE outcome = 'won' AND amount IS NULL) AS unpriced_count,
           avg(closed_on - opened_on) FILTER (WHERE outcome = 'won' AND closed_on >= opened_on) AS cycle_average_days,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won' AND closed_on >= opened_on) AS cycle_median_days,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won' AND closed_on >= opened_on) AS cycle_p90_days,
           count(*) FILTER (WHERE closed_on < opened_on) AS invalid_count,
           count(*) FILTER (WHERE opened_on IS NULL) AS undated_count
      FROM quarter q
      JOIN deal d ON d.closed_on >= q.period_start AND d.closed_on < q.next_start
     WHERE outcome IN ('won', 'lost')
     GROUP BY q.period_start, d.rep_id
),
opened AS (
    SELECT q.period_start, d.rep_id,
           count(*) AS created_count,
           count(*) FILTER (WHERE outcome = 'won') AS created_won_count,
           coalesce(sum(amount), 0) AS pipeline_created_amount
      FROM quarter q
      JOIN deal d ON d.opened_on >= q.period_start AND d.opened_on < q.next_start
     GROUP BY q.period_start, d.rep_id
)
SELECT q.period_start, s.rep_id,
       coalesce(won_count, 0) AS won_count, coalesce(lost_count, 0) AS lost_count,
       coalesce(won_count + lost_count, 0) AS closed_count,
       won_count::double precision / (won_count + lost_count) AS win_rate,
       coalesce(bookings_amount, 0) AS bookings_amount, coalesce(lost_amount, 0) AS lost_amount,
       average_deal_amount, coalesce(unpriced_count, 0) AS unpriced_count,
       cycle_average_days::double precision, cycle_median_days, cycle_p90_days,
       coalesce(invalid_count, 0) AS invalid_count, coalesce(undated_count, 0) AS undated_count,
       coalesce(created_count, 0) AS created_count, coalesce(created_won_count, 0) AS created_won_count,
       created_won_count::double precision / created_count AS created_win_rate,
       coalesce(pipeline_created_amount, 0) AS pipeline_created_amount
  FROM quarter q
 CROSS JOIN seller s
  LEFT JOIN closed c ON c.period_start = q.period_start AND c.rep_id IS NOT DISTINCT FROM s.rep_id
  LEFT JOIN opened o ON o.period_start = q.period_start AND o.rep_id IS NOT DISTINCT FROM s.rep_id;

SELECT results_eq(
    $$SELECT period_start, rep_id, won_count, lost_count, closed_count, bookings_amount, lost_amount, average_deal_amount, unpriced_count,
             invalid_count, undated_count, created_count, created_won_count, pipeline_created_amount
      FROM rep_scorecard WHERE grain = 'quarter' ORDER BY 1, 2$$,
    $$SELECT period_start, rep_id, won_count, lost_count, closed_count, bookings_amount, lost_amount, average_deal_amount, unpriced_count,
             invalid_count, undated_count, created_count, created_won_count, pipeline_created_amount
      FROM plain ORDER BY 1, 2$$,
    'counts and amounts of every rep and quarter, nobody''s too, are those of plain SQL');
SELECT is_empty(
    $$SELECT r.rep_id, r.period_start, r.win_rate, p.win_rate, r.cycle_average_days, p.cycle_average_days
      FROM rep_scorecard r
      FULL JOIN plain p ON p.period_start = r.period_start AND coalesce(p.rep_id, '') = coalesce(r.rep_id, '')
      WHERE r.grain = 'quarter'
        AND (r.win_rate IS DISTINCT FROM p.win_rate
             OR r.created_win_rate IS DISTINCT FROM p.created_win_rate
             OR r.cycle_median_days IS DISTINCT FROM p.cycle_median_days
             OR r.cycle_p90_days IS DISTINCT FROM p.cycle_p90_days
             OR (r.cycle_average_days IS NULL) <> (p.cycle_average_days IS NULL)
             OR abs(r.cycle_average_days - p.cycle_average_days) > 1e-9)$$,
    'and so are rates and cycles');
SELECT is_empty(
    $$SELECT rep_id, period_start
      FROM rep_scorecard
      WHERE grain = 'quarter'
        AND NOT (win_rate_low <= win_rate AND win_rate <= win_rate_high AND win_rate_low >= 0 AND win_rate_high <= 1)$$,
    'a win rate lies in its interval');
SELECT is_empty(
    $$SELECT r.rep_id, r.period_start, r.sales_growth
      FROM rep_scorecard r
      LEFT JOIN plain before ON before.period_start = (r.period_start - interval '3 months')::date AND coalesce(before.rep_id, '') = coalesce(r.rep_id, '')
      WHERE r.grain = 'quarter'
        AND (r.prior_bookings_amount <> coalesce(before.bookings_amount, 0)
             OR r.sales_growth IS DISTINCT FROM
                CASE WHEN before.bookings_amount > 0 THEN (r.bookings_amount - before.bookings_amount) / before.bookings_amount END)$$,
    'growth is that over the quarter before, NULL where nothing was booked in it');

-- ---------------------------------------------------------------- levels

CREATE TEMP VIEW level_figures AS
SELECT grain, period_start, won_count, lost_count, bookings_amount, lost_amount, created_count, pipeline_created_amount, unpriced_count,
       cycle_count, invalid_count, undated_count, open_count, pipeline_amount, unrecorded_count
  FROM company_scorecard;
SELECT set_eq(
    'TABLE level_figures',
    $$SELECT grain, period_start, sum(won_count)::bigint AS a, sum(lost_count)::bigint AS b, sum(bookings_amount) AS c, sum(lost_amount) AS d,
             sum(created_count)::bigint AS e, sum(pipeline_created_amount) AS f, sum(unpriced_count)::bigint AS g, sum(cycle_count)::bigint AS h,
             sum(invalid_count)::bigint AS i, sum(undated_count)::bigint AS j, sum(open_count)::bigint AS k, sum(pipeline_amount) AS l, sum(unrecorded_count)::bigint AS m
      FROM rep_scorecard
      GROUP BY grain, period_start$$,
    'the reps of each period add up to the company');
SELECT set_eq(
    $$SELECT grain, period_start, team_id, won_count, bookings_amount, created_count, open_count FROM team_scorecard$$,
    $$SELECT s.grain, s.period_start, t.team_id, sum(s.won_count)::bigint AS a, sum(s.bookings_amount) AS b, sum(s.created_count)::bigint AS c, sum(s.open_count)::bigint AS d
      FROM team t
      JOIN team_rep m USING (team_id)
      JOIN rep_scorecard s ON s.rep_id = m.rep_id
      GROUP BY s.grain, s.period_start, t.team_id$$,
    'a team is its reps and those of the teams below it');
SELECT is(t.win_rate, m.won::double precision / m.closed, 'its win rate is no mean of rates')
  FROM team_scorecard t
 CROSS JOIN (SELECT sum(won_count) AS won, sum(closed_count) AS closed
               FROM rep_scorecard
              WHERE grain = 'year' AND period_start = '2024-01-01' AND team_id IN ('T-1', 'T-1-01')) AS m
 WHERE t.grain = 'year' AND t.period_start = '2024-01-01' AND t.team_id = 'T-1-01';
SELECT is(y.bookings_amount, q.total, 'the quarters of a year add up to it')
  FROM company_scorecard y
 CROSS JOIN (SELECT sum(bookings_amount) AS total FROM company_scorecard WHERE grain = 'quarter' AND period_label LIKE '2024-%') AS q
 WHERE y.grain = 'year' AND y.period_label = '2024';
SELECT is(q.won_count, m.total, 'and the months of a quarter')
  FROM company_scorecard q
 CROSS JOIN (SELECT sum(won_count)::bigint AS total FROM company_scorecard WHERE grain = 'month' AND period_start BETWEEN '2024-07-01' AND '2024-09-01') AS m
 WHERE q.grain = 'quarter' AND q.period_label = '2024-Q3';
SELECT is(count(DISTINCT kpis), 1::bigint, 'the three scorecards define the same KPIs')
  FROM (SELECT substr(definition, strpos(definition, 'COALESCE(sales_perf.won_count(')) AS kpis
          FROM unnest(ARRAY['company', 'team', 'rep']) AS level
         CROSS JOIN LATERAL (SELECT replace(pg_get_viewdef((level || '_scorecard')::regclass), level || '_summary', 'summary') AS definition) AS d) AS definitions;

-- ---------------------------------------------------------------- snapshots

SELECT set_eq(
    $$SELECT grain, period_label FROM company_scorecard
      WHERE open_count IS NOT NULL AND pipeline_amount IS NOT NULL AND unrecorded_count IS NOT NULL AND sales_velocity_amount IS NOT NULL$$,
    $$VALUES ('month', '2025-05'), ('quarter', '2025-Q2'), ('year', '2025')$$,
    'snapshots stand in the periods that hold as_of()');
SELECT is_empty(
    $$SELECT FROM company_scorecard
      WHERE period_end < '2025-05-15'
        AND (open_count IS NOT NULL OR pipeline_amount IS NOT NULL OR unrecorded_count IS NOT NULL OR sales_velocity_amount IS NOT NULL)$$,
    'and are NULL in all others');
SELECT is(open_count, (SELECT count(*) FROM deal WHERE outcome = 'open'), 'open deals') FROM company_scorecard WHERE grain = 'month' AND period_label = '2025-05';
SELECT is(pipeline_amount, (SELECT sum(amount) FROM deal WHERE outcome = 'open'), 'their amount') FROM company_scorecard WHERE grain = 'year' AND period_label = '2025';
SELECT is(round(sales_velocity_amount::numeric, 6), (
    SELECT round(count(*) FILTER (WHERE outcome = 'open')
                 * (count(*) FILTER (WHERE is_recent AND outcome = 'won'))::numeric / count(*) FILTER (WHERE is_recent)
                 * avg(amount) FILTER (WHERE is_recent AND outcome = 'won')
                 / avg(closed_on - opened_on) FILTER (WHERE is_recent AND outcome = 'won' AND closed_on >= opened_on), 6)
      FROM (SELECT *, outcome <> 'open' AND closed_on > '2024-05-15' AS is_recent FROM deal) AS d),
    'velocity: open deals × win rate × average deal / average cycle, the latter three of twelve months')
  FROM company_scorecard WHERE grain = 'month' AND period_label = '2025-05';
SELECT is(unrecorded_count, 0::bigint, 'all their histories are recorded') FROM company_scorecard WHERE grain = 'month' AND period_label = '2025-05';
UPDATE deal SET recorded_at = '2025-06-01' WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'open' ORDER BY deal_id LIMIT 4);
SELECT is(unrecorded_count, 4::bigint, 'what was recorded later is counted') FROM company_scorecard WHERE grain = 'month' AND period_label = '2025-05';

-- ---------------------------------------------------------------- periods, empty entities

SELECT is(count(*), 0::bigint, 'no period begins after as_of()') FROM company_scorecard WHERE period_start > '2025-05-15';
SELECT set_eq($$SELECT period_label FROM company_scorecard WHERE NOT is_complete$$, $$VALUES ('2025-05'), ('2025-Q2'), ('2025')$$, 'three are not complete');
SELECT results_eq(
    $$SELECT won_count, lost_count, closed_count, win_rate, win_rate_low, bookings_amount, sales_growth, average_deal_amount, median_deal_amount,
             cycle_count, cycle_median_days, created_count, created_win_rate, cycle_km_median_days, open_count, pipeline_amount, sales_velocity_amount
      FROM rep_scorecard WHERE rep_id = 'R999' AND grain = 'year' AND period_label = '2025'$$,
    $$VALUES (0::bigint, 0::bigint, 0::bigint, NULL::double precision, NULL::double precision, 0::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
              0::bigint, NULL::double precision, 0::bigint, NULL::double precision, NULL::double precision, 0::bigint, 0::numeric, NULL::double precision)$$,
    'a rep without deals: counts and sums are 0, ratios NULL');
SELECT is(rep_name, '(no rep)', 'deals of nobody have a row') FROM rep_scorecard WHERE rep_id IS NULL AND grain = 'year' AND period_label = '2025';
DELETE FROM deal WHERE rep_id IS NULL;
SELECT is_empty($$SELECT FROM rep_scorecard WHERE rep_id IS NULL$$, 'which is gone where everybody''s deals are somebody''s');
SELECT is(count(*), (SELECT count(*) FROM period) * (SELECT count(*) FROM rep), 'every rep stands in every period') FROM rep_scorecard;

UPDATE deal SET amount = 0 WHERE outcome = 'lost';
DELETE FROM deal_change WHERE changed_at >= '2025-05-16';
SELECT is(count(win_rate_amount), 0::bigint, 'where amounts of lost deals are not recorded there is no win rate by amount') FROM company_scorecard WHERE lost_count > 0;

-- ---------------------------------------------------------------- the curve

SELECT is(c.rows, 1::bigint, 'one curve for the company')
  FROM (SELECT count(DISTINCT (level, team_id, rep_id)) AS rows FROM cycle_curve WHERE level = 'company') AS c;
SELECT is(sum(won_count + lost_count)::bigint,
          (SELECT count(*) FROM deal WHERE outcome <> 'open' AND closed_on >= opened_on),
          'its events are all the deals that closed')
  FROM cycle_curve WHERE level = 'company';
SELECT set_eq(
    $$SELECT rep_id, sum(won_count) FROM cycle_curve WHERE level = 'rep' GROUP BY 1$$,
    $$SELECT rep_id, count(*) FILTER (WHERE outcome = 'won' AND closed_on >= opened_on)::numeric FROM deal WHERE opened_on IS NOT NULL GROUP BY 1$$,
    'reps have curves of their own');
SELECT is_empty(
    $$SELECT FROM cycle_curve
      WHERE abs(survival_rate + win_incidence_rate + loss_incidence_rate - 1) > 1e-9
         OR survival_low_rate > survival_rate OR survival_high_rate < survival_rate$$,
    'at any age a deal is open, won or lost; and limits enclose');
SELECT is(min(cycle_days)::double precision, (
    SELECT cycle_km_median_days FROM (
        SELECT sales_perf.cycle_km_median(sales_perf.rollup(summary), sales_perf.as_of()) AS cycle_km_median_days FROM opened_cell) AS k),
    'the median is the first day on which half are closed')
  FROM cycle_curve WHERE level = 'company' AND survival_rate <= 0.5;
SELECT is(min(cycle_days)::double precision, (
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on) FROM deal
     WHERE rep_id = 'R001' AND opened_on BETWEEN '2022-07-01' AND '2022-09-30' AND outcome <> 'open' AND closed_on >= opened_on)::double precision,
    'for a cohort that is all closed it is the plain median')
  FROM (SELECT c.day AS cycle_days, c.survival
          FROM rep_summary s
         CROSS JOIN LATERAL sales_perf.cycle_curve(s.created_summary, sales_perf.as_of()) AS c
         WHERE s.grain = 'quarter' AND s.period_start = '2022-07-01' AND s.rep_id = 'R001') AS curve
 WHERE survival <= 0.5;

SELECT sales_perf.create_mart('empty') \gset
SELECT results_eq(
    $$SELECT grain, won_count, bookings_amount, win_rate, open_count FROM empty.company_scorecard ORDER BY 1$$,
    $$VALUES ('month', 0::bigint, 0::numeric, NULL::double precision, 0::bigint), ('quarter', 0, 0, NULL, 0), ('year', 0, 0, NULL, 0)$$,
    'an empty mart has an empty scorecard');

SELECT * FROM finish();
