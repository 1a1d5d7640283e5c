"""routing.toml: the rules of routing, in order; the first that applies names the unit that leads.

A rule applies when all its conditions hold and the unit it names is there: `lead = "street"` of an appeal whose street
nobody knows does not. Of a condition that lists several values one is enough; one that is left out always holds. A pack
without the file is routed by the rules beside this module.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass as plain
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Protocol

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from libs.common.city.catalogue import Catalogue
from libs.common.city.problems import Problems
from libs.common.city.settings import Name
from libs.common.contracts.classify import OwnerKind
from libs.common.contracts.vocabulary import AccessNeed, Channel, Kind, ReporterType, Urgency

FILE = "routing.toml"
GENERAL = Path(__file__).with_name(FILE)
PLACES = ("owner", "street", "district", "centre", "named", "venue", "profession")
"""What a rule may name instead of a unit's code: whose duty it is, where it happens, the centre; whom the appeal calls
by name and whose venue it happens in (named.csv); the department that helps first with its question."""
PARENT = "parent-of-"
PLACEHOLDERS = ("unit", "owner", "street", "district", "category", "busy", "open", "days")
_STRICT = ConfigDict(extra="forbid")
_HEADER = re.compile(r"\s*\[\[\s*rule\s*\]\]")
_CONTROL = re.compile(r"[\x00-\x1f]")
_LOCATED = ("street", "town")
_FIXED = ("centre",)

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Season = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-[0-3]\d/(0[1-9]|1[0-2])-[0-3]\d$")]
Hours = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]


class HasKind(Protocol):
    """A unit as far as rules look at it."""

    @property
    def kind(self) -> str:
        """Street, department, …."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Busy:
    """Whose load makes a rule apply: `of` has more than `open` open orders, or more than `days` of work in hand.

    Days are working days at the pace of the unit's last four weeks. What nobody measured yet is not busy.
    """

    of: str
    open: Annotated[int, Field(ge=0)] | None = None
    days: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Rule:
    """One rule. `lead` and `co_handlers` are unit codes or one of PLACES, or `parent-of-` and one of these.

    `category` are names of any of the three levels, `l1/l2` or `l1/l2/l3` joined by bars, or beginnings of codes.
    `from` and `until` are days of the city, both included; `season` reads 11-15/03-15, `hours` 18:00-08:00, over the
    turn if need be; `weekdays` are 1 (Monday) to 7. `why` may hold {unit} and the other PLACEHOLDERS.
    """

    id: Id
    lead: str
    why: Name
    since: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None
    category: tuple[str, ...] = ()
    owner_kind: tuple[OwnerKind, ...] = ()
    owner: tuple[str, ...] = ()
    district: tuple[str, ...] = ()
    street: tuple[str, ...] = ()
    channel: tuple[Channel, ...] = ()
    reporter_type: tuple[ReporterType, ...] = ()
    access: tuple[AccessNeed, ...] = ()
    kind: tuple[Kind, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    outside: bool | None = None
    season: Season | None = None
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    hours: Hours | None = None
    busy: Busy | None = None
    co_handlers: tuple[str, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether it matters when an appeal is routed."""
        return bool(self.since or self.until or self.season or self.weekdays or self.hours)

    def holds_at(self, local: datetime) -> bool:
        """Whether its times allow a moment, given in the city's zone."""
        day = local.date()
        return (
            (self.since is None or self.since <= day)
            and (self.until is None or day <= self.until)
            and (not self.weekdays or day.isoweekday() in self.weekdays)
            and (self.season is None or _within(day.strftime("%m-%d"), *self.season.split("/"), included=True))
            and (self.hours is None or _within(local.strftime("%H:%M"), *self.hours.split("-"), included=False))
        )

    def about(self, code: str, category: Sequence[str]) -> bool:
        """Whether its categories hold a question."""
        return not self.category or any(_is_about(wanted, code, category) for wanted in self.category)


def _within(value: str, first: str, last: str, *, included: bool) -> bool:
    """Whether texts that sort as what they mean lie in a span, over the turn of the year or the day if need be."""
    ends = value <= last if included else value < last
    return (first <= value and ends) if first <= last else (first <= value or ends)


def _is_about(wanted: str, code: str, category: Sequence[str]) -> bool:
    path = "/".join(category)
    named = wanted in category or path == wanted or path.startswith(f"{wanted}/")
    return named or code == wanted or code.startswith(f"{wanted}-")


@dataclass(frozen=True, slots=True, config=_STRICT)
class _File:
    rule: tuple[Rule, ...]


@plain(frozen=True, slots=True)
class RuleSet:
    """All rules in their order, the text they were read from, and a version that changes with the text."""

    rules: tuple[Rule, ...]
    text: str
    version: str


@plain(frozen=True, slots=True)
class Known:
    """What rules may name: units by code, and questions."""

    units: Mapping[str, HasKind]
    catalogue: Catalogue

    def names_unit(self, word: str) -> bool:
        """Whether a word stands for a unit."""
        word = word.removeprefix(PARENT)
        return word in PLACES or word in self.units

    def is_street(self, code: str) -> bool:
        """Whether a code is that of a street or town."""
        return code in self.units and self.units[code].kind in _LOCATED

    def is_category(self, name: str) -> bool:
        """Whether any question is meant by a condition on the category."""
        return any(_is_about(name, question.code, question.category) for question in self.catalogue)


_FILE = TypeAdapter(_File)
Wrong = tuple[str, str]
"""The key and what would be right."""


def load_rules(folder: Path, known: Known, problems: Problems) -> RuleSet | None:
    """Read the rules of a pack; None when they cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_rules(FILE, (path if path.is_file() else GENERAL).read_bytes(), known, problems)


def read_rules(name: str, content: bytes, known: Known, problems: Problems) -> RuleSet | None:
    """The same of a file's bytes, wherever they came from."""
    try:
        text = content.decode("utf-8-sig")
        rules = _FILE.validate_python(tomllib.loads(text)).rule
    except ValidationError as wrong:
        lines = _Lines(content.decode("utf-8-sig"))
        for error in wrong.errors(include_url=False):
            problems.add(f"{name}{lines.of(error['loc'])}", f"{error['msg']} (found {str(error['input'])[:200]!r})")
        return None
    except (ValueError, RecursionError) as broken:
        # ValueError: what tomllib raises, text that is not UTF-8 and numbers beyond all bounds among it.
        problems.add(name, f"is not TOML: {broken}")
        return None
    lines = _Lines(text)
    for number, rule in enumerate(rules):
        for key, sentence in _wrong(rules, number, rule, known):
            problems.add(f"{name}{lines.of(('rule', number, key))}", sentence)
    return RuleSet(rules, text, hashlib.sha256(text.encode()).hexdigest()[:12])


def header_of(text: str, number: int) -> int:
    """Return in which line, from 0, the rule of this number (from 0) begins; the end of the text if there is none."""
    headers = [line for line, words in enumerate(text.splitlines()) if _HEADER.match(words)]
    return headers[number] if number < len(headers) else len(text.splitlines())


class _Lines:
    """Where the rules and their keys stand in the file, for tomllib does not tell."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._headers = [number for number, line in enumerate(self._lines) if _HEADER.match(line)]

    def of(self, where: Sequence[Any]) -> str:
        """Return `:12 lead` of the place that a check names."""
        keys = [str(part) for part in where]
        if len(keys) < 2 or int(keys[1]) >= len(self._headers):
            return f" {'.'.join(keys)}".rstrip()
        first, key = self._headers[int(keys[1])], keys[2] if len(keys) > 2 else ""
        following = (number for number in self._headers if number > first)
        body = range(first, next(following, len(self._lines)))
        found = (n for n in body if key and re.match(rf"\s*{re.escape(key)}\s*[=.]", self._lines[n]))
        return f":{next(found, first) + 1} {'.'.join(keys[2:]) or 'rule'}"


def _wrong(rules: Sequence[Rule], number: int, rule: Rule, known: Known) -> Iterator[Wrong]:
    yield from _wrong_names(rule, known)
    yield from _wrong_why(rule)
    if rule.since and rule.until and rule.since > rule.until:
        yield "until", f"{rule.until} lies before from"
    if rule.busy and (rule.busy.open is None) == (rule.busy.days is None):
        yield "busy", "should hold open or days, one of them"
    before = rules[:number]
    if any(other.id == rule.id for other in before):
        yield "id", f"{rule.id!r} is taken by a rule before; ids are unique"
    real = (other for other in before if known.names_unit(other.lead))
    taker = next((other for other in real if _takes_all(other, rule, known.catalogue)), None)
    if taker:
        yield "rule", f"{rule.id!r} can never apply: all it would take, {taker.id!r} before it takes"
    if number == len(rules) - 1 and not _takes_all(rule, Rule("any", "centre", rule.why), known.catalogue):
        yield "rule", "the last rule should take whatever is left: no conditions, and a lead that is always there"


def _wrong_names(rule: Rule, known: Known) -> Iterator[Wrong]:
    named = [("lead", rule.lead), *(("co_handlers", code) for code in rule.co_handlers)]
    for key, word in [*named, *([("busy", rule.busy.of)] if rule.busy else [])]:
        if not known.names_unit(word):
            yield key, f"{word!r} should be a unit's code, {', '.join(PLACES)}, or {PARENT} and one of these"
    checks: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        ("owner", "a unit's code", known.units.__contains__),
        ("district", "the six-digit code of a district", lambda code: f"d-{code}" in known.units),
        ("street", "the code of a street or town", known.is_street),
        ("category", "a name of the catalogue, or the beginning of a code", known.is_category),
    )
    for key, right, is_known in checks:
        for value in getattr(rule, key):
            if not is_known(value):
                yield key, f"{value!r} should be {right}"


def _wrong_why(rule: Rule) -> Iterator[Wrong]:
    for text in (rule.why.zh, rule.why.en):
        try:
            names = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
        except ValueError:
            yield "why", "holds a brace without its other"
            continue
        if any(name not in PLACEHOLDERS or form or change for name, form, change in names):
            yield "why", f"may hold {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)} and no other braces"
        if not text or _CONTROL.search(text):
            yield "why", "should be a line of text"


def _takes_all(earlier: Rule, later: Rule, catalogue: Catalogue) -> bool:
    """Whether a rule surely applies wherever a later one would. Several rules together are not looked at."""
    if earlier.busy or (earlier.lead != later.lead and _may_be_missing(earlier.lead)):
        return False
    return all(covers(earlier, later, catalogue) for covers in _COVERS)


def _may_be_missing(lead: str) -> bool:
    return lead.removeprefix(PARENT) in PLACES and lead not in _FIXED


def _covers_sets(earlier: Rule, later: Rule, _: Catalogue) -> bool:
    names = [f.name for f in fields(Rule) if f.default == () and f.name not in {"category", "co_handlers"}]
    pairs = [(getattr(earlier, name), getattr(later, name)) for name in names]
    return all(not mine or (other and set(other) <= set(mine)) for mine, other in pairs)


def _covers_words(earlier: Rule, later: Rule, _: Catalogue) -> bool:
    pairs = [(getattr(earlier, name), getattr(later, name)) for name in ("outside", "season", "hours")]
    return all(mine is None or mine == other for mine, other in pairs)


def _covers_days(earlier: Rule, later: Rule, _: Catalogue) -> bool:
    starts = earlier.since is None or (later.since is not None and earlier.since <= later.since)
    return starts and (earlier.until is None or (later.until is not None and later.until <= earlier.until))


def _covers_category(earlier: Rule, later: Rule, catalogue: Catalogue) -> bool:
    if not earlier.category or earlier.category == later.category:
        return True
    mine = [question for question in catalogue if later.about(question.code, question.category)]
    return bool(later.category) and all(earlier.about(question.code, question.category) for question in mine)


_COVERS: tuple[Callable[[Rule, Rule, Catalogue], bool], ...] = (
    _covers_sets, _covers_words, _covers_days, _covers_category,
)  # fmt: skip
