-- AdventureWorks' orders and quotas: the attainments that R gave for them.
SET search_path = public, sales_perf;
\ir fixture/near.sql
SELECT plan(19);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE sales_order (sales_order_id int PRIMARY KEY, order_date date, due_date date, ship_date date, online_order_flag boolean, customer_id int,
	sales_person_id int, territory_id int, sub_total numeric, tax_amt numeric, freight numeric, total_due numeric);
CREATE TABLE quota (sales_person_id int, quota_date date, sales_quota numeric, PRIMARY KEY (sales_person_id, quota_date));
\copy sales_order FROM PROGRAM 'gzip -dc adventureworks/sales_order_header.csv.gz' WITH (FORMAT csv, HEADER)
\copy quota FROM 'adventureworks/sales_person_quota_history.csv' WITH (FORMAT csv, HEADER)
\set headline `cat adventureworks/expected/headline.json`
CREATE TABLE headline AS SELECT :'headline'::jsonb AS h;
CREATE TABLE person_expected (sales_person_id int, quota_date date, sales_quota numeric, sales numeric, attainment float8);
CREATE TABLE period_expected (quota_date date, sales_quota numeric, sales numeric, attainment float8);
\copy person_expected FROM 'adventureworks/expected/attainment_3_people.csv' WITH (FORMAT csv, HEADER)
\copy period_expected FROM 'adventureworks/expected/attainment_by_period_team.csv' WITH (FORMAT csv, HEADER)

-- a period runs from a quota date to the next one that anybody has, which is no calendar quarter
CREATE VIEW period AS
SELECT quota_date AS period_start, lead(quota_date, 1, 'infinity') OVER (ORDER BY quota_date) AS next_start
FROM (SELECT DISTINCT quota_date FROM quota) AS q;
CREATE TABLE person_period AS
SELECT quota_date, sales_person_id, sales_quota, sales
FROM quota
FULL JOIN (
	SELECT sales_person_id, period_start AS quota_date, sum(sub_total) AS sales
	FROM sales_order
	JOIN period ON order_date >= period_start AND order_date < next_start
	WHERE NOT online_order_flag
	GROUP BY sales_person_id, period_start
) AS s USING (sales_person_id, quota_date);
CREATE TABLE person AS
SELECT quota_date, sales_person_id, attainment_agg(sales, sales_quota) AS s
FROM person_period
GROUP BY quota_date, sales_person_id;
CREATE TABLE company AS SELECT rollup(s) AS s FROM person;

SELECT is(count(*), (h ->> 'orders')::bigint, 'all orders are there') FROM sales_order, headline GROUP BY h;
SELECT is(count(*) FILTER (WHERE NOT online_order_flag), (h ->> 'reseller_orders')::bigint, 'those of resellers') FROM sales_order, headline GROUP BY h;
SELECT is(amount_total(amount_agg(sub_total)), 109846381.4039, 'the published sum of all orders') FROM sales_order;
SELECT is(amount_total(amount_agg(total_due)), 123216786.1159, 'and with tax and freight') FROM sales_order;
SELECT is(count(*), 163::bigint, 'every quota has sales, all sales have a quota') FROM person;

SELECT near(attainment_rate(s), .840918822567232, 'attainment of the company') FROM company;
SELECT near(attainment_rate(s), (h ->> 'overall_attainment')::float8, 'as in the file') FROM company, headline;
SELECT is(target_amount(s), (h ->> 'total_quota')::numeric, 'all quotas') FROM company, headline;
SELECT is(actual_amount(s), 80487704.1832, 'all sales') FROM company;
SELECT is(attainment_gap(s), 95714000 - 80487704.1832, 'what is missing') FROM company;
SELECT is(attained_count(s), 8::bigint, '8 quotas attained') FROM company;
SELECT is(targeted_count(s), 163::bigint, 'of 163') FROM company;
SELECT is(untargeted_count(s) + unreported_count(s), 0::bigint, 'none is without quota or sales') FROM company;

SELECT results_eq(
	$$SELECT sales_person_id, quota_date, target_amount(s), actual_amount(s) FROM person WHERE sales_person_id IN (274, 275, 276) ORDER BY 1, 2$$,
	$$SELECT sales_person_id, quota_date, sales_quota, sales FROM person_expected ORDER BY 1, 2$$,
	'quota and sales of three people in twelve periods');
SELECT is_empty(
	$$SELECT * FROM person JOIN person_expected USING (sales_person_id, quota_date) WHERE (abs(attainment_rate(s) / attainment - 1) < 1e-12) IS NOT TRUE$$,
	'their attainments');
SELECT results_eq(
	$$SELECT quota_date, target_amount(rollup(s)), actual_amount(rollup(s)) FROM person GROUP BY quota_date ORDER BY 1$$,
	$$SELECT quota_date, sales_quota, sales FROM period_expected ORDER BY 1$$,
	'quota and sales of all in twelve periods');
SELECT is_empty(
	$$SELECT quota_date
	  FROM (SELECT quota_date, rollup(s) AS s FROM person GROUP BY quota_date) AS p
	  JOIN period_expected USING (quota_date)
	  WHERE (abs(attainment_rate(s) / attainment - 1) < 1e-12) IS NOT TRUE$$,
	'their attainments');
SELECT cmp_ok(abs(attainment_median(s) - (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sales / sales_quota) FROM person_period)), '<=', 0.00005::float8,
	'the median attainment, to 0.00005') FROM company;

-- with online orders, which nobody has a quota for
SELECT results_eq(
	$$SELECT attainment_rate(s), untargeted_amount(s), untargeted_count(s)
	  FROM (
		SELECT rollup(s) AS s
		FROM (
			SELECT s FROM person
			UNION ALL
			SELECT attainment_agg(sub_total, NULL) FROM sales_order WHERE online_order_flag
		) AS u
	  ) AS r$$,
	$$SELECT attainment_rate(s), 109846381.4039 - 80487704.1832, 27659::bigint FROM company$$,
	'online orders stand apart');
\else
SELECT skip('SALES_PERF_DATA is not set', 19);
\endif
SELECT * FROM finish();
