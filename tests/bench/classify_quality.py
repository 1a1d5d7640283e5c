"""`make evaluate`: how well classify understands what it was not taught, measured on the city pack alone.

    python -m tests.bench.classify_quality [deploy/cities/beijing]

Phrases of the catalogue are held out, one of each question at a time, and judged by a model of the rest: so every
number is of words the model never saw, from a few fewer phrases than the model in use has. Danger is measured on the
sentences of tests/unit/classify/urgency_*.csv, of which nothing is taught, but whose misses were mended.
"""

import csv
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from libs.common.city.catalogue import Catalogue, Question
from libs.common.city.pack import City, load_city
from services.classify.cues import load_cues
from services.classify.domain import Appeal, Guess
from services.classify.ear import Ear, lessons
from services.classify.hotspots import Detector, load_lexicon
from services.classify.model import Model
from services.classify.reader import Reader

FOLDS = 4
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
CASES = tuple(Path("tests/unit/classify").glob("urgency_*.csv"))


@dataclass(frozen=True, slots=True)
class Judged:
    """A held-out phrase: the question it belongs to, what the model took it for, and whose matter that is."""

    right: Question
    taken: Question
    guess: Guess

    @property
    def third(self) -> bool:
        """Whether the right question is among the first three."""
        return self.right.code in (self.guess.code, *(code for code, _ in self.guess.others[:2]))

    @property
    def same_owner(self) -> bool:
        """Whether the same unit, or the same kind of place, would have to act."""
        return (self.right.owner_kind, self.right.owner) == (self.taken.owner_kind, self.taken.owner)


def held_out(catalogue: Catalogue, fold: int) -> list[Judged]:
    """Judge one phrase of each question by a model of the others. Phrases are taken at a step, not in their order."""
    questions = {code: (q, (fold * 3 + i) % len(q.phrases)) for i, (code, q) in enumerate(catalogue.by_code.items())}
    rest = {code: replace(q, phrases=q.phrases[:n] + q.phrases[n + 1 :]) for code, (q, n) in questions.items()}
    model = Model.train(replace(catalogue, by_code=MappingProxyType(rest)))
    guesses = model.judge([q.phrases[n] for q, n in questions.values()])
    pairs = zip(questions.values(), guesses, strict=True)
    return [Judged(q, catalogue.by_code[guess.code], guess) for (q, _), guess in pairs]


def share(of: Sequence[bool]) -> float:
    """Return which part of them is true."""
    return sum(of) / len(of) if of else float("nan")


def calibration_error(judged: Sequence[Judged], bins: int = 10) -> float:
    """Return the expected calibration error: how far confidence and accuracy lie apart, averaged over ten bins."""
    total = 0.0
    for number in range(bins):
        inside = [j for j in judged if number / bins < j.guess.confidence <= (number + 1) / bins]
        sure = sum(j.guess.confidence for j in inside) / max(len(inside), 1)
        total += len(inside) * abs(sure - share([j.taken is j.right for j in inside])) if inside else 0.0
    return total / len(judged)


def report_model(city: City) -> None:
    """Print how often the model is right, and what holding back the unsure would do."""
    judged = [one for fold in range(FOLDS) for one in held_out(city.catalogue, fold)]
    print(f"{len(city.catalogue)} questions, {len(judged)} held-out phrases")
    print(f"level 1         {share([j.taken.l1 == j.right.l1 for j in judged]):.3f}")
    print(f"level 3 first   {share([j.taken is j.right for j in judged]):.3f}")
    print(f"level 3 in 3    {share([j.third for j in judged]):.3f}")
    print(f"same owner      {share([j.same_owner for j in judged]):.3f}")
    print(f"calibration     {calibration_error(judged):.3f} expected error")
    print("held below   share   right of those held   right of the others   their owner right")
    for threshold in sorted({*THRESHOLDS, city.routing.low_confidence}):
        held = [j for j in judged if j.guess.confidence < threshold]
        sent = [j for j in judged if j.guess.confidence >= threshold]
        here = "  <- the city's" if threshold == city.routing.low_confidence else ""
        print(
            f"{threshold:10.2f}   {len(held) / len(judged):5.3f}   {share([j.taken is j.right for j in held]):19.3f}"
            f"   {share([j.taken is j.right for j in sent]):19.3f}"
            f"   {share([j.same_owner for j in sent]):17.3f}{here}"
        )


def ear_of(city: City, pack: Path) -> Ear:
    """Return what hears danger in a city."""
    return Ear.train(load_cues(pack / "cues.toml").alarm, lessons(city, pack / "danger.csv"))


def report_danger(city: City, pack: Path) -> None:
    """Print how much danger is heard, and how much of what is heard is danger."""
    rows = [row for path in sorted(CASES) for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]
    found = ear_of(city, pack).hear([row["text"] for row in rows])
    heard = [(row["urgent"] == "yes", words is not None) for row, words in zip(rows, found, strict=True)]
    print(f"danger          {len(heard)} sentences, {sum(is_ for is_, _ in heard)} of danger")
    print(f"recall          {share([was for is_, was in heard if is_]):.3f}")
    print(f"precision       {share([is_ for is_, was in heard if was]):.3f}")


def report_speed(city: City, pack: Path) -> None:
    """Print how fast texts of about 80 characters are judged and read, in batches of 500, on one core."""
    started = time.perf_counter()
    model = Model.train(city.catalogue)
    print(f"training        {time.perf_counter() - started:.1f} s")
    detector = Detector(city, load_lexicon(pack / "hotspots.toml"))
    reader = Reader(city, model, load_cues(pack / "cues.toml"), detector, ear_of(city, pack))
    phrases = [phrase for question in city.catalogue for phrase in question.phrases]
    texts = ["，".join((phrase, *phrases[i % 97 :: 997]))[:80] for i, phrase in enumerate(phrases[:500])]
    for name, work in (
        ("judged", lambda: model.judge(texts)),
        ("read", lambda: reader.read([Appeal(t) for t in texts])),
    ):
        started = time.perf_counter()
        work()
        print(f"{name:15} {len(texts) / (time.perf_counter() - started):,.0f} texts/s")


def main(arguments: Sequence[str]) -> None:
    """Print every table."""
    pack = Path(arguments[0] if arguments else "deploy/cities/beijing")
    city = load_city(pack)
    report_model(city)
    report_danger(city, pack)
    report_speed(city, pack)


if __name__ == "__main__":
    main(sys.argv[1:])
