# A continuous aggregate of TimescaleDB whose column is a summary: what it holds, and what of it is rolled up, equals what
# the rows give; after they have changed too, once it is refreshed, and in real time before that.
# Skipped where TimescaleDB is not installed. What it asks of aggregates is tested everywhere, in pgtap/engine_rollup.sql.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use EveryAggregate;
use PrivateCluster;
use Test::More;

{
	my $node = PrivateCluster->new;
	plan skip_all => 'TimescaleDB is not installed' if !$node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'});
	$node->stop;
}

my $node = PrivateCluster->new(conf => "shared_preload_libraries = 'timescaledb'\n");
my ($status, undef, $error) = $node->psql('postgres', "CREATE EXTENSION timescaledb;\nCREATE EXTENSION sales_perf;\n\\i '$FindBin::Bin/../pgtap/fixture/samples.sql'\n");
is($status, 0, 'the extensions live together') or BAIL_OUT($error);
note('TimescaleDB ' . $node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'}));

my $path = "SET search_path = public, sales_perf, pg_temp;\nSET client_min_messages = warning;\n";
$node->safe_psql('postgres', $path . <<'SQL');
CREATE TABLE deal (deal_id bigint, noted_on date NOT NULL, rep_no int, amount numeric, outcome text, opened_on date, closed_on date, path stage_path, bought period_summary);
SELECT create_hypertable('deal', 'noted_on', chunk_time_interval => interval '90 days');
INSERT INTO deal
SELECT seed * 100000 + deal_no, date '2023-01-01' + (fixture.random('noted', seed * 1009 + deal_no) * 700)::int, deal_no % 7,
	amount, outcome, opened_on, closed_on, fixture.path(opened_on, deal_no), period_agg_add(NULL, opened_on, amount, opened_on, closed_on, 'month')
FROM generate_series(1, 3) AS seed, fixture.deals(seed, 700);
SQL

every_aggregate_is_named($node);

# keys for which two queries, both of key and s, do not agree
sub differences
{
	my ($stored, $direct) = @_;
	return $node->safe_psql('postgres', "$path SELECT coalesce(a.key, b.key) FROM ($stored) AS a FULL JOIN ($direct) AS b USING (key) WHERE (a.s = b.s) IS NOT TRUE");
}

my (%cells, %by_week, %by_rep);
my $number = 0;
for my $name (sort keys %call)
{
	my ($function) = $name =~ /^(\w+)/;
	my $call = "$function($call{$name})";
	my $cells = $cells{$name} = 'cells_' . ++$number;
	my ($made, undef, $refused) = $node->psql('postgres', <<"SQL");
$path
CREATE MATERIALIZED VIEW $cells WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket('7 days', noted_on) AS week, rep_no, $call AS s
FROM deal
GROUP BY 1, 2
WITH NO DATA;
CALL refresh_continuous_aggregate('$cells', NULL, NULL);
SQL
	is($made, 0, "$name: goes into a continuous aggregate") or diag $refused;
	next if $made;
	$by_week{$name} = "SELECT concat_ws('/', time_bucket('7 days', noted_on), rep_no) AS key, $call AS s FROM deal GROUP BY time_bucket('7 days', noted_on), rep_no";
	$by_rep{$name} = "SELECT rep_no::text AS key, $call AS s FROM deal GROUP BY rep_no";
	is(differences("SELECT concat_ws('/', week, rep_no) AS key, s FROM $cells", $by_week{$name}), '', "$name: which holds what the rows give");
	is(differences("SELECT rep_no::text AS key, rollup(s) AS s FROM $cells GROUP BY rep_no", $by_rep{$name}), '', "$name: and rolls up to what they give");
}

# deals that come later are seen at once, as the rest of such a view is computed when it is read; edited ones once it is refreshed
$node->safe_psql('postgres', $path . <<'SQL');
INSERT INTO deal SELECT deal_id + 50000, noted_on + 800, rep_no, amount, outcome, opened_on, closed_on, path, bought FROM deal WHERE deal_id % 3 = 0;
SQL
for my $name (sort keys %by_rep)
{
	is(differences("SELECT rep_no::text AS key, rollup(s) AS s FROM $cells{$name} GROUP BY rep_no", $by_rep{$name}), '', "$name: later deals are seen in real time");
}
$node->safe_psql('postgres', $path . <<'SQL');
UPDATE deal SET amount = amount + 1, outcome = 'lost', closed_on = opened_on + 3 WHERE deal_id % 10 = 1;
DELETE FROM deal WHERE deal_id % 10 = 2;
SQL
for my $name (sort keys %by_rep)
{
	isnt(differences("SELECT concat_ws('/', week, rep_no) AS key, s FROM $cells{$name}", $by_week{$name}), '', "$name: what is stored is out of date, and seen to be");
	$node->safe_psql('postgres', "$path CALL refresh_continuous_aggregate('$cells{$name}', NULL, NULL);");
	is(differences("SELECT concat_ws('/', week, rep_no) AS key, s FROM $cells{$name}", $by_week{$name}), '', "$name: refreshed after edits and deletions");
	is(differences("SELECT rep_no::text AS key, rollup(s) AS s FROM $cells{$name} GROUP BY rep_no", $by_rep{$name}), '', "$name: and rolled up");
}

# a continuous aggregate over another one: months of weeks would not be whole, four weeks are
($status, undef, $error) = $node->psql('postgres', $path . <<"SQL");
CREATE MATERIALIZED VIEW four_weeks WITH (timescaledb.continuous) AS
SELECT time_bucket('28 days', week) AS start, rep_no, rollup(s) AS s
FROM $cells{'deal_agg(numeric,text,date,date)'}
GROUP BY 1, 2
WITH NO DATA;
CALL refresh_continuous_aggregate('four_weeks', NULL, NULL);
SQL
is($status, 0, 'rollup goes into a continuous aggregate over a continuous aggregate') or diag $error;
is(
	differences("SELECT concat_ws('/', start, rep_no) AS key, s FROM four_weeks",
		"SELECT concat_ws('/', time_bucket('28 days', noted_on), rep_no) AS key, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM deal GROUP BY time_bucket('28 days', noted_on), rep_no"),
	'', 'which holds what the rows give');

done_testing();
