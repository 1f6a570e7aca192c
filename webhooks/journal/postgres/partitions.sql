-- Opening, closing and dropping partitions. `{id}` is a number from the database, never external text.

-- name: open
SELECT id, opened_at, EXISTS (SELECT FROM segue_events AS e WHERE e.segment = s.id) AS used
FROM segue_segments AS s ORDER BY id DESC LIMIT 1

-- name: make
SELECT segue_make_segment(%(id)s)

-- name: close
UPDATE segue_segments SET newest_at = coalesce(
    (SELECT received_at FROM segue_events WHERE segment = %(id)s ORDER BY seq DESC LIMIT 1), opened_at
)
WHERE id = %(id)s

-- name: begin
INSERT INTO segue_segments (id, opened_at) VALUES (%(id)s, segue_time(%(now)s, %(wall)s))

-- name: closed
SELECT id, newest_at, coalesce((SELECT sum(amount) FROM segue_counts WHERE segment = s.id), 0)::bigint AS settled,
       (SELECT count(*) FROM segue_queue WHERE segment = s.id) AS pending
FROM segue_segments AS s WHERE newest_at IS NOT NULL ORDER BY id

-- name: counts
SELECT state, sum(amount)::bigint AS amount FROM segue_counts WHERE segment = %(id)s GROUP BY state

-- name: lock_waiting
SELECT seq FROM segue_queue WHERE segment = %(id)s FOR UPDATE NOWAIT

-- name: lock
SELECT segue_lock_segments()

-- name: total
-- The number of settled events, from the counts; the tables are locked.
SELECT coalesce(sum(amount), 0)::bigint AS count FROM segue_counts WHERE segment = %(id)s

-- name: stay
-- Events that are not old enough: of a state without an age, or settled too late.
SELECT count(*) FROM segue_outcomes AS o
LEFT JOIN unnest(%(states)s::text[], %(before)s::bigint[]) AS age (state, before) USING (state)
WHERE o.segment = {id} AND (age.state IS NULL OR o.settled_at >= age.before)

-- name: move_outcomes
INSERT INTO segue_outcomes (segment, seq, source, state, settled_at, due_at, attempts, reason, edition, history)
SELECT 0, o.seq, o.source, o.state, o.settled_at, o.due_at, o.attempts, o.reason, o.edition, o.history
FROM segue_outcomes AS o
LEFT JOIN unnest(%(states)s::text[], %(before)s::bigint[]) AS age (state, before) USING (state)
WHERE o.segment = {id} AND (age.state IS NULL OR o.settled_at >= age.before)

-- name: move_events
INSERT INTO segue_events (segment, seq, tx, source, event_key, type, occurred_at, received_at, clock, trust, headers,
                          envelope, problem, body)
SELECT 0, e.seq, e.tx, e.source, e.event_key, e.type, e.occurred_at, e.received_at, e.clock, e.trust, e.headers,
       e.envelope, e.problem, e.body
FROM segue_events AS e
WHERE e.segment = {id} AND (
    e.seq IN (SELECT seq FROM segue_queue WHERE segment = {id})
    OR e.seq IN (SELECT seq FROM segue_outcomes WHERE segment = 0)
)

-- name: move_waiting
UPDATE segue_queue SET segment = 0 WHERE segment = %(id)s

-- name: recount
INSERT INTO segue_counts (segment, source, state, type, amount)
SELECT 0, o.source, o.state, CASE WHEN o.state = 'unsupported' THEN e.type ELSE '' END, count(*)
FROM segue_outcomes AS o JOIN segue_events AS e USING (seq)
LEFT JOIN unnest(%(states)s::text[], %(before)s::bigint[]) AS age (state, before) USING (state)
WHERE o.segment = {id} AND e.segment = {id} AND (age.state IS NULL OR o.settled_at >= age.before)
GROUP BY 1, 2, 3, 4

-- name: give_up
SELECT segue_drop_segment(%(id)s)

-- name: prune_kept
WITH old AS (
    SELECT o.seq FROM segue_outcomes AS o
    JOIN unnest(%(states)s::text[], %(before)s::bigint[]) AS age (state, before)
    ON o.segment = 0 AND o.state = age.state AND o.settled_at < age.before
    ORDER BY o.settled_at LIMIT %(limit)s
    FOR UPDATE OF o SKIP LOCKED
),
gone AS (
    DELETE FROM segue_outcomes WHERE segment = 0 AND seq IN (SELECT seq FROM old) RETURNING seq, source, state
),
facts AS (
    DELETE FROM segue_events WHERE segment = 0 AND seq IN (SELECT seq FROM gone) RETURNING seq, type
),
counted AS (
    INSERT INTO segue_counts (segment, source, state, type, amount)
    SELECT 0, source, state, CASE WHEN state = 'unsupported' THEN type ELSE '' END, -count(*)
    FROM gone JOIN facts USING (seq) GROUP BY 1, 2, 3, 4
)
SELECT count(*) FROM gone

-- name: sum_counts
WITH gone AS (
    DELETE FROM segue_counts RETURNING segment, source, state, type, amount
)
INSERT INTO segue_counts (segment, source, state, type, amount)
SELECT segment, source, state, type, sum(amount) FROM gone GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0

-- name: counted
SELECT count(*) FROM segue_counts
