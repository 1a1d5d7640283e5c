"""Versions of the catalogue: which is in force, what was before it, and what tells two of them apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from libs.common.city.catalogue import Catalogue, Question

What = Literal[
    "added", "removed", "renamed", "recoded", "owner", "co_handlers", "urgency", "kind", "tag", "season", "elderly",
    "guidance", "phrases",
]  # fmt: skip
_TOLD: dict[What, Callable[[Question], str]] = {
    "renamed": lambda q: "/".join((*q.category, q.name_en)),
    "owner": lambda q: f"{q.owner_kind} {q.owner or ''}".strip(),
    "co_handlers": lambda q: " | ".join(q.co_handlers),
    "urgency": lambda q: q.urgency,
    "kind": lambda q: q.kind,
    "tag": lambda q: q.tag,
    "season": lambda q: " | ".join(map(str, sorted(q.season))),
    "elderly": lambda q: "yes" if q.elderly else "",
}
"""What is said of a question before and after, by what changed."""


@dataclass(frozen=True, slots=True)
class CatalogueVersion:
    """A catalogue that was imported. `by` is None for the city pack's own."""

    version: str
    imported_at: datetime
    by: str | None
    note: str | None
    questions: int


@dataclass(frozen=True, slots=True)
class Activation:
    """From when on a catalogue and a model judge. `by` is None where the city pack of a release set it.

    `back_to` names the activation that a roll-back went back to. One that is still to come can be cancelled.
    """

    activation_id: UUID
    from_at: datetime
    catalogue: str
    model: str
    by: str | None
    reason: str | None
    made_at: datetime
    back_to: UUID | None = None
    cancelled_at: datetime | None = None

    @property
    def what(self) -> tuple[str, str]:
        """The catalogue and the model."""
        return self.catalogue, self.model


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in which a question differs between two catalogues."""

    code: str
    category: tuple[str, str, str]
    what: What
    before: str = ""
    after: str = ""


def before(stack: Sequence[Activation], *, catalogue: bool) -> Activation | None:
    """Return what to roll back to: of another catalogue, or of another model of the same one; None if there is none."""
    if not stack:
        return None
    last = stack[-1]
    for one in reversed(stack[:-1]):
        if catalogue and one.catalogue != last.catalogue:
            return one
        if not catalogue and one.model != last.model:
            return one if one.catalogue == last.catalogue else None
    return None


def changes(old: Catalogue, new: Catalogue) -> list[Change]:
    """Return in what a catalogue differs from an older one, in the order of the new one, what was removed last."""
    codes = {q.category: q.code for q in old}
    found = [change for q in new for change in _changes(old, codes, q)]
    kept = set(new.by_code) | {change.before for change in found if change.what == "recoded"}
    return found + [Change(q.code, q.category, "removed") for q in old if q.code not in kept]


def _changes(old: Catalogue, codes: dict[tuple[str, str, str], str], new: Question) -> Iterator[Change]:
    was = old.by_code.get(new.code)
    if was is None:
        code = codes.get(new.category)
        if code is None:
            yield Change(new.code, new.category, "added")
            return
        yield Change(new.code, new.category, "recoded", code, new.code)
        was = old.by_code[code]
    for what, told in _TOLD.items():
        if told(was) != told(new):
            yield Change(new.code, new.category, what, told(was), told(new))
    if _guidance(was) != _guidance(new):
        yield Change(new.code, new.category, "guidance")
    if was.phrases != new.phrases:
        more, fewer = (len(set(a) - set(b)) for a, b in ((new.phrases, was.phrases), (was.phrases, new.phrases)))
        yield Change(new.code, new.category, "phrases", str(len(was.phrases)), f"{len(new.phrases)} (+{more} -{fewer})")


def _guidance(question: Question) -> tuple[object, ...]:
    return question.ask, question.evidence, question.out_of_scope
