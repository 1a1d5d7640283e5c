"""The board's sums, held against counting one by one."""

from collections.abc import Sequence
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain import Cases, Count, Picture, Soon, Tally, board, by_unit, changes, fingerprint

UNITS = st.sampled_from(["", "a", "b", "c"])
CATEGORIES = st.sampled_from(["", "供电", "燃气"])
CLOCKS = st.sampled_from(["response", "completion"])
N = st.integers(1, 1000)
EXPECTED = st.integers(0, 1000).map(float)
PICTURES = st.builds(
    Picture,
    st.lists(st.builds(Count, UNITS, CATEGORIES, CLOCKS, N, N, N, N), max_size=8).map(by_unit),
    st.lists(st.builds(Soon, UNITS, CATEGORIES, CLOCKS, N, EXPECTED), max_size=4).map(by_unit),
    st.lists(st.builds(Cases, UNITS, st.integers(1, 3), N), max_size=4).map(by_unit),
)
SEEN = st.none() | st.frozensets(st.sampled_from(["a", "b", "c"]))


def clocks(tallies: Sequence[Tally]) -> int:
    return sum(tally.green + tally.yellow + tally.red for tally in tallies)


@given(PICTURES, SEEN)
def test_each_way_of_summing_comes_to_the_same_and_only_of_what_is_seen(
    picture: Picture, units: frozenset[str] | None
) -> None:
    shown = board(picture, units)
    counts = chain.from_iterable(picture.counts.values())
    seen = [c.green + c.yellow + c.red for c in counts if units is None or c.unit in units]
    for tallies in ([shown.total], shown.clocks.values(), shown.units.values(), shown.categories.values()):
        assert clocks(list(tallies)) == sum(seen)
        assert sum(tally.soon for tally in tallies) == shown.total.soon
    assert units is None or shown.units.keys() <= units
    assert sum(map(sum, (tally.supervised for tally in shown.units.values()))) == sum(shown.total.supervised)


@given(PICTURES, PICTURES, SEEN)
def test_a_board_with_its_changes_put_in_is_the_next_one(
    before: Picture, after: Picture, units: frozenset[str] | None
) -> None:
    old, new = board(before, units), board(after, units)
    changed = changes(old, new)
    for was, lines, now in ((old.units, changed.units, new.units), (old.clocks, changed.clocks, new.clocks)):
        put_in = {name: tally for name, tally in {**was, **lines}.items() if tally != Tally()}
        assert put_in == dict(now)
    assert changed.total == new.total


@given(PICTURES, PICTURES)
def test_boards_that_differ_have_another_id(before: Picture, after: Picture) -> None:
    old, new = board(before, None), board(after, None)
    assert (fingerprint(old) == fingerprint(new)) == (old == new)
    assert fingerprint(old) == fingerprint(board(before, None))
