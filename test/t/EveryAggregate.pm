# Every aggregate of the extension that makes summaries of rows, called over a row of a table deal (rep_no, amount, outcome, opened_on, closed_on, and
# what a function of the fixture would give: path, bought). For tests that try them all in another engine.
package EveryAggregate;
use strict;
use warnings;
use Exporter 'import';
use Test::More;

our @EXPORT = qw(%call every_aggregate_is_named);

our %call = (
	'conversion_agg(boolean)' => q{outcome = 'won'},
	'amount_agg(numeric)' => 'amount',
	'cycle_agg(text,date,date)' => 'outcome, opened_on, closed_on',
	'deal_agg(numeric,text,date,date)' => 'amount, outcome, opened_on, closed_on',
	'attainment_agg(numeric,numeric)' => 'amount, amount * (0.5 + rep_no % 4 * 0.25)',
	'outlook_agg(numeric,doubleprecision)' => 'amount, rep_no / 10.0::float8',
	'closing_agg(date,text,numeric,date,text)' => q{closed_on, outcome, amount, opened_on, 'month'},
	'closing_agg(date,text,numeric,date,text,date[])' => q{closed_on, outcome, amount, opened_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'::date[]},
	'period_agg(date,numeric,text)' => q{opened_on, amount, 'month'},
	'period_agg(date,numeric,date,date,text)' => q{opened_on, amount, opened_on, closed_on, 'month'},
	'period_agg(date,numeric,text,date[])' => q{opened_on, amount, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'::date[]},
	'period_agg(date,numeric,date,date,text,date[])' => q{opened_on, amount, opened_on, closed_on, 'month', '{2021-01-31,2021-02-28,2021-04-04,2021-05-02,2022-01-02}'::date[]},
	'cohort_agg(period_summary)' => 'bought',
	'stage_path_agg(integer,date)' => 'rep_no % 5, opened_on',
	'funnel_agg(stage_path,text,date)' => 'path, outcome, closed_on',
	'funnel_agg(stage_path,text,date,text)' => q{path, outcome, closed_on, 'direct'},
);

# An aggregate that is not in the list is not tried.
sub every_aggregate_is_named
{
	my ($node) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(
		$node->safe_psql('postgres', q{
			SET search_path = sales_perf;
			SELECT replace(signature::text, ' ', '') FROM fixture.summary_aggregate ORDER BY 1}),
		join("\n", sort keys %call), 'every aggregate that makes summaries is tried here: name it in %call of EveryAggregate.pm');
	return;
}

1;
