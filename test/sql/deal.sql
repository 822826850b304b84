-- deal_summary: everything about deals in one pass
SET search_path = public, sales_perf;

CREATE TABLE a_deal (amount numeric, outcome text, opened_on date, closed_on date);
INSERT INTO a_deal VALUES
(1000, 'won', '2024-01-01', '2024-01-11'), (2000.50, 'won', '2024-01-01', '2024-01-21'), (NULL, 'won', '2024-01-01', NULL),
(500, 'lost', '2024-01-05', '2024-01-10'), (700, 'open', '2024-01-20', '2024-03-01'), (800, NULL, NULL, NULL), (NULL, 'open', '2024-01-30', NULL);

SELECT jsonb_pretty(deal_agg(amount, outcome, opened_on, closed_on)::jsonb) FROM a_deal;
CREATE VIEW a_summary AS SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s FROM a_deal;
SELECT won_count(s), lost_count(s), open_count(s), unpriced_count(s), undated_count(s), invalid_count(s) FROM a_summary;
SELECT win_rate(s), round(win_rate_low(s)::numeric, 6) AS low, round(win_rate_high(s)::numeric, 6) AS high, round(win_rate_amount(s)::numeric, 6) AS by_amount FROM a_summary;
SELECT bookings_amount(s), lost_amount(s), pipeline_amount(s), average_deal_amount(s), median_deal_amount(s), deal_amount_percentile(s, 1) FROM a_summary;
SELECT cycle_count(s), cycle_average(s), cycle_median(s), cycle_percentile(s, 1), cycle_km_median(s, '2024-02-01'), sales_velocity(s) FROM a_summary;
SELECT outcomes(s), won_amounts(s), cycle(s) FROM a_summary;
SELECT s - s = rollup(s) FILTER (WHERE false) AS nothing_left FROM a_summary GROUP BY s;

-- of no deals
SELECT jsonb_pretty(deal_agg(amount, outcome, opened_on, closed_on)::jsonb) FROM a_deal WHERE false;
-- of NULL
SELECT won_count(s), win_rate(s), bookings_amount(s), cycle_km_median(s, '2024-02-01'), is_valid(s), s::jsonb, s + s, - s, outcomes(s)
FROM (SELECT NULL::deal_summary) AS v (s);

-- errors
SELECT deal_agg(amount, 'closed', opened_on, closed_on) FROM a_deal;
SELECT deal_amount_percentile(s, 2) FROM a_summary;
SELECT win_rate_low(s, 1) FROM a_summary;
SELECT win_rate_high(s, 0) FROM a_summary;
-- the hint differs between major versions
\set VERBOSITY terse
SELECT sales_perf.deal_agg(1.5::float8, 'won', '2024-01-01', '2024-01-02');
\set VERBOSITY default
SELECT '{"won": 0}'::deal_summary;
SELECT '{"won": 0, "lost": 0, "open": 0, "invalid": 0, "open_on": {}, "undated": 0, "unpriced": 0, "won_days": {}, "lost_days": {}, "won_amount": {"sum": 0, "scales": {}, "squares": 0}, "lost_amount": {"sum": 0, "scales": {}, "squares": 0}, "open_amount": {"sum": 0, "scales": {}}, "won_amounts": {}}'::deal_summary;

-- fields that do not agree make no valid summary
SELECT name, is_valid(s), won_count(s)
FROM (
	SELECT name, jsonb_set('{"won": 0, "lost": 0, "open": 0, "invalid": 0, "open_on": {}, "undated": 0, "unpriced": 0, "won_days": {}, "lost_days": {}, "won_amount": {"sum": 0, "scales": {}, "squares": 0}, "lost_amount": {"sum": 0, "scales": {}}, "open_amount": {"sum": 0, "scales": {}}, "won_amounts": {}}', path, value)::text::deal_summary AS s
	FROM (VALUES
		('nothing', '{}'::text[], '0'::jsonb), ('won without a date', '{won}', '1'), ('a cycle of nobody', '{won_days}', '{"5": 1}'), ('lost without a date', '{lost}', '1'),
		('an amount of nobody', '{won_amounts}', '{"1": 1}'), ('unpriced of none', '{unpriced}', '1'), ('a negative count', '{lost}', '-1')) AS v (name, path, value)
) AS d;
DROP TABLE a_deal CASCADE;
