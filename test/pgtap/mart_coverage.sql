-- coverage: by hand, and on generated deals against plain SQL over deal_as_of.
SELECT plan(27);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-05-15';
INSERT INTO team (team_id, name, parent_team_id) VALUES ('world', 'World', NULL), ('north', 'North', 'world'), ('south', 'South', 'world');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'south'), ('cid', 'Cid', 'south');
INSERT INTO stage (stage_no, stage_id, name, is_open, default_chance) VALUES (1, 'early', 'Early', true, 0.2), (2, 'late', 'Late', true, 0.5), (3, 'odd', 'Odd', true, NULL), (4, 'won', 'Won', false, NULL);
INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('ann', '2025-04-01', '2025-06-30', 1000), ('bob', '2025-04-01', '2025-06-30', 500);
INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, expected_close_on, outcome, closed_on, recorded_at)
VALUES ('won a', 'ann', 'won', 400, '2025-01-01', NULL, 'won', '2025-04-01', '2025-01-01'), ('won b', 'bob', 'won', 600, '2025-01-01', NULL, 'won', '2025-05-15', '2025-01-01'), ('won c', 'cid', 'won', 50, '2025-01-01', NULL, 'won', '2025-05-15', '2025-01-01'),
       ('won before', 'ann', 'won', 999, '2025-01-01', NULL, 'won', '2025-03-31', '2025-01-01'), ('won later', 'ann', 'won', 100, '2025-01-01', '2025-06-30', 'won', '2025-05-16', '2025-01-01'),
       ('overdue', 'ann', 'early', 300, '2025-01-01', '2025-04-30', 'open', NULL, '2025-01-01'), ('due', 'ann', 'late', 600, '2025-01-01', '2025-06-30', 'open', NULL, '2025-01-01'),
       ('later', 'ann', 'late', 5000, '2025-01-01', '2025-07-01', 'open', NULL, '2025-01-01'), ('undated', 'ann', 'late', 70, '2025-01-01', NULL, 'open', NULL, '2025-01-01'),
       ('odd', 'bob', 'odd', 80, '2025-01-01', '2025-06-01', 'open', NULL, '2025-01-01'), ('unpriced', 'bob', 'late', NULL, '2025-01-01', '2025-06-01', 'open', NULL, '2025-01-01'),
       ('nobody''s', NULL, 'late', 10, '2025-01-01', '2025-06-01', 'open', NULL, '2025-01-01');
CREATE TEMP VIEW c AS SELECT * FROM coverage WHERE grain = 'quarter';
SELECT results_eq(
    $$SELECT rep_name, quota_amount, won_amount, remaining_amount, is_attained, pipeline_amount, coverage_ratio, due_count, total_pipeline_amount, open_count FROM c WHERE level = 'rep' ORDER BY 1$$,
    $$VALUES ('(no rep)', NULL, 0.0, NULL, NULL, 10.0, NULL, 1::bigint, 10.0, 1::bigint),
             ('Ann', 1000.00, 400, 600.00, false, 1000, 1000.0::float8 / 600, 3, 6070, 5), ('Bob', 500.00, 600, -100.00, true, 80, NULL, 2, 80, 2), ('Cid', NULL, 0, NULL, NULL, 0, NULL, 0, 0, 0)$$,
    'reps: what is due, overdue too, by what is missing; NULL where that is nothing');
SELECT results_eq(
    $$SELECT team_id, quota_amount, won_amount, remaining_amount, is_attained, pipeline_amount, coverage_ratio FROM c WHERE level = 'team' ORDER BY 1$$,
    $$VALUES ('north', 1000.00, 400.0, 600.00, false, 1000.0, 1000.0::float8 / 600), ('south', 500.00, 600, -100.00, true, 80, NULL), ('world', 1500.00, 1000, 500.00, false, 1080, 1080.0::float8 / 500)$$,
    'teams');
SELECT results_eq($$SELECT quota_amount, won_amount, remaining_amount, is_attained, pipeline_amount, coverage_ratio, open_count FROM c WHERE level = 'company'$$,
                  $$VALUES (1500.00, 1000.0, 500.00, false, 1090.0, 1090.0::float8 / 500, 8::bigint)$$, 'the company, with what is nobody''s; what is won without a quota does not count');
SELECT results_eq($$SELECT weighted_pipeline_amount, unweighted_amount, weighted_coverage_ratio FROM c WHERE level = 'company'$$, $$VALUES (60 + 300 + 5.0, 180.0, 365.0::float8 / 500)$$, 'weighted by the chance of the stage; what has none, or no known stage, stands apart');
SELECT results_eq($$SELECT largest_deal_amount, largest_deal_rate, concentration FROM c WHERE rep_id = 'ann'$$, $$VALUES (600.0, 0.6::float8, 0.46::float8)$$, 'how much hangs on one deal');
SELECT results_eq($$SELECT grain, coverage_ratio IS NOT NULL, is_complete FROM coverage WHERE level = 'company' ORDER BY 1$$, $$VALUES ('month', false, false), ('quarter', true, false), ('year', false, false)$$, 'one month, one quarter, one year; in two of them nothing is missing');
SELECT is(pipeline_amount, 300.0, 'what is due within the month') FROM coverage WHERE grain = 'month' AND level = 'company';
UPDATE deal SET currency = 'JPY' WHERE deal_id = 'due';
DELETE FROM deal_change;
SELECT results_eq($$SELECT pipeline_amount, due_count FROM c WHERE rep_id = 'ann'$$, $$VALUES (400.0, 3::bigint)$$, 'without a rate there is no amount');
SET sales_perf.as_of = '2025-06-30';
SELECT is(is_complete, true, 'on its last day a period is complete and still here') FROM c WHERE level = 'company';
SELECT is(coverage_ratio, (300 / (1000 - 500.0))::float8, 'as of then, with what was won since') FROM c WHERE rep_id = 'ann';
UPDATE deal SET amount = NULL WHERE deal_id = 'overdue';
DELETE FROM deal_change;
SELECT is(coverage_ratio, 0::float8, 'nothing due is 0, not NULL') FROM c WHERE rep_id = 'ann';
SET sales_perf.as_of = '2025-05-15';

-- ---------------------------------------------------------------- stalled: longer in the stage than nine of ten

DELETE FROM deal;
INSERT INTO deal (deal_id, rep_id, amount, opened_on, outcome, closed_on, recorded_at) SELECT 'd' || n, 'ann', 1, '2025-01-01', 'won', date '2025-01-01' + 2 * n, '2025-01-01' FROM generate_series(1, 11) AS n;
-- 10, 20 ... 100 and 110 % of ten days in the first stage, as many in the second
INSERT INTO stage_event (deal_id, stage_id, entered_on) SELECT 'd' || n, s, CASE s WHEN 'early' THEN date '2025-01-01' ELSE date '2025-01-01' + n END FROM generate_series(1, 11) AS n, unnest(ARRAY['early', 'late']) AS s;
SELECT results_eq($$SELECT stage_id, visit_count, stage_p90_days FROM stage_stall ORDER BY 1$$, $$VALUES ('early', 11::bigint, 10::float8), ('late', 11, 10)$$, 'nine of ten visits end within ten days');
INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, outcome, recorded_at)
VALUES ('o1', 'ann', 'early', 1, '2025-05-05', 'open', '2025-05-05'), ('o2', 'ann', 'early', 1, '2025-05-04', 'open', '2025-05-04'), ('o3', 'bob', 'odd', 1, '2025-01-01', 'open', '2025-01-01'), ('o4', 'bob', 'late', 1, '2025-01-01', 'open', '2025-01-01');
SELECT results_eq($$SELECT rep_id, stalled_count, aged_count, stalled_rate FROM c WHERE level = 'rep' ORDER BY 1$$,
                  $$VALUES ('ann', 1::bigint, 2::bigint, 0.5::float8), ('bob', 1, 1, 1), ('cid', 0, 0, NULL)$$, 'ten days are not too long, eleven are; of a stage without history nothing is known');
UPDATE stage_event SET entered_on = '-infinity' WHERE deal_id = 'o1';
SELECT results_eq($$SELECT stalled_count, aged_count FROM c WHERE rep_id = 'ann'$$, $$VALUES (1::bigint, 1::bigint)$$, 'nor of a deal that entered its stage on no day that there is');

-- ---------------------------------------------------------------- generated deals

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SELECT sales_perf.generate_demo('sales', 8000, 21) \gset
DELETE FROM quota; DELETE FROM team_membership;
INSERT INTO quota (rep_id, first_day, last_day, amount) SELECT rep_id, '2025-01-01', '2025-12-31', 1500000 FROM rep WHERE hashtext(rep_id) % 4 <> 0;
INSERT INTO team_membership (rep_id, team_id, valid) SELECT r.rep_id, t.team_id, CASE k WHEN 1 THEN daterange(NULL, '2025-05-01') ELSE daterange('2025-05-01', NULL) END
  FROM rep r, generate_series(1, 2) AS k, LATERAL (SELECT team_id FROM team ORDER BY hashtext(team_id || rep_id || k) LIMIT 1) AS t WHERE hashtext(rep_id) % 3 = 0;
CREATE TABLE plain AS
SELECT d.*, s.default_chance, (SELECT m.team_id FROM rep_team m WHERE m.rep_id = d.rep_id AND '2025-05-15' BETWEEN m.valid_from AND m.valid_to) AS team_id FROM deal_as_of d LEFT JOIN stage s USING (stage_id) WHERE d.is_open;
SELECT set_eq($$SELECT grain, rep_id, pipeline_amount, weighted_pipeline_amount, due_count, total_pipeline_amount, open_count FROM coverage WHERE level = 'rep' AND open_count > 0$$,
              $$SELECT grain, rep_id, coalesce(sum(reporting_amount) FILTER (WHERE due), 0) AS a, coalesce(sum(reporting_amount * default_chance::numeric) FILTER (WHERE due), 0) AS b, count(*) FILTER (WHERE due) AS c, coalesce(sum(reporting_amount), 0) AS d, count(*) AS e
                  FROM period CROSS JOIN LATERAL (SELECT *, coalesce(expected_close_on <= period_end, false) AS due FROM plain) AS p WHERE period_end >= '2025-05-15' GROUP BY 1, 2$$, 'each rep''s pipeline');
SELECT set_eq($$SELECT grain, team_id, pipeline_amount, largest_deal_amount, due_count FROM coverage WHERE level = 'team' AND due_count > 0$$,
              $$SELECT grain, tree.team_id, sum(coalesce(reporting_amount, 0)) AS a, coalesce(greatest(max(reporting_amount), 0), 0) AS b, count(*) AS c
                  FROM period JOIN plain ON expected_close_on <= period_end JOIN team_tree tree ON tree.member_team_id = plain.team_id WHERE period_end >= '2025-05-15' GROUP BY 1, 2$$, 'each team''s, as teams are on that day');
SELECT set_eq($$SELECT grain, pipeline_amount, total_pipeline_amount, open_count FROM coverage WHERE level = 'company'$$,
              $$SELECT grain, sum(reporting_amount) FILTER (WHERE expected_close_on <= period_end) AS a, sum(reporting_amount) AS b, count(*) AS c FROM period CROSS JOIN plain WHERE period_end >= '2025-05-15' GROUP BY 1$$, 'the company''s');
SELECT set_eq($$SELECT level, CASE WHEN level = 'team' THEN team_id END AS team_id, rep_id, grain, quota_amount, won_amount, remaining_amount FROM coverage WHERE NOT (level = 'rep' AND rep_id IS NULL)$$,
              $$SELECT level, CASE WHEN level = 'team' THEN team_id END, rep_id, grain, quota_amount, credited_amount - untargeted_amount AS a, quota_amount - credited_amount + untargeted_amount AS b
                  FROM quota_attainment WHERE period_end >= '2025-05-15' AND NOT (level = 'rep' AND rep_id IS NULL)$$, 'quotas and what was won towards them are those of quota_attainment');
SELECT is((SELECT end_amount FROM pipeline_waterfall WHERE level = 'company' AND grain = 'quarter' AND period_label = '2025-Q2'), pipeline_amount, 'the pipeline is the one in which the waterfall ends') FROM coverage WHERE level = 'company' AND grain = 'quarter';
SELECT is_empty($$SELECT * FROM coverage WHERE level = 'rep' AND concentration IS NOT NULL AND (abs(concentration - (SELECT sum((reporting_amount / pipeline_amount) ^ 2) FROM plain p WHERE p.rep_id = coverage.rep_id AND expected_close_on <= period_end AND reporting_amount > 0)) < 1e-9) IS NOT TRUE AND rep_id IS NOT NULL$$,
                'concentration is the sum of squared shares');
SELECT is(pipeline_amount, total_pipeline_amount, 'all that has a day is due within the year, or later') FROM (SELECT least(pipeline_amount, total_pipeline_amount) AS pipeline_amount, pipeline_amount AS total_pipeline_amount FROM coverage WHERE level = 'company' AND grain = 'year') AS y;
SELECT results_eq($$SELECT sum(stalled_count)::bigint, sum(aged_count)::bigint FROM coverage WHERE level = 'rep' AND grain = 'month'$$, $$SELECT stalled_count, aged_count FROM coverage WHERE level = 'company' AND grain = 'month'$$, 'stalled deals of reps add up');
SELECT results_eq($$SELECT stalled_count, aged_count FROM coverage WHERE level = 'company' AND grain = 'year'$$,
                  $$SELECT count(*) FILTER (WHERE date '2025-05-15' - stage_entered_on > stage_p90_days), count(*) FROM plain JOIN stage_stall USING (stage_id) WHERE stage_entered_on IS NOT NULL$$, 'counted one by one');
SELECT results_eq(
    $$SELECT stage_id, visit_count, stage_p90_days FROM stage_stall ORDER BY 1$$,
    $$SELECT stage_id, count(*), percentile_cont(0.9) WITHIN GROUP (ORDER BY ended - entered_on)
        FROM (SELECT e.stage_id, e.entered_on,
                     coalesce((SELECT n.entered_on FROM stage_event n
                                WHERE n.deal_id = e.deal_id AND (n.entered_on, n.entered_at, n.stage_event_id) > (e.entered_on, e.entered_at, e.stage_event_id) AND n.entered_on <= d.closed_on
                                ORDER BY n.entered_on, n.entered_at, n.stage_event_id LIMIT 1), d.closed_on) AS ended
                FROM stage_event e JOIN deal_as_of d USING (deal_id)
               WHERE NOT d.is_open AND d.closed_on > '2024-05-15' AND e.entered_on <= d.closed_on AND NOT e.is_assumed) AS v
        JOIN stage USING (stage_id) WHERE is_open GROUP BY 1 ORDER BY 1$$,
    'how long is long: from the visits of the deals closed in twelve months, one by one');

-- ---------------------------------------------------------------- how much is read

\ir fixture/rows_read.sql
SET max_parallel_workers_per_gather = 0;
SET random_page_cost = 1.1;
DELETE FROM deal_credit;
ANALYZE calendar; ANALYZE mart_setting; ANALYZE fx_rate; ANALYZE quota; ANALYZE deal_credit; ANALYZE team_membership;
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT coverage_ratio, weighted_coverage_ratio FROM coverage WHERE level = 'company' AND grain = 'quarter'$$),
              '<=', (SELECT 2 * count(*) FILTER (WHERE outcome = 'open' OR closed_on > '2025-05-15') + count(*) FILTER (WHERE closed_on >= '2025-04-01') FROM deal), 'the open deals, and those closed in the quarter');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT coverage_ratio FROM coverage WHERE grain = 'quarter' AND rep_id = 'R007'$$),
              '<=', (SELECT 2 * count(*) FILTER (WHERE outcome = 'open' OR closed_on >= '2025-04-01') + 100 FROM deal WHERE rep_id = 'R007'), 'a rep''s are his');
SELECT is(pg_temp.rows_read('stage_event', $$SELECT coverage_ratio, concentration FROM coverage WHERE level = 'company' AND grain = 'quarter'$$) < (SELECT count(*) FROM stage_event) / 4, true, 'stages are looked at for stalled deals only');

SELECT * FROM finish();
