"""What hot events keep besides."""

from libs.common.runtime.migrations import execute

revision = "0007"
down_revision = "0006"

TABLES = """
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
