"""Whether five databases agree: every accepted appeal is there once, has one outcome, and the clocks it should have."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg

OUTCOMES = {
    "an order": ("dispatch", "SELECT ticket_id FROM orders WHERE state <> 'recalled'"),
    "the review queue": ("classify", "SELECT ticket_id FROM verdicts WHERE state = 'held'"),
    "answered": ("intake", "SELECT ticket_id FROM tickets WHERE state = 'answered'"),
    "linked": ("intake", "SELECT ticket_id FROM tickets WHERE state = 'linked'"),
    "withdrawn": ("intake", "SELECT ticket_id FROM tickets WHERE state = 'withdrawn'"),
}
QUIET = {
    "outbox": "SELECT count(*) FROM outbox",
    "dead letters": "SELECT count(*) FROM dead_letters",
}
DISPATCHED = "SELECT ticket_id FROM timeline WHERE type = 'ticket.dispatched'"
CLOCKS = "SELECT ticket_id, name FROM clocks WHERE round = 1"
ENDED = ("answered", "linked", "withdrawn")


async def _ids(connection: Any, query: str) -> list[str]:
    return [str(row[0]) for row in await connection.fetch(query)]


async def unsettled(databases: Mapping[str, str], accepted: Collection[str]) -> list[str]:
    """Return in words what is not yet, or not exactly, as it must be; nothing when all is well.

    `databases` are the five addresses by service name, `accepted` the tickets that were answered with 202.
    """
    connections = {name: await asyncpg.connect(dsn) for name, dsn in databases.items()}
    try:
        return [*await _quiet(connections), *await _present(connections, accepted), *await _outcomes(connections)]
    finally:
        for connection in connections.values():
            await connection.close()


async def _quiet(connections: Mapping[str, Any]) -> list[str]:
    wrong = []
    for service, connection in connections.items():
        wrong += [f"{n} in {service}'s {what}" for what, q in QUIET.items() if (n := await connection.fetchval(q))]
    inbound = await connections["intake"].fetchval("SELECT count(*) FROM inbound")
    return [*wrong, f"{inbound} not screened"] if inbound else wrong


async def _present(connections: Mapping[str, Any], accepted: Collection[str]) -> list[str]:
    vault = set(await _ids(connections["intake"], "SELECT ticket_id FROM vault"))
    tickets = set(await _ids(connections["intake"], "SELECT ticket_id FROM tickets"))
    lost, unscreened = set(accepted) - vault, vault - tickets
    return [*(f"{t} was accepted and is lost" for t in lost), *(f"{t} is not screened" for t in unscreened)]


async def _outcomes(connections: Mapping[str, Any]) -> list[str]:
    tickets = await _ids(connections["intake"], "SELECT ticket_id FROM tickets")
    outcomes: dict[str, list[str]] = {ticket: [] for ticket in tickets}
    for outcome, (service, query) in OUTCOMES.items():
        for ticket in await _ids(connections[service], query):
            outcomes.setdefault(ticket, []).append(outcome)
    wrong = [f"{ticket} came to {found or 'nothing'}" for ticket, found in outcomes.items() if len(found) != 1]
    ended = {ticket for ticket, found in outcomes.items() if found and found[0] in ENDED}
    return [*wrong, *await _clocks(connections, set(outcomes) - ended), *await _told(connections, outcomes)]


async def _clocks(connections: Mapping[str, Any], due: Collection[str]) -> list[str]:
    kept = Counter(str(row["ticket_id"]) for row in await connections["sla"].fetch(CLOCKS))
    return [f"{ticket} has {kept[ticket]} clocks" for ticket in due if kept[ticket] != 2]


async def _told(connections: Mapping[str, Any], outcomes: Mapping[str, list[str]]) -> list[str]:
    told = Counter(await _ids(connections["intake"], DISPATCHED))
    ordered = [ticket for ticket, found in outcomes.items() if found == ["an order"]]
    return [f"{ticket} was told dispatched {told[ticket]} times" for ticket in ordered if told[ticket] != 1]
