"""Where the endpoints are, what there is to pick, and what is asked of each."""

from libs.common.city.services import Attribute, Service
from libs.common.city.settings import Name
from libs.common.runtime.problems import Problem
from services.intake.open311.call import Call
from services.intake.open311.formats import MEDIA_TYPES, Document, Value

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
PRODUCTION, TEST = "/intake/open311/v2", "/intake/open311/test/v2"


async def discovery(call: Call) -> Document:
    """Tell the endpoints, whom to ask, and when the lists last changed."""
    city = call.here.engine.city
    centre = next(unit for unit in city.units.values() if unit.kind == "centre")
    changed = f"{city.services.changed_at:%Y-%m-%dT%H:%M:%SZ}"
    names = {"name": named(centre.name, call.language), "phone": centre.phone or ""}
    endpoints = [
        {
            "specification": SPECIFICATION,
            "url": call.here.settings.base_url.rstrip("/") + path,
            "changeset": changed,
            "type": kind,
            "formats": list(MEDIA_TYPES.values()),
        }
        for path, kind in ((PRODUCTION, "production"), (TEST, "test"))
    ]
    told: Value = {
        "changeset": changed,
        "contact": call.say("contact", **names),
        "key_service": call.say("key_service", **names),
        "endpoints": endpoints,
    }
    return Document("discovery", told)


async def service_list(call: Call) -> Document:
    """List the services there are to pick."""
    return Document("services", [_listed(service, call.language) for service in call.here.engine.city.services])


async def definition(call: Call) -> Document:
    """Tell what is asked of a service."""
    service = service_by(call, call.path["service_code"])
    asked = [_asked(attribute, order, call.language) for order, attribute in enumerate(service.attributes, 1)]
    return Document("service_definition", {"service_code": service.code, "attributes": asked})


def service_by(call: Call, code: str) -> Service:
    """Return a service. Raises Problem 404 if there is none of that code."""
    service = call.here.engine.city.services.by_code.get(code)
    if service is None:
        raise Problem(404, "service_code: is not known here")
    return service


def named(name: Name, language: str) -> str:
    """Return a name in the reader's language."""
    return name.en if language.startswith("en") else name.zh


def _listed(service: Service, language: str) -> Value:
    english = language.startswith("en")
    questions = [question.name_en if english else question.l3 for question in service.questions]
    return {
        "service_code": service.code,
        "service_name": named(service.name, language),
        "description": ("; " if english else "、").join(questions),
        "metadata": bool(service.attributes),
        "type": "realtime",
        "keywords": ", ".join([named(service.group, language), *questions]),
        "group": named(service.group, language),
    }


def _asked(attribute: Attribute, order: int, language: str) -> Value:
    asked: dict[str, Value] = {
        "variable": attribute.variable,
        "code": attribute.code,
        "datatype": attribute.datatype,
        "required": attribute.required,
        "datatype_description": named(attribute.hint, language) or None,
        "order": order,
        "description": named(attribute.description, language),
    }
    if attribute.values:
        asked["values"] = [{"key": value.key, "name": named(value.name, language)} for value in attribute.values]
    return asked
