"""What people do to clocks: pause and resume."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import unknown_ticket
from services.sla import store
from services.sla.domain import (
    Clock,
    NotPossibleError,
    PauseGround,
    Step,
    pause,
    resume,
)
from services.sla.handlers.around import Here
from services.sla.handlers.following import follow_up


async def pause_clocks(tx: Tx, here: Here, ticket_id: UUID, ground: PauseGround, until: datetime | None) -> list[Clock]:
    """Stand the running clocks of a ticket still. Raises NotPossibleError if none runs."""
    policy = here.engine.policy
    return await _command(tx, here, ticket_id, "running", lambda c: pause(c, ground, until, policy, tx.now))


async def resume_clocks(tx: Tx, here: Here, ticket_id: UUID) -> list[Clock]:
    """Let the paused clocks of a ticket run on. Raises NotPossibleError if none is paused."""
    return await _command(tx, here, ticket_id, "paused", lambda c: resume(c, tx.now))


async def _command(tx: Tx, here: Here, ticket_id: UUID, state: str, act: Callable[[Clock], Step]) -> list[Clock]:
    await tx.lock([str(ticket_id)])
    clocks = (await store.clocks_of(tx, [ticket_id]))[ticket_id]
    if not clocks:
        raise unknown_ticket(ticket_id, here.clock)
    steps = {clock.name: act(clock) for clock in clocks if clock.state == state}
    if not steps:
        raise NotPossibleError(f"no clock of this ticket is {state}")
    now_clocks = [steps[c.name][0] if c.state == state else c for c in clocks]
    await store.save_clocks(tx, [clock for clock, _ in steps.values()])
    follow_up(tx, here, ticket_id, now_clocks, [event for _, said in steps.values() for event in said])
    return now_clocks
