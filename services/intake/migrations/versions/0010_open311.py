"""The public list, and the service a sender took a matter for."""

from libs.common.runtime.migrations import execute

revision = "0010"
down_revision = "0009"

TABLES = """
ALTER TABLE tickets ADD COLUMN service text;
ALTER TABLE tickets ADD COLUMN hidden boolean NOT NULL DEFAULT false;

CREATE TABLE listed (
    ticket_id uuid PRIMARY KEY,
    number text NOT NULL UNIQUE,
    client text NOT NULL,
    service text,
    public boolean NOT NULL,
    open boolean NOT NULL,
    received_at timestamptz NOT NULL
) WITH (fillfactor = 90);
CREATE INDEX listed_newest ON listed (received_at DESC, ticket_id) WHERE public;
CREATE INDEX listed_service ON listed (service, received_at DESC) WHERE public;
CREATE INDEX listed_client ON listed (client, received_at);

CREATE INDEX timeline_at ON timeline (at, event_id);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
