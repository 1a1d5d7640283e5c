"""How well limits learned from a city's records give the due times of a later period of them, and what was in time.

`python -m tests.bench.boston_due RECORDS.csv.gz [--map deploy/maps/boston311.yaml]`: a pack is made of what came
before July, and sla judges by it what came from July to September 2015. Without Boston's records there is nothing to
measure.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from libs.common.city.learning.history import Case, cases
from libs.common.city.learning.mapping import load_map
from libs.common.city.learning.packing import make_pack
from libs.common.city.pack import load_city
from services.cli.city import interval
from services.cli.records import open_source
from services.sla.domain import Book, Matter
from services.sla.service import book_of

CUT = datetime.fromisoformat("2015-07-01T00:00:00-04:00")
Judged = tuple[Case, datetime]


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tests.bench.boston_due")
    parser.add_argument("records", nargs="?", type=Path)
    parser.add_argument("--map", type=Path, default=Path("deploy/maps/boston311.yaml"))
    asked = parser.parse_args(arguments)
    if asked.records is None or not asked.records.exists():
        print("Skipped: name the file of Boston's 311 records of 2015, as its open data portal has it.")
        return 0
    map_ = load_map(asked.map)
    found = list(cases((row for _, row in open_source(asked.records)), map_))
    with tempfile.TemporaryDirectory() as folder:
        make_pack([case for case in found if case.opened < CUT], map_, Path(folder) / "pack")
        city = load_city(Path(folder) / "pack")
    questions = {question.category: question for question in city.catalogue}
    book = book_of(city)
    judged = [
        (case, _due(case, Matter(questions[case.category].urgency, questions[case.category].code), book))
        for case in found
        if case.opened >= CUT and case.category in questions
    ]
    for line in _told(judged):
        print(line)
    return 0


def _due(case: Case, matter: Matter, book: Book) -> datetime:
    return min(book.calendar.due(case.opened, *terms) for terms in book.at(case.opened).terms("completion", matter))


def _told(judged: Sequence[Judged]) -> Iterable[str]:
    targets = [(case, due) for case, due in judged if case.due and case.due > case.opened]
    yield _line("due when the record says, to a minute", targets, lambda c, due: _apart(c, due) <= timedelta(minutes=1))
    # Its natural days are those of the wall, ours have 24 hours: an hour apart where clocks are changed between.
    yield _line("within two hours of it", targets, lambda c, due: _apart(c, due) <= timedelta(hours=2))
    yield _line("within a day of it", targets, lambda c, due: _apart(c, due) <= timedelta(days=1))
    ended = [(case, due) for case, due in targets if case.closed and case.on_time is not None]
    yield _line("in time or late as the record says", ended, lambda c, due: _in_time(c, due) == c.on_time)
    yield _line("in time, by the clock", ended, _in_time)
    yield _line("in time, by the record", ended, lambda c, _: bool(c.on_time))
    near = [(case, due) for case, due in ended if _apart(case, due) <= timedelta(hours=2)]
    yield _line("the same, where both are due within two hours", near, lambda c, due: _in_time(c, due) == c.on_time)


def _apart(case: Case, due: datetime) -> timedelta:
    return abs((case.due or due) - due)


def _in_time(case: Case, due: datetime) -> bool:
    return case.closed is not None and case.closed <= due


def _line(what: str, some: Sequence[Judged], holds: Callable[[Case, datetime], bool | None]) -> str:
    share = sum(bool(holds(case, due)) for case, due in some) / len(some)
    low, high = interval(share, len(some))
    return f"  {what:<58} {share:.4f}  ({low:.4f} to {high:.4f}) of {len(some)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
