-- the date of a report, and scalars
SET search_path = public, sales_perf;
SET sales_perf.as_of = '2024-02-29';
SELECT as_of();
SHOW sales_perf.as_of;
SET sales_perf.as_of = '2023-02-29';
SET sales_perf.as_of = '29.2.2024';
SET sales_perf.as_of = 'today';
SET sales_perf.as_of = 'infinity';
SET sales_perf.as_of = '2024-2-9';
SET sales_perf.as_of = '2024-02-29 ';
SET sales_perf.as_of = '02024-02-29';
SELECT as_of();
SET datestyle = 'SQL, DMY';
SET sales_perf.as_of = '2024-03-04';
SELECT extract(month FROM as_of()) AS month;
RESET datestyle;
SET sales_perf.as_of = '';
SELECT as_of() = current_date AS today;
RESET sales_perf.as_of;
SELECT as_of() = current_date AS today;
SET sales_perf.as_off = '2024-01-01';
SELECT set_config('sales_perf.as_of', '2024-01-01', true), as_of() = current_date AS only_in_its_transaction;
BEGIN;
SELECT set_config('sales_perf.as_of', '2024-01-01', true), as_of() AS within;
ROLLBACK;
SELECT as_of() = current_date AS today;

SELECT growth_rate(120, 100), growth_rate(80, 100), growth_rate(1, 0), growth_rate(1, -5), growth_rate(NULL, 5), growth_rate(0, 4);
SELECT round(cagr(100, 121, 2)::numeric, 12) AS cagr, cagr(0, 1, 1), cagr(1, 0, 1), cagr(1, 2, 0), cagr(-1, 2, 1), cagr(NULL, 2, 1);

-- business_days: Monday to Friday, the last day excluded
SELECT business_days('2024-01-01', '2024-01-06') AS monday_to_friday, business_days('2024-01-06', '2024-01-08') AS weekend,
	business_days('2024-01-05', '2024-01-05') AS no_day, business_days('2024-01-08', '2024-01-01') AS backwards;
SELECT business_days('4714-11-24 BC', '5874897-12-31') AS all_days, business_days('5874897-12-31', '4714-11-24 BC') AS and_back;
SELECT business_days('-infinity', '2024-01-01') AS infinite, business_days('2024-01-01', 'infinity') AS infinite, business_days(NULL, '2024-01-01') AS not_known;
SELECT provolatile, proisstrict, proparallel FROM pg_proc WHERE proname = 'business_days';

-- set before the library is there: an error at first use, and again, until it is mended
\c -
SET sales_perf.as_of = 'yesterday';
SELECT sales_perf.as_of();
SELECT sales_perf.as_of();
SELECT sales_perf.cycle_km_median(sales_perf.cycle_agg('won', '2024-01-01', '2024-01-02'));
SET sales_perf.as_of = '2024-01-31';
SELECT sales_perf.as_of();
SET sales_perf.as_of = 'tomorrow';
SELECT sales_perf.as_of();
