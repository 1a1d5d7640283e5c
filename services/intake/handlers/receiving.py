"""The door: a batch of appeals is claimed, sealed and committed; screening comes right behind."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from pydantic import TypeAdapter

from libs.common.messaging.transaction import Tx
from libs.common.runtime.batching import MicroBatch, OverloadedError
from libs.common.runtime.problems import Problem, wrong_field
from libs.common.runtime.telemetry import TRACE
from services.intake import store
from services.intake.appeal import Appeal
from services.intake.handlers.around import SCREENING, Accepted, Arrival, Here
from services.intake.handlers.files import attach, take_files

PLAIN = TypeAdapter(Appeal)
LONGEST_BACKLOG = 500_000
"""Of appeals that wait for screening: what a great city receives in five days, and minutes of work. Beyond it no more
are taken in, for each would wait longer than the one before, until the disk is full."""
LONGEST_AS_SENT = 16_384
"""Bytes of JSON that are kept as they came. What is longer may be blanks for the most part, and is written anew."""


async def accept(
    here: Here, client: str, appeal: Appeal, key: str | None = None, sent: bytes | None = None
) -> Accepted:
    """Receive an appeal; `sent` is its JSON, if it came as that.

    Raises Problem 503 when too many wait at the door or behind it, and when the database is away.
    """
    if here.engine.backlog > LONGEST_BACKLOG:
        raise Problem(503, "too many appeals wait to be read, come back", headers={"Retry-After": "60"})
    try:
        return await door(here).submit(arrive(here, client, appeal, key, sent))
    except OverloadedError as error:
        raise Problem(503, "too many appeals at once, come back", headers={"Retry-After": "2"}) from error
    except (OSError, TimeoutError) as error:
        raise Problem(503, "the appeal could not be stored, send it again", headers={"Retry-After": "5"}) from error


def arrive(here: Here, client: str, appeal: Appeal, key: str | None, sent: bytes | None = None) -> Arrival:
    """Return an appeal ready for the door, with its new id."""
    scopes = []
    if key:
        scopes.append(_hash("key", client, key))
    # A sensor names its device and fault, and reports them whenever they come again.
    if appeal.external_ref and appeal.channel != "sensor":
        # Every client numbers for itself: another's ticket, and the code that opens it, are not given for a number.
        scopes.append(_hash("ref", appeal.channel, client, appeal.external_ref))
    plain = sent if sent and len(sent) <= LONGEST_AS_SENT else PLAIN.dump_json(appeal, exclude_unset=True)
    return Arrival(
        ticket_id=here.clock.new_id(),
        client=client,
        appeal=appeal,
        plain=plain,
        scopes=tuple(scopes),
        content=_content(appeal) if scopes else b"",
        received_at=appeal.received(here.clock.now()),
        strict=bool(key),
        trace=TRACE.get(),
    )


def _content(appeal: Appeal) -> bytes:
    """Return by what an appeal sent again is known. Who sends its files again as well gives them other ids."""
    return hashlib.sha256(PLAIN.dump_json(appeal, exclude_unset=True, exclude={"attachments"})).digest()


def _hash(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def door(here: Here) -> MicroBatch[Arrival, Accepted]:
    """Return the micro-batch that receives appeals."""
    if here.engine.door is None:
        here.engine.door = MicroBatch(partial(receive, here))
    return here.engine.door


async def receive(here: Here, arrivals: Sequence[Arrival]) -> list[Accepted | Exception]:
    """Commit a batch of appeals, sealed, and have them screened next. One result for each."""
    async with here.database.begin() as tx:
        held, clashing = await _claim(tx, arrivals)
        fresh = [a for a in arrivals if held[a.ticket_id] == a.ticket_id]
        files, refused = await take_files(tx, fresh)
        sealed = [_seal(here, a) for a in fresh if a.ticket_id not in refused]
        numbers = await store.receive(tx, sealed) if sealed else {}
        if files:
            await attach(tx, here, files, {row[0]: row[5] for row in sealed})
        if refused:
            await store.unclaim(tx, refused)
        repeated = set(held.values()) - numbers.keys()
        numbers |= await store.numbers(tx, repeated) if repeated else {}
    here.loops[SCREENING].wake()
    accepted = {ticket_id: Accepted(ticket_id, number) for ticket_id, number in numbers.items()}
    told = refused | accepted
    return [_CLASH if a.ticket_id in clashing else told[held[a.ticket_id]] for a in arrivals]


_CLASH = wrong_field("Idempotency-Key", "was used for another appeal; send a new key with a new appeal")


async def _claim(tx: Tx, arrivals: Sequence[Arrival]) -> tuple[dict[UUID, UUID], set[UUID]]:
    """Return which ticket each arrival is, its own or an earlier one, and those that reuse a key for other content."""
    scopes = [(scope, a.ticket_id, a.content) for a in arrivals for scope in a.scopes]
    if not scopes:
        return {a.ticket_id: a.ticket_id for a in arrivals}, set()
    holders = await store.claim(tx, scopes)
    held: dict[UUID, UUID] = {}
    clashing = set()
    for a in arrivals:
        others = [holders[scope] for scope in a.scopes if holders[scope][0] != a.ticket_id]
        held[a.ticket_id] = others[0][0] if others else a.ticket_id
        if a.strict and others and others[0][1] != a.content:
            clashing.add(a.ticket_id)
    first = {mine: _first(held, mine) for mine in held}
    repeated = {mine: earlier for mine, earlier in first.items() if mine != earlier}
    if repeated:
        await store.reclaim(tx, repeated)
    return first, clashing


def _first(held: Mapping[UUID, UUID], ticket_id: UUID) -> UUID:
    """Follow repeats of repeats within a batch to the first of them."""
    while held.get(ticket_id, ticket_id) != ticket_id:
        ticket_id = held[ticket_id]
    return ticket_id


def _seal(here: Here, arrival: Arrival) -> store.Stored:
    day = arrival.received_at.astimezone(here.engine.timezone).date().isoformat().replace("-", "")
    context = arrival.ticket_id.bytes
    key = here.engine.vault.new_key(context)
    sealed = key.seal(arrival.plain, context)
    return arrival.ticket_id, day, arrival.client, arrival.received_at, sealed, key.wrapped, arrival.trace
