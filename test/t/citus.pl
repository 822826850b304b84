# On a Citus cluster (a coordinator and two workers) every aggregate is computed in parts: workers sum up their shards, the
# coordinator adds the summaries. The same queries on a distributed table and on a local one give the same summaries.
# Skipped where Citus is not installed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use EveryAggregate;
use PrivateCluster;
use JSON::PP;
use Test::More;

{
	my $node = PrivateCluster->new;
	plan skip_all => 'Citus is not installed' if !$node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'});
	$node->stop;
}

my ($coordinator, @workers) = map {
	my $node = PrivateCluster->new(conf => "shared_preload_libraries = 'citus'\nmax_prepared_transactions = 20\n");
	# nodes find each other by their sockets
	$node->safe_psql('postgres', "ALTER SYSTEM SET citus.local_hostname = '" . $node->dir . "'");
	$node->run('psql', '-Xq', '-d', 'postgres', '-c', 'SELECT pg_reload_conf()');
	$node->safe_psql('postgres', 'CREATE EXTENSION citus');
	$node->safe_psql('postgres', 'CREATE EXTENSION sales_perf');
	$node
} 1 .. 3;
$coordinator->safe_psql('postgres', "SELECT citus_set_coordinator_host('" . $coordinator->dir . "', 5432)");
$coordinator->safe_psql('postgres', "SELECT citus_add_node('" . $_->dir . "', 5432)") for @workers;
note($coordinator->safe_psql('postgres', 'SELECT citus_version()'));

# Without this strategy an aggregate that cannot be computed in parts would silently gather all rows; with it that is an error.
my $settings = <<'SQL';
SET search_path = public, sales_perf;
SET citus.coordinator_aggregation_strategy = 'disabled';
SQL

# The rows: once local, once distributed by deal, so that a rep's deals lie in all shards, and once by rep.
# What a function of the test's own would give is a column: workers know of no such function.
$coordinator->safe_psql('postgres', "\\i '$FindBin::Bin/../pgtap/fixture/samples.sql'\n" . <<'SQL');
SET search_path = public, sales_perf;
CREATE TABLE local_deal AS
SELECT seed * 100000 + deal_no AS deal_id, seed, (deal_no % 7)::int AS rep_no, amount, outcome, opened_on, closed_on,
	fixture.path(opened_on, deal_no) AS path,
	CASE WHEN deal_no % 9 > 0 THEN period_agg_add(NULL, opened_on, amount, opened_on, closed_on, 'month') END AS bought
FROM generate_series(1, 6) AS seed, fixture.deals(seed, 400);
INSERT INTO local_deal (deal_id, rep_no) VALUES (1, NULL), (2, 0), (3, NULL);

CREATE TABLE deal (LIKE local_deal);
SELECT create_distributed_table('deal', 'deal_id', shard_count => 6);
INSERT INTO deal TABLE local_deal;
CREATE TABLE by_rep (LIKE local_deal);
SELECT create_distributed_table('by_rep', 'rep_no', shard_count => 4, colocate_with => 'none');
INSERT INTO by_rep SELECT * FROM local_deal WHERE rep_no IS NOT NULL;

CREATE TABLE local_rep (rep_no int PRIMARY KEY, team text);
INSERT INTO local_rep SELECT n, chr(65 + n % 3) FROM generate_series(0, 6) AS n;
CREATE TABLE rep (LIKE local_rep INCLUDING ALL);
SELECT create_reference_table('rep');
INSERT INTO rep TABLE local_rep;
SQL

every_aggregate_is_named($coordinator);

# A query that gives key and s, its table written TABLE: over the distributed table and over the local one. Both are put into
# tables first, so that it is the local server that compares.
sub same
{
	my ($name, $query, $distributed, $local) = @_;
	my ($there, $here) = map { $query =~ s/\bTABLE\b/$_/r } $distributed, $local;
	my ($status, $out, $err) = $coordinator->psql('postgres', <<"SQL");
$settings
CREATE TEMPORARY TABLE there AS $there;
CREATE TEMPORARY TABLE here AS $here;
SELECT 'differs', coalesce(there.key, here.key)
FROM there
FULL JOIN here ON coalesce(here.key, '') = coalesce(there.key, '')
WHERE (there.s = here.s) IS NOT TRUE
UNION ALL
SELECT 'no rows', NULL
WHERE NOT EXISTS (SELECT FROM here);
SQL
	is("$status|$out", '0|', $name) or diag $err;
	return;
}

# what EXPLAIN says is asked of the workers
sub tasks
{
	my ($query) = @_;
	return $coordinator->safe_psql('postgres', "$settings SET citus.explain_all_tasks = on; EXPLAIN (VERBOSE, COSTS OFF) $query;");
}

for my $name (sort keys %call)
{
	my ($function) = $name =~ /^(\w+)/;
	my $call = "$function($call{$name})";
	my $asked = tasks("SELECT rep_no, $call FROM deal GROUP BY rep_no");
	my $partial = () = $asked =~ /Query: .*worker_partial_agg\('sales_perf\.\Q$function\E\(/g;
	is($partial, 6, "$name: every shard gives partial summaries") or diag $asked;
	same("$name: by rep, whose deals lie in all shards", "SELECT rep_no::text AS key, $call AS s FROM TABLE GROUP BY rep_no", 'deal', 'local_deal');
	same("$name: of all deals", "SELECT 'all' AS key, $call AS s FROM TABLE", 'deal', 'local_deal');
	same("$name: by deal", "SELECT deal_id::text AS key, $call AS s FROM TABLE WHERE seed = 2 GROUP BY deal_id", 'deal', 'local_deal');
	same("$name: with a FILTER that leaves nothing to most", "SELECT rep_no::text AS key, $call FILTER (WHERE deal_id % 400 = 17) AS s FROM TABLE GROUP BY rep_no", 'deal', 'local_deal');
	same("$name: of no deal at all", "SELECT 'none' AS key, $call AS s FROM TABLE WHERE seed > 1000", 'deal', 'local_deal');
	same("$name: where reps are on one shard each", "SELECT rep_no::text AS key, $call AS s FROM TABLE WHERE rep_no IS NOT NULL GROUP BY rep_no", 'by_rep', 'local_deal');
}

# stored summaries, also in the form that aggregates work with, rolled up
for my $type (split /\n/, $coordinator->safe_psql('postgres', 'SELECT name FROM fixture.type ORDER BY 1'))
{
	$coordinator->safe_psql('postgres', <<"SQL");
SET search_path = public, sales_perf;
CREATE TABLE local_of_$type AS
SELECT n AS cell_no, n % 5 AS rep_no, CASE WHEN n % 11 > 0 THEN CASE WHEN n % 2 = 0 THEN s ELSE w END END AS s
FROM generate_series(1, 80) AS n
JOIN fixture.sample_$type AS sample ON sample.seed = 1 + n % 16;
CREATE TABLE of_$type (LIKE local_of_$type);
SELECT create_distributed_table('of_$type', 'cell_no', shard_count => 4, colocate_with => 'none');
INSERT INTO of_$type TABLE local_of_$type;
SQL
	like(tasks("SELECT rep_no, rollup(s) FROM of_$type GROUP BY rep_no"), qr/worker_partial_agg\('sales_perf\.rollup\(/, "rollup($type): shards give partial summaries");
	same("rollup($type): by rep", 'SELECT rep_no::text AS key, rollup(s) AS s FROM TABLE GROUP BY rep_no', "of_$type", "local_of_$type");
	same("rollup($type): of all", q{SELECT 'all' AS key, rollup(s) AS s FROM TABLE}, "of_$type", "local_of_$type");
	same("$type: what was stored comes back", 'SELECT cell_no::text AS key, s FROM TABLE WHERE s IS NOT NULL', "of_$type", "local_of_$type");
}

# queries as people write them
my $agg = 'deal_agg(amount, outcome, opened_on, closed_on)';
same('accessors, having, order and limit',
	"SELECT rep_no::text AS key, round(win_rate($agg)::numeric, 9) AS s FROM TABLE GROUP BY rep_no HAVING won_count($agg) > 100 ORDER BY win_rate($agg) DESC, rep_no LIMIT 4",
	'deal', 'local_deal');
same('several aggregates at once', "SELECT rep_no::text AS key, ROW(bookings_amount($agg), count(*), cycle_km_median($agg, '2024-06-30'), amount_median(amount_agg(amount)))::text AS s FROM TABLE GROUP BY rep_no",
	'deal', 'local_deal');
same('by team, joined on the workers', "SELECT team AS key, $agg AS s FROM TABLE GROUP BY team", 'deal JOIN rep USING (rep_no)', 'local_deal JOIN local_rep USING (rep_no)');
same('by the month of closing, and twelve moving months of it',
	"SELECT month::text AS key, rollup(s) OVER (ORDER BY month ROWS 11 PRECEDING) AS s FROM (SELECT date_trunc('month', closed_on::timestamp) AS month, $agg AS s FROM TABLE WHERE closed_on BETWEEN '2020-01-01' AND '2030-12-31' GROUP BY 1) AS by_month",
	'deal', 'local_deal');
same('subtotals of summaries that the shards gave',
	"SELECT grouping(rep_no, seed) || concat_ws('/', '', rep_no, seed) AS key, rollup(s) AS s FROM (SELECT rep_no, seed, $agg AS s FROM TABLE WHERE rep_no IS NOT NULL AND seed IS NOT NULL GROUP BY rep_no, seed OFFSET 0) AS part GROUP BY ROLLUP (rep_no, seed)",
	'deal', 'local_deal');

# cells kept on the workers, made by the workers from their own deals
$coordinator->safe_psql('postgres', <<"SQL");
$settings
CREATE TABLE cell (rep_no int, closed_on date, s deal_summary);
SELECT create_distributed_table('cell', 'rep_no', colocate_with => 'by_rep');
INSERT INTO cell SELECT rep_no, closed_on, $agg FROM by_rep GROUP BY rep_no, closed_on;
SQL
like(tasks("INSERT INTO cell SELECT rep_no, closed_on, $agg FROM by_rep GROUP BY rep_no, closed_on"), qr/INSERT INTO public\.cell_\d+/, 'workers fill cells from their own shards');
same('cells on the workers, rolled up', q{SELECT 'all' AS key, rollup(s) AS s FROM (TABLE) AS c}, 'SELECT s FROM cell', "SELECT $agg AS s FROM local_deal WHERE rep_no IS NOT NULL");

# What travels is a summary for each group and shard, and no deal: the workers group. (Counted from what they are asked:
# EXPLAIN ANALYZE of Citus fails on partial aggregates of any extension, as cstring is no type of a column.)
{
	my ($asked) = tasks("SELECT rep_no, $agg FROM deal GROUP BY rep_no") =~ /Query: (.*)/;
	my ($rows, $deals) = split /\|/, $coordinator->safe_psql('postgres', <<'SQL');
SELECT (SELECT sum(result::int)
		FROM run_command_on_shards('deal', 'SELECT count(*) FROM (SELECT rep_no FROM %s GROUP BY rep_no) AS g')),
	(SELECT count(*) FROM local_deal)
SQL
	like($asked, qr/GROUP BY rep_no\s*$/, 'the workers group');
	cmp_ok($rows, '<=', 6 * 8, "of $deals deals $rows summaries travel");
}

done_testing();
