-- The registry of KPIs, and who and when a question is about.
--
-- Each KPI stands here once, with its definition in words. What computes it is kpi_between() (sql/74), or
-- the view that shown_in names. Users register KPIs of their own with a relation that gives their rows.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE kpi (
    code            text NOT NULL CONSTRAINT kpi_pkey PRIMARY KEY,
    name            text NOT NULL,
    family          text NOT NULL,
    formula         text NOT NULL,
    unit            text NOT NULL,
    direction       text NOT NULL,
    kind            text NOT NULL,
    attribution     text NOT NULL,
    null_rule       text NOT NULL,
    minimum_sample  integer NOT NULL DEFAULT 0,
    shown_in        text NOT NULL,
    is_any_range    boolean NOT NULL DEFAULT true,
    is_builtin      boolean NOT NULL DEFAULT false,
    relation        text,
    CONSTRAINT kpi_code_check CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    CONSTRAINT kpi_name_check CHECK (name ~ '[^[:space:]]'),
    CONSTRAINT kpi_unit_check CHECK (unit ~ '[^[:space:]]'),
    CONSTRAINT kpi_direction_check CHECK (direction IN ('up', 'down')),
    CONSTRAINT kpi_kind_check CHECK (kind IN ('sum', 'ratio', 'statistic')),
    CONSTRAINT kpi_attribution_check CHECK (attribution ~ '^[CRSPE](/[CRSPE])*$'),
    CONSTRAINT kpi_minimum_sample_check CHECK (minimum_sample >= 0),
    CONSTRAINT kpi_relation_check CHECK (is_builtin = (relation IS NULL))
);

COMMENT ON TABLE kpi IS 'The registry of KPIs, one row each: those that come with sales_perf (is_builtin, written by fill_kpi()) and those registered with register_kpi(). Of a built-in one name and minimum_sample may be changed; an upgrade sets the other columns right again.';
COMMENT ON COLUMN kpi.code IS 'Key of the KPI, as it stands in kpi_long and goals: small letters, digits and _.';
COMMENT ON COLUMN kpi.name IS 'Name of the KPI, to be shown to people.';
COMMENT ON COLUMN kpi.family IS 'The group it belongs to: growth, conversion, cycle, pipeline, customers, goals, forecast, activity, people, data; own for those registered unless given.';
COMMENT ON COLUMN kpi.formula IS 'How it is computed, in words.';
COMMENT ON COLUMN kpi.unit IS 'Unit of its value: amount, amount a day, fraction, days, count, or whatever a KPI of your own is counted in.';
COMMENT ON COLUMN kpi.direction IS 'up: more is better; down: less is better.';
COMMENT ON COLUMN kpi.kind IS 'sum: numerators add up, over days and over entities; ratio: numerators and denominators do, and the value is numerator / denominator; statistic (medians, percentiles, Kaplan-Meier, numbers of different customers): nothing adds up, neither over days nor over entities.';
COMMENT ON COLUMN kpi.attribution IS 'Which day decides: C by actual close date, R by the date the deal, lead or customer was created (cohort), S snapshot as of a date, P period, E event date.';
COMMENT ON COLUMN kpi.null_rule IS 'When its value is NULL, and what it is over nothing.';
COMMENT ON COLUMN kpi.minimum_sample IS 'Below this sample_count a value is shown, but flagged as of a small sample (is_small_sample).';
COMMENT ON COLUMN kpi.shown_in IS 'Where it is shown: kpi_long, or view.column of another view.';
COMMENT ON COLUMN kpi.is_any_range IS 'True where kpi_between() gives it for any range of days, so that kpi_long has it and goals and alerts can be set on it.';
COMMENT ON COLUMN kpi.is_builtin IS 'True for KPIs that come with sales_perf.';
COMMENT ON COLUMN kpi.relation IS 'The table or view that gives the rows of a KPI of your own, as registered; NULL for built-in ones.';

-- ---------------------------------------------------------------- KPIs of your own: their rows

-- In the template no KPI is registered. register_kpi() makes this view anew in the mart, a branch for each
-- KPI of the user's own: a view cannot read a relation whose name stands in a table. upgrade_mart leaves it
-- as it is (see stamp_mart).
CREATE VIEW custom_kpi_row WITH (security_invoker = true) AS
SELECT NULL::text AS kpi_code,
       NULL::text AS rep_id,
       NULL::date AS on_date,
       NULL::numeric AS numerator,
       NULL::numeric AS denominator
 WHERE false;

COMMENT ON VIEW custom_kpi_row IS 'The rows of the registered KPIs of your own, one branch for each; register_kpi() and unregister_kpi() make this view anew. It reads their relations with the rights of whoever asks.';
COMMENT ON COLUMN custom_kpi_row.kpi_code IS 'The KPI.';
COMMENT ON COLUMN custom_kpi_row.rep_id IS 'The rep the row belongs to; NULL: nobody.';
COMMENT ON COLUMN custom_kpi_row.on_date IS 'The day the row counts on.';
COMMENT ON COLUMN custom_kpi_row.numerator IS 'What the row adds to the KPI''s numerator.';
COMMENT ON COLUMN custom_kpi_row.denominator IS 'What it adds to the denominator; NULL for a KPI that is a sum.';

-- ---------------------------------------------------------------- of whom, and when

CREATE VIEW kpi_entity WITH (security_invoker = true) AS
SELECT 'company'::text AS level,
       NULL::text AS entity_id,
       'company'::text AS entity_name
UNION ALL
SELECT 'team'::text,
       team_id,
       name
  FROM team
UNION ALL
SELECT 'rep'::text,
       rep_id,
       name
  FROM rep
UNION ALL
SELECT 'rep'::text,
       NULL::text,
       '(no rep)'::text
 WHERE EXISTS (SELECT FROM deal WHERE rep_id IS NULL)
    OR EXISTS (SELECT FROM sale WHERE rep_id IS NULL)
    OR EXISTS (SELECT FROM lead WHERE rep_id IS NULL);

COMMENT ON VIEW kpi_entity IS 'Who has KPIs: the company, every team, every rep, and nobody, where deals, sales or leads belong to no rep.';
COMMENT ON COLUMN kpi_entity.level IS 'company, team or rep: filter one.';
COMMENT ON COLUMN kpi_entity.entity_id IS 'team_id or rep_id; NULL for the company, and at level rep for what belongs to no rep.';
COMMENT ON COLUMN kpi_entity.entity_name IS 'Name of the team or rep; company; (no rep).';

CREATE FUNCTION resolve_entity(entity text)
    RETURNS TABLE (level text, entity_id text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_count  integer;
    named        text;
BEGIN
    IF entity IS NULL THEN
        RAISE EXCEPTION 'entity must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Give company, the id of a team or the id of a rep.';
    END IF;

    IF entity = 'company' THEN
        RETURN QUERY SELECT 'company'::text, NULL::text;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT 'rep'::text, r.rep_id
      FROM rep r
     WHERE r.rep_id = entity
        OR 'rep:' || r.rep_id = entity
    UNION ALL
    SELECT 'team'::text, t.team_id
      FROM team t
     WHERE t.team_id = entity
        OR 'team:' || t.team_id = entity;
    GET DIAGNOSTICS found_count = ROW_COUNT;

    IF found_count > 1 THEN
        RAISE EXCEPTION '"%" is the id of a team and of a rep', entity
            USING ERRCODE = 'ambiguous_parameter',
                  HINT = format('Write %L or %L.', 'team:' || entity, 'rep:' || entity);
    ELSIF found_count = 0 AND entity = '(no rep)' THEN
        RETURN QUERY SELECT 'rep'::text, NULL::text;
    ELSIF found_count = 0 THEN
        -- names are not unique, so they do not do; but who gives one is told the id
        SELECT string_agg(format('%s is the name of %s %L', quote_literal(e.entity_name), e.level, e.entity_id), '; ' ORDER BY e.level, e.entity_id)
          INTO named
          FROM (SELECT *
                  FROM kpi_entity
                 WHERE lower(entity_name) = lower(entity)
                   AND entity_id IS NOT NULL
                 ORDER BY level, entity_id
                 LIMIT 5) AS e;
        RAISE EXCEPTION 'there is no team or rep "%"', entity
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('Give the id: ' || named || '.',
                                  format('Give company, the id of a team (%s) or the id of a rep (%s).',
                                         coalesce((SELECT string_agg(few.team_id, ', ' ORDER BY few.team_id)
                                                          || CASE WHEN (SELECT count(*) FROM team) > 5 THEN ', ...' ELSE '' END
                                                     FROM (SELECT team_id FROM team ORDER BY team_id LIMIT 5) AS few), 'there are none'),
                                         coalesce((SELECT string_agg(few.rep_id, ', ' ORDER BY few.rep_id)
                                                          || CASE WHEN (SELECT count(*) FROM rep) > 5 THEN ', ...' ELSE '' END
                                                     FROM (SELECT rep_id FROM rep ORDER BY rep_id LIMIT 5) AS few), 'there are none')));
    END IF;
END
$$;

COMMENT ON FUNCTION resolve_entity(text) IS 'Whom a text means: company; the id of a team or of a rep; team:ID or rep:ID where a team and a rep have the same id; (no rep): what belongs to no rep. One row: level (company, team or rep) and entity_id (NULL for the company and for nobody). An error if there is none.';

-- ---------------------------------------------------------------- the registry is filled

-- Branch by branch, so that one whose relation is not what it was is left out, and told, and the others stay.
CREATE FUNCTION custom_kpi_rebuild() RETURNS void
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    own         record;
    class       regclass;
    was         text := pg_get_viewdef(to_regclass('custom_kpi_row'));
    definition  text := 'CREATE OR REPLACE VIEW custom_kpi_row WITH (security_invoker = true) AS '
                        'SELECT NULL::text AS kpi_code, NULL::text AS rep_id, NULL::date AS on_date, NULL::numeric AS numerator, NULL::numeric AS denominator WHERE false';
    branch      text;
    readers     text;
BEGIN
    EXECUTE definition;

    FOR own IN
        SELECT k.code, k.kind, k.relation
          FROM kpi k
         WHERE k.relation IS NOT NULL
         ORDER BY k.code
    LOOP
        BEGIN
            class := to_regclass(own.relation);
            IF class IS NULL THEN
                -- renamed: the view knows what it is called now
                class := to_regclass(substring(was FROM format('%L::text.*? FROM (.*?) r\s+WHERE', own.code)));
                IF class IS NULL THEN
                    RAISE undefined_table USING MESSAGE = 'it is not there';
                END IF;
                UPDATE kpi k SET relation = class::text WHERE k.code = own.code;
            END IF;

            -- what has no numerator, or is a ratio's and has no denominator, is no row of the KPI
            branch := format(' UNION ALL SELECT %L::text, r.rep_id::text COLLATE "default", r.on_date, r.numerator::numeric, %s FROM %s AS r WHERE r.numerator IS NOT NULL%s',
                             own.code,
                             CASE own.kind WHEN 'ratio' THEN 'r.denominator::numeric' ELSE 'NULL::numeric' END,
                             class,
                             CASE own.kind WHEN 'ratio' THEN ' AND r.denominator IS NOT NULL' ELSE '' END);
            EXECUTE definition || branch;
            definition := definition || branch;
        EXCEPTION
            WHEN syntax_error_or_access_rule_violation THEN   -- whatever is wrong with a name, a type or a right
                RAISE WARNING 'KPI "%" has no rows of relation %: %', own.code, own.relation, SQLERRM
                    USING HINT = format('Register it again with replace => true, or SELECT unregister_kpi(%L).', own.code);
        END;
    END LOOP;

    -- Dropped with a relation, the view lost its readers: they are those of kpi_long, which reads it.
    SELECT string_agg(CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(p.grantee)) END, ', ')
      INTO readers
      FROM pg_class made
      JOIN pg_class long ON long.oid = 'kpi_long'::regclass
     CROSS JOIN LATERAL aclexplode(long.relacl) AS p
     WHERE made.oid = 'custom_kpi_row'::regclass
       AND made.relacl IS NULL
       AND p.privilege_type = 'SELECT'
       AND p.grantee <> long.relowner;
    IF readers IS NOT NULL THEN
        EXECUTE 'GRANT SELECT ON custom_kpi_row TO ' || readers;
    END IF;
END
$$;

COMMENT ON FUNCTION custom_kpi_rebuild() IS 'Internal to register_kpi(), unregister_kpi() and fill_kpi(): makes the view custom_kpi_row anew from the registered KPIs. One whose relation is gone, or has no such columns any more, is left out with a warning.';

CREATE VIEW kpi_builtin WITH (security_invoker = true) AS
SELECT code,
       name,
       family,
       formula,
       unit,
       direction,
       kind,
       attribution,
       null_rule,
       minimum_sample,
       shown_in,
       is_any_range
  FROM (VALUES
    ('bookings_amount'::text, 'Bookings', 'growth', 'amount', 'up', 'sum', 'C', 0, 'kpi_long', true,
     'sum of won amount x credit share (deal_credit), overlays left out',
     '0 where there is nothing'),
    ('overlay_amount', 'Overlay bookings', 'growth', 'amount', 'up', 'sum', 'C', 0, 'kpi_long', true,
     'sum of won amount x overlay share: credit on top of the split, never part of bookings_amount',
     '0 where there is nothing'),
    ('sales_growth', 'Growth of bookings', 'growth', 'fraction', 'up', 'ratio', 'C', 0, 'kpi_long', true,
     '(bookings_amount - that of the days before) / that of the days before',
     'NULL where the days before have 0 or less'),
    ('sales_amount', 'Sales', 'growth', 'amount', 'up', 'sum', 'E', 0, 'kpi_long', true,
     'sum of the amounts sold (sales; won deals in a mart without any)',
     '0 where there is nothing'),
    ('sale_count', 'Number of sales', 'growth', 'count', 'up', 'sum', 'E', 0, 'kpi_long', true,
     'sales, refunds included',
     '0 where there is nothing'),
    ('won_count', 'Deals won', 'growth', 'count', 'up', 'sum', 'C', 0, 'kpi_long', true,
     'deals won, by their owners',
     '0 where there is nothing'),
    ('average_deal_amount', 'Average deal', 'growth', 'amount', 'up', 'ratio', 'C', 20, 'kpi_long', true,
     'sum of won amount / won deals with an amount',
     'NULL where no deal with an amount was won'),
    ('median_deal_amount', 'Median deal', 'growth', 'amount', 'up', 'statistic', 'C', 20, 'kpi_long', true,
     'median of the amounts won, within 0.5 %',
     'NULL where no deal with an amount was won'),
    ('p90_deal_amount', 'Large deal (90th percentile)', 'growth', 'amount', 'up', 'statistic', 'C', 20, 'kpi_long', true,
     '90th percentile of the amounts won, within 0.5 %',
     'NULL where no deal with an amount was won'),
    ('to_date_growth', 'Growth to date', 'growth', 'fraction', 'up', 'ratio', 'E', 0, 'sales_growth.to_date_growth', false,
     'growth of sales, both periods cut at equal elapsed business days',
     'NULL but in the period that holds as_of(), and where the one before has 0 or less'),
    ('year_growth_rate', 'Growth over a year ago', 'growth', 'fraction', 'up', 'ratio', 'E', 0, 'sales_growth.year_growth_rate', false,
     '(sales - those of the same period a year ago) / those',
     'NULL where the period a year ago has 0 or less'),
    ('lost_count', 'Deals lost', 'conversion', 'count', 'down', 'sum', 'C', 0, 'kpi_long', true,
     'deals lost, by their owners',
     '0 where there is nothing'),
    ('closed_count', 'Deals closed', 'conversion', 'count', 'up', 'sum', 'C', 0, 'kpi_long', true,
     'deals won + deals lost',
     '0 where there is nothing'),
    ('win_rate', 'Win rate', 'conversion', 'fraction', 'up', 'ratio', 'C', 30, 'kpi_long', true,
     'won / (won + lost)',
     'NULL where nothing closed'),
    ('win_rate_amount', 'Win rate by amount', 'conversion', 'fraction', 'up', 'ratio', 'C', 30, 'kpi_long', true,
     'sum of won amount / (sum of won amount + sum of lost amount)',
     'NULL where that is 0, and where deals were lost whose amounts add up to 0 (not recorded)'),
    ('lost_amount', 'Amount lost', 'conversion', 'amount', 'down', 'sum', 'C', 0, 'kpi_long', true,
     'sum of lost amount',
     '0 where there is nothing'),
    ('created_won_count', 'Opened and won', 'conversion', 'count', 'up', 'sum', 'R', 0, 'kpi_long', true,
     'deals opened in the days and won by now',
     '0 where there is nothing'),
    ('created_win_rate', 'Win rate of deals opened', 'conversion', 'fraction', 'up', 'ratio', 'R', 30, 'kpi_long', true,
     'won by now / opened in the days',
     'NULL where none was opened; too low while deals of the days are open'),
    ('lead_count', 'Leads', 'conversion', 'count', 'up', 'sum', 'R', 0, 'kpi_long', true,
     'leads created',
     '0 where there is nothing'),
    ('lead_converted_count', 'Leads converted', 'conversion', 'count', 'up', 'sum', 'R', 0, 'kpi_long', true,
     'leads created in the days and converted by now',
     '0 where there is nothing'),
    ('lead_conversion_rate', 'Lead conversion rate', 'conversion', 'fraction', 'up', 'ratio', 'R', 30, 'kpi_long', true,
     'converted by now / leads created in the days',
     'NULL where there are none; too low while leads of the days are open'),
    ('win_incidence', 'Chance of winning by age', 'conversion', 'fraction', 'up', 'statistic', 'R', 0, 'cycle_curve.win_incidence_rate', false,
     'Aalen-Johansen incidence of winning, lost competing, open deals censored',
     'no row beyond the oldest age seen'),
    ('stage_conversion_rate', 'Stage conversion rate', 'conversion', 'fraction', 'up', 'ratio', 'R', 30, 'funnel.stage_conversion_rate', false,
     'advanced / visits ended, by stage and policy',
     'NULL where none ended'),
    ('regression_rate', 'Set-back rate', 'conversion', 'fraction', 'down', 'ratio', 'R', 30, 'funnel.regression_rate', false,
     'moves back / moves, of the deals opened in the period',
     'NULL without moves'),
    ('cycle_average_days', 'Average cycle', 'cycle', 'days', 'down', 'ratio', 'C', 20, 'kpi_long', true,
     'mean of closed_on - opened_on of deals won',
     'NULL where no cycle is known; those below 0 are left out'),
    ('cycle_median_days', 'Median cycle', 'cycle', 'days', 'down', 'statistic', 'C', 20, 'kpi_long', true,
     'median (percentile_cont) of closed_on - opened_on of deals won',
     'NULL where no cycle is known'),
    ('cycle_p90_days', 'Long cycle (90th percentile)', 'cycle', 'days', 'down', 'statistic', 'C', 20, 'kpi_long', true,
     '90th percentile (percentile_cont) of closed_on - opened_on of deals won',
     'NULL where no cycle is known'),
    ('cycle_km_median_days', 'Median days to close', 'cycle', 'days', 'down', 'statistic', 'R', 20, 'kpi_long', true,
     'Kaplan-Meier median of the days to closing of deals opened, open ones censored at as_of()',
     'NULL where more than half are still open by the curve'),
    ('lead_conversion_median_days', 'Median days to conversion', 'cycle', 'days', 'down', 'statistic', 'R', 20, 'kpi_long', true,
     'median of converted_on - created_on of the leads created in the days and converted by now',
     'NULL where none was'),
    ('stage_days', 'Days in a stage', 'cycle', 'days', 'down', 'statistic', 'R', 20, 'funnel.stage_km_median_days', false,
     'Kaplan-Meier median of the days of visits to a stage, those that go on censored',
     'NULL where more than half go on by the curve'),
    ('deal_age_days', 'Age of open deals', 'cycle', 'days', 'down', 'statistic', 'S', 0, 'pipeline_by_stage.deal_age_median_days', false,
     'median of as_of() - opened_on of open deals, by stage',
     'NULL where there are none'),
    ('stage_age_days', 'Age in stage', 'cycle', 'days', 'down', 'statistic', 'S', 0, 'pipeline_by_stage.stage_age_median_days', false,
     'median of as_of() - the day the open deal entered its stage',
     'NULL where that is known of none'),
    ('sales_velocity_amount', 'Sales velocity', 'cycle', 'amount a day', 'up', 'statistic', 'S', 0, 'rep_scorecard.sales_velocity_amount', false,
     'open deals x win rate x average deal / average cycle, rates of the twelve months up to as_of()',
     'NULL but in the period that holds as_of(), and where one of them is NULL'),
    ('push_count', 'Pushed deals', 'cycle', 'count', 'down', 'sum', 'P', 0, 'pipeline_waterfall.push_count', false,
     'expected close moved later',
     '0 where there is nothing'),
    ('slip_rate', 'Slip rate', 'cycle', 'fraction', 'down', 'ratio', 'P', 30, 'pipeline_waterfall.slip_rate', false,
     'deals expected in the period at its start and moved past its end / deals expected at its start',
     'NULL where none was expected'),
    ('created_count', 'Deals opened', 'pipeline', 'count', 'up', 'sum', 'R', 0, 'kpi_long', true,
     'deals opened',
     '0 where there is nothing'),
    ('pipeline_created_amount', 'Pipeline created', 'pipeline', 'amount', 'up', 'sum', 'R', 0, 'kpi_long', true,
     'sum of the amounts of deals opened, whatever became of them',
     '0 where there is nothing'),
    ('open_count', 'Open deals', 'pipeline', 'count', 'up', 'sum', 'S', 0, 'kpi_long', false,
     'open deals as of as_of()',
     '0 where there is nothing; no row for days that do not hold as_of()'),
    ('pipeline_amount', 'Pipeline', 'pipeline', 'amount', 'up', 'sum', 'S', 0, 'kpi_long', false,
     'sum of the amounts of open deals as of as_of(), at the rates of that day',
     '0 where there is nothing; no row for days that do not hold as_of()'),
    ('weighted_pipeline_amount', 'Weighted pipeline', 'pipeline', 'amount', 'up', 'sum', 'S', 0, 'pipeline_by_stage.weighted_pipeline_amount', false,
     'sum of open amount x the chance that the CRM states for the stage',
     'NULL where the chance is not stated'),
    ('coverage_ratio', 'Pipeline coverage', 'pipeline', 'fraction', 'up', 'ratio', 'S', 0, 'coverage.coverage_ratio', false,
     'pipeline / (quota - won)',
     'NULL where the rest is 0 or less'),
    ('concentration', 'Concentration of the pipeline', 'pipeline', 'fraction', 'down', 'statistic', 'S', 0, 'coverage.concentration', false,
     'sum over the open deals of (share of the pipeline)^2',
     'NULL where the pipeline is 0'),
    ('stalled_rate', 'Stalled deals', 'pipeline', 'fraction', 'down', 'ratio', 'S', 30, 'coverage.stalled_rate', false,
     'open deals longer in their stage than 90 % of its visits / open deals in stages of which that is known',
     'NULL where there are none'),
    ('active_customer_count', 'Active customers', 'customers', 'count', 'up', 'statistic', 'P', 0, 'kpi_long', true,
     'customers covered by a term, or with purchases above 0 net, in the days',
     '0 where there are none; of teams and reps from their own customers, never added up'),
    ('new_customer_count', 'New customers', 'customers', 'count', 'up', 'statistic', 'C', 0, 'kpi_long', true,
     'accounts whose first purchase (of the company, the team, the rep) lies in the days',
     '0 where there are none; of teams and reps from their own customers, never added up'),
    ('customer_retention_rate', 'Customer retention', 'customers', 'fraction', 'up', 'ratio', 'P', 30, 'kpi_long', true,
     'customers of the days before active again / customers of the days before',
     'NULL where there were none'),
    ('churn_rate', 'Churn', 'customers', 'fraction', 'down', 'ratio', 'P', 30, 'kpi_long', true,
     '1 - customer retention',
     'NULL where there were no customers in the days before'),
    ('gross_revenue_retention', 'Gross revenue retention', 'customers', 'fraction', 'up', 'ratio', 'P', 30, 'kpi_long', true,
     'sum of min(now, before) / sum of before, over the customers of the days before',
     'NULL where they bought for 0 or less'),
    ('net_revenue_retention', 'Net revenue retention', 'customers', 'fraction', 'up', 'ratio', 'P', 30, 'kpi_long', true,
     'sum of now / sum of before, over the customers of the days before',
     'NULL where they bought for 0 or less'),
    ('cohort_retention_rate', 'Cohort retention', 'customers', 'fraction', 'up', 'ratio', 'R', 30, 'cohort_retention.cohort_retention_rate', false,
     'active so many periods after the first / customers of the cohort',
     'NULL where the period is not over'),
    ('quota_amount', 'Quota', 'goals', 'amount', 'up', 'sum', 'P', 0, 'quota_attainment.quota_amount', false,
     'sum over days of quota x season x ramp x active share',
     'NULL where there is no quota'),
    ('attainment_rate', 'Attainment', 'goals', 'fraction', 'up', 'ratio', 'C', 0, 'quota_attainment.attainment_rate', false,
     'credited / quota; of a team sum / sum',
     'NULL where there is no quota'),
    ('attained_rep_rate', 'Reps at quota', 'goals', 'fraction', 'up', 'ratio', 'P', 0, 'quota_attainment.attained_rep_rate', false,
     'reps at 100 % or more / reps with a full quota',
     'NULL where no rep has a full quota'),
    ('attainment_median', 'Median attainment', 'goals', 'fraction', 'up', 'statistic', 'P', 0, 'quota_attainment.attainment_median', false,
     'median of the attainment of reps',
     'NULL where no rep has a quota'),
    ('attainment_gini', 'Inequality of attainment', 'goals', 'fraction', 'down', 'statistic', 'P', 0, 'quota_attainment.attainment_gini', false,
     'Gini coefficient of the attainment of reps',
     'NULL where no rep has a quota'),
    ('progress_rate', 'Progress', 'goals', 'fraction', 'up', 'ratio', 'S', 0, 'goal_progress.progress_rate', false,
     '(actual - baseline) / (target - baseline)',
     'NULL where the actual is'),
    ('pace_ratio', 'Pace', 'goals', 'fraction', 'up', 'ratio', 'S', 0, 'goal_progress.pace_ratio', false,
     'progress / expected share of the period by now',
     'NULL before the first day'),
    ('chance_of_reaching', 'Chance of reaching', 'goals', 'fraction', 'up', 'statistic', 'S', 0, 'goal_progress.chance_of_reaching', false,
     'chance that the final value reaches the target',
     'NULL where it cannot be told'),
    ('rank_low', 'Best rank allowed', 'goals', 'count', 'down', 'statistic', 'C', 0, 'leaderboard.rank_low', false,
     'the best rank that the interval of the bookings allows',
     'NULL without a rank'),
    ('rank_high', 'Worst rank allowed', 'goals', 'count', 'down', 'statistic', 'C', 0, 'leaderboard.rank_high', false,
     'the worst rank that the interval of the bookings allows',
     'NULL without a rank'),
    ('forecast_accuracy', 'Forecast accuracy', 'forecast', 'fraction', 'up', 'statistic', 'P', 0, 'forecast_accuracy.forecast_accuracy', false,
     '1 - |F - A| / |A|',
     'NULL where A is 0'),
    ('forecast_bias', 'Forecast bias', 'forecast', 'fraction', 'down', 'ratio', 'P', 0, 'forecast_accuracy.forecast_bias', false,
     'sum of (F - A) / sum of A',
     'NULL where that is 0'),
    ('wmape', 'Weighted forecast error', 'forecast', 'fraction', 'down', 'ratio', 'P', 0, 'forecast_accuracy.wmape', false,
     'sum of |F - A| / sum of |A|',
     'NULL where that is 0'),
    ('brier_score', 'Brier score', 'forecast', 'fraction', 'down', 'ratio', 'C', 0, 'forecast_accuracy.brier_score', false,
     'mean of (chance - won)^2, chances as they stood before the outcome',
     'NULL where nothing was decided'),
    ('interval_coverage_rate', 'Interval coverage', 'forecast', 'fraction', 'up', 'ratio', 'P', 0, 'forecast_accuracy.interval_coverage_rate', false,
     'actuals inside the interval / n',
     'NULL without forecasts'),
    ('mase', 'Scaled forecast error', 'forecast', 'fraction', 'down', 'ratio', 'P', 0, 'forecast_backtest.mase', false,
     'mean absolute error / that of the naive forecast, in the replays of revenue_forecast',
     'NULL where the naive one has no error'),
    ('activity_count', 'Activities', 'activity', 'count', 'up', 'sum', 'E', 0, 'kpi_long', true,
     'calls, meetings and other activities (activity), by the day they happened on in the session''s time zone',
     '0 where there is nothing'),
    ('feedback_coverage_rate', 'Feedback coverage', 'people', 'fraction', 'up', 'ratio', 'E', 0, 'accountability.feedback_coverage_rate', false,
     'reps with feedback / reps, in the last 90 days',
     'NULL where there is no rep'),
    ('feedback_acknowledged_rate', 'Feedback acknowledged', 'people', 'fraction', 'up', 'ratio', 'E', 0, 'accountability.feedback_acknowledged_rate', false,
     'acknowledged / received, in the last 90 days',
     'NULL where none was received'),
    ('action_done_on_time_rate', 'Actions done on time', 'people', 'fraction', 'up', 'ratio', 'E', 0, 'accountability.action_done_on_time_rate', false,
     'done by the day they were due / due, in the last 90 days',
     'NULL where none were due'),
    ('training_completed_rate', 'Courses completed on time', 'people', 'fraction', 'up', 'ratio', 'E', 0, 'accountability.training_completed_rate', false,
     'completed by the day they were due / due, in the last 90 days',
     'NULL where none were due'),
    ('training_lift', 'Effect of training', 'people', 'as the KPI', 'up', 'statistic', 'E', 0, 'training_effect.effect', false,
     'change of a KPI of those trained, less that of others over the same days (difference in differences)',
     'NULL where there is not enough data'),
    ('ramp_days', 'Ramp time', 'people', 'days', 'down', 'statistic', 'R', 0, 'rep_ramp.ramp_median_days', false,
     'Kaplan-Meier median of the days from hiring to the first deal won',
     'NULL where not half of those hired have won a deal, by the curve'),
    ('goals_on_track_rate', 'Goals on track', 'people', 'fraction', 'up', 'ratio', 'S', 0, 'accountability.goals_on_track_rate', false,
     'goals on track or achieved / goals that run',
     'NULL where none run'),
    ('metric_load_count', 'Metrics a rep is held to', 'people', 'count', 'down', 'statistic', 'S', 0, 'metric_load.metric_load_count', false,
     'KPIs of running goals and alert rules, and the quota',
     'every rep has one'),
    ('data_quality_rate', 'Data quality', 'data', 'fraction', 'up', 'ratio', 'S', 0, 'data_quality_summary.data_quality_rate', false,
     '1 - violations / rows checked, by check',
     'NULL where there is nothing to check')
       ) AS k (code, name, family, unit, direction, kind, attribution, minimum_sample, shown_in, is_any_range, formula, null_rule);

COMMENT ON VIEW kpi_builtin IS 'The KPIs that come with sales_perf, as fill_kpi() writes them into kpi. Their figures in kpi_between() are read by code.';
DO $$
DECLARE
    copied record;
BEGIN
    FOR copied IN
        SELECT target.attname AS column_name,
               col_description(source.attrelid, source.attnum) AS comment
          FROM pg_attribute source
          JOIN pg_attribute target ON target.attname = source.attname
         WHERE source.attrelid = 'kpi'::regclass
           AND source.attnum > 0
           AND target.attrelid = 'kpi_builtin'::regclass
    LOOP
        EXECUTE format('COMMENT ON COLUMN kpi_builtin.%I IS %L', copied.column_name, copied.comment);
    END LOOP;
END
$$;

-- A KPI of a view stands in the registry where the mart has the view's column. A KPI of the user's own that
-- is older than a built-in one of its code stays the user's.
CREATE FUNCTION fill_kpi() RETURNS integer
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    taken   text;
    filled  integer;
BEGIN
    INSERT INTO kpi AS k (code, name, family, formula, unit, direction, kind, attribution, null_rule, minimum_sample, shown_in, is_any_range, is_builtin)
    SELECT b.code, b.name, b.family, b.formula, b.unit, b.direction, b.kind, b.attribution, b.null_rule, b.minimum_sample, b.shown_in, b.is_any_range, true
      FROM kpi_builtin b
     WHERE b.shown_in = 'kpi_long'
        OR EXISTS (SELECT
                     FROM pg_attribute a
                    WHERE a.attrelid = to_regclass(quote_ident(split_part(b.shown_in, '.', 1)))
                      AND a.attname = split_part(b.shown_in, '.', 2))
        ON CONFLICT (code) DO UPDATE
       SET family = excluded.family,
           formula = excluded.formula,
           unit = excluded.unit,
           direction = excluded.direction,
           kind = excluded.kind,
           attribution = excluded.attribution,
           null_rule = excluded.null_rule,
           shown_in = excluded.shown_in,
           is_any_range = excluded.is_any_range
     WHERE k.is_builtin
       AND (k.family, k.formula, k.unit, k.direction, k.kind, k.attribution, k.null_rule, k.shown_in, k.is_any_range)
           IS DISTINCT FROM
           (excluded.family, excluded.formula, excluded.unit, excluded.direction, excluded.kind, excluded.attribution, excluded.null_rule, excluded.shown_in, excluded.is_any_range);
    GET DIAGNOSTICS filled = ROW_COUNT;

    SELECT string_agg(k.code, ', ' ORDER BY k.code)
      INTO taken
      FROM kpi k
      JOIN kpi_builtin b ON b.code = k.code
     WHERE NOT k.is_builtin;
    IF taken IS NOT NULL THEN
        RAISE WARNING 'KPIs of your own have codes that built-in ones have now: %', taken
            USING HINT = 'Register them under other codes (register_kpi), then unregister_kpi() these and fill_kpi().';
    END IF;

    -- the view may have been dropped with a relation, or a relation renamed
    IF EXISTS (SELECT FROM kpi k WHERE k.relation IS NOT NULL) THEN
        PERFORM custom_kpi_rebuild();
    END IF;
    RETURN filled;
END
$$;

COMMENT ON FUNCTION fill_kpi() IS 'Writes the built-in KPIs into kpi, as create_mart and upgrade_mart do; keeps KPIs of your own, and the name and minimum_sample of those that are there. Returns how many rows it added or set right.';

-- ---------------------------------------------------------------- KPIs of your own: registered

CREATE FUNCTION register_kpi(code text, name text, relation regclass, unit text DEFAULT 'count', direction text DEFAULT 'up',
                             formula text DEFAULT NULL, kind text DEFAULT NULL, minimum_sample integer DEFAULT 0,
                             family text DEFAULT 'own', replace boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    sample_size  CONSTANT integer := 100000;
    class        pg_class%ROWTYPE;
    wrong        text;
    registered   kpi%ROWTYPE;
    has_denominator boolean;
    facts        record;
    unable       text;
BEGIN
    -- ---- who may
    SELECT format('%I', pg_get_userbyid(c.relowner))
      INTO wrong
      FROM pg_class c
     WHERE c.oid = 'kpi'::regclass
       AND NOT pg_has_role(c.relowner, 'USAGE');
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'must be owner of the mart to register a KPI'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('It belongs to role %s.', wrong);
    END IF;

    -- ---- what is said of it
    IF code IS NULL OR code !~ '^[a-z][a-z0-9_]{0,62}$' THEN
        RAISE EXCEPTION 'code % of a KPI is not valid', coalesce(quote_literal(code), 'NULL')
            USING ERRCODE = 'invalid_name',
                  HINT = 'Small letters, digits and _, a letter first, 63 at most; for instance calls_made.';
    ELSIF name IS NULL OR name !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'KPI "%" has no name', code
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give a name to be shown to people, for instance Calls made.';
    ELSIF unit IS NULL OR unit !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'KPI "%" has no unit', code
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give amount, fraction, days, count, or what else it is counted in.';
    ELSIF direction IS NULL OR direction NOT IN ('up', 'down') THEN
        RAISE EXCEPTION 'direction % of KPI "%" is not valid', coalesce(quote_literal(direction), 'NULL'), code
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'up: more is better; down: less is better.';
    ELSIF kind NOT IN ('sum', 'ratio') THEN
        RAISE EXCEPTION 'kind % of KPI "%" is not valid', quote_literal(kind), code
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'sum: numerators add up; ratio: sum of numerators / sum of denominators; NULL: what the rows look like.';
    ELSIF minimum_sample IS NULL OR minimum_sample < 0 THEN
        RAISE EXCEPTION 'minimum_sample % of KPI "%" is not valid', coalesce(minimum_sample::text, 'NULL'), code
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = '0, or the number of rows below which a value is flagged.';
    END IF;

    LOCK TABLE kpi IN SHARE ROW EXCLUSIVE MODE;
    SELECT k.* INTO registered FROM kpi k WHERE k.code = register_kpi.code;
    IF FOUND AND registered.is_builtin THEN
        RAISE EXCEPTION 'KPI "%" comes with sales_perf', code
            USING ERRCODE = 'duplicate_object',
                  HINT = 'Choose another code.';
    ELSIF FOUND AND NOT coalesce(replace, false) THEN
        RAISE EXCEPTION 'KPI "%" is registered already', code
            USING ERRCODE = 'duplicate_object',
                  HINT = format('Choose another code, say replace => true, or SELECT unregister_kpi(%L) first.', code);
    END IF;

    -- ---- its relation
    IF relation IS NULL THEN
        RAISE EXCEPTION 'KPI "%" has no relation', code
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Give a table or view with the columns rep_id, on_date, numerator and, for a ratio, denominator.';
    END IF;
    SELECT c.* INTO class FROM pg_class c WHERE c.oid = relation;
    IF class.relkind NOT IN ('r', 'p', 'v', 'm', 'f') OR class.relpersistence = 't' THEN
        RAISE EXCEPTION 'relation % of KPI "%" is not a table or view that stays', relation, code
            USING ERRCODE = 'wrong_object_type',
                  HINT = 'Give a table, a view, a materialized view or a foreign table, but no temporary one.';
    ELSIF NOT has_table_privilege(relation, 'SELECT') THEN
        RAISE EXCEPTION 'permission denied for relation % of KPI "%"', relation, code
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('GRANT SELECT ON %s TO %I', relation, current_user);
    END IF;

    SELECT string_agg(quote_ident(needed.column_name), ', ' ORDER BY needed.place)
      INTO wrong
      FROM (VALUES (1, 'rep_id'), (2, 'on_date'), (3, 'numerator')) AS needed (place, column_name)
     WHERE NOT EXISTS (SELECT
                         FROM pg_attribute a
                        WHERE a.attrelid = relation
                          AND a.attname = needed.column_name
                          AND a.attnum > 0
                          AND NOT a.attisdropped);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'relation % of KPI "%" has no column %', relation, code, wrong
            USING ERRCODE = 'undefined_column',
                  HINT = 'It needs rep_id (text), on_date (date), numerator (numeric) and, for a ratio, denominator (numeric): make a view that names them so.';
    END IF;
    SELECT string_agg(format('%I is %s, not %s', a.attname, format_type(a.atttypid, a.atttypmod), needed.wanted), '; ' ORDER BY needed.place)
      INTO wrong
      FROM (VALUES (1, 'rep_id', 'text'), (2, 'on_date', 'date'), (3, 'numerator', 'numeric'), (4, 'denominator', 'numeric')) AS needed (place, column_name, wanted)
      JOIN pg_attribute a ON a.attrelid = relation AND a.attname = needed.column_name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
     WHERE NOT CASE needed.wanted
                   WHEN 'text' THEN t.typcategory = 'S' OR t.typname IN ('int2', 'int4', 'int8', 'uuid')
                   WHEN 'date' THEN t.typname = 'date'
                   ELSE t.typname IN ('int2', 'int4', 'int8', 'numeric', 'float4', 'float8')
               END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'relation % of KPI "%" has columns of other types: %', relation, code, wrong
            USING ERRCODE = 'datatype_mismatch',
                  HINT = 'Make a view that casts them, for instance happened_at::date AS on_date.';
    END IF;
    has_denominator := EXISTS (SELECT
                                 FROM pg_attribute a
                                WHERE a.attrelid = relation
                                  AND a.attname = 'denominator'
                                  AND a.attnum > 0
                                  AND NOT a.attisdropped);
    IF kind = 'ratio' AND NOT has_denominator THEN
        RAISE EXCEPTION 'relation % of KPI "%" has no column denominator', relation, code
            USING ERRCODE = 'undefined_column',
                  HINT = 'A ratio needs one; without it the KPI is a sum.';
    END IF;

    -- Planned, a view that reads what would read it has no end.
    IF EXISTS (WITH RECURSIVE way (class_id, object_id) AS (
                   SELECT 'pg_class'::regclass::oid, relation::oid
                   UNION
                   SELECT d.on_class_id, d.on_object_id
                     FROM way
                     JOIN sales_perf.stamp_dependencies() d ON d.class_id = way.class_id AND d.object_id = way.object_id
               )
               SELECT
                 FROM way
                WHERE (way.class_id, way.object_id) IN (('pg_class'::regclass, to_regclass('custom_kpi_row')),
                                                        ('pg_proc'::regclass, 'kpi_between(date, date, date, date)'::regprocedure))) THEN
        RAISE EXCEPTION 'relation % of KPI "%" reads what would read it', relation, code
            USING ERRCODE = 'invalid_object_definition',
                  HINT = 'Build it on tables, or on views below kpi_between(): not on kpi_long or goals.';
    END IF;

    -- ---- its rows, as many as can be looked at
    EXECUTE format($query$
        SELECT count(*) AS row_count,
               count(DISTINCT r.rep_id) AS rep_count,
               min(r.on_date) AS first_day,
               max(r.on_date) AS last_day,
               count(*) FILTER (WHERE r.rep_id IS NOT NULL AND known.rep_id IS NULL) AS unknown_count,
               min(r.rep_id) FILTER (WHERE r.rep_id IS NOT NULL AND known.rep_id IS NULL) AS unknown_rep,
               count(*) FILTER (WHERE r.rep_id IS NULL) AS nobody_count,
               count(*) FILTER (WHERE r.on_date IS NULL OR NOT isfinite(r.on_date)) AS undated_count,
               count(*) FILTER (WHERE r.numerator IS NULL) AS null_count,
               count(*) FILTER (WHERE r.numerator IN ('NaN', 'Infinity', '-Infinity')) AS nan_count,
               count(r.denominator) AS denominator_count,
               count(*) FILTER (WHERE r.denominator IN ('NaN', 'Infinity', '-Infinity')) AS nan_denominator_count
          FROM (SELECT rep_id::text COLLATE "default" AS rep_id, on_date, numerator::numeric AS numerator, %s AS denominator FROM %s LIMIT %s) AS r
          LEFT JOIN rep AS known ON known.rep_id = r.rep_id
        $query$, CASE WHEN has_denominator THEN 'denominator::numeric' ELSE 'NULL::numeric' END, relation, sample_size)
       INTO facts;
    kind := coalesce(kind, CASE WHEN has_denominator AND (facts.denominator_count > 0 OR facts.row_count = 0) THEN 'ratio' ELSE 'sum' END);

    INSERT INTO kpi AS k (code, name, family, formula, unit, direction, kind, attribution, null_rule, minimum_sample, shown_in, relation)
    VALUES (code, name, coalesce(family, 'own'),
            coalesce(formula, CASE kind WHEN 'ratio' THEN 'sum of numerator / sum of denominator of ' ELSE 'sum of numerator of ' END || relation),
            unit, direction, kind, 'E',
            CASE kind WHEN 'ratio' THEN 'NULL where the denominators add up to 0' ELSE '0 where there is nothing' END,
            minimum_sample, 'kpi_long', relation::text)
        ON CONFLICT ON CONSTRAINT kpi_pkey DO UPDATE
       SET name = excluded.name,
           family = excluded.family,
           formula = excluded.formula,
           unit = excluded.unit,
           direction = excluded.direction,
           kind = excluded.kind,
           null_rule = excluded.null_rule,
           minimum_sample = excluded.minimum_sample,
           relation = excluded.relation;
    PERFORM custom_kpi_rebuild();

    SELECT string_agg(DISTINCT format('%I', g.grantee), ', ')
      INTO unable
      FROM (SELECT CASE p.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(p.grantee) END AS grantee
              FROM pg_class c
             CROSS JOIN LATERAL aclexplode(c.relacl) AS p
             WHERE c.relnamespace = (SELECT v.relnamespace FROM pg_class v WHERE v.oid = 'custom_kpi_row'::regclass)
               AND c.relname = 'kpi_long'
               AND p.privilege_type = 'SELECT') AS g
     WHERE NOT has_table_privilege(g.grantee, relation, 'SELECT');
    IF unable IS NOT NULL THEN
        RAISE WARNING 'these roles can no longer read kpi_long, as they cannot read %: %', relation, unable
            USING HINT = format('GRANT SELECT ON %s TO %s', relation, unable);
    END IF;

    RETURN concat_ws('; ',
        format('KPI %s: a %s, %s%s rows of %s reps%s', code, kind,
               CASE WHEN facts.row_count = sample_size THEN 'the first ' END, facts.row_count, facts.rep_count,
               CASE WHEN facts.row_count > 0 THEN format(', %s to %s', facts.first_day, facts.last_day) END),
        CASE WHEN facts.unknown_count > 0 THEN format('%s rows of reps that the mart does not know, such as %L, stand in (no rep)', facts.unknown_count, facts.unknown_rep) END,
        CASE WHEN facts.nobody_count > 0 THEN format('%s rows of no rep', facts.nobody_count) END,
        CASE WHEN facts.undated_count > 0 THEN format('%s rows without a day are not counted', facts.undated_count) END,
        CASE WHEN facts.null_count > 0 THEN format('%s rows without a numerator are not counted', facts.null_count) END,
        CASE WHEN kind = 'ratio' AND facts.denominator_count < facts.row_count THEN format('%s rows without a denominator are not counted', facts.row_count - facts.denominator_count) END,
        CASE WHEN kind = 'sum' AND facts.denominator_count > 0 THEN format('%s denominators are not used', facts.denominator_count) END,
        CASE WHEN facts.nan_count > 0 THEN format('%s numerators are not numbers (NaN or infinite): so is every sum with them', facts.nan_count) END,
        CASE WHEN facts.nan_denominator_count > 0 THEN format('%s denominators are not numbers (NaN or infinite): so is every sum with them', facts.nan_denominator_count) END);
END
$$;

COMMENT ON FUNCTION register_kpi(text, text, regclass, text, text, text, text, integer, text, boolean) IS 'Registers a KPI of your own: a table or view with the columns rep_id, on_date, numerator and, for a ratio, denominator, whose sums over reps and days it is made of. It is checked, and from then on stands in kpi_between(), kpi_long and explain_kpi(), and goals and alerts can be set on it, as on a built-in one. Returns what was found in its rows (the first 100,000), in words. Readers of kpi_long need SELECT on the relation, too. replace => true changes one that is registered.';

CREATE FUNCTION unregister_kpi(code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    registered kpi%ROWTYPE;
BEGIN
    LOCK TABLE kpi IN SHARE ROW EXCLUSIVE MODE;
    SELECT k.* INTO registered FROM kpi k WHERE k.code = unregister_kpi.code;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no KPI "%"', code
            USING ERRCODE = 'undefined_object',
                  HINT = coalesce('KPIs of your own: ' || (SELECT string_agg(k.code, ', ' ORDER BY k.code) FROM kpi k WHERE NOT k.is_builtin) || '.',
                                  'There are no KPIs of your own.');
    ELSIF registered.is_builtin THEN
        RAISE EXCEPTION 'KPI "%" comes with sales_perf', code
            USING ERRCODE = 'wrong_object_type',
                  HINT = 'Only KPIs of your own can be unregistered.';
    END IF;

    BEGIN
        DELETE FROM kpi k WHERE k.code = unregister_kpi.code;
    EXCEPTION
        WHEN foreign_key_violation THEN
            RAISE EXCEPTION 'KPI "%" is in use', code
                USING ERRCODE = 'foreign_key_violation',
                      DETAIL = SQLERRM,
                      HINT = 'Delete what refers to it first, such as goals.';
    END;
    PERFORM custom_kpi_rebuild();
END
$$;

COMMENT ON FUNCTION unregister_kpi(text) IS 'Takes a KPI of your own out of the registry and out of everything that shows KPIs. Its relation stays, and can be dropped then.';

SET LOCAL search_path = sales_perf, pg_temp;
