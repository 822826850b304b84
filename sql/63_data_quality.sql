-- What is wrong with the data, row by row. Reports use each row as far as it goes; here it is said
-- which rows, and why they go no further.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE VIEW data_quality_check WITH (security_invoker = true) AS
SELECT check_code, severity, entity, description
  FROM (VALUES
       ('deal_closed_before_opened', 'error', 'deal', 'A won or lost deal was closed before it was opened: it has no cycle.'),
       ('deal_closed_without_day', 'error', 'deal', 'A won or lost deal has no day of closing: it belongs to no period.'),
       ('deal_closed_in_future', 'error', 'deal', 'A won or lost deal closes after today: it counts as open until then.'),
       ('deal_opened_in_future', 'error', 'deal', 'A deal opens after today: it does not count until then.'),
       ('deal_infinite_day', 'error', 'deal', 'A day of the deal is infinity.'),
       ('deal_day_outside_calendar', 'error', 'deal', 'A deal was opened or closed on a day that calendar does not hold: no period shows it. Extend the calendar with fill_calendar(), or mend the day.'),
       ('deal_won_without_amount', 'error', 'deal', 'A won deal has no amount: it counts as won, and adds nothing to bookings.'),
       ('deal_amount_not_a_number', 'error', 'deal', 'The amount is NaN or infinite, and so is every sum it enters.'),
       ('deal_open_in_closed_stage', 'error', 'deal', 'An open deal stands in a stage of closed deals.'),
       ('deal_without_rep', 'warning', 'deal', 'A deal belongs to no rep: it counts for the company and in the row (no rep).'),
       ('deal_without_opened_on', 'warning', 'deal', 'A deal has no day of opening: it has no cycle and belongs to no cohort.'),
       ('deal_without_account', 'warning', 'deal', 'A deal has no account.'),
       ('deal_without_stage', 'warning', 'deal', 'An open deal stands in no stage.'),
       ('deal_stage_of_other_pipeline', 'warning', 'deal', 'A deal stands in a stage of another pipeline than its own.'),
       ('deal_closed_in_open_stage', 'warning', 'deal', 'A won or lost deal stands in a stage of open deals.'),
       ('deal_negative_amount', 'warning', 'deal', 'The amount is below 0.'),
       ('deal_without_rate', 'error', 'deal', 'The deal''s currency has no rate into the reporting currency on the day it closed (open deals: as_of()): in reports it has no amount. Enter the rate in fx_rate; or, if it is the reporting currency, say so with set_reporting_currency().'),
       ('deal_overdue', 'warning', 'deal', 'A deal open as of as_of() was expected to close before it.'),
       ('deal_of_rep_who_left', 'warning', 'deal', 'A deal open as of as_of() belongs to a rep who had left by then.'),
       ('stage_event_before_opening', 'warning', 'stage_event', 'A stage was entered before the deal was opened.'),
       ('stage_event_in_future', 'error', 'stage_event', 'A stage is entered after today.'),
       ('sale_without_day', 'error', 'sale', 'A sale has no day: no report counts it.'),
       ('sale_in_future', 'error', 'sale', 'A sale is dated after today: it does not count until then.'),
       ('sale_infinite_day', 'error', 'sale', 'A day of the sale is infinity.'),
       ('sale_day_outside_calendar', 'error', 'sale', 'A sale was made on a day that calendar does not hold: no period shows it. Extend the calendar with fill_calendar(), or mend the day.'),
       ('sale_without_amount', 'error', 'sale', 'A sale has no amount: it counts as a sale, and adds nothing to sales.'),
       ('sale_amount_not_a_number', 'error', 'sale', 'The amount is NaN or infinite, and so is every sum it enters.'),
       ('sale_term_with_one_end', 'error', 'sale', 'A term has a first or a last day but not both: the sale counts on its day alone.'),
       ('sale_term_backwards', 'error', 'sale', 'A term ends before it begins: the sale counts on its day alone.'),
       ('sale_term_too_long', 'error', 'sale', 'A term is longer than 200 years: the sale counts on its day alone.'),
       ('sale_without_account', 'warning', 'sale', 'A sale has no account: it counts in sales, and is no customer''s in retention.'),
       ('sale_without_rep', 'warning', 'sale', 'A sale belongs to no rep: it counts for the company and in the row (no rep).'),
       ('sale_without_rate', 'error', 'sale', 'The sale''s currency has no rate into the reporting currency on its day: in reports it has no amount. Enter the rate in fx_rate; or, if it is the reporting currency, say so with set_reporting_currency().'),
       ('lead_without_day', 'error', 'lead', 'A lead has no day of creation: it belongs to no cohort.'),
       ('lead_in_future', 'error', 'lead', 'A lead is created, converted or lost after today: that does not count until then.'),
       ('lead_infinite_day', 'error', 'lead', 'A day of the lead is infinity.'),
       ('lead_day_outside_calendar', 'error', 'lead', 'A lead was created on a day that calendar does not hold: no period shows it. Extend the calendar with fill_calendar(), or mend the day.'),
       ('lead_ended_before_created', 'error', 'lead', 'A lead was converted or lost before it was created: it counts, and has no time to conversion.'),
       ('lead_converted_and_lost', 'error', 'lead', 'A lead was converted and lost: it counts as converted.'),
       ('lead_converted_without_day', 'error', 'lead', 'A lead names the deal it became, but no day: it counts as not converted.'),
       ('lead_without_rep', 'warning', 'lead', 'A lead belongs to no rep: it counts for the company and in the row (no rep).'),
       ('lead_without_source', 'warning', 'lead', 'A lead has no source: it counts as (no source).'),
       ('rep_without_team', 'warning', 'rep', 'A rep belongs to no team as of as_of(): the rep''s deals count for the company and for no team.'),
       ('rep_in_other_team', 'warning', 'rep', 'rep.team_id is not the team that team_membership gives for today: reports of teams go by team_membership.'),
       ('team_empty', 'warning', 'team', 'No rep belongs to the team or to a team below it.'),
       ('currency_assumed', 'warning', 'mart_setting', 'There are exchange rates, but nobody said which currency they are for: it is taken to be that of the first deals. Say it with set_reporting_currency().')
       ) AS checks (check_code, severity, entity, description);

COMMENT ON VIEW data_quality_check IS 'The checks that data_quality makes.';
COMMENT ON COLUMN data_quality_check.check_code IS 'Name of the check.';
COMMENT ON COLUMN data_quality_check.severity IS 'error: a figure is wrong or incomplete for it; warning: it should be looked at.';
COMMENT ON COLUMN data_quality_check.entity IS 'The table whose rows are checked.';
COMMENT ON COLUMN data_quality_check.description IS 'What it means, and what reports make of such a row.';

CREATE VIEW data_quality WITH (security_invoker = true) AS
WITH found AS NOT MATERIALIZED (
    SELECT 'deal_closed_before_opened'::text AS check_code,
           deal_id AS entity_id,
           rep_id,
           format('opened on %s, closed on %s', opened_on, closed_on) AS detail
      FROM deal
     WHERE outcome IN ('won', 'lost')
       AND closed_on < opened_on
    UNION ALL
    SELECT 'deal_closed_without_day', deal_id, rep_id, outcome
      FROM deal
     WHERE outcome IN ('won', 'lost')
       AND closed_on IS NULL
    UNION ALL
    SELECT 'deal_closed_in_future', deal_id, rep_id, format('%s on %s', outcome, closed_on)
      FROM deal
     WHERE outcome IN ('won', 'lost')
       AND closed_on > greatest(current_date, sales_perf.as_of())
       AND closed_on < 'infinity'
    UNION ALL
    SELECT 'deal_opened_in_future', deal_id, rep_id, format('opened on %s', opened_on)
      FROM deal
     WHERE opened_on > greatest(current_date, sales_perf.as_of())
       AND opened_on < 'infinity'
    UNION ALL
    SELECT 'deal_infinite_day', deal_id, rep_id,
           concat_ws(', ',
                     CASE WHEN NOT isfinite(opened_on) THEN format('opened_on %s', opened_on) END,
                     CASE WHEN NOT isfinite(closed_on) THEN format('closed_on %s', closed_on) END,
                     CASE WHEN NOT isfinite(expected_close_on) THEN format('expected_close_on %s', expected_close_on) END)
      FROM deal
     WHERE NOT isfinite(opened_on)
        OR NOT isfinite(closed_on)
        OR NOT isfinite(expected_close_on)
    UNION ALL
    SELECT 'deal_day_outside_calendar', deal_id, rep_id,
           format('opened on %s, closed on %s', coalesce(opened_on::text, '?'), coalesce(closed_on::text, '?'))
      FROM deal
     WHERE (isfinite(opened_on)
            AND (opened_on < (SELECT min(on_date) FROM calendar WHERE region = '')
                 OR opened_on > (SELECT max(on_date) FROM calendar WHERE region = '')))
        OR (outcome IN ('won', 'lost')
            AND isfinite(closed_on)
            AND (closed_on < (SELECT min(on_date) FROM calendar WHERE region = '')
                 OR closed_on > (SELECT max(on_date) FROM calendar WHERE region = '')))
    UNION ALL
    SELECT 'deal_won_without_amount', deal_id, rep_id, format('won on %s', coalesce(closed_on::text, '?'))
      FROM deal
     WHERE outcome = 'won'
       AND amount IS NULL
    UNION ALL
    SELECT 'deal_amount_not_a_number', deal_id, rep_id, format('amount %s', amount)
      FROM deal
     WHERE amount IN ('NaN', 'Infinity', '-Infinity')
    UNION ALL
    SELECT 'deal_open_in_closed_stage', d.deal_id, d.rep_id, format('stage %s', s.name)
      FROM deal d
      JOIN stage s ON s.stage_id = d.stage_id
     WHERE (d.outcome IS NULL OR d.outcome = 'open')
       AND NOT s.is_open
    UNION ALL
    SELECT 'deal_without_rep', deal_id, rep_id, coalesce(outcome, 'open')
      FROM deal
     WHERE rep_id IS NULL
    UNION ALL
    SELECT 'deal_without_opened_on', deal_id, rep_id, coalesce(outcome, 'open')
      FROM deal
     WHERE opened_on IS NULL
    UNION ALL
    SELECT 'deal_without_account', deal_id, rep_id, coalesce(outcome, 'open')
      FROM deal
     WHERE account_id IS NULL
    UNION ALL
    SELECT 'deal_without_stage', deal_id, rep_id, coalesce(outcome, 'open')
      FROM deal
     WHERE (outcome IS NULL OR outcome = 'open')
       AND stage_id IS NULL
    UNION ALL
    SELECT 'deal_stage_of_other_pipeline', d.deal_id, d.rep_id,
           format('pipeline %s, stage %s of pipeline %s', d.pipeline_id, s.name, s.pipeline_id)
      FROM deal d
      JOIN stage s ON s.stage_id = d.stage_id
     WHERE s.pipeline_id <> d.pipeline_id
    UNION ALL
    SELECT 'deal_closed_in_open_stage', d.deal_id, d.rep_id, format('%s, stage %s', d.outcome, s.name)
      FROM deal d
      JOIN stage s ON s.stage_id = d.stage_id
     WHERE d.outcome IN ('won', 'lost')
       AND s.is_open
    UNION ALL
    SELECT 'deal_negative_amount', deal_id, rep_id, format('amount %s', amount)
      FROM deal
     WHERE amount < 0
       AND amount > '-Infinity'
    UNION ALL
    SELECT 'deal_without_rate', deal_id, rep_id,
           format('amount %s %s, %s', amount, currency, CASE WHEN is_open THEN 'open' ELSE format('%s on %s', outcome, coalesce(closed_on::text, '?')) END)
      FROM deal_as_of
     WHERE currency IS NOT NULL
       AND amount IS NOT NULL
       AND reporting_amount IS NULL
    UNION ALL
    SELECT 'deal_overdue', deal_id, rep_id, format('expected to close on %s', expected_close_on)
      FROM deal_as_of
     WHERE is_open
       AND expected_close_on < sales_perf.as_of()
       AND expected_close_on > '-infinity'
    UNION ALL
    SELECT 'deal_of_rep_who_left', d.deal_id, d.rep_id, format('%s left on %s', r.name, r.left_on)
      FROM deal_as_of d
      JOIN rep r ON r.rep_id = d.rep_id
     WHERE d.is_open
       AND r.left_on < sales_perf.as_of()
    UNION ALL
    SELECT 'stage_event_before_opening', e.stage_event_id::text, d.rep_id,
           format('deal %s opened on %s, stage %s entered on %s', d.deal_id, d.opened_on, e.stage_id, e.entered_on)
      FROM stage_event e
      JOIN deal d ON d.deal_id = e.deal_id
     WHERE e.entered_on < d.opened_on
    UNION ALL
    SELECT 'stage_event_in_future', e.stage_event_id::text, d.rep_id,
           format('deal %s, stage %s entered on %s', d.deal_id, e.stage_id, e.entered_on)
      FROM stage_event e
      JOIN deal d ON d.deal_id = e.deal_id
     WHERE e.entered_on > greatest(current_date, sales_perf.as_of())
    UNION ALL
    SELECT 'sale_without_day', sale_id, rep_id, format('amount %s', coalesce(amount::text, '?'))
      FROM sale
     WHERE sold_on IS NULL
    UNION ALL
    SELECT 'sale_in_future', sale_id, rep_id, format('sold on %s', sold_on)
      FROM sale
     WHERE sold_on > greatest(current_date, sales_perf.as_of())
       AND sold_on < 'infinity'
    UNION ALL
    SELECT 'sale_infinite_day', sale_id, rep_id,
           concat_ws(', ',
                     CASE WHEN NOT isfinite(sold_on) THEN format('sold_on %s', sold_on) END,
                     CASE WHEN NOT isfinite(covers_from) THEN format('covers_from %s', covers_from) END,
                     CASE WHEN NOT isfinite(covers_to) THEN format('covers_to %s', covers_to) END)
      FROM sale
     WHERE NOT isfinite(sold_on)
        OR NOT isfinite(covers_from)
        OR NOT isfinite(covers_to)
    UNION ALL
    SELECT 'sale_day_outside_calendar', sale_id, rep_id, format('sold on %s', sold_on)
      FROM sale
     WHERE isfinite(sold_on)
       AND (sold_on < (SELECT min(on_date) FROM calendar WHERE region = '')
            OR sold_on > (SELECT max(on_date) FROM calendar WHERE region = ''))
    UNION ALL
    SELECT 'sale_without_amount', sale_id, rep_id, format('sold on %s', coalesce(sold_on::text, '?'))
      FROM sale
     WHERE amount IS NULL
    UNION ALL
    SELECT 'sale_amount_not_a_number', sale_id, rep_id, format('amount %s', amount)
      FROM sale
     WHERE amount IN ('NaN', 'Infinity', '-Infinity')
    UNION ALL
    SELECT 'sale_term_with_one_end', sale_id, rep_id, format('covers %s to %s', coalesce(covers_from::text, '?'), coalesce(covers_to::text, '?'))
      FROM sale
     WHERE (covers_from IS NULL) <> (covers_to IS NULL)
    UNION ALL
    SELECT 'sale_term_backwards', sale_id, rep_id, format('covers %s to %s', covers_from, covers_to)
      FROM sale
     WHERE covers_to < covers_from
    UNION ALL
    SELECT 'sale_term_too_long', sale_id, rep_id, format('covers %s to %s', covers_from, covers_to)
      FROM sale
     WHERE isfinite(covers_from)
       AND isfinite(covers_to)
       AND covers_to - covers_from >= 200 * 366
    UNION ALL
    SELECT 'sale_without_account', sale_id, rep_id, format('sold on %s', coalesce(sold_on::text, '?'))
      FROM sale
     WHERE account_id IS NULL
    UNION ALL
    SELECT 'sale_without_rep', sale_id, rep_id, format('sold on %s', coalesce(sold_on::text, '?'))
      FROM sale
     WHERE rep_id IS NULL
    UNION ALL
    SELECT 'sale_without_rate', sale_id, rep_id,
           format('amount %s %s, sold on %s', amount, currency, sold_on)
      FROM sale_as_of
     WHERE currency IS NOT NULL
       AND amount IS NOT NULL
       AND reporting_amount IS NULL
    UNION ALL
    SELECT 'lead_without_day', lead_id, rep_id, format('source %s', coalesce(source, '?'))
      FROM lead
     WHERE created_on IS NULL
    UNION ALL
    SELECT 'lead_in_future', lead_id, rep_id,
           format('created on %s, converted on %s, lost on %s', coalesce(created_on::text, '?'), coalesce(converted_on::text, '?'), coalesce(lost_on::text, '?'))
      FROM lead
     WHERE (created_on > greatest(current_date, sales_perf.as_of()) AND created_on < 'infinity')
        OR (converted_on > greatest(current_date, sales_perf.as_of()) AND converted_on < 'infinity')
        OR (lost_on > greatest(current_date, sales_perf.as_of()) AND lost_on < 'infinity')
    UNION ALL
    SELECT 'lead_infinite_day', lead_id, rep_id,
           concat_ws(', ',
                     CASE WHEN NOT isfinite(created_on) THEN format('created_on %s', created_on) END,
                     CASE WHEN NOT isfinite(converted_on) THEN format('converted_on %s', converted_on) END,
                     CASE WHEN NOT isfinite(lost_on) THEN format('lost_on %s', lost_on) END)
      FROM lead
     WHERE NOT isfinite(created_on)
        OR NOT isfinite(converted_on)
        OR NOT isfinite(lost_on)
    UNION ALL
    SELECT 'lead_day_outside_calendar', lead_id, rep_id, format('created on %s', created_on)
      FROM lead
     WHERE isfinite(created_on)
       AND (created_on < (SELECT min(on_date) FROM calendar WHERE region = '')
            OR created_on > (SELECT max(on_date) FROM calendar WHERE region = ''))
    UNION ALL
    SELECT 'lead_ended_before_created', lead_id, rep_id,
           format('created on %s, %s', created_on,
                  CASE WHEN converted_on < created_on THEN format('converted on %s', converted_on) ELSE format('lost on %s', lost_on) END)
      FROM lead
     WHERE converted_on < created_on
        OR lost_on < created_on
    UNION ALL
    SELECT 'lead_converted_and_lost', lead_id, rep_id, format('converted on %s, lost on %s', converted_on, lost_on)
      FROM lead
     WHERE converted_on IS NOT NULL
       AND lost_on IS NOT NULL
    UNION ALL
    SELECT 'lead_converted_without_day', lead_id, rep_id, format('deal %s', converted_deal_id)
      FROM lead
     WHERE converted_deal_id IS NOT NULL
       AND converted_on IS NULL
    UNION ALL
    SELECT 'lead_without_rep', lead_id, rep_id, format('created on %s', coalesce(created_on::text, '?'))
      FROM lead
     WHERE rep_id IS NULL
    UNION ALL
    SELECT 'lead_without_source', lead_id, rep_id, format('created on %s', coalesce(created_on::text, '?'))
      FROM lead
     WHERE source IS NULL
    UNION ALL
    SELECT 'rep_without_team', r.rep_id, r.rep_id, r.name
      FROM rep r
     WHERE NOT EXISTS (SELECT
                         FROM rep_team t
                        WHERE t.rep_id = r.rep_id
                          AND sales_perf.as_of() BETWEEN t.valid_from AND t.valid_to)
    UNION ALL
    SELECT 'rep_in_other_team', r.rep_id, r.rep_id,
           format('team %s, by team_membership %s', coalesce(r.team_id, '(none)'), coalesce(t.team_id, '(none)'))
      FROM rep r
      LEFT JOIN rep_team t ON t.rep_id = r.rep_id AND current_date BETWEEN t.valid_from AND t.valid_to
     WHERE t.team_id IS DISTINCT FROM r.team_id
    UNION ALL
    SELECT 'team_empty', t.team_id, NULL::text, t.name
      FROM team t
     WHERE NOT EXISTS (SELECT FROM team_rep member WHERE member.team_id = t.team_id)
    UNION ALL
    SELECT 'currency_assumed', s.reporting_currency, NULL::text, s.reporting_currency
      FROM mart_setting s
     WHERE s.is_assumed
       AND EXISTS (SELECT FROM fx_rate)
)
SELECT c.check_code,
       c.severity,
       c.entity,
       f.entity_id,
       f.rep_id,
       f.detail,
       c.description
  FROM found f
  JOIN data_quality_check c ON c.check_code = f.check_code;

COMMENT ON VIEW data_quality IS 'Rows that look wrong: one row for each violated check and checked row. Faults of what is recorded now; deal_overdue and deal_of_rep_who_left look at the deals as of as_of(). A filter on check_code runs that check alone.';
COMMENT ON COLUMN data_quality.check_code IS 'Name of the check, see data_quality_check.';
COMMENT ON COLUMN data_quality.severity IS 'error: a figure is wrong or incomplete for it; warning: it should be looked at.';
COMMENT ON COLUMN data_quality.entity IS 'The table the row is in.';
COMMENT ON COLUMN data_quality.entity_id IS 'Key of the row (of stage_event: stage_event_id).';
COMMENT ON COLUMN data_quality.rep_id IS 'The rep who can mend it; NULL: nobody.';
COMMENT ON COLUMN data_quality.detail IS 'What was found.';
COMMENT ON COLUMN data_quality.description IS 'What it means, and what reports make of such a row.';

CREATE VIEW data_quality_summary WITH (security_invoker = true) AS
SELECT c.check_code,
       c.severity,
       c.entity,
       checked.checked_count,
       coalesce(violated.violation_count, 0) AS violation_count,
       CASE
           WHEN checked.checked_count > 0
           THEN 1 - coalesce(violated.violation_count, 0)::double precision / checked.checked_count
       END AS data_quality_rate,
       c.description
  FROM data_quality_check c
  LEFT JOIN (SELECT check_code,
                    count(*) AS violation_count
               FROM data_quality
              GROUP BY check_code) AS violated ON violated.check_code = c.check_code
  LEFT JOIN (SELECT 'deal'::text AS entity, count(*) AS checked_count FROM deal
             UNION ALL
             SELECT 'stage_event', count(*) FROM stage_event
             UNION ALL
             SELECT 'sale', count(*) FROM sale
             UNION ALL
             SELECT 'lead', count(*) FROM lead
             UNION ALL
             SELECT 'rep', count(*) FROM rep
             UNION ALL
             SELECT 'team', count(*) FROM team
             UNION ALL
             SELECT 'mart_setting', count(*) FROM mart_setting) AS checked ON checked.entity = c.entity;

COMMENT ON VIEW data_quality_summary IS 'Each check of data_quality with the number of rows it looked at and found wrong.';
COMMENT ON COLUMN data_quality_summary.check_code IS 'Name of the check.';
COMMENT ON COLUMN data_quality_summary.severity IS 'error: a figure is wrong or incomplete for it; warning: it should be looked at.';
COMMENT ON COLUMN data_quality_summary.entity IS 'The table whose rows are checked.';
COMMENT ON COLUMN data_quality_summary.checked_count IS 'Rows of that table. Count.';
COMMENT ON COLUMN data_quality_summary.violation_count IS 'Rows found wrong. Count.';
COMMENT ON COLUMN data_quality_summary.data_quality_rate IS '1 - violation_count / checked_count. Fraction; NULL where there is nothing to check.';
COMMENT ON COLUMN data_quality_summary.description IS 'What it means, and what reports make of such a row.';

SET LOCAL search_path = sales_perf, pg_temp;
