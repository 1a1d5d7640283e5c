"""HTTP of the language model: whether it is asked, by which prompt, and what that costs."""

from datetime import date, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from services.classify import store
from services.classify.api.around import Anyone, Context
from services.classify.assistant import Assistant, BreakerState
from services.classify.handlers import Here

router = APIRouter()


class DaySpent(BaseModel):
    """What the calls of a day cost so far, of all processes together, and the most they may."""

    day: date
    calls: int
    tokens: int
    money: float
    tokens_most: int
    money_most: float


class LanguageModelView(BaseModel):
    """The language model. `breaker` is that of the process that answers.

    `state`: off, no endpoint is set; on; spent, nothing is asked until the city's day turns; resting, the endpoint ails
    and is left alone until `resting_until`.
    """

    state: Literal["off", "on", "spent", "resting"]
    model: str | None = None
    prompt: str | None = None
    breaker: BreakerState | None = None
    resting_until: datetime | None = None
    spent: DaySpent | None = None


@router.get("/language-model")
async def show_language_model(here: Context, _: Anyone) -> LanguageModelView:
    """Show whether a language model is asked, and what it costs today."""
    assistant = here.engine.assistant
    return await _view(here, assistant) if assistant else LanguageModelView(state="off")


async def _view(here: Here, assistant: Assistant) -> LanguageModelView:
    now = here.clock.now()
    day, breaker, limits = assistant.day(now), assistant.breaker.state(now), assistant.budget.most
    spent = await store.spending(here.database.pool, day)
    room = assistant.has_room(spent.tokens, spent.money)
    return LanguageModelView(
        state="resting" if breaker == "open" else "on" if room else "spent",
        model=assistant.model,
        prompt=assistant.prompt.version,
        breaker=breaker,
        resting_until=assistant.breaker.open_until if breaker == "open" else None,
        spent=DaySpent(
            day=day, calls=spent.calls, tokens=spent.tokens, money=round(spent.money, 6),
            tokens_most=limits.tokens, money_most=limits.money,
        ),
    )  # fmt: skip
