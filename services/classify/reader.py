"""Reads appeals: what they are about, their danger, kind, place, keywords, summary and facts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from threading import Condition
from zoneinfo import ZoneInfo

from libs.common.city.pack import City
from libs.common.city.places import Place, PlaceResolver
from services.classify.cues import Cues
from services.classify.digest import Digest
from services.classify.domain import Appeal, Guess, Reading
from services.classify.ear import LOOKS as DOUBTS
from services.classify.ear import Ear
from services.classify.facts import details, told, turns
from services.classify.hotspots import Detector
from services.classify.model import Model
from services.classify.model.judging import AT_ONCE, LOOKS
from services.classify.urgency import OPENING

PATIENCE = 0.05
"""Seconds that a batch waits at each pause for those who must not."""


class Reader:
    """Reads in batches; safe to share between threads."""

    def __init__(self, city: City, model: Model, cues: Cues, detector: Detector, ear: Ear) -> None:
        self._model = model
        self._ear = ear
        self._zone = ZoneInfo(city.timezone)
        self._waiting = 0
        self._turn = Condition()
        self._detector = detector
        self._cues = cues
        self._places = PlaceResolver(city)
        self._digest = Digest(city.catalogue)

    def read(self, appeals: Sequence[Appeal]) -> list[Reading]:
        """Return a reading of each appeal; of a talk with a seat, of what the citizen said in it."""
        return self._read([_heard(appeal) for appeal in appeals], LOOKS, self._give_way)

    def read_now(self, appeal: Appeal) -> Reading:
        """Return a reading of one appeal before those of batches: somebody is waiting for it."""
        with self._turn:
            self._waiting += 1
        try:
            return self._read([_heard(appeal)], 1)[0]
        finally:
            with self._turn:
                self._waiting -= 1
                self._turn.notify_all()

    def _give_way(self) -> None:
        """Go on when nobody is waiting, but after a while in any case."""
        # Who comes between this look and the next pause waits for some milliseconds; a lock would cost all the others.
        if self._waiting:
            with self._turn:
                self._turn.wait_for(lambda: not self._waiting, PATIENCE)

    def _read(self, appeals: Sequence[Appeal], looks: int, pause: Callable[[], None] = lambda: None) -> list[Reading]:
        guesses = self._model.judge([_words(appeal) for appeal in appeals], looks, pause)
        readings: list[Reading] = []
        asked = max(1, DOUBTS * AT_ONCE // max(AT_ONCE, len(appeals)))
        for at in range(0, len(appeals), AT_ONCE):
            pause()
            some = appeals[at : at + AT_ONCE]
            parts = zip(some, guesses[at : at + AT_ONCE], self._dangers(some, asked), strict=True)
            readings += [self._reading(*part) for part in parts]
        return readings

    def judged_by(self, model: Model, appeals: Sequence[Appeal]) -> list[Guess]:
        """Return what another model takes each appeal to be about."""
        return model.judge([_words(_heard(appeal)) for appeal in appeals])

    def _reading(self, appeal: Appeal, guess: Guess, danger: str | None) -> Reading:
        words = _words(appeal)
        kind = self._cues.kinds.of(_first(appeal)[:OPENING])
        found = self._find(appeal)
        gist = self._digest.of(appeal.title, appeal.body)
        return Reading(
            guess=guess,
            keywords=gist.keywords,
            summary=gist.summary,
            place=found.told if found else None,
            outside=bool(found and found.outside),
            danger=danger,
            asks=kind == "consultation",
            kind=kind,
            mood=round(self._detector.lexicon.mood(words), 2),
            vulnerable=bool(self._detector.lexicon.vulnerable.search(words)),
            safety=bool(self._detector.lexicon.safety.search(words)),
            words=self._detector.grams.of(words),
            facts=details(words, gist.words, appeal.at, self._zone),
        )

    def _dangers(self, appeals: Sequence[Appeal], asked: int) -> list[str | None]:
        """Listen to what was added as to words of their own: they may be the first that tell of danger."""
        parts = [(_first(appeal), *appeal.added) for appeal in appeals]
        heard = iter(self._ear.hear(list(chain.from_iterable(parts)), asked))
        return [next(filter(None, [next(heard) for _ in some]), None) for some in parts]

    def _find(self, appeal: Appeal) -> Place | None:
        point = appeal.location
        words = "，".join(filter(None, (appeal.address, appeal.title, appeal.body)))
        return self._places.resolve(words, (point.lat, point.lon) if point else None)


def _heard(appeal: Appeal) -> Appeal:
    """Return an appeal with what the citizen said in place of a talk that was written down."""
    talk = turns(appeal.text)
    return replace(appeal, text=told(talk)) if talk else appeal


def _first(appeal: Appeal) -> str:
    """Return title and text as they came, the title as a line of its own."""
    return f"{appeal.title}\n{appeal.text}" if appeal.title else appeal.text


def _words(appeal: Appeal) -> str:
    """Return all of the words, the first ones first."""
    return "\n".join((_first(appeal), *appeal.added))
