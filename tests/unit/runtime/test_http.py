"""Cursors: a place in a list that goes out as text and comes back as the same place, or as a named wrong field."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from libs.common.runtime.http import START, Cursor, Page, _cursor, page
from libs.common.runtime.problems import HANDLERS, Problem

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
APP = FastAPI(exception_handlers=HANDLERS)
ITEMS = [(NOON + timedelta(microseconds=n // 2), UUID(int=n)) for n in range(7)]


@APP.get("/items")
async def items(cursor: Cursor, limit: int = 3) -> Page[Any]:
    return page([item for item in ITEMS if item > cursor][:limit], limit, lambda item: item)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://jiesu") as http:
        yield http


@given(
    st.datetimes(
        datetime(1900, 1, 1),  # noqa: DTZ001 hypothesis adds the zone
        datetime(2199, 12, 31),  # noqa: DTZ001 the same
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-11))]),
    ),
    st.uuids(),
)
def test_a_place_comes_back_as_it_went_out(at: datetime, id_: UUID) -> None:
    cursor = page([(at, id_)], 1, lambda place: place).next
    assert _cursor(cursor) == (at, id_)


def test_no_cursor_is_the_beginning() -> None:
    assert _cursor(None) == START


def test_a_page_that_is_not_full_is_the_last() -> None:
    assert page(ITEMS[:2], 3, lambda item: item).next is None
    assert page([], 3, lambda item: item).next is None
    assert page([], 0, lambda item: item).next is None


async def test_following_the_cursors_gives_every_item_once(http: httpx.AsyncClient) -> None:
    seen: list[UUID] = []
    query: dict[str, str] = {}
    while True:
        got = (await http.get("/items", params=query)).json()
        seen += [UUID(id_) for _, id_ in got["items"]]
        if got["next"] is None:
            break
        query = {"cursor": got["next"]}
    assert seen == [id_ for _, id_ in ITEMS]


def _encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "!!!!", "字", _encoded(5), _encoded(None), _encoded([]), _encoded({"a": 1, "b": 2}),
        _encoded(["2026-03-02T12:00:00Z"]), _encoded(["noon", str(UUID(int=1))]),
        _encoded(["2026-03-02T12:00:00", str(UUID(int=1))]), _encoded(["2026-03-02T12:00:00Z", 5]),
        _encoded(["2026-03-02T12:00:00Z", "no id"]), _encoded([None, None]),
        _encoded(["0001-01-01T00:00:00+14:00", str(UUID(int=1))]),
        _encoded(["9999-12-31T23:59:59-14:00", str(UUID(int=1))]),
        base64.urlsafe_b64encode(b"[" * 20_000).decode(), base64.urlsafe_b64encode(b"\xff\x00").decode(),
    ],
    ids=lambda cursor: cursor[:12],
)  # fmt: skip
async def test_another_text_is_a_wrong_field_and_never_an_error_of_ours(http: httpx.AsyncClient, cursor: str) -> None:
    answer = await http.get("/items", params={"cursor": cursor})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


@given(st.text(max_size=60))
def test_no_text_at_all_breaks_it(text: str) -> None:
    with suppress(Problem):
        at, _ = _cursor(text)
        assert at.tzinfo
