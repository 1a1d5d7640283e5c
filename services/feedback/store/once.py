"""Who repeated one appeal several times."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.common.messaging.transaction import Tx

SIBLINGS = """
SELECT t.ticket_id, t.parent, t.reporter, r.about, r.round
FROM unnest($1::uuid[], $2::text[]) AS p(parent, reporter)
JOIN tickets t USING (parent, reporter)
LEFT JOIN reviews r ON r.ticket_id = t.ticket_id AND r.state <> 'closed'
WHERE t.outcome IS DISTINCT FROM 'withdrawn'
"""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A ticket that repeats another, of whom, and about which words of which round they were `asked` through it."""

    ticket_id: UUID
    person: tuple[UUID, str]
    asked: tuple[tuple[UUID, int], ...]


async def siblings(tx: Tx, people: Collection[tuple[UUID, str]]) -> list[Repeat]:
    """Return the tickets by which any of these people repeat that parent."""
    rows = await tx.connection.fetch(SIBLINGS, [parent for parent, _ in people], [who for _, who in people])
    asked: dict[tuple[UUID, UUID, str], list[Any]] = {}
    for row in rows:
        mine = asked.setdefault((row["ticket_id"], row["parent"], row["reporter"]), [])
        if row["about"]:
            mine.append((row["about"], row["round"]))
    return [Repeat(id_, (parent, who), tuple(words)) for (id_, parent, who), words in asked.items()]
