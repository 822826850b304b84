# A psql that stays connected, for tests in which sessions wait for each other.
#   my $session = Session->new($node, 'postgres');
#   my ($out, $error) = $session->query('SELECT 1');   # SQLSTATE and message of an error, '' if there was none
#   $session->send('UPDATE ...');                      # does not wait for the end
#   $session->waits or die;                            # until it waits for a lock (false: it ended instead)
#   my ($out, $error) = $session->result;              # of what was sent
package Session;
use strict;
use warnings;
use IPC::Open3;
use Time::HiRes qw(sleep time);

my $patience = 60;

sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { node => $node, database => $database, number => 0, buffer => '' }, $class;
	local @ENV{qw(PGHOST PGPORT PGUSER)} = ($node->dir, 5432, 'postgres');
	$self->{child} = open3($self->{in}, $self->{out}, undef, "$node->{bin}/psql", '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $database);
	$self->{in}->autoflush(1);
	($self->{pid}) = $self->query("SET client_min_messages = error;\nSELECT pg_backend_pid()");
	return $self;
}

sub send
{
	my ($self, $sql) = @_;
	$self->{marker} = 'end of ' . ++$self->{number};
	print { $self->{in} } "$sql;\n\\echo\n\\echo $self->{marker}\n";
	return;
}

sub result
{
	my ($self) = @_;
	my $end = time + $patience;
	while (index($self->{buffer}, "\n$self->{marker}\n") < 0)
	{
		my $bits = '';
		vec($bits, fileno($self->{out}), 1) = 1;
		select($bits, undef, undef, 1);
		if (vec($bits, fileno($self->{out}), 1))
		{
			sysread($self->{out}, $self->{buffer}, 65536, length $self->{buffer}) or die "the session ended: $self->{buffer}\n";
		}
		die "no answer\n" if time > $end;
	}
	my $text = substr($self->{buffer}, 0, index($self->{buffer}, "\n$self->{marker}\n"));
	$self->{buffer} = '';
	my ($error) = $text =~ /^ERROR:  (.*)/m;
	$text =~ s/\n+\z//;
	return ($text, $error // '');
}

sub query
{
	my ($self, $sql) = @_;
	$self->send($sql);
	return $self->result;
}

sub waits
{
	my ($self) = @_;
	my $end = time + $patience;
	until ($self->{node}->safe_psql($self->{database}, "SELECT count(*) FROM pg_stat_activity WHERE pid = $self->{pid} AND wait_event_type = 'Lock' AND state = 'active'"))
	{
		return 0 if $self->{node}->safe_psql($self->{database}, "SELECT state FROM pg_stat_activity WHERE pid = $self->{pid}") ne 'active' || time > $end;
		sleep 0.05;
	}
	return 1;
}

sub end
{
	my ($self) = @_;
	close $self->{in};
	waitpid($self->{child}, 0);
	return;
}

1;
