"""Callbacks that a seat takes, reasons, who is asked once; closings that are doubted, by which signs, and rulings."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
ALTER TABLE tickets ADD COLUMN reporter text;
DROP INDEX tickets_children;
CREATE INDEX tickets_children ON tickets (parent, reporter) WHERE parent IS NOT NULL;

ALTER TABLE reviews ADD COLUMN due_at timestamptz, ADD COLUMN held_by text, ADD COLUMN held_until timestamptz,
    ADD COLUMN reasons jsonb NOT NULL DEFAULT '[]', ADD COLUMN needs jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN language text NOT NULL DEFAULT 'zh';
UPDATE reviews SET due_at = requested_at WHERE state = 'requested' AND method = 'callback';
CREATE INDEX reviews_due ON reviews (due_at, ticket_id) WHERE state = 'requested' AND method = 'callback';
CREATE INDEX reviews_held ON reviews (held_by) WHERE held_by IS NOT NULL;
CREATE INDEX reviews_not_yes ON reviews (answered_at) WHERE resolved IN ('no', 'partly');

CREATE TABLE signs (
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    kind text NOT NULL,
    weight float8 NOT NULL,
    evidence jsonb NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (ticket_id, round, kind)
);
CREATE INDEX signs_found ON signs (found_at);

CREATE TABLE doubts (
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    resolved_at timestamptz NOT NULL,
    weight float8 NOT NULL,
    kinds jsonb NOT NULL,
    found_at timestamptz NOT NULL,
    upheld boolean,
    ruled_at timestamptz,
    ruled_by text,
    note text,
    PRIMARY KEY (ticket_id, round)
);
CREATE INDEX doubts_resolved ON doubts (resolved_at, ticket_id);
CREATE INDEX doubts_unit ON doubts (unit_code, resolved_at);

CREATE TABLE paces (
    code text NOT NULL,
    kind text NOT NULL,
    quick_seconds float8 NOT NULL,
    usual_seconds float8 NOT NULL,
    rounds int NOT NULL,
    PRIMARY KEY (code, kind)
);
CREATE TABLE looks (
    of text PRIMARY KEY,
    until timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Change the tables, and create those of doubts. A doubt counts as a false closing while `upheld` is true."""
    execute(TABLES)
