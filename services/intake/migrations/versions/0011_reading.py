"""What machines read from files."""

from libs.common.runtime.migrations import execute

revision = "0011"
down_revision = "0010"

TABLES = """
ALTER TABLE files
    ADD COLUMN read_state text NOT NULL DEFAULT 'waiting',
    ADD COLUMN read_attempts int NOT NULL DEFAULT 0,
    ADD COLUMN read_after timestamptz;
CREATE INDEX files_unread ON files (kind, file_id) WHERE read_state = 'waiting' AND kind <> 'document';
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
