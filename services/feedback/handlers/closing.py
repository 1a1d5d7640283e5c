"""False closings 虚假办结: signs are looked for beside the stream of events, and a person rules on what is doubted."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.database import alone
from libs.common.runtime.privacy import Redactor
from libs.common.runtime.problems import Problem
from libs.common.runtime.security import Principal
from services.feedback import domain, store
from services.feedback.domain import Doubted
from services.feedback.handlers.around import Here
from services.feedback.handlers.following import MEMORY, react
from services.feedback.handlers.seeing import may_rule

LOOK_SECONDS = 60.0
OVERLAP = timedelta(days=1)
"""What was heard late is found as well: each look goes so far behind the one before."""
AT_ONCE = timedelta(days=1)
"""What waits longer, as after an outage, is looked at a day at a time, and each day is kept."""
EVERY = timedelta(minutes=30)
SPOTS_EVERY = timedelta(days=1)
"""How often it is counted what comes again, and how long matters take: that reads the rounds of a month."""


async def look_for_signs(here: Here) -> float:
    """Look for signs if it is time and no other process does; nothing of it happens when an event comes."""
    async with alone(here.database.pool, store.LOOK_LOCK) as leads:
        if leads:
            while await _look_at_rounds(here, here.clock.now()):
                pass
            await _look_at_spots(here, here.clock.now())
    return LOOK_SECONDS


async def _look_at_rounds(here: Here, now: datetime) -> bool:
    """Find what the record and the citizens say of rounds since the last look, of a day at most; say if more wait."""
    suspicion = here.engine.suspicion
    denials = [reason.code for reason in here.engine.policy.callbacks.reasons if reason.denies_contact]
    async with here.database.begin() as tx:
        before = await store.looked_until(tx, "rounds")
        if before is not None and now - before < EVERY:
            return False
        since = before or await store.first_resolved(tx) or now
        until = min(now, since + AT_ONCE)
        await store.find_signs(tx, suspicion.rules, suspicion.seen, denials, (since - OVERLAP, until), now)
        await store.gather(tx, now)
        await store.save_look(tx, "rounds", until)
    return until < now


async def _look_at_spots(here: Here, now: datetime) -> None:
    """Learn how long matters take, and find what comes again; a part of the questions in each transaction."""
    rules = here.engine.suspicion.rules
    async with here.database.begin() as tx:
        before = await store.looked_until(tx, "spots")
        if before is not None and now - before < SPOTS_EVERY:
            return
        await store.learn_paces(tx, rules, now)
    if rules.weights["again"]:
        month = await store.month(here.database, now - rules.again.within, now)
        for codes in month.parts:
            async with here.database.begin() as tx:
                found = domain.again(await store.spots(tx, month, codes), rules)
                kept = [(spot, json.dumps(evidence)) for spot, evidence in found]
                await store.save_again(tx, kept, rules.weights["again"], now)
                await store.gather(tx, now, [spot.ticket_id for spot, _ in kept])
    async with here.database.begin() as tx:
        await store.save_look(tx, "spots", now)


async def rule_doubt(
    tx: Tx, here: Here, ticket_id: UUID, round_: int, who: Principal, *, upheld: bool, note: str, reopen: bool
) -> Doubted:
    """Rule on a doubt. Upheld it counts against the unit; with `reopen` a ticket that nobody answered for is worked on.

    Raises Problem 404 if nothing is doubted there, 403 for who may not rule on the unit, NotPossibleError for what
    cannot be reopened.
    """
    await tx.lock([str(ticket_id)])
    found = await store.doubt_of(tx.connection, ticket_id, round_, hold=True)
    if found is None:
        raise Problem(404, "nothing is doubted of that round")
    may_rule(here, who, found.doubt.unit_code)
    # Of a ticket whose words were deleted no later ones are kept either.
    said = "" if MEMORY.of(tx, str(ticket_id)).wordless else Redactor().redact(note)
    ruled, events = domain.rule(found.doubt, upheld=upheld, by=who.name, note=said, now=tx.now)
    await store.save_doubt(tx, ruled)
    for event in events:
        tx.emit(str(ticket_id), event)
    if reopen:
        await _reopen(tx, here, ticket_id, round_)
    shown = await store.doubt_of(tx.connection, ticket_id, round_)
    return shown or found


async def _reopen(tx: Tx, here: Here, ticket_id: UUID, round_: int) -> None:
    """Have the lead work once more on what was closed without the citizen's word."""
    ticket = (await store.tickets_of(tx, [ticket_id]))[ticket_id]
    again, said = domain.reopened_by_ruling(ticket, round_, here.engine.policy, tx.now)
    await store.save_tickets(tx, [again])
    for event in said:
        tx.emit(str(ticket_id), event)
    await react({str(ticket_id): MEMORY.of(tx, str(ticket_id))}, tx, here)
