"""Work before the appeal, as feedback proposes it to units."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE proactive_orders (
    order_id uuid PRIMARY KEY,
    sequence bigint NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    rule text,
    codes jsonb NOT NULL,
    district text,
    street text,
    what text NOT NULL,
    why text NOT NULL,
    proposed_at timestamptz NOT NULL,
    by_date timestamptz NOT NULL,
    state text NOT NULL,
    ended_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX proactive_listed ON proactive_orders (proposed_at, order_id);
CREATE INDEX proactive_unit ON proactive_orders (unit_code, proposed_at, order_id);
"""


def upgrade() -> None:
    """Create the table."""
    execute(TABLES)
