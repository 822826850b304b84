-- What to offer next: products that accounts which bought the same have more often than others.
--
-- What is to be offered depends on nothing but what an account has, so accounts with the same products (a basket) are counted, and answered,
-- together: where there are few products, a few hundred baskets stand for all accounts. Products go by numbers, in the order of
-- their ids, which settle ties.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW next_best_product_live WITH (security_invoker = true) AS
WITH product_number AS MATERIALIZED (
    SELECT product_id,
           name,
           row_number() OVER (ORDER BY product_id COLLATE "C")::integer AS product_no
      FROM product
),
bought AS MATERIALIZED (
    SELECT p.account_id,
           q.product_no,
           p.reporting_amount AS amount
      FROM purchase p
      JOIN product_number q ON q.product_id = p.product_id
     WHERE p.account_id IS NOT NULL
       AND coalesce(p.amount > 0, true)
),
-- Once each, before they are put in order: that is a short list to sort.
has AS MATERIALIZED (
    SELECT min(account_id) AS account_id,
           array_agg(product_no ORDER BY product_no) AS products
      FROM (SELECT DISTINCT account_id, product_no FROM bought) AS b
     GROUP BY account_id COLLATE "C"
),
basket AS MATERIALIZED (
    SELECT products,
           count(*) AS account_count
      FROM has
     GROUP BY products
),
everyone AS (
    SELECT sum(account_count)::bigint AS account_count
      FROM basket
),
single AS MATERIALIZED (
    SELECT x.product_no,
           sum(b.account_count)::bigint AS account_count
      FROM basket b
     CROSS JOIN LATERAL unnest(b.products) AS x (product_no)
     GROUP BY x.product_no
),
pair AS (
    SELECT x.product_no AS because_no,
           y.product_no,
           sum(b.account_count)::bigint AS support_count
      FROM basket b
     CROSS JOIN LATERAL unnest(b.products) AS x (product_no)
     CROSS JOIN LATERAL unnest(b.products) AS y (product_no)
     WHERE x.product_no <> y.product_no
     GROUP BY x.product_no, y.product_no
    HAVING sum(b.account_count) >= 5
),
usual_amount AS (
    SELECT product_no,
           sales_perf.amount_median(sales_perf.amount_agg(amount)) AS amount
      FROM bought
     GROUP BY product_no
),
-- the lower bound of Wilson's interval with z = 3.09
bound AS (
    SELECT p.because_no,
           p.product_no,
           p.support_count,
           a.account_count AS because_count,
           b.account_count AS product_count,
           e.account_count,
           p.support_count::double precision / a.account_count AS confidence,
           b.account_count::double precision / e.account_count AS base_rate,
           score_interval_low(p.support_count::double precision / a.account_count, a.account_count::double precision, 3.09) AS confidence_low
      FROM pair p
      JOIN single a ON a.product_no = p.because_no
      JOIN single b ON b.product_no = p.product_no
     CROSS JOIN everyone e
),
rule AS MATERIALIZED (
    SELECT r.*,
           r.confidence / r.base_rate AS lift,
           r.confidence_low / r.base_rate AS lift_low
      FROM bound r
     WHERE r.confidence_low > r.base_rate
),
-- of all that an account has, what speaks most for the product
reason AS (
    SELECT DISTINCT ON (b.products, r.product_no)
           b.products,
           r.*
      FROM basket b
     CROSS JOIN LATERAL unnest(b.products) AS x (product_no)
      JOIN rule r ON r.because_no = x.product_no
     WHERE r.product_no <> ALL (b.products)
     ORDER BY b.products, r.product_no, r.lift_low DESC, r.because_no
),
ranked AS (
    SELECT r.*,
           row_number() OVER (PARTITION BY r.products ORDER BY r.lift_low DESC, r.product_no) AS place
      FROM reason r
),
offer AS MATERIALIZED (
    SELECT r.*,
           q.product_id,
           q.name AS product_name,
           w.product_id AS because_product_id,
           w.name AS because_product_name,
           u.amount AS expected_amount,
           ': ' || r.support_count || ' of ' || r.because_count || ' accounts that bought ' || w.name || ' have it, ' || to_char(100 * r.confidence, 'FM990.0')
           || ' % against ' || to_char(100 * r.base_rate, 'FM990.0') || ' % of all, ' || to_char(r.lift, 'FM999990.0') || ' times as often (at least ' || to_char(r.lift_low, 'FM999990.00')
           || ' times, chance aside)' || coalesce('; half of the purchases of it are of ' || to_char(u.amount, 'FM99,999,999,999,999,999,990') || coalesce(' ' || s.reporting_currency, '') || ' or more', '')
           || '.' AS sentence
      FROM ranked r
      JOIN product_number q ON q.product_no = r.product_no
      JOIN product_number w ON w.product_no = r.because_no
      LEFT JOIN usual_amount u ON u.product_no = r.product_no
      LEFT JOIN mart_setting s ON true
     WHERE r.place <= 3
)
SELECT h.account_id,
       a.name AS account_name,
       a.owner_rep_id,
       o.place AS rank,
       o.product_id,
       o.product_name,
       o.because_product_id,
       o.because_product_name,
       o.support_count,
       o.because_count AS because_account_count,
       o.product_count AS product_account_count,
       o.account_count,
       o.confidence AS confidence_rate,
       o.base_rate,
       o.lift,
       o.lift_low,
       o.expected_amount,
       'Offer ' || a.name || ' ' || o.product_name || o.sentence AS summary_text
  FROM has h
  JOIN offer o ON o.products = h.products
  JOIN account a ON a.account_id = h.account_id;

COMMENT ON VIEW next_best_product_live IS 'What next_best_product shows, made from the deals.';

CREATE TABLE rollup_next_best_product (
    LIKE next_best_product_live
);

COMMENT ON TABLE rollup_next_best_product IS 'The rows of next_best_product, as fold_rollup() has kept them.';
ALTER TABLE rollup_next_best_product ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_next_best_product_visible ON rollup_next_best_product USING ((SELECT NOT rollup_report_is_hidden()));

CREATE VIEW next_best_product WITH (security_invoker = true) AS
SELECT *
  FROM rollup_next_best_product
 WHERE rollup_report_serves('next_best_product')
UNION ALL
SELECT *
  FROM next_best_product_live
 WHERE NOT rollup_report_serves('next_best_product');

COMMENT ON VIEW next_best_product IS 'Up to three products an account never bought, that accounts which bought something it has bought more often than others. For products a (it has) and b (it has not), over the accounts that ever bought anything (view purchase; refunds, of 0 or less, are no purchases): confidence_rate = accounts with both / accounts with a, base_rate = accounts with b / all accounts, lift = confidence_rate / base_rate. A pair counts where at least 5 accounts bought both and the lower bound of the confidence rate (Wilson, z = 3.09: one-sided 0.1 %) is above the base rate. An account''s products are ranked by lift_low, that bound / base_rate, and the best of what it has is the reason. Products bought independently of each other come up by chance in about one ordered pair of 1000. Accounts without a row: nothing is sure enough. What is bought by those who buy much of everything has a lift too. A filter on an account does not make it faster, for lifts need all.';
COMMENT ON COLUMN next_best_product.account_id IS 'The account.';
COMMENT ON COLUMN next_best_product.account_name IS 'Its name.';
COMMENT ON COLUMN next_best_product.owner_rep_id IS 'The rep who owns it; NULL: nobody.';
COMMENT ON COLUMN next_best_product.rank IS '1 to 3, by lift_low; ties by product_id.';
COMMENT ON COLUMN next_best_product.product_id IS 'The product to offer, which the account never bought.';
COMMENT ON COLUMN next_best_product.product_name IS 'Its name.';
COMMENT ON COLUMN next_best_product.because_product_id IS 'The product that the account has and that speaks for it: the one with the highest lift_low, ties by product_id.';
COMMENT ON COLUMN next_best_product.because_product_name IS 'Its name.';
COMMENT ON COLUMN next_best_product.support_count IS 'Accounts that bought both, at least 5. Count.';
COMMENT ON COLUMN next_best_product.because_account_count IS 'Accounts that bought because_product_id. Count.';
COMMENT ON COLUMN next_best_product.product_account_count IS 'Accounts that bought product_id. Count.';
COMMENT ON COLUMN next_best_product.account_count IS 'Accounts that bought any product. Count.';
COMMENT ON COLUMN next_best_product.confidence_rate IS 'support_count / because_account_count. Fraction.';
COMMENT ON COLUMN next_best_product.base_rate IS 'product_account_count / account_count. Fraction.';
COMMENT ON COLUMN next_best_product.lift IS 'confidence_rate / base_rate. Ratio, above 1.';
COMMENT ON COLUMN next_best_product.lift_low IS 'Lower bound of confidence_rate (Wilson, z = 3.09) / base_rate: what is left of the lift when chance is taken off. Ratio, above 1.';
COMMENT ON COLUMN next_best_product.expected_amount IS 'Median amount of a purchase of product_id, over all accounts, to 0.5 %. Amount; NULL where none is known.';
COMMENT ON COLUMN next_best_product.summary_text IS 'That in a sentence.';

SET LOCAL search_path = sales_perf, pg_temp;
