"""Indices and the figures they rest on, over HTTP on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.feedback.handlers import count_indices
from tests.support.record import MONTH, Record, case, recording, review

HEAD = "indicator,district,as_of,value,source\n"


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        yield record


async def bring_in(record: Record, table: str) -> Any:
    files = {"file": ("figures.csv", table.encode())}
    return await record.http.post("/feedback/v1/coverage", files=files)


async def test_indices_are_counted_from_the_record_and_figures_from_outside(record: Record) -> None:
    cases = [case(tag="便利性", district="110105") for _ in range(40)]
    await record.keep(*cases, *(review(one) for one in cases[:30]))
    assert (await bring_in(record, HEAD + "quarter_hour,110105,2025-12-31,75,商务局\n")).json() == {"figures": 1}
    for _ in range(2):
        # On one of two days the service's own job may be the first.
        record.clock.advance(days=1)
        await count_indices(record.stage.context)
    found = {(one["district"], one["tag"]): one for one in await record.get("indices", period=MONTH)}
    one = found["110105", "便利性"]
    assert (one["name"], one["answers"], one["coverage"]) == ("朝阳区", 30, 50)
    assert one["low"] < one["index"] < one["high"]
    assert one["figures"] == [{"indicator": "quarter_hour", "as_of": "2025-12-31", "value": 75, "source": "商务局"}]
    assert found["110101", "安全性"]["too_few"] is True


async def test_a_table_with_a_wrong_cell_is_not_kept_at_all(record: Record) -> None:
    table = HEAD + "doctors,110105,2025-12-31,4.2,卫健委\ndoctors,110105,2025-13-31,4.2,卫健委\n"
    answer = await bring_in(record, table)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["coverage.csv:3 as_of"]
    assert await record.get("coverage") == []


async def test_only_a_supervisor_of_the_city_brings_figures_in(record: Record) -> None:
    files = {"file": ("figures.csv", HEAD.encode())}
    async with record.holding("supervisor", units=("d-110105",)) as local, record.holding("unit") as unit:
        assert (await local.post("/feedback/v1/coverage", files=files)).status_code == 403
        assert (await unit.post("/feedback/v1/coverage", files=files)).status_code == 403


async def test_the_method_is_published_with_every_number_and_needs_no_key(record: Record) -> None:
    del record.http.headers["authorization"]
    method = await record.get("indices/method")
    assert method["weights"] == {"solved": 0.5, "volume": 0.3, "coverage": 0.2}
    for language in ("zh", "en"):
        assert all(str(number) in method["words"][language] for number in (0.5, 0.3, 0.2, 20.0, 10))
    assert sum(place["people"] for place in method["population"]) == 21_893_095
    assert len(method["tags"]) == 12
