"""What people do to clocks: look at them, pause and resume."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from libs.common.runtime.security import Principal
from services.sla import store
from services.sla.domain import Clock, NotPossibleError, Step, TaskClock, pause, resume
from services.sla.handlers.around import Here
from services.sla.handlers.following import follow_up
from services.sla.handlers.seeing import viewer


async def look_at(here: Here, who: Principal, ticket_id: UUID) -> tuple[list[Clock], list[TaskClock]]:
    """Return the clocks of a ticket, and those of the parts that others owe.

    Raises Problem 403 if neither who leads nor who helps is in sight of the key.
    """
    async with here.database.begin() as tx:
        clocks = (await store.clocks_of(tx, [ticket_id]))[ticket_id]
        tasks = (await store.tasks_of(tx, [ticket_id]))[ticket_id]
    seen = viewer(here, who).units_in_sight()
    units = {clock.unit_code for clock in clocks} | {task.unit_code for task in tasks}
    if seen is not None and units and seen.isdisjoint(units):
        raise Problem(403, "this key sees neither the unit that leads nor one that helps, nor one above them")
    return clocks, tasks


async def pause_clocks(
    tx: Tx, here: Here, who: Principal, ticket_id: UUID, ground: str, until: datetime | None
) -> list[Clock]:
    """Stand the running clocks of a ticket still. Raises NotPossibleError if none runs, Problem 403 or 422."""
    book = here.engine.book
    grounds = book.at(tx.now).grounds
    if ground not in grounds:
        raise wrong_field("ground", f"must be one of {', '.join(grounds) or 'none: the policies list no ground'}")

    def may(unit: str | None) -> bool:
        by_unit = "unit" in grounds[ground].by
        return leads_or_oversees(here, who, unit) if by_unit else stands_above(here, who, unit)

    return await _command(tx, here, ticket_id, "running", may, lambda c: pause(c, ground, until, book, tx.now))


async def resume_clocks(tx: Tx, here: Here, who: Principal, ticket_id: UUID) -> list[Clock]:
    """Let the paused clocks of a ticket run on. Raises NotPossibleError if none is paused, Problem 403."""

    def may(unit: str | None) -> bool:
        return leads_or_oversees(here, who, unit)

    return await _command(tx, here, ticket_id, "paused", may, lambda c: resume(c, here.engine.book, tx.now))


def oversees(here: Here, who: Principal, unit: str | None) -> bool:
    """Whether a key supervises a unit: one of its units or one under these, or any if it names none."""
    return viewer(here, who).oversees(unit or "")


def stands_above(here: Here, who: Principal, unit: str | None) -> bool:
    """Whether a key supervises a unit that is none of its own: nobody decides in their own matter."""
    return unit not in who.units and oversees(here, who, unit)


def leads_or_oversees(here: Here, who: Principal, unit: str | None) -> bool:
    """Whether a key acts as the unit that leads, or supervises it."""
    asking = viewer(here, who)
    return (unit is not None and asking.acts_for(unit)) or asking.oversees(unit or "")


async def _command(
    tx: Tx, here: Here, ticket_id: UUID, state: str, may: Callable[[str | None], bool], act: Callable[[Clock], Step]
) -> list[Clock]:
    await tx.lock([str(ticket_id)])
    clocks = (await store.clocks_of(tx, [ticket_id]))[ticket_id]
    if not clocks:
        raise unknown_ticket(ticket_id, here.clock)
    if not may(clocks[-1].unit_code):
        raise Problem(
            403, "this is for who stands above the unit that leads, or for that unit where the ground allows it"
        )
    if not any(clock.state == state for clock in clocks):
        raise NotPossibleError(f"no clock of this ticket is {state}")
    steps = [act(clock) if clock.state == state else (clock, []) for clock in clocks]
    now_clocks = [clock for clock, _ in steps]
    await store.save_clocks(tx, [clock for clock, said in steps if said])
    follow_up(tx, here, ticket_id, now_clocks, [event for _, said in steps for event in said])
    return now_clocks
