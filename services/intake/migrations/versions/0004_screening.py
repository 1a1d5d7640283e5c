"""Flags, rulings, outward transfers."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE flags (
    flag_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    ground text NOT NULL,
    verdict text,
    evidence text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    reporter text,
    count bigint,
    ruled_by text,
    ruled_at timestamptz,
    note text,
    appeal text,
    appealed_at timestamptz,
    reviewed_by text,
    reviewed_at timestamptz,
    review_note text
);
CREATE INDEX flags_ticket ON flags (ticket_id);
CREATE INDEX flags_state ON flags (state, at, flag_id);
CREATE UNIQUE INDEX flags_burst ON flags (reporter) WHERE ground = 'burst' AND state = 'open';
CREATE INDEX flags_burst_ruled ON flags (reporter, ruled_at) WHERE ground = 'burst';
CREATE INDEX tickets_of_person ON tickets (received_at, reporter)
    WHERE reporter IS NOT NULL AND reporter_type = 'person';

CREATE TABLE transfers (
    transfer_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    body text NOT NULL,
    name text NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    receipt text,
    receipted_at timestamptz,
    returned_at timestamptz,
    why_returned text
);
CREATE INDEX transfers_ticket ON transfers (ticket_id, at);
CREATE INDEX transfers_state ON transfers (state, at, transfer_id);

ALTER TABLE tickets ADD COLUMN transfer text;
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
