-- The waterfall: how the pipeline of a period came to be what it is, from the recorded history of deals.
--
-- A deal is due in a period if it is expected to close by the period's last day: also one that is
-- overdue, which is due now. Two states of each deal are compared, at the end of the day before
-- the period and of its last day (or of as_of()). What is in at the beginning changes its owner
-- first, then its worth, and then leaves at what it is worth then; what comes in later comes in at
-- that. So the parts of each deal add up, and those of any group of deals.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- deal_later_change for any day. Only deals that matter are looked at: those of pipeline_flow.
CREATE FUNCTION deal_changed_after(on_day date)
    RETURNS TABLE (deal_id text,
                   amount_changed boolean, amount text,
                   currency_changed boolean, currency text,
                   expected_close_on_changed boolean, expected_close_on text,
                   rep_id_changed boolean, rep_id text,
                   outcome_changed boolean, outcome text,
                   closed_on_changed boolean, closed_on text)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT earliest.deal_id,
           bool_or(earliest.field = 'amount'),
           max(earliest.old_value) FILTER (WHERE earliest.field = 'amount'),
           bool_or(earliest.field = 'currency'),
           max(earliest.old_value) FILTER (WHERE earliest.field = 'currency'),
           bool_or(earliest.field = 'expected_close_on'),
           max(earliest.old_value) FILTER (WHERE earliest.field = 'expected_close_on'),
           bool_or(earliest.field = 'rep_id'),
           max(earliest.old_value) FILTER (WHERE earliest.field = 'rep_id'),
           bool_or(earliest.field = 'outcome'),
           max(earliest.old_value) FILTER (WHERE earliest.field = 'outcome'),
           bool_or(earliest.field = 'closed_on'),
           max(earliest.old_value) FILTER (WHERE earliest.field = 'closed_on')
      FROM (SELECT DISTINCT ON (c.deal_id, c.field)
                   c.deal_id, c.field, c.old_value
              FROM deal_change c
             WHERE c.changed_at >= (deal_changed_after.on_day + 1)::timestamptz
               AND c.field IN ('amount', 'currency', 'expected_close_on', 'rep_id', 'outcome', 'closed_on')
             ORDER BY c.deal_id, c.field, c.changed_at, c.deal_change_id) AS earliest
     GROUP BY earliest.deal_id;
END;

COMMENT ON FUNCTION deal_changed_after(date) IS 'The deals with changes recorded after a day, and what the changed fields held at the end of that day, as text: deal_later_change for a day of choice.';

CREATE FUNCTION pipeline_flow(from_day date, to_day date, due_day date)
    RETURNS TABLE (deal_id text, start_rep_id text, end_rep_id text, is_start boolean, came text, went text,
                   start_amount numeric, end_amount numeric, fx_amount numeric, change_amount numeric,
                   start_expected_on date, end_expected_on date, is_as_recorded boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.deal_id,
           f.start_rep_id,
           f.end_rep_id,
           f.is_start,
           f.came,
           f.went,
           CASE WHEN f.is_start THEN f.start_amount * f.start_rate ELSE 0 END,
           f.end_amount * f.end_rate,
           CASE WHEN f.is_start AND f.is_one_currency AND f.start_rate > 0 AND f.end_rate > 0 THEN f.start_amount * (f.end_rate - f.start_rate) ELSE 0 END,
           CASE
               WHEN NOT f.is_start THEN 0
               WHEN f.is_one_currency AND f.start_rate > 0 AND f.end_rate > 0 THEN (f.end_amount - f.start_amount) * f.end_rate
               ELSE f.end_amount * f.end_rate - f.start_amount * f.start_rate
           END,
           f.start_expected_on,
           f.end_expected_on,
           f.is_recorded_in_time
      FROM (SELECT d.deal_id,
                   d.start_rep_id,
                   d.end_rep_id,
                   d.start_is_open AND coalesce(d.start_expected_on <= pipeline_flow.due_day, false) AS is_start,
                   CASE
                       WHEN d.start_is_open AND d.start_expected_on <= pipeline_flow.due_day THEN 'start'
                       WHEN d.start_is_open THEN 'pulled_in'
                       ELSE 'new'
                   END AS came,
                   CASE
                       WHEN NOT d.end_is_open THEN d.end_outcome
                       WHEN d.end_expected_on <= pipeline_flow.due_day THEN 'end'
                       ELSE 'pushed_out'
                   END AS went,
                   d.start_currency = d.end_currency AS is_one_currency,
                   -- what is no number is not known
                   CASE WHEN d.start_amount > '-Infinity' AND d.start_amount < 'Infinity' THEN d.start_amount ELSE 0 END AS start_amount,
                   CASE WHEN d.end_amount > '-Infinity' AND d.end_amount < 'Infinity' THEN d.end_amount ELSE 0 END AS end_amount,
                   CASE
                       WHEN d.start_currency = d.reporting_currency THEN 1
                       ELSE coalesce((SELECT x.rate
                                        FROM fx_rate x
                                       WHERE x.currency = d.start_currency
                                         AND x.valid_from <= pipeline_flow.from_day
                                       ORDER BY x.valid_from DESC
                                       LIMIT 1), 0)
                   END AS start_rate,
                   CASE
                       WHEN d.end_currency = d.reporting_currency THEN 1
                       ELSE coalesce((SELECT x.rate
                                        FROM fx_rate x
                                       WHERE x.currency = d.end_currency
                                         AND x.valid_from <= CASE WHEN d.end_is_open THEN pipeline_flow.to_day ELSE d.end_closed_on END
                                       ORDER BY x.valid_from DESC
                                       LIMIT 1), 0)
                   END AS end_rate,
                   d.start_expected_on,
                   d.end_expected_on,
                   d.is_recorded_in_time
              FROM (SELECT s.deal_id,
                           s.start_rep_id,
                           s.end_rep_id,
                           s.start_amount,
                           s.end_amount,
                           coalesce(s.start_currency, s.reporting_currency) AS start_currency,
                           coalesce(s.end_currency, s.reporting_currency) AS end_currency,
                           s.reporting_currency,
                           s.start_expected_on,
                           s.end_expected_on,
                           s.is_recorded_in_time,
                           s.is_there_at_start
                           AND NOT (s.start_outcome <> 'open' AND coalesce(s.start_closed_on <= pipeline_flow.from_day, true))
                           AND NOT (NOT s.is_as_recorded AND s.outcome_now <> 'open' AND coalesce(s.closed_on_now <= pipeline_flow.from_day, false)) AS start_is_open,
                           NOT (s.end_outcome <> 'open' AND coalesce(s.end_closed_on <= pipeline_flow.to_day, true))
                           AND NOT (NOT s.is_recorded_at_end AND s.outcome_now <> 'open' AND coalesce(s.closed_on_now <= pipeline_flow.to_day, false)) AS end_is_open,
                           CASE
                               WHEN s.end_outcome <> 'open' AND coalesce(s.end_closed_on <= pipeline_flow.to_day, true) THEN s.end_outcome
                               ELSE s.outcome_now
                           END AS end_outcome,
                           CASE
                               WHEN s.end_outcome <> 'open' AND coalesce(s.end_closed_on <= pipeline_flow.to_day, true) THEN s.end_closed_on
                               ELSE s.closed_on_now
                           END AS end_closed_on
                      FROM (SELECT d.deal_id,
                                   coalesce((SELECT m.reporting_currency FROM mart_setting m), '') AS reporting_currency,
                                   CASE WHEN a.rep_id_changed THEN a.rep_id ELSE d.rep_id END AS start_rep_id,
                                   CASE WHEN z.rep_id_changed THEN z.rep_id ELSE d.rep_id END AS end_rep_id,
                                   CASE WHEN a.amount_changed THEN a.amount::numeric ELSE d.amount END AS start_amount,
                                   CASE WHEN z.amount_changed THEN z.amount::numeric ELSE d.amount END AS end_amount,
                                   CASE WHEN a.currency_changed THEN a.currency ELSE d.currency END AS start_currency,
                                   CASE WHEN z.currency_changed THEN z.currency ELSE d.currency END AS end_currency,
                                   CASE WHEN a.expected_close_on_changed THEN a.expected_close_on::date ELSE d.expected_close_on END AS start_expected_on,
                                   CASE WHEN z.expected_close_on_changed THEN z.expected_close_on::date ELSE d.expected_close_on END AS end_expected_on,
                                   coalesce(CASE WHEN a.outcome_changed THEN a.outcome ELSE d.outcome END, 'open') AS start_outcome,
                                   coalesce(CASE WHEN z.outcome_changed THEN z.outcome ELSE d.outcome END, 'open') AS end_outcome,
                                   CASE WHEN a.closed_on_changed THEN a.closed_on::date ELSE d.closed_on END AS start_closed_on,
                                   CASE WHEN z.closed_on_changed THEN z.closed_on::date ELSE d.closed_on END AS end_closed_on,
                                   coalesce(d.outcome, 'open') AS outcome_now,
                                   d.closed_on AS closed_on_now,
                                   coalesce(d.opened_on <= pipeline_flow.from_day, true) AS is_there_at_start,
                                   d.recorded_at < (pipeline_flow.from_day + 1)::timestamptz AS is_as_recorded,
                                   d.recorded_at < (greatest(pipeline_flow.from_day, d.opened_on) + 1)::timestamptz AS is_recorded_in_time,
                                   d.recorded_at < (pipeline_flow.to_day + 1)::timestamptz AS is_recorded_at_end
                              FROM (-- All others were closed at the beginning, and are.
                                    SELECT o.deal_id, o.rep_id, o.amount, o.currency, o.opened_on, o.expected_close_on, o.closed_on, o.outcome, o.recorded_at
                                      FROM deal o
                                     WHERE o.outcome IS NULL
                                        OR o.outcome = 'open'
                                    UNION ALL
                                    SELECT o.deal_id, o.rep_id, o.amount, o.currency, o.opened_on, o.expected_close_on, o.closed_on, o.outcome, o.recorded_at
                                      FROM deal o
                                     WHERE o.outcome <> 'open'
                                       AND o.closed_on > pipeline_flow.from_day
                                    UNION ALL
                                    SELECT o.deal_id, o.rep_id, o.amount, o.currency, o.opened_on, o.expected_close_on, o.closed_on, o.outcome, o.recorded_at
                                      FROM (SELECT DISTINCT c.deal_id
                                              FROM deal_change c
                                             WHERE c.changed_at >= (pipeline_flow.from_day + 1)::timestamptz
                                               AND c.field IN ('outcome', 'closed_on')) AS changed
                                     -- looked up one by one: they are few, and joined all deals would be read
                                     CROSS JOIN LATERAL (
                                           SELECT x.*
                                             FROM deal x
                                            WHERE x.deal_id = changed.deal_id
                                              AND x.outcome <> 'open'
                                              AND coalesce(x.closed_on <= pipeline_flow.from_day, true)
                                           OFFSET 0) AS o) AS d
                              LEFT JOIN deal_changed_after(pipeline_flow.from_day) AS a ON a.deal_id = d.deal_id
                              LEFT JOIN deal_changed_after(pipeline_flow.to_day) AS z ON z.deal_id = d.deal_id
                             WHERE d.opened_on <= pipeline_flow.to_day
                                OR d.opened_on IS NULL) AS s) AS d
             -- in at the beginning or at the end, or closed in between
             WHERE (d.start_is_open AND d.start_expected_on <= pipeline_flow.due_day)
                OR (d.end_is_open AND d.end_expected_on <= pipeline_flow.due_day)
                OR (NOT d.end_is_open AND coalesce(d.end_closed_on > pipeline_flow.from_day, d.start_is_open))) AS f;
END;

COMMENT ON FUNCTION pipeline_flow(date, date, date) IS 'The deals behind pipeline_waterfall, one row each: open at the end of from_day or to_day and expected to close by due_day, or closed in between. came: start, pulled_in or new; went: end, pushed_out, won or lost; amounts in the reporting currency, fx_amount by the change of rates, change_amount by any other change of worth. start_amount + (end_amount where it came later) + fx_amount + change_amount = end_amount.';

CREATE VIEW pipeline_waterfall WITH (security_invoker = true) AS
SELECT e.level,
       e.team_id,
       e.team_name,
       e.rep_id,
       e.rep_name,
       p.grain,
       p.period_start,
       p.period_end,
       p.period_label,
       p.is_complete,
       coalesce(e.start_amount, 0) AS start_amount,
       coalesce(e.new_amount, 0) AS new_amount,
       coalesce(e.pulled_in_amount, 0) AS pulled_in_amount,
       coalesce(e.increased_amount, 0) AS increased_amount,
       coalesce(e.decreased_amount, 0) AS decreased_amount,
       coalesce(e.pushed_out_amount, 0) AS pushed_out_amount,
       coalesce(e.won_amount, 0) AS won_amount,
       coalesce(e.lost_amount, 0) AS lost_amount,
       coalesce(e.reassigned_in_amount, 0) AS reassigned_in_amount,
       coalesce(e.reassigned_out_amount, 0) AS reassigned_out_amount,
       coalesce(e.fx_amount, 0) AS fx_amount,
       coalesce(e.end_amount, 0) AS end_amount,
       coalesce(e.start_amount, 0) + coalesce(e.new_amount, 0) + coalesce(e.pulled_in_amount, 0) + coalesce(e.increased_amount, 0)
       - coalesce(e.decreased_amount, 0) - coalesce(e.pushed_out_amount, 0) - coalesce(e.won_amount, 0) - coalesce(e.lost_amount, 0)
       + coalesce(e.reassigned_in_amount, 0) - coalesce(e.reassigned_out_amount, 0) + coalesce(e.fx_amount, 0)
       - coalesce(e.end_amount, 0) AS difference_amount,
       coalesce(e.start_overdue_amount, 0) AS start_overdue_amount,
       coalesce(e.end_overdue_amount, 0) AS end_overdue_amount,
       coalesce(e.start_count, 0)::bigint AS start_count,
       coalesce(e.end_count, 0)::bigint AS end_count,
       coalesce(e.slipped_count, 0)::bigint AS slipped_count,
       coalesce(e.push_count, 0)::bigint AS push_count,
       coalesce(e.unrecorded_count, 0)::bigint AS unrecorded_count,
       CASE WHEN e.start_count > 0 THEN coalesce(e.slipped_count, 0)::double precision / e.start_count::double precision END AS slip_rate
  FROM (SELECT grain, period_start, period_end, period_label, is_complete,
               least(period_end, sales_perf.as_of()) AS to_day
          FROM period) AS p
 CROSS JOIN LATERAL (
        -- By who owned the deals at the beginning and at the end: hardly more rows than reps.
        -- History may name a rep who was deleted since: what he had is nobody's, and reps still add up to the company.
        WITH between_owners AS MATERIALIZED (
            SELECT CASE WHEN f.start_rep_id IN (SELECT r.rep_id FROM rep r) THEN f.start_rep_id END AS start_rep_id,
                   CASE WHEN f.end_rep_id IN (SELECT r.rep_id FROM rep r) THEN f.end_rep_id END AS end_rep_id,
                   sum(f.start_amount) AS start_amount,
                   sum(f.end_amount) FILTER (WHERE f.came = 'new') AS new_amount,
                   sum(f.end_amount) FILTER (WHERE f.came = 'pulled_in') AS pulled_in_amount,
                   sum(f.change_amount) FILTER (WHERE f.change_amount > 0) AS increased_amount,
                   -sum(f.change_amount) FILTER (WHERE f.change_amount < 0) AS decreased_amount,
                   sum(f.end_amount) FILTER (WHERE f.went = 'pushed_out') AS pushed_out_amount,
                   sum(f.end_amount) FILTER (WHERE f.went = 'won') AS won_amount,
                   sum(f.end_amount) FILTER (WHERE f.went = 'lost') AS lost_amount,
                   sum(f.fx_amount) AS fx_amount,
                   sum(f.end_amount) FILTER (WHERE f.went = 'end') AS end_amount,
                   sum(f.start_amount) FILTER (WHERE f.start_expected_on < p.period_start) AS start_overdue_amount,
                   sum(f.end_amount) FILTER (WHERE f.went = 'end' AND f.end_expected_on < p.to_day) AS end_overdue_amount,
                   count(*) FILTER (WHERE f.is_start) AS start_count,
                   count(*) FILTER (WHERE f.went = 'end') AS end_count,
                   count(*) FILTER (WHERE f.is_start AND f.went = 'pushed_out') AS slipped_count,
                   sum(moved.push_count) AS push_count,
                   count(*) FILTER (WHERE NOT f.is_as_recorded) AS unrecorded_count
              FROM pipeline_flow(p.period_start - 1, p.to_day, p.period_end) AS f
              LEFT JOIN (SELECT c.deal_id,
                                count(*) AS push_count
                           FROM deal_change c
                          WHERE c.field = 'expected_close_on'
                            AND c.changed_at >= p.period_start::timestamptz
                            AND c.changed_at < (p.to_day + 1)::timestamptz
                            AND c.new_value::date > c.old_value::date
                          GROUP BY c.deal_id) AS moved ON moved.deal_id = f.deal_id
             GROUP BY 1, 2
        )
        SELECT 'company'::text AS level,
               NULL::text AS team_id,
               NULL::text AS team_name,
               NULL::text AS rep_id,
               NULL::text AS rep_name,
               sum(b.start_amount) AS start_amount,
               sum(b.new_amount) AS new_amount,
               sum(b.pulled_in_amount) AS pulled_in_amount,
               sum(b.increased_amount) AS increased_amount,
               sum(b.decreased_amount) AS decreased_amount,
               sum(b.pushed_out_amount) AS pushed_out_amount,
               sum(b.won_amount) AS won_amount,
               sum(b.lost_amount) AS lost_amount,
               NULL::numeric AS reassigned_in_amount,
               NULL::numeric AS reassigned_out_amount,
               sum(b.fx_amount) AS fx_amount,
               sum(b.end_amount) AS end_amount,
               sum(b.start_overdue_amount) AS start_overdue_amount,
               sum(b.end_overdue_amount) AS end_overdue_amount,
               sum(b.start_count) AS start_count,
               sum(b.end_count) AS end_count,
               sum(b.slipped_count) AS slipped_count,
               sum(b.push_count) AS push_count,
               sum(b.unrecorded_count) AS unrecorded_count
          FROM between_owners b
        UNION ALL
        SELECT 'team'::text,
               t.team_id,
               t.name,
               NULL::text,
               NULL::text,
               g.start_amount,
               g.new_amount,
               g.pulled_in_amount,
               g.increased_amount,
               g.decreased_amount,
               g.pushed_out_amount,
               g.won_amount,
               g.lost_amount,
               g.reassigned_in_amount,
               g.reassigned_out_amount,
               g.fx_amount,
               g.end_amount,
               g.start_overdue_amount,
               g.end_overdue_amount,
               g.start_count,
               g.end_count,
               g.slipped_count,
               g.push_count,
               g.unrecorded_count
          FROM team t
          LEFT JOIN (SELECT moved.team_id,
                            sum(moved.start_amount) AS start_amount,
                            sum(moved.new_amount) AS new_amount,
                            sum(moved.pulled_in_amount) AS pulled_in_amount,
                            sum(moved.increased_amount) AS increased_amount,
                            sum(moved.decreased_amount) AS decreased_amount,
                            sum(moved.pushed_out_amount) AS pushed_out_amount,
                            sum(moved.won_amount) AS won_amount,
                            sum(moved.lost_amount) AS lost_amount,
                            sum(moved.reassigned_in_amount) AS reassigned_in_amount,
                            sum(moved.reassigned_out_amount) AS reassigned_out_amount,
                            sum(moved.fx_amount) AS fx_amount,
                            sum(moved.end_amount) AS end_amount,
                            sum(moved.start_overdue_amount) AS start_overdue_amount,
                            sum(moved.end_overdue_amount) AS end_overdue_amount,
                            sum(moved.start_count) AS start_count,
                            sum(moved.end_count) AS end_count,
                            sum(moved.slipped_count) AS slipped_count,
                            sum(moved.push_count) AS push_count,
                            sum(moved.unrecorded_count) AS unrecorded_count
                       FROM (SELECT tree.team_id,
                                    CASE WHEN tree.holds_start THEN b.start_amount END AS start_amount,
                                    CASE WHEN tree.holds_end THEN b.new_amount END AS new_amount,
                                    CASE WHEN tree.holds_end THEN b.pulled_in_amount END AS pulled_in_amount,
                                    CASE WHEN tree.holds_end THEN b.increased_amount END AS increased_amount,
                                    CASE WHEN tree.holds_end THEN b.decreased_amount END AS decreased_amount,
                                    CASE WHEN tree.holds_end THEN b.pushed_out_amount END AS pushed_out_amount,
                                    CASE WHEN tree.holds_end THEN b.won_amount END AS won_amount,
                                    CASE WHEN tree.holds_end THEN b.lost_amount END AS lost_amount,
                                    CASE WHEN tree.holds_end AND NOT tree.holds_start THEN b.start_amount END AS reassigned_in_amount,
                                    CASE WHEN tree.holds_start AND NOT tree.holds_end THEN b.start_amount END AS reassigned_out_amount,
                                    CASE WHEN tree.holds_end THEN b.fx_amount END AS fx_amount,
                                    CASE WHEN tree.holds_end THEN b.end_amount END AS end_amount,
                                    CASE WHEN tree.holds_start THEN b.start_overdue_amount END AS start_overdue_amount,
                                    CASE WHEN tree.holds_end THEN b.end_overdue_amount END AS end_overdue_amount,
                                    CASE WHEN tree.holds_start THEN b.start_count END AS start_count,
                                    CASE WHEN tree.holds_end THEN b.end_count END AS end_count,
                                    CASE WHEN tree.holds_start THEN b.slipped_count END AS slipped_count,
                                    CASE WHEN tree.holds_end THEN b.push_count END AS push_count,
                                    CASE WHEN tree.holds_end THEN b.unrecorded_count END AS unrecorded_count
                               FROM (SELECT start_member.team_id AS start_team_id,
                                            end_member.team_id AS end_team_id,
                                            sum(b.start_amount) AS start_amount,
                                            sum(b.new_amount) AS new_amount,
                                            sum(b.pulled_in_amount) AS pulled_in_amount,
                                            sum(b.increased_amount) AS increased_amount,
                                            sum(b.decreased_amount) AS decreased_amount,
                                            sum(b.pushed_out_amount) AS pushed_out_amount,
                                            sum(b.won_amount) AS won_amount,
                                            sum(b.lost_amount) AS lost_amount,
                                            sum(b.fx_amount) AS fx_amount,
                                            sum(b.end_amount) AS end_amount,
                                            sum(b.start_overdue_amount) AS start_overdue_amount,
                                            sum(b.end_overdue_amount) AS end_overdue_amount,
                                            sum(b.start_count) AS start_count,
                                            sum(b.end_count) AS end_count,
                                            sum(b.slipped_count) AS slipped_count,
                                            sum(b.push_count) AS push_count,
                                            sum(b.unrecorded_count) AS unrecorded_count
                                       FROM between_owners b
                                       LEFT JOIN rep_team start_member
                                         ON start_member.rep_id = b.start_rep_id
                                        AND p.period_start - 1 BETWEEN start_member.valid_from AND start_member.valid_to
                                       LEFT JOIN rep_team end_member
                                         ON end_member.rep_id = b.end_rep_id
                                        AND p.to_day BETWEEN end_member.valid_from AND end_member.valid_to
                                      GROUP BY start_member.team_id, end_member.team_id) AS b
                               JOIN LATERAL (
                                    SELECT branch.team_id,
                                           bool_or(branch.member_team_id = b.start_team_id AND b.start_team_id IS NOT NULL) AS holds_start,
                                           bool_or(branch.member_team_id = b.end_team_id AND b.end_team_id IS NOT NULL) AS holds_end
                                      FROM team_tree branch
                                     WHERE branch.member_team_id IN (b.start_team_id, b.end_team_id)
                                     GROUP BY branch.team_id) AS tree ON true) AS moved
                      GROUP BY moved.team_id) AS g ON g.team_id = t.team_id
        UNION ALL
        SELECT 'rep'::text,
               m.team_id,
               t.name,
               o.rep_id,
               o.rep_name,
               g.start_amount,
               g.new_amount,
               g.pulled_in_amount,
               g.increased_amount,
               g.decreased_amount,
               g.pushed_out_amount,
               g.won_amount,
               g.lost_amount,
               g.reassigned_in_amount,
               g.reassigned_out_amount,
               g.fx_amount,
               g.end_amount,
               g.start_overdue_amount,
               g.end_overdue_amount,
               g.start_count,
               g.end_count,
               g.slipped_count,
               g.push_count,
               g.unrecorded_count
          FROM (SELECT r.rep_id, r.name AS rep_name
                  FROM rep r
                UNION ALL
                SELECT NULL::text, '(no rep)'::text
                 WHERE EXISTS (SELECT FROM between_owners n WHERE n.start_rep_id IS NULL OR n.end_rep_id IS NULL)) AS o
          LEFT JOIN (SELECT moved.rep_key,
                            sum(moved.start_amount) AS start_amount,
                            sum(moved.new_amount) AS new_amount,
                            sum(moved.pulled_in_amount) AS pulled_in_amount,
                            sum(moved.increased_amount) AS increased_amount,
                            sum(moved.decreased_amount) AS decreased_amount,
                            sum(moved.pushed_out_amount) AS pushed_out_amount,
                            sum(moved.won_amount) AS won_amount,
                            sum(moved.lost_amount) AS lost_amount,
                            sum(moved.reassigned_in_amount) AS reassigned_in_amount,
                            sum(moved.reassigned_out_amount) AS reassigned_out_amount,
                            sum(moved.fx_amount) AS fx_amount,
                            sum(moved.end_amount) AS end_amount,
                            sum(moved.start_overdue_amount) AS start_overdue_amount,
                            sum(moved.end_overdue_amount) AS end_overdue_amount,
                            sum(moved.start_count) AS start_count,
                            sum(moved.end_count) AS end_count,
                            sum(moved.slipped_count) AS slipped_count,
                            sum(moved.push_count) AS push_count,
                            sum(moved.unrecorded_count) AS unrecorded_count
                       FROM (SELECT side.rep_key,
                                    CASE WHEN side.is_start THEN b.start_amount END AS start_amount,
                                    CASE WHEN side.is_end THEN b.new_amount END AS new_amount,
                                    CASE WHEN side.is_end THEN b.pulled_in_amount END AS pulled_in_amount,
                                    CASE WHEN side.is_end THEN b.increased_amount END AS increased_amount,
                                    CASE WHEN side.is_end THEN b.decreased_amount END AS decreased_amount,
                                    CASE WHEN side.is_end THEN b.pushed_out_amount END AS pushed_out_amount,
                                    CASE WHEN side.is_end THEN b.won_amount END AS won_amount,
                                    CASE WHEN side.is_end THEN b.lost_amount END AS lost_amount,
                                    CASE WHEN side.is_end AND NOT side.is_start THEN b.start_amount END AS reassigned_in_amount,
                                    CASE WHEN side.is_start AND NOT side.is_end THEN b.start_amount END AS reassigned_out_amount,
                                    CASE WHEN side.is_end THEN b.fx_amount END AS fx_amount,
                                    CASE WHEN side.is_end THEN b.end_amount END AS end_amount,
                                    CASE WHEN side.is_start THEN b.start_overdue_amount END AS start_overdue_amount,
                                    CASE WHEN side.is_end THEN b.end_overdue_amount END AS end_overdue_amount,
                                    CASE WHEN side.is_start THEN b.start_count END AS start_count,
                                    CASE WHEN side.is_end THEN b.end_count END AS end_count,
                                    CASE WHEN side.is_start THEN b.slipped_count END AS slipped_count,
                                    CASE WHEN side.is_end THEN b.push_count END AS push_count,
                                    CASE WHEN side.is_end THEN b.unrecorded_count END AS unrecorded_count
                               FROM (SELECT n.*,
                                            coalesce('=' || n.start_rep_id, '') AS start_key,
                                            coalesce('=' || n.end_rep_id, '') AS end_key
                                       FROM between_owners n) AS b
                              CROSS JOIN LATERAL (
                                    SELECT b.start_key AS rep_key,
                                           true AS is_start,
                                           b.start_key = b.end_key AS is_end
                                    UNION ALL
                                    SELECT b.end_key,
                                           false,
                                           true
                                     WHERE b.start_key <> b.end_key) AS side) AS moved
                      GROUP BY moved.rep_key) AS g ON g.rep_key = coalesce('=' || o.rep_id, '')
          LEFT JOIN rep_team m
            ON m.rep_id = o.rep_id
           AND p.to_day BETWEEN m.valid_from AND m.valid_to
          LEFT JOIN team t ON t.team_id = m.team_id) AS e;

COMMENT ON VIEW pipeline_waterfall IS 'How the pipeline that is due in a period changed from its beginning to its end (as_of(), in the period that holds it), from recorded history. Amounts are in the reporting currency, 0 where they are not known or have no rate. What is in at the beginning leaves at its worth at the end; what comes in later comes in at it. Deals without an expected close are in no pipeline until they have one, or close. The parts add up, for the company, each team and each rep: difference_amount is 0. Filter one level and one grain; a filter on rep_id does not make it faster, for deals change hands.';
COMMENT ON COLUMN pipeline_waterfall.level IS 'company, team (with the teams below it) or rep: filter one.';
COMMENT ON COLUMN pipeline_waterfall.team_id IS 'The team, or the team of the rep on the period''s last day (as_of(), where that is earlier); NULL for the company.';
COMMENT ON COLUMN pipeline_waterfall.team_name IS 'Its name.';
COMMENT ON COLUMN pipeline_waterfall.rep_id IS 'The rep; NULL for company and teams, and for deals of no rep, or of one who is not in table rep any more.';
COMMENT ON COLUMN pipeline_waterfall.rep_name IS 'The name of the rep; (no rep): deals of no rep.';
COMMENT ON COLUMN pipeline_waterfall.grain IS 'month, quarter or year: filter one.';
COMMENT ON COLUMN pipeline_waterfall.period_start IS 'First day of the period.';
COMMENT ON COLUMN pipeline_waterfall.period_end IS 'Last day of the period.';
COMMENT ON COLUMN pipeline_waterfall.period_label IS 'Label of the period.';
COMMENT ON COLUMN pipeline_waterfall.is_complete IS 'True where the period is over as of as_of(). In the other one the end is as_of().';
COMMENT ON COLUMN pipeline_waterfall.start_amount IS 'Open deals at the end of the day before the period, expected to close by its last day: overdue ones too. Amount; S.';
COMMENT ON COLUMN pipeline_waterfall.new_amount IS 'Deals opened (or reopened) in the period, that were won or lost in it or are due by its end, at their worth then. Amount; P.';
COMMENT ON COLUMN pipeline_waterfall.pulled_in_amount IS 'Deals that were open before and not due in the period, that were won or lost in it or were made due by its end, at their worth then. Amount; P.';
COMMENT ON COLUMN pipeline_waterfall.increased_amount IS 'What deals that were in at the beginning became more worth. Amount; P.';
COMMENT ON COLUMN pipeline_waterfall.decreased_amount IS 'What deals that were in at the beginning became less worth. Amount, above 0; P.';
COMMENT ON COLUMN pipeline_waterfall.pushed_out_amount IS 'Deals that were in at the beginning and whose expected close was moved past the period (or taken away). Amount; P.';
COMMENT ON COLUMN pipeline_waterfall.won_amount IS 'Deals won in the period. Amount; P; by owner at the end.';
COMMENT ON COLUMN pipeline_waterfall.lost_amount IS 'Deals lost in the period. Amount; P; by owner at the end.';
COMMENT ON COLUMN pipeline_waterfall.reassigned_in_amount IS 'Deals that were in at the beginning and changed to the rep or team from another one, at their worth at the beginning: the deal changed hands, or its rep the team. Amount; P; 0 for the company.';
COMMENT ON COLUMN pipeline_waterfall.reassigned_out_amount IS 'Deals that were in at the beginning and changed to another one, at their worth at the beginning. Amount; P; 0 for the company.';
COMMENT ON COLUMN pipeline_waterfall.fx_amount IS 'What exchange rates made of deals that were in at the beginning. Amount, below 0 for a loss; P.';
COMMENT ON COLUMN pipeline_waterfall.end_amount IS 'Open deals at the end of the period (of as_of(), in the period that holds it), expected to close by its last day: overdue ones too. Amount; S.';
COMMENT ON COLUMN pipeline_waterfall.difference_amount IS 'start + new + pulled_in + increased - decreased - pushed_out - won - lost + reassigned_in - reassigned_out + fx - end: 0.';
COMMENT ON COLUMN pipeline_waterfall.start_overdue_amount IS 'Of start_amount, deals whose expected close lay before the period. Amount; S.';
COMMENT ON COLUMN pipeline_waterfall.end_overdue_amount IS 'Of end_amount, deals whose expected close lay before the last day. Amount; S.';
COMMENT ON COLUMN pipeline_waterfall.start_count IS 'Deals of start_amount. Count; S.';
COMMENT ON COLUMN pipeline_waterfall.end_count IS 'Deals of end_amount. Count; S.';
COMMENT ON COLUMN pipeline_waterfall.slipped_count IS 'Deals of start_amount that were pushed out; by owner at the beginning. Count; P.';
COMMENT ON COLUMN pipeline_waterfall.push_count IS 'Times that the expected close of a deal of this waterfall was moved to a later day in the period, by owner at the end. Count; E.';
COMMENT ON COLUMN pipeline_waterfall.unrecorded_count IS 'Deals of this waterfall whose history (deal.recorded_at) begins after they were opened and after the day before the period: what they were then is a reconstruction. Count.';
COMMENT ON COLUMN pipeline_waterfall.slip_rate IS 'slipped_count / start_count: share of the opening deals that were moved past the period''s end. Fraction; P; NULL where start_count is 0.';

SET LOCAL search_path = sales_perf, pg_temp;
