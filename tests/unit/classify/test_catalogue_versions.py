"""What is in force, what a roll-back goes back to, what tells two catalogues apart, and what may come in as one."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.city.catalogue import Catalogue, Question
from libs.common.city.pack import load_city
from libs.common.city.versions import standing
from services.classify.domain import Activation, before, changes
from services.classify.versions import ParcelError, opened, packed, unpacked
from services.classify.versions.parcels import MOST_BYTES
from tests.support.stages import CITY, NOON

CATALOGUE = load_city(CITY).catalogue
FIRST, SECOND, THIRD = list(CATALOGUE)[:3]


def of(*questions: Question) -> Catalogue:
    return replace(CATALOGUE, by_code=MappingProxyType({question.code: question for question in questions}))


def act(number: int, catalogue: str, model: str, hour: int = 0, back_to: int | None = None) -> Activation:
    return Activation(
        UUID(int=number), NOON + timedelta(hours=hour), catalogue, model, "op", None, NOON,
        back_to=None if back_to is None else UUID(int=back_to),
    )  # fmt: skip


def test_the_last_that_is_due_is_in_force_and_what_was_cancelled_never() -> None:
    cancelled = replace(act(3, "c", "o", 2), cancelled_at=NOON)
    known = [act(1, "a", "m"), act(2, "b", "n", 1), cancelled, act(4, "d", "p", 9)]
    assert [one.catalogue for one in standing(known, NOON + timedelta(hours=3))] == ["a", "b"]
    assert standing(known, NOON - timedelta(hours=1)) == ()


def test_rolling_back_twice_goes_back_further_and_not_to_and_fro() -> None:
    known = [act(1, "a", "m"), act(2, "b", "n", 1), act(3, "c", "o", 2), act(4, "b", "n", 3, back_to=2)]
    stack = standing(known, NOON + timedelta(hours=4))
    back_to = before(stack, catalogue=True)
    assert (stack[-1].catalogue, back_to and back_to.catalogue) == ("b", "a")


def test_a_model_is_rolled_back_within_its_catalogue_and_a_catalogue_over_its_models() -> None:
    stack = standing([act(1, "a", "m"), act(2, "b", "n"), act(3, "b", "o")], NOON)
    model, catalogue = before(stack, catalogue=False), before(stack, catalogue=True)
    assert (model and model.model, catalogue and catalogue.catalogue) == ("n", "a")
    assert before(stack[:2], catalogue=False) is None
    assert before((), catalogue=True) is None


@given(st.lists(st.booleans(), max_size=30))
def test_whatever_is_done_and_undone_something_stands(steps: list[bool]) -> None:
    known = [act(0, "c0", "m")]
    for number, forward in enumerate(steps, 1):
        stack = standing(known, NOON)
        back_to = before(stack, catalogue=True)
        if forward or back_to is None:
            known.append(act(number, f"c{number}", "m"))
        else:
            known.append(act(number, *back_to.what, back_to=back_to.activation_id.int))
            assert standing(known, NOON)[-1] == back_to
        assert standing(known, NOON)[-1].catalogue == known[-1].catalogue


def test_each_kind_of_change_is_told() -> None:
    named = replace(FIRST, l3="停水了", urgency="urgent", phrases=(*FIRST.phrases[1:], "没水"))
    moved = replace(SECOND, code="water-99-99", ask=())
    new = of(named, moved, replace(THIRD, code="new-01-01", l3="另一件事"))
    found = [(change.code, change.what) for change in changes(of(FIRST, SECOND, THIRD), new)]
    assert found == [
        (FIRST.code, "renamed"), (FIRST.code, "urgency"), (FIRST.code, "phrases"),
        ("water-99-99", "recoded"), ("water-99-99", "guidance"), ("new-01-01", "added"), (THIRD.code, "removed"),
    ]  # fmt: skip


def test_a_catalogue_does_not_differ_from_itself() -> None:
    assert changes(CATALOGUE, CATALOGUE) == []


def zipped(files: dict[str, bytes]) -> list[tuple[str, bytes]]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, content in files.items():
            parts.writestr(name, content)
    return [("a.zip", archive.getvalue())]


def test_files_come_as_they_are_or_in_an_archive_and_are_kept_whole() -> None:
    files = {"01-water.csv": "水".encode(), "02-power.csv": b"b"}
    assert opened(files.items()) == opened(zipped(files)) == files
    assert unpacked(packed(files)) == files


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "should hold CSV files"),
        ([("water.csv", b"")], "named like 01-water.csv"),
        ([("01-water.csv", b"a"), ("01-water.csv", b"b")], "two files of one name"),
        ([("a.zip", b"PK\x03\x04 and no more")], "no zip archive"),
        (zipped({"01-water.csv": bytes(MOST_BYTES + 1)}), "unpack to at most"),
        (zipped({f"{n:02}-{slug}.csv": b"" for n in range(1, 60) for slug in "ab"}), "at most"),
    ],
)
def test_what_is_no_set_of_files_is_refused_and_a_bomb_is_not_unpacked(
    parts: list[tuple[str, bytes]], said: str
) -> None:
    with pytest.raises(ParcelError, match=said):
        opened(parts)
