"""A city whose records taught routing: what they know leads, is explained, and is counted."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from threading import current_thread, main_thread

import pytest
from typer.testing import CliRunner

from libs.common.city.pack import load_city
from libs.common.contracts.classify import TicketClassified
from libs.common.contracts.feedback import TicketClosed, TicketReopened
from libs.common.contracts.intake import TicketReceived
from libs.common.contracts.vocabulary import Place, Receipt
from services.cli import __main__ as cli
from services.dispatch.domain import Matter
from services.dispatch.routing.metrics import OPINIONS
from tests.support.histories import write_history
from tests.support.routing import JUDGED, Dispatching, dispatching
from tests.support.stages import NOON


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harbour")
    history, map_ = write_history(folder)
    told = CliRunner().invoke(
        cli.app, ["city", "learn", str(history), "--map", str(map_), "--to", str(folder / "pack")]
    )
    assert told.exit_code == 0, told.output
    return folder / "pack"


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path, pack: Path) -> AsyncIterator[Dispatching]:
    async with dispatching(fresh_database, tmp_path, city=pack) as world:
        yield world


async def test_the_crew_that_looked_after_such_matters_there_leads(world: Dispatching, pack: Path) -> None:
    city = load_city(pack)
    pothole = next(question for question in city.catalogue if question.l3 == "Pothole")
    south = next(unit.district for unit in city.units.values() if unit.kind == "district" and unit.short == "S")
    asked = {"code": pothole.code, "location": {"lat": 10.0535, "lon": 20.1035}, "channel": "phone"}
    route = await world.post("routes", asked)
    assert (route["unit"]["code"], route["rule"], route["agrees"]) == ("unit-roads-s", "learned", False)
    assert "Roads S" in route["why"][0]
    assert route["alternatives"][0]["code"] == pothole.owner == "dept-works"
    assert route["opinions"][0]["unit"]["code"] == "unit-roads-s"
    before = OPINIONS.labels("false", "model")._value.get()
    ticket = await world.judged(
        code=pothole.code, category=pothole.category, owner_kind="department", owner=pothole.owner,
        place=Place(district=str(south), district_name="South", confidence=0.9),
    )  # fmt: skip
    order = await world.get(f"orders/{ticket}")
    assert (order["unit"]["code"], order["rule"]) == ("unit-roads-s", "learned")
    assert OPINIONS.labels("false", "model")._value.get() == before + 1
    assert all("words" not in key for key in order)


async def test_a_decision_is_kept_without_the_words_that_the_model_read(world: Dispatching) -> None:
    await world.judged()
    kept = await world.here.database.pool.fetch("SELECT matter ->> 'words' AS words FROM decisions")
    assert [row["words"] for row in kept] == [""]


async def test_history_is_asked_beside_the_loop_before_the_transaction(world: Dispatching) -> None:
    router = world.here.engine.router
    learned, threads = router.learned, []

    def asked(matter: Matter) -> Sequence[tuple[str, float]]:
        threads.append(current_thread())
        return learned(matter) if learned else ()

    router.learned = asked
    ticket = await world.judged()
    await world.judged_again(ticket, summary="还是不热")
    await world.peer.say(ticket, TicketClosed(outcome="unsolved", round=1, at=NOON))
    assert len(threads) == 2
    assert main_thread() not in threads
    early = world.clock.new_id()
    receipt = Receipt(number="20260302-0000009", channel="phone", text="hole in the road", received_at=NOON)
    judged = TicketClassified.model_validate({**JUDGED, "receipt": receipt})
    await world.peer.say(early, judged, TicketReceived(**receipt.model_dump()))
    assert (await world.get(f"orders/{early}"))["state"] == "dispatched"
    assert main_thread() not in threads, "intake's word came behind the judgement, and it was read with that"
    del threads[:]
    await world.peer.say(ticket, TicketReopened(reason="not_solved", round=2, at=NOON))
    assert threads == [main_thread()], "what an older judgement needs is asked when it is needed"


async def test_why_an_order_has_its_lead_is_said_in_the_language_of_the_city(world: Dispatching) -> None:
    lights, trees = "unit-lights-n", "unit-trees"
    ticket = await world.judged(
        place=Place(district="100001", district_name="North", confidence=1, matched=("Mill St",))
    )
    away = {"unit": lights, "note": "the crew of lamps"}
    await world.post(f"orders/{ticket}/reassign", away)
    await world.post(f"orders/{ticket}/return", {"ground": "not_our_duty", "note": "Trees are cut by the parks"})
    await world.post(f"orders/{ticket}/rule", {"upheld": True, "unit": trees, "note": "a tree"})
    move = {"from_unit": trees, "to_unit": lights, "note": "one crew"}
    moved = await world.post("handovers", move)
    await world.ended(f"handovers/{moved['handover_id']}")
    await world.post(f"orders/{ticket}/accept")
    await world.post(f"orders/{ticket}/resolve", {"reply": "The tree was cut today."})
    await world.peer.say(
        ticket,
        TicketClosed(outcome="unsolved", round=1, at=NOON),
        TicketReopened(reason="not_solved", round=2, at=NOON),
    )
    whys = [why for decision in await world.get(f"orders/{ticket}/decisions") for why in decision["why"]]
    assert [why for why in whys if any("\u4e00" <= letter <= "\u9fff" for letter in why)] == []
    assert [why.partition(":")[0] for why in whys if ":" in why][-4:] == [
        "Reassigned", "Ruled", "Handed over with others", "Round 2",
    ]  # fmt: skip
    assert "Lights N leads on" in whys[-1]
