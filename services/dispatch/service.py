"""The one declaration of dispatch."""

from libs.common.city.pack import City, load_city
from libs.common.contracts import classify, dispatch, feedback, intake
from libs.common.messaging.consumer import On
from libs.common.runtime.files import open_store
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.privacy import Secrets, Vault
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.dispatch import handlers
from services.dispatch.api import router
from services.dispatch.domain import Limits, Names, hierarchy
from services.dispatch.messages import Messages
from services.dispatch.routing import Router
from services.dispatch.routing.learned import FILE, load


def engine(settings: Settings, secrets: Secrets) -> handlers.Engine:
    """Index the city."""
    city = load_city(settings.city)
    router_ = Router(city)
    router_.learned = load(settings.city / FILE)
    return handlers.Engine(
        router=router_,
        returns_before_centre=city.routing.returns_before_centre,
        returns=city.returns,
        units=city.units,
        below=hierarchy({code: unit.parent for code, unit in city.units.items()}),
        offices=_offices(city),
        numbers=_numbers(city),
        limits=_limits(city),
        files=open_store(settings.file_store, settings.s3_endpoint),
        uploads=Uploads(),
        # A lasting key: what it seals ends with the row, so nothing has to be wrapped anew when the masters rotate.
        vault=Vault({1: secrets.key("order-files")}, 1),
        messages=Messages.load(),
        names=_names(city),
    )


def _names(city: City) -> Names:
    """Return what districts, streets and towns are called; who names one of them speaks of its district."""
    districts = {unit.district: unit.name.zh for unit in city.units.values() if unit.kind == "district"}
    local = [unit for unit in city.units.values() if unit.kind in {"district", "street", "town"}]
    return Names({unit.name.zh: districts.get(unit.district, unit.name.zh) for unit in local})


def _limits(city: City) -> Limits:
    helping, limits = city.helping, city.policy.limits
    whistle = {urgency: helping.whistle_urgent if urgency == "urgent" else helping.whistle for urgency in limits}
    return Limits(whistle, {urgency: helping.share * limit.completion for urgency, limit in limits.items()})


def _offices(city: City) -> dict[str, str]:
    """Return how each unit is reached by colleagues: its first office on duty that is no emergency line, or its own."""
    alarms = {emergency.number for emergency in city.emergencies.numbers}
    own = {code: unit.phone for code, unit in city.units.items() if unit.phone and unit.phone not in alarms}
    offices = {
        code: f"{contact.role.zh} {contact.phone}"
        for code, unit in city.units.items()
        for contact in reversed(unit.contacts)
        if contact.phone not in alarms
    }
    return own | offices


def _numbers(city: City) -> frozenset[str]:
    """Return the digits of all numbers that the city lists."""
    listed = {contact.phone for unit in city.units.values() for contact in unit.contacts}
    listed |= {unit.phone for unit in city.units.values() if unit.phone}
    return frozenset(number.replace("-", "") for number in listed)


SERVICE = Service(
    name="dispatch",
    consumes={event: On(handlers.on_event, handlers.prepare) for event in handlers.MEMORY.events}
    | {intake.TicketSupplemented: On(handlers.on_supplement)}
    | dict.fromkeys((classify.HotspotRaised, classify.HotspotUpdated, classify.HotspotCooled), On(handlers.on_hotspot))
    | dict.fromkeys(
        (feedback.ProactiveProposed, feedback.ProactiveDone, feedback.ProactiveDeclined), On(handlers.on_proactive)
    ),
    emits=frozenset(
        {
            dispatch.TicketDispatched,
            dispatch.TicketAccepted,
            dispatch.TicketContacted,
            dispatch.TicketProgressed,
            dispatch.TicketReturned,
            dispatch.TicketRuled,
            dispatch.TicketEscalated,
            dispatch.VerificationOrdered,
            dispatch.TicketVerified,
            dispatch.TicketReassigned,
            dispatch.TicketAssigned,
            dispatch.TicketAssisted,
            dispatch.TicketRecalled,
            dispatch.TicketResolved,
        }
    ),
    routers=(router,),
    engine=engine,
    timers={handlers.UNHEARD: handlers.on_timer, handlers.RULING: handlers.on_ruling_late},
    notifies=True,
    jobs={
        "files": handlers.sweep_evidence,
        "rules": handlers.keep_current,
        "decisions": handlers.purge_decisions,
        "backtests": handlers.do_backtests,
        "handovers": handlers.do_handovers,
        "loads": handlers.keep_loads,
    },
    jobs_first=("rules",),
)
