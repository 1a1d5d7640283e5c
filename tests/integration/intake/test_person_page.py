"""The page by which one reaches a person without phoning: forms and links alone, and the seat at the other end."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.runtime.app import process_app
from services.intake.handlers.waits import watch_sessions
from tests.support.sessions import World, running_sessions

PAGE = "/intake/person"


class Page:
    """A browser at the page, and the seats who are asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = self.browser()

    def browser(self) -> httpx.AsyncClient:
        """Return a browser that has never been here."""
        transport = httpx.ASGITransport(process_app([self.world.stages[0]]))
        return httpx.AsyncClient(
            transport=transport, base_url="http://jiesu", follow_redirects=True, headers={"Accept-Language": "zh"}
        )

    async def once(self, path: str = PAGE) -> str:
        """Return what makes a form one, however often it is sent."""
        found = re.search(r'name="once" value="([^"]+)"', (await self.http.get(path)).text)
        assert found
        return found[1]

    async def asks(self, kind: str = "chat", **more: Any) -> httpx.Response:
        """Choose a way on the page."""
        return await self.http.post(PAGE, data={"kind": kind, "once": await self.once()} | more)

    async def session(self) -> str:
        """Return the one session there is."""
        return str(await self.world.pool.fetchval("SELECT session_id FROM sessions"))


@pytest.fixture
async def page(fresh_database: str, tmp_path: Path) -> AsyncIterator[Page]:
    async with running_sessions(tmp_path, fresh_database) as world:
        yield Page(world)


async def test_a_citizen_writes_with_a_seat_by_forms_alone(page: Page) -> None:
    waiting = await page.asks(access_needs=["text_only", "elderly"])
    assert (waiting.status_code, waiting.url.path) == (200, f"{PAGE}/now")
    assert "下一个就是您" in waiting.text
    await page.http.post(f"{PAGE}/now", data={"text": "我听不见，家里停水了"})
    session = (await page.world.seat.get("/intake/v1/sessions")).json()["items"][0]
    assert session["needs"] == ["text_only", "elderly"]
    path = f"/intake/v1/sessions/{session['session_id']}"
    await page.world.seat.post(f"{path}/take")
    await page.world.seat.post(f"{path}/messages", json={"text": "请问<b>您</b>在哪里？"})
    shown = (await page.http.get(f"{PAGE}/now")).text
    assert shown.index("家里停水了") < shown.index("请问&lt;b&gt;您&lt;/b&gt;在哪里？")
    await page.world.seat.post(f"{path}/end", json={"outcome": "helped"})
    over = await page.http.post(f"{PAGE}/now", data={"text": "还有一句"})
    assert over.status_code == 409
    assert "这句没有发出去" in over.text
    assert "还有一句" in over.text
    assert 'value="chat"' in (await page.http.get(PAGE)).text


async def test_who_comes_back_is_led_to_the_session_they_have(page: Page) -> None:
    await page.asks()
    assert (await page.http.get(PAGE)).url.path == f"{PAGE}/now"
    assert (await page.http.post(PAGE, data={"kind": "chat"})).url.path == f"{PAGE}/now"
    assert await page.world.pool.fetchval("SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize("together", [True, False])
async def test_a_form_that_is_sent_twice_opens_one_session(page: Page, together: bool) -> None:
    path = f"{PAGE}/callback"
    form = {"once": await page.once(path), "phone": "13800138000"}
    posts = [page.browser().post(path, data=form) for _ in range(3)]
    answers = await asyncio.gather(*posts) if together else [await post for post in posts]
    assert {answer.url.path for answer in answers} == {f"{PAGE}/now"}
    assert len(await page.world.queue()) == 1


async def test_an_old_form_opens_another_session_once_the_first_is_over(page: Page) -> None:
    form = {"kind": "chat", "once": await page.once()}
    await page.http.post(PAGE, data=form)
    await page.http.post(f"{PAGE}/leave")
    again = await page.http.post(PAGE, data=form)
    assert "正在为您找话务员" in again.text
    assert len(await page.world.queue()) == 1


async def test_the_pass_goes_to_this_page_alone_and_no_script_reads_it(page: Page) -> None:
    answer = await page.http.post(PAGE, data={"kind": "chat"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("jiesu_session=")
    assert {"HttpOnly", "Path=/intake/person", "SameSite=lax"} <= set(cookie.split("; "))
    assert (await page.session()) not in answer.headers["location"]


@pytest.mark.parametrize("pass_", ["", "x", "x.y", "0" * 32 + ".1.x", "0" * 32 + ".99999999999.x"])
async def test_without_a_pass_there_is_no_session_to_see(page: Page, pass_: str) -> None:
    await page.asks()
    stranger = page.browser()
    stranger.cookies.set("jiesu_session", pass_, path=PAGE)
    for answer in (await stranger.get(f"{PAGE}/now"), await stranger.post(f"{PAGE}/now", data={"text": "x"})):
        assert (answer.url.path, "会话找不到了" in answer.text) == (PAGE, True)
    await stranger.post(f"{PAGE}/leave")
    assert len(await page.world.queue()) == 1


async def test_when_all_are_busy_a_call_is_offered_and_the_place_stays(page: Page) -> None:
    await page.asks()
    page.world.clock.advance(seconds=1)
    await page.world.opened()
    assert "现在等的人多" not in (await page.http.get(f"{PAGE}/now")).text
    page.world.clock.advance(minutes=2)
    assert "现在等的人多" in (await page.http.get(f"{PAGE}/now")).text
    wrong = await page.http.post(f"{PAGE}/callback", data={"phone": "打给我", "question": "何时来水"})
    assert (wrong.status_code, "何时来水" in wrong.text, "电话只能有数字" in wrong.text) == (422, True, True)
    turned = await page.http.post(f"{PAGE}/callback", data={"phone": "010-6789 1234", "question": "何时来水"})
    assert "我们会打给您" in turned.text
    assert "13800138000" not in turned.text
    taken = (await page.world.seat.post(f"/intake/v1/sessions/{(await page.world.queue())[0]}/take")).json()
    assert (taken["kind"], taken["phone"], taken["question"]) == ("callback", "010-6789 1234", "何时来水")
    assert "话务员正在打给您" in (await page.http.get(f"{PAGE}/now")).text


async def test_a_seat_that_comes_while_the_number_is_written_is_not_lost(page: Page) -> None:
    await page.asks()
    await page.world.seat.post(f"/intake/v1/sessions/{await page.session()}/take")
    assert (await page.http.get(f"{PAGE}/callback")).url.path == f"{PAGE}/now"
    answer = await page.http.post(f"{PAGE}/callback", data={"phone": "13800138000"})
    assert "话务员来了" in answer.text


async def test_who_tells_of_danger_is_told_whom_to_call(page: Page) -> None:
    await page.asks()
    said = await page.http.post(f"{PAGE}/now", data={"text": "我家着火了，快来人"})
    assert 'role="alert"' in said.text
    called = await page.browser().post(
        f"{PAGE}/callback", data={"phone": "13800138000", "question": "老人晕倒了叫不醒"}
    )
    assert 'role="alert"' in called.text
    assert "我们会打给您" in called.text


async def test_a_video_is_chosen_where_the_city_has_a_provider(page: Page) -> None:
    assert 'value="video"' not in (await page.http.get(PAGE)).text
    assert (await page.asks("video")).status_code == 409
    engine = page.world.stages[0].context.engine
    engine.city = replace(engine.city, access=replace(engine.city.access, video_url="https://video.example.org/{room}"))
    shown = await page.asks("video", access_needs=["sign_language", "elderly"])
    assert 'href="https://video.example.org/' in shown.text
    session = (await page.world.seat.get("/intake/v1/sessions")).json()["items"][0]
    assert session["needs"] == ["sign_language", "elderly"]


async def test_who_leaves_is_forgotten_by_the_browser_and_gone_from_the_queue(page: Page) -> None:
    await page.asks()
    assert "离开？" in (await page.http.get(f"{PAGE}/leave")).text
    assert "已离开" in (await page.http.post(f"{PAGE}/leave")).text
    assert await page.world.queue() == []
    assert "jiesu_session" not in page.http.cookies


async def test_who_looks_keeps_the_pass_and_who_does_not_look_loses_the_place(page: Page) -> None:
    await page.asks()
    for _ in range(8):
        page.world.clock.advance(minutes=25)
        await page.http.get(f"{PAGE}/now")
        await watch_sessions(page.world.stages[0].context)
    assert len(await page.world.queue()) == 1
    page.world.clock.advance(minutes=31)
    await watch_sessions(page.world.stages[0].context)
    assert "已离开" in (await page.http.get(f"{PAGE}/now")).text


async def test_a_long_chat_is_shown_from_its_end_and_read_back_page_by_page(page: Page) -> None:
    await page.asks()
    for number in range(120):
        await page.http.post(f"{PAGE}/now", data={"text": f"第{number}句。"})
    seen: list[int] = []
    path: str | None = f"{PAGE}/now"
    while path:
        text = (await page.http.get(path)).text
        seen = [int(n) for n in re.findall(r"第(\d+)句", text)] + seen
        found = re.search(rf'href="({PAGE}/now\?before=\d+)"', text)
        path = found[1] if found else None
    assert seen == list(range(120))


@pytest.mark.parametrize("text", ["", " ", "x" * 5001, "a\0b"])
async def test_what_cannot_be_said_stays_in_the_form(page: Page, text: str) -> None:
    await page.asks()
    answer = await page.http.post(f"{PAGE}/now", data={"text": text})
    assert (answer.status_code, "请写下要说的话" in answer.text) == (422, True)


@pytest.mark.parametrize(
    "form", [{}, {"kind": "letter"}, {"kind": "chat", "access_needs": "money"}, {"kind": "callback"}]
)
async def test_a_form_that_is_none_of_ours_is_refused_by_a_page(page: Page, form: dict[str, str]) -> None:
    answer = await page.http.post(PAGE, data=form)
    assert (answer.status_code, "没有做成" in answer.text) == (422, True)


async def test_a_form_of_another_site_is_refused(page: Page) -> None:
    answer = await page.http.post(PAGE, data={"kind": "chat"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
