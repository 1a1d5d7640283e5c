"""Alerts and what became of them; the board's counts, kept by the database with every change of a clock or a case."""

from libs.common.runtime.migrations import execute

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE alerts (
    alert_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    round int NOT NULL,
    clock text NOT NULL,
    mark text NOT NULL,
    "to" text NOT NULL,
    unit_code text,
    unit_name text,
    number text NOT NULL,
    urgency text NOT NULL,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    notice text,
    dropped text,
    UNIQUE NULLS NOT DISTINCT (ticket_id, round, clock, mark, "to", due_at, unit_code)
);
CREATE INDEX alerts_order ON alerts (created_at, alert_id);
CREATE INDEX alerts_unit ON alerts (unit_code, created_at, alert_id);
CREATE INDEX alerts_notice ON alerts (notice) WHERE notice IS NOT NULL;
CREATE INDEX alerts_held ON alerts (at, "to") WHERE notice IS NULL AND dropped IS NULL;
CREATE INDEX notices_waiting ON notices ("to", created_at, key) WHERE next_at IS NOT NULL;
CREATE INDEX notices_state ON notices (state, created_at) WHERE state <> 'sent';
CREATE INDEX notices_order ON notices (created_at, (md5(key)::uuid));
CREATE INDEX notices_unit ON notices (split_part(split_part("to", ':', 2), '/', 1), created_at);
"""

COUNTED = """SELECT coalesce(unit_code, '') AS unit_code, category, name,
    coalesce(sum(n) FILTER (WHERE light = 'green'), 0) AS green,
    coalesce(sum(n) FILTER (WHERE light = 'yellow'), 0) AS yellow,
    coalesce(sum(n) FILTER (WHERE light = 'red'), 0) AS red,
    coalesce(sum(n) FILTER (WHERE state = 'paused'), 0) AS paused"""
OPEN = "WHERE state IN ('running', 'paused')"
# Each statement that changes clocks adds what it changed, however many they are: nobody waits for a counter, and nobody
# can forget to count.
BOARD = """
ALTER TABLE clocks ADD COLUMN category text NOT NULL DEFAULT '';
CREATE INDEX clocks_soon ON clocks (due_at) INCLUDE (unit_code, category, name) WHERE state = 'running';
CREATE INDEX clocks_lit ON clocks (light, due_at, ticket_id) WHERE state IN ('running', 'paused') AND light <> 'green';
CREATE INDEX clocks_category ON clocks (category, due_at, ticket_id) WHERE state IN ('running', 'paused');
CREATE INDEX supervision_board ON supervision (unit_code, level) WHERE closed_at IS NULL;

CREATE TABLE board_counts (
    unit_code text NOT NULL,
    category text NOT NULL,
    clock text NOT NULL,
    green bigint NOT NULL,
    yellow bigint NOT NULL,
    red bigint NOT NULL,
    paused bigint NOT NULL,
    PRIMARY KEY (unit_code, category, clock)
) WITH (fillfactor = 70);
CREATE TABLE board_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_code text NOT NULL,
    category text NOT NULL,
    clock text NOT NULL,
    green bigint NOT NULL,
    yellow bigint NOT NULL,
    red bigint NOT NULL,
    paused bigint NOT NULL
);
CREATE FUNCTION board_begun() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO board_changes (unit_code, category, clock, green, yellow, red, paused) {counted}
    FROM (SELECT *, 1 AS n FROM now_rows) changed {open} GROUP BY 1, 2, 3
    ; RETURN NULL; END
$$;
CREATE FUNCTION board_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO board_changes (unit_code, category, clock, green, yellow, red, paused)
    SELECT * FROM ({counted}
        FROM (SELECT *, 1 AS n FROM now_rows UNION ALL SELECT *, -1 FROM old_rows) changed {open} GROUP BY 1, 2, 3
    ) counted WHERE green <> 0 OR yellow <> 0 OR red <> 0 OR paused <> 0
    ; RETURN NULL; END
$$;
CREATE FUNCTION board_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO board_changes (unit_code, category, clock, green, yellow, red, paused) {counted}
    FROM (SELECT *, -1 AS n FROM old_rows) changed {open} GROUP BY 1, 2, 3
    ; RETURN NULL; END
$$;
INSERT INTO board_counts {counted} FROM (SELECT *, 1 AS n FROM clocks) changed {open} GROUP BY 1, 2, 3;
CREATE TRIGGER board_begun AFTER INSERT ON clocks
    REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION board_begun();
CREATE TRIGGER board_changed AFTER UPDATE ON clocks
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION board_changed();
CREATE TRIGGER board_gone AFTER DELETE ON clocks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION board_gone();
"""


def upgrade() -> None:
    """Create the tables and the triggers that count."""
    execute(TABLES)
    execute(BOARD.replace("{counted}", COUNTED).replace("{open}", OPEN))
