"""The citizen's pages on screening: what the line accepts, and a ruling with the form to appeal against it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.screening import ScreeningWorld, screening_world
from tests.support.stages import client


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[ScreeningWorld]:
    async with screening_world(fresh_database, tmp_path) as world:
        yield world


async def test_anyone_reads_what_is_accepted_in_chinese_and_in_english(world: ScreeningWorld) -> None:
    public = client([world.stage])
    chinese = (await public.get("/intake/scope")).text
    english = (await public.get("/intake/scope?lang=en")).text
    assert "诉讼和法院裁判" in chinese
    assert 'href="tel:12368"' in chinese
    assert "Lawsuits and judgments" in english
    assert "<script" not in chinese + english


async def test_a_citizen_sees_a_ruling_and_appeals_it_by_form_once(world: ScreeningWorld) -> None:
    ticket = await world.led()
    path, public = f"/intake/tickets/{ticket['ticket_id']}", client([world.stage])
    assert (await public.get(f"{path}/ruling")).status_code == 403
    await public.get(path, params={"code": ticket["query_code"]})
    assert (await public.get(f"{path}/ruling")).status_code == 404
    flag = await world.ask(world.holder("seat-1", "seat"), ticket, "flag", ground="settled", evidence="已办结")
    rule = {"upheld": True, "note": "<b>无新情况</b>"}
    await world.holder("boss-1", "supervisor").post(f"/intake/v1/flags/{flag.json()['flag_id']}/rule", json=rule)
    assert f"{path}/ruling" in (await public.get(path)).text
    shown = (await public.get(f"{path}/ruling")).text
    assert "&lt;b&gt;无新情况" in shown
    assert "2026-03-17" in shown
    assert (await public.post(f"{path}/ruling", data={"text": " "})).status_code == 422
    sent = [await public.post(f"{path}/ruling", data={"text": "还没修好"}) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [303, 409]
    after = (await public.get(f"{path}/ruling")).text
    assert "<textarea" not in after


async def test_who_sends_the_form_in_danger_reads_at_once_whom_to_call(world: ScreeningWorld) -> None:
    public = client([world.stage])
    sent = await public.post("/intake/appeal/files", data={"text": "楼下着火了，快来人"})
    assert sent.headers["location"].endswith("/done?call=119")
    assert "请立即拨打119（火警与救援）" in (await public.get(sent.headers["location"])).text
