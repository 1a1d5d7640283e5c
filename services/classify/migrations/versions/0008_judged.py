"""What waits for a person by a question that is no more is found without reading all that waits."""

from libs.common.runtime.migrations import execute

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE INDEX verdicts_held_code ON verdicts (code) WHERE state = 'held';
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
