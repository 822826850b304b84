-- deal_agg against plain SQL over the rows, and against the aggregates of its parts.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(31);

CREATE TABLE deal AS
SELECT seed, deal_no % 13 AS rep_no, amount, outcome, opened_on, closed_on
FROM generate_series(1, 9) AS seed, fixture.deals(seed, 400);
CREATE TABLE summary AS
SELECT seed, rep_no, deal_agg(amount, outcome, opened_on, closed_on) AS s
FROM deal
GROUP BY GROUPING SETS ((seed, rep_no), (seed), ());

-- the rows of each group again; a group without a rep is that of all reps
CREATE VIEW row_of AS
SELECT s.seed, s.rep_no, d.amount, COALESCE(d.outcome, 'open') AS outcome, d.opened_on, d.closed_on,
	CASE
		WHEN d.opened_on IS NULL THEN 'undated'
		WHEN NOT isfinite(d.opened_on) THEN 'invalid'
		WHEN COALESCE(d.outcome, 'open') = 'open' THEN 'dated'
		WHEN d.closed_on IS NULL OR NOT isfinite(d.closed_on) OR d.closed_on < d.opened_on THEN 'invalid'
		ELSE 'dated'
	END AS dates
FROM summary AS s
JOIN deal AS d ON d.seed = COALESCE(s.seed, d.seed) AND d.rep_no = COALESCE(s.rep_no, d.rep_no);
CREATE TABLE expected AS
SELECT seed, rep_no,
	count(*) FILTER (WHERE outcome = 'won') AS won,
	count(*) FILTER (WHERE outcome = 'lost') AS lost,
	count(*) FILTER (WHERE outcome = 'open') AS open,
	count(*) FILTER (WHERE outcome = 'won' AND amount IS NULL) AS unpriced,
	count(*) FILTER (WHERE dates = 'undated') AS undated,
	count(*) FILTER (WHERE dates = 'invalid') AS invalid,
	COALESCE(sum(amount) FILTER (WHERE outcome = 'won'), 0) AS bookings,
	COALESCE(sum(amount) FILTER (WHERE outcome = 'lost'), 0) AS lost_amount,
	COALESCE(sum(amount) FILTER (WHERE outcome = 'open'), 0) AS pipeline,
	avg(amount) FILTER (WHERE outcome = 'won') AS average,
	count(*) FILTER (WHERE outcome = 'won' AND dates = 'dated') AS cycles,
	avg(CASE WHEN outcome = 'won' AND dates = 'dated' THEN closed_on - opened_on END)::float8 AS cycle_average,
	percentile_cont('{0.5, 0.9}'::float8[]) WITHIN GROUP (ORDER BY CASE WHEN outcome = 'won' AND dates = 'dated' THEN closed_on - opened_on END) AS cycle_percentiles,
	amount_agg(amount) FILTER (WHERE outcome = 'won') AS won_amounts,
	conversion_agg(outcome = 'won') FILTER (WHERE outcome <> 'open') AS outcomes,
	cycle_agg(outcome, opened_on, closed_on) AS cycle
FROM row_of
GROUP BY seed, rep_no;
CREATE VIEW pair AS
SELECT summary.s, expected.*
FROM summary
JOIN expected ON (summary.seed, summary.rep_no) IS NOT DISTINCT FROM (expected.seed, expected.rep_no);

SELECT is(count(*), 9 * 13 + 9 + 1::bigint, 'all groups are compared') FROM pair;
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE (won_count(s), lost_count(s), open_count(s)) IS DISTINCT FROM (won, lost, open)$$,
	'won_count, lost_count, open_count: rows by outcome, none counting as open');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE (unpriced_count(s), undated_count(s), invalid_count(s)) IS DISTINCT FROM (unpriced, undated, invalid)$$,
	'unpriced_count, undated_count, invalid_count: what is missing is counted');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE win_rate(s) IS DISTINCT FROM won::float8 / NULLIF(won + lost, 0)$$,
	'win_rate is won / (won + lost)');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair
	  WHERE bookings_amount(s)::text IS DISTINCT FROM bookings::text
		OR lost_amount(s)::text IS DISTINCT FROM pair.lost_amount::text
		OR pipeline_amount(s)::text IS DISTINCT FROM pipeline::text$$,
	'bookings_amount, lost_amount, pipeline_amount are sum, in display scale too, and 0 where there is nothing');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE average_deal_amount(s)::text IS DISTINCT FROM average::text$$,
	'average_deal_amount is avg over won deals with an amount, in display scale too');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair
	  WHERE cycle_count(s) IS DISTINCT FROM cycles
		OR pair.cycle_average IS DISTINCT FROM sales_perf.cycle_average(s)
		OR cycle_median(s) IS DISTINCT FROM cycle_percentiles[1]
		OR cycle_percentile(s, 0.9) IS DISTINCT FROM cycle_percentiles[2]$$,
	'cycles are those of won deals');

-- lost amounts of 0 are amounts that were not recorded
SELECT is_empty(
	$$SELECT seed, rep_no
	  FROM pair
	  WHERE bookings > 0 AND bookings < 'Infinity' AND pair.lost_amount > 0 AND pair.lost_amount < 'Infinity'
		AND (abs(win_rate_amount(s) - round(bookings / (bookings + pair.lost_amount), 20)::float8) <= 1e-14) IS NOT TRUE$$,
	'win_rate_amount is won / (won + lost) in amounts');
SELECT is(win_rate_amount(deal_agg(amount, outcome, NULL, NULL)), NULL, 'win_rate_amount is NULL where deals were lost but no amounts with them')
FROM (VALUES (100, 'won'), (0, 'lost'), (NULL, 'lost')) AS d (amount, outcome);
SELECT is(win_rate_amount(deal_agg(100, 'won', NULL, NULL)), 1::float8, 'it is 1 where none was lost');
SELECT is(win_rate_amount(deal_agg(100, 'lost', NULL, NULL)), 0::float8, 'and 0 where none was won');
SELECT is(win_rate_amount(deal_agg(100, 'open', NULL, NULL)), NULL, 'and NULL where none was closed');

SELECT is_empty(
	$$SELECT seed, rep_no
	  FROM pair
	  WHERE abs(bookings) < 1e300 AND cycles > 0
		AND (abs(sales_velocity(s) / NULLIF((open::numeric * won / (won + lost) * average / pair.cycle_average::numeric)::float8, 0) - 1) <= 1e-13) IS FALSE$$,
	'sales_velocity is open deals * win rate * average amount / average cycle');
SELECT is(sales_velocity(deal_agg(amount, outcome, '2024-01-01', closed_on)), 250.0::float8, 'such as 4 * 1/2 * 1250 / 10')
FROM (VALUES (1000, 'won', date '2024-01-06'), (1500, 'won', '2024-01-16'), (7, 'lost', '2024-03-01'), (7, 'lost', '2024-03-01'),
	(7, 'open', NULL), (7, 'open', NULL), (7, NULL, NULL), (7, 'open', NULL)) AS d (amount, outcome, closed_on);

SELECT is(win_rate_amount(deal_agg(amount, outcome, NULL, NULL)), 0::float8, 'a share too small for float8 is 0')
FROM (VALUES (1, 'won'), (1e500, 'lost')) AS d (amount, outcome);
SELECT is(sales_velocity(deal_agg(1e500, outcome, '2024-01-01', '2024-01-02')), 'Infinity'::float8, 'a velocity too large for it is infinite')
FROM (VALUES ('won'), ('open')) AS d (outcome);

-- parts
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE fixture.packed(sales_perf.won_amounts(s)) IS DISTINCT FROM fixture.packed(pair.won_amounts)$$,
	'won_amounts is amount_agg over the won deals, byte for byte');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE fixture.packed(sales_perf.outcomes(s)) IS DISTINCT FROM fixture.packed(pair.outcomes)$$,
	'outcomes is conversion_agg over the closed ones');
SELECT is_empty(
	$$SELECT seed, rep_no FROM pair WHERE fixture.packed(sales_perf.cycle(s)) IS DISTINCT FROM fixture.packed(pair.cycle)$$,
	'cycle is cycle_agg over all');
SELECT is_empty(
	$$SELECT a.seed, b.seed
	  FROM summary AS a
	  JOIN summary AS b ON a.rep_no = b.rep_no
	  WHERE fixture.packed(won_amounts(a.s - b.s)) IS DISTINCT FROM fixture.packed(won_amounts(a.s) - won_amounts(b.s))
		OR fixture.packed(outcomes(a.s - b.s)) IS DISTINCT FROM fixture.packed(outcomes(a.s) - outcomes(b.s))
		OR fixture.packed(cycle(a.s + b.s)) IS DISTINCT FROM fixture.packed(cycle(a.s) + cycle(b.s))$$,
	'the part of a difference is the difference of the parts');
SELECT is_empty(
	$$SELECT seed, rep_no
	  FROM pair
	  WHERE win_rate_low(s) IS DISTINCT FROM conversion_rate_low(pair.outcomes)
		OR win_rate_high(s) IS DISTINCT FROM conversion_rate_high(pair.outcomes)
		OR win_rate_low(s, 0.8) IS DISTINCT FROM conversion_rate_low(pair.outcomes, 0.8)
		OR win_rate_high(s, 0.8) IS DISTINCT FROM conversion_rate_high(pair.outcomes, 0.8)$$,
	'limits of the win rate are those of its conversion_summary');
SELECT is_empty(
	$$SELECT seed, rep_no
	  FROM pair
	  WHERE median_deal_amount(s) IS DISTINCT FROM amount_median(pair.won_amounts)
		OR deal_amount_percentile(s, 0.9) IS DISTINCT FROM amount_percentile(pair.won_amounts, 0.9)$$,
	'median_deal_amount and deal_amount_percentile are those of its amount_summary');

-- Every accessor of cycle_summary is one of deal_summary too.
SELECT is_empty(
	$$SELECT p.proname
	  FROM pg_proc AS p
	  WHERE p.pronamespace = 'sales_perf'::regnamespace AND p.prokind = 'f' AND p.prosrc !~ 'cycle_summary|cycle_agg'
		AND p.proargtypes[0] = 'cycle_summary'::regtype
		AND NOT EXISTS (
			SELECT FROM pg_proc AS d
			WHERE d.pronamespace = p.pronamespace AND d.proname = p.proname AND d.pronargs = p.pronargs
				AND d.pronargdefaults = p.pronargdefaults AND d.prorettype = p.prorettype AND d.proretset = p.proretset
				AND d.proargnames[1] = p.proargnames[1] AND d.proargtypes[0] = 'deal_summary'::regtype)$$,
	'deal_summary has every accessor that cycle_summary has, with the same arguments');
SELECT is_empty(
	$$SELECT seed, rep_no
	  FROM pair, (VALUES (date '2024-06-30'), ('2025-12-31')) AS v (day)
	  WHERE cycle_km_median(s, day) IS DISTINCT FROM cycle_km_median(pair.cycle, day)
		OR cycle_km_median_low(s, day) IS DISTINCT FROM cycle_km_median_low(pair.cycle, day)
		OR cycle_km_median_high(s, day) IS DISTINCT FROM cycle_km_median_high(pair.cycle, day)
		OR win_incidence(s, 60, day) IS DISTINCT FROM win_incidence(pair.cycle, 60, day)
		OR win_chance(s, 30, 60, day) IS DISTINCT FROM win_chance(pair.cycle, 30, 60, day)
		OR (SELECT array_agg(c::text) FROM cycle_curve(s, day) AS c) IS DISTINCT FROM (SELECT array_agg(c::text) FROM cycle_curve(pair.cycle, day) AS c)
		OR undated_count(s) <> undated_count(pair.cycle) OR invalid_count(s) <> invalid_count(pair.cycle)$$,
	'and they say the same');
SELECT is_empty(
	$$SELECT a.seed, b.seed, cycle_p_value(a.s, b.s, '2024-12-31', 'won')
	  FROM pair AS a
	  JOIN pair AS b USING (rep_no)
	  WHERE cycle_p_value(a.s, b.s, '2024-12-31', 'won') IS DISTINCT FROM cycle_p_value(a.cycle, b.cycle, '2024-12-31', 'won')
		OR cycle_p_value(a.s, b.s, '2024-12-31') IS DISTINCT FROM cycle_p_value(a.cycle, b.cycle, '2024-12-31')$$,
	'cycle_p_value too');

-- single rows
SELECT is(deal_agg(NULL, NULL, NULL, NULL)::jsonb - '{won_amount,lost_amount,open_amount,won_amounts,won_days,lost_days,open_on}'::text[],
	'{"won": 0, "lost": 0, "open": 1, "unpriced": 0, "undated": 1, "invalid": 0}', 'a row of NULLs is an open deal without a date');
SELECT is(deal_agg(NULL, 'won', '2024-01-01', NULL)::jsonb - '{won_amount,lost_amount,open_amount,won_amounts,won_days,lost_days,open_on}'::text[],
	'{"won": 1, "lost": 0, "open": 0, "unpriced": 1, "undated": 0, "invalid": 1}', 'won without amount and closing date: counted as won, unpriced and invalid');
SELECT is(deal_agg(5, 'open', '2024-01-01', '2020-01-01')::text, deal_agg(5, NULL, '2024-01-01', NULL)::text,
	'the closing date of an open deal is ignored');
SELECT is(
	(won_count(s), lost_count(s), open_count(s), bookings_amount(s), lost_amount(s), pipeline_amount(s), win_rate(s), average_deal_amount(s),
		median_deal_amount(s), cycle_count(s), cycle_average(s), cycle_median(s), sales_velocity(s), win_rate_low(s), cycle_km_median(s, '2024-01-01'))::text,
	'(0,0,0,0,0,0,,,,0,,,,,)', 'of no deals counts and amounts are 0, and the rest is NULL')
FROM (SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s FROM deal WHERE false) AS d;

-- Accessors remember the values they read last: many values in turn, also as parts of them, differences, and working ones.
CREATE TABLE in_turn AS
SELECT row_number() OVER (ORDER BY fixture.random('turn', a.seed * 100 + b.seed)) AS turn, v.s, v.s::jsonb AS j
FROM fixture.sample_deal_summary AS a, fixture.sample_deal_summary AS b,
	LATERAL (VALUES (a.s + b.s), (a.s - b.s), (a.w), (b.s)) AS v (s);
SELECT is_empty(
	$$SELECT turn
	  FROM (
		SELECT *,
			ROW(won_count(s), lost_count(s), open_count(s), unpriced_count(s)) AS counts,
			ROW((j ->> 'won')::bigint, (j ->> 'lost')::bigint, (j ->> 'open')::bigint, (j ->> 'unpriced')::bigint) AS said,
			(SELECT sum(value::bigint) FROM jsonb_each_text(j -> 'won_days')) AS cycles
		FROM in_turn
		ORDER BY turn
	  ) AS t
	  WHERE CASE WHEN is_valid(s) THEN counts IS DISTINCT FROM said OR cycle_count(s) IS DISTINCT FROM coalesce(cycles, 0) ELSE won_count(s) IS NOT NULL END$$,
	'values read in turn: each says its own');
SELECT is_empty(
	$$SELECT a.turn
	  FROM in_turn AS a
	  JOIN in_turn AS b ON b.turn = a.turn + 1
	  WHERE is_valid(a.s) AND is_valid(b.s)
		AND ROW(bookings_amount(a.s), bookings_amount(b.s), cycle_median(b.s), cycle_median(a.s), won_count(b.s))
			IS DISTINCT FROM ROW(amount_total(won_amounts(a.s)), amount_total(won_amounts(b.s)),
				cycle_percentile(b.s, 0.5), cycle_percentile(cycle(a.s), 0.5), (b.j ->> 'won')::bigint)$$,
	'and so do two at a time');

SELECT * FROM finish();
