"""Attachments."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE blobs (
    blob_id uuid PRIMARY KEY,
    state text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX blobs_loose ON blobs (state, at) WHERE state <> 'kept';

CREATE TABLE files (
    file_id uuid PRIMARY KEY,
    blob_id uuid NOT NULL REFERENCES blobs,
    key bytea NOT NULL,
    digest bytea NOT NULL,
    kind text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    client text NOT NULL,
    ticket_id uuid,
    added_at timestamptz NOT NULL
);
CREATE INDEX files_blob ON files (blob_id);
CREATE INDEX files_digest ON files (digest);
CREATE INDEX files_ticket ON files (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX files_waiting ON files (added_at) WHERE ticket_id IS NULL;

ALTER TABLE tickets ADD COLUMN attachments jsonb NOT NULL DEFAULT '[]';
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
