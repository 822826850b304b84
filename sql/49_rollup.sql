-- Rollups: the cells of deals, stored. sales_perf.maintain_rollup() puts triggers on the tables they are
-- made of; without them these tables are empty, and reports read the deals.
--
-- A change of deals is appended to rollup_delta as the difference it makes (summaries of the new rows minus
-- those of the old ones), so writers only insert, and never wait for each other. fold_rollup() moves the
-- differences into rollup_cell. Who reads adds up both.
--
-- What is stored must not depend on the day on which it is read: a deal that closes in the future is open
-- until then. So rows say from and until when they count; for days long gone, which is nearly always, they say nothing.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE rollup_delta (
    cell               text NOT NULL,
    on_date            date,
    is_open            boolean NOT NULL,
    currency           text,
    pipeline_id        text,
    rep_id             text,
    counts_from        date,
    counts_until       date,
    recorded_at        timestamptz,
    deal_count         bigint NOT NULL,
    unconverted_count  bigint NOT NULL,
    amount             numeric NOT NULL,
    summary            sales_perf.deal_summary
);

COMMENT ON TABLE rollup_delta IS 'Differences that changes of deals make to cells, not folded into rollup_cell yet. Written by triggers.';
COMMENT ON COLUMN rollup_delta.cell IS 'closed: of closed_cell; opened: of opened_cell; split: of split_cell.';
COMMENT ON COLUMN rollup_delta.on_date IS 'closed_on or opened_on of the cell; NULL: not known.';
COMMENT ON COLUMN rollup_delta.is_open IS 'True for open deals (opened), and for overlays (split).';
COMMENT ON COLUMN rollup_delta.currency IS 'Currency of the deals; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN rollup_delta.pipeline_id IS 'The pipeline.';
COMMENT ON COLUMN rollup_delta.rep_id IS 'The rep; NULL: nobody.';
COMMENT ON COLUMN rollup_delta.counts_from IS 'First day on which the deals count so; NULL: it was over when this was written.';
COMMENT ON COLUMN rollup_delta.counts_until IS 'The day from which on they no longer count so: they are closed; NULL: no end.';
COMMENT ON COLUMN rollup_delta.recorded_at IS 'Since when their history is recorded, where that was in the future; else NULL.';
COMMENT ON COLUMN rollup_delta.deal_count IS 'Deals more or less. Count.';
COMMENT ON COLUMN rollup_delta.unconverted_count IS 'Of these, closed ones without an exchange rate. Count.';
COMMENT ON COLUMN rollup_delta.amount IS 'opened: what they add to the amount of open deals, in currency; split: to what the rep is credited with.';
COMMENT ON COLUMN rollup_delta.summary IS 'What they add to the summary of the cell; NULL for splits.';

CREATE TABLE rollup_cell (
    grain text NOT NULL,
    LIKE rollup_delta
);

CREATE UNIQUE INDEX rollup_cell_key ON rollup_cell (grain, cell, on_date, rep_id, is_open, currency, pipeline_id, counts_from, counts_until, recorded_at) NULLS NOT DISTINCT;
CREATE INDEX rollup_cell_rep_idx ON rollup_cell (grain, cell, rep_id, on_date);
-- the pipeline, of whatever day
CREATE INDEX rollup_cell_open_idx ON rollup_cell (grain, rep_id) WHERE is_open AND cell = 'opened';
-- few: what fold_rollup() has to look after again, and what can go
CREATE INDEX rollup_cell_pending_idx ON rollup_cell (cell) WHERE counts_from IS NOT NULL OR counts_until IS NOT NULL OR recorded_at IS NOT NULL;
CREATE INDEX rollup_cell_empty_idx ON rollup_cell (cell) WHERE deal_count = 0;
-- NaN and infinity cannot be taken back from a sum
CREATE INDEX rollup_cell_not_finite_idx ON rollup_cell (cell) WHERE amount IN ('NaN', 'Infinity', '-Infinity');
CREATE INDEX rollup_delta_not_finite_idx ON rollup_delta (cell) WHERE amount IN ('NaN', 'Infinity', '-Infinity');

COMMENT ON TABLE rollup_cell IS 'Cells, stored: of each day, and of each part of a month in which the rep did not change teams. Written by fold_rollup().';
COMMENT ON COLUMN rollup_cell.grain IS 'day, or month: sums over the days from on_date to the end of the month of calendar, or to the day before the rep changes teams.';
COMMENT ON COLUMN rollup_cell.cell IS 'closed: of closed_cell; opened: of opened_cell; split: of split_cell.';
COMMENT ON COLUMN rollup_cell.on_date IS 'closed_on or opened_on of the cell, or the first day of the month; NULL: not known.';
COMMENT ON COLUMN rollup_cell.is_open IS 'True for open deals (opened), and for overlays (split).';
COMMENT ON COLUMN rollup_cell.currency IS 'Currency of the deals; NULL: the mart''s reporting currency, and for closed deals by month, whose amounts are in that.';
COMMENT ON COLUMN rollup_cell.pipeline_id IS 'The pipeline; NULL by month.';
COMMENT ON COLUMN rollup_cell.rep_id IS 'The rep; NULL: nobody.';
COMMENT ON COLUMN rollup_cell.counts_from IS 'First day on which the deals count so; NULL: it is over.';
COMMENT ON COLUMN rollup_cell.counts_until IS 'The day from which on they no longer count so: they are closed; NULL: no end.';
COMMENT ON COLUMN rollup_cell.recorded_at IS 'Since when their history is recorded, where that is in the future; else NULL.';
COMMENT ON COLUMN rollup_cell.deal_count IS 'Deals. Count.';
COMMENT ON COLUMN rollup_cell.unconverted_count IS 'Of these, closed ones without an exchange rate. Count.';
COMMENT ON COLUMN rollup_cell.amount IS 'opened: amount of the open deals, in currency; split: what the rep is credited with.';
COMMENT ON COLUMN rollup_cell.summary IS 'deal_summary of the cell''s deals; NULL for splits.';

CREATE TABLE rollup_split (
    deal_id      text NOT NULL,
    rep_id       text,
    is_overlay   boolean NOT NULL,
    on_date      date,
    counts_from  date,
    deal_count   bigint NOT NULL,
    amount       numeric NOT NULL
);

CREATE INDEX rollup_split_deal_id_idx ON rollup_split (deal_id);

COMMENT ON TABLE rollup_split IS 'What each split deal that was won adds to split_cell, so that it can be taken back when the deal or its splits change.';
COMMENT ON COLUMN rollup_split.deal_id IS 'The deal.';
COMMENT ON COLUMN rollup_split.rep_id IS 'A rep who is credited, or the owner, from whom it is taken; NULL: nobody.';
COMMENT ON COLUMN rollup_split.is_overlay IS 'True for overlays.';
COMMENT ON COLUMN rollup_split.on_date IS 'The day the deal was won; NULL: not known.';
COMMENT ON COLUMN rollup_split.counts_from IS 'First day on which the deal counts as won; NULL: it was over when this was written.';
COMMENT ON COLUMN rollup_split.deal_count IS '1 where the deal is credited, -1 where it is taken from the owner (in one of the rows that do). Count.';
COMMENT ON COLUMN rollup_split.amount IS 'What is credited (negative: taken from the owner), in the reporting currency.';

CREATE TABLE rollup_state (
    is_only_row    boolean NOT NULL DEFAULT true CONSTRAINT rollup_state_pkey PRIMARY KEY,
    has_months     boolean NOT NULL DEFAULT false,
    folded_at      timestamptz,
    watched_count  bigint,
    has_subjects   boolean NOT NULL DEFAULT false,
    derived_on     date,
    has_sales      boolean,
    CONSTRAINT rollup_state_is_only_row_check CHECK (is_only_row)
);

COMMENT ON TABLE rollup_state IS 'One row where rollups are maintained.';
COMMENT ON COLUMN rollup_state.is_only_row IS 'Always true.';
COMMENT ON COLUMN rollup_state.has_months IS 'True once the rows of grain month have been made.';
COMMENT ON COLUMN rollup_state.folded_at IS 'When fold_rollup() was last run.';
COMMENT ON COLUMN rollup_state.has_subjects IS 'Whether triggers note which customers and which ways of deals are to be derived anew, so that they can be stored.';
COMMENT ON COLUMN rollup_state.derived_on IS 'The day as of which customers and ways of deals are stored (rollup_customer, rollup_cohort, rollup_way); NULL: they are not.';
COMMENT ON COLUMN rollup_state.has_sales IS 'Whether customers'' purchases were sales then, or won deals, as there was no sale.';
COMMENT ON COLUMN rollup_state.watched_count IS 'On how many tables a trigger writes down that something has changed (rollup_change). Count; NULL: they cannot all be watched.';

-- rows, and not a number that is counted up: who changes teams does not wait for others who do
CREATE TABLE rollup_boundary_change (
    changed_at  timestamptz NOT NULL
);

COMMENT ON TABLE rollup_boundary_change IS 'Changes of calendar and team_membership, which say where the months of reps begin, that rows of grain month do not know yet: until fold_rollup() has made those anew, days are read.';
COMMENT ON COLUMN rollup_boundary_change.changed_at IS 'When it was.';

CREATE TABLE rollup_rate (
    is_only_row  boolean NOT NULL DEFAULT true CONSTRAINT rollup_rate_pkey PRIMARY KEY,
    version      bigint NOT NULL DEFAULT 0,
    CONSTRAINT rollup_rate_is_only_row_check CHECK (is_only_row)
);

COMMENT ON TABLE rollup_rate IS 'One row where rollups are maintained: written with each change of exchange rates, for transactions that still see the rates of before to fail on.';
COMMENT ON COLUMN rollup_rate.is_only_row IS 'Always true.';
COMMENT ON COLUMN rollup_rate.version IS 'Counts changes of fx_rate and mart_setting.';

-- What counts customers, or the ways of deals through stages, is no sum of rows: a purchase more does not say whether its
-- customer is a new one. So it is only noted here who was touched; whoever reads, and fold_rollup(), derives those anew.
CREATE TABLE rollup_touched (
    kind         text NOT NULL,
    subject_id   text,
    rep_id       text,
    pipeline_id  text,
    on_date      date,
    currency     text
);

COMMENT ON TABLE rollup_touched IS 'Whose stored summaries are to be derived anew. Written by triggers (src/record_change.c), read together with rollup_delta, emptied by fold_rollup().';
COMMENT ON COLUMN rollup_touched.kind IS 'customer: purchases of an account, or its segment; way: stages of a deal; opened: all deals of a rep, in a pipeline, opened on a day; rate: all purchases in a currency; sale: all sales.';
COMMENT ON COLUMN rollup_touched.subject_id IS 'The account (customer) or deal (way); NULL: all of them. NULL for other kinds.';
COMMENT ON COLUMN rollup_touched.rep_id IS 'opened: the rep; NULL: nobody.';
COMMENT ON COLUMN rollup_touched.pipeline_id IS 'opened: the pipeline; NULL: none.';
COMMENT ON COLUMN rollup_touched.on_date IS 'customer, way: the day from which on it is to be derived anew, because of what is dated then; NULL: at once. opened: the day. rate: the first day on which the rate has changed.';
COMMENT ON COLUMN rollup_touched.currency IS 'rate: the currency.';

-- ---------------------------------------------------------------- may rollups be read?

-- Nor may they show what row security hides: not in reports, and not to who looks into the tables themselves.
CREATE FUNCTION rollup_is_hidden() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN row_security_active('deal'::regclass::oid)
           OR row_security_active('deal_credit'::regclass::oid)
           OR row_security_active('fx_rate'::regclass::oid)
           OR row_security_active('mart_setting'::regclass::oid);

COMMENT ON FUNCTION rollup_is_hidden() IS 'Whether row-level security may hide from whoever asks some of what rollups are made of: then he sees nothing of them.';

-- in a sub-select: asked once, not for each row
ALTER TABLE rollup_cell ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_cell_visible ON rollup_cell USING ((SELECT NOT rollup_is_hidden()));
ALTER TABLE rollup_delta ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_delta_visible ON rollup_delta USING ((SELECT NOT rollup_is_hidden()));
ALTER TABLE rollup_touched ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_touched_visible ON rollup_touched USING ((SELECT NOT rollup_is_hidden()));
ALTER TABLE rollup_split ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_split_visible ON rollup_split USING ((SELECT NOT rollup_is_hidden()));

-- They are of today, or later: the past needs the history. What writers and folds take for over, as they began by now,
-- is over for a transaction of yesterday too, or it reads the deals.
CREATE FUNCTION rollup_grain() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    grain text;
BEGIN
    IF sales_perf.as_of() < greatest(current_date, (clock_timestamp() AT TIME ZONE 'UTC' - interval '12 hours')::date) THEN
        RETURN NULL;
    END IF;
    SELECT CASE
               WHEN s.has_months AND NOT EXISTS (SELECT FROM rollup_boundary_change) THEN 'month'
               ELSE 'day'
           END
      INTO grain
      FROM rollup_state s
     WHERE EXISTS (SELECT
                     FROM pg_trigger t
                    WHERE t.tgrelid = 'deal'::regclass
                      AND t.tgname = 'rollup_deal_insert'
                      AND t.tgenabled IN ('O', 'A'))
       -- a subscription writes without firing them
       AND NOT EXISTS (SELECT
                         FROM pg_subscription_rel r
                        WHERE r.srrelid IN ('deal'::regclass, 'deal_credit'::regclass, 'fx_rate'::regclass, 'mart_setting'::regclass, 'calendar'::regclass, 'team_membership'::regclass));
    IF grain IS NULL
       OR rollup_is_hidden()
       OR EXISTS (SELECT FROM deal_change WHERE changed_at >= (sales_perf.as_of() + 1)::timestamptz)
       OR EXISTS (SELECT FROM rollup_cell WHERE amount IN ('NaN', 'Infinity', '-Infinity'))
       OR EXISTS (SELECT FROM rollup_delta WHERE amount IN ('NaN', 'Infinity', '-Infinity')) THEN
        RETURN NULL;
    END IF;
    RETURN grain;
END
$$;

COMMENT ON FUNCTION rollup_grain() IS 'How coarse the maintained rollups can be read: month, or day where calendar or teams have changed since the last fold; NULL where there are none or they do not serve: an as_of() before today, changes dated in the future, row-level security, amounts of open or split deals that are NaN or infinite, a table that a subscription fills.';

-- What reads rollups reads the deals where they do not serve. A plan for both takes the planner twice the time of either,
-- which is most of the time of a report from rollups. So this is IMMUTABLE, though it is not: the planner asks it, and drops what
-- will hardly be needed. Whatever it says, the plan is right: rollup_grain() decides when the plan is run, and functions that
-- read the deals stand by. It asks nothing that could change while a query is planned.
CREATE FUNCTION rollup_is_expected() RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    RETURN sales_perf.as_of() >= current_date
       AND EXISTS (SELECT FROM rollup_state)
       AND NOT rollup_is_hidden()
       AND EXISTS (SELECT
                     FROM pg_trigger t
                    WHERE t.tgrelid = 'deal'::regclass
                      AND t.tgname = 'rollup_deal_insert'
                      AND t.tgenabled IN ('O', 'A'));
END
$$;

COMMENT ON FUNCTION rollup_is_expected() IS 'Whether a query that is being planned is likely to find rollups that serve. For the planner alone.';

-- ---------------------------------------------------------------- which cells a deal belongs to

-- No clock of a session is further back than this day.
CREATE FUNCTION rollup_settled_day() RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (now() AT TIME ZONE 'UTC' - interval '12 hours')::date;

COMMENT ON FUNCTION rollup_settled_day() IS 'A day that is over, or today, everywhere on earth: deals that closed and were opened by then are told no more from older ones.';

-- Its callers give the rates from a variable, not from a sub-select, so that the function is written into their queries.
CREATE FUNCTION rollup_cells(rep_id text, pipeline_id text, currency text, amount numeric, outcome text, opened_on date, closed_on date,
                             recorded_at timestamptz, rates text[])
    RETURNS TABLE (cell text, on_date date, is_open boolean, currency text, pipeline_id text, rep_id text, counts_from date, counts_until date,
                   recorded_at timestamptz, cell_amount numeric, cell_outcome text, cell_opened_on date, cell_closed_on date, is_unconverted boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.cell,
           v.on_date,
           v.is_open,
           rollup_cells.currency,
           rollup_cells.pipeline_id,
           rollup_cells.rep_id,
           CASE WHEN v.counts_from > rollup_settled_day() THEN v.counts_from END,
           v.counts_until,
           CASE WHEN v.cell = 'opened' AND rollup_cells.recorded_at > now() THEN rollup_cells.recorded_at END,
           CASE WHEN v.is_open THEN rollup_cells.amount ELSE sales_perf.reporting_amount(rollup_cells.amount, rollup_cells.currency, rollup_cells.closed_on, rates) END,
           CASE WHEN v.is_open THEN 'open' ELSE rollup_cells.outcome END,
           rollup_cells.opened_on,
           CASE WHEN NOT v.is_open THEN rollup_cells.closed_on END,
           v.cell = 'closed' AND rollup_cells.currency IS NOT NULL AND rollup_cells.amount IS NOT NULL
           AND sales_perf.reporting_amount(rollup_cells.amount, rollup_cells.currency, rollup_cells.closed_on, rates) IS NULL
      FROM (VALUES ('closed'::text, rollup_cells.closed_on, false, greatest(rollup_cells.opened_on, rollup_cells.closed_on), NULL::date, rollup_cells.outcome IN ('won', 'lost')),
                   ('opened', rollup_cells.opened_on, false, greatest(rollup_cells.opened_on, rollup_cells.closed_on), NULL, rollup_cells.outcome IN ('won', 'lost')),
                   ('opened', rollup_cells.opened_on, true, rollup_cells.opened_on, NULL, rollup_cells.outcome IS NULL OR rollup_cells.outcome = 'open'),
                   -- closed in days to come: open until then
                   ('opened', rollup_cells.opened_on, true, rollup_cells.opened_on, rollup_cells.closed_on, rollup_cells.outcome IN ('won', 'lost') AND rollup_cells.closed_on > rollup_settled_day())
           ) AS v (cell, on_date, is_open, counts_from, counts_until, is_so)
     WHERE v.is_so;
END;

COMMENT ON FUNCTION rollup_cells(text, text, text, numeric, text, date, date, timestamptz, text[]) IS 'The cells that a row of deal belongs to, and what it says there, as closed_cell and opened_cell have it: verify_rollup() compares the two. rates: of fx_rate_list.';

SET LOCAL search_path = sales_perf, pg_temp;
