# make demo, without building: it starts, reports, can be connected to, starts afresh, refuses bad data and stops.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $script = dirname($FindBin::Bin) . '/demo.sh';
my $scratch = tempdir('sales_perf_demo.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $scratch;
my $dir = "$scratch/demo";
$ENV{SALES_PERF_DEMO} = $dir;
$ENV{DEALS} = 2000;
# None of this test's surroundings, but the demo's own.
delete @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)};

END
{
	my $status = $?;
	system("'$script' stop >/dev/null 2>&1") if defined $dir && -e $dir;
	$? = $status;
}

sub demo
{
	my ($arguments) = @_;
	my $output = `'$script' $arguments 2>'$scratch/stderr' </dev/null`;
	my $status = $?;
	open(my $in, '<', "$scratch/stderr") or die $!;
	return ($status, $output, join('', <$in>));
}

SKIP:
{
	skip('SALES_PERF_ROOT is not set: make test sets it', 35) if !$ENV{SALES_PERF_ROOT};

	my ($status, $out, $err) = demo('start');
	is($status, 0, 'the demo starts');
	is($err, '', 'without a message') or diag $err;
	like($out, qr/SALES PERFORMANCE of [\d,]+ deals, as of \d{4}-\d\d-\d\d\n/, 'says what it reports on');
	for my $heading ('THE COMPANY', 'TEAMS in', 'REPS in', 'HOW LONG DEALS TAKE', 'THE PIPELINE',
		'SALES SO FAR', 'THE FUNNEL', 'LEADS', 'CUSTOMERS', 'COHORTS', 'SALES TO BE EXPECTED', 'GOALS', 'LEADERBOARD', 'COVERAGE',
		'FORECAST', 'WHERE THE PIPELINE WENT', 'FEEDBACK', 'WHAT CAME OF IT', 'COURSES', 'COACHING', 'STRENGTHS')
	{
		like($out, qr/^\Q$heading\E.*\n(\(.*\n)?[^\n]*\|[^\n]*\n[-+]+\n[^\n]*\d[^\n]*\n/m, "$heading: a heading, a table and rows");
	}
	# whose rows there may be none of on some days
	for my $heading ('REPS AND THEIR GOALS', 'ALERTS', 'FOCUS of')
	{
		like($out, qr/^\Q$heading\E.*\n[^\n]*\|[^\n]*\n[-+]+\n/m, "$heading: a heading and a table");
	}
	unlike($out, qr/#/, 'no number is too wide for its format');
	my ($connect) = $out =~ /look around: +(\S+ -h \S+ -U \S+ \S+)/;
	is(`$connect -XAtc 'SELECT count(*) > 0 FROM sales.deal' 2>&1`, "t\n", 'the command it names connects');

	mkdir "$scratch/bad";
	($status, $out, $err) = demo("start '$scratch/bad'");
	ok($status != 0 && $err =~ /lacks accounts\.csv products\.csv sales_teams\.csv sales_pipeline\.csv/, 'a folder without the files is refused');
	is(`$connect -XAtc 'SELECT count(*) > 0 FROM sales.deal' 2>&1`, "t\n", 'and the demo that is running goes on');

	for my $file (qw(accounts products sales_teams sales_pipeline))
	{
		open(my $csv, '>', "$scratch/bad/$file.csv") or die $!;
		print $csv "product,series,sales_price\nGTX,GTX,cheap\n";
	}
	($status, $out, $err) = demo("start '$scratch/bad'");
	ok($status != 0 && $err =~ /^ERROR:  accounts\.csv, line 1, column account: the header has no such column/, 'a bad file is named') or diag $err;
	ok(!-e $dir, 'and nothing is left');

	($status, $out, $err) = demo('stop');
	ok($status == 0 && $out =~ /No demo is running/, 'stop says that none is running');

	mkdir $dir;
	open(my $precious, '>', "$dir/precious") or die $!;
	($status, $out, $err) = demo('stop');
	ok($status != 0 && -e "$dir/precious", 'a directory that is no private cluster stays');
	unlink "$dir/precious";
	rmdir $dir;
}

done_testing();
