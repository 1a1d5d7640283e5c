"""To reach a person, in a real browser without JavaScript: the queue, a chat, a call back, on any screen and type."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import DESK, PHONE, Site, cut_off, faults, press, running_browser, running_site, visiting
from tests.support.stages import client

pytestmark = pytest.mark.browser

LOCALES = ("zh-CN", "en-GB")
LONG = "我听不见，家里停水两天了，老人在家，想问问什么时候来水。" * 3


class Desk:
    """A seat, and the site at which it serves."""

    def __init__(self, site: Site, http: httpx.AsyncClient) -> None:
        self.site, self.http = site, http

    async def next(self) -> str:
        """Take who comes next and return the path of their session."""
        queue = (await self.http.get("/intake/v1/sessions")).json()["items"]
        path = f"/intake/v1/sessions/{queue[0]['session_id']}"
        assert (await self.http.post(f"{path}/take")).status_code == 200
        return path


@pytest.fixture
async def desk(fresh_database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_site(fresh_database, tmp_path) as site:
        engine = site.stage.context.engine
        access = replace(engine.city.access, video_url="https://video.example.org/{room}")
        engine.city = replace(engine.city, access=access)
        async with client([site.stage], (tmp_path / "key").read_text()) as http:
            yield Desk(site, http)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


async def every_state(page: Page, desk: Desk) -> AsyncIterator[str]:
    """Lead through the page in every state that looks different; yields what it is at each stop."""
    await page.goto(f"{desk.site.url}/intake/person")
    await page.click("summary")
    yield "choices"
    await press(page, "button[value=chat]")
    yield "waiting"
    desk.site.clock.advance(minutes=3)
    await press(page, "a[href*='now?at=']")
    yield "a call is offered"
    await page.fill("#text", "我家着火了，快来人")
    await press(page, "form button")
    yield "danger"
    path = await desk.next()
    await desk.http.post(f"{path}/messages", json={"text": LONG})
    await press(page, "a[href*='now?at=']")
    yield "a seat is there"
    await page.locator("#text").evaluate("field => field.form.noValidate = true")
    await press(page, "form button")
    yield "nothing to say"
    await press(page, "a[href$='/leave']")
    yield "leave"
    await desk.http.post(f"{path}/end", json={"outcome": "helped"})
    await press(page, "a[href$='/now']")
    yield "over"
    await press(page, "a.button[href$='/person']")
    await press(page, "button[value=video]")
    yield "video"
    await press(page, "a[href$='/person/callback']")
    yield "a call instead"
    await page.fill("#phone", "call me")
    await press(page, "form button")
    yield "a wrong number"
    await page.fill("#phone", "138 0013 8000")
    await press(page, "form button")
    yield "waiting for a call"
    await press(page, "a[href$='/leave']")
    await press(page, "button.danger")
    yield "left"
    await press(page, "a[href$='/person/callback']")
    await page.click("summary")
    yield "to be called back"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", LOCALES)
async def test_axe_finds_nothing_wrong_in_any_state(desk: Desk, browser: Browser, locale: str, scheme: Any) -> None:
    wrong = {}
    # The page has no script of its own; axe-core is one.
    async with visiting(browser, locale=locale, color_scheme=scheme, java_script_enabled=True) as page:
        async for name in every_state(page, desk):
            if found := await faults(page):
                wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize(
    ("type_size", "size"), [(16, PHONE), (32, PHONE), (16, (320, 640)), (32, DESK)], ids=str
)  # fmt: skip
@pytest.mark.parametrize("locale", LOCALES)
async def test_nothing_is_cut_off_however_small_the_screen_and_large_the_type(
    desk: Desk, locale: str, type_size: int, size: tuple[int, int]
) -> None:
    wrong = {}
    async with running_browser(type_size) as browser, visiting(browser, size, locale=locale) as page:
        async for name in every_state(page, desk):
            if found := await cut_off(page):
                wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_citizen_and_a_seat_write_to_each_other_without_javascript(
    desk: Desk, browser: Browser, locale: str
) -> None:
    async with visiting(browser, locale=locale) as page:
        await page.goto(f"{desk.site.url}/intake/")
        await press(page, "header a[href='/intake/person']")
        await page.click("summary")
        await page.check("input[value=text_only]")
        await press(page, "button[value=chat]")
        await page.fill("#text", "家里停水了")
        await press(page, "form button")
        path = await desk.next()
        said = (await desk.http.get(f"{path}/messages")).json()
        assert [line["text"] for line in said] == ["家里停水了"]
        await desk.http.post(f"{path}/messages", json={"text": "请问您在哪里？"})
        await press(page, "a[href*='now?at=']")
        assert "请问您在哪里？" in await page.inner_text("#last")
        assert path.rpartition("/")[2] not in page.url


async def test_one_tap_leads_from_any_page_to_a_person_and_a_second_one_into_the_queue(
    desk: Desk, browser: Browser
) -> None:
    async with visiting(browser) as page:
        await page.goto(f"{desk.site.url}/intake/scope")
        await press(page, "header a[href='/intake/person']")
        assert await page.locator("main a[href='tel:12345']").is_visible()
        await press(page, "button[value=chat]")
        assert len((await desk.http.get("/intake/v1/sessions")).json()["items"]) == 1


async def test_the_keyboard_alone_leads_into_the_queue(desk: Desk, browser: Browser) -> None:
    async with visiting(browser) as page:
        await page.goto(f"{desk.site.url}/intake/person")
        await page.focus("button[value=chat]")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert page.url.endswith("/intake/person/now")
