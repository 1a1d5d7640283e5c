"""Extracts are shared and do not leak: to who looks for one person, for another unit's requests, or comes too late."""

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.feedback.domain import Ticket
from services.feedback.handlers import keep_extracts
from services.feedback.store import save_tickets
from tests.support.record import MONTH, NEXT_MONTH, STREET, TOWN, Record, case, recording

LATER = NEXT_MONTH + timedelta(days=20)
PLACES = ["district", "street", "category3"]
WATER = ("供水排水", "自来水供应", "突然停水")
K = 5
PEOPLE = count()


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        yield record


async def appeal(record: Record, people: int, times: int = 1, **more: Any) -> None:
    """Have so many people, whom nobody knew before, appeal so many times each."""
    whose = [f"p-{next(PEOPLE)}" for _ in range(people)] * times
    cases = [case(**more) for _ in whose]
    await record.keep(*cases)
    async with record.stage.context.database.begin() as tx:
        await save_tickets(tx, [Ticket(one.ticket_id, reporter=who) for one, who in zip(cases, whose, strict=True)])


def wish(**more: Any) -> dict[str, Any]:
    """Return a request that is right: of the month, by a street, for its planning."""
    return {
        "unit": STREET, "purpose": "planning", "words": "编制排水管网改造计划", "fields": PLACES, "first": MONTH,
        "last": MONTH, **more,
    }  # fmt: skip


async def granted(record: Record, **more: Any) -> str:
    """Ask for an extract, grant it and have it made, once the month is settled and its record whole."""
    record.clock.at = LATER
    asked = await record.post("extracts", **wish(**more))
    assert asked.status_code == 201, asked.text
    id_: str = asked.json()["extract_id"]
    ruled = await record.post(f"extracts/{id_}/ruling", granted=True, note="同意", days=30)
    assert ruled.status_code == 200, ruled.text
    await keep_extracts(record.stage.context)
    return id_


async def fetched(record: Record, **more: Any) -> list[dict[str, str]]:
    """Return the rows of an extract that was asked for, granted, made and fetched."""
    return read(await record.http.get(f"/feedback/v1/extracts/{await granted(record, **more)}/file"))


def read(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_a_unit_asks_a_supervisor_grants_and_the_file_is_fetched_with_its_hash(record: Record) -> None:
    await appeal(record, 6)
    id_ = await granted(record, fields=["street", "day", "category3", "urgency"])
    answer = await record.http.get(f"/feedback/v1/extracts/{id_}/file")
    assert read(answer) == [
        {"period": MONTH, "day": "2026-03-02", "street": STREET, "category3": WATER[2], "urgency": "general",
         "appeals": "6"}
    ]  # fmt: skip
    shown = await record.get(f"extracts/{id_}")
    assert (shown["state"], shown["rows"], shown["appeals"]) == ("ready", 1, 6)
    assert shown["sha256"] == sha256(answer.content).hexdigest()
    acts = await record.get(f"extracts/{id_}/acts")
    assert [(act["act"], act["by"], act["rows"]) for act in acts] == [
        ("asked", "test", None), ("granted", "test", None), ("made", "clock", 1), ("downloaded", "test", 1),
    ]  # fmt: skip


async def test_neither_one_person_nor_those_nobody_knows_nor_a_few_of_the_poor_are_a_group(record: Record) -> None:
    await appeal(record, 1, times=9)
    await record.keep(*(case(category=("市政设施", "道路照明", "路灯不亮")) for _ in range(20)))
    await appeal(record, K + 1, category=("民政养老", "社会救助", "低保申请"))
    await appeal(record, K, street=TOWN)
    rows = await fetched(record)
    assert [(row["street"], row["appeals"]) for row in rows] == [(TOWN, "5")]


async def test_two_extracts_cannot_be_subtracted_to_find_one_person(record: Record) -> None:
    await appeal(record, K)
    await appeal(record, K, category=("供水排水", "水质水压", "水压不足"))
    await appeal(record, 1, street=TOWN)
    await appeal(record, 3, street="s-110105001", category=("供水排水", "水质水压", "水压不足"))
    await appeal(record, 2, street="s-110105002", channel="web")
    wishes: list[dict[str, Any]] = [
        {}, {"districts": ["110105"]}, {"categories": ["供水排水"]}, {"fields": ["district"]},
        {"fields": ["day", "category2"]}, {"fields": ["channel", "district"]}, {"fields": ["category3"]},
    ]  # fmt: skip
    seen = [await fetched(record, **one) for one in wishes]
    await appeal(record, 1)
    assert await fetched(record) == seen[0], "who came since is not told by an extract that is made later"
    assert all(int(row["appeals"]) >= K for rows in seen for row in rows)
    for one in seen:
        for other in seen:
            shared = [name for name in one[0] if name in other[0] and name != "appeals"]
            rest = summed(one, shared)
            rest.subtract(summed(other, shared))
            assert all(abs(gap) >= K for gap in rest.values() if gap), (one, other)


def summed(rows: list[dict[str, str]], names: list[str]) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        sums[tuple(row[name] for name in names)] += int(row["appeals"])
    return sums


async def test_nobody_learns_of_another_units_request(record: Record) -> None:
    await appeal(record, K)
    id_ = await granted(record)
    async with record.holding("unit", units=(TOWN,)) as other, record.holding("unit", units=("d-110105",)) as above:
        for stranger in (other, above):
            assert (await stranger.get("/feedback/v1/extracts")).json()["items"] == []
            for path in (f"extracts/{id_}", f"extracts/{id_}/file", f"extracts/{id_}/acts"):
                assert (await stranger.get(f"/feedback/v1/{path}")).status_code == 404
        asked = await other.post("/feedback/v1/extracts", json=wish())
        assert asked.status_code == 403


async def test_a_unit_sees_its_own_and_neither_grants_it_nor_has_it_fetched_by_its_supervisor(record: Record) -> None:
    await appeal(record, K)
    record.clock.at = LATER
    async with record.holding("unit", "supervisor", units=(STREET,)) as own:
        asked = (await own.post("/feedback/v1/extracts", json=wish())).json()
        assert [one["extract_id"] for one in (await own.get("/feedback/v1/extracts")).json()["items"]] == [
            asked["extract_id"]
        ]
        path = f"/feedback/v1/extracts/{asked['extract_id']}"
        assert (await own.post(f"{path}/ruling", json={"granted": True, "note": "自己批"})).status_code == 403
    async with record.holding("supervisor") as city:
        ruling = {"granted": True, "note": "同意"}
        assert (await city.post(f"{path}/ruling", json=ruling)).status_code == 200
        assert (await city.post(f"{path}/ruling", json=ruling)).status_code == 409
        await keep_extracts(record.stage.context)
        assert (await city.get(f"{path}/file")).status_code == 403


async def test_what_was_refused_or_has_expired_is_not_handed_out_but_deleted_and_what_was_done_stays(
    record: Record,
) -> None:
    await appeal(record, K)
    record.clock.at = LATER
    refused = (await record.post("extracts", **wish())).json()["extract_id"]
    await record.post(f"extracts/{refused}/ruling", granted=False, note="用途不明")
    id_ = await granted(record)
    record.clock.advance(days=30)
    for late in (refused, id_):
        assert (await record.http.get(f"/feedback/v1/extracts/{late}/file")).status_code == 409
    pool = record.stage.context.database.pool
    assert await pool.fetchval("SELECT count(*) FROM extract_files") == 1
    await keep_extracts(record.stage.context)
    assert await pool.fetchval("SELECT count(*) FROM extract_files") == 0
    assert (await record.http.get(f"/feedback/v1/extracts/{id_}/file")).status_code == 409
    assert (await record.get(f"extracts/{id_}"))["state"] == "expired"
    acts = [act["act"] for act in await record.get(f"extracts/{id_}/acts")]
    assert acts == ["asked", "granted", "made", "denied", "expired", "denied"]
    for statement in ("UPDATE extract_acts SET by = 'nobody'", "DELETE FROM extract_acts", "TRUNCATE extract_acts"):
        with pytest.raises(asyncpg.RaiseError):
            await pool.execute(statement)


async def test_a_request_outside_the_closed_lists_is_refused(record: Record) -> None:
    record.clock.at = LATER
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"purpose": "curiosity"}, "purpose"), ({"fields": ["reporter"]}, "fields.0"), ({"fields": []}, "fields"),
        ({"last": "2026-04"}, "last"), ({"first": "2024-01"}, "last"), ({"first": "2026-04"}, "last"),
        ({"districts": ["310101"]}, "districts"), ({"categories": ["别的"]}, "categories"), ({"unit": "no"}, "unit"),
    ]  # fmt: skip
    for more, field in wrong:
        answer = await record.post("extracts", **wish(**more))
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field
    terms = await record.get("extracts/terms")
    assert (terms["last_month"], terms["k"], terms["sensitive_k"]) == (MONTH, 5, 20)
    assert not {"reporter", "number", "text", "address", "unit"} & set(terms["fields"])
