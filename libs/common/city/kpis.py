"""kpis.toml: what is measured, as data. A KPI counts rows of the record that pass named filters, by when it was.

Every word in it is of a closed list, so that data never becomes a query. A pack without the file has the one beside
this module; the file of a pack adds KPIs to those, or puts another in place of one by its code.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, StringConstraints, TypeAdapter
from pydantic.dataclasses import dataclass

from libs.common.city.problems import Problems, read_toml
from libs.common.city.settings import Name, Span
from libs.common.contracts.vocabulary import Urgency

FILE = "kpis.toml"
GENERAL = Path(__file__).with_name(FILE)
_STRICT = ConfigDict(extra="forbid")

Counted = Literal["received", "resolved", "asked", "reviewed", "closed", "ruled"]
"""What is counted, and the moment that places it in a period: an appeal by when it was received, a round by when its
unit said that it is done, a question by when it was put or answered, a ticket by its end, a return by its ruling."""
Filter = Literal[
    "counts", "led", "repeat", "elderly", "complex", "signed", "signed_in_time", "contacted", "response_known",
    "response_in_time", "completion_known", "completion_in_time", "returned", "evidence", "whole_reply", "ended",
    "reopened", "ended_solved", "first_round", "false_closing",
    "responded", "solved", "partly", "satisfied", "explained_known", "explained", "over", "answered", "by_callback",
    "reached",
    "refused", "against_unit",
]  # fmt: skip
OF_REVIEWS: frozenset[Filter] = frozenset(
    {"responded", "solved", "partly", "satisfied", "explained_known", "explained", "over", "answered", "by_callback",
     "reached"}
)  # fmt: skip
"""Filters that need a question to a reporter; those of OF_RETURNS a return. All others look at the round it is of."""
OF_RETURNS: frozenset[Filter] = frozenset({"refused", "against_unit"})
Measure = Literal["count", "share", "mean", "p50", "p90", "ratio", "weighted"]
Moment = Literal["received", "dispatched", "accepted", "contacted", "resolved", "ended", "asked", "answered"]
Value = Literal["satisfaction", "support", "returns"]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Kpi:
    """One KPI. `counts` rows with all of `filters`; what is made of them is its `measure`.

    `count`: how many. `share`: those that have all of `having` too. `mean`, `p50`, `p90`: of a value, or of the hours
    `between` two moments, where both are known. `ratio`: how many, for each one that the KPI `per` counts. `weighted`:
    its parts together, with the weights of the three rates in city.toml. `good` says which way is better, where one is;
    `unit` is the unit of measure of its value.
    """

    code: Code
    name: Name
    about: Name
    counts: Counted
    measure: Measure
    filters: tuple[Filter, ...] = ()
    having: tuple[Filter, ...] = ()
    of: Value | None = None
    between: tuple[Moment, Moment] | None = None
    per: Code | None = None
    parts: tuple[Literal["responded", "solved", "satisfied"], ...] = ()
    good: Literal["high", "low"] | None = None
    unit: Literal["share", "hours", "points", "tickets", "rounds", "answers", "number"] = "share"


Signing = Mapping[Urgency, Span]


@dataclass(frozen=True, slots=True, config=_STRICT)
class _File:
    kpis: tuple[Kpi, ...] = ()
    signing: Signing | None = None


@dataclass(frozen=True, slots=True)
class Kpis:
    """Every KPI by its code, in the order of the files; `signing` is how long a unit has to sign, by class."""

    by_code: Mapping[str, Kpi]
    signing: Signing

    def __iter__(self) -> Iterator[Kpi]:
        """The KPIs in order."""
        return iter(self.by_code.values())


_FILE = TypeAdapter(_File)


def load_kpis(folder: Path, problems: Problems) -> Kpis | None:
    """Read the KPIs of a pack; None when they cannot be used, with the reasons noted."""
    general = read_toml(GENERAL, _FILE, problems)
    path = folder / FILE
    own = read_toml(path, _FILE, problems) if path.is_file() else _File()
    if general is None or own is None:
        return None
    codes = [kpi.code for kpi in own.kpis]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        problems.add(f"{FILE} {code}", "is there twice")
    kpis = Kpis({kpi.code: kpi for kpi in (*general.kpis, *own.kpis)}, own.signing or general.signing or {})
    if lacking := set(get_args(Urgency)) - kpis.signing.keys():
        problems.add(f"{FILE} signing", f"lacks {', '.join(sorted(lacking))}")
    for kpi in kpis:
        for sentence in _wrong(kpi, kpis.by_code):
            problems.add(f"{FILE} {kpi.code}", sentence)
    return kpis


def _wrong(kpi: Kpi, by_code: Mapping[str, Kpi]) -> Iterator[str]:
    """Yield what a KPI lacks for its measure, or what its rows do not have."""
    of_values = kpi.measure in {"mean", "p50", "p90"}
    if (kpi.measure == "share") is not bool(kpi.having):
        yield "should name what it is having if it is a share, and only then"
    if of_values is not ((kpi.of is None) is not (kpi.between is None)) or (not of_values and (kpi.of or kpi.between)):
        yield "should be of one value or between two moments if it is a mean, p50 or p90, and only then"
    if (kpi.measure == "ratio") is not (kpi.per is not None and _is_count(by_code.get(kpi.per))):
        yield "should name a KPI that is a count under per if it is a ratio, and only then"
    if (kpi.measure == "weighted") is not (set(kpi.parts) == {"responded", "solved", "satisfied"}):
        yield "should have the parts responded, solved and satisfied if it is weighted, and only then"
    named = {*kpi.filters, *kpi.having}
    asks = bool(named & OF_REVIEWS or kpi.of == "satisfaction" or {"asked", "answered"} & {*(kpi.between or ())})
    if asks and kpi.counts not in {"asked", "reviewed"}:
        yield "looks at answers, so it should count what was asked or reviewed"
    if named & OF_RETURNS and kpi.counts != "ruled":
        yield "looks at returns, so it should count what was ruled"


def _is_count(kpi: Kpi | None) -> bool:
    return kpi is not None and kpi.measure == "count"
