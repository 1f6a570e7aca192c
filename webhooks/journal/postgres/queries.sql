-- Named queries; schema.sql has the tables. Times are microseconds since 1970, UTC.

-- name: share_partitions
SELECT pg_advisory_xact_lock_shared('segue_events'::regclass::oid::bigint::int, 1)

-- name: hold_partitions
SELECT pg_advisory_xact_lock('segue_events'::regclass::oid::bigint::int, 1)

-- name: lock_pruning
SELECT pg_try_advisory_xact_lock('segue_events'::regclass::oid::bigint::int, 2)

-- name: store
-- Store new rows in the order given; existing ones (in any partition) are left out. A key is unique in the open
-- partition, and is looked up in the closed ones, which take no writes: `share_partitions` comes before. The look-up
-- (`OFFSET 0` keeps it separate) uses the indexes even if the planner has no statistics of a new partition.
WITH fresh AS MATERIALIZED (
    SELECT nextval('segue_seq') AS seq, unseen.*
    FROM (
        SELECT arriving.*
        FROM unnest(%(source)s::text[], %(event_key)s::text[], %(type)s::text[], %(occurred_at)s::bigint[],
                    %(received_at)s::bigint[], %(clock)s::text[], %(trust)s::text[], %(headers)s::text[],
                    %(envelope)s::text[], %(body)s::bytea[], %(problem)s::text[], %(state)s::text[],
                    %(due_at)s::bigint[], %(settled_at)s::bigint[], %(reason)s::text[], %(attempts)s::integer[],
                    %(edition)s::integer[], %(history)s::text[])
             WITH ORDINALITY
             AS arriving (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem,
                      state, due_at, settled_at, reason, attempts, edition, history, place)
        WHERE NOT EXISTS (
            SELECT FROM segue_events AS old WHERE old.source = arriving.source AND old.event_key = arriving.event_key OFFSET 0
        )
        ORDER BY place
    ) AS unseen
),
stored AS (
    INSERT INTO segue_events (segment, seq, source, event_key, type, occurred_at, received_at, clock, trust, headers,
                              envelope, problem, body)
    SELECT (SELECT max(id) FROM segue_segments), seq, source, event_key, type, occurred_at, received_at, clock, trust,
           headers, envelope, problem, body
    FROM fresh
    ORDER BY source, event_key, place -- one order for all transactions prevents deadlocks
    ON CONFLICT (source, event_key, segment) DO NOTHING
    RETURNING segment, seq
),
new AS MATERIALIZED (
    SELECT (SELECT segment FROM stored LIMIT 1) AS segment, fresh.* FROM fresh
    WHERE seq = ANY (ARRAY(SELECT seq FROM stored))
),
queued AS (
    INSERT INTO segue_queue (seq, segment, source, received_at, due_at, attempts, reason, edition, history)
    SELECT seq, segment, source, received_at, least(due_at, segue_time(due_at, %(wall)s)), attempts, reason, edition, history::jsonb
    FROM new WHERE state = 'pending'
),
settled AS (
    INSERT INTO segue_outcomes (segment, seq, source, state, settled_at, due_at, attempts, reason, edition, history)
    SELECT segment, seq, source, state, coalesce(settled_at, due_at), due_at, attempts, reason, edition, history::jsonb
    FROM new WHERE state <> 'pending'
),
counted AS (
    INSERT INTO segue_counts (segment, source, state, type, amount)
    SELECT segment, source, state, CASE WHEN state = 'unsupported' THEN type ELSE '' END, count(*)
    FROM new WHERE state <> 'pending' GROUP BY 1, 2, 3, 4
)
SELECT place FROM new

-- name: share_partitions_and_hold_keys
-- `share_partitions` (1); then the lock of all keys (999), shared by transactions with single keys (1000 and on). In order.
SELECT CASE WHEN held.alone THEN pg_advisory_xact_lock(held.class, held.number)::text
            ELSE pg_advisory_xact_lock_shared(held.class, held.number)::text END
FROM (
    SELECT 'segue_events'::regclass::oid::bigint::int AS class, number, alone
    FROM unnest(%(numbers)s::int[], %(alone)s::bool[]) WITH ORDINALITY AS locks (number, alone, place) ORDER BY place
) AS held

-- name: former
SELECT place, type, same, sealed AS record FROM segue_former(%(sources)s::text[], %(keys)s::text[], %(bodies)s::bytea[])

-- name: notify
SELECT pg_notify('segue_' || 'segue_events'::regclass::oid, '')

-- name: channel
SELECT 'segue_' || 'segue_events'::regclass::oid

-- name: sources
(SELECT source FROM segue_queue ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT q.source FROM segue_queue AS q WHERE q.source > sources.source ORDER BY q.source LIMIT 1)
    FROM sources WHERE sources.source IS NOT NULL

-- name: any_ready
-- Sources by steps along the index: a backlog is not read.
WITH RECURSIVE clock AS MATERIALIZED (
    SELECT segue_time(%(now)s, %(wall)s) AS now
),
sources AS (
    {sources}
)
SELECT EXISTS (
    SELECT FROM sources CROSS JOIN LATERAL (
        SELECT coalesce(q.leased_until, q.due_at) AS ready_at FROM segue_queue AS q WHERE q.source = sources.source
        ORDER BY coalesce(q.leased_until, q.due_at), q.seq LIMIT 1
    ) AS first
    WHERE first.ready_at <= (SELECT now FROM clock)
)

-- name: claim
-- A fair share of every source, or `least` of each if that is more; concurrent claims skip locked rows. Arrays and
-- `OFFSET 0` make the planner use the indexes, even if its statistics show an empty queue.
WITH RECURSIVE clock AS MATERIALIZED (
    SELECT segue_time(%(now)s, %(wall)s) AS now
),
sources AS (
    {sources}
),
names AS MATERIALIZED (
    SELECT source, count(*) OVER () AS amount FROM sources WHERE source IS NOT NULL
    ORDER BY random() -- if there are more sources than events to claim, none is always the last
),
ready AS MATERIALIZED (
    SELECT first.seq
    FROM names CROSS JOIN LATERAL (
        SELECT q.seq FROM segue_queue AS q
        WHERE q.source = names.source AND coalesce(q.leased_until, q.due_at) <= (SELECT now FROM clock)
        ORDER BY coalesce(q.leased_until, q.due_at), q.seq
        LIMIT greatest(%(least)s, (%(limit)s + names.amount - 1) / names.amount)
        FOR UPDATE SKIP LOCKED
    ) AS first
    LIMIT %(limit)s
),
leased AS (
    UPDATE segue_queue AS q
    SET lease = %(lease)s, leased_until = (SELECT now FROM clock) + %(span)s
    WHERE seq = ANY (ARRAY(SELECT seq FROM ready))
    RETURNING q.seq, q.segment, q.attempts, q.edition, q.lease
)
SELECT e.*, leased.attempts, leased.edition, leased.lease
FROM leased CROSS JOIN LATERAL (
    SELECT * FROM segue_events AS e WHERE e.seq = leased.seq AND e.segment = leased.segment OFFSET 0
) AS e
ORDER BY e.seq

-- name: renew
WITH mine AS MATERIALIZED (
    SELECT q.seq
    FROM (SELECT * FROM unnest(%(seq)s::bigint[], %(lease)s::text[]) AS t (seq, lease) ORDER BY seq) AS leases
    CROSS JOIN LATERAL (
        SELECT q.seq FROM segue_queue AS q WHERE q.seq = leases.seq AND q.lease = leases.lease FOR UPDATE
    ) AS q
)
UPDATE segue_queue AS q SET leased_until = segue_time(%(until)s, %(wall)s)
WHERE q.seq = ANY (ARRAY(SELECT seq FROM mine))
RETURNING q.seq

-- name: settle
-- Rows are locked in one order by all transactions, each found by its seq.
WITH ended_claims AS MATERIALIZED (
    SELECT q.*, t.state, t.reason AS why, segue_time(t.settled_at, %(wall)s) AS ended_at,
           segue_time(t.due_at, %(wall)s) AS due_next, t.attempt,
           CASE WHEN t.eventful = 1 OR t.attempt = 1 AND q.history <> '[]'
                THEN segue_history(q.history, t.entry::jsonb, %(most)s) ELSE q.history END AS new_history
    FROM (
        SELECT * FROM unnest(
            %(seq)s::bigint[], %(lease)s::text[], %(state)s::text[], %(reason)s::text[], %(settled_at)s::bigint[],
            %(due_at)s::bigint[], %(attempt)s::integer[], %(eventful)s::integer[], %(entry)s::text[]
        ) AS t (seq, lease, state, reason, settled_at, due_at, attempt, eventful, entry)
        ORDER BY seq
    ) AS t
    CROSS JOIN LATERAL (
        SELECT q.segment, q.seq, q.source, q.attempts, q.edition, q.history FROM segue_queue AS q
        WHERE q.seq = t.seq AND q.lease = t.lease FOR UPDATE
    ) AS q
),
gone AS (
    DELETE FROM segue_queue WHERE seq = ANY (ARRAY(SELECT seq FROM ended_claims WHERE state <> 'pending'))
),
settled AS (
    INSERT INTO segue_outcomes (segment, seq, source, state, settled_at, due_at, attempts, reason, edition, history)
    SELECT segment, seq, source, state, ended_at, due_next, attempts + attempt, why, edition, new_history
    FROM ended_claims WHERE state <> 'pending'
),
counted AS (
    INSERT INTO segue_counts (segment, source, state, type, amount)
    SELECT segment, source, state, type, count(*)
    FROM (
        SELECT ended_claims.segment, ended_claims.source, ended_claims.state, CASE WHEN ended_claims.state = 'unsupported' THEN (
            SELECT e.type FROM segue_events AS e WHERE e.seq = ended_claims.seq AND e.segment = ended_claims.segment
        ) ELSE '' END AS type
        FROM ended_claims WHERE ended_claims.state <> 'pending'
    ) AS ended
    GROUP BY 1, 2, 3, 4
),
back AS (
    UPDATE segue_queue AS q
    SET lease = NULL, leased_until = NULL, due_at = ended_claims.due_next, attempts = q.attempts + ended_claims.attempt,
        reason = ended_claims.why, history = ended_claims.new_history
    FROM ended_claims WHERE q.seq = ended_claims.seq AND ended_claims.state = 'pending'
)
SELECT seq FROM ended_claims

-- name: census
SELECT source, state, type, sum(amount)::bigint AS amount FROM segue_counts GROUP BY source, state, type
HAVING sum(amount) <> 0

-- name: waiting
SELECT source, count(*) AS amount, min(received_at) FILTER (WHERE TRUE) AS oldest FROM segue_queue GROUP BY source

-- name: size
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
FROM pg_class WHERE relkind = 'r' AND relname LIKE 'segue\_%%' AND relnamespace = (
    SELECT relnamespace FROM pg_class WHERE oid = 'segue_events'::regclass
)

-- name: columns
SELECT e.*, s.state, s.attempts, s.due_at, s.lease, s.leased_until, s.settled_at, s.reason, s.edition,
       s.history::text AS history, e.tx::text || '-' || e.seq AS cursor
FROM segue_standing AS s JOIN segue_events AS e ON e.seq = s.seq AND e.segment = s.segment

-- name: find
{columns} WHERE e.source = %(source)s AND e.event_key = %(event_key)s

-- name: get
{columns} WHERE e.seq = %(seq)s AND s.seq = %(seq)s

-- name: horizon
-- All transactions before the horizon have ended: a later statement sees all their events. A transaction that stores
-- events holds the shared lock; if no transaction does, no event can be added before the existing ones.
SELECT (CASE WHEN EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND objid = 1
        AND classid = 'segue_events'::regclass::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) THEN pg_snapshot_xmin(snapshot) ELSE pg_snapshot_xmax(snapshot) END)::text AS horizon
FROM pg_current_snapshot() AS snapshot

-- name: rows
-- After the cursor, and before the horizon, which was read first.
{columns}
WHERE (e.tx, e.seq) > (%(after_tx)s::text::xid8, %(after_seq)s) AND e.tx < %(horizon)s::text::xid8 AND {where}
ORDER BY e.tx, e.seq LIMIT %(limit)s

-- name: rows_newest_first
-- Both tables get the condition: the planner does not derive it, and would read all rows after the position.
{columns}
WHERE e.seq < %(before)s::bigint AND s.seq < %(before)s::bigint AND {where} ORDER BY e.seq DESC LIMIT %(limit)s

-- name: end
SELECT coalesce(
    (SELECT tx::text || '-' || seq FROM segue_events
     WHERE tx < %(horizon)s::text::xid8 ORDER BY tx DESC, seq DESC LIMIT 1),
    '0-0'
)

-- name: count
SELECT count(*) FROM segue_standing AS s JOIN segue_events AS e ON e.seq = s.seq AND e.segment = s.segment WHERE {where}

-- name: seqs
SELECT e.seq FROM segue_standing AS s JOIN segue_events AS e ON e.seq = s.seq AND e.segment = s.segment
WHERE {where} ORDER BY e.seq

-- name: event_groups
SELECT e.source, e.type, s.state, s.reason, count(*) AS amount, min(e.received_at) AS first,
       max(e.received_at) AS last, max(e.seq) AS latest
FROM segue_standing AS s JOIN segue_events AS e ON e.seq = s.seq AND e.segment = s.segment
WHERE {where}
GROUP BY e.source, e.type, s.state, s.reason
ORDER BY e.source, e.type, s.state, s.reason

-- name: where
TRUE

-- name: where states
s.state = ANY (%(states)s)

-- name: where sources
e.source LIKE ANY (%(sources)s)

-- name: where types
e.type LIKE ANY (%(types)s)

-- name: where keys
e.event_key = ANY (%(keys)s)

-- name: where seqs
e.seq = ANY (%(seqs)s)

-- name: where received_since
e.received_at >= %(received_since)s

-- name: where received_until
e.received_at < %(received_until)s

-- name: where occurred_since
e.occurred_at >= %(occurred_since)s

-- name: where occurred_until
e.occurred_at < %(occurred_until)s

-- name: where settled_since
s.settled_at >= %(settled_since)s

-- name: where settled_until
s.settled_at < %(settled_until)s

-- name: replay
WITH gone AS (
    DELETE FROM segue_outcomes WHERE seq = ANY (%(seqs)s) RETURNING *
),
named AS MATERIALIZED (
    SELECT gone.*, e.type, e.event_key, e.received_at
    FROM gone JOIN segue_events AS e ON e.seq = gone.seq AND e.segment = gone.segment
),
queued AS (
    INSERT INTO segue_queue (seq, segment, source, received_at, due_at, attempts, reason, edition, history)
    SELECT seq, segment, source, received_at, segue_time(%(due_at)s, %(wall)s), 0, '', edition + %(as_new)s,
           segue_history(history, jsonb_build_array(%(now)s::bigint, %(who)s::text, 'replayed',
                                                    'was ' || state || ': ' || %(reason)s::text), %(most)s)
    FROM named
),
counted AS (
    INSERT INTO segue_counts (segment, source, state, type, amount)
    SELECT segment, source, state, CASE WHEN state = 'unsupported' THEN type ELSE '' END, -count(*)
    FROM named GROUP BY 1, 2, 3, 4
)
SELECT seq, source, event_key FROM named ORDER BY seq

-- name: drop
WITH waiting AS (
    DELETE FROM segue_queue WHERE seq = ANY (%(seqs)s)
    RETURNING segment, seq, source, 'pending' AS state, attempts, edition, history
),
ended AS (
    DELETE FROM segue_outcomes WHERE seq = ANY (%(seqs)s) AND state = ANY (%(droppable)s)
    RETURNING segment, seq, source, state, attempts, edition, history
),
named AS MATERIALIZED (
    SELECT gone.*, e.type, e.event_key
    FROM (SELECT * FROM waiting UNION ALL SELECT * FROM ended) AS gone
    JOIN segue_events AS e ON e.seq = gone.seq AND e.segment = gone.segment
),
counted AS (
    INSERT INTO segue_counts (segment, source, state, type, amount)
    SELECT segment, source, state, CASE WHEN state = 'unsupported' THEN type ELSE '' END, -count(*)
    FROM named WHERE state <> 'pending' GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT segment, source, 'dropped', '', count(*) FROM named GROUP BY 1, 2
)
SELECT segment, seq, source, event_key, state, attempts, edition, history::text FROM named ORDER BY seq

-- name: missed
-- Events that `replay` or `drop` missed, because another transaction moved them between two tables meanwhile.
SELECT seq FROM segue_standing WHERE seq = ANY (%(seqs)s) AND state = ANY (%(states)s) ORDER BY seq

-- name: dropped
-- After `drop`, in its transaction: one statement cannot delete a row and insert it again.
INSERT INTO segue_outcomes (segment, seq, source, state, settled_at, due_at, attempts, reason, edition, history)
SELECT segment, seq, source, 'dropped', %(now)s, %(now)s, attempts, %(reason)s, edition,
       segue_history(history::jsonb, jsonb_build_array(%(now)s::bigint, %(who)s::text, 'dropped',
                                                       'was ' || state || ': ' || %(reason)s::text), %(most)s)
FROM unnest(%(segment)s::integer[], %(seq)s::bigint[], %(source)s::text[], %(state)s::text[], %(attempts)s::integer[],
            %(edition)s::integer[], %(history)s::text[])
     AS gone (segment, seq, source, state, attempts, edition, history)

-- name: audit
INSERT INTO segue_audit (at, who, action, reason, operation, events, detail)
VALUES (%(at)s, %(who)s, %(action)s, %(reason)s, %(operation)s, %(events)s::jsonb, %(detail)s)

-- name: audits
SELECT id, at, who, action, reason, operation, events::text AS events, detail FROM segue_audit
WHERE (%(before)s = 0 OR id < %(before)s) AND (%(event)s = '' OR events ? %(event)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: page_to_reencrypt
{columns} WHERE e.seq > %(after_seq)s ORDER BY e.seq LIMIT %(limit)s

-- name: reencrypt_event
UPDATE segue_events SET headers = %(headers)s, envelope = %(envelope)s, body = %(body)s
WHERE seq = %(seq)s AND segment = %(segment)s

-- name: reencrypt_waiting
UPDATE segue_queue SET reason = %(reason)s, history = %(history)s::jsonb WHERE seq = %(seq)s

-- name: reencrypt_settled
UPDATE segue_outcomes SET reason = %(reason)s, history = %(history)s::jsonb
WHERE seq = %(seq)s AND segment = %(segment)s

-- name: remember
INSERT INTO segue_tokens AS t (source, token, value, until) VALUES (%(source)s, %(token)s, %(value)s, %(until)s)
ON CONFLICT (source, token) DO UPDATE SET
    value = CASE WHEN t.until <= %(now)s THEN excluded.value ELSE t.value END,
    until = CASE WHEN t.until <= %(now)s THEN excluded.until ELSE t.until END
RETURNING value

-- name: forget_tokens
DELETE FROM segue_tokens WHERE until <= %(now)s

-- name: forget_workers
DELETE FROM segue_notes WHERE name LIKE 'worker:%%' AND at < %(old)s

-- name: note
INSERT INTO segue_notes (name, value, at) VALUES (%(name)s, %(value)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at

-- name: note_first
INSERT INTO segue_notes (name, value, at) VALUES (%(name)s, %(value)s, %(at)s) ON CONFLICT (name) DO NOTHING

-- name: noted
SELECT value FROM segue_notes WHERE name = %(name)s

-- name: notes
SELECT name, value, at FROM segue_notes ORDER BY name

-- name: tally
INSERT INTO segue_tallies AS t (name, amount) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET amount = t.amount + excluded.amount

-- name: mark
INSERT INTO segue_tallies AS t (name, amount) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET amount = greatest(t.amount, excluded.amount)

-- name: tallies
SELECT name, amount FROM segue_tallies

-- name: durable
SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       pg_is_in_recovery() AS standby

-- name: restored
-- After a dump of another server was restored, its transaction numbers have no meaning here: set them to the past.
UPDATE segue_events SET tx = '0' WHERE tx >= pg_snapshot_xmax(pg_current_snapshot())

-- name: is_restored
SELECT EXISTS (SELECT FROM segue_events WHERE tx >= pg_snapshot_xmax(pg_current_snapshot()))
