"""Services: the second level of the catalogue where it is of public space, as an Open311 client offers it to pick from.

services.csv names them, and which of their questions anyone may see; attributes.csv holds what is asked of each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast, get_args

from libs.common.city.catalogue import Catalogue, Question
from libs.common.city.problems import Problems, Row, read_table
from libs.common.city.settings import Name

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
SERVICE_COLUMNS = ("code", "name_en", "group_en", "public")
ATTRIBUTE_COLUMNS = (
    "service", "code", "datatype", "required", "description_zh", "description_en", "hint_zh", "hint_en", "values",
)  # fmt: skip
NOTE = "note"
LISTS = ("singlevaluelist", "multivaluelist")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a list."""

    key: str
    name: Name


@dataclass(frozen=True, slots=True)
class Attribute:
    """What is asked of a service, or, if not `variable`, only said to whoever picks it. `hint` says how to answer."""

    code: str
    variable: bool
    datatype: Datatype
    required: bool
    description: Name
    hint: Name
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A service to pick: its code begins the codes of its `questions`; `group` is the level above."""

    code: str
    name: Name
    group: Name
    questions: tuple[Question, ...]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Services:
    """The services by code, in file order, and by those categories of their questions that anyone may see.

    `changed_at` is when a file of them was last changed, in UTC.
    """

    by_code: Mapping[str, Service]
    by_category: Mapping[tuple[str, str, str], Service]
    changed_at: datetime

    def __iter__(self) -> Iterator[Service]:
        """The services in the order of the file."""
        return iter(self.by_code.values())


def load_services(folder: Path, catalogue: Catalogue, problems: Problems) -> Services:
    """Read services.csv and attributes.csv of a pack; a city without them has nothing to pick and nothing public."""
    by_code: dict[str, Service] = {}
    by_category: dict[tuple[str, str, str], Service] = {}
    if not (folder / "services.csv").is_file():
        return Services(by_code, by_category, _changed_at([folder]))
    attributes = _load_attributes(folder / "attributes.csv", problems)
    for row in read_table(folder / "services.csv", SERVICE_COLUMNS, problems):
        questions = tuple(question for question in catalogue if question.code.rpartition("-")[0] == row["code"])
        if not questions or len({question.category[:2] for question in questions}) > 1:
            row.wrong(
                "code", f"{row['code']!r} should begin the codes of the questions of one second level, and no others"
            )
            continue
        if row["code"] in by_code:
            row.wrong("code", f"{row['code']!r} stands here twice")
        service = _service(row, questions, attributes.pop(row["code"], ()))
        by_code[service.code] = service
        by_category.update((question.category, service) for question in _public(row, questions))
    for code in attributes:
        problems.add("attributes.csv service", f"{code!r} should be a code in services.csv")
    files = [folder / "services.csv", folder / "attributes.csv", *(folder / "catalogue").glob("*.csv")]
    return Services(MappingProxyType(by_code), MappingProxyType(by_category), _changed_at(files))


def _changed_at(files: Iterable[Path]) -> datetime:
    return datetime.fromtimestamp(max((file.stat().st_mtime for file in files if file.exists()), default=0.0), UTC)


def _service(row: Row, questions: tuple[Question, ...], attributes: Sequence[Attribute]) -> Service:
    return Service(
        code=row["code"],
        name=Name(questions[0].l2, row.filled("name_en")),
        group=Name(questions[0].l1, row.filled("group_en")),
        questions=questions,
        attributes=tuple(attributes),
    )


def _public(row: Row, questions: Sequence[Question]) -> Sequence[Question]:
    if row["public"] == "all":
        return questions
    wanted = row.many("public")
    if not wanted or set(wanted) - {question.code for question in questions}:
        row.wrong("public", "should be all, or codes of questions of this service joined by ' | '")
    return [question for question in questions if question.code in wanted]


def _load_attributes(path: Path, problems: Problems) -> dict[str, list[Attribute]]:
    found: dict[str, list[Attribute]] = {}
    for row in read_table(path, ATTRIBUTE_COLUMNS, problems):
        mine = found.setdefault(row.filled("service"), [])
        attribute = _attribute(row)
        if attribute.code in {other.code for other in mine}:
            row.wrong("code", f"{attribute.code!r} is asked twice of {row['service']}")
        mine.append(attribute)
    return found


def _attribute(row: Row) -> Attribute:
    datatype = row.choice("datatype", (*get_args(Datatype), NOTE))
    variable = datatype != NOTE
    values = tuple(_choice(row, part) for part in row.many("values"))
    if (datatype in LISTS) != bool(values):
        row.wrong("values", "should be filled for a list, and for nothing else")
    return Attribute(
        code=row.filled("code"),
        variable=variable,
        datatype=cast(Datatype, datatype if variable else "string"),
        required=row.choice("required", ("yes", "")) == "yes",
        description=Name(row.filled("description_zh"), row.filled("description_en")),
        hint=Name(row["hint_zh"], row["hint_en"]),
        values=values,
    )


def _choice(row: Row, part: str) -> Choice:
    key, _, names = part.partition("=")
    zh, _, en = names.partition("/")
    if not (key and zh and en):
        row.wrong("values", f"{part!r} should read key=中文/English")
    return Choice(key, Name(zh, en))
