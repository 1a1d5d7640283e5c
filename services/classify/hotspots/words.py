"""Words that nobody used before: pairs of characters that neither the catalogue nor the city's past explains.

Pairs need no list of words and no cutting of texts into words, which fails on just the words that are new. What a new
word is in full is read from the texts that share its pair.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import numpy as np
from scipy.special import betainc

from libs.common.city.pack import City
from services.classify.model.grams import runs

SPANS = (timedelta(hours=1), timedelta(hours=24), timedelta(days=7))
"""The windows in which words are counted."""
DAY = timedelta(days=1)
LONGEST = 300
"""Characters that are read of a text."""
MOST = 40
"""Grams that are kept of a text."""
USUAL = 20.0
"""A gram that this many tickets use on a mean day is no news; it is not kept any more."""
_RARE = 0.2
"""How many tickets a day are believed to use a gram that was never met."""
_SHAPE = 0.5
_SWING = 0.1
"""The variance of a gram's use beside chance, relative to its mean squared: it goes up and down by a third."""
_SINGLES = 0.37
"""At most so many tickets a day are not counted of a gram, on days when one ticket alone used it (Poisson)."""
_VOCABULARY, _NEW_GRAMS = 200_000, 10
"""How many grams may stand out: so many for each ticket of a span, and no more than people who write know."""
_LOOKS = 2
_CLEAREST = 200
"""Grams that are looked at of those that stand out; where more do, it is no event but a new way of writing."""
_ALIKE, _TOGETHER, _AROUND = 0.5, 2 / 3, 0.8


@dataclass(frozen=True, slots=True)
class Mention:
    """A ticket that uses a gram which stands out. `voice` tells one person from another."""

    ticket_id: UUID
    at: datetime
    code: str
    district: str
    street: str
    voice: int
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class WordFound:
    """Tickets that share a new word. `grams` are all of the one that stands out most; who uses all belongs to it."""

    grams: tuple[str, ...]
    mentions: tuple[Mention, ...]
    span: timedelta
    expected: float


class Grams:
    """Reads the grams of texts that the catalogue and the names of the city do not explain.

    Characters that are `empty` bind words and are part of none: a gram with one of them is no word's.
    """

    def __init__(self, city: City, empty: str) -> None:
        texts = [t for q in city.catalogue for t in (*q.phrases, *q.ask, q.l3, q.l2, q.evidence, q.out_of_scope)]
        names = [*(place.name for place in city.places), *(unit.name.zh for unit in city.units.values())]
        # By first character, a string of all that follow it: a tenth of the memory of a set, and searched as fast.
        self._known: dict[str, str] = {}
        for gram in (gram for text in (*texts, *names) for gram in _pairs(text)):
            if gram[1] not in (seconds := self._known.get(gram[0], "")):
                self._known[gram[0]] = seconds + gram[1]
        self._empty = frozenset(empty)
        self._usual: frozenset[str] = frozenset()

    def usual(self, words: Mapping[str, float]) -> None:
        """Leave out from now on what so many use day by day. Another thread may be reading: the set is replaced."""
        self._usual = frozenset(word for word, rate in words.items() if rate >= USUAL)

    def of(self, text: str) -> tuple[str, ...]:
        """Return the grams of a text that are worth counting, each once, in their order."""
        known, usual, empty = self._known, self._usual, self._empty
        found = dict.fromkeys(
            g
            for g in _pairs(text[:LONGEST])
            if g[1] not in known.get(g[0], "") and g not in usual and empty.isdisjoint(g)
        )
        return tuple(found)[:MOST]


def _pairs(text: str) -> Iterable[str]:
    return ("".join(pair) for run in runs(text) if not run.isascii() for pair in pairwise(run))


@dataclass(frozen=True, slots=True)
class Past:
    """What is usual of grams: how many tickets used each over so many `days`, with so many tickets a day in all."""

    rates: Mapping[str, float]
    days: float
    volume: float


@dataclass(frozen=True, slots=True)
class Out:
    """A gram that stands out: how many tickets were expected, and whether nobody was known to use it."""

    expected: float
    unheard: bool


def standing_out(
    counts: Mapping[str, int], past: Past, brought: float, span: timedelta, least: int, budget: float
) -> dict[str, Out]:
    """Return the grams with more tickets in a span than their past explains.

    `brought` is how many mean days the span brings. Before half as much was learnt as the span is long, and a day at
    least, too many words are new that everybody uses, and none stands out.
    """
    words = [word for word, count in counts.items() if count >= least]
    days = past.days - (span / DAY if span > DAY else 0.0)
    if not words or days < max(1.0, span / DAY / 2):
        return {}
    came = np.array([counts[word] for word in words], dtype=np.float64)
    used = np.array([past.rates.get(word, 0.0) for word in words])
    if span > DAY:
        # All of a long span but today was learnt: an event that goes on for days must not be its own excuse.
        used = np.maximum(used - came, 0)
    known = used + np.minimum(used, _SINGLES * days)
    # The prior is that of rare grams: it must not make common ones rarer than they were.
    rare = (known + _SHAPE) / (days + _SHAPE / _RARE)
    expected, shapes = brought * np.maximum(rare, known / days), 1 / (1 / (known + _SHAPE) + _SWING)
    chance = betainc(came, shapes, expected / (expected + shapes))
    tests = min(_VOCABULARY, _NEW_GRAMS * past.volume * brought) * len(SPANS) * _LOOKS * max(1.0, DAY / span)
    out = chance < budget / max(tests, 1.0)
    return {word: Out(float(expected[i]), bool(used[i] == 0)) for i, word in enumerate(words) if out[i]}


def grouped(mentions: Sequence[Mention], out: Mapping[str, Out], span: timedelta, least: int) -> list[WordFound]:
    """Return the tickets that belong together by the grams that stand out, the largest group first.

    They must be of `least` people, and hang together by more than a gram: by matter or by place, or by a longer word
    that nobody used before. What is in everybody's mouth, such as the name of a feast, makes no event.
    """
    using: dict[str, list[Mention]] = {gram: [] for gram in out}
    for mention in mentions:
        for gram in mention.words & out.keys():
            using[gram].append(mention)
    clearest = sorted(using, key=lambda gram: -len(using[gram]) / (out[gram].expected + 1))[:_CLEAREST]
    tickets = {gram: {mention.ticket_id for mention in using[gram]} for gram in clearest}
    found: list[WordFound] = []
    taken: set[UUID] = set()
    for gram in clearest:
        group = [mention for mention in using[gram] if mention.ticket_id not in taken]
        if _people(group) < least:
            continue
        like = (g for g in clearest if out[g].unheard == out[gram].unheard)
        alike = [g for g in like if _alike({mention.ticket_id for mention in group}, tickets[g])]
        if (out[gram].unheard and len(alike) > 1) or _hangs_together(group):
            taken.update(mention.ticket_id for mention in group)
            grams, together = _joined(gram, group, alike, least)
            found.append(WordFound(tuple(sorted(grams)), tuple(together), span, out[gram].expected))
    return sorted(found, key=lambda one: -len(one.mentions))


def _alike(mine: set[UUID], theirs: set[UUID]) -> bool:
    return len(mine & theirs) >= _ALIKE * len(mine | theirs)


def _hangs_together(group: Sequence[Mention]) -> bool:
    shares = (Counter(m.code for m in group), Counter(m.street for m in group if m.street))
    return any(counts.most_common(1)[0][1] >= _TOGETHER * len(group) for counts in shares if counts)


def _joined(
    gram: str, group: Sequence[Mention], alike: Iterable[str], least: int
) -> tuple[list[str], Sequence[Mention]]:  # fmt: skip
    """Return the gram with those that overlap it, and the tickets that hold all of them: 紫冠 and 冠卡 are one word.

    Each may be like the first and yet no ticket hold them all: one is joined only while those that do are enough.
    """
    grams, together = [gram], group
    for other in alike:
        if other != gram and (other[0] == gram[-1] or other[-1] == gram[0]):
            both = [mention for mention in together if other in mention.words]
            if _people(both) >= least:
                grams, together = [*grams, other], both
    return grams, together


def _people(tickets: Iterable[Mention]) -> int:
    return len({ticket.voice for ticket in tickets})


def whole_word(gram: str, texts: Sequence[str], longest: int = 8) -> str:
    """Return the longest word around a gram that four in five of the texts with it agree on."""
    word = gram
    while len(word) < longest:
        beside = Counter(grown for text in texts for grown in _grown(word, text))
        grown, count = beside.most_common(1)[0] if beside else ("", 0)
        if count < _AROUND * sum(word in text for text in texts) or count < 2:
            return word
        word = grown
    return word


def _grown(word: str, text: str) -> set[str]:
    """Return a word in a text with one more character on either side, where that is a letter."""
    start = text.find(word)
    if start < 0:
        return set()
    before, after = text[max(0, start - 1) : start], text[start + len(word) : start + len(word) + 1]
    return {g for side, g in ((before, before + word), (after, word + after)) if side.isalpha()}
