"""Keys of tickets, the audit log, and what is remembered of what was erased."""

from libs.common.runtime.migrations import execute

revision = "0008"
down_revision = "0007"

TABLES = r"""
CREATE TABLE vault_keys (
    ticket_id uuid PRIMARY KEY,
    key bytea NOT NULL
);

CREATE INDEX vault_without_key ON vault (ticket_id) WHERE substring(appeal FROM 1 FOR 1) NOT IN ('\x00', '');

CREATE TABLE erasures (
    ticket_id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    why text NOT NULL,
    text_at timestamptz
);
CREATE INDEX erasures_with_text ON erasures (ticket_id) WHERE text_at IS NULL;

CREATE INDEX tickets_reporter ON tickets (reporter) WHERE reporter IS NOT NULL;
CREATE INDEX sessions_ticket ON sessions (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX supporters_person ON supporters (person);
CREATE INDEX claims_ticket ON claims (ticket_id);

CREATE TABLE to_erase (LIKE erasures INCLUDING INDEXES);

CREATE TABLE sweeps (
    name text PRIMARY KEY,
    cursor uuid NOT NULL,
    total bigint NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    finished_at timestamptz
);

CREATE TABLE audit (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    by text NOT NULL,
    action text NOT NULL,
    ticket_id uuid,
    purpose text,
    outcome text NOT NULL,
    note text,
    seal bytea NOT NULL
);
CREATE INDEX audit_ticket ON audit (ticket_id, seq) WHERE ticket_id IS NOT NULL;
CREATE INDEX audit_by ON audit (by, seq);

CREATE TABLE audit_ends (
    name text PRIMARY KEY,
    seq bigint NOT NULL,
    seal bytea NOT NULL
);
INSERT INTO audit_ends SELECT name, 0, decode(repeat('00', 32), 'hex') FROM unnest(ARRAY['head', 'tail']) name;

CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' AND current_setting('jiesu.pruning', true) = 'on' THEN RETURN OLD; END IF
    ; RAISE EXCEPTION 'the audit log is only added to'; END
$$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
