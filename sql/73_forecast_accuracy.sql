-- How good forecasts would have been: those of the past months and quarters, made as of the day before
-- each began, from what was known then; and what came.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- A forecast is taken as of another day by setting sales_perf.as_of for the query that makes it.
CREATE FUNCTION forecast_replay_item(months integer DEFAULT 24)
    RETURNS TABLE (kind text, grain text, period_start date, period_end date, period_label text,
                   level text, team_id text, rep_id text,
                   expected_amount numeric, p10_amount numeric, p50_amount numeric, p90_amount numeric,
                   pipeline_rate_amount numeric,
                   decile integer, deal_count bigint, won_count bigint, chance_sum double precision, brier_sum double precision,
                   open_count bigint, open_won_count bigint)
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    today constant date := sales_perf.as_of();
    setting_before constant text := coalesce(current_setting('sales_perf.as_of', true), '');
    start record;
    win_rate double precision;
BEGIN
    FOR start IN
        SELECT p.period_start,
               array_agg(p.grain ORDER BY p.grain) AS grains,
               array_agg(p.period_end ORDER BY p.grain) AS ends,
               array_agg(p.period_label ORDER BY p.grain) AS labels
          FROM period p
         WHERE p.grain IN ('month', 'quarter')
           AND p.is_complete
           AND p.period_start > closing_history_from() - 1
           AND p.period_start > (today - make_interval(months => months + 1))::date
         GROUP BY p.period_start
         ORDER BY p.period_start
    LOOP
        PERFORM set_config('sales_perf.as_of', (start.period_start - 1)::text, true);

        SELECT avg((d.outcome = 'won')::integer)
          INTO win_rate
          FROM deal_as_of d
         WHERE NOT d.is_open
           AND d.closed_on > start.period_start - 366;

        RETURN QUERY
        SELECT 'amount'::text, f.grain, f.period_start, f.period_end, f.period_label, f.level, f.team_id, f.rep_id,
               f.expected_amount, f.p10_amount, f.p50_amount, f.p90_amount,
               round(f.pipeline_amount * win_rate::numeric, 2),
               NULL::integer, NULL::bigint, NULL::bigint, NULL::double precision, NULL::double precision,
               NULL::bigint, NULL::bigint
          FROM forecast_live f
         WHERE f.period_start = start.period_start
           AND f.grain = ANY (start.grains)
           AND win_rate IS NOT NULL;

        -- what became of the deals is read from deal itself: it is later than the day of the replay
        RETURN QUERY
        WITH target AS MATERIALIZED (
            SELECT t.grain, t.period_end, t.label, t.no::integer AS no
              FROM unnest(start.grains, start.ends, start.labels) WITH ORDINALITY AS t (grain, period_end, label, no)
        ),
        item AS MATERIALIZED (
            SELECT i.item, i.no, i.numbers
              FROM stage_clock_item(start.ends) AS i
        ),
        rep_count AS MATERIALIZED (
            SELECT max(r.rep_no) AS n FROM clock_rep r
        ),
        rated AS (
            SELECT t.grain,
                   t.period_end,
                   t.label,
                   d.rep_id,
                   (now.outcome = 'won' AND now.closed_on BETWEEN start.period_start AND t.period_end)::integer AS is_won,
                   CASE
                       WHEN d.age_days BETWEEN 0 AND of_stage.numbers[1]
                       THEN sales_perf.odds_changed(chance.numbers[1 + d.age_days + cardinality(chance.numbers) / cardinality(start.ends) * (t.no - 1)],
                                                    of_rep.numbers[1] * of_segment.numbers[1])
                   END AS chance
              FROM open_deal_clock d
              JOIN deal now ON now.deal_id = d.deal_id
              LEFT JOIN clock_rep r ON r.rep_id = d.rep_id
              LEFT JOIN item of_rep ON of_rep.item = 'rep' AND of_rep.no = coalesce(r.rep_no, (SELECT n FROM rep_count))
              LEFT JOIN item of_segment ON of_segment.item = 'segment' AND of_segment.no = d.segment_item_no
              LEFT JOIN item of_stage ON of_stage.item = 'stage' AND of_stage.no = d.clock_item_no
              LEFT JOIN item chance ON chance.item = 'chance' AND chance.no = of_stage.no
             CROSS JOIN target t
             WHERE d.age_days IS NOT NULL
        )
        SELECT 'deal'::text, r.grain, start.period_start, r.period_end, r.label, NULL::text, NULL::text, r.rep_id,
               NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric,
               CASE WHEN r.chance IS NOT NULL THEN 1 + least(floor(r.chance * 10), 9)::integer END,
               count(r.chance),
               sum(r.is_won) FILTER (WHERE r.chance IS NOT NULL),
               sum(r.chance),
               sum((r.chance - r.is_won) * (r.chance - r.is_won)),
               count(*),
               sum(r.is_won)
          FROM rated r
         GROUP BY r.grain, r.period_end, r.label, r.rep_id, CASE WHEN r.chance IS NOT NULL THEN 1 + least(floor(r.chance * 10), 9)::integer END;

        PERFORM set_config('sales_perf.as_of', setting_before, true);
    END LOOP;
END
$$;

COMMENT ON FUNCTION forecast_replay_item(integer) IS 'Forecasts of the complete months and quarters of so many months past, made as of the day before each began: amounts by level (kind amount), and open deals by rep and decile of their chance with what became of them (kind deal). Each forecast takes as long as the view forecast does.';

CREATE VIEW forecast_replay WITH (security_invoker = true) AS
WITH item AS MATERIALIZED (
    SELECT *
      FROM forecast_replay_item()
),
-- what owners and those who share a deal were credited with, by day
won AS MATERIALIZED (
    SELECT c.rep_id,
           c.closed_on,
           sum(c.amount) AS amount
      FROM credit c
     WHERE NOT c.is_overlay
       AND c.closed_on >= (SELECT min(period_start) - 100 FROM item)
     GROUP BY c.rep_id, c.closed_on
),
won_by_level AS MATERIALIZED (
    SELECT 'company'::text AS level, NULL::text AS team_id, NULL::text AS rep_id, closed_on, sum(amount) AS amount
      FROM won
     GROUP BY closed_on
    UNION ALL
    SELECT 'team'::text, m.team_id, NULL::text, w.closed_on, sum(w.amount)
      FROM won w
      JOIN team_rep m ON m.rep_id = w.rep_id AND w.closed_on BETWEEN m.valid_from AND m.valid_to
     GROUP BY m.team_id, w.closed_on
    UNION ALL
    SELECT 'rep'::text, NULL::text, rep_id, closed_on, amount
      FROM won
),
actual AS MATERIALIZED (
    SELECT p.grain,
           p.period_start,
           w.level,
           w.team_id,
           w.rep_id,
           sum(w.amount) FILTER (WHERE w.closed_on BETWEEN p.period_start AND p.period_end) AS amount,
           sum(w.amount) FILTER (WHERE w.closed_on BETWEEN q.prior_start AND q.prior_end) AS prior_amount
      FROM (SELECT DISTINCT grain, period_start, period_end FROM item) AS p
      JOIN period q ON q.grain = p.grain AND q.period_start = p.period_start
      JOIN won_by_level w ON w.closed_on BETWEEN least(p.period_start, q.prior_start) AND p.period_end
     GROUP BY p.grain, p.period_start, w.level, w.team_id, w.rep_id
),
-- those of the deals that each level's owners had open, and what shares of such were won in periods before
deal AS (
    SELECT i.grain, i.period_start, l.level, l.team_id, l.rep_id,
           sum(i.deal_count)::bigint AS deal_count,
           sum(i.won_count)::bigint AS won_count,
           sum(i.chance_sum) AS chance_sum,
           sum(i.brier_sum) AS brier_sum
      FROM item i
      JOIN (SELECT 'company'::text AS level, NULL::text AS team_id, NULL::text AS rep_id, rep_id AS owner_id, '-infinity'::date AS valid_from, 'infinity'::date AS valid_to FROM clock_rep
            UNION ALL
            SELECT 'team', team_id, NULL, rep_id, valid_from, valid_to FROM team_rep
            UNION ALL
            SELECT 'rep', NULL, rep_id, rep_id, '-infinity', 'infinity' FROM clock_rep) AS l ON coalesce(l.owner_id, '') = coalesce(i.rep_id, '') AND i.period_start - 1 BETWEEN l.valid_from AND l.valid_to
     WHERE i.kind = 'deal'
     GROUP BY i.grain, i.period_start, l.level, l.team_id, l.rep_id
),
share AS MATERIALIZED (
    SELECT p.grain,
           p.period_start,
           sum(i.open_won_count)::double precision / nullif(sum(i.open_count), 0) AS won_share
      FROM (SELECT DISTINCT grain, period_start FROM item) AS p
      JOIN item i ON i.kind = 'deal' AND i.grain = p.grain AND i.period_end < p.period_start
     GROUP BY p.grain, p.period_start
)
SELECT i.grain,
       i.period_start,
       i.period_end,
       i.period_label,
       i.level,
       i.team_id,
       t.name AS team_name,
       i.rep_id,
       CASE WHEN i.level = 'rep' THEN coalesce(r.name, '(no rep)') END AS rep_name,
       i.expected_amount,
       i.p10_amount,
       i.p50_amount,
       i.p90_amount,
       coalesce(a.amount, 0) AS actual_amount,
       i.expected_amount - coalesce(a.amount, 0) AS error_amount,
       CASE WHEN a.amount <> 0 THEN (1 - abs(i.expected_amount - a.amount) / abs(a.amount))::double precision END AS forecast_accuracy,
       coalesce(a.amount, 0) BETWEEN i.p10_amount AND i.p90_amount AS is_in_interval,
       coalesce(a.prior_amount, 0) AS prior_actual_amount,
       i.pipeline_rate_amount,
       coalesce(d.deal_count, 0)::bigint AS deal_count,
       coalesce(d.won_count, 0)::bigint AS won_count,
       d.chance_sum AS expected_won_count,
       d.brier_sum / nullif(d.deal_count, 0) AS brier_score,
       s.won_share AS past_won_rate,
       (d.won_count * power(1 - s.won_share, 2) + (d.deal_count - d.won_count) * power(s.won_share, 2)) / nullif(d.deal_count, 0) AS share_brier_score
  FROM item i
  LEFT JOIN team t ON t.team_id = i.team_id
  LEFT JOIN rep r ON r.rep_id = i.rep_id
  LEFT JOIN actual a
    ON a.grain = i.grain
   AND a.period_start = i.period_start
   AND a.level = i.level
   AND CASE WHEN i.level = 'team' THEN a.team_id = i.team_id ELSE coalesce(a.rep_id, '') = coalesce(i.rep_id, '') END
  LEFT JOIN deal d
    ON d.grain = i.grain
   AND d.period_start = i.period_start
   AND d.level = i.level
   AND CASE WHEN i.level = 'team' THEN d.team_id = i.team_id ELSE coalesce(d.rep_id, '') = coalesce(i.rep_id, '') END
  LEFT JOIN share s ON s.grain = i.grain AND s.period_start = i.period_start
 WHERE i.kind = 'amount'
   AND i.expected_amount IS NOT NULL;

COMMENT ON VIEW forecast_replay IS 'What the view forecast would have said of each of the complete months and quarters of the last two years on the day before it began, and what came. Each period takes as long as the view forecast. Filter one grain and one level.';
COMMENT ON COLUMN forecast_replay.grain IS 'month or quarter: filter one.';
COMMENT ON COLUMN forecast_replay.period_start IS 'First day of the period; the forecast is as of the day before.';
COMMENT ON COLUMN forecast_replay.period_end IS 'Last day of the period.';
COMMENT ON COLUMN forecast_replay.period_label IS 'Label of the period.';
COMMENT ON COLUMN forecast_replay.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN forecast_replay.team_id IS 'The team, or the team of the rep on the day of the forecast; NULL for the company.';
COMMENT ON COLUMN forecast_replay.team_name IS 'Its name.';
COMMENT ON COLUMN forecast_replay.rep_id IS 'The rep; NULL for company and teams, and for what belongs to no rep.';
COMMENT ON COLUMN forecast_replay.rep_name IS 'The name of the rep; (no rep): nobody.';
COMMENT ON COLUMN forecast_replay.expected_amount IS 'What was expected. Amount; S.';
COMMENT ON COLUMN forecast_replay.p10_amount IS 'Lower limit of the 80 % interval. Amount; S.';
COMMENT ON COLUMN forecast_replay.p50_amount IS 'Its middle. Amount; S.';
COMMENT ON COLUMN forecast_replay.p90_amount IS 'Upper limit of the 80 % interval. Amount; S.';
COMMENT ON COLUMN forecast_replay.actual_amount IS 'What was credited in the period (splits divided, overlays left out). Amount; C; 0 where nothing was.';
COMMENT ON COLUMN forecast_replay.error_amount IS 'expected_amount - actual_amount. Amount; P.';
COMMENT ON COLUMN forecast_replay.forecast_accuracy IS '1 - |expected_amount - actual_amount| / |actual_amount|; below 0 where the error is larger than the amount. Ratio; P; NULL where nothing came.';
COMMENT ON COLUMN forecast_replay.is_in_interval IS 'True where actual_amount lies between p10_amount and p90_amount.';
COMMENT ON COLUMN forecast_replay.prior_actual_amount IS 'What was credited in the period before: what a forecast should beat. Amount; C; 0 where nothing was.';
COMMENT ON COLUMN forecast_replay.pipeline_rate_amount IS 'The open pipeline of that day x the company''s win rate (won / closed) of the year before: another rival. Amount; S.';
COMMENT ON COLUMN forecast_replay.deal_count IS 'Open deals of that day with a chance, by owner. Count; S; 0 where there were none.';
COMMENT ON COLUMN forecast_replay.won_count IS 'Of these, deals won in the period. Count; C; 0 where there were none.';
COMMENT ON COLUMN forecast_replay.expected_won_count IS 'Sum of their chances. Count; S; NULL where there were none.';
COMMENT ON COLUMN forecast_replay.brier_score IS 'Mean of (chance - won)^2, the chance as it stood before. 0 is best; C; NULL without deals.';
COMMENT ON COLUMN forecast_replay.past_won_rate IS 'Share of all open deals (with a known age) won within such a period, in the replayed periods before. Fraction; NULL where there are none.';
COMMENT ON COLUMN forecast_replay.share_brier_score IS 'brier_score if each deal had the chance past_won_rate: what chances should beat. NULL without deals or past_won_rate.';

CREATE VIEW forecast_accuracy WITH (security_invoker = true) AS
WITH replay AS MATERIALIZED (
    SELECT *
      FROM forecast_replay
),
row_of AS (
    SELECT grain, level, team_id, team_name, rep_id, rep_name, expected_amount, p10_amount, p90_amount, actual_amount, is_in_interval,
           prior_actual_amount, pipeline_rate_amount, deal_count, brier_score, share_brier_score, period_start
      FROM replay
     WHERE level <> 'rep'
    UNION ALL
    -- a rep's rows by rep, whatever the team was
    SELECT r.grain, r.level, t.team_id, t.name, r.rep_id, r.rep_name, r.expected_amount, r.p10_amount, r.p90_amount, r.actual_amount, r.is_in_interval,
           r.prior_actual_amount, r.pipeline_rate_amount, r.deal_count, r.brier_score, r.share_brier_score, r.period_start
      FROM replay r
      LEFT JOIN rep_team m ON m.rep_id = r.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
      LEFT JOIN team t ON t.team_id = m.team_id
     WHERE r.level = 'rep'
    UNION ALL
    SELECT grain, 'all reps'::text, NULL::text, NULL::text, NULL::text, NULL::text, expected_amount, p10_amount, p90_amount, actual_amount, is_in_interval,
           prior_actual_amount, pipeline_rate_amount, deal_count, brier_score, share_brier_score, period_start
      FROM replay
     WHERE level = 'rep'
       AND (p90_amount <> 0 OR actual_amount <> 0 OR prior_actual_amount <> 0)
)
SELECT grain,
       level,
       team_id,
       team_name,
       rep_id,
       rep_name,
       count(DISTINCT period_start) AS period_count,
       count(*) AS forecast_count,
       sum(expected_amount) AS expected_amount,
       sum(actual_amount) AS actual_amount,
       (1 - abs(sum(expected_amount) - sum(actual_amount)) / abs(nullif(sum(actual_amount), 0)))::double precision AS forecast_accuracy,
       (sum(expected_amount - actual_amount) / nullif(sum(actual_amount), 0))::double precision AS forecast_bias,
       (sum(abs(expected_amount - actual_amount)) / nullif(sum(abs(actual_amount)), 0))::double precision AS wmape,
       (sum(abs(prior_actual_amount - actual_amount)) / nullif(sum(abs(actual_amount)), 0))::double precision AS prior_period_wmape,
       (sum(abs(pipeline_rate_amount - actual_amount)) / nullif(sum(abs(actual_amount)), 0))::double precision AS pipeline_rate_wmape,
       avg(is_in_interval::integer)::double precision AS interval_coverage_rate,
       coalesce(sum(deal_count) FILTER (WHERE share_brier_score IS NOT NULL), 0)::bigint AS deal_count,
       sum(brier_score * deal_count) FILTER (WHERE share_brier_score IS NOT NULL)
           / nullif(sum(deal_count) FILTER (WHERE share_brier_score IS NOT NULL), 0)::double precision AS brier_score,
       sum(share_brier_score * deal_count) FILTER (WHERE share_brier_score IS NOT NULL)
           / nullif(sum(deal_count) FILTER (WHERE share_brier_score IS NOT NULL), 0)::double precision AS share_brier_score
  FROM row_of
 GROUP BY grain, level, team_id, team_name, rep_id, rep_name;

COMMENT ON VIEW forecast_accuracy IS 'How good the forecasts of forecast_replay would have been, over all its periods: of the company, each team, each rep, and of all reps together (level all reps); beside them two simple rivals, the amount of the period before, and pipeline x win rate. Filter one grain and one level.';
COMMENT ON COLUMN forecast_accuracy.grain IS 'month or quarter: filter one.';
COMMENT ON COLUMN forecast_accuracy.level IS 'company, team (with the teams below it), rep, or all reps (the forecasts of each rep judged together, without those of reps who neither sold nor were expected to): filter one.';
COMMENT ON COLUMN forecast_accuracy.team_id IS 'The team, or the team of the rep on as_of(); NULL for the company.';
COMMENT ON COLUMN forecast_accuracy.team_name IS 'Its name.';
COMMENT ON COLUMN forecast_accuracy.rep_id IS 'The rep; NULL for other levels, and for what belongs to no rep.';
COMMENT ON COLUMN forecast_accuracy.rep_name IS 'The name of the rep; (no rep): nobody.';
COMMENT ON COLUMN forecast_accuracy.period_count IS 'Periods replayed. Count.';
COMMENT ON COLUMN forecast_accuracy.forecast_count IS 'Forecasts judged. Count.';
COMMENT ON COLUMN forecast_accuracy.expected_amount IS 'Sum of the amounts expected. Amount; S.';
COMMENT ON COLUMN forecast_accuracy.actual_amount IS 'Sum of the amounts that came. Amount; C.';
COMMENT ON COLUMN forecast_accuracy.forecast_accuracy IS '1 - |expected_amount - actual_amount| / |actual_amount|, of the sums. Ratio; P; NULL where nothing came.';
COMMENT ON COLUMN forecast_accuracy.forecast_bias IS 'Sum of (expected - actual) / sum of actual: above 0 too much was expected. Ratio; P; NULL where nothing came.';
COMMENT ON COLUMN forecast_accuracy.wmape IS 'Sum of |expected - actual| / sum of |actual|. Ratio; P; NULL where nothing came.';
COMMENT ON COLUMN forecast_accuracy.prior_period_wmape IS 'wmape of the amount of the period before as the forecast. Ratio; P; NULL where nothing came.';
COMMENT ON COLUMN forecast_accuracy.pipeline_rate_wmape IS 'wmape of pipeline x win rate as the forecast. Ratio; P; NULL where nothing came.';
COMMENT ON COLUMN forecast_accuracy.interval_coverage_rate IS 'Share of the amounts that lay between p10 and p90: 0.8 is aimed at. Where a rep may well sell nothing it is more. Fraction; P.';
COMMENT ON COLUMN forecast_accuracy.deal_count IS 'Chances judged, in periods with one before them. Count; 0 where there are none.';
COMMENT ON COLUMN forecast_accuracy.brier_score IS 'Mean of (chance - won)^2 of the open deals, won in the period or not. 0 is best; C; NULL where deal_count is 0.';
COMMENT ON COLUMN forecast_accuracy.share_brier_score IS 'The same if each had as chance the share of open deals that were won in such a period before. C; NULL where deal_count is 0.';

CREATE VIEW forecast_calibration WITH (security_invoker = true) AS
SELECT grain,
       decile,
       sum(deal_count)::bigint AS deal_count,
       sum(won_count)::bigint AS won_count,
       sum(chance_sum) / nullif(sum(deal_count), 0)::double precision AS average_chance,
       sum(won_count)::double precision / nullif(sum(deal_count), 0)::double precision AS won_rate,
       sales_perf.conversion_rate_low(sales_perf.conversion_summary(sum(deal_count)::bigint, sum(won_count)::bigint)) AS won_rate_low,
       sales_perf.conversion_rate_high(sales_perf.conversion_summary(sum(deal_count)::bigint, sum(won_count)::bigint)) AS won_rate_high
  FROM forecast_replay_item()
 WHERE kind = 'deal'
   AND decile IS NOT NULL
 GROUP BY grain, decile;

COMMENT ON VIEW forecast_calibration IS 'Are chances right? The open deals on the days before the months and quarters of the last two years, by their chance to be won in the period, and what share was. Filter one grain.';
COMMENT ON COLUMN forecast_calibration.grain IS 'month or quarter: filter one.';
COMMENT ON COLUMN forecast_calibration.decile IS '1: chances from 0 up to 0.1, and so on up to 10.';
COMMENT ON COLUMN forecast_calibration.deal_count IS 'Deals with such a chance. Count.';
COMMENT ON COLUMN forecast_calibration.won_count IS 'Of these, deals won in the period. Count.';
COMMENT ON COLUMN forecast_calibration.average_chance IS 'Mean of their chances: what won_rate should be. Fraction.';
COMMENT ON COLUMN forecast_calibration.won_rate IS 'won_count / deal_count. Fraction; C.';
COMMENT ON COLUMN forecast_calibration.won_rate_low IS 'Lower bound of the 95 % Wilson interval of won_rate. Fraction.';
COMMENT ON COLUMN forecast_calibration.won_rate_high IS 'Upper bound of the 95 % Wilson interval of won_rate. Fraction.';

SET LOCAL search_path = sales_perf, pg_temp;
