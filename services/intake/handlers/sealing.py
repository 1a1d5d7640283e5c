"""What a row of the vault holds, opened and sealed by the ticket's own key."""

from collections.abc import Iterable
from dataclasses import replace

from pydantic import TypeAdapter

from libs.common.runtime.privacy import ErasedError, Mark, Redactor
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.handlers.around import Engine

MARKS = TypeAdapter(tuple[Mark, ...])


def appeal_of(engine: Engine, row: store.Sealed) -> Appeal:
    """Return the appeal in a vault row. Raises ErasedError if it was erased."""
    return Appeal.model_validate_json(_opened(engine, row, row.appeal))


def marks_of(engine: Engine, row: store.Sealed) -> tuple[Mark, ...]:
    """Return what the marks of the redacted text stand for."""
    return MARKS.validate_json(_opened(engine, row, row.marks)) if row.marks else ()


def redactor_of(engine: Engine, row: store.Sealed) -> Redactor:
    """Return a redactor that knows the reporter, and counts on from the marks there are."""
    if row.erased:
        return Redactor()
    return Redactor(appeal_of(engine, row).known(), marks_of(engine, row))


def seal_marks(engine: Engine, row: store.Sealed, marks: Iterable[Mark]) -> store.Sealed:
    """Return a vault row with these marks in it. Once the appeal was erased nothing new of a person is kept either."""
    if row.erased:
        return row
    context, plain = row.ticket_id.bytes, MARKS.dump_json(tuple(marks))
    if row.key is None:
        return replace(row, marks=engine.vault.seal(plain, context))
    return replace(row, marks=engine.vault.key(row.key, context).seal(plain, context))


def _opened(engine: Engine, row: store.Sealed, sealed: bytes) -> bytes:
    if row.erased:
        raise ErasedError("the appeal was erased")
    return engine.vault.open(sealed, row.ticket_id.bytes, row.key)
