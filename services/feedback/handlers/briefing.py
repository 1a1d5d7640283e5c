"""The brief of a topic, written by rules: categories and counts, never the words of a citizen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from libs.common.city.categories import category_name
from libs.common.city.pack import City
from libs.common.city.settings import Name
from services.feedback.domain.candidates import HOT_WEEKS, Part
from services.feedback.domain.matters import WEEK
from services.feedback.domain.solutions import Solution
from services.feedback.domain.topics import Share, Topic
from services.feedback.messages import Messages

TEXTS = Messages.load()
LISTED = 5
"""So many districts, units or questions are named at the most."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a brief: what it tells of, its heading, and its sentences."""

    code: str
    heading: str
    text: str


def read(name: Name, language: str) -> str:
    """Return a name of the city pack in the reader's language."""
    return str(TEXTS.read({"zh": name.zh, "en": name.en}, language))


def title_of(city: City, topic: Topic, language: str) -> str:
    """Return what a topic is called: who does not read Chinese reads the English names of its questions."""
    in_english = "; ".join(_question(city, code, "en") for code in topic.codes[:3])
    return str(TEXTS.read({"zh": topic.title, "en": in_english}, language))


def named(city: City, topic: Topic, language: str) -> dict[str, list[Share]]:
    """Return the counts of a topic's appeals under names, as these are told in a language."""
    districts = {unit.district: read(unit.name, language) for unit in city.units.values() if unit.kind == "district"}
    units = {code: read(unit.name, language) for code, unit in city.units.items()}
    return {
        "districts": _named(topic.districts, districts),
        "questions": [replace(one, name=_question(city, one.code, language)) for one in topic.questions],
        "units": _named([one for one in topic.units if one.code], units),
        "ends": [replace(one, name=_say(language, "end", one.code)) for one in topic.ends],
        "kinds": [replace(one, name=_say(language, "kind", one.code or "none")) for one in topic.kinds],
    }


def _named(shares: Sequence[Share], names: Mapping[str | None, str] | Mapping[str, str]) -> list[Share]:
    known: dict[Any, str] = dict(names)
    return [replace(one, name=known.get(one.code) or one.name or one.code) for one in shares]


def sections(city: City, topic: Topic, tried: Sequence[Solution], language: str) -> list[Section]:
    """Return a brief: what, how many, since when, where, what is said, who handles it, how it ends, what was tried."""
    names, parts = named(city, topic, language), {part.code: part for part in topic.score.parts}
    tally = topic.tally
    texts = {
        "what": _say(
            language, "what", title=title_of(city, topic, language),
            level1=read(category_name(city.categories, topic.category[0]), language),
            level2=topic.category[1], questions=_list(language, names["questions"]),
        ),
        "many": _many(topic, parts["volume"], language) + _growth(topic, parts["growth"], language),
        "since": _say(language, "since", since=_day(language, date.fromisoformat(topic.since))),
        "where": _say(
            language, "where", count=len(topic.districts), districts=_list(language, names["districts"]),
            streets=round(topic.streets),
        ),
        "said": _say(
            language, "said", kinds=_list(language, names["kinds"]), linked=tally.linked, supported=tally.supported,
            again=tally.again, share=_percent(parts["repetition"].figure), usual=_percent(parts["repetition"].usual),
        ),
        "hands": _say(
            language, "hands", units=_list(language, names["units"]) or _say(language, "nobody"),
            returned=tally.returned, share=_percent(parts["returns"].figure), usual=_percent(parts["returns"].usual),
        ),
        "ends": _ends(topic, parts["unsolved"], names["ends"], language),
        "heat": _say(language, "heat", weeks=topic.hot_weeks, of=HOT_WEEKS) if topic.hot_weeks else "",
        "tried": _tried(tried, language),
        "score": _say(
            language, "score", value=f"{topic.score.value:.0f}", low=f"{topic.score.low:.0f}",
            high=f"{topic.score.high:.0f}",
        ),
    }  # fmt: skip
    return [Section(code, _say(language, "heading", code), text) for code, text in texts.items() if text]


def _many(topic: Topic, volume: Part, language: str) -> str:
    first, last = date.fromisoformat(topic.first), date.fromisoformat(topic.last)
    weeks = (last - first) // WEEK + 1
    times = topic.tally.tickets / volume.usual if volume.usual else 0.0
    return _say(
        language, "many", first=_day(language, first), until=_day(language, last + WEEK * 6 / 7), weeks=weeks,
        tickets=topic.tally.tickets, weekly=round(topic.tally.tickets / weeks), times=f"{times:.1f}",
    )  # fmt: skip


def _growth(topic: Topic, growth: Part, language: str) -> str:
    """Return how it grew, beside what all matters have in common; nothing where that cannot be told."""
    if topic.basis is None or growth.figure is None or not growth.usual:
        return _say(language, "unknown_growth")
    change, usual = (f"{100 * (times - 1):+.0f}" for times in (growth.figure, growth.usual))
    said = _say(language, "growth", topic.basis, change=change, usual=usual)
    return said if growth.low > 0 else said + _say(language, "growth", "unsure")


def _day(language: str, day: date) -> str:
    return _say(language, "day", year=day.year, month=day.month, day=day.day)


def _ends(topic: Topic, unsolved: Part, ends: Sequence[Share], language: str) -> str:
    told = _say(language, "ends", ends=_list(language, ends))
    if unsolved.figure is None:
        return told + _say(language, "unanswered")
    solved, usual = (_percent(1 - share) for share in (unsolved.figure, unsolved.usual or 0.0))
    return told + _say(language, "solved", answered=topic.tally.answered, share=solved, usual=usual)


def _tried(tried: Sequence[Solution], language: str) -> str:
    if not tried:
        return _say(language, "untried")
    between = _say(language, "between")
    found = (f"{one.title}{_say(language, 'standing', one.standing)}" for one in tried[:LISTED])
    return _say(language, "tried", count=len(tried), solutions=between.join(found))


def _question(city: City, code: str, language: str) -> str:
    question = city.catalogue.by_code.get(code)
    return str(TEXTS.read({"zh": question.l3, "en": question.name_en}, language)) if question else code


def _list(language: str, shares: Sequence[Share]) -> str:
    counted = (_say(language, "counted", name=one.name, count=one.count) for one in shares[:LISTED])
    listed = _say(language, "between").join(counted)
    return _say(language, "more", listed=listed, count=len(shares)) if len(shares) > LISTED else listed


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}%"


def _say(language: str, *path: str, **params: object) -> str:
    return TEXTS.say(language, "topic", *path, **params)
