"""The one declaration of sla."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from libs.common.city.pack import City, load_city
from libs.common.city.seeing import hierarchy
from libs.common.contracts import sla
from libs.common.messaging.consumer import On
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.sla import handlers
from services.sla.api import router
from services.sla.domain import Book, Mark, Policy, Telling
from services.sla.domain.owners import Rules
from services.sla.lateness.rates import Rates
from services.sla.messages import Messages


def book_of(city: City) -> Book:
    """Return what a city pack has clocks judged by. Overdue work rises through supervision by its terms."""
    lights = city.policy.lights
    told = [
        *(Mark(at, "warn", grade) for grade, at in enumerate(lights.reminders, 1)),
        Mark(lights.yellow, "light", light="yellow"),
        Mark(lights.red, "light", light="red"),
    ]
    # Only overdue completion comes under supervision.
    supervised = [Mark(at, "supervise", level) for level, at in enumerate(city.supervision.overdue, 1)]
    return Book(
        calendar=handlers.calendar_of(city),
        marks={"response": tuple(told), "completion": tuple(sorted([*told, *supervised], key=lambda mark: mark.at))},
        starts=(datetime.min.replace(tzinfo=UTC),),
        policies=(Policy(city.policies, handlers.working_day(city)),),
    )


def telling_of(city: City) -> Telling:
    """Return how a city pack has units told of their clocks."""
    centre = next(unit.code for unit in city.units.values() if unit.kind == "centre")
    calendar = handlers.calendar_of(city)
    return Telling(city.notices, city.units, centre, calendar.zone, calendar.works_on)


def engine(settings: Settings, _: Secrets) -> handlers.Engine:
    """Read the policies and the messages."""
    city = load_city(settings.city)
    return handlers.Engine(
        city=city,
        book=book_of(city),
        below=hierarchy({code: unit.parent for code, unit in city.units.items()}),
        messages=Messages.load(),
        timezone=ZoneInfo(city.timezone),
        language=city.default_language,
        telling=telling_of(city),
        rules=Rules(city.supervision, city.units, ZoneInfo(city.timezone)),
        lateness=Rates({}, city.supervision.prior),
    )


SERVICE = Service(
    name="sla",
    consumes={event: On(handlers.on_event) for event in handlers.MEMORY.events}
    | {event: On(handlers.on_hotspot) for event in handlers.HOT.events}
    | {event: On(handlers.on_help) for event in handlers.HELP},
    emits=frozenset(
        {
            sla.ClockStarted,
            sla.ClockPaused,
            sla.ClockResumed,
            sla.ClockExtended,
            sla.ClockWarned,
            sla.ClockBreached,
            sla.ClockMet,
            sla.ClockStopped,
            sla.TaskStarted,
            sla.TaskWarned,
            sla.TaskBreached,
            sla.TaskMet,
            sla.TaskStopped,
            sla.SupervisionOpened,
            sla.SupervisionRaised,
            sla.SupervisionStepped,
            sla.SupervisionClosed,
            sla.DeductionProposed,
        }
    ),
    routers=(router,),
    engine=engine,
    timers={
        handlers.CASE: handlers.on_case_timer,
        handlers.TIMER: handlers.on_timer,
        handlers.JOINED: handlers.on_joined,
        handlers.TASK_TIMER: handlers.on_task_timer,
    },
    notifies=True,
    letters=handlers.letters,
    jobs={
        "notices": handlers.send_due,
        "board": handlers.fold_changes,
        "owners": handlers.keep_owners,
        "lateness": handlers.keep_lateness,
        "policies": handlers.keep_current,
        "calendar": handlers.keep_calendar,
    },
    # A clock that fires before its policies and its days of work are known would be moved by those of the pack.
    jobs_first=("policies", "calendar"),
)
