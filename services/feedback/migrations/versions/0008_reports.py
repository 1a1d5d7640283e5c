"""Reports as they were made, the quality of lines, and what was published."""

from libs.common.runtime.migrations import execute

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE reports (
    kind text NOT NULL,
    period text NOT NULL,
    scope text NOT NULL,
    version int NOT NULL,
    made_at timestamptz NOT NULL,
    closed boolean NOT NULL,
    findings jsonb NOT NULL,
    PRIMARY KEY (kind, period, scope, version)
);
CREATE INDEX reports_made ON reports (made_at DESC);

CREATE TABLE line_days (
    line text NOT NULL,
    day text NOT NULL,
    offered int NOT NULL,
    answered int NOT NULL,
    abandoned int NOT NULL,
    in_time_rate float8,
    mean_wait float8,
    longest_wait float8,
    dead boolean NOT NULL,
    cold boolean NOT NULL,
    tests int NOT NULL,
    explained_rate float8,
    PRIMARY KEY (day, line)
);

CREATE TABLE open_data (
    month text PRIMARY KEY,
    made_at timestamptz NOT NULL,
    k int NOT NULL,
    by_day boolean NOT NULL,
    cells jsonb NOT NULL
);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
