"""What is to be expected, and what is done before anyone asks."""

from libs.common.runtime.migrations import execute

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE matter_days (
    day date NOT NULL,
    district text NOT NULL,
    l1 text NOT NULL,
    l2 text NOT NULL,
    code text NOT NULL,
    appeals int NOT NULL,
    PRIMARY KEY (day, district, l1, l2, code)
);

CREATE TABLE forecast_runs (
    made_on date PRIMARY KEY,
    claimed_at timestamptz NOT NULL,
    done_at timestamptz,
    series int NOT NULL DEFAULT 0
);

CREATE TABLE forecasts (
    made_on date NOT NULL,
    model text NOT NULL,
    l1 text NOT NULL,
    l2 text NOT NULL,
    code text NOT NULL,
    district text NOT NULL,
    days jsonb NOT NULL,
    days_low jsonb NOT NULL,
    days_high jsonb NOT NULL,
    weeks jsonb NOT NULL,
    weeks_low jsonb NOT NULL,
    weeks_high jsonb NOT NULL,
    usual float8 NOT NULL,
    tried int NOT NULL,
    wape float8,
    naive float8,
    covered float8,
    PRIMARY KEY (made_on, district, l1, l2, code)
);

CREATE TABLE proactive_orders (
    order_id uuid PRIMARY KEY,
    rule text NOT NULL,
    theme text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    codes jsonb NOT NULL,
    district text,
    street text,
    what jsonb NOT NULL,
    why jsonb NOT NULL,
    by_date timestamptz NOT NULL,
    begins timestamptz,
    proposed_at timestamptz NOT NULL,
    proposed_by text,
    state text NOT NULL,
    note text,
    ground text,
    evidence int NOT NULL,
    ended_at timestamptz,
    effect jsonb
) WITH (fillfactor = 80);
CREATE INDEX proactive_listed ON proactive_orders (proposed_at, order_id);
CREATE INDEX proactive_unit ON proactive_orders (unit_code, proposed_at, order_id);
CREATE INDEX proactive_theme ON proactive_orders (theme, proposed_at);
CREATE INDEX proactive_done ON proactive_orders (ended_at) WHERE state = 'done';
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
