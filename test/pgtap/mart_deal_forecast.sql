-- deal_chance, forecast and forecast_outlook: the clocks against a life table built by hand, and the rules of the rest.
SELECT plan(37);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2024-06-20';

SELECT is_empty('SELECT FROM deal_chance', 'no deals, no chances');
SELECT is(count(*), 6::bigint, 'the company has its six periods, whatever there is') FROM forecast WHERE level = 'company';
SELECT results_eq($$SELECT DISTINCT won_amount, expected_amount, p10_amount FROM forecast$$, $$VALUES (0::numeric, NULL::numeric, NULL::numeric)$$, 'where no closing is known nothing is expected');
SELECT is_empty($$SELECT FROM forecast_outlook('2024-07-31')$$, 'nor is there an outlook');
SELECT throws_ok($$SELECT FROM forecast_outlook(NULL)$$, '22023', 'cannot look out to NULL', 'an outlook needs a day');

-- ---------------------------------------------------------------- two stages, by hand

INSERT INTO team (team_id, name, parent_team_id) VALUES ('all', 'All', NULL), ('a', 'A', 'all'), ('b', 'B', 'all');
INSERT INTO rep (rep_id, name, team_id) VALUES ('r1', 'R1', 'a'), ('r2', 'R2', 'a'), ('r3', 'R3', 'b'), ('one', 'One', 'b');
INSERT INTO stage (pipeline_id, stage_no, stage_id, name, is_open) VALUES ('default', 1, 's1', 'First', true), ('default', 2, 's2', 'Second', true), ('default', 3, 'won', 'Won', false), ('default', 4, 'lost', 'Lost', false);
-- Of each ten deals six move on after some days, two are lost before, two stay; of those that move, half are won, a third lost.
CREATE TEMP TABLE plan_of AS
SELECT 'd' || i AS deal_id, (ARRAY['r1', 'r2', 'r3'])[1 + i % 3] AS rep_id, date '2024-01-03' + i AS opened_on,
       CASE WHEN i % 10 < 6 THEN date '2024-01-03' + i + 3 + i % 7 END AS moved_on,
       CASE
           WHEN i % 10 < 6 AND i % 3 <> 2 THEN date '2024-01-03' + i + 3 + i % 7 + 2 + i % 11
           WHEN i % 10 IN (6, 7) THEN date '2024-01-03' + i + 5
       END AS closed_on,
       CASE WHEN i % 10 < 6 AND i % 3 = 0 THEN 'won' WHEN i % 10 < 8 AND NOT (i % 10 < 6 AND i % 3 = 2) THEN 'lost' ELSE 'open' END AS outcome
  FROM generate_series(1, 165) AS i;
UPDATE plan_of SET closed_on = NULL, outcome = 'open' WHERE closed_on > '2024-06-20';
INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, closed_on, outcome)
SELECT deal_id, rep_id, CASE WHEN outcome <> 'open' THEN outcome WHEN moved_on <= '2024-06-20' THEN 's2' ELSE 's1' END, 100 + length(deal_id), opened_on, closed_on, outcome FROM plan_of;
DELETE FROM stage_event;
INSERT INTO stage_event (deal_id, stage_id, entered_on) SELECT deal_id, 's1', opened_on FROM plan_of;
INSERT INTO stage_event (deal_id, stage_id, entered_on) SELECT deal_id, 's2', moved_on FROM plan_of WHERE moved_on <= '2024-06-20';

-- The life table: each day of each visit from the first closing on, counted; ages in the bands of the clock.
CREATE TEMP TABLE visit AS
SELECT deal_id, 1 AS stage, opened_on AS entered, least(moved_on, closed_on, '2024-06-20') AS left_on,
       CASE WHEN moved_on <= '2024-06-20' THEN 'moved' WHEN closed_on IS NOT NULL THEN outcome END AS ended FROM plan_of
UNION ALL
SELECT deal_id, 2, moved_on, coalesce(closed_on, '2024-06-20'), CASE WHEN closed_on IS NOT NULL THEN outcome END FROM plan_of WHERE moved_on <= '2024-06-20';
CREATE TEMP TABLE band AS SELECT no, start, coalesce(lead(start) OVER (ORDER BY no) - 1, 100000) AS last
  FROM unnest(ARRAY[0, 1, 3, 7, 14, 21, 28, 42, 56, 70, 84, 98, 112, 126, 140, 168, 196, 252, 336, 504]) WITH ORDINALITY AS b (start, no);
CREATE TEMP TABLE at_risk AS
SELECT v.stage, b.no AS band, count(*)::double precision AS days,
       count(*) FILTER (WHERE day = v.left_on AND v.ended = 'won') AS won, count(*) FILTER (WHERE day = v.left_on AND v.ended = 'lost') AS lost, count(*) FILTER (WHERE day = v.left_on AND v.ended = 'moved') AS moved
  FROM visit v CROSS JOIN LATERAL (SELECT g::date AS day FROM generate_series(v.entered::timestamp, v.left_on, '1 day') AS g) AS d
  JOIN band b ON day - v.entered BETWEEN b.start AND b.last
 WHERE day >= (SELECT min(closed_on) FROM plan_of) GROUP BY 1, 2;
CREATE TEMP TABLE hazard AS
WITH whole AS (SELECT (sum(won) + 0.5) / (sum(days) + 1) AS won, (sum(lost) + 0.5) / (sum(days) + 1) AS lost FROM at_risk),
     of_stage AS (SELECT stage, (sum(a.won) + 1) / (sum(days) + 1 / max(w.won)) AS won, (sum(a.lost) + 1) / (sum(days) + 1 / max(w.lost)) AS lost, sum(moved) / sum(days) AS moved
                    FROM at_risk a CROSS JOIN whole w GROUP BY 1)
SELECT s.stage, b.no AS band,
       (coalesce(a.won, 0) + 1) / (coalesce(a.days, 0) + 1 / s.won) AS won, (coalesce(a.lost, 0) + 1) / (coalesce(a.days, 0) + 1 / s.lost) AS lost,
       CASE WHEN s.moved > 0 THEN (coalesce(a.moved, 0) + 1) / (coalesce(a.days, 0) + 1 / s.moved) ELSE 0 END AS moved
  FROM of_stage s CROSS JOIN band b LEFT JOIN at_risk a ON a.stage = s.stage AND a.band = b.no;

CREATE FUNCTION pg_temp.hazard_of(stage_wanted integer, age integer) RETURNS hazard LANGUAGE sql
    AS 'SELECT h FROM hazard h JOIN band b ON b.no = h.band WHERE h.stage = stage_wanted AND age BETWEEN b.start AND b.last';
-- by hand: forwards, day by day, what share of a deal is where; a move counts in the next stage from age 0 on the same day
CREATE FUNCTION pg_temp.chance_by_hand(stage_now integer, age_now integer, days integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    first_share double precision := (stage_now = 1)::integer;
    second_share double precision[] := array_fill(0::double precision, ARRAY[400]);
    later double precision[];
    moved double precision;
    won double precision := 0;
    h record;
BEGIN
    IF stage_now = 2 THEN second_share[1 + age_now] := 1; END IF;
    FOR day IN 1 .. days LOOP
        moved := 0;
        IF first_share > 0 THEN
            h := pg_temp.hazard_of(1, age_now + day);
            won := won + first_share * h.won;
            moved := first_share * h.moved;
            first_share := first_share * (1 - h.won - h.lost - h.moved);
        END IF;
        later := array_fill(0::double precision, ARRAY[400]);
        FOR age IN 0 .. 398 LOOP
            IF second_share[1 + age] > 0 THEN
                h := pg_temp.hazard_of(2, age + 1);
                won := won + second_share[1 + age] * h.won;
                later[2 + age] := second_share[1 + age] * (1 - h.won - h.lost);
            END IF;
        END LOOP;
        h := pg_temp.hazard_of(2, 0);
        won := won + moved * h.won;
        later[1] := moved * (1 - h.won - h.lost);
        second_share := later;
    END LOOP;
    RETURN won;
END $$;

SELECT results_eq($$SELECT DISTINCT numbers[1], numbers[5] FROM stage_clock_item(ARRAY[date '2024-06-30']) WHERE item = 'month'$$, $$VALUES (0::double precision, 0::double precision)$$, 'no effect of the month is found where there is none');
CREATE TEMP TABLE clock AS SELECT i.*, s.stage_id FROM stage_clock_item(ARRAY[date '2024-06-21', '2024-06-30', '2024-07-31'], false) i LEFT JOIN clock_stage s ON i.item IN ('chance', 'stage') AND s.clock_no = i.no;
CREATE FUNCTION pg_temp.chance_of(stage text, age integer, horizon integer) RETURNS double precision LANGUAGE sql
    AS 'SELECT numbers[1 + age + cardinality(numbers) / 3 * horizon] FROM clock WHERE item = ''chance'' AND stage_id = stage';
SELECT is_empty($$SELECT s, age FROM generate_series(1, 2) s, generate_series(0, 60, 3) age WHERE abs(pg_temp.chance_of('s' || s, age, 1) - pg_temp.chance_by_hand(s, age, 10)) > 1e-7$$, 'chances within ten days are those of a life table counted by hand');
SELECT is_empty($$SELECT s, age FROM generate_series(1, 2) s, generate_series(0, 60, 30) age WHERE abs(pg_temp.chance_of('s' || s, age, 2) - pg_temp.chance_by_hand(s, age, 41)) > 1e-7$$, 'and within 41 days');
SELECT ok(abs(pg_temp.chance_of('s1', 4, 0) - (h1.won + h1.moved * h2.won)) < 1e-8, 'who moves on has the chance of the next stage') FROM pg_temp.hazard_of(1, 5) h1, pg_temp.hazard_of(2, 0) h2;
SELECT results_eq(
    $$SELECT stage_id, numbers[2:5] FROM clock WHERE item = 'stage' AND stage_id IS NOT NULL ORDER BY 1$$,
    $$SELECT 's' || stage, ARRAY[sum(days), sum(won), sum(lost), sum(moved)]::double precision[] FROM at_risk GROUP BY stage ORDER BY 1$$,
    'days at risk, and how they ended');
SELECT results_eq(
    $$SELECT stage_id, numbers[1]::integer FROM clock WHERE item = 'stage' AND stage_id IS NOT NULL ORDER BY 1$$,
    $$SELECT 's' || stage, max(left_on - entered - 1) FROM visit GROUP BY stage ORDER BY 1$$,
    'the last age after which anybody was seen for a day more');
SELECT is_empty(
    $$SELECT FROM deal_chance c JOIN visit v ON v.deal_id = c.deal_id AND v.ended IS NULL
       WHERE c.stage_age_days <> date '2024-06-20' - v.entered OR c.stage_id <> 's' || v.stage OR NOT c.is_stage_known
          OR (c.month_chance IS NULL) <> (c.stage_age_days > (SELECT max(left_on - entered - 1) FROM visit w WHERE w.stage = v.stage))$$,
    'the clock is that of the stage; NULL past the last age observed');
SELECT cmp_ok(count(*), '>=', 1::bigint, 'which the oldest deal is') FROM deal_chance WHERE month_chance IS NULL;
UPDATE clock c SET numbers = i.numbers FROM stage_clock_item(ARRAY[date '2024-06-21', '2024-06-30', '2024-07-31']) AS i WHERE i.item = c.item AND i.no = c.no;
SELECT is_empty(
    $$SELECT FROM deal_chance WHERE abs(month_chance - pg_temp.chance_of(stage_id, stage_age_days, 1) * odds_factor / (1 - pg_temp.chance_of(stage_id, stage_age_days, 1) * (1 - odds_factor))) > 1e-8$$,
    'a deal''s chance is that of its stage and age, its odds times the factor of rep and segment');
SELECT ok(bool_and(month_chance > 0 AND month_chance < quarter_chance + 1e-12 AND quarter_chance <= year_chance AND year_chance <= win_chance AND win_chance < 1), 'chances are above 0, below 1, and grow with time') FROM deal_chance WHERE month_chance IS NOT NULL;

-- ---------------------------------------------------------------- small samples, deals without history

INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, closed_on, outcome) VALUES ('sure', 'one', 'won', 100, '2024-05-01', '2024-05-20', 'won');
INSERT INTO deal (deal_id, rep_id, stage_id, amount, opened_on, outcome, forecast_category, expected_close_on) VALUES ('next', 'one', 's1', 100, '2024-06-10', 'open', 'Commit', '2024-06-28'), ('undated', 'one', 's1', 100, NULL, 'open', NULL, NULL);
SELECT ok(win_chance BETWEEN 0.02 AND 0.9 AND odds_factor BETWEEN 1 AND 1.2, 'who has won one of one does not win all') FROM deal_chance WHERE deal_id = 'next';
SELECT results_eq(
    $$SELECT deal_id, is_stage_known, stage_age_days FROM deal_chance WHERE rep_id = 'one' ORDER BY 1$$,
    $$VALUES ('next', false, 10), ('undated', false, NULL::integer)$$,
    'an assumed stage is no clock: that is the day of opening; without one there is none');
SELECT ok(win_chance IS NULL, 'nor a chance') FROM deal_chance WHERE deal_id = 'undated';
SELECT results_eq($$SELECT open_deal_count, unrated_count, pipeline_amount FROM forecast WHERE level = 'rep' AND rep_id = 'one' AND grain = 'month' AND period_label = '2024-06'$$, $$VALUES (2::bigint, 1::bigint, 200::numeric)$$, 'but it is counted');

-- ---------------------------------------------------------------- the forecast

INSERT INTO deal (deal_id, stage_id, amount, opened_on, outcome, forecast_category, expected_close_on) VALUES ('nobody', 's1', 1000, '2024-06-11', 'open', 'Best Case', '2024-07-02');
CREATE TEMP TABLE f AS SELECT * FROM forecast;
SELECT set_eq($$SELECT DISTINCT grain, period_label, period_start, period_end FROM f$$,
    $$VALUES ('month', '2024-06', '2024-06-01'::date, '2024-06-30'::date), ('month', '2024-07', '2024-07-01', '2024-07-31'), ('quarter', '2024-Q2', '2024-04-01', '2024-06-30'), ('quarter', '2024-Q3', '2024-07-01', '2024-09-30'), ('year', '2024', '2024-01-01', '2024-12-31'), ('year', '2025', '2025-01-01', '2025-12-31')$$,
    'the periods that hold the day, and the next ones');
SELECT is_empty($$SELECT grain, period_start FROM f GROUP BY 1, 2
    HAVING sum(expected_amount) FILTER (WHERE level = 'rep') <> sum(expected_amount) FILTER (WHERE level = 'company')
        OR sum(open_expected_amount) FILTER (WHERE level = 'rep') <> sum(open_expected_amount) FILTER (WHERE level = 'company')
        OR sum(won_amount) FILTER (WHERE level = 'rep') <> sum(won_amount) FILTER (WHERE level = 'company')
        OR sum(expected_amount) FILTER (WHERE level = 'rep' AND rep_id IS NOT NULL) <> sum(expected_amount) FILTER (WHERE team_id = 'all')
        OR sum(expected_amount) FILTER (WHERE level = 'team' AND team_id IN ('a', 'b')) <> sum(expected_amount) FILTER (WHERE team_id = 'all')$$,
    'reps add up to teams and the company, to the cent');
SELECT ok(bool_and(p10_amount <= p50_amount AND p50_amount <= p90_amount AND won_amount <= p10_amount), 'quantiles are in order, and what is won is won') FROM f;
SELECT results_eq($$SELECT rep_name, pipeline_amount FROM f WHERE level = 'rep' AND rep_id IS NULL AND grain = 'month' AND period_label = '2024-06'$$, $$VALUES ('(no rep)', 1000::numeric)$$, 'deals of nobody have a row');
SELECT is(won_amount, (SELECT sum(amount) FROM deal WHERE outcome = 'won' AND closed_on BETWEEN '2024-04-01' AND '2024-06-20'), 'won so far') FROM f WHERE level = 'company' AND period_label = '2024-Q2';
SELECT is_empty($$SELECT FROM f JOIN (SELECT rep_id, round(sum(amount * month_chance)::numeric, 2) AS month, round(sum(amount * quarter_chance)::numeric, 2) AS quarter, round(sum(amount * year_chance)::numeric, 2) AS year FROM deal_chance GROUP BY 1) AS c
        ON coalesce(c.rep_id, '') = coalesce(f.rep_id, '') AND f.level = 'rep' AND f.period_start <= '2024-06-20'
     WHERE abs(f.open_expected_amount - CASE f.grain WHEN 'month' THEN c.month WHEN 'quarter' THEN c.quarter ELSE c.year END) > 0.011$$,
    'what open deals bring is their amounts times the chances of deal_chance');
SELECT results_eq(
    $$SELECT period_label, commit_amount - won_amount, best_case_amount - won_amount FROM f WHERE level = 'company' AND grain = 'month' ORDER BY 1$$,
    $$VALUES ('2024-06', 100::numeric, 100::numeric), ('2024-07', 0, 1000)$$,
    'commit and best case, by the day of expected closing');
CREATE TEMP TABLE o AS SELECT * FROM forecast_outlook('2024-06-30');
SELECT is_empty($$SELECT FROM f FULL JOIN o ON o.level = f.level AND coalesce(o.rep_id, o.team_id, '') = coalesce(f.rep_id, f.team_id, '') AND (o.level <> 'rep' OR coalesce(o.rep_id, '') = coalesce(f.rep_id, ''))
     WHERE f.grain = 'month' AND f.period_label = '2024-06'
       AND abs(coalesce(sales_perf.outlook_expected(o.outlook), 0) - (f.open_expected_amount + f.unopened_expected_amount)) > 0.05$$,
    'forecast_outlook expects the same');
SELECT is_empty($$SELECT o.level, o.rep_id, q.p FROM f JOIN o ON o.level = f.level AND coalesce(o.rep_id, o.team_id, '') = coalesce(f.rep_id, f.team_id, '') AND (o.level <> 'rep' OR coalesce(o.rep_id, '') = coalesce(f.rep_id, ''))
     CROSS JOIN LATERAL (VALUES (0.1, f.p10_amount), (0.5, f.p50_amount), (0.9, f.p90_amount)) AS q (p, amount)
     WHERE f.grain = 'month' AND f.period_label = '2024-06' AND o.level IN ('company', 'team')
       AND abs(q.amount - f.won_amount - sales_perf.outlook_quantile(o.outlook, q.p, o.common_spread)) > 110$$,
    'and quantiles differ by less than one deal');
SELECT is(sum(sales_perf.outlook_expected(outlook)) FILTER (WHERE level = 'rep'), sum(sales_perf.outlook_expected(outlook)) FILTER (WHERE level = 'company'), 'outlooks add up exactly') FROM o;
SELECT is_empty($$SELECT FROM forecast_outlook('2024-06-20')$$, 'up to as_of() nothing is to come');

-- a split deal counts for those who share it, and once for the company
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('nobody', 'r1', 0.25), ('nobody', 'r3', 0.75);
SELECT is(sum(pipeline_amount) FILTER (WHERE level = 'rep') - (SELECT pipeline_amount FROM f WHERE level = 'company' AND grain = 'month' AND period_label = '2024-06'), 0.00, 'shares of an open deal add up to it') FROM forecast WHERE grain = 'month' AND period_label = '2024-06';
SELECT results_eq(
    $$SELECT n.rep_id, n.pipeline_amount - f.pipeline_amount FROM forecast n JOIN f USING (grain, period_label, level, rep_id) WHERE grain = 'month' AND period_label = '2024-06' AND level = 'rep' AND n.pipeline_amount <> f.pipeline_amount ORDER BY 1$$
    , $$VALUES ('r1', 250.00), ('r3', 750.00)$$, 'each counts with his share');

-- ---------------------------------------------------------------- deals that are not open yet

SELECT sales_perf.create_mart('monthly') \gset
SET search_path = monthly, public;
SET sales_perf.as_of = '2024-06-30';
INSERT INTO rep (rep_id, name) VALUES ('x', 'X'), ('y', 'Y');
-- every month X opens a deal of 100 on the 5th and wins it on the 15th; Y one of 40 that takes until the next month's 10th
INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
SELECT 'x' || m, 'x', 100, (m + interval '4 days')::date, (m + interval '14 days')::date, 'won' FROM generate_series(timestamp '2023-07-01', '2024-06-01', '1 month') AS m
UNION ALL
SELECT 'y' || m, 'y', 40, (m + interval '4 days')::date, (m + interval '1 month 9 days')::date, 'won' FROM generate_series(timestamp '2023-06-01', '2024-05-01', '1 month') AS m;
CREATE FUNCTION pg_temp.weekdays(first_month date, months integer) RETURNS numeric LANGUAGE sql
    AS $$SELECT count(*) FROM generate_series(first_month::timestamp, first_month + make_interval(months => months) - interval '1 day', '1 day') AS d WHERE extract(isodow FROM d) <= 5$$;
SELECT cmp_ok(abs(unopened_expected_amount - (SELECT round(avg(100 * pg_temp.weekdays('2024-07-01', 1) / pg_temp.weekdays((date '2024-07-01' - make_interval(months => back))::date, 1)), 2) FROM generate_series(1, 9) AS back)), '<', 0.02,
    'of the next month: what was opened and won within the nine months before, by business days') FROM forecast WHERE level = 'company' AND period_label = '2024-07';
SELECT cmp_ok(abs(unopened_expected_amount - (SELECT round(avg(380 * pg_temp.weekdays('2024-07-01', 3) / pg_temp.weekdays((date '2024-07-01' - make_interval(months => back))::date, 3)), 2) FROM generate_series(3, 11) AS back)), '<', 0.02,
    'of the next quarter: three of X and two of Y, from the nine latest quarters beginning in any month') FROM forecast WHERE level = 'company' AND period_label = '2024-Q3';
SET sales_perf.as_of = '2024-07-07';
SELECT results_eq($$SELECT sum(unopened_expected_amount) FROM forecast WHERE level = 'company' AND period_label = '2024-07'$$, $$VALUES (0.00)$$, 'after the day on which they are opened no more come');

-- ---------------------------------------------------------------- the same as of a past day

SET search_path = public;
SET sales_perf.as_of = '2024-06-30';
SELECT count(*) FROM sales_perf.drop_mart('monthly', 'monthly') \gset
SELECT sales_perf.create_mart('demo') \gset
SELECT sales_perf.generate_demo('demo', 3000, 7) \gset
SET sales_perf.as_of = '2024-02-14';
SELECT sales_perf.create_mart('past') \gset
BEGIN;
INSERT INTO past.team SELECT * FROM demo.team;
INSERT INTO past.rep SELECT * FROM demo.rep;
COMMIT;
INSERT INTO past.team_membership SELECT * FROM demo.team_membership;
INSERT INTO past.account (account_id, name, segment) SELECT account_id, name, segment FROM demo.account;
INSERT INTO past.stage SELECT * FROM demo.stage;
INSERT INTO past.fx_rate SELECT * FROM demo.fx_rate;
INSERT INTO past.mart_setting SELECT * FROM demo.mart_setting ON CONFLICT DO NOTHING;
INSERT INTO past.deal (deal_id, account_id, rep_id, pipeline_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, outcome, forecast_category, recorded_at)
SELECT deal_id, account_id, rep_id, pipeline_id, stage_id, amount, currency, opened_on, expected_close_on, closed_on, outcome, forecast_category, '2020-01-01' FROM demo.deal_as_of;
DELETE FROM past.stage_event;
INSERT INTO past.stage_event (deal_id, stage_id, entered_on, entered_at, is_assumed) SELECT e.deal_id, e.stage_id, e.entered_on, e.entered_at, e.is_assumed FROM demo.stage_event e JOIN past.deal d ON d.deal_id = e.deal_id WHERE e.entered_on <= '2024-02-14' ORDER BY e.stage_event_id;
INSERT INTO past.deal_credit SELECT c.* FROM demo.deal_credit c JOIN past.deal d ON d.deal_id = c.deal_id;
SELECT cmp_ok(count(*), '>', 50::bigint, 'a forecast of a past day') FROM demo.forecast WHERE open_expected_amount > 0;
SELECT set_eq('SELECT * FROM demo.forecast', 'SELECT * FROM past.forecast', 'is that of a mart that knows no more');

SELECT * FROM finish();
