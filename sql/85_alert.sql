-- Alerts: rules (alert_rule) are evaluated when somebody asks for it, by hand or from a scheduler; what is noticed is
-- written down (alert_event), told to whoever listens, and read in the view alert.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- what is open

CREATE VIEW alert WITH (security_invoker = true) AS
SELECT e.alert_event_id,
       e.state,
       e.rule_id,
       r.name AS rule_name,
       r.kpi_code,
       k.name AS kpi_name,
       k.unit,
       e.level,
       e.entity_id,
       e.entity_name,
       r.grain,
       e.period_start,
       p.period_label,
       r.basis,
       r.comparison,
       r.threshold,
       e.value,
       e.reference,
       e.sample_count,
       e.last_value,
       e.opened_on,
       e.opened_at,
       e.evaluated_at,
       e.acknowledged_at,
       e.acknowledged_by,
       e.closed_on,
       e.closed_at,
       CASE WHEN e.state = 'closed' THEN greatest(e.closed_on, e.opened_on) ELSE greatest(sales_perf.as_of(), e.opened_on) END - e.opened_on AS open_days,
       concat(k.name, ' of ',
              CASE e.level WHEN 'company' THEN 'the company' WHEN 'team' THEN 'team ' || e.entity_name ELSE e.entity_name END,
              ' in ', coalesce(p.period_label, 'the ' || r.grain || ' from ' || to_char(e.period_start, 'YYYY-MM-DD')),
              ' is ', in_words(e.value, k.unit), ', ', r.comparison, ' ', in_words(e.reference, k.unit),
              CASE r.basis
                  WHEN 'prior' THEN concat(', which is ', in_words(r.threshold, 'fraction'), CASE r.comparison WHEN 'below' THEN ' less than' ELSE ' more than' END,
                                           ' in the same days of the ', r.grain, ' before')
                  WHEN 'expected' THEN concat(', which is ', trim_scale(r.threshold), ' robust standard deviations ', r.comparison,
                                              ' the median of the ', r.grain, 's before, up to the same day')
              END,
              ' (rule ', r.name, '; n = ', e.sample_count, ')',
              CASE
                  WHEN e.state = 'closed' THEN concat('; closed on ', to_char(e.closed_on, 'YYYY-MM-DD'))
                  WHEN e.last_value <> e.value THEN concat('; when last looked at, it was ', in_words(e.last_value, k.unit))
              END,
              '.') AS summary_text
  FROM (SELECT v.alert_event_id, v.rule_id, v.level, v.entity_id, v.opened_at, v.opened_on, v.period_start, v.value, v.reference, v.sample_count,
               v.last_value, v.evaluated_at, v.acknowledged_at, v.acknowledged_by,
               CASE WHEN c.is_closed THEN v.closed_at END AS closed_at,
               CASE WHEN c.is_closed THEN coalesce(v.closed_on, v.closed_at::date) END AS closed_on,
               CASE WHEN c.is_closed THEN 'closed' WHEN v.acknowledged_at IS NOT NULL THEN 'acknowledged' ELSE 'open' END AS state,
               CASE v.level
                   WHEN 'company' THEN 'company'
                   WHEN 'team' THEN coalesce(t.name, v.entity_id)
                   ELSE coalesce(n.name, v.entity_id)
               END AS entity_name
          FROM alert_event v
         CROSS JOIN LATERAL (SELECT v.closed_at IS NOT NULL AND coalesce(v.closed_on, v.closed_at::date) <= sales_perf.as_of() AS is_closed) AS c
          LEFT JOIN team t ON t.team_id = v.entity_id AND v.level = 'team'
          LEFT JOIN rep n ON n.rep_id = v.entity_id AND v.level = 'rep'
         WHERE v.opened_on <= sales_perf.as_of()) AS e
  JOIN alert_rule r ON r.rule_id = e.rule_id
  JOIN kpi k ON k.code = r.kpi_code
  LEFT JOIN LATERAL (
        SELECT CASE r.grain WHEN 'month' THEN c.fiscal_period_label WHEN 'quarter' THEN c.fiscal_quarter_label ELSE c.fiscal_year_label END AS period_label
          FROM calendar c
         WHERE c.region = ''
           AND c.on_date = e.period_start) AS p ON true;

COMMENT ON VIEW alert IS 'The alerts, those that are over too: filter state <> ''closed'' for those that go on. Each was opened by evaluate_alerts(), once, and closes itself there when its condition has ended. As of as_of(): those opened later are not there, and those closed later are not closed yet. A rule (alert_rule) says which KPI, of whom, in which period and compared with what; the sentence names its threshold.';
COMMENT ON COLUMN alert.alert_event_id IS 'Number of the alert: acknowledge_alert() takes it.';
COMMENT ON COLUMN alert.state IS 'open: nobody has taken note; acknowledged: somebody has, and it goes on; closed: it is over.';
COMMENT ON COLUMN alert.rule_id IS 'The rule.';
COMMENT ON COLUMN alert.rule_name IS 'Its name.';
COMMENT ON COLUMN alert.kpi_code IS 'The KPI.';
COMMENT ON COLUMN alert.kpi_name IS 'Its name.';
COMMENT ON COLUMN alert.unit IS 'Its unit: that of value, reference and last_value.';
COMMENT ON COLUMN alert.level IS 'company, team or rep.';
COMMENT ON COLUMN alert.entity_id IS 'team_id or rep_id; NULL for the company.';
COMMENT ON COLUMN alert.entity_name IS 'Name of the team or rep; company. The id where there is none any more.';
COMMENT ON COLUMN alert.grain IS 'month, quarter or year.';
COMMENT ON COLUMN alert.period_start IS 'First day of the period in which it opened.';
COMMENT ON COLUMN alert.period_label IS 'Label of the period.';
COMMENT ON COLUMN alert.basis IS 'threshold, prior or expected, as the rule says.';
COMMENT ON COLUMN alert.comparison IS 'below or above: on which side of reference the alert is.';
COMMENT ON COLUMN alert.threshold IS 'Threshold of the rule: the value; the share by which it is off the prior one; or the number of robust standard deviations.';
COMMENT ON COLUMN alert.value IS 'The KPI when the alert opened, from period_start to opened_on. In unit.';
COMMENT ON COLUMN alert.reference IS 'The limit it was beyond then. In unit.';
COMMENT ON COLUMN alert.sample_count IS 'n: deals or rows behind value. Count.';
COMMENT ON COLUMN alert.last_value IS 'The KPI when it was last evaluated, in the period that ran then: of a closed alert, when it closed. In unit.';
COMMENT ON COLUMN alert.opened_on IS 'The day as of which it opened.';
COMMENT ON COLUMN alert.opened_at IS 'When it was noticed.';
COMMENT ON COLUMN alert.evaluated_at IS 'When it was last evaluated.';
COMMENT ON COLUMN alert.acknowledged_at IS 'When somebody took note; NULL: nobody has.';
COMMENT ON COLUMN alert.acknowledged_by IS 'Database role of who did.';
COMMENT ON COLUMN alert.closed_on IS 'The day as of which it closed; NULL: it goes on.';
COMMENT ON COLUMN alert.closed_at IS 'When that was noticed; NULL: it goes on.';
COMMENT ON COLUMN alert.open_days IS 'Days from opened_on to closed_on, or to as_of() while it goes on. Days.';
COMMENT ON COLUMN alert.summary_text IS 'The alert in a sentence, with the threshold and n.';

-- ---------------------------------------------------------------- acknowledged

CREATE FUNCTION acknowledge_alert(alert_event_id bigint) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    UPDATE alert_event e
       SET acknowledged_at = now(),
           acknowledged_by = session_user
     WHERE e.alert_event_id = acknowledge_alert.alert_event_id
       AND e.acknowledged_at IS NULL;
    IF FOUND THEN
        RETURN true;
    ELSIF NOT EXISTS (SELECT FROM alert_event e WHERE e.alert_event_id = acknowledge_alert.alert_event_id) THEN
        RAISE EXCEPTION 'there is no alert %', coalesce(alert_event_id::text, 'NULL')
            USING ERRCODE = 'undefined_object',
                  HINT = 'See the view alert for their numbers.';
    END IF;
    RETURN false;
END
$$;

COMMENT ON FUNCTION acknowledge_alert(bigint) IS 'Writes down who took note of an alert, and when: the first to do so. True if that was this call, false if somebody had before. It stays open until its condition has ended.';

-- ---------------------------------------------------------------- evaluated

-- The limit of each rule for each entity, and what it is compared with it. One query for all KPIs of a grain and level: a KPI
-- of a list that the planner knows costs only its own scans. places: how many periods back (1: the one before).
CREATE FUNCTION alert_verdict(of_grain text, of_level text, kpi_codes text[], places integer, first_days date[], last_days date[])
    RETURNS TABLE (rule_id text, entity_id text, value numeric, sample_count bigint, reference numeric, is_enough boolean, is_alert boolean, problem text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = sales_perf_template, pg_catalog, pg_temp
    -- planned for the level and the KPIs asked for: the others are not computed
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH place AS MATERIALIZED (
        SELECT (d.ordinal - 1)::integer AS place,
               d.first_day,
               d.last_day
          FROM unnest(first_days, last_days) WITH ORDINALITY AS d (first_day, last_day, ordinal)
         WHERE d.ordinal - 1 <= places
    ),
    measured AS MATERIALIZED (
        SELECT d.place,
               d.first_day,
               b.kpi_code,
               b.entity_id,
               b.sample_count,
               -- what is no number is no value
               CASE WHEN b.value > '-Infinity' AND b.value < 'Infinity' THEN b.value END AS value
          FROM place d
         CROSS JOIN LATERAL kpi_between(d.first_day, d.last_day) b
         WHERE b.level = of_level
           AND b.kpi_code = ANY (kpi_codes)
    ),
    -- before anybody had any there was no such KPI, and nothing to expect from
    recorded AS (
        SELECT kpi_code,
               min(first_day) AS first_day
          FROM measured
         WHERE sample_count > 0
         GROUP BY kpi_code
    ),
    subject AS MATERIALIZED (
        SELECT r.rule_id,
               r.basis,
               r.comparison,
               r.threshold,
               r.kpi_code,
               -- rates of a handful do not alert
               CASE WHEN r.minimum_sample > 0 THEN r.minimum_sample ELSE k.minimum_sample END AS minimum_sample,
               n.entity_id,
               n.since
          FROM alert_rule r
          JOIN kpi k ON k.code = r.kpi_code
          JOIN (SELECT 'company'::text AS level, NULL::text AS entity_id, '-infinity'::date AS since
                UNION ALL
                SELECT 'team', t.team_id, '-infinity'
                  FROM team t
                UNION ALL
                SELECT 'rep', p.rep_id, coalesce(p.hired_on, '-infinity')
                  FROM rep p
                 WHERE coalesce(p.hired_on, '-infinity') <= sales_perf.as_of()
                   AND coalesce(p.left_on, 'infinity') >= sales_perf.as_of()) AS n
            ON n.level = r.level AND (r.entity_id IS NULL OR n.entity_id = r.entity_id)
         WHERE r.is_active
           AND r.grain = of_grain
           AND r.level = of_level
           AND r.kpi_code = ANY (kpi_codes)
    ),
    past AS MATERIALIZED (
        SELECT s.rule_id,
               s.entity_id,
               m.value
          FROM subject s
          JOIN measured m ON m.kpi_code = s.kpi_code AND (m.entity_id = s.entity_id OR m.entity_id IS NULL AND s.entity_id IS NULL)
          JOIN recorded c ON c.kpi_code = s.kpi_code AND m.first_day >= c.first_day
         WHERE s.basis = 'expected'
           AND m.place > 0
           AND m.value IS NOT NULL
           AND m.sample_count >= s.minimum_sample
           AND m.first_day >= s.since
           AND m.first_day >= (SELECT g.first_day FROM report_range g)
    ),
    middle AS (
        SELECT rule_id,
               entity_id,
               count(*) AS period_count,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY value::double precision) AS median
          FROM past
         GROUP BY rule_id, entity_id
    ),
    -- Where half of the values or more are the same, the MAD is 0 and says nothing of the others: then the mean
    -- deviation from the median serves, 1.2533 of which is a standard deviation, too.
    spread AS (
        SELECT m.rule_id,
               m.entity_id,
               m.period_count,
               m.median,
               CASE
                   WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(p.value::double precision - m.median)) > 0
                   THEN 1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(p.value::double precision - m.median))
                   ELSE 1.2533 * avg(abs(p.value::double precision - m.median))
               END AS deviation
          FROM middle m
          JOIN past p ON p.rule_id = m.rule_id AND (p.entity_id = m.entity_id OR p.entity_id IS NULL AND m.entity_id IS NULL)
         GROUP BY m.rule_id, m.entity_id, m.period_count, m.median
    ),
    limited AS (
        SELECT s.rule_id,
               s.entity_id,
               s.comparison,
               now_.value,
               coalesce(now_.sample_count, 0) AS sample_count,
               coalesce(now_.sample_count, 0) >= s.minimum_sample AS is_enough,
               CASE s.basis
                   WHEN 'threshold' THEN s.threshold
                   WHEN 'prior' THEN CASE WHEN prior.value <> 0 AND prior.sample_count >= s.minimum_sample
                                          THEN prior.value + CASE s.comparison WHEN 'below' THEN -1 ELSE 1 END * s.threshold * abs(prior.value) END
                   -- fifteen digits are all that are meant
                   ELSE CASE WHEN x.period_count >= 6
                             THEN (x.median + CASE s.comparison WHEN 'below' THEN -1 ELSE 1 END * s.threshold::double precision * x.deviation)::numeric END
               END AS reference,
               CASE s.basis
                   WHEN 'prior' THEN CASE WHEN prior.value = 0 THEN 'the period before has 0, of which there is no share'
                                          ELSE 'the period before has no value, or too few deals or rows' END
                   WHEN 'expected' THEN 'fewer than 6 of the 12 periods before have a value of enough deals or rows'
               END AS without_reference
          FROM subject s
          LEFT JOIN measured now_ ON now_.place = 0 AND now_.kpi_code = s.kpi_code AND (now_.entity_id = s.entity_id OR now_.entity_id IS NULL AND s.entity_id IS NULL)
          LEFT JOIN measured prior ON prior.place = 1 AND prior.kpi_code = s.kpi_code AND (prior.entity_id = s.entity_id OR prior.entity_id IS NULL AND s.entity_id IS NULL)
          LEFT JOIN spread x ON x.rule_id = s.rule_id AND (x.entity_id = s.entity_id OR x.entity_id IS NULL AND s.entity_id IS NULL)
    )
    SELECT l.rule_id,
           l.entity_id,
           l.value,
           l.sample_count,
           l.reference,
           l.is_enough,
           coalesce(l.is_enough AND CASE l.comparison WHEN 'below' THEN l.value < l.reference ELSE l.value > l.reference END, false),
           CASE WHEN l.is_enough AND l.value IS NOT NULL AND l.reference IS NULL THEN l.without_reference END
      FROM limited l;
END
$$;

COMMENT ON FUNCTION alert_verdict(text, text, text[], integer, date[], date[]) IS 'Internal to evaluate_alerts(): how the active rules of a grain, a level and some KPIs stand for each entity. first_days and last_days: the running period up to as_of(), and those before it up to the same day.';

CREATE FUNCTION evaluate_alerts()
    RETURNS TABLE (change text, alert_event_id bigint, rule_id text, level text, entity_id text, value numeric, reference numeric, sample_count bigint, summary_text text)
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    today          CONSTANT date := sales_perf.as_of();
    batch          record;
    verdict        record;
    found_id       bigint;
    first_days     date[];
    last_days      date[];
    opened_now     bigint[];
    closed_now     bigint[];
    opened         bigint[] := '{}';
    closed         bigint[] := '{}';
    unknown        jsonb;
    unknowns       jsonb := '[]';
    told           record;
    payload        text;
BEGIN
    -- One evaluation after the other: the second sees what the first has opened and closed, and tells nobody again.
    LOCK TABLE alert_event IN SHARE UPDATE EXCLUSIVE MODE;

    FOR batch IN
        SELECT r.grain,
               r.level,
               array_agg(DISTINCT r.kpi_code ORDER BY r.kpi_code) AS kpi_codes,
               max(CASE r.basis WHEN 'threshold' THEN 0 WHEN 'prior' THEN 1 ELSE 12 END) AS places,
               array_agg(r.rule_id ORDER BY r.rule_id) AS rule_ids
          FROM alert_rule r
          JOIN kpi k ON k.code = r.kpi_code
         WHERE r.is_active
           AND k.shown_in = 'kpi_long'
         -- a relation of the user's may fail: that is not to take others along
         GROUP BY r.grain, r.level, CASE WHEN k.relation IS NOT NULL THEN k.code END
         ORDER BY r.grain, r.level, min(r.rule_id)
    LOOP
        SELECT array_agg(p.first_day ORDER BY p.first_day DESC),
               array_agg(p.last_day ORDER BY p.first_day DESC)
          INTO first_days, last_days
          FROM (SELECT DISTINCT
                       CASE batch.grain WHEN 'month' THEN c.fiscal_period_start WHEN 'quarter' THEN c.fiscal_quarter_start ELSE c.fiscal_year_start END AS first_day,
                       CASE batch.grain WHEN 'month' THEN c.fiscal_period_end WHEN 'quarter' THEN c.fiscal_quarter_end ELSE c.fiscal_year_end END AS last_day
                  FROM calendar c
                 WHERE c.region = ''
                   AND c.on_date <= today
                 ORDER BY first_day DESC
                 LIMIT 13) AS p;
        IF last_days IS NULL OR last_days[1] < today THEN
            unknowns := unknowns || (SELECT jsonb_agg(jsonb_build_object('rule_id', u.id, 'reason', 'calendar has no ' || batch.grain || ' that holds ' || to_char(today, 'YYYY-MM-DD')))
                                       FROM unnest(batch.rule_ids) AS u (id));
            CONTINUE;
        END IF;
        -- up to the same day of the period; when that is the last one, as a whole
        IF last_days[1] > today THEN
            SELECT array_agg(least(d.first_day + (today - first_days[1]), d.last_day) ORDER BY d.ordinal)
              INTO last_days
              FROM unnest(first_days, last_days) WITH ORDINALITY AS d (first_day, last_day, ordinal);
        END IF;

        opened_now := '{}';
        closed_now := '{}';
        unknown := '[]';
        BEGIN
            FOR verdict IN
                SELECT v.rule_id, v.entity_id, v.value, v.sample_count, v.reference, v.is_alert, v.problem
                  FROM alert_verdict(batch.grain, batch.level, batch.kpi_codes, batch.places, first_days, last_days) v
                 ORDER BY v.rule_id, v.entity_id
            LOOP
                IF verdict.problem IS NOT NULL THEN
                    unknown := unknown || jsonb_build_object('rule_id', verdict.rule_id, 'reason', verdict.problem, 'entity', true);
                END IF;
                IF verdict.is_alert THEN
                    UPDATE alert_event e
                       SET last_value = verdict.value,
                           evaluated_at = now()
                     WHERE e.rule_id = verdict.rule_id
                       AND e.level = batch.level
                       AND (e.entity_id = verdict.entity_id OR e.entity_id IS NULL AND verdict.entity_id IS NULL)
                       AND e.closed_at IS NULL;
                    IF NOT FOUND THEN
                        INSERT INTO alert_event AS e (rule_id, level, entity_id, opened_on, period_start, value, reference, sample_count, last_value)
                        VALUES (verdict.rule_id, batch.level, verdict.entity_id, today, first_days[1], verdict.value, verdict.reference, verdict.sample_count, verdict.value)
                            ON CONFLICT DO NOTHING
                        RETURNING e.alert_event_id INTO found_id;
                        IF FOUND THEN
                            opened_now := opened_now || found_id;
                        END IF;
                    END IF;
                ELSE
                    UPDATE alert_event e
                       SET last_value = coalesce(verdict.value, e.last_value),
                           evaluated_at = now(),
                           closed_at = now(),
                           closed_on = today
                     WHERE e.rule_id = verdict.rule_id
                       AND e.level = batch.level
                       AND (e.entity_id = verdict.entity_id OR e.entity_id IS NULL AND verdict.entity_id IS NULL)
                       AND e.closed_at IS NULL
                       -- what opened as of a later day is not of this one
                       AND e.opened_on <= today
                    RETURNING e.alert_event_id INTO found_id;
                    IF FOUND THEN
                        closed_now := closed_now || found_id;
                    END IF;
                END IF;
            END LOOP;
            opened := opened || opened_now;
            closed := closed || closed_now;
            unknowns := unknowns || unknown;
        EXCEPTION
            WHEN serialization_failure OR deadlock_detected THEN
                RAISE;
            WHEN OTHERS THEN
                unknowns := unknowns || (SELECT jsonb_agg(jsonb_build_object('rule_id', u.id, 'reason', SQLERRM)) FROM unnest(batch.rule_ids) AS u (id));
        END;
    END LOOP;

    -- what no active rule is about any more: switched off, of another level or entity now, or the entity is gone
    WITH ended AS (
        UPDATE alert_event e
           SET closed_at = now(),
               closed_on = today
          FROM alert_rule r
         WHERE r.rule_id = e.rule_id
           AND e.closed_at IS NULL
           AND e.opened_on <= today
           AND (NOT r.is_active
                OR r.level <> e.level
                OR r.entity_id <> e.entity_id
                OR e.level = 'team' AND NOT EXISTS (SELECT FROM team t WHERE t.team_id = e.entity_id)
                OR e.level = 'rep' AND NOT EXISTS (SELECT
                                                     FROM rep p
                                                    WHERE p.rep_id = e.entity_id
                                                      AND coalesce(p.left_on, 'infinity') >= today))
        RETURNING e.alert_event_id
    )
    SELECT closed || coalesce(array_agg(ended.alert_event_id ORDER BY ended.alert_event_id), '{}')
      INTO closed
      FROM ended;

    -- whoever listens is told when the transaction is over
    FOR told IN
        SELECT CASE WHEN a.alert_event_id = ANY (opened) THEN 'opened' ELSE 'closed' END AS change, a.*
          FROM alert a
         WHERE a.alert_event_id = ANY (opened || closed)
         ORDER BY a.rule_id, a.level, a.entity_id, a.alert_event_id
    LOOP
        -- NOTIFY takes less than 8000 bytes: names and ids can be long
        FOR longest IN REVERSE 5 .. 0 LOOP
            payload := json_build_object('mart', current_schema(), 'change', told.change, 'alert_event_id', told.alert_event_id,
                                         'rule_id', left(told.rule_id, (5 ^ longest)::integer - 1), 'rule_name', left(told.rule_name, (5 ^ longest)::integer - 1), 'kpi_code', told.kpi_code,
                                         'level', told.level, 'entity_id', left(told.entity_id, (5 ^ longest)::integer - 1), 'entity_name', left(told.entity_name, (5 ^ longest)::integer - 1),
                                         'value', told.last_value, 'reference', told.reference, 'unit', left(told.unit, (5 ^ longest)::integer - 1), 'sample_count', told.sample_count,
                                         'summary_text', left(told.summary_text, (5 ^ longest)::integer - 1))::text;
            EXIT WHEN octet_length(payload) < 8000;
        END LOOP;
        IF octet_length(payload) >= 8000 THEN
            -- numbers may have thousands of digits
            payload := json_build_object('mart', current_schema(), 'change', told.change, 'alert_event_id', told.alert_event_id)::text;
        END IF;
        PERFORM pg_notify('sales_perf', payload);

        change := told.change;
        alert_event_id := told.alert_event_id;
        rule_id := told.rule_id;
        level := told.level;
        entity_id := told.entity_id;
        value := told.last_value;
        reference := told.reference;
        sample_count := told.sample_count;
        summary_text := told.summary_text;
        RETURN NEXT;
    END LOOP;

    RETURN QUERY
    SELECT 'not evaluated'::text, NULL::bigint, r.rule_id, r.level, r.entity_id, NULL::numeric, NULL::numeric, NULL::bigint,
           concat('Rule ', r.name, ' was not evaluated',
                  CASE WHEN r.entity_id IS NULL AND r.level <> 'company' AND n.entity_count IS NOT NULL THEN concat(' for ', n.entity_count, ' ', r.level, CASE WHEN n.entity_count > 1 THEN 's' END) END,
                  ': ', n.reason, '.')
      FROM (SELECT u.item ->> 'rule_id' AS rule_id,
                   u.item ->> 'reason' AS reason,
                   CASE WHEN bool_or(u.item ? 'entity') THEN count(*) END AS entity_count
              FROM jsonb_array_elements(unknowns) AS u (item)
             GROUP BY 1, 2
            UNION ALL
            SELECT o.rule_id,
                   concat('KPI ', k.code, ' is not given for a range of days, see ', k.shown_in),
                   NULL
              FROM alert_rule o
              JOIN kpi k ON k.code = o.kpi_code
             WHERE o.is_active
               AND k.shown_in <> 'kpi_long'
            UNION ALL
            SELECT o.rule_id,
                   concat('there is no ', o.level, ' ', o.entity_id, ' as of ', to_char(today, 'YYYY-MM-DD')),
                   NULL
              FROM alert_rule o
             WHERE o.is_active
               AND (o.level = 'team' AND NOT EXISTS (SELECT FROM team t WHERE t.team_id = o.entity_id)
                    OR o.level = 'rep' AND NOT EXISTS (SELECT
                                                         FROM rep p
                                                        WHERE p.rep_id = o.entity_id
                                                          AND coalesce(p.left_on, 'infinity') >= today
                                                          AND coalesce(p.hired_on, '-infinity') <= today))
               AND o.entity_id IS NOT NULL) AS n
      JOIN alert_rule r ON r.rule_id = n.rule_id
     ORDER BY r.rule_id, n.reason;
END
$$;

COMMENT ON FUNCTION evaluate_alerts() IS 'Evaluates the active rules of alert_rule as of as_of() and returns what changed: a row for each alert that opened or closed, and one (change: not evaluated) for each rule that could not be evaluated, with the reason in summary_text; such a rule stops no other, and what is open of it stays open if an error was the reason. For a scheduler, or by hand. The KPI is taken (kpi_between) over the period that holds as_of(), up to it, of each entity of the rule; of reps those who work there. It is compared with the threshold; with basis prior, with the same days of the period before (all of it on the period''s last day), less or more a share of it; with basis expected, with the median of up to twelve earlier periods taken up to the same day, at least six of them, less or more so many robust standard deviations (1.4826 MAD; where the MAD is 0, 1.2533 mean deviations from the median; where all are the same, any difference is an alert). Fewer deals or rows than the rule''s minimum_sample (if that is 0, the KPI''s) are no alert, nor history. An alert opens once for each rule and entity, and closes when its condition does not hold any more, in this period or a later one, or the rule or entity is gone. Each that opens or closes is sent with NOTIFY on channel sales_perf, as JSON.';

SET LOCAL search_path = sales_perf, pg_temp;
