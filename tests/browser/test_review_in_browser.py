"""The review page in a real browser: what the citizen is asked, by whatever service, looks and works like the rest."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.contracts.dispatch import TicketResolved
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Kind, UnitRef
from libs.common.messaging.memory import MemoryBus
from services.feedback.service import SERVICE
from tests.support.browser import PHONE, Site, cut_off, faults, listening_on, running_browser, visiting
from tests.support.stages import NOON, ManualClock, Peer, probing, running, settings_for

pytestmark = pytest.mark.browser

UNIT = UnitRef(code="dept-urban", name="市城市管理委员会")


@pytest.fixture
async def site(fresh_database: str, tmp_path: Path) -> AsyncIterator[Site]:
    bus, clock = MemoryBus(), ManualClock()
    settings = settings_for(tmp_path, fresh_database)
    async with (
        probing(bus, "jiesu.feedback.v1") as probe,
        running(SERVICE, settings, bus, clock) as stage,
        listening_on(stage) as url,
    ):
        yield Site(stage, url, Peer(bus, clock), probe, clock)


async def asked(site: Site, kind: Kind = "help") -> str:
    """Have a citizen asked, and return the address of the question."""
    ticket = site.clock.new_id()
    received = TicketReceived(number="20260302-0000001", channel="web", kind=kind, text="路灯不亮", received_at=NOON)
    resolved = TicketResolved(unit=UNIT, reply="路灯线路已修复，请您查看。", round=1, at=NOON, contacted=True)
    await site.peer.say(ticket, received, resolved)
    await site.probe.named("review.requested", subject=ticket)
    return _address(site, ticket)


def _address(site: Site, ticket: UUID) -> str:
    link: str = site.stage.context.engine.links.url(ticket, 1)
    return link.replace(site.stage.context.settings.base_url, site.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wrong_with_the_question_the_thanks_and_a_dead_link(site: Site, scheme: Any) -> None:
    address = await asked(site, "consultation")
    async with running_browser() as browser, visiting(browser, color_scheme=scheme, java_script_enabled=True) as page:
        wrong = {}
        await page.goto(address)
        wrong["question"] = await faults(page)
        await page.get_by_label("不清楚").check()
        async with page.expect_navigation():
            await page.click("button[value=good]")
        assert "不清楚" in await page.inner_text("main")
        wrong["thanks"] = await faults(page)
        await page.goto(address[:-3] + "xyz")
        wrong["dead"] = await faults(page)
    assert wrong == {"question": [], "thanks": [], "dead": []}


async def test_one_tap_answers_at_twice_the_type_on_a_phone_without_javascript(site: Site) -> None:
    async with running_browser(32) as browser, visiting(browser, PHONE) as page:
        await page.goto(await asked(site, "consultation"))
        assert await cut_off(page) == []
        async with page.expect_navigation():
            await page.click("button[value=bad]")
        assert "感谢" in await page.inner_text("main")
        assert await cut_off(page) == []
