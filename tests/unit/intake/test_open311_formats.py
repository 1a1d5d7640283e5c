"""Open311 on the wire: what any XML parser makes of it is what was meant, and what is sent is read as it was meant."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.dom import minidom
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from libs.common.runtime.problems import FieldError, Problem
from services.intake.open311 import formats
from services.intake.open311.arguments import Arguments, moment
from services.intake.open311.formats import Document, Value

BEIJING = ZoneInfo("Asia/Shanghai")
ANY = st.text(st.characters(codec="utf-8"), max_size=40)
NAMES = st.sampled_from(["description", "address", "status_notes", "zipcode"])
REQUESTS = st.lists(st.dictionaries(NAMES, ANY, min_size=1, max_size=4), max_size=5)


def by_elementtree(xml: bytes) -> list[dict[str, str]]:
    return [{field.tag: field.text or "" for field in item} for item in ET.fromstring(xml)]


def by_lxml(xml: bytes) -> list[dict[str, str]]:
    return [{field.tag: field.text or "" for field in item} for item in etree.fromstring(xml)]


def by_dom(xml: bytes) -> list[dict[str, str]]:
    root: Any = minidom.parseString(xml).documentElement
    return [
        {field.tagName: "".join(node.data for node in field.childNodes) for field in item.childNodes}
        for item in root.childNodes
    ]


def by_a_parser_that_believes_in_latin_1(xml: bytes) -> list[dict[str, str]]:
    return by_elementtree(xml.replace(b"utf-8", b"iso-8859-1", 1))


@pytest.mark.parametrize("parse", [by_elementtree, by_lxml, by_dom, by_a_parser_that_believes_in_latin_1])
@given(REQUESTS)
def test_every_parser_reads_what_was_written(
    parse: Callable[[bytes], list[dict[str, str]]], requests: list[dict[str, str]]
) -> None:
    xml = formats.write(Document("service_requests", requests), "xml")
    assert xml.isascii()
    assert parse(xml) == [{name: formats.fit(text) for name, text in request.items()} for request in requests]


@given(ANY)
def test_a_text_without_controls_is_written_as_it_is(text: str) -> None:
    plain = re.sub("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]", "", text)
    plain = "".join(c for c in plain if ord(c) & 0xFFFE != 0xFFFE)
    assert formats.fit(plain) == plain


@given(REQUESTS)
def test_json_is_the_same_document_without_its_names(requests: list[dict[str, str]]) -> None:
    assert json.loads(formats.write(Document("service_requests", requests), "json")) == requests


def test_values_are_written_as_the_specification_shows_them() -> None:
    attribute: dict[str, Value] = {"variable": True, "order": 1, "values": [{"key": None}]}
    value: dict[str, Value] = {"service_code": "a<&b", "attributes": [attribute]}
    xml = formats.write(Document("service_definition", value), "xml").decode()
    assert xml == (
        '<?xml version="1.0" encoding="utf-8"?>\n<service_definition><service_code>a&lt;&amp;b</service_code>'
        "<attributes><attribute><variable>true</variable><order>1</order><values><value><key></key></value></values>"
        "</attribute></attributes></service_definition>"
    )


@pytest.mark.parametrize(
    ("suffix", "accept", "form"),
    [
        ("xml", "application/json", "xml"), ("JSON", "text/xml", "json"), (None, "", "xml"),
        (None, "application/json, text/xml", "json"), (None, "text/html,application/xml,application/json", "xml"),
    ],
)  # fmt: skip
def test_the_suffix_stands_above_what_is_accepted(suffix: str | None, accept: str, form: str) -> None:
    assert formats.asked(suffix, accept) == form


@pytest.mark.parametrize(("ours", "told"), [(401, 403), (422, 400), (409, 400), (404, 404), (429, 429), (503, 503)])
def test_a_problem_is_told_with_the_codes_of_the_specification(ours: int, told: int) -> None:
    problem = Problem(ours, "d", errors=[FieldError("a", "x"), FieldError("b", "y")], headers={"Retry-After": "2"})
    answer = formats.errors(problem, "json")
    assert (answer.status_code, answer.headers["retry-after"]) == (told, "2")
    assert json.loads(bytes(answer.body)) == [{"code": told, "description": t} for t in ("a: x", "b: y")]


def test_an_argument_without_a_value_was_not_sent() -> None:
    given_ = Arguments([("status", " "), ("status", "open"), ("status", "closed , open"), ("x y", "1")])
    assert given_.get("status") == "open"
    assert given_.many("status") == ["open", "closed", "open"]
    assert given_.many("service_code") is None
    assert given_.get("x y") is None


def test_attributes_are_read_with_and_without_brackets() -> None:
    given_ = Arguments([("attribute[a]", "1"), ("attribute[b][]", "2"), ("attribute[b][]", "3"), ("attribute[]", "4")])
    assert given_.attributes() == {"a": ["1"], "b": ["2", "3"]}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02T12:00:00+08:00", datetime(2026, 3, 2, 4, tzinfo=UTC)),
        ("2026-03-02T12:00:00 08:00", datetime(2026, 3, 2, 4, tzinfo=UTC)),
        ("2026-03-02T04:00:00Z", datetime(2026, 3, 2, 4, tzinfo=UTC)),
        ("2026-03-02T04:00:00.5Z", datetime(2026, 3, 2, 4, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-02T12:00:00", datetime(2026, 3, 2, 4, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 1, 16, tzinfo=UTC)),
        ("2026-03-02 12:00", datetime(2026, 3, 2, 4, tzinfo=UTC)),
        ("03-02-2026", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:59", None),
    ],
)
def test_a_moment_is_read_however_clients_write_it(text: str, at: datetime | None) -> None:
    assert moment(text, BEIJING) == at


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_a_moment(text: str) -> None:
    found = moment(text, BEIJING)
    assert found is None or found.tzinfo
