"""What may be told without telling of anybody: rows in classes of at least k people, and counts that hide small ones.

`classes` puts each row into one class and tells it no finer than that class is. The classes are a partition: whatever
is shown as whole classes, however chosen and summed, differs from anything else so shown by whole classes again, each
of at least k people. So two tables of the same partition cannot be subtracted to find one person; of two partitions of
the same rows that does not hold, and therefore a period is partitioned once. Sources: k-anonymity (Samarati and Sweeney
1998), told by local recoding along one ladder of generalisations; complementary suppression of tables (Cox 1980).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
N = TypeVar("N", bound=Hashable)
Person = str | None
"""Whoever a row is of, by pseudonym. Those nobody knows, None, might be one and the same, and count as one person."""


def classes(rows: Sequence[tuple[Person, K]], ladder: Sequence[Callable[[K], N | None]], k: int) -> list[N | None]:
    """Return the class of each row: what the first step of the ladder makes of it that at least `k` people share.

    The ladder goes from fine to coarse; a step that does not know a row says None. A row of which even the coarsest
    step would tell of fewer people has no class, None, and is not to be told at all.
    """
    told: list[N | None] = [None] * len(rows)
    left = list(range(len(rows)))
    for step in ladder:
        members: dict[N, list[int]] = defaultdict(list)
        for number in left:
            made = step(rows[number][1])
            if made is not None:
                members[made].append(number)
        for made, numbers in members.items():
            if len({rows[number][0] for number in numbers}) >= k:
                for number in numbers:
                    told[number] = made
        left = [number for number in left if told[number] is None]
    return told


def hidden(counts: Mapping[K, int], k: int) -> frozenset[K]:
    """Return the cells of a table to hide that stands beside its total: those under `k`, which are not empty.

    What is hidden must not come out by subtraction: it is of at least `k` together and of two cells, if any is; the
    smallest of the others are hidden with it.
    """
    small = {cell for cell, count in counts.items() if 0 < count < k}
    others = sorted((cell for cell in counts if cell not in small and counts[cell]), key=lambda cell: counts[cell])
    while small and others and (len(small) == 1 or sum(counts[cell] for cell in small) < k):
        small.add(others.pop(0))
    return frozenset(small)
