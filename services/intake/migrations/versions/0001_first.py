"""The heart, the vault, tickets and their timeline."""

from libs.common.messaging.schema import HEART_1
from libs.common.runtime.migrations import execute

revision = "0001"
down_revision = None

TABLES = """
CREATE SEQUENCE ticket_numbers;

CREATE TABLE vault (
    ticket_id uuid PRIMARY KEY,
    number text NOT NULL,
    client text NOT NULL,
    received_at timestamptz NOT NULL,
    appeal bytea NOT NULL,
    marks bytea
);

CREATE TABLE inbound (
    ticket_id uuid PRIMARY KEY,
    attempts int NOT NULL DEFAULT 0,
    not_before timestamptz
);

CREATE TABLE claims (
    scope bytea PRIMARY KEY,
    ticket_id uuid NOT NULL,
    content bytea NOT NULL
);

CREATE TABLE openings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id uuid NOT NULL,
    by text NOT NULL,
    purpose text NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE tickets (
    ticket_id uuid PRIMARY KEY,
    number text NOT NULL,
    client text NOT NULL,
    channel text NOT NULL,
    kind text,
    title text,
    text text NOT NULL,
    reporter text,
    reporter_type text NOT NULL,
    anonymous boolean NOT NULL,
    address text,
    lat float8,
    lon float8,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    access_needs jsonb NOT NULL,
    language text NOT NULL,
    likeness bytea NOT NULL,
    state text NOT NULL,
    parent uuid,
    support int NOT NULL,
    answer text,
    emergency text
) WITH (fillfactor = 90);
CREATE INDEX tickets_repeat ON tickets (reporter, likeness) WHERE reporter IS NOT NULL;

CREATE TABLE timeline (
    ticket_id uuid NOT NULL,
    at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    params jsonb NOT NULL,
    PRIMARY KEY (ticket_id, at, event_id)
);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(HEART_1)
    execute(TABLES)
