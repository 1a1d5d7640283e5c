"""What an order keeps of the work on it."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

TABLES = """
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
