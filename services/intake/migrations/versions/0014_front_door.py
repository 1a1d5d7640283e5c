"""Who noted what became of a transfer."""

from libs.common.runtime.migrations import execute

revision = "0014"
down_revision = "0013"

TABLES = """
ALTER TABLE transfers ADD COLUMN receipted_by text, ADD COLUMN returned_by text;
"""


def upgrade() -> None:
    """Add the columns."""
    execute(TABLES)
