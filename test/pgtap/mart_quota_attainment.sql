-- quota_attainment: by hand, against plain SQL over splits and moves, and how much is read for it.
SELECT plan(41);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-03-31';

INSERT INTO team (team_id, name, parent_team_id) VALUES ('world', 'World', NULL), ('north', 'North', 'world'), ('south', 'South', 'world'), ('west', 'West', 'world');
INSERT INTO rep (rep_id, name, team_id, hired_on) VALUES ('ann', 'Ann', 'north', NULL), ('bob', 'Bob', 'north', NULL), ('cid', 'Cid', 'north', '2025-02-01'), ('dan', 'Dan', 'south', NULL),
       ('eve', 'Eve', 'south', NULL), ('fay', 'Fay', 'west', NULL), ('oli', 'Overlay', 'north', NULL);
INSERT INTO rep_leave (rep_id, valid, share) VALUES ('bob', '[2025-03-01,2025-03-31]', 0.5);
-- from March on Eve is in the north; her quota and what she sells go along
SELECT move_rep('eve', 'north', '2025-03-01') \gset
INSERT INTO quota (level, rep_id, first_day, last_day, amount) SELECT 'rep', r, '2025-01-01', '2025-03-31', 9000 FROM unnest(ARRAY['ann', 'bob', 'cid', 'eve']) AS r;
INSERT INTO quota (level, rep_id, first_day, last_day, amount, is_overlay) VALUES ('rep', 'oli', '2025-01-01', '2025-03-31', 1000, true);
INSERT INTO quota (level, team_id, first_day, last_day, amount) VALUES ('team', 'west', '2025-01-01', '2025-03-31', 4500), ('team', 'north', '2025-01-01', '2025-03-31', 20000);
INSERT INTO quota (level, first_day, last_day, amount) VALUES ('company', '2025-01-01', '2025-03-31', 30000);
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on, recorded_at)
SELECT d.*, 'won', '2025-01-01', c, '2025-01-01' FROM (VALUES ('a1', 'ann', 6000), ('a2', 'ann', 4000), ('b1', 'bob', 5000), ('c1', 'cid', 3000), ('d1', 'dan', 700), ('e1', 'eve', 2000), ('e2', 'eve', 8000), ('f1', 'fay', 900), ('n1', NULL, 50),
       ('x1', 'ann', 99999)) AS d (deal_id, rep_id, amount)
  JOIN (VALUES ('a1', date '2025-01-10'), ('a2', '2025-03-31'), ('b1', '2025-02-01'), ('c1', '2025-02-20'), ('d1', '2025-02-10'), ('e1', '2025-02-28'), ('e2', '2025-03-01'), ('f1', '2025-03-03'), ('n1', '2025-01-01'), ('x1', '2025-04-01')) AS w (id, c) ON id = deal_id;
-- half of Ann's first deal goes to Dan, who has no quota; Oli works on top
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) VALUES ('a1', 'ann', 0.5, false), ('a1', 'dan', 0.5, false), ('a1', 'oli', 0.1, true), ('b1', 'oli', 0.1, true);

CREATE TEMP VIEW q AS SELECT * FROM quota_attainment WHERE grain = 'quarter' AND period_label = '2025-Q1';
SELECT results_eq(
    $$SELECT rep_name, quota_amount, credited_amount, untargeted_amount, attainment_rate, attainment_gap_amount, is_full_quota FROM q WHERE level = 'rep' ORDER BY 1$$,
    $$VALUES ('(no rep)', NULL, 50.0, 50.0, NULL, NULL, false), ('Ann', 9000.00, 7000.0, 0, 7.0::float8 / 9, 2000.00, true), ('Bob', 7450.00, 5000, 0, 5000.0::float8 / 7450, 2450.00, false),
             ('Cid', 5900.00, 3000, 0, 3000.0::float8 / 5900, 2900.00, false), ('Dan', NULL, 3700.0, 3700.0, NULL, NULL, false), ('Eve', 9000.00, 10000, 0, 10.0::float8 / 9, -1000.00, true),
             ('Fay', NULL, 900, 900, NULL, NULL, false), ('Overlay', NULL, 0, 0, NULL, NULL, false)$$,
    'reps: leave and hiring lower quotas, splits share credit, Eve''s is whole');
SELECT results_eq($$SELECT overlay_quota_amount, overlay_credited_amount, overlay_attainment_rate FROM q WHERE rep_id = 'oli'$$, $$VALUES (1000.00, 1100.0, 1.1::float8)$$, 'an overlay stands apart');
SELECT results_eq($$SELECT sum(overlay_credited_amount) FROM q WHERE level = 'rep' AND rep_id <> 'oli'$$, $$VALUES (0.0)$$, 'of nobody else');
SELECT results_eq(
    $$SELECT team_id, quota_amount, credited_amount, untargeted_amount, targeted_rep_count, full_rep_count, attained_rep_count, assigned_amount FROM q WHERE level = 'team' ORDER BY 1$$,
    $$VALUES ('north', 9000 + 7450 + 5900 + 3100.00, 7000 + 5000 + 3000 + 8000.0, 0.0, 4::bigint, 1::bigint, 0::bigint, 20000.00),
             ('south', 5900.00, 3700 + 2000.0, 3700.0, 1::bigint, 0::bigint, 0::bigint, NULL),
             ('west', 4500.00, 900.0, 0.0, 0::bigint, 0::bigint, 0::bigint, 4500.00),
             ('world', 35850.00, 29600.0, 3700.0, 4::bigint, 2::bigint, 1::bigint, NULL)$$,
    'teams: Eve counts where she was; where no rep has a quota the team''s stands in, and is what credit goes to');
SELECT results_eq(
    $$SELECT quota_amount, credited_amount, untargeted_amount, attainment_rate, assigned_amount, assigned_attainment_rate, targeted_rep_count, full_rep_count, attained_rep_count, attained_rep_rate FROM q WHERE level = 'company'$$,
    $$VALUES (35850.00, 29650.0, 3750.0, 25900.0::float8 / 35850, 30000.00, 29650.0::float8 / 30000, 4::bigint, 2::bigint, 1::bigint, 0.5::float8)$$,
    'the company: sum by sum, what has no quota counted apart; its own quota stands beside');
SELECT ok(abs(attainment_median - (5.0 / 7.450 + 7.0 / 9) / 2) < 0.00006, 'the median over reps') FROM q WHERE level = 'company';
SELECT ok(abs(attainment_gini - (SELECT (sum(abs(a.rate - b.rate)) / (2 * 4 * 4 * avg(a.rate)))
                                   FROM unnest(ARRAY[7.0 / 9, 5.0 / 7.45, 3.0 / 5.9, 10.0 / 9]) AS a (rate), unnest(ARRAY[7.0 / 9, 5.0 / 7.45, 3.0 / 5.9, 10.0 / 9]) AS b (rate))) < 0.0002,
          'and the Gini coefficient: mean difference / 2 mean') FROM q WHERE level = 'company';
SELECT is(attainment_rate, 8000::float8 / 3100, 'a rep''s part in a team is measured by the quota of those days') FROM attainment_of_rep('2025-01-01', '2025-03-31', true), LATERAL (SELECT (credited_amount / quota_amount)::float8 AS attainment_rate) AS r WHERE team_id = 'north' AND rep_id = 'eve';
SET sales_perf.as_of = '2025-02-28';
SELECT results_eq($$SELECT quota_amount, credited_amount, is_complete FROM q WHERE rep_id = 'ann'$$, $$VALUES (9000.00, 3000.0, false)$$, 'in a period that is not over the quota is the whole one, credit is what there is');
SET sales_perf.as_of = '2025-03-31';
SELECT is((SELECT team_id FROM q WHERE rep_id = 'eve'), 'north', 'a rep is shown with the team of the last day');
SELECT results_eq($$SELECT level, team_id, rep_id, quota_amount, credited_amount FROM attainment_between('2025-01-01', '2025-03-31') ORDER BY 1, 2, 3$$,
                  $$SELECT level, CASE WHEN level = 'team' THEN team_id END, rep_id, quota_amount, credited_amount FROM q ORDER BY 1, 2, 3$$, 'attainment_between gives the same for any days');
UPDATE deal SET outcome = 'lost' WHERE rep_id = 'fay';
DELETE FROM deal_change;
SELECT results_eq($$SELECT attainment_rate, attainment_gap_amount, attained_rep_rate, attainment_median FROM q WHERE team_id = 'west' AND level = 'team'$$, $$VALUES (0::float8, 4500.00, NULL::float8, NULL::float8)$$, 'nothing reached is 0, of no rep nothing is known');
-- sales where there are no deals
DELETE FROM deal;
INSERT INTO sale (sale_id, rep_id, sold_on, amount) VALUES ('s1', 'ann', '2025-03-31', 4500), ('s2', NULL, '2025-01-01', 10), ('s3', 'ann', '2025-04-01', 1);
SELECT results_eq($$SELECT rep_id, credited_amount, attainment_rate FROM q WHERE level = 'rep' AND credited_amount > 0 ORDER BY 1$$, $$VALUES ('ann', 4500.0, 0.5::float8), (NULL, 10, NULL)$$, 'in a mart without deals sales are what counts');

-- ---------------------------------------------------------------- season_from_history

SELECT throws_ok($$SELECT season_from_history('s', '2025-01-01', '2025-12-31')$$, '22023', 'no fiscal year lies from 2025-01-01 to 2025-12-31 and is over as of 2025-03-31', 'a year that is not over is none');
SELECT throws_ok($$SELECT season_from_history('s', '2024-01-01', '2024-12-31')$$, 'P0002', 'nothing was booked in fiscal period 1 from 2024-01-01 to 2024-12-31', 'nor one without bookings');
SELECT throws_ok($$SELECT season_from_history(NULL, '2024-01-01', '2024-12-31')$$, '22004', NULL, 'a season has a name');
INSERT INTO sale (sale_id, rep_id, sold_on, amount) SELECT y || '-' || n, 'ann', make_date(y, n, 15), 100 * n FROM generate_series(1, 12) AS n, unnest(ARRAY[2022, 2023, 2024]) AS y;
UPDATE sale SET amount = 1400 WHERE sale_id = '2022-1';
SELECT is(season_from_history('s', '2022-06-01', '2025-02-01'), 12, 'whole years are taken');
SELECT results_eq($$SELECT fiscal_period, weight FROM season_shape WHERE season_id = 's' ORDER BY 1$$, $$SELECT n, round(n / 78.0, 12) FROM generate_series(1, 12) AS n$$, 'each period''s share of what was booked');
SELECT is(season_from_history('s', '2022-01-01', '2024-12-31'), 12, 'and replaced');
SELECT is(weight, round(1600 / 24700.0, 12), 'by all years together') FROM season_shape WHERE season_id = 's' AND fiscal_period = 1;
SELECT build_calendar('2023-02-01', '2025-01-31', 2) \gset
SELECT throws_ok($$SELECT season_from_history('s', '2022-01-01', '2025-03-31')$$, '22023', 'fiscal year "2023 (short)" has the days from 2023-01-01 to 2023-01-31 alone, the others are another calendar''s',
                 'years of two calendars make no season: the first period would be January here and February there');
SELECT is(season_from_history('s', '2023-02-01', '2025-03-31'), 12, 'those of one do');
SELECT is(weight, round(400 / 15510.0, 12), 'its first period is February') FROM season_shape WHERE season_id = 's' AND fiscal_period = 1;

-- ---------------------------------------------------------------- whose figures a quota that stands in counts in

SELECT sales_perf.create_mart('above') \gset
SET search_path = above, public;
INSERT INTO team (team_id, name, parent_team_id) VALUES ('world', 'World', NULL), ('south', 'South', 'world');
INSERT INTO rep (rep_id, name, team_id) VALUES ('dan', 'Dan', 'south'), ('eve', 'Eve', 'south');
INSERT INTO quota (rep_id, first_day, last_day, amount) VALUES ('eve', '2025-02-01', '2025-03-31', 5900);
INSERT INTO deal (deal_id, rep_id, amount, outcome, opened_on, closed_on, recorded_at) VALUES ('1', 'eve', 2000, 'won', '2025-01-01', '2025-02-10', '2025-01-01'), ('2', 'dan', 3700, 'won', '2025-01-01', '2025-02-10', '2025-01-01');
INSERT INTO quota (level, first_day, last_day, amount) VALUES ('company', '2025-01-01', '2025-03-31', 9000);
CREATE TEMP VIEW above_q AS SELECT level, team_id, quota_amount, untargeted_amount, attainment_rate FROM quota_attainment WHERE grain = 'quarter' AND period_label = '2025-Q1' AND level <> 'rep';
SELECT results_eq('TABLE above_q ORDER BY 1, 2',
                  $$VALUES ('company', NULL, 9000.00, 0::numeric, 5700::float8 / 9000), ('team', 'south', 5900.00, 3700.0, 2000::float8 / 5900), ('team', 'world', 5900.00, 3700.0, 2000::float8 / 5900)$$,
                  'the company''s in its own: teams, whose quotas it is no part of, count apart whom they gave none');
UPDATE quota SET level = 'team', team_id = 'world' WHERE level = 'company';
SELECT results_eq('TABLE above_q ORDER BY 1, 2',
                  $$VALUES ('company', NULL, 9000.00, 0::numeric, 5700::float8 / 9000), ('team', 'south', 5900.00, 3700.0, 2000::float8 / 5900), ('team', 'world', 9000.00, 0, 5700::float8 / 9000)$$,
                  'a team''s in its own and in the company''s, not in those of the teams below');
UPDATE quota SET team_id = 'south' WHERE level = 'team';
SELECT results_eq('TABLE above_q ORDER BY 1, 2',
                  $$VALUES ('company', NULL, 9000.00, 0::numeric, 5700::float8 / 9000), ('team', 'south', 9000.00, 0, 5700::float8 / 9000), ('team', 'world', 9000.00, 0, 5700::float8 / 9000)$$,
                  'and in those of the teams above');

-- ---------------------------------------------------------------- splits and moves on generated deals, against plain SQL

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 8000, 5) \gset
\ir fixture/plain_demo.sql
CREATE FUNCTION pg_temp.draw(n bigint, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$SELECT ((hashint8extended(n, 815) & 2147483647) % below)::integer$$;
DELETE FROM deal_credit; DELETE FROM team_membership; DELETE FROM quota;
UPDATE rep SET team_id = NULL WHERE rep_id IN ('R020', 'R021');
INSERT INTO team_membership (rep_id, team_id, valid)
SELECT rep_id, team_id, daterange(from_day, lead(from_day) OVER (PARTITION BY rep_id ORDER BY from_day NULLS FIRST))
  FROM (SELECT rep_id, (SELECT team_id FROM team ORDER BY hashtextextended(team_id, r.n * 10 + k) LIMIT 1) AS team_id,
               CASE WHEN k > 1 THEN date '2024-01-01' + (k - 2) * 200 + pg_temp.draw(r.n * 10 + k, 200) END AS from_day
          FROM (SELECT rep_id, row_number() OVER (ORDER BY rep_id) AS n FROM rep) AS r, generate_series(1, 3) AS k
         WHERE r.n % 3 > 0) AS m;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay)
SELECT deal_id, 'R' || to_char(1 + (first_rep + k * 7) % 32, 'FM000'), CASE k WHEN 0 THEN 1 - 3 * part WHEN 3 THEN 0.15 ELSE k * part END, k = 3
  FROM (SELECT deal_id, pg_temp.draw(hashtext(deal_id), 32) AS first_rep, 0.01 + pg_temp.draw(hashtext(deal_id) + 1, 30) / 100.0 AS part FROM deal WHERE hashtext(deal_id) % 5 = 0) AS d, generate_series(0, 3) AS k;
INSERT INTO quota (rep_id, first_day, last_day, amount, is_overlay) SELECT rep_id, make_date(y, 1, 1), make_date(y, 12, 31), 200000 + pg_temp.draw(hashtext(rep_id), 1000000), hashtext(rep_id) % 7 = 0 FROM rep, generate_series(2023, 2025) AS y WHERE hashtext(rep_id) % 6 <> 1;
ANALYZE deal_credit; ANALYZE team_membership; ANALYZE quota;

CREATE TABLE plain_credit AS
SELECT d.closed_on, c.rep_id, c.is_overlay, d.amount * c.share AS amount
  FROM deal d JOIN deal_credit c USING (deal_id) WHERE d.outcome = 'won'
UNION ALL
SELECT d.closed_on, d.rep_id, false, d.amount
  FROM deal d WHERE d.outcome = 'won' AND deal_id NOT IN (SELECT deal_id FROM deal_credit WHERE NOT is_overlay);
CREATE TABLE plain_team AS
SELECT c.ctid AS credit_ctid, tree.team_id
  FROM plain_credit c
  JOIN rep r ON r.rep_id = c.rep_id
  JOIN team_tree tree ON tree.member_team_id = CASE WHEN EXISTS (SELECT FROM team_membership m WHERE m.rep_id = r.rep_id)
                                                    THEN (SELECT m.team_id FROM team_membership m WHERE m.rep_id = r.rep_id AND m.valid @> c.closed_on) ELSE r.team_id END;
SELECT cmp_ok(count(*), '>', 1500::bigint, 'there are splits') FROM deal_credit;
SELECT set_eq($$SELECT grain, period_start, rep_id, credited_amount, overlay_credited_amount FROM quota_attainment WHERE level = 'rep' AND (credited_amount <> 0 OR overlay_credited_amount <> 0)$$,
              $$SELECT grain, period_start, rep_id, coalesce(sum(amount) FILTER (WHERE NOT is_overlay), 0) AS a, coalesce(sum(amount) FILTER (WHERE is_overlay), 0) AS b
                  FROM period JOIN plain_credit ON closed_on BETWEEN period_start AND period_end GROUP BY 1, 2, 3 HAVING sum(amount) <> 0$$, 'credit of each rep and of nobody');
SELECT set_eq($$SELECT grain, period_start, team_id, credited_amount, overlay_credited_amount FROM quota_attainment WHERE level = 'team' AND (credited_amount <> 0 OR overlay_credited_amount <> 0)$$,
              $$SELECT grain, period_start, team_id, coalesce(sum(amount) FILTER (WHERE NOT is_overlay), 0) AS a, coalesce(sum(amount) FILTER (WHERE is_overlay), 0) AS b
                  FROM period JOIN plain_credit c ON closed_on BETWEEN period_start AND period_end JOIN plain_team ON credit_ctid = c.ctid GROUP BY 1, 2, 3 HAVING sum(amount) <> 0$$, 'of each team');
SELECT set_eq($$SELECT grain, period_start, credited_amount FROM quota_attainment WHERE level = 'company'$$,
              $$SELECT grain, period_start, bookings_amount FROM company_scorecard$$, 'and the company''s is what it booked');
SELECT is_empty($$SELECT grain, period_start FROM quota_attainment GROUP BY 1, 2
                  HAVING sum(credited_amount) FILTER (WHERE level = 'rep') <> sum(credited_amount) FILTER (WHERE level = 'company')
                      OR sum(quota_amount) FILTER (WHERE level = 'rep') IS DISTINCT FROM sum(quota_amount) FILTER (WHERE level = 'company')
                      OR sum(untargeted_amount) FILTER (WHERE level = 'rep') <> sum(untargeted_amount) FILTER (WHERE level = 'company')$$, 'the reps add up to the company: credit, quota and what has no quota');
SELECT is_empty($$SELECT * FROM quota_attainment a WHERE level = 'rep' AND coalesce(quota_amount + coalesce(overlay_quota_amount, 0), overlay_quota_amount) IS DISTINCT FROM quota_for(coalesce(rep_id, '(no rep)'), period_start, period_end)$$, 'quotas are those of quota_for, for reps');
SELECT is_empty($$SELECT * FROM quota_attainment a WHERE level = 'team' AND grain = 'quarter' AND quota_amount IS DISTINCT FROM quota_for(coalesce(team_id, 'company'), period_start, period_end)$$, 'and for teams');
SELECT set_eq($$SELECT grain, period_start, targeted_rep_count, full_rep_count, attained_rep_count, attained_rep_rate FROM quota_attainment WHERE level = 'company'$$,
              $$SELECT grain, period_start, count(*) FILTER (WHERE quota_amount > 0) AS a, count(*) FILTER (WHERE quota_amount > 0 AND is_full_quota) AS b, count(*) FILTER (WHERE is_full_quota AND attainment_rate >= 1) AS c,
                       (count(*) FILTER (WHERE is_full_quota AND attainment_rate >= 1))::float8 / (CASE WHEN count(*) FILTER (WHERE is_full_quota AND quota_amount > 0) > 0 THEN count(*) FILTER (WHERE is_full_quota AND quota_amount > 0) END)
                  FROM quota_attainment WHERE level = 'rep' GROUP BY 1, 2$$, 'reps who reached theirs are counted');
SELECT is_empty($$SELECT a.grain, a.period_start FROM quota_attainment a
                    JOIN LATERAL (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY attainment_rate) AS median FROM quota_attainment r WHERE r.level = 'rep' AND r.grain = a.grain AND r.period_start = a.period_start) AS m ON true
                   WHERE a.level = 'company' AND a.grain = 'year' AND a.targeted_rep_count > 0 AND (abs(a.attainment_median - m.median) <= 0.0000501) IS NOT TRUE$$, 'and the median is theirs');

-- ---------------------------------------------------------------- how much is read

SET max_parallel_workers_per_gather = 0;
SET random_page_cost = 1.1;
ANALYZE calendar; ANALYZE mart_setting; ANALYZE fx_rate;
\ir fixture/rows_read.sql
DELETE FROM deal_credit;
ANALYZE deal_credit;
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM quota_attainment WHERE level = 'company' AND grain = 'quarter' AND period_label = '2024-Q1'$$),
              '<=', (SELECT count(*) * 11 / 10 + 50 FROM deal WHERE closed_on BETWEEN '2024-01-01' AND '2024-03-31'), 'the company, one period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM quota_attainment WHERE level = 'team' AND grain = 'quarter' AND period_start = '2024-01-01'$$),
              '<=', (SELECT count(*) * 11 / 10 + 50 FROM deal WHERE closed_on BETWEEN '2024-01-01' AND '2024-03-31'), 'teams, one period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM quota_attainment WHERE level = 'rep' AND grain = 'quarter' AND period_start = '2024-01-01' AND rep_id = 'R007'$$),
              '<=', (SELECT count(*) * 2 + 30 FROM deal WHERE rep_id = 'R007' AND closed_on BETWEEN '2024-01-01' AND '2024-03-31'), 'one rep, one period');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM quota_attainment WHERE grain = 'month' AND rep_id = 'R007'$$),
              '<=', (SELECT count(*) * 2 + 200 FROM deal WHERE rep_id = 'R007'), 'one rep, all months, without a word of levels');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT quota_amount FROM quota_attainment WHERE level = 'rep' AND grain = 'quarter'$$),
              '<=', (SELECT count(*) + 10 FROM deal WHERE rep_id IS NULL), 'quotas alone read no deals but those of nobody, who may need a row');
-- 17 looks the rep's own up, once a period; 15 reads none
SELECT cmp_ok(pg_temp.rows_read('quota', $$SELECT credited_amount FROM quota_attainment WHERE level = 'rep' AND rep_id = 'R007' AND grain = 'quarter'$$),
              '<=', (SELECT count(*) FROM period WHERE grain = 'quarter') * (SELECT 1 + count(*) FROM quota WHERE rep_id = 'R007'), 'credit alone reads no quotas of others');

SELECT * FROM finish();
