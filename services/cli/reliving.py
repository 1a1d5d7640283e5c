"""`city replay`: a city's records lived again on a platform of their own, as they came and as they were done."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.simulator.client import Platform
from libs.common.city.learning.history import Case
from libs.common.city.learning.mapping import Mapped, load_map
from libs.common.city.pack import City, load_city
from libs.common.local.home import clock_of, key_file
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import read_settings
from services.cli.client import client
from services.cli.records import RecordsError
from services.cli.screen import out, say, table
from services.cli.simulate import platform_process

AHEAD = timedelta(minutes=1)
AT_ONCE = 16
NEAR = timedelta(days=1)
REPLY = "Done: {words}. The crew was on the spot and the matter is closed in the city's records."
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Relived:
    """What became of a record: the ticket as its reporter sees it, its order and its clocks; None where it has none."""

    case: Case
    ticket: Item
    order: Item | None
    clocks: Sequence[Item]

    @property
    def status(self) -> str:
        """Where the ticket is; a repeat is closed with the one that it was joined to."""
        joined = "joined to another" if self.ticket.get("linked_to") else ""
        return joined or str(self.ticket.get("status", "not known to the platform"))

    @property
    def completion(self) -> Item | None:
        """The clock of the work, as it stands."""
        return next((clock for clock in reversed(self.clocks) if clock["clock"] == "completion"), None)


def replay(
    read: Callable[[Path, Mapped, str, str], list[Case]], history: Path, map_file: Path, pack: Path,
    since: str, until: str, limit: int, days: float, minutes: float,
) -> None:  # fmt: skip
    """Live the first records of a time again, for some days beyond the last one, and say how it went."""
    map_, city = load_map(map_file), load_city(pack)
    some = sorted(read(history, map_, since, until), key=lambda case: case.opened)[:limit]
    if not some:
        raise RecordsError(f"{history} has no record of that time")
    start, end = some[0].opened - AHEAD, some[-1].opened + timedelta(days=days)
    rate = (end - start).total_seconds() / (minutes * 60)
    settings = read_settings()
    settings = replace(
        settings, home=settings.home / "city", city=pack, clock=f"{start.isoformat()},{rate:g}", keys=None, secret=None
    )
    say(f"{len(some)} records of {city.name.en}, {start:%Y-%m-%d} to {end:%Y-%m-%d}, {rate:.0f} times real time …")
    with platform_process(settings):
        clock = Clock.parse(clock_of(settings.home))
        relived = asyncio.run(_relive(settings.base_url, key_file(settings), clock, some, end))
    _tell(relived, city)


async def _relive(url: str, key: Path, clock: Clock, some: Sequence[Case], end: datetime) -> list[Relived]:
    async with client(url, key) as http:
        platform = Platform(http, clock)
        with out.status("") as status:
            tickets: dict[str, Case] = {}
            async with asyncio.TaskGroup() as group:
                for case in some:
                    await clock.sleep(case.opened - clock.now())
                    status.update(f"{clock.now():%Y-%m-%d %H:%M}  {len(tickets)} tickets")
                    group.create_task(_live(platform, case, end, tickets))
            status.update("The last days …")
            await clock.sleep(end - clock.now())
        return await _gathered(_found(platform, ticket, case) for ticket, case in tickets.items())


async def _live(platform: Platform, case: Case, end: datetime, tickets: dict[str, Case]) -> None:
    """Send a record when it came, and have its unit work on it when it was closed."""
    answer = await platform.post("/intake/v1/tickets", _body(case))
    if answer is None:
        return
    ticket = answer["ticket_id"]
    tickets[ticket] = case
    if case.closed is None or case.closed > end:
        return
    await platform.clock.sleep(case.closed - platform.clock.now())
    order = f"/dispatch/v1/orders/{ticket}"
    for deed, said in (
        ("accept", {}),
        ("contact", {"method": "message"}),
        ("resolve", {"reply": REPLY.format(words=case.words)}),
    ):
        if await platform.post(f"{order}/{deed}", said) is None:
            return


def _body(case: Case) -> Item:
    body: Item = {
        "channel": case.channel, "title": case.words, "text": case.words, "external_ref": case.number,
        "received_at": case.opened.isoformat(), "language": "en",
    }  # fmt: skip
    if case.address:
        body["address"] = case.address
    if case.point:
        body["location"] = {"lat": case.point[0], "lon": case.point[1]}
    return body


async def _found(platform: Platform, ticket: str, case: Case) -> Relived:
    seen = await platform.get(f"/intake/v1/tickets/{ticket}")
    order = await platform.get(f"/dispatch/v1/orders/{ticket}") if seen and seen["unit"] else None
    clocks = await platform.get(f"/sla/v1/tickets/{ticket}/clocks")
    return Relived(case, seen or {}, order, clocks or [])


async def _gathered(awaited: Iterable[Awaitable[Relived]]) -> list[Relived]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(some: Awaitable[Relived]) -> Relived:
        async with room:
            return await some

    return list(await asyncio.gather(*map(one, awaited)))


def _tell(relived: Sequence[Relived], city: City) -> None:
    ends = Counter(one.status for one in relived)
    table("Where the tickets are", ("status", "tickets"), ends.most_common())
    table("Beside the records", ("what", "of", "share"), compared(relived, city))


def compared(relived: Sequence[Relived], city: City) -> list[tuple[str, int, str]]:
    """Return in what the platform and the records agree: what, of how many, and the share."""
    orders = [one for one in relived if one.order]
    department = {unit.short: _department(city, code) for code, unit in city.units.items()}
    units = [(one.case.unit, city.units[one.order["unit"]["code"]].short) for one in orders if one.order]
    return [
        _share("orders with both clocks: met, missed or running", orders, _has_clocks),
        _share("question from words and place", orders, lambda o: o.ticket["category"][2] == o.case.category[2]),
        _share("unit as in the record", units, lambda pair: pair[0] == pair[1]),
        _share("department as in the record", units, lambda pair: department.get(pair[0]) == department[pair[1]]),
        _share("due within a day of the record's target", _with_target(relived), _near),
        *_on_time(relived),
    ]


def _department(city: City, code: str) -> str:
    """Return the unit right below the centre that a unit is, or stands under."""
    parent = city.units[code].parent
    above = city.units[parent].parent if parent else None
    return code if parent is None or above is None else _department(city, parent)


def _share(what: str, some: Sequence[Any], holds: Callable[[Any], bool]) -> tuple[str, int, str]:
    return what, len(some), f"{sum(map(holds, some)) / len(some):.3f}" if some else ""


def _has_clocks(one: Relived) -> bool:
    return {clock["clock"] for clock in one.clocks} == {"response", "completion"}


def _with_target(relived: Sequence[Relived]) -> list[Relived]:
    return [one for one in relived if one.case.due and one.completion]


def _near(one: Relived) -> bool:
    if one.completion is None or one.case.due is None:
        return False
    return abs(datetime.fromisoformat(one.completion["due_at"]) - one.case.due) <= NEAR


def _on_time(relived: Sequence[Relived]) -> list[tuple[str, int, str]]:
    """Compare what was done in time, of records that were closed while they were lived again."""
    done = [
        one for one in relived
        if one.completion and one.completion["state"] == "met" and one.case.on_time is not None and one.case.closed
    ]  # fmt: skip
    return [
        _share("done in time, as clocks say", done, _green),
        _share("done in time, as records say", done, lambda one: bool(one.case.on_time)),
        _share("clock and record agree", done, lambda one: _green(one) == one.case.on_time),
    ]


def _green(one: Relived) -> bool:
    return one.completion is not None and one.completion["light"] == "green"
