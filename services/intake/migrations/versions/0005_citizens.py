"""Followers of public tickets, messages to citizens."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
