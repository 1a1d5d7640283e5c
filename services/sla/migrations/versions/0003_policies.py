"""Versions of the policies, days of the calendar, pauses and extensions of clocks, parts of the work, links."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

# What had stood still of a clock becomes one pause behind its start: its due time stays what it was.
TABLES = """
ALTER TABLE clocks ADD COLUMN count text NOT NULL DEFAULT 'natural';
ALTER TABLE clocks ADD COLUMN extended_seconds bigint NOT NULL DEFAULT 0;
ALTER TABLE clocks ADD COLUMN pauses jsonb NOT NULL DEFAULT '[]';
ALTER TABLE clocks ADD COLUMN calendar text NOT NULL DEFAULT '';
ALTER TABLE clocks ADD COLUMN provisional boolean NOT NULL DEFAULT false;
UPDATE clocks SET pauses = jsonb_build_array(jsonb_build_object(
    'from_at', started_at, 'until', started_at + paused_seconds * interval '1 second')) WHERE paused_seconds > 0;
ALTER TABLE clocks DROP COLUMN paused_seconds;
CREATE INDEX clocks_working ON clocks (calendar, ticket_id)
    WHERE calendar <> '' AND state IN ('running', 'paused');

CREATE TABLE policies (
    version text PRIMARY KEY,
    imported_at timestamptz NOT NULL,
    by text,
    note text,
    rules bigint NOT NULL,
    text text NOT NULL
);

CREATE TABLE policy_activations (
    activation_id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    from_at timestamptz NOT NULL,
    version text NOT NULL REFERENCES policies,
    by text,
    reason text,
    made_at timestamptz NOT NULL,
    back_to uuid REFERENCES policy_activations,
    cancelled_at timestamptz
);
CREATE INDEX policy_activations_from ON policy_activations (from_at, number);

CREATE TABLE calendar_days (
    entry_id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    day date NOT NULL,
    hours text[],
    reason text NOT NULL,
    by text NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX calendar_days_number ON calendar_days (number);

CREATE TABLE calendar_basis (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    basis text NOT NULL
);

CREATE TABLE extensions (
    extension_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    round bigint NOT NULL,
    clock text NOT NULL,
    seconds bigint NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    asked_at timestamptz NOT NULL,
    level text NOT NULL,
    state text NOT NULL,
    unit_code text,
    ruled_by text,
    ruled_at timestamptz,
    note text
);
CREATE INDEX extensions_ticket ON extensions (ticket_id, asked_at);
CREATE INDEX extensions_open ON extensions (asked_at, extension_id) WHERE state = 'asked';

CREATE TABLE task_clocks (
    ticket_id uuid NOT NULL,
    round bigint NOT NULL,
    part text NOT NULL,
    role text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    state text NOT NULL,
    started_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    task_id uuid,
    fired bigint NOT NULL,
    light text NOT NULL,
    met_at timestamptz,
    PRIMARY KEY (ticket_id, round, part)
) WITH (fillfactor = 80);

CREATE TABLE links (
    ticket_id uuid PRIMARY KEY,
    parent uuid NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX links_parent ON links (parent);
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
