-- What a customer bought. No summary, for it is not rolled up, but parallel workers make it together.

CREATE TYPE sales_perf.purchase_history AS (
	first_on date,
	last_on date,
	purchase_count bigint,
	recent_count bigint,
	unpriced_count bigint,
	day_count bigint,
	gap_median double precision,
	quarter_1_count bigint,
	quarter_2_count bigint,
	quarter_3_count bigint,
	quarter_4_count bigint,
	total_amount numeric,
	recent_amount numeric,
	year_amount numeric,
	liked_product_id text,
	liked_amount numeric
);
COMMENT ON TYPE sales_perf.purchase_history IS
'What a customer bought: the first and the last day of a purchase; purchases, those of the last two years, and those without an amount; days with a purchase, the median of the days between two of them (NULL with fewer than two days), and how many of them lie in each quarter; amounts of all, of the last two years and of the last year; the product with the largest sum above 0 (of equal sums the first product in the order of bytes), and that sum; NULL: none.';

CREATE FUNCTION sales_perf.purchase_history_add(internal, bought_on date, amount numeric, product_id text, quarter integer, years_ago integer)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'purchase_history_add';
COMMENT ON FUNCTION sales_perf.purchase_history_add(internal, date, numeric, text, integer, integer) IS 'internal: transition of purchase_history_agg';

CREATE FUNCTION sales_perf.purchase_history_combine(internal, internal)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'purchase_history_combine';
COMMENT ON FUNCTION sales_perf.purchase_history_combine(internal, internal) IS 'internal: combines states of purchase_history_agg';

CREATE FUNCTION sales_perf.purchase_history_send(internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'purchase_history_send';
COMMENT ON FUNCTION sales_perf.purchase_history_send(internal) IS 'internal: a state of purchase_history_agg as bytes';

CREATE FUNCTION sales_perf.purchase_history_receive(bytea, internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'purchase_history_receive';
COMMENT ON FUNCTION sales_perf.purchase_history_receive(bytea, internal) IS 'internal: a state of purchase_history_agg from bytes';

CREATE FUNCTION sales_perf.purchase_history_final(internal)
RETURNS sales_perf.purchase_history
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'purchase_history_final';
COMMENT ON FUNCTION sales_perf.purchase_history_final(internal) IS 'internal: result of purchase_history_agg';

CREATE AGGREGATE sales_perf.purchase_history_agg(bought_on date, amount numeric, product_id text, quarter integer, years_ago integer) (
	SFUNC = sales_perf.purchase_history_add,
	STYPE = internal,
	SSPACE = 768,
	FINALFUNC = sales_perf.purchase_history_final,
	COMBINEFUNC = sales_perf.purchase_history_combine,
	SERIALFUNC = sales_perf.purchase_history_send,
	DESERIALFUNC = sales_perf.purchase_history_receive,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.purchase_history_agg(date, numeric, text, integer, integer) IS
'What a customer bought. A row with an amount above 0 or none is a purchase; one of 0 or less, a refund, only takes from amounts. quarter (1 to 4, NULL: none) is that of the day; of several of one day the last counts. years_ago is 0 for the last year, 1 for the year before, 2 or NULL for what is longer ago. Sums are exact. A row without a finite day is left out. NULL without any row.';
