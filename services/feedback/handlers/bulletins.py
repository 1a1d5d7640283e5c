"""Bulletins of months, read from what was published."""

from libs.common.runtime.problems import Problem
from services.feedback.domain.bulletins import Area, Rulings, Sentence, Words, area_of, sentences
from services.feedback.domain.scores import Publication
from services.feedback.handlers.around import Here
from services.feedback.handlers.diagnosis import diagnose
from services.feedback.store import appeals as appeals_store
from services.feedback.store import deductions as deductions_store
from services.feedback.store import scores as store


async def bulletin(here: Here, publication: Publication, unit: str) -> list[Sentence]:
    """Return a unit's bulletin in a version of a month: of itself, and of the units that stand under it.

    Raises Problem 404 where neither it nor any of them has a score.
    """
    pool, period, version = here.database.pool, publication.period, publication.version
    area = await _area(here, publication, unit)
    scored = await store.scores_of(pool, period, version, [unit])
    if not scored and area is None:
        raise Problem(404, "neither the unit nor any under it has a score in this month")
    found = await diagnose(here, publication, unit) if scored else None
    words = Words(here.engine.measures.kpis.by_code, here.engine.city.categories)
    return sentences(found, area, await _rulings(here, publication, unit), words)


async def _area(here: Here, publication: Publication, unit: str) -> Area | None:
    """Return what a unit and those under it had together; None if none stands under it."""
    below = here.engine.below.get(unit, frozenset())
    if len(below) < 2:
        return None
    pool = here.database.pool
    return area_of(await store.scores_of(pool, publication.period, publication.version, sorted(below)))


async def _rulings(here: Here, publication: Publication, unit: str) -> Rulings:
    pool, period, version = here.database.pool, publication.period, publication.version
    ruled = await deductions_store.deductions_in(pool, period, unit)
    imposed = tuple(one for one in ruled if one.imposed and one.version and one.version <= version)
    return Rulings(imposed, await appeals_store.upheld(pool, period, unit, version))
