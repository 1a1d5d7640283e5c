"""`city`: a city pack made of a city's own records, and how well its routing would have gone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from libs.common.city.learning.history import Case, cases
from libs.common.city.learning.mapping import Mapped, load_map
from libs.common.city.learning.packing import Coded, Made, make_pack
from libs.common.city.pack import City, load_city
from services.cli import reliving
from services.cli.client import KeyFile, Url, ask
from services.cli.records import RecordsError, open_source
from services.cli.screen import say, table
from services.dispatch.routing.learned import FILE, Seen, load
from services.dispatch.routing.learning import Lesson, Quality, judge, learn

app = typer.Typer(help="Make a city pack from a city's own records, and try it on them.", no_args_is_help=True)
History = Annotated[Path, typer.Argument(help="A CSV file of records, plain or .gz.")]
MapFile = Annotated[Path, typer.Option("--map", help="Which column holds what; deploy/maps has one to copy.")]
Since = Annotated[str, typer.Option(help="Only records from this day on, like 2015-07-01.")]
Until = Annotated[str, typer.Option(help="Only records before this day.")]
Pack = Annotated[Path, typer.Option(help="The folder that `city learn` wrote.")]
PAGE = 500


class CityCommandError(ValueError):
    """Records, a map or a folder that cannot be used; the text says what would be right."""


@app.command("learn")
def learn_(
    history: History,
    map_file: MapFile,
    to: Annotated[Path, typer.Option(help="The folder of the pack, empty or not there yet.")],
    since: Since = "",
    until: Until = "",
) -> None:
    """Make a whole city pack: questions, units, areas, limits, and the routing that the records teach."""
    map_ = load_map(map_file)
    found = read(history, map_, since, until)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise CityCommandError(f"{to} is there and not empty")
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as beside:
        city, made, quality = _made(history, found, map_, draft := Path(beside) / to.name)
        draft.rename(to)
    table(f"Made of {history.name}", ("what", "how many"), [(n, getattr(made, n)) for n in made.__dataclass_fields__])
    show("The newest records, held out", quality)
    say(f"{to} is the pack of {city.name.en}: JIESU_CITY={to} makes it yours.", "bold green")


def _made(history: Path, found: Sequence[Case], map_: Mapped, to: Path) -> tuple[City, Made, Quality]:
    """Make a pack in a folder of its own, so that one which cannot be made leaves nothing behind."""
    try:
        made = make_pack(found, map_, to)
        city = load_city(to)
        say(f"Learning the routing of {len(found)} records …")
        model, quality = learn(lessons(found, city))
    except ValueError as error:
        raise CityCommandError(f"{history}: {error}") from error
    model.save(to / FILE)
    return city, made, quality


@app.command()
def evaluate(history: History, map_file: MapFile, pack: Pack, since: Since = "", until: Until = "") -> None:
    """Say how often a pack's routing names the unit that had a record in the end, on records it did not learn from."""
    city, model = load_city(pack), load(pack / FILE)
    if model is None:
        raise CityCommandError(f"{pack} holds no {FILE}; `city learn` writes it")
    found = lessons(read(history, load_map(map_file), since, until), city)
    if not found:
        raise CityCommandError("no record of that time")
    above = {code: unit.parent for code, unit in city.units.items() if unit.parent}
    show("By all that is known when they come", judge(model, found, above))
    named = [replace(lesson, seen=replace(lesson.seen, category=("", "", ""))) for lesson in found]
    show("By words and place alone", judge(model, named, above))


@app.command()
def replay(
    history: History,
    map_file: MapFile,
    pack: Pack,
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, help="How many records, the first ones of that time.")] = 2000,
    days: Annotated[float, typer.Option(min=0, help="How long after the last one life goes on.")] = 30,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long all of it takes, in real time.")] = 5,
) -> None:
    """Live records again, as they came and were closed, on a platform of their own; compare what it says of them."""
    reliving.replay(read, history, map_file, pack, since, until, limit, days, minutes)


@app.command("learn-orders")
def learn_orders(pack: Pack, url: Url = "", key: KeyFile = "") -> None:
    """Learn routing anew of the orders that a platform has closed, each by the unit that had it in the end.

    It is written into the pack; dispatch asks it from its next start on.
    """
    city = load_city(pack)
    found = list(closed_orders(url, key, city))
    say(f"Learning the routing of {len(found)} closed orders …")
    try:
        model, quality = learn(found)
    except ValueError as error:
        raise CityCommandError(f"the orders that are closed: {error}") from error
    model.save(pack / FILE)
    show("The newest orders, held out", quality)


def closed_orders(url: str, key: str, city: City) -> Iterator[Lesson]:
    """Yield what each closed order teaches, those of the centre's desk left out."""
    streets = {
        (unit.district, unit.name.zh): code for code, unit in city.units.items() if unit.kind in {"street", "town"}
    }
    query: dict[str, Any] = {"state": "closed", "limit": PAGE}
    while True:
        page = ask(url, key, "GET", "/dispatch/v1/orders", params=query)
        for order in page["items"]:
            if not order["desk"]:
                area = streets.get((order["district"], order["street_name"]), "")
                words = order["title"] or order["text"]
                seen_ = Seen(tuple(order["category"]), words, order["address"] or "", order["district"] or "", area)
                yield Lesson(seen_, datetime.fromisoformat(order["dispatched_at"]), order["unit"]["code"])
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def read(history: Path, map_: Mapped, since: str = "", until: str = "") -> list[Case]:
    """Return the records of a file between two days of the city's. Raises RecordsError or CityCommandError."""
    source = open_source(history)
    missing = [column for column in map_.columns.named if column not in source.columns]
    if missing:
        raise RecordsError(f"{history} has no column {', '.join(missing)}; it has {', '.join(source.columns)}")
    start, end = _day(since, map_), _day(until, map_)
    return [
        case
        for case in cases((row for _, row in source), map_)
        if (start is None or start <= case.opened) and (end is None or case.opened < end)
    ]


def _day(text: str, map_: Mapped) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(map_.city.timezone)) if text else None
    except ValueError:
        raise CityCommandError(f"{text}: should be a day like 2015-07-01") from None


def lessons(found: Sequence[Case], city: City) -> list[Lesson]:
    """Return what records teach of routing, in the codes of a pack; a unit the pack lacks keeps its own name."""
    coded = Coded.of(city)
    return [Lesson(seen(case, coded), case.opened, coded.units.get(case.unit, case.unit)) for case in found]


def seen(case: Case, coded: Coded) -> Seen:
    """Return what was known of a record when it came."""
    district, area = coded.areas.of(case)
    return Seen(case.category, case.words, case.address, district, area, case.channel)


def show(title: str, quality: Quality) -> None:
    """Print how well routing does."""

    def told(share: float | None) -> str:
        if share is None:
            return ""
        low, high = interval(share, quality.cases)
        return f"{share:.4f} ({low:.4f} to {high:.4f})"

    rows = [("unit right", told(quality.first)), ("among three", told(quality.three))]
    rows += [("department right", told(quality.above)), ("calibration error", f"{quality.error:.3f}")]
    table(title, (f"of {quality.cases}", "share, and where it lies 95 times in 100"), rows)


def interval(share: float, cases: int) -> tuple[float, float]:
    """Return between which shares the true one lies 95 times in 100 (Wilson's score interval)."""
    z = 1.96
    middle = (share + z * z / (2 * cases)) / (1 + z * z / cases)
    half = z / (1 + z * z / cases) * sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    return middle - half, middle + half
