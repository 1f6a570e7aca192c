-- name: 1
CREATE TABLE events (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT NOT NULL,
    event_key    TEXT NOT NULL,
    type         TEXT NOT NULL,
    occurred_at  INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    clock        TEXT NOT NULL,
    trust        TEXT NOT NULL,
    headers      TEXT NOT NULL,
    envelope     TEXT NOT NULL,
    problem      TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL,
    lease        TEXT,
    leased_until INTEGER,
    settled_at   INTEGER,
    reason       TEXT NOT NULL DEFAULT '',
    body         BLOB NOT NULL, -- last: SQLite reads a long row up to the column it needs
    UNIQUE (source, event_key)
) STRICT;
CREATE INDEX events_pending ON events (seq, due_at, leased_until) WHERE state = 'pending';
CREATE INDEX events_by_state ON events (state, source, settled_at);
CREATE TABLE tokens (
    source TEXT NOT NULL,
    token  TEXT NOT NULL,
    value  TEXT NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (source, token)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- name: 2
CREATE TABLE tallies (
    name   TEXT PRIMARY KEY,
    amount REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- name: 3
ALTER TABLE events ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN history TEXT NOT NULL DEFAULT '[]';
CREATE TABLE audit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    who       TEXT NOT NULL,
    action    TEXT NOT NULL,
    reason    TEXT NOT NULL,
    operation TEXT NOT NULL,
    events    TEXT NOT NULL,
    detail    TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_pruned BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Each of the following is a separate step: an interrupted step starts again, and previous ones stay done.
-- Indexes include the state although it is in their condition: without it, a query that uses it would read the rows.
-- name: 4
ALTER TABLE events ADD COLUMN phase INTEGER GENERATED ALWAYS AS ( -- 0: not tried yet, 1: leased, 2: handed back
    CASE WHEN leased_until IS NOT NULL THEN 1 WHEN reason = '' THEN 0 ELSE 2 END
) VIRTUAL;
ALTER TABLE events ADD COLUMN ready_at INTEGER GENERATED ALWAYS AS (coalesce(leased_until, due_at)) VIRTUAL;

-- name: 5
CREATE INDEX events_queue ON events (state, source, phase, ready_at) WHERE state = 'pending';
DROP INDEX events_pending;

-- name: 6
CREATE INDEX events_settled ON events (state, source, settled_at) WHERE state <> 'pending';
DROP INDEX events_by_state;

-- name: 7
CREATE INDEX events_undelivered ON events (state, seq) WHERE state NOT IN ('pending', 'delivered');

-- name: 8
CREATE INDEX events_unsupported ON events (state, source, type) WHERE state = 'unsupported';
