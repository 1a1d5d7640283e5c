"""Errors as clients see them: the field is named, what would be right is said, and what was sent is never echoed."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import AwareDatetime, Field

from libs.common.runtime.app import BODY_LIMIT, Edge
from libs.common.runtime.clock import Clock
from libs.common.runtime.http import Body, Line, Moment
from libs.common.runtime.problems import HANDLERS, MOST_ERRORS, Problem, unknown_ticket, wrong_field

SECRET = "王小明13800138000"
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
JSON = {"content-type": "application/json"}


class Inner(Body):
    """A part of a request."""

    lat: Annotated[float, Field(ge=-90, le=90)]


class Asked(Body):
    """A request with a field of every kind."""

    word: Line = "w"
    code: Annotated[str, Field(pattern=r"^\d+$")] = "1"
    channel: Literal["web", "app"] = "web"
    count: Annotated[int, Field(le=5)] = 1
    id: UUID = UUID(int=0)
    at: AwareDatetime = NOON
    place: Inner | None = None
    parts: tuple[Inner, ...] = ()
    strict: bool = True


APP = FastAPI(exception_handlers=HANDLERS)


@APP.post("/asked/{number}")
async def asked(number: int, body: Asked, limit: Annotated[int, Query(ge=1)] = 1) -> int:
    return number + limit + body.count


class Timed(Body):
    """A request with an instant."""

    at: Moment


@APP.post("/moments")
async def moments(body: Timed) -> str:
    return body.at.isoformat()


@APP.get("/told")
async def told() -> None:
    raise Problem(409, "not possible now", headers={"Retry-After": "7"})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://jiesu") as http:
        yield http


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"word": SECRET * 20}, "word"),
        ({"word": SECRET + "\0"}, "word"),
        ({"word": [SECRET]}, "word"),
        ({"code": SECRET}, "code"),
        ({"channel": SECRET}, "channel"),
        ({"count": SECRET}, "count"),
        ({"count": 13800138000}, "count"),
        ({"id": SECRET}, "id"),
        ({"at": SECRET}, "at"),
        ({"at": "2026-03-02T12:00:00"}, "at"),
        ({"place": SECRET}, "place"),
        ({"place": {"lat": SECRET}}, "place.lat"),
        ({"place": {}}, "place.lat"),
        ({"parts": [{"lat": 1}, {"lat": SECRET}]}, "parts.1.lat"),
        ({"strict": SECRET}, "strict"),
        ({"wrod": SECRET}, "wrod"),
        ([SECRET], "body"),
        (SECRET, "body"),
        (None, "body"),
    ],
    ids=str,
)
async def test_a_wrong_field_is_named_and_what_was_sent_is_not_echoed(
    http: httpx.AsyncClient, body: Any, field: str
) -> None:
    answer = await http.post("/asked/1", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"]
    assert field in answer.json()["detail"]
    assert "13800138000" not in answer.text
    assert "王小明" not in answer.text


@pytest.mark.parametrize("name", [SECRET, "13800138000", "w" * 41])
async def test_the_name_of_a_field_we_do_not_know_is_not_echoed_unless_it_is_a_word(
    http: httpx.AsyncClient, name: str
) -> None:
    answer = await http.post("/asked/1", content=json.dumps({"place": {"lat": 1, name: 1}}), headers=JSON)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["place.unknown"]
    assert name not in answer.text


async def test_an_answer_names_no_more_wrong_fields_than_one_would_read(http: httpx.AsyncClient) -> None:
    answer = await http.post("/asked/1", json={f"k{n}": 1 for n in range(1000)})
    assert len(answer.json()["errors"]) == MOST_ERRORS
    assert len(answer.content) < 5000


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "20260302", 20260302, None])
async def test_an_instant_at_the_end_of_the_calendar_or_a_bare_number_is_refused(
    http: httpx.AsyncClient, at: object
) -> None:
    answer = await http.post("/moments", json={"at": at})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["at"]


async def test_a_body_over_the_limit_that_said_nothing_of_its_length_is_413(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (BODY_LIMIT // 4)

    edge = httpx.ASGITransport(Edge(APP, "test"))
    async with httpx.AsyncClient(transport=edge, base_url="http://jiesu") as client:
        answer = await client.post("/asked/1", content=chunks(), headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_a_wrong_field_in_the_path_or_the_query_is_named(http: httpx.AsyncClient) -> None:
    path = (await http.post(f"/asked/{SECRET}", json={})).json()
    query = (await http.post("/asked/1?limit=0", json={})).json()
    assert [path["errors"][0]["field"], query["errors"][0]["field"]] == ["number", "limit"]
    assert SECRET not in str(path)


async def test_every_wrong_field_is_named_at_once(http: httpx.AsyncClient) -> None:
    answer = await http.post("/asked/1", json={"count": 6, "channel": "pigeon", "place": {"lat": 91}})
    assert {error["field"] for error in answer.json()["errors"]} == {"count", "channel", "place.lat"}


@pytest.mark.parametrize("content", [b'{"word": "' + SECRET.encode(), b"\xff\xfe{}"])
async def test_a_body_that_is_no_json_is_400_and_not_echoed(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.post("/asked/1", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "body", "message": "must be valid JSON in UTF-8"}]


async def test_a_body_nested_beyond_reason_is_400(http: httpx.AsyncClient) -> None:
    answer = await http.post("/asked/1", content=b"[" * 100_000, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [("GET", "/none", 404, "Not found"), ("GET", "/asked/1", 405, "Method not allowed")],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    http: httpx.AsyncClient, method: str, path: str, status: int, title: str
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["title"] == title


async def test_a_raised_problem_is_the_answer_with_its_headers(http: httpx.AsyncClient) -> None:
    answer = await http.get("/told")
    assert answer.json() == {
        "type": "about:blank", "title": "Not possible now", "status": 409, "detail": "not possible now",
    }  # fmt: skip
    assert answer.headers["retry-after"] == "7"


def test_the_problem_of_one_field_names_it_twice_for_people_and_for_programs() -> None:
    assert wrong_field("until", "must lie in the future").body() == {
        "type": "about:blank", "title": "Some fields are wrong", "status": 422,
        "detail": "until: must lie in the future",
        "errors": [{"field": "until", "message": "must lie in the future"}],
    }  # fmt: skip


def test_a_ticket_not_heard_of_is_not_yet_there_while_its_id_is_young_and_unknown_later() -> None:
    class Late(Clock):
        """A clock that runs behind by a span."""

        span = timedelta()

        def now(self) -> datetime:
            return NOON + self.span

    clock = Late()
    id_ = clock.new_id()
    young, clock.span = unknown_ticket(id_, clock), timedelta(seconds=60)
    old, other = unknown_ticket(id_, clock), unknown_ticket(uuid4(), clock)
    assert (young.status, young.headers) == (409, {"Retry-After": "1"})
    assert [old.status, other.status] == [404, 404]
