"""Nothing that is told is of fewer than k people, however what is told is chosen, summed and subtracted."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.feedback.domain.anonymity import classes, hidden

LADDER = (lambda key: key, lambda key: (key[0], ""), lambda key: ("", ""))
KEYS = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))
ROWS = st.lists(st.tuples(st.sampled_from(["p", "q", "r", "s", "t", None]), KEYS), max_size=60)
SMALL = st.integers(2, 4)


@given(ROWS, SMALL)
def test_every_class_is_of_at_least_k_people(rows: list[tuple[str | None, tuple[str, str]]], k: int) -> None:
    people = defaultdict(set)
    for (person, _), made in zip(rows, classes(rows, LADDER, k), strict=True):
        people[made].add(person)
    assert all(len(of_them) >= k for made, of_them in people.items() if made is not None)
    assert len(people[None]) < k


@given(ROWS, SMALL)
def test_a_class_never_says_what_is_not_so(rows: list[tuple[str | None, tuple[str, str]]], k: int) -> None:
    for (_, key), made in zip(rows, classes(rows, LADDER, k), strict=True):
        assert made is None or all(told in ("", true) for told, true in zip(made, key, strict=True))


@given(ROWS, SMALL, st.sets(KEYS), st.sets(KEYS))
def test_two_tables_of_whole_classes_never_differ_by_fewer_than_k_people(
    rows: list[tuple[str | None, tuple[str, str]]], k: int, one: set[object], other: set[object]
) -> None:
    told = classes(rows, LADDER, k)
    alone = {
        person for (person, _), made in zip(rows, told, strict=True)
        if made is not None and (made in one) is not (made in other)
    }  # fmt: skip
    assert not alone or len(alone) >= k


def test_one_person_however_often_is_one_and_those_nobody_knows_are_one_together() -> None:
    assert classes([("p", ("a", "x"))] * 9, LADDER, 2) == [None] * 9
    assert classes([(None, ("a", "x"))] * 9, LADDER, 2) == [None] * 9
    assert classes([("p", ("a", "x")), (None, ("a", "x"))], LADDER, 2) == [("a", "x")] * 2


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 12), max_size=8), SMALL)
def test_what_a_table_hides_does_not_come_out_of_its_total(counts: dict[str, int], k: int) -> None:
    out = hidden(counts, k)
    told = Counter({cell: count for cell, count in counts.items() if cell not in out})
    assert all(count == 0 or count >= k for count in told.values())
    rest = sum(counts.values()) - sum(told.values())
    assert not out or told.total() == 0 or (rest >= k and len(out) > 1)
