-- The clocks of stages: by the days a deal has been in its stage, how often it is then won, lost or moved
-- on; and so the chance of each open deal to be won by some day. Forecasts are made of these.
--
-- The hazards are found by sales_perf.stage_clock (src/stage_clock.c). Here is what it is told: the visits
-- of deals to stages. Where the stages of a deal are not recorded its clock is that of its pipeline, from
-- opened_on on: a stage that was only assumed (stage_event.is_assumed) would tell on the past what became
-- known later.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- Few events are assumed, or all are; where there are few they are found without reading the others.
CREATE INDEX stage_event_assumed_idx ON stage_event (deal_id, entered_on, stage_event_id) WHERE is_assumed;

-- ---------------------------------------------------------------- numbers for C

CREATE VIEW clock_stage WITH (security_invoker = true) AS
SELECT row_number() OVER (ORDER BY pipeline_id NULLS FIRST, stage_no NULLS FIRST)::integer AS clock_no,
       pipeline_id,
       stage_id
  FROM (SELECT pipeline_id, stage_no, stage_id
          FROM stage
         WHERE is_open
        UNION ALL
        SELECT DISTINCT pipeline_id, NULL::integer, NULL::text
          FROM stage
        UNION ALL
        SELECT NULL::text, NULL::integer, NULL::text) AS clock;

COMMENT ON VIEW clock_stage IS 'The clocks there are: one for each open stage, one for each pipeline, of deals whose stages are not recorded, and one for deals of no known pipeline.';
COMMENT ON COLUMN clock_stage.clock_no IS 'Number of the clock, from 1 on; 1 is that of deals of no known pipeline.';
COMMENT ON COLUMN clock_stage.pipeline_id IS 'The pipeline; NULL: none that is known.';
COMMENT ON COLUMN clock_stage.stage_id IS 'The stage; NULL: the days since the deal was opened, whatever its stage.';

CREATE VIEW clock_rep WITH (security_invoker = true) AS
SELECT row_number() OVER (ORDER BY rep_id)::integer AS rep_no,
       rep_id
  FROM rep
UNION ALL
SELECT 1 + count(*)::integer,
       NULL::text
  FROM rep;

COMMENT ON VIEW clock_rep IS 'Reps by number, for functions in C.';
COMMENT ON COLUMN clock_rep.rep_no IS 'Number of the rep, from 1 on.';
COMMENT ON COLUMN clock_rep.rep_id IS 'The rep; NULL, with the last number: nobody.';

-- Few segments of many accounts: each is looked up as the next one of the index.
CREATE INDEX account_segment_idx ON account (segment);

CREATE VIEW clock_segment WITH (security_invoker = true) AS
WITH RECURSIVE given AS (
    (SELECT segment
       FROM account
      WHERE segment IS NOT NULL
      ORDER BY segment
      LIMIT 1)
    UNION ALL
    SELECT (SELECT a.segment
              FROM account a
             WHERE a.segment > g.segment
             ORDER BY a.segment
             LIMIT 1)
      FROM given g
     WHERE g.segment IS NOT NULL
)
SELECT row_number() OVER (ORDER BY segment)::integer AS segment_no,
       segment
  FROM (SELECT segment
          FROM given
         WHERE segment IS NOT NULL
        UNION
        SELECT '') AS segments;

COMMENT ON VIEW clock_segment IS 'Segments of accounts by number, for functions in C.';
COMMENT ON COLUMN clock_segment.segment_no IS 'Number of the segment, from 1 on.';
COMMENT ON COLUMN clock_segment.segment IS 'The segment; the empty text: of accounts without one, and of deals without an account.';

-- ---------------------------------------------------------------- sizes

-- Of many deals some say enough: those of every n-th day, and n no multiple of 7, so that all days of the
-- week are there. How many deals there are is judged from every 61st day.
CREATE FUNCTION sample_step(first_day date, last_day date, by_closing boolean, wanted integer) RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
               WHEN n.step <= 1 THEN 1
               WHEN n.step % 7 = 0 THEN n.step + 1
               ELSE n.step
           END
      FROM (SELECT ceil(61.0 * CASE
                                   WHEN sample_step.by_closing
                                   THEN (SELECT count(*) FROM deal d WHERE d.closed_on = ANY (every.days))
                                   ELSE (SELECT count(*) FROM deal d WHERE d.opened_on = ANY (every.days))
                               END / sample_step.wanted)::integer AS step
              FROM (SELECT ARRAY(SELECT sample_step.last_day - 61 * i
                                   FROM generate_series(0, greatest(sample_step.last_day - sample_step.first_day, 0) / 61) AS i) AS days) AS every) AS n;
END;

COMMENT ON FUNCTION sample_step(date, date, boolean, integer) IS 'Of how many days one is enough to read about so many deals, opened (or closed) between two days: 1 where there are no more, and never a multiple of 7.';

-- Large deals are slower, and lost more often, and they are most of what a forecast amounts to: each size has
-- clocks of its own. The classes get narrower towards the top, and are fewer where there is little to learn from.
CREATE FUNCTION deal_size_limits() RETURNS numeric[]
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((SELECT array_agg(DISTINCT l.amount ORDER BY l.amount)
                       FROM unnest(CASE
                                       WHEN sample.deal_count < 200 THEN '{}'
                                       WHEN sample.deal_count < 400 THEN sample.quantiles[2:2]
                                       WHEN sample.deal_count < 800 THEN sample.quantiles[2:3]
                                       ELSE sample.quantiles
                                   END) AS l (amount)
                      WHERE l.amount > sample.least_amount), '{}')
      FROM (SELECT count(*) AS deal_count,
                   min(d.reporting_amount) AS least_amount,
                   percentile_disc(ARRAY[0.4, 0.7, 0.88, 0.96]::double precision[]) WITHIN GROUP (ORDER BY d.reporting_amount) AS quantiles
              FROM deal_as_of d
             WHERE d.reporting_amount > 0
               AND d.reporting_amount < 'Infinity'
               AND d.opened_on = ANY (ARRAY(SELECT sales_perf.as_of() - back
                                              -- once, not for each day
                                              FROM (SELECT sample_step(sales_perf.as_of() - 730, sales_perf.as_of(), false, 3000) AS step OFFSET 0) AS every
                                             CROSS JOIN generate_series(0, 730) AS back
                                             WHERE (sales_perf.as_of() - back - date '2000-01-01') % every.step = 0))) AS sample;
END;

COMMENT ON FUNCTION deal_size_limits() IS 'The amounts from which on a deal belongs to the next class of size: quantiles 0.4, 0.7, 0.88 and 0.96 of the deals opened in the last two years (of about 3,000 of them), fewer where there are less than 800. Amounts in the reporting currency; empty: one class.';

CREATE FUNCTION deal_size(amount numeric, limits numeric[]) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- amount stands there once, so that the function is written into the query that calls it
    RETURN 1 + width_bucket(coalesce(nullif(greatest(amount, 0), 0), limits[cardinality(limits) / 2], 0), limits);

COMMENT ON FUNCTION deal_size(numeric, numeric[]) IS 'Class of a deal''s size, from 1 for the smallest, by limits as deal_size_limits() gives them. Unknown amounts and those of 0 or less count as middle-sized: CRMs often set the amounts of lost deals to 0.';

-- Found once for a query.
CREATE VIEW clock_list WITH (security_invoker = true) AS
SELECT deal_size_limits() AS limits,
       (SELECT array_agg(segment ORDER BY segment_no) FROM clock_segment) AS segments,
       (SELECT array_agg(stage_id ORDER BY clock_no) FROM clock_stage) AS stage_ids,
       (SELECT array_agg(CASE WHEN stage_id IS NULL THEN pipeline_id END ORDER BY clock_no) FROM clock_stage) AS pipeline_ids,
       (SELECT max(rep_no) FROM clock_rep) AS nobody
OFFSET 0;

COMMENT ON VIEW clock_list IS 'One row: the limits of the classes of size; the number of nobody; and segments, stages and pipelines in the order of their numbers, to be found in: for a join with so few all deals would be sorted, or put into a hash table.';
COMMENT ON COLUMN clock_list.limits IS 'The amounts from which on a deal belongs to the next class, see deal_size_limits().';
COMMENT ON COLUMN clock_list.segments IS 'The segments, see clock_segment.';
COMMENT ON COLUMN clock_list.stage_ids IS 'By number of the clock (clock_stage), the stage; NULL where it is the clock of a pipeline.';
COMMENT ON COLUMN clock_list.pipeline_ids IS 'By number of the clock, the pipeline where it is the clock of one; else NULL.';
COMMENT ON COLUMN clock_list.nobody IS 'The number of nobody in clock_rep, the last one.';

CREATE FUNCTION clock_item_no(no integer, size_no integer, limits numeric[]) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (no - 1) * (cardinality(limits) + 1) + size_no;

COMMENT ON FUNCTION clock_item_no(integer, integer, numeric[]) IS 'Each clock and each segment counts once for each class of size: the number it has in stage_clock_item().';

-- ---------------------------------------------------------------- the open deals

-- Written into the query that asks for it. That can be run by parallel workers, which it could not if it looked into clock_list itself.
CREATE FUNCTION open_deal_on_clock(stage_ids text[], pipeline_ids text[], limits numeric[])
    RETURNS TABLE (deal_id text, account_id text, rep_id text, pipeline_id text, stage_id text, clock_no integer, age_days integer,
                   is_stage_known boolean, amount numeric, size_no integer, expected_close_on date, forecast_category text)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT d.deal_id,
           d.account_id,
           d.rep_id,
           d.pipeline_id,
           d.stage_id,
           coalesce(own.clock_no, CASE WHEN d.pipeline_id IS NOT NULL THEN array_position(pipeline_ids, d.pipeline_id) END, 1),
           CASE
               WHEN own.clock_no IS NOT NULL THEN sales_perf.as_of() - d.stage_entered_on
               WHEN isfinite(d.opened_on) THEN sales_perf.as_of() - d.opened_on
           END,
           own.clock_no IS NOT NULL,
           d.reporting_amount,
           deal_size(d.reporting_amount, limits),
           d.expected_close_on,
           d.forecast_category
      FROM deal_as_of d
      LEFT JOIN (SELECT DISTINCT e.deal_id, e.entered_on
                   FROM stage_event e
                  WHERE e.is_assumed) AS assumed ON assumed.deal_id = d.deal_id AND assumed.entered_on = d.stage_entered_on
     CROSS JOIN LATERAL (
            SELECT CASE
                       WHEN d.stage_id IS NOT NULL AND isfinite(d.stage_entered_on) AND assumed.deal_id IS NULL
                       THEN array_position(stage_ids, d.stage_id)
                   END AS clock_no) AS own
     WHERE d.is_open;
END;

COMMENT ON FUNCTION open_deal_on_clock(text[], text[], numeric[]) IS 'The open deals as of as_of(), and where they stand on which clock: see open_deal_clock. What the numbers mean is in clock_list, whose columns are to be given.';

CREATE VIEW open_deal_clock WITH (security_invoker = true) AS
SELECT d.deal_id,
       d.rep_id,
       d.pipeline_id,
       d.stage_id,
       d.clock_no,
       d.age_days,
       d.is_stage_known,
       d.amount,
       d.expected_close_on,
       d.forecast_category,
       clock_item_no(d.clock_no, d.size_no, list.limits) AS clock_item_no,
       clock_item_no(array_position(list.segments, coalesce(a.segment, '')), d.size_no, list.limits) AS segment_item_no
  FROM clock_list list
 CROSS JOIN LATERAL open_deal_on_clock(list.stage_ids, list.pipeline_ids, list.limits) AS d
  LEFT JOIN account a ON a.account_id = d.account_id;

COMMENT ON VIEW open_deal_clock IS 'The open deals as of as_of(), and where they stand on which clock. S.';
COMMENT ON COLUMN open_deal_clock.deal_id IS 'The deal.';
COMMENT ON COLUMN open_deal_clock.rep_id IS 'The rep who owns it; NULL: nobody.';
COMMENT ON COLUMN open_deal_clock.pipeline_id IS 'Its pipeline.';
COMMENT ON COLUMN open_deal_clock.stage_id IS 'Its stage.';
COMMENT ON COLUMN open_deal_clock.clock_no IS 'Number of its clock, see clock_stage.';
COMMENT ON COLUMN open_deal_clock.age_days IS 'as_of() - the day it entered its stage, or was opened where its stages are not recorded. Days; S; NULL where that day is not known.';
COMMENT ON COLUMN open_deal_clock.is_stage_known IS 'True where the clock is that of its stage, false where it is that of its pipeline.';
COMMENT ON COLUMN open_deal_clock.amount IS 'Its amount in the reporting currency. Amount; S; NULL: not known.';
COMMENT ON COLUMN open_deal_clock.expected_close_on IS 'The day it is expected to close.';
COMMENT ON COLUMN open_deal_clock.forecast_category IS 'The CRM''s forecast category.';
COMMENT ON COLUMN open_deal_clock.clock_item_no IS 'Number of the clock of deals of its size: of its item stage and chance in stage_clock_item().';
COMMENT ON COLUMN open_deal_clock.segment_item_no IS 'Number of its segment and size: of its item segment there.';

-- An open deal that is split already counts for those who will be credited with it.
CREATE FUNCTION forecast_deal_on_clock(list clock_list)
    RETURNS TABLE (deal_id text, rep_no integer, owner_no integer, age_days integer, amount numeric, expected_close_on date, forecast_category text,
                   is_counted boolean, clock_item_no integer, segment_item_no integer)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT d.deal_id,
           coalesce(r.rep_no, (list).nobody),
           coalesce(o.rep_no, (list).nobody),
           d.age_days,
           CASE WHEN c.deal_id IS NULL THEN d.amount ELSE d.amount * c.share END,
           d.expected_close_on,
           d.forecast_category,
           c.deal_id IS NULL OR c.rep_id = (SELECT min(f.rep_id) FROM deal_credit f WHERE f.deal_id = c.deal_id AND NOT f.is_overlay),
           clock_item_no(d.clock_no, d.size_no, (list).limits),
           clock_item_no(array_position((list).segments, coalesce(a.segment, '')), d.size_no, (list).limits)
      -- OFFSET: what takes a while is computed once, and by parallel workers. Not so the join with all accounts,
      -- which each of them would put into a hash table of its own.
      FROM (SELECT * FROM open_deal_on_clock((list).stage_ids, (list).pipeline_ids, (list).limits) OFFSET 0) AS d
      LEFT JOIN account a ON a.account_id = d.account_id
      LEFT JOIN deal_credit c ON c.deal_id = d.deal_id AND NOT c.is_overlay
      LEFT JOIN clock_rep r ON r.rep_id = CASE WHEN c.deal_id IS NULL THEN d.rep_id ELSE c.rep_id END
      LEFT JOIN clock_rep o ON o.rep_id = d.rep_id;
END;

COMMENT ON FUNCTION forecast_deal_on_clock(clock_list) IS 'The rows of forecast_deal(), where the row of clock_list is known.';

CREATE FUNCTION forecast_deal()
    RETURNS TABLE (deal_id text, rep_no integer, owner_no integer, age_days integer, amount numeric, expected_close_on date, forecast_category text,
                   is_counted boolean, clock_item_no integer, segment_item_no integer)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- reps are few, but for all the planner knows each has a few deals: it would sort all to merge them
    -- (what is merged all the same looks so dear then that it would be compiled)
    SET enable_mergejoin = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    list clock_list;
BEGIN
    SELECT * INTO list FROM clock_list;

    RETURN QUERY
    SELECT * FROM forecast_deal_on_clock(list);
END
$$;

COMMENT ON FUNCTION forecast_deal() IS 'The open deals as of as_of() by who will be credited with them: one row for each deal and rep. rep_no: number (clock_rep) of the rep who would be credited, the owner or one of those among whom it is split; owner_no: of the owner. age_days: days on its clock, NULL where that is not known. amount: its amount in the reporting currency x share, NULL where not known. is_counted: true in one row of each deal. clock_item_no, segment_item_no: as in open_deal_clock.';

CREATE FUNCTION forecast_deal_lists()
    RETURNS TABLE (clock_nos integer[], ages integer[], rep_nos integer[], owner_nos integer[], segment_nos integer[],
                   amounts double precision[], counted integer[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- as in forecast_deal()
    SET enable_mergejoin = off
    SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    list clock_list;
BEGIN
    SELECT * INTO list FROM clock_list;

    RETURN QUERY
    SELECT coalesce(array_agg(d.clock_item_no), '{}'),
           coalesce(array_agg(coalesce(d.age_days, -1)), '{}'),
           coalesce(array_agg(d.rep_no), '{}'),
           coalesce(array_agg(d.owner_no), '{}'),
           coalesce(array_agg(d.segment_item_no), '{}'),
           coalesce(array_agg(coalesce(d.amount, 'NaN')::double precision), '{}'),
           coalesce(array_agg(d.is_counted::integer), '{}')
      FROM forecast_deal_on_clock(list) AS d;
END
$$;

COMMENT ON FUNCTION forecast_deal_lists() IS 'The rows of forecast_deal() as forecast_of() is given them: one row of lists. An age that is not known is -1, an amount NaN.';

-- ---------------------------------------------------------------- what there is to learn from

-- Deals closed before the first closing that is known are not there, and must not be missed.
CREATE FUNCTION closing_history_from() RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT greatest(first_closing.closed_on, sales_perf.as_of() - 730)
      FROM (SELECT d.closed_on
              FROM deal d
             WHERE d.outcome <> 'open'
               AND d.closed_on > '-infinity'
             ORDER BY d.closed_on
             LIMIT 1) AS first_closing
     WHERE first_closing.closed_on <= sales_perf.as_of();
END;

COMMENT ON FUNCTION closing_history_from() IS 'The day from which on it is known how deals close: that of the first closing, within the last two years; NULL where none is known as of as_of().';

CREATE FUNCTION stage_clock_item(horizons date[], with_spread boolean DEFAULT true)
    RETURNS TABLE (item text, no integer, numbers double precision[])
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    today constant date := sales_perf.as_of();
    history_from constant date := closing_history_from();
    step integer;
    days date[];
    month_starts date[];
    month_places integer[];
    rep_count integer;
    segments text[];
    size_limits constant numeric[] := deal_size_limits();
    size_count constant integer := cardinality(size_limits) + 1;
    stage_count integer;
    visit record;
BEGIN
    IF history_from IS NULL THEN
        RETURN;
    END IF;

    SELECT array_agg(c.fiscal_period_start ORDER BY c.fiscal_period_start)
           || (max(c.fiscal_period_end) + 1),
           array_agg(1 + (c.fiscal_period - 1) % 3 ORDER BY c.fiscal_period_start)
      INTO month_starts, month_places
      FROM calendar c
     WHERE c.region = ''
       AND c.on_date = c.fiscal_period_start
       AND c.fiscal_period_end >= history_from
       AND c.fiscal_period_start <= (SELECT max(h) FROM unnest(horizons) AS h);
    IF month_starts IS NULL THEN
        month_starts := ARRAY[history_from, today + 1];
        month_places := ARRAY[1];
    END IF;
    SELECT max(r.rep_no) INTO rep_count FROM clock_rep r;
    SELECT array_agg(g.segment ORDER BY g.segment_no) INTO segments FROM clock_segment g;
    SELECT max(s.clock_no) * size_count INTO stage_count FROM clock_stage s;

    step := sample_step(today - 730, today, false, 10000);
    days := ARRAY(SELECT today - back
                    FROM generate_series(0, 730) AS back
                   WHERE (today - back - date '2000-01-01') % step = 0);

    WITH sampled AS MATERIALIZED (
        SELECT row_number() OVER () AS deal_no,
               d.deal_id,
               d.opened_on,
               CASE WHEN d.is_open THEN today ELSE d.closed_on END AS last_day,
               CASE WHEN d.is_open THEN 0 WHEN d.outcome = 'won' THEN -1 ELSE -2 END AS last_end,
               CASE WHEN d.outcome = 'won' THEN d.closed_on ELSE 'infinity' END AS won_on,
               coalesce(r.rep_no, rep_count) AS rep_no,
               -- looked up: they are few, and accounts may be many
               clock_item_no(array_position(segments, coalesce((SELECT a.segment FROM account a WHERE a.account_id = d.account_id), '')), size.no, size_limits) AS segment_no,
               size.no AS size_no,
               clock_item_no(coalesce(opening.clock_no, 1), size.no, size_limits) AS clock_no
          FROM deal_as_of d
          LEFT JOIN clock_rep r ON r.rep_id = d.rep_id
          LEFT JOIN clock_stage opening ON opening.pipeline_id = d.pipeline_id AND opening.stage_id IS NULL
         CROSS JOIN LATERAL (SELECT deal_size(d.reporting_amount, size_limits) AS no) AS size
         WHERE d.opened_on = ANY (days)
           AND (d.is_open OR d.closed_on >= d.opened_on)
    ),
    entry AS (
        -- the days before its first stage was recorded it spends on its pipeline's clock
        SELECT s.deal_no,
               s.clock_no,
               s.opened_on AS entered_on,
               NULL::timestamptz AS entered_at,
               -1::bigint AS stage_event_id
          FROM sampled s
        UNION ALL
        SELECT s.deal_no,
               clock_item_no(c.clock_no, s.size_no, size_limits),
               greatest(e.entered_on, s.opened_on),
               e.entered_at,
               e.stage_event_id
          FROM sampled s
          JOIN stage_event e ON e.deal_id = s.deal_id
          JOIN clock_stage c ON c.stage_id = e.stage_id
         WHERE e.entered_on <= s.last_day
           AND NOT EXISTS (SELECT
                             FROM stage_event x
                            WHERE x.is_assumed
                              AND x.deal_id = e.deal_id
                              AND x.entered_on = e.entered_on
                              AND x.stage_event_id = e.stage_event_id)
    ),
    stay AS (
        SELECT deal_no,
               clock_no,
               entered_on,
               stage_event_id,
               lead(entered_on) OVER in_order AS moved_on,
               lead(clock_no) OVER in_order AS moved_to
          FROM entry
        WINDOW in_order AS (PARTITION BY deal_no ORDER BY entered_on, entered_at NULLS FIRST, stage_event_id)
    )
    SELECT coalesce(array_agg(v.clock_no), '{}') AS clock_nos,
           coalesce(array_agg(v.entered_on), '{}') AS entered_on,
           coalesce(array_agg(v.left_on), '{}') AS left_on,
           coalesce(array_agg(v.left_end), '{}') AS ends,
           coalesce(array_agg(v.rep_no), '{}') AS rep_nos,
           coalesce(array_agg(v.segment_no), '{}') AS segment_nos,
           coalesce(array_agg(v.won_on), '{}') AS won_on
      INTO visit
      FROM (SELECT t.clock_no,
                   t.entered_on,
                   coalesce(t.moved_on, s.last_day) AS left_on,
                   coalesce(t.moved_to, s.last_end) AS left_end,
                   s.rep_no,
                   s.segment_no,
                   s.won_on
              FROM stay t
              JOIN sampled s ON s.deal_no = t.deal_no
             WHERE NOT (t.stage_event_id = -1 AND t.moved_on IS NOT DISTINCT FROM t.entered_on)) AS v;

    RETURN QUERY
    SELECT c.item, c.no, c.numbers
      FROM sales_perf.stage_clock(today, history_from, stage_count, rep_count, cardinality(segments) * size_count,
                                  month_starts, month_places,
                                  visit.clock_nos, visit.entered_on, visit.left_on, visit.ends,
                                  visit.rep_nos, visit.segment_nos, visit.won_on,
                                  horizons, with_spread) AS c;
END
$$;

COMMENT ON FUNCTION stage_clock_item(date[], boolean) IS 'The clocks of all stages as of as_of(), see sales_perf.stage_clock: from the deals opened in the last two years, or about 10,000 of them, those of every n-th day. With the chance, by clock and age, of being won up to each of some days; and how far past months came out above or below what was expected. No rows where no closing is known.';

-- ---------------------------------------------------------------- chances

CREATE VIEW deal_chance WITH (security_invoker = true) AS
WITH horizon AS (
    SELECT c.fiscal_period_end AS month_end,
           c.fiscal_quarter_end AS quarter_end,
           c.fiscal_year_end AS year_end
      FROM calendar c
     WHERE c.region = ''
       AND c.on_date = sales_perf.as_of()
), item AS MATERIALIZED (
    SELECT i.item,
           i.no,
           i.numbers
      FROM horizon h
     CROSS JOIN LATERAL stage_clock_item(ARRAY[h.month_end, h.quarter_end, h.year_end, sales_perf.as_of() + 1096]) AS i
), rep_count AS MATERIALIZED (
    SELECT max(rep_no) AS n
      FROM clock_rep
)
SELECT d.deal_id,
       d.rep_id,
       d.pipeline_id,
       d.stage_id,
       d.is_stage_known,
       d.age_days AS stage_age_days,
       d.amount,
       sales_perf.odds_changed(p.month_chance, f.factor) AS month_chance,
       sales_perf.odds_changed(p.quarter_chance, f.factor) AS quarter_chance,
       sales_perf.odds_changed(p.year_chance, f.factor) AS year_chance,
       sales_perf.odds_changed(p.win_chance, f.factor) AS win_chance,
       p.win_chance AS company_win_chance,
       f.factor AS odds_factor
  FROM open_deal_clock d
  LEFT JOIN clock_rep r ON r.rep_id = d.rep_id
  LEFT JOIN item of_rep ON of_rep.item = 'rep' AND of_rep.no = coalesce(r.rep_no, (SELECT n FROM rep_count))
  LEFT JOIN item of_segment ON of_segment.item = 'segment' AND of_segment.no = d.segment_item_no
  LEFT JOIN item of_stage ON of_stage.item = 'stage' AND of_stage.no = d.clock_item_no
  LEFT JOIN item chance ON chance.item = 'chance' AND chance.no = of_stage.no
 CROSS JOIN LATERAL (SELECT of_rep.numbers[1] * of_segment.numbers[1] AS factor) AS f
  LEFT JOIN LATERAL (
        SELECT chance.numbers[1 + d.age_days] AS month_chance,
               chance.numbers[1 + d.age_days + cardinality(chance.numbers) / 4] AS quarter_chance,
               chance.numbers[1 + d.age_days + cardinality(chance.numbers) / 4 * 2] AS year_chance,
               chance.numbers[1 + d.age_days + cardinality(chance.numbers) / 4 * 3] AS win_chance
         WHERE d.age_days BETWEEN 0 AND of_stage.numbers[1]) AS p ON true;

COMMENT ON VIEW deal_chance IS 'Each open deal as of as_of() with its chance of being won: within what is left of the month, quarter and year that hold as_of(), and at all (within three years). By its stage''s clock: among visits to the stage, by the days they had lasted, what share was won, lost or moved on, in which case the next stage''s chance counts; in months of the same place in the quarter, where that makes a difference; the odds multiplied by how often the account''s segment and the rep win. All rates are shrunk, so that few deals never give 0 or 1. S.';
COMMENT ON COLUMN deal_chance.deal_id IS 'The deal.';
COMMENT ON COLUMN deal_chance.rep_id IS 'The rep who owns it; NULL: nobody.';
COMMENT ON COLUMN deal_chance.pipeline_id IS 'Its pipeline.';
COMMENT ON COLUMN deal_chance.stage_id IS 'The stage it is in; NULL: not known.';
COMMENT ON COLUMN deal_chance.is_stage_known IS 'True where the day it entered its stage is recorded; false where its clock is that of all deals of the pipeline whose stages are not recorded, from opened_on on.';
COMMENT ON COLUMN deal_chance.stage_age_days IS 'as_of() - the day it entered its stage (opened_on where is_stage_known is false). Days; S; NULL where that is not known.';
COMMENT ON COLUMN deal_chance.amount IS 'Its amount in the reporting currency. Amount; S; NULL where it is not known or has no rate.';
COMMENT ON COLUMN deal_chance.month_chance IS 'Chance of being won after as_of() and up to the end of the month that holds it. Fraction; S; NULL where the age is not known or past the last age at which any deal was observed for a day more, and where no closing is known.';
COMMENT ON COLUMN deal_chance.quarter_chance IS 'The same up to the end of the quarter. Fraction; S; NULL as month_chance.';
COMMENT ON COLUMN deal_chance.year_chance IS 'The same up to the end of the fiscal year. Fraction; S; NULL as month_chance.';
COMMENT ON COLUMN deal_chance.win_chance IS 'The same within three years: ever. Fraction; S; NULL as month_chance.';
COMMENT ON COLUMN deal_chance.company_win_chance IS 'win_chance before the factors of segment and rep. Fraction; S; NULL as month_chance.';
COMMENT ON COLUMN deal_chance.odds_factor IS 'What the odds are multiplied by: deals won of the segment and size / expected by the clock, times the same of the rep given the segment''s, both shrunk to 1. Ratio; S.';

SET LOCAL search_path = sales_perf, pg_temp;
