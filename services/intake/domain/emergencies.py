"""Life or property in danger this minute, in the words of an appeal."""

import re
from collections.abc import Iterable, Iterator

from libs.common.city.emergencies import Emergencies, Emergency, Guards

BEGINNING, BEGINNING_OF_LETTERS = 100, 300
"""Characters that are searched: who is in danger says so first. A language of letters needs three times as many."""
_SENTENCE = re.compile(r"[^。！!？?\n；;]+[。！!？?\n；;]*")
_CLAUSE = re.compile(r"[^，,、：:]+[，,、：:]?")


def emergencies_in(text: str, known: Emergencies) -> tuple[Emergency, ...]:
    """Return the numbers that must be called now, the most urgent first; none if it is no emergency.

    It must cost next to nothing where there is none: this runs while the citizen waits.
    """
    beginning = text[:BEGINNING]
    if beginning.isascii():
        beginning = text[:BEGINNING_OF_LETTERS]
    if known.words.Match(beginning) is None:
        return ()
    sentences = list(_real(beginning, known.guards, hasty=known.guards.leisure.search(text) is None))
    return tuple(emergency for emergency in known.numbers if _is_now(sentences, emergency, known.guards))


def _is_now(sentences: Iterable[str], emergency: Emergency, guards: Guards) -> bool:
    return any(
        _unguarded(clause, emergency, guards)
        for sentence in sentences
        if not emergency.unless.search(sentence)
        for clause in _CLAUSE.findall(sentence)
    )


def _real(text: str, guards: Guards, *, hasty: bool) -> Iterator[str]:
    """Return the sentences that tell of this minute."""
    for sentence in _SENTENCE.findall(text):
        over = not hasty or guards.over.search(sentence)
        if not guards.unreal.search(sentence) and not (over and not guards.now.search(sentence)):
            yield sentence


def _unguarded(clause: str, emergency: Emergency, guards: Guards) -> bool:
    return any(
        not guards.before.search(clause[: found.start()]) and not guards.after.match(clause, found.end())
        for found in emergency.words.finditer(clause)
    )
