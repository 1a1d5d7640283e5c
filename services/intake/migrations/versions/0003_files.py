"""Attachments."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
