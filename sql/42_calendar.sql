-- Days and the periods they belong to. Reports take their periods from here, so that another
-- calendar (fiscal years, 4-4-5 weeks) is a matter of these rows and of no view.

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

COMMENT ON TABLE calendar IS 'One row a day (and, where regions have holidays of their own, one more for each region): the year, quarter, period and week it belongs to, and whether business is done. create_mart() fills it with calendar years, quarters, months and ISO weeks.';
COMMENT ON COLUMN calendar.on_date IS 'The day.';
COMMENT ON COLUMN calendar.region IS 'Region whose business days the row gives; the empty text: everywhere. Reports read the rows of everywhere.';
COMMENT ON COLUMN calendar.is_business_day IS 'True on days on which business is done; Monday to Friday unless holidays are entered.';
COMMENT ON COLUMN calendar.fiscal_year IS 'Number of the fiscal year.';
COMMENT ON COLUMN calendar.fiscal_year_start IS 'First day of the fiscal year.';
COMMENT ON COLUMN calendar.fiscal_year_end IS 'Last day of the fiscal year.';
COMMENT ON COLUMN calendar.fiscal_year_label IS 'Label of the fiscal year, for instance 2017.';
COMMENT ON COLUMN calendar.fiscal_quarter IS 'Quarter of the fiscal year, 1 to 4.';
COMMENT ON COLUMN calendar.fiscal_quarter_start IS 'First day of the quarter.';
COMMENT ON COLUMN calendar.fiscal_quarter_end IS 'Last day of the quarter.';
COMMENT ON COLUMN calendar.fiscal_quarter_label IS 'Label of the quarter, for instance 2017-Q1.';
COMMENT ON COLUMN calendar.fiscal_period IS 'Period (month) of the fiscal year, 1 to 12.';
COMMENT ON COLUMN calendar.fiscal_period_start IS 'First day of the period (month).';
COMMENT ON COLUMN calendar.fiscal_period_end IS 'Last day of the period (month).';
COMMENT ON COLUMN calendar.fiscal_period_label IS 'Label of the period (month), for instance 2017-01.';
COMMENT ON COLUMN calendar.fiscal_week IS 'Week of the year; ISO week as filled by fill_calendar(), whose first and last days of a year may belong to a week of the neighbouring one.';
COMMENT ON COLUMN calendar.fiscal_week_start IS 'First day of the week; Monday as filled by fill_calendar().';
COMMENT ON COLUMN calendar.fiscal_week_end IS 'Last day of the week.';
COMMENT ON COLUMN calendar.fiscal_week_label IS 'Label of the week, for instance 2017-W05.';

CREATE FUNCTION fill_calendar(first_day date DEFAULT '2000-01-01', last_day date DEFAULT '2049-12-31')
    RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    filled integer;
BEGIN
    IF first_day IS NULL OR last_day IS NULL OR NOT isfinite(first_day) OR NOT isfinite(last_day)
       OR first_day > last_day OR last_day - first_day > 366 * 500 THEN
        RAISE EXCEPTION 'cannot fill the calendar from % to %', coalesce(first_day::text, 'NULL'), coalesce(last_day::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give two days, the first not after the last, and no more than 500 years.';
    END IF;

    INSERT INTO calendar (
           on_date, is_business_day,
           fiscal_year, fiscal_year_start, fiscal_year_end, fiscal_year_label,
           fiscal_quarter, fiscal_quarter_start, fiscal_quarter_end, fiscal_quarter_label,
           fiscal_period, fiscal_period_start, fiscal_period_end, fiscal_period_label,
           fiscal_week, fiscal_week_start, fiscal_week_end, fiscal_week_label)
    SELECT on_date, extract(isodow FROM on_date) <= 5,
           extract(year FROM on_date), year_start, (year_start + interval '1 year')::date - 1, to_char(on_date, 'YYYY'),
           extract(quarter FROM on_date), quarter_start, (quarter_start + interval '3 months')::date - 1, to_char(on_date, 'YYYY-"Q"Q'),
           extract(month FROM on_date), month_start, (month_start + interval '1 month')::date - 1, to_char(on_date, 'YYYY-MM'),
           extract(week FROM on_date), week_start, week_start + 6, to_char(on_date, 'IYYY-"W"IW')
      FROM (SELECT day::date AS on_date,
                   date_trunc('year', day)::date AS year_start,
                   date_trunc('quarter', day)::date AS quarter_start,
                   date_trunc('month', day)::date AS month_start,
                   date_trunc('week', day)::date AS week_start
              -- Timestamps without time zone: no clock change can skip or repeat a day.
              FROM generate_series(date_trunc('year', first_day::timestamp),
                                   date_trunc('year', last_day::timestamp) + interval '1 year' - interval '1 day',
                                   interval '1 day') AS day) AS days
        ON CONFLICT (region, on_date) DO NOTHING;
    GET DIAGNOSTICS filled = ROW_COUNT;
    RETURN filled;
END
$$;

COMMENT ON FUNCTION fill_calendar(date, date) IS 'Fills calendar with calendar years, quarters, months and ISO weeks, whole years, Monday to Friday as business days; days that are there already are kept as they are. Returns the number of days added.';

SET LOCAL search_path = sales_perf, pg_temp;
