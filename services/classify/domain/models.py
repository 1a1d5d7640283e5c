"""Versions of models: how well each does, and whether what comes in still is what it was trained for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import log
from typing import Literal
from uuid import UUID

Task = Literal["train", "evaluate"]
RunState = Literal["waiting", "running", "done", "failed"]
LEAST_TICKETS = 500
"""Of fewer a distribution over 25 categories is chance: its index would be 0.1 without any change."""
SHIFTED = 0.25
"""A population stability index over this is a change that wants another model: the usual rule of thumb."""
LESS_SURE, MORE_HELD, MORE_CORRECTED = 0.1, 0.1, 0.05
"""How far the mean confidence may fall, and the shares of held and of corrected tickets rise: defaults of ours."""
_LEAST_SHARE = 0.001


@dataclass(frozen=True, slots=True)
class Measures:
    """How often a model was right about texts it had not learnt, as shares: `top3` among its first three.

    `owner` is whether the same unit, or the same kind of place, would have to act. `calibration_error` is how far its
    confidence lies from how often it is right, averaged over ten bins.
    """

    texts: int
    level1: float
    level3: float
    top3: float
    owner: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """What was measured of a model: on a phrase of each question, on the newest confirmed tickets, both held out.

    `later` are tickets that were confirmed after it was trained, as they stood at `later_at`.
    """

    phrases: Measures | None = None
    confirmed: Measures | None = None
    later: Measures | None = None
    later_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged to be of one level 1 on one day. `confidence` is the sum over its tickets."""

    day: date
    level1: str
    tickets: int
    confidence: float
    held: int
    corrected: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What came in on some days: the shares of level 1, the mean confidence, the shares held and corrected."""

    since: date
    until: date
    tickets: int
    level1: Mapping[str, float]
    confidence: float
    held: float
    corrected: float


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained model. `data` is the fingerprint of the catalogue and the labels it learnt, `by` None for a pack's own.

    `examples` are the labels by level 1; `reference` is what came in before it was trained.
    """

    name: str
    catalogue: str
    trained_at: datetime
    by: str | None
    data: str
    labels: int
    examples: Mapping[str, int]
    metrics: Metrics
    reference: Profile | None = None

    @property
    def lost(self) -> str:
        """Say why it cannot judge, where it cannot, and what to do."""
        why = "another release made it of the catalogue alone" if self.by is None else "its arrays are kept no more"
        return f"model {self.name} cannot judge here: {why}; train one of catalogue {self.catalogue} and activate it"


@dataclass(frozen=True, slots=True)
class Run:
    """A training or an evaluation, from when it was asked for. `model` is the one evaluated, or the one trained."""

    run_id: UUID
    task: Task
    catalogue: str
    model: str | None
    by: str
    state: RunState
    asked_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Challenged:
    """What a challenger and the champion took one ticket for."""

    ticket_id: UUID
    model: str
    at: datetime
    code: str
    champion: str
    champion_code: str


@dataclass(frozen=True, slots=True)
class Drift:
    """How far some days are from the reference. `index` is the population stability index of level 1, None unknown."""

    index: float | None
    drifting: bool
    reasons: tuple[str, ...]


def profile(days: Sequence[Judged]) -> Profile | None:
    """Return what came in on these days, None if it is too little to say anything."""
    tickets = sum(day.tickets for day in days)
    if tickets < LEAST_TICKETS:
        return None
    counts: dict[str, int] = {}
    for day in days:
        counts[day.level1] = counts.get(day.level1, 0) + day.tickets
    confidence, held, corrected = (
        sum(values) / tickets for values in zip(*((d.confidence, d.held, d.corrected) for d in days), strict=True)
    )
    return Profile(
        min(d.day for d in days), max(d.day for d in days), tickets,
        {level1: count / tickets for level1, count in sorted(counts.items())}, confidence, held, corrected,
    )  # fmt: skip


def first_profile(days: Sequence[Judged]) -> Profile | None:
    """Return what came in on the first days that are enough: for a model that was trained before there was any."""
    every = sorted({day.day for day in days})
    profiles = (profile([d for d in days if d.day <= last]) for last in every)
    return next((found for found in profiles if found), None)


def stability(reference: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Return what each part adds to the population stability index."""
    return {
        part: (q - p) * log(q / p)
        for part in reference.keys() | now.keys()
        for p, q in ((max(reference.get(part, 0), _LEAST_SHARE), max(now.get(part, 0), _LEAST_SHARE)),)
    }


def drift(reference: Profile | None, now: Profile | None) -> Drift:
    """Say whether what comes in is no longer what the model was trained for, and why."""
    if reference is None or now is None:
        return Drift(None, drifting=False, reasons=())
    parts = stability(reference.level1, now.level1)
    index = sum(parts.values())
    reasons = [f"level 1 has shifted: {_most(parts, reference, now)}"] if index > SHIFTED else []
    if reference.confidence - now.confidence > LESS_SURE:
        reasons.append(f"mean confidence fell from {reference.confidence:.2f} to {now.confidence:.2f}")
    if now.held - reference.held > MORE_HELD:
        reasons.append(f"held tickets rose from {reference.held:.0%} to {now.held:.0%}")
    if now.corrected - reference.corrected > MORE_CORRECTED:
        reasons.append(f"corrected tickets rose from {reference.corrected:.0%} to {now.corrected:.0%}")
    return Drift(round(index, 4), bool(reasons), tuple(reasons))


def _most(parts: Mapping[str, float], reference: Profile, now: Profile) -> str:
    """Name the three categories that moved most."""
    moved = sorted(parts, key=lambda part: -parts[part])[:3]
    return ", ".join(f"{p} {reference.level1.get(p, 0):.0%} → {now.level1.get(p, 0):.0%}" for p in moved)


def evaluated(model: ModelVersion, later: Measures | None, at: datetime) -> ModelVersion:
    """Return a model with what was measured of it on tickets that were confirmed since."""
    return replace(model, metrics=replace(model.metrics, later=later, later_at=at))
