"""The public map: matters of public space of a month, street by street where enough people are of one mind."""

from dataclasses import dataclass

from services.feedback.domain.releases import Release, Spot, public
from services.feedback.handlers.around import Here
from services.feedback.store import releases as store


@dataclass(frozen=True, slots=True)
class Mapped:
    """A month's map; its release is None while there is none."""

    release: Release | None
    spots: tuple[Spot, ...]


async def mapped(here: Here, period: str | None) -> Mapped:
    """Return the map of a month, of the last one that is released if none is named."""
    pool = here.database.pool
    release = await (store.release_of(pool, period) if period else store.last_release(pool))
    if release is None:
        return Mapped(None, ())
    services = here.engine.city.services.by_category
    spots = await store.spots(pool, release.period, {category[0] for category in services})
    return Mapped(release, tuple(public(spots, services)))
