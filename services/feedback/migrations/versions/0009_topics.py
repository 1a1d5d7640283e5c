"""What is counted of matters week by week, hot events, topics, campaigns, and the library of solutions."""

from libs.common.runtime.migrations import execute

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE matter_weeks (
    week date NOT NULL,
    code text NOT NULL,
    district text NOT NULL,
    level1 text NOT NULL,
    level2 text NOT NULL,
    tickets int NOT NULL,
    linked int NOT NULL,
    supported int NOT NULL,
    again int NOT NULL,
    repeated int NOT NULL,
    returned int NOT NULL,
    answered int NOT NULL,
    solved int NOT NULL,
    streets int NOT NULL,
    PRIMARY KEY (week, code, district)
);
CREATE TABLE matter_counts (
    week date PRIMARY KEY,
    counted_at timestamptz NOT NULL
);
CREATE INDEX bounces_of_tickets ON bounces (ticket_id);

CREATE TABLE hot_matters (
    hotspot_id uuid PRIMARY KEY,
    sequence bigint NOT NULL,
    code text NOT NULL,
    level1 text NOT NULL,
    level2 text NOT NULL,
    level3 text NOT NULL,
    hot boolean NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX hot_matters_last ON hot_matters (last_at);

CREATE TABLE topic_months (
    period text PRIMARY KEY,
    proposed_at timestamptz NOT NULL,
    topics int NOT NULL
);
CREATE TABLE topics (
    topic_id uuid PRIMARY KEY,
    period text NOT NULL,
    rank int NOT NULL,
    state text NOT NULL,
    codes jsonb NOT NULL,
    category jsonb NOT NULL,
    title text NOT NULL,
    district text,
    since text NOT NULL,
    first text NOT NULL,
    last text NOT NULL,
    tally jsonb NOT NULL,
    score jsonb NOT NULL,
    low float8 NOT NULL,
    basis text,
    hot_weeks int NOT NULL,
    streets float8 NOT NULL,
    districts jsonb NOT NULL,
    questions jsonb NOT NULL,
    units jsonb NOT NULL,
    ends jsonb NOT NULL,
    kinds jsonb NOT NULL,
    proposed_at timestamptz,
    decided_at timestamptz,
    decided_by text,
    note text
);
CREATE INDEX topics_period ON topics (period, rank);

CREATE TABLE campaigns (
    campaign_id uuid PRIMARY KEY,
    state text NOT NULL,
    title text NOT NULL,
    codes jsonb NOT NULL,
    category jsonb NOT NULL,
    district text,
    lead_code text NOT NULL,
    lead_name text NOT NULL,
    co_leads jsonb NOT NULL,
    questions jsonb NOT NULL,
    measures jsonb NOT NULL,
    notes jsonb NOT NULL,
    tickets int NOT NULL,
    since text NOT NULL,
    picked_by text NOT NULL,
    acts_from text NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    closed_at timestamptz,
    closed_by text,
    result text,
    effect jsonb
);
CREATE INDEX campaigns_order ON campaigns (opened_at, campaign_id);

CREATE TABLE solutions (
    solution_id uuid PRIMARY KEY,
    state text NOT NULL,
    title text NOT NULL,
    what text NOT NULL,
    codes jsonb NOT NULL,
    groups jsonb NOT NULL,
    districts jsonb NOT NULL,
    articles jsonb NOT NULL,
    campaign_id uuid,
    effect jsonb,
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    note text
);
CREATE INDEX solutions_order ON solutions (made_at, solution_id);
CREATE INDEX solutions_groups ON solutions USING gin (groups);
CREATE INDEX solutions_codes ON solutions USING gin (codes);
"""


def upgrade() -> None:
    """Create the tables."""
    execute(TABLES)
