"""Flags on appeals: put by people, or for what is noticed; ruled on, told to the citizen, appealed, ruled on again.

None of it touches the ticket: how it is received, dispatched and timed does not depend on a verdict.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.common.city.scope import Ground
from libs.common.contracts.intake import TicketScreened
from libs.common.messaging.transaction import Tx
from libs.common.runtime.problems import Problem, unknown_ticket, wrong_field
from services.intake import store
from services.intake.domain import (
    BY_RULE,
    Entry,
    Flag,
    FlagState,
    News,
    Ticket,
    added,
    appealed,
    noticed,
    ruled,
)
from services.intake.handlers.around import Here
from services.intake.handlers.redacting import redact_for
from services.intake.handlers.telling import tell

BURSTS = "bursts"
LOOK_SECONDS = 60.0
SLICE = 16
"""After so many appeals that were looked at others have their turn; the longest take two milliseconds each."""


async def flag(tx: Tx, here: Here, ticket_id: UUID, code: str, evidence: str, by: str) -> Flag:
    """Flag an appeal on a listed ground. Raises NotPossibleError if it is flagged, Problem 422 for no such ground."""
    ground = here.engine.city.scope.ground(code)
    if ground is None:
        raise wrong_field("ground", "must be the code of a ground in the city's list: see GET /intake/v1/scope")
    await _held(tx, here, ticket_id)
    evidence = await redact_for(tx, here, ticket_id, evidence)
    put = Flag(here.clock.new_id(), ticket_id, ground.code, ground.verdict, evidence, by, tx.now)
    await store.save_flags(tx, [added(put, await store.flags_of(tx.connection, ticket_id))])
    return put


async def rule_on_flag(tx: Tx, here: Here, flag_id: UUID, upheld: bool, note: str, by: str) -> Flag:
    """Rule on a flag, or on the appeal against it, and tell the citizen what there is to tell.

    Raises NotPossibleError if it waits for no ruling, Problem 403 to who had a hand in it before.
    """
    named = await store.flag_of(tx.connection, flag_id)
    if named is None:
        raise Problem(404, "no such flag")
    ticket = await _held(tx, here, named.ticket_id)
    (before,) = (one for one in await store.flags_of(tx.connection, named.ticket_id) if one.flag_id == flag_id)
    if by in before.parties:
        raise Problem(403, "who flagged an appeal, or ruled on it before, does not rule on it")
    after = ruled(before, upheld, await redact_for(tx, here, ticket.ticket_id, note), by, tx.now)
    await store.save_flags(tx, [after])
    if after.verdict:
        await _tell_ruling(tx, here, ticket, before, after)
    return after


async def appeal_ruling(tx: Tx, here: Here, ticket_id: UUID, text: str) -> None:
    """Take the citizen's appeal against a ruling. Raises NotPossibleError if there is none to appeal, or too late."""
    ticket = await _held(tx, here, ticket_id)
    flags = await store.flags_of(tx.connection, ticket_id)
    text = await redact_for(tx, here, ticket_id, text)
    await store.save_flags(tx, [appealed(flags, text, here.engine.city.screening.appeal_within, tx.now)])
    await store.save(tx, [], [_line(tx, here, ticket, "screening.appealed", {"text": text})])


async def list_flags(
    here: Here, state: FlagState, language: str | None, after: tuple[datetime, UUID], limit: int
) -> Sequence[tuple[Flag, str]]:
    """Return flags in a state with the numbers of their tickets, oldest first, behind a place."""
    async with here.database.begin() as tx:
        found = await store.flags_in(tx.connection, state, language, after, limit)
        numbers = await store.numbers(tx, [one.ticket_id for one in found])
    return [(one, numbers[one.ticket_id]) for one in found]


async def flag_noticed(tx: Tx, here: Here, tickets: Sequence[Ticket]) -> None:
    """Flag, for a person to look at, appeals that say nothing or only that they are a test."""
    scope = here.engine.city.scope
    found = []
    for at, ticket in enumerate(tickets):
        if at % SLICE == 0:
            await asyncio.sleep(0)
        if code := noticed(ticket, scope):
            found.append((ticket, code))
    grounds = {ground.code: ground for ground in scope.grounds}
    await store.save_flags(
        tx,
        [
            Flag(here.clock.new_id(), ticket.ticket_id, code, grounds[code].verdict, "", BY_RULE, tx.now)
            for ticket, code in found
        ],
    )


async def notice_bursts(here: Here) -> float:
    """Flag whoever sent more appeals than the city takes for usual; return the seconds until the next look."""
    rules = here.engine.city.screening
    async with here.database.begin() as tx:
        found = await store.bursts(tx, tx.now - rules.burst_window, rules.burst_appeals)
        if found:
            flagged = [(here.clock.new_id(), last, reporter, count) for reporter, count, last in found]
            await store.note_bursts(tx, flagged, BY_RULE)
    return LOOK_SECONDS


async def _held(tx: Tx, here: Here, ticket_id: UUID) -> Ticket:
    await tx.lock([str(ticket_id)])
    ticket = (await store.tickets_of(tx.connection, [ticket_id])).get(ticket_id)
    if ticket is None:
        raise unknown_ticket(ticket_id, here.clock)
    return ticket


async def _tell_ruling(tx: Tx, here: Here, ticket: Ticket, before: Flag, after: Flag) -> None:
    """Say what was ruled: to scoring when a verdict comes into force or is lifted, to the citizen when it stays too."""
    if not (before.in_force or after.in_force):
        return
    within, why = here.engine.city.screening.appeal_within, (after.review_note or after.note or "").rstrip("。")
    line = "ticket.screened" if not before.in_force else f"screening.{after.state}"
    params = {"ground": ground_name(here, after.ground), "note": why, "until": _day(here, tx.now, within)}
    await store.save(tx, [], [_line(tx, here, ticket, line, params)])
    if before.in_force != after.in_force and after.verdict:
        event = TicketScreened(verdict=after.verdict, why=why, ground=after.ground, lifted=before.in_force, at=tx.now)
        tx.emit(str(ticket.ticket_id), event)
    if not before.in_force:
        await tell(tx, here, [News(ticket, "screened")])


def ground_name(here: Here, code: str) -> dict[str, str]:
    """Return what a ground is called; one that the list names no more, by its code."""
    ground: Ground | None = here.engine.city.scope.ground(code)
    return asdict(ground.name) if ground else {"zh": code, "en": code}


def _day(here: Here, now: datetime, within: timedelta) -> str:
    """Return the last day of a span, in the city's time."""
    return f"{(now + within).astimezone(here.engine.timezone):%Y-%m-%d}"


def _line(tx: Tx, here: Here, ticket: Ticket, type_: str, params: dict[str, Any]) -> Entry:
    return Entry(ticket.ticket_id, tx.now, here.clock.new_id(), type_, params)
