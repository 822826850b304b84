# A private cluster for a TAP test, with sales_perf available. It ends with the test.
#   my $node = PrivateCluster->new(conf => "max_parallel_workers = 4\n");
#   $node->safe_psql('postgres', 'CREATE EXTENSION sales_perf');          # dies on an error, else what psql prints (-At)
#   my ($exit, $out, $err) = $node->psql('postgres', 'SELECT 1/0');
#   $node->run('pg_dump', '-Fc', '-f', $node->dir . '/dump', 'postgres'); # any program of PostgreSQL's; dies if it fails
#   $node->stop;                                                          # happens by itself, too
package PrivateCluster;
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Scalar::Util qw(weaken);

my $script = dirname(dirname(__FILE__)) . '/cluster.sh';
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my @clusters;

sub new
{
	my ($class, %option) = @_;
	my $parent = tempdir('sales_perf_tap.XXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod 0755, $parent;
	chomp(my $bin = `$pg_config --bindir`);
	my $self = bless { parent => $parent, dir => "$parent/cluster", bin => $bin, owner => $$ }, $class;
	local $ENV{SALES_PERF_CONF} = $option{conf} // '';
	system($script, 'start', $self->{dir}, $$) == 0 or die "the private cluster did not start\n";
	push @clusters, $self;
	weaken($clusters[-1]);
	return $self;
}

# a directory of the cluster's own, for dumps and the like; also where its socket is
sub dir { return $_[0]{dir}; }

# exit status, standard output, standard error of a program of PostgreSQL's, connected to this cluster
sub capture
{
	my ($self, @command) = @_;
	local @ENV{qw(PGHOST PGPORT PGUSER)} = ($self->{dir}, 5432, $self->{role} || 'postgres');
	my $program = shift @command;
	$program = "$self->{bin}/$program" if $program !~ m{/};
	my ($out_file, $err_file) = ("$self->{parent}/out", "$self->{parent}/err");
	my $child = fork() // die "fork: $!";
	if (!$child)
	{
		open(STDIN, '<', '/dev/null') && open(STDOUT, '>', $out_file) && open(STDERR, '>', $err_file) or die $!;
		exec($program, @command) or die "$program: $!";
	}
	waitpid($child, 0);
	my $status = $? >> 8 || $?;
	my @text;
	for my $file ($out_file, $err_file)
	{
		open(my $in, '<', $file) or die "$file: $!";
		my $text = join('', <$in>);
		chomp $text;
		push @text, $text;
	}
	return ($status, @text);
}

# like capture, by psql; options such as role => 'analyst' or variables => { name => 'value' } may follow
sub psql
{
	my ($self, $database, $sql, %option) = @_;
	local $self->{role} = $option{role};
	my $variables = $option{variables} || {};
	my $file = "$self->{parent}/in.sql";
	open(my $out, '>', $file) or die "$file: $!";
	print $out $sql, "\n";
	close($out);
	return $self->capture('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database,
		(map { ('-v', "$_=$variables->{$_}") } sort keys %$variables), '-f', $file);
}

sub safe_psql
{
	my ($self, $database, $sql, %option) = @_;
	my ($status, $out, $err) = $self->psql($database, $sql, %option);
	die "psql failed ($status): $err\non: $sql\n" if $status;
	return $out;
}

sub run
{
	my ($self, @command) = @_;
	my ($status, $out, $err) = $self->capture(@command);
	die "@command failed ($status): $err\n" if $status;
	return $out;
}

sub stop
{
	my ($self) = @_;
	return if $self->{stopped}++ || $self->{owner} != $$;
	my $status = $?;
	system($script, 'stop', $self->{dir});
	$? = $status;
	return;
}

sub DESTROY { $_[0]->stop; return; }

# One that is still used by a sub would be destroyed after File::Temp has removed its directory.
END { $_->stop for grep { defined } @clusters; }

1;
