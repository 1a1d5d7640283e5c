"""A name of a place, what it may mean, where it stands in a text, and how names are found there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")


class Strength(IntEnum):
    """How much a name says by itself, from an ordinary word to the official name."""

    WORD = 1  # an ordinary word too: 平房, 天桥
    SHORT = 2  # without its suffix: 望京
    SITE = 3  # a landmark, station, estate, village or road
    OFFICIAL = 4  # with its suffix: 望京街道, 朝阳区


@dataclass(frozen=True, slots=True)
class Target:
    """Where a name points: a district (six digits) and, unless it is as wide as the district, a street unit code."""

    district: str
    street: str | None


@dataclass(slots=True)
class Toponym:
    """A name and what it may mean: places of the city, the city as a whole (`home`) or another one (`outside`).

    `road`: it is the name of a road and of nothing else; its targets are the streets that it passes. `listed`: only
    the list of communities has it; few people know most of those names.
    """

    name: str
    strength: Strength = Strength.WORD
    targets: list[Target] = field(default_factory=list)
    home: bool = False
    outside: bool = False
    road: bool = False
    listed: bool = False

    def add(self, strength: Strength, target: Target) -> None:
        """Keep only the targets of the strongest meaning: an official name is not shared with a short one."""
        if strength > self.strength:
            self.strength, self.targets = strength, []
        if strength == self.strength and target not in self.targets:
            self.targets.append(target)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name where it stands in a text: characters from `start` to before `end`."""

    start: int
    end: int
    toponym: Toponym


class Index:
    """Toponyms by a form of their names. Two characters tell how long a name that begins with them can be."""

    def __init__(self, named: Iterable[tuple[str, Toponym]]) -> None:
        self._by_form: dict[str, list[Toponym]] = defaultdict(list)
        lengths: dict[str, set[int]] = defaultdict(set)
        for form, toponym in named:
            if len(form) > 1:
                self._by_form[form].append(toponym)
                lengths[form[:2]].add(len(form))
        self._lengths = {head: tuple(sorted(found, reverse=True)) for head, found in lengths.items()}

    def at_each(self, text: str, fits: Callable[[int, Toponym], bool]) -> Iterator[Mention]:
        """The longest name at each place of a text that fits there."""
        for start in range(len(text) - 1):
            for length in self._lengths.get(text[start : start + 2], ()):
                found = [t for t in self._by_form.get(text[start : start + length], ()) if fits(start, t)]
                if found:
                    yield Mention(start, start + len(found[0].name), joined(found))
                    break


def folded(text: str) -> str:
    """The same for 望京SOHO and 望京soho, 嘉园3里 and 嘉园三里; of the same length as the text."""
    upper = text.upper()
    return (upper if len(upper) == len(text) else text).translate(_DIGITS)


def joined(found: list[Toponym]) -> Toponym:
    """One toponym for all that are written the same way: what one of them may mean, it may mean."""
    if len(found) == 1:
        return found[0]
    best = max(found, key=lambda toponym: toponym.strength)
    joined = Toponym(best.name, best.strength, [], best.home, best.outside, best.road)
    for toponym in found:
        for target in toponym.targets:
            joined.add(best.strength, target)
    return joined


def apart(found: Iterable[Mention], taken: bytearray) -> list[Mention]:
    """Those that do not overlap, the longer first, then the earlier, marked as taken; in their order in the text."""
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if not any(taken[mention.start : mention.end]):
            taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
            kept.append(mention)
    return sorted(kept, key=lambda mention: mention.start)
