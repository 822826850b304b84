-- Currencies: every amount is kept as it was agreed, and reports give it in the mart's reporting
-- currency, at the rate of the day it belongs to: the day of closing, the day of a sale, and as_of() for
-- what is open. What has no rate has no amount in reports: it is counted and listed (data_quality), and
-- never added up as if it were in another currency.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE mart_setting (
    is_only_row         boolean NOT NULL DEFAULT true CONSTRAINT mart_setting_pkey PRIMARY KEY,
    reporting_currency  text,
    is_assumed          boolean NOT NULL DEFAULT false,
    CONSTRAINT mart_setting_is_only_row_check CHECK (is_only_row),
    CONSTRAINT mart_setting_reporting_currency_check CHECK (reporting_currency ~ '^[A-Z][A-Z0-9]{2,4}$')
);

COMMENT ON TABLE mart_setting IS 'What is set for the mart as a whole: one row, or none.';
COMMENT ON COLUMN mart_setting.is_only_row IS 'Always true: there is one row at most.';
COMMENT ON COLUMN mart_setting.reporting_currency IS 'Currency of all amounts in reports (ISO 4217 code). NULL, or no row: it has no name, and amounts without a currency are in it.';
COMMENT ON COLUMN mart_setting.is_assumed IS 'True where nobody said so with set_reporting_currency(): the deals or sales that came first were all in this currency.';

CREATE FUNCTION set_reporting_currency(currency text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    IF currency !~ '^[A-Z][A-Z0-9]{2,4}$' THEN
        RAISE EXCEPTION 'not a currency code: %', quote_literal(left(currency, 40))
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give the ISO 4217 code in capital letters, such as EUR; NULL for no name.';
    END IF;
    INSERT INTO mart_setting (reporting_currency)
    VALUES (currency)
        ON CONFLICT (is_only_row) DO UPDATE SET reporting_currency = excluded.reporting_currency, is_assumed = false;
END
$$;

COMMENT ON FUNCTION set_reporting_currency(text) IS 'Says which currency reports are in (ISO 4217 code, such as EUR): amounts in it, and amounts without a currency, need no rate. Rates in fx_rate are meant for this currency: change them too.';

CREATE TABLE fx_rate (
    currency    text NOT NULL,
    valid_from  date NOT NULL,
    rate        numeric NOT NULL,
    CONSTRAINT fx_rate_pkey PRIMARY KEY (currency, valid_from),
    CONSTRAINT fx_rate_currency_check CHECK (currency ~ '^[A-Z][A-Z0-9]{2,4}$'),
    CONSTRAINT fx_rate_valid_from_check CHECK (isfinite(valid_from)),
    CONSTRAINT fx_rate_rate_check CHECK (rate > 0 AND rate < 'Infinity')
);

COMMENT ON TABLE fx_rate IS 'Exchange rates by day. A rate holds from its day until the next one of its currency; before the first there is none.';
COMMENT ON COLUMN fx_rate.currency IS 'The currency (ISO 4217 code).';
COMMENT ON COLUMN fx_rate.valid_from IS 'The day from which on it holds.';
COMMENT ON COLUMN fx_rate.rate IS 'Units of the reporting currency for one unit of the currency.';

-- Not a look-up in fx_rate for every deal, which takes microseconds each: all rates at once, once a query.
CREATE VIEW fx_rate_list WITH (security_invoker = true) AS
SELECT ARRAY[coalesce((SELECT reporting_currency FROM mart_setting), '')]
       || coalesce((SELECT array_agg(item.value ORDER BY f.currency COLLATE "C", f.valid_from, item.place)
                      FROM fx_rate f
                     CROSS JOIN LATERAL (VALUES (1, f.currency),
                                                (2, (f.valid_from - '2000-01-01'::date)::text),
                                                (3, f.rate::text)) AS item (place, value)), '{}') AS rates;

COMMENT ON VIEW fx_rate_list IS 'One row: all rates as sales_perf.reporting_amount() takes them.';
COMMENT ON COLUMN fx_rate_list.rates IS 'The reporting currency, empty if it has no name; then currency, first day (days since 2000-01-01) and rate of each row of fx_rate, in order.';

-- A mart whose deals are all in one currency needs no setting: what comes first, all in one, is taken to be
-- in the reporting currency. The assumption goes when something gainsays it: amounts without a currency
-- (which are in the reporting currency by definition), or a rate for it. Who may not write mart_setting assumes nothing.
CREATE FUNCTION reporting_currency_assume() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    said mart_setting%ROWTYPE;
    only_currency text;
BEGIN
    IF NOT (has_table_privilege('mart_setting', 'SELECT')
            AND has_table_privilege('mart_setting', 'INSERT')
            AND has_table_privilege('mart_setting', 'UPDATE')) THEN
        RETURN NULL;
    END IF;
    SELECT s.* INTO said FROM mart_setting s;
    IF FOUND AND NOT said.is_assumed THEN
        RETURN NULL;
    END IF;

    IF said.is_assumed THEN
        IF EXISTS (SELECT FROM new_rows n WHERE n.currency IS NULL AND n.amount IS NOT NULL) THEN
            UPDATE mart_setting SET reporting_currency = NULL, is_assumed = false;
        END IF;
        RETURN NULL;
    END IF;

    SELECT min(n.currency)
      INTO only_currency
      FROM new_rows n
     WHERE n.amount IS NOT NULL
    HAVING count(n.currency) = count(*)
       AND min(n.currency) = max(n.currency);
    IF FOUND
       AND NOT EXISTS (SELECT FROM fx_rate f WHERE f.currency = only_currency)
       AND NOT EXISTS (SELECT FROM deal d WHERE d.amount IS NOT NULL AND (d.currency IS NULL OR d.currency <> only_currency))
       AND NOT EXISTS (SELECT FROM sale s WHERE s.amount IS NOT NULL AND (s.currency IS NULL OR s.currency <> only_currency))
       -- Where rollups are maintained the setting has to be changed alone, see rollup_rates(): if others are writing, what comes next assumes it.
       AND (NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = 'mart_setting'::regclass AND t.tgname = 'rollup_begin')
            OR current_setting('transaction_isolation') = 'read committed' AND pg_try_advisory_xact_lock(rollup_lock('rates'))) THEN
        INSERT INTO mart_setting (reporting_currency, is_assumed)
        VALUES (only_currency, true)
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION reporting_currency_assume() IS 'Trigger function: takes the one currency of the deals or sales that come first for the reporting currency, if nobody set it.';

CREATE TRIGGER reporting_currency_assume
    AFTER INSERT ON deal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reporting_currency_assume();

CREATE TRIGGER reporting_currency_assume
    AFTER INSERT ON sale
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reporting_currency_assume();

CREATE FUNCTION reporting_currency_doubt() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    -- asked first: who may enter rates need not have the right to write mart_setting, unless there is a reason to
    IF EXISTS (SELECT
                 FROM mart_setting s
                 JOIN new_rows n ON n.currency = s.reporting_currency
                WHERE s.is_assumed) THEN
        UPDATE mart_setting
           SET reporting_currency = NULL,
               is_assumed = false;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION reporting_currency_doubt() IS 'Trigger function: a currency that has a rate into the reporting currency is not the reporting currency, if that was only assumed.';

CREATE TRIGGER reporting_currency_doubt
    AFTER INSERT ON fx_rate
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reporting_currency_doubt();

SET LOCAL search_path = sales_perf, pg_temp;
