"""Whom a ticket repeats, the class that a person named, and a withdrawal as a fact of its own."""

from libs.common.runtime.migrations import execute

revision = "0002"
down_revision = "0001"

TABLES = """
ALTER TABLE verdicts DROP COLUMN heard, ADD COLUMN parent uuid, ADD COLUMN named jsonb;
UPDATE verdicts SET named = jsonb_build_object(
    'urgency', urgency, 'seen', jsonb_build_array('险情“' || coalesce(reading ->> 'danger', '') || '”')
) WHERE judged_by = 'person';
CREATE INDEX verdicts_alarms ON verdicts (parent) WHERE urgency = 'urgent' AND parent IS NOT NULL;
"""
FACTS = """
UPDATE aggregates SET facts = (facts - 'ended')
    || jsonb_build_object('withdrawn', jsonb_build_object('seq', facts -> 'ended' -> 'seq', 'is', true))
WHERE facts -> 'ended' ->> 'is' = 'withdrawn';
"""


def upgrade() -> None:
    """Change the table, keep the class of what a person judged, and move what is known of withdrawn tickets."""
    execute(TABLES)
    execute(FACTS)
