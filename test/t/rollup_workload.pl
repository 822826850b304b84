# Eight writers do whatever writers do, while rollups are folded and folds are killed: the rollups are right at the end, and at
# any moment in between.
#
# SALES_PERF_WORKLOAD_SECONDS: how long (20). SALES_PERF_SEED: of the random numbers, to repeat what the writers do (not when).
#
# Deals that writers have in common are locked in the order of their keys, rates are changed before deals, as any application
# has to that does not want deadlocks: so a deadlock here is one of the rollups' making, and a failure. Transactions of one snapshot may fail to serialize.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use POSIX ();
use PrivateCluster;
use Session;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{SALES_PERF_WORKLOAD_SECONDS} || 20;
my $seed = $ENV{SALES_PERF_SEED} || time ^ $$;
my $writers = 8;
diag("seed $seed, $seconds s");

my $node = PrivateCluster->new(conf => "max_connections = 40\n");
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION sales_perf;
SELECT sales_perf.create_mart('sales', 'USD');
ALTER DATABASE postgres SET search_path = sales, public;
SQL
$node->safe_psql('postgres', <<'SQL');
INSERT INTO team (team_id, name) VALUES ('t0', 'Zero'), ('t1', 'One'), ('t2', 'Two');
INSERT INTO rep (rep_id, name, team_id) SELECT 'r' || i, 'Rep ' || i, 't' || i % 3 FROM generate_series(0, 9) AS i;
INSERT INTO account (account_id, name, segment) SELECT 'a' || i, 'Account ' || i, 'small' FROM generate_series(0, 9) AS i;
INSERT INTO product (product_id, name) SELECT 'p' || i, 'Product ' || i FROM generate_series(0, 3) AS i;
INSERT INTO stage (stage_no, stage_id, name) SELECT i, 's' || i, 'Stage ' || i FROM generate_series(0, 3) AS i;
INSERT INTO stage (pipeline_id, stage_no, stage_id, name) VALUES ('renewal', 1, 'renewal', 'Renewal');
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('EUR', current_date - 900, 1.1), ('GBP', current_date - 900, 1.3);
INSERT INTO deal (deal_id, rep_id, account_id, stage_id, amount, currency, opened_on, closed_on, outcome)
SELECT 'common' || to_char(i, 'FM000'), 'r' || i % 10, 'a' || i % 10, 's' || i % 4, i * 12.5, CASE WHEN i % 3 = 0 THEN 'EUR' END, current_date - 400 + i, current_date - 390 + i, 'won'
  FROM generate_series(0, 199) AS i;
SELECT sales_perf.maintain_rollup('sales');
SQL

# ---------------------------------------------------------------- what a writer does

sub one_of { return $_[rand @_]; }
sub chance { return rand() < $_[0]; }
sub text { my ($value) = @_; return defined $value ? "'$value'" : 'NULL'; }
sub day { my ($from, $to) = @_; return chance(0.03) ? 'NULL' : chance(0.02) ? one_of("'infinity'", "'-infinity'") : 'current_date + ' . int($from + rand($to - $from)); }
sub amount { return chance(0.08) ? 'NULL' : sprintf('%.2f', rand(20) < 1 ? rand(1e9) : rand(1e4)); }

my %column = (
	rep_id => sub { return text(one_of(undef, map { "r$_" } 0 .. 9)); },
	account_id => sub { return text(one_of(undef, map { "a$_" } 0 .. 9)); },
	product_id => sub { return text(one_of(undef, map { "p$_" } 0 .. 3)); },
	pipeline_id => sub { return text(one_of('default', 'renewal')); },
	stage_id => sub { return text(one_of(undef, map { "s$_" } 0 .. 3)); },
	stage_entered_on => sub { return day(-50, 0); },
	amount => \&amount,
	currency => sub { return text(one_of(undef, undef, 'EUR', 'GBP', 'USD', 'JPY')); },
	opened_on => sub { return day(-500, 5); },
	expected_close_on => sub { return day(-50, 100); },
	closed_on => sub { return day(-480, 20); },
	outcome => sub { return text(one_of(undef, qw(open won won lost))); },
	lost_reason => sub { return text(one_of(undef, 'price')); },
	forecast_category => sub { return text(one_of(undef, 'commit')); },
	name => sub { return text(one_of(undef, 'Name')); },
	recorded_at => sub { return chance(0.3) ? "now() + interval '3 days'" : "now() - interval '9 days'"; });

my %sale_column = (
	account_id => sub { return text(one_of(undef, map { 'a' . $_ } 0 .. 9)); },
	rep_id => sub { return text(one_of(undef, map { 'r' . $_ } 0 .. 9)); },
	sold_on => sub { return day(-500, 3); },
	amount => sub { return one_of('NULL', int(rand 1000), '-50', '7.00', '7'); },
	currency => sub { return text(one_of(undef, qw(EUR GBP JPY))); },
	covers_to => sub { return day(-300, 300); },
	covers_from => sub { return day(-500, 100); });

sub assignments
{
	my %set = map { $_ => $column{$_}->() } map { one_of(sort keys %column) } 1 .. 1 + rand 3;
	# a stage is one of its pipeline's
	delete $set{pipeline_id} if exists $set{stage_id};
	$set{stage_id} = $set{pipeline_id} eq "'renewal'" ? "'renewal'" : 'NULL' if exists $set{pipeline_id};
	$set{pipeline_id} = "'default'" if exists $set{stage_id} && !exists $set{pipeline_id};
	return join(', ', map { "$_ = $set{$_}" } sort keys %set);
}

sub new_deals
{
	my ($prefix, $count, $number) = @_;
	return 'INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome, stage_id, recorded_at) VALUES '
	  . join(', ', map { "('$prefix" . $$number++ . "', " . join(', ', map { $column{$_}->() } qw(rep_id amount currency opened_on closed_on outcome stage_id)) . ', now())' } 1 .. $count);
}

sub new_sales
{
	my ($prefix, $count, $number) = @_;
	my @columns = sort keys %sale_column;
	return 'INSERT INTO sale (sale_id, ' . join(', ', @columns) . ') VALUES '
	  . join(', ', map { "('$prefix" . $$number++ . "', " . join(', ', map { $sale_column{$_}->() } @columns) . ')' } 1 .. $count);
}

sub split_deal
{
	my ($deal) = @_;
	my $share = one_of(0.5, 0.25, 0.1);
	my ($first, $second) = (int(rand 5), 5 + int(rand 5));
	return "DELETE FROM deal_credit WHERE deal_id = '$deal';\n"
	  . "INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) SELECT deal_id, r, s, o FROM deal CROSS JOIN (VALUES ('r$first', $share, false), ('r$second', 1 - $share, false)"
	  . (chance(0.3) ? ", ('r$second', 0.5, true)" : '') . ") AS v (r, s, o) WHERE deal_id = '$deal'";
}

# statements on the deals that all writers have in common, in the order of their keys
sub on_common
{
	my ($statements) = @_;
	my %deals = map { sprintf('common%03d', rand 200) => 1 } 1 .. 1 + rand 4;
	for my $deal (sort keys %deals)
	{
		push @$statements, "SELECT FROM deal WHERE deal_id = '$deal' FOR UPDATE";
		push @$statements, one_of(
			sub { return 'UPDATE deal SET ' . assignments() . " WHERE deal_id = '$deal'"; },
			sub { return 'UPDATE deal SET ' . assignments() . " WHERE deal_id = '$deal'"; },
			sub { return split_deal($deal); },
			sub { return "DELETE FROM deal_credit WHERE deal_id = '$deal'"; },
			sub { return "DELETE FROM deal WHERE deal_id = '$deal'"; },
			sub { return "INSERT INTO deal (deal_id, amount, opened_on) VALUES ('$deal', 7, current_date) ON CONFLICT (deal_id) DO UPDATE SET amount = excluded.amount + 1, outcome = 'won', closed_on = current_date"; },
			sub { return "MERGE INTO deal AS d USING (VALUES ('$deal')) AS s (deal_id) ON s.deal_id = d.deal_id WHEN MATCHED AND d.outcome = 'lost' THEN DELETE WHEN MATCHED THEN UPDATE SET rep_id = 'r1' WHEN NOT MATCHED THEN INSERT (deal_id, amount, outcome) VALUES (s.deal_id, 9, 'lost')"; },
			sub { return "INSERT INTO stage_event (deal_id, stage_id, entered_on) SELECT deal_id, 's1', current_date - 3 FROM deal WHERE deal_id = '$deal'"; })->();
	}
	return;
}

# statements on the writer's own deals
sub on_own
{
	my ($statements, $prefix, $number) = @_;
	my $some = "deal_id LIKE '$prefix%' AND hashtext(deal_id) % " . (2 + int(rand 9)) . ' = 0';
	push @$statements, one_of(
		sub { return new_deals($prefix, 1 + int(rand 30), $number); },
		sub { return new_deals($prefix, 1 + int(rand 3), $number); },
		sub { return 'UPDATE deal SET ' . assignments() . " WHERE $some"; },
		sub { return "UPDATE deal SET deal_id = '$prefix' || 'x' || deal_id WHERE deal_id LIKE '$prefix%' AND length(deal_id) < 30 AND hashtext(deal_id) % 40 = 1"; },
		sub { return "DELETE FROM deal WHERE $some AND hashtext(deal_id) % 3 = 0"; },
		sub { return split_deal($prefix . int(rand($$number + 1))); },
		sub { return new_sales($prefix, 1 + int(rand 5), $number); },
		sub { return 'UPDATE sale SET ' . one_of(map { "$_ = " . $sale_column{$_}->() } sort keys %sale_column) . " WHERE sale_id LIKE '$prefix%' AND hashtext(sale_id) % 3 = 0"; },
		sub { return "DELETE FROM sale WHERE sale_id LIKE '$prefix%' AND hashtext(sale_id) % 4 = 0"; },
		sub { return "UPDATE stage_event SET entered_on = entered_on + " . one_of(-1, 1, 40) . ", stage_id = 's" . int(rand 4) . "' WHERE $some"; },
		sub { return "DELETE FROM stage_event WHERE $some"; },
		sub { return "UPDATE deal_credit SET rep_id = 'r' || (substr(rep_id, 2)::integer + 1) % 10 WHERE $some"; })->();
	return;
}

# what else there is, each in a transaction of its own
sub alone
{
	return one_of(
		sub { return 'UPDATE fx_rate SET rate = rate * ' . one_of(0.99, 1.01, 1.02) . " WHERE currency = '" . one_of('EUR', 'GBP') . "'"; },
		sub { return "INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('" . one_of('EUR', 'GBP', 'JPY') . "', current_date - " . int(rand 500) . ', ' . (1 + rand) . ') ON CONFLICT (currency, valid_from) DO UPDATE SET rate = excluded.rate'; },
		sub { return "DELETE FROM fx_rate WHERE currency = 'JPY'"; },
		sub { return "SELECT set_reporting_currency('" . one_of('USD', 'USD', 'GBP') . "')"; },
		sub { return "UPDATE rep SET team_id = 't" . int(rand 3) . "' WHERE rep_id = 'r" . int(rand 10) . "'"; },
		sub { return "SELECT move_rep('r" . int(rand 10) . "', 't" . int(rand 3) . "', current_date - " . int(rand 300) . ')'; },
		sub { return "UPDATE account SET segment = '" . one_of(qw(small large)) . "' WHERE account_id = 'a" . int(rand 10) . "'"; },
		# then the deals that were won are what customers bought again
		# others may have some of them, and come for the rest
		sub { return "LOCK TABLE sale IN SHARE ROW EXCLUSIVE MODE;\nDELETE FROM sale"; },
		sub { return "UPDATE team SET parent_team_id = " . one_of('NULL', "'t0'") . " WHERE team_id = 't2'"; },
		sub { return "UPDATE stage SET is_open = NOT is_open WHERE stage_id = 's" . int(rand 4) . "'"; },
		sub { return "SELECT sales_perf.fold_rollup('sales')"; })->();
}

sub write_until
{
	my ($end, $writer) = @_;
	srand($seed + $writer);
	my $session = Session->new($node, 'postgres');
	my $number = 0;
	my %count;
	while (time < $end)
	{
		my @statements;
		my $level = one_of('READ COMMITTED', 'READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');
		if (chance(0.06))
		{
			$level = 'READ COMMITTED';
			@statements = (alone());
			# rates before deals
			on_own(\@statements, "own$writer-", \$number) if $statements[0] =~ /fx_rate/ && chance(0.3);
		}
		else
		{
			for (1 .. 1 + rand 4)
			{
				my $savepoint = chance(0.3);
				push @statements, 'SAVEPOINT s' if $savepoint;
				on_own(\@statements, "own$writer-", \$number);
				push @statements, one_of('ROLLBACK TO s', 'RELEASE s') if $savepoint;
			}
			on_common(\@statements) if chance(0.6);
		}
		my $end_with = chance(0.15) ? 'ROLLBACK' : 'COMMIT';
		my $sql = join(";\n", "BEGIN ISOLATION LEVEL $level", @statements, $end_with);
		my (undef, $error) = $session->query($sql);
		my $kind = $error eq '' ? $end_with : substr($error, 0, 5);
		$count{$kind}++;
		$count{"$kind first"} //= "$error in: $sql" =~ s/\n/ /gr if $error ne '' && $kind ne '40001';
	}
	$session->end;
	return \%count;
}

# ---------------------------------------------------------------- the others

sub fold_until
{
	my ($end) = @_;
	srand($seed + 100);
	my %count = (killed => 0);
	while (time < $end)
	{
		my $session = Session->new($node, 'postgres');
		for (1 .. 5)
		{
			my (undef, $error) = $session->query("SELECT sales_perf.fold_rollup('sales')");
			$count{$error eq '' ? 'folded' : substr($error, 0, 5)}++;
			sleep 0.05 + rand 0.3;
		}
		# and one that does not come to its end
		my $killer = Session->new($node, 'postgres');
		$session->send("BEGIN;\nSELECT sales_perf.fold_rollup('sales');\nSELECT pg_sleep(0.05)");
		sleep rand 0.06;
		my ($state) = $killer->query("SELECT state || CASE WHEN query LIKE '%fold_rollup%' THEN ' in the fold' ELSE ' after it' END FROM pg_stat_activity WHERE pid = $session->{pid};\nSELECT pg_terminate_backend($session->{pid})");
		eval { $session->result; 1 } or $count{killed}++;
		$count{'killed ' . ($state =~ s/\n.*//sr)}++;
		$killer->end;
		$session->end;
	}
	return \%count;
}

sub verify_until
{
	my ($end) = @_;
	srand($seed + 200);
	my $session = Session->new($node, 'postgres');
	my %count = (verified => 0, wrong => 0);
	while (time < $end)
	{
		sleep rand 0.5;
		my ($told, $error) = $session->query("BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT sum(wrong_count) FROM sales_perf.verify_rollup('sales');\nSELECT pg_sleep(" . rand(0.5) . ");\n"
			  . "SELECT sum(wrong_count) FROM sales_perf.verify_rollup('sales');\n"
			  . "SELECT (SELECT sales_perf.won_count(sales_perf.rollup(summary)) FROM closed_cell) - (SELECT count(*) FROM deal WHERE outcome = 'won' AND (closed_on <= current_date OR closed_on IS NULL) AND (opened_on <= current_date OR opened_on IS NULL));\n"
			  . 'COMMIT');
		$count{verified}++;
		if ($told !~ /^0\n+0\n0$/)
		{
			$count{wrong}++;
			$count{'wrong first'} //= "$told $error";
		}
	}
	$session->end;
	return \%count;
}

# ---------------------------------------------------------------- all at once

my $end = time + $seconds;
my %doing = ((map { my $writer = $_; ("writer $writer" => sub { return write_until($end, $writer); }) } 1 .. $writers),
	folder => sub { return fold_until($end); }, verifier => sub { return verify_until($end); });
my %child;
for my $name (sort keys %doing)
{
	my $child = fork() // die "fork: $!";
	if (!$child)
	{
		my $count = eval { $doing{$name}->() } // { died => $@ };
		open(my $out, '>', $node->dir . "/count.$name") or POSIX::_exit(1);
		print $out "$_\t$count->{$_}\n" for sort keys %$count;
		close($out);
		POSIX::_exit(0);
	}
	$child{$child} = $name;
}
waitpid($_, 0) for keys %child;

my (%total, %of);
for my $name (values %child)
{
	open(my $in, '<', $node->dir . "/count.$name") or die "$name: $!";
	while (<$in>)
	{
		chomp;
		my ($kind, $count) = split /\t/;
		next if !defined $count;
		$of{$name}{$kind} = $count;
		$total{$kind} = $kind =~ / first$|^died/ ? $total{$kind} // $count : ($total{$kind} // 0) + $count if $name =~ /^writer/;
	}
}

diag(sprintf('writers: %d committed, %d rolled back, %d serialization failures, %d deadlocks; %d folds, %d killed; verified %d times in between',
		map { $_ // 0 } @total{qw(COMMIT ROLLBACK 40001 40P01)}, $of{folder}{folded}, $of{folder}{killed}, $of{verifier}{verified}));
diag(join(', ', map { "$_: $of{folder}{$_}" } grep { /^killed / } sort keys %{ $of{folder} }));
is_deeply([ grep { $of{$_}{died} } sort keys %of ], [], 'nobody gave up') or diag(map { "$_: $of{$_}{died}\n" } grep { $of{$_}{died} } keys %of);
cmp_ok($total{COMMIT} // 0, '>', 5 * $seconds, 'the writers wrote');
cmp_ok($total{ROLLBACK} // 0, '>', 0, 'and rolled back');
cmp_ok($of{folder}{folded} // 0, '>', 3, 'it was folded in between');
cmp_ok($of{folder}{killed} // 0, '>', 0, 'and folds were killed');
is($total{'40P01'} // 0, 0, 'no deadlock among writers') or diag($total{'40P01 first'});
# what two may not do at once: the same key (23505), overlapping teams (23P01); and what refers to a deal that is gone (23503)
my @unforeseen = grep { /^[0-9A-Z]{5}$/ && !/^(?:40001|40P01|23505|23P01|23503)$/ } sort keys %total;
is_deeply(\@unforeseen, [], 'no other error than those that writers make themselves') or diag(map { "$total{$_}: " . $total{"$_ first"} . "\n" } @unforeseen);
diag(join(', ', map { "$_: $total{$_}" } grep { /^2/ && !/first/ } sort keys %total)) if grep { /^2/ } keys %total;
cmp_ok($of{verifier}{verified}, '>', 0, 'snapshots were verified in between');
is($of{verifier}{wrong}, 0, 'and all were right') or diag($of{verifier}{'wrong first'});

# the writers may have taken all sales away
$node->safe_psql('postgres', q{INSERT INTO sales.sale (sale_id, sold_on, amount) VALUES ('the last', current_date, 1)});
my $wrong = q{SELECT sum(wrong_count) FROM sales_perf.verify_rollup('sales')};
is($node->safe_psql('postgres', $wrong), '0', 'at the end the rollups are right');
$node->safe_psql('postgres', q{SELECT sales_perf.fold_rollup('sales')});
is($node->safe_psql('postgres', $wrong), '0', 'folded, too');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT cell, ' ' ORDER BY cell) FROM sales_perf.verify_rollup('sales') WHERE cell_count > 0}), 'closed cohort customer funnel opened sale split', 'of all kinds');
is($node->safe_psql('postgres', 'SELECT rollup_grain(), (SELECT count(*) FROM rollup_delta)'), 'month|0', 'with nothing left to fold');
is($node->safe_psql('postgres', q{SELECT sales_perf.rebuild_rollup('sales')}), '0', 'and rebuild_rollup finds nothing to mend');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rollup_split s WHERE NOT EXISTS (SELECT FROM deal_credit c WHERE c.deal_id = s.deal_id)'), '0', 'and nothing is left of splits that are gone');
done_testing();
