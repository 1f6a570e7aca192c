-- Rights of the three roles that run the service. Only the tables' owner changes tables and bodies.
-- Partitions are accessed through their parent tables, so a new partition needs no rights.

-- name: is_role
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s)

-- name: make_role
CREATE ROLE {role} NOLOGIN

-- name: segue_web
-- Stores events and recognises duplicates; it cannot read a body, nor change or delete an event.
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM segue_web;
GRANT USAGE ON SCHEMA {schema} TO segue_web;
GRANT SELECT ON segue_schema, segue_segments, segue_queue, segue_counts, segue_tokens, segue_notes, segue_tallies
    TO segue_web;
GRANT SELECT (segment, seq, source, event_key), INSERT ON segue_events TO segue_web;
GRANT INSERT ON segue_queue, segue_outcomes, segue_counts, segue_tokens, segue_notes, segue_tallies TO segue_web;
GRANT UPDATE ON segue_tokens, segue_notes, segue_tallies TO segue_web;
GRANT USAGE ON SEQUENCE segue_seq TO segue_web;
GRANT EXECUTE ON FUNCTION segue_former TO segue_web;

-- name: segue_worker
-- Delivers, prunes, and runs an operator's changes; it cannot change an event, a line of the audit log or a table.
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM segue_worker;
GRANT USAGE ON SCHEMA {schema} TO segue_worker;
GRANT SELECT ON segue_schema, segue_segments, segue_events, segue_queue, segue_outcomes, segue_standing, segue_counts,
    segue_tokens, segue_notes, segue_tallies, segue_audit TO segue_worker;
GRANT INSERT, DELETE ON segue_events, segue_queue, segue_outcomes, segue_counts, segue_tokens, segue_notes
    TO segue_worker;
GRANT UPDATE ON segue_queue, segue_outcomes, segue_tokens, segue_notes, segue_tallies, segue_segments TO segue_worker;
GRANT INSERT ON segue_tallies, segue_segments, segue_audit TO segue_worker;
GRANT USAGE ON SEQUENCE segue_seq TO segue_worker;
GRANT EXECUTE ON FUNCTION segue_make_segment, segue_lock_segments, segue_drop_segment, segue_former TO segue_worker;

-- name: segue_reader
-- Reads: `segue status`, `events`, `show`, `tail`, `export`, and whatever draws charts.
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM segue_reader;
GRANT USAGE ON SCHEMA {schema} TO segue_reader;
GRANT SELECT ON segue_schema, segue_segments, segue_events, segue_queue, segue_outcomes, segue_standing, segue_counts,
    segue_notes, segue_tallies, segue_audit TO segue_reader;
