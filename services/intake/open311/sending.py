"""What a client sends as a service request, read into an appeal."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from libs.common.city.services import Attribute, Service
from libs.common.runtime.problems import FieldError, Problem
from services.intake.appeal import Appeal
from services.intake.open311.arguments import Arguments, moment, wrong
from services.intake.open311.call import Call
from services.intake.open311.services import service_by

LONGEST_DESCRIPTION = 4000
LONGEST_ANSWER = 500
_HAN = re.compile("[\u3400-\u9fff]")
_ARGUMENTS = {
    "name": "first_name, last_name",
    "phone": "phone",
    "email": "email",
    "address": "address_string",
    "lat": "lat",
    "lon": "long",
    "media_url": "media_url",
}
"""Which argument a field of an appeal comes from."""


def appeal_of(call: Call) -> Appeal:
    """Return the appeal in a call.

    Raises:
        Problem: 404 if the service is not known, 400 naming every argument that is wrong.
    """
    given = call.arguments
    code = given.get("service_code")
    if code is None:
        raise wrong("service_code", "is required")
    service = service_by(call, code)
    found: list[FieldError] = []
    described = _described(given, service, _answers(call, service, found), found)
    fields = {"channel": "open311", "service": code, "title": service.name.zh, "text": described}
    fields |= _place(call, found) | _sender(given)
    if media_url := given.get("media_url"):
        fields["media_url"] = media_url
    try:
        appeal = Appeal.model_validate(fields)
    except ValidationError as error:
        found += [_wrong(dict(wrong_field)) for wrong_field in error.errors()]
    if found:
        raise Problem(400, "; ".join(f"{e.field}: {e.message}" for e in found), errors=found)
    return appeal


def repeated_as(call: Call, client: str, now: datetime) -> str | None:
    """Return what equal calls of a client have in common, under one Idempotency-Key or, naming a person, on one day.

    Clients send again what got no answer, and the specification gives them nothing to say so by.
    """
    given = call.arguments
    once = call.idempotency_key
    if not once and any(given.get(name) for name in ("email", "phone", "device_id", "account_id")):
        once = f"{now.astimezone(call.here.engine.timezone):%Y%m%d}"
    if not once:
        return None
    said = json.dumps([client, once, given.everything()])
    return "open311:" + hashlib.sha256(said.encode()).hexdigest()[:40]


def _wrong(found: Mapping[str, Any]) -> FieldError:
    name = str(found["loc"][-1])
    return FieldError(_ARGUMENTS.get(name, name), found["msg"].removeprefix("Value error, "))


def _described(given: Arguments, service: Service, answers: list[str], found: list[FieldError]) -> str:
    description = given.get("description")
    if description and len(description) > LONGEST_DESCRIPTION:
        found.append(FieldError("description", f"must have at most {LONGEST_DESCRIPTION} characters"))
    return "\n".join([(description or service.name.zh)[:LONGEST_DESCRIPTION], *answers])


def _sender(given: Arguments) -> dict[str, Any]:
    reporter = {"name": _name(given), "phone": given.get("phone"), "email": given.get("email")}
    return {"reporter": {field: value for field, value in reporter.items() if value}}


def _name(given: Arguments) -> str:
    """Return a name as it is written: a Chinese one with its family name first, and no space."""
    first, last = given.get("first_name") or "", given.get("last_name") or ""
    return last + first if _HAN.search(first + last) else f"{first} {last}".strip()


def _place(call: Call, found: list[FieldError]) -> dict[str, Any]:
    given = call.arguments
    place: dict[str, Any] = {}
    lat, lon = given.get("lat"), given.get("long")
    if lat or lon:
        place["location"] = _point(call, lat, lon, found)
    if address := given.get("address_string"):
        place["address"] = address
    if not place:
        what = "address_id is not used here; send lat and long, or address_string"
        found.append(
            FieldError("location", what if given.get("address_id") else "send lat and long, or address_string")
        )
    return place


def _point(call: Call, lat: str | None, lon: str | None, found: list[FieldError]) -> dict[str, float] | None:
    y, x = (_number(text) if text else None for text in (lat, lon))
    if y is None or x is None:
        found.append(FieldError("lat, long", "must both be sent, as decimal degrees of WGS 84"))
    elif not call.here.engine.city.bounds.contains(y, x):
        found.append(FieldError("lat, long", "lie outside the city"))
    else:
        return {"lat": y, "lon": x}
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _answers(call: Call, service: Service, found: list[FieldError]) -> list[str]:
    """Return what was answered to the attributes of a service, a line of Chinese for each."""
    given = call.arguments.attributes()
    asked = {attribute.code: attribute for attribute in service.attributes if attribute.variable}
    if given.keys() - asked.keys():
        found.append(FieldError("attribute", "has a code that is not asked of this service; see its definition"))
    lines = []
    for code, attribute in asked.items():
        if code in given:
            answer = _answer(call, attribute, given[code])
            if answer is None:
                found.append(FieldError(f"attribute[{code}]", _SHOULD[attribute.datatype]))
            lines.append(f"{attribute.description.zh}：{answer}")
        elif attribute.required:
            found.append(FieldError(f"attribute[{code}]", "is required"))
    return lines


_SHOULD = {
    "string": f"must be one line of at most {LONGEST_ANSWER} characters",
    "text": f"must be one text of at most {LONGEST_ANSWER} characters",
    "number": "must be a number",
    "datetime": "must be a date and time such as 2026-03-02T12:00:00+08:00",
    "singlevaluelist": "must be one of the keys in the definition",
    "multivaluelist": "must be keys in the definition",
}


def _answer(call: Call, attribute: Attribute, values: list[str]) -> str | None:
    """Return an answer as text, None if it is not what was asked for."""
    names = {value.key: value.name.zh for value in attribute.values}
    if attribute.datatype == "multivaluelist":
        return "、".join(names[value] for value in values) if set(values) <= names.keys() else None
    if len(values) > 1:
        return None
    (value,) = values
    if attribute.datatype == "singlevaluelist":
        return names.get(value)
    if attribute.datatype == "number":
        return value if _number(value) is not None else None
    if attribute.datatype == "datetime":
        at = moment(value, call.here.engine.timezone)
        return f"{at.astimezone(call.here.engine.timezone):%Y-%m-%d %H:%M}" if at else None
    one_line = attribute.datatype == "text" or "\n" not in value
    return value if one_line and len(value) <= LONGEST_ANSWER else None
