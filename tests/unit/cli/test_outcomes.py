"""Where tickets ended up, as public HTTP tells it."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from services.cli import outcomes
from services.cli.outcomes import (
    ANSWERED,
    DESK,
    LINKED,
    OPEN,
    ORDER,
    REVIEW,
    UNKNOWN,
    WITHDRAWN,
    Outcomes,
    OutcomesError,
)

LED = {"code": "dept-water", "name": "市水务局"}


def _ticket(number: int) -> UUID:
    return UUID(int=number)


class City:
    """Plays a platform: orders in pages of two, a review queue, and tickets to look at."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.queue: list[UUID] = []
        self.views: dict[UUID, dict[str, Any]] = {}
        self.status = 200

    def order(self, number: int, *, desk: bool = False, state: str = "dispatched") -> None:
        self.orders.append({"ticket_id": str(_ticket(number)), "desk": desk, "state": state})

    def view(self, number: int, **more: Any) -> None:
        self.views[_ticket(number)] = {"status": "received", "unit": None, "linked_to": None} | more

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if self.status != 200:
            return httpx.Response(self.status, text="no")
        if path == outcomes.ORDERS:
            at = int(request.url.params.get("cursor", 0))
            page, full = self.orders[at : at + 2], len(self.orders) >= at + 2
            return httpx.Response(200, json={"items": page, "next": str(at + 2) if full else None})
        if path == outcomes.QUEUE:
            return httpx.Response(200, json={"items": [{"ticket_id": str(t)} for t in self.queue], "next": None})
        ticket = UUID(path.rpartition("/")[2])
        if path.startswith(outcomes.ORDERS):
            found = [order for order in self.orders if order["ticket_id"] == str(ticket)]
            return httpx.Response(200, json=found[0]) if found else httpx.Response(404)
        return httpx.Response(200, json=self.views[ticket]) if ticket in self.views else httpx.Response(404)


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setattr(outcomes, "PAUSE_SECONDS", 0)
    return City()


async def _follow(city: City, *numbers: int, seconds: float = 0) -> dict[str, int]:
    async with httpx.AsyncClient(base_url="http://jiesu", transport=httpx.MockTransport(city)) as http:
        found = await Outcomes(http, [_ticket(n) for n in numbers]).follow(seconds, lambda _: None)
        return {outcome: count for outcome, count in found.items() if count}


async def test_orders_are_read_page_by_page_and_others_tickets_do_not_count(city: City) -> None:
    for number in range(1, 6):
        city.order(number, desk=number == 3)
    assert await _follow(city, 1, 2, 3, 5) == {ORDER: 3, DESK: 1}


async def test_each_way_without_an_order_has_its_name(city: City) -> None:
    city.view(1, linked_to=str(_ticket(9)), status="closed")
    city.view(2, status="answered")
    city.view(3, status="withdrawn")
    city.view(4)
    city.queue = [_ticket(5)]
    expected = {LINKED: 1, ANSWERED: 1, WITHDRAWN: 1, OPEN: 1, REVIEW: 1, UNKNOWN: 1}
    assert await _follow(city, 1, 2, 3, 4, 5, 6) == expected


async def test_a_recalled_order_is_what_its_ticket_became(city: City) -> None:
    city.order(1, state="recalled")
    city.view(1, status="withdrawn", unit=LED)
    assert await _follow(city, 1) == {WITHDRAWN: 1}


async def test_an_order_that_slipped_behind_the_pages_is_still_found(city: City) -> None:
    city.view(1, status="dispatched", unit=LED)
    assert await _follow(city, 1) == {ORDER: 1}


async def test_those_that_wait_for_a_person_are_not_waited_for(city: City) -> None:
    city.queue = [_ticket(1)]
    assert await _follow(city, 1, seconds=1e9) == {REVIEW: 1}


async def test_a_key_that_may_not_look_is_told(city: City) -> None:
    city.status = 403
    with pytest.raises(OutcomesError, match="403"):
        await _follow(city, 1)
