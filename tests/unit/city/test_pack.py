"""A pack is read whole, or refused whole with every mistake named."""

from datetime import time, timedelta
from pathlib import Path
from typing import get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.__main__ import main
from libs.common.city.catalogue import months
from libs.common.city.pack import City, load_city
from libs.common.city.problems import CityError
from libs.common.contracts.vocabulary import Urgency


def _spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _problems(pack: Path) -> tuple[str, ...]:
    with pytest.raises(CityError) as refused:
        load_city(pack)
    return refused.value.problems


def test_every_part_of_a_pack_is_what_the_city_says_it_is(small_pack: Path, beijing: City) -> None:
    for city in (load_city(small_pack), beijing):
        for name, kind in get_type_hints(City).items():
            assert isinstance(getattr(city, name), get_origin(kind) or kind), name


def test_a_pack_gives_units_questions_and_rules(small_pack: Path) -> None:
    city = load_city(small_pack)
    assert (city.code, city.name.zh, city.name.en) == ("small", "小城", "Small")
    assert city.units["co-water"].parent == "dept-water"
    assert city.units["co-water"].phone is None
    assert city.units["s-990101001"].district == "990101"
    question = city.catalogue.by_code["water-01-01"]
    assert question.category == ("供水", "自来水", "停水")
    assert question.season == {11, 12, 1, 2}
    assert question.ask == ("几点停的", "哪栋楼")
    assert (question.owner, question.elderly) == ("co-water", False)
    assert city.catalogue.by_code["water-01-02"].owner is None
    assert city.catalogue.by_code["water-01-02"].elderly
    assert dict(city.catalogue.level1) == {"water": "供水"}
    assert [q.code for q in city.catalogue] == ["water-01-01", "water-01-02"]
    assert len(city.catalogue) == 2
    assert city.policy.limits["urgent"].completion == timedelta(hours=2)
    assert city.policy.calendar.opens == time(9)
    assert [emergency.said for emergency in city.emergencies.numbers] == [("着火了",)]
    assert city.rates.callback_window == timedelta(days=7)


def test_all_mistakes_are_told_at_once_with_file_line_and_column(small_pack: Path) -> None:
    _spoil(small_pack / "units.csv", "company,dept-water", "company,dept-watre")
    _spoil(small_pack / "units.csv", "Mo-Fr 09:00-18:00", "office hours")
    _spoil(small_pack / "places.csv", "s-990101001", "s-990101999")
    _spoil(small_pack / "catalogue" / "01-water.csv", "livelihood", "important")
    _spoil(small_pack / "city.toml", "solved = 0.4", "solved = 0.5")
    problems = _problems(small_pack)
    assert len(problems) == 5
    assert "city.toml rates: " in problems[0]
    assert problems[1].startswith("units.csv:3 hours: 'office hours' should read 24h or")
    assert problems[2].startswith("units.csv:4 parent: 'dept-watre' should be")
    assert problems[3].startswith("places.csv:2 street: 's-990101999' should be")
    assert problems[4] == ("01-water.csv:2 urgency: 'important' should be one of urgent, livelihood, general, complex")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("water-01-02", "water-01-01", "01-water.csv:3 code"),
        ("水黄", "停水", "供水/自来水/停水 stands at 01-water.csv:2 already"),
        ("company,co-water", "company,dept-water", "should be the code of a company"),
        ("company,co-water", "street,co-water", "should be empty: with owner_kind street the place decides"),
        ("dept-water,livelihood", "dept-air,livelihood", "01-water.csv:2 co_handlers"),
        ("help", "wish", "01-water.csv:2 kind"),
        ("便利性", "方便", "01-water.csv:2 tag"),
        ("11-2", "winter", "should be two months such as 11-3"),
        (",yes,", ",true,", "01-water.csv:3 elderly"),
        (" | 一滴水都没有", "", "has 3; at least 4 joined by ' | ' are needed"),
        ("water-01-02,供水", "water-01-02,供电", "one file holds one level-1 category"),
        ("no water", "", "01-water.csv:2 name_en: is empty"),
        ("一滴水都没有", "一滴水\0都没有", "01-water.csv:2 phrases: holds a control character"),
        ("停水,no water", "停水", "01-water.csv:2 row: has 16 cells, the header has 17"),
        ("code,l1", "id,l1", "01-water.csv:1: the header should be code,l1"),
    ],
)
def test_a_mistake_in_a_question_is_named(small_pack: Path, old: str, new: str, said: str) -> None:
    _spoil(small_pack / "catalogue" / "01-water.csv", old, new)
    assert said in "\n".join(_problems(small_pack))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dept-water,小城水务局", "centre,小城水务局", "units.csv:3 code: 'centre' stands at line 2 already"),
        ("department,centre", "bureau,centre", "units.csv:3 kind: 'bureau' should be one of centre"),
        ("热线中心,centre", "热线中心,department", "exactly one unit should be of kind centre"),
        ("d-990101,990101,,24h", "d-990101,990102,,24h", "units.csv:6 district: '990102' should be"),
    ],
)
def test_a_mistake_in_a_unit_is_named(small_pack: Path, old: str, new: str, said: str) -> None:
    _spoil(small_pack / "units.csv", old, new)
    assert said in "\n".join(_problems(small_pack))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("red = 1.5", "red = 0.9", "reminders, yellow and red should rise"),
        ("low_confidence = 0.6", "low_confidense = 0.6", "routing.low_confidense"),
        ('complex = { response = "P2D"', 'hard = { response = "P2D"', "policy.limits.hard"),
        ('complex = { response = "P2D", completion = "P15D" }', "", "limits lack complex"),
        ("Asia/Shanghai", "Asia/Shangai", "should be an IANA name"),
        ("opens = 09:00:00", "opens = 19:00:00", "opens before closes"),
        ("[rates]", "[rates", "is not TOML"),
        ('"P7D"', '"a week"', "policy.limits.general.completion"),
    ],
)
def test_a_mistake_in_a_setting_is_named(small_pack: Path, old: str, new: str, said: str) -> None:
    _spoil(small_pack / "city.toml", old, new)
    assert said in "\n".join(_problems(small_pack))


def test_a_word_that_is_no_place_has_no_district(small_pack: Path) -> None:
    _spoil(small_pack / "places.csv", "邻城,outside,,", "邻城,outside,,990101")
    assert "places.csv:3 kind: outside is said of a word" in _problems(small_pack)[0]


def test_a_place_lies_in_a_known_district(small_pack: Path) -> None:
    _spoil(small_pack / "places.csv", "990101\n", "990109\n")
    assert "places.csv:2 district: '990109' should be" in _problems(small_pack)[0]


def test_a_pack_without_questions_is_refused(small_pack: Path) -> None:
    (small_pack / "catalogue" / "01-water.csv").unlink()
    assert "holds no CSV file" in _problems(small_pack)[0]


def test_an_empty_folder_tells_every_file_it_lacks(tmp_path: Path) -> None:
    told = "\n".join(_problems(tmp_path))
    assert all(name in told for name in ("city.toml", "units.csv", "places.csv", "catalogue", "emergencies"))


def test_a_file_saved_by_a_spreadsheet_is_read_the_same(small_pack: Path) -> None:
    before = load_city(small_pack).units
    path = small_pack / "units.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_city(small_pack).units == before


def test_the_catalogue_version_follows_its_text(small_pack: Path) -> None:
    before = load_city(small_pack).catalogue.version
    assert load_city(small_pack).catalogue.version == before
    _spoil(small_pack / "catalogue" / "01-water.csv", "没水了", "怎么没水了")
    assert load_city(small_pack).catalogue.version != before


@given(first=st.integers(1, 12), last=st.integers(1, 12))
def test_a_season_runs_from_its_first_month_to_its_last(first: int, last: int) -> None:
    season = months(f"{first}-{last}")
    assert season is not None
    assert {first, last} <= season
    assert len(season) == (last - first) % 12 + 1
    assert season <= set(range(1, 13))


def test_the_elderly_hear_within_a_day_whatever_the_class(small_pack: Path) -> None:
    policy = load_city(small_pack).policy
    assert policy.limit("general").response == timedelta(days=2)
    assert policy.limit("general", elderly=True).response == timedelta(hours=24)
    assert policy.limit("urgent", elderly=True).response == timedelta(minutes=30)


def test_beijing_keeps_its_divisions(beijing: City) -> None:
    kinds = [unit.kind for unit in beijing.units.values()]
    assert kinds.count("district") == 16
    assert kinds.count("street") + kinds.count("town") == 343
    assert kinds.count("department") >= 46
    assert kinds.count("company") >= 40


@pytest.mark.parametrize(
    ("urgency", "response", "completion"),
    [
        ("urgent", timedelta(minutes=30), timedelta(hours=2)),
        ("livelihood", timedelta(hours=2), timedelta(hours=24)),
        ("general", timedelta(hours=24), timedelta(days=7)),
        ("complex", timedelta(hours=24), timedelta(days=15)),
    ],
)
def test_beijing_keeps_the_four_limits(
    beijing: City, urgency: Urgency, response: timedelta, completion: timedelta
) -> None:
    limit = beijing.policy.limit(urgency)
    assert (limit.response, limit.completion) == (response, completion)


def test_the_command_counts_a_good_pack(small_pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(small_pack)]) == 0
    told = capsys.readouterr().out
    assert "小城 Small (small)" in told
    assert "questions 2 in 1 categories, phrases 8" in told


def test_the_command_fails_on_a_bad_pack(small_pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _spoil(small_pack / "units.csv", "department,centre", "bureau,centre")
    assert main([str(small_pack)]) == 1
    assert "units.csv:3 kind" in capsys.readouterr().err
    assert main([]) == 2


def test_the_command_checks_a_table_of_units_by_itself(small_pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_pack / "units.csv").rename(small_pack / "new-units.csv")
    assert main([str(small_pack / "new-units.csv")]) == 0
    assert capsys.readouterr().out == "units 5\n"
    _spoil(small_pack / "new-units.csv", "department,centre", "bureau,centre")
    assert main([str(small_pack / "new-units.csv")]) == 1
    assert "new-units.csv:3 kind" in capsys.readouterr().err
