"""How well work went without asking, what a month may tell of itself, extracts of that, and what districts have."""

from libs.common.runtime.migrations import execute

revision = "0007"
down_revision = "0006"

TABLES = """
ALTER TABLE cases ADD COLUMN reply_words jsonb;

CREATE TABLE quality_models (
    version int PRIMARY KEY,
    made_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    answers int NOT NULL,
    solved float8 NOT NULL,
    features jsonb NOT NULL,
    centers jsonb NOT NULL,
    scales jsonb NOT NULL,
    weights jsonb NOT NULL,
    covariance jsonb NOT NULL,
    worth float8 NOT NULL,
    metrics jsonb NOT NULL
);
CREATE TABLE quality_units (
    period text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    version int NOT NULL,
    rounds int NOT NULL,
    expected float8 NOT NULL,
    error float8 NOT NULL,
    answers int NOT NULL,
    solved int NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (period, unit_code)
);

CREATE TABLE coverage (
    indicator text NOT NULL,
    district text NOT NULL,
    as_of date NOT NULL,
    value float8 NOT NULL,
    source text NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    PRIMARY KEY (indicator, district, as_of)
);
CREATE TABLE index_counts (
    period text NOT NULL,
    district text NOT NULL,
    tag text NOT NULL,
    appeals int NOT NULL,
    answers int NOT NULL,
    solved float8 NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (period, district, tag)
);

CREATE TABLE releases (
    period text PRIMARY KEY,
    made_at timestamptz NOT NULL,
    appeals int NOT NULL,
    told int NOT NULL
);
CREATE TABLE release_cells (
    period text NOT NULL,
    day text NOT NULL,
    district text NOT NULL,
    street text NOT NULL,
    category1 text NOT NULL,
    category2 text NOT NULL,
    category3 text NOT NULL,
    channel text NOT NULL,
    urgency text NOT NULL,
    level text NOT NULL,
    ended text NOT NULL,
    resolved text NOT NULL,
    satisfied text NOT NULL,
    response_in_time text NOT NULL,
    completion_in_time text NOT NULL,
    contact_within text NOT NULL,
    done_within text NOT NULL,
    reopened text NOT NULL,
    appeals int NOT NULL,
    supporters int NOT NULL
);
CREATE INDEX release_cells_of ON release_cells (period, category1, district);

CREATE TABLE extracts (
    extract_id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    purpose text NOT NULL,
    words text NOT NULL,
    fields jsonb NOT NULL,
    months jsonb NOT NULL,
    districts jsonb NOT NULL,
    categories jsonb NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    ruled_at timestamptz,
    ruled_by text,
    note text,
    expires_at timestamptz,
    made_at timestamptz,
    rows int,
    appeals int,
    sha256 text
) WITH (fillfactor = 80);
CREATE INDEX extracts_listed ON extracts (asked_at, extract_id);
CREATE INDEX extracts_at_work ON extracts (state, expires_at) WHERE state IN ('granted', 'ready');
CREATE TABLE extract_files (
    extract_id uuid PRIMARY KEY,
    content bytea NOT NULL
);
CREATE TABLE extract_acts (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    extract_id uuid NOT NULL,
    act text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    rows int,
    sha256 text
);
CREATE INDEX extract_acts_of ON extract_acts (extract_id, number);
CREATE FUNCTION extract_acts_stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'what was done with extracts is only added to'; END $$;
CREATE TRIGGER extract_acts_stay BEFORE UPDATE OR DELETE ON extract_acts
    FOR EACH ROW EXECUTE FUNCTION extract_acts_stay();
CREATE TRIGGER extract_acts_stay_whole BEFORE TRUNCATE ON extract_acts
    FOR EACH STATEMENT EXECUTE FUNCTION extract_acts_stay();
"""


def upgrade() -> None:
    """Create the tables, and let the record keep how plain a reply is. What was done with extracts cannot be undone."""
    execute(TABLES)
