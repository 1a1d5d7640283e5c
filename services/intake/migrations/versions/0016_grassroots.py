"""The unit that registered a matter to handle it itself."""

from libs.common.runtime.migrations import execute

revision = "0016"
down_revision = "0015"

TABLES = """
ALTER TABLE tickets ADD COLUMN handled_by text;
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
