"""The one declaration of classify."""

from libs.common.city.pack import load_city
from libs.common.contracts import classify
from libs.common.contracts.vocabulary import Receipt
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
    rules = Rules(city.catalogue, city.routing.low_confidence, city.routing.hold_limit, model.name)
    return handlers.Engine(rules, Reader(city, model, cues))


SERVICE = Service(
    name="classify",
    consumes={
        event: On(handlers.on_event, handlers.prepare if issubclass(event, Receipt) else None)
        for event in handlers.MEMORY.events
    },
    emits=frozenset({classify.TicketClassified, classify.TicketReclassified}),
    routers=(router,),
    engine=engine,
    timers={handlers.TIMER: handlers.on_timer},
)
