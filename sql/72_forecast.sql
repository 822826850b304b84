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
    LANGUAGE plpgsql STABLE PARALLEL SAFE
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

    step := sample_step(past.first_day, today, true, 20000);
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
    LANGUAGE plpgsql STABLE PARALLEL SAFE
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
    rep_number AS MATERIALIZED (
        SELECT r.rep_no, r.rep_id FROM clock_rep r
    ),
    of_deal AS (
        SELECT d.rep_no,
               d.amount,
               CASE
                   WHEN d.age_days BETWEEN 0 AND of_stage.numbers[1]
                   THEN sales_perf.odds_changed(chance.numbers[1 + d.age_days], of_rep.numbers[1] * of_segment.numbers[1])
               END AS chance
          FROM forecast_deal() AS d
          LEFT JOIN item of_rep ON of_rep.item = 'rep' AND of_rep.no = d.owner_no
          LEFT JOIN item of_segment ON of_segment.item = 'segment' AND of_segment.no = d.segment_item_no
          LEFT JOIN item of_stage ON of_stage.item = 'stage' AND of_stage.no = d.clock_item_no
          LEFT JOIN item chance ON chance.item = 'chance' AND chance.no = of_stage.no
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
          JOIN rep_number r ON r.rep_no = d.rep_no
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
        HAVING count(*) > 0
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

-- ---------------------------------------------------------------- the forecast

-- The open deals come as arrays, for those who ask have read them already.
CREATE FUNCTION forecast_of(first_days date[], last_days date[], group_nos integer[], group_reps integer[],
                            clock_nos integer[], ages integer[], rep_nos integer[], owner_nos integer[], segment_nos integer[],
                            amounts double precision[], counted integer[], targets double precision[] DEFAULT '{}')
    RETURNS TABLE (group_no integer, period_no integer, unrated_count bigint, open_expected numeric, unopened_expected numeric,
                   p10 numeric, p50 numeric, p90 numeric, chance double precision)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH target AS MATERIALIZED (
        SELECT p.first_day,
               p.last_day,
               p.no
          FROM unnest(first_days, last_days) WITH ORDINALITY AS p (first_day, last_day, no)
    ),
    horizon AS MATERIALIZED (
        SELECT array_agg(DISTINCT d.on_date ORDER BY d.on_date) AS days
          FROM (SELECT last_day AS on_date
                  FROM target
                UNION ALL
                SELECT first_day - 1
                  FROM target
                 WHERE first_day - 1 > sales_perf.as_of()) AS d
    ),
    item AS MATERIALIZED (
        SELECT i.item, i.no, i.numbers
          FROM horizon h
         CROSS JOIN LATERAL stage_clock_item(h.days) AS i
    ),
    model AS (
        SELECT array_agg(i.numbers[1]::integer ORDER BY i.no) FILTER (WHERE i.item = 'stage') AS last_ages,
               array_agg(i.numbers[1] ORDER BY i.no) FILTER (WHERE i.item = 'rep') AS rep_factors,
               array_agg(i.numbers[1] ORDER BY i.no) FILTER (WHERE i.item = 'segment') AS segment_factors,
               max(i.numbers[1]) FILTER (WHERE i.item = 'spread') AS common_spread,
               max(i.numbers[2]) FILTER (WHERE i.item = 'spread') AS rep_spread
          FROM item i
    ),
    rate AS (
        SELECT coalesce(array_agg(u.period_no), '{}') AS period_nos,
               coalesce(array_agg(u.rep_no), '{}') AS rep_nos,
               coalesce(array_agg(u.amount), '{}') AS amounts,
               coalesce(array_agg(u.rate), '{}') AS rates
          FROM unopened_rate(first_days, last_days) AS u
    )
    SELECT f.group_no,
           f.period_no,
           f.unrated_count,
           round(f.open_expected::numeric, 2),
           round(f.unopened_expected::numeric, 2),
           round(f.p10::numeric, 2),
           round(f.p50::numeric, 2),
           round(f.p90::numeric, 2),
           f.chance
      FROM model m
     CROSS JOIN rate u
     CROSS JOIN horizon h
     CROSS JOIN LATERAL sales_perf.deal_forecast(
                cardinality(h.days),
                m.last_ages,
                ARRAY(SELECT unnest(i.numbers) FROM item i WHERE i.item = 'chance' ORDER BY i.no),
                m.rep_factors,
                m.segment_factors,
                m.common_spread,
                m.rep_spread,
                (SELECT array_agg(coalesce(array_position(h.days, t.first_day - 1), 0) ORDER BY t.no) FROM target t),
                (SELECT array_agg(array_position(h.days, t.last_day) ORDER BY t.no) FROM target t),
                forecast_of.clock_nos, forecast_of.ages, forecast_of.rep_nos, forecast_of.segment_nos, forecast_of.amounts,
                u.period_nos, u.rep_nos, u.amounts, u.rates,
                forecast_of.group_nos, forecast_of.group_reps, forecast_of.owner_nos, forecast_of.counted, forecast_of.targets) AS f;
END;

COMMENT ON FUNCTION forecast_of(date[], date[], integer[], integer[], integer[], integer[], integer[], integer[], integer[], double precision[], integer[], double precision[]) IS 'Behind forecast and goal_progress: what groups of reps are expected to win after as_of() in each of some periods. Groups are rows of group_nos and group_reps, in order; the other arrays but targets are the columns of forecast_deal (amounts: NaN where not known; counted: 1 or 0). targets: for each group an amount; chance is that of coming to it. No rows where no closing is known.';


-- A function, so that the deals are read by parallel workers: a view that is made of WITH does not let them.
CREATE FUNCTION forecast_won(month_start date, quarter_start date, year_start date)
    RETURNS TABLE (rep_id text, team_id text, month_amount numeric, quarter_amount numeric, year_amount numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 200
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- reps and teams are few groups, but are taken for many: workers would seem to have much to hand over
    SET parallel_tuple_cost = 0.005
AS $$
#variable_conflict use_column
DECLARE
    first_day constant date := least(month_start, quarter_start, year_start);
BEGIN
    -- each deal once, by whom it is credited to (as view credit has it), and that rep's team on the day
    RETURN QUERY
    SELECT w.rep_id,
           m.team_id,
           sum(w.amount) FILTER (WHERE w.closed_on >= month_start),
           sum(w.amount) FILTER (WHERE w.closed_on >= quarter_start),
           sum(w.amount) FILTER (WHERE w.closed_on >= year_start)
      FROM (SELECT CASE WHEN c.deal_id IS NULL THEN d.rep_id ELSE c.rep_id END AS rep_id,
                   d.closed_on,
                   CASE WHEN c.deal_id IS NULL THEN d.reporting_amount ELSE d.reporting_amount * c.share END AS amount
              FROM deal_core_as_of d
              LEFT JOIN deal_credit c ON c.deal_id = d.deal_id AND NOT c.is_overlay
             WHERE NOT d.is_open
               AND d.outcome = 'won'
               AND d.closed_on BETWEEN first_day AND sales_perf.as_of()) AS w
      LEFT JOIN rep_team m ON m.rep_id = w.rep_id AND w.closed_on BETWEEN m.valid_from AND m.valid_to
     GROUP BY w.rep_id, m.team_id;
END
$$;

COMMENT ON FUNCTION forecast_won(date, date, date) IS 'Behind forecast: what was won and credited from each of three days up to as_of(), by rep and the team he was in on the day of closing.';


CREATE VIEW forecast_live WITH (security_invoker = true) AS
WITH target AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY grain, period_start)::integer AS period_no,
           grain,
           period_start,
           period_end,
           period_label,
           holds_as_of
      FROM forecast_period
),
-- materialized: to be looked up in a hash table, and not by sorting all deals
rep_number AS MATERIALIZED (
    SELECT rep_no,
           rep_id
      FROM clock_rep
),
rep_count AS MATERIALIZED (
    SELECT max(rep_no) AS n
      FROM rep_number
),
open_deal AS MATERIALIZED (
    SELECT rep_no,
           owner_no,
           segment_item_no,
           clock_item_no,
           age_days,
           amount,
           is_counted,
           expected_close_on,
           forecast_category
      FROM forecast_deal()
),
-- groups of reps: each by itself, teams as they are now, and the company
team_group AS MATERIALIZED (
    SELECT (SELECT n FROM rep_count) + row_number() OVER (ORDER BY team_id)::integer AS group_no,
           team_id
      FROM team
),
member AS (
    SELECT rep_no AS group_no,
           rep_no
      FROM rep_number
    UNION
    SELECT t.group_no,
           r.rep_no
      FROM team_group t
      JOIN team_rep m ON m.team_id = t.team_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
      JOIN rep_number r ON r.rep_id = m.rep_id
    UNION
    SELECT 1 + (SELECT n FROM rep_count) + (SELECT count(*) FROM team)::integer,
           rep_no
      FROM rep_number
),
expected AS MATERIALIZED (
    SELECT f.*
      FROM (SELECT coalesce(array_agg(clock_item_no), '{}') AS clock_nos,
                   coalesce(array_agg(coalesce(age_days, -1)), '{}') AS ages,
                   coalesce(array_agg(rep_no), '{}') AS rep_nos,
                   coalesce(array_agg(owner_no), '{}') AS owner_nos,
                   coalesce(array_agg(segment_item_no), '{}') AS segment_nos,
                   coalesce(array_agg(coalesce(amount, 'NaN')::double precision), '{}') AS amounts,
                   coalesce(array_agg(is_counted::integer), '{}') AS counted
              FROM open_deal) AS d
     CROSS JOIN LATERAL forecast_of(
                ARRAY(SELECT period_start FROM target ORDER BY period_no),
                ARRAY(SELECT period_end FROM target ORDER BY period_no),
                ARRAY(SELECT group_no FROM member ORDER BY group_no, rep_no),
                ARRAY(SELECT rep_no FROM member ORDER BY group_no, rep_no),
                d.clock_nos, d.ages, d.rep_nos, d.owner_nos, d.segment_nos, d.amounts, d.counted) AS f
),
is_known AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM expected) AS yes
),
running AS (
    SELECT min(period_start) FILTER (WHERE grain = 'month') AS month_start,
           min(period_start) FILTER (WHERE grain = 'quarter') AS quarter_start,
           min(period_start) FILTER (WHERE grain = 'year') AS year_start
      FROM target
     WHERE holds_as_of
),
won AS MATERIALIZED (
    SELECT w.*
      FROM running r
     CROSS JOIN LATERAL forecast_won(r.month_start, r.quarter_start, r.year_start) AS w
),
won_amount AS (
    SELECT t.period_no,
           w.rep_id,
           w.team_id,
           CASE t.grain WHEN 'month' THEN w.month_amount WHEN 'quarter' THEN w.quarter_amount ELSE w.year_amount END AS amount
      FROM target t
     CROSS JOIN won w
     WHERE t.holds_as_of
),
rep_won AS (
    SELECT w.period_no,
           coalesce(r.rep_no, (SELECT n FROM rep_count)) AS rep_no,
           sum(w.amount) AS amount
      FROM won_amount w
      LEFT JOIN rep_number r ON r.rep_id = w.rep_id
     GROUP BY w.period_no, coalesce(r.rep_no, (SELECT n FROM rep_count))
),
team_won AS (
    SELECT w.period_no,
           tree.team_id,
           sum(w.amount) AS amount
      FROM won_amount w
      JOIN team_tree tree ON tree.member_team_id = w.team_id
     GROUP BY w.period_no, tree.team_id
),
rep_open AS (
    SELECT rep_no,
           count(*) FILTER (WHERE is_counted) AS deal_count,
           coalesce(sum(amount), 0) AS amount,
           count(forecast_category) AS category_count
      FROM open_deal
     GROUP BY rep_no
),
-- where periods begin and end: between two of these days all is alike
boundary AS MATERIALIZED (
    SELECT array_agg(DISTINCT b.on_date ORDER BY b.on_date) AS days
      FROM (SELECT period_start AS on_date
              FROM target
            UNION ALL
            SELECT period_end + 1
              FROM target) AS b
),
rep_category AS (
    SELECT t.period_no,
           d.rep_no,
           sum(d.amount) FILTER (WHERE translate(lower(d.forecast_category), ' -_', '') IN ('commit', 'committed')) AS commit_amount,
           sum(d.amount) AS best_case_amount
      FROM (SELECT rep_no,
                   forecast_category,
                   -- what is overdue is expected now
                   width_bucket(greatest(expected_close_on, sales_perf.as_of()), (SELECT days FROM boundary)) AS place,
                   sum(amount) AS amount
              FROM open_deal
             WHERE forecast_category IS NOT NULL
               AND expected_close_on IS NOT NULL
             GROUP BY 1, 2, 3
             -- few, before their categories are looked at
             OFFSET 0) AS d
     CROSS JOIN boundary b
      JOIN target t ON b.days[d.place] BETWEEN t.period_start AND t.period_end
     WHERE translate(lower(d.forecast_category), ' -_', '') IN ('commit', 'committed', 'bestcase', 'upside')
     GROUP BY t.period_no, d.rep_no
),
of_rep AS MATERIALIZED (
    SELECT t.period_no,
           r.rep_no,
           r.rep_id,
           coalesce(w.amount, 0) AS won_amount,
           coalesce(o.deal_count, 0)::bigint AS open_deal_count,
           coalesce(e.unrated_count, o.deal_count, 0)::bigint AS unrated_count,
           coalesce(o.amount, 0) AS pipeline_amount,
           e.open_expected,
           e.unopened_expected,
           e.p10,
           e.p50,
           e.p90,
           coalesce(o.category_count, 0) AS category_count,
           coalesce(c.commit_amount, 0) AS commit_amount,
           coalesce(c.best_case_amount, 0) AS best_case_amount
      FROM target t
     CROSS JOIN rep_number r
      LEFT JOIN expected e ON e.period_no = t.period_no AND e.group_no = r.rep_no
      LEFT JOIN rep_won w ON w.period_no = t.period_no AND w.rep_no = r.rep_no
      LEFT JOIN rep_open o ON o.rep_no = r.rep_no
      LEFT JOIN rep_category c ON c.period_no = t.period_no AND c.rep_no = r.rep_no
),
has_category AS MATERIALIZED (
    SELECT coalesce(sum(category_count), 0) > 0 AS yes
      FROM rep_open
),
of_level AS (
    SELECT 'company'::text AS level,
           NULL::text AS team_id,
           NULL::text AS team_name,
           NULL::text AS rep_id,
           NULL::text AS rep_name,
           r.period_no,
           sum(r.won_amount) AS won_amount,
           sum(r.open_deal_count)::bigint AS open_deal_count,
           sum(r.unrated_count)::bigint AS unrated_count,
           sum(r.pipeline_amount) AS pipeline_amount,
           sum(r.open_expected) AS open_expected,
           sum(r.unopened_expected) AS unopened_expected,
           max(e.p10) AS p10,
           max(e.p50) AS p50,
           max(e.p90) AS p90,
           sum(r.commit_amount) AS commit_amount,
           sum(r.best_case_amount) AS best_case_amount
      FROM of_rep r
      LEFT JOIN expected e ON e.period_no = r.period_no AND e.group_no = 1 + (SELECT n FROM rep_count) + (SELECT count(*) FROM team)
     GROUP BY r.period_no
    UNION ALL
    SELECT 'team'::text,
           g.team_id,
           t.name,
           NULL::text,
           NULL::text,
           p.period_no,
           coalesce(max(w.amount), 0),
           coalesce(sum(r.open_deal_count), 0)::bigint,
           coalesce(sum(r.unrated_count), 0)::bigint,
           coalesce(sum(r.pipeline_amount), 0),
           CASE WHEN (SELECT yes FROM is_known) THEN coalesce(sum(r.open_expected), 0) END,
           CASE WHEN (SELECT yes FROM is_known) THEN coalesce(sum(r.unopened_expected), 0) END,
           CASE WHEN (SELECT yes FROM is_known) THEN coalesce(max(e.p10), 0) END,
           CASE WHEN (SELECT yes FROM is_known) THEN coalesce(max(e.p50), 0) END,
           CASE WHEN (SELECT yes FROM is_known) THEN coalesce(max(e.p90), 0) END,
           coalesce(sum(r.commit_amount), 0),
           coalesce(sum(r.best_case_amount), 0)
      FROM target p
     CROSS JOIN team_group g
      JOIN team t ON t.team_id = g.team_id
      LEFT JOIN team_won w ON w.period_no = p.period_no AND w.team_id = g.team_id
      LEFT JOIN expected e ON e.period_no = p.period_no AND e.group_no = g.group_no
      LEFT JOIN (SELECT DISTINCT team_id, rep_id
                   FROM team_rep
                  WHERE sales_perf.as_of() BETWEEN valid_from AND valid_to) AS m ON m.team_id = g.team_id
      LEFT JOIN of_rep r ON r.period_no = p.period_no AND r.rep_id = m.rep_id
     GROUP BY g.team_id, t.name, p.period_no
    UNION ALL
    SELECT 'rep'::text,
           t.team_id,
           t.name,
           r.rep_id,
           coalesce(p.name, '(no rep)'),
           r.period_no,
           r.won_amount,
           r.open_deal_count,
           r.unrated_count,
           r.pipeline_amount,
           r.open_expected,
           r.unopened_expected,
           r.p10,
           r.p50,
           r.p90,
           r.commit_amount,
           r.best_case_amount
      FROM of_rep r
      LEFT JOIN rep p ON p.rep_id = r.rep_id
      LEFT JOIN rep_team m ON m.rep_id = r.rep_id AND sales_perf.as_of() BETWEEN m.valid_from AND m.valid_to
      LEFT JOIN team t ON t.team_id = m.team_id
     WHERE r.rep_id IS NOT NULL
        OR r.open_deal_count > 0
        OR r.pipeline_amount <> 0
        OR r.won_amount <> 0
        OR r.unopened_expected <> 0
)
SELECT t.grain,
       t.period_start,
       t.period_end,
       t.period_label,
       t.period_end <= sales_perf.as_of() AS is_complete,
       l.level,
       l.team_id,
       l.team_name,
       l.rep_id,
       l.rep_name,
       l.won_amount,
       l.open_deal_count,
       l.unrated_count,
       l.pipeline_amount,
       l.open_expected AS open_expected_amount,
       l.unopened_expected AS unopened_expected_amount,
       l.won_amount + l.open_expected + l.unopened_expected AS expected_amount,
       l.won_amount + l.p10 AS p10_amount,
       l.won_amount + l.p50 AS p50_amount,
       l.won_amount + l.p90 AS p90_amount,
       CASE WHEN (SELECT yes FROM has_category) THEN l.won_amount + l.commit_amount END AS commit_amount,
       CASE WHEN (SELECT yes FROM has_category) THEN l.won_amount + l.best_case_amount END AS best_case_amount
  FROM of_level l
  JOIN target t ON t.period_no = l.period_no;

COMMENT ON VIEW forecast_live IS 'What forecast shows, made from the deals.';

CREATE TABLE rollup_forecast (
    LIKE forecast_live
);

COMMENT ON TABLE rollup_forecast IS 'The rows of forecast, as fold_rollup() has kept them.';
ALTER TABLE rollup_forecast ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_forecast_visible ON rollup_forecast USING ((SELECT NOT rollup_report_is_hidden()));

CREATE VIEW forecast WITH (security_invoker = true) AS
SELECT *
  FROM rollup_forecast
 WHERE rollup_report_serves('forecast')
UNION ALL
SELECT *
  FROM forecast_live
 WHERE NOT rollup_report_serves('forecast');

COMMENT ON VIEW forecast IS 'What the months, quarters and years that hold as_of(), and the next ones, are expected to bring: won so far, the open deals by their chances (see deal_chance), and deals not open yet, by what such deals brought after the same point of earlier months. Of the company, each team and each rep; what belongs to no rep stands in a row (no rep). Expected amounts of reps add up to those of teams and the company to the cent, p10, p50 and p90 do not. As of any past day with the setting sales_perf.as_of. Filter one grain and one level; all is computed whatever the filter.';
COMMENT ON COLUMN forecast.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN forecast.period_start IS 'First day of the period.';
COMMENT ON COLUMN forecast.period_end IS 'Last day of the period.';
COMMENT ON COLUMN forecast.period_label IS 'Label of the period.';
COMMENT ON COLUMN forecast.is_complete IS 'True on the last day of the period: nothing more is to come.';
COMMENT ON COLUMN forecast.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN forecast.team_id IS 'The team, or the team of the rep on as_of(); NULL for the company.';
COMMENT ON COLUMN forecast.team_name IS 'Its name.';
COMMENT ON COLUMN forecast.rep_id IS 'The rep; NULL for company and teams, and for what belongs to no rep.';
COMMENT ON COLUMN forecast.rep_name IS 'The name of the rep; (no rep): nobody.';
COMMENT ON COLUMN forecast.won_amount IS 'Credited in the period up to as_of() (splits divided, overlays left out; teams: of those who were members on the day). Amount; C; 0 where nothing was, and in the next period.';
COMMENT ON COLUMN forecast.open_deal_count IS 'Open deals as of as_of(), whenever they close; a split deal counts for one of its reps. Count; S; 0 where there are none.';
COMMENT ON COLUMN forecast.unrated_count IS 'Of these, deals without a chance (see deal_chance) or amount: they are not in the expected amounts. Count; S; 0 where there are none.';
COMMENT ON COLUMN forecast.pipeline_amount IS 'Sum of the amounts of the open deals. Amount; S; 0 where there are none.';
COMMENT ON COLUMN forecast.open_expected_amount IS 'Sum over the open deals of amount x chance of being won in what is left of the period. Amount; S; 0 where there are none, NULL where no closing is known.';
COMMENT ON COLUMN forecast.unopened_expected_amount IS 'What deals opened after as_of() are expected to bring within the period. Amount; S; NULL where no closing is known.';
COMMENT ON COLUMN forecast.expected_amount IS 'won_amount + open_expected_amount + unopened_expected_amount. Amount; S; NULL where no closing is known.';
COMMENT ON COLUMN forecast.p10_amount IS 'The amount that is exceeded in nine of ten cases. Amount; S; NULL where no closing is known. Deals are independent but for an effect common to all, and one of the rep, as large as in replays of past months.';
COMMENT ON COLUMN forecast.p50_amount IS 'The amount that is exceeded in one of two cases. Amount; S; NULL as p10_amount.';
COMMENT ON COLUMN forecast.p90_amount IS 'The amount that is exceeded in one of ten cases. Amount; S; NULL as p10_amount.';
COMMENT ON COLUMN forecast.commit_amount IS 'won_amount + open deals of the category commit that are expected to close by the end of the period (overdue ones in the running period). Amount; S; NULL where no open deal has a forecast_category.';
COMMENT ON COLUMN forecast.best_case_amount IS 'commit_amount + the same of the category best case (or upside). Amount; S; NULL where no open deal has a forecast_category.';

SET LOCAL search_path = sales_perf, pg_temp;
