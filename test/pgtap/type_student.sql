-- Student's distribution against its published table and its closed forms.
SET search_path = public, sales_perf;
SELECT plan(10);

-- Upper quantiles as in every table of the distribution (for instance Fisher and Yates, table III).
SELECT results_eq(
	$$SELECT degrees, round(student_t_quantile(0.9, degrees)::numeric, 3), round(student_t_quantile(0.975, degrees)::numeric, 3), round(student_t_quantile(0.995, degrees)::numeric, 3)
	  FROM unnest('{1,2,3,4,5,6,7,8,10,30,120}'::int[]) AS degrees$$,
	$$VALUES (1, 3.078, 12.706, 63.657), (2, 1.886, 4.303, 9.925), (3, 1.638, 3.182, 5.841), (4, 1.533, 2.776, 4.604), (5, 1.476, 2.571, 4.032),
		(6, 1.440, 2.447, 3.707), (7, 1.415, 2.365, 3.499), (8, 1.397, 2.306, 3.355), (10, 1.372, 2.228, 3.169), (30, 1.310, 2.042, 2.750), (120, 1.289, 1.980, 2.617)$$,
	'quantiles as published');
-- 1 and 2 degrees have closed forms.
SELECT is_empty(
	$$SELECT * FROM unnest('{-1e300,-50,-3,-0.1,0,0.001,1,2.5,700}'::float8[]) AS t
	  WHERE abs(student_t_share(t, 1) - (0.5 + atan(t) / pi())) > 1e-15
	     OR t BETWEEN -1e6 AND 1e6 AND abs(student_t_share(t, 2) - (0.5 + t / (2 * sqrt(2 + t * t)))) > 1e-15$$,
	'the closed forms of 1 and 2 degrees');
-- 5 degrees, summed numerically: the density is 8 / (3 pi sqrt(5)) (1 + t^2 / 5)^-3.
SELECT ok(abs(student_t_share(1.7, 5) - 0.5
	- (SELECT sum(CASE WHEN i IN (0, 2000) THEN 1 WHEN i % 2 = 1 THEN 4 ELSE 2 END * power(1 + power(1.7 * i / 2000, 2) / 5, -3)) * 1.7 / 2000 / 3 * 8 / (3 * pi() * sqrt(5))
	   FROM generate_series(0, 2000) AS i)) < 1e-12, 'five degrees: the density''s integral by Simpson''s rule');
SELECT ok(abs(student_t_share(1.959963984540054, 10000) - 0.975) < 1e-4, 'with many degrees it is the normal distribution');
SELECT is_empty(
	$$SELECT * FROM generate_series(1, 40) AS degrees, unnest('{0.0001,0.1,0.5,0.77,0.9,0.99999}'::float8[]) AS share
	  WHERE (abs(student_t_share(student_t_quantile(share, degrees), degrees) - share) < 1e-12) IS NOT TRUE$$,
	'quantile and share undo each other');
SELECT is(ARRAY[student_t_share('-Infinity', 3), student_t_share('Infinity', 4), student_t_share('NaN', 4), student_t_quantile(0.5, 3)], '{0,1,NULL,0}'::float8[], 'the ends, the middle, and NaN');
SELECT is_empty(
	$$SELECT * FROM generate_series(1, 30) AS degrees, generate_series(-60, 60) AS e, unnest('{1,-1}'::int[]) AS side
	  WHERE (student_t_share(side * power(1.7, e), degrees) BETWEEN 0 AND 1) IS NOT TRUE$$,
	'a chance is never below 0 nor above 1');
SELECT throws_ok('SELECT student_t_share(1, 0)', '22023', '0 degrees of freedom are not between 1 and 10000', 'there are degrees of freedom');
SELECT throws_ok('SELECT student_t_quantile(1, 3)', '22023', 'share 1 is not between 0 and 1', 'a share lies between 0 and 1');
SELECT throws_ok($$SELECT student_t_quantile('NaN', 3)$$, '22023', NULL, 'and is a number');

SELECT * FROM finish();
