"""Query codes that cannot be guessed: wrong ones are counted, and whoever gives many is told to wait."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from prometheus_client import Counter

from libs.common.runtime.privacy import QueryCodes
from libs.common.runtime.problems import FieldError, Problem
from services.intake.domain import FORGET, wait_after

WRONG = Counter("jiesu_query_codes_wrong_total", "Query codes that did not belong to their ticket")
MOST = 100_000
"""Tickets whose wrong codes are remembered at a time; beyond it those guessed at longest ago are forgotten."""


class GuardedCodes(QueryCodes):
    """Query codes that tell who guesses to wait, for each ticket and in each process, and let in who has the right one.

    The count is kept in memory: a stranger's guess must not cost a write. `ticks` is real time, in seconds.
    """

    def __init__(self, key: bytes, ticks: Callable[[], float] = time.monotonic) -> None:
        super().__init__(key)
        self._ticks = ticks
        self._wrong: OrderedDict[UUID, tuple[int, float]] = OrderedDict()

    def matches(self, ticket_id: UUID, code: str) -> bool:
        """See `QueryCodes.matches`. Raises Problem 429 for a wrong code that follows too soon on others."""
        # The right one first: a number stands on a public list, and its citizen must not be shut out by strangers.
        if super().matches(ticket_id, code):
            return True
        WRONG.inc()
        wrong, at = self._wrong.get(ticket_id, (0, 0.0))
        wait = wait_after(wrong).total_seconds() - (self._ticks() - at)
        if wrong and wait > 0:
            seconds = str(math.ceil(wait))
            what = "too many wrong codes were given for this ticket"
            raise Problem(429, what, errors=[FieldError("code", what)], headers={"Retry-After": seconds})
        self._count(ticket_id, wrong, at)
        return False

    def _count(self, ticket_id: UUID, wrong: int, at: float) -> None:
        now = self._ticks()
        before = wrong if now - at < FORGET.total_seconds() else 0
        self._wrong[ticket_id] = (before + 1, now)
        self._wrong.move_to_end(ticket_id)
        if len(self._wrong) > MOST:
            self._wrong.popitem(last=False)
