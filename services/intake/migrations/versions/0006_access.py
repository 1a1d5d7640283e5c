"""Chats, video sessions, calls back."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    kind text NOT NULL,
    asked_kind text NOT NULL,
    state text NOT NULL,
    client text NOT NULL,
    needs jsonb NOT NULL,
    language text NOT NULL,
    opened_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    card bytea NOT NULL,
    person text,
    ticket_id uuid,
    room text,
    taken_at timestamptz,
    taken_by text,
    first_taken_at timestamptz,
    ended_at timestamptz,
    outcome text,
    tries int NOT NULL,
    call_after timestamptz,
    version int NOT NULL
);
CREATE INDEX sessions_waiting ON sessions ((needs = '[]'), opened_at, session_id) WHERE state = 'waiting';
CREATE INDEX sessions_by_time ON sessions (opened_at);
CREATE INDEX sessions_unseen ON sessions (seen_at) WHERE state IN ('waiting', 'taken') AND kind <> 'callback';
CREATE INDEX sessions_person ON sessions (person) WHERE person IS NOT NULL;
CREATE INDEX sessions_kept ON sessions (coalesce(ended_at, opened_at)) WHERE card <> '';

CREATE TABLE spoken (
    session_id uuid NOT NULL,
    seq int NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    heard boolean NOT NULL,
    words bytea NOT NULL,
    PRIMARY KEY (session_id, seq)
);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
