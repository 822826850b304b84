-- What customers bought (sale: invoices, orders, subscriptions) and who might become one (lead).
--
-- As with deals, what a billing system or a CRM holds wrongly is loadable, used as far as it goes,
-- and listed by data_quality.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE sale (
    sale_id      text NOT NULL CONSTRAINT sale_pkey PRIMARY KEY,
    account_id   text
        CONSTRAINT sale_account_id_fkey REFERENCES account (account_id) ON UPDATE CASCADE
        DEFERRABLE,
    rep_id       text
        CONSTRAINT sale_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    product_id   text
        CONSTRAINT sale_product_id_fkey REFERENCES product (product_id) ON UPDATE CASCADE
        DEFERRABLE,
    sold_on      date,
    amount       numeric,
    currency     text,
    covers_from  date,
    covers_to    date,
    CONSTRAINT sale_currency_check CHECK (currency ~ '^[A-Z][A-Z0-9]{2,4}$')
);

-- By day for the company, behind the rep's id for one rep's rows; and with all that retention reads in
-- the order of customers, which are then grouped one after the other.
CREATE INDEX sale_sold_on_idx ON sale (sold_on);
CREATE INDEX sale_rep_id_sold_on_idx ON sale (rep_id, sold_on);
CREATE INDEX sale_account_id_idx ON sale (account_id) INCLUDE (sold_on, amount, covers_from, covers_to, currency);

COMMENT ON TABLE sale IS 'What customers bought: one row an invoice, an order or a subscription''s term. Where a mart has none at all, won deals stand in (view purchase). Refunds are rows with a negative amount. Faulty rows are accepted and listed by data_quality.';
COMMENT ON COLUMN sale.sale_id IS 'Key of the sale, any text (the invoice''s or order''s number).';
COMMENT ON COLUMN sale.account_id IS 'The account that bought: the customer that retention counts; NULL: nobody''s purchase, which counts in sales and not in retention.';
COMMENT ON COLUMN sale.rep_id IS 'The rep who sold it; NULL: nobody, shown as (no rep).';
COMMENT ON COLUMN sale.product_id IS 'The (main) product.';
COMMENT ON COLUMN sale.sold_on IS 'The day of the sale; NULL: not known, then no report counts it.';
COMMENT ON COLUMN sale.amount IS 'What it was sold for, in currency, below 0 for a refund; NULL: not known, then it adds nothing.';
COMMENT ON COLUMN sale.currency IS 'Currency of the amount (ISO 4217 code); NULL: the mart''s reporting currency. Reports convert it at the rate of fx_rate for the day of the sale; what has no rate is listed by data_quality.';
COMMENT ON COLUMN sale.covers_from IS 'First day of the term that was bought (a subscription, a support contract); NULL, with covers_to: no term.';
COMMENT ON COLUMN sale.covers_to IS 'Last day of that term. The customer is active in every period it touches, and the amount is spread over its days.';

CREATE TABLE lead (
    lead_id            text NOT NULL CONSTRAINT lead_pkey PRIMARY KEY,
    account_id         text
        CONSTRAINT lead_account_id_fkey REFERENCES account (account_id) ON UPDATE CASCADE
        DEFERRABLE,
    rep_id             text
        CONSTRAINT lead_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    source             text,
    created_on         date,
    converted_on       date,
    converted_deal_id  text
        CONSTRAINT lead_converted_deal_id_fkey REFERENCES deal (deal_id) ON UPDATE CASCADE ON DELETE SET NULL
        DEFERRABLE,
    lost_on            date
);

CREATE INDEX lead_created_on_idx ON lead (created_on);
CREATE INDEX lead_rep_id_created_on_idx ON lead (rep_id, created_on);
CREATE INDEX lead_account_id_idx ON lead (account_id);
CREATE INDEX lead_converted_deal_id_idx ON lead (converted_deal_id);

COMMENT ON TABLE lead IS 'Leads: who showed interest, and became a deal or not. Faulty rows are accepted and listed by data_quality.';
COMMENT ON COLUMN lead.lead_id IS 'Key of the lead, any text (the CRM''s id).';
COMMENT ON COLUMN lead.account_id IS 'The account it belongs to or became; NULL: none yet.';
COMMENT ON COLUMN lead.rep_id IS 'The rep who works on it; NULL: nobody, shown as (no rep).';
COMMENT ON COLUMN lead.source IS 'Where it came from, for instance website, referral, trade fair; NULL: not known, shown as (no source).';
COMMENT ON COLUMN lead.created_on IS 'The day it came in; NULL: not known, then it belongs to no cohort.';
COMMENT ON COLUMN lead.converted_on IS 'The day it became a deal; NULL: it has not.';
COMMENT ON COLUMN lead.converted_deal_id IS 'The deal it became, where that is known.';
COMMENT ON COLUMN lead.lost_on IS 'The day it was given up; NULL: it was not.';

SET LOCAL search_path = sales_perf, pg_temp;
