"""The tables of sla and all its SQL."""

from services.sla.store.board import FOLD_LIMIT, Coming, Line, Wanted, board_lines, board_version, coming, counts, fold
from services.sla.store.clocks import clocks_of, open_clocks, save_clocks
from services.sla.store.extensions import extension_of, extensions_of, open_extensions, save_extension
from services.sla.store.links import earliest, join, part
from services.sla.store.notices import (
    AlertState,
    Message,
    NoticeState,
    add_alerts,
    any_alert_due,
    due_alerts,
    hand_on,
    list_alerts,
    list_notices,
    notices_to,
    standing,
    standing_alerts,
)
from services.sla.store.tasks import save_tasks, tasks_of

__all__ = [
    "FOLD_LIMIT",
    "AlertState",
    "Coming",
    "Line",
    "Message",
    "NoticeState",
    "Wanted",
    "add_alerts",
    "any_alert_due",
    "board_lines",
    "board_version",
    "clocks_of",
    "coming",
    "counts",
    "due_alerts",
    "earliest",
    "extension_of",
    "extensions_of",
    "fold",
    "hand_on",
    "join",
    "list_alerts",
    "list_notices",
    "notices_to",
    "open_clocks",
    "open_extensions",
    "part",
    "save_clocks",
    "save_extension",
    "save_tasks",
    "standing",
    "standing_alerts",
    "tasks_of",
]
