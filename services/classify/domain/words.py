"""The words of an appeal, and what a reading of them gives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from libs.common.contracts.classify import Details
from libs.common.contracts.vocabulary import Kind, Location, Place, Receipt

LONGEST_ADDED = 2000
"""Characters of later words that are read with an appeal, some 10 ms of work: an hour of recorded speech must neither
drown the matter nor hold up the others."""
GONE = "…"
"""Stands for words of danger that were deleted."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """The words of an appeal, redacted, and where its reporter says it is. `added` came later, oldest first.

    `at` is when they were said, from which "yesterday" is counted.
    """

    text: str
    title: str | None = None
    address: str | None = None
    location: Location | None = None
    added: tuple[str, ...] = ()
    at: datetime | None = None

    @property
    def body(self) -> str:
        """All but the title."""
        return "\n".join((self.text, *self.added))


@dataclass(frozen=True, slots=True)
class Guess:
    """What the model takes a text to be about. A confidence is the share of times that such a guess is right."""

    code: str
    confidence: float
    others: tuple[tuple[str, float], ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words of an appeal give. But for the guess, it holds whatever question the appeal is judged to be.

    `danger` are the words that tell of danger now, `asks` whether it is only a question, `kind` what a cue says. Hot
    events are found by its `mood`, from -1 to 1, whether it speaks of `vulnerable` people or of `safety`, and `words`:
    the pairs of characters that the catalogue does not explain. `facts` are times, people, money and organisations.
    """

    guess: Guess
    keywords: tuple[str, ...] = ()
    summary: str = ""
    place: Place | None = None
    outside: bool = False
    danger: str | None = None
    asks: bool = False
    kind: Kind | None = None
    mood: float = 0.0
    vulnerable: bool = False
    safety: bool = False
    words: tuple[str, ...] = ()
    facts: Details | None = None

    @property
    def without_words(self) -> "Reading":
        """What was read without the words it was read from; that there was danger stays."""
        return replace(
            self,
            guess=replace(self.guess, why=()),
            keywords=(),
            words=(),
            facts=None,
            summary="",
            place=self.place.model_copy(update={"matched": ()}) if self.place else None,
            danger=GONE if self.danger else None,
        )


def appeal_of(receipt: Receipt, added: Sequence[str] = ()) -> Appeal:
    """Return the words of a receipt, with the newest of those that were added later."""
    return Appeal(receipt.text, receipt.title, receipt.address, receipt.location, _newest(added), receipt.received_at)


def _newest(texts: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for text in reversed(texts):
        kept.append(text[: max(0, LONGEST_ADDED - sum(map(len, kept)))])
    return tuple(text for text in reversed(kept) if text)


def joined(before: Reading, again: Reading, *, surer: bool) -> Reading:
    """Return what two readings of one appeal give, the second with words that were added.

    The guess is the second's only if it is surer, for added words can also say nothing. A place that was found and a
    danger that was heard stay.
    """
    if before.place:
        again = replace(again, place=before.place, outside=before.outside)
    guess = again.guess if surer else before.guess
    return replace(again, guess=guess, danger=before.danger or again.danger)
