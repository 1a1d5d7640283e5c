"""Hot events: what is counted of each ticket, what is usual, the events and their members."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE sightings (
    ticket_id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    code text NOT NULL,
    district text NOT NULL,
    street text NOT NULL,
    voice bigint NOT NULL,
    urgent boolean NOT NULL,
    mood float8 NOT NULL,
    vulnerable boolean NOT NULL,
    safety boolean NOT NULL,
    words jsonb NOT NULL
) WITH (fillfactor = 90);
CREATE INDEX sightings_at ON sightings (at);
CREATE INDEX sightings_code ON sightings (code, at);

CREATE TABLE hotspots (
    hotspot_id uuid PRIMARY KEY,
    state text NOT NULL,
    matter jsonb NOT NULL,
    span float8 NOT NULL,
    expected float8 NOT NULL,
    raised_at timestamptz NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    pulse jsonb NOT NULL,
    risk text NOT NULL,
    reasons jsonb NOT NULL,
    told_voices bigint NOT NULL,
    quiet_since timestamptz,
    cooled_at timestamptz
);
CREATE INDEX hotspots_hot ON hotspots (raised_at) WHERE state = 'hot';
CREATE INDEX hotspots_raised ON hotspots (raised_at, hotspot_id);

CREATE TABLE hotspot_members (
    hotspot_id uuid NOT NULL REFERENCES hotspots ON DELETE CASCADE,
    ticket_id uuid NOT NULL,
    at timestamptz NOT NULL,
    code text NOT NULL,
    district text NOT NULL,
    street text NOT NULL,
    voice bigint NOT NULL,
    urgent boolean NOT NULL,
    mood float8 NOT NULL,
    vulnerable boolean NOT NULL,
    safety boolean NOT NULL,
    PRIMARY KEY (hotspot_id, ticket_id)
);
CREATE INDEX hotspot_members_ticket ON hotspot_members (ticket_id);
CREATE INDEX hotspot_members_at ON hotspot_members (at);

CREATE TABLE hotspot_looks (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    looked_at timestamptz NOT NULL,
    learnt date,
    baseline bytea
);
INSERT INTO hotspot_looks (looked_at) VALUES ('2000-01-01T00:00:00Z');
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
