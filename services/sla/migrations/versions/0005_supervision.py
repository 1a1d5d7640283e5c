"""Cases of supervision have turns, owners, answers, checks, meetings and duties; models of lateness have versions."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
ALTER TABLE supervision RENAME COLUMN ticket_id TO subject;
ALTER TABLE supervision
    ADD COLUMN turn int NOT NULL DEFAULT 1,
    ADD COLUMN about text NOT NULL DEFAULT 'ticket',
    ADD COLUMN number text NOT NULL DEFAULT '',
    ADD COLUMN state text NOT NULL DEFAULT 'open',
    ADD COLUMN grounds jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN owner_code text NOT NULL DEFAULT '',
    ADD COLUMN owner_name text NOT NULL DEFAULT '',
    ADD COLUMN raised_at timestamptz,
    ADD COLUMN place text,
    ADD COLUMN chosen boolean NOT NULL DEFAULT false,
    ADD COLUMN answer_due_at timestamptz,
    ADD COLUMN unanswered_at timestamptz,
    ADD COLUMN answers jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN checks jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN meetings jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN duties jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN proposals jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN tickets jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN past jsonb,
    ADD COLUMN outcome text,
    ADD COLUMN note text NOT NULL DEFAULT '';
UPDATE supervision SET raised_at = opened_at, state = CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END,
    outcome = CASE WHEN closed_at IS NULL THEN NULL ELSE 'done' END,
    grounds = jsonb_build_array(jsonb_build_object(
        'code', 'overdue', 'level', level, 'at', opened_at, 'mark', 0, 'over_at', closed_at));
ALTER TABLE supervision ALTER COLUMN raised_at SET NOT NULL, DROP COLUMN ground, DROP CONSTRAINT supervision_pkey,
    ADD PRIMARY KEY (subject, turn);
CREATE INDEX supervision_order ON supervision (opened_at, subject) WHERE closed_at IS NULL;
CREATE INDEX supervision_owner ON supervision (owner_code, opened_at) WHERE closed_at IS NULL;
CREATE INDEX supervision_unit ON supervision (unit_code, opened_at);
CREATE INDEX supervision_opened ON supervision (opened_at, subject);
CREATE INDEX supervision_closed ON supervision (closed_at) WHERE closed_at IS NOT NULL;

ALTER TABLE clocks ADD COLUMN code text NOT NULL DEFAULT '';
CREATE INDEX clocks_met ON clocks (due_at) WHERE state = 'met';
CREATE TABLE lateness (
    version text PRIMARY KEY,
    made_at timestamptz NOT NULL,
    cases bigint NOT NULL,
    fingerprint text NOT NULL,
    quality jsonb NOT NULL,
    arrays bytea NOT NULL
);
"""


def upgrade() -> None:
    """Create the tables. Who owns a case that was open before is worked out when the service looks at it first."""
    execute(TABLES)
