"""An answer belongs to the round in which it was given."""

from libs.common.runtime.migrations import execute

revision = "0002"
down_revision = "0001"

TABLES = """
ALTER TABLE tickets ADD COLUMN answered_in int;
UPDATE tickets SET answered_in = round FROM aggregates
WHERE subject = ticket_id::text AND facts -> 'answered' ->> 'is' IS NOT NULL;
"""


def upgrade() -> None:
    """Every ticket that was answered until now was so in the round it is in: none went on after it."""
    execute(TABLES)
