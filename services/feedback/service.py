"""The one declaration of feedback."""

from zoneinfo import ZoneInfo

from libs.common.city.pack import City, load_city
from libs.common.city.seeing import hierarchy
from libs.common.contracts import classify, dispatch, feedback, intake, sla
from libs.common.messaging.consumer import On
from libs.common.runtime.links import ReviewLinks
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.feedback import handlers
from services.feedback.api import router
from services.feedback.domain import Policy, suspicion
from services.feedback.domain.kpis import Measures
from services.feedback.map_page import router as map_page
from services.feedback.pages import router as pages
from services.feedback.public import router as public


def policy_of(city: City) -> Policy:
    """Return how a city asks."""
    return Policy(city.rates.callback_window, city.rates.reopen_limit, ZoneInfo(city.timezone), city.callbacks)


def measures_of(city: City) -> Measures:
    """Return what a city measures."""
    kinds = {code: str(unit.kind) for code, unit in city.units.items()}
    return Measures(city.kpis, city.rates, city.timezone, kinds)


def engine(settings: Settings, secrets: Secrets) -> handlers.Engine:
    """Read the city's rules and derive the key of the review links."""
    city = load_city(settings.city)
    return handlers.Engine(
        policy=policy_of(city),
        weights=city.rates,
        links=ReviewLinks(secrets.key("review"), settings.base_url),
        measures=measures_of(city),
        city=city,
        below=hierarchy({code: unit.parent for code, unit in city.units.items()}),
        suspicion=suspicion(city.closing, ((question.code, question.evidence) for question in city.catalogue)),
    )


SERVICE = Service(
    name="feedback",
    consumes={
        **{event: On(handlers.on_event) for event in handlers.MEMORY.events},
        dispatch.TicketRuled: On(handlers.on_ruled),
        intake.TicketScreened: On(handlers.on_screened),
        sla.DeductionProposed: On(handlers.on_deduction),
        intake.TicketLinked: On(handlers.on_linked, also=handlers.parent_of),
        intake.LineMeasured: On(handlers.on_measured),
        classify.HotspotRaised: On(handlers.on_hotspot),
        classify.HotspotUpdated: On(handlers.on_hotspot),
        classify.HotspotCooled: On(handlers.on_hotspot),
    },
    emits=frozenset(
        {
            feedback.ReviewRequested,
            feedback.ReviewSubmitted,
            feedback.TicketClosed,
            feedback.TicketReopened,
            feedback.ClosingRuled,
            feedback.ScorePublished,
            feedback.ScoreAppealed,
            feedback.ScoreRuled,
            feedback.TopicProposed,
            feedback.TopicOpened,
            feedback.TopicClosed,
            feedback.ProactiveProposed,
            feedback.ProactiveDone,
            feedback.ProactiveDeclined,
        }
    ),
    routers=(router, pages, public, map_page),
    engine=engine,
    timers={
        handlers.LAPSE: handlers.on_timer,
        handlers.PARENT: handlers.on_timer,
        handlers.RECOUNT: handlers.on_recount,
    },
    jobs={
        "signs": handlers.look_for_signs,
        "forecasts": handlers.forecast,
        "scores": handlers.publish_due,
        "quality": handlers.measure_quality,
        "indices": handlers.count_indices,
        "releases": handlers.release_due,
        "extracts": handlers.keep_extracts,
        "reports": handlers.keep_reports,
        "open data": handlers.keep_published,
        "topics": handlers.keep_topics,
    },
)
