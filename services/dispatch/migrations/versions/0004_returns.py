"""Returns with their grounds and limits, looks on the spot, and what rulings propose."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
ALTER TABLE orders ADD COLUMN bound text;
UPDATE orders SET bound = unit_code WHERE accepted_at IS NOT NULL AND contacted_at IS NOT NULL;

CREATE TABLE returns (
    return_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    number text NOT NULL,
    round bigint NOT NULL,
    turn bigint NOT NULL,
    state text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    ground text NOT NULL,
    note text NOT NULL,
    files bigint NOT NULL,
    at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    urgency text NOT NULL,
    centre boolean NOT NULL,
    needs_look boolean NOT NULL,
    rule text NOT NULL,
    rules text NOT NULL,
    code text NOT NULL,
    category jsonb NOT NULL,
    district text,
    street text,
    escalated_at timestamptz,
    ended_at timestamptz,
    by text,
    ruling text,
    to_code text,
    to_name text,
    right_code text,
    against text,
    verification uuid
) WITH (fillfactor = 80);
CREATE INDEX returns_ticket ON returns (ticket_id, turn);
CREATE INDEX returns_due ON returns (state, due_at, return_id);
CREATE INDEX returns_unit ON returns (unit_code, state, due_at, return_id);
CREATE INDEX returns_ended ON returns (ended_at) WHERE state IN ('upheld', 'overturned', 'refused');
CREATE INDEX returns_wrongly ON returns (ended_at) WHERE state = 'upheld' AND against = 'routing';

-- What waits for a ruling now is due at once: nobody wrote down since when.
INSERT INTO returns (return_id, ticket_id, number, round, turn, state, unit_code, unit_name, ground, note, files, at,
    due_at, urgency, centre, needs_look, rule, rules, code, category)
SELECT gen_random_uuid(), ticket_id, number, round, returns, 'open', unit_code, unit_name, return_ground,
    coalesce(return_note, ''), 0, dispatched_at, now(), urgency, returns > 1, false, rule, '', code, category
FROM orders WHERE state = 'returned' AND return_ground IS NOT NULL;
INSERT INTO timers (kind, subject, due_at)
SELECT 'ruling', ticket_id::text, due_at FROM returns WHERE state = 'open' ON CONFLICT DO NOTHING;

CREATE TABLE verifications (
    verification_id uuid PRIMARY KEY,
    return_id uuid NOT NULL REFERENCES returns,
    ticket_id uuid NOT NULL,
    round bigint NOT NULL,
    state text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    task text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz,
    done boolean,
    duty_code text,
    duty_name text,
    note text,
    evidence bigint NOT NULL
);
CREATE INDEX verifications_ticket ON verifications (ticket_id);
CREATE INDEX verifications_open ON verifications (unit_code, due_at, verification_id) WHERE state = 'open';

CREATE TABLE proposals (
    proposal_id text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    by text NOT NULL,
    note text,
    version text,
    PRIMARY KEY (proposal_id, at)
);

CREATE TABLE hot_events (
    hotspot_id uuid PRIMARY KEY,
    sequence bigint NOT NULL,
    title text NOT NULL,
    category jsonb NOT NULL,
    district_name text,
    street_name text,
    word text,
    risk text NOT NULL,
    hot boolean NOT NULL,
    tickets bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX hot_events_first ON hot_events (first_at);

CREATE TABLE supplements (
    event_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    sequence bigint NOT NULL,
    at timestamptz NOT NULL,
    source text NOT NULL,
    text text NOT NULL,
    files bigint NOT NULL
);
CREATE INDEX supplements_ticket ON supplements (ticket_id, sequence);
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
