"""Reports in a real browser: read aloud, on a phone, and printed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser import DESK, PHONE, faults, listening_on, running_browser, visiting
from tests.support.governing import govern
from tests.support.record import Record, recording

pytestmark = pytest.mark.browser


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        await govern(record, per_day=9)
        yield record


async def test_axe_finds_nothing_wrong_with_a_report_in_either_language(record: Record) -> None:
    async with running_browser() as browser, visiting(browser, DESK, java_script_enabled=True) as page:
        wrong = {}
        for language in ("zh", "en"):
            answer = await record.http.get(
                "/feedback/v1/reports/monthly/2026-03.html", headers={"accept-language": language}
            )
            await page.set_content(answer.text)
            wrong[language] = await faults(page)
    assert wrong == {"zh": [], "en": []}


async def test_what_is_published_is_read_without_a_key_on_a_phone_no_wider_than_it(record: Record) -> None:
    assert (await record.post("open-data/2026-03")).status_code == 201
    async with (
        listening_on(record.stage) as url,
        running_browser() as browser,
        visiting(browser, PHONE, java_script_enabled=True) as page,
    ):
        await page.goto(f"{url}/feedback/")
        wrong = await faults(page)
        await page.click("a[href$='.html']")
        await page.wait_for_selector("svg")
        wrong += await faults(page)
        assert "公开版" in await page.inner_text("h1")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []
