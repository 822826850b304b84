-- pipeline_waterfall: each part by hand, and on generated deals with faults, currencies and moves a walk
-- from deal to deal over two snapshots.
SELECT plan(41);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-06-30';

INSERT INTO team (team_id, name, parent_team_id) VALUES ('world', 'World', NULL), ('north', 'North', 'world'), ('south', 'South', 'world');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'south'), ('cid', 'Cid', 'north');
SELECT set_reporting_currency('EUR') \gset
INSERT INTO fx_rate VALUES ('USD', '2025-01-01', 0.9), ('USD', '2025-05-01', 0.8), ('USD', '2025-06-15', 0.75);
-- The second quarter: deals as they are, and what they were by 31 March.
INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, expected_close_on, outcome, closed_on, recorded_at)
VALUES ('stays', 'ann', 100, NULL, '2025-01-10', '2025-06-20', 'open', NULL, '2025-01-10'),
       ('grows', 'ann', 150, NULL, '2025-01-10', '2025-06-20', 'open', NULL, '2025-01-10'),
       ('shrinks and is won', 'ann', 80, NULL, '2025-01-10', '2025-06-20', 'won', '2025-05-05', '2025-01-10'),
       ('lost', 'bob', 70, NULL, '2025-01-10', '2025-06-20', 'lost', '2025-05-05', '2025-01-10'),
       ('pushed', 'bob', 60, NULL, '2025-01-10', '2025-08-01', 'open', NULL, '2025-01-10'),
       ('pushed within', 'bob', 55, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('date taken away', 'bob', 50, NULL, '2025-01-10', NULL, 'open', NULL, '2025-01-10'),
       ('overdue', 'bob', 40, NULL, '2025-01-10', '2025-03-01', 'open', NULL, '2025-01-10'),
       ('pulled in', 'ann', 30, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('won early', 'ann', 25, NULL, '2025-01-10', '2025-09-30', 'won', '2025-04-01', '2025-01-10'),
       ('given a date', 'ann', 20, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('new', 'bob', 15, NULL, '2025-04-01', '2025-06-30', 'open', NULL, '2025-04-01'),
       ('new and won', 'bob', 14, NULL, '2025-04-01', '2025-12-31', 'won', '2025-06-30', '2025-04-01'),
       ('new and lost', 'bob', 13, NULL, '2025-04-01', '2025-06-30', 'lost', '2025-04-02', '2025-04-01'),
       ('new for later', 'bob', 12, NULL, '2025-04-01', '2025-07-01', 'open', NULL, '2025-04-01'),
       ('reopened', 'bob', 11, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('reopened and won', 'bob', 10, NULL, '2025-01-10', '2025-06-30', 'won', '2025-06-10', '2025-01-10'),
       ('won before', 'bob', 9, NULL, '2025-01-10', '2025-06-30', 'won', '2025-03-31', '2025-01-10'),
       ('changes hands', 'bob', 8, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('changes hands and is won', 'cid', 7, NULL, '2025-01-10', '2025-06-30', 'won', '2025-06-01', '2025-01-10'),
       ('of nobody', NULL, 6, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('dollars', 'ann', 200, 'USD', '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('dollars grow and are won', 'ann', 300, 'USD', '2025-01-10', '2025-06-30', 'won', '2025-05-31', '2025-01-10'),
       ('yen without a rate', 'ann', 1000, 'JPY', '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('euros for dollars', 'ann', 100, 'EUR', '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('no amount', 'ann', NULL, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('no number', 'ann', 'NaN', NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-01-10'),
       ('entered late', 'cid', 5, NULL, '2025-01-10', '2025-06-30', 'open', NULL, '2025-05-10');
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
VALUES ('grows', '2025-05-01', 'amount', '100', '200'), ('grows', '2025-05-02', 'amount', '200', '150'),
       ('shrinks and is won', '2025-05-01', 'amount', '120', '80'), ('shrinks and is won', '2025-05-05', 'outcome', 'open', 'won'), ('shrinks and is won', '2025-05-05', 'closed_on', NULL, '2025-05-05'),
       ('lost', '2025-05-05', 'outcome', 'open', 'lost'), ('lost', '2025-05-05', 'closed_on', NULL, '2025-05-05'),
       ('pushed', '2025-04-10', 'expected_close_on', '2025-06-20', '2025-06-29'), ('pushed', '2025-05-10', 'expected_close_on', '2025-06-29', '2025-08-01'),
       ('pushed within', '2025-04-10', 'expected_close_on', '2025-04-20', '2025-06-30'),
       ('date taken away', '2025-04-10', 'expected_close_on', '2025-04-20', NULL),
       ('pulled in', '2025-04-10', 'expected_close_on', '2025-09-20', '2025-06-30'), ('pulled in', '2025-04-11', 'amount', '10', '30'),
       ('given a date', '2025-04-10', 'expected_close_on', NULL, '2025-06-30'),
       ('reopened', '2025-02-01', 'outcome', 'open', 'lost'), ('reopened', '2025-02-01', 'closed_on', NULL, '2025-02-01'), ('reopened', '2025-04-01', 'outcome', 'lost', 'open'), ('reopened', '2025-04-01', 'closed_on', '2025-02-01', NULL),
       ('reopened and won', '2025-02-01', 'outcome', 'open', 'lost'), ('reopened and won', '2025-02-01', 'closed_on', NULL, '2025-02-01'), ('reopened and won', '2025-06-10', 'outcome', 'lost', 'won'), ('reopened and won', '2025-06-10', 'closed_on', '2025-02-01', '2025-06-10'),
       ('changes hands', '2025-04-10', 'rep_id', 'ann', 'bob'), ('changes hands', '2025-04-10', 'amount', '10', '8'),
       ('changes hands and is won', '2025-04-10', 'rep_id', 'ann', 'cid'), ('changes hands and is won', '2025-06-01', 'outcome', 'open', 'won'), ('changes hands and is won', '2025-06-01', 'closed_on', NULL, '2025-06-01'),
       ('dollars grow and are won', '2025-04-10', 'amount', '100', '300'), ('dollars grow and are won', '2025-05-31', 'outcome', 'open', 'won'), ('dollars grow and are won', '2025-05-31', 'closed_on', NULL, '2025-05-31'),
       ('euros for dollars', '2025-04-10', 'currency', 'USD', 'EUR');

SELECT results_eq(
    $$SELECT deal_id, came, went, start_amount, end_amount, fx_amount, change_amount FROM pipeline_flow('2025-03-31', '2025-06-30', '2025-06-30') ORDER BY deal_id COLLATE "C"$$,
    $$SELECT * FROM (VALUES
        ('changes hands', 'start', 'end', 10.0, 8.0, 0.0, -2.0),
        ('changes hands and is won', 'start', 'won', 7, 7, 0, 0),
        ('date taken away', 'start', 'pushed_out', 50, 50, 0, 0),
        ('dollars', 'start', 'end', 180, 150, -30, 0),
        ('dollars grow and are won', 'start', 'won', 90, 240, -10, 160),
        ('entered late', 'start', 'end', 5, 5, 0, 0),
        ('euros for dollars', 'start', 'end', 90, 100, 0, 10),
        ('given a date', 'pulled_in', 'end', 0, 20, 0, 0),
        ('grows', 'start', 'end', 100, 150, 0, 50),
        ('lost', 'start', 'lost', 70, 70, 0, 0),
        ('new', 'new', 'end', 0, 15, 0, 0),
        ('new and lost', 'new', 'lost', 0, 13, 0, 0),
        ('new and won', 'new', 'won', 0, 14, 0, 0),
        ('no amount', 'start', 'end', 0, 0, 0, 0),
        ('no number', 'start', 'end', 0, 0, 0, 0),
        ('of nobody', 'start', 'end', 6, 6, 0, 0),
        ('overdue', 'start', 'end', 40, 40, 0, 0),
        ('pulled in', 'pulled_in', 'end', 0, 30, 0, 0),
        ('pushed', 'start', 'pushed_out', 60, 60, 0, 0),
        ('pushed within', 'start', 'end', 55, 55, 0, 0),
        ('reopened', 'new', 'end', 0, 11, 0, 0),
        ('reopened and won', 'new', 'won', 0, 10, 0, 0),
        ('shrinks and is won', 'start', 'won', 120, 80, 0, -40),
        ('stays', 'start', 'end', 100, 100, 0, 0),
        ('won early', 'pulled_in', 'won', 0, 25, 0, 0),
        ('yen without a rate', 'start', 'end', 0, 0, 0, 0)) AS v$$,
    'each deal: how it came, how it went, what it was worth');
CREATE TEMP VIEW w AS SELECT * FROM pipeline_waterfall WHERE grain = 'quarter' AND period_label = '2025-Q2';
SELECT results_eq(
    $$SELECT start_amount, new_amount, pulled_in_amount, increased_amount, decreased_amount, pushed_out_amount, won_amount, lost_amount, fx_amount, end_amount, difference_amount FROM w WHERE level = 'company'$$,
    $$VALUES (983.0, 63.0, 75.0, 220.0, 42.0, 110.0, 376.0, 83.0, -40.0, 690.0, 0.0)$$,
    'the company');
SELECT results_eq(
    $$SELECT rep_id, start_amount, reassigned_out_amount, reassigned_in_amount, decreased_amount, won_amount, end_amount, difference_amount FROM w WHERE level = 'rep' ORDER BY 1$$,
    $$VALUES ('ann', 697.0, 17.0, 0.0, 40.0, 345.0, 550.0, 0.0), ('bob', 275.0, 0.0, 10.0, 2.0, 24.0, 129.0, 0.0), ('cid', 5.0, 0.0, 7.0, 0.0, 7.0, 5.0, 0.0), (NULL, 6.0, 0.0, 0.0, 0.0, 0.0, 6.0, 0.0)$$,
    'reps: what changes hands goes from one to the other at what it was worth at the beginning');
SELECT results_eq(
    $$SELECT team_id, start_amount, reassigned_out_amount, reassigned_in_amount, won_amount, end_amount, difference_amount FROM w WHERE level = 'team' ORDER BY 1$$,
    $$VALUES ('north', 702.0, 10.0, 0.0, 352.0, 555.0, 0.0), ('south', 275.0, 0.0, 10.0, 24.0, 129.0, 0.0), ('world', 977.0, 0.0, 0.0, 376.0, 684.0, 0.0)$$,
    'teams: within a team nothing changes hands');
SELECT results_eq($$SELECT start_count, slipped_count, slip_rate, push_count, start_overdue_amount, end_overdue_amount FROM w WHERE level = 'company'$$,
                  $$VALUES (18::bigint, 2::bigint, 2::float8 / 18, 3::bigint, 40.0, 290.0)$$, 'what slipped, how often it was pushed, what is overdue');
SELECT is(unrecorded_count, 1::bigint, 'a deal whose history begins too late is counted') FROM w WHERE level = 'company';
SELECT is(unrecorded_count, 1::bigint, 'for who has it') FROM w WHERE rep_id = 'cid';
SELECT is(won_amount, bookings_amount, 'what is won is what is booked') FROM w JOIN company_scorecard USING (grain, period_start) WHERE level = 'company';
SELECT is(w.lost_amount, s.lost_amount, 'and so with what is lost') FROM w JOIN company_scorecard s USING (grain, period_start) WHERE level = 'company';
-- a rep who moves takes the deals along
SELECT move_rep('ann', 'south', '2025-05-01') \gset
SELECT results_eq($$SELECT team_id, reassigned_out_amount, reassigned_in_amount, end_amount, difference_amount FROM w WHERE level = 'team' ORDER BY 1$$,
                  $$VALUES ('north', 690.0, 0.0, 5.0, 0.0), ('south', 0.0, 690.0, 679.0, 0.0), ('world', 0.0, 0.0, 684.0, 0.0)$$, 'a rep who moves takes the deals along');
-- who was deleted since is nobody
INSERT INTO rep (rep_id, name) VALUES ('gone', 'Gone');
INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value) VALUES ('stays', '2025-04-10', 'rep_id', 'gone', 'ann');
DELETE FROM rep WHERE rep_id = 'gone';
SELECT results_eq($$SELECT rep_id, start_amount, reassigned_out_amount, end_amount, difference_amount FROM w WHERE level = 'rep' AND (rep_id = 'ann' OR rep_id IS NULL) ORDER BY 1$$,
                  $$VALUES ('ann', 597.0, 17.0, 550.0, 0.0), (NULL, 106.0, 100.0, 6.0, 0.0)$$, 'what a rep had who was deleted since was nobody''s: reps add up to the company still');
DELETE FROM deal_change WHERE old_value = 'gone';
-- a period that is not over ends with as_of()
SET sales_perf.as_of = '2025-05-02';
SELECT results_eq($$SELECT is_complete, start_amount, increased_amount, won_amount, end_amount, difference_amount FROM w WHERE level = 'company'$$,
                  $$SELECT false, 983.0, 220.0, 25.0, sum(reporting_amount), 0.0 FROM deal_as_of WHERE is_open AND expected_close_on <= '2025-06-30' AND amount < 'Infinity'$$, 'a period that is not over ends with as_of()');
SET sales_perf.as_of = '2025-07-31';
SELECT is((SELECT start_amount FROM pipeline_waterfall WHERE level = 'company' AND grain = 'quarter' AND period_label = '2025-Q3'), 690.0 + 60 + 12, 'the next quarter begins with what was left, and what is due in it');
SELECT is((SELECT start_overdue_amount FROM pipeline_waterfall WHERE level = 'company' AND grain = 'quarter' AND period_label = '2025-Q3'), 690.0, 'which is overdue');

-- ---------------------------------------------------------------- generated deals

-- Walks from deal to deal: what deal_as_of shows at the beginning and at the end, and nothing else.
CREATE FUNCTION public.walk(mart text, from_day date, to_day date, due_day date)
    RETURNS TABLE (level text, owner_id text, start_amount numeric, new_amount numeric, pulled_in_amount numeric, increased_amount numeric, decreased_amount numeric,
                   pushed_out_amount numeric, won_amount numeric, lost_amount numeric, reassigned_in_amount numeric, reassigned_out_amount numeric, fx_amount numeric, end_amount numeric,
                   start_count bigint, slipped_count bigint)
    LANGUAGE plpgsql
AS $$
DECLARE
    kept_as_of text := current_setting('sales_perf.as_of');
    d record;
    first_rate numeric;
    last_rate numeric;
    worth numeric;
    change numeric;
    fx numeric;
    was_in boolean;
    is_in boolean;
    was_there boolean;
    closed_within boolean;
    leaves text;
    owners text[];
    before text[];
    after text[];
    o text;
BEGIN
    PERFORM set_config('search_path', mart || ', public', true);
    DROP TABLE IF EXISTS first_state, last_state, flow;
    PERFORM set_config('sales_perf.as_of', from_day::text, true);
    CREATE TEMP TABLE first_state AS SELECT * FROM deal_as_of;
    PERFORM set_config('sales_perf.as_of', to_day::text, true);
    CREATE TEMP TABLE last_state AS SELECT * FROM deal_as_of;
    PERFORM set_config('sales_perf.as_of', kept_as_of, true);
    CREATE TEMP TABLE flow (owner text, kind text, amount numeric);
    FOR d IN
        SELECT a.deal_id IS NOT NULL AS is_there, a.is_open AS was_open, a.expected_close_on AS was_expected, coalesce(a.currency, '') AS was_currency,
               CASE WHEN a.amount < 'Infinity' AND a.amount > '-Infinity' THEN a.amount END AS was_amount, a.reporting_amount AS was_worth, a.rep_id AS was_rep,
               CASE WHEN z.amount < 'Infinity' AND z.amount > '-Infinity' THEN z.amount END AS amount, z.reporting_amount AS worth, coalesce(z.currency, '') AS currency,
               z.rep_id AS rep, z.is_open, z.outcome, z.closed_on, z.expected_close_on AS expected
          FROM last_state z
          LEFT JOIN first_state a ON a.deal_id = z.deal_id
    LOOP
        was_there := d.is_there;
        was_in := was_there AND d.was_open AND d.was_expected IS NOT NULL AND d.was_expected <= due_day;
        is_in := d.is_open AND d.expected IS NOT NULL AND d.expected <= due_day;
        closed_within := NOT d.is_open AND CASE WHEN d.closed_on IS NULL THEN was_there AND d.was_open ELSE d.closed_on > from_day END;
        CONTINUE WHEN NOT was_in AND NOT is_in AND NOT closed_within;

        owners := NULL; before := NULL; after := NULL;
        SELECT array_agg(x) INTO before
          FROM (SELECT 'company:' UNION ALL SELECT 'rep:' || coalesce(d.was_rep, '') UNION ALL
                SELECT 'team:' || tree.team_id FROM rep_team m JOIN team_tree tree ON tree.member_team_id = m.team_id WHERE m.rep_id = d.was_rep AND from_day BETWEEN m.valid_from AND m.valid_to) AS b (x);
        SELECT array_agg(x) INTO after
          FROM (SELECT 'company:' UNION ALL SELECT 'rep:' || coalesce(d.rep, '') UNION ALL
                SELECT 'team:' || tree.team_id FROM rep_team m JOIN team_tree tree ON tree.member_team_id = m.team_id WHERE m.rep_id = d.rep AND to_day BETWEEN m.valid_from AND m.valid_to) AS b (x);
        worth := CASE WHEN d.amount IS NULL THEN 0 ELSE coalesce(d.worth, 0) END;

        IF was_in THEN
            change := CASE WHEN d.was_amount IS NULL THEN 0 ELSE coalesce(d.was_worth, 0) END;
            FOREACH o IN ARRAY before LOOP
                INSERT INTO flow VALUES (o, 'start', change);
                IF NOT o = ANY (after) THEN INSERT INTO flow VALUES (o, 'out', change); END IF;
            END LOOP;
            FOREACH o IN ARRAY after LOOP
                IF NOT o = ANY (before) THEN INSERT INTO flow VALUES (o, 'in', change); END IF;
            END LOOP;
            -- by rates of the two days what it was worth at the beginning, when nobody changed the currency
            fx := 0;
            IF d.was_currency = d.currency AND d.was_currency NOT IN ('', 'EUR') THEN
                SELECT r.rate INTO first_rate FROM fx_rate r WHERE r.currency = d.currency AND r.valid_from <= from_day ORDER BY r.valid_from DESC LIMIT 1;
                SELECT r.rate INTO last_rate FROM fx_rate r WHERE r.currency = d.currency AND r.valid_from <= CASE WHEN d.is_open THEN to_day ELSE d.closed_on END ORDER BY r.valid_from DESC LIMIT 1;
                fx := coalesce(coalesce(d.was_amount, 0) * (last_rate - first_rate), 0);
            END IF;
            change := worth - change - fx;
        END IF;
        leaves := CASE WHEN NOT d.is_open THEN d.outcome WHEN is_in THEN 'end' ELSE 'pushed' END;
        FOREACH o IN ARRAY after LOOP
            IF was_in THEN
                INSERT INTO flow VALUES (o, 'fx', fx), (o, CASE WHEN change > 0 THEN 'increased' ELSE 'decreased' END, abs(change));
            ELSE
                INSERT INTO flow VALUES (o, CASE WHEN was_there AND d.was_open THEN 'pulled' ELSE 'new' END, worth);
            END IF;
            INSERT INTO flow VALUES (o, leaves, worth);
        END LOOP;
        IF was_in AND leaves = 'pushed' THEN
            INSERT INTO flow SELECT b, 'slipped', 0 FROM unnest(before) AS b;
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT split_part(f.owner, ':', 1), CASE WHEN f.owner NOT IN ('company:', 'rep:') THEN split_part(f.owner, ':', 2) END,
           coalesce(sum(f.amount) FILTER (WHERE f.kind = 'start'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'new'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'pulled'), 0),
           coalesce(sum(f.amount) FILTER (WHERE f.kind = 'increased'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'decreased'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'pushed'), 0),
           coalesce(sum(f.amount) FILTER (WHERE f.kind = 'won'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'lost'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'in'), 0),
           coalesce(sum(f.amount) FILTER (WHERE f.kind = 'out'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'fx'), 0), coalesce(sum(f.amount) FILTER (WHERE f.kind = 'end'), 0),
           count(*) FILTER (WHERE f.kind = 'start'), count(*) FILTER (WHERE f.kind = 'slipped')
      FROM flow f
     GROUP BY f.owner;
    PERFORM set_config('search_path', mart || ', public', false);
END
$$;

CREATE FUNCTION public.prepare(mart text, seed integer) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM sales_perf.create_mart(mart);
    PERFORM sales_perf.generate_demo(mart, 2500, seed);
    PERFORM set_config('search_path', mart || ', public', false);
    ALTER TABLE deal DISABLE TRIGGER USER;
    DELETE FROM mart_setting;
    DELETE FROM fx_rate;
    PERFORM set_reporting_currency('EUR');
    INSERT INTO fx_rate SELECT c, (date '2022-01-15' + n * interval '1 month')::date, 0.7 + ((hashtext(c || n) & 1023) / 1000.0)
      FROM unnest(ARRAY['USD', 'GBP']) AS c, generate_series(0, 45) AS n;
    UPDATE deal SET currency = (ARRAY['EUR', 'USD', 'GBP', 'JPY', NULL])[1 + (hashtext(deal_id) & 1023) % 5];
    UPDATE deal SET amount = CASE (hashtext(deal_id) & 1023) % 7 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL ELSE 'Infinity' END::numeric WHERE hashtext(deal_id || 'x') % 97 = 0;
    UPDATE deal SET expected_close_on = NULL WHERE hashtext(deal_id || 'y') % 41 = 0;
    UPDATE deal SET recorded_at = recorded_at + interval '150 days' WHERE hashtext(deal_id || 'z') % 23 = 0;
    -- what changes besides: hands, currencies, the day that was expected, deals given up and closings entered late
    INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
    SELECT deal_id, (opened_on + (hashtext(deal_id || k) & 127) + time '12:00')::timestamptz, (ARRAY['rep_id', 'currency', 'expected_close_on', 'amount', 'outcome', 'closed_on'])[k],
           CASE k WHEN 1 THEN (SELECT rep_id FROM rep ORDER BY hashtext(rep_id || deal_id) LIMIT 1)
                  WHEN 2 THEN (ARRAY['EUR', 'USD', NULL])[1 + (hashtext(deal_id || 'c') & 1023) % 3]
                  WHEN 3 THEN CASE WHEN hashtext(deal_id) % 3 <> 0 THEN to_char(opened_on + (hashtext(deal_id || 'e') & 255), 'YYYY-MM-DD') END
                  WHEN 4 THEN CASE WHEN hashtext(deal_id) % 4 = 0 THEN NULL ELSE (hashtext(deal_id) & 65535)::text END
                  WHEN 5 THEN 'lost' WHEN 6 THEN to_char(opened_on + 20, 'YYYY-MM-DD') END,
           CASE WHEN k = 2 THEN currency WHEN k = 3 THEN to_char(expected_close_on, 'YYYY-MM-DD') WHEN k = 5 THEN 'open' END
      FROM deal, generate_series(1, 6) AS k
     WHERE opened_on IS NOT NULL
       AND hashtext(deal_id || 'q' || CASE WHEN k = 6 THEN 5 ELSE k END) % 13 = 0;
    DELETE FROM team_membership;
    INSERT INTO team_membership (rep_id, team_id, valid)
    SELECT rep_id, (SELECT team_id FROM team ORDER BY hashtext(team_id || rep_id || k) LIMIT 1),
           CASE k WHEN 1 THEN daterange(NULL, '2025-04-20') WHEN 2 THEN daterange('2025-05-01', NULL) END
      FROM rep, generate_series(1, 2) AS k
     WHERE hashtext(rep_id) % 2 = 0;
    ALTER TABLE deal ENABLE TRIGGER USER;
    ANALYZE;
END
$$;

SET sales_perf.as_of = '2025-06-10';
SET TimeZone = 'America/New_York';
CREATE FUNCTION public.compare(mart text, of_grain text, of_start date, description text) RETURNS SETOF text
    LANGUAGE plpgsql
AS $$
BEGIN
    DROP TABLE IF EXISTS expected, shown;
    CREATE TEMP TABLE expected AS
    SELECT w.*
      FROM period p
     CROSS JOIN LATERAL public.walk(mart, p.period_start - 1, least(p.period_end, sales_perf.as_of()), p.period_end) AS w
     WHERE p.grain = of_grain AND p.period_start = of_start;
    PERFORM set_config('search_path', mart || ', public', false);
    CREATE TEMP TABLE shown AS
    SELECT v.level, CASE WHEN v.level = 'team' THEN v.team_id ELSE v.rep_id END AS owner_id, v.start_amount, v.new_amount, v.pulled_in_amount, v.increased_amount, v.decreased_amount,
           v.pushed_out_amount, v.won_amount, v.lost_amount, v.reassigned_in_amount, v.reassigned_out_amount, v.fx_amount, v.end_amount, v.start_count, v.slipped_count
      FROM pipeline_waterfall v
     WHERE v.grain = of_grain AND v.period_start = of_start;
    RETURN NEXT is_empty($q$SELECT * FROM expected EXCEPT SELECT * FROM shown$q$, description);
    RETURN NEXT is_empty($q$SELECT * FROM shown s WHERE NOT EXISTS (SELECT FROM expected e WHERE e.level = s.level AND coalesce(e.owner_id = s.owner_id, e.owner_id IS NULL AND s.owner_id IS NULL))
                               AND (s.start_amount, s.new_amount, s.pulled_in_amount, s.increased_amount, s.decreased_amount, s.pushed_out_amount, s.won_amount, s.lost_amount, s.end_amount) <> (0, 0, 0, 0, 0, 0, 0, 0, 0)$q$,
                         description || ': and nobody else has anything');
END
$$;

SELECT public.prepare('one', 1) \gset
SELECT cmp_ok(count(*), '>', 300::bigint, 'there is something to walk through') FROM pipeline_flow('2025-03-31', '2025-06-10', '2025-06-30');
SELECT public.compare('one', 'quarter', '2025-04-01', 'seed 1, the quarter that is not over');
SELECT public.compare('one', 'quarter', '2025-01-01', 'seed 1, the quarter before');
SELECT public.compare('one', 'month', '2025-05-01', 'seed 1, a month in which reps moved');
SELECT public.compare('one', 'year', '2024-01-01', 'seed 1, a year');
SELECT public.compare('one', 'month', '2022-12-01', 'seed 1, long ago');
SELECT public.prepare('two', 2) \gset
SELECT public.compare('two', 'quarter', '2025-04-01', 'seed 2, the quarter that is not over');
SELECT public.compare('two', 'quarter', '2023-10-01', 'seed 2, a quarter long ago');
SET TimeZone = 'Asia/Tokyo';
SELECT public.prepare('three', 3) \gset
SELECT public.compare('three', 'quarter', '2025-01-01', 'seed 3, a quarter in Tokyo');
SELECT public.compare('three', 'month', '2025-04-01', 'seed 3, a month');

SELECT is(count(*) FILTER (WHERE difference_amount <> 0), 0::bigint, 'it ties to the cent, everywhere, always') FROM one.pipeline_waterfall;
SELECT is(count(*) FILTER (WHERE difference_amount <> 0), 0::bigint, 'with another seed') FROM two.pipeline_waterfall;
SELECT is(count(*) FILTER (WHERE difference_amount <> 0), 0::bigint, 'and another') FROM three.pipeline_waterfall;
SELECT cmp_ok(count(*) FILTER (WHERE fx_amount <> 0 AND reassigned_in_amount <> 0 AND pushed_out_amount <> 0), '>', 100::bigint, 'with all that can happen in it') FROM one.pipeline_waterfall;
SET search_path = two, public;
SELECT is_empty(
    $$SELECT w.grain, w.period_start
        FROM pipeline_waterfall w
        JOIN pipeline_waterfall before ON before.level = 'company' AND before.grain = w.grain AND before.period_end = w.period_start - 1
       WHERE w.level = 'company' AND w.start_overdue_amount <> before.end_amount$$,
    'each period begins with what the one before left');
SELECT is_empty(
    $$SELECT grain, period_start FROM pipeline_waterfall GROUP BY 1, 2
      HAVING sum(start_amount) FILTER (WHERE level = 'rep') <> sum(start_amount) FILTER (WHERE level = 'company')
          OR sum(end_amount) FILTER (WHERE level = 'rep') <> sum(end_amount) FILTER (WHERE level = 'company')
          OR sum(won_amount) FILTER (WHERE level = 'rep') <> sum(won_amount) FILTER (WHERE level = 'company')
          OR sum(reassigned_in_amount - reassigned_out_amount) FILTER (WHERE level = 'rep') <> 0$$,
    'reps add up to the company, and what changes hands to nothing');

-- ---------------------------------------------------------------- how much is read

\ir fixture/rows_read.sql
SET max_parallel_workers_per_gather = 0;
SET random_page_cost = 1.1;
SELECT sales_perf.create_mart('big') \gset
SELECT sales_perf.generate_demo('big', 20000, 4) \gset
SET search_path = big, public;
ANALYZE calendar; ANALYZE mart_setting; ANALYZE fx_rate; ANALYZE team_membership;
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM pipeline_waterfall WHERE level = 'company' AND grain = 'month' AND period_start = '2025-06-01'$$),
              '<=', (SELECT 3 * count(*) FROM deal WHERE outcome = 'open' OR closed_on >= '2025-06-01'), 'one period: the deals that are open or were closed since, and no others');
SELECT cmp_ok(pg_temp.rows_read('deal', $$SELECT * FROM pipeline_waterfall WHERE level = 'rep' AND grain = 'month' AND period_start >= '2025-05-01'$$),
              '<=', (SELECT 6 * count(*) FROM deal WHERE outcome = 'open' OR closed_on >= '2025-05-01'), 'two periods: the same, twice');

SELECT * FROM finish();
