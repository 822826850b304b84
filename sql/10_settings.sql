-- The date of a report, and scalars.

CREATE FUNCTION sales_perf.as_of()
RETURNS date
LANGUAGE C
STABLE
STRICT
PARALLEL SAFE
AS 'MODULE_PATHNAME', 'sales_perf_as_of';
COMMENT ON FUNCTION sales_perf.as_of() IS
'The date as of which everything is computed: the setting sales_perf.as_of (YYYY-MM-DD), or today. A setting that is no date is an error.';

CREATE FUNCTION sales_perf.growth_rate(current numeric, prior numeric)
RETURNS numeric
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN CASE WHEN prior > 0 THEN (current - prior) / prior END;
COMMENT ON FUNCTION sales_perf.growth_rate(numeric, numeric) IS
'Growth as a fraction: (current - prior) / prior. NULL where prior is not above 0.';

CREATE FUNCTION sales_perf.cagr(first numeric, last numeric, periods numeric)
RETURNS float8
LANGUAGE sql
IMMUTABLE
STRICT
PARALLEL SAFE
RETURN CASE
	WHEN first > 0 AND last >= 0 AND periods > 0
	THEN power((last / first)::float8, (1 / periods)::float8) - 1
END;
COMMENT ON FUNCTION sales_perf.cagr(numeric, numeric, numeric) IS
'Compound growth per period as a fraction: (last / first)^(1 / periods) - 1. NULL where first or periods is not above 0, or last is below 0.';

CREATE FUNCTION sales_perf.business_days(first_day date, last_day date)
RETURNS integer
LANGUAGE C
IMMUTABLE
STRICT
PARALLEL SAFE
AS 'MODULE_PATHNAME', 'sales_perf_business_days';
COMMENT ON FUNCTION sales_perf.business_days(date, date) IS
'Days from Monday to Friday from first_day on, last_day excluded; below 0 where last_day comes first: those of the reversed range, taken negative. So business_days(a, b) + business_days(b, c) = business_days(a, c). Holidays are not known here (see the table calendar of a mart). NULL where a day is infinite.';

CREATE FUNCTION sales_perf.reporting_amount(amount numeric, currency text, on_day date, rates text[])
RETURNS numeric
LANGUAGE C
IMMUTABLE
PARALLEL SAFE
AS 'MODULE_PATHNAME', 'sales_perf_reporting_amount';
COMMENT ON FUNCTION sales_perf.reporting_amount(numeric, text, date, text[]) IS
'An amount in the reporting currency, exactly: as it is where currency is NULL or the reporting currency, else times the latest rate up to the day; NULL where there is none. rates: the reporting currency (or an empty text), then for each rate the currency, its first day as days since 2000-01-01, and the units of the reporting currency for one unit, in the order of currency (bytewise) and day: the view fx_rate_list of a mart has them.';

CREATE FUNCTION sales_perf.converted_amount(amount numeric, currency text, on_day date, rate_list regclass)
RETURNS numeric
LANGUAGE C
STABLE
PARALLEL SAFE
AS 'MODULE_PATHNAME', 'sales_perf_converted_amount';
COMMENT ON FUNCTION sales_perf.converted_amount(numeric, text, date, regclass) IS
'The same as reporting_amount() by the view that has the rates: fx_rate_list of a mart. It is read once in a query, when an amount first needs it, by the rights of whoever asks.';

CREATE FUNCTION sales_perf.record_change()
RETURNS trigger
LANGUAGE C
VOLATILE
PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'sales_perf_record_change';
COMMENT ON FUNCTION sales_perf.record_change() IS
'Trigger function: writes down in rollup_change of the table''s schema, once for a transaction, that something has changed. maintain_rollup() puts it on the tables of a mart.';

CREATE FUNCTION sales_perf.record_touched()
RETURNS trigger
LANGUAGE C
VOLATILE
PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'sales_perf_record_touched';
COMMENT ON FUNCTION sales_perf.record_touched() IS
'Trigger function, for each row: writes down in rollup_touched of the table''s schema whose stored summaries are to be derived anew. Arguments: the kind of subject, and the column of type text that is its key. For a statement (TRUNCATE): all of that kind. maintain_rollup() puts it on the tables of a mart.';
