"""Evidence: files that units add to an order, to show what was there and what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.contracts.vocabulary import FileKind
from services.dispatch.domain.orders import Order
from services.dispatch.domain.working import NotPossibleError

Shows = Literal["before", "after", "other"]
FileState = Literal["writing", "kept", "condemned"]
MOST_FILES = 30
"""As many an order ever has."""


@dataclass(frozen=True, slots=True)
class OrderFile:
    """A file as dispatch keeps it: the bytes are sealed in the store under `file_id`, and `key`, sealed, opens them.

    `digest` is the SHA-256 of the bytes, `size` their number, `unit_code` the unit that brought them.
    """

    file_id: UUID
    ticket_id: UUID
    unit_code: str
    state: FileState
    shows: Shows
    key: bytes
    digest: bytes
    kind: FileKind
    media_type: str
    size: int
    at: datetime


def check_file(order: Order, files: Sequence[OrderFile]) -> None:
    """Raise NotPossibleError if no file may be added to an order now."""
    if order.state in {"recalled", "closed"}:
        raise NotPossibleError(f"the order is {order.state}; files are added while it is worked on or asked about")
    if len(files) >= MOST_FILES:
        raise NotPossibleError(f"the order has {MOST_FILES} files already")
