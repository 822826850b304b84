-- Purchases and stage histories for the benchmark: a million purchases of 100,000 customers over 60
-- months in a mart, and a million stage events of 200,000 deals. Deterministic, as deals.sql.

SET client_min_messages = warning;
SELECT sales_perf.create_mart('sales');
SET search_path = sales, public;

INSERT INTO account (account_id, name)
SELECT 'A' || i, 'Account ' || i
  FROM generate_series(0, 99999) AS i;

INSERT INTO sale (sale_id, account_id, sold_on, amount)
SELECT 'S' || i,
       'A' || (hashint8extended(i, 11) & 1048575) % 100000,
       date '2020-01-01' + ((hashint8extended(i, 12) & 1048575) % 1826)::integer,
       round(((hashint8extended(i, 13) & 1048575) / 100.0)::numeric, 2)
  FROM generate_series(1, 1000000) AS i;

-- the retention that plain SQL gives: customers by month, joined with those of the month after
CREATE VIEW plain_retention AS
WITH customer_month AS (
	SELECT account_id,
	       date_trunc('month', sold_on::timestamp)::date AS month,
	       sum(amount) AS amount
	  FROM sale
	 WHERE sold_on <= sales_perf.as_of()
	 GROUP BY account_id, date_trunc('month', sold_on::timestamp)::date
	HAVING sum(amount) > 0
), first_month AS (
	SELECT account_id, min(month) AS month
	  FROM customer_month
	 GROUP BY account_id
), kept AS (
	SELECT (before.month + interval '1 month')::date AS month,
	       count(*) AS starting_count,
	       count(again.account_id) AS retained_count,
	       sum(before.amount) AS starting_amount,
	       sum(least(coalesce(again.amount, 0), before.amount)) AS kept_amount,
	       sum(coalesce(again.amount, 0)) AS current_amount
	  FROM customer_month AS before
	  LEFT JOIN customer_month AS again ON again.account_id = before.account_id
	   AND again.month = (before.month + interval '1 month')::date
	 GROUP BY 1
), active AS (
	SELECT month, count(*) AS active_count
	  FROM customer_month
	 GROUP BY month
), new AS (
	SELECT month, count(*) AS new_count
	  FROM first_month
	 GROUP BY month
)
SELECT active.month AS period_start,
       coalesce(kept.starting_count, 0) AS starting_count,
       coalesce(kept.retained_count, 0) AS retained_count,
       coalesce(kept.starting_count - kept.retained_count, 0) AS churned_count,
       coalesce(new.new_count, 0) AS new_count,
       active.active_count - coalesce(kept.retained_count, 0) - coalesce(new.new_count, 0) AS reactivated_count,
       kept.retained_count::float8 / kept.starting_count AS customer_retention_rate,
       coalesce(kept.starting_amount, 0) AS starting_amount,
       coalesce(kept.kept_amount, 0) AS kept_amount,
       coalesce(kept.current_amount, 0) AS current_amount
  FROM active
  LEFT JOIN kept ON kept.month = active.month
  LEFT JOIN new ON new.month = active.month;

CREATE UNLOGGED TABLE public.stage_events AS
SELECT i / 5 AS deal_id,
       date '2020-01-01' + (i / 5 % 1000 + (hashint8extended(i, 14) & 1048575) % 120)::integer AS entered_on,
       (1 + (hashint8extended(i, 15) & 1048575) % 6)::integer AS stage_no
  FROM generate_series(0, 999999) AS i
 ORDER BY hashint8extended(i, 16);

CREATE UNLOGGED TABLE public.staged_deals AS
SELECT deal_id::bigint,
       CASE deal_id % 3 WHEN 0 THEN 'won' WHEN 1 THEN 'lost' ELSE 'open' END AS outcome,
       CASE WHEN deal_id % 3 < 2 THEN date '2020-01-01' + (deal_id % 1000 + 121)::integer END AS closed_on
  FROM generate_series(0, 199999) AS deal_id;

VACUUM ANALYZE account;
VACUUM ANALYZE sale;
VACUUM ANALYZE public.stage_events;
VACUUM ANALYZE public.staged_deals;
