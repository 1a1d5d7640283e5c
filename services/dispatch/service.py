"""The one declaration of dispatch."""

from libs.common.city.pack import load_city
from libs.common.contracts import dispatch
from libs.common.messaging.consumer import On
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.dispatch import handlers
from services.dispatch.api import router
from services.dispatch.routing import Router


def engine(settings: Settings, _: Secrets) -> handlers.Engine:
    """Index the city."""
    city = load_city(settings.city)
    return handlers.Engine(Router(city), city.routing.returns_before_centre)


SERVICE = Service(
    name="dispatch",
    consumes={event: On(handlers.on_event) for event in handlers.MEMORY.events},
    emits=frozenset(
        {
            dispatch.TicketDispatched,
            dispatch.TicketAccepted,
            dispatch.TicketContacted,
            dispatch.TicketProgressed,
            dispatch.TicketReturned,
            dispatch.TicketRuled,
            dispatch.TicketReassigned,
            dispatch.TicketRecalled,
            dispatch.TicketResolved,
        }
    ),
    routers=(router,),
    engine=engine,
    timers={handlers.UNHEARD: handlers.on_timer},
)
