"""The tables of the heart, the same in every database. A release that changes them adds a constant; it edits none."""

HEART_1 = """
CREATE TABLE aggregates (
    subject text PRIMARY KEY,
    version bigint NOT NULL,
    facts jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    headers text NOT NULL,
    body bytea NOT NULL
);

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY
);

CREATE TABLE timers (
    kind text NOT NULL,
    subject text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX timers_due ON timers (due_at);

CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    topic text NOT NULL,
    partition int NOT NULL,
    "offset" bigint NOT NULL,
    key text NOT NULL,
    headers text NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    attempts int NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE notices (
    key text PRIMARY KEY,
    "to" text NOT NULL,
    text text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    attempts int NOT NULL DEFAULT 0,
    outcomes jsonb NOT NULL DEFAULT '{}',
    error text,
    created_at timestamptz NOT NULL,
    next_at timestamptz,
    ended_at timestamptz
);
CREATE INDEX notices_due ON notices (next_at) WHERE next_at IS NOT NULL;
"""
