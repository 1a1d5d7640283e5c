"""The heart, tickets and reviews."""

from libs.common.messaging.schema import HEART_1
from libs.common.runtime.migrations import execute

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE tickets (
    ticket_id uuid PRIMARY KEY,
    parent uuid,
    round int NOT NULL,
    word jsonb,
    outcome text,
    closed_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX tickets_children ON tickets (parent) WHERE parent IS NOT NULL;

CREATE TABLE reviews (
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    about uuid NOT NULL,
    method text NOT NULL,
    state text NOT NULL,
    requested_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    reply text NOT NULL,
    contacted boolean NOT NULL,
    unit_code text,
    unit_name text,
    number text,
    category jsonb,
    urgency text,
    kind text,
    response_in_time boolean,
    completion_in_time boolean,
    tries jsonb NOT NULL,
    resolved text,
    satisfied int,
    comment text,
    by text,
    answered_at timestamptz,
    period text,
    excluded boolean NOT NULL,
    PRIMARY KEY (ticket_id, round)
) WITH (fillfactor = 80);
CREATE INDEX reviews_callbacks ON reviews (requested_at, ticket_id) WHERE state = 'requested' AND method = 'callback';
CREATE INDEX reviews_counted ON reviews (period, unit_code) WHERE state = 'answered';
"""


def upgrade() -> None:
    """Create the tables."""
    execute(HEART_1)
    execute(TABLES)
