-- States outside the aggregates that make them: support functions called by hand, aggregates made by users over
-- them, working forms that reach tables, and plans of all kinds.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

CREATE TABLE deal AS
SELECT seed, deal_no, amount, outcome, opened_on, closed_on
FROM generate_series(1, 6) AS seed, fixture.deals(seed, 400);
ANALYZE deal;

-- each aggregate over a deal: its support functions take the state before these arguments
CREATE TABLE call (name text PRIMARY KEY, type_name text, arguments text, argument_types text, nulls text);
INSERT INTO call VALUES
('conversion_agg', 'conversion_summary', $$outcome = 'won'$$, 'boolean', 'NULL'),
('amount_agg', 'amount_summary', 'amount', 'numeric', 'NULL'),
('cycle_agg', 'cycle_summary', 'outcome, opened_on, closed_on', 'text, date, date', 'NULL, NULL, NULL'),
('deal_agg', 'deal_summary', 'amount, outcome, opened_on, closed_on', 'numeric, text, date, date', 'NULL, NULL, NULL, NULL'),
('attainment_agg', 'attainment_summary', 'amount, amount * (0.5 + deal_no % 4 * 0.25)', 'numeric, numeric', 'NULL, NULL'),
('outlook_agg', 'outlook_summary', 'amount, deal_no % 11 * 0.1::float8', 'numeric, double precision', 'NULL, NULL'),
('closing_agg', 'closing_summary', $$closed_on, outcome, amount, opened_on, 'month'$$, 'date, text, numeric, date, text', $$NULL, NULL, NULL, NULL, 'month'$$),
('period_agg', 'period_summary', $$opened_on, amount, 'month'$$, 'date, numeric, text', $$NULL, NULL, 'month'$$),
('cohort_agg', 'cohort_summary', $$period_agg_add(NULL, opened_on, amount, 'month')$$, 'period_summary', 'NULL'),
('stage_path_agg', 'stage_path', '(deal_no % 5)::int, opened_on', 'integer, date', 'NULL, NULL'),
('funnel_agg', 'funnel_summary', $$fixture.path(opened_on, deal_no), outcome, closed_on, 'strict'$$, 'stage_path, text, date, text', $$NULL, NULL, NULL, 'strict'$$);
CREATE TABLE zero (type_name text PRIMARY KEY, text_form text);
SELECT format('INSERT INTO zero SELECT %1$L, fixture.%1$s(1)::text', type_name) FROM call \gexec

-- a user's aggregates: without a final function, from a packed start, combining by hand
SELECT format('CREATE AGGREGATE bare_%s(%s) (SFUNC = %s_add, STYPE = %s)', name, argument_types, name, type_name),
	format('CREATE AGGREGATE from_packed_%s(%s) (SFUNC = %s_add, STYPE = %s, INITCOND = %L)', name, argument_types, name, type_name, text_form),
	format('CREATE AGGREGATE back_%s(%s) (SFUNC = %s_remove, STYPE = %s, INITCOND = %L)', name, argument_types, name, type_name, text_form),
	format('CREATE AGGREGATE moving_%s(%s) (SFUNC = %s_add, STYPE = %s, MSFUNC = %s_add, MINVFUNC = %s_remove, MSTYPE = %s, INITCOND = %L, MINITCOND = %L)',
		name, argument_types, name, type_name, name, name, type_name, text_form, text_form),
	format('CREATE TABLE stored_%s AS SELECT seed, bare_%s(%s) AS s FROM deal GROUP BY seed', name, name, arguments)
FROM call
JOIN zero USING (type_name)
\gexec

SELECT plan(24 + 10 * count(*)::int) FROM call;

SELECT set_eq(
	$$SELECT proname::text FROM fixture.summary_aggregate$$,
	$$SELECT name FROM call$$,
	'every aggregate that makes summaries is tried here: name it in the table call');

SELECT is_empty(
	format('SELECT seed
		FROM (SELECT seed, %1$s(%2$s) AS s FROM deal GROUP BY seed) AS d
		JOIN stored_%1$s AS stored USING (seed)
		WHERE (fixture.packed(d.s) = fixture.packed(stored.s) AND d.s = stored.s AND d.s::text = stored.s::text AND is_valid(stored.s)) IS NOT TRUE', name, arguments),
	name || ': working forms stored in a table read as the summaries they are')
FROM call;
SELECT is(
	(SELECT string_agg(proname, ', ' ORDER BY proname)
		FROM pg_proc
		WHERE pronamespace = 'sales_perf'::regnamespace AND prorettype = ANY ('{bigint,numeric,float8}'::regtype[]) AND pronargs = 1
			AND proargtypes[0] = to_regtype(type_name) AND NOT starts_with(proname, type_name || '_')
			AND fixture.error_of(format('SELECT 1 / (count(*) = 0)::int FROM stored_%s AS w JOIN (SELECT seed, %s(%s) AS s FROM deal GROUP BY seed) AS d USING (seed)
				WHERE sales_perf.%I(w.s) IS DISTINCT FROM sales_perf.%I(d.s)', name, name, arguments, proname, proname)) IS NOT NULL),
	NULL, name || ': and accessors say the same of them')
FROM call;
SELECT is_empty(
	format('SELECT seed
		FROM deal
		GROUP BY seed
		HAVING fixture.packed(from_packed_%1$s(%2$s)) IS DISTINCT FROM fixture.packed(%1$s(%2$s))', name, arguments),
	name || ': a state may start as a packed one')
FROM call;
SELECT is_empty(
	format('SELECT seed
		FROM deal
		GROUP BY seed
		HAVING fixture.packed(back_%1$s(%2$s)) IS DISTINCT FROM fixture.packed(- %1$s(%2$s))', name, arguments),
	name || ': taking rows back from nothing gives the negative')
FROM call;
SELECT is_empty(
	format('SELECT *
		FROM (
			SELECT fixture.packed(moving_%1$s(%2$s) OVER w) AS users, fixture.packed(%1$s(%2$s) OVER w) AS ours
			FROM deal
			WINDOW w AS (ORDER BY seed, deal_no ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)
		) AS f
		WHERE users IS DISTINCT FROM ours', name, arguments),
	name || ': moving, from a packed start and without a final function')
FROM call;

-- by hand: each call copies, whatever form its state has, and never changes its argument
SELECT is_empty(
	format('SELECT w.seed, d.deal_no
		FROM stored_%1$s AS w
		JOIN deal AS d USING (seed)
		WHERE d.deal_no < 60
			AND (fixture.packed(%1$s_remove(%1$s_add(w.s, %2$s), %2$s)) = fixture.packed(w.s)
				AND fixture.packed(%1$s_add(w.s, %2$s)) = fixture.packed(%1$s_add(%3$s_final(w.s), %2$s))
				AND fixture.packed(%1$s_add(w.s, %2$s)) = fixture.packed(w.s + %1$s_add(NULL, %2$s))) IS NOT TRUE', name, arguments, type_name),
	name || ': a row added and taken back by hand leaves what was there')
FROM call;
SELECT is_empty(
	format('SELECT seed
		FROM stored_%1$s AS w
		JOIN (SELECT seed, %1$s(%2$s) AS s FROM deal GROUP BY seed) AS d USING (seed)
		WHERE fixture.packed(w.s) IS DISTINCT FROM fixture.packed(d.s)', name, arguments),
	name || ': and the stored states are what they were')
FROM call;
SELECT is_empty(
	format('SELECT w.seed
		FROM (SELECT seed, rollup(s) AS s FROM stored_%1$s GROUP BY GROUPING SETS ((seed), ())) AS w
		JOIN (SELECT seed, %1$s(%2$s) AS s FROM deal GROUP BY GROUPING SETS ((seed), ())) AS d ON w.seed IS NOT DISTINCT FROM d.seed
		WHERE fixture.packed(w.s) IS DISTINCT FROM fixture.packed(d.s)', name, arguments),
	name || ': they roll up')
FROM call;

-- toast: compressed, out of line and both
SELECT format('CREATE TABLE toasted_%1$s AS SELECT seed, storage, s, s AS packed FROM stored_%1$s, (VALUES (NULL)) AS v (storage) WHERE false', name),
	format('ALTER TABLE toasted_%1$s ALTER s SET STORAGE EXTERNAL, ALTER packed SET STORAGE EXTERNAL', name),
	format('ALTER TABLE toasted_%1$s SET (toast_tuple_target = 128)', name),
	format('INSERT INTO toasted_%1$s SELECT seed, ''external'', s, %2$s_final(s) FROM stored_%1$s', name, type_name),
	format('ALTER TABLE toasted_%1$s ALTER s SET STORAGE MAIN, ALTER packed SET STORAGE MAIN', name),
	format('INSERT INTO toasted_%1$s SELECT seed, ''main'', s, %2$s_final(s) FROM stored_%1$s', name, type_name),
	format('ALTER TABLE toasted_%1$s ALTER s SET STORAGE EXTENDED, ALTER packed SET STORAGE EXTENDED', name),
	format('INSERT INTO toasted_%1$s SELECT seed, ''extended'', s, %2$s_final(s) FROM stored_%1$s', name, type_name)
FROM call
\gexec
SELECT is_empty(
	format('SELECT t.seed, t.storage
		FROM toasted_%1$s AS t
		JOIN stored_%1$s AS w USING (seed)
		WHERE (fixture.packed(t.s) = fixture.packed(w.s) AND fixture.packed(t.packed) = fixture.packed(w.s) AND t.s = t.packed
			AND fixture.packed(t.s + t.packed) = fixture.packed(w.s + w.s) AND t.s::text = w.s::text
			AND fixture.packed(%2$s_rollup(t.s, t.packed)) = fixture.packed(w.s + w.s)
			AND fixture.packed((SELECT rollup(x) FROM (VALUES (t.s), (t.packed)) AS v (x))) = fixture.packed(w.s + w.s)) IS NOT TRUE', name, type_name),
	name || ': toasted values of both forms are read')
FROM call;
SELECT cmp_ok(pg_total_relation_size('toasted_amount_agg'), '>', pg_relation_size('toasted_amount_agg') + 16384, 'of which some are out of line');

-- Hostile states: differences, counts at their limits, and rows that do not fit.
SELECT is_empty(
	format('SELECT w.seed
		FROM stored_%1$s AS w, LATERAL (SELECT * FROM deal WHERE deal.seed = w.seed ORDER BY deal_no LIMIT 1) AS d
		WHERE fixture.packed(%1$s_add(- w.s, %2$s)) IS DISTINCT FROM fixture.packed(%1$s_add(NULL, %2$s) - w.s)', name, arguments),
	name || ': a row can be added to a negative state')
FROM call;

SELECT throws_ok($$SELECT conversion_agg_add('{"entered": 9223372036854775807, "converted": 0}', true)$$, '22003', 'count out of range', 'a full count takes no more');
SELECT throws_ok($$SELECT conversion_agg_remove('{"entered": -9223372036854775808, "converted": 0}', false)$$, '22003', 'count out of range', 'nor does the lowest one give');
SELECT throws_ok($$SELECT - '{"entered": -9223372036854775808, "converted": 0}'::conversion_summary$$, '22003', 'count out of range', 'which has no negative');
SELECT throws_ok($$SELECT conversion_summary(9223372036854775807, 0) + conversion_summary(1, 0)$$, '22003', 'count out of range', 'sums are checked');
SELECT throws_ok($$SELECT rollup(s) FROM (VALUES (conversion_summary(9223372036854775807, 0)), (conversion_summary(1, 0))) AS v (s)$$, '22003', 'count out of range', 'rollups are checked');
SELECT lives_ok($$SELECT conversion_summary(9223372036854775806, 0) + conversion_summary(1, 0)$$, 'up to the largest count all is well');
SELECT throws_ok(
	$$SELECT cycle_agg_add('{"undated": 0, "invalid": 0, "won_days": {"5": 9223372036854775807}, "lost_days": {}, "open_on": {}}', 'won', '2024-01-01', '2024-01-06')$$,
	'22003', 'count out of range', 'counts by day are checked');
SELECT lives_ok(
	$$SELECT cycle_agg_add('{"undated": 0, "invalid": 0, "won_days": {"5": 9223372036854775806}, "lost_days": {}, "open_on": {}}', 'won', '2024-01-01', '2024-01-06')$$,
	'and take what they can');
SELECT throws_ok(
	$$SELECT amount_agg_add('{"amount": {"sum": 1, "squares": 1, "scales": {"0": 9223372036854775807}}, "amounts": {"5740001": 1}}', 1)$$,
	'22003', 'count out of range', 'counts by display scale are checked');
SELECT throws_ok($$SELECT deal_agg_add(NULL, 1, 'lots', NULL, NULL)$$, '22023', 'unknown deal outcome: "lots"', 'an unknown outcome is refused by hand, too');

-- Totals of hostile values that overflow are errors, not wrong numbers.
SELECT throws_ok(
	$$SELECT cycle_count('{"undated": 0, "invalid": 0, "won_days": {"5": 9223372036854775807, "6": 1}, "lost_days": {}, "open_on": {}}'::cycle_summary)$$,
	'22003', 'count out of range', 'a total beyond 64 bits is an error');
SELECT lives_ok(
	$$SELECT cycle_curve(s, '2024-01-01'), win_chance(s, 3, 4, '2024-01-01'), cycle_km_median(s, '2024-01-01'), cycle_km_median_high(s, '2024-01-01'), cycle_average(s), cycle_median(s),
		cycle_p_value(s, s, '2024-01-01')
	  FROM CAST('{"undated": 0, "invalid": 0, "won_days": {"9223372036854775807": 3}, "lost_days": {"0": 2, "9223372036854775806": 4000000000000000000}, "open_on": {"-9223372036854775808": 1, "9223372036854775807": 1, "0": 7}}' AS cycle_summary) AS s$$,
	'days and dates that nobody could have do no harm');

-- Nobody else's values: a state of another type can only be had by a cast through its text.
SELECT throws_ok($$SELECT conversion_agg_add(amount_agg(1), true)$$, '42883', NULL, 'states are typed');
SELECT throws_ok($$SELECT conversion_summary_in(amount_summary_out(amount_agg(1)))$$, '22P02', 'invalid input syntax for type conversion_summary', 'and so are texts');

CREATE CAST (amount_summary AS conversion_summary) WITHOUT FUNCTION;
SELECT throws_ok(
	$$SELECT entered_count(amount_agg(amount)::conversion_summary) FROM deal$$,
	'XX001', 'invalid stored value of type conversion_summary', 'bytes of another type, forced into a column, are an error');
SELECT throws_ok(
	$$SELECT rollup(s::conversion_summary) FROM stored_amount_agg$$,
	'XX001', 'invalid stored value of type conversion_summary', 'in the working form, too');
DROP CAST (amount_summary AS conversion_summary);

-- plans: sharing a state, hashing, spilling
SELECT is(
	jsonb_path_query_array(
		fixture.plan_of('SELECT won_count(s), bookings_amount(s), win_rate(s), cycle_median(s) FROM (SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s FROM deal OFFSET 0) AS d'),
		'strict $.** ? (@."Node Type" == "Aggregate").Output'),
	'[["deal_agg(deal.amount, deal.outcome, deal.opened_on, deal.closed_on)"]]',
	'several accessors of a subquery read one aggregate');
CREATE SEQUENCE calls;
CREATE FUNCTION counted_add(deal_summary, numeric, text, date, date)
RETURNS deal_summary
LANGUAGE sql
AS $$ SELECT CASE WHEN nextval('calls') > 0 THEN deal_agg_add($1, $2, $3, $4, $5) END $$;
CREATE AGGREGATE counted_agg(numeric, text, date, date) (SFUNC = counted_add, STYPE = deal_summary, FINALFUNC = deal_summary_final);
SELECT results_eq(
	$$SELECT won_count(counted_agg(amount, outcome, opened_on, closed_on)), bookings_amount(counted_agg(amount, outcome, opened_on, closed_on)),
		win_rate(counted_agg(amount, outcome, opened_on, closed_on)), fixture.packed(counted_agg(amount, outcome, opened_on, closed_on))
	  FROM deal WHERE seed = 1$$,
	$$SELECT won_count(s), bookings_amount(s), win_rate(s), fixture.packed(s) FROM (SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s FROM deal WHERE seed = 1) AS d$$,
	'several accessors over the same aggregate call');
SELECT is((SELECT last_value FROM calls), 400::bigint, 'share its state: one transition a row');

-- 20,000 groups in 1 MB: hashing spills, and gives what sorting gives
CREATE TABLE many AS
SELECT n % 20000 AS group_no, n * 0.07 AS amount, CASE n % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' END AS outcome,
	date '2024-01-01' + (n % 100)::int AS opened_on, date '2024-04-10' + (n % 71)::int AS closed_on
FROM generate_series(1, 60000) AS n;
ANALYZE many;
SET work_mem = '1MB';
SET hash_mem_multiplier = 1;
SET enable_sort = off;
CREATE TABLE plan AS
SELECT fixture.plan_of('SELECT group_no, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM many GROUP BY group_no', true) AS p;
CREATE TABLE hashed AS SELECT group_no, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM many GROUP BY group_no;
RESET enable_sort;
SET enable_hashagg = off;
CREATE TABLE sorted AS SELECT group_no, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM many GROUP BY group_no;
RESET enable_hashagg;
RESET work_mem;
SELECT cmp_ok((jsonb_path_query_first(p, '$.**."HashAgg Batches"'))::int, '>', 1, 'a hash of many groups spills') FROM plan;
SELECT is_empty(
	$$SELECT group_no FROM hashed FULL JOIN sorted USING (group_no) WHERE fixture.packed(hashed.s) IS DISTINCT FROM fixture.packed(sorted.s)$$,
	'and every group is what sorting makes it');
SELECT is(count(*), 20000::bigint, 'all of them') FROM hashed;

SELECT * FROM finish();
