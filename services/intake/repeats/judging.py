"""How likely two appeals are about the same event, and why, in terms a seat can check.

Two judgements are multiplied: that the matter is the same, and that the place is. Each is a logistic function of its
evidence; their weights are data, fitted on labelled pairs. Over both stand rules that no weight outvotes: time, that
what is someone's own affair is joined to nobody else's, and that lift 1 is not lift 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libs.common.city.settings import Repeats as Rules
from services.intake.domain import Reason
from services.intake.repeats import evidence
from services.intake.repeats.endings import ESTATE, LINE, ROAD, STATION, VENUE, VILLAGE
from services.intake.repeats.knowledge import Weights
from services.intake.repeats.matters import Matters
from services.intake.repeats.places import Spot

OWN = 0.5
"""From this share on a matter counts as the reporter's own."""
_SAME_FAULT = 0.99
_ALIKE = 0.8
_DAY = 86_400
_PLACES = {ESTATE: "estate", ROAD: "road", VILLAGE: "village", VENUE: "venue", STATION: "station", LINE: "line"}
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Of each pair: how likely it is one event, and the evidence that says so."""

    total: Numbers
    matter: Numbers
    place: Numbers


class Judge:
    """Weighs the evidence."""

    def __init__(self, matters: Matters, weights: Weights, rules: Rules) -> None:
        self._matters = matters
        self._matter = _in_order(weights.matter, evidence.MATTER)
        self._place = _in_order(weights.place, evidence.PLACE)
        self._rules = rules

    def score(self, a: Any, b: Any) -> Scores:
        """Return how likely the k-th of `a` and the k-th of `b` are one event.

        The matter is weighed only where the rest leaves something to find: most candidates merely have like names.
        """
        place = evidence.place_of(self._matters, a, b)
        total = _logistic(place @ self._place) * self._whose(a, b) * self._freshness(a, b)
        total[evidence.other_facility(a, b)] = 0
        open_ = np.flatnonzero(total >= self._rules.suggest)
        matter = np.zeros((len(total), len(evidence.MATTER)))
        matter[open_] = evidence.matter_of(self._matters, a[open_], b[open_])
        total = self._by_device(a, b, total * _logistic(matter @ self._matter))
        return Scores(total, matter, place)

    def _by_device(self, a: Any, b: Any, total: Numbers) -> Numbers:
        """A device that reports the same fault again reports the same event; another fault is another event."""
        same_device = (a["device"] == b["device"]) & (a["device"] != 0)
        told = (a["fault"] != 0) & (b["fault"] != 0)
        same_fault = same_device & (a["fault"] == b["fault"])
        total = np.where(same_fault, _SAME_FAULT * self._freshness(a, b), total)
        return np.where(same_device & told & ~same_fault, 0.0, total)

    def _whose(self, a: Any, b: Any) -> Numbers:
        """Return 0 for affairs of one's own with two reporters, or of two people; if a reporter is not known, some."""
        own = np.maximum(a["personal"], b["personal"]) / 255.0 > OWN
        same = (evidence.same_reporter(a, b) > 0) | ((a["device"] == b["device"]) & (a["device"] != 0))
        known = (a["reporter"] != 0) & (b["reporter"] != 0)
        left_to_people = (self._rules.suggest + self._rules.link) / 2
        mine = np.where(evidence.other_people(self._matters, a, b), 0.0, 1.0)
        return np.where(own, np.where(same, mine, np.where(known, 0.0, left_to_people)), 1.0)

    def _freshness(self, a: Any, b: Any) -> Numbers:
        """Return 1 for appeals close in time, less towards the end of the window, and 0 beyond it."""
        seconds = np.abs(a["received"] - b["received"]).astype(float)
        window, fresh = self._rules.window.total_seconds(), self._rules.fresh.total_seconds()
        late = np.clip((seconds - fresh) / max(window - fresh, 1.0), 0, 1)
        return np.where(seconds > window, 0.0, 1 - (1 - self._rules.stale) * late)

    def reasons(self, scores: Scores, at: int, a: Any, b: Any, spot: Spot) -> tuple[Reason, ...]:
        """Return why a pair is likely one event; `spot` is where the first of it says it is."""
        matter = dict(zip(evidence.MATTER, scores.matter[at], strict=True))
        place = dict(zip(evidence.PLACE, scores.place[at], strict=True))
        return tuple(reason for reason in (
            _who(a, b), _where(place, a, b, spot), _number(place), _near(place), _what(matter), _when(a, b),
        ) if reason)  # fmt: skip


def _in_order(weights: Mapping[str, float], names: Sequence[str]) -> Numbers:
    return np.array([weights.get(name, 0.0) for name in names])


def _logistic(x: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))))


def _who(a: Any, b: Any) -> Reason | None:
    if a["device"] and a["device"] == b["device"]:
        return Reason("same_fault" if a["fault"] == b["fault"] else "same_device")
    return Reason("same_reporter") if a["reporter"] and a["reporter"] == b["reporter"] else None


def _where(place: Mapping[str, float], a: Any, b: Any, spot: Spot) -> Reason | None:
    if place["name"] > 0:
        at = evidence.matched(a, b)
        named = spot.names[at]
        return Reason(f"same_{_PLACES.get(named.kind, 'site')}", {"name": f"{named.name}{named.wing}{named.zone}"})
    return None


def _number(place: Mapping[str, float]) -> Reason | None:
    return Reason("same_number") if place["number"] else None


def _near(place: Mapping[str, float]) -> Reason | None:
    return Reason("near") if place["near"] > 0.1 else None


def _what(matter: Mapping[str, float]) -> Reason:
    if matter["words"] >= _ALIKE:
        return Reason("same_words")
    return Reason("same_matter" if matter["troubles"] > 0 or matter["question"] > 0.5 else "like_matter")


def _when(a: Any, b: Any) -> Reason:
    seconds = abs(int(a["received"]) - int(b["received"]))
    for code, unit in (("days", _DAY), ("hours", 3600), ("minutes", 60)):
        if seconds >= unit:
            return Reason(code, {"n": seconds // unit})
    return Reason("at_once")
