"""The index of process quality on a real database: fitted on what was answered, and shown beside it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from libs.common.contracts.dispatch import ReplyWords
from services.feedback.domain import Case, Review
from services.feedback.handlers import measure_quality, quality
from services.feedback.store.quality import judged
from tests.support.record import MONTH, NEXT_MONTH, STREET, TOWN, Record, case, recording, review
from tests.support.stages import NOON

PLAIN = ReplyWords(characters=60, concrete=0.8, empty=0, officialese=1, sentence=20)
HOLLOW = ReplyWords(characters=40, concrete=0, empty=8, officialese=9, sentence=40)
FEW = "s-110105001"


@pytest.fixture
async def record(fresh_database: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with recording(fresh_database, tmp_path, NEXT_MONTH) as record:
        yield record


async def lived(record: Record, unit: str, rounds: int, good: float, answered: float = 0.8) -> None:
    """Write rounds of a unit: well done ones are solved nine times in ten, hollow ones one time in five."""
    random = Random(f"{unit} {rounds}")
    rows: list[Case | Review] = []
    for _ in range(rounds):
        well = random.random() < good
        more = {"reply_words": PLAIN, "evidence": 1} if well else {
            "reply_words": HOLLOW, "reply_faults": ("boilerplate",), "contacted_at": None, "response_in_time": False,
        }  # fmt: skip
        one = case(unit_code=unit, unit_name=unit, **more)
        rows.append(one)
        if random.random() < answered:
            yes = random.random() < (0.9 if well else 0.2)
            rows.append(review(one, resolved="yes" if yes else "no", satisfied=5 if yes else 1))
    await record.keep(*rows)


async def measured(record: Record) -> None:
    """Measure on two days: on one of them the service's own job may be the first."""
    for _ in range(2):
        record.clock.advance(days=1)
        await measure_quality(record.stage.context)


async def test_too_few_answers_make_no_index(record: Record) -> None:
    await record.answers(STREET, 20, 5)
    assert await quality.fit(record.stage.context) is None
    assert await record.get("quality", period=MONTH) == []
    assert await record.get("quality/models") == []


async def test_the_index_tells_of_a_unit_that_hardly_anyone_was_asked_about(record: Record) -> None:
    await lived(record, STREET, 300, good=0.9)
    await lived(record, TOWN, 300, good=0.4)
    await lived(record, FEW, 200, good=0.1, answered=0.0)
    await record.keep(*(review(one) for one in [case(unit_code=FEW, unit_name=FEW)]))
    await measured(record)
    (model,) = await record.get("quality/models")
    assert model["metrics"]["low"] > 0.7, model["metrics"]
    found = {one["unit"]["code"]: one for one in await record.get("quality", period=MONTH)}
    assert found[FEW]["high"] < found[TOWN]["index"] < found[STREET]["low"], found
    assert found[FEW]["answers"] == 0
    assert (found[FEW]["weight"], found[FEW]["solved"]) == (1, None)
    assert 0 < found[STREET]["weight"] < 1
    low, high = sorted((found[STREET]["index"], 100 * found[STREET]["solved"]))
    assert low <= found[STREET]["together"] <= high


async def test_no_rate_contains_any_of_the_index(record: Record) -> None:
    await lived(record, STREET, 300, good=0.6)
    before = await record.get("scorecards", period=MONTH)
    await measured(record)
    assert await record.get("scorecards", period=MONTH) == before


async def test_a_round_shows_what_its_index_is_made_of(record: Record) -> None:
    await lived(record, STREET, 400, good=0.6)
    hollow = case(reply_words=HOLLOW, reply_faults=("boilerplate",), contacted_at=None, unit_code=STREET)
    await record.keep(hollow)
    assert (await record.http.get(f"/feedback/v1/quality/{hollow.ticket_id}")).status_code == 409
    await measured(record)
    (shown,) = await record.get(f"quality/{hollow.ticket_id}")
    assert shown["index"] < 50
    assert shown["parts"]["reply_boilerplate"] < 0 > shown["parts"]["contacted"]
    assert shown["values"]["contacted"] == 0
    async with record.holding("unit", units=(TOWN,)) as other:
        assert (await other.get(f"/feedback/v1/quality/{hollow.ticket_id}")).json() == []


async def test_what_came_again_within_thirty_days_counts_against_it(record: Record) -> None:
    done = case(unit_code=STREET)
    again = case(parent=done.ticket_id, received_at=NOON + timedelta(days=9), unit_code=None, resolved_at=None)
    await record.keep(done, again)
    async with record.stage.context.database.begin() as tx:
        await tx.connection.execute(
            "INSERT INTO tickets (ticket_id, parent, round) VALUES ($1, $2, 1)", again.ticket_id, done.ticket_id
        )
    (only,) = await judged(record.stage.context.database.pool, done.ticket_id)
    assert only.values["again"] == 1
    assert only.values["words"] is None
