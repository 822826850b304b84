-- Reports that are kept: where rollups are maintained, fold_rollup() also makes those reports whose reading takes
-- long whatever cells are stored (each open deal has a chance of its own, each account its purchases), and keeps their rows. They are shown as
-- long as nothing in the mart has changed since, which a trigger on every table writes down (src/record_change.c);
-- as soon as anything has, the reports are made from the deals again. So they are never stale.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE rollup_change (
    changed_by  xid8 NOT NULL
);

COMMENT ON TABLE rollup_change IS 'Transactions that changed something in the mart since reports were last kept. Written by triggers.';
COMMENT ON COLUMN rollup_change.changed_by IS 'The transaction.';

CREATE TABLE rollup_report (
    report       text NOT NULL CONSTRAINT rollup_report_pkey PRIMARY KEY,
    as_of_day    date NOT NULL,
    made_at      timestamptz NOT NULL,
    time_zone    text NOT NULL,
    is_ahead     boolean NOT NULL,
    seen         pg_snapshot NOT NULL,
    made_by      xid8 NOT NULL,
    cluster_id   bigint NOT NULL
);

COMMENT ON TABLE rollup_report IS 'The reports that are kept. Written by fold_rollup().';
COMMENT ON COLUMN rollup_report.report IS 'The view.';
COMMENT ON COLUMN rollup_report.as_of_day IS 'The day as of which: today, then.';
COMMENT ON COLUMN rollup_report.made_at IS 'When it was made.';
COMMENT ON COLUMN rollup_report.time_zone IS 'In which time zone.';
COMMENT ON COLUMN rollup_report.is_ahead IS 'True where history was dated in the future then: it may be past for one time zone and not for another.';
COMMENT ON COLUMN rollup_report.seen IS 'The transactions whose changes it shows.';
COMMENT ON COLUMN rollup_report.made_by IS 'The transaction that made it, which may have changed something before or afterwards: its changes count as not seen.';
COMMENT ON COLUMN rollup_report.cluster_id IS 'System identifier of the cluster, in which alone these transactions mean anything.';

CREATE FUNCTION rollup_report_is_hidden() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN EXISTS (SELECT
                     FROM pg_class c
                    WHERE c.relnamespace = (SELECT d.relnamespace FROM pg_class d WHERE d.oid = 'deal'::regclass)
                      AND c.relrowsecurity
                      AND NOT starts_with(c.relname::text, 'rollup_')
                      AND row_security_active(c.oid));

COMMENT ON FUNCTION rollup_report_is_hidden() IS 'Whether row-level security on any table of the mart may hide something from whoever asks: then no kept report is shown.';

CREATE FUNCTION rollup_report_serves(report text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT
                     FROM rollup_report k
                    WHERE k.report = rollup_report_serves.report
                      AND k.as_of_day = sales_perf.as_of()
                      AND k.as_of_day = current_date
                      -- with nothing dated ahead it is the same in all time zones where it is that day
                      AND (k.time_zone = current_setting('TimeZone') OR NOT k.is_ahead)
                      AND NOT EXISTS (SELECT
                                        FROM rollup_change c
                                       WHERE c.changed_by = k.made_by
                                          OR NOT pg_visible_in_snapshot(c.changed_by, k.seen))
                      AND k.cluster_id = (SELECT s.system_identifier FROM pg_control_system() s))
       AND EXISTS (SELECT
                     FROM pg_trigger t
                    WHERE t.tgrelid = 'deal'::regclass
                      AND t.tgname = 'rollup_change'
                      AND t.tgenabled IN ('O', 'A'))
       AND NOT rollup_report_is_hidden();
END
$$;

COMMENT ON FUNCTION rollup_report_serves(text) IS 'Whether a kept report is what would come out now: as_of() is today, for which it was made, and nothing in the mart has changed since. False where it is not kept, where row-level security holds for whoever asks, and after a restore in another cluster.';

CREATE FUNCTION rollup_keep_reports() RETURNS void
    LANGUAGE plpgsql
    SET search_path = sales_perf_template, pg_catalog, pg_temp
AS $$
DECLARE
    -- Before anything is read: what is committed later counts as not seen. (The own transaction a snapshot takes for ended.)
    snapshot   constant pg_snapshot := pg_current_snapshot();
    is_watched boolean;
    reports    text[];
BEGIN
    -- today's stay if a session looks at the past; nor do two make them at the same time
    IF sales_perf.as_of() <> current_date OR NOT pg_try_advisory_xact_lock(rollup_lock('fold')) THEN
        RETURN;
    END IF;

    is_watched := (SELECT count(*)
                     FROM pg_class c
                     JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'rollup_change' AND t.tgenabled IN ('O', 'A')
                    WHERE c.relnamespace = (SELECT d.relnamespace FROM pg_class d WHERE d.oid = 'deal'::regclass)
                      AND c.relkind = 'r'
                      AND NOT row_security_active(c.oid)
                      AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
                      -- a subscription writes without firing them
                      AND NOT EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = c.oid))
                  = (SELECT w.watched_count FROM rollup_state w);
    reports := ARRAY['account_profile', 'forecast', 'market_trend', 'next_best_product', 'swot'];
    -- what relations of the user's own hold cannot be watched
    IF NOT EXISTS (SELECT FROM goal g JOIN kpi k ON k.code = g.kpi_code WHERE k.relation IS NOT NULL) THEN
        reports := reports || 'goal_progress'::text;
    END IF;
    IF is_watched AND (SELECT bool_and(rollup_report_serves(r.report)) FROM unnest(reports) AS r (report)) THEN
        RETURN;
    END IF;

    DELETE FROM rollup_report;
    IF is_watched IS NOT TRUE THEN
        RETURN;
    END IF;

    BEGIN
        DELETE FROM rollup_change c
         WHERE pg_visible_in_snapshot(c.changed_by, snapshot)
           AND c.changed_by <> pg_current_xact_id();

        DELETE FROM rollup_forecast;
        INSERT INTO rollup_forecast
        SELECT * FROM forecast_live;

        DELETE FROM rollup_goal_progress;
        IF 'goal_progress' = ANY (reports) THEN
            INSERT INTO rollup_goal_progress
            SELECT * FROM goal_progress_live;
        END IF;

        DELETE FROM rollup_account_profile;
        INSERT INTO rollup_account_profile
        SELECT * FROM account_profile_live;

        DELETE FROM rollup_market_trend;
        INSERT INTO rollup_market_trend
        SELECT * FROM market_trend_live;

        DELETE FROM rollup_next_best_product;
        INSERT INTO rollup_next_best_product
        SELECT * FROM next_best_product_live;

        DELETE FROM rollup_swot;
        INSERT INTO rollup_swot
        SELECT * FROM swot_live;

        INSERT INTO rollup_report (report, as_of_day, made_at, time_zone, is_ahead, seen, made_by, cluster_id)
        SELECT r.report,
               sales_perf.as_of(),
               clock_timestamp(),
               current_setting('TimeZone'),
               EXISTS (SELECT FROM deal_change WHERE changed_at > now()) OR EXISTS (SELECT FROM deal WHERE recorded_at > now()),
               snapshot,
               pg_current_xact_id(),
               (SELECT s.system_identifier FROM pg_control_system() s)
          FROM unnest(reports) AS r (report);
    EXCEPTION
        WHEN OTHERS THEN
            -- what is folded stays so
            RAISE WARNING 'reports could not be kept: %', SQLERRM;
            DELETE FROM rollup_report;
    END;
END
$$;

COMMENT ON FUNCTION rollup_keep_reports() IS 'Behind sales_perf.fold_rollup(): makes the reports that are kept anew, if anything has changed since the last time. Keeps none where a table cannot be watched (no table any more, inherited from, filled by a subscription, row-level security forced on the owner). Does nothing where as_of() is not today.';

SET LOCAL search_path = sales_perf, pg_temp;
