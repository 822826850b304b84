-- Who is credited with a won deal: its owner, or those among whom it is split. What is credited adds
-- up to what was booked; overlay credit (of specialists, partners' managers) comes on top, for those who get it
-- alone, and never counts for a team or the company.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE deal_credit (
    deal_id     text NOT NULL
        CONSTRAINT deal_credit_deal_id_fkey REFERENCES deal (deal_id) ON UPDATE CASCADE ON DELETE CASCADE
        DEFERRABLE,
    rep_id      text NOT NULL
        CONSTRAINT deal_credit_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    share       numeric NOT NULL,
    is_overlay  boolean NOT NULL DEFAULT false,
    CONSTRAINT deal_credit_pkey PRIMARY KEY (deal_id, rep_id, is_overlay),
    CONSTRAINT deal_credit_share_check CHECK (share > 0 AND share <= 1)
);

CREATE INDEX deal_credit_rep_id_idx ON deal_credit (rep_id);

COMMENT ON TABLE deal_credit IS 'Splits of deals among reps. A deal without rows here (but for overlays) is credited to its owner in full. The shares of a deal that are no overlays must add up to 1, which is checked at commit.';
COMMENT ON COLUMN deal_credit.deal_id IS 'The deal.';
COMMENT ON COLUMN deal_credit.rep_id IS 'The rep who is credited.';
COMMENT ON COLUMN deal_credit.share IS 'Share of the deal''s amount, a fraction above 0 and up to 1.';
COMMENT ON COLUMN deal_credit.is_overlay IS 'True for credit that comes on top of the split: it counts for this rep alone, never for a team or the company.';

-- At commit, so that a split can be changed row by row. Who changes splits of one deal in two transactions at
-- the same time waits for the other: the deal is locked, for which PostgreSQL wants the right to update a
-- column of deal. (Not so in REPEATABLE READ, where neither sees what the other did: credit_reconciliation shows it.)
CREATE FUNCTION deal_credit_check_total() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    changed_deal_id text;
    total numeric;
BEGIN
    FOREACH changed_deal_id IN ARRAY ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN OLD.deal_id END,
                                           CASE WHEN TG_OP <> 'DELETE' THEN NEW.deal_id END]
    LOOP
        PERFORM FROM deal d WHERE d.deal_id = changed_deal_id FOR NO KEY UPDATE;
        SELECT sum(c.share)
          INTO total
          FROM deal_credit c
         WHERE c.deal_id = changed_deal_id
           AND NOT c.is_overlay;
        IF total <> 1 THEN
            RAISE EXCEPTION 'the shares of deal "%" add up to % %%, not 100 %%', changed_deal_id, trim_scale(total * 100)
                USING ERRCODE = 'check_violation',
                      TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = 'share', CONSTRAINT = TG_NAME,
                      HINT = 'Shares are fractions that add up to 1, but for overlays (is_overlay); change all rows of a deal in one transaction.';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION deal_credit_check_total() IS 'Trigger function: refuses, at commit, splits that do not add up to 1.';

CREATE CONSTRAINT TRIGGER deal_credit_check_total
    AFTER INSERT OR UPDATE OR DELETE ON deal_credit
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION deal_credit_check_total();

-- ---------------------------------------------------------------- what each is credited with

-- A function, for a sub-select would keep the deals from being read by parallel workers.
CREATE FUNCTION has_credit() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM deal_credit);
END;

COMMENT ON FUNCTION has_credit() IS 'Whether any deal is split or has overlays.';

CREATE VIEW split_credit WITH (security_invoker = true) AS
SELECT split.deal_id,
       split.closed_on,
       split.rep_id,
       split.share,
       split.is_overlay,
       sales_perf.converted_amount(split.amount, split.currency, split.closed_on, 'fx_rate_list'::regclass) * split.share AS amount,
       split.owner_rep_id
  FROM (SELECT d.deal_id,
               d.closed_on,
               c.rep_id,
               c.share,
               c.is_overlay,
               d.amount,
               d.currency,
               d.rep_id AS owner_rep_id
          FROM deal_credit c
          JOIN closed_deal_as_of d ON d.deal_id = c.deal_id
         WHERE d.outcome = 'won'
           -- asked once: where no deal is split, no deal is read
           AND has_credit()
        UNION ALL
        SELECT d.deal_id,
               d.closed_on,
               c.rep_id,
               c.share,
               c.is_overlay,
               d.amount,
               d.currency,
               d.rep_id
          FROM deal_credit c
          JOIN changed_deal_as_of() d ON d.deal_id = c.deal_id
         WHERE NOT d.is_open
           AND d.outcome = 'won'
           AND is_changed_later()) AS split;

COMMENT ON VIEW split_credit IS 'The rows of deal_credit for deals won as of as_of(), with what they bring: splits, and overlays. Attribution C.';
COMMENT ON COLUMN split_credit.deal_id IS 'The won deal.';
COMMENT ON COLUMN split_credit.closed_on IS 'The day it was won; NULL: not known.';
COMMENT ON COLUMN split_credit.rep_id IS 'The rep who is credited.';
COMMENT ON COLUMN split_credit.share IS 'Share of the deal. Fraction.';
COMMENT ON COLUMN split_credit.is_overlay IS 'True for credit on top of the split, which counts for no team and not for the company.';
COMMENT ON COLUMN split_credit.amount IS 'The deal''s amount in the reporting currency x share. Amount; C; NULL where the amount is not known or has no rate.';
COMMENT ON COLUMN split_credit.owner_rep_id IS 'The rep who owns the deal; NULL: nobody.';

-- Seldom, and known at once: who asks for what belongs to nobody need not read all splits for it.
CREATE FUNCTION has_split_of_nobody() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT EXISTS (SELECT
                     FROM deal d
                    WHERE d.rep_id IS NULL
                      AND EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = d.deal_id))
        OR EXISTS (SELECT
                     FROM deal_change h
                    WHERE h.changed_at >= (sales_perf.as_of() + 1)::timestamptz
                      AND h.field = 'rep_id'
                      AND h.old_value IS NULL);
END;

COMMENT ON FUNCTION has_split_of_nobody() IS 'Whether a deal that is split may belong, or have belonged on the day as_of() gives, to no rep.';

CREATE VIEW credit WITH (security_invoker = true) AS
SELECT d.deal_id,
       d.closed_on,
       d.rep_id,
       1::numeric AS share,
       false AS is_overlay,
       d.reporting_amount AS amount,
       d.rep_id AS owner_rep_id
  FROM deal_as_of d
 WHERE NOT d.is_open
   AND d.outcome = 'won'
   AND NOT EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = d.deal_id AND NOT c.is_overlay)
UNION ALL
SELECT deal_id,
       closed_on,
       rep_id,
       share,
       is_overlay,
       amount,
       owner_rep_id
  FROM split_credit;

COMMENT ON VIEW credit IS 'Who is credited with which part of each won deal, as of as_of(): its owner, or the reps among whom it is split, and overlays. Splits are those of now. Attribution C.';
COMMENT ON COLUMN credit.deal_id IS 'The won deal.';
COMMENT ON COLUMN credit.closed_on IS 'The day it was won; NULL: not known.';
COMMENT ON COLUMN credit.rep_id IS 'The rep who is credited; NULL: nobody, the deal has no owner.';
COMMENT ON COLUMN credit.share IS 'Share of the deal. Fraction.';
COMMENT ON COLUMN credit.is_overlay IS 'True for credit on top of the split, which counts for no team and not for the company.';
COMMENT ON COLUMN credit.amount IS 'The deal''s amount in the reporting currency x share. Amount; C; NULL where the amount is not known or has no rate.';
COMMENT ON COLUMN credit.owner_rep_id IS 'The rep who owns the deal; NULL: nobody.';

CREATE VIEW credit_cell WITH (security_invoker = true) AS
SELECT closed_on,
       rep_id,
       is_overlay,
       sum(amount) AS amount
  FROM credit
 GROUP BY closed_on, rep_id, is_overlay;

COMMENT ON VIEW credit_cell IS 'What each rep is credited with by the day deals were won: amounts only, no count is ever summed over credits. Attribution C.';
COMMENT ON COLUMN credit_cell.closed_on IS 'Day of closing; NULL: not known.';
COMMENT ON COLUMN credit_cell.rep_id IS 'The rep who is credited; NULL: nobody.';
COMMENT ON COLUMN credit_cell.is_overlay IS 'True for credit on top of splits, which counts for no team and not for the company.';
COMMENT ON COLUMN credit_cell.amount IS 'Sum of the amounts credited. Amount; NULL where none is known.';

CREATE VIEW credit_reconciliation WITH (security_invoker = true) AS
SELECT p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       coalesce(booked.amount, 0) AS booked_amount,
       coalesce(credited.amount, 0) AS credited_amount,
       coalesce(credited.amount, 0) - coalesce(booked.amount, 0) AS difference_amount,
       coalesce(credited.overlay_amount, 0) AS overlay_amount,
       coalesce(credited.split_count, 0) AS split_count
  FROM period p
  LEFT JOIN LATERAL (
        SELECT sum(reporting_amount) AS amount
          FROM deal_as_of
         WHERE NOT is_open
           AND outcome = 'won'
           AND closed_on BETWEEN p.period_start AND p.period_end) AS booked ON true
  LEFT JOIN LATERAL (
        SELECT sum(amount) FILTER (WHERE NOT is_overlay) AS amount,
               sum(amount) FILTER (WHERE is_overlay) AS overlay_amount,
               count(DISTINCT deal_id) FILTER (WHERE share < 1 AND NOT is_overlay) AS split_count
          FROM credit
         WHERE closed_on BETWEEN p.period_start AND p.period_end) AS credited ON true;

COMMENT ON VIEW credit_reconciliation IS 'The proof that splits neither make nor lose money: what was booked (deals) against what was credited (owners and splits), period by period. difference_amount is 0. Filter one grain.';
COMMENT ON COLUMN credit_reconciliation.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN credit_reconciliation.period_start IS 'First day of the period.';
COMMENT ON COLUMN credit_reconciliation.period_end IS 'Last day of the period.';
COMMENT ON COLUMN credit_reconciliation.period_label IS 'Label of the period.';
COMMENT ON COLUMN credit_reconciliation.is_complete IS 'True where the period is over as of as_of().';
COMMENT ON COLUMN credit_reconciliation.booked_amount IS 'Sum of the amounts of the deals won. Amount; C.';
COMMENT ON COLUMN credit_reconciliation.credited_amount IS 'Sum of what reps (and nobody) are credited with, overlays left out. Amount; C.';
COMMENT ON COLUMN credit_reconciliation.difference_amount IS 'credited_amount - booked_amount: 0.';
COMMENT ON COLUMN credit_reconciliation.overlay_amount IS 'Sum of overlay credit, which comes on top and counts for no team and not for the company. Amount; C.';
COMMENT ON COLUMN credit_reconciliation.split_count IS 'Deals won in the period that are split. Count; C.';

SET LOCAL search_path = sales_perf, pg_temp;
