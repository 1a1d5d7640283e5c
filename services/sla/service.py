"""The one declaration of sla."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from libs.common.city.pack import City, load_city
from libs.common.contracts import sla
from libs.common.messaging.consumer import On
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.sla import handlers
from services.sla.api import router
from services.sla.domain import Mark, Policy
from services.sla.messages import Messages

LONGEST_PAUSE = timedelta(days=30)
"""No ground stands a clock still for longer; a rule of this project, until a city sets its own."""


def policy_of(city: City) -> Policy:
    """Return the limits of a city pack. Supervision rises at yellow, at red, and once more after as long again."""
    lights, limits = city.policy.lights, city.policy.limits
    joint = 2 * lights.red - lights.yellow
    told = [
        *(Mark(at, "warn", grade) for grade, at in enumerate(lights.reminders, 1)),
        Mark(lights.yellow, "light", light="yellow"),
        Mark(lights.red, "light", light="red"),
    ]
    # Only overdue completion comes under supervision.
    supervised = [Mark(at, "supervise", level) for level, at in enumerate((lights.yellow, lights.red, joint), 1)]
    return Policy(
        version=f"{city.code}-1",
        response={urgency: limit.response for urgency, limit in limits.items()},
        completion={urgency: limit.completion for urgency, limit in limits.items()},
        elderly_response=city.policy.elderly_response,
        marks={"response": tuple(told), "completion": tuple(sorted([*told, *supervised], key=lambda mark: mark.at))},
        longest_pause=LONGEST_PAUSE,
    )


def engine(settings: Settings, _: Secrets) -> handlers.Engine:
    """Read the policies and the messages."""
    city = load_city(settings.city)
    return handlers.Engine(
        policy=policy_of(city),
        messages=Messages.load(),
        timezone=ZoneInfo(city.timezone),
        language=city.default_language,
    )


SERVICE = Service(
    name="sla",
    consumes={event: On(handlers.on_event) for event in handlers.MEMORY.events},
    emits=frozenset(
        {
            sla.ClockStarted,
            sla.ClockPaused,
            sla.ClockResumed,
            sla.ClockWarned,
            sla.ClockBreached,
            sla.ClockMet,
            sla.ClockStopped,
            sla.SupervisionOpened,
            sla.SupervisionRaised,
            sla.SupervisionClosed,
        }
    ),
    routers=(router,),
    engine=engine,
    timers={handlers.TIMER: handlers.on_timer},
    notifies=True,
)
