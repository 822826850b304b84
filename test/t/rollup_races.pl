# Maintained rollups while sessions wait for each other: what one of them does not see, it must not count wrongly.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use Session;
use Test::More;

my $node = PrivateCluster->new(conf => "deadlock_timeout = 200ms\n");
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION sales_perf;
SELECT sales_perf.create_mart('sales', 'USD');
ALTER DATABASE postgres SET search_path = sales, public;
SQL
$node->safe_psql('postgres', <<'SQL');
INSERT INTO team (team_id, name) VALUES ('north', 'North'), ('south', 'South');
INSERT INTO rep (rep_id, name, team_id) VALUES ('ann', 'Ann', 'north'), ('bob', 'Bob', 'north'), ('cid', 'Cid', 'south');
INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('EUR', '2024-01-01', 2), ('GBP', '2024-01-01', 3);
INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome)
SELECT 'd' || i, 'ann', 100 * i, 'EUR', '2024-02-01', '2024-03-01', 'won' FROM generate_series(1, 20) AS i;
INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d1', 'bob', 0.5), ('d1', 'cid', 0.5);
SELECT sales_perf.maintain_rollup('sales');
SQL

my ($one, $two, $three) = map { Session->new($node, 'postgres') } 1 .. 3;

sub wrong
{
	return $node->safe_psql('postgres', q{SELECT sum(wrong_count) FROM sales_perf.verify_rollup('sales')});
}

sub right
{
	my ($name) = @_;
	is(wrong(), '0', "$name: the rollups are right");
	$node->safe_psql('postgres', q{SELECT sales_perf.fold_rollup('sales')});
	is(wrong(), '0', "$name: folded, too");
	return;
}

sub fine
{
	my ($session, $sql) = @_;
	my (undef, $error) = $session->query($sql);
	is($error, '', "fine: $sql");
	return;
}

# the statement has to wait, until the other session commits
sub after
{
	my ($other, $session, $sql) = @_;
	$session->send($sql);
	ok($session->waits, "waits: $sql");
	fine($other, 'COMMIT');
	my (undef, $error) = $session->result;
	is($error, '', "then fine: $sql");
	return;
}

# ---- rates

fine($one, 'BEGIN');
fine($one, "INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome) VALUES ('n1', 'ann', 1, 'EUR', '2024-02-01', '2024-03-01', 'won')");
after($one, $two, "UPDATE fx_rate SET rate = 20 WHERE currency = 'EUR'");
right('a deal is being written when its rate changes');

fine($one, 'BEGIN');
fine($one, "UPDATE fx_rate SET rate = 21 WHERE currency = 'EUR'");
after($one, $two, "INSERT INTO deal (deal_id, rep_id, amount, currency, opened_on, closed_on, outcome) VALUES ('n2', 'ann', 1, 'EUR', '2024-02-01', '2024-03-01', 'won')");
right('a rate is being changed when a deal is written');

fine($one, 'BEGIN');
fine($one, "UPDATE fx_rate SET rate = 22 WHERE currency = 'EUR'");
after($one, $two, "UPDATE deal SET amount = amount + 1, rep_id = 'bob' WHERE deal_id IN ('d1', 'd2')");
right('when deals, and a split one, are changed');

fine($one, 'BEGIN');
fine($one, "UPDATE fx_rate SET rate = 23 WHERE currency = 'EUR'");
$two->send("DELETE FROM deal WHERE deal_id IN ('d3', 'n1')");
ok($two->waits, 'a delete waits for a change of rates');
fine($one, "UPDATE deal SET amount = 5 WHERE deal_id = 'd3'");
fine($one, 'COMMIT');
is(($two->result)[1], '', 'who changes the same deal after the rates does not run into it');
right('a deal is deleted while rates change');

fine($one, 'BEGIN');
fine($one, "SELECT set_reporting_currency('EUR')");
after($one, $two, "INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d4', 'bob', 1)");
right('a deal is split while the reporting currency changes');
fine($one, "SELECT set_reporting_currency('USD')");

fine($one, 'BEGIN');
fine($one, "UPDATE fx_rate SET rate = 4 WHERE currency = 'EUR'");
$two->send("BEGIN;\nUPDATE fx_rate SET rate = 5 WHERE currency = 'GBP'");
ok($two->waits, 'changes of rates wait for each other');
fine($one, "UPDATE fx_rate SET rate = 6 WHERE currency = 'GBP'");
fine($one, 'COMMIT');
is(($two->result)[1], '', 'but in whatever order they come, not in a circle');
fine($two, "UPDATE fx_rate SET rate = 7 WHERE currency = 'EUR'");
fine($two, 'COMMIT');
right('two who change rates');

for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	fine($one, "BEGIN ISOLATION LEVEL $level");
	fine($one, 'SELECT count(*) FROM deal');
	fine($two, "UPDATE fx_rate SET rate = rate + 1 WHERE currency = 'EUR'");
	like(($one->query("UPDATE deal SET amount = amount + 1 WHERE deal_id = 'd5'"))[1], qr/^40001: could not serialize access/, "$level: who still sees the rates of before cannot write deals");
	fine($one, 'ROLLBACK');
	fine($one, "BEGIN ISOLATION LEVEL $level");
	fine($one, 'SELECT count(*) FROM deal');
	fine($two, "INSERT INTO fx_rate (currency, valid_from, rate) VALUES ('CHF', '2024-01-01', 3)");
	like(($one->query("INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d5', 'bob', 1)"))[1], qr/^40001: could not serialize access/, "$level: nor split them");
	fine($one, 'ROLLBACK');
	fine($two, "DELETE FROM fx_rate WHERE currency = 'CHF'");
	fine($one, "BEGIN ISOLATION LEVEL $level");
	fine($one, "UPDATE deal SET amount = amount + 1 WHERE deal_id = 'd5'");
	after($one, $two, "UPDATE fx_rate SET rate = rate + 1 WHERE currency = 'EUR'");
	right("$level, rates after deals");
}

# ---- splits

fine($one, 'BEGIN');
fine($one, "UPDATE deal SET amount = amount + 1 WHERE deal_id = 'd6'");
after($one, $two, "INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d6', 'bob', 1)");
right('a deal is being changed when it is split');

fine($one, 'BEGIN');
fine($one, "INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d7', 'bob', 1)");
after($one, $two, "UPDATE deal SET amount = amount + 1, closed_on = '2024-04-01' WHERE deal_id = 'd7'");
right('a deal is being split when it is changed');

fine($one, 'BEGIN');
fine($one, "DELETE FROM deal_credit WHERE deal_id = 'd7'");
after($one, $two, "UPDATE deal SET amount = amount + 1 WHERE deal_id = 'd7'");
right('a split is being taken away when its deal is changed');

fine($one, 'BEGIN');
fine($one, "INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('d7', 'bob', 1)");
after($one, $two, "INSERT INTO deal_credit (deal_id, rep_id, share, is_overlay) VALUES ('d7', 'cid', 1, true)");
right('two split one deal');

for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $deal = $level eq 'SERIALIZABLE' ? 'd8' : 'd9';
	fine($one, "BEGIN ISOLATION LEVEL $level");
	fine($one, 'SELECT count(*) FROM deal');
	fine($two, "INSERT INTO deal_credit (deal_id, rep_id, share) VALUES ('$deal', 'bob', 1)");
	like(($one->query("UPDATE deal SET amount = amount + 1 WHERE deal_id = '$deal'"))[1], qr/^40001: could not serialize access/, "$level: who does not see that a deal was split cannot change it");
	fine($one, 'ROLLBACK');
	right("$level: the first split of a deal");
	fine($one, "BEGIN ISOLATION LEVEL $level");
	fine($one, 'SELECT count(*) FROM deal');
	fine($two, "UPDATE deal SET amount = amount + 1 WHERE deal_id = '$deal'");
	like(($one->query("UPDATE deal_credit SET rep_id = 'cid' WHERE deal_id = '$deal'"))[1], qr/^40001: could not serialize access/, "$level: nor split what was changed");
	fine($one, 'ROLLBACK');
	fine($one, "BEGIN ISOLATION LEVEL $level");
	fine($one, 'SELECT count(*) FROM deal');
	fine($two, "DELETE FROM deal_credit WHERE deal_id = '$deal'");
	like(($one->query("UPDATE deal SET amount = amount + 1 WHERE deal_id = '$deal'"))[1], qr/^40001: could not serialize access/, "$level: nor change what is no longer split");
	fine($one, 'ROLLBACK');
	right("$level: splits that end");
}

# ---- teams and the calendar

fine($one, 'BEGIN');
fine($one, "SELECT move_rep('ann', 'south', '2024-02-15')");
fine($two, "SELECT move_rep('bob', 'south', '2024-02-15')");
pass('two who move reps do not wait for each other');
is($node->safe_psql('postgres', q{SELECT sales_perf.fold_rollup('sales') >= 0}), 't', 'nor does a fold wait for them');
is(wrong(), '0', 'while one is under way the rollups are right');
fine($one, 'COMMIT');
is($node->safe_psql('postgres', 'SELECT rollup_grain()'), 'day', 'months are not read that do not know of it');
right('teams');
is($node->safe_psql('postgres', 'SELECT rollup_grain()'), 'month', 'and are again after a fold');

# ---- folding

fine($one, 'BEGIN');
fine($one, 'UPDATE deal SET amount = amount + 1');
is($node->safe_psql('postgres', q{SELECT sales_perf.fold_rollup('sales') >= 0}), 't', 'a fold does not wait for writers');
fine($two, 'BEGIN');
fine($two, "SELECT sales_perf.fold_rollup('sales')");
fine($one, "INSERT INTO deal (deal_id, amount) VALUES ('while', 1)");
fine($one, 'COMMIT');
pass('nor they for a fold');
is(($three->query("SELECT sales_perf.fold_rollup('sales')"))[0], '0', 'a second fold ends at once');
is(wrong(), '0', 'while one is folding the rollups are right');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($two->{pid})");
right('a fold that was killed');
$two = Session->new($node, 'postgres');

fine($one, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
my ($before) = $one->query('SELECT x::text FROM rep_scorecard AS x ORDER BY 1');
fine($two, 'UPDATE deal SET amount = amount * 2');
fine($two, "SELECT sales_perf.fold_rollup('sales')");
is(($one->query('SELECT x::text FROM rep_scorecard AS x ORDER BY 1'))[0], $before, 'a snapshot shows what it showed, whatever is folded');
is(($one->query(q{SELECT sum(wrong_count) FROM sales_perf.verify_rollup('sales')}))[0], '0', 'and is right in itself');
fine($two, "SELECT sales_perf.maintain_rollup('sales')");
is(($one->query('SELECT x::text FROM rep_scorecard AS x ORDER BY 1'))[0], $before, 'or made anew');
after($one, $two, "SELECT sales_perf.drop_rollup('sales')");

# ---- reports that are kept

sub kept
{
	return $node->safe_psql('postgres', q{SELECT rollup_report_serves('forecast') AND rollup_report_serves('goal_progress')});
}

$node->safe_psql('postgres', q{SELECT sales_perf.maintain_rollup('sales'); SELECT sales_perf.fold_rollup('sales')});
is(kept(), 't', 'a fold keeps reports');
fine($one, 'BEGIN');
fine($one, "UPDATE rep SET name = 'Anna' WHERE rep_id = 'ann'");
is(kept(), 't', 'what is not committed is nothing yet');
is(($one->query(q{SELECT rollup_report_serves('forecast')}))[0], 'f', 'but to itself');
fine($two, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
my ($old_forecast) = $two->query('SELECT f::text FROM forecast AS f ORDER BY 1');
fine($three, "UPDATE team SET name = 'Northern' WHERE team_id = 'north'");
fine($three, "SELECT sales_perf.fold_rollup('sales')");
is(kept(), 't', 'kept while somebody is writing');
fine($one, 'COMMIT');
is(kept(), 'f', 'whose commit ends it, though he wrote before the fold began');
is(($two->query('SELECT f::text FROM forecast AS f ORDER BY 1'))[0], $old_forecast, 'a snapshot shows what it showed');
is(($two->query(q{SELECT rollup_report_serves('forecast')}))[0], 't', 'from what was kept then');
fine($two, 'COMMIT');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT f::text FROM forecast AS f EXCEPT ALL SELECT f::text FROM forecast_live AS f) AS d'), '0', 'others see the change');
$node->safe_psql('postgres', q{SELECT sales_perf.fold_rollup('sales')});
is(kept(), 't', 'until the next fold');
fine($one, 'BEGIN');
fine($one, "UPDATE rep SET name = 'Ann' WHERE rep_id = 'ann'");
fine($one, "SELECT sales_perf.fold_rollup('sales')");
is(($two->query(q{SELECT sales_perf.fold_rollup('sales')}))[0], '0', 'two folds do not make them at the same time');
fine($one, 'COMMIT');
is(kept(), 'f', 'and one that follows a change in its transaction makes none that others read');

# A snapshot takes the own transaction for ended once a later one has.
for my $first ("UPDATE rep SET name = 'Anne' WHERE rep_id = 'ann'", 'SELECT pg_current_xact_id()')
{
	fine($one, 'BEGIN');
	fine($one, $first);
	fine($two, "UPDATE team SET name = 'Northmost' WHERE team_id = 'north'");
	fine($one, "SELECT sales_perf.fold_rollup('sales')");
	fine($one, "UPDATE rep SET name = 'Anna' WHERE rep_id = 'ann'");
	is(($one->query(q{SELECT rollup_report_serves('forecast')}))[0], 'f', "a change after the fold, in its transaction, that began with $first");
	fine($one, 'COMMIT');
	is(kept(), 'f', 'nor do others read what was kept before it');
}
$node->safe_psql('postgres', q{SELECT sales_perf.fold_rollup('sales')});
is(kept(), 't', 'the next one does');

# ---- maintain_rollup

fine($one, 'BEGIN');
fine($one, 'UPDATE deal SET amount = amount + 1');
$two->send("BEGIN;\nSELECT sales_perf.maintain_rollup('sales')");
ok($two->waits, 'maintain_rollup waits for writers');
fine($one, 'COMMIT');
is(($two->result)[1], '', 'and goes on when they have ended');
fine($three, 'SELECT count(*) FROM company_scorecard');
pass('readers go on');
$one->send('UPDATE deal SET amount = amount + 1');
ok($one->waits, 'writers wait for it');
fine($two, 'COMMIT');
is(($one->result)[1], '', 'until it has ended');
right('maintain_rollup among writers');

fine($one, 'BEGIN');
fine($one, 'UPDATE deal SET amount = amount + 1');
fine($one, "INSERT INTO deal (deal_id, amount, currency) VALUES ('r', 1, 'EUR')");
after($one, $two, "SELECT sales_perf.rebuild_rollup('sales')");
right('rebuild_rollup among writers');

# ---- the first deals of a mart, by two sessions

fine($one, "SELECT sales_perf.create_mart('fresh')");
fine($one, "SELECT sales_perf.maintain_rollup('fresh')");
fine($_, 'SET search_path = fresh') for $one, $two;
fine($_, 'BEGIN') for $one, $two;
fine($one, "INSERT INTO deal (deal_id, opened_on) VALUES ('a', '2024-01-01')");
fine($two, "INSERT INTO deal (deal_id, opened_on) VALUES ('b', '2024-01-01')");
fine($one, "INSERT INTO deal (deal_id, amount, currency) VALUES ('c', 1, 'EUR')");
fine($two, "INSERT INTO deal (deal_id, amount, currency) VALUES ('d', 1, 'EUR')");
fine($_, 'COMMIT') for $one, $two;
is($node->safe_psql('postgres', 'SELECT count(*) FROM fresh.mart_setting'), '0', 'among others who write, nobody takes the first currency for the reporting currency');
fine($one, "INSERT INTO deal (deal_id, amount, currency, opened_on, closed_on, outcome) VALUES ('e', 1, 'EUR', '2024-01-01', '2024-01-02', 'won')");
is($node->safe_psql('postgres', 'SELECT reporting_currency FROM fresh.mart_setting'), 'EUR', 'but the next who is alone');
is($node->safe_psql('postgres', q{SELECT sum(wrong_count) FROM sales_perf.verify_rollup('fresh')}), '0', 'and all is counted once');

$_->end for $one, $two, $three;
done_testing();
