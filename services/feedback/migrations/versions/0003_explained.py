"""Whether the policy was explained clearly, and whether that is asked."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

TABLES = """
ALTER TABLE reviews ADD COLUMN asks_explained boolean NOT NULL DEFAULT false, ADD COLUMN explained boolean;
"""


def upgrade() -> None:
    """Change the table."""
    execute(TABLES)
