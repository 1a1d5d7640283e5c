"""The knowledge base: articles in versions, the passages they are found by, complaints about them."""

from libs.common.runtime.migrations import execute

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE articles (
    article_id text NOT NULL,
    version bigint NOT NULL,
    version_id uuid NOT NULL UNIQUE,
    title text NOT NULL,
    body text NOT NULL,
    owner text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    expires_at timestamptz,
    review_at timestamptz,
    source text,
    audience text,
    codes jsonb NOT NULL,
    asked jsonb NOT NULL,
    elsewhere jsonb NOT NULL,
    digest bytea NOT NULL,
    model text NOT NULL,
    meant bytea NOT NULL,
    latest boolean NOT NULL,
    told_until timestamptz,
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    PRIMARY KEY (article_id, version)
);
CREATE UNIQUE INDEX articles_latest ON articles (article_id) WHERE latest;
CREATE INDEX articles_listed ON articles (imported_at, version_id) WHERE latest;

CREATE TABLE passages (
    article_id text NOT NULL,
    version bigint NOT NULL,
    anchor text NOT NULL,
    heading text NOT NULL,
    text text NOT NULL,
    asked jsonb NOT NULL,
    meant bytea NOT NULL,
    terms tsvector NOT NULL,
    PRIMARY KEY (article_id, version, anchor),
    FOREIGN KEY (article_id, version) REFERENCES articles ON DELETE CASCADE
);
CREATE INDEX passages_terms ON passages USING gin (terms);

CREATE TABLE complaints (
    complaint_id uuid PRIMARY KEY,
    article_id text NOT NULL,
    version bigint NOT NULL,
    anchor text,
    owner text NOT NULL,
    ticket_id uuid,
    reason text NOT NULL,
    note text,
    by text NOT NULL,
    opened_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text,
    resolution text,
    resolved_version bigint
);
CREATE INDEX complaints_opened ON complaints (opened_at, complaint_id);
CREATE INDEX complaints_article ON complaints (article_id);
CREATE INDEX complaints_ticket ON complaints (ticket_id) WHERE ticket_id IS NOT NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
