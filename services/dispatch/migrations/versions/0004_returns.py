"""Returns with their grounds and limits, looks on the spot, and what rulings propose."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
