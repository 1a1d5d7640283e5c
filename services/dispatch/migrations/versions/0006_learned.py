"""The routing that a city's history taught."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
