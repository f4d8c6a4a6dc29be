-- The ledger. Owned by the migrating role; the runtime role gets SELECT and INSERT (audit.ledger.grants).

CREATE TABLE audit_entry (
    id uuid NOT NULL PRIMARY KEY,
    "timestamp" timestamptz NOT NULL,
    act text NOT NULL,
    action smallint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('ok', 'refused', 'failed')),
    actor_id uuid,
    role text NOT NULL,
    session text NOT NULL,
    client text NOT NULL,
    channel text NOT NULL,
    purpose text NOT NULL,
    reason text NOT NULL,
    cid text NOT NULL,
    record_id uuid,
    kind text NOT NULL,
    object_pk text NOT NULL,
    detail text NOT NULL,
    mac bytea NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
) PARTITION BY RANGE (id);

-- Three indexes, not ten: by record (who opened it), by actor (timeline), by transaction (the sealer's mark).
CREATE INDEX audit_entry_record ON audit_entry (record_id, id) WHERE record_id IS NOT NULL;
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_entry_xid ON audit_entry (xid);

CREATE TABLE audit_leaf (
    leaf_index bigint NOT NULL PRIMARY KEY,
    entry_id uuid NOT NULL UNIQUE,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32)
);

CREATE TABLE audit_checkpoint (
    tree_size bigint NOT NULL PRIMARY KEY,
    root bytea NOT NULL CHECK (length(root) = 32),
    peaks bytea NOT NULL,
    note text NOT NULL,
    mark text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- An id carries its instant in its first 48 bits (RFC 9562); neither it nor the timestamp may stray from the clock.
CREATE FUNCTION audit_refuse_back_dating() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made timestamptz := to_timestamp(('x' || translate(left(NEW.id::text, 13), '-', ''))::bit(48)::bigint / 1000.0);
BEGIN
    IF substr(NEW.id::text, 15, 1) <> '7'
        OR abs(extract(epoch FROM made - clock_timestamp())) > 60
        OR abs(extract(epoch FROM NEW."timestamp" - clock_timestamp())) > 60
        OR NEW.xid <> pg_current_xact_id()
    THEN
        RAISE EXCEPTION 'audit entry is not of now' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_entry_of_now BEFORE INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_back_dating();
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_leaf_append_only BEFORE UPDATE OR DELETE ON audit_leaf
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_leaf_no_truncate BEFORE TRUNCATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- Months ahead without DDL rights for the runtime role. LIKE + ATTACH waits for no open writer; TRUNCATE triggers
-- are not inherited, so each partition gets its own. There is no default partition: without one an insert fails.
CREATE FUNCTION audit_make_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET timezone = 'UTC' AS $$
DECLARE
    made integer := 0;
    month timestamptz;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_make_partitions'));
    FOR ahead IN -1..3 LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => ahead);
        name := 'audit_entry_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_entry INCLUDING ALL)', name);
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', name);
        EXECUTE format('CREATE TRIGGER audit_partition_no_truncate BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change()', name);
        EXECUTE format('ALTER TABLE public.audit_entry ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name,
            public.audit_id_at(month), public.audit_id_at(month + interval '1 month'));
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION audit_id_at(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(hex, 8) || '-' || right(hex, 4) || '-7000-8000-000000000000')::uuid
    FROM (SELECT lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') AS hex) AS milliseconds
$$;

REVOKE ALL ON FUNCTION audit_make_partitions() FROM PUBLIC;
SELECT audit_make_partitions();
