"""The one declaration of intake."""

from zoneinfo import ZoneInfo

from libs.common.city.pack import load_city
from libs.common.contracts import intake
from libs.common.messaging.consumer import On
from libs.common.runtime.links import ReviewLinks
from libs.common.runtime.privacy import Pseudonyms, QueryCodes, Secrets, Vault
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.intake import handlers
from services.intake.api import ROUTES, router
from services.intake.domain import Emergency
from services.intake.messages import Messages
from services.intake.pages import router as pages


def engine(settings: Settings, secrets: Secrets) -> handlers.Engine:
    """Derive the keys and read the emergencies and the messages."""
    city = load_city(settings.city)
    return handlers.Engine(
        vault=Vault({1: secrets.key("vault")}, current=1),
        pseudonyms=Pseudonyms(secrets.key("pseudonyms")),
        codes=QueryCodes(secrets.key("query-codes")),
        emergencies=tuple(Emergency(e.number, e.name.zh, e.name.en, e.words) for e in city.emergencies),
        timezone=ZoneInfo(city.timezone),
        messages=Messages.load(),
        review_link=ReviewLinks(secrets.key("review"), settings.base_url).url,
    )


SERVICE = Service(
    name="intake",
    consumes={event: On(handlers.on_event) for event in handlers.MEMORY.events},
    emits=frozenset(
        {
            intake.TicketReceived,
            intake.TicketSupplemented,
            intake.TicketLinked,
            intake.TicketWithdrawn,
            intake.TicketAnswered,
            intake.TicketSnapshot,
        }
    ),
    routers=(router, pages),
    routes=ROUTES,
    engine=engine,
    jobs={handlers.SCREENING: handlers.screen},
)
