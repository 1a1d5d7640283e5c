"""The record: a row for each round of each ticket, and each return that was ruled on."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE cases (
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    number text,
    channel text,
    reporter_type text,
    kind text,
    code text NOT NULL,
    category jsonb,
    tag text,
    urgency text,
    elderly boolean NOT NULL,
    district text,
    street text,
    received_at timestamptz,
    parent uuid,
    support int NOT NULL,
    excluded boolean NOT NULL,
    unit_code text,
    unit_name text,
    dispatched_at timestamptz,
    accepted_at timestamptz,
    contacted_at timestamptz,
    resolved_at timestamptz,
    reply_faults jsonb NOT NULL,
    evidence int NOT NULL,
    returns int NOT NULL,
    response_in_time boolean,
    completion_in_time boolean,
    ended text,
    ended_at timestamptz,
    PRIMARY KEY (ticket_id, round)
) WITH (fillfactor = 70);
CREATE INDEX cases_received ON cases (received_at) WHERE round = 1;
CREATE INDEX cases_resolved ON cases (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX cases_unit ON cases (unit_code, resolved_at) WHERE unit_code IS NOT NULL;
CREATE INDEX cases_matter ON cases (code, received_at) WHERE round = 1;

CREATE TABLE bounces (
    return_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    returned_by text NOT NULL,
    ground text NOT NULL,
    upheld boolean NOT NULL,
    against text NOT NULL,
    rule text,
    unit_code text NOT NULL,
    ruled_at timestamptz NOT NULL
);
CREATE INDEX bounces_ruled ON bounces (ruled_at);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
