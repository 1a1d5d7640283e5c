"""The one declaration of intake."""

from zoneinfo import ZoneInfo

import structlog

from libs.common.city.pack import City, load_city
from libs.common.contracts import intake
from libs.common.messaging.consumer import On
from libs.common.runtime.files import open_store
from libs.common.runtime.links import FileLinks, ReviewLinks
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.privacy import Pseudonyms, Secrets, Vault
from libs.common.runtime.reading import ReadingDesk
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.intake import handlers
from services.intake.api import ROUTES, router
from services.intake.chats import Chats
from services.intake.domain import Patience, Standard, Telling, Way
from services.intake.languages import Languages
from services.intake.messages import Messages
from services.intake.open311 import router as open311
from services.intake.pages import router as pages
from services.intake.passes import Passes
from services.intake.repeats import Repeats

log = structlog.get_logger(__name__)


def engine(settings: Settings, secrets: Secrets) -> handlers.Engine:
    """Derive the keys and read the emergencies and the messages."""
    city = load_city(settings.city)
    return handlers.Engine(
        vault=Vault(*secrets.ring("vault"), renew=lambda: Secrets.load(settings.secret_file).ring("vault")),
        pseudonyms=Pseudonyms(secrets.key("pseudonyms")),
        codes=handlers.GuardedCodes(secrets.key("query-codes")),
        emergencies=city.emergencies,
        languages=Languages(city.default_language),
        timezone=ZoneInfo(city.timezone),
        messages=Messages.load(),
        patience=Patience(city.access.longest_queue, city.access.longest_wait),
        chats=Chats(),
        reading=ReadingDesk(settings.speech_model, settings.speech_sessions),
        city=city,
        repeats=Repeats.of(city, settings.city),
        telling=_telling(settings, city),
        passes=Passes(secrets.key("citizen-passes")),
        line_standard=Standard(
            city.lines.answer_within.total_seconds(), city.lines.connection_rate, city.lines.cold_below
        ),
        review_link=ReviewLinks(secrets.key("review"), settings.base_url).url,
        audit_key=secrets.key("audit"),
        files=open_store(settings.file_store, settings.s3_endpoint),
        uploads=Uploads(),
        file_links=FileLinks(secrets.key("files"), settings.base_url),
    )


def _telling(settings: Settings, city: City) -> Telling:
    """Return how citizens are told; where there is no gateway, that they are not is logged once, and kept of each."""
    gateways: dict[Way, str] = {"sms": settings.sms_gateway, "mail": settings.mail_gateway}
    open_ = frozenset(way for way, gateway in gateways.items() if gateway)
    if not open_:
        log.warning("citizens get no messages: neither JIESU_SMS_GATEWAY nor JIESU_MAIL_GATEWAY is set")
    rules = city.messages
    return Telling(frozenset(rules.off), rules.quiet_from, rules.quiet_until, ZoneInfo(city.timezone), open_)


SERVICE = Service(
    name="intake",
    consumes={event: On(handlers.on_event) for event in handlers.MEMORY.events},
    emits=frozenset(
        {
            intake.TicketReceived,
            intake.TicketSupplemented,
            intake.TicketLinked,
            intake.TicketUnlinked,
            intake.TicketSupported,
            intake.TicketScreened,
            intake.CallRecorded,
            intake.LineMeasured,
            intake.TicketWithdrawn,
            intake.TicketAnswered,
            intake.TicketErased,
            intake.TicketSnapshot,
        }
    ),
    routers=(router, open311, pages),
    routes=ROUTES,
    engine=engine,
    notifies=True,
    letters=handlers.letters,
    jobs={
        handlers.SCREENING: handlers.screen,
        "backlog": handlers.count_backlog,
        "vault": handlers.keep_keys,
        "retention": handlers.let_go,
        "audit": handlers.publish_head,
        "files": handlers.sweep_files,
        "reading": handlers.read_files,
        "sessions": handlers.watch_sessions,
        "chats": handlers.hear_sessions,
        handlers.TIDYING: handlers.tidy,
        handlers.BURSTS: handlers.notice_bursts,
    },
    timers={
        handlers.CHILDREN: handlers.on_orphans,
        handlers.NEWS: handlers.on_news,
        handlers.LINE_DAY: handlers.on_line_day,
    },
)
