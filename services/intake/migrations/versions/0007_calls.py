"""Call records and the quality of lines."""

from libs.common.runtime.migrations import execute

revision = "0007"
down_revision = "0006"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
