-- Which months lie in archive files. Written by the owner's `archive_audit` alone; the runtime role reads.

CREATE TABLE audit_archive (
    month date NOT NULL PRIMARY KEY CHECK (extract(day FROM month) = 1),
    first_leaf bigint,
    last_leaf bigint,
    entries bigint NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    place text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((entries = 0) = (first_leaf IS NULL) AND (entries = 0) = (last_leaf IS NULL))
);

CREATE TRIGGER audit_archive_append_only BEFORE UPDATE OR DELETE ON audit_archive
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_archive_no_truncate BEFORE TRUNCATE ON audit_archive
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
