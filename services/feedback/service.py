"""The one declaration of feedback."""

from zoneinfo import ZoneInfo

from libs.common.city.pack import City, load_city
from libs.common.contracts import dispatch, feedback, intake
from libs.common.messaging.consumer import On
from libs.common.runtime.links import ReviewLinks
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.feedback import handlers
from services.feedback.api import router
from services.feedback.domain import Policy
from services.feedback.pages import router as pages


def policy_of(city: City) -> Policy:
    """Return how a city asks."""
    return Policy(city.rates.callback_window, city.rates.reopen_limit, ZoneInfo(city.timezone))


def engine(settings: Settings, secrets: Secrets) -> handlers.Engine:
    """Read the city's rules and derive the key of the review links."""
    city = load_city(settings.city)
    return handlers.Engine(policy_of(city), city.rates, ReviewLinks(secrets.key("review"), settings.base_url))


SERVICE = Service(
    name="feedback",
    consumes={
        **{event: On(handlers.on_event) for event in handlers.MEMORY.events},
        dispatch.TicketRuled: On(handlers.on_ruled),
        intake.TicketLinked: On(handlers.on_linked, also=handlers.parent_of),
    },
    emits=frozenset(
        {feedback.ReviewRequested, feedback.ReviewSubmitted, feedback.TicketClosed, feedback.TicketReopened}
    ),
    routers=(router, pages),
    engine=engine,
    timers={handlers.LAPSE: handlers.on_timer, handlers.PARENT: handlers.on_timer},
)
