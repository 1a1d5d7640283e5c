"""What feedback's handlers find around them."""

from dataclasses import dataclass

from libs.common.city.settings import Rates as Weights
from libs.common.runtime.links import ReviewLinks
from libs.common.runtime.service import Context
from services.feedback.domain import (
    Policy,
)


@dataclass(frozen=True, slots=True)
class Engine:
    """What feedback keeps in memory."""

    policy: Policy
    weights: Weights
    links: ReviewLinks


Here = Context[Engine]
