"""By when the owner of a case has to act, and how often the changes of the board were folded into its counts."""

from libs.common.runtime.migrations import execute

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE board_folds (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    folds bigint NOT NULL
);
INSERT INTO board_folds (folds) VALUES (0);

ALTER TABLE supervision ADD COLUMN owner_due_at timestamptz;
INSERT INTO timers (kind, subject, due_at) SELECT 'case', subject::text, now() FROM supervision WHERE closed_at IS NULL
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Change the tables. Each open case is looked at once, and by when its owner has to act is worked out then."""
    execute(TABLES)
