-- Who belongs to which team on which day. Figures of a team count what its reps did while they
-- belonged to it, so that somebody who moves takes nothing along and leaves nothing behind.
--
-- rep.team_id says it for reps who never moved; a rep who did has rows in team_membership, and these
-- alone count.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- No two rows of a rep overlap. An index of ranges has no room for a text without an extension that not
-- every server has (btree_gist): 128 bits of its hash stand for the rep, as the lower bounds of two ranges.
CREATE TABLE team_membership (
    rep_id   text NOT NULL
        CONSTRAINT team_membership_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE ON DELETE CASCADE
        DEFERRABLE,
    team_id  text NOT NULL
        CONSTRAINT team_membership_team_id_fkey REFERENCES team (team_id) ON UPDATE CASCADE
        DEFERRABLE,
    valid    daterange NOT NULL,
    CONSTRAINT team_membership_valid_check CHECK (NOT isempty(valid)),
    CONSTRAINT team_membership_no_overlap EXCLUDE USING gist (
        int8range(hashtextextended(rep_id, 0), NULL) WITH =,
        int8range(hashtextextended(rep_id, 1), NULL) WITH =,
        valid WITH &&)
        DEFERRABLE
);

CREATE INDEX team_membership_rep_id_idx ON team_membership (rep_id);
CREATE INDEX team_membership_team_id_idx ON team_membership (team_id);

COMMENT ON TABLE team_membership IS 'The teams a rep belonged to, by day. For a rep who has rows here these alone count, on days in none of them the rep belongs to no team; for any other rep.team_id counts for all time. move_rep() writes them.';
COMMENT ON COLUMN team_membership.rep_id IS 'The rep.';
COMMENT ON COLUMN team_membership.team_id IS 'The team.';
COMMENT ON COLUMN team_membership.valid IS 'The days, for instance [2025-01-01,2025-04-01) or [2025-04-01,): a rep belongs to one team at a time.';
COMMENT ON CONSTRAINT team_membership_no_overlap ON team_membership IS 'A rep belongs to one team at a time.';

CREATE VIEW rep_team WITH (security_invoker = true) AS
SELECT r.rep_id,
       r.team_id,
       '-infinity'::date AS valid_from,
       'infinity'::date AS valid_to
  FROM rep r
 WHERE r.team_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM team_membership m WHERE m.rep_id = r.rep_id)
UNION ALL
SELECT m.rep_id,
       m.team_id,
       coalesce(lower(m.valid), '-infinity'),
       coalesce(upper(m.valid) - 1, 'infinity')
  FROM team_membership m;

COMMENT ON VIEW rep_team IS 'The team of each rep by day: from team_membership, or rep.team_id for all time where a rep has no rows there.';
COMMENT ON COLUMN rep_team.rep_id IS 'The rep.';
COMMENT ON COLUMN rep_team.team_id IS 'The team the rep belongs to directly.';
COMMENT ON COLUMN rep_team.valid_from IS 'First day in the team; -infinity: from the beginning.';
COMMENT ON COLUMN rep_team.valid_to IS 'Last day in the team; infinity: with no end.';

CREATE VIEW team_rep WITH (security_invoker = true) AS
SELECT tree.team_id,
       r.rep_id,
       r.valid_from,
       r.valid_to
  FROM team_tree tree
  JOIN rep_team r ON r.team_id = tree.member_team_id;

COMMENT ON VIEW team_rep IS 'Each team with the reps who belong to it or to a team below it, and when.';
COMMENT ON COLUMN team_rep.team_id IS 'The team.';
COMMENT ON COLUMN team_rep.rep_id IS 'A rep of the team or of a team anywhere below it.';
COMMENT ON COLUMN team_rep.valid_from IS 'First day; -infinity: from the beginning. A rep who moves within the team has a row for each part of the time.';
COMMENT ON COLUMN team_rep.valid_to IS 'Last day; infinity: with no end.';

CREATE FUNCTION move_rep(rep_id text, team_id text, from_day date) RETURNS void
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    moved rep%ROWTYPE;
BEGIN
    SELECT r.*
      INTO moved
      FROM rep r
     WHERE r.rep_id = move_rep.rep_id
       FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no rep "%"', rep_id
            USING ERRCODE = 'foreign_key_violation';
    ELSIF from_day IS NULL OR NOT isfinite(from_day) THEN
        RAISE EXCEPTION 'cannot move rep "%" from day %', rep_id, coalesce(from_day::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Give the first day in the new team.';
    END IF;

    -- the team until now, of a rep who never moved
    INSERT INTO team_membership (rep_id, team_id, valid)
    SELECT moved.rep_id, moved.team_id, daterange(NULL, NULL)
     WHERE moved.team_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM team_membership m WHERE m.rep_id = moved.rep_id);

    DELETE FROM team_membership m
     WHERE m.rep_id = moved.rep_id
       AND m.valid <@ daterange(from_day, NULL);
    UPDATE team_membership m
       SET valid = m.valid * daterange(NULL, from_day)
     WHERE m.rep_id = moved.rep_id
       AND m.valid && daterange(from_day, NULL);
    INSERT INTO team_membership (rep_id, team_id, valid)
    SELECT moved.rep_id, team_id, daterange(from_day, NULL)
     WHERE team_id IS NOT NULL;

    -- Of a rep who is left without any row rep.team_id counts: then it has to be NULL.
    UPDATE rep r
       SET team_id = (SELECT m.team_id
                        FROM team_membership m
                       WHERE m.rep_id = moved.rep_id
                         AND m.valid @> current_date)
     WHERE r.rep_id = moved.rep_id;
END
$$;

COMMENT ON FUNCTION move_rep(text, text, date) IS 'Moves a rep to a team (NULL: to none) from a day on: ends what team_membership has for the rep on that day, begins the new team, and sets rep.team_id to the team of today. What the rep did before stays with the old team. Later moves that were entered already are replaced.';

SET LOCAL search_path = sales_perf, pg_temp;
