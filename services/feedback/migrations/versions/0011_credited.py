"""What work before the appeal gives to scores, version by version. Versions published before counted none."""

from libs.common.runtime.migrations import execute

revision = "0011"
down_revision = "0010"

TABLES = """
CREATE TABLE credited (
    period text NOT NULL,
    unit_code text NOT NULL,
    order_id uuid NOT NULL,
    proven boolean NOT NULL,
    at timestamptz NOT NULL,
    since_version int NOT NULL,
    until_version int,
    PRIMARY KEY (period, order_id, proven, since_version)
);
CREATE INDEX credited_unit ON credited (period, unit_code);
ALTER TABLE publications
    ADD COLUMN bonus jsonb NOT NULL DEFAULT '{"done": 0, "evidence": 0, "proven": 0, "most": 0}';
ALTER TABLE scores ADD COLUMN earned float8 NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Create the table, and what goes with each version and score."""
    execute(TABLES)
