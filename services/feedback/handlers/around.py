"""What feedback's handlers find around them."""

from asyncio import Task
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.common.city.pack import City
from libs.common.city.settings import Rates as Weights
from libs.common.runtime.links import ReviewLinks
from libs.common.runtime.service import Context
from services.feedback.domain import (
    Policy,
    Suspicion,
)
from services.feedback.domain.kpis import Measures


@dataclass(frozen=True, slots=True)
class Engine:
    """What feedback keeps in memory. `below` are the codes of each unit and all under it."""

    policy: Policy
    weights: Weights
    links: ReviewLinks
    measures: Measures
    city: City
    below: Mapping[str, frozenset[str]]
    suspicion: Suspicion
    making: dict[str, "Task[Any]"] = field(default_factory=dict)
    """Reports that are being made, by their name."""


Here = Context[Engine]
