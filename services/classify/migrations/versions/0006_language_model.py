"""What a language model answered, what that cost, and what it said of a verdict."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
ALTER TABLE verdicts ADD COLUMN machine_made jsonb;

CREATE TABLE machine_answers (
    ticket_id uuid PRIMARY KEY,
    heard bigint NOT NULL,
    tries int NOT NULL DEFAULT 0,
    next_at timestamptz,
    asked_at timestamptz NOT NULL,
    input text,
    answer jsonb
);
CREATE INDEX machine_answers_input ON machine_answers (input) WHERE answer IS NOT NULL;
CREATE INDEX machine_answers_asked ON machine_answers (asked_at);

CREATE TABLE machine_spending (
    day date PRIMARY KEY,
    calls bigint NOT NULL,
    tokens bigint NOT NULL,
    money float8 NOT NULL
);
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
