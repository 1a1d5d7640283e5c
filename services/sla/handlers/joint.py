"""What several units do on a supervision case: looks on the spot, meetings, duties."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import wrong_field
from libs.common.runtime.security import Principal
from services.sla.domain.cases import Case, Check, Duty, Meeting
from services.sla.domain.joint import attend, call_meeting, conclude, find, fulfil, order_check
from services.sla.handlers.around import Here
from services.sla.handlers.overseeing import case_command, unit_of


@dataclass(frozen=True, slots=True)
class Bound:
    """What a conclusion binds a unit to, as it came in."""

    unit: str
    task: str
    due_at: datetime


async def send_check(tx: Tx, here: Here, who: Principal, subject: UUID, unit: str, task: str, due_at: datetime) -> Case:
    """Send a unit to look on the spot."""
    due = _later(due_at, tx.now, "due_at")
    check = Check(here.clock.new_id(), unit_of(here, unit, "unit"), task, tx.now, due)
    return await case_command(tx, here, who, subject, "check", lambda c, now: order_check(c, check, now))


async def report(
    tx: Tx, here: Here, who: Principal, subject: UUID, check_id: UUID, finding: str, *, holds: bool
) -> Case:
    """Say what a look on the spot found."""
    return await case_command(
        tx, here, who, subject, "find", lambda c, now: find(c, check_id, finding, now, holds=holds),
        lambda c: next((one.unit.code for one in c.checks if one.check_id == check_id), None),
    )  # fmt: skip


async def call_together(
    tx: Tx, here: Here, who: Principal, subject: UUID, units: Sequence[str], at: datetime, agenda: str
) -> Case:
    """Call several units together."""
    if len(set(units)) != len(units):
        raise wrong_field("units", "must name each unit once")
    called = tuple(unit_of(here, unit, "units") for unit in units)
    meeting = Meeting(here.clock.new_id(), called, tx.now, _later(at, tx.now, "at"), agenda)
    return await case_command(tx, here, who, subject, "meet", lambda c, now: call_meeting(c, meeting, now))


async def come(tx: Tx, here: Here, who: Principal, subject: UUID, meeting_id: UUID, unit: str) -> Case:
    """Note that a unit came to a meeting; the unit itself says so, or a supervisor."""
    return await case_command(
        tx, here, who, subject, "attend", lambda c, now: attend(c, meeting_id, unit, now), lambda _: unit
    )


async def conclude_with(
    tx: Tx, here: Here, who: Principal, subject: UUID, meeting_id: UUID, conclusion: str, bound: Iterable[Bound]
) -> Case:
    """Say what a meeting came to, and whom it binds to do what by when."""
    duties = tuple(
        Duty(
            here.clock.new_id(), meeting_id, unit_of(here, one.unit, "duties.unit"), one.task,
            _later(one.due_at, tx.now, "duties.due_at"),
        )
        for one in bound
    )  # fmt: skip
    return await case_command(
        tx, here, who, subject, "conclude", lambda c, now: conclude(c, meeting_id, conclusion, duties, now)
    )


async def fulfil_duty(tx: Tx, here: Here, who: Principal, subject: UUID, duty_id: UUID, note: str) -> Case:
    """Say that what a unit was bound to is done."""
    return await case_command(
        tx, here, who, subject, "fulfil", lambda c, now: fulfil(c, duty_id, note, now),
        lambda c: next((one.unit.code for one in c.duties if one.duty_id == duty_id), None),
    )  # fmt: skip


def _later(at: datetime, now: datetime, field: str) -> datetime:
    if at <= now:
        raise wrong_field(field, "must lie in the future")
    return at.astimezone(UTC)
