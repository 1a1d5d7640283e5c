"""The routes of Open311 GeoReport v2, each at the production and at the test endpoint, in XML and JSON.

FastAPI only documents them: it would tell errors its own way, and read forms and formats other than clients mean them.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.runtime.problems import Problem
from services.intake.open311.call import PUBLIC, Call, Handler, answer
from services.intake.open311.formats import MEDIA_TYPES, Document
from services.intake.open311.requests import get_request, get_requests, get_token, post_request
from services.intake.open311.services import PRODUCTION, TEST, definition, discovery, service_list
from services.intake.open311.updates import get_updates, post_update

Schema = dict[str, Any]
router = APIRouter(tags=["open311"])

ROOT = "/intake/open311"
_SUFFIX = ".{format}"
_TEXT: Schema = {"type": "string"}
_FORMAT: Schema = {"type": "string", "enum": ["json", "xml"]}
_ERRORS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "description": _TEXT},
        "required": ["code", "description"],
    },
}


def _objects(*names: str) -> Schema:
    return {"type": "array", "items": _object(*names)}


def _object(*names: str) -> Schema:
    return {"type": "object", "properties": {name: {} for name in names}, "required": [*names]}


DISCOVERY = _object("changeset", "contact", "key_service", "endpoints")
SERVICES = _objects("service_code", "service_name", "description", "metadata", "type", "keywords", "group")
DEFINITION = _object("service_code", "attributes")
REQUESTS = _objects(
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address",
    "address_id", "zipcode", "lat", "long", "media_url",
)  # fmt: skip
UPDATES = _objects("update_id", "service_request_id", "status", "updated_datetime", "description", "media_url")
FILTERS = (
    "service_request_id", "service_code", "start_date", "end_date", "status", "page", "page_size", "updated_after",
    "updated_before", "api_key",
)  # fmt: skip
SENT = (
    "service_code", "api_key", "lat", "long", "address_string", "address_id", "email", "device_id", "account_id",
    "first_name", "last_name", "phone", "description", "media_url",
)  # fmt: skip
SAID = ("service_request_id", "api_key", "update_id", "status", "description", "updated_datetime")


def _endpoint(handler: Handler, *, test: bool) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await answer(request, handler, test=test)

    endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
    return endpoint


def _content(schema: Schema) -> Schema:
    return {MEDIA_TYPES["json"]: {"schema": schema}, MEDIA_TYPES["xml"]: {"schema": {}}}


def _described(path: str, arguments: Sequence[str], *, form: bool) -> Schema:
    """Return what OpenAPI says of a resource's arguments."""
    asked = ("jurisdiction_id", *arguments)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _FORMAT if name == "format" else _TEXT}
        for name in re.findall(r"{(\w+)}", path + _SUFFIX)
    ]
    if not form:
        return {"parameters": [*parameters, *({"name": name, "in": "query", "schema": _TEXT} for name in asked)]}
    fields = {"type": "object", "properties": dict.fromkeys(asked, _TEXT), "required": [arguments[0], "api_key"]}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": fields}}}
    return {"parameters": parameters, "requestBody": body}


def _add(
    bases: Sequence[str],
    path: str,
    handler: Handler,
    told: Schema,
    arguments: Sequence[str] = (),
    *,
    form: bool = False,
) -> None:
    """Add a resource, with its format as a suffix or, without one, as accepted."""
    responses: dict[int | str, Schema] = {
        200: {"description": "In the format of the path", "content": _content(told)},
        "4XX": {"description": "What is wrong with the request", "content": _content(_ERRORS)},
    }
    for base in bases:
        endpoint = _endpoint(handler, test=base == TEST)
        method = "POST" if form else "GET"
        router.add_api_route(
            base + path + _SUFFIX, endpoint, methods=[method], response_class=Response, responses=responses,
            openapi_extra=_described(path, arguments, form=form),
        )  # fmt: skip
        router.add_api_route(base + path, endpoint, methods=[method], include_in_schema=False)
        if not form:
            for where in (path + _SUFFIX, path):
                router.add_api_route(base + where, endpoint, methods=["HEAD"], include_in_schema=False)


BOTH = (PRODUCTION, TEST)
_add((ROOT, *BOTH), "/discovery", discovery, DISCOVERY)
_add(BOTH, "/services", service_list, SERVICES)
_add(BOTH, "/services/{service_code}", definition, DEFINITION)
_add(BOTH, "/requests", get_requests, REQUESTS, FILTERS)
_add(BOTH, "/requests", post_request, _objects("service_request_id", "service_notice", "account_id"), SENT, form=True)
_add(BOTH, "/requests/{service_request_id}", get_request, REQUESTS, ("api_key",))
_add(BOTH, "/tokens/{token}", get_token, _objects("service_request_id", "token"))
_add(BOTH, "/servicerequestupdates", get_updates, UPDATES, ("start_date", "end_date", "page", "api_key"))
_add(BOTH, "/servicerequestupdates", post_update, _objects("update_id"), SAID, form=True)


@router.options(ROOT + "/{path:path}", include_in_schema=False)
async def preflight() -> Response:
    """Let pages from anywhere read what is public."""
    allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "*"}
    return Response(status_code=204, headers=PUBLIC | allowed)


async def _nowhere(_: Call) -> Document:
    raise Problem(404, "there is no such resource; begin with /intake/open311/discovery.xml")


router.add_api_route(
    ROOT + "/{path:path}", _endpoint(_nowhere, test=False), methods=["GET", "HEAD"], include_in_schema=False
)
