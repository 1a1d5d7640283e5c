"""Training a model of a catalogue and of what people said of tickets, and measuring it on what it did not learn.

Each is measured on texts held out: one phrase of each question, and the newest fifth of the confirmed
tickets, for what comes next is what counts. What is measured learnt neither; what is kept learnt all of it.
"""

import hashlib
import io
import json
import math
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libs.common.city.catalogue import Catalogue
from services.classify.domain import Guess, Measures
from services.classify.model import Model, fingerprint
from services.classify.model.meaning import Meaning

HELD_OUT = 0.2
LEAST_LABELS = 50
"""Of fewer confirmed tickets nothing is held out: a share of ten texts says nothing."""
MOST_EXAMPLES = 200
"""Of one question the newest so many teach: a thousand of the commonest add nothing but time."""
_AT_ONCE = 100
_BINS = 10
_PROBES = 40
_ALIKE = 0.02


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a person or a ruling said a ticket's words are about."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model as its arrays, with what was measured of it."""

    name: str
    data: str
    labels: int
    examples: Mapping[str, int]
    phrases: Measures | None
    confirmed: Measures | None
    arrays: bytes


def data_of(catalogue: Catalogue, lessons: Iterable[Lesson]) -> str:
    """Return the fingerprint of all that a model learns from."""
    digest = hashlib.sha256(catalogue.version.encode())
    for code, text in sorted((lesson.code, lesson.text) for lesson in lessons):
        digest.update(json.dumps([code, text]).encode())
    return digest.hexdigest()[:12]


def trained(catalogue: Catalogue, lessons: Sequence[Lesson], meaning: Meaning | None) -> Trained:
    """Train and measure a model; `lessons` come oldest first, and what is of no question here teaches nothing."""
    known = [lesson for lesson in lessons if lesson.code in catalogue.by_code]
    data = data_of(catalogue, known)
    name = hashlib.sha256(f"{fingerprint(catalogue.version, meaning)} {data}".encode()).hexdigest()[:12]
    phrases, confirmed = _measured(catalogue, known, meaning)
    model = Model.train(catalogue, meaning, _examples(known), name)
    levels = Counter(catalogue.by_code[lesson.code].l1 for lesson in known)
    kept = {**model.arrays, **probe(model, catalogue), "sentence": np.array(meaning.name if meaning else "")}
    return Trained(name, data, len(known), dict(sorted(levels.items())), phrases, confirmed, _saved(kept))


def evaluated(model: Model, catalogue: Catalogue, lessons: Sequence[Lesson]) -> Measures | None:
    """Measure a model on tickets that it did not learn; None without any."""
    return _measure(model, catalogue, [lesson for lesson in lessons if lesson.code in catalogue.by_code])


def probe(model: Model, catalogue: Catalogue) -> dict[str, NDArray[Any]]:
    """Return what a model says of some phrases by their characters: by this a later release knows it again."""
    guesses = model.judge(_some_phrases(catalogue), looks=0)
    return {
        "probe_codes": np.array([guess.code for guess in guesses]),
        "probe_confidences": np.array([guess.confidence for guess in guesses]),
    }


def remade(catalogue: Catalogue, name: str, arrays: bytes, meaning: Meaning | None) -> Model | None:
    """Return a model from its arrays; None if they do not mean to this release what they meant when it was trained."""
    try:
        with np.load(io.BytesIO(arrays), allow_pickle=False) as kept:
            parts = dict(kept)
        model = Model(catalogue, name, parts, meaning)
        return model if usable(model, catalogue, parts, meaning) else None
    except (ValueError, KeyError, IndexError, TypeError, EOFError, OSError, zipfile.BadZipFile):
        return None


def usable(model: Model, catalogue: Catalogue, arrays: Mapping[str, NDArray[Any]], meaning: Meaning | None) -> bool:
    """Say whether a model still says what it said when it was trained. Without a sentence model characters do."""
    if meaning and str(arrays["sentence"]) != meaning.name:
        return False
    now = probe(model, catalogue)
    same = now["probe_codes"].tolist() == arrays["probe_codes"].tolist()
    return same and bool(np.allclose(now["probe_confidences"], arrays["probe_confidences"], atol=_ALIKE))


def _some_phrases(catalogue: Catalogue) -> list[str]:
    firsts = [question.phrases[0] for question in catalogue]
    return firsts[:: math.ceil(len(firsts) / _PROBES)]


def _saved(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub takes names for options
    return file.getvalue()


def _examples(lessons: Sequence[Lesson]) -> dict[str, list[str]]:
    by_code: dict[str, list[str]] = defaultdict(list)
    for lesson in reversed(lessons):
        if len(by_code[lesson.code]) < MOST_EXAMPLES:
            by_code[lesson.code].append(lesson.text)
    return by_code


def _measured(
    catalogue: Catalogue, lessons: Sequence[Lesson], meaning: Meaning | None
) -> tuple[Measures | None, Measures | None]:
    """Measure on a phrase of each question and on the newest lessons, by a model that learnt neither."""
    newest = round(len(lessons) * HELD_OUT) if len(lessons) >= LEAST_LABELS else 0
    older, held = lessons[: len(lessons) - newest], lessons[len(lessons) - newest :]
    # Not always the same of them: an editor may put the oddest last.
    questions = [(q, i % len(q.phrases)) for i, q in enumerate(catalogue)]
    rest = {q.code: replace(q, phrases=q.phrases[:n] + q.phrases[n + 1 :]) for q, n in questions}
    model = Model.train(replace(catalogue, by_code=MappingProxyType(rest)), meaning, _examples(older))
    phrases = [Lesson(q.code, q.phrases[n]) for q, n in questions]
    return _measure(model, catalogue, phrases), _measure(model, catalogue, held)


def _measure(model: Model, catalogue: Catalogue, lessons: Sequence[Lesson]) -> Measures | None:
    """Measure as a seat meets it: whatever its characters leave unsure is looked at for its meaning too."""
    if not lessons:
        return None
    guesses: list[Guess] = []
    for at in range(0, len(lessons), _AT_ONCE):
        part = [lesson.text for lesson in lessons[at : at + _AT_ONCE]]
        guesses += model.judge(part, looks=len(part))
    right = np.array([lesson.code == guess.code for lesson, guess in zip(lessons, guesses, strict=True)])
    pairs = [(catalogue.by_code[one.code], catalogue.by_code[g.code]) for one, g in zip(lessons, guesses, strict=True)]
    thirds = [
        one.code in {g.code, *(code for code, _ in g.others[:2])} for one, g in zip(lessons, guesses, strict=True)
    ]
    return Measures(
        texts=len(lessons),
        level1=_share([was.l1 == is_.l1 for was, is_ in pairs]),
        level3=_share(right),
        top3=_share(thirds),
        owner=_share([(was.owner_kind, was.owner) == (is_.owner_kind, is_.owner) for was, is_ in pairs]),
        calibration_error=_calibration_error(right, np.array([guess.confidence for guess in guesses])),
    )


def _share(of: Sequence[bool] | NDArray[np.bool_]) -> float:
    return round(float(np.mean(of)), 4)


def _calibration_error(right: NDArray[np.bool_], sure: NDArray[np.float64]) -> float:
    """Return the expected calibration error: how far confidence and accuracy lie apart, averaged over ten bins."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    apart = sum(abs(float((sure[bins == b] - right[bins == b]).sum())) for b in range(_BINS))
    return round(apart / len(right), 4)
