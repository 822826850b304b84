# Three clusters: a coordinator and two shards with a mart each, read through postgres_fdw as doc/scale.md says. What is rolled
# up from the shards equals one mart that holds all deals; and the rows that travel are counted: rollups instead of deals.
#
# generate_demo gives the same company for the same arguments. So each shard makes the whole company and keeps the rows of its
# own accounts, and the coordinator has the whole company in a mart of its own to compare with.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use JSON::PP;
use POSIX ();
use Test::More;

my $as_of = '2025-06-30';
my $deals = 4000;
my ($coordinator, @shards) = map { PrivateCluster->new } 1 .. 3;
if (!$coordinator->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}))
{
	plan skip_all => 'postgres_fdw is not installed';
}

my $company = <<"SQL";
CREATE EXTENSION sales_perf;
SELECT sales_perf.create_mart('sales');
SET sales_perf.as_of = '$as_of';
SELECT sales_perf.generate_demo('sales', $deals, 7);
-- some are corrected later, so that as of that day they stand as they stood
SET search_path = sales;
SET timezone = 'GMT';
UPDATE deal SET amount = amount * 2 WHERE deal_id IN (SELECT deal_id FROM deal ORDER BY deal_id LIMIT 40);
UPDATE deal SET outcome = 'open', closed_on = NULL WHERE deal_id IN (SELECT deal_id FROM deal WHERE outcome = 'won' ORDER BY deal_id DESC LIMIT 20);
SQL
my $whole = sub {
	$coordinator->safe_psql('postgres', "$company ALTER SCHEMA sales RENAME TO whole;");
	$coordinator->safe_psql('postgres', q{SELECT sales_perf.upgrade_mart('whole')});
};
my $part = sub {
	my ($shard_no) = @_;
	$shards[ $shard_no - 1 ]->safe_psql('postgres', $company . <<"SQL");
-- an account is on one shard, with its deals, leads, events and splits; what has no account is on the second
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.is_here(account_id text) RETURNS boolean LANGUAGE sql RETURN coalesce(hashtext(account_id) & 1 = 0, false) = ($shard_no = 1);
DELETE FROM deal WHERE NOT pg_temp.is_here(account_id);
DELETE FROM lead WHERE NOT pg_temp.is_here(account_id);
DELETE FROM account WHERE NOT pg_temp.is_here(account_id);
DELETE FROM stage_event WHERE deal_id NOT IN (SELECT deal_id FROM deal);
DELETE FROM deal_change WHERE deal_id NOT IN (SELECT deal_id FROM deal);
DELETE FROM deal_credit WHERE deal_id NOT IN (SELECT deal_id FROM deal);
RESET session_replication_role;
-- a number of its own, for partitions
CREATE VIEW numbered_closed_cell WITH (security_invoker = true) AS SELECT $shard_no AS shard_no, c.* FROM closed_cell AS c;
VACUUM ANALYZE;
SQL
};
# all three at once
my @children;
for my $work ($whole, sub { $part->(1) }, sub { $part->(2) })
{
	my $child = fork() // die "fork: $!";
	if (!$child)
	{
		my $done = eval { $work->(); 1 };
		print STDERR $@ if !$done;
		POSIX::_exit($done ? 0 : 1);
	}
	push @children, $child;
}
for my $child (@children)
{
	waitpid($child, 0);
	die "a mart could not be made\n" if $?;
}

# the coordinator: all views of each shard's mart as foreign tables. The day travels by the connection's options, as a setting does not.
$coordinator->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw');
for my $shard_no (1, 2)
{
	my $host = $shards[ $shard_no - 1 ]->dir;
	$coordinator->safe_psql('postgres', <<"SQL");
CREATE SERVER shard_$shard_no FOREIGN DATA WRAPPER postgres_fdw
OPTIONS (host '$host', port '5432', dbname 'postgres', extensions 'sales_perf', async_capable 'true', fetch_size '10000', options '-c sales_perf.as_of=$as_of');
CREATE USER MAPPING FOR CURRENT_USER SERVER shard_$shard_no OPTIONS (user 'postgres');
CREATE SCHEMA shard_$shard_no;
IMPORT FOREIGN SCHEMA sales FROM SERVER shard_$shard_no INTO shard_$shard_no;
-- without statistics the planner takes them for nearly empty, and it is chance whether a rollup is shipped
ANALYZE shard_$shard_no.closed_cell, shard_$shard_no.opened_cell, shard_$shard_no.numbered_closed_cell;
SQL
}

my $settings = "SET search_path = public, sales_perf;\nSET sales_perf.as_of = '$as_of';\nSET timezone = 'GMT';\n";

sub answer
{
	my ($query) = @_;
	return $coordinator->safe_psql('postgres', "$settings $query;");
}

# rows that came from the shards, and the foreign scans as EXPLAIN has them
sub travelled
{
	my ($query, $more) = @_;
	my $plan = decode_json(answer(($more // '') . "EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) $query"));
	my @todo = ($plan->[0]{Plan});
	my ($rows, @remote) = (0);
	while (my $next = shift @todo)
	{
		push @todo, @{ $next->{Plans} || [] };
		next if $next->{'Node Type'} ne 'Foreign Scan';
		$rows += ($next->{'Actual Rows'} + ($next->{'Rows Removed by Filter'} || 0)) * $next->{'Actual Loops'};
		push @remote, $next->{'Remote SQL'};
	}
	return ($rows, @remote);
}

my ($here, $there) = map { $shards[$_]->safe_psql('postgres', 'SELECT count(*) FROM sales.deal') } 0, 1;
is($here + $there, $deals, "every deal is on one shard: $here and $there");
cmp_ok($here < $there ? $here : $there, '>', $deals / 4, 'and both have many');
is(answer('SELECT (SELECT sales_perf.as_of()), count(DISTINCT last_day) FROM (TABLE shard_1.report_range UNION ALL TABLE shard_2.report_range) AS shard WHERE last_day = sales_perf.as_of()'),
	"$as_of|1", 'the shards report as of the same day');

# ---------------------------------------------------------------- cells

# Every view of cells that the mart has, by all its dimensions: those of subjects too, as an account is whole on one shard.
# But sales_cell, which adds a sale of nothing in the last period, once a shard: rep_sales_cell below it adds up.
my @cells = map { [ split /\|/ ] } split /\n/, answer(<<'SQL');
SELECT c.relname,
	string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname !~ '(_count|_amount)$' AND NOT t.is_summary),
	string_agg(format('rollup(%1$I) AS %1$I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE t.is_summary),
	string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE t.is_summary)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_type WHERE oid = a.atttypid AND typnamespace = 'sales_perf'::regnamespace) AS is_summary) AS t
WHERE c.relnamespace = 'whole'::regnamespace
	AND c.relkind = 'v'
	AND c.relname ~ '_cell$'
	AND c.relname <> 'sales_cell'
GROUP BY c.relname
HAVING bool_or(t.is_summary)
ORDER BY c.relname
SQL
cmp_ok(scalar @cells, '>=', 5, 'views of cells: ' . join(', ', map { $_->[0] } @cells));
for (@cells)
{
	my ($cell, $dimensions, $rollups, $summaries) = @$_;
	my $by = $dimensions ? "GROUP BY $dimensions" : '';
	my $columns = join(', ', grep { $_ } $dimensions, $rollups);
	my $sorted = $dimensions ? "ORDER BY $dimensions" : '';
	# whole summaries are compared, by way of their text, whose equality is that of =
	my $digest = sub {
		my ($of) = @_;
		return answer("SELECT count(*), md5(string_agg(c::text, E'\\n' ORDER BY c::text COLLATE \"C\")) FROM (SELECT $columns FROM $of $by) AS c");
	};
	my $whole = $digest->("whole.$cell");
	unlike($whole, qr/^0\|/, "$cell: there are some") or next;
	is($digest->('(' . join(' UNION ALL ', map { 'SELECT ' . join(', ', grep { $_ } $dimensions, $summaries) . " FROM shard_$_.$cell" } 1, 2) . ') AS shard'), $whole, "$cell: rolled up from the shards, the same");
}

# ---------------------------------------------------------------- shapes of a query, and what each makes travel

my $quarter = q{closed_on BETWEEN '2025-04-01' AND '2025-06-30'};
my %shape = (
	# all deals come, as an aggregate over a union is computed where the union is
	deals => "SELECT rep_id, deal_agg(amount, outcome, opened_on, closed_on) AS s FROM (TABLE shard_1.deal UNION ALL TABLE shard_2.deal) AS d WHERE outcome <> 'open' AND $quarter GROUP BY rep_id",
	# day cells come
	cells => "SELECT rep_id, rollup(summary) AS s FROM (TABLE shard_1.closed_cell UNION ALL TABLE shard_2.closed_cell) AS c WHERE $quarter GROUP BY rep_id",
	# a rollup for each rep comes from each shard
	rollups => 'SELECT rep_id, rollup(s) AS s FROM ('
		. join(' UNION ALL ', map { "SELECT rep_id, rollup(summary) AS s FROM shard_$_.closed_cell WHERE $quarter GROUP BY rep_id" } 1, 2)
		. ') AS r GROUP BY rep_id',
	# one for each shard
	company => 'SELECT rollup(s) AS s FROM (' . join(' UNION ALL ', map { "SELECT rollup(summary) AS s FROM shard_$_.closed_cell WHERE $quarter" } 1, 2) . ') AS r',
);
my $oracle = answer("SELECT rep_id, rollup(summary) FROM whole.closed_cell WHERE $quarter GROUP BY rep_id ORDER BY rep_id");
is(answer("SELECT rep_id, s FROM ($shape{$_}) AS q ORDER BY rep_id"), $oracle, "$_: by rep, the summaries are those of the whole") for qw(cells rollups);
is(answer($shape{company}), answer("SELECT rollup(summary) FROM whole.closed_cell WHERE $quarter"), 'company: the summary is that of the whole');

# and by plain SQL from the deals themselves, without a summary
is(
	answer("SELECT rep_id, won_count(s), lost_count(s), cycle_median(s) FROM ($shape{rollups}) AS q ORDER BY rep_id"),
	answer(qq{
		SELECT rep_id, count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'),
			percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - opened_on) FILTER (WHERE outcome = 'won' AND closed_on >= opened_on)
		FROM whole.deal_as_of
		WHERE NOT is_open AND $quarter
		GROUP BY rep_id
		ORDER BY rep_id}),
	'wins, losses and median cycles are those that plain SQL finds in all deals');
is(
	answer("SELECT bookings_amount(s), lost_amount(s) FROM ($shape{company}) AS q"),
	answer("SELECT sum(reporting_amount) FILTER (WHERE outcome = 'won'), sum(reporting_amount) FILTER (WHERE outcome = 'lost') FROM whole.deal_as_of WHERE NOT is_open AND $quarter"),
	'so are the amounts');

my (%rows, %remote);
($rows{$_}, @{ $remote{$_} }) = travelled($shape{$_}) for sort keys %shape;
note(join(', ', map { "$_: $rows{$_} rows" } qw(deals cells rollups company)));
is($rows{deals}, answer(join(' + ', map { "(SELECT count(*) FROM shard_$_.deal WHERE outcome <> 'open' AND $quarter)" } 1, 2) =~ s/^/SELECT /r), 'without cells every deal travels');
is($rows{cells}, answer(join(' + ', map { "(SELECT count(*) FROM shard_$_.closed_cell WHERE $quarter)" } 1, 2) =~ s/^/SELECT /r), 'read as a table, cells travel');
is($rows{rollups}, answer(join(' + ', map { "(SELECT count(DISTINCT coalesce(rep_id, '')) FROM shard_$_.closed_cell WHERE $quarter)" } 1, 2) =~ s/^/SELECT /r), 'grouped shard by shard, one row a rep and shard travels');
is($rows{company}, 2, 'and for the company one row a shard');
cmp_ok($rows{rollups} * 2, '<', $rows{deals}, 'few rollups instead of many deals');
is((grep { /sales_perf\.rollup\(summary\).* GROUP BY/ } @{ $remote{rollups} }), 2, 'both shards are asked for rollups by rep') or diag explain $remote{rollups};
is((grep { /rollup/ } @{ $remote{cells} }), 0, 'an aggregate over a union is not shipped');

# figures instead of summaries, where a rep is on one shard only or the question is about a shard
{
	my ($rows, @remote) = travelled("SELECT rep_id, win_rate(rollup(summary)), cycle_median(rollup(summary)) FROM shard_1.closed_cell WHERE $quarter GROUP BY rep_id");
	like($remote[0], qr/sales_perf\.win_rate\(/, 'accessors are shipped too');
	(undef, @remote) = travelled("SELECT rep_id, cycle_km_median(rollup(summary)) FROM shard_1.opened_cell GROUP BY rep_id");
	like($remote[0], qr/sales_perf\.rollup\(summary\)/, 'where one depends on as_of(), the rollup is shipped');
	unlike($remote[0], qr/km_median/, 'and the accessor is not: as_of() is for the coordinator to say');
	(undef, @remote) = travelled("SELECT rep_id, rollup(summary) FROM shard_1.closed_cell WHERE closed_on > as_of() - 30 GROUP BY rep_id");
	unlike($remote[0], qr/rollup|WHERE/, 'a condition on as_of() keeps all from being shipped: write the day');
}

# without the option extensions nothing is shipped
{
	my (undef, @remote) = travelled($shape{rollups}, "ALTER SERVER shard_1 OPTIONS (DROP extensions);\n");
	is((grep { /rollup/ } @remote), 1, 'a server without the option extensions sends cells');
	answer("ALTER SERVER shard_1 OPTIONS (ADD extensions 'sales_perf')");
}

# a partition for each shard
$coordinator->safe_psql('postgres', <<'SQL');
CREATE SCHEMA company;
CREATE TABLE company.closed_cell (LIKE shard_1.numbered_closed_cell) PARTITION BY LIST (shard_no);
ALTER TABLE company.closed_cell ATTACH PARTITION shard_1.numbered_closed_cell FOR VALUES IN (1);
ALTER TABLE company.closed_cell ATTACH PARTITION shard_2.numbered_closed_cell FOR VALUES IN (2);
SQL
{
	my $query = "SELECT rep_id, rollup(s) AS s FROM (SELECT shard_no, rep_id, rollup(summary) AS s FROM company.closed_cell WHERE $quarter GROUP BY shard_no, rep_id) AS r GROUP BY rep_id";
	is(answer("SET enable_partitionwise_aggregate = on; SELECT rep_id, s FROM ($query) AS q ORDER BY rep_id"), $oracle, 'partitions: the summaries are those of the whole');
	my ($rows, @remote) = travelled($query, "SET enable_partitionwise_aggregate = on;\n");
	is($rows, $rows{rollups}, 'grouped by shard, partitions ship rollups');
	($rows) = travelled("SELECT rep_id, rollup(summary) AS s FROM company.closed_cell WHERE $quarter GROUP BY rep_id", "SET enable_partitionwise_aggregate = on;\n");
	is($rows, $rows{cells}, 'not grouped by it, they send cells');
}

# ---------------------------------------------------------------- the scorecards of all shards

# A mart of its own on the coordinator, with the teams, reps, stages and rates of the company but without a deal: what its reports
# read figures off comes from the shards: of those reports that read nothing but cells and such tables. They are as in any mart.
$coordinator->safe_psql('postgres', <<'SQL');
SELECT sales_perf.create_mart('sales');
SET session_replication_role = replica;
DELETE FROM sales.mart_setting;
DELETE FROM sales.stage;
SELECT format('INSERT INTO sales.%1$I SELECT * FROM whole.%1$I', name)
FROM unnest('{mart_setting, team, rep, team_membership, stage, fx_rate}'::text[]) AS name
\gexec
RESET session_replication_role;
SELECT format('CREATE OR REPLACE VIEW sales.%1$I WITH (security_invoker = true) AS SELECT %2$s FROM (TABLE shard_1.%1$I UNION ALL TABLE shard_2.%1$I) AS shard GROUP BY %3$s',
	c.relname,
	string_agg(
		CASE WHEN t.typnamespace = 'sales_perf'::regnamespace THEN format('sales_perf.rollup(%1$I) AS %1$I', a.attname)
			WHEN a.attname ~ '_(count|amount)$' THEN format('sum(%1$I)::%2$s AS %1$I', a.attname, format_type(a.atttypid, a.atttypmod))
			ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attnum),
	string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE t.typnamespace <> 'sales_perf'::regnamespace AND a.attname !~ '_(count|amount)$'))
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE c.oid = ANY ('{sales.company_summary, sales.team_summary, sales.rep_summary, sales.opened_cell, sales.open_cell, sales.cohort_cell, sales.funnel_cell}'::regclass[])
GROUP BY c.relname
\gexec
SQL
for my $report (qw(company_scorecard team_scorecard rep_scorecard cycle_curve pipeline_by_stage retention cohort_retention stage_bottleneck))
{
	my ($rows, $differ) = split /\|/, $coordinator->safe_psql('postgres', <<"SQL");
$settings
CREATE TEMPORARY TABLE here AS SELECT r::text FROM whole.$report AS r;
CREATE TEMPORARY TABLE there AS SELECT r::text FROM sales.$report AS r;
SELECT (SELECT count(*) FROM here),
	(SELECT count(*) FROM (SELECT r FROM here EXCEPT ALL SELECT r FROM there) AS d) + (SELECT count(*) FROM (SELECT r FROM there EXCEPT ALL SELECT r FROM here) AS d)
SQL
	cmp_ok($rows, '>', 3, "$report: there is something to compare");
	is($differ, 0, "$report: rolled up from the shards, every figure of every row is that of the whole");
}
my ($rows, @remote) = travelled("SELECT * FROM sales.company_scorecard WHERE grain = 'quarter' AND period_start = '2025-04-01'");
is($rows, 2, 'one period of the company: a row from each shard');
is((grep { /grain = 'quarter'/ && /period_start = '2025-04-01'/ } @remote), 2, 'the period is chosen on the shards');

# Shards that maintain rollups, asked as of today: one row a rep comes as before, read off what is stored there.
{
	answer("ALTER SERVER shard_$_ OPTIONS (DROP options)") for 1, 2;
	my $by_rep = "SELECT rep_id, s FROM ($shape{rollups}) AS q ORDER BY rep_id";
	my $live = answer("RESET sales_perf.as_of; $by_rep");
	$_->safe_psql('postgres', q{SELECT sales_perf.maintain_rollup('sales')}) for @shards;
	is(answer("RESET sales_perf.as_of; $by_rep"), $live, 'from maintained rollups of the shards, the same');
	is(answer('RESET sales_perf.as_of; SELECT sum(won_count), sum(bookings_amount) FROM sales.company_scorecard'),
		answer('RESET sales_perf.as_of; SELECT sum(won_count), sum(bookings_amount) FROM whole.company_scorecard'), 'and so are the scorecards');
}

# a shard that is down is not left out
$shards[1]->stop;
my ($status, undef, $error) = $coordinator->psql('postgres', "$settings $shape{company};");
isnt($status, 0, 'without one shard there is no answer');
like($error, qr/could not connect to server "shard_2"/, 'and the error names it');

done_testing();
