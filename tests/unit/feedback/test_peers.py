"""Fair scores: whom a unit is compared with, and that neither its mail nor its luck decides."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.peers import NORMAL, Cell, Fair, Matter, bands, by_unit, expectations, fair, standard_of

EASY, HARD = Matter("市容环卫", "垃圾清运", "general", "110105"), Matter("住房物业", "房屋漏水", "general", "110105")
STRENGTH, MARGIN = 20.0, 0.02
RATES = {EASY: 0.9, HARD: 0.5}


def cell(unit: str, matter: Matter, rows: int, solved: int) -> Cell:
    """Answers that give 1 or 0."""
    return Cell(unit, matter, rows, float(solved), float(solved))


def judged(cells: list[Cell]) -> dict[str, Fair]:
    expected = expectations(cells, STRENGTH)
    standard = standard_of("street", cells, expected, STRENGTH, MARGIN)
    found = {unit: fair(mine, expected, standard) for unit, mine in by_unit(cells).items()}
    return {unit: one for unit, one in found.items() if one}


def lived(random: Random, unit: str, volumes: dict[Matter, int], worse: float = 0.0) -> list[Cell]:
    """A unit's month: of each matter so many, solved as often as such are, or worse."""
    return [
        cell(unit, matter, rows, sum(random.random() < RATES[matter] - worse for _ in range(rows)))
        for matter, rows in volumes.items()
    ]


def is_below(one: Fair) -> bool:
    return one.excess + NORMAL * one.error < -MARGIN


def test_a_unit_with_hard_mail_is_not_below_and_a_lazy_one_with_easy_mail_is() -> None:
    random = Random(1)
    units = {f"usual-{n}": lived(random, f"usual-{n}", {EASY: 200, HARD: 100}) for n in range(12)}
    units["hard"] = lived(random, "hard", {EASY: 20, HARD: 280})
    units["lazy"] = lived(random, "lazy", {EASY: 280, HARD: 20}, worse=0.2)
    fairly = judged([one for cells in units.values() for one in cells])
    plainly = {unit: sum(one.points for one in cells) / 300 for unit, cells in units.items()}
    assert plainly["hard"] < plainly["lazy"]
    assert fairly["hard"].score > fairly["lazy"].score
    assert [unit for unit in units if is_below(fairly[unit])] == ["lazy"]


@pytest.mark.parametrize("seed", range(20))
def test_honest_small_units_are_not_shamed_by_chance_nor_hidden_behind_a_lazy_one(seed: int) -> None:
    random = Random(seed)
    units = [lived(random, f"large-{n}", {EASY: 300, HARD: 300}) for n in range(10)]
    units += [lived(random, f"small-{n}", {EASY: 6, HARD: 6}) for n in range(30)]
    units += [lived(random, "lazy", {EASY: 300, HARD: 300}, worse=0.25)]
    fairly = judged([one for cells in units for one in cells])
    assert [unit for unit, one in fairly.items() if is_below(one)] == ["lazy"]


def test_what_is_expected_of_a_unit_is_what_others_had() -> None:
    others = [cell("one", EASY, 100, 90), cell("two", EASY, 100, 80)]
    before = expectations([*others, cell("mine", EASY, 500, 500)], STRENGTH)
    after = expectations([*others, cell("mine", EASY, 500, 0)], STRENGTH)
    assert before["mine", EASY] == after["mine", EASY] == pytest.approx(0.85)
    assert before["one", EASY] > after["one", EASY]


def test_a_question_that_others_hardly_have_is_expected_as_its_category_is() -> None:
    rare = Matter("市容环卫", "渣土", "general", "110105")
    expected = expectations([cell("mine", rare, 50, 0), cell("other", EASY, 100, 70)], STRENGTH)
    assert expected["mine", rare] == pytest.approx(0.7)


def test_who_alone_has_a_hard_duty_is_not_held_to_what_others_had_of_easier_ones() -> None:
    random = Random(3)
    units = [lived(random, f"unit-{n}", {EASY: 200}) for n in range(6)]
    units += [lived(random, "alone", {HARD: 300}), lived(random, "part", {HARD: 15, EASY: 150})]
    fairly = judged([one for cells in units for one in cells])
    assert "alone" not in fairly
    # What the one has shows the other what is to be expected of it.
    assert fairly["part"].rows == 165
    assert not any(map(is_below, fairly.values()))


def test_the_fewer_the_answers_the_nearer_to_what_is_expected_and_the_wider_the_interval() -> None:
    rest = [cell(f"unit-{n}", EASY, 200, 150 + n) for n in range(-20, 21, 4)]
    few = judged([*rest, cell("mine", EASY, 10, 2)])["mine"]
    many = judged([*rest, cell("mine", EASY, 200, 40)])["mine"]
    assert many.score < few.score < 0.75
    assert few.high - few.low > many.high - many.low


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 10_000), min_size=1), st.integers(3, 20))
def test_peers_are_of_like_volume_and_at_least_so_many_together(volumes: dict[str, int], size: int) -> None:
    groups = bands(volumes, size)
    assert groups.keys() == volumes.keys()
    members = [[unit for unit in volumes if groups[unit] == number] for number in range(max(groups.values()) + 1)]
    assert all(len(group) >= min(size, len(volumes)) for group in members)
    for lower, higher in pairwise(members):
        assert max(volumes[unit] for unit in lower) <= min(volumes[unit] for unit in higher)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([EASY, HARD]), st.integers(1, 50)), min_size=1))
def test_a_fair_score_is_a_share_within_its_interval(drawn: list[tuple[str, Matter, int]]) -> None:
    cells = {(unit, matter): cell(unit, matter, rows, rows // 2) for unit, matter, rows in drawn}
    for one in judged(list(cells.values())).values():
        assert 0 <= one.low <= one.score <= one.high <= 1
