-- cycle_agg against plain SQL over the rows: percentile_cont, and Kaplan-Meier, Aalen-Johansen and log-rank
-- reckoned with numeric, on random deals with ties, censoring and faulty dates.
SET search_path = public, sales_perf;
\ir fixture/samples.sql
SELECT plan(28);

-- groups of 0 to some hundred deals; those of group 7 on have few distinct days, so that there are many ties
CREATE TABLE deal AS
SELECT g AS group_no, n AS deal_no, outcome, opened_on,
	CASE
		WHEN g >= 7 AND isfinite(opened_on) AND isfinite(closed_on) AND closed_on > opened_on THEN opened_on + (closed_on - opened_on) / 20
		ELSE closed_on
	END AS closed_on
FROM generate_series(1, 12) AS g, fixture.deals(g, (ARRAY[0, 1, 2, 3, 5, 20, 40, 100, 200, 400, 3, 60])[g]) AS d (n);

-- some opened on just the days that are looked at below, and on the days after
INSERT INTO deal
SELECT 9, 1000 + n, 'open', as_of + n, NULL
FROM unnest('{2023-06-30, 2024-12-31}'::date[]) AS as_of, generate_series(0, 1) AS n;

CREATE TABLE summary AS
SELECT g AS group_no, cycle_agg(outcome, opened_on, closed_on) FILTER (WHERE deal_no IS NOT NULL) AS s
FROM generate_series(1, 12) AS g
LEFT JOIN deal ON group_no = g
GROUP BY g;

-- What each row says, by the rules in words: dates are finite, closing is not before opening, an open deal has none.
CREATE VIEW judged AS
SELECT *,
	CASE
		WHEN opened_on IS NULL THEN 'undated'
		WHEN NOT isfinite(opened_on) THEN 'invalid'
		WHEN COALESCE(outcome, 'open') = 'open' THEN 'open'
		WHEN closed_on IS NULL OR NOT isfinite(closed_on) OR closed_on < opened_on THEN 'invalid'
		ELSE outcome
	END AS verdict
FROM deal;

SELECT set_eq(
	$$SELECT DISTINCT verdict FROM judged$$, $$VALUES ('won'), ('lost'), ('open'), ('undated'), ('invalid')$$,
	'there are rows of every kind');
SELECT is_empty(
	$$SELECT group_no, s::text
	  FROM summary
	  WHERE (cycle_count(s), undated_count(s), invalid_count(s)) IS DISTINCT FROM (
		SELECT (count(*) FILTER (WHERE verdict = 'won'), count(*) FILTER (WHERE verdict = 'undated'), count(*) FILTER (WHERE verdict = 'invalid'))
		FROM judged
		WHERE judged.group_no = summary.group_no)$$,
	'won, undated and invalid rows are counted');
SELECT is_empty(
	$$SELECT group_no, cycle_average(s), cycle_median(s)
	  FROM summary
	  WHERE (cycle_average(s), cycle_median(s)) IS DISTINCT FROM (
		SELECT (avg(closed_on - opened_on)::float8, percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on))
		FROM judged
		WHERE judged.group_no = summary.group_no AND verdict = 'won')$$,
	'cycle_average and cycle_median are avg and percentile_cont of the won deals, NULL where there are none');
SELECT is_empty(
	$$SELECT group_no, p, cycle_percentile(s, p)
	  FROM summary, generate_series(0, 200) AS i, LATERAL (VALUES (i / 200.0::float8), (fixture.random('p', i))) AS v (p)
	  WHERE cycle_percentile(s, p) IS DISTINCT FROM (
		SELECT percentile_cont(p) WITHIN GROUP (ORDER BY closed_on - opened_on)
		FROM judged
		WHERE judged.group_no = summary.group_no AND verdict = 'won')$$,
	'cycle_percentile is percentile_cont, the very same float, for any share');
SELECT is_empty(
	$$SELECT group_no, p, closing_percentile(s, p)
	  FROM summary, generate_series(0, 200) AS i, LATERAL (VALUES (i / 200.0::float8), (fixture.random('p', i))) AS v (p)
	  WHERE closing_percentile(s, p) IS DISTINCT FROM (
		SELECT percentile_cont(p) WITHIN GROUP (ORDER BY closed_on - opened_on)
		FROM judged
		WHERE judged.group_no = summary.group_no AND verdict IN ('won', 'lost'))$$,
	'closing_percentile that of won and lost ones');

-- The life table in numeric, by definition: one row a day on which a deal closed or was censored.
CREATE FUNCTION life_table(group_numbers int[], as_of_date date)
RETURNS TABLE (day int, at_risk numeric, won numeric, lost numeric, survival numeric, hazard_variance numeric, win_incidence numeric, loss_incidence numeric)
LANGUAGE sql
AS $$
	WITH RECURSIVE life AS (
		SELECT verdict, CASE WHEN verdict = 'open' THEN as_of_date ELSE closed_on END - opened_on AS days
		FROM judged
		WHERE group_no = ANY (group_numbers)
			AND (verdict IN ('won', 'lost') OR verdict = 'open' AND opened_on <= as_of_date)
	), daily AS (
		SELECT row_number() OVER (ORDER BY days) AS n, days,
			round(sum(count(*)) OVER (ORDER BY days DESC), 40) AS at_risk, -- for quotients of 40 decimals
			count(*) FILTER (WHERE verdict = 'won')::numeric AS won,
			count(*) FILTER (WHERE verdict = 'lost')::numeric AS lost
		FROM life
		GROUP BY days
	), walk AS (
		SELECT 0::bigint AS n, NULL::int AS days, 0.0 AS at_risk, 0.0 AS won, 0.0 AS lost,
			1.0::numeric AS survival, 0.0::numeric AS hazard_variance, 0.0::numeric AS win_incidence, 0.0::numeric AS loss_incidence
		UNION ALL
		SELECT d.n, d.days, d.at_risk, d.won, d.lost,
			round(w.survival * (d.at_risk - d.won - d.lost) / d.at_risk, 40),
			w.hazard_variance + CASE
				WHEN d.at_risk > d.won + d.lost THEN round((d.won + d.lost) / (d.at_risk * (d.at_risk - d.won - d.lost)), 40)
				ELSE 0
			END,
			w.win_incidence + round(w.survival * d.won / d.at_risk, 40),
			w.loss_incidence + round(w.survival * d.lost / d.at_risk, 40)
		FROM walk AS w
		JOIN daily AS d ON d.n = w.n + 1
	)
	SELECT days, at_risk, won, lost, survival, hazard_variance, win_incidence, loss_incidence
	FROM walk
	WHERE n > 0
$$;

CREATE TABLE expected AS
SELECT group_no, as_of, l.*
FROM summary, unnest('{2023-06-30, 2024-12-31, 2031-01-01}'::date[]) AS as_of, life_table(ARRAY[group_no], as_of) AS l;
CREATE TABLE actual AS
SELECT group_no, as_of, c.*
FROM summary, unnest('{2023-06-30, 2024-12-31, 2031-01-01}'::date[]) AS as_of, cycle_curve(s, as_of) AS c;

SELECT cmp_ok(max(won + lost)::int, '>', 10, 'there are many ties') FROM expected;
SELECT set_eq(
	$$SELECT group_no, as_of, day, at_risk, won, lost FROM actual$$,
	$$SELECT group_no, as_of, day::bigint, at_risk::bigint, won::bigint, lost::bigint FROM expected$$,
	'cycle_curve: days, those at risk, closings; deals opened after as_of are not yet at risk');
CREATE VIEW both_tables AS
SELECT e.*, a.survival AS s, a.survival_se AS se, a.win_incidence AS wi, a.loss_incidence AS li
FROM expected AS e
JOIN actual AS a USING (group_no, as_of, day);
SELECT is_empty(
	$$SELECT * FROM both_tables WHERE (abs(s - survival::float8) <= 1e-13 * survival::float8) IS NOT TRUE AND (s <> 0 OR survival > 1e-30)$$,
	'survival is the Kaplan-Meier estimate');
SELECT is_empty(
	$$SELECT * FROM both_tables WHERE (abs(se - survival::float8 * sqrt(hazard_variance::float8)) <= 1e-12) IS NOT TRUE$$,
	'its error is Greenwood''s, on the survival scale');
SELECT is_empty(
	$$SELECT * FROM both_tables WHERE (abs(wi - win_incidence::float8) <= 1e-13 AND abs(li - loss_incidence::float8) <= 1e-13) IS NOT TRUE$$,
	'incidences are those of Aalen and Johansen');
SELECT is_empty(
	$$SELECT * FROM actual WHERE (abs(survival + win_incidence + loss_incidence - 1) <= 1e-13) IS NOT TRUE$$,
	'survival and both incidences add up to 1 on every day');
SELECT results_eq(
	$$SELECT day FROM actual WHERE group_no = 9 AND as_of = '2024-12-31'$$,
	$$SELECT day FROM actual WHERE group_no = 9 AND as_of = '2024-12-31' ORDER BY day$$,
	'the days ascend');

SELECT is_empty(
	$$SELECT group_no, as_of, cycle_km_median(s, as_of)
	  FROM summary, unnest('{2023-06-30, 2024-12-31, 2031-01-01}'::date[]) AS as_of
	  WHERE cycle_km_median(s, as_of) IS DISTINCT FROM (
		SELECT min(day)::float8 FROM expected AS e WHERE e.group_no = summary.group_no AND e.as_of = as_of.as_of AND survival <= 0.5 + 1e-30)$$,
	'the Kaplan-Meier median is the first day with survival of one half at most, NULL if there is none');

-- On the log scale the limit is S exp(-+ z se / S); 1.959963984540054 is the normal quantile of 0.975.
CREATE VIEW limits AS
SELECT group_no, as_of, day, survival,
	survival::float8 * exp(-1.959963984540054 * sqrt(hazard_variance::float8)) AS low,
	CASE WHEN survival > 0 THEN survival::float8 * exp(1.959963984540054 * sqrt(hazard_variance::float8)) END AS high
FROM expected;
SELECT is_empty(
	$$SELECT group_no, as_of
	  FROM summary, unnest('{2023-06-30, 2024-12-31, 2031-01-01}'::date[]) AS as_of
	  WHERE (cycle_km_median_low(s, as_of), cycle_km_median_high(s, as_of)) IS DISTINCT FROM (
		SELECT (min(day) FILTER (WHERE low <= 0.5)::float8, min(day) FILTER (WHERE high <= 0.5)::float8)
		FROM limits AS l WHERE l.group_no = summary.group_no AND l.as_of = as_of.as_of)$$,
	'its limits are the days on which those of survival, on the log scale, are one half at most');
SELECT cmp_ok(count(cycle_km_median_high(s, '2024-12-31'))::int, '>=', 3, 'there are such limits') FROM summary;

SELECT is_empty(
	$$SELECT group_no, day, win_incidence(s, day, '2024-12-31')
	  FROM summary, generate_series(0, 300) AS day
	  WHERE win_incidence(s, day, '2024-12-31') IS DISTINCT FROM (
		SELECT CASE WHEN count(*) > 0 THEN COALESCE(max(win_incidence) FILTER (WHERE a.day <= d.day), 0) END
		FROM actual AS a, (VALUES (day)) AS d (day)
		WHERE a.group_no = summary.group_no AND as_of = '2024-12-31')$$,
	'win_incidence is that of the last row of the curve up to the day, NULL where there is no row');

-- win_chance from the rows of the curve: (incidence(age + within) - incidence(age)) / S(age)
CREATE VIEW chance_of AS
SELECT group_no, age, within, win_chance(s, age, within, '2024-12-31') AS chance,
	(SELECT max(day) FROM actual AS a WHERE a.group_no = summary.group_no AND as_of = '2024-12-31') AS last_day,
	COALESCE((SELECT survival FROM actual AS a WHERE a.group_no = summary.group_no AND as_of = '2024-12-31' AND day <= age ORDER BY day DESC LIMIT 1), 1) AS survival,
	win_incidence(s, age + within, '2024-12-31') - win_incidence(s, age, '2024-12-31') AS won_share
FROM summary,
	LATERAL (
		SELECT unnest('{0, 1, 5, 20, 90, 180, 366, 800, 100000}'::int[])
		UNION
		SELECT day::int + n FROM actual, generate_series(0, 1) AS n WHERE actual.group_no = summary.group_no AND as_of = '2024-12-31'
	) AS a (age),
	unnest('{0, 1, 30, 90, 365, 2147483647}'::int[]) AS within
WHERE age + within::bigint <= 2147483647;
CREATE TABLE chance AS TABLE chance_of;
SELECT is_empty(
	$$SELECT * FROM chance WHERE chance IS DISTINCT FROM CASE WHEN age <= last_day AND survival > 0 THEN won_share / survival END$$,
	'win_chance is its formula, and NULL beyond the last age at which a deal was seen');
SELECT cmp_ok(count(chance)::int, '>', 100, 'which it often has an answer to') FROM chance;
SELECT cmp_ok(count(*) FILTER (WHERE chance IS NULL)::int, '>', 100, 'and often not') FROM chance;
SELECT is_empty(
	$$SELECT * FROM chance WHERE chance NOT BETWEEN 0 AND 1.0000000000001 OR within = 0 AND chance <> 0$$,
	'a chance lies between 0 and 1, and is 0 within no days');
SELECT is(win_chance(cycle_agg('won', '2024-01-01', '2024-01-11'), 3, 2147483647, '2024-02-01'), 1.0::float8, 'a far horizon does not overflow');

-- log-rank, from the rows: z^2 = (O - E)^2 / V, p = erfc(sqrt(z^2 / 2)), the last by its p-value table below
CREATE FUNCTION log_rank_chisq(a int, b int, as_of_date date, of_won_only boolean)
RETURNS numeric
LANGUAGE sql
AS $$
	WITH life AS (
		SELECT group_no = a AS in_a, CASE WHEN verdict = 'open' THEN as_of_date ELSE closed_on END - opened_on AS days,
			verdict = 'won' OR verdict = 'lost' AND NOT of_won_only AS happened
		FROM judged
		WHERE group_no IN (a, b)
			AND (verdict IN ('won', 'lost') OR verdict = 'open' AND opened_on <= as_of_date)
	), at_day AS (
		SELECT e.days,
			count(*)::numeric AS n,
			count(*) FILTER (WHERE in_a)::numeric AS n_a,
			count(*) FILTER (WHERE happened AND l.days = e.days)::numeric AS d,
			count(*) FILTER (WHERE happened AND l.days = e.days AND in_a)::numeric AS d_a
		FROM (SELECT DISTINCT days FROM life WHERE happened) AS e
		JOIN life AS l ON l.days >= e.days
		GROUP BY e.days
	)
	SELECT sum(d_a - d * n_a / n) ^ 2 / NULLIF(sum(CASE WHEN n > 1 THEN d * n_a / n * (1 - n_a / n) * (n - d) / (n - 1) ELSE 0 END), 0)
	FROM at_day
$$;

-- the p-value of a chi-square of 1 degree of freedom: 1 - erf(sqrt(x / 2)), by erf's series, in numeric
CREATE FUNCTION chisq_p(x numeric)
RETURNS float8
LANGUAGE sql
AS $$
	WITH RECURSIVE series AS (
		SELECT 0 AS k, sqrt(round(x, 60) / 2) AS term, sqrt(round(x, 60) / 2) AS total
		UNION ALL
		SELECT k + 1, round(- term * x / 2 / (k + 1), 60), round(total - term * x / 2 / (k + 1) / (2 * k + 3), 60)
		FROM series
		WHERE k < 60 + 5 * x
	)
	SELECT (1 - 2 / sqrt(3.14159265358979323846264338327950288419716939937510) * total)::float8
	FROM series
	ORDER BY k DESC
	LIMIT 1
$$;
SELECT is(round(chisq_p(3.841458820694124)::numeric, 14), 0.05, 'the test''s own p-value: the published 5 % point of chi-square');

CREATE TABLE log_rank AS
SELECT a.group_no AS a, b.group_no AS b, event,
	cycle_p_value(a.s, b.s, '2024-12-31', event) AS p,
	chisq_p(log_rank_chisq(a.group_no, b.group_no, '2024-12-31', event = 'won')) AS expected
FROM summary AS a
JOIN summary AS b ON a.group_no < b.group_no
CROSS JOIN (VALUES ('closed'), ('won')) AS e (event);
SELECT is_empty(
	$$SELECT * FROM log_rank WHERE (abs(p - expected) <= 1e-12) IS NOT TRUE AND NOT (p IS NULL AND expected IS NULL)$$,
	'cycle_p_value is the log-rank test, on closings or wins, NULL where nothing tells the groups apart');
SELECT cmp_ok(count(DISTINCT p)::int, '>', 50, 'of which many say something') FROM log_rank;
SELECT cmp_ok(min(p)::numeric, '<', 0.01, 'and some that the groups differ') FROM log_rank;
SELECT is_empty(
	$$SELECT *
	  FROM summary AS a, summary AS b
	  WHERE cycle_p_value(a.s, b.s, '2024-12-31', 'won') <> cycle_p_value(b.s, a.s, '2024-12-31', 'won')
		AND abs(cycle_p_value(a.s, b.s, '2024-12-31', 'won') - cycle_p_value(b.s, a.s, '2024-12-31', 'won')) > 1e-14$$,
	'neither group is preferred');

-- as_of: the default is the setting's
SET sales_perf.as_of = '2024-12-31';
SELECT is_empty(
	$$SELECT group_no
	  FROM summary
	  WHERE cycle_km_median(s) IS DISTINCT FROM cycle_km_median(s, '2024-12-31')
		OR win_incidence(s, 30) IS DISTINCT FROM win_incidence(s, 30, '2024-12-31')
		OR win_chance(s, 30, 60) IS DISTINCT FROM win_chance(s, 30, 60, '2024-12-31')
		OR (SELECT array_agg(c) FROM cycle_curve(s) AS c) IS DISTINCT FROM (SELECT array_agg(c) FROM cycle_curve(s, '2024-12-31') AS c)$$,
	'as_of defaults to as_of()');
SELECT is_empty(
	$$SELECT * FROM unnest('{2023-06-30, 2031-01-01}'::date[]) AS as_of, summary
	  WHERE group_no = 1 AND (cycle_km_median(s, as_of) IS NOT NULL OR win_incidence(s, 5, as_of) IS NOT NULL
		OR EXISTS (SELECT FROM cycle_curve(s, as_of)))$$,
	'of no deals there is no curve');

SELECT * FROM finish();
