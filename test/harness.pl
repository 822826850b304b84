#!/usr/bin/env perl
# harness.pl TOTALS FILE...: runs pgTAP files (.sql) and TAP files (.pl) and writes "passed failed skipped" into TOTALS.
# Every assertion counts once; a file skipped as a whole, or one that ends badly though no assertion failed, counts as one.
use strict;
use warnings;
use TAP::Harness;

my ($totals, @files) = @ARGV;
my ($passed, $failed, $skipped) = (0, 0, 0);

if (@files)
{
	my $harness = TAP::Harness->new(
		{
			jobs => 2,
			failures => 1,
			comments => 1,
			exec => sub {
				my (undef, $file) = @_;
				return [ $file =~ /\.sql$/ ? 'test/pgtap.sh' : $^X, $file =~ /\.pl$/ ? '-Itest/t' : (), $file ];
			}
		});
	my $result = $harness->runtests(@files);
	for my $parser ($result->parsers)
	{
		my $skips = () = $parser->skipped;
		my $bad = () = $parser->failed;
		my $good = () = $parser->passed;
		$skips = 1 if defined $parser->skip_all;
		$bad = 1 if $parser->has_problems && !$bad;
		$skipped += $skips;
		$failed += $bad;
		$passed += $good - $skips if $good > $skips;
	}
}

open(my $out, '>', $totals) or die "$totals: $!";
print $out "$passed $failed $skipped\n";
close($out);
