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

-- An event is written once, into `events`; what changes (its state, lease, attempts) is a small row of `states`. Both in
-- one table would write the body again with each change. Each of the following is a separate step: an interrupted step
-- starts again, and previous ones stay done. Steps 4 to 8 were never released; step 9 takes their tables too.
-- name: 9
DROP INDEX IF EXISTS events_pending;
DROP INDEX IF EXISTS events_by_state;
DROP INDEX IF EXISTS events_queue;
DROP INDEX IF EXISTS events_settled;
DROP INDEX IF EXISTS events_undelivered;
DROP INDEX IF EXISTS events_unsupported;
ALTER TABLE events RENAME TO former_events;
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT NOT NULL,
    event_key   TEXT NOT NULL,
    type        TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    clock       TEXT NOT NULL,
    trust       TEXT NOT NULL,
    headers     TEXT NOT NULL,
    envelope    TEXT NOT NULL,
    problem     TEXT NOT NULL,
    body        BLOB NOT NULL -- last: SQLite reads a long row up to the column it needs
) STRICT;
INSERT INTO sqlite_sequence (name, seq) SELECT 'events', seq FROM sqlite_sequence WHERE name = 'former_events';
CREATE TABLE states (
    seq          INTEGER PRIMARY KEY, -- that of the event
    source       TEXT NOT NULL, -- repeated with `type` and `received_at`, so that counts and filters do not read events
    type         TEXT NOT NULL,
    received_at  INTEGER NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    lease        TEXT,
    leased_until INTEGER,
    settled_at   INTEGER,
    reason       TEXT NOT NULL,
    edition      INTEGER NOT NULL,
    history      TEXT NOT NULL,
    phase        INTEGER GENERATED ALWAYS AS ( -- 0: not tried yet, 1: leased, 2: handed back
        CASE WHEN leased_until IS NOT NULL THEN 1 WHEN reason = '' THEN 0 ELSE 2 END
    ) VIRTUAL,
    ready_at     INTEGER GENERATED ALWAYS AS (coalesce(leased_until, due_at)) VIRTUAL
) STRICT;

-- name: 10
-- Before this step, `webhooks.journal.sqlite.migrate` moves the events, some in each transaction. Indexes are built last.
DROP TABLE former_events;
CREATE UNIQUE INDEX events_key ON events (source, event_key);

-- Indexes include the state although it is in their condition: without it, a query that uses it would read the rows.
-- name: 11
CREATE INDEX states_queue ON states (state, source, phase, ready_at) WHERE state = 'pending';

-- name: 12
CREATE INDEX states_settled ON states (state, source, settled_at) WHERE state <> 'pending';

-- name: 13
CREATE INDEX states_undelivered ON states (state, seq) WHERE state NOT IN ('pending', 'delivered');
CREATE INDEX states_unsupported ON states (state, source, type) WHERE state = 'unsupported';
CREATE VIEW event_rows AS
    SELECT events.seq, events.source, events.event_key, events.type, events.occurred_at, events.received_at, events.clock,
           events.trust, events.headers, events.envelope, events.problem, events.body, states.state, states.attempts,
           states.due_at, states.lease, states.leased_until, states.settled_at, states.reason, states.edition,
           states.history
    FROM events JOIN states ON states.seq = events.seq;
