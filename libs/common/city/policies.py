"""policies.toml: how long work may take, as rules in order, and what may happen to a clock on the way.

Of each clock the first rule that applies and names a limit for it decides. A rule applies when all its conditions hold;
of a condition that lists several values one is enough, and one that is left out always holds. A rule with a cap
(`response_at_most`) lets no clock that it applies to be due later, whatever the limit. Behind the rules of the file
stand those of the classes, from city.toml: what is kept of a version is the whole of it.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass as plain
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from libs.common.city.catalogue import Catalogue
from libs.common.city.problems import Problems
from libs.common.city.settings import Limit, Name, Policy, Span
from libs.common.contracts.vocabulary import AccessNeed, Channel, ReporterType, Urgency

FILE = "policies.toml"
GENERAL = Path(__file__).with_name(FILE)
Count = Literal["natural", "working"]
Level = Literal["district", "centre"]
Again = Literal["not_solved", "repeat"]
LONGEST = timedelta(days=3660)
"""No limit is longer than ten years: beyond lies no calendar, and soon no date."""
_STRICT = ConfigDict(extra="forbid")

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Time = Annotated[Span, Field(le=LONGEST, ge=timedelta(seconds=1))]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Rule:
    """One rule. A limit that counts working time takes each whole day of it for one day of work.

    `category` are names of any of the three levels, or beginnings of codes; `elderly` is of the topic or the caller.
    A cap counts natural time.
    """

    id: Id
    urgency: tuple[Urgency, ...] = ()
    category: tuple[str, ...] = ()
    elderly: bool | None = None
    access: tuple[AccessNeed, ...] = ()
    channel: tuple[Channel, ...] = ()
    reporter_type: tuple[ReporterType, ...] = ()
    response: Time | None = None
    completion: Time | None = None
    response_at_most: Time | None = None
    completion_at_most: Time | None = None
    count: Count = "natural"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Ground:
    """On what a clock may stand still, for how long at the most, and by whom: the unit that leads, or a supervisor."""

    code: Id
    name: Name
    longest: Time
    by: tuple[Literal["unit", "supervisor"], ...] = ("supervisor",)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Extension:
    """How much more time one level may grant, and how often: the supervisor of the district, or of the centre."""

    by: Level
    at_most: Time
    times: Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Reopening:
    """Which share of its limits a later round has, from when it was reopened, by why it was."""

    not_solved: Annotated[float, Field(gt=0, le=10)] = 1.0
    repeat: Annotated[float, Field(gt=0, le=10)] = 1.0


@dataclass(frozen=True, slots=True, config=_STRICT)
class _File:
    rule: tuple[Rule, ...] = ()
    pause: tuple[Ground, ...] = ()
    extension: tuple[Extension, ...] = ()
    reopening: Reopening = Reopening()


@plain(frozen=True, slots=True)
class PolicySet:
    """One version: rules with the codes each is about (None for all), grounds, levels; the text, and its hash.

    The text is whole: it holds the rules of the classes too.
    """

    rules: tuple[Rule, ...]
    about: tuple[tuple[str, ...] | None, ...]
    grounds: Mapping[str, Ground]
    extensions: Mapping[Level, Extension]
    reopening: Reopening
    text: str
    version: str


_FILE = TypeAdapter(_File)
_SPAN: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def load_policies(folder: Path, classes: Policy, catalogue: Catalogue, problems: Problems) -> PolicySet | None:
    """Read the policies of a pack; None when they cannot be used, with the reasons noted."""
    path = folder / FILE
    return read_policies(FILE, (path if path.is_file() else GENERAL).read_bytes(), classes, catalogue, problems)


def read_policies(
    name: str, content: bytes, classes: Policy, catalogue: Catalogue, problems: Problems
) -> PolicySet | None:
    """The same of a file's bytes, wherever they came from."""
    try:
        text = content.decode("utf-8-sig")
        read = _FILE.validate_python(tomllib.loads(text))
        if not _covers_all(read.rule):
            text = f"{text.rstrip()}\n\n{class_rules(classes)}"
            read = _FILE.validate_python(tomllib.loads(text))
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            where = ".".join(map(str, error["loc"]))
            problems.add(f"{name} {where}", f"{error['msg']} (found {str(error['input'])[:200]!r})")
        return None
    except (ValueError, RecursionError) as broken:
        # ValueError: what tomllib raises, text that is not UTF-8 and numbers beyond all bounds among it.
        problems.add(name, f"is not TOML: {broken}")
        return None
    for where, sentence in _wrong(read, catalogue):
        problems.add(f"{name} {where}", sentence)
    about = tuple(_codes(rule, catalogue) for rule in read.rule)
    return PolicySet(
        read.rule, about, {ground.code: ground for ground in read.pause}, {one.by: one for one in read.extension},
        read.reopening, text, hashlib.sha256(text.encode()).hexdigest()[:12],
    )  # fmt: skip


def class_rules(classes: Policy) -> str:
    """Return the rules of the classes as text, the cap of the elderly before them."""
    rules = [f'[[rule]]\nid = "elderly"\nelderly = true\nresponse_at_most = "{_iso(classes.elderly_response)}"\n']
    for urgency, limit in classes.limits.items():
        rules.append(rule_text(f"class_{urgency}", limit, classes.calendar.count, urgency=[urgency]))
    return "# The classes, as city.toml has them.\n" + "\n".join(rules)


def rule_text(id_: str, limit: Limit, count: Count, **conditions: list[str]) -> str:
    """Return one rule as text."""
    lines = [f"{name} = {json.dumps(values, ensure_ascii=False)}" for name, values in conditions.items()]
    limits = [f'response = "{_iso(limit.response)}"', f'completion = "{_iso(limit.completion)}"']
    return "\n".join(["[[rule]]", f'id = "{id_}"', *lines, *limits, f'count = "{count}"', ""])


def _iso(span: timedelta) -> str:
    written: str = _SPAN.dump_python(span, mode="json")
    return written


def _covers_all(rules: tuple[Rule, ...]) -> bool:
    """Whether every class has limits on no other condition, so that each clock has one."""
    plain_ones = [rule for rule in rules if rule == Rule(
        rule.id, urgency=rule.urgency, response=rule.response, completion=rule.completion, count=rule.count,
        response_at_most=rule.response_at_most, completion_at_most=rule.completion_at_most,
    )]  # fmt: skip
    return all(
        any(not rule.urgency or urgency in rule.urgency for rule in plain_ones if getattr(rule, clock))
        for urgency in get_args(Urgency)
        for clock in ("response", "completion")
    )


def _wrong(read: _File, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    ids = [rule.id for rule in read.rule]
    yield from ((f"rule {id_}", "is there twice; ids are unique") for id_ in sorted(set(ids)) if ids.count(id_) > 1)
    for rule in read.rule:
        if not (rule.response or rule.completion or rule.response_at_most or rule.completion_at_most):
            yield f"rule {rule.id}", "should name a limit or a cap"
        for said in rule.category:
            if not any(_is_about(said, q.code, q.category) for q in catalogue):
                yield f"rule {rule.id} category", f"{said!r} should be a name of the catalogue, or begin a code"
    named = (("pause", [one.code for one in read.pause]), ("extension", [str(one.by) for one in read.extension]))
    for what, codes in named:
        yield from ((f"{what} {code}", "is there twice") for code in sorted(set(codes)) if codes.count(code) > 1)


def _codes(rule: Rule, catalogue: Catalogue) -> tuple[str, ...] | None:
    """Return the codes a rule is about, and the beginnings it names: of questions that are imported later."""
    if not rule.category:
        return None
    found = {q.code for q in catalogue for said in rule.category if _is_about(said, q.code, q.category)}
    return (*rule.category, *sorted(found))


def _is_about(said: str, code: str, category: tuple[str, str, str]) -> bool:
    return said in category or code == said or code.startswith(f"{said}-")
