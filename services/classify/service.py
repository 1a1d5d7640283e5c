"""The one declaration of classify."""

import asyncio
from dataclasses import replace

from libs.common.city.catalogue import Catalogue, read_files
from libs.common.city.pack import load_city
from libs.common.contracts import classify
from libs.common.messaging.consumer import On
from libs.common.runtime.media.taking import Uploads
from libs.common.runtime.privacy import Secrets
from libs.common.runtime.service import Service
from libs.common.runtime.settings import Settings
from services.classify import handlers
from services.classify.api import router
from services.classify.assistant import Assistant
from services.classify.cues import load_cues
from services.classify.domain import Rules
from services.classify.ear import Ear, lessons
from services.classify.hotspots import Detector, load_lexicon
from services.classify.knowledge import Finder, Matters, Shelf
from services.classify.model import Model
from services.classify.reader import Reader
from services.classify.versions import packed


def engine(settings: Settings, _: Secrets) -> handlers.Engine:
    """Read the city pack, and load or train what judges: what is in force, or else the pack's own."""
    files = packed(read_files(settings.city / "catalogue"))
    pack = load_city(settings.city)
    cues, lexicon = load_cues(settings.city / "cues.toml"), load_lexicon(settings.city / "hotspots.toml")
    assistant, uploads = Assistant.of(settings, pack.timezone), Uploads()

    def fit(catalogue: Catalogue, model: Model) -> handlers.Engine:
        city, routing = pack if catalogue is pack.catalogue else replace(pack, catalogue=catalogue), pack.routing
        rules = Rules(catalogue, routing.low_confidence, routing.hold_limit, model.name, pack.raising)
        detector = Detector(city, lexicon)
        ear = Ear.load_or_train(cues.alarm, lessons(city, settings.city / "danger.csv"), settings.models_folder)
        reader = Reader(city, model, cues, detector, ear)
        matters = Matters.of(catalogue, model.arrays)
        shelf, finder = Shelf(city), Finder(catalogue, model.meaning, matters)
        return handlers.Engine(rules, model, reader, detector, shelf, finder, uploads, bench, assistant)

    bench = handlers.Bench(pack, files, settings.models_folder, fit)
    return asyncio.run(handlers.begin(settings, bench))


SERVICE = Service(
    name="classify",
    consumes={event: On(handlers.on_event, handlers.prepare) for event in handlers.MEMORY.events},
    emits=frozenset(
        {
            classify.TicketClassified,
            classify.TicketReclassified,
            classify.HotspotRaised,
            classify.HotspotUpdated,
            classify.HotspotCooled,
            classify.ArticleDue,
            classify.ArticleDisputed,
        }
    ),
    routers=(router,),
    engine=engine,
    jobs={
        "hotspots": handlers.watch,
        "versions": handlers.keep_current,
        "held": handlers.renew,
        "training": handlers.do_runs,
        "drift": handlers.count_judged,
        "language model": handlers.assist,
        "language model answers": handlers.forget_answers,
    },
    timers={
        handlers.TIMER: handlers.on_timer,
        handlers.ALARM: handlers.on_alarm,
        handlers.ARTICLE: handlers.on_article,
    },
)
