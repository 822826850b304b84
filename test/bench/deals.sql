-- Deals for the benchmark: 200 reps; 45 % won, 35 % lost, 20 % open; amounts roughly log-normal
-- with cents; cycles skewed to the short, up to 250 days; four years. Deterministic: all comes
-- from the row number. Keys of reps are text, as in a mart; columns of fixed width come first, as
-- one lays out a large table. The psql variable rows is how many.

SET client_min_messages = warning;
DROP TABLE IF EXISTS deals, deals_unordered;

CREATE UNLOGGED TABLE deals AS
WITH drawn AS (
	SELECT i AS deal_id,
	       (hashint8extended(i, 1) & 1048575) / 1048576.0::float8 AS for_rep,
	       (hashint8extended(i, 2) & 1048575) / 1048576.0::float8 AS for_outcome,
	       (hashint8extended(i, 3) & 1048575) / 1048576.0::float8 AS for_opening,
	       (hashint8extended(i, 4) & 1048575) / 1048576.0::float8 AS for_cycle,
	       (hashint8extended(i, 5) & 1048575) / 1048576.0::float8
	       + (hashint8extended(i, 6) & 1048575) / 1048576.0::float8
	       + (hashint8extended(i, 7) & 1048575) / 1048576.0::float8 AS for_amount
	  FROM generate_series(0, :rows - 1) AS i
)
SELECT deal_id::bigint AS deal_id,
       date '2020-01-01' + (for_opening * 1460)::integer AS opened_on,
       CASE
           WHEN for_outcome < 0.8
           THEN date '2020-01-01' + (for_opening * 1460)::integer + (for_cycle * for_cycle * 250)::integer
       END AS closed_on,
       'R' || lpad((floor(for_rep * 200))::text, 3, '0') AS rep_id,
       CASE
           WHEN for_outcome < 0.45 THEN 'won'
           WHEN for_outcome < 0.8 THEN 'lost'
           ELSE 'open'
       END AS outcome,
       round(exp(7 + 2 * (for_amount - 1.5))::numeric, 2) AS amount
  FROM drawn;

CREATE UNLOGGED TABLE deals_unordered AS
SELECT deal_id, rep_id, amount, outcome, opened_on, closed_on
  FROM deals;

VACUUM ANALYZE deals;
VACUUM ANALYZE deals_unordered;
