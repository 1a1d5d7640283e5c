"""Units: who is on duty, who succeeds whom, and who has which duty."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from libs.common.city.duties import COLUMNS as DUTY_COLUMNS
from libs.common.city.pack import CHANGE_COLUMNS, CONTACT_COLUMNS, City, load_city
from libs.common.city.problems import CityError
from libs.common.city.settings import Name
from libs.common.city.units import Unit, acting, attended
from tests.unit.city.conftest import write_table


def _problems(pack: Path) -> str:
    with pytest.raises(CityError) as refused:
        load_city(pack)
    return "\n".join(refused.value.problems)


@pytest.fixture
def merged(small_pack: Path) -> Path:
    """The waterworks were one company until 2026, and are another since."""
    with (small_pack / "units.csv").open("a", encoding="utf-8") as file:
        file.write("co-water-new,小城水务集团,Water Group,水务集团,company,dept-water,,,24h\n")
    write_table(
        small_pack / "changes.csv", CHANGE_COLUMNS, "co-water,,2026-01-01,co-water-new\nco-water-new,2026-01-01,,"
    )
    return small_pack


def test_the_duties_of_a_unit_that_ended_are_its_successors(merged: Path) -> None:
    units = load_city(merged).units
    before, after = date(2025, 12, 31), date(2026, 1, 1)
    assert [acting(units, "co-water", day) for day in (before, after)] == [units["co-water"], units["co-water-new"]]
    assert acting(units, "co-gas", after) is None
    assert [units["co-water-new"].exists(day) for day in (before, after)] == [False, True]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("co-water,,2026-01-01,", "changes.csv:2 successor: '' should be a code"),
        ("co-water,2026-02-01,2026-01-01,dept-water", "changes.csv:2 until: should be a day after from"),
        ("co-water,,soon,dept-water", "changes.csv:2 until: 'soon' should be a day"),
        ("co-gas,,2026-01-01,dept-water", "changes.csv:2 unit: 'co-gas' should be a code"),
        (
            "co-water,,2026-01-01,dept-water\ndept-water,,2026-01-01,co-water",
            "changes.csv:2 successor: 'dept-water' is succeeded by co-water itself",
        ),
    ],
)
def test_a_mistake_in_a_change_is_named(small_pack: Path, changes: str, said: str) -> None:
    write_table(small_pack / "changes.csv", CHANGE_COLUMNS, changes)
    assert said in _problems(small_pack)


def test_a_unit_does_not_stand_below_itself(small_pack: Path) -> None:
    path = small_pack / "units.csv"
    text = path.read_text(encoding="utf-8").replace("department,centre", "department,co-water")
    path.write_text(text, encoding="utf-8")
    assert "units.csv:3 parent: 'co-water' stands below dept-water itself" in _problems(small_pack)


def test_at_night_the_unit_above_is_reached_where_nobody_is_on_duty(small_pack: Path) -> None:
    lines = "centre,座席,Seats,always,12345,\ndept-water,办公室,Office,day,96116,\nco-water,抢修,Repairs,night,96116,"
    write_table(small_pack / "contacts.csv", CONTACT_COLUMNS, lines)
    units = load_city(small_pack).units
    at = {"day": datetime(2026, 3, 2, 10, tzinfo=UTC), "night": datetime(2026, 3, 2, 22, tzinfo=UTC)}
    reached = {
        (code, shift): attended(units, code, moment, worked=True)
        for code in ("co-water", "dept-water")
        for shift, moment in at.items()
    }
    assert reached == {
        ("co-water", "day"): "co-water",
        ("co-water", "night"): "co-water",
        ("dept-water", "day"): "dept-water",
        ("dept-water", "night"): "centre",
    }


def test_a_mobile_phone_is_no_office(small_pack: Path) -> None:
    write_table(small_pack / "contacts.csv", CONTACT_COLUMNS, "co-water,抢修,Repairs,night,13800000000,")
    assert "contacts.csv:2 phone" in _problems(small_pack)


@pytest.mark.parametrize("way", ["https://example.org/hook", "json://127.0.0.1/", "sms:", "mail:nobody"])
def test_an_office_is_sent_notices_by_short_message_or_mail_and_by_no_address_on_the_web(
    small_pack: Path, way: str
) -> None:
    write_table(small_pack / "contacts.csv", CONTACT_COLUMNS, f"co-water,抢修,Repairs,night,96116,{way}")
    assert "contacts.csv:2 notify" in _problems(small_pack)
    write_table(small_pack / "contacts.csv", CONTACT_COLUMNS, "co-water,抢修,Repairs,night,96116,sms:10692|mail:a@b.cn")
    assert load_city(small_pack).units["co-water"].contacts[0].ways == ("sms:10692", "mail:a@b.cn")


@pytest.mark.parametrize(
    ("hours", "at", "worked", "is_open"),
    [
        ("24h", "2026-03-07 03:00", False, True),
        ("Mo-Fr 09:00-18:00", "2026-03-02 09:00", True, True),
        ("Mo-Fr 09:00-18:00", "2026-03-02 18:00", True, False),
        ("Mo-Fr 09:00-18:00", "2026-03-07 12:00", False, False),
        ("Mo-Fr 09:00-18:00", "2026-02-28 12:00", True, True),
        ("Mo-Fr 09:00-18:00", "2026-02-17 12:00", False, False),
        ("Mo-Su 09:00-18:00", "2026-03-07 12:00", False, True),
    ],
)
def test_an_office_is_open_in_its_hours_but_not_on_holidays(hours: str, at: str, worked: bool, is_open: bool) -> None:
    unit = Unit("a", Name("甲", "A"), "甲", "department", None, None, None, hours)
    assert unit.is_open(datetime.fromisoformat(at), worked) == is_open


def test_duties_are_told_from_both_sides(small_pack: Path) -> None:
    write_table(small_pack / "duties.csv", DUTY_COLUMNS, "dept-water,water-01,")
    duties = load_city(small_pack).duties
    assert dict(duties.of("co-water")) == {"water-01-01": "lead"}
    assert dict(duties.of("dept-water")) == {"water-01-01": "co-handler", "water-01-02": "named"}
    assert duties.holders("water-01-01") == ("co-water", "dept-water")
    assert duties.holders("water-01-02") == ("dept-water",)
    assert (dict(duties.of("centre")), duties.holders("none")) == ({}, ())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("dept-water,air,", "duties.csv:2 codes: 'air' should be a code in the catalogue, or begin some"),
        ("dept-air,water-01,", "duties.csv:2 unit: 'dept-air' should be a code in units.csv"),
        ("dept-water,,按地点", "duties.csv:2 reason: dept-water has duties"),
        ("", "duties.csv: co-gas 小城燃气公司 has no duty in the catalogue or here, and no reason"),
    ],
)
def test_no_company_or_department_is_without_duty_or_reason(small_pack: Path, lines: str, said: str) -> None:
    with (small_pack / "units.csv").open("a", encoding="utf-8") as file:
        file.write("co-gas,小城燃气公司,Gas,燃气,company,dept-water,,,24h\n")
    write_table(small_pack / "duties.csv", DUTY_COLUMNS, lines)
    assert said in _problems(small_pack)


def test_every_beijing_unit_with_a_trade_has_duties(beijing: City) -> None:
    trades = [unit for unit in beijing.units.values() if unit.kind in ("department", "company")]
    assert all(beijing.duties.of(unit.code) or unit.code in beijing.duties.reasons for unit in trades)
    assert beijing.duties.holders("heating-01-01")
