"""What judging keeps besides."""

from libs.common.runtime.migrations import execute

revision = "0008"
down_revision = "0007"

TABLES = """
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
