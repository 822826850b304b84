-- The entities of a mart: who sells (team, rep), to whom (account), what (product), how (stage),
-- and the deals with their history. Written once here, in a schema that is never filled, and
-- stamped by create_mart() into a schema of the user's own.
--
-- What a CRM holds wrongly must be loadable, or nobody could be shown it: a deal closed before it
-- was opened, won without an amount or closed without a day is accepted, used as far as it goes,
-- and listed by the view data_quality. Only what has no meaning at all is refused.

CREATE SCHEMA sales_perf_template;

COMMENT ON SCHEMA sales_perf_template IS
'The tables, views and functions of a mart, as create_mart() stamps them into a schema of yours. Never filled: load data into your own mart.';

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

-- ---------------------------------------------------------------- who sells

CREATE TABLE team (
    team_id         text NOT NULL CONSTRAINT team_pkey PRIMARY KEY,
    name            text NOT NULL,
    parent_team_id  text
        CONSTRAINT team_parent_team_id_fkey REFERENCES team (team_id) ON UPDATE CASCADE
        DEFERRABLE,
    manager_rep_id  text,
    CONSTRAINT team_parent_check CHECK (parent_team_id <> team_id)
);

CREATE INDEX team_parent_team_id_idx ON team (parent_team_id);
CREATE INDEX team_manager_rep_id_idx ON team (manager_rep_id);

COMMENT ON TABLE team IS 'Sales teams, a tree: a team includes the teams under it. A circle of teams is refused.';
COMMENT ON COLUMN team.team_id IS 'Key of the team, any text (the CRM''s id).';
COMMENT ON COLUMN team.name IS 'Name of the team.';
COMMENT ON COLUMN team.parent_team_id IS 'The team this one belongs to; NULL at the top.';
COMMENT ON COLUMN team.manager_rep_id IS 'The rep who leads the team; checked at commit, so that teams and reps can be loaded in either order.';

CREATE TABLE rep (
    rep_id    text NOT NULL CONSTRAINT rep_pkey PRIMARY KEY,
    name      text NOT NULL,
    team_id   text
        CONSTRAINT rep_team_id_fkey REFERENCES team (team_id) ON UPDATE CASCADE
        DEFERRABLE,
    email     text,
    login     text,
    hired_on  date,
    left_on   date,
    CONSTRAINT rep_left_on_check CHECK (left_on >= hired_on)
);

CREATE INDEX rep_team_id_idx ON rep (team_id);
CREATE INDEX rep_login_idx ON rep (login);

ALTER TABLE team
    ADD CONSTRAINT team_manager_rep_id_fkey
    FOREIGN KEY (manager_rep_id) REFERENCES rep (rep_id) ON UPDATE CASCADE ON DELETE SET NULL
    DEFERRABLE INITIALLY DEFERRED;

COMMENT ON TABLE rep IS 'Sales representatives.';
COMMENT ON COLUMN rep.rep_id IS 'Key of the rep, any text (the CRM''s id).';
COMMENT ON COLUMN rep.name IS 'Name of the rep.';
COMMENT ON COLUMN rep.team_id IS 'The team the rep belongs to now; NULL: none. For all time, unless the rep has rows in team_membership.';
COMMENT ON COLUMN rep.email IS 'E-mail address.';
COMMENT ON COLUMN rep.login IS 'Database role of the rep, if there is one.';
COMMENT ON COLUMN rep.hired_on IS 'First day of employment.';
COMMENT ON COLUMN rep.left_on IS 'Last day of employment; NULL: still here.';

-- ---------------------------------------------------------------- to whom, and what

CREATE TABLE account (
    account_id         text NOT NULL CONSTRAINT account_pkey PRIMARY KEY,
    name               text NOT NULL,
    segment            text,
    industry           text,
    region             text,
    parent_account_id  text
        CONSTRAINT account_parent_account_id_fkey REFERENCES account (account_id) ON UPDATE CASCADE
        DEFERRABLE,
    owner_rep_id       text
        CONSTRAINT account_owner_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    CONSTRAINT account_parent_check CHECK (parent_account_id <> account_id)
);

CREATE INDEX account_parent_account_id_idx ON account (parent_account_id);
CREATE INDEX account_owner_rep_id_idx ON account (owner_rep_id);

COMMENT ON TABLE account IS 'Customers and prospects, a tree (subsidiaries under their parent). A circle of accounts is refused.';
COMMENT ON COLUMN account.account_id IS 'Key of the account, any text (the CRM''s id).';
COMMENT ON COLUMN account.name IS 'Name of the account.';
COMMENT ON COLUMN account.segment IS 'Market segment, for instance enterprise, mid-market, small business.';
COMMENT ON COLUMN account.industry IS 'Industry.';
COMMENT ON COLUMN account.region IS 'Sales region or country.';
COMMENT ON COLUMN account.parent_account_id IS 'The account this one is a subsidiary of; NULL at the top.';
COMMENT ON COLUMN account.owner_rep_id IS 'The rep who looks after the account now.';

CREATE TABLE product (
    product_id  text NOT NULL CONSTRAINT product_pkey PRIMARY KEY,
    name        text NOT NULL,
    family      text,
    list_price  numeric,
    currency    text,
    CONSTRAINT product_currency_check CHECK (currency ~ '^[A-Z][A-Z0-9]{2,4}$')
);

COMMENT ON TABLE product IS 'What is sold.';
COMMENT ON COLUMN product.product_id IS 'Key of the product, any text (the CRM''s id).';
COMMENT ON COLUMN product.name IS 'Name of the product.';
COMMENT ON COLUMN product.family IS 'Product family or series.';
COMMENT ON COLUMN product.list_price IS 'List price of one unit, in currency.';
COMMENT ON COLUMN product.currency IS 'Currency of the list price (ISO 4217 code); NULL: the mart''s reporting currency.';

-- ---------------------------------------------------------------- how

CREATE TABLE stage (
    pipeline_id     text NOT NULL DEFAULT 'default',
    stage_no        integer NOT NULL,
    stage_id        text NOT NULL CONSTRAINT stage_pkey PRIMARY KEY,
    name            text NOT NULL,
    is_open         boolean NOT NULL DEFAULT true,
    default_chance  double precision,
    CONSTRAINT stage_pipeline_id_stage_no_key UNIQUE (pipeline_id, stage_no),
    CONSTRAINT stage_default_chance_check CHECK (default_chance >= 0 AND default_chance <= 1)
);

COMMENT ON TABLE stage IS 'The stages of each pipeline, in their order. A stage_id belongs to one pipeline: where a CRM uses a name in several, prefix it.';
COMMENT ON COLUMN stage.pipeline_id IS 'The pipeline (sales process) the stage belongs to.';
COMMENT ON COLUMN stage.stage_no IS 'Place in the pipeline''s order, counted upwards.';
COMMENT ON COLUMN stage.stage_id IS 'Key of the stage, any text (the CRM''s id).';
COMMENT ON COLUMN stage.name IS 'Name of the stage.';
COMMENT ON COLUMN stage.is_open IS 'True for stages of open deals, false for those of won and lost ones.';
COMMENT ON COLUMN stage.default_chance IS 'Chance of winning a deal in this stage as the CRM states it, a fraction from 0 to 1 (a source on 0-100 is divided by 100 on loading); NULL: not stated.';

-- ---------------------------------------------------------------- deals

CREATE TABLE deal (
    deal_id            text NOT NULL CONSTRAINT deal_pkey PRIMARY KEY,
    name               text,
    account_id         text
        CONSTRAINT deal_account_id_fkey REFERENCES account (account_id) ON UPDATE CASCADE
        DEFERRABLE,
    product_id         text
        CONSTRAINT deal_product_id_fkey REFERENCES product (product_id) ON UPDATE CASCADE
        DEFERRABLE,
    rep_id             text
        CONSTRAINT deal_rep_id_fkey REFERENCES rep (rep_id) ON UPDATE CASCADE
        DEFERRABLE,
    pipeline_id        text DEFAULT 'default',
    stage_id           text
        CONSTRAINT deal_stage_id_fkey REFERENCES stage (stage_id) ON UPDATE CASCADE
        DEFERRABLE,
    amount             numeric,
    currency           text,
    opened_on          date,
    expected_close_on  date,
    closed_on          date,
    outcome            text DEFAULT 'open',
    lost_reason        text,
    forecast_category  text,
    stage_entered_on   date,
    recorded_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deal_outcome_check CHECK (outcome IN ('won', 'lost', 'open')),
    CONSTRAINT deal_currency_check CHECK (currency ~ '^[A-Z][A-Z0-9]{2,4}$')
);

-- One for each way a report counts: by day of closing, by day of opening, what is open now;
-- alone for the company, and behind the rep's id for one rep's rows.
CREATE INDEX deal_closed_on_idx ON deal (closed_on);
CREATE INDEX deal_opened_on_idx ON deal (opened_on);
CREATE INDEX deal_rep_id_closed_on_idx ON deal (rep_id, closed_on);
CREATE INDEX deal_rep_id_opened_on_idx ON deal (rep_id, opened_on);
CREATE INDEX deal_open_rep_id_opened_on_idx ON deal (rep_id, opened_on) WHERE outcome IS NULL OR outcome = 'open';
CREATE INDEX deal_open_opened_on_idx ON deal (opened_on) WHERE outcome IS NULL OR outcome = 'open';
CREATE INDEX deal_account_id_idx ON deal (account_id);

COMMENT ON TABLE deal IS 'Deals (opportunities), one row each. Changes of stage_id, amount, currency, expected_close_on, rep_id, outcome and closed_on are recorded by trigger in deal_change, changes of stage_id also in stage_event. Faulty rows are accepted and listed by data_quality.';
COMMENT ON COLUMN deal.deal_id IS 'Key of the deal, any text (the CRM''s id).';
COMMENT ON COLUMN deal.name IS 'Name of the deal.';
COMMENT ON COLUMN deal.account_id IS 'The account that buys.';
COMMENT ON COLUMN deal.product_id IS 'The (main) product.';
COMMENT ON COLUMN deal.rep_id IS 'The rep who owns the deal; NULL: nobody, shown as (no rep).';
COMMENT ON COLUMN deal.pipeline_id IS 'The pipeline the deal goes through.';
COMMENT ON COLUMN deal.stage_id IS 'The stage it is in.';
COMMENT ON COLUMN deal.amount IS 'Value of the deal, in currency; NULL: not known.';
COMMENT ON COLUMN deal.currency IS 'Currency of the amount (ISO 4217 code); NULL: the mart''s reporting currency. Reports convert it at the rate of fx_rate for the day of closing, or of as_of() while it is open; what has no rate is listed by data_quality.';
COMMENT ON COLUMN deal.opened_on IS 'The day the deal was opened; NULL: not known, then it has no cycle and belongs to no cohort.';
COMMENT ON COLUMN deal.expected_close_on IS 'The day the rep expects it to close.';
COMMENT ON COLUMN deal.closed_on IS 'The day it was won or lost; ignored for an open deal.';
COMMENT ON COLUMN deal.outcome IS 'won, lost or open; NULL is open; anything else is refused.';
COMMENT ON COLUMN deal.lost_reason IS 'Why it was lost.';
COMMENT ON COLUMN deal.forecast_category IS 'The CRM''s forecast category, for instance commit or best case.';
COMMENT ON COLUMN deal.stage_entered_on IS 'The day an open deal entered its stage: that of its latest row in stage_event, kept by triggers. May be given with a new deal (opened_on if it is not); whatever an update says of it is passed over: write to stage_event. NULL for closed deals.';
COMMENT ON COLUMN deal.recorded_at IS 'Since when this mart, or the history loaded with the deal, knows its changes; the time of insertion unless given. Before it, reports as of an earlier day show the deal as it is now recorded and say so (is_as_recorded).';

CREATE TABLE stage_event (
    stage_event_id  bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT stage_event_pkey PRIMARY KEY,
    deal_id         text NOT NULL
        CONSTRAINT stage_event_deal_id_fkey REFERENCES deal (deal_id) ON UPDATE CASCADE ON DELETE CASCADE
        DEFERRABLE,
    stage_id        text NOT NULL
        CONSTRAINT stage_event_stage_id_fkey REFERENCES stage (stage_id) ON UPDATE CASCADE
        DEFERRABLE,
    entered_on      date NOT NULL,
    entered_at      timestamptz,
    is_assumed      boolean NOT NULL DEFAULT false
);

CREATE INDEX stage_event_deal_id_entered_on_idx
    ON stage_event (deal_id, entered_on DESC, entered_at DESC NULLS LAST, stage_event_id DESC)
    INCLUDE (stage_id);

COMMENT ON TABLE stage_event IS 'Every entry of a deal into a stage: written by trigger when a deal''s stage changes, or loaded from the CRM''s history.';
COMMENT ON COLUMN stage_event.stage_event_id IS 'Number of the event; settles the order of events of one day without a time.';
COMMENT ON COLUMN stage_event.deal_id IS 'The deal.';
COMMENT ON COLUMN stage_event.stage_id IS 'The stage it entered.';
COMMENT ON COLUMN stage_event.entered_on IS 'The day it entered the stage.';
COMMENT ON COLUMN stage_event.entered_at IS 'The moment, where it is known; orders events of one day.';
COMMENT ON COLUMN stage_event.is_assumed IS 'True where no history is known: the deal was loaded in this stage after the day given here (opened_on, or closed_on of a closed deal), which is then only a guess. Loaded history takes its place.';

CREATE TABLE deal_change (
    deal_change_id  bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT deal_change_pkey PRIMARY KEY,
    deal_id         text NOT NULL
        CONSTRAINT deal_change_deal_id_fkey REFERENCES deal (deal_id) ON UPDATE CASCADE ON DELETE CASCADE
        DEFERRABLE,
    changed_at      timestamptz NOT NULL,
    field           text NOT NULL,
    old_value       text,
    new_value       text,
    -- Reports as of an earlier day read old values back: a text that is none of the field's
    -- values is refused when it is written, not when somebody reads the report.
    CONSTRAINT deal_change_value_check CHECK (
        CASE field
            WHEN 'amount' THEN
                (old_value IS NULL OR old_value::numeric IS NOT NULL)
                AND (new_value IS NULL OR new_value::numeric IS NOT NULL)
            WHEN 'outcome' THEN
                (old_value IS NULL OR old_value IN ('won', 'lost', 'open'))
                AND (new_value IS NULL OR new_value IN ('won', 'lost', 'open'))
            WHEN 'closed_on' THEN
                (old_value IS NULL OR old_value ~ '^([0-9]{4,}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity)$' AND old_value::date IS NOT NULL)
                AND (new_value IS NULL OR new_value ~ '^([0-9]{4,}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity)$' AND new_value::date IS NOT NULL)
            WHEN 'expected_close_on' THEN
                (old_value IS NULL OR old_value ~ '^([0-9]{4,}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity)$' AND old_value::date IS NOT NULL)
                AND (new_value IS NULL OR new_value ~ '^([0-9]{4,}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity)$' AND new_value::date IS NOT NULL)
            ELSE true
        END)
);

CREATE INDEX deal_change_changed_at_idx ON deal_change (changed_at);
CREATE INDEX deal_change_deal_id_changed_at_idx ON deal_change (deal_id, changed_at);

COMMENT ON TABLE deal_change IS 'Every recorded change of a deal''s fields: written by trigger from updates, or loaded from the CRM''s history. Going with its deal when that is deleted.';
COMMENT ON COLUMN deal_change.deal_change_id IS 'Number of the change; settles the order of changes of one moment.';
COMMENT ON COLUMN deal_change.deal_id IS 'The deal.';
COMMENT ON COLUMN deal_change.changed_at IS 'When it was changed.';
COMMENT ON COLUMN deal_change.field IS 'The column of deal that changed: stage_id, amount, currency, expected_close_on, rep_id, outcome or closed_on; others may be loaded and are kept, but not read by reports.';
COMMENT ON COLUMN deal_change.old_value IS 'Value before, as text; days as YYYY-MM-DD.';
COMMENT ON COLUMN deal_change.new_value IS 'Value after, as text; days as YYYY-MM-DD.';

-- ---------------------------------------------------------------- no circles

-- Walks up from the changed rows. Two transactions that each close half of a circle at the same
-- time are not seen here; the views that walk the tree end on a circle all the same.
CREATE FUNCTION team_refuse_circle() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    circle text;
BEGIN
    WITH RECURSIVE above (start_id, team_id) AS (
        SELECT n.team_id, n.parent_team_id
          FROM new_rows n
         WHERE n.parent_team_id IS NOT NULL
        UNION
        SELECT a.start_id, t.parent_team_id
          FROM above a
          JOIN team t ON t.team_id = a.team_id
         WHERE t.parent_team_id IS NOT NULL
    )
    SELECT start_id
      INTO circle
      FROM above
     WHERE team_id = start_id
     ORDER BY start_id
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'team "%" would be above itself', circle
            USING ERRCODE = 'check_violation',
                  TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = 'parent_team_id',
                  HINT = 'Teams form a tree: follow parent_team_id upwards to find the circle.';
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION team_refuse_circle() IS 'Trigger function: refuses a team that would be above itself.';

CREATE TRIGGER team_refuse_circle_insert
    AFTER INSERT ON team
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION team_refuse_circle();

CREATE TRIGGER team_refuse_circle_update
    AFTER UPDATE ON team
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION team_refuse_circle();

CREATE FUNCTION account_refuse_circle() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    circle text;
BEGIN
    WITH RECURSIVE above (start_id, account_id) AS (
        SELECT n.account_id, n.parent_account_id
          FROM new_rows n
         WHERE n.parent_account_id IS NOT NULL
        UNION
        SELECT a.start_id, t.parent_account_id
          FROM above a
          JOIN account t ON t.account_id = a.account_id
         WHERE t.parent_account_id IS NOT NULL
    )
    SELECT start_id
      INTO circle
      FROM above
     WHERE account_id = start_id
     ORDER BY start_id
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account "%" would be above itself', circle
            USING ERRCODE = 'check_violation',
                  TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = 'parent_account_id',
                  HINT = 'Accounts form a tree: follow parent_account_id upwards to find the circle.';
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION account_refuse_circle() IS 'Trigger function: refuses an account that would be above itself.';

CREATE TRIGGER account_refuse_circle_insert
    AFTER INSERT ON account
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION account_refuse_circle();

CREATE TRIGGER account_refuse_circle_update
    AFTER UPDATE ON account
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION account_refuse_circle();

-- The closure of the team tree: what every roll-up by team joins.
CREATE VIEW team_tree WITH (security_invoker = true) AS
WITH RECURSIVE tree (team_id, member_team_id) AS (
    SELECT t.team_id, t.team_id
      FROM team t
    UNION
    SELECT tree.team_id, t.team_id
      FROM tree
      JOIN team t ON t.parent_team_id = tree.member_team_id
)
SELECT team_id, member_team_id
  FROM tree;

COMMENT ON VIEW team_tree IS 'Each team with itself and every team below it, one row a pair.';
COMMENT ON COLUMN team_tree.team_id IS 'The team.';
COMMENT ON COLUMN team_tree.member_team_id IS 'The team itself, or a team anywhere below it.';

SET LOCAL search_path = sales_perf, pg_temp;
