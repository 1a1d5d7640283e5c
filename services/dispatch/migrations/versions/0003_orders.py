"""What an order keeps of the work on it."""

from libs.common.runtime.migrations import execute

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE tasks (
    ticket_id uuid NOT NULL,
    task_id uuid NOT NULL,
    round int NOT NULL,
    role text NOT NULL,
    state text NOT NULL,
    unit_code text NOT NULL,
    unit_name text NOT NULL,
    named boolean NOT NULL,
    assigned_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    asked text,
    contact text,
    accepted_at timestamptz,
    turned_up_at timestamptz,
    ended_at timestamptz,
    note text,
    relief_ground text,
    relief_note text,
    PRIMARY KEY (ticket_id, task_id)
) WITH (fillfactor = 80);
CREATE INDEX tasks_owed ON tasks (unit_code, due_at, task_id) WHERE state IN ('assigned', 'accepted', 'arrived');
CREATE INDEX tasks_relief ON tasks (due_at, task_id) WHERE relief_ground IS NOT NULL;
CREATE INDEX tasks_whistles ON tasks (assigned_at, unit_code) WHERE role = 'whistle';

INSERT INTO tasks (ticket_id, task_id, round, role, state, unit_code, unit_name, named, assigned_at, due_at)
SELECT ticket_id, gen_random_uuid(), round, 'co_handler', 'assigned', unit ->> 'code', unit ->> 'name', true,
    dispatched_at, dispatched_at + interval '3 days 12 hours'
FROM orders, jsonb_array_elements(co_handlers) AS unit
WHERE state IN ('dispatched', 'accepted', 'in_progress', 'returned', 'resolved');

CREATE TABLE order_files (
    file_id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL,
    unit_code text NOT NULL,
    state text NOT NULL,
    shows text NOT NULL,
    key bytea NOT NULL,
    digest bytea NOT NULL,
    kind text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX order_files_ticket ON order_files (ticket_id) WHERE state = 'kept';
CREATE INDEX order_files_loose ON order_files (at) WHERE state <> 'kept';
"""


def upgrade() -> None:
    """Change the tables."""
    execute(TABLES)
