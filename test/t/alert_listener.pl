# Alerts are told: the example listener (test/alert_listener.sh) prints the JSON of what opens and closes; two evaluations at the same
# time open an alert once; long names stay below what NOTIFY takes; pg_cron calls it, where that is installed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use Session;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PrivateCluster->new;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION sales_perf;
SELECT sales_perf.create_mart('sales');
INSERT INTO sales.rep (rep_id, name) VALUES ('ann', 'Ann "the" \Rep/'), ('long', repeat('ü', 3000));
INSERT INTO sales.alert_rule (rule_id, name, kpi_code, level, entity_id, basis, comparison, threshold)
VALUES ('ann', 'Nothing won', 'won_count', 'rep', 'ann', 'threshold', 'below', 1), ('long', repeat('ä', 3000), 'won_count', 'rep', 'long', 'threshold', 'below', 1);
SQL

my $file = $node->dir . '/../heard';
my $child = fork() // die "fork: $!";
if (!$child)
{
	@ENV{qw(PGHOST PGPORT PGUSER PGDATABASE SALES_PERF_LISTEN_SECONDS)} = ($node->dir, 5432, 'postgres', 'postgres', 120);
	$ENV{PATH} = "$node->{bin}:$ENV{PATH}";
	open(STDOUT, '>', $file) or die "$file: $!";
	exec('sh', "$FindBin::Bin/../alert_listener.sh") or die $!;
}

# waits until so many lines were heard
sub heard
{
	my ($count) = @_;
	my $end = time + 60;
	my @lines;
	while (time < $end)
	{
		if (open(my $in, '<', $file))
		{
			@lines = grep { /\n\z/ } <$in>;
			last if @lines >= $count;
		}
		sleep 0.2;
	}
	chomp @lines;
	return @lines;
}

is((heard(1))[0], 'listening', 'the listener listens');

# two evaluations at the same time
my ($one, $two) = (Session->new($node, 'postgres'), Session->new($node, 'postgres'));
$one->query('BEGIN');
my ($opened) = $one->query("SELECT count(*) FROM sales.evaluate_alerts() WHERE change = 'opened'");
is($opened, 2, 'both alerts open');
$two->send("SELECT count(*) FROM sales.evaluate_alerts()");
ok($two->waits, 'a second evaluation waits for the first');
$one->query('COMMIT');
my ($again, $error) = $two->result;
is("$again$error", '0', 'and has nothing to open');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sales.alert'), 2, 'each alert is there once');

my @lines = heard(3);
is(scalar(@lines), 3, 'each is told once');
my %told = map { my $alert = decode_json($_); ($alert->{rule_id} => $alert) } grep { /^\{/ } @lines;
is(join(' ', map { $told{ann}{$_} } qw(mart change level entity_id value reference kpi_code)), 'sales opened rep ann 0 1 won_count', 'with what it is about');
is($told{ann}{summary_text}, $node->safe_psql('postgres', "SELECT summary_text FROM sales.alert WHERE rule_id = 'ann'"), 'and its sentence, as the view has it');
ok((grep { length($_) > 2000 } @lines) && !(grep { length($_) >= 8000 } @lines), 'what is too long for NOTIFY is cut, and still JSON');

$node->safe_psql('postgres', "INSERT INTO sales.deal (deal_id, rep_id, outcome, opened_on, closed_on) VALUES ('d', 'ann', 'won', current_date, current_date); SELECT * FROM sales.evaluate_alerts()");
my $last = decode_json((heard(4))[3]);
is("$last->{rule_id} $last->{change} $last->{value}", 'ann closed 1', 'so is that it is over');
kill 'TERM', $child;
waitpid($child, 0);

SKIP:
{
	my ($there) = $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'");
	skip('pg_cron is not installed', 1) if !$there;
	my $cron = PrivateCluster->new(conf => "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on\n");
	$cron->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_cron;
CREATE EXTENSION sales_perf;
SELECT sales_perf.create_mart('sales');
INSERT INTO sales.rep (rep_id, name) VALUES ('ann', 'Ann');
INSERT INTO sales.alert_rule (rule_id, name, kpi_code, level, basis, comparison, threshold) VALUES ('ann', 'Nothing won', 'won_count', 'rep', 'threshold', 'below', 1);
SELECT cron.schedule('alerts', '* * * * *', 'SELECT sales.evaluate_alerts()');
SQL
	my $end = time + 130;
	sleep 1 while time < $end && !$cron->safe_psql('postgres', 'SELECT count(*) FROM sales.alert');
	is($cron->safe_psql('postgres', 'SELECT count(*) FROM sales.alert'), 1, 'pg_cron calls it');
}

done_testing();
