"""What a unit reads of its month: a diagnosis, from what was published and, for what others do, from the record."""

from dataclasses import replace

from libs.common.runtime.problems import Problem
from services.feedback.domain.diagnosis import (
    PRACTICES,
    Diagnosis,
    Shortfall,
    helpers,
    peers_of,
    practices,
    rate_gaps,
    shortfalls,
)
from services.feedback.domain.periods import period_of
from services.feedback.domain.proactive import credited
from services.feedback.domain.scores import Publication, Score
from services.feedback.handlers.around import Here
from services.feedback.store import credits as credits_store
from services.feedback.store import kpis as kpis_store
from services.feedback.store import scores as store


async def diagnose(here: Here, publication: Publication, unit: str) -> Diagnosis:
    """Return the diagnosis of a unit in a version of a month. Raises Problem 404 where it has no score.

    All of it rests on what was published; `with_practices` adds what it takes the record for.
    """
    pool, rules = here.database.pool, here.engine.city.scoring
    scores = await store.scores_of(pool, publication.period, publication.version)
    score = next((one for one in scores if one.unit_code == unit), None)
    if score is None:
        raise Problem(404, "the unit has no score in this month")
    # A ruling on another moves nothing here: others are as they were when the standards were set.
    peers = peers_of(score, await store.scores_of(pool, publication.period, publication.base))
    sums = await store.sums(pool, publication.period, publication.version, publication.weights, [unit])
    expected = await store.expected_of(pool, publication, unit)
    fell = shortfalls(sums, expected, publication.weights, rules)
    counting = await credits_store.of_version(pool, publication.period, publication.version, unit)
    return Diagnosis(
        score,
        next(iter(credited(counting, publication.bonus)), None),
        tuple(one.unit for one in peers),
        tuple(rate_gaps(score, peers, publication.weights, rules)),
        tuple([await _helped(here, publication, score, scores, one) for one in fell]),
    )


async def _helped(
    here: Here, publication: Publication, score: Score, scores: list[Score], fell: Shortfall
) -> Shortfall:
    """Add who of the same kind did well in a category."""
    names = {one.unit_code: one.unit_name for one in scores if one.level == score.level}
    had = await store.had_of(here.database.pool, publication, fell.category, list(names))
    return replace(fell, helpers=helpers(had, names, score.unit_code, here.engine.city.scoring))


async def with_practices(here: Here, found: Diagnosis) -> Diagnosis:
    """Add what the helpers of each category do better there, as the record has it now."""
    return replace(found, categories=tuple([await _practised(here, found.score, one) for one in found.categories]))


async def _practised(here: Here, score: Score, fell: Shortfall) -> Shortfall:
    if not fell.helpers:
        return fell
    measures = here.engine.measures.of(*(code for code in PRACTICES if code in here.engine.measures.kpis.by_code))
    since, until = period_of(score.period).span(here.engine.policy.timezone)
    units = [score.unit_code, *(helper.unit.code for helper in fell.helpers)]
    figures = await kpis_store.figures(
        here.database, measures, since, until, ("unit",), {"unit": units, "category2": [fell.category[1]]}
    )
    better = practices(figures, measures.kpis.by_code, score.unit_code, here.engine.city.scoring)
    return replace(fell, practices=better)
