"""Dated versions of what a city pack says: which of them is in force, and what was before it."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID


class Dated(Protocol):
    """What every activation tells, whatever it puts in force."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def activation_id(self) -> UUID:
        """Which one it is."""

    @property
    def from_at(self) -> datetime:
        """From when on."""

    @property
    def what(self) -> Hashable:
        """What it puts in force."""

    @property
    def made_at(self) -> datetime:
        """When it was made known."""

    @property
    def by(self) -> str | None:
        """Who said so; None where the city pack of a release did."""

    @property
    def back_to(self) -> UUID | None:
        """The activation that a roll-back went back to."""

    @property
    def cancelled_at(self) -> datetime | None:
        """When it was taken back; only one that is still to come can be."""


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True)
class TextVersion:
    """A text that was imported. `by` is None for the city pack's own; `rules` counts its rules."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    rules: int


@dataclass(frozen=True, slots=True)
class Activation:
    """From when on a version of a text is in force. `by` is None where the city pack of a release set it.

    `back_to` names the activation that a roll-back went back to. One that is still to come can be cancelled.
    """

    activation_id: UUID
    from_at: datetime
    version: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None = None
    cancelled_at: datetime | None = None

    @property
    def what(self) -> str:
        """The version."""
        return self.version


def standing(activations: Iterable[D], now: datetime) -> tuple[D, ...]:
    """Return what stands at a time, the one in force last, and before it what a roll-back would go back to.

    `activations` come in the order in which they are due.
    """
    stack: list[D] = []
    for one in activations:
        if one.cancelled_at or one.from_at > now:
            continue
        if one.back_to is None:
            stack.append(one)
            continue
        while len(stack) > 1 and stack[-1].activation_id != one.back_to:
            stack.pop()
        # Whoever rolled back chose what stands now, be it the pack's own: a process that starts must not undo it.
        stack[-1:] = [replace(last, by=one.by) for last in stack[-1:]]
    return tuple(stack)


def before(stack: Sequence[Activation]) -> Activation | None:
    """Return what to roll back to, None if no other version was in force."""
    return next((one for one in reversed(stack[:-1]) if one.version != stack[-1].version), None)
