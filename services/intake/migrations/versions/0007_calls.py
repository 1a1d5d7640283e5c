"""Call records and the quality of lines."""

from libs.common.runtime.migrations import execute

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE calls (
    scope bytea PRIMARY KEY,
    line text NOT NULL,
    offered_at timestamptz NOT NULL,
    answered boolean NOT NULL,
    abandoned boolean NOT NULL,
    wait_seconds float8 NOT NULL,
    test_call boolean NOT NULL
);
CREATE INDEX calls_old ON calls USING brin (offered_at);

CREATE TABLE line_hours (
    line text NOT NULL,
    hour timestamptz NOT NULL,
    offered int NOT NULL,
    answered int NOT NULL,
    in_time int NOT NULL,
    abandoned int NOT NULL,
    wait_seconds float8 NOT NULL,
    longest_wait float8 NOT NULL,
    tests int NOT NULL,
    tests_answered int NOT NULL,
    waits jsonb NOT NULL,
    PRIMARY KEY (line, hour)
);
CREATE INDEX line_hours_by_time ON line_hours (hour);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
