"""How well the chance to be late holds on a city's records: learned of the earlier ones, asked of the later.

`python -m tests.bench.lateness RECORDS.csv.gz [--map deploy/maps/boston311.yaml]`: Boston's 311 records of 2015, which
the city publishes and this project does not bring along. Without them there is nothing to measure.

What is learned is what sla would know at that moment: orders that were due by then, done or not. What is asked of is
the record's own word, whether it was on time; records that were due after the last one was closed have none yet.
"""

import argparse
import resource
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from libs.common.city.learning.history import Case, cases
from libs.common.city.learning.mapping import load_map
from services.cli.records import open_source
from services.sla.lateness.learning import DAYS, Outcomes, Quality, learn, measured
from services.sla.lateness.rates import PASSED, Alike, Rates

PRIOR = 0.1
WEEK = timedelta(days=7)
WINDOWS = (("2015-04-01", "2015-07-01"), ("2015-07-01", "2015-10-01"))
MAIN = 1
STAGES = (0, 2, 3)
Ask = Callable[[Outcomes], float]


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests.bench.lateness")
    parser.add_argument("records", nargs="?", type=Path)
    parser.add_argument("--map", type=Path, default=Path("deploy/maps/boston311.yaml"))
    asked = parser.parse_args(arguments)
    if asked.records is None or not asked.records.exists():
        print("Skipped: name the file of Boston's 311 records of 2015, as its open data portal has it.")
        return 0
    found = list(cases((row for _, row in open_source(asked.records)), load_map(asked.map)))
    ends = max(case.closed for case in found if case.closed)
    timed = [case for case in found if case.due and case.opened < case.due <= ends]
    print(f"{len(timed)} of {len(found)} records were due in time to know; chances beside the record's own word")
    for number, window in enumerate(WINDOWS):
        for line in _measured(timed, window, whole=number == MAIN):
            print(line, flush=True)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime:.0f} s of one core, {used.ru_maxrss // 1024} MB")
    return 0


def _measured(timed: Sequence[Case], window: tuple[str, str], *, whole: bool) -> Iterator[str]:
    start, end = (datetime.fromisoformat(f"{day}T00:00:00-04:00") for day in window)
    later = [case for case in timed if start <= case.opened < end]
    yield f"\n{len(later)} records of {window[0]} to {window[1]}"
    at_once = _asked(timed, later, [start])
    weekly = _asked(timed, later, _weeks(start, end))
    for stage in STAGES:
        yield f" when {PASSED[stage]:.0%} of the time had passed and they were open"
        yield _line("learned once, on the day before", _judged(later, at_once[stage], stage))
        yield _line("learned anew each week", _judged(later, weekly[stage], stage))
        if whole:
            yield from _plain(timed, later, start, stage)
    if whole:
        for stage in STAGES[:2]:
            yield from _reliability(_judged(later, weekly[stage], stage))


def _weeks(start: datetime, end: datetime) -> list[datetime]:
    return [start + WEEK * number for number in range((end - start) // WEEK + 1)]


def _asked(timed: Sequence[Case], later: Sequence[Case], moments: Sequence[datetime]) -> dict[int, list[float]]:
    """Return what is said of each record by what was known at the last of the moments before it, by stage."""
    said: dict[int, list[float]] = {stage: [0.0] * len(later) for stage in STAGES}
    for number, moment in enumerate(moments):
        rates = known(timed, moment)
        until = moments[number + 1] if number + 1 < len(moments) else None
        for place, case in enumerate(later):
            if case.opened >= moment and (until is None or case.opened < until):
                for stage in STAGES:
                    said[stage][place] = rates.chance(alike(case), PASSED[stage])
    return said


def known(timed: Iterable[Case], moment: datetime) -> Rates:
    """Return what would have been learned at a moment."""
    since = moment - timedelta(days=DAYS)
    return learn((outcome(case) for case in timed if case.due and since <= case.due <= moment), moment, PRIOR)


def outcome(case: Case) -> Outcomes:
    """Return a record as a clock that ended."""
    part = _part(case)
    return Outcomes(
        case.due or case.opened, alike(case), tuple(int(part > p) for p in (-1, *PASSED[1:])), int(part > 1)
    )


def _part(case: Case) -> float:
    """Return after which part of its time a record was closed."""
    return (case.closed - case.opened) / (case.due - case.opened) if case.closed and case.due else float("inf")


def alike(case: Case) -> Alike:
    """Return what a record is like."""
    return Alike("completion", "general", case.category[0], case.unit, case.category[2])


def _judged(later: Sequence[Case], said: Sequence[float], stage: int) -> Quality:
    open_then = [(say, case) for say, case in zip(said, later, strict=True) if not stage or _part(case) > PASSED[stage]]
    late = np.array([float(case.on_time is False) for _, case in open_then])
    return measured(PASSED[stage], np.array([say for say, _ in open_then]), np.ones(len(late)), late)


def _plain(timed: Sequence[Case], later: Sequence[Case], start: datetime, stage: int) -> Iterator[str]:
    """Say how plain tables do that were counted on the day before: no shrinkage, all history alike."""
    before = [outcome(case) for case in timed if case.due and case.due <= start]
    keys: dict[str, Callable[[Alike], tuple[str, ...]]] = {
        "table of subject and unit": lambda one: (one.category, one.unit),
        "table of type and unit": lambda one: (one.question, one.unit),
    }
    for name, key in keys.items():
        counts: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
        for one in before:
            for cell in ((), key(one.alike)):
                counts[cell][0] += one.opened[stage]
                counts[cell][1] += one.late
        found = (counts[cell] if (cell := key(alike(case))) in counts else counts[()] for case in later)
        yield _line(name, _judged(later, [late / n if n else 1.0 for n, late in found], stage))


def _line(what: str, quality: Quality) -> str:
    auc = f"{quality.auc:.3f}" if quality.auc is not None else "-"
    return (
        f"  {what:<34} n {quality.n:6d}  late {quality.late:.3f}  Brier {quality.brier:.4f} (share of all "
        f"{quality.base:.4f})  AUC {auc}  calibration error {quality.error:.3f}"
    )


def _reliability(quality: Quality) -> Iterator[str]:
    yield f" learned anew each week, by tenths of what was said when {quality.passed:.0%} had passed"
    yield from (f"  n {one.n:6d}  said {one.said:.3f}  late {one.late:.3f}" for one in quality.bins)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
