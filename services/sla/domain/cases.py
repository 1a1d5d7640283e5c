"""A supervision case 督办: what it stands on, who is supervised, who owns it, and what was done on it.

One subject, a ticket or a hot event, has at most one open case. Each has an owner at every moment while it is open.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from libs.common.city.supervision import Fault
from libs.common.contracts.envelope import Event
from libs.common.contracts.sla import (
    Evidence,
    SupervisionAbout,
    SupervisionGround,
    SupervisionOutcome,
    SupervisionStep,
    SupervisionStepped,
)
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.owners import Rules

CaseState = Literal["open", "answered", "accepted", "closed"]
TOP = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground a case stands on, since `at`. `mark` says which life of the ticket, which return, which flare-up.

    `note` is why a person put it under supervision, redacted; `by` the key's name. It is over since `over_at`.
    """

    code: SupervisionGround
    level: int
    at: datetime
    mark: int = 0
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    by: str = ""
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the supervised unit said, and what the owner made of it. `accepted` is None until then."""

    unit: UnitRef
    at: datetime
    note: str
    accepted: bool | None = None
    judged_at: datetime | None = None
    judgement: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A look on the spot that the owner ordered. `holds`: what the unit says was found to be so."""

    check_id: UUID
    unit: UnitRef
    task: str
    ordered_at: datetime
    due_at: datetime
    found_at: datetime | None = None
    holds: bool | None = None
    finding: str = ""
    missed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting of several units 协调会. `attended` are the codes of those that came."""

    meeting_id: UUID
    units: tuple[UnitRef, ...]
    called_at: datetime
    at: datetime
    agenda: str
    attended: tuple[str, ...] = ()
    concluded_at: datetime | None = None
    conclusion: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a meeting's conclusion binds a unit to do, and by when."""

    duty_id: UUID
    meeting_id: UUID
    unit: UnitRef
    task: str
    due_at: datetime
    done_at: datetime | None = None
    note: str = ""
    missed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Points that are proposed to be taken off a unit. `fault` is `hand` where a person proposed it."""

    proposal_id: UUID
    unit: UnitRef
    fault: Fault | Literal["hand"]
    points: float
    at: datetime
    level: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A supervision case. Level 1 street, 2 district, 3 city joint; `turn` counts the cases of one subject.

    `unit` is supervised and has until `answer_due_at` to answer; `unanswered_at`: that passed where no level is above.
    Where nobody else is awaited the owner acts until `owner_due_at`.
    `place` is the unit of the street or district of a matter that nobody leads. `chosen`: a person named the owner.
    `past` are the last marks of grounds that earlier cases stood on. A hot event's case holds `tickets`.
    """

    subject: UUID
    turn: int
    about: SupervisionAbout
    number: str
    state: CaseState
    level: int
    grounds: tuple[Ground, ...]
    unit_code: str | None
    unit_name: str | None
    owner_code: str
    owner_name: str
    opened_at: datetime
    raised_at: datetime
    place: str | None = None
    chosen: bool = False
    answer_due_at: datetime | None = None
    unanswered_at: datetime | None = None
    answers: tuple[Answer, ...] = ()
    checks: tuple[Check, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    duties: tuple[Duty, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    tickets: tuple[UUID, ...] = ()
    past: Mapping[SupervisionGround, int] | None = None
    closed_at: datetime | None = None
    outcome: SupervisionOutcome | None = None
    note: str = ""
    owner_due_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether somebody still owns it."""
        return self.state != "closed"

    @property
    def unit(self) -> UnitRef | None:
        """Who is supervised."""
        return UnitRef(code=self.unit_code, name=self.unit_name or "") if self.unit_code else None

    @property
    def owner(self) -> UnitRef:
        """Who answers for the case."""
        return UnitRef(code=self.owner_code, name=self.owner_name)

    @property
    def standing(self) -> tuple[Ground, ...]:
        """The grounds that are not over."""
        return tuple(ground for ground in self.grounds if ground.over_at is None)

    @property
    def owed(self) -> bool:
        """Whether anyone still owes what was ordered or agreed on it."""
        return (
            any(check.found_at is None for check in self.checks)
            or any(meeting.concluded_at is None for meeting in self.meetings)
            or any(duty.done_at is None for duty in self.duties)
        )

    @property
    def awaited(self) -> bool:
        """Whether the supervised unit has still to answer: no longer once nothing stands that it could answer for."""
        asked = self.state == "open" and self.answer_due_at is not None
        return asked and not self.unanswered_at and bool(self.standing)

    @property
    def next_due(self) -> datetime | None:
        """When the case must be looked at if nobody does anything."""
        if not self.open:
            return None
        waiting = [self.answer_due_at if self.awaited else self.owner_due_at]
        waiting += [check.due_at for check in self.checks if not check.found_at and not check.missed_at]
        waiting += [duty.due_at for duty in self.duties if not duty.done_at and not duty.missed_at]
        return min((at for at in waiting if at), default=None)

    @property
    def involved(self) -> frozenset[str]:
        """The units that have a part in it."""
        units = {self.unit_code, self.owner_code, *(check.unit.code for check in self.checks)}
        units |= {unit.code for meeting in self.meetings for unit in meeting.units}
        return frozenset(code for code in (*units, *(duty.unit.code for duty in self.duties)) if code)

    @property
    def without_words(self) -> "Case":
        """The case without what anybody wrote."""
        return replace(
            self, note="",
            grounds=tuple(replace(one, note="") for one in self.grounds),
            answers=tuple(replace(one, note="", judgement="") for one in self.answers),
            checks=tuple(replace(one, task="", finding="") for one in self.checks),
            meetings=tuple(replace(one, agenda="", conclusion="") for one in self.meetings),
            duties=tuple(replace(one, task="", note="") for one in self.duties),
            proposals=tuple(replace(one, note="") for one in self.proposals),
        )  # fmt: skip


CaseStep = tuple[Case, list[Event]]


def told(case: Case, now: datetime) -> dict[str, Any]:
    """Return what every event of a case says."""
    grounds = case.standing or case.grounds
    return {
        "level": case.level,
        "ground": grounds[0].code,
        "unit": case.unit,
        "owner": case.owner,
        "about": case.about,
        "grounds": tuple(dict.fromkeys(ground.code for ground in grounds)),
        "turn": case.turn,
        "at": now,
    }


def stepped(case: Case, step: SupervisionStep, now: datetime, **more: Any) -> SupervisionStepped:
    """Return the event of something done on a case."""
    return SupervisionStepped(**told(case, now), step=step, **more)


def asked(case: Case, rules: Rules, now: datetime, until: datetime | None = None) -> Case:
    """Have the supervised unit answer anew; a case nobody is supervised on waits for a unit."""
    due = (until or now + rules.limit(case.level)) if case.unit_code else None
    return replace(case, state="open", answer_due_at=due, unanswered_at=None, owner_due_at=None)


def owned(case: Case, rules: Rules, now: datetime) -> Case:
    """Give a case the owner that its level and unit call for, unless a person chose one that still can be."""
    chosen = rules.units.get(case.owner_code)
    day = now.astimezone(rules.zone).date()
    if case.chosen and chosen and chosen.exists(day) and chosen.code != case.unit_code:
        return case
    owner = rules.owner(case.level, case.unit_code, case.place, now)
    return replace(case, owner_code=owner.code, owner_name=owner.name, chosen=False)


def kept(case: Case, rules: Rules, now: datetime) -> CaseStep:
    """Return an open case with an owner that is there: if its own ended, or is gone from the list, with the next."""
    owner = rules.units.get(case.owner_code)
    if not case.open or (owner and owner.exists(now.astimezone(rules.zone).date())):
        return case, []
    moved = owned(replace(case, chosen=False), rules, now)
    return moved, [stepped(moved, "handed_over", now, by=moved.owner)] if moved != case else []


def wordless(events: Iterable[Event]) -> list[Event]:
    """Return events as they are told where words were deleted: without any."""
    return [_wordless(event) for event in events]


def _wordless(event: Event) -> Event:
    kept: dict[str, Any] = {"note": None} if getattr(event, "note", None) else {}
    if isinstance(event, SupervisionStepped):
        kept["bound"] = tuple(one.model_copy(update={"task": ""}) for one in event.bound)
    return event.model_copy(update=kept)
