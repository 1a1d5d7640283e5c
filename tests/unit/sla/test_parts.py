"""Clocks of what co-handlers, sub-tasks and whistled units owe: the same however the news of them comes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.contracts.dispatch import HelpRole, TicketAssigned, TicketAssisted, TicketDispatched, TicketRecalled
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef
from services.sla.domain.tasks import TaskClock, Told, closed, fire, heard, next_mark
from services.sla.service import book_of
from tests.support.stages import CITY, NOON
from tests.support.stories import hearings

TICKET, PART, OTHER = (UUID(int=number) for number in (1, 2, 3))
BOOK = book_of(load_city(CITY))
LEAD, HELPER, SECOND = (UnitRef(code=code, name=code) for code in ("dept-water", "dept-roads", "dept-lights"))
DUE = NOON + timedelta(hours=10)


def dispatched(round_: int = 1, *, helpers: Sequence[UnitRef] = (HELPER,)) -> TicketDispatched:
    return TicketDispatched(
        unit=LEAD, co_handlers=tuple(helpers), rule="r", why=("w",), round=round_, at=NOON, help_due_at=DUE
    )


def assigned(part: UUID = OTHER, role: Any = "sub_task", due: datetime | None = DUE) -> TicketAssigned:
    return TicketAssigned(role=role, unit=SECOND, task="t", round=1, at=NOON, task_id=part, due_at=due)


def step(state: Any, part: UUID = OTHER, unit: UnitRef = SECOND, hours: float = 1) -> TicketAssisted:
    at = NOON + timedelta(hours=hours)
    role: HelpRole = "co_handler" if unit is HELPER else "sub_task"
    return TicketAssisted(task_id=part, role=role, unit=unit, state=state, round=1, at=at, due_at=DUE)


class Parts:
    """One ticket's parts as sla follows them, without a database."""

    def __init__(self) -> None:
        self.tasks: dict[tuple[int, str], TaskClock] = {}
        self.over = 0
        self.said: list[Event] = []

    def hear(self, *news: Told | int) -> "Parts":
        for one in news:
            if isinstance(one, int):
                self.over = one
            else:
                self._keep(heard(TICKET, list(self.tasks.values()), one))
            self._keep(closed(self.tasks.values(), self.over))
        return self

    def waits(self, hours: float) -> "Parts":
        self._keep([fire(task, BOOK, NOON + timedelta(hours=hours)) for task in self.tasks.values()])
        return self

    def _keep(self, steps: Sequence[tuple[TaskClock, list[Event]]]) -> None:
        for task, said in steps:
            self.tasks[task.round, task.part] = task
            self.said += said

    @property
    def names(self) -> list[str]:
        return [event.name.partition(".")[2] for event in self.said]

    @property
    def states(self) -> list[tuple[str, str]]:
        return sorted((task.unit_code, task.state) for task in self.tasks.values())


def test_a_co_handler_that_the_hand_over_names_is_timed_and_known_by_its_part_later() -> None:
    parts = Parts().hear(dispatched(), step("accepted", PART, HELPER), step("done", PART, HELPER, hours=11))
    assert parts.names == ["started", "met"]
    (task,) = parts.tasks.values()
    assert (task.task_id, task.due_at, task.met_at) == (PART, DUE, NOON + timedelta(hours=11))
    assert not parts.said[-1].in_time  # type: ignore[attr-defined]  # a TaskMet


@pytest.mark.parametrize("named", [False, True])
def test_a_part_that_is_due_sooner_than_was_said_is_timed_anew_and_one_that_is_not_stays(named: bool) -> None:
    part, sooner = PART if named else OTHER, NOON + timedelta(hours=2)
    again = assigned(part, "co_handler" if named else "sub_task", sooner)
    again = again.model_copy(update={"unit": HELPER}) if named else again
    parts = (
        Parts()
        .hear(dispatched() if named else assigned())
        .waits(5)
        .hear(again, again.model_copy(update={"due_at": DUE}))
    )
    (task,) = parts.tasks.values()
    assert (task.task_id, task.due_at) == (part, sooner)
    assert parts.names == ["started", "warned", "started"]
    assert (parts.said[-1].due_at, parts.said[-1].previous_due_at) == (sooner, DUE)  # type: ignore[attr-defined]
    parts.waits(5.1).hear(step("done", part, HELPER if named else SECOND, hours=6))
    assert parts.names[3:] == ["warned", "warned", "breached", "breached", "met"]


def test_a_part_of_another_role_is_not_taken_for_the_co_handlers() -> None:
    parts = Parts().hear(dispatched(), assigned(OTHER, "sub_task").model_copy(update={"unit": HELPER}))
    assert sorted(task.role for task in parts.tasks.values()) == ["co_handler", "sub_task"]


def test_a_part_is_warned_of_at_the_marks_of_all_clocks_and_each_once() -> None:
    parts = Parts().hear(assigned())
    for hours in (4, 5, 8, 9.5, 9.6, 10, 15, 20):
        parts.waits(hours)
    assert parts.names == ["started", "warned", "warned", "warned", "breached", "breached"]
    assert [event.late for event in parts.said[1:]] == [False] * 5  # type: ignore[attr-defined]
    (task,) = parts.tasks.values()
    assert (task.light, next_mark([task], BOOK)) == ("red", None)


def test_marks_found_late_say_so_in_the_order_in_which_they_were_due() -> None:
    parts = Parts().hear(assigned()).waits(12)
    assert [(e.name, e.late) for e in parts.said[1:]] == [  # type: ignore[attr-defined]
        ("task.warned", True), ("task.warned", True), ("task.warned", True), ("task.breached", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("news", "reason"),
    [(step("relieved"), "relieved"), (step("recalled"), "recalled"), (1, "over"), (dispatched(2, helpers=()), "over"),
     (TicketRecalled(unit=LEAD, reason="linked", round=1, at=NOON), "recalled")],
)  # fmt: skip
def test_what_nobody_owes_any_more_is_not_warned_of(news: Any, reason: str) -> None:
    parts = Parts().hear(assigned(), news).waits(20)
    assert parts.names == ["started", "stopped"]
    assert parts.said[-1].reason == reason  # type: ignore[attr-defined]  # a TaskStopped


def test_an_order_that_is_handed_over_again_times_a_helper_anew_whose_part_was_taken_back() -> None:
    back = TicketRecalled(unit=LEAD, reason="linked", round=1, at=NOON)
    parts = Parts().hear(dispatched(), step("accepted", PART, HELPER), back, dispatched())
    assert parts.names == ["started", "stopped", "started"]
    assert parts.hear(step("done", OTHER, HELPER)).names[-1] == "met"


def test_a_hand_over_that_is_heard_twice_begins_no_second_clock() -> None:
    parts = Parts().hear(dispatched(), step("done", PART, HELPER), dispatched())
    assert (parts.names, parts.states) == (["started", "met"], [("dept-roads", "met")])


def test_a_part_without_a_time_is_not_timed_until_its_unit_says_by_when() -> None:
    assert Parts().hear(assigned(due=None)).tasks == {}
    assert Parts().hear(assigned(due=None), step("accepted")).names == ["started"]


STEPS: list[list[Told]] = [
    [dispatched()],
    [dispatched(), step("accepted", PART, HELPER), assigned()],
    [dispatched(), assigned(), step("accepted"), step("done"), step("done", PART, HELPER)],
    [dispatched(), assigned(), step("relieved"), step("accepted", PART, HELPER)],
    [dispatched(), TicketRecalled(unit=LEAD, reason="answered", round=1, at=NOON), dispatched(), assigned()],
    [dispatched(), assigned(), dispatched(2), step("done", PART, HELPER, hours=2)],
]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(STEPS), st.booleans(), st.lists(st.floats(0, 30), max_size=3))
def test_parts_end_alike_whenever_it_is_heard_that_the_round_was_closed(
    data: st.DataObject, news: list[Told], is_closed: bool, waits: list[float]
) -> None:
    streams: list[Sequence[Told | int]] = [news, [1] if is_closed else []]
    one, other = (Parts().hear(*data.draw(hearings(streams))) for _ in range(2))
    assert {place: replace(t, fired=0) for place, t in one.tasks.items()} == {
        place: replace(t, fired=0) for place, t in other.tasks.items()
    }
    for hours in sorted(waits):
        one.waits(hours)
    marks = [(e.started_at, e.unit, getattr(e, "grade", None), getattr(e, "light", None)) for e in one.said  # type: ignore[attr-defined]
             if e.name in {"task.warned", "task.breached"}]  # fmt: skip
    assert len(marks) == len(set(marks))
    assert not is_closed or not [task for task in one.tasks.values() if task.round == 1 and task.state == "running"]
