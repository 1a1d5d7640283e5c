"""The citizen's pages in a real browser without JavaScript: whole lives by form, WCAG 2.2 AA, small and large."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.dispatch import TicketAccepted, TicketContacted, TicketDispatched, TicketResolved
from libs.common.contracts.feedback import ReviewRequested
from libs.common.contracts.sla import ClockStarted
from libs.common.contracts.vocabulary import Receipt, UnitRef
from tests.support.browser import (
    DESK,
    PHONE,
    Site,
    cut_off,
    faults,
    press,
    running_browser,
    running_site,
    visiting,
)
from tests.support.stages import NOON

pytestmark = pytest.mark.browser

TEXT = "望京街道花家地北里小区门口的路灯坏了三天，晚上看不清路，老人摔了一跤。"
PLACE = "朝阳区望京街道花家地北里"
UNIT = UnitRef(code="dept-urban", name="市城市管理委员会")
LIGHT = ("市政设施", "照明", "路灯不亮")
# One red pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc000000301010018dd8db00000000049454e44ae426082"
)
LOCALES = ("zh-CN", "en-GB")


@pytest.fixture
async def site(fresh_database: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(fresh_database, tmp_path) as site:
        yield site


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


async def submit(page: Page, site: Site, text: str = TEXT) -> tuple[str, str]:
    """Appeal by form, and return number and code as they stand on the page."""
    await page.goto(f"{site.url}/intake/appeal")
    await page.fill("#text", text)
    await page.fill("#address", PLACE)
    await page.fill("#phone", "138 0013 8000")
    await press(page, "form button")
    number, code = await page.locator(".keep dd").all_inner_texts()
    return number, code


async def handled(site: Site, ticket: str) -> None:
    """Let the other services do all they do, up to the question whether it is solved."""
    await site.probe.named("ticket.snapshot", subject=ticket)
    receipt = Receipt(number="20260302-0000001", channel="web", text="t", received_at=NOON)
    await site.peer.say(
        ticket,
        TicketClassified(
            receipt=receipt, code="facil-02-01", category=LIGHT, kind="report", urgency="general", confidence=0.9,
            summary="s", owner_kind="department", judged_by="model", model="m", catalogue="c",
        ),
        TicketDispatched(unit=UNIT, rule="duty", why=("w",), round=1, at=NOON),
        ClockStarted(
            clock="completion", round=1, urgency="general", started_at=NOON, due_at=NOON + timedelta(days=7),
            limit_seconds=604800, policy="p",
        ),
        TicketAccepted(unit=UNIT, round=1, at=NOON),
        TicketContacted(unit=UNIT, method="phone", round=1, at=NOON, first_at=NOON),
        TicketResolved(unit=UNIT, reply="路灯线路已修复，请您查看。", round=1, at=NOON, contacted=True),
        ReviewRequested(method="link", round=1, at=NOON, until=NOON + timedelta(days=7)),
    )  # fmt: skip


def ticket_of(page: Page) -> str:
    """Return the id of the ticket whose page this is."""
    found = re.search(r"/tickets/([0-9a-f-]{36})", page.url)
    assert found, page.url
    return found[1]


async def every_page(page: Page, site: Site) -> AsyncIterator[str]:
    """Lead through every page in every state that looks different; yields what it is at each stop."""
    for path in ("", "appeal", "lookup", "public", "scope", "person", "privacy", "nowhere"):
        await page.goto(f"{site.url}/intake/{path}")
        yield path or "home"
    await page.goto(f"{site.url}/intake/appeal")
    await page.fill("#text", " ")
    await page.fill("#phone", "call me")
    await page.click("summary")
    await page.fill("#email", "nobody")
    await page.locator("form").evaluate("form => form.noValidate = true")
    await press(page, "form button")
    yield "appeal with mistakes"
    await page.goto(f"{site.url}/intake/person/callback")
    await page.fill("#phone", "call me")
    await press(page, "form button")
    yield "callback with a mistake"
    await page.goto(f"{site.url}/intake/person")
    await press(page, "button[value=chat]")
    yield "person awaited"
    await submit(page, site, "楼里着火了，快来人！")
    yield "done in danger"
    await submit(page, site)
    yield "done"
    ticket = ticket_of(page)
    await handled(site, ticket)
    await page.goto(f"{site.url}/intake/tickets/{ticket}")
    yield "ticket"
    await page.goto(f"{site.url}/intake/tickets/{ticket}/withdraw")
    yield "withdraw"
    await page.goto(f"{site.url}/intake/public?q=望京")
    yield "public with a ticket"
    await page.goto(f"{site.url}/intake/public/{ticket}")
    await page.fill("#phone", "12")
    await press(page, "form button")
    yield "public ticket with a mistake"
    await page.context.clear_cookies(name="jiesu_pass")
    await page.goto(f"{site.url}/intake/tickets/{ticket}")
    yield "locked"
    await page.goto(f"{site.url}/intake/lookup")
    await page.fill("#number", "1")
    await page.fill("#code", "2")
    await press(page, "form button")
    yield "lookup with a mistake"


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("zh-CN", "dark"), ("en-GB", "light")])
async def test_axe_finds_nothing_wrong_on_any_page(site: Site, browser: Browser, locale: str, scheme: Any) -> None:
    wrong = {}
    # The pages have no script of their own; axe-core is one.
    async with visiting(browser, locale=locale, color_scheme=scheme, java_script_enabled=True) as page:
        async for name in every_page(page, site):
            if found := await faults(page):
                wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize(("type_size", "size"), [(16, (320, 640)), (32, PHONE), (32, DESK)], ids=str)
@pytest.mark.parametrize("locale", LOCALES)
async def test_nothing_is_cut_off_however_small_the_screen_and_large_the_type(
    site: Site, locale: str, type_size: int, size: tuple[int, int]
) -> None:
    wrong = {}
    async with running_browser(type_size) as browser, visiting(browser, size, locale=locale) as page:
        async for name in every_page(page, site):
            if found := await cut_off(page):
                wrong[name] = found
    assert wrong == {}


SPACED = """() => document.head.insertAdjacentHTML("beforeend", `<style>
    * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-bottom: 2em !important }</style>`)"""


async def test_text_may_be_spaced_out_without_loss(site: Site, browser: Browser) -> None:
    """WCAG 1.4.12."""
    wrong = {}
    async with visiting(browser, locale="en-GB") as page:
        async for name in every_page(page, site):
            await page.evaluate(SPACED)
            if found := await cut_off(page):
                wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("size", [PHONE, DESK], ids=str)
@pytest.mark.parametrize("locale", LOCALES)
async def test_a_whole_life_goes_by_form_without_javascript(
    site: Site, browser: Browser, locale: str, size: tuple[int, int]
) -> None:
    async with visiting(browser, size, locale=locale) as page:
        number, code = await submit(page, site)
        await site.probe.named("ticket.snapshot", subject=ticket_of(page))
        await page.context.clear_cookies()
        await page.goto(f"{site.url}/intake/lookup")
        await page.fill("#number", number)
        await page.fill("#code", code.lower())
        await press(page, "form button")
        assert number in await page.inner_text("h1")
        assert code.replace(" ", "") not in page.url
        await page.fill("#text", "昨晚又有人摔倒")
        await press(page, "form[action$=words] button")
        assert "昨晚又有人摔倒" in await page.inner_text("main")
        await page.set_input_files("#files", {"name": "灯.png", "mimeType": "image/png", "buffer": PNG})
        await press(page, "form[action$=files] button")
        assert await page.locator("a[href*='/files/']").count() == 1
        await press(page, "a[href$=withdraw]")
        await press(page, "form button.danger")
        withdrawn = {"zh-CN": "已撤回", "en-GB": "withdrawn"}[locale]
        assert withdrawn in await page.inner_text(".status")
        assert await page.locator("form").count() == 0


async def test_what_was_written_survives_a_pass_that_ran_out(site: Site, browser: Browser) -> None:
    async with visiting(browser) as page:
        _, code = await submit(page, site)
        ticket = ticket_of(page)
        await site.probe.named("ticket.snapshot", subject=ticket)
        await page.goto(f"{site.url}/intake/tickets/{ticket}")
        await page.fill("#text", "写了很久的话")
        site.clock.advance(hours=3)
        await press(page, "form[action$=words] button")
        await page.fill("#code", code)
        await press(page, "form button")
        assert "写了很久的话" in await page.inner_text(".line")


async def test_the_language_changes_by_a_link_and_is_remembered(site: Site, browser: Browser) -> None:
    async with visiting(browser) as page:
        await page.goto(f"{site.url}/intake/")
        await press(page, "a[hreflang=en]")
        assert await page.get_attribute("html", "lang") == "en"
        await press(page, "a[href='/intake/appeal']")
        assert await page.inner_text("h1") == "Make an appeal"


async def test_the_keyboard_reaches_the_content_first_and_a_mistake_takes_the_focus(
    site: Site, browser: Browser
) -> None:
    focus = (
        "() => { const e = document.activeElement; return e.getAttribute('href') || e.getAttribute('role') || e.id }"
    )
    async with visiting(browser) as page:
        await page.goto(f"{site.url}/intake/lookup")
        await page.keyboard.press("Tab")
        assert await page.evaluate(focus) == "#main"
        await page.fill("#number", "1")
        await page.fill("#code", "2")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert await page.evaluate(focus) == "alert"
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**#code")


async def test_nothing_of_another_site_is_asked_for_and_the_policy_is_kept(site: Site, browser: Browser) -> None:
    told: list[str] = []
    async with visiting(browser, java_script_enabled=True) as page:
        page.on("request", lambda request: None if request.url.startswith(site.url) else told.append(request.url))
        page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
        async for _ in every_page(page, site):
            pass
    # The browser reports each answer with a status of 400 and more; whatever else it says is a fault.
    assert [line for line in told if "the server responded with a status of" not in line] == []


async def test_every_page_leads_to_a_person_and_home_begins_with_the_emergency_numbers(
    site: Site, browser: Browser
) -> None:
    async with visiting(browser) as page:
        async for name in every_page(page, site):
            assert await page.locator("header a[href='tel:12345']").is_visible(), name
        await page.goto(f"{site.url}/intake/")
        numbers = await page.locator("main a[href^='tel:1']").evaluate_all("all => all.map(a => a.hash || a.href)")
        assert sorted(numbers[:4]) == ["tel:110", "tel:119", "tel:120", "tel:122"]
