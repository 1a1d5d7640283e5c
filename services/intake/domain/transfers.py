"""Outward transfers 转办: an appeal that belongs to a body outside the city's units, its receipt, and the way back.

What a command does, and from where, is the table TRANSFERS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from services.intake.domain.tickets import NotPossibleError

TransferState = Literal["sent", "receipted", "returned"]
TransferCommand = Literal["transfer", "receipt", "return"]


@dataclass(frozen=True, slots=True)
class TransferStep:
    """One row of the table: from which states, by which roles, to which state."""

    sources: tuple[TransferState, ...]
    roles: tuple[Literal["seat", "supervisor"], ...]
    to: TransferState


TRANSFERS: Mapping[TransferCommand, TransferStep] = MappingProxyType(
    {
        "transfer": TransferStep((), ("seat", "supervisor"), "sent"),
        "receipt": TransferStep(("sent", "receipted"), ("seat", "supervisor"), "receipted"),
        "return": TransferStep(("sent", "receipted"), ("seat", "supervisor"), "returned"),
    }
)


@dataclass(frozen=True, slots=True)
class Transferred:
    """One transfer of a ticket: to which body, by its code and Chinese name, why, and what became of it.

    `receipt` is the number the body gave. `reason` and `why_returned` are redacted. `by`, `receipted_by` and
    `returned_by` are the clients who passed it on, noted its number, and took it back.
    """

    transfer_id: UUID
    ticket_id: UUID
    body: str
    name: str
    reason: str
    by: str
    at: datetime
    state: TransferState = "sent"
    receipt: str | None = None
    receipted_at: datetime | None = None
    receipted_by: str | None = None
    returned_at: datetime | None = None
    returned_by: str | None = None
    why_returned: str | None = None


def receipted(transfer: Transferred, receipt: str, by: str, now: datetime) -> Transferred:
    """Note the number the body gave; a wrong one may be put right. Raises NotPossibleError once it was sent back."""
    _require(transfer, "receipt")
    return replace(transfer, state=TRANSFERS["receipt"].to, receipt=receipt, receipted_at=now, receipted_by=by)


def returned(transfer: Transferred, why: str, by: str, now: datetime) -> Transferred:
    """Note that the body sent the appeal back. Raises NotPossibleError if it did before."""
    _require(transfer, "return")
    return replace(transfer, state=TRANSFERS["return"].to, returned_at=now, returned_by=by, why_returned=why)


def _require(transfer: Transferred, command: TransferCommand) -> None:
    if transfer.state not in TRANSFERS[command].sources:
        raise NotPossibleError(f"the transfer was {transfer.state}")
