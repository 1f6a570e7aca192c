-- Times are microseconds since 1970, UTC; queue times by the database's clock.
--
-- An event is written once, into the open partition. A pending event also has a row in the narrow queue, the only table
-- with frequent updates; its final state is written into the outcomes. Retention drops whole partitions. The column
-- `segment` is the number of the partition. A migration keeps what the previous version uses, which still runs.

-- name: 1
CREATE TABLE segue_segments (
    id        integer PRIMARY KEY, -- 0 keeps rows that outlive their partition; the highest is open, the others are closed
    opened_at bigint NOT NULL,
    newest_at bigint -- when the last event of a closed partition was received
);
INSERT INTO segue_segments (id, opened_at) VALUES (0, 0), (1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);

CREATE SEQUENCE segue_seq;
CREATE TABLE segue_events (
    segment     integer NOT NULL,
    seq         bigint NOT NULL,
    tx          xid8 NOT NULL DEFAULT pg_current_xact_id(), -- seqs are not assigned in the order of the commits
    source      text NOT NULL,
    event_key   text NOT NULL,
    type        text NOT NULL,
    occurred_at bigint NOT NULL,
    received_at bigint NOT NULL,
    clock       text NOT NULL,
    trust       text NOT NULL,
    headers     text NOT NULL,
    envelope    text NOT NULL,
    problem     text NOT NULL,
    body        bytea NOT NULL,
    PRIMARY KEY (seq, segment),
    UNIQUE (event_key, source, segment) -- the key first: people search for it without the source
) PARTITION BY LIST (segment);
CREATE INDEX segue_events_order ON segue_events (tx, seq);
CREATE TABLE segue_events_0 PARTITION OF segue_events FOR VALUES IN (0);
CREATE TABLE segue_events_1 PARTITION OF segue_events FOR VALUES IN (1);

CREATE TABLE segue_queue (
    seq          bigint PRIMARY KEY,
    segment      integer NOT NULL,
    source       text NOT NULL,
    received_at  bigint NOT NULL,
    due_at       bigint NOT NULL,
    lease        text,
    leased_until bigint,
    attempts     integer NOT NULL,
    reason       text NOT NULL,
    edition      integer NOT NULL,
    history      jsonb NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX segue_queue_ready ON segue_queue (source, (coalesce(leased_until, due_at)), seq);
CREATE INDEX segue_queue_segment ON segue_queue (segment);

CREATE TABLE segue_outcomes (
    segment    integer NOT NULL,
    seq        bigint NOT NULL,
    source     text NOT NULL,
    state      text NOT NULL,
    settled_at bigint NOT NULL,
    due_at     bigint NOT NULL,
    attempts   integer NOT NULL,
    reason     text NOT NULL,
    edition    integer NOT NULL,
    history    jsonb NOT NULL,
    PRIMARY KEY (seq, segment)
) PARTITION BY LIST (segment);
CREATE INDEX segue_outcomes_state ON segue_outcomes (state, seq) WHERE state <> 'delivered';
CREATE TABLE segue_outcomes_0 PARTITION OF segue_outcomes FOR VALUES IN (0);
CREATE TABLE segue_outcomes_1 PARTITION OF segue_outcomes FOR VALUES IN (1);
CREATE INDEX segue_outcomes_0_age ON segue_outcomes_0 (state, settled_at);

CREATE VIEW segue_standing AS
    SELECT segment, seq, 'pending' AS state, attempts, due_at, lease, leased_until, NULL::bigint AS settled_at, reason,
           edition, history
    FROM segue_queue
    UNION ALL
    SELECT segment, seq, state, attempts, due_at, NULL, NULL, settled_at, reason, edition, history
    FROM segue_outcomes;

CREATE TABLE segue_counts ( -- changes of the number of settled events; summed from time to time
    segment integer NOT NULL,
    source  text NOT NULL,
    state   text NOT NULL,
    type    text NOT NULL, -- only of unsupported events
    amount  bigint NOT NULL
);

CREATE TABLE segue_tokens (
    source text NOT NULL,
    token  text NOT NULL,
    value  text NOT NULL,
    until  bigint NOT NULL,
    PRIMARY KEY (source, token)
);
CREATE TABLE segue_notes (
    name  text PRIMARY KEY,
    value text NOT NULL,
    at    bigint NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE segue_tallies (
    name   text PRIMARY KEY,
    amount double precision NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE segue_audit (
    id        bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at        bigint NOT NULL,
    who       text NOT NULL,
    action    text NOT NULL,
    reason    text NOT NULL,
    operation text NOT NULL,
    events    jsonb NOT NULL,
    detail    text NOT NULL
);
CREATE FUNCTION segue_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER segue_audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON segue_audit
    EXECUTE FUNCTION segue_append_only();

CREATE FUNCTION segue_time(moment bigint, wall bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    -- A machine's time by the database's clock: `moment`, corrected by the offset of the machine's own clock (`wall`).
    -- An offset of two seconds or less is ignored: it may be network delay.
    SELECT moment + CASE WHEN abs(off) > 2000000 THEN off ELSE 0 END
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - wall AS off) AS clocks
$$;

CREATE FUNCTION segue_history(history jsonb, entry jsonb, most integer) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    -- Append an entry; remove the oldest if there are too many.
    SELECT CASE WHEN jsonb_array_length(history) < most THEN history ELSE history - 0 END || jsonb_build_array(entry)
$$;

-- name: 2
-- Only their owner creates, locks and drops tables; the role that prunes may call just these three functions.
CREATE FUNCTION segue_make_segment(id integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['segue_events', 'segue_outcomes'] LOOP
        EXECUTE format('CREATE TABLE %s_%s (LIKE %s INCLUDING ALL)', kind, id, kind);
        EXECUTE format('ALTER TABLE %s_%s ADD CHECK (segment = %s)', kind, id, id);
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s_%s FOR VALUES IN (%s)', kind, kind, id, id);
    END LOOP;
END $$;

CREATE FUNCTION segue_lock_segments() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    -- Both with all their partitions, without waiting: waiting in another order than readers would be a deadlock.
    LOCK TABLE segue_events, segue_outcomes IN ACCESS EXCLUSIVE MODE NOWAIT;
END $$;

CREATE FUNCTION segue_drop_segment(gone integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM segue_segments WHERE id = gone AND newest_at IS NOT NULL)
        OR EXISTS (SELECT FROM segue_queue WHERE segment = gone)
    THEN
        RAISE EXCEPTION 'partition % is open, does not exist, or has pending events', gone;
    END IF;
    EXECUTE format('DROP TABLE segue_events_%s, segue_outcomes_%s', gone, gone);
    DELETE FROM segue_counts WHERE segment = gone;
    DELETE FROM segue_segments WHERE id = gone;
END $$;
REVOKE EXECUTE ON FUNCTION segue_make_segment, segue_lock_segments, segue_drop_segment FROM PUBLIC;

-- name: 3
-- The stored events of former keys, by their place (from 1). The role that stores may not read bodies: an unencrypted
-- body is only compared here, and an encrypted one (a record that begins with these bytes and a key id) is returned.
CREATE FUNCTION segue_former(sources text[], keys text[], bodies bytea[])
RETURNS TABLE (place bigint, type text, same boolean, sealed bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    RETURN QUERY
    SELECT sought.place, old.type,
           old.kind = 'plain' AND (old.body = sought.body OR old.body = '\x0053473100000000'::bytea || sought.body),
           CASE WHEN old.kind = 'encrypted' AND sought.body IS NOT NULL THEN old.body END
    FROM unnest(sources, keys, bodies) WITH ORDINALITY AS sought (source, key, body, place)
    CROSS JOIN LATERAL (
        SELECT e.type, e.body,
               CASE WHEN substring(e.body FROM 1 FOR 4) = '\x00534731'::bytea
                     AND substring(e.body FROM 5 FOR 4) <> '\x00000000'::bytea THEN 'encrypted' ELSE 'plain' END AS kind
        FROM segue_events AS e WHERE e.source = sought.source AND e.event_key = sought.key OFFSET 0
    ) AS old;
END $$;
REVOKE EXECUTE ON FUNCTION segue_former FROM PUBLIC;
