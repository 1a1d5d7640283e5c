"""What repeats are found by."""

from libs.common.runtime.migrations import execute

revision = "0002"
down_revision = "0001"

TABLES = """
DROP INDEX tickets_repeat;
ALTER TABLE tickets DROP COLUMN likeness;
ALTER TABLE tickets ADD COLUMN device text;
ALTER TABLE tickets ADD COLUMN heir uuid;
CREATE INDEX tickets_children ON tickets (parent, received_at, ticket_id) WHERE parent IS NOT NULL;

CREATE TABLE links (
    ticket_id uuid NOT NULL,
    at timestamptz NOT NULL,
    parent uuid,
    by text NOT NULL,
    reason text NOT NULL,
    score float8,
    PRIMARY KEY (ticket_id, at)
);

CREATE TABLE suggested_links (
    ticket_id uuid NOT NULL,
    other uuid NOT NULL,
    score float8 NOT NULL,
    reasons jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (ticket_id, other)
);

CREATE TABLE likenesses (
    ticket_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    model int NOT NULL,
    keys bigint[] NOT NULL,
    sketch bytea NOT NULL
);
CREATE INDEX likenesses_age ON likenesses (received_at);

CREATE TABLE likeness_keys (
    key bigint NOT NULL,
    ticket_id uuid NOT NULL,
    PRIMARY KEY (key, ticket_id)
);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
