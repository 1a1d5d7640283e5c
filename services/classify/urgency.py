"""Danger to life or property that an appeal tells of now 险情: words of danger, guarded by the words around them.

A danger that is denied, feared, imagined, over, or only asked about is none: 没有漏气, 怕着火, 去年着过火, 会不会爆炸.
Missing one costs a life and a false alarm an hour of somebody's work, so where the words leave it open it is danger.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SENTENCE = re.compile(r"[^。！!？?\n；;]+[。！!？?\n；;]?")
_CLAUSE = re.compile(r"[^，,、：:]+")


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
    """Hears danger in a text."""

    dangers: Sequence[Danger]
    guards: Guards

    def hears(self, text: str) -> str | None:
        """Return the words that tell of danger now, None if none do."""
        if not any(danger.words.search(text) for danger in self.dangers):
            return None
        return next((words for sentence in _SENTENCE.findall(text) for words in self._in_sentence(sentence)), None)

    def _in_sentence(self, sentence: str) -> Iterator[str]:
        for clause in _CLAUSE.finditer(sentence):
            for danger in self.dangers:
                if danger.unless and danger.unless.search(sentence):
                    continue
                for found in danger.words.finditer(clause[0]):
                    if not self._guarded(sentence, clause.start() + found.end(), clause[0], found):
                        yield found[0]

    def _guarded(self, sentence: str, end: int, clause: str, found: re.Match[str]) -> bool:
        guards = self.guards
        if guards.before.search(clause[: found.start()]) or guards.after.match(clause, found.end()):
            return True
        return bool(guards.over.search(sentence)) and not guards.now.search(clause + sentence[end:])
