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
from services.dispatch.store.orders import Filters, list_orders, orders_of, save

__all__ = [
    "Filters",
    "TurnedUp",
    "begin_file",
    "condemned",
    "count_files",
    "drop_files",
    "files_of",
    "forget_files",
    "keep_file",
    "list_orders",
    "list_owed",
    "orders_of",
    "save",
    "save_tasks",
    "tasks_of",
    "turned_up",
]
