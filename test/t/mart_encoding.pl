# The extension and a mart can be made in a database of any encoding.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use Test::More;

my $node = PrivateCluster->new;

for my $encoding ('UTF8', 'LATIN1', 'EUC_JP', 'SQL_ASCII')
{
	my $database = lc "in_$encoding";
	$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	my ($status, undef, $error) = $node->psql($database, 'CREATE EXTENSION sales_perf');
	is($error, '', "$encoding: the extension is made");
	next if $status;
	like($node->safe_psql($database, "SELECT sales_perf.create_mart('sales')"), qr/^mart sales: /, "$encoding: a mart is made");
	is($node->safe_psql($database, "SELECT count(*) FROM sales.company_scorecard"), '3', "$encoding: it can be read");
}

done_testing();
