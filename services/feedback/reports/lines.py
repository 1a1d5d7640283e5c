"""The tables of a report on the lines: how calls were answered, and what third parties found by calling."""

from collections.abc import Iterable, Sequence

from services.feedback.domain.reports import Findings, LineDay
from services.feedback.reports.content import Format, Table, Value, clean
from services.feedback.reports.messages import Teller
from services.feedback.reports.tables import table


def calls(found: Findings, teller: Teller) -> Table:
    """Return the quality of the lines over the period."""
    names: list[tuple[str, Format]] = [
        ("line", "text"), ("offered", "count"), ("answered", "count"), ("abandoned", "count"), ("connected", "share"),
        ("connected_before", "share"), ("target", "share"), ("at_once", "share"), ("wait", "hours"),
        ("longest", "hours"), ("dead", "count"), ("cold", "count"),
    ]  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for line in sorted({day.line for day in found.lines}):
        own = [day for day in found.lines if day.line == line]
        earlier = [day for day in found.lines_before if day.line == line]
        rows.append(
            (
                clean(line), _sum(own, "offered"), _sum(own, "answered"), _sum(own, "abandoned"), _connected(own),
                _connected(earlier), teller.city.lines.connection_rate, _mean(own, "in_time_rate", "answered"),
                _mean(own, "mean_wait", "offered"), max((day.longest_wait or 0.0 for day in own), default=None),
                sum(day.dead for day in own), sum(day.cold for day in own),
            )
        )  # fmt: skip
    return table(teller, "lines", names, rows)


def _sum(days_: Iterable[LineDay], name: str) -> int:
    return sum(getattr(day, name) for day in days_)


def _connected(days_: Sequence[LineDay]) -> float | None:
    offered = _sum(days_, "offered")
    return _sum(days_, "answered") / offered if offered else None


def _mean(days_: Sequence[LineDay], name: str, weight: str) -> float | None:
    """The mean of a day's value, each weighing as many calls as it is of."""
    known = [(getattr(day, name), getattr(day, weight)) for day in days_ if getattr(day, name) is not None]
    all_ = sum(calls for _, calls in known)
    return sum(value * calls for value, calls in known) / all_ if all_ else None


def tests(found: Findings, teller: Teller) -> Table:
    """Return what third parties found by calling."""
    names: list[tuple[str, Format]] = [
        ("line", "text"), ("tests", "count"), ("explained", "share"), ("tests_before", "count"), ("before", "share")
    ]  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for line in sorted({day.line for day in found.lines if day.tests}):
        own, earlier = ([d for d in days_ if d.line == line] for days_ in (found.lines, found.lines_before))
        explained, before = (_mean(days_, "explained_rate", "tests") for days_ in (own, earlier))
        rows.append((clean(line), _sum(own, "tests"), explained, _sum(earlier, "tests"), before))
    return table(teller, "tests", names, rows)
