-- What somebody set out to reach: goals that are SMART by constraint, the history of their targets,
-- and what is said of them on the way.
--
-- Specific, measurable, relevant and time-bound are constraints, named for their letter, so that the
-- error says what the goal lacks. Achievable is no matter of a constraint: goal_progress shows how the
-- target compares with what was reached before, and the chance of reaching it.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE goal (
    goal_id              text NOT NULL DEFAULT gen_random_uuid()::text CONSTRAINT goal_pkey PRIMARY KEY,
    name                 text,
    level                text,
    team_id              text
        CONSTRAINT goal_team_id_fkey REFERENCES team (team_id) ON UPDATE CASCADE
        DEFERRABLE,
    rep_id               text
        CONSTRAINT goal_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    kpi_code             text
        CONSTRAINT goal_kpi_code_fkey REFERENCES kpi (code) ON UPDATE CASCADE
        DEFERRABLE,
    baseline             numeric,
    target               numeric,
    stretch              numeric,
    first_day            date,
    last_day             date,
    parent_goal_id       text
        CONSTRAINT goal_parent_goal_id_fkey REFERENCES goal (goal_id) ON UPDATE CASCADE
        DEFERRABLE,
    reason               text,
    season_id            text,
    check_in_every_days  integer,
    notes                text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    -- S: what it is called, and whose it is.
    CONSTRAINT goal_is_specific_name CHECK (name IS NOT NULL AND name ~ '[^[:space:]]'),
    CONSTRAINT goal_is_specific_owner CHECK (
        level IS NOT NULL
        AND CASE level
                WHEN 'company' THEN team_id IS NULL AND rep_id IS NULL
                WHEN 'team' THEN team_id IS NOT NULL AND rep_id IS NULL
                WHEN 'rep' THEN team_id IS NULL AND rep_id IS NOT NULL
                ELSE false
            END),
    -- M: a KPI, and numbers. Comparing with both infinities leaves out NaN too.
    CONSTRAINT goal_is_measurable CHECK (
        kpi_code IS NOT NULL
        AND baseline IS NOT NULL AND baseline > '-Infinity' AND baseline < 'Infinity'
        AND target IS NOT NULL AND target > '-Infinity' AND target < 'Infinity'
        AND target <> baseline),
    CONSTRAINT goal_is_measurable_stretch CHECK (
        stretch IS NULL
        OR stretch > '-Infinity' AND stretch < 'Infinity' AND sign(stretch - target) = sign(target - baseline)),
    -- R: part of a greater goal, or a reason.
    CONSTRAINT goal_is_relevant CHECK (parent_goal_id IS NOT NULL OR reason IS NOT NULL AND reason ~ '[^[:space:]]'),
    -- T: the days it is for.
    CONSTRAINT goal_is_time_bound CHECK (
        first_day IS NOT NULL AND isfinite(first_day)
        AND last_day IS NOT NULL AND isfinite(last_day)
        AND first_day <= last_day),
    -- as for quotas: goals are compared with as many days before them, eight times and more
    CONSTRAINT goal_length_check CHECK (last_day < first_day + 366 * 100),
    CONSTRAINT goal_parent_check CHECK (parent_goal_id <> goal_id),
    CONSTRAINT goal_check_in_every_days_check CHECK (check_in_every_days BETWEEN 1 AND 3660)
);

CREATE INDEX goal_team_id_idx ON goal (team_id);
CREATE INDEX goal_rep_id_idx ON goal (rep_id);
CREATE INDEX goal_kpi_code_idx ON goal (kpi_code);
CREATE INDEX goal_parent_goal_id_idx ON goal (parent_goal_id);

COMMENT ON TABLE goal IS 'Goals of the company, a team or a rep: a KPI that is to get from a baseline to a target within some days. Specific, measurable, relevant and time-bound by constraint (goal_is_...); whether it is achievable goal_progress shows. What was the target before a change, and since when, stands in goal_target.';
COMMENT ON COLUMN goal.goal_id IS 'Key of the goal, any text; one is made up if not given.';
COMMENT ON COLUMN goal.name IS 'What is to be reached, in words. Not blank (goal_is_specific_name).';
COMMENT ON COLUMN goal.level IS 'Whose goal it is: company, team or rep. If not given it is rep where rep_id is, and team where team_id is; a goal of the company says so.';
COMMENT ON COLUMN goal.team_id IS 'The team whose goal it is, with the teams below it; NULL for the company''s and reps''.';
COMMENT ON COLUMN goal.rep_id IS 'The rep whose goal it is; NULL for the company''s and teams''.';
COMMENT ON COLUMN goal.kpi_code IS 'The KPI that is measured (kpi.code), over the days of the goal.';
COMMENT ON COLUMN goal.baseline IS 'Where it starts from, in the KPI''s unit. If not given it is 0 for a KPI of which more is better; of which less is better, it must be given. A target below the baseline makes a goal that aims down.';
COMMENT ON COLUMN goal.target IS 'What is to be reached, in the KPI''s unit, as last entered; which one was in force on a day tells goal_target. A rate is a fraction: 25 % is 0.25.';
COMMENT ON COLUMN goal.stretch IS 'What would be better still: beyond the target, in the same direction; NULL: none.';
COMMENT ON COLUMN goal.first_day IS 'The first day that counts.';
COMMENT ON COLUMN goal.last_day IS 'The last day that counts. Any days, of a century at most: they need not be a period of the calendar.';
COMMENT ON COLUMN goal.parent_goal_id IS 'The greater goal it is part of; NULL: none, then there is a reason. Goals form a tree.';
COMMENT ON COLUMN goal.reason IS 'Why it is worth reaching. Not blank where there is no parent (goal_is_relevant).';
COMMENT ON COLUMN goal.season_id IS 'A season of season_shape that says how much is expected of each part of the year; NULL: every business day counts the same.';
COMMENT ON COLUMN goal.check_in_every_days IS 'A check-in is due this many days after the last one, or after first_day, whichever is later; NULL: none is asked for.';
COMMENT ON COLUMN goal.notes IS 'Anything else.';
COMMENT ON COLUMN goal.created_at IS 'When it was entered. Reports show a goal whatever day they are as of.';

-- ---------------------------------------------------------------- what can be told from the rest

CREATE FUNCTION goal_fill() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    measured kpi%ROWTYPE;
BEGIN
    IF NEW.level IS NULL AND (NEW.rep_id IS NULL OR NEW.team_id IS NULL) THEN
        NEW.level := CASE WHEN NEW.rep_id IS NOT NULL THEN 'rep' WHEN NEW.team_id IS NOT NULL THEN 'team' END;
    END IF;

    SELECT *
      INTO measured
      FROM kpi
     WHERE code = NEW.kpi_code;
    IF NOT measured.is_any_range THEN
        RAISE EXCEPTION 'KPI "%" is not measured over the days of a goal', NEW.kpi_code
            USING ERRCODE = 'check_violation',
                  TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = 'kpi_code', CONSTRAINT = 'goal_is_measurable',
                  HINT = 'Those that are have is_any_range in table kpi.';
    END IF;
    -- From nothing upwards; downwards from nothing is nowhere.
    IF NEW.baseline IS NULL AND measured.direction = 'up' THEN
        NEW.baseline := 0;
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION goal_fill() IS 'Trigger function: fills in a goal''s level from its owner, and the baseline 0 of a KPI of which more is better; refuses a KPI that is not measured over days.';

CREATE TRIGGER goal_fill
    BEFORE INSERT OR UPDATE ON goal
    FOR EACH ROW EXECUTE FUNCTION goal_fill();

-- At commit, so that a load can bring goals and seasons in either order.
CREATE FUNCTION goal_check_season() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM season_shape s WHERE s.season_id = NEW.season_id) THEN
        RAISE EXCEPTION 'season "%" of goal "%" has no rows in season_shape', NEW.season_id, NEW.goal_id
            USING ERRCODE = 'foreign_key_violation',
                  TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = 'season_id', CONSTRAINT = TG_NAME,
                  HINT = 'Enter its weights first, or leave season_id NULL: then every business day counts the same.';
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION goal_check_season() IS 'Trigger function: refuses, at commit, a goal whose season has no weights.';

CREATE CONSTRAINT TRIGGER goal_check_season
    AFTER INSERT OR UPDATE OF season_id ON goal
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.season_id IS NOT NULL)
    EXECUTE FUNCTION goal_check_season();

-- ---------------------------------------------------------------- no circles

CREATE FUNCTION goal_refuse_circle() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    circle text;
BEGIN
    WITH RECURSIVE above (start_id, goal_id) AS (
        SELECT n.goal_id, n.parent_goal_id
          FROM new_rows n
         WHERE n.parent_goal_id IS NOT NULL
        UNION
        SELECT a.start_id, g.parent_goal_id
          FROM above a
          JOIN goal g ON g.goal_id = a.goal_id
         WHERE g.parent_goal_id IS NOT NULL
    )
    SELECT start_id
      INTO circle
      FROM above
     WHERE goal_id = start_id
     ORDER BY start_id
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'goal "%" would be above itself', circle
            USING ERRCODE = 'check_violation',
                  TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = 'parent_goal_id',
                  HINT = 'Goals form a tree: follow parent_goal_id upwards to find the circle.';
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION goal_refuse_circle() IS 'Trigger function: refuses a goal that would be above itself.';

CREATE TRIGGER goal_refuse_circle_insert
    AFTER INSERT ON goal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION goal_refuse_circle();

CREATE TRIGGER goal_refuse_circle_update
    AFTER UPDATE ON goal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION goal_refuse_circle();

-- ---------------------------------------------------------------- targets and since when

CREATE TABLE goal_target (
    goal_target_id  bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT goal_target_pkey PRIMARY KEY,
    goal_id         text NOT NULL
        CONSTRAINT goal_target_goal_id_fkey REFERENCES goal (goal_id) ON UPDATE CASCADE ON DELETE CASCADE
        DEFERRABLE,
    valid_from      date NOT NULL,
    baseline        numeric NOT NULL,
    target          numeric NOT NULL,
    stretch         numeric,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    changed_by      text DEFAULT session_user,
    CONSTRAINT goal_target_is_measurable CHECK (
        baseline > '-Infinity' AND baseline < 'Infinity'
        AND target > '-Infinity' AND target < 'Infinity'
        AND target <> baseline),
    CONSTRAINT goal_target_is_measurable_stretch CHECK (
        stretch IS NULL
        OR stretch > '-Infinity' AND stretch < 'Infinity' AND sign(stretch - target) = sign(target - baseline)),
    CONSTRAINT goal_target_valid_from_check CHECK (valid_from < 'infinity')
);

CREATE INDEX goal_target_goal_id_valid_from_idx ON goal_target (goal_id, valid_from);

COMMENT ON TABLE goal_target IS 'The targets of each goal and the day from which each was in force: written by trigger when a goal is entered or its baseline, target or stretch is changed, as of as_of(); or entered by hand, for an agreed change to come or one that was forgotten. goal_progress takes the latest one that was in force on the day as_of() gives; before the first of them, the first.';
COMMENT ON COLUMN goal_target.goal_target_id IS 'Number of the row; of several in force from the same day the last entered counts.';
COMMENT ON COLUMN goal_target.goal_id IS 'The goal.';
COMMENT ON COLUMN goal_target.valid_from IS 'The first day it is in force; -infinity: from the beginning.';
COMMENT ON COLUMN goal_target.baseline IS 'The baseline, as in goal.';
COMMENT ON COLUMN goal_target.target IS 'The target, as in goal.';
COMMENT ON COLUMN goal_target.stretch IS 'The stretch target, as in goal; NULL: none.';
COMMENT ON COLUMN goal_target.changed_at IS 'When it was entered.';
COMMENT ON COLUMN goal_target.changed_by IS 'The database role that entered it.';

-- History that was loaded first, with the foreign key deferred, is left as it is.
CREATE FUNCTION goal_record_insert() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO goal_target (goal_id, valid_from, baseline, target, stretch)
    SELECT n.goal_id, '-infinity', n.baseline, n.target, n.stretch
      FROM new_rows n
     WHERE NOT EXISTS (SELECT FROM goal_target t WHERE t.goal_id = n.goal_id);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION goal_record_insert() IS 'Trigger function: writes a new goal''s target to goal_target, in force from the beginning.';

CREATE TRIGGER goal_record_insert
    AFTER INSERT ON goal
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION goal_record_insert();

-- Row by row: goal_id may change together with the target.
CREATE FUNCTION goal_record_update() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO goal_target (goal_id, valid_from, baseline, target, stretch)
    VALUES (NEW.goal_id, sales_perf.as_of(), NEW.baseline, NEW.target, NEW.stretch);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION goal_record_update() IS 'Trigger function: writes a changed target to goal_target, in force from the day as_of() gives.';

CREATE TRIGGER goal_record_update
    AFTER UPDATE ON goal
    FOR EACH ROW
    WHEN (OLD.baseline <> NEW.baseline OR OLD.target <> NEW.target OR OLD.stretch IS DISTINCT FROM NEW.stretch)
    EXECUTE FUNCTION goal_record_update();

-- ---------------------------------------------------------------- what is said on the way

CREATE TABLE check_in (
    check_in_id    bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT check_in_pkey PRIMARY KEY,
    goal_id        text NOT NULL
        CONSTRAINT check_in_goal_id_fkey REFERENCES goal (goal_id) ON UPDATE CASCADE ON DELETE CASCADE
        DEFERRABLE,
    checked_on     date NOT NULL,
    author_rep_id  text
        CONSTRAINT check_in_author_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    confidence     double precision,
    note           text,
    CONSTRAINT check_in_checked_on_check CHECK (isfinite(checked_on)),
    CONSTRAINT check_in_confidence_check CHECK (confidence >= 0 AND confidence <= 1),
    CONSTRAINT check_in_says_something CHECK (confidence IS NOT NULL OR note IS NOT NULL AND note ~ '[^[:space:]]')
);

CREATE INDEX check_in_goal_id_checked_on_idx ON check_in (goal_id, checked_on);
CREATE INDEX check_in_author_rep_id_idx ON check_in (author_rep_id);

COMMENT ON TABLE check_in IS 'Check-ins: what was said of a goal, by whom and when. They may be put right afterwards; the figures of goal_progress do not depend on them.';
COMMENT ON COLUMN check_in.check_in_id IS 'Number of the check-in; settles the order of several on one day.';
COMMENT ON COLUMN check_in.goal_id IS 'The goal.';
COMMENT ON COLUMN check_in.checked_on IS 'The day; the one as_of() gives if not given.';
COMMENT ON COLUMN check_in.author_rep_id IS 'The rep who says so; NULL: not stated.';
COMMENT ON COLUMN check_in.confidence IS 'How sure the author is that the goal will be reached, from 0 to 1; NULL: not stated.';
COMMENT ON COLUMN check_in.note IS 'What was done, what stands in the way, what comes next. Needed where no confidence is stated.';

CREATE FUNCTION check_in_fill() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    NEW.checked_on := sales_perf.as_of();
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION check_in_fill() IS 'Trigger function: a check-in without a day is of the day as_of() gives.';

CREATE TRIGGER check_in_fill
    BEFORE INSERT ON check_in
    FOR EACH ROW
    WHEN (NEW.checked_on IS NULL)
    EXECUTE FUNCTION check_in_fill();

SET LOCAL search_path = sales_perf, pg_temp;
