"""A real browser on a running intake, and axe-core in it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.app import process_app
from libs.common.runtime.process import Stage, bind
from services.intake.service import SERVICE
from tests.support.stages import PATIENCE_SECONDS, ManualClock, Peer, Probe, probing, running, settings_for

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE, DESK = (360, 740), (1280, 800)
# As root a browser has no sandbox to go into; it sees nothing but this test's own pages.
ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""All that axe-core knows to check of WCAG 2.2 AA, and what its authors recommend beyond."""


def browser_program() -> str:
    """Return where a browser is; skip where there is none, fail where one is required (JIESU_REQUIRE_BROWSER=1)."""
    for program in PROGRAMS:
        if found := shutil.which(program):
            return found
    reason = f"no browser: none of {', '.join(PROGRAMS)} is on PATH; scripts/browser.sh installs one"
    if os.environ.get("JIESU_REQUIRE_BROWSER") == "1":
        pytest.fail(f"JIESU_REQUIRE_BROWSER=1, but: {reason}")
    pytest.skip(reason)


class Site:
    """A running intake behind a real socket, what it says, and the services it hears of, played by the test."""

    def __init__(self, stage: Stage, url: str, peer: Peer, probe: Probe, clock: ManualClock) -> None:
        self.stage, self.url, self.peer, self.probe, self.clock = stage, url, peer, probe, clock


@asynccontextmanager
async def listening_on(stage: Stage) -> AsyncIterator[str]:
    """Serve one service on a port of its own until the block ends; gives its address."""
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(process_app([stage]), log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def running_site(dsn: str, home: Path) -> AsyncIterator[Site]:
    """Run intake for a browser until the block ends."""
    bus, clock = MemoryBus(), ManualClock()
    async with (
        probing(bus, "jiesu.intake.v1", "jiesu.tickets.v1") as probe,
        running(SERVICE, settings_for(home, dsn), bus, clock) as stage,
        listening_on(stage) as url,
    ):
        yield Site(stage, url, Peer(bus, clock), probe, clock)


@asynccontextmanager
async def running_browser(type_size: int = 16) -> AsyncIterator[Browser]:
    """Run a browser whose owner set the type to so many pixels; 16 is what it comes with."""
    program = browser_program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=[*ARGUMENTS, f"--blink-settings=defaultFontSize={type_size}"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, size: tuple[int, int] = PHONE, **more: Any) -> AsyncIterator[Page]:
    """Open an empty tab of that size, without JavaScript, in Chinese unless told otherwise."""
    options: Mapping[str, Any] = {"locale": "zh-CN", "java_script_enabled": False, **more}
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def press(page: Page, selector: str) -> None:
    """Click, and wait for the page it leads to."""
    async with page.expect_navigation():
        await page.click(selector)


async def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it stands, and where."""
    found = await Axe().run(page, options={"runOnly": WCAG, "rules": {"target-size": {"enabled": True}}})
    return [
        f"{violation['id']}: {node['html']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


async def cut_off(page: Page) -> list[str]:
    """Return what does not fit: a page wider than its window, or an element whose words stick out of it unseen."""
    wrong: list[str] = await page.evaluate("""() => {
        const wrong = [], root = document.documentElement;
        if (root.scrollWidth > root.clientWidth) wrong.push(`page: ${root.scrollWidth} > ${root.clientWidth}`);
        for (const e of document.body.querySelectorAll("*")) {
            const box = e.getBoundingClientRect(), seen = box.width && box.height && !e.closest(".skip, svg");
            const name = e.outerHTML.slice(0, 90), hides = ["hidden", "clip"].includes(getComputedStyle(e).overflowX);
            if (seen && (box.right > root.clientWidth + 1 || box.left < -1)) wrong.push(`out: ${name}`);
            if (seen && hides && e.scrollWidth > e.clientWidth + 1) wrong.push(`cut: ${name}`);
        }
        return wrong;
    }""")
    return wrong
