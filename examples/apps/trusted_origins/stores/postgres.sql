-- Trusted origins in PostgreSQL 14 or later. May be run again: it changes nothing then.
--
-- Rows may be edited by hand, with any statement: the triggers number every change and tell every
-- listener. Rows that pass the checks below and are not valid entries are skipped by the service,
-- counted and reported. If you switch the triggers off, raise the version afterwards, so that
-- replicas load the table within seconds instead of at their next resync:
--     UPDATE trusted_origins_version SET version = trusted_origins_next();

-- Processes that run this at the same time wait for each other.
SELECT pg_advisory_xact_lock(hashtext('trusted_origins'), 1);

CREATE TABLE IF NOT EXISTS trusted_origins (
    -- Below 2^63 in the service, too; hexadecimal there.
    id bigint NOT NULL CONSTRAINT trusted_origins_id PRIMARY KEY CHECK (id >= 0),
    -- Given by a trigger, whatever is written.
    version bigint NOT NULL DEFAULT 0,
    name text NOT NULL CONSTRAINT trusted_origins_name UNIQUE
        CHECK (char_length(name) BETWEEN 1 AND 255),
    origin text NOT NULL CONSTRAINT trusted_origins_origin UNIQUE
        CHECK (char_length(origin) BETWEEN 1 AND 300),
    scopes text[] NOT NULL CHECK (
        cardinality(scopes) BETWEEN 1 AND 3
        AND scopes <@ ARRAY['CORS', 'REDIRECT', 'IFRAME_EMBED']
    ),
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'INACTIVE')),
    allow_credentials boolean NOT NULL DEFAULT false,
    -- Credentials although the origin has no transport security, and ranges of addresses.
    dangerously_allow_insecure boolean NOT NULL DEFAULT false,
    created timestamptz NOT NULL DEFAULT now() CHECK (isfinite(created)),
    created_by text NOT NULL DEFAULT current_user CHECK (char_length(created_by) BETWEEN 1 AND 255),
    last_updated timestamptz NOT NULL DEFAULT now() CHECK (isfinite(last_updated)),
    last_updated_by text NOT NULL DEFAULT current_user
        CHECK (char_length(last_updated_by) BETWEEN 1 AND 255),
    CONSTRAINT trusted_origins_credentials CHECK (NOT allow_credentials OR 'CORS' = ANY (scopes))
);

-- Numbers are taken under a lock that lasts until the commit, so they become visible in order.
CREATE SEQUENCE IF NOT EXISTS trusted_origins_versions;

-- The version of the whole table, of the same moment as the rows: deletions leave no row behind.
-- Each version has a random name. A table that was restored from a backup comes to numbers that it
-- had before, and to other names.
CREATE TABLE IF NOT EXISTS trusted_origins_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL,
    history text NOT NULL DEFAULT gen_random_uuid()::text
);
INSERT INTO trusted_origins_version (version) VALUES (0) ON CONFLICT DO NOTHING;

-- A row as the service reads it.
CREATE OR REPLACE FUNCTION trusted_origins_record(entry trusted_origins) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', lpad(to_hex(entry.id), 16, '0'),
        'version', entry.version,
        'name', entry.name,
        'origin', entry.origin,
        'scopes', to_json(entry.scopes),
        'status', entry.status,
        'allow_credentials', entry.allow_credentials,
        'dangerously_allow_insecure', entry.dangerously_allow_insecure,
        'created', to_char(entry.created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'created_by', entry.created_by,
        'last_updated', to_char(entry.last_updated AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'last_updated_by', entry.last_updated_by
    )
$$;

CREATE OR REPLACE FUNCTION trusted_origins_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('trusted_origins'), 0);
    RETURN NULL;
END
$$;

-- The next version: greater than that of the table, also if that was raised by hand.
CREATE OR REPLACE FUNCTION trusted_origins_next() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    latest bigint;
    number bigint := nextval('trusted_origins_versions');
BEGIN
    SELECT version INTO latest FROM trusted_origins_version;
    IF number <= latest THEN
        number := setval('trusted_origins_versions', latest + 1);
    END IF;
    RETURN number;
END
$$;

-- The name of the versions that this transaction makes. It is one name, because a statement that
-- does several things at once may tell of several changes with one version.
CREATE OR REPLACE FUNCTION trusted_origins_history() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text := nullif(current_setting('trusted_origins.history', true), '');
BEGIN
    IF name IS NULL THEN
        name := gen_random_uuid()::text;
        PERFORM set_config('trusted_origins.history', name, true);
    END IF;
    RETURN name;
END
$$;

-- Every new version gets a new name, also if it was set by hand.
CREATE OR REPLACE FUNCTION trusted_origins_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.history := trusted_origins_history();
    RETURN NEW;
END
$$;

-- Where the table stands: the version, its name, and which table it is. Fails where the table of the
-- entries is gone or may not be read.
CREATE OR REPLACE FUNCTION trusted_origins_position(OUT version bigint, OUT history text)
RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM FROM trusted_origins LIMIT 1;
    RETURN QUERY SELECT v.version, v.history || '.' || 'trusted_origins'::regclass::oid::text
        FROM trusted_origins_version v;
END
$$;

CREATE OR REPLACE FUNCTION trusted_origins_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'an entry keeps its id: delete it and insert another one';
    END IF;
    NEW.version := trusted_origins_next();
    RETURN NEW;
END
$$;

-- Sends the changes of a statement to the listeners, or tells them to load everything if the changes
-- are many.
CREATE OR REPLACE FUNCTION trusted_origins_publish() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    many constant integer := 1000;
    changed integer := many + 1;
    latest bigint;
    history constant text := trusted_origins_history() || '.' || TG_RELID::text;
    entry trusted_origins;
BEGIN
    SELECT version INTO latest FROM trusted_origins_version;
    IF TG_OP <> 'TRUNCATE' THEN
        SELECT count(*) INTO changed FROM (SELECT FROM changed_rows LIMIT many + 1) AS first_rows;
    END IF;
    IF changed = 0 THEN
        RETURN NULL;
    ELSIF changed > many THEN
        latest := trusted_origins_next();
        PERFORM pg_notify('trusted_origins', json_build_object('reload', json_build_object(
            'version', latest,
            'history', history
        ))::text);
    ELSIF TG_OP = 'DELETE' THEN
        FOR entry IN SELECT * FROM changed_rows ORDER BY id LOOP
            latest := trusted_origins_next();
            PERFORM pg_notify('trusted_origins', json_build_object('deleted', json_build_object(
                'id', lpad(to_hex(entry.id), 16, '0'),
                'version', latest,
                'history', history,
                'by', coalesce(nullif(current_setting('trusted_origins.actor', true), ''), current_user)
            ))::text);
        END LOOP;
    ELSE
        -- Rows are numbered one by one, but MERGE and INSERT ... ON CONFLICT come here first for
        -- those that they have deleted or updated: the others are told with what came before.
        FOR entry IN SELECT * FROM changed_rows ORDER BY version LOOP
            latest := greatest(latest, entry.version);
            PERFORM pg_notify('trusted_origins', json_build_object('put', json_build_object(
                'version', latest,
                'history', history,
                'row', trusted_origins_record(entry)
            ))::text);
        END LOOP;
    END IF;
    UPDATE trusted_origins_version SET version = latest;
    RETURN NULL;
END
$$;

-- Removes an entry and returns the version at which it is gone, or NULL where there is none of
-- this version.
CREATE OR REPLACE FUNCTION trusted_origins_delete(entry bigint, expected bigint, actor text)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('trusted_origins.actor', actor, true);
    DELETE FROM trusted_origins AS t
        WHERE t.id = entry AND (expected IS NULL OR t.version = expected);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT version FROM trusted_origins_version);
END
$$;

CREATE OR REPLACE TRIGGER lock_first BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE
    ON trusted_origins FOR EACH STATEMENT EXECUTE FUNCTION trusted_origins_lock();
-- The version must not be raised by hand between a change and its commit.
CREATE OR REPLACE TRIGGER lock_first BEFORE UPDATE
    ON trusted_origins_version FOR EACH STATEMENT EXECUTE FUNCTION trusted_origins_lock();
CREATE OR REPLACE TRIGGER name_versions BEFORE UPDATE
    ON trusted_origins_version FOR EACH ROW EXECUTE FUNCTION trusted_origins_name();
CREATE OR REPLACE TRIGGER number_rows BEFORE INSERT OR UPDATE
    ON trusted_origins FOR EACH ROW EXECUTE FUNCTION trusted_origins_number();
CREATE OR REPLACE TRIGGER publish_inserts AFTER INSERT ON trusted_origins
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION trusted_origins_publish();
CREATE OR REPLACE TRIGGER publish_updates AFTER UPDATE ON trusted_origins
    REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION trusted_origins_publish();
CREATE OR REPLACE TRIGGER publish_deletes AFTER DELETE ON trusted_origins
    REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION trusted_origins_publish();
CREATE OR REPLACE TRIGGER publish_truncation AFTER TRUNCATE
    ON trusted_origins FOR EACH STATEMENT EXECUTE FUNCTION trusted_origins_publish();
