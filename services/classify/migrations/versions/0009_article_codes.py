"""Articles are found by the questions of the catalogue that they are linked to."""

from libs.common.runtime.migrations import execute

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE INDEX articles_codes ON articles USING gin (codes);
"""


def upgrade() -> None:
    """Create the index."""
    execute(TABLES)
