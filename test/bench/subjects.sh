# Sourced by run.sh: summaries of subjects, that is customers and the ways of deals through the stages.

run_sql -f test/bench/sales.sql
heading "1,000,000 purchases of 100,000 customers; 1,000,000 stage events of 200,000 deals"

# hashing a hundred thousand groups wants memory, whatever is summed up
retention="SET work_mem = '64MB'; SET sales_perf.as_of = '2024-12-31'; SELECT period_start, starting_count, retained_count, churned_count,
	new_count, reactivated_count, customer_retention_rate, starting_amount, kept_amount, current_amount FROM sales"
compare "retention by month, the view of a mart" "count(*), sum(amount) by customer" "<= 1.5" \
	"$retention.retention WHERE level = 'company' AND grain = 'month'" \
	"SET work_mem = '64MB'; SELECT account_id, count(*), sum(amount) FROM sales.sale GROUP BY account_id OFFSET 90000"
compare "retention by month, the view of a mart" "plain self-join" ">= 4 x faster" \
	"$retention.retention WHERE level = 'company' AND grain = 'month'" \
	"$retention.plain_retention"
compare "funnel of 200,000 deals" "their stages by array_agg" "<= 2" \
	"SET work_mem = '64MB'; SELECT v.* FROM (SELECT sales_perf.funnel_agg(path, outcome, closed_on) AS s
		FROM (SELECT deal_id, sales_perf.stage_path_agg(stage_no, entered_on) AS path FROM stage_events GROUP BY deal_id) AS p
		JOIN staged_deals USING (deal_id)) AS f, sales_perf.funnel_values(s, '2024-12-31') AS v" \
	"SET work_mem = '64MB'; SELECT deal_id, array_agg(stage_no ORDER BY entered_on) FROM stage_events GROUP BY deal_id OFFSET 190000"
