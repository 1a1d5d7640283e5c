"""The heart and orders."""

from libs.common.messaging.schema import HEART_1
from libs.common.runtime.migrations import execute

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE orders (
    ticket_id uuid PRIMARY KEY,
    number text NOT NULL,
    round int NOT NULL,
    state text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    district text,
    co_handlers jsonb NOT NULL,
    rule text NOT NULL,
    why jsonb NOT NULL,
    desk boolean NOT NULL,
    settled boolean NOT NULL,
    code text NOT NULL,
    category jsonb NOT NULL,
    urgency text NOT NULL,
    kind text NOT NULL,
    title text,
    text text NOT NULL,
    summary text NOT NULL,
    address text,
    district_name text,
    street_name text,
    reporter_type text NOT NULL,
    access_needs jsonb NOT NULL,
    dispatched_at timestamptz NOT NULL,
    accepted_at timestamptz,
    contacted_at timestamptz,
    resolved_at timestamptz,
    reply text,
    returns int NOT NULL,
    return_ground text,
    return_note text,
    tried jsonb NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX orders_unit ON orders (unit_code, state, dispatched_at, ticket_id);
CREATE INDEX orders_state ON orders (state, dispatched_at, ticket_id);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(HEART_1)
    execute(TABLES)
