"""Open311 over HTTP: discovery, services, requests sent, and what their senders get wrong."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from libs.common.runtime.app import BODY_LIMIT
from tests.support import attached
from tests.support.open311 import LAMP, TEST, V2, Open311World, open311_world


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[Open311World]:
    async with open311_world(fresh_database, tmp_path) as world:
        yield world


@pytest.mark.parametrize("where", ["/intake/open311", V2, TEST])
async def test_discovery_tells_the_production_and_the_test_endpoint(world: Open311World, where: str) -> None:
    told = (await world.http.get(f"{where}/discovery.json")).json()
    assert [endpoint["type"] for endpoint in told["endpoints"]] == ["production", "test"]
    assert all(endpoint["formats"] == ["text/xml", "application/json"] for endpoint in told["endpoints"])
    assert [endpoint["url"] for endpoint in told["endpoints"]] == [f"http://127.0.0.1:8000{p}" for p in (V2, TEST)]
    assert "12345" in told["contact"]
    xml = ET.fromstring((await world.http.get(f"{where}/discovery.xml")).content)
    assert [e.text for e in xml.iterfind("endpoints/endpoint/type")] == ["production", "test"]
    assert xml.findtext("key_service") == told["key_service"]


async def test_services_are_told_alike_in_both_formats_and_both_languages(world: Open311World) -> None:
    answer = await world.get("services.xml")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    xml = [{field.tag: field.text for field in service} for service in ET.fromstring(answer.content)]
    json = (await world.get("services.json")).json()
    assert [service["service_code"] for service in json] == [service["service_code"] for service in xml]
    lamps = next(service for service in json if service["service_code"] == "facil-03")
    assert (lamps["service_name"], lamps["group"], lamps["metadata"]) == ("照明", "市政设施", True)
    assert lamps["type"] == "realtime"
    english = (await world.http.get(f"{V2}/services.json", headers={"Accept-Language": "en-GB"})).json()
    assert "Street lighting" in {service["service_name"] for service in english}
    assert not {"gov-05", "labour-01", "health-01"} & {service["service_code"] for service in json}


async def test_a_definition_lists_its_attributes_in_order(world: Open311World) -> None:
    told = (await world.get("services/facil-03.json")).json()
    assert told["service_code"] == "facil-03"
    assert [(a["code"], a["datatype"], a["order"], a["variable"]) for a in told["attributes"]] == [
        ("lamp", "string", 1, True),
        ("fault", "singlevaluelist", 2, True),
    ]
    assert told["attributes"][1]["values"][0] == {"key": "out", "name": "不亮"}
    xml = ET.fromstring((await world.get("services/facil-03.xml")).content)
    assert xml.findtext("attributes/attribute/values/value/name") == "不亮"
    assert (await world.get("services/labour-01.json")).status_code == 404


async def test_a_request_gets_its_number_and_is_told_that_its_words_are_public(world: Open311World) -> None:
    answer = await world.post(media_url="https://example.org/lamp.jpg")
    assert answer.status_code == 200
    (told,) = answer.json()
    assert set(told) == {"service_request_id", "service_notice", "account_id"}
    assert "公开" in told["service_notice"]
    assert "不会打开" in told["service_notice"]
    token = (await world.get(f"tokens/{told['service_request_id']}.json")).json()
    assert token == [{"service_request_id": told["service_request_id"], "token": told["service_request_id"]}]


async def test_a_request_enters_by_the_same_door_as_every_appeal(world: Open311World) -> None:
    _, ticket_id = await world.sent(address_string="望京西路10号楼2单元501室")
    (event,) = await world.probe.named("ticket.received", subject=ticket_id)
    told = event.data
    assert (told.channel, told.title, told.language) == ("open311", "照明", "zh")
    assert "灯杆编号：WJ-0313" in told.text
    assert "什么故障：不亮" in told.text
    assert (told.location.lat, told.location.lon) == (39.9955, 116.4703)
    # A stand-in for the mail address, which is all that tells this reporter from others.
    assert "13800138000" not in told.text
    assert "501" not in told.address


async def test_what_real_clients_do_with_a_form_is_understood(world: Open311World) -> None:
    url = f"{V2}/requests.json"
    keyless = {name: value for name, value in LAMP.items() if name != "email"}
    as_header = await world.http.post(url, data=keyless, headers={"X-Api-Key": world.key})
    as_bearer = await world.http.post(url, data=keyless, headers={"Authorization": f"Bearer {world.key}"})
    in_query = await world.http.post(url, params={"api_key": world.key, "jurisdiction_id": "beijing"}, data=LAMP)
    all_in_query = await world.http.post(url, params={"api_key": world.key, **LAMP})
    parts = {name: (None, value.encode()) for name, value in {**LAMP, "api_key": world.key}.items()}
    multipart = await world.http.post(url, files=parts)
    answers = (as_header, as_bearer, in_query, all_in_query, multipart)
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_a_picture_in_the_form_goes_with_the_request(world: Open311World) -> None:
    parts = {name: (None, value.encode()) for name, value in {**LAMP, "api_key": world.key}.items()}
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "JPEG")
    url = f"{V2}/requests.json"
    answer = await world.http.post(url, files={**parts, "media": ("lamp.jpg", picture.getvalue(), "image/jpeg")})
    ticket_id = await world.ticket(answer.json()[0]["service_request_id"])
    (event,) = await world.probe.named("ticket.received", subject=ticket_id)
    assert [attachment.kind for attachment in event.data.attachments] == ["picture"]
    lying = await world.http.post(url, files={**parts, "media": ("lamp.jpg", b"MZ\x90\x00", "image/jpeg")})
    assert (lying.status_code, lying.json()[0]["code"]) == (400, 400)
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await world.http.post(url, content=b"nothing", headers=broken)).status_code == 400


async def test_several_values_of_a_list_come_with_brackets(world: Open311World) -> None:
    data = {"api_key": world.key, "service_code": "traffic-03", "address_string": "望京西路", "description": "堵了"}
    body = "&".join([urlencode(data), "attribute%5Bblocked%5D%5B%5D=fire", "attribute[blocked][]=exit"])
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = await world.http.post(f"{V2}/requests.json", content=body, headers=headers)
    ticket_id = await world.ticket(answer.json()[0]["service_request_id"])
    (event,) = await world.probe.named("ticket.received", subject=ticket_id)
    assert event.data.text == "堵了\n挡住了什么：消防通道、出入口"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"api_key": ""}, 403, "api_key"),
        ({"api_key": "jk_no_such_key"}, 403, "api_key"),
        ({"service_code": ""}, 400, "service_code"),
        ({"service_code": "labour-01"}, 404, "service_code"),
        ({"jurisdiction_id": "tianjin"}, 404, "jurisdiction_id"),
        ({"lat": "", "long": ""}, 400, "location"),
        ({"lat": "", "long": "", "address_id": "7"}, 400, "location"),
        ({"long": ""}, 400, "lat, long"),
        ({"lat": "nan"}, 400, "lat, long"),
        ({"lat": "31.2", "long": "121.4"}, 400, "lat, long"),
        ({"description": "长" * 4001}, 400, "description"),
        ({"description": "a\x00b"}, 400, "description"),
        ({"email": "nobody"}, 400, "email"),
        ({"phone": "call me"}, 400, "phone"),
        ({"media_url": "file:///etc/passwd"}, 400, "media_url"),
        ({"attribute[fault]": "broken"}, 400, "attribute[fault]"),
        ({"attribute[size]": "3"}, 400, "attribute"),
        ({"first_name": "长" * 201, "last_name": ""}, 400, "first_name, last_name"),
    ],
)
async def test_what_is_wrong_is_named_with_the_code_of_the_specification(
    world: Open311World, changes: dict[str, str], status: int, field: str
) -> None:
    for base in (V2, TEST):
        answer = await world.post(base, **changes)
        assert answer.status_code == status, answer.text
        assert [error["code"] for error in answer.json()] == [status] * len(answer.json())
        assert [error["description"].partition(":")[0] for error in answer.json()] == [field]


async def test_errors_come_in_the_format_that_was_asked_for(world: Open311World) -> None:
    answer = await world.http.post(f"{V2}/requests.xml", data={"service_code": "facil-03"})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/xml; charset=utf-8")
    assert ET.fromstring(answer.content).findtext("error/code") == "403"
    assert (await world.get("requests/1.xml")).status_code == 404
    assert (await world.get("services.html")).status_code == 404
    assert ET.fromstring((await world.get("nothing")).content).findtext("error/code") == "404"


async def test_all_that_is_wrong_is_told_at_once(world: Open311World) -> None:
    answer = await world.post(lat="x", email="nobody", **{"attribute[fault]": "broken"})
    fields = {error["description"].partition(":")[0] for error in answer.json()}
    assert fields == {"lat, long", "email", "attribute[fault]"}


async def test_a_request_that_is_sent_again_is_the_same_request(world: Open311World) -> None:
    first, again = [(await world.post()).json()[0]["service_request_id"] for _ in range(2)]
    other = (await world.post(description="另一盏灯不亮")).json()[0]["service_request_id"]
    world.clock.advance(days=1)
    tomorrow = (await world.post()).json()[0]["service_request_id"]
    assert first == again
    assert len({first, other, tomorrow}) == 3


async def test_two_who_do_not_say_who_they_are_are_two_unless_they_send_a_key(world: Open311World) -> None:
    sent = {"api_key": world.key, **LAMP, "email": ""}
    headers: list[dict[str, str]] = [{}, {}, {"Idempotency-Key": "1"}, {"Idempotency-Key": "1"}]
    answers = [await world.http.post(f"{V2}/requests.json", data=sent, headers=h) for h in headers]
    assert len({answer.json()[0]["service_request_id"] for answer in answers}) == 3


async def test_the_test_endpoint_checks_all_and_keeps_nothing(world: Open311World) -> None:
    (told,) = (await world.post(TEST)).json()
    number = told["service_request_id"]
    assert number.startswith("test-facil-03-")
    assert "测试" in told["service_notice"]
    (shown,) = (await world.http.get(f"{TEST}/requests/{number}.json")).json()
    assert (shown["service_request_id"], shown["status"], shown["service_code"]) == (number, "open", "facil-03")
    assert (await world.http.get(f"{TEST}/requests.json")).json() == []
    assert await world.stage.context.database.pool.fetchval("SELECT count(*) FROM vault") == 0
    assert (await world.get(f"requests/{number}.json")).status_code == 404


async def test_a_client_of_other_channels_is_told_so(world: Open311World) -> None:
    key = world.keys.issue("hotline", ["adapter"], channels=["phone"])
    assert (await world.post(api_key=key)).status_code == 403
    limited = world.keys.issue("slow", ["adapter"], per_minute=1)
    assert (await world.post(api_key=limited)).status_code == 200
    over = await world.post(api_key=limited)
    assert (over.status_code, over.headers["retry-after"]) == (429, "60")


async def test_pages_from_anywhere_may_read_but_not_write(world: Open311World) -> None:
    read = await world.get("services.json")
    assert read.headers["access-control-allow-origin"] == "*"
    assert (await world.get("requests/1.json")).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in (await world.post()).headers
    head = await world.http.head(f"{V2}/services.json")
    assert (head.status_code, head.headers["content-type"]) == (200, "application/json; charset=utf-8")
    asked = await world.http.options(f"{V2}/services.json")
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (204, "GET, HEAD")


async def test_without_a_suffix_what_is_accepted_decides(world: Open311World) -> None:
    for accept, content_type in {"application/json": "application/json", "*/*": "text/xml"}.items():
        answer = await world.http.get(f"{V2}/services", headers={"Accept": accept})
        assert answer.headers["content-type"].startswith(content_type)


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_a_form_may_be_as_long_as_what_is_sent_along(world: Open311World, form: str) -> None:
    recording = attached.wav(140)
    assert len(recording) > BODY_LIMIT
    parts = {name: (None, value.encode()) for name, value in {**LAMP, "api_key": world.key}.items()}
    media = ("noise.wav", recording, "audio/wav")
    answer = await world.http.post(f"{V2}/requests.{form}", files={**parts, "media": media})
    assert answer.status_code == 200, answer.text
