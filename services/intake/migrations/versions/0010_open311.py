"""Open311."""

from libs.common.runtime.migrations import execute

revision = "0010"
down_revision = "0009"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
