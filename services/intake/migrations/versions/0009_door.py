"""What the door keeps of a request."""

from libs.common.runtime.migrations import execute

revision = "0009"
down_revision = "0008"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
