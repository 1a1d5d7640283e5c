"""Warnings 预警: who is told of a clock's mark, when, and what goes out as one message."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.common.city.nights import Night
from libs.common.city.settings import NoticeDesk, Notices
from libs.common.city.units import Unit, attended
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import ClockBreached, ClockWarned, TaskBreached, TaskWarned
from libs.common.contracts.vocabulary import UnitRef, Urgency
from services.sla.domain.times import Clock

Reached = ClockWarned | ClockBreached | TaskWarned | TaskBreached
Audience = Literal["lead", "above", "unled"]
"""Whose matter a message is to who reads it: their own, that of a unit they stand above, or nobody's yet."""
Dropped = Literal["moot", "overtaken"]
LIGHTS = ("yellow", "red")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Alert:
    """One mark of one clock, to be told to one desk at `at`.

    `clock` is a ticket's, or `part` or `whistle`: what a helper owes. `mark` is the grade of a reminder, or a light.
    `unit_code` leads, or owes the part, None if nobody did. It went out with the `notice`
    of that key, or was `dropped`: its clock is met, another unit's, has more time or is told to be worse; or it goes
    out together with a later mark of that clock.
    """

    alert_id: UUID
    ticket_id: UUID
    round: int
    clock: str
    mark: str
    to: str
    unit_code: str | None
    unit_name: str | None
    number: str
    urgency: Urgency
    due_at: datetime
    created_at: datetime
    at: datetime
    notice: str | None = None
    dropped: Dropped | None = None

    @property
    def unit(self) -> UnitRef | None:
        """Who leads."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None

    @property
    def rank(self) -> tuple[int, int]:
        """How far along its clock the mark is."""
        return (1, LIGHTS.index(self.mark)) if self.mark in LIGHTS else (0, int(self.mark))

    @property
    def audience(self) -> Audience:
        """Whose matter it is to the desk that is told."""
        if self.unit_code is None:
            return "unled"
        return "lead" if self.to.partition("/")[0] == _office(self.unit_code) else "above"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one desk is told in one message, alike in mark and clock; `key` is the message's."""

    key: str
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """How a city tells its units: its rules, its units, the one above all, its time, and the days it works on."""

    rules: Notices
    units: Mapping[str, Unit]
    centre: str
    timezone: ZoneInfo
    works_on: Callable[[date], bool]

    @property
    def night(self) -> Night:
        """When only those are told whose matters may wake somebody."""
        return Night(self.rules.quiet_from, self.rules.quiet_until, self.timezone)

    def due(self, urgency: Urgency, now: datetime) -> datetime:
        """Return when to tell a mark that is reached now: at once, or at the end of the span that gathers its like.

        The spans of a class begin at the same moments for everyone, so what is alike comes due together.
        """
        span = self.rules.digest.get(urgency)
        at = _EPOCH - (_EPOCH - now) // span * span if span else now
        return at if urgency in self.rules.wakes else self.night.over(at)

    def addresses(self, mark: str, urgency: Urgency, lead: UnitRef | None, at: datetime) -> list[str]:
        """Return whom to tell, each once. Before anybody leads that is the desk of the centre."""
        if lead is None:
            return [_office(self.centre)]
        desks = self.rules.tell.get(mark, ("duty",))
        found = [address for desk in desks if (address := self._address(desk, urgency, lead.code, at))]
        return list(dict.fromkeys(found))

    def _address(self, desk: NoticeDesk, urgency: Urgency, lead: str, at: datetime) -> str | None:
        """Return where a desk is told. What cannot wait is told to who is there, if the office itself is closed."""
        unit = self.units.get(lead)
        whose = {"duty": lead, "above": unit.parent if unit else None, "centre": self.centre}
        if desk == "head":
            return f"{_office(lead)}/head"
        code, local = whose[desk], at.astimezone(self.timezone)
        if code and urgency in self.rules.wakes:
            code = attended(self.units, code, local, self.works_on(local.date()))
        return _office(code) if code else None

    def ways(self, to: str, at: datetime) -> tuple[str, ...]:
        """Return where the city's own list of contacts sends what is told to a duty office, of those on duty then."""
        unit, local = self.units.get(to.removeprefix(_office(""))), at.astimezone(self.timezone)
        if unit is None:
            return ()
        by_day = unit.is_open(local, self.works_on(local.date())) and not self.night.covers(at)
        there = {"always", "day" if by_day else "night"}
        return tuple(dict.fromkeys(way for contact in unit.contacts if contact.shift in there for way in contact.ways))


def _office(unit: str) -> str:
    """Return the address of a unit's duty office, as the directory of addresses knows it."""
    return f"unit:{unit}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What happened to a ticket's clocks: as they were, as they are, and what was said of it.

    `urgency` is the ticket's class.
    """

    ticket_id: UUID
    number: str
    urgency: Urgency
    before: Sequence[Clock]
    clocks: Sequence[Clock]
    events: Sequence[Event]

    @property
    def new_lead(self) -> UnitRef | None:
        """Who leads now, if a clock that still runs reached a mark while another unit led, or none."""
        if not any(clock.fired for clock in self.before):
            return None
        whose = {(clock.round, clock.name): clock.unit_code for clock in self.before if clock.fired}
        taken = (c.unit for c in self.clocks if c.open and c.unit_code != whose.get((c.round, c.name), c.unit_code))
        return next(taken, None)


def alerts(moved: Moved, telling: Telling, now: datetime, new_id: Callable[[], UUID]) -> Iterator[Alert]:
    """Yield what to tell of the marks that a ticket reached."""
    for event in moved.events:
        if isinstance(event, Reached):
            yield from _alerts(moved, event, telling, now, new_id)


def _alerts(
    moved: Moved, event: Reached, telling: Telling, now: datetime, new_id: Callable[[], UUID]
) -> Iterator[Alert]:
    mark = event.light if isinstance(event, ClockBreached | TaskBreached) else str(event.grade)
    at, lead = telling.due(moved.urgency, now), event.unit
    for to in telling.addresses(mark, moved.urgency, lead, at):
        yield Alert(
            new_id(), moved.ticket_id, event.round, _clock(event), mark, to, lead.code if lead else None,
            lead.name if lead else None, moved.number, moved.urgency, event.due_at, now, at,
        )  # fmt: skip


def _clock(event: Reached) -> str:
    if isinstance(event, ClockWarned | ClockBreached):
        return event.clock
    return "whistle" if event.role == "whistle" else "part"


def told_again(
    past: Collection[Alert], lead: UnitRef, telling: Telling, now: datetime, new_id: Callable[[], UUID]
) -> list[Alert]:
    """Return what is told to the new lead of a ticket, and above it, of marks reached before: of each clock the last.

    `past` are the alerts of its marks that still stand. Who heard of the mark does not hear of it again.
    """
    last: dict[tuple[int, str], Alert] = {}
    for alert in sorted(past, key=lambda alert: alert.rank):
        last[alert.round, alert.clock] = alert
    heard = {(alert.round, alert.clock, alert.mark, alert.to) for alert in past if alert.notice}
    again = []
    for alert in last.values():
        at = telling.due(alert.urgency, now)
        anew = replace(
            alert, unit_code=lead.code, unit_name=lead.name, created_at=now, at=at, notice=None, dropped=None
        )
        desks = telling.addresses(alert.mark, alert.urgency, lead, at)
        new = [to for to in desks if (alert.round, alert.clock, alert.mark, to) not in heard]
        again += [replace(anew, alert_id=new_id(), to=to) for to in new]
    return again


def bundle(
    due: Sequence[Alert], standing: Mapping[UUID, datetime], new_id: Callable[[], UUID]
) -> tuple[list[Bundle], list[Alert]]:
    """Return the messages that these alerts make, and those that nobody needs any more, as dropped.

    `standing` has by when the clock of an alert is due now, by the alert's id, if its mark still stands. Of marks of
    one clock that one desk hears of at once, it is told the last.
    """
    dropped = [replace(alert, dropped="moot") for alert in due if alert.alert_id not in standing]
    stand = [replace(alert, due_at=standing[alert.alert_id]) for alert in due if alert.alert_id in standing]
    last: dict[object, Alert] = {}
    for alert in sorted(stand, key=lambda alert: alert.rank):
        place = (alert.to, alert.ticket_id, alert.round, alert.clock)
        if place in last:
            dropped.append(replace(last[place], dropped="overtaken"))
        last[place] = alert
    return list(_alike(last.values(), new_id)), dropped


def _alike(told: Iterable[Alert], new_id: Callable[[], UUID]) -> Iterator[Bundle]:
    groups: dict[object, list[Alert]] = {}
    for alert in told:
        groups.setdefault((alert.to, alert.audience, alert.clock, alert.mark), []).append(alert)
    for alike in groups.values():
        key = str(new_id())
        yield Bundle(key, tuple(replace(alert, notice=key) for alert in sorted(alike, key=lambda a: a.due_at)))
