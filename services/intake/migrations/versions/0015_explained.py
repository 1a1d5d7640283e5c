"""Whether a test call found the policy explained clearly."""

from libs.common.runtime.migrations import execute

revision = "0015"
down_revision = "0014"

TABLES = """
ALTER TABLE calls ADD COLUMN explained boolean;
ALTER TABLE line_hours ADD COLUMN tests_judged int NOT NULL DEFAULT 0,
    ADD COLUMN tests_explained int NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
