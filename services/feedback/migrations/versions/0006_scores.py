"""Scores of periods, version by version, with what was counted for each; appeals against it, and points taken off."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
DROP INDEX reviews_counted;
CREATE INDEX reviews_unit ON reviews (unit_code, answered_at) WHERE state = 'answered';
CREATE INDEX reviews_answered ON reviews (answered_at) WHERE state = 'answered';
CREATE INDEX reviews_asked ON reviews (requested_at);
CREATE INDEX cases_ended ON cases (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE publications (
    period text NOT NULL,
    version int NOT NULL,
    base int NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    weights jsonb NOT NULL,
    standards jsonb NOT NULL,
    PRIMARY KEY (period, version)
);

CREATE TABLE counted (
    period text NOT NULL,
    unit_code text NOT NULL,
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    since_version int NOT NULL,
    until_version int,
    category1 text NOT NULL,
    category2 text NOT NULL,
    urgency text NOT NULL,
    district text NOT NULL,
    apart boolean NOT NULL,
    responded boolean NOT NULL,
    solved boolean NOT NULL,
    satisfied boolean NOT NULL,
    response_in_time boolean,
    completion_in_time boolean,
    PRIMARY KEY (period, ticket_id, round, unit_code, since_version)
);
CREATE INDEX counted_unit ON counted (period, unit_code, ticket_id);

CREATE TABLE expectations (
    period text NOT NULL,
    base int NOT NULL,
    unit_code text NOT NULL,
    category1 text NOT NULL,
    category2 text NOT NULL,
    urgency text NOT NULL,
    district text NOT NULL,
    expected float8 NOT NULL,
    rows int NOT NULL,
    points float8 NOT NULL,
    PRIMARY KEY (period, base, unit_code, category1, category2, urgency, district)
);
CREATE INDEX expectations_of ON expectations (period, base, category2);

CREATE TABLE scores (
    period text NOT NULL,
    version int NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    level text NOT NULL,
    peers int NOT NULL,
    counted int NOT NULL,
    responded float8,
    solved float8,
    satisfied float8,
    total float8,
    response_in_time float8,
    completion_in_time float8,
    usual int NOT NULL,
    expected float8,
    fair float8,
    low float8,
    high float8,
    error float8,
    standing text NOT NULL,
    apart int NOT NULL,
    apart_total float8,
    growth float8,
    growth_low float8,
    growth_high float8,
    deducted float8 NOT NULL,
    PRIMARY KEY (period, unit_code, version)
);

CREATE TABLE score_appeals (
    appeal_id uuid PRIMARY KEY,
    period text NOT NULL,
    ticket_id uuid NOT NULL,
    rounds jsonb NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    ground text NOT NULL,
    note text NOT NULL,
    state text NOT NULL,
    appealed_at timestamptz NOT NULL,
    appealed_by text NOT NULL,
    ruled_at timestamptz,
    ruled_by text,
    ruling text,
    version int
);
CREATE UNIQUE INDEX score_appeals_of ON score_appeals (ticket_id, unit_code, period);
CREATE INDEX score_appeals_in ON score_appeals (period, unit_code);
CREATE INDEX score_appeals_told ON score_appeals (appealed_at, appeal_id);

CREATE TABLE deductions (
    proposal uuid PRIMARY KEY,
    period text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    fault text NOT NULL,
    ground text NOT NULL,
    points float8 NOT NULL,
    ticket_id uuid,
    evidence jsonb NOT NULL,
    note text,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    state text NOT NULL,
    imposed float8,
    ruled_at timestamptz,
    ruled_by text,
    ruling text,
    version int
);
CREATE INDEX deductions_told ON deductions (proposed_at, proposal);
CREATE INDEX deductions_of ON deductions (period, unit_code);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
