-- swot: strengths and weaknesses by another way from the deals, planted differences and noise, and each opportunity and threat by hand.
SELECT plan(32);
CREATE FUNCTION public.draw(subject bigint, seed bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(subject, seed) & 4294967295)::double precision / 4294967296;
SET sales_perf.as_of = '2025-05-15';

-- ---------------------------------------------------------------- generated deals, by builtin aggregates

SELECT sales_perf.create_mart('demo') \gset
SET search_path = demo, public;
SELECT sales_perf.generate_demo('demo', 8000) \gset
CREATE TABLE row_shown AS SELECT * FROM swot;
CREATE TABLE obs AS
SELECT f.topic, d.rep_id, d.closed_on, a.segment, d.closed_on > '2024-05-15' AS is_current, f.x
  FROM deal_as_of d
  LEFT JOIN account a USING (account_id)
 CROSS JOIN LATERAL (VALUES ('win_rate', (d.outcome = 'won')::integer::numeric),
                            ('average_deal_amount', CASE WHEN d.outcome = 'won' THEN d.reporting_amount END),
                            ('cycle_average_days', CASE WHEN d.outcome = 'won' AND d.opened_on <= d.closed_on THEN d.closed_on - d.opened_on END),
                            ('late_closing', CASE WHEN d.expected_close_on IS NOT NULL THEN (d.closed_on > d.expected_close_on)::integer END)) AS f (topic, x)
 WHERE d.outcome IN ('won', 'lost') AND d.closed_on BETWEEN '2023-05-16' AND '2025-05-15' AND f.x IS NOT NULL;
CREATE TABLE expected AS
WITH entity AS (SELECT 'company' AS level, NULL AS id UNION ALL SELECT 'team', team_id FROM team UNION ALL SELECT 'rep', rep_id FROM rep),
side AS (
    SELECT e.level, e.id, o.topic, o.segment, o.x,
           CASE e.level
               WHEN 'company' THEN o.is_current
               WHEN 'rep' THEN CASE WHEN o.is_current THEN o.rep_id IS NOT DISTINCT FROM e.id END
               ELSE CASE WHEN o.is_current THEN EXISTS (SELECT FROM team_rep t WHERE t.team_id = e.id AND t.rep_id = o.rep_id AND o.closed_on BETWEEN t.valid_from AND t.valid_to) END
           END AS is_own
      FROM entity e CROSS JOIN obs o
     WHERE e.level = 'company' OR o.topic <> 'late_closing'),
segment AS (
    SELECT level, id, topic, segment, topic IN ('win_rate', 'late_closing') AS is_rate,
           count(*) FILTER (WHERE is_own) AS n, avg(x) FILTER (WHERE is_own) AS mean, var_pop(x) FILTER (WHERE is_own) AS v,
           count(*) FILTER (WHERE NOT is_own) AS pn, avg(x) FILTER (WHERE NOT is_own) AS pmean,
           CASE WHEN topic IN ('win_rate', 'late_closing') THEN var_pop(x) FILTER (WHERE NOT is_own) ELSE var_samp(x) FILTER (WHERE NOT is_own) END AS pv
      FROM side GROUP BY level, id, topic, segment),
total AS (
    SELECT level, id, topic, is_rate, sum(n) AS n, sum(pn) AS pn, count(*) AS k, sum(n * mean) / sum(n) AS value, sum(n * pmean) / sum(n) AS peer,
           sum(n / w.n_all ^ 2 * pv) AS v0, sum((n / w.n_all) ^ 2 * pv / pn) AS vp, sum(n * v) AS own_squares
      FROM (SELECT *, sum(n) OVER (PARTITION BY level, id, topic) AS n_all FROM segment WHERE n > 0 AND pn >= 10) AS w
     GROUP BY level, id, topic, is_rate)
SELECT t.*, b.size, b.reach,
       CASE WHEN is_rate THEN abs(value - peer) > 2.5758293035489 * sqrt(v0 + vp) ELSE abs(value - peer) > b.reach END AND abs(value - peer) >= 0.05 * peer AS is_listed
  FROM total t
 CROSS JOIN LATERAL (SELECT CASE WHEN is_rate THEN peer * (1 - peer) / (v0 + vp) END AS size,
                            CASE WHEN NOT is_rate THEN sales_perf.student_t_quantile(0.995, least(n - k, pn - k)::integer) * sqrt(greatest(v0, own_squares / (n - k) / n) + vp) END AS reach) AS b
 WHERE n >= 30 AND pn >= 30;
SELECT cmp_ok(count(*), '>=', 20::bigint, 'something to compare') FROM expected;
SELECT set_eq($$SELECT level, entity_id, topic, sample_count, peer_sample_count FROM row_shown WHERE kind IN ('strength', 'weakness') OR topic = 'late_closing'$$,
              $$SELECT level, id, topic, n::bigint, pn::bigint FROM expected WHERE is_listed AND (topic <> 'late_closing' OR value > peer)$$, 'what differs is listed, and nothing else');
SELECT cmp_ok(count(*), '>=', 2::bigint, 'which is something') FROM row_shown WHERE kind IN ('strength', 'weakness');
SELECT is_empty($$SELECT r.*, e.* FROM row_shown r JOIN expected e ON (e.level, e.topic) = (r.level, r.topic) AND e.id IS NOT DISTINCT FROM r.entity_id
                   WHERE (abs(r.value - e.value) <= 1e-9 * e.value AND abs(r.peer_value - e.peer) <= 1e-9 * e.peer
                          AND CASE WHEN is_rate
                                   THEN abs((e.value - value_low) - 2.5758293035489 * sqrt(value_low * (1 - value_low) / size)) < 1e-9 AND abs((value_high - e.value) - 2.5758293035489 * sqrt(value_high * (1 - value_high) / size)) < 1e-9
                                   ELSE abs(value_high - e.value - reach) < 1e-6 * reach AND abs(e.value - value_low - reach) < 1e-6 * reach END) IS NOT TRUE$$, 'with value, peer value and bounds');
SELECT is_empty($$SELECT * FROM row_shown WHERE peer_value BETWEEN value_low AND value_high$$, 'no interval holds the value it is compared with');
SELECT is_empty($$SELECT * FROM row_shown WHERE kind IN ('strength', 'weakness') AND (kind = 'strength') <> (CASE topic WHEN 'cycle_average_days' THEN value < peer_value ELSE value > peer_value END)$$, 'better is a strength, longer is not better');
SELECT is_empty($$SELECT * FROM row_shown WHERE summary_text IS NULL OR entity_name IS NULL OR subject IS NULL$$, 'each row has its sentence');
SELECT set_eq($$SELECT subject_id, value::integer, sample_count, amount FROM row_shown WHERE topic = 'account_at_risk'$$,
              $$SELECT account_id, date '2025-05-15' - last_day, days, amount
                  FROM (SELECT account_id, rank() OVER (ORDER BY sum(reporting_amount) FILTER (WHERE sold_on > '2024-05-15') DESC NULLS LAST) AS rank, max(sold_on) AS last_day, min(sold_on) AS first_day, count(DISTINCT sold_on) AS days, sum(reporting_amount) FILTER (WHERE sold_on > '2024-05-15') AS amount
                          FROM purchase WHERE account_id IS NOT NULL GROUP BY 1) AS a
                 WHERE days >= 3 AND date '2025-05-15' - last_day > 2.0 * (last_day - first_day) / (days - 1) AND amount > 0 AND rank <= 500 ORDER BY amount DESC, account_id LIMIT 10$$, 'accounts at risk, from the purchases');
SELECT set_eq($$SELECT topic, subject_id FROM row_shown WHERE topic ~ '^(growing|shrinking)_'$$,
              $$SELECT m.trend || '_' || m.dimension, m.value_id
                  FROM market_trend m
                  JOIN market_trend c ON c.dimension = 'company'
                 WHERE m.dimension IN ('segment', 'region', 'product') AND m.value_id IS NOT NULL
                   AND (m.trend = 'shrinking'
                        OR m.trend = 'growing' AND m.win_rate_low > c.win_rate AND m.won_count + m.lost_count >= 30
                           AND (SELECT sum(d.reporting_amount) FILTER (WHERE CASE m.dimension WHEN 'segment' THEN a.segment WHEN 'region' THEN a.region ELSE d.product_id END = m.value_id) / sum(d.reporting_amount)
                                  FROM deal_as_of d LEFT JOIN account a USING (account_id) WHERE d.is_open) < m.share_rate)$$, 'opportunities and shrinking markets, from market_trend and the open deals');

-- ---------------------------------------------------------------- mix: hard segments are no weakness

SELECT sales_perf.create_mart('mix') \gset
SET search_path = mix, public;
INSERT INTO team (team_id, name) VALUES ('north', 'North'), ('south', 'South');
INSERT INTO rep (rep_id, name, team_id) SELECT 'r' || n, 'Rep ' || n, CASE WHEN n <= 2 THEN 'north' ELSE 'south' END FROM generate_series(1, 10) AS n;
INSERT INTO account (account_id, name, segment) VALUES ('easy', 'Easy', 'easy'), ('hard', 'Hard', 'hard');
-- 70 % are won of the easy, 30 % of the hard; r1 has nearly only hard ones, r2 wins 90 and 50 %; 1000 and 5000 apiece
INSERT INTO deal (deal_id, rep_id, account_id, amount, outcome, opened_on, closed_on, expected_close_on)
SELECT 'd' || r || '-' || n + CASE s.segment WHEN 'hard' THEN 200 ELSE 0 END, 'r' || r, s.segment, CASE s.segment WHEN 'easy' THEN 1000 ELSE 5000 END + n % 3, CASE WHEN n % 10 < s.tenths + CASE r WHEN 2 THEN 2 ELSE 0 END THEN 'won' ELSE 'lost' END,
       date '2025-03-01' - CASE s.segment WHEN 'easy' THEN 20 ELSE 60 END - n % 5, '2025-03-01', '2025-03-02'
  FROM generate_series(1, 10) AS r, (VALUES ('easy', 7), ('hard', 3)) AS s (segment, tenths), generate_series(1, 200) AS n
 WHERE r <> 1 OR s.segment = 'hard' OR n <= 10;
SELECT is_empty($$SELECT * FROM swot WHERE entity_id = 'r1'$$, 'who has the hard deals is not weak, nor slow, nor one who sells large ones');
SELECT results_eq($$SELECT kind, topic, round(value::numeric, 4), round(peer_value::numeric, 4), sample_count, amount FROM swot WHERE entity_id = 'r2'$$,
                  $$SELECT 'strength', 'win_rate', 0.7, 0.5, 400::bigint, round(0.2 * 400 * (SELECT avg(amount) FROM deal WHERE rep_id = 'r2' AND outcome = 'won'), 2)$$, 'who wins more in both segments is strong, and what it is worth');
SELECT is(summary_text ~ '^Rep 2: Win rate 70 % over 400 closed deals of the 12 months up to 2025-05-15, where the others with the same mix of segments had 50 % \(99 % interval 6[0-9.]* % to 7[0-9.]* %; .*\), which is worth [0-9,]+\.$', true, 'in a sentence')
  FROM swot WHERE entity_id = 'r2';
SELECT results_eq($$SELECT entity_id, kind FROM swot WHERE level = 'team' AND topic = 'win_rate' ORDER BY 1$$, $$VALUES ('north', 'strength'), ('south', 'weakness')$$, 'teams against each other');
UPDATE deal SET closed_on = closed_on + 100, opened_on = opened_on + 100 WHERE rep_id = 'r2' AND outcome = 'lost';
UPDATE deal SET closed_on = '2024-05-15' WHERE rep_id = 'r1';
DELETE FROM deal_change;
SELECT results_eq($$SELECT count(*) FROM swot WHERE entity_id = 'r1' OR topic = 'late_closing'$$, $$VALUES (0::bigint)$$, 'a year ago counts for nobody but the company');
DELETE FROM deal WHERE rep_id = 'r2' AND substr(deal_id, 4)::integer > 14;
SELECT is_empty($$SELECT * FROM swot WHERE entity_id = 'r2'$$, 'less than thirty deals say nothing');

-- ---------------------------------------------------------------- noise: 200 reps who are all alike, amounts as skewed as amounts are

DELETE FROM deal;
INSERT INTO rep (rep_id, name) SELECT 'n' || n, 'Noise ' || n FROM generate_series(1, 200) AS n;
INSERT INTO deal (deal_id, rep_id, account_id, amount, outcome, opened_on, closed_on, recorded_at)
SELECT 'n' || r || '-' || i, 'n' || r, CASE WHEN public.draw(k, 1) < 0.3 THEN 'easy' ELSE 'hard' END,
       1000 * 10 ^ (0.35 * sqrt(-2 * ln(1 - public.draw(k, 2))) * cos(2 * pi() * public.draw(k, 3))), CASE WHEN public.draw(k, 4) < 0.5 THEN 'won' ELSE 'lost' END,
       date '2025-03-01' + i % 30 - (-40 * ln(1 - public.draw(k, 5)))::integer, date '2025-03-01' + i % 30, '2020-01-01'
  FROM generate_series(1, 200) AS r, generate_series(1, 120) AS i, LATERAL (SELECT r * 1000 + i AS k) AS s;
CREATE TABLE alarm AS SELECT topic, count(*) AS rows FROM swot WHERE level = 'rep' GROUP BY topic;
SELECT cmp_ok(coalesce(max(rows), 0), '<=', 6::bigint, 'of 200 reps who are alike two or so are listed for a KPI, six at most') FROM alarm;
SELECT cmp_ok(coalesce(sum(rows), 0), '<=', 12::numeric, 'and not more than 2 % over all of them') FROM alarm;
UPDATE deal SET outcome = 'won' WHERE rep_id IN ('n1', 'n2', 'n3', 'n4', 'n5') AND substr(deal_id, 4)::integer % 2 = 0;
DELETE FROM deal_change;
SELECT is(count(*), 5::bigint, 'who wins 25 points more is found with 120 deals') FROM swot WHERE entity_id IN ('n1', 'n2', 'n3', 'n4', 'n5') AND topic = 'win_rate' AND kind = 'strength';
UPDATE deal SET amount = amount * 3 WHERE rep_id = 'n6';
DELETE FROM deal_change;
UPDATE deal SET opened_on = closed_on - 3 * (closed_on - opened_on) WHERE rep_id = 'n7';
SELECT results_eq($$SELECT entity_id, kind, topic FROM swot WHERE entity_id IN ('n6', 'n7') AND topic <> 'win_rate' ORDER BY 1$$, $$VALUES ('n6', 'strength', 'average_deal_amount'), ('n7', 'weakness', 'cycle_average_days')$$, 'large deals, and long ones');

-- ---------------------------------------------------------------- the company: markets, accounts, slipping, by hand

SELECT sales_perf.create_mart('hand') \gset
SET search_path = hand, public;
INSERT INTO stage (stage_no, stage_id, name, is_open) VALUES (1, 'early', 'Early', true), (2, 'late', 'Late', true), (3, 'won', 'Won', false);
INSERT INTO account (account_id, name, segment) VALUES ('up', 'Up', 'rising'), ('down', 'Down', 'falling'), ('same', 'Same', 'level');
-- each month: 20 and 30, 30 and 20, 60 and 60 deals won of 100 apiece; 10, 30 and 100 lost
INSERT INTO deal (deal_id, account_id, amount, outcome, opened_on, closed_on, expected_close_on, recorded_at)
SELECT a.id || m || '-' || n, a.id, 100, CASE WHEN n <= CASE WHEN m <= 12 THEN a.this_year ELSE a.last_year END THEN 'won' ELSE 'lost' END,
       month, month + 10, CASE WHEN a.id = 'same' AND m <= 12 THEN month + 9 ELSE month + 10 END, '2020-01-01'
  FROM (VALUES ('up', 20, 30, 10), ('down', 30, 20, 30), ('same', 60, 60, 100)) AS a (id, last_year, this_year, lost),
       generate_series(1, 26) AS m, LATERAL (SELECT (date '2025-05-01' - make_interval(months => m))::date AS month) AS d,
       LATERAL generate_series(1, CASE WHEN m <= 12 THEN a.this_year ELSE a.last_year END + a.lost) AS n;
INSERT INTO deal (deal_id, account_id, stage_id, amount, outcome, opened_on, expected_close_on, recorded_at)
SELECT 'o' || n, CASE WHEN n % 20 = 0 THEN 'up' ELSE 'same' END, CASE WHEN n <= 50 THEN 'early' ELSE 'late' END, 100, 'open', '2025-04-01', CASE WHEN n > 80 THEN '2025-05-14' ELSE '2025-05-15' END::date, '2020-01-01'
  FROM generate_series(1, 100) AS n;
SELECT results_eq(
    $$SELECT topic, subject_id, round(value::numeric, 4), round(peer_value::numeric, 4), sample_count, amount, round(growth_rate::numeric, 4), round(share_rate::numeric, 4), round(effort_rate::numeric, 4) FROM swot WHERE kind = 'opportunity'$$,
    $$VALUES ('growing_segment', 'rising', 0.75, 0.44, 480::bigint, 36000.0, 0.5, 0.2727, 0.05)$$, 'a segment that grows, is won and gets little');
SELECT results_eq($$SELECT subject_id, round(value::numeric, 4), peer_value, sample_count, peer_sample_count, amount FROM swot WHERE topic ~ '^shrinking'$$,
                  $$VALUES ('falling', -0.3333, 0::float8, 240::bigint, 360::bigint, -12000.0)$$, 'one that shrinks');
UPDATE deal SET account_id = 'up' WHERE outcome = 'open' AND substr(deal_id, 2)::integer % 2 = 0;
SELECT is_empty($$SELECT * FROM swot WHERE kind = 'opportunity'$$, 'with half of the pipeline there is effort enough');
SELECT results_eq($$SELECT topic, round(value::numeric, 4), round(peer_value::numeric, 4), sample_count, peer_sample_count FROM swot WHERE topic = 'late_closing'$$,
                  $$VALUES ('late_closing', 0.64, round(160 / 3000.0, 4), 2750::bigint, 3000::bigint)$$, 'more deals close late than in the year before, of which one month had them');
UPDATE deal SET expected_close_on = closed_on WHERE closed_on <= '2024-05-15';
DELETE FROM deal_change;
SELECT results_eq($$SELECT subject, round(value::numeric, 4), sample_count FROM swot WHERE topic = 'late_closing'$$,
                  $$SELECT 'Closing later than expected', round(avg((expected_close_on < closed_on)::integer), 4), count(*) FROM deal WHERE closed_on BETWEEN '2024-05-16' AND '2025-05-15'$$, 'also where none did');
SELECT results_eq($$SELECT subject, value, peer_value, sample_count, peer_sample_count, amount FROM swot WHERE topic = 'slipping_stage'$$,
                  $$VALUES ('Late', 0.4::float8, 0::float8, 50::bigint, 50::bigint, 2000.0)$$, 'the stage in which deals are overdue');
UPDATE deal SET expected_close_on = '2025-05-15' WHERE outcome = 'open' AND substr(deal_id, 2)::integer > 83;
DELETE FROM deal_change;
SELECT is_empty($$SELECT * FROM swot WHERE topic = 'slipping_stage'$$, 'three of fifty may be chance');
SELECT results_eq($$SELECT subject_id, round(value::numeric, 4), peer_value, sample_count, amount FROM swot WHERE topic = 'concentration' ORDER BY 1$$,
                  $$VALUES ('down', 0.1818, 0.1::float8, 220::bigint, 22000.0), ('same', 0.5455, 0.1, 660, 66000), ('up', 0.2727, 0.1, 330, 33000), (NULL, 1.0, 0.5, 1210, 121000)$$, 'three accounts are everything');
-- sales instead of won deals: every ten days until 2025-04-01, and three accounts that keep to it, or have too little
INSERT INTO account (account_id, name) VALUES ('x', 'Late payer'), ('y', 'Regular'), ('z', 'Newcomer'), ('gone', 'Gone');
INSERT INTO account (account_id, name) SELECT 'small ' || n, 'Small ' || n FROM generate_series(1, 20) AS n;
INSERT INTO sale (sale_id, account_id, sold_on, amount)
SELECT 'x' || n, 'x', date '2025-04-01' - 10 * n, 7 FROM generate_series(0, 5) AS n UNION ALL SELECT 'same day' || n, 'x', '2025-04-01', 7 FROM generate_series(1, 3) AS n
UNION ALL SELECT 'y' || n, 'y', date '2025-04-25' - 10 * n, 5 FROM generate_series(0, 5) AS n
UNION ALL SELECT 'z' || n, 'z', date '2025-04-01' - 10 * n, 5 FROM generate_series(0, 1) AS n
UNION ALL SELECT 'g' || n, 'gone', date '2024-05-15' - 10 * n, 5 FROM generate_series(0, 9) AS n
UNION ALL SELECT 's' || n, 'small ' || n, '2025-05-15', 40 FROM generate_series(1, 20) AS n;
SELECT results_eq($$SELECT subject_id, value, peer_value, sample_count, amount, summary_text FROM swot WHERE topic = 'account_at_risk'$$,
                  $$VALUES ('x', 44::float8, 10::float8, 6::bigint, 63.0, 'Late payer has bought nothing for 44 days (since 2025-04-01), more than twice its usual gap of 10 days between 6 purchases; it brought 63 in the last 12 months.')$$,
                  'silent for more than two gaps: not who is just within them, bought twice, or left a year ago; a day is one purchase');
SELECT is_empty($$SELECT * FROM swot WHERE topic = 'concentration'$$, 'many small ones are no concentration');
UPDATE sale SET amount = 100 WHERE sale_id = 's1';
SELECT results_eq($$SELECT subject_id, amount FROM swot WHERE topic = 'concentration'$$, $$VALUES ('small 1', 100.0)$$, 'a tenth is the limit') ;
DELETE FROM sale;
DELETE FROM deal;
SELECT is_empty($$SELECT * FROM swot$$, 'an empty mart has no rows');
SELECT lives_ok($$SET LOCAL sales_perf.as_of = '1990-01-01'; SELECT * FROM swot$$, 'nor has a day before all of it');

SELECT * FROM finish();
