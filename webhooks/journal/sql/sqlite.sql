-- Times are microseconds since 1970, UTC.

-- name: append
INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem,
                    state, due_at, settled_at, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, event_key) DO NOTHING

-- name: any_due
SELECT 1 FROM events
WHERE state = 'pending' AND due_at <= :now AND (leased_until IS NULL OR leased_until <= :now)
LIMIT 1

-- name: claim
UPDATE events SET lease = :lease, leased_until = :until
WHERE seq IN (
    SELECT seq FROM events
    WHERE state = 'pending' AND due_at <= :now AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY seq LIMIT :limit
)
RETURNING *

-- name: renew
UPDATE events SET leased_until = ? WHERE seq = ? AND lease = ? AND state = 'pending'

-- name: settle
UPDATE events
SET state = ?, reason = ?, settled_at = ?, due_at = ?, attempts = attempts + ?, lease = NULL, leased_until = NULL
WHERE seq = ? AND lease = ? AND state = 'pending'

-- name: prune
DELETE FROM events WHERE seq IN (
    SELECT seq FROM events WHERE state = ? AND source = ? AND settled_at < ? AND state <> 'pending'
    ORDER BY settled_at LIMIT ?
)

-- name: forget_tokens
DELETE FROM tokens WHERE until <= ?

-- name: census
SELECT state, source, count(*) FROM events GROUP BY state, source

-- name: oldest_pending
SELECT received_at FROM events WHERE state = 'pending' ORDER BY seq LIMIT 1

-- name: oldest_of_source
SELECT received_at FROM events WHERE state = 'pending' AND source = ? AND settled_at IS NULL ORDER BY seq LIMIT 1

-- name: unsupported_types
SELECT source, type, count(*) FROM events WHERE state = 'unsupported' GROUP BY source, type

-- name: find
SELECT * FROM events WHERE source = ? AND event_key = ?

-- name: rows
SELECT * FROM events WHERE seq > :after AND (:source = '' OR source = :source) ORDER BY seq LIMIT :limit

-- name: rows_by_state
SELECT * FROM events WHERE seq IN (
    SELECT seq FROM events
    WHERE state IN (SELECT value FROM json_each(:states)) AND seq > :after AND (:source = '' OR source = :source)
    ORDER BY seq LIMIT :limit
)
ORDER BY seq

-- name: remember
INSERT INTO tokens (source, token, value, until) VALUES (:source, :token, :value, :until)
ON CONFLICT (source, token) DO UPDATE SET
    value = CASE WHEN until <= :now THEN excluded.value ELSE value END,
    until = CASE WHEN until <= :now THEN excluded.until ELSE until END
RETURNING value

-- name: note
INSERT INTO notes (name, value, at) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at

-- name: notes
SELECT name, value, at FROM notes ORDER BY name

-- name: tally
INSERT INTO tallies (name, amount) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET amount = amount + excluded.amount

-- name: mark
INSERT INTO tallies (name, amount) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET amount = max(amount, excluded.amount)

-- name: tallies
SELECT name, amount FROM tallies
