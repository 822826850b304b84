# The CSV loader of `make demo DATA=DIR`: what it makes of a folder, and that a bad file is named and leaves nothing behind.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use Test::More;

my $scripts = dirname($FindBin::Bin) . '/demo';
my $node = PrivateCluster->new;

my %good = (
	'accounts.csv' => <<'END',
account,sector,year_established,revenue,employees,office_location,subsidiary_of
"Smith, ""Sons"" & Co",technolgy,1996,1100.04,2822,United States,
Zoom Zürich,medical,1999,251.41,495,Switzerland,"Smith, ""Sons"" & Co"
END
	'products.csv' => <<'END',
product,series,sales_price
GTX Pro,GTX,4821
MG Special,MG,55.50
END
	'sales_teams.csv' => <<'END',
sales_agent,manager,regional_office
Ann,Mary,East
Ben,Mary,East
Cid,Nick,West
END
	'sales_pipeline.csv' => <<'END');
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
D1,Ann,GTXPro,"Smith, ""Sons"" & Co",Won,2017-01-02,2017-03-04,4514
D2,Ann,MG Special,Zoom Zürich,Lost,2016-02-29,2017-03-05,0
D3,Ben,MG Special,,Engaging,2017-05-06,,
D4,Ben,GTXPro,,Prospecting,,,
END

sub write_folder
{
	my (%content) = @_;
	my $dir = tempdir(CLEANUP => 1);
	for my $file (sort keys %content)
	{
		open(my $out, '>:raw', "$dir/$file") or die "$file: $!";
		print $out $content{$file};
		close($out);
	}
	return $dir;
}

sub new_database
{
	my ($database) = @_;
	$node->run('createdb', $database);
	$node->safe_psql($database, "SET client_min_messages = warning; CREATE EXTENSION sales_perf; SELECT sales_perf.create_mart('sales')");
	return $database;
}

sub load
{
	my ($database, $dir) = @_;
	return $node->capture('psql', '-XAtq', '-d', $database, '-v', 'mart=sales', '-v', "data=$dir", '-f', "$scripts/load.sql");
}

my @tables = qw(team rep product account stage deal stage_event sale lead);

sub row_counts
{
	my ($database) = @_;
	return $node->safe_psql($database, 'SELECT concat_ws(\' \', ' . join(', ', map { "(SELECT count(*) FROM sales.$_)" } @tables) . ')');
}

# A good folder
my $database = new_database('good');
my ($status, $out, $err) = load($database, write_folder(%good));
is($status, 0, 'a good folder loads') or diag $err;
is($err, '', 'without a message');
like($out, qr/Checking 11 lines\nLoading 4 deals\n/, 'and shows progress');
is(row_counts($database), '5 3 2 2 4 4 5 0 0', 'every table has its rows');
is($node->safe_psql($database, q{SELECT string_agg(team_id || '<' || coalesce(parent_team_id, ''), ' ' ORDER BY team_id COLLATE "C") FROM sales.team}),
	'East<company Mary<East Nick<West West<company company<', 'teams stand under offices, offices under the company');
is($node->safe_psql($database, 'SELECT string_agg(rep_id || $$:$$ || team_id, $$ $$ ORDER BY rep_id) FROM sales.rep'),
	'Ann:Mary Ben:Mary Cid:Nick', 'agents without deals are reps, too');
is($node->safe_psql($database, 'SELECT deal_id, product_id, outcome, amount, opened_on, closed_on, account_id FROM sales.deal ORDER BY deal_id'),
	join("\n",
		'D1|GTX Pro|won|4514|2017-01-02|2017-03-04|Smith, "Sons" & Co',
		'D2|MG Special|lost|0|2016-02-29|2017-03-05|Zoom Zürich',
		'D3|MG Special|open|55.50|2017-05-06||',
		'D4|GTX Pro|open|4821|||'),
	'outcomes, amounts (the list price if open), dates, and the misspelt product');
is($node->safe_psql($database, 'SELECT industry FROM sales.account ORDER BY account_id LIMIT 1'), 'technology', 'the misspelt sector is mended');
is($node->safe_psql($database, 'SELECT sales_perf.as_of()'), '2017-05-06', 'the database reports as of the last date');

# Byte order mark, line ends, order of columns, blank lines
my %odd = %good;
$odd{'products.csv'} = "\xEF\xBB\xBFsales_price,remark,product,series\r\n4821,,GTX Pro,GTX\r\n55.50,\"a, b\",MG Special,MG\r\n\r\n";
($status, $out, $err) = load(new_database('odd'), write_folder(%odd));
is($status, 0, 'BOM, CRLF, another order of columns, an unknown column and a blank line are fine') or diag $err;
is($node->safe_psql('odd', 'SELECT product_id, list_price FROM sales.product ORDER BY 1'), "GTX Pro|4821\nMG Special|55.50", 'with the same values');

# What a folder may have besides
my %more = (
	%good,
	'stage_history.csv' => <<'END',
opportunity_id,deal_stage,entered_date
D1,Prospecting,2016-12-01
D1,Engaging,2017-01-02
D1,Won,2017-03-04
END
	'sales.csv' => <<'END',
sale_id,account,sales_agent,product,sale_date,amount,covers_from,covers_to
S1,"Smith, ""Sons"" & Co",Ann,GTXPro,2017-03-04,4514,2017-03-04,2018-03-03
S2,"Smith, ""Sons"" & Co",,,2017-06-01,-10.50,,
END
	'leads.csv' => <<'END');
lead_id,account,sales_agent,source,created_date,converted_date,opportunity_id,lost_date
L1,"Smith, ""Sons"" & Co",Ann,fair,2016-12-01,2017-01-02,D1,
L2,,Ben,,2017-06-30,,,
END
($status, $out, $err) = load(new_database('more'), write_folder(%more));
is($status, 0, 'sales, leads and a stage history are loaded, too') or diag $err;
is(row_counts('more'), '5 3 2 2 4 4 6 2 2', 'with all their rows');
is($node->safe_psql('more', 'SELECT string_agg(stage_id || $$ $$ || entered_on, $$, $$ ORDER BY entered_on) FROM sales.stage_event WHERE deal_id = $$D1$$'),
	'Prospecting 2016-12-01, Engaging 2017-01-02, Won 2017-03-04', 'the history of a deal takes the place of what is known without it');
is($node->safe_psql('more', 'SELECT sale_id, account_id, rep_id, product_id, sold_on, amount, covers_from, covers_to FROM sales.sale ORDER BY 1'),
	"S1|Smith, \"Sons\" & Co|Ann|GTX Pro|2017-03-04|4514|2017-03-04|2018-03-03\nS2|Smith, \"Sons\" & Co|||2017-06-01|-10.50||", 'sales with their terms');
is($node->safe_psql('more', 'SELECT lead_id, account_id, rep_id, source, created_on, converted_on, converted_deal_id, lost_on FROM sales.lead ORDER BY 1'),
	"L1|Smith, \"Sons\" & Co|Ann|fair|2016-12-01|2017-01-02|D1|\nL2||Ben||2017-06-30|||", 'leads and what became of them');
is($node->safe_psql('more', 'SELECT sales_perf.as_of()'), '2017-06-30', 'their days count for the last date');
for my $case (
	['sales.csv', 'Ann', 'Bob', 'sales.csv, line 2, column sales_agent: "Bob" is not in sales_teams.csv'],
	['sales.csv', '2017-06-01', '', 'sales.csv, line 3, column sale_date: is empty'],
	['leads.csv', 'D1', 'D9', 'leads.csv, line 2, column opportunity_id: "D9" is not in sales_pipeline.csv'],
	['stage_history.csv', 'Engaging', 'Talking', 'stage_history.csv, line 3, column deal_stage: "Talking" is none of Prospecting, Engaging, Won, Lost'],
	['leads.csv', 'source', 'origin', 'leads.csv, line 1, column source: the header has no such column'])
{
	my ($file, $from, $to, $message) = @$case;
	my %folder = %more;
	substr($folder{$file}, index($folder{$file}, $from), length $from) = $to;
	($status, $out, $err) = load('odd', write_folder(%folder));
	ok($status != 0 && index($err, $message) >= 0, $message) or diag $err;
}

# Bad folders: the file, what is changed in it, the message
my @bad = (
	['sales_pipeline.csv', 'D2,Ann,MG Special,Zoom Zürich,Lost,2016-02-29', 'D2,Ann,MG Special,Zoom Zürich,Lost,2017-02-29',
		'sales_pipeline.csv, line 3, column engage_date: "2017-02-29" is not a date (YYYY-MM-DD)'],
	['sales_pipeline.csv', '2017-03-04', '2017-13-01', 'sales_pipeline.csv, line 2, column close_date: "2017-13-01" is not a date (YYYY-MM-DD)'],
	['sales_pipeline.csv', '2017-03-04', '03/04/2017', 'sales_pipeline.csv, line 2, column close_date: "03/04/2017" is not a date (YYYY-MM-DD)'],
	['sales_pipeline.csv', ',4514', ',$4514', 'sales_pipeline.csv, line 2, column close_value: "$4514" is not a number'],
	['sales_pipeline.csv', ',4514', ',NaN', 'sales_pipeline.csv, line 2, column close_value: "NaN" is not a number'],
	['products.csv', ',4821', ',', 'products.csv, line 2, column sales_price: is empty'],
	['sales_pipeline.csv', 'D3,Ben', 'D3,Bob', 'sales_pipeline.csv, line 4, column sales_agent: "Bob" is not in sales_teams.csv'],
	['sales_pipeline.csv', 'D3,Ben,MG Special', 'D3,Ben,MG', 'sales_pipeline.csv, line 4, column product: "MG" is not in products.csv'],
	['sales_pipeline.csv', 'Zoom Zürich', 'Zoom', 'sales_pipeline.csv, line 3, column account: "Zoom" is not in accounts.csv'],
	['sales_pipeline.csv', 'Lost', 'lost', 'sales_pipeline.csv, line 3, column deal_stage: "lost" is none of Prospecting, Engaging, Won, Lost'],
	['sales_pipeline.csv', 'D4', 'D1', 'sales_pipeline.csv, line 5, column opportunity_id: "D1" stands in line 2 already'],
	['accounts.csv', 'Switzerland,"Smith, ""Sons"" & Co"', 'Switzerland,Nobody', 'accounts.csv, line 3, column subsidiary_of: "Nobody" is not in accounts.csv'],
	['accounts.csv', 'Switzerland,"Smith, ""Sons"" & Co"', 'Switzerland,Zoom Zürich', 'accounts.csv, line 3, column subsidiary_of: "Zoom Zürich" would be above itself'],
	['sales_teams.csv', 'Ben,Mary,East', 'Ben,Mary,West', 'sales_teams.csv, line 3, column manager: "Mary" belongs to the office East in line 2'],
	['sales_teams.csv', 'Nick', 'West', 'sales_teams.csv, line 4, column manager: "West" is the name of an office, too'],
	['sales_pipeline.csv', 'Prospecting,,,', 'Prospecting,,', 'sales_pipeline.csv, line 5, column close_value: the line ends before it: 7 values for 8 columns'],
	['sales_pipeline.csv', 'Prospecting,,,', 'Prospecting,,,,1', 'sales_pipeline.csv, line 5, column close_value: the line goes on after it: 9 values for 8 columns'],
	['sales_pipeline.csv', ',Engaging', ',"Engaging', 'sales_pipeline.csv, line 4, column deal_stage: a quoted value does not end on this line'],
	['sales_pipeline.csv', 'MG Special,,', 'MG "Special",,', 'sales_pipeline.csv, line 4, column product: a quoted value does not end on this line, or a quote stands inside a value'],
	['products.csv', 'sales_price', 'price', 'products.csv, line 1, column sales_price: the header has no such column (it has: product, series, price)'],
	['products.csv', 'series', 'product', 'products.csv, line 1, column product: the header names this column twice'],
	['products.csv', $good{'products.csv'}, '', 'products.csv, line 1, column product: the file is empty'],
	['accounts.csv', 'Zürich', "Z\xFCrich", 'accounts.csv, line 3, column account: is not valid UTF-8'],
	['products.csv', "4821\n", "4821\r\n", 'CONTEXT:  COPY products.csv, line 2']);

$database = new_database('bad');
my $empty = row_counts($database);
for my $case (@bad)
{
	my ($file, $from, $to, $message) = @$case;
	my %folder = %good;
	my $at = index($folder{$file}, $from);
	die "no $from in $file" if $at < 0;
	substr($folder{$file}, $at, length $from) = $to;
	($status, $out, $err) = load($database, write_folder(%folder));
	ok($status != 0 && index($err, $message) >= 0, $message) or diag $err;
}
is(row_counts($database), $empty, 'none of them left anything behind');
is($node->safe_psql($database, 'SELECT sales_perf.as_of() = current_date'), 't', 'nor set a date');

# Several problems at once: the first is the message, the others its detail.
my %folder = %good;
$folder{'sales_pipeline.csv'} =~ s/Ben/Bob/g;
($status, $out, $err) = load($database, write_folder(%folder));
like($err, qr/ERROR:  sales_pipeline\.csv, line 4, .*\nDETAIL:  2 problems in all.*\n.*line 4.*\n.*line 5/, 'all problems are listed');

# A file that is not there
%folder = %good;
delete $folder{'products.csv'};
($status, $out, $err) = load($database, write_folder(%folder));
ok($status != 0 && $err =~ /products\.csv: No such file/, 'a missing file is named');
is(row_counts($database), $empty, 'and nothing was loaded');

SKIP:
{
	my $data = $ENV{SALES_PERF_DATA};
	skip('SALES_PERF_DATA is not set', 4) if !$data;
	($status, $out, $err) = load($database, "$data/crm_opportunities");
	is($status, 0, 'the public data set loads') or diag $err;
	like($out, qr/Loading 8,800 deals/, 'with all deals');
	is($node->safe_psql($database,
			q{SELECT count(*) FILTER (WHERE outcome = 'won'), sum(amount) FILTER (WHERE outcome = 'won'),
				count(*) FILTER (WHERE outcome = 'lost'), count(*) FILTER (WHERE outcome = 'open'),
				sum(amount) FILTER (WHERE outcome = 'open') FROM sales.deal}),
		'4238|10005534|2473|2089|4966215', 'won, bookings, lost, open and pipeline are the published ones');
	is($node->safe_psql($database, 'SELECT sales_perf.as_of()'), '2017-12-31', 'as of its last date');
}

done_testing();
