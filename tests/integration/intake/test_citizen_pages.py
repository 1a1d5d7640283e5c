"""The citizen's pages: an appeal by form, its ticket by number and code, and nothing that a text could run."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.pages.submitting import FIELDS
from tests.support.citizens import ASKED, DISPATCHED, PHONE, CitizensWorld, citizens_world, classified

SUBMIT = "/intake/appeal/files"
HOSTILE = (
    "a\0b",
    "\x1b[2J",
    "'; DROP TABLE tickets; --",
    "{{ 7 * 7 }}",
    "<script>alert(1)</script>",
    "字" * 20_000,
    "\u202e",
)
# One red pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc000000301010018dd8db00000000049454e44ae426082"
)


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[CitizensWorld]:
    async with citizens_world(fresh_database, tmp_path) as world:
        yield world


async def submitted(world: CitizensWorld, **fields: Any) -> tuple[str, str, str]:
    """Appeal by form, and return the ticket's path, its number and its code as they stand on the page."""
    sent = await world.browser.post(SUBMIT, data={"text": "路灯不亮", **fields})
    assert sent.status_code == 303, sent.text
    done = await world.browser.get(sent.headers["location"])
    number, code = re.findall(r"<dd[^>]*>([^<]+)</dd>", done.text)[:2]
    path = sent.headers["location"].removesuffix("/done")
    await world.probe.named("ticket.snapshot", subject=path.rpartition("/")[2])
    return path, number, code


async def test_a_citizen_appeals_by_form_and_sees_number_and_code(world: CitizensWorld) -> None:
    path, number, code = await submitted(world, phone=PHONE, name="欧阳婷婷")
    shown = await world.browser.get(path)
    assert number in shown.text
    assert "已接诉" in shown.text
    assert [secret for secret in (PHONE, "欧阳婷婷", code.replace(" ", "")) if secret in shown.text] == []


async def test_all_that_the_form_offers_arrives(world: CitizensWorld) -> None:
    path, _, _ = await submitted(
        world, address="望京街道", phone=PHONE, email="a@b.example", kind="report", language="en",
        access_needs=["elderly", "text_only"],
    )  # fmt: skip
    (event,) = await world.probe.named("ticket.received", subject=path.rpartition("/")[2])
    received = event.data
    assert (received.channel, received.kind, received.address) == ("web", "report", "望京街道")
    assert received.access_needs == ("elderly", "text_only")
    (row,) = await world.kept("SELECT ways FROM tickets")
    assert row["ways"] == ["sms", "mail"]


async def test_files_come_with_the_form_or_later(world: CitizensWorld) -> None:
    files = [("files", ("a.png", PNG, "image/png")), ("files", ("", b"", "application/octet-stream"))]
    sent = await world.browser.post(SUBMIT, data={"text": "路灯不亮"}, files=files)
    path = sent.headers["location"].removesuffix("/done")
    await world.probe.named("ticket.snapshot", subject=path.rpartition("/")[2])
    (event,) = await world.probe.named("ticket.received")
    assert [file.kind for file in event.data.attachments] == ["picture"]
    text = {"files": ("b.txt", "门口的照片".encode(), "text/plain")}
    assert (await world.browser.post(f"{path}/files", files=text)).status_code == 303
    page = (await world.browser.get(path)).text
    assert page.count("/intake/v1/files/") == 2
    link = re.search(r'href="(?:http://[^/]+)?(/intake/v1/files/[^"]+)"', page)
    assert link
    served = await world.browser.get(link[1].replace("&amp;", "&"))
    assert served.status_code == 200


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("a.exe", b"MZ\x90\0" + b"\0" * 300, "只收照片"), ("a.png", PNG[:40], "打不开"), ("empty.txt", b"", "空的")],
)
async def test_a_file_that_is_not_taken_is_named_and_nothing_else_is_lost(
    world: CitizensWorld, name: str, content: bytes, says: str
) -> None:
    files = {"files": (name, content, "image/png")}
    answer = await world.browser.post(SUBMIT, data={"text": "路灯不亮", "address": "望京街道"}, files=files)
    assert answer.status_code in {413, 415, 422}
    assert says in answer.text
    assert "望京街道" in answer.text
    assert await world.kept("SELECT FROM vault") == []


async def test_a_wrong_form_comes_back_with_what_was_given_and_says_what_is_wrong_beside_each_field(
    world: CitizensWorld,
) -> None:
    given = {"text": "<script>alert(1)</script>", "phone": "call me", "email": "nobody", "kind": "pigeon"}
    again = await world.browser.post(SUBMIT, data=given)
    assert again.status_code == 422
    assert re.search(r"<title>\s*有误：", again.text)
    for name in ("phone", "email", "kind"):
        assert f'href="#{name}"' in again.text
        assert f'id="{name}-wrong"' in again.text
    assert "&lt;script&gt;alert(1)" in again.text
    assert "<script>" not in again.text


async def test_the_same_form_sent_twice_is_one_appeal_and_a_changed_one_is_another(world: CitizensWorld) -> None:
    form = {"text": "路灯不亮", "once": "0123456789abcdef"}
    places = [(await world.browser.post(SUBMIT, data=form)).headers["location"] for _ in range(2)]
    other = (await world.browser.post(SUBMIT, data=form | {"text": "井盖丢了"})).headers["location"]
    assert places[0] == places[1] != other


async def test_the_same_form_sent_twice_with_its_file_is_one_appeal_and_with_another_file_another(
    world: CitizensWorld,
) -> None:
    async def sent(words: bytes) -> str:
        files = {"files": ("a.txt", words, "text/plain")}
        answer = await world.browser.post(SUBMIT, data={"text": "路灯不亮", "once": "0123456789abcdef"}, files=files)
        return str(answer.headers["location"])

    first, again, other = await sent("收据".encode()), await sent("收据".encode()), await sent("合同".encode())
    assert first == again != other


async def test_a_ticket_is_opened_by_number_and_code_however_they_are_typed(world: CitizensWorld) -> None:
    path, number, code = await submitted(world)
    world.browser.cookies.clear()
    for typed in ({"number": f" {number} ", "code": code.lower()}, {"number": number.replace("-", "－"), "code": code}):
        found = await world.browser.post("/intake/lookup", data=typed)
        assert (found.status_code, found.headers["location"]) == (303, path)


@pytest.mark.parametrize("number", ["", "1", "20260302-9999999", "x" * 500, "a\0b"])
async def test_a_number_that_is_none_or_not_the_codes_says_only_that_they_do_not_fit(
    world: CitizensWorld, number: str
) -> None:
    answer = await world.browser.post("/intake/lookup", data={"number": number, "code": "AAAAAAAAAA"})
    assert answer.status_code == 422


async def test_a_code_in_the_address_opens_the_ticket_and_is_gone_from_there(world: CitizensWorld) -> None:
    path, _, code = await submitted(world)
    world.browser.cookies.clear()
    locked = await world.browser.get(path)
    assert (locked.status_code, "查询码" in locked.text) == (403, True)
    led = await world.browser.get(path, params={"code": code})
    assert (led.status_code, led.headers["location"]) == (303, path)
    assert {"HttpOnly", f"Path={path}", "SameSite=lax"} <= set(led.headers["set-cookie"].split("; "))
    assert (await world.browser.get(path)).status_code == 200


async def test_a_pass_is_for_one_ticket(world: CitizensWorld) -> None:
    first, _, _ = await submitted(world)
    cookie = world.browser.cookies.jar
    given = next(one.value for one in cookie if one.path == first)
    second, _, _ = await submitted(world, text="井盖丢了")
    world.browser.cookies.clear()
    answer = await world.browser.get(second, headers={"Cookie": f"jiesu_pass={given}"})
    assert answer.status_code == 403


async def test_who_guesses_codes_is_made_to_wait_in_words(world: CitizensWorld) -> None:
    path, _, _ = await submitted(world)
    world.browser.cookies.clear()
    answers = [await world.browser.post(path, data={"code": "AAAAAAAAAA"}) for _ in range(8)]
    assert answers[0].status_code == 403
    assert (answers[-1].status_code, "retry-after" in answers[-1].headers) == (429, True)
    assert "请过一会儿再试" in answers[-1].text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://jiesu"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_does_nothing(world: CitizensWorld, headers: dict[str, str]) -> None:
    path, _, _ = await submitted(world)
    for form, data in ((SUBMIT, {"text": "x"}), (f"{path}/withdraw", {}), (f"{path}/words", {"text": "x"})):
        answer = await world.browser.post(form, data=data, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "已接诉" in (await world.browser.get(path)).text


@pytest.mark.parametrize("headers", [{"Origin": "http://jiesu"}, {"Sec-Fetch-Site": "same-origin"}, {}], ids=str)
async def test_a_form_of_ours_is_taken(world: CitizensWorld, headers: dict[str, str]) -> None:
    assert (await world.browser.post(SUBMIT, data={"text": "路灯不亮"}, headers=headers)).status_code == 303


@pytest.mark.parametrize("path", ["nowhere", "tickets/x", "public/x", f"public/{'0' * 32}"])
async def test_where_nothing_is_a_page_says_so(world: CitizensWorld, path: str) -> None:
    answer = await world.browser.get(f"/intake/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "没有这个页面" in answer.text


async def test_a_code_of_no_ticket_leads_to_no_error_of_ours(world: CitizensWorld) -> None:
    nobody = UUID(int=7)
    code = world.stage.context.engine.codes.of(nobody)
    path = f"/intake/tickets/{nobody}"
    await world.browser.get(path, params={"code": code})
    for suffix in ("", "/done", "/withdraw"):
        assert (await world.browser.get(path + suffix)).status_code == 404
    for suffix in ("/words", "/withdraw", "/files"):
        files = {"files": ("a.png", PNG, "image/png")} if suffix == "/files" else None
        answer = await world.browser.post(path + suffix, data={"text": "x"}, files=files)
        assert answer.status_code in {404, 409}
        assert answer.headers["content-type"].startswith("text/html")


async def test_who_is_in_danger_is_told_at_once_whom_to_call(world: CitizensWorld) -> None:
    sent = await world.browser.post(SUBMIT, data={"text": "楼里着火了，快来人！"})
    done = (await world.browser.get(sent.headers["location"])).text
    assert "立即拨打119" in done
    assert done.index('class="button danger" href="tel:119"') < done.index("工单编号")


async def test_no_page_keeps_anything_out_of_the_browsers_cache_or_lets_a_script_in(world: CitizensWorld) -> None:
    for path in ("/intake/", "/intake/appeal", "/intake/privacy", "/intake/nowhere"):
        headers = (await world.browser.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert "default-src 'none'" in headers["content-security-policy"]


async def test_the_page_speaks_the_browsers_language_and_marks_what_is_in_chinese(world: CitizensWorld) -> None:
    path, _, _ = await submitted(world)
    ticket = {"ticket_id": path.rpartition("/")[2]}
    await world.say(ticket, classified(), DISPATCHED)
    page = (await world.browser.get(path, headers={"Accept-Language": "en-GB,en;q=0.9"})).text
    assert '<html lang="en"' in page
    assert 'Sent to <span lang="zh-CN">市城市管理委员会</span>.' in page
    chinese = (await world.browser.get(f"{path}?lang=zh", headers={"Accept-Language": "en"})).text
    assert '<html lang="zh-CN"' in chinese


async def test_who_is_asked_is_led_to_the_review(world: CitizensWorld) -> None:
    path, _, _ = await submitted(world)
    assert "/feedback/v1/review/" not in (await world.browser.get(path)).text
    await world.say({"ticket_id": path.rpartition("/")[2]}, ASKED)
    assert "/feedback/v1/review/" in (await world.browser.get(path)).text


async def test_a_repeat_shows_how_the_ticket_goes_that_it_belongs_to(world: CitizensWorld) -> None:
    parent = await world.public()
    await world.say(parent, DISPATCHED)
    path, _, _ = await submitted(world, text="别的事")
    await world.http.post(
        f"/intake/v1/tickets/{path.rpartition('/')[2]}/link", json={"to": parent["ticket_id"], "reason": "同一盏灯"}
    )
    page = (await world.browser.get(path)).text
    assert parent["number"] in page
    assert "市城市管理委员会" in page
    asked = await world.browser.get(f"{path}/withdraw")
    assert "还会为其他人继续办理" in asked.text
    assert "路灯不亮" not in page.replace("照明 / 路灯不亮", "")


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_is_typed_is_answered_by_a_page(world: CitizensWorld, hostile: str) -> None:
    path, _, _ = await submitted(world)
    fields = (*FIELDS, "once")
    forms: list[tuple[str, dict[str, str]]] = [
        *((SUBMIT, {"text": "井盖丢了", field: hostile}) for field in fields),
        ("/intake/lookup", {"number": hostile, "code": hostile}),
        (f"{path}/words", {"text": hostile}),
        (f"{path}/words", {"text": "x", "code": hostile}),
        (f"/intake/public/{path.rpartition('/')[2]}/support", {"phone": hostile}),
        (f"{path}/withdraw", {"reason": hostile}),
    ]
    for form, data in forms:
        answer = await world.browser.post(form, data=data)
        assert answer.status_code < 500, (form, data, answer.status_code)
        assert answer.status_code == 303 or answer.headers["content-type"].startswith("text/html"), form
        assert "<script>" not in answer.text
    for params in ({"q": hostile[:400]}, {"before": hostile[:400]}, {"lang": hostile[:400]}):
        assert (await world.browser.get("/intake/public", params=params)).status_code < 500


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_public_tickets_are_shown_from_now_on_where_a_link_names_no_instant(
    world: CitizensWorld, before: str
) -> None:
    assert (await world.browser.get("/intake/public", params={"before": before})).status_code == 200


async def test_what_is_no_form_is_refused_in_words(world: CitizensWorld) -> None:
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    for body, headers in ((b"--y\r\n", broken), (b"{}", {"Content-Type": "application/json"})):
        answer = await world.browser.post(SUBMIT, content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) in {
            (400, "text/html; charset=utf-8"),
            (422, "text/html; charset=utf-8"),
        }


async def test_a_cookie_asks_for_https_where_citizens_come_by_it(fresh_database: str, tmp_path: Path) -> None:
    async with citizens_world(fresh_database, tmp_path, public_url="https://12345.city.example") as world:
        sent: httpx.Response = await world.browser.post(SUBMIT, data={"text": "路灯不亮"})
        assert "Secure" in sent.headers["set-cookie"]
