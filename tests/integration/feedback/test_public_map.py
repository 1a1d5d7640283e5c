"""The public map: matters of public space alone, of enough people, for everyone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.feedback.domain import Ticket
from services.feedback.handlers import release_due
from services.feedback.store import save_tickets
from tests.support.record import MONTH, STREET, TOWN, Record, case, recording, review

PUBLIC, PRIVATE = ("供水排水", "自来水供应", "突然停水"), ("供水排水", "自来水供应", "欠费停水与恢复")


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        del record.http.headers["authorization"]
        yield record


async def appeal(record: Record, people: int, solved: int = 0, **more: Any) -> None:
    cases = [case(**more) for _ in range(people)]
    await record.keep(*cases, *(review(one) for one in cases[:solved]))
    async with record.stage.context.database.begin() as tx:
        await save_tickets(tx, [Ticket(one.ticket_id, reporter=str(one.ticket_id)) for one in cases])


async def mapped(record: Record, **params: Any) -> list[tuple[Any, ...]]:
    shown = await record.get("public/map", **params)
    return [(one["street_name"], one["category"][2], one["appeals"], one["solved"]) for one in shown["spots"]]


async def test_the_map_shows_matters_of_public_space_where_enough_people_have_them(record: Record) -> None:
    await appeal(record, 8, solved=6, support=2)
    await appeal(record, 3, street=TOWN)
    await appeal(record, 4, street="s-110105001")
    await appeal(record, 30, category=PRIVATE)
    record.clock.advance(days=20)
    await release_due(record.stage.context)
    assert await mapped(record) == [("望京街道", PUBLIC[2], 8, 6), (None, PUBLIC[2], 7, 0)]
    assert await mapped(record, district="110101") == []
    assert (await record.get("public/map", period="2019-01"))["period"] is None
    shown = await record.get("public/map", period=MONTH)
    assert (shown["period"], shown["k"], shown["spots"][0]["supporters"]) == (MONTH, 5, 16)


async def test_the_page_needs_neither_key_nor_script_and_escapes_what_it_is_asked(record: Record) -> None:
    await appeal(record, 8, solved=6)
    record.clock.advance(days=20)
    await release_due(record.stage.context)
    page = await record.http.get("/feedback/v1/public")
    assert page.status_code == 200
    assert "<script" not in page.text
    for told in ("望京街道", "突然停水", ">朝阳<br>", "What most people have"):
        assert told in page.text
    odd = await record.http.get("/feedback/v1/public", params={"district": "<script>"})
    assert odd.status_code == 200
    assert "<script" not in odd.text
    assert STREET not in page.text
