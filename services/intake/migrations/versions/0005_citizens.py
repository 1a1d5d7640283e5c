"""Followers of public tickets, messages to citizens."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
ALTER TABLE tickets ADD COLUMN ways jsonb NOT NULL DEFAULT '[]';
CREATE INDEX tickets_near ON tickets (floor(lat * 100), floor(lon * 100), received_at) WHERE lat IS NOT NULL;

CREATE INDEX vault_number ON vault (number);

CREATE TABLE supporters (
    supporter_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    person text NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    language text NOT NULL,
    ways jsonb NOT NULL,
    contact bytea,
    UNIQUE (ticket_id, person)
);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
