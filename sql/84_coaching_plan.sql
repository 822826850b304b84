-- What to work on with each rep, and with whose help.
--
-- A rep who sells to enterprises wins fewer and larger deals, later: so each is measured against what the company
-- makes of the same mix of segments. The three KPIs are means over deals (won or not, amount, days), so one way of
-- reckoning serves all, and one pass over the deals closed in the last 12 months.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW coaching_measure WITH (security_invoker = true) AS
-- What is asked of each deal is a key to group by where it can be: a condition on each sum would be worked out for
-- each of them.
WITH summed AS MATERIALIZED (
    SELECT d.rep_id,
           a.segment,
           d.outcome = 'won' AS is_won,
           isfinite(d.opened_on) AND d.opened_on <= d.closed_on AS is_dated,
           d.reporting_amount > '-Infinity' AND d.reporting_amount < 'Infinity' AS is_priced,
           count(*) AS deal_count,
           sum(d.reporting_amount) AS amount,
           sum(d.reporting_amount * d.reporting_amount) FILTER (WHERE d.outcome = 'won') AS squares,
           sum(CASE WHEN isfinite(d.opened_on) THEN d.closed_on - d.opened_on END) AS days,
           sum(CASE WHEN isfinite(d.opened_on) THEN (d.closed_on - d.opened_on)::bigint * (d.closed_on - d.opened_on) END) AS days_squares
      FROM deal_core_as_of d
      LEFT JOIN account a ON a.account_id = d.account_id
     WHERE NOT d.is_open
       AND d.closed_on > (sales_perf.as_of() - interval '12 months')::date
       AND d.closed_on <= sales_perf.as_of()
     GROUP BY 1, 2, 3, 4, 5
),
closed AS MATERIALIZED (
    SELECT rep_id,
           segment,
           coalesce(sum(deal_count) FILTER (WHERE is_won), 0) AS won_count,
           sum(deal_count) AS closed_count,
           coalesce(sum(deal_count) FILTER (WHERE is_won AND is_priced), 0) AS priced_count,
           coalesce(sum(amount) FILTER (WHERE is_won AND is_priced), 0) AS won_amount,
           coalesce(sum(squares) FILTER (WHERE is_won AND is_priced), 0) AS won_squares,
           coalesce(sum(deal_count) FILTER (WHERE is_won AND is_dated), 0) AS cycle_count,
           coalesce(sum(days) FILTER (WHERE is_won AND is_dated), 0)::numeric AS cycle_days,
           coalesce(sum(days_squares) FILTER (WHERE is_won AND is_dated), 0) AS cycle_squares
      FROM summed
     GROUP BY rep_id, segment
),
-- n, sum and sum of squares of what is averaged
part AS MATERIALIZED (
    SELECT c.rep_id,
           c.segment,
           v.kpi_code,
           v.n,
           v.total,
           v.squares
      FROM closed c
     CROSS JOIN LATERAL (VALUES
               ('win_rate', c.closed_count, c.won_count, c.won_count),
               ('average_deal_amount', c.priced_count, c.won_amount, c.won_squares),
               ('cycle_average_days', c.cycle_count, c.cycle_days, c.cycle_squares)) AS v (kpi_code, n, total, squares)
     WHERE v.n > 0
),
company AS MATERIALIZED (
    SELECT kpi_code,
           segment,
           sum(total) / sum(n) AS mean,
           greatest(sum(squares) / sum(n) - (sum(total) / sum(n)) ^ 2, 0) AS variance
      FROM part
     GROUP BY kpi_code, segment
),
own AS MATERIALIZED (
    SELECT p.rep_id,
           p.kpi_code,
           sum(p.n) AS n,
           sum(p.total) AS total,
           sum(p.total) / sum(p.n) AS value,
           sum(p.n * c.mean) / sum(p.n) AS expected,
           sqrt(sum(p.n * c.variance)) / sum(p.n) AS deviation
      FROM part p
      JOIN company c
        ON c.kpi_code = p.kpi_code
       AND c.segment IS NOT DISTINCT FROM p.segment
     WHERE p.rep_id IS NOT NULL
     GROUP BY p.rep_id, p.kpi_code
),
scale AS MATERIALIZED (
    SELECT p.rep_id,
           sum(p.total) FILTER (WHERE p.kpi_code = 'average_deal_amount') AS won_amount,
           sum(p.total) FILTER (WHERE p.kpi_code = 'average_deal_amount') / sum(p.n) FILTER (WHERE p.kpi_code = 'average_deal_amount') AS average_deal_amount
      FROM part p
     WHERE p.rep_id IS NOT NULL
     GROUP BY p.rep_id
)
SELECT r.rep_id,
       r.name AS rep_name,
       m.team_id,
       k.code AS kpi_code,
       k.name AS kpi_name,
       k.unit,
       coalesce(o.n, 0)::bigint AS sample_count,
       greatest(k.minimum_sample, 2) AS minimum_sample,
       coalesce(o.n >= greatest(k.minimum_sample, 2) AND o.expected > 0, false) AS is_enough,
       o.total AS numerator,
       o.value,
       o.expected,
       o.expected - 1.96 * o.deviation AS expected_low,
       o.expected + 1.96 * o.deviation AS expected_high,
       CASE WHEN o.deviation > 0 THEN CASE k.direction WHEN 'down' THEN o.expected - o.value ELSE o.value - o.expected END / o.deviation ELSE 0 END AS z,
       s.won_amount,
       s.average_deal_amount
  FROM rep r
  JOIN kpi k ON k.code IN ('win_rate', 'average_deal_amount', 'cycle_average_days')
  LEFT JOIN own o
    ON o.rep_id = r.rep_id
   AND o.kpi_code = k.code
  LEFT JOIN scale s ON s.rep_id = r.rep_id
  LEFT JOIN rep_team m
    ON m.rep_id = r.rep_id
   AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
 WHERE coalesce(r.hired_on, '-infinity') <= sales_perf.as_of()
   AND coalesce(r.left_on, 'infinity') >= sales_perf.as_of();

COMMENT ON VIEW coaching_measure IS 'Three KPIs of each rep who is here on the day as_of() gives against what the rep''s mix of segments (account.segment; deals without one are a segment of their own) would predict, over the deals closed in the 12 months up to as_of(), by owner. What coaching_plan is made of.';
COMMENT ON COLUMN coaching_measure.rep_id IS 'The rep.';
COMMENT ON COLUMN coaching_measure.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN coaching_measure.team_id IS 'The rep''s team on that day; NULL: none.';
COMMENT ON COLUMN coaching_measure.kpi_code IS 'win_rate, average_deal_amount or cycle_average_days.';
COMMENT ON COLUMN coaching_measure.kpi_name IS 'Its name.';
COMMENT ON COLUMN coaching_measure.unit IS 'Its unit.';
COMMENT ON COLUMN coaching_measure.sample_count IS 'Deals behind the value: closed, won with an amount, won with both days. Count.';
COMMENT ON COLUMN coaching_measure.minimum_sample IS 'How many are needed: kpi.minimum_sample, at least 2. Count.';
COMMENT ON COLUMN coaching_measure.is_enough IS 'True where there are as many.';
COMMENT ON COLUMN coaching_measure.numerator IS 'What value is made of: deals won, their amount, their days. value = numerator / sample_count.';
COMMENT ON COLUMN coaching_measure.value IS 'The KPI of the rep. In unit; C; NULL where there are no such deals.';
COMMENT ON COLUMN coaching_measure.expected IS 'Sum over segments of the share of the rep''s deals x the company''s KPI there. In unit; NULL where value is.';
COMMENT ON COLUMN coaching_measure.expected_low IS 'expected - 1.96 x sqrt(sum over the rep''s deals of the company''s variance in the deal''s segment) / sample_count: what chance gives a rep who is like the company, 95 times of 100.';
COMMENT ON COLUMN coaching_measure.expected_high IS 'The same with +.';
COMMENT ON COLUMN coaching_measure.z IS 'How far value is on the good side of expected, in standard errors; below 0: worse. Ratio; NULL where value is.';
COMMENT ON COLUMN coaching_measure.won_amount IS 'What the rep won. Amount; C; NULL where there is nothing.';
COMMENT ON COLUMN coaching_measure.average_deal_amount IS 'won_amount / deals won with an amount. Amount; C; NULL where there are none.';

CREATE VIEW coaching_plan WITH (security_invoker = true) AS
WITH measure AS MATERIALIZED (
    SELECT rep_id,
           rep_name,
           team_id,
           kpi_code,
           kpi_name,
           unit,
           sample_count,
           minimum_sample,
           is_enough,
           numerator,
           value,
           expected,
           expected_low,
           expected_high,
           z,
           won_amount,
           average_deal_amount
      FROM coaching_measure
),
-- The median rep: how many times what is expected of him.
median AS (
    SELECT kpi_code,
           max(places) AS rep_count,
           avg(times) AS times
      FROM (SELECT kpi_code,
                   value / expected AS times,
                   row_number() OVER (PARTITION BY kpi_code ORDER BY value / expected) AS place,
                   count(*) OVER (PARTITION BY kpi_code) AS places
              FROM measure
             WHERE is_enough) AS sorted
     WHERE place IN ((places + 1) / 2, places / 2 + 1)
     GROUP BY kpi_code
),
ranked AS MATERIALIZED (
    SELECT m.*,
           row_number() OVER (PARTITION BY m.rep_id ORDER BY m.z, m.kpi_code COLLATE "C") AS priority
      FROM measure m
     WHERE m.is_enough
       AND m.z < 0
),
best AS MATERIALIZED (
    SELECT kpi_code,
           rep_id,
           rep_name,
           team_id,
           value,
           expected,
           z
      FROM measure
     WHERE is_enough
       AND z > 1.96
),
taught AS (
    SELECT k.kpi_code,
           c.course_id,
           c.name,
           c.hours
      FROM course c
      JOIN skill_kpi k ON k.skill_id = c.skill_id
),
planned AS (
    SELECT w.*,
           d.rep_count AS median_rep_count,
           w.expected * d.times AS median_value,
           CASE
               WHEN d.rep_count < 5 THEN NULL
               WHEN w.kpi_code = 'win_rate'
               THEN greatest(w.expected * d.times - w.value, 0) * w.sample_count * w.average_deal_amount
               WHEN w.kpi_code = 'average_deal_amount'
               THEN greatest(w.expected * d.times - w.value, 0) * w.sample_count
               WHEN w.kpi_code = 'cycle_average_days'
               THEN greatest(w.value / nullif(w.expected * d.times, 0) - 1, 0) * w.won_amount
           END AS worth_amount
      FROM ranked w
      JOIN median d ON d.kpi_code = w.kpi_code
     WHERE w.priority <= 2
),
-- who has nothing below expectation, or not enough to tell
other AS (
    SELECT m.rep_id,
           min(m.rep_name) AS rep_name,
           min(m.team_id) AS team_id,
           bool_or(m.is_enough) AS is_enough,
           max(m.sample_count) FILTER (WHERE m.kpi_code = 'win_rate') AS sample_count,
           max(m.minimum_sample) FILTER (WHERE m.kpi_code = 'win_rate') AS minimum_sample
      FROM measure m
     WHERE NOT EXISTS (SELECT FROM ranked w WHERE w.rep_id = m.rep_id)
     GROUP BY m.rep_id
)
SELECT p.rep_id,
       p.rep_name,
       p.team_id,
       p.priority,
       p.kpi_code,
       p.unit,
       p.sample_count,
       p.numerator,
       round(p.value, 6) AS value,
       round(p.expected, 6) AS expected,
       round(p.expected_low, 6) AS expected_low,
       round(p.expected_high, 6) AS expected_high,
       round(p.z, 4) AS z,
       p.z < -1.96 AS is_beyond_chance,
       round(p.median_value, 6) AS median_value,
       round(p.worth_amount, 2) AS worth_amount,
       t.course_id,
       t.course_name,
       t.enrolment_state,
       b.peer_rep_id,
       b.peer_rep_name,
       round(b.peer_value, 6) AS peer_value,
       round(b.peer_expected, 6) AS peer_expected,
       NULL::text AS note,
       format('%s of %s is %s over %s deals in the last 12 months, where the mix of segments would predict %s. %s',
              p.kpi_name, p.rep_name, in_words(p.value, p.unit), p.sample_count, in_words(p.expected, p.unit),
              CASE
                  WHEN p.z < -1.96 THEN format('That is more than chance gives 95 times of 100 (%s to %s).',
                                               in_words(greatest(p.expected_low, 0), p.unit),
                                               in_words(CASE p.unit WHEN 'fraction' THEN least(p.expected_high, 1) ELSE p.expected_high END, p.unit))
                  ELSE format('That may be chance (95 times of 100: %s to %s).',
                              in_words(greatest(p.expected_low, 0), p.unit),
                              in_words(CASE p.unit WHEN 'fraction' THEN least(p.expected_high, 1) ELSE p.expected_high END, p.unit))
              END)
       || CASE WHEN t.course_id IS NOT NULL THEN format(' Course: %s%s.', t.course_name, CASE t.enrolment_state WHEN 'open' THEN ' (assigned already)' ELSE '' END) ELSE '' END
       || CASE WHEN b.peer_rep_id IS NOT NULL THEN format(' %s could show how: %s, where %s would be expected.', b.peer_rep_name, in_words(b.peer_value, p.unit), in_words(b.peer_expected, p.unit)) ELSE '' END
       || CASE WHEN p.worth_amount > 0 THEN format(' To be like the median rep (%s with this mix) would be worth about %s a year.', in_words(p.median_value, p.unit), in_words(round(p.worth_amount), 'amount')) ELSE '' END AS summary_text
  FROM planned p
  LEFT JOIN LATERAL (
        SELECT c.course_id,
               c.name AS course_name,
               CASE WHEN e.is_open THEN 'open' ELSE 'none' END AS enrolment_state
          FROM taught c
         CROSS JOIN LATERAL (SELECT coalesce(bool_or(n.completed_on IS NULL OR n.completed_on > sales_perf.as_of()), false) AS is_open,
                                    coalesce(bool_or(n.completed_on <= sales_perf.as_of()), false) AS is_completed
                               FROM enrolment n
                              WHERE n.rep_id = p.rep_id
                                AND n.course_id = c.course_id
                                AND n.assigned_on <= sales_perf.as_of()) AS e
         WHERE c.kpi_code = p.kpi_code
           AND NOT e.is_completed
         ORDER BY e.is_open DESC, c.hours, c.course_id COLLATE "C"
         LIMIT 1) AS t ON true
  LEFT JOIN LATERAL (
        SELECT a.rep_id AS peer_rep_id,
               a.rep_name AS peer_rep_name,
               a.value AS peer_value,
               a.expected AS peer_expected
          FROM best a
         WHERE a.kpi_code = p.kpi_code
           AND a.rep_id <> p.rep_id
         ORDER BY coalesce(a.team_id = p.team_id, false) DESC, a.z DESC, a.rep_id COLLATE "C"
         LIMIT 1) AS b ON true
UNION ALL
SELECT o.rep_id,
       o.rep_name,
       o.team_id,
       1,
       NULL,
       NULL,
       o.sample_count,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       false,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       NULL,
       CASE WHEN o.is_enough THEN 'nothing below what the mix of segments would predict' ELSE format('not enough data: %s of the %s closed deals that are needed', o.sample_count, o.minimum_sample) END,
       CASE
           WHEN o.is_enough THEN format('Nothing that was measured of %s is below what the mix of segments would predict (%s deals closed in the last 12 months).', o.rep_name, o.sample_count)
           ELSE format('Not enough data on %s: %s deals closed in the last 12 months, of the %s that are needed.', o.rep_name, o.sample_count, o.minimum_sample)
       END
  FROM other o;

COMMENT ON VIEW coaching_plan IS 'For each rep who is here on the day as_of() gives, the one or two KPIs (win_rate, average_deal_amount, cycle_average_days) furthest below what the rep''s mix of segments would predict, over the deals closed in the 12 months up to as_of(): furthest in standard errors, with a sample of kpi.minimum_sample at least; beyond chance where more than 1.96 of them. (Three KPIs of 200 reps who are all alike give some 15 such rows: 2.5 of 100.) With the course or peer that fits, and what it would be worth to reach the median. One row with a note for a rep of whom there is nothing below, or not enough to tell.';
COMMENT ON COLUMN coaching_plan.rep_id IS 'The rep.';
COMMENT ON COLUMN coaching_plan.rep_name IS 'Name of the rep.';
COMMENT ON COLUMN coaching_plan.team_id IS 'The rep''s team on that day; NULL: none.';
COMMENT ON COLUMN coaching_plan.priority IS '1: furthest below; 2: the next.';
COMMENT ON COLUMN coaching_plan.kpi_code IS 'The KPI; NULL: none, see note.';
COMMENT ON COLUMN coaching_plan.unit IS 'Its unit: that of value, expected, median_value, peer_value.';
COMMENT ON COLUMN coaching_plan.sample_count IS 'Deals behind value: closed (win_rate), won with an amount, won with both days. Count.';
COMMENT ON COLUMN coaching_plan.numerator IS 'Deals won, their amount, or their days: value = numerator / sample_count.';
COMMENT ON COLUMN coaching_plan.value IS 'The KPI of the rep. In unit, to 6 digits; C.';
COMMENT ON COLUMN coaching_plan.expected IS 'What the rep''s mix would predict: sum over segments of the share of the rep''s deals there x the company''s KPI there. In unit.';
COMMENT ON COLUMN coaching_plan.expected_low IS 'Lower bound of what chance gives a rep with this mix who is like the company, 95 times of 100: expected - 1.96 standard errors, from the company''s variance in each segment. In unit.';
COMMENT ON COLUMN coaching_plan.expected_high IS 'Upper bound of it.';
COMMENT ON COLUMN coaching_plan.z IS 'How far value is on the good side of expected, in standard errors: below 0 here.';
COMMENT ON COLUMN coaching_plan.is_beyond_chance IS 'True where z is below -1.96: value is outside of the range that chance gives.';
COMMENT ON COLUMN coaching_plan.median_value IS 'What the median rep would reach with this mix: expected x the median over reps (with enough of a sample) of value / expected. In unit.';
COMMENT ON COLUMN coaching_plan.worth_amount IS 'What it would have brought in these 12 months to reach median_value; 0 where the rep is there already. win_rate: extra wins x the rep''s average deal; average_deal_amount: the difference x deals won; cycle_average_days: amount won x (value / median_value - 1), if as many deals are in work at a time and leave sooner. Amount; NULL where fewer than 5 reps have a median, or nothing was won.';
COMMENT ON COLUMN coaching_plan.course_id IS 'A course of a skill tied to the KPI that the rep has not completed: one assigned already first, then the shortest, then by course_id. NULL: none.';
COMMENT ON COLUMN coaching_plan.course_name IS 'Its name.';
COMMENT ON COLUMN coaching_plan.enrolment_state IS 'open: assigned to the rep and not completed; none: not assigned.';
COMMENT ON COLUMN coaching_plan.peer_rep_id IS 'Who is best at exactly that KPI, against what that rep''s own mix would predict, beyond chance (more than 1.96 standard errors): in the rep''s team, if there is one, else of all. NULL: nobody is.';
COMMENT ON COLUMN coaching_plan.peer_rep_name IS 'Name of that rep.';
COMMENT ON COLUMN coaching_plan.peer_value IS 'The KPI of the peer. In unit.';
COMMENT ON COLUMN coaching_plan.peer_expected IS 'What the peer''s mix would predict. In unit.';
COMMENT ON COLUMN coaching_plan.note IS 'not enough data, or that nothing is below; else NULL.';
COMMENT ON COLUMN coaching_plan.summary_text IS 'The row in sentences, thresholds named.';

SET LOCAL search_path = sales_perf, pg_temp;
