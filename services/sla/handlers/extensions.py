"""More time: asked for by the unit that leads, ruled on by a supervisor above it."""

from datetime import timedelta
from uuid import UUID

from libs.common.city.policies import Level
from libs.common.contracts.vocabulary import ClockName
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket
from libs.common.runtime.security import Principal
from services.sla import store
from services.sla.domain import Clock, Extension, asked, ruled
from services.sla.handlers.around import Here
from services.sla.handlers.clocks import leads_or_oversees, oversees
from services.sla.handlers.following import follow_up


async def ask_extension(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, name: ClockName, span: timedelta, reason: str
) -> Extension:
    """Ask for more time for the newest clock of a name. Raises NotPossibleError, Problem 403 to who does not lead."""
    await tx.lock([str(ticket_id)])
    clocks = (await store.clocks_of(tx, [ticket_id]))[ticket_id]
    clock = next((clock for clock in reversed(clocks) if clock.name == name), None)
    if clock is None:
        raise unknown_ticket(ticket_id, here.clock)
    if not leads_or_oversees(here, who, clock.unit_code):
        raise Problem(403, "more time is asked for by the unit that leads, or who supervises it")
    before = await store.extensions_of(tx.connection, ticket_id)
    extension = asked(here.clock.new_id(), clock, span, reason, who.name, before, here.engine.book, tx.now)
    await store.save_extension(tx, extension)
    return extension


async def rule_extension(
    tx: Tx, here: Here, who: Principal, extension_id: UUID, note: str | None, *, granted: bool
) -> Extension:
    """Grant or refuse more time. Raises NotPossibleError, Problem 403 to another level, 404."""
    known = await store.extension_of(tx.connection, extension_id)
    if known is None:
        raise Problem(404, "no such extension")
    await tx.lock([str(known.ticket_id)])
    extension = await store.extension_of(tx.connection, extension_id) or known
    clocks = (await store.clocks_of(tx, [extension.ticket_id]))[extension.ticket_id]
    clock = _meant(clocks, extension)
    if not oversees(here, who, clock.unit_code if clock else None):
        raise Problem(403, "this unit is not one that the key supervises")
    level: Level = "district" if who.units else "centre"
    ended, after, said = ruled(extension, clock, who.name, level, note, here.engine.book, tx.now, granted=granted)
    await store.save_extension(tx, ended)
    if after and after != clock:
        await store.save_clocks(tx, [after])
    follow_up(tx, here, extension.ticket_id, [after if after and one is clock else one for one in clocks], said)
    return ended


def _meant(clocks: list[Clock], extension: Extension) -> Clock | None:
    meant = (c for c in clocks if (c.round, c.name) == (extension.round, extension.clock))
    return next(meant, None)
