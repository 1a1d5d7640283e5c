"""Versions of the catalogue and of models."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE catalogues (
    version text PRIMARY KEY,
    imported_at timestamptz NOT NULL,
    by text,
    note text,
    questions bigint NOT NULL,
    files bytea NOT NULL
);

CREATE TABLE models (
    name text PRIMARY KEY,
    catalogue text NOT NULL REFERENCES catalogues,
    trained_at timestamptz NOT NULL,
    by text,
    data text NOT NULL,
    labels bigint NOT NULL,
    examples jsonb NOT NULL,
    metrics jsonb NOT NULL,
    reference jsonb,
    arrays bytea
);
ALTER TABLE models ALTER COLUMN arrays SET STORAGE EXTERNAL;
CREATE INDEX models_catalogue ON models (catalogue, trained_at);

CREATE TABLE activations (
    activation_id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    from_at timestamptz NOT NULL,
    catalogue text NOT NULL REFERENCES catalogues,
    model text NOT NULL REFERENCES models,
    by text,
    reason text,
    made_at timestamptz NOT NULL,
    back_to uuid REFERENCES activations,
    cancelled_at timestamptz
);
CREATE INDEX activations_from ON activations (from_at, number);

CREATE TABLE runs (
    run_id uuid PRIMARY KEY,
    task text NOT NULL,
    catalogue text NOT NULL REFERENCES catalogues,
    model text REFERENCES models,
    by text NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    error text
);
CREATE INDEX runs_open ON runs (asked_at, run_id) WHERE state IN ('waiting', 'running');

CREATE TABLE challenge (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    model text NOT NULL REFERENCES models,
    since timestamptz NOT NULL,
    by text NOT NULL
);

CREATE TABLE challenged (
    ticket_id uuid NOT NULL,
    model text NOT NULL,
    at timestamptz NOT NULL,
    code text NOT NULL,
    champion text NOT NULL,
    champion_code text NOT NULL,
    PRIMARY KEY (model, ticket_id)
);
CREATE INDEX challenged_at ON challenged (at);

CREATE TABLE judged_days (
    day date NOT NULL,
    level1 text NOT NULL,
    tickets bigint NOT NULL,
    confidence float8 NOT NULL,
    held bigint NOT NULL,
    corrected bigint NOT NULL,
    PRIMARY KEY (day, level1)
);

CREATE TABLE judged_looks (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    looked_at timestamptz NOT NULL
);
INSERT INTO judged_looks (looked_at) VALUES ('2000-01-01T00:00:00Z');
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
