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
    CONSTRAINT kpi_name_check CHECK (name ~ '\S'),
    CONSTRAINT kpi_unit_check CHECK (unit ~ '\S'),
    CONSTRAINT kpi_direction_check CHECK (direction IN ('up', 'down')),
    CONSTRAINT kpi_kind_check CHECK (kind IN ('sum', 'ratio', 'statistic')),
    CONSTRAINT kpi_attribution_check CHECK (attribution ~ '^[CRSPE](/[CRSPE])*$'),
    CONSTRAINT kpi_minimum_sample_check CHECK (minimum_sample >= 0),
    CONSTRAINT kpi_relation_check CHECK (is_builtin = (relation IS NULL))
);

COMMENT ON TABLE kpi IS 'The registry of KPIs, one row each: those that come with sales_perf (is_builtin, written by fill_kpi()) and those registered with register_kpi(). Of a built-in one name and minimum_sample may be changed; an upgrade sets the other columns right again.';
COMMENT ON COLUMN kpi.code IS 'Key of the KPI, as it stands in kpi_long, goals and alerts: small letters, digits and _.';
COMMENT ON COLUMN kpi.name IS 'Name of the KPI, to be shown to people.';
COMMENT ON COLUMN kpi.family IS 'The group it belongs to: growth, conversion, cycle, pipeline, customers, goals, forecast, data; own for those registered unless given.';
COMMENT ON COLUMN kpi.formula IS 'How it is computed, in words.';
COMMENT ON COLUMN kpi.unit IS 'Unit of its value: amount, amount a day, fraction, days, count, or whatever a KPI of your own is counted in.';
COMMENT ON COLUMN kpi.direction IS 'up: more is better; down: less is better.';
COMMENT ON COLUMN kpi.kind IS 'sum: numerators add up, over days and over entities; ratio: numerators and denominators do, and the value is numerator / denominator; statistic (medians, percentiles, Kaplan-Meier): nothing adds up.';
COMMENT ON COLUMN kpi.attribution IS 'Which day decides: C by actual close date, R by the date the deal, lead or customer was created (cohort), S snapshot as of a date, P period, E event date.';
COMMENT ON COLUMN kpi.null_rule IS 'When its value is NULL, and what it is over nothing.';
COMMENT ON COLUMN kpi.minimum_sample IS 'Below this sample_count a value is shown, but flagged as of a small sample (is_small_sample).';
COMMENT ON COLUMN kpi.shown_in IS 'The view that shows it: kpi_long, or the one that has it as a column.';
COMMENT ON COLUMN kpi.is_any_range IS 'True where kpi_between() gives it for any range of days, so that kpi_long has it and a goal can be set on it.';
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
    LANGUAGE plpgsql STABLE
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

SET LOCAL search_path = sales_perf, pg_temp;
