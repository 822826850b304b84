# What README.md and doc/*.md show is what happens: the SQL of each page runs from top to bottom, in a database of its
# own and in one session, and prints what the page says it prints; the tables of columns, functions and checks are the
# catalogue's.
#   ```sql ... ```               is run; it must not fail, unless the output says so
#   ``` ... ``` right after it   is what psql prints (messages last); runs of spaces and dashes count as one
#   <!-- not run -->             in the line before a block: it is only to be read
#   <!-- table: NAME OF -->      the table after it comes from the catalogue, see %table
# doc_examples.pl --write puts what comes out into the pages instead: read the difference before you believe it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PrivateCluster;
use Test::More;

my $root = "$FindBin::Bin/../..";
my $write = grep { $_ eq '--write' } @ARGV;
# Measured, so different each time: only the links of this page are tested.
my %measured = ('doc/performance.md' => 1);
my @pages = map { s{^\Q$root\E/}{}r } grep { -e } "$root/README.md", sort glob("$root/doc/*.md");

my %table = (
	# columns of a table or view of the mart
	columns => [ '| column | type | meaning |', <<'SQL' ],
SELECT concat('| `', a.attname, '` | ', format_type(a.atttypid, a.atttypmod), ' | ',
              replace(col_description(a.attrelid, a.attnum), '|', '\|'), ' |')
FROM pg_attribute AS a
WHERE a.attrelid = format('sales_perf_template.%I', :'of')::regclass
	AND a.attnum > 0
	AND NOT a.attisdropped
ORDER BY a.attnum
SQL
	# those that company_scorecard has not
	extra => [ '| column | type | meaning |', <<'SQL' ],
SELECT concat('| `', a.attname, '` | ', format_type(a.atttypid, a.atttypmod), ' | ',
              replace(col_description(a.attrelid, a.attnum), '|', '\|'), ' |')
FROM pg_attribute AS a
WHERE a.attrelid = format('sales_perf_template.%I', :'of')::regclass
	AND a.attnum > 0
	AND NOT EXISTS (
		SELECT
		FROM pg_attribute AS company
		WHERE company.attrelid = 'sales_perf_template.company_scorecard'::regclass
			AND company.attname = a.attname)
ORDER BY a.attnum
SQL
	# aggregates and accessors of a summary type, but for what every type has
	functions => [ '| function | gives | meaning |', <<'SQL' ],
SELECT concat('| `', p.proname, '(', pg_get_function_arguments(p.oid), ')` | ', pg_get_function_result(p.oid), ' | ',
              replace(replace(obj_description(p.oid, 'pg_proc'), '|', '\|'), E'\n', ' '), ' |')
FROM pg_proc AS p
WHERE p.pronamespace = 'sales_perf'::regnamespace
	AND (p.prorettype = :'of'::regtype AND (p.prokind = 'a' OR p.proargtypes[0] NOT IN (
			SELECT oid FROM pg_type WHERE typnamespace = 'sales_perf'::regnamespace))
		OR p.proargtypes[0] = :'of'::regtype AND p.prokind <> 'a')
	AND p.proname NOT IN ('is_valid', 'rollup')
	AND p.proname !~ '_to_jsonb$'
	AND obj_description(p.oid, 'pg_proc') !~ '^internal'
ORDER BY p.oid
SQL
	# built-in KPIs of a family, as the registry has them
	kpis => [ '| KPI | unit | better | by | what it is | when it is NULL | small below | shown in |', <<'SQL' ],
SELECT concat('| `', code, '` | ', unit, ' | ', direction, ' | ', attribution, ' | ', replace(formula, '|', '\|'), ' | ', null_rule, ' | ', nullif(minimum_sample, 0), ' | ', replace(shown_in, '.', ': '), ' |')
FROM sales_perf_template.kpi_builtin
WHERE family = :'of'
	AND (shown_in = 'kpi_long'
		OR EXISTS (
			SELECT
			FROM pg_attribute AS a
			WHERE a.attrelid = to_regclass(format('sales_perf_template.%I', split_part(shown_in, '.', 1)))
				AND a.attname = split_part(shown_in, '.', 2)))
SQL
	checks => [ '| check | severity | meaning |', <<'SQL' ],
SELECT concat('| `', check_code, '` | ', severity, ' | ', description, ' |')
FROM sales_perf_template.data_quality_check
SQL
);

# A page as a list of pieces, whose texts put together are the page: text, or a block with its language.
sub pieces
{
	my ($text) = @_;
	my @pieces;
	while ($text =~ /\G(.*?)^(```[^\n]*\n)(.*?)^(```\n)/gcms)
	{
		my ($before, $head, $body, $end) = ($1, $2, $3, $4);
		my $language = $head =~ s/^```|\s+$//gr;
		push @pieces, { text => $before };
		push @pieces, { head => $head, body => $body, end => $end, language => $language, skip => scalar($before =~ /<!-- not run -->\s*\z/) };
	}
	push @pieces, { text => substr($text, pos($text) // 0) };
	return @pieces;
}

# What counts when outputs are compared.
sub normal
{
	my ($text) = @_;
	return join("\n", grep { $_ ne '' } map { s/-{2,}/--/gr =~ s/[ \t]+/ /gr =~ s/^ | $//gr } split(/\n/, $text));
}

# Runs blocks in one session; gives what each printed, messages last.
sub run_blocks
{
	my ($node, $database, @blocks) = @_;
	my $file = $node->dir . '/page.sql';
	my $mark = '@@ next block';
	open(my $out, '>', $file) or die "$file: $!";
	print $out "\\set SHOW_CONTEXT never\n\\pset pager off\n";
	print $out "\\echo $mark\n\\warn $mark\n$_->{body}\n" for @blocks;
	close($out);
	my (undef, $stdout, $stderr) = $node->capture('psql', '-Xq', '-d', $database, '-f', $file);
	$stderr =~ s/^psql:[^\n]*?:\d+: //mg;
	my ($first_out, @out) = split(/^\Q$mark\E(?:\n|\z)/m, $stdout, -1);
	my ($first_err, @err) = split(/^\Q$mark\E(?:\n|\z)/m, $stderr, -1);
	return map { join('', map { /\n\z/ || $_ eq '' ? $_ : "$_\n" } $out[$_] // '', $err[$_] // '') } 0 .. $#blocks;
}

local $ENV{PGOPTIONS} = '-c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres';
my $node = PrivateCluster->new;
my $number = 0;

for my $page (@pages)
{
	open(my $in, '<:raw', "$root/$page") or die "$page: $!";
	my $text = do { local $/; <$in> };
	close($in);

	my @links = $text =~ /\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g;
	my $folder = $page =~ m{^(.*/)} ? $1 : '';
	is_deeply([ grep { !/^[a-z]+:/ && !-e "$root/$folder$_" } @links ], [], "$page: every link leads somewhere");
	next if $measured{$page};

	my $database = 'page_' . ++$number;
	$node->safe_psql('postgres', "CREATE DATABASE $database");

	my @pieces = pieces($text);
	my @blocks = grep { defined $pieces[$_]{language} && $pieces[$_]{language} eq 'sql' && !$pieces[$_]{skip} } 0 .. $#pieces;
	my @got = run_blocks($node, $database, @pieces[@blocks]);
	for my $i (0 .. $#blocks)
	{
		my ($at, $got) = ($blocks[$i], $got[$i]);
		my ($shown) = $pieces[$at]{body} =~ /^(?!--)(\S[^\n]*)/m;
		my $name = "$page: " . ($shown // 'SQL');
		my $next = $pieces[$at + 2];
		if ($next && $next->{head} && $next->{language} eq '' && $pieces[$at + 1]{text} !~ /\S/)
		{
			is(normal($got), normal($next->{body}), $name) unless $write;
			$next->{body} = $got =~ s/[ \t]+$//mgr =~ s/\n+\z/\n/r if $write && normal($got) ne normal($next->{body});
		}
		else
		{
			unlike($got, qr/^(?:ERROR|FATAL|PANIC|WARNING):/m, "$name (runs)") or diag $got;
		}
	}
	$text = join('', map { $_->{text} // $_->{head} . $_->{body} . $_->{end} } @pieces);

	# the tables from the catalogue
	$node->safe_psql('postgres', 'CREATE DATABASE catalogue') if $text =~ /<!-- table:/ && !$node->{has_catalogue};
	$node->safe_psql('catalogue', 'CREATE EXTENSION sales_perf') if $text =~ /<!-- table:/ && !$node->{has_catalogue}++;
	$text =~ s{(<!-- table: (\w+)(?: (\w+))? -->\n)\n?((?:\|[^\n]*\n)*)}{
		my ($mark, $kind, $of, $rows) = ($1, $2, $3 // '', $4);
		my ($head, $sql) = @{ $table{$kind} || die "$page: there is no table $kind\n" };
		my $wanted = $node->safe_psql('catalogue', "SET search_path = sales_perf, pg_catalog;\n$sql", variables => { of => $of });
		$wanted = join("\n", $head, $head =~ s/[^|]+/---/gr, $wanted, '');
		is_deeply([ split(/\n/, $rows) ], [ split(/\n/, $wanted) ], "$page: the table of $kind $of is the catalogue's") unless $write;
		"$mark\n$wanted";
	}ge;

	if ($write)
	{
		open(my $out, '>:raw', "$root/$page") or die "$page: $!";
		print $out $text;
		close($out);
	}
}

ok(scalar @pages, 'there are pages');
done_testing();
