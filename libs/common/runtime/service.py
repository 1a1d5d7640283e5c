"""What a service is: five values of one class, from which processes, topics, documents and dashboards are made."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import APIRouter
from starlette.routing import Route

from libs.common.contracts.envelope import Event
from libs.common.messaging.consumer import On
from libs.common.messaging.loop import Loop
from libs.common.runtime.clock import Clock
from libs.common.runtime.database import Database
from libs.common.runtime.notify import Letter, Notice
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.security import KeyRing
from libs.common.runtime.settings import Settings
from libs.common.runtime.timers import TimerHandler

E = TypeVar("E")


@dataclass(slots=True)
class Context(Generic[E]):
    """What handlers and routes find around them. `engine` is what the stage keeps in memory: model, rules, policies."""

    settings: Settings
    clock: Clock
    keys: KeyRing
    secrets: Secrets
    database: Database
    engine: E
    loops: dict[str, Loop] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """One stage of the loop.

    `engine` builds what the stage keeps in memory; it may be slow and runs beside the event loop. `jobs` are steps of
    background loops, by name; those named in `jobs_first` have taken their first step before anything is decided.
    `timers` say what to do when a timer of that kind fires.
    """

    name: str
    consumes: Mapping[type[Event], On]
    emits: frozenset[type[Event]]
    routers: tuple[APIRouter, ...]
    engine: Callable[[Settings, Secrets], Any]
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    jobs: Mapping[str, Callable[[Any], Awaitable[float]]] = field(default_factory=dict)
    jobs_first: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    """Routes too hot for FastAPI's layers: answered before it, by method and exact path. A router declares them too."""
    notifies: bool = False
    """Whether it tells people anything, by notices."""
    letters: Callable[[Any, Sequence[Notice]], Awaitable[Mapping[str, Letter]]] | None = None
    """Where its notices to people lead whose addresses it alone knows, and what they say; asked when they are sent."""

    @property
    def topics(self) -> list[str]:
        """Return the topics this service reads."""
        return sorted({event.topic for event in self.consumes})

    @property
    def migrations(self) -> Path:
        """Return the folder of this service's migrations."""
        package = import_module(f"services.{self.name}")
        return Path(str(package.__file__)).parent / "migrations"
