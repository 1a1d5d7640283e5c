"""Flags, rulings, outward transfers."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
