"""The commands that make a city pack of records, and try it on them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from libs.common.city.learning.history import Case
from libs.common.city.pack import load_city
from services.cli import __main__ as cli
from services.cli import client as cli_client
from services.cli.city import interval
from services.cli.reliving import Relived, compared
from tests.support.histories import write_history


def _type(*words: object) -> Result:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("city")
    history, map_ = write_history(folder)
    told = _type("city", "learn", history, "--map", map_, "--to", folder / "pack", "--until", "2025-04-15")
    assert told.exit_code == 0, told.output
    assert "JIESU_CITY=" in told.stdout
    return history, map_, folder / "pack"


def test_a_pack_learned_of_earlier_records_is_judged_on_later_ones(learned: tuple[Path, Path, Path]) -> None:
    history, map_, pack = learned
    told = _type("city", "evaluate", history, "--map", map_, "--pack", pack, "--since", "2025-04-15").stdout
    assert "department right" in told
    assert "By words and place alone" in told


def test_what_cannot_be_used_is_said(learned: tuple[Path, Path, Path], tmp_path: Path) -> None:
    history, map_, pack = learned
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    for words, said in (
        (("learn", history, "--map", map_, "--to", pack), "not empty"),
        (("learn", other, "--map", map_, "--to", tmp_path / "p"), "has no column id"),
        (("evaluate", history, "--map", map_, "--pack", pack, "--since", "2035-01-01"), "no record of that time"),
        (("evaluate", history, "--map", map_, "--pack", pack, "--since", "May"), "a day like"),
    ):
        result = _type("city", *words)
        assert isinstance(result.exception, cli.EXPECTED)
        assert said in str(result.exception)


def test_what_fails_on_the_way_leaves_no_half_made_pack(learned: tuple[Path, Path, Path], tmp_path: Path) -> None:
    history, map_, _ = learned
    header, *lines = history.read_text().splitlines(keepends=True)
    alone = tmp_path / "alone.csv"
    alone.write_text(header + "".join(line for line in lines if ",Tree pruning," in line))
    result = _type("city", "learn", alone, "--map", map_, "--to", tmp_path / "packs" / "harbour")
    assert "two units" in str(result.exception)
    assert list((tmp_path / "packs").iterdir()) == []


def test_orders_that_were_closed_teach_the_model_of_the_pack_anew(
    learned: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, pack = learned
    monkeypatch.setenv("JIESU_HOME", str(tmp_path))
    (tmp_path / "dev.key").write_text("jk_test")
    at = datetime(2025, 6, 2, tzinfo=UTC)
    orders: list[dict[str, Any]] = [
        {
            "desk": False, "district": "100001", "street_name": None, "title": None, "text": "hole in the road",
            "category": ["Works", "Roads", "Pothole"], "address": None, "unit": {"code": unit},
            "dispatched_at": (at + timedelta(hours=i)).isoformat(),
        }
        for i, unit in enumerate(["unit-roads-n", "unit-trees"] * 10)
    ]  # fmt: skip
    pages = [{"items": orders[:15], "next": "more"}, {"items": [*orders[15:], {"desk": True}], "next": None}]

    def client(url: str, _: Path) -> httpx.AsyncClient:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=pages.pop(0)))
        return httpx.AsyncClient(base_url=url, transport=transport)

    monkeypatch.setattr(cli_client, "client", client)
    told = _type("city", "learn-orders", "--pack", pack)
    assert told.exit_code == 0, told.output
    assert "20 closed orders" in told.stdout


def test_an_interval_holds_the_share_and_is_narrower_of_more_cases() -> None:
    low, high = interval(0.85, 100)
    closer = interval(0.85, 10_000)
    assert low < closer[0] < 0.85 < closer[1] < high


TARGET = datetime(2025, 1, 20, 15, tzinfo=UTC)


def _relived(due: datetime, light: str) -> Relived:
    opened = datetime(2025, 1, 6, 15, tzinfo=UTC)
    case = Case(
        "1", opened, TARGET, opened + timedelta(days=1), True, "Street lamp dark", ("Works", "Lights", "Lamp out"),
        "Lights N", "WORKS", "", "N", "Hill", None, "phone",
    )  # fmt: skip
    clocks = [
        {"clock": name, "state": "met", "light": light, "due_at": due.isoformat()}
        for name in ("response", "completion")
    ]
    ticket = {"status": "closed", "category": ["Works", "Lights", "Lamp out"]}
    return Relived(case, ticket, {"unit": {"code": "unit-lights-n"}}, clocks)


def test_what_was_lived_again_is_laid_beside_the_records(learned: tuple[Path, Path, Path]) -> None:
    _, _, pack = learned
    city = load_city(pack)
    rows = compared([_relived(TARGET, "green"), _relived(TARGET + timedelta(days=9), "yellow")], city)
    shares = {what: share for what, _, share in rows}
    assert shares["unit as in the record"] == shares["department as in the record"] == "1.000"
    assert shares["due within a day of the record's target"] == "0.500"
    assert (shares["done in time, as clocks say"], shares["clock and record agree"]) == ("0.500", "0.500")
