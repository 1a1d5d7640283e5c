"""Opening the vault for those who must reach the citizen."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import TypeAdapter

from libs.common.messaging.transaction import Tx
from libs.common.runtime.privacy import Mark
from libs.common.runtime.problems import unknown_ticket
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.handlers.around import Engine, Here

MARKS = TypeAdapter(tuple[Mark, ...])


@dataclass(frozen=True, slots=True)
class Opening:
    """What the vault holds of an appeal: who sent it, the words as they were, and what each mark stands for."""

    appeal: Appeal
    marks: tuple[Mark, ...]


async def open_vault(tx: Tx, here: Here, ticket_id: UUID, by: str, purpose: str) -> Opening:
    """Open an appeal for those who must reach the citizen, and keep who did, and why."""
    rows = await store.sealed(tx.connection, [ticket_id])
    if not rows:
        raise unknown_ticket(ticket_id, here.clock)
    await store.note_opening(tx, ticket_id, by, purpose)
    return Opening(appeal_of(here.engine, rows[0]), marks_of(here.engine, rows[0]))


def appeal_of(engine: Engine, row: store.Sealed) -> Appeal:
    """Return the appeal in a vault row."""
    return Appeal.model_validate_json(engine.vault.open(row.appeal, row.ticket_id.bytes))


def marks_of(engine: Engine, row: store.Sealed) -> tuple[Mark, ...]:
    """Return what the marks of the redacted text stand for."""
    return MARKS.validate_json(engine.vault.open(row.marks, row.ticket_id.bytes)) if row.marks else ()


def seal_marks(engine: Engine, row: store.Sealed, marks: Iterable[Mark]) -> store.Sealed:
    """Return a vault row with these marks in it."""
    return replace(row, marks=engine.vault.seal(MARKS.dump_json(tuple(marks)), row.ticket_id.bytes))
