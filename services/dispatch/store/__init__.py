"""The tables of dispatch and all its SQL."""

from services.dispatch.store.files import (
    begin_file,
    condemned,
    count_files,
    drop_files,
    files_of,
    forget_files,
    keep_file,
)
from services.dispatch.store.helping import TurnedUp, list_owed, save_tasks, tasks_of, turned_up
from services.dispatch.store.orders import Filters, facts_of, list_orders, orders_of, save
from services.dispatch.store.returning import Bounces, bounces, list_returns, returns_of, save_returns
from services.dispatch.store.supplementing import add_supplements, forget_supplements, supplements_of
from services.dispatch.store.verifying import lookers, open_verifications, save_verifications, verifications_of

__all__ = [
    "Bounces",
    "Filters",
    "TurnedUp",
    "add_supplements",
    "begin_file",
    "bounces",
    "condemned",
    "count_files",
    "drop_files",
    "facts_of",
    "files_of",
    "forget_files",
    "forget_supplements",
    "keep_file",
    "list_orders",
    "list_owed",
    "list_returns",
    "lookers",
    "open_verifications",
    "orders_of",
    "returns_of",
    "save",
    "save_returns",
    "save_tasks",
    "save_verifications",
    "supplements_of",
    "tasks_of",
    "turned_up",
    "verifications_of",
]
