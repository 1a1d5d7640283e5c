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
from services.sla.domain.owners import RANK
from services.sla.handlers.around import Here
from services.sla.handlers.clocks import leads_or_oversees, look_at, stands_above
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


async def asked_for(here: Here, who: Principal, ticket_id: UUID) -> list[Extension]:
    """Return what was asked for of a ticket's clocks. Raises Problem 403 to who does not see these."""
    await look_at(here, who, ticket_id)
    return await store.extensions_of(here.database.pool, ticket_id)


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
    if not _may_rule(here, who, clock.unit_code if clock else None):
        raise Problem(403, "more time is granted by a department or district above the unit, or by the centre")
    level: Level = "district" if who.units else "centre"
    ended, after, said = ruled(extension, clock, who.name, level, note, here.engine.book, tx.now, granted=granted)
    await store.save_extension(tx, ended)
    if after and after != clock:
        await store.save_clocks(tx, [after])
    follow_up(tx, here, extension.ticket_id, [after if after and one is clock else one for one in clocks], said)
    return ended


def _may_rule(here: Here, who: Principal, unit: str | None) -> bool:
    """Whether a key is of the whole city, or of a department or district that stands above a unit."""
    units = here.engine.rules.units
    of_rank = any(RANK[units[code].kind] > 1 for code in who.units if code in units)
    return stands_above(here, who, unit) and (of_rank or not who.units)


def _meant(clocks: list[Clock], extension: Extension) -> Clock | None:
    meant = (c for c in clocks if (c.round, c.name) == (extension.round, extension.clock))
    return next(meant, None)
