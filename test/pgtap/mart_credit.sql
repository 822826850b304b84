-- Splits, overlays and teams with dated members: who gets what, and that it is what was booked.
SELECT plan(41);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2024-06-30';

INSERT INTO team (team_id, name, parent_team_id) VALUES ('top', 'Top', NULL), ('north', 'North', 'top'), ('south', 'South', 'top');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'south'), ('eva', 'Eva', NULL), ('sid', 'Sid', NULL);
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
VALUES ('split', 'ann', 1000, '2024-01-10', '2024-03-31', 'won'), ('whole', 'ann', 500, '2024-01-10', '2024-04-01', 'won'),
       ('given', 'bob', 100.01, '2024-02-01', '2024-05-05', 'won'), ('nobody''s', NULL, 80, '2024-02-01', '2024-05-05', 'won'),
       ('lost', 'ann', 900, '2024-01-10', '2024-03-31', 'lost'), ('open', 'ann', 700, '2024-01-10', NULL, 'open');
BEGIN;
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('split', 'ann', 0.6), ('split', 'bob', 0.25);
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('split', 'eva', 0.15);
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('given', 'ann', 1), ('nobody''s', 'eva', 0.5), ('nobody''s', 'bob', 0.5), ('lost', 'bob', 1), ('open', 'bob', 1);
COMMIT;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) VALUES ('split', 'sid', 1, true), ('whole', 'sid', 0.5, true), ('whole', 'bob', 1, true);

-- ---------------------------------------------------------------- splits add up to 1, at commit

-- what a deferred constraint does at commit, SET CONSTRAINTS ... IMMEDIATE does at once
SELECT throws_like(
    $$DO $do$ BEGIN INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('whole', 'bob', 0.9); SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$,
    'the shares of deal "whole" add up to 90 %, not 100 %', 'less than 100 % is refused');
SELECT throws_like(
    $$DO $do$ BEGIN INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('whole', 'ann', 1), ('whole', 'bob', 0.001); SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$,
    '%add up to 100.1 \%, not 100 \%', 'and so is more');
SELECT throws_like(
    $$DO $do$ BEGIN DELETE FROM deal_credit WHERE deal_id = 'split' AND rep_id = 'eva'; SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$,
    '%"split" add up to 85 \%%', 'taking one away is refused');
SELECT throws_like(
    $$DO $do$ BEGIN UPDATE deal_credit SET deal_id = 'whole' WHERE deal_id = 'split' AND rep_id = 'eva'; SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$,
    '%add up to %', 'moving one to another deal is refused on both sides');
SELECT throws_like(
    $$DO $do$ BEGIN UPDATE deal_credit SET is_overlay = true WHERE deal_id = 'split' AND rep_id = 'eva'; SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$,
    '%"split" add up to 85 \%%', 'making it an overlay, too');
SELECT lives_ok(
    $$DO $do$ BEGIN DELETE FROM deal_credit WHERE deal_id = 'open'; INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('open', 'ann', 0.5), ('open', 'bob', 0.5); SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$,
    'all rows of a deal may be replaced in one transaction');
SELECT lives_ok($$DO $do$ BEGIN DELETE FROM deal_credit WHERE deal_id = 'open'; SET CONSTRAINTS ALL IMMEDIATE; END $do$ $$, 'none at all is fine: the owner is credited');
SELECT throws_ok($$INSERT INTO deal_credit VALUES ('whole', 'ann', 0)$$, '23514', NULL, 'a share is above 0');
SELECT throws_ok($$INSERT INTO deal_credit VALUES ('whole', 'ann', 1.01)$$, '23514', NULL, 'and at most 1');
SELECT throws_ok($$INSERT INTO deal_credit VALUES ('whole', 'ann', 'NaN')$$, '23514', NULL, 'and a number');

-- ---------------------------------------------------------------- who is credited with what

SELECT results_eq(
    $$SELECT deal_id, rep_id, is_overlay, amount FROM credit ORDER BY deal_id COLLATE "C", is_overlay, rep_id$$,
    $$VALUES ('given', 'ann', false, 100.01::numeric),
             ('nobody''s', 'bob', false, 40), ('nobody''s', 'eva', false, 40),
             ('split', 'ann', false, 600), ('split', 'bob', false, 250), ('split', 'eva', false, 150), ('split', 'sid', true, 1000),
             ('whole', 'ann', false, 500), ('whole', 'bob', true, 500), ('whole', 'sid', true, 250)$$,
    'credit: won deals, their splits or owners, and overlays');
SELECT results_eq(
    $$SELECT period_label, booked_amount, credited_amount, difference_amount, overlay_amount, split_count
        FROM credit_reconciliation WHERE grain = 'quarter' ORDER BY 1$$,
    $$VALUES ('2024-Q1', 1000::numeric, 1000::numeric, 0::numeric, 1000::numeric, 1::bigint), ('2024-Q2', 680.01, 680.01, 0, 750, 1)$$,
    'what is credited is what was booked');
SELECT results_eq(
    $$SELECT rep_id, bookings_amount, overlay_amount, won_count, average_deal_amount FROM rep_scorecard WHERE grain = 'year' ORDER BY 1$$,
    $$VALUES ('ann', 1200.01::numeric, 0::numeric, 2::bigint, 750::numeric), ('bob', 290, 500, 1, 100.01), ('eva', 190, 0, 0, NULL), ('sid', 0, 1250, 0, NULL), (NULL, 0, 0, 1, 80)$$,
    'reps: bookings are credited, counts and averages go by owner');
SELECT is(sum(r.bookings_amount), c.bookings_amount, 'reps add up to the company') FROM rep_scorecard r, company_scorecard c
 WHERE r.grain = 'year' AND c.grain = 'year' GROUP BY c.bookings_amount;
SELECT is(bookings_amount, 1680.01, 'overlays never inflate the company') FROM company_scorecard WHERE grain = 'year';
SELECT is(overlay_amount, 1750::numeric, 'they stand beside it') FROM company_scorecard WHERE grain = 'year';
SELECT results_eq(
    $$SELECT team_id, bookings_amount, overlay_amount FROM team_scorecard WHERE grain = 'year' ORDER BY 1$$,
    $$VALUES ('north', 1200.01::numeric, 0::numeric), ('south', 290, 500), ('top', 1490.01, 500)$$,
    'teams: what their reps are credited with');
SELECT is(prior_bookings_amount, 250::numeric, 'the period before is credited, too') FROM rep_scorecard WHERE rep_id = 'bob' AND grain = 'quarter' AND period_label = '2024-Q2';
SELECT is(sales_growth, (40 - 250) / 250.0, 'and growth') FROM rep_scorecard WHERE rep_id = 'bob' AND grain = 'quarter' AND period_label = '2024-Q2';
SELECT results_eq(
    $$SELECT deal_id, rep_id, is_overlay, amount FROM split_credit EXCEPT SELECT deal_id, rep_id, is_overlay, amount FROM credit$$,
    $$SELECT NULL::text, NULL::text, NULL::boolean, NULL::numeric WHERE false$$,
    'split_credit is a part of credit');
SELECT set_eq($$TABLE credit_cell$$, $$SELECT closed_on, rep_id, is_overlay, sum(amount) FROM credit GROUP BY 1, 2, 3$$, 'credit_cell is credit by day');
SET sales_perf.as_of = '2024-03-31';
SELECT is(count(*), 4::bigint, 'as of an earlier day only what was won by then is credited') FROM credit;
SET sales_perf.as_of = '2024-06-30';

-- ---------------------------------------------------------------- teams and moves

SELECT move_rep('ann', 'south', '2024-04-01') \gset
SELECT results_eq(
    $$SELECT team_id, valid_from, valid_to FROM rep_team WHERE rep_id = 'ann' ORDER BY 2$$,
    $$VALUES ('north', '-infinity'::date, '2024-03-31'::date), ('south', '2024-04-01', 'infinity')$$,
    'move_rep ends the old team and begins the new one');
SELECT is(team_id, 'south', 'and rep.team_id follows') FROM rep WHERE rep_id = 'ann';
SELECT results_eq(
    $$SELECT team_id, period_label, bookings_amount, won_count FROM team_scorecard WHERE grain = 'quarter' ORDER BY 1, 2$$,
    $$VALUES ('north', '2024-Q1', 600::numeric, 1::bigint), ('north', '2024-Q2', 0, 0),
             ('south', '2024-Q1', 250, 0), ('south', '2024-Q2', 640.01, 2),
             ('top', '2024-Q1', 850, 1), ('top', '2024-Q2', 640.01, 2)$$,
    'a deal counts for the team of the day it was won');
SELECT results_eq(
    $$SELECT team_id, created_count, open_count FROM team_scorecard WHERE grain = 'quarter' AND period_label IN ('2024-Q1', '2024-Q2') AND team_id <> 'top' AND (created_count > 0 OR open_count > 0) ORDER BY 1$$,
    $$VALUES ('north', 4::bigint, NULL::bigint), ('south', 1, NULL), ('south', 0, 1)$$,
    'what was opened for that of its day, the pipeline for that of as_of()');
SELECT results_eq(
    $$SELECT team_id, sales_amount FROM sales_growth WHERE level = 'team' AND grain = 'quarter' AND period_label = '2024-Q1' ORDER BY 1$$,
    $$VALUES ('north', 1000::numeric), ('south', 0), ('top', 1000)$$,
    'sales_growth: by the day of the sale');
SELECT set_eq($$SELECT DISTINCT team_id, deal_count FROM funnel WHERE level = 'team' AND grain = 'all'$$, $$SELECT NULL::text, NULL::bigint WHERE false$$, 'no funnel without stages');
SELECT results_eq($$SELECT team_id, max(at_risk_count) FROM cycle_curve WHERE level = 'team' GROUP BY 1 ORDER BY 1$$, $$VALUES ('north', 4::bigint), ('south', 1), ('top', 5)$$, 'cycle_curve: by the day of opening');
SELECT throws_ok($$INSERT INTO team_membership VALUES ('ann', 'north', '[2024-03-31,2024-04-02)')$$, '23P01', NULL, 'a rep belongs to one team at a time');
SELECT lives_ok($$INSERT INTO team_membership VALUES ('bob', 'north', '[2024-03-31,2024-04-02)')$$, 'another rep may');
SELECT is(count(*), 1::bigint, 'who has rows there belongs to no team on other days') FROM rep_team WHERE rep_id = 'bob';
DELETE FROM team_membership WHERE rep_id = 'bob';
SELECT throws_ok($$INSERT INTO team_membership VALUES ('eva', 'north', 'empty')$$, '23514', NULL, 'an empty range is none');
SELECT throws_ok($$SELECT move_rep('zoe', 'north', '2024-01-01')$$, '23503', 'there is no rep "zoe"', 'only who is there can move');
SELECT throws_ok($$SELECT move_rep('ann', 'north', NULL)$$, '22023', NULL, 'on a day');
SELECT move_rep('ann', NULL, '2024-05-01') \gset
SELECT results_eq($$SELECT valid_from, valid_to FROM rep_team WHERE rep_id = 'ann' AND team_id = 'south'$$, $$VALUES ('2024-04-01'::date, '2024-04-30'::date)$$, 'a rep can leave all teams');
SELECT move_rep('sid', 'north', '2024-05-01') \gset
SELECT move_rep('sid', NULL, '2024-04-01') \gset
SELECT is_empty($$SELECT FROM rep_team WHERE rep_id = 'sid'$$, 'also one who was in none before: there is no row that could say so');
SELECT is(team_id, NULL, 'and rep.team_id says so') FROM rep WHERE rep_id = 'sid';

-- ---------------------------------------------------------------- random teams with moves and splits

SELECT sales_perf.create_mart('many') \gset
SET search_path = many, public;
CREATE FUNCTION pg_temp.draw(n integer, draw integer, below integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN ((hashint8extended(n::bigint * 64 + draw, 7) & 2147483647) % below)::integer;
INSERT INTO team SELECT 't' || n, 'Team ' || n, CASE WHEN n > 1 THEN 't' || n / 2 END FROM generate_series(1, 9) AS n;
INSERT INTO rep (rep_id, name, team_id) SELECT 'r' || n, 'Rep ' || n, CASE WHEN n % 7 > 0 THEN 't' || 1 + n % 9 END FROM generate_series(1, 40) AS n;
SELECT count(move_rep('r' || pg_temp.draw(n, 1, 40) + 1, CASE WHEN n % 10 > 0 THEN 't' || pg_temp.draw(n, 2, 9) + 1 END, '2023-01-01'::date + 8 * n)) FROM generate_series(1, 60) AS n \gset
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT 'd' || n, CASE WHEN n % 50 > 0 THEN 'r' || pg_temp.draw(n, 3, 40) + 1 END, pg_temp.draw(n, 4, 1000000) / 100.0, '2022-12-01',
       '2023-01-01'::date + pg_temp.draw(n, 5, 540), CASE WHEN n % 4 = 0 THEN 'lost' ELSE 'won' END
  FROM generate_series(1, 3000) AS n;
BEGIN;
INSERT INTO deal_credit (deal_id, rep_id, share)
SELECT 'd' || n, 'r' || 1 + (pg_temp.draw(n, 6, 40) + k) % 40, CASE k WHEN 0 THEN first_share WHEN 1 THEN 0.9 - first_share ELSE 0.1 END
  FROM generate_series(1, 3000, 3) AS n
 CROSS JOIN LATERAL (SELECT 0.05 + pg_temp.draw(n, 7, 80) / 100.0 AS first_share) AS s
 CROSS JOIN generate_series(0, 2) AS k;
INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) SELECT 'd' || n, 'r' || 1 + pg_temp.draw(n, 8, 40), 0.5, true FROM generate_series(1, 3000, 10) AS n;
COMMIT;
SELECT is_empty($$SELECT * FROM credit_reconciliation WHERE difference_amount <> 0 OR booked_amount <> credited_amount$$, 'booked = credited in every period, to the cent');
SELECT is_empty(
    $$SELECT c.grain, c.period_start
        FROM company_scorecard c
        JOIN (SELECT grain, period_start, sum(bookings_amount) AS amount, sum(overlay_amount) AS overlay FROM rep_scorecard GROUP BY 1, 2) AS r USING (grain, period_start)
       WHERE r.amount <> c.bookings_amount OR r.overlay <> c.overlay_amount$$,
    'Σ reps = company in every period');
SELECT set_eq(
    $$SELECT t.team_id, t.period_label, t.bookings_amount, t.overlay_amount FROM team_scorecard t WHERE t.grain = 'quarter'$$,
    $$SELECT t.team_id, p.period_label,
             coalesce(sum(c.amount) FILTER (WHERE NOT c.is_overlay), 0) AS credited, coalesce(sum(c.amount) FILTER (WHERE c.is_overlay), 0) AS overlay
        FROM team t
       CROSS JOIN period p
        LEFT JOIN (SELECT cr.*, x.closed_on AS won_on
                     FROM credit cr JOIN deal x USING (deal_id)) AS c
          ON c.won_on BETWEEN p.period_start AND p.period_end
         AND t.team_id IN (WITH RECURSIVE up AS (
                               SELECT (SELECT coalesce((SELECT m.team_id FROM team_membership m WHERE m.rep_id = c.rep_id AND m.valid @> c.won_on),
                                                       CASE WHEN NOT EXISTS (SELECT FROM team_membership m WHERE m.rep_id = c.rep_id) THEN r.team_id END)
                                         FROM rep r WHERE r.rep_id = c.rep_id) AS team_id
                               UNION SELECT t2.parent_team_id FROM team t2 JOIN up ON up.team_id = t2.team_id)
                           SELECT up.team_id FROM up WHERE up.team_id IS NOT NULL)
       WHERE p.grain = 'quarter'
       GROUP BY 1, 2$$,
    'teams by the membership of the day, deal by deal up the tree');

SELECT * FROM finish();
