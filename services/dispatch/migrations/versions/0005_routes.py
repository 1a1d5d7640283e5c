"""Versions of rules, decisions with their reasons, backtests, loads and handovers."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
ALTER TABLE orders ADD COLUMN rules text NOT NULL DEFAULT '';
CREATE INDEX orders_open ON orders (unit_code, state, urgency, dispatched_at, ticket_id)
    WHERE state IN ('dispatched', 'accepted', 'in_progress', 'returned');
CREATE INDEX orders_resolved ON orders (resolved_at) INCLUDE (unit_code) WHERE resolved_at IS NOT NULL;

CREATE TABLE rule_sets (
    version text PRIMARY KEY,
    imported_at timestamptz NOT NULL,
    by text,
    note text,
    rules bigint NOT NULL,
    text text NOT NULL
);

CREATE TABLE rule_activations (
    activation_id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    from_at timestamptz NOT NULL,
    version text NOT NULL REFERENCES rule_sets,
    by text,
    reason text,
    made_at timestamptz NOT NULL,
    back_to uuid REFERENCES rule_activations,
    cancelled_at timestamptz
);
CREATE INDEX rule_activations_from ON rule_activations (from_at, number);

CREATE TABLE decisions (
    decision_id uuid PRIMARY KEY,
    turn bigint GENERATED ALWAYS AS IDENTITY,
    ticket_id uuid NOT NULL,
    number text NOT NULL,
    round bigint NOT NULL,
    at timestamptz NOT NULL,
    unit text NOT NULL,
    previous text,
    rule text NOT NULL,
    rules text NOT NULL,
    catalogue text NOT NULL,
    model text NOT NULL,
    why jsonb NOT NULL,
    matter jsonb NOT NULL
);
CREATE INDEX decisions_ticket ON decisions (ticket_id, turn);

CREATE TABLE backtests (
    backtest_id uuid PRIMARY KEY,
    version text NOT NULL REFERENCES rule_sets,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    owners jsonb NOT NULL,
    by text NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    read bigint NOT NULL,
    report jsonb,
    error text
);
CREATE INDEX backtests_open ON backtests (asked_at, backtest_id) WHERE state = 'waiting';

CREATE TABLE handovers (
    handover_id uuid PRIMARY KEY,
    from_unit text NOT NULL,
    to_unit text NOT NULL,
    codes jsonb NOT NULL,
    street text,
    note text NOT NULL,
    by text NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    behind uuid NOT NULL,
    found bigint NOT NULL,
    moved bigint NOT NULL,
    error text
);
CREATE INDEX handovers_open ON handovers (asked_at, handover_id) WHERE state = 'waiting';

CREATE TABLE unit_days (
    day date NOT NULL,
    unit text NOT NULL,
    arrived bigint NOT NULL,
    resolved bigint NOT NULL,
    PRIMARY KEY (unit, day)
);

CREATE TABLE unit_counts (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    counted_at timestamptz NOT NULL
);
INSERT INTO unit_counts (counted_at) VALUES ('2000-01-01T00:00:00Z');
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
