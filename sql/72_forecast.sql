-- What the period that is running and the next one will bring: won so far, the open deals each with its
-- chance, and deals that are not open yet but usually come in time.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- the periods

CREATE VIEW forecast_period WITH (security_invoker = true) AS
WITH running AS (
    SELECT g.grain,
           CASE g.grain WHEN 'month' THEN c.fiscal_period_start WHEN 'quarter' THEN c.fiscal_quarter_start ELSE c.fiscal_year_start END AS period_start,
           CASE g.grain WHEN 'month' THEN c.fiscal_period_end WHEN 'quarter' THEN c.fiscal_quarter_end ELSE c.fiscal_year_end END AS period_end,
           CASE g.grain WHEN 'month' THEN c.fiscal_period_label WHEN 'quarter' THEN c.fiscal_quarter_label ELSE c.fiscal_year_label END AS period_label
      FROM calendar c
     CROSS JOIN (VALUES ('month'::text), ('quarter'), ('year')) AS g (grain)
     WHERE c.region = ''
       AND c.on_date = sales_perf.as_of()
)
SELECT grain,
       period_start,
       period_end,
       period_label,
       true AS holds_as_of
  FROM running
UNION ALL
SELECT r.grain,
       CASE r.grain WHEN 'month' THEN c.fiscal_period_start WHEN 'quarter' THEN c.fiscal_quarter_start ELSE c.fiscal_year_start END,
       CASE r.grain WHEN 'month' THEN c.fiscal_period_end WHEN 'quarter' THEN c.fiscal_quarter_end ELSE c.fiscal_year_end END,
       CASE r.grain WHEN 'month' THEN c.fiscal_period_label WHEN 'quarter' THEN c.fiscal_quarter_label ELSE c.fiscal_year_label END,
       false
  FROM running r
  JOIN calendar c ON c.region = '' AND c.on_date = r.period_end + 1;

COMMENT ON VIEW forecast_period IS 'The months, quarters and years that are forecast: those that hold as_of(), and the next ones.';
COMMENT ON COLUMN forecast_period.grain IS 'month, quarter or year.';
COMMENT ON COLUMN forecast_period.period_start IS 'First day of the period.';
COMMENT ON COLUMN forecast_period.period_end IS 'Last day of the period.';
COMMENT ON COLUMN forecast_period.period_label IS 'Label of the period.';
COMMENT ON COLUMN forecast_period.holds_as_of IS 'True for the period in which as_of() lies, false for the next one.';

-- ---------------------------------------------------------------- deals that are not open yet

-- A day's place in its month is the number of business days up to it; the last day is a place of its own.
CREATE FUNCTION day_months_before(day date, months integer) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
               WHEN this.fiscal_period_end = this.on_date THEN earlier.fiscal_period_end
               WHEN done.days = 0 THEN earlier.fiscal_period_start - 1
               ELSE coalesce((SELECT c.on_date
                                FROM calendar c
                               WHERE c.region = ''
                                 AND c.is_business_day
                                 AND c.on_date BETWEEN earlier.fiscal_period_start AND earlier.fiscal_period_end
                               ORDER BY c.on_date
                              OFFSET greatest(done.days - 1, 0)
                               LIMIT 1), earlier.fiscal_period_end)
           END
      FROM calendar this
     CROSS JOIN LATERAL (
            SELECT count(*) AS days
              FROM calendar c
             WHERE c.region = ''
               AND c.is_business_day
               AND c.on_date BETWEEN this.fiscal_period_start AND this.on_date) AS done
     CROSS JOIN LATERAL (
            SELECT c.fiscal_period_start, c.fiscal_period_end
              FROM calendar c
             WHERE c.region = ''
               AND c.on_date = c.fiscal_period_start
               AND c.fiscal_period_start <= this.fiscal_period_start
             ORDER BY c.fiscal_period_start DESC
            OFFSET day_months_before.months
             LIMIT 1) AS earlier
     WHERE this.region = ''
       AND this.on_date = day_months_before.day;
END;

COMMENT ON FUNCTION day_months_before(date, integer) IS 'The day at the same place so many months earlier: with as many business days of its month behind it, the last day for the last; NULL outside calendar.';

CREATE FUNCTION unopened_rate(first_days date[], last_days date[])
    RETURNS TABLE (period_no integer, rep_no integer, amount double precision, rate double precision)
    LANGUAGE plpgsql STABLE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    today constant date := sales_perf.as_of();
    history_from constant date := closing_history_from();
    rep_count constant integer := (SELECT max(r.rep_no) FROM clock_rep r);
    past record;
    won record;
    step integer;
    days date[];
    is_active integer[];
BEGIN
    IF history_from IS NULL THEN
        RETURN;
    END IF;

    -- Up to nine windows of each period, the latest first, within what is known; those of months in the same
    -- place of the quarter have place 0. Where none is over, all that is known is one, scaled by business days.
    WITH target AS (
        SELECT p.no::integer AS no,
               greatest(p.first_day, today + 1) AS first_day,
               p.last_day
          FROM unnest(first_days, last_days) WITH ORDINALITY AS p (first_day, last_day, no)
    ),
    origin AS MATERIALIZED (
        SELECT back, day_months_before(today, back) AS on_date
          FROM generate_series(1, 24) AS back
    ),
    candidate AS MATERIALIZED (
        SELECT t.no,
               t.first_day AS target_first_day,
               t.last_day AS target_last_day,
               o.back,
               o.on_date AS origin,
               CASE WHEN t.first_day = today + 1 THEN o.on_date ELSE day_months_before(t.first_day - 1, o.back) END + 1 AS first_day,
               day_months_before(t.last_day, o.back) AS last_day
          FROM target t
         CROSS JOIN origin o
         WHERE o.on_date >= history_from - 1
    ),
    ranked AS (
        SELECT c.*,
               row_number() OVER (PARTITION BY c.no ORDER BY c.back) AS rank
          FROM candidate c
         WHERE c.last_day <= today
           AND c.first_day <= c.last_day
    ),
    chosen AS (
        SELECT no, origin, first_day, last_day, back % 3 AS place, target_first_day, target_last_day
          FROM ranked
         WHERE rank <= 9
        UNION ALL
        SELECT t.no, history_from - 1, history_from, today, 0, t.first_day, t.last_day
          FROM target t
         WHERE t.no NOT IN (SELECT no FROM ranked)
    )
    SELECT coalesce(array_agg(c.no), '{}') AS nos,
           coalesce(array_agg(c.origin), '{}') AS origins,
           coalesce(array_agg(c.first_day), '{}') AS first_days,
           coalesce(array_agg(c.last_day), '{}') AS last_days,
           coalesce(array_agg(c.place), '{}') AS places,
           coalesce(array_agg(CASE
                                  WHEN c.target_last_day < c.target_first_day THEN 0
                                  ELSE coalesce(wanted.days::double precision / nullif(there.days, 0), 1)
                              END), '{}') AS scales,
           min(c.origin) AS first_origin,
           min(c.first_day) AS first_day
      INTO past
      FROM chosen c
     CROSS JOIN LATERAL (
            SELECT count(*) AS days
              FROM calendar k
             WHERE k.region = ''
               AND k.is_business_day
               AND k.on_date BETWEEN c.first_day AND c.last_day) AS there
     CROSS JOIN LATERAL (
            SELECT count(*) AS days
              FROM calendar k
             WHERE k.region = ''
               AND k.is_business_day
               AND k.on_date BETWEEN c.target_first_day AND c.target_last_day) AS wanted;
    IF past.first_day IS NULL THEN
        RETURN;
    END IF;

    step := sample_step(past.first_day, today, true, 30000);
    days := ARRAY(SELECT today - back
                    FROM generate_series(0, today - past.first_day) AS back
                   WHERE (today - back - date '2000-01-01') % step = 0);
    SELECT coalesce(array_agg(coalesce(r.rep_no, rep_count)), '{}') AS rep_nos,
           -- a deal that nobody knows when it was opened has no clock either
           coalesce(array_agg(coalesce(d.opened_on, d.closed_on)), '{}') AS opened_on,
           coalesce(array_agg(d.closed_on), '{}') AS closed_on,
           coalesce(array_agg(coalesce(d.reporting_amount, 0)::double precision), '{}') AS amounts
      INTO won
      FROM deal_as_of d
      LEFT JOIN clock_rep r ON r.rep_id = d.rep_id
     WHERE NOT d.is_open
       AND d.outcome = 'won'
       AND d.closed_on = ANY (days)
       AND (d.opened_on > past.first_origin OR d.opened_on IS NULL);

    -- who is still here, and sells
    SELECT array_agg((coalesce(p.left_on > today, true)
                      AND (EXISTS (SELECT FROM deal d WHERE d.rep_id = r.rep_id AND d.opened_on BETWEEN today - 365 AND today)
                           OR r.rep_no = ANY (won.rep_nos)))::integer ORDER BY r.rep_no)
      INTO is_active
      FROM clock_rep r
      LEFT JOIN rep p ON p.rep_id = r.rep_id;

    RETURN QUERY
    SELECT u.period_no, u.rep_no, u.amount, u.rate
      FROM sales_perf.unopened_rates(cardinality(first_days), rep_count, step, is_active,
                                     past.nos, past.origins, past.first_days, past.last_days, past.places, past.scales,
                                     won.rep_nos, won.opened_on, won.closed_on, won.amounts) AS u;
END
$$;

COMMENT ON FUNCTION unopened_rate(date[], date[]) IS 'How many deals of which amounts each rep is expected to open after as_of() and win within each of some periods: what was won by deals opened after the same point of the months before, within windows of the same shape (up to nine), divided among the reps by what each has won there, shrunk to equal parts. Windows in the same place of the quarter count for more where that makes a difference.';

-- ---------------------------------------------------------------- for any days to come

CREATE FUNCTION forecast_outlook(last_day date)
    RETURNS TABLE (level text, team_id text, rep_id text, outlook sales_perf.outlook_summary, common_spread double precision)
    LANGUAGE plpgsql STABLE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    today constant date := sales_perf.as_of();
BEGIN
    IF last_day IS NULL OR last_day > today + 1096 THEN
        RAISE EXCEPTION 'cannot look out to %', coalesce(last_day::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Give a day up to three years after %s.', today);
    ELSIF last_day <= today THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH item AS MATERIALIZED (
        SELECT i.item, i.no, i.numbers
          FROM stage_clock_item(ARRAY[last_day]) AS i
    ),
    rep_count AS (
        SELECT max(r.rep_no) AS n FROM clock_rep r
    ),
    of_deal AS (
        SELECT coalesce(r.rep_no, (SELECT n FROM rep_count)) AS rep_no,
               d.amount,
               CASE
                   WHEN d.age_days BETWEEN 0 AND of_stage.numbers[1]
                   THEN sales_perf.odds_changed(chance.numbers[1 + d.age_days], of_rep.numbers[1] * of_segment.numbers[1])
               END AS chance
          FROM forecast_deal d
          LEFT JOIN clock_rep r ON r.rep_id = d.credit_rep_id
          LEFT JOIN clock_rep o ON o.rep_id = d.rep_id
          JOIN clock_segment g ON g.segment = d.segment
          LEFT JOIN item of_rep ON of_rep.item = 'rep' AND of_rep.no = coalesce(o.rep_no, (SELECT n FROM rep_count))
          LEFT JOIN item of_segment ON of_segment.item = 'segment' AND of_segment.no = g.segment_no
          LEFT JOIN item of_stage ON of_stage.item = 'stage' AND of_stage.no = d.clock_no
          LEFT JOIN item chance ON chance.item = 'chance' AND chance.no = d.clock_no
        UNION ALL
        -- a rate as deals of a small chance, so many that their number is all but Poisson
        SELECT u.rep_no,
               round(u.amount::numeric, 2),
               u.rate / copies.n
          FROM unopened_rate(ARRAY[today + 1], ARRAY[last_day]) AS u
         CROSS JOIN LATERAL (SELECT ceil(u.rate / least(0.2, 0.05 + u.rate / 50))::integer AS n) AS copies
         CROSS JOIN LATERAL generate_series(1, copies.n)
    ),
    of_rep AS MATERIALIZED (
        SELECT r.rep_id,
               sales_perf.outlook_agg(d.amount, d.chance) AS outlook
          FROM of_deal d
          JOIN clock_rep r ON r.rep_no = d.rep_no
         GROUP BY r.rep_id
    ),
    spread AS (
        SELECT coalesce(max(i.numbers[1]), 0) AS common,
               coalesce(max(i.numbers[2]), 0) AS of_rep
          FROM item i
         WHERE i.item = 'spread'
    ),
    of_level AS (
        SELECT 'company'::text AS level,
               NULL::text AS team_id,
               NULL::text AS rep_id,
               sales_perf.rollup(o.outlook) AS outlook,
               sum(power(sales_perf.outlook_expected(o.outlook)::double precision, 2)) AS squares
          FROM of_rep o
        UNION ALL
        SELECT 'team'::text,
               member.team_id,
               NULL::text,
               sales_perf.rollup(o.outlook),
               sum(power(sales_perf.outlook_expected(o.outlook)::double precision, 2))
          FROM of_rep o
          JOIN team_rep member ON member.rep_id = o.rep_id AND today BETWEEN member.valid_from AND member.valid_to
         GROUP BY member.team_id
        UNION ALL
        SELECT 'rep'::text,
               t.team_id,
               o.rep_id,
               o.outlook,
               power(sales_perf.outlook_expected(o.outlook)::double precision, 2)
          FROM of_rep o
          LEFT JOIN rep_team t ON t.rep_id = o.rep_id AND today BETWEEN t.valid_from AND t.valid_to
    )
    SELECT l.level,
           l.team_id,
           l.rep_id,
           l.outlook,
           -- of the parts of reps less is left the more of them there are
           sqrt(power(s.common, 2) + power(s.of_rep, 2)
                * least(1, coalesce(l.squares / nullif(power(sales_perf.outlook_expected(l.outlook)::double precision, 2), 0), 1)))
      FROM of_level l
     CROSS JOIN spread s
     WHERE l.outlook IS NOT NULL;
END
$$;

COMMENT ON FUNCTION forecast_outlook(date) IS 'What is to be expected after as_of() and up to a day, of the company, each team and each rep: the open deals with their chances (divided as their credit is), and those not open yet as deals of small chances. With the spread of the common effect to give to outlook_quantile() and chance_of_reaching(). The outlooks of reps add up to those of teams (as they are on as_of()) and of the company. No rows where nothing is to be expected, or the day is not after as_of().';

SET LOCAL search_path = sales_perf, pg_temp;
