"""What repeats are found by."""

from libs.common.runtime.migrations import execute

revision = "0002"
down_revision = "0001"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
