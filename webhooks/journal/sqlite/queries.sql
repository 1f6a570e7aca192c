-- Times are microseconds since 1970, UTC.

-- name: append
INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, event_key) DO NOTHING

-- name: queue
-- The states of the events just stored: one with a problem is dead.
INSERT INTO states (seq, source, type, received_at, state, attempts, due_at, settled_at, reason, edition, history)
SELECT seq, source, type, received_at, CASE problem WHEN '' THEN 'pending' ELSE 'dead' END, 0, :due_at,
       CASE problem WHEN '' THEN NULL ELSE :now END, problem, 0, '[]'
FROM events WHERE seq > :end

-- name: former
-- The stored events of former keys: a list of [source, key, whether the body is to be compared].
SELECT sought.key, old.type, old.headers, old.envelope, CASE WHEN sought.value ->> 2 THEN old.body END
FROM json_each(?) AS sought
CROSS JOIN events AS old ON old.source = sought.value ->> 0 AND old.event_key = sought.value ->> 1

-- name: ready
-- Ranges with events to claim: sources by steps along the index, and for each the ranges of due times in a phase.
-- A clock that was ahead set leases and retries later than they can be: they are due too.
WITH RECURSIVE sources (source) AS (
    SELECT (SELECT source FROM states INDEXED BY states_queue WHERE state = 'pending' ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (
        SELECT source FROM states INDEXED BY states_queue
        WHERE state = 'pending' AND states.source > sources.source ORDER BY states.source LIMIT 1
    ) FROM sources WHERE sources.source IS NOT NULL
),
spans (phase, low, high) AS (
    VALUES (0, :first, :now), (1, :first, :now), (1, :beyond + 1, :last), (2, :first, :now), (2, :far + 1, :last)
)
SELECT sources.source, spans.phase, spans.low, spans.high FROM sources CROSS JOIN spans
WHERE sources.source IS NOT NULL AND EXISTS (
    SELECT 1 FROM states INDEXED BY states_queue
    WHERE state = 'pending' AND states.source = sources.source AND states.phase = spans.phase
      AND states.ready_at BETWEEN spans.low AND spans.high
)
LIMIT :limit

-- name: first_ready
SELECT seq FROM states INDEXED BY states_queue
WHERE state = 'pending' AND source = ? AND phase = ? AND ready_at BETWEEN ? AND ?
ORDER BY ready_at, seq LIMIT ?

-- name: claim
UPDATE states NOT INDEXED SET lease = :lease, leased_until = :until
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state = 'pending'

-- name: claimed
SELECT * FROM event_rows WHERE seq IN (SELECT value FROM json_each(:seqs)) AND lease = :lease ORDER BY seq

-- name: renew
UPDATE states NOT INDEXED SET leased_until = :until
FROM (SELECT value ->> 0 AS seq, value ->> 1 AS lease FROM json_each(:leases)) AS renewed
WHERE states.seq = renewed.seq AND states.lease = renewed.lease AND states.state = 'pending'
RETURNING states.seq

-- name: settle
UPDATE states NOT INDEXED
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
WHERE states.seq = ended.seq AND states.lease = ended.lease AND states.state = 'pending'
RETURNING states.seq

-- name: prune
DELETE FROM states WHERE seq IN (
    SELECT seq FROM states WHERE state = ? AND source = ? AND settled_at < ? AND state <> 'pending'
    ORDER BY settled_at LIMIT ?
)
RETURNING seq

-- name: prune_events
DELETE FROM events WHERE seq IN (SELECT value FROM json_each(?))

-- name: forget_tokens
DELETE FROM tokens WHERE until <= ?

-- name: forget_workers
DELETE FROM notes WHERE name GLOB 'worker:*' AND at < ?

-- name: census
SELECT state, source, count(*) FROM states INDEXED BY states_settled WHERE state <> 'pending' GROUP BY state, source

-- name: waiting
SELECT waiting.source, waiting.amount, oldest.received_at
FROM (
    SELECT source, count(*) AS amount, min(seq) AS seq FROM states INDEXED BY states_queue
    WHERE state = 'pending' GROUP BY source
) AS waiting
CROSS JOIN states AS oldest ON oldest.seq = waiting.seq

-- name: unsupported_types
SELECT source, type, count(*) FROM states INDEXED BY states_unsupported
WHERE state = 'unsupported' GROUP BY source, type

-- name: find
SELECT * FROM event_rows WHERE source = ? AND event_key = ?

-- name: get
SELECT * FROM event_rows WHERE seq = ?

-- name: get_without_state
-- An event whose state is on a damaged page: as dead, so that it is kept and not delivered a second time unasked.
SELECT *, 'dead' AS state, 0 AS attempts, 0 AS due_at, NULL AS lease, NULL AS leased_until, received_at AS settled_at,
       'its state cannot be read: the file is damaged' AS reason, 0 AS edition, '[]' AS history
FROM events WHERE seq = ?

-- name: end
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)

-- name: rows
SELECT seq FROM states {index} WHERE seq > :after AND {where} ORDER BY seq LIMIT :limit

-- name: rows_newest_first
SELECT seq FROM states {index} WHERE seq < :after AND {where} ORDER BY seq DESC LIMIT :limit

-- name: rows_by_seq
SELECT * FROM event_rows WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq

-- name: up_to
SELECT count(*) FROM (SELECT 1 FROM states {index} WHERE {where} LIMIT :most)

-- name: count
SELECT count(*) FROM states {index} WHERE {where}

-- name: seqs
SELECT seq FROM states {index} WHERE {where} ORDER BY seq

-- name: event_groups
SELECT source, type, state, reason, count(*), min(received_at), max(received_at), max(seq)
FROM states {index} WHERE {where}
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
EXISTS (SELECT 1 FROM json_each(:types) AS pattern WHERE states.type GLOB pattern.value)

-- name: where keys
seq IN (
    SELECT seq FROM events WHERE source IN (SELECT value FROM json_each(:sources))
        AND event_key IN (SELECT value FROM json_each(:keys))
)

-- name: where seqs
seq IN (SELECT value FROM json_each(:seqs))

-- name: where received_since
received_at >= :received_since

-- name: where received_until
received_at < :received_until

-- name: where occurred_since
(SELECT occurred_at FROM events WHERE events.seq = states.seq) >= :occurred_since

-- name: where occurred_until
(SELECT occurred_at FROM events WHERE events.seq = states.seq) < :occurred_until

-- name: where settled_since
settled_at >= :settled_since

-- name: where settled_until
settled_at < :settled_until

-- name: replay
UPDATE states NOT INDEXED
SET state = 'pending', reason = '', settled_at = NULL, due_at = :due_at, attempts = 0, lease = NULL,
    leased_until = NULL,
    edition = edition + :as_new,
    history = json_insert(CASE WHEN json_array_length(history) < :most THEN history ELSE json_remove(history, '$[0]') END,
                          '$[#]', json_array(:now, :who, 'replayed', 'was ' || state || ': ' || :reason))
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state <> 'pending'
RETURNING seq

-- name: drop
UPDATE states NOT INDEXED
SET state = 'dropped', reason = :reason, settled_at = :now, due_at = :now, lease = NULL, leased_until = NULL,
    history = json_insert(CASE WHEN json_array_length(history) < :most THEN history ELSE json_remove(history, '$[0]') END,
                          '$[#]', json_array(:now, :who, 'dropped', 'was ' || state || ': ' || :reason))
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state IN (SELECT value FROM json_each(:droppable))
RETURNING seq

-- name: names
SELECT seq, source, event_key FROM events WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq

-- name: load
-- The states of loaded events, those stored after `end`.
INSERT INTO states (seq, source, type, received_at, state, due_at, settled_at, reason, attempts, edition, history)
SELECT seq, source, type, received_at, ?, ?, ?, ?, ?, ?, ? FROM events WHERE source = ? AND event_key = ? AND seq > ?
ON CONFLICT (seq) DO NOTHING

-- name: audit
INSERT INTO audit (at, who, action, reason, operation, events, detail)
VALUES (:at, :who, :action, :reason, :operation, :events, :detail)

-- name: audits
SELECT * FROM audit
WHERE (:before = 0 OR id < :before)
    AND (:event = '' OR EXISTS (SELECT 1 FROM json_each(audit.events) WHERE value = :event))
ORDER BY id DESC LIMIT :limit

-- name: page_to_reencrypt
SELECT seq, source, event_key, headers, envelope, body, reason, history FROM event_rows WHERE seq > ? ORDER BY seq LIMIT ?

-- name: reencrypt
UPDATE events SET headers = ?, envelope = ?, body = ? WHERE seq = ?

-- name: reencrypt_state
UPDATE states SET reason = ?, history = ? WHERE seq = ?

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

-- name: left_to_move
SELECT count(*) FROM former_events

-- name: last_to_move
SELECT max(seq) FROM (SELECT seq FROM former_events ORDER BY seq LIMIT ?)

-- name: move_events
INSERT INTO events (seq, source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, problem, body)
SELECT seq, source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, problem, body
FROM former_events WHERE seq <= ? ORDER BY seq

-- name: move_states
INSERT INTO states (seq, source, type, received_at, state, attempts, due_at, lease, leased_until, settled_at, reason,
                    edition, history)
SELECT seq, source, type, received_at, state, attempts, due_at, lease, leased_until, settled_at, reason, edition, history
FROM former_events WHERE seq <= ? ORDER BY seq

-- name: moved
DELETE FROM former_events WHERE seq <= ?
