"""The edge: what every request passes, and hot routes that are answered there, as the app would answer them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.common.runtime.app import BODY_LIMIT, SAFE_HEADERS, Edge
from libs.common.runtime.http import body_of
from libs.common.runtime.problems import HANDLERS, wrong_field
from libs.common.runtime.telemetry import TRACE

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def echo(request: Request) -> Response:
    """Answer with the body, and with what the app's state holds."""
    body = await body_of(request)
    if body == b"wrong":
        raise wrong_field("body", "must be right")
    if body == b"away":
        raise ConnectionError
    if body == b"fault":
        raise KeyError(body)
    return Response(body, headers={"x-state": request.app.state.word, "x-trace": str(TRACE.get())})


APP = FastAPI(exception_handlers=HANDLERS)
APP.state.word = "here"
APP.add_api_route("/test/hot", echo, methods=["POST"])


@APP.get("/test/page")
async def page() -> Response:
    return Response("page", headers={"cache-control": "public"})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    edge = Edge(APP, "edge-test", [Route("/test/hot", echo, methods=["POST"])])
    transport = httpx.ASGITransport(edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://jiesu") as http:
        yield http


@pytest.fixture
async def cold() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Edge(APP, "edge-test"), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://jiesu") as cold:
        yield cold


@pytest.mark.parametrize(
    ("content", "status"), [(b"word", 200), (b"", 200), (b"wrong", 422), (b"away", 503), (b"fault", 500)]
)
async def test_a_hot_route_answers_as_the_app_would(
    http: httpx.AsyncClient, cold: httpx.AsyncClient, content: bytes, status: int
) -> None:
    headers = {"traceparent": TRACEPARENT}
    hot, usual = [await client.post("/test/hot", content=content, headers=headers) for client in (http, cold)]
    assert hot.status_code == status
    assert (hot.content, hot.headers) == (usual.content, usual.headers)


async def test_a_hot_route_has_the_apps_state_and_the_trace_of_the_request(http: httpx.AsyncClient) -> None:
    answer = await http.post("/test/hot", content=b"word", headers={"traceparent": TRACEPARENT})
    assert (answer.headers["x-state"], answer.headers["x-trace"]) == ("here", TRACEPARENT)


async def test_a_fault_in_a_hot_route_reaches_the_servers_log() -> None:
    transport = httpx.ASGITransport(Edge(APP, "edge-test", [Route("/test/hot", echo, methods=["POST"])]))
    async with httpx.AsyncClient(transport=transport, base_url="http://jiesu") as http:
        with pytest.raises(KeyError):
            await http.post("/test/hot", content=b"fault")


async def test_other_methods_and_paths_go_to_the_app(http: httpx.AsyncClient) -> None:
    answers = [await http.get("/test/hot"), await http.post("/test/hot/"), await http.get("/test/page")]
    assert [answer.status_code for answer in answers] == [405, 307, 200]


async def test_a_hot_body_over_the_limit_is_refused_also_when_it_does_not_say_how_long_it_is(
    http: httpx.AsyncClient,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 2**20 + 1):
            yield b"x" * 2**20

    told = await http.post("/test/hot", content=b"x" * (BODY_LIMIT + 1))
    untold = await http.post("/test/hot", content=chunks())
    assert [answer.status_code for answer in (told, untold)] == [413, 413]


@pytest.mark.parametrize(
    ("path", "kinds", "status"),
    [
        ("/test/requests.json", ["multipart/form-data; boundary=x"], 200),
        ("/test/requests.xml", ["Multipart/form-data; boundary=x"], 200),
        ("/test/requests.json", ["application/x-www-form-urlencoded"], 413),
        ("/test/requests.json", ["application/x-www-form-urlencoded", "multipart/form-data"], 413),
        ("/test/other.json", ["multipart/form-data; boundary=x"], 413),
    ],
)
async def test_a_form_with_photos_may_be_longer_than_one_without(path: str, kinds: list[str], status: int) -> None:
    transport = httpx.ASGITransport(Edge(APP, "edge-test", [Route(path, echo, methods=["POST"])]))
    async with httpx.AsyncClient(transport=transport, base_url="http://jiesu") as http:
        headers = [("content-type", kind) for kind in kinds]
        assert (await http.post(path, content=b"x" * (BODY_LIMIT + 1), headers=headers)).status_code == status


async def test_a_body_in_pieces_is_put_together(http: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"bc", b"d"):
            yield piece

    assert (await http.post("/test/hot", content=pieces())).content == b"abcd"


async def test_every_answer_has_the_safe_headers_unless_it_brings_its_own(http: httpx.AsyncClient) -> None:
    hot, page = await http.post("/test/hot", content=b"word"), await http.get("/test/page")
    assert {name: hot.headers[name.decode()].encode() for name in SAFE_HEADERS} == SAFE_HEADERS
    assert page.headers.get_list("cache-control") == ["public"]
    assert page.headers["x-frame-options"] == "DENY"


async def test_requests_are_counted_under_their_route(http: httpx.AsyncClient) -> None:
    def counted(status: str) -> float:
        labels = {"service": "edge-test", "method": "POST", "route": "/test/hot", "status": status}
        return REGISTRY.get_sample_value("jiesu_http_requests_total", labels) or 0.0

    before = [counted(status) for status in ("200", "422", "500")]
    for content in (b"word", b"word", b"wrong", b"fault"):
        await http.post("/test/hot", content=content)
    after = [counted(status) for status in ("200", "422", "500")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1]
