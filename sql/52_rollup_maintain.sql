-- How rollups are kept: what triggers write, and what fold, verify and rebuild do (sales_perf.fold_rollup() and
-- the like call these). The triggers are put on by maintain_rollup(), and run with the rights of the mart's owner.
--
-- Amounts are converted by the rates a transaction sees, so a change of rates waits for all who are writing
-- deals, and makes those wait who begin to: the one lock among writers, shared by all but that. It is taken
-- before a statement locks any row, so that nobody waits for it who holds what its owner needs.
--
-- What reads the deals does so with row_security off: should policies hold for the owner himself, that is an
-- error, and not half of the deals.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE FUNCTION rollup_lock(purpose text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (CASE purpose WHEN 'rates' THEN 1 ELSE 2 END::bigint << 32) + 'rollup_delta'::regclass::oid::bigint;

COMMENT ON FUNCTION rollup_lock(text) IS 'Key of an advisory lock of this mart: rates, held shared by writers of deals; or fold, held by the one who folds.';

-- A row of grain month begins with the month in calendar, or where its rep came to a team, or left one.
CREATE VIEW rollup_boundary WITH (security_invoker = true) AS
SELECT rep_id,
       on_date AS first_day,
       lead(on_date - 1, 1, 'infinity') OVER (PARTITION BY rep_id ORDER BY on_date) AS last_day
  FROM (SELECT m.rep_id, b.on_date
          FROM team_membership m
         CROSS JOIN LATERAL (VALUES (lower(m.valid)), (upper(m.valid))) AS b (on_date)
         WHERE b.on_date IS NOT NULL
         GROUP BY m.rep_id, b.on_date) AS boundary;

COMMENT ON VIEW rollup_boundary IS 'The days from one change of teams of a rep to the next.';
COMMENT ON COLUMN rollup_boundary.rep_id IS 'The rep.';
COMMENT ON COLUMN rollup_boundary.first_day IS 'The day of a change.';
COMMENT ON COLUMN rollup_boundary.last_day IS 'The day before the next one; infinity after the last.';

-- ---------------------------------------------------------------- what should be stored, less what is

-- The rates come from a variable of the caller's: from a join they would be put together anew for each deal, or carried along
-- with each through a sort; from a sub-select, rollup_cells() would be called for each.
CREATE FUNCTION rollup_difference(rates text[], currencies text[] DEFAULT NULL) RETURNS SETOF rollup_delta
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH wanted AS (
        SELECT c.cell, c.on_date, c.is_open, c.currency, c.pipeline_id, c.rep_id, c.counts_from, c.counts_until, c.recorded_at,
               count(*) AS deal_count,
               count(*) FILTER (WHERE c.is_unconverted) AS unconverted_count,
               coalesce(sum(c.cell_amount) FILTER (WHERE c.is_open), 0) AS amount,
               sales_perf.deal_agg(c.cell_amount, c.cell_outcome, c.cell_opened_on, c.cell_closed_on) AS summary
          FROM deal d
         CROSS JOIN LATERAL rollup_cells(d.rep_id, d.pipeline_id, d.currency, d.amount, d.outcome, d.opened_on, d.closed_on, d.recorded_at, rates) AS c
         WHERE currencies IS NULL
            OR d.currency = ANY (currencies)
         GROUP BY c.cell, c.on_date, c.is_open, c.currency, c.pipeline_id, c.rep_id, c.counts_from, c.counts_until, c.recorded_at
    ),
    stored AS (
        SELECT cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at, deal_count, unconverted_count, amount, summary
          FROM rollup_cell
         WHERE grain = 'day'
        UNION ALL
        SELECT cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at, deal_count, unconverted_count, amount, summary
          FROM rollup_delta
    ),
    both_sides AS (
        SELECT cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at, deal_count, unconverted_count, amount,
               summary AS wanted_summary,
               NULL::sales_perf.deal_summary AS stored_summary,
               true AS is_wanted
          FROM wanted
        UNION ALL
        SELECT cell, on_date, is_open, currency, pipeline_id, rep_id,
               CASE WHEN counts_from > rollup_settled_day() THEN counts_from END,
               counts_until,
               CASE WHEN recorded_at > now() THEN recorded_at END,
               - deal_count, - unconverted_count, - amount,
               NULL,
               summary,
               false
          FROM stored
         WHERE cell <> 'split'
           AND (currencies IS NULL OR currency = ANY (currencies))
           AND (counts_until IS NULL OR counts_until > rollup_settled_day())
    ),
    summed AS (
        SELECT cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at,
               sum(deal_count)::bigint AS deal_count,
               sum(unconverted_count)::bigint AS unconverted_count,
               CASE
                   WHEN coalesce(sum(amount) FILTER (WHERE is_wanted), 0) = coalesce(- sum(amount) FILTER (WHERE NOT is_wanted), 0) THEN 0
                   ELSE sum(amount)
               END AS amount,
               coalesce(sales_perf.rollup(wanted_summary), sales_perf.deal_agg(0, 'open', NULL, NULL) FILTER (WHERE false)) AS wanted_summary,
               coalesce(sales_perf.rollup(stored_summary), sales_perf.deal_agg(0, 'open', NULL, NULL) FILTER (WHERE false)) AS stored_summary
          FROM both_sides
         GROUP BY cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at
    )
    SELECT cell, on_date, is_open, currency, pipeline_id, rep_id, counts_from, counts_until, recorded_at, deal_count, unconverted_count, amount,
           wanted_summary OPERATOR(sales_perf.-) stored_summary
      FROM summed
     WHERE wanted_summary OPERATOR(sales_perf.<>) stored_summary
        OR deal_count <> 0
        OR unconverted_count <> 0
        OR amount <> 0;
END;

COMMENT ON FUNCTION rollup_difference(text[], text[]) IS 'What is missing in the stored rows of deals (of some currencies, or all), so that appending it mends them: none where they are right. Splits have their own, see rollup_split_again(). rates: of fx_rate_list.';

-- Of the thousands of rates that there may be, one deal needs one.
CREATE FUNCTION rollup_rate_list(first_currency text, last_currency text, first_day date, last_day date) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    reporting_currency text;
    first_valid_from date;
BEGIN
    IF first_currency IS NULL THEN
        RETURN NULL;
    END IF;
    reporting_currency := coalesce((SELECT s.reporting_currency FROM mart_setting s), '');
    IF first_day IS NULL OR first_currency = reporting_currency AND last_currency = reporting_currency THEN
        RETURN ARRAY[reporting_currency];
    END IF;
    IF first_currency = last_currency THEN
        first_valid_from := (SELECT max(f.valid_from) FROM fx_rate f WHERE f.currency = first_currency AND f.valid_from <= first_day);
    END IF;
    RETURN ARRAY[reporting_currency]
           || coalesce((SELECT array_agg(item.value ORDER BY f.currency COLLATE "C", f.valid_from, item.place)
                          FROM fx_rate f
                         CROSS JOIN LATERAL (VALUES (1, f.currency),
                                                    (2, (f.valid_from - '2000-01-01'::date)::text),
                                                    (3, f.rate::text)) AS item (place, value)
                         WHERE f.currency BETWEEN first_currency AND last_currency
                           AND f.valid_from BETWEEN coalesce(first_valid_from, '-infinity') AND last_day), '{}');
END
$$;

COMMENT ON FUNCTION rollup_rate_list(text, text, date, date) IS 'What fx_rate_list holds for amounts in these currencies (from the first to the last, as texts) on these days: sales_perf.reporting_amount() gives the same with either. NULL, which does as well, where no amount has a currency.';

-- In PL/pgSQL, which keeps its plans, and by one plan: for the update of a single deal planning would take longer than all the rest.
CREATE FUNCTION rollup_split_again(deal_ids text[]) RETURNS void
    LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    split_rates text[];
BEGIN
    SELECT rollup_rate_list(min(d.currency), max(d.currency), min(d.closed_on), max(d.closed_on))
      INTO split_rates
      FROM deal d
     WHERE d.deal_id = ANY (deal_ids)
       AND d.currency IS NOT NULL
       AND d.outcome = 'won';

    WITH gone AS (
        DELETE FROM rollup_split s
         WHERE s.deal_id = ANY (deal_ids)
        RETURNING s.rep_id, s.is_overlay, s.on_date, s.counts_from, s.deal_count, s.amount
    ),
    come AS (
        INSERT INTO rollup_split (deal_id, rep_id, is_overlay, on_date, counts_from, deal_count, amount)
        SELECT split.deal_id,
               moved.rep_id,
               moved.is_overlay,
               split.closed_on,
               CASE WHEN split.counts_from > rollup_settled_day() THEN split.counts_from END,
               moved.given_count - CASE WHEN split.is_first THEN moved.taken_count ELSE 0 END,
               coalesce(moved.amount, 0)
          FROM (SELECT d.deal_id, d.closed_on, greatest(d.opened_on, d.closed_on) AS counts_from,
                       d.rep_id AS owner_rep_id, c.rep_id, c.is_overlay,
                       sales_perf.reporting_amount(d.amount, d.currency, d.closed_on, split_rates) * c.share AS amount,
                       c.rep_id = (SELECT min(f.rep_id) FROM deal_credit f WHERE f.deal_id = c.deal_id AND NOT f.is_overlay) AS is_first
                  FROM deal d
                  JOIN deal_credit c ON c.deal_id = d.deal_id
                 WHERE d.deal_id = ANY (deal_ids)
                   AND d.outcome = 'won') AS split
         CROSS JOIN LATERAL split_moves(split.rep_id, split.owner_rep_id, split.is_overlay, split.amount) AS moved
        RETURNING rep_id, is_overlay, on_date, counts_from, deal_count, amount
    )
    INSERT INTO rollup_delta (cell, on_date, is_open, rep_id, counts_from, deal_count, unconverted_count, amount)
    SELECT 'split', on_date, is_overlay, rep_id, counts_from, sum(deal_count), 0, sum(amount)
      FROM (SELECT rep_id, is_overlay, on_date, counts_from, deal_count, amount
              FROM come
            UNION ALL
            SELECT rep_id, is_overlay, on_date, counts_from, - deal_count, - amount
              FROM gone) AS change
     GROUP BY on_date, is_overlay, rep_id, counts_from
    HAVING sum(deal_count) <> 0
        OR sum(amount) <> 0;
END
$$;

COMMENT ON FUNCTION rollup_split_again(text[]) IS 'Derives anew what some deals add to split_cell, and appends the difference.';

-- In one statement, so that it sees the same of writers in all three tables.
CREATE FUNCTION rollup_split_sum() RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    WITH cell_gone AS (
        DELETE FROM rollup_cell WHERE cell = 'split'
    ),
    delta_gone AS (
        DELETE FROM rollup_delta WHERE cell = 'split'
    )
    INSERT INTO rollup_delta (cell, on_date, is_open, rep_id, counts_from, deal_count, unconverted_count, amount)
    SELECT 'split', on_date, is_overlay, rep_id, counts_from, sum(deal_count), 0, sum(amount)
      FROM rollup_split
     GROUP BY on_date, is_overlay, rep_id, counts_from;
END;

COMMENT ON FUNCTION rollup_split_sum() IS 'Adds up rollup_split anew: what was NaN or infinite once cannot be taken back from a sum.';

-- ---------------------------------------------------------------- triggers

-- Before a statement: the lock, and that it is under way. (A statement that changes rates at the same time, by
-- a trigger or a WITH, or by what it calls, counts rows of deal that those of its own triggers are to count: see rollup_rates().)
CREATE FUNCTION rollup_begin() RETURNS trigger
    LANGUAGE plpgsql
    -- who writes deals needs no right to read the rates' version
    SECURITY DEFINER
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    under_way integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(rollup_lock('rates'));
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- fails where the rates have changed since this transaction's snapshot
        PERFORM FROM rollup_rate FOR SHARE;
    END IF;
    IF TG_TABLE_NAME = 'deal' THEN
        -- assigned, as that is quicker than a PERFORM
        under_way := set_config('sales_perf_rollup.under_way_' || TG_RELID,
                           (coalesce(nullif(current_setting('sales_perf_rollup.under_way_' || TG_RELID, true), ''), '0')::integer + 1)::text,
                           true);
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rollup_begin() IS 'Trigger function: before deals or splits are changed, locks the exchange rates.';

CREATE FUNCTION rollup_deal() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    -- hundreds of thousands of cells are grouped in memory, or would be sorted
    SET work_mem = '256MB'
    -- nothing is to be gained from planning anew what is run for each update of a deal
    SET plan_cache_mode = force_generic_plan
    SET row_security = off
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    has_change boolean;
    first_currency text;
    last_currency text;
    first_day date;
    last_day date;
    deal_rates text[];
    split_ids text[];
    under_way integer;
    is_counted boolean;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE rollup_cell, rollup_delta, rollup_split;
        INSERT INTO rollup_touched (kind) VALUES ('customer'), ('way');
        RETURN NULL;
    END IF;

    under_way := greatest(nullif(current_setting('sales_perf_rollup.under_way_' || TG_RELID, true), '')::integer - 1, 0);
    is_counted := coalesce(current_setting('sales_perf_rollup.is_counted_' || TG_RELID, true) = 'yes', false);
    under_way := set_config('sales_perf_rollup.under_way_' || TG_RELID, under_way::text, true);
    IF is_counted THEN
        -- rollup_rates() came before, and has counted these rows, or some
        deal_rates := (SELECT f.rates FROM fx_rate_list f);
        INSERT INTO rollup_delta
        SELECT * FROM rollup_difference(deal_rates);
        -- which of them went another way, that does not tell
        INSERT INTO rollup_touched (kind) VALUES ('way');
        IF under_way = 0 THEN
            PERFORM set_config('sales_perf_rollup.is_counted_' || TG_RELID, '', true);
        END IF;
    END IF;

    IF TG_OP = 'UPDATE' THEN
        -- Only rows that are others now in what is read here of a deal. Most updates, of a stage or of the day on which it is expected to
        -- close, leave none. Old and new ones cannot be paired by key, which may be what changed; and cascades may update a row twice. So
        -- they are counted: those that cancel out are left out. No two are left that are alike and of one sign, as deal_id is the key at each moment.
        -- (7 and 7.00 are the same amount, but sums show as many digits, and summaries tell them apart.)
        SELECT count(*) > 0,
               min(c.currency) FILTER (WHERE c.outcome IN ('won', 'lost')),
               max(c.currency) FILTER (WHERE c.outcome IN ('won', 'lost')),
               min(c.closed_on) FILTER (WHERE c.outcome IN ('won', 'lost')),
               max(c.closed_on) FILTER (WHERE c.outcome IN ('won', 'lost'))
          INTO has_change, first_currency, last_currency, first_day, last_day
          FROM (SELECT d.currency, d.closed_on, d.outcome
                  FROM (SELECT 1 AS sign, n.deal_id, n.rep_id, n.pipeline_id, n.currency, n.amount, n.outcome, n.opened_on, n.closed_on, n.recorded_at
                          FROM new_rows n
                        UNION ALL
                        SELECT -1, o.deal_id, o.rep_id, o.pipeline_id, o.currency, o.amount, o.outcome, o.opened_on, o.closed_on, o.recorded_at
                          FROM old_rows o) AS d
                 GROUP BY d.deal_id, d.rep_id, d.pipeline_id, d.currency, d.amount, scale(d.amount), d.outcome, d.opened_on, d.closed_on, d.recorded_at
                HAVING sum(d.sign) <> 0) AS c;
        IF NOT has_change THEN
            RETURN NULL;
        END IF;

        deal_rates := rollup_rate_list(first_currency, last_currency, first_day, last_day);
        WITH changed AS MATERIALIZED (
            SELECT sign(sum(d.sign))::integer AS sign, d.deal_id, d.rep_id, d.pipeline_id, d.currency, d.amount, d.outcome, d.opened_on, d.closed_on, d.recorded_at
              FROM (SELECT 1 AS sign, n.deal_id, n.rep_id, n.pipeline_id, n.currency, n.amount, n.outcome, n.opened_on, n.closed_on, n.recorded_at
                      FROM new_rows n
                    UNION ALL
                    SELECT -1, o.deal_id, o.rep_id, o.pipeline_id, o.currency, o.amount, o.outcome, o.opened_on, o.closed_on, o.recorded_at
                      FROM old_rows o) AS d
             GROUP BY d.deal_id, d.rep_id, d.pipeline_id, d.currency, d.amount, scale(d.amount), d.outcome, d.opened_on, d.closed_on, d.recorded_at
            HAVING sum(d.sign) <> 0
        ),
        appended AS (
            INSERT INTO rollup_delta
            SELECT c.cell, c.on_date, c.is_open, c.currency, c.pipeline_id, c.rep_id, c.counts_from, c.counts_until, c.recorded_at,
                   sum(d.sign),
                   coalesce(sum(d.sign) FILTER (WHERE c.is_unconverted), 0),
                   coalesce(sum(d.sign * c.cell_amount) FILTER (WHERE c.is_open), 0),
                   sales_perf.deal_agg(c.cell_amount, c.cell_outcome, c.cell_opened_on, c.cell_closed_on) FILTER (WHERE d.sign = 1)
                   OPERATOR(sales_perf.-) sales_perf.deal_agg(c.cell_amount, c.cell_outcome, c.cell_opened_on, c.cell_closed_on) FILTER (WHERE d.sign = -1)
              FROM changed d
             CROSS JOIN LATERAL rollup_cells(d.rep_id, d.pipeline_id, d.currency, d.amount, d.outcome, d.opened_on, d.closed_on, d.recorded_at, deal_rates) AS c
             WHERE NOT is_counted
             -- also where nothing is left over: deals that took each other's place go other ways (rollup_touched)
             GROUP BY c.cell, c.on_date, c.is_open, c.currency, c.pipeline_id, c.rep_id, c.counts_from, c.counts_until, c.recorded_at
        )
        SELECT array_agg(d.deal_id)
          INTO split_ids
          FROM changed d
         -- OFFSET: looked up for each, or the plan that a session made for many rows would read all splits for each single one that comes later
         WHERE EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = d.deal_id OFFSET 0)
            OR EXISTS (SELECT FROM rollup_split s WHERE s.deal_id = d.deal_id OFFSET 0);
    ELSE
        IF NOT is_counted THEN
            SELECT min(d.currency), max(d.currency), min(d.closed_on), max(d.closed_on)
              INTO first_currency, last_currency, first_day, last_day
              FROM changed_rows d
             WHERE d.outcome IN ('won', 'lost');
            deal_rates := rollup_rate_list(first_currency, last_currency, first_day, last_day);
            INSERT INTO rollup_delta
            SELECT c.cell, c.on_date, c.is_open, c.currency, c.pipeline_id, c.rep_id, c.counts_from, c.counts_until, c.recorded_at,
                   sign.n * count(*),
                   sign.n * count(*) FILTER (WHERE c.is_unconverted),
                   sign.n * coalesce(sum(c.cell_amount) FILTER (WHERE c.is_open), 0),
                   CASE sign.n
                       WHEN 1 THEN sales_perf.deal_agg(c.cell_amount, c.cell_outcome, c.cell_opened_on, c.cell_closed_on)
                       ELSE sales_perf.deal_agg(0, 'open', NULL, NULL) FILTER (WHERE false)
                            OPERATOR(sales_perf.-) sales_perf.deal_agg(c.cell_amount, c.cell_outcome, c.cell_opened_on, c.cell_closed_on)
                   END
              FROM changed_rows d
             CROSS JOIN (SELECT CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END AS n) AS sign
             CROSS JOIN LATERAL rollup_cells(d.rep_id, d.pipeline_id, d.currency, d.amount, d.outcome, d.opened_on, d.closed_on, d.recorded_at, deal_rates) AS c
             GROUP BY sign.n, c.cell, c.on_date, c.is_open, c.currency, c.pipeline_id, c.rep_id, c.counts_from, c.counts_until, c.recorded_at;
        END IF;

        split_ids := ARRAY(SELECT d.deal_id
                             FROM changed_rows d
                            WHERE EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = d.deal_id OFFSET 0)
                               OR EXISTS (SELECT FROM rollup_split s WHERE s.deal_id = d.deal_id OFFSET 0));
    END IF;
    IF split_ids <> '{}' THEN
        PERFORM rollup_split_again(split_ids);
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rollup_deal() IS 'Trigger function: appends to rollup_delta what a change of deals comes to.';

-- The deals are locked, in order: who changes one of them at the same time comes before or after, as does who splits it.
CREATE FUNCTION rollup_credit() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET row_security = off
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM rollup_split_again(ARRAY(SELECT DISTINCT s.deal_id FROM rollup_split s));
        RETURN NULL;
    END IF;

    PERFORM
       FROM deal d
      WHERE d.deal_id IN (SELECT c.deal_id FROM changed_rows c)
      ORDER BY d.deal_id
        FOR NO KEY UPDATE;
    -- Written, not only locked: a transaction of one snapshot that changes such a deal later, and does not see its splits, has
    -- to fail. (The triggers of deal find that nothing of the deal has changed, and do nothing.)
    UPDATE deal d
       SET deal_id = d.deal_id
     WHERE d.deal_id IN (SELECT c.deal_id FROM changed_rows c);
    PERFORM rollup_split_again(ARRAY(SELECT DISTINCT c.deal_id FROM changed_rows c));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rollup_credit() IS 'Trigger function: appends to rollup_delta what a change of splits comes to.';

CREATE FUNCTION rollup_rates() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET row_security = off
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    currencies text[];
    all_rates text[];
BEGIN
    IF TG_WHEN = 'BEFORE' THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'exchange rates cannot be changed in a transaction of isolation level %', current_setting('transaction_isolation')
                USING ERRCODE = 'active_sql_transaction',
                      DETAIL = 'Rollups are maintained: the change has to see the deals of all who wrote them before.',
                      HINT = 'Use READ COMMITTED.';
        END IF;
        PERFORM pg_advisory_xact_lock(rollup_lock('rates'));
        RETURN NULL;
    END IF;

    UPDATE rollup_rate SET version = version + 1;

    INSERT INTO rollup_touched (kind) VALUES ('sale');
    IF TG_TABLE_NAME = 'fx_rate' AND TG_OP <> 'TRUNCATE' THEN
        currencies := ARRAY(SELECT DISTINCT c.currency FROM changed_rows c);
        INSERT INTO rollup_touched (kind, currency, on_date)
        SELECT 'rate', c.currency, min(c.valid_from)
          FROM changed_rows c
         GROUP BY c.currency;
    ELSE
        INSERT INTO rollup_touched (kind) VALUES ('customer');
    END IF;
    -- A statement on deals that is under way, whose triggers come after this one, must not count again what is counted here.
    IF nullif(current_setting('sales_perf_rollup.under_way_' || 'deal'::regclass::oid, true), '')::integer > 0 THEN
        PERFORM set_config('sales_perf_rollup.is_counted_' || 'deal'::regclass::oid, 'yes', true);
    END IF;
    all_rates := (SELECT f.rates FROM fx_rate_list f);
    INSERT INTO rollup_delta
    SELECT * FROM rollup_difference(all_rates, currencies);
    PERFORM rollup_split_again(ARRAY(SELECT DISTINCT c.deal_id
                                       FROM deal_credit c
                                       JOIN deal d ON d.deal_id = c.deal_id
                                      WHERE currencies IS NULL
                                         OR d.currency = ANY (currencies)));
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rollup_rates() IS 'Trigger function: appends to rollup_delta what a change of exchange rates, or of the reporting currency, comes to.';

CREATE FUNCTION rollup_boundary() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rollup_boundary_change (changed_at) VALUES (clock_timestamp());
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rollup_boundary() IS 'Trigger function: months of reps begin on other days now; the next fold makes them anew.';

-- ---------------------------------------------------------------- fold, verify, rebuild

CREATE FUNCTION rollup_fold() RETURNS bigint
    LANGUAGE plpgsql
    -- hundreds of thousands of cells are grouped in memory, or would be sorted
    SET work_mem = '256MB'
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    has_boundary_change boolean;
    folded bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(rollup_lock('fold')) THEN
        RAISE NOTICE 'rollups are being folded by another session';
        RETURN 0;
    END IF;

    IF NOT EXISTS (SELECT FROM rollup_state) THEN
        RETURN 0;
    END IF;
    -- What is committed by now, the statements below see; what comes later stays here until the next time.
    DELETE FROM rollup_boundary_change;
    has_boundary_change := FOUND;
    IF has_boundary_change OR EXISTS (SELECT FROM rollup_state s WHERE NOT s.has_months) THEN
        INSERT INTO rollup_touched (kind) VALUES ('customer'), ('way'), ('sale');
        DELETE FROM rollup_cell WHERE grain = 'month';
        INSERT INTO rollup_cell
        SELECT 'month', b.cell, b.bucket, b.is_open, b.currency, NULL, b.rep_id, b.counts_from, b.counts_until, b.recorded_at,
               sum(b.deal_count), sum(b.unconverted_count), sum(b.amount), sales_perf.rollup(b.summary)
          FROM (SELECT r.cell, greatest(coalesce(k.fiscal_period_start, r.on_date), b.first_day) AS bucket, r.is_open, CASE WHEN r.is_open THEN r.currency END AS currency, r.rep_id,
                       r.counts_from, r.counts_until, r.recorded_at, r.deal_count, r.unconverted_count, r.amount, r.summary
                  FROM rollup_cell r
                  LEFT JOIN calendar k ON k.region = '' AND k.on_date = r.on_date
                  LEFT JOIN rollup_boundary b ON b.rep_id = r.rep_id AND r.on_date BETWEEN b.first_day AND b.last_day
                 WHERE r.grain = 'day') AS b
         GROUP BY b.cell, b.bucket, b.is_open, b.currency, b.rep_id, b.counts_from, b.counts_until, b.recorded_at
         -- a report reads all reps of a few months: they are to lie side by side
         ORDER BY b.cell, b.bucket, b.rep_id;
    END IF;

    IF EXISTS (SELECT FROM rollup_cell WHERE cell = 'split' AND amount IN ('NaN', 'Infinity', '-Infinity'))
       OR EXISTS (SELECT FROM rollup_delta WHERE cell = 'split' AND amount IN ('NaN', 'Infinity', '-Infinity')) THEN
        PERFORM rollup_split_sum();
    END IF;

    -- What lay ahead when it was written, and is over now, becomes one with the rest.
    WITH taken AS (
        DELETE FROM rollup_delta
        RETURNING *
    ),
    pending AS (
        DELETE FROM rollup_cell
         WHERE (counts_from IS NOT NULL OR counts_until IS NOT NULL OR recorded_at IS NOT NULL)
           AND least(counts_from, counts_until, recorded_at::date) <= rollup_settled_day()
        RETURNING *
    ),
    touched AS (
        INSERT INTO rollup_touched (kind, rep_id, pipeline_id, on_date)
        SELECT DISTINCT 'opened', t.rep_id, t.pipeline_id, t.on_date
          FROM taken t
         WHERE t.cell = 'opened'
    ),
    piece AS (
        SELECT 'day'::text AS grain, t.*
          FROM taken t
        UNION ALL
        SELECT 'month', t.cell, greatest(coalesce(k.fiscal_period_start, t.on_date), b.first_day), t.is_open, CASE WHEN t.is_open THEN t.currency END, NULL, t.rep_id,
               t.counts_from, t.counts_until, t.recorded_at, t.deal_count, t.unconverted_count, t.amount, t.summary
          FROM taken t
          LEFT JOIN calendar k ON k.region = '' AND k.on_date = t.on_date
          LEFT JOIN rollup_boundary b ON b.rep_id = t.rep_id AND t.on_date BETWEEN b.first_day AND b.last_day
        UNION ALL
        SELECT *
          FROM pending
    )
    INSERT INTO rollup_cell AS r
    SELECT p.grain, p.cell, p.on_date, p.is_open, p.currency, p.pipeline_id, p.rep_id,
           CASE WHEN p.counts_from > rollup_settled_day() THEN p.counts_from END AS counts_from,
           p.counts_until,
           CASE WHEN p.recorded_at > now() THEN p.recorded_at END AS recorded_at,
           sum(p.deal_count), sum(p.unconverted_count), sum(p.amount), sales_perf.rollup(p.summary)
      FROM piece p
     WHERE p.counts_until IS NULL
        OR p.counts_until > rollup_settled_day()
     GROUP BY p.grain, p.cell, p.on_date, p.is_open, p.currency, p.pipeline_id, p.rep_id, 8, p.counts_until, 10
        ON CONFLICT (grain, cell, on_date, rep_id, is_open, currency, pipeline_id, counts_from, counts_until, recorded_at)
        DO UPDATE SET deal_count = r.deal_count + excluded.deal_count,
                      unconverted_count = r.unconverted_count + excluded.unconverted_count,
                      amount = r.amount + excluded.amount,
                      summary = r.summary OPERATOR(sales_perf.+) excluded.summary;
    GET DIAGNOSTICS folded = ROW_COUNT;

    -- Amounts that were NaN or infinite once are so for good: made anew.
    UPDATE rollup_cell
       SET amount = sales_perf.pipeline_amount(summary)
     WHERE cell = 'opened'
       AND amount IN ('NaN', 'Infinity', '-Infinity');

    DELETE FROM rollup_cell r
     WHERE r.deal_count = 0
       AND r.unconverted_count = 0
       AND r.amount = 0
       AND (r.summary IS NULL OR r.summary OPERATOR(sales_perf.=) (r.summary OPERATOR(sales_perf.-) r.summary));

    UPDATE rollup_state SET has_months = true, folded_at = clock_timestamp();
    RETURN folded;
END
$$;

COMMENT ON FUNCTION rollup_fold() IS 'Behind sales_perf.fold_rollup(): moves rollup_delta into rollup_cell. Returns how many rows of rollup_cell it wrote.';

CREATE FUNCTION rollup_rebuild() RETURNS bigint
    LANGUAGE plpgsql
    -- hundreds of thousands of cells are grouped in memory, or would be sorted
    SET work_mem = '256MB'
    SET row_security = off
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    all_rates text[];
    mended bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rollups cannot be rebuilt in a transaction of isolation level %', current_setting('transaction_isolation')
            USING ERRCODE = 'active_sql_transaction',
                  HINT = 'Use READ COMMITTED.';
    END IF;
    PERFORM pg_advisory_xact_lock(rollup_lock('rates'));
    PERFORM pg_advisory_xact_lock(rollup_lock('fold'));

    all_rates := (SELECT f.rates FROM fx_rate_list f);
    IF EXISTS (SELECT FROM rollup_cell) OR EXISTS (SELECT FROM rollup_delta) THEN
        INSERT INTO rollup_delta
        SELECT * FROM rollup_difference(all_rates);
    ELSE
        INSERT INTO rollup_cell
        SELECT 'day', d.* FROM rollup_difference(all_rates) AS d;
    END IF;
    GET DIAGNOSTICS mended = ROW_COUNT;

    -- splits are few: from the beginning
    DELETE FROM rollup_cell WHERE cell = 'split';
    DELETE FROM rollup_delta WHERE cell = 'split';
    DELETE FROM rollup_split;
    PERFORM rollup_split_again(ARRAY(SELECT DISTINCT c.deal_id FROM deal_credit c));

    UPDATE rollup_state SET has_months = false;
    PERFORM rollup_fold();
    RETURN mended;
END
$$;

COMMENT ON FUNCTION rollup_rebuild() IS 'Behind sales_perf.rebuild_rollup(): makes what is stored equal to the deals. Returns how many cells of deals were wrong.';

-- The oracle is the views that read the deals.
CREATE FUNCTION rollup_verify() RETURNS TABLE (cell text, grain text, cell_count bigint, wrong_count bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH live AS (
        SELECT 'closed'::text AS cell, closed_on AS on_date, false AS is_open, currency, pipeline_id, rep_id, unconverted_count AS n, NULL::numeric AS amount, summary
          FROM closed_live_cell
        UNION ALL
        SELECT 'opened', opened_on, is_open, currency, pipeline_id, rep_id, unrecorded_count, open_amount, summary
          FROM opened_live_cell
        UNION ALL
        SELECT 'split', closed_on, is_overlay, NULL, NULL, rep_id, deal_count, amount, NULL
          FROM split_live_cell
    ),
    -- months know the currency of open deals alone, and no pipeline
    side AS (
        SELECT l.cell, g.grain, l.on_date,
               l.is_open, CASE WHEN g.grain = 'day' OR l.is_open THEN l.currency END AS currency, CASE WHEN g.grain = 'day' THEN l.pipeline_id END AS pipeline_id, l.rep_id,
               l.n, coalesce(l.amount, 0) AS amount,
               l.summary AS live_summary,
               NULL::sales_perf.deal_summary AS stored_summary
          FROM live l
         CROSS JOIN (VALUES ('day'::text), ('month')) AS g (grain)
        UNION ALL
        SELECT r.cell, r.grain, r.on_date,
               r.is_open, CASE WHEN r.grain = 'day' OR r.is_open THEN r.currency END, CASE WHEN r.grain = 'day' THEN r.pipeline_id END, r.rep_id,
               - CASE r.cell
                     WHEN 'closed' THEN r.unconverted_count
                     WHEN 'opened' THEN CASE WHEN r.recorded_at >= (sales_perf.as_of() + 1)::timestamptz THEN r.deal_count ELSE 0 END
                     ELSE r.deal_count
                 END,
               - r.amount,
               NULL,
               r.summary
          FROM rollup_row r
    ),
    compared AS (
        SELECT s.cell, s.grain,
               sum(s.n) = 0
               AND sum(s.amount) = 0
               AND coalesce(sales_perf.rollup(s.live_summary), sales_perf.deal_agg(0, 'open', NULL, NULL) FILTER (WHERE false))
                   OPERATOR(sales_perf.=) coalesce(sales_perf.rollup(s.stored_summary), sales_perf.deal_agg(0, 'open', NULL, NULL) FILTER (WHERE false)) AS is_right
          FROM side s
          LEFT JOIN calendar k ON s.grain = 'month' AND k.region = '' AND k.on_date = s.on_date
          LEFT JOIN rollup_boundary b ON s.grain = 'month' AND b.rep_id = s.rep_id AND s.on_date BETWEEN b.first_day AND b.last_day
         WHERE s.grain = 'day'
            OR (SELECT rollup_grain()) = 'month'
         GROUP BY s.cell, s.grain, greatest(coalesce(k.fiscal_period_start, s.on_date), b.first_day), s.is_open, s.currency, s.pipeline_id, s.rep_id
    )
    SELECT c.cell, c.grain, count(*), count(*) FILTER (WHERE NOT c.is_right)
      FROM compared c
     WHERE (SELECT rollup_grain()) IS NOT NULL
     GROUP BY c.cell, c.grain;
END;

COMMENT ON FUNCTION rollup_verify() IS 'Behind sales_perf.verify_rollup(): compares the stored cells with those read from the deals, by =. No rows where rollups do not serve (rollup_grain()).';

SET LOCAL search_path = sales_perf, pg_temp;
