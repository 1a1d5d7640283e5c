"""What machines read from files."""

from libs.common.runtime.migrations import execute

revision = "0011"
down_revision = "0010"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
