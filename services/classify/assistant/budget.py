"""What language models may cost in a day, in tokens and in money."""

from dataclasses import dataclass

from services.classify.assistant.endpoint import Usage

PER = 1000
"""Prices are for so many tokens."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of some calls: tokens, and money in the operator's currency."""

    tokens: int = 0
    money: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """The most of a day, and the prices of a thousand tokens that are read and written."""

    most: Cost
    price_in: float
    price_out: float

    def cost(self, usage: Usage) -> Cost:
        """Return what a call costs."""
        money = (usage.prompt * self.price_in + usage.completion * self.price_out) / PER
        return Cost(usage.prompt + usage.completion, money)

    def room(self, spent: Cost, more: Cost) -> bool:
        """Say whether so much more may be spent."""
        return spent.tokens + more.tokens <= self.most.tokens and spent.money + more.money <= self.most.money
