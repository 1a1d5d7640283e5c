"""The records of a city that does not exist, made from a seed: who had what, where, and until when."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

MAP = """
city: { code: harbour, name: { zh: Harbour City, en: Harbour City }, timezone: America/New_York, default_language: en }
centre: { name: { zh: Harbour Hotline, en: Harbour Hotline }, phone: "311" }
bounds: { south: 10.0, west: 20.0, north: 10.2, east: 20.2 }
office:
  { count: working, weekdays: [1, 2, 3, 4, 5], opens: "08:30:00", closes: "17:00:00", holidays: "", runs_out: opening }
dates: "%m/%d/%Y %H:%M"
columns:
  { number: id, opened: opened, due: due, closed: closed, on_time: on_time, words: title, level1: l1, level2: l2,
    level3: l3, unit: queue, department: department, address: address, district: district, area: area, lat: lat,
    lon: lon, channel: source }
on_time: "yes"
points_unknown: { mark: none }
districts: { N: North, S: South }
channels: { Call: phone, App: app }
"""
COLUMNS = (
    "id", "opened", "due", "closed", "on_time", "title", "l1", "l2", "l3", "queue", "department", "address", "district",
    "area", "lat", "lon", "source", "mark",
)  # fmt: skip
MATTERS = (
    ("Works", "Roads", "Pothole", ("Pothole in the road", "Road surface broken"), 2),
    ("Works", "Lights", "Lamp out", ("Street lamp dark", "Lamp flickers"), 10),
    ("Parks", "Trees", "Tree pruning", ("Branch hangs low", "Tree needs pruning"), 20),
    ("Parks", "Lawns", "Grass", ("Lawn not cut", "Weeds in the flower bed"), 20),
)
FIRST = datetime.fromisoformat("2025-01-06T09:00")
"""A Monday, in the city's time."""


def records(count: int = 400, seed: int = 1) -> Iterator[dict[str, str]]:
    """Yield records in the order they came. Roads and lights have a crew for each district; all trees have one."""
    random = Random(seed)
    for number in range(count):
        l1, l2, l3, titles, days = random.choice(MATTERS)
        district, area = random.choice((("N", "Hill"), ("N", "Mill"), ("S", "Quay")))
        opened = FIRST + timedelta(days=number * 120 // count, hours=number % 7)
        while opened.weekday() > 4:
            opened += timedelta(days=1)
        crew = f"{l2} {district}" if l1 == "Works" else l2
        known = random.random() < 0.9
        lat = (10.15 if district == "N" else 10.05) + random.random() * 0.008
        closed = opened + timedelta(days=random.choice((1, 3)))
        yield dict(
            zip(
                COLUMNS,
                (
                    str(number), _said(opened), _said(_later(opened, days)), _said(closed), "yes" if days > 3 else "no",
                    random.choice(titles), l1, l2, l3, crew, l1.upper(), f"{number % 90 + 1} {area} St  Harbour",
                    district if known else "", area if known else "", str(lat), str(20.1 + random.random() * 0.008),
                    random.choice(("Call", "App", "Fax")), "none" if random.random() < 0.1 else "",
                ),
                strict=True,
            )
        )  # fmt: skip


def write_history(folder: Path, count: int = 400) -> tuple[Path, Path]:
    """Write records and their map; return both files."""
    history, map_ = folder / "history.csv", folder / "map.yaml"
    with history.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(records(count))
    map_.write_text(MAP, encoding="utf-8")
    return history, map_


def _said(moment: datetime) -> str:
    return moment.strftime("%m/%d/%Y %H:%M")


def _later(moment: datetime, working_days: int) -> datetime:
    while working_days:
        moment += timedelta(days=1)
        working_days -= moment.weekday() < 5
    return moment
