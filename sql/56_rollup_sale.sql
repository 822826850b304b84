-- Rollups of sales: how much each rep sold, by the day in each currency, and by the month in the reporting currency. Those are sums,
-- so a statement appends the difference it makes, as for deals (sql/49_rollup.sql). Days do not depend on exchange rates, which are
-- applied on reading; months do, and are made anew when rates, calendar or teams have changed.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE rollup_sale_delta (
    sold_on           date NOT NULL,
    rep_id            text,
    currency          text,
    digits            integer,
    sale_count        bigint NOT NULL,
    not_finite_count  bigint NOT NULL,
    amount            numeric NOT NULL
);

CREATE INDEX rollup_sale_delta_not_finite_idx ON rollup_sale_delta (sold_on) WHERE not_finite_count <> 0;

COMMENT ON TABLE rollup_sale_delta IS 'Differences that changes of sales make to rollup_sale, not folded into it yet. Written by triggers.';
COMMENT ON COLUMN rollup_sale_delta.sold_on IS 'The day of the sales.';
COMMENT ON COLUMN rollup_sale_delta.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN rollup_sale_delta.currency IS 'Currency of the amounts; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN rollup_sale_delta.digits IS 'Digits that these amounts have after the point: sums show as many as the amounts that are left. NULL: the amount is not known, or not finite.';
COMMENT ON COLUMN rollup_sale_delta.sale_count IS 'Sales more or less. Count.';
COMMENT ON COLUMN rollup_sale_delta.not_finite_count IS 'Of these, those whose amount is NaN or infinite: as long as there are any, reports read the sales. Count.';
COMMENT ON COLUMN rollup_sale_delta.amount IS 'What the finite amounts add, in currency.';

CREATE TABLE rollup_sale (
    grain        text NOT NULL,
    LIKE rollup_sale_delta,
    counts_from  date
);

CREATE UNIQUE INDEX rollup_sale_key ON rollup_sale (grain, sold_on, rep_id, currency, digits, counts_from) NULLS NOT DISTINCT;
CREATE INDEX rollup_sale_rep_idx ON rollup_sale (grain, rep_id, sold_on);
-- few: what fold_rollup() has to look after again, and what can go
CREATE INDEX rollup_sale_pending_idx ON rollup_sale (counts_from) WHERE counts_from IS NOT NULL;
CREATE INDEX rollup_sale_empty_idx ON rollup_sale (sold_on) WHERE sale_count = 0;
CREATE INDEX rollup_sale_not_finite_idx ON rollup_sale (sold_on) WHERE not_finite_count <> 0;

COMMENT ON TABLE rollup_sale IS 'What each rep sold, stored: of each day, and of each part of a month in which the rep did not change teams. Written by fold_rollup().';
COMMENT ON COLUMN rollup_sale.grain IS 'day, or month: sums over the days from sold_on to the end of the month of calendar, or to the day before the rep changes teams.';
COMMENT ON COLUMN rollup_sale.sold_on IS 'The day of the sales, or the first day of the month.';
COMMENT ON COLUMN rollup_sale.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN rollup_sale.currency IS 'Currency of the amounts; NULL: the mart''s reporting currency, in which all months are.';
COMMENT ON COLUMN rollup_sale.digits IS 'Digits that these amounts have after the point; NULL: the amount is not known, not finite, or (by month) has no rate.';
COMMENT ON COLUMN rollup_sale.sale_count IS 'Sales. Count.';
COMMENT ON COLUMN rollup_sale.not_finite_count IS 'Of these, those whose amount is NaN or infinite. Count.';
COMMENT ON COLUMN rollup_sale.amount IS 'Sum of the finite amounts, in currency.';
COMMENT ON COLUMN rollup_sale.counts_from IS 'month: the day of the sales, where it lay ahead when this was written: they count from then on; else NULL.';

ALTER TABLE rollup_sale ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_sale_visible ON rollup_sale USING ((SELECT NOT rollup_report_is_hidden()));
ALTER TABLE rollup_sale_delta ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_sale_delta_visible ON rollup_sale_delta USING ((SELECT NOT rollup_report_is_hidden()));

CREATE FUNCTION rollup_sale_serves() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT rollup_subject_serves('sale')
           AND EXISTS (SELECT
                         FROM pg_trigger t
                        WHERE t.tgrelid = 'sale'::regclass
                          AND t.tgname = 'rollup_sale_insert'
                          AND t.tgenabled IN ('O', 'A'))
           AND NOT EXISTS (SELECT FROM rollup_sale WHERE not_finite_count <> 0)
           AND NOT EXISTS (SELECT FROM rollup_sale_delta WHERE not_finite_count <> 0);
END;

COMMENT ON FUNCTION rollup_sale_serves() IS 'Whether the stored sums of sales can be read: where rollups of subjects can (rollup_subject_serves()), and no amount is NaN or infinite, which cannot be taken back from a sum.';

-- ---------------------------------------------------------------- writing

CREATE VIEW sale_day_cell WITH (security_invoker = true) AS
SELECT sold_on,
       rep_id,
       currency,
       scale(amount) AS digits,
       count(*) AS sale_count,
       count(*) FILTER (WHERE amount IN ('NaN', 'Infinity', '-Infinity')) AS not_finite_count,
       coalesce(sum(amount) FILTER (WHERE scale(amount) IS NOT NULL), 0) AS amount
  FROM sale
 WHERE sold_on > '-infinity'
 GROUP BY sold_on, rep_id, currency, scale(amount);

COMMENT ON VIEW sale_day_cell IS 'Read from the sales: what rollup_sale is to hold. Days to come are in it.';
COMMENT ON COLUMN sale_day_cell.sold_on IS 'The day of the sales.';
COMMENT ON COLUMN sale_day_cell.rep_id IS 'The rep who sold; NULL: nobody.';
COMMENT ON COLUMN sale_day_cell.currency IS 'Currency of the amounts; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN sale_day_cell.digits IS 'Digits that these amounts have after the point; NULL: the amount is not known, or not finite.';
COMMENT ON COLUMN sale_day_cell.sale_count IS 'Sales. Count.';
COMMENT ON COLUMN sale_day_cell.not_finite_count IS 'Of these, those whose amount is NaN or infinite. Count.';
COMMENT ON COLUMN sale_day_cell.amount IS 'Sum of the finite amounts, in currency.';

-- Written into the query that asks.
CREATE FUNCTION rollup_sale_month(sold_on date, rep_id text, currency text, digits integer, amount numeric)
    RETURNS TABLE (sold_on date, digits integer, amount numeric, counts_from date)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT greatest(coalesce(k.fiscal_period_start, d.sold_on), b.first_day),
           scale(d.amount),
           coalesce(d.amount, 0),
           CASE WHEN d.sold_on > rollup_settled_day() THEN d.sold_on END
      FROM (SELECT rollup_sale_month.sold_on,
                   rollup_sale_month.rep_id,
                   CASE WHEN rollup_sale_month.digits IS NOT NULL
                        THEN sales_perf.converted_amount(rollup_sale_month.amount, rollup_sale_month.currency, rollup_sale_month.sold_on, 'fx_rate_list'::regclass)
                   END AS amount) AS d
      LEFT JOIN calendar k ON k.region = '' AND k.on_date = d.sold_on
      LEFT JOIN rollup_boundary b ON b.rep_id = d.rep_id AND d.sold_on BETWEEN b.first_day AND b.last_day;
END;

COMMENT ON FUNCTION rollup_sale_month(date, text, text, integer, numeric) IS 'The row of grain month that what a rep sold on a day belongs to, and the amount in the reporting currency.';

CREATE FUNCTION rollup_sale() RETURNS trigger
    LANGUAGE plpgsql
    -- who writes sales needs no right to write these
    SECURITY DEFINER
    SET plan_cache_mode = force_generic_plan
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    sign constant integer := TG_ARGV[0];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE rollup_sale, rollup_sale_delta;
        RETURN NULL;
    END IF;
    INSERT INTO rollup_sale_delta (sold_on, rep_id, currency, digits, sale_count, not_finite_count, amount)
    SELECT c.sold_on,
           c.rep_id,
           c.currency,
           scale(c.amount),
           sign * count(*),
           sign * count(*) FILTER (WHERE c.amount IN ('NaN', 'Infinity', '-Infinity')),
           sign * coalesce(sum(c.amount) FILTER (WHERE scale(c.amount) IS NOT NULL), 0)
      FROM changed_rows c
     WHERE c.sold_on > '-infinity'
     GROUP BY c.sold_on, c.rep_id, c.currency, scale(c.amount);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION rollup_sale() IS 'Trigger function: appends to rollup_sale_delta what a change of sales comes to; its argument is 1 for new rows, -1 for old ones.';

CREATE FUNCTION rollup_sale_fold() RETURNS bigint
    LANGUAGE plpgsql
    SET work_mem = '256MB'
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    is_all boolean;
    folded bigint;
BEGIN
    DELETE FROM rollup_touched WHERE kind = 'sale';
    is_all := FOUND OR EXISTS (SELECT FROM rollup_state s WHERE s.derived_on IS NULL);
    IF is_all THEN
        -- in one statement, so that it sees the same of writers in all three tables
        WITH cell_gone AS (
            DELETE FROM rollup_sale
        ),
        delta_gone AS (
            DELETE FROM rollup_sale_delta
        )
        INSERT INTO rollup_sale_delta (sold_on, rep_id, currency, digits, sale_count, not_finite_count, amount)
        SELECT sold_on, rep_id, currency, digits, sale_count, not_finite_count, amount
          FROM sale_day_cell;
    END IF;

    WITH taken AS (
        DELETE FROM rollup_sale_delta
        RETURNING *
    ),
    pending AS (
        DELETE FROM rollup_sale
         WHERE counts_from <= rollup_settled_day()
        RETURNING *
    ),
    piece AS (
        SELECT 'day'::text AS grain, t.sold_on, t.rep_id, t.currency, t.digits, t.sale_count, t.not_finite_count, t.amount, NULL::date AS counts_from
          FROM taken t
        UNION ALL
        SELECT 'month', m.sold_on, t.rep_id, NULL, m.digits, t.sale_count, t.not_finite_count, m.amount, m.counts_from
          FROM taken t
         CROSS JOIN LATERAL rollup_sale_month(t.sold_on, t.rep_id, t.currency, t.digits, t.amount) AS m
        UNION ALL
        SELECT p.grain, p.sold_on, p.rep_id, p.currency, p.digits, p.sale_count, p.not_finite_count, p.amount, NULL
          FROM pending p
    )
    INSERT INTO rollup_sale AS r (grain, sold_on, rep_id, currency, digits, sale_count, not_finite_count, amount, counts_from)
    SELECT p.grain, p.sold_on, p.rep_id, p.currency, p.digits, sum(p.sale_count), sum(p.not_finite_count), sum(p.amount), p.counts_from
      FROM piece p
     GROUP BY p.grain, p.sold_on, p.rep_id, p.currency, p.digits, p.counts_from
     -- a report reads all reps of a few months: they are to lie side by side
     ORDER BY p.grain, p.sold_on, p.rep_id
        ON CONFLICT (grain, sold_on, rep_id, currency, digits, counts_from)
        DO UPDATE SET sale_count = r.sale_count + excluded.sale_count,
                      not_finite_count = r.not_finite_count + excluded.not_finite_count,
                      amount = r.amount + excluded.amount;
    GET DIAGNOSTICS folded = ROW_COUNT;
    IF folded > 0 THEN
        DELETE FROM rollup_sale WHERE sale_count = 0;
    END IF;
    RETURN folded;
END
$$;

COMMENT ON FUNCTION rollup_sale_fold() IS 'Adds up what changes of sales have appended; all anew where rollup_touched says so. Returns how many rows of rollup_sale it wrote.';

-- ---------------------------------------------------------------- reading

CREATE FUNCTION sale_unfolded_cell(grain text)
    RETURNS TABLE (sold_on date, rep_id text, currency text, digits integer, sale_count bigint, amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT rollup_sale_serves() THEN
        RETURN QUERY
            SELECT s.sold_on,
                   s.rep_id,
                   s.currency,
                   CASE WHEN s.amount IS NOT NULL THEN coalesce(scale(s.amount), 0) END,
                   count(*),
                   sum(s.amount)
              FROM sale_as_of s
             GROUP BY s.sold_on, s.rep_id, s.currency, 4;
    ELSIF grain = 'day' THEN
        RETURN QUERY
            SELECT d.sold_on,
                   d.rep_id,
                   d.currency,
                   d.digits,
                   d.sale_count,
                   d.amount
              FROM rollup_sale_delta d
             WHERE d.sold_on <= sales_perf.as_of();
    ELSE
        RETURN QUERY
            SELECT m.sold_on,
                   d.rep_id,
                   NULL::text,
                   m.digits,
                   d.sale_count,
                   m.amount
              FROM rollup_sale_delta d
             CROSS JOIN LATERAL rollup_sale_month(d.sold_on, d.rep_id, d.currency, d.digits, d.amount) AS m
             WHERE d.sold_on <= sales_perf.as_of();
    END IF;
END
$$;

COMMENT ON FUNCTION sale_unfolded_cell(text) IS 'Of the sales up to as_of() what the rows of rollup_sale of a grain do not hold: what is not folded yet, or all (by day), where they do not serve.';

-- An amount times a rate is exact, so the sum of a day may be converted instead of each sale.
CREATE FUNCTION sale_stored_cell(grain text)
    RETURNS TABLE (sold_on date, rep_id text, sale_count bigint, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT d.sold_on,
           d.rep_id,
           d.sale_count,
           sales_perf.converted_amount(d.amount, d.currency, d.sold_on, 'fx_rate_list'::regclass)
      FROM (SELECT part.sold_on,
                   part.rep_id,
                   part.currency,
                   sum(part.sale_count)::bigint AS sale_count,
                   CASE WHEN part.digits IS NOT NULL THEN sum(part.amount) END AS amount
              FROM (SELECT r.sold_on,
                           r.rep_id,
                           r.currency,
                           r.digits,
                           r.sale_count,
                           r.amount
                      FROM rollup_sale r
                     WHERE r.grain = sale_stored_cell.grain
                       AND (SELECT rollup_sale_serves())
                       AND r.sold_on <= sales_perf.as_of()
                       AND (r.counts_from IS NULL OR r.counts_from <= sales_perf.as_of())
                    UNION ALL
                    SELECT u.sold_on,
                           u.rep_id,
                           u.currency,
                           u.digits,
                           u.sale_count,
                           u.amount
                      FROM sale_unfolded_cell(sale_stored_cell.grain) u) AS part
             GROUP BY part.sold_on, part.rep_id, part.currency, part.digits
            HAVING sum(part.sale_count) > 0) AS d;
END;

COMMENT ON FUNCTION sale_stored_cell(text) IS 'From rollups: what each rep sold up to as_of(), by day or month (and by currency, and the digits of the amounts), in the reporting currency. Written into the query that asks for it.';

SET LOCAL search_path = sales_perf, pg_temp;
