"""The records of a city, row by row, as what a map makes of them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from libs.common.city.learning.mapping import Mapped
from libs.common.contracts.vocabulary import Channel

_HOUSE = re.compile(r"^[\d\-/]*\d[\d\-/a-z]*\s+")
_FIRST_PART = re.compile(r",|\s{2,}")


@dataclass(frozen=True, slots=True)
class Case:
    """One record: when it came, was due and was done (UTC), what it was, whose it was in the end, and where it was.

    `words` is what was known of it when it came; `department`, `district` and `area` are empty where none is told.
    """

    number: str
    opened: datetime
    due: datetime | None
    closed: datetime | None
    on_time: bool | None
    words: str
    category: tuple[str, str, str]
    unit: str
    department: str
    address: str
    district: str
    area: str
    point: tuple[float, float] | None
    channel: Channel

    @property
    def road(self) -> str:
        """The road, or the crossing, without the number of a house."""
        return road(self.address)


def cases(rows: Iterable[Mapping[str, str]], map_: Mapped) -> Iterator[Case]:
    """Yield the records that tell when they came, what they were and whose; the others teach nothing."""
    zone = ZoneInfo(map_.city.timezone)
    columns = map_.columns
    for row in rows:
        cell = {name: row.get(getattr(columns, name), "").strip() for name in columns.__dataclass_fields__}
        opened = _moment(cell["opened"], map_.dates, zone)
        if opened is None or not all(cell[name] for name in ("number", "words", "level1", "level2", "level3", "unit")):
            continue
        yield Case(
            number=cell["number"],
            opened=opened,
            due=_moment(cell["due"], map_.dates, zone),
            closed=_moment(cell["closed"], map_.dates, zone),
            on_time=cell["on_time"] == map_.on_time if cell["on_time"] and map_.on_time else None,
            words=cell["words"],
            category=(cell["level1"], cell["level2"], cell["level3"]),
            unit=cell["unit"],
            department=cell["department"],
            address=cell["address"],
            district=cell["district"],
            area=cell["area"],
            point=_point(cell["lat"], cell["lon"], row, map_),
            channel=map_.channels.get(cell["channel"], "web"),
        )


def road(address: str) -> str:
    """Return the part of an address that names its road or crossing, in small letters."""
    first = _FIRST_PART.split(address.strip(), maxsplit=1)[0]
    return _HOUSE.sub("", first.lower())


def _moment(text: str, pattern: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None


def _point(lat: str, lon: str, row: Mapping[str, str], map_: Mapped) -> tuple[float, float] | None:
    if any(row.get(column, "").strip() == filler for column, filler in map_.points_unknown.items()):
        return None
    try:
        point = (float(lat), float(lon))
    except ValueError:
        return None
    return point if map_.bounds.contains(*point) else None
