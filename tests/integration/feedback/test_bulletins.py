"""What units read of a month: the diagnosis and the bulletin, in Chinese and in English."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.record import MONTH, STREET, TOWN, Record, recording

OTHERS = [f"s-1101050{n:02}" for n in range(1, 14)]
LEAK: dict[str, Any] = {"category": ("住房物业", "房屋漏水", "屋顶漏水"), "code": "housing-02-01"}
DISTRICT = "d-110105"


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path) as record:
        yield record


async def a_month(record: Record) -> None:
    """Streets alike, but that one fails with leaks, where another speaks with people sooner and brings proof."""
    for unit in (STREET, *OTHERS):
        await record.answers(unit, 45, 5)
    for unit in OTHERS[1:]:
        await record.answers(unit, 20, 20, **LEAK)
    quick: dict[str, Any] = {"evidence": 1, "contacted_at": None}
    await record.answers(OTHERS[0], 40, 0, **LEAK, **quick)
    await record.answers(STREET, 2, 38, **LEAK)
    assert (await record.post(f"scores/{MONTH}")).status_code == 200


async def bulletin(record: Record, unit: str, language: str = "zh", **params: Any) -> str:
    path = f"/feedback/v1/bulletins/{MONTH}/{unit}"
    answer = await record.http.get(path, params=params, headers={"accept-language": language})
    assert answer.status_code == 200, answer.text
    return "\n".join([answer.json()["title"], *(line for one in answer.json()["sections"] for line in one["lines"])])


async def test_a_diagnosis_says_what_falls_short_against_whom_and_what_helped_others(record: Record) -> None:
    await a_month(record)
    found = await record.get(f"diagnosis/{STREET}", period=MONTH)
    assert (found["standing"], len(found["against"])) == ("below", 13)
    assert {gap["kpi"] for gap in found["gaps"]} == {"solved", "satisfied"}
    worst = found["categories"][0]
    assert (worst["category"], worst["answers"]) == (["住房物业", "房屋漏水"], 40)
    assert worst["name"] == "住房物业·房屋漏水"
    assert [helper["unit"]["code"] for helper in worst["helpers"]] == [OTHERS[0]]
    assert [(gap["kpi"], gap["own"], gap["others"]) for gap in worst["practices"]] == [("evidence", 0, 1)]
    fine = await record.get(f"diagnosis/{OTHERS[5]}", period=MONTH)
    assert (fine["standing"], fine["gaps"]) == ("usual", [])


async def test_a_bulletin_is_read_in_chinese_and_in_english(record: Record) -> None:
    await a_month(record)
    chinese, english = await bulletin(record, STREET), await bulletin(record, STREET, "en")
    assert chinese.startswith("望京街道 2026-03 接诉即办考评通报（第1版）\n计入考评的市民评价90件")
    for said in ("低于预期", "住房物业·房屋漏水：评价40件", "办得好的有：建外街道", "解决率52.2%"):
        assert said in chinese
    assert "below that" in english
    assert "Housing and property · 房屋漏水: 40 answers" in english
    assert "{" not in chinese + english


async def test_the_bulletin_of_a_district_is_of_all_its_streets(record: Record) -> None:
    await a_month(record)
    await record.answers("dept-water", 5)
    whole = await bulletin(record, DISTRICT)
    assert "辖区内14家单位共计1260件" in whole
    assert "需要帮助：望京街道。" in whole
    assert "好于预期：建外街道。" in whole


async def test_an_upheld_appeal_changes_the_bulletins_of_the_unit_and_its_area_and_no_other(record: Record) -> None:
    cases = {unit: await record.answers(unit, 40, 10) for unit in (STREET, *OTHERS)}
    assert (await record.post(f"scores/{MONTH}")).status_code == 200
    units = (STREET, *OTHERS, DISTRICT)
    before = {unit: await bulletin(record, unit) for unit in units}
    body = {"unit": STREET, "ticket_id": str(cases[STREET][-1].ticket_id), "ground": "malicious", "note": "恶意"}
    appeal = (await record.post(f"scores/{MONTH}/appeals", **body)).json()["appeal_id"]
    assert (await record.post(f"score-appeals/{appeal}/ruling", upheld=True, note="属实")).status_code == 200
    record.clock.advance(days=1)
    assert {unit: await bulletin(record, unit, version=1) for unit in units} == before
    after = {unit: (await bulletin(record, unit)).replace("（第2版）", "（第1版）") for unit in units}
    assert {unit for unit in units if after[unit] != before[unit]} == {STREET, DISTRICT}
    assert "申诉成立1件" in after[STREET]


async def test_a_few_answers_are_not_judged(record: Record) -> None:
    await record.answers(TOWN, 0, 3, received_at=None, resolved_at=None)
    assert (await record.post(f"scores/{MONTH}")).status_code == 200
    said = await bulletin(record, TOWN)
    assert "评价较少，不作高低判断" in said
    assert "低于" not in said


async def test_who_reads_what_is_not_there_or_not_theirs_is_told_so(record: Record) -> None:
    paths = (f"bulletins/{MONTH}/{STREET}", f"diagnosis/{STREET}?period={MONTH}")
    for path in paths:
        assert (await record.http.get(f"/feedback/v1/{path}")).status_code == 404
    await record.answers(TOWN, 3)
    assert (await record.post(f"scores/{MONTH}")).status_code == 200
    async with record.holding("unit", units=(TOWN,)) as town:
        for path in paths:
            assert (await town.get(f"/feedback/v1/{path}")).status_code == 403
            assert (await record.http.get(f"/feedback/v1/{path}")).status_code == 404
        assert (await town.get(f"/feedback/v1/bulletins/{MONTH}/{TOWN}")).status_code == 200
