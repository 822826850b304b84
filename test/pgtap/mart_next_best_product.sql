-- next_best_product: counted by hand and by pairs, planted pairs found, silence where there are none.
SELECT plan(15);

SELECT sales_perf.create_mart('planted') \gset
SET search_path = planted, public;
SET sales_perf.as_of = '2025-06-30';
INSERT INTO product (product_id, name) SELECT 'p' || n, 'Product ' || n FROM generate_series(1, 10) AS n;
INSERT INTO account (account_id, name) SELECT n::text, 'Account ' || n FROM generate_series(1, 1000) AS n;
-- each product with 30 accounts of 100, independently; but 6 goes with 5, and 8 with 7
CREATE TABLE owned AS
SELECT a, p FROM generate_series(1, 1000) AS a CROSS JOIN generate_series(1, 10) AS p WHERE sales_perf.demo_random(11, a, p) < 0.3 AND p NOT IN (6, 8)
UNION ALL
SELECT a, p FROM generate_series(1, 1000) AS a CROSS JOIN (VALUES (6, 5), (8, 7)) AS v (p, because)
 WHERE sales_perf.demo_random(11, a, p) < CASE WHEN sales_perf.demo_random(11, a, because) < 0.3 THEN 0.7 ELSE 0.15 END;
INSERT INTO sale (sale_id, account_id, product_id, sold_on, amount)
SELECT a || '-' || p || '-' || k, a::text, 'p' || p, date '2025-01-01' + k, p * 100 + k FROM owned CROSS JOIN generate_series(1, 2) AS k;
INSERT INTO sale (sale_id, account_id, product_id, sold_on, amount) VALUES ('r', '1', 'p9', '2025-02-01', -5), ('f', '2', 'p9', '2025-07-01', 5), ('n', NULL, 'p5', '2025-02-01', 5), ('np', '1', NULL, '2025-02-01', 5);
CREATE TABLE shown AS SELECT * FROM next_best_product;

-- every ordered pair, by counting accounts
CREATE TABLE pair AS
SELECT x.p AS a, y.p AS b,
       (SELECT count(*) FROM owned o WHERE o.p = x.p AND EXISTS (SELECT FROM owned u WHERE u.a = o.a AND u.p = y.p)) AS both_count,
       (SELECT count(*) FROM owned o WHERE o.p = x.p) AS a_count,
       (SELECT count(*) FROM owned o WHERE o.p = y.p) AS b_count,
       (SELECT count(DISTINCT a) FROM owned) AS n
  FROM generate_series(1, 10) AS x (p) JOIN generate_series(1, 10) AS y (p) ON x.p <> y.p;
CREATE FUNCTION pg_temp.low(k float8, n float8) RETURNS float8 LANGUAGE sql AS $$ SELECT (k / n + z * z / (2 * n) - z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))) / (1 + z * z / n) FROM (SELECT 3.09::float8 AS z) AS s $$;
CREATE TABLE rule AS SELECT *, pg_temp.low(both_count, a_count) / (b_count::float8 / n) AS low FROM pair WHERE both_count >= 5 AND pg_temp.low(both_count, a_count) > b_count::float8 / n;
SELECT set_eq('SELECT a, b FROM rule', 'VALUES (5, 6), (6, 5), (7, 8), (8, 7)', 'by the formula, the planted pairs and no other');
SELECT set_eq('SELECT DISTINCT because_product_id, product_id FROM shown', $$VALUES ('p5', 'p6'), ('p6', 'p5'), ('p7', 'p8'), ('p8', 'p7')$$, 'the view finds the planted pairs, and no other');
SELECT set_eq(
    $$SELECT account_id, product_id, because_product_id, support_count, because_account_count, product_account_count, account_count, round(lift_low::numeric, 10) FROM shown$$,
    $$SELECT o.a::text AS account_id, 'p' || r.b AS product_id, 'p' || r.a AS because_product_id, r.both_count, r.a_count, r.b_count, r.n, round(r.low::numeric, 10) AS low
        FROM owned o JOIN rule r ON r.a = o.p WHERE NOT EXISTS (SELECT FROM owned u WHERE u.a = o.a AND u.p = r.b)$$,
    'for each account that has the one and not the other, with the counts');
SELECT is_empty($$SELECT account_id, product_id FROM shown s JOIN owned o ON o.a::text = s.account_id AND 'p' || o.p = s.product_id$$, 'never what it has');
SELECT is_empty($$SELECT * FROM shown WHERE confidence_rate <> support_count::float8 / because_account_count OR base_rate <> product_account_count::float8 / account_count OR abs(lift - confidence_rate / base_rate) > 1e-12 OR lift < lift_low OR lift_low <= 1$$, 'rates are those of the counts');
SELECT is_empty($$SELECT DISTINCT s.product_id, expected_amount FROM shown s WHERE abs(expected_amount / (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount)::numeric FROM sale WHERE sale.product_id = s.product_id AND amount > 0 AND account_id IS NOT NULL) - 1) > 0.005$$, 'the usual amount');
SELECT is_empty('SELECT account_id FROM shown GROUP BY account_id HAVING max(rank) <> count(*) OR min(rank) <> 1 OR count(*) > 3', 'ranks begin at 1');
SELECT is_empty('SELECT 1 FROM shown s JOIN shown t USING (account_id) WHERE s.rank < t.rank AND s.lift_low < t.lift_low', 'and follow lift_low');
SELECT matches(summary_text, '^Offer Account \d+ Product \d: \d+ of \d+ accounts that bought Product \d have it, [\d.]+ % against [\d.]+ % of all, [\d.]+ times as often \(at least [\d.]+ times, chance aside\); half of the purchases of it are of \d+ or more\.$', 'a sentence')
  FROM shown ORDER BY account_id, rank LIMIT 1;

-- 5 accounts are enough support, 4 are not, however sure
SELECT sales_perf.create_mart('few') \gset
SET search_path = few, public;
INSERT INTO product (product_id, name) VALUES ('a', 'A'), ('b', 'B'), ('c', 'C'), ('d', 'D'), ('e', 'E');
INSERT INTO account (account_id, name) SELECT n::text, n::text FROM generate_series(1, 1000) AS n;
INSERT INTO deal (deal_id, account_id, product_id, outcome, opened_on, closed_on)
SELECT n || p, n::text, p, 'won', '2025-01-01', '2025-02-01'
  FROM generate_series(1, 1000) AS n CROSS JOIN unnest('{a,b,c,d,e}'::text[]) AS p
 WHERE CASE p WHEN 'a' THEN n <= 6 WHEN 'b' THEN n <= 5 WHEN 'c' THEN n BETWEEN 11 AND 15 WHEN 'd' THEN n BETWEEN 11 AND 14 ELSE true END;
SELECT set_eq('SELECT account_id, product_id, because_product_id, support_count FROM next_best_product', $$VALUES ('6', 'b', 'a', 5::bigint)$$, 'five accounts that bought both, four are not enough; won deals stand in for sales');
SELECT is(expected_amount, NULL, 'no amount is known') FROM next_best_product;
INSERT INTO deal (deal_id, account_id, product_id, outcome, opened_on, closed_on) VALUES ('6b', '6', 'b', 'won', '2025-01-01', '2025-03-01');
SELECT is_empty('SELECT * FROM next_best_product', 'bought since');
DELETE FROM deal;
SELECT is_empty('SELECT * FROM next_best_product', 'nothing in an empty mart');

-- 40 products at random with 2,000 accounts: 1,560 ordered pairs
SELECT sales_perf.create_mart('noise') \gset
SET search_path = noise, public;
INSERT INTO product (product_id, name) SELECT n::text, n::text FROM generate_series(1, 40) AS n;
INSERT INTO account (account_id, name) SELECT n::text, n::text FROM generate_series(1, 2000) AS n;
INSERT INTO sale (sale_id, account_id, product_id, sold_on, amount)
SELECT a || '-' || p, a::text, p::text, '2025-01-01', 100 FROM generate_series(1, 2000) AS a CROSS JOIN generate_series(1, 40) AS p WHERE sales_perf.demo_random(5, a, p) < 0.02 + p / 100.0;
CREATE TABLE shown AS SELECT DISTINCT because_product_id, product_id FROM next_best_product;
SELECT cmp_ok(count(*), '<=', 6::bigint, 'of 1,560 pairs that have nothing to do with each other, hardly one comes up') FROM shown;
SELECT diag('pairs that came up by chance: ' || count(*)) FROM shown;
SELECT cmp_ok(count(*), '>', 1500::bigint, 'nearly all of them have the support') FROM (SELECT x.product_id, y.product_id FROM sale x JOIN sale y USING (account_id) WHERE x.product_id <> y.product_id GROUP BY 1, 2 HAVING count(*) >= 5) AS p;
SELECT * FROM finish();
