"""The public map: what many have and what was solved, for everyone, without a key."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.common.runtime.http import Line
from services.feedback.api.around import Context
from services.feedback.domain.periods import MONTH
from services.feedback.domain.releases import Spot
from services.feedback.handlers import Here, mapping

router = APIRouter()


class SpotView(BaseModel):
    """A matter of public space in a street, or in a district where streets had too few: of at least k people.

    `supporters` are others who said that they have it too.
    """

    district: str
    district_name: str
    street: str | None
    street_name: str | None
    category: tuple[str, str, str]
    appeals: int
    solved: int
    supporters: int


class MapView(BaseModel):
    """The map of a month, the matters of most people first. `period` is null while no month is put together."""

    period: str | None
    k: int
    spots: list[SpotView]


@router.get("/public/map")
async def show_map(
    here: Context,
    period: Annotated[str | None, Query(pattern=MONTH, description="A month; the last there is if not given")] = None,
    district: Annotated[Line | None, Query(description="Six digits")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> MapView:
    """Show what people have in public space and what of it was solved, street by street. No key is needed."""
    made = await mapping.mapped(here, period)
    names = place_names(here)
    spots = [spot for spot in made.spots if district is None or spot.district == district][:limit]
    return MapView(
        period=made.release.period if made.release else None, k=here.engine.city.extracts.k,
        spots=[_view(spot, names) for spot in spots],
    )  # fmt: skip


def place_names(here: Here) -> dict[str, str]:
    """Return the names of the districts by their six digits, and of the streets and towns by their codes."""
    units = here.engine.city.units.values()
    named = {unit.district: unit.name.zh for unit in units if unit.kind == "district" and unit.district}
    return named | {unit.code: unit.name.zh for unit in units if unit.kind in {"street", "town"}}


def _view(spot: Spot, names: dict[str, str]) -> SpotView:
    return SpotView(
        district=spot.district, district_name=names.get(spot.district, spot.district), street=spot.street or None,
        street_name=names.get(spot.street, spot.street) or None, category=spot.category, appeals=spot.appeals,
        solved=spot.solved, supporters=spot.supporters,
    )  # fmt: skip
