"""A withdrawal is a fact of its own."""

from libs.common.runtime.migrations import execute

revision = "0002"
down_revision = "0001"

FACTS = """
UPDATE aggregates SET facts = (facts - 'ended')
    || jsonb_build_object('withdrawn', jsonb_build_object('seq', facts -> 'ended' -> 'seq', 'is', true))
WHERE facts -> 'ended' ->> 'is' = 'withdrawn';
"""


def upgrade() -> None:
    """Move what is known of withdrawn tickets to a fact of its own, for no later word of intake may void it."""
    execute(FACTS)
