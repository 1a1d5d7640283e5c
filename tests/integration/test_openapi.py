"""Each service's OpenAPI is true: whatever a client sends, the answer is of a declared status, type and shape."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
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

from libs.common.messaging.memory import MemoryBus
from libs.common.runtime.service import Service
from services.embedded import SERVICES
from tests.support.stages import ManualClock, client, running, settings_for

SHAPE = [status_code_conformance, content_type_conformance, response_schema_conformance]
NOBODY = "http://127.0.0.1:9"
"""Where nobody listens: the classify that dispatch's dry run asks is away, whatever else runs on this machine."""
EXAMPLES = 12
"""For each operation, of what it declares and as many of what it does not."""


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.name))
async def test_whatever_is_sent_the_answer_is_one_that_openapi_declares(
    service: Service, fresh_database: str, tmp_path: Path
) -> None:
    settings = replace(settings_for(tmp_path, fresh_database), classify_url=NOBODY)
    async with running(service, settings, MemoryBus(), ManualClock()) as stage:
        async with client([stage], (tmp_path / "key").read_text()) as http:
            schema = (await http.get(f"/{service.name}/openapi.json")).json()
            for case in _cases(schema):
                sent: Any = requests.Request(**case.as_transport_kwargs(base_url="http://jiesu")).prepare()
                answer = await http.request(sent.method, sent.url, content=sent.body, headers=_plain(sent.headers))
                away = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
                case.validate_response(answer, checks=SHAPE if away else [*SHAPE, not_a_server_error])
        assert await stage.not_ready() == []


def _cases(schema: dict[str, Any]) -> list[Any]:
    """Return the same requests every time, right and wrong ones, to every operation."""
    cases: list[Any] = []

    def keep(case: Any) -> None:
        cases.append(case)

    operations: Any = schemathesis.openapi.from_dict(schema).get_all_operations()
    for result in operations:
        for mode in GenerationMode:
            strategy = result.ok().as_strategy(generation_mode=mode)
            with suppress(Unsatisfiable):  # nothing can be wrong where nothing is asked for
                SEEDED(SETTINGS(GIVEN(strategy)(keep)))()
    return cases


GIVEN: Any = hypothesis.given
SEEDED: Any = hypothesis.seed(1)
SETTINGS: Any = hypothesis.settings(
    max_examples=EXAMPLES, database=None, phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck), deadline=None,
)  # fmt: skip


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in {"host", "content-length"}}
