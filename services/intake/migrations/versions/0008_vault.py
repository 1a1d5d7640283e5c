"""Keys, audit, retention."""

from libs.common.runtime.migrations import execute

revision = "0008"
down_revision = "0007"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
