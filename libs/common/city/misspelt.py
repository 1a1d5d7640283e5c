"""Names that a text only nearly says: 回龙关 for 回龙观, 旺京那边, 首都国际机厂.

Two things tell a misspelling: it sounds like the name, or one character of a long name is another. What is wrong must
not be an ordinary word, which the questions of the catalogue show: 把房子 sounds like a village, and is none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import eq

from libs.common.city.catalogue import Catalogue
from libs.common.city.sounds import sounded
from libs.common.city.toponyms import Index, Mention, Strength, Toponym, apart

LONG = 3
"""Characters from which a name says enough to be known although it is misspelt."""
# Seen less often, two characters may stand side by side in the catalogue by chance.
_USED = 3
# What a name ends in and shares with many: a misspelling is looked for in what stands before it.
_TAIL = re.compile(
    r"(?:街道|地区|镇|乡|村|社区|小区|家园|花园|公园|医院|大学|中学|小学|大街|大厦|广场|中心|路|街|桥|里|园|庄|营|苑|站)$"
)
_TELLING = frozenset("东西南北中一二三四五六七八九十〇大小前后上下左右新老旧内外ABCDEFGH")
"""One of these for another makes another place, not a misspelling."""
# 旺京那边, 朝阳旺京: what shows that two characters are meant as a place.
_HERE = re.compile(r"这|那|附近|周边|一带|地铁|街道|地区|镇")


class Spelling:
    """The names of one city by how they sound, and the long ones by how they begin."""

    def __init__(self, names: Iterable[Toponym], districts: set[str], catalogue: Catalogue) -> None:
        """Index the names of places; `districts` are the short names of districts."""
        spelt = [t for t in names if t.targets and t.strength is not Strength.WORD]
        self._sounds = Index((sounded(t.name), t) for t in spelt if _may_sound(t, districts))
        self._nearly = _nearly(t for t in spelt if t.name.isalpha() and len(t.name) > LONG <= _core(t.name))
        self._usual = _usual(catalogue)

    def alike(self, text: str, taken: Iterable[Mention] = ()) -> list[Mention]:
        """Names that a text misspells outside of the mentions `taken`: of equal sound, or one character off."""
        free = bytearray(len(text))
        behind: set[int] = set()
        for mention in taken:
            # 首都国际机厂 is misspelt from its beginning, although 首都 is a word for this city.
            if not mention.toponym.home:
                free[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
            if mention.toponym.targets:
                behind |= {mention.end, mention.end + 1}
        heard = self._sounds.at_each(sounded(text), lambda start, t: self._heard(text, start, t, behind))
        found = apart(heard, free)
        return sorted([*found, *apart(self._misspelt(text), free)], key=lambda mention: mention.start)

    def _heard(self, text: str, start: int, toponym: Toponym, behind: set[int]) -> bool:
        """Whether a text that sounds like a name may mean it: not if it is wrong in what are words by themselves.

        Two characters may only where it shows that they are a place: at one of the starts `behind` another place.
        """
        end = start + len(toponym.name)
        if self._in_words(text, start, toponym) or not any(map(eq, text[start:end], toponym.name)):
            return False
        return len(toponym.name) >= LONG or start in behind or _HERE.match(text, end) is not None

    def _in_words(self, text: str, start: int, toponym: Toponym) -> bool:
        """Whether a character that is wrong for a name is part of an ordinary word of two.

        Where most of a name is right, what stands beside the name does not matter: 三里囤酒吧.
        """
        end = start + len(toponym.name) - (toponym.strength is Strength.OFFICIAL)
        wrong = [at for at in range(start, end) if text[at] != toponym.name[at - start]]
        beside = len(toponym.name) < LONG or len(wrong) > 1
        first, last = (max(start - 1, 0), end + 1) if beside else (start, end)
        return any(text[at : at + 2] in self._usual for w in wrong for at in (w - 1, w) if first <= at < last - 1)

    def _misspelt(self, text: str) -> Iterator[Mention]:
        for start in range(len(text) - LONG):
            head = text[start : start + 2]
            for toponym in self._nearly.get(head, ()):
                said = text[start : start + len(toponym.name)]
                if _one_off(said, toponym.name) and not self._in_words(text, start, toponym):
                    yield Mention(start, start + len(toponym.name), toponym)


def _may_sound(toponym: Toponym, districts: set[str]) -> bool:
    """Few know how the names of the lists are written."""
    if toponym.name in districts:
        return True
    if not any(target.street for target in toponym.targets) and toponym.strength is not Strength.OFFICIAL:
        return False
    if len(toponym.name) >= LONG:
        return not toponym.listed or len(toponym.name) > LONG
    return toponym.strength is not Strength.OFFICIAL and not toponym.listed


def _nearly(toponyms: Iterable[Toponym]) -> dict[str, list[Toponym]]:
    """Long names by their first two characters, which are the ones people get right."""
    by_head: dict[str, list[Toponym]] = defaultdict(list)
    for toponym in toponyms:
        by_head[toponym.name[:2]].append(toponym)
    return dict(by_head)


def _one_off(said: str, name: str) -> bool:
    if len(said) != len(name):
        return False
    wrong = [at for at, (a, b) in enumerate(zip(said, name, strict=True)) if a != b]
    return len(wrong) == 1 and wrong[0] < _core(name) and _TELLING.isdisjoint((said[wrong[0]], name[wrong[0]]))


def _core(name: str) -> int:
    """How many characters stand before what a name ends in."""
    return len(_TAIL.sub("", name))


def _usual(catalogue: Catalogue) -> frozenset[str]:
    """Pairs of characters that the catalogue's questions use, as ordinary words do; what is seen once may be chance."""
    said = (text for q in catalogue for text in (*q.phrases, *q.ask, *q.category, q.evidence, q.out_of_scope))
    pairs = Counter(pair for text in said for pair in pairwise(text))
    return frozenset(first + second for (first, second), times in pairs.items() if times >= _USED)
