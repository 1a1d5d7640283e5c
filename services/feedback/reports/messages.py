"""What reports say, and what they call things, in one language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from libs.common.city.catalogue import Question
from libs.common.city.categories import category_name
from libs.common.city.kpis import Kpi
from libs.common.city.pack import City
from libs.common.city.settings import Name
from libs.common.runtime.messages import Texts
from services.feedback.domain.kpis import Dimension
from services.feedback.domain.periods import Period
from services.feedback.reports.content import clean


@dataclass(frozen=True, slots=True)
class Messages(Texts):
    """The catalogue of reports."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Says texts and names things of a city in one language."""

    messages: Messages
    language: str
    city: City

    def say(self, *path: str, **params: object) -> str:
        """Return a text."""
        return self.messages.say(self.language, *path, **params)

    def join(self, names: Iterable[str]) -> str:
        """Return names as a list."""
        return self.say("writer", "list").join(names)

    def dated(self, form: str, day: date) -> str:
        """Return a day, its week, month or year, as `form` of the catalogue has it."""
        return self.say("date", form, **self._parts(day))

    def span(self, period: Period) -> str:
        """Return a period by its first and its last day."""
        first, last = period.first, period.after - timedelta(days=1)
        if first == last:
            return self.dated("daily", first)
        if first.year != last.year:
            return self.say("date", "across", first=self.dated("day", first), last=self.dated("day", last))
        form = "in_month" if first.month == last.month else "in_year"
        later = {"last": last.day, "last_month": self.say("month", str(last.month))}
        return self.say("date", form, **self._parts(first), **later)

    def _parts(self, day: date) -> dict[str, object]:
        year, week, weekday = day.isocalendar()
        return {
            "year": day.year, "month": self.say("month", str(day.month)), "day": day.day, "week": week,
            "week_year": year, "weekday": self.say("weekday", str(weekday)),
        }  # fmt: skip

    def read(self, name: Name) -> str:
        """Return a name in the language."""
        return str(self.messages.read({"zh": name.zh, "en": name.en}, self.language))

    def kpi(self, code: str) -> Kpi:
        """Return what a city measures, by its code."""
        return self.city.kpis.by_code[code]

    def question(self, code: str) -> Question | None:
        """Return a question of the catalogue; None for one that it no longer has."""
        return self.city.catalogue.by_code.get(code)

    def name(self, dimension: Dimension, value: str) -> str:
        """Return what a group is called; what the city no longer knows is called by its code."""
        if not value:
            return self.say("name", "unknown")
        if dimension in {"district", "street", "unit"}:
            unit = self.city.units.get(f"d-{value}" if dimension == "district" else value)
            return self.read(unit.name) if unit else clean(value)
        if dimension == "code":
            question = self.question(value)
            return self.read(Name(question.l3, question.name_en)) if question else clean(value)
        if dimension == "category1":
            name = category_name(self.city.categories, value)
            return self.read(Name(clean(name.zh), clean(name.en)))
        if dimension == "channel" and value in self.messages.texts["channel"]:
            return self.say("channel", value)
        return clean(value)

    def latin(self, district: str) -> str:
        """Return what a district is called in Latin letters."""
        unit = self.city.units.get(f"d-{district}")
        return unit.name.en if unit else district

    def short(self, district: str) -> str:
        """Return what a district is called on a map."""
        unit = self.city.units.get(f"d-{district}")
        if unit is None:
            return district
        return self.read(Name(unit.short, unit.name.en.removesuffix(" District")))

    def level(self, unit: str) -> str:
        """Return the kind of a unit, by its code; empty for one that is no more."""
        found = self.city.units.get(unit)
        return found.kind if found else ""
