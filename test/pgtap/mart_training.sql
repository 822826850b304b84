-- skill_gap and training_effect, against the same by other ways: plain SQL over deals, and formulas of textbooks.
SET search_path = public, sales_perf;
\ir fixture/near.sql
SELECT plan(24);

-- ---------------------------------------------------------------- by hand

SELECT sales_perf.create_mart('m') \gset
SET search_path = m, public;
SET sales_perf.as_of = '2024-12-31';
SELECT is_empty('SELECT * FROM skill_gap', 'nobody lacks anything in an empty mart');
SELECT is_empty('SELECT * FROM training_effect', 'and nothing was taught');

INSERT INTO skill (skill_id, name) VALUES ('close', 'Closing'), ('talk', 'Talking');
INSERT INTO skill_kpi VALUES ('close', 'win_rate'), ('close', 'cycle_average_days'), ('talk', 'progress_rate');
INSERT INTO course (course_id, name, skill_id) VALUES ('c', 'Closing deals', 'close'), ('t', 'Talk', 'talk'), ('none', 'Whatever', NULL);
INSERT INTO rep (rep_id, name, hired_on, left_on)
SELECT 'r' || n, 'Rep ' || n, CASE n WHEN 13 THEN date '2024-04-01' END, CASE n WHEN 14 THEN date '2024-08-01' END FROM generate_series(1, 16) AS n;
-- completed on 1 June by five (one again later), and by one each who came too late, left too early, had too few deals, or did it lately
INSERT INTO enrolment (course_id, rep_id, assigned_on, completed_on)
SELECT 'c', 'r' || n, date '2024-05-01', date '2024-06-01' FROM unnest(ARRAY[1, 2, 3, 4, 5, 13, 14, 15]) AS n
UNION ALL
VALUES ('c', 'r1', date '2024-09-01', date '2024-09-20'), ('c', 'r16', '2024-09-01', '2024-12-01'), ('c', 'r6', '2024-09-01', NULL), ('c', 'r7', '2025-01-01', NULL);
-- Ten deals in either window (four of r15): so many of them won
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT concat('d', w.rep, p.part, slot), 'r' || w.rep, 100 * w.rep, p.closed_on - w.rep, p.closed_on, CASE WHEN slot <= p.won THEN 'won' ELSE 'lost' END
  FROM (VALUES (1, 3, 5, 10), (2, 4, 7, 10), (3, 5, 5, 10), (4, 2, 6, 10), (5, 6, 8, 10), (6, 4, 5, 10), (7, 5, 4, 10), (8, 3, 4, 10), (9, 7, 7, 10), (10, 2, 2, 10),
               (11, 5, 7, 10), (12, 6, 5, 10), (13, 1, 9, 10), (14, 1, 9, 10), (15, 0, 4, 4), (16, 6, 6, 10)) AS w (rep, before, after, deals)
 CROSS JOIN LATERAL (VALUES ('b', date '2024-05-31', w.before), ('a', date '2024-06-02', w.after), ('e', '2024-03-03', 0), ('z', '2024-08-30', 0),
                            ('-', '2024-03-02', 10), ('o', '2024-06-01', 10), ('+', '2024-08-31', 10)) AS p (part, closed_on, won)
 CROSS JOIN LATERAL generate_series(1, CASE WHEN p.part IN ('b', 'a') THEN w.deals WHEN p.part IN ('e', 'z') THEN 0 ELSE 1 END) AS slot;

-- Welch's interval of the difference of two means, which is what this comes to where all weigh alike
CREATE TEMP TABLE welch AS
WITH d (is_trained, difference) AS (VALUES (true, 0.2), (true, 0.3), (true, 0.0), (true, 0.4), (true, 0.2),
                                           (false, 0.1), (false, -0.1), (false, 0.1), (false, 0.0), (false, 0.0), (false, 0.2), (false, -0.1), (false, 0.0)),
g AS (SELECT is_trained, avg(difference) AS mean, var_samp(difference) / count(*) AS v, count(*) AS n FROM d GROUP BY is_trained)
SELECT t.mean - c.mean AS effect, sqrt(t.v + c.v) AS se, floor((t.v + c.v) ^ 2 / (t.v ^ 2 / (t.n - 1) + c.v ^ 2 / (c.n - 1)))::integer AS degrees
  FROM g t JOIN g c ON t.is_trained AND NOT c.is_trained;
SELECT results_eq($$SELECT trained_count, control_count, completed_count, pending_count, trained_before_sample_count, trained_after_sample_count, trained_before, trained_after FROM training_effect WHERE course_id = 'c' AND kpi_code = 'win_rate'$$,
                  $$VALUES (5::bigint, 8::bigint, 9::bigint, 1::bigint, 50::bigint, 50::bigint, 0.4, 0.62)$$,
                  'who counts as trained, and who can be compared with (8: r16 was not trained yet)');
SELECT results_eq($$SELECT effect, effect_low, effect_high FROM training_effect WHERE course_id = 'c' AND kpi_code = 'win_rate'$$,
                  $$SELECT round(effect, 6), round(effect - se * sales_perf.student_t_quantile(0.975, degrees)::numeric, 6), round(effect + se * sales_perf.student_t_quantile(0.975, degrees)::numeric, 6) FROM welch$$,
                  'effect and interval are those of Welch');
SELECT results_eq($$SELECT kpi_code, trained_count, control_count, is_enough, effect, note FROM training_effect WHERE course_id <> 'c' ORDER BY course_id, kpi_code$$,
                  $$VALUES ('average_deal_amount', 0::bigint, 0::bigint, false, NULL::numeric, 'not enough data: 0 trained reps and 0 to compare with, of the 5 and 5 that are needed'),
                           ('win_rate', 0, 0, false, NULL, 'not enough data: 0 trained reps and 0 to compare with, of the 5 and 5 that are needed'),
                           ('progress_rate', 0, 0, false, NULL, 'not measured: this KPI is none of those that are added up here')$$,
                  'without a skill win rate and deal size are asked for; what is not known is said in words');
SELECT is(summary_text, 'Against 8 reps without it, Win rate of 5 reps went up by 19.5 points in the 90 days after Closing deals (95 % interval 1 to 38 points): more than chance gives 95 times of 100.', 'in a sentence')
  FROM training_effect WHERE course_id = 'c' AND kpi_code = 'win_rate';
SET sales_perf.as_of = '2024-08-29';
SELECT results_eq($$SELECT completed_count, pending_count, trained_count FROM training_effect WHERE course_id = 'c' AND kpi_code = 'win_rate'$$, $$VALUES (8::bigint, 8::bigint, 0::bigint)$$, 'a day before its 90 days are over a completion does not count');
SET sales_perf.as_of = '2024-08-30';
SELECT is(trained_count, 5::bigint, 'on that day it does') FROM training_effect WHERE course_id = 'c' AND kpi_code = 'win_rate';
SET sales_perf.as_of = '2024-12-31';
DELETE FROM enrolment WHERE rep_id = 'r5';
SELECT results_eq($$SELECT trained_count, is_enough, effect, effect_low FROM training_effect WHERE course_id = 'c' AND kpi_code = 'win_rate'$$, $$VALUES (4::bigint, false, NULL::numeric, NULL::numeric)$$, 'four are not enough');

SELECT results_eq($$SELECT DISTINCT enrolment_state, rep_id FROM skill_gap WHERE skill_id = 'close' AND rep_id IN ('r1', 'r6', 'r7', 'r8') ORDER BY 2$$,
                  $$VALUES ('completed', 'r1'), ('open', 'r6'), ('none', 'r7'), ('none', 'r8')$$, 'courses of the skill');
SELECT is_empty($$SELECT * FROM skill_gap WHERE rep_id = 'r14'$$, 'who has left lacks nothing');
SELECT results_eq($$SELECT count(*), count(gap), min(note) FROM skill_gap WHERE skill_id = 'talk'$$, $$VALUES (15::bigint, 0::bigint, 'not enough data: 0 of the 1 that are needed')$$, 'a KPI of other days is not measured');
-- Everybody's cycle is his number: 1 to 13, 15 and 16; who won fewer than 8 deals is not compared
UPDATE kpi SET minimum_sample = 8 WHERE code = 'cycle_average_days';
SELECT results_eq($$SELECT value, gap, gap_robust_z, peer_count FROM skill_gap WHERE rep_id = 'r2' AND kpi_code = 'cycle_average_days'$$,
                  $$SELECT 2.0, median - 2, round((median - 2) / (1.4826 * mad), 4), n
                      FROM (SELECT max(median) AS median, percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(days - median))::numeric AS mad, count(*) AS n
                              FROM (SELECT days, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY q)::numeric
                                                    FROM (SELECT substr(rep_id, 2)::integer AS q FROM deal WHERE outcome = 'won' AND rep_id <> 'r14' GROUP BY rep_id HAVING count(*) >= 8) AS x) AS median
                                      FROM (SELECT substr(rep_id, 2)::integer AS days FROM deal WHERE outcome = 'won' AND rep_id <> 'r14' GROUP BY rep_id HAVING count(*) >= 8) AS y) AS z) AS w$$,
                  'fewer days are better: the gap is above 0');

-- ---------------------------------------------------------------- generated deals

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SELECT sales_perf.generate_demo('sales', 8000, 3) \gset
INSERT INTO skill (skill_id, name) VALUES ('s', 'All');
INSERT INTO skill_kpi SELECT 's', code FROM kpi WHERE code IN ('win_rate', 'average_deal_amount', 'cycle_average_days', 'won_count', 'lost_count', 'closed_count', 'lost_amount', 'win_rate_amount');
CREATE VIEW own_row AS SELECT rep_id, closed_on AS on_date, 1 AS numerator FROM deal_as_of WHERE outcome = 'won' AND NOT is_open;
SELECT register_kpi('own_wins', 'Own wins', 'own_row', 'count', 'up') \gset
INSERT INTO skill_kpi VALUES ('s', 'own_wins');
INSERT INTO course (course_id, name, skill_id) SELECT 'c' || n, 'Course ' || n, 's' FROM generate_series(1, 2) AS n;
INSERT INTO enrolment (course_id, rep_id, assigned_on, completed_on)
SELECT c.course_id, r.rep_id, '2023-01-01', date '2023-10-01' + (sales_perf.demo_random(5, no * 1000 + c.n, 1) * 8)::integer * 47
  FROM (SELECT rep_id, row_number() OVER (ORDER BY rep_id) AS no FROM rep) AS r, (VALUES ('c1', 1), ('c2', 2)) AS c (course_id, n)
 WHERE sales_perf.demo_random(5, no * 1000 + c.n, 2) < 0.5;
-- beside those that the demo has of its own
CREATE TEMP TABLE effect AS SELECT * FROM training_effect WHERE course_id IN ('c1', 'c2');
-- The same from the deals, window by window, one KPI a row.
CREATE TEMP TABLE plain AS
WITH w AS (SELECT DISTINCT course_id, completed_on FROM enrolment WHERE completed_on + 90 <= '2024-12-31' AND course_id IN ('c1', 'c2')),
v AS (
    SELECT w.course_id, w.completed_on, r.rep_id, e.completed_on = w.completed_on IS TRUE AS is_trained, k.*
      FROM w
     CROSS JOIN rep r
      LEFT JOIN enrolment e ON e.course_id = w.course_id AND e.rep_id = r.rep_id
     CROSS JOIN LATERAL (
            SELECT side,
                   count(*) FILTER (WHERE d.outcome = 'won') AS won, count(d.deal_id) AS closed, sum(d.reporting_amount) FILTER (WHERE d.outcome = 'won') AS amount,
                   count(d.reporting_amount) FILTER (WHERE d.outcome = 'won') AS priced
              FROM (VALUES ('b', w.completed_on - 90, w.completed_on - 1), ('a', w.completed_on + 1, w.completed_on + 90)) AS s (side, first_day, last_day)
              LEFT JOIN deal_as_of d ON d.rep_id = r.rep_id AND NOT d.is_open AND d.closed_on BETWEEN s.first_day AND s.last_day
             GROUP BY side) AS k
     WHERE (r.hired_on IS NULL OR r.hired_on <= w.completed_on - 90)
       AND (r.left_on IS NULL OR r.left_on >= w.completed_on + 90)
       AND (e.completed_on IS NULL OR e.completed_on = w.completed_on OR e.completed_on > w.completed_on + 90)
),
kpis AS (
    SELECT b.course_id, b.completed_on, b.rep_id, b.is_trained, x.*
      FROM v b
      JOIN v a USING (course_id, completed_on, rep_id)
     CROSS JOIN LATERAL (VALUES ('win_rate', b.won::numeric / nullif(b.closed, 0), a.won::numeric / nullif(a.closed, 0), 1 / nullif(1.0 / nullif(b.closed, 0) + 1.0 / nullif(a.closed, 0), 0), least(a.closed, b.closed) >= 5),
                                ('average_deal_amount', b.amount / nullif(b.priced, 0), a.amount / nullif(a.priced, 0), 1 / nullif(1.0 / nullif(b.priced, 0) + 1.0 / nullif(a.priced, 0), 0), least(a.priced, b.priced) >= 5),
                                ('closed_count', b.closed, a.closed, 1, true),
                                ('own_wins', b.won, a.won, 1, true)) AS x (kpi_code, before, after, weight, is_enough)
     WHERE b.side = 'b' AND a.side = 'a' AND x.is_enough
),
base AS (
    SELECT course_id, kpi_code, completed_on, sum(weight * (after - before)) / sum(weight) AS change FROM kpis WHERE NOT is_trained GROUP BY 1, 2, 3 HAVING count(*) >= 5
)
SELECT course_id, kpi_code, count(*) AS trained_count, sum(k.weight * (k.after - k.before - b.change)) / sum(k.weight) AS effect
  FROM kpis k
  JOIN base b USING (course_id, kpi_code, completed_on)
 WHERE k.is_trained
 GROUP BY 1, 2;
SELECT results_eq($$SELECT course_id, kpi_code, trained_count, effect FROM effect WHERE kpi_code IN ('win_rate', 'average_deal_amount', 'closed_count', 'own_wins') AND is_enough ORDER BY 1, 2$$,
                  $$SELECT course_id, kpi_code, trained_count, round(effect, 6) FROM plain WHERE trained_count >= 5 ORDER BY 1, 2$$, 'effects are those that plain SQL finds');
SELECT cmp_ok(count(*), '>=', 4::bigint, 'which are some') FROM plain WHERE trained_count >= 5;
SELECT is_empty($$SELECT * FROM effect WHERE is_enough AND abs(effect - (trained_after - trained_before - control_after + control_before)) > 0.00001$$, 'an effect is the difference of the differences beside it');
SELECT is_empty($$SELECT * FROM effect WHERE is_enough AND NOT coalesce(effect_low <= effect AND effect <= effect_high, false)$$, 'in its interval');
SELECT is_empty($$SELECT * FROM effect o JOIN effect b USING (course_id) WHERE o.kpi_code = 'own_wins' AND b.kpi_code = 'won_count' AND (o.effect, o.effect_low) IS DISTINCT FROM (b.effect, b.effect_low)$$, 'a KPI of your own is measured like a built-in one');
CREATE TEMP TABLE gap AS SELECT * FROM skill_gap;
SELECT is(count(*), (SELECT count(*) FROM skill_kpi) * (SELECT count(*) FROM rep WHERE left_on IS NULL OR left_on >= '2024-12-31'), 'a gap for each rep who is here and each KPI') FROM gap;
SELECT set_eq($$SELECT rep_id, kpi_code, numerator, denominator, sample_count, value FROM gap$$,
              $$SELECT rep_id, kpi_code, k.numerator, k.denominator, coalesce(k.sample_count, 0), k.value
                  FROM rep r JOIN skill_kpi s ON true LEFT JOIN kpi_between('2024-01-01', '2024-12-31') k USING (kpi_code)
                 WHERE k.level = 'rep' AND k.entity_id = r.rep_id AND (left_on IS NULL OR left_on >= '2024-12-31')$$, 'with the value that kpi_between gives for twelve months');
SELECT is_empty($$SELECT g.kpi_code FROM gap g LEFT JOIN (SELECT kpi_code, percentile_cont(0.5) WITHIN GROUP (ORDER BY value::double precision) AS median FROM gap WHERE is_enough GROUP BY 1) AS p USING (kpi_code)
                   WHERE g.is_enough AND NOT coalesce(abs(g.peer_median - p.median::numeric) <= 1e-9 * abs(g.peer_median), false)$$, 'medians as percentile_cont finds them');
SELECT is_empty($$SELECT kpi_code FROM gap WHERE is_enough AND gap <> CASE WHEN kpi_code IN ('cycle_average_days', 'lost_count', 'lost_amount') THEN peer_median - value ELSE value - peer_median END$$, 'gaps are above 0 where the rep is better');
SELECT is_empty($$SELECT kpi_code, rep_id FROM gap WHERE is_enough <> (gap IS NOT NULL) OR is_enough <> (note IS NULL)$$, 'no gap where there is not enough data');
SELECT near(gap_robust_z::double precision, (gap / (1.4826 * (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(gap)) FROM gap WHERE is_enough AND kpi_code = 'win_rate')::numeric))::double precision, 'robust z', 0.001)
  FROM gap WHERE is_enough AND kpi_code = 'win_rate' ORDER BY rep_id LIMIT 1;
SELECT * FROM finish();
