-- What customers bought, and what became of leads, as of as_of().

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- The two are views of their own, so that what groups purchases can group each by itself. Where sale is
-- not empty the second is not run at all.
CREATE VIEW sale_as_of WITH (security_invoker = true) AS
SELECT account_id,
       rep_id,
       product_id,
       sold_on,
       amount,
       currency,
       covers_from,
       covers_to,
       sales_perf.converted_amount(s.amount, s.currency, s.sold_on, 'fx_rate_list'::regclass) AS reporting_amount,
       sale_id
  FROM sale s
 WHERE sold_on <= sales_perf.as_of()
   AND sold_on > '-infinity';

COMMENT ON VIEW sale_as_of IS 'The sales up to as_of(). What has no day is left out.';
COMMENT ON COLUMN sale_as_of.account_id IS 'The account that bought; NULL: nobody''s purchase.';
COMMENT ON COLUMN sale_as_of.rep_id IS 'The rep who sold it; NULL: nobody.';
COMMENT ON COLUMN sale_as_of.product_id IS 'The (main) product.';
COMMENT ON COLUMN sale_as_of.sold_on IS 'The day of the sale.';
COMMENT ON COLUMN sale_as_of.amount IS 'What it was sold for; NULL: not known.';
COMMENT ON COLUMN sale_as_of.currency IS 'Currency of the amount; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN sale_as_of.covers_from IS 'First day of the term that was bought; NULL: no term.';
COMMENT ON COLUMN sale_as_of.covers_to IS 'Last day of that term.';
COMMENT ON COLUMN sale_as_of.reporting_amount IS 'The amount in the mart''s reporting currency, at the rate of the day of the sale. Amount; NULL where the amount is not known or there is no rate.';
COMMENT ON COLUMN sale_as_of.sale_id IS 'Key of the sale.';

CREATE VIEW won_deal_as_of WITH (security_invoker = true) AS
SELECT account_id,
       rep_id,
       product_id,
       closed_on AS sold_on,
       amount,
       currency,
       reporting_amount
  FROM deal_as_of
 WHERE NOT is_open
   AND outcome = 'won'
   AND closed_on > '-infinity'
   AND NOT EXISTS (SELECT FROM sale);

COMMENT ON VIEW won_deal_as_of IS 'The deals won up to as_of(), which stand in for sales in a mart that has no sale at all; in another mart nothing. What has no day is left out.';
COMMENT ON COLUMN won_deal_as_of.account_id IS 'The account that bought; NULL: nobody''s purchase.';
COMMENT ON COLUMN won_deal_as_of.rep_id IS 'The rep who owned the deal; NULL: nobody.';
COMMENT ON COLUMN won_deal_as_of.product_id IS 'The (main) product.';
COMMENT ON COLUMN won_deal_as_of.sold_on IS 'The day the deal was won.';
COMMENT ON COLUMN won_deal_as_of.amount IS 'Its amount; NULL: not known.';
COMMENT ON COLUMN won_deal_as_of.currency IS 'Currency of the amount; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN won_deal_as_of.reporting_amount IS 'The amount in the mart''s reporting currency, at the rate of the day the deal was won. Amount; NULL where the amount is not known or there is no rate.';

CREATE VIEW purchase WITH (security_invoker = true) AS
SELECT account_id,
       rep_id,
       product_id,
       sold_on,
       amount,
       currency,
       covers_from,
       covers_to,
       reporting_amount
  FROM sale_as_of
UNION ALL
SELECT account_id,
       rep_id,
       product_id,
       sold_on,
       amount,
       currency,
       NULL::date,
       NULL::date,
       reporting_amount
  FROM won_deal_as_of;

COMMENT ON VIEW purchase IS 'What customers bought up to as_of(): the sales, or, in a mart that has no sale at all (that the reader may see), the won deals by the day they closed. What has no day is left out.';
COMMENT ON COLUMN purchase.account_id IS 'The account that bought; NULL: nobody''s purchase.';
COMMENT ON COLUMN purchase.rep_id IS 'The rep who sold it; NULL: nobody.';
COMMENT ON COLUMN purchase.product_id IS 'The (main) product.';
COMMENT ON COLUMN purchase.sold_on IS 'The day of the sale, or on which the deal was won.';
COMMENT ON COLUMN purchase.amount IS 'What it was sold for; NULL: not known.';
COMMENT ON COLUMN purchase.currency IS 'Currency of the amount; NULL: the mart''s reporting currency.';
COMMENT ON COLUMN purchase.covers_from IS 'First day of the term that was bought; NULL: no term.';
COMMENT ON COLUMN purchase.covers_to IS 'Last day of that term.';
COMMENT ON COLUMN purchase.reporting_amount IS 'The amount in the mart''s reporting currency, at the rate of sold_on. Amount; NULL where the amount is not known or there is no rate.';

-- A lead that is both converted and lost (a fault) is converted.
CREATE VIEW lead_as_of WITH (security_invoker = true) AS
SELECT lead_id,
       account_id,
       rep_id,
       coalesce(source, '(no source)') AS source,
       created_on,
       CASE
           WHEN converted_on <= sales_perf.as_of() THEN 'converted'
           WHEN lost_on <= sales_perf.as_of() THEN 'lost'
           ELSE 'open'
       END AS outcome,
       CASE
           WHEN converted_on <= sales_perf.as_of() THEN converted_on
           WHEN lost_on <= sales_perf.as_of() THEN lost_on
       END AS ended_on
  FROM lead
 WHERE created_on <= sales_perf.as_of()
    OR created_on IS NULL;

COMMENT ON VIEW lead_as_of IS 'The leads as they stood at the end of the day as_of() gives: those created later are absent, those converted or lost later are open. Rep and source are those of now.';
COMMENT ON COLUMN lead_as_of.lead_id IS 'Key of the lead.';
COMMENT ON COLUMN lead_as_of.account_id IS 'The account it belongs to or became.';
COMMENT ON COLUMN lead_as_of.rep_id IS 'The rep who works on it; NULL: nobody.';
COMMENT ON COLUMN lead_as_of.source IS 'Where it came from; (no source): not known.';
COMMENT ON COLUMN lead_as_of.created_on IS 'The day it came in; NULL: not known.';
COMMENT ON COLUMN lead_as_of.outcome IS 'converted, lost or open.';
COMMENT ON COLUMN lead_as_of.ended_on IS 'The day it was converted or lost; NULL: open.';

SET LOCAL search_path = sales_perf, pg_temp;
