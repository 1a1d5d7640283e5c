"""Reporters whom the hotline knows and the handling unit does not."""

from libs.common.runtime.migrations import execute

revision = "0012"
down_revision = "0011"

TABLES = """
ALTER TABLE tickets ADD COLUMN confidential boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Add the column."""
    execute(TABLES)
