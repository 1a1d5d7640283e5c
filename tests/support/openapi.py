"""Requests that a service's OpenAPI allows and forbids, the same ones every time, and whether the answers fit it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx
import hypothesis
import requests
import schemathesis
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

SHAPE = [status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12
"""For each operation, of what it declares and as many of what it does not."""


def cases(schema: dict[str, Any], wanted: Callable[[str], bool] = lambda path: True) -> list[Any]:
    """Return right and wrong requests to every operation whose path is wanted."""
    kept: list[Any] = []

    def keep(case: Any) -> None:
        kept.append(case)

    operations: Any = schemathesis.openapi.from_dict(schema).get_all_operations()
    for operation in (result.ok() for result in operations):
        if not wanted(operation.path):
            continue
        for mode in GenerationMode:
            strategy = operation.as_strategy(generation_mode=mode)
            with suppress(Unsatisfiable):  # nothing can be wrong where nothing is asked for
                SEEDED(SETTINGS(GIVEN(strategy)(keep)))()
    return kept


async def check(http: httpx.AsyncClient, case: Any) -> httpx.Response:
    """Send a request; fails if the answer is of no declared status, type or shape, or says that we are at fault."""
    sent: Any = requests.Request(**case.as_transport_kwargs(base_url="http://jiesu")).prepare()
    answer = await http.request(sent.method, sent.url, content=sent.body, headers=_plain(sent.headers))
    away = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
    case.validate_response(answer, checks=SHAPE if away else [*SHAPE, not_a_server_error])
    return answer


GIVEN: Any = hypothesis.given
SEEDED: Any = hypothesis.seed(1)
SETTINGS: Any = hypothesis.settings(
    max_examples=EXAMPLES, database=None, phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck), deadline=None,
)  # fmt: skip


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in {"host", "content-length"}}
