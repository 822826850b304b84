-- The R package survival's lung and veteran: the published Kaplan-Meier medians, limits, errors and log-rank.
-- A patient is a deal: opened on a day, "won" at death; a censored one is an open deal of that age.
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2024-01-01';
\ir fixture/near.sql
SELECT plan(18);
SELECT :'data' <> '' AS have_data \gset
\if :have_data
\cd :data
CREATE TABLE lung (id int, inst int, time int, status int, age int, sex int, ph_ecog int, ph_karno int, pat_karno int, meal_cal int, wt_loss int);
CREATE TABLE veteran (id int, trt int, celltype text, time int, status int, karno int, diagtime int, age int, prior int);
\copy lung FROM 'survival_classic/lung.csv' WITH (FORMAT csv, HEADER)
\copy veteran FROM 'survival_classic/veteran.csv' WITH (FORMAT csv, HEADER)
\set headline `cat survival_classic/expected/headline.json`
CREATE TABLE headline AS SELECT :'headline'::jsonb AS h;

CREATE VIEW patient AS
SELECT 'lung' AS study, 'sex=' || sex AS stratum, time AS days, status = 2 AS died FROM lung
UNION ALL
SELECT 'veteran', 'celltype=' || celltype, time, status = 1 FROM veteran;
CREATE TABLE summary AS
SELECT study, stratum,
	cycle_agg(CASE WHEN died THEN 'won' END, date '2024-01-01' - days, date '2024-01-01') AS s
FROM patient
GROUP BY GROUPING SETS ((study), (study, stratum));
CREATE VIEW overall AS SELECT study, s, h -> study AS h FROM summary, headline WHERE stratum IS NULL;

SELECT is((SELECT max(at_risk) FROM cycle_curve(s)), (h ->> 'n')::bigint, study || ': patients') FROM overall ORDER BY study;
SELECT is(cycle_count(s), (h ->> 'events')::bigint, study || ': deaths') FROM overall ORDER BY study;
SELECT is(cycle_km_median(s), (h ->> 'median')::float8, study || ': median') FROM overall ORDER BY study;
SELECT is(cycle_km_median_low(s), (h ->> 'lo95_log')::float8, study || ': lower limit of the median') FROM overall ORDER BY study;
SELECT is(cycle_km_median_high(s), (h ->> 'hi95_log')::float8, study || ': upper limit of the median') FROM overall ORDER BY study;
SELECT is(ARRAY[cycle_km_median(s), cycle_km_median_low(s), cycle_km_median_high(s)], '{310, 285, 363}', 'lung: 310 (285 to 363), as published')
FROM overall
WHERE study = 'lung';

SELECT set_eq(
	$$SELECT study, stratum, (SELECT max(at_risk) FROM cycle_curve(s))::int AS n, cycle_count(s)::int AS events, cycle_km_median(s)::int AS median FROM summary WHERE stratum IS NOT NULL$$,
	$$SELECT study, key, (value ->> 'n')::int AS n, (value ->> 'events')::int AS events, (value ->> 'median')::int AS median
	  FROM headline, (VALUES ('lung', 'lung_by_sex'), ('veteran', 'veteran_by_celltype')) AS v (study, part), jsonb_each(h -> part)$$,
	'by sex and by cell type: patients, deaths, medians');

-- the curve at 180 and 365 days
SELECT near(c.survival, (h #>> ARRAY['lung_surv_180_365', place])::float8, 'lung: survival at ' || v.day)
	|| E'\n' || near(c.survival_se, (h #>> ARRAY['lung_greenwood_se_180_365', place])::float8, 'lung: Greenwood''s error at ' || v.day)
FROM headline, (VALUES (180, '0'), (365, '1')) AS v (day, place),
	LATERAL (SELECT c.* FROM summary, cycle_curve(s) AS c WHERE study = 'lung' AND stratum IS NULL AND c.day <= v.day ORDER BY c.day DESC LIMIT 1) AS c;

-- p of the published chi-square is erfc(sqrt(x / 2)) = 0.0013111645203555116
SELECT is((h ->> 'lung_logrank_sex_chisq')::numeric, 10.3267419548856, 'lung: the published log-rank chi-square') FROM headline;
SELECT near(cycle_p_value(men.s, women.s), 0.0013111645203555116, 'lung: p-value of the log-rank test by sex')
FROM summary AS men, summary AS women
WHERE men.stratum = 'sex=1' AND women.stratum = 'sex=2';
\else
SELECT skip('SALES_PERF_DATA is not set', 18);
\endif
SELECT * FROM finish();
