"""The one declaration of classify."""

from libs.common.city.pack import load_city
from libs.common.contracts import classify
from libs.common.messaging.consumer import On
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.classify import handlers
from services.classify.api import router
from services.classify.cues import load_cues
from services.classify.domain import Rules
from services.classify.model import Model
from services.classify.reader import Reader


def engine(settings: Settings, _: Secrets) -> handlers.Engine:
    """Read the city pack, and load its model or train it."""
    city = load_city(settings.city)
    cues = load_cues(settings.city / "cues.toml")
    model = Model.load_or_train(city.catalogue, settings.home / "models")
    routing = city.routing
    rules = Rules(city.catalogue, routing.low_confidence, routing.hold_limit, model.name, city.raising)
    return handlers.Engine(rules, Reader(city, model, cues))


SERVICE = Service(
    name="classify",
    consumes={
        event: On(handlers.on_event, handlers.prepare if event in handlers.READ else None)
        for event in handlers.MEMORY.events
    },
    emits=frozenset({classify.TicketClassified, classify.TicketReclassified}),
    routers=(router,),
    engine=engine,
    timers={handlers.TIMER: handlers.on_timer, handlers.ALARM: handlers.on_timer},
)
