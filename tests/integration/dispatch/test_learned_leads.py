"""A city whose records taught routing: what they know leads, is explained, and is counted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from libs.common.city.pack import load_city
from libs.common.contracts.vocabulary import Place
from services.cli import __main__ as cli
from services.dispatch.routing.metrics import OPINIONS
from tests.support.histories import write_history
from tests.support.routing import Dispatching, dispatching


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
