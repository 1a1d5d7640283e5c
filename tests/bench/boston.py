"""How well routing learned from a city's records does on a later period of them, beside plain tables and a ceiling.

`python -m tests.bench.boston RECORDS.csv.gz [--map deploy/maps/boston311.yaml]`: Boston's 311 records of 2015, which
the city publishes and this project does not bring along. Without them there is nothing to measure.
"""

import argparse
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from libs.common.city.learning.history import Case, cases
from libs.common.city.learning.mapping import load_map
from services.classify.model.labelling import Labeller
from services.cli.city import interval
from services.cli.records import open_source
from services.dispatch.routing.learned import Learned, Seen
from services.dispatch.routing.learning import Lesson, Quality, judge, learn

WINDOWS = (("2015-04-01", "2015-07-01"), ("2015-07-01", "2015-10-01"), ("2015-09-01", "2015-10-01"))
"""Learned of all before the first day, measured from it to the second."""
MAIN = 1
Key = Callable[[Case], tuple[str, ...]]
TABLES: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("type", (lambda case: (case.category[2],),)),
    ("type, district", (lambda case: (case.category[2], case.district), lambda case: (case.category[2],))),
    (
        "type, district, source",
        (
            lambda case: (case.category[2], case.district, case.channel),
            lambda case: (case.category[2], case.district),
            lambda case: (case.category[2],),
        ),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests.bench.boston")
    parser.add_argument("records", nargs="?", type=Path)
    parser.add_argument("--map", type=Path, default=Path("deploy/maps/boston311.yaml"))
    asked = parser.parse_args(arguments)
    if asked.records is None or not asked.records.exists():
        print("Skipped: name the file of Boston's 311 records of 2015, as its open data portal has it.")
        return 0
    map_ = load_map(asked.map)
    found = sorted(cases((row for _, row in open_source(asked.records)), map_), key=lambda case: case.opened)
    for number, window in enumerate(WINDOWS):
        for line in _measured(found, window, whole=number == MAIN):
            print(line, flush=True)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime:.0f} s of one core, {used.ru_maxrss // 1024} MB")
    return 0


def _measured(found: Sequence[Case], window: tuple[str, str], *, whole: bool) -> Iterator[str]:
    start, end = (datetime.fromisoformat(f"{day}T00:00:00-04:00") for day in window)
    before = [case for case in found if case.opened < start]
    later = [case for case in found if start <= case.opened < end]
    yield f"learned of {len(before)} records before {window[0]}, measured on {len(later)} before {window[1]}"
    if whole:
        for name, keys in TABLES:
            yield _line(f"table of {name}", _table(before, later, keys), len(later))
            yield _line(f"the same table of the period itself: {name}", _table(later, later, keys), len(later))
    model, _ = learn(_lessons(before))
    above = {case.unit: case.department for case in found}
    yield from _quality("learned", judge(model, _lessons(later), above))
    nameless = [replace(lesson, seen=replace(lesson.seen, category=("", "", ""))) for lesson in _lessons(later)]
    yield from _quality("learned, by words and place only", judge(model, nameless, above))
    if whole:
        yield from _by_words(before, later, model, above)


def _by_words(before: Sequence[Case], later: Sequence[Case], model: Learned, above: dict[str, str]) -> Iterator[str]:
    """Find the type by the words of the title, as `train` learns labels, and route by the type that was found."""
    labeller = Labeller.train([case.words for case in before], [case.category[2] for case in before])
    said = [one.label for one in labeller.judge([case.words for case in later])]
    right = sum(label == case.category[2] for label, case in zip(said, later, strict=True)) / len(later)
    yield _line("type by the words of the title", right, len(later))
    levels = {case.category[2]: case.category for case in before}
    lessons = [
        replace(lesson, seen=replace(lesson.seen, category=levels[label]))
        for lesson, label in zip(_lessons(later), said, strict=True)
    ]
    yield from _quality("learned, by the type that was found", judge(model, lessons, above))


def _lessons(some: Sequence[Case]) -> list[Lesson]:
    return [
        Lesson(
            Seen(case.category, case.words, case.address, case.district, case.area, case.channel),
            case.opened,
            case.unit,
        )
        for case in some
    ]


def _table(before: Sequence[Case], later: Sequence[Case], keys: Sequence[Key]) -> float:
    """Return how often the commonest unit of the finest known circumstances is right."""
    tables: list[dict[tuple[str, ...], Counter[str]]] = [defaultdict(Counter) for _ in keys]
    for case in before:
        for table, key in zip(tables, keys, strict=True):
            table[key(case)][case.unit] += 1
    right = 0
    for case in later:
        known = next((t[k(case)] for t, k in zip(tables, keys, strict=True) if k(case) in t), None)
        right += known is not None and known.most_common(1)[0][0] == case.unit
    return right / len(later)


def _quality(name: str, quality: Quality) -> Iterator[str]:
    yield _line(f"{name}: unit", quality.first, quality.cases)
    yield _line(f"{name}: among three", quality.three, quality.cases)
    yield _line(f"{name}: department", quality.above or 0.0, quality.cases)
    yield f"  {name}: calibration error {quality.error:.3f}"


def _line(what: str, share: float, cases: int) -> str:
    low, high = interval(share, cases)
    return f"  {what:<58} {share:.4f}  ({low:.4f} to {high:.4f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
