"""Who counts among those that a ticket stands for, and what is still to be told to them."""

from libs.common.runtime.migrations import execute

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE INDEX tickets_people ON tickets (parent, reporter) WHERE parent IS NOT NULL;
CREATE INDEX supporters_told ON supporters (ticket_id, at, supporter_id) WHERE contact IS NOT NULL;

UPDATE tickets r SET support = r.support - c.doubles FROM (
    SELECT child.parent, count(*) - count(DISTINCT coalesce(child.reporter, child.ticket_id::text)) FILTER (
        WHERE 'sensor' NOT IN (child.reporter_type, child.channel)
            AND (child.reporter = p.reporter AND 'sensor' NOT IN (p.reporter_type, p.channel)) IS NOT TRUE
    ) AS doubles
    FROM tickets child JOIN tickets p ON p.ticket_id = child.parent WHERE child.state = 'linked' GROUP BY child.parent
) c WHERE r.ticket_id = c.parent AND c.doubles > 0;

CREATE TABLE news (
    ticket_id uuid NOT NULL,
    kind text NOT NULL,
    round int NOT NULL,
    params jsonb NOT NULL,
    at timestamptz NOT NULL,
    told boolean NOT NULL DEFAULT false,
    after_at timestamptz NOT NULL DEFAULT '-infinity',
    after_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (ticket_id, kind, round)
);
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
