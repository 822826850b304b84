-- Days and the periods they belong to. Reports take their periods from here, so that another
-- calendar (fiscal years, 4-4-5 weeks) is a matter of these rows and of no view.
--
-- fiscal_day() knows the periods of a fiscal year's days; build_calendar() and fill_calendar() put
-- them into the table by add_fiscal_days().

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE calendar (
    on_date               date NOT NULL,
    region                text NOT NULL DEFAULT '',
    is_business_day       boolean NOT NULL,
    fiscal_year           integer NOT NULL,
    fiscal_year_start     date NOT NULL,
    fiscal_year_end       date NOT NULL,
    fiscal_year_label     text NOT NULL,
    fiscal_quarter        integer NOT NULL,
    fiscal_quarter_start  date NOT NULL,
    fiscal_quarter_end    date NOT NULL,
    fiscal_quarter_label  text NOT NULL,
    fiscal_period         integer NOT NULL,
    fiscal_period_start   date NOT NULL,
    fiscal_period_end     date NOT NULL,
    fiscal_period_label   text NOT NULL,
    fiscal_week           integer NOT NULL,
    fiscal_week_start     date NOT NULL,
    fiscal_week_end       date NOT NULL,
    fiscal_week_label     text NOT NULL,
    CONSTRAINT calendar_pkey PRIMARY KEY (region, on_date),
    CONSTRAINT calendar_year_check CHECK (on_date BETWEEN fiscal_year_start AND fiscal_year_end),
    CONSTRAINT calendar_quarter_check CHECK (on_date BETWEEN fiscal_quarter_start AND fiscal_quarter_end),
    CONSTRAINT calendar_period_check CHECK (on_date BETWEEN fiscal_period_start AND fiscal_period_end),
    CONSTRAINT calendar_week_check CHECK (on_date BETWEEN fiscal_week_start AND fiscal_week_end)
);

-- A period is represented by its first day: these indexes are the lists of periods.
CREATE INDEX calendar_year_idx ON calendar (fiscal_year_start)
 WHERE on_date = fiscal_year_start AND region = '';
CREATE INDEX calendar_quarter_idx ON calendar (fiscal_quarter_start)
 WHERE on_date = fiscal_quarter_start AND region = '';
CREATE INDEX calendar_period_idx ON calendar (fiscal_period_start)
 WHERE on_date = fiscal_period_start AND region = '';

COMMENT ON TABLE calendar IS 'One row a day (and, where regions have holidays of their own, one more for each region): the year, quarter, period and week it belongs to, and whether business is done. create_mart() fills it with calendar years, quarters, months and ISO weeks; build_calendar() puts those of fiscal years in their place.';
COMMENT ON COLUMN calendar.on_date IS 'The day.';
COMMENT ON COLUMN calendar.region IS 'Region whose business days the row gives; the empty text: everywhere. The periods are the same in all regions. Reports read the rows of everywhere.';
COMMENT ON COLUMN calendar.is_business_day IS 'True on days on which business is done; Monday to Friday, but for the days of the table holiday.';
COMMENT ON COLUMN calendar.fiscal_year IS 'Number of the fiscal year: the calendar year in which it ends (by the last of its twelve months), unless build_calendar() was told to take the one in which it begins.';
COMMENT ON COLUMN calendar.fiscal_year_start IS 'First day of the fiscal year.';
COMMENT ON COLUMN calendar.fiscal_year_end IS 'Last day of the fiscal year.';
COMMENT ON COLUMN calendar.fiscal_year_label IS 'Label of the fiscal year, for instance 2017, or FY2017 where it is no calendar year. Of a year cut short by another calendar: 2017 (short), and so of its quarter, period and week.';
COMMENT ON COLUMN calendar.fiscal_quarter IS 'Quarter of the fiscal year, 1 to 4.';
COMMENT ON COLUMN calendar.fiscal_quarter_start IS 'First day of the quarter.';
COMMENT ON COLUMN calendar.fiscal_quarter_end IS 'Last day of the quarter.';
COMMENT ON COLUMN calendar.fiscal_quarter_label IS 'Label of the quarter, for instance 2017-Q1 or FY2017-Q1.';
COMMENT ON COLUMN calendar.fiscal_period IS 'Period (month) of the fiscal year, 1 to 12.';
COMMENT ON COLUMN calendar.fiscal_period_start IS 'First day of the period (month).';
COMMENT ON COLUMN calendar.fiscal_period_end IS 'Last day of the period (month).';
COMMENT ON COLUMN calendar.fiscal_period_label IS 'Label of the period (month), for instance 2017-01, or FY2017-P01 where periods are weeks.';
COMMENT ON COLUMN calendar.fiscal_week IS 'Week of the fiscal year, 1 to 52 or 53, where periods are weeks; else the ISO week, and the first and last days of a year may belong to a week of the neighbouring one.';
COMMENT ON COLUMN calendar.fiscal_week_start IS 'First day of the week; Monday of an ISO week.';
COMMENT ON COLUMN calendar.fiscal_week_end IS 'Last day of the week.';
COMMENT ON COLUMN calendar.fiscal_week_label IS 'Label of the week, for instance 2017-W05 or FY2017-W05.';

CREATE TABLE holiday (
    region           text NOT NULL DEFAULT '',
    on_date          date NOT NULL,
    name             text,
    is_business_day  boolean NOT NULL DEFAULT false,
    CONSTRAINT holiday_pkey PRIMARY KEY (region, on_date)
);

COMMENT ON TABLE holiday IS 'Days that are no business days though they lie from Monday to Friday, and the other way round. They reach calendar by build_calendar(), or by apply_holidays() after a change.';
COMMENT ON COLUMN holiday.region IS 'Region whose holiday it is, any text; the empty text: everywhere, in all regions that say nothing else of the day. A region that stands here gets rows of its own in calendar.';
COMMENT ON COLUMN holiday.on_date IS 'The day.';
COMMENT ON COLUMN holiday.name IS 'What the day is called.';
COMMENT ON COLUMN holiday.is_business_day IS 'False: no business is done on that day; true: it is done, though the day lies on a weekend or is a holiday everywhere else.';

CREATE FUNCTION fiscal_day(first_day date, last_day date, first_month integer, scheme text,
                           year_end text, week_end integer, year_name text)
    RETURNS TABLE (
        on_date date,
        fiscal_year integer, fiscal_year_start date, fiscal_year_end date, fiscal_year_label text,
        fiscal_quarter integer, fiscal_quarter_start date, fiscal_quarter_end date, fiscal_quarter_label text,
        fiscal_period integer, fiscal_period_start date, fiscal_period_end date, fiscal_period_label text,
        fiscal_week integer, fiscal_week_start date, fiscal_week_end date, fiscal_week_label text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 18000
BEGIN ATOMIC
    -- Timestamps without time zone: no clock change can skip or repeat a day.
    WITH twelve_months AS (
        SELECT jan + make_interval(months => first_month - 1) AS begins,
               jan + make_interval(months => first_month + 11) AS ends
          FROM generate_series(date_trunc('year', first_day::timestamp) - interval '1 year',
                               date_trunc('year', last_day::timestamp) + interval '1 year',
                               interval '1 year') AS jan
    ), fiscal AS (
        -- A year of weeks ends on the first week_end from some days before the twelve months' last
        -- day on: three before, and it is the nearest; six before, and it is the last one of the month.
        SELECT y.begins,
               y.before_from + CASE WHEN scheme = 'month' THEN 0 ELSE (week_end - extract(isodow FROM y.before_from)::integer + 7) % 7 END + 1 AS year_start,
               y.end_from + CASE WHEN scheme = 'month' THEN 0 ELSE (week_end - extract(isodow FROM y.end_from)::integer + 7) % 7 END AS year_end,
               extract(year FROM CASE WHEN year_name = 'start' THEN y.begins ELSE y.ends - interval '1 month' END)::integer AS fiscal_year
          FROM (SELECT m.begins,
                       m.ends,
                       m.begins::date - 1 - d.days_before AS before_from,
                       m.ends::date - 1 - d.days_before AS end_from
                  FROM twelve_months m
                 CROSS JOIN (SELECT CASE WHEN scheme = 'month' THEN 0 WHEN year_end = 'last' THEN 6 ELSE 3 END AS days_before) AS d) AS y
    ), named AS (
        SELECT f.begins,
               f.year_start,
               f.year_end,
               f.fiscal_year,
               CASE WHEN scheme = 'month' AND first_month = 1 THEN to_char(f.begins, 'YYYY') ELSE 'FY' || f.fiscal_year END AS year_label
          FROM fiscal f
         WHERE f.year_start <= last_day
           AND f.year_end >= first_day
    ), quarter AS (
        SELECT n.begins,
               n.year_start,
               n.year_end,
               n.fiscal_year,
               n.year_label,
               q AS quarter_no,
               CASE WHEN scheme = 'month' THEN (n.begins + make_interval(months => 3 * q - 3))::date ELSE n.year_start + 91 * (q - 1) END AS quarter_start,
               CASE
                   WHEN q = 4 THEN n.year_end
                   WHEN scheme = 'month' THEN (n.begins + make_interval(months => 3 * q))::date - 1
                   ELSE n.year_start + 91 * q - 1
               END AS quarter_end
          FROM named n
         CROSS JOIN generate_series(1, 4) AS q
    ), part AS (
        -- The weeks of a scheme: 4-5-4 has 4, then 5, then what is left of the quarter.
        SELECT q.*,
               3 * q.quarter_no + m - 3 AS period_no,
               CASE
                   WHEN scheme = 'month' THEN (q.quarter_start + make_interval(months => m - 1))::date
                   ELSE q.quarter_start + 7 * CASE m WHEN 1 THEN 0 WHEN 2 THEN w.one ELSE w.two END
               END AS period_start,
               CASE
                   WHEN m = 3 THEN q.quarter_end
                   WHEN scheme = 'month' THEN (q.quarter_start + make_interval(months => m))::date - 1
                   ELSE q.quarter_start + 7 * CASE m WHEN 1 THEN w.one ELSE w.two END - 1
               END AS period_end
          FROM quarter q
         CROSS JOIN generate_series(1, 3) AS m
         CROSS JOIN (SELECT CASE scheme WHEN '5-4-4' THEN 5 ELSE 4 END AS one,
                            CASE scheme WHEN '4-4-5' THEN 8 ELSE 9 END AS two) AS w
    ), day AS (
        SELECT p.*,
               d::date AS on_date,
               (d::date - p.year_start) / 7 AS weeks_before
          FROM part p
         CROSS JOIN LATERAL generate_series(p.period_start::timestamp, p.period_end::timestamp, interval '1 day') AS d
    )
    SELECT d.on_date,
           d.fiscal_year,
           d.year_start,
           d.year_end,
           d.year_label,
           d.quarter_no,
           d.quarter_start,
           d.quarter_end,
           d.year_label || '-Q' || d.quarter_no,
           d.period_no,
           d.period_start,
           d.period_end,
           CASE WHEN scheme = 'month' THEN to_char(d.period_start, 'YYYY-MM') ELSE d.year_label || '-P' || to_char(d.period_no, 'FM00') END,
           CASE WHEN scheme = 'month' THEN extract(week FROM d.on_date)::integer ELSE d.weeks_before + 1 END,
           CASE WHEN scheme = 'month' THEN date_trunc('week', d.on_date::timestamp)::date ELSE d.year_start + 7 * d.weeks_before END,
           CASE WHEN scheme = 'month' THEN date_trunc('week', d.on_date::timestamp)::date ELSE d.year_start + 7 * d.weeks_before END + 6,
           CASE WHEN scheme = 'month' THEN to_char(d.on_date, 'IYYY-"W"IW') ELSE d.year_label || '-W' || to_char(d.weeks_before + 1, 'FM00') END
      FROM day d;
END;

COMMENT ON FUNCTION fiscal_day(date, date, integer, text, text, integer, text) IS 'Internal: the days of the fiscal years that days from first_day to last_day belong to, with their periods; see build_calendar(), which checks the arguments.';

CREATE FUNCTION check_calendar_range(first_day date, last_day date)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    IF first_day IS NULL OR last_day IS NULL OR NOT isfinite(first_day) OR NOT isfinite(last_day)
       OR first_day > last_day OR last_day - first_day > 366 * 500 THEN
        RAISE EXCEPTION 'cannot fill the calendar from % to %', coalesce(first_day::text, 'NULL'), coalesce(last_day::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two days, the first not after the last, and no more than 500 years; days between these and the calendar''s are filled, too.';
    END IF;
END
$$;

COMMENT ON FUNCTION check_calendar_range(date, date) IS 'Internal: an error unless the two are days that build_calendar() and fill_calendar() can fill in.';

CREATE FUNCTION spread_calendar()
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    spread integer;
BEGIN
    INSERT INTO calendar AS c (
           on_date, region, is_business_day,
           fiscal_year, fiscal_year_start, fiscal_year_end, fiscal_year_label,
           fiscal_quarter, fiscal_quarter_start, fiscal_quarter_end, fiscal_quarter_label,
           fiscal_period, fiscal_period_start, fiscal_period_end, fiscal_period_label,
           fiscal_week, fiscal_week_start, fiscal_week_end, fiscal_week_label)
    SELECT e.on_date, r.region, coalesce(own.is_business_day, e.is_business_day),
           e.fiscal_year, e.fiscal_year_start, e.fiscal_year_end, e.fiscal_year_label,
           e.fiscal_quarter, e.fiscal_quarter_start, e.fiscal_quarter_end, e.fiscal_quarter_label,
           e.fiscal_period, e.fiscal_period_start, e.fiscal_period_end, e.fiscal_period_label,
           e.fiscal_week, e.fiscal_week_start, e.fiscal_week_end, e.fiscal_week_label
      FROM calendar e
     CROSS JOIN (SELECT region FROM holiday WHERE region <> ''
                 UNION
                 SELECT region FROM calendar WHERE region <> '') AS r
      LEFT JOIN holiday own ON own.region = r.region AND own.on_date = e.on_date
     WHERE e.region = ''
        ON CONFLICT (region, on_date) DO UPDATE
       SET fiscal_year = excluded.fiscal_year, fiscal_year_start = excluded.fiscal_year_start, fiscal_year_end = excluded.fiscal_year_end, fiscal_year_label = excluded.fiscal_year_label,
           fiscal_quarter = excluded.fiscal_quarter, fiscal_quarter_start = excluded.fiscal_quarter_start, fiscal_quarter_end = excluded.fiscal_quarter_end, fiscal_quarter_label = excluded.fiscal_quarter_label,
           fiscal_period = excluded.fiscal_period, fiscal_period_start = excluded.fiscal_period_start, fiscal_period_end = excluded.fiscal_period_end, fiscal_period_label = excluded.fiscal_period_label,
           fiscal_week = excluded.fiscal_week, fiscal_week_start = excluded.fiscal_week_start, fiscal_week_end = excluded.fiscal_week_end, fiscal_week_label = excluded.fiscal_week_label
     -- of what was cut before and is cut again only the first or the last day changes, and no label
     WHERE (c.fiscal_year_label, c.fiscal_quarter_label, c.fiscal_period_label, c.fiscal_week_label,
            c.fiscal_year_start, c.fiscal_quarter_start, c.fiscal_period_start, c.fiscal_week_start,
            c.fiscal_year_end, c.fiscal_quarter_end, c.fiscal_period_end, c.fiscal_week_end)
        <> (excluded.fiscal_year_label, excluded.fiscal_quarter_label, excluded.fiscal_period_label, excluded.fiscal_week_label,
            excluded.fiscal_year_start, excluded.fiscal_quarter_start, excluded.fiscal_period_start, excluded.fiscal_week_start,
            excluded.fiscal_year_end, excluded.fiscal_quarter_end, excluded.fiscal_period_end, excluded.fiscal_week_end);
    GET DIAGNOSTICS spread = ROW_COUNT;
    RETURN spread;
END
$$;

COMMENT ON FUNCTION spread_calendar() IS 'Internal: gives each region that holiday or calendar knows a row for every day, with the periods of everywhere. Returns the number of rows added or changed.';

CREATE FUNCTION add_fiscal_days(first_day date, last_day date, first_month integer, scheme text,
                                year_end text, week_end integer, year_name text)
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    had_days boolean := EXISTS (SELECT FROM calendar);
    added integer;
    period text;
BEGIN
    INSERT INTO calendar (
           on_date, is_business_day,
           fiscal_year, fiscal_year_start, fiscal_year_end, fiscal_year_label,
           fiscal_quarter, fiscal_quarter_start, fiscal_quarter_end, fiscal_quarter_label,
           fiscal_period, fiscal_period_start, fiscal_period_end, fiscal_period_label,
           fiscal_week, fiscal_week_start, fiscal_week_end, fiscal_week_label)
    SELECT d.on_date, coalesce(h.is_business_day, extract(isodow FROM d.on_date) <= 5),
           d.fiscal_year, d.fiscal_year_start, d.fiscal_year_end, d.fiscal_year_label,
           d.fiscal_quarter, d.fiscal_quarter_start, d.fiscal_quarter_end, d.fiscal_quarter_label,
           d.fiscal_period, d.fiscal_period_start, d.fiscal_period_end, d.fiscal_period_label,
           d.fiscal_week, d.fiscal_week_start, d.fiscal_week_end, d.fiscal_week_label
      FROM fiscal_day(first_day, last_day, first_month, scheme, year_end, week_end, year_name) AS d
      LEFT JOIN holiday h ON h.region = '' AND h.on_date = d.on_date
        ON CONFLICT (region, on_date) DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;

    -- A period of which another calendar has some days goes on as what is left of it. At the
    -- calendar's own ends, and where somebody deleted days, nothing was taken.
    IF had_days AND added > 0 THEN
        FOREACH period IN ARRAY ARRAY['fiscal_year', 'fiscal_quarter', 'fiscal_period', 'fiscal_week'] LOOP
            EXECUTE format(
                $update$
                UPDATE calendar c
                   SET %1$s_start = cut.first_on,
                       %1$s_end = cut.last_on,
                       %1$s_label = regexp_replace(c.%1$s_label, ' [(]short[)]$', '') || ' (short)'
                  FROM (SELECT min(day.on_date) AS first_on,
                               max(day.on_date) AS last_on
                          FROM (SELECT on_date, %1$s_start, %1$s_end, %1$s_label,
                                       on_date - (row_number() OVER (PARTITION BY %1$s_start, %1$s_end, %1$s_label ORDER BY on_date))::integer AS run
                                  FROM calendar
                                 WHERE region = '') AS day
                         GROUP BY day.%1$s_start, day.%1$s_end, day.%1$s_label, day.run
                        HAVING (min(day.on_date) > day.%1$s_start
                                AND EXISTS (SELECT FROM calendar n WHERE n.region = '' AND n.on_date = min(day.on_date) - 1))
                            OR (max(day.on_date) < day.%1$s_end
                                AND EXISTS (SELECT FROM calendar n WHERE n.region = '' AND n.on_date = max(day.on_date) + 1))) AS cut
                 WHERE c.region = ''
                   AND c.on_date BETWEEN cut.first_on AND cut.last_on
                $update$, period);
        END LOOP;
    END IF;
    PERFORM spread_calendar();
    RETURN added;
END
$$;

COMMENT ON FUNCTION add_fiscal_days(date, date, integer, text, text, integer, text) IS 'Internal: adds the days of fiscal_day() that calendar does not have, cuts the periods of the days around them where they end now, and gives regions the same. Returns the number of days added.';

CREATE FUNCTION build_calendar(
    first_day date,
    last_day date,
    first_month integer DEFAULT 1,
    scheme text DEFAULT 'month',
    holidays date[] DEFAULT NULL,
    region text DEFAULT '',
    year_end text DEFAULT 'nearest',
    week_end integer DEFAULT 6,
    year_name text DEFAULT 'end')
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    built_from date;
    built_to date;
    built_days integer;
BEGIN
    IF first_month IS NULL OR first_month NOT BETWEEN 1 AND 12 THEN
        RAISE EXCEPTION 'first_month out of range: %', coalesce(first_month::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It is the month in which the fiscal year begins, from 1 (January) to 12.';
    ELSIF scheme IS NULL OR scheme NOT IN ('month', '4-4-5', '4-5-4', '5-4-4') THEN
        RAISE EXCEPTION 'unknown scheme: %', coalesce(quote_literal(left(scheme, 40)), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It is ''month'' (calendar months) or, by the weeks of the periods of a quarter, ''4-4-5'', ''4-5-4'' or ''5-4-4''.';
    ELSIF region IS NULL THEN
        RAISE EXCEPTION 'region must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'It is the region whose holidays are given; the empty text is everywhere.';
    ELSIF year_end IS NULL OR year_end NOT IN ('nearest', 'last') THEN
        RAISE EXCEPTION 'unknown year_end: %', coalesce(quote_literal(left(year_end, 40)), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'A year of weeks ends on the week_end ''nearest'' to the last day before first_month, or on the ''last'' one up to that day.';
    ELSIF week_end IS NULL OR week_end NOT BETWEEN 1 AND 7 THEN
        RAISE EXCEPTION 'week_end out of range: %', coalesce(week_end::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It is the day on which weeks end, from 1 (Monday) to 7 (Sunday).';
    ELSIF year_name IS NULL OR year_name NOT IN ('end', 'start') THEN
        RAISE EXCEPTION 'unknown year_name: %', coalesce(quote_literal(left(year_name, 40)), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'A fiscal year has the number of the calendar year at its ''end'' or at its ''start''.';
    ELSIF EXISTS (SELECT FROM unnest(holidays) AS h (day) WHERE h.day IS NULL OR NOT isfinite(h.day)) THEN
        RAISE EXCEPTION 'holidays must be finite days and not null'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Leave out what is no day.';
    END IF;
    PERFORM check_calendar_range(first_day, last_day);
    SELECT least(first_day, max(c.on_date) + 1), greatest(last_day, min(c.on_date) - 1)
      INTO first_day, last_day
      FROM calendar c
     WHERE c.region = '';
    PERFORM check_calendar_range(first_day, last_day);

    SELECT min(d.on_date), max(d.on_date)
      INTO built_from, built_to
      FROM fiscal_day(first_day, last_day, first_month, scheme, year_end, week_end, year_name) AS d;
    IF holidays IS NOT NULL THEN
        DELETE FROM holiday h
         WHERE h.region = build_calendar.region
           AND h.on_date BETWEEN built_from AND built_to
           AND NOT h.is_business_day
           AND h.on_date <> ALL (holidays);
        INSERT INTO holiday AS h (region, on_date)
        SELECT DISTINCT build_calendar.region, day
          FROM unnest(holidays) AS day
            ON CONFLICT (region, on_date) DO UPDATE
           SET is_business_day = false
         WHERE h.is_business_day;
    END IF;
    DELETE FROM calendar c
     WHERE c.on_date BETWEEN built_from AND built_to;
    built_days := add_fiscal_days(first_day, last_day, first_month, scheme, year_end, week_end, year_name);
    -- of the years that calendar has besides
    PERFORM apply_holidays(min(day), max(day))
       FROM unnest(holidays) AS day
     HAVING min(day) < built_from
         OR max(day) > built_to;
    RETURN built_days;
END
$$;

COMMENT ON FUNCTION build_calendar(date, date, integer, text, date[], text, text, integer, text) IS 'Puts the days of fiscal years into calendar, whole years that hold the days from first_day to last_day, in place of what is there; days outside stay, and a period that loses some of its days is cut (its label then says short). The year begins with first_month. scheme month: periods are calendar months. 4-4-5, 4-5-4, 5-4-4: the periods of each quarter have so many weeks; weeks end on week_end (1 Monday to 7 Sunday; 6, Saturday), the year on the week_end nearest to the last day before first_month (year_end nearest, as the National Retail Federation has it) or on the last one up to that day (last); the 53rd week of a long year belongs to its last period. The number of a year is that of the calendar year in which its last month lies (year_name end) or its first (start). Business days are Monday to Friday, but for the table holiday; holidays, if not NULL, take the place of the region''s holidays of these years there (the empty region is everywhere); those of other years are added, and applied by apply_holidays(). Days between these and those that calendar has are filled, too. Returns the number of days built.';

CREATE FUNCTION fill_calendar(first_day date DEFAULT '2000-01-01', last_day date DEFAULT '2049-12-31')
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM check_calendar_range(first_day, last_day);
    SELECT least(first_day, max(c.on_date) + 1), greatest(last_day, min(c.on_date) - 1)
      INTO first_day, last_day
      FROM calendar c
     WHERE c.region = '';
    PERFORM check_calendar_range(first_day, last_day);
    RETURN add_fiscal_days(first_day, last_day, 1, 'month', 'nearest', 6, 'end');
END
$$;

COMMENT ON FUNCTION fill_calendar(date, date) IS 'Adds to calendar the days of calendar years, with quarters, months and ISO weeks, whole years; days that are there already are kept as they are, and those between these and them are filled, too. Business days are Monday to Friday, but for the table holiday. Returns the number of days added.';

CREATE FUNCTION apply_holidays(first_day date DEFAULT '-infinity', last_day date DEFAULT 'infinity')
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    changed integer;
BEGIN
    IF first_day IS NULL OR last_day IS NULL THEN
        RAISE EXCEPTION 'cannot apply holidays from % to %', coalesce(first_day::text, 'NULL'), coalesce(last_day::text, 'NULL')
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Give two days, or none for all days of the calendar.';
    END IF;

    UPDATE calendar c
       SET is_business_day = NOT c.is_business_day
      FROM calendar day
      LEFT JOIN holiday own ON own.region = day.region AND own.on_date = day.on_date
      LEFT JOIN holiday everywhere ON everywhere.region = '' AND everywhere.on_date = day.on_date
     WHERE day.region = c.region
       AND day.on_date = c.on_date
       AND c.on_date BETWEEN first_day AND last_day
       AND c.is_business_day <> coalesce(own.is_business_day, everywhere.is_business_day, extract(isodow FROM day.on_date) <= 5);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed + spread_calendar();
END
$$;

COMMENT ON FUNCTION apply_holidays(date, date) IS 'Brings calendar.is_business_day in line with the table holiday, from first_day to last_day (all days, if not given): Monday to Friday, but for what holiday says of the day in the region, or else everywhere. A region of holiday that calendar does not know yet gets a row for each day. What was set in calendar by hand is overwritten. Returns the number of rows changed or added.';

CREATE FUNCTION calendar_business_days(first_day date, last_day date, region text DEFAULT '')
    RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
               WHEN held.first_day <= least(calendar_business_days.first_day, calendar_business_days.last_day)
                    AND held.last_day + 1 >= greatest(calendar_business_days.first_day, calendar_business_days.last_day)
                    AND calendar_business_days.first_day IS NOT NULL
                    AND calendar_business_days.last_day IS NOT NULL
               THEN (SELECT count(*)::integer
                       FROM calendar c
                      WHERE c.is_business_day
                        AND c.region = CASE WHEN EXISTS (SELECT FROM calendar r WHERE r.region = calendar_business_days.region)
                                            THEN calendar_business_days.region
                                            ELSE '' END
                        AND c.on_date >= least(calendar_business_days.first_day, calendar_business_days.last_day)
                        AND c.on_date < greatest(calendar_business_days.first_day, calendar_business_days.last_day))
                    * CASE WHEN calendar_business_days.first_day <= calendar_business_days.last_day THEN 1 ELSE -1 END
           END
      FROM (SELECT min(c.on_date) AS first_day,
                   max(c.on_date) AS last_day
              FROM calendar c
             WHERE c.region = '') AS held;
END;

COMMENT ON FUNCTION calendar_business_days(date, date, text) IS 'Business days of calendar from first_day on, last_day excluded, in a region (one that calendar does not know has those of everywhere): sales_perf.business_days() with holidays. Below 0 where last_day comes first. NULL where a day is NULL, infinite or outside calendar.';

SET LOCAL search_path = sales_perf, pg_temp;
