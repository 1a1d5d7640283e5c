"""The record: the rounds of tickets."""

from collections.abc import Sequence
from uuid import UUID

from libs.common.messaging.transaction import Tx
from libs.common.runtime.rows import Rows
from services.feedback.domain import Case

CASES = Rows("cases", Case, key=("ticket_id", "round"))


async def cases_of(tx: Tx, tickets: Sequence[UUID]) -> dict[UUID, list[Case]]:
    """Return the rounds of each ticket, oldest first."""
    cases: dict[UUID, list[Case]] = {ticket: [] for ticket in tickets}
    where = "WHERE ticket_id = ANY($1) ORDER BY ticket_id, round"
    for case in await CASES.load(tx.connection, where, list(tickets)):
        cases[case.ticket_id].append(case)
    return cases


async def save_cases(tx: Tx, cases: Sequence[Case]) -> None:
    """Store rounds as they are now."""
    await CASES.save(tx.connection, cases)
