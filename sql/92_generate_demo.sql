-- Demo data: a believable B2B company of any size, the same for the same arguments and the same
-- as_of(), on every machine and every major version.
--
-- So nothing here is drawn with random(), and nothing goes through exp() or ln(), whose last digit
-- may differ between machines: chance comes from an integer hash, and skewed amounts and durations
-- from tables of quantiles with straight lines between them.

-- The draw-th number in [0, 1) of a subject: the lower half of the hash, which is the better mixed one
-- (with bits of the upper, draws of one subject hang together). 2 ^ 32 steps, exact as double precision.
CREATE FUNCTION sales_perf.demo_random(seed bigint, subject bigint, draw integer)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (pg_catalog.hashint8extended(subject * 64 + draw, seed) & 4294967295)::double precision / 4294967296;

COMMENT ON FUNCTION sales_perf.demo_random(bigint, bigint, integer) IS 'For generate_demo(): the draw-th (0 to 63) pseudo-random number in [0, 1) of a subject under a seed.';

-- The value at u in [0, 1) of a distribution given by equally spaced quantiles.
CREATE FUNCTION sales_perf.demo_quantile(u double precision, quantiles double precision[])
    RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN quantiles[1 + floor(u * (cardinality(quantiles) - 1))::integer]
           + (u * (cardinality(quantiles) - 1) - floor(u * (cardinality(quantiles) - 1)))
             * (quantiles[2 + floor(u * (cardinality(quantiles) - 1))::integer]
                - quantiles[1 + floor(u * (cardinality(quantiles) - 1))::integer]);

COMMENT ON FUNCTION sales_perf.demo_quantile(double precision, double precision[]) IS 'For generate_demo(): the value at u in [0, 1) of a distribution given by equally spaced quantiles.';

-- Segment of an account: 1 enterprise, 2 mid-market, 3 small business.
CREATE FUNCTION sales_perf.demo_segment(seed bigint, account_no bigint)
    RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 1 + width_bucket(sales_perf.demo_random(seed, account_no, 45), ARRAY[0.15, 0.5]::double precision[]);

COMMENT ON FUNCTION sales_perf.demo_segment(bigint, bigint) IS 'For generate_demo(): segment of an account, 1 enterprise, 2 mid-market, 3 small business.';

CREATE FUNCTION sales_perf.generate_demo(mart text, deals integer DEFAULT 5000, seed integer DEFAULT 1)
    RETURNS bigint
    LANGUAGE plpgsql
    -- The path is set to the mart below; leaving the function takes that back.
    SET search_path = pg_catalog, pg_temp
    -- Its estimates are far too high, and so would be the effort of compiling.
    SET jit = off
AS $$
DECLARE
    entities constant text[] := ARRAY['team', 'rep', 'account', 'product', 'stage', 'deal', 'stage_event', 'deal_change', 'sale', 'lead',
                                      'team_membership', 'fx_rate', 'deal_credit', 'ramp_step', 'season_shape', 'rep_leave', 'quota', 'goal', 'goal_target', 'check_in',
                                      'skill', 'course', 'enrolment', 'feedback', 'review_cycle', 'action_item', 'activity', 'alert_rule'];
    entity text;
    entity_kind "char";
    has_rows boolean;

    as_of_day date := sales_perf.as_of();
    day_count constant integer := 1096;             -- three years of deals
    rep_count integer;
    team_count integer;
    account_count integer;

    -- Relative weight of opening a deal by month: spring and autumn are busy, summer and December are not.
    month_weight constant double precision[] := ARRAY[0.95, 1.0, 1.15, 1.05, 1.05, 1.0, 0.8, 0.75, 1.15, 1.2, 1.1, 0.7];
    -- Log-normal with a spread of 0.8 and a median of 1, in steps of 5 %.
    amount_quantiles constant double precision[] := ARRAY[0.135, 0.268, 0.359, 0.436, 0.510, 0.583, 0.657, 0.735, 0.817, 0.904,
        1, 1.106, 1.225, 1.361, 1.521, 1.715, 1.961, 2.291, 2.787, 3.728, 9.4];
    -- Gamma with shape 2 and a median of 1, in steps of 5 %.
    days_quantiles constant double precision[] := ARRAY[0.05, 0.212, 0.317, 0.407, 0.491, 0.573, 0.654, 0.736, 0.820, 0.908,
        1, 1.099, 1.205, 1.322, 1.454, 1.605, 1.784, 2.010, 2.318, 2.827, 5.0];

    -- Share of a won deal's days gone by on entering each stage: proposals take longest.
    stage_days constant double precision[] := ARRAY[0, 0.15, 0.35, 0.8, 1];

    -- Products, from small and fast to large and slow.
    product_names constant text[] := ARRAY['Starter', 'Team', 'Business', 'Analytics', 'Integration Hub', 'Security Suite', 'Enterprise', 'Managed Service'];
    product_families constant text[] := ARRAY['Core', 'Core', 'Core', 'Add-on', 'Add-on', 'Add-on', 'Enterprise', 'Enterprise'];
    product_prices constant integer[] := ARRAY[1200, 4800, 9500, 3600, 7200, 15000, 42000, 60000];
    product_days constant double precision[] := ARRAY[18, 32, 48, 25, 40, 65, 95, 120];
    product_chances constant double precision[] := ARRAY[0.06, 0.04, 0.0, 0.08, 0.02, -0.03, -0.06, -0.08];
    product_shares constant double precision[] := ARRAY[0.22, 0.42, 0.58, 0.70, 0.79, 0.87, 0.95];    -- cumulative

    first_names constant text[] := ARRAY['Ada', 'Ben', 'Carla', 'David', 'Elena', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Kofi', 'Lena', 'Mateo', 'Nora', 'Omar', 'Priya', 'Quinn', 'Rosa', 'Samir', 'Tara'];
    last_names constant text[] := ARRAY['Almeida', 'Bauer', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Haddad', 'Ito', 'Jensen', 'Kowalski', 'Lopez', 'Moreau', 'Novak', 'Okafor', 'Patel', 'Rossi', 'Silva', 'Tanaka', 'Weber'];
    account_heads constant text[] := ARRAY['Northwind', 'Bluebird', 'Cedar', 'Delta', 'Evergreen', 'Falcon', 'Granite', 'Harbor', 'Ironwood', 'Juniper', 'Keystone', 'Lakeside', 'Meridian', 'Nimbus', 'Orchard', 'Pioneer'];
    account_tails constant text[] := ARRAY['Logistics', 'Foods', 'Energy', 'Health', 'Software', 'Retail', 'Industries', 'Finance', 'Media', 'Mobility'];
    industries constant text[] := ARRAY['logistics', 'food', 'energy', 'health', 'software', 'retail', 'manufacturing', 'finance', 'media', 'automotive'];
    regions constant text[] := ARRAY['Americas', 'Europe', 'Asia-Pacific'];
    -- Where leads come from, from the many that seldom become deals to the few that often do.
    sources constant text[] := ARRAY['advertising', 'website', 'trade fair', 'partner', 'referral'];
    source_shares constant double precision[] := ARRAY[0.3, 0.62, 0.78, 0.9];    -- cumulative
    source_chances constant double precision[] := ARRAY[0.07, 0.13, 0.18, 0.28, 0.42];
    source_days constant double precision[] := ARRAY[25, 14, 30, 20, 9];

    lost_reasons constant text[] := ARRAY['price', 'competitor', 'no decision', 'missing feature', 'budget cut'];

    day_shares double precision[];      -- cumulative share of deals opened up to each day
    hired date[];
    left_ date[];                       -- infinity: still here
    skill double precision[];           -- added to the chance of winning
    pace double precision[];            -- times the days a deal takes
    lead_count integer;
    home_currency text;                 -- the reporting currency
    europe_currency text;               -- what accounts in Europe pay in
    foreign_key record;
    restore_keys text[] := '{}';
    restore_key text;
    made bigint;
BEGIN
    IF mart IS NULL OR deals IS NULL OR seed IS NULL THEN
        RAISE EXCEPTION 'mart, deals and seed must not be null'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF deals < 1 OR deals > 20000000 THEN
        RAISE EXCEPTION 'cannot generate % deals', deals
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give a number from 1 to 20000000.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = mart) THEN
        RAISE EXCEPTION 'schema "%" does not exist', mart
            USING ERRCODE = 'invalid_schema_name',
                  HINT = format('Make a mart first: SELECT sales_perf.create_mart(%L);', mart);
    END IF;
    IF mart = 'sales_perf_template' THEN
        RAISE EXCEPTION 'schema "%" is the template of marts and is never filled', mart
            USING ERRCODE = 'wrong_object_type',
                  HINT = 'Make a mart, for instance SELECT sales_perf.create_mart(''sales''), and give its name.';
    END IF;

    FOREACH entity IN ARRAY entities LOOP
        SELECT c.relkind
          INTO entity_kind
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = mart
           AND c.relname = entity;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'schema "%" is not a mart', mart
                USING ERRCODE = 'wrong_object_type',
                      DETAIL = format('It has no relation "%s".', entity),
                      HINT = 'Make a mart, for instance SELECT sales_perf.create_mart(''sales''), and give its name.';
        ELSIF entity_kind NOT IN ('r', 'p') THEN
            RAISE EXCEPTION 'cannot generate data in mart "%"', mart
                USING ERRCODE = 'wrong_object_type',
                      DETAIL = format('Its "%s" is no table: the mart reads the data of another system.', entity);
        END IF;
    END LOOP;
    FOREACH entity IN ARRAY entities LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', mart, entity) INTO has_rows;
        IF has_rows THEN
            RAISE EXCEPTION 'mart "%" already holds data', mart
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = format('Table "%s" is not empty.', entity),
                      HINT = 'Generate demo data in a mart of its own.';
        END IF;
    END LOOP;

    PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', mart), true);

    rep_count := greatest(6, least(200, deals / 250));
    team_count := greatest(3, (rep_count + 5) / 6);     -- one a region at least
    account_count := greatest(20, deals / 12);
    lead_count := deals / 2;

    -- ------------------------------------------------------------ who, what and how

    INSERT INTO stage (pipeline_id, stage_no, stage_id, name, is_open, default_chance)
    VALUES ('default', 1, 'prospect', 'Prospect', true, 0.1),
           ('default', 2, 'qualified', 'Qualified', true, 0.25),
           ('default', 3, 'proposal', 'Proposal', true, 0.5),
           ('default', 4, 'negotiation', 'Negotiation', true, 0.75),
           ('default', 5, 'won', 'Won', false, 1),
           ('default', 6, 'lost', 'Lost', false, 0);

    INSERT INTO product (product_id, name, family, list_price)
    SELECT 'P' || p, product_names[p], product_families[p], product_prices[p]
      FROM generate_series(1, cardinality(product_names)) AS p;

    -- Worldwide, three regions, and teams of about six reps spread over them.
    INSERT INTO team (team_id, name, parent_team_id, manager_rep_id)
    SELECT 'T-WW', 'Worldwide Sales', NULL, 'R001'
    UNION ALL
    SELECT 'T-' || region, regions[region], 'T-WW', NULL
      FROM generate_series(1, 3) AS region
    UNION ALL
    SELECT format('T-%s-%s', 1 + (t - 1) % 3, to_char(1 + (t - 1) / 3, 'FM00')),
           format('%s %s', regions[1 + (t - 1) % 3], 1 + (t - 1) / 3),
           'T-' || 1 + (t - 1) % 3,
           'R' || to_char(t, 'FM000')
      FROM generate_series(1, team_count) AS t;

    -- The first reps lead the teams and have been here from the start; of the others a third joined
    -- within the three years, and some have left again.
    INSERT INTO rep (rep_id, name, team_id, email, login, hired_on, left_on)
    SELECT 'R' || to_char(r, 'FM000'),
           full_name,
           format('T-%s-%s', 1 + (team_no - 1) % 3, to_char(1 + (team_no - 1) / 3, 'FM00')),
           lower(replace(full_name, ' ', '.')) || '@example.com',
           lower(replace(full_name, ' ', '.')),
           hired_on,
           CASE
               WHEN r > team_count AND leaves < 0.12 AND stays_from < as_of_day - 30
               THEN stays_from + floor(stays * (as_of_day - 30 - stays_from))::integer
           END
      FROM (SELECT r,
                   1 + (r - 1) % team_count AS team_no,
                   first_names[1 + (r * 7) % 20] || ' ' || last_names[1 + (r * 3 + (r - 1) / 20) % 20]
                       || CASE WHEN r > 100 THEN ' ' || to_char(r, 'FMRN') ELSE '' END AS full_name,
                   CASE
                       WHEN r > team_count AND sales_perf.demo_random(seed, r, 40) < 0.35
                       THEN as_of_day - 60 - floor(sales_perf.demo_random(seed, r, 41) * (day_count - 120))::integer
                       ELSE as_of_day - day_count - 30 - floor(sales_perf.demo_random(seed, r, 42) * 2000)::integer
                   END AS hired_on,
                   sales_perf.demo_random(seed, r, 43) AS leaves,
                   sales_perf.demo_random(seed, r, 44) AS stays
              FROM generate_series(1, rep_count) AS r) AS drawn
     CROSS JOIN LATERAL (SELECT greatest(hired_on, as_of_day - day_count) + 200 AS stays_from) AS earliest
     ORDER BY r;

    INSERT INTO account (account_id, name, segment, industry, region, parent_account_id, owner_rep_id)
    SELECT 'A' || to_char(a, 'FM000000'),
           format('%s %s %s', account_heads[1 + a % 16], account_tails[1 + (a / 16) % 10], a),
           (ARRAY['enterprise', 'mid-market', 'small business'])[sales_perf.demo_segment(seed, a)],
           industries[1 + (a / 16) % 10],
           regions[1 + floor(sales_perf.demo_random(seed, a, 46) * 3)::integer],
           -- subsidiaries of an account before them: no circles
           CASE
               WHEN a > 20 AND sales_perf.demo_random(seed, a, 47) < 0.06
               THEN 'A' || to_char(1 + floor(sales_perf.demo_random(seed, a, 48) * (a / 2))::integer, 'FM000000')
           END,
           'R' || to_char(1 + floor(sales_perf.demo_random(seed, a, 49) * rep_count)::integer, 'FM000')
      FROM generate_series(1, account_count) AS a;

    -- ------------------------------------------------------------ currencies

    INSERT INTO mart_setting (reporting_currency)
    VALUES ('USD')
        ON CONFLICT (is_only_row) DO UPDATE SET reporting_currency = coalesce(mart_setting.reporting_currency, excluded.reporting_currency), is_assumed = false
    RETURNING reporting_currency
      INTO home_currency;
    europe_currency := CASE WHEN home_currency = 'EUR' THEN 'GBP' ELSE 'EUR' END;
    INSERT INTO fx_rate (currency, valid_from, rate)
    SELECT europe_currency,
           (date_trunc('month', (as_of_day - day_count)::timestamp) + make_interval(months => n - 1))::date,
           (1.04 + 0.1 * sales_perf.demo_random(seed, n, 61))::numeric(6, 4)
      FROM generate_series(1, 38) AS n;

    -- ------------------------------------------------------------ deals

    SELECT array_agg(r.hired_on ORDER BY r.rep_id),
           array_agg(coalesce(r.left_on, 'infinity') ORDER BY r.rep_id)
      INTO hired, left_
      FROM rep r;
    SELECT array_agg((sales_perf.demo_random(seed, r, 50) + sales_perf.demo_random(seed, r, 51) - 1) * 0.18 ORDER BY r),
           array_agg(0.75 + sales_perf.demo_random(seed, r, 52) * 0.5 ORDER BY r)
      INTO skill, pace
      FROM generate_series(1, rep_count) AS r;

    -- The business grows by 80 % over the three years, follows the seasons, and rests at weekends.
    SELECT array_agg(running / total ORDER BY day)
      INTO day_shares
      FROM (SELECT day,
                   sum(weight) OVER (ORDER BY day) AS running,
                   sum(weight) OVER () AS total
              FROM (SELECT day,
                           (1 + 0.8 * day / day_count)
                           * month_weight[extract(month FROM as_of_day - day_count + day)::integer]
                           * CASE WHEN extract(isodow FROM as_of_day - day_count + day) <= 5 THEN 1 ELSE 0.05 END AS weight
                      FROM generate_series(1, day_count) AS day) AS weights) AS sums;

    -- The rows fit together by construction. Checking each of millions by itself would take longer
    -- than all else, so foreign keys are taken off the (empty) tables and put back over the full ones,
    -- which checks them in one go. Only their owner can do that; for others each row is checked.
    FOR foreign_key IN
        SELECT c.conrelid::regclass AS table_name, c.conname, pg_get_constraintdef(c.oid) AS definition
          FROM pg_constraint c
          JOIN pg_class t ON t.oid = c.conrelid
         WHERE c.conrelid IN ('deal'::regclass, 'stage_event'::regclass, 'deal_change'::regclass, 'lead'::regclass)
           AND c.contype = 'f'
           AND c.conparentid = 0
           AND deals > 10000
           AND pg_has_role(t.relowner, 'USAGE')
         ORDER BY c.conname
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', foreign_key.table_name, foreign_key.conname);
        restore_keys := restore_keys || format('ALTER TABLE %s ADD CONSTRAINT %I %s', foreign_key.table_name, foreign_key.conname, foreign_key.definition);
    END LOOP;

    WITH opened AS MATERIALIZED (
        -- when it was opened, by whom, for whom
        SELECT i,
               opened_on,
               -- Whoever is drawn and not here on that day hands over to another, in the end to a team leader.
               CASE
                   WHEN opened_on BETWEEN hired[1 + floor(u1 * rep_count)::integer] AND left_[1 + floor(u1 * rep_count)::integer]
                   THEN 1 + floor(u1 * rep_count)::integer
                   WHEN opened_on BETWEEN hired[1 + floor(u2 * rep_count)::integer] AND left_[1 + floor(u2 * rep_count)::integer]
                   THEN 1 + floor(u2 * rep_count)::integer
                   ELSE 1 + floor(u3 * team_count)::integer
               END AS first_rep,
               1 + floor(u3 * team_count)::integer AS next_rep,
               -- Accounts are numbered as they come: a third are there from the start. Not quite half of
               -- the deals are with some key accounts, the others with who came lately; so most customers
               -- buy a few times and leave.
               CASE
                   WHEN u4 < 0.45 THEN 1 + floor(u4 / 0.45 * (u4 / 0.45) * 0.15 * account_count)::integer
                   ELSE greatest(1, floor((0.35 + 0.65 * i / deals) * account_count
                                          - (u4 - 0.45) / 0.55 * ((u4 - 0.45) / 0.55) * 0.35 * account_count)::integer)
               END AS account_no,
               1 + width_bucket(u5, product_shares) AS product_no
          FROM (SELECT i,
                       as_of_day - day_count + 1
                           + least(day_count - 1, width_bucket((i - sales_perf.demo_random(seed, i, 0)) / deals, day_shares)) AS opened_on,
                       sales_perf.demo_random(seed, i, 1) AS u1,
                       sales_perf.demo_random(seed, i, 2) AS u2,
                       sales_perf.demo_random(seed, i, 3) AS u3,
                       sales_perf.demo_random(seed, i, 4) AS u4,
                       sales_perf.demo_random(seed, i, 5) AS u5
                  FROM generate_series(1, deals) AS i) AS drawn
    ),
    course AS MATERIALIZED (
        -- how it would run to its end: what it is worth, who wins, how long it takes
        SELECT i,
               opened_on,
               first_rep,
               next_rep,
               account_no,
               product_no,
               currency,
               round((product_prices[product_no]
                      * CASE WHEN currency = home_currency THEN 1.0 ELSE 0.91 END
                      * (ARRAY[4.0, 1.6, 0.7])[segment]
                      * sales_perf.demo_quantile(sales_perf.demo_random(seed, i, 6), amount_quantiles))::numeric, -1) AS amount,
               is_won,
               -- deals are lost sooner than they are won; one in thirty is never brought to an end
               greatest(1, floor(typical_days * sales_perf.demo_quantile(sales_perf.demo_random(seed, i, 8), days_quantiles)
                                 * CASE WHEN is_won THEN 1.0 ELSE 0.8 END))::integer AS full_days,
               sales_perf.demo_random(seed, i, 9) < 0.033 AS is_forgotten,
               typical_days::integer AS usual_days,
               CASE WHEN is_won THEN 4 ELSE 1 + width_bucket(sales_perf.demo_random(seed, i, 10), ARRAY[0.3, 0.6, 0.85]::double precision[]) END AS furthest
          FROM (SELECT opened.i, opened_on, first_rep, next_rep, account_no, product_no, segment,
                       CASE WHEN regions[1 + floor(sales_perf.demo_random(seed, account_no, 46) * 3)::integer] = 'Europe' THEN europe_currency ELSE home_currency END AS currency,
                       product_days[product_no] * (ARRAY[1.5, 1.0, 0.7])[segment] * pace[first_rep] AS typical_days,
                       sales_perf.demo_random(seed, i, 7)
                           < 0.40 + skill[first_rep] + product_chances[product_no] + (ARRAY[-0.05, 0.0, 0.04])[segment] AS is_won
                  FROM opened
                 CROSS JOIN LATERAL (SELECT sales_perf.demo_segment(seed, account_no) AS segment) AS s) AS o
    ),
    story AS MATERIALIZED (
        -- how far it has come by as_of
        SELECT c.i,
               'D' || to_char(c.i, 'FM00000000') AS deal_id,
               c.opened_on,
               c.is_closed,
               c.life_days,
               c.full_days,
               c.usual_days,
               c.furthest,
               c.account_no,
               c.product_no,
               c.amount,
               c.currency,
               CASE WHEN NOT c.is_closed THEN 'open' WHEN c.is_won THEN 'won' ELSE 'lost' END AS outcome,
               c.first_rep,
               c.next_rep,
               CASE WHEN left_[c.first_rep] < c.opened_on + c.life_days THEN c.next_rep ELSE c.first_rep END AS last_rep,
               -- days after opening on which the expected close was moved: when it drew near
               CASE WHEN c.usual_days < c.life_days THEN greatest(0, c.usual_days - 3) END AS first_push,
               CASE WHEN c.usual_days + 30 < c.life_days THEN c.usual_days + 28 END AS second_push,
               CASE
                   WHEN NOT c.is_closed AND c.life_days > greatest(5, c.usual_days + 100) AND sales_perf.demo_random(seed, c.i, 11) < 0.8
                   THEN c.usual_days + 99
               END AS last_push,
               -- seldom a deal is set back a stage, for good or for some days, or a stage is left out
               c.furthest > 1 AND sales_perf.demo_random(seed, c.i, 12) < 0.05 AS is_set_back,
               c.furthest > 1 AND sales_perf.demo_random(seed, c.i, 12) < 0.03 AS is_resumed,
               c.furthest > 2 AND sales_perf.demo_random(seed, c.i, 13) < 0.06 AS skips_second,
               c.life_days > 12 AND sales_perf.demo_random(seed, c.i, 14) < 0.3 AS is_repriced,
               c.life_days > 40 AND sales_perf.demo_random(seed, c.i, 15) < 0.01 AS was_reopened,
               -- one deal in 125 has a fault
               CASE WHEN sales_perf.demo_random(seed, c.i, 16) < 0.008 THEN floor(sales_perf.demo_random(seed, c.i, 17) * 7)::integer END AS fault
          FROM (SELECT course.*,
                       NOT is_forgotten AND opened_on + full_days <= as_of_day AS is_closed,
                       CASE
                           WHEN NOT is_forgotten AND opened_on + full_days <= as_of_day THEN full_days
                           ELSE as_of_day - opened_on
                       END AS life_days
                  FROM course) AS c
    ),
    entered AS MATERIALIZED (
        -- the stages it has gone through
        SELECT s.deal_id, e.stage_no, s.opened_on + e.after_days AS entered_on, e.step
          FROM story s
         CROSS JOIN LATERAL (
               SELECT n AS step,
                      n AS stage_no,
                      floor(s.full_days * stage_days[n] / stage_days[s.furthest + 1] * (0.7 + 0.25 * sales_perf.demo_random(seed, s.i, 20 + n)))::integer AS after_days
                 FROM generate_series(1, s.furthest) AS n
                WHERE NOT (n = 2 AND s.skips_second)
               UNION ALL
               SELECT 5, s.furthest - 1, s.full_days - s.full_days / s.furthest / 8
                WHERE s.is_set_back
               UNION ALL
               SELECT 6, s.furthest, s.full_days - s.full_days / s.furthest / 16
                WHERE s.is_resumed
               UNION ALL
               SELECT 7, CASE WHEN s.outcome = 'won' THEN 5 ELSE 6 END, s.life_days
                WHERE s.is_closed) AS e
         WHERE e.after_days <= s.life_days
    ),
    stage_now AS (
        SELECT DISTINCT ON (deal_id) deal_id, stage_no
          FROM entered
         ORDER BY deal_id, entered_on DESC, step DESC
    ),
    inserted_deal AS (
        INSERT INTO deal (deal_id, name, account_id, product_id, rep_id, stage_id, amount, currency,
                          opened_on, expected_close_on, closed_on, outcome, lost_reason, forecast_category, recorded_at)
        SELECT s.deal_id,
               format('%s for account %s', product_names[s.product_no], s.account_no),
               'A' || to_char(s.account_no, 'FM000000'),
               'P' || s.product_no,
               CASE WHEN s.fault IS DISTINCT FROM 0 THEN 'R' || to_char(s.last_rep, 'FM000') END,
               CASE
                   WHEN s.fault = 1 AND s.outcome = 'open' THEN 'won'
                   ELSE (ARRAY['prospect', 'qualified', 'proposal', 'negotiation', 'won', 'lost'])[n.stage_no]
               END,
               CASE
                   WHEN s.fault = 2 THEN NULL
                   WHEN s.fault = 3 THEN -s.amount
                   ELSE s.amount
               END,
               s.currency,
               CASE WHEN s.fault IS DISTINCT FROM 4 THEN s.opened_on END,
               s.opened_on + CASE
                   WHEN s.last_push IS NOT NULL THEN s.life_days + 5 + floor(sales_perf.demo_random(seed, s.i, 30) * 60)::integer
                   WHEN s.second_push IS NOT NULL THEN s.usual_days + 100
                   WHEN s.first_push IS NOT NULL THEN s.usual_days + 30
                   ELSE s.usual_days
               END,
               CASE
                   WHEN NOT s.is_closed OR s.fault = 5 THEN NULL
                   WHEN s.fault = 6 THEN s.opened_on - 3
                   ELSE s.opened_on + s.life_days
               END,
               s.outcome,
               CASE WHEN s.outcome = 'lost' THEN lost_reasons[1 + floor(sales_perf.demo_random(seed, s.i, 31) * 5)::integer] END,
               CASE
                   WHEN s.outcome <> 'open' THEN NULL
                   WHEN n.stage_no >= 4 THEN 'commit'
                   WHEN n.stage_no = 3 THEN 'best case'
                   ELSE 'pipeline'
               END,
               (s.opened_on + time '09:00')::timestamptz
          FROM story s
          JOIN stage_now n ON n.deal_id = s.deal_id
        RETURNING 1
    ),
    inserted_credit AS (
        -- one deal in thirty is shared with another rep, and a specialist helps with one in a hundred
        INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay)
        SELECT s.deal_id, 'R' || to_char(c.rep_no, 'FM000'), c.share, c.is_overlay
          FROM story s
         CROSS JOIN LATERAL (SELECT sales_perf.demo_random(seed, s.i, 62) AS u) AS drawn
         CROSS JOIN LATERAL (SELECT (ARRAY[0.5, 0.6, 0.7, 0.8])[1 + floor(drawn.u * 120)::integer] AS owner_share) AS split
         CROSS JOIN LATERAL (
               SELECT s.last_rep AS rep_no, split.owner_share AS share, false AS is_overlay
                WHERE drawn.u < 1 / 30.0 AND s.next_rep <> s.last_rep
               UNION ALL
               SELECT s.next_rep, 1 - split.owner_share, false
                WHERE drawn.u < 1 / 30.0 AND s.next_rep <> s.last_rep
               UNION ALL
               SELECT rep_count, 0.5, true
                WHERE drawn.u >= 0.99 AND s.last_rep <> rep_count) AS c
         WHERE s.fault IS DISTINCT FROM 0
    ),
    inserted_event AS (
        INSERT INTO stage_event (deal_id, stage_id, entered_on, entered_at)
        SELECT deal_id,
               (ARRAY['prospect', 'qualified', 'proposal', 'negotiation', 'won', 'lost'])[stage_no],
               entered_on,
               (entered_on + time '09:00' + step * interval '1 hour')::timestamptz
          FROM entered
    ),
    inserted_change AS (
        INSERT INTO deal_change (deal_id, changed_at, field, old_value, new_value)
        SELECT s.deal_id,
               (s.opened_on + greatest(0, c.after_days) + time '15:00')::timestamptz,
               c.field,
               c.old_value,
               c.new_value
          FROM story s
         CROSS JOIN LATERAL (
               SELECT s.life_days / 2 AS after_days,
                      'amount' AS field,
                      round(s.amount * (0.75 + 0.6 * sales_perf.demo_random(seed, s.i, 32))::numeric, -1)::text AS old_value,
                      s.amount::text AS new_value
                WHERE s.is_repriced AND (s.fault IS NULL OR s.fault NOT IN (2, 3))
               UNION ALL
               SELECT s.first_push, 'expected_close_on',
                      to_char(s.opened_on + s.usual_days, 'YYYY-MM-DD'),
                      to_char(s.opened_on + s.usual_days + 30, 'YYYY-MM-DD')
                WHERE s.first_push IS NOT NULL
               UNION ALL
               SELECT s.second_push, 'expected_close_on',
                      to_char(s.opened_on + s.usual_days + 30, 'YYYY-MM-DD'),
                      to_char(s.opened_on + s.usual_days + 100, 'YYYY-MM-DD')
                WHERE s.second_push IS NOT NULL
               UNION ALL
               SELECT s.last_push, 'expected_close_on',
                      to_char(s.opened_on + s.usual_days + 100, 'YYYY-MM-DD'),
                      to_char(s.opened_on + s.life_days + 5 + floor(sales_perf.demo_random(seed, s.i, 30) * 60)::integer, 'YYYY-MM-DD')
                WHERE s.last_push IS NOT NULL
               UNION ALL
               SELECT left_[s.first_rep] - s.opened_on, 'rep_id',
                      'R' || to_char(s.first_rep, 'FM000'),
                      'R' || to_char(s.last_rep, 'FM000')
                WHERE s.last_rep <> s.first_rep AND s.fault IS DISTINCT FROM 0
               UNION ALL
               -- given up, and taken up again ten days later
               SELECT s.life_days / 2 + r.later, r.field, r.old_value, r.new_value
                 FROM (VALUES (0, 'outcome', 'open', 'lost'),
                              (0, 'closed_on', NULL, to_char(s.opened_on + s.life_days / 2, 'YYYY-MM-DD')),
                              (10, 'outcome', 'lost', 'open'),
                              (10, 'closed_on', to_char(s.opened_on + s.life_days / 2, 'YYYY-MM-DD'), NULL)
                      ) AS r (later, field, old_value, new_value)
                WHERE s.was_reopened) AS c
    ),
    drawn_lead AS (
        -- As deals are numbered in the order of their days, a day's share of them tells one opened on it, or
        -- on the day before or after: one to whose rep a lead goes, one that it becomes.
        SELECT l,
               created_on,
               source_no,
               1 + floor(position * deals)::integer AS rep_of_deal,
               CASE WHEN is_converted AND created_on + days <= as_of_day
                    THEN greatest(1, ceil(deals * (day_shares[day_no + days]
                                                   - u_deal * (day_shares[day_no + days] - day_shares[day_no + days - 1])))::integer)
               END AS becomes_deal,
               CASE WHEN NOT is_converted AND sales_perf.demo_random(seed, l, 60) < 0.8 AND created_on + 2 * days <= as_of_day
                    THEN created_on + 2 * days
               END AS lost_on,
               CASE WHEN u_fault < 0.006 THEN floor(u_fault * 500)::integer END AS fault
          FROM (SELECT l,
                       position,
                       day_no,
                       created_on,
                       source_no,
                       sales_perf.demo_random(seed, l, 55) < source_chances[source_no] AS is_converted,
                       -- what would end at a weekend ends on Monday
                       days + (ARRAY[0, 0, 0, 0, 0, 2, 1])[extract(isodow FROM created_on + days)::integer] AS days,
                       sales_perf.demo_random(seed, l, 57) AS u_deal,
                       sales_perf.demo_random(seed, l, 58) AS u_fault
                  FROM (SELECT l,
                               position,
                               day_no,
                               as_of_day - day_count + day_no AS created_on,
                               source_no,
                               1 + floor(source_days[source_no] * sales_perf.demo_quantile(sales_perf.demo_random(seed, l, 56), days_quantiles))::integer AS days
                          FROM (SELECT l,
                                       position,
                                       1 + least(day_count - 1, width_bucket(position, day_shares)) AS day_no,
                                       1 + width_bucket(sales_perf.demo_random(seed, l, 54), source_shares) AS source_no
                                  FROM (SELECT l, (l - sales_perf.demo_random(seed, l, 53)) / lead_count AS position
                                          FROM generate_series(1, lead_count) AS l) AS numbered) AS placed) AS drawn) AS lived
    ),
    inserted_lead AS (
        INSERT INTO lead (lead_id, account_id, rep_id, source, created_on, converted_on, converted_deal_id, lost_on)
        SELECT 'L' || to_char(d.l, 'FM00000000'),
               'A' || to_char(deal.account_no, 'FM000000'),
               'R' || to_char(coalesce(deal.first_rep, of_rep.first_rep), 'FM000'),
               CASE WHEN d.fault IS DISTINCT FROM 0 THEN sources[d.source_no] END,
               CASE
                   WHEN d.fault = 1 THEN NULL
                   WHEN d.fault = 2 THEN least(as_of_day, coalesce(deal.opened_on, d.lost_on, d.created_on) + 2)
                   ELSE least(d.created_on, deal.opened_on)
               END,
               deal.opened_on,
               deal.deal_id,
               d.lost_on
          FROM drawn_lead d
          JOIN story of_rep ON of_rep.i = d.rep_of_deal
          LEFT JOIN story deal ON deal.i = d.becomes_deal
    )
    SELECT count(*)
      INTO made
      FROM inserted_deal;

    FOREACH restore_key IN ARRAY restore_keys LOOP
        EXECUTE restore_key;
    END LOOP;

    PERFORM sales_perf.demo_plan(mart, seed, as_of_day, rep_count, team_count);

    ANALYZE team, rep, account, product, stage, deal, stage_event, deal_change, lead, team_membership, deal_credit, fx_rate, quota, goal;

    PERFORM sales_perf.demo_people(mart, seed, as_of_day);
    RETURN made;
END
$$;

COMMENT ON FUNCTION sales_perf.generate_demo(text, integer, integer) IS
'Fills an empty mart with a believable B2B company up to as_of(): three years of deals with growth, seasons, reps of differing skill and pace, segments, small fast and large slow products, customers who come, buy again and leave, stage histories with skipped stages and set-backs, pushed and repriced and reopened deals, open deals of all ages, half as many leads from sources of differing worth, and a fault in one deal of 125. Accounts in Europe pay in a second currency, some reps change teams or are on leave, some deals are split; there are quotas with a season and a ramp, goals and check-ins. Around them people take courses, give and answer feedback, promise and do things, note their calls and meetings, and look at reports or not; some alert rules are evaluated. It makes no sales: the won deals stand in for them. Deterministic in (deals, seed, as_of). Refuses a mart that holds any data. Returns the number of deals.';
