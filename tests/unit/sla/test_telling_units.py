"""Who is told of a mark, when, and what goes out as one message."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.city.problems import Problems
from libs.common.city.settings import Name, Notices, load_settings
from libs.common.city.units import Contact
from libs.common.contracts.sla import ClockBreached, ClockWarned, TaskWarned
from libs.common.contracts.vocabulary import UnitRef, Urgency
from services.sla.domain import Alert, Moved, Telling, alerts, bundle, told_again
from services.sla.messages import LISTED, Messages
from tests.support.stages import CITY

BEIJING = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 16, 3, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 0, tzinfo=UTC)
WATER = UnitRef(code="co-water", name="自来水集团")
MARKET = UnitRef(code="dept-market", name="市市场监管局")
MESSAGES = Messages.load()
PACK = load_city(CITY)
TELLING = Telling(PACK.notices, PACK.units, "centre", BEIJING, lambda day: day.weekday() < 5)
SATURDAY = datetime(2026, 3, 7, 4, tzinfo=UTC)


def ids() -> Callable[[], UUID]:
    numbers = itertools.count(1)
    return lambda: UUID(int=next(numbers))


def warned(grade: int, unit: UnitRef | None = WATER, urgency: Urgency = "general", number: int = 1) -> Moved:
    event = ClockWarned(**_clock(urgency), grade=grade, unit=unit)
    return Moved(UUID(int=number), f"20260302-{number:07}", urgency, (), (), (event,))


def breached(light: Any, unit: UnitRef | None = WATER, urgency: Urgency = "general", number: int = 1) -> Moved:
    event = ClockBreached(**_clock(urgency), light=light, unit=unit)
    return Moved(UUID(int=number), f"20260302-{number:07}", urgency, (), (), (event,))


def all_stand(due: Sequence[Alert]) -> dict[UUID, datetime]:
    return {alert.alert_id: alert.due_at for alert in due}


def _clock(urgency: Urgency) -> dict[str, Any]:
    return {
        "clock": "completion", "round": 1, "urgency": urgency, "started_at": NOON, "due_at": NOON + timedelta(hours=2),
        "limit_seconds": 7200, "policy": "p",
    }  # fmt: skip


def told(moved: Moved, now: datetime = NOON, telling: Telling = TELLING) -> list[Alert]:
    return list(alerts(moved, telling, now, ids()))


def test_each_mark_is_told_to_the_desks_the_city_names_for_it() -> None:
    to = [[alert.to for alert in told(moved)] for moved in (warned(1), warned(2), breached("yellow"), breached("red"))]
    street = UnitRef(code=next(u.code for u in PACK.units.values() if u.kind == "street"), name="街道")
    duty, head = "unit:co-water", "unit:co-water/head"
    above = f"unit:{PACK.units['co-water'].parent}"
    assert to[:2] == [[duty], [duty, head]]
    assert to[2] == list(dict.fromkeys([duty, head, above]))
    assert to[3] == list(dict.fromkeys([duty, head, above, "unit:centre"]))
    assert [a.to for a in told(breached("red", street))] == [
        f"unit:{street.code}", f"unit:{street.code}/head", f"unit:{PACK.units[street.code].parent}", "unit:centre",
    ]  # fmt: skip


def test_before_anybody_leads_the_desk_of_the_centre_is_told_once() -> None:
    (alert,) = told(breached("red", None))
    assert (alert.to, alert.audience) == ("unit:centre", "unled")


def test_a_grade_the_city_does_not_name_is_told_to_the_duty_office() -> None:
    assert [alert.to for alert in told(warned(7))] == ["unit:co-water"]


def test_urgent_matters_never_wait_and_others_wait_for_the_end_of_their_span() -> None:
    now = NOON + timedelta(minutes=1)
    at = {u: told(warned(1, urgency=u), now)[0].at - NOON for u in ("urgent", "livelihood", "general", "complex")}
    minutes = {u: span / timedelta(minutes=1) for u, span in at.items()}
    assert minutes == {"urgent": 1, "livelihood": 2, "general": 15, "complex": 15}


def test_nobody_is_woken_for_a_seven_day_matter_but_for_water_and_danger() -> None:
    at = {u: told(warned(1, urgency=u), NIGHT)[0].at for u in ("urgent", "livelihood", "general")}
    assert at == {"urgent": NIGHT, "livelihood": NIGHT + timedelta(minutes=1), "general": MORNING}


@pytest.mark.parametrize("closed", [NIGHT, SATURDAY])
def test_an_office_that_is_closed_is_stood_in_for_by_the_unit_above(closed: datetime) -> None:
    instead = told(warned(1, MARKET, "urgent"), closed)[0]
    assert (instead.to, instead.audience) == ("unit:centre", "above")
    assert told(warned(1, MARKET, "urgent"), NOON)[0].to == "unit:dept-market"
    assert told(warned(1, WATER, "urgent"), closed)[0].to == "unit:co-water"


def test_what_can_wait_is_told_to_the_office_itself_though_it_be_closed() -> None:
    assert told(warned(1, MARKET), SATURDAY)[0].to == "unit:dept-market"


def test_the_list_of_contacts_says_where_an_office_is_told_by_who_is_on_duty() -> None:
    role = Name("值班", "Duty")
    day, night = Contact(role, "day", "1", ("sms:1",)), Contact(role, "night", "2", ("sms:2", "mail:a@b.cn"))
    market = replace(PACK.units["dept-market"], contacts=(day, night))
    telling = replace(TELLING, units={**PACK.units, "dept-market": market})
    ways = [telling.ways("unit:dept-market", at) for at in (NOON, NIGHT, SATURDAY)]
    assert ways == [("sms:1",), ("sms:2", "mail:a@b.cn"), ("sms:2", "mail:a@b.cn")]
    assert telling.ways("unit:dept-market/head", NOON) == telling.ways("unit:http://10.0.0.1/", NOON) == ()


@given(
    st.timedeltas(timedelta(), timedelta(days=366)).map(lambda span: NOON + span),
    st.sampled_from(["urgent", "livelihood", "general", "complex"]),
    st.times(),
    st.times(),
)
def test_a_mark_is_told_within_its_span_and_a_night_and_never_in_one_it_may_not_disturb(
    now: datetime, urgency: Urgency, begins: time, ends: time
) -> None:
    rules = replace(Notices(), quiet_from=begins.replace(fold=0), quiet_until=ends.replace(fold=0))
    telling = replace(TELLING, rules=rules)
    at = telling.due(urgency, now)
    span = rules.digest.get(urgency, timedelta())
    assert now <= at <= now + span + (timedelta() if urgency in rules.wakes else timedelta(days=1))
    assert urgency in rules.wakes or not telling.night.covers(at)


def test_what_is_alike_goes_out_as_one_message_with_numbers_and_count() -> None:
    new_id = ids()
    due = [a for number in range(1, 14) for a in alerts(warned(1, number=number), TELLING, NOON, new_id)]
    (one,), dropped = bundle(due, all_stand(due), new_id)
    text = MESSAGES.notice(one.alerts, BEIJING, "zh")
    assert (len(one.alerts), dropped, {alert.notice for alert in one.alerts}) == (13, [], {one.key})
    assert text.startswith("【督办提醒】第1次：13件工单的办结将到时限，最早2026-03-02 14:00")
    assert text.count("20260302-") == LISTED
    assert text.endswith("等")


def test_desks_marks_and_clocks_are_not_mixed_in_one_message() -> None:
    new_id = ids()
    moved = (warned(1), warned(1, MARKET, number=2), breached("yellow", number=3))
    due = [a for m in moved for a in alerts(m, TELLING, NOON, new_id)]
    bundles, _ = bundle(due, all_stand(due), new_id)
    assert all(len({(a.to, a.mark, a.audience) for a in one.alerts}) == 1 for one in bundles)
    assert sum(len(one.alerts) for one in bundles) == sum(len(told(m)) for m in moved)


def test_who_stands_above_reads_whose_tickets_they_are() -> None:
    new_id = ids()
    moved = (breached("red"), breached("red", MARKET, number=2), breached("red", number=3))
    due = [a for m in moved for a in alerts(m, TELLING, NOON, new_id)]
    bundles, _ = bundle(due, all_stand(due), new_id)
    (centre,) = [one for one in bundles if one.alerts[0].to == "unit:centre" and len(one.alerts) > 1]
    text = MESSAGES.notice(centre.alerts, BEIJING, "en")
    assert "Units: 自来水集团 2, 市市场监管局 1. " in text


def test_of_two_marks_that_come_due_at_once_the_later_is_told() -> None:
    new_id = ids()
    due = [*alerts(warned(3), TELLING, NOON, new_id), *alerts(breached("yellow"), TELLING, NOON, new_id)]
    bundles, dropped = bundle(due, all_stand(due), new_id)
    assert {a.mark for one in bundles for a in one.alerts} == {"yellow"}
    assert {(a.mark, a.dropped) for a in dropped} == {("3", "overtaken")}


def test_what_does_not_stand_any_more_is_not_told() -> None:
    (alert,) = told(warned(1))
    assert bundle([alert], {}, ids()) == ([], [replace(alert, dropped="moot")])


def test_a_limit_that_moved_meanwhile_is_told_as_it_is_now() -> None:
    (alert,) = told(warned(1))
    later = alert.due_at + timedelta(days=1)
    ((one,), _) = bundle([alert], {alert.alert_id: later}, ids())
    assert "2026-03-03 14:00" in MESSAGES.notice(one.alerts, BEIJING, "zh")


def test_a_new_lead_is_told_the_last_mark_of_each_clock_that_was_reached_before() -> None:
    unled = [*told(warned(1, None)), *told(breached("yellow", None))]
    again = told_again(unled, WATER, TELLING, NOON, ids())
    assert {a.mark for a in again} == {"yellow"}
    assert [a.to for a in again] == [a.to for a in told(breached("yellow"))]
    assert {a.unit_code for a in again} == {"co-water"}


def test_who_heard_of_a_mark_does_not_hear_of_it_again_from_the_next_lead() -> None:
    heard = [replace(alert, notice="key") for alert in told(breached("red"))]
    again = told_again(heard, MARKET, TELLING, NOON, ids())
    assert [alert.to for alert in again] == ["unit:dept-market", "unit:dept-market/head"]
    assert told_again([*heard, *(replace(a, notice="2") for a in again)], WATER, TELLING, NOON, ids()) == []


def test_a_helper_is_told_of_its_part() -> None:
    event = TaskWarned(role="whistle", unit=WATER, round=1, started_at=NOON, due_at=NOON, grade=1)
    (alert,) = told(Moved(UUID(int=1), "n", "urgent", (), (), (event,)))
    assert "到场" in MESSAGES.notice((alert,), BEIJING, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("unit", [WATER, None])
@pytest.mark.parametrize("count", [1, 2])
def test_every_mark_has_words_for_every_reader(language: str, unit: UnitRef | None, count: int) -> None:
    for moved in (warned(1, unit), breached("yellow", unit), breached("red", unit)):
        for alert in told(moved):
            text = MESSAGES.notice((alert,) * count, BEIJING, language)
            assert "20260302-0000001" in text
            assert "{" not in text


def test_a_pack_that_names_no_such_mark_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text((CITY / "city.toml").read_text(encoding="utf-8").replace("yellow = [", "amber = [", 1))
    problems = Problems()
    assert load_settings(path, problems) is None
    assert "yellow or red" in problems.found[0]


@pytest.mark.parametrize(
    ("line", "other"), [('wakes = ["urgent", "livelihood"]', "wakes = []"), ('livelihood = "PT2M"', 'urgent = "PT2M"')]
)
def test_a_pack_may_not_let_danger_wait(tmp_path: Path, line: str, other: str) -> None:
    path = tmp_path / "city.toml"
    path.write_text((CITY / "city.toml").read_text(encoding="utf-8").replace(line, other, 1))
    problems = Problems()
    assert load_settings(path, problems) is None
    assert "urgent" in problems.found[0]
