-- training_effect where the effect is known: 100 times a course that adds 10 points to the win rate, 100 times one that adds nothing.
SET search_path = public, sales_perf;
SELECT plan(6);
SELECT sales_perf.create_mart('m') \gset
SET search_path = m, public;
SET sales_perf.as_of = '2024-12-31';

-- Two companies in one: the reps 'w...' are employed in 2024 only, and their course works; the reps 'n...' in 2022
-- only, and theirs does nothing. 16 are trained on four days, 24 are not, and four more come to the course too late to count.
INSERT INTO course (course_id, name) VALUES ('w', 'Works'), ('n', 'Does nothing');
INSERT INTO skill (skill_id, name) VALUES ('s', 'Closing');
INSERT INTO skill_kpi VALUES ('s', 'win_rate');
UPDATE course SET skill_id = 's';
INSERT INTO rep (rep_id, name, hired_on, left_on)
SELECT c.course_id || n, c.course_id || n, make_date(c.year, 1, 1), make_date(c.year, 12, 31)
  FROM (VALUES ('w', 2024), ('n', 2022)) AS c (course_id, year), generate_series(1, 40) AS n;
INSERT INTO enrolment (course_id, rep_id, assigned_on, completed_on)
SELECT c.course_id, c.course_id || n, make_date(c.year, 1, 1), make_date(c.year, 5, 1) + 20 * (n % 4)
  FROM (VALUES ('w', 2024), ('n', 2022)) AS c (course_id, year), generate_series(1, 16) AS n;

CREATE FUNCTION public.draw(seed bigint, subject bigint, draw integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    RETURN sales_perf.demo_random(seed, subject, draw);

-- Each rep has a win rate of his own, from 30 to 60 %, and 20 to 80 deals in the nine months that matter; in
-- the second half of the year all win 8 points more. A deal's chance is that of its day of closing.
CREATE FUNCTION public.deals_of_seed(seed bigint) RETURNS void
    LANGUAGE sql
    SET search_path = m, pg_temp
BEGIN ATOMIC
    INSERT INTO deal (deal_id, rep_id, amount, opened_on, closed_on, outcome)
    SELECT r.course_id || r.n || '-' || d.slot,
           r.course_id || r.n,
           1000,
           c.closed_on - 30,
           c.closed_on,
           CASE
               WHEN public.draw(deals_of_seed.seed, r.subject * 1000 + d.slot, 2)
                    < 0.3 + 0.3 * public.draw(deals_of_seed.seed, r.subject, 3)
                      + CASE WHEN extract(month FROM c.closed_on) > 6 THEN 0.08 ELSE 0 END
                      + CASE WHEN r.course_id = 'w' AND c.closed_on > e.completed_on THEN 0.1 ELSE 0 END
               THEN 'won'
               ELSE 'lost'
           END
      FROM (SELECT k.course_id,
                   k.year,
                   n,
                   k.no * 100 + n AS subject
              FROM (VALUES ('w', 2024, 1), ('n', 2022, 2)) AS k (course_id, year, no),
                   generate_series(1, 40) AS n) AS r
      LEFT JOIN enrolment e ON e.rep_id = r.course_id || r.n
     CROSS JOIN LATERAL generate_series(1, 20 + (60 * public.draw(deals_of_seed.seed, r.subject, 4))::integer) AS d (slot)
     CROSS JOIN LATERAL (SELECT make_date(r.year, 2, 1) + (300 * public.draw(deals_of_seed.seed, r.subject * 1000 + d.slot, 1))::integer AS closed_on) AS c;
END;

CREATE TABLE public.result AS
SELECT 0 AS seed, t.* FROM training_effect t WHERE false;
-- without keys and history, which would take most of the time
SET session_replication_role = replica;
DO $$
BEGIN
    FOR seed IN 1 .. 100 LOOP
        DELETE FROM deal;
        PERFORM public.deals_of_seed(seed);
        INSERT INTO public.result SELECT seed, t.* FROM training_effect t;
    END LOOP;
END
$$;
SET session_replication_role = origin;

SELECT is(count(*), 100::bigint, 'a hundred times it can be said') FROM public.result WHERE course_id = 'w' AND is_enough;
SELECT cmp_ok(count(*), '>=', 90::bigint, 'a course that adds 10 points: the interval holds that 90 times or more of 100') FROM public.result WHERE course_id = 'w' AND 0.1 BETWEEN effect_low AND effect_high;
SELECT cmp_ok(count(*), '<=', 99::bigint, 'and is not so wide that it always does') FROM public.result WHERE course_id = 'w' AND 0.1 BETWEEN effect_low AND effect_high;
SELECT ok(count(*) BETWEEN 1 AND 10, 'one that adds nothing is found to do something 1 to 10 times of 100') FROM public.result WHERE course_id = 'n' AND NOT 0 BETWEEN effect_low AND effect_high;
SELECT ok(avg(effect) BETWEEN 0.08 AND 0.12, 'on average the effect is found') FROM public.result WHERE course_id = 'w';
SELECT ok(avg(effect) BETWEEN -0.02 AND 0.02, 'or none') FROM public.result WHERE course_id = 'n';
SELECT * FROM finish();
