"""Open311 answers on the wire: one document, written as XML or as JSON by the Spark convention.

The XML is UTF-8 as the specification asks, and pure ASCII all the same: whatever is not ASCII is a character reference,
so a parser that mistakes the encoding still reads Chinese. JSON names no list items, so XML has a name for them here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from starlette.responses import Response

from libs.common.runtime.problems import Problem

Format = Literal["xml", "json"]
Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
MEDIA_TYPES: Mapping[Format, str] = {"xml": "text/xml", "json": "application/json"}
ITEMS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "endpoints": "endpoint",
    "formats": "format",
    "errors": "error",
}
"""What an item of a list is called in XML."""
STATUSES = {401: 403, 405: 405, 413: 413, 429: 429, 503: 503, 403: 403, 404: 404}
"""Ours to the specification's: 403 for any trouble with the key, and 400 for all that is not here."""
# What XML 1.0 cannot hold, even as a reference, and controls that it had better not.
_UNFIT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n?")
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True, slots=True)
class Document:
    """An answer: the name of its root, which only XML shows, and what is in it."""

    root: str
    value: Value


def asked(suffix: str | None, accept: str) -> Format:
    """Return the format a path's suffix asks for, without one what is accepted, XML if nothing is said.

    Raises Problem 404 for another suffix.
    """
    if suffix is None:
        json_at, xml_at = accept.find("json"), accept.find("xml")
        return "json" if json_at >= 0 and not 0 <= xml_at < json_at else "xml"
    if suffix.lower() == "xml":
        return "xml"
    if suffix.lower() == "json":
        return "json"
    raise Problem(404, "there are .xml and .json")


def write(document: Document, form: Format) -> bytes:
    """Return a document as bytes."""
    if form == "json":
        return json.dumps(document.value, ensure_ascii=False).encode()
    root = _element(document.root, document.value)
    body: bytes = ET.tostring(root, encoding="us-ascii", short_empty_elements=False)
    return _DECLARATION + body


def respond(document: Document, form: Format, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a document as an answer."""
    content_type = f"{MEDIA_TYPES[form]}; charset=utf-8"
    return Response(write(document, form), status, {**(headers or {}), "Content-Type": content_type})


def errors(problem: Problem, form: Format) -> Response:
    """Return a problem the way the specification tells errors: a list of codes and descriptions."""
    status = STATUSES.get(problem.status, 400)
    told = [f"{error.field}: {error.message}" for error in problem.errors] or [problem.detail]
    listed: list[Value] = [{"code": status, "description": text} for text in told]
    headers = {name: value for name, value in problem.headers.items() if name.lower() != "www-authenticate"}
    return respond(Document("errors", listed), form, status, headers)


def _element(name: str, value: Value) -> ET.Element:
    element = ET.Element(name)
    if isinstance(value, Mapping):
        element.extend(_element(key, part) for key, part in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        element.extend(_element(ITEMS[name], part) for part in value)
    else:
        element.text = _text(value)
    return element


def _text(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else fit(str(value))


def fit(text: str) -> str:
    """Return a text that XML can hold: controls and half characters out, line breaks as line feeds."""
    return _UNFIT.sub("", _BREAK.sub("\n", text))
