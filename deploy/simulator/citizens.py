"""Invented citizens, and how they put into words what the catalogue knows of.

A name is a surname and a solar term; a number begins as no telephone number in China does. So no line of a simulation
is about a real person, whatever it draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from libs.common.city.catalogue import Question
from libs.common.city.pack import City, Unit

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = (
    "立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至", "小暑", "立秋", "处暑", "白露",
    "秋分", "寒露", "霜降", "立冬", "小雪", "冬至",
)  # fmt: skip
NO_NUMBER = "100"
"""Mobile numbers begin with 13 to 19, and no area code is 100."""
CHANNELS = {
    "phone": 50, "wechat": 15, "app": 12, "web": 9, "sms": 3, "mail": 3, "mayor_mailbox": 3, "message_board": 3,
    "walk_in": 2,
}  # fmt: skip
"""Shares in per cent: most people phone."""
NEEDS = ("elderly", "text_only", "blind", "wheelchair")
SENTENCES = (
    "{place}，{matter}。",
    "您好，我住在{place}，{matter}，请尽快处理。",
    "{matter}。地点在{place}。",
    "{place}{matter}，已经{days}天了，找过物业没有人管。",
    "市民来电反映：{place}，{matter}，希望有关部门核实解决。",
    "我叫{name}，电话{phone}，家住{place}。{matter}，麻烦给个说法。",
    "{matter}，邻居们都在说，就在{place}这边。",
)
FRONT_DOOR, NEAR = 0.45, 0.3
"""How often a place is told down to the building, and how often by a name people use instead of the street's."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody lives: a street or town, its district, and the names of places in it."""

    district: Unit
    street: Unit
    nearby: tuple[str, ...]


class Citizens:
    """Draws appeals. Whatever draws from equal seeds draws equal appeals."""

    def __init__(self, city: City) -> None:
        units = city.units.values()
        districts = {unit.district: unit for unit in units if unit.kind == "district"}
        nearby: dict[str, list[str]] = {}
        for place in city.places:
            if place.street and place.kind in {"estate", "landmark", "village"}:
                nearby.setdefault(place.street, []).append(place.name)
        self.spots = tuple(
            Spot(districts[unit.district], unit, tuple(nearby.get(unit.code, ())))
            for unit in units
            if unit.kind in {"street", "town"}
        )
        self._questions = tuple(city.catalogue)
        self._alarms = tuple(
            said for emergency in city.emergencies.numbers for said in emergency.said if not said.isascii()
        )

    def question(self, random: Random, month: int) -> Question:
        """Draw what an appeal is about: what has a season comes in it, and hardly outside of it."""
        weights = [_weight(question, month) for question in self._questions]
        return random.choices(self._questions, weights)[0]

    def appeal(self, random: Random, question: Question, spot: Spot) -> dict[str, Any]:
        """Draw the body of `POST /intake/v1/tickets`, without `external_ref`."""
        person = {"name": random.choice(SURNAMES) + random.choice(GIVEN), "phone": _number(random)}
        matter = random.choice(question.phrases).rstrip("。！？!?，,")
        text = random.choice(SENTENCES).format(
            place=_place(random, spot), matter=matter, days=random.randint(2, 15), **person
        )
        body: dict[str, Any] = {
            "channel": random.choices(list(CHANNELS), list(CHANNELS.values()))[0],
            "text": text,
            "reporter": {"anonymous": True} if random.random() < 0.06 else person,
        }
        if random.random() < 0.4:
            body["address"] = f"{spot.district.name.zh}{spot.street.name.zh}"
        if random.random() < 0.1:
            body["access_needs"] = [random.choice(NEEDS)]
        return body

    def emergency(self, random: Random, spot: Spot) -> dict[str, Any]:
        """Draw an appeal that must get an emergency number at once."""
        return {
            "channel": "phone",
            "text": f"快来人，{_place(random, spot)}这里{random.choice(self._alarms)}",
            "reporter": {"phone": _number(random)},
        }

    def burst(self, random: Random, code: str) -> tuple[Question, Sequence[Spot]]:
        """Return the question of an event and the few neighbouring spots it strikes. Raises KeyError."""
        question = next((question for question in self._questions if question.code == code), None)
        if question is None:
            raise KeyError(code)
        district = random.choice(self.spots).district
        struck = [spot for spot in self.spots if spot.district is district]
        return question, random.sample(struck, min(2, len(struck)))


def _weight(question: Question, month: int) -> float:
    if not question.season:
        return 1.0
    return 4.0 if month in question.season else 0.05


def _number(random: Random) -> str:
    return NO_NUMBER + "".join(random.choices("0123456789", k=8))


def _place(random: Random, spot: Spot) -> str:
    name = spot.district.short + spot.street.name.zh
    if spot.nearby and random.random() < NEAR:
        name = spot.district.short + random.choice(spot.nearby)
    if random.random() < FRONT_DOOR:
        name += f"{random.randint(1, 30)}号楼"
        if random.random() < 0.5:
            name += f"{random.randint(1, 6)}单元{random.randint(1, 18)}0{random.randint(1, 4)}室"
    return name
