-- Lists of deals won, gathered by parallel workers too: array_agg() is so only from PostgreSQL 16 on.

CREATE TYPE sales_perf.won_deal AS (
	deal_id text,
	opened_on date,
	closed_on date,
	amount numeric
);
COMMENT ON TYPE sales_perf.won_deal IS 'A deal won: its key, the days it was opened and won, and what it brings.';

CREATE AGGREGATE sales_perf.won_deal_list(deal sales_perf.won_deal) (
	SFUNC = array_append,
	STYPE = sales_perf.won_deal[],
	COMBINEFUNC = array_cat,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sales_perf.won_deal_list(sales_perf.won_deal) IS
'The deals, in any order; of none NULL.';
