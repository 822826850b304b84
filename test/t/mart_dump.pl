# A database with a mart is dumped and restored, in each way a DBA would, and gives the same answers.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use Test::More;

my $node = PrivateCluster->new;
my $dumps = $node->dir;

# What the reports say on a day that does not move, and what the mart is made of.
my @views = qw(company_scorecard team_scorecard rep_scorecard cycle_curve pipeline_by_stage data_quality data_quality_summary
	sales_growth retention cohort_retention funnel stage_bottleneck revenue_forecast forecast_backtest lead_conversion);
my @tables = qw(team rep account product stage deal stage_event deal_change sale lead);

sub answers
{
	my ($database, $mart, $role) = @_;
	my $sql = "SET sales_perf.as_of = '2024-09-30';\nSET timezone = 'UTC';\n";
	$sql .= qq{SELECT '$_', x::text FROM "$mart".$_ AS x ORDER BY 2;\n} for @views, @tables;
	$sql .= qq{SELECT count(*), md5(string_agg(x::text, ',' ORDER BY on_date)) FROM "$mart".calendar AS x;\n};
	$sql .= qq{SELECT kind, name, definition FROM sales_perf.stamp_pieces('$mart') ORDER BY 1, 2;\n};
	$sql .= qq{SELECT relname, relacl, pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = '"$mart"'::regnamespace ORDER BY 1;\n};
	return $node->safe_psql($database, $sql, role => $role);
}

# A mart with teams, a changed deal, a reopened one, faults, and things of the owner's own.
sub make_mart
{
	my ($database, $mart, $role) = @_;
	return $node->safe_psql($database, <<"SQL", role => $role);
SELECT sales_perf.create_mart('$mart');
SET search_path = "$mart";
INSERT INTO team (team_id, name, parent_team_id) VALUES ('all', 'All', NULL), ('n', 'North', 'all'), ('s', 'South', 'all');
INSERT INTO rep (rep_id, name, team_id) SELECT 'r' || i, 'Rep ' || i, CASE WHEN i % 2 = 0 THEN 'n' ELSE 's' END FROM pg_catalog.generate_series(1, 6) AS i;
UPDATE team SET manager_rep_id = 'r1' WHERE team_id = 's';
INSERT INTO account (account_id, name) VALUES ('a1', 'Ärzte "GmbH"'), ('a2', E'Tab\\tand \\\\ backslash');
INSERT INTO product (product_id, name) VALUES ('p1', 'One');
INSERT INTO stage (stage_no, stage_id, name, default_chance) VALUES (1, 'lead', 'Lead', 0.1), (2, 'offer', 'Offer', 0.5);
INSERT INTO deal (deal_id, account_id, product_id, rep_id, stage_id, amount, opened_on, closed_on, outcome, recorded_at)
SELECT 'd' || i, 'a' || 1 + i % 2, 'p1', 'r' || 1 + i % 6, CASE WHEN i % 3 = 0 THEN 'lead' ELSE 'offer' END,
       CASE WHEN i % 17 > 0 THEN (i * 37 % 1000)::numeric / 4 END,
       date '2024-01-01' + i % 250,
       CASE WHEN i % 4 > 0 THEN date '2024-01-01' + i % 250 + i * 7 % 60 - 1 END,
       CASE i % 4 WHEN 0 THEN 'open' WHEN 1 THEN 'lost' ELSE 'won' END,
       '2024-01-01 UTC'
FROM pg_catalog.generate_series(1, 400) AS i;
UPDATE deal SET stage_id = 'offer', amount = amount + 0.10 WHERE deal_id IN ('d12', 'd24');
UPDATE deal SET rep_id = 'r2' WHERE deal_id = 'd12';
INSERT INTO sale (sale_id, account_id, rep_id, product_id, sold_on, amount, covers_from, covers_to)
SELECT 's' || i, 'a' || 1 + i % 2, 'r' || 1 + i % 6, 'p1', date '2023-01-01' + i * 2, (i * 41 % 900)::numeric / 8,
       CASE WHEN i % 9 = 0 THEN date '2023-01-01' + i * 2 END, CASE WHEN i % 9 = 0 THEN date '2023-01-01' + i * 2 + 100 END
FROM pg_catalog.generate_series(1, 300) AS i;
INSERT INTO lead (lead_id, rep_id, source, created_on, converted_on, converted_deal_id, lost_on)
SELECT 'l' || i, 'r' || 1 + i % 6, CASE i % 3 WHEN 0 THEN 'fair' WHEN 1 THEN 'Straße' END, date '2024-01-01' + i,
       CASE WHEN i % 5 = 0 THEN date '2024-01-01' + i + 10 END, CASE WHEN i % 5 = 0 THEN 'd' || i END, CASE WHEN i % 7 = 1 THEN date '2024-01-01' + i + 20 END
FROM pg_catalog.generate_series(1, 200) AS i;
CREATE VIEW my_view AS SELECT rep_id, won_count FROM rep_scorecard;
ALTER TABLE deal ADD COLUMN my_column text DEFAULT 'mine';
GRANT SELECT ON rep_scorecard TO PUBLIC;
SQL
}

sub can_be_worked_with
{
	my ($database, $mart, $role, $how) = @_;
	is($node->safe_psql($database, "SELECT * FROM sales_perf.upgrade_mart('$mart')", role => $role), '', "$how: upgrade_mart finds nothing missing");
	is($node->safe_psql($database, qq{
		BEGIN;
		UPDATE "$mart".deal SET amount = 1 WHERE deal_id = 'd8';
		INSERT INTO "$mart".deal_change (deal_id, changed_at, field) VALUES ('d8', now(), 'note');
		SELECT count(*), bool_and(deal_change_id > (SELECT max(deal_change_id) FROM "$mart".deal_change WHERE deal_id <> 'd8'))
		FROM "$mart".deal_change
		WHERE deal_id = 'd8';
		ROLLBACK;}, role => $role),
		'2|t', "$how: its triggers fire and its numbers go on");
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE mart_owner LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE origin');
$node->safe_psql('origin', 'CREATE EXTENSION sales_perf');
$node->safe_psql('origin', 'GRANT CREATE ON DATABASE origin TO mart_owner');
make_mart('origin', 'sales', 'postgres');
make_mart('origin', 'Vertrieb Süd', 'mart_owner');

my %answers = map { $_->[0] => answers('origin', @$_) } ['sales', 'postgres'], ['Vertrieb Süd', 'mart_owner'];
like($answers{sales}, qr/company_scorecard\|\(quarter/, 'there are answers to compare');

# the whole database
$node->run('pg_dump', '-f', "$dumps/plain.sql", 'origin');
$node->run('pg_dump', '-Fc', '-f', "$dumps/custom", 'origin');

my $plain = do { local $/; open(my $in, '<', "$dumps/plain.sql") or die $!; <$in> };
like($plain, qr/^CREATE EXTENSION IF NOT EXISTS sales_perf /m, 'the dump makes the extension');
unlike($plain, qr/sales_perf_template/, 'and holds nothing of the template');
unlike($plain, qr/^CREATE (FUNCTION|TYPE|AGGREGATE) sales_perf\./m, 'nor of the library');

$node->safe_psql('postgres', 'CREATE DATABASE from_plain');
$node->run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'from_plain', '-f', "$dumps/plain.sql");

# A dump of a restored database is the dump it came from.
$node->run('pg_dump', '-f', "$dumps/again.sql", 'from_plain');
my $again = do { local $/; open(my $in, '<', "$dumps/again.sql") or die $!; <$in> };
s/^\\(un)?restrict .*$//mg for $plain, $again;
ok($again eq $plain, 'a dump of the restored database is the same dump');

$node->safe_psql('postgres', 'CREATE DATABASE from_custom');
$node->run('pg_restore', '--exit-on-error', '-j', '2', '-d', 'from_custom', "$dumps/custom");

for my $copy ('from_plain', 'from_custom')
{
	for (['sales', 'postgres'], ['Vertrieb Süd', 'mart_owner'])
	{
		my ($mart, $role) = @$_;
		is(answers($copy, $mart, $role), $answers{$mart}, "$copy: mart $mart of $role gives the same answers");
		can_be_worked_with($copy, $mart, $role, "$copy, mart $mart");
	}
	is($node->safe_psql($copy, 'SELECT count(*) FROM sales_perf_template.deal', role => 'mart_owner'),
		'0', "$copy: the template is there, empty, and readable by all");
	is($node->safe_psql($copy, "SELECT sales_perf.create_mart('another') IS NOT NULL"), 't', "$copy: another mart can be made");
}

# one mart, by its owner, who is no superuser
{
	local $node->{role} = 'mart_owner';
	$node->run('pg_dump', '-Fc', '--schema', '"Vertrieb Süd"', '-f', "$dumps/schema", 'origin');
}
$node->safe_psql('postgres', 'CREATE DATABASE from_schema');
$node->safe_psql('from_schema', 'CREATE EXTENSION sales_perf');
$node->safe_psql('from_schema', 'GRANT CREATE ON DATABASE from_schema TO mart_owner');
{
	local $node->{role} = 'mart_owner';
	$node->run('pg_restore', '--exit-on-error', '-d', 'from_schema', "$dumps/schema");
}
is(answers('from_schema', 'Vertrieb Süd', 'mart_owner'), $answers{'Vertrieb Süd'}, 'one mart, dumped and restored by its owner, gives the same answers');
can_be_worked_with('from_schema', 'Vertrieb Süd', 'mart_owner', 'one mart');

# a database of the owner's: the extension is trusted, so he can restore all of it himself
$node->safe_psql('postgres', 'CREATE DATABASE own OWNER mart_owner');
$node->safe_psql('own', 'CREATE EXTENSION sales_perf', role => 'mart_owner');
make_mart('own', 'sales', 'mart_owner');
my $own = answers('own', 'sales', 'mart_owner');
$node->safe_psql('postgres', 'CREATE DATABASE own_copy OWNER mart_owner');
{
	local $node->{role} = 'mart_owner';
	$node->run('pg_dump', '-Fc', '-f', "$dumps/own", 'own');
	$node->run('pg_restore', '--exit-on-error', '-d', 'own_copy', "$dumps/own");
}
is(answers('own_copy', 'sales', 'mart_owner'), $own, 'an ordinary role dumps and restores a database of its own, extension and all');
can_be_worked_with('own_copy', 'sales', 'mart_owner', 'the role\'s own database');

# maintained rollups: restored with the rest, triggers and all
for (['sales', 'postgres'], ['Vertrieb Süd', 'mart_owner'])
{
	my ($mart, $role) = @$_;
	$node->safe_psql('origin', qq{
		SELECT sales_perf.maintain_rollup('$mart');
		INSERT INTO "$mart".deal_credit (deal_id, rep_id, share) SELECT deal_id, 'r1', 1 FROM "$mart".deal WHERE outcome = 'won' AND rep_id = 'r2';
		UPDATE "$mart".deal SET amount = amount + 1 WHERE rep_id = 'r3';
		UPDATE "$mart".deal SET closed_on = current_date + 30 WHERE deal_id IN ('d1', 'd2', 'd3');}, role => $role);
}
my $today = sub {
	my ($database, $mart, $role) = @_;
	return $node->safe_psql($database, qq{SET timezone = 'UTC'; SELECT "$mart".rollup_grain(); SELECT x::text FROM "$mart".rep_scorecard AS x ORDER BY 1; SELECT x::text FROM "$mart".company_scorecard AS x ORDER BY 1}, role => $role);
};
my $verified = sub {
	my ($database, $mart, $role) = @_;
	return $node->safe_psql($database, qq{SELECT sum(wrong_count) FROM sales_perf.verify_rollup('$mart')}, role => $role);
};
$node->run('pg_dump', '-f', "$dumps/rollup.sql", 'origin');
$node->run('pg_dump', '-Fc', '-f', "$dumps/rollup", 'origin');
$node->safe_psql('postgres', 'CREATE DATABASE rollup_plain');
$node->run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'rollup_plain', '-f', "$dumps/rollup.sql");
$node->safe_psql('postgres', 'CREATE DATABASE rollup_custom');
$node->run('pg_restore', '--exit-on-error', '-j', '2', '-d', 'rollup_custom', "$dumps/rollup");
for my $copy ('rollup_plain', 'rollup_custom')
{
	for (['sales', 'postgres'], ['Vertrieb Süd', 'mart_owner'])
	{
		my ($mart, $role) = @$_;
		my $told = $today->($copy, $mart, $role);
		like($told, qr/^month$/m, "$copy: reports of $mart read rollups");
		is($told, $today->('origin', $mart, $role), "$copy: and say the same");
		is($verified->($copy, $mart, $role), '0', "$copy: which verify_rollup proves");
		$node->safe_psql($copy, qq{UPDATE "$mart".deal SET amount = amount + 1; DELETE FROM "$mart".deal_credit; INSERT INTO "$mart".fx_rate VALUES ('EUR', '2024-01-01', 2); SELECT sales_perf.fold_rollup('$mart')}, role => $role);
		is($verified->($copy, $mart, $role), '0', "$copy: and keep up with what is written");
		is($node->safe_psql($copy, "SELECT * FROM sales_perf.upgrade_mart('$mart')", role => $role), '', "$copy: upgrade_mart finds nothing missing");
	}
}
$node->run('pg_dump', '-Fc', '--data-only', '--schema', 'sales', '--exclude-table-data', 'sales.calendar', '--exclude-table-data', 'sales.kpi', '--exclude-table-data', 'sales.rollup_*', '-f', "$dumps/rollup_rows", 'origin');
$node->safe_psql('postgres', 'CREATE DATABASE rollup_data');
$node->safe_psql('rollup_data', q{CREATE EXTENSION sales_perf; SELECT sales_perf.create_mart('sales'); ALTER TABLE sales.deal ADD COLUMN my_column text; SELECT sales_perf.maintain_rollup('sales')});
$node->run('pg_restore', '--exit-on-error', '--disable-triggers', '-d', 'rollup_data', "$dumps/rollup_rows");
isnt($verified->('rollup_data', 'sales'), '0', 'rows restored with triggers off: verify_rollup finds that they are missing');
$node->safe_psql('rollup_data', q{SELECT sales_perf.rebuild_rollup('sales')});
is($verified->('rollup_data', 'sales'), '0', 'and rebuild_rollup brings them in');
is($today->('rollup_data', 'sales'), $today->('origin', 'sales'), 'with the same answers');
$node->safe_psql('origin', qq{SELECT sales_perf.drop_rollup('sales')});

# rows only, into a new mart: the triggers that write history are kept quiet
$node->run('pg_dump', '-Fc', '--data-only', '--schema', 'sales', '--exclude-table-data', 'sales.calendar', '--exclude-table-data', 'sales.kpi', '-f', "$dumps/rows", 'origin');
$node->safe_psql('postgres', 'CREATE DATABASE from_data');
$node->safe_psql('from_data', q{CREATE EXTENSION sales_perf; SELECT sales_perf.create_mart('sales'); ALTER TABLE sales.deal ADD COLUMN my_column text});
$node->run('pg_restore', '--exit-on-error', '--disable-triggers', '-d', 'from_data', "$dumps/rows");
my $reports = sub {
	return $node->safe_psql($_[0], join("\n", "SET sales_perf.as_of = '2024-09-30'; SET timezone = 'UTC';",
			map { "SELECT '$_', x::text FROM sales.$_ AS x ORDER BY 2;" } @views, @tables));
};
is($reports->('from_data'), $reports->('origin'), 'rows restored into a new mart give the same answers');

done_testing();
