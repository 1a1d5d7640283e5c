"""Danger to life or property that an appeal tells of now 险情: listed words, guarded by the words around them.

A danger that is denied, feared, imagined, over, or only asked about is none: 没有漏气, 怕着火, 去年着过火, 会不会爆炸.
Missing one costs a life and a false alarm an hour of somebody's work, so where the words leave it open it is danger.
Who is in danger says so at once, while long letters tell of dangers past and to come. So behind the opening of a text
only a sentence that says "now" is heard. What no list foresees, the ear hears (`services.classify.ear`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from libs.common.city.emergencies import ways

OPENING = 150
"""Characters in which somebody in danger has said so. Of citizens' letters, two thirds of them longer than this, danger
is heard in 2.5 % within it and in 1.2 % behind it; without the "now" it would be 4 %, of which hardly one in 20 is."""
_SENTENCE = re.compile(r"[^。！!？?\n；;]+[。！!？?\n；;]?")
_CLAUSE = re.compile(r"[^，,、：:]+")
# RE2 does not look around; without it a pattern finds a little more.
_LOOK_AROUND = re.compile(r"\(\?<?[!=](?:[^()]|\([^()]*\))*\)")


@dataclass(frozen=True, slots=True)
class Danger:
    """One danger: what tells of it within a clause, and what beside it in the sentence makes it something else."""

    words: re.Pattern[str]
    unless: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """What takes the danger out of words of danger.

    `before` ends where the words begin and `after` begins where they end, both in the clause; `over` stands anywhere
    in the sentence. What says `now`, in the clause or behind it, brings back a danger that was over.
    """

    before: re.Pattern[str]
    after: re.Pattern[str]
    over: re.Pattern[str]
    now: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Knows the listed words of danger.

    A filter says of which dangers a sentence may tell: all of them tried one after another took 0.15 ms a text.
    """

    dangers: Sequence[Danger]
    guards: Guards
    _sieve: Any = field(init=False)
    _told_by: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Put the words of all dangers into one filter."""
        sieve, told_by = re2.Filter(), []
        for number, danger in enumerate(self.dangers):
            for way in ways(_LOOK_AROUND.sub("", danger.words.pattern)):
                sieve.Add(way)
                told_by.append(number)
        sieve.Compile()
        object.__setattr__(self, "_sieve", sieve)
        object.__setattr__(self, "_told_by", tuple(told_by))

    def sentences(self, text: str) -> Iterator[tuple[str, bool]]:
        """Yield what must be listened to: the sentences of the opening, and those behind it that say "now".

        With each comes whether it is of the opening.
        """
        for found in _SENTENCE.finditer(text):
            sentence, opening = found[0], OPENING - found.start()
            early = opening >= len(sentence)
            if not early and not self.guards.now.search(sentence):
                sentence, early = sentence[: max(0, opening)], True
            if sentence.strip():
                yield sentence, early

    def hears(self, sentence: str) -> str | None:
        """Return the words of a sentence that tell of danger now, None if none do."""
        dangers = [d for d in self.told_in(sentence) if not (d.unless and d.unless.search(sentence))]
        return next((words for d in dangers for words in self._unguarded(sentence, d)), None)

    def told_in(self, sentence: str) -> list[Danger]:
        """Return the dangers of which a sentence may tell: at least those whose words stand in it."""
        return [
            self.dangers[number] for number in sorted({self._told_by[w] for w in self._sieve.Match(sentence) or ()})
        ]

    def _unguarded(self, sentence: str, danger: Danger) -> Iterator[str]:
        for clause in _CLAUSE.finditer(sentence):
            for found in danger.words.finditer(clause[0]):
                if not self._guarded(sentence, clause.start() + found.end(), clause[0], found):
                    yield found[0]

    def _guarded(self, sentence: str, end: int, clause: str, found: re.Match[str]) -> bool:
        guards = self.guards
        if guards.before.search(clause[: found.start()]) or guards.after.match(clause, found.end()):
            return True
        return bool(guards.over.search(sentence)) and not guards.now.search(clause + sentence[end:])


def clauses(sentence: str) -> list[str]:
    """Return the clauses of a sentence."""
    return [stripped for clause in _CLAUSE.findall(sentence) if (stripped := clause.strip())]
