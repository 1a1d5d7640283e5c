"""More time: asked for by the lead, granted or refused by the level that may grant so much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from libs.common.city.policies import Level
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import ClockExtended
from libs.common.contracts.vocabulary import ClockName
from services.sla.domain.clocks import extend, told
from services.sla.domain.policy import Book, Policy
from services.sla.domain.times import Clock, NotPossibleError

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class Extension:
    """More time that was asked for. `level` is the least that may grant it.

    `seconds` are as asked: a whole day of them is a day of work where the clock counts these.
    """

    extension_id: UUID
    ticket_id: UUID
    round: int
    clock: ClockName
    seconds: int
    reason: str
    by: str
    asked_at: datetime
    level: Level
    state: Literal["asked", "granted", "refused"] = "asked"
    unit_code: str | None = None
    ruled_by: str | None = None
    ruled_at: datetime | None = None
    note: str | None = None


def asked(
    extension_id: UUID, clock: Clock, span: timedelta, reason: str, by: str, before: Sequence[Extension], book: Book,
    now: datetime,
) -> Extension:  # fmt: skip
    """Return the wish for more time. Raises NotPossibleError where no level may grant it."""
    mine = [one for one in before if (one.round, one.clock) == (clock.round, clock.name)]
    if not clock.open or clock.light == "red":
        raise NotPossibleError(
            f"the {clock.name} clock is {'red' if clock.open else clock.state}: too late to extend it"
        )
    if any(one.state == "asked" for one in mine):
        raise NotPossibleError("more time was asked for already and is not ruled on yet")
    policy = book.named(clock.policy, clock.started_at)
    level = next((level for level in LEVELS if _may(level, span, mine, policy)), None)
    if level is None:
        raise NotPossibleError("no level may grant so much, or so often")
    seconds = int(span.total_seconds())
    return Extension(
        extension_id, clock.ticket_id, clock.round, clock.name, seconds, reason, by, now, level,
        unit_code=clock.unit_code,
    )  # fmt: skip


def _may(level: Level, span: timedelta, before: Sequence[Extension], policy: Policy) -> bool:
    grants = policy.extensions.get(level)
    used = sum(one.state == "granted" and one.level == level for one in before)
    return grants is not None and span <= grants.at_most and used < grants.times


def ruled(
    extension: Extension, clock: Clock | None, by: str, level: Level, note: str | None, book: Book, now: datetime,
    *, granted: bool,
) -> tuple[Extension, Clock | None, list[Event]]:  # fmt: skip
    """Grant or refuse more time. Raises NotPossibleError if that was done, or is for another level, or it is over."""
    if extension.state != "asked":
        raise NotPossibleError(f"it was {extension.state} already")
    if LEVELS.index(level) < LEVELS.index(extension.level):
        raise NotPossibleError(f"so much more time is for the {extension.level} to grant")
    if granted and (clock is None or not clock.open):
        raise NotPossibleError("the clock has ended")
    ended = replace(extension, state="granted" if granted else "refused", ruled_by=by, ruled_at=now, note=note)
    if clock is None or not granted:
        return ended, clock, []
    policy = book.named(clock.policy, clock.started_at)
    seconds = int(policy.in_time(timedelta(seconds=extension.seconds), clock.count).total_seconds())
    after = extend(clock, seconds, book, now)
    event = ClockExtended(
        **told(after), previous_due_at=clock.due_at, by=by, reason=extension.reason,
        extension_id=extension.extension_id, level=level, seconds=seconds, note=note, unit=clock.unit,
    )  # fmt: skip
    return ended, after, [event]
