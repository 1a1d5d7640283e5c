"""How well appeals are forecast, on a city's own records: the last weeks of them, each from what was before it.

`python -m tests.bench.forecasts RECORDS.csv.gz [--map deploy/maps/boston311.yaml] [--weeks 13]`: Boston's 311 records
of 2015, which the city publishes and this project does not bring along. A file that has no stretch of days long enough,
such as one of single days, is told and skipped.
"""

import argparse
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from libs.common.city.days import kinds_of
from libs.common.city.learning.history import cases
from libs.common.city.learning.mapping import load_map
from services.cli.records import open_source
from services.feedback.domain.forecasts import Matter
from services.feedback.forecasts import LEAST_DAYS, WEEKS, Counted, Measured, Panel, kinds, measured, panel

GOAL = 0.15
SHOWN = 12
By = Mapping[Matter, Mapping[date, int]]
CREATED = "created_date"


def main(arguments: Sequence[str]) -> int:
    """Measure and print; returns the exit status: 1 if the goal is missed at a level of categories."""
    parser = argparse.ArgumentParser(prog="tests.bench.forecasts")
    parser.add_argument("records", nargs="?", type=Path)
    parser.add_argument("--map", type=Path, default=Path("deploy/maps/boston311.yaml"))
    parser.add_argument("--weeks", type=int, default=13)
    asked = parser.parse_args(arguments)
    if asked.records is None or not asked.records.exists():
        print("SKIPPED: name the file of Boston's 311 records of 2015, as its open data portal has it.")
        return 0
    by, place = _plain(asked.records) if CREATED in open_source(asked.records).columns else _mapped(asked)
    days = sorted({day for counts in by.values() for day in counts})
    if len(days) < LEAST_DAYS + 7 * asked.weeks or (days[-1] - days[0]).days + 1 > 1.05 * len(days):
        print(f"SKIPPED: {len(days)} days between {days[0]} and {days[-1]}; a record without gaps is needed.")
        return 0
    return _report(by, place, days[0], days[-1], asked.weeks)


def _mapped(asked: argparse.Namespace) -> tuple[By, str]:
    map_ = load_map(asked.map)
    zone = ZoneInfo(map_.city.timezone)
    by: dict[Matter, Counter[date]] = defaultdict(Counter)
    for case in cases((row for _, row in open_source(asked.records)), map_):
        by[Matter(*case.category, district=case.district)][case.opened.astimezone(zone).date()] += 1
    return by, map_.office.holidays if map_.office else ""


def _plain(path: Path) -> tuple[By, str]:
    """Read New York's columns."""
    by: dict[Matter, Counter[date]] = defaultdict(Counter)
    for _, row in open_source(path):
        matter = Matter(row["agency"], row["complaint_type"], row["descriptor"], row["borough"])
        by[matter][datetime.fromisoformat(row[CREATED]).date()] += 1
    return by, "US-NY"


def _report(by: By, place: str, first: date, last: date, weeks: int) -> int:
    days = (last - first).days + 1
    counted = [
        Counted(matter, [(day - first).days for day in counts], list(counts.values())) for matter, counts in by.items()
    ]
    series = panel(counted, days)
    found = measured(series, kinds(first, days + 7 * WEEKS, kinds_of(place)[0]), weeks)
    print(f"{days} days to {last}; {len(series.matters)} series, the last {found.weeks} weeks, each unseen")
    print(f"{'':<44}{'by day':>36}{'by week':>36}")
    header = f"{'WAPE':>9}{'naive':>9}{'less':>9}{'in 80 %':>9}"
    print(f"{'':<44}{header}{header}{'appeals':>9}")
    missed = False
    for name, rows in _groups(series):
        line, less = _line(name, found, rows)
        print(line)
        missed |= name in {"l1", "l2", "code"} and less < GOAL
    for row in sorted(_rows(series, "l2", local=False), key=lambda row: -found.appeals[row])[:SHOWN]:
        print(_line(f"  {series.matters[row].l2}", found, [row])[0])
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime:.0f} s of one core, {used.ru_maxrss // 1024} MB")
    return int(missed)


def _groups(series: Panel) -> Iterator[tuple[str, list[int]]]:
    for level in ("all", "l1", "l2", "code"):
        for local in (False, True):
            yield f"{level}{', by district' if local else ''}", _rows(series, level, local=local)


def _rows(series: Panel, level: str, *, local: bool) -> list[int]:
    return [i for i, m in enumerate(series.matters) if m.level == level and bool(m.district) is local]


def _line(name: str, found: Measured, rows: Sequence[int]) -> tuple[str, float]:
    """Return a line of the table, and how much lower the error by day is than that of the week before."""
    came = found.appeals[rows].sum()
    parts, lessened = "", []
    for error, naive, inside in (
        (found.error, found.naive, found.inside),
        (found.weeks_error, found.weeks_naive, found.weeks_inside),
    ):
        lessened.append(1 - error[rows].sum() / naive[rows].sum())
        parts += f"{error[rows].sum() / came:>9.3f}{naive[rows].sum() / came:>9.3f}{lessened[-1]:>9.1%}"
        parts += f"{np.mean(inside[rows]):>9.1%}"
    return f"{name:<44}{parts}{came:>9.0f}", lessened[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
