-- funnel and stage_bottleneck: against plain SQL over the events of each deal, in two pipelines of different order, by
-- level and period; what is assumed, of another pipeline or later is left out.
SELECT plan(22);

SELECT sales_perf.create_mart('sales') \gset
SET search_path = sales, public;
SET sales_perf.as_of = '2025-05-15';
SELECT sales_perf.generate_demo('sales', 1200, 7) \gset
-- a second pipeline, with other numbers and another order, and deals that were moved to it with their old events
INSERT INTO stage (pipeline_id, stage_no, stage_id, name, is_open)
VALUES ('partner', 10, 'p check', 'Check', true), ('partner', 20, 'p offer', 'Offer', true), ('partner', 30, 'p sign', 'Sign', true), ('partner', 40, 'p never', 'Never', true), ('partner', 50, 'p won', 'Won', false);
UPDATE deal SET pipeline_id = 'partner' WHERE substr(deal_id, 9, 1) = '7';
INSERT INTO stage_event (deal_id, stage_id, entered_on)
SELECT e.deal_id, CASE e.stage_id WHEN 'prospect' THEN 'p check' WHEN 'qualified' THEN 'p offer' ELSE 'p sign' END, e.entered_on
  FROM stage_event e JOIN deal USING (deal_id)
 WHERE pipeline_id = 'partner' AND e.stage_id IN ('prospect', 'qualified', 'proposal') AND e.entered_on <= coalesce(closed_on, '2025-05-15');
-- nobody's deals; deals without history; assumed stages; the future
UPDATE deal SET rep_id = NULL WHERE deal_id IN (SELECT deal_id FROM deal ORDER BY deal_id LIMIT 20);
DELETE FROM stage_event WHERE deal_id IN (SELECT deal_id FROM deal ORDER BY deal_id DESC OFFSET 50 LIMIT 20);
UPDATE stage_event SET is_assumed = true WHERE deal_id IN (SELECT deal_id FROM deal ORDER BY deal_id DESC OFFSET 70 LIMIT 20);
DELETE FROM deal_change WHERE changed_at >= '2025-05-16';
ANALYZE;

CREATE FUNCTION pg_temp.plain_funnel(as_of date)
    RETURNS TABLE (level text, key text, pipeline_id text, policy text, grain text, period_start date, stage_no integer, entered_count bigint, won_count bigint, lost_count bigint,
                   open_count bigint, advanced_count bigint, skipped_count bigint, regressed_count bigint, reentered_count bigint)
    LANGUAGE sql
AS $$
WITH d AS (
    SELECT deal_id, pipeline_id, rep_id, opened_on,
           CASE WHEN outcome <> 'open' AND (closed_on <= as_of OR closed_on IS NULL) THEN outcome ELSE 'open' END AS outcome
      FROM deal WHERE opened_on <= as_of OR opened_on IS NULL
),
event AS (
    SELECT d.deal_id, s.stage_no, row_number() OVER (PARTITION BY d.deal_id ORDER BY e.entered_on, s.stage_no) AS n,
           lag(s.stage_no) OVER (PARTITION BY d.deal_id ORDER BY e.entered_on, s.stage_no) AS from_no
      FROM d JOIN stage_event e USING (deal_id) JOIN stage s USING (stage_id)
     WHERE s.is_open AND s.pipeline_id = d.pipeline_id AND NOT e.is_assumed AND e.entered_on <= as_of
),
-- a deal and a stage of its pipeline: was it in it, when first, how often, and what came after
fact AS (
    SELECT d.*, s.stage_no, y.policy,
           visits.n > 0 AS was_in,
           coalesce(way.furthest > s.stage_no, false) AS was_later,
           coalesce(visits.n - 1, 0) AS again,
           visits.back,
           EXISTS (SELECT FROM event a JOIN event b ON b.deal_id = a.deal_id AND b.n > a.n AND b.stage_no > a.stage_no WHERE a.deal_id = d.deal_id AND a.stage_no = s.stage_no) AS got_later,
           way.furthest
      FROM d
      JOIN stage s ON s.pipeline_id = d.pipeline_id AND s.is_open
     CROSS JOIN (VALUES ('reached'), ('strict')) AS y (policy)
      JOIN LATERAL (SELECT max(stage_no) AS furthest FROM event WHERE event.deal_id = d.deal_id HAVING count(*) > 0) AS way ON true
     CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE e.stage_no = s.stage_no AND e.from_no IS DISTINCT FROM e.stage_no) AS n,
                                count(*) FILTER (WHERE e.from_no = s.stage_no AND e.stage_no < e.from_no) AS back
                           FROM event e WHERE e.deal_id = d.deal_id) AS visits
)
SELECT k.level, k.key, f.pipeline_id, f.policy, g.grain, CASE g.grain WHEN 'all' THEN NULL ELSE date_trunc(g.grain, f.opened_on)::date END, f.stage_no,
       count(*) FILTER (WHERE x.entered),
       count(*) FILTER (WHERE x.entered AND f.outcome = 'won'),
       count(*) FILTER (WHERE x.entered AND f.outcome = 'lost'),
       count(*) FILTER (WHERE x.entered AND f.outcome = 'open'),
       count(*) FILTER (WHERE x.advanced),
       count(*) FILTER (WHERE NOT f.was_in AND (f.was_later OR f.outcome = 'won')),
       sum(f.back)::bigint,
       sum(CASE WHEN f.was_in THEN f.again ELSE 0 END)::bigint
  FROM fact f
 CROSS JOIN LATERAL (SELECT CASE f.policy WHEN 'reached' THEN f.was_in OR f.was_later OR f.outcome = 'won' ELSE f.was_in END AS entered,
                            CASE f.policy WHEN 'reached' THEN f.was_later OR f.outcome = 'won' ELSE f.was_in AND (f.got_later OR f.outcome = 'won') END AS advanced) AS x
 CROSS JOIN (VALUES ('quarter'), ('all')) AS g (grain)
 CROSS JOIN LATERAL (SELECT 'company' AS level, '-' AS key
                     UNION ALL SELECT 'rep', coalesce(f.rep_id, '-')
                     UNION ALL SELECT 'team', m.team_id FROM team_rep m WHERE m.rep_id = f.rep_id) AS k
 WHERE g.grain = 'all' OR f.opened_on IS NOT NULL
 GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING bool_or(f.was_in)
$$;
CREATE TEMP VIEW shown AS
SELECT level, CASE level WHEN 'company' THEN '-' WHEN 'team' THEN team_id ELSE coalesce(rep_id, '-') END AS key, pipeline_id, policy, grain,
       CASE WHEN grain <> 'all' THEN period_start END AS period_start, stage_no,
       entered_count, won_count, lost_count, open_count, advanced_count, skipped_count, regressed_count, reentered_count
  FROM funnel WHERE policy <> 'direct' AND grain IN ('quarter', 'all');
CREATE TEMP TABLE plain AS SELECT * FROM pg_temp.plain_funnel('2025-05-15');
CREATE TEMP TABLE view_rows AS SELECT * FROM shown;

SELECT is_empty(
    $$SELECT * FROM plain
      EXCEPT
      SELECT * FROM view_rows$$,
    'every level, pipeline, policy, cohort and stage: deals entered, by outcome, advanced and skipped, moves back and visits again');
SELECT is_empty('TABLE view_rows EXCEPT TABLE plain', 'and no other');
SELECT cmp_ok(count(*), '>', 500::bigint, 'which are many') FROM view_rows WHERE entered_count > 0;
SELECT set_eq($$SELECT DISTINCT pipeline_id, stage_no, stage_name FROM funnel WHERE level = 'company' AND grain = 'all'$$, $$SELECT pipeline_id, stage_no, name FROM stage WHERE is_open AND stage_id <> 'p never'$$,
              'the open stages of each pipeline that some deal was in');
SELECT is(max(deal_count), (SELECT count(*) FROM deal WHERE pipeline_id = 'partner'), 'the deals of a pipeline') FROM funnel WHERE level = 'company' AND grain = 'all' AND pipeline_id = 'partner';
SELECT is(sum(n)::bigint, (SELECT count(*) FROM deal d WHERE NOT EXISTS (SELECT FROM stage_event e JOIN stage s USING (stage_id) WHERE e.deal_id = d.deal_id AND s.is_open AND s.pipeline_id = d.pipeline_id AND NOT e.is_assumed)),
          'those without a known stage are counted') FROM (SELECT max(pathless_count) AS n FROM funnel WHERE level = 'company' AND grain = 'all' GROUP BY pipeline_id) AS p;
SELECT cmp_ok(max(pathless_count), '>=', 30::bigint, 'an assumed one is none') FROM funnel WHERE level = 'company' AND grain = 'all' AND pipeline_id = 'default';

SELECT is_empty(
    $$SELECT FROM funnel
      WHERE stage_conversion_rate IS DISTINCT FROM CASE WHEN ended_count > 0 THEN advanced_count::double precision / ended_count END
         OR win_rate IS DISTINCT FROM CASE WHEN won_count + lost_count > 0 THEN won_count::double precision / (won_count + lost_count) END
         OR NOT (advanced_count <= ended_count AND ended_count <= entered_count AND entered_count <= deal_count)
         OR NOT (stage_conversion_rate_low <= stage_conversion_rate AND stage_conversion_rate <= stage_conversion_rate_high)
         OR (ended_count = 0) <> (stage_conversion_rate_low IS NULL)
         OR won_count + lost_count + open_count <> entered_count$$,
    'rates are of the counts beside them');
SELECT is_empty(
    $$SELECT FROM funnel d JOIN funnel s USING (level, team_id, rep_name, pipeline_id, grain, period_start, stage_no)
      WHERE d.policy = 'direct' AND s.policy = 'strict' AND d.level = 'rep' AND d.advanced_count > s.entered_count$$,
    'direct moves are made by deals that were there');
SELECT is_empty($$SELECT FROM funnel a JOIN funnel b USING (level, team_id, rep_id, pipeline_id, policy, grain, period_start)
                  WHERE policy = 'reached' AND a.stage_no < b.stage_no AND a.entered_count < b.entered_count AND level = 'team'$$, 'as reached, a funnel narrows');

SELECT is(max(regression_rate), (
    SELECT count(*) FILTER (WHERE stage_no < from_no)::double precision / count(*) FILTER (WHERE stage_no <> from_no)
      FROM (SELECT s.stage_no, lag(s.stage_no) OVER (PARTITION BY d.deal_id ORDER BY e.entered_on, s.stage_no) AS from_no
              FROM deal d JOIN stage_event e USING (deal_id) JOIN stage s ON s.stage_id = e.stage_id
             WHERE s.is_open AND s.pipeline_id = d.pipeline_id AND d.pipeline_id = 'partner' AND NOT e.is_assumed) AS m), 'moves back as a share of all moves')
  FROM funnel WHERE level = 'company' AND grain = 'all' AND pipeline_id = 'partner';

-- days of a stage: the visits of each deal that ended, from one event to the next or to the close
SELECT results_eq(
    $$SELECT stage_no, stage_median_days FROM funnel WHERE level = 'company' AND grain = 'all' AND policy = 'reached' AND pipeline_id = 'default' ORDER BY 1$$,
    $$WITH event AS (
          SELECT d.deal_id, d.outcome, d.closed_on, s.stage_no, e.entered_on,
                 lag(s.stage_no) OVER (PARTITION BY d.deal_id ORDER BY e.entered_on, s.stage_no) AS from_no
            FROM deal d JOIN stage_event e USING (deal_id) JOIN stage s ON s.stage_id = e.stage_id
           WHERE s.is_open AND s.pipeline_id = d.pipeline_id AND d.pipeline_id = 'default' AND NOT e.is_assumed
      ),
      visit AS (
          SELECT stage_no, entered_on,
                 coalesce(lead(entered_on) OVER (PARTITION BY deal_id ORDER BY entered_on, stage_no), CASE WHEN outcome <> 'open' THEN closed_on END) AS left_on
            FROM event WHERE from_no IS DISTINCT FROM stage_no
      )
      SELECT stage_no, percentile_cont(0.5) WITHIN GROUP (ORDER BY left_on - entered_on) FROM visit WHERE left_on >= entered_on GROUP BY 1 ORDER BY 1$$,
    'median days of the visits that ended');
SELECT is_empty($$SELECT FROM funnel WHERE expected_days_rate IS NOT NULL GROUP BY level, team_id, rep_id, rep_name, pipeline_id, policy, grain, period_start HAVING abs(sum(expected_days_rate) - 1) > 1e-9 OR count(*) FILTER (WHERE is_bottleneck) <> 1$$,
                'shares of the time add up, and one stage holds most');

-- ---------------------------------------------------------------- bottleneck

SELECT set_eq(
    $$SELECT level, team_id, rep_id, rep_name, pipeline_id, stage_id, entered_count, stage_median_days, stage_km_median_days, expected_days, expected_days_rate, is_bottleneck FROM stage_bottleneck$$,
    $$SELECT level, team_id, rep_id, rep_name, pipeline_id, stage_id, entered_count, stage_median_days, stage_km_median_days, expected_days, expected_days_rate, is_bottleneck FROM funnel WHERE grain = 'all' AND policy = 'strict'$$,
    'stage_bottleneck is the funnel of all deals');
SELECT ok(bool_and(is_bottleneck = (expected_days = (SELECT max(expected_days) FROM stage_bottleneck WHERE level = 'company' AND pipeline_id = 'default'))), 'the bottleneck is where a won deal spends most days')
  FROM stage_bottleneck WHERE level = 'company' AND pipeline_id = 'default';

-- ---------------------------------------------------------------- maturity, as of, and what is read

SELECT is_empty(
    $$SELECT FROM funnel
      CROSS JOIN (SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY closed_on - opened_on) AS p90 FROM deal WHERE outcome <> 'open' AND closed_on > '2024-05-15' AND closed_on >= opened_on) AS usual
      WHERE level = 'company' AND is_mature IS DISTINCT FROM CASE WHEN grain <> 'all' THEN is_complete AND '2025-05-15'::date - period_end >= p90 END$$,
    'a cohort is mature when most of its deals would have closed');
SELECT cmp_ok(count(*), '>', 0::bigint, 'some are complete and not mature') FROM funnel WHERE is_complete AND NOT is_mature;
SET sales_perf.as_of = '2024-06-30';
SELECT is_empty(
    $$SELECT * FROM pg_temp.plain_funnel('2024-06-30') WHERE level = 'company' AND grain = 'quarter'
      EXCEPT
      SELECT * FROM shown$$,
    'as of an earlier day: what closed or was entered later has not been');
SET sales_perf.as_of = '2025-05-15';

\ir fixture/rows_read.sql
SELECT cmp_ok(pg_temp.rows_read('stage_event', $$SELECT stage_name, entered_count FROM funnel WHERE level = 'company' AND policy = 'reached' AND grain = 'month' AND period_label = '2024-10'$$),
              '<=', (SELECT count(*) + 20 FROM stage_event JOIN deal USING (deal_id) WHERE opened_on BETWEEN '2024-10-01' AND '2024-10-31'), 'one month reads the events of its deals');
SELECT cmp_ok(pg_temp.rows_read('stage_event', $$SELECT stage_name, entered_count FROM funnel WHERE level = 'rep' AND rep_id = 'R003' AND policy = 'reached' AND grain = 'quarter'$$),
              '<=', (SELECT count(*) + 20 FROM stage_event JOIN deal USING (deal_id) WHERE rep_id = 'R003'), 'one rep, the rep''s');
SELECT cmp_ok(pg_temp.rows_read('stage_event', $$SELECT * FROM stage_bottleneck WHERE level = 'company'$$), '<=', (SELECT count(*) + 20 FROM stage_event), 'all of it, all of them once');

SELECT sales_perf.create_mart('empty') \gset
SELECT is_empty('TABLE empty.funnel', 'without deals there is nothing');

SELECT * FROM finish();
