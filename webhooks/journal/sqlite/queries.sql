-- Times are microseconds since 1970, UTC.

-- name: append
INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem,
                    state, due_at, settled_at, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, event_key) DO NOTHING

-- name: former
-- The stored events of former keys: a list of [source, key, whether the body is to be compared].
SELECT sought.key, old.type, old.headers, old.envelope, CASE WHEN sought.value ->> 2 THEN old.body END
FROM json_each(?) AS sought
CROSS JOIN events AS old ON old.source = sought.value ->> 0 AND old.event_key = sought.value ->> 1

-- name: ready
-- Ranges with events to claim: sources by steps along the index, and for each the ranges of due times in a phase.
-- A clock that was ahead set leases and retries later than they can be: they are due too.
WITH RECURSIVE sources (source) AS (
    SELECT (SELECT source FROM events INDEXED BY events_queue WHERE state = 'pending' ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (
        SELECT source FROM events INDEXED BY events_queue
        WHERE state = 'pending' AND events.source > sources.source ORDER BY events.source LIMIT 1
    ) FROM sources WHERE sources.source IS NOT NULL
),
spans (phase, low, high) AS (
    VALUES (0, :first, :now), (1, :first, :now), (1, :beyond + 1, :last), (2, :first, :now), (2, :far + 1, :last)
)
SELECT sources.source, spans.phase, spans.low, spans.high FROM sources CROSS JOIN spans
WHERE sources.source IS NOT NULL AND EXISTS (
    SELECT 1 FROM events INDEXED BY events_queue
    WHERE state = 'pending' AND events.source = sources.source AND events.phase = spans.phase
      AND events.ready_at BETWEEN spans.low AND spans.high
)
LIMIT :limit

-- name: first_ready
SELECT seq FROM events INDEXED BY events_queue
WHERE state = 'pending' AND source = ? AND phase = ? AND ready_at BETWEEN ? AND ?
ORDER BY ready_at, seq LIMIT ?

-- name: claim
UPDATE events NOT INDEXED SET lease = :lease, leased_until = :until
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state = 'pending'
RETURNING *

-- name: renew
UPDATE events NOT INDEXED SET leased_until = :until
FROM (SELECT value ->> 0 AS seq, value ->> 1 AS lease FROM json_each(:leases)) AS renewed
WHERE events.seq = renewed.seq AND events.lease = renewed.lease AND events.state = 'pending'
RETURNING events.seq

-- name: settle
UPDATE events NOT INDEXED
SET state = ended.state, reason = ended.reason, settled_at = ended.settled_at, due_at = ended.due_at,
    attempts = attempts + ended.attempt, lease = NULL, leased_until = NULL,
    history = CASE WHEN ended.eventful OR ended.attempt AND history <> '[]' THEN
        json_insert(CASE WHEN json_array_length(history) < :most THEN history ELSE json_remove(history, '$[0]') END,
                    '$[#]', json(ended.entry))
    ELSE history END
FROM (
    SELECT value ->> 'seq' AS seq, value ->> 'lease' AS lease, value ->> 'state' AS state, value ->> 'reason' AS reason,
           value ->> 'settled_at' AS settled_at, value ->> 'due_at' AS due_at, value ->> 'attempt' AS attempt,
           value ->> 'eventful' AS eventful, value ->> 'entry' AS entry
    FROM json_each(:ended) -- objects by `records.settle_params`
) AS ended
WHERE events.seq = ended.seq AND events.lease = ended.lease AND events.state = 'pending'
RETURNING events.seq

-- name: prune
DELETE FROM events WHERE seq IN (
    SELECT seq FROM events WHERE state = ? AND source = ? AND settled_at < ? AND state <> 'pending'
    ORDER BY settled_at LIMIT ?
)

-- name: forget_tokens
DELETE FROM tokens WHERE until <= ?

-- name: forget_workers
DELETE FROM notes WHERE name GLOB 'worker:*' AND at < ?

-- name: census
SELECT state, source, count(*) FROM events INDEXED BY events_settled WHERE state <> 'pending' GROUP BY state, source

-- name: waiting
SELECT waiting.source, waiting.amount, oldest.received_at
FROM (
    SELECT source, count(*) AS amount, min(seq) AS seq FROM events INDEXED BY events_queue
    WHERE state = 'pending' GROUP BY source
) AS waiting
CROSS JOIN events AS oldest ON oldest.seq = waiting.seq

-- name: unsupported_types
SELECT source, type, count(*) FROM events INDEXED BY events_unsupported
WHERE state = 'unsupported' GROUP BY source, type

-- name: find
SELECT * FROM events WHERE source = ? AND event_key = ?

-- name: get
SELECT * FROM events WHERE seq = ?

-- name: end
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)

-- name: rows
SELECT seq FROM events {index} WHERE seq > :after AND {where} ORDER BY seq LIMIT :limit

-- name: rows_newest_first
SELECT seq FROM events {index} WHERE seq < :after AND {where} ORDER BY seq DESC LIMIT :limit

-- name: rows_by_seq
SELECT * FROM events WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq

-- name: up_to
SELECT count(*) FROM (SELECT 1 FROM events {index} WHERE {where} LIMIT :most)

-- name: count
SELECT count(*) FROM events {index} WHERE {where}

-- name: seqs
SELECT seq FROM events {index} WHERE {where} ORDER BY seq

-- name: event_groups
SELECT source, type, state, reason, count(*), min(received_at), max(received_at), max(seq)
FROM events {index} WHERE {where}
GROUP BY source, type, state, reason

-- name: sources
-- By steps along the index: each source is read once.
WITH RECURSIVE names (source) AS (
    SELECT (SELECT source FROM events ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT source FROM events WHERE events.source > names.source ORDER BY events.source LIMIT 1)
    FROM names WHERE names.source IS NOT NULL
)
SELECT source FROM names
WHERE source IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(?) AS pattern WHERE names.source GLOB pattern.value)

-- name: where
TRUE

-- name: where states
state IN (SELECT value FROM json_each(:states))

-- name: where sources
source IN (SELECT value FROM json_each(:sources))

-- name: where types
EXISTS (SELECT 1 FROM json_each(:types) AS pattern WHERE events.type GLOB pattern.value)

-- name: where keys
event_key IN (SELECT value FROM json_each(:keys))

-- name: where seqs
seq IN (SELECT value FROM json_each(:seqs))

-- name: where received_since
received_at >= :received_since

-- name: where received_until
received_at < :received_until

-- name: where occurred_since
occurred_at >= :occurred_since

-- name: where occurred_until
occurred_at < :occurred_until

-- name: where settled_since
settled_at >= :settled_since

-- name: where settled_until
settled_at < :settled_until

-- name: replay
UPDATE events
SET state = 'pending', reason = '', settled_at = NULL, due_at = :due_at, attempts = 0, lease = NULL,
    leased_until = NULL,
    edition = edition + :as_new,
    history = json_insert(CASE WHEN json_array_length(history) < :most THEN history ELSE json_remove(history, '$[0]') END,
                          '$[#]', json_array(:now, :who, 'replayed', 'was ' || state || ': ' || :reason))
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state <> 'pending'
RETURNING seq, source, event_key

-- name: drop
UPDATE events
SET state = 'dropped', reason = :reason, settled_at = :now, due_at = :now, lease = NULL, leased_until = NULL,
    history = json_insert(CASE WHEN json_array_length(history) < :most THEN history ELSE json_remove(history, '$[0]') END,
                          '$[#]', json_array(:now, :who, 'dropped', 'was ' || state || ': ' || :reason))
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state IN (SELECT value FROM json_each(:droppable))
RETURNING seq, source, event_key

-- name: load
INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem,
                    state, due_at, settled_at, reason, attempts, edition, history)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, event_key) DO NOTHING

-- name: audit
INSERT INTO audit (at, who, action, reason, operation, events, detail)
VALUES (:at, :who, :action, :reason, :operation, :events, :detail)

-- name: audits
SELECT * FROM audit
WHERE (:before = 0 OR id < :before)
    AND (:event = '' OR EXISTS (SELECT 1 FROM json_each(audit.events) WHERE value = :event))
ORDER BY id DESC LIMIT :limit

-- name: page_to_reencrypt
SELECT seq, source, event_key, headers, envelope, body, reason, history FROM events WHERE seq > ? ORDER BY seq LIMIT ?

-- name: reencrypt
UPDATE events SET headers = ?, envelope = ?, body = ?, reason = ?, history = ? WHERE seq = ?

-- name: remember
INSERT INTO tokens (source, token, value, until) VALUES (:source, :token, :value, :until)
ON CONFLICT (source, token) DO UPDATE SET
    value = CASE WHEN until <= :now THEN excluded.value ELSE value END,
    until = CASE WHEN until <= :now THEN excluded.until ELSE until END
RETURNING value

-- name: note
INSERT INTO notes (name, value, at) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at

-- name: note_first
INSERT INTO notes (name, value, at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING

-- name: noted
SELECT value FROM notes WHERE name = ?

-- name: notes
SELECT name, value, at FROM notes ORDER BY name

-- name: tally
INSERT INTO tallies (name, amount) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET amount = amount + excluded.amount

-- name: mark
INSERT INTO tallies (name, amount) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET amount = max(amount, excluded.amount)

-- name: tallies
SELECT name, amount FROM tallies
