"""The local ingress sends each path to its service and rewrites nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from libs.common.local.ingress import Ingress
from libs.common.local.ports import free_port
from libs.common.runtime.process import bind


async def _echo(request: Request) -> Response:
    body = await request.body()
    told = {
        "method": request.method, "path": request.scope["raw_path"].decode(), "query": request.url.query,
        "host": request.headers["host"], "key": request.headers.get("authorization"), "size": len(body),
    }  # fmt: skip
    return JSONResponse(told, 202, {"x-mark": "kept"})


async def _stream(_: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"{number}\n".encode()

    return StreamingResponse(lines())


async def _lead(_: Request) -> Response:
    return RedirectResponse("/intake/elsewhere", 303)


async def _ready(_: Request) -> Response:
    return JSONResponse({"ready": False, "wrong": {"intake": ["relay: failing"]}}, 503)


UPSTREAM = Starlette(
    routes=[
        Route("/readyz", _ready),
        Route("/intake/stream", _stream),
        Route("/intake/lead", _lead),
        Route("/intake/{rest:path}", _echo, methods=["GET", "POST"]),
    ]
)


@asynccontextmanager
async def _listening(app: ASGIApp) -> AsyncIterator[str]:
    socket = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[socket]))
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def door() -> AsyncIterator[httpx.AsyncClient]:
    async with _listening(UPSTREAM) as upstream:
        nobody = f"http://127.0.0.1:{free_port()}"
        ingress = Ingress({"intake": upstream, "sla": nobody})
        transport = httpx.ASGITransport(ingress.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:
            yield client
        await ingress.close()


async def test_a_request_arrives_as_it_was_sent(door: httpx.AsyncClient) -> None:
    answer = await door.post(
        "/intake/v1/a%2Fb?q=%E6%9A%96", content=b"x" * 100_000, headers={"authorization": "Bearer k"}
    )
    assert answer.status_code == 202
    assert answer.headers["x-mark"] == "kept"
    assert answer.json() == {
        "method": "POST", "path": "/intake/v1/a%2Fb", "query": "q=%E6%9A%96", "host": "city.example",
        "key": "Bearer k", "size": 100_000,
    }  # fmt: skip


async def test_an_answer_comes_back_whole(door: httpx.AsyncClient) -> None:
    assert (await door.get("/intake/stream")).text == "0\n1\n2\n"


async def test_a_redirect_is_the_clients_to_follow(door: httpx.AsyncClient) -> None:
    answer = await door.get("/intake/lead")
    assert (answer.status_code, answer.headers["location"]) == (303, "/intake/elsewhere")


async def test_a_service_that_does_not_answer_is_a_503_to_come_back_to(door: httpx.AsyncClient) -> None:
    answer = await door.get("/sla/v1/clocks")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_path_of_no_service_is_a_404_that_names_them(door: httpx.AsyncClient) -> None:
    answer = await door.get("/nothing/v1")
    assert answer.status_code == 404
    assert "intake, sla" in answer.json()["detail"]


async def test_it_is_ready_when_every_service_is(door: httpx.AsyncClient) -> None:
    answer = await door.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["wrong"] == {"intake": {"intake": ["relay: failing"]}, "sla": ["does not answer"]}


async def test_the_page_at_the_root_leads_to_every_service_and_to_the_citizens_page(door: httpx.AsyncClient) -> None:
    page = (await door.get("/")).text
    for link in ("/intake/", "/intake/docs", "/classify/docs", "/dispatch/docs", "/sla/docs", "/feedback/docs"):
        assert f'href="{link}"' in page
