"""policies.toml: how long work may take, as rules in order, and what may happen to a clock on the way.

Of each clock the first rule that applies and names a limit for it decides. A rule applies when all its conditions hold;
of a condition that lists several values one is enough, and one that is left out always holds. A rule with a cap
(`response_at_most`) lets no clock that it applies to be due later, whatever the limit.

Behind the rules of the file stand those of the city: of single questions, from limits.csv, then of the classes and the
elderly, from city.toml. One of the same name in the file stands instead of it. Pauses, extensions and reopenings that a
file says nothing of are as the city has them; `pause = []` is none. What is kept of a version is the whole of it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass as plain
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from libs.common.city.catalogue import Catalogue
from libs.common.city.problems import Problems, parse_toml
from libs.common.city.settings import Limit, Name, Policy, Span
from libs.common.contracts.vocabulary import AccessNeed, Channel, ReporterType, Urgency

FILE = "policies.toml"
GENERAL = Path(__file__).with_name(FILE)
Count = Literal["natural", "working"]
Level = Literal["district", "centre"]
Again = Literal["not_solved", "repeat"]
LONGEST = timedelta(days=3660)
"""No limit is longer than ten years: beyond lies no calendar, and soon no date."""
HEADER = "# What stands behind, as the city has it."
SECTIONS = ("pause", "extension", "reopening")
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
    """On what a clock may stand still, how long and how often at the most, and by whom: the lead, or who is above."""

    code: Id
    name: Name
    longest: Time
    times: Annotated[int, Field(ge=1, le=100)] = 3
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

    The text is whole: it holds what stands behind the file too.
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


def load_policies(
    folder: Path, base: dict[str, str], catalogue: Catalogue, problems: Problems
) -> PolicySet | None:  # fmt: skip
    """Read the policies of a pack; None when they cannot be used, with the reasons noted.

    `base` has the text of what stands behind the file by its name, in order.
    """
    path = folder / FILE
    general = sections(GENERAL.read_text(encoding="utf-8"))
    return read_policies(FILE, (path if path.is_file() else GENERAL).read_bytes(), base | general, catalogue, problems)


def sections(text: str) -> dict[str, str]:
    """Return what policies say beside rules, by the name of each section."""
    found = {name: re.findall(rf"(?ms)^\[+ *{name} *\]+.*?(?=^\[|\Z)", text) for name in SECTIONS}
    return {f"[{name}]": "".join(parts) for name, parts in found.items() if parts}


def read_policies(
    name: str, content: bytes, base: Mapping[str, str], catalogue: Catalogue, problems: Problems
) -> PolicySet | None:
    """The same of a file's bytes, wherever they came from."""
    try:
        text = content.decode("utf-8-sig")
        said = parse_toml(text)
        read = _FILE.validate_python(said)
        if lacking := base.keys() - {rule.id for rule in read.rule} - {f"[{name}]" for name in said}:
            text = "\n".join([text.rstrip(), "", HEADER, *(part for name, part in base.items() if name in lacking)])
            read = _FILE.validate_python(parse_toml(text))
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


def class_rules(classes: Policy) -> dict[str, str]:
    """Return the text of the rules of the classes by their names, the cap of the elderly before them."""
    cap = f'[[rule]]\nid = "elderly"\nelderly = true\nresponse_at_most = "{iso(classes.elderly_response)}"\n'
    return {"elderly": cap} | {
        (id_ := f"class_{urgency}"): rule_text(id_, limit, classes.calendar.count, urgency=[urgency])
        for urgency, limit in classes.limits.items()
    }


def rule_text(id_: str, limit: Limit, count: Count, **conditions: list[str]) -> str:
    """Return one rule as text."""
    lines = [f"{name} = {json.dumps(values, ensure_ascii=False)}" for name, values in conditions.items()]
    limits = [f'response = "{iso(limit.response)}"', f'completion = "{iso(limit.completion)}"']
    return "\n".join(["[[rule]]", f'id = "{id_}"', *lines, *limits, f'count = "{count}"', ""])


def iso(span: timedelta) -> str:
    """Return a span as the file has it, such as P2D."""
    written: str = _SPAN.dump_python(span, mode="json")
    return written


def _uncovered(rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the classes in which some clock has no limit, but on a condition."""
    plain_ones = [rule for rule in rules if rule == Rule(
        rule.id, urgency=rule.urgency, response=rule.response, completion=rule.completion, count=rule.count,
        response_at_most=rule.response_at_most, completion_at_most=rule.completion_at_most,
    )]  # fmt: skip
    for urgency in get_args(Urgency):
        mine = [rule for rule in plain_ones if not rule.urgency or urgency in rule.urgency]
        if not any(rule.response for rule in mine) or not any(rule.completion for rule in mine):
            yield urgency


def _wrong(read: _File, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    ids = [rule.id for rule in read.rule]
    yield from ((f"rule {id_}", "is there twice; ids are unique") for id_ in sorted(set(ids)) if ids.count(id_) > 1)
    yield from (
        (f"rule class_{name}", "should name both limits, on no other condition") for name in _uncovered(read.rule)
    )
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
    """Return the codes a rule is about, and the beginnings it names, for matters of which no names are known."""
    if not rule.category:
        return None
    found = {q.code for q in catalogue for said in rule.category if _is_about(said, q.code, q.category)}
    return (*rule.category, *sorted(found))


def _is_about(said: str, code: str, category: tuple[str, str, str]) -> bool:
    return said in category or code == said or code.startswith(f"{said}-")
