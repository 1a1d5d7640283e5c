"""The heart, verdicts, supplements and labels."""

from libs.common.messaging.schema import HEART_1
from libs.common.runtime.migrations import execute

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE verdicts (
    ticket_id uuid PRIMARY KEY,
    state text NOT NULL,
    code text NOT NULL,
    confidence float8 NOT NULL,
    urgency text NOT NULL,
    kind text NOT NULL,
    judged_by text NOT NULL,
    receipt jsonb NOT NULL,
    reading jsonb NOT NULL,
    heard bigint NOT NULL,
    held_until timestamptz,
    told_at timestamptz,
    ruled_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX verdicts_held ON verdicts (held_until, ticket_id) WHERE state = 'held';

CREATE TABLE supplements (
    ticket_id uuid NOT NULL,
    sequence bigint NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (ticket_id, sequence)
);

CREATE TABLE labels (
    ticket_id uuid NOT NULL,
    at timestamptz NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (ticket_id, at)
);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(HEART_1)
    execute(TABLES)
