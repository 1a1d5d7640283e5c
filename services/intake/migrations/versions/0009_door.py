"""What the door keeps of a request."""

from libs.common.runtime.migrations import execute

revision = "0009"
down_revision = "0008"

TABLES = """
ALTER TABLE inbound ADD COLUMN traceparent text;
"""


def upgrade() -> None:
    """Add the column."""
    execute(TABLES)
