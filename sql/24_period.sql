-- period_summary: what was sold in each period, and growth from one to the next.

--@summary_type period_summary

COMMENT ON TYPE sales_perf.period_summary IS
'What was sold in each period (day, week, month, quarter or year): rows and exact amounts.';

CREATE FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, happened_on date, amount numeric, grain text)
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_add';
COMMENT ON FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, date, numeric, text) IS 'internal: transition of period_agg';

CREATE FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, happened_on date, amount numeric, grain text)
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_remove';
COMMENT ON FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, date, numeric, text) IS 'internal: inverse transition of period_agg';

CREATE AGGREGATE sales_perf.period_agg(happened_on date, amount numeric, grain text) (
	SFUNC = sales_perf.period_agg_add,
	STYPE = sales_perf.period_summary,
	SSPACE = 512,
	FINALFUNC = sales_perf.period_summary_final,
	COMBINEFUNC = sales_perf.period_summary_rollup,
	MSFUNC = sales_perf.period_agg_add,
	MINVFUNC = sales_perf.period_agg_remove,
	MSTYPE = sales_perf.period_summary,
	MFINALFUNC = sales_perf.period_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.period_agg(date, numeric, text) IS
'Counts rows and sums up amounts by period. The grain is day, week (ISO, from Monday), month, quarter or year, the same for all rows of a group. A row without a finite day counts in undated_count, one without an amount in unpriced_count.';

CREATE FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, happened_on date, amount numeric, covers_from date, covers_to date, grain text)
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_term_add';
COMMENT ON FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, date, numeric, date, date, text) IS 'internal: transition of period_agg';

CREATE FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, happened_on date, amount numeric, covers_from date, covers_to date, grain text)
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_term_remove';
COMMENT ON FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, date, numeric, date, date, text) IS 'internal: inverse transition of period_agg';

CREATE AGGREGATE sales_perf.period_agg(happened_on date, amount numeric, covers_from date, covers_to date, grain text) (
	SFUNC = sales_perf.period_agg_add,
	STYPE = sales_perf.period_summary,
	SSPACE = 512,
	FINALFUNC = sales_perf.period_summary_final,
	COMBINEFUNC = sales_perf.period_summary_rollup,
	MSFUNC = sales_perf.period_agg_add,
	MINVFUNC = sales_perf.period_agg_remove,
	MSTYPE = sales_perf.period_summary,
	MFINALFUNC = sales_perf.period_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.period_agg(date, numeric, date, date, text) IS
'The same where rows may have a term, from covers_from to covers_to, both days included: its amount is spread over the days of the term (in cents, or the decimals it has; the parts add up to it exactly), the row counts in the first period covered, and every period covered is marked so. Without a term the row belongs to happened_on. A term with only one end, its ends reversed or longer than 200 years counts in invalid_count, and the row as one without.';

-- The same by periods whose first days are given, as the calendar of a mart has them.

CREATE FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, happened_on date, amount numeric, grain text, period_starts date[])
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_starts_add';
COMMENT ON FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, date, numeric, text, date[]) IS 'internal: transition of period_agg';

CREATE FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, happened_on date, amount numeric, grain text, period_starts date[])
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_starts_remove';
COMMENT ON FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, date, numeric, text, date[]) IS 'internal: inverse transition of period_agg';

CREATE AGGREGATE sales_perf.period_agg(happened_on date, amount numeric, grain text, period_starts date[]) (
	SFUNC = sales_perf.period_agg_add,
	STYPE = sales_perf.period_summary,
	SSPACE = 512,
	FINALFUNC = sales_perf.period_summary_final,
	COMBINEFUNC = sales_perf.period_summary_rollup,
	MSFUNC = sales_perf.period_agg_add,
	MINVFUNC = sales_perf.period_agg_remove,
	MSTYPE = sales_perf.period_summary,
	MFINALFUNC = sales_perf.period_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.period_agg(date, numeric, text, date[]) IS
'The same by periods of your own: period_starts holds the first day of each, ascending, the same for all rows; one of the first days ends the period before, so a last element behind the last period''s end closes it. Days outside fall into periods that go on from either end by the grain. NULL: the periods of everyday''s calendar. Accessors that give or take days need the same array, for the summary knows periods by their number only; those of two calendars are not to be added.';

CREATE FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, happened_on date, amount numeric, covers_from date, covers_to date, grain text, period_starts date[])
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_term_starts_add';
COMMENT ON FUNCTION sales_perf.period_agg_add(sales_perf.period_summary, date, numeric, date, date, text, date[]) IS 'internal: transition of period_agg';

CREATE FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, happened_on date, amount numeric, covers_from date, covers_to date, grain text, period_starts date[])
RETURNS sales_perf.period_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_agg_term_starts_remove';
COMMENT ON FUNCTION sales_perf.period_agg_remove(sales_perf.period_summary, date, numeric, date, date, text, date[]) IS 'internal: inverse transition of period_agg';

CREATE AGGREGATE sales_perf.period_agg(happened_on date, amount numeric, covers_from date, covers_to date, grain text, period_starts date[]) (
	SFUNC = sales_perf.period_agg_add,
	STYPE = sales_perf.period_summary,
	SSPACE = 512,
	FINALFUNC = sales_perf.period_summary_final,
	COMBINEFUNC = sales_perf.period_summary_rollup,
	MSFUNC = sales_perf.period_agg_add,
	MINVFUNC = sales_perf.period_agg_remove,
	MSTYPE = sales_perf.period_summary,
	MFINALFUNC = sales_perf.period_summary_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.period_agg(date, numeric, date, date, text, date[]) IS
'The same for rows that may have a term, by periods whose first days are given: see there.';

CREATE FUNCTION sales_perf.undated_count(s sales_perf.period_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_undated_count';
COMMENT ON FUNCTION sales_perf.undated_count(sales_perf.period_summary) IS
'Rows without a finite day, which are in no period.';

CREATE FUNCTION sales_perf.invalid_count(s sales_perf.period_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_invalid_count';
COMMENT ON FUNCTION sales_perf.invalid_count(sales_perf.period_summary) IS
'Rows whose term was of no use: only one end, ends reversed or infinite, or longer than 200 years. They count as rows without a term.';

CREATE FUNCTION sales_perf.unpriced_count(s sales_perf.period_summary)
RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_unpriced_count';
COMMENT ON FUNCTION sales_perf.unpriced_count(sales_perf.period_summary) IS
'Rows of a period without an amount; they count, and add nothing to the amount.';

CREATE FUNCTION sales_perf.period_values(s sales_perf.period_summary)
RETURNS TABLE (period_start date, count bigint, amount numeric, prior_amount numeric, growth_rate numeric,
	year_ago_amount numeric, year_growth_rate numeric)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'period_values';
COMMENT ON FUNCTION sales_perf.period_values(sales_perf.period_summary) IS
'One row for each period from the first with rows to the last, those without rows included: rows, exact amount (0 without rows), the amount of the period before and of the same period a year ago (of a day the same date, of a week 52 weeks before; NULL before the first period), and growth from them as a fraction, NULL where they are not above 0.';

CREATE FUNCTION sales_perf.period_values(s sales_perf.period_summary, period_starts date[])
RETURNS TABLE (period_start date, count bigint, amount numeric, prior_amount numeric, growth_rate numeric,
	year_ago_amount numeric, year_growth_rate numeric)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 36
AS 'MODULE_PATHNAME', 'period_values';
COMMENT ON FUNCTION sales_perf.period_values(sales_perf.period_summary, date[]) IS
'The same of a summary by periods whose first days were given to period_agg: give them here too. A year ago is 12 months, 4 quarters, 52 weeks or 1 year before.';

CREATE FUNCTION sales_perf.period_growth_rate(s sales_perf.period_summary, period_start date)
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_growth_rate';
COMMENT ON FUNCTION sales_perf.period_growth_rate(sales_perf.period_summary, date) IS
'Growth of the period that holds the day over the period before, as a fraction. NULL where the period before is not above 0, or either is outside the periods of the summary.';

CREATE FUNCTION sales_perf.period_growth_rate(s sales_perf.period_summary, period_start date, period_starts date[])
RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'period_growth_rate';
COMMENT ON FUNCTION sales_perf.period_growth_rate(sales_perf.period_summary, date, date[]) IS
'The same of a summary by periods whose first days were given to period_agg: give them here too.';
