-- Several groupings of closed deals in one reading of them. No summary, for it is not rolled up, but parallel workers make it together.

CREATE TYPE sales_perf.closing_tally AS (
	first_key text,
	second_key text,
	third_key text,
	period_start date,
	won_count bigint,
	lost_count bigint,
	priced_count bigint,
	bookings_amount numeric,
	amount_squares numeric,
	cycle_count bigint,
	cycle_days bigint,
	cycle_squares numeric,
	expected_count bigint,
	late_count bigint
);
COMMENT ON TYPE sales_perf.closing_tally IS
'Deals of the same keys closed in a period (period_start: its first day; NULL: at any time): won and lost; won ones with an amount (priced_count), the sum of their amounts and of the squares of these; won ones whose days from opening to closing are known and not below 0 (cycle_count), the sum of these days and of their squares; those won or lost that were expected to close on a known day, and of these the ones closed after it (late_count). Sums are exact, and 0 of none.';

CREATE FUNCTION sales_perf.closing_tally_add(internal, first_key text, second_key text, third_key text, closed_on date, outcome text, amount numeric, opened_on date, expected_close_on date, grain text)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_tally_add';
COMMENT ON FUNCTION sales_perf.closing_tally_add(internal, text, text, text, date, text, numeric, date, date, text) IS 'internal: transition of closing_tally_agg';

CREATE FUNCTION sales_perf.closing_tally_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_tally_combine';
COMMENT ON FUNCTION sales_perf.closing_tally_combine(internal, internal) IS 'internal: combines states of closing_tally_agg';

CREATE FUNCTION sales_perf.closing_tally_send(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_tally_send';
COMMENT ON FUNCTION sales_perf.closing_tally_send(internal) IS 'internal: a state of closing_tally_agg as bytes';

CREATE FUNCTION sales_perf.closing_tally_receive(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_tally_receive';
COMMENT ON FUNCTION sales_perf.closing_tally_receive(bytea, internal) IS 'internal: a state of closing_tally_agg from bytes';

CREATE FUNCTION sales_perf.closing_tally_final(internal)
RETURNS sales_perf.closing_tally[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'closing_tally_final';
COMMENT ON FUNCTION sales_perf.closing_tally_final(internal) IS 'internal: result of closing_tally_agg';

CREATE AGGREGATE sales_perf.closing_tally_agg(first_key text, second_key text, third_key text, closed_on date, outcome text, amount numeric, opened_on date, expected_close_on date, grain text) (
	SFUNC = sales_perf.closing_tally_add,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = sales_perf.closing_tally_final,
	COMBINEFUNC = sales_perf.closing_tally_combine,
	SERIALFUNC = sales_perf.closing_tally_send,
	DESERIALFUNC = sales_perf.closing_tally_receive,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.closing_tally_agg(text, text, text, date, text, numeric, date, date, text) IS
'Counts and sums up closed deals by up to three keys (any may be NULL, and is then a value of its own) and by the period they closed in: grain is day, week (ISO, from Monday), month, quarter or year, or NULL for one period. Several of them in one query give several groupings from one reading of the deals, by parallel workers too. Ordered by the keys, as bytes, and the period. outcome is won, lost or open (NULL is open), anything else an error; deals that are open or have no finite day of closing are left out (closing_agg counts them). NULL without any row.';
