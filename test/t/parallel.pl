# With 0, 1 and 4 workers, however the plan combines them, every aggregate that makes summaries gives the same bytes, and
# won_deal_list the same deals.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use JSON::PP;
use Test::More;

my $node = PrivateCluster->new(conf => <<'CONF');
max_worker_processes = 12
max_parallel_workers = 12
CONF
$node->safe_psql('postgres', 'CREATE EXTENSION sales_perf');
$node->safe_psql('postgres', "\\i '$FindBin::Bin/../pgtap/fixture/samples.sql'\n" . <<'SQL');
CREATE TABLE deal AS
SELECT seed, seed % 5 AS team_no, deal_no % 97 AS rep_no, amount, outcome, opened_on, closed_on
FROM generate_series(1, 60) AS seed, fixture.deals(seed, 200);
CREATE TABLE no_deal AS TABLE deal WITH NO DATA;
CREATE TABLE by_rep AS
SELECT seed, rep_no, sales_perf.period_agg(opened_on, amount, 'month') AS period_s
FROM deal
GROUP BY seed, rep_no;
-- of every type that the catalogue knows: 60 groups of ten summaries
SELECT format('CREATE TABLE of_%1$s AS SELECT g AS seed, s FROM generate_series(1, 60) AS g JOIN fixture.sample_%1$s AS sample ON (sample.seed * 7 + g) %% 16 < 10', name)
FROM fixture.type \gexec
CREATE TABLE parted (LIKE deal) PARTITION BY LIST (team_no);
SELECT format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES IN (%s)', n, n) FROM generate_series(0, 4) AS n \gexec
INSERT INTO parted TABLE deal;
ANALYZE;
SQL

# every one that takes rows, over a row of deal or of by_rep; rollups are added below, of each type
my %call = (
	'conversion_agg(boolean)' => [ deal => q{outcome = 'won'} ],
	'amount_agg(numeric)' => [ deal => 'amount' ],
	'cycle_agg(text,date,date)' => [ deal => 'outcome, opened_on, closed_on' ],
	'deal_agg(numeric,text,date,date)' => [ deal => 'amount, outcome, opened_on, closed_on' ],
	'attainment_agg(numeric,numeric)' => [ deal => 'amount, amount * (0.5 + rep_no % 4 * 0.25)' ],
	'outlook_agg(numeric,doubleprecision)' => [ deal => 'amount, rep_no / 100.0' ],
	'closing_agg(date,text,numeric,date,text)' => [ deal => q{closed_on, outcome, amount, opened_on, 'month'} ],
	'closing_agg(date,text,numeric,date,text,date[])' => [ deal => q{closed_on, outcome, amount, opened_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'} ],
	'period_agg(date,numeric,text)' => [ deal => q{opened_on, amount, 'month'} ],
	'period_agg(date,numeric,date,date,text)' => [ deal => q{opened_on, amount, opened_on, closed_on, 'month'} ],
	'period_agg(date,numeric,text,date[])' => [ deal => q{opened_on, amount, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'} ],
	'period_agg(date,numeric,date,date,text,date[])' => [ deal => q{opened_on, amount, opened_on, closed_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'} ],
	'cohort_agg(period_summary)' => [ by_rep => 'period_s' ],
	'stage_path_agg(integer,date)' => [ deal => '(rep_no % 5)::int, opened_on' ],
	'funnel_agg(stage_path,text,date)' => [ deal => 'fixture.path(opened_on, rep_no), outcome, closed_on' ],
	'funnel_agg(stage_path,text,date,text)' => [ deal => q{fixture.path(opened_on, rep_no), outcome, closed_on, 'direct'} ],
);
for my $type (split /\n/, $node->safe_psql('postgres', 'SELECT name FROM fixture.type'))
{
	$call{"rollup($type)"} = [ "of_$type" => 's' ];
}
my $aggregates = $node->safe_psql('postgres', q{
	SET search_path = sales_perf;
	SELECT replace(oid::regprocedure::text, ' ', '') FROM pg_proc
	WHERE pronamespace = 'sales_perf'::regnamespace AND prokind = 'a' AND prorettype IN (SELECT type_oid FROM fixture.type) ORDER BY 1});
is($aggregates, join("\n", sort keys %call), 'every aggregate that makes summaries is tried here: name it in %call');

my $parallel = <<'SQL';
SET search_path = public, sales_perf;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
SQL

# the answer of a query in a session with these settings: a digest
sub answer
{
	my ($settings, $query) = @_;
	return $node->safe_psql('postgres', "$settings\nSELECT count(*), md5(string_agg(q::text, ',' ORDER BY q::text)) FROM ($query) AS q;");
}

# all nodes of the plan that is really run
sub nodes
{
	my ($settings, $query) = @_;
	my $plan = decode_json($node->safe_psql('postgres', "$settings\nEXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) $query;"));
	my @todo = ($plan->[0]{Plan});
	my @nodes;
	while (my $next = shift @todo)
	{
		push @nodes, $next;
		push @todo, @{ $next->{Plans} || [] };
	}
	return @nodes;
}

sub has_mode
{
	my ($mode, @nodes) = @_;
	return scalar grep { ($_->{'Partial Mode'} || '') eq $mode } @nodes;
}

sub launched
{
	my $most = 0;
	for (@_) { $most = $_->{'Workers Launched'} if ($_->{'Workers Launched'} || 0) > $most; }
	return $most;
}

for my $name (sort keys %call)
{
	my ($table, $arguments) = @{ $call{$name} };
	my ($function) = $name =~ /^(\w+)/;
	my $call = "$function($arguments)";
	my $whole = "SELECT fixture.packed($call) AS s FROM $table";
	my $grouped = "SELECT seed, fixture.packed($call) AS s FROM $table GROUP BY seed";

	my $serial = "SET search_path = public, sales_perf;\nSET max_parallel_workers_per_gather = 0;";
	my ($of_all, $of_groups) = (answer($serial, $whole), answer($serial, $grouped));
	like($of_groups, qr/^60\|/, "$name: there are groups");

	for my $workers (1, 4)
	{
		my $settings = "$parallel\nALTER TABLE $table SET (parallel_workers = $workers);";
		for ([ 'all rows', $whole, $of_all ], [ 'groups', $grouped, $of_groups ])
		{
			my ($what, $query, $expected) = @$_;
			my @nodes = nodes($settings, $query);
			ok(has_mode('Partial', @nodes) && has_mode('Finalize', @nodes) && launched(@nodes) == $workers,
				"$name over $what with $workers workers: they aggregate in parts");
			is(answer($settings, $query), $expected, "$name over $what with $workers workers: the same bytes");
		}
	}

	# the leader only combines; and groups sorted or hashed
	for ('parallel_leader_participation = off', 'enable_hashagg = off', 'enable_sort = off')
	{
		my $settings = "$parallel\nSET $_;";
		ok(has_mode('Partial', nodes($settings, $grouped)), "$name with $_: in parts");
		is(answer($settings, $grouped), $of_groups, "$name with $_: the same bytes");
	}

	# FILTER that leaves nothing, or nothing to some workers
	is(answer($parallel, "SELECT fixture.packed($call FILTER (WHERE seed > 1000)) AS s FROM $table"),
		answer($serial, "SELECT fixture.packed($call) AS s FROM $table WHERE false"), "$name: a FILTER leaves nothing");
	is(answer($parallel, "SELECT fixture.packed($call FILTER (WHERE seed = 7)) AS s FROM $table"),
		answer($serial, "SELECT fixture.packed($call) AS s FROM $table WHERE seed = 7"), "$name: or little");
}

# no rows in a parallel plan
{
	my $query = 'SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s, amount_agg(amount) FROM deal WHERE seed % 7 = 8';
	my @nodes = nodes($parallel, $query);
	ok(has_mode('Finalize', @nodes) && launched(@nodes) > 0, 'a parallel plan over no rows');
	is(answer($parallel, $query),
		answer('SET search_path = public, sales_perf; SET max_parallel_workers_per_gather = 0;',
			'SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s, amount_agg(amount) FROM no_deal'),
		'gives the empty summary');
}

# partitions: each aggregated for itself, then combined, by workers or not
{
	my $query = 'SELECT rep_no, fixture.packed(deal_agg(amount, outcome, opened_on, closed_on)) AS s FROM parted GROUP BY rep_no';
	my $expected = answer('SET search_path = public, sales_perf; SET max_parallel_workers_per_gather = 0;', $query);
	for my $workers (0, 4)
	{
		my $settings = "$parallel\nSET enable_partitionwise_aggregate = on;\nSET max_parallel_workers_per_gather = $workers;";
		my @nodes = nodes($settings, $query);
		cmp_ok(has_mode('Partial', @nodes), '>=', 5, "partitionwise with $workers workers: every partition is aggregated for itself");
		is(answer($settings, $query), $expected, "partitionwise with $workers workers: the same bytes");
	}
}

# a whole query sent to a worker: states, summaries and settings travel
{
	my $force = "SET search_path = public, sales_perf; SET sales_perf.as_of = '2024-06-30';\n";
	my $query = q{SELECT seed, deal_agg(amount, outcome, opened_on, closed_on)::text AS s, cycle_km_median(deal_agg(amount, outcome, opened_on, closed_on)) AS median,
		as_of() FROM deal GROUP BY seed};
	my $expected = answer("$force SET max_parallel_workers_per_gather = 0;", $query);
	my $setting = $node->safe_psql('postgres', q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
	my $settings = "$force SET $setting = on;";
	cmp_ok(launched(nodes($settings, $query)), '>=', 1, 'a worker runs the query');
	is(answer($settings, $query), $expected, 'a worker alone gives the same answers, as of the same day');
}

# lists of deals: those that array_agg finds, in whatever order; of none NULL
{
	my $deals = 'ROW(seed, opened_on, closed_on, amount)::sales_perf.won_deal';
	my $sorted = 'SELECT rep_no, cardinality(d), (SELECT array_agg(e::text ORDER BY e::text) FROM unnest(d) AS e) AS s FROM';
	my $query = "SELECT rep_no, won_deal_list($deals) FILTER (WHERE outcome = 'won') AS d FROM deal GROUP BY rep_no";
	my @nodes = nodes($parallel, $query);
	ok(has_mode('Partial', @nodes) && launched(@nodes) == 4, 'won_deal_list: workers gather their deals');
	is(answer($parallel, "$sorted ($query) AS q"),
		answer('SET max_parallel_workers_per_gather = 0;', "$sorted (SELECT rep_no, array_agg($deals) FILTER (WHERE outcome = 'won') AS d FROM deal GROUP BY rep_no) AS q"),
		'won_deal_list: those that array_agg finds');
	my $none = "SELECT won_deal_list($deals) FILTER (WHERE seed = 1000) IS NULL AS none FROM deal";
	ok(has_mode('Partial', nodes($parallel, $none)), 'won_deal_list: of none, in parts');
	is(answer($parallel, $none), answer('', 'SELECT true AS none'), 'won_deal_list: NULL');
}

# accessors over parts that have come from workers
is(
	$node->safe_psql('postgres', "$parallel SELECT won_count(s), lost_count(s), bookings_amount(s) FROM (SELECT deal_agg(amount, outcome, opened_on, closed_on) AS s FROM deal WHERE seed % 3 = 1) AS d;"),
	$node->safe_psql('postgres', q{SET max_parallel_workers_per_gather = 0;
		SELECT count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'), sum(amount) FILTER (WHERE outcome = 'won') FROM deal WHERE seed % 3 = 1}),
	'accessors of a summary made by workers give what plain SQL gives');

done_testing();
