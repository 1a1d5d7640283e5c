"""Hot events that flare up again after they cooled."""

from libs.common.runtime.migrations import execute

revision = "0007"
down_revision = "0006"

TABLES = """
ALTER TABLE hotspots
    ADD COLUMN round bigint NOT NULL DEFAULT 1,
    ADD COLUMN reheated_at timestamptz,
    ADD COLUMN voices_before bigint NOT NULL DEFAULT 0;
CREATE INDEX hotspots_cooled ON hotspots (cooled_at) WHERE state = 'cooled';
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
