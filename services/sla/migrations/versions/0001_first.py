"""The heart, clocks and supervision cases."""

from libs.common.messaging.schema import HEART_1
from libs.common.runtime.migrations import execute

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE clocks (
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    urgency text NOT NULL,
    policy text NOT NULL,
    started_at timestamptz NOT NULL,
    limit_seconds bigint NOT NULL,
    paused_seconds bigint NOT NULL,
    paused_at timestamptz,
    paused_until timestamptz,
    ground text,
    due_at timestamptz NOT NULL,
    fired int NOT NULL,
    light text NOT NULL,
    met_at timestamptz,
    unit_code text,
    unit_name text,
    PRIMARY KEY (ticket_id, round, name)
) WITH (fillfactor = 80);
CREATE INDEX clocks_open ON clocks (due_at, ticket_id) WHERE state IN ('running', 'paused');
CREATE INDEX clocks_unit ON clocks (unit_code, due_at) WHERE state IN ('running', 'paused');

CREATE TABLE supervision (
    ticket_id uuid PRIMARY KEY,
    level int NOT NULL,
    ground text NOT NULL,
    unit_code text,
    unit_name text,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE INDEX supervision_open ON supervision (level, opened_at) WHERE closed_at IS NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    execute(HEART_1)
    execute(TABLES)
