"""Parts of the work that others owe: the table of what may be done, and that they follow their order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.contracts.dispatch import TicketAssigned, TicketAssisted, TicketDispatched
from libs.common.contracts.envelope import Event
from libs.common.contracts.vocabulary import UnitRef, Urgency
from services.dispatch.domain import (
    TASKS,
    Limits,
    NotPossibleError,
    Order,
    Task,
    TaskCommand,
    TaskState,
    TaskStep,
    ask_relief,
    assign,
    at_work,
    drop,
    finish,
    helpers,
    hurried,
    kept_up,
    reassign,
    rule_on_relief,
    take_part,
    turn_up,
)
from services.dispatch.routing import Router
from tests.support.lives import (
    ANSWERED,
    CLOCK,
    HELPED,
    LINKED,
    RECEIVED,
    REOPENED,
    STREET,
    TICKET,
    WATER,
    WITHDRAWN,
    Life,
    closed,
    sign,
)  # fmt: skip
from tests.support.stages import NOON
from tests.support.stories import hearings, stories

LATER = NOON + timedelta(hours=1)
WORDS: dict[str, Event] = {"received": RECEIVED, "linked": LINKED, "answered": ANSWERED, "withdrawn": WITHDRAWN}
HELPED_AT_ONCE = WATER.model_copy(update={"co_handlers": ("dept-urban-management",)})
CLASSIFY: list[list[Event]] = [[HELPED_AT_ONCE], [HELPED_AT_ONCE, STREET], [WATER, HELPED], [HELPED_AT_ONCE, HELPED]]
FEEDBACK: list[list[Event]] = [[], [closed(1)], [closed(1), REOPENED], [closed(1), REOPENED, closed(2)]]


def task(**changes: Any) -> Task:
    plain = Task(TICKET, CLOCK.new_id(), 1, "co_handler", "assigned", "dept-b", "b", True, NOON, LATER)
    return replace(plain, **changes)


@dataclass
class Helped:
    """An order and its tasks, as they come along with it."""

    life: Life
    tasks: dict[object, Task] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)

    def follow(self, told: int) -> None:
        """Bring the tasks up to the order, after what was told from `told` on."""
        if self.life.order is None:
            return
        order = self.life.order
        handed = any(isinstance(event, TicketDispatched) for event in self.life.said[told:])
        changed, events = kept_up(order, list(self.tasks.values()), self._new(order), NOON, told=handed)
        self.tasks |= {one.task_id: one for one in changed}
        self.said += events
        again = kept_up(order, list(self.tasks.values()), self._new(order), NOON, told=False)
        assert again == ([], []), "tasks that are kept up twice must rest"

    def _new(self, order: Order) -> Callable[[UnitRef], Task]:
        return lambda unit: task(round=order.round, unit_code=unit.code, unit_name=unit.name)

    def hear(self, *events: Event) -> "Helped":
        for event in events:
            before = len(self.life.said)
            self.life.hear(event)
            self.follow(before)
        return self

    @property
    def owed(self) -> set[str]:
        return {one.unit_code for one in self.tasks.values() if one.owed}


@st.composite
def interleavings(draw: st.DrawFn) -> list[Event]:
    """Draw one order of hearing what three stages say."""
    intake = [WORDS[word] for word in draw(stories()) if word in WORDS]
    return draw(hearings([intake, draw(st.sampled_from(CLASSIFY)), draw(st.sampled_from(FEEDBACK))]))


@settings(max_examples=300)
@given(events=interleavings(), sub_task_after=st.integers(0, 8))
def test_whatever_comes_in_whatever_order_just_those_owe_a_part_whom_the_order_names(
    router: Router, events: list[Event], sub_task_after: int
) -> None:
    helped = Helped(Life(router))
    asked = None
    for number, event in enumerate(events):
        helped.hear(event)
        if number == sub_task_after and helped.life.order and helped.life.order.open:
            asked = task(role="sub_task", named=False, unit_code="dept-parks", round=helped.life.order.round)
            helped.tasks[asked.task_id] = asked
    order = helped.life.order
    if order is None or not (order.open or order.state == "resolved"):
        assert helped.owed == set()
        return
    named = {unit.code for unit in order.co_handlers}
    assert helped.owed - {"dept-parks"} == named
    assert order.unit_code not in helped.owed
    assert all(one.round == order.round for one in helped.tasks.values() if one.owed)


def test_co_handlers_of_a_hand_over_are_told_by_it_and_those_of_a_newer_judgement_by_themselves(
    router: Router,
) -> None:
    helped = Helped(Life(router)).hear(RECEIVED, HELPED_AT_ONCE)
    assert (helped.owed, helped.said) == ({"dept-urban-management"}, [])
    helped.hear(HELPED)
    assert helped.owed == {"dept-water"}
    dropped, drawn_in = helped.said
    assert isinstance(dropped, TicketAssisted)
    assert isinstance(drawn_in, TicketAssigned)
    assert (dropped.state, dropped.unit.code, drawn_in.unit.code) == ("recalled", "dept-urban-management", "dept-water")


def test_what_a_lead_asked_for_stays_when_another_takes_over_unless_it_is_the_one_asked(router: Router) -> None:
    helped = Helped(Life(router)).hear(RECEIVED, WATER)
    helped.life.do(sign)
    for unit in ("dept-water", "dept-parks"):
        asked = task(role="sub_task", named=False, unit_code=unit)
        helped.tasks[asked.task_id] = asked
    to = router.chosen("dept-water", "reassigned", "改派", helped.life.matter)
    assert to
    before = len(helped.life.said)
    helped.life.do(lambda order: reassign(order, to, NOON))
    helped.follow(before)
    assert helped.owed == {"dept-parks"}


def test_a_unit_relieved_of_its_part_is_not_drawn_in_again_in_that_round(router: Router) -> None:
    helped = Helped(Life(router)).hear(RECEIVED, HELPED_AT_ONCE)
    (part,) = helped.tasks.values()
    part, _ = ask_relief(part, "not_our_duty", "不归我们", NOON)
    part, _ = rule_on_relief(part, "属实", NOON, upheld=True)
    helped.tasks[part.task_id] = part
    helped.follow(len(helped.life.said))
    assert helped.owed == set()
    helped.hear(closed(1), REOPENED)
    assert helped.owed == {"dept-urban-management"}


@pytest.mark.parametrize("command", TASKS)
@pytest.mark.parametrize("role", ["co_handler", "sub_task", "whistle"])
def test_a_task_obeys_its_table_and_nothing_else(command: TaskCommand, role: str) -> None:
    acts: dict[TaskCommand, Callable[[Task], TaskStep]] = {
        "accept": lambda one: take_part(one, None, NOON),
        "arrive": lambda one: turn_up(one, None, NOON),
        "finish": lambda one: finish(one, "已办", NOON),
        "ask_relief": lambda one: ask_relief(replace(one, relief_ground=None), "no_power", "无权", NOON),
        "rule": lambda one: rule_on_relief(one, "属实", NOON, upheld=True),
        "drop": lambda one: drop(one, None, NOON),
    }
    way = TASKS[command]
    for state in get_args(TaskState):
        one = task(role=role, state=state, relief_ground="no_power")
        if role in way.roles and state in way.sources:
            after, (told,) = acts[command](one)
            assert after.state == (way.to or ("relieved" if command == "rule" else state))
            assert isinstance(told, TicketAssisted)
        else:
            with pytest.raises(NotPossibleError):
                acts[command](one)


def test_a_helper_may_not_push_back_and_owes_its_part_until_the_centre_ruled() -> None:
    assert "return" not in TASKS
    asked, _ = ask_relief(task(), "not_our_area", "不在辖区", NOON)
    assert asked.owed
    with pytest.raises(NotPossibleError, match="asked already"):
        ask_relief(asked, "not_our_area", "不在辖区", NOON)
    refused, (told,) = rule_on_relief(asked, "属于你们", NOON, upheld=False)
    assert isinstance(told, TicketAssisted)
    assert (refused.owed, refused.relief_ground, told.state) == (True, None, "relief_refused")
    with pytest.raises(NotPossibleError, match="not asked"):
        rule_on_relief(refused, "属于你们", NOON, upheld=True)


def test_turning_up_tells_how_long_it_took() -> None:
    called = task(role="whistle")
    _, (told,) = turn_up(called, "值班室", NOON + timedelta(minutes=20))
    assert isinstance(told, TicketAssisted)
    assert told.turned_up_in_seconds == 1200


def test_the_lead_and_who_does_it_already_are_not_drawn_in(router: Router) -> None:
    order = Life(router).hear(RECEIVED, WATER).do(sign).now
    with pytest.raises(NotPossibleError, match="leads"):
        assign(order, [], task(unit_code="co-water"))
    with pytest.raises(NotPossibleError, match="already"):
        assign(order, [task()], task())
    assert assign(order, [task(role="sub_task")], task(role="sub_task"))
    with pytest.raises(NotPossibleError, match="recalled"):
        assign(replace(order, state="recalled"), [], task())


def test_an_order_is_shown_to_who_owes_a_part_or_did_it_and_worked_on_by_who_took_it() -> None:
    states: list[TaskState] = list(get_args(TaskState))
    tasks = [task(state=state, unit_code=state) for state in states]
    assert helpers(tasks) == {"assigned", "accepted", "arrived", "done"}
    assert at_work(tasks, 1) == ("accepted", "arrived", "done")
    assert at_work(tasks, 2) == ()


def test_in_a_graver_class_what_is_owed_is_due_sooner_and_told_again_and_nothing_is_due_later() -> None:
    classes: tuple[Urgency, ...] = get_args(Urgency)
    limits = Limits(
        {urgency: timedelta(minutes=30 if urgency == "urgent" else 1440) for urgency in classes},
        {urgency: timedelta(hours=1 if urgency == "urgent" else 84) for urgency in classes},
    )
    late = NOON + timedelta(days=3)
    owed = task(due_at=late)
    called = task(role="whistle", due_at=late)
    rest = [task(due_at=NOON), task(state="done", due_at=late), task(role="whistle", state="arrived", due_at=late)]
    sooner, told = hurried([owed, called, *rest], limits, "urgent", NOON)
    assert [(one.task_id, one.due_at - NOON) for one in sooner] == [
        (owed.task_id, timedelta(hours=1)), (called.task_id, timedelta(minutes=30)),
    ]  # fmt: skip
    assert [(said.task_id, said.due_at) for said in told if isinstance(said, TicketAssigned)] == [
        (one.task_id, one.due_at) for one in sooner
    ]
    assert hurried(sooner, limits, "general", NOON) == ([], [])
