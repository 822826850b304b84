-- account_profile: by hand, against definitions worked out account by account, and against chance.
SELECT plan(26);

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
SET sales_perf.as_of = '2025-06-30';
INSERT INTO rep (rep_id, name) VALUES ('ann', 'Ann');
INSERT INTO product (product_id, name, family) VALUES ('a', 'Alpha', 'Letters'), ('b', 'Beta', 'Letters');
INSERT INTO account (account_id, name, owner_rep_id)
SELECT id, initcap(id), 'ann' FROM unnest('{steady,late,term,two,refund,prospect,none,onlyrefund,future}'::text[]) AS id;
INSERT INTO sale (sale_id, account_id, product_id, sold_on, amount, covers_from, covers_to)
SELECT row_number() OVER ()::text, v.*
  FROM (VALUES
      ('steady', 'a', date '2025-03-22', 100.0, NULL::date, NULL::date), ('steady', 'b', '2025-04-21', 300, NULL, NULL), ('steady', 'a', '2025-05-21', 100, NULL, NULL), ('steady', 'a', '2025-06-20', 100, NULL, NULL),
      ('steady', 'a', '2025-06-20', 50, NULL, NULL),
      ('late', 'a', '2024-06-30', 1000, NULL, NULL), ('late', 'a', '2025-04-11', 10, NULL, NULL), ('late', 'a', '2025-04-21', 10, NULL, NULL), ('late', 'b', '2025-05-01', 10, NULL, NULL),
      ('term', 'a', '2022-01-01', 5, '2022-01-01', '2022-12-31'), ('term', 'a', '2023-01-01', 5, '2023-01-01', '2023-12-31'), ('term', 'a', '2024-01-01', 5, '2024-01-01', 'infinity'),
      ('two', 'a', '2025-01-01', NULL, NULL, NULL), ('two', 'a', '2025-01-31', 7, NULL, NULL),
      ('refund', 'b', '2025-01-01', 20, NULL, NULL), ('refund', 'b', '2025-02-01', 20, NULL, NULL), ('refund', 'b', '2025-03-01', 20, NULL, NULL), ('refund', 'b', '2025-06-29', -50, NULL, NULL), ('refund', 'a', '2025-06-29', 0, NULL, NULL),
      ('onlyrefund', 'b', '2025-01-01', -5, NULL, NULL), ('future', 'b', '2025-07-01', 5, NULL, NULL),
      ('steady', 'a', NULL, 1000, NULL, NULL), (NULL, 'a', '2025-01-01', 1000, NULL, NULL)) AS v;
INSERT INTO deal (deal_id, account_id, amount, outcome, opened_on, closed_on)
VALUES ('o1', 'prospect', 400, 'open', '2025-06-01', NULL), ('o2', 'prospect', 100, 'open', '2025-06-01', NULL), ('w', 'none', 100, 'won', '2025-06-01', '2025-06-02'), ('o3', 'late', NULL, 'open', '2025-06-01', NULL);

SELECT results_eq(
    $$SELECT account_id, purchase_count, recent_purchase_count, purchase_day_count, recency_days, monetary_amount, total_amount, year_amount, unpriced_count FROM account_profile ORDER BY 1$$,
    $$VALUES ('late', 4::bigint, 4::bigint, 4::bigint, 60, 1030.0, 1030.0, 30.0, 0::bigint), ('prospect', 0, 0, 0, NULL, 0, 0, 0, 0), ('refund', 3, 3, 3, 121, 10, 10, 10, 0),
             ('steady', 5, 5, 4, 10, 650, 650, 650, 0), ('term', 3, 1, 3, 546, 5, 15, 0, 0), ('two', 2, 2, 2, 150, 7, 7, 7, 1)$$,
    'how lately, how often and for how much: refunds are no purchases, sales after as_of() or on no day do not count, won deals neither where there are sales');
SELECT results_eq(
    $$SELECT account_id, usual_gap_days, gap_count, overdue_days, overdue_ratio, overdue_note, value_at_risk_amount FROM account_profile ORDER BY 1$$,
    $$VALUES ('late', 10::float8, 3::bigint, 50::float8, 5::float8, 'overdue by more than a usual gap', 30.0), ('prospect', NULL, 0, NULL, NULL, 'no purchase yet', NULL),
             ('refund', 29.5, 2, 91.5, 91.5::float8 / 29.5, 'overdue by more than a usual gap', 10.0),
             ('steady', 30, 3, 0, 0, 'not due yet', 0), ('term', 365, 2, 0, 0, 'covered by a term', 0), ('two', NULL, 1, NULL, NULL, 'not enough data: 2 of 3 purchase days', NULL)$$,
    'the usual gap, and who is late; two purchases on a day are one day');
SELECT results_eq(
    $$SELECT account_id, preferred_product_id, preferred_family, preferred_product_amount, round(preferred_product_share::numeric, 4) FROM account_profile ORDER BY 1$$,
    $$VALUES ('late', 'a', 'Letters', 1020.0, 0.9903), ('prospect', NULL, NULL, NULL, NULL), ('refund', 'b', 'Letters', 10, 1.0000), ('steady', 'a', 'Letters', 350, 0.5385), ('term', 'a', 'Letters', 15, 1.0000), ('two', 'a', 'Letters', 7, 1.0000)$$,
    'preferred products');
SELECT results_eq(
    $$SELECT account_id, open_deal_count, open_pipeline_amount FROM account_profile WHERE open_deal_count > 0 ORDER BY 1$$,
    $$VALUES ('late', 1::bigint, 0.0), ('prospect', 2, 500)$$, 'what is open');
SELECT is(summary_text, 'Prospect has bought nothing yet; 2 open deals of 500.', 'a prospect in a sentence') FROM account_profile WHERE account_id = 'prospect';
SELECT is(summary_text, 'Two (' || rfm_segment || ') bought 2 times for 7 in the last 24 months, last 150 days ago; too few purchase days to know its usual gap (2 of 3); most of it Alpha (100 %).', 'one with too little to say') FROM account_profile WHERE account_id = 'two';
SELECT is(summary_text, 'Late (' || rfm_segment || ') bought 4 times for 1,030 in the last 24 months, last 60 days ago; it usually buys every 10 days, and is 50 days overdue, more than its usual gap: 30 of the last 12 months at risk; most of it Alpha (99 %); above all in quarter 2 (4 of 4 purchase days); 1 open deal of 0.', 'one that is late') FROM account_profile WHERE account_id = 'late';
SELECT results_eq($$SELECT account_id, r_score, f_score, m_score, scored_count FROM account_profile WHERE account_id IN ('steady', 'term', 'prospect') ORDER BY 1$$,
                  $$VALUES ('prospect', NULL::int, NULL::int, NULL::int, NULL::bigint), ('steady', 5, 5, 4, 5), ('term', 1, 1, 1, 5)$$, 'scores of five accounts');
-- a term that ended lately: late by the days since
UPDATE sale SET covers_to = '2025-06-25' WHERE account_id = 'late' AND sold_on = '2025-05-01';
SELECT results_eq($$SELECT overdue_days, overdue_note, value_at_risk_amount, covered_to FROM account_profile WHERE account_id = 'late'$$,
                  $$VALUES (5::float8, 'due', 0.0, date '2025-06-25')$$, 'overdue is counted from the end of a term at the earliest');
SET sales_perf.as_of = '2025-05-01';
SELECT results_eq($$SELECT recency_days, overdue_days FROM account_profile WHERE account_id = 'late'$$, $$VALUES (0, 0::float8)$$, 'as of the day of its last purchase');
SET sales_perf.as_of = '2025-06-30';
DELETE FROM sale WHERE account_id = 'two';
SELECT results_eq($$SELECT DISTINCT r_score, rfm_segment FROM account_profile WHERE account_id <> 'prospect'$$, $$VALUES (NULL::int, 'not enough data')$$, 'four accounts are too few for scores');
DELETE FROM sale;
SELECT results_eq($$SELECT account_id, purchase_count, monetary_amount FROM account_profile WHERE purchase_count > 0$$, $$VALUES ('none', 1::bigint, 100.0)$$, 'without sales, the won deals');
DELETE FROM deal;
SELECT is_empty('SELECT * FROM account_profile', 'nothing in a mart without either');

-- generated: 300 accounts, some of them alike
SELECT sales_perf.create_mart('many') \gset
SET search_path = many, public;
INSERT INTO product (product_id, name, family) SELECT 'p' || n, 'Product ' || n, 'family ' || n % 2 FROM generate_series(1, 4) AS n;
INSERT INTO account (account_id, name) SELECT 'a' || n, 'Account ' || n FROM generate_series(1, 300) AS n;
INSERT INTO sale (sale_id, account_id, product_id, sold_on, amount)
SELECT a || '-' || k, 'a' || a, 'p' || (1 + floor(4 * sales_perf.demo_random(7, a * 100 + k, 1))), date '2025-06-30' - floor(1100 * sales_perf.demo_random(7, a * 100 + k, 2) ^ 2)::integer,
       CASE WHEN sales_perf.demo_random(7, a * 100 + k, 3) < 0.05 THEN -30 ELSE 10 * floor(20 * sales_perf.demo_random(7, a * 100 + k, 4)) END
  FROM generate_series(1, 300) AS a CROSS JOIN LATERAL generate_series(1, 1 + floor(12 * sales_perf.demo_random(7, a, 0))::integer) AS k;
CREATE TABLE shown AS SELECT * FROM account_profile;
CREATE VIEW bought AS SELECT * FROM sale WHERE amount > 0;
CREATE TABLE truth AS
SELECT a.account_id,
       (SELECT count(*) FROM bought b WHERE b.account_id = a.account_id) AS n,
       (SELECT max(sold_on) FROM bought b WHERE b.account_id = a.account_id) AS last_on,
       (SELECT count(*) FROM bought b WHERE b.account_id = a.account_id AND sold_on > '2023-06-30') AS recent,
       coalesce((SELECT sum(amount) FROM sale b WHERE b.account_id = a.account_id AND sold_on > '2023-06-30'), 0) AS amount,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY later.day - d.day)
          FROM (SELECT DISTINCT sold_on AS day FROM bought b WHERE b.account_id = a.account_id) AS d
          JOIN LATERAL (SELECT min(sold_on) AS day FROM bought b WHERE b.account_id = a.account_id AND sold_on > d.day) AS later ON later.day IS NOT NULL
        HAVING count(*) >= 2) AS gap,
       (SELECT product_id FROM sale b WHERE b.account_id = a.account_id GROUP BY product_id HAVING sum(amount) > 0 ORDER BY sum(amount) DESC, product_id COLLATE "C" LIMIT 1) AS product
  FROM account a;
DELETE FROM truth WHERE n = 0;
SELECT cmp_ok(count(*), '>', 280::bigint, 'most bought something') FROM truth;
SELECT set_eq('SELECT account_id, purchase_count, last_purchase_on, recent_purchase_count, monetary_amount, usual_gap_days, preferred_product_id FROM shown',
              'SELECT account_id, n, last_on, recent, amount, gap, product FROM truth', 'the figures of each account');
CREATE FUNCTION pg_temp.score(below bigint, alike bigint, n bigint) RETURNS integer LANGUAGE sql AS $$ SELECT ceil(5 * (below + (alike + 1) / 2.0) / n)::integer $$;
CREATE TABLE scored AS
SELECT t.account_id,
       (SELECT pg_temp.score(count(*) FILTER (WHERE o.last_on < t.last_on), count(*) FILTER (WHERE o.last_on = t.last_on), count(*)) FROM truth o) AS r,
       (SELECT pg_temp.score(count(*) FILTER (WHERE o.recent < t.recent), count(*) FILTER (WHERE o.recent = t.recent), count(*)) FROM truth o) AS f,
       (SELECT pg_temp.score(count(*) FILTER (WHERE o.amount < t.amount), count(*) FILTER (WHERE o.amount = t.amount), count(*)) FROM truth o) AS m
  FROM truth t;
SELECT set_eq('SELECT account_id, r_score, f_score, m_score FROM shown', 'SELECT * FROM scored', 'the scores, by counting who is below and who is alike');
SELECT is_empty('SELECT 1 FROM shown GROUP BY recent_purchase_count HAVING min(f_score) <> max(f_score)', 'equal figures have equal scores');
CREATE TABLE rule (segment text, r int4range, v int4range);
INSERT INTO rule VALUES ('champions', '[4,5]', '[8,10]'), ('loyal', '[4,5]', '[6,7]'), ('loyal', '[3,3]', '[6,10]'), ('promising', '[4,5]', '[2,5]'), ('needs attention', '[3,3]', '[2,5]'),
                        ('at risk', '[1,2]', '[7,10]'), ('hibernating', '[2,2]', '[2,6]'), ('lost', '[1,1]', '[2,6]');
SELECT is(count(*), 45::bigint, 'the rules leave out nothing and do not overlap') FROM generate_series(1, 5) AS r_score CROSS JOIN generate_series(2, 10) AS v_score JOIN rule ON r_score <@ rule.r AND v_score <@ rule.v;
SELECT is_empty($$SELECT account_id, rfm_segment, r_score, f_score, m_score FROM shown s WHERE rfm_segment IS DISTINCT FROM (SELECT segment FROM rule WHERE r_score <@ rule.r AND f_score + m_score <@ rule.v)$$, 'the segments, by the rules');
SELECT is(count(DISTINCT rfm_segment), 7::bigint, 'each of them occurs') FROM shown;
SELECT is_empty('SELECT account_id FROM shown WHERE summary_text IS NULL OR overdue_note IS NULL OR season_note IS NULL', 'each has a sentence');
SELECT is_empty($$SELECT account_id, overdue_days, value_at_risk_amount FROM shown WHERE (usual_gap_days IS NULL) <> (overdue_days IS NULL) OR overdue_days <> greatest(0, recency_days - usual_gap_days)
                  OR value_at_risk_amount <> CASE WHEN recency_days > 2 * usual_gap_days THEN greatest(0, year_amount) ELSE 0 END$$, 'overdue and at risk, by their definitions');

-- ten equal fifths where all differ: as ntile
SELECT sales_perf.create_mart('fifths') \gset
SET search_path = fifths, public;
INSERT INTO account (account_id, name) SELECT n::text, n::text FROM generate_series(1, 50) AS n;
INSERT INTO sale (sale_id, account_id, sold_on, amount) SELECT n::text, n::text, date '2025-06-30' - n, 1000 + n FROM generate_series(1, 50) AS n;
SELECT set_eq('SELECT account_id, r_score, m_score, f_score FROM account_profile',
              'SELECT account_id, ntile(5) OVER (ORDER BY sold_on) AS r, ntile(5) OVER (ORDER BY amount) AS m, 3 AS f FROM sale', 'without ties as ntile(5), all alike are in the middle');

-- seasons: 2,000 accounts that buy on any day, 200 that buy three of four times in the last quarter
SELECT sales_perf.create_mart('seasons') \gset
SET search_path = seasons, public;
INSERT INTO account (account_id, name) SELECT n::text, n::text FROM generate_series(1, 2200) AS n;
INSERT INTO sale (sale_id, account_id, sold_on, amount)
SELECT a || '-' || k, a::text,
       CASE WHEN a > 2000 AND k % 4 > 0 THEN make_date(2021 + k % 4, 10, 1) + floor(90 * sales_perf.demo_random(3, a * 100 + k, 1))::integer
            ELSE date '2021-07-01' + floor(1460 * sales_perf.demo_random(3, a * 100 + k, 1))::integer END, 100
  FROM generate_series(1, 2200) AS a CROSS JOIN LATERAL generate_series(1, CASE WHEN a > 2000 THEN 16 ELSE 2 + a % 20 END) AS k;
CREATE TABLE shown AS SELECT * FROM account_profile;
SELECT cmp_ok(count(preferred_quarter) / 1800.0, '<', 0.02, 'of accounts that buy on any day fewer than 2 in 100 seem to have a season') FROM shown WHERE account_id::integer <= 2000;
SELECT cmp_ok(count(*), '>', 180::bigint, 'those that do are found') FROM shown WHERE account_id::integer > 2000 AND preferred_quarter = 4;
SELECT is_empty($$SELECT account_id FROM shown s
                   WHERE preferred_quarter IS NOT NULL
                     AND (preferred_quarter_day_count, season_day_count) IS DISTINCT FROM
                         (SELECT (count(DISTINCT sold_on) FILTER (WHERE extract(quarter FROM sold_on) = preferred_quarter), count(DISTINCT sold_on)) FROM sale b WHERE b.account_id = s.account_id)$$,
                'with the purchase days counted');
SELECT * FROM finish();
