"""Which appeals are taken for one event: quality on labelled pairs, the rules no weight outvotes, and who leads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.city.pack import load_city
from libs.common.city.problems import CityError
from services.intake.domain import Likely
from services.intake.messages import Messages
from services.intake.repeats import Known, Repeats, Said, joined_reads
from services.intake.repeats.knowledge import load_knowledge
from services.intake.repeats.sketches import SKETCH
from tests.bench.repeats_pairs import read_pairs
from tests.bench.repeats_quality import FILES, measure
from tests.support.stages import CITY

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
REPEATS = Repeats(load_city(CITY), CITY)
MESSAGES = Messages.load()
COLD = Said("家里暖气不热，屋里只有14度", NOW, address="朝阳区望京街道花家地西里三区", reporter="p_1")
WORDS = ("暖气不热，太冷了", "整个小区停暖了", "垃圾没人清运", "暖气片冰凉", "垃圾桶满了没人收", "路灯不亮", "停水了")


def likeness(one: Said, other: Said) -> float:
    """Return how likely two appeals are one event."""
    sketches = REPEATS.read([one, other]).sketches
    return float(REPEATS.judge.score(sketches[:1], sketches[1:]).total[0])


@pytest.mark.parametrize(("name", "recall"), [("heldout", 0.9), ("fresh", 0.9), ("second", 0.9), ("third", 0.8)])
def test_joined_pairs_are_rightly_joined_and_few_are_missed(name: str, recall: float) -> None:
    found = measure(REPEATS, name)
    assert found.precision >= 0.95
    assert found.recall >= recall


def test_training_pairs_are_more_than_seven_hundred_and_share_no_theme_with_the_others() -> None:
    assert measure(REPEATS, "training").pairs >= 700
    themes = [{appeal.theme for appeal in read_pairs(name).appeals} for name in FILES]
    assert len(set().union(*themes)) == sum(map(len, themes))


@pytest.mark.parametrize(
    ("changes", "joined"),
    [
        ({}, True),
        ({"reporter": None}, True),
        ({"received_at": NOW - timedelta(days=3)}, True),
        ({"received_at": NOW - timedelta(days=31)}, False),
        ({"received_at": NOW + timedelta(days=31)}, False),
        ({"address": "朝阳区望京街道花家地西里五区"}, False),
        ({"address": "朝阳区望京街道花家地北里"}, False),
        ({"address": "昌平区天通苑东一区"}, False),
        ({"address": None}, False),
        ({"address": "朝阳区望京街道"}, False),
        ({"text": "楼道里堆满杂物，过不去人"}, False),
    ],
)
def test_what_differs_in_time_place_or_matter_is_not_one_event(changes: dict[str, object], joined: bool) -> None:
    other = replace(COLD, text="没暖气了，冻死了", reporter="p_2")
    assert (likeness(COLD, replace(other, **changes)) >= REPEATS.rules.link) is joined  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["公司拖欠我三个月工资", "我的养老金停发了", "孩子上小学学位怎么安排", "健身房年卡不给退费"]
)
def test_ones_own_affair_is_joined_to_none_of_another_reporter(text: str) -> None:
    mine = replace(COLD, text=text)
    assert likeness(mine, replace(mine, reporter="p_2")) == 0
    assert likeness(mine, replace(mine, reporter=None)) < REPEATS.rules.link
    assert likeness(mine, replace(mine, received_at=NOW + timedelta(hours=5))) >= REPEATS.rules.link


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("我父亲的养老金这个月没到账", "我母亲的养老金这个月没到账"),
        ("我的社保卡丢了，怎么补办", "我提取的公积金一直没到账"),
        ("公司拖欠我三个月工资", "公司把我辞退了，不给经济补偿"),
        ("1号电梯卡住了，门打不开", "2号电梯卡住了，门打不开"),
        ("三单元电梯停了", "一单元的电梯停了"),
    ],
)
def test_another_matter_of_the_same_reporter_is_another_appeal(mine: str, other: str) -> None:
    first = replace(COLD, text=mine)
    assert likeness(first, replace(first, text=other)) < REPEATS.rules.link
    assert likeness(first, replace(first, received_at=NOW + timedelta(hours=5))) >= REPEATS.rules.link


def test_word_for_word_the_same_bill_of_a_stranger_is_another_appeal() -> None:
    bill = replace(COLD, text="我在医院住院七天，账单里护理费重复收取640元，要求退还", address="东城区同仁医院")
    assert likeness(bill, replace(bill, reporter="p_2")) == 0


def test_a_question_is_ones_own_whatever_it_is_about() -> None:
    asked = replace(COLD, own=True)
    assert likeness(asked, replace(asked, reporter="p_2")) == 0


@pytest.mark.parametrize(("other", "joined"), [("d:tilt", True), ("d:flood", False), ("e:tilt", False), ("d", False)])
def test_a_device_repeats_by_its_fault(other: str, joined: bool) -> None:
    first, again = Said("状态异常", NOW, device="d:tilt"), Said("告警", NOW + timedelta(hours=1), device=other)
    assert (likeness(first, again) >= REPEATS.rules.link) is joined


def test_a_sensor_is_joined_to_a_citizens_words_about_the_same_spot() -> None:
    citizen = Said("旧桥路井盖丢了", NOW, address="大兴区旧宫镇旧桥路", reporter="p_1")
    sensor = Said("井盖丢失告警", NOW + timedelta(minutes=5), address="旧宫镇旧桥路", device="cover-9:open")
    assert likeness(citizen, sensor) >= REPEATS.rules.link


@pytest.mark.parametrize(("lat", "joined"), [(39.9005, True), (39.9105, False)])
def test_points_close_by_are_one_place_where_no_name_is_told(lat: float, joined: bool) -> None:
    one = Said("路灯不亮，太黑了", NOW, lat=39.9, lon=116.4, reporter="p_1")
    other = Said("这里的路灯坏了好几天", NOW, lat=lat, lon=116.4, reporter="p_2")
    assert (likeness(one, other) >= REPEATS.rules.link) is joined
    assert bool(set(REPEATS.read([one]).keys[0].kept) & set(REPEATS.read([other]).keys[0].looked_for)) is joined


def test_reasons_are_told_in_both_languages() -> None:
    other = replace(COLD, text="没暖气，屋里冻得慌", received_at=NOW + timedelta(hours=2), reporter="p_2")
    read, first = REPEATS.read([other]), REPEATS.read([COLD])
    id_ = UUID(int=1)
    known = Known({key: [id_] for key in first.keys[0].kept}, {id_: first.sketches[0].tobytes()})
    ((likely,),) = REPEATS.among(read, known)
    assert MESSAGES.repeat(likely.reasons, "zh") == "同一小区（花家地西里3区）、同一问题、相隔2小时"
    assert MESSAGES.repeat(likely.reasons, "en") == "same estate (花家地西里3区), same matter, 2 h apart"


def test_reading_in_parts_is_reading_at_once() -> None:
    some = [replace(COLD, text=text) for text in WORDS]
    whole, parts = REPEATS.read(some), joined_reads([REPEATS.read(some[:3]), REPEATS.read(some[3:])])
    # Sums of weights round by how many texts are read at once: by one of 256 steps at most.
    bytes_of = [np.frombuffer(read.sketches.tobytes(), dtype=np.int8).astype(int) for read in (whole, parts)]
    assert np.abs(bytes_of[0] - bytes_of[1]).max() <= 1
    assert [whole.keys[at] for at in range(7)] == [parts.keys[at] for at in range(7)]
    assert len(joined_reads([])) == 0


@given(st.text(max_size=80), st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_can_be_read_and_none_is_unlike_itself(text: str, address: str) -> None:
    said = Said(text, NOW, address=address or None, reporter="p_1")
    assert 0 <= likeness(said, said) <= 1


def joined_of(order: list[tuple[int, int]]) -> dict[int, int]:
    """Join appeals (matter, minute) in one batch and return who is joined to whom, by their places in `order`."""
    some = [
        replace(COLD, text=WORDS[matter], received_at=NOW + timedelta(minutes=minute), reporter=f"p_{place}")
        for place, (matter, minute) in enumerate(order)
    ]
    ids = [UUID(int=minute + 1) for _, minute in order]
    by_time = sorted(range(len(order)), key=lambda at: (some[at].received_at, ids[at]))
    found: dict[int, Likely] = REPEATS.within(REPEATS.read(some), ids, by_time)
    return {at: ids.index(likely.ticket_id) for at, likely in found.items()}


appeals = st.lists(
    st.tuples(st.integers(0, len(WORDS) - 1), st.integers(0, 500)), max_size=12, unique_by=lambda appeal: appeal[1]
)


@given(appeals, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_in_a_batch_the_first_by_time_leads_whatever_order_they_come_in(
    order: list[tuple[int, int]], random: object
) -> None:
    shuffled = list(order)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one = {order[at]: order[lead] for at, lead in joined_of(order).items()}
    other = {shuffled[at]: shuffled[lead] for at, lead in joined_of(shuffled).items()}
    assert one == other


@given(appeals)
@settings(max_examples=60)
def test_in_a_batch_nobody_is_joined_to_who_came_later_or_is_joined_already(order: list[tuple[int, int]]) -> None:
    joined = joined_of(order)
    assert not joined.keys() & set(joined.values())
    assert all(order[lead][1] <= order[at][1] for at, lead in joined.items())


def test_a_sketch_says_its_size_and_fields_do_not_overlap() -> None:
    ends = sorted((SKETCH.fields or {}).values(), key=lambda field: field[1])
    assert all(a[1] + a[0].itemsize == b[1] for a, b in pairwise(ends))


def test_a_pack_with_a_wrong_file_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "repeats.toml"
    with pytest.raises(CityError, match="missing"):
        load_knowledge(path)
    path.write_text("troubles = 1")
    with pytest.raises(CityError, match="troubles"):
        load_knowledge(path)
    text = (CITY / "repeats.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('garbage = "waste"', 'garbage = "nothing"'), encoding="utf-8")
    with pytest.raises(CityError, match="nothing"):
        load_knowledge(path)
