"""Chats, video sessions, calls back."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
