"""The assistant of one process: which language model it asks, how, and how the endpoint fares."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from libs.common.city.catalogue import Question
from libs.common.contracts.classify import MachineMade
from libs.common.runtime.clock import Clock
from libs.common.runtime.settings import Settings, SettingsError, variable
from services.classify.assistant.asking import Asked, heard, inquiry
from services.classify.assistant.breaker import Breaker
from services.classify.assistant.budget import Budget, Cost
from services.classify.assistant.endpoint import Endpoint, Reply, most_tokens
from services.classify.assistant.prompts import Prompt, load_prompt
from services.classify.domain import Appeal

REST = timedelta(seconds=30)
"""Real time for which an endpoint that ails is left alone."""
FRESH = timedelta(minutes=10)
"""For so long an answer is remembered in memory, for what is no ticket yet and may become one."""
MOST_REMEMBERED = 500


@dataclass(slots=True)
class Recent:
    """Answers given lately, the newest last."""

    _answers: OrderedDict[str, tuple[datetime, MachineMade]] = field(default_factory=OrderedDict)

    def of(self, key: str, now: datetime) -> MachineMade | None:
        """Return the answer to an inquiry, if it is not too old."""
        self.forget(now)
        found = self._answers.get(key)
        return found[1] if found else None

    def forget(self, now: datetime) -> None:
        """Forget what is too old."""
        while self._answers and next(iter(self._answers.values()))[0] <= now - FRESH:
            self._answers.popitem(last=False)

    def keep(self, key: str, answer: MachineMade, now: datetime) -> None:
        """Remember an answer."""
        self._answers[key] = (now, answer)
        self._answers.move_to_end(key)
        if len(self._answers) > MOST_REMEMBERED:
            self._answers.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Assistant:
    """A language model and the terms on which it is asked. `at_once` calls run at a time; the rest wait their turn."""

    model: str
    prompt: Prompt
    endpoint: Endpoint
    budget: Budget
    breaker: Breaker
    seconds: float
    zone: ZoneInfo
    sure: float
    at_once: int
    turns: asyncio.Semaphore
    recent: Recent = field(default_factory=Recent)

    @classmethod
    def of(cls, settings: Settings, timezone: str) -> Self | None:
        """Return the assistant of the settings, None if no URL is set. Raises SettingsError naming what is wrong."""
        url = settings.language_model_url
        if not url:
            return None
        settings.require("language_model_name")
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise SettingsError(f"{variable('language_model_url')} is a URL such as http://127.0.0.1:11434/v1")
        most = Cost(settings.language_model_tokens_per_day, settings.language_model_money_per_day)
        return cls(
            model=settings.language_model_name,
            prompt=load_prompt("appeal"),
            endpoint=Endpoint(url, settings.language_model_key, settings.language_model_seconds),
            budget=Budget(most, settings.language_model_price_in, settings.language_model_price_out),
            breaker=Breaker(REST * Clock.parse(settings.clock).rate),
            seconds=settings.language_model_seconds,
            zone=ZoneInfo(timezone),
            sure=settings.language_model_sure,
            at_once=settings.language_model_at_once,
            turns=asyncio.Semaphore(settings.language_model_at_once),
        )

    def inquiry(self, appeal: Appeal, offered: Sequence[Question]) -> Asked:
        """Return what is asked of an appeal."""
        return inquiry(appeal, offered, self.model, self.prompt)

    def heard(self, reply: Reply, asked: Asked) -> MachineMade:
        """Return what counts of a reply. Raises NoAnswerError."""
        return heard(reply.content, asked, self.sure)

    def most(self, asked: Asked) -> Cost:
        """Return the most that an inquiry can cost."""
        return self.budget.cost(most_tokens(asked))

    def has_room(self, tokens: int, money: float) -> bool:
        """Say whether, with so much spent of a day's budget, enough is left to ask anything at all."""
        return self.budget.room(Cost(tokens, money), self.most(self.inquiry(Appeal(""), ())))

    def day(self, now: datetime) -> date:
        """Return the city's day, by which the budget counts."""
        return now.astimezone(self.zone).date()
