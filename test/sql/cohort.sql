-- cohort_summary: input, output, operators and errors
SET search_path = sales_perf;
SET datestyle = ISO;

CREATE TEMPORARY TABLE customer AS
SELECT name, period_agg(d, a, 'month') AS s
FROM (VALUES ('Ann', date '2024-01-05', 10.50), ('Ann', '2024-02-07', 2), ('Bob', '2024-01-09', 1e30), ('Bob', '2024-03-08', 'NaN'), ('Cid', NULL, 1), ('Dee', '2023-12-31', -5)) AS v (name, d, a)
GROUP BY name;
SELECT cohort_agg(s) FROM customer;
SELECT cohort_agg(s) FROM customer WHERE false;
SELECT cohort_agg(NULL::period_summary);
SELECT cohort_agg(s) - cohort_agg(s) = rollup('{"grain": null, "inactive": 0, "invalid": 0, "cells": {"points": {}, "scales": {}}}'::cohort_summary) FROM customer;
SELECT is_valid(- cohort_agg(s)), customer_count(- cohort_agg(s)), customer_count(cohort_agg(s)) FROM customer WHERE name = 'Ann';
SELECT period_start, starting, retained, churned, new, reactivated FROM retention_values((SELECT cohort_agg(s) FROM customer));

SELECT '{"grain": "month", "inactive": 0, "invalid": 0, "cells": {"points": {"24288,0": {"active": 1, "retained": 0, "amount": 5, "active_amount": 5, "current_amount": 0, "kept_amount": 0}}, "scales": {"0": 1}}}'::cohort_summary;
SELECT '{"grain": "month", "inactive": 0, "invalid": 0, "cells": {"points": {"24288": {"active": 1, "retained": 0, "amount": 5, "active_amount": 5, "current_amount": 0, "kept_amount": 0}}, "scales": {"0": 1}}}'::cohort_summary;
SELECT '{"grain": "month", "inactive": 0, "invalid": 0, "cells": {"points": {"24288,4294967296": {"active": 1, "retained": 0, "amount": 5, "active_amount": 5, "current_amount": 0, "kept_amount": 0}}, "scales": {"0": 1}}}'::cohort_summary;
SELECT '{"grain": "month", "inactive": 0, "invalid": 0, "cells": {"points": {"24288, 0": {"active": 1, "retained": 0, "amount": 5, "active_amount": 5, "current_amount": 0, "kept_amount": 0}}, "scales": {"0": 1}}}'::cohort_summary;

-- what cannot be
SELECT is_valid(replace(t, '24288,0', key)::cohort_summary) AS is_valid, key
FROM (SELECT '{"grain": "month", "inactive": 0, "invalid": 0, "cells": {"points": {"24288,0": {"active": 1, "retained": 0, "amount": 5, "active_amount": 5, "current_amount": 0, "kept_amount": 0}}, "scales": {"0": 1}}}' AS t) AS x,
	unnest('{"24288,0", "24288,-1", "2147483647,5", "-2147483648,0", "24288,2147483647"}'::text[]) AS key;
SELECT is_valid('{"grain": "month", "inactive": 0, "invalid": 0, "cells": {"points": {"24288,0": {"active": 1, "retained": 2, "amount": 5, "active_amount": 5, "current_amount": 0, "kept_amount": 0}}, "scales": {"0": 1}}}'::cohort_summary);

SELECT retention_values(cohort_agg(s), 'infinity') FROM customer;
