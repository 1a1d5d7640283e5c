"""What a file says of an article, before anyone checked it: each field with the line it stands in."""

from collections.abc import Mapping
from dataclasses import dataclass

NAMES: Mapping[str, str] = {
    "编号": "id", "标题": "title", "责任单位": "owner", "生效日期": "effective_from", "失效日期": "expires_on",
    "复核日期": "review_by", "来源": "source", "适用对象": "audience", "诉求编码": "codes", "问法": "asked",
    "不解答": "not_here", "正文": "body",
}  # fmt: skip
"""The fields in Chinese, as a spreadsheet or a Word document may name them, and in English."""
FIELDS = frozenset(NAMES.values()) - {"body"}
KNOWN = f"the fields are {', '.join(sorted(FIELDS))}, or {'、'.join(name for name in NAMES if name != '正文')}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, and what would be right. `line` counts from 1, and of Word from the head."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One article as a file has it: its fields with their lines, and its body in Markdown. `faults` were found yet."""

    line: int
    fields: Mapping[str, tuple[int, str]]
    body: str
    faults: tuple[Fault, ...] = ()

    @property
    def article_id(self) -> str | None:
        """How it calls itself, if it does."""
        return self.fields["id"][1] if "id" in self.fields else None


def field_of(name: str) -> str | None:
    """Return which field a name means, in either language; None if it is none."""
    name = name.strip().strip("：:").lower()
    found = NAMES.get(name, name)
    return found if found in NAMES.values() else None


def many(cell: str) -> tuple[str, ...]:
    """Return the parts of a field that holds a list: `first | second`."""
    return tuple(part for part in (p.strip() for p in cell.replace("｜", "|").split("|")) if part)
