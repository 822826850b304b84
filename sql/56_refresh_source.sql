-- Where the rows of a mart's tables come from, if they live in a CRM's tables: sales_perf.refresh_rollup() brings in what has
-- changed there, and the triggers of rollups see it as they see any other writing.

SET LOCAL search_path = sales_perf_template, pg_catalog, pg_temp;

CREATE TABLE refresh_source (
    entity            text NOT NULL CONSTRAINT refresh_source_pkey PRIMARY KEY,
    source            regclass NOT NULL,
    watermark_column  text NOT NULL,
    overlap           interval NOT NULL DEFAULT '5 minutes',
    watermark         text,
    refreshed_at      timestamptz,
    CONSTRAINT refresh_source_overlap_check CHECK (overlap >= interval '0' AND overlap < interval '1000 years')
);

COMMENT ON TABLE refresh_source IS 'From which relation the rows of a table of the mart are brought in, by sales_perf.refresh_rollup(). One row a table; delete it, and the table stays as it is.';
COMMENT ON COLUMN refresh_source.entity IS 'A table of the mart with a key of its own: account, deal, deal_credit, lead, product, rep, sale, stage, team and others; not what the mart numbers itself (stage_event, deal_change: it records them as deals change).';
COMMENT ON COLUMN refresh_source.source IS 'A table, view, materialized or foreign table that has the key of entity and any of its other columns, by the same names, and the watermark.';
COMMENT ON COLUMN refresh_source.watermark_column IS 'A column of source that says when a row was last changed (timestamp, date), or a number that grows with each change (integer). Where it is NULL the row is read each time.';
COMMENT ON COLUMN refresh_source.overlap IS 'How far before the watermark to read once more, for transactions that took longer from their change to their commit; not used where the watermark is a number.';
COMMENT ON COLUMN refresh_source.watermark IS 'The largest watermark that has been read, or the time of that refresh where it lies ahead of it; NULL: nothing yet, so that all is read. Kept by refresh_rollup().';
COMMENT ON COLUMN refresh_source.refreshed_at IS 'When that was. Kept by refresh_rollup().';

CREATE VIEW rollup_freshness WITH (security_invoker = true) AS
SELECT entity,
       source::text AS source_name,
       watermark,
       refreshed_at,
       round((extract(epoch FROM now() - refreshed_at) / 60)::numeric, 1) AS age_minutes
  FROM refresh_source;

COMMENT ON VIEW rollup_freshness IS 'How fresh the tables are that sales_perf.refresh_rollup() fills.';
COMMENT ON COLUMN rollup_freshness.entity IS 'The table of the mart.';
COMMENT ON COLUMN rollup_freshness.source_name IS 'The relation that its rows come from.';
COMMENT ON COLUMN rollup_freshness.watermark IS 'The latest change of it that has been brought in; NULL: none.';
COMMENT ON COLUMN rollup_freshness.refreshed_at IS 'When it was last read; NULL: never.';
COMMENT ON COLUMN rollup_freshness.age_minutes IS 'How long ago that is. Minutes; NULL: never.';

SET LOCAL search_path = sales_perf, pg_temp;
